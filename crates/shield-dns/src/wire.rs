//! How records are written into messages (RFC 1035, section 4).

use std::convert::Infallible;

use domain::base::iana::Class;
use domain::base::message_builder::{AnswerBuilder, MessageBuilder, PushError};
use domain::base::wire::Composer;
use domain::base::{Name, Serial, ToName, Ttl};
use domain::dep::octseq::{OctetsBuilder, Truncate};
use domain::rdata::{Cname, Soa};

use crate::zone::Apex;

/// The longest message of a transfer. A pointer of name compression reaches the first 16 KiB, so a
/// longer one would only grow; and it is what one client's connection holds at most.
pub const MAX_MESSAGE: usize = 16 << 10;
/// Room kept for a signature: key name, algorithm name, 64 bytes of MAC, and the fields between.
pub(crate) const SIGNATURE_ROOM: usize = 512;

/// A message under way, with name compression (RFC 1035, 4.1.4) for names that come sorted by their
/// labels from the right: then the name before holds every suffix that can be shared, and one list of
/// places is all that must be remembered. (The library's compressors remember every name.)
#[derive(Default)]
pub(crate) struct Packer {
    bytes: Vec<u8>,
    /// Where each suffix of the last name begins, the shortest first.
    suffixes: Vec<u16>,
}

impl Packer {
    /// Takes over a buffer, so that one serves a whole transfer.
    pub(crate) fn reuse(mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        Self { bytes, suffixes: Vec::new() }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn label_at(&self, at: u16) -> &[u8] {
        match self.bytes.get(usize::from(at)..) {
            Some([len, rest @ ..]) => rest.get(..usize::from(*len)).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// Begins a message.
pub(crate) fn begin(packer: Packer) -> MessageBuilder<Packer> {
    match MessageBuilder::from_target(packer) {
        Ok(builder) => builder,
        Err(never) => match never {},
    }
}

impl AsRef<[u8]> for Packer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Packer {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl OctetsBuilder for Packer {
    type AppendError = Infallible;
    fn append_slice(&mut self, slice: &[u8]) -> Result<(), Infallible> {
        self.bytes.extend_from_slice(slice);
        Ok(())
    }
}

impl Truncate for Packer {
    fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        self.suffixes.retain(|at| usize::from(*at) < len);
    }
}

impl Composer for Packer {
    fn append_compressed_name<N: ToName + ?Sized>(&mut self, name: &N) -> Result<(), Infallible> {
        let labels = name.iter_labels().filter(|label| !label.is_root()).count();
        if labels == 0 {
            return self.append_slice(&[0]);
        }
        let backwards = name.iter_labels().rev().filter(|label| !label.is_root());
        let shared = backwards
            .zip(&self.suffixes)
            .take_while(|(label, at)| label.as_slice().eq_ignore_ascii_case(self.label_at(**at)))
            .count();
        self.suffixes.truncate(shared);
        let pointer = self.suffixes.last().copied();
        for label in name.iter_labels().take(labels - shared) {
            // The longest suffix is written first: shorter ones go before it.
            match u16::try_from(self.bytes.len()) {
                Ok(at @ 0..0x4000) => self.suffixes.insert(shared, at),
                _ => self.suffixes.truncate(shared),
            }
            label.compose(self)?;
        }
        match pointer {
            Some(at) => self.append_slice(&(0xc000 | at).to_be_bytes()),
            None => self.append_slice(&[0]),
        }
    }

    fn can_compress(&self) -> bool {
        true
    }
}

/// One record of a transfer.
#[derive(Clone, Copy)]
pub(crate) enum Piece<'a> {
    /// The zone's start of authority with a serial.
    Soa(Serial),
    /// What a zone holds beside the names, by its place in [`Apex::extras`].
    Extra(usize),
    /// A blocked name, its labels turned round: `name CNAME .`, so NXDOMAIN for that name alone.
    Blocked(&'a [u8]),
}

/// Writes a record behind those that are there.
///
/// # Errors
/// The message has no room for it, and is as it was.
pub(crate) fn push(
    answer: &mut AnswerBuilder<Packer>,
    apex: &Apex,
    piece: Piece<'_>,
) -> Result<(), PushError> {
    let ttl = Ttl::from_secs(apex.timers.ttl);
    match piece {
        Piece::Soa(serial) => answer.push((&apex.origin, Class::IN, ttl, soa(apex, serial))),
        Piece::Extra(at) => match apex.extras.get(at) {
            Some((owner, data)) => answer.push((owner, Class::IN, ttl, data)),
            None => Ok(()),
        },
        Piece::Blocked(turned) => {
            let mut octets = [0; 255];
            match owner(turned, apex.origin.as_slice(), &mut octets) {
                Some(owner) => answer.push((owner, Class::IN, ttl, Cname::new(Name::root_ref()))),
                // Names that do not fit are refused when they come in (`Apex::fits`).
                None => Ok(()),
            }
        }
    }
}

fn soa(apex: &Apex, serial: Serial) -> Soa<&Name<Vec<u8>>> {
    let secs = Ttl::from_secs;
    let t = &apex.timers;
    let (refresh, retry, expire) = (secs(t.refresh), secs(t.retry), secs(t.expire));
    Soa::new(&apex.primary, &apex.contact, serial, refresh, retry, expire, secs(t.ttl))
}

/// The owner of a blocked name's record: the name with the zone's origin behind it.
fn owner<'a>(turned: &[u8], origin: &[u8], octets: &'a mut [u8; 255]) -> Option<&'a Name<[u8]>> {
    let mut at = 0;
    for label in turned.rsplit(|byte| *byte == b'.') {
        *octets.get_mut(at)? = u8::try_from(label.len()).ok()?;
        octets.get_mut(at + 1..at + 1 + label.len())?.copy_from_slice(label);
        at += 1 + label.len();
    }
    octets.get_mut(at..at + origin.len())?.copy_from_slice(origin);
    Name::from_slice(octets.get(..at + origin.len())?).ok()
}
