//! `/exceptions`: what is never to be blocked: who proposed it and why, who approved it, what it lifted.

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::clearing::read::{self, ExceptionView, Log, Said};
use maud::{Markup, html};
use serde::Deserialize;
use shield::order::Command;
use shield::order::exceptions::Cover;

use super::acts::{self, No, act};
use super::parts::{self, moment};
use super::rows::May;
use super::{asked, framed, whose, with};
use crate::app::{App, Ctx, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, empty, pager, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;

/// Exceptions on a page.
const ROWS: usize = 50;
/// Revocations on the page.
const REVOKED: usize = 20;
const KNOWN: &[Param] = &[("after", |text| text.parse::<Cover>().is_ok())];

/// `GET /exceptions`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let (whose, after) = (whose(&app, &who), ctx.query.read::<Cover>("after"));
    let all = whose.is_none();
    // The house says which records; they are read here, so that it goes on meanwhile.
    let found = with(&app, move |clearing| {
        let (page, waiting, revoked, dir) = clearing.keeper.look(move |house| {
            let (page, waiting) = read::exceptions(house, &whose, after.as_ref(), ROWS);
            let revoked = if all { read::revoked(house, REVOKED) } else { Vec::new() };
            (page, waiting, revoked, house.case().dir().to_owned())
        })?;
        let log = Log::open(&dir)?;
        let rows: desk::Result<Vec<_>> = page.rows.into_iter().map(|row| row.told(&log)).collect();
        let revoked: desk::Result<Vec<_>> =
            revoked.into_iter().map(|record| read::said(&log, record)).collect();
        Ok((rows?, page.next, waiting, revoked?.into_iter().flatten().collect::<Vec<_>>()))
    });
    let (rows, next, waiting, revoked) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let may = May::of(&app, &who);
    let next = next.as_ref().map(ToString::to_string);
    let body = html! {
        @if rows.is_empty() { (empty(lang.t("exceptions.none"), lang.t("exceptions.none_why"))) }
        @else { (list(&ctx, &rows, &may, all)) }
        (pager(&ctx, next.as_deref()))
        @if !revoked.is_empty() { (past(lang, &revoked)) }
    };
    let title = lang.n("exceptions.title", waiting, &[]);
    let mut shown = Page::new(&ctx, Place::Exceptions, title, body);
    shown.notes = notes;
    if may.propose {
        shown.actions = propose_form(lang);
    }
    framed(&app, &ctx, StatusCode::OK, shown).await
}

/// Who decided something, when and why; the log is read by who reads all tickets.
fn said(lang: Lang, said: Option<&Said>, all: bool) -> Markup {
    let Some(said) = said else { return html! { span.quiet { (lang.t("part.unknown")) } } };
    html! {
        (text(said.by.person.as_str())) " · " (text(said.by.organisation.as_str()))
        br; (moment(said.at))
        @if let Some(grounds) = &said.grounds { br; q { (text(grounds.as_str())) } }
        @if all { br; a.n href={ "/log/" (said.record) } { (lang.t("history.record")) " " (fmt::number(said.record)) } }
    }
}

fn lifted(lang: Lang, said: Option<&Said>, all: bool) -> Markup {
    let Some(said) = said else { return html! { span.quiet { (lang.t("part.none")) } } };
    html! {
        (lang.n("exceptions.lifted_n", said.lifted, &[]))
        @if all && !said.items.is_empty() {
            br;
            @for (n, item) in said.items.iter().enumerate() {
                @if n > 0 { ", " }
                a href={ "/tickets/" (item.ticket()) "#i-" (item.ticket()) "-" (item.place()) } { (item) }
            }
            @if said.lifted > said.items.len() as u64 { ", …" }
        }
    }
}

fn list(ctx: &Ctx, rows: &[ExceptionView], may: &May, all: bool) -> Markup {
    let lang = ctx.lang;
    let cols = [
        Col::text(lang.t("event.state")),
        Col::text(lang.t("exceptions.cover")),
        Col::text(lang.t("exceptions.proposed")).wide(),
        Col::text(lang.t("exceptions.approved")),
        Col::text(lang.t("exceptions.lifted")),
        Col::text(lang.t("items.acts")),
    ];
    let row = |view: &ExceptionView| {
        let one = &view.exception;
        vec![
            html! {
                @if view.over { span.state.is-unread { (lang.t("exceptions.over")) } }
                @else if one.approved { span.state.is-read { (lang.t("exceptions.holds")) } }
                @else { span.state.is-held { (lang.t("exceptions.waits")) } }
                @if let Some(until) = one.until { br; span.quiet { (lang.t("items.until")) " " (moment(until)) } }
            },
            mono(&view.cover.to_string()),
            said(lang, view.proposed.as_ref(), all),
            html! { @if one.approved { (said(lang, view.approved.as_ref(), all)) } },
            html! { @if one.approved { (lifted(lang, view.approved.as_ref(), all)) } },
            acts_on(lang, view, may),
        ]
    };
    table(lang.t("place.exceptions"), &cols, rows.iter().map(row))
}

