//! Dates and times of day.

use model::{Precision, Stamp};

/// In which order the parts of a numeric date stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// `26/11/2024`
    Dmy,
    /// `11/26/2024`
    Mdy,
    /// `2024-11-26`
    Ymd,
}

/// Three numbers with one mark between each: nearly all dates.
fn plain(text: &str) -> Option<[(i64, usize); 3]> {
    let mut found = [(0, 0); 3];
    let mut n = 0;
    for b in text.bytes() {
        match b {
            b'0'..=b'9' if found[n].1 < 4 => {
                found[n] = (found[n].0 * 10 + i64::from(b - b'0'), found[n].1 + 1);
            }
            b'/' | b'.' | b'-' if found[n].1 > 0 && n < 2 => n += 1,
            _ => return None,
        }
    }
    (n == 2 && found[2].1 > 0).then_some(found)
}

/// Three numbers and how many digits each had; a month's name counts as a number of no digits.
fn numbers(text: &str) -> Option<[(i64, usize); 3]> {
    if let Some(found) = plain(text) {
        return Some(found);
    }
    let mut found = [(0, 0); 3];
    let mut n = 0;
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || super::is_space(c));
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let taken = if digits > 0 {
            if n == 3 || digits > 4 {
                return None;
            }
            found[n] = (rest[..digits].parse().ok()?, digits);
            n += 1;
            digits
        } else {
            let word: usize =
                rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
            if word == 0 {
                return None;
            }
            if !rest[..word].eq_ignore_ascii_case("de") {
                if n == 3 {
                    return None;
                }
                found[n] = (month(&rest[..word])?, 0);
                n += 1;
            }
            word
        };
        rest = &rest[taken..];
        let gap: usize = rest
            .chars()
            .take_while(|c| {
                super::is_space(*c) || matches!(c, '/' | '.' | '-' | ',' | '\u{2010}' | '\u{2011}')
            })
            .map(char::len_utf8)
            .sum();
        if gap == 0 && !rest.is_empty() {
            return None;
        }
        rest = &rest[gap..];
    }
    (n == 3).then_some(found)
}

/// A month's number by its name or abbreviation in the five languages.
fn month(word: &str) -> Option<i64> {
    let word = word.to_lowercase();
    const NAMES: [&[&str]; 12] = [
        &["jan", "gen", "ene", "jän"],
        &["feb", "fév", "fev"],
        &["mar", "mär", "mrz"],
        &["apr", "avr", "abr"],
        &["may", "mai", "mag"],
        &["jun", "juin", "giu"],
        &["jul", "juil", "lug"],
        &["aug", "aoû", "aou", "ago"],
        &["sep", "set"],
        &["oct", "ott", "okt"],
        &["nov"],
        &["dec", "déc", "dic", "dez"],
    ];
    // `juin` and `juil` begin alike: the longer name first.
    if word.starts_with("juil") {
        return Some(7);
    }
    NAMES
        .iter()
        .position(|names| names.iter().any(|name| word.starts_with(name)))
        .and_then(|i| i64::try_from(i + 1).ok())
}

