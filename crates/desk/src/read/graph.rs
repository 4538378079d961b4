//! The network as nodes and edges, paths in it, and the map.

use model::{EntityId, EntityKind, LinkKind};

use super::entity::EntityHead;
use super::{LinkRow, Snapshot};
use crate::Result;

/// Which part of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFilter {
    /// Only these kinds; empty for the default: everything but streams, channels and works.
    pub kinds: Vec<EntityKind>,
    /// Only these link kinds; empty for all.
    pub links: Vec<LinkKind>,
    /// Only nodes in these countries (nodes without an address stay); empty for all.
    pub countries: Vec<String>,
    /// Only nodes in these autonomous systems (nodes without an address stay); empty for all.
    pub asns: Vec<u32>,
    /// Only links known within this time, UTC ms, either end open (links without a time stay).
    pub since_ms: Option<i64>,
    /// See `since_ms`.
    pub until_ms: Option<i64>,
    /// Only what is within `hops` of these entities; empty for the whole.
    pub around: Vec<EntityId>,
    /// See `around`.
    pub hops: u32,
    /// Most nodes; those with most links are kept.
    pub max_nodes: usize,
    /// Most edges.
    pub max_edges: usize,
}

impl Default for GraphFilter {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            links: Vec::new(),
            countries: Vec::new(),
            asns: Vec::new(),
            since_ms: None,
            until_ms: None,
            around: Vec::new(),
            hops: 1,
            max_nodes: 20_000,
            max_edges: 40_000,
        }
    }
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The entity.
    pub id: EntityId,
    /// Its kind.
    pub kind: EntityKind,
    /// Its caption.
    pub caption: String,
    /// Country of its address.
    pub country: Option<String>,
    /// AS of its address.
    pub asn: Option<u32>,
    /// Links in the whole case (not only in the slice).
    pub degree: u64,
}

/// An edge between two nodes of the slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Position in [`GraphSlice::nodes`].
    pub from: u32,
    /// Position in [`GraphSlice::nodes`].
    pub to: u32,
    /// The link's kind.
    pub kind: LinkKind,
    /// How many facts or rows state it.
    pub count: u64,
}

/// A part of the network. Nodes stand by degree (most first), then id; edges by from, to, kind: the
/// same for the same views.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphSlice {
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Edges.
    pub edges: Vec<Edge>,
    /// Nodes that fitted the filter, those beyond the bound included.
    pub all_nodes: u64,
    /// Edges that fitted the filter, those beyond the bound included.
    pub all_edges: u64,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathStep {
    /// The link taken.
    pub link: LinkRow,
    /// True where it was taken from its `to` to its `from`.
    pub backwards: bool,
}

/// The shortest path between two entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Where it starts.
    pub from: EntityHead,
    /// The steps; empty where start and end are one.
    pub steps: Vec<PathStep>,
}

/// Which servers the map shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MapFilter {
    /// Only servers of this panel.
    pub panel: Option<EntityId>,
}

/// Servers in one autonomous system of one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The AS number; `None` where the address is in no table.
    pub asn: Option<u32>,
    /// Its name.
    pub name: Option<String>,
    /// Servers.
    pub servers: u64,
}

/// Servers in one country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountryServers {
    /// ISO 3166-1 alpha-2; `ZZ` unknown.
    pub country: String,
    /// Servers.
    pub servers: u64,
    /// By autonomous system, most servers first.
    pub networks: Vec<Network>,
}

impl Snapshot {
    /// A part of the network.
    pub fn graph(&self, filter: &GraphFilter) -> Result<GraphSlice> {
        let _ = filter;
        self.not_yet("the network")
    }

    /// The shortest path between two entities, links taken either way, over at most `max_hops`
    /// links and a bounded number of nodes. `None` where there is none within the bounds.
    pub fn path(&self, from: EntityId, to: EntityId, max_hops: u32) -> Result<Option<Path>> {
        let _ = (from, to, max_hops);
        self.not_yet("the network")
    }

    /// Servers by country and AS, most first.
    pub fn map(&self, filter: &MapFilter) -> Result<Vec<CountryServers>> {
        let _ = filter;
        self.not_yet("the map")
    }
}
