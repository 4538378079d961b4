use std::collections::BTreeSet;
use std::path::Path;

use ledger::{CosignerKey, Note, Policy, WitnessKey};
use shield::order::words::{Grounds, Person};
use shield::order::{Command, Halt, Role, Scope};
use shield::wire::{Event, Reader};

use super::*;
use crate::clearing::kept;
use crate::clearing::publish::{Publisher, feed_key, public_keys};
use crate::clearing::tests::{actor, ask, does, item, league, place, released, reported};
use crate::desk::Place;

const NAMES: [&str; 3] = ["a.stream.example", "b.stream.example", "c.stream.example"];

fn cosigner(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[n; 32]).unwrap()
}

fn grounds() -> Grounds {
    Grounds::new("as agreed").unwrap()
}

/// A house at which so many of two named witnesses are waited for, and that reported three names.
fn house(place: &Place, asked: u64) -> House {
    House::create(place).unwrap();
    for n in 1..=2 {
        witness::name(&place.home, &cosigner(n).witness().text(), "http://127.0.0.1:1").unwrap();
    }
    let mut house = House::open(place).unwrap();
    house.figure(&Person::new("vera").unwrap(), "witnesses", asked, &grounds()).unwrap();
    house.begin().unwrap();
    does(&mut house, &reported(&NAMES));
    house
}

fn release(house: &mut House, n: u16) {
    let asks = released(house, item(n));
    does(house, &asks);
}

/// The witnesses of these numbers cosign what is shown.
fn cosign(place: &Place, house: &mut House, by: &[u8]) {
    house.show().unwrap();
    let mut note = Note::parse(house.case().log().published().unwrap()).unwrap();
    for n in by {
        note.signatures.push(cosigner(*n).cosign(&note.text, 1_700_000_000));
    }
    ledger::keep_witnessed(&place.case.join("ledger"), &note).unwrap();
    house.witnessed(Cosigned::read(&place.home, house.case()).unwrap());
}

/// What is out.
fn out(house: &mut House) -> BTreeSet<String> {
    house.publish();
    let current = house.feed().unwrap().history().current();
    current.rows().map(|row| row.value().to_string()).collect()
}

type Taken = std::result::Result<BTreeSet<String>, String>;

/// What the files of a folder name, to who asks for so many witnesses.
fn taken(home: &Path, folder: &Path, quorum: usize) -> Taken {
    let (feed, log) = public_keys(home).unwrap();
    let witnesses: Vec<WitnessKey> = (1..=2).map(|n| cosigner(n).witness()).collect();
    let policy = Policy { log, witnesses, quorum };
    let text = std::fs::read_to_string(folder.join("all/manifest")).unwrap();
    let manifest = shield::wire::Manifest::open(&text, &feed).unwrap();
    let mut held = BTreeSet::new();
    for file in manifest.snapshot.iter().chain(&manifest.deltas) {
        let bytes = std::fs::read(folder.join("all/files").join(file.hash.to_string())).unwrap();
        let mut reader = Reader::new(&policy);
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            match reader.line(line).map_err(|e| e.to_string())? {
                Event::Block(block) => drop(held.insert(block.value.to_string())),
                Event::Gone(value) => drop(held.remove(&value.to_string())),
                _ => {}
            }
        }
    }
    Ok(held)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_is_added_waits_and_what_ends_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut house = house(&place, 2);
    release(&mut house, 0);
    release(&mut house, 1);
    assert_eq!(out(&mut house), set(&[]));
    let waits = house.witnessing();
    assert_eq!((waits.asked, waits.named, waits.covered, waits.waiting), (2, 2, 0, 2));
    assert!(waits.since.is_some());
    // One is not two, nor are two of different checkpoints.
    cosign(&place, &mut house, &[1]);
    assert_eq!(out(&mut house), set(&[]));
    release(&mut house, 2);
    cosign(&place, &mut house, &[2]);
    assert_eq!(out(&mut house), set(&[]));
    cosign(&place, &mut house, &[1, 2]);
    assert_eq!(out(&mut house), set(&NAMES));
    let waits = house.witnessing();
    assert_eq!((waits.waiting, waits.since, waits.covered), (0, None, waits.records));
    assert_eq!(waits.each.len(), 2);
    // What ends is gone at once, with nobody to cosign it.
    let lift = Command::Lift { item: item(1), collateral: None, grounds: grounds() };
    does(&mut house, &[ask(&league(), lift)]);
    assert_eq!(out(&mut house), set(&[NAMES[0], NAMES[2]]));
    let vera = actor("vera", "authority", Role::Authority);
    let stop = Command::Stop { scope: Scope::All, halt: Halt::Lifts, grounds: grounds() };
    does(&mut house, &[ask(&vera, stop)]);
    house.publish();
    assert!(house.feed().unwrap().history().current().gates().is_shut());
    house.close().unwrap();
    // Who only reads is told the same.
    let read = witnessing(&place.home, &place.case).unwrap();
    assert_eq!((read.asked, read.named, read.waiting), (2, 2, 0));
    assert_eq!(crate::verify(&place.case, &place.home, None, &|_| {}).unwrap().findings, []);
}

