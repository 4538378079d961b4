//! What ISPs report of what they block.
//!
//! A report is its ISP's word about itself. It changes no item and no other's report; it decides nothing. No
//! command of the clearing house records it: reports stand in this process alone, are bounded, and are gone when it
//! ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use shield::feed::Gates;
use shield::order::words::Organisation;
use shield::order::{Moment, Value};

use crate::answer::{Answer, Outcome};
use crate::asked::exact;
use crate::call::{Call, time};
use crate::codes::{
    Fault, ITEM_NOT_FOUND, ITEM_NOTE_NON_VALID, ITEM_REASON_MISSING, ITEM_REASON_NON_VALID,
    ITEM_TIMESTAMP_NON_VALID, ITEM_UPDATE_TIME_EXCEEDED, ITEM_VALUE_MISSING, ITEM_VALUE_NON_VALID,
};
use crate::seen::out_since;

/// The most reports that are kept of one ISP; the oldest gives way.
pub(crate) const MAX_OF_ISP: usize = 20_000;
/// The most reports that are kept; of the ISP with the most the oldest gives way.
pub(crate) const MAX_REPORTS: usize = 500_000;
/// Why an ISP does not block something.
pub(crate) const REASONS: [&str; 3] = ["ALREADY_BLOCKED", "UNDEFINED", "UNKNOWN"];

/// What an ISP reports of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// `processed` or `unprocessed`.
    pub(crate) status: &'static str,
    /// Why not.
    pub(crate) reason: Option<&'static str>,
    /// Since when, as it says.
    pub(crate) timestamp: Option<String>,
    /// What else it says.
    pub(crate) note: Option<String>,
    /// When it said so.
    pub(crate) at: Moment,
}

#[derive(Debug, Default)]
struct OfIsp {
    by_value: BTreeMap<Value, (u64, Report)>,
    /// Values by the order of their reports.
    order: BTreeMap<u64, Value>,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    count: usize,
    isps: BTreeMap<Organisation, OfIsp>,
}

/// The reports of all ISPs.
#[derive(Debug, Default)]
pub(crate) struct Reports(Mutex<Table>);

impl OfIsp {
    fn drop_oldest(&mut self) -> usize {
        let Some((_, value)) = self.order.pop_first() else { return 0 };
        usize::from(self.by_value.remove(&value).is_some())
    }
}

impl Reports {
    /// Takes a report in place of the one before.
    pub(crate) fn put(&self, isp: &Organisation, value: &Value, report: Report) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { next, count, isps } = &mut *table;
        let number = *next;
        *next += 1;
        let own = isps.entry(isp.clone()).or_default();
        if let Some((before, _)) = own.by_value.insert(value.clone(), (number, report)) {
            own.order.remove(&before);
        } else {
            *count += 1;
        }
        own.order.insert(number, value.clone());
        if own.by_value.len() > MAX_OF_ISP {
            *count -= own.drop_oldest();
        }
        if *count > MAX_REPORTS
            && let Some(most) = isps.values_mut().max_by_key(|own| own.by_value.len())
        {
            *count -= most.drop_oldest();
        }
    }

    /// What an ISP reported of a value.
    pub(crate) fn get(&self, isp: &Organisation, value: &Value) -> Option<Report> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.isps.get(isp)?.by_value.get(value).map(|(_, report)| report.clone())
    }

    /// What all ISPs reported of a value.
    pub(crate) fn of(&self, value: &Value) -> Vec<(Organisation, Report)> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |(isp, own): (&Organisation, &OfIsp)| {
            own.by_value.get(value).map(|(_, report)| (isp.clone(), report.clone()))
        };
        table.isps.iter().filter_map(one).collect()
    }
}

/// The ISP says that it blocks a value.
pub(crate) fn processed(call: &Call<'_>) -> Outcome {
    report(call, "processed", None)
}

/// The ISP says that it does not, and why.
pub(crate) fn unprocessed(call: &Call<'_>) -> Outcome {
    let reason = call.body.text("reason").ok_or(ITEM_REASON_MISSING)?;
    let reason = REASONS.into_iter().find(|one| *one == reason).ok_or(ITEM_REASON_NON_VALID)?;
    report(call, "unprocessed", Some(reason))
}