/// What may be done with one: a second person approves; a reviewer ends one that holds, and who proposed takes back
/// one that waits.
fn acts_on(lang: Lang, view: &ExceptionView, may: &May) -> Markup {
    let cover = view.cover.to_string();
    let one = &view.exception;
    let Some((person, of)) = may.person() else { return html! {} };
    let second = one.person.as_str() != person && one.organisation.as_str() != of;
    let own = !one.approved && may.propose && one.organisation.as_str() == of;
    html! {
        @if may.except && !one.approved && !view.over && second {
            (parts::fold(Some("a"), lang.t("act.approve"), html! {
                form.stack method="post" action="/exceptions/approve" {
                    input type="hidden" name="cover" value=(cover);
                    p.quiet { (lang.t("exceptions.approve_how")) }
                    button type="submit" { (lang.t("act.approve")) }
                }
            }))
        }
        @if may.except || own {
            (parts::fold(Some("r"), lang.t("act.revoke"), html! {
                form.stack method="post" action="/exceptions/revoke" {
                    input type="hidden" name="cover" value=(cover);
                    (parts::grounds(lang, true))
                    button type="submit" { (lang.t("act.revoke")) }
                }
            }))
        }
    }
}

/// What was revoked or taken back, the newest first.
fn past(lang: Lang, revoked: &[Said]) -> Markup {
    let cols =
        [Col::text(lang.t("exceptions.cover")), Col::text(lang.t("exceptions.revoked")).wide()];
    let row = |of: &Said| vec![mono(&of.cover.to_string()), said(lang, Some(of), true)];
    html! {
        section aria-labelledby="h-revoked" {
            h2 #h-revoked { (lang.t("exceptions.past")) }
            (table(lang.t("exceptions.past"), &cols, revoked.iter().map(row)))
        }
    }
}

fn propose_form(lang: Lang) -> Markup {
    parts::fold(
        None,
        lang.t("exceptions.propose"),
        html! {
            form.stack method="post" action="/exceptions/propose" {
                label.field { span { (lang.t("exceptions.cover_field")) }
                    input type="text" name="cover" required maxlength="300" autocomplete="off" autocapitalize="none" spellcheck="false";
                }
                p.quiet { (lang.t("exceptions.propose_how")) }
                label.field { span { (lang.t("exceptions.until_field")) } input type="datetime-local" name="until"; }
                (parts::grounds(lang, true))
                button type="submit" { (lang.t("exceptions.propose")) }
            }
        },
    )
}

/// A form on an exception.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnCover {
    cover: String,
    until: String,
    grounds: String,
}

impl OnCover {
    fn cover(&self) -> Result<Cover, No> {
        self.cover.parse().map_err(|_| No::Form("exceptions.no_cover"))
    }

    fn written(&self) -> String {
        let parts = [&self.cover, &self.grounds].map(|part| part.trim());
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// `POST /exceptions/propose`.
pub(crate) async fn propose(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnCover>,
) -> Response {
    let run = async {
        let blank = form.until.trim().is_empty();
        let until = if blank { None } else { Some(acts::moment(&form.until)?) };
        let (cover, grounds) = (form.cover()?, acts::grounds(&form.grounds)?);
        act(&app, &who, Command::ProposeException { cover, until, grounds }).await
    };
    acts::done(&app, &headers, ("/exceptions", &form.written()), run).await
}

/// `POST /exceptions/approve`.
pub(crate) async fn approve(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnCover>,
) -> Response {
    let run = async { act(&app, &who, Command::ApproveException { cover: form.cover()? }).await };
    acts::done(&app, &headers, ("/exceptions", ""), run).await
}

/// `POST /exceptions/revoke`.
pub(crate) async fn revoke(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnCover>,
) -> Response {
    let run = async {
        let (cover, grounds) = (form.cover()?, acts::grounds(&form.grounds)?);
        act(&app, &who, Command::RevokeException { cover, grounds }).await
    };
    acts::done(&app, &headers, ("/exceptions", &form.written()), run).await
}
