//! One exhibit: its bytes at the span that was asked for, what was read there, where it comes from.

use desk::custody::Custody;
use desk::read::{
    Acquisition, Derivation, ExhibitPage, FactFilter, FactRow, Paging, ParserRun, Snapshot,
};
use desk::shell::{quoted, quoted_path};
use maud::{Markup, html};
use model::ExhibitId;

use super::hex::{ROW, as_text, dump};
use super::{custody, exhibits, span};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::around;
use crate::html::hostile::{mono, text};
use crate::html::icon::icon;
use crate::html::parts::{Col, command, copy, count, empty, table};
use crate::html::value::{self, facts_url, property_name};
use crate::html::ways::Ways;
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::{segment, url};

/// Bytes on a page.
const WINDOW: u64 = 1024;
/// Bytes shown before the span.
const BEFORE: u64 = 256;
/// Facts listed beside the bytes.
const FACTS: usize = 200;

/// `GET /exhibit/{hash}?at=START-END`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let id: ExhibitId = ctx.param(0).parse().map_err(|_| PageError::NotFound)?;
    let exhibit = snapshot.exhibit(id)?.ok_or(PageError::NotFound)?;
    let size = exhibit.head.size;
    let mark = match ctx.query.get("at") {
        Some(at) => span(at).ok_or(PageError::Asked("error.span"))?,
        None => (0, 0),
    };
    if mark.0 > size {
        return Err(PageError::Asked("error.span"));
    }
    let start = ctx.query.read::<u64>("from").unwrap_or(mark.0.saturating_sub(BEFORE)).min(size)
        / ROW
        * ROW;
    let bytes = snapshot.bytes(id, start, WINDOW as usize)?;
    let end = start + bytes.bytes.len() as u64;
    let facts = snapshot.facts(
        &FactFilter {
            exhibit: Some(id),
            span: Some((start, end.max(start + 1))),
            ..FactFilter::default()
        },
        &Paging { after: None, limit: FACTS },
    )?;
    if ctx.json() {
        return Ok(Answer::Json(serde_json::json!({
            "exhibit": exhibits::head_json(&exhibit.head), "start": bytes.start,
            "hex": model::id::hex(&bytes.bytes),
            "masked": bytes.masked.iter().map(|m| [m.start, m.end]).collect::<Vec<_>>(),
        })));
    }

    let shown = [id].into_iter().chain(exhibit.members.iter().map(|m| m.id));
    let ways = Ways::of(snapshot, shown)?;
    let body = html! {
        section aria-labelledby="h-bytes" {
            div.head-row {
                h2 #h-bytes {
                    @if mark.1 > mark.0 {
                        (lang.n("exhibit.span", mark.1 - mark.0, &[("start", &fmt::number(mark.0)), ("end", &fmt::number(mark.1))]))
                    } @else {
                        (lang.f("exhibit.window", &[("start", &fmt::number(start)), ("end", &fmt::number(end))]))
                    }
                }
                (moves(ctx, start, end, size, mark))
            }
            @if size == 0 { (empty(lang.t("exhibit.empty"), lang.t("exhibit.empty_why"))) }
            @else {
                @if !bytes.masked.is_empty() { div.reveal {
                    p { (icon("lock")) " " (lang.t("exhibit.masked")) }
                    (value::reveal(lang, "exhibit", &id.to_string()))
                } }
                div.bytes { (dump(lang, &bytes, mark)) (as_text(lang, &bytes, mark)) }
            }
        }
        section aria-labelledby="h-here" {
            h2 #h-here { (lang.n("exhibit.facts_here", facts.items.len() as u64, &[])) }
            (facts_here(lang, id, &facts.items, mark))
            @if facts.next.is_some() {
                p { a href=(facts_url(&FactFilter { exhibit: Some(id), span: Some((start, end)), ..FactFilter::default() })) { (lang.t("exhibit.more_facts")) } }
            }
        }
        (origin(lang, &exhibit, snapshot)?)
        (super::tickets::of_exhibit(lang, snapshot, &id)?)
        (check(lang, &exhibit, snapshot))
        (runs(lang, &exhibit.runs))
        (inside(lang, &exhibit, &ways))
    };
    let (title, heading) = title(lang, &exhibit, &ways);
    let mut page = Page::new(ctx, Place::Exhibits, title, body);
    page.heading = Some(heading);
    page.eyebrow = html! { (lang.t("exhibit.eyebrow")) " " span.mono.break { (id) } " " (copy(lang, &id.to_string())) };
    Ok(Answer::Page(Box::new(page)))
}

