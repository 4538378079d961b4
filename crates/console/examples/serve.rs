//! Serves a case folder, for the browser tests: `cargo run -p console --example serve -- DIR [ADDR]`.
//! Prints the sign-in link; `vigie serve` is the real command.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let Some(dir) = args.next().map(PathBuf::from) else {
        eprintln!("usage: serve DIR [ADDR]");
        std::process::exit(2);
    };
    let address = args.next().unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    let console = console::Console::bind(desk::read::Reader::open(&dir)?, address).await?;
    println!("{}", console.sign_in_link()?);
    console::serve(console, std::future::pending()).await?;
    Ok(())
}
