//! Reading a case: pages, the command line and exports ask here and nowhere else.
//!
//! A [`Reader`] is cheap to clone and safe to share between threads. [`Reader::snapshot`] takes a
//! [`Snapshot`]: everything asked of one snapshot is answered from the same moment of the views,
//! whatever the writer does meanwhile. Calls block (milliseconds); an async caller wraps them.
//!
//! Exhibits marked privileged, and what is inside them, are absent from every answer until they are
//! released, but for the list of them ([`ExhibitState::Privileged`]).

mod backup;
mod case;
mod check;
mod context;
mod cost;
mod entities;
mod entity;
mod erased;
mod exhibit;
mod exhibits;
mod facts;
mod figures;
mod graph;
mod holders;
pub(crate) mod known;
mod log;
mod overview;
mod payments;
mod picture;
mod provable;
mod rows;
mod search;
mod sort;
#[cfg(test)]
mod sort_tests;
mod table;
mod tables;
mod times;
mod walk;

pub use crate::count::FIGURES;
pub use crate::views::MEANINGS;
pub use backup::{Backup, Backups, Drill};
pub(crate) use case::attach;
pub use case::{Reader, Snapshot};
pub use cost::ProblemCost;
pub use entity::{
    Direction, EntityFilter, EntityHead, EntityPage, FactFilter, FactRow, Figure, FigureInput,
    LinkFilter, LinkGroup, LinkRow, PropertyGroup, RowReference, ShownValue, Source,
};
pub use erased::{ErasureHead, Tombstone};
pub use exhibit::{
    Acquisition, Derivation, ExhibitFilter, ExhibitHead, ExhibitPage, ExhibitState, MAX_BYTES,
    MaskedBytes, MaskedSpan, ParserRun, ProblemFilter, ProblemRow, SumCheck,
};
pub(crate) use exhibits::ARCHIVE;
pub use graph::{
    CountryServers, Edge, GraphFilter, GraphSlice, LEFT_OUT, MapFilter, Network, Node, Path,
    PathStep,
};
pub use holders::{Holder, KindTotal};
pub use log::{LogEntry, LogField, LogFilter, MAX_SEARCHED};
pub use overview::{CurrencySum, KindCount, Overview, PanelFigures, ProblemCount, Standing};
pub use payments::{PaymentFilter, PaymentRow, Payments};
pub use picture::Picture;
pub use provable::{Chains, Provable, Stamped};
pub use search::{EntityHit, FactHit, RowHit, SearchResult};
pub use sort::Ordering;
pub use table::{
    CellValue, Filter, Op, Order, Row, Rows, TableColumn, TableHead, TableQuery, Term,
};
pub use times::{Entry, entered_from};

/// One page of a list. Lists are paged by key, never by number, so that a page far down costs what
/// the first one costs and nothing is shown twice.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items, in the list's stated order.
    pub items: Vec<T>,
    /// Where the next page begins: hand it back as `after`. Opaque, URL-safe. `None` at the end.
    pub next: Option<String>,
    /// How many the whole list has, where that is known without counting.
    pub total: Option<u64>,
}

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// [`Page::next`] of the page before; `None` for the first page.
    pub after: Option<String>,
    /// Most items wanted; bounded by [`MAX_PAGE`].
    pub limit: usize,
}

/// Most items on one page.
pub const MAX_PAGE: usize = 1000;

impl Default for Paging {
    fn default() -> Self {
        Self { after: None, limit: 50 }
    }
}
