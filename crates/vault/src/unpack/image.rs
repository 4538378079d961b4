//! Images of disks: the files of their file systems are members, called by partition and path.
//!
//! The bytes of a member come from the image by our own reader, from the places that The Sleuth Kit
//! lists, so that each is checked as the image is; only what has no places of its own (resident and
//! compressed files of NTFS) comes out of a program.

mod access;
mod files;

use std::io;
use std::path::{Path, PathBuf};

use model::record::Name;
use model::{Problem, ProblemKind};

use super::{Budget, Codec, Context, Member, Source};
use crate::image::ewf::{self, Ewf};
use crate::image::recognise::{Content, beginning};
use crate::image::sleuthkit::{INSTALL, Naming};
use crate::image::{Disk, Finding, Partition, Raw, Scheme, partitions, recognise};

pub use crate::image::sleuthkit::Tools;

/// A file of an image's set.
pub struct ImageFile<'a> {
    /// Its name, for messages.
    pub name: Name,
    /// Its bytes.
    pub source: &'a mut dyn Source,
    /// Where another process finds them; without it no file system is read.
    pub path: Option<PathBuf>,
}

impl std::fmt::Debug for ImageFile<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name.shown())
    }
}

/// How an image is opened.
#[derive(Clone, Copy)]
pub struct HowImage<'a> {
    /// The programs that read file systems, where they are.
    pub tools: Option<&'a Tools>,
    /// A folder on whose file system a copy of a disk may be written for them, without a name and only
    /// while they read; the one for temporary files where absent.
    pub scratch: Option<&'a Path>,
    /// Asked now and then: false calls the work off.
    pub go_on: &'a dyn Fn() -> bool,
}

impl std::fmt::Debug for HowImage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.tools)
    }
}

/// Opens an image that stands in one file or in several, of which the first is the exhibit. Problems
/// are in its bytes; what is wrong in another file is said with that file's name.
///
/// # Errors
/// Those of `visit`, and no others.
pub fn unpack_image<E>(
    codec: Codec,
    files: Vec<ImageFile<'_>>,
    depth: u32,
    budget: &mut Budget,
    how: HowImage<'_>,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), E>,
) -> Result<Vec<Problem>, E> {
    let mut files = files;
    let size =
        files.first_mut().and_then(|f| f.source.seek(io::SeekFrom::End(0)).ok()).unwrap_or(0);
    let mut cx = Context { codec, size, budget, problems: Vec::new(), visit };
    if !cx.too_deep(depth) {
        open(&mut cx, files, how)?;
    }
    Ok(cx.problems)
}

/// The type of the partition that holds a boot loader.
const BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";

/// What to do where a copy of the disk's bytes could not be written. An exhibit with this in a problem is
/// read anew by the next opening that finds the room.
pub const ROOM: &str = "make room there, then open the material again";

/// The room in bytes that a problem with [`ROOM`] says to be needed.
pub fn room_wanted(message: &str) -> Option<u64> {
    let before = message.split(" bytes) of room in ").next().filter(|b| b.len() < message.len())?;
    before.rsplit('(').next()?.parse().ok()
}

/// What the parts of this module share.
struct Image<'a, 'b> {
    disk: &'a mut dyn Disk,
    names: &'a [Name],
    /// Where other processes find the files.
    paths: Option<Vec<PathBuf>>,
    naming: Naming,
    /// Of an E01, whether anything of it is not as it must be.
    faulty: bool,
    /// Of an E01, the bytes that a copy of the disk takes at most, if there is a bound.
    filled: Option<u64>,
    how: HowImage<'b>,
}

/// What is on the disk, for who reads it.
#[derive(Default)]
struct Parts {
    volumes: Vec<Volume>,
    /// Spans that hold what is not read.
    unread: Vec<(u64, u64)>,
    /// Where the last partition begins that lies behind the disk's end, and a little more; else 0.
    until: u64,
}

