pub(super) mod replaced;

use std::path::Path;

use ledger::disk::faults::{Last, crash_after, heal};
use ledger::{Keys, SigningKey};
use model::Sha256Hex;
use model::record::{
    AuthorisationEnded, AuthorisationGranted, Body, CaptureMade, CaptureRefused, time_text,
};
use shield::order::words::Grounds;
use shield::order::{Command, Moment, Role};

use super::file::digests;
use super::{Covered, load, path, standing};
use crate::capture::Book;
use crate::clearing::House;
use crate::clearing::check::check;
use crate::clearing::replay::Standing;
use crate::clearing::tests::{actor, ask, does, item, league, place, released, reported};
use crate::desk::Place;
use crate::verify::Report;
use vault::Case;

const NAMES: [&str; 4] =
    ["a.stream.example", "b.stream.example", "198.51.100.7", "https://c.stream.example/live.m3u8"];

pub(super) fn keep(
    dir: &Path,
    keys: &Keys,
    signer: &SigningKey,
    covered: &Covered,
) -> crate::Result<Option<u64>> {
    super::keep(dir, keys, signer, covered, None)
}

fn write(
    dir: &Path,
    standing: &Standing,
    at: &ledger::Checkpoint,
    signer: &SigningKey,
) -> crate::Result<()> {
    super::file::write(dir, standing, at, signer, None)
}

/// A house with a ticket, one item of it in force, closed.
pub(super) fn house(place: &Place) -> (Keys, SigningKey) {
    House::create(place).unwrap();
    let mut house = House::open(place).unwrap();
    house.begin().unwrap();
    does(&mut house, &reported(&NAMES));
    let asks = released(&house, item(0));
    does(&mut house, &asks);
    does(&mut house, &excepted());
    sealed(&mut house, b"what a probe saw");
    let keys = (house.case().keys().unwrap().clone(), house.case().signer().unwrap());
    house.close().unwrap();
    keys
}

/// An exception that holds, one that waits, one that was taken back.
fn excepted() -> Vec<crate::clearing::Ask> {
    let isp = actor("ivo", "isp", Role::Isp);
    let grounds = || Grounds::new("their own service").unwrap();
    let propose = |cover: &str| {
        let (cover, until) = (cover.parse().unwrap(), None);
        ask(&isp, Command::ProposeException { cover, until, grounds: grounds() })
    };
    let cover = |text: &str| text.parse().unwrap();
    let vera = actor("vera", "authority", Role::Authority);
    vec![
        propose("*.shop.example"),
        propose("203.0.113.0/24"),
        propose("bank.example"),
        ask(&vera, Command::ApproveException { cover: cover("*.shop.example") }),
        ask(&isp, Command::RevokeException { cover: cover("bank.example"), grounds: grounds() }),
    ]
}

pub(super) fn sealed(house: &mut House, bytes: &[u8]) {
    let sealed = house.record(|case, stamp| {
        let staged = case.stager().reader(&mut &*bytes)?;
        let mut batch = case.batch();
        batch.seal(staged, &vault::Origin::default())?;
        Ok(batch.commit(stamp).map(drop)?)
    });
    sealed.unwrap();
}

pub(super) fn goes_on(place: &Place, n: u16) {
    let mut house = House::open(place).unwrap();
    house.begin().unwrap();
    let asks = released(&house, item(n));
    does(&mut house, &asks);
    sealed(&mut house, &n.to_be_bytes());
    house.close().unwrap();
}

/// What all of the log comes to.
fn all(place: &Place) -> Standing {
    House::read_whole(&place.case).unwrap()
}

fn same(one: &Standing, other: &Standing) {
    assert_eq!(one.state, other.state);
    assert_eq!((&one.tally, &one.blocks, &one.trail), (&other.tally, &other.blocks, &other.trail));
    assert_eq!(one.excepted, other.excepted);
    assert_eq!((one.excepted.standing.len(), one.excepted.revoked.len()), (2, 1));
    assert_eq!(digests(one).unwrap(), digests(other).unwrap());
}

