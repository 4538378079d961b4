use std::collections::BTreeMap;

use ledger::note::{CosignerKey, SigningKey};
use ledger::tree::{self, Hash};
use ledger::{Policy, ProofError};
use model::Sha256Hex;
use model::record::{Envelope, ShieldDecided, write};
use proptest::prelude::*;

use super::file::{Group, Head, Writer};
use super::reader::Why;
use super::*;
use crate::feed::Place;
use crate::item::Item;
use crate::order::{ItemId, Moment};
use crate::proof::{self, Block};

mod paths;

const WALL: Moment = Moment(1_780_000_000_000);

fn place(epoch: u64, serial: u64) -> Place {
    Place { session: 40 + epoch, epoch, serial }
}

fn log_key() -> SigningKey {
    SigningKey::new("authority.example/shield", &[1; 32]).unwrap()
}

fn feed_key() -> SigningKey {
    SigningKey::new("authority.example/shield/feed", &[2; 32]).unwrap()
}

fn policy(quorum: usize) -> Policy {
    let witness = CosignerKey::new("witness.example", &[3; 32]).unwrap().witness();
    Policy { log: log_key().verifier(), witnesses: vec![witness], quorum }
}

fn block(n: u32, hours: u64) -> Block {
    Block {
        value: Item::parse(&format!("s{n}.stream.example")).unwrap(),
        item: ItemId(u64::from(n)),
        expires: WALL.plus(hours * 3_600_000),
        code: n.is_multiple_of(3).then(|| "not_loaded".to_owned()),
        salt: proof::salt(&[9; 32], n),
    }
}

/// A log of records, each with blocks under its root.
#[derive(Default)]
struct Log {
    records: Vec<String>,
    blocks: Vec<Vec<Block>>,
    epoch: u64,
}

impl Log {
    fn new(groups: &[&[u32]]) -> Self {
        let mut log = Self { epoch: 1, ..Self::default() };
        for group in groups {
            log.push(group.iter().map(|n| block(*n, 2)).collect());
        }
        log
    }

    fn push(&mut self, blocks: Vec<Block>) -> usize {
        let leaves: Vec<Hash> = blocks.iter().map(Block::leaf).collect();
        let body = ShieldDecided {
            epoch: self.epoch,
            part: 0,
            parts: 1,
            blocks: (!leaves.is_empty()).then(|| Sha256Hex(proof::root(&leaves))),
            blocks_under: (!leaves.is_empty()).then_some(leaves.len() as u64),
            told: None,
            told_under: None,
            decision: "{}".into(),
            seed: None,
        };
        let authority = "authority.example".to_owned();
        let envelope = Envelope { time_ms: WALL.0, authority, actor: "lea".into() };
        let (bytes, _) = write(&body.into(), &envelope, &mut || [5; 32]).unwrap();
        self.records.push(String::from_utf8(bytes).unwrap());
        self.blocks.push(blocks);
        self.records.len() - 1
    }

    fn tree(&self) -> Vec<Hash> {
        self.records.iter().map(|record| tree::leaf(record.as_bytes())).collect()
    }

    fn checkpoint(&self, cosigned: bool) -> String {
        let tree = self.tree();
        let text = log_key().sign(tree.len() as u64, &tree::root(&tree));
        let mut note = ledger::Note::parse(&text).unwrap();
        if cosigned {
            let witness = CosignerKey::new("witness.example", &[3; 32]).unwrap();
            note.signatures.push(witness.cosign(&note.text, 1_780_000_000));
        }
        note.to_string()
    }

    /// A file that shows of each record these places, and says that these are gone.
    fn file(
        &self,
        at: Place,
        from: Option<u64>,
        shown: &[(usize, &[u32])],
        gone: &[u32],
    ) -> Vec<u8> {
        self.file_with(at, from, shown, gone, &self.checkpoint(true))
    }

    fn file_with(
        &self,
        at: Place,
        from: Option<u64>,
        shown: &[(usize, &[u32])],
        gone: &[u32],
        checkpoint: &str,
    ) -> Vec<u8> {
        self.file_of("all", at, from, shown, gone, checkpoint)
    }

