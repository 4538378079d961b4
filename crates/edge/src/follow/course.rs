//! The course of following: one mirror is asked after the other, and what holds is taken.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use line::CallError;
use shield::feed::Place;
use shield::wire::{Alarm, FileName, Manifest};
use tokio::sync::mpsc::Receiver;
use tokio::time::{sleep, timeout_at};

use super::behind::{self, Behind};
use super::client::Mirror;
use super::config::Trusted;
use super::fetch::{self, Ask, Fault};
use super::pace::Pace;
use super::seen::Seen;
use super::shared::Shared;
use super::turns::Turns;
use super::which::{LOOKING, Next, Which};
use crate::clock;

/// The longest that a long poll waits: longer than the clearing house lets anybody wait.
const LONG_POLL: Duration = Duration::from_secs(40);
/// A place that is only heard to be alive is written anew so often, in milliseconds.
const WRITE: u64 = 10_000;
/// The shortest time between two questions of which the first brought nothing new, in milliseconds.
const BREATH: u64 = 500;
/// A mirror that had no long poll is asked for one again after so long, in milliseconds.
const POLLS: u64 = 15_000;

pub(super) struct Course {
    trusted: Arc<Trusted>,
    mirrors: Vec<Mirror>,
    shared: Arc<Shared>,
    state: PathBuf,
    which: Which,
    /// The longest silence that the settings allow, in milliseconds.
    silence_ms: u64,
    progress: Progress,
    behind: Behind,
    turns: Option<Turns>,
    /// A mirror that has a later epoch than the one that is followed.
    elsewhere: Option<Receiver<usize>>,
}

/// Why a mirror is asked no more.
enum Left {
    Fault(Fault),
    /// Another one has a later epoch.
    Later(usize),
}

/// What was heard last, and when.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The epoch and the beat, and when they came.
    beat: Option<(u64, u64)>,
    since: u64,
    /// The manifest's own times.
    pub(super) every_ms: u64,
    silence_ms: u64,
    /// When a mirror that had no long poll is asked for one again.
    polls_from: u64,
    /// What was written last, and when.
    written: Option<(Place, u64)>,
}

impl Course {
    pub(super) fn new(
        trusted: Arc<Trusted>,
        mirrors: Vec<Mirror>,
        shared: Arc<Shared>,
        state: PathBuf,
        (view, silence_ms): (&str, u64),
        seen: Option<&Seen>,
    ) -> Self {
        let (which, progress) = (Which::new(view), Progress::default());
        let behind = Behind::resumed(seen);
        let (turns, elsewhere) = (None, None);
        Self {
            trusted,
            mirrors,
            shared,
            state,
            which,
            silence_ms,
            progress,
            behind,
            turns,
            elsewhere,
        }
    }

    /// Learns that the feed's key was replaced, and that another mirror has a later epoch.
    pub(super) fn with(self, turns: Turns, elsewhere: Receiver<usize>) -> Self {
        Self { turns: Some(turns), elsewhere: Some(elsewhere), ..self }
    }

    /// Follows, for ever.
    pub(super) async fn run(mut self) {
        let (mut pace, mut at, mut failed) = (Pace::new(), 0, 0);
        let mut elsewhere = self.elsewhere.take();
        loop {
            let Some(url) = self.mirrors.get(at).map(|mirror| mirror.url.clone()) else { return };
            self.shared.asks(&url);
            let left = tokio::select! {
                biased;
                other = later(&mut elsewhere, at) => Left::Later(other),
                fault = self.mirror(at, &mut pace, &mut failed) => Left::Fault(fault),
            };
            let fault = match left {
                Left::Later(other) => {
                    at = other;
                    self.which.left();
                    let url = self.mirrors.get(at).map_or("", |mirror| mirror.url.as_str());
                    self.shared.say(&format!("{url} has a later epoch: it is asked from here on"));
                    continue;
                }
                Left::Fault(fault) => fault,
            };
            // A cache that is behind comes up; where it does not, the fault is another.
            if !matches!(fault, Fault::Behind(..)) {
                self.shared.raise(&url, fault.word(), &fault, fault.is_grave());
            }
            failed += 1;
            at = (at + 1) % self.mirrors.len();
            // All of them in a row, or the only one.
            if failed % self.mirrors.len() == 0 {
                sleep(pace.wait()).await;
            }
        }
    }

