use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::laws;
use crate::sink::Collect;

const HERE: &str = "stream:xabababababababababababababababab//";

#[test]
fn a_master_playlist() {
    let text = "#EXTM3U\n#EXT-X-VERSION:7\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"aac\",LANGUAGE=\"eng\",NAME=\"English\",URI=\"eng/index.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=300000,CODECS=\"mp4a.40.2,avc1.4d401e\",RESOLUTION=640x360,AUDIO=\"aac\"\n\
        # between\n\
        http://cdn.example:8080/live/anna/geheim/5.m3u8\n\
        #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8?pass=geheim\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=2\n";
    let out = laws::hold(&PARSER, text.as_bytes());
    laws::never_shows(&out, "geheim");
    let variant = "stream:@cdn.example/5";
    assert_eq!(out.values(variant, "bandwidth"), ["300000"]);
    assert_eq!(out.values(variant, "codecs"), ["mp4a.40.2,avc1.4d401e"]);
    assert_eq!(out.values(variant, "resolution"), ["640x360"]);
    assert_eq!(out.values(variant, "attribute"), ["AUDIO=aac"]);
    assert_eq!(out.values(variant, "hosted_at"), ["domain:cdn.example"]);
    assert_eq!(out.values("line:@cdn.example/anna", "lists"), [variant]);
    let audio = format!("{HERE}path:eng/index.m3u8");
    assert_eq!(out.values(&audio, "name"), ["English"]);
    assert_eq!(out.values(&audio, "type"), ["AUDIO"]);
    assert_eq!(out.values(&format!("{HERE}path:i.m3u8?pass=•••"), "bandwidth"), ["1"]);
    assert_eq!(out.problems.len(), 1);
    assert_eq!(out.problems[0].message, "a variant without a URI");
}

#[test]
fn a_media_playlist_of_low_latency() {
    let text = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n\
        #EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.example/k?r=52\",IV=0x01\n\
        #EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.00008,\nhttps://seg.example/1.mp4\n\
        #EXT-X-PART:DURATION=0.33,URI=\"part.mp4\",INDEPENDENT=YES\n\
        #EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXTINF:4,title, too\n2.mp4\n3.mp4\n#EXT-X-ENDLIST\n";
    let out = laws::hold(&PARSER, text.as_bytes());
    let list = format!("{HERE}playlist");
    assert_eq!(
        out.values(&list, "segment"),
        ["init.mp4", "https://seg.example/1.mp4", "part.mp4", "2.mp4", "3.mp4"]
    );
    assert_eq!(out.values(&list, "duration"), ["4.00008", "0.33", "4"]);
    assert_eq!(out.values(&list, "key_url"), ["https://keys.example/k?r=52"]);
    assert_eq!(out.values(&list, "mentions"), ["domain:keys.example"]);
    assert_eq!(out.values(&list, "hosted_at"), ["domain:seg.example"]);
    assert_eq!(out.values(&list, "note"), ["title, too"]);
    assert!(out.values(&list, "attribute").contains(&"EXT-X-SKIP:SKIPPED-SEGMENTS=3".to_owned()));
    let messages: Vec<&str> = out.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(messages, ["a segment without #EXTINF"]);
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    laws::shared("data/iptv/hls/videojs").map(|f| laws::files(&f)).unwrap_or_default()
}

#[test]
fn every_line_of_the_shared_fixtures_is_accounted_for() {
    let files = fixtures();
    if files.is_empty() {
        return;
    }
    assert_eq!(files.len(), 60);
    for (name, bytes) in files {
        let sure = (PARSER.sniff)(&bytes, &name);
        let m3u = (crate::m3u::PARSER.sniff)(&bytes, &name);
        assert!(bytes.is_empty() || sure > m3u, "{name}: {sure:?} against {m3u:?}");
        let out = laws::hold(&PARSER, &bytes);
        assert!(out.problems.iter().all(|p| !p.lost), "{name}: {:?}", out.problems);
        // A URI is a line that is neither blank nor a tag: each is a segment or a variant.
        let text = String::from_utf8_lossy(&bytes);
        let uris = text
            .lines()
            .filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
            .count();
        let read = out.facts.iter().filter(|f| {
            // On a line of their own: not inside a tag.
            let line = bytes[..f.start as usize].rsplit(|b| *b == b'\n').next().unwrap_or_default();
            matches!(f.property, "segment" | "url") && line.iter().all(u8::is_ascii_whitespace)
        });
        assert_eq!(read.count(), uris, "{name}");
        let durations = text.lines().filter(|l| l.trim_start().starts_with("#EXTINF")).count();
        let found = out.facts.iter().filter(|f| f.property == "duration").count()
            + out.problems.iter().filter(|p| p.message.contains("duration")).count();
        assert!(found >= durations, "{name}");
    }
}

/// What a reader saw, in words that both readers share.
type Seen = BTreeMap<String, usize>;

