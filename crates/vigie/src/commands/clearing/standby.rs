//! The clearing house's standby: its words, and the sockets at both ends.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use desk::clearing::door::{self, Reply};
use desk::clearing::rounds::Told as Line;
use desk::clearing::standby::{
    BEAT, Followed, OfStandby, STILL, follow, fresh_secret, log_key, send,
};
use desk::clearing::{House, Keeper};
use ledger::VerifierKey;
use line::Trust;
use line::stream::{Waits, connect};
use model::Sha256Hex;
use serde_json::json;
use shield::order::words::Person;

use super::moving::Moving;
use super::{because, name};
use crate::cli::standby::Standby;
use crate::commands::{counted, place, read_bytes, told};
use crate::error::Told;

/// What is told of an act that the standby does not have.
pub(super) const ALONE: &str =
    "This is durable on this machine alone: the standby is gone, and does not have it yet.";
/// The most that are at the standby's door at once: who is not the standby is soon let go.
const MAX_CALLERS: usize = 8;
/// How long a standby waits before it tries again.
const AGAIN: Duration = Duration::from_secs(1);
/// The longest that a standby hears nothing of a house that lives.
const SILENCE: Duration = Duration::from_secs(10);
/// The longest file of certificates, in bytes.
const MAX_CA: usize = 1 << 20;

/// Runs one of the words.
pub(super) fn run(home: Option<&Path>, words: &Standby) -> Result<(), Told> {
    match words {
        Standby::Name { name, secret, grounds, person, of } => {
            let key = make_secret(secret)?;
            let named = Some((name.clone(), key));
            let asked = ask(home, &of.shield, person, named, grounds);
            if matches!(asked, Err(Told::Misuse(_))) {
                // Nobody is known by it. After a failure somebody may be: the log says, and the file is kept.
                let _ = ledger::disk::remove(secret);
            }
            asked?;
            say!(
                std::io::stdout(),
                "{name} is the standby: nothing is added before it follows. Take {} to it.",
                secret.display()
            )?;
            show(home, &of.shield, false)
        }
        Standby::Dismiss { grounds, person, of } => {
            ask(home, &of.shield, person, None, grounds)?;
            say!(std::io::stdout(), "The clearing house goes on alone.")?;
            Ok(())
        }
        Standby::Follow { dir, from, secret, log_key, ca } => {
            follows(dir, from, secret, log_key, ca.as_deref())
        }
        Standby::Promote { dir, grounds, person } => {
            let at = desk::Place {
                wait: desk::Wait::Fail,
                ..place(home, dir, "vigie shield standby promote")?
            };
            let (by, why) = (name(person, Person::new)?, because(grounds)?);
            operator(&at.home, person)?;
            let house = House::promote(&at, &by, &why).map_err(told(dir))?;
            let (epoch, blocks) = (house.epoch(), house.blocks() as u64);
            house.close().map_err(told(dir))?;
            say!(
                std::io::stdout(),
                "{} is the clearing house from here on: epoch {epoch}, {} in force. `vigie serve --shield {}` \
                 runs it.",
                dir.display(),
                counted(blocks, "block"),
                desk::shell::quoted_path(dir)
            )?;
            // Not sent along with the log of the house: what was revoked since counts here again.
            let register = desk::parties::Register::read(&at.home).map_err(told(&at.home))?;
            say!(
                std::io::stdout(),
                "Who may act, and which keys count, is as of {} in {}: whoever was suspended and \
                 whatever was revoked since is as before. Restore a newer backup of that folder first \
                 where there is one, and look at `vigie party list`.",
                counted(register.records(), "record"),
                at.home.display()
            )?;
            Ok(())
        }
        Standby::Show { of, json } => show(home, &of.shield, *json),
    }
}

