//! What else reads bytes that others wrote: records, notes, the log's files, archives, tables of
//! addresses, lists of check sums, mapping files, time stamps, web archives, hand-overs, packages, images
//! of disks, items of the shield, its sets, decisions, feed and stops, requests for block lists, what is
//! said to the keep of an ISP's side, what its follow is set by and remembers, tickets by Piracy Shield's
//! API, what a measuring probe sends, what a clearing house and its standby say to one another, and what
//! the capture probe meets: HTTP answers, playlists, hosts, DNS. The first byte says which.
//!
//! (Index files are fuzzed by `desk`'s own tests: SQLite and Parquet would be built for them here.)
#![no_main]

use std::cell::LazyCell;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use intake::tables::mapping::Mapping;
use intake::{Chunks, Collect, Input};
use ledger::{
    Checkpoint, Consistency, CosignerKey, Note, Proof, Sealed, SigningKey, Trust, VerifierKey,
    WitnessKey,
};
use libfuzzer_sys::fuzz_target;
use model::custody::Offer;
use model::record::{Name, Opening, Record};
use model::{ExhibitId, Sha256Hex};
use vault::image::{Disk, Ewf, Finding, Raw, partitions, recognise};
use vault::unpack::{Bounds, Budget, Codec, Source};
use ledger::witness::Split;
use vault::warc::{Limits, Mode, Reader};

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which {
        b'0' => record(bytes),
        b'1' => note(bytes),
        b'2' => log(&frame(bytes), "journal"),
        b'3' => log(bytes, "tile/entries/000.p/1"),
        b'4' => archive(bytes),
        b'5' => addresses(bytes),
        b'6' => mapping(bytes),
        b'7' => drop(vault::sums::parse(bytes, b"SHA256SUMS")),
        b'8' => proof(bytes),
        b'9' => stamp(bytes),
        b'a' => web_archive(bytes),
        b'b' => offer(bytes),
        b'c' => package(bytes),
        b'd' => expert_witness(bytes),
        b'e' => partition_table(bytes),
        b'f' => answer(bytes),
        b'g' => playlist(bytes),
        b'h' => hosts(bytes),
        b'i' => names(bytes),
        b'j' => stop(bytes),
        b'k' => told(bytes),
        b'm' => measured(bytes),
        b'q' => ticket(bytes),
        b'r' => dns(bytes),
        b's' => items(bytes),
        b't' => set(bytes),
        b'u' => keep(bytes),
        b'v' => follow(bytes),
        b'w' => standby(bytes),
        b'x' => decision(bytes),
        b'y' => feed(bytes),
        b'z' => manifest(bytes),
        _ => {}
    }
});

/// What reads as a record writes the same bytes again.
fn record(bytes: &[u8]) {
    if let Ok(record) = Record::parse(bytes) {
        let _ = record.check_fields();
    }
    let _ = Opening::parse_line(bytes);
    if let Ok(value) = model::canonical::Canon::parse(bytes) {
        assert_eq!(value.to_bytes().as_deref(), Ok(bytes), "two writings of one value");
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = model::Key::parse(text);
        let _ = model::Stamp::parse_iso(text);
        if let Ok(reference) = text.parse::<model::Reference>() {
            assert_eq!(reference.to_string(), text, "two writings of one reference");
        }
    }
}

/// Nothing that the key did not sign is taken.
fn note(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (VerifierKey::parse(text), SigningKey::parse(text), Checkpoint::parse_unverified(text));
    if let Ok(key) = SigningKey::new("fuzz.invalid", &[7; 32]) {
        assert!(key.verifier().open(text).is_err(), "a signature was forged");
    }
    // A key's file has one writing. It is not opened here: that is slow by design.
    if let Ok(sealed) = Sealed::parse(text) {
        assert_eq!(sealed.to_string(), text);
    }
}

