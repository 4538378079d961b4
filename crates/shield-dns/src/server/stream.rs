//! Requests over TCP and TLS (RFC 7766, RFC 9103), and zones on their way.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::base::iana::Rcode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::{Place, Shared, lost, now};
use crate::access::{Access, Asker, Want};
use crate::answer::{MAX_REQUEST, Reply, answer};
use crate::transfer::Transfer;
use crate::wire::MAX_MESSAGE;

pub(super) async fn listen(
    listener: TcpListener,
    config: Option<Arc<ServerConfig>>,
    room: Arc<Semaphore>,
    shared: Arc<Shared>,
) -> std::io::Result<()> {
    let acceptor = config.map(TlsAcceptor::from);
    // Dropped with the listener, which cuts them.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let permit = Arc::clone(&room).acquire_owned().await.map_err(std::io::Error::other)?;
        let (stream, peer) = match listener.accept().await {
            Ok((stream, from)) => (stream, from.ip()),
            Err(e) if lost(&e) => return Err(e),
            // One caller went away, or no file is free for a moment: the others are served.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(place) = shared.place(peer) else { continue };
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            open(stream, peer, acceptor, &place).await;
            drop(permit);
        });
    }
}

async fn open(stream: TcpStream, peer: IpAddr, acceptor: Option<TlsAcceptor>, place: &Place) {
    // Messages are written whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let ended = match acceptor {
        None => converse(stream, peer, false, place).await,
        Some(acceptor) => match timeout(place.shared.bounds.idle, acceptor.accept(stream)).await {
            Ok(Ok(mut stream)) => {
                // What is encrypted and not yet sent is a message at most, too.
                stream.get_mut().1.set_buffer_limit(Some(MAX_MESSAGE));
                converse(stream, peer, true, place).await
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(late("no TLS handshake")),
        },
    };
    if let Err(error) = ended {
        (place.shared.told)(&format!("{peer}: {error}; the connection is closed"));
    }
}

fn late(what: &str) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, format!("{what} in time"))
}

/// Requests and answers by turns, until the client has no more.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    tls: bool,
    place: &Place,
) -> std::io::Result<()> {
    let shared = &place.shared;
    let bounds = shared.bounds;
    let mut frame = Vec::new();
    loop {
        // A client that is done says so or falls silent: neither is an error.
        let Ok(Ok(length)) = timeout(bounds.idle, stream.read_u16()).await else {
            // TLS has a word for it, without which the client cannot tell it from a cut.
            let _ = timeout(bounds.write, stream.shutdown()).await;
            return Ok(());
        };
        if usize::from(length) > MAX_REQUEST {
            return Err(std::io::Error::other(format!("a request of {length} bytes")));
        }
        let mut request = vec![0; usize::from(length)];
        timeout(bounds.idle, stream.read_exact(&mut request))
            .await
            .map_err(|_| late("no whole request"))??;
        let asker = Asker { peer, tls, key: None };
        let (view, access) =
            (shared.feed.view.borrow().clone(), shared.feed.access.borrow().clone());
        match answer(&request, asker, false, &view, &access, now()) {
            Reply::Nothing => return Err(std::io::Error::other("what came is no request")),
            Reply::Message(message) => write(&mut stream, &message, &mut frame, place).await?,
            Reply::Transfer(transfer, asker) => {
                drop((view, access, request));
                send(&mut stream, *transfer, &asker, &mut frame, place).await?;
                frame = Vec::new();
            }
        }
    }
}

/// Writes one message with its length before it (RFC 1035, 4.2.2).
async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &[u8],
    frame: &mut Vec<u8>,
    place: &Place,
) -> std::io::Result<()> {
    let length = u16::try_from(message.len()).map_err(std::io::Error::other)?;
    frame.clear();
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(message);
    let whole = async {
        stream.write_all(frame).await?;
        stream.flush().await
    };
    timeout(place.shared.bounds.write, whole)
        .await
        .map_err(|_| late("the client did not read a message"))?
}

/// The places that the transfer of a whole zone takes; `None` where none is free in time.
async fn places(place: &Place) -> Option<[OwnedSemaphorePermit; 2]> {
    let both = async {
        let own = Arc::clone(&place.transfers).acquire_owned().await.ok()?;
        let all = Arc::clone(&place.shared.transfers).acquire_owned().await.ok()?;
        Some([own, all])
    };
    timeout(place.shared.bounds.wait, both).await.ok().flatten()
}

async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    mut transfer: Transfer,
    asker: &Asker,
    frame: &mut Vec<u8>,
    place: &Place,
) -> std::io::Result<()> {
    let shared = &place.shared;
    let (bounds, begun) = (shared.bounds, Instant::now());
    let zone = Arc::clone(transfer.zone());
    let (names, full) = (transfer.names(), transfer.is_full());
    let what = format!("{} {}", zone.origin(), zone.serial());
    let mut access = shared.feed.access.clone();
    let client = access.borrow_and_update().client(asker, zone.origin(), Want::Zone).cloned();
    let Some(client) = client else {
        // Revoked between the answer and here.
        let refused = transfer.refuse(Rcode::REFUSED, now());
        return write(stream, &refused, frame, place).await;
    };
    let _places = if full && names > bounds.small {
        let Some(places) = places(place).await else {
            (shared.told)(&format!("{}: {what}: too many transfers, told to retry", asker.peer));
            let busy = transfer.refuse(Rcode::SERVFAIL, now());
            write(stream, &busy, frame, place).await?;
            let mut servers = client.notify;
            servers.retain(|server| server.ip().to_canonical() == asker.peer.to_canonical());
            // Where too many were turned away already, this one is left to its own retry.
            let _ = shared.turned_away.try_send((servers, zone.origin().clone()));
            return Ok(());
        };
        Some(places)
    } else {
        None
    };
    frame.reserve(MAX_MESSAGE + 2);
    while let Some(message) = transfer.next_message(now()) {
        let gets = |access: &Access| {
            let now = access.client(asker, zone.origin(), Want::Zone);
            // Nor has it taken on other zones meanwhile.
            now.is_some_and(|now| now.own == client.own)
        };
        if access.has_changed().unwrap_or(false) && !gets(&access.borrow_and_update()) {
            return Err(std::io::Error::other(format!("{what} is no longer for this client")));
        }
        if begun.elapsed() > bounds.transfer {
            return Err(late(&format!("{what} did not end")));
        }
        write(stream, message, frame, place).await?;
    }
    let kind = if full { "whole" } else { "step" };
    let ms = begun.elapsed().as_millis();
    (shared.told)(&format!(
        "{} ({}): {what}: {kind}, {names} names, {ms} ms",
        client.name, asker.peer
    ));
    Ok(())
}
