//! A probe, as the house knows it.

use std::collections::HashMap;

use super::trail::Trail;
use super::wire::Run;
use crate::order::Moment;
use crate::order::words::{Organisation, Probe};

/// The most probes.
pub const MAX_PROBES: usize = 1_000;
/// How many questions a second a probe puts to its resolver where its setting says nothing else.
pub const USUAL_RATE: usize = 100;
/// The most questions a second of one probe.
pub const MAX_RATE: usize = 1_000;

/// A probe, by what its operator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The short name of its service key.
    pub probe: Probe,
    /// Whose resolver it asks; `None`: it is the unblocked vantage.
    pub isp: Option<Organisation>,
    /// Questions a second at most, up to [`MAX_RATE`].
    pub rate: usize,
}

/// What a probe did, in counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reports.
    pub reports: u64,
    /// Answers taken.
    pub answers: u64,
    /// Questions that nothing answered in time, or only with an error.
    pub unanswered: u64,
    /// Answers that say nothing: no control answered within their second, or the name is gone everywhere.
    pub idle: u64,
    /// Answers to what was not asked: dropped unread.
    pub unasked: u64,
    /// Answers that the probe itself dropped while its line was down.
    pub dropped: u64,
}

/// A control, as a probe sees it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watched {
    pub(super) trail: Trail,
    /// When it answered last.
    pub(super) seen_up: Option<Moment>,
    /// When it was told of as failing.
    pub(super) told: Option<Moment>,
}

#[derive(Debug, Clone)]
pub(super) struct Seat {
    /// Which ISP; `None`: unblocked.
    pub(super) isp: Option<u16>,
    pub(super) rate: usize,
    pub(super) heard: Option<Moment>,
    pub(super) round: u64,
    pub(super) trails: HashMap<u64, Trail>,
    pub(super) controls: HashMap<usize, Watched>,
    pub(super) counts: Counts,
    /// The probe's run, and the number of its next answer.
    next: Option<(u64, u64)>,
}

impl Seat {
    pub(super) fn new(isp: Option<u16>, rate: usize) -> Self {
        Self {
            isp,
            rate: rate.clamp(1, MAX_RATE),
            heard: None,
            round: 0,
            trails: HashMap::new(),
            controls: HashMap::new(),
            counts: Counts::default(),
            next: None,
        }
    }

    /// How many of a report's answers were taken before; the others are from here on.
    pub(super) fn taken(&mut self, run: Option<Run>, many: usize) -> usize {
        let Some(Run { run, first }) = run else { return 0 };
        let next = self.next.filter(|(of, _)| *of == run).map_or(first, |(_, next)| next);
        self.next = Some((run, next.max(first.saturating_add(many as u64))));
        usize::try_from(next.saturating_sub(first)).unwrap_or(usize::MAX).min(many)
    }

    /// True where it was heard of within a minute.
    pub(super) fn is_heard(&self, now: Moment) -> bool {
        self.heard.is_some_and(|at| now.since(at) <= 60_000)
    }
}
