//! The process: the socket, the zones, and the clock that ends what is due.
//!
//! No state is written to disk: what begins anew begins empty, and says so. The clock has a thread of
//! its own, which needs neither the network nor a follower. Where it breaks off the process ends, so
//! that whoever watches it opens the resolver.

mod config;
mod door;
mod drivers;
mod keeper;
mod watch;
mod zones;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shield_dns::{Bounds, Sockets, Zones};
use tokio::net::{TcpListener, UdpSocket};

pub(crate) use config::read as read_settings;
pub use config::{Config, ConfigError, MAX_FILE, MAX_RESOLVERS, MAX_SUFFIX, Mode, TIMERS};
pub(crate) use door::Place;
pub use door::{MAX_CALLERS, PATIENCE, ask};
pub use drivers::{
    BirdSettings, KnotSettings, LOOK, MAX_KNOT_NAMES, MAX_LEASE, MAX_ROUTES, MIN_LEASE, NftSettings,
};
pub use shield_dns::Told;

use crate::keeping::{Kept, Protected};
use drivers::Worker;
use keeper::Keeper;
use watch::Watcher;
pub use zones::HOT_LIFE;
use zones::Served;

/// How often the clock looks: what is due is open in the zones so much later at most.
pub const TICK: Duration = Duration::from_millis(100);
/// How long an orderly end goes on serving its empty zones, so that resolvers take them.
pub const LAST_WORD: Duration = Duration::from_secs(2);
/// How much longer it waits for those who block beside the zones, until each has opened all.
pub const LAST_WAIT: Duration = Duration::from_secs(30);
/// The lines that wait to be said at most.
const MAX_UNSAID: usize = 256;

