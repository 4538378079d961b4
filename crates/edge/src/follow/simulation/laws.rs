//! What was true at the clearing house, and what may therefore be blocked at an edge.

use std::collections::{BTreeMap, BTreeSet};

use desk::clearing::House;
use shield::order::{Halt, ItemId, Machine, Scope};

use super::house::SILENCE;
use super::isp::{Isp, RESOLVER};

/// The longest step of the simulation, in milliseconds: what is due between two is done at the second.
pub(super) const STEP: u64 = 2_000;

/// After so long at the latest what is decided is out, where nothing is lost any more, in milliseconds.
pub(super) const SETTLED: u64 = 30_000;

/// A time in which a value was in force.
#[derive(Debug, Clone)]
struct Span {
    from: u64,
    to: Option<u64>,
    expires: u64,
    /// How many witnesses ever cosigned one checkpoint over its record.
    witnesses: usize,
}

/// What was ever in force, by value.
#[derive(Debug, Default)]
pub(super) struct Truth {
    spans: BTreeMap<String, Vec<Span>>,
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
        for (item, of) in house.state().items() {
            let Machine::InForce(in_force) = &of.machine else { continue };
            if stopped {
                continue;
            }
            let proven =
                house.proven(item).unwrap_or_else(|| panic!("{item} is in force without a record"));
            let expires = u64::try_from(in_force.expires.0).unwrap_or(0);
            let entry: &mut (u64, usize) = live.entry(of.value.to_string()).or_default();
            let ever = self.items.entry(item).or_default();
            *ever = (*ever).max(witnesses(proven.record));
            *entry = (entry.0.max(expires), entry.1.max(*ever));
        }
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

    /// What is in force now, and for longer than so many milliseconds.
    pub(super) fn visible(&self, now: u64, longer: u64) -> BTreeSet<String> {
        let visible = |spans: &&Vec<Span>| {
            spans.last().is_some_and(|span| {
                span.to.is_none() && span.from + SETTLED <= now && span.expires > now + longer
            })
        };
        self.spans
            .iter()
            .filter(|(_, spans)| visible(spans))
            .map(|(value, _)| value.clone())
            .collect()
    }

    /// Whether an edge may have a value blocked now; else why not.
    fn allows(&self, value: &str, now: u64, isp: &Isp) -> Result<(), String> {
        let slack = isp.set.skew.unsigned_abs() + 2 * STEP + RESOLVER;
        let silence = SILENCE.min(isp.set.silence_ms);
        let Some(spans) = self.spans.get(value) else {
            return Err("it was never in force".to_owned());
        };
        // docs/feed.md: who hears nothing for so long lets go of all.
        let quiet = now.saturating_sub(self.alive);
        if quiet > silence + slack {
            return Err(format!("the feed has been silent for {quiet} ms"));
        }
        let mut why = String::new();
        for span in spans.iter().rev() {
            let ends = span.expires.min(span.to.map_or(u64::MAX, |to| to + silence)) + slack;
            if span.witnesses < isp.set.quorum {
                why = format!("only {} have cosigned its record", span.witnesses);
            } else if now > ends {
                why = format!("it was over by {ends} at the latest: {span:?}");
            } else if span.from > now {
                why = format!("it is in force from {} on", span.from);
            } else {
                return Ok(());
            }
        }
        Err(why)
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
    /// Whether a value was ever in force, witnessed as this edge asks, and would not have expired by now: what the
    /// feed's key alone may have blocked again.
    pub(super) fn was(&self, value: &str, now: u64, isp: &Isp) -> bool {
        let slack = isp.set.skew.unsigned_abs() + 2 * STEP + RESOLVER;
        let fits = |span: &Span| {
            span.from <= now && now <= span.expires + slack && span.witnesses >= isp.set.quorum
        };
        self.spans.get(value).is_some_and(|spans| spans.iter().any(fits))
    }

    /// Since how long a value is not in force any more; 0 where it is.
    pub(super) fn over_for(&self, value: &str, now: u64) -> u64 {
        let last = self.spans.get(value).and_then(|spans| spans.last());
        last.map_or(u64::MAX, |span| {
            now.saturating_sub(span.expires.min(span.to.unwrap_or(u64::MAX)))
        })
    }
}
