//! Commands become records: pure checks against the state, then what is to be written.

use std::ops::Range;

use model::record::{Body, PrivilegeMarked, PrivilegeReleased, SecretRevealed, TicketReported};
use model::{ExhibitId, Reference, Span};

use crate::capture;
use crate::custody::{Act, Custody, Known};
use crate::desk::{Desk, Place};
use crate::open::{Opened, Work};
use crate::{Error, Result, tickets};

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An exhibit is privileged (a lawyer's, a doctor's): it, and what is inside it, is hidden from
    /// views and search until it is released.
    MarkPrivileged {
        /// The exhibit.
        exhibit: ExhibitId,
        /// Why.
        reason: String,
    },
    /// A privileged exhibit is released.
    Release {
        /// The exhibit.
        exhibit: ExhibitId,
        /// Why.
        reason: String,
    },
    /// Masked values are to be shown.
    Reveal {
        /// Why.
        reason: String,
        /// What was asked for, in the words of the command or the page.
        query: String,
        /// The one value, where it is one.
        span: Option<Span>,
    },
    /// A time stamp that was verified is to be kept.
    KeepStamp {
        /// The record that keeps it.
        stamp: Box<Body>,
    },
    /// Something of people or custody is to be recorded.
    Custody(Act),
    /// An authorisation is granted or ended.
    Authorise(capture::Act),
    /// What the case holds led to a ticket at a clearing house.
    Ticket(Box<TicketReported>),
}

/// What decisions look at.
pub trait State {
    /// Whether an exhibit is marked privileged itself; `None` where the case has none such.
    fn privileged(&self, exhibit: &ExhibitId) -> Result<Option<bool>>;
    /// People, items and hand-overs.
    fn custody(&self) -> Result<Custody>;
    /// Authorisations, and the key that signs the log.
    fn authorisations(&self) -> Result<(capture::Book, ledger::VerifierKey)>;
    /// Now: milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;
    /// The origin of the case's log, and its records.
    fn log(&self) -> (&str, u64);
    /// What is recorded of the ticket that a clearing house's record took.
    fn reported(&self, house: &Reference) -> Result<Vec<TicketReported>>;
}

/// The records that a command leads to.
///
/// # Errors
/// [`Error::Asked`] where it may not, or makes no sense.
pub fn decide(state: &dyn State, command: &Command, actor: &str) -> Result<Vec<Body>> {
    crate::permit::may(actor, command)?;
    let marked = |exhibit: &ExhibitId| {
        state
            .privileged(exhibit)?
            .ok_or_else(|| Error::NotFound { what: format!("the exhibit {exhibit}") })
    };
    Ok(vec![match command {
        Command::KeepStamp { stamp } => stamp.as_ref().clone(),
        Command::Custody(act) => {
            let exhibit = |id: &ExhibitId| Ok(state.privileged(id)?.is_some());
            let known =
                Known { custody: state.custody()?, now_ms: state.now_ms(), exhibit: &exhibit };
            return Ok(crate::custody::decide(&known, act)?.into_iter().collect());
        }
        Command::Authorise(act) => {
            let (book, log_key) = state.authorisations()?;
            let known = capture::Known { book, now_ms: state.now_ms(), log_key };
            return Ok(capture::decide(&known, act)?.into_iter().collect());
        }
        Command::Ticket(asked) => {
            let exhibit = |id: &ExhibitId| Ok(state.privileged(id)?.is_some());
            let (origin, records) = state.log();
            let reported = state.reported(&asked.house)?;
            let known = tickets::Known { origin, records, exhibit: &exhibit, reported };
            return Ok(tickets::decide(&known, asked)?.into_iter().collect());
        }
        Command::MarkPrivileged { exhibit, reason } => {
            if marked(exhibit)? {
                return Ok(Vec::new());
            }
            PrivilegeMarked { exhibit: *exhibit, reason: reason.clone() }.into()
        }
        Command::Release { exhibit, reason } => {
            if !marked(exhibit)? {
                let why = "is not marked privileged itself; release what it is inside of";
                return Err(Error::Asked(format!("the exhibit {exhibit} {why}")));
            }
            PrivilegeReleased { exhibit: *exhibit, reason: reason.clone() }.into()
        }
        Command::Reveal { reason, query, span } => SecretRevealed {
            reason: reason.clone(),
            query: query.clone(),
            exhibit: span.map(|s| s.exhibit),
            start: span.map(|s| s.start),
            end: span.map(|s| s.end),
        }
        .into(),
    }])
}

impl State for Desk {
    fn privileged(&self, exhibit: &ExhibitId) -> Result<Option<bool>> {
        use rusqlite::OptionalExtension;
        let views = self.views.as_ref().ok_or(Error::Cancelled)?;
        let mut query = views.db.prepare_cached("SELECT privileged FROM exhibit WHERE id = ?")?;
        Ok(query.query_row([exhibit.0.as_slice()], |row| row.get(0)).optional()?)
    }

    fn custody(&self) -> Result<Custody> {
        Custody::of_views(&self.views.as_ref().ok_or(Error::Cancelled)?.db)
    }

    fn authorisations(&self) -> Result<(capture::Book, ledger::VerifierKey)> {
        Ok((capture::Book::of(&self.case)?, self.case.signer()?.verifier()))
    }

    fn now_ms(&self) -> i64 {
        crate::desk::now_ms()
    }

    fn log(&self) -> (&str, u64) {
        (self.case.origin(), self.case.len())
    }

    fn reported(&self, house: &Reference) -> Result<Vec<TicketReported>> {
        let views = self.views.as_ref().ok_or(Error::Cancelled)?;
        tickets::of_house(&views.db, &self.case, house)
    }
}

impl Desk {
    /// Does what a command asks: checks, records, views. Gives the indices of its records.
    ///
    /// # Errors
    /// What [`decide`] refuses; the disk.
    pub fn command(&mut self, command: &Command) -> Result<Range<u64>> {
        let records = decide(self, command, &self.place.actor.clone())?;
        self.commit(records)
    }
}

/// Opens the case, does what the command asks, and brings the views up to it: what was released is
/// read, what was hidden is gone from every count.
///
/// # Errors
/// As for [`Desk::command`] and [`crate::open::open`].
pub fn command(place: &Place, command: &Command, work: &Work) -> Result<Opened> {
    Ok(recorded(place, command, work)?.1)
}

/// As [`command()`], with the indices of the records that it led to: none where the log says it
/// already.
///
/// # Errors
/// As [`command()`].
pub fn recorded(place: &Place, command: &Command, work: &Work) -> Result<(Range<u64>, Opened)> {
    let mut desk = Desk::open(place)?;
    let done = desk
        .command(command)
        .and_then(|records| Ok((records, crate::open::refresh(&mut desk, work)?)));
    let closed = desk.close();
    let done = done?;
    closed?;
    Ok(done)
}
