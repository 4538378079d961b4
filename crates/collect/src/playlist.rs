//! The URIs inside an HLS playlist (RFC 8216), line by line: what is fetched next, and nothing else.
//! What the playlist says beyond that is `intake`'s to read, from the sealed bytes.

/// Most lines that are looked at.
pub const MAX_LINES: usize = 20_000;
/// Longest URI that is followed.
pub const MAX_URI: usize = 4096;

/// What a body leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Playlist {
    /// A master playlist: one URI a variant, in its order.
    Master(Vec<String>),
    /// A media playlist: initialisation sections and segments, in its order.
    Media(Vec<String>),
    /// A list of channels: which of them is meant is not the probe's to choose.
    Channels,
}

/// Reads a body as a playlist, and at most `most` URIs of it; `None` where it is none.
pub fn read(body: &[u8], most: usize) -> Option<Playlist> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut lines = body.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).take(MAX_LINES);
    let first = lines.next()?;
    let rest = first.strip_prefix(b"#EXTM3U")?;
    if !rest.first().is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    let (mut master, mut media, mut uris) = (false, false, Vec::new());
    for line in lines {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        master |= line.starts_with("#EXT-X-STREAM-INF:");
        media |= line.starts_with("#EXT-X-TARGETDURATION:");
        let uri = match line.strip_prefix("#EXT-X-MAP:") {
            Some(attributes) => uri_of(attributes),
            None => Some(line).filter(|line| !line.is_empty() && !line.starts_with('#')),
        };
        if let Some(uri) = uri
            && uri.len() <= MAX_URI
            && uris.len() < most
        {
            uris.push(uri.to_owned());
        }
    }
    Some(match (master, media) {
        (true, _) => Playlist::Master(uris),
        (false, true) => Playlist::Media(uris),
        (false, false) => Playlist::Channels,
    })
}

/// The quoted value of the attribute `URI`.
fn uri_of(attributes: &str) -> Option<&str> {
    let mut quoted = false;
    let mut from = 0;
    for (at, c) in attributes.char_indices().chain([(attributes.len(), ',')]) {
        quoted ^= c == '"';
        if c == ',' && !quoted {
            let value = attributes[from..at].trim().strip_prefix("URI=\"");
            if let Some(value) = value.and_then(|v| v.strip_suffix('"')) {
                return Some(value);
            }
            from = at + 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn masters_media_and_channel_lists_are_told_apart() {
        let master = "\u{feff}#EXTM3U\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\nlow/index.m3u8\r\n\r\n\
            #EXT-X-STREAM-INF:BANDWIDTH=2\r\nhttp://cdn.example/high.m3u8\r\n";
        let uris = ["low/index.m3u8", "http://cdn.example/high.m3u8"].map(str::to_owned);
        assert_eq!(read(master.as_bytes(), 9), Some(Playlist::Master(uris.to_vec())));
        let media = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n\
            #EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n#EXT-X-MAP:BYTERANGE=\"1,2\",URI=\"init,1.mp4\"\n\
            #EXTINF:6,\na.ts\n#EXTINF:6,\nb.ts\n";
        let uris = |n: usize| ["init,1.mp4", "a.ts", "b.ts"][..n].iter().map(|u| (*u).to_owned());
        assert_eq!(read(media.as_bytes(), 9), Some(Playlist::Media(uris(3).collect())));
        assert_eq!(read(media.as_bytes(), 2), Some(Playlist::Media(uris(2).collect())));
        let channels = "#EXTM3U\n#EXTINF:-1,One\nhttp://tv.example/1\n";
        assert_eq!(read(channels.as_bytes(), 9), Some(Playlist::Channels));
        for none in ["", "#EXTM3U8\n", "<html>", "\n#EXTM3U\n"] {
            assert_eq!(read(none.as_bytes(), 9), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), most in 0usize..5) {
            let bytes = [b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:".as_slice(), &bytes].concat();
            let Some(Playlist::Media(uris) | Playlist::Master(uris)) = read(&bytes, most) else {
                return Ok(());
            };
            prop_assert!(uris.len() <= most);
            prop_assert!(uris.iter().all(|u| u.len() <= MAX_URI && !u.contains('\n')));
        }
    }
}