fn ask(
    home: Option<&Path>,
    dir: &Path,
    person: &str,
    named: Option<(String, Sha256Hex)>,
    grounds: &str,
) -> Result<(), Told> {
    let at = desk::Place { wait: desk::Wait::Fail, ..place(home, dir, "vigie shield standby")? };
    let request = OfStandby { person: person.to_owned(), named, grounds: grounds.to_owned() };
    match door::ask_of_standby(&at, &request).map_err(told(dir))? {
        Reply::Refused { message, .. } | Reply::Misuse { message } => Err(Told::Misuse(message)),
        Reply::Done { .. }
        | Reply::Recorded { .. }
        | Reply::Challenge { .. }
        | Reply::Unmet { .. } => Ok(()),
        Reply::Failed { message } => Err(Told::Failure { what: message, next: None }),
    }
}

/// Promoting has no server that could ask: the register of this home says who is an operator.
fn operator(home: &Path, person: &str) -> Result<(), Told> {
    let access = desk::access::Access::open(home).map_err(told(home))?;
    let who = access.person(person).unwrap_or(desk::access::Principal::Nobody);
    let source = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    if access.would(&who, desk::access::Action::StandbyChange, source) {
        return Ok(());
    }
    Err(Told::Misuse(format!(
        "{person} may not do that: an operator may (standby_change, docs/access.md)"
    )))
}

/// A new file with a secret, for its owner alone; SHA-256 of the secret.
fn make_secret(path: &Path) -> Result<Sha256Hex, Told> {
    let secret = fresh_secret().map_err(told(path))?;
    let mut text = Sha256Hex(secret).to_string();
    text.push('\n');
    ledger::disk::write_with(path, text.as_bytes(), ledger::disk::Overwrite::Never, 0o600)
        .map_err(|e| Told::failure(&e, None))?;
    Ok(Sha256Hex::of(&secret))
}

fn secret_of(path: &Path) -> Result<[u8; 32], Told> {
    let bytes = read_bytes(path, 1 << 10)?;
    let text = String::from_utf8(bytes).unwrap_or_default();
    let secret = text.trim().parse::<Sha256Hex>();
    secret.map(|secret| secret.0).map_err(|_| {
        Told::Misuse(format!(
            "{} holds no secret of a standby: `vigie shield standby name` writes one",
            path.display()
        ))
    })
}

fn show(home: Option<&Path>, dir: &Path, as_json: bool) -> Result<(), Told> {
    let standing = super::show::read(home, dir)?;
    let key = log_key(dir).map_err(told(dir))?;
    let named = standing.standbys.named;
    let mut out = std::io::stdout();
    if as_json {
        let standby = named.map(|named| json!({ "name": named.name, "here": named.here }));
        writeln!(out, "{}", json!({ "standby": standby, "log_key": key }))?;
        return Ok(());
    }
    match named {
        None => say!(out, "No standby is named: an act is acknowledged once it is durable here.")?,
        Some(named) if named.here => say!(out, "{} is the standby, and follows.", named.name)?,
        Some(named) => say!(
            out,
            "{} is the standby, and does not follow: nothing is added before it does.",
            named.name
        )?,
    }
    if let Some(key) = key {
        say!(out, "The log's key is {key}")?;
    }
    Ok(())
}

/// Listens for the standby, in threads of its own, for as long as the process lives.
pub(super) fn listen(
    at: SocketAddr,
    tls: Option<shield_feed::Tls>,
    keeper: &Keeper,
    said: &Line,
) -> Result<SocketAddr, Told> {
    if !at.ip().is_loopback() && tls.is_none() {
        return Err(Told::Misuse(format!(
            "the house listens for its standby on {at} by TLS alone: give --tls-cert and --tls-key, or a \
             loopback address"
        )));
    }
    let failed = |e: std::io::Error| Told::Failure {
        what: format!("cannot listen for the standby on {at}: {e}"),
        next: None,
    };
    let listener = TcpListener::bind(at).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (keeper, said, callers) = (keeper.clone(), Arc::clone(said), Arc::new(AtomicUsize::new(0)));
    // Who tries each second is told of once.
    let last = Arc::new(Mutex::new(String::new()));
    let run = move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                // No file is to be had, say: asked again at once, it would take a whole core.
                std::thread::sleep(AGAIN);
                continue;
            };
            if callers.fetch_add(1, Ordering::Relaxed) >= MAX_CALLERS {
                callers.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (keeper, said, tls) = (keeper.clone(), Arc::clone(&said), tls.clone());
            let last = Arc::clone(&last);
            let left = Arc::clone(&callers);
            let serve = move || {
                if let Err(error) = serve(stream, tls, &keeper) {
                    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                    if *last != error {
                        said(&format!("the standby's door: {error}"));
                        *last = error;
                    }
                }
                left.fetch_sub(1, Ordering::Relaxed);
            };
            let thread = std::thread::Builder::new().name("standby".to_owned()).spawn(serve);
            if thread.is_err() {
                callers.fetch_sub(1, Ordering::Relaxed);
            }
        }
    };
    std::thread::Builder::new().name("standby's door".to_owned()).spawn(run)?;
    Ok(address)
}

