//! What ISPs say of what they block: each one's word about itself, which changes no item, and nothing of another's.
//!
//! The newest word of an ISP on a value counts; so many are kept. What is in no record yet is not here: whoever takes
//! such words puts them on record, many at once ([`House::isps_said`]).

use std::collections::BTreeMap;

use model::record::ShieldIspsSaid;
use serde::{Deserialize, Serialize};
use shield::order::words::Organisation;
use shield::order::{Moment, Value};

use super::house::House;
use crate::{Error, Result};

/// The most words that are kept of one ISP; the oldest gives way.
pub const MAX_OF_ISP: usize = 20_000;
/// The most words that are kept; of the ISP with the most the oldest gives way.
pub const MAX_WORDS: usize = 500_000;
/// The most bytes of one record's text, by which a record keeps within its own bound.
const MAX_TEXT: usize = 32_000;

/// Why an ISP does not block something, as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It did already.
    AlreadyBlocked,
    /// None that has a name.
    Undefined,
    /// It does not know.
    Unknown,
}

/// What an ISP does with a value, as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It blocks it.
    Processed,
    /// It does not.
    Unprocessed(Reason),
}

/// A word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// What it does.
    pub does: Does,
    /// Since when, as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What else it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it said so.
    pub at: Moment,
}

/// Who says it, and of what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The ISP.
    pub isp: Organisation,
    /// The value, in its own writing.
    pub value: String,
    /// What it says.
    pub word: Word,
}

/// How many ISPs say of a value that they block it, and that they do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// They do.
    pub processed: u64,
    /// They do not.
    pub unprocessed: u64,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct OfIsp {
    by_value: BTreeMap<Value, (u64, Word)>,
    /// Values by the order of the words.
    order: BTreeMap<u64, Value>,
}

impl OfIsp {
    fn drop_oldest(&mut self) -> usize {
        let Some((_, value)) = self.order.pop_first() else { return 0 };
        usize::from(self.by_value.remove(&value).is_some())
    }
}

/// The words of all ISPs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    next: u64,
    count: usize,
    isps: BTreeMap<Organisation, OfIsp>,
}

impl Words {
    /// Takes a word in place of the one before; false where it is of nothing that could be blocked.
    pub(super) fn take(&mut self, said: &Said) -> bool {
        let Ok(item) = shield::Item::parse(&said.value) else { return false };
        self.put(&said.isp, &Value::new(item), said.word.clone());
        true
    }

    fn put(&mut self, isp: &Organisation, value: &Value, word: Word) {
        let Self { next, count, isps } = self;
        let number = *next;
        *next += 1;
        let own = isps.entry(isp.clone()).or_default();
        if let Some((before, _)) = own.by_value.insert(value.clone(), (number, word)) {
            own.order.remove(&before);
        } else {
            *count += 1;
        }
        own.order.insert(number, value.clone());
        if own.by_value.len() > MAX_OF_ISP {
            *count -= own.drop_oldest();
        }
        if *count > MAX_WORDS
            && let Some(most) = isps.values_mut().max_by_key(|own| own.by_value.len())
        {
            *count -= most.drop_oldest();
        }
    }

    /// What all ISPs say of a value.
    pub fn of(&self, value: &Value) -> Vec<(Organisation, Word)> {
        let one = |(isp, own): (&Organisation, &OfIsp)| {
            own.by_value.get(value).map(|(_, word)| (isp.clone(), word.clone()))
        };
        self.isps.iter().filter_map(one).collect()
    }

    /// How many say which of a value.
    pub fn count(&self, value: &Value) -> Count {
        let mut count = Count::default();
        for (_, word) in self.isps.values().filter_map(|own| own.by_value.get(value)) {
            match word.does {
                Does::Processed => count.processed += 1,
                Does::Unprocessed(_) => count.unprocessed += 1,
            }
        }
        count
    }

    /// All of them, the oldest first.
    pub(super) fn list(&self) -> Vec<Said> {
        let of = |(isp, own): (&Organisation, &OfIsp)| {
            let isp = isp.clone();
            let one = move |(value, (number, word)): (&Value, &(u64, Word))| {
                let (value, word) = (value.to_string(), word.clone());
                (*number, Said { isp: isp.clone(), value, word })
            };
            own.by_value.iter().map(one).collect::<Vec<_>>()
        };
        let mut all: Vec<(u64, Said)> = self.isps.iter().flat_map(of).collect();
        all.sort_by_key(|(number, _)| *number);
        all.into_iter().map(|(_, said)| said).collect()
    }
}

/// Texts of so many words each as a record holds.
fn texts(all: &[Said]) -> std::result::Result<Vec<String>, serde_json::Error> {
    let (mut out, mut text) = (Vec::new(), String::new());
    for one in all {
        let one = serde_json::to_string(one)?;
        if !text.is_empty() && text.len() + one.len() + 2 > MAX_TEXT {
            out.push(std::mem::take(&mut text) + "]");
        }
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&one);
    }
    if !text.is_empty() {
        out.push(text + "]");
    }
    Ok(out)
}

