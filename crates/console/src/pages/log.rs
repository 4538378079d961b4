//! The log: what was done to the case, by whom, in order, for ever.

use desk::read::{LogEntry, LogField, LogFilter, Snapshot};
use maud::{Markup, html};
use model::ExhibitId;
use model::record::RECORD_KINDS;

use super::paging;
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::icon::icon;
use crate::html::parts::{Col, choice, empty, field, filters, pager, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// `GET /log`.
pub(crate) fn list(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = LogFilter {
        kind: ctx.query.get("kind").filter(|kind| !kind.is_empty()).map(str::to_owned),
        text: ctx.query.get("q").filter(|text| !text.is_empty()).map(str::to_owned),
    };
    let all = filter == LogFilter::default();
    let found = snapshot.log(&filter, &paging(ctx))?;
    if ctx.json() {
        let items: Vec<_> = found.items.iter().map(data).collect();
        return Ok(Answer::Json(
            serde_json::json!({ "items": items, "next": found.next, "total": found.total }),
        ));
    }
    let title = match found.total {
        Some(total) => lang.n("log.title", total, &[]),
        None => lang.n("log.found_title", found.items.len() as u64, &[]),
    };
    let first = all && ctx.query.get("after").is_none();
    let standing = if first && found.total > Some(0) { Some(snapshot.provable()?) } else { None };
    let cols = [
        Col::number(lang.t("log.record")),
        Col::text(lang.t("log.time")),
        Col::text(lang.t("log.kind")),
        Col::text(lang.t("log.actor")),
        Col::text(lang.t("log.says")).wide(),
    ];
    let rows = found.items.iter().map(|e| {
        vec![
            html! { a.n href={ "/log/" (e.index) } { (fmt::number(e.index)) } },
            html! { time datetime=(e.time) { (e.time) } },
            html! { (kind_name(lang, &e.kind)) (set_aside(lang, e.set_aside)) },
            actor(lang, e),
            summary(lang, e),
        ]
    });
    let mut kinds: Vec<_> = RECORD_KINDS
        .iter()
        .map(|kind| (kind.kind, kind_name(lang, kind.kind).to_owned()))
        .collect();
    kinds.sort_by_key(|(_, name)| name.to_lowercase());
    let body = html! {
        (filters(ctx, html! {
            (field(lang.t("log.search"), "q", filter.text.as_deref().unwrap_or(""), "search"))
            (choice(lang.t("log.kind"), "kind", filter.kind.as_deref(), lang.t("log.all_kinds"), kinds))
        }))
        div #results {
            @if let Some(standing) = &standing { (super::provable::of_log(lang, standing)) }
            @if found.items.is_empty() {
                (empty(lang.t("log.none_found"), lang.t(if all { "log.none" } else { "part.none" })))
            } @else { (table(lang.t("place.log"), &cols, rows)) }
            @if !all && found.next.is_some() {
                p.quiet { (lang.n("log.searched", desk::read::MAX_SEARCHED, &[])) }
            }
            (pager(ctx, found.next.as_deref()))
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Log, title, body))))
}

/// `GET /log/{index}`.
pub(crate) fn entry(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let index: u64 = ctx.param(0).parse().map_err(|_| PageError::NotFound)?;
    let entry = snapshot.log_entry(index)?.ok_or(PageError::NotFound)?;
    if ctx.json() {
        return Ok(Answer::Json(data(&entry)));
    }
    let title = lang.f(
        "log.entry_title",
        &[
            ("n", &fmt::number(index)),
            ("kind", kind_name(lang, &entry.kind)),
            ("time", &entry.time),
        ],
    );
    let body = html! {
        dl.facts.wide {
            dt { (lang.t("log.kind")) } dd { (kind_name(lang, &entry.kind)) " " span.mono.quiet { (entry.kind) } (set_aside(lang, entry.set_aside)) }
            dt { (lang.t("log.time")) } dd { time datetime=(entry.time) { (entry.time) } }
            dt { (lang.t("log.actor")) } dd { (actor(lang, &entry)) }
            dt { (lang.t("log.authority")) } dd { (text(&entry.authority)) }
        }
        section aria-labelledby="h-body" {
            h2 #h-body { (lang.t("log.body")) }
            (table(lang.t("log.body"), &[Col::text(lang.t("log.field")), Col::text(lang.t("facts.value")), Col::text(lang.t("log.form"))],
                entry.fields.iter().map(|f| vec![
                    html! { (field_name(lang, &f.name)) },
                    field_value(lang, f),
                    html! { @if f.committed { (icon("lock")) " " (lang.t("log.committed")) } @else { (lang.t("log.public")) } },
                ])))
            p.quiet { (lang.t("log.committed_why")) }
        }
        nav.pager aria-label=(lang.t("part.pages")) {
            @if index > 0 { a.button rel="prev" href={ "/log/" (index - 1) } { (lang.t("log.before")) } }
            a.button rel="next" href={ "/log/" (index + 1) } { (lang.t("log.after")) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Log, title, body))))
}

