//! Authorisations and what the probe did under them (docs/capture.md).
//!
//! `collect` asks the world; here it is decided who may grant what, and what is recorded. Decisions look at
//! the log itself: records of these kinds are few.

mod act;
mod check;
mod run;

use std::collections::BTreeMap;

use collect::authorisation::Method;
use collect::{Authorisation, Refusal};
use model::record::{AuthorisationGranted, Body, CaptureMade};
use model::{ExhibitId, Sha256Hex};
use serde_json::{Value, json};
use vault::Case;

use crate::{Error, Result};

pub use act::{Act, Grant};
pub(crate) use act::{Known, decide};
pub(crate) use check::check;
pub use collect::capture::Step;
pub use collect::{Bounds, Capture, Item};
pub use run::{Ask, Came, Done, authorise, capture, list, probe_key, resolver};
pub(crate) use run::{counted, sealed};

/// An authorisation, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The record that granted it, by which it is called.
    pub record: u64,
    /// What it says.
    pub body: AuthorisationGranted,
    /// Where it was ended: the record, and its time.
    pub ended: Option<(u64, String)>,
    /// Captures that were recorded under it.
    pub captures: u64,
    /// Refusals that were recorded under it.
    pub refused: u64,
    /// Refusals that wait for their hour to be over.
    pub waiting: u64,
}

impl Granted {
    /// What the probe is held to.
    ///
    /// # Errors
    /// What was withheld or erased, or was written by something that is not this.
    pub fn authorisation(&self) -> Result<Authorisation> {
        let odd = |what: &str| {
            let record = self.record;
            Error::Asked(format!(
                "record {record} cannot be worked under: its {what} cannot be read, or was erased; grant anew \
                 with `vigie authorise`"
            ))
        };
        let body = &self.body;
        let hosts = body.hosts.iter().map(|h| h.parse().map_err(|_| odd("hosts")));
        let methods = body.methods.iter().map(|m| m.parse::<Method>().map_err(|()| odd("methods")));
        Ok(Authorisation {
            hosts: hosts.collect::<Result<_>>()?,
            methods: methods.collect::<Result<_>>()?,
            rate: u32::try_from(body.rate).map_err(|_| odd("rate"))?,
            from_ms: moment(&body.from).ok_or_else(|| odd("beginning"))?,
            until_ms: moment(&body.until).ok_or_else(|| odd("end"))?,
            most_bytes: body.most_bytes,
        })
    }

    /// In one word: `in force`, `not yet`, `expired`, `ended`.
    pub fn state(&self, now_ms: i64) -> &'static str {
        let (from, until) = (moment(&self.body.from), moment(&self.body.until));
        match (from, until) {
            _ if self.ended.is_some() => "ended",
            (Some(from), _) if now_ms < from => "not yet",
            (_, Some(until)) if now_ms < until => "in force",
            _ => "expired",
        }
    }

    /// The authorisation as data.
    pub fn to_json(&self, now_ms: i64) -> Value {
        let AuthorisationGranted {
            from,
            until,
            probe,
            basis,
            hosts,
            methods,
            rate,
            most_bytes,
            signer,
        } = &self.body;
        json!({
            "authorisation": self.record, "state": self.state(now_ms), "basis": basis,
            "signer": signer, "hosts": hosts, "methods": methods, "rate": rate,
            "from": from, "until": until, "bytes": most_bytes, "probe": probe,
            "ended": self.ended.as_ref().map(|(record, time)| json!({"record": record, "time": time})),
            "captures": self.captures, "refused": self.refused, "refused_this_hour": self.waiting,
        })
    }
}

/// The moment of a record's text.
pub(crate) fn moment(text: &str) -> Option<i64> {
    model::Stamp::parse_iso(text).filter(|s| s.offset_min.is_some()).map(|s| s.utc_ms())
}

/// The last capture of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) record: u64,
    pub(crate) content: Sha256Hex,
    pub(crate) exhibit: ExhibitId,
}

impl Last {
    pub(crate) fn of(record: u64, body: &CaptureMade) -> Self {
        Self { record, content: body.content, exhibit: body.exhibit }
    }
}

/// What the log says of authorisations and captures.
#[derive(Debug, Clone, Default)]
pub struct Book {
    pub(crate) origin: String,
    pub(crate) granted: BTreeMap<u64, Granted>,
    pub(crate) captured: Vec<(u64, CaptureMade)>,
    /// Records of which part was withheld or erased, so that they cannot be read.
    pub(crate) withheld: Vec<u64>,
    last: BTreeMap<String, Last>,
    counted: BTreeMap<(u64, String, String), Vec<u64>>,
    /// Records that speak of an authorisation that was not granted before them.
    pub(crate) astray: Vec<u64>,
    /// Records that were looked at.
    seen: u64,
    /// Of a clearing house's: of those, what speaks of authorisations and is still to be read, the last first.
    ahead: Vec<u64>,
    /// True of a clearing house's, which is bounded: it has no captures. Of which the last ones are, the house knows.
    is_short: bool,
}

