//! Playlists and what they lead to.

use collect::Refusal;
use collect::authorisation::Method;

use crate::world::{asked, authorisation, capture, ok, packets, refused, resolver, server, zone};

const MASTER: &[u8] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/media.m3u8\n\
    #EXT-X-STREAM-INF:BANDWIDTH=2\nhigh/media.m3u8\n";

fn media(host: &str) -> Vec<u8> {
    let segments: String = (0..9).map(|n| format!("#EXTINF:6,\n{host}{n}.ts\n")).collect();
    format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n{segments}").into_bytes()
}

fn station(host: String) -> u16 {
    let (port, _) =
        server(move |request, out| match request.split(' ').nth(1).unwrap_or_default() {
            "/live.m3u8" => ok(out, "application/vnd.apple.mpegurl", MASTER),
            path if path.ends_with("media.m3u8") => ok(out, "audio/mpegurl", &media(&host)),
            "/channels.m3u" => ok(out, "audio/mpegurl", b"#EXTM3U\n#EXTINF:-1,One\n/1.ts\n"),
            "/raw.ts" => ok(out, "video/mp2t", &packets(50)),
            _ => ok(out, "video/mp2t", &packets(10)),
        });
    port
}

#[test]
fn the_first_variant_and_its_first_segments_are_captured() {
    let port = station(String::new());
    let (dns, questions) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let item = format!("http://tv.example:{port}/live.m3u8");
    let capture = capture(&item, of, dns);
    let paths: Vec<String> = asked(&capture)
        .iter()
        .map(|a| a.rsplit_once(':').unwrap().1.replacen(&port.to_string(), "", 1))
        .collect();
    assert_eq!(paths, ["/live.m3u8", "/low/media.m3u8", "/low/0.ts", "/low/1.ts", "/low/2.ts"]);
    assert_eq!(capture.outcome().words(), "media");
    assert!(capture.media_bytes() > 3 * 1880);
    assert_eq!(questions.lock().unwrap().len(), 2, "a name is looked up once a capture");
}

#[test]
fn every_segment_s_host_is_held_against_the_authorisation() {
    let port = station("http://cdn.example/".to_owned());
    let (dns, questions) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    let capture = capture(&format!("http://tv.example:{port}/live.m3u8"), of, dns);
    assert_eq!(refused(&capture).len(), 3);
    assert_eq!(capture.refused[&Refusal::Host], 3);
    assert_eq!(capture.outcome().words(), "answered 200");
    assert!(questions.lock().unwrap().iter().all(|q| q.starts_with("tv.example ")));
}

#[test]
fn what_is_allowed_for_pages_follows_no_playlist() {
    let port = station(String::new());
    let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let mut of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
    of.methods = [Method::Page].into();
    let capture = capture(&format!("http://tv.example:{port}/live.m3u8"), of, dns);
    assert_eq!(capture.requests(), 1);
    assert_eq!(refused(&capture), [format!("method http://tv.example:{port}/low/media.m3u8")]);
}

#[test]
fn a_stream_is_media_and_a_list_of_channels_leads_nowhere() {
    let port = station(String::new());
    let (dns, _) = resolver(zone(&[("tv.example", &["127.0.0.1"])]), false);
    let look = |path: &str| {
        let of = authorisation(&["tv.example:*", "127.0.0.0/8:*"]);
        capture(&format!("http://tv.example:{port}/{path}"), of, dns)
    };
    assert_eq!(look("raw.ts").outcome().words(), "media");
    let channels = look("channels.m3u");
    assert_eq!((channels.requests(), channels.outcome().words()), (1, "answered 200".to_owned()));
}
