//! The bytes of an entry.

use crate::{Error, Result};

pub(super) fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(super) fn damaged() -> Error {
    Error::Table("an index is not in its format".to_owned())
}

/// Reads a number from the front of `bytes`.
pub(super) fn take(bytes: &mut &[u8]) -> Result<u64> {
    let mut n = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        n |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Ok(n);
        }
    }
    Err(damaged())
}

/// Appends an entry. `before` is the key of the entry before it in the same block or run.
pub(super) fn put_entry(out: &mut Vec<u8>, before: &[u8], key: &[u8], rows: &[u64]) {
    let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
    put(out, shared as u64);
    put(out, (key.len() - shared) as u64);
    out.extend_from_slice(&key[shared..]);
    put(out, rows.len() as u64);
    let mut last = 0;
    for row in rows {
        put(out, row.wrapping_sub(last));
        last = *row;
    }
}

/// Reads an entry into `key` (which holds the key before) and adds its rows to `rows`.
pub(super) fn take_entry(bytes: &mut &[u8], key: &mut Vec<u8>, rows: &mut Vec<u64>) -> Result<()> {
    let shared = usize::try_from(take(bytes)?).map_err(|_| damaged())?;
    let suffix = usize::try_from(take(bytes)?).map_err(|_| damaged())?;
    if shared > key.len() || suffix > bytes.len() {
        return Err(damaged());
    }
    key.truncate(shared);
    let (head, rest) = bytes.split_at(suffix);
    key.extend_from_slice(head);
    *bytes = rest;
    let count = take(bytes)?;
    if count > bytes.len() as u64 {
        return Err(damaged());
    }
    let mut last = 0u64;
    for _ in 0..count {
        last = last.wrapping_add(take(bytes)?);
        rows.push(last);
    }
    Ok(())
}
