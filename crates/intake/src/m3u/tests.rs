use std::collections::BTreeSet;

use model::Value;
use proptest::prelude::*;

use super::*;
use crate::laws;
use crate::parser::Confidence;

fn values(text: &str, property: &str) -> Vec<String> {
    let out = laws::hold(&PARSER, text.as_bytes());
    out.facts.iter().filter(|f| f.property == property).map(|f| f.value.text()).collect()
}

fn problems(text: &[u8]) -> Vec<String> {
    laws::hold(&PARSER, text).problems.iter().map(|p| p.message.clone()).collect()
}

#[test]
fn an_xtream_entry_gives_stream_line_and_channel() {
    let text = "#EXTM3U x-tvg-url=\"http://tv.example:8080/xmltv.php?username=anna&password=geheim\"\r\n\
        #EXTINF:-1 tvg-id=\"TF1.fr\" tvg-name=\"TF1\" tvg-logo=\"http://l.example/1.png\" group-title=\"FR;News\",FR: TF1 HD\r\n\
        http://tv.example:8080/live/anna/geheim/101.ts\r\n\
        #EXTINF:-1,The Last Stand (2023)\r\n\
        http://tv.example:8080/movie/anna/geheim/7.mkv\r\n";
    let out = laws::hold(&PARSER, text.as_bytes());
    laws::never_shows(&out, "geheim");
    let secrets: Vec<_> = out.facts.iter().filter(|f| f.value == Value::Secret).collect();
    assert_eq!(secrets.len(), 3);
    for secret in secrets {
        assert_eq!(laws::raw(text.as_bytes(), secret), b"geheim");
        assert_eq!(secret.subject.as_str(), "line:@tv.example/anna");
    }
    let stream = "stream:@tv.example/101";
    for (property, expected) in [
        ("name", "FR: TF1 HD"),
        ("epg_id", "TF1.fr"),
        ("icon", "http://l.example/1.png"),
        ("url", "http://tv.example:8080/live/anna/•••/101.ts"),
        ("hosted_at", "domain:tv.example"),
        ("shows", "channel:epg:tf1.fr"),
        ("type", "live"),
        ("container", "ts"),
        ("attribute", "tvg-name=TF1"),
    ] {
        assert_eq!(out.values(stream, property), [expected], "{property}");
    }
    assert_eq!(out.values(stream, "group"), ["FR", "News"]);
    assert_eq!(out.values("line:@tv.example/anna", "lists"), [stream, "stream:@tv.example/7"]);
    assert_eq!(out.values("stream:@tv.example/7", "shows"), ["work:the-last-stand/2023"]);
    assert_eq!(out.values("domain:tv.example", "url").len(), 1);
    assert!(out.problems.is_empty(), "{:?}", out.problems);
}

#[test]
fn what_the_wild_breaks_is_read_or_located() {
    // Junk and a mark in front, a repeated header, an entry without a URL, a path, a pipe.
    let text = "\u{feff}  junk\n#EXTM3U\n#EXTM3U\n# note\n#EXTINF: -1, a, b\n#EXTINF:-1,c\nhttp://h.example/%ZZ\n\
        #EXTGRP:g;h\n#EXTINF:5,d\nsub/x.m3u8\n\
        #EXTINF:1,e\n#EXTVLCOPT:http-user-agent=\"VLC\"\n#KODIPROP:inputstream=x\nhttp://198.18.0.9/v.mp4|User-Agent=A%20B&Referer=http://r.example/\n";
    let out = laws::hold(&PARSER, text.as_bytes());
    let messages: Vec<&str> = out.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(messages, ["neither a URL nor a line of M3U", "an entry without a URL"]);
    assert_eq!(out.values("stream:url:http://h.example/%ZZ", "name"), ["c"]);
    let path = "stream:xabababababababababababababababab//path:sub/x.m3u8";
    assert_eq!(out.values(path, "group"), ["g", "h"]);
    assert_eq!(out.values(path, "duration"), ["5"]);
    let video = "stream:url:http://198.18.0.9/v.mp4";
    assert_eq!(out.values(video, "user_agent"), ["VLC", "A B"]);
    assert_eq!(out.values(video, "referer"), ["http://r.example/"]);
    assert_eq!(out.values(video, "attribute"), ["inputstream=x"]);
    assert_eq!(out.values(video, "shows"), ["work:e"]);
    assert_eq!(out.values(video, "hosted_at"), ["ip:198.18.0.9"]);
}

