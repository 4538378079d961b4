//! Images whose every byte is known: what is wrong with one is found, and no bytes make it panic.

use std::io::{Cursor, Read, Write};

use model::record::Name;
use model::{Problem, ProblemKind};
use proptest::prelude::*;
use vault::image::{Disk, Ewf, Raw, partitions};
use vault::unpack::{Bounds, Budget, Codec, Source, unpack};

const CHUNK: usize = 1024;

fn adler(bytes: &[u8]) -> [u8; 4] {
    let (mut a, mut b) = (1u32, 0u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    (b << 16 | a).to_le_bytes()
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = adler(&bytes);
    bytes.extend(sum);
    bytes
}

/// An E01 of a disk, with that MD5: odd chunks are packed, even ones plain.
fn ewf(disk: &[u8], md5: [u8; 16]) -> Vec<u8> {
    repeated(disk, md5, 1)
}

/// The same, whose table lists its chunks so many times over.
fn repeated(disk: &[u8], md5: [u8; 16], times: usize) -> Vec<u8> {
    let mut out = b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00".to_vec();
    let section = |out: &mut Vec<u8>, kind: &str, data: &[u8]| {
        let is_last = kind == "done";
        let at = out.len() as u64;
        let len = 76 + data.len() as u64;
        let mut head = kind.as_bytes().to_vec();
        head.resize(16, 0);
        head.extend(if is_last { at } else { at + len }.to_le_bytes());
        head.extend(if is_last { 0 } else { len }.to_le_bytes());
        head.resize(72, 0);
        out.extend(summed(head));
        out.extend(data);
    };
    section(&mut out, "header", &packed(b"1\nmain\nc\tn\te\tp\n7/24\t3\tA. Example\tsecret\n"));
    let mut volume = vec![0u8; 1048];
    volume[0] = 1;
    volume[4..8].copy_from_slice(&((disk.len() * times).div_ceil(CHUNK) as u32).to_le_bytes());
    volume[8..12].copy_from_slice(&2u32.to_le_bytes());
    volume[12..16].copy_from_slice(&512u32.to_le_bytes());
    volume[16..24].copy_from_slice(&((disk.len() * times) as u64 / 512).to_le_bytes());
    section(&mut out, "volume", &summed(volume));
    let base = out.len() as u64;
    let (mut sectors, mut entries) = (Vec::new(), Vec::new());
    for (n, chunk) in disk.chunks(CHUNK).enumerate() {
        let place = 76 + sectors.len() as u32;
        if n % 2 == 1 {
            entries.extend((place | 1 << 31).to_le_bytes());
            sectors.extend(packed(chunk));
        } else {
            entries.extend(place.to_le_bytes());
            sectors.extend(summed(chunk.to_vec()));
        }
    }
    section(&mut out, "sectors", &sectors);
    let entries = entries.repeat(times);
    let mut table = (entries.len() as u32 / 4).to_le_bytes().to_vec();
    table.extend([0; 4]);
    table.extend(base.to_le_bytes());
    table.extend([0; 4]);
    let table = [summed(table), summed(entries)].concat();
    section(&mut out, "table", &table);
    section(&mut out, "table2", &table);
    let mut hash = md5.to_vec();
    hash.resize(32, 0);
    section(&mut out, "hash", &summed(hash));
    section(&mut out, "done", &[]);
    out
}

fn disk() -> Vec<u8> {
    (0..5 * CHUNK as u32 + 512).map(|i| ((i * i) >> 5) as u8).collect()
}

fn md5_of(bytes: &[u8]) -> [u8; 16] {
    use md5::Digest;
    md5::Md5::digest(bytes).into()
}

fn problems(bytes: &[u8]) -> Vec<Problem> {
    let mut budget = Budget::new(Bounds::default(), bytes.len() as u64);
    let name = Name(b"disk.E01".to_vec());
    let codec = Codec::sniff(bytes).unwrap_or(Codec::Ewf);
    let mut source = Cursor::new(bytes);
    let found = unpack::<()>(codec, &mut source, &name, 0, &mut budget, &mut |member| {
        let _ = std::io::copy(&mut member.reader.take(1 << 20), &mut std::io::sink());
        Ok(())
    });
    let found = found.unwrap();
    let size = bytes.len() as u64;
    assert!(found.iter().all(|p| p.start <= p.end && p.end <= size), "{found:?}");
    found
}

/// What is no note, and not what stands for the disk's own content here: that it is nothing known.
fn faults(bytes: &[u8]) -> Vec<Problem> {
    let own =
        |p: &Problem| p.kind == ProblemKind::Note || p.message.contains("nothing that is known");
    problems(bytes).into_iter().filter(|p| !own(p)).collect()
}

#[test]
fn a_whole_image_has_no_faults_and_gives_its_disk() {
    let disk = disk();
    let image = ewf(&disk, md5_of(&disk));
    assert_eq!(faults(&image), []);
    let all = problems(&image);
    let said = |words: &str| all.iter().any(|p| p.message.contains(words));
    assert!(said("case \"7/24\"") && said("A. Example") && !said("secret"), "{all:?}");
    assert!(said("the MD5 stored at acquisition"));
    let mut file = Cursor::new(&image);
    let mut ewf = Ewf::open([&mut file as &mut dyn Source]).unwrap();
    assert_eq!(ewf.size(), disk.len() as u64);
    for (at, len) in [(0, disk.len()), (1000, 3000), (5119, 2), (disk.len() - 1, 9)] {
        let mut read = vec![0; len];
        let got = ewf.read_at(at as u64, &mut read).unwrap();
        assert_eq!(&read[..got], &disk[at..(at + len).min(disk.len())]);
    }
}

#[test]
fn a_hash_that_is_anothers_is_told() {
    let disk = disk();
    let found = faults(&ewf(&disk, md5_of(b"another disk")));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].message.starts_with("hash:") && found[0].kind == ProblemKind::Integrity);
}

