//! What a list leaves out: things of a kind that stand in rows of bulk tables only.

use desk::read::{FactFilter, Holder, KindTotal, LinkRow};
use maud::{Markup, html};

use super::hostile::{mono, text};
use super::parts::{Col, count, table};
use super::value::{facts_url, rows_url};
use crate::fmt;
use crate::i18n::Lang;

/// The tables whose rows state one link, and the facts that do.
pub(crate) fn stated(lang: Lang, link: &LinkRow, holders: &[(Holder, u64)]) -> Markup {
    let in_rows: u64 = holders.iter().map(|(_, rows)| rows).sum();
    let facts = link.count.saturating_sub(in_rows);
    let facts_filter = FactFilter {
        entity: Some(link.from.id),
        property: Some(link.kind.name().to_owned()),
        ..FactFilter::default()
    };
    let cols = [
        Col::text(lang.t("tables.name")),
        Col::text(lang.t("rest.columns")),
        Col::number(lang.t("tables.rows")),
        Col::text(lang.t("tables.exhibit")),
    ];
    html! {
        @if !holders.is_empty() {
            section.rest aria-labelledby="h-stated" {
                h2 #h-stated { (lang.n("links.statements", link.count, &[])) }
                (table(lang.t("place.tables"), &cols, holders.iter().map(|(holder, n)| row(holder, *n))))
                @if facts > 0 { p { a href=(facts_url(&facts_filter)) { (lang.n("links.in_facts", facts, &[])) } } }
            }
        }
    }
}

fn row(holder: &Holder, n: u64) -> Vec<Markup> {
    let href = rows_url(&holder.rows);
    let t = &holder.table;
    vec![
        html! { a href=(href) { (mono(&t.name)) } @if !t.db.is_empty() { " " span.quiet { (text(&t.db)) } } },
        html! { @for (i, column) in holder.columns.iter().enumerate() { @if i > 0 { ", " } (mono(column)) } },
        count(n, &href),
        html! { a href={ "/exhibit/" (t.exhibit) } { (text(&t.exhibit_name)) } },
    ]
}

/// The note above a list of a kind; nothing where all of them are listed.
pub(crate) fn rest(lang: Lang, total: &KindTotal) -> Markup {
    if total.rest() == 0 {
        return html! {};
    }
    let (stored, all) = (fmt::number(total.stored), fmt::number(total.count));
    let cols = [
        Col::text(lang.t("tables.name")),
        Col::text(lang.t("rest.columns")),
        Col::number(lang.t("tables.rows")),
        Col::text(lang.t("tables.exhibit")),
    ];
    let rows = total.holders.iter().map(|holder| row(holder, holder.table.rows));
    html! {
        section.rest aria-labelledby="h-rest" {
            h2 #h-rest { (lang.n("rest.title", total.rest(), &[])) }
            p { (lang.f("rest.why", &[("stored", &stored), ("all", &all)])) }
            (table(lang.t("place.tables"), &cols, rows))
            @if total.more { p { a href="/tables" { (lang.t("rest.more")) } } }
        }
    }
}
