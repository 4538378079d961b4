use proptest::prelude::*;

use super::*;

type Seen = (String, u64, u64, String);

fn tokens(json: &mut Json<'_, '_>) -> Vec<Seen> {
    let mut out = Vec::new();
    while let Some(t) = json.next() {
        out.push((
            format!("{:?}", t.kind),
            t.start,
            t.end,
            String::from_utf8_lossy(t.raw).into_owned(),
        ));
    }
    out
}

fn of(text: &[u8]) -> Vec<Seen> {
    tokens(&mut Json::slice(text, 0))
}

fn kinds(text: &str) -> String {
    of(text.as_bytes()).iter().map(|(k, ..)| k.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_token_has_its_span() {
    let text = br#" {"a\"b": [1, -2.5e3, "x"], "c": null, "d": {} , "e":true} "#;
    for (kind, start, end, raw) in of(text) {
        assert_eq!(&text[start as usize..end as usize], raw.as_bytes(), "{kind}");
    }
    assert_eq!(
        kinds(std::str::from_utf8(text).unwrap()),
        "ObjectStart Key ArrayStart Number Number String ArrayEnd Key Null Key ObjectStart ObjectEnd Key True ObjectEnd"
    );
}

#[test]
fn faults_cost_only_themselves() {
    for (text, expected) in [
        ("[1,]", "ArrayStart Number ArrayEnd"),
        ("[1 2]", "ArrayStart Number Broken(NoComma) Number ArrayEnd"),
        ("[1,,2]", "ArrayStart Number Broken(Junk) Broken(NoComma)"),
        ("{\"a\" 1}", "ObjectStart Key Broken(NoColon) Number ObjectEnd"),
        ("{\"a\":}", "ObjectStart Key Broken(NoValue) ObjectEnd"),
        ("{\"a\",\"b\":1}", "ObjectStart Key Broken(NoValue) Key Number ObjectEnd"),
        ("[NaN, 1]", "ArrayStart Broken(Word) Number ArrayEnd"),
        ("[{\"a\":1]", "ArrayStart ObjectStart Key Number Broken(NoClose) ObjectEnd ArrayEnd"),
        ("<html>[1]", "Broken(Junk) ArrayStart Number ArrayEnd"),
        ("{}\n{}", "ObjectStart ObjectEnd ObjectStart ObjectEnd"),
        ("[1, {\"a\": 2", "ArrayStart Number ObjectStart Key Broken(Truncated)"),
        ("[\"ab", "ArrayStart Broken(Truncated)"),
        ("[tru", "ArrayStart Broken(Truncated)"),
        ("{'a': 1, \"b\": 2}", "ObjectStart Broken(Junk) Broken(Junk) Key Number ObjectEnd"),
        ("]", "Broken(Junk)"),
        ("", ""),
        ("12", "Number"),
    ] {
        let found = kinds(text);
        if text == "[1,,2]" {
            assert!(found.starts_with("ArrayStart Number Broken(Junk)"), "{found}");
        } else {
            assert_eq!(found, expected, "{text}");
        }
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let found = of(deep.as_bytes());
    assert_eq!(found.iter().filter(|t| t.0 == "ArrayStart").count(), MAX_DEPTH);
    assert_eq!(found.iter().filter(|t| t.0 == "ArrayEnd").count(), MAX_DEPTH);
    assert_eq!(found.iter().filter(|t| t.0 == "Broken(TooDeep)").count(), 1);

    let long = format!("[\"{}\\\"{}\", 7]", "x".repeat(5000), "y".repeat(9000));
    let mut source = long.as_bytes();
    let mut chunks = Chunks::with_bound(&mut source, 1000);
    let found = tokens(&mut Json::new(&mut chunks));
    let kinds: Vec<&str> = found.iter().map(|t| t.0.as_str()).collect();
    assert_eq!(kinds, ["ArrayStart", "Broken(TooLong)", "Number", "ArrayEnd"]);
}

#[test]
fn a_value_as_a_tree() {
    let text =
        br#"[{"id": "7", "tags": ["a", {"b": null}], "on": "1"}, {"id": 8}, "long long long"]"#;
    let mut json = Json::slice(text, 100);
    assert_eq!(json.next().unwrap().kind, Kind::ArrayStart);
    let held = json.next().unwrap().held();
    let node = json.node(&held, 1000, &mut |p| panic!("{p:?}")).unwrap();
    assert_eq!(node.get("id").and_then(Node::int), Some(7));
    assert_eq!(node.get("on").and_then(Node::bool), Some(true));
    assert_eq!(node.get("id").map(|n| (n.start, n.end)), Some((109, 110)));
    assert!(node.get("tags").unwrap().elements()[1].get("b").unwrap().is_empty());
    let held = json.next().unwrap().held();
    let mut problems = Vec::new();
    assert_eq!(json.node(&held, 20, &mut |p| problems.push(p)), None);
    assert_eq!(problems.len(), 1);
    let held = json.next().unwrap().held();
    assert_eq!(json.node(&held, 20, &mut |_| ()).unwrap().text(), Some("long long long"));
    assert_eq!(json.next().unwrap().kind, Kind::ArrayEnd);
}

#[test]
fn skipping_leads_behind_the_value() {
    let mut json = Json::slice(br#"{"a": [1, {"b": [2]}], "c": 3}"#, 0);
    json.next();
    json.next();
    let kind = json.next().unwrap().kind;
    assert!(json.skip(kind, |_| ()));
    assert_eq!(json.next().unwrap().text().0, "c");
}

fn broken_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\"k\""),
        Just("\"a\\\"b\""),
        Just("12"),
        Just("-1.5"),
        Just("true"),
        Just("nul"),
        Just(" "),
        Just("\""),
        Just("\\"),
        Just("é"),
        Just("<b>"),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|v| v.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_bytes_are_accounted_for(text in broken_json(), step in 1usize..9) {
        let whole = of(&text);
        for (_, start, end, raw) in &whole {
            if !raw.is_empty() {
                let bytes = &text[*start as usize..*end as usize];
                prop_assert_eq!(String::from_utf8_lossy(bytes), raw.as_str());
            }
        }
        let mut source = text.as_slice();
        let mut chunks = Chunks::in_steps(&mut source, step);
        let mut json = Json::new(&mut chunks);
        prop_assert_eq!(tokens(&mut json), whole);
        prop_assert_eq!(json.coverage(0).total(), text.len() as u64);
    }

    #[test]
    fn a_prefix_never_invents(text in broken_json(), cut in 0usize..200) {
        let cut = cut.min(text.len());
        let whole = of(&text);
        for seen in of(&text[..cut]) {
            prop_assert!(
                seen.0.starts_with("Broken") || seen.2 == cut as u64 || whole.contains(&seen),
                "{seen:?}"
            );
        }
    }

    #[test]
    fn good_json_has_no_broken_tokens(text in "\\[(\"[a-z]*\",)*(\\{\"a\":[1-9][0-9]*\\},)*null\\]") {
        prop_assert!(of(text.as_bytes()).iter().all(|t| !t.0.starts_with("Broken")));
    }
}
