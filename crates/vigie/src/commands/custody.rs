//! `vigie custody`.

mod show;

use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};

use desk::custody::{Act, NewOffer, merge, read_key, sheet, sign};
use desk::read::Reader;
use ledger::disk::{Overwrite, write, write_with};
use model::ExhibitId;
use model::custody::{MAX_OFFER, Side};
use model::record::CustodyRegistered;

use super::open::watched;
use super::{no_exhibit, place, plain, read_text, told};
use crate::cli::{Custody, Offer, Register};
use crate::error::Told;

/// Room for the signatures below an offer.
const MAX_SIGNED: usize = MAX_OFFER + (4 << 10);

/// Runs the command.
pub(crate) fn run(home: Option<&Path>, args: &Custody) -> Result<(), Told> {
    match args {
        Custody::Register(args) => register(home, args),
        Custody::Imaged { case, item, exhibits } => {
            let act = Act::Image { item: item.clone(), exhibits: ids(exhibits)? };
            let records = record(home, &case.case, "vigie custody imaged", act)?;
            said(records, &format!("{} was imaged", plain(item)))
        }
        Custody::Offer(args) => offer(args),
        Custody::Sign { key, offer } => signed(key, offer),
        Custody::Handover { case, without_device, offer } => {
            let side = without_device.as_deref().and_then(Side::of);
            handover(home, &case.case, offer, side)
        }
        Custody::Ack { case, record: of, words } => {
            let act = Act::Acknowledge { record: *of, words: words.join(" ") };
            let records = record(home, &case.case, "vigie custody ack", act)?;
            said(records, &format!("record {of} is acknowledged; keep the words with the paper"))
        }
        Custody::Correct { case, record: of, reason } => {
            let act = Act::Correct { record: *of, reason: reason.clone() };
            let records = record(home, &case.case, "vigie custody correct", act)?;
            said(records, &format!("record {of} no longer counts; it stays in the log"))
        }
        Custody::Show { case, item, at, json } => {
            show::run(&case.case, item.as_deref(), at.as_deref(), *json)
        }
        Custody::Label { case, html, items } => label(&case.case, html.as_deref(), items),
    }
}

/// Has an act recorded; gives the record, unless the log said it already.
pub(super) fn record(
    home: Option<&Path>,
    case: &Path,
    holder: &str,
    act: Act,
) -> Result<Range<u64>, Told> {
    let place = place(home, case, holder)?;
    let command = desk::Command::Custody(act);
    let (records, _) = watched(case, |work| desk::recorded(&place, &command, work))?;
    Ok(records)
}

/// Says what was recorded.
pub(super) fn said(records: Range<u64>, what: &str) -> Result<(), Told> {
    let record = match records.start {
        _ if records.is_empty() => "the log says so already".to_owned(),
        n => format!("record {n}"),
    };
    writeln!(std::io::stdout(), "{what} ({record}).")?;
    Ok(())
}

fn ids(texts: &[String]) -> Result<Vec<ExhibitId>, Told> {
    texts.iter().map(|text| text.parse().map_err(no_exhibit)).collect()
}

fn register(home: Option<&Path>, args: &Register) -> Result<(), Told> {
    let body = CustodyRegistered {
        item: args.item.clone(),
        description: args.description.clone(),
        exhibit: args.is.as_deref().map(|id| id.parse().map_err(no_exhibit)).transpose()?,
        exhibits: ids(&args.imaged)?,
        seal: args.seal.clone(),
        place: args.place.clone(),
        holder: args.holder.clone(),
        happened: args.at.clone(),
    };
    let records = record(home, &args.case.case, "vigie custody register", Act::Register(body))?;
    said(records, &format!("{} is in custody, held by {}", plain(&args.item), args.holder))
}