#[test]
fn a_page_where_a_playlist_should_be_still_names_whom_it_names() {
    let page = "<html><body>Suspended: write to billing@lumen.example or see \
        <a href=\"http://panel.lumen.example:8080/login.php\">here</a></body></html>";
    let wide: Vec<u8> =
        [0xfeff].into_iter().chain(page.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for bytes in [page.as_bytes(), &wide] {
        for name in ["list.m3u", "list.m3u8"] {
            assert_eq!(crate::choose(bytes, name).unwrap().name, "m3u", "{name}");
        }
        let out = laws::hold(&PARSER, bytes);
        assert_eq!(out.values("email:billing@lumen.example", "as_written").len(), 1);
        assert_eq!(out.values("domain:panel.lumen.example", "url").len(), 1);
        assert_eq!(out.problems.len(), 1);
        assert_eq!((out.problems[0].start, out.problems[0].end), (0, bytes.len() as u64));
    }
}

#[test]
fn pages_and_ends_are_problems() {
    assert_eq!(
        problems(b"<!DOCTYPE html><html>\n<a href=\"http://x.example/\">"),
        ["an HTML page stands where a playlist should be: it was scanned for indicators"]
    );
    assert_eq!(problems(b"#EXTM3U\n#EXTINF:-1,x\n"), ["the playlist ends inside an entry"]);
    assert_eq!(problems(b""), Vec::<String>::new());
    assert_eq!(problems(b"http://a.example/1\r\rhttp://b.example/2"), Vec::<String>::new());
    let mut long = b"#EXTM3U\n#EXTINF:-1,".to_vec();
    long.resize((1 << 20) + 100, b'x');
    long.extend_from_slice(b"\nhttp://a.example/1\n");
    let out = laws::run(&PARSER, &long, 70_000).0;
    let same = laws::run(&PARSER, &long, long.len()).0;
    assert_eq!(out.problems, same.problems);
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.problems[0].kind, ProblemKind::Bound);
    assert_eq!(out.values("stream:url:http://a.example/1", "hosted_at"), ["domain:a.example"]);
}

#[test]
fn other_encodings_keep_their_spans() {
    let text = b"#EXTM3U\n#EXTINF:-1,Caf\xe9 T\xe9l\xe9\nhttp://h.example/a\n";
    let out = laws::hold(&PARSER, text);
    let name = out.facts.iter().find(|f| f.property == "name").unwrap();
    assert_eq!(name.value.text(), "Café Télé");
    assert_eq!(laws::raw(text, name), b"Caf\xe9 T\xe9l\xe9");
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.problems[0].kind, ProblemKind::Encoding);

    for big in [false, true] {
        let plain = "#EXTM3U\r\n#EXTINF:-1 tvg-id=\"é1\",Été 😀\r\nhttp://h.example/a\r\n";
        let bytes: Vec<u8> = "\u{feff}"
            .chars()
            .chain(plain.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() })
            .collect();
        assert!((PARSER.sniff)(&bytes, "x") > Confidence(80));
        let out = laws::hold(&PARSER, &bytes);
        assert!(out.problems.is_empty(), "{:?}", out.problems);
        let name = out.facts.iter().find(|f| f.property == "name").unwrap();
        assert_eq!(name.value.text(), "Été 😀");
        let units: Vec<u16> = laws::raw(&bytes, name)
            .chunks(2)
            .map(|p| {
                if big {
                    u16::from_be_bytes([p[0], p[1]])
                } else {
                    u16::from_le_bytes([p[0], p[1]])
                }
            })
            .collect();
        assert_eq!(String::from_utf16_lossy(&units), "Été 😀");
    }
}

#[test]
fn every_entry_of_the_shared_playlists_is_accounted_for() {
    for folder in ["data/iptv/playlists", "data/iptv/playlists/nasty"] {
        let Some(folder) = laws::shared(folder) else { return };
        for (name, bytes) in laws::files(&folder) {
            assert!(
                (PARSER.sniff)(&bytes[..bytes.len().min(65536)], &name) > Confidence(60),
                "{name}"
            );
            let out = if bytes.len() < 100_000 {
                laws::hold(&PARSER, &bytes)
            } else {
                let (out, coverage) = laws::run(&PARSER, &bytes, 4096);
                assert_eq!(coverage.total(), bytes.len() as u64);
                out
            };
            // Counted by the simplest of means: a line with #EXTINF is an entry.
            let text = String::from_utf8_lossy(&bytes);
            let entries = text.lines().filter(|l| l.trim_start().starts_with("#EXTINF")).count();
            let read = out
                .facts
                .iter()
                .filter(|f| f.property == "url" && f.subject.scheme() == "stream")
                .count();
            let lost = out.problems.iter().filter(|p| p.message.contains("entry")).count();
            assert_eq!(read + lost, entries, "{name}: {:?}", out.problems);
            // What stands in a URL's place there.
            let absent = text.matches("[NO PUBLIC STREAM]").count();
            assert_eq!(lost, absent, "{name}: {:?}", out.problems);
            let names = out.facts.iter().filter(|f| f.property == "name").count();
            assert_eq!(names, read, "{name}");
            for fact in &out.facts {
                let raw = String::from_utf8_lossy(laws::raw(&bytes, fact));
                if matches!(fact.property, "name" | "epg_id" | "icon" | "group" | "number") {
                    assert_eq!(raw, fact.value.text(), "{name}");
                }
            }
        }
    }
}

