//! What ISPs are measured to do, as part of `/statistics` and its file.

use maud::{Markup, html};
use shield::Item;
use shield::measure::figures::{Times, What};
use shield::measure::{IspView, Stand};

use super::statistics::took;
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, table};
use crate::i18n::Lang;

/// What ISPs are measured to do. Who has no probe and never had is not among them.
pub(super) fn isps(lang: Lang, isps: &[IspView]) -> Markup {
    let cols = [
        Col::text(lang.t("measured.isp")).wide(),
        Col::number(lang.t("measured.times")),
        Col::number(lang.t("measured.blocked_in")),
        Col::number(lang.t("measured.unblocked_in")),
        Col::number(lang.t("measured.not_yet")),
        Col::number(lang.t("measured.still")),
    ];
    let time = |times: &Times| match (times.percentile(50), times.percentile(99)) {
        (half @ Some(_), most @ Some(_)) => {
            format!("{} / {}", took(lang, half), took(lang, most))
        }
        _ => lang.t_owned("measured.not"),
    };
    let row = |view: &IspView| {
        let of = &view.figures;
        vec![
            html! { (text(of.isp.as_str())) },
            html! { (fmt::number(of.blocked.all)) " / " (fmt::number(of.unblocked.all)) },
            html! { (time(&of.blocked)) },
            html! { (time(&of.unblocked)) },
            html! { (fmt::number(of.not_yet)) },
            html! { (fmt::number(of.still)) },
        ]
    };
    html! {
        section aria-labelledby="h-isps" {
            h2 #h-isps { (lang.t("measured.title")) }
            @if isps.is_empty() { p.quiet { (lang.t("measured.none")) } }
            @else { (table(lang.t("measured.title"), &cols, isps.iter().map(row))) }
        }
    }
}

/// ISPs that are named in one cell.
const NAMED: usize = 40;

/// What each ISP is measured to do with values, each with whether it is to be blocked. Nothing where nobody measures.
pub(super) fn stands(lang: Lang, values: &[(Item, bool, Vec<Stand>)]) -> Markup {
    let cols = [
        Col::text(lang.t("items.item")).wide(),
        Col::text(lang.t("measured.wanted")),
        Col::text(lang.t("measured.does")),
        Col::text(lang.t("measured.does_not")),
        Col::text(lang.t("measured.not")),
    ];
    let isps = |stands: &[Stand], which: fn(Option<What>) -> bool| {
        let all: Vec<_> = stands.iter().filter(|stand| which(stand.what)).collect();
        let more = all.len().saturating_sub(NAMED) as u64;
        html! {
            @for (n, stand) in all.iter().take(NAMED).enumerate() { @if n > 0 { ", " } (text(stand.isp.as_str())) }
            @if more > 0 { " " span.quiet { (lang.n("measured.more", more, &[])) } }
        }
    };
    let row = |(value, blocks, all): &(Item, bool, Vec<Stand>)| {
        vec![
            mono(&value.to_string()),
            html! { (lang.t(if *blocks { "measured.to_block" } else { "measured.to_open" })) },
            isps(all, |what| what.is_some_and(What::is_done)),
            isps(all, |what| what.is_some_and(|what| !what.is_done())),
            isps(all, |what| what.is_none()),
        ]
    };
    html! {
        @if !values.is_empty() {
            section aria-labelledby="h-measured" {
                h2 #h-measured { (lang.t("measured.title")) }
                (table(lang.t("measured.title"), &cols, values.iter().map(row)))
            }
        }
    }
}

/// The figures of one ISP for the file; what was not measured has no value.
pub(super) fn rows(view: &IspView, mut put: impl FnMut(&str, Option<u64>)) {
    let of = &view.figures;
    for (name, times) in [("blocked", &of.blocked), ("unblocked", &of.unblocked)] {
        put(&format!("{name}_measured"), Some(times.all));
        put(&format!("{name}_p50_ms"), times.percentile(50));
        put(&format!("{name}_p99_ms"), times.percentile(99));
    }
    let now = [("blocks", of.blocks), ("not_yet", of.not_yet), ("opened", of.opened)];
    for (figure, n) in now.into_iter().chain([("still_blocked", of.still)]) {
        put(figure, Some(n));
    }
}

#[cfg(test)]
mod tests {
    use shield::order::words::Organisation;

    use super::*;

    #[test]
    fn each_isp_stands_by_its_name_under_what_it_does() {
        let stand = |isp: &str, what| Stand { isp: Organisation::new(isp).unwrap(), what };
        let value = || Item::parse("tv.stream.example").unwrap();
        let stands_there = vec![
            stand("fibre", Some(What::StillBlocked)),
            stand("tower", Some(What::Unblocked)),
            stand("valley", None),
        ];
        let page = stands(Lang::En, &[(value(), false, stands_there)]).into_string();
        let cell = |name: &str| page.find(&format!(">{name}<")).unwrap_or_else(|| panic!("{page}"));
        assert!(cell("open") < cell("tower") && cell("tower") < cell("fibre"), "{page}");
        assert!(cell("fibre") < cell("valley"), "{page}");
        assert_eq!(stands(Lang::En, &[]).into_string(), "");
        let many = (0..NAMED + 2).map(|n| stand(&format!("isp-{n}"), None)).collect();
        let page = stands(Lang::En, &[(value(), true, many)]).into_string();
        assert!(page.contains("and 2 more") && !page.contains("isp-41"), "{page}");
    }
}
