use model::Sha256Hex;

use super::*;
use crate::desk::{Desk, Place};
use crate::open::Work;
use crate::read::Reader;

fn house(record: u64) -> Reference {
    Reference::new("authority.example/shield", record, Sha256Hex([7; 32])).unwrap()
}

fn asked() -> TicketReported {
    TicketReported {
        house: house(12),
        ticket: 3,
        item: Some("tv.stream.example".into()),
        exhibit: None,
        named: Some(0),
        note: None,
    }
}

fn decided(asked: &TicketReported, reported: Vec<TicketReported>) -> Result<Option<Body>> {
    let exhibit = |id: &ExhibitId| Ok(id.0 == [1; 32]);
    let known = Known { origin: "police.example/case/7", records: 5, exhibit: &exhibit, reported };
    decide(&known, asked)
}

#[test]
fn what_makes_no_sense_is_refused_and_what_is_known_is_not_said_twice() {
    assert!(matches!(decided(&asked(), Vec::new()), Ok(Some(Body::TicketReported(_)))));
    assert!(matches!(decided(&asked(), vec![asked()]), Ok(None)));
    let other = TicketReported { item: None, ..asked() };
    assert!(matches!(decided(&asked(), vec![other]), Ok(Some(_))));
    let own = Reference::new("police.example/case/7", 1, Sha256Hex([7; 32])).unwrap();
    let known = ExhibitId([1; 32]);
    assert!(decided(&TicketReported { exhibit: Some(known), ..asked() }, Vec::new()).is_ok());
    for (why, asked) in [
        ("this very case", TicketReported { house: own, ..asked() }),
        ("no record 5", TicketReported { named: Some(5), ..asked() }),
        ("one line", TicketReported { note: Some("a\nb".into()), ..asked() }),
        ("one line", TicketReported { item: Some("a".repeat(MAX_VALUE + 1)), ..asked() }),
        ("exhibit", TicketReported { exhibit: Some(ExhibitId([2; 32])), ..asked() }),
    ] {
        let said = decided(&asked, Vec::new()).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn the_newest_stand_first_and_a_look_has_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place {
        case: dir.path().join("case"),
        home: dir.path().join("home"),
        actor: "Ana".into(),
        holder: "test".into(),
        wait: vault::Wait::Fail,
    };
    Desk::open_or_create(&place).unwrap().close().unwrap();
    let add = |ticket: u64| {
        let body = TicketReported { ticket, house: house(ticket), named: None, ..asked() };
        let command = crate::Command::Ticket(Box::new(body));
        crate::recorded(&place, &command, &Work::default()).unwrap().0
    };
    let (first, second) = (add(1), add(2));
    assert!(!first.is_empty() && !second.is_empty() && add(1).is_empty());
    let snapshot = Reader::open(&place.case).unwrap().snapshot().unwrap();
    let some = |before, most| {
        let found = snapshot.tickets(None, before, most).unwrap();
        found.iter().map(|reported| reported.body.ticket).collect::<Vec<_>>()
    };
    assert_eq!(some(None, 9), [2, 1]);
    assert_eq!(some(None, 1), [2]);
    assert_eq!(some(Some(second.start), 9), [1]);
    assert_eq!(some(Some(first.start), 9), [0_u64; 0]);
    assert!(snapshot.tickets(Some(&ExhibitId([1; 32])), None, 9).unwrap().is_empty());
    // A record is named by its log, its place and its leaf hash.
    let named = refer(&place.case, 0).unwrap().unwrap();
    let records = Records::open(&place.case).unwrap();
    let leaf = records.get(0).unwrap().1.record;
    assert_eq!(Some(named), Reference::new(&Case::origin_in(&place.case).unwrap(), 0, leaf));
    assert_eq!(refer(&place.case, 1_000).unwrap(), None);
}
