//! The thread that has the house. Whoever asks puts it into a queue of a bounded length and waits; what came
//! together is made durable together. The same thread does what the clock makes due, so that nothing is
//! decided by two.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use shield::order::{Moment, Refusal};

use super::house::{Ask, Done, House, MAX_TOGETHER};
use crate::{Error, Result};

/// The most commands that wait.
pub const MAX_WAITING: usize = 4_096;
/// The most of a round: then the clock has its turn, and who waits for a flush their answer, however many ask.
const MAX_ROUND: usize = 1_024;
/// The longest that the thread sleeps: a clock that is set on is noticed within it.
const NAP: Duration = Duration::from_millis(500);

/// What is told once something was published.
pub trait Out: Send {
    /// The house published a new serial, or began its feed.
    fn published(&mut self, house: &House);
}

impl<F: FnMut(&House) + Send> Out for F {
    fn published(&mut self, house: &House) {
        self(house);
    }
}

/// What a question finds out.
type Look = Box<dyn FnOnce(&mut House) + Send>;

enum Job {
    Act(Ask, SyncSender<Result<std::result::Result<Done, Refusal>>>),
    Look(Look),
    Close,
}

/// The clearing house is closed, or closing, or its queue is full: only the first is for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// It is closed.
    #[error("the clearing house is closed")]
    Gone,
    /// More wait than may.
    #[error("{MAX_WAITING} commands wait already: ask again in a moment")]
    Full,
}

/// Who asks the thread that has the house. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keeper {
    jobs: SyncSender<Job>,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Act(..) => "Act",
            Self::Look(_) => "Look",
            Self::Close => "Close",
        })
    }
}

impl Keeper {
    /// Begins the feed of a house, and keeps it in a thread of its own, until [`Keeper::close`] or a fault
    /// of the disk.
    ///
    /// # Errors
    /// The disk; the system has no thread.
    pub fn start(
        mut house: House,
        mut out: Box<dyn Out>,
    ) -> Result<(Self, JoinHandle<Result<()>>)> {
        house.begin()?;
        house.show()?;
        let keeping = house.keeping()?;
        house.forget_rows();
        let (jobs, queue) = sync_channel(MAX_WAITING);
        let run = move || {
            out.published(&house);
            let ran = keep(&mut house, &queue, out.as_mut());
            // What came last is published, and kept under the house's lock: an erasure that waits for it finds all of it.
            let shown = house.show();
            keeping.close();
            let closed = house.close();
            // What went wrong first says why the rest did.
            ran.and(shown).and(closed)
        };
        let thread = std::thread::Builder::new().name("clearing house".to_owned()).spawn(run);
        let thread = thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))?;
        Ok((Self { jobs }, thread))
    }

    /// Has something done; gives its answer once that is durable.
    ///
    /// # Errors
    /// [`Closed`]; the disk.
    pub fn act(&self, ask: Ask) -> Result<std::result::Result<Done, Refusal>> {
        let (reply, answer) = sync_channel(1);
        self.put(Job::Act(ask, reply))?;
        answer.recv().map_err(|_| Error::from(Closed::Gone))?
    }

    /// Asks the house something.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut House) -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        let job = move |house: &mut House| drop(reply.send(look(house)));
        self.put(Job::Look(Box::new(job)))?;
        answer.recv().map_err(|_| Closed::Gone.into())
    }

    /// The same for the house's own threads, as are its heartbeats: waits for its turn, however many wait already.
    ///
    /// # Errors
    /// [`Closed::Gone`], and never that the queue is full.
    pub fn look_in_turn<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut House) -> T + Send + 'static,
    ) -> std::result::Result<T, Closed> {
        let (reply, answer) = sync_channel(1);
        let job = move |house: &mut House| drop(reply.send(look(house)));
        self.jobs.send(Job::Look(Box::new(job))).map_err(|_| Closed::Gone)?;
        answer.recv().map_err(|_| Closed::Gone)
    }

    /// Has the house closed once what waits is done.
    pub fn close(&self) {
        let _ = self.jobs.send(Job::Close);
    }

    fn put(&self, job: Job) -> Result<()> {
        self.jobs.try_send(job).map_err(|e| match e {
            TrySendError::Full(_) => Closed::Full.into(),
            TrySendError::Disconnected(_) => Closed::Gone.into(),
        })
    }
}

