//! A crash at every step of the disk, in each of three ways: the case stays verifiable, and the same
//! run again completes it.

use std::path::Path;

use ledger::disk::faults::{Last, crash_after, heal};
use model::record::Name;
use vault::{Added, Case, Error, Home, Origin, Result, Wait, verify};

use crate::life::stamp;

const MATERIAL: [&[u8]; 4] = [b"one", b"two", &[3; 5000], b"four"];

/// What a user does: creates the case where absent, seals all, finishes.
fn run(dir: &Path) -> Result<()> {
    let home = Home::new(&dir.join("home"));
    let at = dir.join("case");
    let mut case = if Case::exists(&at).unwrap() {
        Case::open(&at, &home, "run", Wait::Fail, 5)?
    } else {
        Case::create(&at, &home, "Test", &stamp(), "run", Wait::Fail)?
    };
    let stager = case.stager();
    for (half, part) in MATERIAL.chunks(2).enumerate() {
        let mut batch = case.batch();
        for (i, bytes) in part.iter().enumerate() {
            let staged = stager.reader(&mut &**bytes)?;
            let source = format!("/m/{half}/{i}");
            let origin = Origin { source: Some(Name::from(&*source)), ..Origin::default() };
            let added = batch.seal(staged, &origin)?;
            assert!(matches!(added, Added::Sealed | Added::Known));
        }
        batch.commit(&stamp())?;
    }
    case.finish()
}

fn check(dir: &Path, what: &str) {
    let home = Home::new(&dir.join("home"));
    let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{what}: {:?}", report.findings);
    assert_eq!((report.records, report.exhibits), (5, 4), "{what}");
    assert!(report.notes.is_empty(), "{what}: {:?}", report.notes);
    let case = Case::read(&dir.join("case")).unwrap();
    for (exhibit, bytes) in case.exhibits().iter().zip(MATERIAL) {
        assert_eq!(case.bytes(&exhibit.id).unwrap().range(0, u64::MAX).unwrap(), bytes, "{what}");
    }
}

#[test]
fn a_crash_at_any_step_costs_nothing_that_was_committed() {
    let (mut steps, mut unmade) = (0, 0);
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for n in 0.. {
            let temp = crate::life::quick_dir();
            let dir = temp.path();
            crash_after(n, last);
            let result = run(dir);
            let crashed = heal();
            let what = format!("step {n}, {last:?}");
            if !crashed {
                result.unwrap();
                check(dir, &what);
                steps = n;
                break;
            }
            // A run that ended well had nothing left to do but to empty the lock's text.
            if result.is_ok() {
                check(dir, &what);
                continue;
            }
            // Openings are made on the volume where they end, whatever that of the exhibits is.
            for left in std::fs::read_dir(dir.join("case/vault/exhibits")).into_iter().flatten() {
                let left = left.unwrap().path();
                let bytes = if left.is_file() { std::fs::read(left).unwrap() } else { Vec::new() };
                assert!(!bytes.starts_with(b"{"), "{what}");
            }
            // Between crash and next run: a reader sees a whole prefix, a verifier nothing wrong.
            let at = dir.join("case");
            if Case::exists(&at).unwrap() {
                let before = Case::read(&at).unwrap_or_else(|e| panic!("{what}: {e}"));
                assert!([1, 3, 5].contains(&before.len()), "{what}: {} records", before.len());
                let home = Home::new(&dir.join("home"));
                let report = verify(&at, Some(&home), &|_| {}).unwrap();
                assert!(report.is_sound(), "{what}: {:?}", report.findings);
                assert_eq!(report.records, before.len(), "{what}");
            } else if at.join("ledger").is_dir() {
                // Before its first record it is told as what it is, and not as damage.
                unmade += 1;
                let home = Home::new(&dir.join("home"));
                let told = verify(&at, Some(&home), &|_| {});
                assert!(
                    matches!(told, Err(Error::Unmade { holder: None, .. })),
                    "{what}: {told:?}"
                );
            }
            run(dir).unwrap_or_else(|e| panic!("{what}: {e}"));
            check(dir, &what);
        }
    }
    assert!(steps > 60, "only {steps} steps were tried");
    assert!(unmade > 10, "only {unmade} crashes came before the first record");
}

/// Crashes upon crashes: whatever a recovery had done when it was itself cut off.
#[test]
fn a_crash_during_recovery_costs_nothing_either() {
    for first in (0..90).step_by(7) {
        for second in [0, 1, 3, 8, 15] {
            let temp = crate::life::quick_dir();
            for (n, last) in [(first, Last::Torn), (second, Last::Done), (second, Last::Undone)] {
                crash_after(n, last);
                let _ = run(temp.path());
                heal();
            }
            run(temp.path()).unwrap();
            check(temp.path(), &format!("{first} then {second}"));
        }
    }
}