/// The answer, as text and as shown.
fn title(lang: Lang, e: &ExhibitPage, ways: &Ways) -> (String, Markup) {
    let (size, facts, problems) = (
        fmt::bytes(lang, e.head.size),
        lang.n("count.facts", e.head.facts, &[]),
        lang.n("count.problems", e.head.problems, &[]),
    );
    let values =
        [("size", size.as_str()), ("facts", facts.as_str()), ("problems", problems.as_str())];
    let shown = around(lang.t("exhibit.title"), &ways.name(&e.head.id, &e.head.name), &values);
    let name = ways.plain(&e.head.id, &e.head.name);
    let mut all = vec![("name", name.as_str())];
    all.extend(values);
    (lang.f("exhibit.title", &all), shown)
}

/// Backwards, forwards, to an offset.
fn moves(ctx: &Ctx, start: u64, end: u64, size: u64, mark: (u64, u64)) -> Markup {
    let lang = ctx.lang;
    let to = |from: u64| ctx.url(&["from"], &[("from", &from.to_string())]);
    html! {
        nav.moves aria-label=(lang.t("exhibit.moves")) {
            @if start > 0 { a.button rel="prev" href=(to(start.saturating_sub(WINDOW))) { (lang.t("exhibit.earlier")) } }
            @if end < size { a.button rel="next" href=(to(end)) { (lang.t("exhibit.later")) } }
            form method="get" action=(ctx.path) {
                @if mark.1 > 0 { input type="hidden" name="at" value={ (mark.0) "-" (mark.1) }; }
                label { span { (lang.t("hex.offset")) } input type="number" name="from" min="0" max=(size) value=(start); }
                button type="submit" { (lang.t("exhibit.go")) }
            }
        }
    }
}

fn facts_here(lang: Lang, id: ExhibitId, facts: &[FactRow], mark: (u64, u64)) -> Markup {
    if facts.is_empty() {
        return html! { p.fine { (lang.t("exhibit.no_facts")) } };
    }
    let cols = [
        Col::number(lang.t("hex.bytes")),
        Col::text(lang.t("facts.subject")),
        Col::text(lang.t("facts.property")),
        Col::text(lang.t("facts.value")),
        Col::text(lang.t("facts.parser")),
    ];
    table(lang.t("facts.title"), &cols, facts.iter().map(|f| {
        let here = (f.source.start, f.source.end) == mark;
        let at = format!("{}–{}", fmt::number(f.source.start), fmt::number(f.source.end));
        vec![
            html! {
                a.n href={ "/exhibit/" (id) "?at=" (f.source.start) "-" (f.source.end) } aria-current=[here.then_some("true")] { (at) }
            },
            html! { a.cut href={ "/entity/" (segment(f.subject.as_str())) } { (mono(f.subject.as_str())) } },
            html! { (property_name(lang, &f.property)) },
            value::shown(lang, &f.value, &f.property),
            html! { span.mono { (f.source.parser) } },
        ]
    }))
}

