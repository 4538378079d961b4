//! Hashing the exhibits again, and accounting for every file beside them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ledger::Reader;

use super::walk::Named;
use super::{Erasure, Report, beside};
use crate::error::{Error, Result};
use crate::openings::first_of;
use crate::rehash::{Job, Rehashed, rehash};

/// Hashes every named exhibit again, and accounts for every file below `vault/`.
pub(super) fn check_exhibits(
    dir: &Path,
    exhibits: Vec<Named>,
    progress: &(dyn Fn(u64) + Sync),
    report: &mut Report,
) -> Result<()> {
    let mut files = Vec::new();
    list(dir, Path::new("vault"), &mut files)?;
    beyond_the_log(dir, &files, report);
    let mut present: HashMap<PathBuf, Kind> = files.into_iter().collect();
    let (mut jobs, mut entries) = (Vec::new(), Vec::new());
    for exhibit in &exhibits {
        let below = crate::case::exhibit_path(Path::new(""), &exhibit.id);
        // Its bytes go before what names it does, and that it is still named was told.
        let of = |erased: &Erasure| {
            erased.exhibits.contains(exhibit.index) || erased.parts.contains(exhibit.index)
        };
        if report.erasing && report.erased.iter().any(of) {
            present.remove(&below);
            continue;
        }
        let place = match &exhibit.in_place {
            Some(path) => path.display().to_string(),
            None => below.display().to_string(),
        };
        if exhibit.in_place.is_none() {
            match present.remove(&below) {
                Some(Kind::File) => {}
                Some(_) => {
                    let of = format!("it is not a plain file; entry {} seals it", exhibit.index);
                    report.find(place, of);
                    continue;
                }
                None => {
                    let of = format!("it is missing; entry {} seals it", exhibit.index);
                    report.find(place, of);
                    continue;
                }
            }
        }
        let secret = match exhibit.leaf_secrets.as_slice() {
            [one] => crate::ggm::Node::parse(one).filter(|node| node.depth == 0),
            _ => None,
        };
        let Some(secret) = secret.map(|node| node.secret) else {
            // Whoever keeps the bytes keeps the salts of all leaves.
            report.find(format!("opening of entry {}", exhibit.index), "no leaf secret");
            continue;
        };
        let path = exhibit.in_place.clone().unwrap_or_else(|| dir.join(&below));
        entries.push(exhibit.index);
        jobs.push(Job {
            path,
            in_place: exhibit.in_place.is_some(),
            place,
            id: exhibit.id,
            size: exhibit.size,
            root: exhibit.root,
            secret,
        });
    }
    report.exhibits = jobs.len() as u64;
    let references: HashSet<String> = exhibits
        .iter()
        .filter_map(|e| e.in_place.as_ref().map(|path| path.display().to_string()))
        .collect();
    for (entry, Rehashed { place, bytes, problem }) in
        entries.into_iter().zip(rehash(jobs, progress))
    {
        report.bytes += bytes;
        if let Some(problem) = problem {
            // What was sealed by reference is not ours to keep.
            let message = if references.contains(&place) {
                format!(
                    "{problem}: what was sealed there by reference is no longer there; bring the \
                     sealed bytes back to that path. What stands there now is another exhibit, if it \
                     was opened"
                )
            } else {
                format!("it is damaged: {problem}; entry {entry} seals it")
            };
            report.find(place, message);
        }
    }
    let mut rest: Vec<_> = present.into_iter().collect();
    rest.sort();
    rest.retain(|(path, kind)| !account(dir, path, *kind, report));
    let rest: Vec<PathBuf> = rest.into_iter().map(|(path, _)| path).collect();
    // What was sealed since the log was looked at is no part of the verdict. Where not all could be read,
    // what is beyond cannot be told from what is before.
    let coming = if report.read_whole {
        beside::coming_in(dir, &rest, report.records)
    } else {
        HashSet::new()
    };
    for path in rest.iter().filter(|path| !coming.contains(*path)) {
        let message = if !report.read_whole {
            UNKNOWN
        } else if report.erased.is_empty() {
            "no record names it"
        } else {
            "no record names it: it may be what was erased; the next command that writes to the case \
             removes it where it stands among the exhibits"
        };
        report.find(path.display().to_string(), message);
    }
    Ok(())
}

