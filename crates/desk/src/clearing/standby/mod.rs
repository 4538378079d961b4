//! The second machine: with one named, an act is acknowledged only when it is durable on both
//! (docs/standby.md).
//!
//! The house writes first, then sends what it wrote, and answers when the standby has it. So the standby's
//! log is the house's, or its beginning. Where the standby is gone, that is told and recorded; what can only
//! open goes on, and its answer says that it is durable here alone; nothing is added before the standby is
//! back or a person dismisses it. Which of two machines writes, a person decides ([`House::promote`]): two
//! machines that do not hear each other cannot know which one is dead.
//!
//! - `sending`: the house's side of a connection; `following`: the other's; between them are the frames of
//!   `vault::standby::wire`.
//! - [`Copies`]: what the house itself knows of it.

mod asked;
#[cfg(feature = "simulation")]
mod by_hand;
mod following;
mod named;
mod sending;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use model::Sha256Hex;
use model::record::ShieldStandby;
use shield::Verdict;
use shield::order::command::Upheld;
use shield::order::words::{Grounds, Person};
use shield::order::{Command, ItemId, Machine, State};
use vault::standby::wire::Hello;
use vault::{Case, Parcel};

use super::house::House;
use crate::desk::Place;
use crate::{Error, Result};

pub use asked::OfStandby;
#[cfg(feature = "simulation")]
pub use by_hand::{Cut, Second};
pub use following::{Followed, follow};
pub use named::{Named, Standbys};
pub use sending::send;

/// The longest that an act waits for the standby. A connection on which nothing moves ends sooner
/// ([`STILL`]); this bounds one that drips.
pub const MAX_WAIT: Duration = Duration::from_secs(30);
/// The longest that a connection may stand still within a frame.
pub const STILL: Duration = Duration::from_secs(2);
/// How often an idle connection is tried.
pub const BEAT: Duration = Duration::from_secs(1);
/// About so many bytes of commits are sent together to who catches up.
const CATCH_UP: usize = 4 << 20;
/// Epochs of one machine: whoever is promoted begins at the next multiple, so that an epoch of the machine
/// before is always lower, however often that one starts again.
pub const GENERATION: u64 = 1 << 16;

/// A new secret by which a standby is to be known.
///
/// # Errors
/// The system gives no random bytes.
pub fn fresh_secret() -> Result<[u8; 32]> {
    Ok(vault::random()?)
}

/// The key that signs the log in a folder, as that log itself names it.
///
/// # Errors
/// No log there; the disk.
pub fn log_key(dir: &Path) -> Result<Option<String>> {
    let log = ledger::Reader::open(&dir.join("ledger")).map_err(vault::Error::from)?;
    Ok(vault::named_keys(&log)?.map(|keys| keys.now().text()))
}

/// The house's end of a connection that is up to date.
#[derive(Debug)]
struct Link {
    parcels: SyncSender<Parcel>,
    acked: Receiver<u64>,
    /// Gone with the connection's end.
    lives: Weak<()>,
}

/// The connection's end of it.
#[derive(Debug)]
pub(super) struct Live {
    parcels: Receiver<Parcel>,
    acked: SyncSender<u64>,
    _lives: Arc<()>,
}

/// What the house knows of who copies it.
#[derive(Debug, Default)]
pub(super) struct Copies {
    link: Option<Link>,
    /// Records that the standby has.
    have: u64,
    /// Records that were made since it was there last, or since the house was opened.
    alone: u64,
    /// Who is told when it comes or goes.
    told: Option<Told>,
}

/// Who is told a line.
pub(super) struct Told(pub(super) Box<dyn Fn(&str) + Send>);

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl Copies {
    /// True where a standby follows.
    pub(super) fn here(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.lives.strong_count() > 0)
    }

    /// Sends what was committed from record `first` on, and waits until the standby has it. Where that fails
    /// there is none.
    pub(super) fn ship(&mut self, case: &Case, first: u64) {
        let sent = || -> Option<u64> {
            let link = self.link.as_ref()?;
            let parcel = case.parcel(self.have, usize::MAX).ok()??;
            let end = parcel.end();
            link.parcels.try_send(parcel).ok()?;
            let acked = link.acked.recv_timeout(MAX_WAIT).ok()?;
            (acked == end).then_some(end)
        };
        match sent() {
            Some(end) => self.have = end,
            None => {
                self.link = None;
                self.alone += case.len().saturating_sub(first);
            }
        }
    }
}

