//! What the harm check knows, kept in the authority's folder: `<home>/shield/fetched` holds the sets
//! that `vigie data update shield` made, `<home>/shield/own` those that operators gave, and the list
//! of public suffixes lies beside them.
//!
//! The check itself is `shield`'s and pure; here it is read from the disk, with its age told.

mod import;
mod lists;
mod update;

use std::io::Read;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use model::asn::{Table, Tables};
use shield::sets::{Class, Effect, Set, Sets, text};
use shield::{Check, Suffixes};

pub use import::{Added, Given, add, remove};
pub use update::{Fetched, FetchedSet, update};

use crate::{Error, Result};

/// Largest file of a set that is read.
const MAX_SET: u64 = 256 << 20;
/// The most files of sets in one folder.
const MAX_SETS: usize = 1_000;
/// Sets that are older are told to be stale, in days: networks change hands within months.
pub const STALE_DAYS: i32 = 180;

/// What every check knows, whatever was fetched: who runs the names, the time, the certificates and
/// the updates of everybody.
const BUILT_IN: &[&str] = &[
    include_str!("../../../../assets/shield/dns.set"),
    include_str!("../../../../assets/shield/time.set"),
    include_str!("../../../../assets/shield/ca.set"),
    include_str!("../../../../assets/shield/updates.set"),
    include_str!("../../../../assets/shield/banks.set"),
];

/// Where the parts lie.
pub(crate) struct Places {
    root: PathBuf,
}

impl Places {
    pub(crate) fn of(home: &Path) -> Self {
        Self { root: home.join("shield") }
    }

    pub(crate) fn fetched(&self) -> PathBuf {
        self.root.join("fetched")
    }

    pub(crate) fn own(&self) -> PathBuf {
        self.root.join("own")
    }

    pub(crate) fn suffixes(&self) -> PathBuf {
        self.root.join("public_suffix_list.dat")
    }
}

/// What the check knows, read and ready.
pub struct Loaded {
    /// Every set.
    pub sets: Sets,
    suffixes: Suffixes,
    addresses: Vec<u8>,
    /// True where an operator gave the blockers' own infrastructure: what is public of it is others'.
    own_blockers: bool,
    /// Of when the list of public suffixes is; `None` where it is the one that was compiled in.
    pub suffixes_date: Option<Date>,
}

/// What is worth knowing of what the check knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// No set of these classes is loaded: the check says nothing of them.
    NotLoaded(Vec<Class>),
    /// Of the block pages and resolvers of those who block here nobody told: what is public of that class is others'.
    NoOwnBlockers,
    /// So many sets are older than [`STALE_DAYS`], of so many; the oldest, and its date.
    Stale(usize, usize, String, Date),
    /// A list of popular names that is too long to change a verdict.
    LongList(String, usize),
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotLoaded(classes) => {
                let words: Vec<_> = classes.iter().map(|class| class.word()).collect();
                write!(
                    f,
                    "not loaded: {}; of these the check knows nothing (`vigie data update shield` \
                     fetches what is public, `vigie shield add` takes what you have)",
                    words.join(", ")
                )
            }
            Self::NoOwnBlockers => f.write_str(
                "nobody gave the block pages and resolvers of those who block here, so that nothing refuses them \
                 (`vigie shield add FILE --class blockers`)",
            ),
            Self::Stale(old, all, name, date) => write!(
                f,
                "{old} of {all} sets are older than {STALE_DAYS} days, the oldest {name} of {date} (`vigie \
                 shield sets` shows each; `vigie data update shield` fetches what is newer)"
            ),
            Self::LongList(name, entries) => write!(
                f,
                "{name} holds {entries} names: lists of more than {} are shown and change no verdict",
                shield::sets::POPULAR_MAX
            ),
        }
    }
}

/// Reads what the authority's folder holds. With nothing there the check still stands, on what is
/// built in.
///
/// # Errors
/// A file that is no set, with its line; the disk.
pub fn load(home: &Path) -> Result<Loaded> {
    let places = Places::of(home);
    let (suffixes, suffixes_date) = suffixes(&places.suffixes())?;
    let mut sets = Vec::new();
    for built_in in BUILT_IN {
        let set = text::read(built_in, &suffixes);
        sets.push(set.map_err(|e| Error::Beside(format!("a set that is built in: {e}")))?);
    }
    for path in set_files(&places.fetched())? {
        sets.push(read_set(&path, &suffixes)?);
    }
    let own = sets.len();
    for path in set_files(&places.own())? {
        sets.push(read_set(&path, &suffixes)?);
    }
    let own_blockers = sets.iter().skip(own).any(|set| set.head.class == Class::Blockers);
    let addresses = match crate::addresses::refreshed(home)? {
        Some((path, _)) => read(&path, crate::count::MAX_TABLE)?,
        None => crate::count::BUILT_IN.to_vec(),
    };
    Ok(Loaded { sets: Sets::new(sets), suffixes, addresses, own_blockers, suffixes_date })
}

