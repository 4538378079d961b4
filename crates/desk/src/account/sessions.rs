//! Sessions: kept by the digests of their tokens in `HOME/access/sessions`, so that a restart ends none
//! and the command can end any. The file is what counts; a server looks at each request whether somebody
//! wrote it since (one `stat`).

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ledger::disk;
use model::Sha256Hex;
use serde::{Deserialize, Serialize};

use super::file::{folder, lock};
use crate::parties::PartyRole;
use crate::{Error, Result};

/// The longest that a session lasts: 12 hours.
pub const LONGEST_MS: i64 = 12 * 3_600_000;
/// The longest that one lasts without being used: an hour.
pub const IDLE_MS: i64 = 3_600_000;
/// The most sessions of one person; the oldest gives way.
pub const MAX_OF_PERSON: usize = 20;
/// The most sessions; the oldest gives way.
pub const MAX_SESSIONS: usize = 10_000;
/// That a session was used is written down so often.
const SEEN_MS: i64 = 60_000;
/// How far a clock may be set back before sessions end by it.
const AHEAD_MS: i64 = 60_000;
/// The most characters of what a browser calls itself.
const MAX_AGENT: usize = 120;
const MAX_FILE: u64 = 16 << 20;

/// How a session was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// By a password.
    Password,
    /// By a passkey.
    Passkey,
    /// By the link of an invitation.
    Invitation,
}

impl By {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Password, Self::Passkey, Self::Invitation];

    /// As it stands in JSON and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::Invitation => "invitation",
        }
    }
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What it is called in lists: it opens nothing.
    pub id: String,
    /// Whose.
    pub person: String,
    /// The offices it began with.
    pub roles: Vec<PartyRole>,
    /// When it began, in milliseconds since 1970 in UTC.
    pub begun_ms: i64,
    /// When it was used last, to the minute.
    pub seen_ms: i64,
    /// How it was begun.
    pub by: By,
    /// What the browser called itself.
    pub agent: String,
}

impl Session {
    fn lives(&self, now_ms: i64) -> bool {
        // Begun later than now is no session but by a clock that is put right by a little.
        (-AHEAD_MS..LONGEST_MS).contains(&(now_ms - self.begun_ms))
            && now_ms - self.seen_ms < IDLE_MS
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    digest: String,
    id: String,
    person: String,
    roles: Vec<String>,
    begun_ms: i64,
    seen_ms: i64,
    by: By,
    agent: String,
}

/// What tells one writing of the file from another.
type Mark = Option<(u64, u64, i64, i64)>;

#[derive(Debug, Default)]
struct Table {
    of: HashMap<Sha256Hex, Session>,
    mark: Mark,
}

/// The sessions of a home.
#[derive(Debug)]
pub(super) struct Sessions {
    home: PathBuf,
    table: Mutex<Table>,
}

impl Sessions {
    pub(super) fn open(home: &Path) -> Result<Self> {
        let sessions = Self { home: home.to_owned(), table: Mutex::default() };
        sessions.with(|_| ())?;
        Ok(sessions)
    }

    fn path(&self) -> PathBuf {
        folder(&self.home).join("sessions")
    }

    fn mark(&self) -> Mark {
        let found = self.path().metadata().ok()?;
        Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
    }

    /// Looks at the table as the file has it now.
    fn with<T>(&self, look: impl FnOnce(&mut Table) -> T) -> Result<T> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let mark = self.mark();
        if table.mark != mark {
            *table = Table { of: self.read()?, mark };
        }
        Ok(look(&mut table))
    }

