//! The page that the recipient of a package opens first: one file, no script, no address outside.

use desk::package::{Behind, ExhibitSeen, Handling, Preview, RecordSeen};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::fmt;
use crate::html::hostile::{mono, plain, text};
use crate::i18n::Lang;

const STYLE: &str = include_str!("../../../assets/package.css");

/// The page, in the reader's language.
pub fn package_page(preview: &Preview, lang: Lang) -> String {
    let t = |key| lang.t(key);
    let title = lang.f("package.title", &[("recipient", &preview.recipient)]);
    let page: Markup = html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.handling { (warning(preview, lang)) }
                main {
                    h1 { (t("package.head")) " " (text(&preview.recipient)) }
                    @if preview.is_practice() {
                        p.missing { (t("frame.practice")) ". " (t("frame.practice_text")) }
                    }
                    (about(preview, lang))
                    (behind(preview, lang))
                    (check(lang))
                    (exhibits(&preview.exhibits, lang))
                    (records(&preview.records, lang))
                }
            }
        }
    };
    page.into_string()
}

/// What a handling code means.
pub(crate) fn meaning(code: Handling, lang: Lang) -> &'static str {
    lang.t(match code {
        Handling::H0 => "package.h0",
        Handling::H1 => "package.h1",
        Handling::H2 => "package.h2",
        Handling::H3 => "package.h3",
    })
}

/// What the handling code forbids, and that it is practice where it is: on each printed page.
fn warning(preview: &Preview, lang: Lang) -> Markup {
    html! {
        @if preview.is_practice() { b { (lang.t("frame.practice")) } " · " }
        b { (preview.handling.text()) } " · " (meaning(preview.handling, lang))
        @if let Some(words) = &preview.restriction { " " (text(words)) }
    }
}

fn about(preview: &Preview, lang: Lang) -> Markup {
    let t = |key| lang.t(key);
    html! {
        dl {
            dt { (t("package.by")) } dd { (text(preview.authority())) }
            dt { (t("package.log")) } dd { (mono(&preview.origin)) }
            dt { (t("package.made")) } dd { (preview.made) }
        }
    }
}

/// What stands behind the records, and what does not: a reader learns it before any record.
fn behind(preview: &Preview, lang: Lang) -> Markup {
    let t = |key| lang.t(key);
    let authority = plain(preview.authority());
    let Behind { witnesses, required, timed } = &preview.behind;
    let seconds = |time: u64| fmt::moment(i64::try_from(time).unwrap_or(i64::MAX));
    html! {
        section.behind {
            h2 { (t("package.behind")) }
            dl {
                dt { (t("package.sealed")) }
                dd { (lang.n("package.signed", preview.log_size, &[("authority", &authority)])) }
                dt { (t("package.witnesses")) }
                dd {
                    @for (name, time) in witnesses {
                        p { (lang.f("package.cosigned", &[("name", &plain(name)), ("time", &seconds(*time))])) }
                    }
                    @if witnesses.is_empty() { p.missing { (t("package.unwitnessed")) } }
                    @if *required > witnesses.len() as u64 {
                        p.missing { (lang.f("package.too_few", &[("required", &fmt::number(*required))])) }
                    }
                }
                dt { (t("package.time")) }
                dd {
                    @match &timed.by {
                        None => p.missing { (t("package.no_time")) },
                        Some((covered, by)) => p {
                            (lang.n("package.timed", *covered, &[
                                ("time", &fmt::moment_ms(by.ms)), ("authority", &plain(&by.authority)),
                            ]))
                        },
                    }
                    @if let Some(after) = timed.after.as_ref().filter(|after| shows_after(preview, after.record)) {
                        p {
                            (lang.f("package.after", &[
                                ("record", &fmt::number(after.record)), ("time", &fmt::moment_ms(after.ms)),
                            ]))
                        }
                    }
                }
                dt { (t("package.not_proven")) }
                dd { p { (t("package.not_short")) " " a href="#not-proven" { (t("package.not_more")) } } }
            }
            p { (t("package.behind_check")) }
            details {
                summary { (t("package.checkpoint")) }
                pre { (preview.checkpoint.to_string()) }
            }
        }
    }
}

/// True where a record in the package came after that one.
fn shows_after(preview: &Preview, record: u64) -> bool {
    preview.records.iter().any(|seen| seen.index > record)
}

/// The commands, and what they do not show.
fn check(lang: Lang) -> Markup {
    let t = |key| lang.t(key);
    html! {
        section.check {
            h2 { (t("package.check")) }
            p { (t("package.check_how")) }
            pre { "python3 verify.py\npython3 verify.py --trust FILE" }
            p { (t("package.check_trust")) }
            h3 #not-proven { (t("package.not_proven")) }
            ul {
                li { (t("package.not_true")) }
                li { (t("package.not_time")) }
                li { (t("package.not_hidden")) }
                li { (t("package.not_whole")) }
            }
        }
    }
}

fn exhibits(seen: &[ExhibitSeen], lang: Lang) -> Markup {
    let t = |key| lang.t(key);
    html! {
        h2 { (lang.n("package.exhibits_n", seen.len() as u64, &[])) }
        @if !seen.is_empty() {
            table {
                thead { tr {
                    th scope="col" { (t("package.record")) } th scope="col" { (t("package.name")) }
                    th scope="col" { (t("package.size")) } th scope="col" { (t("package.shown")) }
                } }
                tbody {
                    @for exhibit in seen {
                        tr {
                            td.number { a href={ "#record-" (exhibit.record) } { (exhibit.record) } }
                            td {
                                @match &exhibit.name {
                                    Some(name) => (text(name)),
                                    None => em { (t("package.name_hidden")) },
                                }
                                @if let Some(id) = &exhibit.id { br; (mono(id)) }
                            }
                            td.number { (fmt::bytes(lang, exhibit.size)) }
                            td { (shown(exhibit, lang)) }
                        }
                    }
                }
            }
        }
    }
}

fn shown(exhibit: &ExhibitSeen, lang: Lang) -> Markup {
    html! {
        @for (path, bytes) in &exhibit.files {
            p {
                @match bytes {
                    None => (lang.t("package.whole")),
                    Some(range) => (lang.f("package.part", &[
                        ("from", &fmt::number(range.start)), ("to", &fmt::number(range.end)),
                    ])),
                }
                br;
                a href=(path) { (mono(path)) }
            }
        }
    }
}

fn records(seen: &[RecordSeen], lang: Lang) -> Markup {
    html! {
        h2 { (lang.n("package.records_n", seen.len() as u64, &[])) }
        @for record in seen {
            @let kind = format!("record.{}", record.kind.replace('.', "_"));
            section.record id={ "record-" (record.index) } {
                h3 { (record.index) " · " (lang.find(&kind).unwrap_or(&record.kind)) }
                p.time { (record.time) }
                @if let Some(by) = record.set_aside {
                    p.hidden { a href={ "#record-" (by) } { (lang.f("log.set_aside", &[("n", &by.to_string())])) } }
                }
                dl {
                    @for (field, value) in &record.fields {
                        dt { (lang.find(&format!("field.{field}")).unwrap_or(field)) }
                        dd { (text(value)) }
                    }
                    @for field in &record.hidden {
                        dt { (lang.find(&format!("field.{field}")).unwrap_or(field)) }
                        dd.hidden { (lang.t("package.hidden")) }
                    }
                }
            }
        }
    }
}
