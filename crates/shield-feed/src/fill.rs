//! A file while it is written: hashed as it goes, and stopped at its bound.

use std::io::{self, Write};
use std::path::Path;

use ledger::disk::{Hashed, Pending};

use crate::error::StoreError;
use crate::store::{MAX_FILE, Written};

/// Writes what `make` makes into an unfinished file, durably.
pub(crate) fn fill(
    folder: &Path,
    make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(Pending, Written), StoreError> {
    let mut pending = Pending::new(folder)?;
    let mut hashed = Hashed::new(&mut pending, MAX_FILE);
    let made = {
        let mut out = io::BufWriter::with_capacity(64 << 10, &mut hashed);
        make(&mut out).and_then(|()| out.flush())
    };
    let over = hashed.is_over();
    let (hash, bytes) = hashed.end();
    if over {
        return Err(StoreError::TooLong);
    }
    made.map_err(StoreError::Content)?;
    pending.settle()?;
    Ok((pending, Written { hash, bytes }))
}
