//! `vigie serve --shield`: the clearing house at work.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use desk::clearing::challenge::Challenges;
use desk::clearing::known::Knowledge;
use desk::clearing::notice::{Notices, Settings};
use desk::clearing::publish::{Publisher, Put, every_ms, settled};
use desk::clearing::rounds::{self, Told as Line, Work};
use desk::clearing::{House, Keeper, door, witnesses};
use desk::shield::Note;
use shield_dns::{Bounds, Sockets};
use tokio::net::{TcpListener, UdpSocket};

use super::elsewhere::Copying;
use super::web::Web;
use super::zones::{Config, Followed};
use crate::cli::{Serve, ServeShield};
use crate::commands::{counted, ended, place, told};
use crate::error::Told;

/// While a snapshot is made beside the house's work it goes on this often: of each such time 20 ms are its own.
const DRAFTING: Duration = Duration::from_millis(60);

/// Runs the clearing house until interrupted.
pub(crate) fn run(home: Option<&Path>, dir: &Path, serve: &Serve) -> Result<(), Told> {
    let args = &serve.clearing;
    let config = args.dns.as_deref().map(Config::read).transpose()?;
    let access = config.as_ref().map(Config::access).transpose()?;
    let wait = desk::Wait::Fail;
    let at = desk::Place { wait, ..place(home, dir, "vigie serve --shield")? };
    let resolver = resolver(args)?;
    let mut house = House::open(&at).map_err(told(dir))?;
    let zones = config.as_ref().map(|config| config.zones(house.case().len())).transpose()?;
    let said: Line = Arc::new(|line: &str| {
        let _ = say!(std::io::stderr(), "{}", crate::commands::plain(line));
    });
    let of_standby = Arc::clone(&said);
    house.tell_of_standby(move |line| of_standby(line));
    let of_kept = Arc::clone(&said);
    house.tell_of_kept(move |line| of_kept(line));
    if let Some(why) = &house.started().refused {
        let applied = counted(house.started().applied, "record");
        said(&format!(
            "kept/state, from which this would have started sooner, is of no use: {why}. All of the log was \
             applied ({applied}); it is made anew"
        ));
    }
    let isps = config.as_ref().map(Config::isps).transpose()?.unwrap_or_default();
    let followed = zones.map(|zones| Followed::new(zones, isps));
    let followed = Arc::new(Mutex::new(followed));
    let files = args.feed.as_deref().map(|folder| files(folder, &at.home, &house)).transpose()?;
    let parties = super::web::access(&at.home)?;
    let tls = match (&serve.tls_cert, &serve.tls_key) {
        (Some(cert), Some(key)) => Some(super::web::tls(cert, key)?),
        _ => None,
    };
    let copy = match (&args.feed, &args.feed_s3) {
        (Some(folder), Some(to)) => {
            Some(super::elsewhere::begin(to, folder, house.elsewhere(), Arc::clone(&said))?)
        }
        _ => None,
    };
    let web = match (&args.feed, args.feed_listen) {
        (Some(folder), Some(_)) => Some(Web::new(folder, Arc::clone(&said))?),
        _ => None,
    };
    let out = {
        let (followed, said, files) = (Arc::clone(&followed), Arc::clone(&said), files.clone());
        let (web, copy) = (web.clone(), copy.clone());
        move |house: &House| {
            if let Some(files) = &files {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                let mut put = |put: Put<'_>| heard((web.as_ref(), copy.as_ref()), &said, put);
                if let Err(error) = files.publish(house, house.now(), &mut put) {
                    said(&format!("the feed's files: {error}"));
                }
            }
            let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
            let lines = followed.as_mut().map(|zones| zones.follow(house)).unwrap_or_default();
            lines.iter().for_each(|line| said(line));
        }
    };
    let (keeper, thread) = Keeper::start(house, Box::new(out)).map_err(told(dir))?;
    if let Some(files) = files {
        beats(files, (web.clone(), copy), keeper.clone(), (at.home.clone(), Arc::clone(&said)))?;
    }
    let challenges = Challenges::open(dir, resolver, Default::default()).map_err(told(dir))?;
    let challenges = Arc::new(challenges);
    door::serve(dir, Arc::clone(&parties), &keeper, Arc::clone(&challenges)).map_err(told(dir))?;
    let standby = args.standby.standby_listen;
    let standby = standby.map(|at| super::standby::listen(at, tls.clone(), &keeper, &said));
    let standby = standby.transpose()?;
    if let Some(web) = &web {
        web.lists(keeper.clone())?;
    }
    let known = Knowledge::read(&at.home, args.practice).map_err(told(&at.home))?;
    // What is missing or old is said aloud before anything is decided by it.
    let notes = known.loaded().notes(desk::shield::today()).into_iter();
    let notes = notes.filter(|note| !matches!(note, Note::LongList(..)));
    notes.for_each(|note| said(&note.to_string()));
    let stop = Arc::new(AtomicBool::new(false));
    let pages = serve.listen.map(|address| (address, keeper.clone(), known.clone()));
    let notices = args.notices.as_deref().map(|file| {
        let settings = Settings::read(file).map_err(told(file))?;
        Notices::open(dir, settings, known.clone()).map_err(told(file))
    });
    let notices = notices.transpose()?;
    let post = match &notices {
        None => "Notices to hosts are asked for and written by nobody (--notices FILE).".to_owned(),
        Some(notices) => {
            let contacts = counted(notices.contacts() as u64, "contact");
            let how = if notices.sends() {
                "sent by the relay"
            } else {
                "left in the outbox, to be sent by hand"
            };
            format!("Notices to hosts are {how}; {contacts}.")
        }
    };
    let asks = witnesses::begin(keeper.clone(), &at.home, Arc::clone(&said), Arc::clone(&stop));
    asks.map_err(told(&at.home))?;
    let (home, bounds) = (at.home.clone(), Default::default());
    let work = Work { home, known, resolver, bounds, notices };
    let measure = args
        .measure
        .as_deref()
        .map(|file| super::probes::settle(file, &keeper, &work.known, &parties))
        .transpose()?;
    let rounds = rounds::begin(keeper.clone(), work, Arc::clone(&said), Arc::clone(&stop));
    let rounds = rounds.map_err(told(&at.home))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut reports = None;
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
        let listener = match args.feed_listen {
            Some(address) => Some(super::web::listen("the feed", address, tls.is_some()).await?),
            None => None,
        };
        let api = match args.piracy_shield_listen {
            Some(address) => {
                let listener =
                    super::web::listen("Piracy Shield's API", address, tls.is_some()).await?;
                let parties = Arc::clone(&parties);
                let times = piracy_shield::Times::default();
                let opened = piracy_shield::Api::open(dir, keeper.clone(), parties, times);
                let opened = Arc::new(opened.map_err(told(dir))?);
                reports = Some(Arc::clone(&opened));
                Some((listener, piracy_shield::router(opened)))
            }
            None => None,
        };
        if let Some(address) = listener.as_ref().and_then(|listener| listener.local_addr().ok()) {
            let scheme = if tls.is_some() { "https" } else { "http" };
            lines.push(format!(
                "The feed at {scheme}://{address}/feed/{}/manifest.",
                shield::feed::ALL
            ));
        }
        if let Some(address) = api.as_ref().and_then(|(listener, _)| listener.local_addr().ok()) {
            let scheme = if tls.is_some() { "https" } else { "http" };
            let base = piracy_shield::BASE;
            lines.push(format!("Piracy Shield's API at {scheme}://{address}{base}."));
        }
        let door = match measure {
            Some(address) => {
                let listener =
                    super::web::listen("the probes' door", address, tls.is_some()).await?;
                Some((
                    listener,
                    probe::door::router(keeper.clone(), Arc::clone(&parties), Arc::clone(&said)),
                ))
            }
            None => None,
        };
        if let Some(address) = door.as_ref().and_then(|(listener, _)| listener.local_addr().ok()) {
            let scheme = if tls.is_some() { "https" } else { "http" };
            lines.push(format!("Probes report at {scheme}://{address}/measure."));
        }
        let console = match pages {
            Some((address, keeper, known)) => {
                let house = console::ClearingHouse { keeper, known, challenges };
                Some(bound(house, &at.home, address, serve, &said).await?)
            }
            None => None,
        };
        if let Some(console) = &console {
            lines.extend(found_at(console)?);
        }
        if let Some(address) = standby {
            lines.push(format!("It listens for its standby at {address}."));
        }
        let epoch = keeper.look_in_turn(|house| (house.epoch(), house.blocks()));
        let epoch = epoch.map_err(|gone| told(dir)(gone.into()))?;
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
        say!(out, "{post}")?;
        let witnessing = keeper.look_in_turn(|house| house.witnessing());
        let witnessing = witnessing.map_err(|gone| told(dir)(gone.into()))?;
        say!(out, "{}", super::witnesses::asked(&witnessing))?;
        if let Some(resolver) = resolver {
            say!(
                out,
                "Captures and proofs of control look names up at {resolver}: it must block nothing."
            )?;
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
        let served = config.as_ref().map(Config::served).transpose()?.unwrap_or_default();
        let reloads = async {
            match &args.dns {
                Some(path) => super::zones::reloads(path, &followed, &keeper, served, &said).await,
                None => std::future::pending().await,
            }
        };
        let (api_tls, door_tls) = (tls.clone(), tls.clone());
        let feed = async {
            match web.zip(listener) {
                Some((web, listener)) => {
                    let log = dir.join("ledger");
                    web.serve(listener, tls, log, parties, std::future::pending()).await
                }
                None => std::future::pending().await,
            }
        };
        let api = async {
            match api {
                Some((listener, router)) => {
                    let bounds = shield_feed::Bounds::default();
                    shield_feed::serve(listener, api_tls, router, bounds, std::future::pending())
                        .await
                }
                None => std::future::pending().await,
            }
        };
        let door = async {
            match door {
                Some((listener, router)) => {
                    let bounds = shield_feed::Bounds::default();
                    shield_feed::serve(listener, door_tls, router, bounds, std::future::pending())
                        .await
                }
                None => std::future::pending().await,
            }
        };
        let pages = async {
            match console {
                Some(console) => console::serve(console, std::future::pending()).await,
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
            ended = feed => ended.map_err(|e| Told::failure(&e, None)),
            ended = api => ended.map_err(|e| Told::failure(&e, None)),
            ended = door => ended.map_err(|e| Told::failure(&e, None)),
            ended = pages => ended.map_err(|e| Told::failure(&e, None)),
            () = reloads => Ok(()),
            () = ended() => Ok(()),
            () = closed => Ok(()),
        }
    });
    stop.store(true, Ordering::Relaxed);
    if let Some(api) = &reports {
        api.settle();
    }
    keeper.close();
    let kept = thread.join();
    // A capture that is under way may take a minute: what it comes to has no house any more.
    let worked = if rounds.is_finished() { rounds.join() } else { Ok(Ok(())) };
    let panicked = || Told::Failure { what: "the clearing house broke off".to_owned(), next: None };
    kept.map_err(|_| panicked())?.map_err(told(dir))?;
    worked.map_err(|_| panicked())?.map_err(told(dir))?;
    served
}

