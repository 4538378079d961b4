//! What ISPs are listed, and what they report.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bed::{Bed, PASSWORD, item, ticket};

const FQDN: &str = "text/plain; charset=utf-8";

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn lists_are_json_text_and_a_checksum() {
    let bed = Bed::new();
    let id = bed.ticket(&["b.example", "a.example"], &["9.8.7.6", "1.1.1.1"], &["2606:4700::64"]);
    let provider = Some(bed.key("fibre-1"));
    for kind in ["fqdn", "ipv4", "ipv6"] {
        assert_eq!(bed.get(&format!("/{kind}/get/all"), provider).data(), json!([]));
        let text = bed.get(&format!("/{kind}/get/all/txt"), provider);
        assert_eq!((text.status, text.body.as_str()), (200, ""));
        bed.get(&format!("/{kind}/get/all/txt/checksum"), provider).refused(400, "5011");
    }
    for value in ["a.example", "b.example", "9.8.7.6", "2606:4700::64"] {
        bed.release(value);
    }
    for (kind, lines) in
        [("fqdn", "a.example\nb.example"), ("ipv4", "9.8.7.6"), ("ipv6", "2606:4700::64")]
    {
        let values: Vec<&str> = lines.lines().collect();
        for token in [provider, Some(&bed.login("vera", PASSWORD).0)] {
            assert_eq!(bed.get(&format!("/{kind}/get/all"), token).data(), json!(values));
            let text = bed.get(&format!("/{kind}/get/all/txt"), token);
            assert_eq!((text.status, text.body.as_str()), (200, lines));
            assert!(text.head.to_lowercase().contains(FQDN), "{text:?}");
            let sum = bed.get(&format!("/{kind}/get/all/txt/checksum"), token);
            assert_eq!((sum.status, sum.body), (200, sha256(lines)));
        }
        let of = json!({"ticket_id": id});
        let mut own: Vec<String> =
            serde_json::from_value(bed.post(&format!("/ticket/get/{kind}"), provider, &of).data())
                .unwrap();
        own.sort();
        assert_eq!(own, values);
        let text = bed.ask(
            "GET",
            &format!("/ticket/get/{kind}/txt"),
            provider,
            &[],
            of.to_string().as_bytes(),
        );
        assert_eq!((text.status, text.body.lines().count()), (200, values.len()));
        let sum = bed.post(&format!("/ticket/get/{kind}/txt/checksum"), provider, &of);
        assert_eq!(sum.body, sha256(&text.body));
    }
}

/// A ticket that is addressed to some ISPs is seen by no other; one that joins late gets all (fault 6); what is
/// stopped leaves every list.
#[test]
fn an_isp_is_listed_what_it_is_to_block() {
    use shield::order::words::Grounds;
    use shield::order::{Command, Halt, Scope};
    let bed = Bed::new();
    let mut body = ticket("1/26/DDA", &["some.example"], &[], &[]);
    body["assigned_to"] = json!(["cable"]);
    let some =
        bed.post("/ticket/create", Some(bed.key("league-1")), &body).data()["ticket_id"].clone();
    bed.release("some.example");
    bed.ticket(&["all.example"], &[], &[]);
    bed.release("all.example");
    let list = |key: &str| bed.get("/fqdn/get/all", Some(bed.key(key))).data();
    // Twice: the second time out of what is shared, where it is.
    for _ in 0..2 {
        assert_eq!(list("fibre-1"), json!(["all.example"]));
        assert_eq!(list("cable-1"), json!(["all.example", "some.example"]));
    }
    bed.post("/ticket/get", Some(bed.key("fibre-1")), &json!({"ticket_id": some}))
        .refused(400, "4017");
    bed.post("/ticket/get", Some(bed.key("cable-1")), &json!({"ticket_id": some})).data();
    let why = Grounds::new("a clinic").unwrap();
    bed.act(&bed.authority(), Command::Stop { scope: Scope::All, halt: Halt::Lifts, grounds: why });
    // The keeper publishes after it answered.
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert_eq!((list("fibre-1"), list("cable-1")), (json!([]), json!([])));
    assert_eq!(bed.get("/ticket/get/all", Some(bed.key("cable-1"))).data(), json!([]));
}

