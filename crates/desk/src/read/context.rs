//! What stands around an answer: the containers of an exhibit, and how far the log had come.

use model::ExhibitId;

use super::Snapshot;
use crate::Result;

impl Snapshot {
    /// The names of the containers an exhibit is a member of, the outermost first.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn containers(&self, id: ExhibitId) -> Result<Vec<String>> {
        let Some(ord) = crate::views::ord_of(self.db()?, &id)? else { return Ok(Vec::new()) };
        let (chain, _) = self.chain(ord)?;
        Ok(chain.into_iter().rev().map(|step| step.container_name).collect())
    }

    /// How many records of the log the views rest on.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn records(&self) -> Result<u64> {
        let applied: Option<i64> = crate::views::meta(self.db()?, "applied")?;
        Ok(applied.unwrap_or_default() as u64)
    }
}