fn offer(args: &Offer) -> Result<(), Told> {
    let case = args.case.case.as_path();
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let custody = snapshot.custody().map_err(told(case))?;
    let new = NewOffer {
        item: args.item.clone(),
        from: args.from.clone(),
        to: args.to.clone(),
        place: args.place.clone(),
        happened: args.at.clone(),
        seal_before: args.seal_found.clone(),
        seal_after: args.seal.clone(),
        reason: args.reason.clone(),
    };
    let offer = custody.new_offer(&new).map_err(told(case))?;
    let text = offer.to_string();
    new_file(&args.out, &text)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", shown(&text))?;
    let file = args.out.display();
    say!(out, "\nBoth sides read and sign it: `vigie custody sign --key FILE {file}`")?;
    Ok(out.flush()?)
}

/// What is signed is shown as it is: nothing in it can act on a terminal.
fn shown(text: &str) -> String {
    text.lines().map(|line| format!("  {}\n", plain(line))).collect()
}

fn signed(key: &Path, file: &Path) -> Result<(), Told> {
    let text = read_text(file, MAX_SIGNED)?;
    let key = read_key(key).map_err(told(key))?;
    let (offer, note) = sign(&text, &key).map_err(told(file))?;
    write(file, note.as_bytes()).map_err(failed)?;
    let mut out = std::io::stdout().lock();
    write!(out, "{}", shown(&offer.to_string()))?;
    writeln!(out, "\nSigned by {} in {}.", key.name(), file.display())?;
    Ok(out.flush()?)
}

fn handover(
    home: Option<&Path>,
    case: &Path,
    files: &[PathBuf],
    without_device: Option<Side>,
) -> Result<(), Told> {
    let texts =
        files.iter().map(|file| read_text(file, MAX_SIGNED)).collect::<Result<Vec<_>, _>>()?;
    let (offer, signatures) = merge(&texts).map_err(told(case))?;
    let (item, to) = (offer.item.clone(), offer.to.clone());
    let act = Act::HandOver { offer, signatures, without_device };
    let records = record(home, case, "vigie custody handover", act)?;
    let at = records.start;
    said(records, &format!("{} is held by {to}", plain(&item)))?;
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let custody = snapshot.custody().map_err(told(case))?;
    let mut out = std::io::stdout().lock();
    if let (Some(side), Some(hand_over)) = (without_device, custody.book.hand_over(at)) {
        let words = model::spoken::words(&hand_over.taken.hash);
        let person = hand_over.person(side);
        writeln!(
            out,
            "Read these words aloud to {person}, have them read back, and write them on the"
        )?;
        writeln!(out, "paper receipt. They acknowledge the record; they are no signature.\n")?;
        writeln!(out, "    {words}\n")?;
        say!(out, "Then: `vigie custody ack {at} WORDS`, as they were read back.")?;
    }
    if let Some(held) = custody.held(&item) {
        for fault in held.chain.of(at) {
            say!(out, "WRONG  {}", show::fault_text(fault))?;
        }
    }
    Ok(out.flush()?)
}

fn label(case: &Path, html: Option<&Path>, items: &[String]) -> Result<(), Told> {
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let labels = items
        .iter()
        .map(|item| snapshot.label(item))
        .collect::<desk::Result<Vec<_>>>()
        .map_err(told(case))?;
    let mut out = std::io::stdout().lock();
    match html {
        Some(path) => {
            let sheet = sheet(&labels).map_err(told(case))?;
            new_file(path, &sheet)?;
            writeln!(out, "{}: print it at its own size", path.display())?;
        }
        None => {
            let texts: Vec<String> = labels.iter().map(desk::custody::Label::text).collect();
            write!(out, "{}", texts.join("\n"))?;
        }
    }
    Ok(out.flush()?)
}

/// Writes a file that was not there: what a slip of the hand names is never lost.
fn new_file(path: &Path, text: &str) -> Result<(), Told> {
    write_with(path, text.as_bytes(), Overwrite::Never, 0o644).map_err(failed)
}

fn failed(error: ledger::Error) -> Told {
    Told::failure(&error, None)
}
