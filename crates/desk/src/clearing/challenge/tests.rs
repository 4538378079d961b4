use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;

use model::record::Body;
use shield::order::{Deed, Role};

use super::*;
use crate::clearing::House;
use crate::clearing::tests::{actor, does, item, place, released, reported};

/// A resolver that shows these texts, each at its name, and has shop.stream.example at 127.0.0.1.
type Texts = Arc<Mutex<Vec<(String, String)>>>;

fn resolver() -> (SocketAddr, Texts) {
    let texts = Texts::default();
    let of = Arc::clone(&texts);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 1024];
        while let Ok((n, from)) = socket.recv_from(&mut query) {
            let (mut at, mut name) = (12, String::new());
            while query[at] != 0 {
                let end = at + 1 + usize::from(query[at]);
                name.push_str(std::str::from_utf8(&query[at + 1..end]).unwrap());
                name.push('.');
                at = end;
            }
            assert!(at + 5 <= n);
            let kind = query[at + 2];
            let mut reply = query[..at + 5].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80]);
            let name = name.trim_end_matches('.');
            let texts = of.lock().unwrap();
            let shown: Vec<_> =
                texts.iter().filter(|(at, _)| at == name && kind == 16).map(|(_, t)| t).collect();
            let address = kind == 1 && name == "tv.stream.example";
            let answers = shown.len() as u8 + u8::from(address);
            reply[4..12].copy_from_slice(&[0, 1, 0, answers, 0, 0, 0, 0]);
            for text in shown {
                let length = text.len() as u8;
                reply.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, length + 1, length]);
                reply.extend(text.bytes());
            }
            if address {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    (at, texts)
}

fn house(dir: &Path) -> House {
    let place = place(dir);
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    does(&mut house, &reported(&["tv.stream.example", "198.51.100.7"]));
    let ready = released(&house, item(0));
    does(&mut house, &ready);
    house
}

fn objection(statement: &str, token: Option<&str>) -> Objection {
    Objection {
        actor: actor("olga", "shop", Role::Party),
        value: Item::parse("tv.stream.example").unwrap(),
        statement: statement.to_owned(),
        token: token.map(str::to_owned),
    }
}

fn issued(came: Came) -> Issued {
    match came {
        Came::Issued(issued) => issued,
        other => panic!("{other:?}"),
    }
}

fn met(house: &House) -> Vec<ChallengeMet> {
    let records = house.case().records(0).map(|entry| entry.unwrap());
    let of = |(_, record, opening)| match Body::read(&record, &opening) {
        Ok(Body::ChallengeMet(body)) => Some(body),
        _ => None,
    };
    records.filter_map(of).collect()
}

#[test]
fn an_objection_counts_once_its_text_stands_there_and_not_before() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = house(dir.path());
    let (at, texts) = resolver();
    let of =
        Challenges::open(&dir.path().join("shield"), Some(at), At { http: 9, https: 9 }).unwrap();
    let object = |house: &mut House, statement: &str, token: Option<&str>| {
        of.object(&mut Hand::House(house), objection(statement, token)).unwrap()
    };
    let records = house.case().len();
    let given = issued(object(&mut house, "It is our shop.", None));
    assert_eq!(given.places[0], (Way::Dns, "_vigie-challenge.tv.stream.example".to_owned()));
    assert_eq!(
        given.places[1].1,
        format!("http://tv.stream.example:9/.well-known/vigie-challenge/{}", given.token)
    );
    assert!(given.token.len() <= collect::challenge::MAX_TOKEN);
    // Each is another's: nothing that was read off one objection serves for a second.
    assert_ne!(issued(object(&mut house, "It is our shop.", None)).token, given.token);
    let unmet = object(&mut house, "It is our shop.", Some(&given.token));
    let Came::Unmet(Unmet::Not(not)) = unmet else { panic!("{unmet:?}") };
    assert_eq!(not, [(Way::Dns, Found::Nothing), (Way::File, Found::Inside)]);
    // Of other words, of a token that was changed, of no token at all.
    for (words, token) in [
        ("It is my shop.", given.token.clone()),
        ("It is our shop.", given.token.replace(&given.token[..1], "7")),
        ("It is our shop.", "x".to_owned()),
        ("It is our shop.", String::new()),
        ("It is our shop.", given.token.to_uppercase()),
    ] {
        let came = object(&mut house, words, Some(&token));
        assert_eq!(came, Came::Unmet(Unmet::NotOurs), "{words} {token}");
    }
    // Nothing of all this was kept.
    assert_eq!(house.case().len(), records);
    texts.lock().unwrap().push((given.places[0].1.clone(), given.token.clone()));
    let Came::Done(done) = object(&mut house, "It is our shop.", Some(&given.token)) else {
        panic!()
    };
    let proof = statement::proof("It is our shop.").unwrap();
    assert!(matches!(done.steps[0].deed, Deed::Objected { proof: of, .. } if of == proof));
    let [body] = met(&house).try_into().unwrap();
    assert_eq!((body.statement, body.way.as_str()), (proof, "dns"));
    assert_eq!(body.place, given.places[0].1);
    // What was seen and what was said are sealed, and before the decision.
    assert!(house.case().exhibit(&body.exhibit).unwrap().is_some());
    assert!(house.case().exhibit(&model::ExhibitId(proof.0)).unwrap().is_some());
    assert_eq!(done.record, Some(house.case().len() - 1));
    // The same words again open no second clock, and nobody is asked outside.
    let records = house.case().len();
    for token in [None, Some(given.token.as_str())] {
        let came = object(&mut house, "It is our shop.", token);
        assert_eq!(came, Came::Refused(Refusal::SameObjection));
    }
    assert_eq!(house.case().len(), records);
    house.close().unwrap();
}

