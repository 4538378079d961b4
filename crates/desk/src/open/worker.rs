//! One exhibit: sniffed, then parsed or unpacked.

use std::io::{Read, Seek, SeekFrom};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use intake::{Confidence, Coverage, Input, Parser};
use model::record::Name;
use model::{ExhibitId, Problem, ProblemKind};
use vault::unpack::{
    Budget, Codec, HowImage, ImageFile, Member, Tools, unopened, unpack, unpack_image,
};
use vault::{Bytes, MemberOf, Origin, Staged, Stager};

use crate::pipeline::run::{Finished, Shop, run, without_parser};
use crate::progress::Progress;
use crate::read::ARCHIVE;
use crate::{Error, Result};

/// Raised whenever the same container would give other members or problems.
const ARCHIVE_VERSION: u32 = 4;

/// A parser that is this sure of a file reads it itself, though it is a container too (a workbook).
const SURER: Confidence = Confidence(70);

/// What sniffers see of an exhibit.
const HEAD: usize = 64 << 10;

/// What is left of the bounds on one file of the material and all that is nested in it.
pub(crate) type SharedBudget = Arc<Mutex<Budget>>;

/// What an exhibit is of an image that stands in several files.
pub(crate) enum Part {
    /// None of it.
    Whole,
    /// Its first file: the others, in their order.
    First(Vec<(Name, Bytes)>),
    /// A further one: what the first is called.
    Later(Name),
}

