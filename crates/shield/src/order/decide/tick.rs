//! What is due as time goes on.

use model::Sha256Hex;

use super::Ask;
use crate::order::machine::Machine;
use crate::order::refusal::Refusal;
use crate::order::step::Deed;
use crate::order::turn::{Denial, Turn};
use crate::order::words::{ItemId, Role};

/// The most items, and the most objections, that one tick looks at.
pub const MAX_DUE: usize = 10_000;

impl Ask<'_> {
    /// Each item that is due takes a turn, so that none stays due.
    pub(super) fn tick(&mut self) -> Result<(), Refusal> {
        self.needs(&[Role::House])?;
        let due = self.state.due.range(..=(self.now, ItemId(u64::MAX)));
        for (_, id) in due.take(MAX_DUE) {
            self.due(*id)?;
        }
        let last = (self.now, ItemId(u64::MAX), Sha256Hex([u8::MAX; 32]));
        for (_, item, proof) in self.state.clocks.range(..=last).take(MAX_DUE) {
            self.push(Deed::ObjectionOverdue { item: *item, proof: *proof });
        }
        Ok(())
    }

    fn due(&mut self, item: ItemId) -> Result<(), Refusal> {
        let (live, _) = self.live(item)?;
        let over = self.state.term(item.ticket()).is_none_or(|term| term.closes <= self.now);
        let turn = match &live.machine {
            Machine::InForce(_) | Machine::Suspended(_) => Turn::Expired,
            Machine::Checked(_) if !over => return self.release(item, live, live.machine.clone()),
            Machine::Captured(_) if !over => Turn::Lapsed,
            _ => Turn::Refused { denial: Denial::WindowOver, grounds: None },
        };
        self.turn(item, &live.machine, turn)?;
        Ok(())
    }
}
