//! How values are written: numbers, sizes, shares, moments. The same in every language; words are
//! not made here.

use model::Stamp;

/// Thin groups: U+202F, narrow no-break space.
const THIN: char = '\u{202f}';

/// `1 204`: digits in groups of three, parted by a narrow no-break space.
pub(crate) fn number(n: u64) -> String {
    group(&n.to_string())
}

/// A signed number; the minus is U+2212, as wide as a digit.
pub(crate) fn signed(n: i64) -> String {
    let digits = group(&n.unsigned_abs().to_string());
    if n < 0 { format!("\u{2212}{digits}") } else { digits }
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(THIN);
        }
        out.push(c);
    }
    out
}

/// An amount in minor units, with the decimals of its currency: `−1 234.50`. The code stands apart.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    let digits = currency.parse::<model::Currency>().map_or(2, |c| c.minor_digits());
    let unit = 10u64.pow(digits);
    let abs = minor.unsigned_abs();
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    let whole = group(&(abs / unit).to_string());
    if digits == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{:0width$}", abs % unit, width = digits as usize)
    }
}

/// A size in bytes, to three figures: `1.24 GB` (powers of ten, as disks are sold).
pub(crate) fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut unit = 0;
    let mut scale: u64 = 1;
    while unit + 1 < UNITS.len() && n / scale >= 1000 {
        scale *= 1000;
        unit += 1;
    }
    if unit == 0 {
        return format!("{n}\u{a0}B");
    }
    #[allow(clippy::cast_precision_loss, reason = "three figures are shown")]
    let value = n as f64 / scale as f64;
    let text = if value >= 99.95 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    format!("{text}\u{a0}{}", UNITS[unit])
}

/// A share in whole per cent, never 0 % or 100 % unless exactly so.
pub(crate) fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    let share = u128::from(part.min(whole)) * 100 / u128::from(whole);
    let share = u64::try_from(share).unwrap_or(100);
    if share == 0 && part > 0 { 1 } else { share }
}

/// A moment in UTC from milliseconds since the epoch, to the second.
pub(crate) fn moment_ms(ms: i64) -> String {
    Stamp { local_ms: ms, offset_min: Some(0), precision: model::Precision::Second }.to_string()
}

/// A moment in UTC from seconds since the epoch.
pub(crate) fn moment(seconds: i64) -> String {
    moment_ms(seconds.saturating_mul(1000))
}

/// A duration for people: `4 s`, `3 min`, `2 h`.
pub(crate) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}\u{a0}s"),
        60..3600 => format!("{}\u{a0}min", seconds.div_ceil(60)),
        _ => format!("{}\u{a0}h {:02}\u{a0}min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_narrow_spaces() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1204), "1\u{202f}204");
        assert_eq!(number(22_000_000), "22\u{202f}000\u{202f}000");
        assert_eq!(signed(-1204), "\u{2212}1\u{202f}204");
        assert_eq!(amount(-123_450, "EUR"), "\u{2212}1\u{202f}234.50");
        assert_eq!(amount(5, "JPY"), "5");
        assert_eq!(
            signed(i64::MIN),
            "\u{2212}9\u{202f}223\u{202f}372\u{202f}036\u{202f}854\u{202f}775\u{202f}808"
        );
    }

    #[test]
    fn sizes_keep_three_figures() {
        assert_eq!(bytes(0), "0\u{a0}B");
        assert_eq!(bytes(999), "999\u{a0}B");
        assert_eq!(bytes(1000), "1.00\u{a0}kB");
        assert_eq!(bytes(1_240_000_000), "1.24\u{a0}GB");
        assert_eq!(bytes(99_960), "100\u{a0}kB");
        assert_eq!(percent(1, 1000), 1);
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(1000, 1000), 100);
    }
}
