//! A million values out, a million items in force after others that ended (`VIGIE_ROUNDS` rounds
//! of `VIGIE_TICKETS` thousands, one of a million unless said): what they take, and what a change costs.
//!
//! `cargo test -p shield --release --test it scale -- --ignored --nocapture` prints the figures.

use std::time::Instant;

use shield::feed::{Answer, Bounds, Entry, Gates, History, Row, Snapshot};
use shield::harm::Verdict;
use shield::order::command::Command;
use shield::order::schedule::Schedule;
use shield::order::{Audience, ItemId, Moment, Seen, Stage, TicketId, Value};

use crate::world::*;

/// What the process holds, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|kb| kb.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) << 10
}

fn row(n: u64, expires: i64) -> (Value, Option<Row>) {
    // Spread over the order of names, as names in the field are.
    let value =
        Value::new(item(&format!("{:x}.stream{n}.com", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))));
    let entry = Entry { expires: Moment(expires), item: ItemId(n), code: None };
    let row = Row::new(&value, [(entry, &Audience::All)]);
    (value, row)
}

fn median(mut times: Vec<f64>) -> Option<(f64, f64)> {
    times.sort_by(f64::total_cmp);
    Some((*times.get(times.len() / 2)?, *times.get(times.len() * 99 / 100)?))
}

#[test]
#[ignore = "minutes, and gigabytes"]
fn a_million_values_are_out() {
    let before = resident();
    let begun = Instant::now();
    let mut history = History::new(1, 1, Bounds::default(), Snapshot::default());
    let _ = history.publish((0..1_000_000).map(|n| row(n, 1)), Gates::default());
    println!(
        "feed values={} seconds={:.1} resident_mb={}",
        history.current().len(),
        begun.elapsed().as_secs_f64(),
        (resident() - before) >> 20
    );
    let mut stamp = 1;
    // Held: somebody reads the snapshot before, so that nothing can be changed in place.
    for (size, rounds, held) in [
        (1_u64, 200_u64, true),
        (100, 200, true),
        (1_000, 50, true),
        (100, 200, false),
        (1_000, 50, false),
    ] {
        let (mut publishing, mut applying, mut answering) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            stamp += 1;
            let at = |n: u64| (round * size + n) * 7_919 % 1_000_000;
            let rows: Vec<_> = (0..size).map(|n| row(at(n), stamp)).collect();
            let old = held.then(|| history.current().clone());
            let shown = history.place();
            let begun = Instant::now();
            let _ = history.publish(rows, Gates::default());
            publishing.push(begun.elapsed().as_secs_f64() * 1e3);
            let begun = Instant::now();
            let Answer::Delta(own) = history.answer(&org("i"), Some(shown)) else {
                panic!("a delta")
            };
            answering.push(begun.elapsed().as_secs_f64() * 1e3);
            assert_eq!(own.added.len() as u64, size);
            let Some(old) = old else { continue };
            let delta = history.last().expect("a delta").clone();
            let begun = Instant::now();
            let new = old.apply(&delta).expect("it fits");
            applying.push(begun.elapsed().as_secs_f64() * 1e3);
            assert_eq!(new.len(), history.current().len());
        }
        for (what, times) in [("publish", publishing), ("apply", applying), ("answer", answering)] {
            if let Some((half, most)) = median(times) {
                println!("feed delta={size} held={held} {what}_ms p50={half:.3} p99={most:.3}");
            }
        }
    }
    let begun = Instant::now();
    let Answer::Reset(view) = history.answer(&org("late"), None) else { panic!("all") };
    let count = view.entries().count();
    println!("feed reset={count} ms={:.0}", begun.elapsed().as_secs_f64() * 1e3);
    let shown = shield::feed::Place { serial: 1, ..history.place() };
    let begun = Instant::now();
    let behind = history.answer(&org("i"), Some(shown));
    println!(
        "feed behind={} {} ms={:.0}",
        history.place().serial - 1,
        if matches!(behind, Answer::Delta(_)) { "delta" } else { "reset" },
        begun.elapsed().as_secs_f64() * 1e3
    );
}

#[test]
#[ignore = "minutes, and gigabytes"]
fn a_million_items_are_in_force_after_others_that_ended() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (rounds, tickets) =
        (number("VIGIE_ROUNDS").unwrap_or(1), number("VIGIE_TICKETS").unwrap_or(1_000));
    let before = resident();
    let mut world = World::new();
    world.keeps_steps = false;
    let begun = Instant::now();
    let mut released = 0_u64;
    // A third of the values come again in each round.
    for round in 0..=rounds {
        world.event(&format!("e{round}"), 0, HOUR);
        for ticket in 0..tickets {
            let names: Vec<String> = (0..1_000_u64)
                .map(|n| {
                    (round * 1_000_000 + ticket * 1_000 + n) * if n % 3 == 0 { 0 } else { 1 }
                        + n * 1_001
                })
                .map(|n| format!("{:x}.s{n}.com", n.wrapping_mul(0x9e37_79b9)))
                .collect();
            let lines: Vec<&str> = names.iter().map(String::as_str).collect();
            let asked = world.asked(&league(), Some(&format!("e{round}")), &lines);
            world.does(&league(), Command::Submit(asked));
            let ticket = TicketId(world.state.tickets() - 1);
            let items: Vec<ItemId> = world.state.items_of(ticket).map(|(id, _)| id).collect();
            for id in items {
                world.captured(id, Seen::Works);
                world.checked(id, Verdict::Allow);
                released += 1;
            }
        }
        println!(
            "machine round={round} released={released} in_force={} seconds={:.0} resident_mb={}",
            world.state.count(Stage::InForce),
            begun.elapsed().as_secs_f64(),
            (resident() - before) >> 20
        );
        if round < rounds {
            let begun = Instant::now();
            world.wait(2 * HOUR);
            println!("machine expired_s={:.1}", begun.elapsed().as_secs_f64());
        }
    }
    let mut times = Vec::new();
    for _ in 0..1_000 {
        let begun = Instant::now();
        assert!(world.does(&house(), Command::Tick).is_empty());
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let tick = median(times).expect("times");
    let mut times = Vec::new();
    for n in 0..1_000 {
        let begun = Instant::now();
        world.blocked(&cinema(), &format!("one-more{n}.com"));
        times.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    let more = median(times).expect("times");
    let begun = Instant::now();
    let schedule = Schedule::new(&world.state, &world.policy, world.now);
    println!(
        "machine tick_us={:.1}/{:.1} report_to_force_us={:.0}/{:.0} (p50/p99) schedule_ms={:.0} due={}",
        tick.0,
        tick.1,
        more.0,
        more.1,
        begun.elapsed().as_secs_f64() * 1e3,
        schedule.next_due().is_some()
    );
}

#[test]
fn an_item_takes_what_is_said() {
    let item = size_of::<shield::order::state::Live>();
    println!("machine live_bytes={item}");
    assert!(item <= 256, "{item}");
}
