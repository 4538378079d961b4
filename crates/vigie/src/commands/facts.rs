//! `vigie facts`.

use crate::cli::Facts;
use crate::error::Told;
use std::path::Path;

/// Runs the command.
pub(crate) fn run(_home: Option<&Path>, _args: &Facts) -> Result<(), Told> {
    Err(Told::Misuse("not yet".to_owned()))
}
