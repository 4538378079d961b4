use ledger::Policy;
use model::record::{CaptureMade, time_text};
use shield::order::Command;
use shield::order::words::{EventId, Grounds, Organisation, Person};
use shield::wire::opened::{Checked, OpenedError};

use super::super::tests::{ask, does, item, league, place, released, reported};
use super::*;

const DAY: u64 = 86_400_000;
const URL: &str = "http://a.stream.example/live/ann/secret/1.ts";

fn why() -> Grounds {
    Grounds::new("the stream is gone").unwrap()
}

fn all() -> Whom {
    Whom { organisation: None, isp: false }
}

fn of(organisation: &str, isp: bool) -> Whom {
    Whom { organisation: Organisation::new(organisation), isp }
}

/// A house whose first item was captured and is in force, and whose second one its reporter took back.
fn house(dir: &std::path::Path) -> House {
    let place = place(dir);
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    does(&mut house, &reported(&[URL, "b.stream.example"]));
    let time = time_text(house.now().0);
    let sealed = house.record(|case, stamp| {
        let staged = case.stager().reader(&mut &b"seen"[..])?;
        let exhibit = staged.id();
        let body = CaptureMade {
            granted: 1,
            started: time.clone(),
            ended: time.clone(),
            item: URL.to_owned(),
            exhibit,
            outcome: "media".to_owned(),
            addresses: vec!["198.18.0.7".to_owned()],
            chains: Vec::new(),
            requests: 1,
            media_bytes: 1,
            content: Sha256Hex::of(b"seen"),
            signature: String::new(),
        };
        let mut batch = case.batch();
        batch.seal(staged, &vault::Origin::default())?;
        batch.record(body);
        batch.commit(stamp)?;
        Ok(exhibit)
    });
    let mut asks = released(&house, item(0));
    if let Command::Capture { capture, .. } = &mut asks[0].command {
        capture.exhibit = sealed.unwrap();
    }
    does(&mut house, &asks);
    does(&mut house, &[ask(&league(), Command::Refuse { item: item(1), grounds: why() })]);
    house
}

/// What somebody is told of the first ticket, made as [`opened`] makes it.
fn told(house: &mut House, whom: &Whom, after: Option<u64>) -> Option<Opened> {
    let mut sheet = Sheet::begin(house, TicketId(0), whom, after).unwrap()?.unwrap();
    let records = Records::open(&sheet.dir).unwrap();
    sheet.read(&records).unwrap();
    let exhibits: Vec<ExhibitId> = sheet.exhibits.iter().copied().collect();
    sheet.captures = captures(house, &exhibits).unwrap();
    Some(sheet.end(&records).unwrap())
}

fn not_yet(house: &House, id: u64) -> NotYet {
    opens(house, TicketId(id)).unwrap().unwrap_err()
}

fn figure(house: &mut House, after: u64) {
    let person = Person::new("vera").unwrap();
    house.figure(&person, "opened_after_ms", after, &why()).unwrap();
}

fn over(house: &mut House) {
    let event = EventId::new("final").unwrap();
    does(house, &[ask(&league(), Command::EndEvent { event, grounds: why() })]);
}

#[test]
fn nothing_is_told_before_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = house(dir.path());
    let until = |house: &House| house.state().event(&EventId::new("final").unwrap()).unwrap().until;
    let end = until(&house);
    assert_eq!(not_yet(&house, 0), NotYet::Until(end.plus(DAY)));
    let early = Sheet::begin(&mut house, TicketId(0), &all(), None).unwrap().unwrap();
    assert_eq!(early.unwrap_err(), NotYet::Until(end.plus(DAY)));
    // An event that ends before its time is over then; and a figure moves the clock.
    over(&mut house);
    let over = until(&house);
    assert!(over < end);
    assert_eq!(not_yet(&house, 0), NotYet::Until(over.plus(DAY)));
    figure(&mut house, 0);
    assert_eq!(opens(&house, TicketId(0)).unwrap(), Ok(over));
    assert_eq!(not_yet(&house, 1), NotYet::Untraced);
    // A ticket without an event: from the end of all that is of it.
    figure(&mut house, DAY);
    let Command::Submit(mut asked) = reported(&["c.stream.example"])[2].command.clone() else {
        panic!("no report")
    };
    asked.event = None;
    does(&mut house, &[ask(&league(), Command::Submit(asked))]);
    assert_eq!(not_yet(&house, 1), NotYet::Lives(DAY));
    let third = ItemId::new(TicketId(1), 0);
    let done = does(&mut house, &[ask(&league(), Command::Refuse { item: third, grounds: why() })]);
    assert_eq!(not_yet(&house, 1), NotYet::Until(done[0].at.plus(DAY)));
}