/// Opens the house, and gives how it came to know what it knows; whatever that was, it is what the log says.
fn opened(place: &Place) -> super::Started {
    let house = House::open(place).unwrap();
    same(&house.standing, &all(place));
    let read = Case::read(&place.case).unwrap();
    assert!(!read.exhibits().is_empty());
    for exhibit in read.exhibits() {
        assert_eq!(house.case().exhibit(&exhibit.id).unwrap().as_deref(), Some(exhibit));
    }
    assert_eq!(house.case().exhibit(&model::ExhibitId([7; 32])).unwrap(), None);
    let started = house.started().clone();
    house.close().unwrap();
    started
}

/// What a start finds, without one.
fn found(place: &Place, keys: &Keys) -> (Standing, super::Started) {
    let case = Case::read(&place.case).unwrap();
    standing(&case, load(&place.case, case.log(), keys), Vec::new()).unwrap()
}

fn findings(place: &Place) -> (Vec<String>, Vec<String>) {
    let mut report = Report::default();
    assert!(check(&Case::read(&place.case).unwrap(), &mut report));
    let said = |finding: &vault::Finding| format!("{}: {}", finding.place, finding.message);
    (report.findings.iter().map(said).collect(), report.notes)
}

#[test]
fn a_start_from_what_is_kept_comes_to_what_the_log_does() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let started = opened(&place);
    assert_eq!((started.kept, started.refused), (0, None));
    let records = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    assert_eq!(
        keep(&place.case, &keys, &signer, &Covered::default()).unwrap(),
        None,
        "nothing came since"
    );
    let started = opened(&place);
    assert_eq!((started.kept, started.applied, started.refused), (records, 0, None));
    for n in [1, 3] {
        goes_on(&place, n);
        let started = opened(&place);
        assert!(started.kept > 0 && started.applied > 0 && started.refused.is_none());
        assert_eq!(findings(&place), (vec![], vec![]));
        // Kept again: of what was kept and what came since.
        let more = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
        assert_eq!(opened(&place).kept, more);
        assert_eq!(findings(&place), (vec![], vec![]));
    }
    same(&found(&place, &keys).0, &all(&place));
}

#[test]
fn what_is_odd_is_said_and_all_of_the_log_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let file = path(&place.case);
    let good = std::fs::read(&file).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        ledger::disk::write(&file, bytes).unwrap();
        let read = found(&place, &keys);
        let (read, started) = read;
        assert_eq!(started.kept, 0, "{what}");
        assert!(started.refused.is_some(), "{what}");
        same(&read, &all(&place));
        let (findings, notes) = findings(&place);
        assert!(findings.is_empty(), "{what}: {findings:?}");
        notes
    };
    for len in (0..good.len()).step_by(97).chain([good.len() - 1]) {
        refused(&good[..len], &format!("cut at {len}"));
    }
    for at in (0..good.len()).step_by(53) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        refused(&bytes, &format!("byte {at}"));
    }
    let stranger = SigningKey::new(signer.name(), &[9; 32]).unwrap();
    let now = keys.open(Case::read(&place.case).unwrap().checkpoint().unwrap()).unwrap();
    write(&place.case, &all(&place), &now, &stranger).unwrap();
    let theirs = std::fs::read(&file).unwrap();
    let notes = refused(&theirs, "another's key");
    assert!(notes[0].contains("did not sign it"), "{notes:?}");
    // Ours, of records that this log does not have.
    let mut other = now.clone();
    other.root[0] ^= 1;
    write(&place.case, &all(&place), &other, &signer).unwrap();
    let notes = refused(&std::fs::read(&file).unwrap(), "another root");
    assert!(notes[0].contains("other records"), "{notes:?}");
    for records in [now.size - 1, now.size + 1, 0] {
        let other = ledger::Checkpoint { size: records, ..now.clone() };
        write(&place.case, &all(&place), &other, &signer).unwrap();
        refused(&std::fs::read(&file).unwrap(), "another size");
    }
    // A checkpoint is no head, and a head no checkpoint.
    let note = signer.sign(now.size, &now.root);
    let bytes = [note.as_bytes(), &(note.len() as u32).to_le_bytes()].concat();
    refused(&bytes, "a checkpoint");
    ledger::disk::write(&file, &good).unwrap();
    assert_eq!(opened(&place).kept, now.size);
}

