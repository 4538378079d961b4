//! `vigie serve --shield`: the clearing house at work.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use desk::clearing::rounds::{self, Told as Line, Work};
use desk::clearing::{House, Keeper, door};
use shield_dns::{Bounds, Sockets};
use tokio::net::{TcpListener, UdpSocket};

use super::zones::{Config, Followed};
use crate::cli::ServeShield;
use crate::commands::{counted, ended, place, told};
use crate::error::Told;

/// Runs the clearing house until interrupted.
pub(crate) fn run(home: Option<&Path>, dir: &Path, args: &ServeShield) -> Result<(), Told> {
    let config = args.dns.as_deref().map(Config::read).transpose()?;
    let access = config.as_ref().map(Config::access).transpose()?;
    let at = place(home, dir, "vigie serve --shield")?;
    let resolver = resolver(args)?;
    let house = House::open(&at).map_err(told(dir))?;
    let zones = config.as_ref().map(|config| config.zones(house.case().len())).transpose()?;
    let said: Line = Arc::new(|line: &str| {
        let _ = say!(std::io::stderr(), "{}", crate::commands::plain(line));
    });
    let followed = Arc::new(Mutex::new(zones.map(Followed::new)));
    let out = {
        let (followed, said) = (Arc::clone(&followed), Arc::clone(&said));
        move |house: &House| {
            let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = followed.as_mut().map(|zones| zones.follow(house)).unwrap_or_default();
            lines.iter().for_each(|line| said(line));
        }
    };
    let (keeper, thread) = Keeper::start(house, Box::new(out)).map_err(told(dir))?;
    door::serve(dir, &at.home, &keeper).map_err(told(dir))?;
    let stop = Arc::new(AtomicBool::new(false));
    let work =
        Work { home: at.home.clone(), practice: args.practice, resolver, bounds: collect_bounds() };
    let rounds = rounds::begin(keeper.clone(), work, Arc::clone(&said), Arc::clone(&stop));
    let rounds = rounds.map_err(told(&at.home))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let mut lines = Vec::new();
        let dns = match (&config, access) {
            (Some(config), Some(access)) => {
                let sockets = sockets(config).await?;
                let address = sockets.tcp.first().and_then(|tcp| tcp.local_addr().ok());
                let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                let names = followed.as_ref().map_or(0, Followed::len);
                let view = followed.as_ref().map(Followed::view);
                let Some((view, zones)) = view.zip(followed.as_mut()) else { return Ok(()) };
                let (publisher, feed) = shield_dns::feed(view, access);
                zones.serve(publisher);
                if let Some(address) = address {
                    let suffix = &config.suffix;
                    let names = counted(names as u64, "name");
                    lines.push(format!("Zones under {suffix} at {address}, {names}."));
                }
                Some((sockets, feed))
            }
            _ => None,
        };
        let epoch = keeper.look(|house| (house.epoch(), house.blocks())).map_err(told(dir))?;
        let mut out = std::io::stdout();
        say!(
            out,
            "The clearing house of {} runs: epoch {}, {} in force.",
            dir.display(),
            epoch.0,
            counted(epoch.1 as u64, "block")
        )?;
        for line in lines {
            say!(out, "{line}")?;
        }
        if resolver.is_none() {
            say!(out, "Nothing is captured by this process (--no-captures).")?;
        }
        say!(out, "Ctrl-C ends it: what is blocked stays so until it expires.")?;
        out.flush()?;
        let dns = async {
            match dns {
                Some((sockets, feed)) => {
                    let told = Arc::clone(&said);
                    shield_dns::serve(
                        sockets,
                        feed,
                        Bounds::default(),
                        told,
                        std::future::pending(),
                    )
                    .await
                }
                None => std::future::pending().await,
            }
        };
        let closed = async {
            loop {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                if thread.is_finished() || rounds.is_finished() {
                    break;
                }
            }
        };
        tokio::select! {
            ended = dns => ended.map_err(|e| Told::failure(&e, None)),
            () = ended() => Ok(()),
            () = closed => Ok(()),
        }
    });
    stop.store(true, Ordering::Relaxed);
    let worked = rounds.join();
    keeper.close();
    let kept = thread.join();
    let panicked = || Told::Failure { what: "the clearing house broke off".to_owned(), next: None };
    kept.map_err(|_| panicked())?.map_err(told(dir))?;
    worked.map_err(|_| panicked())?.map_err(told(dir))?;
    served
}

fn resolver(args: &ServeShield) -> Result<Option<SocketAddr>, Told> {
    if args.no_captures {
        return Ok(None);
    }
    match args.resolver {
        Some(resolver) => Ok(Some(resolver)),
        None => desk::capture::resolver().map(Some).map_err(told(Path::new("/etc/resolv.conf"))),
    }
}

fn collect_bounds() -> desk::capture::Bounds {
    desk::capture::Bounds::default()
}

async fn sockets(config: &Config) -> Result<Sockets, Told> {
    let failed = |address: SocketAddr| {
        move |e: std::io::Error| {
            Told::failure(&e, Some(&format!("the zones cannot listen on {address}")))
        }
    };
    let listen = config.listen;
    let tcp = TcpListener::bind(listen).await.map_err(failed(listen))?;
    let bound = tcp.local_addr()?;
    let udp = UdpSocket::bind(bound).await.map_err(failed(bound))?;
    let mut sockets = Sockets { tcp: vec![tcp], udp: vec![udp], ..Sockets::default() };
    if let Some(tls) = &config.tls {
        let listener = TcpListener::bind(tls.listen).await.map_err(failed(tls.listen))?;
        let bound = listener.local_addr()?;
        sockets.udp.push(UdpSocket::bind(bound).await.map_err(failed(bound))?);
        sockets.tls.push((listener, tls.config()?));
    }
    let mut from = bound;
    from.set_port(0);
    sockets.notify.push(UdpSocket::bind(from).await.map_err(failed(from))?);
    Ok(sockets)
}
