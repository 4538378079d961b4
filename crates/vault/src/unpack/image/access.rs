//! What The Sleuth Kit's programs are given to read: the image's own files, or a copy of the disk's bytes
//! where they may not read an E01 as we do.

use std::path::{Path, PathBuf};

use ledger::disk::nameless::Nameless;
use model::ProblemKind;

use super::{Image, Parts};
use crate::image::copy::{Refused, What, copy};
use crate::image::sleuthkit::{Links, Naming};
use crate::unpack::{Context, ROOM};

/// Names for the programs, and what is held while they read.
pub(super) struct Access {
    pub(super) links: Links,
    _file: Option<Nameless>,
}

impl Image<'_, '_> {
    fn scratch(&self) -> PathBuf {
        self.how.scratch.map_or_else(std::env::temp_dir, Path::to_path_buf)
    }

    /// The image's own files; behind a raw image that ends before its partitions begin, zeros, since The
    /// Sleuth Kit refuses a table that leads behind the end.
    pub(super) fn own(&self, parts: &Parts) -> Option<Access> {
        let mut paths = self.paths.clone()?;
        let mut held = None;
        let behind = parts.until.saturating_sub(self.disk.size());
        if self.naming == Naming::Raw && behind > 0 {
            held = Nameless::new(&self.scratch(), behind).ok();
            paths.extend(held.as_ref().map(Nameless::link));
        }
        let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        Some(Access { links: Links::new(self.naming, &paths).ok()?, _file: held })
    }

    /// A copy of the disk's bytes; `None` where there is none, and that is said unless the work was
    /// called off.
    pub(super) fn copied<E>(
        &mut self,
        cx: &mut Context<'_, E>,
        parts: &Parts,
        why: &str,
    ) -> Option<Access> {
        let folder = self.scratch();
        let whole = (0, self.disk.size());
        let read: Vec<_> = parts.volumes.iter().map(|v| (v.start, v.start + v.len)).collect();
        let made = match self.filled {
            None => {
                let message = "its chunks lie over one another: The Sleuth Kit reads the E01 itself, since a copy of the disk's bytes would have no bound";
                self.say(cx, whole, ProblemKind::Bound, false, message.to_owned());
                return None;
            }
            Some(filled) => {
                let what = What { unread: &parts.unread, read: &read, len: parts.until, filled };
                copy(self.disk, what, &folder, self.how.go_on)
            }
        };
        let needs = self.filled.unwrap_or(self.disk.size());
        let room = |needs| room(needs, &folder);
        let made = made.and_then(|file| match Links::new(Naming::Raw, &[&file.link()]) {
            Ok(links) => Ok(Access { links, _file: Some(file) }),
            Err(e) => Err(Refused::Disk(e)),
        });
        let refused = match made {
            Ok(access) => {
                let message = format!(
                    "{why}: its file systems were read from a copy of the disk's bytes, as our own reader gives them"
                );
                self.say(cx, (0, 0), ProblemKind::Note, false, message);
                return Some(access);
            }
            Err(Refused::Stopped) => return None,
            Err(Refused::Room { needs, free }) => {
                format!("needs {}, where {free} bytes are free", room(needs))
            }
            Err(Refused::Disk(e)) => format!("needs {}, and cannot be written: {e}", room(needs)),
        };
        let message =
            format!("{why}: a copy of the disk's bytes for The Sleuth Kit {refused}: {ROOM}");
        self.say(cx, whole, ProblemKind::Unsupported, false, message);
        None
    }
}

/// What [`room_wanted`](super::room_wanted) reads.
fn room(needs: u64, folder: &Path) -> String {
    format!("{} GiB ({needs} bytes) of room in {}", gib(needs), folder.display())
}

fn gib(bytes: u64) -> String {
    let tenths = bytes.div_ceil((1 << 30) / 10);
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::super::room_wanted;

    #[test]
    fn the_room_that_is_wanted_is_read_back() {
        let said = super::room(5_000_000_000, "/cases/a (1 bytes)".as_ref());
        assert_eq!(
            room_wanted(&format!("the E01 is damaged: it needs {said}")),
            Some(5_000_000_000)
        );
        assert_eq!(room_wanted("there is no copy: make room there"), None);
    }

    #[test]
    fn room_is_rounded_up() {
        for (bytes, words) in [(0, "0.0"), (1, "0.1"), (1 << 30, "1.1"), (5 << 40, "5120.1")] {
            assert_eq!(super::gib(bytes), words);
        }
    }
}
