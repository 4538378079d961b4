//! What an address may ask of a page. A parameter that a page does not have, or a value that means
//! nothing, is taken out before the page sees it, and the page says so: a list that looks filtered
//! and is not would mislead.

use desk::read::Term;
use model::bulk::PAYMENT_CLASSES;
use model::custody::Asked;
use model::kinds::{kind_of_name, link_of_name};
use model::record::RECORD_KINDS;
use model::{EntityId, ExhibitId, ProblemKind, Stamp, TableRole};

use crate::html::hostile::plain;
use crate::i18n::Lang;
use crate::pages::{exhibits, span};
use crate::query::Query;

/// A parameter's name, and whether a value of it can be understood.
pub(crate) type Param = (&'static str, fn(&str) -> bool);

/// Most notes on a page; an address may hold hundreds of parameters.
const MOST: usize = 5;
/// Letters of a value that a note repeats.
const SHOWN: usize = 60;

/// The parameters that a page can answer, and what to say of the others.
pub(crate) fn sift(lang: Lang, known: &[Param], query: &Query) -> (Query, Vec<String>) {
    let mut notes = Vec::new();
    let kept = query.keep(|name, value| {
        let param = known.iter().find(|(known, _)| *known == name);
        let good = match param {
            Some((_, good)) => value.is_empty() || good(value),
            // Asked for of any page; the frame knows it.
            None => name == "format" && value == "json",
        };
        if !good && notes.len() < MOST {
            let key = if param.is_some() { "param.value" } else { "param.unknown" };
            let shown = |text: &str| plain(&text.chars().take(SHOWN).collect::<String>());
            notes.push(lang.f(key, &[("name", &shown(name)), ("value", &shown(value))]));
        }
        good
    });
    (kept, notes)
}

fn any(_: &str) -> bool {
    true
}
fn number(text: &str) -> bool {
    text.parse::<u64>().is_ok()
}
fn entity(text: &str) -> bool {
    text.parse::<EntityId>().is_ok()
}
fn exhibit(text: &str) -> bool {
    text.parse::<ExhibitId>().is_ok()
}
fn kind(text: &str) -> bool {
    kind_of_name(text).is_some()
}
fn link(text: &str) -> bool {
    link_of_name(text).is_some()
}
fn asn(text: &str) -> bool {
    text.trim_start_matches("AS").parse::<u32>().is_ok()
}
/// Several, parted by commas or blanks.
fn each(text: &str, good: fn(&str) -> bool) -> bool {
    text.split([',', ' ']).filter(|part| !part.is_empty()).all(good)
}
fn asns(text: &str) -> bool {
    each(text, asn)
}
fn countries(text: &str) -> bool {
    each(text, |code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()))
}

const LIST: [Param; 2] = [("after", any), ("limit", number)];

/// The parameters of a list: its own, and those of every list.
macro_rules! list {
    ($($own:expr),* $(,)?) => {
        &[$($own,)* LIST[0], LIST[1]]
    };
}

pub(crate) const NONE: &[Param] = &[];
pub(crate) const ENTITIES: &[Param] =
    list![("kind", kind), ("country", any), ("asn", asn), ("q", any)];
pub(crate) const LINKS: &[Param] = list![("kind", link), ("from", entity), ("to", entity)];
pub(crate) const FACTS: &[Param] = list![
    ("entity", entity),
    ("exhibit", exhibit),
    ("property", any),
    ("at", |text| span(text).is_some()),
];
pub(crate) const NETWORK: &[Param] = &[
    ("kind", kind),
    ("link", link),
    ("country", countries),
    ("asn", asns),
    ("since", |text| Stamp::parse_iso(text).is_some()),
    ("until", |text| Stamp::parse_iso(text).is_some()),
    ("around", entity),
    ("hops", number),
    ("most", number),
    ("view", |text| ["picture", "table"].contains(&text)),
    ("row", number),
    ("trail", any),
];
pub(crate) const PATH: &[Param] = &[("from", any), ("to", any)];
pub(crate) const MAP: &[Param] =
    &[("panel", entity), ("view", |text| ["europe", "world"].contains(&text))];
