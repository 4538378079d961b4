//! Files of the folder that are not what they were: changed by somebody, laid back, overwritten, or made anew.

use std::fs::File;
use std::os::unix::fs::FileExt;

use model::{ExhibitId, Sha256Hex};

use super::*;
use crate::clearing::kept;
use crate::clearing::read::evidence;
use crate::desk::Desk;

/// Puts another entry in the place of the last one, with an opening that is its own, as who can write in the folder
/// may do.
fn tamper(place: &Place) {
    let log = ledger::Reader::open(&place.case.join("ledger")).unwrap();
    let ours = log.entry(log.size() - 1).unwrap();
    let at = ours.windows(8).position(|part| part == b"\"time\":\"").unwrap() + 8;
    let mut theirs = ours.clone();
    theirs[at..at + 4].copy_from_slice(b"1999");
    let leaf = |entry: &[u8]| Sha256Hex(ledger::tree::leaf(entry)).to_string().into_bytes();
    let mut changed = 0;
    for (folder, from, to) in [
        ("ledger/tile/entries/000.p", ours.clone(), theirs.clone()),
        ("vault/openings", leaf(&ours), leaf(&theirs)),
    ] {
        for file in std::fs::read_dir(place.case.join(folder)).unwrap() {
            let file = file.unwrap().path();
            let mut bytes = std::fs::read(&file).unwrap();
            if let Some(at) = bytes.windows(from.len()).position(|part| part == from) {
                bytes[at..at + to.len()].copy_from_slice(&to);
                ledger::disk::write(&file, &bytes).unwrap();
                changed += 1;
            }
        }
    }
    assert!(changed >= 2);
}

#[test]
fn nothing_is_kept_of_an_entry_that_the_logs_key_did_not_sign() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    // From the first record on, and going on from what was kept of those before.
    for kept in [false, true] {
        let copied = tempfile::tempdir().unwrap();
        copy(dir.path(), copied.path());
        let place = crate::clearing::tests::place(copied.path());
        if kept {
            keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
            goes_on(&place, 1);
        }
        let before = std::fs::read(path(&place.case)).ok();
        tamper(&place);
        let error = keep(&place.case, &keys, &signer, &Covered::default()).unwrap_err().to_string();
        assert!(error.contains("one of them was changed"), "{error}");
        assert_eq!(std::fs::read(path(&place.case)).ok(), before);
        let error = House::open(&place).unwrap_err().to_string();
        assert!(error.contains("one of them was changed"), "{error}");
        assert!(House::read(&place.case, None).is_err());
    }
}

/// A folder that was laid back to what it was: the authority has seen more of its log.
#[test]
fn who_reads_with_the_authoritys_home_takes_no_log_that_was_laid_back() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let before = tempfile::tempdir().unwrap();
    copy(&place.case, before.path());
    goes_on(&place, 1);
    assert!(House::read(&place.case, Some(&place.home)).is_ok());
    for kept in [true, false] {
        if !kept {
            crate::clearing::kept::destroy(before.path()).unwrap();
        }
        let read = House::read(before.path(), Some(&place.home));
        let started = House::open(&Place { case: before.path().to_owned(), ..place.clone() });
        let told = read.unwrap_err().to_string();
        assert_eq!(told, started.unwrap_err().to_string());
        assert!(told.contains("seen"), "{told}");
        // Elsewhere nobody can tell.
        assert!(House::read(before.path(), None).is_ok());
    }
}

fn is_zeros(file: &File) -> bool {
    let mut bytes = vec![1; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0)
}

#[test]
fn what_is_replaced_is_overwritten_while_a_house_goes_on_looking_up() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let known = Case::read(&place.case).unwrap().exhibits()[0].id;
    let held = [path(&place.case), table(&place)].map(|path| File::open(path).unwrap());
    let mut house = House::open(&place).unwrap();
    let used = house.standing.spoken.before.clone().unwrap();
    sealed(&mut house, b"something new");
    house.show().unwrap();
    let covered = Covered::default();
    kept::keep(&place.case, &keys, &signer, &covered, Some(&*used)).unwrap().unwrap();
    assert!(held.iter().all(is_zeros));
    assert!(house.case().exhibit(&known).unwrap().is_some() && !used.is_damaged());
    // The same table again is the one that is there.
    house.begin().unwrap();
    house.show().unwrap();
    let held = [path(&place.case), table(&place)].map(|path| File::open(path).unwrap());
    kept::keep(&place.case, &keys, &signer, &covered, Some(&*used)).unwrap().unwrap();
    assert_eq!(held.each_ref().map(is_zeros), [true, false]);
    house.close().unwrap();
    let left = std::fs::read_dir(place.case.join("kept")).unwrap().count();
    assert_eq!((left, opened(&place).refused), (2, None));
}

/// Changes a byte of the page of all exhibits, and gives one that stands there.
pub(in crate::clearing::kept) fn damage(place: &Place) -> ExhibitId {
    let known = Case::read(&place.case).unwrap().exhibits()[0].id;
    let mut bytes = std::fs::read(table(place)).unwrap();
    bytes[39] ^= 1;
    ledger::disk::write(&table(place), &bytes).unwrap();
    known
}

#[test]
fn what_cannot_be_looked_up_is_not_said_to_be_missing_and_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let known = damage(&place);
    let house = House::open(&place).unwrap();
    let used = house.standing.spoken.before.clone().unwrap();
    assert!(!used.is_damaged());
    let said = evidence(&house, &known, &None, None).unwrap_err().to_string();
    assert!(said.contains("read") && used.is_damaged(), "{said}");
    // Nothing came since, and it is made all the same.
    let covered = Covered::default();
    let records = kept::keep(&place.case, &keys, &signer, &covered, Some(&*used)).unwrap();
    assert_eq!(records, Some(house.case().len()));
    assert!(house.case().exhibit(&known).unwrap().is_some() && !used.is_damaged());
    assert!(evidence(&house, &known, &None, None).unwrap().is_some());
    assert_eq!(kept::keep(&place.case, &keys, &signer, &covered, Some(&*used)).unwrap(), None);
    house.close().unwrap();
    assert_eq!(findings(&place), (vec![], vec![]));
}

#[test]
fn a_command_that_completes_an_erasure_destroys_what_was_kept() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let held = [path(&place.case), table(&place)].map(|path| File::open(path).unwrap());
    // The machine stops after the order.
    let home = vault::Home::new(&place.home);
    let mut case = Case::open(&place.case, &home, "test", vault::Wait::Fail, 0).unwrap();
    let what = vault::erase::What::Exhibit(case.exhibits()[0].id);
    let plan = case.plan_erasure(&what, &|_| {}).unwrap();
    let stamp = vault::Stamp { actor: "Ana".to_owned(), now_ms: crate::desk::now_ms() };
    case.erase(&plan, ("law", "request 7"), &|_| Vec::new(), &stamp).unwrap();
    case.finish().unwrap();
    assert!(path(&place.case).exists());
    Desk::open(&place).unwrap().close().unwrap();
    assert_eq!(std::fs::read_dir(place.case.join("kept")).unwrap().count(), 0);
    assert!(held.iter().all(is_zeros));
    // What is kept after it stays, and nothing beside it.
    House::open(&place).unwrap().close().unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    let older = place.case.join("kept/exhibits-0000000000000000");
    ledger::disk::write(&older, b"a table that a crash left").unwrap();
    Desk::open(&place).unwrap().close().unwrap();
    assert!(path(&place.case).exists() && !older.exists());
    let house = House::open(&place).unwrap();
    assert!(house.started().kept > 0 && house.started().refused.is_none());
    house.close().unwrap();
}
