//! Which record put which block into force. A block is proven by the leaves beside it, so these are kept
//! while any block under their record lives: 32 bytes a leaf, and about 150 for each live block.
//!
//! Where the policy asks for witnesses, a record that they have not come to yet covers nothing: what was in
//! force by an earlier one stays proven by that until they have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::Sha256Hex;
use shield::feed::{Cover, Entry};
use shield::order::state::Live;
use shield::order::turn::Turn;
use shield::order::{Deed, ItemId, Moment, State, Step, Value};
use shield::proof::{self, Block, Hash, Proven};

/// The blocks that one decision puts into force, before they have a record.
#[derive(Debug)]
pub(super) struct Batch {
    seed: [u8; 32],
    placed: Vec<(ItemId, Placed)>,
    leaves: Vec<Hash>,
}

/// A block that lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    /// The record that shows the root over it.
    pub(super) record: u64,
    /// Its place there.
    pub(super) place: u32,
    pub(super) value: Value,
    pub(super) expires: Moment,
    pub(super) code: Option<&'static str>,
}

/// What one record put into force.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Under {
    pub(super) seed: [u8; 32],
    pub(super) leaves: Arc<[Hash]>,
    pub(super) live: usize,
    /// When it was decided.
    pub(super) at: Moment,
}

/// Every block that lives, with what proves it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) of: HashMap<ItemId, Placed>,
    pub(super) under: BTreeMap<u64, Under>,
    /// Records below it are covered; `None`: all are, since no witness is waited for.
    covered: Option<u64>,
    /// Blocks of which a later record is not covered, by the last one that is.
    before: HashMap<ItemId, Placed>,
}

impl Batch {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self { seed, placed: Vec::new(), leaves: Vec::new() }
    }

    /// Takes a block, where a step put one into force or carried it on. The state is that after the step.
    pub(super) fn take(&mut self, state: &State, step: &Step) {
        let Deed::Turned { item, turn: Turn::Released { expires } | Turn::Renewed { expires, .. } } =
            &step.deed
        else {
            return;
        };
        if let Some(live) = state.item(*item) {
            self.put(*item, live, *expires);
        }
    }

    fn put(&mut self, item: ItemId, live: &Live, expires: Moment) {
        let Some(in_force) = live.machine.in_force() else { return };
        let Ok(place) = u32::try_from(self.placed.len()) else { return };
        let (value, code) = (live.value.clone(), in_force.outcome.code);
        let placed = Placed { record: 0, place, value, expires, code };
        self.leaves.push(placed.block(item, &self.seed).leaf());
        self.placed.push((item, placed));
    }

    /// Takes all that is in force, in the order of items: what a feed begins with.
    pub(super) fn all(state: &State, seed: [u8; 32]) -> Self {
        let mut batch = Self::new(seed);
        for (item, live) in state.items() {
            if let Some(in_force) = live.machine.in_force() {
                batch.put(item, live, in_force.expires);
            }
        }
        batch
    }

    /// The root over them, and how many there are; `None` where there are none.
    pub(super) fn root(&self) -> Option<(Sha256Hex, u64)> {
        let leaves = &self.leaves;
        (!leaves.is_empty()).then(|| (Sha256Hex(proof::root(leaves)), leaves.len() as u64))
    }

    /// What the salts follow from. A record that shows nothing keeps none.
    pub(super) fn seed(&self) -> Sha256Hex {
        Sha256Hex(self.seed)
    }
}

impl Placed {
    /// The block itself, of an item and the seed of its record's salts.
    pub(super) fn block(&self, item: ItemId, seed: &[u8; 32]) -> Block {
        Block {
            value: (*self.value).clone(),
            item,
            expires: self.expires,
            code: self.code.map(str::to_owned),
            salt: proof::salt(seed, self.place),
        }
    }
}

impl Blocks {
    /// The decision's blocks have a record. Of those that were made durable together a later one may have
    /// ended a block by now.
    pub(super) fn keep(&mut self, batch: Batch, record: u64, state: &State, at: Moment) {
        let in_force = |item: ItemId| state.item(item)?.machine.in_force();
        let mut placed = batch.placed;
        placed.retain(|(item, _)| in_force(*item).is_some());
        if placed.is_empty() {
            return;
        }
        let (leaves, live) = (batch.leaves.into(), placed.len());
        self.under.insert(record, Under { seed: batch.seed, leaves, live, at });
        let waits = !self.covers(record);
        for (item, placed) in placed {
            let last = self.of.insert(item, Placed { record, ..placed });
            let last = last.and_then(|last| {
                if waits && self.covers(last.record) {
                    self.before.insert(item, last)
                } else {
                    Some(last)
                }
            });
            let gone = if waits { None } else { self.before.remove(&item) };
            last.iter().chain(&gone).for_each(|placed| self.release(placed.record));
        }
    }

