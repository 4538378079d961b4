//! Which record put which block into force. A block is proven by the leaves beside it, so these are kept
//! while any block under their record lives: 32 bytes a leaf, and about 150 for each live block.

use std::collections::HashMap;
use std::sync::Arc;

use model::Sha256Hex;
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
}

/// Every block that lives, with what proves it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) of: HashMap<ItemId, Placed>,
    pub(super) under: HashMap<u64, Under>,
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

    /// The seed, where there are any: of a decision that puts nothing into force there is none.
    pub(super) fn seed(&self) -> Option<Sha256Hex> {
        (!self.leaves.is_empty()).then_some(Sha256Hex(self.seed))
    }
}

impl Placed {
    fn block(&self, item: ItemId, seed: &[u8; 32]) -> Block {
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
    pub(super) fn keep(&mut self, batch: Batch, record: u64, state: &State) {
        let in_force = |item: ItemId| state.item(item)?.machine.in_force();
        let mut placed = batch.placed;
        placed.retain(|(item, _)| in_force(*item).is_some());
        if placed.is_empty() {
            return;
        }
        let (leaves, live) = (batch.leaves.into(), placed.len());
        self.under.insert(record, Under { seed: batch.seed, leaves, live });
        for (item, placed) in placed {
            self.forget(item);
            self.of.insert(item, Placed { record, ..placed });
        }
    }

    /// An item's block lives no longer, or another record proves it.
    pub(super) fn forget(&mut self, item: ItemId) {
        let Some(placed) = self.of.remove(&item) else { return };
        if let Some(under) = self.under.get_mut(&placed.record) {
            under.live = under.live.saturating_sub(1);
            if under.live == 0 {
                self.under.remove(&placed.record);
            }
        }
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
    pub(super) fn block(&self, item: ItemId) -> Option<(u64, u32, Block)> {
        let placed = self.of.get(&item)?;
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
