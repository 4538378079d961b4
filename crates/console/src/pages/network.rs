//! The network as a picture and as a table: the same slice, filtered in the URL.

use std::collections::BTreeSet;

use desk::read::{
    EntityFilter, GraphFilter, GraphSlice, LEFT_OUT, Node, Paging, Picture, Snapshot,
};
use maud::{Markup, html};
use model::kinds::{ENTITY_KINDS, LINK_KINDS, kind_of_name, link_of_name};
use model::{EntityId, EntityKind, Stamp};
use serde_json::json;

use crate::app::{Answer, Ctx, PageError};
use crate::html::hostile::{plain, short};
use crate::html::parts::{Col, count, empty, field, notice, table};
use crate::html::value::{FAMILIES, entities_url, family, kind_name, link_name, links_url, shape};
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// Rows of the table on one page.
const ROWS: usize = 100;
/// Most nodes and edges of a picture.
const MAX_NODES: usize = 20_000;
const MAX_EDGES: usize = 40_000;

/// The filter of the URL.
fn filter(ctx: &Ctx) -> GraphFilter {
    let ms = |name: &str, end: bool| {
        let stamp = ctx.query.get(name).and_then(Stamp::parse_iso)?;
        Some(stamp.utc_ms() + if end { 86_399_999 } else { 0 })
    };
    let list = |name: &str| -> Vec<String> {
        ctx.query
            .all(name)
            .flat_map(|v| v.split([',', ' ']))
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
            .collect()
    };
    GraphFilter {
        kinds: ctx.query.all("kind").filter_map(kind_of_name).collect(),
        links: ctx.query.all("link").filter_map(link_of_name).collect(),
        countries: list("country").iter().map(|c| c.to_ascii_uppercase()).collect(),
        asns: list("asn").iter().filter_map(|n| n.trim_start_matches("AS").parse().ok()).collect(),
        since_ms: ms("since", false),
        until_ms: ms("until", true),
        around: ctx.query.all("around").filter_map(|id| id.parse::<EntityId>().ok()).collect(),
        hops: ctx.query.read::<u32>("hops").unwrap_or(1).clamp(1, 4),
        max_nodes: ctx.query.read::<usize>("most").unwrap_or(MAX_NODES).clamp(1, MAX_NODES),
        max_edges: MAX_EDGES,
    }
}

/// `GET /network`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = filter(ctx);
    let as_table = ctx.query.get("view") == Some("table");
    let picture = snapshot.picture(&filter)?;
    if ctx.json() {
        return Ok(Answer::Json(data(lang, &picture)));
    }
    if !as_table && picture.is_unplaced() {
        // The page's script asks for the places next: they are made while the browser reads the page.
        let picture = picture.clone();
        std::thread::spawn(move || {
            picture.places();
        });
    }
    let slice = &picture.slice;
    let left = left_out(snapshot, &filter)?;
    let mut title = lang.f(
        "network.title",
        &[
            ("things", &lang.n("count.entities", slice.all_nodes, &[])),
            ("links", &lang.n("count.links", slice.all_edges, &[])),
        ],
    );
    let more: u64 = left.iter().map(|(_, n)| n).sum();
    if more > 0 {
        title.push_str(&lang.n("network.title_left", more, &[]));
    }
    let mut page = Page::new(ctx, Place::Network, title, html! {});
    let center = match filter.around.first() {
        Some(id) => snapshot.entity_head(&id.to_string())?,
        None => None,
    };
    if let Some(center) = &center {
        page.eyebrow = html! {
            (lang.t("network.around")) " " a href={ "/entity/" (center.id) } { (short(&center.caption, 60)) }
        };
    }
    page.body = html! {
        (form(ctx, &filter))
        nav.tabs aria-label=(lang.t("network.view")) {
            a href=(ctx.url(&["view", "row"], &[])) aria-current=[(!as_table).then_some("page")] { (lang.t("network.picture")) }
            a href=(ctx.url(&["view", "row"], &[("view", "table")])) aria-current=[as_table.then_some("page")] { (lang.t("network.table")) }
        }
        @if (slice.nodes.len() as u64) < slice.all_nodes || (slice.edges.len() as u64) < slice.all_edges {
            (notice(&lang.f("network.cut", &[
                ("nodes", &lang.n("count.entities", slice.nodes.len() as u64, &[])),
                ("edges", &lang.n("count.links", slice.edges.len() as u64, &[])),
            ])))
        }
        @if more > 0 { (say_left(ctx, &left)) }
        @if slice.nodes.is_empty() { (empty(lang.t("part.none"), lang.t("network.empty_why"))) }
        @else if as_table { (rows(ctx, slice)) }
        @else { (stage(ctx, &filter)) }
    };
    if !as_table && !slice.nodes.is_empty() {
        page.script = Some("network.js");
        page.data = Some(data_url(ctx));
    }
    page.actions = html! { a.button href="/network/path" { (lang.t("network.path")) } };
    Ok(Answer::Page(Box::new(page)))
}

