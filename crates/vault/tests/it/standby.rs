//! A copy that grows with its case: parcel by parcel, whatever crashes, and another goes on from it.

use std::path::Path;

use ledger::disk::faults::{Last, crash_after, heal};
use model::record::Name;
use vault::{Case, Error, Home, Origin, Parcel, Result, Standby, Wait, verify};

use crate::life::stamp;

/// A clearing house's folder with three commits after its birth, exhibits in two.
fn made(dir: &Path) -> Case {
    let home = Home::new(&dir.join("home"));
    let mut case =
        Case::create_shield(&dir.join("shield"), &home, &stamp(), "test", Wait::Fail).unwrap();
    add(&mut case, &[b"one", b"two"]);
    add(&mut case, &[&[3; 300_000]]);
    add(&mut case, &[b"four"]);
    case
}

fn add(case: &mut Case, all: &[&[u8]]) {
    let (stager, size) = (case.stager(), case.len());
    let mut batch = case.batch();
    for (n, bytes) in all.iter().enumerate() {
        let staged = stager.reader(&mut &**bytes).unwrap();
        let source = Name::from(&*format!("/m/{size}/{n}"));
        batch.seal(staged, &Origin { source: Some(source), ..Origin::default() }).unwrap();
    }
    batch.commit(&stamp()).unwrap();
}

fn open(case: &Case, dir: &Path) -> Result<Standby> {
    let (keys, beginning) = (case.keys().unwrap(), case.beginning().unwrap());
    Standby::open(&dir.join("copy"), keys, &beginning, "test", Wait::Fail)
}

/// Brings exhibits of a parcel, then it.
fn bring(case: &Case, to: &mut Standby, parcel: Parcel) -> Result<u64> {
    for (id, size) in parcel.exhibits()? {
        let Some(mut incoming) = to.exhibit(id, size)? else { continue };
        let bytes = case.bytes(&id)?.range(0, u64::MAX).unwrap();
        for piece in bytes.chunks(1 << 20) {
            incoming.append(piece)?;
        }
        assert_eq!(incoming.rest(), 0);
        incoming.finish()?;
    }
    to.take(parcel)
}

fn follow(case: &Case, dir: &Path, most: usize) -> Result<usize> {
    let mut copy = open(case, dir)?;
    let mut parcels = 0;
    while let Some(parcel) = case.parcel(copy.len(), most)? {
        let end = parcel.end();
        assert_eq!(bring(case, &mut copy, parcel)?, end);
        parcels += 1;
    }
    copy.finish()?;
    Ok(parcels)
}

