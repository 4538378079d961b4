//! How values are written: numbers, sizes, shares, moments. Whole numbers are grouped alike in every
//! language, by a space that none of them reads as a decimal mark; what is parted, and how units are
//! written, is each language's own. Words are not made here.

use model::Stamp;

use crate::i18n::Lang;

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

/// A number with decimals, from its digits: `1 204.50`, `1 204,50`. The one place where the decimal
/// mark is chosen.
fn decimal(lang: Lang, whole: &str, decimals: &str) -> String {
    let mark = match lang {
        Lang::En => '.',
        Lang::Fr | Lang::It => ',',
    };
    let mut out = group(whole);
    if !decimals.is_empty() {
        out.push(mark);
        out.push_str(decimals);
    }
    out
}

/// An amount in minor units, with the decimals of its currency: `−1 234.50`. The code stands apart.
/// Sums may be beyond 64 bits.
pub(crate) fn amount(lang: Lang, minor: i128, currency: &str) -> String {
    let digits = currency.parse::<model::Currency>().map_or(2, |c| c.minor_digits());
    let unit = 10u128.pow(digits);
    let abs = minor.unsigned_abs();
    let sign = if minor < 0 { "\u{2212}" } else { "" };
    let decimals = match digits {
        0 => String::new(),
        _ => format!("{:0width$}", abs % unit, width = digits as usize),
    };
    format!("{sign}{}", decimal(lang, &(abs / unit).to_string(), &decimals))
}

/// A size in bytes, to three figures: `1.24 GB` (powers of ten, as disks are sold); `1,24 Go` in
/// French.
pub(crate) fn bytes(lang: Lang, n: u64) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let letter = if lang == Lang::Fr { "o" } else { "B" };
    let mut unit = 0;
    let mut scale: u64 = 1;
    while unit + 1 < PREFIXES.len() && n / scale >= 1000 {
        scale *= 1000;
        unit += 1;
    }
    if unit == 0 {
        return format!("{n}\u{a0}{letter}");
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
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    format!("{}\u{a0}{}{letter}", decimal(lang, whole, decimals), PREFIXES[unit])
}

/// A share as it is read: `37%`, `37 %` in French.
pub(crate) fn share(lang: Lang, part: u64, whole: u64) -> String {
    let gap = if lang == Lang::Fr { "\u{202f}" } else { "" };
    format!("{}{gap}%", percent(part, whole))
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
    use proptest::prelude::*;

    #[test]
    fn numbers_are_grouped_by_narrow_spaces() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1204), "1\u{202f}204");
        assert_eq!(number(22_000_000), "22\u{202f}000\u{202f}000");
        assert_eq!(signed(-1204), "\u{2212}1\u{202f}204");
        assert_eq!(
            signed(i64::MIN),
            "\u{2212}9\u{202f}223\u{202f}372\u{202f}036\u{202f}854\u{202f}775\u{202f}808"
        );
    }

    #[test]
    fn sizes_keep_three_figures() {
        let bytes = |n| bytes(Lang::En, n);
        assert_eq!(bytes(0), "0\u{a0}B");
        assert_eq!(bytes(999), "999\u{a0}B");
        assert_eq!(bytes(1000), "1.00\u{a0}kB");
        assert_eq!(bytes(1_240_000_000), "1.24\u{a0}GB");
        assert_eq!(bytes(99_960), "100\u{a0}kB");
        assert_eq!(percent(1, 1000), 1);
        assert_eq!(percent(999, 1000), 99);
        assert_eq!(percent(1000, 1000), 100);
    }

    #[test]
    fn each_language_writes_its_own_decimals() {
        let sum = |lang| amount(lang, 7_441_685, "EUR");
        assert_eq!(sum(Lang::En), "74\u{202f}416.85");
        assert_eq!(sum(Lang::Fr), "74\u{202f}416,85");
        assert_eq!(sum(Lang::It), "74\u{202f}416,85");
        assert_eq!(amount(Lang::En, -123_450, "EUR"), "\u{2212}1\u{202f}234.50");
        assert_eq!(amount(Lang::It, 5, "JPY"), "5");
        assert_eq!(bytes(Lang::Fr, 13_240_000), "13,2\u{a0}Mo");
        assert_eq!(bytes(Lang::It, 13_240_000), "13,2\u{a0}MB");
        assert_eq!(bytes(Lang::Fr, 12), "12\u{a0}o");
        assert_eq!(share(Lang::En, 37, 100), "37%");
        assert_eq!(share(Lang::Fr, 37, 100), "37\u{202f}%");
    }

    proptest! {
        /// Whatever the language, the digits are those of the amount, parted once and where the
        /// currency says; and no mark of one language stands in another's figures.
        #[test]
        fn an_amount_keeps_its_digits(minor in any::<i128>(), lang in 0..3usize, code in 0..3usize) {
            let lang = Lang::ALL[lang];
            let (code, digits) = [("EUR", 2), ("JPY", 0), ("BTC", 8)][code];
            let text = amount(lang, minor, code);
            let (mark, other) = if lang == Lang::En { ('.', ',') } else { (',', '.') };
            prop_assert!(!text.contains(other));
            let bare: String = text.chars().filter(|c| *c != THIN).collect();
            let decimals = bare.split_once(mark).map_or(0, |(_, d)| d.chars().count());
            prop_assert_eq!(decimals, digits);
            let again: String = bare.chars().filter(|c| *c != mark).collect();
            prop_assert_eq!(again.replace('\u{2212}', "-").parse::<i128>().unwrap(), minor);
        }

        /// A size is within half of its last figure, in each language the same but for mark and unit.
        #[test]
        fn a_size_is_near_and_alike(n in any::<u64>()) {
            let english = bytes(Lang::En, n);
            prop_assert_eq!(&bytes(Lang::It, n), &english.replace('.', ","));
            prop_assert_eq!(&bytes(Lang::Fr, n), &english.replace('.', ",").replace('B', "o"));
            let (figures, unit) = english.split_once('\u{a0}').unwrap();
            let scale = 1000f64.powi("kMGTP".find(&unit[..unit.len() - 1]).map_or(0, |at| {
                i32::from(unit.len() > 1) * (i32::try_from(at).unwrap() + 1)
            }));
            let shown: f64 = figures.replace(THIN, "").parse().unwrap();
            let off = (shown * scale - n as f64).abs();
            prop_assert!(off <= n as f64 * 0.0051 + 0.5, "{} is shown as {}", n, english);
        }
    }
}
