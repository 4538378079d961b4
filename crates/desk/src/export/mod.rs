//! Entities and links for other tools: CSV, JSON lines, FollowTheMoney statements, GraphML.
//!
//! Every format is streamed from one snapshot, page by page: memory stays bounded whatever the
//! case's size. Secrets never leave: they are not in the views.

mod cell;
mod ftm;
mod graphml;
mod lines;

use std::io::Write;
use std::path::Path;

use crate::read::{
    EntityFilter, EntityHead, LinkFilter, LinkRow, MAX_PAGE, Page, Paging, Snapshot,
};
use crate::{Error, Result};

pub use cell::neutral;
pub use ftm::schema as ftm_schema;

/// How entities and links are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One table: entities first, then links.
    Csv,
    /// One JSON object a line: entities first, then links.
    JsonLines,
    /// FollowTheMoney statements as CSV. Kinds that FollowTheMoney lacks use the schemata of
    /// [`ftm_schema`].
    FollowTheMoney,
    /// A graph for Gephi and its like.
    GraphMl,
}

/// Writes the entities and links of the snapshot to `out`.
///
/// # Errors
/// What the views or `out` say.
pub fn export(snapshot: &Snapshot, format: Format, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Csv => lines::csv(snapshot, out),
        Format::JsonLines => lines::json(snapshot, out),
        Format::FollowTheMoney => ftm::statements(snapshot, out),
        Format::GraphMl => graphml::graph(snapshot, out),
    }
}

/// Writes an export as a file, whole or not at all.
///
/// # Errors
/// What the views or the disk say.
pub fn to_file(snapshot: &Snapshot, format: Format, path: &Path) -> Result<()> {
    to_file_with(path, &mut |out| export(snapshot, format, out))
}

/// Writes what `write` writes as a file, whole or not at all.
///
/// # Errors
/// What `write` or the disk say.
pub fn to_file_with(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let mut file = begun(path)?;
    {
        let mut out = std::io::BufWriter::new(file.writer());
        write(&mut out)?;
        out.flush().map_err(written)?;
    }
    Ok(file.persist(path, ledger::disk::Overwrite::Replace)?)
}

/// Says before long work whether its end can be written there.
///
/// # Errors
/// The folder is missing or may not be written to; the path is a folder's.
pub fn check_file(path: &Path) -> Result<()> {
    begun(path).map(drop)
}

fn begun(path: &Path) -> Result<ledger::disk::Pending> {
    if path.is_dir() {
        return Err(Error::Asked(format!("{} is a folder: name a file in it", path.display())));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let (path, folder) = (path.display(), folder.display());
        return Err(Error::Asked(format!("{path} cannot be written: there is no folder {folder}")));
    }
    Ok(ledger::disk::Pending::new(folder)?)
}

fn written(error: std::io::Error) -> Error {
    Error::Output(error)
}

/// Walks every page of a list.
fn pages<T>(
    mut next: impl FnMut(&Paging) -> Result<Page<T>>,
    mut each: impl FnMut(T) -> Result<()>,
) -> Result<()> {
    let mut paging = Paging { after: None, limit: MAX_PAGE };
    loop {
        let page = next(&paging)?;
        for item in page.items {
            each(item)?;
        }
        match page.next {
            Some(after) => paging.after = Some(after),
            None => return Ok(()),
        }
    }
}

fn each_entity(snapshot: &Snapshot, each: impl FnMut(EntityHead) -> Result<()>) -> Result<()> {
    pages(|paging| snapshot.entities(&EntityFilter::default(), paging), each)
}

fn each_link(snapshot: &Snapshot, each: impl FnMut(LinkRow) -> Result<()>) -> Result<()> {
    pages(|paging| snapshot.links(&LinkFilter::default(), paging), each)
}