/// The console of the house, listening.
async fn bound(
    house: console::ClearingHouse,
    home: &Path,
    address: SocketAddr,
    serve: &Serve,
    said: &Line,
) -> Result<console::Console, Told> {
    let options = console::Options {
        address,
        hosts: serve.host.clone(),
        tls: serve.tls_cert.clone().zip(serve.tls_key.clone()),
        told: Arc::clone(said),
    };
    let console = console::Console::bind_house(house, home, options).await;
    console.map_err(crate::commands::serve::unbound)
}

/// Where the console is, and how one signs in.
fn found_at(console: &console::Console) -> Result<[String; 2], Told> {
    let link = console.sign_in_link().map_err(|e| Told::failure(&e, None))?;
    let url = console.url();
    let sign_in = match link {
        Some(link) => {
            format!(
                "Its pages are at {link} (the link signs in once, within ten minutes, and reads)."
            )
        }
        None => format!("Its pages are at {url}/sign-in (`vigie party invite` lets people in)."),
    };
    Ok([sign_in, format!("Anybody asks at {url}/blocked.")])
}

/// The feed as files in a folder, and the line that says whose key signs it.
fn files(folder: &Path, home: &Path, house: &House) -> Result<Arc<Mutex<Publisher>>, Told> {
    let key = settled(home, house.case().authority(), house.standing()).map_err(told(home))?;
    say!(
        std::io::stdout(),
        "The feed in {} is signed by {}",
        folder.display(),
        key.verifier().text()
    )?;
    let publisher = Publisher::new(folder, key).map_err(told(folder))?;
    Ok(Arc::new(Mutex::new(publisher)))
}

