//! Reads a file of the feed. What it gives is proven but for its end: a file that breaks off gives events and
//! no [`Event::End`], and whoever takes them keeps nothing before that one came.

use std::collections::BTreeMap;

use ledger::Checkpoint;
use ledger::note::Note;
use ledger::tree::{self, Hash};
use ledger::{Policy, ProofError};
use model::Sha256Hex;
use model::canonical::{Canon, CanonError};
use model::record::{Record, RecordError};

use super::file::{FEED, Head};
use super::pruned::{Joining, Pruned, PrunedError};
use crate::feed::Place;
use crate::item::Item;
use crate::order::{ItemId, Moment};
use crate::proof::{Block, MAX_BLOCKS, MAX_CODE};

/// The longest line, in bytes: a record, whose quotation marks stand escaped in it, and 64 hashes.
pub const MAX_LINE: usize = 160 << 10;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first line.
    Head(Head),
    /// A record, and that it stands in the log.
    Record(u64),
    /// A block of it; that its root holds is known with the next record, or what is gone, or the end.
    Block(Block),
    /// Something of a record that is not shown.
    Cut,
    /// A value that is out no more.
    Gone(Item),
    /// The end: all before it is proven.
    End {
        /// Blocks.
        blocks: u64,
        /// Values that are gone.
        gone: u64,
    },
}

