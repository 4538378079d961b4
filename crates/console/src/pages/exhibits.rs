//! Exhibits: what came in, and how far it was read.

use desk::read::{ExhibitFilter, ExhibitHead, ExhibitState, Snapshot};
use maud::{Markup, html};
use model::ExhibitId;

use super::paging;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::text;
use crate::html::parts::{Col, choice, count, empty, field, filters, pager, table};
use crate::html::ways::{Ways, folder};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::url;

/// The states, with their words in URLs and catalogues.
pub(crate) const STATES: &[(ExhibitState, &str)] = &[
    (ExhibitState::Waiting, "waiting"),
    (ExhibitState::Read, "read"),
    (ExhibitState::Unpacked, "unpacked"),
    (ExhibitState::Unread, "unread"),
    (ExhibitState::Privileged, "privileged"),
];

/// The word of a state in URLs and catalogues.
pub(crate) fn state_word(state: ExhibitState) -> &'static str {
    STATES.iter().find(|s| s.0 == state).map_or("unread", |s| s.1)
}

/// The state of a word.
pub(crate) fn state_of(word: &str) -> Option<ExhibitState> {
    STATES.iter().find(|s| s.1 == word).map(|s| s.0)
}

/// A state: a shape and a word.
pub(crate) fn state(lang: Lang, state: ExhibitState) -> Markup {
    let word = state_word(state);
    html! { span class={ "state is-" (word) } { (lang.t(&format!("state.{word}"))) } }
}

/// `GET /exhibits`.
pub(crate) fn list(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = ExhibitFilter {
        text: ctx.query.get("q").map(str::to_owned),
        parser: ctx.query.get("parser").map(str::to_owned),
        state: ctx.query.get("state").and_then(state_of),
        container: ctx.query.read::<ExhibitId>("in"),
    };
    let found = snapshot.exhibits(&filter, &paging(ctx))?;
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(head_json).collect();
        return Ok(Answer::Json(
            serde_json::json!({ "items": items, "next": found.next, "total": found.total }),
        ));
    }
    let ways = Ways::of(snapshot, found.items.iter().map(|e| e.id))?;
    let title = match found.total {
        Some(total) => lang.n("count.exhibits", total, &[]),
        None => lang.t("place.exhibits").to_owned(),
    };
    let body = html! {
        (filters(ctx, html! {
            (field(lang.t("exhibits.name"), "q", filter.text.as_deref().unwrap_or(""), "search"))
            (choice(lang.t("exhibits.state"), "state", filter.state.map(state_word), lang.t("exhibits.all_states"),
                STATES.iter().map(|(_, word)| (*word, lang.t(&format!("state.{word}")).to_owned()))))
            (field(lang.t("exhibits.parser"), "parser", filter.parser.as_deref().unwrap_or(""), "text"))
            @if let Some(id) = filter.container { input type="hidden" name="in" value=(id); }
        }))
        div #results {
            @if found.items.is_empty() { (empty(lang.t("part.none"), lang.t("exhibits.none"))) }
            @else { (rows(lang, &found.items, &ways)) (pager(ctx, found.next.as_deref())) }
        }
    };
    let mut page = Page::new(ctx, Place::Exhibits, title, body);
    page.actions = html! { a.button href="/custody" { (lang.t("place.custody")) } };
    Ok(Answer::Page(Box::new(page)))
}

/// Exhibits as a table.
pub(crate) fn rows(lang: Lang, items: &[ExhibitHead], ways: &Ways) -> Markup {
    let cols = [
        Col::text(lang.t("exhibits.name")),
        Col::text(lang.t("exhibits.state")),
        Col::text(lang.t("exhibits.parser")),
        Col::number(lang.t("exhibits.size")),
        Col::number(lang.t("exhibits.facts")),
        Col::number(lang.t("exhibits.rows")),
        Col::number(lang.t("exhibits.problems")),
    ];
    table(
        lang.t("place.exhibits"),
        &cols,
        items.iter().map(|e| {
            let id = e.id.to_string();
            let of = |path: &str| url(path, [("exhibit", id.as_str())]);
            vec![
                html! {
                    @if e.state == ExhibitState::Privileged { (ways.name(&e.id, &e.name)) }
                    @else { a href={ "/exhibit/" (id) } { (ways.name(&e.id, &e.name)) } }
                    @if !folder(&e.name).is_empty() { br; span.quiet { (text(folder(&e.name))) } }
                },
                state(lang, e.state),
                html! { @if let Some(parser) = &e.parser { span.mono { (parser) } } },
                html! { a.n href={ "/exhibit/" (id) "?at=0-0" } { (fmt::bytes(lang, e.size)) } },
                count(e.facts, &of("/facts")),
                count(e.rows, &of("/tables")),
                count(e.problems, &of("/problems")),
            ]
        }),
    )
}

/// An exhibit as data.
pub(crate) fn head_json(e: &ExhibitHead) -> serde_json::Value {
    serde_json::json!({
        "id": e.id.to_string(), "name": e.name, "size": e.size, "state": state_word(e.state),
        "parser": e.parser, "facts": e.facts, "rows": e.rows, "problems": e.problems,
        "container": e.container.map(|id| id.to_string()), "record": e.record,
    })
}
