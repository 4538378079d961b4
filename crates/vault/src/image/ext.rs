//! How many blocks an inode of ext holds: what tells a file of nothing but holes from one whose blocks
//! are not found.

use super::disk::bytes_at;
use super::{Disk, u16_at, u32_at};

/// What an inode says of where its file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inode {
    /// Where the inode itself stands on the disk.
    pub(crate) at: u64,
    /// Bytes of the blocks that it holds, those of its own tables among them.
    pub(crate) held: u64,
    /// True where the file's bytes stand in the inode.
    pub(crate) inline: bool,
}

/// Incompatible features: descriptors stand elsewhere; descriptors of 64 bits.
const META_BG: u32 = 0x10;
const WIDE: u32 = 0x80;

/// Flags of inodes: held is counted in blocks; bytes stand in the inode.
const HUGE: u32 = 0x4_0000;
const INLINE: u32 = 0x1000_0000;

/// Reads an inode of the file system that begins at `start`; `None` where it is not found.
pub(crate) fn inode(disk: &mut dyn Disk, start: u64, number: u64) -> Option<Inode> {
    let superblock = bytes_at(disk, start.checked_add(1024)?, 1024);
    if superblock.len() < 1024 || u16_at(&superblock, 56) != 0xef53 {
        return None;
    }
    let features = u32_at(&superblock, 96);
    let log = u32_at(&superblock, 24);
    let per_group = u64::from(u32_at(&superblock, 40));
    if log > 6 || per_group == 0 || features & META_BG != 0 || number == 0 {
        return None;
    }
    let block = 1024u64 << log;
    let size = if u32_at(&superblock, 76) == 0 { 128 } else { u16_at(&superblock, 88) };
    let wide = features & WIDE != 0;
    let descriptor = if wide { u64::from(u16_at(&superblock, 254)).max(64) } else { 32 };
    let (group, within) = ((number - 1) / per_group, (number - 1) % per_group);
    let first = u64::from(u32_at(&superblock, 20)) + 1;
    let at = first.checked_mul(block)?.checked_add(group.checked_mul(descriptor)?)?;
    let descriptor = bytes_at(disk, start.checked_add(at)?, 64);
    let high = if wide { u64::from(u32_at(&descriptor, 40)) << 32 } else { 0 };
    let table = (u64::from(u32_at(&descriptor, 8)) | high).checked_mul(block)?;
    let at = table.checked_add(within * u64::from(size))?.checked_add(start)?;
    let bytes = bytes_at(disk, at, 128);
    if bytes.len() < 128 || table == 0 {
        return None;
    }
    let flags = u32_at(&bytes, 32);
    let held = u64::from(u32_at(&bytes, 28)) | u64::from(u16_at(&bytes, 116)) << 32;
    let held = held.saturating_mul(if flags & HUGE == 0 { 512 } else { block });
    Some(Inode { at, held, inline: flags & INLINE != 0 })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::image::Raw;
    use crate::unpack::Source;

    fn of(bytes: Vec<u8>, number: u64) -> Option<Inode> {
        let mut file = Cursor::new(bytes);
        inode(&mut Raw::new([&mut file as &mut dyn Source]), 0, number)
    }

    fn image() -> Vec<u8> {
        let mut bytes = vec![0; 64 << 10];
        let mut put = |at: usize, with: &[u8]| bytes[at..at + with.len()].copy_from_slice(with);
        put(1024 + 20, &1u32.to_le_bytes()); // the first block
        put(1024 + 40, &16u32.to_le_bytes()); // inodes of a group
        put(1024 + 56, &[0x53, 0xef]);
        put(1024 + 76, &1u32.to_le_bytes());
        put(1024 + 88, &256u16.to_le_bytes()); // bytes of an inode
        put(2048 + 32 + 8, &20u32.to_le_bytes()); // the second group's table
        put((20 << 10) + 256 + 28, &8u32.to_le_bytes()); // inode 18
        put((20 << 10) + 512 + 32, &INLINE.to_le_bytes()); // inode 19
        bytes
    }

    #[test]
    fn an_inode_says_what_it_holds() {
        let held = |number| of(image(), number).map(|i| (i.held, i.inline));
        assert_eq!(held(18), Some((4096, false)));
        assert_eq!(held(19), Some((0, true)));
        assert_eq!(held(20), Some((0, false)));
        assert_eq!(of(image(), 18).unwrap().at, (20 << 10) + 256);
        // The first group's table is nowhere, and there is no third group.
        assert_eq!((held(1), held(0), held(40), held(u64::MAX)), (None, None, None, None));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let whole = image();
        for at in 1024..2200 {
            for value in [0xff, 0x80, 1] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                for number in [1, 18, u64::MAX] {
                    let _ = of(bytes.clone(), number);
                }
            }
        }
    }
}
