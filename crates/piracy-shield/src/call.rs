//! One request: who asks, as what, with what; and what routes ask of the house for it.

use std::cell::Cell;
use std::net::IpAddr;

use desk::access::Principal;
use desk::clearing::door::key_actor;
use desk::clearing::{Ask, Done, House};
use desk::parties::PartyRole;
use model::record::time_text;
use serde_json::Value;
use shield::order::words::Organisation;
use shield::order::{Actor, Command, Moment, Refusal, TicketId};

use crate::answer::{Answer, Outcome};
use crate::api::Api;
use crate::body::Body;
use crate::codes::{
    Code, FORBIDDEN, Fault, GENERIC, PERMISSION_DENIED, TICKET_ID_NON_VALID, TICKET_NOT_FOUND,
};
use crate::ids::Sort;
use crate::route::Caller;
use crate::seen::{Seen, seen};

/// The times that the wire knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// A ticket can be taken back for so many milliseconds after it was reported; ISPs see it here from then on.
    pub revoke_ms: u64,
    /// A ticket is shown as closed so long after it was reported.
    pub close_ms: u64,
    /// Errors in a ticket are reported for so long after it was.
    pub error_ms: u64,
    /// What an ISP reports of an item is taken for so long after that went into force.
    pub report_ms: u64,
}

impl Default for Times {
    /// Those of the wire's manual: 75 s, 30 minutes after these, 24 and 48 hours.
    fn default() -> Self {
        Self {
            revoke_ms: 75_000,
            close_ms: 1_875_000,
            error_ms: 24 * 3_600_000,
            report_ms: 48 * 3_600_000,
        }
    }
}

/// Who asks, as found before a body was read.
#[derive(Clone)]
pub(crate) struct Known {
    /// Who.
    pub(crate) who: Principal,
    /// As what.
    pub(crate) caller: Caller,
    /// The address of the connection itself.
    pub(crate) source: IpAddr,
    /// What the client calls itself.
    pub(crate) agent: String,
    /// The token that it showed.
    pub(crate) token: Option<String>,
}

/// A request.
pub(crate) struct Call<'a> {
    pub(crate) api: &'a Api,
    pub(crate) known: &'a Known,
    pub(crate) body: Body,
    /// The body's bytes.
    pub(crate) raw: &'a [u8],
    /// True where something was done for it that is durable on one machine alone.
    pub(crate) alone: Cell<bool>,
}

/// Reviewers, and who may do what they may.
pub(crate) const REVIEWERS: &[PartyRole] =
    &[PartyRole::Reviewer, PartyRole::Regulator, PartyRole::Operator];
/// Who gives orders.
pub(crate) const AUTHORITY: &[PartyRole] = &[PartyRole::Regulator, PartyRole::Operator];

impl<'a> Call<'a> {
    /// One without a body.
    pub(crate) fn bare(api: &'a Api, known: &'a Known, body: Body) -> Self {
        Self { api, known, body, raw: &[], alone: Cell::new(false) }
    }

    /// Notes what was done.
    pub(crate) fn noted(&self, alone: bool) {
        self.alone.set(self.alone.get() || alone);
    }

    /// What is answered says where it is durable.
    pub(crate) fn answered(&self, outcome: Outcome) -> Outcome {
        outcome.map(
            |answer| {
                if self.alone.get() { Answer::Alone(Box::new(answer)) } else { answer }
            },
        )
    }

    /// The organisation of who asks.
    pub(crate) fn own(&self) -> Result<Organisation, Fault> {
        let own = self.known.who.organisation().and_then(Organisation::new);
        own.ok_or_else(|| PERMISSION_DENIED.into())
    }

    /// Who acts, in the first of these offices that they hold. A service key acts under its own name.
    pub(crate) fn actor(&self, offices: &[PartyRole]) -> Result<Actor, Fault> {
        let denied = || Fault::from(PERMISSION_DENIED);
        match &self.known.who {
            Principal::Person { person, roles, .. } => {
                let office =
                    offices.iter().find(|office| roles.contains(office)).ok_or_else(denied)?;
                let actor = self.api.access.register(|register| register.actor(person, *office));
                actor.map_err(|why| Fault::of(PERMISSION_DENIED, why.to_string()))
            }
            who @ Principal::Key { .. } => {
                let (actor, _) = key_actor(who)
                    .filter(|(_, office)| offices.contains(office))
                    .ok_or_else(denied)?;
                Ok(actor)
            }
            Principal::Nobody | Principal::Holder => Err(denied()),
        }
    }

    /// The ticket that the body names, where who asks may see it: a reporter its own; an ISP what is out of those
    /// addressed to it. What is another's is not told from what is not there.
    pub(crate) fn ticket(&self) -> Result<Seen, Fault> {
        let text = self.body.text("ticket_id").ok_or(TICKET_ID_NON_VALID)?;
        let id = self.api.ids.number(Sort::Ticket, text).ok_or(TICKET_NOT_FOUND)?;
        let times = self.api.times;
        let ticket = self.api.look(move |house| seen(house, TicketId(id), times))?;
        ticket.filter(|ticket| self.may_see(ticket)).ok_or_else(|| TICKET_NOT_FOUND.into())
    }

    /// True where who asks may see a ticket.
    pub(crate) fn may_see(&self, ticket: &Seen) -> bool {
        match (self.known.caller, self.known.who.organisation()) {
            (Caller::Internal, _) => true,
            (Caller::Reporter, Some(own)) => ticket.ticket.reporter.as_str() == own,
            (Caller::Provider, Some(own)) => {
                Organisation::new(own).is_some_and(|own| ticket.out_for(&own).next().is_some())
            }
            _ => false,
        }
    }

    /// Has commands done, by one flush where they are at most 256; what is refused of them is told of each.
    pub(crate) fn act(
        &self,
        actor: &Actor,
        commands: Vec<Command>,
    ) -> Result<Vec<Result<Done, Refusal>>, Fault> {
        let mut all = Vec::with_capacity(commands.len());
        for together in commands.chunks(desk::clearing::MAX_TOGETHER) {
            let ask = |command: &Command| Ask { actor: actor.clone(), command: command.clone() };
            let asks: Vec<Ask> = together.iter().map(ask).collect();
            all.extend(self.api.look(move |house: &mut House| house.act(&asks))?.map_err(failed)?);
        }
        self.noted(all.iter().flatten().any(|done| done.alone));
        Ok(all)
    }

    /// Has one command done.
    pub(crate) fn act_one(
        &self,
        actor: &Actor,
        command: Command,
        code: Code,
    ) -> Result<Done, Fault> {
        let answer = self.act(actor, vec![command])?.pop();
        answer.ok_or(GENERIC)?.map_err(|refusal| refused(&refusal, code))
    }
}

/// What the machine refuses, under a number of the API's that is nearest.
pub(crate) fn refused(refusal: &Refusal, code: Code) -> Fault {
    match refusal {
        Refusal::ReporterStopped => Fault::of(FORBIDDEN, refusal.to_string()),
        Refusal::NotYourOffice | Refusal::NotYours | Refusal::NotASecondPerson => {
            Fault::of(PERMISSION_DENIED, refusal.to_string())
        }
        _ => Fault::of(code, refusal.to_string()),
    }
}

/// The clearing house could not be asked, or its disk failed.
pub(crate) fn failed(error: desk::Error) -> Fault {
    Fault { code: Code { status: 503, ..GENERIC }, text: Some(error.to_string()), retry_s: Some(1) }
}

/// A moment as the wire has it.
pub(crate) fn time(moment: Moment) -> Value {
    time_text(moment.0).into()
}
