//! A standby without a connection, for simulations: the house's side and the copy's are those of `sending` and
//! `following`; what lies between them is cut when the simulation says so.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use ledger::{Keys, Wait};
use model::Sha256Hex;
use vault::Standby;
use vault::standby::wire::Hello;

use super::{Live, Offer};
use crate::clearing::house::House;
use crate::{Error, Result};

/// Where the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The next commit does not arrive.
    Before,
    /// It arrives and is durable there, and the house never hears so.
    After,
}

/// A second machine that follows.
#[derive(Debug)]
pub struct Second {
    cut: Arc<AtomicU8>,
    thread: Option<JoinHandle<()>>,
}

const BEFORE: u8 = 1;
const AFTER: u8 = 2;
const END: u8 = 3;

impl Second {
    /// Has the copy in `dir` catch up with a house and follow it; the house's word where it says no.
    ///
    /// # Errors
    /// What came is not taken; the disk; the system has no thread.
    pub fn follow(
        house: &mut House,
        secret: [u8; 32],
        dir: &Path,
        keys: &Keys,
    ) -> Result<std::result::Result<Self, String>> {
        let open = |beginning: &str| Standby::open(dir, keys, beginning, "simulation", Wait::Fail);
        let begun = dir.join("ledger/checkpoint").exists();
        let copy = if begun { Some(open("")?) } else { None };
        let (size, root) = match &copy {
            Some(copy) => (copy.len(), copy.root()),
            None => (0, Sha256Hex(ledger::tree::root(&[]))),
        };
        let beginning = match house.greet(&Hello { secret, size, root })? {
            Ok(beginning) => beginning,
            Err(why) => return Ok(Err(why)),
        };
        let mut copy = match copy {
            Some(copy) => copy,
            None => open(&beginning)?,
        };
        let key = Sha256Hex::of(&secret);
        let live = loop {
            match house.offer(key, copy.len())? {
                Offer::Live(live) => break live,
                Offer::Parcel(parcel) => drop(copy.take(*parcel)?),
                Offer::No => return Ok(Err("it was dismissed meanwhile".to_owned())),
            }
        };
        let cut = Arc::new(AtomicU8::new(0));
        let told = Arc::clone(&cut);
        let thread = std::thread::Builder::new().spawn(move || {
            takes(&live, &mut copy, &told);
            drop(copy.finish());
        });
        let thread = thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))?;
        Ok(Ok(Self { cut, thread: Some(thread) }))
    }

    /// The connection breaks with the next commit.
    pub fn cut(&self, at: Cut) {
        self.cut.store(if at == Cut::Before { BEFORE } else { AFTER }, Ordering::SeqCst);
    }

    /// It stops to follow; its copy is closed when this returns.
    pub fn end(mut self) {
        self.cut.store(END, Ordering::SeqCst);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Each commit as it is made, until the connection breaks.
fn takes(live: &Live, copy: &mut Standby, cut: &AtomicU8) {
    loop {
        let parcel = match live.parcels.recv_timeout(Duration::from_millis(2)) {
            Ok(parcel) => parcel,
            Err(RecvTimeoutError::Timeout) if cut.load(Ordering::SeqCst) != END => continue,
            Err(_) => return,
        };
        if cut.load(Ordering::SeqCst) == BEFORE {
            return;
        }
        let taken = copy.take(parcel);
        let acked = taken.ok().filter(|_| cut.load(Ordering::SeqCst) == 0);
        if acked.is_none_or(|size| live.acked.try_send(size).is_err()) {
            return;
        }
    }
}

impl House {
    /// Records that the standby came or went, as the keeper does after each round.
    ///
    /// # Errors
    /// The disk.
    pub fn look_at_standby(&mut self) -> Result<()> {
        self.note_standby()
    }
}
