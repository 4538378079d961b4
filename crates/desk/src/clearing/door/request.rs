//! What somebody asks for at the door, and whether they may: the register says who they are, and `access` decides.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use shield::order::words::{Organisation, Person};
use shield::order::{Actor, Audience, Command, Role, Scope};

use super::ROUTE;
use crate::access::{Access, Action, Asked, Decision, Principal};
use crate::clearing::house::Ask;
use crate::clearing::house_act::HouseAct;
use crate::parties::{PartyRole, Sector};
use crate::{Error, Result};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who, by the short name in the register.
    pub person: String,
    /// In which office.
    pub role: String,
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// Or what is done to the house itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub house: Option<HouseAct>,
    /// Of an objection: what is said, whose hash is the command's proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Of an objection: the token that was given out, once it stands where it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Request {
    /// A command of somebody, in an office.
    pub fn new(person: impl Into<String>, role: impl Into<String>, command: Command) -> Self {
        let (person, role, command) = (person.into(), role.into(), Some(command));
        Self { person, role, command, house: None, statement: None, token: None }
    }

    /// What somebody does to the house itself, in an office.
    pub fn of_house(person: impl Into<String>, role: impl Into<String>, act: HouseAct) -> Self {
        let (person, role, house) = (person.into(), role.into(), Some(act));
        Self { person, role, command: None, house, statement: None, token: None }
    }
}

impl Request {
    /// The command of who is registered, and may do that. What only the clearing house and its probes may
    /// say, nobody says here: a capture is believed since our own probe took it, and for no other reason. From where
    /// it is asked, the policies are told: an authority's own may look at it.
    ///
    /// # Errors
    /// [`Error::Asked`]: who may not act so; a refusal by the policies is counted.
    pub fn ask(self, access: &Access, source: IpAddr) -> Result<Wanted> {
        let role = PartyRole::of_word(&self.role).ok_or_else(|| {
            let all: Vec<_> = PartyRole::ALL.iter().map(|role| role.word()).collect();
            Error::Asked(format!("{:?} is no office: {}", self.role, all.join(", ")))
        })?;
        access.refresh()?;
        let actor = access.register(|register| register.actor(&self.person, role))?;
        self.command.as_ref().map_or(Ok(()), |command| registered(access, command))?;
        let action = match (&self.command, &self.house) {
            (Some(command), None) => action_of(command, actor.role),
            (None, Some(act)) => Some(act.action()),
            _ => return Err(Error::Asked("one command, or one act on the house".to_owned())),
        };
        let Some(action) = action else {
            return Err(Error::Asked("only the clearing house itself says that".to_owned()));
        };
        let who = access.person(&self.person).unwrap_or(Principal::Nobody);
        may(access, &who, (&actor, role), (action, source))?;
        if let Some(HouseAct::SignStop { second, .. }) = &self.house
            && action == Action::Resume
        {
            two_persons(access, &actor, second.as_deref(), source)?;
        }
        let (statement, token) = (self.statement, self.token);
        Ok(match (self.command, self.house) {
            (Some(command), _) => Wanted::Command(Ask { actor, command }, statement, token),
            (None, Some(act)) => Wanted::House(actor, act),
            (None, None) => return Err(Error::Asked("nothing is asked".to_owned())),
        })
    }
}

/// The command of a service key, which acts under its own name in its one office: `key:NAME`.
///
/// # Errors
/// [`Error::Asked`]: it is no key, or may not; a refusal by the policies is counted.
pub fn ask_of_key(
    access: &Access,
    who: &Principal,
    command: Command,
    source: IpAddr,
) -> Result<Ask> {
    let none = || Error::Asked("a service key asks here, in an office that acts".to_owned());
    let (actor, office) = key_actor(who).ok_or_else(none)?;
    registered(access, &command)?;
    let action = action_of(&command, actor.role).ok_or_else(none)?;
    may(access, who, (&actor, office), (action, source))?;
    Ok(Ask { actor, command })
}

