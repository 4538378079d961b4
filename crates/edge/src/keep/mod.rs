//! The process: the socket, the zones, and the clock that ends what is due.
//!
//! Nothing is written to disk: what begins anew begins empty, and says so. The clock has a thread of
//! its own, which needs neither the network nor a follower. Where it breaks off the process ends, so
//! that whoever watches it opens the resolver.

mod config;
mod door;
mod drivers;
mod watch;
mod zones;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

use crate::clock::now;
use crate::frame::{Frame, FrameError, Reply};
use crate::keeping::{Change, Kept, Outcome, Status, Value};
use drivers::{Hand, Out};
use watch::Watcher;
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
    /// It broke off.
    #[error("keep broke off ({0}): what the resolver still blocks, its flush opens (docs/edge.md)")]
    Broke(String),
}

/// What all threads share.
pub(crate) struct Keeper {
    inner: Mutex<Inner>,
    observe: bool,
    hands: Vec<Arc<Hand>>,
    told: Told,
}

struct Inner {
    kept: Kept,
    served: Served,
    /// The caller who said hello last.
    speaker: Option<u64>,
    /// Ends: nothing is taken any more.
    ended: bool,
}

impl Keeper {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever broke off in the middle: the clock goes on ending what is due.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes frames of one caller, in one step of the zones; a reply each.
    fn take(
        &self,
        frames: impl Iterator<Item = Result<Frame, FrameError>>,
        caller: u64,
    ) -> Vec<Reply> {
        let mut inner = self.lock();
        let mut changes = Vec::new();
        let mut replies = Vec::new();
        for frame in frames {
            replies.push(match frame {
                Ok(frame) => inner.one(frame, caller, self.observe, &mut changes),
                Err(why) => Reply::refused("frame", &why),
            });
        }
        self.apply(&mut inner, changes);
        for reply in &mut replies {
            if let Reply::Status(status) = reply {
                status.drivers = self.hands.iter().map(|hand| hand.status()).collect();
            }
        }
        replies
    }

    /// All that is out of those that `takes` takes.
    fn all_out(&self, takes: fn(&Value) -> bool) -> Vec<Out> {
        let inner = self.lock();
        let all = inner.kept.all_out().filter(|value| takes(value));
        all.filter_map(|value| Some((value.clone(), life(inner.kept.left(value))?))).collect()
    }

    /// Which of these are out, and which are not.
    fn left(&self, values: impl IntoIterator<Item = Value>) -> (Vec<Out>, Vec<Value>) {
        let inner = self.lock();
        let (mut out, mut open) = (Vec::new(), Vec::new());
        for value in values {
            match life(inner.kept.left(&value)) {
                Some(left) => out.push((value, left)),
                None => open.push(value),
            }
        }
        (out, open)
    }

    fn apply(&self, inner: &mut Inner, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.hands.iter().for_each(|hand| hand.push(&changes));
        }
        if !self.observe
            && let Err(error) = inner.served.apply(changes)
        {
            (self.told)(&format!("a name stands in no zone and stays open: {error}"));
        }
    }

    /// Ends what is due, for ever.
    fn clock(&self, watcher: &Watcher) {
        let mut before = Status::default();
        let mut looked = Instant::now();
        loop {
            std::thread::sleep(TICK);
            let status = {
                let mut inner = self.lock();
                let changes = inner.kept.due(now());
                self.apply(&mut inner, changes);
                if looked.elapsed() < Duration::from_secs(1) {
                    continue;
                }
                inner.kept.status(now())
            };
            looked = Instant::now();
            watcher.alive();
            news(&before, &status).iter().for_each(|line| (self.told)(line));
            before = status;
        }
    }

    /// Opens all, and takes nothing more.
    fn end(&self) {
        let mut inner = self.lock();
        inner.ended = true;
        let changes = inner.kept.take(Frame::Clear {}, now()).changes;
        self.apply(&mut inner, changes);
        drop(inner);
        self.hands.iter().for_each(|hand| hand.end());
    }

    /// Waits until all who block beside the zones have opened everything.
    async fn ended(&self) {
        let begun = Instant::now();
        while begun.elapsed() < LAST_WAIT && !self.hands.iter().all(|hand| hand.has_ended()) {
            tokio::time::sleep(TICK).await;
        }
    }
}

/// A life that is not over.
fn life(left: Option<u64>) -> Option<Duration> {
    left.filter(|left| *left > 0).map(Duration::from_millis)
}

