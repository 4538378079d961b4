//! Keys by number: the first 63 bits of the digest that is the key's entity id.
//!
//! Two keys of one number would need 2^31 keys, or somebody who looked for them; the second is then
//! put at the next free number.

use std::collections::HashMap;

use model::{EntityId, Key};
use rusqlite::{Connection, OptionalExtension};

use crate::Result;

/// How many keys are remembered before the memory is cleared (24 bytes each).
const REMEMBERED: usize = 2_000_000;

/// Remembers which keys are in the views already.
#[derive(Debug, Default)]
pub(crate) struct KeyBook {
    /// By digest (its first 16 bytes): the number.
    known: HashMap<u128, i64>,
}

fn digest(text: &str) -> [u8; 32] {
    // The same as `EntityId::of`, without a second check of the text.
    match Key::parse(text) {
        Some(key) => EntityId::of(&key).0,
        None => model::Sha256Hex::of(text.as_bytes()).0,
    }
}

fn number_of(digest: &[u8; 32]) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) >> 1) as i64
}

impl KeyBook {
    /// The number of a key, which is added where it is new.
    pub(crate) fn id(&mut self, db: &Connection, text: &str) -> Result<i64> {
        let digest = digest(text);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        let short = u128::from_be_bytes(short);
        if let Some(id) = self.known.get(&short) {
            return Ok(*id);
        }
        let mut id = number_of(&digest);
        let mut add = db.prepare_cached("INSERT OR IGNORE INTO key (id, text) VALUES (?, ?)")?;
        let mut look = db.prepare_cached("SELECT text = ? FROM key WHERE id = ?")?;
        loop {
            if add.execute((id, text))? == 1 {
                break;
            }
            if look.query_row((text, id), |row| row.get(0))? {
                break;
            }
            id = if id == i64::MAX { 0 } else { id + 1 };
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(short, id);
        Ok(id)
    }

    /// Forgets: after a transaction was rolled back, what it added is not there.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

/// The number of a key that the views hold.
pub(crate) fn find(db: &Connection, text: &str) -> Result<Option<i64>> {
    let mut id = number_of(&digest(text));
    let mut look = db.prepare_cached("SELECT text = ? FROM key WHERE id = ?")?;
    loop {
        match look.query_row((text, id), |row| row.get::<_, bool>(0)).optional()? {
            None => return Ok(None),
            Some(true) => return Ok(Some(id)),
            Some(false) => id = if id == i64::MAX { 0 } else { id + 1 },
        }
    }
}

/// The number of the key whose entity id this is.
pub(crate) fn find_id(db: &Connection, entity: &EntityId) -> Result<Option<i64>> {
    let mut id = number_of(&entity.0);
    let mut look = db.prepare_cached("SELECT text FROM key WHERE id = ?")?;
    loop {
        let text: Option<String> = look.query_row([id], |row| row.get(0)).optional()?;
        match text {
            None => return Ok(None),
            Some(text) if digest(&text) == entity.0 => return Ok(Some(id)),
            Some(_) => id = if id == i64::MAX { 0 } else { id + 1 },
        }
    }
}
