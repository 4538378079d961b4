//! The two clocks: one that nobody can set, by which things end, and the wall's, since an expiry is a moment.

use shield::order::Moment;

/// Milliseconds since the machine began, those in which it slept included.
pub(crate) fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1000) + nanos.unwrap_or(0) / 1_000_000
}

/// What the wall's clock says. Before 1970 it is 1970: then every manifest lies ahead, which is an alarm.
pub(crate) fn wall() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Moment(since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}
