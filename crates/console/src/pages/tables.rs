//! The rows of a bulk table, filtered and paged on the server.

use std::time::Duration;

use desk::read::{
    CellValue, Filter, Op, Order, Ordering, Rows, Snapshot, TableColumn, TableHead, TableQuery,
    Term,
};
use maud::{Markup, html};
use model::ColumnType;

use super::paging_of;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, plain, short, text};
use crate::html::icon::icon;
use crate::html::parts::{Col, choice, empty, field, notice, pager, table};
use crate::html::value::masked;
use crate::html::{Page, Place, TABLE_FILE, ways};
use crate::i18n::Lang;
use crate::query::segment;

/// Rows looked at to count exactly.
const COUNTED: u64 = 5_000_000;
/// Characters of a cell in a list; the row's source shows it whole.
const CELL: usize = 64;
/// How long a page waits for a sort before it shows how far that is.
const AT_ONCE: Duration = Duration::from_millis(150);
/// Cells on a page: a wide table has fewer rows on one, so that the page stays light.
const CELLS: usize = 1500;
/// Least and most rows on a page.
const LEAST: usize = 10;
const MOST: usize = 50;

/// What a table is for.
pub(crate) fn role<'a>(lang: Lang, t: &TableHead) -> &'a str {
    lang.find(&format!("role.{}", t.role.as_str())).unwrap_or("")
}

/// The query, without an order or columns that the table cannot give, and what to say of them. A
/// condition on a column that is not there is refused: without it, the rows would be others.
fn asked(ctx: &Ctx, head: &TableHead) -> Result<(TableQuery, Vec<String>), PageError> {
    let has = |name: &str| head.columns.iter().any(|c| c.name == name);
    let mut notes = Vec::new();
    let order = ctx.query.get("order");
    let fits = order.is_none_or(|o| o.parse::<Order>().is_ok_and(|o| has(&o.column)));
    if let Some(order) = order.filter(|_| !fits) {
        let column = order.split_once(':').map_or(order, |(_, column)| column);
        notes.push(ctx.lang.f("tables.unsorted", &[("column", &plain(column))]));
    }
    let mut ctx = ctx.clone();
    ctx.query = ctx.query.keep(|name, _| fits || name != "order");
    let mut query = query(&ctx)?;
    if query.filter.terms.iter().any(|term| !has(&term.column)) {
        return Err(PageError::Asked("error.column"));
    }
    query.columns.retain(|column| {
        let has = has(column);
        if !has && notes.len() < 5 {
            notes.push(ctx.lang.f("tables.no_column", &[("column", &plain(column))]));
        }
        has
    });
    Ok((query, notes))
}

/// The query of the URL: `f` conditions, `c` columns, `order`.
pub(crate) fn query(ctx: &Ctx) -> Result<TableQuery, PageError> {
    let mut filter = Filter::parse(ctx.query.all("f"))?;
    // The form's own fields make one more condition.
    if let Some(column) = ctx.query.get("column") {
        let op: Op = ctx.query.get("op").unwrap_or("eq").parse()?;
        let value = ctx.query.get("value").unwrap_or("").to_owned();
        if !value.is_empty() || matches!(op, Op::Null | Op::Present) {
            filter.terms.push(Term { column: column.to_owned(), op, value });
        }
    }
    Ok(TableQuery {
        table: ctx.param(0).to_owned(),
        filter,
        columns: ctx.query.all("c").map(str::to_owned).collect(),
        order: ctx.query.get("order").map(str::parse).transpose()?,
    })
}

