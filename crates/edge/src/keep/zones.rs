//! What is out, as zones.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shield_dns::{Fqdn, MAX_HOT, Place, Publisher, Zones, ZonesError, cold_zone};

use crate::keeping::{Change, Value};

/// The shortest time between two serials. They count hundredths of a second, so that whoever begins
/// anew is never behind what resolvers have, however many changes there were.
pub(super) const SPACING: Duration = Duration::from_millis(10);

/// The time in hundredths of a second: what serials follow, modulo 2^32. Over once in 497 days; RFC
/// 1982 needs a resolver to have heard from us within half of that.
pub(super) fn serial() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().saturating_mul(100) + u64::from(since.subsec_millis() / 10)
}

/// The zones, and who serves them.
pub(super) struct Served {
    pub(super) zones: Zones,
    pub(super) publisher: Publisher,
    pub(super) changed: Instant,
}

impl Served {
    /// Makes changes visible, those first that open. Names go into the hot zone while there is room.
    ///
    /// # Errors
    /// A name fits into no zone: what shall be open is, and what was to be blocked with it stays open.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Result<(), ZonesError> {
        // What was said last of a name; addresses stand in no zone.
        let mut last = HashMap::with_capacity(changes.len());
        for change in changes {
            match change {
                Change::Block(Value::Name(name)) => drop(last.insert(name, true)),
                Change::Open(Value::Name(name)) => drop(last.insert(name, false)),
                Change::Block(_) | Change::Open(_) => {}
            }
        }
        if last.is_empty() {
            return Ok(());
        }
        std::thread::sleep(SPACING.saturating_sub(self.changed.elapsed()));
        let (add, remove): (Vec<_>, Vec<_>) = last.into_iter().partition(|(_, block)| *block);
        let names = |part: Vec<(Fqdn, bool)>| part.into_iter().map(|(name, _)| name).collect();
        let (add, remove): (Vec<Fqdn>, Vec<Fqdn>) = (names(add), names(remove));
        let view = self.zones.view();
        // The hot zone stands first.
        let zones = view.zones();
        let hot = zones.first();
        let (hot_gone, cold_gone): (Vec<_>, Vec<_>) =
            remove.into_iter().partition(|name| hot.is_some_and(|hot| hot.contains(name)));
        let room = hot.map_or(0, |hot| (MAX_HOT + hot_gone.len()).saturating_sub(hot.len()));
        // A name that is out already, as after an opening and a block in one go, stays where it is.
        let is_new = |name: &Fqdn| {
            let places = [zones.first(), zones.get(1 + cold_zone(name))];
            !places.into_iter().flatten().any(|zone| zone.contains(name))
        };
        let new: Vec<Fqdn> = add.into_iter().filter(is_new).collect();
        let (hot, cold) = new.split_at(room.min(new.len()));
        let now = serial();
        let first = self.place(Place::Hot, hot, &hot_gone, now);
        let second = self.place(Place::Cold, cold, &cold_gone, now);
        self.publisher.zones(self.zones.view());
        self.changed = Instant::now();
        first.and(second)
    }

    fn place(
        &mut self,
        place: Place,
        add: &[Fqdn],
        remove: &[Fqdn],
        now: u64,
    ) -> Result<(), ZonesError> {
        let done = self.zones.change(place, add, remove, now).map(drop);
        if done.is_err() {
            // What is lifted is opened whatever else has no room.
            self.zones.change(place, &[], remove, now)?;
        }
        done
    }
}
