//! Names of channels and works made comparable: one rule for playlists, dumps and answers.
//!
//! **Channel**: the EPG id, lower case, trimmed; else the name: lower case; a leading country tag
//! (two or three letters, then `:`, `|` or `-`) dropped; parts in brackets dropped; marks of quality
//! ([`QUALITY`]) dropped; all that is no letter or digit dropped.
//!
//! **Work**: a leading country tag dropped; the year is `19dd` or `20dd` in brackets or at the end;
//! `SxxEyy` is season and episode, and what stands behind it (an episode's own title) is left out;
//! the rest in lower case, letters and digits, joined by single `-`.
//!
//! Nothing here guesses: two names that differ otherwise stay two things until somebody judges.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::Key;

/// Marks of quality and delivery that do not tell channels apart.
pub const QUALITY: &[&str] = &[
    "hd", "fhd", "uhd", "qhd", "sd", "hq", "4k", "8k", "hevc", "h264", "h265", "x265", "raw",
    "vip", "backup", "50fps", "60fps", "1080p", "720p",
];

/// Values that stand in EPG id fields and name nothing.
const NO_EPG_ID: &[&str] = &["", "-", "0", "null", "none", "n/a", "na", "undefined", "(no tvg-id)"];

/// The longest name looked at, in bytes; what lies beyond is not compared.
const MAX_NAME: usize = 1024;

/// The channel that an EPG id or, without one, a name stands for. `None` where neither names any.
pub fn channel_key(epg_id: Option<&str>, name: &str) -> Option<Key> {
    if let Some(id) = epg_id.map(str::trim) {
        let nothing = id.len() <= 11 && NO_EPG_ID.iter().any(|none| id.eq_ignore_ascii_case(none));
        if !nothing {
            return Some(Key::joined("channel", &["epg:", &lower(id)]));
        }
    }
    let name = channel_name(name);
    (!name.is_empty()).then(|| Key::joined("channel", &["name:", &name]))
}

/// A channel's name, normalised. Empty where nothing is left (a separator line, say).
pub fn channel_name(name: &str) -> String {
    let name = cut(name).trim();
    let name = without_brackets(&name[country_tag(name)..]);
    let mut out = String::with_capacity(name.len());
    words(&lower(&name), |token| {
        if !QUALITY.contains(&token) {
            out.push_str(token);
        }
    });
    out
}

/// The text in lower case.
fn lower(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        Cow::Owned(text.to_lowercase())
    } else if text.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// The runs of letters and digits.
fn words<'t>(text: &'t str, mut each: impl FnMut(&'t str)) {
    if !text.is_ascii() {
        return text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).for_each(each);
    }
    let b = text.as_bytes();
    let mut at = 0;
    while at < b.len() {
        let n = b[at..].iter().take_while(|c| c.is_ascii_alphanumeric()).count();
        if n > 0 {
            each(&text[at..at + n]);
        }
        at += n + 1;
    }
}

/// The length of a leading country tag with its mark and the blanks behind it; 0 without one.
///
/// A tag is a code of a country or language as panels write it, so that `BBC-1` keeps its name.
pub fn country_tag(name: &str) -> usize {
    let b = name.as_bytes();
    let letters = b.iter().take(4).take_while(|c| c.is_ascii_alphabetic()).count();
    if !(2..=3).contains(&letters) || !is_country(&name[..letters]) {
        return 0;
    }
    let blanks = b[letters..].iter().take_while(|c| **c == b' ').count();
    let mark = letters + blanks;
    if !matches!(b.get(mark), Some(b':' | b'|' | b'-')) {
        return 0;
    }
    let rest = &name[mark + 1..];
    mark + 1 + (rest.len() - rest.trim_start().len())
}

