//! The network as nodes and edges, paths in it, and the map.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use model::{EntityId, EntityKind, LinkKind};

use super::entity::EntityHead;
use super::rows::{self, HEAD};
use super::{LinkRow, Snapshot};
use crate::{Error, Result};

/// Which part of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphFilter {
    /// Only these kinds; empty for the default: everything but [`LEFT_OUT`].
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

/// What the graph leaves out unless it is asked for: kinds that are very many and say little of who
/// is who.
pub const LEFT_OUT: [EntityKind; 4] =
    [EntityKind::Stream, EntityKind::Channel, EntityKind::Work, EntityKind::Line];

/// Nodes that a search for a path looks at.
const MAX_VISITS: usize = 200_000;

impl GraphFilter {
    /// The condition on an entity `t`.
    fn condition(&self, t: &str) -> String {
        let mut terms = Vec::new();
        let list = |kinds: &[EntityKind]| {
            kinds.iter().map(|k| (*k as i64).to_string()).collect::<Vec<_>>().join(", ")
        };
        terms.push(if self.kinds.is_empty() {
            format!("{t}.kind NOT IN ({})", list(&LEFT_OUT))
        } else {
            format!("{t}.kind IN ({})", list(&self.kinds))
        });
        if !self.countries.is_empty() {
            let codes: Vec<String> = self
                .countries
                .iter()
                .filter(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()))
                .map(|c| format!("'{c}'"))
                .collect();
            terms.push(format!("({t}.country IS NULL OR {t}.country IN ({}))", codes.join(", ")));
        }
        if !self.asns.is_empty() {
            let asns: Vec<String> = self.asns.iter().map(u32::to_string).collect();
            terms.push(format!("({t}.country IS NULL OR {t}.asn IN ({}))", asns.join(", ")));
        }
        terms.join(" AND ")
    }

    /// The condition on a link `l`.
    fn link_condition(&self) -> String {
        let mut terms = vec!["1".to_owned()];
        if !self.links.is_empty() {
            let kinds: Vec<String> = self.links.iter().map(|k| (*k as i64).to_string()).collect();
            terms.push(format!("l.kind IN ({})", kinds.join(", ")));
        }
        if let Some(since) = self.since_ms {
            terms.push(format!("(l.last_ms IS NULL OR l.last_ms >= {since})"));
        }
        if let Some(until) = self.until_ms {
            terms.push(format!("(l.first_ms IS NULL OR l.first_ms <= {until})"));
        }
        terms.join(" AND ")
    }
}

