//! The standby's side: takes what comes, makes it durable, says so.

use std::io::{self, Read, Write};
use std::path::Path;

use ledger::{Keys, Wait};
use model::{ExhibitId, Sha256Hex};
use vault::Standby;

use crate::{Error, Result};
use vault::standby::wire::{Frame, Hello, MAX_FRAME, MAX_PIECE};

/// What is told of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The house took us in; so many records were here.
    Begun(u64),
    /// So many records are here, durable, and there are no more for now.
    UpTo(u64),
}

/// Follows a clearing house over a connection until that ends. `keys` are the house's log's. The connection's
/// reads have to end by themselves, after more than [`super::BEAT`].
///
/// # Errors
/// The house says no ([`Error::Asked`]); what came does not go on from what is here, or is not signed: none of
/// it was taken; the connection; the disk.
pub fn follow(
    stream: &mut (impl Read + Write),
    secret: [u8; 32],
    dir: &Path,
    keys: &Keys,
    holder: &str,
    told: &mut dyn FnMut(Followed),
) -> Result<()> {
    let begun = dir.join("ledger/checkpoint").exists();
    let open = |beginning: &str| Standby::open(dir, keys, beginning, holder, Wait::Fail);
    let mut copy = if begun { Some(open("")?) } else { None };
    let (size, root) = match &copy {
        Some(copy) => (copy.len(), copy.root()),
        None => (0, Sha256Hex(ledger::tree::root(&[]))),
    };
    Frame::Hello(Hello { secret, size, root }).send(stream).map_err(broke)?;
    let mut copy = match Frame::take(stream, MAX_FRAME).map_err(broke)? {
        Frame::Begin(beginning) => match copy.take() {
            Some(copy) => copy,
            None => open(&beginning)?,
        },
        Frame::No(why) => return Err(Error::Asked(format!("the clearing house says no: {why}"))),
        _ => return Err(odd()),
    };
    told(Followed::Begun(size));
    let ended = taking(stream, &mut copy, told);
    // What was taken is safe; its tiles are written for who reads.
    ended.and(copy.finish().map_err(Error::from))
}

fn taking(
    stream: &mut (impl Read + Write),
    copy: &mut Standby,
    told: &mut dyn FnMut(Followed),
) -> Result<()> {
    loop {
        let answer = match Frame::take(stream, MAX_FRAME).map_err(broke)? {
            Frame::Exhibit(id, size) => {
                exhibit(stream, copy, id, size)?;
                continue;
            }
            Frame::Parcel(parcel) => match copy.take(parcel) {
                Ok(size) => Frame::Ack(size),
                Err(e) => {
                    let _ = Frame::No(e.to_string()).send(stream);
                    return Err(e.into());
                }
            },
            Frame::Beat => {
                told(Followed::UpTo(copy.len()));
                Frame::Ack(copy.len())
            }
            _ => return Err(odd()),
        };
        answer.send(stream).map_err(broke)?;
    }
}

fn exhibit(
    stream: &mut (impl Read + Write),
    copy: &mut Standby,
    id: ExhibitId,
    size: u64,
) -> Result<()> {
    let incoming = copy.exhibit(id, size)?;
    Frame::Want(incoming.is_some()).send(stream).map_err(broke)?;
    let Some(mut incoming) = incoming else { return Ok(()) };
    while incoming.rest() > 0 {
        match Frame::take(stream, MAX_PIECE as u32 + 1).map_err(broke)? {
            Frame::Piece(bytes) if !bytes.is_empty() => incoming.append(&bytes)?,
            _ => return Err(odd()),
        }
    }
    Ok(incoming.finish()?)
}

fn broke(e: io::Error) -> Error {
    Error::Beside(format!("the connection to the clearing house: {e}"))
}

fn odd() -> Error {
    Error::Beside("what came from the clearing house is not what comes here".to_owned())
}
