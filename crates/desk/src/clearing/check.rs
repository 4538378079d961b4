//! `verify` looks at a clearing house's decisions again: each whole, in its epoch, of who acted, and under
//! the root that its record shows.

use vault::Case;

use super::Standing;
use super::kept::{self, Head};
use crate::verify::Report;

/// Checks what the log says was decided; false where it cannot be read to its end. What is wrong is of the
/// evidence; after the first fault what follows cannot be told.
pub(crate) fn check(case: &Case, report: &mut Report) -> bool {
    if case.origin() != vault::shield_origin(case.authority()) {
        return true;
    }
    let mut kept = of_kept(case, report);
    let mut standing = Standing::default();
    for entry in case.records(0) {
        let (index, record, opening) = match entry {
            Ok(entry) => entry,
            // That an opening is not its record's was found where openings are looked at.
            Err(_) if !report.findings.is_empty() => return false,
            Err(error) => {
                report.find("a decision of the clearing house", error.to_string());
                return false;
            }
        };
        kept = kept.filter(|kept| kept.records != index || hold(kept, &standing, report));
        if let Err(why) = standing.take(index, &record, &opening) {
            let place = format!("record {index}, a decision of the clearing house");
            report.find(&place, format!("{why}; what comes after it was not looked at"));
            return true;
        }
    }
    if let Err(why) = standing.end() {
        report.find("the end of the log", &why);
    }
    if let Some(kept) = kept.filter(|kept| kept.records == case.len()) {
        hold(&kept, &standing, report);
    }
    true
}

/// The head of what is kept of the log; of what is of no use to a start, a note.
fn of_kept(case: &Case, report: &mut Report) -> Option<Head> {
    let keys = vault::named_keys(case.log()).ok().flatten()?;
    match kept::sound_head(case.dir(), case.log(), &keys) {
        Ok(head) => head,
        // What was kept meanwhile is of more records than are looked at here.
        Err(_) if case.len() < case.log().size() => None,
        Err(why) => {
            report.notes.push(format!(
                "kept/state, from which the clearing house would start sooner, is of no use: {why}. The next \
                 start applies the whole log, and it is made anew"
            ));
            None
        }
    }
}

/// Holds what is kept against what its records come to; false always, since it was held then.
fn hold(kept: &Head, standing: &Standing, report: &mut Report) -> bool {
    let same = kept::digests(standing).is_ok_and(|digests| digests == kept.digests);
    if !same {
        report.find(
            "kept/state",
            format!(
                "it is signed by the log's key, and is not what the first {} records come to: whoever \
                 started from it decided on what the log does not say. Take it away; the next start applies \
                 the whole log",
                kept.records
            ),
        );
    }
    false
}
