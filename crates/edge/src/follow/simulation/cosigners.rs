//! The witnesses: their real core, what each keeps, and how they are asked.

use std::collections::BTreeMap;

use ledger::witness::{Asking, Next, Refusal, Witness};
use ledger::{Checkpoint, CosignerKey, Note, Trust};
use rand::RngExt;
use rand::rngs::SmallRng;

use super::house::Machine;
use super::thieves::Thief;
use super::world::World;

pub(super) const WITNESSES: u8 = 3;

/// Who cosigns: the real core, and what it keeps.
pub(super) struct Cosigner {
    witness: Witness,
    latest: BTreeMap<String, Note>,
    pub(super) down: bool,
}

impl Cosigner {
    /// Who cosigns the logs of these lines.
    pub(super) fn new(n: u8, lines: &str) -> Self {
        let witness = Witness::new(cosigner(n), Trust::parse(lines).unwrap());
        Self { witness, latest: BTreeMap::new(), down: false }
    }

    /// What it answers, as `vigie witness serve` does.
    fn answer(&mut self, body: &str, now: u64) -> (u16, String) {
        let latest =
            |origin: &str| Ok::<_, std::convert::Infallible>(self.latest.get(origin).cloned());
        match self.witness.add_checkpoint(body, now / 1_000, latest).unwrap() {
            Ok(cosigned) => {
                let text = cosigned.latest.text.clone();
                let origin = Checkpoint::of_text(&text).unwrap().origin;
                self.latest.insert(origin, cosigned.latest);
                let signed = Note { signatures: vec![cosigned.signature], text };
                (200, signed.to_string().split_off(signed.text.len() + 1))
            }
            Err(Refusal::Conflict(size)) => (409, format!("{size}\n")),
            Err(Refusal::Inconsistent { .. }) => (422, String::new()),
            Err(other) => panic!("{other}"),
        }
    }
}

pub(super) fn cosigner(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[n + 1; 32]).unwrap()
}

fn size_of(note: &Note) -> u64 {
    Checkpoint::of_text(&note.text).map_or(0, |of| of.size)
}

impl World {
    pub(super) fn witnesses(&mut self, n: usize, calm: bool) {
        let mut side = self.sides.remove(n);
        self.ask_witnesses(&mut side.machine, calm);
        self.sides.insert(n, side);
    }

    /// Witnesses are asked for what is shown, as the house asks them.
    pub(super) fn ask_witnesses(&mut self, machine: &mut Machine, calm: bool) {
        if !machine.may_ask_witnesses() {
            return;
        }
        for n in 0..self.cosigners.len() {
            let stolen = n == 0 && self.thief == Thief::Witness && self.is_stolen();
            let of = &mut self.cosigners[n];
            if !stolen && (of.down || (!calm && self.dice.random_bool(0.4))) {
                continue;
            }
            let Some((mut note, _)) = machine.asks_witness(0) else { return };
            if of.latest.values().any(|latest| latest.text == note.text) {
                continue;
            }
            let old = of.latest.values().next().map_or(0, size_of);
            let mut asking = Asking::new(of.witness.key(), note.clone(), size_of(&note), old);
            let mut next = asking.first();
            loop {
                match next {
                    Next::Send(old) => {
                        let Some((_, body)) = machine.asks_witness(old) else { break };
                        let (status, answer) = if stolen {
                            dishonest(&note, self.now, &mut self.dice)
                        } else {
                            of.answer(&body, self.now)
                        };
                        next = asking.answer(status, &answer);
                    }
                    Next::Cosigned(signature, _) => {
                        note.signatures.push(signature);
                        machine.cosigned(&note);
                        break;
                    }
                    Next::Inconsistent | Next::Ahead(_) => {
                        self.counts.forks += u64::from(!stolen);
                        break;
                    }
                    Next::Refused(why) => {
                        assert!(stolen, "{why}");
                        break;
                    }
                }
            }
        }
    }
}

/// What somebody answers who has a witness's key and no wish to be one: what it was asked to sign, whatever that goes
/// on from; its signature of something else; lies about what it signed before.
fn dishonest(note: &Note, now: u64, dice: &mut SmallRng) -> (u16, String) {
    let key = cosigner(0);
    let line = |text: &str| {
        let signed =
            Note { text: text.to_owned(), signatures: vec![key.cosign(text, now / 1_000)] };
        signed.to_string().split_off(text.len() + 1)
    };
    let size = size_of(note);
    match dice.random_range(0..5_u32) {
        0 => (200, line(&note.text)),
        1 => (200, line(&note.text.replacen(&size.to_string(), &(size + 1).to_string(), 1))),
        2 => (409, format!("{}\n", dice.random_range(0..2 * size + 1))),
        3 => (422, String::new()),
        _ => (500, "gone".to_owned()),
    }
}
