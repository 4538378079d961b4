//! `vigie backup --authority` and `vigie restore --authority`.

use std::io::Write;
use std::path::Path;

use desk::backup::{Destination, HomeDone, HomeProven, Store, back_up_home, restore_home};
use ledger::Trust;
use serde_json::json;

use super::super::{counted, plain};
use super::print::findings_json;
use super::{apart, damaged, failed, store};
use crate::cli::{Backup, Restore};
use crate::error::Told;

/// Brings the backup of the authority's own folder up to it.
pub(super) fn back_up(place: &desk::Place, to: &Destination, args: &Backup) -> Result<(), Told> {
    if let Destination::Folder(dir) = to {
        outside(&place.home, dir)?;
    }
    let store = store(to)?;
    let done = back_up_home(place, &*store, args.check).map_err(failed(&place.home))?;
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", json_of(&done, &*store))?;
    } else {
        print(&done, &*store, &mut out)?;
    }
    out.flush()?;
    if done.made.findings.is_empty() { Ok(()) } else { Err(Told::Finding) }
}

/// A backup in the authority's own folder would go with it.
fn outside(home: &Path, dir: &Path) -> Result<(), Told> {
    apart(home, dir).map_err(|_| {
        Told::Misuse(format!(
            "{} lies in the authority's folder {}, or around it: name another. Nothing was written",
            dir.display(),
            home.display()
        ))
    })
}

fn print(done: &HomeDone, store: &dyn Store, out: &mut dyn Write) -> std::io::Result<()> {
    let HomeDone { name, made, with_key, remains } = done;
    for finding in &made.findings {
        say!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    if made.refused {
        return writeln!(
            out,
            "The log of {name} does not hold, so nothing was copied, and the backup is as it was."
        );
    }
    for name in &made.repaired {
        writeln!(out, "put right there: {}", plain(name))?;
    }
    let (to, records) = (plain(&store.shown()), counted(made.size, "record"));
    writeln!(
        out,
        "{to} holds the log of {name}: {records}; {} written",
        counted(made.copied, "file")
    )?;
    if *with_key {
        writeln!(out, "Its key is in it, under its passphrase: without that nobody can use it.")?;
    } else {
        say!(
            out,
            "Its key is NOT in it, since it is in the clear: `vigie authority passphrase` puts it under \
             one, and the next run takes it along. Until then keep a copy of it apart."
        )?;
    }
    match remains {
        Some(remains) => writeln!(out, "Of a key that was replaced: {remains}"),
        None => Ok(()),
    }
}

fn json_of(done: &HomeDone, store: &dyn Store) -> serde_json::Value {
    let made = &done.made;
    json!({
        "destination": store.shown(), "authority": done.name, "before": made.before,
        "records": made.size, "root": made.root.to_string(), "written": made.copied,
        "written_bytes": made.copied_bytes, "repaired": made.repaired, "refused": made.refused,
        "with_key": done.with_key, "findings": findings_json(&made.findings),
    })
}

/// Restores the authority's own folder.
pub(super) fn restore(
    home: &Path,
    from: &Destination,
    trust: Option<&Trust>,
    args: &Restore,
) -> Result<(), Told> {
    if let Destination::Folder(dir) = from {
        outside(home, dir)?;
    }
    let store = store(from)?;
    let case = &args.case.case;
    let is_case = desk::backup::is_case(case).map_err(super::super::told(case))?;
    let cases = if is_case { vec![case.clone()] } else { Vec::new() };
    let how = (args.replace, trust);
    let proven = match restore_home(home, &cases, &*store, how, "vigie restore --authority") {
        Ok(proven) => proven,
        Err(error) => return damaged(home, error, args.json),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", proven_json(&proven, &*store))?;
    } else {
        print_restored(&proven, &mut out)?;
    }
    out.flush()?;
    if proven.copied.findings.is_empty() { Ok(()) } else { Err(Told::Finding) }
}

fn print_restored(proven: &HomeProven, out: &mut dyn Write) -> std::io::Result<()> {
    let copied = &proven.copied;
    for finding in &copied.findings {
        say!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    for note in &copied.notes {
        say!(out, "note   {}", plain(note))?;
    }
    let dir = proven.dir.display();
    if let Some(left) = &proven.left {
        let n = counted(copied.findings.len() as u64, "finding");
        return writeln!(
            out,
            "It does not hold ({n}), so nothing took its place at {dir}. What was copied is in {}.",
            left.display()
        );
    }
    let (name, records) = (&copied.name, counted(copied.size, "record"));
    writeln!(out, "{dir} holds the log of {name}: {records}, proven before it had the name")?;
    writeln!(out, "The key that signs it: {}", copied.key)?;
    if let Some(kept) = &proven.kept {
        writeln!(out, "What stood there is kept: {}", kept.display())?;
    }
    if !proven.signs {
        writeln!(
            out,
            "No private key is there: put your copy of it at {dir}/key, readable by you alone \
             (chmod 600). Until then nothing is signed, and no command finds the authority."
        )?;
    }
    let held = if proven.cases == 0 {
        "Hold each case against it with --case before you sign anything"
    } else {
        "The case at hand knows nothing more. Hold the others against it too (--case)"
    };
    say!(
        out,
        "{held}, and ask the witnesses (`vigie witness compare`): where they have seen more of this log, \
         signing forks it."
    )
}

fn proven_json(proven: &HomeProven, store: &dyn Store) -> serde_json::Value {
    let copied = &proven.copied;
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    json!({
        "from": store.shown(), "authority": copied.name, "records": copied.size,
        "root": copied.root.to_string(), "key": copied.key, "with_key": copied.with_key,
        "signs": proven.signs, "sound": copied.findings.is_empty(),
        "findings": findings_json(&copied.findings), "notes": copied.notes,
        "cases_held_against": proven.cases, "kept": path(&proven.kept), "left": path(&proven.left),
    })
}
