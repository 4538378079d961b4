//! What is derived from all exhibits together: which keys are one thing, how things are linked, and
//! how many there are by the registry's counting rules.
//!
//! [`settle`] makes all of it anew in one transaction, so that a reader sees the old state or the
//! new one. It reads facts from SQLite, rows through the sorted indexes beside the tables (never a
//! whole table but for the columns a rule needs), and keeps no list in memory that grows with the
//! number of rows.

mod bulk;
mod distinct;
mod entities;
mod figures;
mod links;
mod names;
mod naming;
mod payments;
mod places;
mod rows;
mod summary;

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

pub use figures::FIGURES;
pub(crate) use naming::{names, stated_by};
pub(crate) use places::{BUILT_IN, MAX_TABLE, overlay_of, ranges_of};
pub use summary::Summary;
pub(crate) use summary::{countries, entities, links, payments, summary};

use crate::desk::Desk;
use crate::progress::Progress;
use crate::{Error, Result};

/// Brings everything derived up to date, if anything changed since the last time.
pub(crate) fn settle(desk: &mut Desk, progress: &Progress, cancel: &AtomicBool) -> Result<()> {
    let views = desk.views()?;
    if views.meta::<i64>("stale")?.unwrap_or(1) == 0 {
        views.db.execute("DELETE FROM meta WHERE name = 'progress'", [])?;
        return Ok(());
    }
    progress.stage("resolve", "");
    let tables = places::Tables::of(desk)?;
    let folder = desk.dir().join("tables");
    let views = desk.views()?;
    let keys = &mut views.keys;
    let tx = views.db.transaction()?;
    let result = (|| {
        clear(&tx)?;
        let resolved = entities::resolve(&tx)?;
        entities::fill(&tx, keys, &resolved)?;
        go_on(cancel)?;
        links::fill(&tx)?;
        places::fill(&tx, &tables)?;
        go_on(cancel)?;
        progress.stage("count", "");
        payments::fill(&tx, &folder)?;
        payments::sum(&tx)?;
        let mut case = bulk::Case::open(&tx, &folder, &resolved)?;
        go_on(cancel)?;
        case.count(keys, cancel)?;
        figures::fill(&tx, &case, cancel)?;
        entities::finish(&tx)?;
        tx.execute("DELETE FROM meta WHERE name = 'progress'", [])?;
        crate::views::set_meta(&tx, "stale", 0)
    })();
    match result {
        Ok(()) => Ok(tx.commit()?),
        Err(error) => {
            keys.forget();
            Err(error)
        }
    }
}

fn go_on(cancel: &AtomicBool) -> Result<()> {
    if cancel.load(Ordering::Relaxed) { Err(Error::Cancelled) } else { Ok(()) }
}

fn clear(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM entity; DELETE FROM link; DELETE FROM entity_row; DELETE FROM payment;
         DELETE FROM payment_sum;
         DELETE FROM autonomous_system; DELETE FROM figure; DELETE FROM tally;",
    )?;
    Ok(())
}

/// The number of a word in `word`.
pub(crate) fn word_id(word: &str) -> i64 {
    crate::views::words().iter().position(|w| *w == word).map_or(-1, |i| i as i64)
}