/// The kinds that the first picture leaves out, and how many things of each there are.
fn left_out(
    snapshot: &Snapshot,
    filter: &GraphFilter,
) -> Result<Vec<(EntityKind, u64)>, PageError> {
    // Where kinds or a neighbourhood are asked for, nobody takes the picture for the whole.
    if !filter.kinds.is_empty() || !filter.around.is_empty() {
        return Ok(Vec::new());
    }
    let mut left = Vec::new();
    for kind in LEFT_OUT {
        let all = EntityFilter { kind: Some(kind), ..EntityFilter::default() };
        let found = snapshot.entities(&all, &Paging { after: None, limit: 1 })?;
        if let Some(n) = found.total.filter(|n| *n > 0) {
            left.push((kind, n));
        }
    }
    Ok(left)
}

/// What is left out, each number open to its list, and the way to have it in the picture.
fn say_left(ctx: &Ctx, left: &[(EntityKind, u64)]) -> Markup {
    let lang = ctx.lang;
    let every: Vec<(&str, &str)> = ENTITY_KINDS.iter().map(|k| ("kind", k.name)).collect();
    html! {
        p.quiet {
            (lang.t("network.left_out")) " "
            @for (i, (kind, n)) in left.iter().enumerate() {
                @if i > 0 { ", " }
                a href=(entities_url(&EntityFilter { kind: Some(*kind), ..EntityFilter::default() })) {
                    (lang.n(&format!("count.{}", kind.name()), *n, &[]))
                }
            }
            ". " a href=(ctx.url(&["row"], &every)) { (lang.t("network.show_left")) }
        }
    }
}

fn form(ctx: &Ctx, filter: &GraphFilter) -> Markup {
    let lang = ctx.lang;
    let text = |name: &str| ctx.query.all(name).collect::<Vec<_>>().join(" ");
    let chosen: BTreeSet<_> = filter.kinds.iter().copied().collect();
    html! {
        form.filters method="get" action="/network" aria-label=(lang.t("part.filters")) {
            (field(lang.t("entities.country"), "country", &text("country"), "text"))
            (field(lang.t("entities.asn"), "asn", &text("asn"), "text"))
            (field(lang.t("network.since"), "since", ctx.query.get("since").unwrap_or(""), "date"))
            (field(lang.t("network.until"), "until", ctx.query.get("until").unwrap_or(""), "date"))
            button type="submit" { (lang.t("part.apply")) }
            details open[!filter.kinds.is_empty() || !filter.links.is_empty()] {
                summary { (lang.t("network.kinds")) }
                fieldset.checks {
                    legend { (lang.t("network.kinds_shown")) }
                    @for k in ENTITY_KINDS {
                        label { input type="checkbox" name="kind" value=(k.name) checked[chosen.contains(&k.kind)]; (shape(k.kind)) (kind_name(lang, k.kind)) }
                    }
                }
                fieldset.checks {
                    legend { (lang.t("network.links_shown")) }
                    @for k in LINK_KINDS {
                        label { input type="checkbox" name="link" value=(k.name) checked[filter.links.contains(&k.kind)]; (lang.find(&format!("link.{}", k.name)).unwrap_or(k.name)) }
                    }
                }
            }
            @for id in &filter.around { input type="hidden" name="around" value=(id); }
            @for name in ["hops", "view"] { @if let Some(value) = ctx.query.get(name) { input type="hidden" name=(name) value=(value); } }
        }
    }
}

/// Where the picture's data is.
fn data_url(ctx: &Ctx) -> String {
    ctx.url(&["view"], &[("format", "json")])
}

