//! Archives: what their reporter says of what it saw.
//!
//! An archive is its reporter's word and no evidence: nothing is released upon it. It is sealed in the vault, and
//! holds the items of its ticket for a second person, who can look at it beside the capture of our own probe.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use desk::clearing::{Ask, HandedIn, House};
use desk::parties::PartyRole;
use serde_json::{Value, json};
use shield::order::{Command, Moment, Refusal, TicketId};

use crate::answer::{Answer, Outcome};
use crate::api::now_ms;
use crate::call::{Call, failed, refused, time};
use crate::codes::{
    ARCHIVE_NAME, EXTENSION_NOT_SUPPORTED, FORENSIC_GENERIC, Fault, HASH_NON_VALID,
    NO_HASH_FOR_TICKET,
};
use crate::digest::{Algorithm, Running};
use crate::ids::Sort;
use crate::kept::Archive;

/// What an archive may be.
pub(crate) const FORMATS: [&str; 2] = ["zip", "rar"];

/// The formats.
pub(crate) fn formats(_: &Call<'_>) -> Outcome {
    Ok(Answer::Data(FORMATS.to_vec().into()))
}

/// The digests by which an archive may be announced.
pub(crate) fn hashes(_: &Call<'_>) -> Outcome {
    Ok(Answer::Data(Algorithm::ALL.iter().map(|algorithm| algorithm.name()).collect()))
}

/// What was announced with a ticket, and what came of it. `approved` says that the archive is the one that was
/// announced, and nothing of what it shows.
pub(crate) fn of_ticket(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    let kept = call.api.shelf.get(ticket.id).ok_or(NO_HASH_FOR_TICKET)?;
    let asked = kept.asked().ok_or(NO_HASH_FOR_TICKET)?;
    let (status, reason) = match &kept.archive {
        None => ("pending", None),
        Some(Archive { exhibit: Some(_), .. }) => ("approved", None),
        Some(_) => ("rejected", Some("it is not the archive that was announced")),
    };
    let hashes: serde_json::Map<String, Value> = asked
        .hashes
        .into_iter()
        .map(|(algorithm, text)| (algorithm.name().to_owned(), text.into()))
        .collect();
    let first = hashes.iter().next().map(|(name, text)| (name.clone(), text.clone())).unzip();
    Ok(Answer::Data(json!({
        "ticket_id": call.api.ids.of_number(Sort::Ticket, ticket.id.0),
        "hash_type": first.0, "hash_string": first.1, "hash": hashes,
        "archive_name": kept.archive.as_ref().map(|archive| &archive.name),
        "exhibit": kept.archive.as_ref().and_then(|archive| archive.exhibit.as_ref()),
        "status": status, "reason": reason,
        "metadata": {
            "created_at": time(ticket.ticket.at),
            "updated_at": time(kept.archive.map_or(ticket.ticket.at, |archive| Moment(archive.at_ms))),
        },
    })))
}

/// A name that an archive may have.
///
/// # Errors
/// It is none; it ends otherwise than an archive.
pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    let plain = |c: char| c.is_alphanumeric() || " .-_".contains(c);
    if !(6..=320).contains(&name.chars().count()) || !name.chars().all(plain) {
        return Err(ARCHIVE_NAME.into());
    }
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if ending.is_some_and(|ending| FORMATS.contains(&ending.as_str())) {
        return Ok(());
    }
    Err(EXTENSION_NOT_SUPPORTED.into())
}

/// Whether an archive is wanted with a ticket: announced, and not there yet.
pub(crate) fn wanted(call: &Call<'_>, ticket: TicketId) -> Result<Vec<(Algorithm, String)>, Fault> {
    let kept = call.api.shelf.get(ticket).ok_or(NO_HASH_FOR_TICKET)?;
    let asked = kept.asked().ok_or(NO_HASH_FOR_TICKET)?;
    if kept.archive.is_some_and(|archive| archive.exhibit.is_some()) {
        return Err(Fault::of(FORENSIC_GENERIC, "the ticket has its archive already"));
    }
    Ok(asked.hashes.into_iter().collect())
}

