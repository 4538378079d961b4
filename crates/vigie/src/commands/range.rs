//! `vigie range make`.

use std::io::Write;
use std::path::Path;

use crate::error::Told;
use crate::progress::{Progress, bytes};

/// Makes a practice seizure.
pub(crate) fn make(scenario: &str, scale: f64, seed: u64, out: &Path) -> Result<(), Told> {
    let scenario: range::Scenario =
        scenario.parse().map_err(|e: range::Error| Told::Misuse(e.to_string()))?;
    if !(0.0001..=1.0).contains(&scale) {
        return Err(Told::Misuse(format!("--scale {scale} is not between 0.0001 and 1")));
    }
    let mut bar = Progress::new();
    let mut written = 0;
    range::make(scenario, scale, seed, out, &mut |n| {
        written = n;
        bar.show("practice seizure", n, None);
    })
    .map_err(|e| match e {
        // It says itself what to do.
        range::Error::Taken(_) => Told::failure(&e, None),
        _ => Told::failure(&e, Some("name a new folder on a disk with room")),
    })?;
    bar.clear();
    writeln!(std::io::stdout(), "made {} in {}", bytes(written), out.display())?;
    Ok(())
}
