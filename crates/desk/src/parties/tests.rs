use std::path::Path;

use super::*;
use crate::Error;

const DAY_MS: i64 = 86_400_000;

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> &Path {
        self.dir.path()
    }

    fn act(&self, by: &str, what: Act) -> crate::Result<Done> {
        act(self.home(), by, "test", &what)
    }

    #[track_caller]
    fn ok(&self, by: &str, what: Act) -> Done {
        self.act(by, what).unwrap()
    }

    /// What it says where it refuses.
    #[track_caller]
    fn refused(&self, by: &str, what: Act) -> String {
        match self.act(by, what) {
            Err(Error::Asked(why)) => why,
            other => panic!("{other:?}"),
        }
    }

    fn register(&self) -> Register {
        Register::read(self.home()).unwrap()
    }

    /// An authority with two operators, a rights holder with a reporter, an ISP.
    fn with_parties() -> Self {
        let bench = Self::new();
        bench.ok("root", organisation("agency", Sector::Authority));
        bench.ok("root", person("ana", "agency"));
        bench.ok("root", give("ana", PartyRole::Operator));
        bench.ok("ana", person("ben", "agency"));
        bench.ok("ana", give("ben", PartyRole::Operator));
        bench.ok("ana", organisation("league", Sector::RightsHolder));
        bench.ok("ana", person("rita", "league"));
        bench.ok("ana", give("rita", PartyRole::Reporter));
        bench.ok("ana", organisation("fibre", Sector::Isp));
        bench
    }
}

fn organisation(short: &str, sector: Sector) -> Act {
    Act::Organisation { organisation: short.into(), name: format!("The {short}"), sector }
}

fn person(short: &str, of: &str) -> Act {
    Act::Person { person: short.into(), name: format!("{short} Example"), organisation: of.into() }
}

fn give(short: &str, role: PartyRole) -> Act {
    Act::Give { person: short.into(), role, from: None, until: None }
}

fn take(short: &str, role: PartyRole) -> Act {
    Act::Take { person: short.into(), role, reason: "left".into() }
}

fn issue(key: &str, of: &str, role: PartyRole, until: Option<&str>) -> Act {
    let until = until.map(str::to_owned);
    Act::Issue { key: key.into(), organisation: of.into(), role, until }
}

fn suspend(party: &str) -> Act {
    Act::Suspend { party: party.into(), reason: "order 7".into() }
}

fn reinstate(party: &str) -> Act {
    Act::Reinstate { party: party.into(), reason: "order 8".into() }
}

#[test]
fn an_empty_home_has_an_empty_register() {
    let bench = Bench::new();
    let register = bench.register();
    assert!(register.is_empty() && register.records() == 0);
    assert!(!bench.home().join("authorities").exists(), "reading makes nothing");
}

#[test]
fn who_holds_the_folder_makes_the_first_operator_and_operators_the_rest() {
    let bench = Bench::with_parties();
    let register = bench.register();
    assert_eq!(register.operators(now()), ["ana", "ben"]);
    assert_eq!(register.person("rita").unwrap().organisation, "league");
    let why = bench.refused("root", person("eve", "agency"));
    assert!(why.contains("ana, ben") && why.contains("--by"), "{why}");
    assert!(bench.refused("rita", person("eve", "league")).contains("no operator"));
    // Nor does an operator give himself what he has not.
    assert!(bench.refused("ana", give("ana", PartyRole::Auditor)).contains("himself"));
    bench.ok("ben", give("ana", PartyRole::Auditor));
}

