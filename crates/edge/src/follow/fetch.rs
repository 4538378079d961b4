//! What a mirror hands on: the manifest, and the files that it names. Nothing of it is believed for who
//! handed it on: the manifest's signature, each file's hash and its proofs are.

use std::time::{Duration, Instant};

use line::{CallError, StatusCode};
use shield::wire::{Alarm, FileName, MAX_LINE, MAX_MANIFEST, Manifest, ManifestError, Staged};

use super::client::Mirror;
use super::config::Trusted;

/// The largest file, in bytes: what the clearing house publishes at most.
pub const MAX_FILE: u64 = 256 << 20;
/// The most bytes of all files that one manifest has fetched: a snapshot, and deltas that are together
/// no larger, since then a new snapshot comes.
pub const MAX_FILES: u64 = 2 * MAX_FILE;
/// How often a file that broke off is gone on with.
const AGAIN: usize = 3;
/// The longest until an answer's head is there, but for a long poll's; and then until all of a manifest is.
pub(super) const HEAD: Duration = Duration::from_secs(10);
/// A file has so long, and a second more for each [`RATE`] of its bytes; but see [`patience`].
const FILE_TIME: Duration = Duration::from_secs(30);
/// See [`FILE_TIME`].
const RATE: u64 = 256 << 10;

/// Why nothing was taken of a mirror.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It does not answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answers that it does not.
    #[error("it answers with status {code}{}", hint(*.code))]
    Status {
        /// The status.
        code: u16,
    },
    /// What it says is no manifest of this feed.
    #[error("its manifest is not believed: {0}")]
    Manifest(#[from] ManifestError),
    /// It is, but not to be gone on to; or a file is not what it names.
    #[error("{0}")]
    Feed(#[from] Alarm),
    /// The other view than the one that was followed is older than that by so many milliseconds, as a cache hands
    /// it on that is behind.
    #[error("its view {0} is {1} ms behind what is held")]
    Behind(String, u64),
    /// It says the same for longer than the feed is silent.
    #[error("it has said nothing new for {0} s: it is stale")]
    Stale(u64),
    /// A file larger than any, or more of them.
    #[error(
        "its manifest names {0} bytes to fetch, and {MAX_FILES} are the most, {MAX_FILE} a file"
    )]
    Large(u64),
    /// A file took too long.
    #[error("a file of {0} bytes was not there within the {1} s that its manifest's files have")]
    Slow(u64, u64),
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => ": its key is missing, or struck off (`key_file`)",
        429 => {
            ": its key asks more often than it may: the clearing house sets that (`vigie party quota`)"
        }
        403 => ": its key opens another ISP's view, and not this one (`view`)",
        404 => ": see that the address, the view and the key fit one another",
        _ => "",
    }
}

impl Fault {
    /// The fault's name, for JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Call(_) | Self::Slow(..) => "unreachable",
            Self::Status { .. } => "status",
            Self::Manifest(_) => "manifest",
            Self::Feed(Alarm::Back(..)) => "back",
            Self::Feed(Alarm::Apart(_)) => "apart",
            Self::Feed(Alarm::Old(_)) => "old",
            Self::Feed(Alarm::OtherFile(_) | Alarm::File(..) | Alarm::Unfit(_)) => "file",
            Self::Feed(_) => "feed",
            Self::Behind(..) => "behind",
            Self::Stale(_) => "stale",
            Self::Large(_) => "large",
        }
    }

    /// True where the mirror has no such view.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Status { code: 404 | 410 })
    }

    /// True where this ISP's key is not for the view that the settings name: no other is believed in its place.
    pub(super) fn is_others(&self) -> bool {
        matches!(self, Self::Status { code: 403 })
    }

    /// True where somebody handed on what is not the feed, or an old one: not what happens to networks.
    pub fn is_grave(&self) -> bool {
        !matches!(
            self,
            Self::Call(_)
                | Self::Status { .. }
                | Self::Behind(..)
                | Self::Stale(_)
                | Self::Slow(..)
        )
    }
}

/// Which call for the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// At once.
    Now,
    /// Once the feed is not at this epoch and serial, for at most so long.
    News(u64, u64, Duration),
}

