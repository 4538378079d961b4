//! Sessions begin, end, and are of the offices they began with.

use super::super::sessions::{LONGEST_MS, Sessions};
use super::*;
use crate::parties::PartyRole::{Auditor, Operator};

const NOW: i64 = 1_764_000_000_000;

#[test]
fn a_session_lives_so_long_and_idle_so_long() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::open(dir.path()).unwrap();
    let begin = || sessions.begin("ana", &[Operator], By::Password, "x", NOW).unwrap();
    let lives = |token: &str, at| sessions.find(token, at).unwrap().is_some();
    let idle = begin();
    assert!(lives(&idle, NOW) && !lives(&idle, NOW + IDLE_MS));
    assert!(lives(&idle, NOW - 60_000) && !lives(&idle, NOW - 60_001), "a clock that was set back");
    let used = begin();
    let mut at = NOW;
    while at < NOW + LONGEST_MS - IDLE_MS {
        at += IDLE_MS / 2;
        assert!(lives(&used, at), "{at}");
    }
    at = NOW + LONGEST_MS;
    assert!(lives(&used, at - IDLE_MS / 2) && lives(&used, at - 1) && !lives(&used, at));
    // Looking is no use.
    let watched = begin();
    let peek = |at| sessions.peek(&watched, at).unwrap().is_some();
    assert!(peek(NOW + IDLE_MS - 1) && !peek(NOW + IDLE_MS));
    for wrong in ["", "0", &used.to_uppercase(), &used[..63]] {
        assert!(!lives(wrong, NOW));
    }
}

#[test]
fn a_restart_ends_none_and_another_process_ends_any() {
    let (bench, token) = Bench::with_password();
    let again = Accounts::open(bench.dir.path()).unwrap();
    let (session, _) = again.session(&bench.access, &token).unwrap().unwrap();
    assert_eq!((session.person.as_str(), session.by), ("ana", By::Invitation));
    let other = bench.sign_in("ana", PASSWORD, 1).unwrap();
    assert_eq!(list_sessions(bench.dir.path()).unwrap().len(), 2);
    // As `vigie party sessions --end` does it, beside the server.
    let end = |by: &str, why: &str| end_sessions(bench.dir.path(), by, "test", "ana", why);
    assert!(end("eve", "x").is_err() && end("ben", "").is_err());
    assert_eq!(bench.who(&token).as_deref(), Some("ana"));
    assert_eq!(end("ben", "a lost laptop").unwrap(), 2);
    assert_eq!((bench.who(&token), bench.who(&other)), (None, None));
    assert_eq!(end("ben", "again").unwrap(), 0);
}

#[test]
fn ones_own_sessions_are_ended_and_nobody_elses() {
    let (bench, first) = Bench::with_password();
    let second = bench.sign_in("ana", PASSWORD, 1).unwrap();
    let all = bench.accounts.sessions(Some("ana")).unwrap();
    assert_eq!(all.len(), 2);
    let (session, _) = bench.accounts.session(&bench.access, &second).unwrap().unwrap();
    assert!(!bench.accounts.end_own("ben", &session.id).unwrap());
    assert!(bench.accounts.end_own("ana", &session.id).unwrap());
    assert!(!bench.accounts.end_own("ana", &session.id).unwrap());
    assert!(!bench.accounts.end_own("ana", "").unwrap());
    assert_eq!((bench.who(&first).as_deref(), bench.who(&second)), (Some("ana"), None));
}

#[test]
fn a_role_that_is_given_or_taken_ends_the_session_and_so_does_suspension() {
    let (bench, token) = Bench::with_password();
    let home = bench.dir.path();
    give(home, "ben", "ana", Auditor);
    assert!(bench.who(&token).is_some(), "the register was not read again yet");
    bench.access.refresh().unwrap();
    assert_eq!(bench.who(&token), None);
    let token = bench.sign_in("ana", PASSWORD, 1).unwrap();
    let suspend = Act::Suspend { party: "person:ana".into(), reason: "x".into() };
    act(home, "ben", "test", &suspend).unwrap();
    bench.access.refresh().unwrap();
    assert_eq!(bench.who(&token), None);
    assert_eq!(bench.sign_in("ana", PASSWORD, 2), Err(NotSignedIn::Wrong));
    // Reinstated, the old session is not there again.
    let reinstate = Act::Reinstate { party: "person:ana".into(), reason: "x".into() };
    act(home, "ben", "test", &reinstate).unwrap();
    bench.access.refresh().unwrap();
    assert_eq!(bench.who(&token), None);
}

#[test]
fn there_are_so_many_of_a_person_and_the_oldest_gives_way() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::open(dir.path()).unwrap();
    let begin = |n: i64| sessions.begin("ana", &[], By::Password, "x", NOW + n).unwrap();
    let first = begin(0);
    let second = begin(1);
    for n in 2..MAX_OF_PERSON as i64 + 1 {
        begin(n);
    }
    let lives = |token: &str| sessions.find(token, NOW + 100).unwrap().is_some();
    assert!(!lives(&first) && lives(&second));
    let agent = "a\u{0}b\n".to_owned() + &"x".repeat(500);
    sessions.begin("ben", &[], By::Password, &agent, NOW).unwrap();
    let all = sessions.all(NOW + 100).unwrap();
    assert_eq!(all.len(), MAX_OF_PERSON + 1);
    let of_ben = all.iter().find(|s| s.person == "ben").unwrap();
    assert!(of_ben.agent.starts_with("abx") && of_ben.agent.len() == 120);
}

#[test]
fn a_file_that_is_none_is_told_and_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sessions = Sessions::open(dir.path()).unwrap();
    let token = sessions.begin("ana", &[], By::Password, "x", NOW).unwrap();
    let path = dir.path().join("access").join("sessions");
    let good = std::fs::read(&path).unwrap();
    for bad in [&b"{}\n"[..], b"\xff", &good[..good.len() - 9]] {
        ledger::disk::write(&path, bad).unwrap();
        assert!(sessions.find(&token, NOW).is_err());
        assert!(Sessions::open(dir.path()).is_err());
    }
    ledger::disk::write(&path, &good).unwrap();
    assert!(sessions.find(&token, NOW).unwrap().is_some());
}
