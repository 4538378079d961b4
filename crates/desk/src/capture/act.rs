//! What people do about authorisations: grant, end. Checks against the state, then the one record.

use collect::authorisation::{MAX_BYTES, MAX_HOSTS, MAX_RATE, Method};
use collect::host::HostRule;
use ledger::VerifierKey;
use model::custody::{MAX_VALUE, is_line};
use model::record::{AuthorisationEnded, AuthorisationGranted, Body, time_text};

use super::{Book, moment};
use crate::{Error, Result};

/// The longest that an authorisation may hold: 366 days. What must last longer is granted anew.
const LONGEST_MS: i64 = 366 * 86_400_000;

/// What somebody wants recorded of an authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Grant one.
    Grant(Box<Grant>),
    /// End one before its time.
    End {
        /// The record that granted it.
        granted: u64,
        /// Why.
        reason: String,
    },
}

/// What is to be granted, as people write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The legal basis.
    pub basis: String,
    /// The hosts.
    pub hosts: Vec<String>,
    /// The methods.
    pub methods: Vec<String>,
    /// Requests a minute to one host.
    pub rate: u32,
    /// From when on, ISO 8601 with its zone; from now on where it is not said.
    pub from: Option<String>,
    /// Until when.
    pub until: String,
    /// Most bytes of one capture.
    pub most_bytes: u64,
    /// Who signed it.
    pub signer: String,
    /// The key of the probe that works under it.
    pub probe: String,
}

/// What such decisions look at.
pub(crate) struct Known {
    /// Authorisations so far.
    pub(crate) book: Book,
    /// Now, in UTC.
    pub(crate) now_ms: i64,
    /// The key that signs the log.
    pub(crate) log_key: VerifierKey,
}

fn asked(why: impl Into<String>) -> Error {
    Error::Asked(why.into())
}

/// The record that an act leads to; `None` where the log says it already.
pub(crate) fn decide(known: &Known, act: &Act) -> Result<Option<Body>> {
    match act {
        Act::Grant(grant) => granted(known, grant).map(Some),
        Act::End { granted, reason } => {
            let of = known.book.granted(*granted)?;
            if of.ended.is_some() {
                return Ok(None);
            }
            Ok(Some(AuthorisationEnded { granted: *granted, reason: reason.clone() }.into()))
        }
    }
}

fn granted(known: &Known, grant: &Grant) -> Result<Body> {
    if !is_line(&grant.signer) {
        return Err(asked(format!(
            "who signed the authorisation is said in one line of at most {MAX_VALUE} bytes (--signer)"
        )));
    }
    let time = |what: &str, text: &str| {
        moment(text).ok_or_else(|| {
            asked(format!(
                "{what}: {text:?} is no moment: write ISO 8601 with its zone, such as 2026-11-26T06:00Z"
            ))
        })
    };
    let from = grant.from.as_deref().map_or(Ok(known.now_ms), |text| time("--from", text))?;
    let until = time("--until", &grant.until)?;
    if until <= from || until <= known.now_ms {
        return Err(asked("an authorisation ends after it begins, and not in the past"));
    }
    if until - from > LONGEST_MS {
        return Err(asked("an authorisation holds for 366 days at most: grant it anew then"));
    }
    if grant.hosts.is_empty() || grant.hosts.len() > MAX_HOSTS {
        return Err(asked(format!("an authorisation names 1 to {MAX_HOSTS} hosts (--host)")));
    }
    let mut hosts = Vec::new();
    for text in &grant.hosts {
        let rule: HostRule = text.parse().map_err(|e| asked(format!("--host {text:?}: {e}")))?;
        let rule = rule.to_string();
        if !hosts.contains(&rule) {
            hosts.push(rule);
        }
    }
    let mut methods = Vec::new();
    for text in &grant.methods {
        let method: Method = text.parse().map_err(|()| {
            let all = Method::ALL.map(Method::word).join(", ");
            asked(format!("--method {text:?}: the methods are {all}"))
        })?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    if methods.is_empty() {
        return Err(asked("an authorisation names one method at least (--method)"));
    }
    if !(1..=MAX_RATE).contains(&grant.rate) {
        return Err(asked(format!("--rate is 1 to {MAX_RATE} requests a minute to one host")));
    }
    if !(1..=MAX_BYTES).contains(&grant.most_bytes) {
        return Err(asked(format!("--bytes is 1 to {MAX_BYTES} bytes a capture")));
    }
    let key = VerifierKey::parse(&grant.probe)
        .map_err(|e| asked(format!("--probe {:?}: {e}", grant.probe)))?;
    // Who signs the log would vouch for its own captures.
    let renamed = known.log_key.renamed(key.name()).map_err(|e| asked(e.to_string()))?;
    if renamed == key {
        return Err(asked(
            "the probe's key is the key of the log: a probe signs with one of its own",
        ));
    }
    Ok(AuthorisationGranted {
        from: time_text(from),
        until: time_text(until),
        probe: key.text(),
        basis: grant.basis.clone(),
        hosts,
        methods: methods.into_iter().map(|m| m.word().to_owned()).collect(),
        rate: grant.rate.into(),
        most_bytes: grant.most_bytes,
        signer: grant.signer.clone(),
    }
    .into())
}
