//! What was true at the clearing house, and what may therefore be blocked at an edge.

use std::collections::{BTreeMap, BTreeSet};

use desk::clearing::House;
use desk::clearing::standby::GENERATION;
use model::Sha256Hex;
use shield::feed::ALL;
use shield::order::{Audience, Halt, ItemId, Machine, Scope};

use super::house::SILENCE;
use super::isp::{Isp, RESOLVER};
use super::thieves::{BYSTANDER, Thief};
use super::world::{BEGIN, World};

/// The longest step of the simulation, in milliseconds: what is due between two is done at the second.
pub(super) const STEP: u64 = 2_000;

/// After so long at the latest what is decided is out, where nothing is lost any more, in milliseconds.
pub(super) const SETTLED: u64 = 30_000;

/// What is in force for all and cosigned.
#[derive(Debug, Clone)]
struct Steady {
    value: String,
    since: u64,
    expires: u64,
}

/// A time in which a value was in force.
#[derive(Debug, Clone)]
struct Span {
    from: u64,
    to: Option<u64>,
    expires: u64,
    /// How many witnesses ever cosigned one checkpoint over its record.
    witnesses: usize,
}

/// What was ever in force.
#[derive(Debug, Default)]
pub(super) struct Truth {
    /// By whose it is, which is the name of a view, and by value.
    spans: BTreeMap<(String, String), Vec<Span>>,
    /// What is in force for all, and since when it has been cosigned as the policy asks: what every manifest of a
    /// later time holds, of whichever view.
    steady: BTreeMap<ItemId, Steady>,
    /// How many witnesses ever cosigned one checkpoint over a record of each item: what was out stays out over stops
    /// and restarts, whose own records wait (docs/witnesses.md).
    items: BTreeMap<ItemId, usize>,
    /// When the house was alive last.
    alive: u64,
}

impl Truth {
    /// Looks at the house as it is now: what is in force there, by its state and no feed.
    /// `sizes` is how many entries one witness, two, and so on have cosigned.
    pub(super) fn look(&mut self, house: &House, sizes: &[u64], now: u64) {
        let stopped = house
            .state()
            .stops()
            .any(|(scope, stop)| *scope == Scope::All && stop.halt == Halt::Lifts);
        self.alive = now;
        let mut live = BTreeMap::new();
        let witnesses = |record: u64| sizes.iter().filter(|size| record < **size).count();
        let mut steady = BTreeMap::new();
        for (item, of) in house.state().items() {
            // Suspended, or stopped, it is cosigned all the same: and goes on by that record, though it is renewed
            // before it is out again.
            let proven = house.proven(item);
            let ever = self.items.entry(item).or_default();
            *ever = (*ever).max(proven.as_ref().map_or(0, |proven| witnesses(proven.record)));
            let Machine::InForce(in_force) = &of.machine else { continue };
            assert!(proven.is_some(), "{item} is in force without a record");
            if stopped {
                continue;
            }
            let expires = u64::try_from(in_force.expires.0).unwrap_or(0);
            let value = of.value.to_string();
            let all = [ALL.to_owned()];
            let ticket = house.state().ticket(item.ticket()).expect("an item is of a ticket");
            let whose: Vec<String> = match &ticket.audience {
                Audience::All => all.into(),
                Audience::Only(isps) => isps.iter().map(|isp| isp.as_str().to_owned()).collect(),
            };
            if ticket.audience == Audience::All && *ever as u64 >= house.policy().witnesses {
                let since = self.steady.get(&item).map_or(now, |known| known.since);
                steady.insert(item, Steady { value: value.clone(), since, expires });
            }
            for whose in whose {
                let entry: &mut (u64, usize) = live.entry((whose, value.clone())).or_default();
                *entry = (entry.0.max(expires), entry.1.max(*ever));
            }
        }
        self.steady = steady;
        for (value, (expires, witnesses)) in &live {
            let spans = self.spans.entry(value.clone()).or_default();
            match spans.last_mut().filter(|span| span.to.is_none()) {
                Some(span) => {
                    span.expires = span.expires.max(*expires);
                    span.witnesses = span.witnesses.max(*witnesses);
                }
                None => spans.push(Span {
                    from: now,
                    to: None,
                    expires: *expires,
                    witnesses: *witnesses,
                }),
            }
        }
        for (value, spans) in &mut self.spans {
            if let Some(span) = spans.last_mut().filter(|span| span.to.is_none())
                && !live.contains_key(value)
            {
                span.to = Some(now);
            }
        }
    }

    /// What is in force now for who follows a view, and for longer than so many milliseconds.
    pub(super) fn visible(&self, view: &str, now: u64, longer: u64) -> BTreeSet<String> {
        let visible = |spans: &&Vec<Span>| {
            spans.last().is_some_and(|span| {
                span.to.is_none() && span.from + SETTLED <= now && span.expires > now + longer
            })
        };
        self.spans
            .iter()
            .filter(|((whose, _), spans)| (whose == ALL || whose == view) && visible(spans))
            .map(|((_, value), _)| value.clone())
            .collect()
    }

