//! Links of a kind, or of an entity, as a list.

use desk::read::{LinkFilter, LinkRow, Snapshot};
use maud::html;
use model::EntityId;
use model::kinds::{LINK_KINDS, link_of_name};

use super::entity::proof;
use super::{head_json, paging, source_json};
use crate::app::{Answer, Ctx, PageError};
use crate::html::parts::{Col, choice, empty, filters, pager, table};
use crate::html::{Page, Place, hostile, rest, stated, value};

/// `GET /links`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = LinkFilter {
        kind: ctx.query.get("kind").and_then(link_of_name),
        from: ctx.query.read::<EntityId>("from"),
        to: ctx.query.read::<EntityId>("to"),
    };
    let found = snapshot.links(&filter, &paging(ctx))?;
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(data).collect();
        return Ok(Answer::Json(
            serde_json::json!({ "items": items, "next": found.next, "total": found.total }),
        ));
    }
    let head =
        |id: Option<EntityId>| id.map(|id| snapshot.entity_head(&id.to_string())).transpose();
    let (from, to) = (head(filter.from)?.flatten(), head(filter.to)?.flatten());
    let kind = filter.kind.map_or(lang.t("links.all"), |k| {
        lang.find(&format!("link.{}", k.name())).unwrap_or(k.name())
    });
    let counted = match filter.kind {
        Some(kind) if from.is_none() && to.is_none() => Some(snapshot.link_total(kind)?),
        _ => None,
    };
    let title = match counted.as_ref().map(|c| c.count).or(found.total) {
        Some(total) => lang.n("links.title_n", total, &[("kind", kind)]),
        None => kind.to_owned(),
    };
    let cols = [
        Col::text(lang.t("links.from")),
        Col::text(lang.t("links.kind")),
        Col::text(lang.t("links.to")),
        Col::text(lang.t("links.proof")),
    ];
    let rows = found.items.iter().map(|row| {
        vec![
            value::entity(lang, &row.from),
            html! { (value::link_name(lang, row.kind, true)) },
            value::entity(lang, &row.to),
            proof(lang, row),
        ]
    });
    // One link alone: everything that states it.
    let stating = match (found.items.as_slice(), filter.kind.and(from.as_ref()).and(to.as_ref())) {
        ([link], Some(_)) => stated(lang, link, &snapshot.link_holders(link)?),
        _ => html! {},
    };
    let body = html! {
        (filters(ctx, html! {
            (choice(lang.t("links.kind"), "kind", filter.kind.map(model::LinkKind::name), lang.t("links.all"),
                LINK_KINDS.iter().map(|k| (k.name, lang.find(&format!("link.{}", k.name)).unwrap_or(k.name).to_owned()))))
            @if let Some(id) = filter.from { input type="hidden" name="from" value=(id); }
            @if let Some(id) = filter.to { input type="hidden" name="to" value=(id); }
        }))
        div #results {
            @if !found.items.is_empty() { (table(lang.t("links.all"), &cols, rows)) (pager(ctx, found.next.as_deref())) }
            @else if counted.as_ref().is_none_or(|c| c.rest() == 0) { (empty(lang.t("part.none"), lang.t("part.none_filter"))) }
            @if let Some(counted) = &counted { (rest(lang, counted)) }
            (stating)
        }
    };
    let mut page = Page::new(ctx, Place::Entities, title, body);
    page.eyebrow = html! {
        (lang.t("links.all"))
        @if let Some(e) = &from { " · " (lang.t("links.from")) " " a href={ "/entity/" (e.id) } { (hostile::text(&e.caption)) } }
        @if let Some(e) = &to { " · " (lang.t("links.to")) " " a href={ "/entity/" (e.id) } { (hostile::text(&e.caption)) } }
    };
    Ok(Answer::Page(Box::new(page)))
}

fn data(row: &LinkRow) -> serde_json::Value {
    serde_json::json!({
        "kind": row.kind.name(), "from": head_json(&row.from), "to": head_json(&row.to), "count": row.count,
        "first_ms": row.first_ms, "last_ms": row.last_ms, "source": row.source.as_ref().map(source_json),
    })
}