/// What a measuring probe sends, what it is asked, and what a record holds of it: what is read is within its
/// bounds, and findings are written and read again the same.
fn measured(bytes: &[u8]) {
    use shield::measure::figures;
    use shield::measure::wire::{MAX_AGE_MS, MAX_ANSWERS, MAX_ROUND, Questions, Report};
    if let Ok(report) = Report::read(bytes) {
        assert!(report.answers.len() <= MAX_ANSWERS);
        assert!(report.answers.iter().all(|answer| answer.age_ms <= MAX_AGE_MS));
    }
    if let Ok(questions) = Questions::read(bytes) {
        assert!(questions.names.len() <= MAX_ROUND);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(all) = figures::read(text) {
        let texts = figures::texts(&all).expect("findings have a writing");
        let again: Vec<_> = texts.iter().filter_map(|text| figures::read(text).ok()).flatten().collect();
        assert_eq!(again, all);
    }
}

/// What reads as a note, a proof or a statement of trust is written again the same, and nothing that
/// a key did not sign is taken for signed.
fn proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (Ok(log), Ok(witness)) =
        (SigningKey::new("fuzz.invalid", &[7; 32]), CosignerKey::new("fuzz.invalid", &[8; 32]))
    else {
        return;
    };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text);
        assert!(log.verifier().open_among(&note).is_err(), "a signature was forged");
        assert!(!matches!(witness.witness().cosigned(&note), Ok(Some(_))), "a cosignature, too");
        let _ = Checkpoint::of_text(&note.text);
    }
    if let Ok(proof) = Proof::parse(text) {
        assert_eq!(proof.to_string(), text);
        let _ = proof.leads_to(&[0; 32]);
    }
    if let Ok(split) = Split::parse(text) {
        assert_eq!(split.to_string(), text);
        let _ = split.shown();
    }
    if let Ok(proof) = Consistency::parse(text) {
        assert_eq!(proof.to_string(), text);
        let checkpoint =
            Checkpoint { origin: "fuzz.invalid".into(), size: proof.old, root: [0; 32] };
        let _ = proof.check(&checkpoint);
    }
    let _ = (WitnessKey::parse(text), CosignerKey::parse(text), Trust::parse(text));
}

/// A token of nobody's is taken for nobody's, whatever certificates it brings along.
fn stamp(bytes: &[u8]) {
    let _ = (vault::stamp::response(bytes), vault::stamp::Crl::parse(bytes));
    let _ = vault::stamp::certificates_in(bytes);
    if let Ok(token) = vault::stamp::Token::parse(bytes) {
        let digest = token.info().digest;
        let pool = vault::stamp::Pool::default();
        if let Ok(found) = token.verify(&digest, None, &pool, &[]) {
            assert!(found.confirmed.is_none());
        }
        assert!(token.verify(&[7; 32], None, &pool, &[]).is_err() || digest == [7; 32]);
    }
}

/// What reads as a hand-over is written again the same, and nobody's signature is taken for another's.
fn offer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = (model::spoken::read_back(text), model::custody::moment(text));
    let of = |text: &str| {
        let offer = Offer::parse(text).ok()?;
        assert_eq!(offer.to_string(), text, "two writings of one hand-over");
        Some(offer)
    };
    let _ = of(text);
    let Ok(note) = Note::parse(text) else { return };
    if of(&note.text).is_some()
        && let Ok(key) = SigningKey::new("fuzz.invalid", &[7; 32])
    {
        assert!(key.verifier().open_note(&note).is_err(), "a signature was forged");
    }
}

/// What reads as a part of a package is written again the same, and no note is taken for signed.
fn package(bytes: &[u8]) {
    if let Ok(line) = vault::package::Disclosed::parse(bytes) {
        assert_eq!(line.to_line().as_deref(), Ok(bytes), "two writings of one record");
        let _ = line.record();
        if let Some(part) = &line.part {
            let root = Sha256Hex([0; 32]);
            let _ = part.check::<()>(&root, &mut |_| Ok(Vec::new()));
        }
    }
    if let Ok(files) = vault::package::zip::read(&mut Cursor::new(bytes), &|_| {}) {
        let within = |f: &vault::package::zip::Found| f.offset + f.size <= bytes.len() as u64;
        assert!(files.iter().all(|(name, found)| vault::package::zip::is_name(name) && within(found)));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(key) = SigningKey::new("fuzz.invalid", &[7; 32]) {
        assert!(vault::package::PackageNote::open(text, &key.verifier()).is_err(), "a forged note");
    }
}

/// A log whose one file holds these bytes.
fn log(bytes: &[u8], file: &str) {
    thread_local! {
        static FOLDER: LazyCell<PathBuf> = const { LazyCell::new(folder) };
    }
    FOLDER.with(|folder: &LazyCell<PathBuf>| {
        let path = folder.join(file);
        if std::fs::write(&path, bytes).is_ok() {
            let _ = ledger::Still::take(folder).map(|still| still.first_entry());
            if let Ok(reader) = ledger::Reader::open(folder) {
                let _ = reader.entries(0).take(64).count();
            }
            let _ = ledger::verify(folder, ledger::Known::default(), &mut |_, _, _| None);
        }
        let _ = std::fs::remove_file(path);
    });
}

/// A whole frame of the journal around a payload: its length and digest are made to fit.
fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    [length.as_slice(), &Sha256Hex::of(payload).0, payload].concat()
}

