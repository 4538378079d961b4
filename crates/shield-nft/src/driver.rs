//! Runs the scripts: `nft` as a process of its own, within bounds.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use shield::Item;

use crate::held;
use crate::table::{Element, Refusal, Table};

/// The most that is read of what `nft` says: 500,000 elements as JSON.
const MAX_OUTPUT: u64 = 128 << 20;
/// The most of its complaint that is told on.
const MAX_COMPLAINT: usize = 600;

/// How `nft` is called.
#[derive(Debug, Clone)]
pub struct Nft {
    /// The program and what stands before its own arguments, as `["nft"]`.
    pub command: Vec<OsString>,
    /// The longest that one call takes; it is ended then, and a transaction is all done or not at all.
    pub most: Duration,
}

impl Default for Nft {
    fn default() -> Self {
        Self { command: vec!["nft".into()], most: Duration::from_secs(30) }
    }
}

/// Why the firewall is not as it was to be.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// A value that is not written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// `nft` cannot be run.
    #[error("{program} cannot be run ({source}): install nftables, and run with CAP_NET_ADMIN")]
    Run {
        /// What was called.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// It took too long.
    #[error("nft did not end within {0:?}, and was ended; look at what else changes the firewall")]
    Slow(Duration),
    /// A table of our name that we did not make.
    #[error(
        "the table inet {0} is there and was not made by vigie: give ours another name; it is not touched"
    )]
    Foreign(String),
    /// Our table is gone: somebody flushed the rules.
    #[error("the table inet {0} is gone: somebody removed it, and what was blocked is open")]
    Gone(String),
    /// `nft` refused.
    #[error("nft refused: {0}")]
    Said(String),
}

/// Our table at work.
#[derive(Debug)]
pub struct Driver {
    nft: Nft,
    table: Table,
    /// How the table is listed as it was made here, without what is in its sets.
    shape: Option<String>,
}

impl Driver {
    /// Takes up the table, or makes it. What it holds from before goes on by its own clocks.
    ///
    /// # Errors
    /// A table of that name which is not ours; `nft` itself.
    pub fn open(nft: Nft, table: Table) -> Result<Self, DriverError> {
        let driver = Self { nft, table, shape: None };
        let name = driver.table.name();
        match driver.call(&["--terse", "list", "table", "inet", name], "") {
            Ok(listed) if Table::is_ours(&listed) => {}
            Ok(_) => return Err(DriverError::Foreign(name.to_owned())),
            Err(DriverError::Gone(_)) => drop(driver.run(&driver.table.make())?),
            Err(other) => return Err(other),
        }
        Ok(driver)
    }

    /// Holds and lifts, all at once or nothing.
    ///
    /// # Errors
    /// A value that is not written; the table is gone; `nft` itself.
    pub fn change(&self, hold: &[Element], lift: &[Item]) -> Result<(), DriverError> {
        let script = self.table.change(hold, lift)?;
        if script.is_empty() { Ok(()) } else { self.run(&script).map(drop) }
    }

    /// Holds these and nothing else, from one packet to the next.
    ///
    /// # Errors
    /// As [`Driver::change`].
    pub fn replace(&self, hold: &[Element]) -> Result<(), DriverError> {
        self.run(&self.table.replace(hold)?).map(drop)
    }

    /// Makes the table anew, with these and nothing else in it, in one transaction: whatever became of its sets,
    /// chains and rules meanwhile.
    ///
    /// # Errors
    /// As [`Driver::open`], and a value that is not written.
    pub fn rebuild(&mut self, hold: &[Element]) -> Result<(), DriverError> {
        let script = self.table.rebuild(hold)?;
        match self.shape() {
            Ok(listed) if !Table::is_ours(&listed) => {
                return Err(DriverError::Foreign(self.table.name().to_owned()));
            }
            Ok(_) | Err(DriverError::Gone(_)) => {}
            Err(other) => return Err(other),
        }
        self.run(&script)?;
        self.shape = Some(self.shape()?);
        Ok(())
    }

