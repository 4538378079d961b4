//! What a log comes to, as lines: of the state, of measurement, and of the house's own figures and marks.
//!
//! Each begins with a letter that says whose it is. The same standing has the same lines.

use std::collections::BTreeMap;

use ledger::VerifierKey;
use model::Sha256Hex;
use serde::{Deserialize, Serialize};
use shield::harm::Code;
use shield::order::exceptions::{Cover, MAX_EXCEPTIONS};
use shield::order::kept::{Reading, Unkept};
use shield::order::turn::{Cause, Denial};
use shield::order::values::table::Table;
use shield::order::words::{EventId, Organisation};
use shield::order::{ItemId, Moment, TicketId};
use shield::wire::keys::Turn;

use super::super::blocks::{Placed, Under};
use super::super::excepted::{MAX_REVOKED, Of};
use super::super::months::Months;
use super::super::replay::Standing;
use super::super::said::{MAX_WORDS, Said};
use super::super::standby::Standbys;
use super::super::tally::{Counts, Objections, Running, Times};
use super::super::trail::MAX_MARKS;

/// How many marks of the trail, or numbers of records, stand in a line.
const MARKS: usize = 10_000;
/// How many captures, or words of ISPs.
const ASKED: usize = 1_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Log {
        epoch: u64,
        last: Option<Moment>,
        decisions: u64,
    },
    Figure {
        figure: String,
        value: u64,
    },
    Fewer(Vec<(u64, u64)>),
    Standbys(Standbys),
    Tally(Box<TallyLine>),
    Running(Vec<(ItemId, Option<Moment>, Option<Moment>)>),
    Objected(Vec<(ItemId, Sha256Hex, Moment)>),
    Spoken {
        erased: bool,
        grants: Vec<u64>,
    },
    Captured(Vec<(String, u64)>),
    Said(Vec<Said>),
    /// Of each its record, the old key and the new one.
    Turns(Vec<(u64, String, String)>),
    Marks {
        cut: bool,
        marks: Vec<(u64, TicketId)>,
    },
    Excepted(Vec<(Cover, u64, Option<u64>)>),
    Revoked(Vec<u64>),
    Under {
        record: u64,
        seed: Sha256Hex,
        leaves: Vec<Sha256Hex>,
        at: Moment,
    },
    Block {
        item: ItemId,
        record: u64,
        place: u32,
        expires: Moment,
        code: Option<String>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TallyLine {
    all: Counts,
    lifted: BTreeMap<Cause, u64>,
    refused: BTreeMap<Denial, u64>,
    objections: Objections,
    harm_reports: u64,
    months: Months,
    reporters: BTreeMap<Organisation, Counts>,
    events: BTreeMap<EventId, Counts>,
    times: Vec<Times>,
}

const STATE: u8 = b's';
const MEASURE: u8 = b'm';
const HOUSE: u8 = b'h';

/// Gives every line of a standing, each ended by a line feed.
pub(super) fn write<E: From<serde_json::Error>>(
    standing: &Standing,
    out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut put = |whose: u8, line: &[u8]| {
        out(&[whose])?;
        out(line)?;
        out(b"\n")
    };
    standing.state.lines(&mut |line| put(STATE, line))?;
    standing.measure.lines(&mut |line| put(MEASURE, line))?;
    let mut put = |line: &Line| put(HOUSE, &serde_json::to_vec(line)?);
    let Standing { epoch, last, decisions, tally, blocks, trail, .. } = standing;
    put(&Line::Log { epoch: *epoch, last: *last, decisions: *decisions })?;
    for (figure, value, _) in standing.policy.list() {
        put(&Line::Figure { figure: figure.to_owned(), value })?;
    }
    put(&Line::Fewer(standing.fewer.clone()))?;
    put(&Line::Standbys(standing.standbys.clone()))?;
    put(&Line::Tally(Box::new(TallyLine {
        all: tally.all,
        lifted: tally.lifted.clone(),
        refused: tally.refused.clone(),
        objections: tally.objections,
        harm_reports: tally.harm_reports,
        months: tally.months.clone(),
        reporters: tally.reporters.clone(),
        events: tally.events.clone(),
        times: tally.times.to_vec(),
    })))?;
    let running = tally.running.iter();
    let mut running: Vec<_> =
        running.map(|(item, running)| (*item, running.captured, running.checked)).collect();
    running.sort_unstable();
    put(&Line::Running(running))?;
    let objected = tally.objected.iter();
    let mut objected: Vec<_> = objected.map(|((item, proof), at)| (*item, *proof, *at)).collect();
    objected.sort_unstable();
    put(&Line::Objected(objected))?;
    let erased = standing.spoken.erased;
    put(&Line::Spoken { erased, grants: Vec::new() })?;
    for grants in standing.spoken.grants.chunks(MARKS) {
        put(&Line::Spoken { erased, grants: grants.to_vec() })?;
    }
    let captured: Vec<_> = standing.spoken.captured.list().collect();
    for captured in captured.chunks(ASKED) {
        put(&Line::Captured(captured.to_vec()))?;
    }
    for said in standing.said.list().chunks(ASKED) {
        put(&Line::Said(said.to_vec()))?;
    }
    let turn = |of: &Turn| (of.record, of.old.text(), of.new.text());
    put(&Line::Turns(standing.turns.iter().map(turn).collect()))?;
    let (first, second) = trail.marks.as_slices();
    let marks = [first, second].concat();
    put(&Line::Marks { cut: trail.cut, marks: Vec::new() })?;
    for marks in marks.chunks(MARKS) {
        put(&Line::Marks { cut: trail.cut, marks: marks.to_vec() })?;
    }
    let excepted = standing.excepted.standing.iter();
    let excepted: Vec<_> =
        excepted.map(|(cover, of)| (cover.clone(), of.proposed, of.approved)).collect();
    for some in excepted.chunks(MARKS) {
        put(&Line::Excepted(some.to_vec()))?;
    }
    put(&Line::Revoked(standing.excepted.revoked.iter().copied().collect()))?;
    for (record, Under { seed, leaves, at, .. }) in &blocks.under {
        let leaves = leaves.iter().copied().map(Sha256Hex).collect();
        put(&Line::Under { record: *record, seed: Sha256Hex(*seed), leaves, at: *at })?;
    }
    let of: BTreeMap<_, _> = blocks.of.iter().collect();
    for (item, Placed { record, place, expires, code, .. }) in of {
        let code = code.map(str::to_owned);
        put(&Line::Block { item: *item, record: *record, place: *place, expires: *expires, code })?;
    }
    Ok(())
}

/// A standing that is being read.
pub(super) struct Lines {
    reading: Reading,
    rest: Standing,
    /// Words of ISPs that were read.
    said: usize,
}

impl Lines {
    pub(super) fn new(table: Table) -> Self {
        Self { reading: Reading::new(table), rest: Standing::default(), said: 0 }
    }

    /// Takes the next line, without its line feed.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<(), Unkept> {
        match line.split_first() {
            Some((&STATE, line)) => self.reading.line(line),
            Some((&MEASURE, line)) => self.rest.measure.line(self.reading.state(), line),
            Some((&HOUSE, line)) => self.own(serde_json::from_slice(line)?),
            _ => Err(Unkept::Odd("a line of nobody's")),
        }
    }

    fn own(&mut self, line: Line) -> Result<(), Unkept> {
        let Standing { tally, blocks, trail, .. } = &mut self.rest;
        match line {
            Line::Log { epoch, last, decisions } => {
                (self.rest.epoch, self.rest.last, self.rest.decisions) = (epoch, last, decisions);
            }
            Line::Figure { figure, value } => {
                self.rest.policy.set(&figure, value).map_err(Unkept::Line)?;
            }
            Line::Fewer(fewer) => self.rest.fewer = fewer,
            Line::Standbys(standbys) => self.rest.standbys = standbys,
            Line::Tally(line) => {
                let TallyLine { all, lifted, refused, objections, harm_reports, .. } = *line;
                (tally.all, tally.lifted, tally.refused) = (all, lifted, refused);
                (tally.objections, tally.harm_reports) = (objections, harm_reports);
                (tally.reporters, tally.events) = (line.reporters, line.events);
                tally.months = line.months;
                if tally.months.too_many() {
                    return Err(Unkept::Odd("more months than are kept"));
                }
                let times = line.times.try_into();
                tally.times = times.map_err(|_| Unkept::Odd("other times than are counted"))?;
            }
            Line::Running(running) => {
                let one = |(item, captured, checked)| (item, Running { captured, checked });
                tally.running = running.into_iter().map(one).collect();
            }
            Line::Objected(objected) => {
                let one = |(item, proof, at)| ((item, proof), at);
                tally.objected = objected.into_iter().map(one).collect();
            }
            Line::Spoken { erased, grants } => {
                self.rest.spoken.erased = erased;
                self.rest.spoken.grants.extend(grants);
            }
            Line::Captured(captured) => {
                let known = &mut self.rest.spoken.captured;
                captured.into_iter().for_each(|(asked, record)| known.note(&asked, record));
            }
            Line::Said(said) => {
                if !said.iter().all(|said| self.rest.said.take(said)) {
                    return Err(Unkept::Odd("a word of an ISP on what cannot be blocked"));
                }
                self.said += said.len();
                if self.said > MAX_WORDS {
                    return Err(Unkept::Odd("more words of ISPs than are kept"));
                }
            }
            Line::Turns(turns) => {
                let key =
                    |text: &str| VerifierKey::parse(text).map_err(|e| Unkept::Line(e.to_string()));
                for (record, old, new) in turns {
                    let turn = Turn { record, old: key(&old)?, new: key(&new)? };
                    self.rest.turned(turn).map_err(Unkept::Line)?;
                }
            }
            Line::Marks { cut, marks } => {
                trail.cut = cut;
                trail.marks.extend(marks);
                if trail.marks.len() > MAX_MARKS {
                    return Err(Unkept::Odd("more marks than are kept"));
                }
            }
            Line::Excepted(some) => {
                let one = |(cover, proposed, approved)| (cover, Of { proposed, approved });
                self.rest.excepted.standing.extend(some.into_iter().map(one));
                if self.rest.excepted.standing.len() > MAX_EXCEPTIONS {
                    return Err(Unkept::Odd("more exceptions than are kept"));
                }
            }
            Line::Revoked(records) => {
                self.rest.excepted.revoked.extend(records);
                if self.rest.excepted.revoked.len() > MAX_REVOKED {
                    return Err(Unkept::Odd("more revocations than are kept"));
                }
            }
            Line::Under { record, seed, leaves, at } => {
                let leaves = leaves.into_iter().map(|leaf| leaf.0).collect();
                blocks.under.insert(record, Under { seed: seed.0, leaves, live: 0, at });
            }
            Line::Block { item, record, place, expires, code } => {
                let odd =
                    Unkept::Odd("a block of which nothing is in force, or that nothing shows");
                let live = self.reading.state().item(item);
                let live = live.filter(|live| live.machine.in_force().is_some());
                let under = blocks.under.get_mut(&record);
                let under = under.filter(|under| (place as usize) < under.leaves.len());
                let (Some(live), Some(under)) = (live, under) else { return Err(odd) };
                under.live += 1;
                let known = |code: String| Code::known(&code).ok_or(Unkept::Odd("no reason"));
                let code = code.map(known).transpose()?;
                let value = live.value.clone();
                blocks.of.insert(item, Placed { record, place, value, expires, code });
            }
        }
        Ok(())
    }

    /// The standing of all of its lines.
    pub(super) fn end(self) -> Result<Standing, Unkept> {
        if self.rest.blocks.under.values().any(|under| under.live == 0) {
            return Err(Unkept::Odd("a record under which no block lives"));
        }
        Ok(Standing { state: self.reading.end()?, ..self.rest })
    }
}
