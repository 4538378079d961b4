//! `/objections`: what reviewers have to decide, the most pressing first, each with its clock.

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use desk::clearing::read::{self, ObjectionView};
use maud::{Markup, html};
use model::ExhibitId;
use shield::order::Moment;

use super::parts::{self, moment};
use super::rows::May;
use super::{asked, framed, look};
use crate::app::{App, fail};
use crate::gate::Who;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, empty, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// `GET /objections`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, &[]);
    let lang = ctx.lang;
    let found = look(&app, |house| {
        let (now, open, all) = read::objections(house);
        // A statement is there where it came by the form; what a program showed may be a hash alone.
        let said = |view: &ObjectionView| match house.case().exhibit(&ExhibitId(view.proof.0)) {
            Ok(Some(_)) => Said::Kept,
            Ok(None) => Said::Hash,
            Err(_) => Said::Unread,
        };
        let open: Vec<_> = open.into_iter().map(|view| (said(&view), view)).collect();
        (now, open, all)
    });
    let (now, open, all) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let may = May::of(&app, &who);
    let overdue = open.iter().filter(|(_, view)| view.due <= now).count();
    let body = html! {
        @if overdue > 0 { div.notice.is-error role="status" { p { (lang.n("objections.overdue", overdue as u64, &[])) } } }
        @if open.is_empty() { (empty(lang.t("objections.none"), lang.t("objections.none_why"))) }
        @else { (list(lang, &open, &may, now)) }
        @if all > open.len() as u64 { p.quiet { (lang.n("objections.more", all, &[])) } }
    };
    let mut page = Page::new(&ctx, Place::Objections, lang.n("objections.title", all, &[]), body);
    page.notes = notes;
    framed(&app, &ctx, StatusCode::OK, page).await
}

/// What there is of what somebody said or showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// It is in the vault.
    Kept,
    /// Its hash alone.
    Hash,
    /// Nobody can tell: what is known of exhibits cannot be read.
    Unread,
}

fn list(lang: Lang, open: &[(Said, ObjectionView)], may: &May, now: Moment) -> Markup {
    let cols = [
        Col::text(lang.t("objections.due")),
        Col::text(lang.t("items.item")).wide(),
        Col::text(lang.t("items.state")),
        Col::text(lang.t("items.reporter")),
        Col::text(lang.t("objections.taken")),
        Col::text(lang.t("objections.shown")),
        Col::text(lang.t("items.acts")),
    ];
    let row = |(said, view): &(Said, ObjectionView)| {
        vec![
            html! {
                (moment(view.due)) br;
                @if view.due <= now { span.state.is-wrong { (lang.f("objections.late", &[("time", &parts::span(view.due, now))])) } }
                @else { span.quiet { (parts::span(now, view.due)) } }
            },
            html! { a href={ "/tickets/" (view.item.ticket()) } { (mono(&view.value.to_string())) } },
            html! {
                @match view.stage {
                    Some(stage) => { (parts::stage(lang, stage)) },
                    None => { (parts::stage(lang, shield::order::Stage::Ended)) },
                }
            },
            text(view.reporter.as_str()),
            moment(view.at),
            html! {
                (lang.t(if view.proven { "objections.proven" } else { "objections.by_word" })) br;
                @match said {
                    Said::Kept => { (parts::capture(&ExhibitId(view.proof.0), view.item.ticket())) },
                    Said::Hash => { span.mono.cut { (view.proof.to_string()) } },
                    Said::Unread => {
                        span.mono.cut { (view.proof.to_string()) } br;
                        span.state.is-wrong { (lang.t("objections.unread")) }
                    },
                }
            },
            html! { @if may.decide && seconds(view, may) { (decide(lang, view)) } },
        ]
    };
    table(lang.t("place.objections"), &cols, open.iter().map(row))
}

/// True where somebody is of another organisation than the reporter.
fn seconds(view: &ObjectionView, may: &May) -> bool {
    may.person().is_some_and(|(_, of)| of != view.reporter.as_str())
}

fn decide(lang: Lang, view: &ObjectionView) -> Markup {
    let ways = [
        ("no", "objections.no"),
        ("item", "objections.item"),
        ("collateral", "objections.collateral"),
    ];
    parts::fold(
        Some("d"),
        lang.t("act.decide"),
        html! {
            form.stack method="post" action="/objections/decide" {
                input type="hidden" name="item" value=(view.item.to_string());
                input type="hidden" name="proof" value=(view.proof.to_string());
                input type="hidden" name="back" value="/objections";
                label.field { span { (lang.t("objections.decision")) }
                    select name="upheld" required { @for (value, key) in ways { option value=(value) { (lang.t(key)) } } }
                }
                (parts::grounds(lang, true))
                button type="submit" { (lang.t("act.decide")) }
            }
        },
    )
}