    /// Follows one mirror until that fails.
    async fn mirror(&mut self, at: usize, pace: &mut Pace, failed: &mut usize) -> Fault {
        let mut news = None;
        loop {
            match self.round(at, news, *failed).await {
                Ok(next) => {
                    if let Some(mirror) = self.mirrors.get(at) {
                        self.shared.settle(&mirror.url);
                    }
                    pace.reset();
                    *failed = 0;
                    news = Some(next);
                }
                // Signed by none that counts: by one that took its place, it may be. Each turn is one at most.
                Err(fault @ Fault::Manifest(_)) => {
                    if !self.turned(at).await {
                        return fault;
                    }
                    news = None;
                }
                Err(fault) => return fault,
            }
        }
    }

    /// Looks whether a mirror tells of another key of the feed.
    async fn turned(&mut self, at: usize) -> bool {
        match (&self.turns, self.mirrors.get_mut(at)) {
            (Some(turns), Some(mirror)) => turns.look(mirror).await,
            _ => false,
        }
    }

    /// One question and what follows from it, where so many `failed` in a row before; whether the mirror
    /// knows long polls.
    async fn round(
        &mut self,
        at: usize,
        polls: Option<bool>,
        failed: usize,
    ) -> Result<bool, Fault> {
        let (trusted, mirrors, asked) =
            (Arc::clone(&self.trusted), self.mirrors.len(), clock::now());
        let (manifest, knows, files) = self.believed(at, polls).await?;
        let Some(mirror) = self.mirrors.get_mut(at) else { return Ok(false) };
        fetch::check_sizes(&files)?;
        let mut staged = Vec::with_capacity(files.len());
        let silence = Duration::from_millis(manifest.silence_ms.min(self.silence_ms));
        let limit = fetch::patience(&files, mirrors, failed, silence);
        let until = (Instant::now() + limit, limit);
        for file in &files {
            staged.push(fetch::file(mirror, &trusted, file, until).await?);
        }
        // Before anybody is told: who begins anew takes nothing older than what was ever acted on.
        self.keep_seen(&manifest);
        if !files.is_empty() {
            self.shared.take(staged)?;
        } else if clock::now().saturating_sub(asked) < BREATH {
            // It lets nobody wait.
            sleep(Duration::from_millis(BREATH)).await;
        }
        Ok(knows)
    }

    /// The next manifest that is believed, whether the mirror knows long polls, and the files that lead on. Where
    /// the view that is asked for is not to be had, or not to be believed, the other one is asked for: an own view
    /// that begins, or ends, is gone over to within the same round.
    async fn believed(
        &mut self,
        at: usize,
        polls: Option<bool>,
    ) -> Result<(Manifest, bool, Vec<FileName>), Fault> {
        let (mut polls, mut since) = (polls, None);
        loop {
            let asked = match since {
                None => self.asked(at, polls).await,
                // One that answers slowly has no more time for all looks than for one.
                Some(since) => {
                    let slow = Fault::Call(CallError::Slow(LOOKING));
                    let asked = timeout_at(since + LOOKING, self.asked(at, polls)).await;
                    asked.unwrap_or(Err(slow))
                }
            };
            let fault = match asked {
                Ok(believed) => {
                    self.which.believed();
                    return Ok(believed);
                }
                Err(fault) => fault,
            };
            let spent = since.get_or_insert_with(tokio::time::Instant::now).elapsed();
            match self.which.failed(fault, spent) {
                Next::Ask(pause) => sleep(pause).await,
                Next::Fault(fault) => return Err(fault),
            }
            polls = None;
        }
    }

    /// What the mirror has of the view that is asked for, heard.
    async fn asked(
        &mut self,
        at: usize,
        polls: Option<bool>,
    ) -> Result<(Manifest, bool, Vec<FileName>), Fault> {
        let (manifest, knows) = self.manifest(at, polls).await?;
        let files = match self.shared.hear(&manifest) {
            Err(fault @ Fault::Feed(Alarm::Back(..))) => {
                let by = self.behind.by(&manifest, self.silence_ms, clock::now());
                return Err(by.map_or(fault, |by| Fault::Behind(manifest.view, by)));
            }
            heard => heard?,
        };
        self.progress.hear(&manifest)?;
        self.behind.hear(&manifest);
        Ok((manifest, knows, files))
    }

