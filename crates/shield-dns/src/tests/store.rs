//! The store beside a plain set.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use domain::base::Serial;
use proptest::prelude::*;

use super::{fqdns, many, zones};
use crate::names::{Delta, Names};
use crate::zone::{MAX_STEP_NAMES, MAX_STEPS, Snapshot, next_serial};
use crate::{Fqdn, FqdnError, MAX_HOT, Place, ZonesError, cold_zone};

fn name() -> impl Strategy<Value = Fqdn> {
    // Few short labels, so that names meet again, and some long ones, so that chunks fill.
    let label = prop_oneof![4 => "[ab]{1,2}", 1 => "[a-z0-9_-]{40,63}"];
    prop::collection::vec(label, 2..4).prop_map(|labels| labels.join(".").parse().unwrap())
}

fn change() -> impl Strategy<Value = (Vec<Fqdn>, Vec<Fqdn>)> {
    let names = || prop::collection::vec(name(), 0..60);
    (names(), names())
}

fn turned(set: &BTreeSet<Fqdn>) -> Vec<String> {
    set.iter().map(|name| String::from_utf8(name.turned().to_vec()).unwrap()).collect()
}

fn hot(now: u64) -> Snapshot {
    Snapshot::clone(&zones(now).view().zones()[0])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_set_is_a_set(changes in prop::collection::vec(change(), 1..12)) {
        let (mut names, mut model) = (Names::default(), BTreeSet::new());
        let mut versions = Vec::new();
        for (remove, add) in changes {
            let delta = names.delta(&remove, &add);
            prop_assert!(delta.removed.iter().all(|name| model.contains(name)));
            prop_assert!(!delta.added.iter().any(|name| model.contains(name)));
            names = names.apply(&delta);
            model.retain(|name| !remove.contains(name));
            model.extend(add.iter().cloned());
            prop_assert_eq!(names.len(), model.len());
            prop_assert_eq!(names.all(), turned(&model));
            for name in remove.iter().chain(&add) {
                prop_assert_eq!(names.contains(name), model.contains(name));
            }
            versions.push((names.clone(), turned(&model)));
        }
        // No later change reached into an earlier version.
        for (names, all) in versions {
            prop_assert_eq!(names.all(), all);
        }
    }

    #[test]
    fn merged_steps_are_the_direct_step(changes in prop::collection::vec(change(), 1..12)) {
        let mut versions = vec![hot(u64::from(u32::MAX - 4))];
        for (remove, add) in changes {
            let next = versions.last().unwrap().change(&remove, &add, 0);
            versions.extend(next);
        }
        let last = versions.last().unwrap();
        let all = |version: &Snapshot| version.names.all().into_iter().collect::<BTreeSet<_>>();
        for version in &versions[..versions.len() - 1] {
            let step = last.since(version.serial()).unwrap();
            prop_assert_eq!(version.names.apply(&step).all(), last.names.all());
            let (before, after) = (all(version), all(last));
            let text = |names: &[Fqdn]| turned(&names.iter().cloned().collect());
            prop_assert_eq!(text(&step.removed), before.difference(&after).cloned().collect::<Vec<_>>());
            prop_assert_eq!(text(&step.added), after.difference(&before).cloned().collect::<Vec<_>>());
            prop_assert!(step.removed.is_sorted() && step.added.is_sorted());
        }
        prop_assert_eq!(last.since(last.serial()), None);
    }

    #[test]
    fn the_next_serial_is_later(serial: u32, now: u64) {
        let (serial, next) = (Serial(serial), next_serial(Serial(serial), now));
        prop_assert!(next > serial);
        prop_assert!(next == serial.add(1) || next == Serial(now as u32));
    }

    #[test]
    fn a_name_is_written_as_it_was_read(text in "[a-z0-9_.-]{0,70}") {
        if let Ok(name) = text.parse::<Fqdn>() {
            prop_assert_eq!(name.to_string(), text);
        }
    }
}

#[test]
fn serials_wrap() {
    let mut zone = hot(u64::from(u32::MAX) - 1);
    let before = zone.serial();
    let mut seen = Vec::new();
    for n in 0..4 {
        let now = u64::from(u32::MAX) - 1;
        zone = zone.change(&[], &fqdns([format!("n{n}.example").as_str()]), now).unwrap();
        assert!(zone.serial() > before);
        seen.push(zone.serial().into_int());
    }
    assert_eq!(seen, [u32::MAX, 0, 1, 2]);
    assert_eq!(zone.since(before).unwrap().added.len(), 4);
    // A clock that is ahead is followed, one that is behind is not.
    assert_eq!(next_serial(Serial(2), 1000), Serial(1000));
    assert_eq!(next_serial(Serial(1000), 2), Serial(1001));
}

