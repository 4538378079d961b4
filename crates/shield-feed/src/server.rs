//! Connections within bounds, with TLS or without.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// What clients can take up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; who comes beyond waits in the system's own queue.
    pub connections: usize,
    /// Connections at once from one network (an IPv4 address, an IPv6 /64); one beyond is closed.
    pub connections_peer: usize,
    /// Clients that wait for the next manifest, by long poll or by events; one beyond is told to come back.
    pub waiters: usize,
    /// The longest that a long poll waits: shorter than what proxies bear, most of them 60 s.
    pub wait: Duration,
    /// The longest that one stream of events lives.
    pub events: Duration,
    /// The longest until a request's headers, or a TLS handshake, are there.
    pub headers: Duration,
    /// The longest that one connection lives, whatever it does.
    pub life: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 2_048,
            connections_peer: 64,
            waiters: 1_536,
            wait: Duration::from_secs(25),
            events: Duration::from_secs(3_600),
            headers: Duration::from_secs(10),
            life: Duration::from_secs(3_900),
        }
    }
}

/// The most bytes of a request's headers.
const MAX_HEADERS: usize = 16 << 10;

/// A certificate and its key, as the socket uses them.
pub type Tls = Arc<ServerConfig>;

/// The TLS side: version 1.3 alone, HTTP/1.1.
///
/// # Errors
/// The certificate and the key do not fit together.
pub fn tls_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Tls, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Who is at the other end of the connection that a request came by: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What connections are counted by: an IPv4 address, the /64 of an IPv6 address, which one customer has whole.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V6(of) => IpAddr::V6(Ipv6Addr::from(u128::from(of) >> 64 << 64)),
        of => of,
    }
}

/// How many connections each network has.
type Peers = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One of a network's connections; given back when it is dropped.
struct Place {
    peers: Peers,
    peer: IpAddr,
}

impl Place {
    fn take(peers: &Peers, peer: IpAddr, most: usize) -> Option<Self> {
        let mut counts = peers.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(peer).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self { peers: Arc::clone(peers), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

/// Serves until `stop` is done; answers under way are then finished, for a second at most.
///
/// # Errors
/// The socket is lost.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let room = Arc::new(Semaphore::new(bounds.connections));
    let peers = Peers::default();
    let acceptor = tls.map(TlsAcceptor::from);
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => permit.map_err(std::io::Error::other)?,
        };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
                Err(e) if lost(&e) => return Err(e),
                // One caller went away, or no file is free for a moment: the others are served.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let Some(place) = Place::take(&peers, network(peer), bounds.connections_peer) else {
            continue;
        };
        let (router, acceptor) = (router.clone(), acceptor.clone());
        tokio::spawn(async move {
            match acceptor {
                None => connection(stream, router, peer, bounds).await,
                Some(acceptor) => {
                    let shaken = tokio::time::timeout(bounds.headers, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = shaken.await {
                        connection(stream, router, peer, bounds).await;
                    }
                }
            }
            drop((permit, place));
        });
    }
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(Duration::from_secs(1), room.acquire_many(all)).await;
    Ok(())
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    router: Router,
    peer: IpAddr,
    bounds: Bounds,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.headers)
        .max_buf_size(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    // What a caller breaks, or drags on beyond its life, is his.
    let _ = tokio::time::timeout(bounds.life, serving).await;
}

/// Whether the listening socket itself is gone.
fn lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotConnected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_network_has_one_share_of_it() {
        let (peers, most) = (Peers::default(), 3);
        let of = |text: &str| Place::take(&peers, network(text.parse().unwrap()), most);
        let held: Vec<_> = (0..5).filter_map(|n| of(&format!("2001:db8:1:2::{n:x}"))).collect();
        assert_eq!(held.len(), most);
        assert!(of("2001:db8:1:3::1").is_some() && of("192.0.2.1").is_some());
        drop(held);
        assert!(of("2001:db8:1:2::9").is_some());
        assert!(peers.lock().unwrap().is_empty());
    }
}
