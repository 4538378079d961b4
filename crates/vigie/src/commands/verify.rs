//! `vigie verify`.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use desk::shell::quoted_path;
use desk::witness::Required;
use desk::{Report, Witnessing};
use serde_json::{Value, json};

use super::log::moment;
use super::times::{timed_json, timed_text, trust_file};
use super::{counted, home_dir, plain, told};
use crate::cli::Verify;
use crate::error::Told;
use crate::progress::{Progress, bytes};

/// Proves a case; [`Told::Finding`] where it does not hold.
pub(crate) fn run(home: Option<&Path>, args: &Verify) -> Result<(), Told> {
    let bar = Mutex::new(Progress::new());
    let done = AtomicU64::new(0);
    let trust = trust_file(args.trust.as_deref())?;
    let dir = args.dir.as_ref().unwrap_or(&args.case.case);
    let report = desk::verify(dir, &home_dir(home)?, trust.as_ref(), &|n| {
        let done = done.fetch_add(n, Ordering::Relaxed) + n;
        if let Ok(mut bar) = bar.try_lock() {
            bar.show("hashed", done, None);
        }
    })
    .map_err(told(dir))?;
    if let Ok(mut bar) = bar.lock() {
        bar.clear();
    }
    let printed = print(&report, args);
    // A reader that went away does not change what was found.
    if report.findings.is_empty() { Ok(printed?) } else { Err(Told::Finding) }
}

fn print(report: &Report, args: &Verify) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.json {
        let findings: Vec<_> = report
            .findings
            .iter()
            .map(|f| json!({"place": f.place, "message": f.message}))
            .collect();
        let rotations: Vec<_> = (report.rotations.iter())
            .map(|r| json!({"record": r.record, "time": r.time, "old": r.old.text(), "new": r.new.text()}))
            .collect();
        let document = json!({
            "origin": report.origin, "sound": report.findings.is_empty(),
            "evidence_holds": report.evidence_holds(), "log_holds": report.log_holds, "records": report.records,
            "exhibits": report.exhibits, "bytes": report.bytes, "facts": report.facts,
            "checkpoint": report.checkpoint, "key_from_home": report.key_from_home,
            "signer_confirmed": report.signer_confirmed,
            "witnessed": witnessed_json(&report.witnessing), "time": timed_json(&report.timed),
            "rotations": rotations, "findings": findings, "notes": report.notes,
            "erased": erased_json(&report.erased),
        });
        writeln!(out, "{document}")?;
        return out.flush();
    }
    for finding in &report.findings {
        say!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    for note in &report.notes {
        say!(out, "note   {}", plain(note))?;
    }
    let sum = format!(
        "{}, {} ({}), {}",
        counted(report.records, "record"),
        counted(report.exhibits, "exhibit"),
        bytes(report.bytes),
        counted(report.facts, "fact")
    );
    let findings = counted(report.findings.len() as u64, "finding");
    let dir = args.dir.as_ref().unwrap_or(&args.case.case);
    let dir = quoted_path(dir);
    // Where nothing of its log is left, nothing says whose it is.
    let nameless = format!("The case in {dir}");
    let origin = if report.origin.is_empty() { &nameless } else { &report.origin };
    if report.findings.is_empty() {
        writeln!(out, "{origin} holds: {sum}")?;
    } else if report.evidence_holds() {
        writeln!(out, "{origin}: the evidence (log and exhibits) holds; {sum}")?;
        say!(
            out,
            "The views are damaged ({findings}): `vigie views rebuild --case {dir}` makes them anew."
        )?;
    } else {
        writeln!(out, "{origin} does not hold: {findings}; {sum}")?;
        let views = report.findings.len() - report.of_evidence;
        if views > 0 {
            writeln!(out, "{} in the evidence, {views} in the views.", report.of_evidence)?;
        }
    }
    if !report.log_holds {
        let who = "Who signed, cosigned and stamped it is not told";
        writeln!(out, "{who}: they spoke of a log that is not the one that stands here.")?;
        return out.flush();
    }
    if report.signer_confirmed {
        writeln!(out, "Signed by a key that your trust file names for this log.")?;
    } else if args.trust.is_none() && !report.key_from_home {
        let no = "no key of yours was named (--trust FILE)";
        writeln!(out, "Consistent, signer not confirmed: {no}.")?;
    }
    for line in witnessed_text(&report.witnessing, report.records, args.trust.is_some()) {
        say!(out, "{line}")?;
    }
    for line in timed_text(&report.timed, report.records) {
        say!(out, "{line}")?;
    }
    out.flush()
}

fn erased_json(erased: &[desk::Erasure]) -> Value {
    let one = |e: &desk::Erasure| {
        json!({
            "record": e.record, "time": e.time, "actor": e.actor, "basis": e.basis,
            "exhibits": e.exhibits.to_string(), "parts": e.parts.to_string(),
            "leaves": e.leaves.to_string(), "openings": e.openings, "media": e.media,
        })
    };
    erased.iter().map(one).collect()
}

fn witnessed_json(found: &Witnessing) -> Value {
    let by: Vec<_> = (found.by.iter())
        .map(|(name, size, time)| json!({"name": name, "records": size, "time": moment(*time)}))
        .collect();
    let policy =
        found.policy.map(|p| json!({"of": p.named, "quorum": p.quorum, "records": p.reached}));
    json!({ "by": by, "confirmed": found.confirmed, "policy": policy, "quorum": found.quorum })
}

/// Who cosigned, in lines.
fn witnessed_text(found: &Witnessing, records: u64, trusting: bool) -> Vec<String> {
    let policy = found.policy.map(|p| policy_text(p, records));
    if found.by.is_empty() {
        let unwitnessed = format!("{}: its operator could have rebuilt it.", unwitnessed(trusting));
        return std::iter::once(unwitnessed).chain(policy).collect();
    }
    let mut lines: Vec<String> = (found.by.iter())
        .map(|(name, size, time)| {
            let (name, time, size) = (plain(name), moment(*time), size.min(&records));
            format!("Witnessed by {name} at {time}: the first {size} of {records} records.")
        })
        .collect();
    lines.extend(policy);
    if !found.confirmed {
        lines.push("The witnesses' keys are those that the authority itself names.".to_owned());
    }
    lines
}

/// That nobody cosigned who counts: with a file of his own the reader says who does.
pub(super) fn unwitnessed(trusting: bool) -> &'static str {
    if trusting { "Unwitnessed by anyone whom your trust file names" } else { "Unwitnessed" }
}

/// Whether what an authority requires of witnesses was reached.
pub(super) fn policy_text(required: Required, records: u64) -> String {
    let Required { quorum, named, reached } = required;
    let so = match reached {
        0 => "no checkpoint of this log has them".to_owned(),
        // More may have been cosigned since these were proved.
        n if n >= records => format!("all {records} records have them"),
        n => format!("the first {n} of {records} records have them"),
    };
    format!("The authority requires {quorum} of {named} witnesses: {so}.")
}