    /// An item's block lives no longer.
    fn forget(&mut self, item: ItemId) {
        let gone = [self.of.remove(&item), self.before.remove(&item)];
        gone.iter().flatten().for_each(|placed| self.release(placed.record));
    }

    /// One block fewer is proven by a record.
    fn release(&mut self, record: u64) {
        if let Some(under) = self.under.get_mut(&record) {
            under.live = under.live.saturating_sub(1);
            if under.live == 0 {
                self.under.remove(&record);
            }
        }
    }

    /// Records below it are covered; `None`: all are.
    pub(super) fn covered(&self) -> Option<u64> {
        self.covered
    }

    fn covers(&self, record: u64) -> bool {
        self.covered.is_none_or(|covered| record < covered)
    }

    /// From here on the records below `covered` are covered; `None`: all. True where that is another than
    /// before.
    pub(super) fn cover(&mut self, covered: Option<u64>) -> bool {
        if self.covered == covered {
            return false;
        }
        self.covered = covered;
        let whole = |(item, _): &(&ItemId, &Placed)| {
            self.of.get(item).is_some_and(|now| self.covers(now.record))
        };
        let items: Vec<ItemId> = self.before.iter().filter(whole).map(|(item, _)| *item).collect();
        for item in items {
            if let Some(placed) = self.before.remove(&item) {
                self.release(placed.record);
            }
        }
        true
    }

    /// How much of an entry is covered.
    pub(super) fn cover_of(&self, entry: &Entry) -> Cover {
        let placed = |of: &HashMap<ItemId, Placed>| of.get(&entry.item).cloned();
        if placed(&self.of).is_some_and(|now| self.covers(now.record)) {
            return Cover::Whole;
        }
        placed(&self.before).filter(|before| self.covers(before.record)).map_or(
            Cover::None,
            |before| {
                Cover::Before(Entry {
                    expires: before.expires,
                    item: entry.item,
                    code: before.code,
                })
            },
        )
    }

    /// How many live under records from one on, before another.
    pub(super) fn between(&self, from: u64, to: u64) -> usize {
        if from >= to {
            return 0;
        }
        self.under.range(from..to).map(|(_, under)| under.live).sum()
    }

    /// Since when the first record waits to be covered.
    pub(super) fn waiting_since(&self) -> Option<Moment> {
        self.under.range(self.covered?..).next().map(|(_, under)| under.at)
    }

    /// The values of blocks that are not covered as they are decided. It looks at every block.
    pub(super) fn waiting(&self) -> BTreeSet<&Value> {
        let same = |item: &ItemId, now: &Placed| {
            let before = self.before.get(item);
            before.is_some_and(|it| (it.expires, it.code) == (now.expires, now.code))
        };
        let waits = |(item, now): &(&ItemId, &Placed)| !self.covers(now.record) && !same(item, now);
        self.of.iter().filter(waits).map(|(_, placed)| &placed.value).collect()
    }

    /// The last record that waits to be covered.
    pub(super) fn last_waiting(&self) -> Option<u64> {
        let last = self.under.range(self.covered?..).next_back();
        last.map(|(record, _)| *record)
    }

    /// Forgets what a step ended.
    pub(super) fn follow(&mut self, state: &State, step: &Step) {
        if let Deed::Turned { item, .. } = &step.deed
            && state.item(*item).is_none_or(|live| live.machine.in_force().is_none())
        {
            self.forget(*item);
        }
    }

    /// An item's block with what shows that it was decided.
    pub(super) fn proven(&self, item: ItemId) -> Option<Proven> {
        let (record, place, block) = self.block(item)?;
        let leaves = self.leaves(record)?;
        let of = u32::try_from(leaves.len()).ok()?;
        Some(Proven { block, record, place, of, path: proof::path(leaves, place)? })
    }

    /// The record that shows the root over an item's block, the block's place there, and the block.
    fn block(&self, item: ItemId) -> Option<(u64, u32, Block)> {
        self.placed(item, self.of.get(&item)?)
    }

    /// The decision by which an entry is out, with what its record put into force: of two that say the same, the
    /// one that is covered. `None` where it says so no more.
    pub(super) fn shows(&self, entry: &Entry) -> Option<(&Under, &Placed)> {
        let all = [&self.of, &self.before].into_iter().filter_map(|of| of.get(&entry.item));
        let fits = all.filter(|placed| placed.expires == entry.expires);
        let placed = fits.max_by_key(|placed| self.covers(placed.record))?;
        Some((self.under.get(&placed.record)?, placed))
    }

    fn placed(&self, item: ItemId, placed: &Placed) -> Option<(u64, u32, Block)> {
        let under = self.under.get(&placed.record)?;
        Some((placed.record, placed.place, placed.block(item, &under.seed)))
    }

    /// Every leaf under a record's root.
    pub(super) fn leaves(&self, record: u64) -> Option<&[Hash]> {
        self.under.get(&record).map(|under| &*under.leaves)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}
