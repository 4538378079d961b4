//! The door on this machine: a socket in the folder, for who can open that folder. A line of JSON asks, a
//! line answers. Who acts is looked up in the register, each time anew: a person who was suspended a moment
//! ago does nothing more.
//!
//! Where no server has the house, the same is done by whoever asks, with the house in their own hand.

#[cfg(test)]
mod audit;
mod reply;
mod request;
#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use collect::challenge::At;
use serde::{Deserialize, Serialize};
use shield::order::Command;

use super::challenge::{Challenges, Hand, Objection};
use super::house::House;
use super::keeper::Keeper;
use super::standby::OfStandby;
use super::statement;
use crate::access::Access;
use crate::desk;
use crate::{Error, Result};

pub use reply::{Place, Reply};
pub use request::{Request, Wanted, ask_of_key, key_actor, office, office_of_house};

/// The longest line: the greatest ticket has 4 MB.
pub const MAX_LINE: u64 = 8 << 20;
/// The most that are served at once.
pub const MAX_CALLERS: usize = 32;
/// Under which name the policies' refusals at the door are counted.
pub(super) const ROUTE: &str = "the clearing house's door";
/// Where who asks at the door is: whoever opens a folder of this machine is on it.
pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The longest that a caller may take over a line.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest that an answer takes which somebody outside is asked for.
const LOOKS: Duration = Duration::from_secs(90);
/// How long it waits where a connection cannot be taken.
const AGAIN: Duration = Duration::from_millis(100);

/// A line at the door.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Command(Box<Request>),
    OfStandby { standby: OfStandby },
}

/// The socket of a folder. Reached through the folder's descriptor: a socket's path has 108 bytes.
struct Socket {
    _dir: std::fs::File,
    path: PathBuf,
}

impl Socket {
    const FOLDER: &str = "run";

    fn of(dir: &Path) -> std::io::Result<Self> {
        use std::os::fd::AsRawFd;
        let dir = std::fs::File::open(dir.join(Self::FOLDER))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/house", dir.as_raw_fd()));
        Ok(Self { _dir: dir, path })
    }
}

