//! Whom to write to: an operator's file. Nobody else's list is asked, and nothing is guessed from a name.
//!
//! ```toml
//! [[contact]]
//! name = "Example CDN"
//! email = "abuse@cdn.example"
//! language = "fr"                      # en, fr or it; en where it is not said
//! for = ["AS64496", "198.51.100.0/24", "*.cdn.example", "stream.example"]
//! ```

use std::net::IpAddr;
use std::path::Path;

use collect::host::{Host, HostRule};
use serde::Deserialize;

use crate::{Error, Result};

/// The most bytes of the file.
pub const MAX_FILE: u64 = 8 << 20;
/// The most contacts.
pub const MAX_CONTACTS: usize = 10_000;
/// The most that one contact is for.
pub const MAX_FOR: usize = 1_000;
/// The most that one notice goes to.
pub const MAX_TO: usize = 8;

/// In which language somebody is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
    /// Italian.
    It,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    contact: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    email: String,
    #[serde(default)]
    language: Language,
    #[serde(rename = "for")]
    whom: Vec<String>,
}

/// Somebody who is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who they are.
    pub name: String,
    /// Where.
    pub email: String,
    /// In which language.
    pub language: Language,
    networks: Vec<u32>,
    hosts: Vec<HostRule>,
}

/// All of them, in the file's order.
#[derive(Debug, Clone, Default)]
pub struct Contacts(Vec<Contact>);

impl Contacts {
    /// Reads the file; none where there is none.
    ///
    /// # Errors
    /// [`Error::Asked`]: what it says that cannot be, and where.
    pub fn read(path: &Path) -> Result<Self> {
        use std::io::Read;
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let file = match std::fs::File::open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(failed)?,
        };
        let mut text = String::new();
        file.take(MAX_FILE + 1).read_to_string(&mut text).map_err(failed)?;
        let shown = crate::shell::quoted_path(path);
        Self::parse(&text).map_err(|why| Error::Asked(format!("{shown}: {why}")))
    }

    /// Reads its text.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        if text.len() as u64 > MAX_FILE {
            return Err(format!("more than {MAX_FILE} bytes of contacts"));
        }
        let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
        if file.contact.len() > MAX_CONTACTS {
            return Err(format!("more than {MAX_CONTACTS} contacts"));
        }
        file.contact.into_iter().map(Contact::of).collect::<std::result::Result<_, _>>().map(Self)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who answers for a host, by its name, its addresses, or their networks: each once, [`MAX_TO`] at the most.
    pub fn of(&self, name: Option<&str>, places: &[(IpAddr, Option<u32>)]) -> Vec<&Contact> {
        let name = name.map(|name| Host::Name(name.to_owned()));
        let mut found: Vec<&Contact> = Vec::new();
        for contact in &self.0 {
            let by_name = name.as_ref().is_some_and(|name| contact.is_for(name));
            let by_place = places.iter().any(|(address, asn)| {
                contact.is_for(&Host::Address(*address))
                    || asn.is_some_and(|asn| contact.networks.contains(&asn))
            });
            let known = found.iter().any(|known| known.email == contact.email);
            if (by_name || by_place) && !known && found.len() < MAX_TO {
                found.push(contact);
            }
        }
        found
    }
}

impl Contact {
    fn of(written: Written) -> std::result::Result<Self, String> {
        let Written { name, email, language, whom } = written;
        let plain =
            |text: &str| (1..=200).contains(&text.len()) && !text.contains(char::is_control);
        if !plain(&name) {
            return Err(format!("{name:?} is no name of a contact"));
        }
        if !plain(&email) || email.parse::<lettre::Address>().is_err() {
            return Err(format!("{email:?}, of {name:?}, is no e-mail address"));
        }
        if whom.is_empty() || whom.len() > MAX_FOR {
            return Err(format!("{name:?} is for 1 to {MAX_FOR} networks, addresses or names"));
        }
        let (mut networks, mut hosts) = (Vec::new(), Vec::new());
        for text in whom {
            let network = text.strip_prefix("AS").and_then(|n| n.parse::<u32>().ok());
            match (network, text.parse::<HostRule>()) {
                (Some(asn), _) => networks.push(asn),
                // A single label is a slip of the pen, such as `ASX`.
                (None, Ok(_)) if !text.contains(['.', ':']) => {
                    return Err(format!(
                        "{text:?}, of {name:?}, is no `AS…`, no address, no range and no name"
                    ));
                }
                (None, Ok(rule)) => hosts.push(rule),
                (None, Err(why)) => return Err(format!("{text:?}, of {name:?}: {why}")),
            }
        }
        Ok(Self { name, email, language, networks, hosts })
    }

    fn is_for(&self, host: &Host) -> bool {
        self.hosts.iter().any(|rule| rule.names(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_is_found_by_network_range_and_name_and_written_to_once() {
        let contacts = Contacts::parse(
            r#"
            [[contact]]
            name = "Example CDN"
            email = "abuse@cdn.example"
            language = "fr"
            for = ["AS64496", "198.51.100.0/24"]
            [[contact]]
            name = "Example Host"
            email = "abuse@host.example"
            for = ["*.host.example", "2001:db8::/32"]
            [[contact]]
            name = "Example CDN, again"
            email = "abuse@cdn.example"
            for = ["AS64497"]
            "#,
        )
        .unwrap();
        let of = |name: Option<&str>, places: &[(&str, Option<u32>)]| {
            let places: Vec<_> =
                places.iter().map(|(ip, asn)| (ip.parse().unwrap(), *asn)).collect();
            contacts.of(name, &places).into_iter().map(|c| c.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(of(None, &[("203.0.113.7", Some(64_496))]), ["Example CDN"]);
        assert_eq!(
            of(None, &[("198.51.100.9", None), ("192.0.2.1", Some(64_497))]),
            ["Example CDN"]
        );
        assert_eq!(
            of(Some("tv.host.example"), &[("198.51.100.9", None)]),
            ["Example CDN", "Example Host"]
        );
        assert_eq!(of(None, &[("2001:db8::9", None)]), ["Example Host"]);
        assert_eq!(of(Some("host.example"), &[("192.0.2.1", None)]), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_contact_is_named() {
        let one = |email: &str, whom: &str| {
            format!("[[contact]]\nname = \"x\"\nemail = \"{email}\"\nfor = [\"{whom}\"]\n")
        };
        assert!(Contacts::parse("").unwrap().is_empty());
        assert!(Contacts::parse(&one("a@b.example", "AS1")).is_ok());
        for (text, says) in [
            (one("a b@c", "AS1"), "e-mail"),
            (one("a@b.example\\nBcc: c@d.example", "AS1"), "e-mail"),
            (one("a@b.example", "ASX"), "ASX"),
            (one("a@b.example", "0.0.0.0/0"), "names nobody"),
            (one("a@b.example", "AS1") + "more = 1\n", "more"),
            ("[[contact]]\nname = \"x\"\nemail = \"a@b.example\"\nfor = []\n".to_owned(), "1 to"),
        ] {
            let why = Contacts::parse(&text).unwrap_err();
            assert!(why.contains(says), "{why}");
        }
    }
}
