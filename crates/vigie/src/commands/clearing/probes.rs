//! `vigie serve --measure`: which probes there are, and which controls.

use std::net::SocketAddr;
use std::path::Path;

use desk::clearing::Keeper;
use desk::clearing::known::Knowledge;
use probe::settings::{HouseFile, MAX_FILE, controls, popular};

use crate::commands::{read_text, told};
use crate::error::Told;

/// Sets the probes and controls that a file names, and gives where they report.
pub(super) fn settle(
    file: &Path,
    keeper: &Keeper,
    known: &Knowledge,
    parties: &desk::access::Access,
) -> Result<SocketAddr, Told> {
    let wrong =
        |path: &Path, e: &dyn std::fmt::Display| Told::Misuse(format!("{}: {e}", path.display()));
    let read = HouseFile::read(&read_text(file, MAX_FILE)?);
    let settings = read.map_err(|e| wrong(file, &e))?;
    // A slip of the pen would measure an ISP that nobody is.
    for isp in settings.probes.iter().filter_map(|probe| probe.isp.as_ref()) {
        if parties.register(|register| register.organisation(isp.as_str()).is_none()) {
            let why =
                format!("no organisation is registered as {isp}: `vigie party list` shows them");
            return Err(wrong(file, &why));
        }
    }
    let mut names = match &settings.controls {
        Some(path) => {
            let path = file.parent().unwrap_or_else(|| Path::new(".")).join(path);
            let read = controls(&read_text(&path, MAX_FILE)?);
            read.map_err(|e| wrong(&path, &e))?
        }
        None => Vec::new(),
    };
    // An operator's own come first: beyond the bound it is theirs that stay.
    names.extend(popular(&known.loaded().sets, settings.popular));
    let HouseFile { listen, probes, .. } = settings;
    keeper.look(move |house| house.settle(&probes, &names)).map_err(told(file))?;
    Ok(listen)
}