fn ours(out: &Collect) -> Seen {
    let mut seen = Seen::new();
    for fact in &out.facts {
        let word = match fact.property {
            "segment" | "url" => format!("uri {}", fact.value.text()),
            "key_url" => format!("key {}", fact.value.text()),
            "bandwidth" => format!("bandwidth {}", fact.value.text()),
            "duration" => "duration".to_owned(),
            _ => continue,
        };
        *seen.entry(word).or_default() += 1;
    }
    seen
}

fn theirs(bytes: &[u8]) -> Option<Seen> {
    let mut seen = Seen::new();
    let mut add = |word: String| *seen.entry(word).or_default() += 1;
    match m3u8_rs::parse_playlist_res(bytes).ok()? {
        m3u8_rs::Playlist::MasterPlaylist(master) => {
            for variant in master.variants {
                add(format!("uri {}", variant.uri.trim()));
                add(format!("bandwidth {}", variant.bandwidth));
            }
            for rendition in master.alternatives {
                if let Some(uri) = rendition.uri {
                    add(format!("uri {uri}"));
                }
            }
            for key in master.session_key {
                if let Some(uri) = key.0.uri {
                    add(format!("key {uri}"));
                }
            }
        }
        m3u8_rs::Playlist::MediaPlaylist(media) => {
            let (mut last_key, mut last_map) = (None, None);
            for segment in media.segments {
                add(format!("uri {}", segment.uri.trim()));
                // Without #EXTINF it makes up a zero.
                if segment.duration > 0.0 {
                    add("duration".to_owned());
                }
                if segment.key.is_some() && segment.key != last_key {
                    if let Some(uri) = segment.key.as_ref().and_then(|k| k.uri.clone()) {
                        add(format!("key {uri}"));
                    }
                    last_key = segment.key;
                }
                if segment.map.is_some() && segment.map != last_map {
                    if let Some(map) = &segment.map {
                        add(format!("uri {}", map.uri));
                    }
                    last_map = segment.map;
                }
            }
        }
    }
    Some(seen)
}

#[test]
#[allow(clippy::print_stderr)]
fn beside_m3u8_rs() {
    let (mut files, mut parsed, mut more, mut we, mut they) = (0, 0, 0, 0, 0);
    for (name, bytes) in fixtures() {
        let (out, _) = laws::run(&PARSER, &bytes, bytes.len().max(1));
        let our = ours(&out);
        files += 1;
        we += our.values().sum::<usize>();
        let Some(their) = theirs(&bytes) else {
            more += our.values().sum::<usize>();
            continue;
        };
        parsed += 1;
        they += their.values().sum::<usize>();
        for (word, count) in &their {
            // A segment they made up without any URI, or of the rest of a tag, names nothing.
            if word == "uri " || word == "uri @" {
                continue;
            }
            let found = our.get(word).copied().unwrap_or(0);
            assert!(found >= *count, "{name}: {word} read {found} times, by m3u8-rs {count}");
        }
    }
    eprintln!(
        "HLS fixtures: {files} read; m3u8-rs {parsed}; values {we} against {they}, of them {more} in files it refuses"
    );
}

#[test]
fn damage_costs_only_what_it_touches() {
    for (_, bytes) in fixtures() {
        for seed in 0..8 {
            laws::hold(&PARSER, &laws::damaged(&bytes, seed));
        }
    }
}

fn playlist() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        Just("#EXTM3U".to_owned()),
        "#EXTINF:[0-9]{0,2}(\\.[0-9]{1,3})?,[a-z]{0,4}",
        "#EXT-X-STREAM-INF:BANDWIDTH=[0-9]{1,6}(,CODECS=\"[a-z,]{0,6}\")?",
        "#EXT-X-(KEY|MAP|PART|MEDIA):URI=\"[a-z?=/:]{0,10}\",DURATION=[0-9]",
        "#EXT-X-[A-Z]{3,8}:[A-Z]{1,3}=[a-z0-9]{0,4}",
        "(https?://[a-z]{1,5}\\.example/)?[a-z0-9/]{1,8}\\.(ts|m3u8)",
        "#[a-z ]{0,6}",
        Just(String::new()),
    ];
    (proptest::collection::vec(line, 0..20), prop_oneof![Just("\n"), Just("\r\n")])
        .prop_map(|(lines, end)| lines.join(end))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn laws_hold(text in playlist()) {
        let out = laws::hold(&PARSER, text.as_bytes());
        for fact in &out.facts {
            if matches!(fact.property, "segment" | "key_url" | "codecs" | "note" | "duration") {
                let raw = String::from_utf8_lossy(laws::raw(text.as_bytes(), fact)).into_owned();
                let shown = fact.value.text();
                let masked = shown.contains(xtream_url::HIDDEN);
                prop_assert!(raw == shown || masked || fact.property == "duration");
            }
        }
    }

    #[test]
    fn a_prefix_of_lines_never_invents(text in playlist(), lines in 0usize..20) {
        let cut: usize = text.split_inclusive('\n').take(lines).map(str::len).sum();
        laws::prefix(&PARSER, text.as_bytes(), cut, 0);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        laws::hold(&PARSER, &bytes);
    }
}
