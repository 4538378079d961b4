//! Archives, whole and broken, and bombs.

use std::io::{Cursor, Write};

use model::ProblemKind;
use model::record::Name;
use proptest::prelude::*;
use vault::unpack::{Bounds, Budget, Codec, unpack};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn tar_header(name: &[u8], size: usize, kind: u8, link: &[u8]) -> Vec<u8> {
    let mut block = vec![0u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..263].copy_from_slice(b"ustar\0");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn tar_member(name: &[u8], bytes: &[u8], kind: u8) -> Vec<u8> {
    let mut out = tar_header(name, bytes.len(), kind, b"");
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn tar(members: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out: Vec<u8> = members.iter().flat_map(|(n, b)| tar_member(n, b, b'0')).collect();
    out.extend_from_slice(&[0; 1024]);
    out
}

/// A zip of deflated members, with or without sizes in its local headers.
fn zip(members: &[(&[u8], &[u8])], streamed: bool) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let packed = deflated(bytes);
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let flags: u16 = if streamed { 8 } else { 0 };
        let sizes: Vec<u8> = [crc.sum(), packed.len() as u32, bytes.len() as u32]
            .iter()
            .flat_map(|n| n.to_le_bytes())
            .collect();
        let local_sizes = if streamed { vec![0; 12] } else { sizes.clone() };
        let mut common = vec![20, 0];
        common.extend_from_slice(&flags.to_le_bytes());
        common.extend_from_slice(&[8, 0, 0, 0, 0, 0]);
        let start = out.len() as u32;
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(&local_sizes);
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(name);
        out.extend_from_slice(&packed);
        if streamed {
            out.extend_from_slice(b"PK\x07\x08");
            out.extend_from_slice(&sizes);
        }
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&sizes);
        directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&start.to_le_bytes());
        directory.extend_from_slice(name);
    }
    let at = out.len() as u32;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&(members.len() as u16).to_le_bytes());
    out.extend_from_slice(&(members.len() as u16).to_le_bytes());
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

type Found = Vec<(String, Vec<u8>)>;

fn open_with(bytes: &[u8], name: &str, bounds: Bounds) -> (Found, Vec<(ProblemKind, String)>) {
    let codec = Codec::sniff(bytes).expect("an archive");
    let mut budget = Budget::new(bounds, bytes.len() as u64);
    let mut found = Vec::new();
    let problems = unpack::<()>(
        codec,
        &mut Cursor::new(bytes),
        &Name::from(name),
        0,
        &mut budget,
        &mut |member| {
            let mut content = Vec::new();
            let _ = member.reader.read_to_end(&mut content);
            found.push((member.name.shown(), content));
            Ok(())
        },
    )
    .unwrap();
    (found, problems.into_iter().map(|p| (p.kind, p.message)).collect())
}

fn open(bytes: &[u8], name: &str) -> (Found, Vec<(ProblemKind, String)>) {
    open_with(bytes, name, Bounds::default())
}

const A: &[u8] = b"CREATE TABLE `a` (1);";

