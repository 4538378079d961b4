//! From a capture to a release: evidence, check, the second person, the ladder of least harm.

use model::ExhibitId;

use super::Ask;
use crate::harm::{Code, Verdict};
use crate::item::Kind;
use crate::order::budget::Standing;
use crate::order::machine::{InForce, Machine};
use crate::order::refusal::Refusal;
use crate::order::state::Live;
use crate::order::turn::{
    Capture, Cause, Denial, Evidence, Holds, Miss, Notice, Outcome, Seen, Turn, Worry,
};
use crate::order::words::{Grounds, ItemId, Moment, Probe, Role};
use crate::sets::Class;

impl Ask<'_> {
    /// A capture counts for the very value it is of, for as long as it is fresh.
    fn evidence(&self, live: &Live, capture: &Capture) -> Result<Evidence, Refusal> {
        if capture.value != *live.value {
            return Err(Refusal::OtherValue);
        }
        if capture.taken > self.now.plus(self.policy.clock_skew_ms) {
            return Err(Refusal::FutureCapture);
        }
        // A probe's clock that is ahead makes no capture last longer.
        let lapses = capture.taken.min(self.now).plus(self.policy.capture_age_ms);
        if self.now >= lapses {
            return Err(Refusal::StaleCapture);
        }
        let page = capture.seen == Seen::Page;
        Ok(Evidence { exhibit: capture.exhibit, taken: capture.taken, lapses, page })
    }

    pub(super) fn capture(&mut self, item: ItemId, capture: &Capture) -> Result<(), Refusal> {
        self.needs(&[Role::Probe])?;
        let (live, _) = self.live(item)?;
        let evidence = self.evidence(live, capture)?;
        match &live.machine {
            Machine::InForce(in_force) => {
                return self.captured_again(item, live, in_force, capture, evidence);
            }
            Machine::Suspended(_) => return Ok(()),
            _ => {}
        }
        let before = live.machine.evidence().map(|evidence| evidence.taken);
        if before.is_some_and(|taken| capture.taken <= taken) {
            return Ok(());
        }
        match capture.seen {
            Seen::Works | Seen::Page => {
                self.turn(item, &live.machine, Turn::Captured(evidence))?;
            }
            // What was shown before is not shown any more.
            Seen::Nothing | Seen::Unrelated if before.is_some() => {
                self.turn(item, &live.machine, Turn::Lapsed)?;
            }
            Seen::Nothing | Seen::Unrelated => {}
        }
        Ok(())
    }

    /// A capture of what is in force. One that changes nothing is no step: measurements are not
    /// decisions.
    fn captured_again(
        &mut self,
        item: ItemId,
        live: &Live,
        in_force: &InForce,
        capture: &Capture,
        evidence: Evidence,
    ) -> Result<(), Refusal> {
        // Of what was released upon a page, a page is what can be seen.
        let page = capture.seen == Seen::Page && in_force.evidence.page;
        if capture.seen != Seen::Works && !page {
            return self.missed(item, live, in_force, capture);
        }
        let expires = self.expiry(item)?;
        if expires > in_force.expires {
            self.turn(item, &live.machine, Turn::Renewed { evidence, expires })?;
        } else if in_force.miss.as_ref().is_some_and(|miss| miss.taken < capture.taken) {
            self.turn(item, &live.machine, Turn::Found)?;
        }
        Ok(())
    }

    fn missed(
        &mut self,
        item: ItemId,
        live: &Live,
        in_force: &InForce,
        capture: &Capture,
    ) -> Result<(), Refusal> {
        let probe = Probe::new(self.actor.person.as_str()).ok_or(Refusal::NotYourOffice)?;
        let miss = Miss { taken: capture.taken, probe, seen: capture.seen };
        let Some(first) = &in_force.miss else {
            self.turn(item, &live.machine, Turn::Missed(miss))?;
            return Ok(());
        };
        if capture.taken < first.taken {
            return Ok(());
        }
        let unrelated = |miss: &Miss| miss.seen == Seen::Unrelated;
        let objected = self.state.is_objected(item);
        if objected && unrelated(first) && unrelated(&miss) && first.probe != miss.probe {
            let turn = Turn::Suspended { worry: Worry::Unrelated, outcome: None };
            self.turn(item, &live.machine, turn)?;
        } else if capture.taken.since(first.taken) >= self.policy.miss_spacing_ms {
            if self.measurement_may_lift(1) {
                self.lift(&[item], Cause::Missed, false, None, None)?;
            }
        } else if objected && unrelated(&miss) && !unrelated(first) {
            // The first of the two that would bear the objection out.
            self.turn(item, &live.machine, Turn::Missed(miss))?;
        }
        Ok(())
    }

    pub(super) fn upload(&mut self, item: ItemId, exhibit: ExhibitId) -> Result<(), Refusal> {
        let (live, ticket) = self.live(item)?;
        if !self.is_reporter_of(ticket) {
            return Err(Refusal::NotYours);
        }
        self.turn(item, &live.machine, Turn::Uploaded { exhibit })?;
        Ok(())
    }

    pub(super) fn check(&mut self, item: ItemId, outcome: &Outcome) -> Result<(), Refusal> {
        self.needs(&[Role::House])?;
        let (live, _) = self.live(item)?;
        match &live.machine {
            Machine::InForce(in_force) => return self.checked_again(item, live, in_force, outcome),
            Machine::Suspended(_) => return self.ended_by_check(live, outcome).map(drop),
            _ => {}
        }
        if let Some(denial) = self.denial(live, Some(outcome)) {
            self.turn(item, &live.machine, Turn::Refused { denial, grounds: None })?;
            return Ok(());
        }
        match &live.machine {
            Machine::Captured(_) => {}
            // It waits for a person whatever the check says twice.
            Machine::Held(held) if held.outcome.as_ref() == Some(outcome) => return Ok(()),
            Machine::Held(held) if held.evidence.is_some() => {}
            // What nobody agreed to does not wait on while the check says that somebody has to.
            Machine::Checked(checked) => {
                if outcome.verdict > checked.outcome.verdict {
                    self.turn(item, &live.machine, Turn::Lapsed)?;
                }
                return Ok(());
            }
            _ => return Err(Refusal::NoEvidence),
        }
        let mut holds = Holds::NONE;
        if live.value.kind() != Kind::Fqdn {
            holds = holds.with(Holds::ADDRESS);
        }
        if self.is_above_budget(item) {
            holds = holds.with(Holds::BUDGET);
        }
        if live.machine.evidence().is_some_and(|evidence| evidence.page) {
            holds = holds.with(Holds::PAGE);
        }
        let turn = Turn::Checked { outcome: outcome.clone(), holds };
        let mut machine = self.turn(item, &live.machine, turn)?;
        // The ladder: before an address is touched its host is told, and has time to act.
        let told = machine.pending().is_none_or(|pending| pending.notice != Notice::None);
        if holds.has(Holds::ADDRESS) && !told {
            machine = self.turn(item, &machine, Turn::NoticeAsked)?;
        }
        self.release(item, live, machine)
    }

    /// The check ran again on what is in force: an objection, harm, newer sets.
    fn checked_again(
        &mut self,
        item: ItemId,
        live: &Live,
        in_force: &InForce,
        outcome: &Outcome,
    ) -> Result<(), Refusal> {
        if self.ended_by_check(live, outcome)? {
            return Ok(());
        }
        if outcome.verdict > in_force.outcome.verdict {
            let outcome = Some(outcome.clone());
            let turn = Turn::Suspended { worry: Worry::CheckAgain, outcome };
            self.turn(item, &live.machine, turn)?;
        }
        Ok(())
    }

    /// Ends all on the value, if the check that ran again refuses it, or places it in a system that is excepted;
    /// true where it did.
    fn ended_by_check(&mut self, live: &Live, outcome: &Outcome) -> Result<bool, Refusal> {
        let cause = match self.denial(live, Some(outcome)) {
            Some(Denial::Excepted) => Cause::Excepted,
            Some(_) => Cause::FailedCheck,
            None => return Ok(false),
        };
        let grave = cause.is_error() && outcome.grave;
        self.lift_value(&live.value, cause, grave, None, None)?;
        Ok(true)
    }

    pub(super) fn approve(
        &mut self,
        item: ItemId,
        exhibit: ExhibitId,
        grounds: Option<&Grounds>,
    ) -> Result<(), Refusal> {
        self.needs_reviewer()?;
        let (live, ticket) = self.live(item)?;
        self.needs_reviewer_of_another(ticket)?;
        let waives = live.value.kind() != Kind::Fqdn && grounds.is_some();
        let turn = Turn::Approved { exhibit, waives, grounds: grounds.cloned() };
        if let Machine::Held(held) = &live.machine {
            let Some(evidence) = held.evidence.as_ref().filter(|_| held.outcome.is_some()) else {
                return Err(Refusal::NoEvidence);
            };
            if evidence.exhibit != exhibit {
                return Err(Refusal::OtherEvidence);
            }
            if held.pending.notice == Notice::Answered && !waives {
                return Err(Refusal::GroundsNeeded);
            }
        }
        let machine = self.turn(item, &live.machine, turn)?;
        self.release(item, live, machine)
    }

    pub(super) fn refuse(&mut self, item: ItemId, grounds: &Grounds) -> Result<(), Refusal> {
        let (live, ticket) = self.live(item)?;
        let denial = match () {
            () if self.is_reporter_of(ticket) => Denial::Withdrawn,
            () if self.actor.reviews() => Denial::Person,
            () => return Err(Refusal::NotYours),
        };
        let turn = Turn::Refused { denial, grounds: Some(grounds.clone()) };
        self.turn(item, &live.machine, turn)?;
        Ok(())
    }

    pub(super) fn notice_sent(&mut self, item: ItemId) -> Result<(), Refusal> {
        self.needs(&[Role::House])?;
        let (live, ticket) = self.live(item)?;
        let silence = match ticket.event {
            Some(_) => self.policy.silence_event_ms,
            None => self.policy.silence_site_ms,
        };
        let turn = Turn::NoticeSent { silent_at: self.now.plus(silence) };
        let machine = self.turn(item, &live.machine, turn)?;
        self.release(item, live, machine)
    }

    /// What a host says is not taken for true either way: who says that it acts is looked at again.
    pub(super) fn host_answered(&mut self, item: ItemId, acts: bool) -> Result<(), Refusal> {
        self.needs(&[Role::House, Role::Reviewer, Role::Authority])?;
        let (live, _) = self.live(item)?;
        let machine = self.turn(item, &live.machine, Turn::HostAnswered { acts })?;
        if acts && machine.evidence().is_some() {
            self.turn(item, &machine, Turn::Lapsed)?;
            return Ok(());
        }
        self.release(item, live, machine)
    }

    /// Why an item cannot be released any more, whatever else comes.
    fn denial(&self, live: &Live, outcome: Option<&Outcome>) -> Option<Denial> {
        if let Some(outcome) = outcome.filter(|outcome| outcome.verdict == Verdict::Refuse) {
            // What an operator keeps out by a file is nobody's error who reported it.
            let kept = outcome.code == Some(Code::Member(Class::Exception).word());
            return Some(if kept { Denial::Excepted } else { Denial::Check });
        }
        let system = outcome.and_then(|outcome| outcome.system);
        let excepted = self.state.exceptions().of(&live.value, system, self.now).is_some();
        excepted.then_some(Denial::Excepted)
    }

    /// Releases an item that is checked, if nothing is in the way. The one place where anything goes
    /// into force.
    pub(super) fn release(
        &mut self,
        item: ItemId,
        live: &Live,
        machine: Machine,
    ) -> Result<(), Refusal> {
        let Machine::Checked(checked) = &machine else { return Ok(()) };
        let Some(term) = self.state.term(item.ticket()) else { return Ok(()) };
        // What it rests on may have ended before its time.
        let order = self.state.ticket(item.ticket()).and_then(|of| self.state.order(&of.order));
        let ended = order.is_some_and(|order| order.until <= self.now);
        let over = (ended || term.closes <= self.now).then_some(Denial::WindowOver);
        if let Some(denial) = over.or_else(|| self.denial(live, Some(&checked.outcome))) {
            self.turn(item, &machine, Turn::Refused { denial, grounds: None })?;
            return Ok(());
        }
        // Under a stop nothing waits at the door: it comes again with fresh evidence. So does what one
        // person's word was enough for, where by now it is not.
        let stale = self.now >= checked.evidence.lapses || self.state.is_halted(item.ticket());
        if stale || (checked.pending.approval.is_none() && self.is_above_budget(item)) {
            self.turn(item, &machine, Turn::Lapsed)?;
            return Ok(());
        }
        let waiting = Live { machine, ..live.clone() };
        if self.state.earliest(item, &waiting).is_none_or(|at| at > self.now) {
            return Ok(());
        }
        let expires = self.expiry(item)?;
        let machine = self.turn(item, &waiting.machine, Turn::Released { expires })?;
        if live.value.kind() == Kind::Fqdn {
            self.turn(item, &machine, Turn::NoticeAsked)?;
        }
        Ok(())
    }

    /// True where the item's reporter errs too often to be believed alone.
    fn is_above_budget(&self, item: ItemId) -> bool {
        let Some(ticket) = self.state.ticket(item.ticket()) else { return true };
        let (_, standing) = self.state.standing(&ticket.reporter, self.now, self.policy);
        standing != Standing::Within
    }

    /// Until when an item may be in force.
    fn expiry(&self, item: ItemId) -> Result<Moment, Refusal> {
        let term = self.state.term(item.ticket()).ok_or(Refusal::NoItem { item })?;
        let after = if term.event { self.policy.after_event_ms } else { 0 };
        Ok(term.closes.plus(after))
    }
}
