//! The time stamps that a package's records keep, held against its checkpoint by proofs.

use std::collections::BTreeMap;

use ledger::tree::{Hash, is_consistent};
use ledger::{Checkpoint, Keys};
use model::record::{Body, Record};

use super::draft::Draft;
use super::line::Disclosed;
use crate::times::{Bound, Kept, OfLog, Roots, Stamps};

/// What the time stamps in a package say, whoever signed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timed {
    /// By when how many of the log's first records were in it.
    pub by: Option<(u64, Bound)>,
    /// What was recorded after that stamp's record came after it.
    pub after: Option<Bound>,
}

impl Draft {
    /// What whoever checks the package will find of its time stamps.
    pub fn timed(&self, keys: &Keys, now_ms: i64) -> Timed {
        let Ok(whole) = Checkpoint::of_text(&self.checkpoint().text) else {
            return Timed::default();
        };
        let mut stamped = Stamped::default();
        for line in self.lines() {
            let Ok(record) = Record::parse(&line.entry) else { continue };
            // One of which something is hidden is not checked.
            if record.kind.ends_with(".stamped")
                && let Ok(body) = Body::read(&record, &line.opening)
            {
                // What is wrong leaves no root, and so does not count below.
                let _ = stamped.take(line, body, &whole);
            }
        }
        let log = OfLog { roots: Roots::Proven(&stamped.roots), key: Some(keys) };
        let stamps = Stamps::new(stamped.kept, log, None, now_ms);
        Timed { by: stamps.covered(), after: stamps.bounds(whole.size).after }
    }
}

/// Stamps, and the roots over which those of checkpoints are.
#[derive(Debug, Default)]
pub(crate) struct Stamped {
    /// In the order of their records.
    pub(crate) kept: Vec<Kept>,
    /// Roots from which the package's checkpoint was shown to go on.
    pub(crate) roots: BTreeMap<u64, Hash>,
}

impl Stamped {
    /// Takes the stamp that a record keeps. What is wrong with its proof, in words.
    pub(crate) fn take(
        &mut self,
        line: &Disclosed,
        body: Body,
        whole: &Checkpoint,
    ) -> Result<(), String> {
        let Some(kept) = Kept::of(line.index, body) else { return Ok(()) };
        let over = match &kept.covers {
            crate::times::Covers::Checkpoint(note) => Some(Checkpoint::parse_unverified(note)),
            crate::times::Covers::Exhibit(_) => None,
        };
        self.kept.push(kept);
        let (over, proof) = match (over, &line.consistency) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err("a consistency proof belongs to checkpoints".to_owned()),
            (Some(_), None) => {
                return Err("nothing proves that its checkpoint is of this log".to_owned());
            }
            (Some(over), Some(proof)) => (over.map_err(|e| e.to_string())?, proof),
        };
        let (old, new) = (over.size, whole.size);
        if over.origin != whole.origin || !is_consistent(old, new, proof, &over.root, &whole.root) {
            return Err(format!(
                "its checkpoint of {old} entries is not one that {} of this log go on from",
                whole.size
            ));
        }
        self.roots.insert(old, over.root);
        Ok(())
    }
}
