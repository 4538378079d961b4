//! HTTP/1.1 to the clearing house: the one file here that calls outside besides the questions themselves.
//! What comes back is bounded in size and time; redirects are not followed, and no proxy is asked.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use shield::measure::wire::{MAX_REPORT, Questions, Report};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The longest that a report may take, connecting included.
pub const MAX_TIME: Duration = Duration::from_secs(5);
/// The most bytes of an answer's headers.
const MAX_HEADERS: usize = 16 << 10;

/// Why the clearing house cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No such address.
    #[error(
        "{0}: write https://HOST[:PORT], without path, user or `?` (http:// goes to this machine's loopback alone)"
    )]
    Address(String),
    /// No certificates to hold its own against.
    #[error("{0}: no certificate to hold its own against: {1}")]
    Roots(String, String),
    /// A key that cannot stand in a request.
    #[error("the key's file holds no key: one line, as `vigie party key` printed it")]
    Key,
}

/// Why a report did not go through.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not in time.
    #[error("no answer within {} s", MAX_TIME.as_secs())]
    Slow,
    /// No connection, or one that broke.
    #[error("{0}")]
    Broke(String),
    /// It was refused, and why.
    #[error("status {0}: {1}")]
    Refused(u16, String),
}

/// The way to the clearing house.
pub struct Line {
    host: String,
    port: u16,
    authority: HeaderValue,
    key: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    free: Option<SendRequest<Full<Bytes>>>,
}

impl Line {
    /// To an address, with a key's secret; `ca` is PEM.
    ///
    /// # Errors
    /// See [`LineError`].
    pub fn new(url: &str, key: &str, ca: Option<&str>) -> Result<Self, LineError> {
        let bad = || LineError::Address(url.chars().take(200).collect());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(bad)?;
        let secure = scheme == "https";
        let host = authority.host();
        let bare = host.trim_matches(['[', ']']).to_owned();
        let loopback = bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let odd = authority.as_str().contains('@') || uri.query().is_some() || url.contains('#');
        if odd || !matches!(uri.path(), "" | "/") || !(secure || scheme == "http" && loopback) {
            return Err(bad());
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = match secure {
            true => {
                Some((connector(url, ca)?, ServerName::try_from(bare.clone()).map_err(|_| bad())?))
            }
            false => None,
        };
        let mut value =
            HeaderValue::from_str(&format!("Bearer {}", key.trim())).map_err(|_| LineError::Key)?;
        if key.trim().is_empty() {
            return Err(LineError::Key);
        }
        value.set_sensitive(true);
        let authority = HeaderValue::from_str(&format!("{host}:{port}")).map_err(|_| bad())?;
        Ok(Self { host: bare, port, authority, key: value, tls, free: None })
    }

    /// Sends a report, and gives the next questions.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&mut self, report: &Report) -> Result<Questions, SendError> {
        timeout(MAX_TIME, self.sent(report)).await.map_err(|_| SendError::Slow)?
    }

    async fn sent(&mut self, report: &Report) -> Result<Questions, SendError> {
        let body = serde_json::to_vec(report).map_err(|e| SendError::Broke(e.to_string()))?;
        let body = Bytes::from(body);
        if let Some(mut sender) = self.free.take()
            && sender.ready().await.is_ok()
        {
            match self.post(sender, body.clone()).await {
                // It had been closed meanwhile, which is no fault.
                Err(SendError::Broke(_)) => {}
                other => return other,
            }
        }
        let sender = self.connect().await?;
        self.post(sender, body).await
    }

    async fn post(
        &mut self,
        mut sender: SendRequest<Full<Bytes>>,
        body: Bytes,
    ) -> Result<Questions, SendError> {
        let broke = |e: &dyn std::fmt::Display| SendError::Broke(e.to_string());
        let request = Request::post("/measure")
            .header(HOST, self.authority.clone())
            .header(AUTHORIZATION, self.key.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|e| broke(&e))?;
        let answer = sender.send_request(request).await.map_err(|e| broke(&e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_REPORT).collect().await;
        let bytes = body.map_err(|e| broke(&e))?.to_bytes();
        self.free = Some(sender);
        if status != StatusCode::OK {
            let why = String::from_utf8_lossy(&bytes);
            let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(SendError::Refused(status.as_u16(), why));
        }
        Questions::read(&bytes).map_err(|e| broke(&e))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, SendError> {
        let broke = |e: std::io::Error| SendError::Broke(e.to_string());
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

async fn speak<S>(stream: S) -> Result<SendRequest<Full<Bytes>>, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let made = Builder::new().max_buf_size(MAX_HEADERS).handshake(TokioIo::new(stream)).await;
    let (sender, connection) = made.map_err(|e| SendError::Broke(e.to_string()))?;
    // It ends when nobody holds the sender any more.
    tokio::spawn(connection);
    Ok(sender)
}

fn connector(url: &str, ca: Option<&str>) -> Result<TlsConnector, LineError> {
    let none = |why: String| LineError::Roots(url.to_owned(), why);
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|e| none(e.to_string()))?;
                roots.add(certificate).map_err(|e| none(e.to_string()))?;
            }
        }
        None => {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        let to = |url: &str| Line::new(url, "vsk_1", None).map(drop);
        assert!(to("http://127.0.0.1:8486").is_ok());
        for url in [
            "http://192.0.2.1:1",
            "ftp://127.0.0.1",
            "http://a@127.0.0.1",
            "http://127.0.0.1/x",
            "x",
        ] {
            assert!(matches!(to(url), Err(LineError::Address(_))), "{url}");
        }
        assert!(matches!(Line::new("http://127.0.0.1", "a\nb", None), Err(LineError::Key)));
        assert!(matches!(Line::new("http://127.0.0.1", " ", None), Err(LineError::Key)));
    }
}
