//! Clients that ask over sockets: what they get, and what they can take up.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use domain::base::Message;
use domain::base::iana::{Rcode, Rtype};
use shield_dns::{Access, Bounds, Client, Fqdn, Place, cold_zone};

use crate::bed::{Bed, PORT, isp, key, place, unix, until};
use crate::client::{ask, question, receive, send};

const AXFR_HOT: &str = "hot.rpz.test";
const AXFR_COLD: &str = "cold-0.rpz.test";

fn connect(bed: &Bed) -> TcpStream {
    let stream = TcpStream::connect((bed.ip, PORT)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

fn rcode(message: &[u8]) -> Rcode {
    Message::from_octets(message).unwrap().header().rcode()
}

/// Asks for a zone; the rcode of the first message.
pub(crate) fn axfr(bed: &Bed, zone: &str) -> (TcpStream, Option<Rcode>) {
    let mut stream = connect(bed);
    send(&mut stream, &question(zone, Rtype::AXFR, None));
    let first = receive(&mut stream).map(|message| rcode(&message));
    (stream, first)
}

/// Fills a cold zone with so much that no system's buffers hold it.
pub(crate) fn fill(bed: &mut Bed) {
    let label = "x".repeat(60);
    let names: Vec<Fqdn> = (0..)
        .map(|n| format!("{label}.{label}.{n:060}.example").parse().unwrap())
        .filter(|name| cold_zone(name) == 0)
        .take(60_000)
        .collect();
    bed.zones.change(Place::Cold, &names, &[], unix()).unwrap();
    bed.publisher.zones(bed.zones.view());
}

fn bed(bounds: Bounds) -> Bed {
    Bed::new(vec![isp(place(), None)], bounds)
}

#[test]
fn many_requests_go_over_one_connection() {
    let mut bed = bed(Bounds { idle: Duration::from_millis(300), ..Bounds::default() });
    bed.change(Place::Hot, &["pirate.example"], &[]);
    let udp = ask((bed.ip, PORT).into(), &question(AXFR_HOT, Rtype::SOA, None)).unwrap();
    assert_eq!((udp.header().rcode(), udp.header_counts().ancount()), (Rcode::NOERROR, 1));
    let mut stream = connect(&bed);
    for (kind, serial, answers) in
        [(Rtype::SOA, None, 1), (Rtype::AXFR, None, 4), (Rtype::IXFR, Some(1), 4)]
    {
        send(&mut stream, &question(AXFR_HOT, kind, serial));
        let message = Message::from_octets(receive(&mut stream).unwrap()).unwrap();
        assert_eq!(message.header_counts().ancount(), answers);
    }
    // Who says nothing more is let go.
    let begun = Instant::now();
    assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_no_request_ends_the_connection() {
    let bed = bed(Bounds { idle: Duration::from_millis(300), ..Bounds::default() });
    let long = [0xff, 0xff, 1, 2, 3].as_slice();
    let half = [0, 40, 1, 2, 3].as_slice();
    let answer = [0, 12, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0].as_slice();
    for bytes in [long, half, answer, b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = connect(&bed);
        stream.write_all(bytes).unwrap();
        assert_eq!(stream.read(&mut [0; 9]).unwrap_or(0), 0, "{bytes:?}");
    }
    // And others are served.
    assert_eq!(axfr(&bed, AXFR_HOT).1, Some(Rcode::NOERROR));
}

#[test]
fn whole_zones_have_their_number_and_small_ones_go_beside() {
    let mut bed = bed(Bounds {
        transfers: 2,
        transfers_peer: 2,
        wait: Duration::from_millis(200),
        write: Duration::from_secs(3),
        ..Bounds::default()
    });
    fill(&mut bed);
    let begun = Instant::now();
    let holders: Vec<_> = (0..2).map(|_| axfr(&bed, AXFR_COLD)).collect();
    assert!(holders.iter().all(|(_, rcode)| *rcode == Some(Rcode::NOERROR)));
    // The next is told to come again, in the words that mean "not now"; the hot zone is there at once.
    let (_, busy) = axfr(&bed, AXFR_COLD);
    assert_eq!(busy, Some(Rcode::SERVFAIL));
    assert_eq!(axfr(&bed, AXFR_HOT).1, Some(Rcode::NOERROR));
    assert!(begun.elapsed() < Duration::from_secs(3), "nobody waited for the slow ones");
    // Who reads nothing is let go, and then there is room.
    until("there is room again", Duration::from_secs(10), || {
        axfr(&bed, AXFR_COLD).1 == Some(Rcode::NOERROR)
    });
    assert!(bed.told("did not read a message in time") >= 1, "{}", bed.log());
    assert!(begun.elapsed() >= Duration::from_secs(3));
}

#[test]
fn one_address_takes_its_part_and_no_more() {
    let mut bed = bed(Bounds {
        connections_peer: 3,
        transfers: 8,
        transfers_peer: 1,
        wait: Duration::from_millis(100),
        ..Bounds::default()
    });
    fill(&mut bed);
    let (_holder, first) = axfr(&bed, AXFR_COLD);
    assert_eq!(first, Some(Rcode::NOERROR));
    let (_second, busy) = axfr(&bed, AXFR_COLD);
    assert_eq!(busy, Some(Rcode::SERVFAIL), "one transfer an address");
    let _third = connect(&bed);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(axfr(&bed, AXFR_HOT).1, None, "three connections an address");
    assert!(ask((bed.ip, PORT).into(), &question(AXFR_HOT, Rtype::SOA, None)).is_some());
}

#[test]
fn a_revoked_client_gets_no_further_message() {
    let mut bed = bed(Bounds::default());
    fill(&mut bed);
    let (mut stream, first) = axfr(&bed, AXFR_COLD);
    assert_eq!(first, Some(Rcode::NOERROR));
    let other = Client { keys: vec![key()], ..Client::default() };
    bed.publisher.access(Access::new(vec![other]).unwrap());
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    until("the end is told", Duration::from_secs(5), || bed.told("no longer for this client") == 1);
    assert_eq!(axfr(&bed, AXFR_HOT).1, Some(Rcode::REFUSED));
    // And back, while it runs.
    bed.publisher.access(Access::new(vec![isp(place(), None)]).unwrap());
    assert_eq!(axfr(&bed, AXFR_HOT).1, Some(Rcode::NOERROR));
}

#[test]
fn a_hundred_idle_connections_hinder_nobody() {
    let mut bed = bed(Bounds { connections: 100, connections_peer: 99, ..Bounds::default() });
    bed.change(Place::Hot, &["pirate.example"], &[]);
    let idle: Vec<_> = (0..90).map(|_| connect(&bed)).collect();
    let begun = Instant::now();
    assert_eq!(axfr(&bed, AXFR_HOT).1, Some(Rcode::NOERROR));
    assert!(begun.elapsed() < Duration::from_secs(1));
    drop(idle);
}

#[test]
fn who_becomes_a_client_while_it_runs_is_told() {
    let mut bed = bed(Bounds::default());
    let socket = std::net::UdpSocket::bind(place()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    bed.publisher.access(Access::new(vec![isp(socket.local_addr().unwrap(), None)]).unwrap());
    let next = || {
        let mut buffer = [0; 512];
        let (length, from) = socket.recv_from(&mut buffer).unwrap();
        let notice = Message::from_octets(buffer[..length].to_vec()).unwrap();
        // An acknowledgement is the question, turned round (RFC 1996, 4.7).
        buffer[2] |= 0x80;
        socket.send_to(&buffer[..length], from).unwrap();
        notice.sole_question().unwrap().qname().to_string()
    };
    let zones: std::collections::BTreeSet<_> = (0..18).map(|_| next()).collect();
    assert_eq!(zones.len(), 18, "{zones:?}");
    bed.change(Place::Hot, &["pirate.example"], &[]);
    assert_eq!(next(), "hot.rpz.test");
}
