use model::Sha256Hex;
use proptest::prelude::*;

use super::*;
use crate::Collect;

fn read(bytes: &[u8]) -> Collect {
    let exhibit = ExhibitId(Sha256Hex::of(bytes).0);
    let input = Input { exhibit, name: "result.json", mapping: None };
    let mut source = bytes;
    let mut out = Collect::default();
    let coverage = parse(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "every byte is accounted for");
    for fact in &out.facts {
        assert!(fact.start < fact.end && fact.end <= bytes.len() as u64, "{fact:?}");
    }
    out
}

const ONE: &str = r#"{
 "name": "IPTV Revendeurs \u00c9lite",
 "type": "private_supergroup",
 "id": 1456789012,
 "messages": [
  {"id": 1, "type": "service", "date": "2024-11-01T10:00:00", "date_unixtime": "1730451600", "actor": "Boss", "actor_id": "user7", "action": "create_group", "title": "IPTV", "members": ["Boss", "Zoé"], "text": "", "text_entities": []},
  {"id": 2, "type": "message", "date": "2024-11-01T10:01:00", "date_unixtime": "1730451660", "from": "Boss", "from_id": "user7", "text": ["panel: ", {"type": "link", "text": "http:\/\/panel.tv.example:8080"}, " pay ", {"type": "email", "text": "pay@shop.example"}, {"type": "text_link", "text": "here", "href": "https://mirror.example/x"}], "text_entities": [{"type": "plain", "text": "panel: "}]},
  {"id": 3, "type": "message", "date": "2024-11-01T10:02:00", "date_unixtime": "1730451720", "from": null, "from_id": "user8", "reply_to_message_id": 2, "forwarded_from": "Someone", "photo": "photos/1.jpg", "width": 10, "text": "caption"},
  {"id": 4, "type": "service", "date": "2024-11-01T10:03:00", "date_unixtime": "1730451780", "actor": "Zoé", "actor_id": "user9", "action": "join_group_by_link", "inviter": "Boss", "text": ""},
  {"id": 5, "type": "message", "date": "2024-11-01T10:04:00", "from": "News", "from_id": "channel55", "text": "call +33 6 12 34 56 78"},
  {"id": 6, "type": "message", "date": "2024-11-01T10:05:00", "from": "Old", "from_id": 77, "contact_information": {"first_name": "A", "phone_number": "+44 20 7946 0958"}, "text": ""}
 ]
}"#;

const FULL: &str = r#"{
 "about": "Here is the data you requested.",
 "personal_information": {"user_id": 42, "first_name": "Jo", "last_name": "Doe", "phone_number": "+49 151 23456789", "username": "@jodoe", "bio": ""},
 "contacts": {"about": "…", "list": [{"user_id": 7, "first_name": "Boss", "last_name": "", "phone_number": "0033612345678", "date": "2024-01-01T00:00:00"}, {"user_id": 0, "first_name": "Nobody", "phone_number": "+4915100000001"}]},
 "frequent_contacts": {"about": "…", "list": [{"id": 9, "category": "people", "type": "user", "name": "Zoé", "rating": 1.5}, {"id": 55, "category": "channels", "type": "public_channel", "name": "News", "rating": 0.1}]},
 "chats": {"about": "…", "list": [
  {"name": "Boss", "type": "personal_chat", "id": 7, "messages": [{"id": 1, "type": "message", "date": "2024-11-01T10:00:00", "from": "Jo Doe", "from_id": "user42", "text": "hi"}]},
  {"type": "saved_messages", "id": 42, "messages": [{"id": 2, "type": "message", "date": "2024-11-01T10:00:00", "from": "Jo Doe", "from_id": "user42", "text": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}]},
  {"name": "News", "type": "public_channel", "id": 55, "messages": []}
 ]},
 "left_chats": {"about": "…", "list": [{"name": "Gone", "type": "private_group", "id": 3, "messages": []}]}
}"#;

#[test]
fn reads_a_group() {
    let out = read(ONE.as_bytes());
    assert_eq!(out.problems, []);
    let group = "group:telegram:1456789012";
    assert_eq!(out.values(group, "name"), ["IPTV Revendeurs Élite"]);
    assert_eq!(out.values(group, "type"), ["private_supergroup"]);
    assert_eq!(out.values("messaging:telegram:user7", "member_of"), [group]);
    assert_eq!(out.values("messaging:telegram:user9", "member_of"), [group]);
    assert_eq!(out.values("messaging:telegram:user7", "name"), ["Boss"]);
    assert_eq!(
        out.values("messaging:telegram:user7", "mentions"),
        ["domain:panel.tv.example", "email:pay@shop.example", "domain:mirror.example"]
    );
    assert_eq!(out.values("messaging:telegram:channel55", "mentions"), ["phone:+33612345678"]);
    assert_eq!(out.values("messaging:telegram:user77", "mentions"), ["phone:+442079460958"]);
    let rows = out.table_rows(0);
    assert_eq!(rows.len(), 6);
    let row =
        |i: usize| -> Vec<&str> { rows[i].iter().map(|c| c.as_deref().unwrap_or("")).collect() };
    assert_eq!(row(0)[7..9], ["service", "create_group IPTV"]);
    assert_eq!(row(0)[5..7], ["2024-11-01T10:00:00+01:00", "1730451600"]);
    assert_eq!(
        row(1),
        [
            "telegram",
            group,
            "2",
            "messaging:telegram:user7",
            "Boss",
            "2024-11-01T10:01:00+01:00",
            "1730451660",
            "message",
            "panel: http://panel.tv.example:8080 pay pay@shop.examplehere",
            "",
            "",
            "",
        ]
    );
    assert_eq!(
        row(2)[3..],
        [
            "messaging:telegram:user8",
            "",
            "2024-11-01T10:02:00+01:00",
            "1730451720",
            "media",
            "caption",
            "2",
            "Someone",
            "photos/1.jpg",
        ]
    );
    let fact = out.facts.iter().find(|f| f.value.text() == "domain:panel.tv.example").unwrap();
    assert_eq!(&ONE[fact.start as usize..fact.end as usize], "panel.tv.example");
    let batch = &out.batches[0];
    let raw = &ONE[batch.starts[2] as usize..batch.ends[2] as usize];
    assert!(raw.starts_with("{\"id\": 3") && raw.ends_with("\"caption\"}"));
}

