//! What captures showed of who else stands behind a value: names on an address, aliases of a name.
//!
//! A view of what this process captured, and of what the log says of captures of what is in force; it is made
//! anew after a start, as these are captured and checked again. It only adds to a finding: what it forgot, or has
//! not seen yet, makes none milder than the sets do.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use collect::Capture;
use collect::capture::Step;
use jiff::civil::Date;
use shield::Item;
use shield::item::Name;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// The most pairs of a generation, of which there are two: some 50 MB in all. What the older one holds, and was not
/// seen again since, is forgotten when the younger is full.
const MAX_PAIRS: usize = 200_000;
/// The most names of one certificate, and of one address or target, that are kept.
const MAX_NAMES: usize = 1_000;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    young: Generation,
    old: Generation,
}

#[derive(Debug, Default)]
struct Generation {
    /// Names by the address that they were seen on; an address that somebody asked and saw no name on, too.
    on: HashMap<IpAddr, BTreeMap<Name, Date>>,
    /// Names by the name that they are an alias of.
    of: HashMap<Name, BTreeMap<Name, Date>>,
    pairs: usize,
}

/// What was seen behind one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Behind {
    /// Names on its address; `None` where nobody looked.
    pub names: Option<Vec<Name>>,
    /// Aliases of its name.
    pub aliases: Vec<Name>,
    /// When any of it was seen last.
    pub date: Option<Date>,
}

impl Sight {
    /// Takes what a capture showed.
    pub(super) fn take(&mut self, capture: &Capture) {
        let date = date_of(capture.ended_ms);
        for step in &capture.steps {
            match step {
                Step::Looked { name, aliases, addresses, .. } => {
                    let Ok(name) = Name::parse(name) else { continue };
                    for target in aliases {
                        self.alias(target, &name, date);
                    }
                    for ip in addresses {
                        self.on(*ip, Some(&name), date);
                    }
                }
                Step::Asked { address, tls, .. } => {
                    self.on(address.ip(), None, date);
                    let names = tls.as_ref().and_then(|tls| tls.chain.first());
                    for name in names.map(|der| names_in(der)).unwrap_or_default() {
                        self.on(address.ip(), Some(&name), date);
                    }
                }
                Step::Refused { .. } | Step::Stopped { .. } => {}
            }
        }
    }

    /// Takes what the log says that a capture of a name showed: its addresses.
    pub(super) fn take_record(&mut self, name: &Name, addresses: &[IpAddr], date: Date) {
        for ip in addresses {
            self.on(*ip, Some(name), date);
        }
    }

    fn alias(&mut self, target: &str, name: &Name, date: Date) {
        let Ok(target) = Name::parse(target.trim_end_matches('.')) else { return };
        if target != *name {
            let generation = self.room();
            generation.pairs += put(generation.of.entry(target).or_default(), name, date);
        }
    }

    fn on(&mut self, ip: IpAddr, name: Option<&Name>, date: Date) {
        let generation = self.room();
        let names = generation.on.entry(ip.to_canonical()).or_insert_with(|| {
            generation.pairs += 1;
            BTreeMap::new()
        });
        generation.pairs += name.map_or(0, |name| put(names, name, date));
    }

    /// The young generation, with room for one more.
    fn room(&mut self) -> &mut Generation {
        if self.young.pairs >= MAX_PAIRS {
            self.old = std::mem::take(&mut self.young);
        }
        &mut self.young
    }

    /// What was seen behind a value.
    pub(super) fn behind(&self, value: &Item) -> Behind {
        let both = [&self.young, &self.old];
        let mut all: BTreeMap<&Name, Date> = BTreeMap::new();
        let found: Vec<_> = match value {
            Item::Name(name) => both.iter().filter_map(|one| one.of.get(name)).collect(),
            Item::Address(_) | Item::Endpoint(_) => {
                let ip = value.address().map(|ip| ip.to_canonical());
                both.iter().filter_map(|one| one.on.get(&ip?)).collect()
            }
        };
        for (name, date) in found.iter().copied().flatten() {
            let last = all.entry(name).or_insert(*date);
            *last = (*last).max(*date);
        }
        let date = all.values().max().copied();
        let names: Vec<Name> = all.into_keys().cloned().collect();
        match value {
            Item::Name(_) => Behind { names: None, aliases: names, date },
            _ => Behind { names: (!found.is_empty()).then_some(names), aliases: Vec::new(), date },
        }
    }
}

/// Adds a name; how many more there are by it.
fn put(names: &mut BTreeMap<Name, Date>, name: &Name, date: Date) -> usize {
    if let Some(last) = names.get_mut(name) {
        *last = (*last).max(date);
        return 0;
    }
    if names.len() >= MAX_NAMES {
        return 0;
    }
    names.insert(name.clone(), date);
    1
}

/// The names that a certificate is for. A wildcard's is the name that stands above: somebody has it. What is no
/// certificate names nobody.
fn names_in(der: &[u8]) -> Vec<Name> {
    let Ok(certificate) = Certificate::from_der(der) else { return Vec::new() };
    let found = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let Ok(Some((_, names))) = found else { return Vec::new() };
    let name = |general: &GeneralName| match general {
        GeneralName::DnsName(name) => {
            let name: &str = name.as_ref();
            Name::parse(name.strip_prefix("*.").unwrap_or(name)).ok()
        }
        _ => None,
    };
    names.0.iter().filter_map(name).take(MAX_NAMES).collect()
}

/// The day of a moment, in UTC; the first of all days where the calendar has none.
pub(super) fn date_of(ms: i64) -> Date {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests;