#[test]
fn what_is_told_is_checked_down_to_the_log_and_opens_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = house(dir.path());
    over(&mut house);
    figure(&mut house, 0);
    house.show().unwrap();
    let log = house.case().signer().unwrap().verifier();
    let policy = Policy { log, witnesses: Vec::new(), quorum: 0 };
    let check = |text: &str| -> std::result::Result<Checked, OpenedError> {
        Opened::read(text.as_bytes())?.check(Some(&policy))
    };
    let opened = told(&mut house, &all(), None).unwrap();
    let text = opened.write().unwrap();
    let checked = check(&text).unwrap();
    assert_eq!((checked.closed, opened.next), (0, None));
    let deeds: Vec<&str> =
        checked.said.iter().filter_map(|said| said.fields["deed"].as_str()).collect();
    let wanted = [
        "submitted",
        "work",
        "asked",
        "asked",
        "capture",
        "captured",
        "checked",
        "released",
        "notice_asked",
        "refused",
        "lifted",
    ];
    for deed in wanted {
        assert!(deeds.contains(&deed), "{deed} is not among {deeds:?}");
    }
    let one = |deed: &str| checked.said.iter().find(|said| said.fields["deed"] == deed).unwrap();
    assert_eq!(one("submitted").fields["reporter"], "league");
    assert_eq!(one("submitted").fields["order"], "1/26");
    assert_eq!(one("capture").fields["outcome"], "media");
    assert_eq!(one("capture").fields["exhibit"], one("captured").fields["exhibit"]);
    // Nobody's name, words, URL or address, nor what all salts follow from.
    let seeds = (0..house.case().len()).filter_map(|index| match house.case().body(index) {
        Ok(Body::ShieldDecided(body)) => body.seed.map(|seed| seed.to_string()),
        _ => None,
    });
    let closed = ["\\\"lea\\\"", "\"lea\"", "is gone", "ann/secret", "198.18.0.7"];
    for closed in closed.map(str::to_owned).into_iter().chain(seeds) {
        assert!(!text.contains(&closed), "{closed} is in {text}");
    }
    // One word changed, and it does not hold.
    let error = check(&text.replace("league", "cinema")).unwrap_err().to_string();
    assert!(error.contains("not under the root"), "{error}");
    // Its reporter is told all of it. An ISP is told nothing of what never was in force; nobody else anything.
    assert_eq!(told(&mut house, &of("league", false), None), Some(opened.clone()));
    let isp = told(&mut house, &of("fibre", true), None).unwrap().write().unwrap();
    check(&isp).unwrap();
    assert!(isp.contains("a.stream.example") && !isp.contains("b.stream.example"), "{isp}");
    assert!(!isp.contains("\\\"0/1\\\""), "{isp}");
    assert_eq!(told(&mut house, &of("fibre", false), None), None);
    // In pieces, as where there are more records than one document holds.
    let first = opened.records[0].index;
    let rest = told(&mut house, &all(), Some(first)).unwrap();
    assert!(rest.records.iter().all(|record| record.index > first));
    check(&rest.write().unwrap()).unwrap();
    house.close().unwrap();
    // The log with its new roots is one that verifies and is applied again.
    let report = crate::verify(&place(dir.path()).case, &place(dir.path()).home, None, &|_| {});
    // The capture of this test was made under no authorisation; nothing else is wrong.
    let found: Vec<_> = report.unwrap().findings.into_iter().map(|one| one.message).collect();
    assert!(found.iter().all(|one| one.contains("of an authorisation")), "{found:?}");
}

#[test]
fn who_is_told_follows_whom_a_ticket_is_addressed_to() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let mut asks = reported(&["a.stream.example"]);
    if let Command::Submit(asked) = &mut asks[2].command {
        asked.audience = Audience::Only([Organisation::new("fibre").unwrap()].into());
    }
    does(&mut house, &asks);
    let ticket = house.state().ticket(TicketId(0)).unwrap();
    assert_eq!(of("fibre", true).sees(ticket), Some(Sees::Released));
    assert_eq!(of("cable", true).sees(ticket), None);
    assert_eq!(of("fibre", false).sees(ticket), None);
    assert_eq!(of("league", false).sees(ticket), Some(Sees::All));
    assert_eq!(all().sees(ticket), Some(Sees::All));
}
