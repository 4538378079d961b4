//! Exact resolution: which keys name one thing.
//!
//! Certain rules only, each resting on facts with spans:
//! 1. The same natural key in two exhibits is one thing.
//! 2. `same_as` facts join keys (a panel's server and the address it stands at; a hybrid torrent's
//!    two hashes).
//! 3. **Locators.** A thing numbered inside a panel carries the panel's locator. A database whose
//!    panel is known by its main server, and a host that exactly one panel's servers answer at, are
//!    rewritten to that panel, so that two dumps, a playlist and an answer name the same things. A
//!    host that two panels share is left as it is: nothing is guessed.
//!
//! Private, loopback and carrier addresses join nothing: their keys carry their exhibit
//! ([`model::key::Key::ip`]), and a host locator that is such an address is never rewritten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use model::fact::SAME_AS;
use model::key::is_global;
use model::kinds::kind_of_scheme;
use model::{EntityKind, Key, Value};

/// Schemes whose keys carry a locator.
const SCOPED: [&str; 5] = ["panel", "server", "operator", "line", "stream"];

/// Takes facts, in any order; only those that bear on identity are kept.
#[derive(Debug, Default)]
pub struct Resolver {
    /// `same_as`, both sides as stated.
    same: BTreeSet<(Key, Key)>,
    /// Locator of a panel's server and a host it answers at.
    hosts: BTreeSet<(Box<str>, Box<str>)>,
    administrators: BTreeSet<Key>,
}

impl Resolver {
    /// Takes a fact's subject, property and value.
    pub fn add(&mut self, subject: &Key, property: &str, value: &Value) {
        match (property, value) {
            (SAME_AS, Value::Key(to)) => {
                self.same.insert((subject.clone(), to.clone()));
            }
            ("has_address" | "has_name", Value::Key(to)) if subject.scheme() == "server" => {
                if let Some((locator, _)) = split_locator(subject) {
                    self.hosts.insert((locator.into(), to.rest().into()));
                }
            }
            ("role", Value::Text(role))
                if subject.scheme() == "operator" && role == "administrator" =>
            {
                self.administrators.insert(subject.clone());
            }
            _ => {}
        }
    }

    /// Works out what is one thing.
    pub fn finish(self) -> Resolved {
        let mut resolved = Resolved::default();
        // Databases first: the panel each belongs to. The least statement wins where two differ,
        // so that the order of facts does not matter.
        for (from, to) in self.same.iter().rev() {
            if from.scheme() == "panel" && to.scheme() == "panel" && !is_source(to.rest()) {
                resolved.locators.insert(from.rest().into(), to.rest().into());
            }
        }
        let mut by_host: BTreeMap<&str, BTreeSet<Box<str>>> = BTreeMap::new();
        for (locator, host) in &self.hosts {
            if locator.starts_with('@') || host.parse::<IpAddr>().is_ok_and(|ip| !is_global(ip)) {
                continue;
            }
            let panel = resolved.locators.get(locator).unwrap_or(locator);
            by_host.entry(host).or_default().insert(panel.clone());
        }
        for (host, panels) in by_host {
            if let (Some(panel), true) = (panels.first(), panels.len() == 1) {
                resolved.locators.insert(format!("@{host}").into(), panel.clone());
            }
        }
        let mut sets = Sets::default();
        for (a, b) in &self.same {
            sets.join(&resolved.rewrite(a), &resolved.rewrite(b));
        }
        resolved.least = sets.least();
        resolved.administrators =
            self.administrators.iter().map(|key| resolved.canonical(key)).collect();
        resolved
    }
}

/// What [`Resolver::finish`] found.
#[derive(Debug, Default)]
pub struct Resolved {
    locators: BTreeMap<Box<str>, Box<str>>,
    /// Each joined key's least key; a key that is not here stands for itself.
    least: HashMap<Key, Key>,
    administrators: BTreeSet<Key>,
}

