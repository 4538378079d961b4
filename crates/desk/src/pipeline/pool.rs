//! Threads that do pieces of work for whoever waits for them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

type Task = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    tasks: VecDeque<Task>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

/// A fixed number of threads. Whoever submits bounds what is outstanding: the queue itself has no
/// bound. Tasks never wait for other tasks.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What a task will give.
pub(crate) struct Slot<T>(Arc<(Mutex<Option<std::thread::Result<T>>>, Condvar)>);

impl Pool {
    /// Starts the threads.
    pub(crate) fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (0..threads.max(1))
            .map(|_| {
                let shared = shared.clone();
                std::thread::spawn(move || work(&shared))
            })
            .collect();
        Self { shared, threads }
    }

    /// Number of threads.
    pub(crate) fn len(&self) -> usize {
        self.threads.len()
    }

    /// Hands over a task.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        task: impl FnOnce() -> T + Send + 'static,
    ) -> Slot<T> {
        let slot = Arc::new((Mutex::new(None), Condvar::new()));
        let filled = slot.clone();
        let task: Task = Box::new(move || {
            let result = catch_unwind(AssertUnwindSafe(task));
            *filled.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            filled.1.notify_all();
        });
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.tasks.push_back(task);
        drop(queue);
        self.shared.wake.notify_one();
        Slot(slot)
    }
}

fn work(shared: &Shared) {
    loop {
        let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let task = loop {
            if let Some(task) = queue.tasks.pop_front() {
                break task;
            }
            if queue.closed {
                return;
            }
            queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        };
        drop(queue);
        task();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join(); // a task's panic went to its slot
        }
    }
}

impl<T> Slot<T> {
    /// True once the result is there.
    pub(crate) fn ready(&self) -> bool {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Waits for the result. `Err` where the task panicked.
    pub(crate) fn wait(self) -> std::thread::Result<T> {
        let mut result = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(result) = result.take() {
                return result;
            }
            result = self.0.1.wait(result).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
