use std::collections::BTreeSet;

use ledger::SigningKey;
use model::custody::{Book, Fault, Proof, Side};
use model::record::{Body, CustodyRegistered, Envelope, Opening, Record, write};
use proptest::prelude::*;

use super::*;

const ORIGIN: &str = "practice.invalid/case/1";
const NOW: i64 = 1_764_000_000_000;

/// A log in memory.
#[derive(Default)]
struct Logged(Vec<(Record, Opening)>);

impl Logged {
    fn custody(&self) -> Custody {
        let mut book = Book::default();
        for (index, (record, opening)) in self.0.iter().enumerate() {
            book.take(index as u64, record, opening);
        }
        Custody { origin: ORIGIN.to_owned(), book, hidden: BTreeSet::new() }
    }

    fn add(&mut self, body: Body) {
        let envelope =
            Envelope { time_ms: NOW, authority: "practice.invalid".into(), actor: "a".into() };
        let mut n = self.0.len() as u8;
        let mut salt = || {
            n = n.wrapping_mul(31).wrapping_add(7);
            [n; 32]
        };
        let (bytes, opening) = write(&body, &envelope, &mut salt).unwrap();
        self.0.push((Record::parse(&bytes).unwrap(), opening));
    }

    /// Decides and records; false where it was refused.
    fn act(&mut self, act: &Act) -> bool {
        let known = Known { custody: self.custody(), now_ms: NOW, exhibit: &|_| Ok(false) };
        match decide(&known, act) {
            Ok(body) => {
                body.into_iter().for_each(|body| self.add(body));
                true
            }
            Err(Error::Asked(_) | Error::NotFound { .. }) => false,
            Err(other) => panic!("{other}"),
        }
    }

    fn hand(&mut self, to: &str, keys: &[&SigningKey]) -> bool {
        let new = NewOffer { item: "disk".into(), to: Some(to.into()), ..NewOffer::default() };
        let nonce = [self.0.len() as u8; 32];
        let mut text = self.custody().offer(&new, NOW, &nonce).unwrap().to_string();
        for key in keys {
            text = sign(&text, key).unwrap().1;
        }
        let (offer, signatures) = merge(&[text]).unwrap();
        self.act(&Act::HandOver { offer, signatures, without_device: None })
    }
}

fn key(person: &str, seed: u8) -> SigningKey {
    SigningKey::new(person, &[seed; 32]).unwrap()
}

fn enrol(key: &SigningKey) -> Act {
    Act::Enrol {
        person: key.name().to_owned(),
        name: format!("The {}", key.name()),
        role: Some("officer".into()),
        organisation: None,
        key: Some(key.verifier().text()),
    }
}

/// The disk is with ana, then with bob.
fn begun() -> (Logged, SigningKey, SigningKey) {
    let (mut log, ana, bob) = (Logged::default(), key("ana", 1), key("bob", 2));
    assert!(log.act(&enrol(&ana)) && log.act(&enrol(&bob)));
    let disk = CustodyRegistered {
        item: "disk".into(),
        description: "2 TB".into(),
        exhibit: None,
        exhibits: Vec::new(),
        seal: Some("S-1".into()),
        place: "room 2".into(),
        holder: "ana".into(),
        happened: "2025-11-11T18:30+01:00".into(),
    };
    assert!(log.act(&Act::Register(disk)));
    assert!(log.hand("bob", &[&ana, &bob]));
    (log, ana, bob)
}

#[test]
fn what_both_signed_holds_and_what_was_changed_does_not() {
    let (log, ana, bob) = begun();
    let custody = log.custody();
    assert_eq!(custody.chain("disk").faults, []);
    assert_eq!(custody.chain("disk").steps[1].proofs, Some([Proof::Signed; 2]));
    // Another text under the same signatures; another's signature; another case.
    let mut changed = log.custody();
    changed.book.hand_overs[0].body.place = "pub".into();
    assert_eq!(changed.proofs(&changed.book.hand_overs[0]), [Proof::Broken; 2]);
    let mut swapped = log.custody();
    let line = swapped.book.hand_overs[0].body.to_signature.clone();
    swapped.book.hand_overs[0].body.from_signature = line;
    assert_eq!(swapped.proofs(&swapped.book.hand_overs[0]), [Proof::Broken, Proof::Signed]);
    let other = Custody { origin: "practice.invalid/case/2".into(), ..log.custody() };
    assert_eq!(other.proofs(&other.book.hand_overs[0]), [Proof::Broken; 2]);
    let mut bare = log.custody();
    bare.book.hand_overs[0].body.to_signature = None;
    let unproved = Fault::Unproved { side: Side::To, proof: Proof::Missing };
    assert_eq!(bare.chain("disk").faults, [(3, unproved)]);
    let _ = (ana, bob);
}

