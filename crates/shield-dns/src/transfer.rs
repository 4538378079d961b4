//! A zone on its way to a client: AXFR (RFC 5936) and IXFR (RFC 1995), message by message.

use std::sync::Arc;

use domain::base::iana::Rcode;
use domain::base::message_builder::{AnswerBuilder, PushError};
use domain::base::{Message, Serial};

use crate::fqdn::Fqdn;
use crate::names::{Cursor, Delta};
use crate::tsig::Signer;
use crate::wire::{MAX_MESSAGE, Packer, Piece, SIGNATURE_ROOM, begin, push};
use crate::zone::Snapshot;

/// Which record comes next.
enum At {
    /// AXFR: SOA, what stands beside the names, the names, SOA.
    Head,
    Extra(usize),
    Names(Cursor),
    /// IXFR: SOA; SOA before, names removed; SOA after, names added; SOA.
    Before,
    Removed(usize),
    After,
    Added(usize),
    Tail,
    Done,
}

/// A transfer under way. It reads one version of the zone, and makes a message only when that is
/// asked for: between two messages it holds one buffer of at most [`MAX_MESSAGE`] bytes.
pub struct Transfer {
    zone: Arc<Snapshot>,
    /// The step of an incremental transfer, and the serial that it begins at.
    step: Option<(Serial, Delta)>,
    at: At,
    request: Message<Vec<u8>>,
    signer: Option<Signer>,
    /// Whether the request had EDNS: so has the first answer, then (RFC 5936, 2.2.5).
    edns: bool,
    buffer: Vec<u8>,
}

impl Transfer {
    pub(crate) fn new(
        zone: Arc<Snapshot>,
        step: Option<(Serial, Delta)>,
        request: Message<Vec<u8>>,
        signer: Option<Signer>,
        edns: bool,
    ) -> Self {
        Self { zone, step, at: At::Head, request, signer, edns, buffer: Vec::new() }
    }

    /// The zone's version.
    pub fn zone(&self) -> &Arc<Snapshot> {
        &self.zone
    }

    /// How many names are sent.
    pub fn names(&self) -> usize {
        self.step.as_ref().map_or(self.zone.len(), |(_, delta)| delta.len())
    }

    /// Whether the whole zone is sent.
    pub fn is_full(&self) -> bool {
        self.step.is_none()
    }

    /// The next message, signed where the request was; `None` behind the last. `now` is in Unix
    /// seconds.
    pub fn next_message(&mut self, now: u64) -> Option<&[u8]> {
        if matches!(self.at, At::Done) {
            return None;
        }
        let packer = Packer::reuse(std::mem::take(&mut self.buffer));
        self.buffer = match self.fill(packer, now) {
            Ok(packer) => packer.into_bytes(),
            // Not one record went into an empty message, which no name of these zones can bring about.
            Err(_) => {
                self.at = At::Done;
                return None;
            }
        };
        Some(&self.buffer)
    }

    /// The answer instead of the transfer, with an error; signed where the request was.
    pub fn refuse(mut self, rcode: Rcode, now: u64) -> Vec<u8> {
        let mut message = begin(Packer::default()).start_error(&self.request, rcode).additional();
        let mut end = || {
            if self.edns {
                message.opt(|_| Ok(()))?;
            }
            self.signer.iter_mut().try_for_each(|signer| signer.sign(&mut message, now))
        };
        // Nothing bounds the message: only a signature of more than 64 KiB could fail.
        if end().is_err() {
            return Vec::new();
        }
        message.finish().into_bytes()
    }

    fn fill(&mut self, packer: Packer, now: u64) -> Result<Packer, PushError> {
        let mut answer = begin(packer).start_answer(&self.request, Rcode::NOERROR)?;
        answer.header_mut().set_aa(true);
        answer.set_push_limit(MAX_MESSAGE - SIGNATURE_ROOM);
        let mut records = 0;
        while let Some(()) = self.push_current(&mut answer).or_else(|full| {
            // What has no room here begins the next message.
            if records > 0 { Ok(None) } else { Err(full) }
        })? {
            records += 1;
            self.advance();
        }
        answer.clear_push_limit();
        let mut message = answer.additional();
        if std::mem::take(&mut self.edns) {
            message.opt(|_| Ok(()))?;
        }
        if let Some(signer) = &mut self.signer {
            signer.sign(&mut message, now)?;
        }
        Ok(message.finish())
    }

    /// Writes the record that comes next; `None` behind the last.
    fn push_current(&self, answer: &mut AnswerBuilder<Packer>) -> Result<Option<()>, PushError> {
        let step = self.step.as_ref();
        let piece = match &self.at {
            At::Head | At::After | At::Tail => Some(Piece::Soa(self.zone.serial())),
            At::Before => step.map(|(from, _)| Piece::Soa(*from)),
            At::Extra(n) => Some(Piece::Extra(*n)),
            At::Names(cursor) => cursor.current().map(Piece::Blocked),
            At::Removed(n) => step.and_then(|(_, delta)| blocked(&delta.removed, *n)),
            At::Added(n) => step.and_then(|(_, delta)| blocked(&delta.added, *n)),
            At::Done => None,
        };
        piece.map(|piece| push(answer, &self.zone.apex, piece)).transpose()
    }

    fn advance(&mut self) {
        let zone = &self.zone;
        if let At::Names(cursor) = &mut self.at {
            cursor.advance(&zone.names);
            if cursor.current().is_none() {
                self.at = At::Tail;
            }
            return;
        }
        let (removed, added) = match &self.step {
            Some((_, delta)) => (delta.removed.len(), delta.added.len()),
            None => (0, 0),
        };
        let extra = |next| match next {
            next if next < zone.apex.extras.len() => At::Extra(next),
            _ if zone.is_empty() => At::Tail,
            _ => At::Names(zone.names.cursor()),
        };
        self.at = match self.at {
            At::Head if self.step.is_some() => At::Before,
            At::Head => extra(0),
            At::Extra(n) => extra(n + 1),
            At::Before if removed > 0 => At::Removed(0),
            At::Removed(n) if n + 1 < removed => At::Removed(n + 1),
            At::Before | At::Removed(_) => At::After,
            At::After if added > 0 => At::Added(0),
            At::Added(n) if n + 1 < added => At::Added(n + 1),
            At::After | At::Added(_) => At::Tail,
            At::Names(_) | At::Tail | At::Done => At::Done,
        };
    }
}

fn blocked(names: &[Fqdn], at: usize) -> Option<Piece<'_>> {
    names.get(at).map(|name| Piece::Blocked(name.turned()))
}
