//! What `fiwalk` and `fls` write, line by line. It is taken for bytes of others: anything may stand in it.

use std::io::{self, BufRead, BufReader, Read};

use super::Process;

/// The longest line, in bytes; a longer one is cut.
const MAX_LINE: u64 = 64 << 10;

/// The most that a listing may be, in bytes.
const MAX_LISTING: u64 = 16 << 30;

/// The most pieces that one file may lie in.
const MAX_RUNS: usize = 1 << 20;

/// Bytes of a file that stand together on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    /// Where in the file.
    pub(crate) at: u64,
    /// Where on the disk; `None` for zeros that stand nowhere.
    pub(crate) disk: Option<u64>,
    /// Bytes.
    pub(crate) len: u64,
}

/// A file, folder or whatever else has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its path in the file system.
    pub(crate) name: Vec<u8>,
    /// `r` for a file, `d` for a folder, `l` for a symbolic link, …
    pub(crate) kind: u8,
    /// Bytes.
    pub(crate) size: u64,
    /// False for what was deleted.
    pub(crate) allocated: bool,
    /// True where the name says no type, and its inode does.
    pub(crate) untyped: bool,
    /// Its address in the file system.
    pub(crate) address: String,
    /// Where its bytes are.
    pub(crate) runs: Vec<Run>,
    /// True where the runs do not say it all (compressed, resident): `icat` gives it.
    pub(crate) indirect: bool,
}

/// What comes next in a listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A file system begins: its first byte on the disk, and what it is.
    FileSystem(u64, String),
    /// A file of the file system that began last.
    Entry(Entry),
    /// Something that the program could not read, in its own words, and where on the disk.
    Failed(String, Option<u64>),
}

/// The listing of a disk.
pub(crate) struct Listing<R = Process> {
    lines: Lines<R>,
    start: Option<u64>,
    entry: Option<Entry>,
    in_parent: bool,
    whole: bool,
}

impl<R> std::fmt::Debug for Listing<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listing")
    }
}

impl Listing<Process> {
    /// What became of the program.
    ///
    /// # Errors
    /// Why the listing is not whole.
    pub(crate) fn finish(self) -> Result<(), String> {
        let whole = self.whole;
        self.lines.input.into_inner().into_inner().finish()?;
        if whole { Ok(()) } else { Err("its listing ends before its end".to_owned()) }
    }
}

impl<R: Read> Listing<R> {
    pub(super) fn new(input: R) -> Self {
        let lines = Lines::new(input);
        Self { lines, start: None, entry: None, in_parent: false, whole: false }
    }

    /// The next item; `None` at the end.
    ///
    /// # Errors
    /// The program is silent for too long.
    pub(crate) fn next_item(&mut self) -> io::Result<Option<Item>> {
        while let Some(line) = self.lines.next_line()? {
            let line = line.trim_ascii();
            if let Some(entry) = &mut self.entry {
                if line == b"</fileobject>" {
                    return Ok(self.entry.take().map(Item::Entry));
                }
                match line {
                    b"<parent_object>" => self.in_parent = true,
                    b"</parent_object>" => self.in_parent = false,
                    _ if self.in_parent => {}
                    _ => entry.field(line),
                }
            } else if line == b"<fileobject>" {
                self.entry = Some(Entry { allocated: true, ..Entry::default() });
                self.in_parent = false;
            } else if line.starts_with(b"<volume ") {
                self.start = attribute(line, "offset");
            } else if let Some(kind) = element(line, "ftype_str") {
                let kind = String::from_utf8_lossy(kind).into_owned();
                if let Some(start) = self.start.take() {
                    return Ok(Some(Item::FileSystem(start, crate::image::clean(&kind))));
                }
            } else if line.starts_with(b"<!-- TSK") {
                let words = String::from_utf8_lossy(line);
                let words = words.trim_start_matches("<!-- ").trim_end_matches(" -->");
                let at = words
                    .split(" offset ")
                    .nth(1)
                    .and_then(|rest| rest.split(' ').next().and_then(|number| number.parse().ok()));
                return Ok(Some(Item::Failed(crate::image::clean(words), at)));
            } else if line == b"</dfxml>" {
                self.whole = true;
            }
        }
        Ok(None)
    }
}

