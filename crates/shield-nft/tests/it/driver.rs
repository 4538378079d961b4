//! What users behind the router get.

use std::time::{Duration, Instant};

use shield::Item;
use shield_nft::{Driver, DriverError, Element, Nft, Table};

use crate::world::World;

fn item(text: &str) -> Item {
    Item::parse(text).unwrap()
}

fn held(text: &str, ms: u64) -> Element {
    Element { item: item(text), life: Duration::from_millis(ms) }
}

fn driver(world: &World) -> Driver {
    Driver::open(world.nft(), Table::new("vigie").unwrap().for_practice()).unwrap()
}

fn until(what: &str, most: Duration, holds: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < most, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}

#[test]
fn the_very_address_or_port_is_blocked_and_nothing_beside_it() {
    let world = World::new();
    let driver = driver(&world);
    let all = [("198.51.100.7", 80), ("198.51.100.8", 80), ("198.51.100.8", 443)];
    let all6 = [("2001:db8:b::7", 80), ("2001:db8:b::8", 80), ("2001:db8:b::8", 443)];
    for (address, port) in all.iter().chain(&all6) {
        assert!(world.open(address, *port), "{address} {port} before");
    }
    let hold = ["198.51.100.7", "198.51.100.8:443", "2001:db8:b::7", "[2001:db8:b::8]:443"];
    let begun = Instant::now();
    driver.change(&hold.map(|text| held(text, 60_000)), &[]).unwrap();
    eprintln!("measured: four blocked in {:?}", begun.elapsed());
    for (address, port) in all.iter().chain(&all6) {
        let blocked = address.ends_with('7') || *port == 443;
        assert_eq!(world.open(address, *port), !blocked, "{address} {port}");
    }
    let (found, strange) = driver.held().unwrap();
    assert_eq!((found.len(), strange), (4, 0));
    // All four at once are open again; what is not held is no error.
    let lift = [hold.as_slice(), &["198.51.100.99"]].concat();
    driver.change(&[], &lift.into_iter().map(item).collect::<Vec<_>>()).unwrap();
    for (address, port) in all.iter().chain(&all6) {
        assert!(world.open(address, *port), "{address} {port} after");
    }
}

#[test]
fn a_block_ends_by_its_own_clock_and_a_renewal_moves_it() {
    let world = World::new();
    let driver = driver(&world);
    let begun = Instant::now();
    driver.change(&[held("198.51.100.7", 6_000), held("198.51.100.8", 6_000)], &[]).unwrap();
    assert!(!world.open("198.51.100.7", 80) && !world.open("198.51.100.8", 80));
    driver.change(&[held("198.51.100.8", 60_000)], &[]).unwrap();
    // Nothing of ours runs from here on.
    drop(driver);
    until("its own clock", Duration::from_secs(10), || world.open("198.51.100.7", 80));
    assert!(begun.elapsed() >= Duration::from_millis(5_900), "{:?}", begun.elapsed());
    assert!(!world.open("198.51.100.8", 80), "renewed before");
    // And to less than it had: the clock of the last word counts.
    let driver = Driver::open(world.nft(), Table::new("vigie").unwrap().for_practice()).unwrap();
    driver.change(&[held("198.51.100.8", 800)], &[]).unwrap();
    until("the shorter clock", Duration::from_secs(4), || world.open("198.51.100.8", 80));
}

#[test]
fn a_new_start_takes_up_what_is_held_and_replace_puts_it_right() {
    let world = World::new();
    driver(&world).change(&[held("198.51.100.7", 60_000)], &[]).unwrap();
    let driver = driver(&world);
    assert!(!world.open("198.51.100.7", 80));
    driver.replace(&[held("198.51.100.8", 60_000)]).unwrap();
    assert!(world.open("198.51.100.7", 80) && !world.open("198.51.100.8", 80));
    driver.remove().unwrap();
    assert!(world.open("198.51.100.8", 80));
    assert_eq!(world.operator("list tables"), "");
}

#[test]
fn what_others_made_is_not_touched() {
    let world = World::new();
    world.operator(
        "add table inet vigie; add set inet vigie keep { type ipv4_addr; elements = { 198.51.100.8 }; }",
    );
    let before = world.operator("list ruleset");
    let refused = Driver::open(world.nft(), Table::new("vigie").unwrap());
    assert!(matches!(refused, Err(DriverError::Foreign(_))), "{refused:?}");
    assert_eq!(world.operator("list ruleset"), before);
    let other = Driver::open(world.nft(), Table::new("vigie_blocks").unwrap()).unwrap();
    other.change(&[held("1.1.1.1", 60_000)], &[]).unwrap();
    other.remove().unwrap();
    assert_eq!(world.operator("list ruleset"), before);
}

