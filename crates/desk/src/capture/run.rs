//! A capture from end to end: the probe in hand, the authorisation read, the world asked, what came back
//! sealed before anything reads it, and one record that the probe signed.
//!
//! The case's lock is not held while the world answers: others may write meanwhile. What is recorded of a
//! capture is what was so when it left.

use std::ops::Range;
use std::path::Path;

use collect::home::{Counted, ProbeHome, random, refused};
use collect::probe::{Probe, ProbeError, Roots, now_ms, resolver_of};
use collect::{Bounds, Capture, Item, Plan, statement};
use ledger::SigningKey;
use model::ExhibitId;
use model::record::{Body, CaptureMade, CaptureRefused, Name, time_text};
use vault::{Case, Origin, Stamp};

use super::{Act, Book, Granted, Step};
use crate::decide::Command;
use crate::desk::{Desk, Place};
use crate::open::Work;
use crate::{Error, Result};

/// What is to be captured.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Under which authorisation: the record that granted it.
    pub granted: u64,
    /// The items.
    pub items: &'a [Item],
    /// Who is asked for addresses.
    pub resolver: std::net::SocketAddr,
    /// How far it goes.
    pub bounds: Bounds,
}

/// What became of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It is recorded.
    Recorded {
        /// The record.
        record: u64,
        /// The WARC.
        exhibit: ExhibitId,
    },
    /// The same was seen as the last time: no new record, and the WARC is not kept.
    Unchanged {
        /// The record of the last time.
        since: u64,
        /// The WARC of the last time.
        exhibit: ExhibitId,
    },
    /// Nothing left: all of it was outside the authorisation.
    Refused,
}

/// A capture and what became of it.
#[derive(Debug)]
pub struct Done {
    /// What was seen.
    pub capture: Capture,
    /// What became of it.
    pub came: Came,
}

impl From<ProbeError> for Error {
    fn from(error: ProbeError) -> Self {
        match error {
            ProbeError::Ledger(error) => error.into(),
            ProbeError::System(error) => {
                Self::Beside(format!("the probe could not be set up: {error}"))
            }
        }
    }
}

/// The resolver that this machine uses.
///
/// # Errors
/// It names none.
pub fn resolver() -> Result<std::net::SocketAddr> {
    let conf = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    resolver_of(&conf).ok_or_else(|| {
        Error::Asked(
            "/etc/resolv.conf names no resolver: name one with --resolver ADDRESS".to_owned(),
        )
    })
}

/// What verifies the signatures of this home's probe; its key is made where there is none.
///
/// # Errors
/// The disk; another holds the probe.
pub fn probe_key(place: &Place) -> Result<String> {
    crate::permit::may_capture(&place.actor)?;
    Ok(ProbeHome::open(&place.home, &place.holder, place.wait)?.verifier()?.text())
}

/// Every authorisation of a case, by number.
///
/// # Errors
/// The case cannot be read.
pub fn list(case: &Path, home: &Path) -> Result<Vec<Granted>> {
    let book = Book::of(&Case::read(case)?)?;
    let waiting = refused(home)?;
    let count = |of: Granted| Granted { waiting: waiting.waiting(&book.origin, of.record), ..of };
    Ok(book.granted.values().cloned().map(count).collect())
}

/// Grants an authorisation, or ends one: its refusals so far are counted by records first. Gives the indices
/// of what was recorded; none where the log says it already.
///
/// # Errors
/// What makes no sense; the disk; another holds the probe.
pub fn authorise(place: &Place, act: &Act, work: &Work) -> Result<Range<u64>> {
    let command = Command::Authorise(act.clone());
    crate::permit::may(&place.actor, &command)?;
    let home = ProbeHome::open(&place.home, &place.holder, place.wait)?;
    let mut desk = Desk::open(place)?;
    let done = authorised(&mut desk, &home, &command, act)
        .and_then(|records| crate::open::refresh(&mut desk, work).map(|_| records));
    let closed = desk.close();
    let records = done?;
    closed?;
    Ok(records)
}

fn authorised(
    desk: &mut Desk,
    home: &ProbeHome,
    command: &Command,
    act: &Act,
) -> Result<Range<u64>> {
    let ending = match act {
        Act::Grant(_) => None,
        Act::End { granted, .. } => {
            let book = Book::of(&desk.case)?;
            let of = book.granted(*granted)?;
            Some(of.record).filter(|_| of.ended.is_none())
        }
    };
    settle(desk, home, ending)?;
    desk.command(command)
}

