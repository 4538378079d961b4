//! What ISPs report of what they block.
//!
//! A report is its ISP's word about itself. It changes no item and no other's report; it decides nothing. The clearing
//! house keeps it on record ([`desk::clearing::said`]), many in one record: a report is taken at once, shown from here,
//! and on record within [`EVERY`]. What a process that is killed took in these seconds is gone with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use desk::clearing::said::{Does, Reason, Said, Word};
use desk::clearing::{Closed, House, Keeper};
use shield::feed::Gates;
use shield::order::Value;
use shield::order::words::Organisation;

use crate::answer::{Answer, Outcome};
use crate::api::Api;
use crate::asked::exact;
use crate::call::{Call, time};
use crate::codes::{
    Code, Fault, GENERIC, ITEM_NOT_FOUND, ITEM_NOTE_NON_VALID, ITEM_REASON_MISSING,
    ITEM_REASON_NON_VALID, ITEM_TIMESTAMP_NON_VALID, ITEM_UPDATE_TIME_EXCEEDED, ITEM_VALUE_MISSING,
    ITEM_VALUE_NON_VALID,
};
use crate::seen::out_since;

/// A report is on record within so long.
pub(crate) const EVERY: Duration = Duration::from_secs(5);
/// The most reports that wait for that; more are told to come again.
pub(crate) const MAX_WAITING: usize = 50_000;
/// The most that are put on record at once: other work of the house comes in between.
const MAX_AT_ONCE: usize = 1_000;
/// Why an ISP does not block something, as the wire has it.
pub(crate) const REASONS: [(&str, Reason); 3] = [
    ("ALREADY_BLOCKED", Reason::AlreadyBlocked),
    ("UNDEFINED", Reason::Undefined),
    ("UNKNOWN", Reason::Unknown),
];

/// A status, as the wire has it.
pub(crate) fn status(word: &Word) -> &'static str {
    match word.does {
        Does::Processed => "processed",
        Does::Unprocessed(_) => "unprocessed",
    }
}

/// Why not, as the wire has it.
pub(crate) fn reason(word: &Word) -> Option<&'static str> {
    let Does::Unprocessed(why) = word.does else { return None };
    REASONS.iter().find(|(_, of)| *of == why).map(|(word, _)| *word)
}

/// Reports that are on no record yet: of each ISP the newest on a value.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    count: usize,
    of: BTreeMap<Value, BTreeMap<Organisation, Word>>,
}

impl Waiting {
    /// Takes a report in place of the one before; false where too many wait.
    fn put(&self, isp: &Organisation, value: &Value, word: Word) -> bool {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = table.of.get(value).is_none_or(|of| !of.contains_key(isp));
        if is_new && table.count >= MAX_WAITING {
            return false;
        }
        table.count += usize::from(is_new);
        table.of.entry(value.clone()).or_default().insert(isp.clone(), word);
        true
    }

    /// What waits, over what is on record of a value.
    fn over(&self, value: &Value, recorded: &mut Vec<(Organisation, Word)>) {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (isp, word) in table.of.get(value).into_iter().flatten() {
            match recorded.iter_mut().find(|(of, _)| of == isp) {
                Some((_, before)) => before.clone_from(word),
                None => recorded.push((isp.clone(), word.clone())),
            }
        }
    }

    /// Puts on record what waits. It stays here until it stands there.
    ///
    /// # Errors
    /// The house is closed, or its disk failed: it goes on waiting.
    pub(crate) fn settle(&self, keeper: &Keeper) -> Result<(), Unsettled> {
        loop {
            let said: Vec<Said> = {
                let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let one = |(value, of): (&Value, &BTreeMap<Organisation, Word>)| {
                    let value = value.to_string();
                    let one = move |(isp, word): (&Organisation, &Word)| Said {
                        isp: isp.clone(),
                        value: value.clone(),
                        word: word.clone(),
                    };
                    of.iter().map(one).collect::<Vec<_>>()
                };
                table.of.iter().flat_map(one).take(MAX_AT_ONCE).collect()
            };
            if said.is_empty() {
                return Ok(());
            }
            let look = move |house: &mut House| house.isps_said(&said).map(|()| said);
            let said = keeper.look_in_turn(look).map_err(Unsettled::Closed)?;
            said.map_err(|_| Unsettled::Disk)?.iter().for_each(|said| self.stands(said));
        }
    }

