//! Amounts, dates and times as people's machines write them in English, French, Italian, German and
//! Spanish.
//!
//! Sign and separators are told from a whole column where one value does not tell: `1.234` alone is
//! a thousand or a fraction.

use std::borrow::Cow;

mod dates;
mod zones;

pub use dates::{Clock, DateOrder, OrderVotes, civil, guess_order, parse_clock, parse_date};
pub use zones::zone_offset;

/// What stands before the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalSign {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing but white space.
    #[error("empty")]
    Empty,
    /// Not a number in any form known here.
    #[error("not an amount")]
    NotANumber,
    /// More decimals than the currency has, and not zeros.
    #[error("finer than the currency's smallest unit")]
    TooFine,
    /// Beyond 64 bits of minor units.
    #[error("beyond 64 bits of minor units")]
    TooLarge,
}

/// Digits and separators of an amount, without sign and currency.
#[derive(Debug)]
struct Parts<'a> {
    negative: bool,
    digits: Cow<'a, str>,
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}')
}

fn is_minus(c: char) -> bool {
    matches!(c, '-' | '\u{2212}' | '\u{2012}' | '\u{2013}' | '\u{2014}' | '\u{fe63}' | '\u{ff0d}')
}

/// An amount of digits, points and commas behind at most a minus: nearly all of them.
fn plain(text: &str) -> Option<Parts<'_>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let fits = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        && digits.bytes().any(|b| b.is_ascii_digit())
        && digits.len() <= 60;
    fits.then_some(Parts { negative, digits: Cow::Borrowed(digits) })
}

/// Takes sign, brackets, and a currency's sign or code off.
fn parts(text: &str) -> Result<Parts<'_>, AmountError> {
    if let Some(plain) = plain(text) {
        return Ok(plain);
    }
    let mut digits = String::new();
    let (mut negative, mut minus, mut letters, mut brackets) = (false, 0, 0, 0);
    // `tail`: a sign or letter stood behind the number, so no digit may follow.
    let (mut seen_digit, mut tail, mut broken) = (false, false, false);
    for c in text.chars() {
        match c {
            '0'..='9' => {
                broken |= tail || brackets == 2;
                seen_digit = true;
                digits.push(c);
            }
            '.' | ',' => digits.push(c),
            '\'' | '\u{2019}' => digits.push('\''),
            _ if is_space(c) => {
                if seen_digit {
                    digits.push(' ');
                }
            }
            _ if is_minus(c) => {
                minus += 1;
                negative = true;
                tail |= seen_digit;
            }
            '+' => broken |= seen_digit,
            '(' => {
                broken |= seen_digit || brackets > 0;
                brackets = 1;
            }
            ')' => {
                broken |= brackets != 1 || !seen_digit;
                brackets = 2;
            }
            '€' | '$' | '£' | '¥' | '₿' | '₽' | '₺' | '₴' | '₪' | '₹' => {
                tail |= seen_digit
            }
            _ if c.is_ascii_alphabetic() && letters < 5 => {
                letters += 1;
                tail |= seen_digit;
            }
            _ => broken = true,
        }
    }
    let digits = digits.trim().to_owned();
    if text.trim().is_empty() {
        return Err(AmountError::Empty);
    }
    if broken || !seen_digit || minus > 1 || brackets == 1 || digits.len() > 60 {
        return Err(AmountError::NotANumber);
    }
    Ok(Parts { negative: negative || brackets == 2, digits: Cow::Owned(digits) })
}

/// `12.34`, `-1234,56`: digits, one sign, two decimals. The amount in hundredths, and the sign.
fn simple(text: &str) -> Option<(i64, DecimalSign)> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let [whole @ .., mark @ (b'.' | b','), tens, ones] = digits else { return None };
    if whole.is_empty() || whole.len() > 15 {
        return None;
    }
    let mut value = 0;
    for b in whole.iter().chain([tens, ones]) {
        if !b.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(b - b'0');
    }
    let sign = if *mark == b'.' { DecimalSign::Point } else { DecimalSign::Comma };
    Some((if negative { -value } else { value }, sign))
}