fn serve(stream: TcpStream, tls: Option<shield_feed::Tls>, keeper: &Keeper) -> Result<(), String> {
    let said = |e: &dyn std::fmt::Display| e.to_string();
    stream.set_read_timeout(Some(STILL)).map_err(|e| said(&e))?;
    stream.set_write_timeout(Some(STILL)).map_err(|e| said(&e))?;
    stream.set_nodelay(true).map_err(|e| said(&e))?;
    match tls {
        None => send(&mut &stream, keeper).map_err(|e| said(&e)),
        Some(config) => {
            let mut moving = Moving::new(config, stream, STILL).map_err(|e| said(&e))?;
            send(&mut moving, keeper).map_err(|e| said(&e))
        }
    }
}

/// Follows until it is stopped; a house that goes is tried again each second. What says that another was
/// promoted, or that the copy is none, ends it.
fn follows(
    dir: &Path,
    from: &str,
    secret: &Path,
    log_key: &str,
    ca: Option<&Path>,
) -> Result<(), Told> {
    let secret = secret_of(secret)?;
    let key = VerifierKey::parse(log_key)
        .map_err(|e| Told::Misuse(format!("--log-key {log_key:?}: {e}")))?;
    let keys = key.into();
    let trust = ca.map(trusted).transpose()?;
    let waits = Waits { connect: STILL, read: SILENCE.max(BEAT), write: STILL };
    let holder = format!("vigie shield standby follow, process {}", std::process::id());
    let mut err = std::io::stderr();
    let mut last = String::new();
    loop {
        let mut told_up = false;
        let mut heard = |followed: Followed| {
            let _ = match followed {
                Followed::Begun(size) => {
                    say!(
                        std::io::stderr(),
                        "Connected to {from}; {} here.",
                        counted(size, "record")
                    )
                }
                Followed::UpTo(size) if !std::mem::replace(&mut told_up, true) => {
                    say!(std::io::stderr(), "Up to date: {}.", counted(size, "record"))
                }
                Followed::UpTo(_) => Ok(()),
            };
        };
        let ended = connect(from, trust.as_ref(), waits).map_err(|e| e.to_string());
        let ended = match ended {
            Ok(mut stream) => match follow(&mut stream, secret, dir, &keys, &holder, &mut heard) {
                Err(desk::Error::Asked(why)) => {
                    return Err(Told::Failure { what: why, next: None });
                }
                Err(error @ desk::Error::Beside(_)) => error.to_string(),
                Err(error) => return Err(told(dir)(error)),
                Ok(()) => "the connection ended".to_owned(),
            },
            Err(why) => why,
        };
        if ended != last {
            say!(err, "{ended}; trying again each second.")?;
            last = ended;
        }
        std::thread::sleep(AGAIN);
    }
}

fn trusted(ca: &Path) -> Result<Trust, Told> {
    let odd = |e: &dyn std::fmt::Display| Told::Misuse(format!("{}: {e}", ca.display()));
    let pem = String::from_utf8(read_bytes(ca, MAX_CA)?).map_err(|_| odd(&"this is no PEM"))?;
    Trust::of(&pem).map_err(|e| odd(&e))
}
