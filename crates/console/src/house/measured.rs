//! What ISPs are measured to do, as part of `/statistics` and its file.

use maud::{Markup, html};
use shield::measure::IspView;
use shield::measure::figures::Times;

use super::statistics::took;
use crate::fmt;
use crate::html::hostile::text;
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