fn stage(ctx: &Ctx, filter: &GraphFilter) -> Markup {
    let lang = ctx.lang;
    html! {
        div.stage {
            div.drawing {
                div.zoom {
                    button type="button" data-zoom="in" aria-label=(lang.t("network.zoom_in")) { "+" }
                    button type="button" data-zoom="out" aria-label=(lang.t("network.zoom_out")) { "−" }
                    button type="button" data-zoom="fit" aria-label=(lang.t("network.zoom_fit")) { "⤢" }
                }
                div #graph role="application" tabindex="0" aria-label=(lang.t("network.label"))
                    data-url=(data_url(ctx)) data-choose=[filter.around.first()]
                    data-trail=[ctx.query.get("trail")]
                    data-loading=(lang.t("network.loading")) data-failed=(lang.t("network.failed"))
                    data-none=(lang.t("part.none"))
                    data-degree-one=(lang.n("network.degree", 1, &[])) data-degree-other=(lang.n("network.degree", 2, &[])) data-nogl=(lang.t("network.nogl")) {
                    p #graph-status role="status" { (lang.t("network.loading")) }
                }
            }
            div.side {
                form.field { label for="graph-find" { (lang.t("network.find")) } input #graph-find type="search" autocomplete="off"; }
                div.legend { @for name in FAMILIES { span { (family_shape(name)) (lang.t(&format!("family.{name}"))) } } }
                p.quiet { (lang.t("network.how")) }
                // Last, since it comes and goes: nothing below it moves.
                div #node .card hidden aria-live="polite" {
                    p.quiet { span data-kind {} " " span data-place {} }
                    p { bdi data-caption {} }
                    p.quiet { span.num data-degree {} " " span data-degree-words {} }
                    div.row {
                        a.button data-open href="#" { (lang.t("network.open")) }
                        button type="button" data-expand { (lang.t("network.expand")) }
                    }
                    div.row {
                        button.plain type="button" data-from { (lang.t("network.path_from")) }
                        a data-to href="#" hidden { (lang.t("network.path_to")) }
                    }
                    ul data-links {}
                }
            }
        }
        noscript { (notice(lang.t("network.noscript"))) }
    }
}

fn family_shape(name: &str) -> Markup {
    html! { span class={ "dot f-" (name) } {} }
}

/// The slice's edges as rows, a page at a time.
fn rows(ctx: &Ctx, slice: &GraphSlice) -> Markup {
    let lang = ctx.lang;
    let from = ctx.query.read::<usize>("row").unwrap_or(0).min(slice.edges.len());
    let to = (from + ROWS).min(slice.edges.len());
    let cols = [
        Col::text(lang.t("links.from")),
        Col::text(lang.t("links.kind")),
        Col::text(lang.t("links.to")),
        Col::number(lang.t("network.stated")),
    ];
    let node = |i: u32| slice.nodes.get(i as usize);
    let end = |n: Option<&Node>| {
        html! {
            @if let Some(n) = n {
                a.entity href={ "/entity/" (n.id) } { (shape(n.kind)) span.sr { (kind_name(lang, n.kind)) " " } (short(&n.caption, 60)) }
                @if let Some(country) = &n.country { " " span.place { (country) } }
            }
        }
    };
    let rows = slice.edges[from..to].iter().map(|e| {
        let (a, b) = (node(e.from), node(e.to));
        let all = links_url(&desk::read::LinkFilter {
            kind: Some(e.kind),
            from: a.map(|n| n.id),
            to: b.map(|n| n.id),
        });
        vec![end(a), html! { (link_name(lang, e.kind, true)) }, end(b), count(e.count, &all)]
    });
    html! {
        @if slice.edges.is_empty() { (empty(lang.t("network.no_links"), lang.t("network.empty_why"))) }
        @else {
            (table(lang.t("network.table"), &cols, rows))
            nav.pager aria-label=(lang.t("part.pages")) {
                @if from > 0 { a.button rel="prev" href=(ctx.url(&["row"], &[("row", &from.saturating_sub(ROWS).to_string())])) { (lang.t("part.previous")) } }
                @if to < slice.edges.len() { a.button rel="next" href=(ctx.url(&["row"], &[("row", &to.to_string())])) { (lang.t("part.next")) } }
            }
        }
    }
}

/// The slice with its layout, compact: nodes `[id, kind, caption, country, asn, degree, x, y]`,
/// edges `[from, to, kind, count]`.
fn data(lang: Lang, picture: &Picture) -> serde_json::Value {
    let slice = &picture.slice;
    let nodes: Vec<_> = slice
        .nodes
        .iter()
        .zip(picture.places())
        .map(|(n, (x, y))| {
            let round = |v: &f32| (f64::from(*v) * 100.0).round() / 100.0;
            json!([
                n.id.to_string(),
                n.kind.name(),
                plain(&n.caption).chars().take(80).collect::<String>(),
                n.country,
                n.asn,
                n.degree,
                round(x),
                round(y)
            ])
        })
        .collect();
    let edges: Vec<_> =
        slice.edges.iter().map(|e| json!([e.from, e.to, e.kind.name(), e.count])).collect();
    let kinds: BTreeSet<EntityKind> = slice.nodes.iter().map(|n| n.kind).collect();
    let kinds: serde_json::Map<_, _> = kinds
        .into_iter()
        .map(|k| (k.name().to_owned(), json!({ "name": kind_name(lang, k), "family": family(k) })))
        .collect();
    let links: serde_json::Map<_, _> = LINK_KINDS
        .iter()
        .map(|k| (k.name.to_owned(), json!(link_name(lang, k.kind, true))))
        .collect();
    json!({ "nodes": nodes, "edges": edges, "all_nodes": slice.all_nodes, "all_edges": slice.all_edges, "kinds": kinds, "links": links })
}