#[test]
fn names_are_erased_and_the_chain_still_proves() {
    let (mut log, ..) = begun();
    for (record, opening) in &mut log.0 {
        if record.kind == "actor.enrolled" {
            opening.fields.remove("name");
            opening.fields.remove("role");
        }
        if record.kind == "custody.registered" {
            opening.fields.remove("description");
        }
    }
    let custody = log.custody();
    assert_eq!(custody.chain("disk").faults, []);
    assert_eq!(custody.book.enrolled()["ana"].body.name, "");
    assert_eq!(custody.held("disk").unwrap().description(), None);
    // A part of what was signed: the hand-over stands, its signatures cannot be checked.
    log.0[3].1.fields.remove("place");
    let proofs = log.custody().chain("disk").steps[1].proofs;
    assert_eq!(proofs, Some([Proof::Withheld; 2]));
    log.0[3].1.fields.remove("item");
    assert_eq!(log.custody().book.withheld, [3]);
}

#[test]
fn a_newer_key_counts_for_what_comes_after_it() {
    let (mut log, ana, bob) = begun();
    let newer = key("bob", 9);
    assert!(log.act(&enrol(&newer)));
    assert_eq!(log.custody().chain("disk").faults, []);
    assert!(!log.hand("ana", &[&bob, &ana]), "by the older key");
    assert!(log.hand("ana", &[&newer, &ana]));
    assert_eq!(log.custody().chain("disk").faults, []);
    // An enrolment that was wrong takes the signatures under it along.
    assert!(log.act(&Act::Correct { record: 4, reason: "not his".into() }));
    assert!(!log.act(&Act::Correct { record: 4, reason: "again".into() }));
    let unproved = Fault::Unproved { side: Side::From, proof: Proof::Broken };
    assert_eq!(log.custody().chain("disk").faults, [(5, unproved)]);
}

#[test]
fn only_what_makes_sense_is_recorded() {
    let (mut log, ana, bob) = begun();
    let before = log.0.len();
    assert!(!log.hand("ana", &[&bob]), "one side signed");
    assert!(!log.act(&enrol(&key("A", 3))));
    assert!(!log.act(&enrol(&ana.renamed("eve").unwrap())), "another's key");
    assert!(log.act(&enrol(&ana)), "known already: nothing to record");
    assert!(!log.act(&Act::Correct { record: 77, reason: "x".into() }));
    assert!(!log.act(&Act::Acknowledge { record: 3, words: "a b c d".into() }));
    assert!(!log.act(&Act::Image { item: "disk".into(), exhibits: vec![ExhibitId([1; 32])] }));
    assert!(!log.act(&Act::Image { item: "none".into(), exhibits: vec![] }));
    assert_eq!(log.0.len(), before);
    // The same person: place and seal alone change, and one signature is enough.
    assert!(log.hand("bob", &[&bob]));
    assert_eq!(log.custody().chain("disk").now()[0].holder, "bob");
    assert_eq!(log.custody().chain("disk").faults, []);
}

#[test]
fn a_code_has_its_quiet_zone_and_nothing_of_the_text() {
    let svg = qr("item <disk>").unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>") && !svg.contains("disk"));
    assert!(svg.contains("d=\"M4 4h7v1h-7z"), "the first finder pattern stands 4 modules in");
    assert!(qr(&"x".repeat(5000)).is_err());
}

proptest! {
    #[test]
    fn any_texts_are_survived(a in any::<String>(), b in "\\PC{0,200}") {
        let _ = merge(&[a.clone(), b.clone()]);
        let _ = sign(&a, &key("ana", 1));
        let _ = qr(&b);
    }
}
