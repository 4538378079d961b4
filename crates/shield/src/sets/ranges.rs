//! A set of addresses: ranges in order, none overlapping another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ranges of both families.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Ranges {
    /// Adds `ip/prefix`: bits behind the prefix do not count. `None` where the prefix is longer than
    /// the address.
    pub(super) fn insert(&mut self, ip: IpAddr, prefix: Option<u32>) -> Option<()> {
        match ip {
            IpAddr::V4(ip) => {
                let prefix = prefix.unwrap_or(32);
                let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
                let first = u32::from(ip) & !host;
                (prefix <= 32).then(|| self.v4.push((first, first | host)))
            }
            IpAddr::V6(ip) => {
                let prefix = prefix.unwrap_or(128);
                let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
                let first = u128::from(ip) & !host;
                (prefix <= 128).then(|| self.v6.push((first, first | host)))
            }
        }
    }

    /// Puts the ranges in order and joins those that overlap. To be called once all are in.
    pub(super) fn settle(&mut self) {
        join(&mut self.v4);
        join(&mut self.v6);
    }

    /// The joined range that an address lies in.
    pub(super) fn find(&self, ip: IpAddr) -> Option<(IpAddr, IpAddr)> {
        match ip {
            IpAddr::V4(ip) => find(&self.v4, u32::from(ip))
                .map(|(a, b)| (Ipv4Addr::from(a).into(), Ipv4Addr::from(b).into())),
            IpAddr::V6(ip) => find(&self.v6, u128::from(ip))
                .map(|(a, b)| (Ipv6Addr::from(a).into(), Ipv6Addr::from(b).into())),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.v4.capacity() * size_of::<(u32, u32)>()
            + self.v6.capacity() * size_of::<(u128, u128)>()
    }
}

fn join<T: Ord + Copy>(ranges: &mut Vec<(T, T)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlap = next.0 <= kept.1;
        if overlap {
            kept.1 = kept.1.max(next.1);
        }
        overlap
    });
    ranges.shrink_to_fit();
}

fn find<T: Ord + Copy>(ranges: &[(T, T)], at: T) -> Option<(T, T)> {
    let after = ranges.partition_point(|(first, _)| *first <= at);
    let range = *ranges.get(after.checked_sub(1)?)?;
    (at <= range.1).then_some(range)
}