/// As whom a service key acts, and in which office; `None`: it is no key, or one that only reads.
pub fn key_actor(who: &Principal) -> Option<(Actor, PartyRole)> {
    let Principal::Key { key, organisation, role: office } = who else { return None };
    let names = Person::new(&format!("key:{key}")).zip(Organisation::new(organisation));
    let ((person, organisation), role) = names.zip(office.acts_as())?;
    Some((Actor { person, organisation, role }, *office))
}

/// Whom a command names is registered, as what it says they are.
fn registered(access: &Access, command: &Command) -> Result<()> {
    for (organisation, is) in organisations(command) {
        let sector = access.register(|register| Some(register.organisation(organisation)?.sector));
        let Some(sector) = sector else {
            return Err(Error::Asked(format!(
                "no organisation is registered as {organisation:?}: `vigie party list` shows them"
            )));
        };
        if let Some(is) = is.filter(|is| *is != sector) {
            return Err(Error::Asked(format!(
                "{organisation:?} is registered as {}, and this is said of a {}: `vigie party list` shows them",
                sector.word(),
                is.word()
            )));
        }
    }
    Ok(())
}

/// Whether an actor may, as the policies have it; a refusal is counted.
fn may(
    access: &Access,
    who: &Principal,
    (actor, office): (&Actor, PartyRole),
    (action, source): (Action, IpAddr),
) -> Result<()> {
    let asked = Asked { action, organisation: Some(actor.organisation.as_str()), source };
    match access.may(who, &asked, ROUTE) {
        Decision::Allowed => Ok(()),
        Decision::TooMany { retry_s } => Err(Error::Asked(format!(
            "{} asks more than its quota: again in {retry_s} s",
            actor.organisation
        ))),
        Decision::SignIn | Decision::Forbidden => Err(Error::Asked(format!(
            "{} may not do that as {}: docs/access.md shows who may ({})",
            actor.person,
            office.word(),
            action.word()
        ))),
    }
}

/// Two persons resume, by a file for a safe too: the other one is of another organisation, and may.
fn two_persons(access: &Access, first: &Actor, second: Option<&str>, source: IpAddr) -> Result<()> {
    let who = second.and_then(|second| access.person(second)).unwrap_or(Principal::Nobody);
    let another = who.organisation().is_some_and(|of| of != first.organisation.as_str());
    if another && access.would(&who, Action::Resume, source) {
        return Ok(());
    }
    Err(Error::Asked(
        "two persons resume: name a second one, of another organisation, who may resume (--second)"
            .to_owned(),
    ))
}

/// What somebody who may wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A command; of an objection, what is said, and the token that shows control.
    Command(Ask, Option<String>, Option<String>),
    /// An act on the house itself.
    House(Actor, HouseAct),
}

/// The offices by how far each reaches: who holds two acts in the further one. A reviewer who is an ISP's, too, stops
/// everything, where the ISP could stop what it gets itself.
const BY_REACH: [PartyRole; 8] = [
    PartyRole::Operator,
    PartyRole::Regulator,
    PartyRole::Reviewer,
    PartyRole::Reporter,
    PartyRole::Isp,
    PartyRole::Probe,
    PartyRole::Auditor,
    PartyRole::Public,
];

/// In which of their offices somebody has that done, who asks from there: the furthest that may. Where none may it is
/// the first they hold, in which [`Request::ask`] refuses and counts; the public's where they hold none.
pub fn office(access: &Access, who: &Principal, source: IpAddr, command: &Command) -> PartyRole {
    first_office(access, (who, source), |acts| action_of(command, acts))
}

/// The same of an act on the house itself.
pub fn office_of_house(
    access: &Access,
    who: &Principal,
    source: IpAddr,
    act: &HouseAct,
) -> PartyRole {
    first_office(access, (who, source), |_| Some(act.action()))
}

