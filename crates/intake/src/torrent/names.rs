//! Names inside torrents: text that may try to be a path.
//!
//! What is shown is made harmless: separators, control characters and characters that turn or hide
//! text become `_`; `.` and `..`, and what is left empty, become `_`. The bytes stay at their span.

/// A name made harmless, and whether it had to be.
pub fn harmless(raw: &[u8]) -> (String, bool) {
    let text = String::from_utf8_lossy(raw);
    let mut out: String = text.chars().map(|c| if is_hostile(c) { '_' } else { c }).collect();
    if matches!(out.as_str(), "" | "." | "..") {
        out = "_".to_owned();
    }
    let changed = out.as_bytes() != raw;
    (out, changed)
}

/// True where nothing of a name is left once separators, NULs and directions are taken out: nothing,
/// or dots that climb.
pub fn says_nothing(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    let left: String =
        text.chars().filter(|c| !matches!(c, '/' | '\\' | '\0') && !is_direction(*c)).collect();
    matches!(left.as_str(), "" | "." | "..")
}

fn is_hostile(c: char) -> bool {
    matches!(c, '/' | '\\') || c.is_control() || is_direction(c)
}

/// Characters that turn text around or hide in it.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// What a path tries, in words, if anything.
pub fn mischief(parts: &[&[u8]]) -> Option<&'static str> {
    let any = |f: &dyn Fn(&[u8]) -> bool| parts.iter().any(|p| f(p));
    if any(&|p| p == b"..") || any(&|p| p.split(|b| matches!(b, b'/' | b'\\')).any(|e| e == b".."))
    {
        Some("climbs out of its folder")
    } else if any(&|p| p.first().is_some_and(|b| matches!(b, b'/' | b'\\')))
        || any(&|p| p.len() > 1 && p[1] == b':' && p[0].is_ascii_alphabetic())
    {
        Some("is absolute")
    } else if any(&|p| p.iter().any(|b| matches!(b, b'/' | b'\\'))) {
        Some("holds a separator")
    } else if any(&|p| p.is_empty() || p == b".") {
        Some("holds an empty part")
    } else if any(&|p| String::from_utf8_lossy(p).chars().any(is_direction)) {
        Some("holds characters that turn or hide text")
    } else if any(&|p| std::str::from_utf8(p).is_err()) {
        Some("is not UTF-8")
    } else if any(&|p| p.iter().any(u8::is_ascii_control)) {
        Some("holds control characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_climbs() {
        for (raw, shown) in [
            (&b"a.mkv"[..], "a.mkv"),
            (b"..", "_"),
            (b"", "_"),
            (b"../../etc/passwd", ".._.._etc_passwd"),
            (b"C:\\x", "C:_x"),
            (b"a\0b\n", "a_b_"),
            ("a\u{202e}gnp.exe".as_bytes(), "a_gnp.exe"),
            (b"\xff", "\u{fffd}"),
        ] {
            assert_eq!(harmless(raw).0, shown);
        }
        assert!(
            says_nothing(b"\0\0")
                && says_nothing(b"/")
                && says_nothing(b"..")
                && says_nothing(b"./.")
                && !says_nothing(b"...")
        );
        assert_eq!(mischief(&[b"a", b".."]), Some("climbs out of its folder"));
        assert_eq!(mischief(&[b"/a"]), Some("is absolute"));
        assert_eq!(mischief(&[b"a", b"b.mkv"]), None);
    }
}
