//! The process as others meet it: its socket, its zones, its end.

#![allow(clippy::print_stderr)] // figures, for who runs it by hand

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edge::frame::{Frame, MAX_LINE, Reply};
use edge::keep::{Config, KeepError, MAX_CALLERS, ask, run};
use edge::keeping::Status;

struct Bed {
    dir: tempfile::TempDir,
    at: SocketAddr,
    lines: Arc<Mutex<Vec<String>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), KeepError>>>,
}

fn free_port() -> SocketAddr {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap()
}

fn config(dir: &Path, at: SocketAddr, more: &str) -> Config {
    let text = format!("run = 'run'\nlisten = '{at}'\nresolvers = ['127.0.0.1:1']\n{more}");
    let path = dir.join("keep.toml");
    ledger::disk::write(&path, text.as_bytes()).unwrap();
    Config::read(&path).unwrap()
}

impl Bed {
    fn new(more: &str) -> Self {
        let (dir, at) = (tempfile::tempdir().unwrap(), free_port());
        let config = config(dir.path(), at, more);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&lines);
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let told = Arc::new(move |line: &str| said.lock().unwrap().push(line.to_owned()));
            run(&config, told, async { drop(stopped.await) })
        });
        let bed = Self { dir, at, lines, stop: Some(stop), thread: Some(thread) };
        bed.until("it runs", || bed.said("keep runs"));
        bed
    }

    fn run(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    fn said(&self, what: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|line| line.contains(what))
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}: {:?}", self.lines);
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn status(&self) -> Status {
        match ask(&self.run(), &Frame::Status {}).unwrap() {
            Reply::Status(status) => *status,
            other => panic!("{other:?}"),
        }
    }

    /// Whether the hot zone, taken whole, holds a name.
    fn holds(&self, name: &str) -> bool {
        let mut stream = TcpStream::connect(self.at).unwrap();
        let mut query = b"\0\x07\0\0\0\x01\0\0\0\0\0\0".to_vec();
        for label in "hot.rpz.vigie.invalid".split('.') {
            query.push(label.len() as u8);
            query.extend(label.bytes());
        }
        query.extend(b"\0\0\xfc\0\x01");
        stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&query).unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer).unwrap();
        // What follows the first label may be a pointer (RFC 1035, 4.1.4).
        let label = name.split('.').next().unwrap();
        let wire = [&[label.len() as u8], label.as_bytes()].concat();
        answer.windows(wire.len()).any(|part| part == wire)
    }

    fn end(&mut self) -> Result<(), KeepError> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

/// A follower's connection.
struct Follower(BufReader<UnixStream>);

impl Follower {
    fn new(bed: &Bed) -> Self {
        Self(BufReader::new(UnixStream::connect(bed.run().join("keep")).unwrap()))
    }

    fn begun(bed: &Bed) -> Self {
        let mut follower = Self::new(bed);
        assert_eq!(follower.say(Frame::Hello { epoch: 1, serial: 1 }), Reply::Taken);
        assert_eq!(follower.say(Frame::Alive { silence_ms: 60_000 }), Reply::Taken);
        follower
    }

    fn say(&mut self, frame: Frame) -> Reply {
        self.raw(format!("{}\n", frame.write()).as_bytes())
    }

    fn raw(&mut self, bytes: &[u8]) -> Reply {
        self.0.get_mut().write_all(bytes).unwrap();
        self.hear().unwrap()
    }

    fn hear(&mut self) -> Option<Reply> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(serde_json::from_str(&line).unwrap())
    }
}

fn block(value: &str, for_ms: u64) -> Frame {
    Frame::Block { value: value.to_owned(), for_ms }
}

