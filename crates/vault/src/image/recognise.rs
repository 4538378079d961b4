//! What stands at the beginning of a disk, a partition or a file, told by its magic numbers.

use super::disk::bytes_at;
use super::{Disk, u16_at, u32_at};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file system that The Sleuth Kit reads, by name.
    FileSystem(&'static str),
    /// Something that is not read here.
    Unread {
        /// What it is.
        what: String,
        /// What to do to have it read; `IMAGE` and `DEVICE` stand for the user's own.
        instead: &'static str,
    },
    /// Zeros, as far as was looked.
    Empty,
    /// None of what is known.
    Unknown,
}

/// How much of a beginning is looked at, in bytes.
pub(crate) const HEAD: usize = 132 << 10;

const LUKS: &str = "`cryptsetup open --readonly --type luks DEVICE opened` with the passphrase or key, then \
    make an image of /dev/mapper/opened and open that";
const BITLOCKER: &str = "`cryptsetup open --readonly --type bitlk DEVICE opened` with the password or recovery \
    key, then make an image of /dev/mapper/opened and open that";
const LVM: &str = "attach all disks of the group read-only, `vgchange --activate y --readonly`, then make an \
    image of each logical volume under /dev/mapper and open that";
const MD: &str = "attach images of all members read-only, `mdadm --assemble --readonly /dev/md0 DEVICE…`, then make \
    an image of /dev/md0 and open that";
const MOUNT: &str = "`mount -o ro,norecovery DEVICE /mnt`, then open /mnt, or what matters in it";
const BTRFS: &str =
    "`mount -o ro,rescue=nologreplay DEVICE /mnt` (all devices of it attached), then open /mnt";
const MOUNT_PLAIN: &str = "`mount -o ro DEVICE /mnt`, then open /mnt, or what matters in it";
const ZFS: &str = "`zpool import -o readonly=on -R /mnt -d DEVICE -a`, then open /mnt";
const CONVERT: &str =
    "`qemu-img convert -O raw IMAGE disk.raw` (package qemu-utils), then open disk.raw";
const SWAP: &str =
    "nothing is filed in it: search it with a tool for memory, such as `strings` or Volatility";
const INNODB: &str = "start a MariaDB or MySQL server of the same version on a copy of the whole data directory \
    (`--innodb-force-recovery=1` if it was not shut down), write `mariadb-dump --all-databases`, and open the dump";

/// What stands at the beginning of `size` bytes from `start` on, without a look at their end.
pub(crate) fn beginning(disk: &mut dyn Disk, start: u64, size: u64) -> Content {
    let size = size.min(disk.size().saturating_sub(start));
    by_head(&bytes_at(disk, start, HEAD.min(usize::try_from(size).unwrap_or(HEAD))))
}

/// What `size` bytes from `start` on are.
pub fn recognise(disk: &mut dyn Disk, start: u64, size: u64) -> Content {
    let size = size.min(disk.size().saturating_sub(start));
    let by_head = beginning(disk, start, size);
    // Superblocks of older md members stand at the end; what is before them may be read as it is where
    // the member is a mirror's.
    match (by_head, md_at_end(disk, start, size)) {
        (Content::FileSystem(name), Some((1, _))) => Content::FileSystem(name),
        (_, Some((level, disks))) => md(level, disks),
        (content, None) => content,
    }
}

/// True if a file that begins so is an image, or a part of a database that only its server reads.
pub(crate) fn is_image(head: &[u8]) -> bool {
    super::partition::is_mbr(head)
        || has(head, 512, b"EFI PART")
        || has(head, 4096, b"EFI PART")
        || matches!(by_head(head), Content::FileSystem(_) | Content::Unread { .. })
}

fn has(head: &[u8], at: usize, magic: &[u8]) -> bool {
    head.get(at..at + magic.len()) == Some(magic)
}

fn unread(what: impl Into<String>, instead: &'static str) -> Content {
    Content::Unread { what: what.into(), instead }
}

