//! Sessions: one's own, with one's password and passkeys, and everybody's.

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::{Action, Principal, Refusal};
use desk::account::{MIN_PASSWORD, Session};
use maud::{Markup, html};

use super::sign_in::{refused, secret_field};
use crate::app::{App, Ctx, Site};
use crate::fmt;
use crate::gate::Who;
use crate::guard::lang_of;
use crate::html::hostile::text;
use crate::html::parts::{Col, empty, field, table};
use crate::html::{apart, error_page, send};
use crate::i18n::Lang;

/// What a page is given of a request.
pub(super) fn ctx_of(request: &Request) -> Ctx {
    let uri = request.uri();
    Ctx::of(request.headers(), uri.path(), uri.query().unwrap_or(""), Vec::new())
}

fn failed(lang: Lang) -> Response {
    error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access")
}

/// `GET /sessions`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    own(&app, &who, (&ctx_of(&request), request.headers()), (StatusCode::OK, None)).await
}

/// One's own page; `said` is what became of what was asked.
async fn own(
    app: &App,
    who: &Who,
    (ctx, headers): (&Ctx, &HeaderMap),
    (status, said): (StatusCode, Option<String>),
) -> Response {
    let lang = ctx.lang;
    let Some(session) = who.session.clone() else {
        let body =
            html! { div.prose { p.lead { (lang.t("account.holder")) } (ways(app, who, lang)) } };
        return send(status, apart(ctx, "place.account", lang.t("account.holder_title"), body));
    };
    let (asked, person) = (app.clone(), session.person.clone());
    let found = tokio::task::spawn_blocking(move || {
        Ok::<_, desk::Error>((
            asked.accounts.sessions(Some(&person))?,
            asked.accounts.passkeys(&person)?,
        ))
    });
    let Ok(Ok((sessions, passkeys))) = found.await else { return failed(lang) };
    let title = lang.n("account.title", sessions.len() as u64, &[("person", &session.person)]);
    let roles = match &who.principal {
        Principal::Person { roles, .. } if !roles.is_empty() => {
            let key = |role: &desk::parties::PartyRole| format!("party_role.{}", role.word());
            let words = roles.iter().map(|role| lang.t(&key(role)).to_owned());
            words.collect::<Vec<_>>().join(", ")
        }
        _ => lang.t("parties.no_role").to_owned(),
    };
    let body = html! {
        p { (lang.t("parties.roles")) (lang.colon()) " " (roles) }
        (ways(app, who, lang))
        (list(lang, &sessions, &session.id, false, |session| html! {
            form method="post" action="/sessions/end" {
                input type="hidden" name="id" value=(session.id);
                button type="submit" { (lang.t("account.end")) }
            }
        }))
        (super::passkey::part(app, lang, headers, &passkeys))
        section aria-labelledby="h-password" {
            h2 #h-password { (lang.t("account.password")) }
            @if let Some(said) = &said { div.notice role="alert" { p { (text(said)) } } }
            form.sign-in method="post" action="/sessions/password" {
                (secret_field(lang.t("account.present"), "present", "password", "current-password"))
                (secret_field(lang.t("account.new"), "password", "password", "new-password"))
                (secret_field(lang.t("account.again"), "again", "password", "new-password"))
                button type="submit" { (lang.t("account.set")) }
            }
            p.quiet { (lang.n("account.rules", MIN_PASSWORD as u64, &[])) " " (lang.t("account.others_end")) }
        }
    };
    send(status, apart(ctx, "place.account", &title, body))
}

/// Where else whoever asks may go.
fn ways(app: &App, who: &Who, lang: Lang) -> Markup {
    let may = |action| app.access.would(&who.principal, action, who.source);
    html! {
        div.moves {
            @if may(Action::CaseRead) { a.button href="/" { (lang.t("place.overview")) } }
            @if may(Action::PartiesRead) { a.button href="/parties" { (lang.t("parties.parties")) } }
            @if app.site() == Site::House && (may(Action::TicketsRead) || may(Action::OwnStop)) { a.button href="/stops" { (lang.t("place.stops")) } }
            @if app.site() == Site::House && (may(Action::TicketsRead) || may(Action::ExceptionPropose)) { a.button href="/exceptions" { (lang.t("place.exceptions")) } }
            @if may(Action::SessionsRead) { a.button href="/sessions/all" { (lang.t("account.all")) } }
            @if may(Action::RefusalsRead) { a.button href="/refusals" { (lang.t("parties.refusals")) } }
        }
    }
}

fn list(
    lang: Lang,
    sessions: &[Session],
    here: &str,
    whose: bool,
    act: impl Fn(&Session) -> Markup,
) -> Markup {
    let mut cols = vec![
        Col::text(lang.t("account.begun")),
        Col::text(lang.t("account.seen")),
        Col::text(lang.t("account.by")),
        Col::text(lang.t("account.browser")).aside(),
        Col::text(lang.t("account.end")),
    ];
    if whose {
        cols.insert(0, Col::text(lang.t("parties.person")));
    }
    let rows = sessions.iter().map(|session| {
        let mut row = vec![
            html! { time { (fmt::moment_ms(session.begun_ms)) } },
            html! { time { (fmt::moment_ms(session.seen_ms)) } },
            html! {
                (lang.t(&format!("means.{}", session.by.word())))
                @if session.id == here { " " span.quiet { (lang.t("account.this")) } }
            },
            text(&session.agent),
            act(session),
        ];
        if whose {
            row.insert(0, text(&session.person));
        }
        row
    });
    table(lang.t("account.sessions"), &cols, rows)
}