#[test]
fn what_was_signed_and_is_not_what_the_log_says_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let now = keys.open(Case::read(&place.case).unwrap().checkpoint().unwrap()).unwrap();
    type Change = fn(&mut Standing);
    let changes: [Change; 4] = [
        |standing| standing.policy.capture_age_ms += 1,
        |standing| standing.last = Some(Moment(7)),
        |standing| standing.blocks = Default::default(),
        |standing| standing.state = Default::default(),
    ];
    for change in changes {
        let mut other = all(&place);
        change(&mut other);
        write(&place.case, &other, &now, &signer).unwrap();
        let (findings, _) = findings(&place);
        assert!(findings.len() == 1 && findings[0].contains("kept/state"), "{findings:?}");
    }
    // Once the log went on, it is found at the record that it speaks of.
    ledger::disk::remove(&path(&place.case)).unwrap();
    goes_on(&place, 1);
    let mut other = all(&place);
    other.epoch += 1;
    write(&place.case, &other, &now, &signer).unwrap();
    assert_eq!(findings(&place).0.len(), 1);
}

#[test]
fn a_crash_at_any_step_leaves_what_was_kept_or_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let before = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let old = std::fs::read(path(&place.case)).unwrap();
    let exhibits = (table(&place), std::fs::read(table(&place)).unwrap());
    goes_on(&place, 1);
    let after = Case::read(&place.case).unwrap().len();
    let mut steps = 0;
    for last in [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::Full] {
        for n in 0.. {
            ledger::disk::write(&exhibits.0, &exhibits.1).unwrap();
            ledger::disk::write(&path(&place.case), &old).unwrap();
            crash_after(n, last);
            let kept = keep(&place.case, &keys, &signer, &Covered::default());
            if !heal() {
                assert_eq!(kept.unwrap(), Some(after));
                steps = steps.max(n);
                break;
            }
            let read = found(&place, &keys);
            assert!([before, after].contains(&read.1.kept), "{n} {last:?}: {:?}", read.1);
            same(&read.0, &all(&place));
            assert_eq!(findings(&place), (vec![], vec![]), "{n} {last:?}");
        }
    }
    assert!(steps >= 8, "only {steps} steps were tried");
    // What crashes left half written is gone with the next that goes well.
    let left = std::fs::read_dir(place.case.join("kept")).unwrap().count();
    assert_eq!(left, 2, "the state, and the table of exhibits that it names");
}

#[test]
fn what_is_destroyed_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    super::destroy(&place.case).unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    // With what a crash left half written.
    let half = place.case.join("kept/.unfinished-1-0");
    ledger::disk::write(&half, b"who reported what").unwrap();
    super::destroy(&place.case).unwrap();
    assert!(!half.exists());
    let started = opened(&place);
    assert_eq!((started.kept, started.refused), (0, None));
    assert!(keep(&place.case, &keys, &signer, &Covered::default()).unwrap().is_some());
}