#[test]
fn a_token_outlives_a_restart_and_not_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let value = Item::parse("198.51.100.7:8080").unwrap();
    let (proof, now) = (statement::proof("ours").unwrap(), Moment(crate::desk::now_ms()));
    let open = |name: &str| Challenges::open(&dir.path().join(name), None, At::default()).unwrap();
    std::fs::create_dir(dir.path().join("shield")).unwrap();
    std::fs::create_dir(dir.path().join("other")).unwrap();
    let given = open("shield").issue(&value, proof, now).unwrap();
    assert_eq!(
        given.places,
        [(Way::Reverse, "_vigie-challenge.7.100.51.198.in-addr.arpa".to_owned())]
    );
    assert_eq!(open("shield").again(&value, proof, &given.token), Some(given.clone()));
    assert!(given.until > now && given.until.since(now) <= u64::from(LIFE_MIN) * 60_000);
    // Another house, another port, other words.
    assert_eq!(open("other").again(&value, proof, &given.token), None);
    let port = Item::parse("198.51.100.7:8081").unwrap();
    assert_eq!(open("shield").again(&port, proof, &given.token), None);
    let words = statement::proof("theirs").unwrap();
    assert_eq!(open("shield").again(&value, words, &given.token), None);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(dir.path().join("shield/run/challenge.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_is_past_its_end_or_has_no_vantage_is_told_and_asks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = house(dir.path());
    let of = Challenges::open(&dir.path().join("shield"), None, At::default()).unwrap();
    let value = Item::parse("tv.stream.example").unwrap();
    let proof = statement::proof("ours").unwrap();
    let long_ago = house.now().minus(u64::from(LIFE_MIN + 1) * 60_000);
    let old = of.issue(&value, proof, long_ago).unwrap();
    let mut object = |token: &str| {
        of.object(&mut Hand::House(&mut house), objection("ours", Some(token))).unwrap()
    };
    assert_eq!(object(&old.token), Came::Unmet(Unmet::Expired));
    let fresh = of.issue(&value, proof, Moment(crate::desk::now_ms())).unwrap();
    assert_eq!(object(&fresh.token), Came::Unmet(Unmet::NoVantage));
    // What is not blocked is objected to by nobody: no token is given out.
    let other =
        Objection { value: Item::parse("198.51.100.7").unwrap(), ..objection("ours", None) };
    let came = of.object(&mut Hand::House(&mut house), other).unwrap();
    assert_eq!(came, Came::Refused(Refusal::NotInForce));
    house.close().unwrap();
}

/// A host that answers each request so, after a while; and how many it has answered.
fn slow(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let _ = stream.read(&mut [0; 2048]);
                thread::sleep(std::time::Duration::from_secs(2));
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    port
}

#[test]
fn more_looks_than_may_be_at_once_are_sent_away() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("shield")).unwrap();
    let (at, _) = resolver();
    let port = slow("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    let at_ports = At { http: port, https: 9 };
    let of = Challenges::open(&dir.path().join("shield"), Some(at), at_ports).unwrap();
    let value = Item::parse("tv.stream.example").unwrap();
    let special = vec!["127.0.0.0/8:*".parse().unwrap()];
    let challenge = Challenge { special, ..of.challenge(&value, "token".to_owned()) };
    let looked = || {
        let (_one, probe) = of.begin()?;
        of.looked(probe, &challenge).unwrap().map(drop)
    };
    let came: Vec<_> = thread::scope(|scope| {
        let looks: Vec<_> = (0..AT_ONCE + 3).map(|_| scope.spawn(looked)).collect();
        looks.into_iter().map(|look| look.join().unwrap()).collect()
    });
    let busy = came.iter().filter(|came| **came == Err(Unmet::Busy)).count();
    assert_eq!(busy, 3, "{came:?}");
    // Each place is free again.
    assert!(matches!(looked(), Err(Unmet::Not(_))));
}
