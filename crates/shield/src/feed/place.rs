//! Where a row stands among the others: by its value, found without looking at most of them.

use std::cmp::Ordering;
use std::net::IpAddr;

use equivalent::{Comparable, Equivalent};

use super::row::Row;
use crate::item::Item;

/// A row in its place.
#[derive(Debug, Clone)]
pub(super) struct ByValue {
    rank: u64,
    pub(super) row: Row,
}

/// The place of a value, to look for.
#[derive(Debug)]
pub(super) struct At<'a> {
    rank: u64,
    value: &'a Item,
}

impl ByValue {
    pub(super) fn new(row: Row) -> Self {
        Self { rank: rank(row.value()), row }
    }

    fn at(&self) -> At<'_> {
        At { rank: self.rank, value: self.row.value() }
    }
}

impl<'a> At<'a> {
    pub(super) fn of(value: &'a Item) -> Self {
        Self { rank: rank(value), value }
    }

    fn order(&self, other: &At<'_>) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| self.value.cmp(other.value))
    }
}

/// A value's first bytes as a number: of two values the lesser has no greater one. It stands beside the
/// row, so that a search among a million seldom has to fetch a name from wherever it lies.
fn rank(value: &Item) -> u64 {
    let (kind, bytes): (u8, [u8; 7]) = match value {
        Item::Name(name) => {
            let mut bytes = [0; 7];
            bytes.iter_mut().zip(name.as_str().bytes()).for_each(|(to, from)| *to = from);
            (0, bytes)
        }
        Item::Address(ip) => (1, first(*ip)),
        Item::Endpoint(endpoint) => (2, first(endpoint.ip())),
    };
    let [a, b, c, d, e, f, g] = bytes;
    u64::from_be_bytes([kind, a, b, c, d, e, f, g])
}

fn first(ip: IpAddr) -> [u8; 7] {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            [4, a, b, c, d, 0, 0]
        }
        IpAddr::V6(ip) => {
            let [a, b, c, d, e, f, ..] = ip.octets();
            [6, a, b, c, d, e, f]
        }
    }
}

impl PartialEq for ByValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for ByValue {}

impl PartialOrd for ByValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByValue {
    fn cmp(&self, other: &Self) -> Ordering {
        self.at().order(&other.at())
    }
}

impl Equivalent<ByValue> for At<'_> {
    fn equivalent(&self, placed: &ByValue) -> bool {
        self.order(&placed.at()) == Ordering::Equal
    }
}

impl Comparable<ByValue> for At<'_> {
    fn compare(&self, placed: &ByValue) -> Ordering {
        self.order(&placed.at())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Item> {
        let name = "[a-c]{1,9}(\\.[a-c]{1,3}){1,2}";
        let v6 = any::<u128>().prop_map(|n| std::net::Ipv6Addr::from(n >> (n % 100)).to_string());
        let v4 = any::<u32>().prop_map(|n| std::net::Ipv4Addr::from(n >> (n % 25)).to_string());
        let port = (any::<u32>(), 1..9_u16)
            .prop_map(|(n, port)| format!("{}:{port}", std::net::Ipv4Addr::from(n >> (n % 30))));
        prop_oneof![name, v6, v4, port].prop_map(|text| Item::parse(&text).expect("an item"))
    }

    proptest! {
        #[test]
        fn places_are_in_the_order_of_values(one in value(), two in value()) {
            prop_assert_eq!(At::of(&one).order(&At::of(&two)), one.cmp(&two));
        }
    }
}