impl Snapshot {
    /// A part of the network.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn graph(&self, filter: &GraphFilter) -> Result<GraphSlice> {
        let db = self.db()?;
        let (nodes_if, links_if) = (filter.condition("e"), filter.link_condition());
        let mut slice = GraphSlice::default();
        let mut numbers: Vec<i64> = Vec::new();
        let take = |numbers: &mut Vec<i64>, slice: &mut GraphSlice, row: &rusqlite::Row<'_>| {
            let (number, head) = rows::head(row, 0)?;
            numbers.push(number);
            slice.nodes.push(Node {
                id: head.id,
                kind: head.kind,
                caption: head.caption,
                country: head.country,
                asn: head.asn,
                degree: head.links,
            });
            Ok::<_, Error>(())
        };
        if filter.around.is_empty() {
            slice.all_nodes = db.query_row(
                &format!("SELECT COUNT(*) FROM entity e WHERE e.links > 0 AND {nodes_if}"),
                [],
                |row| row.get::<_, i64>(0),
            )? as u64;
            let mut query = db.prepare_cached(&format!(
                "SELECT {HEAD} FROM entity e WHERE e.links > 0 AND {nodes_if}
                 ORDER BY e.links DESC, e.id LIMIT ?"
            ))?;
            let mut found = query.query([filter.max_nodes as i64])?;
            while let Some(row) = found.next()? {
                take(&mut numbers, &mut slice, row)?;
            }
        } else {
            let near = self.near(filter, &nodes_if, &links_if)?;
            slice.all_nodes = near.len() as u64;
            let mut query =
                db.prepare_cached(&format!("SELECT {HEAD} FROM entity e WHERE e.id = ?"))?;
            let mut heads = Vec::new();
            for number in near {
                let mut found = query.query([number])?;
                if let Some(row) = found.next()? {
                    heads.push((row.get::<_, i64>(7)?, number));
                }
            }
            // What was asked for stays, then those with most links.
            let asked: HashSet<i64> = filter
                .around
                .iter()
                .filter_map(|id| self.entity_number(id).ok().flatten())
                .collect();
            heads.sort_by_key(|(links, number)| {
                (!asked.contains(number), std::cmp::Reverse(*links), *number)
            });
            for (_, number) in heads.into_iter().take(filter.max_nodes) {
                let mut found = query.query([number])?;
                if let Some(row) = found.next()? {
                    take(&mut numbers, &mut slice, row)?;
                }
            }
        }
        self.edges(filter, &links_if, &numbers, &mut slice)?;
        Ok(slice)
    }

    /// The links between nodes of the slice.
    fn edges(
        &self,
        filter: &GraphFilter,
        links_if: &str,
        numbers: &[i64],
        slice: &mut GraphSlice,
    ) -> Result<()> {
        let place: HashMap<i64, u32> =
            numbers.iter().enumerate().map(|(i, n)| (*n, i as u32)).collect();
        let mut query = self.db()?.prepare_cached(&format!(
            "SELECT l.dst, l.kind, l.count FROM link l WHERE l.src = ? AND {links_if}"
        ))?;
        let mut edges = Vec::new();
        for (from, number) in numbers.iter().enumerate() {
            let mut found = query.query([number])?;
            while let Some(row) = found.next()? {
                if let Some(to) = place.get(&row.get(0)?) {
                    edges.push(Edge {
                        from: from as u32,
                        to: *to,
                        kind: rows::link_kind(row.get(1)?)?,
                        count: row.get::<_, i64>(2)? as u64,
                    });
                }
            }
        }
        slice.all_edges = edges.len() as u64;
        // Nodes stand by degree: the sum of two places is least where both count most.
        edges.sort_by_key(|e| (u64::from(e.from) + u64::from(e.to), e.from, e.to, e.kind));
        edges.truncate(filter.max_edges);
        edges.sort_by_key(|e| (e.from, e.to, e.kind));
        slice.edges = edges;
        Ok(())
    }

    /// Entities within some hops of those asked for. Bounded by twice the nodes wanted.
    fn near(&self, filter: &GraphFilter, nodes_if: &str, links_if: &str) -> Result<Vec<i64>> {
        let mut query = self.db()?.prepare_cached(&format!(
            "SELECT n FROM (
               SELECT l.dst AS n FROM link l WHERE l.src = ?1 AND {links_if}
               UNION SELECT l.src FROM link l WHERE l.dst = ?1 AND {links_if}
             ) JOIN entity e ON e.id = n WHERE {nodes_if} ORDER BY e.links DESC, n LIMIT ?2"
        ))?;
        let most = filter.max_nodes.saturating_mul(2).max(1);
        let mut seen = HashSet::new();
        let mut order = Vec::new();
        let mut queue = VecDeque::new();
        for id in &filter.around {
            if let Some(number) = self.entity_number(id)?
                && seen.insert(number)
            {
                order.push(number);
                queue.push_back((number, 0));
            }
        }
        while let Some((number, hops)) = queue.pop_front() {
            if hops >= filter.hops || order.len() >= most {
                continue;
            }
            let mut found = query.query((number, most as i64))?;
            while let Some(row) = found.next()? {
                let next: i64 = row.get(0)?;
                if order.len() < most && seen.insert(next) {
                    order.push(next);
                    queue.push_back((next, hops + 1));
                }
            }
        }
        Ok(order)
    }

    /// The shortest path between two entities, links taken either way, over at most `max_hops`
    /// links and a bounded number of nodes. `None` where there is none within the bounds.
    ///
    /// # Errors
    /// The views cannot be read; an entity that the case has not.
    pub fn path(&self, from: EntityId, to: EntityId, max_hops: u32) -> Result<Option<Path>> {
        let number = |id: EntityId| {
            self.entity_number(&id)?
                .ok_or_else(|| Error::NotFound { what: format!("the entity {id}") })
        };
        let (start, goal) = (number(from)?, number(to)?);
        let Some(before) = self.search_path(start, goal, max_hops)? else { return Ok(None) };
        let head = |number: i64| {
            self.head_of(number)?
                .map(|(_, head)| head)
                .ok_or_else(|| rows::odd("a link to nothing"))
        };
        let mut numbers = vec![goal];
        while let Some(number) = numbers.last().filter(|n| **n != start).and_then(|n| before.get(n))
        {
            numbers.push(*number);
        }
        numbers.reverse();
        let mut steps = Vec::new();
        for pair in numbers.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let condition =
                format!("(l.src = {a} AND l.dst = {b}) OR (l.src = {b} AND l.dst = {a})");
            if let Some(((_, src, _), link)) = self.links_where(&condition, 1)?.into_iter().next() {
                steps.push(PathStep { link, backwards: src != a });
            }
        }
        Ok(Some(Path { from: head(start)?, steps }))
    }

    /// From each node that a search met, the one before it; `None` where the goal was not met.
    fn search_path(
        &self,
        start: i64,
        goal: i64,
        max_hops: u32,
    ) -> Result<Option<HashMap<i64, i64>>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT dst FROM link WHERE src = ?1 UNION SELECT src FROM link WHERE dst = ?1 ORDER BY 1",
        )?;
        let mut before = HashMap::from([(start, start)]);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((number, hops)) = queue.pop_front() {
            if number == goal {
                return Ok(Some(before));
            }
            if hops >= max_hops {
                continue;
            }
            let mut found = query.query([number])?;
            while let Some(row) = found.next()? {
                let next: i64 = row.get(0)?;
                if before.len() >= MAX_VISITS {
                    return Ok(None);
                }
                before.entry(next).or_insert_with(|| {
                    queue.push_back((next, hops + 1));
                    number
                });
            }
        }
        Ok(None)
    }

    /// Servers by country and AS, most first.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn map(&self, filter: &MapFilter) -> Result<Vec<CountryServers>> {
        let db = self.db()?;
        let mut terms = format!("e.kind = {}", EntityKind::Server as i64);
        if let Some(panel) = &filter.panel {
            let Some(number) = self.entity_number(panel)? else { return Ok(Vec::new()) };
            terms.push_str(&format!(
                " AND e.id IN (SELECT src FROM link WHERE kind = {} AND dst = {number})",
                LinkKind::PartOf as i64
            ));
        }
        let mut query = db.prepare_cached(&format!(
            "SELECT coalesce(e.country, 'ZZ'), e.asn, a.name, COUNT(*) FROM entity e
             LEFT JOIN autonomous_system a ON a.asn = e.asn
             WHERE {terms} GROUP BY 1, 2 ORDER BY 4 DESC, 2"
        ))?;
        let mut found = query.query([])?;
        let mut countries: BTreeMap<String, CountryServers> = BTreeMap::new();
        while let Some(row) = found.next()? {
            let country: String = row.get(0)?;
            let entry = countries.entry(country.clone()).or_insert(CountryServers {
                country,
                servers: 0,
                networks: Vec::new(),
            });
            let servers = row.get::<_, i64>(3)? as u64;
            entry.servers += servers;
            entry.networks.push(Network { asn: row.get(1)?, name: row.get(2)?, servers });
        }
        let mut countries: Vec<CountryServers> = countries.into_values().collect();
        countries.sort_by(|a, b| b.servers.cmp(&a.servers).then_with(|| a.country.cmp(&b.country)));
        Ok(countries)
    }
}
