//! `vigie log prove`, `vigie log check` and `vigie log reference`.

use std::io::Write;
use std::path::Path;

use desk::read::Reader;
use ledger::note::NoteError;
use ledger::witness::{MAX_SPLIT, Shown, Split};
use ledger::{
    Checkpoint, Consistency, MAX_CONSISTENCY, MAX_PROOF, Note, Policy, Proof, ProofError, Trust,
    Witnessed,
};
use serde_json::{Value, json};

use super::times::trust_file;
use super::verify::unwitnessed;
use super::{home_dir, no_exhibit, plain, read_bytes, read_text, told};
use crate::cli::{Check, Log, OfRecord, Prove};
use crate::error::Told;

/// Proves, or checks; [`Told::Finding`] where a proof does not hold.
pub(crate) fn run(home: Option<&Path>, args: &Log) -> Result<(), Told> {
    match args {
        Log::Prove(args) => prove(home, args),
        Log::Check(args) => check(args),
        Log::Reference(args) => reference(args),
    }
}

fn reference(args: &OfRecord) -> Result<(), Told> {
    let dir = args.case.case.as_path();
    let record = match &args.exhibit {
        None => args.index.unwrap_or(0),
        Some(text) => {
            let id = text.parse().map_err(no_exhibit)?;
            let snapshot = Reader::open(dir).and_then(|r| r.snapshot()).map_err(told(dir))?;
            let found = snapshot.exhibit(id).map_err(told(dir))?;
            found.map(|found| found.head.record).ok_or_else(|| Told::Failure {
                what: format!("no exhibit {id} is in this case"),
                next: Some("`vigie search` finds exhibits".to_owned()),
            })?
        }
    };
    let found = desk::tickets::refer(dir, record).map_err(told(dir))?;
    let found = found.ok_or_else(|| Told::Failure {
        what: format!("the log in {} has no record {record}", dir.display()),
        next: None,
    })?;
    let mut out = std::io::stdout();
    if args.json {
        return Ok(writeln!(out, "{}", json!({ "reference": found.to_string() }))?);
    }
    Ok(writeln!(out, "{found}")?)
}

