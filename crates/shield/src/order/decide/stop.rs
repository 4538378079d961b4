//! Stop and resume, and exceptions: what takes blocks away at once, and what brings them back.

use std::collections::BTreeSet;

use super::Ask;
use crate::order::exceptions::{Cover, MAX_EXCEPTIONS, MAX_PROPOSED};
use crate::order::refusal::Refusal;
use crate::order::state::{MAX_STOPS, Value};
use crate::order::step::{Deed, StopCause};
use crate::order::turn::Cause;
use crate::order::words::{Grounds, Halt, Moment, Role, Scope};

impl Ask<'_> {
    /// One person of any office that answers for the scope stops it.
    fn needs_to_stop(&self, scope: &Scope) -> Result<(), Refusal> {
        let (state, own) = (self.state, &self.actor.organisation);
        let reporter = match scope {
            Scope::All | Scope::Isp(_) => None,
            Scope::Reporter(reporter) => Some(reporter),
            Scope::Ticket(ticket) => {
                let known = state.ticket(*ticket).ok_or(Refusal::NoTicket { ticket: *ticket })?;
                Some(&known.reporter)
            }
            Scope::Event(event) => {
                let event = state.event(event).ok_or(Refusal::NoEvent)?;
                state.order(&event.order).map(|order| &order.reporter)
            }
        };
        let may = match (self.actor.role, scope) {
            (Role::Reviewer | Role::Authority, _) => true,
            (Role::Reporter, _) => reporter == Some(own),
            (Role::Isp, Scope::Isp(isp)) => isp == own,
            _ => false,
        };
        if may { Ok(()) } else { Err(Refusal::NotYourOffice) }
    }

    /// How many stops may stand before this actor adds one.
    fn most_stops(&self) -> usize {
        match self.actor.role {
            Role::Reporter | Role::Isp => MAX_STOPS / 2,
            _ => MAX_STOPS,
        }
    }

    pub(super) fn stop(
        &mut self,
        scope: &Scope,
        halt: Halt,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        self.needs_to_stop(scope)?;
        if matches!(scope, Scope::Isp(_)) && halt == Halt::Releases {
            return Err(Refusal::IspOnlyLifts);
        }
        match self.state.stop(scope) {
            Some(stop) if stop.halt >= halt => return Err(Refusal::KnownStop),
            // That everything can be stopped is never out of reach; and who stops its own alone leaves room for
            // those who answer for all.
            None if self.state.stops.len() >= self.most_stops() && *scope != Scope::All => {
                return Err(Refusal::TooManyStops);
            }
            _ => {}
        }
        let why = StopCause::Person(grounds.clone());
        self.push(Deed::Stopped { scope: scope.clone(), halt, why });
        Ok(())
    }

    /// Two persons of two organisations resume, both of them reviewers; of what one ISP gets, one of
    /// them may be the ISP.
    pub(super) fn resume(&mut self, scope: &Scope, grounds: &Grounds) -> Result<(), Refusal> {
        let stop = self.state.stop(scope).ok_or(Refusal::NoStop)?;
        let own = matches!(scope, Scope::Isp(isp) if *isp == self.actor.organisation);
        if !(own && self.actor.role == Role::Isp) {
            self.needs_reviewer()?;
        }
        let (scope, grounds) = (scope.clone(), grounds.clone());
        match &stop.resume {
            None => self.push(Deed::ResumeAsked { scope, grounds }),
            Some((person, organisation)) if self.actor.is_second_to(person, organisation) => {
                self.push(Deed::Resumed { scope, grounds });
            }
            Some(_) => return Err(Refusal::NotASecondPerson),
        }
        Ok(())
    }

    pub(super) fn propose_exception(
        &mut self,
        cover: &Cover,
        until: Option<Moment>,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        self.needs(&[Role::Reporter, Role::Isp, Role::Reviewer, Role::Authority])?;
        if let Cover::Network(network) = cover
            && !network.narrow_enough()
        {
            return Err(Refusal::TooWide);
        }
        if until.is_some_and(|until| until <= self.now) {
            return Err(Refusal::BadSpan);
        }
        let exceptions = self.state.exceptions();
        match exceptions.get(cover) {
            Some(known) if known.until.is_none_or(|until| self.now < until) => {
                return Err(Refusal::KnownException);
            }
            None if exceptions.iter().count() >= MAX_EXCEPTIONS => {
                return Err(Refusal::TooManyExceptions);
            }
            // Whoever may propose takes no room that others need: what waits is bounded for each.
            None if exceptions.waiting(&self.actor.organisation) >= MAX_PROPOSED => {
                return Err(Refusal::TooManyExceptions);
            }
            _ => {}
        }
        let (cover, grounds) = (cover.clone(), grounds.clone());
        self.push(Deed::ExceptionProposed { cover, until, grounds });
        Ok(())
    }

    /// A reviewer ends one that holds; one that nobody approved yet its own organisation takes back too. What it
    /// covered is reported again like anything else, and checked.
    pub(super) fn revoke_exception(
        &mut self,
        cover: &Cover,
        grounds: &Grounds,
    ) -> Result<(), Refusal> {
        let known = self.state.exceptions().get(cover).ok_or(Refusal::NoException)?;
        let own = !known.approved && known.organisation == self.actor.organisation;
        if !own {
            self.needs_reviewer()?;
        }
        self.push(Deed::ExceptionRevoked { cover: cover.clone(), grounds: grounds.clone() });
        Ok(())
    }

    /// What was blocked before is lifted with it, whoever wanted it. Of an autonomous system that is what the check
    /// placed in it; what it did not place yet is lifted when it is checked again.
    pub(super) fn approve_exception(&mut self, cover: &Cover) -> Result<(), Refusal> {
        self.needs_reviewer()?;
        let proposed = self.state.exceptions().get(cover).ok_or(Refusal::NoException)?;
        if proposed.approved {
            return Err(Refusal::KnownException);
        }
        if proposed.until.is_some_and(|until| until <= self.now) {
            return Err(Refusal::BadSpan);
        }
        if !self.actor.is_second_to(&proposed.person, &proposed.organisation) {
            return Err(Refusal::NotASecondPerson);
        }
        self.push(Deed::ExceptionApproved { cover: cover.clone() });
        // Approvals are few: looking at each live item once is the price of it.
        let covered: BTreeSet<Value> = self
            .state
            .items()
            .filter(|(_, live)| cover.covers(&live.value, live.machine.system()))
            .map(|(_, live)| live.value.clone())
            .collect();
        for value in covered {
            self.lift_value(&value, Cause::Excepted, false, None, None)?;
        }
        Ok(())
    }
}
