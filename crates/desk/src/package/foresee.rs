//! What a package would show to whom, before it is made: for whoever decides what leaves.
//!
//! Nothing is written, hashed or searched: what a digest of hidden bytes stands in is found when the
//! package is made, and left out then.

use model::record::{Body, Opening, Record};
use vault::package::{Choice, Shown};
use vault::salted::LEAF;
use vault::{Case, Records};

use super::brief::Briefs;
use super::handling::may_leave;
use super::preview::{ExhibitSeen, RecordSeen, set_aside, words};
use super::{Ask, choose, demands, hidden};
use crate::read::Snapshot;
use crate::{Error, Result};

/// Exhibits and records that are listed; all are counted.
pub const MOST_LISTED: usize = 50;

/// What would leave.
#[derive(Debug, Clone, Default)]
pub struct Foreseen {
    /// The first exhibits.
    pub exhibits: Vec<ExhibitSeen>,
    /// The first records.
    pub records: Vec<RecordSeen>,
    /// Exhibits whole, and in part.
    pub shown: (u64, u64),
    /// Records.
    pub records_n: u64,
    /// Fields of these that stay hidden.
    pub hidden: u64,
    /// Bytes of exhibits.
    pub bytes: u64,
    /// What whoever asks should know.
    pub notes: Vec<String>,
    /// Why it may not leave so.
    pub refused: Option<String>,
}

impl Snapshot {
    /// What a package would show.
    ///
    /// # Errors
    /// What is asked for and is not there, or cannot be shown; the case cannot be read.
    pub fn foresee(&self, ask: &Ask<'_>) -> Result<Foreseen> {
        let case = Case::read(self.dir())?;
        let briefs = Briefs::of(&case)?;
        let hidden = hidden(self.db()?)?;
        let chosen = choose::choose(&briefs, ask.selection, &hidden, &mut |_, _| Vec::new())?;
        let demands = demands(&briefs, &chosen, case.authority());
        let refused = match crate::witness::contradicted(self.dir())? {
            Some(size) => Some(Error::Contradicted { size, case: self.dir().to_owned() }),
            None => may_leave(ask.recipient, ask.handling, ask.restriction, &demands).err(),
        };
        let mut out = Foreseen {
            refused: refused.map(|e| e.to_string()),
            notes: chosen.notes.clone(),
            records_n: chosen.choices.len() as u64,
            ..Foreseen::default()
        };
        let records = Records::open(self.dir())?;
        for choice in &chosen.choices {
            out.take(choice, &briefs, &records)?;
        }
        set_aside(&mut out.records);
        Ok(out)
    }
}

impl Foreseen {
    fn take(&mut self, choice: &Choice, briefs: &Briefs, records: &Records) -> Result<()> {
        let at = usize::try_from(choice.index).unwrap_or(usize::MAX);
        let Some(brief) = briefs.records.get(at) else { return Ok(()) };
        let size = brief.sealed.map_or(0, |(_, size)| size);
        let leaf = LEAF as u64;
        let part = |run: &std::ops::Range<u64>| run.start * leaf..(run.end * leaf).min(size);
        let files: Vec<_> = match &choice.shown {
            Shown::Record => Vec::new(),
            Shown::Whole => vec![None],
            Shown::Parts(runs) => runs.iter().map(|run| Some(part(run))).collect(),
        };
        match &choice.shown {
            Shown::Record => {}
            Shown::Whole => {
                self.shown.0 += 1;
                self.bytes += size;
            }
            Shown::Parts(_) => {
                self.shown.1 += 1;
                self.bytes += files.iter().flatten().map(|r| r.end - r.start).sum::<u64>();
            }
        }
        self.hidden += choice.hide.len() as u64;
        let room = self.records.len() < MOST_LISTED;
        let room_for_it = !files.is_empty() && self.exhibits.len() < MOST_LISTED;
        if !room && !room_for_it {
            return Ok(());
        }
        let (record, opening) = records.get(choice.index)?;
        let seen = seen(choice, &record, &opening);
        if room_for_it {
            let text = |field: &str| {
                let mut fields = seen.fields.iter();
                fields.find(|(name, _)| name == field).map(|(_, value)| value.clone())
            };
            // A name is shown as text, whatever bytes it is of.
            let body = Body::read_left(&record, &opening).ok();
            let name = body.and_then(|body| match body {
                Body::ExhibitSealed(body) => body.member.or(body.source),
                _ => None,
            });
            let told = text("member").or_else(|| text("source")).is_some();
            self.exhibits.push(ExhibitSeen {
                record: choice.index,
                time: record.time.clone(),
                name: name.filter(|_| told).map(|name| name.shown()),
                id: text("exhibit"),
                size,
                files: files.into_iter().map(|bytes| (String::new(), bytes)).collect(),
            });
        }
        if room {
            self.records.push(seen);
        }
        Ok(())
    }
}

/// A record as it would be disclosed.
fn seen(choice: &Choice, record: &Record, opening: &Opening) -> RecordSeen {
    let open = |field: &String| opening.fields.contains_key(field) && !choice.hide.contains(field);
    let public = record.public.iter().map(|(field, value)| (field.clone(), words(value)));
    let committed = opening.fields.iter().filter(|(field, _)| open(field));
    let committed = committed.map(|(field, o)| (field.clone(), words(&o.value)));
    RecordSeen {
        index: choice.index,
        kind: record.kind.clone(),
        time: record.time.clone(),
        fields: public.chain(committed).collect(),
        hidden: record.committed.keys().filter(|field| !open(field)).cloned().collect(),
        set_aside: None,
    }
}
