//! Public suffixes: which part of a host name anybody may register under.
//!
//! The list is Mozilla's Public Suffix List as the crate `psl` carries it, joined by the names RFC
//! 2606 and RFC 6761 keep for tests and documentation (`.example`, `.test`, `.invalid`,
//! `.localhost`), under each of which one label is registrable. Names are ASCII, lower case,
//! without a final dot, as [`crate::Key::domain`] makes them.

/// Top-level names that no registry gives out. The practice range lives under them.
pub const RESERVED: &[&str] = &["example", "test", "invalid", "localhost"];

/// The public suffix of a name: `co.uk` of `a.b.co.uk`, `example` of `stream.example`. `None` where
/// the last label is neither on the list nor reserved.
pub fn public_suffix(name: &str) -> Option<&str> {
    let last = name.rsplit('.').next()?;
    if RESERVED.contains(&last) {
        return Some(last);
    }
    let suffix = psl::suffix(name.as_bytes())?;
    if !suffix.is_known() {
        return None;
    }
    std::str::from_utf8(suffix.as_bytes()).ok()
}

/// The name one registers: the public suffix and the label before it. `None` where the name is
/// itself a public suffix, or has no known one.
pub fn registrable(name: &str) -> Option<&str> {
    let suffix = public_suffix(name)?;
    let before = name.len().checked_sub(suffix.len() + 1)?;
    let head = name.get(..before)?;
    let start = head.rfind('.').map_or(0, |dot| dot + 1);
    (start < before).then(|| &name[start..])
}

/// True for a name that ends in a known public suffix and has at least one label before it.
pub fn is_registrable(name: &str) -> bool {
    registrable(name).is_some()
}

/// True for a name that can be somebody's host: one label at least before a suffix that a registry
/// runs. Names like `ddns.net`, suffixes by their owner's own wish, count too.
pub fn names_host(name: &str) -> bool {
    let private = || {
        psl::suffix(name.as_bytes()).is_some_and(|suffix| suffix.typ() == Some(psl::Type::Private))
    };
    is_registrable(name) || private()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_and_registrable_names() {
        for (name, suffix, registered) in [
            ("stream.example", Some("example"), Some("stream.example")),
            ("a.b.stream.test", Some("test"), Some("stream.test")),
            ("www.bbc.co.uk", Some("co.uk"), Some("bbc.co.uk")),
            ("co.uk", Some("co.uk"), None),
            ("example", Some("example"), None),
            ("x.city.kawasaki.jp", Some("kawasaki.jp"), Some("city.kawasaki.jp")),
            ("a.b.ck", Some("b.ck"), Some("a.b.ck")),
            ("xn--85x722f.xn--55qx5d.cn", Some("xn--55qx5d.cn"), Some("xn--85x722f.xn--55qx5d.cn")),
            ("user.github.io", Some("github.io"), Some("user.github.io")),
            ("config.php", None, None),
            ("", None, None),
            (".", None, None),
            (".com", Some("com"), None),
        ] {
            assert_eq!(public_suffix(name), suffix, "{name}");
            assert_eq!(registrable(name), registered, "{name}");
        }
        assert!(names_host("ddns.net") && names_host("x.ddns.net") && names_host("a.test"));
        assert!(!names_host("co.uk") && !names_host("test") && !names_host("a.php"));
    }
}
