//! The audit of the door: every command that there is, and every act on the house, as its source has them, asked by a
//! person of each role, by one who is suspended, and by one whom nobody knows. Who is refused by the policies is counted.

use std::collections::BTreeSet;

use model::{ExhibitId, Sha256Hex};
use shield::harm::Verdict;
use shield::order::command::{Submission, Upheld};
use shield::order::exceptions::Cover;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Right};
use shield::order::{
    Audience, Capture, Command, Event, Halt, ItemId, Moment, Order, Outcome, Scope, Seen, TicketId,
};
use shield::wire::stop::{Act, StopFile};

use super::*;
use crate::clearing::HouseAct;
use crate::parties::{Act as Does, PartyRole, Sector, act};

use PartyRole::{Isp, Operator, Probe, Public, Regulator, Reporter, Reviewer};

/// Who decides.
const DECIDE: &[PartyRole] = &[Reviewer, Regulator, Operator];
/// Who gives orders.
const ORDER: &[PartyRole] = &[Regulator, Operator];
/// Who decides, and a reporter about its own.
const OWN: &[PartyRole] = &[Reporter, Reviewer, Regulator, Operator];
/// Those, and an ISP about its own.
const SOME: &[PartyRole] = &[Isp, Reporter, Reviewer, Regulator, Operator];
/// Whoever is registered, and acts as anybody.
const ALL: &[PartyRole] = &[Public, Isp, Reporter, Reviewer, Regulator, Operator, Probe];

/// Who may: written down a second time, and without a wildcard, so that a command which is new stands here too.
fn who(command: &Command) -> &'static [PartyRole] {
    match command {
        Command::GiveOrder(_) | Command::EndOrder { .. } => ORDER,
        Command::Announce(_) | Command::Extend { .. } | Command::EndEvent { .. } => {
            &[Reporter, Regulator, Operator]
        }
        Command::Submit(_) | Command::Renew { .. } | Command::Upload { .. } => &[Reporter],
        Command::Approve { .. }
        | Command::Reinstate { .. }
        | Command::HostAnswered { .. }
        | Command::Decide { .. }
        | Command::ApproveException { .. } => DECIDE,
        Command::Refuse { .. } | Command::Lift { .. } => OWN,
        Command::Object { .. } | Command::ReportHarm { .. } => ALL,
        Command::ProposeException { .. }
        | Command::RevokeException { .. }
        | Command::Stop { .. }
        | Command::Resume { .. } => SOME,
        // The house itself, and its probes by their own door.
        Command::Capture { .. }
        | Command::Check { .. }
        | Command::NoticeSent { .. }
        | Command::ControlFailed { .. }
        | Command::CarryOn
        | Command::Tick => &[],
    }
}

fn who_of_house(act: &HouseAct) -> &'static [PartyRole] {
    match act {
        HouseAct::Figure { .. } | HouseAct::TurnFeedKey { .. } => ORDER,
        HouseAct::SignStop { .. } | HouseAct::NoticeSent { .. } => DECIDE,
    }
}

/// One of each command.
fn commands() -> Vec<Command> {
    let grounds = || Grounds::new("why").unwrap();
    let (id, event) = (|| OrderId::new("7/26").unwrap(), || EventId::new("final").unwrap());
    let value = || shield::Item::parse("a.com").unwrap();
    let (item, proof) = (ItemId::new(TicketId(0), 0), Sha256Hex([1; 32]));
    let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
    let (exhibit, until) = (ExhibitId([1; 32]), Moment(9));
    let cover = || "a.com".parse::<Cover>().unwrap();
    let order = Order {
        id: id(),
        reporter: Organisation::new("o-reporter").unwrap(),
        rights: [Right::new("football").unwrap()].into(),
        from: Moment(1),
        until,
    };
    let submission = Submission {
        order: id(),
        event: None,
        works: vec![],
        items: vec!["a.com".into()],
        audience: Audience::All,
        until: None,
        case: None,
    };
    let capture = Capture { value: value(), exhibit, taken: Moment(1), seen: Seen::Works };
    vec![
        Command::GiveOrder(order),
        Command::EndOrder { order: id(), grounds: grounds() },
        Command::Announce(Event::new(event(), id(), Moment(1), until)),
        Command::Extend { event: event(), until },
        Command::EndEvent { event: event(), grounds: grounds() },
        Command::Submit(submission),
        Command::Renew { ticket: TicketId(0), until },
        Command::Capture { item, capture },
        Command::Upload { item, exhibit },
        Command::Check { item, outcome },
        Command::Approve { item, exhibit, grounds: None },
        Command::Refuse { item, grounds: grounds() },
        Command::NoticeSent { item },
        Command::HostAnswered { item, acts: true },
        Command::Lift { item, collateral: None, grounds: grounds() },
        Command::Object { value: value(), proof },
        Command::Decide { item, proof, upheld: Upheld::No, grounds: grounds() },
        Command::Reinstate { item, grounds: grounds() },
        Command::ReportHarm { value: value(), network: 64_496 },
        Command::ControlFailed { control: value(), explained_by: None, network: None },
        Command::ProposeException { cover: cover(), until: None, grounds: grounds() },
        Command::ApproveException { cover: cover() },
        Command::RevokeException { cover: cover(), grounds: grounds() },
        Command::Stop { scope: Scope::All, halt: Halt::Lifts, grounds: grounds() },
        Command::Resume { scope: Scope::All, grounds: grounds() },
        Command::CarryOn,
        Command::Tick,
    ]
}

