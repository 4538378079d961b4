//! Quotas: a bucket of tokens a party. It holds a minute's worth and fills evenly; a request takes one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Requests a minute for the pages that are there for anybody, of who is not signed in, by network.
pub(super) const LOOKS: u64 = 600;
/// The most buckets of who is not signed in. Who comes beyond them shares one.
pub const MAX_SOURCES: usize = 10_000;

/// Who shares a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// All people and keys of an organisation. There are at most as many as can be registered.
    Organisation(String),
    /// Who is not signed in, by the network they ask from.
    Source(IpAddr),
    /// The same, on the pages that are there for anybody: thousands share one address of a carrier, and none of
    /// them is kept from an answer by who tries passwords there.
    Looks(IpAddr),
    /// Those beyond [`MAX_SOURCES`], together.
    Others,
}

impl Payer {
    /// The network of an address: an IPv4 address itself, the /64 of an IPv6 address, which one customer
    /// has whole.
    pub(super) fn of_source(source: IpAddr) -> Self {
        Self::Source(network(source))
    }

    /// True of who is not signed in: of those so many buckets are kept.
    fn is_source(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Looks(_))
    }
}

/// The network that an address is counted by: an IPv4 address itself, the /64 of an IPv6 address.
pub fn network(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(of) => {
            let network = u128::from(of) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
        of => of,
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Tokens, in millionths.
    left: u64,
    at: Instant,
    /// Whoever it is of may have so many a minute.
    per_minute: u64,
}

/// One token, in the unit of buckets.
const TOKEN: u64 = 1_000_000;

impl Bucket {
    /// What it holds at that moment: `per_minute` tokens at most, and as many in a minute.
    fn filled(self, per_minute: u64, now: Instant) -> Self {
        let most = per_minute.saturating_mul(TOKEN);
        let passed = now.saturating_duration_since(self.at).min(Duration::from_secs(60));
        // At most 60 s of at most 600,000 a minute: far below 2^64.
        let grown = per_minute.saturating_mul(passed.as_micros() as u64) / 60;
        Self { left: self.left.saturating_add(grown).min(most), at: now, per_minute }
    }
}

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    table: HashMap<Payer, Bucket>,
    sources: usize,
    /// When full buckets were last thrown away: at most once a second, since all are looked at.
    swept: Option<Instant>,
}

impl Buckets {
    /// Takes one token of `payer`, who may have `per_minute` a minute.
    ///
    /// # Errors
    /// The whole seconds until there is one, at least 1.
    pub(super) fn take(&mut self, payer: Payer, per_minute: u64, now: Instant) -> Result<(), u64> {
        let per_minute = per_minute.max(1);
        let payer = self.placed(payer, now);
        let full = Bucket { left: per_minute.saturating_mul(TOKEN), at: now, per_minute };
        let bucket = self.table.entry(payer).or_insert(full);
        *bucket = bucket.filled(per_minute, now);
        match bucket.left.checked_sub(TOKEN) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => {
                let lacking = (TOKEN - bucket.left).saturating_mul(60);
                Err(lacking.div_ceil(per_minute.saturating_mul(1_000_000)).max(1))
            }
        }
    }

    /// The payer, or [`Payer::Others`] where there is no room for another source. A bucket that is full
    /// again holds nothing that is worth keeping.
    fn placed(&mut self, payer: Payer, now: Instant) -> Payer {
        if !payer.is_source() || self.table.contains_key(&payer) {
            return payer;
        }
        let fresh = |at: Instant| now.saturating_duration_since(at) < Duration::from_secs(1);
        if self.sources >= MAX_SOURCES && !self.swept.is_some_and(fresh) {
            self.swept = Some(now);
            self.table.retain(|payer, bucket| {
                let most = bucket.per_minute.saturating_mul(TOKEN);
                !payer.is_source() || bucket.filled(bucket.per_minute, now).left < most
            });
            self.sources = self.table.keys().filter(|payer| payer.is_source()).count();
        }
        if self.sources >= MAX_SOURCES {
            return Payer::Others;
        }
        self.sources += 1;
        payer
    }

    /// Buckets there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }
}