#[test]
fn what_is_of_another_type_is_said_where_it_stands() {
    let whole = r#"{"name": "G", "type": "private_group", "id": 5, "messages": [
      {"id": 1, "type": "message", "date_unixtime": "1730451600", "from_id": "user7", "text": "a"}]}"#;
    assert_eq!(read(whole.as_bytes()).problems.len(), 0);
    for (from, to, at) in [
        (
            r#"[
      {"id": 1"#,
            r#"[5, {"id": 1"#,
            "5",
        ),
        (r#""text": "a""#, r#""text": {"q": 1}"#, r#"{"q""#),
        ("1730451600", "zz", r#"{"id": 1"#),
    ] {
        let text = whole.replacen(from, to, 1);
        let out = read(text.as_bytes());
        let place = text[text.find(r#""messages""#).unwrap()..].find(at).unwrap()
            + text.find(r#""messages""#).unwrap();
        let said = out.problems.iter().find(|p| p.start == place as u64);
        let said = said.unwrap_or_else(|| panic!("{to}: {:?}", out.problems));
        assert_eq!(said.kind, ProblemKind::Type);
        assert_eq!(out.tables.len(), 1, "{to} costs no more than itself");
    }
    for none in [r#""no""#, r#"{"a": [1]}"#, "7"] {
        let at = whole.find('[').unwrap();
        let text = format!("{}{none}}}", &whole[..at]);
        let out = read(text.as_bytes());
        assert_eq!(out.problems.len(), 1, "{none}");
        // A string's span is what stands between its quotes.
        assert!([at, at + 1].contains(&(out.problems[0].start as usize)), "{:?}", out.problems);
    }
}

#[test]
fn reads_a_whole_account() {
    let out = read(FULL.as_bytes());
    assert_eq!(out.problems, []);
    let own = "messaging:telegram:user42";
    assert_eq!(out.values(own, "name"), ["Jo Doe"]);
    assert_eq!(out.values(own, "user_name"), ["@jodoe"]);
    assert_eq!(out.values(own, "contact"), ["phone:+4915123456789"]);
    assert_eq!(out.values("messaging:telegram:user7", "contact"), ["phone:+33612345678"]);
    assert_eq!(out.values("messaging:telegram:user7", "name"), ["Boss"]);
    assert_eq!(out.values("messaging:telegram:user9", "name"), ["Zoé"]);
    assert_eq!(out.values("group:telegram:55", "type"), ["public_channel"]);
    assert_eq!(out.values("group:telegram:3", "name"), ["Gone"]);
    assert_eq!(
        out.values(own, "mentions"),
        ["wallet:btc:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"]
    );
    let rows = out.table_rows(0);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][1].as_deref(), Some("messaging:telegram:user7"));
    assert_eq!(rows[1][1].as_deref(), Some(own));
}

#[test]
fn is_told_from_other_json() {
    assert!(sniff(ONE.as_bytes(), "result.json") > Confidence(80));
    assert!(sniff(FULL.as_bytes(), "x") > Confidence(80));
    assert_eq!(sniff(b"{\"user_info\": {}}", "result.json"), Confidence::NO);
    assert_eq!(sniff(b"[1]", "result.json"), Confidence::NO);
}

#[test]
fn the_laws_hold_and_the_parser_is_chosen() {
    for (text, name) in [(ONE, "result.json"), (FULL, "b")] {
        crate::laws::hold(&PARSER, text.as_ref());
        for seed in 0..300 {
            crate::laws::hold(&PARSER, &crate::laws::damaged(text.as_ref(), seed));
        }
        assert_eq!(crate::choose(text.as_ref(), name).map(|p| p.name), Some("telegram"));
    }
}

proptest! {
    #[test]
    fn a_prefix_never_invents(which in 0usize..2, cut in 0usize..4000) {
        let text = [ONE, FULL][which];
        let cut = cut.min(text.len());
        let all = read(text.as_bytes());
        let out = read(&text.as_bytes()[..cut]);
        prop_assert!(all.table_rows(0).starts_with(&out.table_rows(0)));
        prop_assert!(out.facts.iter().all(|f| all.facts.contains(f)));
    }

    #[test]
    fn mutated_bytes_never_panic(which in 0usize..2, edits in proptest::collection::vec((0usize..4000, any::<u8>()), 1..20)) {
        let mut bytes = [ONE, FULL][which].as_bytes().to_vec();
        for (at, byte) in edits {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        read(&bytes);
    }
}
