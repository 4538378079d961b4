//! `vigie authority`.

use std::io::Write;
use std::path::Path;

use ledger::Passphrase;
use serde_json::json;

use super::{home_dir, told};
use crate::cli::{Authority, Protect, Rotate};
use crate::error::Told;
use crate::passphrase;

/// Runs one of the words.
pub(crate) fn run(home: Option<&Path>, args: &Authority) -> Result<(), Told> {
    let home = home_dir(home)?;
    match args {
        Authority::Init { name } => init(&home, name),
        Authority::Key => key(&home),
        Authority::Passphrase(args) => protect(&home, args),
        Authority::Rotate(args) => rotate(&home, args),
    }
}

/// Names the authority.
fn init(home: &Path, name: &str) -> Result<(), Told> {
    desk::authority::init(home, name).map_err(told(home))?;
    let mut out = std::io::stdout();
    writeln!(out, "{name} signs from now on; its key is in {}", home.display())?;
    say!(out, "`vigie authority passphrase` puts the key under a passphrase.")?;
    Ok(())
}

/// Prints the public key.
fn key(home: &Path) -> Result<(), Told> {
    let key = desk::authority::public(home).map_err(told(home))?;
    Ok(writeln!(std::io::stdout(), "authority {key}")?)
}

/// Sets, changes or removes the passphrase of the authority's key.
fn protect(home: &Path, args: &Protect) -> Result<(), Told> {
    let holder = "vigie authority passphrase";
    let found = desk::authority::unlock(home).map_err(told(home))?;
    set_passphrase(args, "authority", found, |new| {
        desk::authority::protect(home, new, holder).map_err(told(home))
    })
}

/// Sets, changes or removes a passphrase: of the key of the one that `found` names, which says too
/// whether there is one now. It was asked for then.
pub(super) fn set_passphrase(
    args: &Protect,
    whose: &str,
    (name, sealed): (String, bool),
    set: impl Fn(Option<&Passphrase>) -> Result<(), Told>,
) -> Result<(), Told> {
    let none = |why: String| Told::Failure {
        what: format!("no new passphrase: {why}. The key is as it was"),
        next: None,
    };
    let done = if args.remove {
        set(None)?;
        if sealed { "removed" } else { "none" }
    } else {
        let new = match (&args.new, passphrase::named()) {
            (Some(path), _) => passphrase::of_file(path),
            // What the next command will read.
            (None, Some(path)) if !sealed => passphrase::of_file(&path),
            (None, _) => passphrase::ask_new(&name),
        };
        set(Some(&new.map_err(none)?))?;
        if sealed { "changed" } else { "set" }
    };
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", json!({ whose: name, "passphrase": done }))?;
        return Ok(());
    }
    let text = match done {
        "set" => "is under the passphrase now",
        "changed" => {
            "is under the new passphrase now; copies of the old file open with the old one"
        }
        "removed" => "is in the clear now, readable by you alone",
        _ => "was under no passphrase, and is not now",
    };
    writeln!(out, "The key of {name} {text}.")?;
    Ok(())
}

/// Replaces the key.
fn rotate(home: &Path, args: &Rotate) -> Result<(), Told> {
    let holder = "vigie authority rotate";
    let done = desk::authority::rotate(home, args.reason.clone(), holder).map_err(told(home))?;
    let mut out = std::io::stdout();
    if args.json {
        let document = json!({
            "authority": done.authority, "record": done.record, "old": done.old, "new": done.new,
            "completed": done.completed,
        });
        writeln!(out, "{document}")?;
        return Ok(());
    }
    let (name, record) = (&done.authority, done.record);
    if done.completed {
        writeln!(
            out,
            "A rotation that was cut off is complete; the key was not rotated once more."
        )?;
    }
    writeln!(out, "The key of {name} was rotated at record {record} of its own log.")?;
    writeln!(out, "  former: {}", done.old)?;
    writeln!(out, "  new:    {}", done.new)?;
    say!(out, "Each case is handed on to it at its next opening for writing (`vigie open`).")?;
    writeln!(
        out,
        "Who trusts or witnesses {name} adds, below the former one: authority {}",
        done.new
    )?;
    Ok(())
}