#[test]
fn every_flipped_byte_is_a_fault() {
    let disk = disk();
    let image = ewf(&disk, md5_of(&disk));
    // Deflate fills bytes up with bits that nothing covers: the last one, before an Adler-32; and, where
    // it stores what cannot be packed, the one behind the two of zlib.
    let fills: Vec<usize> = [&b"1\nmain\nc\tn\te\tp\n7/24\t3\tA. Example\tsecret\n"[..]]
        .into_iter()
        .chain(disk.chunks(CHUNK))
        .flat_map(|plain| {
            let packed = packed(plain);
            let at = image.windows(packed.len()).position(|w| w == packed);
            at.map_or(vec![], |at| vec![at + 2, at + packed.len() - 5])
        })
        .collect();
    for at in 0..image.len() {
        for bit in [0x01, 0x10, 0x80] {
            let mut flipped = image.clone();
            flipped[at] ^= bit;
            if at < 8 {
                let _ = problems(&flipped); // another format, or none
            } else {
                let found = !faults(&flipped).is_empty();
                assert!(
                    found || fills.contains(&at),
                    "byte {at} of {}, bit {bit:02x}: {:?}",
                    image.len(),
                    problems(&flipped)
                );
            }
        }
    }
}

#[test]
fn every_prefix_is_told_to_be_cut() {
    let disk = disk();
    let image = ewf(&disk, md5_of(&disk));
    for len in (13..image.len()).step_by(7) {
        let found = faults(&image[..len]);
        assert!(found.iter().any(|p| p.lost), "{len}: {found:?}");
    }
}

/// A first sector with these entries: type, first sector, sectors.
fn mbr(entries: &[(u8, u32, u32)]) -> Vec<u8> {
    let mut sector = vec![0; 512];
    for (n, (kind, first, sectors)) in entries.iter().enumerate() {
        let at = 446 + n * 16;
        sector[at + 4] = *kind;
        sector[at + 8..at + 12].copy_from_slice(&first.to_le_bytes());
        sector[at + 12..at + 16].copy_from_slice(&sectors.to_le_bytes());
    }
    sector[510] = 0x55;
    sector[511] = 0xaa;
    sector
}

fn table_of(bytes: &[u8]) -> (Vec<(u32, u64, u64)>, Vec<String>) {
    let mut file = Cursor::new(bytes);
    let (found, findings) = partitions(&mut Raw::new([&mut file as &mut dyn Source]));
    let listed = found.map_or(Vec::new(), |(_, p)| {
        p.into_iter().map(|p| (p.number, p.start / 512, p.size / 512)).collect()
    });
    (listed, findings.into_iter().map(|f| f.message).collect())
}

