//! WARC and ARC: the payloads of responses, resources, conversions and continuations are members.
//! What was asked, and words about the capture, stay in the container, as do the headers.
//!
//! A member's name says the host and the file, no more: between them, and behind `?`, panels carry
//! names of lines and their passwords, and a name is shown wherever its exhibit is. The whole URI
//! stands in the container, at the member's offset.

use std::io::SeekFrom;

use model::ProblemKind;

use super::{Context, Given, Next, Source};
use crate::warc::{Check, Kind, Limits, Mode, Reader, Record};

/// The longest part of a URI that is taken into a name, in bytes.
const MAX_PART: usize = 200;

pub(super) fn unpack<E>(source: &mut dyn Source, cx: &mut Context<'_, E>) -> Result<(), E> {
    if source.seek(SeekFrom::Start(0)).is_err() {
        return Ok(());
    }
    let limits = Limits { unpacked: cx.budget.left().0, ..Limits::default() };
    let mut reader = Reader::new(source, Mode::Lenient, limits);
    let mut given = 0u64;
    // No fault is an error here.
    while let Ok(Some(record)) = reader.next_record() {
        tell(&mut reader, cx);
        let (start, at) = (record.offset, Some(record.offset).filter(|_| record.alone));
        let is_member = match &record.kind {
            Kind::Response | Kind::Resource | Kind::Conversion | Kind::Continuation => true,
            Kind::Other(_) => {
                let message = "a record of a type that is not read here".to_owned();
                cx.problem(start, start, ProblemKind::Unsupported, true, message);
                false
            }
            _ => false,
        };
        let mut next = Next::Member;
        if is_member {
            notes(&record, cx);
            let name = name_of(record.uri.as_deref().unwrap_or_default());
            let member = Given { name, offset: at, stated_size: None, span: (start, start) };
            let read;
            (next, read) = cx.give(member, &mut reader.payload())?;
            given = given.saturating_add(read);
        }
        if next == Next::Stop {
            break;
        }
        if let Ok(Some(end)) = reader.finish() {
            for (field, check) in [
                ("WARC-Block-Digest", end.block_digest),
                ("WARC-Payload-Digest", end.payload_digest),
            ] {
                if is_member && check == Check::Unchecked {
                    let message = format!("{field} could not be checked");
                    let kind = ProblemKind::Unsupported;
                    cx.problem(end.span.0, end.span.1, kind, false, message);
                }
            }
        }
        tell(&mut reader, cx);
    }
    tell(&mut reader, cx);
    cx.budget.spend(reader.unpacked().saturating_sub(given));
    Ok(())
}

/// Makes problems of faults.
fn tell<E>(reader: &mut Reader<&mut dyn Source>, cx: &mut Context<'_, E>) {
    for fault in reader.take_faults() {
        let mut message = match &fault.field {
            Some(field) => format!("{field}: {}", fault.message),
            None => fault.message,
        };
        if let Some(at) = fault.unpacked {
            message.push_str(&format!(" (byte {at} of what is packed)"));
        }
        cx.problem(fault.start, fault.end, fault.kind, fault.lost, message);
    }
}

/// What is known of a payload that is not all it seems.
fn notes<E>(record: &Record, cx: &mut Context<'_, E>) {
    let mut note = |kind, message: &str| {
        cx.problem(record.offset, record.offset, kind, false, message.to_owned());
    };
    if record.field("WARC-Truncated").is_some() {
        note(ProblemKind::Truncated, "WARC-Truncated: whoever captured it cut it");
    }
    if record.field("WARC-Segment-Number").is_some() {
        note(ProblemKind::Unsupported, "WARC-Segment-Number: its segments are not joined");
    }
    // gzip and Zstandard are opened as any compressed file is.
    let opened = |c: &String| matches!(c.as_str(), "gzip" | "x-gzip" | "zstd");
    if record.http.as_ref().is_some_and(|h| !h.content.iter().all(opened)) {
        note(ProblemKind::Unsupported, "Content-Encoding: a coding that is not undone");
    }
}

/// A member's name: its URI's host and the last part of its path where that names a file.
fn name_of(uri: &str) -> Vec<u8> {
    let Some((scheme, rest)) = uri.split_once(':') else { return b"record".to_vec() };
    let Some(rest) = rest.strip_prefix("//") else {
        let host = if scheme.eq_ignore_ascii_case("dns") { rest } else { "" };
        let host = part(host.rsplit('/').next().unwrap_or_default());
        return if host.is_empty() { part(scheme) } else { [part(scheme), host].join(&b'/') };
    };
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = part(authority.rsplit('@').next().unwrap_or_default());
    let path = path.split(['?', '#', ';']).next().unwrap_or_default();
    let mut parts = path.split(['/', '\\']).filter(|p| !p.is_empty());
    let (last, before) = (parts.next_back().unwrap_or_default(), parts.next().is_some());
    let suffix = last
        .rsplit_once('.')
        .map_or("", |(stem, suffix)| if stem.trim_matches('.').is_empty() { "" } else { suffix });
    let is_file = (1..=5).contains(&suffix.len())
        && suffix.bytes().all(|b| b.is_ascii_alphanumeric())
        && last.len() <= MAX_PART
        && !last.contains(['=', '&', '@']);
    // Alone in its path a word is a page; behind others it may be a password.
    let is_word =
        !before && last.len() <= 32 && last.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let file = if is_file || is_word { part(last) } else { Vec::new() };
    let named: Vec<_> = [host, file].into_iter().filter(|p| !p.is_empty()).collect();
    if named.is_empty() { b"record".to_vec() } else { named.join(&b'/') }
}

/// A part of a name: short, of characters that no shell, path or page takes for more.
fn part(text: &str) -> Vec<u8> {
    let safe = |b: u8| {
        if b.is_ascii_alphanumeric() || b"-._%:[]~+,".contains(&b) || b >= 0x80 { b } else { b'_' }
    };
    let mut end = text.len().min(MAX_PART);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].bytes().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_host_and_file_and_no_secret() {
        for (uri, name) in [
            ("http://tv.example/", "tv.example"),
            ("http://tv.example", "tv.example"),
            (
                "http://tv.example:8080/get.php?username=bob&password=s3cret",
                "tv.example:8080/get.php",
            ),
            ("http://bob:s3cret@tv.example/c/", "tv.example/c"),
            ("http://tv.example/live/bob/s3cret/17.ts", "tv.example/17.ts"),
            ("http://tv.example/bob/s3cret", "tv.example"),
            ("http://tv.example/playlist/bob/s3cret/m3u_plus", "tv.example"),
            ("https://tv.example/../../etc/passwd", "tv.example"),
            ("https://tv.example/..", "tv.example"),
            ("https://tv.example/a\\b.m3u8", "tv.example/b.m3u8"),
            ("file:///example%20with%20spaces.png", "example%20with%20spaces.png"),
            ("metadata://gnu.org/software/wget/warc/wget.log", "gnu.org/wget.log"),
            ("dns:tv.example", "dns/tv.example"),
            ("urn:X-wpull:log", "urn"),
            ("", "record"),
            ("no uri", "record"),
            ("http://\u{7}\n/x.y", "__/x.y"),
        ] {
            assert_eq!(String::from_utf8_lossy(&name_of(uri)), name, "{uri}");
        }
        let long = format!("http://{}/", "é".repeat(300));
        assert_eq!(name_of(&long).len(), MAX_PART);
    }
}
