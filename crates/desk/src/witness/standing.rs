//! Who has cosigned how much of a log.

use std::path::Path;

use ledger::{Checkpoint, Reader};

use super::{Policy, policy};
use crate::Result;
use crate::prove::Which;

/// Who cosigned a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Entries of the log's published checkpoint.
    pub records: u64,
    /// Witnesses that the authority names.
    pub named: usize,
    /// How many of them it requires; 0 where it never said.
    pub quorum: u64,
    /// The entries of the greatest checkpoint that so many of them cosigned; 0 where there is none,
    /// or none are required.
    pub reached: u64,
    /// Of each that cosigned: its name, the entries, and when, in seconds since the epoch.
    pub by: Vec<(String, u64, u64)>,
    /// Cosignatures under a named witness's key that do not fit: the entries, and what is wrong.
    pub broken: Vec<(u64, String)>,
    /// The entries of each kept checkpoint, signed by the log, that this copy does not go through.
    pub contradicted: Vec<u64>,
    /// Files among the kept checkpoints that are none, by their names below the log's folder, and what
    /// is wrong with them.
    pub unfit: Vec<(String, String)>,
}

/// How many witnesses an authority itself requires, and how far they got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Required {
    /// How many have to cosign one checkpoint.
    pub quorum: u64,
    /// Of so many that it names.
    pub named: usize,
    /// Entries of the greatest checkpoint that so many cosigned; 0 where there is none.
    pub reached: u64,
}

impl Standing {
    /// Where the authority requires a number of witnesses: how far they got.
    pub fn required(&self) -> Option<Required> {
        let &Self { quorum, named, reached, .. } = self;
        (quorum > 0).then_some(Required { quorum, named, reached })
    }
}

/// Who of the named witnesses has cosigned how much of a log, by what is kept beside it.
///
/// # Errors
/// As [`ask`]; and where the home has not the log's authority, whom nobody else can ask.
pub fn standing(home: &Path, which: Which<'_>) -> Result<Standing> {
    let (dir, reader) = crate::prove::open(which)?;
    let origin = reader.published().and_then(|text| text.lines().next()).unwrap_or("");
    let Policy { witnesses, quorum } = policy(home, Some(vault::authority_of(origin)))?;
    let records = reader.published().map(Checkpoint::parse_unverified);
    let records = records.and_then(std::result::Result::ok).map_or(0, |c| c.size);
    let (kept, unfit) = ledger::witnessed(&dir)?;
    let mut standing = Standing { records, named: witnesses.len(), quorum, ..Standing::default() };
    (standing.contradicted, standing.unfit) = contradictions(&dir, &reader)?;
    standing.unfit.extend(unfit);
    let mut best: Vec<Option<(u64, u64)>> = vec![None; witnesses.len()];
    for note in &kept {
        let size = Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
        let mut by = 0;
        for (named, best) in witnesses.iter().zip(&mut best) {
            match named.key.cosigned(note) {
                Ok(Some(time)) => {
                    *best = (*best).max(Some((size, time)));
                    by += 1;
                }
                Ok(None) => {}
                Err(e) => standing.broken.push((size, e.to_string())),
            }
        }
        if quorum > 0 && by >= quorum {
            standing.reached = standing.reached.max(size);
        }
    }
    let cosigned = witnesses.iter().zip(best);
    standing.by = cosigned
        .filter_map(|(named, best)| {
            best.map(|(size, time)| (named.key.name().to_owned(), size, time))
        })
        .collect();
    Ok(standing)
}

/// The entries of the greatest kept checkpoint that a case's log does not go through.
///
/// # Errors
/// No such case; damage.
pub(crate) fn contradicted(case: &Path) -> Result<Option<u64>> {
    let (dir, reader) = crate::prove::open(Which::Case(case))?;
    Ok(contradictions(&dir, &reader)?.0.into_iter().max())
}

/// The entries of each kept checkpoint that this copy does not go through, and the files that hold
/// none. One that it has come to since is explained.
fn contradictions(dir: &Path, reader: &Reader) -> Result<(Vec<u64>, Vec<ledger::Unfit>)> {
    let origin = reader.published().and_then(|text| text.lines().next());
    let (kept, mut unfit) = ledger::contradicting(dir)?;
    let mut sizes = Vec::new();
    for (name, note) in kept {
        if note.text.lines().next() != origin {
            unfit.push((name, "its checkpoint is of another log".to_owned()));
        } else if reader.compare(&note)?.is_some() {
            sizes.push(Checkpoint::of_text(&note.text).map_or(0, |c| c.size));
        }
    }
    Ok((sizes, unfit))
}
