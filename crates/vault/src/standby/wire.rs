//! The frames between a clearing house and its standby. Not a format for others: both ends are of one
//! version, which the first frame says.
//!
//! A frame is `length (u32) ‖ kind (1 byte) ‖ what it says`; all integers big-endian. The standby speaks
//! first; then the house asks and the standby answers each.

use std::io::{self, Read, Write};

use super::Parcel;
use model::{ExhibitId, Sha256Hex};

/// The version of these frames.
pub const VERSION: u8 = 1;
/// The longest frame: a commit of 256 of the greatest commands with its openings.
pub const MAX_FRAME: u32 = 256 << 20;
/// The longest first frame, from who is not known yet.
pub const MAX_HELLO: u32 = 256;
/// The longest piece of an exhibit.
pub const MAX_PIECE: usize = 1 << 20;

/// What a standby says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// By what it is known.
    pub secret: [u8; 32],
    /// Records that it has.
    pub size: u64,
    /// The root over them.
    pub root: Sha256Hex,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The standby's first.
    Hello(Hello),
    /// The house's first: the signed checkpoint of no records.
    Begin(String),
    /// An exhibit comes, of so many bytes.
    Exhibit(ExhibitId, u64),
    /// Whether its bytes are wanted.
    Want(bool),
    /// Bytes of it.
    Piece(Vec<u8>),
    /// Commits.
    Parcel(Parcel),
    /// Nothing new.
    Beat,
    /// The standby has so many records, durable.
    Ack(u64),
    /// No, and why: the connection ends.
    No(String),
}

impl Frame {
    /// As it is sent, with its length.
    ///
    /// # Errors
    /// Longer than [`MAX_FRAME`].
    pub fn write(&self) -> io::Result<Vec<u8>> {
        let mut out = vec![0; 4];
        match self {
            Self::Hello(Hello { secret, size, root }) => {
                out.extend([1, VERSION]);
                out.extend(secret);
                out.extend(size.to_be_bytes());
                out.extend(root.0);
            }
            Self::Begin(note) => text(&mut out, 2, note),
            Self::Exhibit(id, size) => {
                out.push(3);
                out.extend(id.0);
                out.extend(size.to_be_bytes());
            }
            Self::Want(wanted) => out.extend([4, u8::from(*wanted)]),
            Self::Piece(bytes) => {
                out.push(5);
                out.extend(bytes);
            }
            Self::Parcel(parcel) => {
                out.push(6);
                out.extend(parcel.first.to_be_bytes());
                block(&mut out, parcel.checkpoint.as_bytes())?;
                count(&mut out, parcel.entries.len())?;
                parcel.entries.iter().try_for_each(|entry| block(&mut out, entry))?;
                count(&mut out, parcel.openings.len())?;
                for (first, lines) in &parcel.openings {
                    out.extend(first.to_be_bytes());
                    block(&mut out, lines)?;
                }
            }
            Self::Beat => out.push(7),
            Self::Ack(size) => {
                out.push(8);
                out.extend(size.to_be_bytes());
            }
            Self::No(why) => text(&mut out, 9, why),
        }
        let len = u32::try_from(out.len() - 4).ok().filter(|len| *len <= MAX_FRAME);
        let len = len.ok_or_else(|| {
            io::Error::other(format!("{} bytes do not fit into a frame", out.len()))
        })?;
        out.splice(..4, len.to_be_bytes());
        Ok(out)
    }

