//! `verify` looks at a clearing house's decisions again: each whole, in its epoch, of who acted, and under
//! the root that its record shows.

use vault::Case;

use super::Standing;
use crate::Result;
use crate::verify::Report;

/// Checks what the log says was decided. What is wrong is of the evidence; after the first fault what
/// follows cannot be told.
pub(crate) fn check(case: &Case, report: &mut Report) -> Result<()> {
    if case.origin() != vault::shield_origin(case.authority()) {
        return Ok(());
    }
    let mut standing = Standing::default();
    for entry in case.records(0) {
        let (index, record, opening) = entry?;
        if let Err(why) = standing.take(index, &record, &opening) {
            let place = format!("record {index}, a decision of the clearing house");
            report.find(&place, format!("{why}; what comes after it was not looked at"));
            return Ok(());
        }
    }
    if let Err(why) = standing.end() {
        report.find("the end of the log", &why);
    }
    Ok(())
}
