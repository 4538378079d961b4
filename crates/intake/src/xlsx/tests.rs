use calamine::{Data, Reader, Xlsx};
use model::{ExhibitId, Sha256Hex};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook as Writer};

use super::*;
use crate::Collect;

fn read_with(bytes: &[u8], mapping: Option<&str>) -> Collect {
    let input = Input { exhibit: ExhibitId(Sha256Hex::of(bytes).0), name: "a/b.xlsx", mapping };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = parse(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    for batch in &out.batches {
        for i in 0..batch.len() {
            assert!(batch.starts[i] < batch.ends[i] && batch.ends[i] <= bytes.len() as u64);
        }
    }
    for problem in &out.problems {
        assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64);
    }
    out
}

fn rows(out: &Collect, table: u32) -> Vec<Vec<String>> {
    out.table_rows(table)
        .into_iter()
        .map(|r| r.into_iter().map(Option::unwrap_or_default).collect())
        .collect()
}

fn workbook(extra: usize) -> Vec<u8> {
    let mut book = Writer::new();
    let date = Format::new().set_num_format("dd/mm/yyyy");
    let sheet = book.add_worksheet();
    sheet.set_name("Zahlungen").unwrap();
    for (i, name) in
        ["Buchungstag", "Betrag", "Währung", "IBAN", "Verwendungszweck", "Id"].iter().enumerate()
    {
        sheet.write(1, i as u16, *name).unwrap();
    }
    sheet.write(0, 0, "Kontoauszug").unwrap();
    for i in 0..extra as u32 + 2 {
        let day = ExcelDateTime::from_ymd(2024, 11, 2 + (i % 20) as u8).unwrap();
        sheet.write_with_format(2 + i, 0, &day, &date).unwrap();
        sheet.write(2 + i, 1, if i % 2 == 0 { 1250.1 } else { -15.5 }).unwrap();
        sheet.write(2 + i, 2, "EUR").unwrap();
        sheet.write(2 + i, 3, "GB82WEST12345698765432").unwrap();
        sheet.write(2 + i, 4, format!("note {i} ünï & <x>")).unwrap();
        sheet.write(2 + i, 5, format!("T{i}")).unwrap();
    }
    let other = book.add_worksheet();
    other.set_name("Users & more").unwrap();
    other.write(0, 0, "user").unwrap();
    other.write(0, 2, "rate").unwrap();
    other.write(1, 0, "jo").unwrap();
    other.write(1, 2, 0.1 + 0.2).unwrap();
    other.write_formula(2, 0, Formula::new("=CONCAT(\"a\",\"b\")").set_result("ab")).unwrap();
    other.write(2, 1, true).unwrap();
    other.write(3, 0, "=HYPERLINK(\"http://x.example\")").unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn sheets_become_payments_and_tables() {
    let bytes = workbook(0);
    assert!(sniff(&bytes, "x") > Confidence(90));
    let out = read_with(&bytes, None);
    assert_eq!(out.problems, []);
    let seen = rows(&out, 0);
    assert_eq!(
        seen[0][2..11],
        ["T0", "completed", "payment", "", "", "2024-11-02", "1730505600", "EUR", "125010"]
    );
    assert_eq!(seen[0][13], "iban:GB82WEST12345698765432");
    assert_eq!(seen[1][10], "-1550");
    assert_eq!(seen[0][18], "note 0 ünï & <x>");
    assert_eq!(out.tables[1].name, "Users & more");
    let names: Vec<&str> = out.tables[1].columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["user", "column_2", "rate"]);
    assert_eq!(
        rows(&out, 1),
        [["jo", "", "0.3"], ["ab", "TRUE", ""], ["=HYPERLINK(\"http://x.example\")", "", ""]]
    );
}

