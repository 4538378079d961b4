//! Tickets by the wire, and what the house makes of them.

use piracy_shield::Times;
use serde_json::{Value, json};

use crate::bed::{Bed, PASSWORD, item, ticket};

const NAMES: &[&str] = &["mock-website.com", "mock-website-two.com"];
const V4: &[&str] = &["9.8.7.6", "1.1.1.1"];
const V6: &[&str] = &["2001:db8:3333:4444:5555:6666:7777:8888"];

fn of(ticket: &str) -> Value {
    json!({"ticket_id": ticket})
}

#[test]
fn what_is_durable_on_one_machine_alone_is_said() {
    let bed = Bed::with(Times::default());
    let reporter = Some(bed.key("league-1"));
    let answer = bed.post("/ticket/create", reporter, &ticket("1/26/DDA", NAMES, V4, V6));
    assert_eq!(answer.json().get("alone"), None);
    let id = answer.data()["ticket_id"].as_str().unwrap().to_owned();
    // A standby that never follows: what is added is refused, and what opens is told of.
    bed.state(|house| {
        let by = shield::order::words::Person::new("vera").unwrap();
        let why = shield::order::words::Grounds::new("two are safer than one").unwrap();
        house.name_standby(&by, "second", model::Sha256Hex([1; 32]), &why).unwrap();
    });
    let more = bed.post("/ticket/create", reporter, &ticket("1/26/DDA", &["b.example"], &[], &[]));
    assert!(more.json()["message"].as_str().unwrap().contains("standby"), "{more:?}");
    let back = bed.post("/ticket/remove", reporter, &of(&id)).json();
    assert_eq!((&back["status"], &back["alone"]), (&json!("success"), &json!(true)));
    assert_eq!(bed.get("/ticket/get/total", reporter).json().get("alone"), None);
}

#[test]
fn a_ticket_is_taken_shown_and_taken_back() {
    let bed = Bed::with(Times::default());
    let reporter = Some(bed.key("league-1"));
    let answer = bed.post("/ticket/create", reporter, &ticket("1/26/DDA", NAMES, V4, V6));
    let id = answer.data()["ticket_id"].as_str().unwrap().to_owned();
    assert!(answer.json()["note"].as_str().unwrap().contains("75 seconds"), "{answer:?}");
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_alphanumeric()));
    let shown = bed.post("/ticket/get", reporter, &of(&id)).data();
    assert_eq!(shown["fqdn"], json!(NAMES));
    assert_eq!(
        (&shown["ipv4"], &shown["ipv6"], &shown["status"]),
        (&json!(V4), &json!(V6), &json!("created"))
    );
    assert_eq!(
        shown["settings"],
        json!({"revoke_time": 75, "autoclose_time": 1_875, "report_error_time": 86_400})
    );
    assert_eq!(
        (&shown["description"], shown["dda_id"].as_str().unwrap().len()),
        (&json!("__MOCK__"), 32)
    );
    // By the order's identifier as by its number.
    let again = ticket(shown["dda_id"].as_str().unwrap(), &["a.example"], &[], &[]);
    bed.post("/ticket/create", reporter, &again).data();
    // The event of the order that is on is the ticket's.
    let event = bed.state(|house| house.state().ticket(item(0, 0).ticket()).unwrap().event.clone());
    assert_eq!(event.unwrap().as_str(), "final");
    // What was released meanwhile is lifted, what waits is refused: none of it lives.
    bed.release("mock-website.com");
    assert_eq!(bed.post("/ticket/remove", reporter, &of(&id)).data(), Value::Null);
    assert!((0..5).all(|n| bed.stage(item(0, n)) == "ended"));
    let shown = bed.post("/ticket/get", reporter, &of(&id)).data();
    assert_eq!((&shown["status"], &shown["fqdn"]), (&json!("closed"), &json!(NAMES)));
    assert_eq!(bed.get("/ticket/get/all", reporter).data().as_array().unwrap().len(), 2);
    assert_eq!(bed.get("/ticket/get/total", reporter).data(), json!(2));
    let (vera, _) = bed.login("vera", PASSWORD);
    let lines = bed.post("/log/ticket/get/all", Some(&vera), &of(&id)).data();
    let messages: Vec<&str> =
        lines.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert!(messages[0].starts_with("submitted by league"), "{messages:?}");
    assert!(
        messages.iter().any(|line| line.starts_with("lifted of item 0 by league")),
        "{messages:?}"
    );
}