fn by_head(head: &[u8]) -> Content {
    if has(head, 0, b"LUKS\xba\xbe") {
        let version = u16::from_be_bytes([byte(head, 6), byte(head, 7)]);
        return unread(format!("LUKS{version}, encrypted"), LUKS);
    }
    if has(head, 3, b"-FVE-FS-") {
        return unread("BitLocker, encrypted", BITLOCKER);
    }
    for (at, magic, name) in [
        (0, &b"QFI\xfb"[..], "a QCOW2 image"),
        (0, b"KDMV\x01\0\0\0", "a VMDK image"),
        (0, b"KDMV\x03\0\0\0", "a VMDK image"),
        (0, b"vhdxfile", "a VHDX image"),
        (0, b"conectix\0\0\0\x02", "a VHD image"),
        (64, b"\x7f\x10\xda\xbe", "a VDI image"),
    ] {
        if has(head, at, magic) {
            return unread(name, CONVERT);
        }
    }
    // The label stands in one of the first four sectors, its own number behind it.
    if (0..4).any(|n| has(head, n * 512, b"LABELONE") && has(head, n * 512 + 24, b"LVM2 001")) {
        return unread("an LVM physical volume", LVM);
    }
    for at in [0, 4096] {
        if is_md_1(head, at) {
            return md(u32_at(head, at + 72) as i32, u32_at(head, at + 92));
        }
    }
    if has(head, 0, b"XFSB") {
        return unread("XFS", MOUNT);
    }
    if has(head, 65_600, b"_BHRfS_M") {
        return unread("btrfs", BTRFS);
    }
    if has(head, 1024, &[0x10, 0x20, 0xf5, 0xf2]) {
        return unread("F2FS", MOUNT_PLAIN);
    }
    if has(head, 131_072, &[0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0]) {
        return unread("ZFS", ZFS);
    }
    if has(head, 32, b"NXSB") {
        return unread("APFS", "`apfs-fuse -o ro DEVICE /mnt`, then open /mnt");
    }
    if is_ext(head) {
        return Content::FileSystem("ext");
    }
    if has(head, 3, b"NTFS    ") && has(head, 510, &[0x55, 0xaa]) {
        return Content::FileSystem("NTFS");
    }
    if has(head, 3, b"EXFAT   ") && has(head, 510, &[0x55, 0xaa]) {
        return Content::FileSystem("exFAT");
    }
    if is_fat(head) {
        return Content::FileSystem("FAT");
    }
    if [b"H+\0\x04", b"HX\0\x05"].iter().any(|magic| has(head, 1024, *magic)) {
        return Content::FileSystem("HFS+");
    }
    if has(head, 32_769, b"CD001\x01") {
        return Content::FileSystem("ISO 9660");
    }
    for page in [4096, 8192, 16_384, 32_768, 65_536] {
        if has(head, page - 10, b"SWAPSPACE2") || has(head, page - 10, b"SWAP-SPACE") {
            return unread("swap space", SWAP);
        }
    }
    if is_innodb(head) {
        return unread("raw InnoDB tables", INNODB);
    }
    if head.iter().all(|b| *b == 0) { Content::Empty } else { Content::Unknown }
}

fn byte(head: &[u8], at: usize) -> u8 {
    head.get(at).copied().unwrap_or(0)
}

/// ext2, ext3, ext4: magic, block size and counts.
fn is_ext(head: &[u8]) -> bool {
    has(head, 1080, &[0x53, 0xef])
        && u32_at(head, 1024 + 24) <= 6
        && u32_at(head, 1024) > 0
        && u32_at(head, 1024 + 32) > 0
        && u32_at(head, 1024 + 40) > 0
}

/// FAT12, FAT16, FAT32: the BIOS parameter block.
fn is_fat(head: &[u8]) -> bool {
    let jump = matches!(head.get(..3), Some([0xeb, _, 0x90] | [0xe9, _, _]));
    let sector = u16_at(head, 11);
    has(head, 510, &[0x55, 0xaa])
        && jump
        && matches!(sector, 512 | 1024 | 2048 | 4096)
        && byte(head, 13).is_power_of_two()
        && u16_at(head, 14) > 0
        && matches!(byte(head, 16), 1 | 2)
        && (byte(head, 21) == 0xf0 || byte(head, 21) >= 0xf8)
        && (u16_at(head, 19) > 0 || u32_at(head, 32) > 0)
}