#[test]
fn what_was_kept_before_an_erasure_is_destroyed() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let home = vault::Home::new(&place.home);
    let mut case = Case::open(&place.case, &home, "test", vault::Wait::Fail, 0).unwrap();
    let what = vault::erase::What::Exhibit(case.exhibits()[0].id);
    let plan = case.plan_erasure(&what, &|_| {}).unwrap();
    let stamp = vault::Stamp { actor: "Ana".to_owned(), now_ms: crate::desk::now_ms() };
    case.erase(&plan, ("law", "request 7"), &|_| Vec::new(), &stamp).unwrap();
    case.finish().unwrap();
    assert!(path(&place.case).exists());
    // Nor does one stay that cannot be read: nobody can tell what it is made of.
    let files = || {
        let entries = std::fs::read_dir(place.case.join("kept")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let old: Vec<_> = files().into_iter().map(|p| (std::fs::read(&p).unwrap(), p)).collect();
    assert_eq!(old.len(), 2, "the state, and the table of exhibits");
    let state = std::fs::read(path(&place.case)).unwrap();
    ledger::disk::write(&path(&place.case), &state[..state.len() - 1]).unwrap();
    House::open(&place).unwrap().close().unwrap();
    assert_eq!(files(), [] as [std::path::PathBuf; 0]);
    for (bytes, path) in &old {
        ledger::disk::write(path, bytes).unwrap();
    }
    let house = House::open(&place).unwrap();
    let refused = house.started().refused.clone();
    assert!(refused.is_some_and(|why| why.contains("erased")));
    assert_eq!(files(), [] as [std::path::PathBuf; 0]);
    house.close().unwrap();
    // What is made of the rest counts, and the order is not forgotten by who starts from it.
    let records = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let house = House::open(&place).unwrap();
    assert_eq!((house.started().kept, house.case().orders().len()), (records, 1));
    assert_eq!(house.case().exhibits(), Case::read(&place.case).unwrap().exhibits());
    house.close().unwrap();
}

/// What a reader finds with the authority's home and without it, which is what the log says, and that nothing
/// is written for it.
fn read(place: &Place) -> [super::Started; 2] {
    let files = || {
        let mut all: Vec<_> = std::fs::read_dir(place.case.join("kept"))
            .into_iter()
            .flatten()
            .map(|entry| {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                (path, bytes)
            })
            .collect();
        all.sort();
        all
    };
    let before = files();
    let found = [Some(place.home.as_path()), None].map(|home| {
        let (standing, started) = House::read(&place.case, home).unwrap();
        same(&standing, &all(place));
        started
    });
    assert_eq!(files(), before);
    found
}

#[test]
fn who_reads_begins_from_what_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let whole = Case::read(&place.case).unwrap().len();
    for started in read(&place) {
        assert_eq!((started.kept, started.applied, started.refused), (0, whole, None));
    }
    let records = keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    for started in read(&place) {
        assert_eq!((started.kept, started.applied, started.refused), (records, 0, None));
    }
    // While a house runs, and has not published all of it.
    let mut running = House::open(&place).unwrap();
    running.begin().unwrap();
    let asks = released(&running, item(1));
    does(&mut running, &asks);
    for started in read(&place) {
        assert_eq!((started.kept, started.refused), (records, None));
        assert!(started.applied > 0);
    }
    running.close().unwrap();
}

#[test]
fn who_reads_believes_no_other_file_than_a_start_does() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let good = std::fs::read(path(&place.case)).unwrap();
    let now = keys.open(Case::read(&place.case).unwrap().checkpoint().unwrap()).unwrap();
    let refused = |what: &str, word: &str| {
        for started in read(&place) {
            let why = started.refused.unwrap_or_default();
            assert!(started.kept == 0 && why.contains(word), "{what}: {why}");
        }
    };
    let mut other = now.clone();
    other.root[0] ^= 1;
    write(&place.case, &all(&place), &other, &signer).unwrap();
    refused("another root", "other records");
    let stranger = SigningKey::new(signer.name(), &[9; 32]).unwrap();
    let mut forged = all(&place);
    forged.state = Default::default();
    forged.blocks = Default::default();
    write(&place.case, &forged, &now, &stranger).unwrap();
    refused("a stranger's", "did not sign it");
    for at in (0..good.len()).step_by(211) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        ledger::disk::write(&path(&place.case), &bytes).unwrap();
        refused("another byte", "");
    }
    // Nor does it help a stranger to be named in the log's first record: another stands in the tree.
    write(&place.case, &forged, &now, &stranger).unwrap();
    let bundle = std::fs::read_dir(place.case.join("ledger/tile/entries/000.p")).unwrap();
    let bundle = bundle.map(|entry| entry.unwrap().path()).max().unwrap();
    let bytes = std::fs::read(&bundle).unwrap();
    let (ours, theirs) = (signer.verifier().text(), stranger.verifier().text());
    let at = bytes.windows(ours.len()).position(|part| part == ours.as_bytes()).unwrap();
    let changed = [&bytes[..at], theirs.as_bytes(), &bytes[at + ours.len()..]].concat();
    ledger::disk::write(&bundle, &changed).unwrap();
    let log = ledger::Reader::open(&place.case.join("ledger")).unwrap();
    let kept = super::reading::keys(&log, None);
    assert!(kept.unwrap_err().contains("first record"));
    ledger::disk::write(&bundle, &bytes).unwrap();
    ledger::disk::write(&path(&place.case), &good).unwrap();
    assert!(read(&place).iter().all(|started| started.kept == now.size));
}

