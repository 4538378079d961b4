//! Requests and answers, read by the library's reading side, which shares no code with ours.

use std::collections::BTreeSet;
use std::str::FromStr;

use domain::base::iana::{Class, Opcode, OptRcode, Rcode, Rtype};
use domain::base::name::ToLabelIter;
use domain::base::{Message, MessageBuilder, Name, ParsedName, RecordData, Serial, Ttl};
use domain::rdata::{AllRecordData, Soa};
use proptest::prelude::*;

use super::{asker, fqdns, loopback, zones};
use crate::{Fqdn, MAX_MESSAGE, Place, Reply, View, Zones, answer};

/// What a transfer said, a word each: `soa 7`, `name.example`, or a type.
pub(super) fn read(messages: &[Vec<u8>], origin: &str) -> Vec<String> {
    let mut said = Vec::new();
    for message in messages {
        assert!(message.len() <= MAX_MESSAGE, "{} bytes", message.len());
        let message = Message::from_octets(message.as_slice()).unwrap();
        let header = message.header();
        assert!(header.qr() && header.aa() && !header.tc() && header.rcode() == Rcode::NOERROR);
        for record in message.answer().unwrap() {
            let record = record.unwrap();
            let record = record.into_record::<AllRecordData<_, ParsedName<_>>>().unwrap().unwrap();
            assert_eq!(record.ttl(), Ttl::from_secs(5));
            // The case of the origin is the question's: its name is what the others point to.
            let owner = record.owner().to_string().to_lowercase();
            said.push(match record.data() {
                AllRecordData::Soa(soa) => {
                    assert_eq!((owner.as_str(), soa.minimum()), (origin, Ttl::from_secs(5)));
                    format!("soa {}", soa.serial())
                }
                AllRecordData::Cname(cname) => {
                    assert_eq!(cname.cname().compose_len(), 1, "nothing but NXDOMAIN");
                    owner.strip_suffix(&format!(".{origin}")).unwrap().to_owned()
                }
                other => other.rtype().to_string(),
            });
        }
    }
    said
}

pub(super) fn request(name: &str, kind: Rtype, serial: Option<Serial>) -> Vec<u8> {
    let name = Name::<Vec<u8>>::from_str(name).unwrap();
    let mut builder = MessageBuilder::new_vec();
    builder.header_mut().set_id(4711);
    let mut question = builder.question();
    question.push((&name, kind)).unwrap();
    let mut authority = question.authority();
    if let Some(serial) = serial {
        let (root, t) = (Name::root_vec(), Ttl::from_secs(0));
        authority.push((&name, t, Soa::new(root.clone(), root, serial, t, t, t, t))).unwrap();
    }
    authority.finish()
}

fn reply(view: &View, request: &[u8], udp: bool) -> Reply {
    answer(request, asker(), udp, view, &loopback(), 1000)
}

pub(super) fn messages(reply: Reply) -> Vec<Vec<u8>> {
    match reply {
        Reply::Nothing => Vec::new(),
        Reply::Message(message) => vec![message],
        Reply::Transfer(mut transfer, _) => {
            std::iter::from_fn(|| transfer.next_message(1000).map(<[u8]>::to_vec)).collect()
        }
    }
}

fn rcode(view: &View, request: &[u8], udp: bool) -> OptRcode {
    let [message] = messages(reply(view, request, udp)).try_into().unwrap();
    let message = Message::from_octets(message).unwrap();
    assert_eq!(message.header().id(), 4711);
    message.opt_rcode()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_zone_is_read_as_it_was_written(
        names in prop::collection::btree_set("[a-c]{1,3}(\\.[a-z0-9-]{1,50}){1,3}", 0..900)
    ) {
        let mut zones = zones(1000);
        let list: Vec<Fqdn> = names.iter().map(|name| name.parse().unwrap()).collect();
        zones.change(Place::Hot, &list, &[], 2000).unwrap();
        let got = messages(reply(&zones.view(), &request("HOT.rpz.test", Rtype::AXFR, None), false));
        let serial = if list.is_empty() { "soa 1000" } else { "soa 2000" };
        let said = read(&got, "hot.rpz.test");
        prop_assert_eq!(&said[..2], [serial, "NS"]);
        prop_assert_eq!(said.last().unwrap(), serial);
        let middle: BTreeSet<_> = said[2..said.len() - 1].iter().cloned().collect();
        prop_assert_eq!(middle.len(), said.len() - 3);
        prop_assert_eq!(middle, names);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), udp: bool) {
        let zones = zones(1000);
        messages(reply(&zones.view(), &bytes, udp));
    }

    #[test]
    fn no_change_of_a_request_makes_it_panic(
        at in 0_usize..80, byte: u8, kind in prop::sample::select(vec![Rtype::SOA, Rtype::IXFR])
    ) {
        let zones = zones(1000);
        let mut bytes = request("hot.rpz.test", kind, Some(Serial(7)));
        let at = at % bytes.len();
        bytes[at] = byte;
        messages(reply(&zones.view(), &bytes, false));
        bytes.truncate(at);
        messages(reply(&zones.view(), &bytes, false));
    }
}

