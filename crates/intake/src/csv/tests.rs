use std::io::Read;

use proptest::prelude::*;

use super::*;

/// Fields, problems and coverage of a text. Checks that spans lead to the values' bytes.
fn read_from(
    source: &mut dyn Read,
    bytes: &[u8],
    columns: usize,
) -> (Vec<Vec<String>>, Vec<Problem>) {
    let mut chunks = Chunks::new(source);
    let dialect = detect(bytes).unwrap_or(Dialect { encoding: Encoding::Utf8, delimiter: b',' });
    let mut reader = Reader::new(&mut chunks, dialect);
    reader.expect_columns(columns);
    let (mut records, mut problems) = (Vec::new(), Vec::new());
    let mut record = Record::default();
    loop {
        match reader.next(&mut chunks, &mut record) {
            Event::End => break,
            Event::Problem(problem) => problems.push(problem),
            Event::Record => {
                for field in record.fields() {
                    let mut raw = String::new();
                    dialect
                        .encoding
                        .decode(&bytes[field.start as usize..field.end as usize], &mut raw);
                    assert!(raw == field.text || raw.replace("\"\"", "\"") == field.text);
                    assert!(field.start >= record.start && field.end <= record.end);
                }
                records.push(record.fields().map(|f| f.text.to_owned()).collect());
            }
        }
    }
    assert_eq!(reader.coverage.total(), bytes.len() as u64, "every byte is accounted for");
    (records, problems)
}

fn read(bytes: &[u8], columns: usize) -> (Vec<Vec<String>>, Vec<Problem>) {
    let mut source = bytes;
    read_from(&mut source, bytes, columns)
}

#[test]
fn quotes_and_line_ends() {
    let (records, problems) = read(b"a,b\r\n\"x\"\"y\",\"line\nline\"\r\n\n\"q\" ,\"\"\rlast,", 2);
    assert_eq!(problems, []);
    assert_eq!(records, [["a", "b"], ["x\"y", "line\nline"], ["q", ""], ["last", ""]]);
    // A quote that was not doubled, inside its own line.
    assert_eq!(read(b"a,b\n\"a 5\" pipe\",2\n", 2).0[1], ["a 5\" pipe", "2"]);
}

#[test]
fn delimiters_and_encodings_are_told() {
    for (text, delimiter) in [
        ("a;b;c\n1,5;2,5;3\n", b';'),
        ("a\tb\nx, y\tz\n", b'\t'),
        ("a|b\n1|2\n", b'|'),
        ("sep=;\na;b\n", b';'),
    ] {
        assert_eq!(detect(text.as_bytes()).map(|d| d.delimiter), Some(delimiter), "{text}");
    }
    assert_eq!(detect(b"one\ntwo\n"), None);
    assert_eq!(read(b"sep=;\r\na;b\r\n", 2).0, [["a", "b"]]);
    let wide = "a;b\n\"ü\"\"x\";2\n".encode_utf16().flat_map(u16::to_be_bytes);
    let marked: Vec<u8> = [0xfe, 0xff].into_iter().chain(wide).collect();
    assert_eq!(read(&marked, 2).0, [["a", "b"], ["ü\"x", "2"]]);
}

#[test]
fn an_unbalanced_quote_costs_its_line() {
    for text in [
        "a,b\n1,\"open\n3,4\n5,6\n",
        "a,b\n1,\"open\n\"3\",4\n5,6\n",
        "a,b\n1,\"open\n3,\"4\"\n5,6\n",
    ] {
        let (records, problems) = read(text.as_bytes(), 2);
        assert_eq!(records.len(), 3, "{text}: {records:?}");
        assert_eq!(records[2], ["5", "6"]);
        assert_eq!((problems.len(), problems[0].kind), (1, ProblemKind::Syntax));
        assert_eq!(&text[problems[0].start as usize..problems[0].end as usize], "1,\"open");
    }
    // Cut inside a quoted text of several lines: nothing of it becomes a record.
    let (records, problems) = read(b"a,b\n1,\"a long text\nwith lines", 2);
    assert_eq!(records.len(), 1);
    assert_eq!(problems[0].kind, ProblemKind::Truncated);
}

#[test]
fn a_line_beyond_the_bound_is_passed_over() {
    let mut text = b"a,b\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', ROW_BOUND + 10));
    text.extend(b",1\n2,3\n");
    let (records, problems) = read(&text, 2);
    assert_eq!(records, [["a", "b"], ["2", "3"]]);
    assert_eq!((problems.len(), problems[0].kind), (1, ProblemKind::Bound));
    // Behind a quote that is never closed, the lines that follow are read.
    let mut text = b"a,b\n1,\"open\n".to_vec();
    while text.len() < ROW_BOUND + 100 {
        text.extend_from_slice(b"0123456789,0123456789012345678901234567890123456789\n");
    }
    let lines = text.iter().filter(|b| **b == b'\n').count();
    let (records, problems) = read(&text, 2);
    assert_eq!((records.len(), problems.len()), (lines - 1, 1));
}

/// Gives a few bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(to.len()).min(self.0.len());
        to[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        Just(b'"'),
        Just(b','),
        Just(b';'),
        Just(b'\n'),
        Just(b'\r'),
        Just(0u8),
        Just(b'a'),
        any::<u8>()
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_accounted_for(bytes in proptest::collection::vec(byte(), 0..300), columns in 0usize..4) {
        read(&bytes, columns);
    }

    #[test]
    fn the_size_of_reads_does_not_matter(bytes in proptest::collection::vec(byte(), 0..300), step in 1usize..9) {
        let (a, b) = (read(&bytes, 2), read_from(&mut Drip(&bytes, step), &bytes, 2));
        prop_assert_eq!(a.0, b.0);
        prop_assert_eq!(a.1, b.1);
    }

    #[test]
    fn what_is_written_is_read(records in proptest::collection::vec(proptest::collection::vec("[a-z\",;\n é]{0,8}", 2..4), 1..6), delimiter in prop_oneof![Just(','), Just(';'), Just('\t')]) {
        let mut text = String::from("x");
        for _ in 1..records[0].len() { text.push(delimiter); text.push('y'); }
        text.push('\n');
        for record in &records {
            let cells: Vec<String> = record.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect();
            text.push_str(&cells.join(&delimiter.to_string()));
            text.push('\n');
        }
        let mut source = text.as_bytes();
        let mut chunks = Chunks::new(&mut source);
        let mut reader = Reader::new(&mut chunks, Dialect { encoding: Encoding::Utf8, delimiter: delimiter as u8 });
        let mut record = Record::default();
        let mut seen = Vec::new();
        while let Event::Record = reader.next(&mut chunks, &mut record) {
            seen.push(record.fields().map(|f| f.text.to_owned()).collect::<Vec<_>>());
        }
        prop_assert_eq!(&seen[1..], &records[..]);
    }
}
