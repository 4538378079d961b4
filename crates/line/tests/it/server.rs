//! A server on loopback that says what it is told to.

use std::io::{ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A certificate of its own making, and its key.
pub(crate) struct Identity {
    pub(crate) pem: String,
    chain: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Identity {
    pub(crate) fn of(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        Self {
            pem: made.cert.pem(),
            chain: made.cert.der().clone(),
            key: made.signing_key.serialize_der(),
        }
    }
}

/// What it answers to a request; an error closes the connection.
type Serve = dyn Fn(&str, &mut dyn Write) -> Result<()> + Send + Sync;

pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
    callers: Arc<AtomicUsize>,
}

impl Server {
    /// By TLS: 1.2 alone where it is `old`, else 1.3.
    pub(crate) fn tls(
        of: &Identity,
        old: bool,
        serve: impl Fn(&str, &mut dyn Write) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let version = if old { &rustls::version::TLS12 } else { &rustls::version::TLS13 };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(of.key.clone()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![of.chain.clone()], key)
            .unwrap();
        Self::new(Some(Arc::new(config)), Arc::new(serve))
    }

    /// Without TLS.
    pub(crate) fn clear(
        serve: impl Fn(&str, &mut dyn Write) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::new(None, Arc::new(serve))
    }

    fn new(tls: Option<Arc<ServerConfig>>, serve: Arc<Serve>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, callers) = (Arc::<Mutex<Vec<String>>>::default(), Arc::default());
        let server = Self { port, asked: Arc::clone(&asked), callers: Arc::clone(&callers) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                callers.fetch_add(1, Ordering::SeqCst);
                let (tls, serve, asked) = (tls.clone(), Arc::clone(&serve), Arc::clone(&asked));
                thread::spawn(move || match tls {
                    None => speak(stream, &*serve, &asked),
                    Some(config) => {
                        let connection = ServerConnection::new(config).unwrap();
                        speak(StreamOwned::<_, TcpStream>::new(connection, stream), &*serve, &asked)
                    }
                });
            }
        });
        server
    }

    pub(crate) fn callers(&self) -> usize {
        self.callers.load(Ordering::SeqCst)
    }
}

fn speak(mut stream: impl Read + Write, serve: &Serve, asked: &Mutex<Vec<String>>) -> Result<()> {
    loop {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read(&mut byte)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase().replacen("get", "GET", 1);
        let head = head.replacen("post", "POST", 1).replacen("http/1.1", "HTTP/1.1", 1);
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        stream.read_exact(&mut body)?;
        asked.lock().unwrap().push(head.replace("bearer", "Bearer"));
        serve(&head, &mut stream)?;
        stream.flush()?;
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}
