//! What the generator knows it wrote, counted by the rules of `model::kinds` and by no parser.
//!
//! Small kinds are sets of keys; lines and devices, unique by construction, are counters; addresses
//! of the range are bit sets. At scale 1 this stays below 1 GiB.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::kinds;
use serde_json::{Map, Value, json};

use crate::net;

/// The schema that `truth.json` names.
const SCHEMA: &str = "https://vigie.example/schema/truth-1.json";

/// From and to.
type Pair = (Box<str>, Box<str>);

#[derive(Debug, Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(n: usize) -> Self {
        Self(vec![0; n.div_ceil(64)])
    }

    fn set(&mut self, i: usize) {
        self.0[i / 64] |= 1 << (i % 64);
    }

    fn count(&self) -> u64 {
        self.0.iter().map(|w| u64::from(w.count_ones())).sum()
    }
}

/// The truth of a practice seizure.
#[derive(Debug, Clone)]
pub struct Truth {
    entities: BTreeMap<&'static str, BTreeSet<Box<str>>>,
    links: BTreeMap<&'static str, BTreeSet<Pair>>,
    more_entities: BTreeMap<&'static str, u64>,
    more_links: BTreeMap<&'static str, u64>,
    v4: Bits,
    v6: Bits,
    administrators: BTreeSet<Box<str>>,
    known_mail: BTreeSet<Box<str>>,
    payments: BTreeMap<&'static str, (u64, i64)>,
    transactions: BTreeSet<Box<str>>,
    months: BTreeMap<String, BTreeMap<&'static str, i64>>,
    servers: BTreeMap<String, &'static str>,
    first_devices: u64,
    /// What else is known: scenario by scenario, see `docs/truth.schema.json`.
    pub(crate) more: Map<String, Value>,
    /// Bytes of material written.
    pub bytes: u64,
}

impl Truth {
    pub(crate) fn new() -> Self {
        Self {
            entities: BTreeMap::new(),
            links: BTreeMap::new(),
            more_entities: BTreeMap::new(),
            more_links: BTreeMap::new(),
            v4: Bits::new(net::V4),
            v6: Bits::new(net::V6),
            administrators: BTreeSet::new(),
            known_mail: BTreeSet::new(),
            payments: BTreeMap::new(),
            transactions: BTreeSet::new(),
            months: BTreeMap::new(),
            servers: BTreeMap::new(),
            first_devices: 0,
            more: Map::new(),
            bytes: 0,
        }
    }

    /// A fact names this thing. An operator that administers is told by [`Truth::administrator`]
    /// first. Addresses go to [`Truth::address`].
    pub(crate) fn entity(&mut self, key: &str) {
        let scheme = key.split(':').next().unwrap_or_default();
        if scheme == "ip" {
            if let Ok(ip) = key[3..].parse() {
                self.address(ip);
            }
            return;
        }
        let name = if scheme == "operator" && self.administrators.contains(key) {
            "Administrator"
        } else {
            kinds::kind_of_scheme(scheme).map_or("", |k| k.name())
        };
        debug_assert!(!name.is_empty(), "no kind for {key}");
        let set = self.entities.entry(name).or_default();
        if !set.contains(key) {
            set.insert(key.into());
        }
    }

    /// An operator whose group administers the panel.
    pub(crate) fn administrator(&mut self, key: &str) {
        self.administrators.insert(key.into());
        self.entity(key);
    }

    /// A fact (or a row that counts as one) links two things; both are named by it.
    pub(crate) fn link(&mut self, kind: &'static str, from: &str, to: &str) {
        debug_assert!(kinds::link_of_name(kind).is_some(), "no link {kind}");
        self.entity(from);
        self.entity(to);
        self.pair(kind, from, to);
    }

    /// A link whose ends are counted elsewhere.
    pub(crate) fn pair(&mut self, kind: &'static str, from: &str, to: &str) {
        self.links.entry(kind).or_default().insert((from.into(), to.into()));
    }

    /// `n` things of a kind, none of which is told otherwise.
    pub(crate) fn count(&mut self, kind: &'static str, n: u64) {
        *self.more_entities.entry(kind).or_default() += n;
    }

    /// `n` links of a kind, none of which is told otherwise.
    pub(crate) fn count_links(&mut self, kind: &'static str, n: u64) {
        *self.more_links.entry(kind).or_default() += n;
    }