/// `GET /tables/{id}`.
pub(crate) fn rows(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let head = snapshot.table(ctx.param(0))?.ok_or(PageError::NotFound)?;
    let (query, notes) = asked(ctx, &head)?;
    if ctx.json() && !notes.is_empty() {
        return Err(desk::Error::Asked(notes.join(" ")).into());
    }
    let every =
        !query.columns.is_empty() && head.columns.iter().all(|c| query.columns.contains(&c.name));
    if ctx.query.get("column").is_some() || every {
        // A condition from the form becomes one of the list, and all columns are none in particular:
        // the URL says what is shown, and no more.
        return Ok(Answer::Moved(with_terms(ctx, &query.filter.terms, every)));
    }
    // A small table is sorted before anybody notices; a large one shows how far it is.
    let ordering = snapshot.ordering(&query, AT_ONCE)?;
    if ordering != Ordering::AtHand {
        return Ok(not_yet(ctx, &head, &query, &ordering));
    }
    let found = snapshot.rows(&query, &paging_of(ctx, usual(&head, &query)))?;
    if ctx.json() {
        return Ok(Answer::Json(rows_json(&found)));
    }
    let matched = match found.page.total {
        Some(total) => Some(total),
        None => snapshot.count_rows(&query, COUNTED)?,
    };
    let title = match matched {
        Some(n) => lang.n("tables.rows_title", n, &[("table", &plain(&head.name))]),
        None => lang.f(
            "tables.rows_many",
            &[("table", &plain(&head.name)), ("rows", &lang.n("count.rows", head.rows, &[]))],
        ),
    };
    let body = html! {
        (conditions(ctx, &head, &query))
        div #results {
            @if found.page.items.is_empty() && found.page.next.is_none() { (empty(lang.t("part.none"), lang.t("part.none_filter"))) }
            @else {
                @if found.partial { (notice(lang.t("tables.partial"))) }
                (grid(ctx, &found))
                (pager(ctx, found.page.next.as_deref()))
            }
        }
    };
    let mut page = Page::new(ctx, Place::Tables, title, body);
    page.notes = notes;
    page.eyebrow = eyebrow(lang, &head);
    let export = |kind: &str| {
        ctx.query.url(
            &format!("/tables/{}/{kind}", segment(&head.id)),
            &["after", "limit", "format"],
            &[],
        )
    };
    page.actions = html! {
        @if ctx.opens(TABLE_FILE) {
            a.button href=(export("csv")) download { (icon("download")) "CSV" }
            a.button href=(export("xlsx")) download { (icon("download")) "XLSX" }
        }
    };
    Ok(Answer::Page(Box::new(page)))
}

fn eyebrow(lang: Lang, head: &TableHead) -> Markup {
    html! {
        a href="/tables" { (lang.t("place.tables")) } " · " (role(lang, head)) " · "
        a href={ "/exhibit/" (head.exhibit) } { (ways::alone(&head.exhibit_name)) }
    }
}

/// The page while the rows are not in their order yet: how far they are. It asks again by itself,
/// and can be left: the sort goes on.
fn not_yet(ctx: &Ctx, head: &TableHead, query: &TableQuery, ordering: &Ordering) -> Answer {
    let lang = ctx.lang;
    let column = query.order.as_ref().map_or("", |o| o.column.as_str());
    if ctx.json() {
        let (done, total) = match ordering {
            Ordering::Sorting { done, total, .. } => (*done, *total),
            _ => (0, 0),
        };
        return Answer::Json(serde_json::json!({ "sorting": { "done": done, "total": total } }));
    }
    let title =
        lang.f("tables.sorting", &[("table", &plain(&head.name)), ("column", &plain(column))]);
    let again = ctx.here();
    let body = html! {
        (conditions(ctx, head, query))
        @if let Ordering::Failed(why) = ordering {
            div #results {
                div.notice.is-error role="alert" {
                    p { (lang.t("tables.sort_failed")) }
                    p { code { (text(why)) } }
                    p.row { a href=(again) { (lang.t("tables.sort_again")) } a href=(ctx.url(&["order", "after"], &[])) { (lang.t("tables.unsort")) } }
                }
            }
        } @else {
            div #results hx-get=(again) hx-trigger="load delay:700ms" hx-target="#results" hx-select="#results"
                hx-swap="outerHTML" hx-select-oob="#title" {
                section.progress aria-label=(title) { (progress(lang, ordering)) }
                p.row { a href=(again) { (lang.t("tables.sort_look")) } a href=(ctx.url(&["order", "after"], &[])) { (lang.t("tables.unsort")) } }
            }
        }
    };
    let mut page = Page::new(ctx, Place::Tables, title, body);
    page.eyebrow = eyebrow(lang, head);
    Answer::Page(Box::new(page))
}

fn progress(lang: Lang, ordering: &Ordering) -> Markup {
    let Ordering::Sorting { done, total, elapsed } = ordering else {
        return html! {
            strong { (lang.t("tables.sort_waiting")) }
            progress aria-label=(lang.t("tables.sort_waiting")) {}
            p.quiet { (lang.t("tables.sort_why")) }
        };
    };
    let share = fmt::percent(*done, *total);
    let left = (*done > 0 && total > done && elapsed.as_secs() >= 2)
        .then(|| elapsed.as_secs_f64() * (total - done) as f64 / *done as f64);
    html! {
        div.row {
            strong { (fmt::share(lang, *done, *total)) }
            @if let Some(left) = left { span.end { (lang.f("overview.left", &[("time", &fmt::duration(left.ceil() as u64))])) } }
        }
        progress max="100" value=(share) aria-label=(lang.t("tables.sort_why")) { (fmt::share(lang, *done, *total)) }
        p.quiet { (lang.t("tables.sort_why")) }
    }
}