/// The items in custody that the exhibit, or what it is inside of, belongs to.
fn items(custody: &Custody, e: &ExhibitPage) -> Vec<String> {
    let all = [e.head.id].into_iter().chain(e.chain.iter().map(|step| step.container));
    let mut names: Vec<String> =
        all.flat_map(|id| custody.of_exhibit(&id)).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Where the bytes come from: out of which containers, by whose hands, under which record.
fn origin(lang: Lang, e: &ExhibitPage, snapshot: &Snapshot) -> Result<Markup, PageError> {
    let custody = snapshot.custody()?;
    let items = items(&custody, e);
    Ok(html! {
        section aria-labelledby="h-origin" {
            h2 #h-origin { (lang.t("exhibit.origin")) }
            @if !e.chain.is_empty() { ol.chain { @for step in &e.chain { (derivation(lang, step)) } } }
            @for receipt in &e.receipts { (acquisition(lang, receipt)) }
            (custody::of_exhibit(lang, &custody, &items))
            p { a href={ "/log/" (e.head.record) } { (lang.f("exhibit.record", &[("n", &fmt::number(e.head.record))])) } }
        }
    })
}

/// What a reader runs to believe nobody.
fn check(lang: Lang, e: &ExhibitPage, snapshot: &Snapshot) -> Markup {
    let folder = super::folder(snapshot);
    let case = quoted(&folder);
    let (id, record) = (e.head.id, e.head.record);
    let bytes = snapshot.path_of(&id).ok();
    html! {
        section aria-labelledby="h-check" {
            h2 #h-check { (lang.t("exhibit.check")) }
            @if let Some(path) = bytes {
                p { (lang.t("exhibit.check_bytes")) }
                (command(lang, &format!("sha256sum {}", quoted_path(&path))))
            }
            p { (lang.t("exhibit.check_log")) }
            (command(lang, &format!(
                "vigie log prove --case {case} {record} > record-{record}.proof\nvigie log check --trust FILE record-{record}.proof"
            )))
            p { (lang.t("exhibit.check_case")) }
            (command(lang, &format!("vigie verify --trust FILE {case}")))
            p { (lang.t("exhibit.check_without")) }
            p { a href=(url("/package", [("select", format!("exhibit:{id}").as_str())])) { (lang.t("place.package")) } }
            (command(lang, "unzip package.zip && python3 package/verify.py --trust FILE"))
            p.quiet { (lang.t("exhibit.check_not")) }
        }
    }
}

fn derivation(lang: Lang, d: &Derivation) -> Markup {
    html! {
        li {
            (mono(&d.member)) " " (lang.t("exhibit.in")) " "
            a href={ "/exhibit/" (d.container) } { (text(&d.container_name)) }
            " (" (d.codec) ") " a.quiet href={ "/log/" (d.record) } { (lang.f("exhibit.record", &[("n", &fmt::number(d.record))])) }
        }
    }
}

fn acquisition(lang: Lang, a: &Acquisition) -> Markup {
    let rows: [(&str, Option<&str>); 6] = [
        ("path", Some(&a.path)),
        ("item", a.item.as_deref()),
        ("authorisation", a.authorisation.as_deref()),
        ("seized_by", a.seized_by.as_deref()),
        ("seized_at", a.seized_at.as_deref()),
        ("actor", a.actor.as_deref()),
    ];
    html! {
        dl.facts.receipt {
            @for (key, value) in rows {
                @if let Some(value) = value { dt { (lang.t(&format!("exhibit.{key}"))) } dd { (text(value)) } }
            }
            dt { (lang.t("exhibit.sealed_at")) } dd { time datetime=(a.sealed_at) { (a.sealed_at) } }
            @for sum in &a.sums {
                dt { (sum.algorithm) }
                dd {
                    span class=(if sum.agrees { "state is-read" } else { "state is-wrong" }) {
                        (lang.t(if sum.agrees { "exhibit.sum_agrees" } else { "exhibit.sum_differs" }))
                    }
                    " " span.mono.break { (sum.stated) } " " span.quiet { (text(&sum.file)) }
                }
            }
            dt { (lang.t("exhibit.receipt")) } dd { a href={ "/log/" (a.record) } { (fmt::number(a.record)) } }
        }
    }
}

fn runs(lang: Lang, runs: &[ParserRun]) -> Markup {
    let cols = [
        Col::text(lang.t("exhibits.parser")),
        Col::text(lang.t("log.time")),
        Col::number(lang.t("exhibits.facts")),
        Col::number(lang.t("exhibits.rows")),
        Col::number(lang.t("exhibits.problems")),
        Col::number(lang.t("exhibit.bytes_read")),
        Col::number(lang.t("exhibit.bytes_filler")),
        Col::number(lang.t("exhibit.bytes_lost")),
        Col::number(lang.t("log.record")),
    ];
    html! {
        @if !runs.is_empty() {
            section aria-labelledby="h-runs" {
                h2 #h-runs { (lang.t("exhibit.runs")) }
                (table(lang.t("exhibit.runs"), &cols, runs.iter().map(|r| vec![
                    html! { span.mono { (r.parser) } @if r.current { " " span.state.is-read { (lang.t("exhibit.current")) } } },
                    html! { time datetime=(r.time) { (r.time) } },
                    html! { (fmt::number(r.facts)) },
                    html! { (fmt::number(r.rows)) },
                    html! { (fmt::number(r.problems)) },
                    html! { (fmt::number(r.coverage.0)) },
                    html! { (fmt::number(r.coverage.1)) },
                    html! { (fmt::number(r.coverage.2)) },
                    html! { a.n href={ "/log/" (r.record) } { (fmt::number(r.record)) } },
                ])))
            }
        }
    }
}

fn inside(lang: Lang, e: &ExhibitPage, ways: &Ways) -> Markup {
    let id = e.head.id.to_string();
    html! {
        @if !e.tables.is_empty() {
            section aria-labelledby="h-tables" {
                h2 #h-tables { (lang.t("place.tables")) }
                ul.rows { @for t in &e.tables { li {
                    a href={ "/tables/" (segment(&t.id)) } { (mono(&t.name)) } " "
                    a.n href={ "/tables/" (segment(&t.id)) } { (lang.n("count.rows", t.rows, &[])) }
                } } }
            }
        }
        @if !e.members.is_empty() {
            section aria-labelledby="h-members" {
                h2 #h-members { (lang.t("exhibit.members")) " " (count(e.member_count, &url("/exhibits", [("in", id.as_str())]))) }
                (exhibits::rows(lang, &e.members, ways))
            }
        }
    }
}