/// Two-letter codes of ISO 3166-1 (without `tv`, which names no country in this field) with `uk`,
/// `eu`, `en`, `la`; and the three-letter codes that panels use.
fn is_country(tag: &str) -> bool {
    const TWO: &str = "ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tw tz ua ug um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw uk eu en";
    const THREE: &str = "usa gbr eng fra fre ger deu esp spa ita por prt tur alb pol rus ara arb bra mex can ind aus nld ned bel swe nor dnk fin rou bgr grc gre hrv cro srb svn svk cze hun aut che sui lat arg col chl pak isr irn ukr aze arm kur afr jpn kor chn irl mar dza alg tun egy sau uae qat";
    /// Which pairs of letters are a code: a bit for the second in the word of the first.
    const PAIRS: [u32; 26] = {
        let (b, mut table, mut at) = (TWO.as_bytes(), [0; 26], 0);
        while at + 1 < b.len() {
            table[(b[at] - b'a') as usize] |= 1 << (b[at + 1] - b'a');
            at += 3;
        }
        table
    };
    match *tag.as_bytes() {
        [a, b] => PAIRS[usize::from((a | 32) - b'a')] >> ((b | 32) - b'a') & 1 == 1,
        [a, b, c] => THREE.as_bytes().chunks(4).any(|code| code[..3] == [a | 32, b | 32, c | 32]),
        _ => false,
    }
}

