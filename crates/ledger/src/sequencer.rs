//! Many submitters, one log: entries are gathered and committed together by one flush, and each
//! submitter is answered when its own entries are durable.
//!
//! A batch is closed when it has [`Bounds::entries`] entries, or [`Bounds::wait`] after its first;
//! what comes meanwhile waits in the next. The queue is bounded: [`Sequencer::submit`] waits for
//! room in it.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::disk;
use crate::error::{Error, Result};
use crate::journal::MAX_BATCH;
use crate::log::Log;
use crate::publish::{Publication, Published};
use crate::store::MAX_ENTRY;

/// How entries are gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// A batch is closed with this many entries.
    pub entries: usize,
    /// A batch is closed this long after its first entry came.
    pub wait: Duration,
    /// Submissions that may wait to be taken up.
    pub queue: usize,
    /// Tiles are written, beside further commits, when the journal has this many bytes (at most
    /// 64 MiB). The more, the fewer flushes; and the longer readers take that begin with the journal.
    /// At four times as many, commits wait for the tiles.
    pub publish: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 1000, wait: Duration::from_millis(20), queue: 4096, publish: 8 << 20 }
    }
}

/// Entries that are to stand next to one another, and who is to be told where.
struct Submission {
    entries: Vec<Vec<u8>>,
    answer: SyncSender<u64>,
}

/// Takes entries from any number of threads. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sequencer {
    queue: SyncSender<Submission>,
    failure: Arc<OnceLock<Arc<Error>>>,
}

/// The thread that writes. Ends when every [`Sequencer`] is gone.
#[derive(Debug)]
pub struct Sequencing {
    thread: JoinHandle<Result<Log>>,
}

impl Sequencing {
    /// Waits until every sequencer is gone and all they submitted is durable; gives the log back.
    ///
    /// # Errors
    /// What ended it before: the disk. Open the log again; what was answered is in it.
    pub fn finish(self) -> Result<Log> {
        self.thread.join().unwrap_or(Err(Error::Broken))
    }
}

/// The way to an answer.
#[derive(Debug)]
pub struct Submitted {
    answer: Receiver<u64>,
    failure: Arc<OnceLock<Arc<Error>>>,
}

impl Submitted {
    /// Waits until the entries are durable; the index of the first.
    ///
    /// # Errors
    /// [`Error::Stopped`]: the log could not be written. Whether the entries are in it is known when
    /// it is open again.
    pub fn wait(self) -> Result<u64> {
        self.answer.recv().map_err(|_| stopped(&self.failure))
    }
}

fn stopped(failure: &OnceLock<Arc<Error>>) -> Error {
    Error::Stopped(failure.get().cloned().unwrap_or_else(|| Arc::new(Error::Broken)))
}

impl Sequencer {
    /// Begins to take entries for a log. The caller holds the log's lock until
    /// [`Sequencing::finish`] gave it back.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(log: Log, bounds: Bounds) -> std::io::Result<(Self, Sequencing)> {
        let (queue, taken) = mpsc::sync_channel(bounds.queue);
        let failure = Arc::new(OnceLock::new());
        let told = Arc::clone(&failure);
        let thread = std::thread::Builder::new()
            .name("sequencer".to_owned())
            .spawn(move || run(log, bounds, &taken, &told))?;
        Ok((Self { queue, failure }, Sequencing { thread }))
    }

    /// Hands in entries that are to stand next to one another, and in this order after all that
    /// this thread handed in before. Waits for room in the queue, not for the disk.
    ///
    /// # Errors
    /// An entry, or all together, too large; [`Error::Stopped`].
    pub fn submit(&self, entries: Vec<Vec<u8>>) -> Result<Submitted> {
        if let Some(long) = entries.iter().map(Vec::len).find(|len| *len > MAX_ENTRY) {
            return Err(Error::TooLarge(long));
        }
        let bytes = size(&entries);
        if bytes > MAX_BATCH {
            return Err(Error::TooLarge(bytes));
        }
        let (answer, answered) = mpsc::sync_channel(1);
        let submission = Submission { entries, answer };
        self.queue.send(submission).map_err(|_| stopped(&self.failure))?;
        Ok(Submitted { answer: answered, failure: Arc::clone(&self.failure) })
    }
}

fn size(entries: &[Vec<u8>]) -> usize {
    entries.iter().map(|e| e.len() + 2).sum()
}

/// The next batch: the first submission and what comes until the batch is closed; what did not fit
/// in is left in `next`.
fn gather(
    first: Submission,
    bounds: Bounds,
    queue: &Receiver<Submission>,
    next: &mut Option<Submission>,
) -> Vec<Submission> {
    let begun = Instant::now();
    let (mut entries, mut bytes) = (first.entries.len(), size(&first.entries));
    let mut batch = vec![first];
    while entries < bounds.entries {
        let left = bounds.wait.saturating_sub(begun.elapsed());
        let Ok(more) = queue.recv_timeout(left) else { break };
        let weight = size(&more.entries);
        if bytes + weight > MAX_BATCH {
            *next = Some(more);
            break;
        }
        bytes += weight;
        entries += more.entries.len();
        batch.push(more);
    }
    batch
}

/// Publishing in a thread beside; joined when dropped, so that nothing is written any more when
/// the log is given up.
#[derive(Default)]
struct Beside(Option<JoinHandle<Result<Published>>>);

