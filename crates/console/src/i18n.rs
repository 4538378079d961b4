//! Languages and their catalogues. All words a reader sees come from `assets/i18n/*.toml`.
//!
//! A message is text with `{name}` placeholders; one that depends on a count is a table of `one`
//! and `other`, chosen by the language's own rule (CLDR, whole numbers): English and Italian take
//! `one` for 1, French for 0 and 1.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

/// The languages of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// English.
    En,
    /// French.
    Fr,
    /// Italian.
    It,
}

/// A catalogue: `section.key` → message.
pub(crate) type Catalogue = BTreeMap<String, Message>;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// The same whatever the count.
    Text(String),
    /// One form for a single thing, another for the rest.
    Count { one: String, other: String },
}

static CATALOGUES: LazyLock<[Catalogue; 3]> = LazyLock::new(|| {
    [
        read(include_str!("../../../assets/i18n/en.toml")),
        spaced(read(include_str!("../../../assets/i18n/fr.toml"))),
        read(include_str!("../../../assets/i18n/it.toml")),
    ]
});

impl Lang {
    /// Every language, in the order the switch shows them.
    pub const ALL: [Self; 3] = [Self::En, Self::Fr, Self::It];

    /// Its BCP 47 tag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
            Self::It => "it",
        }
    }

    /// Its name in itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Fr => "Français",
            Self::It => "Italiano",
        }
    }

    /// The language of a tag (`fr`, `fr-CH`).
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or("").to_ascii_lowercase();
        Self::ALL.into_iter().find(|lang| lang.tag() == primary)
    }

    /// The best language for an `Accept-Language` header (RFC 9110 §12.5.4); English where none fits.
    pub fn of_header(header: &str) -> Self {
        let mut best = (0.0, Self::En);
        for range in header.split(',').take(32) {
            let mut parts = range.split(';');
            let Some(lang) = parts.next().map(str::trim).and_then(Self::of_tag) else { continue };
            let quality = parts
                .find_map(|p| p.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()))
                .unwrap_or(1.0);
            if quality > best.0 {
                best = (quality, lang);
            }
        }
        best.1
    }

    /// The colon between a word of the catalogues and what it is said of.
    pub(crate) fn colon(self) -> &'static str {
        match self {
            Self::Fr => "\u{a0}:",
            Self::En | Self::It => ":",
        }
    }

    pub(crate) fn catalogue(self) -> &'static Catalogue {
        &CATALOGUES[self as usize]
    }

    /// The message without a count or placeholders. A key that no catalogue has is shown itself.
    pub(crate) fn t(self, key: &str) -> &str {
        self.find(key).unwrap_or(key)
    }

    /// The message as a text of its own, where the key is made on the spot.
    pub(crate) fn t_owned(self, key: &str) -> String {
        self.t(key).to_owned()
    }

    /// The message, if the catalogue has it: for words made from data (kinds, properties).
    pub(crate) fn find(self, key: &str) -> Option<&'static str> {
        match self.catalogue().get(key)? {
            Message::Text(text) | Message::Count { other: text, .. } => Some(text),
        }
    }

    /// The message with its placeholders filled.
    pub(crate) fn f(self, key: &str, values: &[(&str, &str)]) -> String {
        fill(self.t(key), values)
    }

    /// The form of the message for `n` things; `{n}` is the number, grouped.
    pub(crate) fn n(self, key: &str, n: u64, values: &[(&str, &str)]) -> String {
        let text = match self.catalogue().get(key) {
            Some(Message::Count { one, .. }) if self.single(n) => one,
            Some(Message::Count { other: text, .. } | Message::Text(text)) => text,
            None => key,
        };
        let shown = crate::fmt::number(n);
        let mut all = vec![("n", shown.as_str())];
        all.extend_from_slice(values);
        fill(text, &all)
    }

    fn single(self, n: u64) -> bool {
        n == 1 || (n == 0 && self == Self::Fr)
    }
}

/// A message with its placeholders filled; one without a value stays.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(n, _)| *n == name) {
            Some((_, value)) => out.push_str(value),
            None => {
                let _ = write!(out, "{{{name}}}");
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// French as it is set: the space before a colon, a semicolon, a question or an exclamation mark, and inside
/// guillemets, does not break. In the file it is a plain one, as it is typed.
fn spaced(catalogue: Catalogue) -> Catalogue {
    const FIXED: [(&str, &str); 6] = [
        (" :", "\u{a0}:"),
        (" ;", "\u{a0};"),
        (" ?", "\u{a0}?"),
        (" !", "\u{a0}!"),
        ("« ", "«\u{a0}"),
        (" »", "\u{a0}»"),
    ];
    let text = |text: String| FIXED.iter().fold(text, |text, (from, to)| text.replace(from, to));
    let message = |message| match message {
        Message::Text(one) => Message::Text(text(one)),
        Message::Count { one, other } => Message::Count { one: text(one), other: text(other) },
    };
    catalogue.into_iter().map(|(key, found)| (key, message(found))).collect()
}

/// Reads a catalogue. A file that is not one yields what could be read: the tests hold the files,
/// and a missing word is shown as its key.
fn read(text: &str) -> Catalogue {
    let mut out = Catalogue::new();
    let Ok(table) = text.parse::<toml::Table>() else { return out };
    for (section, messages) in table {
        let toml::Value::Table(messages) = messages else { continue };
        for (key, value) in messages {
            let message = match value {
                toml::Value::String(text) => Message::Text(text),
                toml::Value::Table(forms) => {
                    let form =
                        |name| forms.get(name).and_then(toml::Value::as_str).map(str::to_owned);
                    match (form("one"), form("other")) {
                        (Some(one), Some(other)) => Message::Count { one, other },
                        _ => continue,
                    }
                }
                _ => continue,
            };
            out.insert(format!("{section}.{key}"), message);
        }
    }
    out
}

#[cfg(test)]
#[path = "i18n_tests.rs"]
mod tests;