/// The text without its parts in `()`, `[]` and `{}`; a bracket that does not close stays.
fn without_brackets(text: &str) -> Cow<'_, str> {
    let open = |text: &str| memchr::memchr3(b'(', b'[', b'{', text.as_bytes());
    if open(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = open(rest) {
        let closing = match rest.as_bytes()[open] {
            b'(' => ')',
            b'[' => ']',
            _ => '}',
        };
        out.push_str(&rest[..open]);
        out.push(' ');
        match rest[open..].find(closing) {
            Some(close) => rest = &rest[open + close + 1..],
            None => rest = &rest[open + 1..],
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn cut(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// A work's name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The title, lower case, letters and digits joined by single `-`.
    pub title: String,
    /// The year the name states.
    pub year: Option<u16>,
    /// Season and episode the name states.
    pub episode: Option<(u16, u16)>,
}

/// Takes a work's name apart.
pub fn work(name: &str) -> Work {
    let name = cut(name).trim();
    let mut name = &name[country_tag(name)..];
    let bracketed = bracketed_year(name);
    let mut whole = String::new();
    let mut year = None;
    if let Some((found, at, end)) = bracketed {
        year = Some(found);
        whole.push_str(&name[..at]);
        whole.push(' ');
        whole.push_str(&name[end..]);
        name = &whole;
    }
    let episode = find_episode(name);
    let mut title = name;
    if let Some((_, at, end)) = episode {
        let before = &name[..at];
        title = if before.chars().any(char::is_alphanumeric) { before } else { &name[end..] };
    }
    let mut out = String::with_capacity(title.len());
    let mut last = 0;
    words(&lower(title), |word| {
        if !out.is_empty() {
            last = out.len() + 1;
            out.push('-');
        }
        out.push_str(word);
    });
    if year.is_none() && last > 0 {
        year = as_year(&out[last..]);
        if year.is_some() {
            out.truncate(last - 1);
        }
    }
    Work { title: out, year, episode: episode.map(|(e, ..)| e) }
}

/// The work that a name stands for; `year` and `season_episode` where a source states them beside
/// the name. `None` where no title is left.
pub fn work_key(name: &str, year: Option<u16>, season_episode: Option<(u16, u16)>) -> Option<Key> {
    let work = work(name);
    if work.title.is_empty() {
        return None;
    }
    let mut rest = work.title;
    if let Some(year) = year.filter(|y| (1900..2100).contains(y)).or(work.year) {
        let _ = write!(rest, "/{year}");
    }
    if let Some((season, episode)) = season_episode.or(work.episode) {
        let _ = write!(rest, "/s{season:02}e{episode:02}");
    }
    Some(Key::new("work", &rest))
}

fn as_year(word: &str) -> Option<u16> {
    (word.len() == 4 && (word.starts_with("19") || word.starts_with("20")))
        .then(|| word.parse().ok())
        .flatten()
}

/// The last year in brackets, with where its brackets stand.
fn bracketed_year(name: &str) -> Option<(u16, usize, usize)> {
    let b = name.as_bytes();
    let mut found = None;
    for open in memchr::memchr2_iter(b'(', b'[', &b[..b.len().saturating_sub(5)]) {
        if matches!((b[open], b[open + 5]), (b'(', b')') | (b'[', b']'))
            && b[open + 1..open + 5].iter().all(u8::is_ascii_digit)
            && let Some(year) = as_year(&name[open + 1..open + 5])
        {
            found = Some((year, open, open + 6));
        }
    }
    found
}

/// `S01E02`, `s1e2`, `S01 E02`: one to four digits each, not inside a word.
fn find_episode(name: &str) -> Option<((u16, u16), usize, usize)> {
    let b = name.as_bytes();
    let digits = |at: usize| b[at..].iter().take(5).take_while(|c| c.is_ascii_digit()).count();
    for at in memchr::memchr2_iter(b's', b'S', b) {
        if at > 0 && (b[at - 1].is_ascii_alphanumeric() || b[at - 1] >= 0x80) {
            continue;
        }
        let season = digits(at + 1);
        if !(1..=4).contains(&season) {
            continue;
        }
        let mut e = at + 1 + season;
        while b.get(e) == Some(&b' ') {
            e += 1;
        }
        if !b.get(e).is_some_and(|c| c.eq_ignore_ascii_case(&b'e')) {
            continue;
        }
        let episode = digits(e + 1);
        if !(1..=4).contains(&episode) {
            continue;
        }
        let end = e + 1 + episode;
        let pair = (name[at + 1..at + 1 + season].parse(), name[e + 1..end].parse());
        if let (Ok(season), Ok(episode)) = pair {
            return Some(((season, episode), at, end));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn channels_that_differ_in_marks_only_are_one() {
        for name in [
            "FR: TF1 HD",
            "FR | TF1 FHD",
            "fr-TF1",
            "TF1 (backup)",
            "TF 1 4K",
            "TF1 [VIP] HEVC",
            "FRA: TF-1",
            "TF1",
        ] {
            assert_eq!(channel_key(None, name).unwrap().as_str(), "channel:name:tf1", "{name}");
        }
        for (name, key) in [
            ("BBC-1", "bbc1"),
            ("ITV-1", "itv1"),
            ("TV-5", "tv5"),
            ("SKY: News", "skynews"),
            ("UK: Sky Sports Main Event", "skysportsmainevent"),
            ("Первый канал HD", "первыйканал"),
            ("[FR TF1", "frtf1"),
        ] {
            assert_eq!(channel_name(name), key);
        }
        assert_eq!(channel_key(Some(" TF1.fr "), "x").unwrap().as_str(), "channel:epg:tf1.fr");
        assert_eq!(channel_key(Some("null"), "A").unwrap().as_str(), "channel:name:a");
        assert_eq!(channel_key(Some(""), "##### 4K #####"), None);
    }

    #[test]
    fn works_by_title_year_and_episode() {
        let key = |name| work_key(name, None, None).map(|k| k.to_string());
        for (name, expected) in [
            ("FR: The Last Stand (2023)", "work:the-last-stand/2023"),
            ("The.Last.Stand.2023", "work:the-last-stand/2023"),
            ("Blade Runner 2049 (2017)", "work:blade-runner-2049/2017"),
            ("1917 [2019]", "work:1917/2019"),
            ("2012", "work:2012"),
            ("Small Town S01E02", "work:small-town/s01e02"),
            ("EN - Small Town (2025) - S1 E2 - Pilot", "work:small-town/2025/s01e02"),
            ("Été à Évian", "work:été-à-évian"),
        ] {
            assert_eq!(key(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(key("★ ★"), None);
        assert_eq!(
            work_key("Small Town", Some(2025), Some((3, 114))).unwrap().as_str(),
            "work:small-town/2025/s03e114"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_taken(name in "\\PC{0,80}", epg in proptest::option::of("\\PC{0,20}")) {
            let _ = channel_key(epg.as_deref(), &name);
            let _ = work_key(&name, None, None);
        }

        #[test]
        fn normalising_twice_changes_nothing_for_plain_names(name in "[a-z]{4,12}") {
            prop_assert_eq!(channel_name(&channel_name(&name)), channel_name(&name));
        }
    }
}
