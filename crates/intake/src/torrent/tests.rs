use proptest::prelude::*;

use super::*;
use crate::laws;

const YES: Option<&str> = None;

/// Our verdicts on libtorrent's fixtures. All but the last four stand in its own two tables (taken
/// or refused); the reasons are ours, by the BEPs.
const VERDICTS: &[(&str, Option<&str>)] = &[
    ("absolute_filename", YES),
    ("backslash_path", YES),
    ("bad_name", Some("a single file without a name")),
    ("base", YES),
    ("collection", YES),
    ("collection2", YES),
    ("creation_date", YES),
    ("dht_nodes", YES),
    ("duplicate_files", YES),
    ("duplicate_files2", Some("names that stand too often")),
    ("duplicate_web_seeds", YES),
    ("empty-files-1", YES),
    ("empty-files-2", YES),
    ("empty-files-3", YES),
    ("empty-files-4", YES),
    ("empty-files-5", YES),
    ("empty_httpseed", YES),
    ("empty_path", YES),
    ("empty_path_multi", YES),
    ("hidden_parent_path", YES),
    ("httpseed", YES),
    ("invalid_directory_name", YES),
    ("invalid_file_size", Some("a file without a length")),
    ("invalid_filename", YES),
    ("invalid_filename2", YES),
    ("invalid_info", Some("no info dict")),
    ("invalid_name", Some("no name")),
    ("invalid_name2", YES),
    ("invalid_name3", YES),
    ("invalid_path_list", Some("a name that is no string")),
    ("invalid_piece_len", Some("no piece length")),
    ("invalid_pieces", Some("no piece hashes")),
    ("invalid_symlink", Some("a name that is no string")),
    ("large", YES),
    ("large_piece_size", YES),
    ("long_name", YES),
    ("many_pieces", Some("more than 2,097,152 pieces")),
    ("missing_path_list", Some("a file without a name")),
    ("missing_piece_len", Some("no piece length")),
    ("negative_file_size", Some("a file's length out of bounds")),
    ("negative_piece_len", Some("a piece length out of bounds")),
    ("negative_size", Some("a file's length out of bounds")),
    ("no_creation_date", YES),
    ("no_files", Some("no files")),
    ("no_name", Some("no name")),
    ("overlapping_symlinks", YES),
    ("pad_file", YES),
    ("pad_file_no_path", YES),
    ("parent_path", YES),
    ("similar", YES),
    ("similar2", YES),
    ("single_multi_file", YES),
    ("slash_path", YES),
    ("slash_path2", YES),
    ("slash_path3", YES),
    ("string", Some("it is no dict")),
    ("symlink1", YES),
    ("symlink2", YES),
    ("symlink_filtered_path", YES),
    ("symlink_zero_size", YES),
    ("unaligned_pieces", Some("another number of piece hashes than of pieces")),
    ("unordered", YES),
    ("url_list", YES),
    ("url_list2", YES),
    ("url_list3", YES),
    ("url_seed", YES),
    ("url_seed_multi", YES),
    ("url_seed_multi_single_file", YES),
    ("url_seed_multi_space", YES),
    ("url_seed_multi_space_nolist", YES),
    ("v2", YES),
    ("v2_bad_file_alignment", Some("its v1 and its v2 files are not the same")),
    ("v2_deep_recursion", Some("nested deeper than 100")),
    ("v2_empty_filename", Some("a file tree's name that is empty")),
    ("v2_hybrid", YES),
    ("v2_incomplete_piece_layer", YES),
    ("v2_invalid_file", Some("an entry of the file tree that is no dict")),
    ("v2_invalid_filename", YES),
    ("v2_invalid_filename2", YES),
    ("v2_invalid_pad_file", Some("a padding file in a v2 tree")),
    ("v2_invalid_piece_layer", Some("a piece layer that is no string")),
    ("v2_invalid_piece_layer_root", Some("a piece layer that does not hash to its file's root")),
    ("v2_invalid_piece_layer_size", Some("a piece layer of another length than its file's")),
    ("v2_large_file", Some("a file's length out of bounds")),
    ("v2_large_offset", Some("more than 2,097,152 pieces")),
    ("v2_mismatching_metadata", Some("its v1 and its v2 files are not the same")),
    ("v2_missing_file_root_invalid_symlink", Some("a file without a pieces root")),
    ("v2_multipiece_file", YES),
    ("v2_multiple_files", YES),
    ("v2_no_piece_layers", YES),
    ("v2_no_power2_piece", Some("a piece length that is no power of two from 16 KiB on")),
    ("v2_non_multiple_piece_layer", Some("a piece layer of another length than its file's")),
    ("v2_only", YES),
    ("v2_overlong_integer", Some("a leading zero in an integer")),
    ("v2_piece_layer_invalid_file_hash", Some("a piece layer of no file")),
    ("v2_piece_size", Some("a piece length out of bounds")),
    ("v2_symlinks", YES),
    ("v2_unknown_piece_layer_entry", Some("a piece layer of no file")),
    ("v2_unordered_files", Some("keys out of order")),
    ("v2_zero_root", Some("a pieces root that is none")),
    ("v2_zero_root_small", Some("a pieces root that is none")),
    ("whitespace_url", YES),
    ("zero", Some("no bytes in any file")),
    ("zero2", Some("no bytes in any file")),
    // In neither table.
    // BEP 3: a tracker, two files, one of them padding (BEP 47); hashes for its one piece.
    ("sample", YES),
    // BEP 52: an empty file has no pieces root, and v1 and v2 name the same files.
    ("v2_empty_file", YES),
    // BEP 52 asks for padding between files; the last file needs none behind it.
    ("v2_hybrid-missing-tailpad", YES),
    // BEP 52: "the layer hashes concatenated must hash to the pieces root": they do not.
    ("v2_invalid_root_hash", Some("a piece layer that does not hash to its file's root")),
];