/// What a secondary holds after an answer, in the way of RFC 1995, section 4.
fn follow(mut held: BTreeSet<String>, said: &[String]) -> BTreeSet<String> {
    let is_soa = |at: usize| said.get(at).is_some_and(|word| word.starts_with("soa "));
    if said.len() > 1 && !is_soa(1) {
        let names = said.iter().filter(|word| !word.starts_with("soa ") && *word != "NS");
        return names.cloned().collect();
    }
    let mut soas = 0;
    for word in said.iter().skip(1) {
        if word.starts_with("soa ") {
            soas += 1;
        } else if soas % 2 == 1 {
            assert!(held.remove(word), "{word} was not there");
        } else {
            assert!(held.insert(word.clone()), "{word} was there");
        }
    }
    held
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_secondary_missed_it_holds_the_zone(
        changes in prop::collection::vec(
            (prop::collection::vec(0..40_u8, 0..9), prop::collection::vec(0..40_u8, 0..9)), 1..12)
    ) {
        let mut zones = zones(1000);
        let all = |zones: &Zones| {
            let axfr = request("hot.rpz.test", Rtype::AXFR, None);
            follow(BTreeSet::new(), &read(&messages(reply(&zones.view(), &axfr, false)), "hot.rpz.test"))
        };
        let mut versions = Vec::new();
        for (add, remove) in changes {
            versions.push((zones.view().zones()[0].serial(), all(&zones)));
            let names = |list: Vec<u8>| -> Vec<Fqdn> {
                list.iter().map(|n| format!("n{n}.example").parse().unwrap()).collect()
            };
            zones.change(Place::Hot, &names(add), &names(remove), 1000).unwrap();
        }
        let now = all(&zones);
        for (serial, held) in versions {
            let ixfr = request("hot.rpz.test", Rtype::IXFR, Some(serial));
            let said = read(&messages(reply(&zones.view(), &ixfr, false)), "hot.rpz.test");
            prop_assert_eq!(&follow(held, &said), &now);
        }
    }
}

fn some() -> Zones {
    let mut zones = zones(1000);
    zones.change(Place::Hot, &fqdns(["a.example", "b.example", "c.example"]), &[], 2000).unwrap();
    zones.change(Place::Hot, &fqdns(["d.example"]), &fqdns(["a.example"]), 2000).unwrap();
    zones.change(Place::Hot, &[], &fqdns(["d.example", "b.example"]), 2000).unwrap();
    zones
}

#[test]
fn a_step_is_sent_where_the_log_reaches() {
    let zones = some();
    let ixfr = |serial: u32, udp| {
        let request = request("hot.rpz.test", Rtype::IXFR, Some(Serial(serial)));
        read(&messages(reply(&zones.view(), &request, udp)), "hot.rpz.test")
    };
    // From the last but one by two names, which is more than the one that is left: the zone is shorter.
    assert_eq!(ixfr(2001, false), ["soa 2002", "NS", "c.example", "soa 2002"]);
    // No longer in the log, or never there: the zone.
    assert_eq!(ixfr(1500, false), ["soa 2002", "NS", "c.example", "soa 2002"]);
    // Nothing newer; and over UDP what is newest, so that the client comes over TCP.
    assert_eq!(ixfr(2002, false), ["soa 2002"]);
    assert_eq!(ixfr(3000, false), ["soa 2002"]);
    assert_eq!(ixfr(2001, true), ["soa 2002"]);
    let more: Vec<_> = (0..5).map(|n| format!("m{n}.example")).collect();
    let mut zones = some();
    zones.change(Place::Hot, &fqdns(more.iter().map(String::as_str)), &[], 2000).unwrap();
    let request = request("hot.rpz.test", Rtype::IXFR, Some(Serial(2001)));
    let said = read(&messages(reply(&zones.view(), &request, false)), "hot.rpz.test");
    assert_eq!(said[..2], ["soa 2003", "NS"], "seven moved, six there");
    let even: Vec<_> = (5..9).map(|n| format!("m{n}.example")).collect();
    zones
        .change(
            Place::Hot,
            &fqdns(even.iter().map(String::as_str)),
            &["c.example".parse().unwrap()],
            2000,
        )
        .unwrap();
    let request = self::request("hot.rpz.test", Rtype::IXFR, Some(Serial(2003)));
    let said = read(&messages(reply(&zones.view(), &request, false)), "hot.rpz.test");
    let mut expected = vec!["soa 2004", "soa 2003", "c.example", "soa 2004"];
    expected.extend(even.iter().map(String::as_str));
    expected.push("soa 2004");
    assert_eq!(said, expected);
}

