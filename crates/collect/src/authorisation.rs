//! Authorisations: what may be asked of whom, until when, and nothing beyond.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::host::{Host, HostRule};
use crate::special::special;

/// Most lines of hosts in one authorisation: they stand in one record.
pub const MAX_HOSTS: usize = 500;
/// Most requests a minute that may be allowed to one host.
pub const MAX_RATE: u32 = 600;
/// Most bytes that a capture may be allowed.
pub const MAX_BYTES: u64 = 64 << 20;

/// What the probe may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Connect to an address without a name, and with a control name.
    Address,
    /// Fetch the document at a URL, and where it redirects to.
    Page,
    /// The same, and what a playlist leads to, as far as its first segments.
    Playlist,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Address, Self::Page, Self::Playlist];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Address => "capture-address",
            Self::Page => "capture-page",
            Self::Playlist => "capture-playlist",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Method {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|m| m.word() == text).ok_or(())
    }
}

/// What an authority allows the probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Which hosts, by which ports.
    pub hosts: Vec<HostRule>,
    /// What may be done there.
    pub methods: BTreeSet<Method>,
    /// Requests a minute to one host.
    pub rate: u32,
    /// From when on, in milliseconds since 1970.
    pub from_ms: i64,
    /// Until when, that moment not meant.
    pub until_ms: i64,
    /// Most bytes that one capture may take in.
    pub most_bytes: u64,
}

/// What the probe is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// Any of these methods would cover it.
    pub methods: &'a [Method],
    /// Whom it is for.
    pub host: &'a Host,
    /// At which port.
    pub port: u16,
    /// The address that will be connected to; `None` before it is known.
    pub address: Option<IpAddr>,
}

/// Why a request is outside an authorisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// It is not in force yet.
    #[error("the authorisation is not in force yet")]
    NotYet,
    /// It has expired.
    #[error("the authorisation has expired")]
    Expired,
    /// It was ended by a record.
    #[error("the authorisation was ended")]
    Ended,
    /// The method is not in it.
    #[error("the authorisation does not allow this method")]
    Method,
    /// The host is not in it.
    #[error("the authorisation does not name this host")]
    Host,
    /// The host is, the port is not.
    #[error("the authorisation names the host, but not this port of it")]
    Port,
    /// The address is private, loopback, for documentation, …, and not named itself.
    #[error(
        "the address is none of the public Internet, and the authorisation does not name its range"
    )]
    Address,
    /// Another scheme than http and https.
    #[error("the probe speaks http and https, and nothing else")]
    Scheme,
    /// The URL carries a user or a password.
    #[error("the URL carries a user or a password: the probe logs in nowhere")]
    Credentials,
    /// More requests a minute than are allowed.
    #[error("the rate of requests to this host is used up for this minute")]
    Rate,
    /// More bytes than are allowed.
    #[error("the bytes that the authorisation allows a capture are used up")]
    Bytes,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NotYet,
        Self::Expired,
        Self::Ended,
        Self::Method,
        Self::Host,
        Self::Port,
        Self::Address,
        Self::Scheme,
        Self::Credentials,
        Self::Rate,
        Self::Bytes,
    ];

    /// Its word, in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Method => "method",
            Self::Host => "host",
            Self::Port => "port",
            Self::Address => "address",
            Self::Scheme => "scheme",
            Self::Credentials => "credentials",
            Self::Rate => "rate",
            Self::Bytes => "bytes",
        }
    }

    /// The refusal of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }
}

impl Authorisation {
    /// Whether it is in force at a moment.
    ///
    /// # Errors
    /// [`Refusal::NotYet`] and [`Refusal::Expired`].
    pub fn in_force(&self, now_ms: i64) -> Result<(), Refusal> {
        if now_ms < self.from_ms {
            Err(Refusal::NotYet)
        } else if now_ms >= self.until_ms {
            Err(Refusal::Expired)
        } else {
            Ok(())
        }
    }

    /// Whether a request is within it. Pure: every hop asks again, once before its name is looked up and
    /// once with the very address that is then connected to.
    ///
    /// # Errors
    /// The first reason why it is not.
    pub fn permits(&self, request: &Request<'_>, now_ms: i64) -> Result<(), Refusal> {
        self.in_force(now_ms)?;
        if !request.methods.iter().any(|method| self.methods.contains(method)) {
            return Err(Refusal::Method);
        }
        let mut naming = self.hosts.iter().filter(|rule| rule.names(request.host)).peekable();
        if naming.peek().is_none() {
            return Err(Refusal::Host);
        }
        if !naming.any(|rule| rule.ports.contain(request.port)) {
            return Err(Refusal::Port);
        }
        let own = match request.host {
            Host::Address(address) => Some(*address),
            Host::Name(_) => None,
        };
        for address in request.address.into_iter().chain(own) {
            let named = |rule: &HostRule| rule.names_special(address, request.port);
            if special(address).is_some() && !self.hosts.iter().any(named) {
                return Err(Refusal::Address);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