fn folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    let base = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let folder = base.join(format!("vigie-fuzz-{}", std::process::id()));
    let _ = std::fs::create_dir_all(folder.join("tile/entries/000.p"));
    folder
}

/// Whatever an archive states, no more comes out than the bounds allow, and problems lie inside.
fn archive(bytes: &[u8]) {
    const MOST: u64 = 1 << 20;
    let Some(codec) = Codec::sniff(bytes) else { return };
    let bounds = Bounds { total: MOST, ..Bounds::default() };
    let mut budget = Budget::new(bounds, bytes.len() as u64);
    let mut out = 0;
    let problems = vault::unpack::unpack::<()>(
        codec,
        &mut Cursor::new(bytes),
        &Name(b"fuzz".to_vec()),
        0,
        &mut budget,
        &mut |member| {
            out +=
                std::io::copy(&mut member.reader.take(2 * MOST), &mut std::io::sink()).unwrap_or(0);
            Ok(())
        },
    );
    assert!(out <= MOST, "{out} bytes came out");
    for problem in problems.unwrap_or_default() {
        assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64);
    }
}

/// An image reads the same from any place, and its findings lie inside.
fn expert_witness(bytes: &[u8]) {
    const MOST: u64 = 1 << 20;
    let mut file = Cursor::new(bytes);
    let within = |f: &Finding| f.start <= f.end && f.start <= bytes.len() as u64;
    match Ewf::open([&mut file as &mut dyn Source]) {
        Err(findings) => assert!(findings.iter().all(within), "{findings:?}"),
        Ok(mut image) => {
            assert!(image.take_findings().iter().all(within));
            let mut left = 8;
            let _ = image.verify(&mut || {
                left -= 1;
                left > 0
            });
            let size = image.size();
            let mut whole = vec![0; usize::try_from(size.min(MOST)).unwrap_or(0)];
            let got = image.read_at(0, &mut whole).unwrap_or(0);
            assert_eq!(got, whole.len());
            let mut part = [0; 700];
            let at = size.min(MOST) / 2;
            let got = image.read_at(at, &mut part).unwrap_or(0);
            let same = got.min(whole.len() - at as usize);
            assert_eq!(part[..same], whole[at as usize..][..same]);
            let (_, start, end) = image.place(at, size);
            assert!(start <= end && image.read_at(size, &mut part).is_ok_and(|n| n == 0));
        }
    }
}

/// Any first sectors: a bounded list, or none; and what stands on a disk is told or unknown.
fn partition_table(bytes: &[u8]) {
    let mut file = Cursor::new(bytes);
    let mut disk = Raw::new([&mut file as &mut dyn Source]);
    let (found, findings) = partitions(&mut disk);
    assert!(findings.len() < 2000 && findings.iter().all(|f| f.start <= f.end));
    let size = disk.size();
    let _ = recognise(&mut disk, 0, size);
    for partition in found.map_or(Vec::new(), |(_, partitions)| partitions) {
        let _ = recognise(&mut disk, partition.start, partition.size);
    }
}

