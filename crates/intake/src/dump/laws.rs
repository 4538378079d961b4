//! Laws over random dumps: what was written is what is read; sizes of reads, cuts, damage and the
//! time at which jobs run change nothing that they should not.

use std::collections::HashSet;

use model::{Batch, Cell, Fact, Problem, ProblemKind, TableSchema};
use proptest::prelude::*;

use super::reveal;
use super::tests::parse_by;
use crate::{Collect, Job, Sink};

/// A value, and how it may be written.
#[derive(Debug, Clone)]
enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        4 => "[a-zA-Zé'\"\\\\;,()`\n\r\t\u{0}\u{1a}%_*/# -]{0,24}".prop_map(Value::Text),
        1 => "(--|/\\*|\\*/|\\),\\(|;\n|'|\\\\|#|[a-z ]){0,6}".prop_map(Value::Text),
    ]
}

fn blob() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        3 => prop::collection::vec(any::<u8>(), 0..12).prop_map(Value::Bytes),
    ]
}

fn quote(text: &[u8], style: u8, out: &mut Vec<u8>) {
    let q = if style % 5 == 4 { b'"' } else { b'\'' };
    out.push(q);
    for &b in text {
        match b {
            b'\'' | b'"' if style.is_multiple_of(2) && b == q => out.extend_from_slice(&[q, q]),
            b'\'' | b'"' | b'\\' => out.extend_from_slice(&[b'\\', b]),
            b'\n' if !style.is_multiple_of(3) => out.extend_from_slice(b"\\n"),
            b'\r' if !style.is_multiple_of(3) => out.extend_from_slice(b"\\r"),
            0 => out.extend_from_slice(b"\\0"),
            0x1a => out.extend_from_slice(b"\\Z"),
            _ => out.push(b),
        }
    }
    out.push(q);
}

fn literal(value: &Value, style: u8, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"NULL"),
        Value::Int(n) if style % 4 == 1 => quote(n.to_string().as_bytes(), 0, out),
        Value::Int(n) => out.extend_from_slice(n.to_string().as_bytes()),
        Value::Text(text) => {
            if style % 7 == 6 {
                out.extend_from_slice(b"_utf8mb4 ");
            }
            quote(text.as_bytes(), style, out);
        }
        Value::Bytes(bytes) => match style % 3 {
            0 if !bytes.is_empty() => {
                out.extend_from_slice(format!("0x{}", model::id::hex(bytes)).as_bytes())
            }
            1 => out.extend_from_slice(format!("X'{}'", model::id::hex(bytes)).as_bytes()),
            _ => {
                out.extend_from_slice(b"_binary ");
                quote(bytes, style, out);
            }
        },
    }
}

type Row = (Value, Value, Value);

/// Rows for a table of one integer, one text and one blob.
fn rows() -> impl Strategy<Value = Vec<(Row, u8)>> {
    let row = (prop_oneof![any::<i64>().prop_map(Value::Int), Just(Value::Null)], text(), blob());
    prop::collection::vec((row, any::<u8>()), 0..12)
}

/// Writes a dump of the rows.
fn write(rows: &[(Row, u8)], separator: &str) -> Vec<u8> {
    let mut out = b"-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE `t` (`a` bigint(20), `b` text, `c` blob);\n".to_vec();
    let mut open = false;
    for ((a, b, c), style) in rows {
        if open && style.is_multiple_of(6) {
            out.extend_from_slice(b";\n-- it's a comment; (\n");
            open = false;
        }
        out.extend_from_slice(if open {
            separator.as_bytes()
        } else if style.is_multiple_of(2) {
            b"INSERT INTO `t` VALUES "
        } else {
            b"INSERT INTO `t` (`a`,`b`,`c`) VALUES\n"
        });
        open = true;
        out.push(b'(');
        literal(a, *style, &mut out);
        out.push(b',');
        literal(b, *style, &mut out);
        out.extend_from_slice(if style.is_multiple_of(3) { b", " } else { b"," });
        literal(c, *style, &mut out);
        out.push(b')');
    }
    if open {
        out.extend_from_slice(b";\n");
    }
    out.extend_from_slice(b"-- Dump completed on 2026-01-01 00:00:00\n");
    out
}

fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Int(n) => n.to_string(),
        Cell::Real(n) => n.to_string(),
        Cell::Text(t) => format!("t:{t}"),
        Cell::Bytes(b) => format!("b:{}", model::id::hex(b)),
    }
}

fn model_of(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(t) => format!("t:{t}"),
        Value::Bytes(b) => format!("b:{}", model::id::hex(b)),
    }
}

/// Rows with their spans, as text.
fn read_rows(out: &Collect) -> Vec<(String, u64, u64, Vec<String>)> {
    let mut rows = Vec::new();
    for batch in &out.batches {
        let name = &out.tables[batch.table as usize].name;
        for i in 0..batch.len() {
            // A blob that is UTF-8 is still a blob.
            let cells = batch.columns.iter().map(|c| match (c, c.get(i)) {
                (model::ColumnData::Bytes(_), Cell::Text(t)) => shown(Cell::Bytes(t.as_bytes())),
                (_, cell) => shown(cell),
            });
            rows.push((name.clone(), batch.starts[i], batch.ends[i], cells.collect()));
        }
    }
    rows
}

/// A sink that runs jobs after everything else, last first, and merges by the order of the calls.
#[derive(Default)]
struct Later {
    steps: Vec<Step>,
    tables: Vec<TableSchema>,
}

enum Step {
    Fact(Fact),
    Rows(Batch),
    Problem(Problem),
    Job(Job),
}

impl Sink for Later {
    fn fact(&mut self, fact: Fact) {
        self.steps.push(Step::Fact(fact));
    }
    fn table(&mut self, schema: TableSchema) -> u32 {
        self.tables.push(schema);
        u32::try_from(self.tables.len() - 1).unwrap()
    }
    fn rows(&mut self, batch: Batch) {
        self.steps.push(Step::Rows(batch));
    }
    fn problem(&mut self, problem: Problem) {
        self.steps.push(Step::Problem(problem));
    }
    fn defer(&mut self, job: Job) {
        self.steps.push(Step::Job(job));
    }
}

impl Later {
    fn merged(self) -> Collect {
        let mut parts: Vec<Collect> = Vec::new();
        for step in self.steps.into_iter().rev() {
            let mut part = Collect::default();
            match step {
                Step::Fact(f) => part.facts.push(f),
                Step::Rows(b) => part.batches.push(b),
                Step::Problem(p) => part.problems.push(p),
                Step::Job(job) => job(&mut part),
            }
            parts.push(part);
        }
        let mut all = Collect { tables: self.tables, ..Collect::default() };
        for part in parts.into_iter().rev() {
            all.facts.extend(part.facts);
            all.batches.extend(part.batches);
            all.problems.extend(part.problems);
        }
        all
    }
}

const PANEL: &[u8] = include_bytes!("../../tests/laws/samples/panel.sql");

