//! Governments' names, by the patterns of their suffixes: no list of all of them exists, but each
//! registry keeps a suffix for its state.
//!
//! Sources: the registries' second-level suffixes, each asked of the public suffix list; RFC 1591 (`gov`,
//! `mil`, `int`); and states' own domains where no suffix tells them.

use crate::item::ancestors;
use crate::suffixes::{Section, Suffix, Suffixes};

/// How a reason cites this.
pub(super) const SOURCE: &str = "suffixes of states (Vigie)";

/// Labels that mean a state where they stand right under a country's top-level name **and** the registry
/// keeps the two as a suffix (`gov.uk`, `gob.es`, `gouv.fr`): under a name that anybody can buy, like
/// `gob.io`, they mean nothing.
const UNDER_COUNTRIES: &[&str] = &[
    "gov",
    "gob",
    "gouv",
    "gub",
    "govt",
    "go",
    "gv",
    "gc",
    "mil",
    "mod",
    "police",
    "nhs",
    "lg",
    "parliament",
    "jus",
    "leg",
    "mp",
];

/// Labels that mean a municipality, a province or a state of the union where the registrable name
/// begins with them right before a registry's suffix for a place: `comune.roma.it`, `state.tx.us`.
const OF_PLACES: &[(&str, &str)] = &[
    ("comune", "it"),
    ("provincia", "it"),
    ("regione", "it"),
    ("cittametropolitana", "it"),
    ("state", "us"),
    ("ci", "us"),
    ("co", "us"),
];

/// States' own domains and suffixes that the patterns do not tell, with all below them.
const EXACT: &[&str] = &[
    "gov",
    "mil",
    "int",
    "canada.ca",
    "ontario.ca",
    "quebec.ca",
    "admin.ch",
    "bund.de",
    "bundestag.de",
    "bundesrat.de",
    "bundesregierung.de",
    "bundespolizei.de",
    "bka.de",
    "zoll.de",
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
    "agenziaentrate.it",
    "bancaditalia.it",
    "camera.it",
    "carabinieri.it",
    "consob.it",
    "cortecostituzionale.it",
    "difesa.it",
    "gdf.it",
    "giustizia.it",
    "governo.it",
    "inail.it",
    "inps.it",
    "interno.it",
    "pagopa.it",
    "poliziadistato.it",
    "protezionecivile.it",
    "quirinale.it",
    "senato.it",
    "vigilfuoco.it",
    "agcom.it",
    "arcom.fr",
    "assemblee-nationale.fr",
    "caf.fr",
    "conseil-constitutionnel.fr",
    "conseil-etat.fr",
    "elysee.fr",
    "senat.fr",
    "service-public.fr",
    "urssaf.fr",
    "ameli.fr",
    "agenciatributaria.es",
    "boe.es",
    "congreso.es",
    "guardiacivil.es",
    "policia.es",
    "senado.es",
    "seg-social.es",
    "dep.no",
    "kommune.no",
    "politi.no",
    "regjeringen.no",
    "stat.no",
    "polisen.se",
    "regeringen.se",
    "riksdagen.se",
    "poliisi.fi",
    "suomi.fi",
    "valtioneuvosto.fi",
    "borger.dk",
    "politi.dk",
    "stm.dk",
    "etat.lu",
    "gouvernement.lu",
    "public.lu",
    "gov.scot",
    "nhs.scot",
    "parliament.scot",
    "police.scot",
    "gov.wales",
    "llyw.cymru",
    "senedd.wales",
    "nhs.wales",
    "fed.us",
    "nsn.us",
    "un.org",
];

/// The suffix by which a name is a government's. Which suffixes registries keep, the list says.
pub(super) fn suffix<'a>(name: &'a str, suffixes: &Suffixes) -> Option<&'a str> {
    let kept = |text: &str| {
        let own = |suffix: Suffix<'_>| suffix.text == text && suffix.section == Section::Icann;
        [suffixes.suffix(text), suffixes.differs(text)].into_iter().flatten().any(own)
    };
    ancestors(name).find(|above| {
        if EXACT.contains(above) {
            return true;
        }
        let Some((label, rest)) = above.split_once('.') else { return false };
        if is_country(rest) {
            return UNDER_COUNTRIES.contains(&label) && kept(above);
        }
        let of_place = |(word, country): &(&str, &str)| {
            label == *word && rest.strip_suffix(country).is_some_and(|place| place.ends_with('.'))
        };
        OF_PLACES.iter().any(of_place) && kept(rest)
    })
}

fn is_country(label: &str) -> bool {
    label.len() == 2 && label.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::suffix;
    use crate::suffixes::Suffixes;

    #[test]
    fn states_are_told_by_their_suffix_and_nobody_else_is() {
        for (name, found) in [
            ("www.gov.uk", Some("gov.uk")),
            ("gov.uk", Some("gov.uk")),
            ("sede.agenciatributaria.gob.es", Some("gob.es")),
            ("www.impots.gouv.fr", Some("gouv.fr")),
            ("www.whitehouse.gov", Some("gov")),
            ("www.nta.go.jp", Some("go.jp")),
            ("ec.europa.eu", Some("europa.eu")),
            ("www.agcom.it", Some("agcom.it")),
            ("www.police.scot", Some("police.scot")),
            ("www.comune.roma.it", Some("comune.roma.it")),
            ("regione.lombardia.it", Some("regione.lombardia.it")),
            ("www.state.tx.us", Some("state.tx.us")),
            // What anybody can buy says nothing of a state.
            ("gob.io", None),
            ("stream.mod.to", None),
            ("police.tv", None),
            ("comune.stream.it", None),
            ("mygov.example", None),
            ("gov.stream.example", None),
            ("gov.stream.it", None),
            ("go.stream.jp", None),
            ("xgov.uk", None),
            ("gov.com", None),
        ] {
            assert_eq!(suffix(name, &Suffixes::default()), found, "{name}");
        }
    }
}
