//! `vigie authority init`.

use std::io::Write;
use std::path::Path;

use super::{home_dir, told};
use crate::error::Told;

/// Names the authority.
pub(crate) fn init(home: Option<&Path>, name: &str) -> Result<(), Told> {
    let home = home_dir(home)?;
    desk::authority::init(&home, name).map_err(told(&home))?;
    writeln!(std::io::stdout(), "{name} signs from now on; its key is in {}", home.display())?;
    Ok(())
}