    fn file_of(
        &self,
        view: &str,
        at: Place,
        from: Option<u64>,
        shown: &[(usize, &[u32])],
        gone: &[u32],
        checkpoint: &str,
    ) -> Vec<u8> {
        let head = Head { view: view.into(), place: at, from, checkpoint: checkpoint.into() };
        let mut writer = Writer::new(Vec::new(), &head).unwrap();
        let leaves = self.tree();
        for (record, places) in shown {
            let mut complete = |height: u32, index: u64| -> Result<Hash, ()> {
                let start = (index << height) as usize;
                Ok(tree::root(&leaves[start..start + (1 << height)]))
            };
            let index = *record as u64;
            let path = tree::inclusion(index, leaves.len() as u64, &mut complete).unwrap();
            let of = &self.blocks[*record];
            let under: Vec<Hash> = of.iter().map(Block::leaf).collect();
            let blocks = places.iter().map(|at| (*at, of[*at as usize].clone())).collect();
            let record = &self.records[*record];
            writer.group(&Group { index, record, path, leaves: &under, blocks }).unwrap();
        }
        for n in gone {
            writer.gone(&block(*n, 1).value).unwrap();
        }
        writer.end().unwrap()
    }
}

fn name(from: Option<u64>, to: u64, bytes: &[u8]) -> FileName {
    FileName { from, to, bytes: bytes.len() as u64, hash: Sha256Hex::of(bytes) }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

fn read(bytes: &[u8], policy: &Policy) -> Result<Vec<Event>, FileError> {
    let mut reader = Reader::new(policy);
    lines(bytes).map(|line| reader.line(line)).collect()
}

fn manifest(at: Place, beat: u64, files: Vec<FileName>) -> Manifest {
    let mut files = files;
    let snapshot = files.first().filter(|file| file.from.is_none()).cloned();
    if snapshot.is_some() {
        files.remove(0);
    }
    Manifest {
        origin: feed_key().name().to_owned(),
        view: "all".into(),
        place: at,
        beat: Beat { number: beat, made: WALL },
        every_ms: 1_000,
        silence_ms: 900_000,
        count: 0,
        apart: Vec::new(),
        snapshot,
        deltas: files,
    }
}

fn take(follower: &mut Follower, name: &FileName, bytes: &[u8], now: u64) -> Result<Taken, Alarm> {
    let policy = policy(1);
    let mut staged = Staged::new(name.clone(), &policy);
    for line in lines(bytes) {
        staged.line(line)?;
    }
    follower.take(staged, WALL, now)
}

fn held(follower: &Follower) -> Vec<String> {
    follower.held().keys().map(ToString::to_string).collect()
}

#[test]
fn fault_11_a_manifest_has_one_writing_and_one_signer() {
    let log = Log::new(&[&[1]]);
    let bytes = log.file(place(1, 5), None, &[(0, &[0])], &[]);
    let good = manifest(place(1, 9), 3, vec![name(None, 5, &bytes), name(Some(5), 9, b"x")]);
    let text = good.sign(&feed_key()).to_string();
    assert_eq!(Manifest::open(&text, &feed_key().verifier()), Ok(good.clone()));
    assert!(matches!(
        Manifest::open(&text, &log_key().verifier()),
        Err(ManifestError::Note(_) | ManifestError::Line(..))
    ));
    for (from, to) in [
        ("epoch 1", "epoch 2"),
        ("epoch 1", "epoch 01"),
        ("beat 3", "beat +3"),
        ("session 0000000000000029", "session 29"),
        ("view all", "view "),
        ("count 0\n", "count 0\n\n"),
        ("delta 5 9", "delta 6 9"),
        ("delta 5 9", "delta 9 5"),
    ] {
        let bad = good.text().replace(from, to);
        assert_ne!(bad, good.text(), "{from}");
        // Not signed: and where it is signed all the same, not read, or read as what it says.
        assert!(Manifest::open(&text.replace(from, to), &feed_key().verifier()).is_err(), "{to}");
        let read = Manifest::read(&bad);
        assert!(read.is_err() || from == "epoch 1" && to == "epoch 2", "{to}: {read:?}");
    }
    let short = manifest(place(1, 9), 3, vec![name(None, 5, &bytes)]);
    assert_eq!(Manifest::read(&short.text()), Err(ManifestError::Gap));
    // Everybody's says who is apart: in order, each once, no more than there may be, and nobody else's does.
    let mut apart: Vec<Apart> =
        (0..MAX_APART).map(|n| Apart::of(good.place, &format!("isp-{n}"))).collect();
    apart.sort_unstable();
    let good = Manifest { apart, ..good };
    assert_eq!(Manifest::read(&good.text()), Ok(good.clone()));
    assert!(
        good.text().len() < MAX_MANIFEST && good.sets_apart("isp-7") && !good.sets_apart("isp")
    );
    let odd = |change: &dyn Fn(&mut Manifest)| {
        let mut bad = good.clone();
        change(&mut bad);
        assert!(Manifest::read(&bad.text()).is_err(), "{}", bad.text());
    };
    odd(&|bad| bad.apart.swap(3, 4));
    odd(&|bad| bad.apart[3] = bad.apart[4]);
    odd(&|bad| {
        bad.apart.push(Apart::of(place(9, 9), "more"));
        bad.apart.sort_unstable();
    });
    odd(&|bad| bad.view = "isp-7".into());
    let first = good.apart[0].to_string();
    for bad in [&first[1..], &first.to_uppercase(), &format!("+{}", &first[1..]), "no number"] {
        assert!(Manifest::read(&good.text().replace(&first, bad)).is_err(), "{bad}");
    }
    // Of another epoch or session the same name is told otherwise.
    assert_ne!(Apart::of(place(1, 9), "isp-7"), Apart::of(place(2, 9), "isp-7"));
}

#[test]
fn what_a_file_shows_is_read_and_proven() {
    let log = Log::new(&[&[1, 2, 3, 4, 5], &[6], &[7, 8, 9]]);
    let bytes = log.file(place(1, 5), None, &[(0, &[1, 4]), (1, &[0]), (2, &[0, 1, 2])], &[40]);
    let events = read(&bytes, &policy(1)).unwrap();
    let values: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Block(block) => Some(block.value.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(values, ["s2", "s5", "s6", "s7", "s8", "s9"].map(|s| format!("{s}.stream.example")));
    assert_eq!(events.last(), Some(&Event::End { blocks: 6, gone: 1 }));
    // Of the first record's five leaves two are shown, and the rest are two cuts.
    assert_eq!(events.iter().filter(|event| **event == Event::Cut).count(), 2);
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        !text.contains("\"lea\"") && !text.contains("s1.stream") && !text.contains("s3.stream")
    );
}

#[test]
fn additions_wait_for_as_many_witnesses_as_are_asked_for() {
    let log = Log::new(&[&[1]]);
    let bare = log.file_with(place(1, 5), None, &[(0, &[0])], &[], &log.checkpoint(false));
    assert!(read(&bare, &policy(0)).is_ok());
    let error = read(&bare, &policy(1)).unwrap_err();
    assert!(matches!(error.why, Why::Checkpoint(ProofError::Unwitnessed { found: 0, wanted: 1 })));
    // What lifts needs neither record nor checkpoint.
    let lift = log.file_with(place(1, 6), Some(5), &[], &[1], "");
    assert!(read(&lift, &policy(1)).is_ok());
    let unproven = log.file_with(place(1, 6), Some(5), &[(0, &[0])], &[], "");
    assert_eq!(read(&unproven, &policy(0)).unwrap_err().why, Why::NoCheckpoint);
}

/// Whatever is changed in a file, nothing of it is believed: of each line each byte.
#[test]
fn no_flipped_byte_of_a_file_is_believed() {
    let log = Log::new(&[&[1, 2, 3], &[4]]);
    let good = log.file(place(1, 5), None, &[(0, &[1]), (1, &[0])], &[40]);
    let policy = policy(1);
    let whole = |bytes: &[u8]| {
        let mut staged = Staged::new(name(None, 5, &good), &policy);
        lines(bytes).try_for_each(|line| staged.line(line)).ok()?;
        let mut follower = Follower::new("all", Bounds::default(), Vec::new());
        follower.take(staged, WALL, 0).ok()
    };
    assert!(whole(&good).is_some());
    for at in 0..good.len() {
        for bit in [0, 3, 5] {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            assert!(whole(&bad).is_none(), "byte {at}, bit {bit}");
        }
    }
    // (The last byte ends the last line.)
    for cut in 0..good.len() - 1 {
        assert!(whole(&good[..cut]).is_none(), "cut at {cut}");
    }
}

#[test]
fn blocks_that_nobody_decided_are_not_read() {
    let log = Log::new(&[&[1, 2, 3]]);
    let policy = policy(1);
    let good = String::from_utf8(log.file(place(1, 5), None, &[(0, &[1])], &[])).unwrap();
    let why = |bad: &str| read(bad.as_bytes(), &policy).unwrap_err().why;
    let other = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}: {good}");
        why(&good.replace(from, to))
    };
    assert_eq!(other("s2.stream", "s7.stream"), Why::OtherRoot);
    assert_eq!(other("\"index\":0", "\"index\":1"), Why::NotInLog);
    assert_eq!(other("\"of\":3", "\"of\":2"), Why::NoRoot);
    assert_eq!(other("\"blocks\":1,", "\"blocks\":2,"), Why::Counts);
    assert_eq!(other("\"epoch\":1,\"feed\"", "\"epoch\":0,\"feed\""), Why::Epoch);
    assert_eq!(other("vigie/feed/v1", "vigie/feed/v2"), Why::Shape);
    assert!(matches!(other("s2.stream.example", "*.stream.example"), Why::Shape));
    assert!(matches!(other("s2.stream.example", "198.51.100.0/24"), Why::Shape));
    // A record twice, a line behind the end.
    let group: Vec<&str> = good.lines().skip(1).take(4).collect();
    let head = good.lines().next().unwrap();
    let twice = [&[head], &group[..], &group[..]].concat().join("\n");
    assert_eq!(why(&twice), Why::Order);
    assert_eq!(why(&format!("{good}{{\"gone\":\"a.example\"}}\n")), Why::AfterEnd);
}

