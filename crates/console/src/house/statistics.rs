//! `/statistics`: what became of what was reported, how long it took, who erred. From the records alone;
//! what they cannot tell is printed as unknown.

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::clearing::House;
use desk::clearing::read::{self, ReporterView};
use desk::clearing::tally::{Counts, MAX_SAMPLES, Objections, Part};
use maud::{Markup, html};
use shield::measure::IspView;
use shield::order::Stage;
use shield::order::words::{EventId, Organisation};

use super::rows::May;
use super::transparency::Publishing;
use super::{asked, figures, framed, look, parts};
use crate::app::{App, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::text;
use crate::html::parts::{Col, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::params::Param;
use crate::query::url;

/// Events on the page; the file has [`FILE`].
const EVENTS: usize = 200;
/// Reporters, and events, of the file.
const FILE: usize = 10_000;

const KNOWN: &[Param] = &[("after", |text| Organisation::new(text).is_some())];

/// The figures of a moment.
struct Figures {
    stages: Vec<(Stage, u64)>,
    all: Counts,
    causes: Vec<(&'static str, u64)>,
    denials: Vec<(&'static str, u64)>,
    /// By part: how many, half within, 99 of 100 within, in milliseconds.
    times: Vec<(Part, u64, Option<u64>, Option<u64>)>,
    objections: Objections,
    open_objections: u64,
    harm_reports: u64,
    reporters: read::Page<ReporterView, Organisation>,
    events: Vec<(EventId, Counts)>,
    more_events: bool,
    isps: Vec<IspView>,
    policy: Vec<figures::Figure>,
}

impl Figures {
    fn of(house: &House, after: Option<&Organisation>, most: usize) -> Self {
        let tally = house.tally();
        let times = Part::ALL.map(|part| {
            let of = tally.times(part);
            (part, of.all, of.percentile(50), of.percentile(99))
        });
        let mut reporters = read::reporters(house, after);
        // A file has all of them, up to its bound.
        while let Some(next) = reporters.next.take_if(|_| reporters.rows.len() < most) {
            let more = read::reporters(house, Some(&next));
            reporters.rows.extend(more.rows);
            reporters.next = more.next;
        }
        let events = tally.events().take(most.max(EVENTS));
        Self {
            stages: Stage::ALL.iter().map(|stage| (*stage, house.state().count(*stage))).collect(),
            all: tally.all,
            causes: tally.lifted.iter().map(|(cause, n)| (cause.word(), *n)).collect(),
            denials: tally.refused.iter().map(|(denial, n)| (denial.word(), *n)).collect(),
            times: times.to_vec(),
            objections: tally.objections,
            open_objections: house.state().open_objections().count() as u64,
            harm_reports: tally.harm_reports,
            reporters,
            events: events.map(|(event, counts)| (event.clone(), *counts)).collect(),
            more_events: tally.events().count() > most.max(EVENTS),
            isps: house.measure().isps(),
            policy: figures::of(house.policy()),
        }
    }
}

/// `GET /statistics`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, notes) = asked(&request, KNOWN);
    let lang = ctx.lang;
    let after = ctx.query.get("after").and_then(Organisation::new);
    let found =
        look(&app, move |house| (Figures::of(house, after.as_ref(), 0), Publishing::of(house)));
    let (figures, publishing) = match found.await {
        Ok(found) => found,
        Err(error) => return fail(&ctx, &error),
    };
    let next = figures.reporters.next.as_ref().map(ToString::to_string);
    let body = html! {
        (stages(lang, &figures))
        div.columns { (outcomes(lang, &figures)) (objections(lang, &figures)) }
        (times(lang, &figures))
        (super::measured::isps(lang, &figures.isps))
        (reporters(lang, &figures.reporters.rows))
        (crate::html::parts::pager(&ctx, next.as_deref()))
        (events(lang, &figures))
        (figures::shown(lang, &figures.policy))
        p.quiet { (lang.t("statistics.unmeasured")) }
    };
    let all = &figures.all;
    let values = [("released", fmt::number(all.released)), ("errors", fmt::number(all.errors))];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut page =
        Page::new(&ctx, Place::Statistics, lang.n("statistics.title", all.reported, &values), body);
    page.notes = notes;
    page.actions = html! {
        a.button href="/statistics.csv" download="statistics.csv" { "CSV" }
        a.button href="/transparency" { (lang.t("transparency.title")) }
        @if May::of(&app, &who).order { (publishing.form(lang)) }
    };
    framed(&app, &ctx, StatusCode::OK, page).await
}

fn stages(lang: Lang, figures: &Figures) -> Markup {
    let href = |stage: Stage| match stage {
        Stage::InForce | Stage::Held | Stage::Suspended => {
            url("/tickets", [("state", stage.word())])
        }
        Stage::Ended => url("/tickets", [("state", "closed")]),
        Stage::Submitted | Stage::Captured | Stage::Checked => {
            url("/tickets", [("state", "pending")])
        }
    };
    html! {
        ul.figures {
            @for (stage, n) in figures.stages.iter().filter(|(stage, _)| *stage != Stage::Ended) {
                li { a href=(href(*stage)) { span.big { (fmt::number(*n)) } span.name { (lang.t(&format!("item_stage.{}", stage.word()))) } } }
            }
        }
    }
}

fn pairs(rows: impl IntoIterator<Item = (String, u64)>) -> Markup {
    html! { dl.facts { @for (words, n) in rows { dt { (words) } dd.num { (fmt::number(n)) } } } }
}

fn outcomes(lang: Lang, figures: &Figures) -> Markup {
    let word = |section: &str, word: &str| lang.t_owned(&format!("{section}.{word}"));
    let all = &figures.all;
    let counts = [
        ("reported", all.reported),
        ("released", all.released),
        ("refused", all.refused),
        ("lifted", all.lifted),
        ("expired", all.expired),
        ("errors", all.errors),
    ];
    let lifts = figures.causes.iter().map(|(cause, n)| (word("lift_cause", cause), *n));
    let denials = figures.denials.iter().map(|(denial, n)| (word("denial", denial), *n));
    html! {
        section aria-labelledby="h-counts" {
            h2 #h-counts { (lang.t("statistics.counts")) }
            (pairs(counts.map(|(name, n)| (word("tally", name), n))))
            @if !figures.causes.is_empty() { h3 { (lang.t("statistics.lifted")) } (pairs(lifts)) }
            @if !figures.denials.is_empty() { h3 { (lang.t("statistics.refused")) } (pairs(denials)) }
        }
    }
}

fn objections(lang: Lang, figures: &Figures) -> Markup {
    let of = &figures.objections;
    let counts = [
        ("objections_taken", of.taken),
        ("objections_upheld", of.upheld),
        ("objections_dismissed", of.dismissed),
        ("objections_overdue", of.overdue),
        ("objections_open", figures.open_objections),
        ("harm_reports", figures.harm_reports),
    ];
    html! {
        section aria-labelledby="h-objections" {
            h2 #h-objections { (lang.t("place.objections")) }
            (pairs(counts.map(|(name, n)| (lang.t_owned(&format!("tally.{name}")), n))))
        }
    }
}

/// A time, to a tenth of a second where it is short; unknown where nothing was measured.
pub(super) fn took(lang: Lang, ms: Option<u64>) -> String {
    match ms {
        None => lang.t_owned("part.unknown"),
        Some(ms @ 0..10_000) => format!("{}\u{a0}ms", fmt::number(ms)),
        Some(ms) => fmt::duration(ms / 1_000),
    }
}

fn times(lang: Lang, figures: &Figures) -> Markup {
    let cols = [
        Col::text(lang.t("statistics.part")).wide(),
        Col::number(lang.t("statistics.n")),
        Col::number("p50"),
        Col::number("p99"),
    ];
    let row = |(part, n, half, most): &(Part, u64, Option<u64>, Option<u64>)| {
        vec![
            html! { (lang.t(&format!("took.{}", part.word()))) },
            html! { (fmt::number(*n)) },
            html! { (took(lang, *half)) },
            html! { (took(lang, *most)) },
        ]
    };
    html! {
        section aria-labelledby="h-times" {
            h2 #h-times { (lang.t("statistics.times")) }
            (table(lang.t("statistics.times"), &cols, figures.times.iter().map(row)))
            p.quiet { (lang.n("statistics.sampled", MAX_SAMPLES as u64, &[])) }
        }
    }
}

fn count_cols(lang: Lang, first: &str) -> Vec<Col> {
    let number = |name: &str| Col::number(lang.t(&format!("tally.{name}")));
    vec![
        Col::text(first),
        number("reported"),
        number("released"),
        number("refused"),
        number("lifted"),
        number("collateral"),
        number("expired"),
        number("errors"),
    ]
}

fn counts_row(first: Markup, of: &Counts) -> Vec<Markup> {
    let numbers =
        [of.reported, of.released, of.refused, of.lifted, of.collateral, of.expired, of.errors];
    let mut row = vec![first];
    row.extend(numbers.map(|n| html! { (fmt::number(n)) }));
    row
}

fn reporters(lang: Lang, rows: &[ReporterView]) -> Markup {
    let mut cols = count_cols(lang, lang.t("items.reporter"));
    cols.push(Col::text(lang.t("budget.title")));
    let row = |view: &ReporterView| {
        let name = view.reporter.as_str();
        let link = html! { a href=(url("/tickets", [("reporter", name)])) { (text(name)) } };
        let mut row = counts_row(link, &view.counts);
        row.push(parts::budget(lang, &view.budget, view.standing));
        row
    };
    html! {
        section aria-labelledby="h-reporters" {
            h2 #h-reporters { (lang.t("statistics.reporters")) }
            @if rows.is_empty() { p.quiet { (lang.t("part.none")) } }
            @else { (table(lang.t("statistics.reporters"), &cols, rows.iter().map(row))) }
        }
    }
}

fn events(lang: Lang, figures: &Figures) -> Markup {
    let cols = count_cols(lang, lang.t("event.name"));
    let row = |(event, counts): &(EventId, Counts)| {
        let link = html! { a href=(url("/tickets", [("event", event.as_str())])) { (text(event.as_str())) } };
        counts_row(link, counts)
    };
    html! {
        section aria-labelledby="h-events" {
            h2 #h-events { (lang.t("event.events")) }
            @if figures.events.is_empty() { p.quiet { (lang.t("part.none")) } }
            @else { (table(lang.t("event.events"), &cols, figures.events.iter().map(row))) }
            @if figures.more_events { p.quiet { (lang.t("statistics.more")) } }
        }
    }
}

/// A cell of RFC 4180. What a spreadsheet would run as a formula is shown as text.
fn cell(value: &str) -> String {
    let runs = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let value = value.replace('"', "\"\"");
    format!("\"{}{value}\"", if runs { "'" } else { "" })
}

/// `GET /statistics.csv`: a figure a row: of what, whose, which, its value. An empty value is unknown.
pub(crate) async fn csv(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, _) = asked(&request, &[]);
    let figures = match look(&app, |house| Figures::of(house, None, FILE)).await {
        Ok(figures) => figures,
        Err(error) => return fail(&ctx, &error),
    };
    let mut out = String::from("of,name,figure,value\r\n");
    let mut put = |of: &str, name: &str, figure: &str, value: Option<u64>| {
        let value = value.map(|n| n.to_string()).unwrap_or_default();
        out.push_str(&format!("{of},{},{figure},{value}\r\n", cell(name)));
    };
    for (stage, n) in figures.stages.iter().filter(|(stage, _)| *stage != Stage::Ended) {
        put("now", "", stage.word(), Some(*n));
    }
    let counts = |of: &Counts| {
        [
            ("reported", of.reported),
            ("released", of.released),
            ("refused", of.refused),
            ("lifted", of.lifted),
            ("collateral", of.collateral),
            ("expired", of.expired),
            ("errors", of.errors),
        ]
    };
    for (figure, n) in counts(&figures.all) {
        put("all", "", figure, Some(n));
    }
    for (cause, n) in &figures.causes {
        put("lifted", cause, "items", Some(*n));
    }
    for (denial, n) in &figures.denials {
        put("refused", denial, "items", Some(*n));
    }
    for (part, n, half, most) in &figures.times {
        put("time", part.word(), "measured", Some(*n));
        put("time", part.word(), "p50_ms", *half);
        put("time", part.word(), "p99_ms", *most);
    }
    let of = &figures.objections;
    let objections = [
        ("taken", of.taken),
        ("upheld", of.upheld),
        ("dismissed", of.dismissed),
        ("overdue", of.overdue),
        ("open", figures.open_objections),
        ("harm_reports", figures.harm_reports),
    ];
    for (figure, n) in objections {
        put("objections", "", figure, Some(n));
    }
    for view in &figures.reporters.rows {
        for (figure, n) in counts(&view.counts) {
            put("reporter", view.reporter.as_str(), figure, Some(n));
        }
        put("reporter", view.reporter.as_str(), "budget_errors", Some(view.budget.errors));
        put("reporter", view.reporter.as_str(), "budget_released", Some(view.budget.released));
    }
    for view in &figures.isps {
        let isp = view.figures.isp.as_str();
        super::measured::rows(view, |figure, value| put("isp", isp, figure, value));
    }
    for (event, of) in &figures.events {
        for (figure, n) in counts(of) {
            put("event", event.as_str(), figure, Some(n));
        }
    }
    let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    (StatusCode::OK, kind, out).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_runs_in_a_spreadsheet() {
        assert_eq!(cell("=1+1"), "\"'=1+1\"");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
    }

    #[test]
    fn what_was_not_measured_is_unknown_and_never_zero() {
        assert_eq!(took(Lang::En, None), "unknown");
        assert_eq!(took(Lang::En, Some(1_250)), "1\u{202f}250\u{a0}ms");
        assert_eq!(took(Lang::En, Some(61_000)), "2\u{a0}min");
    }
}
