//! Passkeys: signing in by one, adding one, taking one away. The script hands what is asked here to the browser and
//! what it answers back, both as JSON; what is said to the reader is in the reader's language.

use axum::Json;
use axum::extract::{Extension, Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use desk::access::Refusal;
use desk::account::{
    At, From, MAX_PASSKEY_NAME, MAX_PASSKEYS, NotSignedIn, Passkey, Session, passkey_name,
};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::sign_in::{agent_of, cookie_of, refused, secret_field};
use crate::app::App;
use crate::fmt;
use crate::gate::Who;
use crate::guard::lang_of;
use crate::html::hostile::text;
use crate::html::parts::{Col, field, table};
use crate::i18n::Lang;

/// The name that a browser opened the console by, and its origin. `None` by an address, which no passkey belongs to.
/// The guard has seen that the host is one of ours.
struct Opened {
    host: String,
    origin: String,
}

impl Opened {
    fn of(app: &App, headers: &HeaderMap) -> Option<Self> {
        let host = headers.get(header::HOST)?.to_str().ok()?.to_ascii_lowercase();
        let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
        let letters = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        let is_name = name.parse::<std::net::IpAddr>().is_err() && name.bytes().all(letters);
        // Browsers have passkeys by TLS, and on the machine's own name.
        let (name, scheme) = (name.to_owned(), if app.secure { "https" } else { "http" });
        (is_name && (app.secure || name == "localhost"))
            .then(|| Self { host: name, origin: format!("{scheme}://{host}") })
    }

    fn at(&self) -> At<'_> {
        At { host: &self.host, origin: &self.origin }
    }
}

/// What a form of the script says of itself.
fn form(lang: Lang, kind: &str, action: &str, body: &Markup) -> Markup {
    html! {
        form.sign-in method="post" action=(action) data-passkey=(kind) data-waits=(lang.t("passkey.waits"))
            data-broke=(lang.t("passkey.broke")) data-without=(lang.t("passkey.without"))
            data-refused=(lang.t("passkey.refused")) data-known=(lang.t("passkey.known")) {
            (body)
            p.quiet role="status" { noscript { (lang.t("passkey.script")) } }
        }
    }
}

/// The form of signing in by a passkey, where the console was opened by a name.
pub(crate) fn to_sign_in(app: &App, lang: Lang, headers: &HeaderMap) -> Markup {
    html! {
        @if Opened::of(app, headers).is_some() {
            (form(lang, "sign", "/sign-in/passkey", &html! {
                button type="submit" disabled { (lang.t("passkey.sign_in")) }
            }))
        }
    }
}

/// What is told of passkeys that were found copied, to who sees everybody's sessions.
pub(crate) fn copied(lang: Lang, all: &[(String, Passkey)]) -> Markup {
    html! {
        @for (person, one) in all {
            div.notice.is-error {
                p { (lang.f("passkey.copied_of", &[
                    ("person", person), ("name", &one.name), ("time", &fmt::moment_ms(one.copied_ms.unwrap_or_default())),
                ])) }
            }
        }
    }
}

/// One's passkeys, and the form to add one: a part of one's own page.
pub(crate) fn part(app: &App, lang: Lang, headers: &HeaderMap, all: &[Passkey]) -> Markup {
    let cols = [
        Col::text(lang.t("passkey.name")),
        Col::text(lang.t("passkey.host")),
        Col::text(lang.t("passkey.added")),
        Col::text(lang.t("passkey.remove")),
    ];
    let rows = all.iter().map(|one| {
        vec![
            text(&one.name),
            text(&one.host),
            html! {
                time { (fmt::moment_ms(one.added_ms)) }
                @if let Some(at) = one.copied_ms {
                    br; span.state.is-wrong { (lang.f("passkey.copied", &[("time", &fmt::moment_ms(at))])) }
                }
            },
            html! {
                form method="post" action="/sessions/passkeys/remove" {
                    input type="hidden" name="id" value=(one.id);
                    button type="submit" aria-label=(lang.f("passkey.remove_one", &[("name", &one.name)])) {
                        (lang.t("passkey.remove"))
                    }
                }
            },
        ]
    });
    html! {
        section #passkeys aria-labelledby="h-passkeys" {
            h2 #h-passkeys { (lang.t("passkey.title")) }
            p.quiet { (lang.t("passkey.what")) }
            @if !all.is_empty() { (table(lang.t("passkey.title"), &cols, rows)) }
            @if all.len() >= MAX_PASSKEYS {
                p { (lang.n("passkey.full", MAX_PASSKEYS as u64, &[])) }
            } @else if Opened::of(app, headers).is_some() {
                (form(lang, "add", "/sessions/passkeys", &html! {
                    (field(lang.t("passkey.name"), "name", "", "text"))
                    (secret_field(lang.t("account.present"), "present", "password", "current-password"))
                    button type="submit" disabled { (lang.t("passkey.add")) }
                }))
            } @else {
                p { (lang.t("passkey.by_name")) }
            }
        }
    }
}

fn said(status: StatusCode, what: &str) -> Response {
    (status, Json(json!({ "said": what }))).into_response()
}

fn failed(lang: Lang) -> Response {
    said(StatusCode::INTERNAL_SERVER_ERROR, lang.t("error.access"))
}

/// What the browser is to be asked.
fn options(lang: Lang, options: &str) -> Response {
    match serde_json::from_str::<Value>(options) {
        Ok(options) => Json(options).into_response(),
        Err(_) => failed(lang),
    }
}

