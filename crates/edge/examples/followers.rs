//! Many followers of one feed, each verifying all of it, in one process: `followers CONFIG N FOLDER NAMES OUT`.
//!
//! Each is `vigie edge follow` as it runs at an ISP, with a state folder of its own under FOLDER, and tells a keep that
//! only writes down when it was told of which name. Says `ready` once each has taken all that was in force; ends once
//! each was told of NAMES more, or after five minutes, and leaves in OUT a line for each name: the name, and the
//! milliseconds since 1970 when each follower had it. `bench/shield-follow` makes a table of it.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use edge::follow::{self, Config};
use edge::frame::{Frame, Reply};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::{UnixListener, UnixStream};

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// The longest that is waited for all of it.
const MOST: Duration = Duration::from_secs(300);

/// When each name came, at whom.
#[derive(Default)]
struct Seen {
    times: Mutex<BTreeMap<String, Vec<u64>>>,
    ready: AtomicUsize,
    told: AtomicUsize,
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A keep that takes everything, and writes down what came after all that was in force.
async fn keep(stream: UnixStream, seen: Arc<Seen>) -> Result<(), Failed> {
    let (read, write) = stream.into_split();
    // Replies leave together, as the frames came.
    let mut write = BufWriter::new(write);
    let mut lines = BufReader::new(read).lines();
    let mut whole = false;
    while let Some(line) = lines.next_line().await? {
        let reply = match Frame::parse(line.as_bytes())? {
            Frame::Block { value, .. } if whole => {
                let at = now_ms();
                let mut times = seen.times.lock().unwrap_or_else(PoisonError::into_inner);
                times.entry(value).or_default().push(at);
                seen.told.fetch_add(1, Ordering::Relaxed);
                Reply::Taken
            }
            Frame::Whole {} => {
                if !std::mem::replace(&mut whole, true) {
                    seen.ready.fetch_add(1, Ordering::Relaxed);
                }
                Reply::Taken
            }
            Frame::Status {} => Reply::Status(Box::default()),
            _ => Reply::Taken,
        };
        write.write_all(&reply.line()).await?;
        if lines.get_ref().buffer().is_empty() {
            write.flush().await?;
        }
    }
    Ok(())
}

/// A follower in a folder of its own, and the keep that it tells.
fn begin(config: &Config, folder: &Path, seen: &Arc<Seen>) -> Result<(), Failed> {
    let run = folder.join("run");
    ledger::disk::create_dir(&run)?;
    let mut config = config.clone();
    (config.state, config.keep) = (folder.join("state"), Some(run.clone()));
    let listener = UnixListener::bind(run.join("keep"))?;
    let seen = Arc::clone(seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                if let Err(error) = keep(stream, seen).await {
                    eprintln!("followers: {error}");
                }
            });
        }
    });
    std::thread::Builder::new().stack_size(512 << 10).spawn(move || {
        if let Err(error) = follow::run(&config, Arc::new(|_| {}), std::future::pending()) {
            eprintln!("followers: {error}");
        }
    })?;
    Ok(())
}

async fn until(what: &str, done: impl Fn() -> bool) -> Result<(), Failed> {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > MOST {
            return Err(format!("not within {} s: {what}", MOST.as_secs()).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

fn run() -> Result<(), Failed> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [config, n, folder, names, out] = words.as_slice() else {
        return Err("followers CONFIG N FOLDER NAMES OUT".into());
    };
    let config = Config::read(Path::new(config))?;
    let (n, names): (usize, usize) = (n.parse()?, names.parse()?);
    let (folder, out) = (PathBuf::from(folder), PathBuf::from(out));
    let seen = Arc::new(Seen::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for k in 0..n {
            begin(&config, &folder.join(k.to_string()), &seen)?;
        }
        until("all follow", || seen.ready.load(Ordering::Relaxed) >= n).await?;
        println!("ready");
        let ended =
            until("all were told of all", || seen.told.load(Ordering::Relaxed) >= n * names);
        let ended = ended.await;
        let times = seen.times.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, times) in &*times {
            let all: Vec<String> = times.iter().map(u64::to_string).collect();
            writeln!(text, "{name} {}", all.join(" "))?;
        }
        ledger::disk::write_with(&out, text.as_bytes(), ledger::disk::Overwrite::Replace, 0o644)?;
        ended
    })?;
    Ok(())
}

fn main() {
    let done = run();
    if let Err(error) = &done {
        eprintln!("followers: {error}");
    }
    // Followers wait for the feed: the process ends without them.
    std::process::exit(i32::from(done.is_err()))
}
