//! Sets as text: a head of six lines, an empty line, a member a line.
//!
//! ```text
//! vigie-set 1
//! name: banks
//! class: bank
//! source: the regulator's register
//! date: 2026-09-01
//! match: registrable
//!
//! bank.example        # a name
//! 192.0.2.0/24        # or an address, or a network
//! AS64500             # or an autonomous system
//! ```
//!
//! A set of class `seen` holds `address name`, one of class `alias` `alias target`, one of class
//! `as_type` `AS64500 cdn`. What follows `#` is for people.

use std::fmt::Write as _;
use std::net::IpAddr;

use jiff::civil::Date;

use super::names::Names;
use super::ranges::Ranges;
use super::{Class, Head, Match, Set, domains};
use crate::item::Name;
use crate::suffixes::Suffixes;

/// The most lines that are read of one set.
pub const MAX_LINES: usize = 5_000_000;

/// The first line of a set.
const MAGIC: &str = "vigie-set 1";

/// Why a text is no set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The file is something else.
    #[error("line 1: expected `{MAGIC}`, found {0:?}")]
    NotASet(String),
    /// A line of the head is missing or off.
    #[error("line {line}: expected `{key}: …`{hint}")]
    Head {
        /// From 1 on.
        line: usize,
        /// What should stand there.
        key: &'static str,
        /// What its value may be.
        hint: String,
    },
    /// A member that is none.
    #[error("line {line}: {text:?} is no {wanted}")]
    Member {
        /// From 1 on.
        line: usize,
        /// What stands there.
        text: String,
        /// What such a set holds.
        wanted: &'static str,
    },
    /// More than [`MAX_LINES`].
    #[error("more than {MAX_LINES} lines")]
    TooLong,
}

/// Writes a set's head, for members to follow.
pub fn head(head: &Head) -> String {
    let mut out = format!("{MAGIC}\nname: {}\nclass: {}\n", head.name, head.class.word());
    let _ = writeln!(out, "source: {}", head.source);
    let _ = writeln!(out, "date: {}\nmatch: {}\n", head.date, head.matches.word());
    out
}

/// Reads a set. Which part of a name is registrable is `suffixes`' answer.
///
/// # Errors
/// The first line that is off: a set is read whole, or not at all.
pub fn read(text: &str, suffixes: &Suffixes) -> Result<Set, SetError> {
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let head = read_head(&mut lines)?;
    if lines.clone().count() > MAX_LINES {
        return Err(SetError::TooLong);
    }
    let rest = lines.clone().filter(|(_, line)| !member_of(line).is_empty()).count();
    let pairs = matches!(head.class, Class::Seen | Class::Alias | Class::AsType);
    // Sets of networks hold few names: room is made as they come.
    let room = if pairs || looks_numeric(text) { 0 } else { rest };
    let mut set = Set {
        names: Names::with_capacity(room, if room > 0 { text.len() } else { 0 }),
        ranges: Ranges::default(),
        systems: Vec::new(),
        seen: Vec::new(),
        alias: Vec::new(),
        entries: 0,
        head,
    };
    // The registrable domain takes time for each name, and of a list that is too long to mean
    // anything only the name itself is shown.
    let by_domain = set.head.matches == Match::Registrable
        && !(set.head.class == Class::Popular && rest > super::POPULAR_MAX);
    for (line, text) in lines {
        let member = member_of(text);
        if member.is_empty() {
            continue;
        }
        let wanted = match set.head.class {
            Class::Seen => "`address name`",
            Class::Alias => "`alias target`",
            Class::AsType => "`AS64500 cdn`",
            _ => "name in lower case, address, network or AS number",
        };
        let off = || SetError::Member { line, text: member.to_owned(), wanted };
        add(&mut set, member, by_domain.then_some(suffixes)).ok_or_else(off)?;
        set.entries += 1;
    }
    settle(&mut set);
    Ok(set)
}

/// What a line holds before its comment.
fn member_of(line: &str) -> &str {
    line.split('#').next().unwrap_or("").trim()
}

fn looks_numeric(text: &str) -> bool {
    let last = text.lines().next_back().unwrap_or("");
    matches!(network(last.trim()), Some(Some(_)))
}

