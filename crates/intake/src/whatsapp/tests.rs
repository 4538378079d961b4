use model::{Cell, Sha256Hex};
use proptest::prelude::*;

use super::*;
use crate::Collect;

fn read_as(bytes: &[u8], name: &str) -> Collect {
    read_in(ExhibitId(Sha256Hex::of(bytes).0), bytes, name)
}

fn read_in(exhibit: ExhibitId, bytes: &[u8], name: &str) -> Collect {
    let input = Input { exhibit, name, mapping: None };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = parse(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    for fact in &out.facts {
        assert!(fact.start < fact.end && fact.end <= bytes.len() as u64, "{fact:?}");
    }
    out
}

/// The key of an account that an export knows by name alone.
fn own(export: &[u8], name: &str) -> String {
    format!("messaging:whatsapp:x{}/{name}", &Sha256Hex::of(export).to_string()[..32])
}

fn rows(out: &Collect) -> Vec<Vec<String>> {
    out.table_rows(0)
        .into_iter()
        .map(|r| r.into_iter().map(Option::unwrap_or_default).collect())
        .collect()
}

const ANDROID: &str = "01/11/2024, 10:00 - Messages and calls are end-to-end encrypted. No one outside of this chat can read them.\n\
01/11/2024, 10:00 - Boss created group \"IPTV Élite\"\n\
01/11/2024, 10:01 - Boss added +33 6 12 34 56 78\n\
01/11/2024, 10:02 - Boss: new panel: http://panel.tv.example:8080\nlogin in private\n\nsee t.me/iptv_elite\n\
13/11/2024, 10:03 - +33 6 12 34 56 78: <Media omitted>\n\
13/11/2024, 10:04 - +33 6 12 34 56 78: pay to pay@shop.example: ok?\n\
14/11/2024, 10:05 - +33 6 12 34 56 78: This message was deleted\n";

const IOS: &str = "[11/1/24, 10:00:00\u{202f}AM] IPTV Élite: \u{200e}Messages and calls are end-to-end encrypted.\r\n\
\u{200e}[11/1/24, 10:01:00\u{202f}AM] \u{202a}+33 6 12 34 56 78\u{202c}: \u{200e}<attached: 0001-PHOTO.jpg>\r\n\
[11/13/24, 9:02:00\u{202f}PM] ~\u{202f}Zoé: hi\r\nthere\r\n\
[11/13/24, 9:03:00\u{202f}PM] Boss: call +44 20 7946 0958\r\n";

#[test]
fn reads_an_android_group() {
    let out = read_as(ANDROID.as_bytes(), "x/WhatsApp Chat with IPTV Élite.txt");
    assert_eq!(out.problems, []);
    let group = "group:whatsapp:iptv élite";
    let rows = rows(&out);
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|r| r[1] == group));
    assert_eq!(
        rows[3][3..9],
        [
            own(ANDROID.as_bytes(), "boss").as_str(),
            "Boss",
            "2024-11-01T10:02",
            "1730455320",
            "message",
            "new panel: http://panel.tv.example:8080\nlogin in private\n\nsee t.me/iptv_elite",
        ]
    );
    assert_eq!(
        rows[4][3..8],
        [
            "messaging:whatsapp:+33612345678",
            "+33 6 12 34 56 78",
            "2024-11-13T10:03",
            "1731492180",
            "media"
        ]
    );
    assert_eq!(rows[6][7], "deleted");
    assert_eq!(out.values(group, "name"), ["IPTV Élite"]);
    assert_eq!(out.values(&own(ANDROID.as_bytes(), "boss"), "member_of"), [group]);
    assert_eq!(out.values("messaging:whatsapp:+33612345678", "member_of"), [group]);
    assert_eq!(out.values(&own(ANDROID.as_bytes(), "boss"), "name"), ["Boss"]);
    assert_eq!(
        out.values(&own(ANDROID.as_bytes(), "boss"), "mentions"),
        ["domain:panel.tv.example", "messaging:telegram:@iptv_elite"]
    );
    assert_eq!(
        out.values("messaging:whatsapp:+33612345678", "mentions"),
        ["email:pay@shop.example"]
    );
    let fact = out.facts.iter().find(|f| f.value.text() == "email:pay@shop.example").unwrap();
    assert_eq!(&ANDROID[fact.start as usize..fact.end as usize], "pay@shop.example");
    let batch = &out.batches[0];
    let raw = &ANDROID[batch.starts[3] as usize..batch.ends[3] as usize];
    assert!(raw.starts_with("01/11/2024, 10:02") && raw.ends_with("iptv_elite"));
}

#[test]
fn reads_an_ios_group() {
    let out = read_as(IOS.as_bytes(), "WhatsApp Chat - IPTV Élite.zip/_chat.txt");
    assert_eq!(out.problems, []);
    let rows = rows(&out);
    let group = "group:whatsapp:iptv élite";
    assert_eq!(rows[0][7], "service");
    assert_eq!(out.values(group, "name"), ["IPTV Élite"]);
    assert_eq!(rows[1][3], "messaging:whatsapp:+33612345678");
    assert_eq!(rows[1][7], "media");
    assert_eq!(rows[1][11], "0001-PHOTO.jpg");
    let zoe = own(IOS.as_bytes(), "zoé");
    assert_eq!(rows[2][3..6], [zoe.as_str(), "~ Zoé", "2024-11-13T21:02:00"]);
    assert_eq!(rows[2][8], "hi\r\nthere");
    assert_eq!(out.values(&own(IOS.as_bytes(), "boss"), "mentions"), ["phone:+442079460958"]);
}

