//! The server: sockets, their time and their number, around [`answer`](crate::answer()).
//!
//! Each client has one task and one message in its hands; what it does not read is not made. So a
//! client that is slow, or that asks and never reads, costs its own connection and delays nobody.

mod stream;
mod telling;
mod udp;

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::access::Access;
use crate::zone::WireName;
use crate::zones::View;

/// Told what happened, a line each: for the operator's terminal.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// What clients can take up. [`Bounds::default`] is what is meant; tests make it smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; who comes beyond waits in the system's own queue.
    pub connections: usize,
    /// Connections at once from one address; one beyond is closed.
    pub connections_peer: usize,
    /// Transfers of whole zones at once, over all clients. Small zones
    /// ([`small`](Self::small)) and steps (IXFR) go beside them.
    pub transfers: usize,
    /// The same, for one address: so one client cannot keep out the others.
    pub transfers_peer: usize,
    /// A zone with as many names at most is sent without a place among the transfers: a hot zone does
    /// not wait for cold ones.
    pub small: usize,
    /// How long a transfer waits for its place. Then SERVFAIL: the one answer that means "not now"
    /// (REFUSED and NOTAUTH mean "not you"). Who is told so gets a NOTIFY a second later, since
    /// secondaries with no copy yet come back late by themselves (BIND after a minute and more). It is
    /// shorter than the ten seconds that Unbound waits for an answer.
    pub wait: Duration,
    /// The longest that the client may take to read one message (16 KiB).
    pub write: Duration,
    /// The longest that one transfer takes.
    pub transfer: Duration,
    /// The longest between two requests on one connection, and for one request or a TLS handshake.
    pub idle: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 2_048,
            connections_peer: 64,
            transfers: 8,
            transfers_peer: 2,
            small: 1_000,
            wait: Duration::from_secs(5),
            write: Duration::from_secs(10),
            transfer: Duration::from_secs(900),
            idle: Duration::from_secs(20),
        }
    }
}

/// The writer's end: what is published here is served from the next request on.
pub struct Publisher {
    view: watch::Sender<Arc<View>>,
    access: watch::Sender<Arc<Access>>,
}

/// The server's end.
#[derive(Clone)]
pub struct Feed {
    view: watch::Receiver<Arc<View>>,
    access: watch::Receiver<Arc<Access>>,
}

/// Both ends, with what is served first.
pub fn feed(view: Arc<View>, access: Access) -> (Publisher, Feed) {
    let (view, view_feed) = watch::channel(view);
    let (access, access_feed) = watch::channel(Arc::new(access));
    (Publisher { view, access }, Feed { view: view_feed, access: access_feed })
}

impl Publisher {
    /// Serves these zones from now on. Transfers under way go on with theirs.
    pub fn zones(&self, view: Arc<View>) {
        self.view.send_replace(view);
    }

    /// Serves these clients from now on. A transfer under way to one that may no longer ask ends with
    /// the message that is being written.
    pub fn access(&self, access: Access) {
        self.access.send_replace(Arc::new(access));
    }
}

/// The sockets to serve on.
#[derive(Default)]
pub struct Sockets {
    /// Datagrams. Bind each to one address: on a wildcard the answer may leave from another.
    pub udp: Vec<UdpSocket>,
    /// TCP.
    pub tcp: Vec<TcpListener>,
    /// TLS, with its certificate.
    pub tls: Vec<(TcpListener, Arc<ServerConfig>)>,
    /// From which NOTIFY is sent: one socket for IPv4, one for IPv6, as needed. Secondaries must see
    /// the address that they know as their primary's.
    pub notify: Vec<UdpSocket>,
}

/// The TLS side: version 1.3 alone (RFC 9103, 8.1), and the ALPN name `dot` for those that send one.
/// (Unbound sends none and is served.)
///
/// # Errors
/// The certificate and the key do not fit together.
pub fn tls_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"dot".to_vec()];
    Ok(Arc::new(config))
}

/// What all tasks share.
struct Shared {
    feed: Feed,
    bounds: Bounds,
    told: Told,
    transfers: Arc<Semaphore>,
    peers: Mutex<HashMap<IpAddr, Peer>>,
    /// Servers for which there was no room, and the zone: they are told of it again.
    turned_away: mpsc::Sender<(Vec<SocketAddr>, WireName)>,
}

/// The servers turned away that are remembered until they are told again; more are left to their own
/// retry.
const MAX_TURNED_AWAY: usize = 1_024;

struct Peer {
    connections: usize,
    transfers: Arc<Semaphore>,
}

/// A connection's place among those of its address, given back when it is dropped.
struct Place {
    shared: Arc<Shared>,
    peer: IpAddr,
    transfers: Arc<Semaphore>,
}

impl Shared {
    fn place(self: &Arc<Self>, peer: IpAddr) -> Option<Place> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.bounds.transfers_peer));
        let entry = peers.entry(peer).or_insert_with(|| Peer { connections: 0, transfers: new() });
        if entry.connections == self.bounds.connections_peer {
            return None;
        }
        entry.connections += 1;
        let transfers = Arc::clone(&entry.transfers);
        Some(Place { shared: Arc::clone(self), peer, transfers })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.shared.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peers.get_mut(&self.peer) {
            peer.connections -= 1;
            if peer.connections == 0 {
                peers.remove(&self.peer);
            }
        }
    }
}

/// Unix seconds.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Serves until `stop` is done; what is under way then is cut.
///
/// # Errors
/// A socket is lost.
pub async fn serve(
    sockets: Sockets,
    feed: Feed,
    bounds: Bounds,
    told: Told,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let (turned_away, again) = mpsc::channel(MAX_TURNED_AWAY);
    let shared = Arc::new(Shared {
        turned_away,
        feed,
        bounds,
        told,
        transfers: Arc::new(Semaphore::new(bounds.transfers)),
        peers: Mutex::default(),
    });
    let room = Arc::new(Semaphore::new(bounds.connections));
    let mut tasks = JoinSet::new();
    for socket in sockets.udp {
        tasks.spawn(udp::serve(socket, Arc::clone(&shared)));
    }
    let plain = sockets.tcp.into_iter().map(|listener| (listener, None));
    let tls = sockets.tls.into_iter().map(|(listener, config)| (listener, Some(config)));
    for (listener, config) in plain.chain(tls) {
        tasks.spawn(stream::listen(listener, config, Arc::clone(&room), Arc::clone(&shared)));
    }
    if !sockets.notify.is_empty() {
        tasks.spawn(telling::tell(sockets.notify, Arc::clone(&shared), again));
    }
    tokio::select! {
        () = stop => Ok(()),
        // The tasks go on for ever: one that ends has lost its socket.
        ended = tasks.join_next() => match ended {
            Some(Ok(Err(error))) => Err(error),
            Some(Err(error)) => Err(std::io::Error::other(error)),
            Some(Ok(Ok(()))) | None => Ok(()),
        },
    }
}

/// Whether a socket itself is gone, and not only what came over it.
fn lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotConnected)
}