/// An HTTP answer reads the same however it comes in, and never beyond its bound.
fn answer(bytes: &[u8]) {
    use collect::http::{Progress, Reading};
    const MOST: usize = 1000;
    let mut whole = Reading::new(MOST);
    whole.push(bytes);
    let mut parts = Reading::new(MOST);
    for part in bytes.chunks(7) {
        if parts.push(part) != Progress::More {
            break;
        }
    }
    assert_eq!(whole.body(), parts.body());
    assert!(whole.body().len() <= MOST && bytes.starts_with(whole.wire()));
    // What is called whole has nothing that vault's reader of web archives finds a flaw in. (An answer that has no body
    // may name any coding of it: vault says that it undoes none.)
    let bodiless = whole.head().is_some_and(|head| matches!(head.status, 204 | 304));
    if whole.close(true) == Progress::Whole && whole.informed() == 0 && !bodiless {
        let mut file = collect::warc::Writer::new([7; 32], 0, &[("software", "fuzz")]);
        let id = file.id(0);
        let record = collect::warc::Record {
            kind: collect::warc::Kind::Response,
            uri: Some("http://fuzz.invalid/"),
            date_ms: 0,
            content_type: "application/http; msgtype=response",
            ip: None,
            concurrent: &[],
            truncated: None,
            payload: None,
            block: whole.wire(),
        };
        file.record(&id, &record);
        let file = file.finish();
        let mut reader = Reader::new(file.as_slice(), Mode::Strict, Limits::default());
        while let Some(record) = reader.next_record().expect("no flaw") {
            let mut body = Vec::new();
            reader.payload().read_to_end(&mut body).expect("no flaw");
            if record.kind == vault::warc::Kind::Response && whole.head().is_some_and(|h| h.is_chunked()) {
                assert_eq!(body, whole.body());
            }
        }
    }
}

/// No more URIs than asked for, each one line.
fn playlist(bytes: &[u8]) {
    use collect::playlist::{MAX_URI, Playlist, read};
    if let Some(Playlist::Master(uris) | Playlist::Media(uris)) = read(bytes, 3) {
        assert!(uris.len() <= 3 && uris.iter().all(|u| u.len() <= MAX_URI && !u.contains('\n')));
    }
}

/// What reads as a host's rule or an item is written again the same; no rule of names is about an address.
fn hosts(bytes: &[u8]) {
    use collect::host::{Host, HostRule, Hosts};
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(rule) = text.parse::<HostRule>() {
        assert_eq!(rule.to_string().parse(), Ok(rule.clone()));
        let address = Host::Address([127, 0, 0, 1].into());
        assert!(!rule.names(&address) || matches!(rule.hosts, Hosts::Range(_)));
    }
    if let Ok(item) = text.parse::<collect::Item>() {
        assert_eq!(item.to_string().parse(), Ok(item));
    }
    let pace = collect::pace::Pace::parse(text);
    assert_eq!(collect::pace::Pace::parse(&pace.to_string()), pace);
    let tally = collect::home::Tally::parse(text);
    assert_eq!(collect::home::Tally::parse(&tally.to_string()), tally);
}

/// An answer of DNS to our question: bounded, or none.
fn names(bytes: &[u8]) {
    use collect::dns::{Ask, MAX_RECORDS, answer, question};
    let asked = question(7, "tv.example", Ask::A).expect("a question");
    // Beyond its head any bytes may be an answer to it.
    let mut same = asked.get(..28).unwrap_or_default().to_vec();
    same.extend_from_slice(bytes);
    if let (Some(flags), Some((counts, _))) = (same.get_mut(2), bytes.split_first()) {
        *flags |= 0x80;
        same[7] = *counts;
    }
    for bytes in [bytes, &same] {
        if let Ok(found) = answer(&asked, bytes) {
            assert!(found.addresses.len() <= 2 * MAX_RECORDS && found.aliases.len() <= MAX_RECORDS);
        }
    }
}

/// Faults lie inside, strict mode refuses what lenient mode lists, and no bound is passed.
fn web_archive(bytes: &[u8]) {
    let limits = Limits { header: 2048, fields: 32, record: 1 << 20, unpacked: 1 << 20 };
    let read = |mode| {
        let mut reader = Reader::new(bytes, mode, limits);
        let (mut records, mut failed, mut out) = (0, None, 0);
        loop {
            match reader.next_record() {
                Ok(Some(_)) => records += 1,
                Ok(None) => break,
                Err(fault) => failed = Some(fault),
            }
            out += std::io::copy(&mut reader.payload(), &mut std::io::sink()).unwrap_or(0);
        }
        assert!(out <= limits.unpacked + (1 << 16) + bytes.len() as u64, "{out} bytes came out");
        (records, reader.take_faults(), failed)
    };
    let (records, faults, failed) = read(Mode::Lenient);
    assert!(failed.is_none(), "lenient mode refuses nothing");
    for fault in &faults {
        assert!(fault.start <= fault.end && fault.end <= bytes.len() as u64, "{fault:?}");
    }
    let (before, _, failed) = read(Mode::Strict);
    assert_eq!(failed.is_none(), faults.is_empty(), "{failed:?} {faults:?}");
    assert!(before <= records && (failed.is_some() || before == records));
}

