//! The socket: frames in, replies out, for who runs as the same user.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;

use super::keeper::Keeper;
use super::{KeepError, TICK};
use crate::frame::{Frame, MAX_LINE, Reply};

/// The most that are served at once.
pub const MAX_CALLERS: usize = 16;
/// How long a caller may say nothing, and how long it may leave replies unread. A follower says alive
/// more often than that.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The most frames that become one step of the zones.
const BATCH: usize = 512;
/// What is read at once, in bytes.
const BUFFER: usize = 64 << 10;

/// The socket's folder, held open: a socket's path has 108 bytes at most, and the folder's may be
/// longer.
pub(crate) struct Place {
    _folder: std::fs::File,
    socket: PathBuf,
}

impl Place {
    /// The socket of the keep that listens there.
    pub(crate) fn connect(run: &Path) -> std::io::Result<UnixStream> {
        UnixStream::connect(Self::of(run)?.socket)
    }

    fn of(run: &Path) -> std::io::Result<Self> {
        let folder = std::fs::File::open(run)?;
        let socket = PathBuf::from(format!("/proc/self/fd/{}/keep", folder.as_raw_fd()));
        Ok(Self { _folder: folder, socket })
    }
}

/// A listening socket in a folder that is ours alone.
pub(super) struct Door {
    place: Place,
    listener: UnixListener,
}

impl Door {
    /// Makes the folder, if it is not there, and the socket.
    ///
    /// # Errors
    /// The folder is another's or open to others; another keep runs; what stands there is no socket.
    pub(super) fn open(run: &Path) -> Result<Self, KeepError> {
        let failed = |source| KeepError::Door { path: run.to_owned(), source };
        let odd = |why: &str| KeepError::Folder { path: run.to_owned(), why: why.to_owned() };
        if !run.exists() {
            ledger::disk::create_dir(run)?;
            ledger::disk::set_mode(run, 0o700)?;
        }
        let meta = run.symlink_metadata().map_err(failed)?;
        if !meta.is_dir() {
            return Err(odd("no folder stands there"));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o077 != 0 {
            return Err(odd("it belongs to another user or is open to others: chown, chmod 700"));
        }
        let place = Place::of(run).map_err(failed)?;
        if let Ok(there) = run.join("keep").symlink_metadata() {
            if !there.file_type().is_socket() {
                return Err(odd("`keep` in it is no socket: move it away"));
            }
            if UnixStream::connect(&place.socket).is_ok() {
                return Err(odd("another keep runs here: end it first"));
            }
            // Of a process that is gone.
            ledger::disk::remove(&run.join("keep"))?;
        }
        let listener = UnixListener::bind(&place.socket).map_err(failed)?;
        ledger::disk::set_mode(&run.join("keep"), 0o600)?;
        Ok(Self { place, listener })
    }

    /// Serves it in threads of its own, for as long as the process lives.
    ///
    /// # Errors
    /// No thread is to be had.
    pub(super) fn serve(self, keeper: Arc<Keeper>) -> std::io::Result<()> {
        let callers = Arc::new(AtomicUsize::new(0));
        let run = move || {
            let _place = self.place;
            let mut number = 0;
            for stream in self.listener.incoming() {
                let Ok(stream) = stream else {
                    // No file is to be had, say: asked again at once, it would take a whole core.
                    std::thread::sleep(TICK);
                    continue;
                };
                if callers.fetch_add(1, Ordering::Relaxed) >= MAX_CALLERS {
                    callers.fetch_sub(1, Ordering::Relaxed);
                    continue;
                }
                number += 1;
                let (keeper, left) = (Arc::clone(&keeper), Callers(Arc::clone(&callers)));
                let serve = move || {
                    let _left = left;
                    let _ = answer(&stream, &keeper, number);
                };
                let _ = std::thread::Builder::new().name("caller".to_owned()).spawn(serve);
            }
        };
        std::thread::Builder::new().name("door".to_owned()).spawn(run).map(drop)
    }
}

/// A caller's place, given back whatever becomes of its thread.
struct Callers(Arc<AtomicUsize>);

impl Drop for Callers {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answer(mut stream: &UnixStream, keeper: &Keeper, caller: u64) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if socket_peercred(stream)?.uid != rustix::process::geteuid() {
        let why = "this keep runs as another user, and hears that one alone";
        return stream.write_all(&Reply::refused("user", &why).line());
    }
    let mut pending = Vec::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = stream.read(&mut buffer)?;
        pending.extend_from_slice(buffer.get(..read).unwrap_or_default());
        let whole = pending.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<_> =
            pending.get(..whole).unwrap_or_default().split_inclusive(|b| *b == b'\n').collect();
        for lines in lines.chunks(BATCH) {
            let frames =
                lines.iter().map(|line| Frame::parse(line.strip_suffix(b"\n").unwrap_or(line)));
            let replies = keeper.take(frames, caller);
            let replies: Vec<u8> = replies.iter().flat_map(Reply::line).collect();
            stream.write_all(&replies)?;
        }
        pending.drain(..whole);
        if pending.len() >= MAX_LINE {
            let why = crate::frame::FrameError::Long(pending.len());
            return stream.write_all(&Reply::refused("frame", &why).line());
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// Says one frame to the keep of a folder, and hears its reply.
///
/// # Errors
/// None runs there, or none for this user.
pub fn ask(run: &Path, frame: &Frame) -> std::io::Result<Reply> {
    let mut stream = Place::connect(run)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // Who is another user is told so and let go, and it may be before the frame is there: what was said counts.
    let sent = stream.write_all(format!("{}\n", frame.write()).as_bytes());
    let mut line = Vec::new();
    let read = BufReader::new(&stream).take(64 << 10).read_until(b'\n', &mut line);
    if line.is_empty() {
        sent.and(read.map(drop))?;
    }
    serde_json::from_slice(&line).map_err(std::io::Error::other)
}