fn full_year((year, digits): (i64, usize)) -> Option<i64> {
    match digits {
        4 => Some(year),
        2 => Some(if year < 70 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

/// Year, month, day. A four-digit number in front is a year, and a month's name is the month,
/// whatever the order. Two-digit years are 1970 to 2069. `None` where it is no date of the calendar.
pub fn parse_date(text: &str, order: DateOrder) -> Option<(i64, i64, i64)> {
    if text.len() > 40 {
        return None;
    }
    let [a, b, c] = numbers(text)?;
    let (year, month, day) = if a.1 == 4 {
        (a, b, c)
    } else if b.1 == 0 {
        (c, b, a)
    } else if a.1 == 0 {
        (c, a, b)
    } else {
        match order {
            DateOrder::Dmy => (c, b, a),
            DateOrder::Mdy => (c, a, b),
            DateOrder::Ymd => (a, b, c),
        }
    };
    let year = full_year(year)?;
    Stamp::civil(year, month.0, day.0, 0, None, Precision::Day)?;
    Some((year, month.0, day.0))
}

/// What a column's dates say of their order.
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderVotes {
    dmy: usize,
    mdy: usize,
    ymd: usize,
}

impl OrderVotes {
    /// Takes a date's vote, if it has one.
    pub fn add(&mut self, date: &str) {
        match numbers(date) {
            Some([(_, 4), ..]) => self.ymd += 1,
            Some([(a, 1 | 2), (b, 1 | 2), _]) if a > 12 && b <= 12 => self.dmy += 1,
            Some([(a, 1 | 2), (b, 1 | 2), _]) if b > 12 && a <= 12 => self.mdy += 1,
            _ => {}
        }
    }

    /// The order that the dates agree on; `None` where none of them tells.
    pub fn verdict(self) -> Option<DateOrder> {
        let most = self.dmy.max(self.mdy).max(self.ymd);
        match most {
            0 => None,
            _ if most == self.ymd => Some(DateOrder::Ymd),
            _ if most == self.dmy => Some(DateOrder::Dmy),
            _ => Some(DateOrder::Mdy),
        }
    }
}

/// The order that the dates of a column agree on; `None` where none of them tells.
pub fn guess_order<'a>(dates: impl Iterator<Item = &'a str>) -> Option<DateOrder> {
    let mut votes = OrderVotes::default();
    dates.for_each(|text| votes.add(text));
    votes.verdict()
}

/// A time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Milliseconds since midnight.
    pub ms: i64,
    /// Minute, second or millisecond.
    pub precision: Precision,
}

/// `10:05`, `10:05:33`, `10.05.33`, `10:05:33.250`, `10h05`, `9:05 PM`, `9:05 p. m.`.
pub fn parse_clock(text: &str) -> Option<Clock> {
    let mut numbers = [0i64; 4];
    let (mut n, mut digits) = (0, 0);
    let mut letters = String::new();
    for c in text.chars() {
        match c {
            '0'..='9' => {
                if n >= 4 || !letters.is_empty() {
                    return None;
                }
                digits += 1;
                if digits > if n == 3 { 9 } else { 2 } {
                    return None;
                }
                if n < 3 || digits <= 3 {
                    numbers[n] = numbers[n] * 10 + i64::from(c as u8 - b'0');
                }
            }
            ':' | '.' | 'h' | 'H' | ',' if digits > 0 => {
                if n == 3 || (n < 2 && c == ',') {
                    return None;
                }
                n += 1;
                digits = 0;
            }
            // The points of `p. m.`
            '.' if !letters.is_empty() => {}
            _ if super::is_space(c) => {
                if digits > 0 {
                    n += 1;
                    digits = 0;
                    letters.push(' ');
                }
            }
            _ if c.is_ascii_alphabetic() && letters.len() < 4 => {
                if digits > 0 {
                    n += 1;
                    digits = 0;
                }
                letters.push(c.to_ascii_lowercase());
            }
            _ => return None,
        }
    }
    if digits > 0 {
        n += 1;
    }
    let [mut hour, minute, second, fraction] = numbers;
    match letters.trim() {
        "" => {}
        "am" | "a" if (1..=12).contains(&hour) => hour %= 12,
        "pm" | "p" if (1..=12).contains(&hour) => hour = hour % 12 + 12,
        _ => return None,
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let ms = (hour * 3600 + minute * 60 + second) * 1000;
    match n {
        2 => Some(Clock { ms, precision: Precision::Minute }),
        3 => Some(Clock { ms, precision: Precision::Second }),
        4 => {
            let scale = [0, 100, 10, 1];
            let width = text.chars().rev().take_while(char::is_ascii_digit).count().min(3);
            Some(Clock { ms: ms + fraction * scale[width], precision: Precision::Millisecond })
        }
        _ => None,
    }
}

/// A date and, where stated, a time of day and a zone's offset, as one moment.
pub fn civil(
    (year, month, day): (i64, i64, i64),
    clock: Option<Clock>,
    offset_min: Option<i16>,
) -> Option<Stamp> {
    match clock {
        Some(clock) => Stamp::civil(year, month, day, clock.ms, offset_min, clock.precision),
        None => Stamp::civil(year, month, day, 0, None, Precision::Day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_each_order_and_tongue() {
        let date = |text: &str, order| parse_date(text, order);
        assert_eq!(date("26/11/2024", DateOrder::Dmy), Some((2024, 11, 26)));
        assert_eq!(date("11/26/2024", DateOrder::Mdy), Some((2024, 11, 26)));
        assert_eq!(date("26.11.24", DateOrder::Dmy), Some((2024, 11, 26)));
        assert_eq!(date("2024-11-26", DateOrder::Mdy), Some((2024, 11, 26)));
        assert_eq!(date("26 nov. 2024", DateOrder::Mdy), Some((2024, 11, 26)));
        assert_eq!(date("Nov 26, 2024", DateOrder::Dmy), Some((2024, 11, 26)));
        assert_eq!(date("3 de enero de 2024", DateOrder::Dmy), Some((2024, 1, 3)));
        assert_eq!(date("14 juil. 2023", DateOrder::Dmy), Some((2023, 7, 14)));
        assert_eq!(date("3. März 2024", DateOrder::Dmy), Some((2024, 3, 3)));
        assert_eq!(date("31/02/2024", DateOrder::Dmy), None);
        assert_eq!(date("11/26/2024", DateOrder::Dmy), None);
        assert_eq!(date("12", DateOrder::Dmy), None);
        assert_eq!(guess_order(["01/02/2024", "13/02/2024"].into_iter()), Some(DateOrder::Dmy));
        assert_eq!(guess_order(["01/02/2024", "02/13/2024"].into_iter()), Some(DateOrder::Mdy));
        assert_eq!(guess_order(["01/02/2024"].into_iter()), None);
    }

    #[test]
    fn clocks() {
        let show = |text| parse_clock(text).map(|c| c.ms);
        let at = |h: i64, m: i64, s: i64| Some((h * 3600 + m * 60 + s) * 1000);
        assert_eq!(show("10:05"), at(10, 5, 0));
        assert_eq!(show("10.05.33"), at(10, 5, 33));
        assert_eq!(show("9:05\u{202f}PM"), at(21, 5, 0));
        assert_eq!(show("9:05:01 p. m."), at(21, 5, 1));
        assert_eq!(show("12:00 a.m."), at(0, 0, 0));
        assert_eq!(show("10h05"), at(10, 5, 0));
        assert_eq!(show("10:05:33.5"), Some(at(10, 5, 33).unwrap_or(0) + 500));
        for text in ["", "10", "25:00", "10:60", "10:05 XM", "13:00 PM", "10:05 5"] {
            assert_eq!(show(text), None, "{text}");
        }
    }
}
