use ledger::Policy;
use ledger::note::SigningKey;
use model::record::{Body, CaptureMade, Envelope, Opening, ShieldDecided, write};
use model::{ExhibitId, Sha256Hex};

use super::*;
use crate::item::Item;
use crate::order::step::{Asked, Ticket};
use crate::order::turn::Evidence;
use crate::order::words::{OrderId, Organisation, Person, Right};
use crate::order::{Actor, Audience, Decision, Deed, Moment, Role, Turn};

const AT: Moment = Moment(1_780_000_000_000);
const SEED: [u8; 32] = [9; 32];

fn key() -> SigningKey {
    SigningKey::new("authority.example/shield", &[1; 32]).unwrap()
}

fn policy() -> Policy {
    Policy { log: key().verifier(), witnesses: Vec::new(), quorum: 0 }
}

fn reported(id: u64) -> Deed {
    let value = Item::parse("tv.stream.example").unwrap();
    let as_written = Some("http://tv.stream.example/live/ann/secret/1.ts".into());
    Deed::Submitted(Box::new(Ticket {
        id: TicketId(id),
        order: OrderId::new("7/26").unwrap(),
        event: None,
        reporter: Organisation::new("league").unwrap(),
        works: [Right::new("serie-a").unwrap()].into(),
        items: vec![Asked { value, as_written }],
        left_out: Vec::new(),
        audience: Audience::All,
        until: None,
        case: None,
    }))
}

fn captured(id: u64) -> Deed {
    let evidence =
        Evidence { exhibit: ExhibitId([4; 32]), taken: AT, lapses: AT.plus(600_000), page: false };
    Deed::Turned { item: ItemId::new(TicketId(id), 0), turn: Turn::Captured(evidence) }
}

fn capture() -> Body {
    let time = || "2026-05-28T20:26:40.000Z".to_owned();
    CaptureMade {
        granted: 3,
        started: time(),
        ended: time(),
        item: "http://tv.stream.example/live/ann/secret/1.ts".into(),
        exhibit: ExhibitId([4; 32]),
        outcome: "media".into(),
        addresses: vec!["198.51.100.7".into()],
        chains: Vec::new(),
        requests: 2,
        media_bytes: 9,
        content: Sha256Hex([5; 32]),
        signature: "— probe".into(),
    }
    .into()
}

/// A log: a report on two tickets at once, a capture, what rests on it; and all that may be told of ticket 2.
fn opened() -> Opened {
    let by = Actor {
        person: Person::new("lea").unwrap(),
        organisation: Organisation::new("league").unwrap(),
        role: Role::Reporter,
    };
    let decision = |deeds| Decision { at: AT, by: by.clone(), deeds };
    let decisions = [
        Some(decision(vec![reported(1), reported(2)])),
        None,
        Some(decision(vec![captured(1), captured(2)])),
    ];
    let mut salts = 0_u8;
    let mut written: Vec<(String, Opening)> = Vec::new();
    for decision in &decisions {
        let body = decision.as_ref().map_or_else(capture, |decision| {
            let told = told::root(decision, &SEED);
            ShieldDecided {
                epoch: 1,
                part: 0,
                parts: 1,
                blocks: None,
                blocks_under: None,
                told: told.map(|(root, _)| root),
                told_under: told.map(|(_, under)| under),
                decision: decision.write().unwrap(),
                seed: Some(Sha256Hex(SEED)),
            }
            .into()
        });
        let authority = "authority.example".to_owned();
        let envelope = Envelope { time_ms: AT.0, authority, actor: "lea".into() };
        let mut salt = || {
            salts += 1;
            [salts; 32]
        };
        let (bytes, opening) = write(&body, &envelope, &mut salt).unwrap();
        written.push((String::from_utf8(bytes).unwrap(), opening));
    }
    let tree: Vec<_> = written.iter().map(|(text, _)| tree::leaf(text.as_bytes())).collect();
    let records =
        (0..).zip(&written).zip(&decisions).map(|((index, (text, opening)), decision)| {
            let path = proof::path(&tree, index).unwrap().into_iter().map(Sha256Hex).collect();
            let statements = decision.as_ref().map(told::statements).unwrap_or_default();
            let leaves = told::leaves(&statements, &SEED);
            let told = |(place, statement): (u32, &told::Statement)| Told {
                place,
                salt: Sha256Hex(told::salt(&SEED, place)),
                text: statement.text.clone(),
                path: proof::path(&leaves, place).unwrap().into_iter().map(Sha256Hex).collect(),
            };
            let of = (0..).zip(&statements).filter(|(_, of)| of.ticket == TicketId(2));
            let of_capture = OF_CAPTURES.iter().filter(|_| decision.is_none());
            let fields =
                of_capture.map(|name| ((*name).to_owned(), Field::of(&opening.fields[*name])));
            Shown {
                index: index.into(),
                record: text.clone(),
                path,
                fields: fields.collect(),
                told: of.map(told).collect(),
            }
        });
    Opened {
        opened: OPENED.to_owned(),
        ticket: TicketId(2),
        checkpoint: key().sign(tree.len() as u64, &tree::root(&tree)),
        records: records.collect(),
        next: None,
    }
}

