//! Tokens: what a client carries after it signed in.
//!
//! A token is 256 random bits and means nothing by itself; here stands, by its digest, what it was given for: a
//! person's session, or a service key's secret. Both are looked up anew with every request, so that whoever is
//! suspended, or whose key is revoked, is nobody at once. Tokens live in this process alone: after a restart
//! clients sign in again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::Sha256Hex;

/// How long an access token is one.
pub(crate) const ACCESS_MS: i64 = 3_600_000;
/// How long a refresh token is one. (A person's session ends before that, after 12 hours at most.)
pub(crate) const REFRESH_MS: i64 = 7 * 86_400_000;
/// The most sign-ins of one party; the oldest gives way.
pub(crate) const MAX_OF_PARTY: usize = 20;
/// The most sign-ins; the oldest gives way.
pub(crate) const MAX_SIGN_INS: usize = 10_000;
/// The most access tokens of one sign-in; the oldest gives way.
pub(crate) const MAX_ACCESS: usize = 8;
/// What every token begins with, so that a scanner of code and logs knows one.
const PREFIX: &str = "ps_";

/// What a token was given for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Behind {
    /// A person's session, by its token.
    Session(String),
    /// A service key, by its secret.
    Key(String),
}

#[derive(Debug)]
struct SignIn {
    party: String,
    behind: Behind,
    refresh: Sha256Hex,
    ends_ms: i64,
    access: VecDeque<(Sha256Hex, i64)>,
}

impl std::fmt::Debug for Behind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "Session",
            Self::Key(_) => "Key",
        })
    }
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    sign_ins: BTreeMap<u64, SignIn>,
    by_digest: HashMap<Sha256Hex, u64>,
}

/// Every token of this process.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Table>);

