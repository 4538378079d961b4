//! What the recipient of a package will see, in the order of the log: for its page, and for whoever
//! decides whether it may leave.

use std::ops::Range;

use ledger::{Keys, Note};
use model::Canon;
use model::record::Record;
use vault::package::{Draft, Timed};
use vault::salted::LEAF;

use super::handling::Handling;
use crate::witness::{Named, Policy};

/// A package as its recipient sees it.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The log that it comes from.
    pub origin: String,
    /// For whom.
    pub recipient: String,
    /// Its handling code.
    pub handling: Handling,
    /// What restricts its use.
    pub restriction: Option<String>,
    /// When it is made, as records write it.
    pub made: String,
    /// Entries that the log has at the checkpoint.
    pub log_size: u64,
    /// The checkpoint.
    pub checkpoint: Note,
    /// Who stands behind the log besides its own authority.
    pub behind: Behind,
    /// Exhibits, whole or in part.
    pub exhibits: Vec<ExhibitSeen>,
    /// Records.
    pub records: Vec<RecordSeen>,
}

impl Preview {
    /// Whose log it comes from.
    pub fn authority(&self) -> &str {
        vault::authority_of(&self.origin)
    }

    /// True where no authority stands behind it: then nothing in it is evidence.
    pub fn is_practice(&self) -> bool {
        self.authority() == crate::desk::PRACTICE
    }
}

/// What stands behind a package's log besides its authority's word, as the package itself says.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// Who cosigned its checkpoint, and when: seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// How many witnesses the authority requires.
    pub required: u64,
    /// What its time stamps say.
    pub timed: Timed,
}

impl Behind {
    pub(super) fn of(draft: &Draft, policy: &Policy, keys: &Keys, now_ms: i64) -> Self {
        let cosigned = |named: &Named| {
            let found = named.key.cosigned(draft.checkpoint()).ok()??;
            Some((named.key.name().to_owned(), found))
        };
        Self {
            witnesses: policy.witnesses.iter().filter_map(cosigned).collect(),
            required: policy.quorum,
            timed: draft.timed(keys, now_ms),
        }
    }
}

/// An exhibit as it is disclosed.
#[derive(Debug, Clone)]
pub struct ExhibitSeen {
    /// Its sealing record.
    pub record: u64,
    /// When that was written.
    pub time: String,
    /// Its name, where it is disclosed.
    pub name: Option<String>,
    /// Its id, where it is disclosed.
    pub id: Option<String>,
    /// Bytes of the whole exhibit.
    pub size: u64,
    /// The files in the package; of a part, the bytes that each holds.
    pub files: Vec<(String, Option<Range<u64>>)>,
}

/// A record as it is disclosed.
#[derive(Debug, Clone)]
pub struct RecordSeen {
    /// Its index.
    pub index: u64,
    /// Its kind.
    pub kind: String,
    /// When it was written.
    pub time: String,
    /// Fields and their values.
    pub fields: Vec<(String, String)>,
    /// Fields that are there and hidden.
    pub hidden: Vec<String>,
    /// The record, of those in the package, that set this one aside: it no longer counts.
    pub set_aside: Option<u64>,
}

/// The longest value that is shown.
const MAX_SHOWN: usize = 400;

/// A value in words, cut where it is long.
pub(super) fn words(value: &Canon) -> String {
    let text = match value {
        Canon::Text(text) => text.clone(),
        other => match other.as_bytes() {
            Some(bytes) => format!("{} bytes", bytes.len()),
            None => other.to_string(),
        },
    };
    match text.char_indices().nth(MAX_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Marks the records that another of them set aside.
pub(super) fn set_aside(records: &mut [RecordSeen]) {
    let of = |record: &RecordSeen| {
        let said = record.fields.iter().find(|(field, _)| field == "record")?;
        Some((said.1.parse::<u64>().ok()?, record.index))
    };
    let corrections = records.iter().filter(|record| record.kind == "custody.corrected");
    let corrected: Vec<(u64, u64)> = corrections.filter_map(of).collect();
    for record in records {
        let by = corrected.iter().find(|(of, _)| *of == record.index);
        record.set_aside = by.map(|(_, by)| *by);
    }
}

impl Preview {
    /// Of a package that is being made.
    pub(crate) fn of(draft: &Draft, handling: Handling, log_size: u64, behind: Behind) -> Self {
        let info = draft.info();
        let mut preview = Self {
            origin: draft.origin().to_owned(),
            recipient: info.recipient.clone(),
            handling,
            restriction: info.restriction.clone(),
            made: model::record::time_text(info.made_ms),
            log_size,
            checkpoint: draft.checkpoint().clone(),
            behind,
            exhibits: Vec::new(),
            records: Vec::new(),
        };
        for line in draft.lines() {
            let Ok(record) = Record::parse(&line.entry) else { continue };
            let opened = |field: &str| line.opening.fields.get(field).map(|o| &o.value);
            let text = |field: &str| opened(field).map(words);
            if !line.files.is_empty() {
                let size = opened("size").and_then(Canon::as_int);
                let size = size.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
                let runs = line.part.as_ref().map(|part| part.runs.as_slice());
                let bytes = |at: usize| {
                    let run = runs?.get(at)?;
                    Some(run.start * LEAF as u64..(run.end * LEAF as u64).min(size))
                };
                let files = line.files.iter().enumerate();
                preview.exhibits.push(ExhibitSeen {
                    record: line.index,
                    time: record.time.clone(),
                    name: text("member").or_else(|| text("source")),
                    id: text("exhibit"),
                    size,
                    files: files.map(|(at, file)| (file.clone(), bytes(at))).collect(),
                });
            }
            let public = record.public.iter().map(|(field, value)| (field.clone(), words(value)));
            let open = &line.opening.fields;
            let committed = open.iter().map(|(field, o)| (field.clone(), words(&o.value)));
            preview.records.push(RecordSeen {
                index: line.index,
                kind: record.kind.clone(),
                time: record.time.clone(),
                fields: public.chain(committed).collect(),
                hidden: record
                    .committed
                    .keys()
                    .filter(|k| !open.contains_key(*k))
                    .cloned()
                    .collect(),
                set_aside: None,
            });
        }
        set_aside(&mut preview.records);
        preview
    }
}