/// Captures items, one after another; `told` is given each before it is begun, and its steps as they come;
/// `done` what became of it, once that is safe.
///
/// # Errors
/// No such authorisation, or one of another probe; the disk. What the world does is no error.
pub fn capture(
    place: &Place,
    ask: &Ask<'_>,
    work: &Work,
    told: &mut dyn FnMut(&Item, Option<&Step>),
    done: &mut dyn FnMut(&Done) -> Result<()>,
) -> Result<()> {
    crate::permit::may_capture(&place.actor)?;
    // Nobody is asked for what could not be recorded then.
    crate::read::known::hold(&place.case)?;
    let home = ProbeHome::open(&place.home, &place.holder, place.wait)?;
    let book = Book::of(&Case::read(&place.case)?)?;
    let granted = book.granted(ask.granted)?;
    let (authorisation, key) = (granted.authorisation()?, home.key()?);
    if key.verifier().text() != granted.body.probe {
        return Err(Error::Asked(format!(
            "the authorisation {} is for the probe {}, and this one is {}: capture there, or grant one for \
             this probe with `vigie authorise`",
            ask.granted,
            granted.body.probe,
            key.verifier().text()
        )));
    }
    let run = Run { place, ask, home: &home, key: &key };
    let probe = Probe::new(ask.resolver, ask.bounds.clone(), Roots::of_machine());
    let pacing = home.pacing()?;
    let mut recorded = false;
    for item in ask.items {
        told(item, None);
        // Another process may have ended it, or captured the same, since the last item.
        let book = Book::of(&Case::read(&place.case)?)?;
        let ended = book.granted(ask.granted)?.ended.is_some();
        let now = now_ms();
        let mut plan =
            Plan::new(item.clone(), authorisation.clone(), ask.bounds.clone(), random()?, now);
        if ended {
            plan.end(now);
        }
        let capture = probe.run(plan, &pacing, &mut |step| told(item, Some(step)))?;
        run.count(&book, &capture)?;
        let came = match book.last(&capture.item) {
            _ if capture.is_empty() => Came::Refused,
            Some(last) if last.content == capture.content() => {
                Came::Unchanged { since: last.record, exhibit: last.exhibit }
            }
            _ => run.record(&capture)?,
        };
        recorded |= matches!(came, Came::Recorded { .. });
        done(&Done { capture, came })?;
    }
    let book = Book::of(&Case::read(&place.case)?)?;
    let due = home.refused()?.due(&book.origin, now_ms(), None);
    if !recorded && due.is_empty() {
        return Ok(());
    }
    let mut desk = Desk::open(place)?;
    let ended = settle(&mut desk, &home, None).and_then(|()| crate::open::refresh(&mut desk, work));
    let closed = desk.close();
    ended?;
    closed
}

/// Records the refusals of hours that are over, or all of one authorisation that ends.
pub(super) fn settle(desk: &mut Desk, home: &ProbeHome, ended: Option<u64>) -> Result<()> {
    let book = Book::of(&desk.case)?;
    let mut tally = home.refused()?;
    let due = tally.due(&book.origin, now_ms(), ended);
    if due.is_empty() {
        return Ok(());
    }
    desk.commit(counted(&book, &due))?;
    tally.drop(&due);
    Ok(home.keep_refused(&tally)?)
}

/// The records that count refusals, those aside that are recorded.
pub(crate) fn counted(book: &Book, due: &[(Counted, u64)]) -> Vec<Body> {
    // A crash may have come between the record and its being taken off the tally.
    let body = |(counted, refused): &(Counted, u64)| -> Option<Body> {
        let hour = time_text(counted.hour_ms);
        if book.is_counted(counted.granted, &hour, counted.refusal) {
            return None;
        }
        let refusal = counted.refusal.word().to_owned();
        Some(CaptureRefused { granted: counted.granted, hour, refusal, refused: *refused }.into())
    };
    due.iter().filter_map(body).collect()
}

struct Run<'a> {
    place: &'a Place,
    ask: &'a Ask<'a>,
    home: &'a ProbeHome,
    key: &'a SigningKey,
}

impl Run<'_> {
    /// Counts what was refused.
    fn count(&self, book: &Book, capture: &Capture) -> Result<()> {
        if capture.refused.is_empty() {
            return Ok(());
        }
        let mut tally = self.home.refused()?;
        for (refusal, times) in &capture.refused {
            tally.add(&book.origin, self.ask.granted, *refusal, capture.started_ms, *times);
        }
        Ok(self.home.keep_refused(&tally)?)
    }

    /// Seals the WARC and records the capture, in one commit.
    fn record(&self, capture: &Capture) -> Result<Came> {
        let mut desk = Desk::open(self.place)?;
        let stamp = desk.stamp();
        let sealed = sealed(&mut desk.case, &stamp, self.ask.granted, self.key, capture);
        let recorded = sealed.and_then(|came| desk.catch_up().map(|()| came));
        let closed = desk.close();
        let came = recorded?;
        closed?;
        Ok(came)
    }
}

/// Seals a capture's WARC and records it, signed by the probe, in one commit.
pub(crate) fn sealed(
    case: &mut Case,
    stamp: &Stamp,
    granted: u64,
    key: &SigningKey,
    capture: &Capture,
) -> Result<Came> {
    let started = time_text(capture.started_ms);
    let staged = case.stager().reader(&mut capture.warc.as_slice())?;
    let exhibit = staged.id();
    let name = format!("capture-{}.warc.gz", started.replace([':', '.'], "-"));
    let origin = Origin {
        source: Some(Name(name.into_bytes())),
        item: Some(capture.item.clone()),
        authorisation: Some(format!("record {granted}")),
        seized_by: Some(key.name().to_owned()),
        at: Some(started.clone()),
        member: None,
    };
    let body = CaptureMade {
        granted,
        started,
        ended: time_text(capture.ended_ms),
        item: capture.item.clone(),
        exhibit,
        outcome: capture.outcome().words(),
        addresses: capture.addresses().iter().map(ToString::to_string).collect(),
        chains: capture.chains().into_iter().collect(),
        requests: capture.requests(),
        media_bytes: capture.media_bytes(),
        content: capture.content(),
        signature: String::new(),
    };
    let body = statement::sign(body, case.origin(), key);
    let mut batch = case.batch();
    batch.seal(staged, &origin)?;
    batch.record(body);
    let records = batch.commit(stamp)?;
    Ok(Came::Recorded { record: records.end - 1, exhibit })
}
