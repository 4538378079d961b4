//! `vigie sql`.

use std::io::{BufWriter, Write};

use desk::export::neutral;
use desk::read::{CellValue, Reader};
use desk::sql::{Bounds, Line, query};
use serde_json::{Map, Value};

use super::{cell_json, cell_text, cut, plain, told};
use crate::cli::{Sql, SqlFormat};
use crate::error::Told;

/// Where rows go.
enum Out<W: Write> {
    /// Gathered, so that columns can be aligned.
    Table(W, Vec<Vec<String>>),
    Csv(Box<csv::Writer<W>>),
    Json(W, Vec<String>),
}

impl<W: Write> Out<W> {
    fn line(&mut self, line: &Line<'_>) -> std::io::Result<()> {
        match (self, line) {
            (Self::Table(_, rows), Line::Columns(names)) => {
                rows.push(names.iter().map(|n| plain(n)).collect());
            }
            (Self::Table(_, rows), Line::Row(cells)) => {
                rows.push(cells.iter().map(|c| cut(&plain(&cell_text(c)), 60)).collect());
            }
            (Self::Csv(csv), Line::Columns(names)) => {
                csv.write_record(names.iter().map(|name| neutral(name))).map_err(written)?;
            }
            (Self::Csv(csv), Line::Row(cells)) => {
                csv.write_record(cells.iter().map(csv_cell)).map_err(written)?;
            }
            (Self::Json(_, names), Line::Columns(columns)) => *names = columns.to_vec(),
            (Self::Json(out, names), Line::Row(cells)) => {
                let row: Map<_, _> =
                    names.iter().cloned().zip(cells.iter().map(cell_json)).collect();
                writeln!(out, "{}", Value::Object(row))?;
            }
        }
        Ok(())
    }

    fn finish(self) -> std::io::Result<()> {
        match self {
            Self::Table(mut out, rows) => {
                align(&rows, &mut out)?;
                out.flush()
            }
            Self::Csv(mut csv) => csv.flush(),
            Self::Json(mut out, _) => out.flush(),
        }
    }
}

/// A cell as text. Seized text that a spreadsheet would take for a formula gets an apostrophe before
/// it; numbers stand bare.
fn csv_cell(cell: &CellValue) -> String {
    match cell {
        CellValue::Text(text) => neutral(text),
        other => cell_text(other),
    }
}

/// What the reader or the disk said, without the writer's wrapping: a closed pipe is told by it.
fn written(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}

/// Runs the command.
#[allow(clippy::print_stderr)]
pub(crate) fn run(args: &Sql) -> Result<(), Told> {
    let reader = Reader::open(&args.case.case).map_err(told(&args.case.case))?;
    let bounds = Bounds { rows: args.limit, ..Bounds::default() };
    let stdout = BufWriter::new(std::io::stdout().lock());
    let mut out = match args.format {
        _ if args.json => Out::Json(stdout, Vec::new()),
        SqlFormat::Json => Out::Json(stdout, Vec::new()),
        SqlFormat::Csv => Out::Csv(Box::new(csv::Writer::from_writer(stdout))),
        SqlFormat::Table => Out::Table(stdout, Vec::new()),
    };
    let mut failed = None;
    let answer = query(&reader, &args.query, &bounds, &mut |line| {
        failed = out.line(&line).err();
        failed.is_none()
    })
    .map_err(|error| match told(&args.case.case)(error) {
        Told::Misuse(what) => {
            Told::Misuse(format!("{what} (docs/sql.md: what there is to ask, and how)"))
        }
        other => other,
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    out.finish()?;
    if answer.cut {
        eprintln!("vigie: cut at {} rows; raise --limit for more", answer.rows);
    }
    Ok(())
}

/// Prints rows, the first being the names, in aligned columns; numbers to the right.
fn align(rows: &[Vec<String>], out: &mut dyn Write) -> std::io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let pad = " ".repeat(width - cell.chars().count());
            let number = cell.parse::<f64>().is_ok();
            line.push_str(&if number {
                format!("{pad}{cell}  ")
            } else {
                format!("{cell}{pad}  ")
            });
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
