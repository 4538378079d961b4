//! Commands become steps, or a refusal: pure, against the state and the policy.

mod evidence;
mod harm;
mod lift;
mod stop;
mod submit;
mod tick;

use super::command::Command;
use super::machine::Machine;
use super::policy::Policy;
use super::refusal::Refusal;
use super::state::{Live, State};
use super::step::{Deed, Step};
use super::ticket::Ticket;
use super::turn::Turn;
use super::words::{Actor, ItemId, Moment, Role};

pub use submit::{MAX_CHANNELS, MAX_LIFTED};
pub use tick::MAX_DUE;

/// The steps that a command leads to; none where it changes nothing. The state is as before until
/// they are applied, each, in their order.
///
/// # Errors
/// Why not, and what to do instead.
pub fn decide(
    state: &State,
    policy: &Policy,
    command: &Command,
    actor: &Actor,
    now: Moment,
) -> Result<Vec<Step>, Refusal> {
    let mut ask = Ask { state, policy, actor, now, steps: Vec::new() };
    match command {
        Command::GiveOrder(order) => ask.give_order(order)?,
        Command::EndOrder { order, grounds } => ask.end_order(order, grounds)?,
        Command::Announce(event) => ask.announce(event)?,
        Command::Extend { event, until } => ask.extend(event, *until)?,
        Command::EndEvent { event, grounds } => ask.end_event(event, grounds)?,
        Command::Submit(submission) => ask.submit(submission)?,
        Command::Renew { ticket, until } => ask.renew(*ticket, *until)?,
        Command::Capture { item, capture } => ask.capture(*item, capture)?,
        Command::Upload { item, exhibit } => ask.upload(*item, *exhibit)?,
        Command::Check { item, outcome } => ask.check(*item, outcome)?,
        Command::Approve { item, exhibit, grounds } => {
            ask.approve(*item, *exhibit, grounds.as_ref())?;
        }
        Command::Refuse { item, grounds } => ask.refuse(*item, grounds)?,
        Command::NoticeSent { item } => ask.notice_sent(*item)?,
        Command::HostAnswered { item, acts } => ask.host_answered(*item, *acts)?,
        Command::Lift { item, collateral, grounds } => {
            ask.lift_item(*item, *collateral, grounds)?;
        }
        Command::Object { value, proof } => ask.object(value, *proof)?,
        Command::Decide { item, proof, upheld, grounds } => {
            ask.decide_objection(*item, *proof, *upheld, grounds)?;
        }
        Command::Reinstate { item, grounds } => ask.reinstate(*item, grounds)?,
        Command::ReportHarm { value, network } => ask.report_harm(value, *network)?,
        Command::ControlFailed { control, explained_by, network } => {
            ask.control_failed(control, explained_by.as_ref(), network.as_ref())?;
        }
        Command::ProposeException { cover, until, grounds } => {
            ask.propose_exception(cover, *until, grounds)?;
        }
        Command::ApproveException { cover } => ask.approve_exception(cover)?,
        Command::RevokeException { cover, grounds } => ask.revoke_exception(cover, grounds)?,
        Command::Stop { scope, halt, grounds } => ask.stop(scope, *halt, grounds)?,
        Command::Resume { scope, grounds } => ask.resume(scope, grounds)?,
        Command::Tick => ask.tick()?,
        Command::CarryOn => ask.carry_on()?,
    }
    Ok(ask.steps)
}

/// A command under decision.
struct Ask<'a> {
    state: &'a State,
    policy: &'a Policy,
    actor: &'a Actor,
    now: Moment,
    steps: Vec<Step>,
}

impl<'a> Ask<'a> {
    fn push(&mut self, deed: Deed) {
        self.steps.push(Step { at: self.now, by: self.actor.clone(), deed });
    }

    /// Turns an item, if its state has that turn, and gives the state after.
    fn turn(&mut self, item: ItemId, machine: &Machine, turn: Turn) -> Result<Machine, Refusal> {
        let next = machine.clone().turn(&turn, self.now);
        let next = next.map_err(|same| Refusal::not_now(same.stage(), turn.word()))?;
        self.push(Deed::Turned { item, turn });
        Ok(next)
    }

    /// An item that lives, with its ticket.
    fn live(&self, item: ItemId) -> Result<(&'a Live, &'a Ticket), Refusal> {
        let ticket = self.state.ticket(item.ticket()).ok_or(Refusal::NoItem { item })?;
        if usize::from(item.place()) >= ticket.len() {
            return Err(Refusal::NoItem { item });
        }
        let live = self.state.item(item).ok_or(Refusal::Ended { item })?;
        Ok((live, ticket))
    }

    fn needs(&self, roles: &[Role]) -> Result<(), Refusal> {
        if roles.contains(&self.actor.role) { Ok(()) } else { Err(Refusal::NotYourOffice) }
    }

    fn needs_reviewer(&self) -> Result<(), Refusal> {
        if self.actor.reviews() { Ok(()) } else { Err(Refusal::NotYourOffice) }
    }

    /// A reviewer who is not the reporter, nor of the reporter's organisation.
    fn needs_reviewer_of_another(&self, ticket: &Ticket) -> Result<(), Refusal> {
        self.needs_reviewer()?;
        if self.actor.is_second_to(&ticket.person, &ticket.reporter) {
            Ok(())
        } else {
            Err(Refusal::NotASecondPerson)
        }
    }

    /// True where the actor reports for the ticket's reporter.
    fn is_reporter_of(&self, ticket: &Ticket) -> bool {
        self.actor.role == Role::Reporter && self.actor.organisation == ticket.reporter
    }
}