fn read_head<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Head, SetError> {
    let (_, first) = lines.next().unwrap_or((1, ""));
    if first.trim() != MAGIC {
        return Err(SetError::NotASet(first.chars().take(40).collect()));
    }
    let mut at = 1;
    let mut value = |key: &'static str, hint: &str| {
        at += 1;
        let (line, text) = lines.next().unwrap_or((at, ""));
        let found = text.strip_prefix(key).and_then(|rest| rest.strip_prefix(':')).map(str::trim);
        let off = SetError::Head { line, key, hint: hint.to_owned() };
        match found {
            Some(found) if !found.is_empty() => Ok((found, off)),
            _ => Err(off),
        }
    };
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let (name, off) = value("name", " of letters, digits, `-`, `_` and `.`")?;
    if !plain(name) || name.len() > 64 {
        return Err(off);
    }
    let words: Vec<_> = Class::ALL.iter().map(|class| class.word()).collect();
    let (class, off) = value("class", &format!(", one of {}", words.join(", ")))?;
    let class = Class::of_word(class).ok_or(off)?;
    let (source, off) = value("source", ", where the members come from, at most 200 characters")?;
    if source.chars().count() > 200 {
        return Err(off);
    }
    let (date, off) = value("date", " as 2026-09-01")?;
    let date: Date = date.parse().map_err(|_| off)?;
    let (matches, off) = value("match", ", one of exact, subtree, registrable")?;
    let matches = Match::ALL.into_iter().find(|m| m.word() == matches).ok_or(off)?;
    let (line, empty) = lines.next().unwrap_or((at + 1, ""));
    if !empty.trim().is_empty() {
        let hint = " to end after `match`, with an empty line".to_owned();
        return Err(SetError::Head { line, key: "the head", hint });
    }
    Ok(Head { name: name.to_owned(), class, source: source.to_owned(), date, matches })
}

fn add(set: &mut Set, member: &str, suffixes: Option<&Suffixes>) -> Option<()> {
    match set.head.class {
        Class::Seen => {
            let (ip, name) = member.split_once(char::is_whitespace)?;
            set.seen.push((ip.parse().ok()?, own(name.trim())?));
        }
        Class::Alias => {
            let (alias, target) = member.split_once(char::is_whitespace)?;
            set.alias.push((own(target.trim())?, own(alias)?));
        }
        Class::AsType => {
            let (number, kind) = member.split_once(char::is_whitespace)?;
            let kind = Class::of_word(kind.trim()).filter(|class| class.is_network())?;
            set.systems.push((system(number)?, kind));
        }
        class => {
            if let Some(number) = system(member) {
                set.systems.push((number, class));
            } else if let Some((ip, prefix)) = network(member)? {
                set.ranges.insert(ip, prefix)?;
            } else {
                let name = member.strip_prefix('.').unwrap_or(member);
                if !is_name(name) {
                    return None;
                }
                let mut named = false;
                for domain in suffixes.into_iter().flat_map(|suffixes| domains(name, suffixes)) {
                    set.names.insert(domain);
                    named = true;
                }
                if !named {
                    set.names.insert(name);
                }
            }
        }
    }
    Some(())
}

fn own(name: &str) -> Option<Box<str>> {
    let name = Name::parse(name).ok()?;
    Some(name.as_str().into())
}

/// `AS64500`.
fn system(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("AS")?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// An address or a network; `None` where the text looks like one and is none, `Some(None)` where it
/// does not look like one.
#[allow(clippy::option_option)] // Three answers, at one place.
fn network(text: &str) -> Option<Option<(IpAddr, Option<u32>)>> {
    let last = text.rsplit('.').next().unwrap_or(text);
    let number = !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit());
    if !number && !text.bytes().any(|b| b == b':' || b == b'/') {
        return Some(None);
    }
    if let Some((ip, prefix)) = text.split_once('/') {
        return Some(Some((ip.parse().ok()?, Some(prefix.parse().ok()?))));
    }
    Some(Some((text.parse().ok()?, None)))
}

/// A name as sets hold them: ASCII, lower case; a single label too, since top-level names are
/// somebody's.
fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
    name.len() <= 253
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.len() <= 63 && label.bytes().all(good))
}

fn settle(set: &mut Set) {
    set.names.shrink();
    set.ranges.settle();
    // Of a system that is said to be two things, the graver counts.
    set.systems.sort_by_key(|(number, class)| (*number, std::cmp::Reverse(class.effect())));
    set.systems.dedup_by_key(|(number, _)| *number);
    set.seen.sort_unstable();
    set.seen.dedup();
    set.alias.sort_unstable();
    set.alias.dedup();
}
