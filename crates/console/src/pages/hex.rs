//! Bytes as people read them: a hex dump with its text beside, and the text decoded, each with the
//! span marked and secrets shown as masked.

use desk::read::MaskedBytes;
use maud::{Markup, PreEscaped, html};

use crate::fmt;
use crate::html::hostile;
use crate::i18n::Lang;

/// Bytes in a row.
pub(crate) const ROW: u64 = 16;

/// A hex dump. Rows begin at multiples of [`ROW`]; `mark` is the span to show.
pub(crate) fn dump(lang: Lang, bytes: &MaskedBytes, mark: (u64, u64)) -> Markup {
    let label = lang.f(
        "hex.label",
        &[
            ("start", &fmt::number(bytes.start)),
            ("end", &fmt::number(bytes.start + bytes.bytes.len() as u64)),
        ],
    );
    let mut first = true;
    html! {
        div.scroll.hex role="group" aria-label=(label) tabindex="0" {
            table {
                thead.sr { tr { th scope="col" { (lang.t("hex.offset")) } th scope="col" { (lang.t("hex.bytes")) } th scope="col" { (lang.t("hex.text")) } } }
                tbody {
                    @for (i, row) in bytes.bytes.chunks(ROW as usize).enumerate() {
                        @let start = bytes.start + i as u64 * ROW;
                        @let hit = mark.0 < start + ROW && mark.1 > start;
                        tr id=[(hit && std::mem::take(&mut first)).then_some("span")] {
                            th scope="row" { (fmt::number(start)) }
                            td.h { (hex_cells(bytes, start, row, mark)) }
                            td.c { (char_cells(bytes, start, row, mark)) }
                        }
                    }
                }
            }
        }
    }
}

/// What a byte is: in the span, masked, or neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Plain,
    Marked,
    Masked,
}

fn state(bytes: &MaskedBytes, at: u64, mark: (u64, u64)) -> State {
    if bytes.masked.iter().any(|m| m.start <= at && at < m.end) {
        State::Masked
    } else if mark.0 <= at && at < mark.1 {
        State::Marked
    } else {
        State::Plain
    }
}

/// The white space before a column of the bytes; the middle of a row stands out.
fn gap(column: u64) -> &'static str {
    match column {
        0 => "",
        c if c == ROW / 2 => "  ",
        _ => " ",
    }
}

/// Runs of bytes of one state, each in its element; `gap` stands before a run and belongs to none.
fn runs(
    bytes: &MaskedBytes,
    start: u64,
    row: &[u8],
    mark: (u64, u64),
    gap: impl Fn(u64) -> &'static str,
    each: impl Fn(&[u8], u64, State) -> String,
) -> Markup {
    let mut out = String::new();
    let mut from = 0;
    while from < row.len() {
        let now = state(bytes, start + from as u64, mark);
        let mut to = from + 1;
        while to < row.len() && state(bytes, start + to as u64, mark) == now {
            to += 1;
        }
        out.push_str(gap(from as u64));
        let inner = each(&row[from..to], from as u64, now);
        match now {
            State::Plain => out.push_str(&inner),
            State::Marked => out.push_str(&format!("<mark>{inner}</mark>")),
            State::Masked => out.push_str(&format!("<span class=\"masked\">{inner}</span>")),
        }
        from = to;
    }
    PreEscaped(out)
}

fn hex_cells(bytes: &MaskedBytes, start: u64, row: &[u8], mark: (u64, u64)) -> Markup {
    runs(bytes, start, row, mark, gap, |run, from, state| {
        let mut out = String::with_capacity(run.len() * 3);
        for (column, byte) in (from..).zip(run) {
            if column > from {
                out.push_str(gap(column));
            }
            if state == State::Masked {
                out.push_str("••");
            } else {
                out.push_str(&format!("{byte:02x}"));
            }
        }
        out
    })
}

fn char_cells(bytes: &MaskedBytes, start: u64, row: &[u8], mark: (u64, u64)) -> Markup {
    runs(
        bytes,
        start,
        row,
        mark,
        |_| "",
        |run, _, state| {
            let mut out = String::with_capacity(run.len());
            for byte in run {
                match byte {
                    _ if state == State::Masked => out.push('•'),
                    b'&' => out.push_str("&amp;"),
                    b'<' => out.push_str("&lt;"),
                    b'>' => out.push_str("&gt;"),
                    b'"' => out.push_str("&quot;"),
                    0x20..=0x7e => out.push(char::from(*byte)),
                    _ => out.push('·'),
                }
            }
            out
        },
    )
}

