//! The one place from which Vigie calls outside by HTTP, but for the capture probe (`collect`), and only
//! where a user named an address and asked for it. What comes back is bounded in size and time, and believed nowhere: who calls here
//! verifies what it got.
//!
//! There is no TLS: what is fetched (time stamps, certificates, lists of revoked ones) is signed and
//! proves itself, and what is sent is a digest.

use std::time::Duration;

use ureq::Agent;

use crate::{Error, Result};

/// The longest that one call may take, from the first byte sent to the last one read.
const MAX_TIME: Duration = Duration::from_secs(20);
/// The longest wait for a connection.
const MAX_CONNECT: Duration = Duration::from_secs(10);
/// The longest address.
const MAX_URL: usize = 2000;
/// Most bytes of an answer's headers.
const MAX_HEADERS: usize = 16 << 10;

/// Refuses an address that cannot be called.
///
/// # Errors
/// What is wrong with it, in words for who named it.
pub(crate) fn check(url: &str) -> Result<()> {
    let off = |why: &str| Err(Error::Asked(format!("{url}: {why}")));
    if url.len() > MAX_URL {
        return Err(Error::Asked(format!("an address has at most {MAX_URL} bytes")));
    }
    let Some(rest) = url.strip_prefix("http://") else {
        return off("an address that begins with http:// is wanted; what comes back is signed");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return off("this is no address");
    }
    // The address is recorded, and travels in the clear.
    if host.contains('@') { off("name no user or password in the address") } else { Ok(()) }
}

/// An agent that goes on so often; `refuses` a status that is not one of success, or hands it on.
fn agent(redirects: u32, refuses: bool) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(MAX_TIME))
        .timeout_connect(Some(MAX_CONNECT))
        .max_redirects(redirects)
        .max_redirects_will_error(true)
        .max_response_header_size(MAX_HEADERS)
        .user_agent("vigie")
        .http_status_as_error(refuses)
        .build()
        .into()
}

/// Sends `body`, and gives the answer's at most `most` bytes.
///
/// # Errors
/// [`Error::Outside`] with what came instead of an answer.
pub(crate) fn post(
    url: &str,
    media: &str,
    accept: &str,
    body: &[u8],
    most: usize,
) -> Result<Vec<u8>> {
    check(url)?;
    let asked =
        agent(0, true).post(url).header("Content-Type", media).header("Accept", accept).send(body);
    taken(url, asked, most)
}

/// Fetches what stands at an address, at most `most` bytes.
///
/// # Errors
/// As [`post`].
pub(crate) fn get(url: &str, most: usize) -> Result<Vec<u8>> {
    check(url)?;
    taken(url, agent(3, true).get(url).call(), most)
}

/// Sends `body`, and gives the answer's status, whatever it is, and at most `most` bytes.
///
/// # Errors
/// [`Error::Outside`] where no answer comes at all, or a longer one.
pub(crate) fn exchange(url: &str, media: &str, body: &[u8], most: usize) -> Result<(u16, Vec<u8>)> {
    check(url)?;
    let answer = agent(0, false).post(url).header("Content-Type", media).send(body);
    told(url, answer, most)
}

/// Asks for what stands at an address: the answer's status, and at most `most` bytes.
///
/// # Errors
/// As [`exchange`].
pub(crate) fn look(url: &str, most: usize) -> Result<(u16, Vec<u8>)> {
    check(url)?;
    told(url, agent(0, false).get(url).call(), most)
}

fn told(
    url: &str,
    answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    most: usize,
) -> Result<(u16, Vec<u8>)> {
    let failed = |e| failure(url, most, e);
    let mut answer = answer.map_err(failed)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(most as u64).read_to_vec();
    Ok((status, body.map_err(failed)?))
}

fn failure(url: &str, most: usize, error: ureq::Error) -> Error {
    let why = match error {
        ureq::Error::Timeout(_) => format!("no answer within {} s", MAX_TIME.as_secs()),
        ureq::Error::BodyExceedsLimit(_) => format!("more than {most} bytes came back"),
        ureq::Error::StatusCode(code) => format!("it answers with status {code}"),
        other => other.to_string(),
    };
    Error::Outside { url: url.to_owned(), why }
}

fn taken(
    url: &str,
    answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    most: usize,
) -> Result<Vec<u8>> {
    let failed = |e| failure(url, most, e);
    let mut answer = answer.map_err(failed)?;
    if answer.status() != 200 {
        let why = format!("it answers with status {}", answer.status().as_u16());
        return Err(Error::Outside { url: url.to_owned(), why });
    }
    let body = answer.body_mut().with_config().limit(most as u64).read_to_vec();
    body.map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// An address on loopback that answers once with these bytes, then holds the line.
    fn answering(bytes: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&bytes);
            std::thread::sleep(MAX_TIME + MAX_TIME);
        });
        format!("http://127.0.0.1:{port}/tsa")
    }

    #[test]
    fn what_is_no_plain_address_is_refused_before_anything_is_sent() {
        for bad in [
            "https://tsa.example/",
            "ftp://tsa.example/",
            "tsa.example",
            "http://",
            "http:///x",
            "http://user:word@tsa.example/",
            "http://tsa.example/ x",
            "http://tsa.example/\n",
        ] {
            assert!(matches!(check(bad), Err(Error::Asked(_))), "{bad}");
        }
        assert!(check("http://tsa.example:318/a?b=c@d").is_ok());
        assert!(check(&format!("http://{}", "x".repeat(MAX_URL))).is_err());
    }

    #[test]
    fn an_answer_longer_than_the_bound_is_refused() {
        for head in ["Content-Length: 101\r\n", "Connection: close\r\n"] {
            let mut bytes = format!("HTTP/1.1 200 OK\r\n{head}\r\n").into_bytes();
            bytes.extend([7; 101]);
            let error = post(&answering(bytes), "a/b", "c/d", b"x", 100).unwrap_err();
            assert!(error.to_string().contains("more than 100 bytes"), "{error}");
        }
    }

    #[test]
    fn other_answers_are_told() {
        for (line, part) in
            [("404 Not Found", "status 404"), ("302 Found", "status 302"), ("204 No", "status 204")]
        {
            let bytes = format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\n\r\n").into_bytes();
            let error = post(&answering(bytes), "a/b", "c/d", b"x", 100).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
        let error = get(&answering(b"nonsense\r\n\r\n".to_vec()), 100).unwrap_err();
        assert!(matches!(error, Error::Outside { .. }), "{error}");
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(get(&format!("http://{closed}/"), 100), Err(Error::Outside { .. })));
    }

    #[test]
    fn a_server_that_hangs_is_left() {
        let begun = std::time::Instant::now();
        let half = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf".to_vec();
        let error = get(&answering(half), 100).unwrap_err();
        assert!(error.to_string().contains("no answer within"), "{error}");
        assert!(begun.elapsed() < MAX_TIME + Duration::from_secs(5));
    }
}
