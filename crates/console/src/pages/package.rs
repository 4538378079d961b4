//! A package before it is made: what its recipient would see, and the command that makes it. The
//! console itself makes nothing: what leaves is signed and recorded by whoever runs the command.

use desk::package::{Ask, Foreseen, Handling, MOST_LISTED, Selection};
use desk::read::Snapshot;
use desk::shell::quoted;
use maud::{Markup, html};

use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, choice, command, empty, field, notice, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::package::meaning;

const CODES: [Handling; 4] = [Handling::H0, Handling::H1, Handling::H2, Handling::H3];

/// What the form holds.
struct Form<'a> {
    recipient: &'a str,
    handling: Option<Handling>,
    restriction: &'a str,
    select: Vec<String>,
    redact: Vec<String>,
}

impl<'a> Form<'a> {
    fn of(ctx: &'a Ctx) -> Self {
        // Several words of a field are parted by blanks or lines: none of them holds any.
        let each = |name: &'static str| {
            let values = ctx.query.all(name);
            values.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        Self {
            recipient: ctx.query.get("for").unwrap_or_default().trim(),
            handling: ctx.query.read("handling"),
            restriction: ctx.query.get("restriction").unwrap_or_default().trim(),
            select: each("select"),
            redact: each("redact"),
        }
    }

    /// The command that makes the package.
    fn command(&self, snapshot: &Snapshot) -> String {
        let mut words = vec!["vigie".to_owned(), "package".to_owned(), "make".to_owned()];
        let mut add = |option: &str, value: &str| {
            words.push(option.to_owned());
            words.push(quoted(value));
        };
        add("--case", &super::folder(snapshot));
        add("--for", self.recipient);
        add("--handling", self.handling.map_or("H0", Handling::text));
        if !self.restriction.is_empty() {
            add("--restriction", self.restriction);
        }
        self.select.iter().for_each(|word| add("--select", word));
        self.redact.iter().for_each(|word| add("--redact", word));
        add("--out", "package.zip");
        words.join(" ")
    }
}

/// `GET /package`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let form = Form::of(ctx);
    let asked = !form.recipient.is_empty();
    let foreseen = if asked { Some(foresee(&form, snapshot)?) } else { None };
    let title = match &foreseen {
        Some(Ok(seen)) if seen.refused.is_none() => lang.f(
            "package_builder.title_seen",
            &[
                ("recipient", form.recipient),
                ("exhibits", &lang.n("count.exhibits", seen.shown.0 + seen.shown.1, &[])),
                ("records", &lang.n("provable.records", seen.records_n, &[])),
            ],
        ),
        Some(_) => lang.t("package_builder.title_refused").to_owned(),
        None => lang.t("package_builder.title").to_owned(),
    };
    let body = html! {
        (inputs(lang, &form))
        @match &foreseen {
            None => (empty(lang.t("package_builder.none"), lang.t("package_builder.none_why"))),
            Some(Err(why)) => div.notice.is-error { p lang="en" { (text(why)) } },
            Some(Ok(seen)) => {
                @if let Some(why) = &seen.refused { div.notice.is-error { p lang="en" { (text(why)) } } }
                @else {
                    (make(lang, &form, snapshot))
                    (summary(lang, &form, seen))
                    (exhibits(lang, seen))
                    (records(lang, seen))
                }
            }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Package, title, body))))
}

/// What would leave, or why nothing can.
fn foresee(form: &Form<'_>, snapshot: &Snapshot) -> Result<Result<Foreseen, String>, PageError> {
    let selection = match Selection::parse(&form.select, &form.redact) {
        Ok(selection) => selection,
        Err(why) => return Ok(Err(why)),
    };
    let ask = Ask {
        recipient: form.recipient,
        handling: form.handling.unwrap_or(Handling::H0),
        restriction: Some(form.restriction).filter(|words| !words.is_empty()),
        selection: &selection,
    };
    match snapshot.foresee(&ask) {
        Ok(seen) => Ok(Ok(seen)),
        Err(
            e @ (desk::Error::Asked(_) | desk::Error::NotFound { .. } | desk::Error::Privileged(_)),
        ) => Ok(Err(e.to_string())),
        Err(e) => Err(e.into()),
    }
}

fn inputs(lang: Lang, form: &Form<'_>) -> Markup {
    let t = |key| lang.t(key);
    let words = |code: &Handling| format!("{} · {}", code.text(), meaning(*code, lang));
    let codes = CODES.iter().map(|code| (code.text(), words(code)));
    html! {
        form.filters method="get" action="/package" aria-label=(t("package_builder.title")) {
            (field(t("package_builder.for"), "for", form.recipient, "text"))
            (choice(t("package_builder.handling"), "handling", form.handling.map(Handling::text), t("package_builder.handling_none"), codes))
            (field(t("package_builder.restriction"), "restriction", form.restriction, "text"))
            (field(t("package_builder.select"), "select", &form.select.join(" "), "text"))
            (field(t("package_builder.redact"), "redact", &form.redact.join(" "), "text"))
            button type="submit" { (t("package_builder.show")) }
            details {
                summary { (t("package_builder.words")) }
                p { (t("package_builder.words_select")) " " code { "exhibit:HASH" } " " code { "exhibit:HASH:FROM-TO" } " " code { "record:N-M" } }
                p { (t("package_builder.words_redact")) " " code { "actor" } " " code { "exhibit.sealed.source" } " " code { "record:N.FIELD" } " " code { "exhibit:HASH" } }
            }
        }
    }
}

