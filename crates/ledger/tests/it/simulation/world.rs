//! The world: who there is, what they keep, what they send.
//!
//! Time goes in steps. A message takes some steps, may be lost, may come twice, and is lost across a
//! partition. An authority that crashes forgets what it had under way and keeps what it had written;
//! its witness may crash between keeping and answering. In the last steps nothing is lost any more.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::OnceLock;

use ledger::tree::{Hash, consistency, leaf, root};
use ledger::witness::{Asking, Next, Refusal, Split, Witness};
use ledger::{Checkpoint, Consistency, CosignerKey, Note, Policy, SigningKey, Trust, VerifierKey};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};

const WHO: usize = 3;
/// Steps under faults, and steps after them.
const STORM: u64 = 60;
const CALM: u64 = 40;
/// An authority that hears nothing for so long asks again.
const PATIENCE: u64 = 9;

/// Who tells two stories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liar {
    No,
    Yes(usize),
}

/// A tree of a log: which story, and how many entries.
pub(super) type Head = (u8, u64);

#[derive(Debug, Clone)]
enum Message {
    /// To the witness of an authority: who asks, and the body.
    Ask { log: usize, number: u64, body: String },
    /// Back: status and body.
    Answer { witness: usize, number: u64, status: u16, body: String },
}

/// One authority: a log, and a witness of the others' logs.
struct Authority {
    key: SigningKey,
    witness: Witness,
    /// Entries of its log. A liar has as many of each story.
    size: u64,
    /// The leaves of both stories, which a liar lets differ from some entry on.
    leaves: [Vec<Hash>; 2],
    /// Checkpoints signed already.
    notes: RefCell<BTreeMap<Head, Note>>,
    /// What its witness kept, of each log: on disk.
    kept: BTreeMap<String, Note>,
    /// What was cosigned of its log: on disk, by checkpoint text.
    cosigned: BTreeMap<String, BTreeSet<usize>>,
    /// What it believes each witness has cosigned, and what it waits for: in memory.
    believed: [u64; WHO],
    asking: BTreeMap<usize, (u64, u64, Asking, u8)>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Counts {
    pub(super) quorums: u64,
    pub(super) crashes: u64,
    pub(super) lost: u64,
    pub(super) conflicts: u64,
    pub(super) inconsistent: u64,
}

pub(super) struct World {
    rng: SmallRng,
    now: u64,
    who: Vec<Authority>,
    liar: Liar,
    /// Messages by the step they come at.
    network: BTreeMap<u64, Vec<(usize, Message)>>,
    /// Pairs that do not hear one another.
    apart: BTreeSet<(usize, usize)>,
    numbers: u64,
    /// Every cosignature ever made: witness, log, what.
    history: BTreeMap<(usize, usize), Vec<Head>>,
    counts: Counts,
    trace: Sha256,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let liar =
            if rng.random_bool(0.5) { Liar::Yes(rng.random_range(0..WHO)) } else { Liar::No };
        let keys: Vec<SigningKey> = (0..WHO as u8)
            .map(|n| SigningKey::new(&format!("a{n}.example"), &[n + 1; 32]).unwrap())
            .collect();
        let who = (0..WHO)
            .map(|n| {
                let others = keys.iter().enumerate().filter(|(k, _)| *k != n);
                let lines: Vec<String> =
                    others.map(|(_, k)| format!("authority {}", k.verifier().text())).collect();
                let logs = Trust::parse(&lines.join("\n")).unwrap();
                let cosigner = cosigner(n);
                Authority {
                    key: keys[n].clone(),
                    witness: Witness::new(cosigner, logs),
                    size: 1,
                    leaves: stories(n, rng.random_range(0..8)),
                    notes: RefCell::default(),
                    kept: BTreeMap::new(),
                    cosigned: BTreeMap::new(),
                    believed: [0; WHO],
                    asking: BTreeMap::new(),
                }
            })
            .collect();
        Self {
            rng,
            now: 0,
            who,
            liar,
            network: BTreeMap::new(),
            apart: BTreeSet::new(),
            numbers: 0,
            history: BTreeMap::new(),
            counts: Counts::default(),
            trace: Sha256::new(),
        }
    }