fn word(reply: Reply) -> String {
    match reply {
        Reply::Refused { word, .. } => word,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_frame_is_in_the_zone_until_its_deadline_though_the_follower_is_gone() {
    let protected = "protected = ['*.bank.example # our bank', 'a.example']";
    let mut bed = Bed::new(&format!("mode = 'enforce'\n{protected}\n"));
    assert!(
        bed.said("nothing is blocked until") && bed.said("1 of 2 protected rules do not say why")
    );
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(bed.run()), mode(bed.run().join("keep"))), (0o700, 0o600));
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("tv.example", 1_500)), Reply::Taken);
    assert_eq!(follower.say(block("long.example", 600_000)), Reply::Taken);
    let refused = follower.say(block("www.bank.example", 600_000));
    let why = "*.bank.example (our bank) protects it on this ISP's own list";
    assert!(matches!(&refused, Reply::Refused { message, .. } if message == why), "{refused:?}");
    assert_eq!(word(refused), "protected");
    assert!(bed.holds("tv.example") && bed.holds("long.example") && !bed.holds("www.bank.example"));
    drop(follower);
    bed.until("its deadline", || !bed.holds("tv.example"));
    assert!(bed.holds("long.example"));
    bed.until("it is told", || bed.said("1 frames were refused") && bed.said("1 names are out"));
    // An orderly end opens all, and says so to resolvers before it goes.
    drop(bed.stop.take());
    bed.until("all is open", || !bed.holds("long.example"));
    assert_eq!(word(ask(&bed.run(), &Frame::Clear {}).unwrap()), "ended");
    bed.end().unwrap();
}

#[test]
fn silence_opens_all() {
    let bed = Bed::new("mode = 'enforce'\nsilence_s = 1\n");
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("tv.example", 600_000)), Reply::Taken);
    assert!(bed.holds("tv.example"));
    bed.until("silence", || !bed.holds("tv.example"));
    bed.until("the alarm", || bed.said("ALARM: the feed fell silent"));
    assert_eq!(word(follower.say(block("tv.example", 600_000))), "silent");
    assert_eq!(bed.status().silences, 1);
}

#[test]
fn who_only_observes_counts_and_blocks_nothing() {
    let bed = Bed::new("");
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("tv.example", 600_000)), Reply::Taken);
    assert!(!bed.holds("tv.example"));
    let status = bed.status();
    assert!(status.observe && status.out == 1 && status.epoch == Some(1), "{status:?}");
}

#[test]
fn the_last_follower_speaks_and_anybody_opens() {
    let bed = Bed::new("mode = 'enforce'\nadditions_a_minute = 1\nfill = 0\n");
    let mut first = Follower::begun(&bed);
    assert_eq!(first.say(block("tv.example", 600_000)), Reply::Taken);
    assert_eq!(first.say(block("two.example", 600_000)), Reply::Held);
    let mut second = Follower::new(&bed);
    assert_eq!(word(second.say(Frame::Alive { silence_ms: 5 })), "no_hello");
    assert_eq!(word(second.say(Frame::Hello { epoch: 0, serial: 9 })), "older");
    assert_eq!(second.say(Frame::Hello { epoch: 1, serial: 2 }), Reply::Taken);
    assert_eq!(word(first.say(block("more.example", 600_000))), "no_hello");
    assert_eq!(first.say(Frame::Lift { value: "tv.example".to_owned() }), Reply::Taken);
    assert!(!bed.holds("tv.example") && !bed.holds("two.example"));
    bed.until("the alarm", || bed.said("vigie edge release"));
    assert_eq!(ask(&bed.run(), &Frame::Release {}).unwrap(), Reply::Taken);
    assert!(bed.holds("two.example"));
}

