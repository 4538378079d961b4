//! Query strings, read and written: every view is its URL.

use std::fmt::Write as _;

/// The parameters of a URL, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

/// Most parameters read; the rest is dropped.
const MOST: usize = 200;

impl Query {
    /// From what stands behind the `?`.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .take(MOST)
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect(),
        )
    }

    /// The first value of a parameter; an empty one is as if absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// The first value, read as a `T`.
    pub(crate) fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// Every value of a parameter that is not empty.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, v)| k == name && !v.is_empty()).map(|(_, v)| v.as_str())
    }

    /// The pairs of which `good` is true, by name and value.
    pub(crate) fn keep(&self, mut good: impl FnMut(&str, &str) -> bool) -> Self {
        Self(self.0.iter().filter(|(k, v)| good(k, v)).cloned().collect())
    }

    /// The pairs but those of these names.
    pub(crate) fn but<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter(|(k, v)| !v.is_empty() && !names.contains(&k.as_str()))
            .map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// A URL of `path` with these parameters, but `drop`, then `add`.
    pub(crate) fn url(&self, path: &str, drop: &[&str], add: &[(&str, &str)]) -> String {
        url(path, self.but(drop).chain(add.iter().copied()))
    }
}

/// `path?k=v&…`, percent-encoded; without `?` where there is nothing.
pub(crate) fn url<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(pairs);
    let query = out.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// One segment of a path, percent-encoded.
pub(crate) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'@') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A path of this site from a form's field: `/…` and not `//…`. Anything else is `/`.
pub(crate) fn back(text: &str) -> &str {
    let good = text.starts_with('/')
        && !text.starts_with("//")
        && text.len() <= 4096
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if good { text } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_url() {
        let q = Query::parse("f=eq:a:1&f=ge:b:2&q=&after=x%2Fy");
        assert_eq!(q.all("f").collect::<Vec<_>>(), ["eq:a:1", "ge:b:2"]);
        assert_eq!(q.get("q"), None);
        assert_eq!(
            q.url("/t", &["after"], &[("sort", "é")]),
            "/t?f=eq%3Aa%3A1&f=ge%3Ab%3A2&sort=%C3%A9"
        );
        assert_eq!(url("/t", []), "/t");
        assert_eq!(segment("a/b?c"), "a%2Fb%3Fc");
    }

    #[test]
    fn a_way_back_stays_here() {
        assert_eq!(back("/map?view=world"), "/map?view=world");
        for bad in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"] {
            assert_eq!(back(bad), "/");
        }
    }
}
