//! Countries: their names in each language, and where their circle stands on the map.

use std::sync::LazyLock;

use crate::i18n::Lang;

/// A country.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Country {
    /// ISO 3166-1 alpha-2.
    iso: &'static str,
    /// In the box of the world's picture, 1000 × 500.
    pub(crate) at: (f32, f32),
    names: [&'static str; 3],
}

/// Made with the world's picture by the assets' build; by ISO code.
static COUNTRIES: LazyLock<Vec<Country>> = LazyLock::new(|| {
    include_str!("../../../../assets/i18n/countries.tsv").lines().filter_map(read).collect()
});

fn read(line: &'static str) -> Option<Country> {
    let mut cells = line.split('\t');
    let mut next = || cells.next();
    Some(Country {
        iso: next()?,
        at: (next()?.parse().ok()?, next()?.parse().ok()?),
        names: [next()?, next()?, next()?],
    })
}

/// A country by its code.
pub(crate) fn country(iso: &str) -> Option<&'static Country> {
    COUNTRIES.binary_search_by(|c| c.iso.cmp(iso)).ok().map(|i| &COUNTRIES[i])
}

/// Its name; the code itself where there is no such country.
pub(crate) fn name(lang: Lang, iso: &str) -> &str {
    if iso == "ZZ" {
        return lang.t("map.unknown");
    }
    country(iso).map_or(iso, |c| c.names[lang as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_its_place_and_names() {
        assert!(COUNTRIES.len() > 240);
        assert!(COUNTRIES.is_sorted_by(|a, b| a.iso < b.iso));
        for c in COUNTRIES.iter() {
            assert!(c.iso.len() == 2 && c.names.iter().all(|n| !n.is_empty()), "{}", c.iso);
            assert!(
                (0.0..=1000.0).contains(&c.at.0) && (0.0..=540.0).contains(&c.at.1),
                "{}",
                c.iso
            );
        }
        assert_eq!(name(Lang::Fr, "NL"), "Pays-Bas");
        assert_eq!(name(Lang::En, "Q1"), "Q1");
    }
}
