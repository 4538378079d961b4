//! What the acquirer wrote about the acquisition.

use std::io::Read;

use crate::image::clean;

/// The longest such text, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// A packed text: zlib around UTF-16 with its mark, or around bytes that are taken for UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<String, String> {
    let mut plain = Vec::new();
    let mut decoder = flate2::read::ZlibDecoder::new(bytes);
    let read = crate::unpack::guard(|| (&mut decoder).take(MAX_TEXT + 1).read_to_end(&mut plain));
    if let Err(e) = read {
        return Err(format!("its zlib data or their Adler-32 are wrong ({e})"));
    }
    if plain.len() as u64 > MAX_TEXT {
        return Err(format!("its text has more than {MAX_TEXT} bytes"));
    }
    let taken = usize::try_from(decoder.total_in()).unwrap_or(0);
    if taken < bytes.len() {
        return Err(format!("{} bytes follow its zlib data", bytes.len() - taken));
    }
    let unit: Option<fn([u8; 2]) -> u16> = match plain.get(..2) {
        Some([0xff, 0xfe]) => Some(u16::from_le_bytes),
        Some([0xfe, 0xff]) => Some(u16::from_be_bytes),
        _ => None,
    };
    Ok(match unit {
        Some(unit) => {
            let units: Vec<u16> = plain[2..].chunks_exact(2).map(|b| unit([b[0], b[1]])).collect();
            String::from_utf16_lossy(&units)
        }
        None => String::from_utf8_lossy(&plain).into_owned(),
    })
}

/// The fields of a header's category `main` as words; what is a password or its hash is left out.
pub(super) fn words(text: &str) -> Option<String> {
    let mut lines = text.lines().map(|l| l.trim_end_matches('\r')).skip_while(|l| *l != "main");
    lines.next()?;
    let (keys, values) = (lines.next()?, lines.next()?);
    let mut words = Vec::new();
    for (key, value) in keys.split('\t').zip(values.split('\t')) {
        let name = match key {
            "c" => "case",
            "n" => "evidence",
            "e" => "examiner",
            "a" => "description",
            "t" => "notes",
            "m" => "acquired",
            "u" => "system's time",
            "md" => "model",
            "sn" => "serial number",
            "ov" => "on",
            "av" => "by version",
            _ => continue,
        };
        let value = clean(value);
        if !value.is_empty() {
            words.push(format!("{name} \"{}\"", time(key, &value).unwrap_or(value)));
        }
    }
    Some(if words.is_empty() { "nothing stated".to_owned() } else { words.join(", ") })
}

/// A time in seconds since 1970 as ISO 8601.
fn time(key: &str, value: &str) -> Option<String> {
    if !matches!(key, "m" | "u") {
        return None;
    }
    let seconds: i64 = value.parse().ok()?;
    // Beyond these years the number is no time that anybody acquired anything at.
    (0..253_402_300_800).contains(&seconds).then(|| model::Stamp::unix_seconds(seconds).to_string())
}
