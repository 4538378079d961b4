//! The commands: each turns words into one call of the desk and prints what comes back.

pub(crate) mod actor;
pub(crate) mod authority;
pub(crate) mod backup;
pub(crate) mod capture;
pub(crate) mod clearing;
pub(crate) mod custody;
pub(crate) mod data;
pub(crate) mod edge;
pub(crate) mod erase;
pub(crate) mod export;
pub(crate) mod facts;
pub(crate) mod log;
pub(crate) mod open;
pub(crate) mod package;
pub(crate) mod parse;
pub(crate) mod party;
pub(crate) mod privilege;
pub(crate) mod probe;
pub(crate) mod range;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod shield;
pub(crate) mod show;
pub(crate) mod sql;
pub(crate) mod stamp;
pub(crate) mod ticket;
pub(crate) mod times;
pub(crate) mod verify;
pub(crate) mod views;
pub(crate) mod witness;

use std::io::Read;
use std::path::{Path, PathBuf};

use desk::read::{CellValue, EntityHead, ShownValue, Source};
use serde_json::{Value, json};

use crate::error::Told;

/// The authority's folder: `--home`, else `VIGIE_HOME`, else the user's configuration folder.
pub(crate) fn home_dir(home: Option<&Path>) -> Result<PathBuf, Told> {
    if let Some(home) = home {
        return Ok(home.to_owned());
    }
    let named =
        |variable: &str| std::env::var_os(variable).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(home) = named("VIGIE_HOME") {
        return Ok(home);
    }
    named("XDG_CONFIG_HOME")
        .or_else(|| named("HOME").map(|h| h.join(".config")))
        .map(|config| config.join("vigie"))
        .ok_or_else(|| {
            Told::Misuse("no folder for the authority's key: name one with --home".to_owned())
        })
}

/// Where the work is done, by whom, for what.
pub(crate) fn place(home: Option<&Path>, case: &Path, holder: &str) -> Result<desk::Place, Told> {
    let user =
        ["USER", "LOGNAME"].iter().find_map(|v| std::env::var(v).ok()).filter(|u| !u.is_empty());
    Ok(desk::Place {
        case: case.to_owned(),
        home: home_dir(home)?,
        actor: user.unwrap_or_else(|| "unnamed".to_owned()),
        holder: holder.to_owned(),
        // A command's turn comes; whoever runs a clearing house has its log for as long as it runs, and that is said.
        wait: if desk::clearing::is_house(case) { desk::Wait::Fail } else { desk::Wait::Wait },
    })
}

/// Text for a terminal: control and bidi characters cannot act there.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '␊',
            '\t' => '␉',
            c if c.is_control() => '\u{fffd}',
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}

/// What is no exhibit's id.
pub(crate) fn no_exhibit(error: model::id::IdError) -> Told {
    Told::Misuse(format!("an exhibit's id is wanted ({error}): `vigie search NAME` finds it"))
}

/// `1 link`, `2 links`.
pub(crate) fn counted(n: u64, thing: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{} {thing}{end}", open::grouped(n))
}

/// Until somebody ends it: Ctrl-C, or the system.
pub(crate) async fn ended() {
    let term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    match term {
        Ok(mut term) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

/// Text cut to `width` characters.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// What came up in the case of that folder, as a user reads it.
pub(crate) fn told(case: &Path) -> impl Fn(desk::Error) -> Told + '_ {
    |error| match error.at(case) {
        desk::Error::Asked(what) => Told::Misuse(what),
        desk::Error::Output(error) => error.into(),
        desk::Error::Package(error) if error.is_asked() => match Told::failure(&error, None) {
            Told::Failure { what, .. } => Told::Misuse(what),
            other => other,
        },
        other => Told::failure(&other, None),
    }
}

pub(crate) fn value_text(value: &ShownValue) -> String {
    match value {
        ShownValue::Text(text) | ShownValue::Time { text, .. } => text.clone(),
        ShownValue::Int(n) => n.to_string(),
        ShownValue::Bool(b) => b.to_string(),
        ShownValue::Money(m) => m.to_string(),
        ShownValue::Entity { written, .. } => written.as_str().to_owned(),
        ShownValue::Masked => "•••".to_owned(),
    }
}

pub(crate) fn value_json(value: &ShownValue) -> Value {
    match value {
        ShownValue::Int(n) => (*n).into(),
        ShownValue::Bool(b) => (*b).into(),
        ShownValue::Masked => json!({"masked": true}),
        ShownValue::Entity { entity, written } => {
            json!({"entity": entity.id.to_string(), "kind": entity.kind.name(), "caption": entity.caption, "key": written.as_str()})
        }
        other => value_text(other).into(),
    }
}

pub(crate) fn source_json(source: &Source) -> Value {
    json!({"exhibit": source.exhibit.to_string(), "name": source.name, "start": source.start, "end": source.end, "parser": source.parser})
}

pub(crate) fn entity_json(head: &EntityHead) -> Value {
    json!({
        "id": head.id.to_string(), "kind": head.kind.name(), "caption": head.caption,
        "key": head.key.as_str(), "country": head.country, "asn": head.asn,
        "facts": head.facts, "links": head.links,
    })
}

pub(crate) fn cell_text(cell: &CellValue) -> String {
    match cell {
        CellValue::Null => String::new(),
        CellValue::Int(n) => n.to_string(),
        CellValue::Real(n) => n.to_string(),
        CellValue::Text(text) => text.clone(),
        CellValue::Bytes(bytes) => model::id::hex(bytes),
        CellValue::Masked => "•••".to_owned(),
    }
}

pub(crate) fn cell_json(cell: &CellValue) -> Value {
    match cell {
        CellValue::Null => Value::Null,
        CellValue::Int(n) => (*n).into(),
        CellValue::Real(n) => (*n).into(),
        CellValue::Text(text) => text.as_str().into(),
        CellValue::Bytes(bytes) => json!({"hex": model::id::hex(bytes)}),
        CellValue::Masked => json!({"masked": true}),
    }
}

/// A small file's text.
pub(crate) fn read_text(path: &Path, most: usize) -> Result<String, Told> {
    String::from_utf8(read_bytes(path, most)?).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        Told::Misuse(format!("{} is not text (byte {at})", path.display()))
    })
}

/// A small file's bytes.
pub(crate) fn read_bytes(path: &Path, most: usize) -> Result<Vec<u8>, Told> {
    let failed = |e: std::io::Error| Told::Failure {
        what: format!("{} could not be read: {e}", path.display()),
        next: None,
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        let what = format!("{} is longer than {most} bytes: it is no such file", path.display());
        return Err(Told::Misuse(what));
    }
    Ok(bytes)
}
