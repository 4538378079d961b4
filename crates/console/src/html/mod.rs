//! What pages are built of.

pub(crate) mod hostile;
pub(crate) mod icon;
mod layout;
pub(crate) mod parts;
mod rest;
pub(crate) mod value;
pub(crate) mod ways;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

pub(crate) use layout::{
    CaseLine, Page, Place, TABLE_FILE, apart, bare, leads_to, open, open_places,
};
#[cfg(test)]
pub(crate) use layout::{HOUSE_PLACES, PLACES};
pub(crate) use rest::{listed, rest, stated};

use crate::app::Ctx;
use crate::i18n::Lang;

/// A page or a part, as an answer.
pub(crate) fn send(status: StatusCode, markup: Markup) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], markup.into_string())
        .into_response()
}

/// A failure before anybody is known to be signed in: no frame, nothing of the case.
pub(crate) fn error_page(lang: Lang, status: StatusCode, key: &str) -> Response {
    send(status, bare(lang, lang.t(&format!("{key}_title")), None, error_text(lang, key, None)))
}

/// A failure of a page: in the frame's clothes, or as a part where a part was asked for.
pub(crate) fn error_in_place(
    ctx: &Ctx,
    status: StatusCode,
    key: &str,
    detail: Option<&str>,
) -> Response {
    let text = error_text(ctx.lang, key, detail);
    if ctx.part.is_some() {
        return send(status, html! { div.notice.is-error role="alert" { (text) } });
    }
    let title = ctx.lang.t(&format!("{key}_title")).to_owned();
    send(status, layout::without_case(ctx, &title, text))
}

/// What happened, what is safe, what to do.
fn error_text(lang: Lang, key: &str, detail: Option<&str>) -> Markup {
    html! {
        p.lead { (lang.t(key)) }
        @if let Some(detail) = detail { p { code lang="en" { (hostile::text(detail)) } } }
        p { a href="/" { (lang.t("error.home")) } }
    }
}

/// A message whose `{name}` is markup: seized text with its marks inside a sentence.
pub(crate) fn around(message: &str, name: &Markup, values: &[(&str, &str)]) -> Markup {
    let (before, after) = message.split_once("{name}").unwrap_or(("", message));
    let fill = |text: &str| crate::i18n::fill(text, values);
    html! { (fill(before)) (name) (fill(after)) }
}
