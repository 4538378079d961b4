use proptest::prelude::*;

use super::*;
use crate::laws;

fn keys(bytes: &[u8]) -> Vec<String> {
    let out = laws::hold(&PARSER, bytes);
    out.facts.iter().filter(|f| f.property == "as_written").map(|f| f.subject.to_string()).collect()
}

#[test]
fn lines_of_each_form() {
    let text = b"\xef\xbb\xbf# a list\nstream.example\r\n*.wild.example\n||block.example^\nhttp://u:hunter2@url.example:8080/x\n198.18.4.7\n198.18.0.9/15\n3fff::/20\n198.18.4.8:8080 # why\n\n// end\nnot an entry\n";
    assert_eq!(sniff(text, ""), Confidence(70));
    let out = laws::hold(&PARSER, text);
    laws::never_shows(&out, "hunter2");
    assert_eq!(
        keys(text),
        [
            "domain:stream.example",
            "domain:wild.example",
            "domain:block.example",
            "domain:url.example",
            "ip:198.18.4.7",
            "ip:198.18.0.0",
            "ip:3fff::",
            "ip:198.18.4.8",
        ]
    );
    assert_eq!(out.values("ip:198.18.0.0", "network"), ["198.18.0.0/15"]);
    assert_eq!(out.values("domain:url.example", "url"), ["http://u:•••@url.example:8080/x"]);
    let lost: Vec<_> = out.problems.iter().filter(|p| p.lost).collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(&text[lost[0].start as usize..lost[0].end as usize], b"not an entry\n");
}

#[test]
fn a_hosts_file() {
    let text = b"127.0.0.1 localhost\n0.0.0.0 ads.example more.example\n198.18.4.7 panel.example\n";
    let out = laws::hold(&PARSER, text);
    assert_eq!(
        keys(text),
        ["domain:ads.example", "domain:more.example", "ip:198.18.4.7", "domain:panel.example"]
    );
    assert_eq!(out.values("domain:panel.example", "has_address"), ["ip:198.18.4.7"]);
    assert_eq!(out.problems, []);
}

#[test]
fn columns_by_their_header() {
    let text = b"id;\"Host Name\";note;ip\n1;\"a.example\";x;198.18.4.7\n2;;y;\n3;b.example;;nonsense\n4;c.example;;198.18.4.8\n";
    let text2 = b"domain\na.example\nb.example\n";
    assert_eq!(
        keys(text),
        [
            "domain:a.example",
            "ip:198.18.4.7",
            "domain:b.example",
            "domain:c.example",
            "ip:198.18.4.8"
        ]
    );
    assert_eq!(keys(text2), ["domain:a.example", "domain:b.example"]);
    let out = laws::hold(&PARSER, text);
    assert_eq!(out.problems.len(), 2);
}

#[test]
fn json_of_each_form() {
    let text = br#"{"name": "list", "list": ["a.example", "198.18.0.0/15", "http:\/\/b.example\/x", "c.example", "d.example", "e.example", "f.example", "g.example", "h.example", "?"]}"#;
    assert_eq!(sniff(text, ""), Confidence(70));
    assert_eq!(keys(text).len(), 9);
    let out = laws::hold(&PARSER, text);
    assert_eq!(out.problems.iter().filter(|p| p.lost).count(), 1);
    let text = br#"[{"domain":"a.example","n":1},{"domain":"b.example"},{"ip":"198.18.4.7"}]"#;
    assert_eq!(keys(text), ["domain:a.example", "domain:b.example", "ip:198.18.4.7"]);
}

#[test]
fn what_is_no_list() {
    for text in [
        &b"a sentence that names stream.example in passing\n"[..],
        b"{\"user_info\":{\"username\":\"u\"}}",
        b"name,amount\nx,1\n",
        b"#EXTM3U\n#EXTINF:-1,Name\nhttp://s.example/1.ts\n#EXTINF:-1,Other Name here\nhttp://s.example/2.ts\n[x] y\n",
        b"",
        b"\n\n",
        b"user1\nuser2\n",
    ] {
        let sure = sniff(text, "");
        assert!(sure == Confidence::NO || text.starts_with(b"#EXTM3U"), "{:?}", String::from_utf8_lossy(text));
    }
}

/// Each line of the leaked lists of Piracy Shield is an entry.
#[test]
fn piracy_shield_is_read_to_the_last_line() {
    let Some(folder) = laws::shared("data/blocking/piracy-shield") else { return };
    for (name, bytes) in laws::files(&folder) {
        assert_eq!(
            crate::choose(&bytes[..bytes.len().min(64 << 10)], &name).map(|p| p.name),
            Some("host-list")
        );
        let (out, coverage) = laws::run(&PARSER, &bytes, 64 << 10);
        let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty()).count();
        let read = out.facts.iter().filter(|f| f.property == "as_written").count();
        assert_eq!((read, coverage.lost, out.problems.len()), (lines, 0, 0), "{name}");
        assert_eq!(coverage.total(), bytes.len() as u64);
        for fact in &out.facts {
            let raw = laws::raw(&bytes, fact);
            assert!(fact.subject.rest().as_bytes() == raw.to_ascii_lowercase(), "{fact:?}");
        }
        assert!(lines == 38_530 || lines == 10_967, "{name}: {lines} lines");
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = prop::sample::select(vec![
        "a.example",
        "198.18.4.7",
        "198.18.0.0/15",
        "http://u:p@b.example/x",
        "# c",
        "",
        "0.0.0.0 x.example y",
        "é",
        "\"q\"",
        "[\"a.example\",\"b.example\",\"c.test\"]",
        "domain,ip",
        "c.example,198.18.4.7",
        "{",
        "]",
        "\\/",
        "||z.test^",
        "\u{0}",
        "host;x",
    ]);
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.join("\n").into_bytes())
}

proptest! {
    #[test]
    fn the_laws_hold(bytes in text(), seed: u64) {
        laws::hold(&PARSER, &bytes);
        laws::hold(&PARSER, &laws::damaged(&bytes, seed));
    }

    /// Of a list of entries a prefix says nothing else; what the list is written in shows at its
    /// head, so prefixes that keep the head are tried.
    #[test]
    fn a_prefix_never_invents(lines in prop::collection::vec(prop::sample::select(vec!["a.example", "198.18.4.7", "http://u:p@b.example/x", "# c"]), 5..20), cut: prop::sample::Index) {
        let bytes = lines.join("\n").into_bytes();
        laws::prefix(&PARSER, &bytes, cut.index(bytes.len() + 1), 24);
    }
}

/// Material of other kinds is left to its own parsers.
#[test]
fn other_material_is_no_list() {
    for folder in [
        "data/iptv/playlists",
        "data/iptv/playlists/nasty",
        "data/iptv/hls",
        "data/iptv/xtream",
        "data/names",
        "data/torrents",
        "data/warc",
    ] {
        let Some(folder) = laws::shared(folder) else { return };
        for (name, bytes) in laws::files(&folder) {
            let head = &bytes[..bytes.len().min(64 << 10)];
            let chosen = crate::choose(head, &name).map_or("", |p| p.name);
            assert!(chosen != "host-list", "{name}");
            assert!(chosen != "release-list" || name.ends_with(".yml"), "{name}");
            assert!((chosen == "torrent") == name.ends_with(".torrent"), "{name}");
        }
    }
}