fn refusal(out: &crate::Collect) -> Option<String> {
    let told = out.problems.iter().find_map(|p| p.message.strip_prefix("refused: "))?;
    Some(told.rsplit_once(" (byte ").map_or(told, |(why, _)| why).to_owned())
}

#[test]
fn the_verdict_on_each_fixture() {
    let Some(folder) = laws::shared("data/torrents") else { return };
    let files = laws::files(&folder);
    assert_eq!(files.len(), VERDICTS.len());
    for (name, bytes) in files {
        let stem = name.trim_end_matches(".torrent");
        let (_, expected) = VERDICTS.iter().find(|(n, _)| *n == stem).expect("in the table");
        let out = laws::hold(&PARSER, &bytes);
        assert_eq!(refusal(&out).as_deref(), *expected, "{name}");
        let swarms = out.facts.iter().filter(|f| f.property.starts_with("info_hash")).count();
        assert_eq!(swarms > 0, expected.is_none(), "{name}");
        assert!(sniff(&bytes, &name) >= Confidence(40), "{name}");
        for fact in &out.facts {
            let shown = fact.value.text();
            let path = matches!(fact.property, "file" | "name");
            assert!(
                !path || !shown.split('/').any(|part| part == ".." || part.is_empty()),
                "{name}: {shown}"
            );
        }
    }
}

