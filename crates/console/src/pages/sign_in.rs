//! Signing in by a one-time link, signing out, and the choice of language.

use std::time::Instant;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::app::App;
use crate::guard::{LANG_COOKIE, lang_of, session_of};
use crate::html::{bare, send};
use crate::i18n::Lang;
use crate::query::back;
use crate::session::SESSION_LIFE;

/// How one signs in: shown wherever a page is asked for without a session.
pub(crate) fn needed(lang: Lang) -> Markup {
    bare(
        lang,
        lang.t("sign_in.title"),
        None,
        html! {
            p.lead { (lang.t("sign_in.how")) }
            pre.mono { "vigie serve" }
            p { (lang.t("sign_in.once")) }
        },
    )
}

/// `GET /sign-in`.
pub(crate) async fn explain(headers: HeaderMap) -> Response {
    send(StatusCode::OK, needed(lang_of(&headers)))
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
    let Some(session) = app.sessions.spend(&token, Instant::now()) else {
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
    let cookie = format!(
        "{}={session}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}",
        app.cookie,
        SESSION_LIFE.as_secs()
    );
    ([(header::SET_COOKIE, cookie)], send(StatusCode::OK, page)).into_response()
}

/// `POST /sign-out`.
pub(crate) async fn sign_out(State(app): State<App>, headers: HeaderMap) -> Response {
    if let Some(session) = session_of(&headers, &app.cookie) {
        app.sessions.end(session);
    }
    let cookie = format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", app.cookie);
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
pub(crate) async fn language(Form(choice): Form<Choice>) -> Response {
    let mut response = Redirect::to(back(&choice.back)).into_response();
    if let Some(lang) = Lang::of_tag(&choice.lang) {
        let cookie = format!(
            "{LANG_COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000",
            lang.tag()
        );
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().insert(header::SET_COOKIE, value);
        }
    }
    response
}
