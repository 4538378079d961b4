use std::path::Path;

use model::record::{Body, CaptureMade, CaptureRefused, time_text};
use model::{ExhibitId, Sha256Hex};

use super::*;
use crate::desk::{Desk, Place};
use crate::open::Work;

fn place(dir: &Path) -> Place {
    Place {
        case: dir.join("case"),
        home: dir.join("home"),
        actor: "Ana".into(),
        holder: "test".into(),
        wait: vault::Wait::Fail,
    }
}

fn grant(probe: &str) -> Grant {
    Grant {
        basis: "art. 1".into(),
        hosts: vec!["TV.example".into(), "127.0.0.0/8:*".into(), "tv.example".into()],
        methods: vec!["capture-page".into()],
        rate: 30,
        from: None,
        until: time_text(crate::desk::now_ms() + 3_600_000),
        most_bytes: 1000,
        signer: "Judge Example".into(),
        probe: probe.into(),
    }
}

fn key() -> ledger::SigningKey {
    ledger::SigningKey::new("probe-1", &[7; 32]).unwrap()
}

fn begun(dir: &Path) -> Place {
    let place = place(dir);
    Desk::open_or_create(&place).unwrap().close().unwrap();
    place
}

fn granted(place: &Place) -> u64 {
    let act = Act::Grant(Box::new(grant(&key().verifier().text())));
    authorise(place, &act, &Work::default()).unwrap().start
}

#[test]
fn an_authorisation_says_what_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let place = begun(dir.path());
    let good = grant(&key().verifier().text());
    let now = crate::desk::now_ms();
    type Change = (&'static str, fn(&mut Grant, i64));
    let changed: &[Change] = &[
        ("basis", |g, _| g.basis = " ".into()),
        ("signed", |g, _| g.signer = String::new()),
        ("signed", |g, _| g.signer = "a\nb".into()),
        ("moment", |g, _| g.until = "tomorrow".into()),
        ("moment", |g, _| g.until = "2027-01-01T00:00".into()),
        ("not in the past", |g, now| g.until = time_text(now - 1)),
        ("not in the past", |g, now| g.from = Some(time_text(now + 7_200_000))),
        ("366 days", |g, now| g.until = time_text(now + 367 * 86_400_000)),
        ("hosts", |g, _| g.hosts.clear()),
        ("names nobody", |g, _| g.hosts.push("0.0.0.0/0".into())),
        ("public suffix", |g, _| g.hosts.push("*.com".into())),
        ("method", |g, _| g.methods.clear()),
        ("capture-playlist", |g, _| g.methods.push("log-in".into())),
        ("--rate", |g, _| g.rate = 0),
        ("--bytes", |g, _| g.most_bytes = u64::MAX),
        ("--probe", |g, _| g.probe = "x".into()),
    ];
    for (part, change) in changed {
        let mut grant = good.clone();
        change(&mut grant, now);
        let error = authorise(&place, &Act::Grant(Box::new(grant)), &Work::default()).unwrap_err();
        assert!(
            matches!(error, Error::Asked(_)) && error.to_string().contains(part),
            "{part}: {error}"
        );
    }
    // Whose key signs the log would vouch for its own captures.
    let desk = Desk::open(&place).unwrap();
    let own = desk.case.signer().unwrap().verifier().renamed("probe-1").unwrap().text();
    desk.close().unwrap();
    let grant = Grant { probe: own, ..good };
    let error = authorise(&place, &Act::Grant(Box::new(grant)), &Work::default()).unwrap_err();
    assert!(error.to_string().contains("one of its own"), "{error}");
    assert!(list(&place.case, &place.home).unwrap().is_empty());
}

#[test]
fn what_was_granted_is_listed_and_can_be_ended_once() {
    let dir = tempfile::tempdir().unwrap();
    let place = begun(dir.path());
    let record = granted(&place);
    let listed = list(&place.case, &place.home).unwrap();
    assert_eq!(listed[0].record, record);
    assert_eq!(listed[0].body.hosts, ["tv.example", "127.0.0.0/8:*"]);
    assert_eq!(listed[0].state(crate::desk::now_ms()), "in force");
    assert_eq!(listed[0].state(i64::MAX), "expired");
    assert_eq!(listed[0].state(0), "not yet");
    let end = Act::End { granted: record, reason: "case closed".into() };
    assert_eq!(authorise(&place, &end, &Work::default()).unwrap().count(), 1);
    assert_eq!(authorise(&place, &end, &Work::default()).unwrap().count(), 0);
    assert_eq!(list(&place.case, &place.home).unwrap()[0].state(0), "ended");
    let other = Act::End { granted: record + 1, reason: "case closed".into() };
    assert!(authorise(&place, &other, &Work::default()).is_err());
}

