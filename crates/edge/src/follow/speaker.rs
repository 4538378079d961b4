//! Tells keep what is in force, by its socket. A thread of its own: a keep that hangs holds up nobody
//! who reads the feed, and after each new beginning of keep it is told all anew.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::pace::Pace;
use super::shared::{Session, Shared};
use crate::frame::{Frame, Reply};
use crate::keep::Place;
use crate::keeping::DriverStatus;

/// How long keep may take for an answer.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The most drivers that are heard of.
const MAX_DRIVERS: usize = 8;
/// The longest reply, in bytes.
const MAX_REPLY: u64 = 16 << 10;

/// Speaks to it, until follow ends.
pub(super) fn run(shared: &Shared, run: &Path) {
    let mut pace = Pace::new();
    loop {
        match talk(shared, run, &mut pace) {
            Ok(()) => return,
            Err(why) => {
                shared.unspoken();
                shared.raise("keep", "keep", &format!("{}: {why}", run.display()), true);
            }
        }
        if !shared.pause(pace.wait()) {
            return;
        }
    }
}

/// Until follow ends, or keep does.
fn talk(shared: &Shared, run: &Path, pace: &mut Pace) -> Result<(), String> {
    let failed = |e: std::io::Error| e.to_string();
    let mut session = Session::default();
    // Nothing is connected before there is something to say: keep closes who says nothing.
    let Some(mut frames) = shared.next(&mut session) else { return Ok(()) };
    let stream = Place::connect(run).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
    let mut line = Line { replies: BufReader::new(&stream), frames: &stream };
    loop {
        let replies = line.say(&frames)?;
        for (frame, reply) in frames.iter().zip(replies) {
            heard(shared, frame, reply, pace)?;
        }
        match shared.next(&mut session) {
            Some(next) => frames = next,
            None => return Ok(()),
        }
    }
}

pub(super) fn heard(
    shared: &Shared,
    frame: &Frame,
    reply: Reply,
    pace: &mut Pace,
) -> Result<(), String> {
    match (frame, reply) {
        (Frame::Hello { .. }, Reply::Taken) => {
            pace.reset();
            shared.keep(|keep| keep.answers = true);
            shared.settle("keep");
        }
        (_, Reply::Status(status)) => {
            shared.keep(|keep| {
                (keep.out, keep.held, keep.observe) = (status.out, status.held, status.observe);
                keep.takes_addresses = status.takes_addresses;
            });
            drivers(shared, &status.drivers);
            if status.held > 0 {
                let why = format!(
                    "{} values wait, since too many came within a minute: look why, then `vigie edge release`",
                    status.held
                );
                shared.raise("keep held", "held", &why, true);
            } else {
                shared.settle("keep held");
            }
        }
        (_, Reply::Taken | Reply::Held) => {}
        (Frame::Block { value, .. }, Reply::Refused { word, message }) if word == "protected" => {
            shared.keep(|keep| {
                keep.protected = keep.protected.saturating_add(1);
                keep.protected_last = Some(format!("{value}: {message}"));
            });
        }
        // Of one name: the others go on.
        (Frame::Block { value, .. } | Frame::Lift { value }, Reply::Refused { word, message })
            if word != "silent" && word != "no_hello" && word != "ended" =>
        {
            shared.raise(
                "keep names",
                "refused",
                &format!("{value} is not blocked: {message}"),
                true,
            );
        }
        (_, Reply::Refused { message, .. }) => return Err(message),
    }
    Ok(())
}

/// What is wrong with whoever blocks beside keep's zones.
fn drivers(shared: &Shared, drivers: &[DriverStatus]) {
    // Keep is ours, and yet what it says is bounded here, too.
    for driver in drivers.iter().take(MAX_DRIVERS) {
        let place = format!("keep {}", driver.driver);
        match &driver.alarm {
            Some(why) => shared.raise(&place, "driver", why, true),
            None => shared.settle(&place),
        }
    }
}

struct Line<'a> {
    replies: BufReader<&'a UnixStream>,
    frames: &'a UnixStream,
}

impl Line<'_> {
    /// Says frames, at most [`CHUNK`](super::shared::CHUNK), and hears their replies. So many replies
    /// fit into what the system holds for a reader, so that neither waits for the other.
    fn say(&mut self, frames: &[Frame]) -> Result<Vec<Reply>, String> {
        let lines: String = frames.iter().map(|frame| frame.write() + "\n").collect();
        self.frames.write_all(lines.as_bytes()).map_err(|e| e.to_string())?;
        frames.iter().map(|_| self.reply()).collect()
    }

    fn reply(&mut self) -> Result<Reply, String> {
        let mut line = Vec::new();
        let read = (&mut self.replies).take(MAX_REPLY).read_until(b'\n', &mut line);
        match read {
            Ok(0) => Err("it closed the connection".to_owned()),
            Ok(_) => serde_json::from_slice(&line).map_err(|e| format!("no reply of keep's: {e}")),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                Err(format!("it does not answer within {} s", PATIENCE.as_secs()))
            }
            Err(e) => Err(e.to_string()),
        }
    }
}
