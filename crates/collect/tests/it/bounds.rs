//! Every bound is reached by somebody who wants to pass it, and holds.

use std::thread::sleep;
use std::time::{Duration, Instant};

use collect::probe::Roots;
use collect::{Bounds, Capture, Refusal};

use crate::world::{
    asked, authorisation, capture, capture_with, nobody, packets, quick, read, refused, server,
};

fn look(port: u16, bounds: Bounds) -> Capture {
    let of = authorisation(&["127.0.0.0/8:*"]);
    let item = format!("http://127.0.0.1:{port}/");
    capture_with(&item, of, nobody(), bounds, Roots::of(Vec::new()))
}

#[test]
fn an_endless_body_is_cut_at_its_bound() {
    for head in ["", "Content-Length: 99999999\r\n", "Transfer-Encoding: chunked\r\n"] {
        let (port, _) = server(move |_, out| {
            let _ = out.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes());
            let piece = packets(100);
            let whole = match head.contains("chunked") {
                true => [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat(),
                false => piece,
            };
            while out.write_all(&whole).is_ok() {}
        });
        let capture = look(port, Bounds { document: 100_000, ..quick() });
        assert_eq!(asked(&capture), [format!("200 cut http://127.0.0.1:{port}/")], "{head}");
        assert_eq!(capture.outcome().words(), "media");
        let records = read(&capture.warc);
        assert_eq!(records[1].0, "response cut by length");
        assert_eq!(records[1].2.len(), 100_000, "{head}");
    }
}

#[test]
fn a_slow_body_is_left_when_its_time_is_up() {
    let (port, _) = server(|_, out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for _ in 0..100 {
            if out.write_all(b"x").is_err() {
                break;
            }
            sleep(Duration::from_millis(100));
        }
    });
    let begun = Instant::now();
    let capture = look(port, quick());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(asked(&capture), [format!("200 slow http://127.0.0.1:{port}/")]);
    assert_eq!(read(&capture.warc)[1].0, "response cut by time");
}

#[test]
fn who_says_nothing_is_left_too() {
    let (port, _) = server(|_, _| sleep(Duration::from_secs(5)));
    let capture = look(port, quick());
    assert_eq!(capture.outcome().words(), "timed-out");
    let kinds: Vec<String> = read(&capture.warc).into_iter().map(|r| r.0).collect();
    assert_eq!(kinds, ["warcinfo", "request", "metadata", "metadata"]);
}

#[test]
fn a_head_too_long_or_too_many_fields_or_bad_chunks_are_kept_as_bytes() {
    let long = format!("X: {}\r\n", "y".repeat(70_000));
    let many = "X: y\r\n".repeat(500);
    for (head, body) in [
        (long.as_str(), ""),
        (many.as_str(), ""),
        ("Transfer-Encoding: chunked\r\n", "zz\r\n"),
        ("Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
        ("bad\r\n", ""),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n{body}");
        let sent = answer.clone();
        let (port, _) = server(move |_, out| {
            let _ = out.write_all(sent.as_bytes());
        });
        let capture = look(port, quick());
        let end = asked(&capture).concat();
        assert!(end.contains(" malformed "), "{end}");
        let records = read(&capture.warc);
        assert_eq!(records[1].0, "resource");
        assert!(answer.as_bytes().starts_with(&records[1].2) && !records[1].2.is_empty());
    }
}

#[test]
fn a_connection_that_ends_within_an_answer_is_told() {
    let (port, _) = server(|_, out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    });
    let capture = look(port, quick());
    assert_eq!(asked(&capture), [format!("200 gone http://127.0.0.1:{port}/")]);
    assert_eq!(read(&capture.warc)[1].0, "response cut by disconnect");
    // The same within the head.
    let (port, _) = server(|_, out| {
        let _ = out.write_all(b"HTTP/1.1 200 OK\r\nContent-Le");
    });
    assert_eq!(look(port, quick()).outcome().words(), "malformed");
}

#[test]
fn all_of_it_ends_in_its_time() {
    let (port, _) = server(|r, out| {
        let n: u32 = r.split(['/', ' ']).nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
        sleep(Duration::from_millis(400));
        crate::world::redirect(out, &format!("/{}", n + 1));
    });
    let bounds = Bounds { total: Duration::from_millis(1500), redirects: 1000, ..quick() };
    let begun = Instant::now();
    let capture = look(port, bounds);
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert!((2..=4).contains(&capture.requests()), "{}", capture.requests());
    let steps = capture.to_json()["steps"].to_string();
    assert!(steps.contains("\"bound\":\"time\"") || steps.contains("timed-out"), "{steps}");
    // And in its number of requests.
    let (port, _) = server(|_, out| crate::world::redirect(out, "/again"));
    let capture = look(port, Bounds { requests: 7, redirects: 1000, ..quick() });
    assert_eq!(capture.requests(), 7);
    assert!(capture.to_json()["steps"].to_string().contains("\"bound\":\"requests\""));
}

#[test]
fn the_bytes_of_the_authorisation_are_the_most() {
    let (port, seen) = server(|request, out| {
        let body =
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na\n#EXTINF:1,\nb\n#EXTINF:1,\nc\n";
        let body = if request.starts_with("GET / ") { body.to_vec() } else { packets(20) };
        crate::world::ok(out, "x/y", &body);
    });
    let mut of = authorisation(&["127.0.0.0/8:*"]);
    of.most_bytes = 400;
    let capture = capture(&format!("http://127.0.0.1:{port}/"), of, nobody());
    // Heads count as well: what came over is a head's length at most.
    let bytes: usize =
        read(&capture.warc).iter().filter(|r| r.0.starts_with("response")).map(|r| r.2.len()).sum();
    assert!(bytes <= 400, "{bytes}");
    assert!(capture.refused.contains_key(&Refusal::Bytes), "{:?}", refused(&capture));
    assert!(seen.lock().unwrap().len() < 4);
}

#[test]
fn the_rate_is_waited_for_or_refused() {
    let (port, seen) = server(|_, out| crate::world::redirect(out, "/again"));
    let mut of = authorisation(&["127.0.0.0/8:*"]);
    of.rate = 2;
    let capture = capture(&format!("http://127.0.0.1:{port}/"), of, nobody());
    assert_eq!(capture.requests(), 2);
    assert_eq!(refused(&capture), [format!("rate http://127.0.0.1:{port}/again")]);
    assert_eq!(seen.lock().unwrap().len(), 2);
}