impl Entry {
    fn field(&mut self, line: &[u8]) {
        let number = |bytes: &[u8]| std::str::from_utf8(bytes).ok().and_then(|t| t.parse().ok());
        if let Some(name) = element(line, "filename") {
            self.name = unescape(name);
        } else if let Some(kind) = element(line, "name_type") {
            self.kind = kind.first().copied().unwrap_or(b'?');
        } else if let Some(kind) = element(line, "meta_type") {
            // A name without a type: what its inode says counts.
            if matches!(self.kind, 0 | b'-') && kind == b"1" {
                self.kind = b'r';
                self.untyped = true;
            }
        } else if let Some(size) = element(line, "filesize") {
            self.size = number(size).unwrap_or(0);
        } else if line == b"<unalloc>1</unalloc>" {
            self.allocated = false;
        } else if let Some(address) = element(line, "inode") {
            self.address = String::from_utf8_lossy(address).into_owned();
        } else if line.starts_with(b"<byte_run ") {
            self.run(line);
        }
    }

    fn run(&mut self, line: &[u8]) {
        let (at, len) = (attribute(line, "file_offset"), attribute(line, "len"));
        let zeros = text(line, "fill") == Some(b"0");
        let disk = attribute(line, "img_offset");
        let odd = text(line, "type").is_some()
            || text(line, "transform").is_some()
            || text(line, "uncompressed_len").is_some();
        match (at, len) {
            (Some(at), Some(len))
                if !odd && (zeros || disk.is_some()) && self.runs.len() < MAX_RUNS =>
            {
                self.runs.push(Run { at, disk: disk.filter(|_| !zeros), len });
            }
            _ => self.indirect = true,
        }
    }
}

/// The further streams of a file system's files.
pub(crate) struct Streams<R = Process> {
    lines: Lines<R>,
}

impl<R> std::fmt::Debug for Streams<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Streams")
    }
}

impl Streams<Process> {
    /// What became of the program.
    ///
    /// # Errors
    /// Why the list is not whole.
    pub(crate) fn finish(self) -> Result<(), String> {
        self.lines.input.into_inner().into_inner().finish()
    }
}

impl<R: Read> Streams<R> {
    pub(super) fn new(input: R) -> Self {
        Self { lines: Lines::new(input) }
    }

    /// Address and name (`path:stream`) of the next one.
    ///
    /// # Errors
    /// The program is silent for too long.
    pub(crate) fn next_stream(&mut self) -> io::Result<Option<(String, Vec<u8>)>> {
        while let Some(line) = self.lines.next_line()? {
            // r/r 64-128-4:<tab>path:stream. A folder may have streams too.
            let Some(tab) = line.iter().position(|b| *b == b'\t') else { continue };
            let (head, name) = (&line[..tab], line[tab + 1..].trim_ascii_end());
            let address = head.rsplit(|b| *b == b' ').next().unwrap_or_default();
            let address = address.strip_suffix(b":").unwrap_or(address);
            let is_address = !address.is_empty()
                && address.iter().all(|b| b.is_ascii_digit() || *b == b'-')
                && address.iter().filter(|b| **b == b'-').count() == 2;
            // A colon cannot stand in a name of NTFS.
            if is_address && name.contains(&b':') {
                return Ok(Some((String::from_utf8_lossy(address).into_owned(), name.to_vec())));
            }
        }
        Ok(None)
    }
}

struct Lines<R> {
    input: BufReader<io::Take<R>>,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    fn new(input: R) -> Self {
        Self {
            input: BufReader::with_capacity(128 << 10, input.take(MAX_LISTING)),
            line: Vec::new(),
        }
    }

    fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let got = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.line)?;
        if self.line.last() != Some(&b'\n') && got as u64 == MAX_LINE {
            // The rest of the line is of no use without its beginning.
            loop {
                let mut rest = Vec::new();
                let more = (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut rest)?;
                if more == 0 || rest.last() == Some(&b'\n') {
                    break;
                }
            }
        }
        Ok((got > 0).then_some(&self.line[..]))
    }
}

