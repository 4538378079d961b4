//! Orders of rows, by indexes and by sorts.

use std::time::Duration;

use super::{Filter, Order, Ordering, Paging, Reader, TableQuery};
use crate::open::tests::Bench;

/// A case of 100 users and their devices, every seventh without a MAC address; 8 operators.
fn case(bench: &Bench) -> Reader {
    let mut text = String::new();
    for i in 0..100 {
        let mac =
            if i % 7 == 0 { "-".to_owned() } else { format!("00:1a:79:00:00:{:02x}", 99 - i) };
        text.push_str(&format!("line user{} {} {mac}\n", (i * 37) % 100, i % 8));
    }
    bench.file("a.lines", &text);
    bench.open("case", 2);
    Reader::open(&bench.path("case")).unwrap()
}

fn query(reader: &Reader, table: &str, order: &str, terms: &[&str]) -> TableQuery {
    let tables = reader.snapshot().unwrap().tables(None).unwrap();
    TableQuery {
        table: tables.iter().find(|t| t.name == table).unwrap().id.clone(),
        filter: Filter::parse(terms.iter().copied()).unwrap(),
        columns: vec![order.split_once(':').unwrap().1.to_owned()],
        order: Some(order.parse().unwrap()),
    }
}

/// The values of all pages, and the numbers of their rows.
fn all(reader: &Reader, query: &TableQuery, limit: usize) -> (Vec<String>, Vec<u64>) {
    let wait = Duration::from_secs(20);
    let snapshot = reader.snapshot().unwrap();
    assert_eq!(snapshot.ordering(query, wait).unwrap(), Ordering::AtHand);
    let (mut values, mut numbers, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let found = snapshot.rows(query, &Paging { after, limit }).unwrap();
        for row in &found.page.items {
            values.push(match &row.cells[0] {
                super::CellValue::Text(text) => text.clone(),
                other => format!("{other:?}"),
            });
            numbers.push(row.number);
        }
        after = found.page.next;
        if after.is_none() {
            return (values, numbers);
        }
    }
}

fn is_every_row_once(numbers: &[u64]) -> bool {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted == (0..100).collect::<Vec<u64>>()
}

#[test]
fn an_index_and_a_sort_give_every_row_in_order_whatever_the_page() {
    let bench = Bench::new();
    let reader = case(&bench);
    for column in ["username", "member_id"] {
        for limit in [1, 7, 64, 100] {
            let up = all(&reader, &query(&reader, "users", &format!("asc:{column}"), &[]), limit);
            assert!(up.0.is_sorted(), "{column} {limit}: {:?}", up.0);
            assert!(is_every_row_once(&up.1), "{column} {limit}");
            let down =
                all(&reader, &query(&reader, "users", &format!("desc:{column}"), &[]), limit);
            assert_eq!(down.1, up.1.iter().rev().copied().collect::<Vec<_>>(), "{column} {limit}");
        }
    }
}

#[test]
fn what_an_index_leaves_out_stands_last() {
    let bench = Bench::new();
    let reader = case(&bench);
    for (order, limit) in [("asc:mac", 9), ("desc:mac", 9), ("desc:mac", 100)] {
        let (values, numbers) = all(&reader, &query(&reader, "mag", order, &[]), limit);
        assert!(is_every_row_once(&numbers), "{order}");
        assert_eq!(values.iter().position(|v| v == "-"), Some(85), "{order}");
        assert!(values[85..].iter().all(|v| v == "-"), "{order}");
    }
}

#[test]
fn conditions_hold_in_any_order() {
    let bench = Bench::new();
    let reader = case(&bench);
    let narrow = query(&reader, "users", "desc:username", &["eq:member_id:3"]);
    let (values, numbers) = all(&reader, &narrow, 5);
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    assert_eq!(numbers.len(), 13);
    assert!(numbers.iter().all(|n| n % 8 == 3));
    let found = reader.snapshot().unwrap().rows(&narrow, &Paging::default()).unwrap();
    assert_eq!(found.page.total, Some(13));
    // Exports wait for the sort by themselves.
    let mut exported = Vec::new();
    let other = query(&reader, "users", "asc:member_id", &["prefix:username:user1"]);
    let snapshot = reader.snapshot().unwrap();
    snapshot
        .each_row(&other, &mut |row| {
            exported.push(row.number);
            true
        })
        .unwrap();
    assert_eq!(exported.len(), 11);
}

#[test]
fn secrets_have_no_order_and_sorts_leave_nothing_behind() {
    let bench = Bench::new();
    let reader = case(&bench);
    let snapshot = reader.snapshot().unwrap();
    let secret = query(&reader, "users", "asc:password", &[]);
    assert!(snapshot.ordering(&secret, Duration::ZERO).is_err());
    assert!(snapshot.rows(&secret, &Paging::default()).is_err());
    for i in 0..12 {
        all(
            &reader,
            &query(&reader, "users", "asc:member_id", &[&format!("ne:username:u{i}")]),
            50,
        );
    }
    let left = std::fs::read_dir(bench.path("case").join("tables")).unwrap();
    let left: Vec<_> = left
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[test]
fn an_order_reads_back() {
    for text in ["asc:exp_date", "desc:a:b"] {
        assert_eq!(text.parse::<Order>().unwrap().to_string(), text);
    }
    assert!("username".parse::<Order>().is_err());
}
