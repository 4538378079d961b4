//! tar: v7, ustar, GNU and pax. A damaged header costs its own member: the search goes on for the
//! next header.

use std::io::{BufReader, Read, SeekFrom};

use model::ProblemKind;

use super::{Context, Given, Next, Source, read_at, shown};

const BLOCK: u64 = 512;

/// The longest name that an extension may give.
const MAX_NAME: u64 = 64 << 10;
/// The longest block of pax fields.
const MAX_PAX: u64 = 1 << 20;

/// True if a file that begins so may be a tar: its first header's sum is right.
pub(super) fn is_header(head: &[u8]) -> bool {
    head.first().is_some_and(|b| *b != 0) && head.get(..512).and_then(Header::parse).is_some()
}

struct Header {
    name: Vec<u8>,
    link: Vec<u8>,
    size: u64,
    kind: u8,
}

impl Header {
    /// `None` where the sum is wrong or a number is none.
    fn parse(block: &[u8]) -> Option<Self> {
        let field = |from: usize, len: usize| {
            let bytes = &block[from..from + len];
            let end = bytes.iter().position(|b| *b == 0).unwrap_or(len);
            bytes[..end].to_vec()
        };
        let stated = number(&block[148..156])?;
        let sums = [false, true].map(|signed| {
            (0..512).fold(0i64, |sum, i| {
                let byte = if (148..156).contains(&i) { b' ' } else { block[i] };
                sum + if signed { i64::from(byte as i8) } else { i64::from(byte) }
            })
        });
        if !sums.contains(&i64::try_from(stated).ok()?) {
            return None;
        }
        let mut name = field(0, 100);
        let posix = &block[257..263] == b"ustar\0";
        if posix && block[345] != 0 {
            name = [field(345, 155), b"/".to_vec(), name].concat();
        }
        Some(Self {
            name,
            link: field(157, 100),
            size: number(&block[124..136])?,
            kind: block[156],
        })
    }
}

/// Octal digits between spaces and zeros, or GNU's binary form.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        if field[0] & 0x40 != 0 {
            return None; // negative
        }
        let first = u64::from(field[0] & 0x3f);
        return field[1..]
            .iter()
            .try_fold(first, |n, b| n.checked_mul(256).and_then(|n| n.checked_add(u64::from(*b))));
    }
    let text = field.split(|b| *b == 0).next().unwrap_or(field).trim_ascii();
    text.iter().try_fold(0u64, |n, b| match b {
        b'0'..=b'7' => n.checked_mul(8).map(|n| n + u64::from(b - b'0')),
        _ => None,
    })
}

/// What extension headers say of the next member.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

pub(super) fn unpack<E>(source: &mut dyn Source, cx: &mut Context<'_, E>) -> Result<(), E> {
    let size = cx.size;
    let mut extended = Extended::default();
    let mut bad_from: Option<u64> = None;
    let mut at = 0u64;
    while at < size {
        let Some(block) = read_at(source, at, 512) else {
            cx.problem(
                at,
                size,
                ProblemKind::Truncated,
                true,
                "the tar ends within a header".into(),
            );
            break;
        };
        if block.iter().all(|b| *b == 0) {
            at = skip_zeros(source, at, size);
            continue;
        }
        let Some(header) = Header::parse(&block) else {
            bad_from.get_or_insert(at);
            at += BLOCK;
            continue;
        };
        if let Some(from) = bad_from.take() {
            let message = "no tar header here: skipped to the next one".to_owned();
            cx.problem(from, at, ProblemKind::Syntax, true, message);
        }
        let start = at;
        let data = at + BLOCK;
        // Only extension headers state sizes of their own; links and folders have no data.
        let has_data = !matches!(header.kind, b'1'..=b'6');
        let own = if matches!(header.kind, b'L' | b'K' | b'x' | b'g') {
            header.size
        } else {
            extended.size.unwrap_or(header.size)
        };
        let len = if has_data { own } else { 0 };
        let end = data.saturating_add(len);
        at = end.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX).min(size.max(end));
        match header.kind {
            b'L' | b'K' | b'x' => {
                let most = if header.kind == b'x' { MAX_PAX } else { MAX_NAME };
                match (len <= most).then(|| read_at(source, data, len as usize)).flatten() {
                    None => {
                        let message = "an extension header is cut or beyond its bound".to_owned();
                        cx.problem(start, end, ProblemKind::Syntax, true, message);
                    }
                    Some(bytes) if header.kind == b'x' => pax(&bytes, &mut extended),
                    Some(mut bytes) => {
                        bytes.truncate(bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len()));
                        let field = if header.kind == b'L' {
                            &mut extended.name
                        } else {
                            &mut extended.link
                        };
                        *field = Some(bytes);
                    }
                }
            }
            b'g' => {}
            kind => {
                let extended = std::mem::take(&mut extended);
                let name = extended.name.unwrap_or(header.name);
                let link = extended.link.unwrap_or(header.link);
                let member = Entry { kind, name, link, start, data, len, sparse: extended.sparse };
                if entry(source, cx, member)? == Next::Stop {
                    return Ok(());
                }
            }
        }
    }
    if let Some(from) = bad_from {
        cx.problem(from, size, ProblemKind::Syntax, true, "no tar header here".into());
    }
    Ok(())
}

