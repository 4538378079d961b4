//! What was refused, counted: in memory, in a file that outlives the process, and, once the hour is over,
//! one record a party, route and hour in the authority's own log.
//!
//! Each server of a home has a file of its own, held by a lock: `HOME/access/refused.N`. What a server that
//! ended left there the next one takes over.
//!
//! The file is written at most once a second, so that a flood of refusals writes no more than that; a
//! process that is killed loses a second of counting. Nothing of where somebody asked from is kept.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use ledger::{Lock, Wait, disk};
use model::record::{AccessRefused, Body, time_text};

use crate::parties::record;
use crate::{Error, Result};

/// The most rows of one hour. What is beyond them is counted in one, of all others.
pub const MAX_ROWS: usize = 1_024;
/// The most hours that wait for the log, such as while its key is under a passphrase.
const MAX_HOURS: usize = 240;
/// The most servers of one home.
pub const MAX_SERVERS: usize = 64;
/// The most bytes of the file that are read.
const MAX_FILE: usize = 64 << 20;
const HOUR_MS: i64 = 3_600_000;
const WRITE_MS: i64 = 1_000;
/// Party and route of the row beyond [`MAX_ROWS`].
const OTHERS: &str = "others";

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody was signed in (401).
    SignIn,
    /// The policies say no (403).
    Forbidden,
    /// Too many requests (429).
    TooMany,
}

/// How often, by reason.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Nobody was signed in.
    pub sign_in: u64,
    /// The policies say no.
    pub forbidden: u64,
    /// Too many requests.
    pub too_many: u64,
}

impl Times {
    fn add(&mut self, refusal: Refusal) {
        let of = match refusal {
            Refusal::SignIn => &mut self.sign_in,
            Refusal::Forbidden => &mut self.forbidden,
            Refusal::TooMany => &mut self.too_many,
        };
        *of = of.saturating_add(1);
    }

    /// All together.
    pub fn all(&self) -> u64 {
        self.sign_in.saturating_add(self.forbidden).saturating_add(self.too_many)
    }
}

/// What was refused within one hour to one party at one route.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// When the hour began, in milliseconds since 1970 in UTC.
    pub hour_ms: i64,
    /// An organisation's short name; `public`, `holder`, `others`.
    pub party: String,
    /// The route's pattern, never what stood in its variable parts.
    pub route: String,
    /// How often.
    pub times: Times,
}

type Hour = BTreeMap<(String, String), Times>;

/// Refusals that are not in the log yet.
#[derive(Debug)]
pub(super) struct Refusals {
    path: PathBuf,
    _lock: Lock,
    /// What was read at the start: a process that was killed may have recorded it.
    taken_over: HashSet<Row>,
    hours: BTreeMap<i64, Hour>,
    written_ms: i64,
    changed: bool,
}