#[test]
fn what_was_recorded_is_committed_and_says_who_did_it() {
    let bench = Bench::with_parties();
    let log = ledger::Home::new(bench.home()).find(ledger::PRACTICE).unwrap();
    let mut actors = Vec::new();
    for (index, entry) in (0..).zip(log.reader().unwrap().entries(0)) {
        let entry = entry.unwrap();
        let text = String::from_utf8(entry.clone()).unwrap();
        for personal in ["ana", "rita", "league", "root", "operator"] {
            assert!(!text.contains(personal), "{personal} is in {text}");
        }
        let line = log.opening(index).unwrap().unwrap();
        let opening = model::record::Opening::parse_line(&line).unwrap();
        actors.push(model::record::Record::parse(&entry).unwrap().actor(&opening).unwrap());
    }
    assert_eq!(actors, ["root", "root", "root", "ana", "ana", "ana", "ana", "ana", "ana"]);
    assert!(vault::verify_authority(&log).is_empty());
}

#[test]
fn what_is_so_already_is_not_recorded_again() {
    let bench = Bench::with_parties();
    let before = bench.register().records();
    for same in [
        organisation("league", Sector::RightsHolder),
        person("rita", "league"),
        give("rita", PartyRole::Reporter),
        take("rita", PartyRole::Auditor),
        reinstate("person:rita"),
        Act::Quota { organisation: "league".into(), per_minute: None },
    ] {
        assert_eq!(bench.ok("ana", same).record, None);
    }
    assert_eq!(bench.register().records(), before);
    // The same name for another is not the same.
    assert!(bench.refused("ana", organisation("league", Sector::Isp)).contains("already"));
    assert!(bench.refused("ana", person("rita", "fibre")).contains("given once"));
}

#[test]
fn a_role_is_held_from_one_moment_until_another() {
    let bench = Bench::with_parties();
    let act = Act::Give {
        person: "rita".into(),
        role: PartyRole::Auditor,
        from: Some("2199-01-01T00:00Z".into()),
        until: Some("2199-02-01T00:00Z".into()),
    };
    bench.ok("ana", act);
    let register = bench.register();
    let roles = |at| register.roles_at("rita", at);
    assert_eq!(roles(now()), [PartyRole::Reporter]);
    let begins = crate::capture::moment("2199-01-01T00:00Z").unwrap();
    assert_eq!(roles(begins - 1), [PartyRole::Reporter]);
    assert_eq!(roles(begins), [PartyRole::Reporter, PartyRole::Auditor]);
    assert_eq!(roles(begins + 31 * DAY_MS), [PartyRole::Reporter]);
    bench.ok("ana", take("rita", PartyRole::Reporter));
    assert_eq!(bench.register().roles_at("rita", now()), []);
    for (from, until) in [(None, Some("2001-01-01T00:00Z")), (Some("soon"), None)] {
        let [from, until] = [from, until].map(|t: Option<&str>| t.map(str::to_owned));
        let act = Act::Give { person: "rita".into(), role: PartyRole::Reporter, from, until };
        bench.refused("ana", act);
    }
}

#[test]
fn an_office_is_of_the_right_sector() {
    let bench = Bench::with_parties();
    for role in PartyRole::ALL {
        let fits = match role {
            PartyRole::Operator | PartyRole::Regulator | PartyRole::Isp => false,
            PartyRole::Reporter | PartyRole::Reviewer | PartyRole::Probe => true,
            PartyRole::Auditor | PartyRole::Public => true,
        };
        assert_eq!(bench.act("ana", give("rita", *role)).is_ok(), fits, "{role:?}");
    }
    assert!(bench.refused("ana", give("rita", PartyRole::Isp)).contains("sector isp"));
}