#[test]
fn damage_costs_only_what_it_touches() {
    let Some(folder) = laws::shared("data/iptv/playlists/nasty") else { return };
    for (_, bytes) in laws::files(&folder) {
        for seed in 0..60 {
            laws::hold(&PARSER, &laws::damaged(&bytes, seed));
        }
    }
}

#[test]
fn sniffers_tell_by_content() {
    for (text, m3u) in [
        ("#EXTM3U\n#EXTINF:-1 tvg-id=\"a\",A\nhttp://x.example/1.m3u8\n", true),
        ("#EXTM3U\n#EXTINF:-1,Channel One\nhttp://x.example/1.m3u8\n", true),
        (
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:-1 tvg-id=\"a\",A\nhttp://x.example/1\n#EXTINF:-1 tvg-id=\"b\",B\nhttp://x.example/2\n",
            true,
        ),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.ts\n#EXTINF:10,\nb.ts\n", false),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", false),
        ("#EXTM3U\n#EXTINF:10,\na.ts\n#EXTINF:9.9,\nb.ts\n", false),
    ] {
        let sure = (PARSER.sniff)(text.as_bytes(), "list.m3u8");
        assert_eq!(sure > Confidence(60), m3u, "{text}");
    }
}

fn playlist() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("#EXTM3U".to_owned()),
        "#EXTINF:-1( tvg-id=\"[a-zA-Z.]{0,6}\")?( group-title=\"[A-Z;]{0,4}\")?,[a-zA-Zé :,]{0,12}",
        "#EXTGRP:[a-z]{0,4}",
        "#EXTVLCOPT:http-user-agent=[a-z]{0,4}",
        "https?://[a-z]{1,5}\\.example(:80)?/[a-z0-9/.%|=&]{0,16}",
        "http://tv\\.example/(live|movie)/[a-z]{1,4}/[a-z]{1,4}/[0-9]{1,3}\\.ts",
        "[a-z]{1,5}/[a-z]{1,5}\\.m3u8",
        "=+[a-z]*=+",
        "# [a-z]{0,5}",
        Just(String::new()),
    ];
    (proptest::collection::vec(line, 0..20), prop_oneof![Just("\n"), Just("\r\n"), Just("\r")])
        .prop_map(|(lines, end)| lines.join(end))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn laws_hold(text in playlist()) {
        let out = laws::hold(&PARSER, text.as_bytes());
        for fact in &out.facts {
            let raw = String::from_utf8_lossy(laws::raw(text.as_bytes(), fact)).into_owned();
            match fact.property {
                "name" | "group" | "epg_id" | "user_name" => prop_assert_eq!(raw, fact.value.text()),
                _ => {}
            }
        }
    }

    #[test]
    fn a_prefix_of_lines_never_invents(text in playlist(), lines in 0usize..20) {
        // A URL has no terminator but its line's end, so a prefix is cut behind one.
        let cut: usize = text.split_inclusive(['\n', '\r']).take(lines).map(str::len).sum();
        laws::prefix(&PARSER, text.as_bytes(), cut, 0);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        laws::hold(&PARSER, &bytes);
    }
}

#[test]
fn entries_are_told_apart_in_order() {
    let text: String =
        (0..500).map(|i| format!("#EXTINF:-1,Channel {i}\nhttp://h.example/u/p/{i}\n")).collect();
    let streams: BTreeSet<String> = laws::run(&PARSER, text.as_bytes(), 11)
        .0
        .facts
        .iter()
        .filter(|f| f.property == "url")
        .map(|f| f.subject.to_string())
        .collect();
    assert_eq!(streams.len(), 500);
    assert_eq!(values(&text, "user_name"), ["u"]);
}
