//! A plain second reading of material: files, archives, tuples.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// Every file below a folder by its name.
pub(crate) fn every_file(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
                files.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).expect("gzip");
    out
}

/// Members of a zip by its central directory.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]) as usize;
    let u32_at = |at: usize| u16_at(at) | u16_at(at + 2) << 16;
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    let (count, mut at) = (u16_at(end + 10), u32_at(end + 16));
    let mut members = Vec::new();
    for _ in 0..count {
        let (packed, size, name_len, start) =
            (u32_at(at + 20), u32_at(at + 24), u16_at(at + 28), u32_at(at + 42));
        let name = String::from_utf8_lossy(&bytes[at + 46..at + 46 + name_len]).into_owned();
        let data = start + 30 + name_len;
        let mut out = Vec::new();
        flate2::read::DeflateDecoder::new(&bytes[data..data + packed])
            .read_to_end(&mut out)
            .expect("deflate");
        assert_eq!(out.len(), size);
        let mut crc = flate2::Crc::new();
        crc.update(&out);
        assert_eq!(crc.sum() as usize, u32_at(at + 16));
        members.push((name, out));
        at += 46 + name_len;
    }
    members
}

fn untar(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut members = Vec::new();
    let mut at = 0;
    while bytes[at] != 0 {
        let text = |range: std::ops::Range<usize>| {
            String::from_utf8_lossy(&bytes[at + range.start..at + range.end])
                .trim_end_matches('\0')
                .to_owned()
        };
        let size = usize::from_str_radix(text(124..135).trim(), 8).expect("octal");
        members.push((text(0..100), bytes[at + 512..at + 512 + size].to_vec()));
        at += 512 + size.div_ceil(512) * 512;
    }
    members
}

/// Files of the material with archives opened in place.
pub(crate) fn unpacked(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut left: Vec<(String, Vec<u8>)> = files
        .iter()
        .filter(|(name, _)| name.starts_with("material/"))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect();
    while let Some((name, bytes)) = left.pop() {
        if bytes.starts_with(&[0x1f, 0x8b]) {
            left.push((name.trim_end_matches(".gz").to_owned(), gunzip(&bytes)));
        } else if bytes.starts_with(b"PK\x03\x04") {
            left.extend(unzip(&bytes).into_iter().map(|(n, b)| (format!("{name}/{n}"), b)));
        } else if bytes.len() > 512 && bytes[257..].starts_with(b"ustar") {
            left.extend(untar(&bytes).into_iter().map(|(n, b)| (format!("{name}/{n}"), b)));
        } else {
            out.insert(name, bytes);
        }
    }
    out
}

/// The tuples of a table's INSERTs, each value without its quotes.
pub(crate) fn tuples(text: &str, table: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let head = format!("INSERT INTO `{table}`");
    for (at, _) in text.match_indices(&head) {
        let values = at + text[at..].find("VALUES").expect("VALUES") + 6;
        let (mut row, mut value) = (Vec::new(), String::new());
        let (mut inside, mut quoted, mut escaped) = (false, false, false);
        for c in text[values..].chars() {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' if quoted => escaped = true,
                '\'' => quoted = !quoted,
                _ if quoted => value.push(c),
                '(' => inside = true,
                ',' | ')' if inside => {
                    row.push(std::mem::take(&mut value));
                    if c == ')' {
                        inside = false;
                        rows.push(std::mem::take(&mut row));
                    }
                }
                ';' => break,
                ' ' | '\t' | '\r' | '\n' => {}
                _ if inside => value.push(c),
                _ => {}
            }
        }
    }
    rows
}

/// Standard base64, decoded as ASCII.
pub(crate) fn base64(text: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut out) = (0usize, 0, String::new());
    for c in text.trim_end_matches('=').chars() {
        bits = bits << 6 | ALPHABET.find(c).expect("base64");
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(char::from((bits >> held) as u8));
        }
    }
    out
}

/// An address of the range's own.
pub(crate) fn is_address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.to_string().starts_with("198.1") || ip.is_ipv6())
}
