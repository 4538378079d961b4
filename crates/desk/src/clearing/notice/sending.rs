//! What waits in the outbox is sent, and what came of it is put on record.
//!
//! - A letter that the relay took is marked so before anything else: it is sent once, whatever comes after.
//! - The machine is told once the standby has what it is told; until then nothing is sent at all.
//! - Of a letter that fails the first try is a record, and that it was given up: two at the most.
//! - A letter of an item that ended is taken back: what it says is no longer so.

use model::record::{Name, ShieldNotice};
use shield::order::{Command, ItemId, Refusal};
use vault::Origin;

use super::outbox::{self, Waiting};
use super::{Notices, Told};
use crate::clearing::house::{Ask, House};
use crate::clearing::keeper::Keeper;
use crate::{Error, Result};
use std::path::Path;

/// The most letters that are sent in one round: each may take half a minute.
const SENT_A_ROUND: usize = 4;

impl Notices {
    /// Takes away what waits of items that ended.
    pub(super) fn take_back(&self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let (waiting, _) = outbox::all(&self.dir)?;
        let items: Vec<ItemId> = waiting.iter().map(|letter| letter.item).collect();
        if items.is_empty() {
            return Ok(false);
        }
        let live = keeper.look(move |house| {
            let live = |item: &ItemId| house.state().item(*item).is_some();
            items.iter().map(live).collect::<Vec<_>>()
        })?;
        let over = waiting.iter().zip(live).filter(|(_, live)| !live);
        let mut any = false;
        for (letter, _) in over {
            any = true;
            letter.remove(&self.dir)?;
            if letter.sent.is_none() {
                told(&format!(
                    "notice of {} ({}) is taken back: the item ended before it went out",
                    letter.value, letter.item
                ));
            }
        }
        Ok(any)
    }

    /// Sends what is due by the relay, where there is one.
    pub(super) fn send(&self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let Some(relay) = &self.relay else { return Ok(false) };
        let (waiting, _) = outbox::all(&self.dir)?;
        if waiting.is_empty() {
            return Ok(false);
        }
        let now = keeper.look(|house| house.now())?;
        let due = waiting.into_iter().filter(|letter| letter.is_due(now));
        let mut any = false;
        for letter in due.take(SENT_A_ROUND) {
            // Asked before each, since the one before may have taken half a minute.
            let item = letter.item;
            let ready = keeper
                .look(move |house| !house.is_alone() && house.state().item(item).is_some())?;
            let Some(to) = letter.to.clone().filter(|_| ready) else { continue };
            any = true;
            let Ok(bytes) = letter.bytes(&self.dir) else {
                told(&format!(
                    "notice of {} ({item}) to {to}: its message cannot be read; it is written anew",
                    letter.value
                ));
                letter.remove(&self.dir)?;
                continue;
            };
            if letter.sent.is_none() {
                if let Err(why) = relay.send(&self.settings.from, &to, &bytes) {
                    self.failed(keeper, told, letter, &why)?;
                    continue;
                }
                told(&format!("notice of {} ({item}) sent to {to}", letter.value));
            }
            let letter = Waiting { sent: letter.sent.or(Some(now)), ..letter };
            letter.put(&self.dir, None)?;
            let dir = self.dir.clone();
            keeper.look(move |house| sent_one(house, &dir, &letter))??;
        }
        Ok(any)
    }

    /// Notes a try that failed: the first one, and the last, on record.
    fn failed(&self, keeper: &Keeper, told: &Told, letter: Waiting, why: &str) -> Result<()> {
        let now = keeper.look(|house| house.now())?;
        let letter = letter.failed(why, now);
        let (value, item) = (&letter.value, letter.item);
        let to = letter.to.as_deref().unwrap_or_default();
        let turn = match letter.tries {
            _ if letter.is_given_up() => Some("given_up"),
            1 => Some("failed"),
            _ => None,
        };
        if letter.is_given_up() {
            told(&format!(
                "ALARM: notice of {value} ({item}) to {to} was not sent in {} tries: {why}. Send it yourself, then \
                 `vigie shield notice sent {item}`",
                letter.tries
            ));
        } else {
            told(&format!(
                "notice of {value} ({item}) to {to} was not sent: {why}; tried again in a while"
            ));
        }
        if let Some(turn) = turn {
            let body = ShieldNotice {
                turn: turn.to_owned(),
                item: item.to_string(),
                to: to.to_owned(),
                tries: letter.tries.into(),
                reason: letter.failed.clone().unwrap_or_default(),
            };
            keeper.look(move |house| not_sent(house, item, body))??;
        }
        letter.put(&self.dir, None)
    }
}

/// Puts on record that a notice did not go out: who follows the ticket finds it there.
fn not_sent(house: &mut House, item: ItemId, body: ShieldNotice) -> Result<()> {
    house.sound()?;
    let record = house.commit(vec![(String::new(), body.into())])?;
    house.standing.trail.mark(item.ticket(), record);
    Ok(())
}

/// Seals what was sent, tells the machine, and takes the letter away. Done again after a crash it seals no second
/// time, and the machine knows. Where the standby went meanwhile the letter stays, to be told of when it is back.
pub(in crate::clearing) fn sent_one(house: &mut House, dir: &Path, letter: &Waiting) -> Result<()> {
    if letter.to.is_some() {
        let bytes = letter.bytes(dir)?;
        seal(house, &bytes, "notice.eml", &letter.value)?;
    }
    if tell(house, letter.item)? { letter.remove(dir) } else { Ok(()) }
}

/// Seals bytes that went out, or came.
pub(in crate::clearing) fn seal(
    house: &mut House,
    bytes: &[u8],
    name: &str,
    value: &str,
) -> Result<()> {
    let mut bytes = bytes;
    let staged = house.case().stager().reader(&mut bytes)?;
    if house.case().exhibit(&staged.id())?.is_some() {
        return Ok(());
    }
    house.record(|case, stamp| {
        let (source, item) = (Some(Name(name.as_bytes().to_vec())), Some(value.to_owned()));
        let mut batch = case.batch();
        batch.seal(staged, &Origin { source, item, ..Origin::default() })?;
        Ok(batch.commit(stamp).map(drop)?)
    })
}

/// Says to the machine that a notice went out; false where it cannot hear of it before the standby is back. What
/// it refuses else, it knows already, or the item is over.
pub(in crate::clearing) fn tell(house: &mut House, item: ItemId) -> Result<bool> {
    let actor = house.itself().clone();
    let ask = Ask { actor, command: Command::NoticeSent { item } };
    let done = house.act(std::slice::from_ref(&ask))?.pop();
    let done = done.ok_or_else(|| Error::Beside("nothing was answered".to_owned()))?;
    Ok(done != Err(Refusal::StandbyGone))
}
