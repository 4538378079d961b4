//! The people of a network: who they are, and the names they go by.

use std::net::{IpAddr, Ipv4Addr};

use crate::checks::{self, Wallet};
use crate::net;
use crate::plan::Plan;
use crate::rng::Rng;
use crate::words;

/// A person, known to nobody but the truth.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) country: &'static str,
    /// Names on accounts: one for most, several for those who hide.
    pub(crate) faces: Vec<Face>,
    /// Addresses they work from.
    pub(crate) homes: Vec<Ipv4Addr>,
    pub(crate) wallets: Vec<Wallet>,
    /// Kin: people of one number know one another. 0 is none.
    pub(crate) kin: u32,
    /// Keys that are theirs, as material shows them.
    pub(crate) keys: Vec<String>,
}

/// A presented identity.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    pub(crate) name: String,
    pub(crate) user: String,
    pub(crate) mail: String,
    /// Digits with the country's prefix.
    pub(crate) phone: String,
    /// Telegram's number and handle.
    pub(crate) telegram: u64,
    pub(crate) handle: String,
}

fn face(rng: &mut Rng, n: u64) -> Face {
    let (first, last) = (*rng.pick(words::FIRST), *rng.pick(words::LAST));
    let (plain_first, plain_last) = (words::ascii(first), words::ascii(last));
    let host = rng.pick(words::MAIL_HOSTS);
    // The number keeps each of them apart from all others.
    Face {
        name: format!("{first} {last}"),
        user: format!("{}{}{n}", &plain_first[..3.min(plain_first.len())], rng.pick(words::BRANDS)),
        mail: format!("{plain_first}.{plain_last}{n}@{host}"),
        phone: words::phone(n),
        telegram: 7_000_000_000 + n * 7919 + rng.below(7919),
        handle: format!("{plain_last}_{n}"),
    }
}

/// Everybody. Every fifth goes by several names.
pub(crate) fn people(plan: &Plan, seed: u64) -> Vec<Person> {
    let base = Rng::named(seed, "people");
    let count = (plan.operators * 7 / 10).max(6);
    let mut faces = 0;
    (0..count)
        .map(|i| {
            let mut rng = base.item(i);
            let home = i as usize % plan.countries.min(net::HOMES.len());
            let several = if i % 5 == 1 { 2 + rng.index(3) } else { 1 };
            let own: Vec<Face> = (0..several)
                .map(|_| {
                    faces += 1;
                    face(&mut rng, faces)
                })
                .collect();
            let network = &net::HOMES[home];
            let homes = (0..1 + rng.index(3))
                .map(|_| network.v4(rng.below(u64::from(network.v4_count())) as u32))
                .collect();
            let wallets = (0..rng.index(3)).map(|_| checks::wallet(&mut rng)).collect();
            Person {
                name: own[0].name.clone(),
                country: network.country,
                faces: own,
                homes,
                wallets,
                kin: if i % 3 == 0 { 1 + (i / 3 % 2) as u32 } else { 0 },
                keys: Vec::new(),
            }
        })
        .collect()
}

impl Person {
    /// Notes that something in the material is this person's.
    pub(crate) fn owns(&mut self, key: &str) {
        if !self.keys.iter().any(|k| k == key) {
            self.keys.push(key.to_owned());
        }
    }

    /// One of the addresses they work from.
    pub(crate) fn home(&self, rng: &mut Rng) -> IpAddr {
        (*rng.pick(&self.homes)).into()
    }
}
