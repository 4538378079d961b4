//! The files of an image's file systems, one after another.

use std::collections::HashSet;
use std::io::{self, Read};

use model::ProblemKind;

use super::{Ended, Image, Volume};
use crate::image::sleuthkit::{Entry, Item, Links, Run, Tools};
use crate::image::{Disk, ext};
use crate::unpack::{Codec, Context, Given, Next, shown};

/// What a file system gave that is no member.
#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    deleted: u64,
    links: u64,
    others: u64,
    system: u64,
    /// Files with holes that are larger than may come out.
    sparse: u64,
    /// True once a name said its type: then all that are whole do.
    typed: bool,
    /// Inodes that names lead to, but for those of the file system's own.
    inodes: HashSet<u64>,
}

impl Tally {
    fn read(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// The inodes of ext below its first own one: where it keeps itself.
const RESERVED: u64 = 10;

/// The most inodes that are counted.
const MAX_INODES: usize = 50_000_000;

/// Hands out the files of `volumes`; `None` where that was stopped.
pub(super) fn read<E>(
    image: &mut Image<'_, '_>,
    cx: &mut Context<'_, E>,
    tools: &Tools,
    links: &Links,
    volumes: Vec<Volume>,
) -> Result<Option<Ended>, E> {
    let mut waiting = volumes;
    let whole = (0, image.disk.size());
    let mut listing = match tools.list(links) {
        Ok(listing) => listing,
        Err(e) => {
            let message = format!("fiwalk does not start: {e}: no file system is read");
            image.say(cx, whole, ProblemKind::Unsupported, true, message);
            return Ok(None);
        }
    };
    let mut current: Option<(Volume, Tally)> = None;
    let (mut reached, mut opened) = (false, false);
    loop {
        if !(image.how.go_on)() {
            // The next handing over says that it was called off; what is left is not told of.
            return Ok(None);
        }
        let item = match listing.next_item() {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(e) => {
                image.say(cx, whole, ProblemKind::Bound, false, format!("fiwalk: {e}"));
                break;
            }
        };
        match item {
            Item::FileSystem(start, kind) => {
                (reached, opened) = (true, true);
                if end(image, cx, tools, links, current.take())? == Next::Stop {
                    return Ok(None);
                }
                current = match waiting.iter().position(|v| v.start == start) {
                    Some(n) => Some((waiting.remove(n), Tally::default())),
                    None => {
                        let message = format!(
                            "{kind} at byte {start} of the disk, where no partition that is listed begins: read too"
                        );
                        image.say(cx, (start, start), ProblemKind::Conflict, false, message);
                        let len = image.disk.size().saturating_sub(start);
                        let prefix = format!("at{start}/");
                        Some((
                            Volume { prefix, start, len, name: "a file system" },
                            Tally::default(),
                        ))
                    }
                };
            }
            Item::Entry(entry) => {
                let Some((volume, tally)) = &mut current else { continue };
                if give(image, cx, tools, links, volume, tally, entry)? == Next::Stop {
                    return Ok(None);
                }
            }
            // What has no file system is said already, by what is on it.
            Item::Failed(words, at) => {
                opened |= at.is_some();
                let mine = |at: u64| {
                    waiting.iter().chain(current.iter().map(|c| &c.0)).any(|v| v.start == at)
                };
                if at.is_none_or(mine) {
                    let at = at.unwrap_or(0);
                    image.say(
                        cx,
                        (at, at),
                        ProblemKind::Integrity,
                        false,
                        format!("fiwalk: {words}"),
                    );
                }
            }
        }
    }
    end(image, cx, tools, links, current.take())?;
    Ok(Some(Ended { waiting, why: listing.finish().err(), reached, opened }))
}

/// Hands out what has a name.
fn give<E>(
    image: &mut Image<'_, '_>,
    cx: &mut Context<'_, E>,
    tools: &Tools,
    links: &Links,
    volume: &Volume,
    tally: &mut Tally,
    entry: Entry,
) -> Result<Next, E> {
    if !entry.allocated {
        // What has no size has nothing that could be recovered.
        tally.deleted += u64::from(entry.kind != b'd' && entry.size > 0);
        return Ok(Next::Member);
    }
    // What is left of names behind the last of a folder leads to inodes that are others' by now.
    if entry.untyped && tally.typed {
        tally.deleted += 1;
        return Ok(Next::Member);
    }
    tally.typed |= !entry.untyped;
    if let Some(inode) = entry.address.parse().ok().filter(|inode| *inode > RESERVED)
        && tally.inodes.len() < MAX_INODES
    {
        tally.inodes.insert(inode);
    }
    match entry.kind {
        b'r' => {}
        b'd' | b'V' | b'v' => return Ok(Next::Member),
        b'l' => {
            tally.links += 1;
            return Ok(Next::Member);
        }
        _ => {
            tally.others += 1;
            return Ok(Next::Member);
        }
    }
    if is_system(volume, &entry.name) {
        tally.system += 1;
        return Ok(Next::Member);
    }
    let covered = entry.runs.iter().map(|run| run.len).fold(0, u64::saturating_add);
    let on_disk = entry.runs.iter().filter(|run| run.disk.is_some());
    let on_disk = on_disk.map(|run| run.len).fold(0, u64::saturating_add);
    // The Sleuth Kit ends a hole at the size of the file system. Where the inode holds no more blocks
    // than were found, what is left is a hole too.
    let inode = (covered < entry.size && !entry.indirect && volume.name == "ext")
        .then(|| entry.address.parse().ok())
        .flatten()
        .and_then(|number| ext::inode(image.disk, volume.start, number));
    let is_hole = inode.is_some_and(|inode| !inode.inline && inode.held == on_disk);
    // ext keeps the bytes of small files in the inode itself, where no run leads.
    let indirect = entry.indirect || (covered == 0 && entry.size > 0 && !is_hole);
    let first = entry.runs.iter().find(|run| run.disk.is_some());
    let name = [volume.prefix.as_bytes(), &entry.name].concat();
    let place = match first.filter(|_| !indirect) {
        Some(Run { disk: Some(at), len, .. }) => Some((*at, at.saturating_add(*len))),
        _ => inode.filter(|_| is_hole).map(|inode| (inode.at, inode.at + 128)),
    };
    let first = first.and_then(|run| run.disk);
    let (segment, start, to) = place.map_or((0, 0, 0), |(at, to)| image.disk.place(at, to));
    let span = if segment == 0 { (start, to) } else { (0, 0) };
    let given = Given {
        name: name.clone(),
        offset: first.filter(|_| !indirect && cx.codec == Codec::Image && segment == 0),
        stated_size: Some(entry.size),
        span,
    };
    let most = cx.budget.most();
    if !indirect && on_disk < entry.size && entry.size > most {
        tally.sparse += 1;
        let message = format!(
            "{}: {} bytes, of which {on_disk} stand on the disk and the rest is holes, where at most {most} may still come out: not read: mount the image read-only, and look at what the file holds",
            shown(&name),
            entry.size
        );
        image.say(cx, place.unwrap_or_default(), ProblemKind::Bound, true, message);
        return Ok(Next::Member);
    }
    let damaged = image.disk.damaged();
    let (next, read) = if indirect {
        by_program(image, cx, tools, links, volume, given, &entry.address)?
    } else {
        let mut file = File { disk: &mut *image.disk, runs: &entry.runs, size: entry.size, at: 0 };
        cx.give(given, &mut file)?
    };
    if image.disk.damaged() > damaged {
        let message = format!("{} holds bytes of damaged or missing chunks", shown(&name));
        image.say(cx, (0, 0), ProblemKind::Integrity, false, message);
    }
    if !indirect && covered < entry.size && !is_hole {
        let message = format!(
            "{}: of {} of its {} bytes the file system does not say where they stand: zeros here: mount the image read-only, and hold it against the file there",
            shown(&name),
            entry.size - covered,
            entry.size
        );
        image.say(cx, span, ProblemKind::Integrity, true, message);
    }
    tally.read(read);
    Ok(next)
}

fn by_program<E>(
    image: &mut Image<'_, '_>,
    cx: &mut Context<'_, E>,
    tools: &Tools,
    links: &Links,
    volume: &Volume,
    given: Given,
    address: &str,
) -> Result<(Next, u64), E> {
    let name = shown(&given.name);
    let span = (volume.start, volume.start);
    match tools.file(links, volume.start, address) {
        Err(e) => {
            let message = format!("{name}: icat does not start: {e}: not read");
            image.say(cx, span, ProblemKind::Unsupported, true, message);
            Ok((Next::Member, 0))
        }
        Ok(mut process) => {
            let done = cx.give(given, &mut process)?;
            if done.0 == Next::Member
                && let Err(why) = process.finish()
            {
                image.say(cx, span, ProblemKind::Integrity, true, format!("{name}: icat: {why}"));
            }
            Ok(done)
        }
    }
}

/// The files in which NTFS keeps itself.
fn is_system(volume: &Volume, name: &[u8]) -> bool {
    volume.name == "NTFS" && name.first() == Some(&b'$')
        || matches!(name, b"$MBR" | b"$FAT1" | b"$FAT2" | b"$UPCASE_TABLE" | b"$ALLOC_BITMAP")
}

/// Ends a file system: its further streams, and what was no member.
fn end<E>(
    image: &mut Image<'_, '_>,
    cx: &mut Context<'_, E>,
    tools: &Tools,
    links: &Links,
    current: Option<(Volume, Tally)>,
) -> Result<Next, E> {
    let Some((volume, mut tally)) = current else { return Ok(Next::Member) };
    let span = (volume.start, volume.start);
    if volume.name == "NTFS" {
        let next = streams(image, cx, tools, links, &volume, &mut tally)?;
        if next == Next::Stop {
            return Ok(next);
        }
    }
    if volume.name == "ext" {
        let listed = tally.inodes.len() as u64;
        match tools.inodes(links, volume.start) {
            Ok(Some(used)) if used > listed.saturating_add(RESERVED) => {
                let missing = used - listed - RESERVED;
                let message = format!(
                    "{}{}: files or folders that are in use and were not reached: {missing}: a folder is damaged, cut off, or too deep for The Sleuth Kit: mount the image read-only, and open what it shows",
                    volume.prefix, volume.name
                );
                image.say(cx, span, ProblemKind::Integrity, true, message);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => {
                let message = format!(
                    "{}{}: whether every file was reached is not known: fsstat does not say how many there are",
                    volume.prefix, volume.name
                );
                image.say(cx, span, ProblemKind::Unsupported, false, message);
            }
        }
    }
    let Tally { files, bytes, deleted, links: symbolic, others, system, sparse, .. } = tally;
    let mut message =
        format!("{}{}: files read: {files}, of {bytes} bytes", volume.prefix, volume.name);
    for (n, what) in [
        (symbolic, "symbolic links"),
        (others, "devices, sockets and pipes"),
        (system, "files of the file system's own"),
        (sparse, "files with holes that are larger than may come out"),
    ] {
        if n > 0 {
            message.push_str(&format!("; {what}, not read: {n}"));
        }
    }
    message.push_str("; free space and slack were not searched");
    image.say(cx, span, ProblemKind::Note, false, message);
    if deleted > 0 {
        let message = format!(
            "{}{}: deleted entries that are still listed, and not read: {deleted}: recover them (`tsk_recover`, PhotoRec), and open what comes out",
            volume.prefix, volume.name
        );
        image.say(cx, span, ProblemKind::Unsupported, false, message);
    }
    Ok(Next::Member)
}

/// The further streams of NTFS, called `path:stream` as there.
fn streams<E>(
    image: &mut Image<'_, '_>,
    cx: &mut Context<'_, E>,
    tools: &Tools,
    links: &Links,
    volume: &Volume,
    tally: &mut Tally,
) -> Result<Next, E> {
    let failed = |image: &Image<'_, '_>, cx: &mut Context<'_, E>, why: String| {
        let message =
            format!("{}{}: fls: {why}: further streams may be missing", volume.prefix, volume.name);
        image.say(cx, (volume.start, volume.start), ProblemKind::Integrity, false, message);
    };
    let mut list = match tools.streams(links, volume.start) {
        Ok(list) => list,
        Err(e) => {
            failed(image, cx, e.to_string());
            return Ok(Next::Member);
        }
    };
    loop {
        match list.next_stream() {
            Ok(None) => break,
            Err(e) => {
                failed(image, cx, e.to_string());
                return Ok(Next::Member);
            }
            Ok(Some((address, path))) => {
                if is_system(volume, &path) {
                    tally.system += 1;
                    continue;
                }
                let name = [volume.prefix.as_bytes(), &path].concat();
                let given = Given { name, offset: None, stated_size: None, span: (0, 0) };
                let (next, read) = by_program(image, cx, tools, links, volume, given, &address)?;
                tally.read(read);
                if next == Next::Stop {
                    return Ok(next);
                }
            }
        }
    }
    if let Err(why) = list.finish() {
        failed(image, cx, why);
    }
    Ok(Next::Member)
}

/// A file, read from where its pieces stand; what no piece covers is zeros.
struct File<'a> {
    disk: &'a mut dyn Disk,
    /// In the file's order.
    runs: &'a [Run],
    size: u64,
    at: u64,
}

impl Read for File<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX).min(buffer.len());
        if left == 0 {
            return Ok(0);
        }
        while let Some(run) = self.runs.first()
            && run.at.saturating_add(run.len) <= self.at
        {
            self.runs = &self.runs[1..];
        }
        let n = match self.runs.first() {
            Some(run) if run.at <= self.at => {
                let within = self.at - run.at;
                let n = usize::try_from(run.len - within).unwrap_or(usize::MAX).min(left);
                match run.disk {
                    None => {
                        buffer[..n].fill(0);
                        n
                    }
                    Some(disk) => {
                        let at = disk.saturating_add(within);
                        let got = self.disk.read_at(at, &mut buffer[..n])?;
                        if got == 0 {
                            let what = format!("the image ends before byte {at} of the disk");
                            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
                        }
                        got
                    }
                }
            }
            Some(run) => {
                let n = usize::try_from(run.at - self.at).unwrap_or(usize::MAX).min(left);
                buffer[..n].fill(0);
                n
            }
            None => {
                buffer[..left].fill(0);
                left
            }
        };
        self.at += n as u64;
        Ok(n)
    }
}
