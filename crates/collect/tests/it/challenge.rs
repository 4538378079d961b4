//! Proof of control: what shows it, and each thing that does not.

use std::net::SocketAddr;

use collect::challenge::{At, Challenge, FOLDER, Found, LABEL, Looked, Way, reverse};
use collect::host::Host;
use collect::pacing::Pacing;
use collect::probe::{Probe, Roots};

use crate::world::{Seen, Zone, nobody, ok, quick, read, redirect, resolver, server, zone};

const TOKEN: &str = "v7k2q5";

fn challenge(host: &str, port: u16) -> Challenge {
    let at = At { http: port, https: 9 };
    let special = vec!["127.0.0.0/8:*".parse().unwrap()];
    Challenge { host: Host::parse(host).unwrap(), token: TOKEN.to_owned(), at, special }
}

fn look(of: &Challenge, resolver: SocketAddr) -> Looked {
    let probe = Probe::new(resolver, quick(), Roots::of(Vec::new()));
    let looked = of.look(&probe, &Pacing::in_memory(), [7; 32]).unwrap();
    if let Looked::Met(_, capture) = &looked {
        // What is sealed is read by the house's own reader.
        assert!(!read(&capture.warc).is_empty());
    }
    looked
}

fn not(looked: &Looked) -> Vec<(Way, Found)> {
    match looked {
        Looked::Not(not) => not.clone(),
        Looked::Met(way, _) => panic!("met by {way:?}"),
    }
}

fn met(looked: &Looked) -> Way {
    match looked {
        Looked::Met(way, _) => *way,
        Looked::Not(not) => panic!("{not:?}"),
    }
}

fn in_zone(of: Zone) -> SocketAddr {
    resolver(of, false).0
}

#[test]
fn a_text_at_the_name_itself_shows_it_and_nothing_is_connected_to() {
    let (port, seen) = server(|_, out| ok(out, "text/plain", b"x"));
    let of = zone(&[
        ("_vigie-challenge.shop.example", &["~v=spf1 -all", "~v7k2q5"]),
        ("shop.example", &["127.0.0.1"]),
    ]);
    for cut in [false, true] {
        let looked = look(&challenge("shop.example", port), resolver(of.clone(), cut).0);
        assert_eq!(met(&looked), Way::Dns);
    }
    assert!(seen.lock().unwrap().is_empty());
    assert_eq!(LABEL, "_vigie-challenge");
}

