//! Proving a whole case: the log from its entries, every opening against its commitment, every
//! exhibit hashed again in both ways, every file accounted for.

pub(crate) mod authority;
mod beside;
mod birth;
mod erased;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use ledger::tree::Hash;
use ledger::{Authority, Checkpoint, Finding, Home, Keys, Known, Note, Reader, Still};
use model::record::{Body, Opening, Record, RecordError};
use model::{Canon, ExhibitId};

use birth::Birth;

use crate::case::authority_of;
use crate::erase::Ordered;
use crate::error::{Error, Result};
use crate::keys::{self, OfLog, Rotation, birth_in};
use crate::openings::{Lines, first_of, lacking};
use crate::rehash::{Job, Rehashed, rehash};
use crate::times::Kept;

pub use authority::verify_authority;
pub use erased::Erasure;

/// What verifying a case found. All is well where `findings` is empty.
#[derive(Debug, Default)]
pub struct Report {
    /// `<authority>/case/<id>`.
    pub origin: String,
    /// Records in the log.
    pub records: u64,
    /// Exhibits hashed again.
    pub exhibits: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The last checkpoint, where its signature held.
    pub checkpoint: Option<String>,
    /// True where the key came from the home, and not from the case itself.
    pub key_from_home: bool,
    /// What is wrong, and where: paths are below the case's folder.
    pub findings: Vec<Finding>,
    /// What is worth knowing, and harmless.
    pub notes: Vec<String>,
    /// What was erased by law, in the order of the records that say so.
    pub erased: Vec<Erasure>,
    /// The time stamps that records keep; they are not verified here.
    pub stamps: Vec<Kept>,
    /// The log's keys, by which it was verified.
    pub keys: Option<Keys>,
    /// Where its key was replaced.
    pub rotations: Vec<Rotation>,
    /// True where the log itself holds: entries, tiles, checkpoint, and what was known of it.
    pub log_holds: bool,
    /// Records that the authority in the home has seen of this log.
    pub seen: Option<u64>,
    /// True where what an order of erasure names is not all gone yet.
    pub erasing: bool,
    /// The cosigned checkpoints beside the log, the greatest first; whose they are was not looked at.
    pub witnessed: Vec<Note>,
}

impl Report {
    /// True where nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }
}

/// Verifies the case in `dir`. With a home that has the case's authority, the key comes from there;
/// a key from the case itself proves only that the case fits itself. `progress` is told the bytes
/// of exhibits hashed, as they are hashed, from any thread. Nothing is written; no lock is taken: the
/// verdict is of the records that stood in the log when it began ([`Report::records`]) and of what they
/// seal, whoever writes to the case meanwhile.
///
/// # Errors
/// Only what keeps it from looking at all.
pub fn verify(dir: &Path, home: Option<&Home>, progress: &(dyn Fn(u64) + Sync)) -> Result<Report> {
    whole(dir, home, false, progress)
}

