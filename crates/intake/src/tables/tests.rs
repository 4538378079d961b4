use model::{ExhibitId, Sha256Hex};
use proptest::prelude::*;

use super::*;
use crate::Collect;
use crate::chunks::Chunks;
use crate::parser::{Confidence, Input};

fn read_with(bytes: &[u8], name: &str, mapping: Option<&str>) -> Collect {
    let input = Input { exhibit: ExhibitId(Sha256Hex::of(bytes).0), name, mapping };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = (CSV.parse)(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    out
}

fn rows(out: &Collect) -> Vec<Vec<String>> {
    out.table_rows(0)
        .into_iter()
        .map(|r| r.into_iter().map(Option::unwrap_or_default).collect())
        .collect()
}

const BANK: &str = "Kontoauszug;;;;;\nIBAN Auftragskonto;Buchungstag;Betrag (EUR);Name Zahlungsbeteiligter;IBAN Zahlungsbeteiligter;Verwendungszweck\n\
DE89370400440532013000;02.11.2024;1.250,00;Zoé;GB82WEST12345698765432;12 Monate\n\
DE89370400440532013000;13.11.2024;-15,5;Zoé;GB82WEST12345698765432;=HYPERLINK(\"x\")\n\
DE89370400440532013000;13.11.2024;-15,5;Zoé;GB82WEST12345698765432;=HYPERLINK(\"x\")\n\
Summe;;1.219,00;;;\n";

#[test]
fn a_bank_table_is_payments() {
    let out = read_with(BANK.as_bytes(), "a/umsatz.csv", None);
    assert_eq!(out.tables[0].role, TableRole::Payments);
    let rows = rows(&out);
    let (own, other) = ("iban:DE89370400440532013000", "iban:GB82WEST12345698765432");
    assert_eq!(rows[0][..2], ["unknown", own]);
    assert_eq!(rows[0][3..5], ["completed", "payment"]);
    assert_eq!(rows[0][7..11], ["2024-11-02", "1730505600", "EUR", "125000"]);
    assert_eq!(rows[0][13..17], [other, own, "Zoé", ""]);
    assert_eq!(rows[1][10], "-1550");
    assert_eq!(rows[1][13..17], [own, other, "", "Zoé"]);
    assert_eq!(rows[1][18], "=HYPERLINK(\"x\")");
    assert!(rows[1][2].ends_with("/1") && rows[2][2].ends_with("/2"));
    assert_eq!(rows[1][2][..rows[1][2].len() - 1], rows[2][2][..rows[2][2].len() - 1]);
    // The line of totals has an amount and no date: it does not count.
    assert_eq!(rows[3][3], "other");
    assert_eq!(out.problems.len(), 1);
    assert_eq!(rows.len(), 4);
}

#[test]
fn headers_of_other_languages_and_debit_and_credit() {
    let french = "Date opération,Libellé,Débit,Crédit,Devise\n13/11/2024,VIR ZOE,,\"1 250,00\",EUR\n14/11/2024,FRAIS,\"3,50\",,EUR\n";
    let seen = rows(&read_with(french.as_bytes(), "x.csv", None));
    assert_eq!((seen[0][10].as_str(), seen[1][10].as_str()), ("125000", "-350"));
    let wallet = "timestamp,from,to,amount,currency,tx hash,status\n2024-11-02T10:00:00Z,bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4,shop@a.example,0.00150000,BTC,abc,confirmed\n";
    let seen = rows(&read_with(wallet.as_bytes(), "x.csv", None));
    assert_eq!(seen[0][10], "150000");
    assert_eq!(
        seen[0][13..15],
        ["wallet:btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "email:shop@a.example"]
    );
    assert_eq!(seen[0][7], "2024-11-02T10:00:00Z");
}

#[test]
fn a_mapping_file_tells() {
    let text = "When;What;How much;Who;State;No\n1730451600;Sale;12,50;zoe@a.example;Paid;p1\n1730451700;Money back;12,50-;zoe@a.example;Paid;p2\n1730451800;Sale;1,00;b@a.example;Open;p3\n";
    let mapping = "processor = \"kasse\"\naccount = \"me@shop.example\"\ncurrency = \"EUR\"\ndate_format = \"unix\"\n[columns]\ndate = \"when\"\namount = \"How much\"\ncounterparty = \"Who\"\nstatus = \"State\"\ntype = \"What\"\nid = \"No\"\n[status]\ncompleted = [\"paid\"]\npending = [\"open\"]\n[nature]\nrefund = [\"Money back\"]\n";
    let out = read_with(text.as_bytes(), "x.csv", Some(mapping));
    assert_eq!(out.problems, []);
    let seen = rows(&out);
    assert_eq!(
        seen[0][..5],
        ["kasse", "account:kasse:me@shop.example", "p1", "completed", "payment"].map(String::from)
    );
    assert_eq!(seen[0][13..15], ["account:kasse:zoe@a.example", "account:kasse:me@shop.example"]);
    assert_eq!(seen[1][3..5], ["completed", "refund"]);
    assert_eq!(seen[1][10], "-1250");
    assert_eq!(seen[2][3], "pending");
    let bad = read_with(text.as_bytes(), "x.csv", Some("nonsense = 1\n"));
    assert!(bad.problems[0].message.contains("line 1"), "{:?}", bad.problems);
    let other = read_with(b"a,b\n1,2\n", "x.csv", Some(&format!("files = \"x.*\"\n{mapping}")));
    assert_eq!(other.problems[0].kind, ProblemKind::Conflict);
}

#[test]
fn another_table_stays_as_it_is() {
    let text = "user,password,expiry,,user\njo,geheim,2024-11-02,x,\nzoe,\"a \"\"b\"\"\",,,\nshort,row\na,b,c,d,e,f\n";
    let out = read_with(text.as_bytes(), "dir/users.v1.csv", None);
    let schema = &out.tables[0];
    assert_eq!((schema.name.as_str(), schema.role), ("users.v1", TableRole::Plain));
    let names: Vec<&str> = schema.columns.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["user", "password", "expiry", "column_4", "user_5", "column_6"]);
    assert!(schema.columns[1].secret);
    assert_eq!(rows(&out)[0], ["jo", "", "2024-11-02", "x", "", ""]);
    assert!(!format!("{:?}", out.batches).contains("geheim"));
    let unnamed = read_with(b"1;2\n3;4\n", "x.csv", None);
    assert_eq!(unnamed.tables[0].columns[0].name, "column_1");
    assert_eq!(rows(&unnamed).len(), 2);
}

#[test]
fn is_told_from_other_text() {
    assert!((CSV.sniff)(BANK.as_bytes(), "u.csv") > Confidence(80));
    assert_eq!((CSV.sniff)(b"a,b\n1,2\n", "x.csv"), Confidence(55));
    for text in [
        "",
        "hello, world\nthis is prose without tables\n",
        "{\"a\": 1,\n\"b\": 2}",
        "#EXTM3U\n#EXTINF:-1,x\n",
        "one.example\ntwo.example\n",
    ] {
        assert_eq!((CSV.sniff)(text.as_bytes(), "x.txt"), Confidence::NO, "{text}");
    }
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(BANK, "umsatz.csv"), ("a,b\n1,2\n3,4\n", "x.csv")] {
        crate::laws::hold(&CSV, text.as_ref());
        for seed in 0..300 {
            crate::laws::hold(&CSV, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("csv"));
    }
}

proptest! {
    #[test]
    fn a_prefix_never_invents(cut in 0usize..600) {
        let cut = cut.min(BANK.len());
        let spans = |out: &Collect| -> Vec<(u64, u64)> {
            out.batches.iter().flat_map(|b| b.starts.iter().copied().zip(b.ends.iter().copied())).collect()
        };
        let all = read_with(BANK.as_bytes(), "x.csv", None);
        let out = read_with(&BANK.as_bytes()[..cut], "x.csv", None);
        // Before the header is whole the table is another.
        if out.tables.first() == all.tables.first() {
            for span in spans(&out) {
                let said = out.problems.iter().any(|p| p.kind == ProblemKind::Truncated && p.end == span.1);
                prop_assert!(spans(&all).contains(&span) || said);
            }
        }
    }

    #[test]
    fn mutated_bytes_never_panic(edits in proptest::collection::vec((0usize..600, any::<u8>()), 1..20)) {
        let mut bytes = BANK.as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        read_with(&bytes, "x.csv", None);
    }
}
