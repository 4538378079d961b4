mod exhibits;
mod known;
mod reading;
pub(super) mod replaced;

use std::path::Path;

use ledger::disk::faults::{Last, crash_after, heal};
use ledger::{Keys, SigningKey};
use shield::order::words::Grounds;
use shield::order::{Command, Moment, Role};

use super::file::digests;
use super::{Covered, load, path, standing};
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

/// The one table of exhibits that is there.
fn table(place: &Place) -> std::path::PathBuf {
    let there = super::file::exhibits_there(&place.case);
    assert_eq!(there.len(), 1);
    there.into_iter().next().unwrap()
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
