//! What a driver is asked, and when, beside a keep without sockets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::frame::Frame;
use crate::keep::zones::{Served, serial};
use crate::keep::{Config, aside};
use crate::keeping::Kept;

/// A driver that does nothing but count.
#[derive(Clone, Default)]
struct Counting {
    alls: Arc<AtomicUsize>,
    looks: Arc<AtomicUsize>,
    changes: Arc<AtomicUsize>,
    /// What changes can wait.
    waits: Arc<AtomicBool>,
    /// Once it is asked to change something, it breaks off.
    breaks: bool,
}

impl Driver for Counting {
    fn all(&mut self, _: &[Out]) -> Result<(), String> {
        self.alls.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn change(&mut self, _: &[Out], _: &[Value], _: &Held) -> Result<(), String> {
        assert!(!self.breaks, "as it was to");
        self.changes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn waits(&self, _: &[Out], _: &[Value]) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    fn look(&mut self) -> Result<(), String> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn clear(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn most(&self) -> usize {
        2
    }
}

fn begun(driver: &Counting) -> (Arc<Keeper>, Worker) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keep.toml");
    let text = "run = 'run'\nlisten = '127.0.0.1:1'\nresolvers = ['127.0.0.1:1']\n";
    ledger::disk::write(&path, text.as_bytes()).unwrap();
    let config = Config::read(&path).unwrap();
    let zones = shield_dns::Zones::new(&config.layout(), serial()).unwrap();
    let (publisher, _) = shield_dns::feed(zones.view(), config.access().unwrap());
    let served = Served { zones, publisher, changed: Instant::now() };
    let kept = Kept::new(config.limits(), config.protected().unwrap());
    let told = aside(Arc::new(|_: &str| {})).unwrap();
    let takes = |value: &Value| matches!(value, Value::Name(_));
    let every = Duration::from_secs(600);
    let made =
        Made::new("counting", Mode::Enforce, takes, every, driver.clone(), Arc::clone(&told));
    let keeper = Keeper::new(kept, served, false, vec![Arc::clone(&made.hand)], told);
    let keeper = Arc::new(keeper);
    let worker = made.begin(&keeper).unwrap();
    say(&keeper, [Frame::Hello { epoch: 1, serial: 1 }, Frame::Alive { silence_ms: 600_000 }]);
    (keeper, worker)
}

fn say(keeper: &Keeper, frames: impl IntoIterator<Item = Frame>) {
    for reply in keeper.take(frames.into_iter().map(Ok), 1) {
        assert_eq!(reply, crate::frame::Reply::Taken);
    }
}

fn block(name: &str) -> Frame {
    Frame::Block { value: name.to_owned(), for_ms: 600_000 }
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_it_made_is_looked_at_though_something_changes_all_the_time() {
    let driver = Counting::default();
    let (keeper, _worker) = begun(&driver);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(3_500) {
        say(&keeper, [block("tv.example")]);
        std::thread::sleep(Duration::from_millis(20));
        say(&keeper, [Frame::Lift { value: "tv.example".to_owned() }]);
        std::thread::sleep(Duration::from_millis(20));
    }
    let looks = driver.looks.load(Ordering::Relaxed);
    assert!((2..10).contains(&looks), "{looks} looks");
    assert!(driver.changes.load(Ordering::Relaxed) > looks);
}

#[test]
fn more_than_it_can_hold_is_an_alarm_and_not_said_anew_for_it() {
    let driver = Counting::default();
    let (keeper, worker) = begun(&driver);
    say(&keeper, ["a.example", "b.example", "c.example"].map(block));
    let alarm = || worker.hand.status().alarm;
    until("the alarm", || alarm().is_some_and(|why| why.contains("3 values, and 2 are the most")));
    until("it is counted", || worker.hand.status().holds == 2);
    let before = driver.alls.load(Ordering::Relaxed);
    std::thread::sleep(LOOK * 5 / 2);
    assert_eq!(driver.alls.load(Ordering::Relaxed), before);
    say(&keeper, [Frame::Lift { value: "c.example".to_owned() }]);
    until("well again", || alarm().is_none());
    assert_eq!(worker.hand.status().alarms, 1);
}

#[test]
fn what_could_wait_is_told_once_it_may_though_nothing_more_comes() {
    let driver = Counting::default();
    let (keeper, worker) = begun(&driver);
    until("it said all", || driver.alls.load(Ordering::Relaxed) > 0);
    driver.waits.store(true, Ordering::Relaxed);
    say(&keeper, [block("tv.example")]);
    until("it is held", || worker.hand.status().holds == 1);
    let looks = driver.looks.load(Ordering::Relaxed);
    until("it is looked at meanwhile", || driver.looks.load(Ordering::Relaxed) > looks + 1);
    assert_eq!(driver.changes.load(Ordering::Relaxed), 0);
    driver.waits.store(false, Ordering::Relaxed);
    until("it is told", || driver.changes.load(Ordering::Relaxed) == 1);
    std::thread::sleep(LOOK * 3 / 2);
    assert_eq!(driver.changes.load(Ordering::Relaxed), 1, "once");
}

#[test]
fn one_that_breaks_off_is_found() {
    let driver = Counting { breaks: true, ..Counting::default() };
    let (keeper, worker) = begun(&driver);
    until("it said all", || driver.alls.load(Ordering::Relaxed) > 0);
    assert_eq!(worker.broke(), None);
    say(&keeper, [block("tv.example")]);
    until("it broke off", || worker.broke() == Some("counting"));
    // One that ended in order did not.
    let driver = Counting::default();
    let (keeper, worker) = begun(&driver);
    keeper.end();
    until("it has ended", || worker.hand.has_ended() && worker.thread.is_finished());
    assert_eq!((worker.broke(), worker.hand.left()), (None, None));
}

#[test]
fn where_there_is_no_room_for_all_those_stay_whose_own_life_ends_first() {
    let (keeper, _worker) = begun(&Counting::default());
    // Ten of an event, behind eighty of weeks in every order but this one; the feed's silence comes before all ends.
    let weeks =
        |n: u64| Frame::Block { value: format!("a{n}.example"), for_ms: (n + 7) * 86_400_000 };
    let event = |n: u64| Frame::Block { value: format!("z{n}.example"), for_ms: 7_200_000 + n };
    say(&keeper, (0..80).map(weeks).chain((0..10).map(event)));
    let out = keeper.all_out(|_| true);
    assert_eq!(out.len(), 90);
    assert!(
        out.iter().all(|one| one.left <= Duration::from_secs(600)),
        "silence cuts what is left"
    );
    let chosen = |most| soonest(out.iter().map(|one| (&one.value, one.ends)), most);
    let names: Vec<String> = chosen(10).into_iter().map(ToString::to_string).collect();
    assert_eq!(names, (0..10).map(|n| format!("z{n}.example")).collect::<Vec<_>>());
    assert_eq!((chosen(90).len(), chosen(0).len()), (90, 0));
    // What is told of some of them says the same.
    let (some, open) = keeper.left(out.iter().map(|one| one.value.clone()));
    assert_eq!(open, []);
    let ends = |all: &[Out]| all.iter().map(|one| (one.value.clone(), one.ends)).collect::<Held>();
    assert_eq!(ends(&some), ends(&out));
}
