//! The zones as served: a small hot one, a cold one cut in sixteen, and a catalog of them.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use domain::base::{Name, Serial, ToName};
use domain::rdata::{Ns, Ptr, Txt, ZoneRecordData};

use crate::access::Client;
use crate::fqdn::Fqdn;
use crate::zone::{Apex, Snapshot, Timers, WireName};

/// Into how many zones the cold names are cut. A resolver that builds a whole zone's policy anew for
/// each change (BIND) then does so for a sixteenth.
pub const COLD_ZONES: usize = 16;

/// The names in the hot zone at most: its use is that it is small.
pub const MAX_HOT: usize = 10_000;

/// The longest that an answer of these zones may be cached, in seconds: what is opened again is open
/// everywhere after it.
pub const MAX_TTL: u32 = 5;

/// Which list a name goes into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The event that runs: `hot.<suffix>`.
    Hot,
    /// What stays blocked beyond an event: one of `cold-0.<suffix>` … `cold-f.<suffix>`.
    Cold,
}

/// The names of the zones and what their apexes say.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What all zones lie under, as `rpz.vigie.example`.
    pub suffix: String,
    /// The contact in the SOA, in the form of a name (RFC 1035, 3.3.13).
    pub contact: String,
    /// The SOA's times; a TTL above [`MAX_TTL`] is taken for it.
    pub timers: Timers,
    /// Whether `catalog.<suffix>` lists the zones (RFC 9432).
    pub catalog: bool,
}

/// The longest suffix of a layout, in characters: with `cold-f.` before it and its own two octets more on the wire an
/// origin has 64 octets, which leave room for every name that the shield takes (190 octets).
pub const MAX_SUFFIX: usize = 55;

/// Why zones cannot be made, or a change not be taken. No part of a refused change is applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZonesError {
    /// A layout's name is none, or leaves too little room for the names under it.
    #[error("{0:?} is no name for zones: write a domain name of at most 100 characters")]
    Layout(String),
    /// A suffix under which not every name that can be blocked has room.
    #[error(
        "{0:?} is too long for the suffix of zones: {MAX_SUFFIX} characters at most, so that every name has room"
    )]
    Suffix(String),
    /// With the zone's origin behind it a name has more than 255 octets.
    #[error("{0} is too long to stand in the zone {1}: give the zones a shorter suffix")]
    Long(Fqdn, WireName),
    /// The hot zone would grow beyond its bound.
    #[error("the hot zone would hold {0} names, and {MAX_HOT} are the most: put more into Cold")]
    HotFull(usize),
}

/// All zones at one moment; what requests are answered from.
#[derive(Clone)]
pub struct View {
    zones: Vec<Arc<Snapshot>>,
    /// Zones of the same origins that some clients get in the place of these.
    own: BTreeMap<String, Arc<View>>,
}

impl View {
    /// These, and under each name those of the clients that have their own ([`Client::own`]).
    #[must_use]
    pub fn with_own(&self, own: BTreeMap<String, Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { zones: self.zones.clone(), own })
    }

    /// What a client gets, and under which name where that is its own.
    pub(crate) fn of(&self, client: &Client) -> (&Self, Option<&str>) {
        let own = client.own.as_ref().and_then(|name| self.own.get_key_value(name));
        own.map_or((self, None), |(name, view)| (&**view, Some(name.as_str())))
    }

    /// All zones there are, everybody's first, each with the name under which it is some clients' own.
    pub(crate) fn each(&self) -> impl Iterator<Item = (Option<&str>, &Arc<Snapshot>)> {
        let own = self.own.iter();
        let own =
            own.flat_map(|(name, of)| of.zones.iter().map(|zone| (Some(name.as_str()), zone)));
        self.zones.iter().map(|zone| (None, zone)).chain(own)
    }

    /// The names under which some clients have their own.
    pub(crate) fn owners(&self) -> impl Iterator<Item = &String> {
        self.own.keys()
    }

    /// The zone of an origin, whatever the case of its letters.
    pub fn zone(&self, origin: &impl ToName) -> Option<&Arc<Snapshot>> {
        self.zones.iter().find(|zone| zone.origin().name_eq(origin))
    }

    /// The zone under which a name lies: its own if it is an origin.
    pub(crate) fn holds(&self, name: &impl ToName) -> bool {
        self.zones.iter().any(|zone| name.ends_with(zone.origin()))
    }

    /// All zones: hot, the cold ones, the catalog.
    pub fn zones(&self) -> &[Arc<Snapshot>] {
        &self.zones
    }
}

