//! Tables of any make: CSV, and the sheets of a workbook.
//!
//! A table whose header names a date, an amount, and a currency, a number or a party (in English,
//! French, Italian, German or Spanish), or that a mapping file tells of, becomes rows of payments;
//! any other a table of its own, its columns text. Cells are not looked into for indicators.
//!
//! The first rows are held back (up to [`HELD_ROWS`] or [`HELD_BYTES`]) until the header is found
//! and the order of dates and the decimal sign are told.

mod csv_file;
pub mod mapping;
mod names;
mod payment_rows;

#[cfg(test)]
mod tests;

use model::{Cell, Column, ColumnType, Problem, ProblemKind, TableRole, TableSchema};

use crate::csv::fold;
use crate::rows::Rows;
use crate::sink::{MappingFit, Sink};
pub use csv_file::PARSER as CSV;
pub(crate) use csv_file::mapping_for;
use mapping::Mapping;
pub(crate) use names::recognise;
use payment_rows::PaymentRows;

/// How many rows are held back at most.
pub const HELD_ROWS: usize = 5_000;
/// How much text is held back at most.
pub const HELD_BYTES: usize = 8 << 20;
/// Among how many first rows the header is looked for.
const HEADER_WITHIN: usize = 20;
/// The most columns of a table.
pub const MAX_COLUMNS: usize = 16_384;

/// A cell of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableCell {
    /// Its text.
    pub text: String,
    /// True for a number that a workbook holds as such: its decimal sign is the point.
    pub numeric: bool,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct TableRow {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Its last value is whole (the file does not end in it).
    pub whole: bool,
    /// Its cells.
    pub cells: Vec<TableCell>,
}

impl TableRow {
    fn texts(&self) -> Vec<&str> {
        self.cells.iter().map(|cell| cell.text.as_str()).collect()
    }

    fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.trim().is_empty())
    }
}

#[derive(Debug)]
enum State {
    Holding { rows: Vec<TableRow>, bytes: usize },
    Payments(Box<PaymentRows>),
    Plain { rows: Rows, columns: usize },
    Empty,
}

/// A table being read, row by row.
#[derive(Debug)]
pub struct Table {
    name: String,
    mapping: Option<Mapping>,
    /// It is one of a workbook's: the sheet's name tells its payments from those of the others.
    sheet: bool,
    state: State,
    /// Bytes of rows that could not be read.
    pub lost: u64,
}

impl Table {
    /// A table of this name.
    pub fn new(name: &str, mapping: Option<Mapping>) -> Self {
        Self {
            name: name.to_owned(),
            mapping,
            sheet: false,
            state: State::Holding { rows: Vec::new(), bytes: 0 },
            lost: 0,
        }
    }

    /// It is a sheet of a workbook.
    pub fn of_sheet(self) -> Self {
        Self { sheet: true, ..self }
    }

    /// Takes the next row.
    pub fn push(&mut self, row: TableRow, out: &mut dyn Sink) {
        if let State::Holding { rows, bytes } = &mut self.state {
            *bytes += row.cells.iter().map(|c| c.text.len() + 64).sum::<usize>();
            rows.push(row);
            if rows.len() >= HELD_ROWS || *bytes >= HELD_BYTES {
                self.decide(out);
            }
            return;
        }
        self.emit(&row, out);
    }

    /// Hands over what is held.
    pub fn finish(&mut self, out: &mut dyn Sink) {
        if matches!(self.state, State::Holding { .. }) {
            self.decide(out);
        }
        match &mut self.state {
            State::Payments(payments) => payments.flush(out),
            State::Plain { rows, .. } => rows.flush(out),
            _ => {}
        }
    }

    /// The header is among the rows held, or there is none.
    fn decide(&mut self, out: &mut dyn Sink) {
        let State::Holding { rows, .. } = std::mem::replace(&mut self.state, State::Empty) else {
            return;
        };
        let mut body = 0;
        if let Some((at, payments)) = self.payments(&rows, out) {
            self.state = State::Payments(Box::new(payments));
            body = at + 1;
        } else if let Some((at, header)) = plain_header(&rows) {
            let columns = header.len();
            let schema = plain_schema(&self.name, &header);
            self.state = State::Plain { rows: Rows::new(out, schema), columns };
            body = at;
        }
        for row in rows.iter().skip(body) {
            self.emit(row, out);
        }
    }

    fn payments(&self, rows: &[TableRow], out: &mut dyn Sink) -> Option<(usize, PaymentRows)> {
        let head = rows.iter().enumerate().take(HEADER_WITHIN);
        let db = if self.sheet { self.name.as_str() } else { "" };
        if let Some(mapping) = &self.mapping {
            let mut missing: Option<(&TableRow, String)> = None;
            for (i, row) in head.clone() {
                let texts = row.texts();
                match mapping.place(&texts) {
                    Ok(at) => {
                        let table = self.name.clone();
                        out.mapped(MappingFit { table, missing: Vec::new() });
                        let plan = PaymentRows::new(out, db, at, None, Some(mapping), &rows[i..]);
                        return Some((i, plan));
                    }
                    Err(name) if missing.is_none() && texts.len() > 1 => {
                        missing = Some((row, name.to_owned()));
                    }
                    Err(_) => {}
                }
            }
            let rows = head.clone().map(|(_, row)| row.texts()).filter(|texts| texts.len() > 1);
            if let Some(missing) = rows.map(|texts| mapping.missing(&texts)).min_by_key(Vec::len) {
                out.mapped(MappingFit { table: self.name.clone(), missing });
            }
            if let Some((row, name)) = missing.filter(|_| mapping.names_files()) {
                out.problem(Problem {
                    start: row.start,
                    end: row.end,
                    kind: ProblemKind::Conflict,
                    message: format!("the mapping file names a column {name:?} that is not here"),
                    lost: false,
                });
            }
        }
        for (i, row) in head {
            if let Some((at, currency)) = recognise(&row.texts()) {
                return Some((i, PaymentRows::new(out, db, at, currency, None, &rows[i..])));
            }
        }
        None
    }