/// What the publisher did: it is served from now on, and what an ISP does not get is said.
fn heard((web, copy): (Option<&Web>, Option<&Copying>), said: &Line, put: Put<'_>) {
    match put {
        Put::LeftOut(isp, why) => said(&format!(
            "ALARM: neither what tickets address to {isp} alone nor a stop on it alone reaches it, which gets what all \
             get: {why}"
        )),
        Put::LetIn(isp) => said(&format!("{isp} is left out of nothing any more.")),
        Put::Stands(view) => {
            if let Some(copy) = copy.filter(|_| view == shield::feed::ALL) {
                copy.wake();
            }
        }
        Put::Ended(_) => {}
    }
    if let Some(web) = web {
        web.take_up(put);
    }
}

/// Where the feed's key was replaced, the new one signs from here on.
fn turn(files: &mut Publisher, house: &House, home: &Path, said: &Line) {
    if !files.is_void(house) {
        return;
    }
    match settled(home, house.case().authority(), house.standing()) {
        Ok(key) => {
            said(&format!(
                "The feed is signed by another key from here on: {}",
                key.verifier().text()
            ));
            files.sign_by(key);
        }
        Err(error) => {
            said(&format!("ALARM: the feed's key was replaced, and the old one signs on: {error}"))
        }
    }
}

