//! The clearing house: the one writer of what is blocked (docs/shield-machine.md).
//!
//! Its folder is shaped as a case's, with a log of its own, `<authority>/shield`: what is decided is a
//! record there before anything of it goes out. `shield` decides and applies, without I/O; here is the
//! clock, the log, and whoever asks.
//!
//! - [`House`]: the log, what follows from it, and the feed. Commands that come together are made durable
//!   together, and answered after that.
//! - [`Keeper`]: the thread that has the house, its queue, and its clock.
//! - [`rounds`]: what it does by itself: captures what is due, checks what was captured.
//! - [`door`]: a socket for who holds the folder; [`door::ask`] is what commands call.
//! - [`publish`]: the feed as signed files in a folder, for any web server or cache.
//! - [`notice`]: what hosts and CDNs are written, and how it goes out.
//! - [`read`]: what pages show of the house, in one bounded look.
//! - [`opened`]: what is told of a ticket once its event is over, and from when on.
//! - [`HouseAct`]: what is done to the house itself: a figure, a stop signed for a safe.
//! - [`known`]: what the harm check knows, shared by the rounds and whoever asks.
//! - [`standby`]: a second machine that has all of it before it is acknowledged.
//! - [`measured`]: what probes report of ISPs: taken, answered with the next questions, put on record.
//! - [`said`]: what ISPs say of what they block.
//! - [`challenge::Hand`]: the thread, or one's own hand where no server runs.
//! - [`statement`], [`challenge`]: what somebody says who objects, and what shows that they may.
//! - [`Cosigned`], [`witnesses`]: what is added waits until witnesses have cosigned it; a thread asks them.
//! - [`tally`], `trail`: figures, and which record speaks of which ticket: both follow the steps.
//! - [`months`]: the figures that are published.
//! - `excepted`: which records speak of which exception.
//! - `replay`: from records to the state; nothing else makes it.
//! - `held`: records that are applied are held against the tree that the log's key signed.
//! - `kept`: what that came to, in a file, so that a start applies what came after alone.
//! - `spoken`: which records speak of exhibits and authorisations: what is looked up, and not applied.
//! - `sight`: what captures showed of who else stands behind a value: the check asks it.
//! - `due`: what is to be checked and captured by now, and all of it anew by newer sets.
//! - `captured`: which record tells of the last capture of what lives.
//! - `blocks`: which record put which block into force, and what shows it.
//!
//! Invariants: nobody is told of an act, and no feed shows it, before its record is durable. What is added
//! goes out after its witnesses; what ends waits for nobody. After a fault
//! of the disk nothing more is decided until the log was read anew. An epoch has one writer.

mod blocks;
mod captured;
pub mod challenge;
mod check;
pub mod door;
mod due;
mod excepted;
mod hand;
mod held;
mod house;
mod house_act;
mod keeper;
mod kept;
pub mod known;
pub mod measured;
pub mod months;
pub mod notice;
pub mod opened;
pub mod publish;
pub mod read;
mod received;
mod replay;
pub mod rounds;
pub mod said;
mod sight;
mod spoken;
pub mod standby;
pub mod statement;
pub mod tally;
#[cfg(test)]
mod tests;
mod trail;
mod witnessed;
pub mod witnesses;

pub(crate) use check::check;
pub use house::{Ask, Done, House, MAX_TOGETHER};
pub use house_act::HouseAct;
pub use keeper::{Closed, Keeper, MAX_WAITING, Out};
pub use kept::Started;
pub(crate) use kept::{destroy, forget_erased};
pub use received::HandedIn;
pub use replay::Standing;
pub use witnessed::{Cosigned, Witnessing, witnessing};

/// The most records that are looked at in one look: some milliseconds.
const A_LOOK: u64 = 256;

/// True of the folder of a clearing house; false of a case's, of none, and of one that cannot be read.
pub fn is_house(dir: &std::path::Path) -> bool {
    let origin = vault::Case::origin_in(dir);
    origin.is_ok_and(|origin| origin == vault::shield_origin(vault::authority_of(&origin)))
}

/// Adds to a book some of what the log says since it was read last; true where there is more.
fn follow(book: &mut crate::capture::Book, house: &House) -> crate::Result<bool> {
    if book.is_new() {
        *book = house.book();
    }
    book.follow_some(house.case(), A_LOOK)
}
