//! Three authorities that witness one another, under partitions, crashes, and one that may tell two
//! stories: the cores as they are, with a seeded clock, network and store.
//!
//! `VIGIE_RUNS` says how many worlds (1,000 unless said), `VIGIE_SEED` the first one's seed; a failure
//! names the seed that gives it again.

mod world;

use std::io::Write;

use ledger::witness::{Shown, Split};
use world::{Liar, World};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

#[test]
fn no_seed_breaks_what_witnesses_promise() {
    let (runs, first) = (number("VIGIE_RUNS", 1000), number("VIGIE_SEED", 1));
    let begun = std::time::Instant::now();
    let next = std::sync::atomic::AtomicU64::new(first);
    let totals = std::sync::Mutex::new(Totals::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let mut own = Totals::default();
                loop {
                    let seed = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if seed >= first + runs {
                        break;
                    }
                    own.add(&one(seed));
                }
                totals.lock().unwrap().add(&own);
            });
        }
    });
    let totals = totals.into_inner().unwrap();
    let _ = writeln!(
        std::io::stdout(),
        "simulation runs={runs} first_seed={first} seconds={:.1} {totals:?}",
        begun.elapsed().as_secs_f64()
    );
    // What the promise is about must have happened.
    if runs >= 100 {
        assert!(totals.quorums > runs && totals.crashes > runs && totals.lost > runs, "{totals:?}");
        assert!(totals.refused_forks > runs / 10 && totals.split_views > runs / 10, "{totals:?}");
        assert!(totals.conflicts > runs / 10, "{totals:?}");
    }
}

#[test]
fn a_seed_gives_the_same_world_again() {
    for seed in [1, 2, 3, 99] {
        let of = |seed| {
            let mut world = World::new(seed);
            world.run();
            world.trace()
        };
        assert_eq!(of(seed), of(seed), "{seed}");
        assert_ne!(of(seed), of(seed + 1000), "{seed}");
    }
}

/// What happened, counted, so that a world in which nothing happens shows.
#[derive(Debug, Default)]
struct Totals {
    quorums: u64,
    crashes: u64,
    lost: u64,
    conflicts: u64,
    refused_forks: u64,
    split_views: u64,
}

impl Totals {
    fn add(&mut self, other: &Self) {
        self.quorums += other.quorums;
        self.crashes += other.crashes;
        self.lost += other.lost;
        self.conflicts += other.conflicts;
        self.refused_forks += other.refused_forks;
        self.split_views += other.split_views;
    }
}

fn one(seed: u64) -> Totals {
    let mut world = World::new(seed);
    world.run();
    let mut split_views = 0;
    for log in 0..world.logs() {
        // One witness never cosigns two histories.
        for witness in (0..world.logs()).filter(|w| *w != log) {
            let told = world.cosigned(witness, log);
            for pair in told.windows(2) {
                assert!(
                    world.goes_on(log, pair[0], pair[1]),
                    "seed {seed}: witness {witness} cosigned {:?} then {:?} of log {log}",
                    pair[0],
                    pair[1]
                );
            }
        }
        // Two checkpoints of one log that a quorum stands behind never contradict one another.
        let witnessed = world.witnessed(log);
        for (i, one) in witnessed.iter().enumerate() {
            for other in &witnessed[i + 1..] {
                assert!(
                    world.goes_on(log, *one, *other) || world.goes_on(log, *other, *one),
                    "seed {seed}: {one:?} and {other:?} of log {log} are both witnessed"
                );
            }
        }
        // In the end the network was whole: who is honest is witnessed to his last entry.
        if world.liar() != Liar::Yes(log) {
            assert!(
                witnessed.iter().any(|w| world.goes_on(log, world.head(log), *w)),
                "seed {seed}: {:?} of the honest log {log} is not witnessed, but {witnessed:?}",
                world.head(log)
            );
        }
        // Who compares what the witnesses keep accuses the liar, with proof, and nobody else.
        let lied = world.contradicting(log);
        let split = world.compare(log);
        let shown = split.as_ref().map(|split| shown(&world, log, split));
        match (lied, &shown) {
            (true, Some(Shown::Split(_, _))) => split_views += 1,
            (false, None) => {}
            other => panic!("seed {seed}: log {log}: {other:?}"),
        }
    }
    let counts = world.counts();
    Totals {
        quorums: counts.quorums,
        crashes: counts.crashes,
        lost: counts.lost,
        conflicts: counts.conflicts,
        refused_forks: counts.inconsistent,
        split_views,
    }
}

/// What a stranger makes of the file, with the log's key and nothing else.
fn shown(world: &World, log: usize, split: &Split) -> Shown {
    let read = Split::parse(&split.to_string()).expect("it reads back");
    read.check(&world.trust(log)).expect("it holds")
}
