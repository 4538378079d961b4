//! What a backup, a restore and a trial came to, printed.

use std::io::Write;
use std::path::Path;

use desk::backup::{Done, Drilled, Proven, Store};
use desk::shell::quoted_path;
use serde_json::{Value, json};

use super::super::{counted, plain};
use crate::progress::{bytes, span};

/// Most names that are listed.
const SHOWN: usize = 20;

pub(super) fn made(done: &Done, store: &dyn Store, case: &Path) -> std::io::Result<()> {
    let (made, to) = (&done.made, plain(&store.shown()));
    let mut out = std::io::stdout().lock();
    for finding in &made.findings {
        say!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    if made.refused {
        say!(
            out,
            "The case's own records do not hold, so nothing was copied, and the backup is as it was: \
             `vigie verify {}` tells more.",
            quoted_path(case)
        )?;
        return Ok(());
    }
    for name in made.repaired.iter().take(SHOWN) {
        writeln!(out, "put right there: {}", plain(name))?;
    }
    if made.repaired.len() > SHOWN {
        writeln!(out, "put right there: {} more", made.repaired.len() - SHOWN)?;
    }
    let what = if done.record.is_none() && !made.changed() { "is up to date" } else { "holds" };
    writeln!(
        out,
        "{to} {what}: {}, {} ({}); written {}{}",
        counted(made.size, "record"),
        counted(made.exhibits, "exhibit"),
        bytes(made.bytes),
        bytes(made.copied_bytes),
        if made.checked { "; all of it was read again" } else { "" }
    )?;
    if made.erased + made.rewritten > 0 {
        writeln!(
            out,
            "Erased there, as the log orders: {}, and something of {} of openings",
            counted(made.erased, "exhibit"),
            counted(made.rewritten, "file")
        )?;
    }
    if let Some(remains) = &done.remains {
        writeln!(out, "NOT erased: {remains}")?;
    }
    if made.completed {
        writeln!(
            out,
            "This completed a run that was cut off: of what that one erased nothing is counted here."
        )?;
    }
    for (record, path) in made.outside.iter().take(SHOWN) {
        let path = plain(&path.display().to_string());
        writeln!(
            out,
            "not in the backup: the exhibit of record {record}; its bytes stay at {path}"
        )?;
    }
    if made.outside.len() > SHOWN {
        let more = made.outside.len() - SHOWN;
        writeln!(out, "not in the backup: {more} more that were sealed in place")?;
    }
    if let Some(record) = done.record {
        writeln!(out, "Recorded as {record}. No key is in it: keep the authority's folder apart.")?;
    }
    out.flush()
}

pub(super) fn findings_json(findings: &[desk::backup::Finding]) -> Vec<Value> {
    findings.iter().map(|f| json!({ "place": f.place, "message": f.message })).collect()
}

pub(super) fn json_of(done: &Done, store: &dyn Store) -> std::io::Result<()> {
    let made = &done.made;
    let findings = findings_json(&made.findings);
    let outside: Vec<_> = (made.outside.iter())
        .map(|(record, path)| json!({ "record": record, "stays_at": path.display().to_string() }))
        .collect();
    let document = json!({
        "destination": store.shown(), "before": made.before, "records": made.size,
        "root": made.root.to_string(), "exhibits": made.exhibits, "bytes": made.bytes,
        "written": made.copied, "written_bytes": made.copied_bytes,
        "erased_exhibits": made.erased, "erased_openings": made.rewritten, "not_erased": done.remains,
        "repaired": made.repaired, "checked": made.checked, "refused": made.refused,
        "completed_a_cut_run": made.completed,
        "findings": findings, "outside": outside, "record": done.record,
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{document}")?;
    out.flush()
}

/// What proving found.
fn findings(proven: &Proven, out: &mut dyn Write) -> std::io::Result<()> {
    for finding in &proven.report.findings {
        say!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    for note in &proven.report.notes {
        say!(out, "note   {}", plain(note))?;
    }
    Ok(())
}

pub(super) fn restored(
    proven: &Proven,
    store: &dyn Store,
    case: &Path,
    json: bool,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (restored, lost) = (&proven.restored, proven.lost());
    if json {
        let mut document = proven_json(proven, store);
        document["case"] = case.display().to_string().into();
        document["accepted_damaged"] =
            if proven.accepted { json!(restored.damaged) } else { json!([]) };
        document["kept"] = proven.kept.as_ref().map(|path| path.display().to_string()).into();
        document["left"] = proven.left.as_ref().map(|path| path.display().to_string()).into();
        writeln!(out, "{document}")?;
        return out.flush();
    }
    findings(proven, &mut out)?;
    if let Some(left) = &proven.left {
        let n = counted(proven.report.findings.len() as u64, "finding");
        writeln!(
            out,
            "The backup does not hold ({n}), so nothing took its place at {}. What was copied is in {}.",
            case.display(),
            left.display()
        )?;
        if proven.only_exhibits() {
            writeln!(
                out,
                "Log and openings hold. Where the case has no better copy of these exhibits, \
                 --accept-damaged restores it without them."
            )?;
        }
        return out.flush();
    }
    writeln!(
        out,
        "{}: {} holds {}, {} ({}), {}",
        restored.origin,
        case.display(),
        counted(restored.size, "record"),
        counted(restored.exhibits, "exhibit"),
        bytes(restored.bytes),
        if proven.accepted {
            "restored without what is named above"
        } else {
            "proven before it had the name"
        }
    )?;
    if proven.accepted {
        let n = counted(restored.damaged.len() as u64, "exhibit");
        say!(
            out,
            "{n} DAMAGED or missing, as --accept-damaged allows: `vigie verify` names them each time."
        )?;
    }
    if let Some(kept) = &proven.kept {
        writeln!(out, "What stood there is kept: {}", kept.display())?;
    }
    match lost {
        Some(lost) => writeln!(
            out,
            "Records {} to {} are LOST: the authority has seen them, and this backup is older. The case \
             can be read; it cannot be continued, for that would fork the log.",
            lost.start,
            lost.end - 1
        )?,
        None => {
            say!(out, "Next: `vigie views rebuild --case {}` makes its views", quoted_path(case))?
        }
    }
    out.flush()
}

pub(super) fn drill(drilled: &Drilled, store: &dyn Store, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let proven = &drilled.proven;
    if json {
        let mut document = proven_json(proven, store);
        document["behind"] = drilled.behind.into();
        document["elapsed_ms"] = drilled.elapsed_ms.into();
        document["record"] = drilled.record.into();
        writeln!(out, "{document}")?;
        return out.flush();
    }
    findings(proven, &mut out)?;
    let holds = if proven.report.findings.is_empty() { "holds" } else { "does NOT hold" };
    writeln!(
        out,
        "{} {holds}: restored on trial and proven in {}: {} ({} behind the case), {} ({}); removed again",
        plain(&store.shown()),
        span(drilled.elapsed_ms as f64 / 1000.0),
        counted(proven.restored.size, "record"),
        drilled.behind,
        counted(proven.restored.exhibits, "exhibit"),
        bytes(proven.restored.bytes)
    )?;
    out.flush()
}

fn proven_json(proven: &Proven, store: &dyn Store) -> Value {
    let (restored, report) = (&proven.restored, &proven.report);
    let findings = findings_json(&report.findings);
    let outside: Vec<_> = (restored.outside.iter())
        .map(|(record, path)| json!({ "record": record, "stays_at": path.display().to_string() }))
        .collect();
    json!({
        "from": store.shown(), "origin": restored.origin, "records": restored.size,
        "root": restored.root.to_string(), "exhibits": restored.exhibits, "bytes": restored.bytes,
        "sound": findings.is_empty(), "signer_confirmed": report.signer_confirmed,
        "key_from_home": report.key_from_home, "findings": findings, "notes": report.notes,
        "outside": outside, "lost": proven.lost().map(|lost| json!([lost.start, lost.end])),
    })
}
