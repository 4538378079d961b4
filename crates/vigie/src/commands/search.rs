//! `vigie search`.

use std::io::{BufWriter, Write};

use desk::read::{Reader, RowHit};
use serde_json::{Map, json};

use super::{
    cell_json, cell_text, counted, cut, entity_json, plain, source_json, told, value_json,
    value_text,
};
use crate::cli::Search;
use crate::error::Told;

/// Runs the command.
pub(crate) fn run(args: &Search) -> Result<(), Told> {
    let query = args.words.join(" ");
    let snapshot =
        Reader::open(&args.case.case).and_then(|r| r.snapshot()).map_err(told(&args.case.case))?;
    let found = snapshot.search(&query, args.limit as usize).map_err(told(&args.case.case))?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.json {
        for hit in &found.entities {
            let mut line = entity_json(&hit.entity);
            line["hit"] = "entity".into();
            line["matched"] = hit.matched.as_str().into();
            writeln!(out, "{line}")?;
        }
        let rows = found.rows.iter().map(|hit| ("row", hit));
        for (sort, hit) in rows.chain(found.messages.iter().map(|hit| ("message", hit))) {
            let cells: Map<_, _> = hit
                .columns
                .iter()
                .zip(&hit.row.cells)
                .map(|(column, cell)| (column.name.clone(), cell_json(cell)))
                .collect();
            let line = json!({
                "hit": sort, "table": hit.table.sql_name, "column": hit.column,
                "exhibit": hit.table.exhibit.to_string(), "start": hit.row.start, "end": hit.row.end,
                "row": cells, "count": hit.count,
            });
            writeln!(out, "{line}")?;
        }
        for hit in &found.facts {
            let line = json!({
                "hit": "fact", "entity": hit.entity.id.to_string(), "property": hit.fact.property,
                "value": value_json(&hit.fact.value), "source": source_json(&hit.fact.source),
            });
            writeln!(out, "{line}")?;
        }
        for exhibit in &found.exhibits {
            let line = json!({"hit": "exhibit", "exhibit": exhibit.id.to_string(), "name": exhibit.name, "size": exhibit.size});
            writeln!(out, "{line}")?;
        }
        return Ok(out.flush()?);
    }
    for hit in &found.entities {
        let head = &hit.entity;
        writeln!(
            out,
            "{:<16} {:<40} {} ({}, {})",
            head.kind.name(),
            cut(&plain(&head.caption), 40),
            plain(head.key.as_str()),
            counted(head.facts, "fact"),
            counted(head.links, "link")
        )?;
    }
    for hit in &found.rows {
        let cells: Vec<_> = hit
            .columns
            .iter()
            .zip(&hit.row.cells)
            .take(6)
            .map(|(column, cell)| {
                format!("{}={}", plain(&column.name), cut(&plain(&cell_text(cell)), 30))
            })
            .collect();
        writeln!(
            out,
            "row of {} ({} match{}): {}",
            plain(&hit.table.sql_name),
            hit.count,
            if hit.count == 1 { "" } else { "es" },
            cells.join(" ")
        )?;
    }
    for hit in &found.messages {
        writeln!(
            out,
            "message of {} {}: {} ({} at {})",
            cut(&plain(&named(hit, "from_name")), 30),
            plain(&named(hit, "time")),
            cut(&plain(&named(hit, &hit.column)), 100),
            plain(&hit.table.exhibit_name),
            hit.row.start
        )?;
    }
    for hit in &found.facts {
        writeln!(
            out,
            "{:<16} {:<40} {} = {} ({} at {})",
            hit.entity.kind.name(),
            cut(&plain(&hit.entity.caption), 40),
            hit.fact.property,
            cut(&plain(&value_text(&hit.fact.value)), 60),
            plain(&hit.fact.source.name),
            hit.fact.source.start
        )?;
    }
    for exhibit in &found.exhibits {
        writeln!(out, "exhibit {} {} ({} bytes)", exhibit.id, plain(&exhibit.name), exhibit.size)?;
    }
    let none = found.entities.is_empty() && found.rows.is_empty() && found.facts.is_empty();
    if none && found.messages.is_empty() && found.exhibits.is_empty() {
        writeln!(out, "nothing in this case matches {:?}", query)?;
    } else if found.more {
        writeln!(out, "there is more: raise --limit")?;
    }
    Ok(out.flush()?)
}

/// The text of a hit's cell in the column of that name.
fn named(hit: &RowHit, column: &str) -> String {
    let cells = hit.columns.iter().zip(&hit.row.cells);
    cells
        .filter(|(c, _)| c.name == column)
        .map(|(_, cell)| cell_text(cell))
        .next()
        .unwrap_or_default()
}
