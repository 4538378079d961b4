//! Follow of an ISP while it runs: what it asks, and what is on its way.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::SmallRng;
use shield::feed::ALL;
use shield::order::Moment;
use shield::wire::stop::{Obeyed, StopFile};
use shield::wire::{FileName, Manifest};

use super::super::config::Trusted;
use super::super::course::Progress;
use super::super::fetch::{self, Fault};
use super::super::later::Later;
use super::super::pace::Pace;
use super::super::seen::Seen;
use super::super::shared::{Session, Shared};
use super::super::which::{Next, Which};
use super::isp::Settings;
use super::net::{Origin, Site};
use crate::clock;

/// A manifest that is believed, and the files that lead on.
type Heard = (Box<Manifest>, Vec<FileName>);

/// What is on its way from a site.
pub(super) enum Flight {
    /// A manifest, or the status that came instead.
    Manifest(Result<Vec<u8>, u16>),
    /// The files of one.
    Files(Box<Manifest>, Vec<(FileName, Option<Vec<u8>>)>),
}

/// A follow that runs.
pub(super) struct Running {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session,
    pub(super) pace: Pace,
    pub(super) progress: Progress,
    pub(super) obeyed: Obeyed,
    pub(super) at: usize,
    pub(super) which: Which,
    /// When what is held was said last, by the clearing house's clock.
    pub(super) made: u64,
    pub(super) failed: u32,
    /// Nothing is asked before.
    pub(super) wait: u64,
    /// When the first look of a round failed.
    pub(super) looks_since: Option<u64>,
    pub(super) flight: Option<(u64, usize, Flight)>,
    pub(super) looked: u64,
    /// What each site showed of later epochs, and how often one was gone over to.
    pub(super) later: Vec<Later>,
    pub(super) later_went: u64,
}

/// A whole list that is held.
pub(super) struct Whole {
    /// Whose place it is of: an epoch and a session.
    pub(super) kin: (u64, u64),
    /// The view.
    pub(super) reads: String,
    /// When it was said last.
    pub(super) made: u64,
}

impl Running {
    /// What is held, where it is whole.
    pub(super) fn held(&self) -> Option<Whole> {
        let (place, reads) = (self.shared.place()?, self.shared.status().reads);
        Some(Whole { kin: (place.epoch, place.session), reads, made: self.made })
    }

