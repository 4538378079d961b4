//! What comments and `SET` say of the whole dump: its tool, its database, its date, its encoding.

use model::{Precision, Stamp};

use super::token::Cursor;
use super::value::{Charset, Mode};

/// Which tool wrote the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// mysqldump or mariadb-dump: they end with a line that says so.
    MysqlDump,
    PhpMyAdmin,
    Adminer,
    HeidiSql,
    Sequel,
}

/// What a comment line says. Ranges are within the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remark {
    Tool(Tool),
    Database(std::ops::Range<usize>),
    /// The moment of the dump.
    Date(Stamp, std::ops::Range<usize>),
    /// The dump's last line, perhaps with the moment.
    Completed(Option<(Stamp, std::ops::Range<usize>)>),
}

/// Reads a comment line, `--` or `#` included.
pub(crate) fn remark(line: &[u8], tool: Option<Tool>) -> Option<Remark> {
    let text = line.trim_ascii_end();
    let body = text.strip_prefix(b"-- ").or_else(|| text.strip_prefix(b"# "))?.trim_ascii();
    let at = body.as_ptr().addr() - line.as_ptr().addr();
    for (mark, tool) in [
        ("MySQL dump", Tool::MysqlDump),
        ("MariaDB dump", Tool::MysqlDump),
        ("phpMyAdmin SQL Dump", Tool::PhpMyAdmin),
        ("phpMyAdmin MySQL-Dump", Tool::PhpMyAdmin),
        ("Adminer ", Tool::Adminer),
        ("HeidiSQL Version", Tool::HeidiSql),
        ("Sequel Pro", Tool::Sequel),
        ("Sequel Ace", Tool::Sequel),
    ] {
        if body.starts_with(mark.as_bytes()) {
            return Some(Remark::Tool(tool));
        }
    }
    if body.starts_with(b"Dump completed") {
        return Some(Remark::Completed(iso_date(body).map(|(s, r)| (s, r.start + at..r.end + at))));
    }
    if let Some(name) = database(body, tool) {
        return Some(Remark::Database(name.start + at..name.end + at));
    }
    let date = match tool {
        Some(Tool::PhpMyAdmin) if body.contains(&b':') => {
            iso_date(body).or_else(|| worded_date(body))
        }
        Some(Tool::Sequel) if body.starts_with(b"Generation Time") => iso_date(body),
        Some(Tool::Adminer) if body.first().is_some_and(u8::is_ascii_digit) => iso_date(body),
        _ => None,
    };
    date.map(|(s, r)| Remark::Date(s, r.start + at..r.end + at))
}

/// The database's name: `Host: …    Database: x`, `Database: x`, and phpMyAdmin's
/// ``<any language>: `x` ``.
fn database(body: &[u8], tool: Option<Tool>) -> Option<std::ops::Range<usize>> {
    if matches!(tool, Some(Tool::PhpMyAdmin)) {
        let colon = memchr::memchr(b':', body)?;
        let rest = body[colon + 1..].trim_ascii();
        let name = rest.strip_prefix(b"`")?.strip_suffix(b"`")?;
        let start = name.as_ptr().addr() - body.as_ptr().addr();
        return (!name.is_empty() && !name.contains(&b'`')).then(|| start..start + name.len());
    }
    let at = memchr::memmem::find(body, b"Database: ")?;
    if at != 0 && !(body.starts_with(b"Host:") && body[at - 1] == b' ') {
        return None;
    }
    let name = body[at + 10..].trim_ascii();
    let start = name.as_ptr().addr() - body.as_ptr().addr();
    (!name.is_empty()).then(|| start..start + name.len())
}