/// The one table of exhibits that is there.
fn table(place: &Place) -> std::path::PathBuf {
    let there = super::file::exhibits_there(&place.case);
    assert_eq!(there.len(), 1);
    there.into_iter().next().unwrap()
}

#[test]
fn a_table_of_exhibits_that_is_wrong_is_never_believed() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let file = table(&place);
    let good = std::fs::read(&file).unwrap();
    assert!(opened(&place).refused.is_none());
    let rebuilt = |what: &str| {
        let mut house = House::open(&place).unwrap();
        house.begin().unwrap();
        let asks = released(&house, item(1));
        does(&mut house, &asks);
        house.close().unwrap();
        keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
        let started = opened(&place);
        assert!(started.kept > 0 && started.refused.is_none(), "{what}");
        assert_eq!(findings(&place), (vec![], vec![]), "{what}");
    };
    // Missing, cut, longer, or with another end: a start says so, and takes the whole log.
    ledger::disk::remove(&file).unwrap();
    let started = opened(&place);
    assert!(started.kept == 0 && started.refused.is_some());
    assert_eq!(findings(&place).1.len(), 1);
    for bytes in [&good[..good.len() - 1], &[&good[..], &[0]].concat(), &[]] {
        ledger::disk::write(&file, bytes).unwrap();
        assert!(opened(&place).refused.is_some());
    }
    for at in good.len() - 64..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        ledger::disk::write(&file, &bytes).unwrap();
        assert!(opened(&place).refused.is_some(), "{at}");
    }
    // A page that was changed is found by who looks something up in it, and by who keeps or verifies.
    let mut bytes = good.clone();
    bytes[39] ^= 1;
    ledger::disk::write(&file, &bytes).unwrap();
    let sealed = Case::read(&place.case).unwrap().exhibits()[0].id;
    let mut house = House::open(&place).unwrap();
    assert!(house.started().kept > 0);
    assert!(house.case().bytes(&sealed).unwrap_err().to_string().contains("read"));
    let again = house.record(|case, stamp| {
        let staged = case.stager().reader(&mut &b"what a probe saw"[..])?;
        let mut batch = case.batch();
        batch.seal(staged, &vault::Origin::default())?;
        Ok(batch.commit(stamp).map(drop)?)
    });
    assert!(again.is_err(), "nobody knows whether it is there");
    drop(house);
    assert!(findings(&place).1[0].contains("changed"));
    rebuilt("a page");
}

#[test]
fn what_was_sealed_before_what_is_kept_is_not_sealed_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let known = Case::read(&place.case).unwrap().exhibits()[0].clone();
    let mut house = House::open(&place).unwrap();
    assert!(house.started().kept > 0 && house.case().exhibits().is_empty());
    let before = house.case().len();
    // From the same source: nothing to record. From another: that it came from there as well.
    sealed(&mut house, b"what a probe saw");
    assert_eq!(house.case().len(), before);
    let other = vault::Origin { item: Some("another".to_owned()), ..vault::Origin::default() };
    for records in [1, 1] {
        let added = house.record(|case, stamp| {
            let staged = case.stager().reader(&mut &b"what a probe saw"[..])?;
            let mut batch = case.batch();
            let added = batch.seal(staged, &other)?;
            batch.commit(stamp)?;
            Ok(added)
        });
        added.unwrap();
        assert_eq!(house.case().len(), before + records);
    }
    assert_eq!(house.case().exhibit(&known.id).unwrap().as_deref(), Some(&known));
    let bytes = house.case().bytes(&known.id).unwrap();
    assert_eq!(bytes.range(0, bytes.size()).unwrap(), b"what a probe saw");
    house.close().unwrap();
    // Kept again, what was received stands there with it.
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let mut house = House::open(&place).unwrap();
    let before = house.case().len();
    house
        .record(|case, stamp| {
            let staged = case.stager().reader(&mut &b"what a probe saw"[..])?;
            let mut batch = case.batch();
            batch.seal(staged, &other)?;
            Ok(batch.commit(stamp).map(drop)?)
        })
        .unwrap();
    assert_eq!(house.case().len(), before);
    house.close().unwrap();
}