#[test]
fn a_key_is_shown_once_and_found_by_its_secret_alone() {
    let bench = Bench::with_parties();
    let done =
        bench.ok("ana", issue("fibre-1", "fibre", PartyRole::Isp, Some("2199-01-01T00:00Z")));
    let secret = done.secret.unwrap();
    assert!(secret.starts_with("vsk_") && secret.len() == 68, "{secret}");
    let register = bench.register();
    let (name, key) = register.key_of(&secret, now()).unwrap();
    assert_eq!((name, key.organisation.as_str(), key.role), ("fibre-1", "fibre", PartyRole::Isp));
    let ends = key.until_ms.unwrap();
    assert!(
        register.key_of(&secret, ends - 1).is_some() && register.key_of(&secret, ends).is_none()
    );
    assert!(register.key_of(&format!("{secret}0"), now()).is_none());
    assert!(register.key_of("", now()).is_none());
    for folder in walk(bench.home()) {
        let bytes = std::fs::read(&folder).unwrap();
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "the secret stands in {}", folder.display());
    }
    // Neither twice, nor for who is a person's to be, nor for another sector.
    assert!(bench.refused("ana", issue("fibre-1", "fibre", PartyRole::Isp, None)).contains("once"));
    bench.refused("ana", issue("root-1", "agency", PartyRole::Operator, None));
    bench.refused("ana", issue("league-1", "league", PartyRole::Isp, None));
    let revoke = || Act::Revoke { key: "fibre-1".into(), reason: "lost".into() };
    assert!(bench.ok("ana", revoke()).record.is_some());
    assert!(bench.ok("ana", revoke()).record.is_none());
    assert!(bench.register().key_of(&secret, now()).is_none());
    assert!(bench.refused("ana", issue("fibre-1", "fibre", PartyRole::Isp, None)).contains("once"));
}

#[test]
fn who_is_suspended_may_nothing_and_an_organisation_takes_all_of_it_along() {
    let bench = Bench::with_parties();
    let secret = bench.ok("ana", issue("fibre-1", "fibre", PartyRole::Isp, None)).secret.unwrap();
    bench.ok("ana", suspend("organisation:fibre"));
    bench.ok("ana", suspend("person:rita"));
    let register = bench.register();
    assert!(register.key_of(&secret, now()).is_none());
    assert_eq!(register.roles_at("rita", now()), []);
    assert!(register.actor("rita", PartyRole::Reporter).is_err());
    assert!(register.actor("rita", PartyRole::Public).is_err());
    bench.ok("ana", reinstate("organisation:fibre"));
    bench.ok("ana", reinstate("person:rita"));
    let register = bench.register();
    assert!(register.key_of(&secret, now()).is_some());
    assert!(register.actor("rita", PartyRole::Reporter).is_ok());
    for party in ["rita", "person:nobody", "organisation:rita", "key:fibre-1"] {
        bench.refused("ana", suspend(party));
    }
}

#[test]
fn the_last_operator_stays() {
    let bench = Bench::with_parties();
    bench.ok("ana", take("ben", PartyRole::Operator));
    for act in
        [take("ana", PartyRole::Operator), suspend("person:ana"), suspend("organisation:agency")]
    {
        let why = bench.refused("ana", act);
        assert!(why.contains("no operator"), "{why}");
    }
    // One who leaves by a date is none to rely on.
    let until = Some("2199-01-01T00:00Z".to_owned());
    let act = Act::Give { person: "ben".into(), role: PartyRole::Operator, from: None, until };
    bench.ok("ana", act);
    assert!(bench.refused("ben", suspend("person:ana")).contains("without an end"));
    bench.ok("ana", give("ben", PartyRole::Operator));
    bench.ok("ben", suspend("person:ana"));
    assert_eq!(bench.register().operators(now()), ["ben"]);
}

#[test]
fn the_clearing_house_is_told_who_acts() {
    use shield::order::Role;
    let bench = Bench::with_parties();
    bench.ok("ana", person("isa", "fibre"));
    bench.ok("ana", give("isa", PartyRole::Isp));
    bench.ok("ana", give("rita", PartyRole::Auditor));
    let register = bench.register();
    let actor = register.actor("rita", PartyRole::Reporter).unwrap();
    assert_eq!((actor.person.as_str(), actor.organisation.as_str()), ("rita", "league"));
    assert_eq!(actor.role, Role::Reporter);
    assert_eq!(register.actor("ana", PartyRole::Operator).unwrap().role, Role::Authority);
    assert_eq!(register.actor("isa", PartyRole::Isp).unwrap().role, Role::Isp);
    assert_eq!(register.actor("isa", PartyRole::Public).unwrap().role, Role::Party);
    for (who, role) in [
        ("rita", PartyRole::Auditor),
        ("rita", PartyRole::Isp),
        ("ana", PartyRole::Regulator),
        ("nobody", PartyRole::Public),
    ] {
        assert!(register.actor(who, role).is_err(), "{who} as {role:?}");
    }
}

