//! Moments of trusted time in words.

use std::path::Path;

use desk::Timed;
use desk::read::Entry;
use desk::time::Bound;
use ledger::{MAX_TRUST, Trust};
use serde_json::{Value, json};

use super::{plain, read_text};
use crate::error::Told;

/// What bounds are of. Said wherever they are.
pub(super) const OF: &str = "of entry into the log, not of the event";

/// The reader's own word on whose keys count, where he names a file.
pub(super) fn trust_file(path: Option<&Path>) -> Result<Option<Trust>, Told> {
    let Some(path) = path else { return Ok(None) };
    let off = |why| Told::Misuse(format!("{}: {why}", path.display()));
    Trust::parse(&read_text(path, MAX_TRUST)?).map(Some).map_err(|e| off(e.to_string()))
}

/// Milliseconds since 1970 as records write them.
pub(super) fn moment(ms: i64) -> String {
    // Beyond the year 9999 a record cannot write.
    model::record::time_text(ms.clamp(0, 253_402_300_799_999))
}

fn bound_json(bound: Option<&Bound>) -> Value {
    bound.map_or(Value::Null, |b| {
        json!({ "time": moment(b.ms), "record": b.record, "authority": b.authority,
                "confirmed": b.confirmed })
    })
}

/// When exhibits entered the log, as a document.
pub(super) fn entries_json(entries: &[Entry]) -> Value {
    let one = |e: &Entry| {
        let trusted = e.bounds.after.is_some() || e.bounds.by.is_some() || e.stamped.is_some();
        json!({
            "exhibit": e.exhibit.to_string(), "name": e.name, "record": e.record,
            "after": bound_json(e.bounds.after.as_ref()), "by": bound_json(e.bounds.by.as_ref()),
            "stamped_by": bound_json(e.stamped.as_ref()), "bounds": OF,
            "time": if trusted { "bounded" } else { "no trusted time" },
        })
    };
    entries.iter().map(one).collect()
}

/// The most exhibits that are listed.
const SHOWN: usize = 10;

/// When exhibits entered the log, in lines.
pub(super) fn entries_text(entries: &[Entry]) -> Vec<String> {
    if entries.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("  In the log (bounds {OF}):")];
    for entry in entries.iter().take(SHOWN) {
        let (after, by) = (entry.bounds.after.as_ref(), entry.bounds.by.as_ref());
        let bounds = match (after, by) {
            (None, None) => "no trusted time".to_owned(),
            (Some(after), None) => format!("after {}, no upper bound yet", moment(after.ms)),
            (None, Some(by)) => format!("by {}, no lower bound", moment(by.ms)),
            (Some(after), Some(by)) => format!("after {}, by {}", moment(after.ms), moment(by.ms)),
        };
        let name = plain(&entry.name);
        lines.push(format!("      {name} (record {}): {bounds}", entry.record));
        if let Some(stamped) = &entry.stamped {
            lines.push(format!("      {name}: its bytes were there by {}", moment(stamped.ms)));
        }
    }
    if entries.len() > SHOWN {
        lines.push(format!("      … {} more exhibits", entries.len() - SHOWN));
    }
    let of = |e: &Entry| [e.bounds.after.clone(), e.bounds.by.clone(), e.stamped.clone()];
    let mut authorities: Vec<(String, bool)> = Vec::new();
    for bound in entries.iter().flat_map(of).flatten() {
        let authority = (bound.authority, bound.confirmed);
        if !authorities.contains(&authority) {
            authorities.push(authority);
        }
    }
    lines.extend(authorities.iter().map(|a| format!("      {}", by_whom(a))));
    lines
}

/// Whose time it is, and on whose word.
pub(super) fn by_whom((name, confirmed): &(String, bool)) -> String {
    let name = plain(name);
    if *confirmed {
        format!("Time by {name}, which your trust file names.")
    } else {
        format!("Time by {name}: consistent, signer not confirmed (name it in --trust FILE).")
    }
}

/// What stamps say of the whole log, as a document.
pub(super) fn timed_json(timed: &Timed) -> Value {
    let authorities: Vec<Value> = timed
        .authorities
        .iter()
        .map(|(name, confirmed)| json!({ "name": name, "confirmed": confirmed }))
        .collect();
    json!({
        "time": if timed.standing == 0 { "no trusted time" } else { "bounded" }, "bounds": OF,
        "stamps": timed.stamps, "standing": timed.standing, "covered": timed.covered,
        "first_by": bound_json(timed.first.as_ref()), "by": bound_json(timed.by.as_ref()),
        "after": bound_json(timed.after.as_ref()), "authorities": authorities,
    })
}

/// What stamps say of the whole log, in lines.
pub(super) fn timed_text(timed: &Timed, records: u64) -> Vec<String> {
    if timed.standing == 0 {
        return vec![if timed.stamps == 0 {
            "No trusted time: `vigie stamp` asks an authority for it.".to_owned()
        } else {
            format!("No trusted time: of {} stamps none counts.", timed.stamps)
        }];
    }
    let mut lines = Vec::new();
    if let (Some(first), Some(by)) = (&timed.first, &timed.by) {
        let last = timed.covered.saturating_sub(1);
        lines.push(format!(
            "Trusted time: record 0 was in the log by {}, records up to {last} by {}.",
            moment(first.ms),
            moment(by.ms)
        ));
    } else {
        lines.push("Trusted time: exhibits are stamped, the log is not.".to_owned());
    }
    if let Some(after) = &timed.after {
        let next = after.record + 1;
        let more = if next < records { "entered" } else { "enter" };
        lines.push(format!("Records from {next} on {more} it after {}.", moment(after.ms)));
    }
    lines.push(format!("These are bounds {OF}."));
    lines.extend(timed.authorities.iter().map(by_whom));
    lines
}
