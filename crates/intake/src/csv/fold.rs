//! Names of columns and words of cells, made comparable.

/// Lower case, without accents, one space between words, `'` for `’`: so that `État`, `ETAT` and
/// a windows-1252 `État` are one name.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'à' | 'á' | 'â' | 'ä' | 'ã' => "a",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ò' | 'ó' | 'ô' | 'ö' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ç' => "c",
            'ñ' => "n",
            'ß' => "ss",
            '\u{2019}' | '\u{2018}' | '`' | '´' => "'",
            '\u{300}'..='\u{36f}' | '\u{feff}' | '\u{200e}' | '\u{200f}' => "",
            _ if c.is_whitespace() => {
                if out.ends_with(' ') {
                    ""
                } else {
                    " "
                }
            }
            _ => {
                out.push(c);
                ""
            }
        };
        out.push_str(plain);
    }
    out
}