/// Fault 1: nothing leaves before a capture and a check. Fault 9: no archive was verified, and none is enough.
#[test]
fn nothing_is_listed_before_it_is_released() {
    let bed = Bed::new();
    let id = bed.ticket(NAMES, V4, V6);
    let provider = Some(bed.key("fibre-1"));
    bed.post("/ticket/get", provider, &of(&id)).refused(400, "4017");
    assert_eq!(bed.get("/ticket/get/all", provider).data(), json!([]));
    bed.release("mock-website.com");
    bed.release("9.8.7.6");
    let shown = bed.post("/ticket/get", provider, &of(&id)).data();
    assert_eq!(
        (&shown["fqdn"], &shown["ipv4"], &shown["ipv6"]),
        (&json!(["mock-website.com"]), &json!(["9.8.7.6"]), &json!([]))
    );
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>().len(), 6, "{shown}");
    assert_eq!(bed.get("/ticket/get/all", provider).data()[0], shown);
}

/// Another's ticket is neither taken back, nor seen, nor told from one that is not there.
#[test]
fn fault_7_a_ticket_is_its_reporters_alone() {
    let bed = Bed::with(Times::default());
    let id = bed.ticket(NAMES, &[], &[]);
    let other = Some(bed.key("cinema-1"));
    for path in [
        "/ticket/get",
        "/ticket/remove",
        "/ticket/get/fqdn",
        "/forensic/get/by_ticket",
        "/ticket/error/get/by_ticket",
    ] {
        bed.post(path, other, &of(&id)).refused(400, "4017");
        bed.post(path, other, &of(&"0".repeat(32))).refused(400, "4017");
    }
    bed.post("/ticket/create", other, &ticket("1/26/DDA", NAMES, &[], &[])).refused(400, "4005");
    let error = json!({"ticket_id": id, "fqdn": ["mock-website.com"]});
    bed.post("/ticket/error/create", other, &error).refused(400, "4017");
    assert_eq!(bed.get("/ticket/get/all", other).data(), json!([]));
    assert_eq!(bed.stage(item(0, 0)), "submitted");
}

#[test]
fn a_ticket_is_taken_back_in_its_time_alone() {
    let bed = Bed::new();
    let id = bed.ticket(NAMES, &[], &[]);
    bed.post("/ticket/remove", Some(bed.key("league-1")), &of(&id)).refused(400, "4015");
    let (carl, _) = bed.login("carl", PASSWORD);
    bed.post("/ticket/remove", Some(&carl), &of(&id)).refused(400, "4015");
}

/// What can still be taken back no ISP sees here, unless an older ticket wants it.
#[test]
fn a_young_ticket_is_hidden_from_isps() {
    let bed = Bed::with(Times { revoke_ms: 3_000, ..Times::default() });
    let begun = std::time::Instant::now();
    let id = bed.ticket(&["old.example", "both.example"], &[], &[]);
    bed.release("old.example");
    bed.release("both.example");
    let provider = Some(bed.key("fibre-1"));
    let list = || bed.get("/fqdn/get/all", provider).data();
    assert!(begun.elapsed().as_secs() < 3, "too slow a machine for this test");
    assert_eq!(list(), json!([]));
    bed.post("/ticket/get", provider, &of(&id)).refused(400, "4017");
    bed.post("/ticket/item/set/processed", provider, &json!({"value": "old.example"}))
        .refused(400, "5001");
    std::thread::sleep(std::time::Duration::from_millis(3_100));
    assert_eq!(list(), json!(["both.example", "old.example"]));
    bed.ticket(&["both.example", "young.example"], &[], &[]);
    bed.release("both.example");
    bed.release("young.example");
    assert_eq!(list(), json!(["both.example", "old.example"]));
}

