//! Seconds since the epoch as dates in the shapes that material has. UTC, proleptic Gregorian.

/// Year, month, day, hour, minute, second.
pub(crate) fn civil(seconds: i64) -> (i64, u32, u32, u32, u32, u32) {
    let days = seconds.div_euclid(86_400);
    let rest = seconds.rem_euclid(86_400) as u32;
    // Days from 0000-03-01, in eras of 400 years.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as u32;
    let year = yoe + era * 400 + i64::from(month <= 2);
    (year, month, day, rest / 3600, rest / 60 % 60, rest % 60)
}

/// Seconds since the epoch of a date at midnight.
pub(crate) fn at(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    (era * 146_097 + doe - 719_468) * 86_400
}

/// `2026-03-14 04:00:00`.
pub(crate) fn sql(seconds: i64) -> String {
    let (y, m, d, h, min, s) = civil(seconds);
    format!("{y:04}-{m:02}-{d:02} {h:02}:{min:02}:{s:02}")
}

/// `2026-03-14T04:00:00`.
pub(crate) fn iso(seconds: i64) -> String {
    sql(seconds).replacen(' ', "T", 1)
}

/// `2026-03-14`.
pub(crate) fn date(seconds: i64) -> String {
    sql(seconds)[..10].to_owned()
}

/// `2026-03`.
pub(crate) fn month(seconds: i64) -> String {
    sql(seconds)[..7].to_owned()
}

/// phpMyAdmin's `Mar 14, 2026 at 04:00 AM`.
pub(crate) fn php(seconds: i64) -> String {
    let (y, m, d, h, min, _) = civil(seconds);
    let half = if h < 12 { "AM" } else { "PM" };
    let hour = if h % 12 == 0 { 12 } else { h % 12 };
    format!("{} {d:02}, {y} at {hour:02}:{min:02} {half}", MONTHS[m as usize - 1])
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        assert_eq!(sql(0), "1970-01-01 00:00:00");
        assert_eq!(sql(at(2024, 2, 29) + 86_399), "2024-02-29 23:59:59");
        assert_eq!(at(2026, 3, 14), 1_773_446_400);
        assert_eq!(php(at(2026, 3, 14) + 14_400), "Mar 14, 2026 at 04:00 AM");
        for day in 0..40_000 {
            let (y, m, d, ..) = civil(day * 86_400);
            assert_eq!(at(y, i64::from(m), i64::from(d)), day * 86_400);
        }
    }
}