/// The form that ends one of one's own sessions.
#[derive(serde::Deserialize)]
pub(crate) struct Ended {
    id: String,
}

/// `POST /sessions/end`.
pub(crate) async fn end(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Ended>,
) -> Response {
    let lang = lang_of(&headers);
    let Some(person) = who.person().map(str::to_owned) else {
        return Redirect::to("/sessions").into_response();
    };
    let ended = tokio::task::spawn_blocking(move || app.accounts.end_own(&person, &form.id)).await;
    match ended {
        Ok(Ok(_)) => Redirect::to("/sessions").into_response(),
        _ => failed(lang),
    }
}

/// The form of another password.
#[derive(serde::Deserialize)]
pub(crate) struct Password {
    present: String,
    password: String,
    again: String,
}

/// `POST /sessions/password`.
pub(crate) async fn password(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Password>,
) -> Response {
    let lang = lang_of(&headers);
    let ctx = Ctx::of(&headers, "/sessions", "", Vec::new());
    let Some(session) = who.session.clone() else {
        return Redirect::to("/sessions").into_response();
    };
    if form.password != form.again {
        let said = Some(lang.t("account.differ").to_owned());
        return own(&app, &who, (&ctx, &headers), (StatusCode::UNPROCESSABLE_ENTITY, said)).await;
    }
    let (asked, source) = (app.clone(), who.source);
    let done = tokio::task::spawn_blocking(move || {
        asked.accounts.change_password(&session, &form.present, &form.password, source)
    })
    .await;
    let (status, retry_s, said) = match done {
        Ok(Ok(Ok(()))) => (StatusCode::OK, None, lang.t("account.changed").to_owned()),
        Ok(Ok(Err(why))) => {
            let refusal = match why {
                desk::account::NotSignedIn::Wrong => Refusal::Forbidden,
                _ => Refusal::TooMany,
            };
            app.access.refuse(who.principal.party(), "/sessions/password", refusal);
            let (status, retry_s, said) = refused(lang, why);
            // Signed in one is: what was wrong is the password.
            let wrong = status == StatusCode::UNAUTHORIZED;
            (if wrong { StatusCode::FORBIDDEN } else { status }, retry_s, said)
        }
        Ok(Err(desk::Error::Asked(why))) => (StatusCode::UNPROCESSABLE_ENTITY, None, why),
        _ => return failed(lang),
    };
    let mut response = own(&app, &who, (&ctx, &headers), (status, Some(said))).await;
    if let Some(retry_s) = retry_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_s));
    }
    response
}

/// `GET /sessions/all`.
pub(crate) async fn all(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let ctx = ctx_of(&request);
    let lang = ctx.lang;
    let asked = app.clone();
    let found = tokio::task::spawn_blocking(move || {
        let copied = asked.accounts.copied_passkeys(&asked.access)?;
        Ok::<_, desk::Error>((asked.accounts.sessions(None)?, copied))
    });
    let Ok(Ok((sessions, copied))) = found.await else { return failed(lang) };
    let here = who.session.as_ref().map_or("", |session| session.id.as_str());
    let may_end = app.access.would(&who.principal, Action::SessionsEnd, who.source);
    let title = lang.n("account.all_title", sessions.len() as u64, &[]);
    let body = if sessions.is_empty() {
        empty(lang.t("account.none"), lang.t("account.none_why"))
    } else {
        list(lang, &sessions, here, true, |session| {
            html! {
                @if may_end {
                    form.moves method="post" action="/sessions/all/end" {
                        input type="hidden" name="person" value=(session.person);
                        (field(lang.t("account.reason"), "reason", "", "text"))
                        button type="submit" { (lang.f("account.end_all", &[("person", &session.person)])) }
                    }
                } @else { "–" }
            }
        })
    };
    let body = html! { (super::passkey::copied(lang, &copied)) (body) };
    send(StatusCode::OK, apart(&ctx, "place.account", &title, body))
}

/// The form that ends all of a person's sessions.
#[derive(serde::Deserialize)]
pub(crate) struct AllEnded {
    person: String,
    reason: String,
}

/// `POST /sessions/all/end`.
pub(crate) async fn end_all(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<AllEnded>,
) -> Response {
    let lang = lang_of(&headers);
    // Policies give it to people alone: it is recorded under a name.
    let Some(by) = who.person().map(str::to_owned) else {
        return error_page(lang, StatusCode::FORBIDDEN, "error.forbidden");
    };
    let done = tokio::task::spawn_blocking(move || {
        let home = app.access.home();
        desk::account::end_sessions(home, &by, "vigie serve", &form.person, &form.reason)
    })
    .await;
    match done {
        Ok(Ok(_)) => Redirect::to("/sessions/all").into_response(),
        Ok(Err(desk::Error::Asked(_))) => {
            error_page(lang, StatusCode::UNPROCESSABLE_ENTITY, "error.asked")
        }
        _ => failed(lang),
    }
}