#[test]
fn a_follower_goes_on_and_never_back() {
    let log = Log::new(&[&[1, 2, 3], &[4]]);
    let first = log.file(place(1, 5), None, &[(0, &[0, 1, 2])], &[]);
    let next = log.file(place(1, 6), Some(5), &[(1, &[0])], &[2]);
    let (first_name, next_name) = (name(None, 5, &first), name(Some(5), 6, &next));
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    let heard = manifest(place(1, 5), 1, vec![first_name.clone()]);
    let (want, alarm) = follower.hear(&heard, WALL, 100).unwrap();
    assert_eq!((want, alarm), (Want::Files(vec![first_name.clone()]), None));
    assert_eq!(take(&mut follower, &first_name, &first, 100).unwrap().added.len(), 3);
    let heard = manifest(place(1, 6), 2, vec![first_name.clone(), next_name.clone()]);
    let (want, _) = follower.hear(&heard, WALL.plus(1_000), 1_100).unwrap();
    assert_eq!(want, Want::Files(vec![next_name.clone()]));
    let taken = take(&mut follower, &next_name, &next, 1_100).unwrap();
    assert_eq!((taken.added.len(), taken.removed.len()), (1, 1));
    assert_eq!(held(&follower), ["s1", "s3", "s4"].map(|s| format!("{s}.stream.example")));

    // Replayed, rolled back, another's, of an epoch that is over: nothing is changed.
    for (bad, alarm) in [
        (manifest(place(1, 5), 9, vec![first_name.clone()]), Alarm::Back(1, 5)),
        (manifest(place(1, 6), 1, vec![first_name.clone(), next_name.clone()]), Alarm::Back(1, 6)),
        (manifest(place(0, 9), 9, vec![name(None, 9, b"x")]), Alarm::Back(0, 9)),
        (Manifest { view: "isp-2".into(), ..heard.clone() }, Alarm::View("isp-2".into())),
    ] {
        assert_eq!(follower.hear(&bad, WALL, 1_200), Err(alarm));
    }
    assert_eq!(take(&mut follower, &next_name, &next, 1_200), Err(Alarm::Unfit(next_name.hash)));
    let old = follower.hear(&heard, WALL.plus(1_000_000), 1_200);
    assert_eq!(old, Err(Alarm::Old(1_000_000)));
    // The next heartbeat was due a second later: until then nothing is wrong with the clock.
    for (wall, clock) in [
        (WALL.plus(6_000), None),
        (WALL.plus(6_001), Some(Alarm::Clock(5_001))),
        (WALL.minus(5_000), None),
        (WALL.minus(5_001), Some(Alarm::Clock(5_001))),
    ] {
        assert_eq!(follower.hear(&heard, wall, 1_300).unwrap().1, clock);
    }
    assert_eq!(follower.held().len(), 3);

    // A later epoch begins with a snapshot, in which what is not there is gone.
    let mut log = log;
    log.epoch = 2;
    let record = log.push(vec![block(4, 2), block(5, 2)]);
    let anew = log.file(place(2, 0), None, &[(record, &[0, 1])], &[]);
    let anew_name = name(None, 0, &anew);
    let heard = manifest(place(2, 0), 1, vec![anew_name.clone()]);
    let (want, _) = follower.hear(&heard, WALL, 2_000).unwrap();
    assert_eq!(want, Want::Files(vec![anew_name.clone()]));
    let taken = take(&mut follower, &anew_name, &anew, 2_000).unwrap();
    assert_eq!((taken.added.len(), taken.removed.len()), (2, 2));
    assert_eq!(held(&follower), ["s4", "s5"].map(|s| format!("{s}.stream.example")));
    // After a restart it takes nothing older, and begins with a snapshot.
    let (at, beat) = follower.place().unwrap();
    let mut again = Follower::new("all", Bounds::default(), Vec::new());
    again.resume(at, beat);
    let old = manifest(place(1, 6), 2, vec![first_name, next_name]);
    assert_eq!(again.hear(&old, WALL, 0), Err(Alarm::Back(1, 6)));
    assert_eq!(again.hear(&heard, WALL, 0).unwrap().0, Want::Files(vec![anew_name]));
}

