//! Components that pages share: counts, tables, pagers, filters, notices.

use maud::{Markup, PreEscaped, html};

use super::icon::icon;
use crate::app::Ctx;
use crate::fmt;
use crate::i18n::Lang;

/// A number that opens to what it counts.
pub(crate) fn count(n: u64, href: &str) -> Markup {
    html! { a.n href=(href) { (fmt::number(n)) } }
}

/// A button that copies a text; URLs from the material are only ever copied.
pub(crate) fn copy(lang: Lang, value: &str) -> Markup {
    copies(lang, &super::hostile::plain(value))
}

fn copies(lang: Lang, value: &str) -> Markup {
    html! {
        button.copy type="button" data-copy=(value) aria-label=(lang.t("part.copy")) title=(lang.t("part.copy")) { (icon("copy")) }
    }
}

/// A command, or another text, to be copied whole.
pub(crate) fn command(lang: Lang, text: &str) -> Markup {
    let text = desk::shell::here(text);
    // A command may have several lines: what else cannot be seen is shown, here as in what is copied.
    let lines: Vec<String> =
        text.split('\n').map(|line| super::hostile::plain(line).to_string()).collect();
    let text = lines.join("\n");
    html! { div.command { pre tabindex="0" { code { (text) } } (copies(lang, &text)) } }
}

/// The day of a moment, UTC; the moment itself on hover.
pub(crate) fn day_ms(ms: i64) -> Markup {
    let text = fmt::moment_ms(ms);
    html! { time datetime=(text) { (text.get(..10).unwrap_or(&text)) } }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Col {
    head: Markup,
    numeric: bool,
    more: Option<&'static str>,
}

impl Col {
    /// Text.
    pub(crate) fn text(head: &str) -> Self {
        Self::with(html! { (head) }, false)
    }
    /// Figures, at the right.
    pub(crate) fn number(head: &str) -> Self {
        Self::with(html! { (head) }, true)
    }
    /// With a head of its own making.
    pub(crate) fn with(head: Markup, numeric: bool) -> Self {
        Self { head, numeric, more: None }
    }
    /// Left out on a narrow screen, where the other columns say as much.
    pub(crate) fn aside(self) -> Self {
        Self { more: Some("aside"), ..self }
    }
    /// Never squeezed to a few letters, however narrow the screen: the table scrolls instead.
    pub(crate) fn wide(self) -> Self {
        Self { more: Some("wide"), ..self }
    }
    fn class(&self) -> Option<String> {
        let classes: Vec<&str> =
            self.numeric.then_some("num").into_iter().chain(self.more).collect();
        (!classes.is_empty()).then(|| classes.join(" "))
    }
}

/// A table in a region that scrolls by itself. `label` names it to a screen reader.
pub(crate) fn table(
    label: &str,
    cols: &[Col],
    rows: impl IntoIterator<Item = Vec<Markup>>,
) -> Markup {
    html! {
        div.scroll role="group" aria-label=(label) tabindex="0" {
            table.list {
                thead { tr { @for col in cols { th scope="col" class=[col.class()] { (col.head) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (i, cell) in row.iter().enumerate() {
                                td class=[cols.get(i).and_then(Col::class)] { (cell) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The way on in a list paged by key: the first page, and the next.
pub(crate) fn pager(ctx: &Ctx, next: Option<&str>) -> Markup {
    let first = ctx.query.get("after").is_some();
    html! {
        @if first || next.is_some() {
            nav.pager aria-label=(ctx.lang.t("part.pages")) {
                @if first { a.button href=(ctx.url(&["after"], &[])) { (ctx.lang.t("part.first")) } }
                @if let Some(next) = next {
                    a.button rel="next" href=(ctx.url(&["after"], &[("after", next)])) { (ctx.lang.t("part.next")) (icon("next")) }
                }
            }
        }
    }
}

/// Nothing is here, and why that may be.
pub(crate) fn empty(title: &str, why: &str) -> Markup {
    html! { div.empty { p.lead { (title) } p { (why) } } }
}

/// Something to know before the rest.
pub(crate) fn notice(text: &str) -> Markup {
    html! { div.notice { p { (text) } } }
}

/// A form whose fields are the view's URL. Works by itself; with script, what it filters is
/// swapped as one types.
pub(crate) fn filters(ctx: &Ctx, fields: Markup) -> Markup {
    html! {
        form.filters method="get" action=(ctx.path) role="search" aria-label=(ctx.lang.t("part.filters"))
            hx-get=(ctx.path) hx-trigger="input delay:250ms, change" hx-target="#results" hx-select="#results"
            hx-swap="outerHTML" hx-select-oob="#title,#notes" hx-replace-url="true" hx-sync="this:replace" {
            (fields)
            button type="submit" { (ctx.lang.t("part.apply")) }
        }
    }
}

/// A text field of a filter form.
pub(crate) fn field(label: &str, name: &str, value: &str, kind: &str) -> Markup {
    html! { label.field { span { (label) } input type=(kind) name=(name) value=(value) autocomplete="off" spellcheck="false"; } }
}

/// A choice of a filter form: (value, words), the empty value first.
pub(crate) fn choice<'a>(
    label: &str,
    name: &str,
    chosen: Option<&str>,
    all: &str,
    options: impl IntoIterator<Item = (&'a str, String)>,
) -> Markup {
    html! {
        label.field {
            span { (label) }
            select name=(name) {
                option value="" { (all) }
                @for (value, words) in options {
                    option value=(value) selected[chosen == Some(value)] { (words) }
                }
            }
        }
    }
}

/// A row of bars beside numbers: the longest is full. `(label, n, href)`.
pub(crate) fn bars(rows: &[(Markup, u64, String)]) -> Markup {
    let most = rows.iter().map(|r| r.1).max().unwrap_or(0);
    html! {
        ul.bars {
            @for (label, n, href) in rows {
                li {
                    span.label { (label) }
                    (bar(*n, most))
                    (count(*n, href))
                }
            }
        }
    }
}

/// A bar as a small picture: no inline style is needed, nor allowed.
pub(crate) fn bar(n: u64, most: u64) -> Markup {
    let width = fmt::percent(n, most);
    PreEscaped(format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"track\" width=\"100\" height=\"4\"/><rect class=\"fill\" width=\"{width}\" height=\"4\"/></svg>"
    ))
}