    fn emit(&mut self, row: &TableRow, out: &mut dyn Sink) {
        if row.is_blank() {
            return;
        }
        let columns = match &self.state {
            State::Payments(payments) => payments.columns,
            State::Plain { columns, .. } => *columns,
            _ => return,
        };
        let surplus = row.cells.iter().skip(columns).any(|cell| !cell.text.is_empty());
        let short = row.cells.len() < columns && !row.whole;
        if surplus || short {
            self.lost += row.end - row.start;
            let kind = if short { ProblemKind::Truncated } else { ProblemKind::Syntax };
            let message = format!("{} fields where the header has {columns}", row.cells.len());
            out.problem(Problem { start: row.start, end: row.end, kind, message, lost: true });
            return;
        }
        if !row.whole {
            let (start, end) = row.cells.last().map_or((row.end, row.end), |c| (c.start, c.end));
            let message = "the file ends without a line end: this last value may be cut".to_owned();
            out.problem(Problem { start, end, kind: ProblemKind::Truncated, message, lost: false });
        }
        match &mut self.state {
            State::Payments(payments) => payments.row(row, out),
            State::Plain { rows, .. } => {
                let cells: Vec<Cell<'_>> = row
                    .cells
                    .iter()
                    .map(|c| if c.text.is_empty() { Cell::Null } else { Cell::Text(&c.text) })
                    .collect();
                rows.push(out, row.start, row.end, &cells);
            }
            _ => {}
        }
    }
}

/// The names of a plain table's columns, and the first row of its body: the first row as wide as
/// most, if it looks like names; else the columns are numbered.
fn plain_header(rows: &[TableRow]) -> Option<(usize, Vec<String>)> {
    let width = |row: &TableRow| {
        row.cells.iter().rposition(|c| !c.text.trim().is_empty()).map_or(0, |last| last + 1)
    };
    let widest = rows.iter().map(width).max().filter(|w| *w > 0)?.min(MAX_COLUMNS);
    let named = |row: &TableRow| {
        let filled: Vec<&TableCell> =
            row.cells.iter().filter(|c| !c.text.trim().is_empty()).collect();
        let words = |c: &TableCell| {
            !c.numeric
                && c.text.len() <= 200
                && c.text.chars().any(char::is_alphabetic)
                && !c.text.contains(['@', '\n'])
        };
        filled.len() * 2 > widest && filled.iter().all(|c| words(c))
    };
    let found = rows.iter().take(HEADER_WITHIN).position(named);
    let body = found.map_or(0, |at| at + 1);
    let mut header: Vec<String> = Vec::with_capacity(widest);
    for i in 0..widest {
        let text = found.and_then(|at| rows[at].cells.get(i)).map_or("", |c| c.text.trim());
        let mut name = if text.is_empty() { format!("column_{}", i + 1) } else { text.to_owned() };
        if header.contains(&name) {
            name = format!("{name}_{}", i + 1);
        }
        header.push(name);
    }
    Some((body, header))
}

fn plain_schema(name: &str, header: &[String]) -> TableSchema {
    let column = |name: &String| Column {
        name: name.clone(),
        ty: ColumnType::Text,
        meaning: None,
        secret: is_secret(name),
    };
    TableSchema {
        name: name.to_owned(),
        db: String::new(),
        role: TableRole::Plain,
        panel: None,
        columns: header.iter().map(column).collect(),
    }
}

/// The places of a header's columns of passwords and keys.
fn secret_places(header: &[&str]) -> Vec<usize> {
    let secret = |(_, name): &(usize, &&str)| is_secret(name.trim());
    header.iter().enumerate().filter(secret).map(|(i, _)| i).take(MAX_SECRET).collect()
}

/// The most columns of secrets that a table of payments has besides.
const MAX_SECRET: usize = 64;

/// The places of the columns of these names, in a CSV file that begins so: those of the first of
/// the rows among which a header is looked for that has them all, as [`Table`] found them.
pub fn places_of(head: &[u8], names: &[String]) -> Option<Vec<usize>> {
    let dialect = crate::csv::detect(head)?;
    let mut source = head;
    let mut chunks = crate::chunks::Chunks::new(&mut source);
    let mut reader = crate::csv::Reader::new(&mut chunks, dialect);
    let mut record = crate::csv::Record::default();
    let mut seen = 0;
    while seen < HEADER_WITHIN {
        match reader.next(&mut chunks, &mut record) {
            crate::csv::Event::End => return None,
            crate::csv::Event::Problem(_) => {}
            crate::csv::Event::Record => {
                seen += 1;
                let texts: Vec<&str> = record.fields().map(|f| f.text).collect();
                let places = secret_places(&texts);
                let same =
                    places.iter().map(|i| texts[*i].trim()).eq(names.iter().map(String::as_str));
                if same && !places.is_empty() {
                    return Some(places);
                }
            }
        }
    }
    None
}

/// Whether a column's name says that it holds passwords or keys.
fn is_secret(name: &str) -> bool {
    let name = fold(name);
    let has = |word: &str| name.contains(word);
    has("password")
        || has("passwd")
        || has("passwort")
        || has("kennwort")
        || has("mot de passe")
        || has("contrasena")
        || has("passphrase")
        || has("private key")
        || has("private_key")
        || has("api key")
        || has("api_key")
        || has("apikey")
        || matches!(name.as_str(), "pass" | "pwd" | "pin" | "secret" | "mdp" | "clave")
}
