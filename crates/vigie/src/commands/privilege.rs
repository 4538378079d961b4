//! `vigie privilege mark` and `vigie privilege release`.

use std::io::Write;
use std::path::Path;

use desk::Command;
use desk::read::{ExhibitFilter, ExhibitState, Paging, Reader};

use super::open::watched;
use super::{counted, no_exhibit, place, plain, told};
use crate::cli::Privilege;
use crate::error::Told;

/// Hides an exhibit, or shows it again, and brings the views up to it.
pub(crate) fn run(home: Option<&Path>, change: &Privilege) -> Result<(), Told> {
    let args = match change {
        Privilege::Mark(args) | Privilege::Release(args) => args,
        Privilege::List { case, json } => return list(&case.case, *json),
    };
    let exhibit = args.exhibit.parse().map_err(no_exhibit)?;
    let reason = args.reason.clone();
    let (command, holder, said) = match change {
        Privilege::Mark(_) => (
            Command::MarkPrivileged { exhibit, reason },
            "vigie privilege mark",
            "hidden from views, search and counts until it is released",
        ),
        Privilege::Release(_) | Privilege::List { .. } => {
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

/// Names what is hidden.
fn list(case: &Path, json: bool) -> Result<(), Told> {
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let filter =
        ExhibitFilter { state: Some(ExhibitState::Privileged), ..ExhibitFilter::default() };
    let mut paging = Paging { after: None, limit: 1000 };
    let mut out = std::io::stdout().lock();
    loop {
        let page = snapshot.exhibits(&filter, &paging).map_err(told(case))?;
        for exhibit in &page.items {
            let (id, name) = (exhibit.id.to_string(), &exhibit.name);
            if json {
                let line = serde_json::json!({ "exhibit": id, "name": name, "size": exhibit.size });
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{id}  {}", plain(name))?;
            }
        }
        if page.total == Some(0) && !json {
            writeln!(out, "Nothing is hidden.")?;
        }
        match page.next {
            Some(next) => paging.after = Some(next),
            None => return Ok(out.flush()?),
        }
    }
}