    fn read(&self) -> Result<HashMap<Sha256Hex, Session>> {
        let path = self.path();
        let failed = |source| Error::Read { path: path.clone(), source };
        let wrong = |why: &str| {
            Error::Beside(format!(
                "{}: {why}. Move it away: every session ends then",
                path.display()
            ))
        };
        let text = match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(HashMap::new()),
            Ok(found) if found.len() > MAX_FILE => return Err(wrong("it is too long")),
            other => {
                other.map_err(failed)?;
                std::fs::read_to_string(&path).map_err(failed)?
            }
        };
        let mut out = HashMap::new();
        for line in text.lines() {
            let line: Line = serde_json::from_str(line).map_err(|e| wrong(&e.to_string()))?;
            let digest = line.digest.parse().map_err(|_| wrong("a digest is none"))?;
            let roles = line.roles.iter().map(|word| PartyRole::of_word(word));
            let roles: Option<Vec<PartyRole>> = roles.collect();
            let session = Session {
                id: line.id,
                person: line.person,
                roles: roles.ok_or_else(|| wrong("a role is none"))?,
                begun_ms: line.begun_ms,
                seen_ms: line.seen_ms,
                by: line.by,
                agent: line.agent,
            };
            out.insert(digest, session);
        }
        Ok(out)
    }

    /// Changes the table and its file, held off from other writers.
    fn change<T>(&self, change: impl FnOnce(&mut HashMap<Sha256Hex, Session>) -> T) -> Result<T> {
        let _lock = lock(&self.home)?;
        self.with(|table| {
            let before = table.of.clone();
            let out = change(&mut table.of);
            if table.of != before {
                if let Err(error) = self.write(&table.of) {
                    table.of = before;
                    return Err(error);
                }
                table.mark = self.mark();
            }
            Ok(out)
        })?
    }

    fn write(&self, of: &HashMap<Sha256Hex, Session>) -> Result<()> {
        let mut text = String::new();
        for (digest, session) in of {
            let line = Line {
                digest: digest.to_string(),
                id: session.id.clone(),
                person: session.person.clone(),
                roles: session.roles.iter().map(|role| role.word().to_owned()).collect(),
                begun_ms: session.begun_ms,
                seen_ms: session.seen_ms,
                by: session.by,
                agent: session.agent.clone(),
            };
            text.push_str(&serde_json::to_string(&line).map_err(|e| Error::Beside(e.to_string()))?);
            text.push('\n');
        }
        Ok(disk::write_with(&self.path(), text.as_bytes(), disk::Overwrite::Replace, 0o600)?)
    }

    /// Begins one: its token, which stands nowhere.
    pub(super) fn begin(
        &self,
        person: &str,
        roles: &[PartyRole],
        by: By,
        agent: &str,
        now_ms: i64,
    ) -> Result<String> {
        let token = model::id::hex(&vault::random()?);
        let id = model::id::hex(vault::random()?.get(..8).unwrap_or_default());
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
        let session = Session {
            id,
            person: person.to_owned(),
            roles: roles.to_vec(),
            begun_ms: now_ms,
            seen_ms: now_ms,
            by,
            agent,
        };
        self.change(|of| {
            of.retain(|_, session| session.lives(now_ms));
            while of.values().filter(|s| s.person == person).count() >= MAX_OF_PERSON {
                drop_oldest(of, |session| session.person == person);
            }
            while of.len() >= MAX_SESSIONS {
                drop_oldest(of, |_| true);
            }
            of.insert(Sha256Hex::of(token.as_bytes()), session);
        })?;
        Ok(token)
    }

    /// The session of a token, if it lives; that it was used is kept.
    pub(super) fn find(&self, token: &str, now_ms: i64) -> Result<Option<Session>> {
        let digest = Sha256Hex::of(token.as_bytes());
        let found = self.with(|table| table.of.get(&digest).cloned())?;
        let Some(mut session) = found.filter(|session| session.lives(now_ms)) else {
            return Ok(None);
        };
        if now_ms - session.seen_ms >= SEEN_MS {
            session.seen_ms = now_ms;
            self.change(|of| {
                if let Some(kept) = of.get_mut(&digest) {
                    kept.seen_ms = now_ms;
                }
            })?;
        }
        Ok(Some(session))
    }

    /// The same without that it counts as use: for a page that stays open by itself.
    pub(super) fn peek(&self, token: &str, now_ms: i64) -> Result<Option<Session>> {
        let digest = Sha256Hex::of(token.as_bytes());
        let found = self.with(|table| table.of.get(&digest).cloned())?;
        Ok(found.filter(|session| session.lives(now_ms)))
    }

    /// Those that live, the newest first.
    pub(super) fn all(&self, now_ms: i64) -> Result<Vec<Session>> {
        let mut all: Vec<Session> = self.with(|table| {
            table.of.values().filter(|session| session.lives(now_ms)).cloned().collect()
        })?;
        all.sort_by(|a, b| b.begun_ms.cmp(&a.begun_ms).then_with(|| a.id.cmp(&b.id)));
        Ok(all)
    }

    /// Ends the session of a token.
    pub(super) fn end_token(&self, token: &str) -> Result<()> {
        let digest = Sha256Hex::of(token.as_bytes());
        self.change(|of| drop(of.remove(&digest)))
    }

    /// Ends those that `which` is true of: how many.
    pub(super) fn end(&self, which: impl Fn(&Session) -> bool) -> Result<usize> {
        self.change(|of| {
            let before = of.len();
            of.retain(|_, session| !which(session));
            before - of.len()
        })
    }
}

fn drop_oldest(of: &mut HashMap<Sha256Hex, Session>, which: impl Fn(&Session) -> bool) {
    let oldest = of
        .iter()
        .filter(|(_, session)| which(session))
        .min_by_key(|(_, session)| session.begun_ms)
        .map(|(digest, _)| *digest);
    if let Some(oldest) = oldest {
        of.remove(&oldest);
    }
}