fn make(lang: Lang, form: &Form<'_>, snapshot: &Snapshot) -> Markup {
    html! {
        section aria-labelledby="h-make" {
            h2 #h-make { (lang.t("package_builder.make")) }
            p { (lang.t("package_builder.make_how")) }
            (command(lang, &form.command(snapshot)))
        }
    }
}

fn summary(lang: Lang, form: &Form<'_>, seen: &Foreseen) -> Markup {
    let t = |key| lang.t(key);
    html! {
        section aria-labelledby="h-sees" {
            h2 #h-sees { (t("package_builder.sees")) }
            dl.facts.wide {
                dt { (t("package_builder.for")) } dd { (text(form.recipient)) }
                dt { (t("package_builder.whole")) } dd { (fmt::number(seen.shown.0)) }
                dt { (t("package_builder.parts")) } dd { (fmt::number(seen.shown.1)) }
                dt { (t("package_builder.bytes")) } dd { (fmt::bytes(lang, seen.bytes)) }
                dt { (t("package_builder.records")) } dd { (fmt::number(seen.records_n)) }
                dt { (t("package_builder.hidden")) } dd { (fmt::number(seen.hidden)) }
            }
            @for note in seen.notes.iter().take(MOST_LISTED) { p.quiet lang="en" { (text(note)) } }
            (notice(t("package_builder.searched")))
        }
    }
}

fn exhibits(lang: Lang, seen: &Foreseen) -> Markup {
    let cols = [
        Col::number(lang.t("log.record")),
        Col::text(lang.t("package.name")).wide(),
        Col::number(lang.t("package.size")),
        Col::text(lang.t("package.shown")),
    ];
    let rows = seen.exhibits.iter().map(|exhibit| {
        vec![
            html! { a.n href={ "/log/" (exhibit.record) } { (fmt::number(exhibit.record)) } },
            html! {
                @match &exhibit.name { Some(name) => (text(name)), None => em { (lang.t("package.name_hidden")) } }
                @if let Some(id) = &exhibit.id { br; a href={ "/exhibit/" (id) } { (mono(id)) } }
            },
            html! { (fmt::bytes(lang, exhibit.size)) },
            html! {
                @for (_, bytes) in &exhibit.files {
                    p {
                        @match bytes {
                            None => (lang.t("package.whole")),
                            Some(range) => (lang.f("package.part", &[
                                ("from", &fmt::number(range.start)), ("to", &fmt::number(range.end)),
                            ])),
                        }
                    }
                }
            },
        ]
    });
    let all = seen.shown.0 + seen.shown.1;
    html! {
        section aria-labelledby="h-exhibits" {
            h2 #h-exhibits { (lang.n("package.exhibits_n", all, &[])) }
            @if all > seen.exhibits.len() as u64 { p.quiet { (lang.n("package_builder.first", seen.exhibits.len() as u64, &[])) } }
            @if all > 0 { (table(&lang.n("package.exhibits_n", all, &[]), &cols, rows)) }
        }
    }
}

fn records(lang: Lang, seen: &Foreseen) -> Markup {
    let cols = [
        Col::number(lang.t("log.record")),
        Col::text(lang.t("log.kind")),
        Col::text(lang.t("package_builder.shown_fields")).wide(),
        Col::text(lang.t("package_builder.hidden_fields")),
    ];
    let name = |field: &str| lang.find(&format!("field.{field}")).unwrap_or(field).to_owned();
    let rows = seen.records.iter().map(|record| {
        let kind = format!("record.{}", record.kind.replace('.', "_"));
        let hidden: Vec<String> = record.hidden.iter().map(|field| name(field)).collect();
        vec![
            html! { a.n href={ "/log/" (record.index) } { (fmt::number(record.index)) } },
            html! { (lang.find(&kind).unwrap_or(&record.kind)) br; time.quiet { (record.time) } },
            html! {
                details {
                    summary { (lang.n("package_builder.fields", record.fields.len() as u64, &[])) }
                    dl.facts.wide {
                        @for (field, value) in &record.fields { dt { (name(field)) } dd { (text(value)) } }
                    }
                }
            },
            html! {
                @if hidden.is_empty() { span.quiet { (lang.t("package_builder.nothing")) } }
                @else { (hidden.join(", ")) }
            },
        ]
    });
    html! {
        section aria-labelledby="h-records" {
            h2 #h-records { (lang.n("package.records_n", seen.records_n, &[])) }
            @if seen.records_n > seen.records.len() as u64 { p.quiet { (lang.n("package_builder.first", seen.records.len() as u64, &[])) } }
            @if !seen.records.is_empty() { (table(&lang.n("package.records_n", seen.records_n, &[]), &cols, rows)) }
        }
    }
}
