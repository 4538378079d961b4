//! Which backups the log knows of.

use std::path::Path;

use vault::Case;

use crate::{Error, Result};

/// Where the last backup of a case was made, as its log tells.
///
/// # Errors
/// The case cannot be read; none is recorded.
pub fn last_destination(dir: &Path) -> Result<String> {
    let found = known(dir)?.into_iter().max_by_key(|known| known.record);
    found.map(|known| known.destination).ok_or_else(|| {
        Error::Asked("no backup of this case is recorded: name one with --from".to_owned())
    })
}

/// A destination that the log names, and its last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where; a user wrote it.
    pub destination: String,
    /// The last run's record.
    pub record: u64,
    /// When it was written (RFC 3339).
    pub time: String,
    /// Records that the backup held after it.
    pub held: u64,
}

/// Every destination that the log names, each with its last run.
///
/// # Errors
/// The case cannot be read.
pub fn known(dir: &Path) -> Result<Vec<Known>> {
    let case = Case::read(dir)?;
    known_of(&case)
}

pub(crate) fn known_of(case: &Case) -> Result<Vec<Known>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in case.records(0) {
        let (index, record, opening) = entry?;
        if record.kind == "backup.made"
            && let Ok(model::record::Body::BackupMade(body)) =
                model::record::Body::read_left(&record, &opening)
        {
            let destination = body.destination.clone();
            let last = Known { destination, record: index, time: record.time, held: body.held };
            found.insert(body.destination, last);
        }
    }
    Ok(found.into_values().collect())
}
