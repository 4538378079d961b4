//! What ends a block before its time, what it costs whom, and objections.

use std::collections::BTreeMap;

use model::Sha256Hex;

use super::Ask;
use crate::item::Item;
use crate::order::budget::Standing;
use crate::order::command::Upheld;
use crate::order::machine::{Machine, Stage};
use crate::order::refusal::Refusal;
use crate::order::state::{MAX_BY_WORD, MAX_OBJECTIONS, Objection};
use crate::order::step::{Deed, StopCause};
use crate::order::turn::{Cause, Charge, Denial, Turn};
use crate::order::words::{Grounds, Halt, ItemId, Organisation, Role, Scope};

impl Ask<'_> {
    pub(super) fn lift_item(
        &mut self,
        item: ItemId,
        collateral: Option<bool>,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        let (live, ticket) = self.live(item)?;
        if !self.is_reporter_of(ticket) && !self.actor.reviews() {
            return Err(Refusal::NotYours);
        }
        if live.machine.in_force().is_none() {
            return Err(Refusal::not_now(live.machine.stage(), "lifted"));
        }
        match collateral {
            None => self.lift(&[item], Cause::Withdrawn, false, Some(grounds), None),
            Some(grave) => {
                self.lift_value(&live.value, Cause::Collateral, grave, Some(grounds), None)
            }
        }
    }

    /// Ends every live item on a value: what is in force is lifted, what waits is refused.
    pub(super) fn lift_value(
        &mut self,
        value: &Item,
        cause: Cause,
        grave: bool,
        grounds: Option<&Grounds>,
        proof: Option<Sha256Hex>,
    ) -> Result<(), Refusal> {
        self.lift(self.state.wanting(value), cause, grave, grounds, proof)
    }

    /// Ends items on one value. An error is charged once to each reporter, however many of the items
    /// are its own; it is grave where any check of them, or who lifts, says so.
    pub(super) fn lift(
        &mut self,
        items: &[ItemId],
        cause: Cause,
        grave: bool,
        grounds: Option<&Grounds>,
        proof: Option<Sha256Hex>,
    ) -> Result<(), Refusal> {
        let mut erred: BTreeMap<Organisation, Charge> = BTreeMap::new();
        let lives: Vec<_> =
            items.iter().filter_map(|id| Some((*id, self.state.item(*id)?))).collect();
        let grave = grave
            || lives.iter().any(|(_, live)| {
                live.machine.in_force().is_some_and(|in_force| in_force.outcome.grave)
            });
        for (id, live) in lives {
            let turn = if live.machine.in_force().is_some() {
                let charge = self.charge(id, cause, grave, &mut erred);
                Turn::Lifted { cause, charge, grounds: grounds.cloned(), proof }
            } else {
                let denial = match cause {
                    Cause::Excepted => Denial::Excepted,
                    Cause::FailedCheck => Denial::Check,
                    _ => Denial::Harm,
                };
                Turn::Refused { denial, grounds: grounds.cloned() }
            };
            self.turn(id, &live.machine, turn)?;
        }
        for (reporter, charge) in erred {
            self.suspend_if_far_above(reporter, charge);
        }
        Ok(())
    }

    fn charge(
        &self,
        item: ItemId,
        cause: Cause,
        grave: bool,
        erred: &mut BTreeMap<Organisation, Charge>,
    ) -> Charge {
        let Some(ticket) = self.state.ticket(item.ticket()).filter(|_| cause.is_error()) else {
            return Charge::None;
        };
        if erred.contains_key(&ticket.reporter) {
            return Charge::None;
        }
        let charge = if grave { Charge::Grave } else { Charge::Error };
        erred.insert(ticket.reporter.clone(), charge);
        charge
    }

    fn suspend_if_far_above(&mut self, reporter: Organisation, charge: Charge) {
        let (count, _) = self.state.standing(&reporter, self.now, self.policy);
        let far = count.and(charge).standing(self.policy) == Standing::FarAbove;
        let scope = Scope::Reporter(reporter);
        if far && self.state.stop(&scope).is_none() {
            self.push(Deed::Stopped { scope, halt: Halt::Releases, why: StopCause::Budget });
        }
    }

    /// True where measurement may lift so many items more. Where it would lift too many at once it is
    /// rather the measurement that fails, or something that a person has to see: all stops.
    pub(super) fn measurement_may_lift(&mut self, more: u64) -> bool {
        let stands = self.state.stop(&Scope::All);
        if stands.is_some_and(|stop| stop.why == StopCause::Measured) {
            return false;
        }
        let recent = self.state.measured.within(self.policy.measured_window_ms, self.now);
        let lifted = recent + more;
        let all = self.state.count(Stage::InForce) + recent;
        let many =
            u128::from(lifted) * 100 > u128::from(all) * u128::from(self.policy.measured_percent);
        if !many || lifted <= self.policy.measured_least {
            return true;
        }
        // A graver stop that stands stays as grave.
        let halt = stands.map_or(Halt::Releases, |stop| stop.halt);
        self.push(Deed::Stopped { scope: Scope::All, halt, why: StopCause::Measured });
        false
    }

    /// An objection to each item that is in force on the value, and lacks this proof yet. Open ones are bounded,
    /// those by somebody's word apart from those of who showed control.
    pub(super) fn object(&mut self, value: &Item, proof: Sha256Hex) -> Result<(), Refusal> {
        self.needs(&[Role::Party, Role::Isp, Role::Reviewer, Role::Authority])?;
        let mut refusal = Refusal::NotInForce;
        for id in self.state.wanting(value) {
            let (live, ticket) = self.live(*id)?;
            if live.machine.in_force().is_none() {
                continue;
            }
            // What others said, and what was decided, takes no place of who shows control; nor do a reviewer's
            // same words.
            let proven = !self.actor.role.objects_by_word();
            let same = |objection: &Objection| objection.proven || !proven;
            let mut all = self.state.objections(*id);
            let known = all.any(|(known, objection)| *known == proof && same(objection));
            let open = self.state.objections(*id).filter(|(_, objection)| objection.open);
            let open = open.filter(|(_, objection)| objection.proven == proven).count();
            if known {
                refusal = Refusal::SameObjection;
            } else if open >= if proven { MAX_OBJECTIONS } else { MAX_BY_WORD } {
                refusal = Refusal::TooManyObjections;
            } else {
                let clock = match ticket.event {
                    Some(_) => self.policy.objection_event_ms,
                    None => self.policy.objection_site_ms,
                };
                self.push(Deed::Objected { item: *id, proof, due: self.now.plus(clock) });
            }
        }
        if self.steps.is_empty() { Err(refusal) } else { Ok(()) }
    }

    pub(super) fn decide_objection(
        &mut self,
        item: ItemId,
        proof: Sha256Hex,
        upheld: Upheld,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        self.needs_reviewer()?;
        let ticket = self.state.ticket(item.ticket()).ok_or(Refusal::NoItem { item })?;
        self.needs_reviewer_of_another(ticket)?;
        let open = self.state.objections(item).filter(|(_, objection)| objection.open);
        let (ours, others): (Vec<_>, Vec<_>) = open.partition(|(known, _)| **known == proof);
        let Some((_, objection)) = ours.first() else { return Err(Refusal::NoObjection) };
        let Some(live) = self.state.item(item) else {
            return self.decide_late(item, proof, upheld, objection, grounds);
        };
        match upheld {
            Upheld::Item => {
                self.lift(&[item], Cause::Objection, false, Some(grounds), Some(proof))?;
            }
            Upheld::Collateral => {
                let cause = Cause::Collateral;
                self.lift_value(&live.value, cause, false, Some(grounds), Some(proof))?;
            }
            Upheld::No => {
                let grounds = grounds.clone();
                self.push(Deed::ObjectionDismissed { item, proof, grounds: grounds.clone() });
                if others.is_empty() && matches!(live.machine, Machine::Suspended(_)) {
                    self.turn(item, &live.machine, Turn::Reinstated { grounds })?;
                }
            }
        }
        Ok(())
    }

    /// The item ended before anybody decided. An error is an error all the same; and where it hit
    /// others, whatever still blocks the value ends too.
    fn decide_late(
        &mut self,
        item: ItemId,
        proof: Sha256Hex,
        upheld: Upheld,
        objection: &Objection,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        let grounds = grounds.clone();
        if upheld == Upheld::No {
            self.push(Deed::ObjectionDismissed { item, proof, grounds });
            return Ok(());
        }
        let charge = if objection.grave { Charge::Grave } else { Charge::Error };
        let told = grounds.clone();
        self.push(Deed::ObjectionUpheld { item, proof, charge, grounds });
        if let Some(ticket) = self.state.ticket(item.ticket()) {
            self.suspend_if_far_above(ticket.reporter.clone(), charge);
        }
        if upheld == Upheld::Collateral {
            let (value, cause) = (&objection.value, Cause::Collateral);
            self.lift_value(value, cause, objection.grave, Some(&told), Some(proof))?;
        }
        Ok(())
    }

    pub(super) fn reinstate(&mut self, item: ItemId, grounds: &Grounds) -> Result<(), Refusal> {
        self.needs_reviewer()?;
        let (live, ticket) = self.live(item)?;
        self.needs_reviewer_of_another(ticket)?;
        if self.state.is_objected(item) {
            return Err(Refusal::DecideFirst);
        }
        self.turn(item, &live.machine, Turn::Reinstated { grounds: grounds.clone() })?;
        Ok(())
    }
}