/// The decimal sign of one amount, where it can be told from it alone.
fn sign_of(digits: &str) -> Option<DecimalSign> {
    let (dot, comma) = (digits.rfind('.'), digits.rfind(','));
    let (last, other, sign) = match (dot, comma) {
        (None, None) => return None,
        (Some(d), c) if c.is_none_or(|c| c < d) => (d, c, DecimalSign::Point),
        (d, Some(c)) => (c, d, DecimalSign::Comma),
        _ => return None,
    };
    let opposite = match sign {
        DecimalSign::Point => DecimalSign::Comma,
        DecimalSign::Comma => DecimalSign::Point,
    };
    let behind = digits.len() - last - 1;
    let mark = &digits[last..=last];
    if digits.matches(mark).count() > 1 {
        return Some(opposite);
    }
    if other.is_some() || behind != 3 || digits.contains([' ', '\'']) {
        return Some(sign);
    }
    // `0,123` can only be a fraction; `1,234` may be either.
    (digits[..last].trim_start_matches('0').is_empty()).then_some(sign)
}

/// What a column's amounts say of their decimal sign.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignVotes {
    point: usize,
    comma: usize,
}

impl SignVotes {
    /// Takes an amount's vote, if it has one.
    pub fn add(&mut self, amount: &str) {
        let told = simple(amount).map(|(_, sign)| sign);
        match told.or_else(|| parts(amount).ok().and_then(|p| sign_of(&p.digits))) {
            Some(DecimalSign::Point) => self.point += 1,
            Some(DecimalSign::Comma) => self.comma += 1,
            None => {}
        }
    }

    /// The decimal sign that the amounts agree on; `None` where none of them tells.
    pub fn verdict(self) -> Option<DecimalSign> {
        match (self.point, self.comma) {
            (0, 0) => None,
            (point, comma) if point >= comma => Some(DecimalSign::Point),
            _ => Some(DecimalSign::Comma),
        }
    }
}

/// The decimal sign that a column's amounts agree on; `None` where none of them tells.
pub fn guess_sign<'a>(amounts: impl Iterator<Item = &'a str>) -> Option<DecimalSign> {
    let mut votes = SignVotes::default();
    amounts.for_each(|text| votes.add(text));
    votes.verdict()
}

/// An amount in signed minor units (`minor_digits` decimals). Reads `-1.234,56`, `1,234.56-`,
/// `(12.50)`, `− 1 234,5 €`, `EUR 12`, `1'234.50`. `column` is the sign the amount's column uses,
/// for amounts that do not tell by themselves; without it `1.234` and `1,234` are thousands.
pub fn parse_amount(
    text: &str,
    column: Option<DecimalSign>,
    minor_digits: u32,
) -> Result<i64, AmountError> {
    if minor_digits == 2
        && let Some((minor, _)) = simple(text)
    {
        return Ok(minor);
    }
    let Parts { negative, digits } = parts(text)?;
    let sign = sign_of(&digits).or(column);
    let mark = match sign {
        Some(DecimalSign::Point) => '.',
        Some(DecimalSign::Comma) => ',',
        None => '\0',
    };
    let (whole, fraction) = digits.rsplit_once(mark).unwrap_or((&*digits, ""));
    if !groups_of_three(whole) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    let mut minor: i128 = 0;
    let width = minor_digits as usize;
    let kept = fraction.get(..width).unwrap_or(fraction);
    if fraction[kept.len()..].bytes().any(|b| b != b'0') {
        return Err(AmountError::TooFine);
    }
    let padding = std::iter::repeat_n(b'0', width - kept.len());
    for b in whole.bytes().filter(u8::is_ascii_digit).chain(kept.bytes()).chain(padding) {
        minor = minor * 10 + i128::from(b - b'0');
        if minor > i128::from(i64::MAX) {
            return Err(AmountError::TooLarge);
        }
    }
    i64::try_from(if negative { -minor } else { minor }).map_err(|_| AmountError::TooLarge)
}