/// The manifest, signed by the feed's key; none where the long poll ended without one.
pub(super) async fn manifest(
    mirror: &mut Mirror,
    trusted: &Trusted,
    ask: Ask,
) -> Result<Option<Manifest>, Fault> {
    let (path, within) = match ask {
        Ask::Now => ("manifest".to_owned(), HEAD),
        Ask::News(epoch, serial, within) => (format!("wait?epoch={epoch}&serial={serial}"), within),
    };
    let answer = match mirror.get(&path, 0, within).await {
        Err(CallError::Slow(_)) if ask != Ask::Now => return Ok(None),
        other => other?,
    };
    if answer.status != StatusCode::OK {
        return Err(Fault::Status { code: answer.status.as_u16() });
    }
    opened(answer.whole(MAX_MANIFEST, HEAD).await?, trusted).map(Some)
}

/// Reads a manifest that one of the feed's keys signed.
pub(super) fn opened(text: Vec<u8>, trusted: &Trusted) -> Result<Manifest, Fault> {
    if text.len() > MAX_MANIFEST {
        return Err(ManifestError::TooLong.into());
    }
    let text = String::from_utf8(text).map_err(|_| ManifestError::Line(0, "text"))?;
    let mut why = ManifestError::TooLong;
    for key in &trusted.feed() {
        match Manifest::open(&text, key) {
            Ok(manifest) => return Ok(manifest),
            Err(e) => why = e,
        }
    }
    Err(why.into())
}

/// A file all of whose bytes are there.
#[cfg(test)]
pub(super) fn staged<'a>(
    trusted: &'a Trusted,
    name: &FileName,
    bytes: &[u8],
) -> Result<Staged<'a>, Fault> {
    let mut reading = Reading::new(trusted, name, Instant::now(), HEAD);
    reading.take(bytes)?;
    if reading.at == name.bytes { reading.end() } else { Err(reading.other()) }
}

/// What stands beside the manifest under a name; `None` where nothing does. More than `most` bytes are cut one
/// byte behind that, so that whoever reads them sees that they are too many.
pub(super) async fn beside(
    mirror: &mut Mirror,
    name: &str,
    most: usize,
) -> Result<Option<Vec<u8>>, Fault> {
    let answer = mirror.get(name, 0, HEAD).await?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
        other => return Err(Fault::Status { code: other.as_u16() }),
    }
    Ok(Some(answer.whole(most, HEAD).await?))
}

/// Refuses more than is ever fetched.
pub(super) fn check_sizes(files: &[FileName]) -> Result<(), Fault> {
    let all = files.iter().fold(0_u64, |all, file| all.saturating_add(file.bytes));
    let large = files.iter().map(|file| file.bytes).max().unwrap_or(0);
    if large > MAX_FILE || all > MAX_FILES { Err(Fault::Large(all)) } else { Ok(()) }
}

/// How long the files of one manifest may take, all of them. A mirror alone has all that a slow line may
/// need. Of several none may take so long that silence ends everything while the others would have them:
/// each has its share of half the `silence`, and twice as much with every time that all of them failed.
pub(super) fn patience(
    files: &[FileName],
    mirrors: usize,
    failed: usize,
    silence: Duration,
) -> Duration {
    let whole = files.iter().fold(Duration::ZERO, |all, file| {
        all.saturating_add(FILE_TIME).saturating_add(Duration::from_secs(file.bytes / RATE))
    });
    let Ok(others @ 2..) = u32::try_from(mirrors) else { return whole };
    let rounds = u32::try_from(failed / mirrors).unwrap_or(u32::MAX).min(16);
    let share = (silence / 2 / others).max(FILE_TIME).saturating_mul(1 << rounds);
    whole.min(share)
}

/// A file, read as it comes: nothing of it is kept but what it shows, and that counts for nothing
/// before the follower took it. Where it breaks off it is gone on with from there; `until` it has to be
/// there, of `limit` in all.
pub(super) async fn file<'a>(
    mirror: &mut Mirror,
    trusted: &'a Trusted,
    name: &FileName,
    (until, limit): (Instant, Duration),
) -> Result<Staged<'a>, Fault> {
    let mut reading = Reading::new(trusted, name, until, limit);
    let mut again = 0;
    loop {
        match reading.go_on(mirror).await {
            Err(Fault::Call(_)) if again < AGAIN && reading.in_time() => again += 1,
            Err(fault) => return Err(fault),
            Ok(()) => break,
        }
    }
    reading.end()
}