#[test]
fn what_is_told_is_checked_down_to_the_log() {
    let opened = opened();
    let text = opened.write().unwrap();
    assert_eq!(Opened::read(text.as_bytes()), Ok(opened.clone()));
    for closed in ["lea\\\"", "ann/secret", "198.51.100.7", &"09".repeat(32)] {
        assert!(!text.contains(closed), "{closed} is in {text}");
    }
    let checked = opened.check(Some(&policy())).unwrap();
    assert_eq!((checked.closed, checked.checkpoint.size), (0, 3));
    let deeds: Vec<_> =
        checked.said.iter().map(|said| (said.record, &said.fields["deed"])).collect();
    let told = ["submitted", "work", "asked", "capture", "captured"];
    let records = [0, 0, 0, 1, 2];
    let wanted: Vec<_> =
        told.iter().zip(records).map(|(deed, at)| (at, Json::from(*deed))).collect();
    assert_eq!(deeds, wanted.iter().map(|(at, deed)| (*at, deed)).collect::<Vec<_>>());
    assert_eq!(checked.said[0].fields["reporter"], "league");
    assert_eq!(checked.said[3].fields["outcome"], "media");
    // Who names no key is told what holds, and that nobody confirmed the signer.
    assert_eq!(opened.check(None).unwrap().signer, None);
}

#[test]
fn what_was_changed_anywhere_does_not_hold() {
    let bad = |change: &dyn Fn(&mut Opened)| {
        let mut opened = opened();
        change(&mut opened);
        opened.check(Some(&policy())).unwrap_err()
    };
    let why = |change: &dyn Fn(&mut Opened)| match bad(change) {
        OpenedError::Record { why, .. } => why,
        other => panic!("{other}"),
    };
    let league = |text: &mut String| *text = text.replace("league", "cinema");
    assert_eq!(why(&|o| league(&mut o.records[0].told[0].text)), Bad::NotTold(3));
    assert_eq!(why(&|o| o.records[0].told[0].salt.0[0] ^= 1), Bad::NotTold(3));
    assert_eq!(why(&|o| o.records[0].told[0].place = 4), Bad::NotTold(4));
    let cut = |o: &mut Opened| o.records[0].told[0].path.truncate(0);
    assert_eq!(why(&cut), Bad::NotTold(3));
    assert_eq!(why(&|o| o.records[0].record.push(' ')), Bad::NotInLog);
    assert_eq!(why(&|o| o.records[2].path[0].0[0] ^= 1), Bad::NotInLog);
    assert_eq!(why(&|o| o.records.swap(0, 1)), Bad::Order);
    let field = |o: &mut Opened, name: &str, value: &str| {
        o.records[1].fields.get_mut(name).unwrap().value = value.into();
    };
    assert_eq!(why(&|o| field(o, "outcome", "no-name")), Bad::Field("outcome".into()));
    // What is another ticket's is none of this one's, and a capture that nothing rests on is nobody's.
    assert_eq!(why(&|o| o.ticket = TicketId(1)), Bad::Statement(3));
    assert_eq!(why(&|o| o.records[2].told.clear()), Bad::Stray);
    assert_eq!(why(&|o| drop(o.records[1].fields.remove("exhibit"))), Bad::Stray);
    // Another key; another checkpoint.
    let mallory = SigningKey::new("authority.example/shield", &[2; 32]).unwrap();
    let forged = move |o: &mut Opened| o.checkpoint = mallory.sign(3, &[0; 32]);
    assert!(matches!(bad(&forged), OpenedError::Checkpoint(_)));
    let case = SigningKey::new("authority.example/case/1", &[1; 32]).unwrap();
    let mut other = opened();
    other.checkpoint = case.sign(3, &[0; 32]);
    assert!(matches!(other.check(None), Err(OpenedError::Shape(_))));
}

#[test]
fn what_opens_more_than_it_may_is_refused() {
    let mut opened = opened();
    let any = opened.records[1].fields["outcome"].clone();
    opened.records[0].fields.insert("decision".into(), any.clone());
    let error = opened.check(None).unwrap_err().to_string();
    assert!(error.contains("\"decision\", which stays closed"), "{error}");
    opened.records[0].fields.clear();
    opened.records[1].fields.insert("item".into(), any);
    let error = opened.check(None).unwrap_err().to_string();
    assert!(error.contains("\"item\", which stays closed"), "{error}");
}

#[test]
fn a_document_has_its_bounds() {
    let opened = opened();
    for change in [
        &(|o: &mut Opened| o.opened = "vigie opened v2".into()) as &dyn Fn(&mut Opened),
        &|o| o.records.clear(),
        &|o| o.records = vec![o.records[0].clone(); 2 * MAX_RECORDS + 1],
    ] {
        let mut bad = opened.clone();
        change(&mut bad);
        let text = bad.write().unwrap();
        assert!(matches!(Opened::read(text.as_bytes()), Err(OpenedError::Shape(_))));
    }
    assert_eq!(Opened::read(&vec![b' '; MAX_OPENED + 1]), Err(OpenedError::TooLong));
    assert!(Opened::read(b"{\"opened\":1}").is_err());
}
