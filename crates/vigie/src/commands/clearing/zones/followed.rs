//! Each new serial of the feed becomes a step of the zones it touches: of everybody's, and of those of ISPs that have
//! their own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use desk::clearing::House;
use shield::feed::{Delta, History, Row, Whose};
use shield::order::State;
use shield::order::words::Organisation;
use shield_dns::{Access, Fqdn, MAX_HOT, Place, Publisher, Zones};

use super::serial;

/// The zones of one view with what stands in them.
struct Kept {
    whose: Whose,
    zones: Zones,
    /// The serial that they are at; `None` before the first.
    at: Option<u64>,
    /// True where a stop had them emptied.
    shut: bool,
}

/// The zones, everybody's and those of ISPs that have their own, as the feed has it.
pub(in crate::commands::clearing) struct Followed {
    all: Kept,
    /// Of each ISP that a client is: once it has a view of its own, and from then on. Its serials and steps are its
    /// own from there, so nobody goes back to everybody's before a start.
    own: BTreeMap<Organisation, Kept>,
    /// Which ISPs clients are.
    isps: BTreeSet<Organisation>,
    publisher: Option<Publisher>,
    /// Names for some ISPs alone, of which one has no zones of its own: they stand in none of its.
    apart: BTreeSet<String>,
    /// ISPs that are stopped alone, and that no client is: what they take goes on.
    stopped: BTreeSet<Organisation>,
}

impl Kept {
    /// Everybody's.
    fn all(zones: Zones) -> Self {
        Self { whose: Whose::All, zones, at: None, shut: false }
    }

    /// An ISP's own, that begins as everybody's are.
    fn own(isp: &Organisation, all: &Self) -> Self {
        Self { whose: Whose::Isp(isp.clone()), zones: all.zones.fork(), at: None, shut: all.shut }
    }

    /// The step that leads on from where it is.
    fn step<'h>(&self, history: &'h History) -> Option<&'h Delta> {
        // No step leads across a stop that empties all or is over: what else came with it is not all that changed.
        let at = history.place().serial;
        let last = history.last().filter(|_| !self.shut);
        last.filter(|delta| Some(delta.from()) == self.at && delta.to() == at)
    }

    /// Follows the feed to where it is, everybody's zones before it where it is an ISP's own; gives what could not be
    /// told by DNS.
    fn follow(&mut self, house: &House, history: &History, all: Option<&Zones>) -> Vec<String> {
        let (state, now) = (house.state(), serial(house.case().len()));
        let current = history.current();
        if self.at == Some(history.place().serial) {
            return Vec::new();
        }
        let mut moves = Moves { hot_now: self.zones.hot(), ..Moves::default() };
        if self.whose.is_shut(current.gates()) {
            // All of it at once, however much: that takes no time.
            if !std::mem::replace(&mut self.shut, true) {
                self.zones.clear(now);
            }
            self.at = Some(history.place().serial);
            return Vec::new();
        }
        match (self.step(history), all) {
            (Some(step), _) => {
                for change in step.changes() {
                    let Some(name) = change.value.name() else { continue };
                    let wants = change.after.as_ref().and_then(|row| self.wanted(state, row));
                    moves.one(&self.zones, name.as_str(), wants);
                }
            }
            (None, Some(all)) => {
                // As everybody's are, but for what rows say of this ISP.
                if self.shut || self.at.is_some() {
                    self.zones.become_as(all, now);
                }
                moves.hot_now = self.zones.hot();
                for row in current.rows().filter(|row| row.for_some().next().is_some()) {
                    let Some(name) = row.value().name() else { continue };
                    moves.one(&self.zones, name.as_str(), self.wanted(state, row));
                }
            }
            (None, None) => {
                let rows = current.rows();
                let wanted: HashMap<String, Place> = rows
                    .filter_map(|row| {
                        let place = self.wanted(state, row)?;
                        Some((row.value().name()?.as_str().to_owned(), place))
                    })
                    .collect();
                let there = self.zones.view();
                let there = there.zones().iter().flat_map(|zone| zone.names());
                for name in there.map(|name| name.to_string()) {
                    if !wanted.contains_key(&name) {
                        moves.one(&self.zones, &name, None);
                    }
                }
                for (name, place) in wanted {
                    moves.one(&self.zones, &name, Some(place));
                }
            }
        }
        (self.at, self.shut) = (Some(history.place().serial), false);
        self.make(moves, now)
    }

    /// In which zone a row's name stands: an event's in the hot one.
    fn wanted(&self, state: &State, row: &Row) -> Option<Place> {
        let entry = self.whose.of(row)?;
        let event = state.ticket(entry.ticket()).is_some_and(|ticket| ticket.event.is_some());
        Some(if event { Place::Hot } else { Place::Cold })
    }

    fn make(&mut self, moves: Moves, now: u64) -> Vec<String> {
        let mut told = moves.odd;
        for (place, add, remove) in
            [(Place::Hot, moves.hot, moves.hot_gone), (Place::Cold, moves.cold, moves.cold_gone)]
        {
            if add.is_empty() && remove.is_empty() {
                continue;
            }
            if let Err(error) = self.zones.change(place, &add, &remove, now) {
                told.push(format!("the zones: {error}"));
                // What is lifted is opened whatever else has no room.
                let _ = self.zones.change(place, &[], &remove, now);
            }
        }
        told
    }
}

impl Followed {
    pub(in crate::commands::clearing) fn new(zones: Zones, isps: BTreeSet<Organisation>) -> Self {
        let (all, own) = (Kept::all(zones), BTreeMap::new());
        Self { all, own, isps, publisher: None, apart: BTreeSet::new(), stopped: BTreeSet::new() }
    }