/// Faults 3, 4 and 5: an error ends an item of one's own ticket alone; another ticket that wants the value keeps
/// it, and what was unblocked can be reported and blocked again.
#[test]
fn fault_5_an_error_ends_its_own_item() {
    let bed = Bed::new();
    let reporter = Some(bed.key("league-1"));
    let (first, _) =
        (bed.ticket(&["a.example", "b.example"], &[], &[]), bed.ticket(&["a.example"], &[], &[]));
    // (`release` acts on the value's newest item.)
    bed.release("a.example");
    let available = bed.post("/ticket/item/get/available/by_ticket", reporter, &of(&first)).data();
    assert_eq!(available, json!(["a.example", "b.example"]));
    let error = |fqdn: Value, ipv4: Value| {
        bed.post(
            "/ticket/error/create",
            reporter,
            &json!({"ticket_id": first, "fqdn": fqdn, "ipv4": ipv4}),
        )
    };
    error(json!([]), Value::Null).refused(400, "4001");
    error(json!(["c.example"]), Value::Null).refused(400, "4008");
    error(Value::Null, json!(["9.8.7.6"])).refused(400, "4010");
    // One name written in two ways is one item.
    let made = error(json!(["a.example", "A.example"]), Value::Null).data();
    assert_eq!((bed.stage(item(0, 0)), bed.stage(item(1, 0))), ("ended", "in_force"));
    assert_eq!(bed.get("/fqdn/get/all", Some(bed.key("fibre-1"))).data(), json!(["a.example"]));
    let got = bed
        .post("/ticket/error/get", reporter, &json!({"ticket_error_id": made["ticket_error_id"]}))
        .data();
    assert_eq!(
        (&got["fqdn"], &got["ipv4"], &got["ticket_id"]),
        (&json!(["a.example"]), &json!([]), &json!(first))
    );
    let all = bed.post("/ticket/error/get/by_ticket", reporter, &of(&first)).data();
    assert_eq!(all, json!([got]));
    let lines = bed.post("/ticket/get/fqdn", reporter, &of(&first)).data();
    let flags: Vec<_> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["value"].clone(), line["is_error"].clone()))
        .collect();
    assert_eq!(flags, [(json!("a.example"), json!(true)), (json!("b.example"), json!(false))]);
    // The same value, reported again, is an item of its own.
    bed.ticket(&["a.example"], &[], &[]);
    assert_eq!(bed.stage(item(2, 0)), "submitted");
    let late = Bed::with(Times { error_ms: 0, ..Times::default() });
    let id = late.ticket(&["a.example"], &[], &[]);
    let body = json!({"ticket_id": id, "fqdn": ["a.example"]});
    late.post("/ticket/error/create", Some(late.key("league-1")), &body).refused(400, "4016");
}

#[test]
fn a_bad_ticket_is_refused_whole() {
    let bed = Bed::new();
    let reporter = Some(bed.key("league-1"));
    let create = |change: &dyn Fn(&mut Value)| {
        let mut body = ticket("1/26/DDA", &["a.example"], &[], &[]);
        change(&mut body);
        bed.post("/ticket/create", reporter, &body)
    };
    create(&|t| t["fqdn"] = json!(["*.a.example"])).refused(400, "4008");
    create(&|t| t["ipv4"] = json!(["9.8.7.0/24"])).refused(400, "4010");
    create(&|t| t["dda_id"] = json!("9/26/DDA")).refused(400, "4005");
    create(&|t| t["assigned_to"] = json!(["nobody"])).refused(400, "4014");
    create(&|t| t["assigned_to"] = json!(["league"])).refused(400, "4014");
    create(&|t| drop(t.as_object_mut().unwrap().remove("forensic_evidence"))).refused(400, "1011");
    let thousand: Vec<String> = (0..1_001).map(|n| format!("s{n}.example")).collect();
    create(&|t| t["fqdn"] = json!(thousand)).refused(400, "4018");
    assert_eq!(bed.state(|house| house.state().tickets()), 0);
    create(&|t| t["fqdn"] = json!(thousand[..1_000])).data();
    assert_eq!(bed.state(|house| house.state().tickets()), 1);
}