#[allow(clippy::disallowed_methods)] // keys keep their modes
fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&path, &to);
        } else if path.is_file() {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// A commit that is cut off at any step after a start from what is kept leaves all of it or nothing, and never takes
/// an exhibit that the log names, though no record of it was read.
#[test]
fn a_crash_after_a_start_from_what_is_kept_costs_no_exhibit() {
    let begun = tempfile::tempdir().unwrap();
    let (keys, signer) = house(&place(begun.path()));
    let case = place(begun.path()).case;
    keep(&case, &keys, &signer, &Covered::default()).unwrap();
    let known = Case::read(&case).unwrap().exhibits().to_vec();
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for n in 0.. {
            let dir = tempfile::tempdir().unwrap();
            copy(begun.path(), dir.path());
            let place = place(dir.path());
            let mut house = House::open(&place).unwrap();
            assert!(house.started().kept > 0);
            let other = vault::Origin { item: Some("x".to_owned()), ..vault::Origin::default() };
            crash_after(n, last);
            let _ = house.record(|case, stamp| {
                let mut batch_of = Vec::new();
                for bytes in [&b"what a probe saw"[..], b"something new"] {
                    batch_of.push(case.stager().reader(&mut &*bytes)?);
                }
                let mut batch = case.batch();
                for staged in batch_of {
                    batch.seal(staged, &other)?;
                }
                Ok(batch.commit(stamp).map(drop)?)
            });
            drop(house);
            let crashed = heal();
            let started = opened(&place);
            assert!(started.kept > 0 && started.refused.is_none(), "{n} {last:?}");
            let now = Case::read(&place.case).unwrap();
            for exhibit in &known {
                let bytes = now.bytes(&exhibit.id).unwrap();
                assert_eq!(bytes.range(0, bytes.size()).unwrap().len() as u64, exhibit.size);
            }
            let left = std::fs::read_dir(place.case.join("vault/exhibits")).unwrap();
            let folders = left.map(|entry| entry.unwrap().path().is_dir());
            assert!(folders.into_iter().all(|is| is), "{n} {last:?}: something half written stays");
            if !crashed {
                let found = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
                assert_eq!(found.findings, [], "{last:?}");
                break;
            }
        }
    }
}

#[test]
fn a_log_that_was_cut_is_found_though_no_folder_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap();
    let size = Case::read(&place.case).unwrap().len();
    let openings = place.case.join("vault/openings");
    let lay = |first: u64| {
        let path = openings.join(format!("{first:012}.jsonl"));
        let bytes = std::fs::read(openings.join("000000000000.jsonl")).unwrap();
        ledger::disk::write(&path, &bytes).unwrap();
        path
    };
    for ahead in [1, 7, 1_000] {
        let path = lay(size + ahead);
        let error = House::open(&place).unwrap_err().to_string();
        assert!(error.contains("opens records from"), "{ahead}: {error}");
        ledger::disk::remove(&path).unwrap();
    }
    // Of the one commit that can have been under way nothing stays.
    let path = lay(size);
    assert!(opened(&place).kept > 0);
    assert!(!path.exists());
}

/// Seals what a probe saw, and says so.
fn saw(house: &mut House, granted: u64, asked: &str, bytes: &str) -> model::ExhibitId {
    let time = time_text(crate::desk::now_ms());
    let sealed = house.record(|case, stamp| {
        let staged = case.stager().reader(&mut bytes.as_bytes())?;
        let exhibit = staged.id();
        let body = CaptureMade {
            granted,
            started: time.clone(),
            ended: time.clone(),
            item: asked.to_owned(),
            exhibit,
            outcome: "media".to_owned(),
            addresses: Vec::new(),
            chains: Vec::new(),
            requests: 1,
            media_bytes: 1,
            content: Sha256Hex::of(bytes.as_bytes()),
            signature: String::new(),
        };
        let mut batch = case.batch();
        batch.seal(staged, &vault::Origin::default())?;
        batch.record(body);
        batch.commit(stamp)?;
        Ok(exhibit)
    });
    sealed.unwrap()
}

