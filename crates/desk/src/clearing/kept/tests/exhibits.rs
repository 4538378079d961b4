//! Exhibits that were sealed before what is kept: known by a table of it, and by nothing else.

use super::*;

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
