//! `vigie backup` and `vigie restore`.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use desk::backup::{BackupError, Done, Drilled, Folder, Proven, Store};
use serde_json::{Value, json};

use super::times::trust_file;
use super::{counted, home_dir, place, plain, told};
use crate::cli::{Backup, Restore};
use crate::error::Told;
use crate::progress::{Progress, bytes, span};

/// Most names that are listed.
const SHOWN: usize = 20;

/// Brings a backup up to its case.
pub(crate) fn run(home: Option<&Path>, args: &Backup) -> Result<(), Told> {
    let case = &args.case.case;
    let place = place(home, case, "vigie backup")?;
    let store = store(&args.to)?;
    if let Some(dir) = folder(&args.to) {
        apart(case, dir)?;
    }
    let done = watched("copied", |told| desk::backup::back_up(&place, &*store, args.check, told));
    let done = done.map_err(failed(case))?;
    let printed = if args.json { json_of(&done, &*store) } else { print(&done, &*store, case) };
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
    let store = store(&from)?;
    let holder = if args.drill { "vigie restore --drill" } else { "vigie restore" };
    if args.drill {
        let place = place(home, case, holder)?;
        let drilled =
            watched("restored", |told| desk::backup::drill(&place, &*store, trust.as_ref(), told));
        let drilled = drilled.map_err(failed(case))?;
        let printed = print_drill(&drilled, &*store, args.json);
        return holds(&drilled.proven, printed);
    }
    // Replaced by itself, the backup would be gone from where it is looked for.
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (source, target) = (whole(Path::new(&from)), whole(case));
    if source.starts_with(&target) || target.starts_with(&source) {
        return Err(Told::Misuse(format!(
            "{from} and {} are one, or one within the other: restore to another folder",
            case.display()
        )));
    }
    let asked = (args.replace, trust.as_ref());
    let home = home_dir(home)?;
    let proven = watched("restored", |told| {
        desk::backup::restore(case, &home, &*store, asked, holder, told)
    });
    let proven = proven.map_err(failed(case))?;
    let printed = print_restored(&proven, &*store, case, args.json);
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
            error @ (BackupError::NotABackup(_) | BackupError::Other { .. } | BackupError::None(_)),
        ) => Told::Misuse(error.to_string()),
        other => told(case)(other),
    }
}

/// The folder that a place names; `None` where it is on S3.
fn folder(text: &str) -> Option<&Path> {
    (!text.starts_with("s3://")).then(|| Path::new(text))
}

/// The store at a place.
fn store(text: &str) -> Result<Box<dyn Store>, Told> {
    let Some(dir) = folder(text) else { return on_s3(text) };
    // What is recorded must mean the same from wherever it is read.
    let dir =
        std::path::absolute(dir).map_err(|e| Told::Misuse(format!("{}: {e}", plain(text))))?;
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

fn print(done: &Done, store: &dyn Store, case: &Path) -> std::io::Result<()> {
    let (made, to) = (&done.made, plain(&store.shown()));
    let mut out = std::io::stdout().lock();
    for finding in &made.findings {
        writeln!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    if made.refused {
        writeln!(
            out,
            "The case's own records do not hold, so nothing was copied, and the backup is as it was: \
             `vigie verify {}` tells more.",
            case.display()
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

fn json_of(done: &Done, store: &dyn Store) -> std::io::Result<()> {
    let made = &done.made;
    let findings: Vec<_> =
        (made.findings.iter()).map(|f| json!({ "place": f.place, "message": f.message })).collect();
    let outside: Vec<_> = (made.outside.iter())
        .map(|(record, path)| json!({ "record": record, "stays_at": path.display().to_string() }))
        .collect();
    let document = json!({
        "destination": store.shown(), "before": made.before, "records": made.size,
        "root": made.root.to_string(), "exhibits": made.exhibits, "bytes": made.bytes,
        "written": made.copied, "written_bytes": made.copied_bytes,
        "erased_exhibits": made.erased, "erased_openings": made.rewritten, "not_erased": done.remains,
        "repaired": made.repaired, "checked": made.checked, "refused": made.refused,
        "findings": findings, "outside": outside, "record": done.record,
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{document}")?;
    out.flush()
}

/// What proving found.
fn findings(proven: &Proven, out: &mut dyn Write) -> std::io::Result<()> {
    for finding in &proven.report.findings {
        writeln!(out, "WRONG  {}: {}", plain(&finding.place), plain(&finding.message))?;
    }
    for note in &proven.report.notes {
        writeln!(out, "note   {}", plain(note))?;
    }
    Ok(())
}

fn print_restored(
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
        return out.flush();
    }
    writeln!(
        out,
        "{}: {} holds {}, {} ({}), proven before it had the name",
        restored.origin,
        case.display(),
        counted(restored.size, "record"),
        counted(restored.exhibits, "exhibit"),
        bytes(restored.bytes)
    )?;
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
            writeln!(out, "Next: `vigie views rebuild --case {}` makes its views", case.display())?
        }
    }
    out.flush()
}

fn print_drill(drilled: &Drilled, store: &dyn Store, json: bool) -> std::io::Result<()> {
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
    let findings: Vec<_> =
        report.findings.iter().map(|f| json!({ "place": f.place, "message": f.message })).collect();
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