impl Resolved {
    /// The least of the keys held to be one thing with this one. Its digest is the entity's id.
    pub fn canonical(&self, key: &Key) -> Key {
        let rewritten = self.rewrite(key);
        self.least.get(&rewritten).cloned().unwrap_or(rewritten)
    }

    /// The kind of the thing that a key names.
    pub fn kind(&self, key: &Key) -> Option<EntityKind> {
        let kind = kind_of_scheme(key.scheme())?;
        if kind == EntityKind::Reseller && self.administrators.contains(&self.canonical(key)) {
            return Some(EntityKind::Administrator);
        }
        Some(kind)
    }

    /// The panel that a locator (`x…/db`, `@host`) leads to; the locator itself where unknown.
    pub fn locator<'a>(&'a self, locator: &'a str) -> &'a str {
        self.locators.get(locator).map_or(locator, |to| to)
    }

    fn rewrite(&self, key: &Key) -> Key {
        if !SCOPED.contains(&key.scheme()) {
            return key.clone();
        }
        if key.scheme() == "panel" {
            return match self.locators.get(key.rest()) {
                Some(to) => Key::new("panel", to),
                None => key.clone(),
            };
        }
        match split_locator(key) {
            Some((locator, local)) => match self.locators.get(locator) {
                Some(to) => Key::new(key.scheme(), &format!("{to}/{local}")),
                None => key.clone(),
            },
            None => key.clone(),
        }
    }
}

/// True for a locator that names a source rather than a panel.
fn is_source(locator: &str) -> bool {
    locator.starts_with('@') || database_prefix(locator).is_some()
}

/// The length of `x<32 hex>/<db>` at the start of `rest`.
fn database_prefix(rest: &str) -> Option<usize> {
    let hex = rest.strip_prefix('x')?.get(..32)?;
    if !hex.bytes().all(|b| b.is_ascii_hexdigit()) || rest.as_bytes().get(33) != Some(&b'/') {
        return None;
    }
    Some(rest[34..].find('/').map_or(rest.len(), |at| 34 + at))
}

/// `(locator, local)` of a scoped key other than a panel's.
fn split_locator(key: &Key) -> Option<(&str, &str)> {
    let rest = key.rest();
    let end = if rest.starts_with('@') { rest.find('/')? } else { database_prefix(rest)? };
    let local = rest.get(end + 1..)?;
    Some((&rest[..end], local))
}

/// Disjoint sets of keys.
#[derive(Default)]
struct Sets {
    number: HashMap<Key, usize>,
    keys: Vec<Key>,
    parent: Vec<usize>,
}

impl Sets {
    fn id(&mut self, key: &Key) -> usize {
        if let Some(id) = self.number.get(key) {
            return *id;
        }
        let id = self.keys.len();
        self.number.insert(key.clone(), id);
        self.keys.push(key.clone());
        self.parent.push(id);
        id
    }

    fn find(&mut self, mut id: usize) -> usize {
        while self.parent[id] != id {
            self.parent[id] = self.parent[self.parent[id]];
            id = self.parent[id];
        }
        id
    }

