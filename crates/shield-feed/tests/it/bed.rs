//! A store that is served, and a client of the tests' own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use model::Sha256Hex;
use shield_feed::{Barred, Bounds, Grace, Opens, Store, Tls, ViewName, router, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn view(name: &str) -> ViewName {
    name.parse().unwrap()
}

/// A store at work. `all` is for anybody; `isp-1` for who has the key `one`, `all` and `isp-2` for who has `two`.
pub(crate) struct Bed {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<Store>,
    pub(crate) dir: tempfile::TempDir,
    /// Set once the key `one` is struck off.
    pub(crate) struck_off: Arc<AtomicBool>,
    /// How often it was asked what somebody may read.
    asked: Arc<AtomicU64>,
}

impl Bed {
    pub(crate) async fn new(bounds: Bounds, tls: Option<Tls>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let grace = Grace(Duration::from_secs(60));
        let feed = dir.path().join("feed");
        let store = Arc::new(Store::open(&feed, grace, Instant::now()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let struck_off = Arc::new(AtomicBool::new(false));
        let struck = Arc::clone(&struck_off);
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let opens = move |key: Option<&str>| match key {
            None => Ok(Opens { everybody: Some(view("all")), own: None }),
            Some("one") if !struck.load(Ordering::Relaxed) => {
                Ok(Opens { everybody: None, own: Some(view("isp-1")) })
            }
            Some("busy") => Err(Barred::Later(7)),
            Some("two") => Ok(Opens { everybody: Some(view("all")), own: Some(view("isp-2")) }),
            Some(_) => Err(Barred::Nobody),
        };
        let who = Arc::new(move |key: Option<&str>, _: &str| {
            count.fetch_add(1, Ordering::Relaxed);
            opens(key)
        });
        let log = Some(dir.path().join("log"));
        let routes = router(Arc::clone(&store), log, who, bounds);
        tokio::spawn(serve(listener, tls, routes, bounds, std::future::pending()));
        Self { address, store, dir, struck_off, asked }
    }

    /// How often it was asked what somebody may read.
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// A connection on which nothing was said yet.
    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Writes a file and a manifest that names it.
    pub(crate) fn publish(&self, name: &str, serial: u64, content: &str) -> Sha256Hex {
        let now = Instant::now();
        let written = self.store.file(&view(name), now, |out| out.write_all(content.as_bytes()));
        let hash = written.unwrap().hash;
        let manifest = format!("serial {serial}\n{hash}\n\n— note\n");
        self.store.announce(&view(name), (3, serial), &manifest, &[hash], now).unwrap();
        hash
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines.filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, v)| v)
    }
}

pub(crate) async fn ask(address: SocketAddr, path: &str, headers: &[&str]) -> Answer {
    ask_over(TcpStream::connect(address).await.unwrap(), path, headers).await
}

pub(crate) async fn ask_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    path: &str,
    headers: &[&str],
) -> Answer {
    send(&mut stream, path, headers).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

pub(crate) async fn send(stream: &mut (impl AsyncWrite + Unpin), path: &str, headers: &[&str]) {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: feed\r\nConnection: close\r\n");
    for header in headers {
        request += &format!("{header}\r\n");
    }
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
}

/// Reads until a text is there.
pub(crate) async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut read = String::new();
    while !read.contains(text) {
        let mut buffer = [0; 1024];
        let got = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        let got = got.unwrap_or_else(|_| panic!("not within 5 s: {text:?} in {read:?}")).unwrap();
        assert!(got > 0, "the end, and not {text:?} in {read:?}");
        read += std::str::from_utf8(&buffer[..got]).unwrap();
    }
    read
}
