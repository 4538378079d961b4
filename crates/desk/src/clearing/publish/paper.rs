//! What a file of the feed shows, gathered under the records that prove it, and how it is written to the disk.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use ledger::disk::{Hashed, Overwrite, Pending};
use ledger::{Checkpoint, Reader};
use shield::feed::{Entry, Place};
use shield::item::Item;
use shield::order::ItemId;
use shield::proof::{Block, Hash};
use shield::wire::FileName;
use shield::wire::file::{Group, Head, Writer};

use crate::clearing::blocks::{Blocks, Placed, Under};
use crate::clearing::house::House;
use crate::{Error, Result};

/// The blocks of one record that are shown, and what proves them.
#[derive(Debug)]
struct Shown {
    seed: [u8; 32],
    leaves: Arc<[Hash]>,
    placed: Vec<(ItemId, Placed)>,
}

/// Blocks under their records. About 64 bytes a block: the salts are made as it is written.
#[derive(Debug, Default)]
pub(super) struct Gathered(BTreeMap<u64, Shown>);

impl Gathered {
    /// Takes the block by which an entry is out; false where there is none any more.
    pub(super) fn take(&mut self, blocks: &Blocks, entry: &Entry) -> bool {
        let Some((Under { seed, leaves, .. }, placed)) = blocks.shows(entry) else { return false };
        let shown = self.0.entry(placed.record).or_insert_with(|| Shown {
            seed: *seed,
            leaves: Arc::clone(leaves),
            placed: Vec::new(),
        });
        shown.placed.push((entry.item, placed.clone()));
        true
    }

    fn last(&self) -> Option<u64> {
        self.0.last_key_value().map(|(record, _)| *record)
    }
}

/// A file that is to be written.
#[derive(Debug)]
pub(super) struct Paper {
    head: Head,
    gathered: Gathered,
    /// The log's entries under the checkpoint that the records are proven by.
    size: u64,
    /// The last record, where that checkpoint is the log's own, though witnesses are asked for.
    pub(super) bare: Option<u64>,
}

impl Paper {
    /// A file of a view that leads to `place`, and what proves what it shows, as it is now.
    pub(super) fn new(
        house: &House,
        view: &str,
        place: Place,
        from: Option<u64>,
        gathered: Gathered,
    ) -> Self {
        let (mut size, mut checkpoint, mut bare) = (0, String::new(), None);
        if let Some(last) = gathered.last() {
            (size, checkpoint) = cosigned(house, last).unwrap_or_else(|| {
                bare = (house.policy().witnesses > 0).then_some(last);
                published(house)
            });
        }
        let head = Head { view: view.to_owned(), place, from, checkpoint };
        Self { head, gathered, size, bare }
    }

    /// Writes it into a folder, under the name of what it holds, with what is gone at its end. `goes_on` is asked at
    /// each record.
    ///
    /// # Errors
    /// The disk, or the log; it is not to go on. Nothing is left there.
    pub(super) fn write(
        self,
        log: &Reader,
        folder: &Path,
        gone: &[&Item],
        goes_on: &dyn Fn() -> bool,
    ) -> Result<FileName> {
        let Self { head, gathered, size, .. } = self;
        let odd = |e: shield::wire::file::WriteError| Error::Beside(format!("the feed: {e}"));
        let mut pending = Pending::new(folder)?;
        // The feed holds so many values at the most, and that is its bound.
        let mut hashed = Hashed::new(&mut pending, u64::MAX);
        {
            let out = BufWriter::with_capacity(64 << 10, &mut hashed);
            let mut writer = Writer::new(out, &head).map_err(odd)?;
            for (index, shown) in gathered.0 {
                if !goes_on() {
                    return Err(Error::Beside(
                        "the feed: the file is not asked for any more".to_owned(),
                    ));
                }
                let record = String::from_utf8(log.entry(index)?)
                    .map_err(|_| Error::Beside(format!("record {index} is no text")))?;
                let path = log.inclusion_in(index, size)?;
                let Shown { seed, leaves, placed } = shown;
                let block =
                    |(item, placed): &(ItemId, Placed)| (placed.place, placed.block(*item, &seed));
                let mut blocks: Vec<(u32, Block)> = placed.iter().map(block).collect();
                blocks.sort_unstable_by_key(|(place, _)| *place);
                let group = Group { index, record: &record, path, leaves: &leaves, blocks };
                writer.group(&group).map_err(odd)?;
            }
            for value in gone {
                writer.gone(value).map_err(odd)?;
            }
            writer.end().map_err(odd)?.flush().map_err(|e| odd(e.into()))?;
        }
        let (hash, bytes) = hashed.end();
        pending.persist(&folder.join(hash.to_string()), Overwrite::Replace)?;
        Ok(FileName { from: head.from, to: head.place.serial, bytes, hash })
    }
}

/// The log's own checkpoint over what is published, and its entries.
pub(in crate::clearing) fn published(house: &House) -> (u64, String) {
    let own = house.case().log().published().unwrap_or_default();
    (Checkpoint::parse_unverified(own).map_or(0, |of| of.size), own.to_owned())
}

/// The greatest checkpoint that as many witnesses have cosigned as the policy asks for, with what they signed,
/// and its entries. `None` where it does not cover a record, which went out when the figure was less.
pub(in crate::clearing) fn cosigned(house: &House, record: u64) -> Option<(u64, String)> {
    let (size, note) = house.cosigned.note(house.policy().witnesses)?;
    (record < *size).then(|| (*size, note.to_string()))
}
