//! What time it is, where a simulation says so: for its own thread alone.

use std::cell::Cell;

thread_local! {
    static SET: Cell<Option<i64>> = const { Cell::new(None) };
}

/// From here on it is this moment in this thread, in milliseconds since 1970, until another is set; `None`: what
/// the machine's clock says.
pub fn set_ms(now: Option<i64>) {
    SET.set(now);
}

pub(crate) fn set() -> Option<i64> {
    SET.get()
}
