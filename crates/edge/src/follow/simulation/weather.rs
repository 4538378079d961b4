//! What goes wrong between all of them, how edges are set up, and what is put right when the calm begins.

use ledger::disk::faults::Last;
use rand::RngExt;
use rand::rngs::SmallRng;
use shield::feed::ALL;

use super::actors::{ADDRESSED, isp_name, name};
use super::isp::Settings;
use super::net::Site;
use super::world::{World, trusted};

impl World {
    /// What goes wrong.
    pub(super) fn weather(&mut self) {
        let dice = &mut self.dice;
        let last = self.sides.len() - 1;
        for site in &mut self.sites {
            if site.origin < last && dice.random_bool(0.05) {
                site.origin = last;
            }
            if dice.random_bool(0.02) {
                site.down = !site.down;
            }
            if dice.random_bool(0.02) {
                site.lag = if dice.random_bool(0.5) { 0 } else { dice.random_range(0..60_000) };
            }
            if dice.random_bool(0.02) {
                let at = self.now.saturating_sub(dice.random_range(0..120_000));
                site.frozen = site.frozen.is_none().then_some(at);
            }
            if dice.random_bool(0.02) {
                site.lies = !site.lies;
            }
        }
        // One of them at least is what it says.
        if let Some(site) = self.sites.first_mut() {
            *site = Site { down: site.down, ..Site::of(site.origin) };
        }
        for of in &mut self.cosigners {
            if dice.random_bool(0.03) {
                of.down = !of.down;
            }
        }
        for isp in &mut self.isps {
            match dice.random_range(0..300_u32) {
                0 => isp.kill_follow(),
                1 => isp.kill_keep(self.now),
                2 => isp.reboot(self.now),
                _ => {
                    if !isp.runs() && dice.random_bool(0.15) {
                        isp.start_follow(self.now);
                        isp.start_keep(self.now);
                    }
                    continue;
                }
            }
            self.counts.edge_crashes += 1;
        }
    }

    /// A disk that fails in some step of what is done next, now and then.
    pub(super) fn fault(&mut self, calm: bool, one_in: u32) -> Option<(u64, Last)> {
        const ALL: [Last; 5] =
            [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::FailedDone];
        if calm || self.dice.random_range(0..one_in) > 0 {
            return None;
        }
        let last = ALL[self.dice.random_range(0..ALL.len())];
        Some((self.dice.random_range(0..14), last))
    }

    /// Nothing is lost, nobody lies, nobody is dead from here on.
    pub(super) fn clear_up(&mut self) {
        let last = self.sides.len() - 1;
        self.sites.iter_mut().for_each(|site| *site = Site::of(last));
        // One goes on to hand on what the machine before says.
        if let Some(site) = self.sites.last_mut() {
            site.origin = 0;
        }
        self.cosigners.iter_mut().for_each(|of| of.down = false);
        for side in &mut self.sides {
            side.reopen = self.now;
            // The standby is known by another secret from here on.
            if side.machine.usurper.take().is_some() {
                side.machine.cut(None);
            }
        }
        if self.thief.signs_manifests() {
            self.other_feed_key();
        }
    }

    /// What is to be done where the feed's key was stolen (docs/keys.md).
    fn other_feed_key(&mut self) {
        let Some(side) = self.sides.first_mut() else { return };
        side.machine.kill();
        ledger::disk::remove(&side.machine.place.home.join("shield/feed-key")).unwrap();
        assert!(side.machine.open());
        let (feed, log) = side.machine.keys();
        for isp in &mut self.isps {
            isp.trust_anew(trusted(&feed, &log, &self.keys, isp.set.quorum), self.now);
        }
    }
}

pub(super) fn settings(n: usize, quorum: usize, dice: &mut SmallRng) -> Settings {
    let far = if dice.random_range(0..6) == 0 { 40_000 } else { 4_000 };
    let mut protected = vec![format!("portal{n}.isp.example")];
    if dice.random_bool(0.5) {
        protected.push(name(dice.random_range(0..24)));
    }
    if dice.random_bool(0.3) {
        protected.push(format!("*.stream{}.example", dice.random_range(0..5)));
    }
    let mut sites = vec![0, dice.random_range(1..4), dice.random_range(1..4)];
    sites.rotate_left(dice.random_range(0..3));
    let own = n < ADDRESSED && dice.random_bool(0.7);
    Settings {
        quorum: dice.random_range(0..=quorum),
        skew: dice.random_range(-far..=far),
        protected,
        a_minute: if dice.random_bool(0.3) { 3 } else { 1_000 },
        silence_ms: if dice.random_bool(0.3) { 60_000 } else { 600_000 },
        view: if own { isp_name(n) } else { ALL.to_owned() },
        sites,
    }
}
