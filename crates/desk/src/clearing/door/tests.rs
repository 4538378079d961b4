use shield::order::command::Submission;
use shield::order::words::{Grounds, OrderId, Organisation};
use shield::order::{Audience, Command, Moment, Scope};
use shield::wire::stop::{Act, StopFile};

use super::*;
use crate::access::Principal;
use crate::clearing::HouseAct;
use crate::parties::{Act as Does, PartyRole, Sector, act};

/// Two operators of one organisation, a reviewer of another, and one of the public.
fn access(dir: &Path) -> Access {
    let of = |organisation: &str, sector| Does::Organisation {
        organisation: organisation.into(),
        name: organisation.into(),
        sector,
    };
    let person = |person: &str, of: &str| Does::Person {
        person: person.into(),
        name: person.into(),
        organisation: of.into(),
    };
    let give =
        |person: &str, role| Does::Give { person: person.into(), role, from: None, until: None };
    for what in [
        of("authority", Sector::Authority),
        person("vera", "authority"),
        give("vera", PartyRole::Operator),
        person("otto", "authority"),
        give("otto", PartyRole::Operator),
        of("court", Sector::Other),
        person("ivo", "court"),
        give("ivo", PartyRole::Reviewer),
        person("paul", "court"),
    ] {
        act(dir, "vera", "test", &what).unwrap();
    }
    Access::open(dir).unwrap()
}

#[test]
fn a_resumption_for_a_safe_takes_two_persons_whoever_asks_at_the_door() {
    let dir = tempfile::tempdir().unwrap();
    let access = access(dir.path());
    let file = StopFile {
        origin: "authority/shield/feed".into(),
        view: "all".into(),
        act: Act::Resume,
        epoch: 1,
        made: Moment(1),
        why: "mended".into(),
    };
    let asks = |second: Option<&str>| {
        let act = HouseAct::signed_stop(&file, "note", second);
        Request::of_house("vera", "operator", act).ask(&access, HERE).map(drop)
    };
    for second in [None, Some("vera"), Some("otto"), Some("paul"), Some("nobody")] {
        let said = asks(second).unwrap_err().to_string();
        assert!(said.contains("two persons resume"), "{second:?}: {said}");
    }
    asks(Some("ivo")).unwrap();
    // A stop opens: one is enough.
    let stop = Act::Stop { halt: shield::order::Halt::Lifts, until: Moment(9) };
    let act = HouseAct::signed_stop(&StopFile { act: stop, ..file.clone() }, "note", None);
    Request::of_house("vera", "operator", act).ask(&access, HERE).unwrap();
}

/// Whoever holds two offices acts in the one that reaches further, whichever was given first.
#[test]
fn who_may_stop_everything_stops_everything_though_an_isp_stops_itself() {
    let dir = tempfile::tempdir().unwrap();
    let access = access(dir.path());
    let stop = |scope| Command::Stop {
        scope,
        halt: shield::order::Halt::Lifts,
        grounds: Grounds::new("a clinic").unwrap(),
    };
    for roles in [[PartyRole::Isp, PartyRole::Reviewer], [PartyRole::Reviewer, PartyRole::Isp]] {
        let (person, organisation) = ("ivo".to_owned(), "court".to_owned());
        let ivo = Principal::Person { person, organisation, roles: roles.to_vec() };
        assert_eq!(office(&access, &ivo, HERE, &stop(Scope::All)), PartyRole::Reviewer);
    }
    let (person, organisation) = ("ivo".to_owned(), "court".to_owned());
    let ivo = Principal::Person { person, organisation, roles: vec![PartyRole::Isp] };
    assert_eq!(office(&access, &ivo, HERE, &stop(Scope::All)), PartyRole::Isp);
}