/// Piracy Shield looks at the first of them alone.
#[test]
fn fault_10_each_isp_of_a_list_is_checked() {
    let bed = Bed::new();
    let create = |isps: Value| {
        let mut body = ticket("1/26/DDA", &["a.example"], &[], &[]);
        body["assigned_to"] = isps;
        bed.post("/ticket/create", Some(bed.key("league-1")), &body)
    };
    for wrong in ["nobody", "league", "court"] {
        create(json!(["fibre", wrong])).refused(400, "4014");
        create(json!(["fibre", "cable", wrong])).refused(400, "4014");
    }
    assert_eq!(bed.state(|house| house.state().tickets()), 0);
    create(json!(["fibre", "cable"])).data();
    bed.release("a.example");
    for isp in ["fibre-1", "cable-1"] {
        assert_eq!(bed.get("/fqdn/get/all", Some(bed.key(isp))).data(), json!(["a.example"]));
    }
}

/// Piracy Shield never gives it what was blocked before.
#[test]
fn fault_6_an_isp_that_joins_late_is_listed_all() {
    use desk::parties::{Act, PartyRole, Sector, act};
    let bed = Bed::new();
    bed.ticket(&["a.example"], &[], &[]);
    bed.release("a.example");
    let (home, late) = (bed.dir.path().join("home"), || "late".to_owned());
    let (organisation, name, sector) = (late(), late(), Sector::Isp);
    act(&home, "vera", "test", &Act::Organisation { organisation, name, sector }).unwrap();
    let issue = Act::Issue {
        key: "late-1".into(),
        organisation: late(),
        role: PartyRole::Isp,
        until: None,
    };
    let key = act(&home, "vera", "test", &issue).unwrap().secret.unwrap();
    bed.access.refresh().unwrap();
    assert_eq!(bed.get("/fqdn/get/all", Some(&key)).data(), json!(["a.example"]));
}

/// The last label too.
#[test]
fn fault_12_names_under_xn_are_taken() {
    let bed = Bed::new();
    bed.ticket(&["tv.xn--p1ai"], &[], &[]);
    bed.release("tv.xn--p1ai");
    assert_eq!(bed.get("/fqdn/get/all", Some(bed.key("fibre-1"))).data(), json!(["tv.xn--p1ai"]));
}

/// Clients send a body with GET; and the request as it came stands in the vault.
#[test]
fn a_get_has_a_body_and_a_request_is_sealed() {
    let bed = Bed::new();
    let id = bed.ticket(&["a.example"], &[], &[]);
    let body = of(&id).to_string();
    let shown = bed.ask("GET", "/ticket/get", Some(bed.key("league-1")), &[], body.as_bytes());
    assert_eq!(shown.data()["fqdn"], json!(["a.example"]));
    let sealed = bed.state(|house| {
        let all: Vec<_> = house.case().exhibits().iter().map(|exhibit| exhibit.id).collect();
        all.iter()
            .map(|id| house.case().bytes(id).unwrap().range(0, 1 << 20).unwrap())
            .collect::<Vec<_>>()
    });
    let asked = ticket("1/26/DDA", &["a.example"], &[], &[]).to_string();
    assert_eq!(sealed, [asked.into_bytes()]);
    // Without its file the wire shows what lives of the ticket.
    std::fs::remove_dir_all(bed.dir.path().join("shield/piracy-shield")).unwrap();
    let shown = bed.post("/ticket/get", Some(bed.key("league-1")), &of(&id)).data();
    assert_eq!((&shown["fqdn"], &shown["description"]), (&json!(["a.example"]), &Value::Null));
}