/// How far behind a disk's end a partition may begin and still be reached by zeros, in bytes.
const MAX_BEHIND: u64 = 8 << 40;

pub(super) fn open<E>(
    cx: &mut Context<'_, E>,
    files: Vec<ImageFile<'_>>,
    how: HowImage<'_>,
) -> Result<(), E> {
    let names: Vec<Name> = files.iter().map(|f| f.name.clone()).collect();
    let paths: Option<Vec<PathBuf>> = files.iter().map(|f| f.path.clone()).collect();
    let mut files = files;
    let mut head = vec![0; 16];
    if let Some(first) = files.first_mut() {
        let got = first
            .source
            .seek(io::SeekFrom::Start(0))
            .and_then(|_| crate::image::disk::read_full(first.source, &mut head));
        head.truncate(got.unwrap_or(0));
    }
    let sources = files.into_iter().map(|f| f.source);
    let naming = if cx.codec == Codec::Ewf { Naming::Ewf } else { Naming::Raw };
    if naming == Naming::Raw {
        let disk = &mut Raw::new(sources);
        let (faulty, filled) = (false, None);
        return Image { disk, names: &names, paths, naming, faulty, filled, how }.read(cx);
    }
    if let Some(instead) = other_ewf(&head) {
        cx.problem(0, cx.size, ProblemKind::Unsupported, true, instead.to_owned());
        return Ok(());
    }
    if let Some(number) = ewf::segment_number(&head).filter(|n| *n > 1) {
        let message = format!(
            "segment {number} of an E01 set: it is read with the first segment, where that is among the material"
        );
        cx.problem(0, cx.size, ProblemKind::Unsupported, true, message);
        return Ok(());
    }
    let mut disk = match Ewf::open(sources) {
        Ok(disk) => disk,
        Err(findings) => {
            tell(cx, &names, findings);
            return Ok(());
        }
    };
    tell(cx, &names, disk.take_findings());
    disk.verify(&mut || (how.go_on)());
    tell(cx, &names, disk.take_findings());
    let (faulty, filled) = (disk.is_faulty(), disk.filled());
    Image { disk: &mut disk, names: &names, paths, naming, faulty, filled, how }.read(cx)
}

/// What to do with the kin of E01 that are not read.
fn other_ewf(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'E', b'V', b'F', b'2', ..] => {
            "an Ex01 image: not read: export it as E01 (EnCase, or FTK Imager), and open that"
        }
        [b'L', b'V', b'F', ..] | [b'L', b'E', b'F', b'2', ..] => {
            "an L01 or Lx01 logical image: not read: export its files (FTK Imager, or EnCase), and open them"
        }
        _ => return None,
    })
}

fn tell<E>(cx: &mut Context<'_, E>, names: &[Name], findings: Vec<Finding>) {
    for found in findings {
        let Finding { segment, start, end, kind, lost, message } = found;
        if segment == 0 {
            cx.problem(start, end, kind, lost, message);
        } else {
            let name = names.get(segment).map(|n| n.shown()).unwrap_or_default();
            let name = name.rsplit('/').next().unwrap_or_default();
            let message = format!("{name}, bytes {start} to {end}: {message}");
            cx.problem(0, 0, kind, lost, message);
        }
    }
}

impl Image<'_, '_> {
    /// A finding whose place is on the disk.
    fn say<E>(
        &self,
        cx: &mut Context<'_, E>,
        (start, end): (u64, u64),
        kind: ProblemKind,
        lost: bool,
        message: String,
    ) {
        let (segment, start, end) = self.disk.place(start, end);
        tell(cx, self.names, vec![Finding { segment, start, end, kind, lost, message }]);
    }

