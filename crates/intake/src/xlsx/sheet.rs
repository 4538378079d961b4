//! One sheet: its rows, cell by cell.

use model::{Precision, Problem, ProblemKind, Stamp};

use super::book::Strings;
use super::inflate::Places;
use crate::chunks::Chunks;
use crate::sink::Sink;
use crate::tables::{MAX_COLUMNS, Table, TableCell, TableRow};
use crate::xml::{Kind, Token, Xml};

/// What the cells of all sheets need.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) strings: Option<Strings>,
    pub(super) dates: Vec<bool>,
    pub(super) from_1904: bool,
}

#[derive(Debug, Default)]
struct CellDraft {
    column: usize,
    style: usize,
    ty: String,
    value: String,
    inline: String,
    formula: String,
    /// In the sheet's content.
    start: u64,
}

/// Where text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Nothing,
    Value,
    Formula,
    Inline,
    Reading,
}

/// Reads the rows of a sheet. Spans are those of the packed bytes.
pub(super) fn read(
    content: &mut Chunks<'_>,
    places: &Places,
    shared: &Shared,
    table: &mut Table,
    out: &mut dyn Sink,
) {
    let mut xml = Xml::new(content);
    let mut row: Option<(u64, Vec<TableCell>)> = None;
    let mut cell: Option<CellDraft> = None;
    let mut inside = In::Nothing;
    let mut missing = false;
    while let Some(token) = xml.next() {
        let token = match token {
            Ok(token) => token,
            Err(problem) => {
                let (start, end) = places.span(problem.start, problem.end);
                out.problem(Problem { start, end, ..problem });
                continue;
            }
        };
        match (token.kind, token.name()) {
            (Kind::Start, b"row") => row = Some((token.start, Vec::new())),
            (Kind::End, b"row") => {
                if let Some((start, cells)) = row.take() {
                    let (start, end) = places.span(start, token.end);
                    table.push(TableRow { start, end, whole: true, cells }, out);
                }
                cell = None;
            }
            (Kind::Start, b"c") => {
                let next = row.as_ref().map_or(0, |(_, cells)| cells.len());
                cell = Some(CellDraft::new(&token, next));
            }
            (Kind::End, b"c") => {
                if let (Some(draft), Some((_, cells))) = (cell.take(), &mut row) {
                    let (start, end) = places.span(draft.start, token.end);
                    let unknown = place(cells, &draft, shared, start, end);
                    if unknown && !missing {
                        missing = true;
                        let message = "cells name shared strings that are not there".to_owned();
                        out.problem(Problem {
                            start,
                            end,
                            kind: ProblemKind::Integrity,
                            message,
                            lost: false,
                        });
                    }
                }
            }
            (Kind::Start, b"v") => inside = In::Value,
            (Kind::Start, b"f") => inside = In::Formula,
            (Kind::Start, b"t") if inside != In::Reading => inside = In::Inline,
            (Kind::Start, b"rPh") => inside = In::Reading,
            (Kind::End, b"t") if inside == In::Reading => {}
            (Kind::End, b"v" | b"f" | b"t" | b"rPh") => inside = In::Nothing,
            (Kind::Text | Kind::CData, _) => {
                if let Some(draft) = &mut cell {
                    match inside {
                        In::Value => draft.value.push_str(&token.text()),
                        In::Formula => draft.formula.push_str(&token.text()),
                        In::Inline => draft.inline.push_str(&token.text()),
                        In::Nothing | In::Reading => {}
                    }
                }
            }
            _ => {}
        }
    }
    if let Some((start, _)) = row {
        let (start, end) = places.span(start, xml.offset());
        let message = "the sheet ends inside a row".to_owned();
        out.problem(Problem { start, end, kind: ProblemKind::Truncated, message, lost: true });
    }
}

impl CellDraft {
    fn new(token: &Token<'_>, next: usize) -> Self {
        let column = token.attribute("r").and_then(|r| column(&r)).unwrap_or(next);
        Self {
            column,
            style: token.attribute("s").and_then(|s| s.parse().ok()).unwrap_or(0),
            ty: token.attribute("t").unwrap_or_default(),
            start: token.start,
            ..Self::default()
        }
    }
}

