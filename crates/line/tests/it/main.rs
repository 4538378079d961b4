//! Lines to servers that are what they say, and to those that are not; all on loopback.

#![allow(missing_docs)]

mod server;

use std::io::Write;
use std::time::{Duration, Instant};

use line::{
    CallError, Line, MAX_HEADERS, OpenError, StatusCode, Trust, stream::Waits, stream::connect,
};
use server::{Identity, Server, answer};

const SOON: Duration = Duration::from_millis(600);

fn to(server: &Server, ca: &str) -> Line {
    Line::new(&format!("https://localhost:{}/feed", server.port), Some(ca)).unwrap()
}

fn why(error: CallError) -> String {
    match error {
        CallError::Broke(why) => why,
        CallError::Slow(_) => panic!("slow, not broken"),
    }
}

#[tokio::test]
async fn what_is_asked_arrives_and_what_is_said_comes_back() {
    let me = Identity::of("localhost");
    let server = Server::tls(&me, false, |_, out| out.write_all(&answer("200 OK", b"said")));
    let mut line = to(&server, &me.pem).with_key("vsk_1").unwrap();
    let got = line.get("all/manifest", 0, SOON).await.unwrap();
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(got.whole(9, SOON).await.unwrap(), b"said");
    let got = line.get("all/file", 7, SOON).await.unwrap();
    drop(got);
    line.post("measure", "{}".into(), SOON).await.unwrap();
    let asked = server.asked.lock().unwrap().clone();
    assert!(asked[0].starts_with("GET /feed/all/manifest HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains(&format!("host: localhost:{}\r\n", server.port)), "{asked:?}");
    assert!(asked[0].contains("authorization: Bearer vsk_1\r\n"), "{asked:?}");
    assert!(!asked[0].contains("range:") && !asked[0].contains("content-"), "{asked:?}");
    assert!(asked[1].contains("range: bytes=7-\r\n"), "{asked:?}");
    assert!(asked[2].starts_with("POST /feed/measure ") && asked[2].contains("application/json"));
}

#[tokio::test]
async fn a_connection_is_used_again_and_one_that_was_closed_meanwhile_is_no_fault() {
    let me = Identity::of("localhost");
    let server = Server::tls(&me, false, |_, out| out.write_all(&answer("200 OK", b"x")));
    let mut line = to(&server, &me.pem);
    for _ in 0..3 {
        line.get("x", 0, SOON).await.unwrap().whole(9, SOON).await.unwrap();
    }
    assert_eq!(server.callers(), 1);
    // One answer a connection.
    let server = Server::tls(&me, false, |_, out| {
        out.write_all(&answer("200 OK", b"x"))?;
        Err(std::io::ErrorKind::ConnectionReset.into())
    });
    let mut line = to(&server, &me.pem);
    for _ in 0..3 {
        line.get("x", 0, SOON).await.unwrap().whole(9, SOON).await.unwrap();
    }
    assert_eq!(server.callers(), 3);
}

#[tokio::test]
async fn who_is_not_the_host_asked_for_is_told_nothing() {
    let (me, other) = (Identity::of("localhost"), Identity::of("other.example"));
    let fine = |_: &str, out: &mut dyn Write| out.write_all(&answer("200 OK", b"x"));
    // Another's name, by a root that is trusted; another's root; TLS 1.2; none at all.
    let name = Server::tls(&other, false, fine);
    let why_not = why(to(&name, &other.pem).get("x", 0, SOON).await.unwrap_err());
    assert!(why_not.contains("other.example"), "{why_not}");
    let root = Server::tls(&Identity::of("localhost"), false, fine);
    let why_not = why(to(&root, &me.pem).get("x", 0, SOON).await.unwrap_err());
    assert!(why_not.contains("certificate"), "{why_not}");
    let old = Server::tls(&me, true, fine);
    let why_not = why(to(&old, &me.pem).get("x", 0, SOON).await.unwrap_err());
    assert!(why_not.to_lowercase().contains("version"), "{why_not}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(&answer("400 Bad Request", b"speak up"))
    });
    let mut clear = Line::new(&format!("https://localhost:{port}"), Some(&me.pem)).unwrap();
    why(clear.get("x", 0, SOON).await.unwrap_err());
    for server in [&name, &root, &old] {
        assert!(server.asked.lock().unwrap().is_empty(), "a request was sent");
    }
}

#[tokio::test]
async fn who_says_nothing_or_lets_it_trickle_is_not_waited_for() {
    let me = Identity::of("localhost");
    let still = Server::tls(&me, false, |_, _| {
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    });
    let begun = Instant::now();
    let silent = to(&still, &me.pem).get("x", 0, SOON).await.unwrap_err();
    assert_eq!(silent, CallError::Slow(SOON));
    let drops = Server::tls(&me, false, |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")?;
        loop {
            out.write_all(b"a")?;
            out.flush()?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let answer = to(&drops, &me.pem).get("x", 0, SOON).await.unwrap();
    assert_eq!(answer.whole(100_000, SOON).await.unwrap_err(), CallError::Slow(SOON));
    // A head that never ends, and never stands still.
    let head = Server::tls(&me, false, |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            out.write_all(b"a: b\r\n")?;
            out.flush()?;
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(to(&head, &me.pem).get("x", 0, SOON).await.unwrap_err(), CallError::Slow(SOON));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn who_closes_or_cuts_off_is_told() {
    let me = Identity::of("localhost");
    let gone = Server::tls(&me, false, |_, _| Err(std::io::ErrorKind::ConnectionReset.into()));
    why(to(&gone, &me.pem).get("x", 0, SOON).await.unwrap_err());
    let cut = Server::tls(&me, false, |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")?;
        Err(std::io::ErrorKind::ConnectionReset.into())
    });
    let answer = to(&cut, &me.pem).get("x", 0, SOON).await.unwrap();
    why(answer.whole(100, SOON).await.unwrap_err());
    // Nobody there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut line = Line::new(&format!("http://127.0.0.1:{port}"), None).unwrap();
    why(line.get("x", 0, SOON).await.unwrap_err());
}

#[tokio::test]
async fn no_more_is_read_than_was_asked_for() {
    let me = Identity::of("localhost");
    let long = Server::tls(&me, false, |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\na: ")?;
        out.write_all(&vec![b'a'; MAX_HEADERS])?;
        out.write_all(b"\r\nContent-Length: 0\r\n\r\n")
    });
    why(to(&long, &me.pem).get("x", 0, SOON).await.unwrap_err());
    let body = Server::tls(&me, false, |_, out| out.write_all(&answer("200 OK", &[b'a'; 70_000])));
    let mut line = to(&body, &me.pem);
    for (most, read) in [(70_000, 70_000), (69_999, 70_000), (10, 11), (0, 1)] {
        let answer = line.get("x", 0, SOON).await.unwrap();
        assert_eq!(answer.whole(most, SOON).await.unwrap().len(), read, "{most}");
    }
    // One without an end.
    let endless = Server::tls(&me, false, |_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        loop {
            out.write_all(b"1000\r\n")?;
            out.write_all(&[b'a'; 4096])?;
            out.write_all(b"\r\n")?;
        }
    });
    let answer = to(&endless, &me.pem).get("x", 0, SOON).await.unwrap();
    assert_eq!(answer.whole(1 << 20, SOON * 10).await.unwrap().len(), (1 << 20) + 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_like_others() {
    let me = Identity::of("localhost");
    let aside = Server::clear(|_, out| out.write_all(&answer("200 OK", b"x")));
    let to_aside = format!("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{}/\r\n", aside.port);
    let server = Server::tls(&me, false, move |_, out| {
        out.write_all(format!("{to_aside}Content-Length: 0\r\n\r\n").as_bytes())
    });
    let answer = to(&server, &me.pem).get("x", 0, SOON).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(aside.callers(), 0);
}

#[test]
fn what_cannot_lead_anywhere_says_why() {
    let url = "https://feed.example";
    let new = |to: &str, ca: Option<&str>| Line::new(to, ca).map(drop);
    for (pem, says) in [
        ("", "holds none"),
        ("no certificate", "holds none"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate"),
    ] {
        let error = new(url, Some(pem)).unwrap_err();
        assert!(matches!(error, OpenError::Trust(..)), "{pem}: {error}");
        let error = error.to_string();
        assert!(error.starts_with(url) && error.contains(says), "{pem}: {error}");
    }
    assert!(matches!(new("http://192.0.2.1", None), Err(OpenError::Address(_))));
    let line = Line::new("http://127.0.0.1:1", None).unwrap();
    assert!(matches!(line.with_key("a\nb").map(drop), Err(OpenError::Key(_))));
}

#[test]
fn a_stream_is_held_to_the_same() {
    let waits = Waits { connect: SOON, read: SOON, write: SOON };
    let me = Identity::of("localhost");
    let trust = Trust::of(&me.pem).unwrap();
    let said = |to: &str, trust: Option<&Trust>| -> std::io::Result<String> {
        let mut stream = connect(to, trust, waits)?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n")?;
        let mut bytes = [0; 64];
        let length = stream.read(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
    };
    let fine = |_: &str, out: &mut dyn Write| out.write_all(&answer("200 OK", b"x"));
    let at = |server: &Server| format!("localhost:{}", server.port);
    let server = Server::tls(&me, false, fine);
    assert!(said(&at(&server), Some(&trust)).unwrap().starts_with("HTTP/1.1 200"));
    let clear = Server::clear(fine);
    assert!(said(&at(&clear), None).unwrap().starts_with("HTTP/1.1 200"));
    for server in [
        Server::tls(&Identity::of("other.example"), false, fine),
        Server::tls(&Identity::of("localhost"), false, fine),
        Server::tls(&me, true, fine),
    ] {
        said(&at(&server), Some(&trust)).unwrap_err();
        assert!(server.asked.lock().unwrap().is_empty());
    }
    let still = Server::tls(&me, false, |_, _| {
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    });
    let begun = Instant::now();
    said(&at(&still), Some(&trust)).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    // Over a network never without TLS.
    let error = connect("192.0.2.1:1", None, waits).map(drop).unwrap_err();
    assert!(error.to_string().contains("--ca"), "{error}");
}
