//! Governments' names, by the patterns of their suffixes: no list of all of them exists, but each
//! registry keeps a suffix for its state.
//!
//! Sources: the registries' second-level suffixes as the public suffix list has them, RFC 1591 (`gov`,
//! `mil`, `int`), and the states' own domains where they have no suffix.

use crate::item::ancestors;

/// How a reason cites this.
pub(super) const SOURCE: &str = "suffixes of states (Vigie)";

/// Labels that mean a state right under any country's top-level name: `gov.uk`, `gob.es`, `gouv.fr`.
const UNDER_COUNTRIES: &[&str] = &[
    "gov",
    "gob",
    "gouv",
    "gub",
    "govt",
    "gv",
    "mil",
    "mod",
    "police",
    "polizei",
    "parliament",
    "nhs",
];

/// Suffixes and domains, with all below them.
const EXACT: &[&str] = &[
    "gov",
    "mil",
    "int",
    "go.jp",
    "lg.jp",
    "go.kr",
    "go.th",
    "go.id",
    "go.ke",
    "go.tz",
    "go.ug",
    "go.cr",
    "go.ci",
    "gc.ca",
    "canada.ca",
    "ontario.ca",
    "quebec.ca",
    "gouv.qc.ca",
    "admin.ch",
    "bund.de",
    "bundestag.de",
    "bundesregierung.de",
    "polizei.de",
    "bayern.de",
    "nrw.de",
    "berlin.de",
    "europa.eu",
    "fgov.be",
    "belgium.be",
    "vlaanderen.be",
    "wallonie.be",
    "brussels.be",
    "overheid.nl",
    "rijksoverheid.nl",
    "politie.nl",
    "belastingdienst.nl",
    "gov.it",
    "poliziadistato.it",
    "carabinieri.it",
    "governo.it",
    "senato.it",
    "camera.it",
    "quirinale.it",
    "giustizia.it",
    "interno.it",
    "agcom.it",
    "inps.it",
    "gdf.it",
    "vigilfuoco.it",
    "legalmail.it",
    "service-public.fr",
    "senat.fr",
    "assemblee-nationale.fr",
    "elysee.fr",
    "arcom.fr",
    "impots.gouv.fr",
    "dep.no",
    "regjeringen.no",
    "politi.no",
    "stat.no",
    "kommune.no",
    "regeringen.se",
    "riksdagen.se",
    "polisen.se",
    "suomi.fi",
    "valtioneuvosto.fi",
    "poliisi.fi",
    "stm.dk",
    "politi.dk",
    "borger.dk",
    "state.gov",
    "fed.us",
    "nsn.us",
    "kew.gov.uk",
    "parliament.uk",
    "police.uk",
    "nhs.uk",
    "mod.uk",
    "nato.int",
    "un.org",
    "who.int",
    "bundeskanzleramt.gv.at",
    "public.lu",
    "etat.lu",
    "gouvernement.lu",
    "agcom.gov.it",
];

/// The suffix by which a name is a government's.
pub(super) fn suffix(name: &str) -> Option<&str> {
    ancestors(name).find(|above| {
        if EXACT.contains(above) {
            return true;
        }
        let country = above.split_once('.').filter(|(_, last)| is_country(last));
        country.is_some_and(|(label, _)| UNDER_COUNTRIES.contains(&label))
    })
}

fn is_country(label: &str) -> bool {
    label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::suffix;

    #[test]
    fn states_are_told_by_their_suffix_and_nobody_else_is() {
        for (name, found) in [
            ("www.gov.uk", Some("gov.uk")),
            ("gov.uk", Some("gov.uk")),
            ("sede.agenciatributaria.gob.es", Some("gob.es")),
            ("www.impots.gouv.fr", Some("impots.gouv.fr")),
            ("www.whitehouse.gov", Some("gov")),
            ("www.nta.go.jp", Some("go.jp")),
            ("ec.europa.eu", Some("europa.eu")),
            ("www.agcom.it", Some("agcom.it")),
            ("mygov.example", None),
            ("gov.stream.example", None),
            ("gov.stream.it", None),
            ("go.stream.jp", None),
            ("xgov.uk", None),
            ("gov.com", None),
        ] {
            assert_eq!(suffix(name), found, "{name}");
        }
    }
}