/// The variants of an enum of a source.
fn variants(source: &str, of: &str) -> BTreeSet<String> {
    let body = source.split_once(&format!("pub enum {of} {{\n")).unwrap().1;
    let body = body.split_once("\n}").unwrap().0;
    let names = body.lines().filter_map(|line| line.strip_prefix("    "));
    let name =
        |line: &str| line.chars().take_while(char::is_ascii_alphanumeric).collect::<String>();
    names.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())).map(name).collect()
}

fn named(what: &impl std::fmt::Debug) -> String {
    format!("{what:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// A person of each role, and one who is suspended.
fn register(dir: &Path) -> Access {
    let run = |what: Does| act(dir, "operator", "test", &what).unwrap();
    let person = |person: String, organisation: String| {
        run(Does::Person { person: person.clone(), name: person, organisation });
    };
    // The first operator first: from there on operators act.
    let first = std::iter::once(Operator);
    for role in first.chain(PartyRole::ALL.iter().copied().filter(|role| *role != Operator)) {
        let (of, word) = (format!("o-{}", role.word()), role.word().to_owned());
        let sector = role.needs().unwrap_or(Sector::Other);
        run(Does::Organisation { organisation: of.clone(), name: of.clone(), sector });
        person(word.clone(), of.clone());
        run(Does::Give { person: word, role, from: None, until: None });
        run(Does::Quota { organisation: of, per_minute: Some(600_000) });
    }
    person("gone".into(), "o-operator".into());
    run(Does::Give { person: "gone".into(), role: Operator, from: None, until: None });
    run(Does::Suspend { party: "person:gone".into(), reason: "left".into() });
    Access::open(dir).unwrap()
}

fn counted(access: &Access) -> u64 {
    access.refused().iter().filter(|row| row.route == ROUTE).map(|row| row.times.all()).sum()
}

/// Asks as a person of each role; `by` asks in the name of that person, in that office. Of `unasked` the policies are
/// not asked: of who acts as nobody, and of what nobody may.
fn audit(
    access: &Access,
    what: &str,
    (may, unasked): (&[PartyRole], &[PartyRole]),
    by: impl Fn(&str, PartyRole) -> Result<()>,
) {
    for role in PartyRole::ALL {
        let before = counted(access);
        let asked = by(role.word(), *role);
        let refused = counted(access) - before;
        if may.contains(role) {
            assert!(asked.is_ok() && refused == 0, "{what} as {role:?}: {asked:?}");
            continue;
        }
        let said = asked.expect_err(what).to_string();
        assert_eq!(refused, u64::from(!unasked.contains(role)), "{what} as {role:?}: {said}");
    }
    // In an office that is not theirs, suspended, unknown.
    for (person, role) in [("public", Operator), ("gone", Operator), ("nobody", Public)] {
        let asked = by(person, role);
        assert!(asked.is_err(), "{what} by {person} as {role:?}");
    }
}

#[test]
fn no_command_is_without_an_authorisation() {
    let dir = tempfile::tempdir().unwrap();
    let access = register(dir.path());
    let all = commands();
    let source = include_str!("../../../../shield/src/order/command.rs");
    assert_eq!(all.iter().map(named).collect::<BTreeSet<_>>(), variants(source, "Command"));
    for command in all {
        let may = who(&command);
        let unasked = if may.is_empty() { PartyRole::ALL } else { &[PartyRole::Auditor] };
        audit(&access, &named(&command), (may, unasked), |person, role| {
            Request::new(person, role.word(), command.clone()).ask(&access, HERE).map(drop)
        });
    }
}

#[test]
fn no_act_on_the_house_is_without_an_authorisation() {
    let dir = tempfile::tempdir().unwrap();
    let access = register(dir.path());
    let grounds = Grounds::new("why").unwrap();
    let file = |act| StopFile {
        origin: "authority/shield/feed".into(),
        view: "all".into(),
        act,
        epoch: 1,
        made: Moment(1),
        why: "why".into(),
    };
    let stop = file(Act::Stop { halt: Halt::Lifts, until: Moment(9) });
    let acts = [
        HouseAct::Figure { figure: "witnesses".into(), value: 1, grounds: grounds.clone() },
        HouseAct::TurnFeedKey {
            old: "old".into(),
            new: "new".into(),
            statement: "note".into(),
            grounds,
        },
        HouseAct::signed_stop(&stop, "note", None),
        HouseAct::NoticeSent { item: ItemId::new(TicketId(0), 0), to: None },
    ];
    let source = include_str!("../house_act.rs");
    assert_eq!(acts.iter().map(named).collect::<BTreeSet<_>>(), variants(source, "HouseAct"));
    for act in acts {
        let may = (who_of_house(&act), &[PartyRole::Auditor][..]);
        audit(&access, &named(&act), may, |person, role| {
            Request::of_house(person, role.word(), act.clone()).ask(&access, HERE).map(drop)
        });
    }
    // A resumption for a safe is whose resumptions are, with a second person of another organisation who may.
    for role in DECIDE {
        let second = if *role == Reviewer { "regulator" } else { "reviewer" };
        let act = HouseAct::signed_stop(&file(Act::Resume), "note", Some(second));
        Request::of_house(role.word(), role.word(), act).ask(&access, HERE).unwrap();
    }
    // The standby is an operator's, in whatever office they say they ask.
    audit(&access, "standby", (&[Operator], &[]), |person, _| {
        let asked = OfStandby { person: person.into(), named: None, grounds: "why".into() };
        asked.by(&access).map(drop)
    });
}