    /// What a frame says, without its length; `None`: it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let mut rest = Rest(rest);
        let frame = match kind {
            1 => {
                (rest.bytes::<1>()? == [VERSION]).then_some(())?;
                let (secret, size) = (rest.bytes()?, rest.u64()?);
                Self::Hello(Hello { secret, size, root: Sha256Hex(rest.bytes()?) })
            }
            2 => Self::Begin(rest.text()?),
            3 => Self::Exhibit(ExhibitId(rest.bytes()?), rest.u64()?),
            4 => match rest.bytes()? {
                [0] => Self::Want(false),
                [1] => Self::Want(true),
                _ => return None,
            },
            5 => Self::Piece(rest.all().to_vec()),
            6 => {
                let first = rest.u64()?;
                let checkpoint = String::from_utf8(rest.block()?.to_vec()).ok()?;
                // Nothing is set aside for what is announced and not there.
                let mut entries = Vec::new();
                for _ in 0..rest.u32()? {
                    entries.push(rest.block()?.to_vec());
                }
                let mut openings = Vec::new();
                for _ in 0..rest.u32()? {
                    openings.push((rest.u64()?, rest.block()?.to_vec()));
                }
                Self::Parcel(Parcel { first, entries, openings, checkpoint })
            }
            7 => Self::Beat,
            8 => Self::Ack(rest.u64()?),
            9 => Self::No(rest.text()?),
            _ => return None,
        };
        rest.0.is_empty().then_some(frame)
    }

    /// Sends it.
    ///
    /// # Errors
    /// The connection.
    pub fn send(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.write()?)?;
        to.flush()
    }

    /// Takes the next one, of at most `most` bytes; memory grows with what comes, not with what is announced.
    ///
    /// # Errors
    /// The connection, also where it ends; what is no frame.
    pub fn take(from: &mut impl Read, most: u32) -> io::Result<Self> {
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len);
        let odd = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        if len > most {
            return Err(odd("a frame longer than may be"));
        }
        let mut bytes = Vec::new();
        from.take(len.into()).read_to_end(&mut bytes)?;
        if bytes.len() != len as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Self::read(&bytes).ok_or_else(|| odd("what is no frame, or of another version"))
    }
}

fn text(out: &mut Vec<u8>, kind: u8, text: &str) {
    out.push(kind);
    out.extend(text.as_bytes());
}

fn count(out: &mut Vec<u8>, n: usize) -> io::Result<()> {
    let n = u32::try_from(n).map_err(|_| io::Error::other("more than fit into a frame"))?;
    out.extend(n.to_be_bytes());
    Ok(())
}

fn block(out: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    count(out, bytes.len())?;
    out.extend(bytes);
    Ok(())
}

/// What is still to be read of a frame.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.bytes().map(u64::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_be_bytes)
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        let (block, rest) = self.0.split_at_checked(len as usize)?;
        self.0 = rest;
        Some(block)
    }

    fn all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.all().to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..60);
        let openings = prop::collection::vec((any::<u64>(), bytes()), 0..4);
        let parcel = (any::<u64>(), prop::collection::vec(bytes(), 0..4), openings, ".{0,40}");
        prop_oneof![
            (any::<[u8; 32]>(), any::<u64>(), any::<[u8; 32]>()).prop_map(
                |(secret, size, root)| Frame::Hello(Hello { secret, size, root: Sha256Hex(root) })
            ),
            ".{0,40}".prop_map(Frame::Begin),
            (any::<[u8; 32]>(), any::<u64>())
                .prop_map(|(id, size)| Frame::Exhibit(ExhibitId(id), size)),
            any::<bool>().prop_map(Frame::Want),
            bytes().prop_map(Frame::Piece),
            parcel.prop_map(|(first, entries, openings, checkpoint)| {
                Frame::Parcel(Parcel { first, entries, openings, checkpoint })
            }),
            Just(Frame::Beat),
            any::<u64>().prop_map(Frame::Ack),
            ".{0,40}".prop_map(Frame::No),
        ]
    }

    proptest! {
        #[test]
        fn a_frame_is_read_as_it_was_sent(frame in frames(), cut in any::<prop::sample::Index>()) {
            let sent = frame.write().unwrap();
            prop_assert_eq!(&Frame::take(&mut &sent[..], MAX_FRAME).unwrap(), &frame);
            prop_assert_eq!(Frame::read(&sent[4..]).unwrap().write().unwrap(), sent.clone());
            let cut = cut.index(sent.len());
            prop_assert!(Frame::take(&mut &sent[..cut], MAX_FRAME).is_err());
            if sent.len() > MAX_HELLO as usize + 4 {
                prop_assert!(Frame::take(&mut &sent[..], MAX_HELLO).is_err());
            }
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(frame) = Frame::read(&bytes) {
                prop_assert_eq!(&frame.write().unwrap()[4..], &bytes[..]);
            }
        }
    }

    #[test]
    fn a_frame_that_announces_much_costs_nothing() {
        let mut long = vec![0xff; 4];
        long.extend([5; 100]);
        assert!(Frame::take(&mut &long[..], MAX_FRAME).is_err());
        let mut announced = vec![6; 1];
        announced.extend([0; 8]);
        announced.extend([0xff, 0xff, 0xff, 0xff]);
        assert_eq!(Frame::read(&announced), None);
    }
}
