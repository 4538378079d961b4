//! Secrets on the way out, and text that would act where it arrives.

#![allow(clippy::disallowed_methods)] // Material for the test.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bench::Bench;

const LIST: &str = "#EXTM3U\n#EXTINF:-1,One\nhttp://tv.example:8080/live/bob/hunter22/1.ts\n";

#[test]
fn a_revealed_secret_is_the_value_and_nobody_is_waited_for() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/list.m3u"), LIST).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let lines = |words: &[&str]| -> Vec<Value> {
        let text = bench.ok(&[&["facts", "--case", "case", "--json"], words].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let of = |lines: &[Value], property: &str| {
        lines.iter().find(|l| l["property"] == property).cloned().expect("a fact")
    };
    let masked = lines(&[]);
    let password = of(&masked, "password");
    assert_eq!((&password["value"], &password["masked"]), (&Value::Null, &Value::Bool(true)));
    assert!(password.get("raw").is_none() && password.get("raw_hex").is_none());
    assert!(!of(&masked, "url").to_string().contains("hunter22"));
    let begun = Instant::now();
    let shown = lines(&["--reveal", "note 12"]);
    // The writer that records the reason once waited half a minute for this very process.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    let password = of(&shown, "password");
    assert_eq!((&password["value"], &password["raw"]), (&"hunter22".into(), &"hunter22".into()));
    assert!(password.get("masked").is_none());
    let url = of(&shown, "url");
    assert_eq!(url["value"], url["raw"]);
    assert!(url["value"].as_str().unwrap().contains("hunter22"));
    assert_eq!(masked.len(), shown.len());
}

#[test]
fn what_a_spreadsheet_takes_for_a_formula_is_text_in_every_csv() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    let table = "shop,\"=place\",note\nalpha,=1+1,one\nbeta,@SUM(1),two\ngamma,-12.5,three\n";
    std::fs::write(bench.path("pile/sales.csv"), table).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let names = bench.ok(&["sql", "--case", "case", "--json", "SELECT sql_name FROM bulk_table"]);
    let name: Value = serde_json::from_str(names.lines().next().unwrap()).unwrap();
    let sql = |format: &str, what: &str| {
        let query = what.replace("TABLE", name["sql_name"].as_str().unwrap());
        bench.ok(&["sql", "--case", "case", "--format", format, &query])
    };
    let csv = sql("csv", "SELECT \"=place\", note FROM TABLE");
    assert_eq!(csv, "'=place,note\n'=1+1,one\n'@SUM(1),two\n'-12.5,three\n");
    // A number is none of the source's text: it stays one.
    assert_eq!(sql("csv", "SELECT -12.5 AS n, -3 AS m"), "n,m\n-12.5,-3\n");
    let json = sql("json", "SELECT \"=place\" AS p FROM TABLE LIMIT 1");
    assert_eq!(json, "{\"p\":\"=1+1\"}\n");
}