#[test]
fn what_is_no_proof_by_dns_is_named() {
    let long = format!("~{}", "x".repeat(2000));
    let many: Vec<String> = (0..80).map(|n| format!("~{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let place = "_vigie-challenge.shop.example";
    let elsewhere: Zone =
        zone(&[(place, &["=proof.other.example"]), ("proof.other.example", &["~v7k2q5"])]);
    let within = zone(&[(place, &["=proof.shop.example"]), ("proof.shop.example", &["~v7k2q5"])]);
    let wild = zone(&[("*.shop.example", &["~v7k2q5"])]);
    for (of, found) in [
        (zone(&[]), Found::Nothing),
        (zone(&[(place, &[])]), Found::Nothing),
        (zone(&[(place, &["~another"])]), Found::Other),
        // A longer text that begins with the token is another text.
        (zone(&[(place, &["~v7k2q5 and more"])]), Found::Other),
        (zone(&[(place, &[long.as_str()])]), Found::TooMuch),
        (zone(&[(place, many.as_slice())]), Found::TooMuch),
        (elsewhere, Found::Alias),
        (wild, Found::Wildcard),
    ] {
        let not = not(&look(&challenge("shop.example", 9), in_zone(of.clone())));
        assert_eq!(not[0], (Way::Dns, found), "{of:?}");
    }
    assert_eq!(met(&look(&challenge("shop.example", 9), in_zone(within))), Way::Dns);
    let silent = not(&look(&challenge("shop.example", 9), nobody()));
    assert_eq!(silent, [(Way::Dns, Found::NoAnswer), (Way::File, Found::NoAnswer)]);
}

fn by_file(
    serve: impl Fn(&str, &mut dyn std::io::Write) + Send + Sync + 'static,
    address: &str,
) -> (Looked, Seen) {
    let (port, seen) = server(serve);
    let of = in_zone(zone(&[("shop.example", &[address]), ("a.example", &["127.0.0.1"])]));
    (look(&challenge("shop.example", port), of), seen)
}

#[test]
fn a_file_at_the_name_shows_it() {
    for body in ["v7k2q5", "v7k2q5\n", "v7k2q5\r\n"] {
        let serve = |_: &str, out: &mut dyn std::io::Write| ok(out, "text/plain", body.as_bytes());
        let (looked, seen) = by_file(serve, "127.0.0.1");
        assert_eq!(met(&looked), Way::File);
        let seen = seen.lock().unwrap();
        assert!(
            seen[0].starts_with(&format!("GET {FOLDER}{TOKEN} HTTP/1.1\r\nHost: shop.example"))
        );
    }
    // From one page of the same host to another.
    let serve = |request: &str, out: &mut dyn std::io::Write| match request.contains("/moved/") {
        true => ok(out, "text/plain", b"v7k2q5"),
        false => redirect(out, "/moved/here"),
    };
    assert_eq!(met(&by_file(serve, "127.0.0.1").0), Way::File);
}

#[test]
fn what_is_no_proof_by_file_is_named() {
    fn found(serve: impl Fn(&str, &mut dyn std::io::Write) + Send + Sync + 'static) -> Found {
        let (looked, seen) = by_file(serve, "127.0.0.1");
        // Nobody but the host itself was asked.
        assert!(seen.lock().unwrap().iter().all(|request| request.contains("Host: shop.example")));
        not(&looked)[1].1
    }
    assert_eq!(found(|_, out| ok(out, "text/plain", b"another")), Found::Other);
    assert_eq!(found(|_, out| ok(out, "text/plain", b" v7k2q5")), Found::Other);
    assert_eq!(found(|_, out| ok(out, "text/plain", &[b'x'; 9000])), Found::TooMuch);
    let gone = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(found(move |_, out| drop(out.write_all(gone))), Found::Nothing);
    assert_eq!(found(|_, out| redirect(out, "http://a.example/x")), Found::Elsewhere);
    // Into the very range that lets the host be where it is, by its address and by another port.
    assert_eq!(found(|_, out| redirect(out, "http://127.0.0.1:9/x")), Found::Elsewhere);
    assert_eq!(found(|_, out| redirect(out, "http://shop.example:22/x")), Found::Elsewhere);
    assert_eq!(found(|_, out| redirect(out, "ftp://shop.example/x")), Found::Elsewhere);
    assert_eq!(found(|_, out| drop(out.write_all(b"SSH-2.0-x\r\n\r\n"))), Found::NoAnswer);
    let (looked, seen) = by_file(|_, out| ok(out, "text/plain", b"v7k2q5"), "10.0.0.1");
    assert_eq!(not(&looked)[1].1, Found::Inside);
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
fn an_address_shows_it_at_its_reverse_name() {
    assert_eq!(reverse("198.18.0.7".parse().unwrap()), "7.0.18.198.in-addr.arpa");
    assert_eq!(
        reverse("2001:db8::567:89ab".parse().unwrap()),
        "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    );
    let of = zone(&[("_vigie-challenge.7.0.18.198.in-addr.arpa", &["~v7k2q5"])]);
    assert_eq!(met(&look(&challenge("198.18.0.7", 9), in_zone(of.clone()))), Way::Reverse);
    let other = not(&look(&challenge("198.18.0.8", 9), in_zone(of)));
    assert_eq!(other, [(Way::Reverse, Found::Nothing)]);
}