/// Heartbeats, for as long as the house is open: without them all ISPs let go of all.
fn beats(
    files: Arc<Mutex<Publisher>>,
    (web, copy): (Option<Web>, Option<Copying>),
    keeper: Keeper,
    (home, said): (std::path::PathBuf, Line),
) -> Result<(), Told> {
    let run = move || {
        let mut last: Option<Instant> = None;
        loop {
            let (files, since) = (Arc::clone(&files), last.map(|last| last.elapsed()));
            let (web, copy, of_put) = (web.clone(), copy.clone(), Arc::clone(&said));
            let home = home.clone();
            // Whether it beats, and after how long it is to be looked at again: an event may begin meanwhile.
            let beat = move |house: &mut House| {
                let now = house.now();
                let every = Duration::from_millis(every_ms(house, now));
                let again = every.min(Duration::from_millis(house.policy().heartbeat_event_ms));
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                turn(&mut files, house, &home, &of_put);
                super::elsewhere::look(&house.elsewhere(), &of_put);
                let mut put = |put: Put<'_>| heard((web.as_ref(), copy.as_ref()), &of_put, put);
                let is_early = since.is_some_and(|since| since < every);
                let beaten = if is_early {
                    files.go_on(house, now, &mut put).map(|()| false)
                } else {
                    files.beat(house, now, &mut put).map(|()| true)
                };
                (beaten, if files.is_drafting() { again.min(DRAFTING) } else { again })
            };
            let Ok((beaten, again)) = keeper.look_in_turn(beat) else { return };
            match beaten {
                Ok(false) => {}
                Ok(true) => last = Some(Instant::now()),
                Err(error) => said(&format!("the feed's heartbeat: {error}")),
            }
            let (least, most) = (DRAFTING, Duration::from_secs(60));
            std::thread::sleep(again.clamp(least, most));
        }
    };
    std::thread::Builder::new().name("heartbeat".to_owned()).spawn(run)?;
    Ok(())
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
