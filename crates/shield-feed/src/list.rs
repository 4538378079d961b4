//! The lists: what is out, for those who take neither the feed nor zones.
//!
//! | file | what stands in it |
//! |---|---|
//! | `list.txt` | a value a line |
//! | `list.csv` | `value,kind,expires,code,ticket,item`, a value a line, after that line |
//! | `list.json` | `{"epoch":…,"serial":…,"session":"…","values":[…]}`, a value a line |
//!
//! Values stand in their order, so that one state has one writing. Times are UTC, RFC 3339. Each has its
//! checksum beside it, `list.txt.sha256`, as `sha256sum --check` reads it.

use std::io::{self, Write};

use jiff::Timestamp;
use shield::Item;
use shield::feed::{Entry, Place, View};

use crate::error::StoreError;
use crate::store::{Store, ViewName, Written};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lists {
    /// `list.txt`.
    pub txt: Written,
    /// `list.csv`.
    pub csv: Written,
    /// `list.json`.
    pub json: Written,
}

/// Why the lists could not be written; the earlier ones stand.
#[derive(Debug, thiserror::Error)]
#[error("the list {name} could not be written: {source}")]
pub struct ListError {
    /// Which.
    pub name: &'static str,
    /// Why.
    pub source: StoreError,
}

/// Writes the three lists of a view, and their checksums. They are streamed; each replaces the one before.
///
/// # Errors
/// The disk; a list longer than a file may be.
pub fn write_lists(
    store: &Store,
    name: &ViewName,
    place: Place,
    view: &View,
) -> Result<Lists, ListError> {
    let write = |file: &'static str, make: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
        store.list(name, file, make).map_err(|source| ListError { name: file, source })
    };
    Ok(Lists {
        txt: write("list.txt", &|out| txt(out, view))?,
        csv: write("list.csv", &|out| csv(out, view))?,
        json: write("list.json", &|out| json(out, place, view))?,
    })
}

fn txt(out: &mut dyn Write, view: &View) -> io::Result<()> {
    view.entries().try_for_each(|(value, _)| writeln!(out, "{value}"))
}

fn csv(out: &mut dyn Write, view: &View) -> io::Result<()> {
    writeln!(out, "value,kind,expires,code,ticket,item")?;
    for (value, entry) in view.entries() {
        // Neither values (names, addresses) nor codes (words of ours) hold what CSV would quote.
        let (kind, code) = (value.kind().word(), entry.code.unwrap_or(""));
        let (expires, ticket, item) = (time(&entry)?, entry.ticket(), entry.item);
        writeln!(out, "{value},{kind},{expires},{code},{ticket},{item}")?;
    }
    Ok(())
}

fn json(out: &mut dyn Write, place: Place, view: &View) -> io::Result<()> {
    let Place { session, epoch, serial } = place;
    write!(
        out,
        "{{\"epoch\":{epoch},\"serial\":{serial},\"session\":\"{session:016x}\",\"values\":["
    )?;
    for (n, (value, entry)) in view.entries().enumerate() {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        json_value(out, value, &entry)?;
    }
    out.write_all(b"\n]}\n")
}

fn json_value(out: &mut dyn Write, value: &Item, entry: &Entry) -> io::Result<()> {
    write!(out, "{{")?;
    if let Some(code) = entry.code {
        write!(out, "\"code\":\"{code}\",")?;
    }
    let (kind, expires) = (value.kind().word(), time(entry)?);
    let (ticket, item) = (entry.ticket(), entry.item);
    write!(
        out,
        "\"expires\":\"{expires}\",\"item\":\"{item}\",\"kind\":\"{kind}\",\"ticket\":{ticket},\"value\":\"{value}\"}}"
    )
}

fn time(entry: &Entry) -> io::Result<Timestamp> {
    Timestamp::from_millisecond(entry.expires.0).map_err(io::Error::other)
}
