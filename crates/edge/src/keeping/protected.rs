//! What this ISP never blocks, whoever asks.

use std::collections::HashSet;

use shield::item::Name;

/// The most rules.
pub const MAX_PROTECTED: usize = 1_000_000;

/// A list of names: `name` protects that name alone, `*.name` that name and all below it.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    names: HashSet<Box<str>>,
    below: HashSet<Box<str>>,
}

/// Why a rule is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtectedError {
    /// What stands there is no name.
    #[error("{rule:?} protects nothing ({why}): write `name` or `*.name`")]
    Rule {
        /// The rule as given.
        rule: String,
        /// What is wrong.
        why: String,
    },
    /// More than are taken.
    #[error("{0} rules, and {MAX_PROTECTED} are the most")]
    Many(usize),
}

impl Protected {
    /// Reads rules. After `*.` a single label may stand, too: `*.example` protects a whole top level.
    ///
    /// # Errors
    /// One is no rule: a rule that protects nothing would be believed in.
    pub fn new<S: AsRef<str>>(rules: &[S]) -> Result<Self, ProtectedError> {
        if rules.len() > MAX_PROTECTED {
            return Err(ProtectedError::Many(rules.len()));
        }
        let mut list = Self::default();
        for rule in rules {
            let rule = rule.as_ref();
            let odd = |why: &dyn std::fmt::Display| ProtectedError::Rule {
                rule: rule.chars().take(300).collect(),
                why: why.to_string(),
            };
            if let Some(below) = rule.strip_prefix("*.") {
                // With a label before it: what is asked is whether it is the end of a name.
                let name = Name::parse(&format!("x.{below}")).map_err(|e| odd(&e))?;
                let below = name.as_str().strip_prefix("x.").unwrap_or_default();
                list.below.insert(below.into());
            } else {
                let name = Name::parse(rule).map_err(|e| odd(&e))?;
                list.names.insert(name.as_str().into());
            }
        }
        Ok(list)
    }

    /// The rule under which a name is protected, if it is.
    pub fn rule(&self, name: &Name) -> Option<String> {
        if self.names.contains(name.as_str()) {
            return Some(name.to_string());
        }
        let mut names = std::iter::successors(Some(name.as_str()), |name| {
            name.split_once('.').map(|(_, above)| above)
        });
        names.find(|name| self.below.contains(*name)).map(|name| format!("*.{name}"))
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.names.len() + self.below.len()
    }

    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_protects_what_it_says_and_nothing_beside() {
        let rules = ["isp.example", "*.bank.example", "*.gov", "*.MÜNCHEN.example"];
        let list = Protected::new(&rules).unwrap();
        let rule = |name: &str| list.rule(&Name::parse(name).unwrap());
        assert_eq!(rule("isp.example").as_deref(), Some("isp.example"));
        assert_eq!(rule("bank.example").as_deref(), Some("*.bank.example"));
        assert_eq!(rule("a.b.bank.example").as_deref(), Some("*.bank.example"));
        assert_eq!(rule("tax.gov").as_deref(), Some("*.gov"));
        assert_eq!(rule("a.xn--mnchen-3ya.example").as_deref(), Some("*.xn--mnchen-3ya.example"));
        for open in ["www.isp.example", "mybank.example", "bank.example.net", "gov.example"] {
            assert_eq!(rule(open), None, "{open}");
        }
        for none in ["", "*", "*.", "a b.example", "198.51.100.7", "198.51.100.0/24", "*.*.example"]
        {
            assert!(Protected::new(&[none]).is_err(), "{none:?}");
        }
    }
}