    /// Whether the sets, chains and rules stand as [`Driver::rebuild`] made them. What is in the sets is not
    /// looked at, so that it costs the same however much is held.
    ///
    /// # Errors
    /// The table is gone; `nft` itself.
    pub fn stands(&self) -> Result<bool, DriverError> {
        let now = self.shape()?;
        Ok(self.shape.as_ref() == Some(&now))
    }

    fn shape(&self) -> Result<String, DriverError> {
        self.call(&["--terse", "--stateless", "list", "table", "inet", self.table.name()], "")
    }

    /// What is held, and how long yet in whole seconds; how many elements are none of ours.
    ///
    /// # Errors
    /// The table is gone; `nft` itself.
    pub fn held(&self) -> Result<(BTreeMap<Item, Duration>, usize), DriverError> {
        let json = self.call(&["-j", "list", "table", "inet", self.table.name()], "")?;
        let unread = || DriverError::Said("what it listed cannot be read".to_owned());
        held::read(&json).ok_or_else(unread)
    }

    /// Removes the table and all in it.
    ///
    /// # Errors
    /// As [`Driver::clean`].
    pub fn remove(self) -> Result<(), DriverError> {
        Self::clean(self.nft, self.table)
    }

    /// Removes a table of ours, whoever of us made it; where there is none, nothing is done.
    ///
    /// # Errors
    /// A table of that name which is not ours, and stays; `nft` itself.
    pub fn clean(nft: Nft, table: Table) -> Result<(), DriverError> {
        let driver = Self { nft, table, shape: None };
        match driver.shape() {
            Ok(listed) if Table::is_ours(&listed) => driver.run(&driver.table.remove()).map(drop),
            Ok(_) => Err(DriverError::Foreign(driver.table.name().to_owned())),
            Err(DriverError::Gone(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn run(&self, script: &str) -> Result<String, DriverError> {
        self.call(&["-f", "-"], script)
    }

    fn call(&self, args: &[&str], script: &str) -> Result<String, DriverError> {
        let (program, before) = self.nft.command.split_first().ok_or_else(|| DriverError::Run {
            program: String::new(),
            source: io::ErrorKind::NotFound.into(),
        })?;
        let unrun = |source| DriverError::Run { program: program.display().to_string(), source };
        let mut child = Command::new(program)
            .args(before)
            .args(args)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Its own: what it starts is ended with it, and a Ctrl-C at keep's terminal ends keep alone.
            .process_group(0)
            .spawn()
            .map_err(unrun)?;
        let (stdin, out, err) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ended = std::thread::scope(|scope| {
            // A program that ends early reads no more: what it said of that is told.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(script.as_bytes())));
            let out = scope.spawn(move || read(out));
            let err = scope.spawn(move || read(err));
            let until = Instant::now() + self.nft.most;
            let status = loop {
                match child.try_wait() {
                    Ok(Some(status)) => break Ok(status),
                    Ok(None) if Instant::now() < until => {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    Ok(None) => {
                        end(&mut child);
                        break Err(DriverError::Slow(self.nft.most));
                    }
                    Err(e) => break Err(unrun(e)),
                }
            };
            let out = out.join().unwrap_or_default();
            let err = err.join().unwrap_or_default();
            status.map(|status| (status, out, err))
        });
        let (status, out, err) = ended?;
        if status.success() {
            return Ok(out);
        }
        if err.contains("No such file or directory") {
            return Err(DriverError::Gone(self.table.name().to_owned()));
        }
        Err(DriverError::Said(err.chars().take(MAX_COMPLAINT).collect()))
    }
}

/// Ends it and whatever it started: a wrapper's `nft` that went on would keep our ends of its pipes open, and
/// could still change the firewall.
fn end(child: &mut Child) {
    if let Ok(id) = i32::try_from(child.id())
        && let Some(group) = Pid::from_raw(id)
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn read(from: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    let _ = from.map(|from| from.take(MAX_OUTPUT).read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}
