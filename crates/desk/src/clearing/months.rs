//! What became of what was reported, month by month: the figures that an authority publishes of months that are over.
//!
//! No name stands in them, nor a value. Bounds: the newest [`MAX_MONTHS`]; of each the newest
//! [`super::tally::MAX_SAMPLES`] times.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use shield::order::Moment;

use super::tally::Times;

/// The most months that are kept: ten years.
pub const MAX_MONTHS: usize = 120;

/// A month, as year × 100 + month: 202610. 0 is none.
pub type MonthId = u64;

/// A month's figures: what was decided in it, whenever it was reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Month {
    /// Tickets taken.
    pub tickets: u64,
    /// Items in them.
    pub reported: u64,
    /// Items put into force.
    pub released: u64,
    /// Items that were held for a second person at their first check.
    pub held: u64,
    /// Items that never were in force.
    pub refused: u64,
    /// Items that ended before their time, whatever for.
    pub lifted: u64,
    /// Of these: for harm to others.
    pub collateral: u64,
    /// Items that ended by their time.
    pub expired: u64,
    /// Objections taken.
    pub objections: u64,
    /// Objections upheld.
    pub upheld: u64,
    /// Stops, whatever they were on.
    pub stops: u64,
    /// From an objection to the lift that it led to, in milliseconds.
    pub to_lift: Times,
}

/// Figures by month. A copy shares them: it costs the house a moment, whatever stands in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<MonthId, Month>")]
pub struct Months(BTreeMap<MonthId, Arc<Month>>);

impl Serialize for Months {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter())
    }
}

impl From<BTreeMap<MonthId, Month>> for Months {
    fn from(months: BTreeMap<MonthId, Month>) -> Self {
        Self(months.into_iter().map(|(id, month)| (id, Arc::new(month))).collect())
    }
}

impl Months {
    /// Each month in which anything was decided, the oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (MonthId, &Month)> {
        self.0.iter().map(|(id, month)| (*id, &**month))
    }

    /// True where there are more than are kept.
    pub(super) fn too_many(&self) -> bool {
        self.0.len() > MAX_MONTHS
    }

    /// Counts in the month of a moment.
    pub(super) fn count(&mut self, at: Moment, add: impl FnOnce(&mut Month)) {
        add(Arc::make_mut(self.0.entry(month_of(at)).or_default()));
        if self.0.len() > MAX_MONTHS {
            self.0.pop_first();
        }
    }
}

/// The month of a moment, in UTC; 0 where the calendar has none.
pub fn month_of(at: Moment) -> MonthId {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.0) else { return 0 };
    let day = at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let year = u64::try_from(day.year()).unwrap_or(0);
    year * 100 + u64::from(day.month().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use model::Stamp;

    use super::*;

    fn at(text: &str) -> Moment {
        Moment(Stamp::parse_iso(text).unwrap().utc_ms())
    }

    #[test]
    fn a_moment_is_of_its_month_in_utc() {
        for (text, month) in [
            ("1970-01-01T00:00:00Z", 197_001),
            ("2026-10-31T23:59:59.999Z", 202_610),
            ("2026-11-01T00:00:00Z", 202_611),
            ("2026-11-01T00:30:00+01:00", 202_610),
            ("2024-02-29T12:00:00Z", 202_402),
            ("2000-12-31T23:59:59Z", 200_012),
        ] {
            assert_eq!(month_of(at(text)), month, "{text}");
        }
        assert_eq!(month_of(Moment(i64::MIN)), 0);
    }

    #[test]
    fn the_oldest_months_go() {
        let mut months = Months::default();
        for n in 0..=MAX_MONTHS {
            let text = format!("{}-{:02}-15T00:00:00Z", 2000 + n / 12, n % 12 + 1);
            months.count(at(&text), |month| month.tickets += 1);
        }
        let first = months.iter().next().map(|(id, _)| id);
        assert_eq!((months.0.len(), first), (MAX_MONTHS, Some(200_002)));
    }

    /// Who shows months holds none of the figures up: of what a copy shares the one that runs alone is copied.
    #[test]
    fn a_copy_shares_what_no_longer_changes() {
        let mut months = Months::default();
        let old = at("2026-10-15T00:00:00Z");
        let now = at("2026-11-15T00:00:00Z");
        [old, now].iter().for_each(|at| months.count(*at, |month| month.to_lift.add(1)));
        let copy = months.clone();
        months.count(now, |month| month.to_lift.add(2));
        let shared = |id| Arc::ptr_eq(&months.0[&id], &copy.0[&id]);
        assert_eq!((shared(202_610), shared(202_611)), (true, false));
        assert_eq!((months.0[&202_611].to_lift.all, copy.0[&202_611].to_lift.all), (2, 1));
        let text = serde_json::to_string(&months).unwrap();
        assert!(text.starts_with("{\"202610\":{\"tickets\":0,"), "{text}");
        assert_eq!(serde_json::from_str::<Months>(&text).unwrap(), months);
    }
}
