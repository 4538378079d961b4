//! The figures that are in force ([`Policy`]), on `/statistics`: each with its default, and marked where it is another.

use maud::{Markup, html};
use shield::order::policy::Policy;

use super::transparency;
use crate::fmt;
use crate::html::parts::{Col, table};
use crate::i18n::Lang;

/// A figure: its name, its value, its default.
pub(super) type Figure = (&'static str, u64, u64);

/// The figures of a policy.
pub(super) fn of(policy: &Policy) -> Vec<Figure> {
    let defaults = Policy::default();
    let both = policy.list().into_iter().zip(defaults.list());
    both.map(|((name, value, _), (_, default, _))| (name, value, default)).collect()
}

pub(super) fn shown(lang: Lang, figures: &[Figure]) -> Markup {
    let title = lang.t("statistics.policy");
    let cols = [
        Col::text(lang.t("statistics.figure")),
        Col::number(lang.t("statistics.in_force")),
        Col::number(lang.t("statistics.default")),
    ];
    let row = |(name, now, default): &Figure| {
        let words = value(lang, name, *now);
        vec![
            html! { (lang.t(&format!("policy.{name}"))) },
            html! {
                @if now == default { (words) }
                @else { span.sr { (lang.t("statistics.other")) " " } strong { (words) } }
            },
            html! { (value(lang, name, *default)) },
        ]
    };
    html! {
        section aria-labelledby="h-policy" {
            h2 #h-policy { (title) }
            (table(title, &cols, figures.iter().map(row)))
            p.quiet {
                (lang.t("statistics.changed")) " " code { "vigie shield figure" } ". "
                a href="/log?kind=shield.figured" { (lang.t("statistics.changes")) }
            }
        }
    }
}

/// A value with its unit, exactly: what a person is held to is not rounded.
fn value(lang: Lang, name: &str, value: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    const DAY: u64 = 86_400_000;
    if name == "published_month" {
        let month = Some(value).filter(|month| *month > 0);
        return month.map_or_else(|| lang.t_owned("transparency.nothing"), transparency::name);
    }
    if !name.ends_with("_ms") {
        return fmt::number(value);
    }
    if value > DAY && value.is_multiple_of(DAY) {
        return lang.n("policy.days", value / DAY, &[]);
    }
    let whole = UNITS.iter().find(|(unit, _)| value > 0 && value.is_multiple_of(*unit));
    let (unit, word) = whole.copied().unwrap_or((1, "ms"));
    format!("{}\u{a0}{word}", fmt::number(value / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_exactly_in_its_largest_unit() {
        let ms = |ms| value(Lang::En, "capture_age_ms", ms).replace('\u{a0}', " ");
        for (value, wanted) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (2_000, "2 s"),
            (90_000, "90 s"),
            (600_000, "10 min"),
            (86_400_000, "24 h"),
            (90 * 86_400_000, "90 days"),
        ] {
            assert_eq!(ms(value), wanted);
        }
        assert_eq!(value(Lang::En, "published_month", 202_610), "2026-10");
        assert_eq!(value(Lang::En, "published_month", 0), "Nothing is published.");
        assert_eq!(value(Lang::En, "budget_days", 90), "90");
    }
}
