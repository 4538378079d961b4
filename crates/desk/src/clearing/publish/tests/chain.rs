//! How the way from a snapshot stays short, and how a great snapshot is made beside the house's work.

use super::*;
use crate::clearing::publish::Bounds as Chain;

/// So many items in one ticket.
const ITEMS: u32 = 40;

fn item(n: u32) -> ItemId {
    ItemId::new(TicketId(0), n.try_into().unwrap())
}

fn bed(chain: Chain) -> Bed {
    let mut bed = Bed::new();
    bed.publisher = Publisher::new(&bed.folder, bed.key.clone()).unwrap().with(chain);
    let names: Vec<String> = (0..ITEMS).map(|n| format!("s{n}.stream.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    does(&mut bed.house, &reported(&names));
    bed
}

/// One more released or lifted.
fn turn(bed: &mut Bed, n: u32) {
    if n % 4 == 3 { bed.lift_item(item(n - 3)) } else { bed.release_item(item(n)) }
}

fn files(wanted: Want) -> usize {
    match wanted {
        Want::Files(files) => files.len(),
        Want::Nothing => 0,
    }
}

/// Goes on with a snapshot until it stands.
fn draft(bed: &mut Bed) {
    for _ in 0..2_000 {
        let now = bed.house.now();
        bed.publisher.go_on(&bed.house, now, &mut |_| ()).unwrap();
        if !bed.publisher.is_drafting() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    panic!("the snapshot never stood");
}

fn named(manifest: &Manifest) -> usize {
    manifest.snapshot.iter().count() + manifest.deltas.len()
}

#[test]
fn the_way_from_a_snapshot_stays_short_and_who_is_a_few_behind_takes_a_few_steps() {
    let mut bed = bed(Chain { steps: 8, kept: 4, age: 1 << 20, ..Chain::default() });
    let mut all = Follower::new(ALL, Bounds::default(), Vec::new());
    bed.out();
    let snapshot = bed.manifest(ALL).unwrap().snapshot;
    let (mut most, mut over) = (0, 0);
    for n in 0..ITEMS {
        turn(&mut bed, n);
        assert_eq!(bed.out(), [ALL]);
        let manifest = bed.manifest(ALL).unwrap();
        assert_eq!(manifest.snapshot, snapshot, "no snapshot was written meanwhile");
        most = most.max(named(&manifest));
        let is_long =
            |file: &&shield::wire::FileName| file.from.is_some_and(|from| file.to > from + 1);
        over = over.max(manifest.deltas.iter().filter(is_long).count());
        // Who begins is where everybody is, by no more files than the steps that may lead on.
        let mut late = Follower::new(ALL, Bounds::default(), Vec::new());
        let (want, _) = late.hear(&manifest, bed.house.now(), 0).unwrap();
        assert!(files(want) <= 2 + 8, "{manifest:?}");
        let held = bed.follow(&mut late, ALL).0;
        // Now and then: up to four steps behind.
        if n % 4 == 0 {
            let (want, _) = all.hear(&manifest, bed.house.now(), 0).unwrap();
            assert!(n == 0 || files(want) <= 4, "it took more than the steps it was behind by");
            assert_eq!(bed.follow(&mut all, ALL).0, held);
        }
    }
    assert!(over == 1 && most <= 2 + 8 + 4, "{over} {most}");
}

#[test]
fn a_great_snapshot_is_made_beside_the_work_and_followers_go_on_meanwhile() {
    let chain = Chain { steps: 6, kept: 3, age: 10, at_once: 2, ..Chain::default() };
    let mut bed = bed(chain);
    bed.out();
    let mut all = Follower::new(ALL, Bounds::default(), Vec::new());
    bed.follow(&mut all, ALL);
    let first = bed.manifest(ALL).unwrap().snapshot;
    let mut n = 0;
    while !bed.publisher.is_drafting() {
        turn(&mut bed, n);
        bed.out();
        bed.follow(&mut all, ALL);
        n += 1;
    }
    assert!(n >= 10, "it began after {n}");
    // What it is begun with is not waited for, and goes on changing: renewed, lifted, more.
    for _ in 0..8 {
        turn(&mut bed, n);
        bed.out();
        bed.follow(&mut all, ALL);
        n += 1;
    }
    assert_eq!(bed.manifest(ALL).unwrap().snapshot, first);
    draft(&mut bed);
    let manifest = bed.manifest(ALL).unwrap();
    let second = manifest.snapshot.clone();
    assert!(second != first && second.as_ref().unwrap().to < manifest.place.serial, "{second:?}");
    let held = bed.follow(&mut all, ALL).0;
    let mut late = Follower::new(ALL, Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut late, ALL).0, held);
    // Who holds the first and all up to now has no need of the second.
    assert_eq!(all.hear(&manifest, bed.house.now(), 0).unwrap().0, Want::Nothing);
    // And so on.
    while n < ITEMS {
        turn(&mut bed, n);
        bed.out();
        n += 1;
        if bed.publisher.is_drafting() {
            draft(&mut bed);
        }
        let held = bed.follow(&mut all, ALL).0;
        let mut late = Follower::new(ALL, Bounds::default(), Vec::new());
        assert_eq!(bed.follow(&mut late, ALL).0, held);
    }
}

#[test]
fn a_great_view_of_an_isp_begins_once_its_snapshot_stands() {
    let mut bed = bed(Chain { at_once: 2, ..Chain::default() });
    (0..6).for_each(|n| bed.release_item(item(n)));
    bed.out();
    let mut fibre = Follower::new("fibre", Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut fibre, "fibre").0.len(), 6);
    bed.reports("own.stream.example", &["fibre"]);
    bed.release(1);
    assert_eq!(bed.out(), [ALL], "it is not said to be there before it is");
    assert!(bed.publisher.is_drafting() && bed.manifest("fibre").is_none());
    assert_eq!(bed.follow(&mut fibre, "fibre"), (fibre_has(&bed, 6), vec![]));
    // What it is made of is lifted, and more comes.
    bed.lift_item(item(2));
    bed.release_item(item(7));
    bed.out();
    draft(&mut bed);
    assert!(bed.manifest(ALL).unwrap().sets_apart("fibre"));
    let (held, gone) = bed.follow(&mut fibre, "fibre");
    assert!(held.len() == 7 && held.contains(&"own.stream.example".to_owned()), "{held:?}");
    assert_eq!(gone, ["s2.stream.example"]);
    assert_eq!(fibre.reads(), "fibre");
}

fn fibre_has(bed: &Bed, count: usize) -> Vec<String> {
    let rows = bed.house.feed().unwrap().history().current().view_of(&Whose::All);
    let names: Vec<String> = rows.entries().map(|(value, _)| value.to_string()).collect();
    assert_eq!(names.len(), count);
    names
}

#[test]
fn a_stop_while_a_snapshot_is_made_leaves_none_of_it() {
    let mut bed = bed(Chain { age: 5, at_once: 2, ..Chain::default() });
    bed.out();
    let mut n = 0;
    while !bed.publisher.is_drafting() {
        bed.release_item(item(n));
        bed.out();
        n += 1;
    }
    let mut all = Follower::new(ALL, Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut all, ALL).0.len(), n as usize);
    let vera = actor("vera", "authority", Role::Authority);
    let stop = Command::Stop { scope: Scope::All, halt: Halt::Lifts, grounds: grounds() };
    does(&mut bed.house, &[ask(&vera, stop)]);
    bed.out();
    draft(&mut bed);
    let manifest = bed.manifest(ALL).unwrap();
    assert_eq!(
        (manifest.count, manifest.snapshot.as_ref().unwrap().to),
        (0, manifest.place.serial)
    );
    assert_eq!(bed.follow(&mut all, ALL).0, Vec::<String>::new());
    let mut late = Follower::new(ALL, Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut late, ALL).0, Vec::<String>::new());
}
