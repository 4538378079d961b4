//! `vigie range`.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use range_net::{Live, Options};

use super::{ended, plain};
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

/// Plays a match night until interrupted.
pub(crate) fn serve(isps: u8, seed: u64, out: &Path, json: bool) -> Result<(), Told> {
    let options = Options { seed, isps, out: out.to_owned() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // Heeded from the beginning on: what is half made is removed, too.
        let stop = Arc::new(AtomicBool::new(false));
        let over = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                tokio::select! {
                    () = ended() => {}
                    () = hung_up() => {}
                }
                stop.store(true, Ordering::Relaxed);
            }
        });
        let begun = tokio::task::spawn_blocking(move || Live::begin(&options, &stop)).await;
        let live = match begun.map_err(|e| failed_to_begin(&e))? {
            Ok(live) => live,
            Err(range_net::Error::Ended) => return Ok(()),
            Err(error) => return Err(told(&error)),
        };
        let mut stdout = std::io::stdout();
        if json {
            for document in live.documents() {
                writeln!(stdout, "{document}")?;
            }
        } else {
            say!(stdout, "{}", live.text().trim_end())?;
        }
        stdout.flush()?;
        let said = |line: &str| {
            let _ = say!(std::io::stderr(), "vigie: {}", plain(line));
        };
        let over = async {
            let _ = over.await;
        };
        live.serve(said, over).await.map_err(|error| told(&error))
    })
}

/// Becomes a command at a place of a night that is played.
pub(crate) fn run(range: Option<u32>, place: &str, command: &[OsString]) -> Result<(), Told> {
    Err(told(&range_net::claim::become_at(range, place, command)))
}

/// Until the terminal is gone: its namespaces go with it.
async fn hung_up() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

fn failed_to_begin(error: &dyn std::fmt::Display) -> Told {
    Told::Failure { what: format!("the practice range broke off: {error}"), next: None }
}

fn told(error: &range_net::Error) -> Told {
    if error.is_misuse() { Told::Misuse(error.to_string()) } else { Told::failure(error, None) }
}
