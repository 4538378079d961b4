//! Single records of a case, without reading the others.

use std::path::Path;

use ledger::Reader;
use model::record::{Opening, Record};

use crate::error::{Error, Result};
use crate::openings::Openings;

/// A snapshot of a case's records, for whoever wants a few of them: opening it reads the log's
/// checkpoint, where [`crate::Case::read`] reads every record.
#[derive(Debug)]
pub struct Records {
    log: Reader,
    openings: Openings,
}

impl Records {
    /// What is committed in the case in `dir` by now.
    ///
    /// # Errors
    /// No case; files that contradict one another.
    pub fn open(dir: &Path) -> Result<Self> {
        if !crate::Case::exists(dir)? {
            return Err(Error::NoCase(dir.to_owned()));
        }
        let log = Reader::open(&dir.join("ledger"))?;
        let openings = Openings::seek(&dir.join("vault/openings"), log.size());
        Ok(Self { log, openings })
    }

    /// Records.
    pub fn len(&self) -> u64 {
        self.log.size()
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The log itself.
    pub fn log(&self) -> &Reader {
        &self.log
    }

    /// The record at `index` and its opening, bound to one another and checked.
    ///
    /// # Errors
    /// None there; damage.
    pub fn get(&self, index: u64) -> Result<(Record, Opening)> {
        opened(&self.log, &self.openings, index)
    }
}

/// The record at `index` and its opening, bound to one another and checked.
pub(crate) fn opened(log: &Reader, openings: &Openings, index: u64) -> Result<(Record, Opening)> {
    let entry = log.entry(index)?;
    let of = |source| Error::Record { index, source };
    let record = Record::parse(&entry).map_err(of)?;
    let opening = openings.get(index, &entry)?;
    record.check_opening(&opening).map_err(of)?;
    Ok((record, opening))
}
