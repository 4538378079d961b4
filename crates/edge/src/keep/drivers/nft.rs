//! Addresses in this machine's firewall. The kernel's own clocks end what keep does not renew.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use shield::Item;
use shield_nft::{Driver as Holder, DriverError, Element, MAX_ELEMENTS, Nft, Table};

use super::super::{KeepError, Mode, Told};
use super::{Driver, Held, Made, NftSettings, Out, soonest};
use crate::keeping::Value;

struct Firewall {
    nft: Nft,
    table: Table,
    lease: Duration,
    /// None until it was made by this process.
    holder: Option<Holder>,
    /// How long it took last to say all.
    took: Duration,
}

/// By its settings.
///
/// # Errors
/// A table's name that cannot be.
pub(in super::super) fn made(
    settings: &NftSettings,
    mode: Mode,
    practice: bool,
    told: Told,
) -> Result<Made, KeepError> {
    let table = settings.table(practice)?;
    let lease = Duration::from_secs(settings.lease_s);
    let takes = |value: &Value| value.address().is_some();
    let firewall = Firewall::new(NftSettings::nft(), table, lease);
    Ok(Made::new("nft", mode, takes, lease / 3, firewall, told))
}

impl Firewall {
    fn new(nft: Nft, table: Table, lease: Duration) -> Self {
        Self { nft, table, lease, holder: None, took: Duration::ZERO }
    }

    /// As the kernel is to hold them, which hears of them `later`. What ends before that is left out: it would be
    /// held anew past its deadline, after the kernel's own clock had let go of it.
    fn elements<'a>(
        &self,
        out: impl IntoIterator<Item = &'a Out>,
        later: Duration,
    ) -> Vec<Element> {
        let element = |Out { value, left, .. }: &Out| {
            let life = left.saturating_sub(later).min(self.lease);
            (life.as_millis() > 0).then_some(Element { item: value.item()?, life })
        };
        out.into_iter().filter_map(element).collect()
    }

    /// After a fault the table is made anew, whatever became of it.
    fn or_anew(&mut self, done: Result<(), String>) -> Result<(), String> {
        if done.is_err() {
            self.holder = None;
        }
        done
    }

    fn holder(&self) -> Result<&Holder, String> {
        self.holder.as_ref().ok_or_else(|| "the table is not made yet".to_owned())
    }

    fn say_all(&mut self, out: &[Out]) -> Result<(), String> {
        let chosen = (out.len() > MAX_ELEMENTS)
            .then(|| soonest(out.iter().map(|one| (&one.value, one.ends)), MAX_ELEMENTS));
        let is_chosen = |one: &&Out| chosen.as_ref().is_none_or(|all| all.contains(&one.value));
        let hold = self.elements(out.iter().filter(is_chosen), self.took);
        if self.holder.is_some() {
            self.look()?;
        }
        let (mut holder, done) = match self.holder.take() {
            Some(holder) => {
                let done = holder.replace(&hold);
                (holder, done)
            }
            // What an earlier keep held is held no more: who begins anew begins empty.
            None => {
                let opened = Holder::open(self.nft.clone(), self.table.clone());
                let mut holder = opened.map_err(|e| e.to_string())?;
                let done = holder.rebuild(&hold);
                (holder, done)
            }
        };
        match done {
            Ok(()) => self.holder = Some(holder),
            Err(error) => {
                open_rest(&mut holder, out, &error);
                return Err(error.to_string());
            }
        }
        Ok(())
    }
}

/// Where the whole is refused (one element may be the reason, or no room in the kernel), what was lifted
/// meanwhile is opened by itself: it does not wait for the lease.
fn open_rest(holder: &mut Holder, out: &[Out], why: &DriverError) {
    if !matches!(why, DriverError::Said(_) | DriverError::Refused(_)) {
        return;
    }
    let Ok((held, _)) = holder.held() else { return };
    let out: HashSet<Item> = out.iter().filter_map(|one| one.value.item()).collect();
    let lift: Vec<Item> = held.into_keys().filter(|item| !out.contains(item)).collect();
    // That the firewall is not as it was to be is told already.
    let _ = holder.change(&[], &lift);
}

impl Driver for Firewall {
    fn all(&mut self, out: &[Out]) -> Result<(), String> {
        let begun = Instant::now();
        self.say_all(out)?;
        self.took = begun.elapsed();
        Ok(())
    }

    fn change(&mut self, hold: &[Out], lift: &[Value], all: &Held) -> Result<(), String> {
        let lift: Vec<_> = lift.iter().filter_map(Value::item).collect();
        // Where there is no room, which of them are held is said with the next renewal.
        let hold = if all.len() > MAX_ELEMENTS { &[] } else { hold };
        let hold = self.elements(hold, Duration::ZERO);
        let changed = self.holder()?.change(&hold, &lift).map_err(|e| e.to_string());
        self.or_anew(changed)
    }

    fn look(&mut self) -> Result<(), String> {
        let found = match self.holder()?.stands() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let name = self.table.name();
                Err(format!("somebody changed the table inet {name}: it is made anew"))
            }
            Err(error) => Err(error.to_string()),
        };
        self.or_anew(found)
    }

    fn clear(&mut self) -> Result<(), String> {
        // After a fault, too, it may stand there: whether it is ours is looked up.
        self.holder = None;
        match Holder::clean(self.nft.clone(), self.table.clone()) {
            Ok(()) | Err(DriverError::Foreign(_)) => Ok(()),
            Err(error) => {
                Err(format!("{error}; the kernel lets go within {} s", self.lease.as_secs()))
            }
        }
    }

    fn most(&self) -> usize {
        MAX_ELEMENTS
    }
}
