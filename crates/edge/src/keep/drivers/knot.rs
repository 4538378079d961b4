//! Names for a Knot Resolver beside keep, which takes no zones by transfer: a file of rules that it watches,
//! and a file that tells it that keep lives. Where that does not change any more the profile heeds no rule.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::{HOT_LIFE, Mode, Told};
use super::{Driver, Held, KnotSettings, Made, Out, soonest};
use crate::clock;
use crate::keeping::Value;

/// The most names: it reads them all anew at each change, and answers nobody meanwhile.
pub const MAX_KNOT_NAMES: usize = 50_000;
/// The rules, and the sign of life, in their folder.
const RULES: &str = "blocks.rpz";
const ALIVE: &str = "alive";
/// How often the sign of life changes: six times before the profile takes keep for dead.
const BREATH: Duration = Duration::from_secs(5);
/// The shortest time between two writings of the rules.
const SPACING: Duration = Duration::from_millis(500);
/// The same where nothing is lifted, and nothing comes that is of an event: a long list that is told piece by piece would
/// have it read, and answer nobody, all the while.
const UNHURRIED: Duration = Duration::from_secs(5);
/// How often all is said anew.
const EVERY: Duration = Duration::from_secs(600);

struct Knot {
    folder: PathBuf,
    /// What stands in the file.
    written: Option<String>,
    wrote: Option<Instant>,
    breathed: Option<Instant>,
    breaths: u64,
}

/// By its settings.
pub(in super::super) fn made(settings: &KnotSettings, mode: Mode, told: Told) -> Made {
    let takes = |value: &Value| matches!(value, Value::Name(_));
    let (folder, written) = (settings.folder.clone(), None);
    let knot = Knot { folder, written, wrote: None, breathed: None, breaths: 0 };
    Made::new("knot", mode, takes, EVERY, knot, told)
}

/// Rules for exact names, as a zone at the root: nothing else stands in it, and what a rule means is the
/// profile's to say.
fn write<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let mut text = "$TTL 5\n. SOA . . 1 1 1 1 5\n. NS .\n".to_owned();
    for value in values.take(MAX_KNOT_NAMES) {
        if let Value::Name(name) = value {
            text.push_str(&format!("{name}. CNAME .\n"));
        }
    }
    text
}

impl Knot {
    /// Whether exactly this stands in the file.
    fn stands(&self, text: &str) -> bool {
        let path = self.folder.join(RULES);
        let is_as_long = path.metadata().is_ok_and(|found| found.len() == text.len() as u64);
        is_as_long && std::fs::read(path).is_ok_and(|found| found == text.as_bytes())
    }

    fn put(&mut self, text: String) -> Result<(), String> {
        if self.written.as_ref() != Some(&text) {
            let since = self.wrote.map_or(SPACING, |at| at.elapsed());
            std::thread::sleep(SPACING.saturating_sub(since));
            let path = self.folder.join(RULES);
            ledger::disk::write(&path, text.as_bytes()).map_err(|e| e.to_string())?;
            (self.written, self.wrote) = (Some(text), Some(Instant::now()));
        }
        // After them: old rules with a new sign of life would be heeded.
        self.breathe()
    }

    fn breathe(&mut self) -> Result<(), String> {
        if self.breathed.is_some_and(|at| at.elapsed() < BREATH) {
            return Ok(());
        }
        // Another word each time, after a new start, too.
        self.breaths += 1;
        let word = format!("{} {}\n", std::process::id(), self.breaths);
        let path = self.folder.join(ALIVE);
        ledger::disk::write(&path, word.as_bytes()).map_err(|e| e.to_string())?;
        self.breathed = Some(Instant::now());
        Ok(())
    }
}

impl Driver for Knot {
    fn all(&mut self, out: &[Out]) -> Result<(), String> {
        let values = soonest(out.iter().map(|one| (&one.value, one.ends)), MAX_KNOT_NAMES);
        // Whatever stands there is written over, but not by the same: Knot would read it all anew, and answer
        // nobody meanwhile.
        let text = write(values.into_iter());
        self.written = self.stands(&text).then(|| text.clone());
        self.put(text)
    }

    fn change(&mut self, _: &[Out], _: &[Value], all: &Held) -> Result<(), String> {
        self.put(write(
            soonest(all.iter().map(|(value, ends)| (value, *ends)), MAX_KNOT_NAMES).into_iter(),
        ))
    }