#[test]
fn an_isps_report_is_its_own_and_changes_nothing() {
    let bed = Bed::new();
    let id = bed.ticket(&["a.example", "held.example"], &["9.8.7.6"], &[]);
    bed.release("a.example");
    bed.release("9.8.7.6");
    let (fibre, cable) = (Some(bed.key("fibre-1")), Some(bed.key("cable-1")));
    let set =
        |what: &str, key, body: Value| bed.post(&format!("/ticket/item/set/{what}"), key, &body);
    let before = bed.state(|house| (house.state().clone(), house.case().len()));
    set("processed", fibre, json!({"value": "1.2.3.4"})).refused(400, "5001");
    set("processed", fibre, json!({"value": "held.example"})).refused(400, "5001");
    set("processed", fibre, json!({"value": "*.example"})).refused(400, "5005");
    set("processed", fibre, json!({"value": "a.example", "note": "x"})).refused(400, "5007");
    set("processed", fibre, json!({"value": "a.example", "timestamp": "noon"}))
        .refused(400, "5006");
    set("unprocessed", fibre, json!({"value": "a.example", "reason": "TIRED"}))
        .refused(400, "5009");
    set("unprocessed", fibre, json!({"value": "a.example"})).refused(400, "1011");
    let timed = json!({"value": "a.example", "timestamp": "2026-11-27T05:00:00+01:00", "note": "done by rpz"});
    assert_eq!(set("processed", fibre, timed).status, 200);
    assert_eq!(
        set("unprocessed", cable, json!({"value": "a.example", "reason": "ALREADY_BLOCKED"}))
            .status,
        200
    );
    assert_eq!(bed.state(|house| (house.state().clone(), house.case().len())), before);
    let items = |key| bed.post("/ticket/item/get/all", key, &json!({"ticket_id": id})).data();
    let own = &items(fibre)[0];
    assert_eq!(
        (&own["status"], &own["timestamp"]),
        (&json!("processed"), &json!("2026-11-27T04:00:00.000Z"))
    );
    assert_eq!(
        (&items(fibre)[1]["status"], &items(fibre)[1]["value"]),
        (&json!("pending"), &json!("9.8.7.6"))
    );
    assert_eq!(
        (&items(cable)[0]["status"], &items(cable)[0]["reason"]),
        (&json!("unprocessed"), &json!("ALREADY_BLOCKED"))
    );
    let (vera, _) = bed.login("vera", PASSWORD);
    let all = items(Some(&vera));
    assert_eq!(all.as_array().unwrap().iter().filter(|one| one["value"] == "a.example").count(), 2);
    let statuses =
        bed.post("/ticket/item/status/get/all", Some(&vera), &json!({"ticket_id": id})).data();
    let stages: Vec<_> = statuses
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["is_active"].clone(), one["stage"].clone()))
        .collect();
    assert_eq!(
        stages,
        [
            (json!(true), json!("in_force")),
            (json!(false), json!("submitted")),
            (json!(true), json!("in_force"))
        ]
    );
    let body = json!({"ticket_id": id, "ticket_item_id": statuses[0]["ticket_item_id"]});
    let detail = bed.post("/ticket/item/get/details", Some(&vera), &body).data();
    assert_eq!((&detail["value"], &detail["is_active"]), (&json!("a.example"), &json!(true)));
    bed.post(
        "/ticket/item/get/details",
        Some(&vera),
        &json!({"ticket_id": id, "ticket_item_id": "x"}),
    )
    .refused(400, "5001");
}

/// A reviewer lifts all on a value; nothing goes into force by "active" that no probe captured.
#[test]
fn a_reviewer_lifts_a_value_and_releases_none() {
    let bed = Bed::new();
    bed.ticket(&["a.example", "b.example"], &[], &[]);
    bed.release("a.example");
    let (carl, _) = bed.login("carl", PASSWORD);
    let set = |what: &str, value: &str| {
        bed.post(&format!("/ticket/item/set/{what}"), Some(&carl), &json!({"value": value}))
    };
    set("active", "b.example").refused(400, "5001");
    set("non_active", "b.example").refused(400, "5001");
    assert_eq!(bed.stage(item(0, 1)), "submitted");
    assert_eq!(set("non_active", "a.example").status, 200);
    assert_eq!(bed.stage(item(0, 0)), "ended");
    set("active", "a.example").refused(400, "5001");
}