fn report(call: &Call<'_>, status: &'static str, reason: Option<&'static str>) -> Outcome {
    let isp = call.own()?;
    let text = call.body.text("value").ok_or(ITEM_VALUE_MISSING)?;
    let item = exact(text).map_err(|_| ITEM_VALUE_NON_VALID)?;
    let timestamp = match call.body.get("timestamp") {
        None => None,
        Some(text) => Some(moment(text.as_str().ok_or(ITEM_TIMESTAMP_NON_VALID)?)?),
    };
    let note = match call.body.get("note") {
        None => None,
        Some(note) => {
            let note = note.as_str().ok_or(ITEM_NOTE_NON_VALID)?.trim();
            let fits =
                (3..=512).contains(&note.chars().count()) && !note.chars().any(char::is_control);
            Some(fits.then(|| note.to_owned()).ok_or(ITEM_NOTE_NON_VALID)?)
        }
    };
    let (of, times) = (isp.clone(), call.api.times);
    let found = call.api.look(move |house| {
        let state = house.state();
        if Gates::of(state).shuts(&of) {
            return None;
        }
        let live = state.wanting(&item).iter().copied();
        let since = live.filter_map(|id| Some((out_since(house, id, &of, times)?, id)));
        let (since, id) = since.max()?;
        Some((since, state.item(id)?.value.clone(), house.now()))
    })?;
    let (since, value, at) = found.ok_or(ITEM_NOT_FOUND)?;
    if at >= since.plus(times.report_ms) {
        return Err(ITEM_UPDATE_TIME_EXCEEDED.into());
    }
    call.api.reports.put(&isp, &value, Report { status, reason, timestamp, note, at });
    Ok(Answer::Done)
}

/// A moment, as it is kept: in UTC.
fn moment(text: &str) -> Result<String, Fault> {
    let read = text.trim().parse::<jiff::Timestamp>().map_err(|_| ITEM_TIMESTAMP_NON_VALID)?;
    let shown = time(Moment(read.as_millisecond()));
    Ok(shown.as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(n: i64) -> Report {
        Report { status: "processed", reason: None, timestamp: None, note: None, at: Moment(n) }
    }

    fn value(n: usize) -> Value {
        std::sync::Arc::new(shield::Item::parse(&format!("s{n}.example")).unwrap())
    }

    #[test]
    fn reports_are_each_isps_own_and_bounded() {
        let reports = Reports::default();
        let (fibre, cable) =
            (Organisation::new("fibre").unwrap(), Organisation::new("cable").unwrap());
        reports.put(&cable, &value(0), report(7));
        for n in 0..=MAX_OF_ISP {
            reports.put(&fibre, &value(n), report(1));
        }
        assert_eq!(reports.get(&fibre, &value(0)), None);
        assert_eq!(reports.get(&fibre, &value(1)), Some(report(1)));
        assert_eq!(reports.get(&cable, &value(0)), Some(report(7)));
        // The same again is one report, and the newest.
        reports.put(&fibre, &value(1), report(2));
        reports.put(&fibre, &value(MAX_OF_ISP + 1), report(3));
        assert_eq!(reports.get(&fibre, &value(1)), Some(report(2)));
        assert_eq!(reports.get(&fibre, &value(2)), None);
        assert_eq!(reports.of(&value(1)).len(), 1);
        let table = reports.0.lock().unwrap();
        assert_eq!((table.count, table.isps[&fibre].order.len()), (MAX_OF_ISP + 1, MAX_OF_ISP));
    }

    #[test]
    fn a_moment_has_its_zone() {
        assert_eq!(moment("2026-11-27T05:00:00+01:00").unwrap(), "2026-11-27T04:00:00.000Z");
        for bad in ["", "2026-11-27", "2026-11-27T05:00:00", "yesterday"] {
            assert_eq!(moment(bad).unwrap_err().code.number, "5006", "{bad}");
        }
    }
}