/// `2022-11-14 10:00:00`, the hour perhaps padded with a space, perhaps with a zone behind it.
fn iso_date(body: &[u8]) -> Option<(Stamp, std::ops::Range<usize>)> {
    let text = std::str::from_utf8(body).ok()?;
    let dash =
        body.windows(5).position(|w| w[4] == b'-' && w[..4].iter().all(u8::is_ascii_digit))?;
    let rest = text.get(dash..)?;
    let day = rest.get(..10)?;
    let clock = rest.get(10..)?;
    let spaces = clock.len() - clock.trim_start_matches([' ', 'T']).len();
    let clock = &clock[spaces..];
    let digits = clock.bytes().take_while(|b| b.is_ascii_digit() || *b == b':').count();
    let padded = format!("{:0>8}", &clock[..digits]);
    let zone = &clock[digits..];
    let zone_end = match zone.trim_start() {
        z if z.starts_with("UTC") => zone.len() - z.len() + 3,
        z if z.len() >= 5
            && z.starts_with(['+', '-'])
            && z.as_bytes()[1..5].iter().all(u8::is_ascii_digit) =>
        {
            zone.len() - z.len() + 5
        }
        _ => 0,
    };
    let stamp = Stamp::parse_iso(&format!("{day} {padded} {}", zone[..zone_end].trim()))?;
    Some((stamp, dash..dash + 10 + spaces + digits + zone_end))
}

/// phpMyAdmin's dates in words: `Nov 14, 2022 at 10:05 AM`, `14 nov. 2022 à 10:05`.
fn worded_date(body: &[u8]) -> Option<(Stamp, std::ops::Range<usize>)> {
    let text = std::str::from_utf8(body).ok()?;
    let start = text.find(':')? + 1;
    let value = text[start..].trim();
    let start = value.as_ptr().addr() - text.as_ptr().addr();
    let lower = value.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '-'))
        .filter(|w| !w.is_empty())
        .collect();
    let number = |w: &&str| w.trim_end_matches('.').parse::<i64>().ok();
    let year = words.iter().filter_map(number).find(|n| (1995..2100).contains(n))?;
    let day = words.iter().filter_map(number).find(|n| (1..=31).contains(n))?;
    let month = words.iter().find_map(|w| month(w))?;
    let (hour, minute, second) = words.iter().find_map(|w| {
        let mut parts = w.split(':');
        let hour = parts.next()?.parse::<i64>().ok()?;
        let minute = parts.next()?.parse::<i64>().ok()?;
        Some((hour, minute, parts.next().and_then(|s| s.parse::<i64>().ok())))
    })?;
    let hour = match (words.contains(&"pm"), words.contains(&"am")) {
        (true, _) if hour < 12 => hour + 12,
        (_, true) if hour == 12 => 0,
        _ => hour,
    };
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) {
        return None;
    }
    let precision = if second.is_some() { Precision::Second } else { Precision::Minute };
    let ms = ((hour * 60 + minute) * 60 + second.unwrap_or(0).clamp(0, 60)) * 1000;
    Some((Stamp::civil(year, month, day, ms, None, precision)?, start..start + value.len()))
}

/// A month by the start of its name, in the languages of the house and their neighbours.
fn month(word: &str) -> Option<i64> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "gen", "ene", "oca"],
        &["feb", "fév", "fev", "şub"],
        &["mar", "mär", "maa", "mrt"],
        &["apr", "avr", "abr", "nis"],
        &["may", "mai", "mag", "mei"],
        &["jun", "juin", "giu", "haz"],
        &["jul", "juil", "lug", "tem"],
        &["aug", "aoû", "aou", "ago", "ağu"],
        &["sep", "set", "eyl"],
        &["oct", "okt", "ott", "out", "eki"],
        &["nov", "kas"],
        &["dec", "déc", "dic", "dez", "ara"],
    ];
    let at = MONTHS.iter().position(|names| names.iter().any(|n| word.starts_with(n)))?;
    i64::try_from(at + 1).ok()
}

