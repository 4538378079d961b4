//! `vigie data update`.

use std::io::Write;
use std::path::Path;

use serde_json::json;

use super::open::grouped;
use super::{home_dir, told};
use crate::error::Told;
use crate::progress::bytes;

/// Makes a newer table of addresses.
pub(crate) fn update(home: Option<&Path>, from: Option<&Path>, json: bool) -> Result<(), Told> {
    let home = home_dir(home)?;
    let made = desk::addresses::update(&home, from).map_err(told(&home))?;
    let mut out = std::io::stdout().lock();
    if json {
        let document = json!({
            "path": made.path.display().to_string(), "bytes": made.bytes, "ipv4": made.ipv4,
            "ipv6": made.ipv6, "changed": made.changed,
        });
        writeln!(out, "{document}")?;
        return Ok(());
    }
    let (v4, v6) = (grouped(made.ipv4 as u64), grouped(made.ipv6 as u64));
    writeln!(
        out,
        "{}: {v4} IPv4 and {v6} IPv6 ranges, {}",
        made.path.display(),
        bytes(made.bytes)
    )?;
    let next = if made.changed {
        "The next `vigie open` seals it into its case; the countries there are then by it."
    } else {
        "It is the table that was there."
    };
    say!(out, "{next} Source of AS numbers: RouteViews, DB-IP.")?;
    Ok(())
}
