//! `vigie probe`: a probe at work.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use probe::ask::Resolver;
use probe::line::Line;
use probe::settings::{MAX_FILE, ProbeFile};

use super::{counted, ended, plain, read_text};
use crate::cli::probe::Probe;
use crate::error::Told;

/// Runs one of the words.
pub(crate) fn run(words: &Probe) -> Result<(), Told> {
    let Probe::Run { config } = words;
    let wrong = |e: &dyn std::fmt::Display| Told::Misuse(format!("{}: {e}", config.display()));
    let file = ProbeFile::read(&read_text(config, MAX_FILE)?).map_err(|e| wrong(&e))?;
    let beside = config.parent().unwrap_or_else(|| Path::new("."));
    let key_file = beside.join(&file.key_file);
    let key = secret(&key_file)?;
    let ca = file.ca_file.as_ref().map(|ca| read_text(&beside.join(ca), MAX_FILE)).transpose()?;
    let line = Line::new(&file.url, &key, ca.as_deref()).map_err(|e| wrong(&e))?;
    let resolver = Resolver {
        address: file.resolver,
        patience: Duration::from_millis(file.timeout_ms),
        pages: file.block_pages.into(),
    };
    let said: probe::run::Told = Arc::new(|text: &str| {
        let _ = say!(std::io::stderr(), "{}", plain(text));
    });
    say!(std::io::stdout(), "Asks {} for what {} chooses.", resolver.address, plain(&file.url))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counts = runtime.block_on(probe::run::run(resolver, line, said, ended()));
    say!(
        std::io::stdout(),
        "Asked {} in {}; {}, {} failed.",
        counted(counts.questions, "question"),
        counted(counts.rounds, "round"),
        counted(counts.reports, "report"),
        counts.failed
    )?;
    Ok(())
}

/// The key's secret. What others can read is no secret.
fn secret(path: &Path) -> Result<String, Told> {
    use std::os::unix::fs::PermissionsExt;
    let text = read_text(path, MAX_FILE)?;
    if path.metadata()?.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(Told::Misuse(format!("{path}: others can read this key: chmod 600")));
    }
    Ok(text)
}
