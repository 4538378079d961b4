//! What the tests stand on: our server, an upstream that answers for innocents, and processes of
//! others, each on a loopback address of its own, so that all have their usual port.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use shield_dns::{
    Access, Algorithm, Bounds, Client, Fqdn, Key, Layout, Place, Publisher, Sockets, Timers, Zones,
    feed, serve, tls_config,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub(crate) const PORT: u16 = 5300;
pub(crate) const TLS_PORT: u16 = 5853;
pub(crate) const SUFFIX: &str = "rpz.test";
/// What the upstream says of every name.
pub(crate) const INNOCENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 80);

/// An address that nothing else in this process, nor likely in another, listens on.
pub(crate) fn address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    let [.., b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | (b & 63), c, NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn unix() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn key() -> Key {
    Key::new("isp.key", Algorithm::Sha256, b"0123456789abcdef0123456789abcdef").unwrap()
}
/// The secret of [`key`] as configurations write it.
pub(crate) const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

pub(crate) fn names(texts: &[&str]) -> Vec<Fqdn> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// Our server at work.
pub(crate) struct Bed {
    pub(crate) ip: Ipv4Addr,
    pub(crate) zones: Zones,
    pub(crate) publisher: Publisher,
    pub(crate) lines: Arc<Mutex<Vec<String>>>,
    pub(crate) dir: tempfile::TempDir,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Bed {
    pub(crate) fn new(clients: Vec<Client>, bounds: Bounds) -> Self {
        Self::with(clients, bounds, Timers { refresh: 60, retry: 1, ..Timers::default() })
    }

    pub(crate) fn with(clients: Vec<Client>, bounds: Bounds, timers: Timers) -> Self {
        let ip = address();
        let layout = Layout {
            suffix: SUFFIX.to_owned(),
            contact: "noc.vigie.test".to_owned(),
            timers,
            catalog: true,
        };
        let zones = Zones::new(&layout, unix() - 1000).unwrap();
        let (publisher, feed) = feed(zones.view(), Access::new(clients).unwrap());
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let tls = certificate(dir.path(), ip);
        let sockets = runtime.block_on(async {
            let tcp = async |port| tokio::net::TcpListener::bind((ip, port)).await.unwrap();
            let udp = async |port| tokio::net::UdpSocket::bind((ip, port)).await.unwrap();
            Sockets {
                // Unbound asks for the serial over UDP at the port of the transfers, TLS's too.
                udp: vec![udp(PORT).await, udp(TLS_PORT).await],
                tcp: vec![tcp(PORT).await],
                tls: vec![(tcp(TLS_PORT).await, tls)],
                notify: vec![udp(0).await],
            }
        });
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&lines);
        let told = Arc::new(move |line: &str| told.lock().unwrap().push(line.to_owned()));
        runtime.spawn(serve(sockets, feed, bounds, told, std::future::pending()));
        Self { ip, zones, publisher, lines, dir, runtime: Some(runtime) }
    }

    pub(crate) fn change(&mut self, place: Place, add: &[&str], remove: &[&str]) {
        self.zones.change(place, &names(add), &names(remove), unix()).unwrap();
        self.publisher.zones(self.zones.view());
    }

    /// As if the machine were gone.
    pub(crate) fn cut(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
    }

    pub(crate) fn told(&self, what: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(what)).count()
    }

    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the feed said:\n{}", self.log());
        }
    }
}

/// A certificate for an address and the name `feed.test`; `cert.pem` and `key.pem` in a folder.
fn certificate(dir: &Path, ip: Ipv4Addr) -> Arc<tokio_rustls::rustls::ServerConfig> {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=feed.test", "-addext"])
        .arg(format!("subjectAltName=DNS:feed.test,IP:{ip}"))
        .arg("-out")
        .arg(&cert)
        .arg("-keyout")
        .arg(&key)
        .output()
        .expect("openssl (apt install openssl)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
    tls_config(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap()
}

/// A client that may all, from loopback, with a key or without; told of changes at `at`.
pub(crate) fn isp(at: SocketAddr, key: Option<Key>) -> Client {
    Client {
        name: "isp".to_owned(),
        keys: key.into_iter().collect(),
        // Not `at` alone: Unbound's transfers over TCP leave from whatever address the system picks.
        addresses: vec!["127.0.0.0/8".parse().unwrap()],
        notify: vec![at],
        ..Client::default()
    }
}

/// Where a resolver of the test's may listen.
pub(crate) fn place() -> SocketAddr {
    (address(), PORT).into()
}

/// The same for BIND, which listens on addresses of interfaces alone: a port that is free.
pub(crate) fn place_on_interface() -> SocketAddr {
    let free = |_| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = socket.local_addr().unwrap();
        std::net::TcpListener::bind(at).is_ok().then_some(at)
    };
    (0..50).find_map(free).expect("a port free for both")
}

/// Answers every A question with [`INNOCENT`], every other with nothing, authoritatively.
pub(crate) struct Upstream(pub(crate) SocketAddr);

impl Upstream {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind((address(), PORT)).unwrap();
        let at = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let _ = socket.send_to(&Self::answer(&buffer[..length]), from);
            }
        });
        Self(at)
    }

    fn answer(request: &[u8]) -> Vec<u8> {
        use domain::base::iana::{Rcode, Rtype};
        use domain::base::{Message, MessageBuilder, Ttl};
        let request = Message::from_octets(request).unwrap();
        let mut answer = MessageBuilder::new_vec().start_answer(&request, Rcode::NOERROR).unwrap();
        answer.header_mut().set_aa(true);
        answer.header_mut().set_ra(true);
        let question = request.sole_question().unwrap();
        if question.qtype() == Rtype::A {
            let data = domain::rdata::A::new(INNOCENT);
            answer.push((question.qname(), Ttl::from_secs(1), data)).unwrap();
        }
        answer.finish()
    }
}

/// A program that ends with the test.
pub(crate) struct Daemon {
    child: Child,
    log: std::path::PathBuf,
}

impl Daemon {
    /// Starts a program in a folder; `package` is what Debian calls it.
    #[allow(clippy::disallowed_methods)] // a log for reading when a test fails
    pub(crate) fn new(dir: &Path, program: &str, package: &str, args: &[&str]) -> Self {
        let log = dir.join("log");
        let file = std::fs::File::create(&log).unwrap();
        // Debian keeps servers where only root's path leads.
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new(which(program, &path).unwrap_or_else(|| {
            panic!("{program} is missing, and this test needs it: apt install {package}")
        }))
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
        Self { child, log }
    }

    /// What it holds of the machine's memory, in megabytes.
    pub(crate) fn megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024 / 1_000_000
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

fn which(program: &str, path: &str) -> Option<std::path::PathBuf> {
    path.split(':').map(|dir| Path::new(dir).join(program)).find(|full| full.is_file())
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail = log.lines().rev().take(40).collect::<Vec<_>>();
            eprintln!("{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file of a test's own.
#[allow(clippy::disallowed_methods)] // it goes away with the test
pub(crate) fn write(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits until something holds, and tells how long that took.
pub(crate) fn until(what: &str, most: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < most, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    begun.elapsed()
}
