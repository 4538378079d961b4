//! `vigie privilege mark` and `vigie privilege release`.

use std::io::Write;
use std::path::Path;

use desk::Command;

use super::open::watched;
use super::{counted, no_exhibit, place};
use crate::cli::Privilege;
use crate::error::Told;

/// Hides an exhibit, or shows it again, and brings the views up to it.
pub(crate) fn run(home: Option<&Path>, change: &Privilege) -> Result<(), Told> {
    let (Privilege::Mark(args) | Privilege::Release(args)) = change;
    let exhibit = args.exhibit.parse().map_err(no_exhibit)?;
    let reason = args.reason.clone();
    let (command, holder, said) = match change {
        Privilege::Mark(_) => (
            Command::MarkPrivileged { exhibit, reason },
            "vigie privilege mark",
            "hidden from views, search and counts until it is released",
        ),
        Privilege::Release(_) => {
            (Command::Release { exhibit, reason }, "vigie privilege release", "released")
        }
    };
    let place = place(home, &args.case.case, holder)?;
    let opened = watched(&place.case, |work| desk::command(&place, &command, work))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", opened.summary.to_json())?;
        return Ok(());
    }
    writeln!(out, "{exhibit}: {said}; the reason is recorded. The case now shows:")?;
    let (exhibits, facts) = (opened.summary.exhibits, opened.summary.facts);
    writeln!(out, "  {}, {}", counted(exhibits, "exhibit"), counted(facts, "fact"))?;
    Ok(())
}
