//! CSV and JSON lines.

use std::io::Write;

use serde_json::json;

use super::{cell, each_entity, each_link, neutral, written};
use crate::Result;
use crate::read::{LinkRow, Snapshot};

const COLUMNS: [&str; 11] =
    ["record", "kind", "id", "caption", "key", "country", "asn", "from", "to", "count", "source"];

/// Where a link was first read: `exhibit:start-end`, or the table whose rows state it.
fn source(link: &LinkRow) -> String {
    match (&link.source, &link.rows) {
        (Some(s), _) => format!("{}:{}-{}", s.exhibit, s.start, s.end),
        (None, Some(rows)) => format!("table {}", rows.table),
        (None, None) => String::new(),
    }
}

pub(super) fn csv(snapshot: &Snapshot, out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let put = |writer: &mut csv::Writer<&mut dyn Write>, row: [String; 11]| {
        writer.write_record(row.iter().map(|cell| neutral(cell))).map_err(cell::written)
    };
    writer.write_record(COLUMNS).map_err(cell::written)?;
    each_entity(snapshot, |e| {
        let row = [
            "entity".to_owned(),
            e.kind.name().to_owned(),
            e.id.to_string(),
            e.caption,
            e.key.as_str().to_owned(),
            e.country.unwrap_or_default(),
            e.asn.map(|n| n.to_string()).unwrap_or_default(),
            String::new(),
            String::new(),
            e.facts.to_string(),
            String::new(),
        ];
        put(&mut writer, row)
    })?;
    each_link(snapshot, |l| {
        let source = source(&l);
        let row = [
            "link".to_owned(),
            l.kind.name().to_owned(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
            l.from.id.to_string(),
            l.to.id.to_string(),
            l.count.to_string(),
            source,
        ];
        put(&mut writer, row)
    })?;
    writer.flush().map_err(written)
}

pub(super) fn json(snapshot: &Snapshot, out: &mut dyn Write) -> Result<()> {
    each_entity(snapshot, |e| {
        let line = json!({
            "record": "entity", "kind": e.kind.name(), "id": e.id.to_string(),
            "caption": e.caption, "key": e.key.as_str(), "country": e.country, "asn": e.asn,
            "facts": e.facts, "links": e.links,
        });
        writeln!(out, "{line}").map_err(written)
    })?;
    each_link(snapshot, |l| {
        let line = json!({
            "record": "link", "kind": l.kind.name(), "from": l.from.id.to_string(),
            "to": l.to.id.to_string(), "count": l.count, "first_ms": l.first_ms,
            "last_ms": l.last_ms, "source": source(&l),
        });
        writeln!(out, "{line}").map_err(written)
    })?;
    out.flush().map_err(written)
}
