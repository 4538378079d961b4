//! Names: where they lead, and where they must not.

use collect::capture::Step;

use crate::world::{authorisation, capture, nobody, ok, refused, resolver, server, zone};

#[test]
fn aliases_are_recorded_and_followed() {
    let (port, _) = server(|_, out| ok(out, "text/html", b"x"));
    let of = zone(&[
        ("tv.example", &["=edge.cdn.example"]),
        ("edge.cdn.example", &["=node.cdn.example"]),
        ("node.cdn.example", &["127.0.0.1"]),
    ]);
    // By UDP, and by TCP where the answer was cut.
    for cuts in [false, true] {
        let (dns, _) = resolver(of.clone(), cuts);
        let allowed = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
        let capture = capture(&format!("http://tv.example:{port}/"), allowed, dns);
        let Step::Looked { aliases, addresses, code, .. } = &capture.steps[0] else { panic!() };
        assert_eq!(*aliases, ["edge.cdn.example", "node.cdn.example"]);
        assert_eq!(addresses.len(), 1);
        assert_eq!(code.as_deref(), Some("NOERROR"));
        assert_eq!(capture.outcome().words(), "answered 200");
    }
}

#[test]
fn a_name_that_points_inside_reaches_nobody() {
    let (port, seen) = server(|_, out| ok(out, "text/html", b"secret"));
    for inside in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
    {
        let (dns, _) = resolver(zone(&[("tv.example", &[inside])]), false);
        let capture =
            capture(&format!("http://tv.example:{port}/"), authorisation(&["tv.example:*"]), dns);
        assert_eq!(refused(&capture), [format!("address http://tv.example:{port}/")], "{inside}");
        assert_eq!((capture.requests(), capture.outcome().words()), (0, "refused".to_owned()));
        // What the resolver said is evidence all the same.
        assert!(!capture.is_empty());
    }
    assert!(seen.lock().unwrap().is_empty());
    // Of several addresses the one that is named is asked, and nobody else.
    let (dns, _) = resolver(zone(&[("tv.example", &["10.0.0.1", "127.0.0.1"])]), false);
    let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let capture = capture(&format!("http://tv.example:{port}/"), of, dns);
    assert_eq!((refused(&capture).len(), capture.requests()), (1, 1));
    assert_eq!(capture.outcome().words(), "answered 200");
}

#[test]
fn the_next_address_of_a_name_is_tried() {
    let (port, _) = server(|_, out| ok(out, "text/html", b"x"));
    let look = |addresses: &[&str]| {
        let (dns, _) = resolver(zone(&[("tv.example", addresses)]), false);
        let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
        capture(&format!("http://tv.example:{port}/"), of, dns)
    };
    let one = look(&["127.0.0.2", "127.0.0.1"]);
    assert_eq!((one.requests(), one.outcome().words()), (2, "answered 200".to_owned()));
    // In another order the same is seen; of other addresses it is not.
    let two = look(&["127.0.0.1", "127.0.0.2"]);
    assert_eq!((two.requests(), two.content()), (1, one.content()));
    assert_ne!(look(&["127.0.0.1", "127.0.0.3"]).content(), one.content());
}

#[test]
fn no_such_name_no_address_and_no_answer_are_told_apart() {
    let (dns, questions) = resolver(zone(&[("empty.example", &[])]), false);
    let look = |item: &str, dns| capture(item, authorisation(&["*.example"]), dns);
    let none = look("gone.example", dns);
    assert_eq!(none.outcome().words(), "no-name");
    assert_eq!(questions.lock().unwrap().len(), 1, "there is no other sort of address");
    assert_eq!(look("empty.example", dns).outcome().words(), "no-name");
    assert_eq!(look("tv.example", nobody()).outcome().words(), "no-answer");
}