    pub(super) fn run(&mut self) {
        while self.now < STORM + CALM {
            self.now += 1;
            let storm = self.now <= STORM;
            if storm {
                self.weather();
            } else {
                self.apart.clear();
            }
            for (to, message) in self.network.remove(&self.now).unwrap_or_default() {
                self.trace.update(format!("{} {to} {message:?}\n", self.now));
                match message {
                    Message::Ask { log, number, body } => self.witness(to, log, number, &body),
                    Message::Answer { witness, number, status, body } => {
                        self.answered(to, witness, number, status, &body);
                    }
                }
            }
            for log in 0..WHO {
                if storm && self.rng.random_bool(0.15) {
                    let more = self.rng.random_range(1..6);
                    self.who[log].size = (self.who[log].size + more).min(MOST);
                }
                for witness in (0..WHO).filter(|w| *w != log) {
                    self.ask(log, witness);
                }
            }
        }
    }

    /// Partitions come and go; somebody crashes.
    fn weather(&mut self) {
        if self.rng.random_bool(0.08) {
            let (a, b) = (self.rng.random_range(0..WHO), self.rng.random_range(0..WHO));
            if !self.apart.remove(&(a, b)) {
                self.apart.insert((a, b));
            }
        }
        if self.rng.random_bool(0.06) {
            let who = self.rng.random_range(0..WHO);
            self.crash(who);
        }
    }

    fn crash(&mut self, who: usize) {
        self.counts.crashes += 1;
        self.who[who].believed = [0; WHO];
        self.who[who].asking.clear();
    }

    fn send(&mut self, from: usize, to: usize, message: Message) {
        let storm = self.now <= STORM;
        let apart = self.apart.contains(&(from, to)) || self.apart.contains(&(to, from));
        if storm && (apart || self.rng.random_bool(0.1)) {
            self.counts.lost += 1;
            return;
        }
        let copies = if storm && self.rng.random_bool(0.1) { 2 } else { 1 };
        for _ in 0..copies {
            let at = self.now + self.rng.random_range(1..5);
            self.network.entry(at).or_default().push((to, message.clone()));
        }
    }

    /// The story that an authority tells a witness.
    fn story(&mut self, log: usize, witness: usize) -> u8 {
        if self.liar != Liar::Yes(log) {
            return 0;
        }
        // The lower of the two others hears one story, the higher another; now and then he tries
        // whether the other one goes down, too.
        let usual = (0..WHO).rfind(|w| *w != log) == Some(witness);
        u8::from(usual != self.rng.random_bool(0.1))
    }

    fn ask(&mut self, log: usize, witness: usize) {
        if let Some((since, ..)) = self.who[log].asking.get(&witness) {
            if self.now < since + PATIENCE {
                return;
            }
            self.who[log].asking.remove(&witness);
        }
        let (story, size) = (self.story(log, witness), self.who[log].size);
        let note = self.note(log, (story, size));
        let done = self.who[log].cosigned.get(&note.text);
        if done.is_some_and(|by| by.contains(&witness)) {
            return;
        }
        let key = cosigner(witness).witness();
        let asking = Asking::new(key, note, size, self.who[log].believed[witness]);
        let Next::Send(old) = asking.first() else { panic!("an asking begins with a request") };
        self.numbers += 1;
        let number = self.numbers;
        self.who[log].asking.insert(witness, (self.now, number, asking, story));
        self.request(log, witness, number, (story, size), old);
    }

    fn request(&mut self, log: usize, witness: usize, number: u64, head: Head, old: u64) {
        let (checkpoint, hashes) = (self.note(log, head), self.proof(log, head, old));
        let body = Consistency { old, hashes, checkpoint }.to_string();
        self.send(log, witness, Message::Ask { log, number, body });
    }

