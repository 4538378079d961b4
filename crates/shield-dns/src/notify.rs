//! Telling secondaries that a zone has changed (NOTIFY, RFC 1996): what is to be sent when. Pure: the
//! sockets and the clock are the server's.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use domain::base::iana::{Class, Opcode, Rcode, Rtype};
use domain::base::{Message, Name};
use domain::tsig::ClientTransaction;

use crate::access::Access;
use crate::tsig::{FUDGE, Key, time};
use crate::wire::{Packer, begin};
use crate::zone::{Snapshot, WireName};
use crate::zones::View;

/// How often one message is sent while nobody acknowledges it.
pub const MAX_TRIES: u32 = 7;
/// The wait before the second try, in milliseconds; each further one doubles: after a minute in all
/// the secondary is left to its own refresh.
pub const FIRST_WAIT: u64 = 500;
/// The least time between two messages to one server about one zone, in milliseconds: changes that
/// come faster are told together, with the newest serial.
pub const SPACING: u64 = 20;
/// How long after it found no room for a zone a server is told of it again, in milliseconds.
pub const AGAIN: u64 = 1_000;
/// The messages handed out at once: the rest follow in the next round.
pub const MAX_ROUND: usize = 256;
/// The servers told at most.
pub const MAX_TARGETS: usize = 4_096;

/// What is to be told to one server about one zone.
struct Pending {
    soa: Arc<Snapshot>,
    /// Under which name the zone is the client's own.
    own: Option<String>,
    key: Option<Key>,
    tries: u32,
    /// When the next message goes out; `None` while there is nothing to tell.
    due: Option<u64>,
    /// When the last went out.
    sent: Option<u64>,
    /// By what an acknowledgement of the newest serial is known.
    id: u16,
    signed: Option<ClientTransaction<Key>>,
}

/// A message to send.
pub(crate) struct Notice {
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// What became of a notice, for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was acknowledged.
    Yes,
    /// The server answered that it does not want it.
    Refused(WireName, Rcode),
    /// It is no answer to what was last sent, or not signed as it must be.
    Not,
}

/// All that is to be told. Times are milliseconds of any clock that goes on.
#[derive(Default)]
pub(crate) struct Outbox {
    pending: BTreeMap<(SocketAddr, WireName), Pending>,
    /// How many servers did not acknowledge a serial in [`MAX_TRIES`].
    pub(crate) unheard: u64,
}

impl Outbox {
    /// Takes over who is told and what is served now; whatever serial is new to a server is due.
    /// `id` gives numbers that nobody can guess.
    pub(crate) fn update(
        &mut self,
        view: &View,
        access: &Access,
        now: u64,
        id: &mut dyn FnMut() -> u16,
    ) {
        let mut wanted = HashMap::new();
        let mut targets = 0;
        for client in access.clients() {
            for to in &client.notify {
                targets += 1;
                if targets > MAX_TARGETS {
                    break;
                }
                let (view, own) = view.of(client);
                for zone in view.zones() {
                    let all = client.zones.as_ref();
                    if all.is_none_or(|zones| zones.iter().any(|z| z == zone.origin())) {
                        let place = (*to, zone.origin().clone());
                        wanted.insert(place, (zone, client.keys.first(), own));
                    }
                }
            }
        }
        self.pending.retain(|place, _| wanted.contains_key(place));
        for (place, (zone, key, own)) in wanted {
            let own = own.map(ToOwned::to_owned);
            let before = self.pending.get_mut(&place);
            let known = |p: &&mut Pending| p.soa.serial() == zone.serial() && p.key.as_ref() == key;
            let before = match before {
                Some(pending) if known(&pending) => {
                    pending.own = own;
                    continue;
                }
                before => before,
            };
            let sent = before.and_then(|pending| pending.sent);
            let due = Some(sent.map_or(now, |sent| now.max(sent + SPACING)));
            let (soa, key) = (Arc::clone(zone), key.cloned());
            let fresh = Pending { soa, own, key, tries: 0, due, sent, id: id(), signed: None };
            self.pending.insert(place, fresh);
        }
    }

