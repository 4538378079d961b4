//! A server that speaks S3: moto's, which `./test` installs. For the tests of more than one crate.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// moto's server on loopback, ended when dropped.
pub(crate) struct Moto {
    child: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where `./test` leaves it, or where the variable says.
fn program() -> Option<PathBuf> {
    let given = std::env::var_os("VIGIE_MOTO").map(PathBuf::from);
    let target = || {
        let exe = std::env::current_exe().ok()?;
        Some(exe.ancestors().nth(3)?.join("tools/venv/bin/moto_server"))
    };
    given.or_else(target).filter(|path| path.exists())
}

impl Moto {
    /// Starts it with one bucket, `logs`; says so where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let Some(program) = program() else {
            let mut out = std::io::stderr();
            writeln!(out, "SKIPPED: moto is not installed; `./test rust` does that").unwrap();
            return None;
        };
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { child, port };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(120), "moto does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        let answer = moto.plain("PUT /logs HTTP/1.1", "", "");
        assert!(answer.contains(" 200 "), "{answer}");
        Some(moto)
    }

    /// One request without any client between, and the first line of its answer. Headers end with CRLF
    /// each.
    pub(crate) fn plain(&self, line: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let port = self.port;
        write!(
            stream,
            "{line}\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=practice/20260101/us-east-1/s3/aws4_request, \
             SignedHeaders=host, Signature=practice\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.lines().next().unwrap_or_default().to_owned()
    }

    /// What a client of it is set to, once `endpoint` is [`Moto::endpoint`].
    pub(crate) fn settings(endpoint: &str) -> [(&'static str, &str); 5] {
        [
            ("aws_endpoint", endpoint),
            ("aws_allow_http", "true"),
            ("aws_region", "us-east-1"),
            ("aws_access_key_id", "practice"),
            ("aws_secret_access_key", "practice"),
        ]
    }

    /// Its address.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
