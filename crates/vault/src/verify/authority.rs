//! Verifying an authority's own log, in which the births of its cases, its keys and its witnesses stand.

use std::path::Path;

use ledger::{Authority, Checkpoint, Finding, Keys, Known};
use model::record::{Opening, Record, leaf_hash};

use crate::openings::read_bounded;

/// The most bytes of an opening.
pub(crate) const MAX_OPENING: u64 = 1 << 20;

/// What does not hold of an authority's own log, each with its place in the authority's folder. One
/// that has no log yet holds.
pub fn verify_authority(authority: &Authority) -> Vec<Finding> {
    let log_dir = authority.log_dir();
    let told = |message: String| vec![Finding { place: log_dir.display().to_string(), message }];
    if !log_dir.is_dir() && !authority.has_history() && !authority.has_cases() {
        return Vec::new();
    }
    // Every case of the home has its births written here: half a commit is no damage.
    let _quiet = authority.quiet();
    // Its key may have been replaced until then.
    let reread = authority.reread();
    let authority = reread.as_ref().unwrap_or(authority);
    let keys = match authority.reader() {
        Ok(log) if log.size() == 0 && authority.has_cases() => {
            return told("it is empty or gone, though births of cases stood in it".to_owned());
        }
        Ok(log) => crate::keys::keys_of(&log, authority.name(), authority),
        Err(e) => return told(e.found()),
    };
    // What cannot be told of its rotations is told beside what else is wrong: the entries that say so
    // may be those that were changed.
    let (keys, mut findings) = match keys {
        Ok(keys) => (keys, Vec::new()),
        Err(e) => match authority.verifier(authority.name()) {
            Ok(key) => (key.into(), told(e.found())),
            Err(e) => return told(e.found()),
        },
    };
    let dir = log_dir.parent().unwrap_or(&log_dir);
    let seen = match authority.seen(authority.name(), &keys) {
        Ok(seen) => seen,
        Err(e) => {
            findings.append(&mut told(e.found()));
            None
        }
    };
    match proven(dir, &keys, seen.as_slice()) {
        Ok((mut more, _)) => findings.append(&mut more),
        Err(e) => findings.append(&mut told(e.found())),
    }
    for finding in &mut findings {
        if !Path::new(&finding.place).is_absolute() {
            finding.place = dir.join(&finding.place).display().to_string();
        }
    }
    findings
}

/// Proves an authority's folder: its log from its entries, by these keys and what is known of it, and each
/// opening against its record. The second are notes.
pub(crate) fn proven(
    dir: &Path,
    keys: &Keys,
    earlier: &[Checkpoint],
) -> ledger::Result<(Vec<Finding>, Vec<String>)> {
    let known = Known { key: Some(keys.now()), former: keys.former(), earlier };
    let mut openings = Vec::new();
    let report = ledger::verify(&dir.join("ledger"), known, &mut |index, entry, _| {
        let place = format!("openings/{index}");
        let path = dir.join(&place);
        // Not every record commits to something.
        if path.try_exists().is_ok_and(|there| !there) {
            return None;
        }
        let line = match read_bounded(&path, MAX_OPENING) {
            Ok(line) => line,
            Err(e) => {
                openings.push(Finding { place, message: e.found() });
                return None;
            }
        };
        let sound = Record::parse(entry).is_ok_and(|record| {
            Opening::parse_line(&line).is_ok_and(|opening| {
                opening.record == leaf_hash(entry) && record.check_opening(&opening).is_ok()
            })
        });
        if !sound {
            let message = format!("it does not open record {index}");
            openings.push(Finding { place, message });
        }
        None
    })?;
    let mut findings = report.findings;
    findings.iter_mut().for_each(|found| found.place = format!("ledger/{}", found.place));
    findings.append(&mut openings);
    Ok((findings, report.notes))
}
