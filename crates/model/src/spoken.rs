//! Words for the ear: 40 bits of a hash as four words of a list of 1,024, to be read aloud and read
//! back where one side has no device.
//!
//! The words were chosen to sound apart: no two are within two letters, or within two sounds, of one
//! another. The list is frozen: words that stand on a paper receipt must mean the same for ever.

use std::sync::LazyLock;

use crate::id::Sha256Hex;

/// The list, in alphabetical order: a word's place is its ten bits.
static WORDS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| include_str!("spoken.txt").lines().collect());

/// Words that stand for a hash.
pub const COUNT: usize = 4;

/// The first 40 bits of a hash, as four words.
pub fn words(hash: &Sha256Hex) -> String {
    let [a, b, c, d, e, ..] = hash.0;
    let bits = [a, b, c, d, e].iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    let word = |n: usize| {
        let place = bits >> (10 * (COUNT - 1 - n)) & 0x3ff;
        WORDS.get(place as usize).copied().unwrap_or_default()
    };
    (0..COUNT).map(word).collect::<Vec<_>>().join(" ")
}

/// Words as somebody typed what was read back: case and what stands between them do not matter.
/// `None` where they are not four words of the list.
pub fn read_back(text: &str) -> Option<String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .take(COUNT + 1)
        .map(str::to_lowercase)
        .collect();
    let known = words.iter().all(|word| WORDS.binary_search(&word.as_str()).is_ok());
    (words.len() == COUNT && known).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letters_apart(a: &str, b: &str) -> usize {
        let b: Vec<char> = b.chars().collect();
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.chars().enumerate() {
            let mut next = vec![i + 1];
            for (j, y) in b.iter().enumerate() {
                let change = row[j] + usize::from(x != *y);
                next.push(change.min(row[j + 1] + 1).min(next[j] + 1));
            }
            row = next;
        }
        row[b.len()]
    }

    #[test]
    fn the_list_is_frozen_and_its_words_are_told_apart() {
        assert_eq!(WORDS.len(), 1024);
        assert!(WORDS.windows(2).all(|pair| pair[0] < pair[1]), "sorted, none twice");
        for word in WORDS.iter() {
            assert!((4..=10).contains(&word.len()), "{word}");
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
        for (n, a) in WORDS.iter().enumerate() {
            for b in &WORDS[..n] {
                assert!(letters_apart(a, b) > 2, "{a} and {b}");
            }
        }
        let whole = Sha256Hex::of(include_bytes!("spoken.txt")).to_string();
        assert_eq!(whole, "a8fc1510082c288e950dbaf0d5bfc4488eeaa57ed81f3dc9d96b89e8dbea1832");
    }

    #[test]
    fn ends_of_the_range_have_words() {
        let of = |byte| words(&Sha256Hex([byte; 32]));
        assert_eq!(of(0), [WORDS[0]; 4].join(" "));
        assert_eq!(of(0xff), [WORDS[1023]; 4].join(" "));
    }

    proptest! {
        #[test]
        fn words_read_back_and_differ_with_every_bit(bytes: [u8; 32], bit in 0usize..40) {
            let said = words(&Sha256Hex(bytes));
            prop_assert_eq!(read_back(&said.to_uppercase().replace(' ', ", ")), Some(said.clone()));
            let mut other = bytes;
            other[bit / 8] ^= 0x80 >> (bit % 8);
            prop_assert_ne!(words(&Sha256Hex(other)), said);
        }

        #[test]
        fn what_is_not_of_the_list_is_refused(text in "\\PC{0,60}") {
            if let Some(words) = read_back(&text) {
                prop_assert!(words.split(' ').all(|word| WORDS.contains(&word)));
            }
        }
    }
}
