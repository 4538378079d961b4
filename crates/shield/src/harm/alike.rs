//! Names that look like others: by Unicode's table of confusable characters (UTS 39).

use unicode_security::{
    MixedScript as _, RestrictionLevel, RestrictionLevelDetection as _, skeleton,
};

/// How a reason cites this.
pub(super) const SOURCE: &str = "Unicode, UTS 39 and UTS 46";

/// The ASCII name that a reader would take this one for: each character that is not ASCII replaced by
/// the ASCII one it looks like. `None` where one looks like none, or where nothing was replaced.
pub(super) fn ascii_twin(unicode: &str) -> Option<String> {
    let mut twin = String::with_capacity(unicode.len());
    let mut replaced = false;
    for c in unicode.chars() {
        if c.is_ascii() {
            twin.push(c);
            continue;
        }
        replaced = true;
        let mut buffer = [0; 4];
        let mut likes = String::new();
        for like in skeleton(c.encode_utf8(&mut buffer)) {
            // An accent alone is what makes the letter another; a reader who hurries does not see it.
            match like {
                '\u{300}'..='\u{36f}' => {}
                like if like.is_ascii_alphanumeric() || like == '-' => {
                    likes.push(like.to_ascii_lowercase());
                }
                _ => return None,
            }
        }
        // The table holds `m` for two letters that look like it.
        twin.push_str(if likes == "rn" { "m" } else { &likes });
    }
    (replaced && twin != unicode).then_some(twin)
}

/// The first label whose letters are of more scripts than people write together: Latin with Japanese,
/// Korean or Chinese is usual (UTS 39, 5.2, "highly restrictive"), Latin with Cyrillic is not.
pub(super) fn mixed(unicode: &str) -> Option<&str> {
    let usual = |label: &str| {
        label.is_single_script()
            || label.check_restriction_level(RestrictionLevel::HighlyRestrictive)
    };
    unicode.split('.').find(|label| !usual(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins() {
        for (name, twin) in [
            ("аррӏе.com", Some("apple.com")),
            ("gооgle.com", Some("google.com")),
            ("bücher.example", Some("bucher.example")),
            ("aṁazon.com", Some("amazon.com")),
            ("ɱicrosoft.com", Some("microsoft.com")),
            ("例え.テスト", None),
            ("stream.example", None),
        ] {
            assert_eq!(ascii_twin(name).as_deref(), twin, "{name}");
        }
        assert_eq!(mixed("gооgle.com"), Some("gооgle"));
        assert_eq!(mixed("аррӏе.com"), None);
        assert_eq!(mixed("aṁazon.com"), None);
        assert_eq!(mixed("日本tv.jp"), None);
        assert_eq!(mixed("ガンバtv.jp"), None);
    }
}