#[test]
fn it_lets_go_by_its_own_clock() {
    let mut log = Log { epoch: 1, ..Log::default() };
    let record = log.push(vec![block(1, 1), block(2, 3)]);
    let bytes = log.file(place(1, 5), None, &[(record, &[0, 1])], &[]);
    let name = name(None, 5, &bytes);
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    let long = Manifest { silence_ms: u64::MAX, ..manifest(place(1, 5), 1, vec![name.clone()]) };
    follower.hear(&long, WALL, 0).unwrap();
    take(&mut follower, &name, &bytes, 0).unwrap();
    // However long a manifest lets it hold on, its own bound is shorter.
    assert!(follower.due(899_999).removed.is_empty());
    for beat in 2..=7 {
        let wall = WALL.plus(600_000 * (beat - 1));
        let next = Manifest { beat: Beat { number: beat, made: wall }, ..long.clone() };
        follower.hear(&next, wall, 600_000 * (beat - 1)).unwrap();
        assert!(follower.due(600_000 * (beat - 1) - 1).removed.is_empty(), "beat {beat}");
    }
    assert_eq!(follower.due(3_600_000).removed.len(), 1);
    assert_eq!(held(&follower), ["s2.stream.example"]);
    let taken = follower.due(3_600_000 + 900_000);
    assert_eq!((taken.removed.len(), taken.alarms.len()), (1, 1));
    assert!(follower.held().is_empty() && follower.due(9_000_000).alarms.is_empty());
    // What it hears then it begins anew.
    let wall = WALL.plus(9_000_000);
    let next = Manifest { beat: Beat { number: 9, made: wall }, ..long };
    assert_eq!(follower.hear(&next, wall, 9_000_000).unwrap().0, Want::Files(vec![name]));
}