#[test]
fn what_is_no_frame_is_refused_and_too_long_a_line_ends_the_connection() {
    let bed = Bed::new("");
    let mut follower = Follower::begun(&bed);
    assert_eq!(word(follower.raw(b"{\"frame\":\"clear\" }\n")), "frame");
    assert_eq!(follower.say(Frame::Clear {}), Reply::Taken);
    // In pieces, and several at once.
    let line = Frame::Clear {}.write();
    follower.0.get_mut().write_all(&line.as_bytes()[..5]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(follower.raw(format!("{}\n{line}\n", &line[5..]).as_bytes()), Reply::Taken);
    assert_eq!(follower.hear(), Some(Reply::Taken));
    assert_eq!(word(follower.raw(&vec![b'x'; MAX_LINE])), "frame");
    assert_eq!(follower.hear(), None, "closed");
    // Callers beyond the bound are closed, and places come back.
    let many: Vec<_> = (0..MAX_CALLERS).map(|_| Follower::begun(&bed)).collect();
    assert_eq!(Follower::new(&bed).hear(), None);
    drop(many);
    bed.until("a place is free", || ask(&bed.run(), &Frame::Status {}).is_ok());
}

#[test]
fn a_folder_that_is_not_its_own_is_left_alone() {
    let told: edge::keep::Told = Arc::new(|_: &str| {});
    let start = |dir: &Path| {
        run(&config(dir, free_port(), ""), Arc::clone(&told), async {}).unwrap_err().to_string()
    };
    let dir = tempfile::tempdir().unwrap();
    ledger::disk::create_dir(&dir.path().join("run")).unwrap();
    ledger::disk::set_mode(&dir.path().join("run"), 0o755).unwrap();
    assert!(start(dir.path()).contains("open to others"));
    ledger::disk::set_mode(&dir.path().join("run"), 0o700).unwrap();
    ledger::disk::write(&dir.path().join("run/keep"), b"a file").unwrap();
    assert!(start(dir.path()).contains("no socket"));
    assert_eq!(std::fs::read(dir.path().join("run/keep")).unwrap(), b"a file");
    // A second one beside one that runs.
    let bed = Bed::new("");
    assert!(start(bed.dir.path()).contains("another keep runs"));
    assert_eq!(bed.status().out, 0);
}

#[test]
fn what_is_sent_in_one_go_is_there_and_goes_in_one_go() {
    // More than the hot zone holds.
    let bed = Bed::new("mode = 'enforce'\n");
    let mut follower = Follower::begun(&bed);
    let mut writer = follower.0.get_ref().try_clone().unwrap();
    let begun = Instant::now();
    let writing = std::thread::spawn(move || {
        let mut writer = std::io::BufWriter::new(&mut writer);
        for n in 0..30_000 {
            writeln!(writer, "{}", block(&format!("n{n}.example"), 600_000).write()).unwrap();
        }
    });
    for _ in 0..30_000 {
        assert_eq!(follower.hear(), Some(Reply::Taken));
    }
    writing.join().unwrap();
    eprintln!("measured: 30,000 names taken in {:?}", begun.elapsed());
    assert_eq!(bed.status().out, 30_000);
    assert_eq!(follower.say(Frame::Clear {}), Reply::Taken);
    assert_eq!(bed.status().out, 0);
    assert!(!bed.holds("n0.example") && !bed.holds("n9999.example"));
}

#[test]
fn a_file_for_knot_holds_what_is_out_and_an_end_empties_it() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, idle) = (dir.path().join("knot"), dir.path().join("idle"));
    for made in [&folder, &idle] {
        ledger::disk::create_dir(made).unwrap();
    }
    let section = |folder: &Path, mode: &str| {
        format!("mode = 'enforce'\n[knot]\nmode = '{mode}'\nfolder = '{}'\n", folder.display())
    };
    let mut bed = Bed::new(&section(&folder, "enforce"));
    let rules = || std::fs::read_to_string(folder.join("blocks.rpz")).unwrap_or_default();
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("tv.example", 1_500)), Reply::Taken);
    assert_eq!(follower.say(block("long.example", 600_000)), Reply::Taken);
    assert_eq!(word(follower.say(block("198.51.100.7", 600_000))), "address");
    bed.until("both are in the file", || {
        rules().contains("\ntv.example. CNAME .\n") && rules().contains("\nlong.example. CNAME .\n")
    });
    bed.until("its deadline", || !rules().contains("tv.example"));
    assert!(rules().contains("long.example") && folder.join("alive").exists());
    bed.until("it is counted", || bed.status().drivers.iter().any(|driver| driver.holds == 1));
    bed.end().unwrap();
    assert!(!rules().contains("long.example"));
    // Who only observes writes nothing.
    let mut bed = Bed::new(&section(&idle, "observe"));
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("tv.example", 600_000)), Reply::Taken);
    assert!(bed.holds("tv.example") && bed.status().drivers[0].observe);
    bed.end().unwrap();
    assert_eq!(std::fs::read_dir(&idle).unwrap().count(), 0);
}

