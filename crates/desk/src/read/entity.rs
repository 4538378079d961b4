//! Entities with their facts, links and sources.

use model::{EntityId, EntityKind, ExhibitId, Key, LinkKind, Money};

use super::table::TableQuery;

/// An entity as lists and links show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityHead {
    /// Its id: the digest of its least key.
    pub id: EntityId,
    /// Its kind.
    pub kind: EntityKind,
    /// What to call it: its name if it has one, else its key without the scheme. Hostile text:
    /// show it as text.
    pub caption: String,
    /// Its least key.
    pub key: Key,
    /// ISO 3166-1 alpha-2 country of its address, `ZZ` where the address is in no table; `None`
    /// where it has no address.
    pub country: Option<String>,
    /// Autonomous system number of its address.
    pub asn: Option<u32>,
    /// Facts about it.
    pub facts: u64,
    /// Links from and to it.
    pub links: u64,
}

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Its name where it was found.
    pub name: String,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// The parser and its version, `m3u/3`.
    pub parser: String,
}

/// A value as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownValue {
    /// Text from the material: hostile.
    Text(String),
    /// An integer.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A moment: as stated (ISO 8601 with the source's zone and precision), and in UTC ms.
    Time {
        /// As stated.
        text: String,
        /// Milliseconds since the epoch, UTC.
        utc_ms: i64,
    },
    /// An amount.
    Money(Money),
    /// Another entity; `written` is the key this source used.
    Entity {
        /// The entity as it is now.
        entity: Box<EntityHead>,
        /// The key the fact names.
        written: Key,
    },
    /// A secret: there is one, and it is not shown.
    Masked,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactRow {
    /// Stable number of the fact in these views (`exhibit order << 32 | place`), for paging.
    pub number: i64,
    /// The key it was stated of.
    pub subject: Key,
    /// The property.
    pub property: String,
    /// The value.
    pub value: ShownValue,
    /// Where it was read.
    pub source: Source,
}

/// The values of one property: equal values stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyGroup {
    /// The property.
    pub property: String,
    /// Each distinct value, with how many facts state it and the first of them. At most
    /// [`EntityPage::SHOWN`].
    pub values: Vec<(ShownValue, u64, Source)>,
    /// How many distinct values there are in all.
    pub distinct: u64,
}

/// Which way a link goes, seen from an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the entity.
    Out,
    /// To the entity.
    In,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Its kind.
    pub kind: LinkKind,
    /// Where it starts.
    pub from: EntityHead,
    /// Where it leads.
    pub to: EntityHead,
    /// How many facts or rows state it.
    pub count: u64,
    /// Earliest moment known for it, UTC ms.
    pub first_ms: Option<i64>,
    /// Latest.
    pub last_ms: Option<i64>,
    /// The first fact that states it; `None` where rows of a bulk table do.
    pub source: Option<Source>,
    /// The rows that state it, where rows do: those of one table.
    pub rows: Option<TableQuery>,
    /// True where these are all the rows counted; else other tables hold more
    /// ([`super::Snapshot::link_holders`]), or payments do, each counted once
    /// ([`super::PaymentFilter`]).
    pub whole: bool,
}

/// The links of one kind and direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGroup {
    /// The kind.
    pub kind: LinkKind,
    /// Which way.
    pub direction: Direction,
    /// How many.
    pub count: u64,
    /// The first of them, at most [`EntityPage::SHOWN`].
    pub links: Vec<LinkRow>,
}

/// What a figure was computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FigureInput {
    /// Rows of a table that a query selects.
    Rows(TableQuery),
    /// Entities that a filter selects.
    Entities(EntityFilter),
    /// Links that a filter selects.
    Links(LinkFilter),
    /// Facts that a filter selects.
    Facts(FactFilter),
}

/// A computed figure: every figure names its rule and opens down to what it was computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Its name, stable, in `snake_case`; catalogues translate it.
    pub name: String,
    /// The value.
    pub value: i64,
    /// The rule in words, one sentence.
    pub rule: String,
    /// What it was computed from.
    pub inputs: Vec<FigureInput>,
}

/// Rows of a bulk table that name an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowReference {
    /// The table's caption: its name in its exhibit.
    pub table: String,
    /// The exhibit's name.
    pub exhibit_name: String,
    /// The column that names the entity.
    pub column: String,
    /// How many rows.
    pub count: u64,
    /// The query that shows them.
    pub query: TableQuery,
}

/// Everything known of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityPage {
    /// The entity.
    pub head: EntityHead,
    /// All keys held to be this thing, with the reason they are (`same_as` fact's source, or none
    /// where the key is the same).
    pub keys: Vec<(Key, Option<Source>)>,
    /// Name of its autonomous system, if it has an address.
    pub as_name: Option<String>,
    /// Its properties, in the registry's order.
    pub properties: Vec<PropertyGroup>,
    /// Its links, by kind in the registry's order, out before in.
    pub links: Vec<LinkGroup>,
    /// Figures about it.
    pub figures: Vec<Figure>,
    /// Rows of bulk tables that name it.
    pub rows: Vec<RowReference>,
    /// The id asked for was an older one of this entity.
    pub merged: bool,
}

impl EntityPage {
    /// Most values of a property, and most links of a group, that the page itself carries; the
    /// rest is a list away.
    pub const SHOWN: usize = 20;
}

/// Which entities. All that is stated must hold; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityFilter {
    /// Of this kind.
    pub kind: Option<EntityKind>,
    /// With an address in this country (ISO 3166-1 alpha-2, or `ZZ`).
    pub country: Option<String>,
    /// With an address in this autonomous system.
    pub asn: Option<u32>,
    /// Whose caption, key or a property holds this text.
    pub text: Option<String>,
}

/// Which links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFilter {
    /// Of this kind.
    pub kind: Option<LinkKind>,
    /// That start from this entity.
    pub from: Option<EntityId>,
    /// That lead to this entity.
    pub to: Option<EntityId>,
}

/// Which facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FactFilter {
    /// About this entity.
    pub entity: Option<EntityId>,
    /// Read in this exhibit.
    pub exhibit: Option<ExhibitId>,
    /// Of this property.
    pub property: Option<String>,
    /// Whose span overlaps these bytes of `exhibit`.
    pub span: Option<(u64, u64)>,
}