pub(crate) const PAYMENTS: &[Param] = list![
    ("class", |text| PAYMENT_CLASSES.contains(&text)),
    ("currency", any),
    ("from", entity),
    ("to", entity),
];
pub(crate) const TABLES: &[Param] = list![
    ("exhibit", exhibit),
    ("role", |text| TableRole::ALL.iter().any(|role| role.as_str() == text)),
    ("q", any),
    ("f", |text| text.parse::<Term>().is_ok()),
];
// Conditions are not sifted: rows without one of them would be other rows than were asked for, so
// the page refuses instead.
pub(crate) const ROWS: &[Param] =
    list![("f", any), ("column", any), ("op", any), ("value", any), ("c", any), ("order", any),];
pub(crate) const EXHIBITS: &[Param] = list![
    ("q", any),
    ("parser", any),
    ("state", |text| exhibits::state_of(text).is_some()),
    ("in", exhibit),
];
pub(crate) const EXHIBIT: &[Param] = &[("at", any), ("from", number)];
pub(crate) const CUSTODY: &[Param] = &[("item", any), ("at", |text| Asked::read(text).is_some())];
pub(crate) const LABELS: &[Param] = &[("item", any)];
pub(crate) const PROBLEMS: &[Param] = list![
    ("kind", |text| ProblemKind::ALL.iter().any(|kind| kind.as_str() == text)),
    ("exhibit", exhibit),
];
pub(crate) const LOG: &[Param] =
    list![("q", any), ("kind", |text| RECORD_KINDS.iter().any(|kind| kind.kind == text))];
pub(crate) const PACKAGE: &[Param] = &[
    ("for", any),
    ("handling", |text| text.parse::<desk::package::Handling>().is_ok()),
    ("restriction", any),
    ("select", any),
    ("redact", any),
];
pub(crate) const SEARCH: &[Param] = &[("q", any)];

#[cfg(test)]
mod tests {
    use super::*;

    fn sifted(known: &[Param], query: &str) -> (String, Vec<String>) {
        let (kept, notes) = sift(Lang::En, known, &Query::parse(query));
        (kept.url("", &[], &[]), notes)
    }

    #[test]
    fn what_a_page_cannot_answer_is_said() {
        let (kept, notes) = sifted(ENTITIES, "kind=Server&page=2&asn=x&q=a&country=");
        assert_eq!(kept, "?kind=Server&q=a");
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("page") && notes[1].contains("asn") && notes[1].contains('x'));
        assert_eq!(sifted(ENTITIES, "kind=Nosuch").1.len(), 1);
        assert_eq!(sifted(FACTS, "at=12").1.len(), 0);
        assert_eq!(sifted(LOG, "after=abc&limit=7&format=json").1.len(), 0);
        assert_eq!(sifted(NONE, "format=pdf").1.len(), 1);
        assert_eq!(sifted(NETWORK, "country=NL,de FR&asn=AS1+2&since=2026-01-01").1.len(), 0);
    }

    /// A page that reads a parameter nobody declared would never see it.
    #[test]
    fn every_parameter_that_pages_read_is_declared() {
        let known: std::collections::BTreeSet<&str> = crate::routes::routes(crate::app::Site::Case)
            .iter()
            .filter_map(|route| match &route.gives {
                crate::routes::Gives::Page(_, known) => Some(known.iter().map(|p| p.0)),
                crate::routes::Gives::Other(_) => None,
            })
            .flatten()
            .chain(["format"])
            .collect();
        let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages");
        let mut seen = 0;
        for file in std::fs::read_dir(pages).unwrap() {
            let path = file.unwrap().path();
            let source = std::fs::read_to_string(&path).unwrap();
            for call in source.split("query.").skip(1) {
                let Some((how, rest)) = call.split_once('(') else { continue };
                let reads = ["get", "all"].contains(&how) || how.starts_with("read::<");
                let Some((name, _)) = rest.strip_prefix('"').and_then(|r| r.split_once('"')) else {
                    continue;
                };
                if reads {
                    seen += 1;
                    assert!(known.contains(name), "{name} in {}", path.display());
                }
            }
        }
        assert!(seen > 30, "{seen}");
    }

    #[test]
    fn notes_are_bounded_and_plain() {
        let long = "x".repeat(9000);
        let query: Vec<String> = (0..100).map(|i| format!("n{i}%E2%80%AE={long}")).collect();
        let (_, notes) = sifted(NONE, &query.join("&"));
        assert_eq!(notes.len(), MOST);
        assert!(notes.iter().all(|n| n.len() < 600 && !n.contains('\u{202e}')));
    }
}
