//! Search: one field over entities, facts, rows of tables and exhibits. Also the palette's answers.

use desk::read::{CellValue, Filter, Op, RowHit, SearchResult, Snapshot, TableQuery, Term};
use maud::{Markup, html};

use super::exhibits;
use super::{head_json, value_json};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, plain, short, text};
use crate::html::parts::empty;
use crate::html::value::{self, kind_name, property_name, rows_url};
use crate::html::ways::Ways;
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::url;

/// Hits of each sort on the page, and in the palette.
const HITS: usize = 30;
const PALETTE: usize = 6;

/// `GET /search?q=`; as a part, the palette's list.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let query = ctx.query.get("q").unwrap_or("").trim();
    let palette = ctx.part.as_deref() == Some("palette-hits");
    let found = if query.is_empty() {
        SearchResult::default()
    } else {
        snapshot.search(query, if palette { PALETTE } else { HITS })?
    };
    if ctx.json() {
        return Ok(Answer::Json(data(&found)));
    }
    let named = found.exhibits.iter().map(|e| e.id);
    let tables = found.rows.iter().chain(&found.messages).map(|hit| hit.table.exhibit);
    let ways = Ways::of(snapshot, named.chain(tables))?;
    if palette {
        return Ok(Answer::Part(hits(lang, query, &found, &ways)));
    }
    let n = count(&found);
    let title = if query.is_empty() {
        lang.t("search.title").to_owned()
    } else if found.more {
        lang.n("search.title_more", n, &[("query", &plain(query))])
    } else {
        lang.n("search.title_n", n, &[("query", &plain(query))])
    };
    let body = html! {
        form.search role="search" method="get" action="/search" {
            label for="q" .sr { (lang.t("search.placeholder")) }
            input #q type="search" name="q" value=(query) placeholder=(lang.t("search.placeholder")) autocomplete="off" spellcheck="false"
                hx-get="/search" hx-trigger="input changed delay:250ms" hx-target="#results" hx-select="#results"
                hx-select-oob="#title" hx-swap="outerHTML" hx-push-url="true" hx-sync="this:replace";
            button type="submit" { (lang.t("place.search")) }
        }
        div #results {
            @if query.is_empty() { (hints(lang)) }
            @else if n == 0 { (empty(lang.t("part.none"), lang.t("search.none"))) }
            @else { (results(lang, &found, &ways)) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Search, title, body))))
}

fn count(found: &SearchResult) -> u64 {
    let rows: u64 = found.rows.iter().map(|r| r.count).sum();
    rows + (found.entities.len() + found.messages.len() + found.facts.len() + found.exhibits.len())
        as u64
}

fn hints(lang: Lang) -> Markup {
    html! {
        div.prose {
            p { (lang.t("search.how")) }
            ul {
                li { (lang.t("search.how_words")) }
                li { (lang.t("search.how_exact")) }
                li { (lang.t("search.how_hash")) }
            }
        }
    }
}

fn results(lang: Lang, found: &SearchResult, ways: &Ways) -> Markup {
    html! {
        @if !found.entities.is_empty() {
            section aria-labelledby="h-entities" {
                h2 #h-entities { (lang.t("place.entities")) }
                ul.hits.flat {
                    @for hit in &found.entities {
                        li {
                            (value::entity(lang, &hit.entity))
                            span.quiet { (kind_name(lang, hit.entity.kind)) " · " (matched(lang, &hit.matched)) " " }
                            (short(&hit.excerpt, 120))
                        }
                    }
                }
            }
        }
        @if !found.rows.is_empty() {
            section aria-labelledby="h-rows" {
                h2 #h-rows { (lang.t("search.rows")) }
                ul.hits.flat { @for hit in &found.rows { li { (row(lang, hit, ways)) } } }
            }
        }
        @if !found.messages.is_empty() {
            section aria-labelledby="h-messages" {
                h2 #h-messages { (lang.t("search.messages")) }
                ul.hits.flat { @for hit in &found.messages { li { (message(lang, hit, ways)) } } }
            }
        }
        @if !found.facts.is_empty() {
            section aria-labelledby="h-facts" {
                h2 #h-facts { (lang.t("facts.title")) }
                ul.hits.flat {
                    @for hit in &found.facts {
                        li {
                            (value::entity(lang, &hit.entity))
                            span.quiet { (property_name(lang, &hit.fact.property)) " " }
                            (value::shown(lang, &hit.fact.value, &hit.fact.property))
                            (value::source(lang, &hit.fact.source))
                        }
                    }
                }
            }
        }
        @if !found.exhibits.is_empty() {
            section aria-labelledby="h-exhibits" {
                h2 #h-exhibits { (lang.t("place.exhibits")) }
                (exhibits::rows(lang, &found.exhibits, ways))
            }
        }
    }
}

fn matched(lang: Lang, what: &str) -> &str {
    match what {
        "caption" => lang.find("entities.name").unwrap_or(what),
        "key" => lang.find("entities.key").unwrap_or(what),
        other => property_name(lang, other),
    }
}

