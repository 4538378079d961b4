//! A console, asked as a browser asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Stdio};

use crate::bench::Bench;

/// A console that serves until it is dropped, and the cookie of who signed in.
pub(crate) struct Console {
    child: Child,
    /// Kept: a console that nobody hears any more ends.
    _says: BufReader<ChildStdout>,
    host: String,
    cookie: String,
}

impl Console {
    /// `vigie serve` with these words, signed in.
    pub(crate) fn start(bench: &Bench, words: &[&str]) -> Self {
        Self::of(bench, words, "The console of ")
    }

    /// The same of a clearing house.
    pub(crate) fn of_house(bench: &Bench, words: &[&str]) -> Self {
        Self::of(bench, words, "Its pages are at ")
    }

    /// Signed in by the link on the line that begins so.
    fn of(bench: &Bench, words: &[&str], begins: &str) -> Self {
        let mut child = (bench.command(&[&["serve", "--listen", "127.0.0.1:0"], words].concat()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with(begins) {
            line.clear();
            assert!(says.read_line(&mut line).unwrap() > 0, "it ended without {begins:?}");
        }
        let link = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap();
        let (host, path) = link.split_once('/').unwrap();
        let mut console = Self { child, _says: says, host: host.to_owned(), cookie: String::new() };
        let (_, answer) = console.get(&format!("/{path}"));
        let cookie = answer.lines().find(|line| line.to_lowercase().starts_with("set-cookie:"));
        let cookie = cookie.unwrap().split_once(':').unwrap().1.split(';').next().unwrap();
        console.cookie = cookie.trim().to_owned();
        console
    }

    /// The answer's status, and all of it.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let (host, cookie) = (&self.host, &self.cookie);
        let asked = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }
}

impl Console {
    /// Posts a form as a page of its own would, with no cookie: the answer's status, and all of it.
    pub(crate) fn post(&self, path: &str, form: &str) -> (u16, String) {
        let (host, n) = (&self.host, form.len());
        let asked = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {n}\r\n\r\n{form}"
        );
        let mut stream = TcpStream::connect(host).unwrap();
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
