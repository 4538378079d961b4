//! How two things hang together: the shortest path between them, each step with its proof.

use desk::read::{EntityHead, Path, Snapshot};
use maud::{Markup, html};

use super::entity::proof;
use super::head_json;
use crate::app::{Answer, Ctx, PageError};
use crate::html::hostile::plain;
use crate::html::parts::{empty, field};
use crate::html::value::{self, kind_name, link_name};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::url;

/// Most links of a path that is looked for.
const HOPS: u32 = 8;

/// `GET /network/path?from=&to=`: each an id, a key, or words to search for.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let (from, to) = (end(ctx, snapshot, "from")?, end(ctx, snapshot, "to")?);
    let path = match (&from, &to) {
        (Some(from), Some(to)) => snapshot.path(from.id, to.id, HOPS)?,
        _ => None,
    };
    if ctx.json() {
        return Ok(Answer::Json(path.as_ref().map_or(serde_json::Value::Null, data)));
    }
    let title = match (&from, &to, &path) {
        (Some(a), Some(b), Some(path)) => lang.n(
            "path.title",
            path.steps.len() as u64,
            &[("from", &plain(&a.caption)), ("to", &plain(&b.caption))],
        ),
        (Some(a), Some(b), None) => {
            lang.f("path.title_none", &[("from", &plain(&a.caption)), ("to", &plain(&b.caption))])
        }
        _ => lang.t("path.ask").to_owned(),
    };
    let shown = |name: &str, head: &Option<EntityHead>| {
        head.as_ref()
            .map_or_else(|| ctx.query.get(name).unwrap_or("").to_owned(), |h| h.key.to_string())
    };
    let body = html! {
        form.filters method="get" action="/network/path" aria-label=(lang.t("part.filters")) {
            (field(lang.t("links.from"), "from", &shown("from", &from), "text"))
            (field(lang.t("links.to"), "to", &shown("to", &to), "text"))
            button type="submit" { (lang.t("path.find")) }
        }
        @for (name, head) in [("from", &from), ("to", &to)] {
            @if head.is_none() { @if let Some(text) = ctx.query.get(name) { p { (lang.f("path.unknown", &[("text", &plain(text))])) } } }
        }
        @match &path {
            Some(path) => (steps(lang, path)),
            None if from.is_some() && to.is_some() => (empty(lang.t("path.none"), &lang.n("path.none_why", u64::from(HOPS), &[]))),
            None => p.quiet { (lang.t("path.how")) },
        }
    };
    let mut page = Page::new(ctx, Place::Network, title, body);
    if let (Some(path), Some(a), Some(b)) = (&path, &from, &to) {
        let around: Vec<String> = ids(path);
        let trail = around.join(" ");
        let pairs =
            around.iter().map(|id| ("around", id.as_str())).chain([("trail", trail.as_str())]);
        page.actions = html! {
            a.button href=(url("/network", pairs)) { (lang.t("path.show")) }
            a.button href=(url("/network/path", [("from", b.id.to_string().as_str()), ("to", a.id.to_string().as_str())])) { (lang.t("path.turn")) }
        };
    }
    Ok(Answer::Page(Box::new(page)))
}

/// One end: by id or key, else the best hit of a search.
fn end(ctx: &Ctx, snapshot: &Snapshot, name: &str) -> Result<Option<EntityHead>, PageError> {
    let Some(text) = ctx.query.get(name).map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    if let Some(head) = snapshot.entity_head(text)? {
        return Ok(Some(head));
    }
    Ok(snapshot.search(text, 1)?.entities.into_iter().next().map(|hit| hit.entity))
}

fn ids(path: &Path) -> Vec<String> {
    let mut out = vec![path.from.id.to_string()];
    for step in &path.steps {
        let next = if step.backwards { &step.link.from } else { &step.link.to };
        out.push(next.id.to_string());
    }
    out
}

fn steps(lang: Lang, path: &Path) -> Markup {
    html! {
        ol.steps {
            li { (value::entity(lang, &path.from)) " " span.quiet { (kind_name(lang, path.from.kind)) } }
            @for step in &path.steps {
                @let next = if step.backwards { &step.link.from } else { &step.link.to };
                li {
                    p.via { (link_name(lang, step.link.kind, !step.backwards)) " " (proof(lang, &step.link)) }
                    (value::entity(lang, next)) " " span.quiet { (kind_name(lang, next.kind)) }
                }
            }
        }
    }
}

fn data(path: &Path) -> serde_json::Value {
    serde_json::json!({
        "from": head_json(&path.from),
        "steps": path.steps.iter().map(|s| serde_json::json!({
            "kind": s.link.kind.name(), "backwards": s.backwards, "from": head_json(&s.link.from), "to": head_json(&s.link.to), "count": s.link.count,
        })).collect::<Vec<_>>(),
    })
}
