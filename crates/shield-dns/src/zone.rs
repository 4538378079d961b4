//! One zone: what stands at its apex, its names at one serial, and how it came from serials before.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::base::{Name, Serial};
use domain::rdata::ZoneRecordData;

use crate::fqdn::Fqdn;
use crate::names::{Delta, Names};

/// A name in wire format that owns its octets.
pub type WireName = Name<Vec<u8>>;

/// The steps that a zone remembers at most.
pub const MAX_STEPS: usize = 4_096;
/// The names that all remembered steps of a zone move at most: who is further behind takes the whole
/// zone. What one incremental transfer holds in memory is bounded by it, too.
pub const MAX_STEP_NAMES: usize = 16_384;

/// The times of a zone, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// How often a secondary asks for the serial, where no NOTIFY came.
    pub refresh: u32,
    /// How soon it asks again after a failure.
    pub retry: u32,
    /// How long after the last contact the zone is still used (by those that heed it).
    pub expire: u32,
    /// How long an answer may be cached: every record's TTL, and the SOA's MINIMUM, which caps the
    /// caching of NXDOMAIN (RFC 2308, section 5).
    pub ttl: u32,
}

impl Default for Timers {
    /// Asked for each minute, again after ten seconds, dropped after a day without contact: a list
    /// that nobody can correct any more must not block for weeks. Answers are cached five seconds.
    fn default() -> Self {
        Self { refresh: 60, retry: 10, expire: 86_400, ttl: 5 }
    }
}

/// What stands at the apex of a zone and does not change with its names.
#[derive(Debug)]
pub(crate) struct Apex {
    pub(crate) origin: WireName,
    pub(crate) primary: WireName,
    pub(crate) contact: WireName,
    pub(crate) timers: Timers,
    /// What the zone holds beside SOA and names: its NS, and a catalog's records.
    pub(crate) extras: Vec<(WireName, ZoneRecordData<Vec<u8>, WireName>)>,
}

impl Apex {
    /// Whether a name with the origin behind it is within the 255 octets of a name.
    pub(crate) fn fits(&self, name: &Fqdn) -> bool {
        name.wire_len() + self.origin.as_slice().len() <= 255
    }
}

/// One step of a zone, from the serial before.
#[derive(Debug)]
struct Step {
    from: Serial,
    delta: Delta,
}

/// A version of a zone. It never changes, so that a transfer reads one version from its first record
/// to its last; versions share what they have in common.
#[derive(Clone)]
pub struct Snapshot {
    pub(crate) apex: Arc<Apex>,
    serial: Serial,
    pub(crate) names: Names,
    /// The last steps to this version, the oldest first.
    steps: VecDeque<Arc<Step>>,
    step_names: usize,
}

impl Snapshot {
    /// An empty zone.
    pub(crate) fn new(apex: Arc<Apex>, serial: Serial) -> Self {
        let (names, steps) = (Names::default(), VecDeque::new());
        Self { apex, serial, names, steps, step_names: 0 }
    }

    /// The zone's origin.
    pub fn origin(&self) -> &WireName {
        &self.apex.origin
    }

    /// The version's serial, ordered as RFC 1982 says.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// How many names are blocked.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a name is blocked.
    pub fn contains(&self, name: &Fqdn) -> bool {
        self.names.contains(name)
    }

    /// Bytes that the names take, those shared with other versions included.
    pub fn bytes(&self) -> usize {
        self.names.bytes()
    }

    /// The next version, or none where nothing would change. `remove` goes before `add`: a name in
    /// both stays. `now` is in Unix seconds.
    pub(crate) fn change(&self, remove: &[Fqdn], add: &[Fqdn], now: u64) -> Option<Self> {
        let delta = self.names.delta(remove, add);
        if delta.len() == 0 {
            return None;
        }
        let mut next = Self {
            apex: Arc::clone(&self.apex),
            serial: next_serial(self.serial, now),
            names: self.names.apply(&delta),
            steps: self.steps.clone(),
            step_names: self.step_names + delta.len(),
        };
        next.steps.push_back(Arc::new(Step { from: self.serial, delta }));
        while next.steps.len() > MAX_STEPS || next.step_names > MAX_STEP_NAMES {
            let Some(oldest) = next.steps.pop_front() else { break };
            next.step_names -= oldest.delta.len();
        }
        Some(next)
    }

    /// The next version, with what stands in another zone, or empty, and no step that leads to it.
    pub(crate) fn over(&self, other: Option<&Self>, now: u64) -> Self {
        let names = other.map(|other| other.names.clone()).unwrap_or_default();
        let serial = next_serial(self.serial, now);
        let after = other.map_or(serial, |other| {
            if other.serial >= serial { next_serial(other.serial, now) } else { serial }
        });
        let mut next = Self::new(Arc::clone(&self.apex), after);
        next.names = names;
        next
    }

    /// Each name that is blocked.
    pub fn names(&self) -> Vec<Fqdn> {
        self.names.fqdns()
    }

    /// What leads from an earlier serial to this version, as one step (RFC 1995, section 5, allows to
    /// condense), or none where the log does not reach back to it.
    ///
    /// The law: applied to the version at `from`, it gives this version; and it is the same as the
    /// difference between the two sets, however the steps went between them.
    pub(crate) fn since(&self, from: Serial) -> Option<Delta> {
        let first = self.steps.iter().rposition(|step| step.from == from)?;
        let mut moves = Vec::new();
        for (n, step) in self.steps.iter().skip(first).enumerate() {
            let removed = step.delta.removed.iter().map(|name| (name, n, false));
            let added = step.delta.added.iter().map(|name| (name, n, true));
            moves.extend(removed.chain(added));
        }
        moves.sort_unstable();
        let mut delta = Delta::default();
        // A name goes in and out by turns. Moved an even number of times it is where it was, and
        // otherwise its first move is what became of it.
        for moves in moves.chunk_by(|a, b| a.0 == b.0) {
            if let [(name, _, added), ..] = moves
                && moves.len() % 2 == 1
            {
                let list = if *added { &mut delta.added } else { &mut delta.removed };
                list.push((*name).clone());
            }
        }
        Some(delta)
    }
}

/// The serial after one, ordered as RFC 1982 says: the time, where that is later, so that a server
/// which begins anew is never behind what it served before; otherwise one more.
pub(crate) fn next_serial(serial: Serial, now: u64) -> Serial {
    // Unix time counted modulo 2^32, as the serials are.
    #[allow(clippy::cast_possible_truncation)]
    let time = Serial(now as u32);
    let next = serial.add(1);
    if time > next { time } else { next }
}
