//! What ISPs are measured to do, as the log has it.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use shield::Item;
use shield::measure::Measure;
use shield::measure::figures::{Isp, Times};
use shield::order::words::Organisation;

use crate::commands::{counted, plain};
use crate::error::Told;

/// The most names of one ISP that are listed.
const MOST: usize = 1_000;

/// Every ISP, one of them, or one name at all of them.
pub(super) fn run(
    home: Option<&Path>,
    dir: &Path,
    of: Option<&str>,
    as_json: bool,
) -> Result<(), Told> {
    let measure = super::show::read(home, dir)?.measure;
    let isps = measure.isps();
    let known = |name: &str| isps.iter().any(|view| view.figures.isp.as_str() == name);
    let mut out = std::io::stdout().lock();
    match of {
        Some(text) if !known(text) => name(&mut out, &measure, text, as_json),
        of => {
            let chosen = isps.iter().map(|view| &view.figures);
            let chosen: Vec<&Isp> =
                chosen.filter(|isp| of.is_none_or(|of| isp.isp.as_str() == of)).collect();
            if chosen.is_empty() && !as_json {
                say!(
                    out,
                    "No ISP was measured yet: docs/measurement.md says how probes are set up."
                )?;
            }
            for isp in chosen {
                let behind = measure.behind(&isp.isp, if of.is_some() { MOST } else { 10 });
                figures(&mut out, isp, &behind, as_json)?;
            }
            Ok(())
        }
    }
}

fn times(of: &Times) -> Value {
    json!({"measured": of.all, "p50_ms": of.percentile(50), "p99_ms": of.percentile(99)})
}

fn figures(
    out: &mut impl Write,
    isp: &Isp,
    behind: &[(Item, shield::measure::figures::What)],
    as_json: bool,
) -> Result<(), Told> {
    if as_json {
        let behind: Vec<Value> = behind
            .iter()
            .map(|(value, what)| json!({"value": value.to_string(), "found": what.word()}))
            .collect();
        let document = json!({
            "isp": isp.isp.as_str(), "blocked": times(&isp.blocked), "unblocked": times(&isp.unblocked),
            "blocks": isp.blocks, "not_yet": isp.not_yet, "opened": isp.opened,
            "still_blocked": isp.still, "behind": behind,
        });
        writeln!(out, "{document}")?;
        return Ok(());
    }
    let said = |of: &Times| match (of.percentile(50), of.percentile(99)) {
        (Some(half), Some(most)) => {
            format!("p50 {half} ms, p99 {most} ms ({})", counted(of.all, "time"))
        }
        _ => "not measured".to_owned(),
    };
    say!(out, "{}", plain(isp.isp.as_str()))?;
    say!(out, "  blocked in    {}", said(&isp.blocked))?;
    say!(out, "  unblocked in  {}", said(&isp.unblocked))?;
    say!(
        out,
        "  now           {} blocked, {} not yet; {} open again, {} still blocked",
        counted(isp.blocks, "name"),
        isp.not_yet,
        isp.opened,
        isp.still
    )?;
    for (value, what) in behind {
        say!(out, "    {:<13} {value}", what.word().replace('_', " "))?;
    }
    Ok(())
}

/// One name at every ISP that was measured.
fn name(out: &mut impl Write, measure: &Measure, text: &str, as_json: bool) -> Result<(), Told> {
    let unknown = || {
        Told::Misuse(format!(
            "{}: no ISP of that name was measured, and no such name is among the newest that were \
             blocked or lifted",
            plain(text)
        ))
    };
    let value = Item::parse(text).map_err(|_| unknown())?;
    let (blocks, stands) = measure.stands(&value).ok_or_else(unknown)?;
    if stands.is_empty() && !as_json {
        say!(out, "{value}: measured at no ISP.")?;
    }
    for stand in stands {
        let isp: &Organisation = &stand.isp;
        let found = stand.what.map(|what| what.word());
        if as_json {
            let wanted = if blocks { "blocked" } else { "unblocked" };
            let (value, isp) = (value.to_string(), isp.as_str());
            writeln!(
                out,
                "{}",
                json!({"value": value, "wanted": wanted, "isp": isp, "found": found})
            )?;
        } else {
            let found = found.unwrap_or("not measured").replace('_', " ");
            say!(out, "{value}  {found:<13}  {}", plain(isp.as_str()))?;
        }
    }
    Ok(())
}