/// The same of an item, on which it is decided.
fn captured(house: &mut House, n: u16, granted: u64, asked: &str) -> model::ExhibitId {
    let exhibit = saw(house, granted, asked, asked);
    let mut asks = released(house, item(n));
    asks.truncate(1);
    if let Command::Capture { capture, .. } = &mut asks[0].command {
        capture.exhibit = exhibit;
    }
    does(house, &asks);
    exhibit
}

#[test]
fn who_starts_from_what_is_kept_knows_authorisations_and_last_captures() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    let grant = |n: u64| AuthorisationGranted {
        from: time_text(0),
        until: time_text(4_000_000_000_000),
        probe: "a probe".to_owned(),
        basis: format!("order {n}"),
        hosts: vec!["*.stream.example:*".to_owned()],
        methods: vec!["capture-page".to_owned()],
        rate: 60,
        most_bytes: 1 << 20,
        signer: "Judge Roe".to_owned(),
    };
    let noted = |house: &mut House, body: Body| {
        let range = house.record(|case, stamp| {
            let mut batch = case.batch();
            batch.record(body);
            Ok(batch.commit(stamp)?)
        });
        range.unwrap().start
    };
    let granted = noted(&mut house, grant(1).into());
    captured(&mut house, 1, granted, "b.stream.example");
    // One that changed nothing: no decision tells of it.
    let exhibit = saw(&mut house, granted, "b.stream.example", "another page");
    let gone = captured(&mut house, 2, granted, "198.51.100.7");
    assert_eq!(house.last_capture("198.51.100.7").unwrap().exhibit, gone);
    let grounds = shield::order::words::Grounds::new("no stream").unwrap();
    does(&mut house, &[ask(&league(), Command::Refuse { item: item(2), grounds })]);
    let hour = time_text(3_600_000);
    let refused = CaptureRefused { granted, hour, refusal: "host".to_owned(), refused: 3 };
    noted(&mut house, refused.into());
    house.close().unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();

    let mut house = House::open(&place).unwrap();
    assert_eq!((house.started().applied, house.started().refused.clone()), (0, None));
    let mut book = house.book();
    // A few of what there was at a look, too.
    assert!(book.granted.is_empty());
    assert!(book.follow_some(house.case(), 1).unwrap(), "all in one look");
    while book.follow_some(house.case(), 1).unwrap() {}
    let whole = |house: &House| Book::of(house.case()).unwrap().granted;
    assert_eq!(book.granted[&granted].body, whole(&house)[&granted].body);
    assert_eq!(book.granted[&granted].refused, 3);
    assert!(book.captured.is_empty() && !book.follow_some(house.case(), 1).unwrap());
    let last = house.last_capture("b.stream.example").unwrap();
    assert_eq!((last.exhibit, last.content), (exhibit, Sha256Hex::of(b"another page")));
    assert_eq!(house.case().exhibit(&exhibit).unwrap().unwrap().record + 1, last.record);
    assert_eq!(house.last_capture("another.example"), None);
    assert_eq!(house.last_capture("198.51.100.7"), None, "nobody asks for it any more");
    // What comes after is followed a few records at a time.
    let second = noted(&mut house, grant(2).into());
    let ended = AuthorisationEnded { granted, reason: "closed".to_owned() };
    noted(&mut house, ended.into());
    captured(&mut house, 3, second, "https://c.stream.example/live.m3u8");
    let mut looks = 1;
    while book.follow_some(house.case(), 2).unwrap() {
        looks += 1;
    }
    assert!(looks > 2);
    let all = whole(&house);
    assert_eq!(book.granted.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
    assert!(book.granted[&granted].ended.is_some() && book.granted[&second].ended.is_none());
    let asked = "https://c.stream.example/live.m3u8";
    assert!(book.last(asked).is_none(), "the house knows");
    let last = house.last_capture(asked).unwrap();
    assert_eq!(last.content, Sha256Hex::of(asked.as_bytes()));
    house.close().unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    assert_eq!(findings(&place), (vec![], vec![]));
    let house = House::open(&place).unwrap();
    assert_eq!(house.last_capture(asked), Some(last));
    house.close().unwrap();
}
