//! What has to be captured and checked by now. A view, made anew of the state at each start.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::civil::Date;
use shield::item::Name;
use shield::order::exceptions::Cover;
use shield::order::schedule::Need;
use shield::order::{Deed, ItemId, Machine, Moment, State, Step, Turn};

use super::house::House;
use super::replay::Standing;
use super::rounds::DueCheck;
use super::standby;

/// The most items that one draw looks at.
const A_DRAW: usize = 4_096;

/// What is out and is not looked at again so long after it was due is said, in milliseconds: longer than a capture takes
/// and is tried again after.
const LATE_MS: u64 = 3 * 60_000;

/// What is to be checked.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// By now.
    checks: BTreeSet<ItemId>,
    /// Of those, what is checked for newer sets alone: by the sets alone.
    drawn: BTreeSet<ItemId>,
    /// What is judged again, as there is time: newer sets are known than those by which it was judged.
    again: Option<Again>,
}

/// A round over all items as a ring, the newest first. One that begins in the midst of another goes on from there and
/// around: however often it begins anew, the oldest have their turn.
#[derive(Debug, Clone, Copy)]
struct Again {
    /// All before this one are to come.
    before: ItemId,
    /// The last of them: from there on they had their turn in this round.
    down_to: ItemId,
    /// After those, all from the newest down to this one.
    then: Option<ItemId>,
}

impl Again {
    /// All, from the newest on; or around from where another round is.
    fn from(running: Option<Self>) -> Self {
        let newest = Self { before: ItemId(u64::MAX), down_to: ItemId(0), then: None };
        running.map_or(newest, |at| Self { then: Some(at.before), ..newest.at(at.before) })
    }

    fn at(self, before: ItemId) -> Self {
        Self { before, ..self }
    }

    /// Past the last one that was to come.
    fn next(self) -> Option<Self> {
        let down_to = self.then?;
        Some(Self { before: ItemId(u64::MAX), down_to, then: None })
    }
}

impl Due {
    /// What is due after a start: what was captured and not checked, and what somebody objected to or reported
    /// harm of just before the end, which waits for no grid.
    pub(super) fn new(state: &State) -> Self {
        let unchecked = |machine: &Machine| match machine {
            Machine::Captured(_) => true,
            Machine::Held(held) => held.evidence.is_some() && held.outcome.is_none(),
            _ => false,
        };
        let items = state.items().filter(|(_, live)| unchecked(&live.machine));
        let mut checks: BTreeSet<ItemId> = items.map(|(item, _)| item).collect();
        checks.extend(state.owed());
        Self { checks, drawn: BTreeSet::new(), again: None }
    }

    /// A check of the item was asked for.
    pub(super) fn asked(&mut self, item: ItemId) {
        self.checks.remove(&item);
        self.drawn.remove(&item);
    }

    /// Something of its own makes a check of the item due: then it is by all that is known.
    fn add(&mut self, item: ItemId) {
        self.checks.insert(item);
        self.drawn.remove(&item);
    }
}

/// A capture of a name, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Captured {
    pub(super) name: Name,
    /// The addresses that the name stood for, and those that were asked.
    pub(super) addresses: Vec<IpAddr>,
    /// The day on which it was taken.
    pub(super) date: Date,
}

/// True of what a check by newer sets can end, or hold.
fn is_judged(machine: &Machine) -> bool {
    match machine {
        Machine::Checked(_) | Machine::InForce(_) | Machine::Suspended(_) => true,
        Machine::Held(held) => held.outcome.is_some(),
        Machine::Submitted(_) | Machine::Captured(_) | Machine::Ended(_) => false,
    }
}

impl House {
    /// What has to be captured by now for a need, at most so many; each is then due again after a while.
    pub fn captures_due(&mut self, need: Need, most: usize) -> Vec<ItemId> {
        let now = self.now();
        let Standing { state, policy, .. } = &self.standing;
        let due = self.schedule.take_due(state, policy, now, need, most);
        due.into_iter().map(|(_, item)| item).collect()
    }

    /// What is out and was to be looked at again for longer than [`LATE_MS`] by now, and was not: how many, and since
    /// when the first.
    pub fn overdue(&self) -> Option<(u64, Moment)> {
        self.schedule.overdue(self.now().minus(LATE_MS))
    }