/// Bytes of a dump with some of them changed, taken out or doubled.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0u8..4, any::<u8>());
    (rows(), prop::bool::ANY, prop::collection::vec(edit, 0..8)).prop_map(|(rows, panel, edits)| {
        let mut bytes = if panel { PANEL.to_vec() } else { write(&rows, ",") };
        for (at, how, byte) in edits {
            let i = at.index(bytes.len());
            match how {
                0 => bytes[i] = byte,
                1 => bytes[i] = b"'\\;(),`\"-#/*"[usize::from(byte) % 12],
                2 => {
                    bytes.remove(i);
                }
                _ => bytes.insert(i, b"'\\;(),`\n"[usize::from(byte) % 8]),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_was_written_is_read(rows in rows(), separator in prop_oneof![Just(","), Just(",\n"), Just(",\r\n\t")]) {
        let bytes = write(&rows, separator);
        let (out, coverage) = parse_by(&bytes, usize::MAX);
        prop_assert_eq!(&out.problems, &[]);
        prop_assert_eq!(coverage.total(), bytes.len() as u64);
        prop_assert_eq!(coverage.lost, 0);
        let read = read_rows(&out);
        prop_assert_eq!(read.len(), rows.len());
        for ((_, start, end, cells), ((a, b, c), _)) in read.iter().zip(&rows) {
            prop_assert_eq!(cells, &vec![model_of(a), model_of(b), model_of(c)]);
            // The span leads to the tuple, and the tuple read alone gives the same.
            let tuple = &bytes[usize::try_from(*start).unwrap()..usize::try_from(*end).unwrap()];
            prop_assert_eq!((tuple[0], tuple[tuple.len() - 1]), (b'(', b')'));
            let values = reveal(tuple).unwrap();
            prop_assert_eq!(values.len(), 3);
            if let Value::Text(text) = b {
                prop_assert_eq!(values[1].text.as_deref(), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn reads_of_any_size_and_jobs_at_any_time_give_the_same(bytes in damaged(), step in 1usize..64) {
        let (out, coverage) = parse_by(&bytes, usize::MAX);
        prop_assert_eq!(coverage.total(), bytes.len() as u64);
        let (same, also) = parse_by(&bytes, step);
        prop_assert_eq!(also, coverage);
        prop_assert_eq!(format!("{same:?}"), format!("{out:?}"));
        let mut later = Later::default();
        let mut source = bytes.as_slice();
        let input = crate::Input { exhibit: model::ExhibitId([7; 32]), name: "", mapping: None };
        (super::PARSER.parse)(&input, &mut crate::Chunks::with_bound(&mut source, 4096), &mut later);
        let merged = Collect { lost: out.lost, ..later.merged() };
        prop_assert_eq!(format!("{merged:?}"), format!("{out:?}"));
        // Bytes lost, in the pass or in its jobs, are those of the problems.
        let lost: u64 = out.problems.iter().filter(|p| p.lost).map(|p| p.end - p.start).sum();
        prop_assert_eq!(coverage.lost, lost);
        for problem in &out.problems {
            prop_assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64);
        }
    }

    #[test]
    fn a_prefix_invents_no_row(rows in rows(), panel in prop::bool::ANY, at in any::<prop::sample::Index>()) {
        let bytes = if panel { PANEL.to_vec() } else { write(&rows, ",") };
        let cut = at.index(bytes.len());
        let (whole, _) = parse_by(&bytes, usize::MAX);
        let (part, _) = parse_by(&bytes[..cut], usize::MAX);
        let known: HashSet<_> = read_rows(&whole).into_iter().collect();
        for row in read_rows(&part) {
            prop_assert!(known.contains(&row), "cut at {cut}: {row:?}");
        }
        let facts: HashSet<String> = whole.facts.iter().map(|f| format!("{f:?}")).collect();
        for fact in &part.facts {
            let decided_late = matches!(fact.property, "family" | "role" | "same_as" | "dumped_at");
            prop_assert!(decided_late || facts.contains(&format!("{fact:?}")), "cut at {cut}: {fact:?}");
        }
        let cut_told = part.problems.iter().any(|p| p.kind == ProblemKind::Truncated);
        // A cut in the closing line itself costs nothing but the date.
        prop_assert!(cut_told || cut < 20 || cut + 30 > bytes.len(), "cut at {cut} and not told");
    }

    #[test]
    fn damage_costs_little(rows in prop::collection::vec(("[a-z]{1,12}", any::<i64>()), 20..60), at in any::<prop::sample::Index>(), byte in prop::sample::select(b"'(),;x\\".to_vec())) {
        let mut text = "CREATE TABLE t (a text, b bigint, c text);\nINSERT INTO t VALUES ".to_owned();
        let head = text.len();
        let tuples: Vec<String> = rows.iter().map(|(s, n)| format!("('{s}',{n},'{s}')")).collect();
        text.push_str(&tuples.join(","));
        text.push_str(";\n");
        let mut bytes = text.into_bytes();
        let i = head + at.index(bytes.len() - head - 2);
        bytes[i] = byte;
        let (out, _) = parse_by(&bytes, usize::MAX);
        let read: usize = out.batches.iter().map(Batch::len).sum();
        // A semicolon between tuples ends the statement for good; anything else costs few rows.
        let ended = out.problems.iter().any(|p| p.lost && p.end - p.start > 200);
        prop_assert!(ended || read + 6 >= rows.len(), "{read} of {} rows, {:?}", rows.len(), out.problems);
        let ended_by = byte == b';';
        prop_assert!(!ended || ended_by, "{:?}", out.problems);
    }
}
