//! Seals files into a fresh case and verifies it, with the times: `seal CASE FILE…`. For
//! measurements; `vigie open` is the command.
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::time::Instant;

use vault::{Case, Home, Origin, Stamp, Wait, verify};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let dir = paths.next().ok_or("seal CASE FILE…")?;
    let home = Home::new(&dir.join("home"));
    let stamp = Stamp { actor: "measurement".into(), now_ms: 0 };
    let mut case = Case::create(&dir.join("case"), &home, "", &stamp, "seal", Wait::Fail)?;
    let start = Instant::now();
    let (stager, mut bytes) = (case.stager(), 0);
    let mut batch = case.batch();
    for path in paths {
        let staged = stager.file(&path)?;
        bytes += staged.size();
        batch.seal(staged, &Origin::default())?;
    }
    let staged = start.elapsed();
    batch.commit(&stamp)?;
    let sealed = start.elapsed();
    case.finish()?;
    println!(
        "sealed {bytes} bytes: staged {staged:.3?}, durable {sealed:.3?}, finished {:.3?}",
        start.elapsed()
    );
    let start = Instant::now();
    let report = verify(&dir.join("case"), Some(&home), &|_| {})?;
    println!("verified in {:.3?}: {} findings", start.elapsed(), report.findings.len());
    Ok(())
}
