//! What a rights holder's program asks of the house.

use axum::http::{Method, StatusCode};
use desk::parties::{Act, PartyRole, act};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shield::harm::Verdict;
use shield::order::Stage;

use super::Bench;
use super::house::{captured, get, item, ordered, stage};

/// The header of a new key.
fn key(bench: &Bench, role: PartyRole) -> (&'static str, String) {
    let (key, organisation) = (format!("k-{}", role.word()), format!("o-{}", role.word()));
    let issue = Act::Issue { key, organisation, role, until: None };
    let secret = act(&bench.home, "op", "test", &issue).unwrap().secret.unwrap();
    bench.app.access.refresh().unwrap();
    ("authorization", format!("Bearer {secret}"))
}

async fn ask(
    bench: &mut Bench,
    who: &(&'static str, String),
    (method, path): (Method, &str),
    body: &str,
) -> (StatusCode, Value) {
    let answer = bench.ask(method, path, Some(who), None, body).await;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

const REPORT: (Method, &str) = (Method::POST, "/api/report");
const LIFT: (Method, &str) = (Method::POST, "/api/lift");
const TICKET: (Method, &str) = (Method::GET, "/api/tickets/0");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_reports_looks_and_lifts() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let lea = key(&bench, PartyRole::Reporter);
    let body = json!({"event": "final", "items": [
        "https://one.example.test/live.m3u8", "*.wild.test", "b.stream.test", "ONE.example.test"]});
    let (status, taken) = ask(&mut bench, &lea, REPORT, &body.to_string()).await;
    assert_eq!(status, StatusCode::CREATED, "{taken}");
    let record = taken["record"].as_u64().unwrap();
    assert_eq!(
        taken,
        json!({
            "ticket": 0, "record": record, "alone": false,
            "items": [
                {"item": "0/0", "value": "one.example.test", "kind": "fqdn"},
                {"item": "0/1", "value": "b.stream.test", "kind": "fqdn"},
            ],
            "left_out": [
                {"line": 2, "text": "*.wild.test", "why": "wildcard"},
                {"line": 4, "text": "ONE.example.test", "why": "duplicate"},
            ],
        })
    );
    captured(&bench, item(0), Verdict::Allow).await;
    let (status, seen) = ask(&mut bench, &lea, TICKET, "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&seen["state"], &seen["event"]), (&json!("in_force"), &json!("final")), "{seen}");
    let first = &seen["items"][0];
    assert_eq!((&first["state"], &first["verdict"]), (&json!("in_force"), &json!("allow")));
    assert!(first["until"].as_str().is_some_and(|until| until.ends_with('Z')), "{first}");
    assert_eq!(seen["items"][1]["state"], "submitted");
    // Who acted stands in the log under the key's own name.
    let ray = bench.session("reviewer");
    let (_, page) = get(&mut bench, Some(&ray), "/tickets/0").await;
    assert!(page.contains("key:k-reporter"), "{page}");
    let body = json!({"item": "0/0", "grounds": "the stream is gone"}).to_string();
    let (status, done) = ask(&mut bench, &lea, LIFT, &body).await;
    assert_eq!((status, &done["item"]), (StatusCode::OK, &json!("0/0")), "{done}");
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    let (_, seen) = ask(&mut bench, &lea, TICKET, "").await;
    let ended =
        json!({"item": "0/0", "value": "one.example.test", "state": "ended", "ended": "lifted"});
    assert_eq!(seen["items"][0], ended);
    // Once more: it is over.
    let (status, done) = ask(&mut bench, &lea, LIFT, &body).await;
    assert_eq!(status, StatusCode::CONFLICT, "{done}");
    assert!(done["error"].is_string() && done["message"].is_string(), "{done}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_gets_wrong_is_said_and_changes_nothing() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let lea = key(&bench, PartyRole::Reporter);
    let long = "w".repeat(300);
    for (body, word) in [
        ("", "body"),
        ("{", "body"),
        (r#"{"event":"final"}"#, "body"),
        (r#"{"event":"final","items":["a.stream.test"],"more":1}"#, "body"),
        (r#"{"items":["a.stream.test"]}"#, "under"),
        (r#"{"event":"another","items":["a.stream.test"]}"#, "under"),
        (r#"{"event":"final","items":["a.stream.test"],"case":"x"}"#, "case"),
        (r#"{"order":"7/26","until":"soon","items":["a.stream.test"]}"#, "until"),
        (r#"{"event":"final","items":["a.stream.test"],"isps":["nobody"]}"#, "asked"),
        (&format!(r#"{{"event":"final","items":["a.stream.test"],"works":["{long}"]}}"#), "works"),
    ] {
        let (status, said) = ask(&mut bench, &lea, REPORT, body).await;
        assert_eq!(
            (status, &said["error"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(word)),
            "{said}"
        );
    }
    // What the house itself refuses.
    for (body, word) in [
        (r#"{"event":"final","items":["*.wild.test"]}"#, "no_items"),
        (r#"{"event":"final","items":["a.stream.test"],"works":["another"]}"#, "not_in_order"),
    ] {
        let (status, said) = ask(&mut bench, &lea, REPORT, body).await;
        assert_eq!((status, &said["error"]), (StatusCode::CONFLICT, &json!(word)), "{said}");
    }
    for (body, status) in [
        (r#"{"item":"0.0","grounds":"gone"}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (r#"{"item":"0/0","grounds":""}"#, StatusCode::UNPROCESSABLE_ENTITY),
        (r#"{"item":"0/0","grounds":"gone"}"#, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(ask(&mut bench, &lea, LIFT, body).await.0, status, "{body}");
    }
    assert_eq!(ask(&mut bench, &lea, TICKET, "").await.0, StatusCode::NOT_FOUND);
    // An ISP's key reports nothing.
    let isp = key(&bench, PartyRole::Isp);
    let body = r#"{"event":"final","items":["a.stream.test"]}"#;
    for (asked, body) in
        [(REPORT, body), (LIFT, r#"{"item":"0/0","grounds":"gone"}"#), (TICKET, "")]
    {
        assert_eq!(ask(&mut bench, &isp, asked, body).await.0, StatusCode::FORBIDDEN);
    }
}