    /// What has to be checked by now, at most so many: what was captured, and what somebody objects to or
    /// reports harm of. It stays due until a check of it was asked for, so that none is lost on the way.
    pub fn checks_due(&mut self, most: usize) -> Vec<DueCheck> {
        // What could release anything is refused until the standby is back: it waits. What is out is checked on.
        let (alone, state) = (self.is_alone(), &self.standing.state);
        let now = |item: &&ItemId| !alone || standby::is_out(state, **item);
        // What is drawn comes after what is due by itself.
        let drawn = |item: &&ItemId| self.due.drawn.contains(item);
        let own = self.due.checks.iter().filter(|item| !drawn(item));
        let items = own.chain(self.due.checks.iter().filter(drawn)).filter(now);
        let items: Vec<ItemId> = items.take(most).copied().collect();
        let due = |item: ItemId| {
            let live = self.standing.state.item(item)?;
            let (value, again) = (live.value.clone(), self.due.drawn.contains(&item));
            let held = match &live.machine {
                Machine::Held(held) => held.outcome.as_ref().map(|outcome| outcome.verdict),
                _ => None,
            };
            let faults = self.standing.state.history(&value).map_or(0, |history| history.faults);
            Some(DueCheck { item, value, faults, again, held })
        };
        let checks: Vec<DueCheck> = items.iter().filter_map(|item| due(*item)).collect();
        // One that ended meanwhile is checked by nobody.
        self.due.checks.retain(|item| self.standing.state.item(*item).is_some());
        self.due.drawn.retain(|item| self.due.checks.contains(item));
        checks
    }

    /// An item was captured, whatever that came to.
    pub fn captured(&mut self, item: ItemId) {
        let now = self.now();
        self.schedule.captured(&self.standing.state, &self.standing.policy, item, now);
    }

    /// Whatever was judged is to be judged again, as there is time ([`House::draw_again`]): newer sets are known,
    /// or an exception is of what the state alone does not tell. A round that runs goes on, and around.
    pub fn check_all_again(&mut self) {
        self.due.again = Some(Again::from(self.due.again));
    }

    /// Makes some of what is to be judged again due, at most so many, the newest first; gives which. They stay
    /// due until their check was asked for, as any other. `names`: names, too, and not addresses alone.
    pub fn draw_again(&mut self, most: usize, names: bool) -> BTreeSet<ItemId> {
        let (mut drawn, mut looked) = (BTreeSet::new(), 0);
        let mut next = self.due.again.take();
        'round: while let Some(round) = next {
            next = round.next();
            let items = self.standing.state.items_before(Some(round.before));
            for (item, live) in items.take_while(|(item, _)| *item >= round.down_to) {
                looked += 1;
                if is_judged(&live.machine) && (names || live.value.name().is_none()) {
                    drawn.insert(item);
                }
                if drawn.len() >= most || looked >= A_DRAW {
                    self.due.again = Some(round.at(item));
                    break 'round;
                }
            }
        }
        // What is due by itself stays so.
        drawn.retain(|item| self.due.checks.insert(*item));
        self.due.drawn.extend(&drawn);
        drawn
    }

    /// An item that is judged again stays as it was judged.
    pub(super) fn stays(&mut self, item: ItemId) {
        self.due.asked(item);
    }

    /// What the log says of the captures of names on which these items rest: for who looks whose names stand on an
    /// address.
    pub(super) fn captures_of(&self, items: &BTreeSet<ItemId>) -> Vec<Captured> {
        let of = |item: &ItemId| {
            let live = self.standing.state.item(*item)?;
            let name = live.value.name()?.clone();
            let in_force = live.machine.in_force().map(|block| &block.evidence);
            let (body, _) = self.capture_on(in_force.or_else(|| live.machine.evidence())?)?;
            let addresses = body.addresses.iter().filter_map(|ip| ip.parse().ok()).collect();
            Some(Captured { name, addresses, date: body.ended.get(..10)?.parse().ok()? })
        };
        items.iter().filter_map(of).collect()
    }

    /// True while some of what was judged is to be judged again.
    pub fn is_checking_again(&self) -> bool {
        self.due.again.is_some()
    }

    /// Notes what a step makes due.
    pub(super) fn follow_due(&mut self, step: &Step) {
        match &step.deed {
            Deed::Turned { item, turn: Turn::Captured(_) | Turn::Uploaded { .. } }
            | Deed::Objected { item, .. } => self.due.add(*item),
            Deed::HarmGrouped { value } => {
                for item in self.standing.state.wanting(value) {
                    self.due.add(*item);
                }
            }
            // Which of what is in force lies in a system, the check says.
            Deed::ExceptionApproved { cover: Cover::System(_) } => self.check_all_again(),
            Deed::Turned { item, turn: Turn::NoticeAsked } => drop(self.notices.insert(*item)),
            Deed::Turned { item, turn: Turn::NoticeSent { .. } | Turn::HostAnswered { .. } } => {
                self.notices.remove(item);
            }
            _ => {}
        }
    }
}
