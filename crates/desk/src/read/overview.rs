//! The case in numbers.

use model::{EntityId, EntityKind, ExhibitId, LinkKind, ProblemKind};

use super::entity::Figure;
use super::{EntityHead, Snapshot};
use crate::Result;

/// A count of one kind, with the rule by which it was counted (from the registry).
#[derive(Debug, Clone, PartialEq)]
pub struct KindCount<K> {
    /// The kind.
    pub kind: K,
    /// How many.
    pub count: u64,
    /// The counting rule, in words.
    pub rule: &'static str,
}

/// Completed payments in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrencySum {
    /// ISO 4217 code or a crypto-currency's.
    pub currency: String,
    /// How many payments.
    pub count: u64,
    /// Signed sum in minor units, refunds included.
    pub sum_minor: i128,
}

/// Problems of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemCount {
    /// The kind.
    pub kind: ProblemKind,
    /// How many.
    pub count: u64,
    /// Bytes that yielded nothing for it.
    pub lost_bytes: u64,
}

/// Whether figures rest on a practice case or a real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No authority is named: everything is practice.
    Practice,
    /// A real case of the authority.
    Real {
        /// The authority's name.
        authority: String,
    },
}

/// What the overview shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Overview {
    /// The case's id.
    pub case: String,
    /// Practice or real.
    pub standing: Standing,
    /// Exhibits, and their bytes (a member and its container both count).
    pub exhibits: u64,
    /// Bytes of all exhibits.
    pub bytes: u64,
    /// Facts.
    pub facts: u64,
    /// Present values in rows of bulk tables.
    pub bulk_values: u64,
    /// Rows of bulk tables.
    pub rows: u64,
    /// Bulk tables.
    pub tables: u64,
    /// Distinct entities by kind, bulk tables included; kinds without any left out; in the
    /// registry's order.
    pub entities: Vec<KindCount<EntityKind>>,
    /// Distinct links by kind, likewise.
    pub links: Vec<KindCount<LinkKind>>,
    /// Completed payments by currency.
    pub payments: Vec<CurrencySum>,
    /// Servers by country of their address (ISO 3166-1 alpha-2, `ZZ` unknown), most first.
    pub countries: Vec<(String, u64)>,
    /// Problems by kind.
    pub problems: Vec<ProblemCount>,
    /// Exhibits that no parser has read yet.
    pub waiting: u64,
    /// Exhibits withheld as privileged.
    pub privileged: u64,
    /// The panels, each with its figures: when dumped, active lines at that date, operators, …
    pub panels: Vec<PanelFigures>,
    /// Other figures, each with its rule.
    pub figures: Vec<Figure>,
    /// The address table laid over the built-in one, if any: its name and its exhibit.
    pub address_table: Option<(String, ExhibitId)>,
    /// What goes on now, if a writer is at work on the case.
    pub progress: Option<crate::progress::Snapshot>,
}

/// A panel in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct PanelFigures {
    /// The panel.
    pub panel: EntityHead,
    /// Schema family (`xc_vm`, …).
    pub family: String,
    /// Moments of its dumps, as stated.
    pub dumped_at: Vec<String>,
    /// `active_lines`, `lines`, `operators`, `servers`, …
    pub figures: Vec<Figure>,
}

impl Snapshot {
    /// The overview. Reads figures that were computed when the views were: milliseconds, whatever
    /// the size of the case.
    pub fn overview(&self) -> Result<Overview> {
        self.not_yet("the overview")
    }

    /// The entity an id belongs to now: itself, or the one it was merged into.
    pub fn resolve_id(&self, id: EntityId) -> Result<Option<EntityId>> {
        let _ = id;
        self.not_yet("an entity")
    }
}
