//! `vigie data update`.

use std::io::Write;
use std::path::Path;

use desk::addresses::Refreshed;
use serde_json::{Value, json};

use super::open::grouped;
use super::{home_dir, told};
use crate::cli::Which;
use crate::error::Told;
use crate::progress::bytes;

/// Makes newer reference data.
pub(crate) fn update(
    home: Option<&Path>,
    what: Which,
    from: Option<&Path>,
    json: bool,
) -> Result<(), Told> {
    let home = home_dir(home)?;
    match what {
        Which::Addresses => {
            let made = desk::addresses::update(&home, from).map_err(told(&home))?;
            let mut out = std::io::stdout().lock();
            if json {
                writeln!(out, "{}", addresses_document(&made))?;
                return Ok(());
            }
            tell_addresses(&mut out, &made)
        }
        Which::Shield => shield(&home, from, json),
    }
}

/// The sets first: what they need is smaller. The table of addresses comes along where npm can fetch
/// it; from a folder, only where its rows lie there.
fn shield(home: &Path, from: Option<&Path>, json: bool) -> Result<(), Told> {
    let fetched = desk::shield::update(home, from).map_err(told(home))?;
    let with_rows = from
        .is_none_or(|folder| folder.join("asn-ipv4.csv").is_file() || folder.join("asn").is_dir());
    let addresses = with_rows.then(|| desk::addresses::update(home, from)).transpose();
    let mut out = std::io::stdout().lock();
    if !json {
        let members: usize = fetched.sets.iter().map(|set| set.entries).sum();
        let left_out: usize = fetched.sets.iter().map(|set| set.left_out).sum();
        writeln!(
            out,
            "{}: {} sets, {} members; {} members of the lists are no name, address or network",
            fetched.folder.display(),
            fetched.sets.len(),
            grouped(members as u64),
            grouped(left_out as u64)
        )?;
        match fetched.suffixes {
            Some(date) => writeln!(out, "Public suffixes of {date}.")?,
            None => {
                writeln!(out, "No list of public suffixes could be had: what was there stays.")?
            }
        }
        for (name, before, now) in &fetched.kept {
            let (before, now) = (grouped(*before as u64), grouped(*now as u64));
            writeln!(
                out,
                "{name} stays as it was, with {before} members: the list now has {now}."
            )?;
        }
        if !fetched.absent.is_empty() {
            writeln!(out, "Not in the package, or empty: {}.", fetched.absent.join(", "))?;
        }
        if let Some(made) = addresses.map_err(told(home))? {
            tell_addresses(&mut out, &made)?;
        }
        say!(out, "Next: `vigie shield sets` shows each with its date.")?;
        return Ok(());
    }
    let sets: Vec<_> = fetched
        .sets
        .iter()
        .map(|set| {
            json!({
                "name": set.head.name, "class": set.head.class.word(), "entries": set.entries,
                "left_out": set.left_out, "date": set.head.date.to_string(),
            })
        })
        .collect();
    let kept: Vec<_> = fetched
        .kept
        .iter()
        .map(|(name, before, now)| json!({"name": name, "before": before, "now": now}))
        .collect();
    let (made, failed) = match addresses.map_err(told(home)) {
        Ok(made) => (made, None),
        Err(told) => (None, Some(told)),
    };
    let document = json!({
        "folder": fetched.folder.display().to_string(), "sets": sets, "absent": fetched.absent,
        "kept": kept, "suffixes": fetched.suffixes.map(|date| date.to_string()),
        "addresses": made.as_ref().map(addresses_document),
        "addresses_error": failed.as_ref().map(ToString::to_string),
    });
    writeln!(out, "{document}")?;
    failed.map_or(Ok(()), Err)
}

fn addresses_document(made: &Refreshed) -> Value {
    json!({
        "path": made.path.display().to_string(), "bytes": made.bytes, "ipv4": made.ipv4,
        "ipv6": made.ipv6, "changed": made.changed,
    })
}

fn tell_addresses(out: &mut impl Write, made: &Refreshed) -> Result<(), Told> {
    let (v4, v6) = (grouped(made.ipv4 as u64), grouped(made.ipv6 as u64));
    writeln!(
        out,
        "{}: {v4} IPv4 and {v6} IPv6 ranges, {}",
        made.path.display(),
        bytes(made.bytes)
    )?;
    let next = if made.changed {
        "The next `vigie open` seals it into its case; the countries there are then by it."
    } else {
        "It is the table that was there."
    };
    say!(out, "{next} Source of AS numbers: RouteViews, DB-IP.")?;
    Ok(())
}
