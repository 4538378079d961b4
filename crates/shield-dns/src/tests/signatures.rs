//! Signed requests and answers.

use domain::base::iana::{Rcode, Rtype, TsigRcode};
use domain::base::{Message, MessageBuilder, Name, ParsedName};
use domain::rdata::tsig::{Time48, Tsig};
use domain::tsig::ClientSequence;

use super::messages::{messages, read};
use super::{asker, many, zones};
use crate::{Access, Algorithm, Client, Key, Layout, Place, Reply, Zones, answer};

fn key(algorithm: Algorithm) -> Key {
    Key::new("isp.key", algorithm, &[7; 32]).unwrap()
}

fn access(key: Key) -> Access {
    Access::new(vec![Client { keys: vec![key], ..Client::default() }]).unwrap()
}

fn signed(key: Key, kind: Rtype, now: u64) -> (ClientSequence<Key>, Vec<u8>) {
    signed_for("hot.rpz.test", key, kind, now)
}

fn signed_for(zone: &str, key: Key, kind: Rtype, now: u64) -> (ClientSequence<Key>, Vec<u8>) {
    let mut question = MessageBuilder::new_vec().question();
    question.push((Name::<Vec<u8>>::vec_from_str(zone).unwrap(), kind)).unwrap();
    let mut message = question.additional();
    let time = Time48::from_u64(now);
    let sequence = ClientSequence::request(key, &mut message, time).unwrap();
    (sequence, message.finish())
}

/// The rcode, and of the TSIG: its error, how long its MAC and its other data are.
fn refusal(reply: Reply) -> (Rcode, TsigRcode, usize, usize) {
    let [message] = messages(reply).try_into().unwrap();
    let message = Message::from_octets(message).unwrap();
    let tsig = message.get_last_additional::<Tsig<_, ParsedName<_>>>().unwrap();
    let tsig = tsig.data();
    (message.header().rcode(), tsig.error(), tsig.mac_slice().len(), tsig.other().len())
}

#[test]
fn every_message_of_a_transfer_is_signed() {
    let mut zones = zones(1000);
    let names = many(5_000);
    zones.change(Place::Hot, &names, &[], 2000).unwrap();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let key = key(algorithm);
        let (mut sequence, request) = signed(key.clone(), Rtype::AXFR, 1000);
        let reply = answer(&request, asker(), false, &zones.view(), &access(key), 1100);
        let got = messages(reply);
        assert!(got.len() > 5, "{}", got.len());
        for message in &got {
            let mut message = Message::from_octets(message.clone()).unwrap();
            sequence.answer(&mut message, Time48::from_u64(1000)).unwrap();
        }
        sequence.done().unwrap();
        let plain: Vec<_> = got
            .into_iter()
            .map(|message| {
                let mut message = Message::from_octets(message).unwrap();
                message.remove_last_additional();
                message.into_octets()
            })
            .collect();
        assert_eq!(read(&plain, "hot.rpz.test").len(), names.len() + 3);
    }
}

#[test]
fn a_wrong_signature_is_told_what_is_wrong() {
    let zones = zones(1000);
    let ask = |request: &[u8], key: Key, now| {
        refusal(answer(request, asker(), false, &zones.view(), &access(key), now))
    };
    let ours = || key(Algorithm::Sha256);
    let other = |name| Key::new(name, Algorithm::Sha256, &[8; 32]).unwrap();
    let (_, request) = signed(ours(), Rtype::SOA, 1000);
    let notauth = Rcode::NOTAUTH;
    assert_eq!(ask(&request, other("other.key"), 1000), (notauth, TsigRcode::BADKEY, 0, 0));
    assert_eq!(ask(&request, key(Algorithm::Sha512), 1000), (notauth, TsigRcode::BADKEY, 0, 0));
    assert_eq!(ask(&request, other("isp.key"), 1000), (notauth, TsigRcode::BADSIG, 0, 0));
    let mut changed = request.clone();
    changed[3] ^= 1;
    assert_eq!(ask(&changed, ours(), 1000), (notauth, TsigRcode::BADSIG, 0, 0));
    for now in [0, 699, 1301, u64::MAX] {
        assert_eq!(ask(&request, ours(), now), (notauth, TsigRcode::BADTIME, 32, 6), "{now}");
    }
    for now in [700, 1300] {
        assert_eq!(ask(&request, ours(), now).0, Rcode::NOERROR);
    }
    // Errors behind a right signature are signed, too.
    let (_, request) = signed(ours(), Rtype::NS, 1000);
    assert_eq!(ask(&request, ours(), 1000), (Rcode::REFUSED, TsigRcode::NOERROR, 32, 0));
    // Unsigned, where a key is needed; and a signature that is not the last.
    let plain = super::messages::request("hot.rpz.test", Rtype::SOA, None);
    let reply = answer(&plain, asker(), false, &zones.view(), &access(ours()), 1000);
    let [message] = messages(reply).try_into().unwrap();
    assert_eq!(Message::from_octets(message).unwrap().header().rcode(), Rcode::REFUSED);
    let (_, request) = signed(ours(), Rtype::SOA, 1000);
    let signature = request[12 + "3hot3rpz4test0".len() + 4..].to_vec();
    for more in [vec![0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0], signature] {
        let mut request = [request.clone(), more].concat();
        request[11] = 2;
        let reply = answer(&request, asker(), false, &zones.view(), &access(ours()), 1000);
        let [message] = messages(reply).try_into().unwrap();
        assert_eq!(Message::from_octets(message).unwrap().header().rcode(), Rcode::FORMERR);
    }
}

