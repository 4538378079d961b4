//! Workbooks (XLSX): each sheet a table, as [`crate::tables`] reads them.
//!
//! **Spans.** A workbook is a zip, and a sheet cannot be read without the strings that stand in
//! another member. One parser sees one exhibit, so the workbook stays one exhibit and its members
//! do not become exhibits of their own. The span of a row, or of a cell in a problem, is therefore
//! the run of *packed* bytes in the workbook from which the row's or cell's own XML was unpacked:
//! exact for stored members, within some 16 bytes at either end for deflated ones (more where a
//! member exceeds 16 MiB). The text of a shared string stands in `xl/sharedStrings.xml`; the cell
//! holds its number.
//!
//! **Values.** Dates are told by the cell's number format and written as ISO 8601; numbers with the
//! fifteen digits that a workbook keeps; formulas give the value that was computed, and their own
//! text where none was. Hidden sheets are read.
//!
//! **Bounds.** The workbook must fit the window (64 MiB); a member's content 256 MiB, and no better
//! packed than 500 to 1 beyond 32 MiB.

mod book;
mod inflate;
mod sheet;
mod zip;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;
use crate::tables::{Table, mapping_for};
use book::{Sheet, Strings};
use inflate::{Content, End, Places};
use sheet::Shared;
use zip::{Member, members};

/// XLSX workbooks.
pub const PARSER: Parser = Parser {
    name: "xlsx",
    version: 3,
    about: "XLSX workbooks; payments where a sheet's header or a mapping file tells",
    sniff,
    parse,
};

/// The most content of one member, in bytes.
pub(crate) const MAX_MEMBER: u64 = 256 << 20;

fn sniff(head: &[u8], name: &str) -> Confidence {
    if !head.starts_with(b"PK\x03\x04") {
        return Confidence::NO;
    }
    let has = |what: &[u8]| memchr::memmem::find(head, what).is_some();
    let name = name.to_lowercase();
    let named = [".xlsx", ".xlsm", ".xltx"].iter().any(|end| name.ends_with(end));
    if has(b"xl/workbook.xml") || has(b"xl/worksheets/") || has(b"xl/sharedStrings.xml") {
        Confidence(95)
    } else if named {
        Confidence(85)
    } else {
        Confidence::NO
    }
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let from = chunks.offset();
    let lost = match chunks.rest() {
        Some(bytes) => Workbook { bytes, lost: 0, out }.read(input),
        None => {
            let size = chunks.drain();
            out.problem(Problem {
                start: from,
                end: from + size,
                kind: ProblemKind::Bound,
                message: "a workbook larger than the window: not read".to_owned(),
                lost: true,
            });
            return Coverage { lost: size, ..Coverage::default() };
        }
    };
    chunks.drain();
    let size = chunks.offset() - from;
    let lost = lost.min(size);
    Coverage { read: size - lost, filler: 0, lost }
}

struct Workbook<'a> {
    bytes: &'a [u8],
    lost: u64,
    out: &'a mut dyn Sink,
}

