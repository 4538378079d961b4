//! Numbers that carry their own checksum: wallets of four chains, and the lengths of IBANs.
//!
//! A wallet is a wallet only where its checksum holds: base58check (Bitcoin, Litecoin, TRON),
//! bech32 and bech32m (BIP 173, BIP 350, BIP 141 for the programs), EIP-55 (Ethereum and the chains
//! that write addresses its way). An Ethereum address in one case only carries no checksum and is
//! not taken for a wallet.

mod eip55;

use bech32::primitives::decode::SegwitHrpstring;
use model::Key;
use sha2::{Digest, Sha256};

pub use eip55::checksummed as eip55;

/// The shortest and the longest wallet address, in bytes.
pub const WALLET_LEN: std::ops::RangeInclusive<usize> = 26..=90;

/// The wallet that a word names, if its checksum holds. Bech32 keys are lower case, the others as
/// written: their case is part of the checksum.
pub fn wallet(word: &[u8]) -> Option<Key> {
    if !WALLET_LEN.contains(&word.len()) || !word.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let text = std::str::from_utf8(word).ok()?;
    match word {
        [b'0', b'x', digits @ ..] => {
            eip55(digits.try_into().ok()?).then(|| Key::wallet("eth", text))
        }
        [b'1' | b'3' | b'L' | b'M' | b'T', ..] if word.len() <= 35 => {
            Some(Key::wallet(base58(word)?, text))
        }
        [b'b' | b'B' | b'l' | b'L', ..] => {
            let segwit = SegwitHrpstring::new(text).ok()?;
            let hrp = segwit.hrp();
            let chain = match hrp.to_lowercase().as_str() {
                "bc" => "btc",
                "ltc" => "ltc",
                _ => return None,
            };
            Some(Key::wallet(chain, &text.to_ascii_lowercase()))
        }
        _ => None,
    }
}

/// The chain of a base58check address of 21 bytes: a version and a hash of 20.
fn base58(word: &[u8]) -> Option<&'static str> {
    let mut bytes = [0u8; 25];
    if bs58::decode(word).onto(&mut bytes).ok()? != 25 {
        return None;
    }
    let (payload, check) = bytes.split_at(21);
    if Sha256::digest(Sha256::digest(payload))[..4] != *check {
        return None;
    }
    // Version bytes: 0x00 and 0x05 Bitcoin, 0x30 and 0x32 Litecoin, 0x41 TRON. Litecoin's first
    // script version, 0x05, cannot be told from Bitcoin's.
    match payload[0] {
        0x00 | 0x05 => Some("btc"),
        0x30 | 0x32 => Some("ltc"),
        0x41 => Some("tron"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        wallet(text.as_bytes()).map(|key| key.to_string())
    }

    #[test]
    fn published_addresses_hold() {
        for (text, key) in [
            // The first block's reward; BIP 16's, BIP 173's and BIP 350's own examples.
            ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet:btc:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
            ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "wallet:btc:3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
            (
                "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                "wallet:btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ),
            (
                "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
                "wallet:btc:bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
            ),
            (
                "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
                "wallet:btc:bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            ),
            // EIP-55's own examples.
            (
                "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
                "wallet:eth:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            ),
            (
                "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
                "wallet:eth:0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            ),
            (
                "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
                "wallet:eth:0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            ),
            (
                "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
                "wallet:eth:0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
            ),
            // The USDT contract on TRON.
            (
                "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
                "wallet:tron:TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Some(key), "{text}");
        }
    }

    #[test]
    fn one_wrong_character_is_no_wallet() {
        for text in [
            "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
            "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
            // BIP 350: version 0 with bech32m, version 1 with bech32, mixed case.
            "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
            "BC1QW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T",
            "0x",
            "1",
            "",
            "11111111111111111111111111111111111111111111111111",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
        // Every single change of a character breaks it.
        let good = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        for i in 0..good.len() {
            let mut bad = good.as_bytes().to_vec();
            bad[i] = if bad[i] == b'z' { b'y' } else { b'z' };
            assert_eq!(wallet(&bad), None);
        }
    }

    #[test]
    fn litecoin_by_its_version_bytes() {
        for version in [0x30u8, 0x32] {
            let mut payload = vec![version];
            payload.extend([7u8; 20]);
            let check = Sha256::digest(Sha256::digest(&payload));
            payload.extend(&check[..4]);
            let text = bs58::encode(payload).into_string();
            assert_eq!(shown(&text), Some(format!("wallet:ltc:{text}")));
        }
    }
}
