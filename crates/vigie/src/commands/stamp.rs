//! `vigie stamp`, and what `vigie serve` does each hour.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use desk::shell::here;
use desk::time::{Ask, Stamped};
use serde_json::json;

use super::times::{OF, by_whom, moment, trust_file};
use super::{no_exhibit, place, plain, read_bytes, told};
use crate::cli::Stamp;
use crate::error::Told;

/// The longest file of certificates.
const MAX_CHAIN: usize = 1 << 20;
/// How often `vigie serve` asks, and how soon again where it failed.
const EACH: Duration = Duration::from_secs(3600);
/// See [`EACH`].
const AGAIN: Duration = Duration::from_secs(300);

/// Asks for one stamp.
pub(crate) fn run(home: Option<&Path>, args: &Stamp) -> Result<(), Told> {
    let exhibit = args.exhibit.as_deref().map(str::parse).transpose().map_err(no_exhibit)?;
    let trust = trust_file(args.trust.as_deref())?;
    let chain = match &args.chain {
        None => Vec::new(),
        Some(path) => desk::time::certificates_in(&read_bytes(path, MAX_CHAIN)?)
            .map_err(|e| Told::Misuse(format!("{}: {e}", path.display())))?,
    };
    let place = place(home, &args.case.case, "vigie stamp")?;
    let ask =
        Ask { url: &args.tsa, exhibit, only_new: false, trust: trust.as_ref(), chain: &chain };
    let stamped = desk::time::stamp(&place, &ask).map_err(told(&place.case))?;
    // Only what is asked for where it is new may come to nothing.
    let Some(stamped) = stamped else { return Ok(()) };
    let mut out = std::io::stdout().lock();
    if args.json {
        let found = &stamped.verified;
        let document = json!({
            "record": stamped.record, "covers": stamped.size, "exhibit": args.exhibit,
            "time": moment(found.info.time_ms), "by": moment(found.info.latest_ms),
            "after": moment(found.info.earliest_ms), "authority": found.signer,
            "confirmed": found.confirmed, "expires": moment(found.expires_ms),
            "revocation": found.revocation_ms.map(moment), "serial": found.info.serial,
            "policy": found.info.policy, "notes": stamped.notes, "bounds": OF,
        });
        writeln!(out, "{document}")?;
        return Ok(out.flush()?);
    }
    for line in lines(&stamped) {
        say!(out, "{}", plain(&line))?;
    }
    Ok(out.flush()?)
}

fn lines(stamped: &Stamped) -> Vec<String> {
    let (found, record) = (&stamped.verified, stamped.record);
    let by = moment(found.info.latest_ms);
    let mut lines = vec![match stamped.size {
        Some(size) => format!("The log's first {size} records were in it by {by}."),
        None => format!("The exhibit's bytes were there by {by}."),
    }];
    lines.push(format!(
        "Kept as record {record}: what follows it enters after {}.",
        moment(found.info.earliest_ms)
    ));
    lines.push(format!("These are bounds {OF}."));
    let name = found.confirmed.clone().unwrap_or_else(|| found.signer.clone());
    lines.push(by_whom(&(name, found.confirmed.is_some())));
    lines.push(match found.revocation_ms {
        Some(ms) => format!("None of its certificates was revoked, as of {}.", moment(ms)),
        None => "Whether its certificates were revoked is not known in full.".to_owned(),
    });
    lines.push(format!("It proves alone until {}.", moment(found.expires_ms)));
    lines.extend(stamped.notes.iter().map(|note| format!("note: {note}")));
    lines
}

/// Asks each hour for a stamp of what is new, for as long as the process lives. What happens is
/// said; what fails is tried again.
#[allow(clippy::print_stderr)]
pub(crate) fn hourly(home: Option<&Path>, case: &Path, url: &str) -> Result<(), Told> {
    let place = place(home, case, "vigie serve (trusted time)")?;
    let url = url.to_owned();
    std::thread::Builder::new().name("trusted time".to_owned()).spawn(move || {
        loop {
            let ask = Ask { url: &url, exhibit: None, only_new: true, trust: None, chain: &[] };
            let wait = match desk::time::stamp(&place, &ask) {
                Ok(None) => EACH,
                Ok(Some(stamped)) => {
                    let by = moment(stamped.verified.info.latest_ms);
                    let (record, size) = (stamped.record, stamped.size.unwrap_or(0));
                    eprintln!("vigie: trusted time: {size} records by {by} (record {record})");
                    for note in &stamped.notes {
                        eprintln!("vigie: trusted time: {}", plain(note));
                    }
                    EACH
                }
                Err(error) => {
                    let what = plain(&told(&place.case)(error).to_string());
                    let minutes = AGAIN.as_secs() / 60;
                    eprintln!(
                        "vigie: no trusted time: {}; again in {minutes} minutes",
                        here(&what)
                    );
                    AGAIN
                }
            };
            std::thread::sleep(wait);
        }
    })?;
    Ok(())
}