impl Workbook<'_> {
    fn read(mut self, input: &Input<'_>) -> u64 {
        let mapping = mapping_for(input, self.out);
        let (members, cut) = members(self.bytes);
        let size = self.bytes.len() as u64;
        if cut {
            self.problem(
                size,
                size,
                ProblemKind::Truncated,
                "the workbook's directory is missing: its end is cut",
                false,
            );
        }
        let find = |name: &str| members.iter().find(|m| m.name.eq_ignore_ascii_case(name));
        let (sheets, from_1904) = match find("xl/workbook.xml") {
            Some(member) => self.with(member, |content| book::workbook(content)),
            None => (Vec::new(), false),
        };
        let relations = match find("xl/_rels/workbook.xml.rels") {
            Some(member) => self.with(member, |content| book::relations(content)),
            None => Default::default(),
        };
        let dates = match find("xl/styles.xml") {
            Some(member) => self.with(member, |content| book::date_styles(content)),
            None => Vec::new(),
        };
        let strings = find("xl/sharedStrings.xml")
            .map(|member| self.with(member, |content| Strings::read(content)));
        if strings.as_ref().is_some_and(|s| s.cut) {
            let (start, end) =
                find("xl/sharedStrings.xml").map_or((0, 0), |m| (m.start as u64, m.end as u64));
            self.problem(
                start,
                end,
                ProblemKind::Truncated,
                "not all shared strings could be read",
                false,
            );
        }
        let shared = Shared { strings, dates, from_1904 };
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut listed: Vec<(String, &Member)> = Vec::new();
        for Sheet { name, relation } in &sheets {
            if let Some(member) = relations.get(relation).and_then(|target| find(target))
                && seen.insert(&member.name)
            {
                listed.push((name.clone(), member));
            }
        }
        // Sheets that the workbook does not list, or whose list is missing.
        for member in &members {
            let file =
                member.name.strip_prefix("xl/worksheets/").and_then(|n| n.strip_suffix(".xml"));
            if let Some(file) =
                file.filter(|f| !f.contains('/') && !seen.contains(member.name.as_str()))
            {
                listed.push((file.to_owned(), member));
            }
        }
        if listed.is_empty() {
            self.lost = size;
            self.problem(0, size, ProblemKind::Unsupported, "no sheet in this workbook", true);
            return self.lost;
        }
        let mut names: BTreeSet<String> = BTreeSet::new();
        for (i, (name, member)) in listed.into_iter().enumerate() {
            let name =
                if names.insert(name.clone()) { name } else { format!("{name} ({})", i + 1) };
            let mapping = mapping.clone().filter(|m| m.sheet.as_ref().is_none_or(|s| *s == name));
            let mut table = Table::new(&name, mapping).of_sheet();
            let places = Places::new(member);
            if !self.closed(member) {
                let mut content = Content::new(self.bytes, member, &places);
                sheet::read(&mut Chunks::new(&mut content), &places, &shared, &mut table, self.out);
                self.ended(member, places.ended.get());
            }
            table.finish(self.out);
            self.lost += table.lost;
        }
        self.pictures(&members);
        self.lost
    }

    fn problem(&mut self, start: u64, end: u64, kind: ProblemKind, message: &str, lost: bool) {
        self.out.problem(Problem { start, end, kind, message: message.to_owned(), lost });
    }

    /// Reads a member's content.
    fn with<T: Default>(&mut self, member: &Member, read: impl FnOnce(&mut Content<'_>) -> T) -> T {
        if self.closed(member) {
            return T::default();
        }
        let places = Places::new(member);
        let found = read(&mut Content::new(self.bytes, member, &places));
        self.ended(member, places.ended.get());
        found
    }

    fn closed(&mut self, member: &Member) -> bool {
        if member.closed {
            let (start, end) = (member.start as u64, member.end as u64);
            self.lost += end - start;
            self.problem(
                start,
                end,
                ProblemKind::Unsupported,
                "a member that is encrypted or packed in another way",
                true,
            );
        }
        member.closed
    }

    fn ended(&mut self, member: &Member, end: End) {
        let (kind, message) = match end {
            End::Good => return,
            End::Cut => (ProblemKind::Truncated, "the workbook ends inside a member"),
            End::Broken => (
                ProblemKind::Syntax,
                "a member's packed bytes are broken: what stands before was read",
            ),
            End::Checksum => {
                (ProblemKind::Integrity, "a member's content is not what its checksum says")
            }
            End::Bound => (
                ProblemKind::Bound,
                "a member with more content than is read (256 MiB, or 500 to 1)",
            ),
        };
        self.problem(member.start as u64, member.end as u64, kind, message, false);
    }

    /// Pictures and embedded files are told, not read.
    fn pictures(&mut self, members: &[Member]) {
        for member in members {
            let name = member.name.to_lowercase();
            let known = [".xml", ".rels", ".vml", "/"].iter().any(|end| name.ends_with(end));
            if !known && member.end > member.start {
                let (start, end) = (member.start as u64, member.end as u64);
                self.lost += end - start;
                self.problem(
                    start,
                    end,
                    ProblemKind::Unsupported,
                    "a picture or embedded file in the workbook: not read",
                    true,
                );
            }
        }
    }
}
