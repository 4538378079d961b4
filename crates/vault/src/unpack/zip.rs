//! zip: by its central directory; where that is missing or damaged, by the local headers, one after
//! another. Names are taken as bytes; two members of one name are two members.

use std::io::{self, BufReader, ErrorKind, Read, SeekFrom};

use model::ProblemKind;

use super::stream::{MAX_WINDOW, ZstFrames};
use super::{Context, Given, Next, Source, read_at, shown};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";

struct Entry {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    offset: u64,
    is_link: bool,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

pub(super) fn unpack<E>(source: &mut dyn Source, cx: &mut Context<'_, E>) -> Result<(), E> {
    let Some(directory) = directory(source, cx.size) else {
        let message = "the directory at its end is missing: read by its local headers".to_owned();
        cx.problem(cx.size, cx.size, ProblemKind::Truncated, false, message);
        return by_local_headers(source, cx, 0);
    };
    let (entries, shift) = match entries(source, &directory, cx) {
        Some(found) => found,
        None => {
            let message = "its directory is damaged: read by its local headers".to_owned();
            cx.problem(directory.start, directory.end, ProblemKind::Syntax, false, message);
            return by_local_headers(source, cx, 0);
        }
    };
    for entry in entries {
        let start = entry.offset.saturating_add(shift);
        let local = read_at(source, start, 30).filter(|l| l.starts_with(&LOCAL));
        let Some(local) = local else {
            let message = format!("{} is not where the directory says", shown(&entry.name));
            cx.problem(start, start, ProblemKind::Integrity, true, message);
            continue;
        };
        let header = 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        if give(source, cx, entry, start, start + header)?.0 == Next::Stop {
            break;
        }
    }
    Ok(())
}

/// Where the central directory is, as its end record says.
struct Directory {
    /// As stated, before any shift.
    stated: u64,
    /// Where it must begin to end where the end record begins.
    start: u64,
    end: u64,
    count: u64,
}

fn directory(source: &mut dyn Source, size: u64) -> Option<Directory> {
    // The end record is 22 bytes and a comment of at most 65,535; something may follow it.
    let tail_len = size.min(22 + 65_535 + 1024);
    let tail_at = size - tail_len;
    let tail = read_at(source, tail_at, tail_len as usize)?;
    let at = (0..tail.len().checked_sub(21)?).rev().find(|at| {
        tail[*at..].starts_with(&END) && at + 22 + usize::from(u16_at(&tail, at + 20)) <= tail.len()
    })?;
    let mut end = tail_at + at as u64;
    let (mut count, mut len, mut stated) = (
        u64::from(u16_at(&tail, at + 10)),
        u64::from(u32_at(&tail, at + 12)),
        u64::from(u32_at(&tail, at + 16)),
    );
    if let Some(locator_at) = end.checked_sub(20)
        && let Some(locator) = read_at(source, locator_at, 20)
        && locator.starts_with(&LOCATOR_64)
    {
        // With something before the archive the stated place is off: try right before the locator.
        for place in [Some(u64_at(&locator, 8)), locator_at.checked_sub(56)].into_iter().flatten() {
            if let Some(end_64) = read_at(source, place, 56).filter(|b| b.starts_with(&END_64)) {
                (count, len, stated) =
                    (u64_at(&end_64, 32), u64_at(&end_64, 40), u64_at(&end_64, 48));
                end = place;
                break;
            }
        }
    }
    Some(Directory { stated, start: end.checked_sub(len)?, end, count })
}

/// The directory's entries, and by how much all offsets are off.
fn entries<E>(
    source: &mut dyn Source,
    directory: &Directory,
    cx: &mut Context<'_, E>,
) -> Option<(Vec<Entry>, u64)> {
    let begins = |source: &mut dyn Source, at| {
        directory.count == 0 || read_at(source, at, 4).is_some_and(|b| b == CENTRAL)
    };
    let (start, shift) = if begins(source, directory.start) {
        (directory.start, directory.start.saturating_sub(directory.stated))
    } else if begins(source, directory.stated) {
        (directory.stated, 0)
    } else {
        return None;
    };
    source.seek(SeekFrom::Start(start)).ok()?;
    let mut input = BufReader::new(source.take(directory.end.saturating_sub(start)));
    let mut out = Vec::new();
    let mut fixed = [0; 46];
    while input.read_exact(&mut fixed).is_ok() && fixed.starts_with(&CENTRAL) {
        let lens = [28, 30, 32].map(|at| usize::from(u16_at(&fixed, at)));
        let mut rest = vec![0; lens.iter().sum()];
        if input.read_exact(&mut rest).is_err() {
            break;
        }
        if out.len() as u64 > cx.budget.bounds.members {
            break; // giving them will say so
        }
        let extra = rest[lens[0]..lens[0] + lens[1]].to_vec();
        rest.truncate(lens[0]);
        let mut entry = Entry {
            name: rest,
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc: u32_at(&fixed, 16),
            packed: u64::from(u32_at(&fixed, 20)),
            size: u64::from(u32_at(&fixed, 24)),
            offset: u64::from(u32_at(&fixed, 42)),
            // Made on Unix, and a symbolic link there.
            is_link: fixed[5] == 3 && u32_at(&fixed, 38) >> 28 == 0xa,
        };
        let Entry { size, packed, offset, .. } = &mut entry;
        zip64(&extra, &mut [size, packed, offset]);
        out.push(entry);
    }
    if out.is_empty() && directory.count > 0 {
        return None;
    }
    // Without zip64 the count is kept modulo 65,536.
    if out.len() as u64 != directory.count && out.len() as u64 % 65_536 != directory.count {
        let message =
            format!("its directory states {} members and lists {}", directory.count, out.len());
        cx.problem(start, directory.end, ProblemKind::Conflict, false, message);
    }
    Some((out, shift))
}

/// Replaces those of the fields that are full by what the zip64 extra field holds, in its order.
fn zip64(extra: &[u8], fields: &mut [&mut u64]) {
    let mut at = 0;
    while at + 4 <= extra.len() {
        let len = usize::from(u16_at(extra, at + 2));
        if u16_at(extra, at) == 1 {
            let mut value = at + 4;
            for field in fields.iter_mut().filter(|f| ***f == u64::from(u32::MAX)) {
                if value + 8 > extra.len().min(at + 4 + len) {
                    return;
                }
                **field = u64_at(extra, value);
                value += 8;
            }
        }
        at += 4 + len;
    }
}

/// Gives one member. Returns also how many packed bytes were taken, where that is known.
fn give<E>(
    source: &mut dyn Source,
    cx: &mut Context<'_, E>,
    entry: Entry,
    start: u64,
    data: u64,
) -> Result<(Next, Option<u64>), E> {
    let end = data.saturating_add(entry.packed);
    let name = shown(&entry.name);
    let unknown_size = entry.packed == u64::MAX;
    if entry.name.ends_with(b"/") && entry.size == 0 {
        return Ok((Next::Member, Some(entry.packed)));
    }
    if entry.flags & 1 != 0 {
        let message = format!("{name} is encrypted: not opened");
        cx.problem(start, end, ProblemKind::Unsupported, true, message);
        return Ok((Next::Member, Some(entry.packed)));
    }
    if entry.is_link {
        let message = format!("{name} is a symbolic link: its bytes are the link's text");
        cx.problem(start, end, ProblemKind::Unsupported, false, message);
    }
    if source.seek(SeekFrom::Start(data)).is_err() {
        return Ok((Next::Stop, None));
    }
    let mut input = BufReader::with_capacity(128 << 10, source.take(entry.packed));
    let given = Given {
        name: entry.name,
        offset: Some(start),
        stated_size: (!unknown_size).then_some(entry.size),
        span: (start, end.min(cx.size)),
    };
    let (mut taken, mut crc) = (None, flate2::Crc::new());
    let (next, read) = match entry.method {
        0 if !unknown_size => cx.give(given, &mut Summed(&mut input, &mut crc))?,
        8 => {
            let mut decoder = flate2::bufread::DeflateDecoder::new(&mut input);
            let out = cx.give(given, &mut Summed(&mut decoder, &mut crc))?;
            taken = Some(decoder.total_in());
            out
        }
        9 => {
            let mut decoder = deflate64::Deflate64Decoder::with_buffer(&mut input);
            cx.give(given, &mut Summed(&mut decoder, &mut crc))?
        }
        12 => {
            let mut decoder = bzip2::bufread::BzDecoder::new(&mut input);
            cx.give(given, &mut Summed(&mut decoder, &mut crc))?
        }
        14 => {
            let mut decoder = Lazy { input: Some(&mut input), decoder: None, size: entry.size };
            cx.give(given, &mut Summed(&mut decoder, &mut crc))?
        }
        93 | 20 => {
            let mut decoder = ZstFrames::new(&mut input);
            cx.give(given, &mut Summed(&mut decoder, &mut crc))?
        }
        95 => {
            let limit_kb = (MAX_WINDOW >> 10) as u32;
            let mut decoder = lzma_rust2::XzReader::new_mem_limit(&mut input, true, limit_kb);
            cx.give(given, &mut Summed(&mut decoder, &mut crc))?
        }
        method => {
            let message = format!("{name} is packed by method {method}, which is not read here");
            cx.problem(start, end, ProblemKind::Unsupported, true, message);
            return Ok((Next::Member, (!unknown_size).then_some(entry.packed)));
        }
    };
    if !unknown_size && read == entry.size && crc.sum() != entry.crc {
        let message = format!("{name} does not have the checksum that the archive states");
        cx.problem(start, end, ProblemKind::Integrity, false, message);
    }
    Ok((next, if unknown_size { taken } else { Some(entry.packed) }))
}

/// Sums the bytes that pass.
struct Summed<'a>(&'a mut dyn Read, &'a mut flate2::Crc);

impl Read for Summed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.update(&buffer[..n]);
        Ok(n)
    }
}

