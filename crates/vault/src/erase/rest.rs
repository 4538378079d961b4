//! What is left of an exhibit of which a part is erased: an exhibit of its own, of the same length,
//! the erased leaves being zeros.

use std::io::{self, Read};
use std::ops::Range;

use model::record::{Body, ExhibitSealed};

use super::PartPlan;
use crate::bytes::Bytes;
use crate::case::Case;
use crate::error::{Error, Result};
use crate::salted::LEAF;
use crate::stage::Staged;

impl Case {
    /// Copies the rest into the vault, and makes the body of its sealing record: it came in as the
    /// whole did.
    pub(super) fn stage_rest(&self, part: &PartPlan) -> Result<(Staged, ExhibitSealed)> {
        let exhibit = self.exhibit(&part.id)?.ok_or(Error::NoExhibit(part.id))?;
        // Hashes that are made of other bytes would never prove what is left.
        if !crate::rehash::is(&self.path(&part.id)?, &part.id) {
            let other = "its bytes are not those that were sealed: `vigie verify` tells more";
            return Err(Error::NotErasable(other.to_owned()));
        }
        let (record, opening) = self.record(exhibit.record)?;
        let of = |source| Error::Record { index: exhibit.record, source };
        let Body::ExhibitSealed(whole) = Body::read_left(&record, &opening).map_err(of)? else {
            return Err(Error::NoExhibit(part.id));
        };
        let mut reader =
            Zeroed { bytes: self.bytes(&part.id)?, leaves: part.leaves.clone(), at: 0 };
        let staged = self.stager().reader(&mut reader)?;
        if let Some(note) = staged.note() {
            return Err(Error::NotErasable(format!("what is left could not be kept: {note}")));
        }
        if staged.id() == part.id {
            let zeros =
                "these bytes, widened to whole leaves, are zeros: there is nothing to erase";
            return Err(Error::NotErasable(zeros.to_owned()));
        }
        let runs: Vec<String> =
            part.leaves.iter().map(|run| format!("{}..{}", run.start, run.end)).collect();
        let mut said = runs.join(", ");
        said.truncate(2000);
        let note = format!(
            "what is left of the exhibit that record {} sealed: leaves {said} of {LEAF} bytes are \
             erased, and zeros here",
            exhibit.record
        );
        // Its container goes with the part: what is left of the names stays.
        Ok((staged, ExhibitSealed { container: None, offset: None, note: Some(note), ..whole }))
    }
}

/// An exhibit's bytes, some leaves of which read as zeros.
struct Zeroed {
    bytes: Bytes,
    leaves: Vec<Range<u64>>,
    at: u64,
}

impl Read for Zeroed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.bytes.read_at(buffer, self.at)?;
        let (start, end) = (self.at, self.at + got as u64);
        let leaf = LEAF as u64;
        let from = self.leaves.partition_point(|run| run.end * leaf <= start);
        for run in self.leaves[from..].iter().take_while(|run| run.start * leaf < end) {
            let low = (run.start * leaf).max(start) - start;
            let high = (run.end * leaf).min(end) - start;
            if let (Ok(low), Ok(high)) = (usize::try_from(low), usize::try_from(high)) {
                buffer[low..high].fill(0);
            }
        }
        self.at = end;
        Ok(got)
    }
}
