//! Reports are taken, and answered with the next round's questions.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use super::control::{UP_MS, explain};
use super::figures::{Measured, What};
use super::plan::choose;
use super::said::{Said, Side};
use super::seat::Watched;
use super::trail::{Concluded, Trail};
use super::wire::{Answer, Questions, Report};
use super::{MAX_DUE, MAX_TRAILS, Measure};
use crate::item::{Item, Name};
use crate::order::words::Probe;
use crate::order::{Moment, State};

/// What an ISP has not done by then is told in a record, in milliseconds from the release or the lift.
pub const LATE_MS: u64 = 60_000;
/// An answer counts while a control answered at most so long before or after it.
const SAME_SECOND_MS: u64 = 1_000;
/// A control that goes on failing is told of again after this: two probes have to say so within the
/// policy's window.
const AGAIN_MS: u64 = 60_000;
/// A trail that found what is wanted is dropped once its target is that old.
const SETTLED_MS: u64 = 600_000;
/// Controls asked in a round, beside those that are suspected.
const CONTROLS: usize = 2;
/// Suspected controls asked in a round.
const SUSPECTS: usize = 20;
/// A probe's rounds.
const EVERY_MS: u64 = 1_000;

/// A control that a probe sees failing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// The control.
    pub control: Item,
    /// The block that explains it, if one does.
    pub explained_by: Option<Item>,
}

/// What comes of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// What the probe asks next.
    pub questions: Questions,
    /// Controls that it sees failing.
    pub failing: Vec<Failing>,
}

impl Measure {
    /// Takes a probe's report; `None` where no such probe is set.
    pub fn take(
        &mut self,
        state: &State,
        probe: &Probe,
        report: &Report,
        now: Moment,
    ) -> Option<Taken> {
        let seat = self.seats.get_mut(probe)?;
        seat.heard = Some(now);
        seat.counts.reports += 1;
        let before = seat.taken(report.run, report.answers.len());
        if before == 0 {
            seat.counts.dropped = seat.counts.dropped.saturating_add(report.dropped);
        }
        let unblocked = seat.isp.is_none();
        let at = |answer: &Answer| now.minus(answer.age_ms);
        let named: Vec<(usize, &Answer, Name)> = (0..)
            .zip(&report.answers)
            .filter_map(|(n, answer)| Some((n, answer, Name::parse(&answer.name).ok()?)))
            .collect();
        // The controls that answered: what is said within a second of one counts.
        let mut alive: Vec<(Moment, usize)> = Vec::new();
        for (_, answer, name) in &named {
            if let (Some(control), Said::Open) = (self.by_control.get(name), answer.said) {
                alive.push((at(answer), *control));
            }
        }
        alive.sort_unstable();
        let beside = |moment: Moment, not: Option<usize>| {
            let first = alive.partition_point(|(at, _)| *at < moment.minus(SAME_SECOND_MS));
            let near = alive.get(first..).unwrap_or_default().iter();
            let near = near.take_while(|(at, _)| *at <= moment.plus(SAME_SECOND_MS));
            near.filter(|(_, control)| Some(*control) != not).count() as u64
        };
        let mut failing = Vec::new();
        for (_, answer, name) in named.iter().filter(|(n, ..)| *n >= before) {
            let moment = at(answer);
            if let Some(control) = self.by_control.get(name).copied() {
                self.count(probe, answer.said);
                if unblocked {
                    self.control_at_vantage(control, answer, moment);
                } else {
                    let others = beside(moment, Some(control));
                    let control = Watching { control, moment, others, now };
                    failing.extend(self.control_at(state, probe, answer.said, control));
                }
            }
            if let Some(number) = self.targets.number_of(name) {
                self.count(probe, answer.said);
                let not = self.by_control.get(name).copied();
                self.target_at(probe, number, answer.said, moment, beside(moment, not));
            } else if !self.by_control.contains_key(name)
                && let Some(seat) = self.seats.get_mut(probe)
            {
                seat.counts.unasked += 1;
            }
        }
        Some(Taken { questions: self.questions(probe, now)?, failing })
    }

    fn count(&mut self, probe: &Probe, said: Said) {
        if let Some(seat) = self.seats.get_mut(probe) {
            match said {
                Said::Nothing | Said::Failed => seat.counts.unanswered += 1,
                _ => seat.counts.answers += 1,
            }
        }
    }

    fn control_at_vantage(&mut self, control: usize, answer: &Answer, moment: Moment) {
        let Some(control) = self.controls.get_mut(control) else { return };
        match answer.said {
            Said::Open => control.seen_at(moment, true, answer.address),
            said if said.withholds() => control.seen_at(moment, false, None),
            _ => {}
        }
    }

