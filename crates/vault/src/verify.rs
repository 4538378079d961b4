//! Proving a whole case: the log from its entries, every opening against its commitment, every
//! exhibit hashed again in both ways, every file accounted for.

pub(crate) mod authority;
mod beside;
mod birth;
mod erased;
mod exhibits;
mod walk;

use std::path::Path;

use ledger::{Authority, Checkpoint, Finding, Home, Keys, Known, Note, Reader, Still};

use birth::Birth;
use exhibits::check_exhibits;
use walk::{Named, Walk};

use crate::case::authority_of;
use crate::error::{Error, Result};
use crate::keys::{self, Born, OfLog, Rotation, birth_in};
use crate::times::Kept;

pub use authority::verify_authority;
pub(crate) use birth::{Begun, begun, is_bare, knows};
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
    /// True where the log's entries are those that were signed ([`ledger::Report::signed`]).
    pub log_holds: bool,
    /// True where the log holds and every record and its opening could be read: what no record names
    /// is then known.
    pub(crate) read_whole: bool,
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

/// What is told where nothing of the log is left.
const LOG_GONE: &str =
    "no checkpoint and no first record says whose log it is: they were removed or damaged";

/// True where a folder stands there. What keeps it from being known is no sign that none does.
pub(crate) fn is_folder(path: &Path) -> Result<bool> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match path.metadata() {
        Ok(there) => Ok(there.is_dir()),
        Err(e) if matches!(e.kind(), NotFound | NotADirectory) => Ok(false),
        Err(e) => Err(Error::material("look at", path, e)),
    }
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
    if !is_folder(&ledger_dir)? {
        // Whatever else a case has says that one stood here.
        if !is_folder(dir)? || birth::is_bare(dir)? {
            return Err(Error::NoCase(dir.to_owned()));
        }
        let mut report = Report::default();
        report.find("ledger", LOG_GONE);
        return Ok((report, Vec::new()));
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
            report.find("the authority's key", e.found());
            None
        }
        _ => None,
    };
    if birth::is_unmade(dir, still, &birth, authority.as_ref())? {
        let lock = dir.join("lock");
        let holder = ledger::is_held(&lock)
            .then(|| ledger::holder_of(&lock).unwrap_or_else(|| "another process".to_owned()));
        return Err(Error::Unmade { dir: dir.to_owned(), holder });
    }
    if nameless {
        report.find("ledger", LOG_GONE);
    }
    if let Some(authority) = &authority {
        report.findings.append(&mut verify_authority(authority));
    }
    // A log that cannot be read is told of where its files are.
    let log = still.reader().ok();
    // Told after the log: a changed first entry is no other birth.
    let mut keyed = Report::default();
    let born = authority.as_ref().and_then(|authority| authority.reader().ok());
    let born = born.and_then(|log| birth_in(&log, &birth.origin).ok().flatten());
    let of = authority.as_ref().map(|authority| (authority, born.as_ref()));
    let (keys, beyond) = of_log(log.as_ref(), &birth, of, &mut keyed);
    (report.rotations, report.key_from_home) = (keyed.rotations, keyed.key_from_home);
    report.origin.clone_from(&birth.origin);
    let mut earlier = Vec::new();
    // Its first checkpoint stands in the authority's own log, which witnesses cosign before any other.
    if let (Some(note), Some(keys)) = (born.and_then(|born| born.checkpoint), &keys) {
        match keys.open(&note) {
            Ok(checkpoint) => earlier.push(checkpoint),
            Err(e) => report.find(
                "the authority's own log",
                format!("the first checkpoint of this case, as it is recorded there: {e}"),
            ),
        }
    }
    let mut seen = seen(&birth.origin, authority.as_ref(), beyond.as_ref(), &mut report);
    report.seen = seen.as_ref().map(|checkpoint| checkpoint.size);
    if copy {
        let size = log.as_ref().map_or(0, Reader::size);
        seen = seen.filter(|checkpoint| checkpoint.size <= size);
    }

    earlier.extend(seen);
    let mut walk = Walk::new(dir, &birth.origin)?;
    let known = Known {
        key: keys.as_ref().map(Keys::now),
        former: keys.as_ref().map_or(&[], Keys::former),
        earlier: &earlier,
    };
    let log = still.verify(known, &mut |index, entry, leaf| {
        walk.entry(index, entry, leaf);
        None
    });
    report.log_holds = log.signed;
    report.findings.extend(log.findings.into_iter().map(|mut f| {
        f.place = format!("ledger/{}", f.place);
        f
    }));
    report.findings.append(&mut keyed.findings);
    report.notes.append(&mut keyed.notes);
    report.notes.extend(log.notes);
    report.records = log.entries;
    report.checkpoint = log.checkpoint;
    report.read_whole = report.log_holds && walk.read_whole();
    walk.end(log.entries, report.log_holds);
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
    authority: Option<(&Authority, Option<&Born>)>,
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
    let Some((authority, born)) = authority else {
        if birth.origin.is_empty() {
            return (None, None);
        }
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
    let born = born.and_then(|born| born.key.clone());
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
            report.notes.push(format!(
                "the rotations of the authority's key cannot be read: {}",
                e.found()
            ));
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
        // What cannot be read was there to be read: whoever cuts a log may have spoilt it.
        Err(e) => {
            let message = format!(
                "it cannot be read ({}), so that it cannot be known whether this log is an older or cut \
                 copy: lay the authority's folder back from a backup (`vigie restore --authority`)",
                e.found()
            );
            report.find("what the authority has seen of this log", message);
            None
        }
    }
}
