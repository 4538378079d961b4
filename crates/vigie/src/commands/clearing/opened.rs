//! `vigie shield opened`: holds what is told of a ticket against the log, as anybody may who has the file.

use std::io::{Read, Write};
use std::path::Path;

use ledger::{Note, ProofError};
use serde_json::{Value, json};
use shield::wire::opened::{Checked, MAX_OPENED, Opened, OpenedError, Said};

use crate::commands::times::{moment, trust_file};
use crate::commands::{counted, plain, read_bytes};
use crate::error::Told;

/// Fields that are moments, in milliseconds since 1970.
const MOMENTS: [&str; 4] = ["at", "taken", "expires", "until"];

/// Reads and checks a file; [`Told::Finding`] where it does not hold.
pub(super) fn run(file: &Path, trust: Option<&Path>, json: bool) -> Result<(), Told> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().take(MAX_OPENED as u64 + 1).read_to_end(&mut bytes)?;
        bytes
    } else {
        read_bytes(file, MAX_OPENED)?
    };
    let trust = trust_file(trust)?;
    let checked = Opened::read(&bytes).and_then(|opened| {
        let policy = match &trust {
            Some(trust) => {
                let note = Note::parse(&opened.checkpoint).map_err(ProofError::Note)?;
                Some(trust.policy_of(&note).map_err(ProofError::Note)?)
            }
            None => None,
        };
        Ok((opened.check(policy.as_ref())?, opened))
    });
    let mut out = std::io::stdout().lock();
    let (checked, opened) = match checked {
        Ok(checked) => checked,
        Err(why) => {
            off(&mut out, file, &why, json)?;
            return Err(Told::Finding);
        }
    };
    if json {
        writeln!(out, "{}", document(&checked, &opened))?;
    } else {
        text(&mut out, &checked, &opened)?;
    }
    Ok(out.flush()?)
}

fn off(out: &mut impl Write, file: &Path, why: &OpenedError, json: bool) -> std::io::Result<()> {
    if json {
        writeln!(out, "{}", json!({ "holds": false, "why": why.to_string() }))?;
    } else {
        let (name, why) = (file.display().to_string(), why.to_string());
        say!(
            out,
            "{} does not hold: {}. Believe nothing of it, and ask the clearing house for it again.",
            plain(&name),
            plain(&why)
        )?;
    }
    out.flush()
}

fn document(checked: &Checked, opened: &Opened) -> Value {
    let said = |said: &Said| json!({ "record": said.record, "said": said.fields });
    json!({
        "holds": true, "ticket": opened.ticket.0, "origin": checked.checkpoint.origin,
        "size": checked.checkpoint.size, "signer_confirmed": checked.signer.is_some(),
        "cosigned": checked.signer.as_ref().map(|signer| signer.by.len()),
        "told": checked.said.iter().map(said).collect::<Vec<_>>(), "closed": checked.closed,
        "next": opened.next,
    })
}

fn text(out: &mut impl Write, checked: &Checked, opened: &Opened) -> std::io::Result<()> {
    let records = counted(opened.records.len() as u64, "record");
    let Checked { checkpoint, signer, said, closed } = checked;
    say!(
        out,
        "Holds: ticket {}, {records} of {}, which had {} then.",
        opened.ticket,
        plain(&checkpoint.origin),
        checkpoint.size
    )?;
    match signer {
        Some(signer) => {
            let by = signer.by.len();
            say!(
                out,
                "Signed by a key that you trust for this log; cosigned by {by} of your witnesses."
            )?;
        }
        None => say!(
            out,
            "Consistent, signer not confirmed: no key of yours was named (--trust FILE)."
        )?,
    }
    for one in said {
        say!(out, "{:>8}  {}", one.record, line(one))?;
    }
    if *closed > 0 {
        let records = counted(*closed, "record");
        say!(out, "Of {records} nothing is told: decided before this was kept, or erased by law.")?;
    }
    say!(
        out,
        "What is not said here stays closed; that no record was left out, no file can show."
    )?;
    if let Some(next) = opened.next {
        say!(out, "There is more: ask for the same with `?after={next}`.")?;
    }
    Ok(())
}

/// What a record says, in a line: what happened first, then its fields in their order.
fn line(said: &Said) -> String {
    let shown = |name: &str, value: &Value| match (value.as_i64(), value.as_str()) {
        (Some(ms), _) if MOMENTS.contains(&name) => moment(ms),
        (_, Some(text)) => text.to_owned(),
        _ => value.to_string(),
    };
    let deed = said.fields.get("deed").and_then(Value::as_str).unwrap_or_default();
    let rest = said.fields.iter().filter(|(name, _)| *name != "deed");
    let rest: Vec<String> =
        rest.map(|(name, value)| format!("{name} {}", shown(name, value))).collect();
    plain(&format!("{}  {}", deed.replace('_', " "), rest.join(", ")))
}
