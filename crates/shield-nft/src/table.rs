//! The table and its scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use shield::Item;
use shield::item::{Special, special};

/// The longest that an element may be held: an item without an event expires after 90 days at most.
pub const MAX_LIFE: Duration = Duration::from_secs(91 * 86_400);
/// The most elements of one script.
pub const MAX_ELEMENTS: usize = 500_000;

/// What marks a table as ours.
const MARK: &str = "vigie: blocks by their own clocks";

/// The sets: which, and what their elements are.
const SETS: [(&str, &str); 4] = [
    ("v4", "ipv4_addr"),
    ("v6", "ipv6_addr"),
    ("v4_port", "ipv4_addr . inet_service"),
    ("v6_port", "ipv6_addr . inet_service"),
];

/// What a packet is held against, in each chain.
const RULES: [&str; 6] = [
    "ip daddr @v4",
    "ip6 daddr @v6",
    "ip daddr . tcp dport @v4_port",
    "ip daddr . udp dport @v4_port",
    "ip6 daddr . tcp dport @v6_port",
    "ip6 daddr . udp dport @v6_port",
];

/// One value, and how long it is held from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// An address, or a port of one.
    pub item: Item,
    /// So long; whole milliseconds count.
    pub life: Duration,
}

/// Why a value is not written. Nothing of its script is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name.
    #[error("{0} is a name: a firewall holds addresses, a resolver blocks names")]
    Name(Item),
    /// An address that is no host's own on the internet.
    #[error("{0} is no host's own address on the internet ({1:?})")]
    Special(Item, Special),
    /// No time, or more than [`MAX_LIFE`].
    #[error("{0} would be held for {1:?}: a millisecond to 91 days can be")]
    Life(Item, Duration),
    /// More than one script holds.
    #[error("{0} elements at once, and {MAX_ELEMENTS} are the most")]
    Many(usize),
}

/// A name that no table of ours has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name for our table: write 1 to 32 of a-z and _")]
pub struct TableError(String);

/// Our table in the `inet` family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    name: String,
    /// Addresses for documentation and benchmarks are taken too.
    practice: bool,
}

impl Table {
    /// A table of that name.
    ///
    /// # Errors
    /// Another name than 1 to 32 of `a-z` and `_`.
    pub fn new(name: &str) -> Result<Self, TableError> {
        let fine = |b: u8| b.is_ascii_lowercase() || b == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(fine) {
            return Err(TableError(name.chars().take(80).collect()));
        }
        Ok(Self { name: name.to_owned(), practice: false })
    }

    /// The same on a practice range: addresses for documentation (RFC 5737, RFC 3849) and benchmarks are taken.
    #[must_use]
    pub fn for_practice(self) -> Self {
        Self { practice: true, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the table where there is none: sets, and chains for what is forwarded and what the machine sends.
    pub fn make(&self) -> String {
        let name = &self.name;
        let mut script = format!("add table inet {name} {{ comment \"{MARK}\"; }}\n");
        for (set, sort) in SETS {
            let _ = writeln!(script, "add set inet {name} {set} {{ type {sort}; flags timeout; }}");
        }
        for hook in ["forward", "output"] {
            let how = format!("type filter hook {hook} priority -10; policy accept;");
            let _ = writeln!(script, "add chain inet {name} {hook} {{ {how} }}");
            for rule in RULES {
                // Told at once, so that a client goes on to its next address.
                let then = "counter reject with icmpx admin-prohibited";
                let _ = writeln!(script, "add rule inet {name} {hook} {rule} {then}");
            }
        }
        script
    }

    /// True where `nft list table` shows our mark.
    pub(crate) fn is_ours(listed: &str) -> bool {
        let mark = format!("comment \"{MARK}\"");
        listed.lines().any(|line| line.trim() == mark)
    }

    /// One transaction: these are held so long from now on, whether they were or not, and those no more. A
    /// value in both is held no more.
    ///
    /// # Errors
    /// The first value that cannot be written.
    pub fn change(&self, hold: &[Element], lift: &[Item]) -> Result<String, Refusal> {
        let lifted: BTreeSet<&Item> = lift.iter().collect();
        let mut hold = self.checked(hold)?;
        hold.retain(|item, _| !lifted.contains(item));
        let mut script = String::new();
        // A delete of what is not there fails the whole: so it is added first, in the same transaction.
        let gone: Vec<&Item> = lifted.into_iter().chain(hold.keys().copied()).collect();
        if let Some(name) = gone.iter().find(|item| item.address().is_none()) {
            return Err(Refusal::Name((*name).clone()));
        }
        self.each_set(&mut script, "add", gone.iter().map(|item| (*item, None)));
        self.each_set(&mut script, "delete", gone.iter().map(|item| (*item, None)));
        self.each_set(&mut script, "add", hold.iter().map(|(item, life)| (*item, Some(*life))));
        Ok(script)
    }

    /// One transaction: these are held, and nothing else.
    ///
    /// # Errors
    /// The first value that cannot be written.
    pub fn replace(&self, hold: &[Element]) -> Result<String, Refusal> {
        let hold = self.checked(hold)?;
        let mut script = String::new();
        for (set, _) in SETS {
            let _ = writeln!(script, "flush set inet {} {set}", self.name);
        }
        self.each_set(&mut script, "add", hold.iter().map(|(item, life)| (*item, Some(*life))));
        Ok(script)
    }

    /// One transaction: the table anew as [`Table::make`] makes it, with these and nothing else in it.
    ///
    /// # Errors
    /// The first value that cannot be written.
    pub fn rebuild(&self, hold: &[Element]) -> Result<String, Refusal> {
        let hold = self.checked(hold)?;
        let mut script = self.remove() + &self.make();
        self.each_set(&mut script, "add", hold.iter().map(|(item, life)| (*item, Some(*life))));
        Ok(script)
    }

    /// Removes the table and all in it, where it is: a firewall as if we had never been. For a unit's
    /// `ExecStopPost=` too.
    pub fn remove(&self) -> String {
        let name = &self.name;
        format!("add table inet {name}\ndelete table inet {name}\n")
    }

    /// Each value once, with the shortest of its lives.
    fn checked<'a>(&self, hold: &'a [Element]) -> Result<BTreeMap<&'a Item, Duration>, Refusal> {
        if hold.len() > MAX_ELEMENTS {
            return Err(Refusal::Many(hold.len()));
        }
        let mut checked = BTreeMap::new();
        for Element { item, life } in hold {
            let Some(address) = item.address() else { return Err(Refusal::Name(item.clone())) };
            let refused = special(address).filter(|found| !(self.practice && found.is_practice()));
            if let Some(found) = refused {
                return Err(Refusal::Special(item.clone(), found));
            }
            if life.as_millis() == 0 || *life > MAX_LIFE {
                return Err(Refusal::Life(item.clone(), *life));
            }
            let shortest = checked.entry(item).or_insert(*life);
            *shortest = (*shortest).min(*life);
        }
        Ok(checked)
    }

