//! The parser of CSV files that no other parser knows.

use model::{Problem, ProblemKind};

use super::mapping::Mapping;
use super::{MAX_COLUMNS, Table, TableCell, TableRow, recognise};
use crate::chunks::Chunks;
use crate::csv::{self, Event, Reader, Record};
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;

/// CSV files.
pub const PARSER: Parser = Parser {
    name: "csv",
    version: 3,
    about: "CSV tables; payments where the header or a mapping file tells",
    sniff,
    parse,
};

fn sniff(head: &[u8], name: &str) -> Confidence {
    let begins = head.trim_ascii_start().first().copied().unwrap_or(0);
    if matches!(begins, b'{' | b'[' | b'<' | b'#' | b'%') || head.starts_with(b"PK") {
        return Confidence::NO;
    }
    let Some(dialect) = csv::detect(head) else { return Confidence::NO };
    let mut source = head;
    let mut chunks = Chunks::new(&mut source);
    let mut reader = Reader::new(&mut chunks, dialect);
    let mut record = Record::default();
    let mut widths: Vec<usize> = Vec::new();
    let mut payments = false;
    let mut odd = 0;
    while widths.len() < 50 {
        match reader.next(&mut chunks, &mut record) {
            Event::End => break,
            Event::Problem(_) => odd += 1,
            Event::Record => {
                let fields: Vec<&str> = record.fields().map(|f| f.text).collect();
                payments |= widths.len() < 20 && recognise(&fields).is_some();
                odd += usize::from(fields.iter().any(|f| {
                    f.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
                }));
                widths.push(record.len());
            }
        }
    }
    // The last record of a full head may be cut.
    if widths.len() > 2 {
        widths.pop();
    }
    let most = widths
        .iter()
        .copied()
        .max_by_key(|w| widths.iter().filter(|v| *v == w).count())
        .unwrap_or(0);
    let same = widths.iter().filter(|w| **w == most).count();
    if most < 2 || odd * 10 > widths.len() || same * 10 < widths.len() * 7 {
        return Confidence::NO;
    }
    let named = [".csv", ".tsv", ".tab"].iter().any(|end| name.to_lowercase().ends_with(end));
    match (payments, named, same) {
        (true, true, _) => Confidence(82),
        (true, false, _) => Confidence(72),
        (false, true, _) => Confidence(55),
        (false, false, 5..) if most >= 3 => Confidence(25),
        _ => Confidence::NO,
    }
}

/// The mapping file, where it is good and for a file of this name. A bad one is reported.
pub(crate) fn mapping_for(input: &Input<'_>, out: &mut dyn Sink) -> Option<Mapping> {
    match Mapping::parse(input.mapping?) {
        Ok(mapping) => Some(mapping).filter(|m| m.is_for(input.name)),
        Err(error) => {
            let message = error.to_string();
            out.problem(Problem {
                start: 0,
                end: 0,
                kind: ProblemKind::Type,
                message,
                lost: false,
            });
            None
        }
    }
}

/// A file's name without folders and ending.
fn stem(name: &str) -> &str {
    let base = name.rsplit('/').next().unwrap_or(name);
    base.rsplit_once('.').map_or(base, |(stem, _)| if stem.is_empty() { base } else { stem })
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let head = chunks.fill(64 << 10);
    let dialect = csv::detect(&head[..head.len().min(64 << 10)]);
    let Some(dialect) = dialect else {
        let lost = chunks.drain();
        let message = "no delimiter that cuts the lines alike".to_owned();
        out.problem(Problem {
            start: 0,
            end: lost,
            kind: ProblemKind::Unsupported,
            message,
            lost: true,
        });
        return Coverage { lost, ..Coverage::default() };
    };
    let mapping = mapping_for(input, out);
    let mut table = Table::new(stem(input.name), mapping);
    let mut reader = Reader::new(chunks, dialect);
    let mut record = Record::default();
    loop {
        match reader.next(chunks, &mut record) {
            Event::End => break,
            Event::Problem(problem) => out.problem(problem),
            Event::Record => {
                reader.expect_columns(record.len());
                let cells = record.fields().take(MAX_COLUMNS + 1).map(|field| TableCell {
                    text: field.text.to_owned(),
                    numeric: false,
                    start: field.start,
                    end: field.end,
                });
                let row = TableRow {
                    start: record.start,
                    end: record.end,
                    whole: record.whole,
                    cells: cells.collect(),
                };
                table.push(row, out);
            }
        }
    }
    table.finish(out);
    reader.coverage.read -= table.lost;
    reader.coverage.lost += table.lost;
    reader.coverage
}