#[test]
fn a_version_under_way_stays_as_it_was() {
    let mut zones = some();
    let axfr = request("hot.rpz.test", Rtype::AXFR, None);
    let under_way = reply(&zones.view(), &axfr, false);
    zones.change(Place::Hot, &fqdns(["late.example"]), &fqdns(["c.example"]), 2000).unwrap();
    let said = read(&messages(under_way), "hot.rpz.test");
    assert_eq!(said, ["soa 2002", "NS", "c.example", "soa 2002"]);
}

#[test]
fn each_error_has_its_code() {
    let zones = some();
    let view = zones.view();
    let ask = |name, kind| request(name, kind, None);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = request("hot.rpz.test", Rtype::SOA, None);
        change(&mut bytes);
        bytes
    };
    let edns = |version: u8| {
        with(&|bytes| {
            bytes[11] = 1;
            bytes.extend([0, 0, 41, 4, 0, 0, version, 0, 0, 0, 0]);
        })
    };
    let cases = [
        (ask("hot.rpz.test", Rtype::SOA), OptRcode::NOERROR),
        (edns(0), OptRcode::NOERROR),
        (edns(1), OptRcode::BADVERS),
        (ask("elsewhere.test", Rtype::SOA), OptRcode::NOTAUTH),
        (ask("a.hot.rpz.test", Rtype::AXFR), OptRcode::NOTAUTH),
        (ask("a.hot.rpz.test", Rtype::SOA), OptRcode::REFUSED),
        (ask("hot.rpz.test", Rtype::NS), OptRcode::REFUSED),
        (ask("a.example.hot.rpz.test", Rtype::CNAME), OptRcode::REFUSED),
        (ask("hot.rpz.test", Rtype::IXFR), OptRcode::FORMERR),
        (with(&|bytes| bytes[5] = 0), OptRcode::FORMERR),
        (with(&|bytes| bytes[5] = 2), OptRcode::FORMERR),
        (with(&|bytes| bytes[7] = 1), OptRcode::FORMERR),
        (with(&|bytes| bytes[11] = 1), OptRcode::FORMERR),
        (with(&|bytes| bytes[2] = Opcode::NOTIFY.to_int() << 3), OptRcode::NOTIMP),
        (with(&|bytes| bytes[2] = Opcode::UPDATE.to_int() << 3), OptRcode::NOTIMP),
        (
            with(&|bytes| {
                let at = bytes.len() - 1;
                bytes[at] = Class::CH.to_int() as u8;
            }),
            OptRcode::REFUSED,
        ),
    ];
    for (n, (request, expected)) in cases.iter().enumerate() {
        assert_eq!(rcode(&view, request, false), *expected, "case {n}");
    }
    assert_eq!(rcode(&view, &ask("hot.rpz.test", Rtype::AXFR), true), OptRcode::FORMERR);
    // No answer to what is no request.
    for bytes in [with(&|bytes| bytes[2] = 0x80), vec![1; 11], vec![0; crate::MAX_REQUEST + 1]] {
        assert!(matches!(reply(&view, &bytes, false), Reply::Nothing));
    }
}

#[test]
fn the_catalog_lists_all_zones() {
    let zones = some();
    let got =
        messages(reply(&zones.view(), &request("catalog.rpz.test", Rtype::AXFR, None), false));
    let said = read(&got, "catalog.rpz.test");
    assert_eq!(said.iter().filter(|word| *word == "PTR").count(), 17);
    assert_eq!(said.iter().filter(|word| *word == "TXT").count(), 18);
}

#[test]
fn compression_makes_it_small() {
    let mut zones = zones(1000);
    let names = super::many(10_000);
    zones.change(Place::Hot, &names, &[], 2000).unwrap();
    let got = messages(reply(&zones.view(), &request("hot.rpz.test", Rtype::AXFR, None), false));
    let bytes: usize = got.iter().map(Vec::len).sum();
    let plain: usize = names.iter().map(|name| name.wire_len() + "3hot3rpz4test0".len() + 11).sum();
    eprintln!("{} bytes a name, {} without compression", bytes / 10_000, plain / 10_000);
    assert!(bytes * 4 < plain * 3, "{bytes} of {plain}");
    assert_eq!(read(&got, "hot.rpz.test").len(), 10_003);
}