struct Entry {
    kind: u8,
    name: Vec<u8>,
    link: Vec<u8>,
    start: u64,
    data: u64,
    len: u64,
    sparse: bool,
}

fn entry<E>(source: &mut dyn Source, cx: &mut Context<'_, E>, e: Entry) -> Result<Next, E> {
    let end = e.data.saturating_add(e.len);
    let name = shown(&e.name);
    let what = match e.kind {
        b'5' | b'D' | b'V' | b'M' => return Ok(Next::Member),
        b'0' | 0 | b'7' if e.name.ends_with(b"/") && e.len == 0 => return Ok(Next::Member),
        b'1' | b'2' => format!("{name} is a link to {}", shown(&e.link)),
        b'3' | b'4' | b'6' => format!("{name} is a device"),
        b'S' => format!("{name} is a sparse file of the old GNU form"),
        _ if e.sparse => format!("{name} is a sparse file; its stored parts follow one another"),
        _ => String::new(),
    };
    if !what.is_empty() {
        let lost = e.kind == b'S';
        cx.problem(e.start, end, ProblemKind::Unsupported, lost, what);
        if !e.sparse {
            return Ok(Next::Member);
        }
    }
    if source.seek(SeekFrom::Start(e.data)).is_err() {
        return Ok(Next::Stop);
    }
    let given = Given {
        name: e.name,
        offset: Some(e.start),
        stated_size: Some(e.len),
        span: (e.start, end),
    };
    Ok(cx.give(given, &mut BufReader::new(source.take(e.len)))?.0)
}

/// The next block from `at` on that is not all zeros, or the end.
fn skip_zeros(source: &mut dyn Source, mut at: u64, size: u64) -> u64 {
    let mut buffer = vec![0; 128 * BLOCK as usize];
    if source.seek(SeekFrom::Start(at)).is_err() {
        return size;
    }
    while at < size {
        let Ok(n @ 1..) = source.read(&mut buffer) else { return size };
        if let Some(first) = buffer[..n].iter().position(|b| *b != 0) {
            return at + first as u64 / BLOCK * BLOCK;
        }
        // Stay on the blocks' grid even where a read came short.
        let whole = (n as u64 / BLOCK).max(1) * BLOCK;
        at += whole;
        if whole != n as u64 && source.seek(SeekFrom::Start(at)).is_err() {
            return size;
        }
    }
    size
}

/// Records `length key=value\n`.
fn pax(mut bytes: &[u8], out: &mut Extended) {
    while let Some(space) = bytes.iter().position(|b| *b == b' ') {
        let len = std::str::from_utf8(&bytes[..space]).ok().and_then(|t| t.parse::<usize>().ok());
        let Some(record) = len.filter(|len| *len > space + 1).and_then(|len| bytes.get(..len))
        else {
            return;
        };
        let pair = record[space + 1..].strip_suffix(b"\n").unwrap_or(&record[space + 1..]);
        if let Some(equals) = pair.iter().position(|b| *b == b'=') {
            let (key, value) = (&pair[..equals], &pair[equals + 1..]);
            match key {
                b"path" | b"GNU.sparse.name" => out.name = Some(value.to_vec()),
                b"linkpath" => out.link = Some(value.to_vec()),
                b"size" => {
                    out.size = std::str::from_utf8(value).ok().and_then(|t| t.parse().ok());
                }
                _ if key.starts_with(b"GNU.sparse.") => out.sparse = true,
                _ => {}
            }
        }
        bytes = &bytes[record.len()..];
    }
}
