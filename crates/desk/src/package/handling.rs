//! Europol's handling codes, and what follows from them for what may leave.
//!
//! H0: for preventing and combating crime. H1: not to be used in judicial proceedings without the
//! provider's permission. H2: not to be passed on without the provider's permission. H3: other
//! restrictions, in words. (Europol, *Handling codes*; Regulation (EU) 2016/794, art. 19.)

use std::str::FromStr;

use crate::{Error, Result};

/// A handling code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// For preventing and combating crime.
    H0,
    /// Not in judicial proceedings without permission.
    H1,
    /// Not to be passed on without permission.
    H2,
    /// As its words say.
    H3,
}

impl Handling {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::H0 => "H0",
            Self::H1 => "H1",
            Self::H2 => "H2",
            Self::H3 => "H3",
        }
    }
}

impl FromStr for Handling {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let found = [Self::H0, Self::H1, Self::H2, Self::H3].into_iter().find(|h| h.text() == text);
        found.ok_or_else(|| format!("{text:?} is no handling code: H0, H1, H2 or H3"))
    }
}

/// What a package that was taken in demands of what is made of its exhibits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The authority that made it.
    pub provider: String,
    /// Its code.
    pub handling: Handling,
    /// Its words.
    pub restriction: Option<String>,
}

impl Demand {
    /// What a package's `bag-info.txt` demands; `None` where the file is of a bag that is no package:
    /// one without a handling code. Labels ignore case, as BagIt has it.
    pub(super) fn in_info(text: &str) -> Option<Self> {
        let text = text.trim_start_matches('\u{feff}');
        let field = |name: &str| {
            let mut fields = text.lines().filter_map(|line| line.split_once(':'));
            fields
                .find(|(field, _)| field.trim_end().eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let code = field("Vigie-Handling")?;
        // Whoever took the maker's name away did not take the code away.
        let origin = field("External-Identifier").unwrap_or_default();
        let provider = vault::authority_of(&origin);
        Some(Self {
            provider: if provider.is_empty() { "an unnamed authority" } else { provider }
                .to_owned(),
            // What cannot be read is restricted most.
            handling: code.parse().unwrap_or(Handling::H2),
            restriction: field("Vigie-Restriction"),
        })
    }
}

/// True where two names are of one party.
pub fn is_party(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

/// Whether a package for a recipient, under a code, may hold exhibits that came in under `demands`.
///
/// # Errors
/// What is missing or forbidden, and what to do.
pub fn may_leave(
    recipient: &str,
    handling: Handling,
    restriction: Option<&str>,
    demands: &[Demand],
) -> Result<()> {
    let asked = |why: String| Err(Error::Asked(why));
    if recipient.trim().is_empty() {
        return asked("a package is for somebody: say for whom (`--for`)".to_owned());
    }
    let words = restriction.map(str::trim).unwrap_or_default();
    if handling == Handling::H3 && words.is_empty() {
        return asked("H3 means other restrictions: say which (`--restriction`)".to_owned());
    }
    for demand in demands {
        // What goes back to where it came from is restricted by nothing.
        if is_party(recipient, &demand.provider) {
            continue;
        }
        let from = &demand.provider;
        match demand.handling {
            Handling::H0 => {}
            Handling::H1 if matches!(handling, Handling::H1) => {}
            Handling::H1 => {
                return asked(format!(
                    "exhibits of {from} are in it under H1 (no judicial proceedings without \
                     permission): so must the package be (`--handling H1`), or leave them out"
                ));
            }
            Handling::H2 => {
                return asked(format!(
                    "exhibits of {from} are in it under H2: they may be passed on to nobody without \
                     its permission; leave them out"
                ));
            }
            Handling::H3 => {
                let theirs = demand.restriction.as_deref().unwrap_or_default();
                let kept =
                    words.lines().any(|line| is_party(line, theirs)) || is_party(words, theirs);
                if handling != Handling::H3 || !kept {
                    return asked(format!(
                        "exhibits of {from} are in it under H3 ({theirs}): the package must be under \
                         H3 with the same words, or leave them out"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// Whether a package under a code, for a recipient, may be taken in by an authority.
///
/// # Errors
/// It is under H2 and for somebody else.
pub(super) fn may_enter(authority: &str, recipient: &str, handling: Handling) -> Result<()> {
    if handling == Handling::H2 && !is_party(authority, recipient) {
        return Err(Error::Asked(format!(
            "the package is under H2 for {recipient}, and this case is {authority}'s: it is not to be \
             passed on without its maker's permission; ask for one that names {authority}"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kept() {
        let demand = |handling, restriction: Option<&str>| Demand {
            provider: "nl.example".to_owned(),
            handling,
            restriction: restriction.map(str::to_owned),
        };
        let may = |to: &str, code, words, demands: &[Demand]| may_leave(to, code, words, demands);
        assert!(may("Court", Handling::H0, None, &[]).is_ok());
        assert!(may(" ", Handling::H0, None, &[]).is_err());
        assert!(may("Court", Handling::H3, Some(" "), &[]).is_err());
        assert!(may("Court", Handling::H3, Some("till May"), &[]).is_ok());
        let h1 = [demand(Handling::H1, None)];
        assert!(may("Court", Handling::H0, None, &h1).is_err());
        assert!(may("Court", Handling::H1, None, &h1).is_ok());
        let h2 = [demand(Handling::H0, None), demand(Handling::H2, None)];
        assert!(may("Court", Handling::H2, None, &h2).is_err());
        assert!(may("NL.example ", Handling::H0, None, &h2).is_ok(), "back to its provider");
        let h3 = [demand(Handling::H3, Some("till May"))];
        assert!(may("Court", Handling::H3, Some("other"), &h3).is_err());
        assert!(may("Court", Handling::H3, Some("not: till May, use freely"), &h3).is_err());
        assert!(may("Court", Handling::H3, Some("Till  May"), &h3).is_ok());
        assert!(may_enter("fr.example", "nl.example", Handling::H2).is_err());
        assert!(may_enter("fr.example", "FR.example", Handling::H2).is_ok());
        assert!(may_enter("fr.example", "nl.example", Handling::H1).is_ok());
        assert!("H4".parse::<Handling>().is_err() && "h1".parse::<Handling>().is_err());
    }
}
