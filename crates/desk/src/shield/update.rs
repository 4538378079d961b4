//! Fetching what is public: MISP's warning lists by pip, the public suffixes from Debian's package.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::civil::Date;
use serde_json::Value;
use shield::sets::{Head, text};

use super::import::{Members, members};
use super::lists::{LISTS, List};
use super::{MAX_SET, Places};
use crate::{Error, Result};

/// The package of lists.
const PACKAGE: &str = "pymispwarninglists";

/// What the first line of the kept list of suffixes begins with.
pub(super) const SUFFIX_HEAD: &str = "// vigie ";

/// Fewer sets than this are no package: a download cut short.
const LEAST_SETS: usize = 10;

/// How deep `--from` is searched.
const MAX_DEPTH: usize = 8;

/// A set that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedSet {
    /// What it says of itself.
    pub head: Head,
    /// Its members.
    pub entries: usize,
    /// Members of the list that are no name, address or network, and were left out.
    pub left_out: usize,
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The sets.
    pub sets: Vec<FetchedSet>,
    /// Lists of the table that the package does not hold, or holds empty.
    pub absent: Vec<&'static str>,
    /// Sets that stay as they were, since what came in their place is less than half of them: name,
    /// members before, members now.
    pub kept: Vec<(String, usize, usize)>,
    /// Of when the public suffixes are; `None` where none could be had, and what was there stays.
    pub suffixes: Option<Date>,
    /// Where the sets lie.
    pub folder: PathBuf,
}

/// Makes the sets anew from MISP's lists and Debian's public suffixes: out of `from`, or fetched by
/// pip and apt where that is `None`. `from` holds the package's folder, and `public_suffix_list.dat`,
/// anywhere below it.
///
/// # Errors
/// pip is missing or failed; a list that is none, with its file; the disk. Each set is replaced whole,
/// and those that were there stay where anything fails before.
pub fn update(home: &Path, from: Option<&Path>) -> Result<Fetched> {
    let places = Places::of(home);
    ledger::disk::create_dir(home)?;
    ledger::disk::create_dir(&places.root)?;
    let work = places.root.join(".fetching");
    ledger::disk::remove_dir_all(&work)?;
    ledger::disk::create_dir(&work)?;
    let done = make(&places, from, &work);
    ledger::disk::remove_dir_all(&work)?;
    done
}

fn make(places: &Places, from: Option<&Path>, work: &Path) -> Result<Fetched> {
    let found = match from {
        Some(folder) => folder.to_owned(),
        None => {
            fetch(work)?;
            work.to_owned()
        }
    };
    // The folder of the lists itself may be named, too.
    let itself = LISTS.iter().any(|list| found.join(list.folder).join("list.json").is_file());
    let lists = itself.then(|| found.clone());
    let lists = lists.or_else(|| find(&found, "lists", true, MAX_DEPTH)).ok_or_else(|| {
        Error::Asked(format!(
            "{} holds no folder `lists` with MISP's lists: name the folder of {PACKAGE}",
            found.display()
        ))
    })?;
    let version = version_of(&found);
    let (made, absent) = build(&lists, &version)?;
    let suffixes = suffixes(from, work)?;
    for (set, members) in &made {
        // What is written is what will be read.
        let name = &set.head.name;
        text::read(&(text::head(&set.head) + members), &shield::Suffixes::default())
            .map_err(|e| Error::Beside(format!("the list {name}, as a set, {e}")))?;
    }
    if made.len() < LEAST_SETS {
        let what = format!("{} holds {} lists: too few", lists.display(), made.len());
        return Err(Error::Beside(what));
    }
    // All is read and well: now it is written.
    let folder = places.fetched();
    ledger::disk::create_dir(&folder)?;
    ledger::disk::sweep(&folder)?;
    let mut sets = Vec::new();
    let mut kept = Vec::new();
    // A list that shrank or went would unprotect whoever stood on it: what was there stays, and is told.
    let before = members_before(&folder)?;
    let now: BTreeMap<&str, usize> =
        made.iter().map(|(set, _)| (set.head.name.as_str(), set.entries)).collect();
    for (name, entries) in &before {
        // A list that Vigie takes no longer is no list that went.
        if LISTS.iter().all(|list| list.folder != name) {
            ledger::disk::remove(&folder.join(format!("{name}.set")))?;
            continue;
        }
        let left = now.get(name.as_str()).copied().unwrap_or(0);
        if left * 2 < *entries {
            kept.push((name.clone(), *entries, left));
        }
    }
    for (set, members) in made {
        if kept.iter().any(|(name, _, _)| *name == set.head.name) {
            continue;
        }
        let path = folder.join(format!("{}.set", set.head.name));
        ledger::disk::write(&path, (text::head(&set.head) + &members).as_bytes())?;
        sets.push(set);
    }
    let date = suffixes.as_ref().map(|(date, _)| *date);
    if let Some((date, list)) = suffixes {
        let source =
            if from.is_none() { "Debian, package publicsuffix" } else { "a file that was given" };
        let head = format!("{SUFFIX_HEAD}{date} {source}\n");
        ledger::disk::write(&places.suffixes(), (head + &list).as_bytes())?;
    }
    Ok(Fetched { sets, absent, kept, suffixes: date, folder })
}

/// The members of each set that is there.
fn members_before(folder: &Path) -> Result<BTreeMap<String, usize>> {
    let mut all = BTreeMap::new();
    for path in super::set_files(folder)? {
        let text = super::read_text(&path)?;
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let lines = text.lines().skip_while(|line| !line.is_empty());
        all.insert(stem.to_owned(), lines.filter(|line| !line.is_empty()).count());
    }
    Ok(all)
}

