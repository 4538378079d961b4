//! Whether a case can be proven, and to whom: at a glance.

use vault::Records;
use vault::times::Bound;

use super::Snapshot;
use crate::{Error, Result, Which, witness};

/// What stands behind a case's log besides its authority's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provable {
    /// Records that the last published checkpoint covers.
    pub records: u64,
    /// Who cosigned; `None` where the home of the authority, which names its witnesses, is not
    /// known here.
    pub witnesses: Option<witness::Standing>,
    /// By when how many of the records were in the log, by the newest time stamp that stands.
    pub time: Option<(Bound, u64)>,
}

impl Snapshot {
    /// What can be proven of the case now, apart from the bytes themselves: `vigie verify` proves
    /// those.
    ///
    /// # Errors
    /// Log or views cannot be read.
    pub fn provable(&self) -> Result<Provable> {
        let records = Records::open(self.dir())?;
        let key = vault::named_keys(records.log())?;
        let stamps = self.stamps(&records, key.as_ref(), None)?;
        let standing = |at: &usize| stamps.stands(*at);
        let covered = (0..stamps.kept().len())
            .filter(standing)
            .filter_map(|at| stamps.kept()[at].covered())
            .max()
            .unwrap_or(0);
        let by = covered.checked_sub(1).and_then(|last| stamps.bounds(last).by);
        let witnesses = match self.reader().home() {
            None => None,
            Some(home) => match witness::standing(home, Which::Case(self.dir())) {
                Ok(standing) => Some(standing),
                // The home of somebody else.
                Err(Error::Vault(vault::Error::Ledger(e))) if e.is_missing() => None,
                Err(e) => return Err(e),
            },
        };
        let published = records.log().published().map(ledger::Checkpoint::parse_unverified);
        let published = published.and_then(std::result::Result::ok);
        Ok(Provable {
            records: published.map_or(0, |checkpoint| checkpoint.size),
            witnesses,
            time: by.map(|by| (by, covered)),
        })
    }
}