    fn read<E>(self, cx: &mut Context<'_, E>) -> Result<(), E> {
        let size = self.disk.size();
        let mut parts = Parts::default();
        // A boot sector of a file system ends as a partition table does.
        let table = match beginning(self.disk, 0, size) {
            Content::FileSystem(_) | Content::Unread { .. } => None,
            _ => {
                let (table, findings) = partitions(self.disk);
                for f in findings {
                    self.say(cx, (f.start, f.end), f.kind, f.lost, f.message);
                }
                table
            }
        };
        match table {
            None => {
                let content = recognise(self.disk, 0, size);
                self.content(cx, None, 0, size, content, &mut parts);
            }
            Some((scheme, partitions)) => {
                self.listed(cx, scheme, &partitions);
                for partition in partitions {
                    let start = partition.start;
                    if start >= size {
                        let message =
                            format!("{}: behind the end of the disk", called(cx, Some(&partition)));
                        self.say(cx, (size, size), ProblemKind::Note, false, message);
                        let until = start.saturating_add(1 << 20);
                        if until - size <= MAX_BEHIND {
                            parts.until = parts.until.max(until);
                        }
                        continue;
                    }
                    let len = partition.size.min(size - start);
                    let content = recognise(self.disk, start, len);
                    self.content(cx, Some(&partition), start, len, content, &mut parts);
                }
            }
        }
        if parts.volumes.is_empty() {
            return Ok(());
        }
        self.volumes(cx, parts)
    }

    fn listed<E>(&self, cx: &mut Context<'_, E>, scheme: Scheme, partitions: &[Partition]) {
        let name = match scheme {
            Scheme::Mbr => "MBR",
            Scheme::Gpt => "GPT",
        };
        let message = format!(
            "{name}: {} partitions on a disk of {} bytes",
            partitions.len(),
            self.disk.size()
        );
        self.say(cx, (0, 512), ProblemKind::Note, false, message);
    }

    /// Says what is on a partition, or on the whole disk, and remembers what is to be read.
    fn content<E>(
        &self,
        cx: &mut Context<'_, E>,
        partition: Option<&Partition>,
        start: u64,
        len: u64,
        content: Content,
        parts: &mut Parts,
    ) {
        let what = called(cx, partition);
        let span = (start, start.saturating_add(len));
        match content {
            Content::FileSystem(name) => {
                let message = format!("{what}: {name}");
                self.say(cx, (start, start), ProblemKind::Note, false, message);
                parts.volumes.push(Volume {
                    prefix: partition.map(|p| format!("p{}/", p.number)).unwrap_or_default(),
                    start,
                    len,
                    name,
                });
            }
            Content::Unread { what: found, instead } => {
                let device = if partition.is_some() {
                    format!(
                        " (DEVICE: `losetup --read-only --find --show --offset {start} --sizelimit {len} IMAGE`)"
                    )
                } else if instead.contains("DEVICE") {
                    " (DEVICE: `losetup --read-only --find --show IMAGE`)".to_owned()
                } else {
                    String::new()
                };
                parts.unread.push(span);
                let message = format!("{what}: {found}: not read: {instead}{device}");
                self.say(cx, span, ProblemKind::Unsupported, true, message);
            }
            Content::Empty => {
                let message = format!("{what}: zeros, as far as was looked");
                self.say(cx, (start, start), ProblemKind::Note, false, message);
            }
            // What a BIOS begins with on a disk with a GPT: it has no file system.
            Content::Unknown if partition.is_some_and(|p| p.kind == BIOS_BOOT) => {
                let message = format!("{what}: a boot loader");
                self.say(cx, (start, start), ProblemKind::Note, false, message);
            }
            Content::Unknown => {
                let message = format!(
                    "{what}: nothing that is known here: not read: if it is encrypted, open it with its own program, make an image of that, and open it"
                );
                self.say(cx, span, ProblemKind::Unsupported, true, message);
            }
        }
    }

