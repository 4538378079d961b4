//! `verify` looks at captures again: each under an authorisation that stood before it, within its time, and
//! signed by the probe that it names.

use collect::statement;
use model::record::Body;
use vault::Case;

use super::{Book, moment};
use crate::Result;
use crate::verify::Report;

/// Checks what the log says of authorisations and captures. What is wrong is of the evidence.
pub(crate) fn check(case: &Case, report: &mut Report) -> Result<()> {
    let book = Book::of(case)?;
    for (record, capture) in &book.captured {
        let place = format!("record {record}, a capture");
        let Some(granted) = book.granted.get(&capture.granted) else { continue };
        // A text that is gone reads as empty: the signature of what is left of it fits nothing.
        let whole = case.record(*record).map(|(r, o)| Body::read(&r, &o).is_ok()).unwrap_or(false);
        if !whole {
            report.notes.push(format!(
                "{place}: part of it is withheld or erased, so the probe's signature cannot be checked"
            ));
        } else if !statement::is_signed(capture, &book.origin, &granted.body.probe) {
            report.find(&place, "the probe that its authorisation names did not sign what it says");
        }
        let times = (moment(&capture.started), moment(&capture.ended));
        let within = (moment(&granted.body.from), moment(&granted.body.until));
        match (times, within) {
            ((Some(started), Some(ended)), (Some(from), Some(until))) => {
                if started < from || started >= until || ended < started {
                    report.find(&place, "it was not made within the time of its authorisation");
                }
                let over = granted.ended.as_ref().and_then(|(_, time)| moment(time));
                if over.is_some_and(|over| started > over) {
                    report.find(&place, "it was begun after its authorisation was ended");
                }
            }
            _ => report.find(&place, "its times, or those of its authorisation, are none"),
        }
        let sealed = case.exhibit(&capture.exhibit)?.is_some_and(|e| e.record < *record);
        if whole && !sealed && case.orders().is_empty() {
            report.find(&place, "the exhibit that it names was not sealed before it");
        }
    }
    for record in &book.astray {
        report.find(
            format!("record {record}"),
            "it speaks of an authorisation that no record before it granted, or that was erased",
        );
    }
    for records in book.counted_twice() {
        let last = records.last().copied().unwrap_or_default();
        report.find(format!("record {last}"), "refusals of one hour are counted twice");
    }
    for record in &book.withheld {
        report.notes.push(format!("record {record} on the probe is withheld or erased"));
    }
    Ok(())
}