#[test]
fn each_format_gives_its_members() {
    let long: Vec<u8> = (0..300_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    let (found, problems) = open(&gz(&long), "m/panel.sql.gz");
    assert_eq!(problems, []);
    assert!(found == [("panel.sql".to_owned(), long.clone())]);
    // Two gzip streams in a row are one member.
    assert_eq!(open(&[gz(b"one"), gz(b"two")].concat(), "x.gz").0[0].1, b"onetwo");

    let names: &[(&[u8], &[u8])] = &[
        (b"../../etc/passwd", A),
        (b"/abs", b""),
        (b"\xff.txt", &long),
        (b"twice", b"1"),
        (b"twice", b"2"),
    ];
    let expected: Vec<_> =
        names.iter().map(|(n, b)| (String::from_utf8_lossy(n).into_owned(), b.to_vec())).collect();
    for archive in [tar(names), zip(names, false), zip(names, true)] {
        let (found, problems) = open(&archive, "x");
        assert_eq!(problems, []);
        assert!(found == expected);
    }
    // Something before a zip shifts all its offsets.
    let shifted = [b"PK\x07\x08 stub stub".as_slice(), &zip(names, false)].concat();
    assert!(open(&shifted, "x.exe").0 == expected);
}

/// The formats that only other programs write here, each made by that program where it is at hand.
#[test]
fn what_other_programs_write_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let long: Vec<u8> = (0..300_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    std::fs::write(temp.path().join("panel.sql"), &long).unwrap();
    let programs: &[(&str, &[&str], &str)] = &[
        ("bzip2", &["-k", "panel.sql"], "panel.sql.bz2"),
        ("xz", &["-k", "panel.sql"], "panel.sql.xz"),
        ("zstd", &["-q", "-k", "panel.sql"], "panel.sql.zst"),
        ("tar", &["--format=pax", "-cf", "pax.tar", "panel.sql"], "pax.tar"),
        ("tar", &["--format=gnu", "-cf", "gnu.tar", "panel.sql"], "gnu.tar"),
        ("zip", &["-q", "a.zip", "panel.sql"], "a.zip"),
        ("7z", &["a", "-bd", "a.7z", "panel.sql"], "a.7z"),
        (
            "python3",
            &[
                "-c",
                "import zipfile as z; [z.ZipFile('p%d.zip' % m, 'w', m).write('panel.sql') for m in (0, 8, 12, 14)]",
            ],
            "p14.zip",
        ),
    ];
    for (program, arguments, made) in programs {
        let ran = std::process::Command::new(program)
            .args(*arguments)
            .current_dir(temp.path())
            .stdout(std::process::Stdio::null())
            .status();
        if !ran.is_ok_and(|s| s.success()) {
            let _ = writeln!(std::io::stderr(), "SKIPPED: {program} is not at hand for {made}");
            continue;
        }
        let mut archives = vec![(*made).to_owned()];
        if *program == "python3" {
            archives.extend(["p0.zip".into(), "p8.zip".into(), "p12.zip".into()]);
        }
        for name in archives {
            let (found, problems) = open(&std::fs::read(temp.path().join(&name)).unwrap(), &name);
            assert_eq!(problems, [], "{name}");
            assert!(found == [("panel.sql".to_owned(), long.clone())], "{name}: {}", found.len());
        }
    }
}

#[test]
fn seven_zip_is_read() {
    use sevenz_rust2::{ArchiveEntry, ArchiveWriter, EncoderMethod};
    let long: Vec<u8> = (0..100_000u32).flat_map(|i| (i / 7).to_le_bytes()).collect();
    let make = |encrypted: bool| {
        let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
        if encrypted {
            let lock = sevenz_rust2::encoder_options::AesEncoderOptions::new("secret".into());
            writer.set_content_methods(vec![lock.into(), EncoderMethod::LZMA2.into()]);
        }
        for (name, bytes) in [("../a.sql", A), ("b", &long)] {
            let entry = ArchiveEntry::new_file(name);
            writer.push_archive_entry(entry, Some(Cursor::new(bytes.to_vec()))).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let whole = make(false);
    let (found, problems) = open(&whole, "x.7z");
    assert_eq!(problems, []);
    assert!(found == [("../a.sql".to_owned(), A.to_vec()), ("b".to_owned(), long.clone())]);
    let (_, problems) = open(&make(true), "x.7z");
    assert_eq!(problems[0].0, ProblemKind::Unsupported, "{problems:?}");
    for cut in (32..whole.len()).step_by(whole.len() / 60 + 1) {
        let (_, problems) = open(&whole[..cut], "x.7z");
        assert!(!problems.is_empty(), "cut at {cut}");
    }
    for at in 6..whole.len().min(400) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        open(&damaged, "x.7z");
        let end = damaged.len() - 1 - at.min(damaged.len() - 33);
        damaged[end] ^= 0xaa;
        open(&damaged, "x.7z");
    }
}

#[test]
fn what_is_cut_yields_what_can_be_read() {
    let long: Vec<u8> = (0..200_000u32).flat_map(|i| (i * 7).to_le_bytes()).collect();
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let (found, problems) = open(&half(&gz(&long)), "x.gz");
    assert_eq!(problems[0].0, ProblemKind::Truncated);
    assert!(found[0].1.len() > 100_000 && long.starts_with(&found[0].1));

    let members: &[(&[u8], &[u8])] = &[(b"a", A), (b"b", &long)];
    let (found, problems) = open(&half(&tar(members)), "x.tar");
    assert!(found[0].1 == A && long.starts_with(&found[1].1) && !found[1].1.is_empty());
    assert_eq!(problems[0].0, ProblemKind::Truncated);

    for streamed in [false, true] {
        let (found, problems) = open(&half(&zip(members, streamed)), "x.zip");
        assert_eq!(found[0].1, A);
        assert!(long.starts_with(&found[1].1) && !found[1].1.is_empty());
        assert!(problems.iter().any(|(kind, _)| *kind == ProblemKind::Truncated), "{problems:?}");
    }
    // The directory alone is gone: every member is still found.
    let whole = zip(members, true);
    let cut = whole.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    assert_eq!(open(&whole[..cut], "x.zip").0.len(), 2);
    // A damaged header in a tar costs one member.
    let mut damaged = tar(&[(b"a", A), (b"b", A), (b"c", A)]);
    damaged[1024] ^= 1;
    let (found, problems) = open(&damaged, "x.tar");
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(problems[0].0, ProblemKind::Syntax);
}

#[test]
fn links_devices_and_locks_are_problems() {
    let mut archive = tar_header(b"link", 0, b'2', b"/etc/shadow");
    archive.extend(tar_header(b"disk", 0, b'4', b""));
    archive.extend(tar_member(b"././@LongLink", &[b'n'; 300], b'L'));
    archive.extend(tar_member(b"short", A, b'0'));
    archive.extend([0; 1024]);
    let (found, problems) = open(&archive, "x.tar");
    assert!(found == [("n".repeat(300), A.to_vec())]);
    assert_eq!(problems.len(), 2);
    assert!(problems[0].1.contains("/etc/shadow"), "{problems:?}");

    let mut locked = zip(&[(b"a", A)], false);
    locked[6] |= 1;
    let directory = locked.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    locked[directory + 8] |= 1;
    let (found, problems) = open(&locked, "x.zip");
    assert!(found.is_empty() && problems[0].0 == ProblemKind::Unsupported, "{problems:?}");
}

#[test]
fn bombs_are_stopped() {
    let zeros = vec![0u8; 50_000_000];
    let bounds = Bounds { ratio: 100, ratio_from: 1_000_000, ..Bounds::default() };
    for bomb in [gz(&zeros), zip(&[(b"a", &zeros), (b"b", &zeros)], false)] {
        let (found, problems) = open_with(&bomb, "x", bounds);
        let out: usize = found.iter().map(|f| f.1.len()).sum();
        assert!(out <= bomb.len() * 100, "{out} bytes");
        assert!(
            problems.iter().any(|(kind, m)| *kind == ProblemKind::Bound && m.contains("100 bytes"))
        );
    }
    let few = Bounds { members: 2, ..Bounds::default() };
    let (found, problems) = open_with(&tar(&[(b"a", A), (b"b", A), (b"c", A)]), "x", few);
    assert_eq!((found.len(), problems[0].0), (2, ProblemKind::Bound));
    let small = Bounds { member: 21, ..Bounds::default() };
    let (found, problems) =
        open_with(&tar(&[(b"fits", A), (b"b", &[1; 22]), (b"c", A)]), "x", small);
    assert_eq!((found.len(), problems.len(), problems[0].0), (3, 1, ProblemKind::Bound));
    let total = Bounds { total: 30, ..Bounds::default() };
    let (found, _) = open_with(&tar(&[(b"a", A), (b"b", A), (b"c", A)]), "x", total);
    assert_eq!(found.iter().map(|f| f.1.len()).sum::<usize>(), 30);

    let mut budget = Budget::new(Bounds::default(), 1);
    let mut never = |_: vault::unpack::Member<'_>| -> Result<(), ()> { panic!("too deep") };
    let bytes = gz(A);
    let problems =
        unpack(Codec::Gz, &mut Cursor::new(&bytes), &Name::from("x"), 8, &mut budget, &mut never)
            .unwrap();
    assert_eq!(problems[0].kind, ProblemKind::Bound);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Damaged archives never panic and never give more than their bounds.
    #[test]
    fn damage_is_survived(
        which in 0usize..6,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        keep: bool,
    ) {
        let members: &[(&[u8], &[u8])] = &[(b"a", A), (b"b/c", &[7; 3000]), (b"", b"")];
        let xz = include_bytes!("small.xz");
        let mut bytes = match which {
            0 => tar(members),
            1 => zip(members, false),
            2 => zip(members, true),
            3 => gz(A),
            4 => xz.to_vec(),
            _ => include_bytes!("small.zst").to_vec(),
        };
        let codec = Codec::sniff(&bytes).unwrap();
        for (at, value) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if !keep {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        let bounds = Bounds { total: 100_000, members: 20, ..Bounds::default() };
        let mut budget = Budget::new(bounds, bytes.len() as u64);
        let (mut out, mut count) = (0, 0);
        unpack::<()>(codec, &mut Cursor::new(&bytes), &Name::from("x"), 0, &mut budget, &mut |member| {
            let mut content = Vec::new();
            let _ = member.reader.read_to_end(&mut content);
            out += content.len();
            count += 1;
            Ok(())
        }).unwrap();
        prop_assert!(out <= 100_000 && count <= 20);
    }
}
