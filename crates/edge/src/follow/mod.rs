//! Follows the feed: fetches it from any of several mirrors, verifies it, and tells keep what is in
//! force. What is believed is decided by [`shield::wire`]; here is what surrounds it.
//!
//! - `course` asks one mirror after the other, by `client`, a [`line`] to it, and `fetch`, which bounds
//!   and verifies what comes; `behind` tells a cache that is older than another from what was played back.
//! - `shared` is what is held, and what keep was not told yet; `speaker` tells it, in a thread of its own.
//! - `turns` learns that the feed's key was replaced.
//! - `stops` looks for a stop that was signed beforehand, beside each manifest and where one is brought; and, by
//!   `later`, whether another mirror has a later epoch than the one that is followed.
//! - [`Seen`] is the last place, on disk; [`Status`] how it stands, beside it; `alarms` what is wrong.
//!
//! An ISP's own view comes and goes with the tickets that name it: `which` says which one is asked for, `course` goes
//! over from everybody's and back, and what stands in both is never let go of in between.
//!
//! *Invariants: nothing is told that no signature covers. Nothing goes back, over restarts too. Whoever
//! is slow, keep or a mirror, holds up neither the other nor a clock.*

mod alarms;
mod behind;
mod client;
mod config;
mod course;
mod fetch;
mod later;
mod pace;
mod seen;
mod shared;
#[cfg(test)]
mod simulation;
mod speaker;
mod status;
mod stops;
mod turns;
mod which;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Lock, Wait};
use shield::feed::ALL;
use shield::wire::Follower;

pub use alarms::{MAX_ALARMS, Raised};
pub use config::{
    Config, MAX_KEYS, MAX_MIRRORS, MAX_WITNESSES, MirrorConfig, TrustConfig, Trusted,
};
pub use fetch::{Fault, MAX_FILE, MAX_FILES};
pub use seen::{MAX_SEEN, Seen, SeenError};
pub use shared::{CHUNK, MAX_CHANGED};
pub use speaker::PATIENCE;
pub use status::{KeepStatus, MAX_STATUS, Status, StatusError};
pub use stops::{Brought, EVERY as STOP_EVERY, StopError, bring, told};
pub use turns::{EVERY as KEYS_EVERY, TurnsError};

use crate::keep::{ConfigError, Told, aside};
use course::Course;
use shared::Shared;
use stops::{Elsewhere, Stops};
use turns::Turns;

/// The longest that the first look for another key of the feed is waited for.
const FIRST_LOOK: Duration = Duration::from_secs(3);
/// How often the clock looks.
const TICK: Duration = Duration::from_millis(500);

/// Why follow cannot run.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// Its settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What it took before.
    #[error(transparent)]
    Seen(#[from] SeenError),
    /// What was stopped before.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// Which keys of the feed were replaced.
    #[error(transparent)]
    Turns(#[from] TurnsError),
    /// The state folder cannot be made, or another follow has it.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
    /// No thread, no runtime.
    #[error("follow broke off: {0}")]
    Broke(#[from] std::io::Error),
}

/// Runs until `stop` is done. What stands stays in force until its clocks end it, by keep: whoever
/// follows next may go on from there.
///
/// `told` is told what happens, a line each.
///
/// # Errors
/// See [`FollowError`].
pub fn run(config: &Config, told: Told, stop: impl Future<Output = ()>) -> Result<(), FollowError> {
    let told = aside(told)?;
    let trusted = config.trusted()?;
    let (mirrors, beside) = (config.open_mirrors()?, config.open_mirrors()?);
    let state = config.state.as_path();
    ledger::disk::create_dir(state)?;
    // Two would write one another's places.
    let _alone = Lock::acquire(&state.join("lock"), "vigie edge follow", Wait::Fail)?;
    let name = trusted.feed().first().map(|key| key.name().to_owned()).unwrap_or_default();
    let mut follower = Follower::new(&config.view, config.bounds(), Vec::new());
    let seen = Seen::read(state, &name, &config.view)?;
    if let Some(seen) = &seen {
        follower.resume(seen.place, seen.beat);
    }
    let begun = Status {
        pid: std::process::id(),
        view: config.view.clone(),
        observe: config.observe,
        epoch: seen.as_ref().map(|seen| seen.place.epoch),
        serial: seen.as_ref().map_or(0, |seen| seen.place.serial),
        ..Status::default()
    };
    let shared = Arc::new(Shared::new(follower, begun, Arc::clone(&told)));
    // Before anybody is told of a name: what was stopped is stopped.
    let trusted = Arc::new(trusted);
    let turns = Turns::open(state, Arc::clone(&trusted), Arc::clone(&shared))?;
    let stops = Stops::open(state, Arc::clone(&trusted), &config.view, Arc::clone(&shared))?;
    let speaker = match &config.keep {
        Some(run) if !config.observe => {
            let (shared, run) = (Arc::clone(&shared), run.clone());
            let speaker = std::thread::Builder::new().name("speaker".to_owned());
            Some(speaker.spawn(move || speaker::run(&shared, &run))?)
        }
        _ => None,
    };
    told(&format!(
        "follow runs: view {}{} of {name}{}{}",
        config.view,
        if config.view == ALL { "" } else { ", or all while there is no such view," },
        if seen.is_some() { ", from where it stood" } else { "" },
        if config.observe { "; it only observes, and tells keep nothing" } else { "" }
    ));
    let view = (config.view.as_str(), config.bounds().silence_ms);
    let (following, to) = (Arc::clone(&shared), state.to_owned());
    let course = Course::new(trusted, mirrors, following, to, view, seen.as_ref());
    let (goes, elsewhere) = tokio::sync::mpsc::channel(MAX_MIRRORS);
    let course = course.with(turns.clone(), elsewhere);
    let silence_ms = config.bounds().silence_ms;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut looks = tokio::task::JoinSet::new();
        let (first, mut looked) = tokio::sync::mpsc::channel(1);
        for (at, mirror) in beside.into_iter().enumerate() {
            let elsewhere = Elsewhere { at, silence_ms, goes: goes.clone() };
            looks.spawn(stops.clone().look(mirror, turns.clone(), first.clone(), elsewhere));
        }
        drop(first);
        // Of a key that was replaced while nobody followed here nothing is believed: each mirror is asked for that
        // first, and one that hangs holds up nothing for long.
        let course = async {
            let _: Result<Option<()>, _> = tokio::time::timeout(FIRST_LOOK, looked.recv()).await;
            course.run().await;
        };
        tokio::select! {
            () = stop => {}
            () = course => {}
            () = ticking(&shared, &stops, state) => {}
        }
    });
    // A look-up of a name may hang: nobody waits for it.
    runtime.shutdown_background();
    shared.end();
    // It may wait for keep; the process ends without it.
    drop(speaker);
    Ok(())
}

/// Ends what is due, and writes how it stands.
async fn ticking(shared: &Shared, stops: &Stops, state: &Path) {
    let mut written = (Status::default(), 0);
    loop {
        shared.tick();
        stops.brought();
        let (status, now) = (shared.status(), crate::clock::now());
        if written.1 == 0
            || now.saturating_sub(written.1) >= status::EVERY
            || status.differs(&written.0)
        {
            match status.write(state) {
                Ok(()) => shared.settle("status"),
                Err(error) => shared.raise("status", "disk", &error, true),
            }
            written = (status, now);
        }
        tokio::time::sleep(TICK).await;
    }
}
