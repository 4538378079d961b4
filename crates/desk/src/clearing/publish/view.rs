//! One view in its folder: the chain of files that leads to where the feed is, and the manifest that names them.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger::{SigningKey, disk};
use model::Sha256Hex;
use shield::feed::{Answer, Entry, Place, Whose};
use shield::item::Item;
use shield::order::{ItemId, Moment};
use shield::proof::Block;
use shield::wire::file::{Group, Head, Writer};
use shield::wire::{Apart, Beat, FileName, Manifest};

use super::{MAX_CHAIN, Put, Told, every_ms};
use crate::clearing::house::House;
use crate::{Error, Result};

/// What all views of one beat have in common.
pub(super) struct Round<'a> {
    pub(super) house: &'a House,
    pub(super) now: Moment,
    /// Where the feed is.
    pub(super) place: Place,
    pub(super) beat: u64,
    pub(super) key: &'a SigningKey,
    /// The ISPs that have a view of their own, in order: for everybody's.
    pub(super) apart: Vec<Apart>,
}

/// Files that no manifest names any more, and since when.
pub(super) type Retired = VecDeque<(Instant, PathBuf)>;

/// A view that is published.
#[derive(Debug)]
pub(super) struct View {
    whose: Whose,
    name: String,
    dir: PathBuf,
    /// Where it is; `None`: whatever stands there is not gone on with, the next is a snapshot.
    place: Option<Place>,
    /// The last beat that its manifest said.
    beat: u64,
    snapshot: Option<FileName>,
    deltas: Vec<FileName>,
    count: u64,
    /// The last record of a file that is proven by the log's own checkpoint, though witnesses are asked for.
    bare: Option<u64>,
}