#[test]
fn a_table_that_somebody_removed_is_told_and_made_again() {
    let world = World::new();
    let gone = driver(&world);
    world.operator("flush ruleset");
    for failed in [gone.change(&[held("198.51.100.7", 60_000)], &[]), gone.held().map(drop)] {
        assert!(matches!(failed, Err(DriverError::Gone(_))), "{failed:?}");
    }
    driver(&world).change(&[held("198.51.100.7", 60_000)], &[]).unwrap();
    assert!(!world.open("198.51.100.7", 80));
}

#[test]
fn whatever_became_of_the_table_is_found_and_made_anew() {
    let world = World::new();
    world.operator("add table inet other");
    let mut driver = driver(&world);
    assert!(!driver.stands().unwrap(), "taken up: nobody knows how it was made");
    for harm in [
        "delete table inet vigie",
        "flush table inet vigie",
        "flush chain inet vigie forward",
        "insert rule inet vigie forward ip daddr 198.51.100.7 accept",
        "flush ruleset",
    ] {
        driver.rebuild(&[held("198.51.100.7", 60_000)]).unwrap();
        assert!(driver.stands().unwrap() && !world.open("198.51.100.7", 80), "before {harm}");
        world.operator(harm);
        assert!(!driver.stands().unwrap_or(false) && world.open("198.51.100.7", 80), "{harm}");
    }
    driver.rebuild(&[held("198.51.100.7", 60_000)]).unwrap();
    // What comes and goes in the sets is no change of the table, nor are its counters.
    assert!(!world.open("198.51.100.7", 80));
    driver.change(&[held("198.51.100.8", 60_000)], &[item("198.51.100.7")]).unwrap();
    assert!(driver.stands().unwrap());
    // Another's table in its place is left alone.
    world.operator("delete table inet vigie; add table inet vigie; add chain inet vigie theirs");
    let before = world.operator("list ruleset");
    let refused = driver.rebuild(&[held("198.51.100.7", 60_000)]);
    assert!(matches!(refused, Err(DriverError::Foreign(_))), "{refused:?}");
    // Not at the end, either.
    let kept = driver.remove();
    assert!(matches!(kept, Err(DriverError::Foreign(_))), "{kept:?}");
    assert_eq!(world.operator("list ruleset"), before);
}

#[test]
fn a_table_of_ours_is_cleaned_away_whoever_made_it() {
    let world = World::new();
    let clean = || Driver::clean(world.nft(), Table::new("vigie").unwrap());
    clean().unwrap();
    driver(&world).change(&[held("198.51.100.7", 60_000)], &[]).unwrap();
    assert!(!world.open("198.51.100.7", 80));
    clean().unwrap();
    assert!(world.open("198.51.100.7", 80));
    assert_eq!(world.operator("list tables"), "");
}

#[test]
fn a_refused_value_changes_nothing() {
    let world = World::new();
    let driver = driver(&world);
    driver.change(&[held("198.51.100.7", 60_000), held("127.0.0.1", 60_000)], &[]).unwrap_err();
    assert!(world.open("198.51.100.7", 80));
    assert!(driver.held().unwrap().0.is_empty());
}

#[test]
fn a_program_that_does_not_end_is_ended_and_one_that_is_missing_is_named() {
    let command = ["sh", "-c", "exec sleep 60"].map(Into::into).to_vec();
    let waits = Nft { command, most: Duration::from_millis(200) };
    let begun = Instant::now();
    let ended = Driver::open(waits, Table::new("vigie").unwrap());
    assert!(matches!(ended, Err(DriverError::Slow(_))), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    // So is what a wrapper of it started, which holds the same pipes.
    let command = ["sh", "-c", "sleep 60; :"].map(Into::into).to_vec();
    let waits = Nft { command, most: Duration::from_millis(200) };
    let ended = Driver::open(waits, Table::new("vigie").unwrap());
    assert!(matches!(ended, Err(DriverError::Slow(_))), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let missing = Nft { command: vec!["/nowhere/nft".into()], ..Nft::default() };
    let told = Driver::open(missing, Table::new("vigie").unwrap()).unwrap_err().to_string();
    assert!(told.contains("/nowhere/nft") && told.contains("install nftables"), "{told}");
}

#[test]
fn a_hundred_thousand_are_held_at_once() {
    let world = World::new();
    let driver = driver(&world);
    let many: Vec<Element> = (0..100_000_u32)
        .map(|n| {
            let [_, b, c, d] = n.to_be_bytes();
            held(&format!("198.{}.{c}.{d}", 18 + (b & 1)), 600_000)
        })
        .collect();
    let begun = Instant::now();
    driver.replace(&many).unwrap();
    let loaded = begun.elapsed();
    let begun = Instant::now();
    driver.change(&[held("198.51.100.7", 600_000)], &[]).unwrap();
    let one = begun.elapsed();
    let begun = Instant::now();
    let count = driver.held().unwrap().0.len();
    eprintln!("measured: nft loads {loaded:?}, one more {one:?}, listed {:?}", begun.elapsed());
    assert_eq!(count, 100_001);
    assert!(loaded < Duration::from_secs(20) && one < Duration::from_secs(2), "{loaded:?} {one:?}");
}
