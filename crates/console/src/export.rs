//! Rows of a table as files: exactly what the page's URL selects.
//!
//! Seized text may be a formula to whoever opens it in a spreadsheet. In CSV such text gets an
//! apostrophe before it ([`desk::export::neutral`]); in XLSX every text is stored as text, so nothing is changed.

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use desk::export::neutral;
use desk::read::{CellValue, Row, Snapshot, TableColumn, TableHead, TableQuery};
use futures_util::stream;
use rust_xlsxwriter::{Format, Workbook, XlsxError};
use tokio::sync::mpsc;

use crate::app::{App, Ctx, PageError, fail};
use crate::pages::tables::query;

/// Most cells of a workbook: it is made in memory. A larger selection goes out as CSV.
const MAX_CELLS: u64 = 2_000_000;
/// Most rows of a sheet, its head included (the format's own bound).
const MAX_ROWS: u64 = 1_048_576;
/// Most characters of a cell (the format's own bound).
const MAX_TEXT: usize = 32_767;
/// A piece of a CSV on its way.
const PIECE: usize = 64 * 1024;

/// One cell, quoted. Numbers stand bare; an absent value is empty, and so differs from `""`.
fn csv_cell(cell: &CellValue, out: &mut String) {
    match cell {
        CellValue::Null => {}
        CellValue::Int(n) => out.push_str(&n.to_string()),
        CellValue::Real(n) => out.push_str(&n.to_string()),
        CellValue::Text(text) => quote(&neutral(text), out),
        CellValue::Bytes(bytes) => quote(&format!("0x{}", model::id::hex(bytes)), out),
        CellValue::Masked => quote("•••", out),
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

/// The head: the columns' names, then where each row stands.
fn csv_head(columns: &[TableColumn], out: &mut String) {
    for column in columns {
        quote(&neutral(&column.name), out);
        out.push(',');
    }
    out.push_str("\"exhibit\",\"start\",\"end\"\r\n");
}

fn csv_row(row: &Row, exhibit: &str, out: &mut String) {
    for cell in &row.cells {
        csv_cell(cell, out);
        out.push(',');
    }
    out.push_str(&format!("\"{exhibit}\",{},{}\r\n", row.start, row.end));
}

/// What is to be exported: the table, the query, and the columns it gives.
fn selected(
    ctx: &Ctx,
    snapshot: &Snapshot,
) -> Result<(TableHead, TableQuery, Vec<TableColumn>), PageError> {
    let head = snapshot.table(ctx.param(0))?.ok_or(PageError::NotFound)?;
    let query = query(ctx)?;
    let columns = if query.columns.is_empty() {
        head.columns.clone()
    } else {
        query
            .columns
            .iter()
            .filter_map(|name| head.columns.iter().find(|c| c.name == *name))
            .cloned()
            .collect()
    };
    Ok((head, query, columns))
}

fn ctx_of(headers: &HeaderMap, id: String, query: Option<String>) -> Ctx {
    let path = format!("/tables/{}", crate::query::segment(&id));
    Ctx::of(headers, &path, query.as_deref().unwrap_or(""), vec![id])
}

/// A file's name from a table's: nothing in it but letters, digits, `-` and `_`.
fn file_name(head: &TableHead, ending: &str) -> String {
    let safe: String = head
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(60)
        .collect();
    format!("attachment; filename=\"{safe}-{}.{ending}\"", head.id)
}

/// `GET /tables/{id}/csv`: streamed, whatever its size.
pub(crate) async fn csv(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let ctx = ctx_of(&headers, id, query);
    let asked = ctx.clone();
    // The query is checked before the answer begins, so that its errors can still be said.
    let found = app.read(move |snapshot| {
        let (head, query, columns) = selected(&asked, snapshot)?;
        snapshot.rows(&query, &desk::read::Paging { after: None, limit: 1 })?;
        Ok((head, query, columns))
    });
    let (head, query, columns) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let name = file_name(&head, "csv");
    let (sender, receiver) = mpsc::channel::<Result<Bytes, PageError>>(8);
    tokio::spawn(async move {
        let failed = sender.clone();
        let work = app.read(move |snapshot| {
            let exhibit = head.exhibit.to_string();
            let mut piece = String::with_capacity(PIECE + 4096);
            csv_head(&columns, &mut piece);
            let mut open = true;
            snapshot.each_row(&query, &mut |row| {
                csv_row(row, &exhibit, &mut piece);
                if piece.len() >= PIECE {
                    // A reader that went away ends the work.
                    open =
                        sender.blocking_send(Ok(Bytes::from(std::mem::take(&mut piece)))).is_ok();
                }
                open
            })?;
            if open {
                let _ = sender.blocking_send(Ok(Bytes::from(piece)));
            }
            Ok(())
        });
        if let Err(error) = work.await {
            // The connection breaks off: a file that is cut must not look whole.
            let _ = failed.send(Err(error)).await;
        }
    });
    let pieces = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        Body::from_stream(pieces),
    )
        .into_response()
}

/// `GET /tables/{id}/xlsx`.
pub(crate) async fn xlsx(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let ctx = ctx_of(&headers, id, query);
    let asked = ctx.clone();
    let made = app.read(move |snapshot| {
        let (head, query, columns) = selected(&asked, snapshot)?;
        let most = (MAX_CELLS / (columns.len() as u64 + 3)).min(MAX_ROWS - 1);
        let bytes = workbook(snapshot, &head, &query, &columns, most)?;
        Ok((file_name(&head, "xlsx"), bytes))
    });
    match made.await {
        Ok((name, bytes)) => (
            [
                (
                    header::CONTENT_TYPE,
                    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
                ),
                (header::CONTENT_DISPOSITION, name),
            ],
            bytes,
        )
            .into_response(),
        Err(error) => fail(&ctx, &error),
    }
}

fn workbook(
    snapshot: &Snapshot,
    head: &TableHead,
    query: &TableQuery,
    columns: &[TableColumn],
    most: u64,
) -> Result<Vec<u8>, PageError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let bold = Format::new().set_bold();
    let mut failed = None;
    let mut beyond = false;
    let mut write_head = || -> Result<(), XlsxError> {
        for (i, name) in
            columns.iter().map(|c| c.name.as_str()).chain(["exhibit", "start", "end"]).enumerate()
        {
            sheet.write_string_with_format(0, column(i), cut(name), &bold)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(())
    };
    write_head().map_err(|_| PageError::Broken)?;
    let exhibit = head.exhibit.to_string();
    let mut at: u32 = 0;
    snapshot.each_row(query, &mut |row| {
        if u64::from(at) >= most {
            beyond = true;
            return false;
        }
        at += 1;
        let written = write_row(sheet, at, row, &exhibit);
        failed = written.err();
        failed.is_none()
    })?;
    if beyond {
        return Err(PageError::Bound("error.xlsx"));
    }
    if failed.is_some() {
        return Err(PageError::Broken);
    }
    book.save_to_buffer().map_err(|_| PageError::Broken)
}

fn column(i: usize) -> u16 {
    u16::try_from(i).unwrap_or(u16::MAX)
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(end, _)| &text[..end])
}

