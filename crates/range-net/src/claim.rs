//! Whose a namespace is.
//!
//! A range has the folder `/run/vigie-range/PID`: in it `lock`, which it holds locked for as long as it lives, and
//! `spaces`, the names of its namespaces, written before the first of them is made. The system lets go of the lock
//! however a process ends. So what a folder lists whose lock is free was made by a range that is dead. Where the machine
//! itself went down nothing in `/run` is left, but in `/etc/netns` is: a folder there that bears the name of a place of a
//! range that is not, and the line that ranges write in it, was a dead one's too. Nothing else is ever removed, whatever
//! it is called.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::disk;
use rustix::process::{Pid, Signal, kill_process};

use crate::{Error, tool};

/// The folder of all ranges of this machine. It does not outlive a restart of the machine; nor do namespaces.
const RANGES: &str = "/run/vigie-range";
/// What a namespace's name begins with; then the process and the place.
pub const PREFIX: &str = "vigie-range";
/// The longest that another range is waited for that begins or ends.
const PATIENCE: Duration = Duration::from_secs(60);
/// Files that stand in the place of `/etc`'s own, by namespace.
const SETTINGS: &str = "/etc/netns";
/// The most names in there that are looked at.
const MAX_SETTINGS: usize = 65_536;
/// The longest list of names that is read.
const MAX_LIST: usize = 64 << 10;
/// What runs in a namespace is asked to end, and ended after so long.
const ASKED: Duration = Duration::from_secs(5);

/// A range's hold on its names.
#[derive(Debug)]
pub struct Claim {
    id: u32,
    folder: PathBuf,
    spaces: Vec<String>,
    /// Held until the process ends.
    lock: File,
}

