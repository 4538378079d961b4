//! Moments as sources give them: with a zone, or without, and with their precision.

use std::fmt;

/// How finely a source states a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A calendar year.
    Year,
    /// A calendar month.
    Month,
    /// A calendar day.
    Day,
    /// A minute.
    Minute,
    /// A second.
    Second,
    /// A millisecond or finer.
    Millisecond,
}

/// A moment, with what its source says of the zone.
///
/// Shape: milliseconds since 1970-01-01T00:00:00 on the clock the source shows, the offset of that
/// clock from UTC in minutes (`None`: the source names no zone), and the precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// Milliseconds since the epoch on the source's own clock.
    pub local_ms: i64,
    /// Minutes east of UTC; `None` where the source names no zone.
    pub offset_min: Option<i16>,
    /// How finely it was stated.
    pub precision: Precision,
}

impl Stamp {
    /// A moment given as seconds since the epoch, in UTC.
    pub fn unix_seconds(seconds: i64) -> Self {
        Self {
            local_ms: seconds.saturating_mul(1000),
            offset_min: Some(0),
            precision: Precision::Second,
        }
    }

    /// Milliseconds since the epoch in UTC; a moment without a zone is taken as UTC.
    pub fn utc_ms(&self) -> i64 {
        self.local_ms.saturating_sub(i64::from(self.offset_min.unwrap_or(0)) * 60_000)
    }

    /// Reads ISO 8601 / RFC 3339 and SQL forms: `2024-11-26`, `2024-11-26 10:00`,
    /// `2024-11-26T10:00:00.5+01:00`, `2024-11`, `2024`. Anything else is `None`.
    pub fn parse_iso(text: &str) -> Option<Self> {
        let b = text.as_bytes();
        if !text.is_ascii() || b.len() > 40 {
            return None;
        }
        let num = |r: std::ops::Range<usize>| -> Option<i64> {
            let part = b.get(r)?;
            if part.is_empty() || !part.iter().all(u8::is_ascii_digit) {
                return None;
            }
            std::str::from_utf8(part).ok()?.parse().ok()
        };
        let year = num(0..4)?;
        if b.len() == 4 {
            return Self::civil(year, 1, 1, 0, None, Precision::Year);
        }
        if b[4] != b'-' {
            return None;
        }
        let month = num(5..7)?;
        if b.len() == 7 {
            return Self::civil(year, month, 1, 0, None, Precision::Month);
        }
        if b[7] != b'-' {
            return None;
        }
        let day = num(8..10)?;
        if b.len() == 10 {
            return Self::civil(year, month, day, 0, None, Precision::Day);
        }
        if b[10] != b'T' && b[10] != b' ' {
            return None;
        }
        let (hour, minute) = (num(11..13)?, num(14..16)?);
        if b[13] != b':' || hour > 23 || minute > 59 {
            return None;
        }
        let mut ms = (hour * 3600 + minute * 60) * 1000;
        let mut at = 16;
        let mut precision = Precision::Minute;
        if b.get(at) == Some(&b':') {
            let second = num(17..19)?;
            if second > 60 {
                return None;
            }
            ms += second * 1000;
            at = 19;
            precision = Precision::Second;
            if matches!(b.get(at), Some(b'.' | b',')) {
                let digits = b[at + 1..].iter().take_while(|d| d.is_ascii_digit()).count();
                if digits == 0 {
                    return None;
                }
                let mut frac = 0;
                for i in 0..3 {
                    frac = frac * 10 + if i < digits { i64::from(b[at + 1 + i] - b'0') } else { 0 };
                }
                ms += frac;
                at += 1 + digits;
                precision = Precision::Millisecond;
            }
        }
        let rest = text[at..].trim_start_matches(' ');
        let offset = match rest {
            "" => None,
            "Z" | "z" | "UTC" | "GMT" => Some(0),
            _ => {
                let sign = match rest.as_bytes()[0] {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let digits: String = rest[1..].chars().filter(|c| *c != ':').collect();
                if !(digits.len() == 4 || digits.len() == 2)
                    || !digits.bytes().all(|d| d.is_ascii_digit())
                {
                    return None;
                }
                let hours: i16 = digits[..2].parse().ok()?;
                let minutes: i16 = digits.get(2..4).map_or(Some(0), |m| m.parse().ok())?;
                if hours > 18 || minutes > 59 {
                    return None;
                }
                Some(sign * (hours * 60 + minutes))
            }
        };
        Self::civil(year, month, day, ms, offset, precision)
    }

    /// A civil date and a time of day in milliseconds. `None` where there is no such date.
    pub fn civil(
        year: i64,
        month: i64,
        day: i64,
        ms_of_day: i64,
        offset_min: Option<i16>,
        precision: Precision,
    ) -> Option<Self> {
        let date = jiff::civil::Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        )
        .ok()?;
        let days = days_from_epoch(date);
        Some(Self { local_ms: days * 86_400_000 + ms_of_day, offset_min, precision })
    }
}

fn days_from_epoch(date: jiff::civil::Date) -> i64 {
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    let (y, m, d) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let yoe = y - era * 400;
    let doy = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// ISO 8601, cut to the precision; `Z` or `±hh:mm` where the source names a zone, nothing else.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.local_ms.div_euclid(86_400_000);
        let ms = self.local_ms.rem_euclid(86_400_000);
        // civil_from_days, same source.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i64::from(month <= 2);
        write!(f, "{year:04}")?;
        if self.precision >= Precision::Month {
            write!(f, "-{month:02}")?;
        }
        if self.precision >= Precision::Day {
            write!(f, "-{day:02}")?;
        }
        if self.precision >= Precision::Minute {
            write!(f, "T{:02}:{:02}", ms / 3_600_000, ms / 60_000 % 60)?;
            if self.precision >= Precision::Second {
                write!(f, ":{:02}", ms / 1000 % 60)?;
            }
            if self.precision >= Precision::Millisecond {
                write!(f, ".{:03}", ms % 1000)?;
            }
            match self.offset_min {
                None => {}
                Some(0) => f.write_str("Z")?,
                Some(m) => write!(
                    f,
                    "{}{:02}:{:02}",
                    if m < 0 { '-' } else { '+' },
                    m.abs() / 60,
                    m.abs() % 60
                )?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_each_form() {
        for (text, shown) in [
            ("2024", "2024"),
            ("2024-11", "2024-11"),
            ("2024-11-26", "2024-11-26"),
            ("2024-11-26 10:05", "2024-11-26T10:05"),
            ("2024-02-29 23:59:59", "2024-02-29T23:59:59"),
            ("2024-11-26T10:00:00.5+01:00", "2024-11-26T10:00:00.500+01:00"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
            ("2024-11-26 10:00:00 UTC", "2024-11-26T10:00:00Z"),
        ] {
            assert_eq!(Stamp::parse_iso(text).map(|s| s.to_string()).as_deref(), Some(shown));
        }
        for text in ["", "20244", "2024-13-01", "2023-02-29", "2024-11-26T25:00", "x024-01-01"] {
            assert_eq!(Stamp::parse_iso(text), None, "{text}");
        }
        let a = Stamp::parse_iso("2024-11-26T10:00:00+01:00").unwrap();
        assert_eq!(a.utc_ms(), Stamp::unix_seconds(1_732_611_600).utc_ms());
    }
}
