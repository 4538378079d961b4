//! Files of the feed: lines of canonical JSON (RFC 8785, cut down as in `docs/record-format.md`).
//!
//! ```text
//! {"checkpoint":"…","epoch":3,"feed":"vigie/feed/v1","serial":1044,"session":"…","view":"all"}   a snapshot
//! {…,"from":1000,…}                                                                              a delta
//! {"index":5112,"of":2,"path":["…"],"record":"{…}"}          a record of the log, and its path there
//! {"code":"popular","expires":1780000900000,"item":14,"salt":"…","value":"tv.stream.example"}   under its root
//! {"hash":"…","leaves":1}                                     what of its tree is not shown
//! {"gone":"old.stream.example"}                               what is not out any more
//! {"blocks":1,"gone":1}                                       the end: how many of each
//! ```
//!
//! Records stand in the order of their indices; under each its tree, from the left; then what is gone, in
//! the order of values.

use std::collections::BTreeMap;

use ledger::tree::Hash;
use model::canonical::{Canon, CanonError};
use model::id::hex;

use super::pruned::{Pruned, prune};
use crate::feed::Place;
use crate::item::Item;
use crate::proof::Block;

/// The first line's word.
pub const FEED: &str = "vigie/feed/v1";

/// What a file is, as its first line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Whose: `all`, or an ISP's short name.
    pub view: String,
    /// The serial it leads to, with session and epoch.
    pub place: Place,
    /// Where it leads from; `None`: a snapshot.
    pub from: Option<u64>,
    /// The signed checkpoint that its records stand under, with cosignatures; empty where it has none.
    pub checkpoint: String,
}

/// A record with those of its blocks that are shown.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    /// Its index in the log.
    pub index: u64,
    /// The record itself, as it stands in the log.
    pub record: &'a str,
    /// The hashes from it to the checkpoint's root.
    pub path: Vec<Hash>,
    /// Every leaf under its root.
    pub leaves: &'a [Hash],
    /// Blocks that are shown, by place; sorted.
    pub blocks: Vec<(u32, Block)>,
}

/// Writes a file line by line.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    blocks: u64,
    gone: u64,
}

/// A line cannot be written: a disk, or a value that JSON cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// What takes the lines said no.
    #[error("the file could not be written")]
    Io(#[from] std::io::Error),
    /// A value that cannot be written.
    #[error(transparent)]
    Canon(#[from] CanonError),
}

impl<W: std::io::Write> Writer<W> {
    /// Begins with the head.
    ///
    /// # Errors
    /// What takes the lines.
    pub fn new(out: W, head: &Head) -> Result<Self, WriteError> {
        let mut writer = Self { out, blocks: 0, gone: 0 };
        let mut map = BTreeMap::from([
            ("feed".to_owned(), Canon::text(FEED)),
            ("view".to_owned(), Canon::text(head.view.as_str())),
            ("epoch".to_owned(), Canon::int(head.place.epoch)),
            ("session".to_owned(), Canon::text(format!("{:016x}", head.place.session))),
            ("serial".to_owned(), Canon::int(head.place.serial)),
            ("checkpoint".to_owned(), Canon::text(head.checkpoint.as_str())),
        ]);
        if let Some(from) = head.from {
            map.insert("from".to_owned(), Canon::int(from));
        }
        writer.line(map)?;
        Ok(writer)
    }

    /// Writes a record and what is shown of it.
    ///
    /// # Errors
    /// What takes the lines.
    pub fn group(&mut self, group: &Group<'_>) -> Result<(), WriteError> {
        let path = group.path.iter().map(|hash| Canon::text(hex(hash))).collect();
        self.line(BTreeMap::from([
            ("index".to_owned(), Canon::int(group.index)),
            ("of".to_owned(), Canon::int(group.leaves.len() as u64)),
            ("path".to_owned(), Canon::List(path)),
            ("record".to_owned(), Canon::text(group.record)),
        ]))?;
        let places: Vec<u32> = group.blocks.iter().map(|(place, _)| *place).collect();
        let mut blocks = group.blocks.iter();
        for part in prune(group.leaves, &places) {
            match part {
                Pruned::Cut { leaves, hash } => self.line(BTreeMap::from([
                    ("leaves".to_owned(), Canon::int(leaves)),
                    ("hash".to_owned(), Canon::text(hex(&hash))),
                ]))?,
                Pruned::Leaf(_) => {
                    if let Some((_, block)) = blocks.next() {
                        self.block(block)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn block(&mut self, block: &Block) -> Result<(), WriteError> {
        let mut map = BTreeMap::from([
            ("value".to_owned(), Canon::text(block.value.to_string())),
            ("item".to_owned(), Canon::int(block.item.0)),
            ("expires".to_owned(), Canon::int(block.expires.0)),
            ("salt".to_owned(), Canon::text(hex(&block.salt))),
        ]);
        if let Some(code) = &block.code {
            map.insert("code".to_owned(), Canon::text(code.as_str()));
        }
        self.blocks += 1;
        self.line(map)
    }

    /// Writes that a value is out no more.
    ///
    /// # Errors
    /// What takes the lines.
    pub fn gone(&mut self, value: &Item) -> Result<(), WriteError> {
        self.gone += 1;
        self.line(BTreeMap::from([("gone".to_owned(), Canon::text(value.to_string()))]))
    }

    /// Writes the end, and gives back what took the lines.
    ///
    /// # Errors
    /// What takes the lines.
    pub fn end(mut self) -> Result<W, WriteError> {
        let (blocks, gone) = (self.blocks, self.gone);
        self.line(BTreeMap::from([
            ("blocks".to_owned(), Canon::int(blocks)),
            ("gone".to_owned(), Canon::int(gone)),
        ]))?;
        Ok(self.out)
    }

    fn line(&mut self, map: BTreeMap<String, Canon>) -> Result<(), WriteError> {
        let mut line = Canon::Map(map).to_bytes_unbounded()?;
        line.push(b'\n');
        Ok(self.out.write_all(&line)?)
    }
}