#[test]
fn reads_chats_of_two_and_other_languages() {
    let german = "02.11.24, 09:15 - Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt.\n02.11.24, 09:15 - Jörg: Hallo\n03.11.24, 09:16 - Ich: <Medien ausgeschlossen>\n";
    let out = read_as(german.as_bytes(), "WhatsApp Chat mit Jörg.txt");
    let seen = rows(&out);
    assert_eq!(seen[1][1], own(german.as_bytes(), "jörg"));
    assert_eq!(seen[1][5], "2024-11-02T09:15");
    assert_eq!(seen[2][7], "media");
    assert!(out.facts.iter().all(|f| f.property != "member_of"));
    // No day beyond 12: the order that lets time ascend is the right one.
    let american = "1/11/24, 9:15 PM - A: x\n2/3/24, 9:15 PM - B: y\n3/1/24, 9:15 PM - A: z\n";
    assert_eq!(rows(&read_as(american.as_bytes(), "a.txt"))[1][5], "2024-02-03T21:15");
    let latin: Vec<u8> = german.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let out = read_as(&latin, "WhatsApp Chat mit Jörg.txt");
    assert_eq!(rows(&out)[1][3], own(&latin, "jörg"));
    assert_eq!(out.problems[0].kind, ProblemKind::Encoding);
    let fact = &out.facts[0];
    assert_eq!(&latin[fact.start as usize..fact.end as usize], b"J\xf6rg");
}

#[test]
fn two_telephones_may_know_another_alice() {
    let accounts = |text: &str| {
        let rows = rows(&read_as(text.as_bytes(), "WhatsApp Chat with Alice.txt"));
        rows.into_iter().map(|row| row[3].clone()).collect::<Vec<_>>()
    };
    let one = accounts("02.11.24, 09:15 - Alice: a\n02.11.24, 09:16 - +33 6 12 34 56 78: b\n");
    let two = accounts("02.11.24, 09:15 - Alice: c\n02.11.24, 09:16 - +33 6 12 34 56 78: d\n");
    assert_ne!(one[0], two[0]);
    assert_eq!(one[1], two[1]);
}

#[test]
fn is_told_from_other_text() {
    assert!(sniff(ANDROID.as_bytes(), "a.txt") > Confidence(70));
    assert!(sniff(IOS.as_bytes(), "_chat.txt") > Confidence(80));
    assert_eq!(sniff(b"hello\nworld\n", "WhatsApp Chat with A.txt"), Confidence::NO);
    assert_eq!(sniff(b"", "_chat.txt"), Confidence::NO);
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(ANDROID, "WhatsApp Chat with A.txt"), (IOS, "_chat.txt")] {
        crate::laws::hold(&PARSER, text.as_ref());
        for seed in 0..300 {
            crate::laws::hold(&PARSER, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("whatsapp"));
    }
}

proptest! {
    #[test]
    fn a_prefix_never_invents(which in 0usize..2, cut in 0usize..1500) {
        let (text, name) = [(ANDROID, "WhatsApp Chat with IPTV Élite.txt"), (IOS, "WhatsApp Chat - IPTV Élite.zip/_chat.txt")][which];
        // At a line's end: what stands in a line cut short may read as something shorter.
        let cut = text.as_bytes()[..cut.min(text.len())].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let all = read_in(ExhibitId([7; 32]), text.as_bytes(), name);
        let out = read_in(ExhibitId([7; 32]), &text.as_bytes()[..cut], name);
        let ids = |out: &Collect| -> Vec<(u64, String)> {
            out.batches.iter().flat_map(|b| (0..b.len()).map(|i| (b.starts[i], match b.columns[3].get(i) { Cell::Text(t) => t.to_owned(), _ => String::new() }))).collect()
        };
        let (whole, some) = (ids(&all), ids(&out));
        for (i, row) in some.iter().enumerate() {
            // The last message may be cut, and the file then says so.
            let said = out.problems.iter().any(|p| p.kind == ProblemKind::Truncated && p.start == row.0);
            prop_assert!(whole.contains(row) || (i + 1 == some.len() && said));
        }
        for fact in out.facts.iter().filter(|f| f.property == "mentions") {
            prop_assert!(all.facts.iter().any(|f| f.value == fact.value && f.start == fact.start));
        }
    }

    #[test]
    fn mutated_bytes_never_panic(which in 0usize..2, edits in proptest::collection::vec((0usize..1500, any::<u8>()), 1..20)) {
        let mut bytes = [ANDROID, IOS][which].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        let out = read_in(ExhibitId([7; 32]), &bytes, "_chat.txt");
        for problem in &out.problems {
            prop_assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64);
        }
    }
}