    fn waits(&self, hold: &[Out], lift: &[Value]) -> bool {
        let until = clock::now().saturating_add(HOT_LIFE.as_millis() as u64);
        let hurries = !lift.is_empty() || hold.iter().any(|one| one.ends <= until);
        !hurries && self.wrote.is_some_and(|at| at.elapsed() < UNHURRIED)
    }

    fn look(&mut self) -> Result<(), String> {
        self.breathe()?;
        let path = self.folder.join(RULES);
        let wrong = |what: &str| Err(format!("{} {what}: it is written anew", path.display()));
        let length = self.written.as_ref().map_or(0, String::len) as u64;
        match path.metadata() {
            Err(_) => wrong("is gone"),
            Ok(found) if found.len() != length => wrong("was changed by somebody"),
            Ok(_) => Ok(()),
        }
    }

    fn clear(&mut self) -> Result<(), String> {
        self.put(write(std::iter::empty()))
    }

    fn most(&self) -> usize {
        MAX_KNOT_NAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_for_the_exact_name_alone() {
        let value = |text: &str| Value::Name(text.parse().unwrap());
        let text = write([value("tv.example"), value("xn--mnchen-3ya.example")].iter());
        let rules: Vec<_> = text.lines().skip(3).collect();
        assert_eq!(rules, ["tv.example. CNAME .", "xn--mnchen-3ya.example. CNAME ."]);
        assert_eq!(write(std::iter::once(&Value::Address([1, 1, 1, 1].into()))).lines().count(), 3);
    }

    #[test]
    fn it_breathes_is_written_when_it_differs_and_mends_what_was_changed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_owned();
        let mut knot = Knot { folder, written: None, wrote: None, breathed: None, breaths: 0 };
        let value = Value::Name("tv.example".parse().unwrap());
        let out = [Out { value, left: Duration::from_secs(9), ends: 9_000 }];
        knot.all(&out).unwrap();
        let read = |name| std::fs::read_to_string(dir.path().join(name)).unwrap();
        assert!(read(RULES).contains("\ntv.example. CNAME .\n"));
        assert_eq!(knot.look(), Ok(()));
        let first = read(ALIVE);
        knot.breathed = None;
        knot.look().unwrap();
        assert_ne!(read(ALIVE), first);
        ledger::disk::write(&dir.path().join(RULES), b"").unwrap();
        assert!(knot.look().unwrap_err().contains("changed by somebody"));
        ledger::disk::remove(&dir.path().join(RULES)).unwrap();
        assert!(knot.look().unwrap_err().contains("is gone"));
        knot.all(&out).unwrap();
        knot.look().unwrap();
        // What stands there as it should is not written again: Knot answers nobody while it reads.
        let inode =
            || std::os::unix::fs::MetadataExt::ino(&dir.path().join(RULES).metadata().unwrap());
        let before = inode();
        knot.all(&out).unwrap();
        assert_eq!(inode(), before);
        let other = read(RULES).replace("tv.example", "tw.example");
        ledger::disk::write(&dir.path().join(RULES), other.as_bytes()).unwrap();
        knot.all(&out).unwrap();
        assert!(read(RULES).contains("tv.example"));
        knot.clear().unwrap();
        assert!(!read(RULES).contains("tv.example"));
    }

    #[test]
    fn a_long_list_is_not_written_piece_by_piece_and_an_event_and_a_lift_do_not_wait() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().to_owned();
        let mut knot = Knot { folder, written: None, wrote: None, breathed: None, breaths: 0 };
        let value = |text: &str| Value::Name(text.parse().unwrap());
        let out = |text: &str, hours: u64| {
            let left = Duration::from_secs(900);
            [Out { value: value(text), left, ends: clock::now() + hours * 3_600_000 }]
        };
        let cold = out("old.example", 24 * 30);
        assert!(!knot.waits(&cold, &[]), "nothing stands yet");
        knot.all(&cold).unwrap();
        assert!(knot.waits(&cold, &[]));
        assert!(knot.waits(&[], &[]));
        assert!(!knot.waits(&out("tv.example", 2), &[]));
        assert!(!knot.waits(&cold, &[value("tv.example")]));
        knot.wrote = Instant::now().checked_sub(UNHURRIED);
        assert!(!knot.waits(&cold, &[]));
    }

    #[test]
    fn there_is_a_most() {
        let many =
            (0..MAX_KNOT_NAMES + 2).map(|n| Value::Name(format!("n{n}.example").parse().unwrap()));
        let many: Vec<Value> = many.collect();
        assert_eq!(write(many.iter()).lines().count(), 3 + MAX_KNOT_NAMES);
    }
}
