//! The rate: how many requests left for a host within the last minute. Kept from run to run, so that
//! asking again does not ask faster.

use std::collections::BTreeMap;
use std::fmt;

/// The window that a rate is of.
pub const WINDOW_MS: i64 = 60_000;
/// Longest text of a pace.
pub const MAX_TEXT: usize = 4 << 20;

/// When requests left, by host. Hosts are names and addresses alike: many names on one address count
/// together there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace(BTreeMap<String, Vec<i64>>);

impl Pace {
    /// Reads what [`fmt::Display`] wrote; lines that are none are passed over, since the worst that
    /// follows of it is one minute.
    pub fn parse(text: &str) -> Self {
        let mut pace = Self::default();
        for line in text.lines() {
            if let Some((at, host)) = line.split_once(' ')
                && let Ok(at) = at.parse()
                && host.bytes().all(|b| b.is_ascii_graphic())
            {
                pace.0.entry(host.to_owned()).or_default().push(at);
            }
        }
        for times in pace.0.values_mut() {
            times.sort_unstable();
        }
        pace
    }

    /// When the next request to all of these hosts may leave; `now_ms` where it may at once.
    pub fn due(&self, hosts: &[String], rate: u32, now_ms: i64) -> i64 {
        let due = |host: &String| {
            let times = self.0.get(host).map_or(&[][..], Vec::as_slice);
            // A clock that was set back must not close a host for longer than the window.
            let recent: Vec<i64> = times
                .iter()
                .copied()
                .filter(|at| (now_ms - WINDOW_MS..=now_ms).contains(at) && at + WINDOW_MS > now_ms)
                .collect();
            match recent.len().checked_sub(rate.max(1) as usize) {
                None => now_ms,
                Some(first) => recent[first] + WINDOW_MS,
            }
        };
        hosts.iter().map(due).max().unwrap_or(now_ms)
    }

    /// A request leaves.
    pub fn take(&mut self, hosts: &[String], now_ms: i64) {
        self.0.retain(|_, times| {
            times.retain(|at| (now_ms - WINDOW_MS..=now_ms).contains(at));
            !times.is_empty()
        });
        for host in hosts {
            self.0.entry(host.clone()).or_default().push(now_ms);
        }
    }
}

/// A line a request.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (host, times) in &self.0 {
            for at in times {
                writeln!(f, "{at} {host}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    #[test]
    fn a_host_waits_and_another_does_not() {
        let (tv, both) = (hosts(&["tv.example"]), hosts(&["other.example", "198.18.0.7"]));
        let mut pace = Pace::default();
        for at in [0, 10] {
            assert_eq!(pace.due(&tv, 2, at), at);
            pace.take(&tv, at);
        }
        assert_eq!(pace.due(&tv, 2, 20), WINDOW_MS);
        assert_eq!(pace.due(&tv, 2, WINDOW_MS), WINDOW_MS);
        assert_eq!(pace.due(&both, 1, 20), 20);
        pace.take(&hosts(&["198.18.0.7"]), 30);
        assert_eq!(pace.due(&both, 1, 40), WINDOW_MS + 30);
        assert_eq!(Pace::parse(&pace.to_string()), pace);
        // What lies in the future of a clock that was set back holds nobody up.
        pace.take(&tv, 1_000_000);
        assert_eq!(pace.due(&tv, 1, 500), 500);
        assert_eq!(Pace::parse("x\n1\n\u{0}\n1 a\u{0}\r\n"), Pace::default());
    }

    proptest! {
        /// Whoever waits as told never has more than the rate in any window.
        #[test]
        fn the_rate_holds_in_every_window(
            rate in 1u32..5,
            steps in prop::collection::vec(0i64..40_000, 1..40),
        ) {
            let (host, mut pace, mut now, mut left) = (hosts(&["a"]), Pace::default(), 0, Vec::new());
            for step in steps {
                now = pace.due(&host, rate, now + step);
                pace.take(&host, now);
                left.push(now);
            }
            for at in &left {
                let within = left.iter().filter(|t| (*at..at + WINDOW_MS).contains(t)).count();
                prop_assert!(within <= rate as usize, "{within} at {at}");
            }
        }
    }
}
