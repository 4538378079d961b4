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

use crate::note::MAX_CHECKPOINT;
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

/// What stands after the last whole frame of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing.
    None,
    /// What a crash left of a batch that was never committed.
    Torn,
    /// What no crash leaves: a batch that was committed is damaged, and whole ones follow it.
    Damaged,
    /// The same of the last batch.
    Last,
}

/// What is told of [`Rest::Damaged`].
pub(crate) const DAMAGED: &str = "a batch in it is damaged, and whole ones follow it";
/// What is told of [`Rest::Last`].
pub(crate) const LAST: &str =
    "its last batch is damaged, and was not torn by a crash: it is all there";

/// So many zero bytes in a row stand in no batch of records; where a flush did not reach the disk they
/// do.
const ZEROS: usize = 32;

/// What the bytes after the whole frames (`used` of them) are. A frame is durable before the next one
/// begins: so where a whole one follows, or all bytes of the last are there and none was left out, what
/// is wrong is damage.
pub(crate) fn rest(bytes: &[u8], used: usize) -> Rest {
    let rest = bytes.get(used..).unwrap_or_default();
    if rest.is_empty() {
        return Rest::None;
    }
    if follows(rest) {
        return Rest::Damaged;
    }
    let all_there = rest.split_first_chunk::<4>().is_some_and(|(len, rest)| {
        let len = u32::from_be_bytes(*len) as usize;
        rest.split_first_chunk::<32>().is_some_and(|(digest, payload)| {
            // Or the length is what was damaged.
            payload.len() >= len.max(1) || Sha256Hex::of(payload).0 == *digest
        })
    });
    if all_there && !lacks(rest) { Rest::Last } else { Rest::Torn }
}

/// True where something of a frame was never written: a run of zeros, shorter only where a block of the
/// disk ends within its beginning or begins within its end. A length begins with two zeros at most, and
/// no record ends with one.
fn lacks(frame: &[u8]) -> bool {
    let mut at = 0;
    frame.chunk_by(|a, b| (*a == 0) == (*b == 0)).any(|run| {
        let begins = at;
        at += run.len();
        let edge = at == frame.len() || (begins == 0 && run.len() >= 3);
        run[0] == 0 && (run.len() >= ZEROS || edge)
    })
}

/// True where a whole frame begins somewhere after the start. Whoever lays down bytes that look like
/// beginnings without end is told of damage, which it is.
fn follows(rest: &[u8]) -> bool {
    let mut hashed = 0;
    for at in 1..rest.len().saturating_sub(FRAME_LEAST - 1) {
        let here = &rest[at..];
        if !may_begin(here) {
            continue;
        }
        hashed += u32::from_be_bytes([here[0], here[1], here[2], here[3]]) as usize;
        if next(here).is_some() || hashed > rest.len().saturating_mul(4) {
            return true;
        }
    }
    false
}

/// A frame's own bytes: length, digest, first index, count, length of the checkpoint.
const FRAME_LEAST: usize = 4 + 32 + 8 + 4 + 4;

/// True where the lengths at the start of these bytes, which are no fewer than [`FRAME_LEAST`], could be
/// a frame's.
fn may_begin(bytes: &[u8]) -> bool {
    let number = |at: usize| {
        bytes.get(at..at + 4).map_or(0, |b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize)
    };
    let (len, count, checkpoint) = (number(0), number(44), number(48));
    let own = checkpoint.saturating_add(16);
    (1..=MAX_CHECKPOINT).contains(&checkpoint)
        && len <= bytes.len() - 36
        && count.saturating_mul(2).saturating_add(own) <= len
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

    /// As logs have them: records are text, and there is a signed checkpoint.
    fn any_whole() -> impl Strategy<Value = Frame> {
        let entries = prop::collection::vec("[ -~]{1,80}".prop_map(String::into_bytes), 1..5);
        (0..1u64 << 40, entries, "[a-z]{256,300}").prop_map(|(first, entries, checkpoint)| Frame {
            first,
            entries,
            checkpoint,
        })
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

        /// A crash leaves a beginning of a batch, or one in which something was never written; anything
        /// else is damage.
        #[test]
        fn what_a_crash_leaves_is_told_from_damage(
            many in prop::collection::vec(any_whole(), 1..4),
            which in any::<prop::sample::Index>(),
            at in any::<prop::sample::Index>(),
            flip in 1u8..,
        ) {
            let parts: Vec<Vec<u8>> = many.iter().map(encoded).collect();
            let whole = parts.concat();
            prop_assert_eq!(rest(&whole, whole.len()), Rest::None);
            let last = parts.last().unwrap();
            let cut = whole.len() - last.len() + 1 + at.index(last.len() - 1);
            let torn = &whole[..cut];
            prop_assert_eq!(rest(torn, frames(torn).1), Rest::Torn);
            let mut missing = whole.clone();
            let from = whole.len() - last.len() + at.index(last.len());
            missing[from..].fill(0);
            prop_assert_eq!(rest(&missing, frames(&missing).1), Rest::Torn);
            let mut missing = whole.clone();
            let begins = whole.len() - last.len();
            missing[begins..begins + 3 + at.index(last.len() - 3)].fill(0);
            prop_assert_eq!(rest(&missing, frames(&missing).1), Rest::Torn);

            let before: usize = parts[..which.index(parts.len())].iter().map(Vec::len).sum();
            let mut damaged = whole.clone();
            let place = before + at.index(parts[which.index(parts.len())].len());
            damaged[place] ^= flip;
            let (_, used) = frames(&damaged);
            prop_assert!(used <= place);
            // Of the last one's length a change can make it longer than what is there.
            let found = rest(&damaged, used);
            prop_assert!(matches!(found, Rest::Damaged | Rest::Last), "{:?}", found);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, used) = frames(&bytes);
            let _ = rest(&bytes, used);
            let _ = Frame::decode(&bytes);
            let _ = decode_bundle(&bytes);
        }
    }
}
