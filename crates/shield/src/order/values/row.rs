//! Numbers as they stand in a table: seven bits a byte, the lowest first; and a value's history in them.

use crate::order::state::{History, Past};
use crate::order::turn::End;
use crate::order::words::Moment;

pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The number at the front, in its one writing; what follows it stays.
pub(super) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(first & 0x7f);
        if bits << shift >> shift != bits || (*first == 0 && shift > 0) {
            return None;
        }
        number |= bits << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// So many bytes at the front.
pub(super) fn chunk<'a>(bytes: &mut &'a [u8], len: u64) -> Option<&'a [u8]> {
    let (chunk, rest) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
    *bytes = rest;
    Some(chunk)
}

fn put_moment(out: &mut Vec<u8>, at: Moment) {
    put(out, (at.0 << 1 ^ at.0 >> 63) as u64);
}

fn take_moment(bytes: &mut &[u8]) -> Option<Moment> {
    let zigzag = take(bytes)?;
    Some(Moment((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)))
}

/// released, faults, ended by how; then 0, or how the last block ended (from 1), since when it was, until when
/// (zigzag both).
pub(super) fn put_history(out: &mut Vec<u8>, history: &History) {
    put(out, history.released.into());
    put(out, history.faults.into());
    history.ended.iter().for_each(|count| put(out, (*count).into()));
    match history.last {
        None => put(out, 0),
        Some(past) => {
            put(out, past.how as u64 + 1);
            put_moment(out, past.since);
            put_moment(out, past.until);
        }
    }
}

pub(super) fn take_history(bytes: &mut &[u8]) -> Option<History> {
    let mut history = History {
        released: take(bytes)?.try_into().ok()?,
        faults: take(bytes)?.try_into().ok()?,
        ..History::default()
    };
    for count in &mut history.ended {
        *count = take(bytes)?.try_into().ok()?;
    }
    if let Some(how) = take(bytes)?.checked_sub(1) {
        let how = *End::ALL.get(usize::try_from(how).ok()?)?;
        let (since, until) = (take_moment(bytes)?, take_moment(bytes)?);
        history.last = Some(Past { since, until, how });
    }
    Some(history)
}
