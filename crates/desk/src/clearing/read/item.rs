//! An item, as it stands in tables.

use shield::item::Kind;
use shield::measure::Bar;
use shield::order::machine::Machine;
use shield::order::state::Live;
use shield::order::turn::Notice;
use shield::order::words::{Organisation, Person};
use shield::order::{ItemId, Moment, Outcome, Stage, Value};

use super::House;
use crate::clearing::said::Count;

/// An item that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemView {
    /// Which.
    pub id: ItemId,
    /// What is to be blocked.
    pub value: Value,
    /// What was written, where that is another text.
    pub written: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// For whom it was reported.
    pub reporter: Organisation,
    /// By whom.
    pub person: Person,
    /// When.
    pub at: Moment,
    /// Since when it is at this stage, of what is held, in force or suspended.
    pub since: Option<Moment>,
    /// In force or suspended: when it expires. Else: when its window ends and it is refused.
    pub until: Option<Moment>,
    /// What the check found, once it ran.
    pub outcome: Option<Outcome>,
    /// What holds it, by word.
    pub holds: Vec<&'static str>,
    /// The capture it rests on.
    pub capture: Option<model::ExhibitId>,
    /// When that was taken.
    pub captured: Option<Moment>,
    /// Blocks of the value that were lifted for harm.
    pub faults: u32,
    /// True where an objection waits for a reviewer.
    pub objected: bool,
    /// At how many ISPs its value is measured to be blocked; `None`: nobody measures, or it is not out.
    pub bar: Option<Bar>,
    /// How many ISPs say that they block its value, or do not: of what is out.
    pub said: Count,
    /// True where the host of an address answered: an approval then needs grounds.
    pub answered: bool,
}

impl ItemView {
    pub(super) fn of(house: &House, id: ItemId, live: &Live) -> Option<Self> {
        let state = house.state();
        let ticket = state.ticket(id.ticket())?;
        let machine = &live.machine;
        let outcome = match machine {
            Machine::Checked(checked) => Some(&checked.outcome),
            Machine::Held(held) => held.outcome.as_ref(),
            Machine::InForce(in_force) => Some(&in_force.outcome),
            Machine::Suspended(suspended) => {
                suspended.found.as_ref().or(Some(&suspended.was.outcome))
            }
            Machine::Submitted(_) | Machine::Captured(_) | Machine::Ended(_) => None,
        };
        let since = match machine {
            Machine::Held(held) => Some(held.since),
            Machine::InForce(in_force) => Some(in_force.since),
            Machine::Suspended(suspended) => Some(suspended.since),
            _ => None,
        };
        let in_force = machine.in_force();
        let evidence = in_force.map(|block| &block.evidence).or_else(|| machine.evidence());
        let pending = machine.pending();
        let until = in_force.map(|block| block.expires);
        Some(Self {
            id,
            value: live.value.clone(),
            written: live.written.as_deref().map(str::to_owned),
            stage: machine.stage(),
            reporter: ticket.reporter.clone(),
            person: ticket.person.clone(),
            at: ticket.at,
            since,
            until: until.or_else(|| state.term(id.ticket()).map(|term| term.closes)),
            outcome: outcome.cloned(),
            holds: pending.map(|pending| pending.holds.words().collect()).unwrap_or_default(),
            capture: evidence.map(|evidence| evidence.exhibit),
            captured: evidence.map(|evidence| evidence.taken),
            faults: state.history(&live.value).map_or(0, |history| history.faults),
            objected: state.is_objected(id),
            bar: house.measure().bar(&live.value).filter(|bar| in_force.is_some() && bar.blocks),
            said: if in_force.is_some() {
                house.said().count(&live.value)
            } else {
                Count::default()
            },
            answered: pending.is_some_and(|pending| pending.notice == Notice::Answered),
        })
    }

    /// True where a person who is no second person to the reporter would be refused as one.
    pub fn needs_another_than(&self, person: &str, organisation: &str) -> bool {
        self.person.as_str() == person || self.reporter.as_str() == organisation
    }

    /// True of an address: an approval of one may give grounds not to wait for its host.
    pub fn is_address(&self) -> bool {
        self.value.kind() != Kind::Fqdn
    }
}