/// What a record's text says.
pub(super) fn read(text: &str) -> std::result::Result<Vec<Said>, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

impl House {
    /// What ISPs say of what they block, as it is on record.
    pub fn said(&self) -> &Words {
        &self.standing.said
    }

    /// Puts on record what ISPs say, by one flush. It decides nothing, so it waits for no standby.
    ///
    /// # Errors
    /// The disk.
    pub fn isps_said(&mut self, all: &[Said]) -> Result<()> {
        if all.is_empty() {
            return Ok(());
        }
        let texts =
            texts(all).map_err(|e| Error::Beside(format!("what ISPs say has no writing: {e}")))?;
        self.record(|case, stamp| {
            let mut batch = case.batch();
            for said in texts {
                batch.record(ShieldIspsSaid { said });
            }
            Ok(batch.commit(stamp).map(drop)?)
        })?;
        for said in all {
            self.standing.said.take(said);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept;
    use super::super::tests::place;
    use super::*;

    fn said(isp: &str, value: &str, at: i64) -> Said {
        let (does, note) = (Does::Processed, (at % 2 == 1).then(|| "by hand".to_owned()));
        let word = Word { does, since: None, note, at: Moment(at) };
        Said { isp: Organisation::new(isp).unwrap(), value: value.to_owned(), word }
    }

    fn value(text: &str) -> Value {
        Value::new(shield::Item::parse(text).unwrap())
    }

    #[test]
    fn words_are_each_isps_own_and_bounded() {
        let mut words = Words::default();
        let name = |n: usize| format!("s{n}.example");
        assert!(words.take(&said("cable", &name(0), 7)));
        for n in 0..=MAX_OF_ISP {
            assert!(words.take(&said("fibre", &name(n), 1)));
        }
        let of = |words: &Words, n: usize| -> Vec<(String, i64)> {
            let all = words.of(&value(&name(n)));
            all.into_iter().map(|(isp, word)| (isp.as_str().to_owned(), word.at.0)).collect()
        };
        assert_eq!(of(&words, 0), [("cable".to_owned(), 7)]);
        assert_eq!(of(&words, 1), [("fibre".to_owned(), 1)]);
        // The same again is one word, and the newest.
        words.take(&said("fibre", &name(1), 2));
        words.take(&said("fibre", &name(MAX_OF_ISP + 1), 3));
        assert_eq!((of(&words, 1).len(), of(&words, 2).len()), (1, 0));
        assert_eq!(words.count, MAX_OF_ISP + 1);
        // Listed and taken again they come to the same.
        let mut again = Words::default();
        assert!(words.list().iter().all(|said| again.take(said)));
        assert_eq!(again.list(), words.list());
        assert!(!words.take(&said("fibre", "no value", 1)));
    }

    #[test]
    fn a_text_keeps_within_a_record() {
        let note = "é".repeat(512);
        let one = |n: usize| {
            let mut said = said("fibre", &format!("s{n}.example"), 1);
            said.word.note = Some(note.clone());
            said
        };
        let all: Vec<Said> = (0..500).map(one).collect();
        let texts = texts(&all).unwrap();
        assert!(texts.len() > 10 && texts.iter().all(|text| text.len() <= MAX_TEXT));
        let read: Vec<Said> = texts.iter().flat_map(|text| read(text).unwrap()).collect();
        assert_eq!(read, all);
        assert!(super::texts(&[]).unwrap().is_empty());
        assert!(super::read("[{\"isp\":\"fibre\"}]").is_err());
    }

    #[test]
    fn what_isps_say_is_there_after_a_start_with_and_without_what_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        House::create(&place).unwrap();
        let mut house = House::open(&place).unwrap();
        house.begin().unwrap();
        let not = Does::Unprocessed(Reason::AlreadyBlocked);
        let mut second = said("cable", "a.example", 2);
        second.word.does = not;
        let all = [said("fibre", "a.example", 1), second, said("fibre", "b.example", 3)];
        let before = house.case().len();
        house.isps_said(&all).unwrap();
        house.isps_said(&[]).unwrap();
        assert_eq!(house.case().len(), before + 1, "many are one record");
        let shows = |house: &House| {
            let a = value("a.example");
            assert_eq!(house.said().list(), all);
            assert_eq!(house.said().count(&a), Count { processed: 1, unprocessed: 1 });
            assert_eq!(house.said().of(&a)[0].1.does, not);
        };
        shows(&house);
        let keys = (house.case().keys().unwrap().clone(), house.case().signer().unwrap());
        house.close().unwrap();
        kept::keep(&place.case, &keys.0, &keys.1, &kept::Covered::default(), None).unwrap();
        let house = House::open(&place).unwrap();
        assert!(house.started().kept > 0, "{:?}", house.started());
        shows(&house);
        house.close().unwrap();
        ledger::disk::remove(&kept::path(&place.case)).unwrap();
        let house = House::open(&place).unwrap();
        assert_eq!(house.started().kept, 0);
        shows(&house);
    }
}
