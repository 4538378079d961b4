//! Errors a reporter made, over a window of days that slides.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::policy::{DAY_MS, MAX_BUDGET_DAYS, Policy};
use super::turn::Charge;
use super::words::{Moment, words};

/// What a reporter released and where it erred, by day: at most [`MAX_BUDGET_DAYS`] of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Budget {
    days: VecDeque<Day>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    /// Since 1970, in UTC.
    number: i64,
    count: Count,
}

/// Releases and errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    /// Items released.
    pub released: u64,
    /// Errors, grave ones included.
    pub errors: u64,
    /// Errors on what is popular, protected or a CDN's.
    pub grave: u64,
}

words! {
    /// How a reporter stands.
    Standing {
        /// Within the budget.
        Within "within",
        /// Above it: every item needs two persons.
        Above "above",
        /// Far above it: suspended until two persons resume.
        FarAbove "far_above",
    }
}

impl Count {
    /// How somebody with these figures stands.
    ///
    /// The share is taken as it is, without a least number of releases: a reporter who releases ten
    /// items and errs in one needs a second person for the eleventh.
    pub fn standing(&self, policy: &Policy) -> Standing {
        let share = u128::from(self.errors) * 1_000;
        let allowed = u128::from(self.released) * u128::from(policy.budget_per_mille);
        let times = u128::from(policy.suspend_times.max(1));
        let graves = u128::from(policy.budget_grave.max(1));
        let grave = u128::from(self.grave);
        let far = self.errors >= 2 && (share > allowed * times || grave >= graves * times);
        match () {
            () if far => Standing::FarAbove,
            () if share > allowed || grave >= graves => Standing::Above,
            () => Standing::Within,
        }
    }

    /// With one error more.
    #[must_use]
    pub fn and(self, charge: Charge) -> Self {
        Self {
            released: self.released,
            errors: self.errors + u64::from(charge != Charge::None),
            grave: self.grave + u64::from(charge == Charge::Grave),
        }
    }
}

impl Budget {
    /// The figures of the days that count at a moment.
    pub fn count(&self, now: Moment, policy: &Policy) -> Count {
        let days = policy.budget_days.clamp(1, MAX_BUDGET_DAYS);
        let first = day(now).saturating_sub_unsigned(days - 1);
        let mut sum = Count::default();
        for day in self.days.iter().filter(|day| day.number >= first) {
            sum.released += day.count.released;
            sum.errors += day.count.errors;
            sum.grave += day.count.grave;
        }
        sum
    }

    pub(super) fn release(&mut self, at: Moment) {
        if let Some(count) = self.today(at) {
            count.released += 1;
        }
    }

    pub(super) fn charge(&mut self, at: Moment, charge: Charge) {
        if let Some(count) = self.today(at) {
            *count = count.and(charge);
        }
    }

    /// The day's count. A clock that went back counts on the latest day it knew.
    fn today(&mut self, at: Moment) -> Option<&mut Count> {
        let number = day(at);
        if self.days.back().is_none_or(|last| last.number < number) {
            self.days.push_back(Day { number, count: Count::default() });
            let first = number.saturating_sub_unsigned(MAX_BUDGET_DAYS - 1);
            while self.days.front().is_some_and(|day| day.number < first) {
                self.days.pop_front();
            }
        }
        self.days.back_mut().map(|day| &mut day.count)
    }
}

fn day(at: Moment) -> i64 {
    at.0.div_euclid(DAY_MS as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(day: i64) -> Moment {
        Moment(day * DAY_MS as i64 + 7)
    }

    #[test]
    fn errors_are_forgiven_after_ninety_days_and_not_before() {
        let (mut budget, policy) = (Budget::default(), Policy::default());
        (0..1_000).for_each(|_| budget.release(at(0)));
        budget.charge(at(0), Charge::Error);
        assert_eq!(budget.count(at(0), &policy).standing(&policy), Standing::Within);
        budget.charge(at(1), Charge::Error);
        assert_eq!(budget.count(at(1), &policy).standing(&policy), Standing::Above);
        budget.charge(at(2), Charge::Error);
        assert_eq!(budget.count(at(2), &policy).standing(&policy), Standing::FarAbove);
        let of = |day| budget.count(at(day), &policy);
        assert_eq!(of(89), Count { released: 1_000, errors: 3, grave: 0 });
        assert_eq!(of(90), Count { released: 0, errors: 2, grave: 0 });
        assert_eq!(of(92), Count::default());
    }

    #[test]
    fn one_grave_error_is_the_whole_budget() {
        let (mut budget, policy) = (Budget::default(), Policy::default());
        (0..1_000_000).for_each(|_| budget.release(at(0)));
        budget.charge(at(0), Charge::Grave);
        assert_eq!(budget.count(at(0), &policy).standing(&policy), Standing::Above);
        budget.charge(at(0), Charge::Grave);
        assert_eq!(budget.count(at(0), &policy).standing(&policy), Standing::FarAbove);
    }

    #[test]
    fn no_more_days_are_kept_than_count() {
        let mut budget = Budget::default();
        (0..500).for_each(|day| budget.release(at(day)));
        assert_eq!(budget.days.len() as u64, MAX_BUDGET_DAYS);
        budget.release(at(3));
        assert_eq!(budget.days.len() as u64, MAX_BUDGET_DAYS);
    }
}
