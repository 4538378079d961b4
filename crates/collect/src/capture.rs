//! What a capture came to: facts, in their order. Nothing here says what was shown.

mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use model::Sha256Hex;
use serde_json::{Value, json};

use crate::authorisation::Refusal;

pub use step::{End, Form, Role, Step};

use step::time;

/// The most that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing was asked: all of it was outside the authorisation.
    Refused,
    /// The resolver gave no answer, or one that cannot be used.
    NoAnswer,
    /// There is no such name, or it has no address.
    NoName,
    /// Nothing answered in time.
    TimedOut,
    /// There was no connection.
    NoConnection,
    /// TLS came to nothing.
    NoTls,
    /// What answered is no HTTP.
    Malformed,
    /// An HTTP answer came; the last status of the item itself.
    Answered(u16),
    /// Bytes of media came.
    Media,
}

impl Outcome {
    fn of(steps: &[Step]) -> Self {
        let has =
            |step: &Step| matches!(step, Step::Looked { addresses, .. } if !addresses.is_empty());
        let found = steps.iter().any(has);
        let of = |step: &Step| match step {
            Step::Refused { .. } | Step::Stopped { .. } => Self::Refused,
            // Addresses that nothing was asked of are told by what was refused.
            Step::Looked { .. } if found => Self::Refused,
            Step::Looked { code: None, .. } => Self::NoAnswer,
            Step::Looked { .. } => Self::NoName,
            Step::Asked { status: Some(_), form: Form::Media, .. } => Self::Media,
            Step::Asked { status: Some(status), role, .. } => match role {
                Role::Document | Role::Address => Self::Answered(*status),
                Role::Variant | Role::Segment => Self::Malformed,
            },
            Step::Asked { end, .. } => match end {
                End::NoConnection(_) => Self::NoConnection,
                End::NoTls(_) => Self::NoTls,
                End::TimedOut => Self::TimedOut,
                _ => Self::Malformed,
            },
        };
        let best = steps.iter().map(of).max_by_key(|o| match o {
            // Of several answers the last counts, being where redirects lead.
            Self::Answered(_) => Self::Answered(0),
            other => *other,
        });
        best.unwrap_or(Self::Refused)
    }

    /// Its words, as the record has them: `media`, `answered 200`, `no-name`, …
    pub fn words(self) -> String {
        match self {
            Self::Refused => "refused".to_owned(),
            Self::NoAnswer => "no-answer".to_owned(),
            Self::NoName => "no-name".to_owned(),
            Self::TimedOut => "timed-out".to_owned(),
            Self::NoConnection => "no-connection".to_owned(),
            Self::NoTls => "no-tls".to_owned(),
            Self::Malformed => "malformed".to_owned(),
            Self::Answered(status) => format!("answered {status}"),
            Self::Media => "media".to_owned(),
        }
    }
}

/// A capture that ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Capture {
    /// The item, as it is recorded.
    pub item: String,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// What was refused, by reason.
    pub refused: BTreeMap<Refusal, u64>,
    /// True where its time went by in waiting until the authorisation's rate let it ask.
    pub waited: bool,
    /// The WARC.
    pub warc: Vec<u8>,
}

impl Capture {
    /// The most that was reached.
    pub fn outcome(&self) -> Outcome {
        Outcome::of(&self.steps)
    }

    /// True where it ended before it saw media for a reason of ours: the rate was used up, or the authorisation ended on
    /// its way. What the host would have shown nobody knows, so that it tells neither that something is there nor that
    /// nothing is.
    pub fn is_cut(&self) -> bool {
        let ours = [Refusal::Rate, Refusal::Ended, Refusal::Expired];
        let cut = self.waited || ours.iter().any(|refusal| self.refused.contains_key(refusal));
        cut && self.outcome() != Outcome::Media
    }

    /// True where nothing left for anybody.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|s| matches!(s, Step::Refused { .. } | Step::Stopped { .. }))
    }

    /// The addresses that names stood for, and those that were asked.
    pub fn addresses(&self) -> BTreeSet<IpAddr> {
        let of = |step: &Step| match step {
            Step::Looked { addresses, .. } => addresses.clone(),
            Step::Asked { address, .. } => vec![address.ip()],
            _ => Vec::new(),
        };
        self.steps.iter().flat_map(of).collect()
    }

    /// The digests of the certificate chains that were shown.
    pub fn chains(&self) -> BTreeSet<Sha256Hex> {
        let of = |step: &Step| match step {
            Step::Asked { tls: Some(tls), .. } => Some(tls.digest()),
            _ => None,
        };
        self.steps.iter().filter_map(of).collect()
    }

    /// Requests that left.
    pub fn requests(&self) -> u64 {
        self.steps.iter().filter(|s| matches!(s, Step::Asked { .. })).count() as u64
    }

    /// Bytes of media that came.
    pub fn media_bytes(&self) -> u64 {
        let of = |step: &Step| match step {
            Step::Asked { form: Form::Media, bytes, .. } => *bytes,
            _ => 0,
        };
        self.steps.iter().map(of).sum()
    }

    /// What two captures that saw the same have in common: addresses, chains, statuses, bodies. An address
    /// that did not answer where another of the same name did is no change of what is shown.
    pub fn content(&self) -> Sha256Hex {
        let answered: BTreeSet<&str> = self.steps.iter().filter_map(Step::answered).collect();
        let counts = |step: &&Step| step.unanswered().is_none_or(|uri| !answered.contains(uri));
        let told: Vec<String> = self.steps.iter().filter(counts).map(Step::told).collect();
        Sha256Hex::of(told.join("\n").as_bytes())
    }

    /// The capture as data, without its WARC.
    pub fn to_json(&self) -> Value {
        steps_json(self.item.as_str(), self.started_ms, self.ended_ms, &self.steps)
    }
}

/// A capture as data.
pub(crate) fn steps_json(item: &str, started_ms: i64, ended_ms: i64, steps: &[Step]) -> Value {
    json!({
        "item": item, "started": time(started_ms), "ended": time(ended_ms),
        "outcome": Outcome::of(steps).words(),
        "steps": steps.iter().map(Step::to_json).collect::<Vec<_>>(),
    })
}