/// The zones and their one writer.
pub struct Zones {
    view: Arc<View>,
}

impl Zones {
    /// Empty zones, whose serials begin with the time (Unix seconds).
    ///
    /// # Errors
    /// A name of the layout is none: [`ZonesError::Layout`].
    pub fn new(layout: &Layout, now: u64) -> Result<Self, ZonesError> {
        let name = |text: &str| -> Result<WireName, ZonesError> {
            let parsed = Name::from_str(text).ok().filter(|_| (1..=100).contains(&text.len()));
            parsed.ok_or_else(|| ZonesError::Layout(text.to_owned()))
        };
        let under = |first: &str| -> Result<WireName, ZonesError> {
            name(&layout.suffix)?;
            if layout.suffix.trim_end_matches('.').len() > MAX_SUFFIX {
                return Err(ZonesError::Suffix(layout.suffix.clone()));
            }
            let full = format!("{first}.{}", layout.suffix);
            Name::from_str(&full).map_err(|_| ZonesError::Layout(full))
        };
        let contact = name(&layout.contact)?;
        let primary = under("ns")?;
        let timers = Timers { ttl: layout.timers.ttl.min(MAX_TTL), ..layout.timers };
        // Unix time counted modulo 2^32, as serials are.
        #[allow(clippy::cast_possible_truncation)]
        let serial = Serial(now as u32);
        let zone = |origin: WireName, extras| {
            let (primary, contact) = (primary.clone(), contact.clone());
            let apex = Apex { origin, primary, contact, timers, extras };
            Arc::new(Snapshot::new(Arc::new(apex), serial))
        };
        let mut zones = Vec::with_capacity(COLD_ZONES + 2);
        let mut members = Vec::new();
        for label in labels() {
            let origin = under(&label)?;
            // A zone has an NS (RFC 1034, 4.2.1); nobody looks for the servers of these.
            let ns = (origin.clone(), ZoneRecordData::Ns(Ns::new(name("localhost")?)));
            members.push((label, origin.clone()));
            zones.push(zone(origin, vec![ns]));
        }
        if layout.catalog {
            zones.push(zone(under("catalog")?, catalog(&under, &name, members)?));
        }
        Ok(Self { view: Arc::new(View { zones, own: BTreeMap::new() }) })
    }

