//! A state's writing, where it was damaged: a named refusal, never a state that contradicts itself.

use std::sync::OnceLock;

use proptest::prelude::*;
use shield::order::State;
use shield::order::command::Command;
use shield::order::kept::{Reading, Unkept, VERSION};
use shield::order::state::GROUPED_MS;
use shield::order::values::table::Table;

use crate::world::{World, item, league, owner};

use super::driven::{drive_to_the_end, kept};

fn read(lines: &[Vec<u8>], table: &[u8]) -> Result<State, Unkept> {
    let table = Table::open(table.to_vec()).ok_or(Unkept::Odd("no table"))?;
    let mut reading = Reading::new(table);
    lines.iter().try_for_each(|line| reading.line(line))?;
    reading.end()
}

type Kept = (Vec<Vec<u8>>, Vec<u8>);

/// States with something of each kind, and their writings.
fn some() -> &'static [Kept] {
    static SOME: OnceLock<Vec<Kept>> = OnceLock::new();
    SOME.get_or_init(|| {
        let kept: Vec<Kept> =
            (1..=6_u64).map(|seed| kept(&drive_to_the_end(&bytes(seed)))).collect();
        for kind in KINDS {
            let start = format!("{{\"{kind}\":");
            let mut lines = kept.iter().flat_map(|(lines, _)| lines);
            assert!(lines.any(|line| line.starts_with(start.as_bytes())), "no {kind}");
        }
        kept
    })
}

const KINDS: [&str; 10] = [
    "order",
    "event",
    "reporter",
    "ticket",
    "item",
    "exception",
    "stop",
    "networks",
    "measured",
    "objection",
];

fn bytes(mut seed: u64) -> Vec<u8> {
    let next = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..1_500).map(next).collect()
}

#[test]
fn a_line_that_is_missing_twice_there_or_out_of_place_is_refused_or_changes_what_is_said() {
    some().iter().for_each(|(lines, table)| each_line_counts(lines, table));
}

fn each_line_counts(lines: &[Vec<u8>], table: &[u8]) {
    let whole = read(lines, table).unwrap();
    for n in 0..lines.len() {
        let mut fewer = lines.to_vec();
        let line = fewer.remove(n);
        if let Ok(other) = read(&fewer, table) {
            let nothing = line.starts_with(b"{\"networks\"") || line.starts_with(b"{\"measured\"");
            assert!(other != whole || nothing, "without {}", String::from_utf8_lossy(&line));
        }
        let mut more = lines.to_vec();
        more.insert(n, line.clone());
        if let Ok(other) = read(&more, table) {
            // An announcement of nothing changes nothing when it is said again.
            let text = String::from_utf8_lossy(&line);
            assert!(
                other != whole
                    || line.starts_with(b"{\"networks\"")
                    || line.starts_with(b"{\"measured\""),
                "twice: {text}"
            );
        }
    }
    let mut turned = lines.to_vec();
    turned.reverse();
    assert!(read(&turned, table).is_err());
    assert_ne!(read(lines, &[0; 16]).ok(), Some(whole), "without its values");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_changed_byte_is_survived(which in any::<prop::sample::Index>(), line in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let (mut lines, table) = which.get(some()).clone();
        let line = line.index(lines.len());
        let at = at.index(lines[line].len());
        lines[line][at] = to;
        if let Ok(state) = read(&lines, &table) {
            // Whatever it says, it can be written, and says the same when it is read again.
            let (lines, table) = kept(&state);
            prop_assert_eq!(read(&lines, &table), Ok(state));
        }
    }

    #[test]
    fn any_line_is_survived(line in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reading::new(Table::default()).line(&line);
    }
}

/// Who reads on after a line that was refused has no state: a part of that line may have been taken.
#[test]
fn a_refused_line_leaves_no_state() {
    let mut world = World::new();
    world.blocked(&league(), "a.com");
    let (lines, table) = kept(&world.state);
    let mut reading = Reading::new(Table::open(table).unwrap());
    for line in &lines {
        let of_nothing = String::from_utf8_lossy(line).replace("\"a.com\"", "\"b.com\"");
        let refused = line.starts_with(b"{\"item\":");
        assert_eq!(reading.line(of_nothing.as_bytes()).is_err(), refused, "{of_nothing}");
    }
    assert_eq!(reading.end(), Err(Unkept::Odd("a line of it was refused")));
}

/// What is owed after harm was grouped outlives a start from what is kept, and no longer than it counts.
#[test]
fn grouped_harm_is_kept_while_it_counts() {
    let mut world = World::new();
    let (id, other) = (world.blocked(&league(), "a.com"), world.blocked(&league(), "b.com"));
    let report = |value: &str, network| Command::ReportHarm { value: item(value), network };
    let group = |world: &mut World, value: &str| {
        (1..=3).for_each(|network| drop(world.does(&owner(), report(value, network))));
    };
    assert!(world.state.owed().is_empty());
    group(&mut world, "a.com");
    assert_eq!(world.state.owed(), [id].into());
    let (lines, table) = kept(&world.state);
    assert!(lines.iter().any(|line| line.starts_with(b"{\"grouped\":")));
    let again = read(&lines, &table).unwrap();
    assert_eq!(again, world.state);
    assert_eq!(again.owed(), [id].into());
    world.wait(GROUPED_MS + 1);
    group(&mut world, "b.com");
    assert_eq!(world.state.owed(), [other].into());
}

/// The same steps make the same writing for ever, or another version: else a start would go on from what another
/// program kept. (Where the driver of these histories was changed, its digest is, and the version stays.)
#[test]
fn another_writing_is_another_version() {
    let mut bytes = Vec::new();
    for (lines, table) in some() {
        lines.iter().for_each(|line| bytes.extend_from_slice(line));
        bytes.extend_from_slice(table);
    }
    let digest = model::Sha256Hex::of(&bytes).to_string();
    assert_eq!(
        (VERSION, digest.as_str()),
        (5, "9630200e5e132409c8953409b4475b66499e8cd196217337f254fc8b9d57c8a6"),
        "give what is kept another version"
    );
}
