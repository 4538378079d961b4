//! What waits for witnesses.

use std::io::Write;
use std::path::Path;

use desk::clearing::{Witnessing, witnessing};
use model::record::time_text;
use serde_json::json;

use crate::commands::{counted, home_dir, plain, told};
use crate::error::Told;

/// Shows it, as the log and what is kept beside it say.
pub(super) fn show(home: Option<&Path>, dir: &Path, as_json: bool) -> Result<(), Told> {
    let found = witnessing(&home_dir(home)?, dir).map_err(told(dir))?;
    let mut out = std::io::stdout().lock();
    if as_json {
        let each = found.each.iter();
        let each: Vec<_> =
            each.map(|(name, records)| json!({"name": name, "records": records})).collect();
        let document = json!({
            "asked": found.asked,
            "named": found.named,
            "records": found.records,
            "covered": found.covered,
            "blocks": found.blocks,
            "fewer": found.fewer,
            "waiting": found.waiting,
            "since": found.since.map(|since| time_text(since.0)),
            "unasked": found.unasked,
            "witnesses": each,
        });
        return Ok(writeln!(out, "{document}")?);
    }
    say!(out, "{}", asked(&found))?;
    if found.asked > 0 {
        say!(
            out,
            "So many have cosigned {} of {}.",
            found.covered,
            counted(found.records, "record")
        )?;
        match found.since {
            None => say!(out, "Nothing waits.")?,
            Some(since) => say!(
                out,
                "{} to be added, the first since {}. What ends waits for nobody.",
                waits(found.waiting),
                time_text(since.0)
            )?,
        }
        if found.fewer > 0 {
            say!(
                out,
                "{} of {} in force stand under fewer, as was asked for when they were decided, until so many have \
                 cosigned beyond them.",
                found.fewer,
                counted(found.blocks as u64, "block")
            )?;
        }
    }
    for (name, records) in &found.each {
        say!(out, "  {}  {}", plain(name), counted(*records, "record"))?;
    }
    Ok(())
}

fn waits(n: usize) -> String {
    let values = counted(n as u64, "value");
    if n == 1 { format!("{values} waits") } else { format!("{values} wait") }
}

/// How many are waited for, in a sentence.
pub(super) fn asked(found: &Witnessing) -> String {
    let waits = match (found.asked, found.named) {
        (0, _) => {
            "No witness is waited for: what is added goes out before anybody else has cosigned it \
                   (`vigie shield figure witnesses N`)."
                .to_owned()
        }
        (asked, named) => format!(
            "What is added waits for {} of the {named} that are named.",
            match asked {
                1 => "1 witness".to_owned(),
                n => format!("{n} witnesses"),
            }
        ),
    };
    match found.unasked.as_ref().filter(|_| found.named > 0) {
        None => waits,
        Some(name) => format!(
            "{waits} None is asked while the standby {} is gone: what they cosign has to be on both machines.",
            plain(name)
        ),
    }
}
