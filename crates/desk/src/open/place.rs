//! Finished runs get their files' names and enter the views.

use std::path::Path;

use ledger::disk::{Batch, Overwrite};

use crate::Result;
use crate::pipeline::run::Finished;
use crate::tables::{file_name, index_name};
use crate::views::{IndexPlaced, Placed};

/// A run whose record stands in the log.
pub(crate) struct Recorded {
    pub(crate) ord: i64,
    pub(crate) record: i64,
    pub(crate) run: Finished,
}

/// Names the files of runs, durably.
pub(crate) fn place(folder: &Path, runs: Vec<Recorded>) -> Result<Vec<Placed>> {
    let mut batch = Batch::new();
    let mut placed = Vec::with_capacity(runs.len());
    for Recorded { ord, record, mut run } in runs {
        let mut files = Vec::with_capacity(run.tables.len());
        let mut indexes = Vec::with_capacity(run.tables.len());
        for (n, table) in run.tables.iter_mut().enumerate() {
            let n = u32::try_from(n).unwrap_or(u32::MAX);
            files.push(match table.file.take() {
                Some((file, digest)) => {
                    let path = folder.join(file_name(&run.exhibit, n));
                    batch.add(file, path, Overwrite::Replace)?;
                    Some(digest)
                }
                None => None,
            });
            let mut of_table = Vec::with_capacity(table.indexes.len());
            for (of, built) in table.indexes.drain(..) {
                let path = folder.join(index_name(&run.exhibit, n, &of.word()));
                let (keys, rows, digest) = (built.keys, built.rows, built.digest);
                batch.add(built.file, path, Overwrite::Replace)?;
                of_table.push(IndexPlaced { of, keys, rows, digest });
            }
            indexes.push(of_table);
        }
        placed.push(Placed { ord, record, run, files, indexes });
    }
    batch.commit()?;
    Ok(placed)
}