/// LZMA in zip: version (2 bytes), length of the properties (2), properties (5), stream.
struct Lazy<R: Read> {
    input: Option<R>,
    decoder: Option<Box<lzma_rust2::LzmaReader<R>>>,
    size: u64,
}

impl<R: Read> Read for Lazy<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(mut input) = self.input.take() {
            let mut head = [0; 9];
            input.read_exact(&mut head)?;
            let dictionary = u32_at(&head, 5);
            if u16_at(&head, 2) != 5 || u64::from(dictionary) > MAX_WINDOW {
                return Err(io::Error::new(ErrorKind::Unsupported, "LZMA of another form"));
            }
            let decoder = lzma_rust2::LzmaReader::new_with_props(
                input, self.size, head[4], dictionary, None,
            )?;
            self.decoder = Some(Box::new(decoder));
        }
        self.decoder.as_mut().map_or(Ok(0), |decoder| decoder.read(buffer))
    }
}

/// Reads what can be read without a directory.
fn by_local_headers<E>(
    source: &mut dyn Source,
    cx: &mut Context<'_, E>,
    from: u64,
) -> Result<(), E> {
    let mut at = from;
    while let Some(start) = find_local(source, at, cx.size) {
        at = start + 4;
        let Some(fixed) = read_at(source, start, 30) else {
            let message = "the zip ends within a header".to_owned();
            cx.problem(start, cx.size, ProblemKind::Truncated, true, message);
            break;
        };
        let (name_len, extra_len) = (u16_at(&fixed, 26), u16_at(&fixed, 28));
        let lens = usize::from(name_len) + usize::from(extra_len);
        let Some(mut name) = read_at(source, start + 30, lens) else {
            let message = "the zip ends within a header".to_owned();
            cx.problem(start, cx.size, ProblemKind::Truncated, true, message);
            break;
        };
        let extra = name.split_off(usize::from(name_len));
        let flags = u16_at(&fixed, 6);
        let (mut size, mut packed) = (u64::from(u32_at(&fixed, 22)), u64::from(u32_at(&fixed, 18)));
        zip64(&extra, &mut [&mut size, &mut packed]);
        if flags & 8 != 0 && packed == 0 {
            packed = u64::MAX; // the lengths follow the data
        }
        let entry = Entry {
            name,
            flags,
            method: u16_at(&fixed, 8),
            crc: u32_at(&fixed, 14),
            packed,
            size,
            offset: start,
            is_link: false,
        };
        let data = start + 30 + lens as u64;
        let (next, taken) = give(source, cx, entry, start, data)?;
        if next == Next::Stop {
            break;
        }
        if let Some(taken) = taken.filter(|t| *t != u64::MAX) {
            at = data.saturating_add(taken);
        }
    }
    Ok(())
}

/// The next local header from `at` on.
fn find_local(source: &mut dyn Source, mut at: u64, size: u64) -> Option<u64> {
    let mut buffer = vec![0; 64 << 10];
    while at < size {
        source.seek(SeekFrom::Start(at)).ok()?;
        let mut filled = 0;
        while filled < buffer.len() {
            match source.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        if let Some(found) = buffer[..filled].windows(4).position(|w| w == LOCAL) {
            return Some(at + found as u64);
        }
        if filled < buffer.len() {
            return None;
        }
        at += filled as u64 - 3;
    }
    None
}