/// What was refused, counted under its route, and said as JSON.
fn no(app: &App, who: &Who, lang: Lang, route: &'static str, why: NotSignedIn) -> Response {
    let (mut status, retry_s, mut words) = refused(lang, why);
    // Of who adds one it is the password that was wrong.
    let signed_in = route.starts_with("/sessions");
    if why == NotSignedIn::Wrong {
        let key = if signed_in { "passkey.wrong_password" } else { "passkey.wrong" };
        lang.t(key).clone_into(&mut words);
        if signed_in {
            status = StatusCode::FORBIDDEN;
        }
    }
    let refusal = match why {
        NotSignedIn::Wrong if signed_in => Refusal::Forbidden,
        NotSignedIn::Wrong => Refusal::SignIn,
        _ => Refusal::TooMany,
    };
    app.access.refuse(who.principal.party(), route, refusal);
    let mut response = said(status, &words);
    if let Some(retry_s) = retry_s {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_s));
    }
    response
}

fn by_name(lang: Lang) -> Response {
    said(StatusCode::UNPROCESSABLE_ENTITY, lang.t("passkey.by_name"))
}

/// `POST /sign-in/passkey/options`.
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(&headers);
    let Some(opened) = Opened::of(&app, &headers) else { return by_name(lang) };
    match app.accounts.ask_passkey(&opened.at(), who.source) {
        Ok(Ok(asked)) => options(lang, &asked),
        Ok(Err(why)) => no(&app, &who, lang, "/sign-in/passkey/options", why),
        Err(_) => failed(lang),
    }
}

/// What the script sends.
#[derive(Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    name: String,
    #[serde(default)]
    present: String,
    #[serde(default)]
    answer: Value,
}

/// `POST /sign-in/passkey`.
pub(crate) async fn sign_in(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Json(sent): Json<Sent>,
) -> Response {
    let lang = lang_of(&headers);
    let Some(opened) = Opened::of(&app, &headers) else { return by_name(lang) };
    let (asked, source, agent) = (app.clone(), who.source, agent_of(&headers));
    let done = tokio::task::spawn_blocking(move || {
        let from = From { source, agent: &agent };
        let answer = sent.answer.to_string();
        asked.accounts.sign_in_by_passkey(&asked.access, answer.as_bytes(), &opened.at(), from)
    });
    match done.await {
        Ok(Ok(Ok(token))) => {
            let cookie = cookie_of(&app, &headers, &token);
            ([(header::SET_COOKIE, cookie)], Json(json!({ "to": "/sessions" }))).into_response()
        }
        Ok(Ok(Err(why))) => no(&app, &who, lang, "/sign-in/passkey", why),
        _ => failed(lang),
    }
}

/// Whose passkey is to be added, and where it will open; what is wrong with its name is said before a device makes it.
fn own(
    app: &App,
    headers: &HeaderMap,
    who: &Who,
    sent: &Sent,
) -> Result<(Opened, Session), Box<Response>> {
    let lang = lang_of(headers);
    let opened = Opened::of(app, headers).ok_or_else(|| by_name(lang))?;
    let session = who.session.clone();
    let session = session.ok_or_else(|| said(StatusCode::FORBIDDEN, lang.t("account.holder")))?;
    if passkey_name(&sent.name).is_none() {
        let words = lang.n("passkey.named", MAX_PASSKEY_NAME as u64, &[]);
        return Err(said(StatusCode::UNPROCESSABLE_ENTITY, &words).into());
    }
    Ok((opened, session))
}

/// `POST /sessions/passkeys/options`.
pub(crate) async fn offer(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Json(sent): Json<Sent>,
) -> Response {
    let lang = lang_of(&headers);
    let (opened, session) = match own(&app, &headers, &who, &sent) {
        Ok(own) => own,
        Err(no) => return *no,
    };
    let (asked, source) = (app.clone(), who.source);
    let done = tokio::task::spawn_blocking(move || {
        asked.accounts.offer_passkey(&session, &sent.present, &opened.at(), source)
    });
    match done.await {
        Ok(Ok(Ok(offered))) => options(lang, &offered),
        Ok(Ok(Err(why))) => no(&app, &who, lang, "/sessions/passkeys/options", why),
        // By a name it is; so there are as many as can be.
        Ok(Err(desk::Error::Asked(_))) => {
            let words = lang.n("passkey.full", MAX_PASSKEYS as u64, &[]);
            said(StatusCode::UNPROCESSABLE_ENTITY, &words)
        }
        _ => failed(lang),
    }
}

/// `POST /sessions/passkeys`.
pub(crate) async fn add(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Json(sent): Json<Sent>,
) -> Response {
    let lang = lang_of(&headers);
    let (opened, session) = match own(&app, &headers, &who, &sent) {
        Ok(own) => own,
        Err(no) => return *no,
    };
    let done = tokio::task::spawn_blocking(move || {
        let answer = sent.answer.to_string();
        app.accounts.add_passkey(&session, &sent.name, answer.as_bytes(), &opened.at())
    });
    match done.await {
        // A fragment of the page that is shown would load nothing.
        Ok(Ok(())) => Json(json!({ "to": "/sessions" })).into_response(),
        Ok(Err(desk::Error::Asked(_))) => {
            said(StatusCode::UNPROCESSABLE_ENTITY, lang.t("passkey.not_added"))
        }
        _ => failed(lang),
    }
}

/// The form that takes one away.
#[derive(Deserialize)]
pub(crate) struct Removed {
    id: String,
}

/// `POST /sessions/passkeys/remove`.
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Removed>,
) -> Response {
    let lang = lang_of(&headers);
    let Some(person) = who.person().map(str::to_owned) else {
        return Redirect::to("/sessions").into_response();
    };
    let done =
        tokio::task::spawn_blocking(move || app.accounts.remove_passkey(&person, &form.id)).await;
    match done {
        Ok(Ok(_)) => Redirect::to("/sessions#passkeys").into_response(),
        _ => crate::html::error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access"),
    }
}