#[test]
fn what_the_fixtures_say() {
    let Some(folder) = laws::shared("data/torrents") else { return };
    let read = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).expect("a fixture");
        laws::hold(&PARSER, &bytes)
    };
    let out = read("v2_multipiece_file.torrent");
    let v2 = "108ac2c3718ce722e6896edc56c4afa98f1d711ecaace7aad74fca418ebd03de";
    let swarm = out.facts[0].subject.to_string();
    assert_eq!(out.values(&swarm, "info_hash_v2"), [v2]);
    assert_eq!(out.values(&swarm, "same_as"), [format!("swarm:{v2}")]);
    assert_eq!(out.values(&swarm, "size"), ["1048576"]);

    let out = read("v2_only.torrent");
    let v2 = "swarm:95e04d0c4bad94ab206efa884666fd89777dbe4f7bd9945af1829037a85c6192";
    assert_eq!(out.values(v2, "name"), ["test1MB"]);
    assert_eq!(out.values(v2, "same_as"), [] as [&str; 0]);

    let out = read("whitespace_url.torrent");
    let swarm = out.facts[0].subject.to_string();
    assert_eq!(out.values(&swarm, "tracker"), ["udp://test.com/announce"]);
    assert_eq!(out.values(&swarm, "tracked_by"), ["domain:test.com"]);

    let out = read("dht_nodes.torrent");
    let swarm = out.facts[0].subject.to_string();
    assert_eq!(out.values(&swarm, "node"), ["127.0.0.1:6881", "192.168.1.1:6881"]);

    let out = read("creation_date.torrent");
    let swarm = out.facts[0].subject.to_string();
    assert_eq!(out.values(&swarm, "created_at"), ["1970-01-15T06:56:07Z"]);

    let out = read("parent_path.torrent");
    assert!(out.problems.iter().any(|p| p.message.contains("climbs")));
    let out = read("absolute_filename.torrent");
    assert!(out.problems.iter().any(|p| p.message.contains("absolute")));
}

fn made(info: &str, before: &str) -> Vec<u8> {
    format!("d{before}4:infod{info}ee").into_bytes()
}

#[test]
fn a_release_and_a_passkey() {
    let name = "Some.Show.S01E02.1080p.WEB.H264-GRP";
    let info = format!(
        "6:lengthi5e4:name{}:{name}12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaa",
        name.len()
    );
    let url =
        "https://tracker.example:443/0123456789abcdef0123456789abcdef/announce?passkey=hunter2";
    let bytes = made(&info, &format!("8:announce{}:{url}", url.len()));
    let out = laws::hold(&PARSER, &bytes);
    let swarm = out.facts[0].subject.to_string();
    assert_eq!(
        out.values(&swarm, "tracker"),
        ["https://tracker.example:443/•••/announce?passkey=•••"]
    );
    assert_eq!(out.values(&swarm, "tracked_by"), ["domain:tracker.example"]);
    laws::never_shows(&out, "hunter2");
    laws::never_shows(&out, "0123456789abcdef0123456789abcdef");
    let secrets: Vec<_> = out.facts.iter().filter(|f| f.value == Value::Secret).collect();
    assert_eq!(laws::raw(&bytes, secrets[1]), b"hunter2");
    let release = "release:some.show.s01e02.1080p.web.h264-grp";
    assert_eq!(out.values(&swarm, "distributes"), [release]);
    assert_eq!(out.values(release, "released_by"), ["organization:grp"]);
    assert_eq!(out.values(release, "release_of"), ["work:some-show/s01e02"]);
}

#[test]
fn bytes_behind_the_end_are_lost_aloud() {
    let mut bytes =
        made("6:lengthi5e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaa", "");
    bytes.extend(b"junk");
    let out = laws::hold(&PARSER, &bytes);
    assert!(refusal(&out).is_none());
    assert!(out.problems.iter().any(|p| p.lost && p.end - p.start == 4));
}

proptest! {
    #[test]
    fn the_laws_hold_on_damaged_fixtures(pick in 0usize..108, seed: u64) {
        if let Some(folder) = laws::shared("data/torrents") {
            let files = laws::files(&folder);
            let bytes = laws::damaged(&files[pick % files.len()].1, seed);
            laws::hold(&PARSER, &bytes);
        }
    }

    /// A torrent is one record: a prefix of one is refused and names nothing.
    #[test]
    fn a_prefix_never_invents(pick in 0usize..108, cut: prop::sample::Index) {
        if let Some(folder) = laws::shared("data/torrents") {
            let files = laws::files(&folder);
            let bytes = &files[pick % files.len()].1;
            laws::prefix(&PARSER, bytes, cut.index(bytes.len() + 1), 0);
        }
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop::sample::select(&b"d4:infoel0i159e:ab\xff"[..]), 0..80)) {
        laws::hold(&PARSER, &bytes);
    }
}
