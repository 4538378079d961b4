//! Labels for items in custody, to be printed: what a scanner reads leads back to the log.

use desk::custody::{Label, qr};
use desk::read::Snapshot;
use maud::{Markup, PreEscaped, html};

use super::custody::record;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::parts::empty;
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// Labels on one page.
const MOST: usize = 100;

/// `GET /labels?item=…`: labels to print, all of them where none is named.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let custody = snapshot.custody()?;
    let wanted: Vec<&str> = ctx.query.all("item").collect();
    let all = custody.book.item_names();
    if wanted.iter().any(|name| !all.contains(name)) {
        return Err(PageError::NotFound);
    }
    let names = all.into_iter().filter(|name| wanted.is_empty() || wanted.contains(name));
    let names: Vec<&str> = names.collect();
    if names.len() > MOST {
        return Err(PageError::Bound("error.bound"));
    }
    // An item of which no record counts any more has no label.
    let standing = names.into_iter().filter(|name| !custody.chain(name).steps.is_empty());
    let labels: Vec<Label> =
        standing.map(|name| snapshot.label(name)).collect::<desk::Result<_>>()?;
    if ctx.json() {
        let texts: Vec<_> = labels.iter().map(Label::text).collect();
        return Ok(Answer::Json(serde_json::json!({ "labels": texts })));
    }
    let body = html! {
        p.quiet { (lang.t("custody.labels_how")) }
        @if labels.is_empty() { (empty(lang.t("custody.none"), lang.t("custody.none_why"))) }
        div.labels { @for label in &labels { (one_label(lang, label)?) } }
    };
    let title = lang.n("custody.labels_n", labels.len() as u64, &[]);
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Custody, title, body))))
}

fn one_label(lang: Lang, label: &Label) -> Result<Markup, PageError> {
    // The picture is ours, made of numbers alone.
    let picture = PreEscaped(qr(&label.text())?);
    Ok(html! {
        article.label {
            (picture)
            div {
                h2 { (text(&label.item)) }
                @if let Some(seal) = &label.seal { p { (lang.t("custody.seal")) " " strong { (text(seal)) } } }
                p { (lang.t("log.record")) " " (record(label.record)) }
                p.mono.break { (label.hash) }
                p { (lang.t("custody.checkpoint")) " " (fmt::number(label.checkpoint.0)) }
                p.mono.break { (label.checkpoint.1) }
                p.quiet { (mono(&label.case)) }
            }
        }
    })
}