    /// Who serves them from now on.
    pub(in crate::commands::clearing) fn serve(&mut self, publisher: Publisher) {
        publisher.zones(self.view());
        self.publisher = Some(publisher);
    }

    /// Who may take them from now on, and which ISPs they are: a transfer to one who is struck off ends. Zones of an
    /// ISP's own are there once it is followed again.
    pub(in crate::commands::clearing) fn access(
        &mut self,
        access: Access,
        isps: BTreeSet<Organisation>,
    ) {
        // Zones of one that no client is any more are followed on; what does not reach it is told again.
        self.isps = isps;
        if let Some(publisher) = &self.publisher {
            publisher.access(access);
        }
    }

    /// The zones as they are.
    pub(in crate::commands::clearing) fn view(&self) -> Arc<shield_dns::View> {
        let own = self.own.iter();
        let own = own.map(|(isp, kept)| (isp.as_str().to_owned(), kept.zones.view()));
        self.all.zones.view().with_own(own.collect())
    }

    /// How many names stand in them.
    pub(in crate::commands::clearing) fn len(&self) -> usize {
        self.all.zones.len()
    }

    /// Follows the feed to where it is; gives what could not be told by DNS.
    pub(in crate::commands::clearing) fn follow(&mut self, house: &House) -> Vec<String> {
        let Some(feed) = house.feed() else { return Vec::new() };
        let history = feed.history();
        let mut told = self.note_stopped(history);
        told.extend(self.note_apart(history));
        told.extend(self.all.follow(house, history, None));
        let apart = history.current().apart();
        for isp in self.isps.iter().filter(|isp| apart.contains(isp)) {
            self.own.entry(isp.clone()).or_insert_with(|| Kept::own(isp, &self.all));
        }
        for kept in self.own.values_mut() {
            told.extend(kept.follow(house, history, Some(&self.all.zones)));
        }
        if let Some(publisher) = &self.publisher {
            publisher.zones(self.view());
        }
        told
    }

    /// Notes which ISPs are stopped alone though no client is theirs, and tells of those that are new.
    fn note_stopped(&mut self, history: &History) -> Vec<String> {
        let gates = history.current().gates();
        let now: BTreeSet<Organisation> =
            gates.isps().filter(|isp| !self.isps.contains(*isp)).cloned().collect();
        let line = |isp: &Organisation| {
            format!(
                "what {isp} gets is stopped, and no client of the zones says that it is {isp}: where it takes them, it goes \
                 on blocking. Say it at the client (isp = \"{isp}\" in the file of --dns; of one that was served before \
                 that takes a restart), or stop everything"
            )
        };
        let told = now.difference(&self.stopped).map(line).collect();
        self.stopped = now;
        told
    }

    /// Notes which names are for ISPs that have no zones of their own, and tells of those that are new.
    fn note_apart(&mut self, history: &History) -> Vec<String> {
        let isps = &self.isps;
        let is_apart = |row: &Row| {
            row.for_all().is_none() && row.for_some().any(|(isp, _)| !isps.contains(isp))
        };
        let mut new = Vec::new();
        match self.all.step(history) {
            Some(step) => {
                for change in step.changes() {
                    let Some(name) = change.value.name() else { continue };
                    if !change.after.as_ref().is_some_and(is_apart) {
                        self.apart.remove(name.as_str());
                    } else if self.apart.insert(name.to_string()) {
                        new.push(name.to_string());
                    }
                }
            }
            None => {
                let rows = history.current().rows().filter(|row| is_apart(row));
                let now: BTreeSet<String> =
                    rows.filter_map(|row| Some(row.value().name()?.to_string())).collect();
                new.extend(now.difference(&self.apart).cloned());
                self.apart = now;
            }
        }
        let Some(first) = new.first() else { return Vec::new() };
        let more =
            if new.len() > 1 { format!(" and {} more", new.len() - 1) } else { String::new() };
        vec![format!(
            "{first}{more}: in force for some ISPs alone, of whom one or more get no zones of their own: in the zones that \
             they take it does not stand. Say at their client which ISP it is (isp = \"NAME\" in the file of --dns), or have \
             them follow the feed (docs/dns-feed.md)"
        )]
    }
}

/// What goes where.
#[derive(Default)]
struct Moves {
    hot: Vec<Fqdn>,
    hot_gone: Vec<Fqdn>,
    cold: Vec<Fqdn>,
    cold_gone: Vec<Fqdn>,
    /// How many are hot once all of it is done.
    hot_now: usize,
    odd: Vec<String>,
}

impl Moves {
    fn one(&mut self, zones: &Zones, name: &str, place: Option<Place>) {
        let name = match Fqdn::parse(name) {
            Ok(name) => name,
            Err(error) => return self.odd.push(format!("{name} stands in no zone: {error}")),
        };
        let before = zones.place(&name);
        // A hot zone that is full is small no more: what has no room there is blocked all the same.
        let full = before != Some(Place::Hot) && self.hot_now >= MAX_HOT;
        let place = match place {
            Some(Place::Hot) if full => Some(Place::Cold),
            other => other,
        };
        if before == place {
            return;
        }
        match before {
            Some(Place::Hot) => {
                self.hot_now -= 1;
                self.hot_gone.push(name.clone());
            }
            Some(Place::Cold) => self.cold_gone.push(name.clone()),
            None => {}
        }
        match place {
            Some(Place::Hot) => {
                self.hot_now += 1;
                self.hot.push(name);
            }
            Some(Place::Cold) => self.cold.push(name),
            None => {}
        }
    }
}