/// True for `1234`, `1.234`, `12'345'678`, `1 234`: one separator, three digits behind each (two or
/// three before the last, for Indian grouping).
fn groups_of_three(whole: &str) -> bool {
    let mut groups = whole.split(['.', ',', ' ', '\'']);
    let Some(first) = groups.next() else { return false };
    if first.len() == whole.len() {
        return first.bytes().all(|b| b.is_ascii_digit());
    }
    let rest: Vec<&str> = groups.collect();
    let separators: Vec<char> = whole.chars().filter(|c| !c.is_ascii_digit()).collect();
    if separators.windows(2).any(|pair| pair[0] != pair[1]) {
        return false;
    }
    (1..=3).contains(&first.len())
        && rest.last().is_some_and(|last| last.len() == 3)
        && rest.iter().all(|group| group.len() == 3 || group.len() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_each_form() {
        for (text, minor) in [
            ("12", 1200),
            ("-12,5", -1250),
            ("1.234,56", 123_456),
            ("1,234.56", 123_456),
            ("1\u{202f}234,56", 123_456),
            ("1\u{a0}234,56 €", 123_456),
            ("\u{2212}1 234,56", -123_456),
            ("- 3,00", -300),
            ("12.50-", -1250),
            ("12.50- EUR", -1250),
            ("(12.50)", -1250),
            ("$ (1,250.00)", -125_000),
            ("EUR 7", 700),
            ("CHF 1'234.50", 123_450),
            ("1.234.567", 123_456_700),
            ("1,234", 123_400),
            ("0,123000", 12),
            ("+5.00", 500),
            ("\u{200e}-5,00", -500),
            (".5", 50),
            ("1,00,000.00", 10_000_000),
        ] {
            let read = parse_amount(text, None, 2);
            if text == "0,123000" {
                assert_eq!(read, Err(AmountError::TooFine));
            } else {
                assert_eq!(read, Ok(minor), "{text}");
            }
        }
        assert_eq!(parse_amount("1.234", Some(DecimalSign::Point), 3), Ok(1234));
        assert_eq!(parse_amount("1.234", Some(DecimalSign::Comma), 2), Ok(123_400));
        assert_eq!(parse_amount("500", None, 0), Ok(500));
        for text in
            ["abc", "1-2", "12/05", "--5", "1,23,4", "(5", "1 2", "5 EUR 6", "1.2.3,4", "1e5", "-"]
        {
            assert_eq!(parse_amount(text, None, 2), Err(AmountError::NotANumber), "{text}");
        }
        assert_eq!(parse_amount("  ", None, 2), Err(AmountError::Empty));
        assert_eq!(parse_amount("99999999999999999999", None, 2), Err(AmountError::TooLarge));
    }

    #[test]
    fn a_column_tells_its_sign() {
        let guess = |values: &[&str]| guess_sign(values.iter().copied());
        assert_eq!(guess(&["1.234", "5,50"]), Some(DecimalSign::Comma));
        assert_eq!(guess(&["1.234", "12"]), None);
        assert_eq!(guess(&["1,234,567"]), Some(DecimalSign::Point));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(minor in -10_000_000_000i64..10_000_000_000, comma: bool, group in 0usize..4) {
            let abs = minor.unsigned_abs();
            let whole = (abs / 100).to_string();
            let separator = [if comma { "." } else { "," }, "\u{202f}", "'", ""][group];
            let mut grouped = String::new();
            for (i, c) in whole.chars().enumerate() {
                if i > 0 && (whole.len() - i) % 3 == 0 {
                    grouped.push_str(separator);
                }
                grouped.push(c);
            }
            let sign = if minor < 0 { "-" } else { "" };
            let text = format!("{sign}{grouped}{}{:02}", if comma { "," } else { "." }, abs % 100);
            prop_assert_eq!(parse_amount(&text, None, 2), Ok(minor));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,30}") {
            let _ = parse_amount(&text, None, 2);
            let _ = parse_date(&text, DateOrder::Dmy);
            let _ = parse_clock(&text);
        }
    }
}