struct Reading<'a, 'n> {
    trusted: &'a Trusted,
    name: &'n FileName,
    staged: Option<Staged<'a>>,
    /// A line that has not ended yet.
    line: Vec<u8>,
    /// Bytes taken.
    at: u64,
    until: Instant,
    limit: Duration,
}

impl<'a, 'n> Reading<'a, 'n> {
    fn new(trusted: &'a Trusted, name: &'n FileName, until: Instant, limit: Duration) -> Self {
        Self { trusted, name, staged: None, line: Vec::new(), at: 0, until, limit }
    }

    fn in_time(&self) -> bool {
        Instant::now() < self.until
    }

    fn other(&self) -> Fault {
        Alarm::OtherFile(self.name.hash).into()
    }

    async fn go_on(&mut self, mirror: &mut Mirror) -> Result<(), Fault> {
        let path = format!("files/{}", self.name.hash);
        if !self.in_time() {
            return Err(Fault::Slow(self.name.bytes, self.limit.as_secs()));
        }
        let mut answer = mirror.get(&path, self.at, HEAD).await?;
        // Who knows no ranges begins anew, and what is there is passed over.
        let mut passed = match answer.status {
            StatusCode::OK => self.at,
            StatusCode::PARTIAL_CONTENT if self.at > 0 => 0,
            other => return Err(Fault::Status { code: other.as_u16() }),
        };
        while let Some(piece) = answer.piece().await? {
            if !self.in_time() {
                return Err(Fault::Slow(self.name.bytes, self.limit.as_secs()));
            }
            let skip = passed.min(piece.len() as u64);
            passed -= skip;
            self.take(
                piece.get(usize::try_from(skip).unwrap_or(usize::MAX)..).unwrap_or_default(),
            )?;
        }
        // Whose answer ends well, and too early, will not say more if asked again.
        if self.at == self.name.bytes { Ok(()) } else { Err(self.other()) }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Fault> {
        self.at = self.at.saturating_add(piece.len() as u64);
        if self.at > self.name.bytes {
            return Err(self.other());
        }
        for part in piece.split_inclusive(|b| *b == b'\n') {
            self.line.extend_from_slice(part);
            if self.line.last() == Some(&b'\n') {
                self.line.pop();
                let line = std::mem::take(&mut self.line);
                self.one(&line)?;
            } else if self.line.len() > MAX_LINE {
                return Err(self.other());
            }
        }
        Ok(())
    }

    fn one(&mut self, line: &[u8]) -> Result<(), Fault> {
        if let Some(staged) = &mut self.staged {
            return Ok(staged.line(line)?);
        }
        // The first line holds the checkpoint: it says which of the log's keys signs this file.
        let mut why = self.other();
        for policy in &self.trusted.log {
            let mut staged = Staged::new(self.name.clone(), policy);
            match staged.line(line) {
                Ok(()) => {
                    self.staged = Some(staged);
                    return Ok(());
                }
                Err(alarm) => why = alarm.into(),
            }
        }
        Err(why)
    }

    fn end(self) -> Result<Staged<'a>, Fault> {
        let other = self.other();
        // Every line ends. A file that is another is none, before any that came with it is taken.
        let staged = self.staged.filter(|_| self.line.is_empty()).ok_or(other)?;
        staged.holds()?;
        Ok(staged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_mirror_does_not_outlast_the_silence_while_there_are_others() {
        let file =
            |bytes| FileName { from: None, to: 1, bytes, hash: model::Sha256Hex::of(b"a file") };
        let secs = Duration::from_secs;
        let (large, silence) = ([file(200 << 20)], secs(600));
        // Alone it has what a line of 256 KiB a second needs.
        assert_eq!(patience(&large, 1, 7, silence), secs(30 + 800));
        // All of several together have half of the silence.
        assert_eq!(patience(&large, 3, 0, silence), secs(100));
        assert_eq!(patience(&large, 3, 2, silence), secs(100));
        // Where each was too slow all have more, until they have what they need.
        assert_eq!(patience(&large, 3, 3, silence), secs(200));
        assert_eq!(patience(&large, 3, usize::MAX, silence), secs(830));
        // A chain of small files has no more than one.
        let small: Vec<_> = (0..100).map(|_| file(100)).collect();
        assert_eq!(patience(&small, 16, 0, silence), secs(30));
    }
}