#[test]
fn quotas_are_those_of_the_roles_until_one_is_given() {
    let bench = Bench::with_parties();
    assert_eq!(bench.register().quota("league"), PartyRole::Reporter.usual_quota());
    assert_eq!(bench.register().quota("fibre"), PartyRole::Public.usual_quota());
    bench.ok("ana", issue("fibre-1", "fibre", PartyRole::Isp, None));
    assert_eq!(bench.register().quota("fibre"), PartyRole::Isp.usual_quota());
    let quota = |per_minute| Act::Quota { organisation: "fibre".into(), per_minute };
    bench.ok("ana", quota(Some(9_000)));
    assert_eq!(bench.register().quota("fibre"), 9_000);
    bench.refused("ana", quota(Some(0)));
    bench.refused("ana", quota(Some(MAX_QUOTA + 1)));
    bench.ok("ana", quota(None));
    assert_eq!(bench.register().quota("fibre"), PartyRole::Isp.usual_quota());
}

#[test]
fn names_have_one_writing_and_bounds() {
    for good in ["a", "ana.example", "0-x_y", &"x".repeat(MAX_SHORT)] {
        assert!(is_short(good), "{good}");
    }
    for bad in ["", "-a", ".a", "Ana", "a b", "a:b", "ä", "a\n", &"x".repeat(MAX_SHORT + 1)] {
        assert!(!is_short(bad), "{bad}");
    }
    let bench = Bench::new();
    let act = |name: &str| Act::Organisation {
        organisation: "x".into(),
        name: name.into(),
        sector: Sector::Other,
    };
    for bad in ["", "  ", "a\nb", &"x".repeat(MAX_NAME + 1)] {
        bench.refused("root", act(bad));
    }
    bench.refused("", act("X"));
    bench.refused("root", suspend("person:x"));
}

/// What follows the log reads what came since, and refuses a log that lost something.
#[test]
fn a_register_follows_the_log() {
    let bench = Bench::with_parties();
    let mut register = bench.register();
    assert!(!register.is_behind().unwrap() && !register.refresh().unwrap());
    bench.ok("ana", person("isa", "fibre"));
    assert!(register.is_behind().unwrap() && register.refresh().unwrap());
    assert!(!register.is_behind().unwrap());
    assert_eq!(register.person("isa").unwrap().organisation, "fibre");
    let fresh = bench.register();
    assert_eq!(fresh.people().collect::<Vec<_>>(), register.people().collect::<Vec<_>>());
}

/// A lost opening of a suspension must not lift it.
#[test]
fn what_is_lost_is_an_error_and_not_passed_over() {
    let bench = Bench::with_parties();
    let done = bench.ok("ana", suspend("person:rita"));
    let folder = bench.home().join("authorities").join(ledger::PRACTICE).join("openings");
    let path = folder.join(done.record.unwrap().to_string());
    let line = std::fs::read(&path).unwrap();
    ledger::disk::remove(&path).unwrap();
    let error = Register::read(bench.home()).unwrap_err();
    assert!(error.to_string().contains("is missing"), "{error}");
    let other = std::fs::read(folder.join("0")).unwrap();
    ledger::disk::write(&path, &other).unwrap();
    assert!(Register::read(bench.home()).is_err());
    ledger::disk::write(&path, &line).unwrap();
    assert!(Register::read(bench.home()).is_ok());
}

fn now() -> i64 {
    crate::desk::now_ms()
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut out = Vec::new();
    for item in std::fs::read_dir(dir).unwrap().flatten() {
        match item.path() {
            path if path.is_dir() => out.extend(walk(&path)),
            path => out.push(path),
        }
    }
    out
}