/// A table is refused, or answers for any address. Its digest is made to fit: what it guards against
/// is not what is tried here.
fn addresses(bytes: &[u8]) {
    let digest = Sha256Hex::of(bytes).0;
    let sealed = [b"VIGIEAS1", digest.as_slice(), bytes].concat();
    if let Ok(table) = model::asn::Table::read(&sealed) {
        for ip in ["0.0.0.0", "198.18.0.1", "255.255.255.255", "::", "3fff::7", "ffff::ffff"] {
            let _ = table.look_up(ip.parse().expect("an address"));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let mut builder = model::asn::Builder::default();
        let read = builder.csv(model::asn::Rows::Both, text);
        if read.is_ok()
            && let Ok(made) = builder.finish()
        {
            assert!(model::asn::Table::read(&made).is_ok(), "what was built is refused");
        }
    }
}

/// A mapping file, and a table read by it.
fn mapping(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Mapping::parse(text);
    let mut table: &[u8] = b"Date;Amount;Who\n01/02/2025;1,50;a@mail.example\nx;y;z\n";
    let input = Input { exhibit: ExhibitId([9; 32]), name: "fuzz.csv", mapping: Some(text) };
    let size = table.len() as u64;
    let coverage =
        (intake::tables::CSV.parse)(&input, &mut Chunks::new(&mut table), &mut Collect::default());
    assert_eq!(coverage.total(), size);
}

/// An item, or an exception's cover, that is read reads again as it is written, and no address is ever allowed.
fn items(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (sets, suffixes) = (shield::Sets::default(), shield::Suffixes::default());
    for line in text.lines() {
        if let Ok(cover) = line.parse::<shield::order::exceptions::Cover>() {
            assert_eq!(cover.to_string().parse().as_ref(), Ok(&cover));
        }
    }
    for practice in [false, true] {
        let check = shield::Check { sets: &sets, suffixes: &suffixes, places: None, practice };
        for line in text.lines() {
            let (item, finding) = check.text(line);
            let Some(item) = item else {
                assert_eq!(finding.verdict, shield::Verdict::Refuse);
                continue;
            };
            assert_eq!(shield::Item::parse(&item.to_string()).as_ref(), Ok(&item));
            assert!(item.address().is_none() || finding.verdict > shield::Verdict::Allow);
            let gravest = finding.reasons.iter().map(|reason| reason.effect.into()).max();
            assert_eq!(gravest.unwrap_or(shield::Verdict::Allow), finding.verdict);
        }
    }
}

/// A set that is read holds as many members as it says, and its head reads again.
/// A file of the shield's feed: whatever the lines are, nothing is told proven that no record shows.
fn feed(bytes: &[u8]) {
    let log = SigningKey::new("a.example/shield", &[1; 32]).expect("a key").verifier();
    let policy = ledger::Policy { log, witnesses: Vec::new(), quorum: 0 };
    let mut reader = shield::wire::Reader::new(&policy);
    let mut blocks = 0;
    for line in bytes.split(|b| *b == b'\n') {
        match reader.line(line) {
            // The log's key signed nothing here.
            Ok(shield::wire::Event::Record(_)) => panic!("a record of an unsigned log"),
            Ok(shield::wire::Event::Block(_)) => blocks += 1,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    assert_eq!(blocks, 0);
}

/// A ticket by Piracy Shield's API: no more items than a ticket holds, each a value that is read alike again.
fn ticket(bytes: &[u8]) {
    use piracy_shield::{asked, body::Body};
    let Ok(body) = Body::parse(bytes, asked::REQUIRED, true) else { return };
    let Ok(asked) = asked::Asked::read(&body) else { return };
    assert!((1..=1_000).contains(&asked.lines.len()) && !asked.hashes.is_empty());
    for line in asked.lines {
        assert_eq!(shield::Item::parse(&line.item.to_string()).as_ref(), Ok(&line.item));
    }
}

/// A manifest of the shield's feed: what is read is written the same again.
fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(manifest) = shield::wire::Manifest::read(text) {
        assert_eq!(manifest.text(), text);
    }
}

/// What a clearing house tells of its keys and of tickets: no key signed either, so that neither is believed; and
/// what reads as a ticket's can be written, and read again.
fn told(bytes: &[u8]) {
    use shield::wire::{keys, opened::Opened};
    let Ok(log) = SigningKey::new("fuzz.invalid/shield", &[7; 32]) else { return };
    let policy = ledger::Policy { log: log.verifier(), witnesses: Vec::new(), quorum: 0 };
    if let Ok(turns) = keys::open(bytes, std::slice::from_ref(&policy)) {
        assert!(turns.is_empty(), "a signature was forged");
    }
    let _ = keys::kept(bytes);
    if let Ok(opened) = Opened::read(bytes) {
        // (Not the same: a fraction, which no field holds, may be read as its neighbour.)
        let again = opened.write().map(|text| Opened::read(text.as_bytes()));
        assert!(matches!(again, Ok(Ok(_))), "what is written is not read: {again:?}");
        assert!(opened.check(Some(&policy)).is_err(), "a signature was forged");
        let _ = opened.check(None);
    }
}

/// A decision of the clearing house: what is read writes the same text again, and is made of parts again.
fn decision(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(decision) = shield::order::Decision::read(text) else { return };
    assert_eq!(decision.write().as_deref(), Ok(text));
    assert_eq!(shield::order::written::parts(text).collect::<String>(), text);
}

fn set(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let suffixes = shield::Suffixes::default();
    if let Ok(set) = shield::sets::text::read(text, &suffixes) {
        assert!(set.entries <= text.lines().count());
        let head = shield::sets::text::head(&set.head);
        assert_eq!(shield::sets::text::read(&head, &suffixes).map(|again| again.head), Ok(set.head));
    }
}

/// Follow's settings and what it kept: its place has one writing, and settings that are taken can be
/// followed by.
fn follow(bytes: &[u8]) {
    use edge::follow::{Config, Seen};
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(seen) = Seen::parse(text) {
        assert_eq!(seen.text(), text, "two writings of one place");
    }
    if let Ok(config) = Config::parse(text, Path::new("follow.toml")) {
        let Ok(trusted) = config.trusted() else { panic!("taken, and not to be followed by") };
        assert!(!trusted.feed().is_empty() && trusted.log.len() == config.trust.log.len());
        assert!(trusted.log.iter().all(|log| log.quorum <= log.witnesses.len()));
    }
}

/// Lines to keep: a frame has one writing, and whatever frames come, nothing is out past its word.
fn keep(bytes: &[u8]) {
    use edge::frame::Frame;
    use edge::keeping::{Addresses, Change, Kept, Limits, Protected};
    let rules = ["isp.example", "*.bank.example", "198.51.100.0/24"];
    let protected = Protected::new(&rules).expect("rules");
    let (silence_ms, addresses) = (60_000, Addresses::Practice);
    let limits = Limits { silence_ms, additions_a_minute: 3, fill: 2, values: 8, addresses };
    let mut kept = Kept::new(limits, protected);
    let (mut now, mut out) = (0, std::collections::BTreeSet::new());
    for line in bytes.split(|b| *b == b'\n') {
        // Some lines are time that passes.
        if let [b'+', rest @ ..] = line {
            now += rest.len() as u64 * 10_000;
            for change in kept.due(now) {
                let Change::Open(name) = change else { panic!("the clock blocks nothing") };
                assert!(out.remove(&name.to_string()));
            }
            continue;
        }
        let Ok(frame) = Frame::parse(line) else { continue };
        assert_eq!(frame.write().as_bytes(), line);
        for change in kept.take(frame, now).changes {
            match change {
                Change::Open(name) => assert!(out.remove(&name.to_string())),
                Change::Block(name) => {
                    let name = name.to_string();
                    assert!(name != "isp.example" && !name.ends_with(".bank.example"));
                    // A name may begin as an address does.
                    let endpoint = name.parse().map(|at: std::net::SocketAddrV4| *at.ip());
                    let at = endpoint.or_else(|_| name.parse::<std::net::Ipv4Addr>());
                    assert!(!at.is_ok_and(|at| at.octets().starts_with(&[198, 51, 100])));
                    assert!(out.insert(name));
                }
            }
        }
        let status = kept.status(now);
        assert!(status.out == out.len() as u64 && status.out + status.held <= 8);
        assert!(out.is_empty() || status.silence_in_ms.is_some_and(|ms| ms > 0));
    }
    kept.due(now + 60_000);
    assert_eq!(kept.status(now).out, 0, "out in silence");
}

/// A request for a block list is answered with no more than that and the zone holds; nobody who is not
/// signed for gets one; and a name that is read is written again the same.
fn dns(bytes: &[u8]) {
    use shield_dns::{Access, Algorithm, Asker, Client, Fqdn, Key, Layout, Place, Reply, Zones};
    thread_local! {
        static ZONES: LazyCell<Zones> = const { LazyCell::new(|| {
            let (suffix, contact) = ("rpz.test".to_owned(), "noc.test".to_owned());
            let layout = Layout { suffix, contact, timers: Default::default(), catalog: true };
            let mut zones = Zones::new(&layout, 1000).expect("a layout");
            let names: Vec<Fqdn> = (0..700).map(|n| format!("n{n}.test").parse().expect("a name")).collect();
            for part in names.chunks(100) {
                zones.change(Place::Hot, part, &[], 1000).expect("a change");
            }
            zones
        }) };
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(name) = text.parse::<Fqdn>()
    {
        assert_eq!(name.to_string(), text);
    }
    let all = Client { addresses: vec!["0.0.0.0/0".parse().expect("a net")], ..Client::default() };
    let key = Key::new("k", Algorithm::Sha256, &[7; 32]).expect("a key");
    let signed = Client { keys: vec![key], ..Client::default() };
    ZONES.with(|zones| {
        for (client, open) in [(all, true), (signed, false)] {
            let access = Access::new(vec![client]).expect("clients");
            for udp in [true, false] {
                let asker = Asker { peer: [192, 0, 2, 1].into(), tls: false, key: None };
                match shield_dns::answer(bytes, asker, udp, &zones.view(), &access, 1000) {
                    Reply::Nothing => {}
                    // Question, SOA, EDNS, and what of a wrong signature is told.
                    Reply::Message(message) => assert!(message.len() < 2 * bytes.len() + 600),
                    Reply::Transfer(mut transfer, _) => {
                        assert!(open && !udp);
                        let mut messages = 0;
                        while let Some(message) = transfer.next_message(1000) {
                            assert!(message.len() <= shield_dns::MAX_MESSAGE);
                            messages += 1;
                        }
                        assert!((1..9).contains(&messages));
                    }
                }
            }
        }
    });
}

/// A frame between a clearing house and its standby, and a parcel out of it: any bytes are a fault told, and what
/// is read is written back the same.
fn standby(bytes: &[u8]) {
    use vault::standby::wire::Frame;
    let Some(frame) = Frame::read(bytes) else { return };
    assert_eq!(frame.write().unwrap().get(4..), Some(bytes));
    if let Frame::Parcel(parcel) = frame {
        let _ = parcel.exhibits();
    }
}

/// A stop file has one writing, and nobody's but the key's is taken.
fn stop(bytes: &[u8]) {
    use shield::wire::stop::StopFile;
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(file) = StopFile::read(text) {
        assert_eq!(file.text(), text, "two writings of one stop");
        if let Ok(key) = SigningKey::new(&file.origin, &[7; 32]) {
            let note = file.sign(&key).to_string();
            if note.len() <= shield::wire::stop::MAX_STOP {
                assert_eq!(StopFile::open(&note, &key.verifier()), Ok(file));
            }
        }
    }
    if let Ok(key) = SigningKey::new("fuzz.invalid", &[7; 32]) {
        assert!(StopFile::open(text, &key.verifier()).is_err(), "a signature was forged");
    }
}