    /// What an ISP's probe sees of a control. It fails where it answered before, three answers withhold it
    /// while another control answers, and an unblocked vantage gets it.
    fn control_at(
        &mut self,
        state: &State,
        probe: &Probe,
        said: Said,
        Watching { control: number, moment, others, now }: Watching,
    ) -> Option<Failing> {
        let control = self.controls.get_mut(number)?;
        let up = control.is_up(now);
        let watched = self.seats.get_mut(probe)?.controls.entry(number).or_default();
        let side = said.side(up)?;
        if side == Side::Blocked && (others == 0 || watched.seen_up.is_none()) {
            return None;
        }
        watched.trail.take(side, moment);
        if side == Side::Open {
            watched.seen_up = watched.seen_up.max(Some(moment));
        }
        let concluded = watched.trail.concluded()?;
        let fails = concluded.side == Side::Blocked && side == Side::Blocked;
        if side == Side::Open && concluded.side == Side::Open {
            watched.told = None;
            control.lost = false;
        }
        let told = watched.told.is_some_and(|told| now.since(told) < AGAIN_MS);
        if watched.trail.leaning() == Some(Side::Blocked) {
            self.suspects.insert(number);
        } else if self.suspects.contains(&number) && !self.is_suspected(number) {
            self.suspects.remove(&number);
        }
        let control = self.controls.get(number)?;
        let watched = self.seats.get_mut(probe)?.controls.get_mut(&number)?;
        if !fails || !up || told || control.lost {
            return None;
        }
        watched.told = Some(now);
        let seen_up = watched.seen_up?;
        let explained_by = explain(state, &self.targets, control, seen_up, concluded.first);
        Some(Failing { control: Item::Name(control.name.clone()), explained_by })
    }

    /// True where some probe is on its way to see a control failing.
    fn is_suspected(&self, control: usize) -> bool {
        let leans = |watched: &Watched| watched.trail.leaning() == Some(Side::Blocked);
        self.seats.values().any(|seat| seat.controls.get(&control).is_some_and(leans))
    }

    /// The machine took a control for lost, or lifted for it: probes are silent of it until it is up again.
    pub fn lost(&mut self, control: &Item) {
        let number = control.name().and_then(|name| self.by_control.get(name));
        if let Some(control) = number.and_then(|number| self.controls.get_mut(*number)) {
            control.lost = true;
        }
    }

    /// What a probe sees of a target, with so many controls that answered beside it.
    fn target_at(
        &mut self,
        probe: &Probe,
        number: u64,
        said: Said,
        moment: Moment,
        controls: u64,
    ) -> Option<()> {
        let target = self.targets.get_mut(number)?;
        let seat = self.seats.get_mut(probe)?;
        let Some(isp) = seat.isp else {
            if controls > 0 && (said == Said::Open || said.withholds()) {
                target.up = Some((moment, said == Said::Open));
            }
            return None;
        };
        let up = target.up.filter(|(at, _)| moment.since(*at) <= UP_MS).map(|(_, up)| up);
        let side = said.side(up == Some(true))?;
        let gone = side == Side::Blocked && up == Some(false);
        let name = &self.isps.get(usize::from(isp))?.isp;
        let theirs = target.row.of(name).is_some();
        let stopped = target.wanted == Side::Blocked && self.gates.shuts(name);
        if controls == 0 || gone || !theirs || stopped || moment < target.since {
            seat.counts.idle += 1;
            return None;
        }
        let trail = match seat.trails.entry(number) {
            Entry::Occupied(running) => running.into_mut(),
            Entry::Vacant(_) if self.trails >= MAX_TRAILS => return None,
            Entry::Vacant(free) => {
                self.trails += 1;
                let before = target.seen(isp).and_then(|seen| seen.now);
                free.insert(before.map(|side| Trail::of(side, target.since)).unwrap_or_default())
            }
        };
        let turned = trail.take(side, moment);
        let concluded = trail.concluded()?;
        // Three in a row say what is wanted, and no record does yet: another probe of the ISP had not found
        // it, or too much was due.
        let told = target.seen(isp).and_then(|seen| seen.told) == Some(side);
        let wanted = side == target.wanted && concluded.side == side;
        if turned.is_none() && wanted && told {
            if moment.since(target.since) > SETTLED_MS {
                seat.trails.remove(&number);
                self.trails = self.trails.saturating_sub(1);
            }
            return None;
        }
        // A word that is late is told again once it is late enough; all else when it turns.
        let late = concluded.side != target.wanted && moment.since(target.since) >= LATE_MS;
        if turned.is_none() && !late && !wanted {
            return None;
        }
        let compared = up == Some(true);
        let all = self.of_all(number, isp, moment)?;
        self.set(number, isp, all.side);
        self.tell(number, isp, all, moment, Beside { probe, controls, compared })
    }

