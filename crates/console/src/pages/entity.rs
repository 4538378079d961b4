//! One entity: everything known of it, each value with the mark that opens its source.

use desk::read::{
    Direction, EntityFilter, EntityPage, FactFilter, LinkFilter, LinkGroup, LinkRow, PropertyGroup,
    RowReference, ShownValue, Snapshot,
};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{head_json, overview, payments, places, source_json, value_json};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::around;
use crate::html::hostile::{mono, plain, text};
use crate::html::icon::icon;
use crate::html::parts::{copy, count, day_ms};
use crate::html::value::{
    self, entities_url, facts_url, kind_name, link_name, links_url, property_name, rows_url, shape,
};
use crate::html::{Page, Place, ways};
use crate::i18n::Lang;
use crate::query::{segment, url};

/// `GET /entity/{id}`: by id, older id, or key.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let entity = snapshot.entity(ctx.param(0))?.ok_or(PageError::NotFound)?;
    if ctx.json() {
        return Ok(Answer::Json(data(&entity)));
    }
    let id = entity.head.id.to_string();
    if ctx.param(0) != id {
        return Ok(Answer::Moved(format!("/entity/{id}")));
    }
    let lang = ctx.lang;
    let mut page = Page::new(ctx, Place::Entities, title(lang, &entity), body(lang, &entity));
    page.eyebrow = html! {
        a href=(entities_url(&EntityFilter { kind: Some(entity.head.kind), ..EntityFilter::default() })) {
            (shape(entity.head.kind)) (kind_name(lang, entity.head.kind))
        }
    };
    page.heading = Some(heading(lang, &entity));
    page.actions = html! {
        a.button href=(url("/network", [("around", id.as_str())])) { (lang.t("entity.in_network")) }
        a.button href=(url("/facts", [("entity", id.as_str())])) { (lang.t("entity.all_facts")) }
    };
    Ok(Answer::Page(Box::new(page)))
}

/// The name, and what it is most known by.
fn title(lang: Lang, e: &EntityPage) -> String {
    let (facts, links) = sizes(lang, e);
    lang.f(
        "entity.title",
        &[("name", &plain(&e.head.caption)), ("facts", &facts), ("links", &links)],
    )
}

fn heading(lang: Lang, e: &EntityPage) -> Markup {
    let (facts, links) = sizes(lang, e);
    around(lang.t("entity.title"), &text(&e.head.caption), &[("facts", &facts), ("links", &links)])
}

fn sizes(lang: Lang, e: &EntityPage) -> (String, String) {
    (lang.n("count.facts", e.head.facts, &[]), lang.n("count.links", e.head.links, &[]))
}

fn body(lang: Lang, e: &EntityPage) -> Markup {
    html! {
        (where_it_is(lang, e))
        @if !e.figures.is_empty() {
            section aria-labelledby="h-figures" {
                h2 #h-figures { (lang.t("entity.figures")) }
                (overview::figure_list(lang, Some(&e.head), &e.figures))
            }
        }
        section aria-labelledby="h-known" {
            h2 #h-known { (lang.t("entity.known")) }
            @if e.properties.is_empty() { p.fine { (lang.t("entity.no_properties")) } }
            dl.known { @for group in &e.properties { (property(lang, e, group)) } }
            @if e.properties.iter().any(|g| g.values.iter().any(|v| v.0 == ShownValue::Masked)) {
                div.reveal {
                    p { (icon("lock")) " " (lang.t("exhibit.masked")) }
                    (value::reveal(lang, "entity", &e.head.id.to_string()))
                }
            }
        }
        section #links aria-labelledby="h-links" {
            h2 #h-links { (lang.t("entity.links")) }
            @if e.links.is_empty() { p.fine { (lang.t("entity.no_links")) } }
            @for group in &e.links { (links(lang, e, group)) }
        }
        @if !e.rows.is_empty() {
            section aria-labelledby="h-rows" {
                h2 #h-rows { (lang.t("entity.rows")) }
                ul.rows { @for row in &e.rows { (rows(lang, row)) } }
            }
        }
        section aria-labelledby="h-keys" {
            h2 #h-keys { (lang.t("entity.keys")) }
            (keys(lang, e))
        }
    }
}

fn where_it_is(lang: Lang, e: &EntityPage) -> Markup {
    html! {
        @if e.head.country.is_some() || e.head.asn.is_some() {
            p.where {
                @if let Some(iso) = &e.head.country {
                    a href=(entities_url(&EntityFilter { kind: Some(e.head.kind), country: Some(iso.clone()), ..EntityFilter::default() })) { (places::name(lang, iso)) }
                }
                @if let Some(asn) = e.head.asn {
                    " · " a href=(entities_url(&EntityFilter { asn: Some(asn), ..EntityFilter::default() })) { "AS" (asn) }
                    @if let Some(name) = &e.as_name { " " (text(name)) }
                }
                " " span.quiet { (lang.t("entity.by_table")) }
            }
        }
    }
}