impl Claim {
    /// Clears what dead ranges left, and takes the names of these places. How many dead ranges there were.
    ///
    /// # Errors
    /// The disk; another range that does not end to begin.
    pub fn take(places: &[&str]) -> Result<(Self, usize), Error> {
        let ranges = Path::new(RANGES);
        disk::create_dir(ranges)?;
        // While one begins no other looks: between a folder and its lock there is a moment.
        let begins = lock_file(&ranges.join("lock"))?;
        let until = Instant::now() + PATIENCE;
        while begins.try_lock().is_err() {
            if Instant::now() > until {
                let said =
                    format!("another practice range has been beginning for a minute; see {RANGES}");
                return Err(Error::Which(said));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let cleared = clear(ranges) + sweep(Path::new(SETTINGS), ranges);
        let id = std::process::id();
        let folder = ranges.join(id.to_string());
        if folder.exists() {
            let said = format!("{} is there, and cannot be cleared", folder.display());
            return Err(Error::Which(said));
        }
        let spaces: Vec<String> = places.iter().map(|place| space(id, place)).collect();
        // What is there now is not ours, and would be removed as ours.
        if let Some(there) = spaces.iter().find(|space| is_there(space)) {
            return Err(Error::Which(format!(
                "the namespace {there} is there and is not ours: `ip netns delete {there}`"
            )));
        }
        disk::create_dir(&folder)?;
        let lock = lock_file(&folder.join("lock"))?;
        lock.try_lock().map_err(|e| Error::socket("the range's lock")(e.into()))?;
        disk::write(&folder.join("spaces"), spaces.join("\n").as_bytes())?;
        Ok((Self { id, folder, spaces, lock }, cleared))
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The range's own folder, which goes with it.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The namespaces.
    pub fn spaces(&self) -> &[String] {
        &self.spaces
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        remove(&self.folder, &self.spaces);
        let _ = self.lock.unlock();
    }
}

/// The namespace of a place of a range.
pub fn space(id: u32, place: &str) -> String {
    format!("{PREFIX}-{id}-{place}")
}

/// The ranges that run, and their namespaces.
pub fn running() -> Vec<(u32, Vec<String>)> {
    let held = |(id, folder): (u32, PathBuf)| {
        let lock = File::open(folder.join("lock")).ok()?;
        // Shared, so that two who look do not take one another for the range.
        lock.try_lock_shared().is_err().then(|| (id, listed(&folder, id)))
    };
    folders(Path::new(RANGES)).into_iter().filter_map(held).collect()
}

/// Becomes a command at a place of a range that runs; it comes back only where that fails.
pub fn become_at(range: Option<u32>, place: &str, command: &[OsString]) -> Error {
    if !rustix::process::geteuid().is_root() {
        return Error::NotRoot;
    }
    let space = match find(&running(), range, place) {
        Ok(space) => space,
        Err(error) => return error,
    };
    let mut ip = std::process::Command::new("ip");
    let failed = ip.args(["netns", "exec", &space]).args(command).env("PATH", tool::path()).exec();
    Error::Program { program: "ip netns exec".to_owned(), said: failed.to_string() }
}

/// The namespace that is meant.
fn find(running: &[(u32, Vec<String>)], range: Option<u32>, place: &str) -> Result<String, Error> {
    let meant: Vec<_> =
        running.iter().filter(|(id, _)| range.is_none_or(|range| range == *id)).collect();
    let which = |said: String| Err(Error::Which(said));
    match meant.as_slice() {
        [] => which("no such practice range runs: `vigie range serve` begins one".to_owned()),
        [(id, spaces)] => match spaces.iter().find(|there| **there == space(*id, place)) {
            Some(space) => Ok(space.clone()),
            None => {
                let ours = format!("{PREFIX}-{id}-");
                let places: Vec<_> =
                    spaces.iter().filter_map(|space| space.strip_prefix(&ours)).collect();
                which(format!("the range has no place {place:?}; it has {}", places.join(", ")))
            }
        },
        several => {
            let ids: Vec<_> = several.iter().map(|(id, _)| id.to_string()).collect();
            which(format!(
                "several practice ranges run: say --range with one of {}",
                ids.join(", ")
            ))
        }
    }
}

/// Clears what dead ranges left; how many there were.
fn clear(ranges: &Path) -> usize {
    let mut cleared = 0;
    for (id, folder) in folders(ranges) {
        let free = match File::open(folder.join("lock")) {
            Ok(lock) => lock.try_lock().is_ok(),
            // Nobody begins while we look: its range died before it had a lock, or a namespace.
            Err(e) => e.kind() == std::io::ErrorKind::NotFound,
        };
        if free {
            remove(&folder, &listed(&folder, id));
            cleared += 1;
        }
    }
    cleared
}

/// Removes the settings of namespaces of ranges that went down with the machine; of how many ranges. Whose folder among
/// the ranges is there lives, or could not be cleared: theirs are left.
fn sweep(settings: &Path, ranges: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(settings) else { return 0 };
    let mut swept = BTreeSet::new();
    for entry in entries.take(MAX_SETTINGS).filter_map(Result::ok) {
        let name = entry.file_name();
        let Some(space) = name.to_str() else { continue };
        let rest = space.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-'));
        let Some((id, place)) = rest.and_then(|rest| rest.split_once('-')) else { continue };
        let Ok(id) = id.parse::<u32>() else { continue };
        let lives = ranges.join(id.to_string()).exists() || is_there(space);
        if place.is_empty() || lives || !is_ours(&entry.path(), space) {
            continue;
        }
        if disk::remove_dir_all(&entry.path()).is_ok() {
            swept.insert(id);
        }
    }
    swept.len()
}

/// True of a folder of settings that a range made: it says so, or the machine went down before anything stood in it.
fn is_ours(folder: &Path, space: &str) -> bool {
    let resolver = folder.join("resolv.conf");
    match std::fs::read_dir(folder).map(|mut entries| entries.next().is_none()) {
        Ok(true) => true,
        Ok(false) => {
            std::fs::metadata(&resolver).is_ok_and(|of| of.len() <= MAX_LIST as u64)
                && std::fs::read_to_string(&resolver)
                    .is_ok_and(|text| text.lines().next() == Some(&*mark(space)))
        }
        Err(_) => false,
    }
}

/// The line by which a file is known as a range's.
pub(crate) fn mark(space: &str) -> String {
    format!("# Of the practice range {space}; it goes with it.")
}

/// The folders of ranges, by process.
fn folders(ranges: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(ranges) else { return Vec::new() };
    let named = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        Some((id, entry.path()))
    };
    let mut all: Vec<_> = entries.filter_map(Result::ok).filter_map(named).collect();
    all.sort_unstable();
    all
}

/// The namespaces that a range's folder lists; such alone as it can have made.
fn listed(folder: &Path, id: u32) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("spaces")).unwrap_or_default();
    let ours = format!("{PREFIX}-{id}-");
    let own = |line: &&str| {
        let rest = line.strip_prefix(&ours).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.get(..MAX_LIST.min(text.len()))
        .unwrap_or_default()
        .lines()
        .filter(own)
        .map(str::to_owned)
        .collect()
}

fn lock_file(path: &Path) -> Result<File, Error> {
    if !path.exists() {
        disk::write(path, b"")?;
    }
    File::open(path).map_err(Error::socket(format!("{} cannot be opened", path.display())))
}

/// Ends what runs in namespaces and removes them. What cannot be removed is left to the next range: then the
/// folder stays, too.
fn remove(folder: &Path, spaces: &[String]) {
    let there: Vec<&String> = spaces.iter().filter(|space| is_there(space)).collect();
    let until = Instant::now() + ASKED;
    let mut signal = Signal::TERM;
    loop {
        let pids: Vec<Pid> = there.iter().flat_map(|space| running_in(space)).collect();
        if pids.is_empty() || Instant::now() > until + ASKED {
            break;
        }
        if Instant::now() > until {
            signal = Signal::KILL;
        }
        for pid in pids {
            let _ = kill_process(pid, signal);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut left = false;
    for space in spaces {
        if is_there(space) {
            left |= tool::ip(&["netns", "delete", space], "").is_err();
        }
        let _ = disk::remove_dir_all(&settings(space));
    }
    if !left {
        let _ = disk::remove_dir_all(folder);
    }
}

fn is_there(space: &str) -> bool {
    Path::new("/run/netns").join(space).exists()
}

/// The folder of files that stand in the place of `/etc`'s own for who runs in a namespace by `ip netns exec`.
pub(crate) fn settings(space: &str) -> PathBuf {
    Path::new(SETTINGS).join(space)
}

/// Who runs in a namespace; never this process.
fn running_in(space: &str) -> Vec<Pid> {
    let listed = tool::ip(&["netns", "pids", space], "").unwrap_or_default();
    let own = Some(rustix::process::getpid());
    let pid = |line: &str| line.trim().parse().ok().and_then(Pid::from_raw);
    listed.lines().filter_map(pid).filter(|pid| Some(*pid) != own).collect()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    #[test]
    fn what_a_folder_lists_is_removed_only_where_its_range_can_have_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let text =
            "vigie-range-7-isp-1\nvigie-range-8-isp-1\nother\nvigie-range-7-\nvigie-range-7-../x\n";
        std::fs::write(folder.path().join("spaces"), text).unwrap();
        assert_eq!(listed(folder.path(), 7), ["vigie-range-7-isp-1"]);
        assert!(listed(folder.path(), 9).is_empty());
    }

    #[test]
    fn a_place_is_found_in_the_range_that_is_meant() {
        let one = (7, vec![space(7, "house"), space(7, "isp-1")]);
        let two = (8, vec![space(8, "house")]);
        let said =
            |running: &[_], range, place| find(running, range, place).map_err(|e| e.to_string());
        assert_eq!(said(from_ref(&one), None, "isp-1"), Ok("vigie-range-7-isp-1".to_owned()));
        assert_eq!(
            said(&[one.clone(), two.clone()], Some(8), "house"),
            Ok("vigie-range-8-house".to_owned())
        );
        assert!(said(&[one.clone(), two], None, "house").unwrap_err().contains("one of 7, 8"));
        assert!(said(from_ref(&one), Some(9), "house").unwrap_err().contains("no such"));
        assert!(said(&[one], None, "isp-2").unwrap_err().ends_with("it has house, isp-1"));
    }

    #[test]
    fn what_a_power_cut_left_of_a_range_is_swept_and_nothing_else() {
        let (etc, ranges) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        // One that lives, and bears a number that is used again.
        disk::create_dir(&ranges.path().join("4000000007")).unwrap();
        let made = |name: &str, text: Option<&str>| {
            let folder = etc.path().join(name);
            disk::create_dir(&folder).unwrap();
            if let Some(text) = text {
                disk::write(&folder.join("resolv.conf"), text.as_bytes()).unwrap();
            }
        };
        let ours =
            |name: &str| made(name, Some(&format!("{}\nnameserver 192.0.2.1\n", mark(name))));
        for name in ["vigie-range-4000000006-isp-1", "vigie-range-4000000006-home-1"] {
            ours(name);
        }
        made("vigie-range-4000000005-house", None);
        let left = ["vigie-range-4000000007-isp-1", "other", "vigie-range-x-isp-1"];
        left.iter().for_each(|name| ours(name));
        made("vigie-range-4000000006-isp-2", Some("nameserver 192.0.2.1\n"));
        made("vigie-range-4000000006-isp-3", Some(&mark("vigie-range-4000000006-isp-1")));
        assert_eq!(sweep(etc.path(), ranges.path()), 2);
        let there = std::fs::read_dir(etc.path()).unwrap();
        let there: BTreeSet<_> =
            there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let stay = ["vigie-range-4000000006-isp-2", "vigie-range-4000000006-isp-3"];
        assert_eq!(there, left.into_iter().chain(stay).map(str::to_owned).collect());
        assert_eq!(sweep(&etc.path().join("none"), ranges.path()), 0);
    }

    #[test]
    fn a_folder_whose_lock_is_held_is_not_cleared() {
        let ranges = tempfile::tempdir().unwrap();
        for id in ["7", "8", "9", "x"] {
            disk::create_dir(&ranges.path().join(id)).unwrap();
        }
        let held = lock_file(&ranges.path().join("7/lock")).unwrap();
        held.try_lock().unwrap();
        drop(lock_file(&ranges.path().join("8/lock")).unwrap());
        assert_eq!(clear(ranges.path()), 2);
        let left: Vec<_> = ["7", "8", "9", "x"].map(|id| ranges.path().join(id).exists()).to_vec();
        assert_eq!(left, [true, false, false, true]);
    }
}
