//! The feed's key replaced by a new one. The record is before the key, and the key before its name: whatever is cut off
//! leaves the old state or the new one (docs/keys.md).

use std::io::Write;
use std::path::Path;

use desk::clearing::HouseAct;
use desk::clearing::door::{self, Request};
use desk::clearing::publish::{next_feed_key, settled};
use serde_json::json;

use super::stop_file::at_authority;
use super::{because, only_role, place};
use crate::cli::clearing::Acting;
use crate::commands::{home_dir, told};
use crate::error::Told;

/// Replaces it.
pub(super) fn run(home: Option<&Path>, grounds: &str, acting: &Acting) -> Result<(), Told> {
    let Acting { of, person, role, json } = acting;
    let dir = &of.shield;
    let at = desk::Place { wait: desk::Wait::Fail, ..place(home, dir, "vigie shield")? };
    let home = home_dir(home)?;
    let authority = at_authority(&home)?;
    let role = match role {
        Some(role) => role.clone(),
        None => only_role(&home, person)?.word().to_owned(),
    };
    // One that was cut off behind its record is completed, and another follows it.
    let before = super::show::read(Some(&home), dir)?;
    settled(&home, &authority, &before).map_err(told(&home))?;
    let act = next_feed_key(&home, &authority, because(grounds)?).map_err(told(&home))?;
    let HouseAct::TurnFeedKey { old, .. } = &act else { return Ok(()) };
    let old = old.clone();
    let reply = door::ask(&at, &Request::of_house(person.clone(), role, act)).map_err(told(dir))?;
    super::noted(reply)?;
    let after = super::show::read(Some(&home), dir)?;
    let key = settled(&home, &authority, &after).map_err(told(&home))?.verifier().text();
    let mut out = std::io::stdout();
    if *json {
        let document = json!({ "old": old, "new": key });
        return Ok(writeln!(out, "{document}")?);
    }
    say!(out, "The feed's key was replaced. From here on it is signed by")?;
    say!(out, "  {key}")?;
    say!(
        out,
        "ISPs that follow take it over by themselves; those whose settings name the old one go on."
    )?;
    say!(
        out,
        "Stops that were signed before are void: make new ones (`vigie shield stop-file make`)."
    )?;
    Ok(())
}
