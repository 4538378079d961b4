//! The authority that signs.

use std::path::Path;

use vault::Home;

use crate::Result;

/// Names the authority whose folder is `home`: makes its key and its own log.
///
/// # Errors
/// A name that is none; an authority that is named already; the disk.
pub fn init(home: &Path, name: &str) -> Result<()> {
    Home::new(home).init(name, &vault::random()?)?;
    Ok(())
}
