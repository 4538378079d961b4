//! HTTP/1.1 to one address: the one file that calls mirrors and clearing houses by it.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RANGE, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::address::{Address, AddressError};
use crate::trust::{Trust, TrustError};

/// The longest that a connection may take to be there, look-up of the name and TLS included.
pub const CONNECT: Duration = Duration::from_secs(10);
/// The longest pause within an answer's body.
pub const PAUSE: Duration = Duration::from_secs(15);
/// The most bytes of an answer's head.
pub const MAX_HEADERS: usize = 32 << 10;
/// How long a connection of before may take to be free.
const READY: Duration = Duration::from_secs(1);

/// Why no line leads there, ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No such address, or one in the clear.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No certificates to hold its own against.
    #[error("{0}: {1}")]
    Trust(String, TrustError),
    /// A key that cannot stand in a request.
    #[error("{0}: its key cannot be sent")]
    Key(String),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not in time.
    #[error("no answer within {} s", .0.as_secs().max(1))]
    Slow(Duration),
    /// No connection, or one that broke.
    #[error("{0}")]
    Broke(String),
}

fn broke(why: &dyn std::fmt::Display) -> CallError {
    CallError::Broke(why.to_string())
}

/// A line to one address.
pub struct Line {
    address: Address,
    host: HeaderValue,
    key: Option<HeaderValue>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// A connection that is free.
    free: Option<SendRequest<Full<Bytes>>>,
}

/// An answer, its body still to come.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    body: Incoming,
}

impl Line {
    /// A line to an address. `ca` is PEM: the roots that count there, in the place of this machine's.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn new(url: &str, ca: Option<&str>) -> Result<Self, OpenError> {
        let address = Address::read(url)?;
        let bad = || AddressError::Unread(url.to_owned());
        let tls = if address.is_secure() {
            let trust = ca.map_or_else(Trust::machine, Trust::of);
            let trust = trust.map_err(|e| OpenError::Trust(url.to_owned(), e))?;
            let name = ServerName::try_from(address.host().to_owned()).map_err(|_| bad())?;
            Some((TlsConnector::from(trust.0), name))
        } else {
            None
        };
        let host = HeaderValue::from_str(&address.authority()).map_err(|_| bad())?;
        Ok(Self { address, host, key: None, tls, free: None })
    }

    /// The same, which shows a service's key (RFC 6750) with all that it asks.
    ///
    /// # Errors
    /// [`OpenError::Key`].
    pub fn with_key(mut self, key: &str) -> Result<Self, OpenError> {
        let none = |_| OpenError::Key(self.address.url().to_owned());
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(none)?;
        // Whoever prints a request prints no key.
        value.set_sensitive(true);
        self.key = Some(value);
        Ok(self)
    }

    /// Where it leads.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Asks for what stands at a path below the address, from one of its bytes on (`Range`, RFC 9110 §14.2);
    /// the answer's head has to be there `within` so long.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn get(
        &mut self,
        path: &str,
        from: u64,
        within: Duration,
    ) -> Result<Answer, CallError> {
        let mut request = self.request("GET", path);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        self.call(request.body(Full::default()).map_err(|e| broke(&e))?, within).await
    }

    /// Sends JSON to a path below the address; the answer's head has to be there `within` so long.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn post(
        &mut self,
        path: &str,
        json: Bytes,
        within: Duration,
    ) -> Result<Answer, CallError> {
        let request = self.request("POST", path).header(CONTENT_TYPE, "application/json");
        self.call(request.body(Full::new(json)).map_err(|e| broke(&e))?, within).await
    }

    fn request(&self, method: &str, path: &str) -> hyper::http::request::Builder {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.address.path()))
            .header(HOST, self.host.clone())
            .header(USER_AGENT, "vigie");
        match &self.key {
            Some(key) => request.header(AUTHORIZATION, key.clone()),
            None => request,
        }
    }

    /// The connection of before is used again where it stands.
    async fn call(
        &mut self,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Answer, CallError> {
        if let Some(mut sender) = self.free.take()
            && matches!(timeout(READY, sender.ready()).await, Ok(Ok(())))
        {
            match self.ask(sender, request.clone(), within).await {
                // It had been closed meanwhile, which is no fault.
                Err(CallError::Broke(_)) => {}
                other => return other,
            }
        }
        let sender =
            timeout(CONNECT, self.connect()).await.map_err(|_| CallError::Slow(CONNECT))?;
        self.ask(sender?, request, within).await
    }

    async fn ask(
        &mut self,
        mut sender: SendRequest<Full<Bytes>>,
        request: Request<Full<Bytes>>,
        within: Duration,
    ) -> Result<Answer, CallError> {
        let answer = timeout(within, sender.send_request(request)).await;
        let answer = answer.map_err(|_| CallError::Slow(within))?.map_err(|e| broke(&e))?;
        let (head, body) = answer.into_parts();
        self.free = Some(sender);
        Ok(Answer { status: head.status, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, CallError> {
        let (host, port) = (self.address.host(), self.address.port());
        let stream = TcpStream::connect((host, port)).await.map_err(|e| broke(&e))?;
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => speak(stream).await,
            Some((tls, name)) => {
                speak(tls.connect(name.clone(), stream).await.map_err(|e| broke(&e))?).await
            }
        }
    }
}

impl Answer {
    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    /// See [`CallError`]; a pause longer than [`PAUSE`].
    pub async fn piece(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            let frame = timeout(PAUSE, self.body.frame()).await;
            match frame.map_err(|_| CallError::Slow(PAUSE))? {
                None => return Ok(None),
                Some(Err(e)) => return Err(broke(&e)),
                // Trailers say nothing here.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// The whole body, there `within` so long in all: who lets it trickle would be heard out for days. One
    /// longer than `most` is cut one byte behind that, so that whoever reads it sees that it is too long.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn whole(mut self, most: usize, within: Duration) -> Result<Vec<u8>, CallError> {
        let read = async {
            let mut whole = Vec::new();
            while let Some(piece) = self.piece().await? {
                let room = (most + 1).saturating_sub(whole.len());
                whole.extend_from_slice(piece.get(..room).unwrap_or(&piece));
                if whole.len() > most {
                    break;
                }
            }
            Ok(whole)
        };
        timeout(within, read).await.map_err(|_| CallError::Slow(within))?
    }
}

async fn speak<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, CallError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = Builder::new().max_buf_size(MAX_HEADERS).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|e| broke(&e))?;
    // It ends when nobody holds the sender or a body any more.
    tokio::spawn(connection);
    Ok(sender)
}