impl Inner {
    fn one(
        &mut self,
        frame: Frame,
        caller: u64,
        observe: bool,
        changes: &mut Vec<Change>,
    ) -> Reply {
        let now = now();
        match frame {
            Frame::Status {} => {
                let status = Status { observe, ..self.kept.status(now) };
                return Reply::Status(Box::new(status));
            }
            _ if self.ended => return Reply::refused("ended", &"this keep is ending"),
            // Whoever opens is heard; who blocks, or keeps blocks alive, is the last who began.
            Frame::Block { .. } | Frame::Alive { .. } | Frame::Whole {}
                if self.speaker != Some(caller) =>
            {
                let why = "another follower has begun since, or none: send hello first";
                return Reply::refused("no_hello", &why);
            }
            _ => {}
        }
        let hello = matches!(frame, Frame::Hello { .. });
        let taken = self.kept.take(frame, now);
        changes.extend(taken.changes);
        match taken.outcome {
            Outcome::Done => {
                if hello {
                    self.speaker = Some(caller);
                }
                Reply::Taken
            }
            Outcome::Held => Reply::Held,
            Outcome::Refused(refused) => Reply::refused(refused.word(), &refused),
        }
    }
}

/// What an operator is told of a second, a line each: so a flood of frames is no flood of lines.
fn news(before: &Status, now: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    if now.silences > before.silences {
        lines.push(format!("ALARM: the feed fell silent, and {} values were opened", before.out));
    }
    if now.held > before.held {
        lines.push(format!(
            "ALARM: {} values wait, since too many came within a minute: look why, then \
             `vigie edge release --config FILE`",
            now.held
        ));
    }
    if now.refused > before.refused {
        lines.push(format!("{} frames were refused", now.refused - before.refused));
    }
    if (now.epoch, now.serial) != (before.epoch, before.serial)
        && let Some(epoch) = now.epoch
    {
        lines.push(format!("the feed is followed at epoch {epoch}, serial {}", now.serial));
    }
    if (now.out, now.addresses) != (before.out, before.addresses) {
        let names = now.out.saturating_sub(now.addresses);
        let addresses = match now.addresses {
            _ if !now.takes_addresses => String::new(),
            n => format!(", and {n} addresses"),
        };
        lines.push(format!("{names} names are out{addresses}"));
    }
    lines
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
    let kept = Kept::new(config.limits(), config.protected()?);
    let zones = Zones::new(&config.layout(), zones::serial())?;
    let made = config.drivers(&told)?;
    let (publisher, feed) = shield_dns::feed(zones.view(), config.access()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(broke)?.block_on(async {
        // The port first: it is what a second keep cannot have.
        let (at, sockets) =
            sockets(config.listen).await.map_err(|e| KeepError::Listen(config.listen, e))?;
        let door = door::Door::open(&config.run)?;
        let served = Served { zones, publisher, changed: Instant::now() };
        let keeper = Arc::new(Keeper {
            inner: Mutex::new(Inner { kept, served, speaker: None, ended: false }),
            observe: config.mode == Mode::Observe,
            hands: made.iter().map(|made| Arc::clone(&made.hand)).collect(),
            told: Arc::clone(&told),
        });
        let watcher = std::env::var_os("NOTIFY_SOCKET");
        let watcher = Watcher::of(watcher.as_deref()).map_err(KeepError::Watcher)?;
        let ticking = Arc::clone(&keeper);
        made.into_iter().try_for_each(|made| made.begin(&keeper)).map_err(broke)?;
        door.serve(Arc::clone(&keeper)).map_err(broke)?;
        watcher.ready();
        let clock = std::thread::Builder::new().name("clock".to_owned());
        let clock = clock.spawn(move || ticking.clock(&watcher)).map_err(broke)?;
        told(&format!(
            "keep runs: zones under {} at {at}, nothing is blocked until a follower has sent it{}",
            config.suffix,
            if keeper.observe { "; it only observes, and blocks nothing" } else { "" }
        ));
        let stopping = async {
            stop.await;
            keeper.end();
            tokio::time::sleep(LAST_WORD).await;
            keeper.ended().await;
        };
        let broken = async {
            while !clock.is_finished() {
                tokio::time::sleep(TICK).await;
            }
        };
        let serve = shield_dns::serve(
            sockets,
            feed,
            Bounds::default(),
            Arc::clone(&told),
            std::future::pending(),
        );
        tokio::select! {
            ended = serve => ended.map_err(broke),
            () = stopping => Ok(()),
            () = broken => Err(KeepError::Broke("its clock stands still".to_owned())),
        }
    })
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
