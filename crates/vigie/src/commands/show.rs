//! `vigie show`.

use std::io::{BufWriter, Write};

use desk::read::{Direction, EntityPage, Entry, Reader, Snapshot, entered_from};
use ledger::Trust;
use serde_json::json;

use super::times::{entries_json, entries_text, trust_file};
use super::{counted, cut, entity_json, plain, source_json, told, value_json, value_text};
use crate::cli::Show;
use crate::error::Told;

/// Runs the command.
pub(crate) fn run(args: &Show) -> Result<(), Told> {
    let snapshot =
        Reader::open(&args.case.case).and_then(|r| r.snapshot()).map_err(told(&args.case.case))?;
    let trust = trust_file(args.trust.as_deref())?;
    let told = told(&args.case.case);
    let Some(page) = snapshot.entity(&args.entity).map_err(&told)? else {
        return exhibit(&snapshot, args, trust.as_ref());
    };
    let entries = snapshot.entries(&entered_from(&page), trust.as_ref()).map_err(&told)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.json {
        document(&page, &entries, &mut out)?
    } else {
        text(&page, &mut out)?;
        for line in entries_text(&entries) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(out.flush()?)
}

/// Shows when an exhibit entered the log, where that is what was named.
fn exhibit(snapshot: &Snapshot, args: &Show, trust: Option<&Trust>) -> Result<(), Told> {
    let entries = match args.entity.parse() {
        Ok(id) => snapshot.entries(&[id], trust).map_err(told(&args.case.case))?,
        Err(_) => Vec::new(),
    };
    let [entry] = entries.as_slice() else {
        return erased(snapshot, args);
    };
    let container = snapshot.container_erased(&entry.exhibit).map_err(told(&args.case.case))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        let container = container.map(|order| order.record);
        let head = serde_json::json!({ "container_erased_under": container, "kind": "exhibit", "id": entry.exhibit.to_string(), "name": entry.name, "entry": entries_json(&entries) });
        writeln!(out, "{head}")?;
        return Ok(out.flush()?);
    }
    writeln!(out, "exhibit {}", plain(&entry.name))?;
    writeln!(out, "  id      {}", entry.exhibit)?;
    if let Some(order) = container {
        writeln!(out, "  from    a container {}", plain(&order.said()))?;
    }
    for line in entries_text(&entries) {
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}

/// Shows what stands for an exhibit that was erased, where its record is what was named.
fn erased(snapshot: &Snapshot, args: &Show) -> Result<(), Told> {
    let told = told(&args.case.case);
    let record = args.entity.strip_prefix("record:").and_then(|n| n.parse().ok());
    let tombstones = match record {
        Some(record) => snapshot.tombstones(record).map_err(&told)?,
        None => Vec::new(),
    };
    if tombstones.is_empty() {
        let mut next =
            "give an entity's id or one of its keys; `vigie search` finds them".to_owned();
        if snapshot.erasures().map_err(&told)? > 0 {
            next.push_str(
                ". Something was erased in this case: an erased exhibit is called by the record that \
                 sealed it (record:N), since its hash would let it be guessed; `vigie erase --report` \
                 lists these",
            );
        }
        let what = format!("nothing in this case is called {}", plain(&args.entity));
        return Err(Told::Failure { what, next: Some(next) });
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let list: Vec<_> = tombstones
            .iter()
            .map(|t| {
                json!({
                    "record": t.order.record, "time": t.order.time, "actor": t.order.actor,
                    "basis": t.order.basis, "rest": t.rest.map(|id| id.to_string()),
                })
            })
            .collect();
        writeln!(out, "{}", json!({ "kind": "erased", "sealed": record, "under": list }))?;
        return Ok(());
    }
    for t in &tombstones {
        let what = if t.rest.is_some() { "an exhibit, a part of which was" } else { "an exhibit," };
        writeln!(out, "record {} sealed {what} {}", t.sealed, plain(&t.order.said()))?;
        if let Some(actor) = &t.order.actor {
            writeln!(out, "  by      {}", plain(actor))?;
        }
        if let Some(rest) = t.rest {
            writeln!(out, "  left    exhibit {rest}")?;
        }
    }
    Ok(())
}

fn document(page: &EntityPage, entries: &[Entry], out: &mut dyn Write) -> std::io::Result<()> {
    let mut document = entity_json(&page.head);
    document["as_name"] = page.as_name.clone().into();
    document["keys"] = page
        .keys
        .iter()
        .map(|(key, source)| json!({"key": key.as_str(), "reason": source.as_ref().map(source_json)}))
        .collect();
    document["properties"] = page
        .properties
        .iter()
        .map(|group| {
            let values: Vec<_> = group
                .values
                .iter()
                .map(|(value, count, source)| {
                    json!({"value": value_json(value), "facts": count, "source": source_json(source)})
                })
                .collect();
            json!({"property": group.property, "distinct": group.distinct, "values": values})
        })
        .collect();
    document["link_groups"] = page
        .links
        .iter()
        .map(|group| {
            let out = group.direction == Direction::Out;
            let ends: Vec<_> = group
                .links
                .iter()
                .map(|link| {
                    let other = if out { &link.to } else { &link.from };
                    let mut line = entity_json(other);
                    line["times"] = link.count.into();
                    line["source"] = link.source.as_ref().map(source_json).into();
                    line
                })
                .collect();
            json!({"kind": group.kind.name(), "direction": if out { "out" } else { "in" }, "count": group.count, "ends": ends})
        })
        .collect();
    document["rows"] = page
        .rows
        .iter()
        .map(|row| json!({"table": row.table, "exhibit": row.exhibit_name, "column": row.column, "count": row.count}))
        .collect();
    document["figures"] = page
        .figures
        .iter()
        .map(|f| json!({"name": f.name, "value": f.value, "rule": f.rule}))
        .collect();
    document["entry"] = entries_json(entries);
    writeln!(out, "{document}")
}

fn text(page: &EntityPage, out: &mut dyn Write) -> std::io::Result<()> {
    let head = &page.head;
    writeln!(out, "{} {}", head.kind.name(), plain(&head.caption))?;
    writeln!(out, "  id      {}", head.id)?;
    for (key, source) in &page.keys {
        let why = source.as_ref().map(|s| format!("  (said in {} at {})", plain(&s.name), s.start));
        writeln!(out, "  key     {}{}", plain(key.as_str()), why.unwrap_or_default())?;
    }
    if let Some(country) = &head.country {
        let network =
            head.asn.map(|n| format!(", AS{n} {}", plain(page.as_name.as_deref().unwrap_or(""))));
        writeln!(out, "  place   {country}{}", network.unwrap_or_default())?;
    }
    for group in &page.properties {
        for (value, count, source) in &group.values {
            writeln!(
                out,
                "  {:<18} {:<50} {}:{}{}",
                group.property,
                cut(&plain(&value_text(value)), 50),
                plain(&source.name),
                source.start,
                if *count > 1 { format!(" and {} more", count - 1) } else { String::new() }
            )?;
        }
        let hidden = group.distinct.saturating_sub(group.values.len() as u64);
        if hidden > 0 {
            writeln!(out, "  {:<18} … {hidden} more values", group.property)?;
        }
    }
    for group in &page.links {
        let arrow = if group.direction == Direction::Out { "→" } else { "←" };
        writeln!(out, "  {arrow} {} ({})", group.kind.name(), group.count)?;
        for link in &group.links {
            let other = if group.direction == Direction::Out { &link.to } else { &link.from };
            writeln!(out, "      {:<16} {}", other.kind.name(), plain(&other.caption))?;
        }
        if group.count > group.links.len() as u64 {
            writeln!(out, "      … {} more", group.count - group.links.len() as u64)?;
        }
    }
    for row in &page.rows {
        writeln!(
            out,
            "  {} of {} ({})",
            counted(row.count, "row"),
            plain(&row.table),
            plain(&row.exhibit_name)
        )?;
    }
    for figure in &page.figures {
        writeln!(out, "  {} {}  ({})", figure.name, figure.value, figure.rule)?;
    }
    Ok(())
}