/// A mirror that stands still, beside a machine whose clock stands still or is behind.
#[test]
fn the_same_manifest_again_keeps_nothing_alive() {
    let log = Log::new(&[&[1]]);
    let bytes = log.file(place(1, 5), None, &[(0, &[0])], &[]);
    let name = name(None, 5, &bytes);
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    let still = manifest(place(1, 5), 1, vec![name.clone()]);
    let silence = still.silence_ms;
    let behind = Moment(WALL.0 - 86_400_000);
    follower.hear(&still, behind, 0).unwrap();
    take(&mut follower, &name, &bytes, 0).unwrap();
    for now in (0..=silence).step_by(10_000) {
        follower.hear(&still, behind, now).unwrap();
        assert_eq!(follower.silent_at(), Some(silence), "{now}");
    }
    assert_eq!(follower.due(silence).removed.len(), 1);
    let late = silence + 1;
    assert_eq!(follower.hear(&still, behind, late), Err(Alarm::Old(late)));
    let next = Manifest { beat: Beat { number: 2, made: WALL }, ..still };
    assert_eq!(follower.hear(&next, behind, late).unwrap().0, Want::Files(vec![name]));
}

#[test]
fn manifests_without_their_files_keep_nothing_alive() {
    let log = Log::new(&[&[1, 2, 3]]);
    let first = log.file(place(1, 5), None, &[(0, &[0, 1, 2])], &[]);
    let lift = log.file(place(1, 6), Some(5), &[], &[2]);
    let (first_name, lift_name) = (name(None, 5, &first), name(Some(5), 6, &lift));
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    assert!(!follower.is_whole() && follower.silent_at().is_none());
    follower.hear(&manifest(place(1, 5), 1, vec![first_name.clone()]), WALL, 0).unwrap();
    assert_eq!(follower.silent_at(), None);
    take(&mut follower, &first_name, &first, 0).unwrap();
    assert!(follower.is_whole());
    let silent = follower.silent_at().unwrap();
    // Whoever hands on each heartbeat, and never the file that opens a name.
    let next = manifest(place(1, 6), 2, vec![first_name.clone(), lift_name.clone()]);
    for (beat, now) in (2..).zip([60_000, 120_000, 180_000]) {
        let wall = WALL.plus(now);
        let next = Manifest { beat: Beat { number: beat, made: wall }, ..next.clone() };
        assert_eq!(
            follower.hear(&next, wall, now).unwrap().0,
            Want::Files(vec![lift_name.clone()])
        );
        assert_eq!(follower.silent_at(), Some(silent));
    }
    // Nor does it go back to an epoch that was over when the files were still to come.
    let anew = manifest(place(2, 0), 1, vec![name(None, 0, b"x")]);
    follower.hear(&anew, WALL, 180_000).unwrap();
    let old = Manifest { beat: Beat { number: 9, made: WALL }, ..next };
    assert_eq!(follower.hear(&old, WALL, 180_000), Err(Alarm::Back(1, 6)));
    assert_eq!(follower.due(silent).removed.len(), 3);
}

