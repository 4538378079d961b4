//! One exhibit: sniffed, then parsed or unpacked.

use std::io::{Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use intake::{Coverage, Input, Parser};
use model::ExhibitId;
use vault::{Bytes, Origin, Staged};

use crate::pipeline::run::{Finished, Shop, run};
use crate::{Error, Result};

/// What sniffers see of an exhibit.
const HEAD: usize = 64 << 10;

/// An exhibit to be read.
pub(crate) struct Task {
    pub(crate) exhibit: ExhibitId,
    pub(crate) ord: i64,
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
    pub(crate) mapping: Option<Arc<str>>,
}

/// What happens while a case is opened.
pub(crate) enum Event {
    /// Bytes were copied in, from here.
    Staged(Box<Staged>, Box<Origin>),
    /// Something could not be read at all.
    Unread(std::path::PathBuf, String),
    /// All paths were walked.
    Walked,
    /// An exhibit was read.
    Ran(i64, Box<Finished>),
    /// The work cannot go on.
    Failed(Error),
}

/// Takes tasks until there are no more.
pub(crate) fn work(
    shop: &Shop,
    parsers: &'static [Parser],
    tasks: &Mutex<Receiver<Task>>,
    events: &SyncSender<Event>,
) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else { return };
        let ord = task.ord;
        let event = match read(shop, parsers, task, events) {
            Ok(finished) => Event::Ran(ord, Box::new(finished)),
            Err(error) => Event::Failed(error),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}

/// The parser that is surest of an exhibit; the first of equals.
pub(crate) fn choose(parsers: &'static [Parser], head: &[u8], name: &str) -> &'static Parser {
    let mut best: Option<(&'static Parser, intake::Confidence)> = None;
    for parser in parsers {
        let sure = (parser.sniff)(head, name);
        if sure > intake::Confidence::NO && best.is_none_or(|(_, so_far)| sure > so_far) {
            best = Some((parser, sure));
        }
    }
    best.map_or(&NONE, |(parser, _)| parser)
}

/// Stands for "no parser reads this".
static NONE: Parser = Parser {
    name: "",
    version: 0,
    about: "nothing reads it",
    sniff: |_, _| intake::Confidence::NO,
    parse: |_, chunks, _| {
        let skipped = chunks.drain();
        Coverage { read: 0, filler: 0, lost: skipped }
    },
};

fn read(
    shop: &Shop,
    parsers: &'static [Parser],
    mut task: Task,
    _events: &SyncSender<Event>,
) -> Result<Finished> {
    shop.progress.stage("parse", &task.name);
    let failed = |source| Error::Read { path: task.name.clone().into(), source };
    let mut head = vec![0; HEAD];
    let got = task.bytes.read_at(&mut head, 0).map_err(failed)?;
    head.truncate(got);
    let parser = choose(parsers, &head, &task.name);
    task.bytes.seek(SeekFrom::Start(0)).map_err(failed)?;
    let input = Input { exhibit: task.exhibit, name: &task.name, mapping: task.mapping.as_deref() };
    let mut bytes = task.bytes;
    run(shop, parser, &input, &mut bytes as &mut dyn Read)
}
