//! Text from exhibits is hostile: it may hold markup, controls, and characters that turn the
//! direction of what stands beside them. It is escaped (maud does), isolated in `<bdi>`, and every
//! character that shows nothing or moves others is drawn as a mark that names it.

use maud::{Markup, PreEscaped, html};

/// More combining marks than this on one letter are drawn as marks of their own.
const MAX_COMBINING: usize = 3;

/// True for characters that show nothing, break lines, or act on their neighbours.
pub(crate) fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
            | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

fn combines(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// The short name of a character drawn as a mark.
fn name(c: char) -> String {
    let known = match c {
        '\0' => "NUL",
        '\t' => "TAB",
        '\n' => "LF",
        '\r' => "CR",
        '\u{1b}' => "ESC",
        '\u{7f}' => "DEL",
        '\u{ad}' => "SHY",
        '\u{200b}' => "ZWSP",
        '\u{200c}' => "ZWNJ",
        '\u{200d}' => "ZWJ",
        '\u{200e}' => "LRM",
        '\u{200f}' => "RLM",
        '\u{61c}' => "ALM",
        '\u{2028}' => "LSEP",
        '\u{2029}' => "PSEP",
        '\u{202a}' => "LRE",
        '\u{202b}' => "RLE",
        '\u{202c}' => "PDF",
        '\u{202d}' => "LRO",
        '\u{202e}' => "RLO",
        '\u{2066}' => "LRI",
        '\u{2067}' => "RLI",
        '\u{2068}' => "FSI",
        '\u{2069}' => "PDI",
        '\u{feff}' => "BOM",
        _ => return format!("{:04X}", u32::from(c)),
    };
    known.to_owned()
}

/// Seized text for a page: isolated, nothing in it acts.
pub(crate) fn text(value: &str) -> Markup {
    html! { bdi { (breaking(value)) } }
}

/// Seized text in the mono face: keys, addresses, hashes, URLs. Never a link.
pub(crate) fn mono(value: &str) -> Markup {
    html! { bdi.mono { (breaking(value)) } }
}

/// Seized text cut to `max` characters, the whole in the tooltip-free `title`-less form: what is
/// cut is said by an ellipsis, and the whole stands where the value's own page or row is.
pub(crate) fn short(value: &str, max: usize) -> Markup {
    match value.char_indices().nth(max) {
        None => text(value),
        Some((cut, _)) => html! { bdi { (breaking(&value[..cut])) "…" } },
    }
}

/// The text with marks, not isolated: for inside an element that isolates already.
pub(crate) fn marks(value: &str) -> Markup {
    let mut out = String::with_capacity(value.len() + 16);
    put(value, &mut out);
    PreEscaped(out)
}

/// The text with marks, and with places where a line may break in what has no blank for long: a
/// path, an address, a hash. Words stay whole, so a style sheet needs to break nothing itself.
fn breaking(value: &str) -> Markup {
    const WORD: usize = 24;
    const PART: usize = 8;
    let mut out = String::with_capacity(value.len() + 16);
    for word in value.split_inclusive(char::is_whitespace) {
        if word.chars().nth(WORD).is_none() {
            put(word, &mut out);
            continue;
        }
        let mut begin = 0;
        let mut length = 0;
        let mut chars = word.char_indices().peekable();
        while let Some((_, c)) = chars.next() {
            length += 1;
            let Some((next, after)) = chars.peek().copied() else { break };
            // Behind what parts a name; in what has no such place, anywhere but before a mark.
            let parts = length >= PART && !c.is_alphanumeric() && after.is_alphanumeric();
            if (parts || length >= WORD) && !combines(after) {
                put(&word[begin..next], &mut out);
                out.push_str("<wbr>");
                (begin, length) = (next, 0);
            }
        }
        put(&word[begin..], &mut out);
    }
    PreEscaped(out)
}

fn put(value: &str, out: &mut String) {
    let mut stack = 0usize;
    for c in value.chars() {
        stack = if combines(c) { stack + 1 } else { 0 };
        if acts(c) || stack > MAX_COMBINING {
            out.push_str("<span class=\"ctl\">");
            out.push_str(&name(c));
            out.push_str("</span>");
        } else {
            escape(c, out);
        }
    }
}

/// Seized text where no markup can stand (the page's `<title>`, an `aria-label`): what acts is
/// replaced by its name in angle brackets.
pub(crate) fn plain(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut stack = 0usize;
    for c in value.chars() {
        stack = if combines(c) { stack + 1 } else { 0 };
        if acts(c) || stack > MAX_COMBINING {
            out.push('⟨');
            out.push_str(&name(c));
            out.push('⟩');
        } else {
            out.push(c);
        }
    }
    out
}

/// Escapes one character for element text and double-quoted attributes.
fn escape(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_is_named() {
        assert_eq!(text("a\u{202e}b").into_string(), "<bdi>a<span class=\"ctl\">RLO</span>b</bdi>");
        assert_eq!(plain("x\n\u{200b}"), "x⟨LF⟩⟨ZWSP⟩");
        assert_eq!(marks("<b>\"&'").into_string(), "&lt;b&gt;&quot;&amp;&#39;");
        assert_eq!(short("abcdef", 3).into_string(), "<bdi>abc…</bdi>");
    }

    #[test]
    fn only_what_is_long_may_break() {
        let shown = |value: &str| breaking(value).into_string();
        assert_eq!(shown("an unnamed subscriber"), "an unnamed subscriber");
        assert_eq!(
            shown("servers/02-quill/old/quill-2026-02-15.sql"),
            "servers/<wbr>02-quill/<wbr>old/quill-<wbr>2026-02-<wbr>15.sql"
        );
        assert_eq!(shown(&"a".repeat(60)).matches("<wbr>").count(), 2);
        assert!(!shown(&format!("{}\u{301}", "a".repeat(24))).contains("<wbr>\u{301}"));
    }

    #[test]
    fn a_heap_of_marks_is_unstacked() {
        let zalgo = format!("a{}", "\u{301}".repeat(50));
        assert_eq!(plain(&zalgo).matches("⟨0301⟩").count(), 47);
    }

    proptest! {
        #[test]
        fn nothing_acts_and_nothing_breaks_out(value in any::<String>()) {
            let shown = text(&value).into_string();
            let inner = shown.strip_prefix("<bdi>").and_then(|s| s.strip_suffix("</bdi>")).unwrap();
            let bare = inner.replace("<span class=\"ctl\">", "").replace("</span>", "").replace("<wbr>", "");
            prop_assert!(!bare.contains('<') && !bare.contains('>') && !bare.contains('"'));
            prop_assert!(!shown.chars().any(acts));
            prop_assert!(!plain(&value).chars().any(acts));
        }
    }
}
