//! Feeds made of bytes, held against the one law a feed has to keep: deltas merged in steps are the
//! delta made directly, for everybody and for each ISP. A fuzzer finds bytes of its own.

use std::collections::{BTreeMap, BTreeSet};

use shield::Item;
use shield::feed::{Bounds, Delta, Entry, Gates, History, Row, Snapshot, Whose};
use shield::order::words::Organisation;
use shield::order::{Audience, ItemId, Moment, Value};

const ISPS: [&str; 3] = ["isp-1", "isp-2", "isp-3"];

fn isp(n: u8) -> Organisation {
    Organisation::new(ISPS[usize::from(n) % ISPS.len()]).expect("a name")
}

/// Everybody's view, and each ISP's.
fn views() -> [Whose; 4] {
    [Whose::All, Whose::Isp(isp(0)), Whose::Isp(isp(1)), Whose::Isp(isp(2))]
}

/// Serials, each of some rows, made of the bytes: three a row.
fn serials(bytes: &[u8]) -> Vec<BTreeMap<Value, Option<Row>>> {
    let mut serials = vec![BTreeMap::new()];
    for triple in bytes.chunks_exact(3) {
        let [which, how, expires] = [triple[0], triple[1], triple[2]];
        if how & 1 == 1 {
            serials.push(BTreeMap::new());
        }
        let text = match which % 3 {
            0 => format!("n{}.com", which % 16),
            1 => format!("198.18.0.{}", which % 16),
            _ => format!("198.18.0.{}:80", which % 16),
        };
        let value = Value::new(Item::parse(&text).expect("an item"));
        let entry = |n: u8| {
            let expires = Moment(i64::from(expires % 4));
            (Entry { expires, item: ItemId(u64::from(n)), code: None }, n)
        };
        let audiences: Vec<_> = (0..3)
            .map(|n| {
                if n == 0 { Audience::All } else { Audience::Only([isp(expires / 64 + n)].into()) }
            })
            .collect();
        let wanted = (0..3).filter(|n| how & (2 << n) != 0).map(entry);
        let entries = wanted.map(|(entry, n)| (entry, &audiences[usize::from(n)]));
        let row = Row::new(&value, entries);
        if let Some(last) = serials.last_mut() {
            last.insert(value, row);
        }
    }
    serials
}

/// Holds one history to the law; gives how many serials it had.
pub(crate) fn merge(bytes: &[u8]) -> usize {
    let bounds = Bounds { deltas: usize::MAX, bytes: usize::MAX };
    let mut history = History::new(1, 1, bounds, Snapshot::default());
    let mut snapshots = vec![history.current().clone()];
    for rows in serials(bytes) {
        let before = history.place().serial;
        let moved = history.publish(rows, Gates::default()).is_some();
        assert_eq!(history.place().serial, before + u64::from(moved));
        if moved {
            snapshots.push(history.current().clone());
        }
    }
    for snapshot in &snapshots {
        let named = snapshot.rows().flat_map(Row::for_some).map(|(isp, _)| isp);
        assert_eq!(snapshot.apart(), named.collect::<BTreeSet<_>>());
        // Nobody's view holds what is another's, nor lacks what is its own.
        for (n, whose) in (0..).zip(views()) {
            let mut found = 0;
            for (value, entry) in snapshot.view_of(&whose).entries() {
                let row = snapshot.get(value).expect("a row");
                let own = row.for_some().filter(|(named, _)| n > 0 && **named == isp(n - 1));
                let mut may = own.map(|(_, own)| own).chain(row.for_all());
                assert!(may.any(|own| own == entry), "{whose:?} {value}");
                found += 1;
            }
            let due = |row: &&Row| {
                let named = |(of, _): (&Organisation, Entry)| n > 0 && *of == isp(n - 1);
                row.for_all().is_some() || row.for_some().any(named)
            };
            assert_eq!(found, snapshot.rows().filter(due).count(), "{whose:?}");
        }
    }
    let at = |n: usize| (n as u64, &snapshots[n]);
    let between = |from: usize, to: usize| {
        let ((from, before), (to, after)) = (at(from), at(to));
        Delta::between(from, before, to, after)
    };
    let steps: Vec<Delta> = (1..snapshots.len()).map(|n| between(n - 1, n)).collect();
    let last = snapshots.len() - 1;
    for from in 0..last {
        let merged = Delta::merge(&steps[from..]).expect("they follow one another");
        let direct = between(from, last);
        assert_eq!(merged, direct);
        // However they are put together.
        let middle = from + (last - from) / 2;
        if middle > from {
            let halves = [Delta::merge(&steps[from..middle]), Delta::merge(&steps[middle..])];
            let halves: Vec<_> = halves.into_iter().flatten().collect();
            assert_eq!(Delta::merge(&halves).as_ref(), Some(&direct));
        }
        assert_eq!(snapshots[from].apply(&direct).as_ref(), Some(&snapshots[last]));
        for whose in views() {
            let own = direct.part(&whose);
            let entries = |snapshot: &Snapshot| -> BTreeMap<Value, Entry> {
                let view = snapshot.view_of(&whose);
                view.entries().map(|(value, entry)| (value.clone(), entry)).collect()
            };
            let mut has = entries(&snapshots[from]);
            for value in &own.removed {
                assert!(has.remove(value).is_some());
            }
            let before = has.len();
            for (value, entry) in own.added {
                assert_ne!(has.insert(value, entry), Some(entry), "added and not changed");
            }
            assert_eq!(has.len(), before + own.new);
            assert_eq!(has, entries(&snapshots[last]));
        }
    }
    last
}