/// Of an ext file system's statistics, how many inodes are in use.
pub(super) fn in_use(statistics: &str) -> Option<u64> {
    let of = |name: &str| {
        let line = statistics.lines().find_map(|line| line.strip_prefix(name))?;
        line.rsplit(' ').next()?.parse::<u64>().ok()
    };
    // The last of the range is the folder in which the program puts what has lost its own.
    of("Inode Range:")?.checked_sub(1)?.checked_sub(of("Free Inodes:")?)
}

/// What stands in `<name>…</name>`.
fn element<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(b"<")?.strip_prefix(name.as_bytes())?.strip_prefix(b">")?;
    rest.strip_suffix(b">")?.strip_suffix(name.as_bytes())?.strip_suffix(b"</")
}

/// What stands in `name='…'`.
fn text<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let key = [b" ", name.as_bytes(), b"='"].concat();
    let at = line.windows(key.len()).position(|w| w == key)? + key.len();
    let rest = &line[at..];
    Some(&rest[..rest.iter().position(|b| *b == b'\'')?])
}

fn attribute(line: &[u8], name: &str) -> Option<u64> {
    std::str::from_utf8(text(line, name)?).ok()?.parse().ok()
}

/// A name without what XML and the program put into it: `&amp;` and the like, and `\xFF` for a byte
/// that is no UTF-8 or a control character. (A name that holds `\xFF` as letters reads as that byte.)
fn unescape(name: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(name.len()), 0);
    'next: while at < name.len() {
        let rest = &name[at..];
        for (word, byte) in [
            (&b"&lt;"[..], b'<'),
            (b"&gt;", b'>'),
            (b"&amp;", b'&'),
            (b"&quot;", b'"'),
            (b"&apos;", b'\''),
        ] {
            if rest.starts_with(word) {
                out.push(byte);
                at += word.len();
                continue 'next;
            }
        }
        if let Some(digits) = rest.strip_prefix(b"\\x").and_then(|r| r.get(..2))
            && let Ok(byte) = u8::from_str_radix(&String::from_utf8_lossy(digits), 16)
        {
            out.push(byte);
            at += 4;
            continue;
        }
        out.push(rest[0]);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_by_its_lines() {
        let xml = b"<volume offset='1048576'>\n <ftype_str>ext4</ftype_str>\n<fileobject>\n<parent_object>\n\
            <inode>2</inode>\n</parent_object>\n<filename>a&amp;b\\xFF.txt</filename>\n<name_type>r</name_type>\n\
            <filesize>6</filesize>\n<alloc>1</alloc>\n<inode>12</inode>\n<byte_runs>\n\
            <byte_run file_offset='0' fs_offset='9' img_offset='77' len='6'/>\n</byte_runs>\n</fileobject>\n\
            <!-- TSK_Error 'Cannot determine' at sector 9 offset 4608 sector_size=512 -->\n</dfxml>\n";
        let mut listing = Listing::new(&xml[..]);
        assert_eq!(listing.next_item().unwrap(), Some(Item::FileSystem(1_048_576, "ext4".into())));
        let Some(Item::Entry(entry)) = listing.next_item().unwrap() else { panic!() };
        assert_eq!((entry.name.as_slice(), entry.kind, entry.size), (&b"a&b\xff.txt"[..], b'r', 6));
        assert_eq!((entry.address.as_str(), entry.allocated, entry.indirect), ("12", true, false));
        assert_eq!(entry.runs, [Run { at: 0, disk: Some(77), len: 6 }]);
        let failed = listing.next_item().unwrap();
        assert!(matches!(failed, Some(Item::Failed(_, Some(4608)))), "{failed:?}");
        assert_eq!(listing.next_item().unwrap(), None);
        assert!(listing.whole);
        // No prefix of it makes it panic.
        for cut in 0..xml.len() {
            let mut listing = Listing::new(&xml[..cut]);
            while let Ok(Some(_)) = listing.next_item() {}
        }
    }

    #[test]
    fn streams_are_told_from_files() {
        let list =
            b"r/r 64-128-2:\thello.txt\nr/r 64-128-4:\thello.txt:ads\nd/d 5:\tx:y\n\tz\nno tab\n";
        let mut streams = Streams::new(&list[..]);
        assert_eq!(
            streams.next_stream().unwrap(),
            Some(("64-128-4".into(), b"hello.txt:ads".to_vec()))
        );
        assert_eq!(streams.next_stream().unwrap(), None);
    }
}