    /// Whether an edge may have a value blocked now; else why not.
    fn allows(&self, value: &str, now: u64, isp: &Isp) -> Result<(), String> {
        let slack = isp.set.skew.unsigned_abs() + 2 * STEP + RESOLVER;
        let silence = SILENCE.min(isp.set.silence_ms);
        let spans = || self.of(value, &isp.set.view);
        if spans().next().is_none() {
            return Err("it was never in force for it".to_owned());
        }
        // docs/feed.md: who hears nothing for so long lets go of all.
        let quiet = now.saturating_sub(self.alive);
        if quiet > silence + slack {
            return Err(format!("the feed has been silent for {quiet} ms"));
        }
        let mut why = Vec::new();
        for span in spans() {
            let ends = span.expires.min(span.to.map_or(u64::MAX, |to| to + silence)) + slack;
            if span.witnesses < isp.set.quorum {
                why.push(format!("only {} have cosigned its record", span.witnesses));
            } else if now > ends {
                why.push(format!("it was over by {ends} at the latest: {span:?}"));
            } else if span.from > now {
                why.push(format!("it is in force from {} on", span.from));
            } else {
                return Ok(());
            }
        }
        Err(why.join(", and "))
    }
}

/// Holds an edge against the laws, at any moment of any run: what it blocks has to be
/// allowed by one of these; or to have been in force `once`.
pub(super) fn holds(
    now: u64,
    isp: &Isp,
    truths: &[&Truth],
    once: Option<&Truth>,
) -> Result<(), String> {
    for value in isp.blocks() {
        // docs/feed.md: nothing is believed that no record shows; docs/edge.md: each ends by a clock here, and all
        // with the feed's silence.
        let mut why = Vec::new();
        let allowed = truths.iter().any(|truth| match truth.allows(value, now, isp) {
            Ok(()) => true,
            Err(not) => {
                why.push(not);
                false
            }
        });
        if !allowed && !once.is_some_and(|once| once.was(value, now, isp)) {
            return Err(format!("{value} is blocked, and {}", why.join("; ")));
        }
        // docs/edge.md: what is protected is never blocked, whoever asks.
        if isp.set.protected.iter().any(|rule| covers(rule, value)) {
            return Err(format!("{value} is blocked, and protected here"));
        }
    }
    // docs/feed.md: once obeyed a stop stands.
    if isp.is_let_go() && !isp.blocks().is_empty() {
        return Err("it obeys a stop, and blocks on".to_owned());
    }
    // docs/edge.md: additions above the bound wait for an operator.
    let minute = now.saturating_sub(59_000);
    let added = isp.added.iter().rev().take_while(|at| **at > minute).count();
    if added as u64 > isp.set.a_minute {
        return Err(format!("{added} values were added within a minute"));
    }
    // docs/feed.md: who follows takes nothing that goes back; docs/edge.md: over restarts too.
    isp.back.clone().map_or(Ok(()), Err)
}

/// Whether a rule of a protected list covers a name, said here once more than where it is done.
pub(super) fn covers(rule: &str, value: &str) -> bool {
    match rule.strip_prefix("*.") {
        Some(below) => value == below || value.ends_with(&format!(".{below}")),
        None => value == rule,
    }
}

impl Truth {
    /// When a value was in force for who follows a view, the latest time first of each.
    fn of(&self, value: &str, view: &str) -> impl Iterator<Item = &Span> {
        let all = [ALL, view].into_iter().take(if view == ALL { 1 } else { 2 });
        let key = move |whose: &str| (whose.to_owned(), value.to_owned());
        let keys: Vec<_> = all.map(key).collect();
        keys.into_iter().filter_map(move |key| self.spans.get(&key)).flat_map(|of| of.iter().rev())
    }

    /// Whether a value was ever in force for anybody, witnessed as this edge asks, and would not have expired by now:
    /// what the feed's key alone may have blocked again.
    pub(super) fn was(&self, value: &str, now: u64, isp: &Isp) -> bool {
        let slack = isp.set.skew.unsigned_abs() + 2 * STEP + RESOLVER;
        let fits = |span: &Span| {
            span.from <= now && now <= span.expires + slack && span.witnesses >= isp.set.quorum
        };
        let of = self.spans.iter().filter(|((_, known), _)| known == value);
        of.flat_map(|(_, spans)| spans).any(fits)
    }

    /// Since how long a value is not in force any more for who follows a view; 0 where it is.
    pub(super) fn over_for(&self, value: &str, view: &str, now: u64) -> u64 {
        let over = |span: &Span| now.saturating_sub(span.expires.min(span.to.unwrap_or(u64::MAX)));
        self.of(value, view).map(over).min().unwrap_or(u64::MAX)
    }

