//! Records that are applied, held against the log's tree: what stands in a bundle of entries counts where it is what
//! the log's key signed, and not because it lies there.

use ledger::tree::{self, Edge};
use ledger::{Checkpoint, Reader};
use model::record::Opening;

use crate::Result;

/// The tree of what was read so far.
pub(super) struct Held(Edge);

impl Held {
    /// Begins after so many published records.
    ///
    /// # Errors
    /// More than are published; tiles that cannot be read.
    pub(super) fn after(log: &Reader, records: u64) -> Result<Self> {
        Ok(Self(log.edge_at(records).map_err(vault::Error::from)?))
    }

    /// Takes the next record. Whoever read its opening held that against the entry's leaf hash, which it names.
    pub(super) fn take(&mut self, opening: &Opening) {
        self.0.push(opening.record.0, &mut |_, _, _| {});
    }

    /// The root over all that was read.
    pub(super) fn root(&self) -> tree::Hash {
        self.0.root()
    }

    /// True where a signed checkpoint is of what was read, or goes on from it.
    ///
    /// # Errors
    /// Tiles that cannot be read.
    pub(super) fn is_of(&self, log: &Reader, signed: &Checkpoint) -> Result<bool> {
        let (size, root) = (self.0.size(), self.root());
        if size == signed.size {
            return Ok(root == signed.root);
        }
        if size == 0 || size > signed.size {
            return Ok(size == 0);
        }
        let hashes = log.consistency_in(size, signed.size).map_err(vault::Error::from)?;
        Ok(tree::is_consistent(size, signed.size, &hashes, &root, &signed.root))
    }
}