#[test]
fn another_reader_sees_the_same() {
    let bytes = workbook(300);
    let out =
        read_with(&bytes, Some("sheet = \"none\"\n[columns]\ndate = \"x\"\namount = \"y\"\n"));
    let mut peer: Xlsx<_> = calamine::open_workbook_from_rs(std::io::Cursor::new(&bytes)).unwrap();
    let range = peer.worksheet_range("Users & more").unwrap();
    let seen = rows(&out, 1);
    for (mine, row) in seen.iter().zip(range.rows().skip(1)) {
        for (mine, cell) in mine.iter().zip(row) {
            let same = match cell {
                Data::Empty => mine.is_empty(),
                Data::String(s) => mine == s,
                Data::Float(f) => mine.parse::<f64>().is_ok_and(|m| (m - f).abs() < 1e-12),
                Data::Bool(b) => *mine == b.to_string().to_uppercase(),
                other => panic!("{other:?}"),
            };
            assert!(same, "{mine:?} {cell:?}");
        }
    }
    let range = peer.worksheet_range("Zahlungen").unwrap();
    let seen = rows(&out, 0);
    assert_eq!(seen.len(), range.height() - 2);
    for (mine, row) in seen.iter().zip(range.rows().skip(2)) {
        assert_eq!(Data::String(mine[2].clone()), row[5]);
        assert_eq!(Data::String(mine[18].clone()), row[4]);
        let Data::DateTime(day) = row[0] else { panic!("{:?}", row[0]) };
        let Data::Float(amount) = row[1] else { panic!("{:?}", row[1]) };
        assert_eq!(mine[8].parse::<f64>().unwrap(), (day.as_f64() - 25_569.0) * 86_400.0);
        assert!((mine[10].parse::<f64>().unwrap() - amount * 100.0).abs() < 0.01);
    }
}

/// Packed bytes of a span, unpacked with what stands before them, hold the row.
#[test]
fn spans_lead_to_the_packed_bytes_of_the_row() {
    let bytes = workbook(300);
    let out = read_with(&bytes, None);
    let (all, _) = members(&bytes);
    let member = all.iter().find(|m| m.name == "xl/worksheets/sheet1.xml").unwrap();
    let unpacked = |end: usize| {
        let mut out = Vec::with_capacity(4 << 20);
        let mut state = flate2::Decompress::new(false);
        let _ = state.decompress_vec(
            &bytes[member.start..end],
            &mut out,
            flate2::FlushDecompress::None,
        );
        out
    };
    let batch = &out.batches[0];
    for i in [0, 1, 150, 300] {
        let before = unpacked(batch.starts[i] as usize).len();
        let content = unpacked(batch.ends[i] as usize);
        let text = String::from_utf8_lossy(&content[before..]).into_owned();
        assert!(text.contains(&format!("<row r=\"{}\"", i + 3)), "row {i}: {text}");
        assert!(batch.ends[i] - batch.starts[i] < 200);
    }
}

#[test]
fn a_cut_workbook_gives_what_it_holds() {
    let bytes = workbook(2000);
    let whole = rows(&read_with(&bytes, None), 0);
    let (all, _) = members(&bytes);
    let member = all.iter().find(|m| m.name == "xl/worksheets/sheet1.xml").unwrap();
    let out = read_with(&bytes[..(member.start + member.end) / 2], None);
    assert!(out.problems.iter().any(|p| p.kind == ProblemKind::Truncated));
    let strings_missing = out.problems.iter().any(|p| p.kind == ProblemKind::Integrity);
    assert!(strings_missing);
    assert!(!out.batches.is_empty());
    // With the strings at hand and the directory gone, rows are the same.
    let end = memchr::memmem::rfind(&bytes, b"PK\x05\x06").unwrap();
    assert_eq!(rows(&read_with(&bytes[..end], None), 0), whole);
}

#[test]
fn a_bomb_is_stopped() {
    use std::io::Write;
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(b"<worksheet><sheetData>").unwrap();
    let blank = vec![b' '; 1 << 20];
    for _ in 0..400 {
        packed.write_all(&blank).unwrap();
    }
    let packed = packed.finish().unwrap();
    let name = b"xl/worksheets/sheet1.xml";
    let mut bytes = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend((packed.len() as u32).to_le_bytes());
    bytes.extend((400u32 << 20).to_le_bytes());
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name);
    bytes.extend(&packed);
    let out = read_with(&bytes, None);
    assert!(out.problems.iter().any(|p| p.kind == ProblemKind::Bound), "{:?}", out.problems);
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(workbook(2), "a.xlsx"), (workbook(300), "b")] {
        crate::laws::hold(&PARSER, text.as_ref());
        for seed in 0..60 {
            crate::laws::hold(&PARSER, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("xlsx"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn mutated_and_cut_bytes_never_panic(cut in 0.0f64..1.0, edits in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..10)) {
        let mut bytes = workbook(20);
        let size = bytes.len();
        for (at, byte) in edits {
            bytes[at % size] = byte;
        }
        bytes.truncate(((size as f64) * (0.3 + cut)) as usize);
        read_with(&bytes, None);
    }
}
