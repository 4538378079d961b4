//! Hashing sealed exhibits again, on all cores.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::salted::SaltedTree;

/// From this size on the two hashes of a file are computed apart, so that one great file uses two
/// cores. It is then read twice, the second time from memory.
const APART_FROM: u64 = 16 << 20;

/// Fits the second cache of a core beside what the hashes need.
const STEP: usize = 256 << 10;

/// An exhibit to hash.
pub(crate) struct Job {
    pub(crate) path: PathBuf,
    /// True for what was sealed where it lies, which may be a disk.
    pub(crate) in_place: bool,
    pub(crate) place: String,
    pub(crate) id: ExhibitId,
    pub(crate) size: u64,
    pub(crate) root: Sha256Hex,
    pub(crate) secret: [u8; 32],
}

/// What came of one.
pub(crate) struct Rehashed {
    pub(crate) place: String,
    pub(crate) bytes: u64,
    pub(crate) problem: Option<String>,
}

#[derive(Clone, Copy)]
enum Part {
    Both,
    Plain,
    Tree,
}

/// Hashes all, in any order, and gives the results in the order of the jobs.
pub(crate) fn rehash(jobs: Vec<Job>, progress: &(dyn Fn(u64) + Sync)) -> Vec<Rehashed> {
    let mut tasks: Vec<(usize, Part)> = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        if job.size >= APART_FROM {
            tasks.push((at, Part::Plain));
            tasks.push((at, Part::Tree));
        } else {
            tasks.push((at, Part::Both));
        }
    }
    // The greatest first: no core is left waiting for one at the end.
    tasks.sort_by_key(|(at, _)| std::cmp::Reverse(jobs[*at].size));
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(tasks.len()));
    let work = || {
        let mut buffer = vec![0; STEP];
        while let Some((at, part)) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let problem = one(&jobs[*at], *part, &mut buffer, progress);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((*at, problem));
        }
    };
    // Little is done sooner than a thread is started.
    let little = jobs.iter().map(|job| job.size).sum::<u64>() < 1 << 20;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 1..if little { 1 } else { cores.min(tasks.len()) } {
            scope.spawn(work);
        }
        work();
    });
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out: Vec<Rehashed> = jobs
        .into_iter()
        .map(|job| Rehashed { place: job.place, bytes: job.size, problem: None })
        .collect();
    for (at, problem) in results {
        out[at].problem = out[at].problem.take().or(problem);
    }
    out
}

fn one(
    job: &Job,
    part: Part,
    buffer: &mut [u8],
    progress: &(dyn Fn(u64) + Sync),
) -> Option<String> {
    let open = if job.in_place { ledger::plain::open_in_place } else { ledger::plain::open };
    let mut file = match open(&job.path) {
        Ok(file) => file,
        Err(e) => return Some(format!("it cannot be opened: {e}")),
    };
    let mut plain = matches!(part, Part::Both | Part::Plain).then(Sha256::new);
    let mut tree = matches!(part, Part::Both | Part::Tree).then(|| SaltedTree::new(job.secret));
    let mut size = 0u64;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(n) => {
                if let Some(plain) = &mut plain {
                    plain.update(&buffer[..n]);
                    progress(n as u64);
                }
                if let Some(tree) = &mut tree {
                    tree.update(&buffer[..n]);
                }
                size += n as u64;
                if size > job.size {
                    return Some(format!(
                        "it has more than the {} bytes that were sealed",
                        job.size
                    ));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Some(format!("byte {size}: it cannot be read: {e}")),
        }
    }
    if size != job.size {
        return Some(format!("it has {size} bytes instead of {}", job.size));
    }
    if plain.is_some_and(|plain| ExhibitId(plain.finalize().into()) != job.id) {
        return Some("its bytes are not those that were sealed".into());
    }
    if tree.is_some_and(|tree| tree.finish() != job.root) {
        return Some("its salted tree has another root: bytes or leaf secret were changed".into());
    }
    None
}

/// True if the file's bytes have that id.
pub(crate) fn is(path: &Path, id: &ExhibitId) -> bool {
    let Ok(mut file) = ledger::plain::open(path) else { return false };
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; STEP]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return ExhibitId(hash.finalize().into()) == *id,
            Ok(n) => hash.update(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
}