fn prove(home: Option<&Path>, args: &Prove) -> Result<(), Told> {
    let home = home_dir(home)?;
    let case = args.case.case.as_path();
    let (which, place) = if args.authority {
        (desk::Which::Authority { home: &home, name: None }, home.as_path())
    } else {
        (desk::Which::Case(case), case)
    };
    let text = match &args.since {
        Some(since) => {
            let older = read_text(since, MAX_CONSISTENCY)?;
            desk::prove_since(which, &older).map_err(told(place))?.to_string()
        }
        None => desk::prove(which, args.index.unwrap_or(0)).map_err(told(place))?.to_string(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// What a proof that holds shows.
struct Verdict {
    /// In words.
    shown: String,
    /// The checkpoint it ends at.
    checkpoint: Checkpoint,
    /// Who cosigned, where a key of the reader's confirms the signer.
    signer: Option<Witnessed>,
    /// The record that the proof carries.
    record: Option<String>,
}

fn check(args: &Check) -> Result<(), Told> {
    let off = |path: &Path, why: &dyn std::fmt::Display| {
        Told::Misuse(format!("{}: {why}", path.display()))
    };
    let trust = trust_file(args.trust.as_deref())?;
    let text = read_text(&args.proof, MAX_PROOF.max(MAX_CONSISTENCY).max(MAX_SPLIT))?;
    if text.starts_with("vigie split-view ") {
        return split(args, &text, trust.as_ref());
    }
    let verdict = match &args.since {
        Some(path) => {
            let older =
                Note::parse(&read_text(path, MAX_CONSISTENCY)?).map_err(|e| off(path, &e))?;
            grown(&text, &older, trust.as_ref())
        }
        None => {
            let entry = match &args.entry {
                None => None,
                Some(path) => Some(read_bytes(path, ledger::MAX_ENTRY)?),
            };
            included(&text, entry, trust.as_ref())
        }
    };
    match verdict {
        Ok(verdict) => holds(args, verdict),
        Err(why) => {
            let mut out = std::io::stdout().lock();
            if args.json {
                writeln!(out, "{}", json!({ "holds": false, "why": why.to_string() }))?;
            } else {
                let name = args.proof.display().to_string();
                writeln!(out, "{} does not hold: {}", plain(&name), plain(&why.to_string()))?;
                if matches!(why, ProofError::Note(NoteError::OtherKey)) {
                    let rotated =
                        "where the log's key was rotated, the trust file needs a line for each";
                    writeln!(out, "The log may have had another key then: {rotated}.")?;
                }
            }
            out.flush()?;
            Err(Told::Finding)
        }
    }
}

/// Judges a file that shows two histories. That it holds is a finding about the log.
fn split(args: &Check, text: &str, trust: Option<&Trust>) -> Result<(), Told> {
    let shown = Split::parse(text).and_then(|split| match trust {
        Some(trust) => split.check(trust),
        None => split.shown(),
    });
    let (holds, told) = match &shown {
        Ok(Shown::Split(a, b)) => (
            true,
            format!("{} signed two histories, of {} and {} records", a.origin, a.size, b.size),
        ),
        Ok(Shown::Unexplained(a, b)) => (
            false,
            format!(
                "{} signed {} and {} records, and did not show that one goes on from the other: \
                 it may still",
                a.origin, a.size, b.size
            ),
        ),
        Err(why) => (false, format!("it shows nothing: {why}")),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let document = json!({ "split": holds, "told": told, "signer_confirmed": trust.is_some() });
        writeln!(out, "{document}")?;
    } else {
        writeln!(out, "{}: {}.", if holds { "Split view" } else { "No proof" }, plain(&told))?;
        if trust.is_none() {
            let no = "no key of yours was named (--trust FILE)";
            writeln!(out, "Signer not confirmed: {no}; anybody can make a key and sign twice.")?;
        }
    }
    out.flush()?;
    Err(Told::Finding)
}

/// Judges a note by the reader's keys; `None` where he named none at all.
fn judged(trust: Option<&Trust>, note: &Note) -> Result<Option<Witnessed>, ProofError> {
    let policy: Option<Policy> = trust.map(|trust| trust.policy_of(note)).transpose()?;
    policy.map(|policy| policy.open(note)).transpose()
}

fn included(
    text: &str,
    entry: Option<Vec<u8>>,
    trust: Option<&Trust>,
) -> Result<Verdict, ProofError> {
    let proof = Proof::parse(text)?;
    let entry = entry.or_else(|| proof.extra.clone());
    let entry = entry.ok_or(ProofError::Shape("it carries no entry: name one with --entry"))?;
    let checkpoint = proof.leads_to(&ledger::tree::leaf(&entry))?;
    let signer = judged(trust, &proof.checkpoint)?;
    let shown = format!("record {} stands in {}", proof.index, checkpoint.origin);
    let record = Some(String::from_utf8_lossy(&entry).into_owned());
    Ok(Verdict { shown, checkpoint, signer, record })
}

fn grown(text: &str, older: &Note, trust: Option<&Trust>) -> Result<Verdict, ProofError> {
    let proof = Consistency::parse(text)?;
    let before = Checkpoint::of_text(&older.text)?;
    let checkpoint = proof.check(&before)?;
    // Both ends must be the log's own word; witnesses are asked for at the newer one alone.
    if let Some(trust) = trust {
        trust.policy_of(older)?;
    }
    let signer = judged(trust, &proof.checkpoint)?;
    let shown = format!("{} only grew since it had {} records", checkpoint.origin, before.size);
    Ok(Verdict { shown, checkpoint, signer, record: None })
}

fn holds(args: &Check, verdict: Verdict) -> Result<(), Told> {
    let Verdict { shown, checkpoint, signer, record } = verdict;
    let mut out = std::io::stdout().lock();
    if args.json {
        let told = |by: &(String, u64)| json!({ "name": by.0, "time": moment(by.1) });
        let by = signer.as_ref().map(|s| s.by.iter().map(told).collect::<Vec<_>>());
        let record = record.as_ref().map(|r| serde_json::from_str::<Value>(r).ok());
        let document = json!({
            "holds": true, "shown": shown, "origin": checkpoint.origin, "size": checkpoint.size,
            "signer_confirmed": signer.is_some(), "cosigned": by, "record": record,
        });
        writeln!(out, "{document}")?;
        return Ok(out.flush()?);
    }
    writeln!(out, "Holds: {}, now {} records.", plain(&shown), checkpoint.size)?;
    match (&args.trust, signer) {
        (Some(path), Some(signer)) => {
            let name = path.display().to_string();
            writeln!(out, "Signed by a key that {} trusts for this log.", plain(&name))?;
            for (name, time) in &signer.by {
                writeln!(out, "Cosigned by {} at {}.", plain(name), moment(*time))?;
            }
            if signer.by.is_empty() {
                writeln!(out, "{}: its operator could have rebuilt it.", unwitnessed(true))?;
            }
        }
        _ => writeln!(
            out,
            "Consistent, signer not confirmed: no key of yours was named (--trust FILE)."
        )?,
    }
    if let Some(record) = record {
        writeln!(out, "{}", plain(&record))?;
    }
    Ok(out.flush()?)
}

/// Seconds since the epoch, in words.
pub(super) fn moment(seconds: u64) -> String {
    model::Stamp::unix_seconds(i64::try_from(seconds).unwrap_or(i64::MAX)).to_string()
}
