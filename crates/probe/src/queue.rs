//! What waits for the line.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use shield::measure::wire::{Answer, MAX_AGE_MS, MAX_ANSWERS, Report, Run};

use crate::ask::Heard;

/// The most answers that wait.
pub const MAX_WAITING: usize = 20_000;
/// An answer may still be on its way for a moment when it is old.
const MARGIN: Duration = Duration::from_secs(20);

/// Answers that were not sent yet, the oldest first.
#[derive(Debug)]
pub struct Queue {
    waiting: VecDeque<Heard>,
    dropped: u64,
    /// This run of the probe, and how many answers went from the queue in it.
    run: u64,
    gone: u64,
}

impl Default for Queue {
    fn default() -> Self {
        // Random keys: two runs have two numbers, whatever any clock says.
        let run = std::hash::RandomState::new().build_hasher().finish();
        Self { waiting: VecDeque::new(), dropped: 0, run, gone: 0 }
    }
}

impl Queue {
    /// Puts a round there. Beyond [`MAX_WAITING`] the oldest go.
    pub fn put(&mut self, round: impl IntoIterator<Item = Heard>) {
        self.waiting.extend(round);
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
            self.dropped += 1;
            self.gone += 1;
        }
    }

    /// A report of the oldest, and how many answers are in it. They stay until [`Queue::sent`]. What became
    /// too old to be taken goes.
    pub fn report(&mut self, now: Instant) -> (Report, usize) {
        let most = Duration::from_millis(MAX_AGE_MS).saturating_sub(MARGIN);
        let old = |heard: &Heard| now.saturating_duration_since(heard.at) > most;
        while self.waiting.front().is_some_and(old) {
            self.waiting.pop_front();
            self.dropped += 1;
            self.gone += 1;
        }
        let answer = |heard: &Heard| {
            let age = now.saturating_duration_since(heard.at).as_millis();
            Answer {
                name: heard.name.clone(),
                said: heard.said,
                age_ms: u64::try_from(age).unwrap_or(MAX_AGE_MS),
                address: heard.address,
            }
        };
        let answers: Vec<Answer> = self.waiting.iter().take(MAX_ANSWERS).map(answer).collect();
        let many = answers.len();
        let run = Some(Run { run: self.run, first: self.gone });
        (Report { dropped: self.dropped, answers, run }, many)
    }

    /// The clearing house has that report.
    pub fn sent(&mut self, report: &Report) {
        // What was dropped meanwhile was the oldest: it was in the report.
        let lost = self.dropped.saturating_sub(report.dropped);
        let gone = report.answers.len() as u64;
        let left = usize::try_from(gone.saturating_sub(lost)).unwrap_or(usize::MAX);
        let left = left.min(self.waiting.len());
        self.waiting.drain(..left);
        self.gone += left as u64;
        self.dropped = lost.saturating_sub(gone);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// True where none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use shield::measure::said::Said;

    use super::*;

    fn heard(name: &str, at: Instant) -> Heard {
        Heard { name: name.into(), said: Said::Open, address: None, at }
    }

    #[test]
    fn a_line_that_is_down_drops_the_oldest_and_counts_them() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.put((0..MAX_WAITING + 5).map(|n| heard(&format!("n{n}.example"), now)));
        assert_eq!(queue.len(), MAX_WAITING);
        let (report, many) = queue.report(now);
        assert_eq!(
            (report.dropped, many, report.answers[0].name.as_str()),
            (5, MAX_ANSWERS, "n5.example")
        );
        // It was not sent: the same comes again, with what is new behind it.
        assert_eq!(queue.report(now).0, report);
        let first = |report: &Report| report.run.unwrap().first;
        assert_eq!(first(&report), 5);
        queue.sent(&report);
        let (next, _) = queue.report(now);
        assert_eq!(first(&next), 5 + MAX_ANSWERS as u64);
        assert_ne!(Queue::default().run, Queue::default().run);
        assert_eq!(
            (next.dropped, next.answers[0].name.clone()),
            (0, format!("n{}.example", 5 + MAX_ANSWERS))
        );
        // Two minutes later all of it is too old.
        let (late, many) = queue.report(now + Duration::from_secs(101));
        assert_eq!((many, late.dropped), (0, (MAX_WAITING - MAX_ANSWERS) as u64));
    }

    #[test]
    fn what_overflows_while_a_report_is_on_its_way_is_told_once() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.put((0..MAX_WAITING).map(|_| heard("a.example", now)));
        let (report, _) = queue.report(now);
        queue.put((0..10).map(|_| heard("b.example", now)));
        queue.sent(&report);
        assert_eq!(queue.len(), MAX_WAITING - MAX_ANSWERS + 10);
        let (next, _) = queue.report(now);
        assert_eq!(next.dropped, 0, "the ten were in the report");
        assert_eq!(next.run.unwrap().first, MAX_ANSWERS as u64);
    }
}
