//! A disk's bytes as a raw file, for programs that would have to read the image's format by themselves.

use std::path::Path;

use ledger::disk::nameless::{Nameless, free};

use super::Disk;
use super::disk::bytes_at;
use crate::error::Error;

/// Read at once; pieces of this size that are zeros stay holes.
const STEP: u64 = 256 << 10;

/// Why there is no copy.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It needs so many bytes, where so many are free.
    Room { needs: u64, free: u64 },
    /// The disk that it was to be written to.
    Disk(Error),
    /// The work was called off.
    Stopped,
}

/// What is to be copied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct What<'a> {
    /// Spans of which nobody reads anything: left as holes.
    pub(crate) unread: &'a [(u64, u64)],
    /// Spans that are copied even where they lie in one of those.
    pub(crate) read: &'a [(u64, u64)],
    /// The file's length, at least that of the disk.
    pub(crate) len: u64,
    /// The most bytes that are no zeros.
    pub(crate) filled: u64,
}

impl What<'_> {
    fn is_read(&self, start: u64, end: u64) -> bool {
        let within = self.unread.iter().any(|(from, to)| *from <= start && end <= *to);
        !within || self.read.iter().any(|(from, to)| *from < end && start < *to)
    }
}

/// Writes a disk's bytes to a file without a name in `folder`, where there is room.
pub(crate) fn copy(
    disk: &mut dyn Disk,
    what: What<'_>,
    folder: &Path,
    go_on: &dyn Fn() -> bool,
) -> Result<Nameless, Refused> {
    let free = free(folder).map_err(|e| Refused::Disk(e.into()))?;
    copy_into(disk, what, folder, free, go_on)
}

fn copy_into(
    disk: &mut dyn Disk,
    what: What<'_>,
    folder: &Path,
    free: u64,
    go_on: &dyn Fn() -> bool,
) -> Result<Nameless, Refused> {
    let size = disk.size();
    let unread = what.unread.iter().map(|(from, to)| to - from).fold(0, u64::saturating_add);
    let read = what.read.iter().map(|(from, to)| to - from).fold(0, u64::saturating_add);
    let needs = what.filled.min(size.saturating_sub(unread).saturating_add(read));
    if needs > free {
        return Err(Refused::Room { needs, free });
    }
    let file = Nameless::new(folder, what.len.max(size)).map_err(|e| Refused::Disk(e.into()))?;
    let mut at = 0;
    while at < size {
        if !go_on() {
            return Err(Refused::Stopped);
        }
        let filled = disk.filled_from(at);
        if filled >= at + STEP {
            at = filled / STEP * STEP;
            continue;
        }
        let end = (at + STEP).min(size);
        if what.is_read(at, end) {
            let bytes = bytes_at(disk, at, usize::try_from(end - at).unwrap_or(0));
            if bytes.iter().any(|b| *b != 0) {
                file.write_at(&bytes, at).map_err(|e| Refused::Disk(e.into()))?;
            }
        }
        at = end;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::image::Raw;
    use crate::unpack::Source;

    fn with_disk<T>(run: impl FnOnce(&mut dyn Disk, &[u8]) -> T) -> T {
        let mut bytes = vec![0; 5 << 20];
        for at in [0, 1 << 20, 3 << 20, (5 << 20) - 1] {
            bytes[at] = 9;
        }
        let mut file = Cursor::new(bytes.clone());
        run(&mut Raw::new([&mut file as &mut dyn Source]), &bytes)
    }

    #[test]
    fn a_copy_holds_the_disk_and_takes_the_room_of_what_is_no_zeros() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        with_disk(|disk, bytes| {
            let what = What { unread: &[], read: &[], len: 6 << 20, filled: 1 << 20 };
            let copied = copy(disk, what, folder.path(), &|| true).unwrap();
            let read = std::fs::read(copied.link()).unwrap();
            assert_eq!((read.len(), &read[..bytes.len()]), (6 << 20, bytes));
            assert!(std::fs::metadata(copied.link()).unwrap().blocks() * 512 <= 4 * STEP);
            // What nobody reads is not in it, but where something that is read lies in it.
            let (unread, read) = (&[(1 << 20, 4 << 20)][..], &[(3 << 20, 4 << 20)][..]);
            let what = What { unread, read, len: 0, filled: 1 << 20 };
            let copied = copy(disk, what, folder.path(), &|| true).unwrap();
            let read = std::fs::read(copied.link()).unwrap();
            assert_eq!([read[0], read[1 << 20], read[3 << 20]], [9, 0, 9]);
        });
    }

    #[test]
    fn without_room_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        with_disk(|disk, _| {
            let what = What { unread: &[], read: &[], len: 0, filled: 4 * STEP };
            let refused = copy_into(disk, what, folder.path(), 4 * STEP - 1, &|| true);
            assert!(
                matches!(refused, Err(Refused::Room { needs, free }) if needs == free + 1),
                "{refused:?}"
            );
            let gone = folder.path().join("gone");
            let refused = copy(disk, what, &gone, &|| true);
            assert!(matches!(refused, Err(Refused::Disk(_))), "{refused:?}");
            let refused = copy(disk, what, folder.path(), &|| false);
            assert!(matches!(refused, Err(Refused::Stopped)), "{refused:?}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        });
    }
}
