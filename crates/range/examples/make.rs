//! Makes a seizure: `make SCENARIO SCALE SEED OUT [KEYS]`. With KEYS, what stands behind the
//! summary's numbers is written there, one key or link a line.
#![allow(clippy::print_stdout)]

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, scenario, scale, seed, out, rest @ ..] = args.as_slice() else {
        return Err("make SCENARIO SCALE SEED OUT [KEYS]".into());
    };
    let truth =
        range::make(scenario.parse()?, scale.parse()?, seed.parse()?, Path::new(out), &mut |_| {})?;
    println!("{:#}", truth.summary());
    println!("{} bytes", truth.bytes);
    if let Some(keys) = rest.first() {
        let mut text = truth.keys().collect::<Vec<_>>().join("\n");
        text.push('\n');
        ledger::disk::write(Path::new(keys), text.as_bytes())?;
    }
    Ok(())
}
