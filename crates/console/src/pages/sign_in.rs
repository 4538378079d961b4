//! Signing in, by a password, by a passkey, or by the one-time link on the terminal; signing out; the choice of language.

use std::time::Instant;

use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::Refusal;
use desk::account::{From, NotSignedIn};
use maud::{Markup, html};

use crate::app::App;
use crate::gate::Who;
use crate::guard::{LANG_COOKIE, lang_of, session_of};
use crate::html::{bare, error_page, send};
use crate::i18n::Lang;
use crate::query::back;
use crate::session::SESSION_LIFE;

/// How one signs in: shown wherever a page is asked for without a session. People sign in by a password
/// where any are registered; `said` is what became of the last try.
pub(crate) fn needed(app: &App, headers: &HeaderMap, said: Option<&str>) -> Markup {
    let lang = lang_of(headers);
    let people = app.access.register(|register| register.people().len() > 0);
    bare(
        lang,
        lang.t("sign_in.title"),
        None,
        html! {
            @if people {
                @if let Some(said) = said {
                    div.notice.is-error role="alert" { p { (said) } }
                }
                form.sign-in method="post" action="/sign-in" {
                    (secret_field(lang.t("sign_in.name"), "name", "text", "username"))
                    (secret_field(lang.t("sign_in.password"), "password", "password", "current-password"))
                    button type="submit" { (lang.t("sign_in.title")) }
                }
                (super::passkey::to_sign_in(app, lang, headers))
            }
            // Beyond this machine the link opens nothing.
            @if app.local {
                @if people {
                    h2 { (lang.t("sign_in.local")) }
                    p { (lang.t("sign_in.local_how")) }
                } @else {
                    p.lead { (lang.t("sign_in.how")) }
                }
                pre.mono { "vigie serve" }
                p { (lang.t("sign_in.once")) }
            }
        },
    )
}

/// A field that a password manager fills in.
pub(crate) fn secret_field(label: &str, name: &str, kind: &str, fill: &str) -> Markup {
    html! {
        label.field {
            span { (label) }
            input type=(kind) name=(name) autocomplete=(fill) required autocapitalize="none" spellcheck="false";
        }
    }
}

/// `GET /sign-in`.
pub(crate) async fn explain(State(app): State<App>, headers: HeaderMap) -> Response {
    send(StatusCode::OK, needed(&app, &headers, None))
}

/// The form of signing in.
#[derive(serde::Deserialize)]
pub(crate) struct SignIn {
    name: String,
    password: String,
}

/// `POST /sign-in`.
pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    let lang = lang_of(&headers);
    let agent = agent_of(&headers);
    let (asked, source) = (app.clone(), who.source);
    let done = tokio::task::spawn_blocking(move || {
        let from = From { source, agent: &agent };
        asked.accounts.sign_in(&asked.access, form.name.trim(), &form.password, from)
    })
    .await;
    match done {
        Ok(Ok(Ok(token))) => begun(&app, &headers, &token),
        Ok(Ok(Err(why))) => {
            let (status, retry_s, said) = refused(lang, why);
            let refusal = match why {
                NotSignedIn::Wrong => Refusal::SignIn,
                _ => Refusal::TooMany,
            };
            app.access.refuse(who.principal.party(), "/sign-in", refusal);
            let mut response = send(status, needed(&app, &headers, Some(&said)));
            if let Some(retry_s) = retry_s {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_s));
            }
            response
        }
        _ => error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access"),
    }
}

/// Why nobody was signed in: the status, after how many seconds to come again, the words.
pub(crate) fn refused(lang: Lang, why: NotSignedIn) -> (StatusCode, Option<u64>, String) {
    match why {
        NotSignedIn::Wrong => (StatusCode::UNAUTHORIZED, None, lang.t("sign_in.wrong").to_owned()),
        NotSignedIn::Wait { retry_s } => {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_s), lang.n("sign_in.wait", retry_s, &[]))
        }
        NotSignedIn::Busy => {
            (StatusCode::SERVICE_UNAVAILABLE, Some(1), lang.t("sign_in.busy").to_owned())
        }
    }
}

/// What a browser calls itself.
pub(crate) fn agent_of(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|of| of.to_str().ok());
    agent.unwrap_or_default().to_owned()
}

/// A session has begun: its cookie, in the place of whatever session the browser had, and on to one's
/// own page. The token is never one that the browser brought along.
pub(crate) fn begun(app: &App, headers: &HeaderMap, token: &str) -> Response {
    let cookie = cookie_of(app, headers, token);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/sessions")).into_response()
}

/// The cookie of a session that has begun, in the place of whatever session the browser had.
pub(crate) fn cookie_of(app: &App, headers: &HeaderMap, token: &str) -> String {
    if let Some(former) = session_of(headers, &app.cookie) {
        app.links.end(former);
    }
    let seconds = u64::try_from(desk::account::LONGEST_MS / 1000).unwrap_or(0);
    app.set_cookie(&app.cookie, token, seconds)
}

/// `GET /sign-in/{token}`: spends the link. The page that answers goes on by itself to the overview
/// rather than being redirected, so that a link clicked in another program carries its cookie too.
pub(crate) async fn spend(
    State(app): State<App>,
    Path(token): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(&headers);
    // A program that only looks at the link does not spend it.
    if method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    let Some(session) = app.links.spend(&token, Instant::now()) else {
        app.access.refuse("public", "/sign-in/{token}", Refusal::Forbidden);
        let page = bare(
            lang,
            lang.t("sign_in.spent_title"),
            None,
            html! {
                p.lead { (lang.t("sign_in.spent")) }
                pre.mono { "vigie serve" }
            },
        );
        return send(StatusCode::FORBIDDEN, page);
    };
    let page = bare(
        lang,
        lang.t("sign_in.done_title"),
        Some("/"),
        html! {
            p.lead { a href="/" { (lang.t("sign_in.go_on")) } }
        },
    );
    let cookie = app.set_cookie(&app.cookie, &session, SESSION_LIFE.as_secs());
    ([(header::SET_COOKIE, cookie)], send(StatusCode::OK, page)).into_response()
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Response {
    if let Some(session) = session_of(&headers, &app.cookie) {
        app.links.end(session);
    }
    let cookie = app.set_cookie(&app.cookie, "", 0);
    if let Some(session) = who.session {
        let ended =
            tokio::task::spawn_blocking(move || app.accounts.end_own(&session.person, &session.id));
        if !matches!(ended.await, Ok(Ok(_))) {
            // The cookie goes; that the session did is not known.
            let lang = lang_of(&headers);
            let page = error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access");
            return ([(header::SET_COOKIE, cookie)], page).into_response();
        }
    }
    ([(header::SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response()
}

/// The form of the language switch.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Choice {
    lang: String,
    #[serde(default)]
    back: String,
}

/// `POST /language`.
pub(crate) async fn language(State(app): State<App>, Form(choice): Form<Choice>) -> Response {
    let mut response = Redirect::to(back(&choice.back)).into_response();
    if let Some(lang) = Lang::of_tag(&choice.lang) {
        let cookie = app.set_cookie(LANG_COOKIE, lang.tag(), 31_536_000);
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
    }
    response
}
