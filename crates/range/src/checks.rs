//! Account numbers and addresses with their check digits: IBAN (ISO 7064 MOD 97-10), base58check,
//! bech32 and bech32m (BIP 173, 350), EIP-55.

use model::id::Sha256Hex;

use crate::rng::{DIGITS, Rng, UPPER};

/// An IBAN of invented bank and account.
pub(crate) fn iban(rng: &mut Rng, country: &str) -> String {
    // Letters of the bank code say that it is practice; then digits to the country's length.
    let (letters, digits) = match country {
        "RO" => ("XPRA", 16),
        "NL" => ("XPRA", 10),
        "GB" => ("XPRA", 14),
        "BG" => ("XPRA", 14),
        "MT" => ("XPRA", 23),
        "FR" => ("", 23),
        "IT" => ("X", 22),
        "DE" => ("", 18),
        "ES" => ("", 20),
        "CH" => ("", 17),
        "CY" => ("", 24),
        _ => ("", 16), // LT
    };
    let country = match country {
        "RO" | "NL" | "GB" | "BG" | "MT" | "FR" | "IT" | "DE" | "ES" | "CH" | "CY" => country,
        _ => "LT",
    };
    let bban = format!("{letters}{}", rng.chars(DIGITS, digits));
    let rotated = format!("{bban}{country}00");
    let remainder = rotated.bytes().fold(0u32, |acc, b| match b {
        b'0'..=b'9' => (acc * 10 + u32::from(b - b'0')) % 97,
        _ => (acc * 100 + u32::from(b - b'A') + 10) % 97,
    });
    format!("{country}{:02}{bban}", 98 - remainder)
}

/// An IBAN in groups of four, as people write it.
pub(crate) fn grouped(iban: &str) -> String {
    iban.as_bytes()
        .chunks(4)
        .map(|c| String::from_utf8_lossy(c).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// An eight-letter BIC of no bank.
pub(crate) fn bic(rng: &mut Rng, country: &str) -> String {
    format!("XPR{}{country}2X", rng.chars(&UPPER[..26], 1))
}

const BASE58: &[u8] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Base58check of a version byte and a payload.
pub(crate) fn base58check(version: u8, payload: &[u8]) -> String {
    let mut bytes = vec![version];
    bytes.extend_from_slice(payload);
    let sum = Sha256Hex::of(&Sha256Hex::of(&bytes).0);
    bytes.extend_from_slice(&sum.0[..4]);
    let mut digits: Vec<u8> = Vec::new();
    for &byte in &bytes {
        let mut carry = u32::from(byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let mut text = "1".repeat(zeros);
    text.extend(digits.iter().rev().map(|d| char::from(BASE58[usize::from(*d)])));
    text
}

const BECH32: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let mut sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        for (i, generator) in GENERATOR.iter().enumerate() {
            if top >> i & 1 == 1 {
                sum ^= generator;
            }
        }
        sum
    })
}

/// A segregated-witness address: bech32 for version 0, bech32m above.
pub(crate) fn segwit(hrp: &str, version: u8, program: &[u8]) -> String {
    let mut data = vec![version];
    let (mut bits, mut held) = (0u32, 0);
    for &byte in program {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            data.push((bits >> held & 31) as u8);
        }
    }
    if held > 0 {
        data.push((bits << (5 - held) & 31) as u8);
    }
    let expanded: Vec<u8> =
        hrp.bytes().map(|b| b >> 5).chain([0]).chain(hrp.bytes().map(|b| b & 31)).collect();
    let target = if version == 0 { 1 } else { 0x2bc8_30a3 };
    let sum = polymod(expanded.into_iter().chain(data.iter().copied()).chain([0; 6])) ^ target;
    data.extend((0..6).map(|i| (sum >> (5 * (5 - i)) & 31) as u8));
    let mut text = format!("{hrp}1");
    text.extend(data.iter().map(|d| char::from(BECH32[usize::from(*d)])));
    text
}

/// An Ethereum address in the mixed case of EIP-55.
pub(crate) fn ethereum(payload: &[u8]) -> String {
    let lower = model::id::hex(&payload[..20]);
    let hash = keccak256(lower.as_bytes());
    let mixed: String = lower
        .chars()
        .enumerate()
        .map(|(i, c)| {
            let nibble = hash[i / 2] >> (if i % 2 == 0 { 4 } else { 0 }) & 15;
            if nibble >= 8 { c.to_ascii_uppercase() } else { c }
        })
        .collect();
    format!("0x{mixed}")
}

