//! What an address shows to whom names nobody, and to whom names somebody that it cannot know.

use collect::capture::Step;
use collect::plan::CONTROL;

use crate::tls::identity;
use crate::world::{asked, authorisation, capture, nobody, ok, server, tls_server};

#[test]
fn an_address_is_asked_without_a_name_and_with_a_control_name() {
    let (port, seen) = server(|_, out| ok(out, "text/html", b"x"));
    let capture =
        capture(&format!("127.0.0.1:{port}"), authorisation(&["127.0.0.0/8:*"]), nobody());
    // TLS came to nothing, so it is asked in the clear.
    assert_eq!(
        asked(&capture),
        [
            format!("- no-tls https://127.0.0.1:{port}/"),
            format!("200 whole http://127.0.0.1:{port}/"),
            format!("200 whole http://{CONTROL}:{port}/"),
        ]
    );
    let seen = seen.lock().unwrap();
    let requests: Vec<&String> = seen.iter().filter(|r| r.starts_with("GET")).collect();
    assert!(requests[0].starts_with("GET / HTTP/1.0\r\n") && !requests[0].contains("Host:"));
    assert!(requests[1].contains(&format!("\r\nHost: {CONTROL}:{port}\r\n")));
    assert_eq!(requests.len(), 2);
}

#[test]
fn an_address_that_speaks_tls_is_asked_without_sni_and_with_the_control_name() {
    let (port, seen) =
        tls_server(&identity(&["tv.example"], 0, 3650), |_, out| ok(out, "text/html", b"x"));
    let capture =
        capture(&format!("127.0.0.1:{port}"), authorisation(&["127.0.0.0/8:*"]), nobody());
    assert_eq!(capture.requests(), 2);
    let seen = seen.lock().unwrap().clone();
    assert!(seen[0].starts_with("- GET / HTTP/1.0\r\n"), "{}", seen[0]);
    assert!(
        seen[1].starts_with(&format!("{CONTROL} GET / HTTP/1.1\r\nHost: {CONTROL}")),
        "{}",
        seen[1]
    );
    let shown = |n: usize| match &capture.steps[n] {
        Step::Asked { tls: Some(tls), host, .. } => (tls.sni.clone(), host.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(0), (None, None));
    assert_eq!(shown(1), (Some(CONTROL.to_owned()), Some(CONTROL.to_owned())));
    assert_eq!(capture.chains().len(), 1);
    assert_eq!(capture.outcome().words(), "answered 200");
}

#[test]
fn an_address_follows_no_redirect_and_no_playlist() {
    let (port, seen) = server(|request, out| {
        if request.contains("HTTP/1.0") {
            crate::world::redirect(out, "/elsewhere");
        } else {
            ok(out, "x/y", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\nsegment.ts\n");
        }
    });
    let capture =
        capture(&format!("127.0.0.1:{port}"), authorisation(&["127.0.0.0/8:*"]), nobody());
    assert_eq!(seen.lock().unwrap().iter().filter(|r| r.starts_with("GET")).count(), 2);
    assert_eq!(capture.requests(), 3);
}