impl Refusals {
    /// What a process before left.
    ///
    /// # Errors
    /// A file that cannot be read, or is none of these; as many servers as there can be.
    pub(super) fn open(home: &Path) -> Result<Self> {
        let (path, lock) = free_file(&home.join("access"))?;
        let mut hours: BTreeMap<i64, Hour> = BTreeMap::new();
        let text = match std::fs::read_to_string(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => other.map_err(|source| Error::Read { path: path.clone(), source })?,
        };
        let wrong = |line: usize, why: &str| {
            Error::Beside(format!(
                "{}, line {line}: {why}. It holds counts of refusals that are in no record yet: mend it, \
                 or move it away, and they are lost",
                path.display()
            ))
        };
        if text.len() > MAX_FILE {
            return Err(wrong(1, "it is too long"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            let row: Row = serde_json::from_str(line).map_err(|e| wrong(number, &e.to_string()))?;
            hours.entry(row.hour_ms).or_default().insert((row.party, row.route), row.times);
        }
        let mut refusals = Self {
            path,
            _lock: lock,
            taken_over: HashSet::new(),
            hours,
            written_ms: i64::MIN,
            changed: false,
        };
        refusals.taken_over = refusals.rows().into_iter().collect();
        Ok(refusals)
    }

    /// Counts one.
    pub(super) fn count(&mut self, party: &str, route: &str, refusal: Refusal, now_ms: i64) {
        let hour = self.hours.entry(now_ms - now_ms.rem_euclid(HOUR_MS)).or_default();
        let key = (party.to_owned(), route.to_owned());
        let fits = hour.contains_key(&key) || hour.len() < MAX_ROWS;
        let key = if fits { key } else { (OTHERS.to_owned(), OTHERS.to_owned()) };
        hour.entry(key).or_default().add(refusal);
        self.changed = true;
        // Hours that the log did not take for ten days: the oldest are added to one another.
        if self.hours.len() > MAX_HOURS
            && let Some((_, oldest)) = self.hours.pop_first()
            && let Some(mut next) = self.hours.first_entry()
        {
            let mut all = Times::default();
            for times in oldest.values().chain(next.get().values()) {
                all.sign_in = all.sign_in.saturating_add(times.sign_in);
                all.forbidden = all.forbidden.saturating_add(times.forbidden);
                all.too_many = all.too_many.saturating_add(times.too_many);
            }
            let key = (OTHERS.to_owned(), OTHERS.to_owned());
            *next.get_mut() = BTreeMap::from([(key, all)]);
        }
    }

    /// Every row, the oldest hour first.
    pub(super) fn rows(&self) -> Vec<Row> {
        let rows = self.hours.iter().flat_map(|(hour_ms, hour)| {
            hour.iter().map(|((party, route), times)| Row {
                hour_ms: *hour_ms,
                party: party.clone(),
                route: route.clone(),
                times: *times,
            })
        });
        rows.collect()
    }

    /// What is to be written, where something changed and the last writing is a second ago; `at_once` at
    /// the end of a process.
    pub(super) fn take_due(&mut self, now_ms: i64, at_once: bool) -> Option<(PathBuf, String)> {
        let due = at_once || now_ms.saturating_sub(self.written_ms) >= WRITE_MS;
        if !self.changed || !due {
            return None;
        }
        (self.changed, self.written_ms) = (false, now_ms);
        let rows = self.rows();
        let lines = rows.iter().filter_map(|row| serde_json::to_string(row).ok());
        Some((self.path.clone(), lines.map(|line| line + "\n").collect()))
    }

    /// The rows of hours that are over, and which of them another process may have recorded.
    pub(super) fn over(&self, now_ms: i64) -> Vec<(Row, bool)> {
        let rows = self.rows().into_iter().filter(|row| row.hour_ms + HOUR_MS <= now_ms);
        rows.map(|row| {
            let doubtful = self.taken_over.contains(&row);
            (row, doubtful)
        })
        .collect()
    }

    /// Lets go of rows that stand in the log now.
    pub(super) fn forget(&mut self, rows: &[(Row, bool)]) {
        for (row, _) in rows {
            self.taken_over.remove(row);
            if let Some(hour) = self.hours.get_mut(&row.hour_ms) {
                hour.remove(&(row.party.clone(), row.route.clone()));
                if hour.is_empty() {
                    self.hours.remove(&row.hour_ms);
                }
            }
        }
        self.changed = true;
    }
}

/// Writes what [`Refusals::take_due`] gave, away from the lock.
///
/// # Errors
/// The disk.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        disk::create_dir(folder)?;
    }
    Ok(disk::write_with(path, text.as_bytes(), disk::Overwrite::Replace, 0o600)?)
}

/// The first file that no other server holds, and the lock that holds it.
fn free_file(folder: &Path) -> Result<(PathBuf, Lock)> {
    disk::create_dir(folder)?;
    for n in 0..MAX_SERVERS {
        let lock = folder.join(format!("refused.{n}.lock"));
        match Lock::acquire(&lock, "refusals", Wait::Fail) {
            Ok(lock) => return Ok((folder.join(format!("refused.{n}")), lock)),
            Err(ledger::Error::Held { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(Error::Asked(format!("{MAX_SERVERS} servers run under this home: end one of them first")))
}

/// Records rows in the authority's own log, in one commit. Of those that are doubtful nothing where the
/// very same stands there already: a process was killed between the record and its own file then.
///
/// # Errors
/// The disk; the log's lock; no passphrase.
pub(super) fn keep(home: &Path, rows: &[(Row, bool)]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    record(home, "vigie serve", "vigie serve", |authority| {
        let doubtful = rows.iter().filter(|(_, doubtful)| *doubtful);
        let known = recorded(authority, doubtful.map(|(row, _)| row.hour_ms).min())?;
        let fresh = rows.iter().filter(|(row, doubtful)| !doubtful || !known.contains(row));
        Ok(fresh.map(|(row, _)| body(row)).collect())
    })
    .map(drop)
}

fn body(row: &Row) -> Body {
    AccessRefused {
        hour: time_text(row.hour_ms),
        refused: row.times.all(),
        party: row.party.clone(),
        route: row.route.clone(),
        sign_in: row.times.sign_in,
        forbidden: row.times.forbidden,
        too_many: row.times.too_many,
    }
    .into()
}

/// The rows of hours from `first` on that the log holds.
fn recorded(authority: &ledger::Authority, first: Option<i64>) -> Result<HashSet<Row>> {
    let mut known = HashSet::new();
    let (Some(first), Ok(log)) = (first, authority.reader()) else { return Ok(known) };
    for (index, entry) in (0..).zip(log.entries(0)) {
        let entry = entry?;
        // Few are of this kind: the others need not be parsed for it.
        if !entry.windows(16).any(|window| window == b"\"access.refused\"") {
            continue;
        }
        let (body, _) = crate::parties::opened(authority, index, &entry)?;
        if let Body::AccessRefused(b) = body
            && let Some(hour_ms) = crate::capture::moment(&b.hour).filter(|hour| *hour >= first)
        {
            let (sign_in, forbidden, too_many) = (b.sign_in, b.forbidden, b.too_many);
            let times = Times { sign_in, forbidden, too_many };
            known.insert(Row { hour_ms, party: b.party, route: b.route, times });
        }
    }
    Ok(known)
}
