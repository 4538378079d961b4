//! EIP-55: the case of an Ethereum address's letters is its checksum.

use sha3::{Digest, Keccak256};

/// True where the letters of 40 hexadecimal digits have the case that the Keccak-256 of the
/// lower-case digits asks for, and both cases occur: digits in one case carry no checksum unless
/// the hash happens to ask for it, which cannot be told from a writer that knows no case.
pub fn checksummed(digits: &[u8; 40]) -> bool {
    if !digits.iter().all(u8::is_ascii_hexdigit)
        || !digits.iter().any(u8::is_ascii_uppercase)
        || !digits.iter().any(u8::is_ascii_lowercase)
    {
        return false;
    }
    let hash = Keccak256::digest(digits.to_ascii_lowercase());
    digits.iter().enumerate().all(|(i, digit)| {
        let nibble = if i % 2 == 0 { hash[i / 2] >> 4 } else { hash[i / 2] & 15 };
        digit.is_ascii_digit() || digit.is_ascii_uppercase() == (nibble >= 8)
    })
}
