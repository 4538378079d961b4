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
    // A home of its own, beside the case: nobody is registered there.
    let home = dir.with_extension("home");
    let options = console::Options::local(address);
    let console = console::Console::bind(desk::read::Reader::open(&dir)?, &home, options).await?;
    println!("{}", console.sign_in_link()?.unwrap_or_default());
    console::serve(console, std::future::pending()).await?;
    Ok(())
}