impl Beside {
    fn start(&mut self, publication: Publication) -> std::io::Result<()> {
        let faults = disk::faults::shared();
        let run = move || {
            disk::faults::adopt(faults);
            publication.run()
        };
        self.0 = Some(std::thread::Builder::new().name("publisher".to_owned()).spawn(run)?);
        Ok(())
    }

    fn is_under_way(&self) -> bool {
        self.0.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Waits for what is under way, if anything is, and tells the log.
    fn end(&mut self, log: &mut Log) -> Result<()> {
        let Some(thread) = self.0.take() else { return Ok(()) };
        log.published(thread.join().unwrap_or(Err(Error::Broken))?);
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            let _ = thread.join(); // what it could not write stands in the journal
        }
    }
}

/// Bytes that may wait in the journal while the other is published, in times of [`Bounds::publish`].
const BEHIND: u64 = 4;

fn run(
    mut log: Log,
    bounds: Bounds,
    queue: &Receiver<Submission>,
    failure: &OnceLock<Arc<Error>>,
) -> Result<Log> {
    let publish = bounds.publish.min(MAX_BATCH as u64 / BEHIND);
    let stop = |error: Error| {
        let error = Arc::new(error);
        let _ = failure.set(Arc::clone(&error)); // the first one is the cause
        Error::Stopped(error)
    };
    let mut beside = Beside::default();
    let mut next = None;
    while let Some(first) = next.take().or_else(|| queue.recv().ok()) {
        let mut batch = gather(first, bounds, queue, &mut next);
        let counts: Vec<u64> = batch.iter().map(|s| s.entries.len() as u64).collect();
        let together = batch.iter_mut().flat_map(|s| std::mem::take(&mut s.entries)).collect();
        let mut index = log.commit(together).map_err(stop)?;
        for (submission, count) in batch.into_iter().zip(counts) {
            let _ = submission.answer.send(index); // nobody waits any more: it stands all the same
            index += count;
        }
        let waits = log.waiting();
        if waits >= publish && (!beside.is_under_way() || waits >= BEHIND * publish) {
            beside.end(&mut log).map_err(stop)?;
            let publication = log.publish_beside().map_err(stop)?;
            beside.start(publication).map_err(|e| stop(Error::thread(e)))?;
        }
    }
    beside.end(&mut log).map_err(stop)?;
    if log.waiting() > 0 {
        log.publish().map_err(stop)?;
    }
    Ok(log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::faults::{self, Last};
    use crate::{Known, SigningKey, verify};

    fn key() -> SigningKey {
        SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
    }

    /// Entries of submission `n`: large ones, so that tiles are published in between.
    fn handed_in(n: usize) -> Vec<Vec<u8>> {
        (0..2).map(|k| vec![(10 * n + k) as u8; 60_000]).collect()
    }

    /// At each of its steps in turn the disk stops (the step undone, done but not answered, or torn),
    /// fails once (the step undone or done), or is full: what was answered is in the log, nothing is
    /// twice or out of order, and the next run goes on.
    #[test]
    fn no_step_of_the_disk_loses_what_was_answered() {
        const SUBMISSIONS: usize = 12;
        const LASTS: [Last; 6] =
            [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::FailedDone, Last::Full];
        let bounds =
            Bounds { entries: 4, wait: Duration::ZERO, queue: SUBMISSIONS, publish: 1 << 20 };
        let mut ends = 0;
        'steps: for steps in 0.. {
            for last in LASTS {
                let dir =
                    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
                let log = Log::open(dir.path(), key()).unwrap();
                let (queue, taken) = mpsc::sync_channel(SUBMISSIONS);
                let mut answers = Vec::new();
                for n in 0..SUBMISSIONS {
                    let (answer, answered) = mpsc::sync_channel(1);
                    queue.send(Submission { entries: handed_in(n), answer }).unwrap();
                    answers.push(answered);
                }
                drop(queue);
                let failure = OnceLock::new();
                faults::crash_after(steps, last);
                let ended = run(log, bounds, &taken, &failure);
                let came = faults::heal();
                drop(taken);
                let told: Vec<Option<u64>> = answers.iter().map(|a| a.try_recv().ok()).collect();
                let answered = told.iter().flatten().count();
                assert!(told[..answered].iter().all(Option::is_some), "{steps} {last:?}: {told:?}");
                if !came {
                    assert!(ended.is_ok() && answered == SUBMISSIONS);
                    ends += 1;
                    if ends == LASTS.len() {
                        assert!(steps > 20, "{steps} steps");
                        break 'steps;
                    }
                    continue;
                }
                drop(ended);
                let mut log = Log::open(dir.path(), key()).unwrap();
                let there = log.size() as usize / 2;
                assert!(there >= answered, "{steps} {last:?}: {there} of {answered}");
                for n in there..SUBMISSIONS {
                    assert_eq!(log.append(&handed_in(n)).unwrap(), 2 * n as u64);
                }
                log.finish().unwrap();
                let mut n = 0;
                let key = key().verifier();
                let known = Known { key: Some(&key), ..Known::default() };
                let report = verify(dir.path(), known, &mut |_, bytes, _| {
                    let right = bytes == handed_in(n / 2)[n % 2];
                    n += 1;
                    (!right).then(|| "another entry".to_owned())
                });
                let report = report.unwrap();
                assert_eq!(report.findings, [], "{steps} {last:?}");
                assert_eq!(report.entries, 2 * SUBMISSIONS as u64, "{steps} {last:?}");
            }
        }
    }
}