#[test]
fn files_carry_their_witnesses_and_a_restart_takes_nothing_away() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let folder = dir.path().join("feed");
    let mut house = house(&place, 2);
    let authority = house.case().authority().to_owned();
    let key = || feed_key(&place.home, &authority).unwrap();
    let mut publisher = Publisher::new(&folder, key()).unwrap();
    release(&mut house, 0);
    cosign(&place, &mut house, &[1, 2]);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    for quorum in 0..=2 {
        assert_eq!(taken(&place.home, &folder, quorum), Ok(set(&NAMES[..1])), "{quorum}");
    }
    // A delta with what waits in it is a delta without.
    release(&mut house, 1);
    house.show().unwrap();
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    publisher.beat(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 2), Ok(set(&NAMES[..1])));
    house.close().unwrap();

    // A new session states all under one record, which nobody has cosigned: what was out stays, by what was.
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    house.show().unwrap();
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    assert_eq!(house.witnessing().waiting, 1);
    let mut publisher = Publisher::new(&folder, key()).unwrap();
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 2), Ok(set(&NAMES[..1])));
    cosign(&place, &mut house, &[2, 1]);
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 2), Ok(set(&NAMES[..2])));
    house.close().unwrap();
}

#[test]
fn a_figure_that_is_raised_takes_nothing_away_and_one_beyond_those_named_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let folder = dir.path().join("feed");
    let mut house = house(&place, 0);
    let authority = house.case().authority().to_owned();
    let key = feed_key(&place.home, &authority).unwrap();
    let mut publisher = Publisher::new(&folder, key).unwrap();
    let figure = |house: &mut House, n| {
        house.figure(&Person::new("vera").unwrap(), "witnesses", n, &grounds())
    };
    release(&mut house, 0);
    assert_eq!(out(&mut house), set(&NAMES[..1]), "0: nobody is waited for");
    let error = figure(&mut house, 3).unwrap_err().to_string();
    assert!(error.contains("the 2 that are named"), "{error}");
    figure(&mut house, 1).unwrap();
    release(&mut house, 1);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    house.show().unwrap();
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    // Proven to who asks for nobody; who asks for one has it as soon as one cosigned.
    assert_eq!(taken(&place.home, &folder, 0), Ok(set(&NAMES[..1])));
    assert!(taken(&place.home, &folder, 1).is_err());
    cosign(&place, &mut house, &[2]);
    publisher.beat(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 1), Ok(set(&NAMES[..1])));
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    // Whoever is asked for no longer is not waited for.
    release(&mut house, 2);
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    figure(&mut house, 0).unwrap();
    assert_eq!(out(&mut house), set(&NAMES));
    house.close().unwrap();
}

/// What is out goes on, is said to stand under fewer, and is handed out under all of them once they have cosigned it.
#[test]
fn a_figure_that_is_raised_has_what_is_out_proven_anew_once_so_many_cosigned_it() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let folder = dir.path().join("feed");
    let mut house = house(&place, 1);
    let authority = house.case().authority().to_owned();
    let key = feed_key(&place.home, &authority).unwrap();
    let mut publisher = Publisher::new(&folder, key).unwrap();
    release(&mut house, 0);
    cosign(&place, &mut house, &[1]);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 1), Ok(set(&NAMES[..1])));
    assert_eq!((house.witnessing().fewer, house.witnessing().blocks), (0, 1));
    house.figure(&Person::new("vera").unwrap(), "witnesses", 2, &grounds()).unwrap();
    let fewer = |house: &House| (house.witnessing().fewer, house.witnessing().blocks);
    assert_eq!(fewer(&house), (1, 1));
    // What is decided from now on waits, and stands under none.
    release(&mut house, 1);
    assert_eq!(fewer(&house), (1, 2));
    publisher.beat(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 1), Ok(set(&NAMES[..1])));
    assert!(taken(&place.home, &folder, 2).is_err());
    cosign(&place, &mut house, &[1, 2]);
    assert_eq!(fewer(&house), (0, 2));
    publisher.beat(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(taken(&place.home, &folder, 2), Ok(set(&NAMES[..1])));
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    house.close().unwrap();
    assert_eq!(witnessing(&place.home, &place.case).unwrap().fewer, 0);
}

