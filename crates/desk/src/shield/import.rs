//! Sets that operators give: hospitals, emergency services, their own resolvers, exceptions.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::Value;
use shield::item::Name;
use shield::sets::{Class, Head, Match, text};

use super::{MAX_SET, Places};
use crate::{Error, Result};

/// What is said of a file that is given.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// The file: a set, a plain list, a list of MISP's, or cdncheck's ranges.
    pub file: &'a Path,
    /// The set's name; else the file's.
    pub name: Option<&'a str>,
    /// What its members are. A set says it itself; cdncheck's file by its parts.
    pub class: Option<Class>,
    /// Where it comes from.
    pub source: Option<&'a str>,
    /// Of when it is.
    pub date: Option<Date>,
    /// How far its names reach; else [`Match::Subtree`] for exceptions, registrable for other classes.
    pub matches: Option<Match>,
}

/// A set that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// What it says of itself.
    pub head: Head,
    /// Its members.
    pub entries: usize,
    /// What the file held beyond, that is no name, address or network.
    pub left_out: usize,
    /// Where it was written.
    pub path: PathBuf,
}

/// The members of a list, a line each.
pub(super) struct Members {
    pub(super) text: String,
    pub(super) entries: usize,
    pub(super) left_out: usize,
}

impl Members {
    /// Of a list of the field, as it is: what is no member of a set is left out, and counted.
    fn of<'a>(members: impl Iterator<Item = &'a str>, class: Class) -> Self {
        let mut left_out = 0;
        let lines = members.filter_map(|member| {
            let line = normal(member, class);
            left_out += usize::from(line.is_none());
            line
        });
        let lines = lines.collect();
        Self::sorted(lines, left_out)
    }

    /// Of what an operator wrote: each line counts, so one that is off is told, and nothing is taken.
    fn strictly(text: &str, from: usize, class: Class) -> std::result::Result<Self, String> {
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate().skip(from) {
            let member = line.split('#').next().unwrap_or("").trim();
            if member.is_empty() {
                continue;
            }
            let off = |why: &str| format!("line {}: {member:?} {why}", at + 1);
            let normal = normal(member, class).ok_or_else(|| {
                off(match class {
                    Class::Seen => "is no `address name`",
                    Class::Alias => "is no `alias target`",
                    Class::AsType => "is no `AS64500 cdn`",
                    _ => "is no name, address, network or AS number",
                })
            })?;
            if let Some(why) = too_wide(&normal) {
                return Err(off(why));
            }
            lines.push(normal);
        }
        Ok(Self::sorted(lines, 0))
    }

    fn sorted(mut lines: Vec<String>, left_out: usize) -> Self {
        lines.sort_unstable();
        lines.dedup();
        let mut text = String::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        Self { text, entries: lines.len(), left_out }
    }
}

/// Why a member would hold for half the world: a heading among names, a slip in a network.
fn too_wide(member: &str) -> Option<&'static str> {
    if let Some((ip, prefix)) = member.split_once('/') {
        let least = if ip.contains(':') { 20 } else { 8 };
        let prefix: u32 = prefix.parse().unwrap_or(0);
        return (prefix < least).then_some("is wider than /8 (IPv4) or /20 (IPv6)");
    }
    let single = !member.contains(['.', ':', ' ']) && !member.starts_with("AS");
    single.then_some("is a single word: name a host or a domain")
}

