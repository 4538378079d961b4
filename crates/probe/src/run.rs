//! A probe at work: it asks each second, and reports as the line allows. The two hold up neither one
//! another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shield::measure::wire::Questions;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::ask::Resolver;
use crate::line::{Line, SendError};
use crate::queue::Queue;

/// Between two rounds.
const ROUND: Duration = Duration::from_secs(1);
/// For so long a probe goes on with what it was told last, while nobody answers.
const REST_AFTER: Duration = Duration::from_secs(60);
/// One round in so many is by TCP alone.
const BY_TCP: u64 = 10;
/// After a report that failed, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));

/// What is told, in words.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

#[derive(Default)]
struct Shared {
    queue: Queue,
    questions: Questions,
    told: Option<Instant>,
    counts: Counts,
}

/// What a probe did: all that it keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rounds.
    pub rounds: u64,
    /// Questions.
    pub questions: u64,
    /// Reports that went through.
    pub reports: u64,
    /// Reports that did not.
    pub failed: u64,
}

fn locked(of: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until `stop` is done.
pub async fn run(
    resolver: Resolver,
    mut line: Line,
    told: Told,
    stop: impl Future<Output = ()>,
) -> Counts {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let ready = Arc::new(Notify::new());
    tokio::select! {
        () = asks(&resolver, &shared, &ready) => {}
        () = reports(&mut line, &shared, &ready, &told) => {}
        () = stop => {}
    }
    locked(&shared).counts
}

/// A round each second.
async fn asks(resolver: &Resolver, shared: &Arc<Mutex<Shared>>, ready: &Arc<Notify>) {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u64.. {
        rounds.tick().await;
        let names = {
            let mut shared = locked(shared);
            if shared.told.is_none_or(|at| at.elapsed() > REST_AFTER) {
                shared.questions.names.clear();
            }
            shared.questions.names.clone()
        };
        if !names.is_empty() {
            let heard = resolver.round(&names, round % BY_TCP == BY_TCP - 1).await;
            let mut shared = locked(shared);
            shared.counts.rounds += 1;
            shared.counts.questions += names.len() as u64;
            shared.queue.put(heard);
        }
        ready.notify_one();
    }
}

/// A report a round; after a fault ever later, with all that waits.
async fn reports(line: &mut Line, shared: &Arc<Mutex<Shared>>, ready: &Arc<Notify>, told: &Told) {
    let (mut pause, mut down) = (AGAIN.0, None);
    loop {
        ready.notified().await;
        loop {
            let (report, _) = locked(shared).queue.report(Instant::now());
            match line.send(&report).await {
                Ok(questions) => {
                    if down.take().is_some() {
                        told("the clearing house answers again");
                    }
                    pause = AGAIN.0;
                    let mut shared = locked(shared);
                    shared.counts.reports += 1;
                    if shared.told.is_none() {
                        told(&format!(
                            "reports go through; {} names to ask",
                            questions.names.len()
                        ));
                    }
                    shared.queue.sent(&report);
                    shared.questions = questions;
                    shared.told = Some(Instant::now());
                    if shared.queue.is_empty() {
                        break;
                    }
                }
                Err(error) => {
                    {
                        let mut shared = locked(shared);
                        shared.counts.failed += 1;
                        // What is no report will be none the next time: it is let go.
                        if let SendError::Refused(400 | 413, _) = error {
                            shared.queue.sent(&report);
                        }
                    }
                    let words = error.to_string();
                    if down.as_ref() != Some(&words) {
                        told(&format!("no report goes through: {words}; tried again"));
                        down = Some(words);
                    }
                    sleep(pause).await;
                    pause = (pause * 2).min(AGAIN.1);
                }
            }
        }
    }
}
