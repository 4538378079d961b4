//! Pages and redirects.

use crate::world::{
    asked, authorisation, capture, nobody, ok, read, redirect, refused, resolver, server, zone,
};

#[test]
fn a_page_is_captured_byte_for_byte() {
    let (port, seen) = server(|_, out| ok(out, "text/html", b"<html>hello</html>"));
    let (dns, questions) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let item = format!("http://tv.example:{port}/a?b=c#d");
    let capture = capture(&item, authorisation(&["tv.example:*", "127.0.0.0/8:*"]), dns);
    assert_eq!(capture.outcome().words(), "answered 200");
    assert_eq!(*questions.lock().unwrap(), ["tv.example A", "tv.example AAAA"]);
    let request = seen.lock().unwrap().concat();
    assert!(request.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nHost: tv.example:{port}\r\n")), "{request}");
    let records = read(&capture.warc);
    let kinds: Vec<&str> = records.iter().map(|r| r.0.as_str()).collect();
    let of = ["warcinfo", "resource", "resource", "response", "request", "metadata", "metadata"];
    assert_eq!(kinds, of);
    assert_eq!(records[1].1, "dns:tv.example?type=A");
    assert_eq!(records[3].2, b"<html>hello</html>");
    assert_eq!(records[3].1, item.trim_end_matches("#d"));
    let facts = String::from_utf8_lossy(&records[5].2);
    assert!(
        facts.contains(&format!("address: 127.0.0.1:{port}\r\nnamed: tv.example\r\n")),
        "{facts}"
    );
    let json = String::from_utf8_lossy(&records[6].2);
    assert!(json.contains("\"outcome\":\"answered 200\""), "{json}");
}

#[test]
fn the_same_seen_twice_has_the_same_content() {
    let (port, _) = server(|r, out| {
        let body: &[u8] = if r.contains("/b") { b"other" } else { b"same" };
        ok(out, "text/html", body);
    });
    let look = |path: &str| {
        let item = format!("http://127.0.0.1:{port}/{path}");
        capture(&item, authorisation(&["127.0.0.0/8:*"]), nobody())
    };
    let (one, two) = (look("a"), look("a"));
    assert_eq!(one.content(), two.content());
    assert_ne!(one.content(), look("b").content());
}

#[test]
fn chunks_stand_in_the_warc_as_they_came() {
    let (port, _) = server(|_, out| {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = out.write_all(&[head, &b"3\r\nabc\r\n0\r\n\r\n"[..]].concat());
    });
    let item = format!("http://127.0.0.1:{port}/");
    let capture = capture(&item, authorisation(&["127.0.0.0/8:*"]), nobody());
    // No name, no question.
    assert_eq!(capture.steps.len(), 1);
    assert_eq!(read(&capture.warc)[1].2, b"abc");
}

#[test]
fn a_redirect_is_held_against_the_authorisation_anew() {
    let (port, seen) = server(|request, out| {
        let to = match request.split(' ').nth(1) {
            Some("/host") => "http://elsewhere.example/x",
            Some("/port") => "http://tv.example:1/x",
            Some("/user") => "http://user:word@tv.example/",
            Some("/scheme") => "ftp://tv.example/x",
            Some("/inside") => "http://192.168.0.1/",
            Some("/loop") => "/loop",
            Some("/nothing") => "http://",
            _ => return ok(out, "text/plain", b"end"),
        };
        redirect(out, to);
    });
    let (dns, questions) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let look = |path: &str| {
        let of = authorisation(&[&format!("tv.example:{port}"), "127.0.0.0/8:*", "tv.example:443"]);
        capture(&format!("http://tv.example:{port}/{path}"), of, dns)
    };
    for (path, reason) in [
        ("host", "host http://elsewhere.example/x"),
        ("port", "port http://tv.example:1/x"),
        ("user", "credentials http://user:word@tv.example/"),
        ("scheme", "scheme ftp://tv.example/x"),
        ("inside", "host http://192.168.0.1/"),
    ] {
        let capture = look(path);
        assert_eq!(refused(&capture), [reason], "{path}");
        assert_eq!(capture.requests(), 1, "{path}");
        assert_eq!(capture.outcome().words(), "answered 302");
    }
    let names = questions.lock().unwrap().clone();
    assert!(names.iter().all(|n| n.starts_with("tv.example ")), "{names:?}");
    assert_eq!(look("nothing").requests(), 1);
    // Round and round: as often as the bound says.
    let before = seen.lock().unwrap().len();
    let capture = look("loop");
    assert_eq!((capture.requests(), capture.outcome().words()), (6, "answered 302".to_owned()));
    assert_eq!(seen.lock().unwrap().len(), before + 6);
}

#[test]
fn a_name_is_asked_by_both_usual_ports_that_are_named() {
    let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    // Whether somebody listens there is the machine's business.
    let look = |hosts: &[&str]| -> Vec<String> {
        let asked = asked(&capture("tv.example", authorisation(hosts), dns));
        asked.iter().map(|a| a.rsplit(' ').next().unwrap().to_owned()).collect()
    };
    let both = look(&["tv.example", "127.0.0.0/8:80", "127.0.0.0/8:443"]);
    assert_eq!(both[..1], ["http://tv.example/"]);
    assert!(both.contains(&"https://tv.example/".to_owned()), "{both:?}");
    assert_eq!(look(&["tv.example:443", "127.0.0.0/8:443"]).len(), 1);
    let none = capture("tv.example", authorisation(&["tv.example:8080"]), dns);
    assert_eq!(refused(&none), ["port http://tv.example/"]);
    assert!(none.is_empty());
}