/// The value of the column that matched.
fn matched_cell(hit: &RowHit) -> Option<String> {
    let at = hit.columns.iter().position(|c| c.name == hit.column)?;
    match hit.row.cells.get(at)? {
        CellValue::Text(text) => Some(text.clone()),
        CellValue::Int(n) => Some(n.to_string()),
        _ => None,
    }
}

fn row_url(hit: &RowHit) -> String {
    let terms = matched_cell(hit)
        .map(|value| Term { column: hit.column.clone(), op: Op::Eq, value })
        .into_iter()
        .collect();
    rows_url(&TableQuery {
        table: hit.table.id.clone(),
        filter: Filter { terms },
        ..TableQuery::default()
    })
}

fn row(lang: Lang, hit: &RowHit, ways: &Ways) -> Markup {
    html! {
        a href=(row_url(hit)) {
            (mono(&hit.table.name)) " · " (mono(&hit.column)) " = "
            @if let Some(value) = matched_cell(hit) { (short(&value, 80)) }
        }
        " " span.quiet { (lang.n("count.rows", hit.count, &[])) " · " (ways.name(&hit.table.exhibit, &hit.table.exhibit_name)) " " }
        a.source href={ "/exhibit/" (hit.table.exhibit) "?at=" (hit.row.start) "-" (hit.row.end) } title=(lang.t("tables.source")) {}
    }
}

/// The text of a hit's cell in the column of that name.
fn cell_of(hit: &RowHit, column: &str) -> String {
    let cells = hit.columns.iter().zip(&hit.row.cells);
    let cell = cells.filter(|(c, _)| c.name == column).map(|(_, cell)| cell).next();
    match cell {
        Some(CellValue::Text(text)) => text.clone(),
        Some(CellValue::Int(n)) => n.to_string(),
        _ => String::new(),
    }
}

/// A message: who, when, what, and where it stands.
fn message(lang: Lang, hit: &RowHit, ways: &Ways) -> Markup {
    let source = format!("/exhibit/{}?at={}-{}", hit.table.exhibit, hit.row.start, hit.row.end);
    html! {
        a href=(source) { (short(&cell_of(hit, &hit.column), 160)) }
        " " span.quiet {
            (short(&cell_of(hit, "from_name"), 40)) " · " (text(&cell_of(hit, "time"))) " · "
            (ways.name(&hit.table.exhibit, &hit.table.exhibit_name)) " "
        }
        a.source href=(source) title=(lang.t("tables.source")) {}
    }
}

/// The palette's list: what there is, then the way to everything.
fn hits(lang: Lang, query: &str, found: &SearchResult, ways: &Ways) -> Markup {
    html! {
        ul.hits {
            @for hit in &found.entities {
                li { a href={ "/entity/" (hit.entity.id) } {
                    (value::shape(hit.entity.kind)) span { (short(&hit.entity.caption, 60)) }
                    span.keys { (kind_name(lang, hit.entity.kind)) }
                } }
            }
            @for hit in &found.rows {
                li { a href=(row_url(hit)) {
                    (crate::html::icon::icon("tables"))
                    span { (short(&matched_cell(hit).unwrap_or_default(), 60)) }
                    span.keys { (short(&hit.table.name, 24)) " · " (fmt::number(hit.count)) }
                } }
            }
            @for e in &found.exhibits {
                li { a href={ "/exhibit/" (e.id) } {
                    (crate::html::icon::icon("exhibits")) span { (ways.name(&e.id, &e.name)) } span.keys { (fmt::bytes(lang, e.size)) }
                } }
            }
            @if !query.is_empty() {
                li { a href=(url("/search", [("q", query)])) {
                    (crate::html::icon::icon("search"))
                    span { @if count(found) == 0 { (lang.t("part.none")) } @else { (lang.t("search.all")) } }
                } }
            }
        }
    }
}

fn data(found: &SearchResult) -> serde_json::Value {
    serde_json::json!({
        "entities": found.entities.iter().map(|h| serde_json::json!({ "entity": head_json(&h.entity), "matched": h.matched, "excerpt": h.excerpt })).collect::<Vec<_>>(),
        "rows": found.rows.iter().map(|h| serde_json::json!({ "table": h.table.id, "column": h.column, "count": h.count, "rows": row_url(h) })).collect::<Vec<_>>(),
        "messages": found.messages.iter().map(|h| serde_json::json!({ "from": cell_of(h, "from"), "time": cell_of(h, "time"), "text": cell_of(h, &h.column), "exhibit": h.table.exhibit.to_string(), "start": h.row.start, "end": h.row.end })).collect::<Vec<_>>(),
        "facts": found.facts.iter().map(|h| serde_json::json!({ "entity": head_json(&h.entity), "property": h.fact.property, "value": value_json(&h.fact.value) })).collect::<Vec<_>>(),
        "exhibits": found.exhibits.iter().map(exhibits::head_json).collect::<Vec<_>>(),
        "more": found.more,
    })
}
