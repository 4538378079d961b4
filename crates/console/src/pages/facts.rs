//! Facts in the order of their bytes: of an entity, an exhibit, or a stretch of one.

use desk::read::{FactFilter, Snapshot};
use maud::html;
use model::{EntityId, ExhibitId};

use super::{paging, source_json, span, value_json};
use crate::app::{Answer, Ctx, PageError};
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, empty, field, filters, pager, table};
use crate::html::value::{self, property_name};
use crate::html::ways::Ways;
use crate::html::{Page, Place};
use crate::query::segment;

/// `GET /facts`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = FactFilter {
        entity: ctx.query.read::<EntityId>("entity"),
        exhibit: ctx.query.read::<ExhibitId>("exhibit"),
        property: ctx.query.get("property").map(str::to_owned),
        span: ctx.query.get("at").and_then(span),
    };
    let found = snapshot.facts(&filter, &paging(ctx))?;
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(|f| serde_json::json!({
            "subject": f.subject.as_str(), "property": f.property, "value": value_json(&f.value),
            "source": source_json(&f.source),
        })).collect();
        return Ok(Answer::Json(
            serde_json::json!({ "items": items, "next": found.next, "total": found.total }),
        ));
    }
    let head = filter.entity.map(|id| snapshot.entity_head(&id.to_string())).transpose()?.flatten();
    let title = match found.total {
        Some(total) => lang.n("count.facts", total, &[]),
        None => lang.t("facts.title").to_owned(),
    };
    let ways = Ways::of(snapshot, found.items.iter().map(|fact| fact.source.exhibit))?;
    let cols = [
        Col::text(lang.t("facts.subject")),
        Col::text(lang.t("facts.property")),
        Col::text(lang.t("facts.value")),
        Col::text(lang.t("facts.source")),
        Col::text(lang.t("facts.parser")),
    ];
    let rows = found.items.iter().map(|fact| vec![
        html! { a.cut href={ "/entity/" (segment(fact.subject.as_str())) } { (mono(fact.subject.as_str())) } },
        html! { (property_name(lang, &fact.property)) },
        value::shown(lang, &fact.value, &fact.property),
        html! { (ways.name(&fact.source.exhibit, &fact.source.name)) (value::source(lang, &fact.source)) },
        html! { span.mono { (fact.source.parser) } },
    ]);
    let body = html! {
        (filters(ctx, html! {
            (field(lang.t("facts.property"), "property", filter.property.as_deref().unwrap_or(""), "text"))
            @for name in ["entity", "exhibit", "at"] {
                @if let Some(value) = ctx.query.get(name) { input type="hidden" name=(name) value=(value); }
            }
        }))
        div #results {
            @if found.items.is_empty() { (empty(lang.t("part.none"), lang.t("part.none_filter"))) }
            @else { (table(lang.t("facts.title"), &cols, rows)) (pager(ctx, found.next.as_deref())) }
        }
    };
    let mut page = Page::new(ctx, Place::Entities, title, body);
    page.eyebrow = html! {
        (lang.t("facts.title"))
        @if let Some(e) = &head { " · " a href={ "/entity/" (e.id) } { (text(&e.caption)) } }
        @if let Some(id) = filter.exhibit { " · " a.mono href={ "/exhibit/" (id) } { (&id.to_string()[..12]) } }
    };
    Ok(Answer::Page(Box::new(page)))
}