/// A member as sets hold it. The lists of the field write names in capitals, in Unicode, with a dot in
/// front; pairs are kept as they are, and read by the set's own reader.
fn normal(member: &str, class: Class) -> Option<String> {
    let member = member.trim();
    if matches!(class, Class::Seen | Class::Alias | Class::AsType) {
        let (first, second) = member.split_once(char::is_whitespace)?;
        let good = match class {
            Class::Seen => first.parse::<IpAddr>().is_ok() && Name::parse(second.trim()).is_ok(),
            Class::Alias => Name::parse(first).is_ok() && Name::parse(second.trim()).is_ok(),
            _ => Class::of_word(second.trim()).is_some_and(Class::is_network),
        };
        return good.then(|| member.to_owned());
    }
    let (ip, prefix) = member.split_once('/').map_or((member, None), |(ip, p)| (ip, Some(p)));
    if let Ok(ip) = ip.parse::<IpAddr>() {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let good = prefix.is_none_or(|prefix| prefix.parse::<u32>().is_ok_and(|n| n <= most));
        return good.then(|| member.to_ascii_lowercase());
    }
    let number = member.get(..2).filter(|head| head.eq_ignore_ascii_case("as"));
    if number.is_some() && member.len() > 2 && member[2..].bytes().all(|b| b.is_ascii_digit()) {
        return Some(member.to_ascii_uppercase());
    }
    let name = member.strip_prefix("*.").or_else(|| member.strip_prefix('.')).unwrap_or(member);
    // A top-level name is somebody's too; among popular names a single word is a heading.
    if class != Class::Popular && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic())
    {
        return Some(name.to_ascii_lowercase());
    }
    Name::parse(name).ok().map(|name| name.as_str().to_owned())
}

/// The members of a list of MISP's.
pub(super) fn members(value: &Value, class: Class) -> std::result::Result<Members, String> {
    let list = value.get("list").and_then(Value::as_array);
    let list = list.ok_or("it has no array `list`, as MISP's lists do")?;
    // What is no text is no member either, and counted as such.
    Ok(Members::of(list.iter().map(|member| member.as_str().unwrap_or("")), class))
}

/// Takes a file among the authority's own sets, in the place of an own one with the same name.
///
/// # Errors
/// What is missing or off, with the line; the disk. Nothing is written then.
pub fn add(home: &Path, given: &Given<'_>) -> Result<Vec<Added>> {
    let bytes = super::read(given.file, MAX_SET)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Error::Asked(format!("{} is not UTF-8 text (byte {at})", given.file.display()))
    })?;
    // As some editors begin a file.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if given.date.is_some_and(|date| date > super::today()) {
        return Err(Error::Asked("--date lies in the future: say of when the file is".to_owned()));
    }
    let (suffixes, _) = super::suffixes(&Places::of(home).suffixes())?;
    let mut made = Vec::new();
    for (head, members) in read(given, text)? {
        let text = text::head(&head) + &members.text;
        // What is written is what will be read: a bad line is told now.
        let set = text::read(&text, &suffixes)
            .map_err(|e| Error::Asked(format!("{}: as a set, {e}", given.file.display())))?;
        if set.entries == 0 {
            let what = format!(
                "{} holds no name, address or network{}",
                given.file.display(),
                if members.left_out > 0 { ", but other things" } else { "" }
            );
            return Err(Error::Asked(what));
        }
        made.push((head, set.entries, members.left_out, text));
    }
    let own = Places::of(home).own();
    for folder in [home, &Places::of(home).root, &own] {
        ledger::disk::create_dir(folder)?;
    }
    let mut added = Vec::new();
    for (head, entries, left_out, text) in made {
        let path = own.join(format!("{}.set", head.name));
        ledger::disk::write(&path, text.as_bytes())?;
        added.push(Added { head, entries, left_out, path });
    }
    Ok(added)
}

/// Takes one of the authority's own sets away.
///
/// # Errors
/// There is none of that name; the disk.
pub fn remove(home: &Path, name: &str) -> Result<PathBuf> {
    let path = Places::of(home).own().join(format!("{name}.set"));
    let there = std::fs::symlink_metadata(&path).is_ok_and(|found| !found.is_dir());
    let plain = !name.contains(['/', '\\']) && there;
    if !plain {
        return Err(Error::Asked(format!(
            "{name:?} is none of the authority's own sets: `vigie shield sets` lists them"
        )));
    }
    ledger::disk::remove(&path)?;
    Ok(path)
}

