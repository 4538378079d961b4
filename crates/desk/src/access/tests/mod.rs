mod matrix;
mod own;
mod quota;
mod refusals;

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::parties::{Act, PartyRole, Sector, act};

pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 18, 0, 7));

/// A home with two ISPs; the secret of the first one's key.
pub(super) fn home() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut secret = None;
    let of = |organisation: &str, sector| Act::Organisation {
        organisation: organisation.into(),
        name: organisation.into(),
        sector,
    };
    let person = |person: &str, of: &str| Act::Person {
        person: person.into(),
        name: person.into(),
        organisation: of.into(),
    };
    let give =
        |person: &str, role| Act::Give { person: person.into(), role, from: None, until: None };
    for what in [
        of("agency", Sector::Authority),
        person("ana", "agency"),
        give("ana", PartyRole::Operator),
        of("fibre", Sector::Isp),
        of("copper", Sector::Isp),
        Act::Issue {
            key: "fibre-1".into(),
            organisation: "fibre".into(),
            role: PartyRole::Isp,
            until: None,
        },
    ] {
        let done = act(dir.path(), "ana", "test", &what).unwrap();
        secret = secret.or(done.secret);
    }
    (dir, secret.unwrap())
}

pub(super) fn asked(action: Action, organisation: Option<&str>) -> Asked<'_> {
    Asked { action, organisation, source: AWAY }
}

/// The words of the issue: it reads its own view and reports its own state; that changes no other's.
#[test]
fn an_isps_key_reads_its_own_view_and_reports_its_own_state_alone() {
    let (dir, secret) = home();
    let access = Access::open(dir.path()).unwrap();
    let key = access.key(&secret).unwrap();
    let may = |action, of| access.may(&key, &asked(action, of), "/feed/{isp}");
    for action in [Action::FeedRead, Action::StateReport, Action::StateRead] {
        assert_eq!(may(action, Some("fibre")), Decision::Allowed, "{action:?}");
        assert_eq!(may(action, Some("copper")), Decision::Forbidden, "{action:?}");
        assert_eq!(may(action, None), Decision::Forbidden, "of nobody in particular, {action:?}");
    }
    for action in [Action::ItemLift, Action::ItemApprove, Action::Stop, Action::PartiesChange] {
        assert_eq!(may(action, None), Decision::Forbidden, "{action:?}");
    }
    assert_eq!(may(Action::ItemReport, Some("fibre")), Decision::Forbidden);
    let rows = access.refused();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].party.as_str(), rows[0].route.as_str()), ("fibre", "/feed/{isp}"));
    assert_eq!(rows[0].times, Times { forbidden: 11, ..Times::default() });
}

#[test]
fn who_is_not_signed_in_is_told_to_and_a_wrong_key_is_nobody() {
    let (dir, secret) = home();
    let access = Access::open(dir.path()).unwrap();
    for wrong in ["", "vsk_", &secret[..67], &secret.to_uppercase(), &format!("{secret}\n")] {
        assert_eq!(access.key(wrong), None, "{wrong:?}");
    }
    let decision = access.may(&Principal::Nobody, &asked(Action::CaseRead, None), "/");
    assert_eq!(decision, Decision::SignIn);
    assert_eq!(access.refused()[0].times, Times { sign_in: 1, ..Times::default() });
}

#[test]
fn what_changes_in_the_register_counts_from_the_next_look_on() {
    let (dir, secret) = home();
    let access = Access::open(dir.path()).unwrap();
    let operator = access.person("ana").unwrap();
    assert_eq!(
        access.may(&operator, &asked(Action::PartiesChange, None), "/parties"),
        Decision::Allowed
    );
    assert!(access.key(&secret).is_some() && access.person("eve").is_none());
    let revoke = Act::Revoke { key: "fibre-1".into(), reason: "lost".into() };
    act(dir.path(), "ana", "test", &revoke).unwrap();
    assert!(access.refresh().unwrap() && !access.refresh().unwrap());
    assert!(access.key(&secret).is_none());
}

#[test]
fn the_holders_session_is_of_this_machine() {
    let (dir, _) = home();
    let access = Access::open(dir.path()).unwrap();
    let may = |source| {
        let asked = Asked { action: Action::CaseRead, organisation: None, source };
        access.may(&Principal::Holder, &asked, "/")
    };
    assert_eq!(may(HERE), Decision::Allowed);
    assert_eq!(may("::ffff:127.0.0.1".parse().unwrap()), Decision::Allowed);
    assert_eq!(may("::1".parse().unwrap()), Decision::Allowed);
    assert_eq!(may(AWAY), Decision::Forbidden);
}

#[test]
fn an_organisation_shares_one_quota_and_takes_nothing_from_others() {
    let (dir, secret) = home();
    let quota = |organisation: &str, n| Act::Quota {
        organisation: organisation.into(),
        per_minute: Some(n),
    };
    act(dir.path(), "ana", "test", &quota("fibre", 3)).unwrap();
    let access = Access::open(dir.path()).unwrap();
    let key = access.key(&secret).unwrap();
    let other = Principal::Key {
        key: "copper-1".into(),
        organisation: "copper".into(),
        role: PartyRole::Isp,
    };
    let may = |who: &Principal, of| access.may(who, &asked(Action::FeedRead, Some(of)), "/feed");
    for _ in 0..3 {
        assert_eq!(may(&key, "fibre"), Decision::Allowed);
    }
    let Decision::TooMany { retry_s } = may(&key, "fibre") else { panic!("a fourth was allowed") };
    assert!((1..=20).contains(&retry_s), "{retry_s}");
    // A refusal by the policies is paid for as well, and another party's bucket is its own.
    assert!(matches!(may(&key, "copper"), Decision::TooMany { .. }));
    assert_eq!(may(&other, "copper"), Decision::Allowed);
    assert_eq!(access.refused()[0].times.too_many, 2);
}

/// Every request pays for it: a thousand decisions within a second, as tests are built.
#[test]
#[allow(clippy::print_stderr)] // the figure, for who asks for it
fn deciding_takes_little() {
    let (dir, secret) = home();
    let access = Access::open(dir.path()).unwrap();
    let key = access.key(&secret).unwrap();
    let begun = Instant::now();
    for _ in 0..1_000 {
        let decision = access.may(&key, &asked(Action::FeedRead, Some("fibre")), "/feed");
        assert_eq!(decision, Decision::Allowed);
    }
    let took = begun.elapsed();
    eprintln!("{} µs a decision", took.as_micros() / 1_000);
    assert!(took.as_secs() < 1, "{took:?}");
}
