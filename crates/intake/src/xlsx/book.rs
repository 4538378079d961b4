//! What stands beside the sheets: their names and order, number formats that mean dates, and the
//! strings they share.

use std::collections::BTreeMap;
use std::io::Read;

use crate::chunks::Chunks;
use crate::xml::{Kind, Xml};

/// The most shared strings' text, in bytes.
const MAX_STRINGS: usize = 256 << 20;
/// The most shared strings.
const MAX_STRING_COUNT: usize = 8 << 20;
/// The most sheets and formats.
const MAX_LISTED: usize = 65_536;

/// A sheet as the workbook lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) relation: String,
}

/// `xl/workbook.xml`: the sheets, and whether dates count from 1904.
pub(super) fn workbook(content: &mut dyn Read) -> (Vec<Sheet>, bool) {
    let (mut sheets, mut from_1904) = (Vec::new(), false);
    let mut chunks = Chunks::new(content);
    let mut xml = Xml::new(&mut chunks);
    while let Some(token) = xml.next() {
        let Ok(token) = token else { continue };
        if !matches!(token.kind, Kind::Start | Kind::Empty) {
            continue;
        }
        match token.name() {
            b"sheet" if sheets.len() < MAX_LISTED => {
                let name = token.attribute("name").unwrap_or_default();
                // `r:id` and `sheetId` differ by the prefix only in what stands before the colon.
                if let Some(relation) = token.attribute("id") {
                    sheets.push(Sheet { name, relation });
                }
            }
            b"workbookPr" => {
                from_1904 = token.attribute("date1904").is_some_and(|v| v == "1" || v == "true");
            }
            _ => {}
        }
    }
    (sheets, from_1904)
}

/// `xl/_rels/workbook.xml.rels`: relation → member.
pub(super) fn relations(content: &mut dyn Read) -> BTreeMap<String, String> {
    let mut relations = BTreeMap::new();
    let mut chunks = Chunks::new(content);
    let mut xml = Xml::new(&mut chunks);
    while let Some(token) = xml.next() {
        let Ok(token) = token else { continue };
        if matches!(token.kind, Kind::Start | Kind::Empty)
            && token.name() == b"Relationship"
            && relations.len() < MAX_LISTED
            && let (Some(id), Some(target)) = (token.attribute("Id"), token.attribute("Target"))
        {
            let target = match target.strip_prefix('/') {
                Some(absolute) => absolute.to_owned(),
                None => format!("xl/{}", target.trim_start_matches("./")),
            };
            relations.insert(id, target);
        }
    }
    relations
}

/// `xl/styles.xml`: for each cell style whether it shows a date or time.
pub(super) fn date_styles(content: &mut dyn Read) -> Vec<bool> {
    let mut custom: BTreeMap<u32, bool> = BTreeMap::new();
    let mut styles = Vec::new();
    let mut in_cells = false;
    let mut chunks = Chunks::new(content);
    let mut xml = Xml::new(&mut chunks);
    while let Some(token) = xml.next() {
        let Ok(token) = token else { continue };
        let begins = matches!(token.kind, Kind::Start | Kind::Empty);
        match token.name() {
            b"cellXfs" => in_cells = token.kind == Kind::Start,
            b"numFmt" if begins && custom.len() < MAX_LISTED => {
                let id = token.attribute("numFmtId").and_then(|id| id.parse().ok());
                if let (Some(id), Some(code)) = (id, token.attribute("formatCode")) {
                    custom.insert(id, is_date(&code));
                }
            }
            b"xf" if begins && in_cells && styles.len() < MAX_LISTED => {
                let id = token.attribute("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                let built_in = matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58);
                styles.push(custom.get(&id).copied().unwrap_or(built_in));
            }
            _ => {}
        }
    }
    styles
}

/// Whether a number format has days, months, years or hours outside quotes, brackets and escapes.
fn is_date(code: &str) -> bool {
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    for c in code.chars() {
        if escaped {
            escaped = false;
            continue;
        }
        match c {
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracket = true,
            ']' if !quoted => bracket = false,
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' if !quoted && !bracket => return true,
            ';' if !quoted => return false,
            _ => {}
        }
    }
    false
}

/// The strings that cells share.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
    /// Not all of them could be read.
    pub(super) cut: bool,
}

impl Strings {
    /// `xl/sharedStrings.xml`. Runs of rich text are one string; readings of characters are left
    /// out.
    pub(super) fn read(content: &mut dyn Read) -> Self {
        let mut strings = Self::default();
        let mut chunks = Chunks::new(content);
        let mut xml = Xml::new(&mut chunks);
        let (mut in_item, mut in_text, mut in_reading) = (false, false, false);
        while let Some(token) = xml.next() {
            let Ok(token) = token else {
                strings.cut = true;
                continue;
            };
            match (token.kind, token.name()) {
                (Kind::Start, b"si") => in_item = true,
                (Kind::End, b"si") | (Kind::Empty, b"si") => {
                    in_item = false;
                    if strings.ends.len() >= MAX_STRING_COUNT || strings.text.len() > MAX_STRINGS {
                        strings.cut = true;
                        break;
                    }
                    strings.ends.push(strings.text.len());
                }
                (Kind::Start, b"t") => in_text = true,
                (Kind::End, b"t") => in_text = false,
                (Kind::Start, b"rPh") => in_reading = true,
                (Kind::End, b"rPh") => in_reading = false,
                (Kind::Text | Kind::CData, _) if in_item && in_text && !in_reading => {
                    let text = token.text();
                    strings.text.push_str(&text);
                }
                _ => {}
            }
        }
        strings.cut |= in_item;
        // What belongs to a string that is not whole is no string.
        strings.text.truncate(strings.ends.last().copied().unwrap_or(0));
        strings
    }

    pub(super) fn get(&self, i: usize) -> Option<&str> {
        let end = *self.ends.get(i)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_that_show_dates() {
        for code in ["yyyy-mm-dd", "dd/mm/yy hh:mm", "[$-409]d-mmm-yy", "h:mm AM/PM", "mm:ss"] {
            assert!(is_date(code), "{code}");
        }
        for code in ["0.00", "#,##0.00 \"day\"", "[Red]-0.00", "General", "0\\d", "@"] {
            assert!(!is_date(code), "{code}");
        }
    }

    #[test]
    fn strings_of_runs_and_a_cut() {
        let xml = b"<sst><si><t>a &amp; b</t></si><si><r><t>x</t></r><r><t xml:space=\"preserve\"> y</t></r><rPh><t>z</t></rPh></si><si/><si><t>cu";
        let strings = Strings::read(&mut &xml[..]);
        assert_eq!(
            (strings.get(0), strings.get(1), strings.get(2), strings.get(3)),
            (Some("a & b"), Some("xy"), Some(""), None)
        );
        assert!(strings.cut);
    }
}