#[test]
fn what_is_protected_here_stays_open_and_a_flood_waits() {
    let bounds = Bounds { per_minute: 3, ..Bounds::default() };
    let protected = vec!["*.stream.example".parse().unwrap(), "198.51.100.0/24".parse().unwrap()];
    let log = Log::new(&[&[1, 2], &[3, 4, 5, 6, 7]]);
    let first = log.file(place(1, 1), None, &[(0, &[0, 1])], &[]);
    let first_name = name(None, 1, &first);
    let mut guarded = Follower::new("all", bounds.clone(), protected);
    guarded.hear(&manifest(place(1, 1), 1, vec![first_name.clone()]), WALL, 0).unwrap();
    let taken = take(&mut guarded, &first_name, &first, 0).unwrap();
    assert!(taken.added.is_empty() && matches!(taken.alarms[..], [Alarm::Protected(2, _)]));

    let mut follower = Follower::new("all", bounds, Vec::new());
    follower.hear(&manifest(place(1, 1), 1, vec![first_name.clone()]), WALL, 0).unwrap();
    assert_eq!(take(&mut follower, &first_name, &first, 0).unwrap().added.len(), 2);
    let next = log.file(place(1, 2), Some(1), &[(1, &[0, 1, 2, 3, 4])], &[]);
    let next_name = name(Some(1), 2, &next);
    let taken = take(&mut follower, &next_name, &next, 10).unwrap();
    assert_eq!((taken.added.len(), follower.waiting()), (3, 2));
    assert_eq!(taken.alarms, [Alarm::Flood(2, 3)]);
    // A lift of what waits is heard; a person lets in the rest.
    let lift = log.file(place(1, 3), Some(2), &[], &[6]);
    let taken = take(&mut follower, &name(Some(2), 3, &lift), &lift, 20).unwrap();
    assert!(taken.removed.is_empty() && follower.waiting() == 1);
    assert_eq!(follower.let_in(WALL, 30).added.len(), 1);
    assert_eq!(follower.held().len(), 6);
}

