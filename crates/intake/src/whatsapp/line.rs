//! The head of a message's line: moment, sender. Android writes `02/11/2024, 09:15 - Zoé: text`,
//! iOS `[02/11/2024, 09:15:00] Zoé: text`; the order of the date, the comma, the words between date
//! and time, the clock of twelve or twenty-four hours and invisible marks differ by language.

use model::Stamp;

use crate::amounts::{DateOrder, civil, parse_clock, parse_date};

/// The longest line head that is looked at, in bytes.
const MAX_HEAD: usize = 80;

/// The parts of a line that begins a message; places are bytes in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    /// The date as written, up to the time.
    pub(crate) date: &'a str,
    /// The time as written.
    pub(crate) clock: &'a str,
    /// Where what follows the head begins: the sender, or a service line.
    pub(crate) behind: usize,
}

/// Marks that order text from left to right, and other characters nobody sees.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The head of a line, if it begins a message. The date is looked at by its form only.
pub(crate) fn head(line: &str) -> Option<Head<'_>> {
    let body = line.trim_start_matches(invisible);
    let skipped = line.len() - body.len();
    let mut cut = body.len().min(MAX_HEAD);
    while !body.is_char_boundary(cut) {
        cut -= 1;
    }
    let front = &body[..cut];
    let (stamp, behind) = if let Some(inside) = front.strip_prefix('[') {
        let end = inside.find(']')?;
        let rest = &inside[end + 1..];
        let blank = rest.len() - rest.trim_start_matches(' ').len();
        (&inside[..end], skipped + 1 + end + 1 + blank)
    } else {
        if !front.as_bytes().first()?.is_ascii_digit() {
            return None;
        }
        // Android: a hyphen, or an en dash in some versions.
        let (at, width) = [" - ", " \u{2013} "]
            .iter()
            .filter_map(|mark| front.find(mark).map(|at| (at, mark.len())))
            .min()?;
        (&front[..at], skipped + at + width)
    };
    let (date, clock) = halves(stamp)?;
    parse_clock(clock)?;
    Some(Head { date, clock, behind })
}

/// `02/11/2024, 09:15`, `02/11/2024 à 09:15`, `2/11/24 9:15 p. m.`: date and time.
fn halves(stamp: &str) -> Option<(&str, &str)> {
    let stamp = stamp.trim_matches(|c: char| c.is_whitespace() || invisible(c));
    let end = stamp.find(|c: char| !(c.is_ascii_digit() || matches!(c, '/' | '.' | '-')))?;
    let date = stamp[..end].trim_end_matches('.');
    let rest = &stamp[end..];
    let digit = rest.find(|c: char| c.is_ascii_digit())?;
    let between =
        rest[..digit].trim_matches(|c: char| c.is_whitespace() || invisible(c) || c == ',');
    let word = matches!(between, "" | "à" | "a" | "at" | "um" | "alle" | "a las" | "klo");
    let parts = date.split(['/', '.', '-']).count();
    (word && parts == 3).then(|| (date, rest[digit..].trim_end_matches(invisible)))
}

impl Head<'_> {
    /// The moment, on the exporter's own clock. `None` where the calendar has no such day.
    pub(crate) fn time(&self, order: DateOrder) -> Option<Stamp> {
        civil(parse_date(self.date, order)?, parse_clock(self.clock), None)
    }
}

/// The sender's part of what follows a head: its end, and where the text begins. `None` for a
/// service line.
pub(crate) fn sender(rest: &str) -> Option<(usize, usize)> {
    let at = rest.find(": ").or_else(|| rest.strip_suffix(':').map(str::len))?;
    // A name is no sentence.
    (at > 0 && at <= 200 && !rest[..at].contains('\n')).then(|| (at, (at + 2).min(rest.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_each_language() {
        for (line, time, rest) in [
            ("02/11/2024, 09:15 - Zoé: hi", "2024-11-02T09:15", "Zoé: hi"),
            ("02/11/2024 à 09:15 - Zoé: hi", "2024-11-02T09:15", "Zoé: hi"),
            ("02.11.24, 09:15 - Zoé: hi", "2024-11-02T09:15", "Zoé: hi"),
            ("2/11/24, 9:15 p. m. - Zoé: hi", "2024-11-02T21:15", "Zoé: hi"),
            ("2/11/24 9:15\u{202f}p.\u{a0}m. - Zoé: hi", "2024-11-02T21:15", "Zoé: hi"),
            ("[02/11/24, 09:15:33] Zoé: hi", "2024-11-02T09:15:33", "Zoé: hi"),
            ("\u{200e}[02.11.24, 09:15:33] Zoé: hi", "2024-11-02T09:15:33", "Zoé: hi"),
            ("[02/11/2024 09:15:33] Zoé: hi", "2024-11-02T09:15:33", "Zoé: hi"),
            ("[2024-11-02, 9:15:33\u{202f}AM] Zoé: hi", "2024-11-02T09:15:33", "Zoé: hi"),
        ] {
            let head = head(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(head.time(DateOrder::Dmy).unwrap().to_string(), time);
            assert_eq!(&line[head.behind..], rest);
        }
        let american = head("11/26/24, 9:15\u{202f}PM - Zoé: hi").unwrap();
        assert_eq!(american.time(DateOrder::Mdy).unwrap().to_string(), "2024-11-26T21:15");
        for line in [
            "",
            "hello",
            "12 - 13: a",
            "[x] a: b",
            "1/2 - x: y",
            "http://a.example - b",
            "02/11/2024 maybe 09:15 - x",
        ] {
            assert_eq!(head(line), None, "{line}");
        }
        assert_eq!(sender("Zoé: hi: you"), Some((4, 6)));
        assert_eq!(sender("no sender here"), None);
    }
}