/// Serves the door of a folder, in threads of its own, for as long as the process lives.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(
    dir: &Path,
    access: Arc<Access>,
    keeper: &Keeper,
    challenges: Arc<Challenges>,
) -> Result<()> {
    let folder = dir.join(Socket::FOLDER);
    let failed = |source| Error::Read { path: folder.clone(), source };
    ledger::disk::create_dir(&folder)?;
    // Whoever cannot open the folder cannot reach the socket in it.
    ledger::disk::set_mode(&folder, 0o700)?;
    // The lock of the log is ours: a socket that stands here is one of a process that is gone.
    ledger::disk::remove(&folder.join("house"))?;
    let socket = Socket::of(dir).map_err(failed)?;
    let listener = UnixListener::bind(&socket.path).map_err(failed)?;
    let keeper = keeper.clone();
    count(Arc::clone(&access))?;
    let callers = Arc::new(AtomicUsize::new(0));
    let run = move || {
        let _socket = socket;
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // No file is to be had, say: asked again at once, it would take a whole core.
                std::thread::sleep(AGAIN);
                continue;
            };
            if callers.fetch_add(1, Ordering::Relaxed) >= MAX_CALLERS {
                callers.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (keeper, access) = (keeper.clone(), Arc::clone(&access));
            let challenges = Arc::clone(&challenges);
            // Dropped with the thread, or with what none could be had for.
            let left = Left(Arc::clone(&callers));
            let serve = move || {
                let _left = left;
                let _ = answer(&stream, &keeper, &access, &challenges);
            };
            let _ = std::thread::Builder::new().name("door".to_owned()).spawn(serve);
        }
    };
    let thread = std::thread::Builder::new().name("door".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

/// One who is served; gone with it.
struct Left(Arc<AtomicUsize>);

impl Drop for Left {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps what was refused: in a file each second, in the authority's log once its hour is over.
fn count(access: Arc<Access>) -> Result<()> {
    let run = move || {
        for second in 1_u64.. {
            std::thread::sleep(Duration::from_secs(1));
            // A disk that fails now is asked again a second later: nothing that was counted is lost. Until the
            // register can be read again the one that was read goes on.
            let _ = access.refresh();
            let _ = access.write_refused(false);
            if second.is_multiple_of(60) {
                let _ = access.record_refused();
            }
        }
    };
    let thread = std::thread::Builder::new().name("refusals".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

fn answer(
    stream: &UnixStream,
    keeper: &Keeper,
    access: &Access,
    challenges: &Challenges,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream);
    loop {
        let Some(line) = line(&mut lines)? else { return Ok(()) };
        let line = serde_json::from_slice::<Line>(&line);
        let reply = match line.map_err(|e| Error::Asked(format!("no request: {e}"))) {
            Ok(Line::Command(request)) => request
                .ask(access, HERE)
                .and_then(|wanted| done(&mut Hand::Keeper(keeper), challenges, wanted)),
            Ok(Line::OfStandby { standby }) => standby.by(access).and_then(|by| {
                keeper.look(move |house| standby.done(house, &by)).and_then(|done| done)
            }),
            Err(error) => Err(error),
        };
        let reply = reply.unwrap_or_else(Reply::from);
        write(stream, &reply)?;
    }
}

/// Has it done. An objection is taken with the words that it rests on, and from whoever is not of the authority, or
/// of who reviews, once they showed that they control what is blocked.
fn done(hand: &mut Hand<'_>, challenges: &Challenges, wanted: Wanted) -> Result<Reply> {
    let (ask, statement, token) = match wanted {
        Wanted::Command(ask, statement, token) => (ask, statement, token),
        Wanted::House(actor, act) => {
            let recorded = hand.look(move |house| {
                house.do_act(&actor.person, &act)?;
                Ok::<_, Error>(Reply::Recorded { alone: house.is_alone() })
            })?;
            return recorded;
        }
    };
    let Command::Object { value, proof } = &ask.command else {
        return Ok(hand.act(ask)?.into());
    };
    let statement = statement.ok_or_else(|| {
        Error::Asked("an objection says why: give it with --statement FILE".to_owned())
    })?;
    if statement::proof(&statement)? != *proof {
        return Err(Error::Asked("the proof is not the hash of the statement".to_owned()));
    }
    if ask.actor.role.objects_by_word() {
        return Ok(hand.object(ask, statement)?.into());
    }
    let (actor, value) = (ask.actor, value.clone());
    let objection = Objection { actor, value, statement, token };
    Ok(challenges.object(hand, objection)?.into())
}

/// A line without its end; `None` where there is no more.
fn line(from: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(MAX_LINE + 1).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => {
            Err(std::io::Error::other("a line without an end, or a longer one than is read"))
        }
    }
}

fn write(mut to: &UnixStream, what: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Names the standby of a folder's clearing house, or lets it go: by the server that has it, else in one's own
/// hand.
///
/// # Errors
/// As [`ask`].
pub fn ask_of_standby(place: &desk::Place, request: &OfStandby) -> Result<Reply> {
    if let Some(reply) = at_server(place, &Line::OfStandby { standby: request.clone() })? {
        return Ok(reply);
    }
    let access = Access::open(&place.home)?;
    let by = request.by(&access);
    access.record_refused()?;
    let by = match by {
        Ok(by) => by,
        Err(error @ Error::Asked(_)) => return Ok(error.into()),
        Err(error) => return Err(error),
    };
    let mut house = House::open(place)?;
    let done = request.done(&mut house, &by);
    house.close()?;
    Ok(done.unwrap_or_else(Reply::from))
}

/// Has something done in the clearing house of a folder: by the server that has it, else in one's own hand.
///
/// # Errors
/// No clearing house; a server that does not answer; the disk.
pub fn ask(place: &desk::Place, request: &Request) -> Result<Reply> {
    if let Some(reply) = at_server(place, &Line::Command(Box::new(request.clone())))? {
        return Ok(reply);
    }
    let access = Access::open(&place.home)?;
    let asked = request.clone().ask(&access, HERE);
    access.record_refused()?;
    let ask = match asked {
        Ok(ask) => ask,
        Err(error @ Error::Asked(_)) => return Ok(error.into()),
        Err(error) => return Err(error),
    };
    let mut house = House::open(place)?;
    while house.tick()? {}
    let resolver = crate::capture::resolver().ok();
    let challenges = Challenges::open(&place.case, resolver, At::default())?;
    let reply = done(&mut Hand::House(&mut house), &challenges, ask);
    // No server carries on what an end left.
    while house.carry_on()? {}
    house.close()?;
    match reply {
        Err(error @ Error::Asked(_)) => Ok(error.into()),
        reply => reply,
    }
}

/// Asks the server that has the house; `None`: none has it.
fn at_server(place: &desk::Place, request: &Line) -> Result<Option<Reply>> {
    let stream = Socket::of(&place.case).and_then(|socket| UnixStream::connect(&socket.path));
    if let Ok(stream) = stream {
        let failed = |e: std::io::Error| {
            Error::Beside(format!(
                "the server of {} did not answer ({e}): whether it was done, `vigie shield tickets` shows",
                crate::shell::quoted_path(&place.case)
            ))
        };
        let asked = || -> std::io::Result<Option<Vec<u8>>> {
            // Who has a proof looked for waits for the look.
            let looks = matches!(request, Line::Command(request) if request.token.is_some());
            stream.set_read_timeout(Some(if looks { LOOKS } else { PATIENCE }))?;
            write(&stream, request)?;
            line(&mut BufReader::new(&stream))
        };
        let line = asked().map_err(failed)?;
        let line = line.ok_or_else(|| failed(std::io::ErrorKind::UnexpectedEof.into()))?;
        let reply = serde_json::from_slice(&line).map_err(|e| failed(std::io::Error::other(e)));
        return reply.map(Some);
    }
    Ok(None)
}
