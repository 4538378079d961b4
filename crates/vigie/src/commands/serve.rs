//! `vigie serve`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use desk::read::Reader;
use desk::shell::here;

use super::{home_dir, plain, told};
use crate::cli::Serve;
use crate::error::Told;

/// Where the console of a case listens unless it is told.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8484);

/// Why a console does not listen, and what to do next.
pub(super) fn unbound(e: console::Error) -> Told {
    let next = match &e {
        e if e.is_misuse() => return Told::Misuse(e.to_string()),
        console::Error::Listen(..) => {
            Some("name another address with --listen, or port 0 for a free one")
        }
        _ => None,
    };
    Told::failure(&e, next)
}

/// Serves until interrupted.
#[allow(clippy::print_stderr)]
pub(crate) fn run(home: Option<&Path>, args: &Serve) -> Result<(), Told> {
    if let Some(shield) = &args.shield {
        return super::clearing::serve::run(home, shield, args);
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
        let options = console::Options {
            address: args.listen.unwrap_or(USUAL),
            hosts: args.host.clone(),
            tls: args.tls_cert.clone().zip(args.tls_key.clone()),
            told: Arc::new(|line| eprintln!("vigie: {}", here(&plain(line)))),
        };
        let console = console::Console::bind(reader, &home_of, options).await.map_err(unbound)?;
        let link = console.sign_in_link().map_err(|e| Told::failure(&e, None))?;
        let mut out = std::io::stdout();
        let case = args.case.case.display();
        match link {
            Some(link) => {
                writeln!(out, "The console of {case} is at {link}")?;
                let once = "The link signs in once, within ten minutes.";
                writeln!(out, "{once} Ctrl-C ends the console.")?;
            }
            None => {
                writeln!(out, "The console of {case} is at {}/sign-in", console.url())?;
                let people = "People sign in there by name and password";
                say!(out, "{people}; `vigie party invite` lets one in. Ctrl-C ends the console.")?;
            }
        }
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
