//! Whether a case can be proven, and to whom: at a glance.

use std::path::PathBuf;

use vault::Records;
use vault::times::Bound;

use super::Snapshot;
use crate::{Error, Result, Which, witness};

/// What stands behind a case's log besides its authority's own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provable {
    /// The case's folder, for commands that are shown.
    pub case: PathBuf,
    /// Records that the last published checkpoint covers.
    pub records: u64,
    /// Who cosigned; `None` where the home of the authority, which names its witnesses, is not
    /// known here.
    pub witnesses: Option<witness::Standing>,
    /// By when how many of the records were in the log, by the newest time stamp that stands.
    pub time: Option<(Bound, u64)>,
    /// The last published checkpoint, a signed note; empty where there is none.
    pub checkpoint: String,
    /// The newest time stamps, the newest first.
    pub stamps: Vec<Stamped>,
    /// Who had which item, and when.
    pub custody: Chains,
}

/// A time stamp that the log keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The record that keeps it.
    pub record: u64,
    /// How many records it covers; `None` for one over an exhibit.
    pub covers: Option<u64>,
    /// The moment it states, and when its chain of certificates ends, in milliseconds since 1970;
    /// or why it does not hold.
    pub verdict: std::result::Result<(i64, i64), String>,
    /// Who signed.
    pub authority: String,
    /// False where its chain has ended and no later stamp covers it.
    pub stands: bool,
}

/// How custody stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chains {
    /// Items.
    pub items: u64,
    /// Gaps, overlaps and whatever else is wrong in their chains.
    pub faults: u64,
    /// Exhibits of the material that belong to no item.
    pub uncovered: u64,
}

/// Time stamps that are listed.
const MAX_STAMPS: usize = 5;

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
        let time = stamps.covered().map(|(covered, by)| (by, covered));
        let witnesses = match self.reader().home() {
            None => None,
            Some(home) => match witness::standing(home, Which::Case(self.dir())) {
                Ok(standing) => Some(standing),
                // The home of somebody else.
                Err(Error::Vault(vault::Error::Ledger(e))) if e.is_missing() => None,
                Err(e) => return Err(e),
            },
        };
        let checkpoint = records.log().published().unwrap_or_default().to_owned();
        let published = ledger::Checkpoint::parse_unverified(&checkpoint).ok();
        let newest = (0..stamps.kept().len()).rev().take(MAX_STAMPS);
        let listed = newest.map(|at| Stamped {
            record: stamps.kept()[at].record,
            covers: stamps.kept()[at].covered(),
            verdict: match stamps.verdict(at) {
                Ok(found) => Ok((found.info.time_ms, found.expires_ms)),
                Err(e) => Err(e.to_string()),
            },
            authority: stamps
                .verdict(at)
                .as_ref()
                .map_or_else(|_| String::new(), |v| v.signer.clone()),
            stands: stamps.stands(at),
        });
        let custody = self.custody()?;
        let chains = Chains {
            items: custody.all().len() as u64,
            faults: custody.faults() as u64,
            uncovered: self.uncovered(&custody)?,
        };
        Ok(Provable {
            case: self.dir().to_owned(),
            stamps: listed.collect(),
            custody: chains,
            checkpoint,
            records: published.map_or(0, |checkpoint| checkpoint.size),
            witnesses,
            time,
        })
    }
}
