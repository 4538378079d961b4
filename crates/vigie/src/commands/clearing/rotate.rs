//! The feed's key replaced by a new one. The record is before the key, and the key before its name: whatever is cut off
//! leaves the old state or the new one (docs/keys.md).

use std::io::Write;
use std::path::Path;

use desk::clearing::HouseAct;
use desk::clearing::door::{self, Reply, Request};
use desk::clearing::publish::{forget_next, forget_unrecorded, next_feed_key, replacing, settled};
use serde_json::json;

use super::stop_file::at_authority;
use super::{because, only_role, place};
use crate::cli::clearing::Acting;
use crate::commands::{home_dir, plain, told};
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
    let _alone = replacing(&home).map_err(told(&home))?;
    // One that was cut off behind its record is completed, and another follows it.
    let before = super::show::read(Some(&home), dir)?;
    settled(&home, &authority, &before).map_err(told(&home))?;
    let act = next_feed_key(&home, &authority, because(grounds)?).map_err(told(&home))?;
    let HouseAct::TurnFeedKey { old, .. } = &act else { return Ok(()) };
    let old = old.clone();
    let reply = door::ask(&at, &Request::of_house(person.clone(), role, act.clone()));
    let reply = reply.map_err(told(dir))?;
    if matches!(reply, Reply::Refused { .. } | Reply::Misuse { .. }) {
        forget_next(&home, &act).map_err(told(&home))?;
    }
    super::noted(reply)?;
    let after = super::show::read(Some(&home), dir)?;
    let key = settled(&home, &authority, &after).map_err(told(&home))?.verifier().text();
    // What else was made for the key before can be recorded no more.
    forget_unrecorded(&home).map_err(told(&home))?;
    let mut out = std::io::stdout();
    let standby = after.standbys.named.as_ref().map(|named| named.name.clone());
    if *json {
        let document = json!({ "old": old, "new": key, "standby": standby });
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
    if let Some(standby) = standby {
        say!(
            out,
            "The standby {} has the old one still, and could not go on with the feed: copy HOME/shield/feed-key there \
             (docs/standby.md).",
            plain(&standby)
        )?;
    }
    Ok(())
}