/// Why a file is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct FileError {
    /// Which, from 1.
    pub line: u64,
    /// Why.
    pub why: Why,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Longer than any.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// Not canonical JSON.
    #[error(transparent)]
    Json(#[from] CanonError),
    /// Not what comes here.
    #[error("it is none of the lines that may come here")]
    Shape,
    /// A record that is none, or none of a clearing house's.
    #[error("its record: {0}")]
    Record(#[from] RecordError),
    /// A record that shows no root, or another number of blocks.
    #[error("its record shows no root over so many blocks")]
    NoRoot,
    /// A record of a later epoch than the feed's.
    #[error("its record is of another epoch")]
    Epoch,
    /// The checkpoint.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] ProofError),
    /// Records without a checkpoint.
    #[error("records come, and the file has no checkpoint")]
    NoCheckpoint,
    /// The record is not in the log.
    #[error("its record is not at that place of the log")]
    NotInLog,
    /// Records out of order.
    #[error("its record comes before one that stood above it")]
    Order,
    /// The tree of blocks.
    #[error(transparent)]
    Tree(#[from] PrunedError),
    /// The tree leads to another root.
    #[error("the blocks above it are not under their record's root")]
    OtherRoot,
    /// Counts that are not those of the lines.
    #[error("it counts other lines than there are")]
    Counts,
    /// Something follows the end.
    #[error("it follows the end")]
    AfterEnd,
}

/// Reads lines one by one.
#[derive(Debug)]
pub struct Reader<'a> {
    policy: &'a Policy,
    line: u64,
    at: At,
    head: Option<Head>,
    checkpoint: Option<Checkpoint>,
    last: Option<u64>,
    blocks: u64,
    gone: u64,
}

#[derive(Debug)]
enum At {
    Head,
    Records(Option<Tree>),
    Gone,
    End,
}

#[derive(Debug)]
struct Tree {
    joining: Joining,
    root: Hash,
}

impl<'a> Reader<'a> {
    /// Begins; `policy` says whose log it has to be, and how many of which witnesses have to have cosigned.
    pub fn new(policy: &'a Policy) -> Self {
        let (head, checkpoint, last) = (None, None, None);
        Self { policy, line: 0, at: At::Head, head, checkpoint, last, blocks: 0, gone: 0 }
    }

    /// True where the end came.
    pub fn is_whole(&self) -> bool {
        matches!(self.at, At::End)
    }

    /// Reads the next line, without its end.
    ///
    /// # Errors
    /// What of it does not hold. Nothing more is read then.
    pub fn line(&mut self, line: &[u8]) -> Result<Event, FileError> {
        self.line += 1;
        self.read(line).map_err(|why| FileError { line: self.line, why })
    }

    fn read(&mut self, line: &[u8]) -> Result<Event, Why> {
        if line.len() > MAX_LINE {
            return Err(Why::TooLong);
        }
        let Canon::Map(map) = Canon::parse_unbounded(line)? else { return Err(Why::Shape) };
        let mut map = Fields(map);
        let event = match &mut self.at {
            At::Head => self.head(&mut map)?,
            At::End => return Err(Why::AfterEnd),
            At::Records(Some(tree)) if !tree.joining.is_whole() => {
                let (part, event) = part(&mut map)?;
                tree.joining.take(&part)?;
                self.blocks += u64::from(matches!(event, Event::Block(_)));
                event
            }
            At::Records(_) | At::Gone => self.next(&mut map)?,
        };
        if map.0.is_empty() { Ok(event) } else { Err(Why::Shape) }
    }

    fn head(&mut self, map: &mut Fields) -> Result<Event, Why> {
        if map.text("feed")? != FEED {
            return Err(Why::Shape);
        }
        let session = map.text("session")?;
        let session =
            u64::from_str_radix(&session, 16).ok().filter(|n| format!("{n:016x}") == session);
        let place = Place {
            session: session.ok_or(Why::Shape)?,
            epoch: map.number("epoch")?,
            serial: map.number("serial")?,
        };
        let from = map.0.contains_key("from").then(|| map.number("from")).transpose()?;
        let head =
            Head { view: map.text("view")?, place, from, checkpoint: map.text("checkpoint")? };
        if !head.checkpoint.is_empty() {
            let note = Note::parse(&head.checkpoint).map_err(ProofError::from)?;
            self.checkpoint = Some(self.policy.open(&note)?.checkpoint);
        }
        self.head = Some(head.clone());
        self.at = At::Records(None);
        Ok(Event::Head(head))
    }

    /// What may come where no tree is open.
    fn next(&mut self, map: &mut Fields) -> Result<Event, Why> {
        if let At::Records(Some(tree)) = &self.at
            && tree.joining.root()? != tree.root
        {
            return Err(Why::OtherRoot);
        }
        if map.0.contains_key("record") {
            return if matches!(self.at, At::Records(_)) {
                self.record(map)
            } else {
                Err(Why::Shape)
            };
        }
        if matches!(map.0.get("gone"), Some(Canon::Text(_))) {
            let item = item(&map.text("gone")?)?;
            (self.at, self.gone) = (At::Gone, self.gone + 1);
            return Ok(Event::Gone(item));
        }
        let (blocks, gone) = (map.number("blocks")?, map.number("gone")?);
        if (blocks, gone) != (self.blocks, self.gone) {
            return Err(Why::Counts);
        }
        self.at = At::End;
        Ok(Event::End { blocks, gone })
    }

    fn record(&mut self, map: &mut Fields) -> Result<Event, Why> {
        let (index, of, text) = (map.number("index")?, map.number("of")?, map.text("record")?);
        let Some(Canon::List(path)) = map.0.remove("path") else { return Err(Why::Shape) };
        let path: Option<Vec<Hash>> = path.iter().map(|hash| hash_of(hash.as_text()?)).collect();
        let path = path.filter(|path| path.len() <= 64).ok_or(Why::Shape)?;
        let checkpoint = self.checkpoint.as_ref().ok_or(Why::NoCheckpoint)?;
        let leaf = tree::leaf(text.as_bytes());
        if !tree::is_included(&leaf, index, checkpoint.size, &path, &checkpoint.root) {
            return Err(Why::NotInLog);
        }
        if self.last.is_some_and(|last| last >= index) {
            return Err(Why::Order);
        }
        let record = Record::parse(text.as_bytes())?;
        record.check_fields()?;
        let shown = |name: &str| record.public.get(name);
        let epoch = shown("epoch").and_then(Canon::as_int);
        let epochs = self.head.as_ref().map(|head| i128::from(head.place.epoch));
        if !record.kind.starts_with("shield.") || epoch.is_none() || epoch > epochs {
            return Err(Why::Epoch);
        }
        let root = shown("blocks").and_then(Canon::as_text).and_then(hash_of);
        let under = shown("blocks_under").and_then(Canon::as_int);
        let of = u32::try_from(of).ok().filter(|of| (1..=MAX_BLOCKS).contains(of));
        let (Some(root), Some(of)) = (root, of) else { return Err(Why::NoRoot) };
        if under != Some(i128::from(of)) {
            return Err(Why::NoRoot);
        }
        self.last = Some(index);
        self.at = At::Records(Some(Tree { joining: Joining::new(of), root }));
        Ok(Event::Record(index))
    }
}

/// A part of a record's tree.
fn part(map: &mut Fields) -> Result<(Pruned<Hash>, Event), Why> {
    if map.0.contains_key("leaves") {
        let leaves = u32::try_from(map.number("leaves")?).map_err(|_| Why::Shape)?;
        let hash = hash_of(&map.text("hash")?).ok_or(Why::Shape)?;
        return Ok((Pruned::Cut { leaves, hash }, Event::Cut));
    }
    let code = map.0.contains_key("code").then(|| map.text("code")).transpose()?;
    let block = Block {
        value: item(&map.text("value")?)?,
        item: ItemId(map.number("item")?),
        expires: Moment(map.integer("expires")?),
        code: code.clone(),
        salt: hash_of(&map.text("salt")?).ok_or(Why::Shape)?,
    };
    if code.is_some_and(|code| code.is_empty() || code.len() > MAX_CODE) {
        return Err(Why::Shape);
    }
    Ok((Pruned::Leaf(block.leaf()), Event::Block(block)))
}

/// Only the writing that `Display` makes: one exact value, and nothing wider can be written.
fn item(text: &str) -> Result<Item, Why> {
    Item::parse(text).ok().filter(|item| item.to_string() == text).ok_or(Why::Shape)
}

fn hash_of(text: &str) -> Option<Hash> {
    text.parse::<Sha256Hex>().ok().map(|hash| hash.0)
}

/// A line's fields, each taken once.
struct Fields(BTreeMap<String, Canon>);

impl Fields {
    fn text(&mut self, name: &str) -> Result<String, Why> {
        match self.0.remove(name) {
            Some(Canon::Text(text)) => Ok(text),
            _ => Err(Why::Shape),
        }
    }

    fn integer<T: TryFrom<i128>>(&mut self, name: &str) -> Result<T, Why> {
        let value = self.0.remove(name).and_then(|value| value.as_int());
        value.and_then(|n| n.try_into().ok()).ok_or(Why::Shape)
    }

    fn number(&mut self, name: &str) -> Result<u64, Why> {
        self.integer(name)
    }
}