/// An exhibit to be read.
pub(crate) struct Task {
    pub(crate) exhibit: ExhibitId,
    pub(crate) ord: i64,
    /// What parsers are told it is called, and its bytes.
    pub(crate) name: Name,
    pub(crate) bytes: Bytes,
    /// What it is of an image that stands in several files.
    pub(crate) part: Part,
    pub(crate) mapping: Option<Arc<str>>,
    /// How it came in, which its members inherit.
    pub(crate) origin: Origin,
    /// Containers around it.
    pub(crate) depth: u32,
    pub(crate) budget: SharedBudget,
    pub(crate) stager: Arc<Stager>,
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

/// The parser that is surest of an exhibit, the first of equals, and how sure it is.
fn choose(
    parsers: &'static [Parser],
    head: &[u8],
    name: &str,
) -> Option<(&'static Parser, Confidence)> {
    let mut best: Option<(&'static Parser, Confidence)> = None;
    for parser in parsers {
        let sure = (parser.sniff)(head, name);
        if sure > Confidence::NO && best.is_none_or(|(_, so_far)| sure > so_far) {
            best = Some((parser, sure));
        }
    }
    best
}

fn read(
    shop: &Shop,
    parsers: &'static [Parser],
    mut task: Task,
    events: &SyncSender<Event>,
) -> Result<Finished> {
    let name = task.name.shown();
    shop.progress.stage("parse", &name);
    let size = task.bytes.size();
    if let Part::Later(first) = &task.part {
        Progress::add(&shop.progress.parsed, size);
        let read = Coverage { read: size, filler: 0, lost: 0 };
        let message = format!("a part of an image: read with its first file, {}", first.shown());
        let kind = ProblemKind::Note;
        let problem = Problem { start: 0, end: 0, kind, message, lost: false };
        let parser = (ARCHIVE, ARCHIVE_VERSION);
        return without_parser(shop, task.exhibit, parser, read, vec![problem]);
    }
    let mut head = vec![0; HEAD];
    let got = match task.bytes.read_at(&mut head, 0) {
        Ok(got) => got,
        Err(error) => {
            // A medium that gives up: said, and the rest goes on.
            let message = format!("the bytes could not be read: {error}");
            let problem =
                Problem { start: 0, end: size, kind: ProblemKind::Medium, message, lost: true };
            return without_parser(shop, task.exhibit, ("", 0), lost(size), vec![problem]);
        }
    };
    head.truncate(got);
    let chosen = choose(parsers, &head, &name);
    let sure = chosen.is_some_and(|(_, sure)| sure >= SURER);
    let codec = Codec::sniff(&head);
    if !sure || codec.is_some_and(Codec::holds_plain_members) {
        if let Some(codec) = codec {
            let problems = open_container(shop, &mut task, codec, events)?;
            Progress::add(&shop.progress.parsed, size);
            let lost = match codec {
                Codec::Ewf | Codec::Image => lost_in(&problems),
                _ => 0,
            };
            let read = Coverage { read: size.saturating_sub(lost), filler: 0, lost };
            return without_parser(shop, task.exhibit, (ARCHIVE, ARCHIVE_VERSION), read, problems);
        }
        if let Some(format) = unopened(&head) {
            let message = format!("a {format} archive: this version does not open it");
            let kind = ProblemKind::Unsupported;
            let problem = Problem { start: 0, end: size, kind, message, lost: true };
            let parser = (ARCHIVE, ARCHIVE_VERSION);
            return without_parser(shop, task.exhibit, parser, lost(size), vec![problem]);
        }
    }
    let Some((parser, _)) = chosen else {
        Progress::add(&shop.progress.parsed, size);
        return without_parser(shop, task.exhibit, ("", 0), lost(size), Vec::new());
    };
    let failed = |source| Error::Read { path: name.clone().into(), source };
    task.bytes.seek(SeekFrom::Start(0)).map_err(failed)?;
    let mapping = task.mapping.as_deref();
    let input = Input { exhibit: task.exhibit, name: &name, mapping };
    run(shop, parser, &input, &mut task.bytes as &mut dyn Read)
}

/// The format of a file that opening would take for an archive, by its beginning.
pub fn archive(head: &[u8], name: &str) -> Option<&'static str> {
    let codec = Codec::sniff(head)?;
    let parser = || choose(intake::PARSERS, head, name).is_some_and(|(_, sure)| sure >= SURER);
    (codec.holds_plain_members() || !parser()).then(|| codec.name())
}

fn lost(size: u64) -> Coverage {
    Coverage { read: 0, filler: 0, lost: size }
}

/// Hands each member of a container to the conductor, copied and hashed.
fn open_container(
    shop: &Shop,
    task: &mut Task,
    codec: Codec,
    events: &SyncSender<Event>,
) -> Result<Vec<Problem>> {
    let (exhibit, origin, stager) = (task.exhibit, &task.origin, &task.stager);
    // One container of a file at a time: what is nested in it shares its bounds.
    let mut budget = task.budget.lock().unwrap_or_else(PoisonError::into_inner);
    let cancelled = || shop.cancel.load(std::sync::atomic::Ordering::Relaxed);
    let mut visit = |member: Member<'_>| {
        if cancelled() {
            return Err(Error::Cancelled);
        }
        let staged = stager.reader(member.reader)?;
        let of = MemberOf {
            container: exhibit,
            name: member.name,
            codec: member.codec.name().to_owned(),
            offset: member.offset,
        };
        Progress::add(&shop.progress.files_total, 1);
        Progress::add(&shop.progress.files, 1);
        Progress::add(&shop.progress.sealed_total, staged.size());
        Progress::add(&shop.progress.sealed, staged.size());
        let origin = Origin { member: Some(of), ..origin.clone() };
        events.send(Event::Staged(Box::new(staged), Box::new(origin))).map_err(|_| Error::Cancelled)
    };
    if !matches!(codec, Codec::Ewf | Codec::Image) {
        return unpack(codec, &mut task.bytes, &task.name, task.depth, &mut budget, &mut visit);
    }
    let tools = Tools::find();
    let how =
        HowImage { tools: tools.as_ref(), scratch: Some(stager.folder()), go_on: &|| !cancelled() };
    let first = std::iter::once((&task.name, &mut task.bytes));
    let rest = match &mut task.part {
        Part::First(rest) => &mut rest[..],
        _ => &mut [],
    };
    let rest = rest.iter_mut().map(|(name, bytes)| (&*name, bytes));
    let files = first.chain(rest).map(|(name, bytes)| ImageFile {
        name: name.clone(),
        path: Some(bytes.link()),
        source: bytes,
    });
    let problems = unpack_image(codec, files.collect(), task.depth, &mut budget, how, &mut visit)?;
    if cancelled() { Err(Error::Cancelled) } else { Ok(problems) }
}

/// How many bytes problems say to be lost, each once.
fn lost_in(problems: &[Problem]) -> u64 {
    let mut spans: Vec<_> = problems.iter().filter(|p| p.lost).map(|p| (p.start, p.end)).collect();
    spans.sort_unstable();
    let (mut lost, mut until) = (0, 0);
    for (start, end) in spans {
        lost += end.saturating_sub(start.max(until));
        until = until.max(end);
    }
    lost
}
