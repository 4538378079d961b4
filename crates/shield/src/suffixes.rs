//! Public suffixes: which part of a name anybody may register under (publicsuffix.org).
//!
//! The list has two sections. What registries run (ICANN's section: `co.uk`), and what owners of
//! domains opened to strangers (the private section: `ddns.net`, `github.io`). A name of the private
//! section protects itself; each name below it is another's and judged alone.

use jiff::civil::Date;
use psl::Psl as _;

/// The list: as it was read, or as it was compiled in.
#[derive(Debug, Default)]
pub struct Suffixes {
    loaded: Option<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    list: Box<publicsuffix::List>,
    source: String,
}

/// Which section of the list a suffix stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// A registry's.
    Icann,
    /// An owner's who lets strangers register.
    Private,
    /// On no list: the name's last label.
    Unknown,
}

/// A name's public suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix<'a> {
    /// `co.uk` of `a.b.co.uk`.
    pub text: &'a str,
    /// Where it stands.
    pub section: Section,
}

/// Fewer rules than this are no list: a file cut short.
const LEAST_RULES: usize = 5_000;

/// Why a text is no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuffixError {
    /// The reader of the list says so.
    #[error("this is no public suffix list: {0}")]
    Unreadable(String),
    /// A list that was cut.
    #[error("the list has {0} rules; a whole one has more than {LEAST_RULES}")]
    Short(usize),
}

impl Suffixes {
    /// Reads the list (`public_suffix_list.dat`).
    ///
    /// # Errors
    /// No list, or one that was cut.
    pub fn read(text: &str, source: &str, date: Date) -> Result<Self, SuffixError> {
        let rules = text.lines().filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if rules < LEAST_RULES {
            return Err(SuffixError::Short(rules));
        }
        let list = in_ascii(text)
            .parse()
            .map_err(|e: publicsuffix::Error| SuffixError::Unreadable(e.to_string()))?;
        Ok(Self {
            loaded: Some(Loaded { list: Box::new(list), source: format!("{source}, {date}") }),
        })
    }

    /// Where the answers come from, as a reason names its source.
    pub fn cited(&self) -> &str {
        self.loaded.as_ref().map_or("public suffix list (built in)", |loaded| &loaded.source)
    }

    /// True where a list was read.
    pub fn is_loaded(&self) -> bool {
        self.loaded.is_some()
    }

    /// A name's public suffix. Names are ASCII, lower case, without a final dot.
    pub fn suffix<'a>(&self, name: &'a str) -> Option<Suffix<'a>> {
        let found = match &self.loaded {
            Some(loaded) => loaded.list.suffix(name.as_bytes()),
            None => psl::List.suffix(name.as_bytes()),
        }?;
        told(name, found)
    }

    /// What the list that was compiled in says, where another was read and they disagree. A list that
    /// is read may be years older, or newer; a name on which they differ is judged by both, since
    /// either may know of strangers that the other does not.
    pub fn differs<'a>(&self, name: &'a str) -> Option<Suffix<'a>> {
        let loaded = self.loaded.as_ref()?;
        let there = told(name, loaded.list.suffix(name.as_bytes())?);
        let here = told(name, psl::List.suffix(name.as_bytes())?);
        here.filter(|_| there != here)
    }

    /// The name somebody registered: the public suffix and the label before it. `None` where the
    /// name is itself a public suffix.
    pub fn registrable<'a>(&self, name: &'a str) -> Option<&'a str> {
        let suffix = self.suffix(name)?;
        below(name, suffix.text)
    }
}

/// The list with its rules as names have them: it writes some in Unicode, and names are ASCII.
fn in_ascii(list: &str) -> String {
    let mut out = String::with_capacity(list.len());
    for line in list.lines() {
        let rule = line.split_whitespace().next().unwrap_or("");
        if rule.is_ascii() || line.starts_with("//") {
            out.push_str(line);
        } else {
            // `*` and `!` are no letters, and stay.
            let labels = rule.split('.').map(|label| match label.strip_prefix('!') {
                Some(label) => format!("!{}", idna::domain_to_ascii(label).unwrap_or_default()),
                None if label == "*" => label.to_owned(),
                None => idna::domain_to_ascii(label).unwrap_or_default(),
            });
            out.push_str(&labels.collect::<Vec<_>>().join("."));
        }
        out.push('\n');
    }
    out
}