/// Rows on a page, unless the URL says another number.
fn usual(head: &TableHead, query: &TableQuery) -> usize {
    let columns = if query.columns.is_empty() { head.columns.len() } else { query.columns.len() };
    (CELLS / columns.max(1)).clamp(LEAST, MOST)
}

/// A condition in words; a moment beside the number that panels write it as.
pub(crate) fn condition(lang: Lang, term: &Term) -> Markup {
    let moment = term.value.parse().ok().filter(|_| term.op == Op::Unexpired).map(fmt::moment);
    html! {
        (mono(&term.column)) " " (lang.t(&format!("op.{}", term.op))) " " (text(&term.value))
        @if let Some(moment) = moment { " " span.quiet { "(" (moment) ")" } }
    }
}

/// The conditions in force, each with the way to drop it, and the form for one more.
fn conditions(ctx: &Ctx, head: &TableHead, query: &TableQuery) -> Markup {
    let lang = ctx.lang;
    let ops: Vec<_> =
        Op::all().map(|op| (op.to_string(), lang.t_owned(&format!("op.{op}")))).collect();
    html! {
        @if !query.filter.terms.is_empty() {
            ul.chips aria-label=(lang.t("tables.conditions")) {
                @for (i, term) in query.filter.terms.iter().enumerate() {
                    @let rest: Vec<Term> = query.filter.terms.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, t)| t.clone()).collect();
                    li { a.chip href=(with_terms(ctx, &rest, false)) aria-label=(lang.f("tables.drop", &[("column", &plain(&term.column))])) {
                        span { (condition(lang, term)) } (icon("close"))
                    } }
                }
            }
        }
        form.filters method="get" action=(ctx.path) aria-label=(lang.t("part.filters")) {
            @for (name, value) in ctx.query.but(&["after", "column", "op", "value"]).filter(|(n, _)| *n != "c") { input type="hidden" name=(name) value=(value); }
            (choice(lang.t("tables.column"), "column", None, lang.t("tables.choose_column"),
                head.columns.iter().filter(|c| !c.secret).map(|c| (c.name.as_str(), plain(&c.name)))))
            (choice(lang.t("tables.op"), "op", Some("eq"), lang.t("op.eq"), ops.iter().skip(1).map(|(k, v)| (k.as_str(), v.clone()))))
            (field(lang.t("tables.value"), "value", "", "text"))
            button type="submit" { (lang.t("tables.add")) }
            (chooser(ctx, head, query))
        }
    }
}

/// Which columns are shown. Without script too: the same form.
fn chooser(ctx: &Ctx, head: &TableHead, query: &TableQuery) -> Markup {
    let lang = ctx.lang;
    let shown = |name: &str| query.columns.is_empty() || query.columns.iter().any(|c| c == name);
    html! {
        details {
            summary {
                @if query.columns.is_empty() { (lang.n("tables.all_columns", head.columns.len() as u64, &[])) }
                @else { (lang.n("tables.some_columns", query.columns.len() as u64, &[("all", &fmt::number(head.columns.len() as u64))])) }
            }
            fieldset.checks {
                legend { (lang.t("tables.columns_shown")) }
                @for c in &head.columns {
                    label { input type="checkbox" name="c" value=(c.name) checked[shown(&c.name)]; (text(&c.name)) }
                }
            }
            button type="submit" { (lang.t("part.apply")) }
            @if !query.columns.is_empty() { " " a href=(ctx.url(&["c", "after"], &[])) { (lang.t("tables.show_all")) } }
        }
    }
}

fn with_terms(ctx: &Ctx, terms: &[Term], every_column: bool) -> String {
    let shown: Vec<String> = terms.iter().map(ToString::to_string).collect();
    let add: Vec<(&str, &str)> = shown.iter().map(|t| ("f", t.as_str())).collect();
    let drop = ["f", "after", "column", "op", "value", "c"];
    ctx.url(&drop[..if every_column { 6 } else { 5 }], &add)
}

fn grid(ctx: &Ctx, found: &Rows) -> Markup {
    let lang = ctx.lang;
    let mut cols = vec![Col::with(html! { span.sr { (lang.t("tables.source")) } }, false)];
    cols.extend(found.columns.iter().map(|c| Col::with(column_head(ctx, c), numeric(c))));
    let rows = found.page.items.iter().map(|row| {
        let label = lang.f("tables.row_source", &[("n", &fmt::number(row.number + 1))]);
        let mut cells = vec![html! {
            a.source href={ "/exhibit/" (found.table.exhibit) "?at=" (row.start) "-" (row.end) } title=(label) {}
        }];
        cells.extend(row.cells.iter().zip(&found.columns).map(|(cell, column)| cell_markup(lang, cell, column)));
        cells
    });
    html! { div.grid { (table(&plain(&found.table.name), &cols, rows)) } }
}

