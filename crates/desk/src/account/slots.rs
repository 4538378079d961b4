//! Slots for work that takes much memory: so many at once, so many that wait, and no more.

use std::sync::{Condvar, Mutex, PoisonError};

/// Hashings at once: 19 MiB each.
pub const MAX_RUNNING: usize = 2;
/// Who waits for a slot, each on a thread of its own; who comes beyond is told to come again.
pub const MAX_WAITING: usize = 16;

/// The slots.
#[derive(Debug, Default)]
pub(super) struct Slots {
    /// Running, waiting.
    taken: Mutex<(usize, usize)>,
    free: Condvar,
}

/// Gives the slot back, whatever the work did.
struct Slot<'a>(&'a Slots);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner).0 -= 1;
        self.0.free.notify_one();
    }
}

impl Slots {
    /// Runs some work once a slot is free; `None` where too many wait already.
    pub(super) fn run<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.0 >= MAX_RUNNING {
            if taken.1 >= MAX_WAITING {
                return None;
            }
            taken.1 += 1;
            while taken.0 >= MAX_RUNNING {
                taken = self.free.wait(taken).unwrap_or_else(PoisonError::into_inner);
            }
            taken.1 -= 1;
        }
        taken.0 += 1;
        drop(taken);
        let slot = Slot(self);
        let out = work();
        drop(slot);
        Some(out)
    }
}