fn read(given: &Given<'_>, text: &str) -> Result<Vec<(Head, Members)>> {
    if text.starts_with("vigie-set ") {
        return Ok(vec![as_set(given, text)?]);
    }
    if text.trim_start().starts_with('{') {
        let value: Value = serde_json::from_str(text)
            .map_err(|e| Error::Asked(format!("{} is no JSON: {e}", given.file.display())))?;
        if value.get("list").is_none() {
            return as_ranges(given, &value);
        }
        let (head, class) = head_of(given, given.class)?;
        let members = members(&value, class)
            .map_err(|e| Error::Asked(format!("{}: {e}", given.file.display())))?;
        return Ok(vec![(head, members)]);
    }
    let (head, class) = head_of(given, given.class)?;
    Ok(vec![(head, strictly(given, text, 0, class)?)])
}

/// The lines of a set before its members.
const HEAD_LINES: usize = 7;

fn strictly(given: &Given<'_>, text: &str, from: usize, class: Class) -> Result<Members> {
    Members::strictly(text, from, class).map_err(|e| {
        let next = "nothing was taken; mend it, or put # before it";
        Error::Asked(format!("{}, {e}: {next}", given.file.display()))
    })
}

/// A set as a file: its head is its own, but for what the call says otherwise.
fn as_set(given: &Given<'_>, text: &str) -> Result<(Head, Members)> {
    let off = |e: text::SetError| Error::Asked(format!("{}, {e}", given.file.display()));
    let set = text::read(text, &shield::Suffixes::default()).map_err(off)?;
    let mut head = set.head;
    if let Some(name) = given.name {
        head.name = name.to_owned();
    }
    head.class = given.class.unwrap_or(head.class);
    head.source = given.source.map_or(head.source, str::to_owned);
    head.date = given.date.unwrap_or(head.date);
    head.matches = given.matches.unwrap_or(head.matches);
    let members = strictly(given, text, HEAD_LINES, head.class)?;
    Ok((head, members))
}

/// cdncheck's file (github.com/projectdiscovery/cdncheck): by kind and owner lists of networks.
fn as_ranges(given: &Given<'_>, value: &Value) -> Result<Vec<(Head, Members)>> {
    let mut out = Vec::new();
    for class in [Class::Cdn, Class::Cloud, Class::Waf] {
        let Some(owners) = value.get(class.word()).and_then(Value::as_object) else { continue };
        let networks = owners.values().filter_map(Value::as_array).flatten();
        let members = Members::of(networks.filter_map(Value::as_str), class);
        let (mut head, _) = head_of(given, Some(class))?;
        head.name = format!("{}-{}", head.name, class.word());
        out.push((head, members));
    }
    if out.is_empty() {
        return Err(Error::Asked(format!(
            "{} is neither a list of MISP's (`list`) nor cdncheck's ranges (`cdn`, `cloud`, `waf`)",
            given.file.display()
        )));
    }
    Ok(out)
}

fn head_of(given: &Given<'_>, class: Option<Class>) -> Result<(Head, Class)> {
    let wanted = |what: &str| Error::Asked(format!("{}: {what}", given.file.display()));
    let class = class.ok_or_else(|| wanted("say what its members are with --class"))?;
    let stem = given.file.file_stem().and_then(|stem| stem.to_str()).unwrap_or("own");
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 64
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    if let Some(name) = given.name.filter(|name| !plain(name)) {
        return Err(Error::Asked(format!(
            "--name {name:?}: a set's name is of at most 64 letters, digits, `-`, `_` and `.`"
        )));
    }
    let named = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name = given.name.map_or_else(|| stem.chars().map(named).take(64).collect(), str::to_owned);
    let source = given.source.ok_or_else(|| wanted("say where it comes from with --source"))?;
    let date = given.date.ok_or_else(|| wanted("say of when it is with --date"))?;
    let usual = if class == Class::Exception { Match::Subtree } else { Match::Registrable };
    let matches = given.matches.unwrap_or(usual);
    Ok((Head { name, class, source: source.to_owned(), date, matches }, class))
}