/// What `SET` changes: the mode, and the name of an encoding that is not read.
pub(crate) fn set(statement: &[u8], mode: &mut Mode, before: &mut Mode) -> Option<String> {
    let mut c = Cursor::new(statement, *mode);
    if !c.keyword("set") {
        return None;
    }
    loop {
        while c.symbol(b'@') {}
        let name = String::from_utf8_lossy(c.word()).to_ascii_lowercase();
        if name == "names" {
            let charset = match c.text() {
                Some(range) => &statement[range],
                None => c.word(),
            };
            match Charset::named(charset) {
                Some(known) => mode.charset = known,
                None if charset.eq_ignore_ascii_case(b"default") => {}
                None => {
                    mode.charset = Charset::Utf8;
                    return Some(String::from_utf8_lossy(charset).chars().take(40).collect());
                }
            }
        } else if name == "session" || name == "global" {
            c.symbol(b'.');
            continue;
        } else if c.symbol(b':') | c.symbol(b'=') {
            c.symbol(b'=');
            if name == "sql_mode" {
                match c.text() {
                    Some(range) => {
                        *before = *mode;
                        let modes = statement[range].to_ascii_uppercase();
                        let has =
                            |m: &[u8]| modes.split(|b| *b == b',').any(|x| x.trim_ascii() == m);
                        mode.backslash = !has(b"NO_BACKSLASH_ESCAPES");
                        mode.ansi_quotes = [
                            &b"ANSI"[..],
                            b"ANSI_QUOTES",
                            b"ORACLE",
                            b"MSSQL",
                            b"DB2",
                            b"MAXDB",
                            b"POSTGRESQL",
                        ]
                        .iter()
                        .any(|m| has(m));
                    }
                    None => {
                        (mode.backslash, mode.ansi_quotes) = (before.backslash, before.ansi_quotes)
                    }
                }
            }
        }
        c.item();
        if !c.symbol(b',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_each_tools_remarks() {
        let php = Some(Tool::PhpMyAdmin);
        let date = |line: &str, tool| match remark(line.as_bytes(), tool) {
            Some(Remark::Date(s, r) | Remark::Completed(Some((s, r)))) => {
                (s.to_string(), line[r].to_owned())
            }
            other => panic!("{line}: {other:?}"),
        };
        for (line, tool, stamp, written) in [
            (
                "-- Dump completed on 2022-11-14 10:00:00",
                None,
                "2022-11-14T10:00:00",
                "2022-11-14 10:00:00",
            ),
            (
                "-- Dump completed on 2022-11-14  9:05:07\r\n",
                None,
                "2022-11-14T09:05:07",
                "2022-11-14  9:05:07",
            ),
            (
                "-- Generation Time: Nov 14, 2022 at 10:05 PM",
                php,
                "2022-11-14T22:05",
                "Nov 14, 2022 at 10:05 PM",
            ),
            (
                "-- Généré le : lun. 14 nov. 2022 à 10:05",
                php,
                "2022-11-14T10:05",
                "lun. 14 nov. 2022 à 10:05",
            ),
            (
                "-- Creato il: Gen 02, 2023 alle 09:05",
                php,
                "2023-01-02T09:05",
                "Gen 02, 2023 alle 09:05",
            ),
            (
                "-- 2024-05-01 10:11:12 UTC",
                Some(Tool::Adminer),
                "2024-05-01T10:11:12Z",
                "2024-05-01 10:11:12 UTC",
            ),
            (
                "# Generation Time: 2019-08-27 12:12:12 +0000",
                Some(Tool::Sequel),
                "2019-08-27T12:12:12Z",
                "2019-08-27 12:12:12 +0000",
            ),
        ] {
            assert_eq!(date(line, tool), (stamp.to_owned(), written.to_owned()));
        }
        let db = |line: &str, tool| match remark(line.as_bytes(), tool) {
            Some(Remark::Database(r)) => line[r].to_owned(),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(db("-- Host: localhost    Database: xtream_iptvpro", None), "xtream_iptvpro");
        assert_eq!(db("-- Base de données : `xc_vm`", php), "xc_vm");
        assert_eq!(db("# Database: panel", None), "panel");
        assert_eq!(remark(b"-- Table structure for table `users`", php), None);
        assert_eq!(remark(b"-- Dump completed", None), Some(Remark::Completed(None)));
    }

    #[test]
    fn set_changes_the_mode() {
        let (mut mode, mut before) = (Mode::default(), Mode::default());
        set(b"/*!40101 SET NAMES latin1 */", &mut mode, &mut before);
        assert_eq!(mode.charset, Charset::Latin1);
        set(
            b"/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_BACKSLASH_ESCAPES,ANSI' */",
            &mut mode,
            &mut before,
        );
        assert!(!mode.backslash && mode.ansi_quotes);
        set(b"SET sql_mode = @OLD_SQL_MODE", &mut mode, &mut before);
        assert!(mode.backslash && !mode.ansi_quotes);
        assert_eq!(set(b"SET NAMES 'gbk'", &mut mode, &mut before).as_deref(), Some("gbk"));
    }
}
