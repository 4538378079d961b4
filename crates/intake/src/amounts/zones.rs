//! Zones by the names that exports use, without a zone database.

use model::Stamp;

/// Minutes east of UTC of fixed names. Names that mean several zones (IST, CST of China) are left
/// out or read as exports of the five languages mean them.
const FIXED: &[(&str, i16)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WET", 0),
    ("Etc/UTC", 0),
    ("Etc/GMT", 0),
    ("BST", 60),
    ("WEST", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("HNEC", 60),
    ("CEST", 120),
    ("MESZ", 120),
    ("HAEC", 120),
    ("EET", 120),
    ("OEZ", 120),
    ("EEST", 180),
    ("OESZ", 180),
    ("MSK", 180),
    ("TRT", 180),
    ("GST", 240),
    ("HKT", 480),
    ("JST", 540),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("Europe/Istanbul", 180),
    ("Europe/Moscow", 180),
    ("Europe/Minsk", 180),
    ("Asia/Dubai", 240),
    ("Asia/Hong_Kong", 480),
    ("Asia/Shanghai", 480),
    ("Asia/Singapore", 480),
    ("Asia/Tokyo", 540),
    ("Asia/Kolkata", 330),
    ("Asia/Bangkok", 420),
    ("America/Sao_Paulo", -180),
];

/// Zones of the European Union's summer time rule: the places behind `Europe/`, by standard offset.
const EUROPE: &[(i16, &[&str])] = &[
    (0, &["London", "Dublin", "Lisbon", "Jersey", "Guernsey", "Isle_of_Man"]),
    (
        60,
        &[
            "Amsterdam",
            "Andorra",
            "Belgrade",
            "Berlin",
            "Bratislava",
            "Brussels",
            "Budapest",
            "Copenhagen",
            "Gibraltar",
            "Ljubljana",
            "Luxembourg",
            "Madrid",
            "Malta",
            "Monaco",
            "Oslo",
            "Paris",
            "Podgorica",
            "Prague",
            "Rome",
            "San_Marino",
            "Sarajevo",
            "Skopje",
            "Stockholm",
            "Tirane",
            "Vaduz",
            "Vatican",
            "Vienna",
            "Warsaw",
            "Zagreb",
            "Zurich",
        ],
    ),
    (
        120,
        &[
            "Athens",
            "Bucharest",
            "Chisinau",
            "Helsinki",
            "Kiev",
            "Kyiv",
            "Mariehamn",
            "Riga",
            "Sofia",
            "Tallinn",
            "Vilnius",
        ],
    ),
];

/// Zones of the United States' rule of 2007.
const AMERICA: &[(&str, i16)] = &[
    ("America/New_York", -300),
    ("America/Toronto", -300),
    ("America/Detroit", -300),
    ("America/Chicago", -360),
    ("America/Denver", -420),
    ("America/Los_Angeles", -480),
];

/// The offset of a named zone from UTC in minutes, at a moment on that zone's own clock. Reads
/// abbreviations (`CET`, `MESZ`, `PDT`), `GMT+01:00`, `UTC-5`, `+0200`, and zone names of Europe and
/// North America. `None`: unknown, and nothing is guessed.
pub fn zone_offset(name: &str, local: &Stamp) -> Option<i16> {
    let name = name.trim();
    if let Some((_, offset)) = FIXED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some(*offset);
    }
    if let Some(place) = name.strip_prefix("Europe/") {
        let (standard, _) = EUROPE.iter().find(|(_, places)| places.contains(&place))?;
        return Some(standard + if summer_eu(local, *standard) { 60 } else { 0 });
    }
    if let Some((_, standard)) = AMERICA.iter().find(|(known, _)| *known == name) {
        return Some(standard + if summer_us(local) { 60 } else { 0 });
    }
    numeric(name)
}

/// `GMT+1`, `UTC-05:00`, `+0200`.
fn numeric(name: &str) -> Option<i16> {
    let rest = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).unwrap_or(name);
    let sign = match rest.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = rest[1..].chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) =
        digits.split_at(if digits.len() > 2 { digits.len() - 2 } else { digits.len() });
    let hours: i16 = hours.parse().ok()?;
    let minutes: i16 = if minutes.is_empty() { 0 } else { minutes.parse().ok()? };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

const DAY: i64 = 86_400_000;

/// Midnight (on no particular clock) of the `n`th Sunday of a month; 0 is the last one.
fn sunday(year: i64, month: i64, n: i64) -> Option<i64> {
    let first =
        |y, m| Stamp::civil(y, m, 1, 0, None, model::Precision::Day).map(|s| s.local_ms / DAY);
    let start = first(year, month)?;
    // 1970-01-01 was a Thursday: day 3 was a Sunday.
    let to_sunday = |day: i64| (3 - day).rem_euclid(7);
    if n > 0 {
        return Some((start + to_sunday(start) + (n - 1) * 7) * DAY);
    }
    let next = if month == 12 { first(year + 1, 1)? } else { first(year, month + 1)? };
    Some((next - 7 + to_sunday(next - 7)) * DAY)
}

fn year_of(local: &Stamp) -> i64 {
    local.to_string().get(..4).and_then(|y| y.parse().ok()).unwrap_or(1970)
}

/// From the last Sunday of March to the last of October, changing at 01:00 UTC (Directive
/// 2000/84/EC; Britain the same).
fn summer_eu(local: &Stamp, standard: i16) -> bool {
    let year = year_of(local);
    let shift = i64::from(standard) * 60_000 + 3_600_000;
    match (sunday(year, 3, 0), sunday(year, 10, 0)) {
        (Some(from), Some(to)) => {
            local.local_ms >= from + shift && local.local_ms < to + shift + 3_600_000
        }
        _ => false,
    }
}

/// From the second Sunday of March to the first of November, changing at 02:00 local time (Energy
/// Policy Act of 2005).
fn summer_us(local: &Stamp) -> bool {
    let year = year_of(local);
    match (sunday(year, 3, 2), sunday(year, 11, 1)) {
        (Some(from), Some(to)) => {
            local.local_ms >= from + 2 * 3_600_000 && local.local_ms < to + 2 * 3_600_000
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        let at = |name: &str, time: &str| {
            Stamp::parse_iso(time).and_then(|stamp| zone_offset(name, &stamp))
        };
        assert_eq!(at("CET", "2024-07-01 10:00"), Some(60));
        assert_eq!(at("MESZ", "2024-07-01 10:00"), Some(120));
        assert_eq!(at("PDT", "2024-07-01 10:00"), Some(-420));
        assert_eq!(at("GMT+01:00", "2024-07-01 10:00"), Some(60));
        assert_eq!(at("UTC-5", "2024-07-01 10:00"), Some(-300));
        assert_eq!(at("+0530", "2024-07-01 10:00"), Some(330));
        assert_eq!(at("Europe/Berlin", "2024-03-31 01:59:59"), Some(60));
        assert_eq!(at("Europe/Berlin", "2024-03-31 03:00:00"), Some(120));
        assert_eq!(at("Europe/Berlin", "2024-10-27 01:59"), Some(120));
        assert_eq!(at("Europe/Berlin", "2024-10-27 03:00"), Some(60));
        assert_eq!(at("Europe/London", "2024-12-01 03:00"), Some(0));
        assert_eq!(at("America/Los_Angeles", "2024-03-10 03:00"), Some(-420));
        assert_eq!(at("America/Los_Angeles", "2024-11-03 02:30"), Some(-480));
        assert_eq!(at("Atlantis/Nowhere", "2024-07-01 10:00"), None);
    }
}