    /// Zones that are these as they are, with the steps that led to them, and from here on change by themselves. It
    /// costs nothing: they share what they have in common.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { view: Arc::clone(&self.view) }
    }

    /// Empties them, whatever stands in them, at once: whoever has more takes the empty zones whole. `now` is in Unix
    /// seconds.
    pub fn clear(&mut self, now: u64) {
        let zones = self.view.zones.iter().map(|zone| {
            if zone.is_empty() { Arc::clone(zone) } else { Arc::new(zone.over(None, now)) }
        });
        self.view = Arc::new(View { zones: zones.collect(), own: BTreeMap::new() });
    }

    /// Puts what stands in others of the same layout in the place of what stands in these, at once; whoever takes
    /// these takes them whole. `now` is in Unix seconds.
    pub fn become_as(&mut self, others: &Self, now: u64) {
        let pairs = self.view.zones.iter().zip(&others.view.zones);
        let zones = pairs.map(|(zone, other)| match (zone.is_empty(), other.is_empty()) {
            (true, true) => Arc::clone(zone),
            _ => Arc::new(zone.over(Some(other), now)),
        });
        self.view = Arc::new(View { zones: zones.collect(), own: BTreeMap::new() });
    }

    /// Where a name stands.
    pub fn place(&self, name: &Fqdn) -> Option<Place> {
        let holds = |at: usize| self.view.zones.get(at).is_some_and(|zone| zone.contains(name));
        if holds(0) {
            return Some(Place::Hot);
        }
        holds(1 + cold_zone(name)).then_some(Place::Cold)
    }

    /// How many names are hot.
    pub fn hot(&self) -> usize {
        self.view.zones.first().map_or(0, |zone| zone.len())
    }

    /// How many names stand in them.
    pub fn len(&self) -> usize {
        self.view.zones.iter().map(|zone| zone.len()).sum()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The zones as they are now.
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// Blocks and opens names in one place, and tells the origins of the zones that changed. What is
    /// blocked already and what is not blocked is left as it is; a name in both lists is blocked.
    /// `now` is in Unix seconds.
    ///
    /// # Errors
    /// A name fits into no zone, or too many are hot: nothing is changed.
    pub fn change(
        &mut self,
        place: Place,
        add: &[Fqdn],
        remove: &[Fqdn],
        now: u64,
    ) -> Result<Vec<WireName>, ZonesError> {
        let mut parts: Vec<(Vec<Fqdn>, Vec<Fqdn>)> = vec![Default::default(); COLD_ZONES + 1];
        let part = |name: &Fqdn| match place {
            Place::Hot => 0,
            Place::Cold => 1 + cold_zone(name),
        };
        for name in add {
            let at = part(name);
            if let Some(zone) = self.view.zones.get(at).filter(|zone| !zone.apex.fits(name)) {
                return Err(ZonesError::Long(name.clone(), zone.origin().clone()));
            }
            if let Some((added, _)) = parts.get_mut(at) {
                added.push(name.clone());
            }
        }
        for name in remove {
            if let Some((_, removed)) = parts.get_mut(part(name)) {
                removed.push(name.clone());
            }
        }
        let mut zones = self.view.zones.clone();
        let mut changed = Vec::new();
        for (zone, (added, removed)) in zones.iter_mut().zip(&parts) {
            if added.is_empty() && removed.is_empty() {
                continue;
            }
            if let Some(next) = zone.change(removed, added, now) {
                if place == Place::Hot && next.len() > MAX_HOT {
                    return Err(ZonesError::HotFull(next.len()));
                }
                changed.push(next.origin().clone());
                *zone = Arc::new(next);
            }
        }
        if !changed.is_empty() {
            self.view = Arc::new(View { zones, own: BTreeMap::new() });
        }
        Ok(changed)
    }
}

/// The first labels of hot and cold zones.
fn labels() -> impl Iterator<Item = String> {
    std::iter::once("hot".to_owned()).chain((0..COLD_ZONES).map(|n| format!("cold-{n:x}")))
}

/// In which of the cold zones a name lies: FNV-1a, 64 bits, over the name as text in lower case
/// without a dot at its end; its upper half laid over its lower by exclusive or; the last four bits.
/// The rule is part of the service: a name never moves from zone to zone.
pub fn cold_zone(name: &Fqdn) -> usize {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    usize::try_from((hash ^ (hash >> 32)) & 15).unwrap_or(0)
}

type Extras = Vec<(WireName, ZoneRecordData<Vec<u8>, WireName>)>;

/// The records of a catalog zone (RFC 9432, section 4): its version, and of each member a PTR under
/// an id that stays, and the group that it is in (`hot`, `cold`), by which a consumer can choose
/// settings.
fn catalog(
    under: &dyn Fn(&str) -> Result<WireName, ZonesError>,
    name: &dyn Fn(&str) -> Result<WireName, ZonesError>,
    members: Vec<(String, WireName)>,
) -> Result<Extras, ZonesError> {
    let text = |text: &str| {
        let txt = Txt::build_from_slice(text.as_bytes());
        txt.map(ZoneRecordData::Txt).map_err(|_| ZonesError::Layout(text.to_owned()))
    };
    let invalid = ZoneRecordData::Ns(Ns::new(name("invalid")?));
    let mut extras = vec![(under("catalog")?, invalid), (under("version.catalog")?, text("2")?)];
    for (label, origin) in members {
        let group = if label == "hot" { "hot" } else { "cold" };
        let id = format!("{label}.zones.catalog");
        extras.push((under(&id)?, ZoneRecordData::Ptr(Ptr::new(origin))));
        extras.push((under(&format!("group.{id}"))?, text(group)?));
    }
    Ok(extras)
}
