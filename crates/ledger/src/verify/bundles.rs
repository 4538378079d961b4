//! Reading bundles ahead: while one thread compares, another reads and hashes what comes next.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use super::Still;
use crate::store::{Tile, spans, tiles_at};
use crate::tree::{Hash, WIDTH, leaf};

/// Bundles that may wait to be compared: with those under way they bound the memory.
const AHEAD: usize = 8;

/// The entries of one bundle with their leaf hashes.
pub(super) struct Bundle {
    pub(super) tile: Tile,
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
    leaves: Vec<Hash>,
}

impl Bundle {
    fn read(still: &Still, tile: Tile) -> Result<Self, String> {
        let bytes = still.read(&tile.path()).map_err(|e| e.found())?;
        let mut spans_of = Vec::with_capacity(WIDTH as usize);
        for span in spans(&bytes) {
            spans_of.push(span.ok_or("its entries do not fit the file")?);
        }
        if spans_of.len() as u64 != tile.width {
            return Err(format!("it holds {} entries instead of {}", spans_of.len(), tile.width));
        }
        let leaves = spans_of.iter().map(|(from, to)| leaf(&bytes[*from..*to])).collect();
        Ok(Self { tile, bytes, spans: spans_of, leaves })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&[u8], &Hash)> {
        let entries = self.spans.iter().map(|(from, to)| &self.bytes[*from..*to]);
        entries.zip(&self.leaves)
    }
}

/// What came of one bundle: its entries, or its path and what is wrong.
pub(super) type Read = Result<Bundle, (PathBuf, String)>;

/// Reads the bundles of a tree of `size` entries in order; ends after the first that cannot be read,
/// or when nobody listens any more.
pub(super) fn ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    still: &'scope Still,
    size: u64,
) -> Receiver<Read> {
    let (send, receive) = sync_channel(AHEAD);
    let run = move |send: SyncSender<Read>| {
        for tile in tiles_at(None, size) {
            let read = Bundle::read(still, tile).map_err(|message| (tile.path(), message));
            let last = read.is_err();
            if send.send(read).is_err() || last {
                return;
            }
        }
    };
    scope.spawn(move || run(send));
    receive
}