    /// The witness of authority `who` judges, keeps, answers; it may crash between any two.
    fn witness(&mut self, who: usize, log: usize, number: u64, body: &str) {
        let now = 1_700_000_000 + self.now;
        let kept = self.who[who].kept.clone();
        let latest = |origin: &str| Ok::<_, Infallible>(kept.get(origin).cloned());
        let judged = self.who[who].witness.add_checkpoint(body, now, latest).unwrap();
        let (storm, crash) = (self.now <= STORM, self.rng.random_range(0..40u8));
        if storm && crash == 0 {
            return self.crash(who); // judged, not kept: nothing happened
        }
        let (status, body) = match judged {
            Ok(cosigned) => {
                let checkpoint = Checkpoint::of_text(&cosigned.latest.text).unwrap();
                let head = self.head_of(log, &checkpoint);
                self.history.entry((who, log)).or_default().push(head);
                self.who[who].kept.insert(checkpoint.origin, cosigned.latest);
                (200, format!("{}\n", cosigned.signature))
            }
            Err(refusal) => {
                match &refusal {
                    Refusal::Conflict(_) => self.counts.conflicts += 1,
                    Refusal::Inconsistent { .. } => self.counts.inconsistent += 1,
                    other => panic!("{other}"),
                }
                let size = if let Refusal::Conflict(size) = refusal { size } else { 0 };
                (refusal.status(), format!("{size}\n"))
            }
        };
        if storm && crash == 1 {
            return self.crash(who); // kept, not answered
        }
        self.send(who, log, Message::Answer { witness: who, number, status, body });
    }

    fn answered(&mut self, log: usize, witness: usize, number: u64, status: u16, body: &str) {
        let Some((since, waits, mut asking, story)) = self.who[log].asking.remove(&witness) else {
            return;
        };
        if waits != number {
            self.who[log].asking.insert(witness, (since, waits, asking, story));
            return; // of an earlier question
        }
        match asking.answer(status, body) {
            Next::Send(old) => {
                self.who[log].believed[witness] = old;
                let size = asking.size();
                self.numbers += 1;
                let number = self.numbers;
                self.who[log].asking.insert(witness, (self.now, number, asking, story));
                self.request(log, witness, number, (story, size), old);
            }
            Next::Cosigned(_, _) => {
                let size = asking.size();
                self.who[log].believed[witness] = size;
                let text = self.note(log, (story, size)).text;
                let by = self.who[log].cosigned.entry(text).or_default();
                by.insert(witness);
                self.counts.quorums += u64::from(by.len() == WHO - 1);
            }
            // An older question overtook a newer answer: ask anew from what the witness has.
            Next::Ahead(_) | Next::Refused(_) | Next::Inconsistent => {
                self.who[log].believed[witness] = 0;
            }
        }
    }

    // What is true of the logs, whatever anybody says of them.

    fn leaves(&self, log: usize, (story, size): Head) -> &[Hash] {
        &self.who[log].leaves[usize::from(story)][..size as usize]
    }

    fn note(&self, log: usize, head: Head) -> Note {
        let signed = || {
            let root = root(self.leaves(log, head));
            Note::parse(&self.who[log].key.sign(head.1, &root)).unwrap()
        };
        self.who[log].notes.borrow_mut().entry(head).or_insert_with(signed).clone()
    }