fn told<'a>(name: &'a str, found: psl::Suffix<'_>) -> Option<Suffix<'a>> {
    let text = name.get(name.len().checked_sub(found.as_bytes().len())?..)?;
    let section = match found.typ() {
        Some(psl::Type::Icann) => Section::Icann,
        Some(psl::Type::Private) => Section::Private,
        None => Section::Unknown,
    };
    Some(Suffix { text, section })
}

/// The label before a suffix, with the suffix.
pub(crate) fn below<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let before = name.len().checked_sub(suffix.len() + 1)?;
    let head = name.get(..before)?;
    let start = head.rfind('.').map_or(0, |dot| dot + 1);
    (start < before).then(|| &name[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sections_are_told_apart() {
        let suffixes = Suffixes::default();
        for (name, suffix, section, registrable) in [
            ("a.b.co.uk", "co.uk", Section::Icann, Some("b.co.uk")),
            ("co.uk", "co.uk", Section::Icann, None),
            ("x.y.ddns.net", "ddns.net", Section::Private, Some("y.ddns.net")),
            ("ddns.net", "ddns.net", Section::Private, None),
            ("a.nosuchtld", "nosuchtld", Section::Unknown, Some("a.nosuchtld")),
            ("xn--80aswg.xn--p1ai", "xn--p1ai", Section::Icann, Some("xn--80aswg.xn--p1ai")),
            ("www.ck", "ck", Section::Icann, Some("www.ck")),
        ] {
            assert_eq!(suffixes.suffix(name), Some(Suffix { text: suffix, section }), "{name}");
            assert_eq!(suffixes.registrable(name), registrable, "{name}");
        }
    }

    #[test]
    fn a_list_that_is_read_answers_instead() {
        let date = jiff::civil::date(2026, 1, 1);
        assert_eq!(Suffixes::read("com\n", "x", date).expect_err("short"), SuffixError::Short(1));
        let mut list =
            "// ===BEGIN ICANN DOMAINS===\ncom\nck\n*.ck\n!www.ck\nрф\n公司.cn\n".to_owned();
        (0..LEAST_RULES).for_each(|n| list.push_str(&format!("s{n}.com\n")));
        list.push_str("// ===END ICANN DOMAINS===\n// ===BEGIN PRIVATE DOMAINS===\nown.example.com\n// ===END PRIVATE DOMAINS===\n");
        let suffixes = Suffixes::read(&list, "a test", date).expect("a list");
        assert_eq!(suffixes.cited(), "a test, 2026-01-01");
        let of = |name| suffixes.suffix(name).map(|s| (s.text, s.section));
        assert_eq!(of("a.s7.com"), Some(("s7.com", Section::Icann)));
        assert_eq!(of("a.own.example.com"), Some(("own.example.com", Section::Private)));
        assert_eq!(of("xn--80aswg.xn--p1ai"), Some(("xn--p1ai", Section::Icann)));
        assert_eq!(of("a.xn--55qx5d.cn"), Some(("xn--55qx5d.cn", Section::Icann)));
        assert_eq!(of("a.b.ck"), Some(("b.ck", Section::Icann)));
        assert_eq!(of("www.ck"), Some(("ck", Section::Icann)));
        assert_eq!(of("a.co.uk"), Some(("uk", Section::Unknown)));
        let other = |name| suffixes.differs(name).map(|s| (s.text, s.section));
        assert_eq!(other("a.co.uk"), Some(("co.uk", Section::Icann)));
        assert_eq!(other("a.com"), None);
        assert_eq!(Suffixes::default().differs("a.co.uk"), None);
    }
}