    /// Whether a value was out in every view since a moment, and will be for so long yet.
    fn stood(&self, value: &str, since: u64, until: u64) -> bool {
        let stood = |of: &Steady| of.value == value && of.since < since && of.expires > until;
        self.steady.values().any(stood)
    }

    /// Whether a value is addressed to single ISPs alone, as far as it ever was in force.
    pub(super) fn is_addressed(&self, value: &str) -> bool {
        let mut of = self.spans.keys().filter(|(_, known)| known == value).peekable();
        of.peek().is_some() && of.all(|(whose, _)| whose != ALL)
    }
}

impl World {
    /// Holds every edge against the laws.
    pub(super) fn laws(&mut self) -> Result<(), String> {
        let since = self.now - BEGIN;
        for (n, isp) in self.isps.iter().enumerate() {
            let broke = |why: String| format!("{since} ms after the beginning, edge {n}: {why}");
            // docs/standby.md: edges take the greater epoch, and refuse the first machine's from then on.
            let side = usize::from(isp.told >= GENERATION);
            let mut truths: Vec<&Truth> =
                self.sides.get(side).map(|side| &side.truth).into_iter().collect();
            let mut once = None;
            // docs/keys.md, "What a stolen key can do".
            if self.thief.signs_manifests() {
                truths.extend(self.loot.side.as_ref().map(|side| &side.truth));
                once = self.sides.first().map(|side| &side.truth);
            }
            holds(self.now, isp, &truths, once).map_err(broke)?;
            if let Some(went) = &isp.went {
                self.counts.over += 1;
                // Nor does anything of what stands in both views open: docs/feed.md, "Views".
                let side = self.sides.get(usize::from(went.epoch >= GENERATION));
                let until = self.now + isp.set.skew.unsigned_abs() + 10_000;
                let stood = |value: &&String| {
                    side.is_some_and(|side| side.truth.stood(value, went.made, until))
                };
                if let Some(value) = went.opened.iter().find(stood)
                    && !self.thief.signs_manifests()
                {
                    return Err(broke(format!("{value} was open while it went over")));
                }
            }
            let bystander = isp.blocks().iter().find(|value| value.ends_with(BYSTANDER));
            let may = self.loot.side.is_some() || self.thief == Thief::ReporterAndProbe;
            if let Some(value) = bystander.filter(|_| !may) {
                return Err(broke(format!("{value} is blocked")));
            }
            self.counts.bystanders += u64::from(bystander.is_some());
            self.counts.blocked += isp.blocks().len() as u64;
            let raided = self.now < self.storm_ends && self.is_stolen();
            self.counts.raided += u64::from(raided);
            self.counts.let_go += u64::from(raided && isp.is_let_go());
            let addressed =
                |value: &&String| self.sides.iter().any(|side| side.truth.is_addressed(value));
            self.counts.addressed += isp.blocks().iter().filter(addressed).count() as u64;
            let line = format!("{} {since} {n} {:?}", self.trace, isp.blocks());
            self.trace = Sha256Hex::of(line.as_bytes());
        }
        Ok(())
    }

    /// After the calm every edge blocks what is in force, and nothing else.
    pub(super) fn converged(&mut self) -> Result<(), String> {
        // A witness that was shown the thief's history first goes on with none of the house's (docs/keys.md).
        let forks = self.thief.forks() || self.thief == Thief::Standby;
        let refused = forks && self.counts.forks > 0;
        let Some(side) = self.sides.last() else { return Ok(()) };
        for (n, isp) in self.isps.iter().enumerate() {
            let skew = isp.set.skew.unsigned_abs();
            // Whose clock is off is told so, and may let go early (docs/edge.md).
            let off = skew > 5_000;
            let protected =
                |value: &String| isp.set.protected.iter().any(|rule| covers(rule, value));
            for value in side.truth.visible(&isp.set.view, self.now, 10_000 + skew) {
                if !isp.blocks().contains(&value) && !protected(&value) && !refused && !off {
                    return Err(format!(
                        "edge {n} does not block {value} after the calm: {:?}",
                        isp.alarms
                    ));
                }
            }
            for value in isp.blocks() {
                let late = side.truth.over_for(value, &isp.set.view, self.now).saturating_sub(skew);
                if late > 30_000 {
                    return Err(format!(
                        "edge {n}, which asks for {}, blocks {value}, which was over {late} ms ago, after the calm: {:?}",
                        isp.set.quorum, isp.alarms
                    ));
                }
            }
            self.counts.later += isp.later_went;
            for (word, times) in &isp.alarms {
                *self.counts.alarms.entry(word.clone()).or_default() += times;
            }
        }
        self.counts.house_crashes = self.sides.iter().map(|side| side.machine.crashes).sum();
        for (what, times) in self.sides.iter().flat_map(|side| &side.actors.asked) {
            *self.counts.asked.entry(what).or_default() += times;
        }
        Ok(())
    }
}
