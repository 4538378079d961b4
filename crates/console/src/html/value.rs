//! Values with their sources: how a fact, an entity, a figure is shown wherever it stands.

use desk::read::{
    EntityFilter, EntityHead, FactFilter, FigureInput, LinkFilter, ShownValue, Source, TableQuery,
};
use maud::{Markup, html};
use model::EntityKind;

use super::hostile::{mono, plain, short, text};
use super::parts::copy;
use crate::fmt;
use crate::i18n::Lang;
use crate::query::url;

/// The family a kind belongs to: its colour and shape in pictures.
pub(crate) fn family(kind: EntityKind) -> &'static str {
    use EntityKind as K;
    match kind {
        K::Panel | K::Server | K::Provider | K::Domain | K::IpAddress => "infra",
        K::Line | K::Device => "client",
        K::Stream | K::Channel | K::Work | K::Release | K::Swarm => "content",
        K::BankAccount | K::CryptoWallet => "money",
        _ => "people",
    }
}

/// The families, in the order legends show them.
pub(crate) const FAMILIES: &[&str] = &["infra", "people", "client", "content", "money"];

/// The shape of a kind's family, drawn by the style sheet.
pub(crate) fn shape(kind: EntityKind) -> Markup {
    html! { span class={ "shape f-" (family(kind)) } {} }
}

/// The kind's name in the singular.
pub(crate) fn kind_name(lang: Lang, kind: EntityKind) -> &'static str {
    lang.find(&format!("kind.{}", kind.name())).unwrap_or(kind.name())
}

/// The kind's name in the plural.
pub(crate) fn kind_names(lang: Lang, kind: EntityKind) -> &'static str {
    lang.find(&format!("kinds.{}", kind.name())).unwrap_or(kind.name())
}

/// An entity, as a link.
pub(crate) fn entity_alone(lang: Lang, head: &EntityHead) -> Markup {
    html! {
        a.entity href={ "/entity/" (head.id) } {
            (shape(head.kind)) span.sr { (kind_name(lang, head.kind)) " " } (short(&head.caption, 80))
        }
    }
}

/// An entity, as a link, with its country.
pub(crate) fn entity(lang: Lang, head: &EntityHead) -> Markup {
    html! {
        (entity_alone(lang, head))
        @if let Some(country) = &head.country { " " (place(lang, country)) }
    }
}

/// A country's code, its name beside for those who hear it.
pub(crate) fn place(lang: Lang, iso: &str) -> Markup {
    let name = crate::pages::places::name(lang, iso);
    html! { abbr.place title=(name) { (iso) } }
}

/// The mark behind a value: opens the exhibit at the byte.
pub(crate) fn source(lang: Lang, source: &Source) -> Markup {
    let span = format!("{}–{}", fmt::number(source.start), fmt::number(source.end));
    let label = lang.f("part.source", &[("name", &plain(&source.name)), ("span", &span)]);
    html! {
        a.source href=(exhibit_at(source)) title=(label) {}
    }
}

/// Where a span is shown.
pub(crate) fn exhibit_at(source: &Source) -> String {
    format!("/exhibit/{}?at={}-{}", source.exhibit, source.start, source.end)
}

/// A value. What looks like an address of the material is copied, never followed.
pub(crate) fn shown(lang: Lang, value: &ShownValue, property: &str) -> Markup {
    match value {
        ShownValue::Text(value) if follows(property, value) => {
            html! { (mono(value)) " " (copy(lang, value)) }
        }
        ShownValue::Text(value) if value.is_empty() => {
            html! { span.quiet { (lang.t("part.blank")) } }
        }
        ShownValue::Text(value) => text(value),
        ShownValue::Int(n) => html! { span.num { (fmt::signed(*n)) } },
        ShownValue::Bool(true) => html! { (lang.t("part.yes")) },
        ShownValue::Bool(false) => html! { (lang.t("part.no")) },
        ShownValue::Time { text, utc_ms } => {
            html! { time datetime=(fmt::moment_ms(*utc_ms)) { (text) } }
        }
        ShownValue::Money(money) => html! {
            span.num { (fmt::amount(lang, money.minor.into(), money.currency.as_str())) } " " (money.currency.as_str())
        },
        ShownValue::Entity { entity: head, .. } => entity(lang, head),
        ShownValue::Masked => masked(lang),
    }
}