/// Takes an archive whose pieces are all there: digests it while it is copied into the vault's folder; where it is
/// the one that was announced it is sealed, and holds what of its ticket is not in force.
pub(crate) fn seal(
    call: &Call<'_>,
    ticket: TicketId,
    name: &str,
    pieces: Vec<PathBuf>,
) -> Result<(), Fault> {
    let actor = call.actor(&[PartyRole::Reporter])?;
    let announced = wanted(call, ticket)?;
    let stager = call.api.look(|house| house.case().stager())?;
    let mut reader = Digesting {
        pieces: pieces.into_iter(),
        open: None,
        running: announced.iter().map(|(algorithm, _)| algorithm.start()).collect(),
    };
    let staged = stager.reader(&mut reader).map_err(|e| failed(e.into()))?;
    if let Some(note) = staged.note() {
        return Err(Fault::of(
            FORENSIC_GENERIC,
            format!("the archive could not be read back: {note}"),
        ));
    }
    let found = reader.running.into_iter().map(Running::finish);
    let same = found.zip(&announced).all(|(found, (_, announced))| found == *announced);
    let archive = |exhibit| Archive { name: name.to_owned(), at_ms: now_ms(), exhibit };
    let keep = |archive| {
        call.api.shelf.change(ticket, |kept| kept.archive = Some(archive)).map_err(failed)
    };
    if !same {
        keep(archive(None))?;
        return Err(Fault::of(
            HASH_NON_VALID,
            "the archive is not the one that was announced with the ticket",
        ));
    }
    let handed_in = HandedIn { staged, name: name.to_owned(), of: format!("ticket {ticket}") };
    let take = move |house: &mut House| -> desk::Result<_> {
        let exhibit = house.receive(&actor, handed_in)?;
        let uploads =
            house.state().items_of(ticket).map(|(item, _)| Command::Upload { item, exhibit });
        let asks: Vec<Ask> = uploads.map(|command| Ask { actor: actor.clone(), command }).collect();
        for together in asks.chunks(desk::clearing::MAX_TOGETHER) {
            // What is in force rests on a capture, and stays; what ended is over. Nobody is told that an archive
            // counts of which the machine could not hear.
            if house.act(together)?.contains(&Err(Refusal::StandbyGone)) {
                return Ok(Err(refused(&Refusal::StandbyGone, FORENSIC_GENERIC)));
            }
        }
        Ok(Ok((exhibit, house.is_alone())))
    };
    let (exhibit, alone) = call.api.look(take)?.map_err(failed)??;
    call.noted(alone);
    keep(archive(Some(exhibit.to_string())))
}

/// Pieces, one after another, digested as they are read.
struct Digesting {
    pieces: std::vec::IntoIter<PathBuf>,
    open: Option<File>,
    running: Vec<Running>,
}

impl Read for Digesting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.open.is_none() {
                let Some(next) = self.pieces.next() else { return Ok(0) };
                self.open = Some(File::open(next)?);
            }
            let count = self.open.as_mut().map_or(Ok(0), |file| file.read(buffer))?;
            if count > 0 {
                let bytes = buffer.get(..count).unwrap_or_default();
                self.running.iter_mut().for_each(|running| running.update(bytes));
                return Ok(count);
            }
            self.open = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archives_name_is_a_name() {
        for good in ["evidence.zip", "a b-c_d.RAR", "a.b.zip"] {
            check_name(good).unwrap();
        }
        for (bad, number) in [
            ("a.zip", "9001"),
            ("../../etc/x.zip", "9001"),
            ("x\0yyyy.zip", "9001"),
            ("evidence.exe", "9006"),
            ("evidencezip", "9006"),
        ] {
            assert_eq!(check_name(bad).unwrap_err().code.number, number, "{bad:?}");
        }
        assert_eq!(
            check_name(&format!("{}.zip", "x".repeat(320))).unwrap_err().code.number,
            "9001"
        );
    }
}