proptest! {
    #[test]
    fn whatever_is_shown_of_a_tree_leads_to_its_root(of in 1..40_u32, shown in prop::collection::btree_set(0..40_u32, 0..12)) {
        let leaves: Vec<Hash> = (0..of).map(|n| block(n, 1).leaf()).collect();
        let shown: Vec<u32> = shown.into_iter().filter(|at| *at < of).collect();
        let parts = prune(&leaves, &shown);
        let mut joining = pruned::Joining::new(of);
        let mut places = Vec::new();
        for part in &parts {
            let part = match part {
                Pruned::Leaf(at) => Pruned::Leaf(leaves[*at as usize]),
                Pruned::Cut { leaves, hash } => Pruned::Cut { leaves: *leaves, hash: *hash },
            };
            places.extend(joining.take(&part).unwrap());
        }
        prop_assert!(joining.is_whole());
        prop_assert_eq!(joining.root().unwrap(), proof::root(&leaves));
        prop_assert_eq!(places, shown);
    }

    /// Who follows deltas holds what who begins with a snapshot holds.
    #[test]
    fn deltas_lead_where_the_snapshot_is(steps in prop::collection::vec((prop::collection::btree_set(0..12_u32, 0..4), prop::collection::btree_set(0..12_u32, 0..4)), 1..8)) {
        let mut log = Log { epoch: 1, ..Log::default() };
        let mut out: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
        let mut follower = Follower::new("all", Bounds::default(), Vec::new());
        let empty = log_file(&log, 0, None, &out, &[]);
        take(&mut follower, &name(None, 0, &empty), &empty, 0).unwrap();
        let mut snapshot = empty;
        for (serial, (add, remove)) in (1..).zip(&steps) {
            let add: Vec<u32> = add.difference(remove).copied().collect();
            let record = log.push(add.iter().map(|n| block(*n, 2 + serial)).collect());
            let gone: Vec<u32> = remove.iter().filter(|n| out.remove(n).is_some()).copied().collect();
            let fresh: BTreeMap<u32, (usize, u32)> = (0..).zip(&add).map(|(at, n)| (*n, (record, at))).collect();
            out.extend(fresh.iter().map(|(n, at)| (*n, *at)));
            let delta = log_file(&log, serial, Some(serial - 1), &fresh, &gone);
            take(&mut follower, &name(Some(serial - 1), serial, &delta), &delta, 0).unwrap();
            snapshot = log_file(&log, serial, None, &out, &[]);
        }
        let mut anew = Follower::new("all", Bounds::default(), Vec::new());
        let last = steps.len() as u64;
        take(&mut anew, &name(None, last, &snapshot), &snapshot, 0).unwrap();
        prop_assert_eq!(follower.held(), anew.held());
        prop_assert_eq!(follower.held().len(), out.len());
    }

    #[test]
    fn no_line_panics(lines in prop::collection::vec(".{0,60}", 0..6)) {
        let policy = policy(0);
        let mut reader = Reader::new(&policy);
        for line in &lines {
            let _ = reader.line(line.as_bytes());
        }
        let _ = Manifest::read(&lines.join("\n"));
    }
}

fn log_file(
    log: &Log,
    serial: u64,
    from: Option<u64>,
    out: &BTreeMap<u32, (usize, u32)>,
    gone: &[u32],
) -> Vec<u8> {
    let mut records: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for (record, at) in out.values() {
        records.entry(*record).or_default().push(*at);
    }
    records.values_mut().for_each(|places| places.sort_unstable());
    let shown: Vec<(usize, &[u32])> =
        records.iter().map(|(n, places)| (*n, places.as_slice())).collect();
    let checkpoint = if log.records.is_empty() { String::new() } else { log.checkpoint(true) };
    log.file_with(place(1, serial), from, &shown, gone, &checkpoint)
}