fn property(lang: Lang, e: &EntityPage, group: &PropertyGroup) -> Markup {
    let shown = group.values.len() as u64;
    let all = facts_url(&FactFilter {
        entity: Some(e.head.id),
        property: Some(group.property.clone()),
        ..FactFilter::default()
    });
    html! {
        dt { (property_name(lang, &group.property)) }
        dd {
            ul {
                @for (value, times, source) in &group.values {
                    li {
                        (value::shown(lang, value, &group.property))
                        (value::source(lang, source))
                        @if *times > 1 { " " a.quiet.n href=(all) { "×\u{202f}" (fmt::number(*times)) } }
                    }
                }
            }
            @if group.distinct > shown {
                p { a href=(all) { (lang.n("entity.more_values", group.distinct - shown, &[])) } }
            }
        }
    }
}

fn links(lang: Lang, e: &EntityPage, group: &LinkGroup) -> Markup {
    let out = group.direction == Direction::Out;
    let all = links_url(&LinkFilter {
        kind: Some(group.kind),
        from: out.then_some(e.head.id),
        to: (!out).then_some(e.head.id),
    });
    let shown = group.links.len() as u64;
    html! {
        div.links {
            h3 { (link_name(lang, group.kind, out)) " " (count(group.count, &all)) }
            ul { @for row in &group.links { li { (link(lang, row, out)) } } }
            @if group.count > shown { p { a href=(all) { (lang.n("entity.more_links", group.count - shown, &[])) } } }
        }
    }
}

/// The other end of a link, with its proof.
pub(crate) fn link(lang: Lang, row: &LinkRow, out: bool) -> Markup {
    html! {
        (value::entity(lang, if out { &row.to } else { &row.from }))
        (proof(lang, row))
    }
}

/// A link alone: its page names all that states it.
fn alone(row: &LinkRow) -> LinkFilter {
    LinkFilter { kind: Some(row.kind), from: Some(row.from.id), to: Some(row.to.id) }
}

/// What states a link: a span, or rows; how often; when.
pub(crate) fn proof(lang: Lang, row: &LinkRow) -> Markup {
    html! {
        @if let Some(source) = &row.source { (value::source(lang, source)) }
        @if let Some(query) = &row.rows {
            @if row.kind == model::LinkKind::Paid {
                " " a.n.quiet href=(payments::between(&row.from.id, &row.to.id)) { (lang.n("count.payments", row.count, &[])) }
            } @else if row.whole {
                " " a.n.quiet href=(rows_url(query)) { (lang.n("count.rows", row.count, &[])) }
            } @else {
                " " a.n.quiet href=(links_url(&alone(row))) { (lang.n("links.statements", row.count, &[])) }
            }
        } @else if row.count > 1 { span.quiet { " ×\u{202f}" (fmt::number(row.count)) } }
        @if let Some(first) = row.first_ms {
            span.quiet.when {
                " " (day_ms(first))
                @if let Some(last) = row.last_ms { @if last != first { "\u{2009}–\u{2009}" (day_ms(last)) } }
            }
        }
    }
}

fn rows(lang: Lang, row: &RowReference) -> Markup {
    html! {
        li {
            a.n href=(rows_url(&row.query)) { (lang.n("count.rows", row.count, &[])) }
            " " (lang.t("entity.in_table")) " " (mono(&row.table)) " · " (mono(&row.column)) " · " (ways::alone(&row.exhibit_name))
        }
    }
}

fn keys(lang: Lang, e: &EntityPage) -> Markup {
    html! {
        ul.keys {
            @for (key, source) in &e.keys {
                li {
                    (mono(key.as_str())) " " (copy(lang, key.as_str()))
                    @match source {
                        Some(source) => { " " (lang.t("entity.same_as")) (value::source(lang, source)) },
                        None if *key == e.head.key => {},
                        None => span.quiet { " " (lang.t("entity.same_key")) },
                    }
                }
            }
        }
        p.quiet { (lang.t("entity.id")) " " span.mono { (e.head.id) } }
        p.quiet { a href={ "/entity/" (segment(&e.head.id.to_string())) "?format=json" } { "JSON" } }
    }
}

fn data(e: &EntityPage) -> Value {
    let properties: Vec<Value> = e.properties.iter().map(|g| json!({
        "property": g.property, "distinct": g.distinct,
        "values": g.values.iter().map(|(v, n, s)| json!({ "value": value_json(v), "facts": n, "source": source_json(s) })).collect::<Vec<_>>(),
    })).collect();
    let links: Vec<Value> = e.links.iter().map(|g| json!({
        "kind": g.kind.name(), "direction": if g.direction == Direction::Out { "out" } else { "in" }, "count": g.count,
        "links": g.links.iter().map(|l| json!({
            "from": head_json(&l.from), "to": head_json(&l.to), "count": l.count,
            "first_ms": l.first_ms, "last_ms": l.last_ms, "source": l.source.as_ref().map(source_json),
            "rows": l.rows.as_ref().map(rows_url),
        })).collect::<Vec<_>>(),
    })).collect();
    json!({
        "entity": head_json(&e.head), "as_name": e.as_name, "properties": properties, "links": links,
        "keys": e.keys.iter().map(|(k, s)| json!({ "key": k.as_str(), "source": s.as_ref().map(source_json) })).collect::<Vec<_>>(),
        "figures": e.figures.iter().map(|f| json!({ "name": f.name, "value": f.value, "rule": f.rule })).collect::<Vec<_>>(),
        "rows": e.rows.iter().map(|r| json!({ "table": r.table, "column": r.column, "count": r.count, "rows": rows_url(&r.query) })).collect::<Vec<_>>(),
    })
}
