//! Problems: what could not be read, where, and what it costs.

use desk::read::{ProblemCost, ProblemFilter, Snapshot};
use maud::{Markup, html};
use model::{ExhibitId, ProblemKind};

use super::paging;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::text;
use crate::html::parts::{Col, choice, count, empty, filters, pager, table};
use crate::html::ways::Ways;
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// `GET /problems`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let kind =
        ctx.query.get("kind").and_then(|w| ProblemKind::ALL.into_iter().find(|k| k.as_str() == w));
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
    let cost = snapshot.problem_cost(&filter)?;
    let title = title(lang, &cost);
    let ways = Ways::of(snapshot, found.items.iter().filter_map(|p| p.exhibit))?;
    let cols = [
        Col::text(lang.t("problems.what")),
        Col::text(lang.t("problems.where")),
        Col::number(lang.t("problems.byte")),
        Col::number(lang.t("problems.bytes_lost")),
    ];
    let rows = found.items.iter().map(|p| vec![
        html! {
            p.state.is-wrong { (word(lang, p.kind)) }
            p { (lang.t(&format!("problem_why.{}", p.kind))) }
            // The parser's own words: what exactly, for whoever can do with it.
            p.quiet lang="en" { (text(&p.message)) }
        },
        match p.exhibit {
            Some(id) => html! { a href={ "/exhibit/" (id) } { (ways.name(&id, &p.path)) } },
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
                ProblemKind::ALL.into_iter().map(|k| (k.as_str(), word(lang, k)))))
            @if let Some(id) = filter.exhibit { input type="hidden" name="exhibit" value=(id); }
        }))
        div #results {
            (advice(lang, &cost))
            @if found.items.is_empty() { (empty(lang.t("problems.none"), lang.t("problems.none_why"))) }
            @else { (table(lang.t("place.problems"), &cols, rows)) (pager(ctx, found.next.as_deref())) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Problems, title, body))))
}

fn word(lang: Lang, kind: ProblemKind) -> String {
    lang.t_owned(&format!("problem.{kind}"))
}

/// How many there are, and what they cost.
fn title(lang: Lang, cost: &ProblemCost) -> String {
    let total = cost.total();
    if total == 0 {
        return lang.t("problems.none_title").to_owned();
    }
    let problems = lang.n("count.problems", total, &[]);
    if cost.costly == 0 {
        return lang.n("problems.harmless", total, &[]);
    }
    let exhibits = lang.n("count.exhibits", cost.exhibits, &[]);
    let mut costs = Vec::new();
    if cost.costly > cost.files {
        costs.push(lang.n("problems.cost", cost.costly - cost.files, &[("exhibits", &exhibits)]));
    }
    if cost.files > 0 {
        costs.push(lang.n("problems.files", cost.files, &[]));
    }
    lang.f("problems.title", &[("problems", &problems), ("cost", &costs.join(", "))])
}

/// What each kind asks of the reader, before the rows.
fn advice(lang: Lang, cost: &ProblemCost) -> Markup {
    html! {
        @if cost.total() > 0 {
            section aria-labelledby="h-advice" {
                h2 #h-advice { (lang.t("problems.advice")) }
                @if cost.bytes > 0 { p { (lang.f("problems.lost", &[("size", &fmt::bytes(lang, cost.bytes))])) } }
                dl.facts.wide {
                    @for (kind, n) in &cost.kinds {
                        dt { (word(lang, *kind)) " · " (count(*n, &format!("/problems?kind={kind}"))) }
                        dd { (lang.t(&format!("problem_do.{kind}"))) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_says_what_it_cost() {
        let kinds = vec![(ProblemKind::Encoding, 5), (ProblemKind::Truncated, 1)];
        let mut cost = ProblemCost { kinds, costly: 1, exhibits: 1, bytes: 100, files: 0 };
        assert_eq!(title(Lang::En, &cost), "6 problems: 1 in 1 exhibit cost records");
        assert!(title(Lang::Fr, &cost).starts_with("6 problèmes\u{a0}: 1 dans 1 pièce "));
        (cost.costly, cost.files) = (3, 2);
        assert_eq!(
            title(Lang::En, &cost),
            "6 problems: 1 in 1 exhibit cost records, 2 files could not be read at all"
        );
        cost.costly = 0;
        assert_eq!(title(Lang::En, &cost), "6 problems, none of which cost a record");
        assert_eq!(title(Lang::It, &ProblemCost::default()), Lang::It.t("problems.none_title"));
    }
}
