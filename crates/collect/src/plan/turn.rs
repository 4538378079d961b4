//! What a plan asks for, and what it is told.

use std::net::SocketAddr;

#[cfg(doc)]
use super::Plan;
use crate::capture::End;
use crate::dns::{Answer, Ask};
use crate::http::{Progress, Reading};
use crate::tls::Shown;

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// A name is to be looked up; then [`Plan::resolved`].
    Look(Lookup),
    /// Something is to be asked for; then [`Plan::fetched`].
    Fetch(Fetch),
    /// Nothing before that moment; then [`Plan::next`].
    Wait(i64),
    /// Nothing: [`Plan::finish`].
    Done,
}

/// A question to the resolver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The name.
    pub name: String,
    /// What of it.
    pub ask: Ask,
}

/// What the resolver gave.
#[derive(Debug, Clone)]
pub struct Looked {
    /// When it was asked.
    pub at_ms: i64,
    /// Who was.
    pub resolver: SocketAddr,
    /// The answer's bytes, where one came.
    pub bytes: Vec<u8>,
    /// What they say, or what is wrong.
    pub answer: Result<Answer, String>,
}

/// A request, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Where to: exactly the address that was held against the authorisation.
    pub address: SocketAddr,
    /// TLS with that name, TLS without a name, or none.
    pub tls: Option<Option<String>>,
    /// What is sent.
    pub request: Vec<u8>,
    /// Most bytes of the body.
    pub most: usize,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// What TLS showed, where it came to an end.
    pub tls: Option<Box<Shown>>,
    /// What came, where the request left.
    pub reading: Option<Reading>,
    /// What ended it, where the answer did not.
    pub stop: Option<Stop>,
}

/// What ended an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// There was no connection; why.
    NoConnection(String),
    /// TLS came to nothing; why.
    NoTls(String),
    /// The time was up.
    TimedOut,
    /// The other side went away.
    Gone,
}

impl Fetched {
    /// How it ended.
    pub(super) fn end(&self) -> End {
        let progress = self.reading.as_ref().map(Reading::progress);
        let nothing = self.reading.as_ref().is_none_or(|r| r.wire().is_empty());
        match (progress, &self.stop) {
            (_, Some(Stop::NoConnection(why))) => End::NoConnection(why.clone()),
            (_, Some(Stop::NoTls(why))) => End::NoTls(why.clone()),
            (Some(Progress::Whole), _) => End::Whole,
            (Some(Progress::Full), _) => End::Cut,
            (Some(Progress::Malformed(why)), _) => End::Malformed(why.to_string()),
            (_, Some(Stop::TimedOut)) if nothing => End::TimedOut,
            (_, Some(Stop::TimedOut)) => End::Slow,
            _ => End::Gone,
        }
    }
}