    fn each_set<'a>(
        &self,
        script: &mut String,
        verb: &str,
        elements: impl Iterator<Item = (&'a Item, Option<Duration>)>,
    ) {
        let mut of_sets: BTreeMap<&str, String> = BTreeMap::new();
        for (item, life) in elements {
            let Some((set, text)) = element(item) else { continue };
            let list = of_sets.entry(set).or_default();
            if !list.is_empty() {
                list.push_str(", ");
            }
            list.push_str(&text);
            if let Some(life) = life {
                let _ = write!(list, " timeout {}ms", life.as_millis());
            }
        }
        for (set, list) in of_sets {
            let _ = writeln!(script, "{verb} element inet {} {set} {{ {list} }}", self.name);
        }
    }
}

/// The set of an item, and how it is written there. No name, and no text but of addresses and numbers.
fn element(item: &Item) -> Option<(&'static str, String)> {
    match item {
        Item::Name(_) => None,
        Item::Address(ip @ IpAddr::V4(_)) => Some(("v4", ip.to_string())),
        Item::Address(ip @ IpAddr::V6(_)) => Some(("v6", ip.to_string())),
        Item::Endpoint(at) => {
            let set = if at.is_ipv4() { "v4_port" } else { "v6_port" };
            Some((set, format!("{} . {}", at.ip(), at.port())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(text: &str, seconds: u64) -> Element {
        Element { item: Item::parse(text).unwrap(), life: Duration::from_secs(seconds) }
    }

    #[test]
    fn a_renewal_is_a_delete_and_an_add_and_a_lift_wins() {
        let table = Table::new("vigie").unwrap().for_practice();
        let hold = [
            held("198.51.100.7", 9),
            held("198.51.100.7", 5),
            held("[2001:db8::7]:443", 60),
            held("198.51.100.8", 7),
        ];
        let script = table.change(&hold, &[Item::parse("198.51.100.8").unwrap()]).unwrap();
        let wanted = "add element inet vigie v4 { 198.51.100.8, 198.51.100.7 }\n\
                      add element inet vigie v6_port { 2001:db8::7 . 443 }\n\
                      delete element inet vigie v4 { 198.51.100.8, 198.51.100.7 }\n\
                      delete element inet vigie v6_port { 2001:db8::7 . 443 }\n\
                      add element inet vigie v4 { 198.51.100.7 timeout 5000ms }\n\
                      add element inet vigie v6_port { 2001:db8::7 . 443 timeout 60000ms }\n";
        assert_eq!(script, wanted);
        assert_eq!(table.change(&[], &[]).unwrap(), "");
    }

    #[test]
    fn what_is_no_hosts_own_address_or_has_no_end_is_refused() {
        let table = Table::new("vigie").unwrap();
        for (text, seconds) in [
            ("192.0.2.7", 5),
            ("127.0.0.1", 5),
            ("10.0.0.1:80", 5),
            ("::1", 5),
            ("fe80::1", 5),
            ("224.0.0.1", 5),
            ("255.255.255.255", 5),
            ("::ffff:1.1.1.1", 5),
        ] {
            let refused = table.change(&[held(text, seconds)], &[]);
            assert!(matches!(refused, Err(Refusal::Special(..))), "{text}: {refused:?}");
            assert!(table.replace(&[held("1.1.1.1", 5), held(text, seconds)]).is_err(), "{text}");
        }
        let name = held("tv.stream.example", 5);
        assert!(matches!(table.change(std::slice::from_ref(&name), &[]), Err(Refusal::Name(_))));
        assert!(matches!(table.change(&[], &[name.item]), Err(Refusal::Name(_))));
        for seconds in [0, 91 * 86_400 + 1] {
            let refused = table.change(&[held("1.1.1.1", seconds)], &[]);
            assert!(matches!(refused, Err(Refusal::Life(..))), "{seconds}");
        }
        let many = vec![held("1.1.1.1", 5); MAX_ELEMENTS + 1];
        assert!(matches!(table.replace(&many), Err(Refusal::Many(_))));
        for name in ["", "a b", "Vigie", "a;b", "vigie{", &"a".repeat(33)] {
            assert!(Table::new(name).is_err(), "{name:?}");
        }
    }
}
