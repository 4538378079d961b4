//! The house's side of a connection: who follows is looked at, catches up, and is then sent each commit as it
//! is made. The thread that has the house waits for nothing but the answer to what it sent.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use model::Sha256Hex;
use vault::{Parcel, exhibit_path};

use super::{BEAT, Live, Offer};
use crate::clearing::keeper::Keeper;
use crate::{Error, Result};
use vault::standby::wire::{Frame, MAX_HELLO, MAX_PIECE};

/// The longest that who connects may take to say who they are.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection that is read until a moment.
struct Until<'a, S> {
    stream: &'a mut S,
    until: Instant,
}

impl<S: Read> Read for Until<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if Instant::now() > self.until {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.read(into)
    }
}

/// Serves a standby over a connection, until that ends or another takes its place. The connection's reads and
/// writes have to end by themselves after [`super::STILL`].
///
/// # Errors
/// Who is not the standby; the connection; the house is closed.
pub fn send(stream: &mut (impl Read + Write), keeper: &Keeper) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let hello =
        match Frame::take(&mut Until { stream: &mut *stream, until }, MAX_HELLO).map_err(broke)? {
            Frame::Hello(hello) => hello,
            _ => return Err(odd("it did not say who it is")),
        };
    let (mut have, key) = (hello.size, Sha256Hex::of(&hello.secret));
    let (greeted, dir) =
        keeper.look_in_turn(move |house| (house.greet(&hello), house.case().dir().to_owned()))?;
    match greeted? {
        Ok(beginning) => Frame::Begin(beginning).send(stream).map_err(broke)?,
        Err(why) => {
            Frame::No(why.clone()).send(stream).map_err(broke)?;
            return Err(Error::Asked(why));
        }
    }
    // It waits for its turn: a house that has much to do needs its standby all the more.
    let live = loop {
        match keeper.look_in_turn(move |house| house.offer(key, have))?? {
            Offer::Live(live) => break live,
            Offer::No => return Err(odd("it was dismissed meanwhile")),
            Offer::Parcel(parcel) => have = deliver(stream, &dir, *parcel)?,
        }
    };
    lively(stream, &dir, &live, have)
}

/// Each commit as it is made. Ends where another connection took its place.
fn lively(stream: &mut (impl Read + Write), dir: &Path, live: &Live, mut have: u64) -> Result<()> {
    loop {
        match live.parcels.recv_timeout(BEAT) {
            Ok(parcel) => {
                have = deliver(stream, dir, parcel)?;
                // A house that waits no more has let this connection go.
                if live.acked.try_send(have).is_err() {
                    return Ok(());
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                Frame::Beat.send(stream).map_err(broke)?;
                acked(stream, have)?;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

/// Sends a parcel, its exhibits first; what the standby has then, durable.
fn deliver(stream: &mut (impl Read + Write), dir: &Path, parcel: Parcel) -> Result<u64> {
    for (id, size) in parcel.exhibits()? {
        Frame::Exhibit(id, size).send(stream).map_err(broke)?;
        match Frame::take(stream, MAX_HELLO).map_err(broke)? {
            Frame::Want(true) => exhibit(stream, &exhibit_path(dir, &id), size)?,
            Frame::Want(false) => {}
            other => return Err(answered(other)),
        }
    }
    let end = parcel.end();
    Frame::Parcel(parcel).send(stream).map_err(broke)?;
    acked(stream, end)
}

fn exhibit(stream: &mut (impl Read + Write), path: &Path, size: u64) -> Result<()> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let mut file = std::fs::File::open(path).map_err(failed)?.take(size);
    let mut piece = vec![0; MAX_PIECE];
    let mut left = size;
    while left > 0 {
        let n = file.read(&mut piece).map_err(failed)?;
        if n == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        left -= n as u64;
        let bytes = piece.get(..n).unwrap_or_default().to_vec();
        Frame::Piece(bytes).send(stream).map_err(broke)?;
    }
    Ok(())
}

fn acked(stream: &mut (impl Read + Write), wanted: u64) -> Result<u64> {
    match Frame::take(stream, MAX_HELLO).map_err(broke)? {
        Frame::Ack(size) if size == wanted => Ok(size),
        other => Err(answered(other)),
    }
}

fn answered(frame: Frame) -> Error {
    match frame {
        Frame::No(why) => odd(&format!("it says: {why}")),
        _ => odd("it answered what was not asked"),
    }
}

fn broke(e: io::Error) -> Error {
    Error::Beside(format!("the connection to the standby: {e}"))
}

fn odd(what: &str) -> Error {
    Error::Beside(format!("the standby was let go: {what}"))
}