#[test]
fn what_is_no_name_is_refused() {
    let long = "a".repeat(64);
    for (text, error) in [
        ("", FqdnError::Empty),
        (".", FqdnError::Empty),
        ("a.example.", FqdnError::Empty),
        (".example", FqdnError::Empty),
        ("a..example", FqdnError::Empty),
        ("example", FqdnError::TopLevel),
        ("*.example.test", FqdnError::Character),
        ("Example.test", FqdnError::Character),
        ("exämple.test", FqdnError::Character),
        ("a b.test", FqdnError::Character),
        ("a\0.test", FqdnError::Character),
        ("32.1.2.0.192.rpz-ip", FqdnError::Trigger),
        ("ns.example.rpz-nsdname", FqdnError::Trigger),
        (&format!("{long}.test"), FqdnError::Long),
        (&["a"; 128].join("."), FqdnError::Long),
    ] {
        assert_eq!(text.parse::<Fqdn>(), Err(error), "{text}");
    }
    assert!("rpz-ip.example".parse::<Fqdn>().is_ok(), "only its end makes a trigger");
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut zones = zones(1000);
    let label = "a".repeat(60);
    let long = fqdns([format!("{label}.{label}.{label}.{}", "b".repeat(58)).as_str()]);
    let fine = fqdns(["fine.example"]);
    for place in [Place::Hot, Place::Cold] {
        let both = [fine.clone(), long.clone()].concat();
        assert!(matches!(zones.change(place, &both, &[], 1001), Err(ZonesError::Long(..))));
    }
    let many: Vec<_> = (0..=MAX_HOT).map(|n| format!("n{n}.example").parse().unwrap()).collect();
    assert_eq!(zones.change(Place::Hot, &many, &[], 1001), Err(ZonesError::HotFull(MAX_HOT + 1)));
    assert!(zones.view().zones().iter().all(|zone| zone.is_empty()));
    assert_eq!(zones.change(Place::Hot, &many[1..], &[], 1001).unwrap().len(), 1);
    assert!(zones.change(Place::Hot, &[], &fine, 1002).unwrap().is_empty(), "nothing to remove");
}

#[test]
fn the_log_is_bounded() {
    let mut zone = hot(1);
    let first = zone.serial();
    for n in 0..=MAX_STEPS {
        zone = zone.change(&[], &fqdns([format!("n{n}.example").as_str()]), 0).unwrap();
    }
    assert_eq!(zone.since(first), None);
    assert_eq!(zone.since(first.add(1)).unwrap().added.len(), MAX_STEPS);
    let many: Vec<_> =
        (0..=MAX_STEP_NAMES).map(|n| format!("m{n}.example").parse().unwrap()).collect();
    let before = zone.serial();
    zone = zone.change(&[], &many[1..], 0).unwrap();
    assert_eq!(zone.since(before).unwrap().len(), MAX_STEP_NAMES);
    let before = zone.serial();
    zone = zone.change(&many, &[], 0).unwrap();
    zone = zone.change(&[], &many, 0).unwrap();
    assert_eq!(zone.since(before), None, "longer than the log: the whole zone is sent");
}

#[test]
fn the_cut_of_the_cold_zone_stays() {
    // Computed apart from this code, by the rule as documented.
    for (name, zone) in [("pirate.example", 14), ("www.pirate.example", 1)] {
        assert_eq!(cold_zone(&name.parse().unwrap()), zone, "{name}");
    }
    let mut counts = [0_usize; 16];
    let names = many(20_000);
    names.iter().for_each(|name| counts[cold_zone(name)] += 1);
    assert!(counts.iter().all(|n| (1_000..1_500).contains(n)), "{counts:?}");
}

#[test]
fn a_million_names_are_small_and_change_fast() {
    let all = many(1_000_000);
    let names = Names::default().apply(&Delta { removed: Vec::new(), added: all.clone() });
    assert_eq!(names.len(), all.len());
    let mb = names.bytes() as f64 / 1e6;
    assert!(mb < 100.0, "{mb} MB");
    let mut zone = hot(1);
    zone.names = names;
    let mut times: Vec<_> = (0..200)
        .map(|n| {
            let remove = std::slice::from_ref(&all[n * 4_999]);
            let add = fqdns([format!("new{n}.example").as_str()]);
            let begun = Instant::now();
            zone = zone.change(remove, &add, 0).unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    eprintln!("a million names: {mb:.1} MB; a change: {:?}, at most {:?}", times[100], times[199]);
    assert!(times[100].as_micros() < 1_000, "{:?}", times[100]);
    assert_eq!(zone.len(), all.len());
    let shared = Arc::new(zone);
    assert!(shared.contains(&all[1]) && !shared.contains(&all[0]));
}