/// What `verify` finds of a capture whose record was changed so before it was written.
fn found(change: impl FnOnce(&mut CaptureMade, &mut ledger::SigningKey)) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let place = begun(dir.path());
    let record = granted(&place);
    let mut desk = Desk::open(&place).unwrap();
    let now = crate::desk::now_ms();
    let staged = desk.case.stager().reader(&mut &b"warc"[..]).unwrap();
    let mut body = CaptureMade {
        granted: record,
        started: time_text(now),
        ended: time_text(now + 5),
        item: "tv.example".into(),
        exhibit: staged.id(),
        outcome: "no-name".into(),
        addresses: Vec::new(),
        chains: Vec::new(),
        requests: 0,
        media_bytes: 0,
        content: Sha256Hex([3; 32]),
        signature: String::new(),
    };
    let mut key = key();
    change(&mut body, &mut key);
    let body = collect::statement::sign(body, desk.case.origin(), &key);
    let stamp = desk.stamp();
    let mut batch = desk.case.batch();
    batch.seal(staged, &vault::Origin::default()).unwrap();
    batch.record(body);
    batch.commit(&stamp).unwrap();
    desk.close().unwrap();
    let report = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
    report.findings.into_iter().map(|f| f.message).collect()
}

#[test]
fn verify_holds_captures_against_their_authorisation() {
    assert_eq!(found(|_, _| {}), Vec::<String>::new());
    let other = |_: &mut CaptureMade, key: &mut ledger::SigningKey| {
        *key = ledger::SigningKey::new("probe-1", &[8; 32]).unwrap();
    };
    assert!(found(other)[0].contains("did not sign"));
    let early = found(|c, _| c.started = time_text(0));
    assert!(early[0].contains("within the time"), "{early:?}");
    let late = found(|c, _| c.started = time_text(crate::desk::now_ms() + 7_200_000));
    assert!(late[0].contains("within the time"), "{late:?}");
    assert!(found(|c, _| c.started = "then".into())[0].contains("are none"));
    assert!(found(|c, _| c.exhibit = ExhibitId([9; 32]))[0].contains("was not sealed"));
    assert!(found(|c, _| c.granted = 0)[0].contains("no record before it granted"));
}

#[test]
fn verify_finds_what_was_done_after_the_end_and_what_is_counted_twice() {
    let dir = tempfile::tempdir().unwrap();
    let place = begun(dir.path());
    let record = granted(&place);
    let end = Act::End { granted: record, reason: "closed".into() };
    authorise(&place, &end, &Work::default()).unwrap();
    let mut desk = Desk::open(&place).unwrap();
    let refused =
        CaptureRefused { granted: record, hour: time_text(0), refusal: "host".into(), refused: 7 };
    desk.commit(vec![refused.clone().into(), refused.into()]).unwrap();
    let staged = desk.case.stager().reader(&mut &b"warc"[..]).unwrap();
    let now = crate::desk::now_ms() + 1000;
    let body = CaptureMade {
        granted: record,
        started: time_text(now),
        ended: time_text(now),
        item: "tv.example".into(),
        exhibit: staged.id(),
        outcome: "no-name".into(),
        addresses: Vec::new(),
        chains: Vec::new(),
        requests: 0,
        media_bytes: 0,
        content: Sha256Hex([3; 32]),
        signature: String::new(),
    };
    let body: Body = collect::statement::sign(body, desk.case.origin(), &key()).into();
    let stamp = desk.stamp();
    let mut batch = desk.case.batch();
    batch.seal(staged, &vault::Origin::default()).unwrap();
    batch.record(body);
    batch.commit(&stamp).unwrap();
    desk.close().unwrap();
    let report = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
    let found: Vec<&str> = report.findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("after its authorisation was ended"));
    assert!(found[1].contains("counted twice"));
    assert_eq!(list(&place.case, &place.home).unwrap()[0].refused, 14);
}
