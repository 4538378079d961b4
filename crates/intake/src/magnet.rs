//! Magnet links: the swarm they name, and what they say of it (BEP 9, BEP 52).

use model::id::unhex;

/// The 20 bytes of a v1 info-hash written as 40 hexadecimal or 32 base32 digits.
pub fn v1_hash(word: &str) -> Option<[u8; 20]> {
    match word.len() {
        40 => unhex(&word.to_ascii_lowercase())?.try_into().ok(),
        32 => base32(word),
        _ => None,
    }
}

/// The 32 bytes of a v2 info-hash: a multihash in hexadecimal, SHA-256 (0x12) of 32 bytes (0x20).
pub fn v2_hash(word: &str) -> Option<[u8; 32]> {
    let digits = word.strip_prefix("1220")?;
    unhex(&digits.to_ascii_lowercase())?.try_into().ok()
}

/// RFC 4648's base32, either case, of 20 bytes.
fn base32(word: &str) -> Option<[u8; 20]> {
    let mut out = [0u8; 20];
    let mut at = 0;
    let mut bits = 0u32;
    let mut held = 0;
    for byte in word.bytes() {
        let digit = match byte.to_ascii_uppercase() {
            b @ b'A'..=b'Z' => b - b'A',
            b @ b'2'..=b'7' => b - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            *out.get_mut(at)? = (bits >> held) as u8;
            at += 1;
            bits &= (1 << held) - 1;
        }
    }
    (at == 20).then_some(out)
}