/// The copy is the case: it verifies, and whoever has the authority's folder goes on from it.
fn check(case: &Case, dir: &Path, what: &str) {
    let home = Home::new(&dir.join("home"));
    let at = dir.join("copy");
    let report = verify(&at, Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{what}: {:?}", report.findings);
    assert_eq!((report.records, report.exhibits), (case.len(), 4), "{what}");
    let copy = Case::read(&at).unwrap();
    assert_eq!(copy.checkpoint(), case.checkpoint(), "{what}");
}

#[test]
fn it_grows_commit_by_commit_and_another_goes_on_from_it() {
    for (most, wanted) in [(0, 4), (usize::MAX, 1)] {
        let temp = crate::life::quick_dir();
        let dir = temp.path();
        let mut case = made(dir);
        case.publish().unwrap();
        assert_eq!(follow(&case, dir, most).unwrap(), wanted);
        check(&case, dir, "at first");
        // What comes later goes as it comes, unpublished too.
        add(&mut case, &[b"four", b"five"]);
        let mut copy = open(&case, dir).unwrap();
        let parcel = case.parcel(copy.len(), 0).unwrap().unwrap();
        assert!(copy.take(parcel.clone()).is_err(), "an exhibit did not come before its record");
        bring(&case, &mut copy, parcel).unwrap();
        assert_eq!(copy.len(), case.len());
        assert_eq!(case.parcel(copy.len(), 0).unwrap(), None);
        copy.finish().unwrap();
        case.finish().unwrap();
        let home = Home::new(&dir.join("home"));
        let mut other = Case::open(&dir.join("copy"), &home, "other", Wait::Fail, 9).unwrap();
        add(&mut other, &[b"six"]);
        assert_eq!(other.exhibits().len(), 6);
        other.finish().unwrap();
        let report = verify(&dir.join("copy"), Some(&home), &|_| {}).unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
        // The one before lacks what its authority has seen since: it goes on no more.
        Case::open(&dir.join("shield"), &home, "old", Wait::Fail, 9).unwrap_err();
    }
}

#[test]
fn nothing_is_taken_that_was_changed_on_the_way() {
    let temp = crate::life::quick_dir();
    let dir = temp.path();
    let mut case = made(dir);
    case.publish().unwrap();
    let mut copy = open(&case, dir).unwrap();
    let parcel = case.parcel(0, 0).unwrap().unwrap();
    let next = case.parcel(parcel.end(), 0).unwrap().unwrap();
    let mut refused = |what: &str, changed: Parcel| {
        let error = bring(&case, &mut copy, changed).expect_err(what);
        assert!(!matches!(error, Error::Broken), "{what}");
        assert_eq!(copy.len(), 0, "{what}");
    };
    refused("another place", next.clone());
    let mut changed = parcel.clone();
    changed.entries[0][20] ^= 1;
    refused("an entry", changed);
    let mut changed = parcel.clone();
    changed.openings[0].1[90] ^= 1;
    refused("an opening", changed);
    refused("an opening less", Parcel { openings: Vec::new(), ..parcel.clone() });
    let more = [parcel.openings.clone(), next.openings.clone()].concat();
    refused("an opening more", Parcel { openings: more, ..parcel.clone() });
    refused("no entry", Parcel { entries: Vec::new(), openings: Vec::new(), ..parcel.clone() });
    let other = Parcel { checkpoint: next.checkpoint.clone(), ..parcel.clone() };
    refused("a checkpoint of more", other);
    let stranger = ledger::SigningKey::new(case.origin(), &[9; 32]).unwrap();
    let root = case.log().root_at(parcel.end()).unwrap();
    let signed = stranger.sign(parcel.end(), &root);
    refused("another's signature", Parcel { checkpoint: signed, ..parcel.clone() });
    assert!(matches!(case.parcel(2, 0), Err(Error::Parcel(_))), "within a commit");

    bring(&case, &mut copy, parcel).unwrap();
    let (id, size) = next.exhibits().unwrap()[0];
    assert!(copy.exhibit(id, size).unwrap().is_none(), "it came before");
    let other = model::ExhibitId([7; 32]);
    let mut incoming = copy.exhibit(other, 3).unwrap().unwrap();
    assert!(incoming.append(&[0; 9]).is_err(), "longer than announced");
    let mut incoming = copy.exhibit(other, 3).unwrap().unwrap();
    incoming.append(b"eno").unwrap();
    assert!(incoming.finish().is_err(), "other bytes");
    bring(&case, &mut copy, next).unwrap();
    drop(copy);
    // Another log's copy is none of this one.
    let keys = stranger.verifier().into();
    let beginning = stranger.sign(0, &ledger::tree::root(&[]));
    Standby::open(&dir.join("copy"), &keys, &beginning, "test", Wait::Fail).unwrap_err();
    let forged = case.signer().unwrap().sign(1, &[7; 32]);
    let keys = case.keys().unwrap();
    Standby::open(&dir.join("none"), keys, &forged, "test", Wait::Fail).unwrap_err();
}

#[test]
fn a_crash_at_any_step_loses_nothing_that_was_taken() {
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for most in [0, usize::MAX] {
            for n in 0.. {
                let temp = crate::life::quick_dir();
                let dir = temp.path();
                let mut case = made(dir);
                case.publish().unwrap();
                crash_after(n, last);
                let result = follow(&case, dir, most);
                let crashed = heal();
                let what = format!("step {n}, {last:?}, {most}");
                if !crashed {
                    result.unwrap();
                    break;
                }
                follow(&case, dir, most).unwrap_or_else(|e| panic!("{what}: {e}"));
                check(&case, dir, &what);
                assert!(n < 500, "no end");
            }
        }
    }
}