impl Loaded {
    /// Gives the check to `ask`.
    ///
    /// # Errors
    /// The table of addresses is damaged.
    pub fn check<T>(&self, practice: bool, ask: impl FnOnce(&Check<'_>) -> T) -> Result<T> {
        let base = Table::read(&self.addresses)
            .map_err(|e| Error::Beside(format!("the address table: {e}")))?;
        let places = Tables { overlay: None, base: Some(base) };
        Ok(ask(&Check {
            sets: &self.sets,
            suffixes: &self.suffixes,
            places: Some(&places),
            practice,
        }))
    }

    /// Where public suffixes come from, for a table of sources.
    pub fn suffixes_source(&self) -> &str {
        self.suffixes.cited()
    }

    /// What is missing, old, or too long to count, on a day.
    pub fn notes(&self, today: Date) -> Vec<Note> {
        let mut notes = Vec::new();
        let missing = self.sets.missing();
        if !missing.is_empty() {
            notes.push(Note::NotLoaded(missing));
        }
        if self.sets.has(Class::Blockers) && !self.own_blockers {
            notes.push(Note::NoOwnBlockers);
        }
        let mut old: Vec<(Date, String)> = self
            .sets
            .iter()
            .filter(|set| is_stale(set.head.date, today))
            .map(|set| (set.head.date, set.head.name.clone()))
            .collect();
        if let Some(date) = self.suffixes_date.filter(|date| is_stale(*date, today)) {
            old.push((date, "public suffixes".to_owned()));
        }
        let stale = old.len();
        if let Some((date, name)) = old.into_iter().min() {
            let all = self.sets.iter().count() + usize::from(self.suffixes_date.is_some());
            notes.push(Note::Stale(stale, all, name, date));
        }
        for set in self.sets.iter() {
            if set.head.class == Class::Popular && set.effect() == Effect::Show {
                notes.push(Note::LongList(set.head.name.clone(), set.entries));
            }
        }
        notes
    }
}

/// Today, in UTC.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// True where a date lies further back than [`STALE_DAYS`].
pub fn is_stale(date: Date, today: Date) -> bool {
    today.since(date).is_ok_and(|span| span.get_days() > STALE_DAYS)
}

/// The list of public suffixes: its first line says where it comes from and of when it is.
fn suffixes(path: &Path) -> Result<(Suffixes, Option<Date>)> {
    if !path.exists() {
        return Ok((Suffixes::default(), None));
    }
    let text = read_text(path)?;
    let off = |why: &str| {
        Error::Beside(format!(
            "{}: {why}; make it anew with `vigie data update shield`, or remove it",
            path.display()
        ))
    };
    let head = text.lines().next().and_then(|line| line.strip_prefix(update::SUFFIX_HEAD));
    let (date, source) = head
        .and_then(|head| head.split_once(' '))
        .ok_or_else(|| off("line 1 does not say of when the list is"))?;
    let date: Date = date.parse().map_err(|_| off("line 1 holds no date"))?;
    let read = Suffixes::read(&text, source, date).map_err(|e| off(&e.to_string()))?;
    Ok((read, Some(date)))
}

/// The sets in a folder, in the order of their names.
fn set_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Read { path: folder.to_owned(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed(source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "set") {
            paths.push(path);
        }
    }
    if paths.len() > MAX_SETS {
        let what = format!("{} holds more than {MAX_SETS} sets", folder.display());
        return Err(Error::Bound(what));
    }
    paths.sort();
    Ok(paths)
}

fn read_set(path: &Path, suffixes: &Suffixes) -> Result<Set> {
    let text = read_text(path)?;
    let set = text::read(&text, suffixes).map_err(|e| {
        let next = "mend the line, or remove the file";
        Error::Beside(format!("{}, {e}; {next} (docs/shield.md tells the form)", path.display()))
    })?;
    if path.file_stem().and_then(|stem| stem.to_str()) != Some(&set.head.name) {
        return Err(Error::Beside(format!(
            "{} calls itself {:?}: a set's file has its name, so that it can be found by it",
            path.display(),
            set.head.name
        )));
    }
    Ok(set)
}

fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path, MAX_SET)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::Beside(format!("{} is not UTF-8 text (byte {at})", path.display()))
    })
}

/// A plain file's bytes, up to a bound: what never ends, like a device or a pipe, is not begun.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(Error::Asked(format!("{} is no plain file", path.display())));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(Error::Bound(format!("{} is larger than {} MiB", path.display(), most >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