/// What a house says to who would follow it.
#[derive(Debug)]
pub(super) enum Offer {
    /// Commits to take.
    Parcel(Box<Parcel>),
    /// All was taken: what comes is sent as it is made.
    Live(Live),
    /// Nothing: they are not the standby any more.
    No,
}

/// How the standby is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// What the log names; `None`: no standby.
    pub named: Option<Named>,
    /// True where it follows now.
    pub here: bool,
    /// Records that were made since it was there last, or since the house was opened.
    pub alone: u64,
}

impl House {
    /// Has somebody told when the standby comes or goes.
    pub fn tell_of_standby(&mut self, told: impl Fn(&str) + Send + 'static) {
        self.copies.told = Some(Told(Box::new(told)));
    }

    /// How the standby is.
    pub fn standby(&self) -> Health {
        let named = self.standing.standbys.named.clone();
        let alone = if named.is_some() { self.copies.alone } else { 0 };
        Health { named, here: self.copies.here(), alone }
    }

    /// True where a standby is named and does not follow.
    pub fn is_alone(&self) -> bool {
        self.standing.standbys.named.is_some() && !self.copies.here()
    }

    /// Names a standby: from here on nothing is added without it. It is known by a secret whose SHA-256 is
    /// given.
    ///
    /// # Errors
    /// One is named already; a name that is none; the disk.
    pub fn name_standby(
        &mut self,
        by: &Person,
        name: &str,
        key: Sha256Hex,
        why: &Grounds,
    ) -> Result<()> {
        if let Some(named) = &self.standing.standbys.named {
            return Err(Error::Asked(format!(
                "{} is the standby: `vigie shield standby dismiss` lets it go first",
                named.name
            )));
        }
        if !crate::parties::is_short(name) {
            return Err(Error::Asked(format!(
                "{name:?} is no short name: a-z, 0-9, '-', '.' and '_', as records call it for ever"
            )));
        }
        self.turn("named", name, Some(key), Some((by, why)))?;
        self.let_go();
        Ok(())
    }

    /// Lets the standby go: the house goes on alone.
    ///
    /// # Errors
    /// None is named; the disk.
    pub fn dismiss_standby(&mut self, by: &Person, why: &Grounds) -> Result<()> {
        let Some(named) = self.standing.standbys.named.clone() else {
            return Err(Error::Asked("no standby is named".to_owned()));
        };
        self.let_go();
        self.turn("dismissed", &named.name, None, Some((by, why)))
    }

    fn let_go(&mut self) {
        self.copies = Copies { told: self.copies.told.take(), ..Copies::default() };
    }

    /// Makes the copy in a folder the clearing house: from here on this machine writes. It records that, and
    /// begins the first epoch of its own, above all that the machine before can begin.
    ///
    /// # Errors
    /// Its log names no standby, so that it is no copy of a house that had one; no authority's key; the disk.
    pub fn promote(place: &Place, by: &Person, why: &Grounds) -> Result<Self> {
        let mut house = Self::open(place)?;
        let Some(named) = house.standing.standbys.named.clone() else {
            return Err(Error::Asked(
                "the log in this folder names no standby: there is nothing to promote".to_owned(),
            ));
        };
        house.turn("promoted", &named.name, None, Some((by, why)))?;
        house.begin()?;
        house.show()?;
        Ok(house)
    }