/// Why keep cannot run.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Its settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The socket's folder is none for it.
    #[error("{path}: {why}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The socket cannot be made.
    #[error("no socket can be made in {path}: {source}")]
    Door {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder cannot be made, or an old socket not be removed.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
    /// The zones cannot be served there.
    #[error("the zones cannot be served on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Zones of these names cannot be.
    #[error("suffix: {0}")]
    Zones(#[from] shield_dns::ZonesError),
    /// The resolvers cannot be.
    #[error("resolvers: {0}")]
    Access(#[from] shield_dns::AccessError),
    /// The firewall's table cannot be.
    #[error("nft.table: {0}")]
    Table(#[from] shield_nft::TableError),
    /// Who watches cannot be told.
    #[error("NOTIFY_SOCKET names nobody who listens ({0}): unset it, or start keep by its unit")]
    Watcher(std::io::Error),
    /// It ended in order, and not all is open.
    #[error("not all is open at keep's end: {0}: run its flush (docs/edge-addresses.md)")]
    Left(String),
    /// It broke off.
    #[error("keep broke off ({0}): what the resolver still blocks, its flush opens (docs/edge.md)")]
    Broke(String),
}

/// Runs until `stop` is done: then all is opened, and resolvers have [`LAST_WORD`] to take that.
///
/// `told` is told what happens, a line each; the first says that it runs, and begins empty.
///
/// # Errors
/// See [`KeepError`].
pub fn run(config: &Config, told: Told, stop: impl Future<Output = ()>) -> Result<(), KeepError> {
    let broke = |e: std::io::Error| KeepError::Broke(e.to_string());
    let told = aside(told).map_err(broke)?;
    let protected = config.protected()?;
    let (rules, bare) = counts(&protected);
    let kept = Kept::new(config.limits(), protected);
    let (made, access) = (config.drivers(&told)?, config.access()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(broke)?;
    let ended = runtime.block_on(async {
        // The port first: it is what a second keep cannot have.
        let (at, sockets) =
            sockets(config.listen).await.map_err(|e| KeepError::Listen(config.listen, e))?;
        // Whoever had it is gone, and the hundredth of a second in which they may have changed something is over: of
        // the same serial a resolver would take nothing, and go on blocking what is open here.
        tokio::time::sleep(zones::SPACING).await;
        let zones = Zones::new(&config.layout(), zones::serial())?;
        let (publisher, feed) = shield_dns::feed(zones.view(), access);
        let door = door::Door::open(&config.run)?;
        let served = Served { zones, publisher, changed: Instant::now() };
        let observe = config.mode == Mode::Observe;
        let hands = made.iter().map(|made| Arc::clone(&made.hand)).collect();
        let keeper = Arc::new(Keeper::new(kept, served, observe, hands, Arc::clone(&told)));
        let watcher = std::env::var_os("NOTIFY_SOCKET");
        let watcher = Watcher::of(watcher.as_deref()).map_err(KeepError::Watcher)?;
        let ticking = Arc::clone(&keeper);
        let workers = made.into_iter().map(|made| made.begin(&keeper));
        let workers = workers.collect::<Result<Vec<_>, _>>().map_err(broke)?;
        door.serve(Arc::clone(&keeper)).map_err(broke)?;
        watcher.ready();
        let clock = std::thread::Builder::new().name("clock".to_owned());
        let clock = clock.spawn(move || ticking.clock(&watcher)).map_err(broke)?;
        told(&format!(
            "keep runs: zones under {} at {at}, nothing is blocked until a follower has sent it{}",
            config.suffix,
            if observe { "; it only observes, and blocks nothing" } else { "" }
        ));
        told_why(&told, rules, bare);
        let stopping = async {
            stop.await;
            keeper.end();
            tokio::time::sleep(LAST_WORD).await;
            keeper.ended().await
        };
        let broken = async {
            loop {
                if clock.is_finished() {
                    return "its clock stands still".to_owned();
                }
                if let Some(driver) = workers.iter().find_map(Worker::broke) {
                    return format!("its driver {driver} broke off");
                }
                tokio::time::sleep(TICK).await;
            }
        };
        let reading = rereads(config.clone(), Arc::clone(&keeper), Arc::clone(&told));
        let serve = shield_dns::serve(
            sockets,
            feed,
            Bounds::default(),
            Arc::clone(&told),
            std::future::pending(),
        );
        tokio::select! {
            ended = serve => ended.map_err(broke),
            left = stopping => {
                if left.is_empty() { Ok(()) } else { Err(KeepError::Left(left.join("; "))) }
            }
            why = broken => Err(KeepError::Broke(why)),
            never = reading => match never {},
        }
    });
    // A list whose disk hangs is waited for by nobody.
    runtime.shutdown_background();
    ended
}

/// Reads the protected list anew at each SIGHUP, in a thread of its own: zones are served meanwhile, however long it is.
/// Where it cannot be read, the one before stands.
async fn rereads(config: Config, keeper: Arc<Keeper>, told: Told) -> std::convert::Infallible {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangups) = signal else {
        told("SIGHUP cannot be heard: what is protected changes with a restart alone");
        return std::future::pending().await;
    };
    while hangups.recv().await.is_some() {
        let (config, keeper, told) = (config.clone(), Arc::clone(&keeper), Arc::clone(&told));
        let read = tokio::task::spawn_blocking(move || reread(&config, &keeper, &told));
        // A thread that broke said so: what was protected stands.
        let _: Result<(), _> = read.await;
    }
    std::future::pending().await
}

fn reread(config: &Config, keeper: &Keeper, told: &Told) {
    let protected = match config.again().and_then(|config| config.protected()) {
        Ok(protected) => protected,
        Err(error) => {
            return told(&format!("ALARM: what is protected stays as it was: {error}"));
        }
    };
    let (rules, bare) = counts(&protected);
    let opened = keeper.protect(protected);
    told(&format!("{rules} rules protect from now on, and {opened} values were opened by them"));
    told_why(told, rules, bare);
}

/// How many rules there are, and how many of them do not say why.
fn counts(protected: &Protected) -> (usize, usize) {
    (protected.len(), protected.len() - protected.explained())
}

fn told_why(told: &Told, rules: usize, bare: usize) {
    if bare > 0 {
        told(&format!("{bare} of {rules} protected rules do not say why: write it after `#`"));
    }
}

/// Says lines in a thread of its own: a terminal that takes no more must not stop the clock. Lines
/// for which there is no room are left out.
pub(crate) fn aside(told: Told) -> std::io::Result<Told> {
    let (lines, said) = std::sync::mpsc::sync_channel::<String>(MAX_UNSAID);
    let say = move || said.iter().for_each(|line| told(&line));
    std::thread::Builder::new().name("words".to_owned()).spawn(say)?;
    Ok(Arc::new(move |line: &str| drop(lines.try_send(line.to_owned()))))
}

async fn sockets(listen: SocketAddr) -> std::io::Result<(SocketAddr, Sockets)> {
    let tcp = TcpListener::bind(listen).await?;
    let at = tcp.local_addr()?;
    let udp = UdpSocket::bind(at).await?;
    let notify = UdpSocket::bind((at.ip(), 0)).await?;
    Ok((at, Sockets { tcp: vec![tcp], udp: vec![udp], notify: vec![notify], ..Sockets::default() }))
}
