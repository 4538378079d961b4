//! Asks the authority's witnesses to cosign the clearing house's log, in a thread of its own.
//!
//! All are asked for one and the same checkpoint, each in a thread of its own, so that one which hangs holds up
//! no other: as soon as as many have cosigned it as the policy asks for, what it covers goes out, and the next
//! is asked for. Who has not answered by then is left alone until it has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use ledger::Note;

use super::keeper::Keeper;
use super::rounds::Told;
use super::witnessed::Cosigned;
use crate::prove::Which;
use crate::witness::{self, Outcome};
use crate::{Error, Result};

/// How often it is looked whether anything waits.
const LOOK: Duration = Duration::from_millis(50);
/// Witnesses are asked at least so often, whether anything waits or not.
pub const EVERY: Duration = Duration::from_secs(60);
/// Where fewer answered than are asked for, they are asked again after so long, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// What came of asking one.
type Answer = (String, Result<(Outcome, Option<Note>)>);

struct Asking {
    keeper: Keeper,
    home: PathBuf,
    dir: PathBuf,
    told: Told,
    /// Those that have not answered yet, by their keys.
    busy: BTreeSet<String>,
    /// What was told of each last.
    last: BTreeMap<String, String>,
    answers: (Sender<Answer>, Receiver<Answer>),
}

/// Begins to ask, until `stop` is set.
///
/// # Errors
/// The system has no thread.
pub fn begin(keeper: Keeper, home: &Path, told: Told, stop: Arc<AtomicBool>) -> Result<()> {
    let home = home.to_owned();
    let run = move || {
        let Ok(dir) = keeper.look_in_turn(|house| house.case().dir().to_owned()) else { return };
        let (busy, last, answers) = (BTreeSet::new(), BTreeMap::new(), channel());
        let mut asking = Asking { keeper, home, dir, told, busy, last, answers };
        // Nobody was asked yet by this process.
        let (mut asked, mut pause, mut due) = (0, AGAIN.0, Instant::now());
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK);
            // Nothing is shown yet, the standby is gone, or more wait for the house than may: later, then.
            let Ok(Some((shown, waits))) = asking.keeper.look(|house| house.to_cosign()) else {
                continue;
            };
            // At once where anything waits; and now and then in any case, since others may be named by now.
            let grown = shown > asked && (waits || asked == 0);
            let again = due.elapsed() >= if waits { pause } else { EVERY };
            if !grown && !again {
                continue;
            }
            due = Instant::now();
            match asking.round(waits) {
                Ok((size, enough)) => {
                    asked = size;
                    pause = if enough { AGAIN.0 } else { (pause * 2).min(AGAIN.1) };
                }
                Err(error) => {
                    asking.say("", format!("witnesses cannot be asked: {error}; tried again"));
                    pause = (pause * 2).min(AGAIN.1);
                    asked = shown;
                }
            }
        }
    };
    let thread = std::thread::Builder::new().name("witnesses".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

impl Asking {
    /// Asks all that are free for the checkpoint that is shown; its entries, and whether enough cosigned it.
    fn round(&mut self, waits: bool) -> Result<(u64, bool)> {
        let log = Arc::new(witness::Log::open(&self.home, Which::Case(&self.dir))?);
        // The standby may be gone since: nobody cosigns what it does not have.
        let shown = self.keeper.look(|house| house.to_cosign())?;
        if shown.is_none_or(|(shown, _)| shown < log.size) {
            return Ok((0, false));
        }
        // Those who came too late for the round before.
        while let Ok(answer) = self.answers.1.try_recv() {
            self.take(&log, answer)?;
        }
        let mut asked = Vec::new();
        for named in &log.witnesses {
            let name = named.key.name().to_owned();
            if !self.busy.insert(name.clone()) {
                continue;
            }
            asked.push(name.clone());
            let (log, named, answers) = (Arc::clone(&log), named.clone(), self.answers.0.clone());
            let ask = move || drop(answers.send((named.key.name().to_owned(), log.asked(&named))));
            let thread = std::thread::Builder::new().name("witness".to_owned()).spawn(ask);
            if thread.is_err() {
                self.busy.remove(&name);
            }
        }
        let mut enough = false;
        // Each ends by itself: what is called outside is bounded in time.
        while !enough && asked.iter().any(|name| self.busy.contains(name)) {
            match self.answers.1.recv_timeout(LOOK) {
                Ok(answer) => enough = self.take(&log, answer)? >= log.size && waits,
                Err(RecvTimeoutError::Disconnected) => break,
                // Nobody has to be waited for, until something waits.
                Err(RecvTimeoutError::Timeout) if waits => {}
                Err(RecvTimeoutError::Timeout) => {
                    let looked = self.keeper.look(|house| house.to_cosign())?;
                    if looked.is_none_or(|(_, waits)| waits) {
                        break;
                    }
                }
            }
        }
        Ok((log.size, enough))
    }

    /// Takes an answer, of this round or of one before; how far as many as are asked for have cosigned by now.
    fn take(&mut self, log: &witness::Log, (name, answer): Answer) -> Result<u64> {
        self.busy.remove(&name);
        let (outcome, note) = match answer {
            Ok(answer) => answer,
            Err(error) => (Outcome::NoAnswer(error.to_string()), None),
        };
        if let Some(note) = note {
            log.keep(&note)?;
        }
        let line = match outcome {
            Outcome::Cosigned { .. } => format!("witness {name} cosigns"),
            Outcome::Contradicts(_) => format!(
                "witness {name} keeps another history of this log: `vigie witness compare` writes the evidence"
            ),
            Outcome::GoesOn { size } => {
                format!("witness {name} has cosigned {size} records, and did not go on")
            }
            Outcome::Never => format!("witness {name} does not know this log"),
            Outcome::Refused(why) => format!("witness {name} refuses: {why}"),
            Outcome::NoAnswer(why) => format!("witness {name} does not answer: {why}"),
        };
        self.say(&name, line);
        // Read here: the thread that has the house waits for no disk of ours.
        let cosigned = Cosigned::kept(log.witnesses.clone(), &log.dir, &log.reader, &log.keys)?;
        self.keeper.look(move |house| {
            house.witnessed(cosigned);
            house.witnessing().covered
        })
    }

    /// Tells of a witness what was not told of it last.
    fn say(&mut self, name: &str, line: String) {
        if self.last.get(name) != Some(&line) {
            (self.told)(&line);
            self.last.insert(name.to_owned(), line);
        }
    }
}

#[cfg(test)]
mod tests;