    /// It is on record. Where a newer one came meanwhile, its turn is yet to come.
    fn stands(&self, said: &Said) {
        let Ok(value) = shield::Item::parse(&said.value).map(Value::new) else { return };
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of) = table.of.get_mut(&value) else { return };
        if of.get(&said.isp) == Some(&said.word) {
            of.remove(&said.isp);
            let is_empty = of.is_empty();
            table.count -= 1;
            if is_empty {
                table.of.remove(&value);
            }
        }
    }

    /// Puts it on record from time to time, until the house or the API is no more.
    pub(crate) fn keep(self: &Arc<Self>, keeper: Keeper) -> std::io::Result<()> {
        let waiting = Arc::downgrade(self);
        let run = move || {
            loop {
                std::thread::sleep(EVERY);
                let Some(waiting) = waiting.upgrade() else { return };
                if let Err(Unsettled::Closed(Closed::Gone)) = waiting.settle(&keeper) {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("ISPs' reports".to_owned()).spawn(run).map(drop)
    }
}

/// Why reports go on waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsettled {
    /// The house is closed.
    Closed(Closed),
    /// It could not write.
    Disk,
}

impl Api {
    /// What all ISPs say of values, each in its turn.
    pub(crate) fn said(&self, values: Vec<Value>) -> Result<Vec<Vec<(Organisation, Word)>>, Fault> {
        let asked = values.clone();
        let look = move |house: &mut House| -> Vec<_> {
            asked.iter().map(|value| house.said().of(value)).collect()
        };
        let mut all = self.look(look)?;
        for (value, recorded) in values.iter().zip(&mut all) {
            self.waiting.over(value, recorded);
        }
        Ok(all)
    }

    /// Puts on record what ISPs reported since: whoever ends the process calls it before the house is closed.
    pub fn settle(&self) {
        // What it cannot write it has told; nobody is there any more to whom it would matter.
        let _ = self.waiting.settle(&self.keeper);
    }
}

/// The ISP says that it blocks a value.
pub(crate) fn processed(call: &Call<'_>) -> Outcome {
    report(call, Does::Processed)
}

/// The ISP says that it does not, and why.
pub(crate) fn unprocessed(call: &Call<'_>) -> Outcome {
    let given = call.body.text("reason").ok_or(ITEM_REASON_MISSING)?;
    let reason = REASONS.iter().find(|(word, _)| *word == given);
    let (_, reason) = reason.ok_or(ITEM_REASON_NON_VALID)?;
    report(call, Does::Unprocessed(*reason))
}

fn report(call: &Call<'_>, does: Does) -> Outcome {
    let isp = call.own()?;
    let text = call.body.text("value").ok_or(ITEM_VALUE_MISSING)?;
    let item = exact(text).map_err(|_| ITEM_VALUE_NON_VALID)?;
    let since = match call.body.get("timestamp") {
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
        let out = live.filter_map(|id| Some((out_since(house, id, &of, times)?, id)));
        let (out, id) = out.max()?;
        Some((out, state.item(id)?.value.clone(), house.now()))
    })?;
    let (out, value, at) = found.ok_or(ITEM_NOT_FOUND)?;
    if at >= out.plus(times.report_ms) {
        return Err(ITEM_UPDATE_TIME_EXCEEDED.into());
    }
    if call.api.waiting.put(&isp, &value, Word { does, since, note, at }) {
        return Ok(Answer::Done);
    }
    let text = Some("more reports wait than are taken: come again".to_owned());
    Err(Fault { code: Code { status: 503, ..GENERIC }, text, retry_s: Some(EVERY.as_secs()) })
}

/// A moment, as it is kept: in UTC.
fn moment(text: &str) -> Result<String, Fault> {
    let read = text.trim().parse::<jiff::Timestamp>().map_err(|_| ITEM_TIMESTAMP_NON_VALID)?;
    let shown = time(shield::order::Moment(read.as_millisecond()));
    Ok(shown.as_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use shield::order::Moment;

    use super::*;

    fn value(n: usize) -> Value {
        Value::new(shield::Item::parse(&format!("s{n}.example")).unwrap())
    }

    fn word(at: i64) -> Word {
        Word { does: Does::Processed, since: None, note: None, at: Moment(at) }
    }

    #[test]
    fn what_waits_is_bounded_and_shown_over_what_is_on_record() {
        let waiting = Waiting::default();
        let (fibre, cable) =
            (Organisation::new("fibre").unwrap(), Organisation::new("cable").unwrap());
        for n in 0..MAX_WAITING {
            assert!(waiting.put(&fibre, &value(n), word(1)));
        }
        assert!(!waiting.put(&cable, &value(0), word(2)));
        // The same again is one, and the newest.
        assert!(waiting.put(&fibre, &value(7), word(3)));
        let mut shown = vec![(fibre.clone(), word(0)), (cable.clone(), word(5))];
        waiting.over(&value(7), &mut shown);
        assert_eq!(shown, [(fibre.clone(), word(3)), (cable, word(5))]);
        let mut none = Vec::new();
        waiting.over(&value(8), &mut none);
        assert_eq!(none, [(fibre, word(1))]);
    }

    #[test]
    fn a_reason_has_one_writing() {
        for (text, of) in REASONS {
            let word = Word { does: Does::Unprocessed(of), ..word(1) };
            assert_eq!((status(&word), reason(&word)), ("unprocessed", Some(text)));
        }
        assert_eq!((status(&word(1)), reason(&word(1))), ("processed", None));
    }

    #[test]
    fn a_moment_has_its_zone() {
        assert_eq!(moment("2026-11-27T05:00:00+01:00").unwrap(), "2026-11-27T04:00:00.000Z");
        for bad in ["", "2026-11-27", "2026-11-27T05:00:00", "yesterday"] {
            assert_eq!(moment(bad).unwrap_err().code.number, "5006", "{bad}");
        }
    }
}