type Made = Vec<(FetchedSet, String)>;

fn build(lists: &Path, version: &str) -> Result<(Made, Vec<&'static str>)> {
    let mut found = Vec::new();
    let mut absent = Vec::new();
    let mut newest = None;
    for list in LISTS {
        let path = lists.join(list.folder).join("list.json");
        if !path.is_file() {
            absent.push(list.folder);
            continue;
        }
        let off = |what: String| Error::Beside(format!("{}: {what}", path.display()));
        let value: Value = serde_json::from_slice(&super::read(&path, MAX_SET)?)
            .map_err(|e| off(format!("no JSON: {e}")))?;
        let date = value.get("version").and_then(version_date);
        newest = newest.max(date);
        let members = members(&value, list.class).map_err(off)?;
        if members.entries == 0 {
            absent.push(list.folder);
            continue;
        }
        found.push((list, date, members));
    }
    // A list without a date of its own is at most as old as its package's newest one says.
    let newest = newest.unwrap_or(Date::constant(2000, 1, 1));
    let sets = found.into_iter().map(|(list, date, Members { text, entries, left_out })| {
        let head = head(list, version, date.unwrap_or(newest));
        (FetchedSet { head, entries, left_out }, text)
    });
    Ok((sets.collect(), absent))
}

fn head(list: &List, version: &str, date: Date) -> Head {
    Head {
        name: list.folder.to_owned(),
        class: list.class,
        source: format!("MISP warning lists, {PACKAGE}{version}"),
        date,
        matches: list.matches,
    }
}

/// `20251223` is a date, `8` is none.
fn version_date(version: &Value) -> Option<Date> {
    let number = version.as_i64()?;
    let part = |n: i64| i8::try_from(n % 100).ok();
    Date::new(i16::try_from(number / 10_000).ok()?, part(number / 100)?, part(number)?)
        .ok()
        .filter(|date| date.year() >= 2000 && *date <= super::today())
}

/// The package's version, by the folder that pip lays beside it; empty where there is none.
fn version_of(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter_map(|name| {
            let rest = name.strip_suffix(".dist-info")?.strip_prefix(PACKAGE)?;
            Some(format!(" {}", rest.strip_prefix('-')?))
        })
        .next()
        .unwrap_or_default()
}

/// Has pip fetch the package. It is a wheel: nothing of it runs.
fn fetch(work: &Path) -> Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]);
    pip.args(["--only-binary", ":all:", "--disable-pip-version-check", "--no-input"]);
    pip.arg("--target").arg(work).arg(PACKAGE);
    let advice = "where there is no pip or no network, fetch the package elsewhere and name its \
                  folder with --from";
    let done = pip.stdin(Stdio::null()).output().map_err(|e| {
        Error::Beside(format!(
            "pip could not be started: {e}; install Debian's python3-pip; {advice}"
        ))
    })?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let said = said.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("nothing").to_owned();
    Err(Error::Beside(format!("pip ended with {}, saying: {said}; {advice}", done.status)))
}

/// Debian's list and its date: as it lies in `from`, as it is installed, or as apt fetches it.
fn suffixes(from: Option<&Path>, work: &Path) -> Result<Option<(Date, String)>> {
    const NAME: &str = "public_suffix_list.dat";
    let installed = Path::new("/usr/share/publicsuffix").join(NAME);
    let path = match from {
        Some(folder) => find(folder, NAME, false, MAX_DEPTH),
        None if installed.is_file() => Some(installed),
        None => unpack(work).map(|folder| folder.join("usr/share/publicsuffix").join(NAME)),
    };
    let Some(path) = path.filter(|path| path.is_file()) else { return Ok(None) };
    let modified = std::fs::metadata(&path).and_then(|m| m.modified());
    let modified = modified.map_err(|source| Error::Read { path: path.clone(), source })?;
    // Newer lists say of when they are; Debian's packages keep the date of the list that they carry.
    let list = super::read_text(&path)?;
    let said = list.lines().take(20).find_map(|line| line.strip_prefix("// VERSION: "));
    let said = said.and_then(|version| version.get(..10)?.parse().ok());
    let modified = jiff::Timestamp::try_from(modified)
        .map(|time| time.to_zoned(jiff::tz::TimeZone::UTC).date())
        .map_err(|e| Error::Beside(format!("{}: no date: {e}", path.display())))?;
    let date = said.unwrap_or(modified).min(super::today());
    shield::Suffixes::read(&list, "Debian", date)
        .map_err(|e| Error::Beside(format!("{}: {e}", path.display())))?;
    Ok(Some((date, list)))
}

/// Has apt fetch Debian's package and unpacks it, without installing anything.
fn unpack(work: &Path) -> Option<PathBuf> {
    let run = |command: &mut Command| {
        let done = command.current_dir(work).stdin(Stdio::null()).output();
        done.is_ok_and(|done| done.status.success()).then_some(())
    };
    run(Command::new("apt-get").args(["download", "--quiet", "publicsuffix"]))?;
    let mut entries = std::fs::read_dir(work).ok()?.flatten().map(|entry| entry.path());
    let package = entries.find(|path| path.extension().is_some_and(|end| end == "deb"))?;
    let into = work.join("debian");
    run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&into))?;
    Some(into)
}

/// The first file or folder of a name, at most so deep below a folder.
fn find(folder: &Path, name: &str, is_dir: bool, depth: usize) -> Option<PathBuf> {
    let here = folder.join(name);
    if (is_dir && here.is_dir()) || (!is_dir && here.is_file()) {
        return Some(here);
    }
    let mut below: Vec<_> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect();
    below.sort();
    below.iter().find_map(|folder| find(folder, name, is_dir, depth.checked_sub(1)?))
}
