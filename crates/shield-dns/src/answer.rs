//! A request in, an answer out: pure, without sockets and clock.

use std::sync::Arc;

use domain::base::iana::{Class, Opcode, OptRcode, Rcode, Rtype};
use domain::base::message_builder::PushError;
use domain::base::{Message, ParsedName, Serial};
use domain::rdata::Soa;

use crate::access::{Access, Asker, Want};
use crate::transfer::Transfer;
use crate::tsig::{Signer, verify};
use crate::wire::{Packer, Piece, begin, push};
use crate::zone::Snapshot;
use crate::zones::View;

/// The longest request read, in bytes: a question, a serial, EDNS and a signature need a few hundred.
pub const MAX_REQUEST: usize = 4_096;

/// What is sent back.
pub enum Reply {
    /// Nothing: it was no request.
    Nothing,
    /// One message.
    Message(Vec<u8>),
    /// A zone, or a step of it, message by message; and who takes it.
    Transfer(Box<Transfer>, Asker),
}

/// Answers one request. `udp` tells whether it came alone in a datagram; the asker's key is found
/// here. `now` is in Unix seconds.
///
/// - SOA: the zone's. AXFR (RFC 5936): the zone, over TCP alone. IXFR (RFC 1995): the step from the
///   client's serial if the log reaches back to it and it is smaller than the zone, otherwise the
///   zone; the SOA alone if nothing is newer, or over UDP, where it says by itself to come over TCP.
/// - NOTAUTH: no such zone here, or a wrong signature. REFUSED: not for this client, or something
///   beside these three. NOTIMP: no query. FORMERR: not understood. BADVERS: an EDNS of the future.
pub fn answer(
    request: &[u8],
    mut asker: Asker,
    udp: bool,
    view: &View,
    access: &Access,
    now: u64,
) -> Reply {
    if request.len() > MAX_REQUEST {
        return Reply::Nothing;
    }
    // A message that is no request is not answered: two servers could answer one another for ever.
    let Ok(mut message) = Message::from_octets(request.to_vec()) else { return Reply::Nothing };
    if message.header().qr() {
        return Reply::Nothing;
    }
    // First the signature: the answers to all that follows carry one, too.
    let signer = match verify(access.keys(), &mut message, now) {
        Ok(signer) => signer,
        Err(refusal) if refusal.is_empty() => return Reply::Nothing,
        Err(refusal) => return Reply::Message(refusal),
    };
    asker.key = signer.as_ref().map(|signer| signer.key().clone());
    let mut answering = Answering { edns: false, limit: udp.then_some(512), message, signer, now };
    match answering.decide(&asker, udp, view, access) {
        Ok(Found::Transfer(zone, step)) => {
            let Answering { edns, message, signer, .. } = answering;
            Reply::Transfer(Box::new(Transfer::new(zone, step, message, signer, edns)), asker)
        }
        Ok(Found::Soa(zone)) => answering.reply(OptRcode::NOERROR, Some(&zone)),
        Err(rcode) => answering.reply(rcode, None),
    }
}

enum Found {
    Soa(Arc<Snapshot>),
    Transfer(Arc<Snapshot>, Option<(Serial, crate::names::Delta)>),
}

struct Answering {
    message: Message<Vec<u8>>,
    signer: Option<Signer>,
    edns: bool,
    /// The longest answer in a datagram: 512 bytes (RFC 1035, 4.2.1), or what EDNS says.
    limit: Option<usize>,
    now: u64,
}

impl Answering {
    fn decide(
        &mut self,
        asker: &Asker,
        udp: bool,
        view: &View,
        access: &Access,
    ) -> Result<Found, OptRcode> {
        let message = &self.message;
        let malformed = |_| OptRcode::FORMERR;
        if message.header().opcode() != Opcode::QUERY {
            return Err(OptRcode::NOTIMP);
        }
        let question = message.sole_question().map_err(malformed)?;
        if message.header_counts().ancount() > 0 {
            return Err(OptRcode::FORMERR);
        }
        // All sections are well formed, or nothing is taken from any.
        for record in message.additional().map_err(malformed)? {
            record.map_err(malformed)?;
        }
        if let Some(opt) = message.opt() {
            self.edns = true;
            self.limit = self.limit.map(|least| least.max(opt.udp_payload_size().into()));
            if opt.version() > 0 {
                return Err(OptRcode::BADVERS);
            }
        }
        if question.qclass() != Class::IN {
            return Err(OptRcode::REFUSED);
        }
        let kind = question.qtype();
        if ![Rtype::SOA, Rtype::AXFR, Rtype::IXFR].contains(&kind) {
            return Err(OptRcode::REFUSED);
        }
        let Some(zone) = view.zone(question.qname()) else {
            let inside = kind == Rtype::SOA && view.holds(question.qname());
            return Err(if inside { OptRcode::REFUSED } else { OptRcode::NOTAUTH });
        };
        let want = if kind == Rtype::SOA || udp { Want::Serial } else { Want::Zone };
        let Some(client) = access.client(asker, zone.origin(), want) else {
            return Err(OptRcode::REFUSED);
        };
        // Its own, where it has such: the origins are the same.
        let zone = view.of(client).0.zone(question.qname()).unwrap_or(zone);
        let zone = Arc::clone(zone);
        match kind {
            Rtype::SOA => Ok(Found::Soa(zone)),
            // RFC 5936, 4.2: AXFR over UDP is not defined.
            Rtype::AXFR if udp => Err(OptRcode::FORMERR),
            Rtype::AXFR => Ok(Found::Transfer(zone, None)),
            _ => {
                let mut records = message.authority().map_err(malformed)?;
                let record = records.next().ok_or(OptRcode::FORMERR)?.map_err(malformed)?;
                let soa = record.into_record::<Soa<ParsedName<&[u8]>>>().map_err(malformed)?;
                let from = soa.ok_or(OptRcode::FORMERR)?.data().serial();
                if udp || from >= zone.serial() {
                    return Ok(Found::Soa(zone));
                }
                // A step that moves more names than the zone holds is longer than the zone.
                let step = zone.since(from).filter(|step| step.len() <= zone.len().max(1));
                Ok(Found::Transfer(zone, step.map(|step| (from, step))))
            }
        }
    }

    /// One message: the zone's SOA, or an error; or that it takes TCP.
    fn reply(self, rcode: OptRcode, soa: Option<&Snapshot>) -> Reply {
        let fits = |made: &Vec<u8>| self.limit.is_none_or(|limit| made.len() <= limit);
        match self.compose(rcode, soa, false) {
            Ok(made) if fits(&made) => Reply::Message(made),
            _ => self.compose(rcode, None, true).map_or(Reply::Nothing, Reply::Message),
        }
    }

    fn compose(
        &self,
        rcode: OptRcode,
        soa: Option<&Snapshot>,
        truncated: bool,
    ) -> Result<Vec<u8>, PushError> {
        let mut answer = begin(Packer::default()).start_error(&self.message, Rcode::NOERROR);
        answer.header_mut().set_rcode(rcode.rcode());
        answer.header_mut().set_tc(truncated);
        if let Some(zone) = soa {
            answer.header_mut().set_aa(true);
            push(&mut answer, &zone.apex, Piece::Soa(zone.serial()))?;
        }
        let mut message = answer.additional();
        if self.edns {
            message.opt(|opt| {
                opt.set_rcode(rcode);
                Ok(())
            })?;
        }
        if let Some(mut signer) = self.signer.clone() {
            signer.sign(&mut message, self.now)?;
        }
        Ok(message.finish().into_bytes())
    }
}
