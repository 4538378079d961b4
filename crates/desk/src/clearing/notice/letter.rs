//! What a host or a CDN is written: which item, under which order, who decides, how to answer and how to object. In
//! their language, from the catalogues that pages speak by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use model::record::time_text;
use shield::order::Moment;

use super::contacts::{Contact, Language};

/// The section of the catalogues.
type Words = BTreeMap<String, String>;

fn section(text: &str) -> Words {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let words = table.get("notice").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let text = |(key, value): (String, toml::Value)| Some((key, value.as_str()?.to_owned()));
    words.into_iter().filter_map(text).collect()
}

static WORDS: LazyLock<[Words; 3]> = LazyLock::new(|| {
    [
        section(include_str!("../../../../../assets/i18n/en.toml")),
        section(include_str!("../../../../../assets/i18n/fr.toml")),
        section(include_str!("../../../../../assets/i18n/it.toml")),
    ]
});

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The item, by its ticket and place.
    pub item: String,
    /// What is blocked, or is to be.
    pub value: String,
    /// The legal basis.
    pub order: String,
    /// Whose clearing house it is.
    pub authority: String,
    /// The addresses at which it was seen.
    pub addresses: Vec<String>,
    /// True where it is blocked already: a name. An address waits for an answer first.
    pub blocked: bool,
    /// How long silence is waited for, in milliseconds: of an address.
    pub silence_ms: u64,
    /// When it was written.
    pub at: Moment,
    /// Where anybody objects, if pages are served.
    pub pages: Option<String>,
}

/// Why a letter cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// An address that is none.
    #[error("{0:?} is no e-mail address")]
    Address(String),
    /// No message can be made of it.
    #[error("no message can be made of it: {0}")]
    Message(#[from] lettre::error::Error),
}

impl Letter {
    fn filled(&self, language: Language, key: &str) -> String {
        let words = &WORDS[language as usize];
        let minutes = (self.silence_ms / 60_000).to_string();
        let addresses =
            if self.addresses.is_empty() { "-".to_owned() } else { self.addresses.join(", ") };
        let pages = self.pages.clone().unwrap_or_default();
        let at = time_text(self.at.0);
        let names = [
            ("item", self.item.as_str()),
            ("value", &self.value),
            ("order", &self.order),
            ("authority", &self.authority),
            ("addresses", &addresses),
            ("minutes", &minutes),
            ("pages", &pages),
            ("at", &at),
        ];
        let mut text = words.get(key).cloned().unwrap_or_default();
        for (name, value) in names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// The words.
    pub fn text(&self, language: Language) -> String {
        let state = if self.blocked { "blocked" } else { "to_be_blocked" };
        let object = if self.pages.is_some() { "object_at" } else { "object" };
        let keys = ["greeting", state, "facts", "ask", "answer", object, "who", "end"];
        let parts: Vec<String> = keys.iter().map(|key| self.filled(language, key)).collect();
        parts.join("\n\n") + "\n"
    }

    /// The message to somebody.
    ///
    /// # Errors
    /// See [`LetterError`].
    pub fn message(&self, from: &str, to: &Contact) -> Result<Message, LetterError> {
        let address = |text: &str| text.parse().map_err(|_| LetterError::Address(text.to_owned()));
        let sender = Mailbox::new(Some(self.authority.clone()), address(from)?);
        let receiver = Mailbox::new(Some(to.name.clone()), address(&to.email)?);
        let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let number = model::Sha256Hex::of(
            format!("{}\n{}\n{}\n{}", self.item, self.value, self.at.0, to.email).as_bytes(),
        );
        let date = u64::try_from(self.at.0).unwrap_or(0);
        let date = std::time::UNIX_EPOCH + std::time::Duration::from_millis(date);
        Ok(Message::builder()
            .from(sender)
            .to(receiver)
            .date(date)
            .message_id(Some(format!("<{number}@{domain}>")))
            .subject(self.filled(to.language, "subject"))
            .header(ContentType::TEXT_PLAIN)
            .body(self.text(to.language))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearing::notice::contacts::Contacts;

    fn letter() -> Letter {
        Letter {
            item: "12/0".into(),
            value: "tv.stream.example".into(),
            order: "7/26".into(),
            authority: "authority.example".into(),
            addresses: vec!["198.51.100.7".into()],
            blocked: true,
            silence_ms: 600_000,
            at: Moment(1_780_000_000_000),
            pages: None,
        }
    }

    #[test]
    fn each_language_says_all_of_it() {
        for language in [Language::En, Language::Fr, Language::It] {
            for blocked in [true, false] {
                let pages = (!blocked).then(|| "https://clearing.example".to_owned());
                let text = Letter { blocked, pages: pages.clone(), ..letter() }.text(language);
                for part in
                    ["12/0", "tv.stream.example", "7/26", "authority.example", "198.51.100.7"]
                {
                    assert!(text.contains(part), "{language:?}: {part}\n{text}");
                }
                assert!(!text.contains(['{', '}']), "{text}");
                assert!(pages.is_none_or(|pages| text.contains(&pages)));
                assert!(blocked || text.contains("10"), "{text}");
            }
        }
        let keys = |n: usize| WORDS[n].keys().collect::<Vec<_>>();
        assert!(keys(0).len() > 8 && keys(0) == keys(1) && keys(1) == keys(2));
    }

    #[test]
    fn nothing_that_is_filled_in_becomes_a_header_or_another_receiver() {
        let contacts = Contacts::parse(
            "[[contact]]\nname = \"Évil, <x@y.example>\"\nemail = \"abuse@host.example\"\nfor = [\"AS1\"]\n",
        )
        .unwrap();
        let one = contacts.of(None, &[("192.0.2.1".parse().unwrap(), Some(1))]);
        let hostile = Letter { order: "7/26\r\nBcc: all@example".into(), ..letter() };
        let message = hostile.message("desk@authority.example", one[0]).unwrap();
        let to: Vec<String> = message.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["abuse@host.example"]);
        let text = String::from_utf8(message.formatted()).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap();
        assert!(!head.contains("Bcc:"), "{head}");
        assert!(head.contains("Subject: ") && head.contains("Message-ID: <"), "{head}");
        assert!(letter().message("no address", one[0]).is_err());
    }
}
