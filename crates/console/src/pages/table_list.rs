//! Bulk tables: which there are, those of a known use first, filtered in the URL.

use desk::read::{Snapshot, TableHead};
use maud::{Markup, html};
use model::{ExhibitId, TableRole};

use super::tables::{head_json, role};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, choice, count, empty, field, filters, pager, table};
use crate::html::ways::Ways;
use crate::html::{Page, Place};
use crate::query::{segment, url};

/// Tables on a page.
const PAGE: usize = 100;

/// `GET /tables`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let mut tables = snapshot.tables(ctx.query.read::<ExhibitId>("exhibit"))?;
    if let Some(role) = ctx.query.get("role") {
        tables.retain(|t| t.role.as_str() == role);
    }
    if let Some(words) = ctx.query.get("q").map(str::to_lowercase) {
        let holds = |text: &str| text.to_lowercase().contains(&words);
        tables.retain(|t| holds(&t.name) || holds(&t.db) || holds(&t.exhibit_name));
    }
    if ctx.json() {
        return Ok(Answer::Json(tables.iter().map(head_json).collect()));
    }
    // What Vigie knows the use of stands first, then what holds most.
    tables.sort_by(|a, b| {
        let place = |t: &TableHead| (t.role == TableRole::Plain, std::cmp::Reverse(t.rows));
        place(a).cmp(&place(b)).then_with(|| a.id.cmp(&b.id))
    });
    let total: u64 = tables.iter().map(|t| t.rows).sum();
    let values: u64 = tables.iter().map(|t| t.present).sum();
    let title = lang.f(
        "tables.title",
        &[
            ("tables", &lang.n("count.tables", tables.len() as u64, &[])),
            ("rows", &lang.n("count.rows", total, &[])),
            ("values", &lang.n("count.values", values, &[])),
        ],
    );
    let begin = ctx
        .query
        .get("after")
        .and_then(|id| tables.iter().position(|t| t.id == id))
        .map_or(0, |place| place + 1);
    let shown = &tables[begin..(begin + PAGE).min(tables.len())];
    let next = (begin + PAGE < tables.len()).then(|| shown.last()).flatten().map(|t| &*t.id);
    let ways = Ways::of(snapshot, shown.iter().map(|t| t.exhibit))?;
    let body = html! {
        (form(ctx))
        div #results {
            @if shown.is_empty() { (none(ctx)) }
            @else { (list(ctx, shown, &ways)) (pager(ctx, next)) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Tables, title, body))))
}

fn none(ctx: &Ctx) -> Markup {
    let filtered = ["q", "role", "exhibit"].iter().any(|name| ctx.query.get(name).is_some());
    let why = if filtered { "part.none_filter" } else { "tables.none" };
    empty(ctx.lang.t("part.none"), ctx.lang.t(why))
}

fn form(ctx: &Ctx) -> Markup {
    let lang = ctx.lang;
    let roles = TableRole::ALL.map(|r| (r.as_str(), lang.t_owned(&format!("role.{}", r.as_str()))));
    filters(
        ctx,
        html! {
            // Conditions handed down from a figure stay.
            @for (name, value) in ctx.query.but(&["after", "q", "role", "format"]) { input type="hidden" name=(name) value=(value); }
            (field(lang.t("tables.find"), "q", ctx.query.get("q").unwrap_or(""), "search"))
            (choice(lang.t("tables.role"), "role", ctx.query.get("role"), lang.t("tables.all_roles"), roles))
        },
    )
}

fn list(ctx: &Ctx, tables: &[TableHead], ways: &Ways) -> Markup {
    let lang = ctx.lang;
    // Conditions handed down from a figure are kept on the way to the rows it counts.
    let terms: Vec<(&str, &str)> = ctx.query.all("f").map(|t| ("f", t)).collect();
    let cols = [
        Col::text(lang.t("tables.name")),
        Col::text(lang.t("tables.role")),
        Col::number(lang.t("tables.rows")),
        Col::number(lang.t("tables.values")),
        Col::number(lang.t("tables.columns")),
        Col::text(lang.t("tables.exhibit")),
    ];
    table(lang.t("place.tables"), &cols, tables.iter().map(|t| {
        let href = url(&format!("/tables/{}", segment(&t.id)), terms.iter().copied());
        vec![
            html! { a href=(href) { (mono(&t.name)) } @if !t.db.is_empty() { " " span.quiet { (text(&t.db)) } } },
            html! { (role(lang, t)) },
            count(t.rows, &href),
            html! { (fmt::number(t.present)) },
            html! { (fmt::number(t.columns.len() as u64)) },
            html! { a href={ "/exhibit/" (t.exhibit) } { (ways.name(&t.exhibit, &t.exhibit_name)) } },
        ]
    }))
}