/// What a thief of one client's key can do, and cannot (docs/keys.md): read what that client may take, and forge what
/// that client takes where the thief also lies on the way.
#[test]
fn a_stolen_key_reads_and_forges_what_its_own_client_takes_and_no_more() {
    let named = |name: &str, secret| Key::new(name, Algorithm::Sha256, &[secret; 32]).unwrap();
    let (stolen, other) = (named("a.key", 1), named("b.key", 2));
    let client = |key: &Key, zone: &str| Client {
        name: key.name().to_string(),
        keys: vec![key.clone()],
        zones: Some(vec![Name::vec_from_str(zone).unwrap()]),
        ..Client::default()
    };
    let (hot, cold) = ("hot.rpz.test", "cold-0.rpz.test");
    let access = Access::new(vec![client(&stolen, hot), client(&other, cold)]).unwrap();
    let zones = zones(1000);
    let asked = |zone: &str, key: &Key| {
        let (_, request) = signed_for(zone, key.clone(), Rtype::SOA, 1000);
        refusal(answer(&request, asker(), false, &zones.view(), &access, 1000))
    };
    assert_eq!(asked(hot, &stolen).0, Rcode::NOERROR);
    // What only another client may take; and under that one's name.
    assert_eq!((asked(cold, &stolen).0, asked(cold, &other).0), (Rcode::REFUSED, Rcode::NOERROR));
    let as_other = asked(cold, &named("b.key", 1));
    assert_eq!(as_other, (Rcode::NOTAUTH, TsigRcode::BADSIG, 0, 0));
    // A server of the thief's own, on the way to each client: under every name the secret is the stolen one.
    let forged = |theirs: &Key, zone: &str, name: &str| {
        let secret = named(name, 1);
        let (mut sequence, _) = signed_for(zone, theirs.clone(), Rtype::SOA, 1000);
        // It asks itself the same, and hands the answer on as if to that request.
        let (_, lie) = signed_for(zone, secret.clone(), Rtype::SOA, 1000);
        let reply = answer(
            &lie,
            asker(),
            false,
            &zones.view(),
            &Access::new(vec![client(&secret, zone)]).unwrap(),
            1000,
        );
        let [message] = messages(reply).try_into().unwrap();
        let mut message = Message::from_octets(message).unwrap();
        sequence.answer(&mut message, Time48::from_u64(1000)).is_ok()
    };
    assert!(forged(&stolen, hot, "a.key"));
    for name in ["a.key", "b.key"] {
        assert!(!forged(&other, cold, name), "{name}");
    }
}

#[test]
fn what_does_not_fit_a_datagram_is_for_tcp() {
    let (suffix, contact) = ("s".repeat(55), ["c".repeat(50), "c".repeat(49)].join("."));
    let layout = Layout { suffix: suffix.clone(), contact, ..super::layout() };
    let (zones, zone) = (Zones::new(&layout, 1000).unwrap(), format!("hot.{suffix}"));
    let key = Key::new(&["k"; 100].join("."), Algorithm::Sha512, &[7; 64]).unwrap();
    for (udp, answers) in [(true, 0), (false, 1)] {
        let (mut sequence, request) = signed_for(&zone, key.clone(), Rtype::SOA, 1000);
        let reply = answer(&request, asker(), udp, &zones.view(), &access(key.clone()), 1000);
        let [message] = messages(reply).try_into().unwrap();
        assert!(!udp || message.len() <= 512, "{}", message.len());
        let mut message = Message::from_octets(message).unwrap();
        sequence.answer(&mut message, Time48::from_u64(1000)).unwrap();
        assert_eq!((message.header().tc(), message.header_counts().ancount()), (udp, answers));
    }
}