    fn volumes<E>(mut self, cx: &mut Context<'_, E>, mut parts: Parts) -> Result<(), E> {
        let Some(tools) = self.how.tools else {
            self.unread(cx, &parts.volumes, ProblemKind::Unsupported, INSTALL);
            return Ok(());
        };
        let (mut tried, mut access) = (false, None);
        if self.faulty {
            tried = true;
            access = self.copied(cx, &parts, "the E01 is damaged");
        }
        let mut is_copy = access.is_some();
        let ended = loop {
            if !(self.how.go_on)() {
                return Ok(());
            }
            let Some(given) = access.take().or_else(|| self.own(&parts)) else {
                let what = "not read: the folder for temporary files cannot be written";
                self.unread(cx, &parts.volumes, ProblemKind::Unsupported, what);
                return Ok(());
            };
            let volumes = std::mem::take(&mut parts.volumes);
            let Some(mut ended) = files::read(&mut self, cx, tools, &given.links, volumes)? else {
                return Ok(());
            };
            // An E01 that the programs do not open, though it is as it must be; or whose partitions
            // begin behind its end.
            let again = !ended.reached && (!ended.opened || parts.until > 0);
            if self.naming != Naming::Ewf || tried || !again {
                break ended;
            }
            tried = true;
            parts.volumes = std::mem::take(&mut ended.waiting);
            access = self.copied(cx, &parts, "The Sleuth Kit does not read this E01 itself");
            if access.is_none() {
                ended.waiting = std::mem::take(&mut parts.volumes);
                break ended;
            }
            is_copy = true;
        };
        self.ended(cx, &ended, tried && !is_copy);
        Ok(())
    }

    /// Says what became of file systems that the programs did not reach.
    fn ended<E>(&self, cx: &mut Context<'_, E>, ended: &Ended, no_copy: bool) {
        let Ended { waiting, why, .. } = ended;
        if let Some(why) = why {
            let message =
                format!("fiwalk did not list the disk to its end: {why}: files may be missing");
            let whole = (0, self.disk.size());
            self.say(cx, whole, ProblemKind::Integrity, !waiting.is_empty(), message);
        }
        if no_copy {
            let what = format!(
                "not read: The Sleuth Kit does not read the damaged E01 itself, and there is no copy of the disk's bytes: {ROOM}"
            );
            self.unread(cx, waiting, ProblemKind::Unsupported, &what);
        } else if self.faulty {
            let what = "The Sleuth Kit cannot read it: not read: bytes of the disk are damaged or missing in the image, as its other problems say: open it with all files of its set, or acquire the disk again";
            self.unread(cx, waiting, ProblemKind::Integrity, what);
        } else {
            let what = "The Sleuth Kit cannot read it: not read: repair a copy (`fsck`), or mount it read-only, and open that";
            self.unread(cx, waiting, ProblemKind::Integrity, what);
        }
    }

    fn unread<E>(
        &self,
        cx: &mut Context<'_, E>,
        volumes: &[Volume],
        kind: ProblemKind,
        what: &str,
    ) {
        for volume in volumes {
            let message = format!("{}{}: {what}", volume.prefix, volume.name);
            let span = (volume.start, volume.start.saturating_add(volume.len));
            self.say(cx, span, kind, true, message);
        }
    }
}

/// A partition, or all there is, in words.
fn called<E>(cx: &Context<'_, E>, partition: Option<&Partition>) -> String {
    match partition {
        None if cx.codec == Codec::Ewf => "the whole disk".to_owned(),
        None => "the whole file".to_owned(),
        Some(p) => {
            let name = if p.name.is_empty() { String::new() } else { format!(" \"{}\"", p.name) };
            let (number, kind, size, start) = (p.number, &p.kind, p.size, p.start);
            format!("partition {number}{name}, type {kind}, {size} bytes from byte {start}")
        }
    }
}

/// How far the programs came.
#[derive(Default)]
struct Ended {
    /// What they did not reach.
    waiting: Vec<Volume>,
    /// Why the list is not whole.
    why: Option<String>,
    /// True where they reached a file system.
    reached: bool,
    /// True where they read the disk at all.
    opened: bool,
}

/// A file system that is to be read.
struct Volume {
    /// `p2/`, or nothing where it fills the image.
    prefix: String,
    start: u64,
    len: u64,
    name: &'static str,
}