#[test]
fn a_driver_that_fails_is_an_alarm_and_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    // Somebody who takes a connection to BIRD's socket and never says a word.
    let silent = std::os::unix::net::UnixListener::bind(dir.path().join("ctl")).unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let section = |socket: &str| {
        let (file, socket) = (at("blocks.conf"), at(socket));
        format!(
            "mode = 'enforce'\npractice = true\n[bird]\nmode = 'enforce'\nfile = '{file}'\nsocket = '{socket}'\n"
        )
    };
    let bed = Bed::new(&section("ctl"));
    let mut follower = Follower::begun(&bed);
    for value in ["198.51.100.7", "tv.example"] {
        assert_eq!(follower.say(block(value, 1_500)), Reply::Taken);
    }
    let begun = Instant::now();
    assert!(bed.holds("tv.example"));
    bed.until("its deadline", || !bed.holds("tv.example"));
    assert!(begun.elapsed() < Duration::from_secs(5), "BIRD's silence held it up");
    drop(silent);
    let bed = Bed::new(&section("nobody"));
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("198.51.100.7", 600_000)), Reply::Taken);
    bed.until("the alarm", || bed.said("ALARM: bird: BIRD does not answer at"));
    let status = bed.status();
    assert!(status.drivers[0].alarm.is_some() && status.addresses == 1, "{status:?}");
    // What it is to announce stands there all the same, for when it is back.
    let file = || std::fs::read_to_string(dir.path().join("blocks.conf")).unwrap_or_default();
    bed.until("the file is written", || file().contains("route 198.51.100.7/32 blackhole"));
}

#[test]
fn more_names_than_knot_can_hold_are_an_alarm_and_no_flood_of_writings() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().display();
    let section = format!("mode = 'enforce'\n[knot]\nmode = 'enforce'\nfolder = '{folder}'\n");
    let mut bed = Bed::new(&section);
    let mut follower = Follower::begun(&bed);
    let mut writer = follower.0.get_ref().try_clone().unwrap();
    let names = edge::keep::MAX_KNOT_NAMES + 1;
    let writing = std::thread::spawn(move || {
        let mut writer = std::io::BufWriter::new(&mut writer);
        for n in 0..names {
            writeln!(writer, "{}", block(&format!("n{n}.example"), 600_000).write()).unwrap();
        }
    });
    for _ in 0..names {
        assert_eq!(follower.hear(), Some(Reply::Taken));
    }
    writing.join().unwrap();
    bed.until("the alarm", || bed.said("ALARM: knot: 50001 values, and 50000 are the most"));
    bed.until("it is counted", || bed.status().drivers[0].holds == 50_000);
    let written = || dir.path().join("blocks.rpz").metadata().unwrap().modified().unwrap();
    let before = written();
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(written(), before, "Knot would read it anew each second, and answer nobody");
    // A lift makes room.
    assert_eq!(follower.say(Frame::Lift { value: "n7.example".to_owned() }), Reply::Taken);
    bed.until("well again", || bed.said("knot: well again"));
    bed.end().unwrap();
}

