//! What is out, as zones.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shield_dns::{Fqdn, MAX_HOT, Place, Publisher, Zones, ZonesError, cold_zone};

use crate::keeping::{Change, Value};

/// The shortest time between two serials, and before the first. They count hundredths of a second, so that whoever begins
/// anew is never behind what resolvers have, however many changes there were.
pub(super) const SPACING: Duration = Duration::from_millis(10);

/// A name that lives so long at most when it is blocked goes into the hot zone: longer than any event with its time
/// after it, and far shorter than what an order alone holds. So what changes often is a small zone, however many names
/// stand for weeks.
pub const HOT_LIFE: Duration = Duration::from_secs(12 * 3_600);

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
    /// Makes changes visible, those first that open. Names of which `soon` says that they end soon go into the hot
    /// zone while there is room, all others into the cold ones.
    ///
    /// # Errors
    /// A name fits into no zone: what shall be open is, and what was to be blocked with it stays open.
    pub(super) fn apply(
        &mut self,
        changes: Vec<Change>,
        soon: impl Fn(&Value) -> bool,
    ) -> Result<(), ZonesError> {
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
        let new = add.into_iter().filter(is_new);
        let (mut hot, mut cold): (Vec<Fqdn>, Vec<Fqdn>) =
            new.partition(|name| soon(&Value::Name(name.clone())));
        cold.extend(hot.split_off(room.min(hot.len())));
        let now = serial();
        let first = self.place(Place::Hot, &hot, &hot_gone, now);
        let second = self.place(Place::Cold, &cold, &cold_gone, now);
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

#[cfg(test)]
mod tests {
    use shield_dns::{Access, Layout, Timers};

    use super::*;

    #[test]
    fn what_ends_soon_is_hot_while_there_is_room_and_all_else_is_cold() {
        let timers = Timers { refresh: 1, retry: 1, expire: 30, ttl: 5 };
        let (suffix, contact) = ("rpz.example".to_owned(), "hostmaster.example".to_owned());
        let layout = Layout { suffix, contact, timers, catalog: false };
        let zones = Zones::new(&layout, serial()).unwrap();
        let (publisher, _feed) = shield_dns::feed(zones.view(), Access::default());
        let mut served = Served { zones, publisher, changed: Instant::now() };
        let value = |text: String| Value::Name(text.parse().unwrap());
        let soon = |value: &Value| value.to_string().starts_with("event");
        let counts = |served: &Served| {
            let view = served.zones.view();
            let (hot, cold) = view.zones().split_first().unwrap();
            (hot.len(), cold.iter().map(|zone| zone.len()).sum::<usize>())
        };
        let order = (0..40).map(|n| Change::Block(value(format!("order{n}.example"))));
        served.apply(order.collect(), soon).unwrap();
        assert_eq!(counts(&served), (0, 40));
        let event = (0..MAX_HOT).map(|n| Change::Block(value(format!("event{n}.example"))));
        served.apply(event.collect(), soon).unwrap();
        assert_eq!(counts(&served), (MAX_HOT, 40));
        // One beyond, and then one for which another makes room. What stands somewhere stays there.
        served.apply(vec![Change::Block(value("event-late.example".to_owned()))], soon).unwrap();
        assert_eq!(counts(&served), (MAX_HOT, 41));
        let (gone, new) = ("event0.example".to_owned(), "event-new.example".to_owned());
        let changes = [Change::Open(value(gone)), Change::Block(value(new))];
        served.apply(changes.to_vec(), soon).unwrap();
        served.apply(vec![Change::Block(value("order0.example".to_owned()))], |_| true).unwrap();
        assert_eq!(counts(&served), (MAX_HOT, 41));
        let all: Vec<_> =
            (0..40).map(|n| Change::Open(value(format!("order{n}.example")))).collect();
        served.apply(all, soon).unwrap();
        assert_eq!(counts(&served), (MAX_HOT, 1));
    }
}
