//! Taking in another case's package: as an exhibit, whole, with its proofs inside it. Its members are
//! read as those of any archive; its handling code is theirs from the first moment on.

use std::path::Path;

use ledger::Trust;
use model::ExhibitId;
use model::record::{Body, PackageImported};
use sha2::{Digest, Sha256};

use super::handling::{Handling, may_enter};
use crate::desk::{Desk, Place};
use crate::open::{Opened, Request, Work, open};
use crate::{Error, Result};
use vault::package::Checked;

/// What was taken in.
#[derive(Debug)]
pub struct Imported {
    /// What checking it found: nothing wrong.
    pub checked: Checked,
    /// The package's file, as an exhibit.
    pub exhibit: ExhibitId,
    /// The record of it; `None` where the log has it already.
    pub record: Option<u64>,
    /// What came of opening it.
    pub opened: Opened,
}

/// Checks a package's file and takes it in. Nothing is taken in that does not hold.
///
/// # Errors
/// It does not hold; its handling code forbids it; no file; as [`open`].
pub fn import(place: &Place, file: &Path, trust: Option<&Trust>, work: &Work) -> Result<Imported> {
    if !file.is_file() {
        return Err(Error::Asked(format!(
            "{} is no file: a package is taken in as the zip file that it came in",
            file.display()
        )));
    }
    let checked = super::check(file, trust, &|_| {})?.map_err(|e| {
        let why = std::error::Error::source(&e).map(|s| format!(": {s}")).unwrap_or_default();
        Error::Asked(format!("{e}{why}. Nothing was taken in"))
    })?;
    if let Some(first) = checked.findings.first() {
        return Err(Error::Asked(format!(
            "{} does not hold: {}: {}. Nothing was taken in; `vigie package verify` tells all",
            file.display(),
            first.place,
            first.message
        )));
    }
    let field = |name: &str| checked.field(name).unwrap_or_default().to_owned();
    let handling: Handling = field("Vigie-Handling")
        .parse()
        .map_err(|e| Error::Asked(format!("{}: bag-info.txt: {e}", file.display())))?;
    let recipient = field("Vigie-Recipient");
    let exhibit = digest(file)?;
    let mut desk = Desk::open_or_create(place)?;
    let recorded = record(&mut desk, &checked, handling, &recipient, exhibit);
    let closed = desk.close();
    let record = recorded?;
    closed?;
    let opened =
        open(place, &Request { paths: vec![file.to_owned()], ..Request::default() }, work)?;
    if vault::Case::read(&place.case)?.exhibit(&exhibit)?.is_none() {
        return Err(Error::Asked(format!(
            "{} changed while it was taken in: what was sealed is not what was checked",
            file.display()
        )));
    }
    Ok(Imported { checked, exhibit, record, opened })
}

fn record(
    desk: &mut Desk,
    checked: &Checked,
    handling: Handling,
    recipient: &str,
    exhibit: ExhibitId,
) -> Result<Option<u64>> {
    may_enter(desk.case.authority(), recipient, handling)?;
    for item in desk.case.records(0) {
        let (_, record, opening) = item?;
        if let Ok(Body::PackageImported(body)) = Body::read(&record, &opening)
            && body.exhibit == exhibit
        {
            return Ok(None);
        }
    }
    let manifest = checked.manifest.ok_or(Error::Cancelled)?;
    let body = PackageImported {
        exhibit,
        origin: checked.origin.clone(),
        manifest,
        recipient: recipient.to_owned(),
        handling: handling.text().to_owned(),
        restriction: checked.field("Vigie-Restriction").map(str::to_owned),
        confirmed: checked.signer_confirmed,
    };
    Ok(Some(desk.commit(vec![body.into()])?.start))
}

fn digest(file: &Path) -> Result<ExhibitId> {
    let read = |source| Error::Read { path: file.to_owned(), source };
    let mut from = std::fs::File::open(file).map_err(read)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match std::io::Read::read(&mut from, &mut buffer).map_err(read)? {
            0 => return Ok(ExhibitId(hash.finalize().into())),
            n => hash.update(&buffer[..n]),
        }
    }
}
