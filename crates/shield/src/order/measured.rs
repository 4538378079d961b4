//! How many items measurement alone lifted of late.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::policy::MAX_MEASURED_MS;
use super::words::Moment;

/// A bucket's width, in milliseconds.
const BUCKET_MS: i64 = 10_000;
/// The most buckets.
const BUCKETS: i64 = MAX_MEASURED_MS as i64 / BUCKET_MS + 1;

/// Lifts by measurement, counted in buckets of ten seconds, over one hour at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Measured {
    buckets: VecDeque<(i64, u64)>,
}

impl Measured {
    /// How many in the last `window_ms`, rounded up to whole buckets: rather one too many.
    pub(super) fn within(&self, window_ms: u64, now: Moment) -> u64 {
        let first = now.minus(window_ms.min(MAX_MEASURED_MS)).0.div_euclid(BUCKET_MS);
        self.buckets.iter().filter(|(bucket, _)| *bucket >= first).map(|(_, count)| count).sum()
    }

    pub(super) fn add(&mut self, at: Moment) {
        let bucket = at.0.div_euclid(BUCKET_MS);
        match self.buckets.back_mut() {
            // A clock that went back counts in the latest bucket it knew.
            Some((last, count)) if *last >= bucket => *count += 1,
            _ => self.buckets.push_back((bucket, 1)),
        }
        while self.buckets.front().is_some_and(|(first, _)| *first <= bucket - BUCKETS) {
            self.buckets.pop_front();
        }
    }
}
