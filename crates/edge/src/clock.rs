//! The two clocks: one that nobody can set, by which things end, and the wall's, since an expiry is a moment.

use shield::order::Moment;

/// Milliseconds since the machine began, those in which it slept included.
pub(crate) fn now() -> u64 {
    #[cfg(test)]
    if let Some((_, now)) = set() {
        return now;
    }
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1000) + nanos.unwrap_or(0) / 1_000_000
}

/// What the wall's clock says. Before 1970 it is 1970: then every manifest lies ahead, which is an alarm.
pub(crate) fn wall() -> Moment {
    #[cfg(test)]
    if let Some((wall, _)) = set() {
        return wall;
    }
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Moment(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

#[cfg(test)]
thread_local! {
    static SET: std::cell::Cell<Option<(Moment, u64)>> = const { std::cell::Cell::new(None) };
}

/// From here on both clocks say this in this thread: a simulation's.
#[cfg(test)]
pub(crate) fn set_both(clocks: Option<(Moment, u64)>) {
    SET.set(clocks);
}

#[cfg(test)]
fn set() -> Option<(Moment, u64)> {
    SET.get()
}
