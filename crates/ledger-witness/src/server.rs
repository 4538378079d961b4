//! Connections within bounds.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// What strangers can take up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once; who comes beyond waits in the system's own queue.
    pub connections: usize,
    /// The longest until a request's headers are there.
    pub headers: Duration,
    /// The longest that one connection lives, whatever it does.
    pub life: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: 256, headers: Duration::from_secs(10), life: Duration::from_secs(60) }
    }
}

/// The most bytes of a request's headers.
const MAX_HEADERS: usize = 16 << 10;

/// Serves until `stop` is done; answers under way are then finished, for a second at most.
///
/// # Errors
/// The socket is lost.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let room = Arc::new(Semaphore::new(bounds.connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => permit.map_err(std::io::Error::other)?,
        };
        let stream = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(e) if lost(&e) => return Err(e),
                // One caller went away, or no file is free for a moment: the others are served.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(bounds.headers)
                .max_buf_size(MAX_HEADERS)
                .serve_connection(TokioIo::new(stream), service);
            // What a caller breaks, or drags on beyond its life, is his.
            let _ = tokio::time::timeout(bounds.life, serving).await;
            drop(permit);
        });
    }
    let all = u32::try_from(bounds.connections).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(Duration::from_secs(1), room.acquire_many(all)).await;
    Ok(())
}

/// Whether the listening socket itself is gone.
fn lost(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::NotConnected)
}