    /// Records that the standby came or went, where the log does not say so yet, and tells it.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn note_standby(&mut self) -> Result<()> {
        let here = self.copies.here();
        let named = self.standing.standbys.named.clone();
        // A house that was never told of one begins without.
        let Some(named) = named.filter(|named| named.here != here) else { return Ok(()) };
        if let Some(Told(told)) = &self.copies.told {
            told(&line(here, &named.name, self.witnessing().named));
        }
        self.turn(if here { "back" } else { "gone" }, &named.name, None, None)
    }

    fn turn(
        &mut self,
        turn: &str,
        name: &str,
        key: Option<Sha256Hex>,
        by: Option<(&Person, &Grounds)>,
    ) -> Result<()> {
        self.sound()?;
        let reason = by.map(|(_, why)| why.as_str().to_owned());
        let body = ShieldStandby { turn: turn.to_owned(), name: name.to_owned(), key, reason };
        self.standing.standbys.take(&body).map_err(Error::Beside)?;
        let actor = by.map(|(person, _)| person.as_str().to_owned()).unwrap_or_default();
        self.commit(vec![(actor, body.into())]).map(drop)
    }

    /// Looks at who would follow; the signed checkpoint of no records, or why not.
    fn greet(&mut self, hello: &Hello) -> Result<std::result::Result<String, String>> {
        let Some(named) = &self.standing.standbys.named else {
            return Ok(Err("no standby is named here".to_owned()));
        };
        if Sha256Hex::of(&hello.secret) != named.key {
            return Ok(Err("that is not the secret of the standby that is named".to_owned()));
        }
        self.show()?;
        let size = self.case.len();
        let log = self.case.log();
        if hello.size > size
            || Sha256Hex(log.root_at(hello.size).map_err(vault::Error::from)?) != hello.root
        {
            return Ok(Err(format!(
                "what is there ({} records) is no beginning of the log here ({size} records): one of the \
                 two was promoted, or laid back; a standby begins in an empty folder",
                hello.size
            )));
        }
        Ok(Ok(self.case.beginning()?))
    }

    /// The next of what who follows lacks, that has so many records. Who they are is asked each time: a standby
    /// that was dismissed while it caught up is none, though it knew the secret then.
    fn offer(&mut self, key: Sha256Hex, have: u64) -> Result<Offer> {
        if self.standing.standbys.named.as_ref().is_none_or(|named| named.key != key) {
            return Ok(Offer::No);
        }
        self.show()?;
        if let Some(parcel) = self.case.parcel(have, CATCH_UP)? {
            return Ok(Offer::Parcel(Box::new(parcel)));
        }
        let (parcels, taken) = sync_channel(1);
        let (acks, acked) = sync_channel(1);
        (self.copies.have, self.copies.alone) = (have, 0);
        let lives = Arc::new(());
        self.copies.link = Some(Link { parcels, acked, lives: Arc::downgrade(&lives) });
        Ok(Offer::Live(Live { parcels: taken, acked: acks, _lives: lives }))
    }
}

/// True of what can add to what is blocked, or makes a promise that another machine has to keep. What opens
/// or only tells goes on while the standby is gone.
pub(super) fn adds(state: &State, command: &Command) -> bool {
    match command {
        // Of what is out a check can only end it. What waits it may release, whoever has to agree: they may
        // have agreed before.
        Command::Check { item, outcome } => {
            !is_out(state, *item) && outcome.verdict != Verdict::Refuse
        }
        Command::Decide { upheld, .. } => *upheld == Upheld::No,
        Command::Capture { .. }
        | Command::Refuse { .. }
        | Command::Lift { .. }
        | Command::Object { .. }
        | Command::HostAnswered { .. }
        | Command::ReportHarm { .. }
        | Command::ControlFailed { .. }
        | Command::ProposeException { .. }
        | Command::EndOrder { .. }
        | Command::EndEvent { .. }
        | Command::ApproveException { .. }
        | Command::Stop { .. }
        | Command::Tick
        | Command::CarryOn => false,
        Command::GiveOrder(_)
        | Command::Announce(_)
        | Command::Extend { .. }
        | Command::Submit(_)
        | Command::Renew { .. }
        | Command::Upload { .. }
        | Command::Approve { .. }
        | Command::NoticeSent { .. }
        | Command::Reinstate { .. }
        | Command::RevokeException { .. }
        | Command::Resume { .. } => true,
    }
}

/// True of an item that is in force, or was and is suspended.
pub(super) fn is_out(state: &State, item: ItemId) -> bool {
    let out = |machine: &Machine| matches!(machine, Machine::InForce(_) | Machine::Suspended(_));
    state.item(item).is_some_and(|live| out(&live.machine))
}

/// What is told of a standby that came or went, where so many witnesses are named.
fn line(here: bool, name: &str, witnesses: usize) -> String {
    let asked = witnesses > 0;
    if here {
        let again = if asked { "; witnesses are asked again" } else { "" };
        return format!(
            "the standby {name} follows: what is acknowledged is durable on both machines{again}"
        );
    }
    let nobody = if asked {
        ". No witness is asked meanwhile: what waits for one, such as what the clock puts into force, goes on waiting"
    } else {
        ""
    };
    format!(
        "ALARM: the standby {name} is gone. What opens goes on, durable here alone; nobody's act adds anything \
         before it is back, or `vigie shield standby dismiss` lets the house go on alone{nobody}"
    )
}