fn write_row(
    sheet: &mut rust_xlsxwriter::Worksheet,
    at: u32,
    row: &Row,
    exhibit: &str,
) -> Result<(), XlsxError> {
    for (i, cell) in row.cells.iter().enumerate() {
        let i = column(i);
        match cell {
            CellValue::Null => {}
            // A spreadsheet keeps 15 digits: longer numbers are text, so that none is rounded.
            CellValue::Int(n) if n.unsigned_abs() >= 1_000_000_000_000_000 => {
                sheet.write_string(at, i, n.to_string())?;
            }
            #[allow(clippy::cast_precision_loss, reason = "fewer than 53 bits")]
            CellValue::Int(n) => {
                sheet.write_number(at, i, *n as f64)?;
            }
            CellValue::Real(n) if n.is_finite() => {
                sheet.write_number(at, i, *n)?;
            }
            CellValue::Real(n) => {
                sheet.write_string(at, i, n.to_string())?;
            }
            CellValue::Text(text) => {
                sheet.write_string(at, i, cut(text))?;
            }
            CellValue::Bytes(bytes) => {
                let shown = &bytes[..bytes.len().min(MAX_TEXT / 2 - 1)];
                sheet.write_string(at, i, format!("0x{}", model::id::hex(shown)))?;
            }
            CellValue::Masked => {
                sheet.write_string(at, i, "•••")?;
            }
        }
    }
    let i = row.cells.len();
    sheet.write_string(at, column(i), exhibit)?;
    sheet.write_string(at, column(i + 1), row.start.to_string())?;
    sheet.write_string(at, column(i + 2), row.end.to_string())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_text() {
        let mut out = String::new();
        csv_cell(&CellValue::Int(-5), &mut out);
        csv_cell(&CellValue::Text("say \"=1\"".into()), &mut out);
        assert_eq!(out, "-5\"say \"\"=1\"\"\"");
    }

    /// Cells as a program sees them that splits at `separator`, knowing of quotes or not.
    fn cells(csv: &str, separator: char) -> Vec<String> {
        csv.split([separator, '\n', '\r'])
            .map(|c| {
                c.trim_matches(|c: char| {
                    c == '"'
                        || c.is_whitespace()
                        || c.is_control()
                        || ('\u{200b}'..='\u{200f}').contains(&c)
                        || c == '\u{2060}'
                        || c == '\u{feff}'
                })
                .to_owned()
            })
            .collect()
    }

    proptest! {
        #[test]
        fn no_cell_of_any_reading_begins_a_formula(
            texts in prop::collection::vec("[=+\\-@;,\\t\\n\\r|\"' a1\u{feff}\u{200b}＝]{0,12}", 1..4)
        ) {
            let mut csv = String::new();
            for text in &texts {
                csv_cell(&CellValue::Text(text.clone()), &mut csv);
                csv.push(',');
            }
            for separator in [',', ';', '\t', '|'] {
                for cell in cells(&csv, separator) {
                    let first = cell.chars().next();
                    prop_assert!(!first.is_some_and(|c| "=+-@＝＋－＠\u{2212}".contains(c)), "{cell:?} of {csv:?}");
                }
            }
        }

        #[test]
        fn what_is_quoted_reads_back(text in any::<String>()) {
            let mut out = String::new();
            csv_cell(&CellValue::Text(text.clone()), &mut out);
            let inner = out.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap().replace("\"\"", "\"");
            prop_assert_eq!(inner, neutral(&text));
        }
    }
}