    /// Looks for a stop beside each site's manifest, and for a later epoch at those that are not asked.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn look(
        &mut self,
        now: u64,
        sites: &[Site],
        origins: &[Origin],
        set: &Settings,
        trusted: &Trusted,
        disk: &mut Option<Vec<u8>>,
        dice: &mut SmallRng,
        calm: bool,
        stays: bool,
    ) {
        if now < self.looked + 5_000 {
            return;
        }
        self.looked = now;
        for (at, site) in
            set.sites.iter().enumerate().filter_map(|(at, n)| Some((at, sites.get(*n)?)))
        {
            if !calm && (site.down || dice.random_bool(0.2)) {
                continue;
            }
            if at != self.at
                && !stays
                && let Some(later) = self.later.get_mut(at)
                && later.is_due(clock::now())
                && let Some(text) = site.manifest(origins, ALL, now, dice)
                && let Ok(manifest) = fetch::opened(text, trusted)
            {
                let (heard, wall) = (self.shared.epoch(), Moment(clock::wall().0));
                if later.hear(&manifest, heard, set.silence_ms, wall, clock::now()) {
                    (self.at, self.flight, self.wait) = (at, None, now);
                    self.looks_since = None;
                    self.which.left();
                    self.later_went += 1;
                }
            }
            let Some(bytes) = origins.get(site.origin).and_then(|of| of.stop.clone()) else {
                continue;
            };
            let Ok(text) = std::str::from_utf8(&bytes) else { continue };
            let opened = trusted.feed().iter().find_map(|key| StopFile::open(text, key).ok());
            let Some(file) = opened else {
                self.shared.raise("stop", "stop_file", &"no stop file of this feed", true);
                continue;
            };
            match self.obeyed.take(&file, &set.view, clock::wall(), 300_000) {
                Ok(true) => {
                    *disk = Some(bytes.to_vec());
                    self.shared.obey(self.obeyed.halt());
                }
                Ok(false) => {}
                Err(why) => self.shared.raise("stop", "stop_back", &why, true),
            }
        }
    }

    fn failed(&mut self, fault: Fault, now: u64) -> Next {
        let since = *self.looks_since.get_or_insert(now);
        let next = self.which.failed(fault, Duration::from_millis(now.saturating_sub(since)));
        if matches!(next, Next::Fault(_)) {
            self.looks_since = None;
        }
        next
    }

    /// As `course` goes, one question at a time.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn course(
        &mut self,
        now: u64,
        sites: &[Site],
        origins: &[Origin],
        set: &Settings,
        trusted: &Trusted,
        seen: &mut Option<String>,
        dice: &mut SmallRng,
        calm: bool,
    ) {
        if self.flight.is_none() {
            if now < self.wait {
                return;
            }
            self.ask(now, sites, origins, set, dice, calm);
        }
        while let Some((due, n, _)) = self.flight.as_ref()
            && *due <= now
        {
            let n = *n;
            let Some((_, _, flight)) = self.flight.take() else { return };
            let done = match flight {
                Flight::Manifest(came) => {
                    let heard = match self.manifest(came, trusted) {
                        Ok(heard) => {
                            self.which.believed();
                            self.looks_since = None;
                            Ok(heard)
                        }
                        Err(fault) => match self.failed(fault, now) {
                            Next::Ask(pause) => {
                                self.wait = now + u64::try_from(pause.as_millis()).unwrap();
                                if pause.is_zero() {
                                    self.ask(now, sites, origins, set, dice, calm);
                                }
                                continue;
                            }
                            Next::Fault(fault) => Err(fault),
                        },
                    };
                    heard.map(|(manifest, files)| {
                        let site = sites.get(n).expect("a site");
                        let fetch = |name: FileName| {
                            let lost = !calm && dice.random_bool(0.05);
                            let hash = name.hash.to_string();
                            let bytes = site.file(origins, &manifest.view, &hash, dice);
                            (name, bytes.filter(|_| !lost))
                        };
                        let fetched: Vec<_> = files.into_iter().map(fetch).collect();
                        Some((manifest, fetched))
                    })
                }
                Flight::Files(manifest, files) => {
                    self.files(&manifest, files, trusted, seen).map(|()| None)
                }
            };
            match done {
                Ok(Some((manifest, files))) if !files.is_empty() => {
                    self.flight =
                        Some((now + delay(calm, dice), n, Flight::Files(manifest, files)));
                }
                Ok(heard) => {
                    if let Some((manifest, _)) = heard {
                        *seen = Some(Seen::of(&manifest).text());
                        self.made = made(&manifest);
                    }
                    self.failed = 0;
                    self.pace.reset();
                    self.shared.settle(&format!("site {n}"));
                    self.wait = now + (self.progress.every_ms / 2).clamp(500, 5_000);
                }
                Err(fault) => {
                    self.shared.raise(&format!("site {n}"), fault.word(), &fault, fault.is_grave());
                    self.failed += 1;
                    self.at = (self.at + 1) % set.sites.len();
                    let all = (self.failed as usize).is_multiple_of(set.sites.len());
                    // The jitter of the real pace is the system's dice: here it is the seed's.
                    let pause = 250 << self.failed.min(6);
                    self.wait = now + if all { dice.random_range(pause / 2..=pause) } else { 0 };
                }
            }
        }
    }

    /// Asks a site for the manifest of a view.
    fn ask(
        &mut self,
        now: u64,
        sites: &[Site],
        origins: &[Origin],
        set: &Settings,
        dice: &mut SmallRng,
        calm: bool,
    ) {
        let Some(n) = set.sites.get(self.at).copied() else { return };
        let site = sites.get(n).expect("a site");
        let lost = !calm && (site.down || dice.random_bool(0.1));
        // Who does not answer is one whose own gateway says so.
        let came = if lost {
            Err(504)
        } else {
            site.manifest(origins, self.which.reads(), now, dice).ok_or(404)
        };
        self.flight = Some((now + delay(calm, dice), n, Flight::Manifest(came)));
    }

    /// What came for a manifest: the files that lead on.
    fn manifest(&mut self, came: Result<Vec<u8>, u16>, trusted: &Trusted) -> Result<Heard, Fault> {
        let text = came.map_err(|code| Fault::Status { code })?;
        let manifest = fetch::opened(text, trusted)?;
        let files = self.shared.hear(&manifest)?;
        self.progress.hear(&manifest)?;
        fetch::check_sizes(&files)?;
        Ok((Box::new(manifest), files))
    }

    fn files(
        &mut self,
        manifest: &Manifest,
        files: Vec<(FileName, Option<Vec<u8>>)>,
        trusted: &Trusted,
        seen: &mut Option<String>,
    ) -> Result<(), Fault> {
        let mut staged = Vec::with_capacity(files.len());
        for (name, bytes) in &files {
            let bytes = bytes.as_deref().ok_or(Fault::Status { code: 404 })?;
            staged.push(fetch::staged(trusted, name, bytes)?);
        }
        *seen = Some(Seen::of(manifest).text());
        self.shared.take(staged)?;
        self.made = made(manifest);
        Ok(())
    }
}

fn delay(calm: bool, dice: &mut SmallRng) -> u64 {
    if calm { 0 } else { dice.random_range(0..6_000) }
}

fn made(manifest: &Manifest) -> u64 {
    u64::try_from(manifest.beat.made.0).unwrap_or(0)
}
