//! The members of a workbook's zip, as places in its bytes. Read from the directory at the end, or,
//! where the file is cut, from one member's head to the next.

use flate2::{Decompress, FlushDecompress, Status};

/// The most members.
const MAX_MEMBERS: usize = 65_536;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// Deflated; stored otherwise.
    pub(super) deflated: bool,
    /// Encrypted, or packed by another method: not read.
    pub(super) closed: bool,
    pub(super) crc: u32,
    /// Its bytes in the file.
    pub(super) start: usize,
    pub(super) end: usize,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let b = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn size_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, at)?).ok()
}

/// The members, and true where the file's end with its directory is missing.
pub(super) fn members(bytes: &[u8]) -> (Vec<Member>, bool) {
    match directory(bytes) {
        Some(members) => (members, false),
        None => (walk(bytes), true),
    }
}

/// By the directory (APPNOTE 4.3.12 and 4.3.16).
fn directory(bytes: &[u8]) -> Option<Vec<Member>> {
    let tail = bytes.len().saturating_sub(65_557);
    let end = tail + memchr::memmem::rfind(&bytes[tail..], b"PK\x05\x06")?;
    let count = u16_at(bytes, end + 10)?;
    let mut at = size_at(bytes, end + 16)?;
    let mut members = Vec::new();
    for _ in 0..count.min(MAX_MEMBERS) {
        if bytes.get(at..at + 4)? != b"PK\x01\x02" {
            return None;
        }
        let (flags, method) = (u16_at(bytes, at + 8)?, u16_at(bytes, at + 10)?);
        let crc = u32_at(bytes, at + 16)?;
        let packed = size_at(bytes, at + 20)?;
        let (name, extra, comment) =
            (u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)?, u16_at(bytes, at + 32)?);
        let local = size_at(bytes, at + 42)?;
        let name_bytes = bytes.get(at + 46..at + 46 + name)?;
        if bytes.get(local..local + 4)? != b"PK\x03\x04" {
            return None;
        }
        let start = local + 30 + u16_at(bytes, local + 26)? + u16_at(bytes, local + 28)?;
        members.push(Member {
            name: String::from_utf8_lossy(name_bytes).replace('\\', "/"),
            deflated: method == 8,
            closed: flags & 1 != 0 || !matches!(method, 0 | 8),
            crc,
            start: start.min(bytes.len()),
            end: start.saturating_add(packed).min(bytes.len()),
        });
        at += 46 + name + extra + comment;
    }
    Some(members)
}

/// From head to head (APPNOTE 4.3.7).
fn walk(bytes: &[u8]) -> Vec<Member> {
    let mut members = Vec::new();
    let mut at = 0;
    while members.len() < MAX_MEMBERS && bytes.get(at..at + 4) == Some(b"PK\x03\x04") {
        let Some(member) = local(bytes, at) else { break };
        at = member.end;
        // A descriptor with sizes and checksum, with or without its mark.
        if bytes.get(at..at + 4) == Some(b"PK\x07\x08") {
            at += 16;
        } else if bytes.get(at + 12..at + 14) == Some(b"PK") {
            at += 12;
        }
        members.push(member);
    }
    members
}

fn local(bytes: &[u8], at: usize) -> Option<Member> {
    let (flags, method) = (u16_at(bytes, at + 6)?, u16_at(bytes, at + 8)?);
    let crc = u32_at(bytes, at + 14)?;
    let packed = size_at(bytes, at + 18)?;
    let name = u16_at(bytes, at + 26)?;
    let start = at + 30 + name + u16_at(bytes, at + 28)?;
    let name_bytes = bytes.get(at + 30..at + 30 + name)?;
    let rest = bytes.get(start..)?;
    let length =
        if flags & 8 != 0 && packed == 0 && method == 8 { deflated_length(rest) } else { packed };
    Some(Member {
        name: String::from_utf8_lossy(name_bytes).replace('\\', "/"),
        deflated: method == 8,
        closed: flags & 1 != 0 || !matches!(method, 0 | 8),
        crc: if flags & 8 != 0 { 0 } else { crc },
        start,
        end: start.saturating_add(length).min(bytes.len()),
    })
}

/// How many bytes a deflated stream takes; all there are where it does not end.
fn deflated_length(bytes: &[u8]) -> usize {
    let mut state = Decompress::new(false);
    let mut out = vec![0u8; 64 << 10];
    let mut at = 0;
    loop {
        let (before_in, before_out) = (state.total_in(), state.total_out());
        let status = state.decompress(&bytes[at..], &mut out, FlushDecompress::None);
        let taken = usize::try_from(state.total_in() - before_in).unwrap_or(0);
        at += taken;
        match status {
            Ok(Status::StreamEnd) => return at,
            Err(_) => return bytes.len(),
            Ok(_) if taken == 0 && state.total_out() == before_out => return bytes.len(),
            Ok(_) if state.total_out() > super::MAX_MEMBER => return bytes.len(),
            Ok(_) => {}
        }
    }
}
