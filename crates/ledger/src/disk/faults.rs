//! Faults on demand, for tests: after the n-th step of this thread, and of those that adopted its
//! faults, nothing reaches the disk; or one step fails and the disk goes on.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What becomes of the step that the fault falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It does not happen, nor does any after it: a crash.
    Undone,
    /// It happens, but its caller never learns so, and none after it does: a crash.
    Done,
    /// A write leaves its first half; any other step does not happen, nor does any after it.
    Torn,
    /// It does not happen; the disk goes on.
    Failed,
    /// It happens, and is said to have failed; the disk goes on.
    FailedDone,
    /// The disk is full: a write leaves its first half and fails, and so does every write after it.
    Full,
}

/// Who counts steps together.
#[derive(Debug, Default)]
pub struct State {
    left: Option<(u64, Last)>,
    stopped: bool,
    full: bool,
    came: bool,
}

thread_local! {
    static STATE: RefCell<Arc<Mutex<State>>> = RefCell::default();
}

/// This thread's faults, for another to [`adopt`].
pub fn shared() -> Arc<Mutex<State>> {
    STATE.with_borrow(Arc::clone)
}

/// From now on this thread counts with the one that shared.
pub fn adopt(state: Arc<Mutex<State>>) {
    STATE.set(state);
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    let state = shared();
    let mut guard: MutexGuard<'_, State> = state.lock().unwrap_or_else(PoisonError::into_inner);
    f(&mut guard)
}

/// The fault falls on the step after `steps` more.
pub fn crash_after(steps: u64, last: Last) {
    with(|state| *state = State { left: Some((steps, last)), ..State::default() });
}

/// No more faults. True if the fault had come.
pub fn heal() -> bool {
    with(|state| std::mem::take(state).came)
}

pub(super) fn stopped() -> bool {
    with(|state| state.stopped)
}

fn dead() -> io::Error {
    io::Error::other("the disk was stopped by the test")
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// `None`: go on. `Some`: the fault falls on this step.
fn count() -> io::Result<Option<Last>> {
    with(|state| {
        if state.stopped {
            return Err(dead());
        }
        match state.left {
            None => Ok(None),
            Some((0, last)) => {
                state.left = None;
                state.came = true;
                match last {
                    Last::Undone | Last::Done | Last::Torn => state.stopped = true,
                    Last::Full => state.full = true,
                    Last::Failed | Last::FailedDone => {}
                }
                Ok(Some(last))
            }
            Some((n, last)) => {
                state.left = Some((n - 1, last));
                Ok(None)
            }
        }
    })
}

pub(super) fn run<T>(run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match count()? {
        // A full disk still removes, renames and flushes what it has.
        None | Some(Last::Full) => run(),
        Some(Last::Done | Last::FailedDone) => {
            run()?;
            Err(dead())
        }
        Some(Last::Undone | Last::Torn | Last::Failed) => Err(dead()),
    }
}

pub(super) fn run_write(
    bytes: &[u8],
    mut run: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    match count()? {
        None if with(|state| state.full) => Err(full()),
        None => run(bytes),
        Some(Last::Undone | Last::Failed) => Err(dead()),
        Some(Last::Done | Last::FailedDone) => {
            run(bytes)?;
            Err(dead())
        }
        Some(Last::Torn) => {
            run(&bytes[..bytes.len() / 2])?;
            Err(dead())
        }
        Some(Last::Full) => {
            run(&bytes[..bytes.len() / 2])?;
            Err(full())
        }
    }
}
