//! Controls: names that nobody is to block. While one answers, silence about another tells something; and
//! one that fails where it answered before, while an unblocked vantage still gets it, is somebody's harm.

use std::net::IpAddr;
use std::sync::Arc;

use super::said::Side;
use super::target::Targets;
use crate::feed::row;
use crate::item::{Item, Name};
use crate::order::{Moment, State};

/// The most controls.
pub const MAX_CONTROLS: usize = 200;
/// An unblocked vantage's answer counts for so long.
pub(super) const UP_MS: u64 = 300_000;
/// A block explains a control's failing if it came at most so long before the control was last seen up:
/// resolvers may be late.
const LATE_MS: u64 = 900_000;
/// The most addresses of a control that are kept.
const MAX_ADDRESSES: usize = 8;

/// A control.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) name: Name,
    /// When the unblocked vantage answered last, and whether with addresses.
    pub(super) up: Option<(Moment, bool)>,
    /// Its addresses, as the vantage got them of late.
    pub(super) addresses: Vec<IpAddr>,
    /// True once the machine took it for lost; until it is seen up again.
    pub(super) lost: bool,
}

impl Control {
    pub(super) fn new(name: Name) -> Self {
        Self { name, up: None, addresses: Vec::new(), lost: false }
    }

    /// True while an unblocked vantage gets it.
    pub(super) fn is_up(&self, now: Moment) -> bool {
        self.up.is_some_and(|(at, up)| up && now.since(at) <= UP_MS)
    }

    pub(super) fn seen_at(&mut self, at: Moment, up: bool, address: Option<IpAddr>) {
        if self.up.is_some_and(|(before, _)| at < before) {
            return;
        }
        self.up = Some((at, up));
        if let Some(address) = address.filter(|address| !self.addresses.contains(address)) {
            if self.addresses.len() >= MAX_ADDRESSES {
                self.addresses.remove(0);
            }
            self.addresses.push(address);
        }
    }
}

/// The block that explains why a control fails since `failed`, which was last seen up at `seen_up`: the name
/// itself, the nearest name above it, an address of it, or else the newest block below the same registrable
/// domain. Only what is out counts, and came in time: not long before the control was still up.
pub(super) fn explain(
    state: &State,
    targets: &Targets,
    control: &Control,
    seen_up: Moment,
    failed: Moment,
) -> Option<Item> {
    let earliest = seen_up.minus(LATE_MS);
    let recent = |value: Item| {
        let value = Arc::new(value);
        let row = row(state, &value)?;
        let in_time = |since: Moment| since >= earliest && since <= failed;
        match value.name().and_then(|name| targets.number_of(name)) {
            Some(number) => {
                let target = targets.get(number)?;
                (target.wanted == Side::Blocked && in_time(target.since)).then_some(())?;
            }
            // An address is no target: its item says since when.
            None => {
                let mut entries = row.for_all().into_iter().chain(row.for_some().map(|(_, e)| e));
                let live = state.item(entries.next()?.item)?;
                in_time(live.machine.in_force()?.since).then_some(())?;
            }
        }
        Some((*value).clone())
    };
    let name = control.name.as_str();
    let above = crate::item::ancestors(name).filter_map(|name| Item::parse(name).ok());
    if let Some(found) = above.filter_map(&recent).next() {
        return Some(found);
    }
    let of_address = |address: &IpAddr| recent(Item::Address(*address));
    if let Some(found) = control.addresses.iter().find_map(of_address) {
        return Some(found);
    }
    let domain = psl::domain_str(name)?;
    let beside = targets
        .newest()
        .take_while(|target| target.since >= earliest)
        .filter(|target| target.wanted == Side::Blocked && target.since <= failed)
        .find(|target| {
            let name = target.name().and_then(|name| psl::domain_str(name.as_str()));
            name == Some(domain)
        })?;
    row(state, &beside.value).map(|_| (*beside.value).clone())
}