    /// Takes over a new version of everybody's zone, or of the own one of some clients: the quick way, where the
    /// clients are the same.
    pub(crate) fn changed(
        &mut self,
        of: Option<&str>,
        zone: &Arc<Snapshot>,
        now: u64,
        id: &mut dyn FnMut() -> u16,
    ) {
        for ((_, origin), pending) in &mut self.pending {
            if origin == zone.origin() && pending.own.as_deref() == of {
                pending.soa = Arc::clone(zone);
                pending.due = Some(pending.sent.map_or(now, |sent| now.max(sent + SPACING)));
                (pending.tries, pending.id, pending.signed) = (0, id(), None);
            }
        }
    }

    /// Tells a server once more, as one that asked for the zone when there was no room for it:
    /// secondaries that have no copy yet would else come back by times of their own (BIND after a
    /// minute and more).
    pub(crate) fn again(&mut self, to: SocketAddr, zone: &WireName, at: u64) {
        if let Some(pending) = self.pending.get_mut(&(to, zone.clone())) {
            // Not sooner, even if an earlier message waits for its acknowledgement: one that comes
            // while the failed transfer is still being dealt with there is lost on it.
            pending.due = Some(at);
            pending.tries = 0;
        }
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.pending.values().filter_map(|pending| pending.due).min()
    }

    /// What is due: at most [`MAX_ROUND`] messages. `unix` is in Unix seconds, for the signatures.
    pub(crate) fn due(&mut self, now: u64, unix: u64) -> Vec<Notice> {
        let mut round = Vec::new();
        for ((to, _), pending) in &mut self.pending {
            if round.len() == MAX_ROUND {
                break;
            }
            if pending.due.is_none_or(|due| due > now) {
                continue;
            }
            pending.sent = Some(now);
            if pending.tries == MAX_TRIES {
                pending.due = None;
                self.unheard += 1;
                continue;
            }
            pending.due = Some(now + (FIRST_WAIT << pending.tries));
            pending.tries += 1;
            let (bytes, signed) = pending.compose(unix);
            pending.signed = signed;
            round.push(Notice { to: *to, bytes });
        }
        round
    }

    /// Takes an answer.
    pub(crate) fn answered(&mut self, from: SocketAddr, bytes: &[u8], unix: u64) -> Heard {
        let Ok(mut message) = Message::from_octets(bytes.to_vec()) else { return Heard::Not };
        let header = message.header();
        if !header.qr() || header.opcode() != Opcode::NOTIFY {
            return Heard::Not;
        }
        let first = (from, Name::root_vec());
        for ((_, origin), pending) in
            self.pending.range_mut(first..).take_while(|((to, _), _)| *to == from)
        {
            // Tried, and not yet superseded.
            if pending.id != header.id() || pending.tries == 0 || pending.due.is_none() {
                continue;
            }
            if let Some(signed) = &pending.signed
                && signed.answer(&mut message, time(unix)).is_err()
            {
                return Heard::Not;
            }
            pending.due = None;
            return match header.rcode() {
                Rcode::NOERROR => Heard::Yes,
                rcode => Heard::Refused(origin.clone(), rcode),
            };
        }
        Heard::Not
    }
}

impl Pending {
    /// The message (RFC 1996, 3.7): the zone as question, its SOA as a hint.
    fn compose(&self, unix: u64) -> (Vec<u8>, Option<ClientTransaction<Key>>) {
        let mut builder = begin(Packer::default());
        let header = builder.header_mut();
        header.set_id(self.id);
        header.set_opcode(Opcode::NOTIFY);
        header.set_aa(true);
        let apex = &self.soa.apex;
        let mut question = builder.question();
        // A question and a SOA fit into any message.
        let _ = question.push((&apex.origin, Rtype::SOA, Class::IN));
        let mut answer = question.answer();
        let _ = crate::wire::push(&mut answer, apex, crate::wire::Piece::Soa(self.soa.serial()));
        let mut message = answer.additional();
        let signed = self.key.clone().and_then(|key| {
            ClientTransaction::request_with_fudge(key, &mut message, time(unix), FUDGE).ok()
        });
        (message.finish().into_bytes(), signed)
    }
}