/// A secret: there is one, it is not shown.
pub(crate) fn masked(lang: Lang) -> Markup {
    html! { span.withheld { (lang.t("part.masked")) } }
}

/// The command that shows the secrets of an exhibit or an entity. The console reveals nothing: it
/// decides nothing, and a reason has to come from whoever answers for it.
pub(crate) fn reveal(lang: Lang, of: &str, id: &str) -> Markup {
    let command = format!("vigie facts --{of} {id} --reveal '{}'", lang.t("part.reason"));
    let command = desk::shell::here(&command);
    html! { p { code.break { (command) } " " (copy(lang, &command)) } }
}

fn follows(property: &str, value: &str) -> bool {
    property == "url" || property == "as_written" || value.contains("://")
}

/// The words for a property.
pub(crate) fn property_name(lang: Lang, property: &str) -> &str {
    lang.find(&format!("property.{property}"))
        .or_else(|| lang.find(&format!("link_out.{property}")))
        .unwrap_or(property)
}

/// The words for a link kind, seen from its start or from its end.
pub(crate) fn link_name(lang: Lang, kind: model::LinkKind, out: bool) -> &'static str {
    let side = if out { "link_out" } else { "link_in" };
    lang.find(&format!("{side}.{}", kind.name())).unwrap_or(kind.name())
}

/// Where the things that a figure was computed from are listed.
pub(crate) fn input_url(input: &FigureInput) -> String {
    match input {
        FigureInput::Rows(query) => rows_url(query),
        FigureInput::Entities(filter) => entities_url(filter),
        FigureInput::Links(filter) => links_url(filter),
        FigureInput::Facts(filter) => facts_url(filter),
    }
}

/// The view of a table that a query selects.
pub(crate) fn rows_url(query: &TableQuery) -> String {
    let terms: Vec<String> = query.filter.terms.iter().map(ToString::to_string).collect();
    let order = query.order.as_ref().map(ToString::to_string);
    let pairs = terms
        .iter()
        .map(|t| ("f", t.as_str()))
        .chain(query.columns.iter().map(|c| ("c", c.as_str())))
        .chain(order.iter().map(|o| ("order", o.as_str())));
    url(&format!("/tables/{}", crate::query::segment(&query.table)), pairs)
}

/// The list of entities that a filter selects.
pub(crate) fn entities_url(filter: &EntityFilter) -> String {
    let asn = filter.asn.map(|n| n.to_string());
    let pairs = [
        ("kind", filter.kind.map(EntityKind::name)),
        ("country", filter.country.as_deref()),
        ("asn", asn.as_deref()),
        ("q", filter.text.as_deref()),
    ];
    url("/entities", pairs.into_iter().filter_map(|(k, v)| Some((k, v?))))
}

/// The list of links that a filter selects.
pub(crate) fn links_url(filter: &LinkFilter) -> String {
    let (from, to) = (filter.from.map(|id| id.to_string()), filter.to.map(|id| id.to_string()));
    let pairs = [
        ("kind", filter.kind.map(model::LinkKind::name)),
        ("from", from.as_deref()),
        ("to", to.as_deref()),
    ];
    url("/links", pairs.into_iter().filter_map(|(k, v)| Some((k, v?))))
}

/// The list of facts that a filter selects.
pub(crate) fn facts_url(filter: &FactFilter) -> String {
    let entity = filter.entity.map(|id| id.to_string());
    let exhibit = filter.exhibit.map(|id| id.to_string());
    let span = filter.span.map(|(start, end)| format!("{start}-{end}"));
    let pairs = [
        ("entity", entity.as_deref()),
        ("exhibit", exhibit.as_deref()),
        ("property", filter.property.as_deref()),
        ("at", span.as_deref()),
    ];
    url("/facts", pairs.into_iter().filter_map(|(k, v)| Some((k, v?))))
}
