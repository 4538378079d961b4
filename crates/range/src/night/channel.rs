//! What a streaming server of the practice range answers: a live playlist (RFC 8216) whose window moves with the
//! clock, and the segments that it names. Nothing is kept: each is made of its number when it is asked for.

use super::transport::{self, SECONDS};

/// Segments that the playlist names.
pub const WINDOW: u64 = 6;
/// Segments that are had besides, for who read the playlist a while ago.
const GRACE: u64 = 3;

/// The playlist of a moment: its newest segment is the last one that is over.
pub fn playlist(now_s: u64) -> String {
    let first = (now_s / SECONDS).saturating_sub(WINDOW);
    let mut text = format!(
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:{SECONDS}\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
    );
    for n in first..first + WINDOW {
        text.push_str(&format!("#EXTINF:{SECONDS}.000,\n{n}.ts\n"));
    }
    text
}

/// The bytes of `NUMBER.ts`; `None` where the name is another, or its time is past or yet to come.
pub fn segment(channel: u64, name: &str, now_s: u64) -> Option<Vec<u8>> {
    let number = name.strip_suffix(".ts")?;
    let n: u64 = number.parse().ok().filter(|n: &u64| n.to_string() == number)?;
    let next = now_s / SECONDS;
    let there = next.saturating_sub(WINDOW + GRACE)..next;
    there.contains(&n).then(|| transport::segment(channel, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_moves_with_the_clock_and_all_in_it_is_to_be_had() {
        let now = 1_790_000_003;
        let before = playlist(now);
        assert_eq!(before, playlist(now + SECONDS - 1 - now % SECONDS), "within one segment");
        let after = playlist(now + SECONDS);
        assert_ne!(before, after);
        let names = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
        };
        assert_eq!(names(&before).len() as u64, WINDOW);
        assert_eq!(names(&before)[1..], names(&after)[..5]);
        for name in names(&before) {
            let body = segment(1, &name, now).unwrap();
            assert_eq!((body[0], body[188], body[376]), (0x47, 0x47, 0x47));
        }
        assert!(segment(1, &names(&before)[0], now + SECONDS * GRACE).is_some());
        assert!(segment(1, &names(&before)[0], now + SECONDS * (GRACE + 1)).is_none());
        assert!(segment(1, &format!("{}.ts", now / SECONDS), now).is_none(), "yet to come");
    }

    #[test]
    fn other_names_are_nothing() {
        for name in
            ["", ".ts", "x.ts", "+1.ts", "01.ts", "1.mp4", "18446744073709551616.ts", "-1.ts"]
        {
            assert!(segment(1, name, 4).is_none(), "{name}");
        }
        assert!(playlist(0).contains("MEDIA-SEQUENCE:0"));
    }
}