/// True for what looks like a token of ours.
pub(crate) fn is_token(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|rest| rest.len() == 64 && rest.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn fresh() -> vault::Result<String> {
    Ok(format!("{PREFIX}{}", model::id::hex(&vault::random()?)))
}

fn digest(token: &str) -> Sha256Hex {
    Sha256Hex::of(token.as_bytes())
}

impl Tokens {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a sign-in: its access token and its refresh token.
    ///
    /// # Errors
    /// No random numbers.
    pub(crate) fn begin(
        &self,
        party: &str,
        behind: Behind,
        now_ms: i64,
    ) -> vault::Result<(String, String)> {
        let (access, refresh) = (fresh()?, fresh()?);
        let mut table = self.table();
        table.make_room(party, now_ms);
        let number = table.next;
        table.next += 1;
        table.by_digest.insert(digest(&access), number);
        table.by_digest.insert(digest(&refresh), number);
        let sign_in = SignIn {
            party: party.to_owned(),
            behind,
            refresh: digest(&refresh),
            ends_ms: now_ms.saturating_add(REFRESH_MS),
            access: [(digest(&access), now_ms.saturating_add(ACCESS_MS))].into(),
        };
        table.sign_ins.insert(number, sign_in);
        Ok((access, refresh))
    }

    /// What an access token was given for; `None` where it is none, or none any more.
    pub(crate) fn find(&self, token: &str, now_ms: i64) -> Option<Behind> {
        let (table, digest) = (self.table(), digest(token));
        let sign_in = table.sign_ins.get(table.by_digest.get(&digest)?)?;
        let lives = sign_in.access.iter().any(|(of, ends)| *of == digest && now_ms < *ends);
        lives.then(|| sign_in.behind.clone())
    }

    /// What a refresh token was given for.
    pub(crate) fn of_refresh(&self, token: &str, now_ms: i64) -> Option<Behind> {
        let (table, digest) = (self.table(), digest(token));
        let sign_in = table.sign_ins.get(table.by_digest.get(&digest)?)?;
        (sign_in.refresh == digest && now_ms < sign_in.ends_ms).then(|| sign_in.behind.clone())
    }

    /// Another access token for a refresh token; `None` where that is none.
    ///
    /// # Errors
    /// No random numbers.
    pub(crate) fn refresh(&self, token: &str, now_ms: i64) -> vault::Result<Option<String>> {
        let (access, refresh) = (fresh()?, digest(token));
        let mut table = self.table();
        let Table { sign_ins, by_digest, .. } = &mut *table;
        let Some(number) = by_digest.get(&refresh).copied() else { return Ok(None) };
        let Some(sign_in) = sign_ins.get_mut(&number) else { return Ok(None) };
        if sign_in.refresh != refresh || now_ms >= sign_in.ends_ms {
            return Ok(None);
        }
        sign_in.access.push_back((digest(&access), now_ms.saturating_add(ACCESS_MS)));
        by_digest.insert(digest(&access), number);
        while sign_in.access.len() > MAX_ACCESS {
            if let Some((old, _)) = sign_in.access.pop_front() {
                by_digest.remove(&old);
            }
        }
        Ok(Some(access))
    }

    /// Ends the sign-in of a token: none of its tokens opens anything any more. What it was given for.
    pub(crate) fn end(&self, token: &str) -> Option<Behind> {
        let mut table = self.table();
        let number = *table.by_digest.get(&digest(token))?;
        table.end(number).map(|sign_in| sign_in.behind)
    }

    #[cfg(test)]
    fn sizes(&self) -> (usize, usize) {
        let table = self.table();
        (table.sign_ins.len(), table.by_digest.len())
    }
}

impl Table {
    fn end(&mut self, number: u64) -> Option<SignIn> {
        let sign_in = self.sign_ins.remove(&number)?;
        self.by_digest.remove(&sign_in.refresh);
        for (access, _) in &sign_in.access {
            self.by_digest.remove(access);
        }
        Some(sign_in)
    }

    fn make_room(&mut self, party: &str, now_ms: i64) {
        let over: Vec<u64> =
            self.sign_ins.iter().filter(|(_, of)| of.ends_ms <= now_ms).map(|(n, _)| *n).collect();
        for number in over {
            self.end(number);
        }
        let own: Vec<u64> =
            self.sign_ins.iter().filter(|(_, of)| of.party == party).map(|(n, _)| *n).collect();
        if own.len() >= MAX_OF_PARTY
            && let Some(oldest) = own.first()
        {
            self.end(*oldest);
        }
        if self.sign_ins.len() >= MAX_SIGN_INS
            && let Some(oldest) = self.sign_ins.keys().next().copied()
        {
            self.end(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Behind {
        Behind::Key(format!("vsk_{n}"))
    }

    #[test]
    fn a_token_opens_until_its_time_or_its_end() {
        let tokens = Tokens::default();
        let (access, refresh) = tokens.begin("fibre", key(1), 0).unwrap();
        assert!(
            is_token(&access) && is_token(&refresh) && !is_token("ps_x") && !is_token(&access[1..])
        );
        assert_eq!(tokens.find(&access, ACCESS_MS - 1), Some(key(1)));
        assert_eq!(tokens.find(&access, ACCESS_MS), None);
        // One is not the other.
        assert_eq!((tokens.find(&refresh, 0), tokens.of_refresh(&access, 0)), (None, None));
        assert_eq!(tokens.refresh(&access, 0).unwrap(), None);
        let second = tokens.refresh(&refresh, ACCESS_MS).unwrap().unwrap();
        assert_eq!(tokens.find(&second, ACCESS_MS), Some(key(1)));
        assert_eq!(tokens.refresh(&refresh, REFRESH_MS).unwrap(), None);
        assert_eq!(tokens.end(&second), Some(key(1)));
        assert_eq!((tokens.find(&second, ACCESS_MS), tokens.end(&refresh)), (None, None));
        assert_eq!(tokens.sizes(), (0, 0));
    }

    #[test]
    fn the_oldest_gives_way() {
        let tokens = Tokens::default();
        let all: Vec<_> =
            (0..MAX_OF_PARTY + 1).map(|n| tokens.begin("fibre", key(n), 0).unwrap()).collect();
        assert_eq!(tokens.find(&all[0].0, 0), None);
        assert!(tokens.find(&all[1].0, 0).is_some());
        for _ in 0..MAX_ACCESS * 3 {
            tokens.refresh(&all[1].1, 0).unwrap().unwrap();
        }
        assert_eq!(tokens.find(&all[1].0, 0), None);
        assert_eq!(tokens.sizes(), (MAX_OF_PARTY, MAX_OF_PARTY * 2 + MAX_ACCESS - 1));
        for n in 0..MAX_SIGN_INS {
            tokens.begin(&format!("isp-{n}"), key(n), 0).unwrap();
        }
        assert_eq!(tokens.sizes().0, MAX_SIGN_INS);
        tokens.begin("late", key(0), REFRESH_MS).unwrap();
        assert_eq!(tokens.sizes(), (1, 2));
    }
}
