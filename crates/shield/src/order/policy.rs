//! The figures of the clearing house: each has a default, can be configured, and is shown.

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

macro_rules! policy {
    ($( $(#[doc = $about:literal])+ $name:ident = $value:expr, $unit:literal; )*) => {
        /// The figures. Only decisions read them: a step carries the moments that were decided, so
        /// that a changed figure changes nothing that was decided before.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Policy { $( $(#[doc = $about])+ pub $name: u64, )* }

        impl Default for Policy {
            fn default() -> Self {
                Self { $( $name: $value, )* }
            }
        }

        impl Policy {
            /// Each figure: its name, its value, its unit.
            pub fn list(&self) -> Vec<(&'static str, u64, &'static str)> {
                vec![$( (stringify!($name), self.$name, $unit), )*]
            }

            /// Gives a figure another value.
            ///
            /// # Errors
            /// No such figure, or a value beyond what the machine can keep, in words.
            pub fn set(&mut self, figure: &str, value: u64) -> Result<(), String> {
                let most = match figure {
                    "budget_days" => MAX_BUDGET_DAYS,
                    "measured_window_ms" => MAX_MEASURED_MS,
                    "measured_percent" => 100,
                    "budget_per_mille" => 1_000,
                    "witnesses" => MAX_WITNESSES,
                    "published_month" => LAST_MONTH,
                    _ => LONGEST,
                };
                if figure == "published_month" && value != 0 && !(1..=12).contains(&(value % 100)) {
                    return Err(format!(
                        "{figure} is a month such as 202610, or 0, and {value} was given"
                    ));
                }
                if value > most {
                    return Err(format!("{figure} is at most {most}, and {value} was given"));
                }
                match figure {
                    $( stringify!($name) => self.$name = value, )*
                    _ => return Err(format!("no figure is called {figure:?}")),
                }
                Ok(())
            }
        }
    };
}

policy! {
    /// A capture is evidence for so long after it was taken.
    capture_age_ms = 10 * MINUTE, "ms";
    /// A capture's clock may be ahead of ours by so much.
    clock_skew_ms = 2 * SECOND, "ms";
    /// What is in force is captured again so often in an event.
    recapture_event_ms = 5 * MINUTE, "ms";
    /// What is in force is captured again so often under an order without an event.
    recapture_site_ms = 14 * DAY, "ms";
    /// Two misses are two where so much lies between them: two probes in one blink are one.
    miss_spacing_ms = 2 * MINUTE, "ms";
    /// A capture that is due and does not come is due again after so long.
    capture_retry_ms = MINUTE, "ms";
    /// An item of an event expires so long after the event's window.
    after_event_ms = 15 * MINUTE, "ms";
    /// An event's window is at most so long, extensions included.
    event_longest_ms = DAY, "ms";
    /// An item of an order without an event expires after so long at most.
    site_longest_ms = 90 * DAY, "ms";
    /// The silence after the notice, before an address is touched, in an event.
    silence_event_ms = 10 * MINUTE, "ms";
    /// The same under an order without an event.
    silence_site_ms = DAY, "ms";
    /// A reviewer decides an objection within so long, in an event.
    objection_event_ms = HOUR, "ms";
    /// The same outside one.
    objection_site_ms = DAY, "ms";
    /// So long after a ticket's event, or after the end of one without an event, what may be told of it is told.
    opened_after_ms = DAY, "ms";
    /// A feed says that it lives so often, in an event.
    heartbeat_event_ms = SECOND, "ms";
    /// The same outside one.
    heartbeat_idle_ms = 30 * SECOND, "ms";
    /// Who hears nothing of the feed for so long lets go of what it blocks.
    silence_limit_ms = 15 * MINUTE, "ms";
    /// A reporter may err so many times in a thousand releases; above it every item needs two persons.
    budget_per_mille = 1, "errors per 1,000 releases";
    /// The days over which that is counted, today included. At most 90.
    budget_days = 90, "days";
    /// So many errors on what is popular, protected or a CDN's use up the budget whatever the count.
    budget_grave = 1, "errors";
    /// At so many times the budget, and the second error at the earliest, the reporter is suspended.
    suspend_times = 2, "times the budget";
    /// So many harm reports from different networks have check and probe run again at once.
    harm_networks = 3, "networks";
    /// Harm reports on one value count together for so long.
    harm_window_ms = HOUR, "ms";
    /// A network is heard so many times an hour, on all values together.
    harm_per_hour = 20, "reports per hour";
    /// A control that two probes see failing within so long fails.
    control_window_ms = 5 * MINUTE, "ms";
    /// More than so many of a hundred items lifted by measurement alone within the window stop all.
    measured_percent = 5, "percent";
    /// The window of that. At most one hour.
    measured_window_ms = 5 * MINUTE, "ms";
    /// So many such lifts in the window stop nothing, however few items there are.
    measured_least = 3, "items";
    /// So many witnesses have to have cosigned the checkpoint that covers an addition before it goes out. 0: none
    /// is waited for. At most 64.
    witnesses = 0, "witnesses";
    /// Figures of months that are over are public up to this one, as year × 100 + month: 202610. 0: of none.
    published_month = 0, "year and month";
}

/// The most witnesses that an addition waits for: as many as an authority names.
pub const MAX_WITNESSES: u64 = 64;

/// The last month that can be published.
const LAST_MONTH: u64 = 999_912;
/// The most days over which errors are counted: what the machine remembers of them.
pub const MAX_BUDGET_DAYS: u64 = 90;
/// The longest window in which lifts by measurement are counted, in milliseconds.
pub const MAX_MEASURED_MS: u64 = HOUR;
/// The greatest value of any figure: ten years, in milliseconds.
const LONGEST: u64 = 3_653 * DAY;
/// A day, in milliseconds.
pub(crate) const DAY_MS: u64 = DAY;
/// An hour, in milliseconds.
pub(crate) const HOUR_MS: u64 = HOUR;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_set_within_its_bounds() {
        let mut policy = Policy::default();
        policy.set("capture_age_ms", 5).unwrap();
        assert_eq!(policy.capture_age_ms, 5);
        assert!(policy.set("capture_age", 5).is_err());
        assert!(policy.set("budget_days", MAX_BUDGET_DAYS + 1).is_err());
        assert!(policy.set("capture_age_ms", u64::MAX).is_err());
        assert!(policy.set("witnesses", MAX_WITNESSES + 1).is_err());
        for bad in [2026, 202_600, 202_613, 1_000_001] {
            assert!(policy.set("published_month", bad).is_err(), "{bad}");
        }
        policy.set("published_month", 202_612).unwrap();
        for (name, value, _) in Policy::default().list() {
            policy.set(name, value).unwrap();
        }
        assert_eq!(policy, Policy::default());
        assert_eq!(policy.published_month, 0);
    }

    #[test]
    fn the_figures_are_those_that_were_promised() {
        let list = Policy::default().list();
        let of = |name: &str| list.iter().find(|(n, _, _)| *n == name).map(|(_, v, _)| *v);
        for (name, value) in [
            ("capture_age_ms", 600_000),
            ("after_event_ms", 900_000),
            ("recapture_event_ms", 300_000),
            ("recapture_site_ms", 14 * 86_400_000),
            ("site_longest_ms", 90 * 86_400_000),
            ("silence_event_ms", 600_000),
            ("silence_site_ms", 86_400_000),
            ("heartbeat_event_ms", 1_000),
            ("heartbeat_idle_ms", 30_000),
            ("silence_limit_ms", 900_000),
            ("objection_event_ms", 3_600_000),
            ("objection_site_ms", 86_400_000),
            ("opened_after_ms", 86_400_000),
            ("budget_per_mille", 1),
            ("budget_days", 90),
            ("budget_grave", 1),
            ("measured_percent", 5),
            ("measured_window_ms", 300_000),
            ("witnesses", 0),
        ] {
            assert_eq!(of(name), Some(value), "{name}");
        }
    }
}
