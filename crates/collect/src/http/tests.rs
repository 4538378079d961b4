use proptest::prelude::*;

use super::*;

/// Pushed whole, and byte by byte: the same comes of it.
fn read(bytes: &[u8], most: usize, closes: bool) -> Reading {
    let mut whole = Reading::new(most);
    whole.push(bytes);
    let mut single = Reading::new(most);
    for byte in bytes {
        if single.push(std::slice::from_ref(byte)) != Progress::More {
            break;
        }
    }
    for reading in [&mut whole, &mut single] {
        if closes {
            reading.close(true);
        }
    }
    assert_eq!(whole.body(), single.body());
    assert!(whole.wire().starts_with(single.wire()) || whole.progress() == Progress::Full);
    whole
}

fn ended(bytes: &str) -> Progress {
    read(bytes.as_bytes(), 1000, true).progress()
}

#[test]
fn bodies_end_where_the_head_says() {
    let known = read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 1000, false);
    assert_eq!((known.progress(), known.body()), (Progress::Whole, &b"abc"[..]));
    assert_eq!(known.head().unwrap().field("content-LENGTH"), Some("3"));
    let closed = read(b"HTTP/1.0 200 OK\r\n\r\nabc", 1000, true);
    assert_eq!((closed.progress(), closed.body()), (Progress::Whole, &b"abc"[..]));
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA \r\n0123456789\r\n0\r\nX: y\r\n\r\n";
    let chunked = read(chunks, 1000, false);
    assert_eq!((chunked.progress(), chunked.body()), (Progress::Whole, &b"abc0123456789"[..]));
    assert_eq!(chunked.wire(), chunks);
    assert!(chunked.head().unwrap().is_chunked());
    assert_eq!(ended("HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n"), Progress::Whole);
    let informed = read(b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 1000, false);
    assert_eq!((informed.progress(), informed.informed()), (Progress::Whole, 22));
    assert_eq!(informed.head().unwrap().status, 204);
}

#[test]
fn what_is_cut_is_not_whole() {
    assert_eq!(ended("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc"), Progress::More);
    assert_eq!(ended("HTTP/1.1 200 OK\r\nContent-Le"), Progress::More);
    assert_eq!(
        ended("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"),
        Progress::More
    );
    let mut unclean = Reading::new(10);
    unclean.push(b"HTTP/1.1 200 OK\r\n\r\nabc");
    assert_eq!(unclean.close(false), Progress::More);
}

#[test]
fn what_can_be_read_in_two_ways_is_malformed() {
    for (head, error) in [
        ("Content-Length: 3\r\nContent-Length: 4", HttpError::Framing),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked", HttpError::Framing),
        ("Transfer-Encoding: gzip, chunked", HttpError::Framing),
        ("Content-Length: -1", HttpError::Framing),
        ("Content-Length: +1", HttpError::Framing),
        ("Content-Length: 99999999999999999999", HttpError::Framing),
        ("Content-Length : 3", HttpError::Field),
        ("no field", HttpError::Field),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nabc");
        assert_eq!(ended(&bytes), Progress::Malformed(error), "{head}");
    }
    assert_eq!(ended("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc"), Progress::Whole);
    for start in ["SSH-2.0-OpenSSH\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n", "h"] {
        assert_eq!(ended(start), Progress::Malformed(HttpError::Start), "{start:?}");
    }
    assert_eq!(
        ended("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
        Progress::Malformed(HttpError::Start)
    );
    for chunks in [
        "g\r\n",
        "\r\n",
        "-3\r\nabc\r\n",
        "3\nabc\r\n",
        "3\r\nabcd\r\n",
        "11111111111111111\r\n",
        "0\r\nno trailer\r\n\r\n",
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(ended(&bytes), Progress::Malformed(HttpError::Chunk), "{chunks:?}");
    }
}

#[test]
fn bounds_are_kept_exactly() {
    for framing in ["Content-Length: 9", "X: y"] {
        let bytes = format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n123456789");
        let cut = read(bytes.as_bytes(), 5, true);
        assert_eq!((cut.progress(), cut.body()), (Progress::Full, &b"12345"[..]), "{framing}");
        assert!(cut.wire().ends_with(b"12345"));
        let whole = read(bytes.as_bytes(), 9, true);
        assert_eq!(whole.progress(), Progress::Whole, "{framing}");
    }
    let chunks =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n0\r\n\r\n";
    let cut = read(chunks, 5, true);
    assert_eq!((cut.progress(), cut.body()), (Progress::Full, &b"12345"[..]));
    assert!(cut.wire().ends_with(b"\r\n12345"));
    assert_eq!(read(chunks, 9, true).progress(), Progress::Whole);

    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(MAX_HEAD));
    assert_eq!(ended(&long), Progress::Malformed(HttpError::LongHead));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(MAX_FIELDS + 1));
    assert_eq!(ended(&many), Progress::Malformed(HttpError::Fields));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in prop::sample::select(&[
            "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n",
        ][..]),
        most in 0usize..100,
    ) {
        let bytes = [start.as_bytes(), &bytes].concat();
        let reading = read(&bytes, most, true);
        prop_assert!(reading.body().len() <= most);
        prop_assert!(bytes.starts_with(reading.wire()));
    }

    /// Chunks of any sizes hold what was put into them.
    #[test]
    fn chunks_are_undone(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..8)) {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for part in &parts {
            bytes.extend(format!("{:X}\r\n", part.len()).bytes());
            bytes.extend(part);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        let reading = read(&bytes, 1000, false);
        prop_assert_eq!(reading.progress(), Progress::Whole);
        prop_assert_eq!(reading.body(), parts.concat());
    }
}
