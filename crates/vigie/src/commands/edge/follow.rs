//! `vigie edge follow`, and the keys that it trusts.

use std::io::Write;
use std::path::Path;

use desk::clearing::publish::public_keys;
use edge::follow::{Brought, Config, FollowError, Status, StopError};
use edge::frame::Frame;
use serde_json::json;
use shield::order::Halt;
use shield::wire::stop::{Act, MAX_STOP};

use crate::commands::{counted, ended, home_dir, plain, read_bytes, told};
use crate::error::Told;

/// Follows until interrupted.
pub(super) fn run(config: &Path) -> Result<(), Told> {
    let config = settings(config)?;
    edge::follow::run(&config, super::said(), ended()).map_err(|error| match &error {
        FollowError::Config(_) => Told::Misuse(error.to_string()),
        other => Told::failure(other, None),
    })
}

/// Brings a stop file.
pub(super) fn stop(config: &Path, file: &Path, as_json: bool) -> Result<(), Told> {
    let config = settings(config)?;
    let bytes = read_bytes(file, MAX_STOP)?;
    let Brought { file, runs } = edge::follow::bring(&config, &bytes).map_err(|error| {
        let misuse = matches!(error, StopError::Config(_));
        let what = error.to_string();
        if misuse { Told::Misuse(what) } else { Told::Failure { what, next: None } }
    })?;
    // Nobody tells keep anything where no follow runs: what is to be open is opened here.
    let lets_go = matches!(file.act, Act::Stop { halt: Halt::Lifts, .. });
    let emptied = match &config.keep {
        Some(run) if lets_go => edge::keep::ask(run, &Frame::Clear {}).is_ok(),
        _ => false,
    };
    let mut out = std::io::stdout();
    if as_json {
        let act = if file.act == Act::Resume { "resume" } else { "stop" };
        let document = json!({
            "act": act, "epoch": file.epoch, "made": file.made.0, "why": file.why, "follow_runs": runs,
            "keep_emptied": emptied,
        });
        return Ok(writeln!(out, "{document}")?);
    }
    say!(out, "Obeyed: {}.", plain(&edge::follow::told(&file)))?;
    if !runs {
        say!(out, "No follow runs: it obeys as soon as it begins.")?;
    }
    if lets_go && !emptied && !config.observe {
        say!(
            out,
            "Keep did not answer: what it has out ends with the feed's silence; end it to open all now."
        )?;
    }
    Ok(())
}

fn settings(config: &Path) -> Result<Config, Told> {
    Config::read(config).map_err(|e| Told::Misuse(e.to_string()))
}

/// How the one that runs stands.
pub(super) fn status(config: &Path, as_json: bool) -> Result<(), Told> {
    let config = settings(config)?;
    let next = || Some("start it: `vigie edge follow --config FILE`".to_owned());
    let status = Status::read(&config.state)
        .map_err(|e| Told::Failure { what: e.to_string(), next: next() })?;
    let ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = ms.map_or(0, |ms| i64::try_from(ms.as_millis()).unwrap_or(i64::MAX));
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", json!(status))?;
    } else {
        tell(&mut out, &status, now)?;
    }
    if status.is_old(now) {
        let ago = counted(now.abs_diff(status.at) / 1000, "second");
        let what = format!("no follow runs: {} was written {ago} ago", config.state.display());
        return Err(Told::Failure { what, next: next() });
    }
    Ok(())
}

fn tell(out: &mut impl Write, status: &Status, now: i64) -> std::io::Result<()> {
    let mut view = plain(&status.view);
    if !status.reads.is_empty() && status.reads != status.view {
        view = format!("{} (there is no view of {view} alone now)", plain(&status.reads));
    }
    match status.epoch {
        Some(epoch) => {
            writeln!(out, "Feed: view {view}, epoch {epoch}, serial {}.", status.serial)?;
        }
        None => writeln!(out, "Feed: view {view}, nothing taken yet.")?,
    }
    if !status.mirror.is_empty() {
        writeln!(out, "Asked: {}.", plain(&status.mirror))?;
    }
    let unheld = if status.keep.takes_addresses { "" } else { ", which no resolver blocks" };
    let addresses = match status.addresses {
        0 => String::new(),
        1 => format!("; 1 address{unheld}"),
        n => format!("; {} addresses{unheld}", counted(n, "").trim_end()),
    };
    let whole = if status.whole { "" } else { ", not the whole list" };
    writeln!(out, "In force: {}{whole}{addresses}.", counted(status.names, "name"))?;
    match status.stopped.as_deref() {
        Some("lifts") => writeln!(out, "STOPPED by the clearing house: all was let go of.")?,
        Some(_) => writeln!(out, "STOPPED by the clearing house: nothing more is added.")?,
        None => {}
    }
    match status.silence_in_ms {
        Some(ms) => {
            let left = counted(ms.div_ceil(1000), "second");
            writeln!(out, "All is let go of in {left} if the feed is silent.")?;
        }
        None => writeln!(out, "The feed is silent: nothing is in force.")?,
    }
    let keep = &status.keep;
    if status.observe {
        writeln!(out, "Keep is told nothing: follow observes.")?;
    } else if keep.answers {
        let told = if keep.all_told { "was told all" } else { "is being told" };
        let only = if keep.observe { ", and only observes" } else { "" };
        writeln!(
            out,
            "Keep {told}{only}: {} out, {} held, {} refused as protected.",
            keep.out, keep.held, keep.protected
        )?;
        if let Some(last) = &keep.protected_last {
            writeln!(out, "Refused as protected last: {}.", plain(last))?;
        }
    } else {
        writeln!(out, "Keep does not answer.")?;
    }
    for raised in &status.alarms {
        let since = counted(now.abs_diff(raised.since) / 1000, "second");
        let (place, message) = (plain(&raised.place), plain(&raised.message));
        say!(out, "ALARM: {place}: {message} ({}, for {since})", counted(raised.times, "time"))?;
    }
    writeln!(out, "Since it began: {}.", counted(status.alarms_ever, "alarm"))
}

/// The keys that an ISP's follow trusts, as its settings have them.
pub(super) fn trust(home: Option<&Path>) -> Result<(), Told> {
    let home = home_dir(home)?;
    let (feed, log) = public_keys(&home).map_err(told(&home))?;
    let mut out = std::io::stdout();
    writeln!(out, "[trust]")?;
    writeln!(out, "feed = [\"{}\"]", feed.text())?;
    Ok(writeln!(out, "log = [\"{}\"]", log.text())?)
}
