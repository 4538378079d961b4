//! What a start from what is kept knows of authorisations and captures.

use model::Sha256Hex;
use model::record::{
    AuthorisationEnded, AuthorisationGranted, Body, CaptureMade, CaptureRefused, time_text,
};

use super::*;
use crate::capture::Book;

/// Seals what a probe saw, and says so.
fn saw(house: &mut House, granted: u64, asked: &str, bytes: &str) -> model::ExhibitId {
    let time = time_text(crate::desk::now_ms());
    let sealed = house.record(|case, stamp| {
        let staged = case.stager().reader(&mut bytes.as_bytes())?;
        let exhibit = staged.id();
        let body = CaptureMade {
            granted,
            started: time.clone(),
            ended: time.clone(),
            item: asked.to_owned(),
            exhibit,
            outcome: "media".to_owned(),
            addresses: Vec::new(),
            chains: Vec::new(),
            requests: 1,
            media_bytes: 1,
            content: Sha256Hex::of(bytes.as_bytes()),
            signature: String::new(),
        };
        let mut batch = case.batch();
        batch.seal(staged, &vault::Origin::default())?;
        batch.record(body);
        batch.commit(stamp)?;
        Ok(exhibit)
    });
    sealed.unwrap()
}

/// The same of an item, on which it is decided.
fn captured(house: &mut House, n: u16, granted: u64, asked: &str) -> model::ExhibitId {
    let exhibit = saw(house, granted, asked, asked);
    let mut asks = released(house, item(n));
    asks.truncate(1);
    if let Command::Capture { capture, .. } = &mut asks[0].command {
        capture.exhibit = exhibit;
    }
    does(house, &asks);
    exhibit
}

#[test]
fn who_starts_from_what_is_kept_knows_authorisations_and_last_captures() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    let (keys, signer) = house(&place);
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    let grant = |n: u64| AuthorisationGranted {
        from: time_text(0),
        until: time_text(4_000_000_000_000),
        probe: "a probe".to_owned(),
        basis: format!("order {n}"),
        hosts: vec!["*.stream.example:*".to_owned()],
        methods: vec!["capture-page".to_owned()],
        rate: 60,
        most_bytes: 1 << 20,
        signer: "Judge Roe".to_owned(),
    };
    let noted = |house: &mut House, body: Body| {
        let range = house.record(|case, stamp| {
            let mut batch = case.batch();
            batch.record(body);
            Ok(batch.commit(stamp)?)
        });
        range.unwrap().start
    };
    let granted = noted(&mut house, grant(1).into());
    captured(&mut house, 1, granted, "b.stream.example");
    // One that changed nothing: no decision tells of it.
    let exhibit = saw(&mut house, granted, "b.stream.example", "another page");
    let gone = captured(&mut house, 2, granted, "198.51.100.7");
    assert_eq!(house.last_capture("198.51.100.7").unwrap().exhibit, gone);
    let grounds = shield::order::words::Grounds::new("no stream").unwrap();
    does(&mut house, &[ask(&league(), Command::Refuse { item: item(2), grounds })]);
    let hour = time_text(3_600_000);
    let refused = CaptureRefused { granted, hour, refusal: "host".to_owned(), refused: 3 };
    noted(&mut house, refused.into());
    house.close().unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();

    let mut house = House::open(&place).unwrap();
    assert_eq!((house.started().applied, house.started().refused.clone()), (0, None));
    let mut book = house.book();
    // A few of what there was at a look, too.
    assert!(book.granted.is_empty());
    assert!(book.follow_some(house.case(), 1).unwrap(), "all in one look");
    while book.follow_some(house.case(), 1).unwrap() {}
    let whole = |house: &House| Book::of(house.case()).unwrap().granted;
    assert_eq!(book.granted[&granted].body, whole(&house)[&granted].body);
    assert_eq!(book.granted[&granted].refused, 3);
    assert!(book.captured.is_empty() && !book.follow_some(house.case(), 1).unwrap());
    let last = house.last_capture("b.stream.example").unwrap();
    assert_eq!((last.exhibit, last.content), (exhibit, Sha256Hex::of(b"another page")));
    assert_eq!(house.case().exhibit(&exhibit).unwrap().unwrap().record + 1, last.record);
    assert_eq!(house.last_capture("another.example"), None);
    assert_eq!(house.last_capture("198.51.100.7"), None, "nobody asks for it any more");
    // What comes after is followed a few records at a time.
    let second = noted(&mut house, grant(2).into());
    let ended = AuthorisationEnded { granted, reason: "closed".to_owned() };
    noted(&mut house, ended.into());
    captured(&mut house, 3, second, "https://c.stream.example/live.m3u8");
    let mut looks = 1;
    while book.follow_some(house.case(), 2).unwrap() {
        looks += 1;
    }
    assert!(looks > 2);
    let all = whole(&house);
    assert_eq!(book.granted.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
    assert!(book.granted[&granted].ended.is_some() && book.granted[&second].ended.is_none());
    let asked = "https://c.stream.example/live.m3u8";
    assert!(book.last(asked).is_none(), "the house knows");
    let last = house.last_capture(asked).unwrap();
    assert_eq!(last.content, Sha256Hex::of(asked.as_bytes()));
    house.close().unwrap();
    keep(&place.case, &keys, &signer, &Covered::default()).unwrap().unwrap();
    assert_eq!(findings(&place), (vec![], vec![]));
    let house = House::open(&place).unwrap();
    assert_eq!(house.last_capture(asked), Some(last));
    house.close().unwrap();
}