/// After a restart tickets, archives' digests, errors and reports are there; tokens are not.
#[test]
fn a_restart_forgets_tokens_alone() {
    let mut bed = Bed::new();
    let id = bed.ticket(&["a.example", "b.example"], &[], &[]);
    bed.release("a.example");
    let key = bed.key("league-1").to_owned();
    let error = json!({"ticket_id": id, "fqdn": ["b.example"]});
    let error = bed.post("/ticket/error/create", Some(&key), &error).data();
    let isp = bed.key("fibre-1").to_owned();
    bed.post("/ticket/item/set/processed", Some(&isp), &json!({"value": "a.example"}));
    let (token, refresh) = bed.login("fibre-1", &isp);
    let seen = |bed: &Bed| {
        let paths = ["/ticket/get", "/ticket/get/fqdn", "/forensic/get/by_ticket"];
        paths.map(|path| bed.post(path, Some(&key), &of(&id)).data())
    };
    let before = seen(&bed);
    bed.again();
    assert_eq!(seen(&bed), before);
    let id_of = json!({"ticket_error_id": error["ticket_error_id"]});
    assert_eq!(
        bed.post("/ticket/error/get", Some(&key), &id_of).data()["fqdn"],
        json!(["b.example"])
    );
    bed.get("/fqdn/get/all", Some(&token)).refused(401, "2002");
    bed.post("/authentication/refresh", None, &json!({"refresh_token": refresh}))
        .refused(400, "2002");
    let items = bed.post("/ticket/item/get/all", Some(&isp), &of(&id)).data();
    assert_eq!(items[0]["status"], "processed");
}

/// What ISPs report is shown at once, and on record within seconds: many in one record.
#[test]
fn reports_go_on_record_together() {
    let bed = Bed::new();
    let id = bed.ticket(&["a.example", "b.example"], &[], &[]);
    bed.release("a.example");
    bed.release("b.example");
    let records = || bed.state(|house| house.case().len());
    let before = records();
    let (fibre, cable) = (bed.key("fibre-1"), bed.key("cable-1"));
    for name in ["a.example", "b.example"] {
        bed.post("/ticket/item/set/processed", Some(fibre), &json!({"value": name})).data();
    }
    let not = json!({"value": "a.example", "reason": "ALREADY_BLOCKED", "note": "since spring"});
    bed.post("/ticket/item/set/unprocessed", Some(cable), &not).data();
    let shown = |key: &str| bed.post("/ticket/item/get/all", Some(key), &of(&id)).data();
    let of_a = |shown: &Value| {
        let all = shown.as_array().unwrap().clone();
        all.into_iter().find(|item| item["value"] == "a.example").unwrap()
    };
    let all = [shown(fibre), shown(cable), shown(bed.key("court-1"))];
    assert_eq!(of_a(&all[0])["status"], "processed");
    let of_cable = of_a(&all[1]);
    assert_eq!(
        (&of_cable["status"], &of_cable["reason"]),
        (&json!("unprocessed"), &json!("ALREADY_BLOCKED"))
    );
    assert_eq!(of_cable["note"], "since spring");
    assert_eq!(all[2].as_array().unwrap().len(), 3, "{}", all[2]);
    bed.api.settle();
    assert_eq!(records(), before + 1);
    assert_eq!([shown(fibre), shown(cable), shown(bed.key("court-1"))], all);
    // A newer word takes the place of the one before, and nobody else's.
    bed.post("/ticket/item/set/processed", Some(cable), &json!({"value": "a.example"})).data();
    assert_eq!(of_a(&shown(cable))["status"], "processed");
    let begun = std::time::Instant::now();
    while records() == before + 1 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it waits for ever");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(of_a(&shown(cable))["status"], "processed");
    let said = bed.state(|house| {
        let value = std::sync::Arc::new(shield::Item::parse("a.example").unwrap());
        house.said().count(&value).processed
    });
    assert_eq!(said, 2);
}
