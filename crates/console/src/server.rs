//! The server itself: where it may listen, and for how long.

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::read::Reader;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;

use crate::app::{App, Place};
use crate::connections;
use crate::house::ClearingHouse;
use crate::tls::{self, TlsError, Told};

/// Why the console does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Beyond this machine nothing is served in the clear.
    #[error(
        "the console listens on loopback only (127.0.0.1 or [::1]), not on {0}, unless by TLS: name a \
         certificate (--tls-cert FILE --tls-key FILE --host NAME), or go through SSH (ssh -L \
         8484:127.0.0.1:8484 HOST)"
    )]
    NotLoopback(SocketAddr),
    /// Beyond this machine people sign in, and nobody can.
    #[error(
        "beyond loopback people sign in, and nobody could: invite somebody who holds a role (`vigie party \
         invite PERSON`), have the link opened on this machine, then listen on {0}"
    )]
    NobodyCanSignIn(SocketAddr),
    /// By TLS a server answers for the names of its certificate.
    #[error("name what people call this server, as its certificate does (--host NAME)")]
    NoHost,
    /// A name that is none.
    #[error("{0:?} is no host's name (--host NAME)")]
    Host(String),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The authority's folder cannot be used.
    #[error(transparent)]
    Desk(#[from] desk::Error),
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

impl Error {
    /// True where the words of the call are off.
    pub fn is_misuse(&self) -> bool {
        matches!(
            self,
            Self::NotLoopback(_) | Self::NobodyCanSignIn(_) | Self::NoHost | Self::Host(_)
        )
    }
}

/// Where a console listens, and how.
pub struct Options {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// What people call the server, beside the names of loopback.
    pub hosts: Vec<String>,
    /// The certificate's file and the key's, both PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Told what happens meanwhile.
    pub told: Told,
}

impl Options {
    /// On loopback, in the clear, telling nobody.
    pub fn local(address: SocketAddr) -> Self {
        Self { address, hosts: Vec::new(), tls: None, told: Arc::new(|_| {}) }
    }
}

/// A console bound to its address, not serving yet.
pub struct Console {
    app: App,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    told: Told,
}

impl Console {
    /// Binds the address. Beyond loopback only by TLS, and only where somebody could sign in.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bind(case: Reader, home: &Path, options: Options) -> Result<Self, Error> {
        Self::bound(home, options, |place| App::new(case, home, place)).await
    }

    /// The same for the clearing house.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn bind_house(
        house: ClearingHouse,
        home: &Path,
        options: Options,
    ) -> Result<Self, Error> {
        Self::bound(home, options, |place| App::house(house, home, place)).await
    }

    async fn bound(
        home: &Path,
        options: Options,
        app: impl FnOnce(&Place) -> desk::Result<App>,
    ) -> Result<Self, Error> {
        let Options { address, hosts, tls, told } = options;
        if !address.ip().is_loopback() {
            if tls.is_none() {
                return Err(Error::NotLoopback(address));
            }
            if !desk::account::has_credentials(home)? {
                return Err(Error::NobodyCanSignIn(address));
            }
        }
        if let Some(wrong) = hosts.iter().find(|host| !is_host(host)) {
            return Err(Error::Host(wrong.clone()));
        }
        if tls.is_some() && hosts.is_empty() {
            return Err(Error::NoHost);
        }
        let tls = match tls {
            Some((cert, key)) => Some(tls::config(&cert, &key, Arc::clone(&told))?),
            None => None,
        };
        let listener = TcpListener::bind(address).await.map_err(|e| Error::Listen(address, e))?;
        let address = listener.local_addr()?;
        let place = Place { address, hosts, secure: tls.is_some() };
        Ok(Self { app: app(&place)?, listener, address, tls, told })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a browser is given it: by its name where it has one.
    pub fn url(&self) -> String {
        let scheme = if self.app.secure { "https" } else { "http" };
        match self.app.hosts().first() {
            Some(host) => format!("{scheme}://{host}"),
            None => format!("{scheme}://{}", self.address),
        }
    }

    /// A link that signs in once, within [`crate::LINK_LIFE`], and on this machine alone; `None` beyond
    /// loopback. Print it on the terminal of whoever started the console, and nowhere else.
    ///
    /// # Errors
    /// No random numbers.
    pub fn sign_in_link(&self) -> Result<Option<String>, Error> {
        if !self.address.ip().is_loopback() {
            return Ok(None);
        }
        let token = self.app.links.link(Instant::now())?;
        Ok(Some(format!("{}/sign-in/{token}", self.url())))
    }
}

/// A DNS name or an address, without a port.
fn is_host(host: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    let named =
        host.parse::<std::net::IpAddr>().is_ok() || !host.contains(':') || host.starts_with('[');
    (1..=253).contains(&host.len()) && host.bytes().all(plain) && named
}

/// How often the register is read again, and counts are written.
const EACH: Duration = Duration::from_secs(1);
/// How many of these pass until hours of refusals that are over are recorded.
const RECORDED: u32 = 60;

/// Serves until `stop` is done; then running answers are finished and live pages are cut.
///
/// # Errors
/// The socket is lost.
pub async fn serve(
    console: Console,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let Console { app, listener, tls, told, .. } = console;
    let router = crate::routes::router(app.clone());
    let upkeep = tokio::spawn(keep_up(app.clone(), told));
    let served = connections::serve(listener, router, tls, stop).await;
    upkeep.abort();
    let end = tokio::task::spawn_blocking(move || app.access.write_refused(true)).await;
    served?;
    match end {
        Ok(Err(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// Follows the register, and keeps what was refused. What fails is told where it is not what failed before.
async fn keep_up(app: App, told: Told) {
    let (mut n, mut before) = (0u32, String::new());
    loop {
        tokio::time::sleep(EACH).await;
        n = n.wrapping_add(1);
        let (app, record) = (app.clone(), n % RECORDED == 0);
        let done = tokio::task::spawn_blocking(move || {
            app.access.refresh()?;
            app.access.write_refused(false)?;
            if record { app.access.record_refused() } else { Ok(()) }
        })
        .await;
        let said = match done {
            Ok(Err(error)) => error.to_string(),
            _ => String::new(),
        };
        if !said.is_empty() && said != before {
            told(&said);
        }
        if n % RECORDED == 0 || !said.is_empty() {
            before = said;
        }
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
