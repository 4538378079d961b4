//! What records come to of measurement, as lines of JSON: what a start reads in place of them.
//!
//! What probes said since the start (their trails, what is up, what is due for the log) is in no record, and so
//! not here: as after any start it is found again.

use serde::{Deserialize, Serialize};

use super::Measure;
use super::figures::Isp;
use super::said::Side;
use super::target::{Seen, Target};
use crate::feed::{Entry, Gates, Row};
use crate::harm::Code;
use crate::item::Item;
use crate::order::kept::Unkept;
use crate::order::words::Organisation;
use crate::order::{Audience, ItemId, Moment, State};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Isp(Isp),
    /// How many targets were let go before the first that is there.
    First(u64),
    Target(Box<TargetLine>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetLine {
    value: Item,
    wanted: Side,
    since: Moment,
    record: u64,
    item: ItemId,
    all: Option<EntryLine>,
    only: Vec<(Organisation, EntryLine)>,
    seen: Vec<Seen>,
    over: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryLine {
    expires: Moment,
    item: ItemId,
    code: Option<String>,
}

impl EntryLine {
    fn of(entry: Entry) -> Self {
        let Entry { expires, item, code } = entry;
        Self { expires, item, code: code.map(str::to_owned) }
    }

    fn entry(self) -> Result<Entry, Unkept> {
        let Self { expires, item, code } = self;
        let known = |code: String| Code::known(&code).ok_or(Unkept::Odd("a reason that is none"));
        Ok(Entry { expires, item, code: code.map(known).transpose()? })
    }
}

impl Measure {
    /// Gives its lines, one after the other, without line feeds.
    ///
    /// # Errors
    /// What `out` says; what has no JSON, which nothing here is.
    pub fn lines<E: From<serde_json::Error>>(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut put = |line: &Line| out(&serde_json::to_vec(line)?);
        for isp in &self.isps {
            put(&Line::Isp(isp.clone()))?;
        }
        put(&Line::First(self.targets.first()))?;
        for target in self.targets.all() {
            let only = target.row.for_some();
            put(&Line::Target(Box::new(TargetLine {
                value: (*target.value).clone(),
                wanted: target.wanted,
                since: target.since,
                record: target.record,
                item: target.item,
                all: target.row.for_all().map(EntryLine::of),
                only: only.map(|(isp, entry)| (isp.clone(), EntryLine::of(entry))).collect(),
                // What an ISP was seen to do, where a record says so.
                seen: target.seen.clone(),
                over: target.over,
            })))?;
        }
        Ok(())
    }

    /// Takes the next of its lines.
    ///
    /// # Errors
    /// No line of these, or one that does not fit the state or what came before.
    pub fn line(&mut self, state: &State, line: &[u8]) -> Result<(), Unkept> {
        match serde_json::from_slice(line)? {
            Line::Isp(isp) => {
                let number = self.isp(&isp.isp).filter(|n| usize::from(*n) + 1 == self.isps.len());
                let place = number.and_then(|number| self.isps.get_mut(usize::from(number)));
                *place.ok_or(Unkept::Odd("an ISP that is there already, or one too many"))? = isp;
            }
            Line::First(first) => {
                if !self.targets.begin(first) {
                    return Err(Unkept::Odd("targets before their number"));
                }
                // They follow every stop that everybody, or one ISP, is under.
                self.gates = Gates::of(state);
            }
            Line::Target(line) => {
                let value = state.known(&line.value);
                let value = value.ok_or(Unkept::Odd("a target that was never reported"))?;
                let mut entries = Vec::new();
                if let Some(all) = line.all {
                    entries.push((all.entry()?, Audience::All));
                }
                for (isp, entry) in line.only {
                    entries.push((entry.entry()?, Audience::Only([isp].into())));
                }
                let row = Row::new(&value, entries.iter().map(|(entry, to)| (*entry, to)));
                let row = row.ok_or(Unkept::Odd("a target that is out for nobody"))?;
                let isps = self.isps.len();
                let ordered = line.seen.is_sorted_by(|one, other| one.isp < other.isp);
                if !ordered || line.seen.iter().any(|seen| usize::from(seen.isp) >= isps) {
                    return Err(Unkept::Odd("a target that an unknown ISP was seen with"));
                }
                let TargetLine { wanted, since, record, item, seen, over, .. } = *line;
                let target =
                    Target { value, wanted, since, record, item, row, up: None, seen, over };
                if !self.targets.put_back(target) {
                    return Err(Unkept::Odd("a target that is there already, or one too many"));
                }
            }
        }
        Ok(())
    }
}
