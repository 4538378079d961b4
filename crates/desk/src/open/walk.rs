//! Which files lie under the paths that were named.
//!
//! Folders are read in the order of their names' bytes. A symbolic link is followed where it is
//! named on the command line; inside a folder it is read where it leads only if that lies under the
//! same folder (then it is read there anyway), and is a problem otherwise: nothing outside of what
//! was named is ever read. Devices, sockets and pipes are refused.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What was met on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A plain file and its size.
    File(PathBuf, u64),
    /// What cannot be read, and why.
    Unread(PathBuf, String),
}

/// Walks `roots` in order, all but the case's `own` folder; `each` is handed what is met and says
/// whether to go on. Returns false if it was told to stop.
pub(crate) fn walk(roots: &[PathBuf], own: &Path, each: &mut dyn FnMut(Found) -> bool) -> bool {
    let own = own.canonicalize().unwrap_or_else(|_| own.to_owned());
    let mut walker = Walker { own, seen: BTreeSet::new(), each };
    roots.iter().all(|root| match root.canonicalize() {
        Ok(path) => walker.enter(&path, &path, 0),
        Err(e) => (walker.each)(Found::Unread(root.clone(), format!("cannot be found: {e}"))),
    })
}

/// Folders inside folders: beyond it something is wrong with the medium.
const MAX_DEPTH: usize = 256;

struct Walker<'a> {
    own: PathBuf,
    /// Folders entered, by device and inode: a loop of mounts ends here.
    seen: BTreeSet<(u64, u64)>,
    each: &'a mut dyn FnMut(Found) -> bool,
}

impl Walker<'_> {
    fn unread(&mut self, path: &Path, why: impl Into<String>) -> bool {
        (self.each)(Found::Unread(path.to_owned(), why.into()))
    }

    fn enter(&mut self, root: &Path, path: &Path, depth: usize) -> bool {
        let metadata = match path.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(e) => return self.unread(path, format!("cannot be looked at: {e}")),
        };
        let kind = metadata.file_type();
        if kind.is_file() {
            return (self.each)(Found::File(path.to_owned(), metadata.len()));
        }
        if kind.is_symlink() {
            return match path.canonicalize() {
                Ok(to) if to.starts_with(root) => true,
                Ok(_) => self.unread(path, "a symbolic link that leads out of the folder"),
                Err(e) => self.unread(path, format!("a symbolic link that leads nowhere: {e}")),
            };
        }
        if !kind.is_dir() {
            return self.unread(path, "a device, socket or pipe");
        }
        if depth > MAX_DEPTH {
            return self.unread(path, format!("more than {MAX_DEPTH} folders deep"));
        }
        // Its files would change under the reading, and its openings are no material. Another case's
        // folder is material like any other: who seized it must have it whole.
        if path == self.own {
            return self.unread(path, "the folder of the case itself: it is left out");
        }
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            // Named twice, or mounted inside itself: it has been read.
            return true;
        }
        let mut names = Vec::new();
        match std::fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => names.push(entry.path()),
                        Err(e) => {
                            if !self.unread(path, format!("cannot be listed to its end: {e}")) {
                                return false;
                            }
                        }
                    }
                }
            }
            Err(e) => return self.unread(path, format!("cannot be listed: {e}")),
        }
        names.sort_unstable_by(|a, b| {
            a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes())
        });
        names.iter().all(|path| self.enter(root, path, depth + 1))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods)]
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn loops_and_ways_out_are_problems_and_order_is_fixed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("in");
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        std::fs::write(root.join("b/c/2"), b"22").unwrap();
        std::fs::write(root.join("a"), b"1").unwrap();
        std::fs::write(dir.path().join("outside"), b"x").unwrap();
        symlink("../outside", root.join("out")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("..", root.join("b/up")).unwrap();
        symlink("a", root.join("same")).unwrap();
        let mut found = Vec::new();
        assert!(walk(&[root.clone(), root.join("missing")], Path::new("/nowhere"), &mut |f| {
            found.push(f);
            true
        }));
        let files: Vec<_> = found
            .iter()
            .filter_map(|f| match f {
                Found::File(p, n) => Some((p.strip_prefix(&root).unwrap().to_owned(), *n)),
                Found::Unread(..) => None,
            })
            .collect();
        assert_eq!(files, [("a".into(), 1), ("b/c/2".into(), 2)]);
        let unread: Vec<_> = found
            .iter()
            .filter_map(|f| match f {
                Found::Unread(p, _) => Some(p.file_name().unwrap().to_str().unwrap()),
                Found::File(..) => None,
            })
            .collect();
        assert_eq!(unread, ["loop", "out", "missing"]);
    }
}