    /// An address in a fact or in an address column. Those that are not global do not count.
    pub(crate) fn address(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(v4) => {
                if let Some(i) = net::v4_index(v4) {
                    self.v4.set(i);
                }
            }
            IpAddr::V6(_) => {
                let set = self.entities.entry("IpAddress").or_default();
                set.insert(format!("ip:{ip}").into());
            }
        }
    }

    /// The address of a subscriber.
    pub(crate) fn home(&mut self, home: &net::Home) {
        match home.v6 {
            Some(i) => self.v6.set(i),
            None => self.address(home.ip),
        }
    }

    /// Devices `0..n` of the range's first panel are counted by their rows.
    pub(crate) fn first_panels_devices(&mut self, n: u64) {
        self.first_devices = n;
    }

    /// A device that bears the number of one of the first panel's.
    pub(crate) fn moved_device(&mut self, key: &str, number: u64) {
        if number >= self.first_devices {
            self.entity(key);
        }
    }

    /// A server by its entity's key, and its address.
    pub(crate) fn server(&mut self, key: &str, ip: IpAddr) {
        self.entity(key);
        self.servers.insert(key.to_owned(), net::country(ip));
    }

    /// An e-mail address counted by the row ([`Truth::count`]), which an account may also name.
    pub(crate) fn mail_in_row(&mut self, mail: &str) {
        self.known_mail.insert(mail.into());
    }

    /// A completed payment of a statement. False where the same was there already.
    pub(crate) fn payment(&mut self, paid: &Paid<'_>) -> bool {
        let sign = if paid.minor < 0 { '-' } else { '+' };
        let id = format!("{}|{}|{}|{sign}", paid.processor, paid.account, paid.txid);
        if !self.transactions.insert(id.into()) {
            return false;
        }
        let sum = self.payments.entry(paid.currency).or_default();
        sum.0 += 1;
        sum.1 += paid.minor;
        let month = self.months.entry(crate::calendar::month(paid.time)).or_default();
        *month.entry(paid.currency).or_default() += paid.minor;
        true
    }

    fn account_of(&self) -> u64 {
        let none = BTreeSet::new();
        let mails = self.entities.get("EmailAddress").unwrap_or(&none);
        let accounts = self.entities.get("UserAccount").unwrap_or(&none);
        let mut n = 0;
        for account in accounts {
            let mail = account.splitn(3, ':').nth(2).unwrap_or_default();
            let stands = mail.contains('@')
                && (self.known_mail.contains(mail)
                    || mails.contains(format!("email:{mail}").as_str()));
            n += u64::from(stands);
        }
        n
    }

    /// `summary`: entities and links by kind, payments by currency, servers by country.
    pub fn summary(&self) -> Value {
        let mut entities: BTreeMap<&str, u64> = self.more_entities.clone();
        for (kind, set) in &self.entities {
            *entities.entry(kind).or_default() += set.len() as u64;
        }
        *entities.entry("IpAddress").or_default() += self.v4.count() + self.v6.count();
        let mut links: BTreeMap<&str, u64> = self.more_links.clone();
        for (kind, set) in &self.links {
            *links.entry(kind).or_default() += set.len() as u64;
        }
        *links.entry("account_of").or_default() += self.account_of();
        entities.retain(|_, n| *n > 0);
        links.retain(|_, n| *n > 0);
        let payments: Map<String, Value> = self
            .payments
            .iter()
            .map(|(c, (count, sum))| ((*c).to_owned(), json!({"count": count, "sum_minor": sum})))
            .collect();
        let mut countries: BTreeMap<&str, u64> = BTreeMap::new();
        for country in self.servers.values() {
            *countries.entry(country).or_default() += 1;
        }
        json!({"entities": entities, "links": links, "payments": payments, "countries": countries})
    }

    /// The whole of `truth.json`.
    pub fn document(&self, scenario: &str, scale: f64, seed: u64) -> Value {
        let mut document = json!({
            "schema": SCHEMA, "scenario": scenario, "scale": scale, "seed": seed,
            "bytes": self.bytes, "summary": self.summary(), "revenue_by_month": self.months,
        });
        if let Some(map) = document.as_object_mut() {
            map.extend(self.more.clone());
        }
        document
    }

    /// The keys and links that stand behind the summary, one a line, but for those that are counted
    /// as rows: to be set beside what a parser found.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let entities = self
            .entities
            .iter()
            .flat_map(|(kind, set)| set.iter().map(move |key| format!("{kind}\t{key}")));
        let set = |bits: &Bits, i: usize| bits.0[i / 64] >> (i % 64) & 1 == 1;
        let v4 = (0..net::V4).filter(move |i| set(&self.v4, *i)).map(net::v4_at);
        let v6 = (0..net::V6).filter(move |i| set(&self.v6, *i)).map(net::v6_at);
        let addresses = v4.chain(v6).map(|ip| format!("IpAddress\tip:{ip}"));
        let links = self.links.iter().flat_map(|(kind, set)| {
            set.iter().map(move |(from, to)| format!("{kind}\t{from}\t{to}"))
        });
        let rows = self.more_entities.iter().chain(&self.more_links);
        let rows = rows.map(|(kind, n)| format!("rows\t{kind}\t{n}"));
        entities.chain(addresses).chain(links).chain(rows)
    }
}

/// A completed payment as one statement has it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paid<'a> {
    pub(crate) processor: &'a str,
    /// The key of the account whose statement it is.
    pub(crate) account: &'a str,
    pub(crate) txid: &'a str,
    pub(crate) time: i64,
    pub(crate) currency: &'static str,
    pub(crate) minor: i64,
}
