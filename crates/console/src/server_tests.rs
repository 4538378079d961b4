//! A server that listens: TLS, what it refuses to be, and its bounds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, Stream};

use super::{Console, Error, Options, serve};
use crate::connections::{OF_NETWORK, PATIENCE};
use crate::tls::TlsError;

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

struct Bench {
    dir: tempfile::TempDir,
    told: Arc<Mutex<Vec<String>>>,
}

impl Bench {
    #[allow(clippy::disallowed_methods)] // material for a case
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let material = dir.path().join("domains.txt");
        std::fs::write(&material, "one.example\n").unwrap();
        let place = desk::Place {
            case: dir.path().join("case"),
            home: dir.path().join("home"),
            actor: "test".into(),
            holder: "test".into(),
            wait: desk::Wait::Wait,
        };
        let request = desk::open::Request {
            paths: vec![material],
            item: None,
            authorisation: None,
            seized_by: None,
            at: None,
            address_table: None,
            mapping: None,
            in_place: false,
        };
        let work = desk::open::Work { threads: 1, ..desk::open::Work::default() };
        desk::open::open(&place, &request, &work).unwrap();
        Self { dir, told: Arc::default() }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    /// A certificate of its own for a name, in `cert.pem` and `key.pem`.
    #[allow(clippy::disallowed_methods)] // what somebody else's tool writes
    fn certificate(&self, name: &str) -> RootCertStore {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        std::fs::write(self.path("cert.pem"), cert.pem()).unwrap();
        std::fs::write(self.path("key.pem"), signing_key.serialize_pem()).unwrap();
        mode(&self.path("key.pem"), 0o600);
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        roots
    }

    fn options(&self, address: SocketAddr, tls: bool) -> Options {
        let told = Arc::clone(&self.told);
        Options {
            address,
            hosts: vec!["vigie.example".to_owned()],
            tls: tls.then(|| (self.path("cert.pem"), self.path("key.pem"))),
            told: Arc::new(move |line| told.lock().unwrap().push(line.to_owned())),
        }
    }

    async fn bind(&self, options: Options) -> Result<Console, Error> {
        let reader = desk::read::Reader::open(&self.path("case")).unwrap();
        Console::bind(reader, &self.path("home"), options).await
    }

