//! Problems: what could not be read, where, and what it costs.

use desk::read::{ProblemFilter, Snapshot};
use maud::html;
use model::{ExhibitId, ProblemKind};

use super::paging;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::text;
use crate::html::parts::{Col, choice, empty, filters, pager, table};
use crate::html::{Page, Place};

const KINDS: [ProblemKind; 9] = [
    ProblemKind::Truncated,
    ProblemKind::Syntax,
    ProblemKind::Encoding,
    ProblemKind::Type,
    ProblemKind::Integrity,
    ProblemKind::Bound,
    ProblemKind::Unsupported,
    ProblemKind::Conflict,
    ProblemKind::Medium,
];

/// `GET /problems`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let kind = ctx.query.get("kind").and_then(|w| KINDS.into_iter().find(|k| k.as_str() == w));
    let filter = ProblemFilter { kind, exhibit: ctx.query.read::<ExhibitId>("exhibit") };
    let found = snapshot.problems(&filter, &paging(ctx))?;
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(|p| serde_json::json!({
            "exhibit": p.exhibit.map(|id| id.to_string()), "path": p.path, "start": p.start, "end": p.end,
            "kind": p.kind.as_str(), "message": p.message, "lost": p.lost,
        })).collect();
        return Ok(Answer::Json(
            serde_json::json!({ "items": items, "next": found.next, "total": found.total }),
        ));
    }
    let title = match found.total {
        Some(0) => lang.t("problems.none_title").to_owned(),
        Some(total) => lang.n("problems.title", total, &[]),
        None => lang.t("place.problems").to_owned(),
    };
    let word = |k: ProblemKind| lang.find(&format!("problem.{k}")).unwrap_or(k.as_str()).to_owned();
    let cols = [
        Col::text(lang.t("problems.kind")),
        Col::text(lang.t("problems.what")),
        Col::text(lang.t("problems.where")),
        Col::number(lang.t("problems.byte")),
        Col::number(lang.t("problems.bytes_lost")),
    ];
    let rows = found.items.iter().map(|p| vec![
        html! { span.state.is-wrong { (word(p.kind)) } },
        text(&p.message),
        match p.exhibit {
            Some(id) => html! { a href={ "/exhibit/" (id) } { (text(&p.path)) } },
            None => text(&p.path),
        },
        match p.exhibit {
            Some(id) => html! { a.n href={ "/exhibit/" (id) "?at=" (p.start) "-" (p.end) } { (fmt::number(p.start)) } },
            None => html! {},
        },
        html! { @if p.lost { (fmt::number(p.end - p.start)) } @else { span.quiet { (lang.t("problems.not_lost")) } } },
    ]);
    let body = html! {
        (filters(ctx, html! {
            (choice(lang.t("problems.kind"), "kind", kind.map(ProblemKind::as_str), lang.t("problems.all"),
                KINDS.into_iter().map(|k| (k.as_str(), word(k)))))
            @if let Some(id) = filter.exhibit { input type="hidden" name="exhibit" value=(id); }
        }))
        div #results {
            @if let Some(kind) = kind { p.quiet { (lang.t(&format!("problem_why.{kind}"))) } }
            @if found.items.is_empty() { (empty(lang.t("problems.none"), lang.t("problems.none_why"))) }
            @else { (table(lang.t("place.problems"), &cols, rows)) (pager(ctx, found.next.as_deref())) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Problems, title, body))))
}