#[test]
fn what_was_out_under_a_lower_figure_stays_out_though_nobody_cosigns() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut house = house(&place, 0);
    let figure = |house: &mut House, n| {
        house.figure(&Person::new("vera").unwrap(), "witnesses", n, &grounds()).unwrap();
    };
    release(&mut house, 0);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    figure(&mut house, 2);
    release(&mut house, 1);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    house.close().unwrap();
    // The new session decides all of it anew, which waits; what was out before stays by what was decided then.
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    // One that is asked for in the place of two releases what waited for two, and nothing else does.
    cosign(&place, &mut house, &[1]);
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    release(&mut house, 2);
    figure(&mut house, 1);
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    house.close().unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    house.close().unwrap();
}

#[test]
fn what_is_kept_ends_where_the_witnesses_have_come() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut house = house(&place, 2);
    let (keys, signer) = (house.case().keys().unwrap().clone(), house.case().signer().unwrap());
    let keep =
        |house: &House| kept::keep(&place.case, &keys, &signer, &house.covered, None).unwrap();
    house.show().unwrap();
    let asked_from = keep(&house);
    assert!(asked_from < Some(house.case().len()), "nobody has cosigned anything");
    assert_eq!(keep(&house), None);
    release(&mut house, 0);
    cosign(&place, &mut house, &[1, 2]);
    let covered = house.witnessing().covered;
    release(&mut house, 1);
    house.show().unwrap();
    assert_eq!(keep(&house), Some(covered));
    assert_eq!(keep(&house), None, "no more is cosigned");
    house.close().unwrap();
    let (read, started) = House::read(&place.case, Some(&place.home)).unwrap();
    assert_eq!((started.kept, started.refused), (covered, None));
    assert_eq!(House::read_whole(&place.case).unwrap().state, read.state);
    // Nobody knows then who the witnesses are.
    let (_, started) = House::read(&place.case, None).unwrap();
    assert!(started.kept == 0 && started.refused.unwrap().contains("witnesses"));
    let mut house = House::open(&place).unwrap();
    let started = house.started().clone();
    assert_eq!((started.kept, started.refused), (covered, None));
    assert!(started.applied > 0);
    house.begin().unwrap();
    assert_eq!(out(&mut house), set(&NAMES[..1]));
    cosign(&place, &mut house, &[2, 1]);
    assert_eq!(out(&mut house), set(&NAMES[..2]));
    assert!(keep(&house) > Some(covered));
    house.close().unwrap();
    assert_eq!(crate::verify(&place.case, &place.home, None, &|_| {}).unwrap().findings, []);
    // Witnesses that are taken away cover nothing any more: the whole log is applied, and what they covered waits.
    ledger::disk::remove_dir_all(&place.case.join("ledger/witnessed")).unwrap();
    let mut house = House::open(&place).unwrap();
    let started = house.started().clone();
    assert_eq!(started.kept, 0);
    assert!(started.refused.unwrap().contains("witnesses"));
    house.begin().unwrap();
    assert_eq!(out(&mut house), set(&[]));
    house.close().unwrap();
}

#[test]
fn what_others_signed_counts_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let mut house = house(&place, 1);
    release(&mut house, 0);
    house.show().unwrap();
    let text = house.case().log().published().unwrap().to_owned();
    let ledger = place.case.join("ledger");
    let sign = |note: &mut Note, by: &CosignerKey| {
        let cosigned = by.cosign(&note.text, 1_700_000_000);
        note.signatures.push(cosigned);
    };
    let mut read = |what: &str, note: &Note| {
        ledger::keep_witnessed(&ledger, note).unwrap();
        house.witnessed(Cosigned::read(&place.home, house.case()).unwrap());
        assert_eq!(out(&mut house), set(&[]), "{what}");
        ledger::disk::remove_dir_all(&ledger.join("witnessed")).unwrap();
    };
    // By a witness that nobody named; by a key of its name; by one whose signature is of another text.
    let mut note = Note::parse(&text).unwrap();
    sign(&mut note, &cosigner(9));
    read("another witness", &note);
    let mut note = Note::parse(&text).unwrap();
    sign(&mut note, &CosignerKey::new("w1.example", &[7; 32]).unwrap());
    read("another key", &note);
    let mut note = Note::parse(&text).unwrap();
    let mut other = note.clone();
    other.text = other.text.replacen("\n", "x\n", 1);
    let signature = cosigner(1).cosign(&other.text, 1_700_000_000);
    note.signatures.push(signature);
    read("another text", &note);
    // Named, and not signed by the log.
    let mut note = Note::parse(&text).unwrap();
    note.signatures.clear();
    sign(&mut note, &cosigner(1));
    read("not the log's", &note);
    house.close().unwrap();
}