/// Keccak-256 (padding 0x01) of less than one block.
fn keccak256(input: &[u8]) -> [u8; 32] {
    const RATE: usize = 136;
    let mut block = [0u8; RATE];
    block[..input.len()].copy_from_slice(input);
    block[input.len()] ^= 1;
    block[RATE - 1] ^= 0x80;
    let mut state = [0u64; 25];
    for (lane, bytes) in state.iter_mut().zip(block.chunks_exact(8)) {
        *lane = u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    }
    keccak_f(&mut state);
    let mut out = [0u8; 32];
    for (bytes, lane) in out.chunks_exact_mut(8).zip(state) {
        bytes.copy_from_slice(&lane.to_le_bytes());
    }
    out
}

fn keccak_f(a: &mut [u64; 25]) {
    const ROTATE: [u32; 24] =
        [1, 3, 6, 10, 15, 21, 28, 36, 45, 55, 2, 14, 27, 41, 56, 8, 25, 43, 62, 18, 39, 61, 20, 44];
    const LANE: [usize; 24] =
        [10, 7, 11, 17, 18, 3, 5, 16, 8, 21, 24, 4, 15, 23, 19, 13, 12, 2, 20, 14, 22, 9, 6, 1];
    // Round constants come from an 8-bit LFSR (x^8 + x^6 + x^5 + x^4 + 1).
    let mut lfsr = 1u8;
    for _ in 0..24 {
        let mut c = [0u64; 5];
        for x in 0..5 {
            c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
        }
        for x in 0..5 {
            let d = c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1);
            for y in 0..5 {
                a[x + 5 * y] ^= d;
            }
        }
        let mut last = a[1];
        for i in 0..24 {
            let lane = LANE[i];
            last = std::mem::replace(&mut a[lane], last.rotate_left(ROTATE[i]));
        }
        for y in 0..5 {
            let row: [u64; 5] = std::array::from_fn(|x| a[5 * y + x]);
            for x in 0..5 {
                a[5 * y + x] = row[x] ^ (!row[(x + 1) % 5] & row[(x + 2) % 5]);
            }
        }
        for j in 0..7 {
            if lfsr & 1 == 1 {
                a[0] ^= 1 << ((1 << j) - 1);
            }
            lfsr = lfsr << 1 ^ if lfsr & 0x80 != 0 { 0x71 } else { 0 };
        }
    }
}

/// A wallet: chain and address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wallet {
    pub(crate) chain: &'static str,
    pub(crate) address: String,
}

/// A wallet nobody holds the key of.
pub(crate) fn wallet(rng: &mut Rng) -> Wallet {
    let kind = rng.below(9);
    let mut payload = rng.bytes(32);
    // In one case throughout, EIP-55 says nothing: readers may doubt such an address.
    let one_case = |text: &str| {
        let letters = || text[2..].bytes().filter(u8::is_ascii_alphabetic);
        letters().all(|b| b.is_ascii_uppercase()) || letters().all(|b| b.is_ascii_lowercase())
    };
    while matches!(kind, 4 | 5) && one_case(&ethereum(&payload)) {
        payload = rng.bytes(32);
    }
    let (chain, address) = match kind {
        0 => ("btc", base58check(0x00, &payload[..20])),
        1 => ("btc", base58check(0x05, &payload[..20])),
        2 => ("btc", segwit("bc", 0, &payload[..20])),
        3 => ("btc", segwit("bc", 1, &payload)),
        4 | 5 => ("eth", ethereum(&payload)),
        6 | 7 => ("tron", base58check(0x41, &payload[..20])),
        _ if payload[31] & 1 == 0 => ("ltc", base58check(0x30, &payload[..20])),
        _ => ("ltc", segwit("ltc", 0, &payload[..20])),
    };
    Wallet { chain, address }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        (0..text.len() / 2)
            .map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap())
            .collect()
    }

    #[test]
    fn known_addresses() {
        // BIP 173's and BIP 350's own examples; EIP-55's; the first block's payee.
        let program = unhex("751e76e8199196d454941c45d1b3a323f1433bd6");
        assert_eq!(segwit("bc", 0, &program), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
        let program = unhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798");
        assert_eq!(
            segwit("bc", 1, &program),
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
        );
        assert_eq!(
            base58check(0, &unhex("62e907b15cbf27d5425399ebf6f0fb50ebb88f18")),
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
        );
        assert_eq!(
            ethereum(&unhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")),
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
        );
    }

    #[test]
    fn ibans_hold() {
        let mut rng = Rng::named(1, "test");
        for country in
            ["RO", "NL", "GB", "BG", "MT", "FR", "IT", "DE", "ES", "CH", "CY", "LT", "HK"]
        {
            for _ in 0..50 {
                let text = iban(&mut rng, country);
                assert!(model::Key::iban(&text).is_some(), "{text}");
            }
        }
        assert_eq!(grouped("RO49AAAA1"), "RO49 AAAA 1");
    }
}