fn numeric(c: &TableColumn) -> bool {
    matches!(c.ty, ColumnType::Int | ColumnType::Real) && !is_time(c)
}

fn is_time(c: &TableColumn) -> bool {
    use model::Meaning as M;
    c.ty == ColumnType::Int
        && matches!(c.meaning, Some(M::Time | M::TimeEnd | M::Expiry | M::Created))
}

/// A column's name, what it means, and the way to have rows in its order.
fn column_head(ctx: &Ctx, c: &TableColumn) -> Markup {
    let lang = ctx.lang;
    let meaning = c.meaning.and_then(|m| lang.find(&format!("meaning.{}", m.as_str())));
    let order = ctx.query.get("order").and_then(|o| o.parse::<Order>().ok());
    let now = order.filter(|o| o.column == c.name).map(|o| o.descending);
    // Up, down, and back to the source's order.
    let next = |descending| Order { column: c.name.clone(), descending }.to_string();
    let to = |next: &str| ctx.url(&["order", "after"], &[("order", next)]);
    html! {
        @match now {
            _ if c.secret => (text(&c.name)),
            None => a href=(to(&next(false))) title=(lang.t("tables.sort")) { (text(&c.name)) },
            Some(false) => a href=(to(&next(true))) title=(lang.t("tables.sort_down")) { (text(&c.name)) " ↑" span.sr { (lang.t("tables.is_up")) } },
            Some(true) => a href=(ctx.url(&["order", "after"], &[])) title=(lang.t("tables.unsort")) { (text(&c.name)) " ↓" span.sr { (lang.t("tables.is_down")) } },
        }
        @if let Some(meaning) = meaning { br; span.quiet { (meaning) } }
    }
}

fn cell_markup(lang: Lang, cell: &CellValue, column: &TableColumn) -> Markup {
    match cell {
        CellValue::Null => html! { span.quiet { "∅" } },
        CellValue::Masked => masked(lang),
        CellValue::Int(n) if is_time(column) && (100_000_000..100_000_000_000).contains(n) => {
            html! { time { (fmt::moment(*n)) } }
        }
        // As it stands in the source: most numbers of a dump name things, and are not counted.
        CellValue::Int(n) => html! { (n) },
        CellValue::Real(n) => html! { (n) },
        CellValue::Text(value) if value.is_empty() => html! {},
        CellValue::Text(value) => short(value, CELL),
        CellValue::Bytes(bytes) => {
            html! { span.mono { "0x" (model::id::hex(&bytes[..bytes.len().min(24)])) @if bytes.len() > 24 { "…" } } }
        }
    }
}

/// A table as data.
pub(crate) fn head_json(t: &TableHead) -> serde_json::Value {
    serde_json::json!({
        "id": t.id, "name": t.name, "db": t.db, "role": t.role.as_str(), "rows": t.rows, "sql_name": t.sql_name,
        "exhibit": t.exhibit.to_string(), "panel": t.panel,
        "columns": t.columns.iter().map(|c| serde_json::json!({ "name": c.name, "meaning": c.meaning.map(model::Meaning::as_str), "secret": c.secret, "indexed": c.indexed })).collect::<Vec<_>>(),
    })
}

fn rows_json(found: &Rows) -> serde_json::Value {
    let columns: Vec<&str> = found.columns.iter().map(|c| c.name.as_str()).collect();
    let rows: Vec<_> = found
        .page
        .items
        .iter()
        .map(|r| {
            serde_json::json!({
                "number": r.number, "start": r.start, "end": r.end,
                "cells": r.cells.iter().map(cell_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    serde_json::json!({
        "table": found.table.id, "exhibit": found.table.exhibit.to_string(), "columns": columns, "rows": rows,
        "next": found.page.next, "partial": found.partial,
    })
}

fn cell_json(cell: &CellValue) -> serde_json::Value {
    match cell {
        CellValue::Null => serde_json::Value::Null,
        // Beyond 53 bits a reader of JSON would round it.
        CellValue::Int(n) if n.unsigned_abs() > 1 << 53 => serde_json::json!(n.to_string()),
        CellValue::Int(n) => serde_json::json!(n),
        CellValue::Real(n) => serde_json::json!(n),
        CellValue::Text(t) => serde_json::json!(t),
        CellValue::Bytes(b) => serde_json::json!({ "hex": model::id::hex(b) }),
        CellValue::Masked => serde_json::json!({ "masked": true }),
    }
}