/// The column of a reference such as `AB12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let mut n = 0usize;
    for b in reference.bytes().take_while(u8::is_ascii_alphabetic).take(4) {
        n = n * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1;
    }
    n.checked_sub(1).filter(|n| *n < MAX_COLUMNS)
}

/// Puts a cell into its row. True where it names a shared string that is not there.
fn place(
    cells: &mut Vec<TableCell>,
    draft: &CellDraft,
    shared: &Shared,
    start: u64,
    end: u64,
) -> bool {
    let mut unknown = false;
    let value = draft.value.trim();
    let (text, numeric) = match draft.ty.as_str() {
        "s" => {
            let strings = shared.strings.as_ref();
            let text = value.parse().ok().and_then(|i| strings?.get(i));
            unknown = text.is_none();
            (text.unwrap_or("").to_owned(), false)
        }
        "inlineStr" => (draft.inline.clone(), false),
        "str" | "e" | "d" => (draft.value.clone(), false),
        "b" => ((if value == "1" { "TRUE" } else { "FALSE" }).to_owned(), false),
        _ if value.is_empty() => (String::new(), false),
        _ => match shared.dates.get(draft.style) {
            Some(true) => match date(value, shared.from_1904) {
                Some(text) => (text, false),
                None => (number(value), true),
            },
            _ => (number(value), true),
        },
    };
    // A formula that no program has computed yet is kept as what it is.
    let text = if text.is_empty() && !draft.formula.is_empty() && !unknown {
        format!("={}", draft.formula)
    } else {
        text
    };
    if draft.column >= cells.len() {
        cells.resize(draft.column + 1, TableCell { start, end, ..TableCell::default() });
    }
    if let Some(cell) = cells.get_mut(draft.column) {
        *cell = TableCell { text, numeric, start, end };
    }
    unknown
}

/// A number as a workbook shows it: at most fifteen digits, without exponent.
fn number(value: &str) -> String {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let plain = value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'));
    if plain && digits <= 15 {
        return value.to_owned();
    }
    let Ok(number) = value.parse::<f64>() else { return value.to_owned() };
    if !number.is_finite() || number.abs() >= 1e21 || (number != 0.0 && number.abs() < 1e-12) {
        return value.to_owned();
    }
    let scientific = format!("{number:.14e}");
    scientific.parse::<f64>().map_or(value.to_owned(), |n| n.to_string())
}

/// A date's serial number as ISO 8601: a day, a moment, or a time of day.
fn date(value: &str, from_1904: bool) -> Option<String> {
    let serial: f64 = value.parse().ok()?;
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * 86_400.0).round() as i64;
    let (mut day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if from_1904 {
        day += 1462;
    } else if day == 0 {
        return Some(clock);
    } else if day < 60 {
        // The workbook's calendar has a 29 February 1900, which never was.
        day += 1;
    }
    let precision = if second == 0 { Precision::Day } else { Precision::Second };
    let local_ms = (day - 25_569) * 86_400_000 + second * 1000;
    Some(Stamp { local_ms, offset_min: None, precision }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_columns() {
        assert_eq!(number("12.50"), "12.50");
        assert_eq!(number("12.300000000000001"), "12.3");
        assert_eq!(number("1.2E+3"), "1200");
        assert_eq!(number("-4.0000000000000002E-2"), "-0.04");
        assert_eq!(number("x"), "x");
        assert_eq!(date("45598", false).as_deref(), Some("2024-11-02"));
        assert_eq!(date("45598.385416666664", false).as_deref(), Some("2024-11-02T09:15:00"));
        assert_eq!(date("0.5", false).as_deref(), Some("12:00:00"));
        assert_eq!(date("1", false).as_deref(), Some("1900-01-01"));
        assert_eq!(date("44136", true).as_deref(), Some("2024-11-02"));
        assert_eq!(date("-1", false), None);
        assert_eq!(
            (column("A1"), column("AB12"), column("XFD1"), column("ZZZZ1"), column("7")),
            (Some(0), Some(27), Some(16_383), None, None)
        );
    }
}