/// One round after another.
fn keep(house: &mut House, queue: &Receiver<Job>, out: &mut dyn Out) -> Result<()> {
    let mut more = false;
    loop {
        let nap = if more { Duration::ZERO } else { nap(house) };
        let first = match queue.recv_timeout(nap) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
        let open = round(house, first, queue)?;
        while house.tick()? {}
        // A turn of it a round: who lifts or stops something meanwhile does not wait for the end of all.
        more = house.carry_on()?;
        house.note_standby()?;
        if house.publish().is_some() {
            // What goes out is proven out of tiles: these stand before it does.
            house.show()?;
            out.published(house);
        }
        house.show_waiting()?;
        if !open {
            return Ok(());
        }
    }
}

/// Takes what waits; false where the house is to be closed.
fn round(house: &mut House, first: Option<Job>, queue: &Receiver<Job>) -> Result<bool> {
    let (mut asks, mut replies, mut open) = (Vec::new(), Vec::new(), true);
    let (mut next, mut taken) = (first, 0);
    while let Some(job) = next.take() {
        taken += 1;
        match job {
            Job::Act(ask, reply) => {
                asks.push(ask);
                replies.push(reply);
            }
            Job::Look(look) => look(house),
            Job::Close => {
                open = false;
                break;
            }
        }
        if asks.len() < MAX_TOGETHER && taken < MAX_ROUND {
            next = queue.try_recv().ok();
        }
    }
    if asks.is_empty() {
        return Ok(open);
    }
    // Who asked and hears nothing does not know whether it was done: the log says.
    let answers = house.act(&asks)?;
    for (reply, answer) in replies.into_iter().zip(answers) {
        let _ = reply.send(Ok(answer));
    }
    Ok(open)
}

/// How long nothing has to be done.
fn nap(house: &House) -> Duration {
    let due = house.state().next_due().map_or(u64::MAX, |due: Moment| due.since(house.now()));
    Duration::from_millis(due).min(NAP)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::mpsc::channel;

    use super::super::tests::place;
    use super::*;

    /// Has the house's thread wait until what is given back is dropped, with a queue that is full meanwhile.
    pub(in crate::clearing) fn full(keeper: &Keeper) -> SyncSender<()> {
        let (free, waits) = sync_channel::<()>(1);
        let (begun, begins) = channel();
        let look = move |_: &mut House| {
            begun.send(()).unwrap();
            let _ = waits.recv();
        };
        keeper.jobs.send(Job::Look(Box::new(look))).unwrap();
        begins.recv().unwrap();
        while keeper.jobs.try_send(Job::Look(Box::new(|_| ()))).is_ok() {}
        free
    }

    #[test]
    fn a_full_queue_is_no_house_that_is_gone_and_who_waits_has_his_turn() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        House::create(&place).unwrap();
        let house = House::open(&place).unwrap();
        let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
        let free = full(&keeper);
        assert!(matches!(keeper.look(|_| ()), Err(Error::Closed(Closed::Full))));
        let (of, (answer, answers)) = (keeper.clone(), channel());
        let waits = std::thread::spawn(move || {
            answer.send(of.look_in_turn(|house| house.epoch())).unwrap()
        });
        assert!(answers.recv_timeout(Duration::from_millis(300)).is_err(), "it waits");
        drop(free);
        assert_eq!(answers.recv_timeout(Duration::from_secs(60)).unwrap(), Ok(1));
        waits.join().unwrap();
        keeper.close();
        thread.join().unwrap().unwrap();
        assert!(matches!(keeper.look(|_| ()), Err(Error::Closed(Closed::Gone))));
        assert_eq!(keeper.look_in_turn(|_| ()), Err(Closed::Gone));
    }
}