    /// What all probes of an ISP that were heard of late conclude together: it blocks once each of them
    /// says so, since the last of them; `None` while one has no conclusion yet.
    fn of_all(&self, number: u64, isp: u16, now: Moment) -> Option<Concluded> {
        let wanted = self.targets.get(number)?.wanted;
        let mut all: Option<Concluded> = None;
        for seat in self.seats.values().filter(|seat| seat.isp == Some(isp) && seat.is_heard(now)) {
            let Some(trail) = seat.trails.get(&number) else { continue };
            let one = trail.concluded()?;
            all = Some(match all {
                None => one,
                Some(all) if all.side != one.side => {
                    if all.side == wanted {
                        one
                    } else {
                        all
                    }
                }
                Some(all) => {
                    if one.first > all.first {
                        one
                    } else {
                        all
                    }
                }
            });
        }
        all
    }

    /// Puts a finding among what is due for a record, where the last one says something else.
    fn tell(
        &mut self,
        number: u64,
        isp: u16,
        found: Concluded,
        moment: Moment,
        beside: Beside<'_>,
    ) -> Option<()> {
        let target = self.targets.get_mut(number)?;
        let what = What::of(target.wanted, found.side);
        let age = moment.since(target.since);
        let (value, item, record, since) =
            ((*target.value).clone(), target.item, target.record, target.since);
        let seen = target.seen_mut(isp)?;
        let early = !what.is_done() && age < LATE_MS;
        if seen.told == Some(found.side) || early || self.due.len() >= MAX_DUE {
            return None;
        }
        seen.told = Some(found.side);
        let timed = what.is_done() && !seen.timed;
        seen.timed |= timed;
        let after_ms = if what.is_done() { found.first.since(since) } else { age };
        let measured = Measured {
            isp: self.isps.get(usize::from(isp))?.isp.clone(),
            item,
            value,
            what,
            since: record,
            after_ms,
            gap_ms: found.gap_ms,
            probe: beside.probe.clone(),
            controls: beside.controls,
            compared: beside.compared,
            timed,
        };
        self.timed(isp, &measured);
        self.due.push(measured);
        Some(())
    }

    /// The next round of a probe.
    fn questions(&mut self, probe: &Probe, now: Moment) -> Option<Questions> {
        let seat = self.seats.get_mut(probe)?;
        seat.round += 1;
        let (round, rate, isp) = (seat.round, seat.rate, seat.isp);
        let mut controls: Vec<usize> = self.suspects.iter().copied().take(SUSPECTS).collect();
        // Those that an unblocked vantage gets; it looks at all.
        let usable = |number: &usize| {
            let up = self.controls.get(*number).is_some_and(|control| control.is_up(now));
            !self.suspects.contains(number) && (isp.is_none() || up)
        };
        let usable: Vec<usize> = (0..self.controls.len()).filter(usable).collect();
        // The vantage has to see each within the time that its word counts.
        let many =
            if isp.is_none() { self.controls.len().div_ceil(60).max(CONTROLS) } else { CONTROLS };
        let first = usize::try_from(round).unwrap_or_default().wrapping_mul(many);
        let turn = (0..many.min(usable.len()))
            .filter_map(|n| usable.get(first.wrapping_add(n) % usable.len().max(1)).copied());
        controls.extend(turn);
        controls.truncate(rate.max(CONTROLS));
        let most = rate.saturating_sub(controls.len());
        let done = |number: u64| {
            let seen = self.targets.get(number).zip(isp).and_then(|(t, isp)| t.seen(isp).copied());
            seen.is_some_and(|seen| seen.now == Some(Side::Open))
        };
        let targets = choose(&self.targets, now, round, most, done);
        let name = |number: &u64| Some(self.targets.get(*number)?.name()?.as_str().to_owned());
        let control = |number: &usize| Some(self.controls.get(*number)?.name.as_str().to_owned());
        let mut names: Vec<String> = controls.iter().filter_map(control).collect();
        // A control that somebody has blocked meanwhile is asked for once.
        let asked: BTreeSet<String> = names.iter().cloned().collect();
        names.extend(targets.iter().filter_map(name).filter(|name| !asked.contains(name)));
        Some(Questions { names, every_ms: EVERY_MS })
    }
}

struct Watching {
    control: usize,
    moment: Moment,
    others: u64,
    now: Moment,
}

struct Beside<'a> {
    probe: &'a Probe,
    controls: u64,
    compared: bool,
}
