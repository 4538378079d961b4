//! Seals files into a fresh case and verifies it, and prints the seconds of each: `seal CASE FILE…`.
//! For `bench/seal`; `vigie open` is the command.
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
    batch.commit(&stamp)?;
    let sealed = start.elapsed().as_secs_f64();
    case.finish()?;
    let start = Instant::now();
    let report = verify(&dir.join("case"), Some(&home), &|_| {})?;
    let verified = start.elapsed().as_secs_f64();
    if report.bytes != bytes || !report.is_sound() {
        return Err(format!("not what was sealed: {report:?}").into());
    }
    println!("{sealed:.3} {verified:.3}");
    Ok(())
}
