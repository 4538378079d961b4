//! The journal: batches that are committed, but whose tiles may not stand yet.
//!
//! A frame is `length (4 bytes) ‖ SHA-256 of the payload ‖ payload`; a payload is `first index (8) ‖
//! count (4) ‖ length of the checkpoint (4) ‖ signed checkpoint after the batch ‖ entries, each with
//! its length (2) before it`. All integers big-endian. One flush of a frame commits its batch. What
//! follows the last whole frame was never committed.
//!
//! There are two, in turn: while the tiles of what one holds are written, batches go to the other.
//! The frames of both together are in the order of their first indices.

use std::path::{Path, PathBuf};

use model::Sha256Hex;

use crate::store::{decode_bundle, encode_entry};

/// The most that the payloads of a batch may hold, in bytes.
pub(crate) const MAX_BATCH: usize = 256 << 20;

/// One committed batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) first: u64,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) checkpoint: String,
}

/// The frame of a batch. Appending bounds entries and batch, and a checkpoint is short: casts hold.
pub(crate) fn encode(first: u64, entries: &[Vec<u8>], checkpoint: &str) -> Vec<u8> {
    let bytes: usize = entries.iter().map(|entry| entry.len() + 2).sum();
    let mut out = Vec::with_capacity(52 + checkpoint.len() + bytes);
    out.resize(36, 0);
    out.extend_from_slice(&first.to_be_bytes());
    out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    out.extend_from_slice(&(checkpoint.len() as u32).to_be_bytes());
    out.extend_from_slice(checkpoint.as_bytes());
    entries.iter().for_each(|entry| encode_entry(&mut out, entry));
    let (len, digest) = ((out.len() - 36) as u32, Sha256Hex::of(&out[36..]).0);
    out[..4].copy_from_slice(&len.to_be_bytes());
    out[4..36].copy_from_slice(&digest);
    out
}

impl Frame {
    fn decode(payload: &[u8]) -> Option<Self> {
        let (first, rest) = payload.split_first_chunk::<8>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (len, rest) = rest.split_first_chunk::<4>()?;
        let (checkpoint, entries) = rest.split_at_checked(u32::from_be_bytes(*len) as usize)?;
        let entries = decode_bundle(entries)?;
        (entries.len() == u32::from_be_bytes(*count) as usize).then_some(())?;
        Some(Self {
            first: u64::from_be_bytes(*first),
            entries,
            checkpoint: String::from_utf8(checkpoint.to_vec()).ok()?,
        })
    }
}

/// The whole frames at the journal's start, and how many bytes they take.
pub(crate) fn frames(bytes: &[u8]) -> (Vec<Frame>, usize) {
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some((frame, len)) = next(&bytes[at..]) {
        out.push(frame);
        at += len;
    }
    (out, at)
}

fn next(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let payload = rest.get(..u32::from_be_bytes(*len) as usize)?;
    (Sha256Hex::of(payload).0 == *digest).then_some(())?;
    Some((Frame::decode(payload)?, 36 + payload.len()))
}

/// The whole frames of both journals in order, each with the name of its journal.
pub(crate) fn together(journals: &[(PathBuf, Vec<u8>)]) -> Vec<(&Path, Frame)> {
    let mut out: Vec<(&Path, Frame)> = journals
        .iter()
        .flat_map(|(path, bytes)| frames(bytes).0.into_iter().map(|frame| (path.as_path(), frame)))
        .collect();
    out.sort_by_key(|(_, frame)| frame.first);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_frame() -> impl Strategy<Value = Frame> {
        (
            any::<u64>(),
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..5),
            ".{0,40}",
        )
            .prop_map(|(first, entries, checkpoint)| Frame { first, entries, checkpoint })
    }

    fn encoded(frame: &Frame) -> Vec<u8> {
        encode(frame.first, &frame.entries, &frame.checkpoint)
    }

    proptest! {
        /// A journal torn anywhere gives its whole frames and nothing else.
        #[test]
        fn a_torn_journal_gives_its_whole_frames(frames_in in prop::collection::vec(any_frame(), 0..4), cut in any::<prop::sample::Index>()) {
            let parts: Vec<Vec<u8>> = frames_in.iter().map(encoded).collect();
            let bytes = parts.concat();
            let cut = cut.index(bytes.len() + 1);
            let (read, used) = frames(&bytes[..cut]);
            let mut end = 0;
            let whole = parts.iter().take_while(|p| { end += p.len(); end <= cut }).count();
            prop_assert_eq!(&read[..], &frames_in[..whole]);
            prop_assert_eq!(used, parts[..whole].iter().map(Vec::len).sum::<usize>());
        }

        #[test]
        fn mutations_never_invent(frame in any_frame(), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let mut bytes = encoded(&frame);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let (read, _) = frames(&bytes);
            prop_assert!(read.is_empty());
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = frames(&bytes);
            let _ = Frame::decode(&bytes);
            let _ = decode_bundle(&bytes);
        }
    }
}
