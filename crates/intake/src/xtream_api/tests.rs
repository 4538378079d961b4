use proptest::prelude::*;

use super::*;
use crate::laws;
use crate::parser::Confidence;

#[test]
fn an_account_with_its_panel() {
    let text = br#"{"user_info":{"username":"an\u006ea","password":"geheim","message":"","auth":1,"status":"Active","exp_date":"1767542400","is_trial":"0","active_cons":"2","created_at":1735084800,"max_connections":5,"allowed_output_formats":["ts"]},
        "server_info":{"xui":true,"version":"1.5.13","revision":null,"url":"TV.example","port":"8080","timezone":"UTC"}}"#;
    assert!((PARSER.sniff)(text, "x") > Confidence(90));
    let out = laws::hold(&PARSER, text);
    laws::never_shows(&out, "geheim");
    let line = "line:@tv.example/anna";
    for (property, value) in [
        ("user_name", "anna"),
        ("status", "Active"),
        ("expires_at", "2026-01-04T16:00:00Z"),
        ("trial", "false"),
        ("active_connections", "2"),
        ("max_connections", "5"),
        ("created_at", "2024-12-25T00:00:00Z"),
        ("enabled", "true"),
        ("password", "•••"),
    ] {
        assert_eq!(out.values(line, property), [value], "{property}");
    }
    assert_eq!(out.values("panel:@tv.example", "version"), ["1.5.13"]);
    assert_eq!(out.values("panel:@tv.example", "setting"), ["xui=true", "port=8080"]);
    let secret = out.facts.iter().find(|f| f.value == Value::Secret).unwrap();
    assert_eq!(laws::raw(text, secret), b"geheim");
    assert!(out.problems.is_empty());
}

#[test]
fn types_are_as_unstable_as_panels() {
    for text in [
        r#"{"user_info":[],"server_info":[]}"#,
        r#"{"user_info":{"auth":0}}"#,
        r#"{"info":[],"movie_data":[]}"#,
        r#"{"seasons":[],"info":{"name":null},"episodes":[]}"#,
        r#"{"seasons":null,"info":"","episodes":{"1":{"0":{"id":7,"title":"A S01E01"}}}}"#,
        r#"[{"num":"1","name":null,"stream_id":"7","epg_channel_id":null,"added":""}]"#,
        r#"{"epg_listings":[{"id":1,"title":null,"start_timestamp":null}]}"#,
        "[]",
        "{}",
        "null",
        "",
    ] {
        laws::hold(&PARSER, text.as_bytes());
    }
}

