//! One figure of an entity: how it is counted, and what in.

use desk::read::{EntityHead, Figure, FigureInput, Snapshot};
use maud::{Markup, html};
use model::EntityId;

use super::overview::figure_name;
use super::{head_json, tables};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, plain, text};
use crate::html::parts::{Col, count, table};
use crate::html::value::{self, input_url, rows_url};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::segment;

/// Rows of a table that are looked at to be counted; of a longer one the page names the table alone.
const MOST: u64 = 2_000_000;

/// Where a figure has its page.
pub(crate) fn address(head: &EntityHead, figure: &Figure) -> String {
    format!("/figure/{}/{}", head.id, segment(&figure.name))
}

/// `GET /figure/{id}/{name}`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let id: EntityId = ctx.param(0).parse().map_err(|_| PageError::NotFound)?;
    let (head, figure) = snapshot.figure(id, ctx.param(1))?.ok_or(PageError::NotFound)?;
    let mut inputs = Vec::new();
    for input in &figure.inputs {
        let rows = match input {
            FigureInput::Rows(query) => snapshot.count_rows(query, MOST)?,
            _ => None,
        };
        inputs.push((input, rows));
    }
    if ctx.json() {
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(input, rows)| serde_json::json!({ "url": input_url(input), "rows": rows }))
            .collect();
        return Ok(Answer::Json(serde_json::json!({
            "entity": head_json(&head), "name": figure.name, "value": figure.value,
            "rule": figure.rule, "inputs": inputs,
        })));
    }
    let name = figure_name(lang, &figure.name);
    let title = lang.f(
        "figures.title",
        &[("name", &name), ("of", &plain(&head.caption)), ("value", &fmt::signed(figure.value))],
    );
    let cols = [
        Col::text(lang.t("tables.name")),
        Col::text(lang.t("tables.conditions")),
        Col::number(lang.t("tables.rows")),
        Col::text(lang.t("tables.exhibit")),
    ];
    let mut rows = Vec::new();
    for (input, counted) in inputs {
        if let FigureInput::Rows(query) = input
            && let Some(head) = snapshot.table(&query.table)?
        {
            let href = rows_url(query);
            rows.push(vec![
                html! { a href=(href) { (mono(&head.name)) } @if !head.db.is_empty() { " " span.quiet { (text(&head.db)) } } },
                html! {
                    @for (i, term) in query.filter.terms.iter().enumerate() {
                        @if i > 0 { br; }
                        (tables::condition(lang, term))
                    }
                },
                html! { @if let Some(n) = counted { (count(n, &href)) } @else { a href=(href) { (lang.t("figures.many")) } } },
                html! { a href={ "/exhibit/" (head.exhibit) } { (text(&head.exhibit_name)) } },
            ]);
        }
    }
    let body = html! {
        (rule(lang, &figure))
        (table(lang.t("place.tables"), &cols, rows))
        p.quiet { (lang.t("figures.once")) }
    };
    let mut page = Page::new(ctx, Place::Overview, title, body);
    page.eyebrow = html! { (value::entity(lang, &head)) };
    Ok(Answer::Page(Box::new(page)))
}

fn rule(lang: Lang, figure: &Figure) -> Markup {
    let words = lang.find(&format!("rule.{}", figure.name)).unwrap_or(&figure.rule);
    html! { p { (lang.t("part.counted")) " " (words) "." } }
}