/// Tells of openings of records that the log does not hold.
fn beyond_the_log(dir: &Path, files: &[(PathBuf, Kind)], report: &mut Report) {
    // Read after: openings are durable before their records, one commit at a time.
    let now = Reader::open(&dir.join("ledger")).map_or(report.records, |log| log.size());
    let ahead = |path: &Path| {
        let name = path.strip_prefix("vault/openings").ok()?.to_str()?;
        first_of(name).filter(|first| *first > now.max(report.records))
    };
    let mut beyond: Vec<(u64, &PathBuf)> =
        files.iter().filter_map(|(path, _)| Some((ahead(path)?, path))).collect();
    beyond.sort();
    if let Some((first, path)) = beyond.first() {
        let more = match beyond.len() {
            1 => String::new(),
            n => format!(", and {} more files beside it go on", n - 1),
        };
        let what = format!(
            "it opens records from {first} on{more}; the log has {now}: it was cut or laid back"
        );
        report.find(path.display().to_string(), what);
    }
}

/// What is told of files that no record seems to name, where not every record could be read.
const UNKNOWN: &str = "the log or its openings are damaged, so that it cannot be known whether a record \
                       names it: remove nothing, and restore what is damaged from a copy";

/// Judges a file below `vault/` that no record names; false where nothing is known of it yet.
fn account(dir: &Path, path: &Path, kind: Kind, report: &mut Report) -> bool {
    let place = path.display().to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new(""));
    if kind == Kind::Deep {
        report.find(place, "no folder of a case lies so deep: nothing below it was looked at");
    } else if kind != Kind::File {
        report.find(place, "it is not a plain file");
    } else if folder == Path::new("vault/openings") && first_of(&name).is_some() {
        // Read along the entries.
    } else if name.starts_with(ledger::disk::TEMP_PREFIX) {
        report.notes.push(if SWEPT.iter().any(|swept| folder == Path::new(swept)) {
            format!(
                "{place} is unfinished: a run is under way or was interrupted; the next run drops it"
            )
        } else {
            format!("{place} is nothing of a case, and no run drops it: remove it")
        });
    } else if let Some(id) = beside::exhibit_at(path)
        // Where something was erased, bytes that came back must not pass for a run cut short.
        && report.erased.is_empty()
        && crate::rehash::is(&dir.join(path), &id)
    {
        report.notes.push(if report.read_whole {
            format!(
                "{place} is in no record: a run is under way or was interrupted; whoever opens the same \
                 material again takes it in"
            )
        } else {
            format!("{place}: {UNKNOWN}")
        });
    } else {
        return false;
    }
    true
}

/// Where what is unfinished stands, and whence the next writer drops it.
const SWEPT: [&str; 2] = ["vault/openings", "vault/exhibits"];

/// How deep below the case's folder a folder is looked into. What a case has stands in
/// `vault/exhibits/XX`; deeper lies nothing of its own, and without a bound a tree of folders could
/// exhaust the stack.
const DEPTH: usize = 8;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A plain file.
    File,
    /// A link, a pipe, a device; a folder under a name that only files have.
    Other,
    /// A folder that is not looked into.
    Deep,
}

/// Every file below, and what it is.
pub(super) fn list(dir: &Path, below: &Path, out: &mut Vec<(PathBuf, Kind)>) -> Result<()> {
    let folder = dir.join(below);
    let items = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::material("list", &folder, e))?,
    };
    for item in items {
        let item = item.map_err(|e| Error::material("list", &folder, e))?;
        let name = item.file_name();
        let path = below.join(&name);
        let kind = item.file_type().map_err(|e| Error::material("look at", &path, e))?;
        let unfinished = name.as_encoded_bytes().starts_with(ledger::disk::TEMP_PREFIX.as_bytes());
        if !kind.is_dir() {
            out.push((path, if kind.is_file() { Kind::File } else { Kind::Other }));
        } else if unfinished {
            out.push((path, Kind::Other));
        } else if path.components().count() > DEPTH {
            out.push((path, Kind::Deep));
        } else {
            list(dir, &path, out)?;
        }
    }
    Ok(())
}