/// One who has a view of their own follows it while there is one, and everybody's before and after: what stands in
/// both is never let go of, and neither view's past is taken again.
#[test]
fn an_own_view_is_gone_over_to_and_back_and_nothing_opens_in_between() {
    let log = Log::new(&[&[1, 2], &[3]]);
    let checkpoint = log.checkpoint(true);
    let file = |view: &str, serial, from, shown: &[(usize, &[u32])], gone: &[u32]| {
        let bytes = log.file_of(view, place(1, serial), from, shown, gone, &checkpoint);
        (name(from, serial, &bytes), bytes)
    };
    let said = |view: &str, serial, beat, apart: &[&str], files: &[&(FileName, Vec<u8>)]| {
        let at = place(1, serial);
        let mut apart: Vec<Apart> = apart.iter().map(|name| Apart::of(at, name)).collect();
        apart.sort_unstable();
        let files = files.iter().map(|(name, _)| name.clone()).collect();
        Manifest { view: view.into(), apart, ..manifest(at, beat, files) }
    };
    let all = file("all", 5, None, &[(0, &[0, 1])], &[]);
    let own = file("isp-1", 6, None, &[(0, &[0, 1]), (1, &[0])], &[]);
    let lifts = file("all", 6, Some(5), &[], &[]);
    let after = file("all", 7, Some(6), &[], &[1]);
    let mut follower = Follower::new("isp-1", Bounds::default(), Vec::new());
    let hear = |follower: &mut Follower, manifest: &Manifest| {
        follower.hear(manifest, WALL, 0).map(|(want, _)| want)
    };
    let names = |n: &[u32]| n.iter().map(|n| format!("s{n}.stream.example")).collect::<Vec<_>>();

    // There is none of its own: everybody's is followed.
    let first = said("all", 5, 1, &["isp-2"], &[&all]);
    assert_eq!(hear(&mut follower, &first), Ok(Want::Files(vec![all.0.clone()])));
    take(&mut follower, &all.0, &all.1, 0).unwrap();
    assert_eq!((held(&follower), follower.reads()), (names(&[1, 2]), "all"));

    // It begins: everybody's is believed no more, whoever hands it on, nor is another ISP's.
    let all_six = said("all", 6, 2, &["isp-1", "isp-2"], &[&all, &lifts]);
    assert_eq!(hear(&mut follower, &all_six), Err(Alarm::Apart("isp-1".into())));
    let others = said("isp-2", 6, 2, &[], &[&own]);
    assert_eq!(hear(&mut follower, &others), Err(Alarm::View("isp-2".into())));
    assert_eq!(follower.place().unwrap().0.serial, 5);
    let begun = said("isp-1", 6, 2, &[], &[&own]);
    assert_eq!(hear(&mut follower, &begun), Ok(Want::Files(vec![own.0.clone()])));
    // A file of another view under a name that the manifest gave is not taken.
    let mixed = log.file_of("all", place(1, 6), None, &[(0, &[0])], &[], &checkpoint);
    let mixed = take(&mut follower, &name(None, 6, &mixed), &mixed, 0);
    assert!(matches!(mixed, Err(Alarm::Unfit(_))), "{mixed:?}");
    let taken = take(&mut follower, &own.0, &own.1, 0).unwrap();
    assert_eq!(
        (taken.added.len(), taken.removed.len()),
        (1, 0),
        "what stood in both was let go of"
    );
    assert_eq!((held(&follower), follower.reads()), (names(&[1, 2, 3]), "isp-1"));

    // What everybody's said before is an old one by now, and at its own place it is still set apart.
    let back = Err(Alarm::Back(1, 5));
    assert_eq!(hear(&mut follower, &first), back.clone());
    assert_eq!(hear(&mut follower, &all_six), Err(Alarm::Apart("isp-1".into())));
    assert_eq!(hear(&mut follower, &said("isp-1", 6, 3, &[], &[&own])), Ok(Want::Nothing));

    // It ends with its last ticket: back to everybody's by a snapshot, since no delta leads across.
    let over = said("all", 7, 4, &["isp-2"], &[&all, &lifts, &after]);
    let files = vec![all.0.clone(), lifts.0.clone(), after.0.clone()];
    assert_eq!(hear(&mut follower, &over), Ok(Want::Files(files)));
    let delta = take(&mut follower, &after.0, &after.1, 0);
    assert!(matches!(delta, Err(Alarm::Unfit(_))), "{delta:?}");
    let mut opened = Vec::new();
    for (name, bytes) in [&all, &lifts, &after] {
        opened.extend(take(&mut follower, name, bytes, 0).unwrap().removed);
    }
    let opened: Vec<String> = opened.iter().map(ToString::to_string).collect();
    assert_eq!(opened, names(&[3, 1]), "the own one, and the one that was lifted");
    assert_eq!((held(&follower), follower.reads()), (names(&[2]), "all"));
    // The own view that is over is played back to nobody.
    assert_eq!(hear(&mut follower, &begun), Err(Alarm::Back(1, 6)));
    let (at, beat) = follower.place().unwrap();
    let mut again = Follower::new("isp-1", Bounds::default(), Vec::new());
    again.resume(at, beat);
    for old in [&begun, &first, &all_six] {
        assert_eq!(hear(&mut again, old), Err(Alarm::Back(1, old.place.serial)));
    }
    assert!(hear(&mut again, &over).is_ok());
}
