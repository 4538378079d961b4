//! Cells of CSV files that people open in a spreadsheet.

/// Text for a CSV cell: what a spreadsheet would take for a formula gets an apostrophe before it.
///
/// A program that splits at another separator than ours sees cells begin behind it, so the same
/// holds for what stands behind any separator or line break.
pub fn neutral(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut begins = true;
    for c in text.chars() {
        if begins && matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\u{2212}')
        {
            out.push('\'');
        }
        out.push(c);
        begins = match c {
            ',' | ';' | '\t' | '|' | '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}'
            | '\u{2029}' => true,
            // What spreadsheets trim or take for a quote leaves a cell's beginning where it is.
            '"' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => begins,
            c => begins && (c.is_whitespace() || c.is_control()),
        };
    }
    out
}

/// What a CSV could not be written for, as the reader or the disk said it: an error of the `csv`
/// crate hides it.
pub(super) fn written(error: csv::Error) -> crate::Error {
    crate::Error::Output(match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        assert_eq!(neutral("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(neutral("+33612345678"), "'+33612345678");
        assert_eq!(neutral(" \u{feff}@SUM(1)"), " \u{feff}'@SUM(1)");
        assert_eq!(neutral("a;=1+1"), "a;'=1+1");
        assert_eq!(neutral("a\n-2"), "a\n'-2");
        assert_eq!(neutral("plain - text = here"), "plain - text = here");
    }
}
