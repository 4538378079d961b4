//! The server itself: where it may listen, and for how long.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Instant;

use desk::read::Reader;
use tokio::net::TcpListener;

use crate::app::App;

/// Why the console does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Seized material is served without TLS and accounts: to this machine only.
    #[error(
        "the console listens on loopback only (127.0.0.1 or [::1]), not on {0}: from another machine, \
         go through SSH (ssh -L 8484:127.0.0.1:8484 HOST)"
    )]
    NotLoopback(SocketAddr),
    /// The address could not be had.
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[from] getrandom::Error),
    /// Serving failed.
    #[error("serving stopped")]
    Serve(#[from] std::io::Error),
}

/// A console bound to its address, not serving yet.
#[derive(Debug)]
pub struct Console {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
}

impl Console {
    /// Binds `address`, which must be loopback; port 0 takes a free one.
    pub async fn bind(case: Reader, address: SocketAddr) -> Result<Self, Error> {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
        let listener = TcpListener::bind(address).await.map_err(|e| Error::Listen(address, e))?;
        let address = listener.local_addr()?;
        Ok(Self { app: App::new(case, address), listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A link that signs in once, within [`crate::LINK_LIFE`]. Print it on the terminal of whoever
    /// started the console, and nowhere else.
    pub fn sign_in_link(&self) -> Result<String, Error> {
        let token = self.app.sessions.link(Instant::now())?;
        Ok(format!("http://{}/sign-in/{token}", self.address))
    }
}

/// Serves until `stop` is done; then running answers are finished and live pages are cut.
pub async fn serve(
    console: Console,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let router = crate::routes::router(console.app.clone());
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let served = axum::serve(console.listener, router).with_graceful_shutdown(async move {
        stop.await;
        drop(sender);
    });
    // Server-sent events never end by themselves: a second after the call to stop, nobody waits.
    tokio::select! {
        outcome = std::future::IntoFuture::into_future(served) => outcome?,
        () = async {
            let _ = receiver.await;
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        } => {}
    }
    Ok(())
}
