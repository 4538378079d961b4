//! `/check`: what the harm check says of anything that is pasted. Writes nothing.

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::clearing::known::Knowledge;
use desk::shield::{Note, is_stale, today};
use maud::{Markup, html};
use serde::Deserialize;
use shield::Item;
use shield::harm::Finding;
use shield::order::words::MAX_ITEMS;

use super::report::lines_of;
use super::{asked, framed, parts, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;

const KNOWN: &[Param] = &[("q", |_| true)];

/// A set that the check knows.
struct Known {
    name: String,
    class: &'static str,
    entries: usize,
    source: String,
    date: String,
    stale: bool,
}

/// What the check says of each line, the first [`MAX_ITEMS`] of them.
pub(super) fn findings_of(
    known: &Knowledge,
    lines: &[String],
) -> Result<Vec<(String, Finding)>, PageError> {
    let lines: Vec<(&String, Option<Item>)> =
        lines.iter().take(MAX_ITEMS).map(|line| (line, Item::parse(line).ok())).collect();
    let items = lines.iter().filter_map(|(_, item)| item.as_ref());
    let mut found = known.find(items.map(|item| (item, 0)))?.into_iter();
    let all = known.check(|check| {
        let one = |(line, item): &(&String, Option<Item>)| {
            let found = item.as_ref().and_then(|_| found.next());
            // What is no item is refused by name.
            ((*line).clone(), found.unwrap_or_else(|| check.text(line).1))
        };
        lines.iter().map(one).collect()
    });
    Ok(all?)
}

/// Lines with what the check says of each.
pub(super) fn lines(lang: Lang, lines: &[(String, Finding)]) -> Markup {
    let cols = [Col::text(lang.t("items.item")).wide(), Col::text(lang.t("items.check")).wide()];
    let row = |(line, finding): &(String, Finding)| {
        vec![
            mono(line),
            html! {
                (parts::verdict(lang, finding, None))
                @if !finding.reasons.is_empty() {
                    p.quiet { (lang.t("check.source")) " "
                        @for (n, reason) in finding.reasons.iter().take(5).enumerate() { @if n > 0 { "; " } (text(&reason.source)) }
                    }
                }
            },
        ]
    };
    table(lang.t("check.verdicts"), &cols, lines.iter().map(row))
}

/// `GET /check`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let pasted = ctx.query.get("q").unwrap_or_default().to_owned();
    shown(&app, &ctx, pasted, notes).await
}

/// What is pasted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pasted {
    q: String,
}

/// `POST /check`: the same of a list that no address could hold.
pub(crate) async fn check(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    headers: HeaderMap,
    Form(pasted): Form<Pasted>,
) -> Response {
    shown(&app, &Ctx::of(&headers, "/check", "", Vec::new()), pasted.q, Vec::new()).await
}

async fn shown(app: &App, ctx: &Ctx, pasted: String, notes: Vec<String>) -> Response {
    let lang = ctx.lang;
    let asked = lines_of(&pasted);
    let left = asked.len().saturating_sub(MAX_ITEMS);
    let found = with(app, move |clearing| {
        let reread = clearing.known.reread().map(|error| error.to_string());
        let found = findings_of(&clearing.known, &asked)?;
        let loaded = clearing.known.loaded();
        let today = today();
        let sets = loaded.sets.iter().map(|set| Known {
            name: set.head.name.clone(),
            class: set.head.class.word(),
            entries: set.entries,
            source: set.head.source.clone(),
            date: set.head.date.to_string(),
            stale: is_stale(set.head.date, today),
        });
        Ok((found, sets.collect::<Vec<_>>(), loaded.notes(today), reread))
    });
    let (found, sets, known, reread) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(ctx, &error),
    };
    let body = html! {
        form.stack method="post" action="/check" {
            label.field { span { (lang.t("report.items")) }
                textarea name="q" rows="5" required spellcheck="false" autocapitalize="none" { (pasted) }
            }
            div.row {
                button type="submit" { (lang.t("check.check")) }
                span.quiet { (lang.n("check.how", MAX_ITEMS as u64, &[])) }
            }
        }
        @for note in &known { (said(lang, note)) }
        @if let Some(why) = reread { div.notice.is-error { p { (lang.t("check.not_reread")) " " span lang="en" { (text(&why)) } } } }
        @if left > 0 { div.notice { p { (lang.n("check.left", left as u64, &[])) } } }
        @if !found.is_empty() {
            section aria-labelledby="h-verdicts" {
                h2 #h-verdicts { (lang.t("check.verdicts")) }
                (lines(lang, &found))
            }
        }
        (known_sets(lang, &sets))
    };
    let title = match found.len() {
        0 => lang.t_owned("check.title"),
        n => {
            let of = |verdict| found.iter().filter(|(_, found)| found.verdict == verdict).count();
            let [allow, two, refuse] = shield::Verdict::ALL.map(of).map(|n| fmt::number(n as u64));
            lang.n(
                "check.answer",
                n as u64,
                &[("allow", &allow), ("two", &two), ("refuse", &refuse)],
            )
        }
    };
    let mut page = Page::new(ctx, Place::Check, title, body);
    page.notes = notes;
    framed(app, ctx, StatusCode::OK, page).await
}

/// What is missing or old is said aloud.
pub(super) fn said(lang: Lang, note: &Note) -> Markup {
    let text = match note {
        Note::NotLoaded(classes) => {
            let words: Vec<_> =
                classes.iter().map(|class| class_name(lang, class.word())).collect();
            lang.f("check.not_loaded", &[("classes", &words.join(", "))])
        }
        Note::Stale(old, _, name, date) => {
            lang.n("check.stale", *old as u64, &[("name", name), ("date", &date.to_string())])
        }
        Note::NoOwnBlockers => lang.t_owned("check.no_own_blockers"),
        Note::LongList(name, entries) => lang.n("check.long", *entries as u64, &[("name", name)]),
    };
    html! { div.notice.is-warning { p { (text) } } }
}

/// What the members of a set are, in a reader's language.
fn class_name(lang: Lang, word: &str) -> String {
    lang.t_owned(&format!("set_class.{word}"))
}

fn known_sets(lang: Lang, sets: &[Known]) -> Markup {
    let cols = [
        Col::text(lang.t("check.set")),
        Col::text(lang.t("check.class")),
        Col::number(lang.t("check.entries")),
        Col::text(lang.t("check.date")),
        Col::text(lang.t("check.from")).wide(),
    ];
    let row = |set: &Known| {
        vec![
            mono(&set.name),
            html! { (class_name(lang, set.class)) },
            html! { (fmt::number(set.entries as u64)) },
            html! {
                time { (set.date) }
                @if set.stale { " " span.state.is-wrong { (lang.t("check.old")) } }
            },
            text(&set.source),
        ]
    };
    html! {
        section aria-labelledby="h-sets" {
            h2 #h-sets { (lang.n("check.sets", sets.len() as u64, &[])) }
            (table(lang.t("check.knows"), &cols, sets.iter().map(row)))
        }
    }
}
