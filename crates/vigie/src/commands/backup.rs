//! `vigie backup` and `vigie restore`.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use desk::backup::{BackupError, Destination, Folder, How, Proven, Store};
use serde_json::json;

use super::times::trust_file;
use super::{home_dir, place, plain, told};
use crate::cli::{Backup, Restore};
use crate::error::Told;
use crate::progress::Progress;

mod authority;
mod print;

/// Brings a backup up to its case.
pub(crate) fn run(home: Option<&Path>, args: &Backup) -> Result<(), Told> {
    let case = &args.case.case;
    let place = place(home, case, "vigie backup")?;
    let to = destination("--to", &args.to)?;
    if args.authority {
        return authority::back_up(&place, &to, args);
    }
    if let Destination::Folder(dir) = &to {
        apart(case, dir)?;
    }
    let store = store(&to)?;
    let done = watched("copied", |told| desk::backup::back_up(&place, &*store, args.check, told));
    let done = done.map_err(failed(case))?;
    let printed =
        if args.json { print::json_of(&done, &*store) } else { print::made(&done, &*store, case) };
    if done.made.findings.is_empty() { Ok(printed?) } else { Err(Told::Finding) }
}

/// Restores a backup, or tries it.
pub(crate) fn restore(home: Option<&Path>, args: &Restore) -> Result<(), Told> {
    let case = &args.case.case;
    let trust = trust_file(args.trust.as_deref())?;
    let from = match &args.from {
        Some(from) => from.clone(),
        None => desk::backup::last_destination(case).map_err(told(case))?,
    };
    let from = destination("--from", &from)?;
    if args.authority {
        return authority::restore(&home_dir(home)?, &from, trust.as_ref(), args);
    }
    let store = store(&from)?;
    let holder = if args.drill { "vigie restore --drill" } else { "vigie restore" };
    if args.drill {
        let place = place(home, case, holder)?;
        let drilled =
            watched("restored", |told| desk::backup::drill(&place, &*store, trust.as_ref(), told));
        let drilled = match drilled {
            Err(error) => return damaged(case, error, args.json),
            Ok(drilled) => drilled,
        };
        let printed = print::drill(&drilled, &*store, args.json);
        return holds(&drilled.proven, printed);
    }
    if let Destination::Folder(from) = &from {
        // Replaced by itself, the backup would be gone from where it is looked for.
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let (source, target) = (whole(from), whole(case));
        if source.starts_with(&target) || target.starts_with(&source) {
            return Err(Told::Misuse(format!(
                "{} and {} are one, or one within the other: restore to another folder",
                from.display(),
                case.display()
            )));
        }
    }
    let how =
        How { replace: args.replace, accept_damaged: args.accept_damaged, trust: trust.as_ref() };
    let home = home_dir(home)?;
    let proven =
        watched("restored", |told| desk::backup::restore(case, &home, &*store, how, holder, told));
    let proven = match proven {
        Err(error) => return damaged(case, error, args.json),
        Ok(proven) => proven,
    };
    let printed = print::restored(&proven, &*store, case, args.json);
    holds(&proven, printed)
}

fn holds(proven: &Proven, printed: std::io::Result<()>) -> Result<(), Told> {
    if proven.report.findings.is_empty() { Ok(printed?) } else { Err(Told::Finding) }
}

/// Runs the work with its progress on stderr.
fn watched<T>(what: &str, work: impl FnOnce(desk::backup::Told<'_>) -> T) -> T {
    let bar = Mutex::new(Progress::new());
    let done = AtomicU64::new(0);
    let result = work(&|n| {
        let done = done.fetch_add(n, Ordering::Relaxed) + n;
        if let Ok(mut bar) = bar.try_lock() {
            bar.show(what, done, None);
        }
    });
    if let Ok(mut bar) = bar.lock() {
        bar.clear();
    }
    result
}

fn failed(case: &Path) -> impl Fn(desk::Error) -> Told + '_ {
    move |error| match error {
        desk::Error::Backup(
            error @ (BackupError::NotABackup(_)
            | BackupError::Other { .. }
            | BackupError::OfAnother { .. }
            | BackupError::OfAuthority(..)
            | BackupError::OfCase(..)
            | BackupError::Nothing(_)
            | BackupError::None(_)),
        ) => Told::Misuse(error.to_string()),
        other => told(case)(other),
    }
}

/// A backup that cannot be read at all is a finding: nothing was copied from it.
fn damaged(case: &Path, error: desk::Error, json: bool) -> Result<(), Told> {
    let desk::Error::Backup(BackupError::Damaged { destination, name, what }) = &error else {
        return Err(failed(case)(error));
    };
    let mut out = std::io::stdout().lock();
    if json {
        let findings = json!([{ "place": format!("{name} of {destination}"), "message": what }]);
        writeln!(out, "{}", json!({ "from": destination, "sound": false, "findings": findings }))?;
    } else {
        let (name, destination, what) = (plain(name), plain(destination), plain(what));
        say!(out, "WRONG  {name} of {destination}: it {what}")?;
    }
    out.flush()?;
    Err(Told::Finding)
}

/// The place that an option names.
fn destination(option: &str, text: &str) -> Result<Destination, Told> {
    desk::backup::destination(text)
        .map_err(|error| Told::Misuse(format!("{option}: {}", plain(&error.to_string()))))
}

/// The store at a place.
fn store(at: &Destination) -> Result<Box<dyn Store>, Told> {
    let dir = match at {
        Destination::S3(place) => return on_s3(place),
        Destination::Folder(dir) => dir,
    };
    // What is recorded must mean the same from wherever it is read.
    let shown = plain(&dir.display().to_string());
    let dir = std::path::absolute(dir).map_err(|e| Told::Misuse(format!("{shown}: {e}")))?;
    Ok(Box::new(Folder::new(&dir)))
}

#[cfg(feature = "s3")]
fn on_s3(text: &str) -> Result<Box<dyn Store>, Told> {
    match vault_s3::Bucket::from_env(text) {
        Ok(bucket) => Ok(Box::new(bucket)),
        Err(error) => Err(Told::Misuse(format!("{}: {error}", plain(text)))),
    }
}

#[cfg(not(feature = "s3"))]
fn on_s3(text: &str) -> Result<Box<dyn Store>, Told> {
    Err(Told::Misuse(format!(
        "{}: this vigie was built without S3. Build it with it: `cargo build --release -p vigie \
         --features s3`; or mount the bucket and name the folder",
        plain(text)
    )))
}

/// A backup in the case's own folder would copy itself, and go with it.
fn apart(case: &Path, dir: &Path) -> Result<(), Told> {
    let real = |path: &Path| {
        let mut above = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let mut below = Vec::new();
        loop {
            if let Ok(real) = above.canonicalize() {
                return below.iter().rev().fold(real, |path, name| path.join(name));
            }
            match (above.file_name().map(ToOwned::to_owned), above.parent()) {
                (Some(name), Some(parent)) => {
                    below.push(name);
                    above = parent.to_owned();
                }
                _ => return path.to_owned(),
            }
        }
    };
    let (case, dir) = (real(case), real(dir));
    if dir.starts_with(&case) || case.starts_with(&dir) {
        return Err(Told::Misuse(BackupError::Inside(dir.display().to_string()).to_string()));
    }
    Ok(())
}
