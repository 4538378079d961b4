//! The one way to the store: every request has a time limit, every answer a greatest size, and every
//! failure names its object.

use std::time::Duration;

use ledger::MAX_ENTRY;
use ledger::batch::{Tile, decode_bundle, encode_bundle};
use ledger::note::MAX_CHECKPOINT;
use ledger::tree::WIDTH;

use crate::error::{Error, Result};
use crate::objects::{Fault, Object, Objects, Version};

/// The signed checkpoint that readers follow.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The signed checkpoint that writers swap.
pub(crate) const LOCK: &str = "lock";
/// Where batches are staged.
pub(crate) const STAGING: &str = "staging";

/// The longest lock, in bytes.
pub(crate) const MAX_LOCK: u64 = MAX_CHECKPOINT as u64 + 256;
/// The most that the entries of a batch may hold with their lengths, in bytes: staging holds it
/// whole, and so does memory.
pub const MAX_BATCH: usize = 64 << 20;
/// The most entries of a batch: it bounds their hashes.
pub const MAX_ENTRIES: usize = 1 << 16;
/// The longest staging object, in bytes: a batch, the partial bundle before it (16 MiB), and 33 bytes
/// of hashes an entry, with room for names.
pub(crate) const MAX_STAGING: u64 = MAX_BATCH as u64 + (24 << 20);
/// Requests under way at a time.
pub(crate) const ABREAST: usize = 8;

/// How long a request may take, its repetitions by the store's client included.
pub const REQUEST: Duration = Duration::from_secs(60);

/// The name of a tile's object.
pub(crate) fn name_of(tile: Tile) -> String {
    tile.path().to_string_lossy().into_owned()
}

/// The most bytes that a tile can have.
pub(crate) fn most_of(tile: Tile) -> u64 {
    tile.width * if tile.level.is_some() { 32 } else { MAX_ENTRY as u64 + 2 }
}

/// A store with its time limit.
#[derive(Debug)]
pub(crate) struct Door<O> {
    objects: O,
    limit: Duration,
}

impl<O: Objects> Door<O> {
    pub(crate) fn new(objects: O, limit: Duration) -> Self {
        Self { objects, limit }
    }

    async fn within<T>(
        &self,
        request: impl Future<Output = std::result::Result<T, Fault>>,
    ) -> std::result::Result<T, Fault> {
        tokio::time::timeout(self.limit, request).await.unwrap_or(Err(Fault::Slow(self.limit)))
    }

    pub(crate) async fn get(&self, name: &str, most: u64) -> Result<Option<Object>> {
        let got = self.within(self.objects.get(name, most)).await;
        got.map_err(|source| Error::Store { action: "get", name: name.to_owned(), source })
    }

    /// The bytes of a tile; of the full one's beginning where a partial one is gone (tlog-tiles lets
    /// a log drop it).
    pub(crate) async fn tile(&self, tile: Tile) -> Result<Vec<u8>> {
        let name = name_of(tile);
        if let Some(object) = self.get(&name, most_of(tile)).await? {
            return Ok(object.bytes);
        }
        let full = Tile { width: WIDTH, ..tile };
        let found = match tile.width {
            WIDTH => None,
            _ => self.get(&name_of(full), most_of(full)).await?,
        };
        match (found, tile.level) {
            (None, _) => Err(Error::damaged(name, "it is missing")),
            (Some(mut object), Some(_)) => {
                object.bytes.truncate(tile.width as usize * 32);
                Ok(object.bytes)
            }
            (Some(object), None) => {
                let entries = decode_bundle(&object.bytes)
                    .ok_or_else(|| Error::damaged(name_of(full), "its entries do not fit it"))?;
                Ok(encode_bundle(entries.iter().take(tile.width as usize)))
            }
        }
    }

    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<()> {
        let put = self.within(self.objects.put(name, bytes)).await;
        put.map_err(|source| Error::Store { action: "put", name: name.to_owned(), source })
    }

    /// Puts where the object is in the state `held`, or absent where that is none.
    pub(crate) async fn swap(
        &self,
        name: &str,
        bytes: Vec<u8>,
        held: Option<&Version>,
    ) -> std::result::Result<Version, Fault> {
        match held {
            Some(held) => self.within(self.objects.put_if_match(name, bytes, held)).await,
            None => self.within(self.objects.put_if_absent(name, bytes)).await,
        }
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        let deleted = self.within(self.objects.delete(name)).await;
        deleted.map_err(|source| Error::Store { action: "delete", name: name.to_owned(), source })
    }

    pub(crate) async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>> {
        let listed = self.within(self.objects.list(prefix, after, most)).await;
        listed.map_err(|source| Error::Store { action: "list", name: prefix.to_owned(), source })
    }
}