    fn join(&mut self, a: &Key, b: &Key) {
        let (a, b) = (self.id(a), self.id(b));
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return;
        }
        // The root is always the least key: no ranks needed, path halving keeps it quick.
        let (low, high) = if self.keys[a] < self.keys[b] { (a, b) } else { (b, a) };
        self.parent[high] = low;
    }

    fn least(mut self) -> HashMap<Key, Key> {
        (0..self.keys.len())
            .map(|id| {
                let root = self.find(id);
                (self.keys[id].clone(), self.keys[root].clone())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::ExhibitId;
    use model::key::Locator;
    use proptest::prelude::*;

    fn database(n: u8) -> Locator {
        Locator::Database { exhibit: ExhibitId([n; 32]), db: "xui".to_owned() }
    }

    /// The facts of a panel as one dump states them.
    fn panel(n: u8, main: &str) -> Vec<(Key, &'static str, Value)> {
        let at = database(n);
        let server = Key::scoped("server", &at, "1");
        let ip = Key::ip(main.parse().unwrap(), ExhibitId([n; 32]));
        let mut facts = vec![
            (Key::panel_source(&at), SAME_AS, Value::Key(Key::panel("xc_vm", main))),
            (server.clone(), "has_address", Value::Key(ip)),
            (Key::scoped("operator", &at, "1"), "role", Value::Text("administrator".into())),
        ];
        if let Some(global) = Key::server(main) {
            facts.push((server, SAME_AS, Value::Key(global)));
        }
        facts
    }

    fn resolve(facts: &[(Key, &'static str, Value)]) -> Resolved {
        let mut resolver = Resolver::default();
        for (subject, property, value) in facts {
            resolver.add(subject, property, value);
        }
        resolver.finish()
    }

    #[test]
    fn two_dumps_and_a_playlist_name_one_panels_things() {
        let facts = [panel(1, "198.18.0.1"), panel(2, "198.18.0.1")].concat();
        let resolved = resolve(&facts);
        let of = |locator: &Locator, scheme, local| {
            resolved.canonical(&Key::scoped(scheme, locator, local))
        };
        let host = Locator::Host("198.18.0.1".into());
        assert_eq!(of(&database(1), "line", "bob"), of(&database(2), "line", "bob"));
        assert_eq!(of(&database(1), "line", "bob"), of(&host, "line", "bob"));
        assert_eq!(of(&database(1), "line", "a/b").as_str(), "line:xc_vm~198.18.0.1/a/b");
        assert_eq!(of(&database(1), "server", "1").as_str(), "server:198.18.0.1");
        assert_ne!(of(&database(1), "line", "bob"), of(&database(1), "line", "eve"));
        let operator = Key::scoped("operator", &database(2), "1");
        assert_eq!(resolved.kind(&operator), Some(EntityKind::Administrator));
        assert_eq!(
            resolved.kind(&Key::scoped("operator", &database(2), "2")),
            Some(EntityKind::Reseller)
        );
        assert_eq!(
            resolved.canonical(&Key::panel_source(&database(2))).as_str(),
            "panel:xc_vm~198.18.0.1"
        );
    }

    #[test]
    fn a_host_that_two_panels_share_and_a_private_address_join_nothing() {
        let mut facts = [panel(1, "198.18.0.1"), panel(2, "198.18.0.2")].concat();
        let shared = Value::Key(Key::domain("cdn.example").unwrap());
        for n in [1, 2] {
            facts.push((Key::scoped("server", &database(n), "1"), "has_name", shared.clone()));
        }
        let resolved = resolve(&facts);
        let line = Key::scoped("line", &Locator::Host("cdn.example".into()), "bob");
        assert_eq!(resolved.canonical(&line), line);

        let private = panel(1, "10.0.0.1");
        let resolved = resolve(&private[1..]);
        let line = Key::scoped("line", &Locator::Host("10.0.0.1".into()), "bob");
        assert_eq!(resolved.canonical(&line), line);
        let ip = Key::ip("10.0.0.1".parse().unwrap(), ExhibitId([1; 32]));
        assert_eq!(resolved.canonical(&ip), ip);
    }

    proptest! {
        #[test]
        fn the_order_of_facts_does_not_matter(
            pairs in prop::collection::vec((0u8..12, 0u8..12), 0..20), seed in any::<u64>()
        ) {
            let key = |n: u8| Key::new("swarm", &format!("{n:02}"));
            let mut facts: Vec<_> = pairs
                .iter()
                .map(|(a, b)| (key(*a), SAME_AS, Value::Key(key(*b))))
                .collect();
            let forward = resolve(&facts);
            let len = facts.len();
            if !facts.is_empty() {
                facts.rotate_left(seed as usize % len);
            }
            facts.reverse();
            let backward = resolve(&facts);
            for n in 0..12 {
                let least = forward.canonical(&key(n));
                prop_assert_eq!(&least, &backward.canonical(&key(n)));
                prop_assert!(least <= key(n));
                prop_assert_eq!(&forward.canonical(&least), &least);
            }
        }
    }
}
