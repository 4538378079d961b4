//! A set of names: one arena of text, and a table of places in it.
//!
//! A million names take about 25 MB, and nothing is decided by a hash alone: the text is compared.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A text with its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashed<'a> {
    pub(crate) text: &'a str,
    hash: u64,
}

impl<'a> Hashed<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        // The hasher's keys are fixed: what is hashed comes from lists, and a look-up's cost is bound
        // by the longest run of the table, whatever an asker sends.
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { text, hash: hasher.finish() }
    }
}

/// Names, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The names, one after another, a newline behind each.
    text: Vec<u8>,
    /// Open addressing, at most half full: 1 + the place of a name's first byte, 0 for none.
    slots: Vec<u32>,
    count: usize,
}

impl Names {
    /// Room for so many names of so many bytes together.
    pub(super) fn with_capacity(names: usize, bytes: usize) -> Self {
        let slots = if names == 0 { 0 } else { (names * 2).next_power_of_two() };
        Self { text: Vec::with_capacity(bytes), slots: vec![0; slots], count: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a name, if it is not there. Names hold no newline.
    pub(super) fn insert(&mut self, name: &str) {
        if (self.count + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hashed = Hashed::new(name);
        let Some(slot) = self.empty_slot(&hashed) else { return };
        // The arena is bounded by the bytes of a set's file, far below 4 GiB.
        let Ok(place) = u32::try_from(self.text.len() + 1) else { return };
        self.text.extend_from_slice(name.as_bytes());
        self.text.push(b'\n');
        if let Some(at) = self.slots.get_mut(slot) {
            *at = place;
        }
        self.count += 1;
    }

    pub(super) fn contains(&self, name: &Hashed<'_>) -> bool {
        !self.slots.is_empty() && self.empty_slot(name).is_none()
    }

    /// The names, as they were inserted.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.split(|byte| *byte == b'\n');
        lines.filter_map(|line| std::str::from_utf8(line).ok()).filter(|name| !name.is_empty())
    }

    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.slots.len() * size_of::<u32>()
    }

    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
    }

    /// The free slot where a name would stand; `None` where it stands already.
    fn empty_slot(&self, name: &Hashed<'_>) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut at = name.hash as usize & mask;
        loop {
            match self.slots[at] {
                0 => return Some(at),
                place if self.stands_at(place, name.text) => return None,
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn stands_at(&self, place: u32, name: &str) -> bool {
        let rest = &self.text[place as usize - 1..];
        rest.starts_with(name.as_bytes()) && rest.get(name.len()) == Some(&b'\n')
    }

    fn grow(&mut self) {
        let wanted = (self.slots.len() * 2).max(16);
        let mut slots = vec![0_u32; wanted];
        let mut place = 0;
        for name in self.text.split(|b| *b == b'\n') {
            if name.is_empty() {
                continue;
            }
            let hashed = Hashed::new(std::str::from_utf8(name).unwrap_or(""));
            let mut at = hashed.hash as usize & (wanted - 1);
            while slots[at] != 0 {
                at = (at + 1) & (wanted - 1);
            }
            slots[at] = place + 1;
            place += name.len() as u32 + 1;
        }
        self.slots = slots;
    }
}
