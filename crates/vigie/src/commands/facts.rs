//! `vigie facts`.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::Path;

use desk::lines::{FactLine, fact_lines, revealed_lines};
use desk::read::{FactFilter, Reader};

use super::{cut, no_exhibit, place, plain, told, value_text};
use crate::cli::Facts;
use crate::error::Told;

/// Runs the command.
pub(crate) fn run(home: Option<&Path>, args: &Facts) -> Result<(), Told> {
    let snapshot =
        Reader::open(&args.case.case).and_then(|r| r.snapshot()).map_err(told(&args.case.case))?;
    let mut filter = FactFilter::default();
    if let Some(name) = &args.entity {
        let head = snapshot.entity_head(name).map_err(told(&args.case.case))?.ok_or_else(|| {
            Told::Failure {
                what: format!("nothing in this case is called {}", plain(name)),
                next: Some(
                    "give an entity's id or one of its keys; `vigie search` finds them".to_owned(),
                ),
            }
        })?;
        filter.entity = Some(head.id);
    }
    if let Some(hash) = &args.exhibit {
        let exhibit = hash.parse().map_err(no_exhibit)?;
        if snapshot.exhibit(exhibit).map_err(told(&args.case.case))?.is_none() {
            return Err(Told::Failure {
                what: format!("the case holds no exhibit {hash}"),
                next: Some("`vigie search NAME` finds exhibits by name".to_owned()),
            });
        }
        filter.exhibit = Some(exhibit);
    }
    let json = args.json || !std::io::stdout().is_terminal();
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut each = |line: &FactLine| {
        let text = if json { line.to_json().to_string() } else { readable(line) };
        writeln!(out, "{text}").map_err(desk::Error::Output)
    };
    match &args.reveal {
        None => fact_lines(&snapshot, &filter, &mut each).map_err(told(&args.case.case))?,
        Some(reason) => {
            // The writer that records the reason need not wait for this reader.
            drop(snapshot);
            let place = place(home, &args.case.case, "vigie facts --reveal")?;
            let asked = format!(
                "facts entity={} exhibit={}",
                args.entity.as_deref().unwrap_or("any"),
                args.exhibit.as_deref().unwrap_or("any")
            );
            revealed_lines(&place, &filter, reason, &asked, &mut each)
                .map_err(told(&args.case.case))?;
        }
    }
    Ok(out.flush()?)
}

fn readable(line: &FactLine) -> String {
    let fact = &line.fact;
    let value = line.revealed().map_or_else(|| value_text(&fact.value), str::to_owned);
    format!(
        "{} {} = {}  ({} {}..{})",
        cut(&plain(fact.subject.as_str()), 50),
        fact.property,
        cut(&plain(&value), 60),
        plain(&fact.source.name),
        fact.source.start,
        fact.source.end
    )
}
