//! `vigie verify`.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use super::{home_dir, plain, told};
use crate::cli::Verify;
use crate::error::Told;
use crate::progress::{Progress, bytes};

/// Proves a case; [`Told::Finding`] where it does not hold.
pub(crate) fn run(home: Option<&Path>, args: &Verify) -> Result<(), Told> {
    let bar = Mutex::new(Progress::new());
    let done = AtomicU64::new(0);
    let report = desk::verify(&args.dir, &home_dir(home)?, &|n| {
        let done = done.fetch_add(n, Ordering::Relaxed) + n;
        if let Ok(mut bar) = bar.try_lock() {
            bar.show("hashed", done, None);
        }
    })
    .map_err(told)?;
    if let Ok(mut bar) = bar.lock() {
        bar.clear();
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|f| json!({"place": f.place, "message": f.message}))
            .collect();
        let document = json!({
            "origin": report.origin, "sound": report.findings.is_empty(), "records": report.records,
            "exhibits": report.exhibits, "bytes": report.bytes, "facts": report.facts,
            "checkpoint": report.checkpoint, "key_from_home": report.key_from_home,
            "findings": findings, "notes": report.notes,
        });
        writeln!(out, "{document}")?;
    } else {
        for finding in &report.findings {
            writeln!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
        }
        for note in &report.notes {
            writeln!(out, "note   {}", plain(note))?;
        }
        let sum = format!(
            "{} records, {} exhibits ({}), {} facts",
            report.records,
            report.exhibits,
            bytes(report.bytes),
            report.facts
        );
        if report.findings.is_empty() {
            writeln!(out, "{} holds: {sum}", report.origin)?;
            if !report.key_from_home {
                writeln!(
                    out,
                    "The key came from the case itself: it proves that the case fits itself, and no more."
                )?;
            }
        } else {
            writeln!(
                out,
                "{} does not hold: {} findings; {sum}",
                report.origin,
                report.findings.len()
            )?;
        }
    }
    out.flush()?;
    if report.findings.is_empty() { Ok(()) } else { Err(Told::Finding) }
}
