//! `vigie serve`.

use std::io::Write;
use std::path::Path;

use desk::read::Reader;

use super::{home_dir, told};
use crate::cli::Serve;
use crate::error::Told;

/// Serves until interrupted.
pub(crate) fn run(home: Option<&Path>, args: &Serve) -> Result<(), Told> {
    if let Some(shield) = &args.shield {
        return super::clearing::serve::run(home, shield, &args.clearing);
    }
    let case = args.case.case.as_path();
    let home_of = home_dir(home)?;
    let reader = Reader::open_with(case, &home_of).map_err(told(case))?;
    // What is decided in the console is signed: nobody can be asked for a passphrase then.
    desk::authority::ready(&home_of, case).map_err(told(case))?;
    // Views that cannot be read are told here, and not by each page.
    reader.snapshot().map_err(told(&args.case.case))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let console = console::Console::bind(reader, args.listen).await.map_err(|e| match e {
            console::Error::NotLoopback(_) => Told::Misuse(e.to_string()),
            other => Told::failure(
                &other,
                Some("name another address with --listen, or port 0 for a free one"),
            ),
        })?;
        let link = console.sign_in_link().map_err(|e| Told::failure(&e, None))?;
        let mut out = std::io::stdout();
        writeln!(out, "The console of {} is at {link}", args.case.case.display())?;
        writeln!(out, "The link signs in once, within ten minutes. Ctrl-C ends the console.")?;
        out.flush()?;
        if let Some(url) = &args.tsa {
            super::stamp::hourly(home, &args.case.case, url)?;
        }
        if args.witnesses {
            super::witness::hourly(&home_of, &args.case.case)?;
        }
        console::serve(console, async {
            // Where signals cannot be had the console simply goes on.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await
        .map_err(|e| Told::failure(&e, None))
    })
}
