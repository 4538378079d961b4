//! What is outside the authorisation leaves nothing: no question, no connection.

use collect::authorisation::{Authorisation, Method};
use collect::probe::now_ms;

use crate::world::{authorisation, capture, read, refused, resolver, server, zone};

#[test]
fn nothing_leaves_outside_the_authorisation() {
    let (port, seen) = server(|_, _| {});
    let (dns, questions) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let name = format!("http://tv.example:{port}/");
    let address = format!("127.0.0.1:{port}");
    let allowed = || authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let of: [(&str, Authorisation, &str); 8] = [
        ("expired", Authorisation { until_ms: now_ms(), ..allowed() }, &name),
        ("not-yet", Authorisation { from_ms: now_ms() + 100_000, ..allowed() }, &name),
        ("method", Authorisation { methods: [Method::Address].into(), ..allowed() }, &name),
        ("method", Authorisation { methods: [Method::Page].into(), ..allowed() }, &address),
        ("host", Authorisation { hosts: Vec::new(), ..allowed() }, &name),
        ("port", authorisation(&["tv.example:1", "127.0.0.0/8:*"]), &name),
        ("bytes", Authorisation { most_bytes: 0, ..allowed() }, &name),
        ("scheme", allowed(), "ftp://tv.example/"),
    ];
    for (reason, of, item) in of {
        let capture = capture(item, of, dns);
        let found = refused(&capture);
        assert!(found.len() == 1 && found[0].starts_with(&format!("{reason} ")), "{found:?}");
        assert!(capture.is_empty());
        assert_eq!(capture.outcome().words(), "refused");
        assert_eq!(read(&capture.warc).len(), 2);
    }
    assert_eq!((seen.lock().unwrap().len(), questions.lock().unwrap().len()), (0, 0));
}

/// It expires while a capture is under way: the next hop is refused.
#[test]
fn an_authorisation_that_expires_on_the_way_stops_the_capture() {
    let (port, _) = server(|_, out| {
        std::thread::sleep(std::time::Duration::from_millis(600));
        crate::world::redirect(out, "/next");
    });
    let (dns, _) = resolver(zone(&[]), false);
    let of = Authorisation { until_ms: now_ms() + 500, ..authorisation(&["127.0.0.0/8:*"]) };
    let capture = capture(&format!("http://127.0.0.1:{port}/"), of, dns);
    assert_eq!(capture.requests(), 1);
    assert_eq!(refused(&capture), [format!("expired http://127.0.0.1:{port}/next")]);
}