    fn proof(&self, log: usize, head: Head, old: u64) -> Vec<Hash> {
        if old == 0 {
            return Vec::new();
        }
        let leaves = self.leaves(log, head);
        let of = &mut |height: u32, i: u64| {
            Ok::<_, ()>(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
        };
        consistency(old, head.1, of).unwrap()
    }

    fn head_of(&self, log: usize, checkpoint: &Checkpoint) -> Head {
        let is = |story| root(self.leaves(log, (story, checkpoint.size))) == checkpoint.root;
        (u8::from(!is(0)), checkpoint.size)
    }

    pub(super) fn goes_on(&self, log: usize, from: Head, to: Head) -> bool {
        from.1 <= to.1 && self.leaves(log, to).starts_with(self.leaves(log, from))
    }

    pub(super) fn logs(&self) -> usize {
        WHO
    }

    pub(super) fn liar(&self) -> Liar {
        self.liar
    }

    pub(super) fn head(&self, log: usize) -> Head {
        // Below the fork both stories are one.
        let size = self.who[log].size;
        self.head_of(log, &Checkpoint::of_text(&self.note(log, (0, size)).text).unwrap())
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    pub(super) fn trace(&self) -> [u8; 32] {
        self.trace.clone().finalize().into()
    }

    /// All that one witness ever cosigned of a log, in order.
    pub(super) fn cosigned(&self, witness: usize, log: usize) -> Vec<Head> {
        self.history.get(&(witness, log)).cloned().unwrap_or_default()
    }

    pub(super) fn trust(&self, log: usize) -> Trust {
        let key: VerifierKey = self.who[log].key.verifier();
        Trust::parse(&format!("log {}\n", key.text())).unwrap()
    }

    /// The trees of a log that both witnesses cosigned, by the policy of a reader.
    pub(super) fn witnessed(&self, log: usize) -> Vec<Head> {
        let others: Vec<usize> = (0..WHO).filter(|w| *w != log).collect();
        let policy = Policy {
            log: self.who[log].key.verifier(),
            witnesses: others.iter().map(|w| cosigner(*w).witness()).collect(),
            quorum: others.len(),
        };
        let mut out: Vec<Head> = Vec::new();
        let same = |a: Head, b: Head| self.goes_on(log, a, b) && self.goes_on(log, b, a);
        for head in others.iter().flat_map(|w| self.cosigned(*w, log)) {
            let by: Vec<usize> = others
                .iter()
                .filter(|w| self.cosigned(**w, log).iter().any(|h| same(*h, head)))
                .copied()
                .collect();
            if by.len() < others.len() || out.iter().any(|h| same(*h, head)) {
                continue;
            }
            let mut note = self.note(log, head);
            for w in by {
                note.signatures.push(cosigner(w).cosign(&note.text, 1_700_000_000));
            }
            if policy.open(&note).is_ok() {
                out.push(head);
            }
        }
        out
    }

    /// What the witnesses keep of a log, each in turn.
    fn kept(&self, log: usize) -> Vec<(Note, Head)> {
        let origin = self.who[log].key.name();
        let notes = self.who.iter().filter_map(|who| who.kept.get(origin));
        notes
            .map(|note| {
                let checkpoint = Checkpoint::of_text(&note.text).unwrap();
                (note.clone(), self.head_of(log, &checkpoint))
            })
            .collect()
    }

    /// Whether what the witnesses keep of a log cannot be of one tree.
    pub(super) fn contradicting(&self, log: usize) -> bool {
        let kept = self.kept(log);
        kept.iter().any(|(_, a)| {
            kept.iter().any(|(_, b)| !self.goes_on(log, *a, *b) && !self.goes_on(log, *b, *a))
        })
    }

    /// What somebody makes of it who has a copy of the greater tree, entries and all.
    pub(super) fn compare(&self, log: usize) -> Option<Split> {
        let kept = self.kept(log);
        let [(one, a), (other, b)] = kept.as_slice() else { return None };
        let ((older, small), (newer, great)) =
            if a.1 <= b.1 { ((one, *a), (other, *b)) } else { ((other, *b), (one, *a)) };
        let theirs = Checkpoint::of_text(&older.text).unwrap();
        if small.1 == great.1 {
            let same = theirs.root == Checkpoint::of_text(&newer.text).unwrap().root;
            return (!same).then(|| Split::accusing(older.clone(), newer.clone()));
        }
        let was = root(&self.leaves(log, great)[..small.1 as usize]);
        (was != theirs.root).then(|| {
            Split::proving(older.clone(), newer.clone(), was, self.proof(log, great, small.1))
        })
    }
}

/// The most entries of a log here.
const MOST: u64 = 256;

/// The leaves of two stories that are one up to an entry.
fn stories(log: usize, fork: u64) -> [Vec<Hash>; 2] {
    let story = |i, story| if i < fork { 0 } else { story };
    [0, 1].map(|s| (0..MOST).map(|i| leaf(&[log as u8, story(i, s), i as u8])).collect())
}

/// The witnesses' keys, made once.
fn cosigner(n: usize) -> CosignerKey {
    static KEYS: OnceLock<Vec<CosignerKey>> = OnceLock::new();
    let key = |n| CosignerKey::new(&format!("w{n}.example"), &[n + 100; 32]).unwrap();
    KEYS.get_or_init(|| (0..WHO as u8).map(key).collect())[n].clone()
}
