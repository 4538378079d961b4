//! An invitation's link. Looking at it spends nothing, since scanners of mail look at links; the form does.

use axum::extract::{Extension, Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::access::Refusal;
use desk::account::MIN_PASSWORD;
use maud::{Markup, html};

use super::sign_in::{agent_of, begun, secret_field};
use crate::app::App;
use crate::gate::Who;
use crate::guard::lang_of;
use crate::html::hostile::text;
use crate::html::{bare, error_page, send};
use crate::i18n::Lang;

const ROUTE: &str = "/invite/{token}";

/// `GET /invite/{token}`.
pub(crate) async fn show(
    State(app): State<App>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    let lang = lang_of(&headers);
    let asked = app.clone();
    let found = tokio::task::spawn_blocking(move || asked.accounts.invited(&asked.access, &token));
    match found.await {
        Ok(Ok(Some(person))) => send(StatusCode::OK, form(lang, &person, None)),
        Ok(Ok(None)) => spent(&app, lang),
        _ => error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access"),
    }
}

fn spent(app: &App, lang: Lang) -> Response {
    app.access.refuse("public", ROUTE, Refusal::Forbidden);
    let page = bare(
        lang,
        lang.t("invite.spent_title"),
        None,
        html! { p.lead { (lang.t("invite.spent")) } },
    );
    send(StatusCode::FORBIDDEN, page)
}

/// The form posts to the address it stands at: the token is in no field.
fn form(lang: Lang, person: &str, said: Option<&str>) -> Markup {
    bare(
        lang,
        lang.t("invite.title"),
        None,
        html! {
            p.lead { (lang.f("invite.how", &[("person", person)])) }
            @if let Some(said) = said {
                div.notice.is-error role="alert" { p lang="en" { (text(said)) } }
            }
            form.sign-in method="post" {
                input type="text" name="name" value=(person) autocomplete="username" hidden;
                (secret_field(lang.t("account.new"), "password", "password", "new-password"))
                (secret_field(lang.t("account.again"), "again", "password", "new-password"))
                button type="submit" { (lang.t("account.set")) }
            }
            p.quiet { (lang.n("account.rules", MIN_PASSWORD as u64, &[])) }
        },
    )
}

/// The form of an invitation.
#[derive(serde::Deserialize)]
pub(crate) struct Chosen {
    password: String,
    again: String,
}

/// `POST /invite/{token}`.
pub(crate) async fn accept(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    Path(token): Path<String>,
    headers: HeaderMap,
    Form(chosen): Form<Chosen>,
) -> Response {
    let lang = lang_of(&headers);
    let (asked, agent) = (app.clone(), agent_of(&headers));
    let done = tokio::task::spawn_blocking(move || {
        let Some(person) = asked.accounts.invited(&asked.access, &token)? else {
            return Ok(Err(None));
        };
        if chosen.password != chosen.again {
            return Ok(Err(Some((person, lang.t("account.differ").to_owned()))));
        }
        match asked.accounts.accept(&asked.access, &token, &chosen.password, &agent) {
            Ok(Some(token)) => Ok(Ok(token)),
            Ok(None) => Ok(Err(None)),
            Err(desk::Error::Asked(why)) => Ok(Err(Some((person, why)))),
            Err(e) => Err(e),
        }
    });
    match done.await {
        Ok(Ok(Ok(session))) => begun(&app, &headers, &session),
        Ok(Ok(Err(Some((person, why))))) => {
            send(StatusCode::UNPROCESSABLE_ENTITY, form(lang, &person, Some(&why)))
        }
        Ok(Ok(Err(None))) => spent(&app, lang),
        _ => error_page(lang, StatusCode::INTERNAL_SERVER_ERROR, "error.access"),
    }
}