    fn last_told(&self) -> String {
        self.told.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

#[allow(clippy::disallowed_methods)] // what somebody else's tool does
fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// One request by TLS, whose answer is read to its end; or what was wrong.
fn get(address: SocketAddr, roots: &RootCertStore, path: &str) -> Result<String, String> {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    let name = ServerName::try_from("vigie.example").unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let host = format!("vigie.example:{}", address.port());
    let asked = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // a peer may close without saying so
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_renewed_counts_and_a_broken_one_does_not() {
    let bench = Bench::new();
    let first = bench.certificate("vigie.example");
    let console = bench.bind(bench.options(LOOPBACK, true)).await.unwrap();
    assert!(console.url().starts_with("https://vigie.example:"));
    let address = console.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(console, async move { drop(stopped.await) }));
    let ask = |roots: RootCertStore| {
        tokio::task::spawn_blocking(move || get(address, &roots, "/sign-in"))
    };
    let answer = ask(first.clone()).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
    // In the clear it says nothing.
    let mut plain = TcpStream::connect(address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: vigie.example\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&said));

    let second = bench.certificate("vigie.example");
    assert!(ask(second.clone()).await.unwrap().unwrap().starts_with("HTTP/1.1 200"));
    assert!(ask(first).await.unwrap().is_err(), "the former certificate");
    assert!(bench.last_told().contains("read anew"), "{}", bench.last_told());
    // A key that others can read, and half a renewal, change nothing.
    mode(&bench.path("key.pem"), 0o644);
    #[allow(clippy::disallowed_methods)] // what somebody else's tool writes
    std::fs::write(bench.path("cert.pem"), "-----BEGIN").unwrap();
    assert!(ask(second).await.unwrap().unwrap().starts_with("HTTP/1.1 200"));
    assert!(bench.last_told().contains("the former certificate goes on"), "{}", bench.last_told());
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn beyond_loopback_only_by_tls_and_where_somebody_can_sign_in() {
    let bench = Bench::new();
    bench.certificate("vigie.example");
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = |result: Result<Console, Error>| match result {
        Ok(console) => panic!("it listens on {}", console.address()),
        Err(error) => {
            assert!(error.is_misuse(), "{error}");
            error.to_string()
        }
    };
    let why = refused(bench.bind(bench.options(anywhere, false)).await);
    assert!(why.contains("loopback") && why.contains("--tls-cert"), "{why}");
    let why = refused(bench.bind(bench.options(anywhere, true)).await);
    assert!(why.contains("`vigie party invite PERSON`"), "{why}");
    for host in ["", "a b", "vigie.example:443", "https://vigie.example", "a/b"] {
        let mut options = bench.options(LOOPBACK, true);
        options.hosts = vec![host.to_owned()];
        refused(bench.bind(options).await);
    }
    let mut options = bench.options(LOOPBACK, true);
    options.hosts.clear();
    refused(bench.bind(options).await);
}

/// With a certificate and somebody who can sign in it listens; the link on the terminal is no way in then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_loopback_people_sign_in_and_no_link_is_given() {
    use desk::parties::{Act, PartyRole, Sector, act};
    let bench = Bench::new();
    let (roots, home) = (bench.certificate("vigie.example"), bench.path("home"));
    let (organisation, name) = ("agency".to_owned(), "The agency".to_owned());
    let person = "ana".to_owned();
    for what in [
        Act::Organisation { organisation: organisation.clone(), name, sector: Sector::Authority },
        Act::Person { person: person.clone(), name: person.clone(), organisation },
        Act::Give { person, role: PartyRole::Operator, from: None, until: None },
    ] {
        act(&home, "ana", "test", &what).unwrap();
    }
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    assert!(bench.bind(bench.options(anywhere, true)).await.is_err(), "a role alone is no way in");
    let link = desk::account::invite(&home, "ana", "ana").unwrap();
    let access = desk::access::Access::open(&home).unwrap();
    let accounts = desk::account::Accounts::open(&home).unwrap();
    accounts.accept(&access, &link, "four plain words chosen", "test").unwrap().unwrap();
    let console = bench.bind(bench.options(anywhere, true)).await.unwrap();
    assert_eq!(console.sign_in_link().unwrap(), None);
    let address = SocketAddr::from(([127, 0, 0, 1], console.address().port()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(console, async move { drop(stopped.await) }));
    let ask = move || get(address, &roots, "/sign-in");
    let answer = tokio::task::spawn_blocking(ask).await.unwrap().unwrap();
    assert!(answer.contains("name=\"password\"") && !answer.contains("vigie serve"), "{answer}");
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn files_that_are_no_certificate_are_told() {
    let bench = Bench::new();
    let error = |result: Result<Console, Error>| match result {
        Err(Error::Tls(error)) => error,
        other => panic!("{:?}", other.map(|console| console.address())),
    };
    assert!(matches!(error(bench.bind(bench.options(LOOPBACK, true)).await), TlsError::Read(..)));
    bench.certificate("vigie.example");
    mode(&bench.path("key.pem"), 0o640);
    let exposed = error(bench.bind(bench.options(LOOPBACK, true)).await);
    assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
    mode(&bench.path("key.pem"), 0o600);
    let (own, other) = (bench.path("key.pem"), Bench::new());
    other.certificate("vigie.example");
    let mut options = bench.options(LOOPBACK, true);
    options.tls = Some((other.path("cert.pem"), own.clone()));
    assert!(matches!(error(bench.bind(options).await), TlsError::Pair { .. }));
    let mut options = bench.options(LOOPBACK, true);
    options.tls = Some((own.clone(), own));
    assert!(matches!(error(bench.bind(options).await), TlsError::Pem { .. }));
}

/// Whoever begins a request and never ends it, or sends headers without end, holds a connection no
/// longer than the patience there is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_drags_on_is_let_go() {
    let bench = Bench::new();
    let console = bench.bind(bench.options(LOOPBACK, false)).await.unwrap();
    let address = console.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let served = tokio::spawn(serve(console, async move { drop(stopped.await) }));
    let slow = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(5))).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
        let ended = stream.read_to_end(&mut Vec::new());
        assert!(ended.is_ok(), "{ended:?}");
        begun.elapsed()
    });
    let endless = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let mut sent = 0usize;
        let _ = stream.write_all(b"GET / HTTP/1.1\r\n");
        while sent < 8 << 20 {
            match stream.write(&[b'a'; 4096]) {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said);
        (sent, said)
    });
    let (sent, said) = endless.await.unwrap();
    assert!(sent < 8 << 20 || said.starts_with("HTTP/1.1 431"), "{sent} bytes, {said}");
    let took = slow.await.unwrap();
    assert!(took < PATIENCE + Duration::from_secs(4), "{took:?}");
    const { assert!(OF_NETWORK < crate::connections::CONNECTIONS) };
    stop.send(()).unwrap();
    served.await.unwrap().unwrap();
}
