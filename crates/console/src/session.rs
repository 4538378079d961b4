//! Sign-in by the one-time link on the terminal, and the sessions it opens: of whoever holds the folder,
//! on this machine. People's sessions are `desk::account`'s.
//!
//! A link and a session are 256 random bits. Only their SHA-256 is kept, so that neither a look-up's
//! time nor a core dump of the table gives one away. A link works once, within [`LINK_LIFE`]; a
//! session ends after [`SESSION_LIFE`], at sign-out, or with the process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::Sha256Hex;

/// How long a sign-in link works.
pub const LINK_LIFE: Duration = Duration::from_secs(10 * 60);
/// How long a session lasts.
pub const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// Most links and most sessions at once; the oldest gives way.
const MOST: usize = 64;

/// The open links and sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    links: HashMap<Sha256Hex, Instant>,
    sessions: HashMap<Sha256Hex, Instant>,
}

fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(model::id::hex(&bytes))
}

fn keep(table: &mut HashMap<Sha256Hex, Instant>, token: &str, until: Instant) {
    if table.len() >= MOST {
        let oldest = table.iter().min_by_key(|(_, until)| **until).map(|(hash, _)| *hash);
        if let Some(oldest) = oldest {
            table.remove(&oldest);
        }
    }
    table.insert(Sha256Hex::of(token.as_bytes()), until);
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new one-time token.
    pub(crate) fn link(&self, now: Instant) -> Result<String, getrandom::Error> {
        let token = token()?;
        keep(&mut self.lock().links, &token, now + LINK_LIFE);
        Ok(token)
    }

    /// Spends a one-time token for a session. `None` where it is unknown, spent or too old.
    pub(crate) fn spend(&self, link: &str, now: Instant) -> Option<String> {
        let mut inner = self.lock();
        let until = inner.links.remove(&Sha256Hex::of(link.as_bytes()))?;
        if now > until {
            return None;
        }
        let token = token().ok()?;
        keep(&mut inner.sessions, &token, now + SESSION_LIFE);
        Some(token)
    }

    /// True where the token is a session's that has not ended.
    pub(crate) fn holds(&self, session: &str, now: Instant) -> bool {
        let hash = Sha256Hex::of(session.as_bytes());
        let mut inner = self.lock();
        match inner.sessions.get(&hash) {
            Some(until) if now <= *until => true,
            Some(_) => {
                inner.sessions.remove(&hash);
                false
            }
            None => false,
        }
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) {
        self.lock().sessions.remove(&Sha256Hex::of(session.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_not_for_long() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let link = sessions.link(now).unwrap();
        assert_eq!(link.len(), 64);
        let session = sessions.spend(&link, now).unwrap();
        assert!(sessions.spend(&link, now).is_none());
        assert!(sessions.holds(&session, now));
        assert!(!sessions.holds(&link, now));
        assert!(!sessions.holds(&session, now + SESSION_LIFE + Duration::from_secs(1)));

        let late = sessions.link(now).unwrap();
        assert!(sessions.spend(&late, now + LINK_LIFE + Duration::from_secs(1)).is_none());
    }

    #[test]
    fn signing_out_ends_it_and_the_table_is_bounded() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let session = sessions.spend(&sessions.link(now).unwrap(), now).unwrap();
        sessions.end(&session);
        assert!(!sessions.holds(&session, now));
        for _ in 0..MOST * 2 {
            sessions.link(now).unwrap();
        }
        assert_eq!(sessions.lock().links.len(), MOST);
    }
}
