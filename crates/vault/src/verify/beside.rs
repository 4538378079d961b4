//! What a writer does while a case is verified.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::Reader;
use model::ExhibitId;
use model::record::Record;

use crate::case::Case;

/// How long files are waited for whose records do not stand yet: between the two lies one flush.
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

/// Those of the files among the exhibits that are being sealed: the record comes to stand beyond the
/// first `records` of the log, or the file goes again. All are waited for together, and the case is read
/// only where its log grew.
pub(super) fn coming_in(dir: &Path, paths: &[PathBuf], records: u64) -> HashSet<PathBuf> {
    let mut waiting: Vec<(&PathBuf, ExhibitId)> =
        paths.iter().filter_map(|path| Some((path, exhibit_at(path)?))).collect();
    let (begun, mut size, mut coming) = (Instant::now(), records, HashSet::new());
    while !waiting.is_empty() {
        // Asked first: what he did before he ended is seen below.
        let working = at_work(dir);
        let now = Reader::open(&dir.join("ledger")).map_or(size, |log| log.size());
        let grown = if now > size { Case::read(dir).ok() } else { None };
        if let Some(case) = &grown {
            size = case.len();
        }
        waiting.retain(|(path, id)| {
            // One that cannot be looked up may be coming in: it stays to be looked at.
            let named = grown.as_ref().and_then(|case| case.exhibit(id).ok().flatten());
            let stays = named.is_none_or(|e| e.record < records) && dir.join(path).exists();
            if !stays {
                coming.insert((*path).clone());
            }
            stays
        });
        if !working || begun.elapsed() >= MOST {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    coming
}

/// The exhibit whose file would stand at that path below the case's folder.
pub(super) fn exhibit_at(path: &Path) -> Option<ExhibitId> {
    let id = path.file_name()?.to_str()?.parse().ok()?;
    (crate::case::exhibit_path(Path::new(""), &id) == path).then_some(id)
}
