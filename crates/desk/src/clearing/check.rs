//! `verify` looks at a clearing house's decisions again: each whole, in its epoch, of who acted, and under
//! the root that its record shows.

use vault::Case;

use super::Standing;
use crate::verify::Report;

/// Checks what the log says was decided; false where it cannot be read to its end. What is wrong is of the
/// evidence; after the first fault what follows cannot be told.
pub(crate) fn check(case: &Case, report: &mut Report) -> bool {
    if case.origin() != vault::shield_origin(case.authority()) {
        return true;
    }
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
        if let Err(why) = standing.take(index, &record, &opening) {
            let place = format!("record {index}, a decision of the clearing house");
            report.find(&place, format!("{why}; what comes after it was not looked at"));
            return true;
        }
    }
    if let Err(why) = standing.end() {
        report.find("the end of the log", &why);
    }
    true
}
