//! What was refused is counted, kept and recorded once.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ledger::Home;
use model::record::{Body, Record};

use super::super::refusals::{MAX_ROWS, Refusal, Refusals, Row, keep, write};
use super::home;

const HOUR: i64 = 3_600_000;
const NOW: i64 = 1_764_000_000_000;

fn recorded(home: &Path) -> Vec<(String, u64, String, String)> {
    let log = Home::new(home).find(ledger::PRACTICE).unwrap();
    let mut out = Vec::new();
    for (index, entry) in (0..).zip(log.reader().unwrap().entries(0)) {
        let entry = entry.unwrap();
        if Record::parse(&entry).unwrap().kind != "access.refused" {
            continue;
        }
        let text = String::from_utf8(entry.clone()).unwrap();
        assert!(!text.contains("fibre") && !text.contains("/feed"), "{text}");
        if let (Body::AccessRefused(b), _) = crate::parties::opened(&log, index, &entry).unwrap() {
            out.push((b.hour, b.refused, b.party, b.route));
        }
    }
    out
}

#[test]
fn a_count_outlives_the_process_and_is_recorded_once_its_hour_is_over() {
    let (dir, _) = home();
    let mut refusals = Refusals::open(dir.path()).unwrap();
    for _ in 0..3 {
        refusals.count("fibre", "/feed/{isp}", Refusal::Forbidden, NOW);
    }
    refusals.count("fibre", "/feed/{isp}", Refusal::TooMany, NOW);
    refusals.count("public", "/", Refusal::SignIn, NOW);
    let (path, text) = refusals.take_due(NOW, false).unwrap();
    write(&path, &text).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // At most once a second, whatever comes.
    refusals.count("public", "/", Refusal::SignIn, NOW + 1);
    assert_eq!(refusals.take_due(NOW + 999, false), None);
    let (path, text) = refusals.take_due(NOW + 999, true).unwrap();
    write(&path, &text).unwrap();

    drop(refusals);
    let mut refusals = Refusals::open(dir.path()).unwrap();
    assert_eq!(refusals.over(NOW), []);
    let over = refusals.over(NOW + HOUR);
    assert_eq!(over.len(), 2);
    keep(dir.path(), &over).unwrap();
    // A process that was killed before its file followed comes back with the same rows.
    keep(dir.path(), &over).unwrap();
    refusals.forget(&over);
    assert!(refusals.rows().is_empty());
    // Those of an hour that another server counted as well are recorded beside them.
    refusals.count("public", "/log", Refusal::SignIn, NOW);
    let other = refusals.over(NOW + HOUR);
    keep(dir.path(), &other).unwrap();
    keep(dir.path(), &other).unwrap();
    let hour = "2025-11-24T16:00:00.000Z".to_owned();
    assert_eq!(
        recorded(dir.path()),
        [
            (hour.clone(), 4, "fibre".to_owned(), "/feed/{isp}".to_owned()),
            (hour.clone(), 2, "public".to_owned(), "/".to_owned()),
            (hour.clone(), 1, "public".to_owned(), "/log".to_owned()),
            (hour, 1, "public".to_owned(), "/log".to_owned()),
        ]
    );
    assert!(
        vault::verify_authority(&Home::new(dir.path()).find(ledger::PRACTICE).unwrap()).is_empty()
    );
}

#[test]
fn an_hour_has_so_many_rows_and_none_is_lost() {
    let (dir, _) = home();
    let mut refusals = Refusals::open(dir.path()).unwrap();
    for n in 0..MAX_ROWS + 500 {
        refusals.count(&format!("p{n}"), "/", Refusal::Forbidden, NOW);
    }
    let rows = refusals.rows();
    assert_eq!(rows.len(), MAX_ROWS + 1);
    assert_eq!(rows.iter().map(|row| row.times.all()).sum::<u64>(), MAX_ROWS as u64 + 500);
    let others: Vec<&Row> = rows.iter().filter(|row| row.party == "others").collect();
    assert_eq!(others.len(), 1);
    assert_eq!(others[0].times.forbidden, 500);
    // A log that takes nothing for weeks does not make the table grow without end, nor forget.
    for hour in 0..1_000 {
        refusals.count("late", "/", Refusal::SignIn, NOW + hour * HOUR);
    }
    let rows = refusals.rows();
    assert!(rows.len() <= 240 + 1, "{}", rows.len());
    let all: u64 = rows.iter().map(|row| row.times.all()).sum();
    assert_eq!(all, MAX_ROWS as u64 + 500 + 1_000);
}

/// Two servers of one home count each for itself, and lose nothing of one another.
#[test]
fn each_server_has_a_file_of_its_own_and_the_next_takes_it_over() {
    let (dir, _) = home();
    let (mut one, mut two) =
        (Refusals::open(dir.path()).unwrap(), Refusals::open(dir.path()).unwrap());
    for (of, party) in [(&mut one, "a"), (&mut two, "b")] {
        of.count(party, "/", Refusal::SignIn, NOW);
        let (path, text) = of.take_due(NOW, true).unwrap();
        write(&path, &text).unwrap();
    }
    let parties = |of: &Refusals| of.rows().into_iter().map(|r| r.party).collect::<Vec<_>>();
    assert_eq!((parties(&one), parties(&two)), (vec!["a".to_owned()], vec!["b".to_owned()]));
    drop(one);
    assert_eq!(parties(&Refusals::open(dir.path()).unwrap()), ["a"]);
    let held: Vec<_> = (0..63).map(|_| Refusals::open(dir.path()).unwrap()).collect();
    let error = Refusals::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("64 servers"), "{error}");
    drop((held, two));
}

#[test]
fn a_file_that_is_none_is_told_with_its_line() {
    let (dir, _) = home();
    let path = dir.path().join("access").join("refused.0");
    write(&path, "{\"hour_ms\":1}\n").unwrap();
    let said = Refusals::open(dir.path()).unwrap_err().to_string();
    assert!(said.contains("line 1") && said.contains("refused"), "{said}");
}
