//! Which records speak of exhibits, of erasures, of authorisations and of captures: nothing that is applied, but what
//! the house looks up. A start has it of what is kept, so that it reads none of these records.

use std::sync::Arc;

use model::record::{Opening, Record};
use vault::Known;
use vault::index::{Index, Row, Summed};

use super::captured::Captured;

/// What the log says of them.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// Exhibits of the records that are kept; `None`: nothing is.
    pub(super) before: Option<Arc<Index>>,
    /// Exhibits of those since, in the order of the log.
    pub(super) since: Vec<Row>,
    /// True where an erasure was ordered.
    pub(super) erased: bool,
    /// Records of authorisations, and of what these refused, in order. Few: one an hour and reason.
    pub(super) grants: Vec<u64>,
    /// What was captured last.
    pub(super) captured: Captured,
}

impl Spoken {
    pub(super) fn take(&mut self, index: u64, record: &Record, opening: &Opening) {
        let kind = record.kind.as_str();
        if kind == "erasure.ordered" {
            self.erased = true;
        } else if vault::speaks_of_exhibits(kind) {
            self.since.extend(vault::exhibit_of(opening).map(|id| (id, index)));
        } else if kind.starts_with("authorisation.") || kind == "capture.refused" {
            self.grants.push(index);
        } else {
            self.captured.take(index, record, opening);
        }
    }

    /// What a case is told that is opened by who knows so many records; `None`: it is of no table.
    pub(super) fn known(&self, records: u64) -> Option<Known> {
        let exhibits = Arc::clone(self.before.as_ref()?);
        Some(Known { records, erased: self.erased, exhibits })
    }

    /// False where the table that is kept cannot be read to its end.
    pub(super) fn is_sound(&self) -> bool {
        self.before.as_ref().is_none_or(|index| index.rows().all(|row| row.is_ok()))
    }

    /// Gives the table of all exhibits, piece by piece.
    ///
    /// # Errors
    /// What `out` says; what is kept was changed.
    pub(super) fn table<E: From<vault::Error>>(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Summed, E> {
        let mut since = self.since.clone();
        since.sort_unstable();
        let mut since = since.into_iter().peekable();
        let before = self.before.as_ref().into_iter().flat_map(|index| index.rows());
        let mut before = before.map(|row| row.map_err(E::from)).peekable();
        let next = || match (before.peek(), since.peek()) {
            (Some(Ok(one)), Some(other)) if other < one => since.next().map(Ok),
            (None, _) => since.next().map(Ok),
            _ => before.next(),
        };
        Index::write(std::iter::from_fn(next), out)
    }
}