/// The bytes as text (UTF-8; what is not is shown as marks), the span marked. Lines stay lines.
pub(crate) fn as_text(lang: Lang, bytes: &MaskedBytes, mark: (u64, u64)) -> Markup {
    let end = bytes.start + bytes.bytes.len() as u64;
    let cut = |at: u64| usize::try_from(at.clamp(bytes.start, end) - bytes.start).unwrap_or(0);
    let (from, to) = (cut(mark.0), cut(mark.1));
    let part = |range: std::ops::Range<usize>| decode(bytes, range);
    html! {
        pre.text.scroll role="group" tabindex="0" aria-label=(lang.t("hex.as_text")) {
            bdi {
                (part(0..from))
                @if to > from { mark { (part(from..to)) } }
                (part(to..bytes.bytes.len()))
            }
        }
    }
}

fn decode(bytes: &MaskedBytes, range: std::ops::Range<usize>) -> Markup {
    let mut out = String::new();
    let mut at = range.start;
    while at < range.end {
        let place = bytes.start + at as u64;
        if let Some(mask) = bytes.masked.iter().find(|m| m.start <= place && place < m.end) {
            let stop = usize::try_from(mask.end - bytes.start).unwrap_or(range.end).min(range.end);
            out.push_str("<span class=\"masked\">•••</span>");
            at = stop;
            continue;
        }
        let next = bytes.masked.iter().filter(|m| m.start > place).map(|m| m.start).min();
        let stop = next.map_or(range.end, |n| {
            usize::try_from(n - bytes.start).unwrap_or(range.end).min(range.end)
        });
        for chunk in bytes.bytes[at..stop].utf8_chunks() {
            for (i, line) in chunk.valid().split('\n').enumerate() {
                if i > 0 {
                    out.push('\n');
                }
                out.push_str(&hostile::marks(line).into_string());
            }
            for byte in chunk.invalid() {
                out.push_str(&format!("<span class=\"ctl\">{byte:02X}</span>"));
            }
        }
        at = stop;
    }
    PreEscaped(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use desk::read::MaskedSpan;

    fn sample() -> MaskedBytes {
        MaskedBytes {
            start: 32,
            bytes: b"user='a<b' pass='***'\xff\x1b end of it".to_vec(),
            masked: vec![MaskedSpan { start: 49, end: 52 }],
            size: 1000,
        }
    }

    #[test]
    fn the_span_is_marked_and_secrets_are_not_shown() {
        let shown = dump(Lang::En, &sample(), (38, 41)).into_string();
        assert!(shown.contains("<mark>61 3c  62</mark>"), "{shown}");
        assert!(shown.contains("<mark>a&lt;b</mark>"), "{shown}");
        assert!(shown.contains("•• •• ••"), "{shown}");
        assert!(!shown.contains("2a 2a 2a"), "{shown}");
        let text = as_text(Lang::En, &sample(), (38, 41)).into_string();
        assert!(text.contains("<mark>a&lt;b</mark>"), "{text}");
        assert!(text.contains("<span class=\"masked\">•••</span>"), "{text}");
        assert!(
            text.contains("<span class=\"ctl\">FF</span><span class=\"ctl\">ESC</span>"),
            "{text}"
        );
        assert!(!text.contains("***"), "{text}");
    }

    #[test]
    fn rows_line_up_whatever_is_marked() {
        let bytes = MaskedBytes {
            start: 0,
            bytes: (0u8..64).collect(),
            masked: vec![MaskedSpan { start: 7, end: 9 }],
            size: 64,
        };
        for mark in [(0, 0), (0, 64), (3, 9), (15, 17), (8, 9)] {
            for row in 0..4u64 {
                let cells =
                    hex_cells(&bytes, row * ROW, &bytes.bytes[(row * ROW) as usize..][..16], mark)
                        .into_string();
                let bare: String = strip(&cells);
                assert_eq!(bare.chars().count(), 16 * 3, "{bare:?}");
            }
        }
    }

    fn strip(html: &str) -> String {
        let mut out = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => out.push(c),
                _ => {}
            }
        }
        out
    }
}
