//! `vigie views rebuild`.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::open::watched;
use super::{counted, place, plain, told};
use crate::error::Told;

/// Throws the views away and builds them again.
pub(crate) fn rebuild(home: Option<&Path>, case: &Path, json: bool) -> Result<(), Told> {
    let place = place(home, case, "vigie views rebuild")?;
    desk::authority::ready(&place.home, &place.case).map_err(told(&place.case))?;
    let rebuilt = watched(&place.case, |work| desk::open::rebuild(&place, work))?;
    let mut out = std::io::stdout().lock();
    if json {
        let differences: Vec<_> = rebuilt
            .differences
            .iter()
            .map(|d| {
                json!({
                    "exhibit": d.exhibit.to_string(), "name": d.name,
                    "before": {"parser": d.before.parser, "facts": d.before.facts, "rows": d.before.rows, "problems": d.before.problems},
                    "now": {"parser": d.now.parser, "facts": d.now.facts, "rows": d.now.rows, "problems": d.now.problems},
                })
            })
            .collect();
        let mut document = rebuilt.summary.to_json();
        document["differences"] = differences.into();
        document["not_read"] = (rebuilt.unread.iter())
            .map(|u| json!({ "path": u.path.display().to_string(), "why": u.message }))
            .collect();
        writeln!(out, "{document}")?;
        return Ok(());
    }
    writeln!(
        out,
        "built again: {}, {}",
        counted(rebuilt.summary.exhibits, "exhibit"),
        counted(rebuilt.summary.facts, "fact")
    )?;
    for unread in &rebuilt.unread {
        let path = plain(&unread.path.display().to_string());
        writeln!(out, "not read: {path}: {}", unread.message)?;
    }
    for d in &rebuilt.differences {
        writeln!(
            out,
            "differs: {}: {} gave {}, {}; {} gives {}, {} (recorded)",
            plain(&d.name),
            d.before.parser,
            counted(d.before.facts, "fact"),
            counted(d.before.rows, "row"),
            d.now.parser,
            counted(d.now.facts, "fact"),
            counted(d.now.rows, "row")
        )?;
    }
    Ok(())
}