fn kind_name(lang: Lang, kind: &str) -> &str {
    lang.find(&format!("record.{}", kind.replace('.', "_"))).unwrap_or(kind)
}

fn field_name(lang: Lang, name: &str) -> &str {
    lang.find(&format!("field.{name}")).unwrap_or(name)
}

/// That a record no longer counts, with the one that says so.
fn set_aside(lang: Lang, by: Option<u64>) -> Markup {
    html! {
        @if let Some(by) = by {
            " " a.state.is-wrong href={ "/log/" (by) } { (lang.f("log.set_aside", &[("n", &fmt::number(by))])) }
        }
    }
}

fn actor(lang: Lang, e: &LogEntry) -> Markup {
    match &e.actor {
        Some(actor) => text(actor),
        None => html! { span.quiet { (lang.t("log.withheld")) } },
    }
}

/// What a record says, in short: its first fields that can be shown.
fn summary(lang: Lang, e: &LogEntry) -> Markup {
    const SHOWN: usize = 3;
    html! {
        @for field in e.fields.iter().filter(|f| f.value.is_some()).take(SHOWN) {
            span.pair { span.quiet { (field_name(lang, &field.name)) } " " (field_value(lang, field)) } " "
        }
    }
}

fn field_value(lang: Lang, field: &LogField) -> Markup {
    let Some(value) = &field.value else {
        return html! { span.quiet { (lang.t("log.withheld")) } };
    };
    match serde_json::from_str::<serde_json::Value>(value) {
        Ok(serde_json::Value::String(s)) => match s.parse::<ExhibitId>() {
            Ok(id) if field.name.contains("exhibit") || field.name.contains("container") => html! {
                a.mono.break href={ "/exhibit/" (id) } { (id) }
            },
            // What a reader of the medium said, in its own words.
            _ if field.name == "message" => html! { span.break lang="en" { (text(&s)) } },
            _ => html! { span.break { (text(&s)) } },
        },
        Ok(serde_json::Value::Number(n)) => match n.as_i64() {
            Some(n) => html! { span.num { (fmt::signed(n)) } },
            None => mono(value),
        },
        Ok(serde_json::Value::Bool(yes)) => html! { (yes_or_no(lang, &field.name, yes)) },
        Ok(serde_json::Value::Null) => html! { span.quiet { (lang.t("log.nothing")) } },
        _ => html! { span.break { (mono(&cut(value))) } },
    }
}

/// Bytes of other formats (tokens, certificates) are of no use to the eye: their beginning stands
/// for them. The page's JSON has them whole.
fn cut(value: &str) -> String {
    const MOST: usize = 120;
    match value.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

/// What a field that is true or false says, in words.
fn yes_or_no<'a>(lang: Lang, field: &str, yes: bool) -> &'a str {
    lang.t(match (field, yes) {
        ("agrees", true) => "log.agrees",
        ("agrees", false) => "log.differs",
        (_, true) => "part.yes",
        (_, false) => "part.no",
    })
}

fn data(e: &LogEntry) -> serde_json::Value {
    let fields: serde_json::Map<String, serde_json::Value> = e.fields.iter().map(|f| {
        let value: Option<serde_json::Value> = f.value.as_deref().and_then(|v| serde_json::from_str(v).ok());
        (f.name.clone(), serde_json::json!({ "value": value, "committed": f.committed, "withheld": f.value.is_none() }))
    }).collect();
    serde_json::json!({ "index": e.index, "kind": e.kind, "time": e.time, "actor": e.actor, "authority": e.authority, "fields": fields, "set_aside": e.set_aside })
}