#[test]
fn who_observes_opens_what_an_earlier_keep_left_to_bird_and_leaves_anothers_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let section = |file: &str, mode: &str| {
        let (file, socket) = (at(file), at("nobody"));
        format!(
            "mode = '{mode}'\npractice = true\n[bird]\nmode = '{mode}'\nfile = '{file}'\nsocket = '{socket}'\n"
        )
    };
    let read = |name: &str| std::fs::read_to_string(at(name)).unwrap_or_default();
    let mut bed = Bed::new(&section("blocks.conf", "enforce"));
    let mut follower = Follower::begun(&bed);
    assert_eq!(follower.say(block("198.51.100.7", 600_000)), Reply::Taken);
    bed.until("the file is written", || read("blocks.conf").contains("route 198.51.100.7/32"));
    let left = read("blocks.conf");
    bed.end().unwrap_err();
    // As if it had been killed.
    ledger::disk::write(&dir.path().join("blocks.conf"), left.as_bytes()).unwrap();
    let mut bed = Bed::new(&section("blocks.conf", "observe"));
    bed.until("the file is empty", || !read("blocks.conf").contains("route"));
    bed.until("that BIRD was not told", || bed.said("ALARM: bird: BIRD does not answer"));
    bed.end().unwrap();
    ledger::disk::write(&dir.path().join("bird.conf"), &[b'#'; 500]).unwrap();
    let mut bed = Bed::new(&section("bird.conf", "observe"));
    bed.end().unwrap();
    assert_eq!(read("bird.conf"), "#".repeat(500));
    assert!(!bed.said("ALARM"));
}

#[test]
fn an_end_that_does_not_open_all_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let section = format!(
        "mode = 'enforce'\npractice = true\n[bird]\nmode = 'enforce'\nfile = '{}'\nsocket = '{}'\n",
        at("blocks.conf"),
        at("nobody")
    );
    let mut bed = Bed::new(&section);
    bed.until("the alarm", || bed.said("ALARM: bird"));
    let why = bed.end().unwrap_err().to_string();
    assert!(why.contains("not all is open at keep's end: bird: BIRD does not answer"), "{why}");
}

#[test]
fn the_real_firewall_holds_what_is_out_and_nothing_once_keep_has_ended() {
    const OWN: &str = "VIGIE_TEST_OWN_NETWORK";
    const THIS: &str = "the_real_firewall_holds_what_is_out_and_nothing_once_keep_has_ended";
    // In a network namespace of its own: nothing of this machine's is touched. Needs root and nftables.
    if std::env::var_os(OWN).is_none() {
        let script = format!("ip link set lo up && exec \"$0\" --exact {THIS} --nocapture");
        let mut own = std::process::Command::new("unshare");
        own.args(["--net", "sh", "-c", &script]).arg(std::env::current_exe().unwrap());
        assert!(own.env(OWN, "1").status().expect("unshare (util-linux), as root").success());
        return;
    }
    let nft = |line: &str| {
        let out = std::process::Command::new("nft").arg(line).output().expect("nft (nftables)");
        String::from_utf8(out.stdout).unwrap()
    };
    let held = |address: &str| nft("list table inet vigie").contains(&format!("{address} "));
    let mut bed =
        Bed::new("mode = 'enforce'\npractice = true\n[nft]\nmode = 'enforce'\nlease_s = 6\n");
    let mut follower = Follower::begun(&bed);
    let (seven, eight) = ("198.51.100.7", "198.51.100.8");
    assert_eq!(follower.say(block(seven, 600_000)), Reply::Taken);
    assert_eq!(follower.say(block(eight, 3_000)), Reply::Taken);
    let begun = Instant::now();
    bed.until("both are held", || held(seven) && held(eight));
    bed.until("its own deadline", || !held(eight));
    assert!(begun.elapsed() < Duration::from_millis(3_500), "{:?}", begun.elapsed());
    // Past a lease the other is renewed; flushed, it is back.
    std::thread::sleep(Duration::from_secs(7).saturating_sub(begun.elapsed()));
    assert!(held(seven) && !held(eight));
    nft("flush ruleset");
    bed.until("it is back", || held(seven));
    assert!(bed.said("ALARM: nft: the table inet vigie is gone"));
    assert_eq!(follower.say(Frame::Lift { value: seven.to_owned() }), Reply::Taken);
    bed.until("it is lifted", || !held(seven));
    assert_eq!(follower.say(block(seven, 600_000)), Reply::Taken);
    bed.until("it is held", || held(seven));
    bed.end().unwrap();
    assert_eq!(nft("list tables"), "");
}
