//! Files of views that are gone or damaged: what was read into them is read again. So are images whose
//! file systems could not be read for want of a program, or of room, that is there now.

use std::path::Path;

use crate::Result;
use crate::desk::Desk;
use crate::index::IndexFile;
use crate::tables::TableFile;

/// Drops from the views each exhibit of which a table or an index is not there as it was written, so
/// that it is read again. Looks at footers alone: a byte changed inside a page is found by `verify`.
pub(super) fn repair(desk: &mut Desk) -> Result<()> {
    let folder = desk.dir().join("tables");
    let room = ledger::disk::nameless::free(desk.dir()).unwrap_or(0);
    let views = desk.views()?;
    let mut damaged = Vec::new();
    {
        let mut tables = views.db.prepare(
            "SELECT exhibit, file, rows FROM bulk WHERE file IS NOT NULL
             UNION ALL
             SELECT b.exhibit, i.file, -i.keys FROM bulk_index i JOIN bulk b ON b.id = i.bulk",
        )?;
        let mut found = tables.query([])?;
        while let Some(row) = found.next()? {
            let (ord, file, count): (i64, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            if damaged.last() != Some(&ord) && !is_whole(&folder.join(&file), &file, count) {
                damaged.push(ord);
            }
        }
    }
    if vault::unpack::Tools::find().is_some() {
        // A problem's id holds the place of its exhibit.
        let mut waiting = views.db.prepare(
            "SELECT DISTINCT id >> 32 FROM problem WHERE kind = 'unsupported' AND instr(message, ?)",
        )?;
        let mut found = waiting.query([vault::unpack::INSTALL])?;
        while let Some(row) = found.next()? {
            damaged.push(row.get(0)?);
        }
    }
    {
        let mut waiting = views.db.prepare(
            "SELECT DISTINCT id >> 32, message FROM problem WHERE kind = 'unsupported' AND instr(message, ?)",
        )?;
        let mut found = waiting.query([vault::unpack::ROOM])?;
        while let Some(row) = found.next()? {
            let (ord, message): (i64, String) = (row.get(0)?, row.get(1)?);
            let wanted = vault::unpack::room_wanted(&message);
            if wanted.is_some_and(|wanted| wanted <= room) {
                damaged.push(ord);
            }
        }
    }
    damaged.sort_unstable();
    damaged.dedup();
    views.unload(&damaged)
}

fn is_whole(path: &Path, name: &str, count: i64) -> bool {
    if name.ends_with(".parquet") {
        TableFile::open(path).is_ok_and(|file| file.rows() as i64 == count)
    } else {
        IndexFile::open(path).is_ok_and(|index| index.keys() as i64 == -count)
    }
}
