//! Tables that the user lays down: sealed as exhibits, named by a record, read by no parser.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use model::ExhibitId;
use model::record::{AddressesTaken, Body, MappingLaid, Name, TableLaid};
use vault::Origin;

use super::Request;
use crate::count::{overlay_of, ranges_of};
use crate::desk::Desk;
use crate::{Error, Result};

/// Largest mapping that is read.
pub(super) const MAX_MAPPING: u64 = 1 << 20;

/// Largest table of addresses that is read.
pub(super) const MAX_TABLE: u64 = crate::count::MAX_TABLE;

/// The text of a plain file that the user named, at most `most` bytes.
pub(super) fn text_of(path: &Path, most: u64) -> Result<String> {
    let read = |source| Error::Read { path: path.to_owned(), source };
    let metadata = path.metadata().map_err(read)?;
    if !metadata.is_file() {
        return Err(Error::Asked(format!("{} is no plain file", path.display())));
    }
    if metadata.len() > most {
        let (shown, most) = (path.display(), most >> 20);
        return Err(Error::Bound(format!("{shown} is larger than {most} MiB")));
    }
    std::fs::read_to_string(path).map_err(read)
}

/// Lays a table of addresses over the built-in one.
pub(super) fn address_table(desk: &mut Desk, path: &Path, request: &Request) -> Result<()> {
    let ranges = ranges_of(&overlay_of(&text_of(path, MAX_TABLE)?)?)?;
    let make = |exhibit, name| TableLaid { exhibit, name, ranges }.into();
    lay(desk, path, request, "address_table", make)
}

/// Takes the authority's refreshed table, where it has one, in the built-in one's place.
pub(super) fn addresses(desk: &mut Desk, request: &Request) -> Result<()> {
    let Some((path, ranges)) = crate::addresses::refreshed(&desk.place.home)? else {
        return Ok(());
    };
    let make = |exhibit, name| AddressesTaken { exhibit, name, ranges: ranges as u64 }.into();
    // It is the authority's own, and no item of the seizure.
    let request = Request { paths: request.paths.clone(), ..Request::default() };
    lay(desk, &path, &request, "addresses", make)
}

/// Lays a mapping down.
pub(super) fn mapping(desk: &mut Desk, path: &Path, request: &Request) -> Result<()> {
    lay(desk, path, request, "mapping", |exhibit, name| MappingLaid { exhibit, name }.into())
}

/// The mapping that holds, if one does.
pub(super) fn mapping_text(desk: &mut Desk) -> Result<Option<String>> {
    let Some(id) = desk.views()?.meta::<[u8; 32]>("mapping")? else { return Ok(None) };
    let id = ExhibitId(id);
    let bytes = desk.case.bytes(&id)?;
    if bytes.size() > MAX_MAPPING {
        return Err(Error::Bound("the mapping is larger than 1 MiB".to_owned()));
    }
    let text = bytes
        .range(0, bytes.size())
        .map_err(|source| Error::Read { path: id.to_string().into(), source })?;
    String::from_utf8(text)
        .map(Some)
        .map_err(|_| Error::Asked("the mapping is not UTF-8 text".to_owned()))
}

fn lay(
    desk: &mut Desk,
    path: &Path,
    request: &Request,
    sort: &str,
    make: impl FnOnce(ExhibitId, Name) -> Body,
) -> Result<()> {
    let path =
        path.canonicalize().map_err(|source| Error::Read { path: path.to_owned(), source })?;
    let staged = desk.case.stager().file(&path)?;
    let id = staged.id();
    if desk.views()?.meta::<[u8; 32]>(sort)? == Some(id.0) {
        return Ok(());
    }
    let name = Name(path.as_os_str().as_bytes().to_vec());
    let origin = Origin {
        source: Some(name.clone()),
        item: request.item.clone(),
        authorisation: request.authorisation.clone(),
        seized_by: request.seized_by.clone(),
        at: request.at.clone(),
        member: None,
    };
    let stamp = desk.stamp();
    let mut batch = desk.case.batch();
    batch.seal(staged, &origin)?;
    batch.record(make(id, name));
    batch.commit(&stamp)?;
    desk.catch_up()
}
