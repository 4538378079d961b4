//! Entities: a list by kind, filtered in the URL.

use desk::read::{EntityFilter, EntityHead, Snapshot};
use maud::{Markup, html};
use model::EntityKind;
use model::kinds::{ENTITY_KINDS, kind_of_name};

use super::{head_json, paging_of};
use crate::app::{Answer, Ctx, PageError};
use crate::html::hostile::mono;
use crate::html::parts::{Col, choice, count, empty, field, filters, pager, table};
use crate::html::value::{self, kind_name, kind_names};
use crate::html::{Page, Place, listed, rest};
use crate::query::url;

/// Entities on a page: with names and keys as long as they come, it stays light.
const PAGE: usize = 75;

/// The filter of the URL.
pub(crate) fn filter(ctx: &Ctx) -> EntityFilter {
    EntityFilter {
        kind: ctx.query.get("kind").and_then(kind_of_name),
        country: ctx.query.get("country").map(str::to_ascii_uppercase),
        asn: ctx.query.get("asn").and_then(|n| n.trim_start_matches("AS").parse().ok()),
        text: ctx.query.get("q").map(str::to_owned),
    }
}

/// `GET /entities`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = filter(ctx);
    let found = snapshot.entities(&filter, &paging_of(ctx, PAGE))?;
    let key =
        filter.kind.map_or_else(|| "count.entities".to_owned(), |k| format!("count.{}", k.name()));
    // A kind by itself is what a figure opens to: the page says all that the figure counts.
    let all = EntityFilter { kind: filter.kind, ..EntityFilter::default() };
    let counted = match filter.kind {
        Some(kind) if filter == all => Some(snapshot.entity_total(kind)?),
        _ => None,
    };
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(head_json).collect();
        return Ok(Answer::Json(listed(items, found.next, found.total, counted.as_ref())));
    }
    let title = match counted.as_ref().map(|c| c.count).or(found.total) {
        Some(total) if filter.kind.is_none() => lang.n("entities.stored", total, &[]),
        Some(total) => lang.n(&key, total, &[]),
        None => filter.kind.map_or(lang.t("entities.title"), |k| kind_names(lang, k)).to_owned(),
    };
    let body = html! {
        (form(ctx, &filter))
        div #results {
            @if !found.items.is_empty() { (list(ctx, &found.items, filter.kind)) (pager(ctx, found.next.as_deref())) }
            @else if counted.as_ref().is_none_or(|c| c.rest() == 0) { (empty(lang.t("part.none"), lang.t("part.none_filter"))) }
            @if let Some(counted) = &counted { (rest(lang, counted)) }
            @else { p.quiet { (lang.t("rest.elsewhere")) } }
            @if let Some(kind) = filter.kind { (rule(ctx, kind)) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Entities, title, body))))
}

/// The kind's counting rule, and whether rows of tables count beside these.
fn rule(ctx: &Ctx, kind: EntityKind) -> Markup {
    let lang = ctx.lang;
    let words = lang
        .find(&format!("rule.{}", kind.name()))
        .unwrap_or(model::kinds::entity(kind).counting_rule);
    html! { p.quiet { (lang.t("part.counted")) " " (words) "." } }
}

fn form(ctx: &Ctx, filter: &EntityFilter) -> Markup {
    let lang = ctx.lang;
    let asn = filter.asn.map(|n| n.to_string()).unwrap_or_default();
    filters(
        ctx,
        html! {
            (choice(lang.t("entities.kind"), "kind", filter.kind.map(EntityKind::name), lang.t("entities.all_kinds"),
                ENTITY_KINDS.iter().map(|k| (k.name, kind_names(lang, k.kind).to_owned()))))
            (field(lang.t("entities.text"), "q", filter.text.as_deref().unwrap_or(""), "search"))
            (field(lang.t("entities.country"), "country", filter.country.as_deref().unwrap_or(""), "text"))
            (field(lang.t("entities.asn"), "asn", &asn, "text"))
        },
    )
}

/// Entities as a table.
pub(crate) fn list(ctx: &Ctx, items: &[EntityHead], kind: Option<EntityKind>) -> Markup {
    let lang = ctx.lang;
    let mut cols = vec![Col::text(lang.t("entities.name"))];
    if kind.is_none() {
        cols.push(Col::text(lang.t("entities.kind")));
    }
    cols.extend([
        Col::text(lang.t("entities.key")),
        Col::text(lang.t("entities.place")),
        Col::number(lang.t("entities.facts")),
        Col::number(lang.t("entities.links")),
    ]);
    table(lang.t("entities.title"), &cols, items.iter().map(|e| {
        let id = e.id.to_string();
        let mut row = vec![value::entity_alone(lang, e)];
        if kind.is_none() {
            row.push(html! { (kind_name(lang, e.kind)) });
        }
        row.push(html! { span.cut { (mono(e.key.rest())) } });
        row.push(html! {
            @if let Some(country) = &e.country { (value::place(lang, country)) " " }
            @if let Some(asn) = e.asn { a href=(url("/entities", [("asn", asn.to_string().as_str())])) { "AS" (asn) } }
        });
        row.push(count(e.facts, &url("/facts", [("entity", id.as_str())])));
        row.push(count(e.links, &format!("/entity/{id}#links")));
        row
    }))
}