fn first_office(
    access: &Access,
    (who, source): (&Principal, IpAddr),
    action_in: impl Fn(Role) -> Option<Action>,
) -> PartyRole {
    let Principal::Person { person, organisation, roles } = who else { return PartyRole::Public };
    let may = |role: &PartyRole| {
        let Some(action) = role.acts_as().and_then(&action_in) else {
            return false;
        };
        let alone = Principal::Person {
            person: person.clone(),
            organisation: organisation.clone(),
            roles: vec![*role],
        };
        access.would(&alone, action, source)
    };
    let held = |role: &&PartyRole| **role == PartyRole::Public || roles.contains(role);
    let furthest = BY_REACH.iter().filter(held).find(|role| may(role));
    furthest.or(roles.first()).copied().unwrap_or(PartyRole::Public)
}

/// Whom a command names, and what they have to be: a slip of the pen in a stop must not look like a stop. What stands
/// already is ended whatever they are by now.
fn organisations(command: &Command) -> Vec<(&str, Option<Sector>)> {
    match command {
        Command::GiveOrder(order) => vec![(order.reporter.as_str(), Some(Sector::RightsHolder))],
        Command::Stop { scope, .. } => scope_of(scope, true),
        Command::Resume { scope, .. } => scope_of(scope, false),
        Command::Submit(asked) => match &asked.audience {
            // Each of them: a name that is no ISP's would look like a block, and be one nowhere.
            Audience::Only(isps) => {
                isps.iter().map(|isp| (isp.as_str(), Some(Sector::Isp))).collect()
            }
            Audience::All => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn scope_of(scope: &Scope, must_be: bool) -> Vec<(&str, Option<Sector>)> {
    match scope {
        Scope::Reporter(of) => vec![(of.as_str(), must_be.then_some(Sector::RightsHolder))],
        Scope::Isp(of) => vec![(of.as_str(), must_be.then_some(Sector::Isp))],
        Scope::All | Scope::Event(_) | Scope::Ticket(_) => Vec::new(),
    }
}

/// What a command is, to the one place that decides who may; `None`: nobody may, but the house itself. What it
/// is done to, and whether they are a second person, the machine knows.
fn action_of(command: &Command, role: Role) -> Option<Action> {
    let own = matches!(role, Role::Reporter | Role::Isp);
    Some(match command {
        Command::Announce(_) | Command::Extend { .. } | Command::EndEvent { .. }
            if role == Role::Reporter =>
        {
            Action::ItemReport
        }
        Command::GiveOrder(_)
        | Command::EndOrder { .. }
        | Command::Announce(_)
        | Command::Extend { .. }
        | Command::EndEvent { .. } => Action::OrderGive,
        Command::Submit(_) | Command::Renew { .. } | Command::Upload { .. } => Action::ItemReport,
        Command::Approve { .. } | Command::Reinstate { .. } | Command::HostAnswered { .. } => {
            Action::ItemApprove
        }
        Command::Refuse { .. } | Command::Lift { .. } if role == Role::Reporter => {
            Action::OwnItemLift
        }
        Command::Refuse { .. } | Command::Lift { .. } => Action::ItemLift,
        Command::Object { .. } => Action::ObjectionMake,
        Command::Decide { .. } => Action::ObjectionDecide,
        Command::ReportHarm { .. } => Action::HarmReport,
        Command::ProposeException { .. } => Action::ExceptionPropose,
        // Taking back is whose proposing is; whether it holds already, the machine knows.
        Command::RevokeException { .. } if role != Role::Reviewer && role != Role::Authority => {
            Action::ExceptionPropose
        }
        Command::ApproveException { .. } | Command::RevokeException { .. } => {
            Action::ExceptionApprove
        }
        Command::Stop { .. } | Command::Resume { .. } if own => Action::OwnStop,
        Command::Stop { .. } => Action::Stop,
        Command::Resume { .. } => Action::Resume,
        Command::Capture { .. }
        | Command::Check { .. }
        | Command::NoticeSent { .. }
        | Command::ControlFailed { .. }
        | Command::Tick
        | Command::CarryOn => return None,
    })
}
