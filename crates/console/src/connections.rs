//! Connections within bounds: how many, how many from one network, how long until a request is there.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::Request;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::gate::Peer;

/// Connections at once; who comes beyond waits in the system's own queue.
pub(crate) const CONNECTIONS: usize = 512;
/// Of these, from one network beyond this machine.
pub(crate) const OF_NETWORK: usize = 64;
/// The longest until a request's headers are there, and until TLS is agreed on.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// The most bytes of a request's headers.
pub(crate) const HEADERS: usize = 32 << 10;

/// The longest until a request's body is there, all of it: who lets one trickle holds a place for no longer.
pub(crate) const BODY: Duration = Duration::from_secs(60);

/// The router, with the address at the other end told to it.
struct FromPeer {
    router: TowerToHyperService<Router>,
    peer: Peer,
    /// See [`BODY`].
    within: Duration,
}

type Routed = TowerToHyperService<Router>;

impl Service<Request<Incoming>> for FromPeer {
    type Response = <Routed as Service<Request<Body>>>::Response;
    type Error = <Routed as Service<Request<Body>>>::Error;
    type Future = <Routed as Service<Request<Body>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.router.call(request.map(|body| Body::new(InTime::new(body, self.within))))
    }
}

/// A body that breaks off where it is not there in time.
struct InTime<B> {
    body: B,
    until: Pin<Box<Sleep>>,
}

impl<B> InTime<B> {
    fn new(body: B, within: Duration) -> Self {
        Self { body, until: Box::pin(tokio::time::sleep(within)) }
    }
}

impl<B> hyper::body::Body for InTime<B>
where
    B: hyper::body::Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(std::io::Error::other)));
        }
        let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
        self.until.as_mut().poll(context).map(|()| Some(Err(late())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How many connections there are from each network.
type Networks = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One connection of a network, for as long as this lives.
struct OfNetwork {
    networks: Networks,
    network: IpAddr,
}

impl OfNetwork {
    /// `None` where there are as many as there may be.
    fn take(networks: &Networks, source: IpAddr) -> Option<Self> {
        let network = desk::access::network(source);
        let mut table = networks.lock().unwrap_or_else(PoisonError::into_inner);
        let there = table.entry(network).or_default();
        if *there >= OF_NETWORK && !network.is_loopback() {
            return None;
        }
        *there += 1;
        Some(Self { networks: Arc::clone(networks), network })
    }
}

impl Drop for OfNetwork {
    fn drop(&mut self) {
        let mut table = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = table.get_mut(&self.network) {
            *there -= 1;
            if *there == 0 {
                table.remove(&self.network);
            }
        }
    }
}

/// Serves until `stop` is done; answers under way are then finished, for a second at most.
///
/// # Errors
/// The socket is lost.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let networks = Networks::default();
    let tls = tls.map(TlsAcceptor::from);
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => permit.map_err(std::io::Error::other)?,
        };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(e) if lost(&e) => return Err(e),
                // One caller went away, or no file is free for a moment: the others are served.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let Some(of_network) = OfNetwork::take(&networks, peer.ip()) else { continue };
        let router = TowerToHyperService::new(router.clone());
        let service = FromPeer { router, peer: Peer(peer.ip()), within: BODY };
        let tls = tls.clone();
        tokio::spawn(async move {
            one(stream, tls, service).await;
            drop((permit, of_network));
        });
    }
    let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
    // Server-sent events never end by themselves: a second after the call to stop, nobody waits.
    let _ = tokio::time::timeout(Duration::from_secs(1), room.acquire_many(all)).await;
    Ok(())
}

async fn one(stream: TcpStream, tls: Option<TlsAcceptor>, service: FromPeer) {
    let _ = stream.set_nodelay(true);
    match tls {
        None => answer(stream, service).await,
        Some(tls) => {
            let agreed = tokio::time::timeout(PATIENCE, tls.accept(stream)).await;
            // What a caller breaks is his.
            if let Ok(Ok(stream)) = agreed {
                answer(stream, service).await;
            }
        }
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, service: FromPeer) {
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Whether the listening socket itself is gone.
fn lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotConnected)
}

#[cfg(test)]
mod tests {
    use axum::routing::post;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_body_that_trickles_breaks_off() {
        let read = |body: String| async move { format!("{} bytes", body.len()) };
        let router = TowerToHyperService::new(Router::new().route("/", post(read)));
        let within = Duration::from_millis(300);
        for (sent, wanted) in [("whole", "200 OK"), ("wh", "400 Bad Request")] {
            let (mut caller, stream) = tokio::io::duplex(1 << 10);
            let peer = Peer(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
            let service = FromPeer { router: router.clone(), peer, within };
            let served = tokio::spawn(answer(stream, service));
            let head =
                "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\n";
            caller.write_all(format!("{head}{sent}").as_bytes()).await.unwrap();
            let mut answered = String::new();
            let most = Duration::from_secs(5);
            let read = tokio::time::timeout(most, caller.read_to_string(&mut answered)).await;
            read.expect("it is waited for").unwrap();
            assert!(answered.contains(wanted), "{answered}");
            served.await.unwrap();
        }
    }
}