#[test]
fn chains_of_logical_partitions_are_followed_and_loops_are_told() {
    let mut disk = vec![0; 200 * 512];
    let put = |disk: &mut Vec<u8>, at: usize, sector: Vec<u8>| {
        disk[at * 512..(at + 1) * 512].copy_from_slice(&sector);
    };
    put(&mut disk, 0, mbr(&[(0x83, 1, 9), (0x05, 20, 100)]));
    put(&mut disk, 20, mbr(&[(0x83, 2, 10), (0x05, 30, 20)]));
    put(&mut disk, 50, mbr(&[(0x83, 2, 10)]));
    let (listed, findings) = table_of(&disk);
    assert_eq!(listed, [(1, 1, 9), (5, 22, 10), (6, 52, 10)]);
    assert!(findings.is_empty(), "{findings:?}");
    put(&mut disk, 50, mbr(&[(0x83, 2, 10), (0x05, 0, 20)]));
    let (listed, findings) = table_of(&disk);
    assert_eq!(listed.len(), 3);
    assert!(findings.iter().any(|f| f.contains("comes back")), "{findings:?}");
    put(&mut disk, 50, vec![0; 512]);
    assert!(table_of(&disk).1.iter().any(|f| f.contains("no table stands in sector 50")));
    put(&mut disk, 0, mbr(&[(0x83, 1, 9), (0x83, 5, 900)]));
    let findings = table_of(&disk).1.join("; ");
    assert!(
        findings.contains("over one another") && findings.contains("behind the end"),
        "{findings}"
    );
}

#[test]
fn partitions_behind_the_end_are_told_with_figures_and_not_called_zeros() {
    let disk = [mbr(&[(0x83, 1, 9), (0x83, 50, 100), (0x83, 300, 20)]), vec![0; 99 * 512]].concat();
    let mut file = Cursor::new(&disk);
    let mut budget = Budget::new(Bounds::default(), disk.len() as u64);
    let name = Name(b"disk.raw".to_vec());
    let found = unpack::<()>(Codec::Image, &mut file, &name, 0, &mut budget, &mut |_| Ok(()));
    let said: Vec<String> = found.unwrap().into_iter().map(|p| p.message).collect();
    let of = |n: u32| -> Vec<&String> {
        said.iter().filter(|m| m.starts_with(&format!("partition {n}"))).collect()
    };
    assert!(of(1).len() == 1 && of(1)[0].ends_with(": zeros, as far as was looked"), "{said:?}");
    assert!(of(2)[0].contains("25600 of its 51200 bytes lie behind the end"), "{said:?}");
    assert!(of(2)[1].ends_with(": zeros, as far as was looked"), "{said:?}");
    assert!(of(3)[0].contains("all of its 10240 bytes lie behind the end"), "{said:?}");
    assert!(of(3)[0].contains("from 102400 bytes behind it on"), "{said:?}");
    assert!(of(3)[0].contains("acquire the disk again"), "{said:?}");
    assert!(of(3)[1].ends_with("from byte 153600: behind the end of the disk"), "{said:?}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        which in 0..4usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..4000),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        let disk = disk();
        let image = match which {
            0 => [&b"EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00"[..], &bytes].concat(),
            1 => [mbr(&[(0xee, 1, 900)]), b"EFI PART".to_vec(), bytes].concat(),
            2 => [mbr(&[(5, 1, 9), (7, 2, 900)]), bytes].concat(),
            _ => ewf(&disk, md5_of(&disk)),
        };
        let mut image = image;
        for (at, byte) in flips {
            let at = at.index(image.len());
            image[at] = byte;
        }
        problems(&image);
        table_of(&image);
    }
}

#[test]
fn a_disk_that_is_stated_and_not_there_costs_nothing() {
    // 2^28 chunks of 16 MiB in a few bytes.
    let small = disk();
    let mut image = ewf(&small, md5_of(&small));
    let volume = image.windows(7).position(|w| w == b"volume\0").unwrap() + 76;
    image[volume + 8..volume + 12].copy_from_slice(&32_768u32.to_le_bytes());
    image[volume + 16..volume + 24].copy_from_slice(&((1u64 << 28) * 32_768).to_le_bytes());
    let sum = adler(&image[volume..volume + 1048]);
    image[volume + 1048..volume + 1052].copy_from_slice(&sum);
    let begun = std::time::Instant::now();
    let found = faults(&image);
    assert!(found.iter().any(|p| p.lost && p.message.contains("chunks are listed")), "{found:?}");
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn chunks_that_share_their_bytes_are_not_unpacked_without_end() {
    let small = disk();
    let image = repeated(&small, md5_of(&small), 3000);
    let found = faults(&image);
    assert!(
        found
            .iter()
            .any(|p| p.kind == ProblemKind::Bound && p.message.contains("over one another"))
    );
    assert!(found.iter().any(|p| p.message.contains("cannot be compared")), "{:?}", found.last());
}