/// The same for a copy that may be older than what the authority has seen of the log: that is told in
/// [`Report::seen`], and is no finding.
///
/// # Errors
/// As [`verify`].
pub fn verify_copy(
    dir: &Path,
    home: Option<&Home>,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report> {
    whole(dir, home, true, progress)
}

/// Verifies the log and the openings, but not the exhibits' bytes.
pub(crate) fn records(dir: &Path, home: &Home) -> Result<Report> {
    Ok(without_exhibits(dir, Some(home), false)?.0)
}

/// How often it is looked again where something is wrong and a writer went on meanwhile: what he did
/// may be all that is wrong, and each look is of a later moment.
const LOOKS: usize = 5;

fn whole(
    dir: &Path,
    home: Option<&Home>,
    copy: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Report> {
    for look in 1.. {
        let (mut report, exhibits) = without_exhibits(dir, home, copy)?;
        let holds = report.is_sound();
        check_exhibits(dir, exhibits, progress, &mut report)?;
        // What was erased while it was hashed is missing by an order that stands further on in the log.
        let erased = || beside::erased_since(dir, report.records);
        if look == LOOKS || !holds || report.is_sound() || !erased() {
            return Ok(report);
        }
    }
    unreachable!("the last look returns")
}

fn without_exhibits(dir: &Path, home: Option<&Home>, copy: bool) -> Result<(Report, Vec<Named>)> {
    let ledger_dir = dir.join("ledger");
    if !ledger_dir.is_dir() {
        return Err(Error::NoCase(dir.to_owned()));
    }
    for look in 1.. {
        let still = Still::take(&ledger_dir)?;
        match of_still(dir, &still, home, copy) {
            // Whoever was making it may have done so by now.
            Err(Error::Unmade { .. }) if look < LOOKS && still.is_past() => {}
            Ok((report, _)) if look < LOOKS && !report.is_sound() && still.is_past() => {}
            // What is being destroyed is soon gone.
            Ok((report, _)) if look < LOOKS && report.erasing && beside::at_work(dir) => {
                std::thread::sleep(beside::PAUSE);
            }
            other => return other,
        }
    }
    unreachable!("the last look returns")
}

/// Verifies the log as it stood at one moment, and its openings. Those are durable before their
/// records, so that they are looked for after the log.
fn of_still(
    dir: &Path,
    still: &Still,
    home: Option<&Home>,
    copy: bool,
) -> Result<(Report, Vec<Named>)> {
    let mut report = Report { witnessed: still.witnessed().to_vec(), ..Report::default() };
    let birth = Birth::of(still);
    // Without a checkpoint and a first record nothing says whose case it is.
    let nameless = birth.origin.is_empty();
    let found = home.filter(|_| !nameless).map(|home| home.find(authority_of(&birth.origin)));
    let authority = match found {
        Some(Ok(authority)) => Some(authority),
        Some(Err(e)) if !e.is_missing() => {
            report.find("the authority's key", e.to_string());
            None
        }
        _ => None,
    };
    if birth::is_unmade(dir, still, &birth, authority.as_ref()) {
        let lock = dir.join("lock");
        let holder = ledger::is_held(&lock)
            .then(|| ledger::holder_of(&lock).unwrap_or_else(|| "another process".to_owned()));
        return Err(Error::Unmade { dir: dir.to_owned(), holder });
    }
    if nameless {
        let what =
            "no checkpoint and no first record says whose log it is: they were removed or damaged";
        report.find("ledger", what);
    }
    if let Some(authority) = &authority {
        report.findings.append(&mut verify_authority(authority));
    }
    // A log that cannot be read is told of where its files are.
    let log = still.reader().ok();
    let (keys, beyond) = of_log(log.as_ref(), &birth, authority.as_ref(), &mut report);
    report.origin.clone_from(&birth.origin);
    let mut seen = seen(&birth.origin, authority.as_ref(), beyond.as_ref(), &mut report);
    report.seen = seen.as_ref().map(|checkpoint| checkpoint.size);
    if copy {
        let size = log.as_ref().map_or(0, Reader::size);
        seen = seen.filter(|checkpoint| checkpoint.size <= size);
    }

    let mut walk = Walk::new(dir, &birth.origin)?;
    let known = Known {
        key: keys.as_ref().map(Keys::now),
        former: keys.as_ref().map_or(&[], Keys::former),
        earlier: seen.as_slice(),
    };
    let log = still.verify(known, &mut |index, entry, leaf| {
        walk.entry(index, entry, leaf);
        None
    });
    report.log_holds = log.findings.is_empty();
    report.findings.extend(log.findings.into_iter().map(|mut f| {
        f.place = format!("ledger/{}", f.place);
        f
    }));
    report.notes.extend(log.notes);
    report.records = log.entries;
    report.checkpoint = log.checkpoint;
    walk.end(log.entries);
    report.findings.append(&mut walk.findings);
    report.notes.append(&mut walk.notes);
    erased::judge(&walk, dir, &mut report);
    report.stamps = std::mem::take(&mut walk.stamps);
    report.keys = keys;
    Ok((report, walk.exhibits))
}

/// The keys by which the log is verified, and those by which what the authority has seen of it is,
/// which may be of a later size.
fn of_log(
    log: Option<&Reader>,
    birth: &Birth,
    authority: Option<&Authority>,
    report: &mut Report,
) -> (Option<Keys>, Option<Keys>) {
    report.rotations = match log.map(keys::rotations) {
        Some(Ok(rotations)) => rotations,
        Some(Err(Error::Rotation { record, why })) => {
            report.find(format!("ledger entry {record}"), why);
            Vec::new()
        }
        _ => Vec::new(),
    };
    for Rotation { record, time, .. } in &report.rotations {
        report.notes.push(format!("key rotated at record {record} on {time}"));
    }
    if let Some(first) = report.rotations.first()
        && birth.key.as_ref() != Some(&first.old)
    {
        let place = format!("ledger entry {}", first.record);
        report.find(place, "it replaces a key that did not sign here");
    }
    let Some(authority) = authority else {
        if birth.origin.is_empty() {
            return (None, None);
        }
        report.notes.push(format!(
            "the key comes from the case itself: this proves that the case fits itself, not that \
             {} wrote it; verify with the home of that authority",
            authority_of(&birth.origin)
        ));
        let keys = birth.key.as_ref().map(|first| keys::keys(first, &report.rotations));
        return (keys.clone(), keys);
    };
    report.key_from_home = true;
    let found = of_home(log, birth, authority, report);
    if birth.key.is_none() {
        let what =
            "the record that opens the case, and names its key, is not there or cannot be read";
        report.find("ledger entry 0", what);
    } else if found.0.as_ref().map(Keys::first) != birth.key.as_ref() {
        report.find("ledger entry 0", "the case names another key than its authority's");
    }
    let born = authority.reader().ok().and_then(|log| birth_in(&log, &birth.origin).ok().flatten());
    if born.is_none() || born != birth.key.as_ref().map(ledger::VerifierKey::text) {
        let what = "the authority's own log does not hold the birth of this case";
        if log.is_some_and(|log| log.size() > 1) {
            let message = format!(
                "{what}: whoever has a copy of the key began it elsewhere, or the authority's folder \
                 is an older copy"
            );
            report.find("ledger entry 0", message);
        } else {
            report.notes.push(format!(
                "{what}: its making was cut off, and the next command that writes to it completes it"
            ));
        }
    }
    found
}

/// The log's keys, held against those of the authority in the home.
fn of_home(
    log: Option<&Reader>,
    birth: &Birth,
    authority: &Authority,
    report: &mut Report,
) -> (Option<Keys>, Option<Keys>) {
    let Ok(present) = authority.verifier(&birth.origin) else { return (None, None) };
    let alone = || (Some(present.clone().into()), Some(present.clone().into()));
    let Some(log) = log else { return alone() };
    match OfLog::of(log, &birth.origin, birth.key.as_ref(), authority) {
        Ok(of) => {
            if !of.waiting.is_empty() {
                report.notes.push(
                    "the authority's key was rotated since this case was last opened: the next \
                     opening for writing hands the log on to the new one"
                        .to_owned(),
                );
            }
            if let Some(rotation) = report.rotations.first()
                && of.keys.former().len() < report.rotations.len()
            {
                let place = format!("ledger entry {}", rotation.record);
                report.find(place, "the authority's own log does not tell of this rotation");
            }
            let beyond = of.handed_on(log.size(), present);
            (Some(of.keys), Some(beyond))
        }
        // What is wrong with the case's own records was told before.
        Err(e) => {
            report.notes.push(format!("the rotations of the authority's key cannot be read: {e}"));
            alone()
        }
    }
}

fn seen(
    origin: &str,
    authority: Option<&Authority>,
    keys: Option<&Keys>,
    report: &mut Report,
) -> Option<Checkpoint> {
    match authority?.seen(origin, keys?) {
        Ok(seen) => seen,
        Err(e) => {
            report.notes.push(format!("what the authority has seen cannot be read: {e}"));
            None
        }
    }
}

/// An exhibit that the records name.
struct Named {
    index: u64,
    id: ExhibitId,
    size: u64,
    root: model::Sha256Hex,
    leaf_secrets: Vec<String>,
    in_place: Option<PathBuf>,
}

/// Goes along the entries with their openings.
struct Walk {
    dir: PathBuf,
    origin: String,
    files: Vec<u64>,
    lines: Option<(u64, std::result::Result<Lines, String>)>,
    exhibits: Vec<Named>,
    seals: Vec<erased::Seal>,
    orders: Vec<Ordered>,
    /// Committed fields without an opening.
    missing: Vec<(u64, String)>,
    unread: erased::Unread,
    findings: Vec<Finding>,
    notes: Vec<String>,
    stamps: Vec<Kept>,
}

impl Walk {
    fn new(dir: &Path, origin: &str) -> Result<Self> {
        let names = crate::openings::names(&dir.join("vault/openings"))?;
        let mut files: Vec<u64> = names.iter().filter_map(|name| first_of(name)).collect();
        files.sort_unstable();
        Ok(Self {
            dir: dir.to_owned(),
            origin: origin.to_owned(),
            files,
            lines: None,
            exhibits: Vec::new(),
            seals: Vec::new(),
            orders: Vec::new(),
            missing: Vec::new(),
            unread: erased::Unread::new(),
            findings: Vec::new(),
            notes: Vec::new(),
            stamps: Vec::new(),
        })
    }

    fn find(&mut self, place: String, message: impl Into<String>) {
        self.findings.push(Finding { place, message: message.into() });
    }

    fn entry(&mut self, index: u64, entry: &[u8], leaf: &Hash) {
        let place = format!("ledger entry {index}");
        let record = match Record::parse(entry) {
            Ok(record) => record,
            Err(RecordError::Version(v)) => {
                self.notes.push(format!("{place} has version {v}, which is not known here"));
                return;
            }
            Err(e) => return self.find(place, e.to_string()),
        };
        match record.check_fields() {
            Ok(()) => {}
            Err(e @ RecordError::Kind(_)) => self.notes.push(format!("{place}: {e}")),
            Err(e) => self.find(place.clone(), e.to_string()),
        }
        if record.authority != authority_of(&self.origin) {
            self.find(place.clone(), "it names another authority than the log's");
        }
        let opened_origin = record.public.get("origin").and_then(Canon::as_text);
        if (index == 0) != (record.kind == "case.opened")
            || (index == 0 && opened_origin != Some(&self.origin))
        {
            self.find(place.clone(), "the log must begin with the opening of the case, once");
        }
        let Some(opening) = self.opening(index, leaf) else {
            self.unread.insert(index);
            return;
        };
        if let Err(e) = record.check_opening(&opening) {
            self.unread.insert(index);
            let first = self.lines.as_ref().map_or(index, |(first, _)| *first);
            let file = crate::openings::file_name(first);
            let line = index - first + 1;
            return self.find(place, format!("{e} (vault/openings/{file} line {line})"));
        }
        self.missing.extend(erased::missing(&record, &opening).map(|field| (index, field)));
        if record.kind == "exhibit.sealed" {
            let root = record.public.get("root").and_then(Canon::as_text);
            self.seals.push(erased::Seal {
                index,
                root: root.and_then(|root| root.parse().ok()),
                leaf_secrets: opening.leaf_secrets.clone(),
                erased: opening.erased.clone(),
            });
        } else if !opening.leaf_secrets.is_empty() || !opening.erased.is_empty() {
            self.find(place.clone(), "its opening holds leaf secrets, but it seals no exhibit");
        }
        match Body::read_left(&record, &opening) {
            Ok(Body::ErasureOrdered(body)) => {
                let (time, actor) = (record.time.clone(), record.actor(&opening));
                self.orders.push(Ordered { record: index, time, actor, body });
            }
            Ok(Body::ExhibitSealed(body)) => {
                use std::os::unix::ffi::OsStrExt;
                self.exhibits.push(Named {
                    index,
                    id: body.exhibit,
                    size: body.size,
                    root: body.root,
                    leaf_secrets: opening.leaf_secrets,
                    in_place: body
                        .in_place
                        .map(|p| PathBuf::from(std::ffi::OsStr::from_bytes(&p.0))),
                });
            }
            Ok(body @ (Body::CheckpointStamped(_) | Body::ExhibitStamped(_))) => {
                self.stamps.extend(Kept::of(index, body));
            }
            Ok(_) | Err(RecordError::Kind(_) | RecordError::Withheld(_)) => {}
            Err(e) => self.find(place, e.to_string()),
        }
    }

    fn opening(&mut self, index: u64, leaf: &Hash) -> Option<Opening> {
        let at = self.files.partition_point(|first| *first <= index);
        let Some(first) = at.checked_sub(1).and_then(|at| self.files.get(at)).copied() else {
            let (missing, why) = lacking(index, 0, 0);
            self.find(format!("vault/openings/{missing}"), why);
            return None;
        };
        let place = format!("vault/openings/{}", crate::openings::file_name(first));
        if self.lines.as_ref().is_none_or(|(number, _)| *number != first) {
            let lines = Lines::read(&self.dir.join(&place)).map_err(|e| e.to_string());
            if let Err(e) = &lines {
                let next =
                    self.files.get(at).map_or_else(String::new, |n| format!(" to {}", n - 1));
                self.find(place.clone(), format!("{e} (openings of the entries {first}{next})"));
            }
            if let (Ok(lines), Some(next)) = (&lines, self.files.get(at))
                && first + lines.len() > *next
            {
                self.find(place.clone(), "it has more lines than records");
            }
            self.lines = Some((first, lines));
        }
        let Some((_, Ok(lines))) = &self.lines else { return None };
        let Some(line) = lines.get(index - first) else {
            let (missing, why) = lacking(index, first, lines.len());
            self.find(format!("vault/openings/{missing}"), why);
            return None;
        };
        let line_place = format!("{place} line {}", index - first + 1);
        let result = match Opening::parse_line(line) {
            Err(e) => Err(e.to_string()),
            Ok(opening) if opening.record.0 != *leaf => {
                Err(format!("it opens another record than entry {index}"))
            }
            Ok(opening) => Ok(opening),
        };
        result.map_err(|e| self.find(line_place, e)).ok()
    }

    fn end(&mut self, entries: u64) {
        if let Some((first, Ok(lines))) = &self.lines
            && first + lines.len() > entries
        {
            let place = format!("vault/openings/{}", crate::openings::file_name(*first));
            self.find(place, "it has more lines than records");
        }
        for first in self.files.iter().filter(|first| **first >= entries) {
            self.notes.push(format!(
                "vault/openings/{} is of no record yet: a run is under way or was interrupted; the next \
                 run drops what was never committed",
                crate::openings::file_name(*first)
            ));
        }
    }
}

/// Hashes every named exhibit again, and accounts for every file below `vault/`.
fn check_exhibits(
    dir: &Path,
    exhibits: Vec<Named>,
    progress: &(dyn Fn(u64) + Sync),
    report: &mut Report,
) -> Result<()> {
    let mut files = Vec::new();
    list(dir, Path::new("vault"), &mut files)?;
    let mut present: HashMap<PathBuf, bool> = files.into_iter().collect();
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
                Some(true) => {}
                Some(false) => report.find(place.clone(), "it is not a plain file"),
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
    for (path, plain) in rest {
        account(dir, &path, plain, report);
    }
    Ok(())
}

/// Judges a file below `vault/` that no record names.
fn account(dir: &Path, path: &Path, plain: bool, report: &mut Report) {
    let place = path.display().to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new(""));
    if !plain {
        report.find(place, "it is not a plain file");
    } else if folder == Path::new("vault/openings") && first_of(&name).is_some() {
        // Read along the entries.
    } else if name.starts_with(ledger::disk::TEMP_PREFIX) {
        report.notes.push(format!(
            "{place} is unfinished: a run is under way or was interrupted; the next run drops it"
        ));
    } else if let Ok(id) = name.parse::<ExhibitId>()
        && crate::case::exhibit_path(Path::new(""), &id) == path
        // Where something was erased, bytes that came back must not pass for a run cut short.
        && report.erased.is_empty()
        && crate::rehash::is(&dir.join(path), &id)
    {
        report.notes.push(format!(
            "{place} is in no record yet: a run is under way or was interrupted; the next run drops what \
             was never committed"
        ));
    } else if beside::comes_in(dir, path, report.records) {
        // Sealed since the log was looked at: no part of the verdict.
    } else if report.erased.is_empty() {
        report.find(place, "no record names it");
    } else {
        let erased = "no record names it: it may be what was erased; the next command that writes to \
                      the case removes it where it stands among the exhibits";
        report.find(place, erased);
    }
}

/// Every file below, and whether it is a plain one.
fn list(dir: &Path, below: &Path, out: &mut Vec<(PathBuf, bool)>) -> Result<()> {
    let folder = dir.join(below);
    let items = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::material("list", &folder, e))?,
    };
    for item in items {
        let item = item.map_err(|e| Error::material("list", &folder, e))?;
        let path = below.join(item.file_name());
        let kind = item.file_type().map_err(|e| Error::material("look at", &path, e))?;
        if kind.is_dir() {
            list(dir, &path, out)?;
        } else {
            out.push((path, kind.is_file()));
        }
    }
    Ok(())
}
