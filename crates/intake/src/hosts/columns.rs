//! Host lists in columns, with a header.

use super::{Fate, NO_ENTRY, content, entry};
use crate::parser::{Confidence, Input};
use crate::sink::Sink;

/// Names of columns that hold entries.
pub(super) const COLUMNS: &[&str] = &[
    "domain",
    "domains",
    "domain_name",
    "host",
    "hosts",
    "hostname",
    "host_name",
    "fqdn",
    "fqdns",
    "url",
    "urls",
    "ip",
    "ips",
    "ip_address",
    "ipaddress",
    "ipv4",
    "ipv6",
    "address",
    "addresses",
    "cidr",
    "network",
    "prefix",
    "site",
    "website",
    "indicator",
    "server",
];

/// What the first line says.
pub(super) struct Header {
    delimiter: u8,
    /// Columns that hold entries.
    wanted: Vec<usize>,
    columns: usize,
}

/// A field: its place in the line, without its quotes, and its bytes.
fn fields(line: &[u8], delimiter: u8) -> Vec<std::ops::Range<usize>> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        if line.get(at) == Some(&b'"') {
            let mut end = at + 1;
            while end < line.len() && !(line[end] == b'"' && line.get(end + 1) != Some(&b'"')) {
                end += if line[end] == b'"' { 2 } else { 1 };
            }
            let end = end.min(line.len());
            out.push(at + 1..end.max(at + 1));
            at = memchr::memchr(delimiter, &line[end..]).map_or(line.len() + 1, |n| end + n + 1);
        } else {
            let end = memchr::memchr(delimiter, &line[at..]).map_or(line.len(), |n| at + n);
            let part = &line[at..end];
            let lead = part.len() - part.trim_ascii_start().len();
            out.push(at + lead..at + lead + part.trim_ascii().len());
            at = end + 1;
        }
        if at > line.len() || out.len() >= 1000 {
            return out;
        }
    }
}

fn header(line: &[u8]) -> Option<Header> {
    let line = line.trim_ascii();
    let known = |field: &[u8]| {
        let name: String = field.iter().map(|b| char::from(b.to_ascii_lowercase())).collect();
        COLUMNS.contains(&name.trim().replace([' ', '-'], "_").as_str())
    };
    b",;\t|".iter().find_map(|delimiter| {
        let fields = fields(line, *delimiter);
        let names: Vec<usize> =
            (0..fields.len()).filter(|i| known(&line[fields[*i].clone()])).collect();
        (!names.is_empty()).then_some(Header {
            delimiter: *delimiter,
            wanted: names,
            columns: fields.len(),
        })
    })
}

/// The header, where the lines below hold entries in its columns; surer the fewer other columns.
pub(super) fn sniff(body: &[u8]) -> Option<(Header, Confidence)> {
    let whole = body.len() < 64 << 10;
    let mut lines: Vec<&[u8]> = body.split(|b| *b == b'\n').collect();
    if !whole {
        lines.pop();
    }
    let mut lines = lines.into_iter().filter(|line| !content(line).is_empty());
    let header = header(lines.next()?)?;
    let (mut all, mut good) = (0u32, 0u32);
    for line in lines.take(2000) {
        let fields = fields(line.trim_ascii_end(), header.delimiter);
        for column in &header.wanted {
            let field = fields.get(*column).map_or(&b""[..], |at| &line[at.clone()]);
            if !field.is_empty() {
                all += 1;
                good += u32::from(entry::surely(field));
            }
        }
    }
    let fits = good >= 1 && good * 10 >= all * 8;
    let sure = if header.columns <= 3 { 70 } else { 45 };
    fits.then_some((header, Confidence(sure)))
}

/// Reads line by line; the first that is no comment is the header.
pub(super) struct Reader {
    header: Header,
    begun: bool,
}

impl Reader {
    pub(super) fn new(header: Header) -> Self {
        Self { header, begun: false }
    }

    pub(super) fn line(
        &mut self,
        input: &Input<'_>,
        line: &[u8],
        base: u64,
        out: &mut dyn Sink,
    ) -> Fate {
        if content(line).is_empty() {
            return Fate::Filler;
        }
        if !self.begun {
            self.begun = true;
            return Fate::Read;
        }
        let line = line.trim_ascii_end();
        let fields = fields(line, self.header.delimiter);
        let (mut any, mut bad) = (false, false);
        for column in &self.header.wanted {
            let Some(at) = fields.get(*column).filter(|at| !at.is_empty()) else { continue };
            let found = entry::give(&line[at.clone()], base + at.start as u64, input.exhibit, out);
            any |= found.is_some();
            bad |= found.is_none();
        }
        match (any, bad) {
            (true, true) => {
                out.problem(model::Problem {
                    start: base,
                    end: base + line.len() as u64,
                    kind: model::ProblemKind::Syntax,
                    message: format!("one column holds {NO_ENTRY}"),
                    lost: false,
                });
                Fate::Read
            }
            (true, false) => Fate::Read,
            (false, true) => Fate::Lost(NO_ENTRY),
            (false, false) => Fate::Lost("no entry in any column of hosts"),
        }
    }
}