#[test]
fn what_is_of_a_wrong_type_is_said_and_costs_only_itself() {
    let said = |text: &str| -> Vec<(String, String)> {
        let out = laws::hold(&PARSER, text.as_bytes());
        let at = |p: &Problem| text[p.start as usize..p.end as usize].to_owned();
        out.problems.iter().map(|p| (at(p), p.message.clone())).collect()
    };
    let one = |text: &str, place: &str, message: &str| {
        assert_eq!(said(text), [(place.to_owned(), message.to_owned())], "{text}");
    };
    let account =
        r#"{"user_info":{"username":"anna","max_connections":{"a":1},"status":"Active"}}"#;
    let single = "where a single value is expected";
    one(account, r#"{"a":1}"#, &format!("max_connections is an object {single}"));
    let kept = laws::hold(&PARSER, account.as_bytes());
    assert!(kept.facts.iter().any(|f| f.property == "status"), "the rest was lost with it");
    one(
        r#"{"user_info":{"username":[1]},"server_info":{}}"#,
        "[1]",
        &format!("username is a list {single}"),
    );
    one(
        r#"{"user_info":"x","server_info":{}}"#,
        "x",
        "user_info is a text where an object or a list is expected",
    );
    one(
        r#"{"user_info":[1],"server_info":[]}"#,
        "[1]",
        "user_info is a list where an object is expected",
    );
    let list = r#"[{"stream_id":{"x":1},"name":"A","category_id":1},7,{"stream_id":2,"name":"B","category_id":["1"]}]"#;
    assert_eq!(
        said(list),
        [
            (r#"{"x":1}"#.to_owned(), format!("stream_id is an object {single}")),
            (
                "7".to_owned(),
                "an element of a list is a number where an object is expected".to_owned()
            ),
            (r#"["1"]"#.to_owned(), format!("category_id is a list {single}")),
        ]
    );
    let kept = laws::hold(&PARSER, list.as_bytes());
    assert!(kept.facts.iter().any(|f| f.property == "name" && f.value.text() == "B"));
    one(
        r#"[{"stream_id":2,"name":"B","category_id":1,"added":"soon"}]"#,
        "soon",
        "added is a text where a time is expected",
    );
    let numbered =
        r#"{"user_info":{"username":"anna","auth":1},"server_info":{"url":12,"port":"80"}}"#;
    one(numbered, "12", "url is a number where a host is expected");
    let kept = laws::hold(&PARSER, numbered.as_bytes());
    assert!(kept.facts.iter().all(|f| !f.subject.as_str().contains("@12")), "a panel of that name");
    // Spellings that panels have for what they mean.
    for tolerated in [
        r#"{"user_info":{"username":"anna","auth":"1","max_connections":"2","exp_date":null,"allowed_output_formats":["ts"]},"server_info":[]}"#,
        r#"{"user_info":false,"server_info":""}"#,
        r#"[{"num":"1","name":5,"stream_id":"7","category_ids":[1],"added":"0","epg_channel_id":null,"category_id":[]}]"#,
    ] {
        assert_eq!(said(tolerated), [], "{tolerated}");
    }
}

#[test]
fn escaped_urls_keep_the_spans_of_their_parts() {
    let text = br#"[{"name":"TF1","stream_type":"live","stream_id":5,"category_id":"1","url":"http:\/\/tv.example\/live\/anna\/geheim\/5.ts","direct_source":"http:\/\/up.example:8000\/u\/geheim2\/9"}]"#;
    let out = laws::hold(&PARSER, text);
    laws::never_shows(&out, "geheim");
    let stream = "stream:@tv.example/5";
    assert_eq!(out.values(stream, "shows"), ["channel:name:tf1"]);
    assert_eq!(out.values(stream, "hosted_at"), ["domain:tv.example"]);
    assert_eq!(out.values(stream, "taken_from"), ["provider:up.example:8000/u"]);
    assert_eq!(out.values("provider:up.example:8000/u", "has_name"), ["domain:up.example"]);
    for fact in &out.facts {
        let raw = laws::raw(text, fact);
        match (fact.property, fact.subject.as_str()) {
            ("password", "line:@tv.example/anna") => assert_eq!(raw, b"geheim"),
            ("password", "provider:up.example:8000/u") => assert_eq!(raw, b"geheim2"),
            ("hosted_at", _) => assert_eq!(raw, b"tv.example"),
            _ => {}
        }
    }
}

#[test]
fn panel_api_in_one() {
    let text = br#"{"user_info":{"username":"u","password":"p"},"server_info":{"url":"198.18.0.4","port":80},
        "categories":{"live":[{"category_id":"1","category_name":"News","parent_id":0}],"movie":[]},
        "available_channels":{"7":{"num":1,"name":"FR: TF1","stream_type":"live","stream_id":"7","epg_channel_id":"TF1.fr"}}}"#;
    let out = laws::hold(&PARSER, text);
    assert_eq!(out.values("stream:@198.18.0.4/7", "shows"), ["channel:epg:tf1.fr"]);
    assert_eq!(out.values("line:@198.18.0.4/u", "user_name"), ["u"]);
    assert_eq!(out.tables.len(), 1);
    assert_eq!(out.table_rows(0)[0][1].as_deref(), Some("News"));
    assert_eq!(out.table_rows(0)[0][3].as_deref(), Some("live"));
}

#[test]
fn every_shared_answer_is_read_whole() {
    let Some(folder) = laws::shared("data/iptv/xtream") else { return };
    let files = laws::files(&folder);
    assert_eq!(files.len(), 16);
    for (name, bytes) in files {
        assert!((PARSER.sniff)(&bytes, &name) > Confidence(80), "{name}");
        let out = laws::hold(&PARSER, &bytes);
        assert!(out.problems.is_empty(), "{name}: {:?}", out.problems);
        laws::never_shows(&out, "testpass");
        laws::never_shows(&out, "/password/");
        // Counted by another reader.
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let rows: usize = out.batches.iter().map(Batch::len).sum();
        let streams: std::collections::BTreeSet<&str> = out
            .facts
            .iter()
            .filter(|f| f.property == "name" && matches!(f.subject.scheme(), "stream" | "work"))
            .map(|f| f.subject.as_str())
            .collect();
        match &json {
            serde_json::Value::Array(elements) if elements[0].get("category_name").is_some() => {
                assert_eq!(rows, elements.len(), "{name}");
            }
            serde_json::Value::Array(elements) => {
                assert_eq!(streams.len(), elements.len(), "{name}")
            }
            other => {
                if let Some(list) = other.get("epg_listings").and_then(|l| l.as_array()) {
                    assert_eq!(rows, list.len(), "{name}");
                } else if let Some(seasons) = other.get("episodes").and_then(|e| e.as_object()) {
                    let episodes: usize =
                        seasons.values().map(|s| s.as_array().map_or(0, Vec::len)).sum();
                    assert_eq!(streams.len(), episodes + 1, "{name}");
                } else {
                    assert!(!out.facts.is_empty(), "{name}");
                }
            }
        }
        for fact in &out.facts {
            let raw = String::from_utf8_lossy(laws::raw(&bytes, fact)).into_owned();
            if matches!(fact.property, "name" | "icon" | "epg_id" | "user_name" | "category") {
                assert_eq!(raw, fact.value.text(), "{name}");
            }
        }
    }
}

#[test]
fn guides_are_rows() {
    let Some(folder) = laws::shared("data/iptv/xtream") else { return };
    let bytes = std::fs::read(folder.join("short-epg.json")).unwrap();
    let out = laws::hold(&PARSER, &bytes);
    let rows = out.table_rows(0);
    assert_eq!(rows[0][0].as_deref(), Some("C679.262.ersatztv.org"));
    assert_eq!(rows[0][2].as_deref(), Some("1741010222"));
    assert_eq!(rows[0][5].as_deref(), Some("fake programme"));
}

#[test]
fn other_json_is_not_ours() {
    for text in [
        r#"{"name":"chat","type":"personal_chat","id":1,"messages":[]}"#,
        r#"[{"id":1,"name":"x"}]"#,
        r#"["http://a.example","b.example"]"#,
        r#"{"url":"http://x.example"}"#,
        "#EXTM3U",
        "[]",
        "{}",
        "12",
        "",
    ] {
        assert_eq!((PARSER.sniff)(text.as_bytes(), "player_api.json"), Confidence::NO, "{text}");
    }
}

#[test]
fn damage_costs_only_what_it_touches() {
    let Some(folder) = laws::shared("data/iptv/xtream") else { return };
    for (_, bytes) in laws::files(&folder) {
        for seed in 0..12 {
            laws::hold(&PARSER, &laws::damaged(&bytes, seed));
        }
    }
}

fn list() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("[]".to_owned()),
        "[0-9]{1,4}",
        "\"[0-9]{0,10}\"",
        "\"[a-zA-Zé :\\\\/]{0,8}\"".prop_map(|s| s.replace('\\', "\\\\")),
        "\"http:(//|\\\\\\\\/\\\\\\\\/)[a-z]{1,4}\\.example/u/p/[0-9]{1,3}\""
            .prop_map(|s| s.replace("\\\\", "\\")),
    ];
    let key = prop_oneof![
        Just("name"),
        Just("stream_type"),
        Just("epg_channel_id"),
        Just("url"),
        Just("direct_source"),
        Just("added"),
        Just("category_id"),
        Just("password"),
        Just("series_id"),
        Just("tv_archive"),
    ];
    let element =
        (0u32..999, proptest::collection::vec((key, value), 0..6)).prop_map(|(id, members)| {
            let rest: String = members.iter().map(|(k, v)| format!(",\"{k}\":{v}")).collect();
            format!("{{\"stream_id\":{id}{rest}}}")
        });
    proptest::collection::vec(element, 0..8).prop_map(|e| format!("[{}]", e.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn laws_hold(text in list()) {
        laws::hold(&PARSER, text.as_bytes());
    }

    #[test]
    fn a_prefix_never_invents(text in list(), cut in 0usize..600) {
        laws::prefix(&PARSER, text.as_bytes(), cut, 0);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        laws::hold(&PARSER, &bytes);
    }
}
