//! `vigie edge`.

mod follow;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use edge::frame::{Frame, Reply};
use edge::keep::{Config, KeepError};
use edge::keeping::Status;
use serde_json::json;

use super::{counted, plain};
use crate::cli::edge::{Edge, EdgeConfig};
use crate::error::Told;

/// Runs one of the words.
pub(crate) fn run(home: Option<&Path>, args: &Edge) -> Result<(), Told> {
    let mut out = std::io::stdout();
    match args {
        Edge::Keep(args) => keep(args),
        Edge::Follow { config, status: true, json } => follow::status(config, *json),
        Edge::Follow { config, .. } => follow::run(config),
        Edge::Stop { config, file, json } => follow::stop(config, file, *json),
        Edge::Trust => follow::trust(home),
        Edge::Status { config, json } => {
            let status = status(config)?;
            if *json {
                writeln!(out, "{}", json!(status))?;
                return Ok(());
            }
            tell(&mut out, &status)?;
            Ok(())
        }
        Edge::Release(config) => {
            let held = status(config)?.held;
            ask(config, &Frame::Release {})?;
            writeln!(out, "{} let in.", counted(held, "value"))?;
            Ok(())
        }
        Edge::Clear(config) => {
            let status = status(config)?;
            ask(config, &Frame::Clear {})?;
            writeln!(out, "Everything is open: {}.", values(&status))?;
            Ok(())
        }
    }
}

fn keep(args: &EdgeConfig) -> Result<(), Told> {
    let config = settings(args)?;
    edge::keep::run(&config, said(), super::ended()).map_err(|error| match &error {
        KeepError::Config(_) | KeepError::Zones(_) | KeepError::Access(_) => {
            Told::Misuse(error.to_string())
        }
        other => Told::failure(other, None),
    })
}

/// Says lines on stderr, whatever stands in them.
fn said() -> edge::keep::Told {
    Arc::new(|line: &str| {
        let _ = say!(std::io::stderr(), "{}", plain(line));
    })
}

fn settings(args: &EdgeConfig) -> Result<Config, Told> {
    Config::read(&args.config).map_err(|e| Told::Misuse(e.to_string()))
}

fn ask(args: &EdgeConfig, frame: &Frame) -> Result<Reply, Told> {
    let run = settings(args)?.run;
    let reply = edge::keep::ask(&run, frame).map_err(|e| Told::Failure {
        what: format!("no keep answers in {}: {e}", run.display()),
        next: Some("start it (`vigie edge keep`), and ask as the user as whom it runs".to_owned()),
    })?;
    match reply {
        Reply::Refused { message, .. } => {
            Err(Told::Failure { what: plain(&message).to_string(), next: None })
        }
        other => Ok(other),
    }
}

fn status(args: &EdgeConfig) -> Result<Status, Told> {
    match ask(args, &Frame::Status {})? {
        Reply::Status(status) => Ok(*status),
        other => Err(Told::Failure { what: format!("keep answered {other:?}"), next: None }),
    }
}

/// What is out, by kind.
fn values(status: &Status) -> String {
    let names = counted(status.out.saturating_sub(status.addresses), "name").to_string();
    match status.addresses {
        _ if !status.takes_addresses => names,
        1 => format!("{names}, 1 address"),
        n => format!("{names}, {} addresses", counted(n, "").trim_end()),
    }
}

fn tell(out: &mut impl Write, status: &Status) -> std::io::Result<()> {
    let seconds = |ms: u64| counted(ms.div_ceil(1000), "second");
    match status.epoch {
        Some(epoch) => writeln!(out, "Feed: epoch {epoch}, serial {}.", status.serial)?,
        None => writeln!(out, "Feed: no follower has begun.")?,
    }
    let out_now = values(status);
    let observed = if status.observe { ", counted only: keep observes" } else { "" };
    writeln!(out, "Out: {out_now}{observed}.")?;
    if status.held > 0 {
        let held = counted(status.held, "value");
        say!(out, "ALARM: {held} held: `vigie edge release --config FILE` lets them in.")?;
    }
    match status.silence_in_ms {
        Some(ms) => writeln!(out, "All is opened in {} if the feed is silent.", seconds(ms))?,
        None => writeln!(out, "The feed is silent: everything is open.")?,
    }
    if let Some(ms) = status.next_in_ms {
        writeln!(out, "The next of them ends in {}.", seconds(ms))?;
    }
    for driver in &status.drivers {
        let name = plain(&driver.driver);
        match &driver.alarm {
            Some(why) => writeln!(out, "ALARM: {name}: {}.", plain(why))?,
            None if driver.observe => writeln!(out, "{name}: observes, and blocks nothing.")?,
            None => writeln!(out, "{name}: holds {}.", counted(driver.holds, "value"))?,
        }
    }
    writeln!(
        out,
        "Since it began: {} refused, silent {}. {} on the protected list.",
        counted(status.refused, "frame"),
        counted(status.silences, "time"),
        counted(status.protected, "rule")
    )
}
