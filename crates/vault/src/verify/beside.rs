//! What a writer does while a case is verified.

use std::path::Path;
use std::time::{Duration, Instant};

use ledger::Reader;
use model::ExhibitId;
use model::record::Record;

use crate::case::Case;

/// How long a file is waited for whose record does not stand yet: between the two lies one flush.
const MOST: Duration = Duration::from_secs(5);

/// How long to wait for what is being destroyed.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// True while a command writes to the case.
pub(super) fn at_work(dir: &Path) -> bool {
    ledger::is_held(&dir.join("lock"))
}

/// True where the log orders something erased beyond its first `records`.
pub(super) fn erased_since(dir: &Path, records: u64) -> bool {
    let Ok(log) = Reader::open(&dir.join("ledger")) else { return false };
    log.entries(records)
        .flatten()
        .any(|entry| Record::parse(&entry).is_ok_and(|record| record.kind == "erasure.ordered"))
}

/// True where a file among the exhibits is one that is being sealed: its record comes to stand beyond
/// the first `records` of the log, or it goes again.
pub(super) fn comes_in(dir: &Path, path: &Path, records: u64) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Ok(id) = name.parse::<ExhibitId>() else { return false };
    if crate::case::exhibit_path(Path::new(""), &id) != path {
        return false;
    }
    let named =
        || Case::read(dir).is_ok_and(|case| case.exhibit(&id).is_some_and(|e| e.record >= records));
    let begun = Instant::now();
    while at_work(dir) && begun.elapsed() < MOST {
        if named() || !dir.join(path).exists() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    named() || !dir.join(path).exists()
}