/// The first page of a tablespace: page 0, of type FSP_HDR, its space's number twice.
fn is_innodb(head: &[u8]) -> bool {
    let number = |at: usize| head.get(at..at + 4).map(|b| [b[0], b[1], b[2], b[3]]);
    has(head, 4, &[0; 4])
        && has(head, 24, &[0, 8])
        && number(34).is_some()
        && number(34) == number(38)
        && number(46).is_some_and(|size| u32::from_be_bytes(size) > 0)
        && head.len() > 4096
}

const MD_MAGIC: [u8; 4] = [0xfc, 0x4e, 0x2b, 0xa9];

fn is_md_1(head: &[u8], at: usize) -> bool {
    has(head, at, &MD_MAGIC) && u32_at(head, at + 4) == 1
}

/// Level and members of an md array whose superblock stands at the end.
fn md_at_end(disk: &mut dyn Disk, start: u64, size: u64) -> Option<(i32, u32)> {
    // 1.0: in the last 8 to 12 KiB, on a boundary of 4 KiB. 0.90: the last whole 64 KiB.
    let at = (size.checked_sub(8192)?) & !4095;
    let block = bytes_at(disk, start.checked_add(at)?, 256);
    if is_md_1(&block, 0) {
        return Some((u32_at(&block, 72) as i32, u32_at(&block, 92)));
    }
    let at = (size & !65_535).checked_sub(65_536)?;
    let block = bytes_at(disk, start.checked_add(at)?, 256);
    (has(&block, 0, &MD_MAGIC) && u32_at(&block, 4) == 0)
        .then(|| (u32_at(&block, 28) as i32, u32_at(&block, 40)))
}

fn md(level: i32, disks: u32) -> Content {
    unread(format!("a member of an md array (level {level}, {disks} disks)"), MD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Raw;
    use std::io::Cursor;

    fn of(bytes: Vec<u8>) -> Content {
        let size = bytes.len() as u64;
        let mut file = Cursor::new(bytes);
        recognise(&mut Raw::new([&mut file as &mut dyn crate::unpack::Source]), 0, size)
    }

    fn with(size: usize, puts: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0; size];
        for (at, put) in puts {
            bytes[*at..at + put.len()].copy_from_slice(put);
        }
        bytes
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (bytes, name) in [
            (with(8192, &[(0, b"LUKS\xba\xbe\0\x02")]), "LUKS2"),
            (with(8192, &[(512, b"LABELONE"), (536, b"LVM2 001")]), "LVM"),
            (with(9000, &[(4096, &MD_MAGIC), (4100, &[1])]), "md array"),
            (with(300_000, &[(196_608, &MD_MAGIC), (196_636, &[5])]), "level 5"),
            (with(8192, &[(0, b"XFSB")]), "XFS"),
            (with(8192, &[(0, b"QFI\xfb\0\0\0\x03")]), "QCOW2"),
            (with(8192, &[(4086, b"SWAPSPACE2")]), "swap"),
            (with(8192, &[(3, b"-FVE-FS-")]), "BitLocker"),
            (with(70_000, &[(65_600, b"_BHRfS_M")]), "btrfs"),
            (with(16_384, &[(24, &[0, 8]), (34, &[0, 0, 0, 7, 0, 0, 0, 7]), (49, &[6])]), "InnoDB"),
        ] {
            match of(bytes) {
                Content::Unread { what, instead } => {
                    assert!(what.contains(name), "{what}");
                    assert!(instead.len() > 20);
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        assert_eq!(of(vec![0; 5000]), Content::Empty);
        assert_eq!(of(b"CREATE TABLE".repeat(1000)), Content::Unknown);
        assert_eq!(of(Vec::new()), Content::Empty);
    }

    #[test]
    fn texts_and_short_files_are_no_images() {
        let mut text = b"2025-01-01 a line of a log\n".repeat(4000);
        assert!(!is_image(&text));
        for cut in [0, 1, 3, 510, 512, 1082, 4096] {
            assert!(!is_image(&text[..cut]) && !is_image(&vec![0; cut]));
        }
        text[510] = 0x55;
        text[511] = 0xaa;
        assert!(!is_image(&text));
    }
}
