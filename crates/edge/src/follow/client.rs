//! HTTP/1.1 to one mirror: the one file here that calls outside. What comes back is bounded in size and
//! time, and believed nowhere; redirects are not followed, and no proxy is asked.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{AUTHORIZATION, HOST, HeaderValue, RANGE, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The longest that a connection may take to be there, TLS included.
pub const CONNECT: Duration = Duration::from_secs(10);
/// The longest pause within an answer.
pub const PAUSE: Duration = Duration::from_secs(15);
/// How long a connection of before may take to be free.
const READY: Duration = Duration::from_secs(1);
/// The longest address.
const MAX_URL: usize = 2_000;
/// The most bytes of an answer's headers.
const MAX_HEADERS: usize = 32 << 10;

/// Why a mirror cannot be asked, ever.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// No such address.
    #[error("{0}: this is no address: write https://HOST[:PORT]/PATH, without user, `?` or `#`")]
    Address(String),
    /// In the clear, over a network.
    #[error("{0}: write https:// (http:// goes to an address of this machine's loopback alone)")]
    Clear(String),
    /// No certificates to hold its own against.
    #[error("{0}: no certificate to hold its own against: {1}")]
    Roots(String, String),
    /// A key that cannot stand in a request.
    #[error("{0}: its key cannot be sent")]
    Key(String),
}

/// Why it did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Not in time.
    #[error("no answer within {} s", .0.as_secs().max(1))]
    Slow(Duration),
    /// No connection, or one that broke.
    #[error("{0}")]
    Broke(String),
}

/// Where the feed is to be had, and what is shown there.
pub(super) struct Mirror {
    /// Its address, as it is told of.
    pub(super) url: String,
    host: String,
    port: u16,
    authority: HeaderValue,
    /// The path of the view.
    base: String,
    key: Option<HeaderValue>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// A connection that is free.
    free: Option<SendRequest<Empty<Bytes>>>,
}

/// An answer, its body still to come.
pub(super) struct Answer {
    /// Its status.
    pub(super) status: StatusCode,
    body: Incoming,
}

impl Mirror {
    /// Looks whether an address can be one of a mirror.
    ///
    /// # Errors
    /// [`MirrorError::Address`], [`MirrorError::Clear`].
    pub(super) fn check(url: &str) -> Result<(), MirrorError> {
        parts(url).map(drop)
    }

    /// One that is asked for a view; `ca` is PEM.
    ///
    /// # Errors
    /// See [`MirrorError`].
    pub(super) fn new(
        url: &str,
        view: &str,
        key: Option<&str>,
        ca: Option<&str>,
    ) -> Result<Self, MirrorError> {
        let (secure, host, port, path) = parts(url)?;
        let bad = || MirrorError::Address(url.to_owned());
        let tls = if secure {
            let name = host.trim_matches(['[', ']']).to_owned();
            Some((connector(url, ca)?, ServerName::try_from(name).map_err(|_| bad())?))
        } else {
            None
        };
        let bearer = |key: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| MirrorError::Key(url.to_owned()))?;
            value.set_sensitive(true);
            Ok(value)
        };
        Ok(Self {
            url: url.to_owned(),
            authority: HeaderValue::from_str(&format!("{host}:{port}")).map_err(|_| bad())?,
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            base: format!("{}/{view}", path.trim_end_matches('/')),
            key: key.map(bearer).transpose()?,
            tls,
            free: None,
        })
    }

    /// Asks for what stands at a path below the view, from one of its bytes on; the answer's head has to
    /// be there `within` so long. The connection before is used again where it stands.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(super) async fn get(
        &mut self,
        path: &str,
        from: u64,
        within: Duration,
    ) -> Result<Answer, CallError> {
        if let Some(mut sender) = self.free.take()
            && matches!(timeout(READY, sender.ready()).await, Ok(Ok(())))
        {
            match self.ask(sender, path, from, within).await {
                // It had been closed meanwhile, which is no fault.
                Err(CallError::Broke(_)) => {}
                other => return other,
            }
        }
        let sender =
            timeout(CONNECT, self.connect()).await.map_err(|_| CallError::Slow(CONNECT))?;
        self.ask(sender?, path, from, within).await
    }

    async fn ask(
        &mut self,
        mut sender: SendRequest<Empty<Bytes>>,
        path: &str,
        from: u64,
        within: Duration,
    ) -> Result<Answer, CallError> {
        let broke = |e: &dyn std::fmt::Display| CallError::Broke(e.to_string());
        let mut request = Request::get(format!("{}/{path}", self.base))
            .header(HOST, self.authority.clone())
            .header(USER_AGENT, "vigie");
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key.clone());
        }
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let request = request.body(Empty::new()).map_err(|e| broke(&e))?;
        let answer = timeout(within, sender.send_request(request)).await;
        let answer = answer.map_err(|_| CallError::Slow(within))?.map_err(|e| broke(&e))?;
        let (head, body) = answer.into_parts();
        self.free = Some(sender);
        Ok(Answer { status: head.status, body })
    }

    async fn connect(&self) -> Result<SendRequest<Empty<Bytes>>, CallError> {
        let broke = |e: std::io::Error| CallError::Broke(e.to_string());
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(broke)?;
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => speak(stream).await,
            Some((tls, name)) => {
                speak(tls.connect(name.clone(), stream).await.map_err(broke)?).await
            }
        }
    }
}

impl Answer {
    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            let frame = timeout(PAUSE, self.body.frame()).await;
            match frame.map_err(|_| CallError::Slow(PAUSE))? {
                None => return Ok(None),
                Some(Err(e)) => return Err(CallError::Broke(e.to_string())),
                // Trailers say nothing here.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

async fn speak<S>(stream: S) -> Result<SendRequest<Empty<Bytes>>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = Builder::new().max_buf_size(MAX_HEADERS).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|e| CallError::Broke(e.to_string()))?;
    // It ends when nobody holds the sender or a body any more.
    tokio::spawn(connection);
    Ok(sender)
}

/// Whether by TLS, the host, the port, the path.
fn parts(url: &str) -> Result<(bool, String, u16, String), MirrorError> {
    let bad = || MirrorError::Address(url.chars().take(MAX_URL).collect());
    let uri: Uri = url.parse().ok().filter(|_| url.len() <= MAX_URL).ok_or_else(bad)?;
    let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(bad)?;
    let secure = match scheme {
        "https" => true,
        "http" => false,
        _ => return Err(MirrorError::Clear(url.to_owned())),
    };
    // A `#` is dropped by the parser of addresses.
    if authority.as_str().contains('@') || uri.query().is_some() || url.contains('#') {
        return Err(bad());
    }
    let host = authority.host();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    if !secure && !address.is_ok_and(|ip| ip.is_loopback()) {
        return Err(MirrorError::Clear(url.to_owned()));
    }
    if host.is_empty() {
        return Err(bad());
    }
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    Ok((secure, host.to_owned(), port, uri.path().to_owned()))
}

fn connector(url: &str, ca: Option<&str>) -> Result<TlsConnector, MirrorError> {
    let none = |why: String| MirrorError::Roots(url.to_owned(), why);
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|e| none(e.to_string()))?;
                roots.add(certificate).map_err(|e| none(e.to_string()))?;
            }
        }
        None => {
            // Those that are none are left out; where all are, it is told below.
            let native = rustls_native_certs::load_native_certs();
            let _ = roots.add_parsable_certificates(native.certs);
        }
    }
    if roots.is_empty() {
        return Err(none("this machine trusts none, or `ca_file` holds none".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| none(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