    async fn manifest(
        &mut self,
        at: usize,
        polls: Option<bool>,
    ) -> Result<(Manifest, bool), Fault> {
        let trusted = Arc::clone(&self.trusted);
        let Some(mirror) = self.mirrors.get_mut(at) else {
            return Err(Fault::Call(CallError::Slow(fetch::HEAD)));
        };
        self.which.reads().clone_into(&mut mirror.view);
        let (place, asked) = (self.shared.place(), clock::now());
        // Who had no long poll once may have been full, or between two versions.
        let polls = polls.map(|knows| knows || asked >= self.progress.polls_from);
        // Nothing is waited for while all is let go of: it is asked now and then, to go on from there later.
        let stopped = self.shared.is_let_go();
        let heard = match (polls.filter(|_| !stopped), place) {
            _ if stopped => {
                let every = (self.progress.every_ms / 2).clamp(500, 5_000);
                sleep(Duration::from_millis(every)).await;
                (now(mirror, &trusted).await?, polls.unwrap_or(true))
            }
            (Some(true), Some(place)) => {
                // In time to hear a heartbeat twice before silence ends everything.
                let silence = self.progress.silence_ms.min(self.silence_ms);
                let most = LONG_POLL.min(Duration::from_millis(silence / 3));
                let ask = Ask::News(place.epoch, place.serial, most);
                match fetch::manifest(mirror, &trusted, ask).await {
                    Ok(Some(manifest)) => (manifest, true),
                    Ok(None) => (now(mirror, &trusted).await?, true),
                    // A folder of files, or one too many who wait: it is asked now and then.
                    Err(Fault::Status { .. }) => {
                        self.progress.polls_from = asked + POLLS;
                        (now(mirror, &trusted).await?, false)
                    }
                    Err(fault) => return Err(fault),
                }
            }
            (Some(false), _) => {
                let every = (self.progress.every_ms / 2).clamp(500, 5_000);
                sleep(Duration::from_millis(every)).await;
                (now(mirror, &trusted).await?, false)
            }
            _ => (now(mirror, &trusted).await?, true),
        };
        Ok(heard)
    }

    fn keep_seen(&mut self, manifest: &Manifest) {
        let now = clock::now();
        if self
            .progress
            .written
            .is_some_and(|(place, at)| place == manifest.place && now.saturating_sub(at) < WRITE)
        {
            return;
        }
        match Seen::of(manifest).write(&self.state) {
            Ok(()) => {
                self.progress.written = Some((manifest.place, now));
                self.shared.settle("disk");
            }
            // Lifts must not wait for a disk.
            Err(error) => self.shared.raise("disk", "disk", &error, true),
        }
    }
}

/// The place of a mirror, other than the one that is asked, that has a later epoch; once there is one.
async fn later(elsewhere: &mut Option<Receiver<usize>>, asked: usize) -> usize {
    if let Some(told) = elsewhere {
        while let Some(at) = told.recv().await {
            if at != asked {
                return at;
            }
        }
    }
    // Nobody tells of one.
    std::future::pending().await
}

async fn now(mirror: &mut Mirror, trusted: &Trusted) -> Result<Manifest, Fault> {
    let manifest = fetch::manifest(mirror, trusted, Ask::Now).await?;
    manifest.ok_or(Fault::Call(CallError::Slow(fetch::HEAD)))
}

impl Progress {
    /// Whether the feed goes on: who says the same for longer than its heartbeat and a long poll take
    /// is behind.
    pub(super) fn hear(&mut self, manifest: &Manifest) -> Result<(), Fault> {
        let now = clock::now();
        (self.every_ms, self.silence_ms) = (manifest.every_ms, manifest.silence_ms);
        let beat = Some((manifest.place.epoch, manifest.beat.number));
        if beat != self.beat {
            (self.beat, self.since) = (beat, now);
            return Ok(());
        }
        let still = now.saturating_sub(self.since);
        if still > behind::still(manifest.every_ms) {
            Err(Fault::Stale(still / 1000))
        } else {
            Ok(())
        }
    }
}