/// A stop on an ISP that is none would show as one, and lift nothing.
#[test]
fn a_stop_is_on_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let access = access(dir.path());
    let of = |scope| {
        let halt = shield::order::Halt::Lifts;
        let grounds = Grounds::new("a clinic").unwrap();
        let stop = Command::Stop { scope, halt, grounds };
        Request::new("vera", "operator", stop).ask(&access, HERE).map(drop)
    };
    let court = || Organisation::new("court").unwrap();
    for (scope, is) in
        [(Scope::Isp(court()), "of a isp"), (Scope::Reporter(court()), "of a rights_holder")]
    {
        let said = of(scope).unwrap_err().to_string();
        assert!(said.contains("registered as other") && said.contains(is), "{said}");
    }
    of(Scope::All).unwrap();
    // What stands already is ended, whatever it is on.
    let resume =
        Command::Resume { scope: Scope::Isp(court()), grounds: Grounds::new("a slip").unwrap() };
    Request::new("vera", "operator", resume).ask(&access, HERE).map(drop).unwrap();
}

/// What an authority forbids from elsewhere is forbidden to who asks from there, whichever route the command came by.
#[test]
fn the_policies_are_told_from_where_it_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    drop(access(dir.path()));
    let own =
        "forbid (principal, action == Action::\"stop\", resource) when { !context.loopback };";
    ledger::disk::create_dir(&dir.path().join("policies")).unwrap();
    ledger::disk::write(&dir.path().join("policies/own.cedar"), own.as_bytes()).unwrap();
    let access = Access::open(dir.path()).unwrap();
    let elsewhere = IpAddr::V4(Ipv4Addr::new(198, 18, 4, 7));
    let stop = Command::Stop {
        scope: Scope::All,
        halt: shield::order::Halt::Lifts,
        grounds: Grounds::new("a clinic").unwrap(),
    };
    let asks = |source| Request::new("vera", "operator", stop.clone()).ask(&access, source);
    asks(HERE).unwrap();
    let said = asks(elsewhere).unwrap_err().to_string();
    assert!(said.contains("may not do that as operator"), "{said}");
    // Nor is an office of theirs found that may.
    let ivo = access.person("ivo").unwrap();
    assert_eq!(office(&access, &ivo, HERE, &stop), PartyRole::Reviewer);
    let may =
        |role| Request::new("ivo", role, stop.clone()).ask(&access, elsewhere).map(drop).is_ok();
    assert!(!may(office(&access, &ivo, elsewhere, &stop).word()));
}

/// Fault 10 of Piracy Shield: of a list of ISPs the first alone is looked at.
#[test]
fn fault_10_each_isp_of_a_list_is_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    let access = access(dir.path());
    let of = |organisation: &str, sector| Does::Organisation {
        organisation: organisation.into(),
        name: organisation.into(),
        sector,
    };
    for what in [
        of("fibre", Sector::Isp),
        of("cable", Sector::Isp),
        of("league", Sector::RightsHolder),
        Does::Person { person: "lea".into(), name: "lea".into(), organisation: "league".into() },
        Does::Give { person: "lea".into(), role: PartyRole::Reporter, from: None, until: None },
    ] {
        act(dir.path(), "vera", "test", &what).unwrap();
    }
    let asks = |isps: &[&str]| {
        let isps = isps.iter().map(|isp| Organisation::new(isp).unwrap()).collect::<Vec<_>>();
        let asked = Submission {
            order: OrderId::new("7/26").unwrap(),
            event: None,
            works: vec![],
            items: vec!["a.com".into()],
            audience: Audience::Only(isps.into()),
            until: None,
            case: None,
        };
        Request::new("lea", "reporter", Command::Submit(asked)).ask(&access, HERE).map(drop)
    };
    asks(&["fibre", "cable"]).unwrap();
    for (isps, wrong) in [
        (&["fibre", "nobody"][..], "registered as \"nobody\""),
        (&["fibre", "cable", "court"], "\"court\" is registered as other"),
        (&["fibre", "league", "cable"], "\"league\" is registered as rights_holder"),
    ] {
        let said = asks(isps).unwrap_err().to_string();
        assert!(said.contains(wrong), "{isps:?}: {said}");
    }
}
