//! What the examples that measure a clearing house share.

use std::path::Path;

use shield::order::words::{Organisation, Person};
use shield::order::{Actor, Role};

pub(crate) type Failed = Box<dyn std::error::Error>;

pub(crate) fn actor(person: &str, organisation: &str, role: Role) -> Result<Actor, Failed> {
    let organisation = Organisation::new(organisation).ok_or("a name")?;
    Ok(Actor { person: Person::new(person).ok_or("a name")?, organisation, role })
}

/// This process's memory in MB: `VmRSS:` now, `VmHWM:` the most.
pub(crate) fn memory_mb(which: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let kb = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kb.unwrap_or(0.0) / 1e3
}

/// The bytes of all files in a folder.
pub(crate) fn bytes_in(dir: &Path) -> u64 {
    let entries = dir.read_dir().into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => bytes_in(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