impl Book {
    pub(crate) fn of(case: &Case) -> Result<Self> {
        let mut book = Self::default();
        book.follow(case)?;
        Ok(book)
    }

    /// Takes what the log says since it was looked at last.
    pub(crate) fn follow(&mut self, case: &Case) -> Result<()> {
        self.follow_some(case, u64::MAX).map(drop)
    }

    /// Takes so many records at the most; true where there are more. Who has a clearing house in hand takes a few at
    /// a time, so that acts do not wait.
    pub(crate) fn follow_some(&mut self, case: &Case, most: u64) -> Result<bool> {
        case.origin().clone_into(&mut self.origin);
        let mut left = most;
        while let Some(index) = self.ahead.last().copied().filter(|_| left > 0) {
            self.read(case, index)?;
            self.ahead.pop();
            left -= 1;
        }
        if !self.ahead.is_empty() {
            return Ok(true);
        }
        let end = case.len().min(self.seen.saturating_add(left));
        for index in self.seen..end {
            // Most of a clearing house's log are decisions, which say nothing here.
            if !vault::is_shield_decision(&case.log().entry(index).map_err(vault::Error::from)?) {
                self.read(case, index)?;
            }
            self.seen = index + 1;
        }
        Ok(self.seen < case.len())
    }

    /// A clearing house's book of its first records: `of` are those that speak of authorisations, and of what these
    /// refused, in order. They are read as it is followed; the others are not.
    pub(crate) fn knowing(case: &Case, of: &[u64], records: u64) -> Self {
        let ahead = of.iter().rev().copied().filter(|index| *index < records).collect();
        let origin = case.origin().to_owned();
        Self { is_short: true, origin, ahead, seen: records, ..Self::default() }
    }

    /// True before anything was looked at.
    pub(crate) fn is_new(&self) -> bool {
        self.seen == 0
    }

    fn read(&mut self, case: &Case, index: u64) -> Result<()> {
        let (record, opening) = case.record(index)?;
        if record.kind.starts_with("authorisation.") || record.kind.starts_with("capture.") {
            match Body::read_left(&record, &opening) {
                Ok(body) => self.take(index, &record.time, body),
                Err(_) => self.withheld.push(index),
            }
        }
        Ok(())
    }

    fn take(&mut self, index: u64, time: &str, body: Body) {
        let granted = match &body {
            Body::AuthorisationEnded(b) => Some(b.granted),
            Body::CaptureMade(b) => Some(b.granted),
            Body::CaptureRefused(b) => Some(b.granted),
            _ => None,
        };
        if granted.is_some_and(|n| !self.granted.contains_key(&n)) {
            self.astray.push(index);
        }
        let of = granted.and_then(|n| self.granted.get_mut(&n));
        match body {
            Body::AuthorisationGranted(body) => {
                let (ended, captures, refused, waiting) = (None, 0, 0, 0);
                let granted = Granted { record: index, body, ended, captures, refused, waiting };
                self.granted.insert(index, granted);
            }
            Body::AuthorisationEnded(_) => {
                if let Some(of) = of
                    && of.ended.is_none()
                {
                    of.ended = Some((index, time.to_owned()));
                }
            }
            Body::CaptureMade(body) => {
                if let Some(of) = of {
                    of.captures += 1;
                }
                if !self.is_short {
                    self.last.insert(body.item.clone(), Last::of(index, &body));
                    self.captured.push((index, body));
                }
            }
            Body::CaptureRefused(body) => {
                if let Some(of) = of {
                    of.refused += body.refused;
                }
                let key = (body.granted, body.hour, body.refusal);
                self.counted.entry(key).or_default().push(index);
            }
            _ => {}
        }
    }

    /// The authorisation of that number.
    pub(crate) fn granted(&self, record: u64) -> Result<&Granted> {
        self.granted.get(&record).ok_or_else(|| {
            Error::Asked(format!(
                "record {record} grants no authorisation: `vigie authorise list` shows those that do, `vigie \
                 authorise` makes one"
            ))
        })
    }

    /// The last capture of an item.
    pub(crate) fn last(&self, item: &str) -> Option<Last> {
        self.last.get(item).copied()
    }

    /// True where the refusals of that hour and reason are recorded.
    pub(crate) fn is_counted(&self, granted: u64, hour: &str, refusal: Refusal) -> bool {
        self.counted.contains_key(&(granted, hour.to_owned(), refusal.word().to_owned()))
    }

    /// Refusals that more than one record counts.
    pub(crate) fn counted_twice(&self) -> impl Iterator<Item = &[u64]> {
        self.counted.values().filter(|records| records.len() > 1).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