impl View {
    pub(super) fn new(folder: &Path, whose: &Whose) -> Self {
        // Who has no name for a view is never given one.
        let name = whose.name().unwrap_or_default().to_owned();
        let (whose, dir) = (whose.clone(), folder.join(&name));
        let (place, snapshot, deltas, bare) = (None, None, Vec::new(), None);
        Self { whose, name, dir, place, beat: 0, snapshot, deltas, count: 0, bare }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    /// True where its manifest leads to what its ISP gets, at this beat or an earlier one.
    pub(super) fn stands(&self) -> bool {
        self.place.is_some()
    }

    /// True where its manifest is of this beat.
    pub(super) fn is_at(&self, round: &Round<'_>) -> bool {
        self.stands() && self.beat == round.beat
    }

    /// True where its manifest names the file at this path.
    pub(super) fn names(&self, path: &Path) -> bool {
        let hash = path.file_name().and_then(|name| name.to_str()?.parse::<Sha256Hex>().ok());
        let mut files = self.snapshot.iter().chain(&self.deltas);
        path.parent() == Some(&self.files()) && files.any(|file| Some(file.hash) == hash)
    }

    /// Follows the feed to where it is, and says so; where it is there already, says only that: a heartbeat.
    ///
    /// # Errors
    /// The disk. The manifest from before stands.
    pub(super) fn publish(
        &mut self,
        round: &Round<'_>,
        retired: &mut Retired,
        told: &mut Told<'_>,
    ) -> Result<()> {
        let done = self.follow(round, retired);
        match &done {
            Ok(()) => told(Put::Stands(&self.name)),
            // Whatever stands there is not gone on with: the next is a snapshot, in a folder made anew.
            Err(_) => self.place = None,
        }
        done
    }

    fn follow(&mut self, round: &Round<'_>, retired: &mut Retired) -> Result<()> {
        self.renew(round.house);
        if self.place == Some(round.place) {
            return self.sign(round);
        }
        disk::create_dir(&self.files())?;
        let Some(feed) = round.house.feed() else { return Ok(()) };
        let history = feed.history();
        let bytes = |files: &[FileName]| files.iter().map(|file| file.bytes).sum::<u64>();
        let is_short = self.deltas.len() < MAX_CHAIN
            && self
                .snapshot
                .as_ref()
                .is_some_and(|all| bytes(&self.deltas) <= all.bytes.max(1 << 20));
        // No delta leads across an epoch, nor across a stop that shuts this view or opens it.
        let file = match history.answer_to(&self.whose, self.place.filter(|_| is_short)) {
            Answer::Delta(own) => {
                self.count = (self.count + own.new as u64).saturating_sub(own.removed.len() as u64);
                let added: Vec<Entry> = own.added.iter().map(|(_, entry)| *entry).collect();
                let gone: Vec<&Item> = own.removed.iter().map(|value| &**value).collect();
                self.write(round, Some(own.from), &added, &gone)?
            }
            Answer::Reset(view) => {
                let all: Vec<Entry> = view.entries().map(|(_, entry)| entry).collect();
                self.count = all.len() as u64;
                self.write(round, None, &all, &[])?
            }
            Answer::Current => return self.sign(round),
        };
        if file.from.is_none() {
            self.retire(retired);
            self.snapshot = Some(file);
        } else {
            self.deltas.push(file);
        }
        self.place = Some(round.place);
        self.sign(round)
    }

    fn retire(&mut self, retired: &mut Retired) {
        let files = self.files();
        let old = self.snapshot.take().into_iter().chain(std::mem::take(&mut self.deltas));
        retired.extend(old.map(|file| (Instant::now(), files.join(file.hash.to_string()))));
    }

    /// Who asks for witnesses refuses a file without them: once they have come up with it, all is written anew.
    fn renew(&mut self, house: &House) {
        let cosigned = house.cosigned.note(house.policy().witnesses);
        if self.bare.is_some_and(|last| cosigned.is_some_and(|(size, _)| last < *size)) {
            self.bare = None;
            self.place = None;
        }
    }

    fn sign(&mut self, round: &Round<'_>) -> Result<()> {
        let manifest = Manifest {
            origin: round.key.name().to_owned(),
            view: self.name.clone(),
            place: round.place,
            beat: Beat { number: round.beat, made: round.now },
            every_ms: every_ms(round.house, round.now),
            silence_ms: round.house.policy().silence_limit_ms,
            count: self.count,
            apart: round.apart.clone(),
            snapshot: self.snapshot.clone(),
            deltas: self.deltas.clone(),
        };
        let text = manifest.sign(round.key).to_string();
        disk::write(&self.dir.join("manifest"), text.as_bytes())?;
        self.beat = round.beat;
        Ok(())
    }

    /// Writes a file of these entries and of what is gone.
    fn write(
        &mut self,
        round: &Round<'_>,
        from: Option<u64>,
        entries: &[Entry],
        gone: &[&Item],
    ) -> Result<FileName> {
        let house = round.house;
        let case = house.case();
        let blocks = house.all_blocks();
        let mut groups: BTreeMap<u64, Vec<(u32, Block)>> = BTreeMap::new();
        for entry in entries {
            let (record, place, block) =
                blocks.block_of(entry).ok_or_else(|| unproven(entry.item))?;
            groups.entry(record).or_default().push((place, block));
        }
        let last = groups.last_key_value().map(|(record, _)| *record);
        let (size, checkpoint) = match last {
            None => (0, String::new()),
            Some(last) => match cosigned(house, last) {
                Some(cosigned) => cosigned,
                None => {
                    self.bare = self.bare.max((house.policy().witnesses > 0).then_some(last));
                    let own = case.log().published().unwrap_or_default();
                    let size = ledger::Checkpoint::parse_unverified(own).map_or(0, |of| of.size);
                    (size, own.to_owned())
                }
            },
        };
        let head = Head { view: self.name.clone(), place: round.place, from, checkpoint };
        let odd = |e: shield::wire::file::WriteError| Error::Beside(format!("the feed: {e}"));
        let mut writer = Writer::new(Vec::new(), &head).map_err(odd)?;
        for (index, mut blocks) in groups {
            blocks.sort_unstable_by_key(|(place, _)| *place);
            let record = String::from_utf8(case.log().entry(index)?)
                .map_err(|_| Error::Beside(format!("record {index} is no text")))?;
            let path = case.log().inclusion_in(index, size)?;
            let leaves = house.all_blocks().leaves(index).unwrap_or_default();
            writer.group(&Group { index, record: &record, path, leaves, blocks }).map_err(odd)?;
        }
        for value in gone {
            writer.gone(value).map_err(odd)?;
        }
        let bytes = writer.end().map_err(odd)?;
        let hash = Sha256Hex::of(&bytes);
        disk::write(&self.files().join(hash.to_string()), &bytes)?;
        Ok(FileName { from, to: round.place.serial, bytes: bytes.len() as u64, hash })
    }

    /// It is its ISP's no more. Files stay for whoever is fetching one; its name, for [`end`].
    pub(super) fn end(mut self, retired: &mut Retired) -> String {
        self.retire(retired);
        self.name
    }
}

/// Ends a view that stands in the folder.
///
/// # Errors
/// The disk.
pub(super) fn end(folder: &Path, name: &str, told: &mut Told<'_>) -> Result<()> {
    disk::remove(&folder.join(name).join("manifest"))?;
    told(Put::Ended(name));
    Ok(())
}

/// The greatest checkpoint that as many witnesses have cosigned as the policy asks for, with what they signed,
/// and its entries. `None` where it does not cover a record, which went out when the figure was less.
fn cosigned(house: &House, record: u64) -> Option<(u64, String)> {
    let (size, note) = house.cosigned.note(house.policy().witnesses)?;
    (record < *size).then(|| (*size, note.to_string()))
}

fn unproven(item: ItemId) -> Error {
    Error::Beside(format!("item {item} is in force and no record shows its block"))
}
