//! Search: captions, keys, property values and message text by words; user names, MACs, e-mails,
//! addresses and tokens of bulk tables by exact value and prefix.

use super::entity::{EntityHead, FactRow};
use super::table::{Row, TableColumn, TableHead};
use super::{ExhibitHead, Snapshot};
use crate::Result;

/// An entity that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityHit {
    /// The entity.
    pub entity: EntityHead,
    /// What matched: `caption`, `key`, or a property's name.
    pub matched: String,
    /// The text that matched, cut to 200 characters. Hostile.
    pub excerpt: String,
}

/// A row that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct RowHit {
    /// Its table.
    pub table: TableHead,
    /// The column whose value matched.
    pub column: String,
    /// The row's columns as they stand in `row.cells`.
    pub columns: Vec<TableColumn>,
    /// The row.
    pub row: Row,
    /// How many rows of this table matched in this column in all.
    pub count: u64,
}

/// A fact that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactHit {
    /// The entity it is about.
    pub entity: EntityHead,
    /// The fact.
    pub fact: FactRow,
}

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchResult {
    /// Entities, best first.
    pub entities: Vec<EntityHit>,
    /// Rows of bulk tables.
    pub rows: Vec<RowHit>,
    /// Facts.
    pub facts: Vec<FactHit>,
    /// Exhibits by name or id.
    pub exhibits: Vec<ExhibitHead>,
    /// True where more would be found with a higher limit.
    pub more: bool,
}

impl Snapshot {
    /// Searches for `query`, at most `limit` of each sort.
    pub fn search(&self, query: &str, limit: usize) -> Result<SearchResult> {
        let _ = (query, limit);
        self.not_yet("search")
    }
}
