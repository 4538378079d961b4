//! Orders, exceptions and accounts.

use serde_json::{Value, json};

use crate::bed::{Bed, PASSWORD, item, ticket};

#[test]
fn an_order_is_given_to_one_reporter() {
    let bed = Bed::new();
    let (vera, _) = bed.login("vera", PASSWORD);
    let accounts = bed.get("/account/reporter/get/all", Some(&vera)).data();
    let league = accounts.as_array().unwrap().iter().find(|of| of["email"] == "league").unwrap()["account_id"].clone();
    let create = |instance: &str, account: &Value, description: &str| {
        let body = json!({"instance": instance, "account_id": account, "description": description});
        bed.post("/dda/create", Some(&vera), &body)
    };
    create("x", &league, "serie a").refused(400, "7004");
    create("7/26/DDA", &league, "x").refused(400, "7002");
    create("7/26/DDA", &json!("nobody"), "serie a").refused(400, "7006");
    create("7/26/DDA", &json!("fibre"), "serie a").refused(400, "7007");
    assert_eq!(create("7/26/DDA", &league, "serie a").status, 200);
    create("7/26/DDA", &league, "serie a").refused(400, "7009");
    let own = bed.get("/dda/get/all", Some(bed.key("league-1"))).data();
    let numbers: Vec<_> =
        own.as_array().unwrap().iter().map(|order| order["instance"].clone()).collect();
    assert_eq!(numbers, [json!("1/26/DDA"), json!("7/26/DDA")]);
    assert_eq!((&own[1]["description"], &own[1]["is_active"]), (&json!("serie a"), &json!(true)));
    let id = &own[1]["dda_id"];
    let get = |key: &str| bed.post("/dda/get", Some(bed.key(key)), &json!({"dda_id": id}));
    assert_eq!(get("league-1").data(), own[1]);
    get("cinema-1").refused(400, "7008");
    let of =
        bed.post("/dda/get/all/by_account", Some(&vera), &json!({"account_id": league})).data();
    assert_eq!(of, own);
    assert_eq!(bed.get("/dda/get/global", Some(&vera)).data().as_array().unwrap().len(), 3);
    let set = |what: &str| bed.post(&format!("/dda/{what}"), Some(&vera), &json!({"dda_id": id}));
    assert_eq!(set("set/status/active").status, 200);
    set("remove").refused(400, "7010");
    let body = ticket(id.as_str().unwrap(), &["a.example"], &[], &[]);
    bed.post("/ticket/create", Some(bed.key("league-1")), &body).data();
    set("remove").refused(400, "7011");
    // Without an event it blocks sites, for the longest time there is and no longer.
    let ticket = bed.state(|house| house.state().ticket(item(0, 0).ticket()).unwrap().clone());
    assert!(ticket.event.is_none() && ticket.until.unwrap().since(ticket.at) <= 90 * 86_400_000);
    // Ended, nothing rests on it any more, and nothing is reported under it.
    assert_eq!(bed.stage(item(0, 0)), "submitted");
    assert_eq!(set("set/status/non_active").status, 200);
    assert_eq!(bed.stage(item(0, 0)), "ended");
    assert_eq!(bed.get("/dda/get/all", Some(bed.key("league-1"))).data()[1]["is_active"], false);
    assert_eq!(set("set/status/non_active").status, 200);
    set("set/status/active").refused(400, "7012");
    bed.post("/ticket/create", Some(bed.key("league-1")), &body).refused(400, "4004");
}

/// Faults 2, 3 and 4: an exception counts by suffix and by network, needs a second person, and reaches what is
/// blocked already.
#[test]
fn an_exception_needs_a_second_person_and_reaches_back() {
    let bed = Bed::new();
    bed.ticket(&["drive.google.example"], &["9.8.7.6"], &[]);
    bed.release("drive.google.example");
    bed.release("9.8.7.6");
    let (rita, ivan, carl) = (
        bed.login("rita", PASSWORD).0,
        bed.login("ivan", PASSWORD).0,
        bed.login("carl", PASSWORD).0,
    );
    let create = |token: &str, genre: &str, item: &str, more: Value| {
        let mut body = json!({"genre": genre, "item": item});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bed.post("/whitelist/item/create", Some(token), &body)
    };
    let (registrar, asn) = (json!({"registrar": "Example Ltd."}), json!({"as_code": "AS64500"}));
    create(&ivan, "fqdn", "*.google.example", json!({})).refused(400, "6012");
    create(&ivan, "fqdn", "a b", registrar.clone()).refused(400, "6003");
    create(&ivan, "ipv4", "::1", asn.clone()).refused(400, "6005");
    create(&ivan, "ipv4", "9.8.7.6", json!({"as_code": "x"})).refused(400, "6015");
    create(&ivan, "cidr_ipv4", "9.8.7.6", asn.clone()).refused(400, "6009");
    create(&ivan, "cidr_ipv6", "9.8.7.0/24", asn.clone()).refused(400, "6011");
    create(&ivan, "cidr_ipv4", "0.0.0.0/0", asn.clone()).refused(400, "6019");
    create(&ivan, "host", "a.example", asn.clone()).refused(400, "6001");
    assert_eq!(create(&ivan, "fqdn", "*.google.example", registrar.clone()).status, 200);
    create(&ivan, "fqdn", "*.google.example", registrar).refused(400, "6016");
    assert_eq!(create(&rita, "cidr_ipv4", "9.8.7.0/24", asn).status, 200);
    // Proposed, it does nothing.
    assert_eq!((bed.stage(item(0, 0)), bed.stage(item(0, 1))), ("in_force", "in_force"));
    let own = bed.get("/whitelist/item/get/all", Some(&ivan)).data();
    assert_eq!(
        (&own[0]["genre"], &own[0]["value"], &own[0]["is_active"]),
        (&json!("fqdn"), &json!("*.google.example"), &json!(false))
    );
    let set = |token: &str, what: &str, item: &str| {
        bed.post(&format!("/whitelist/item/{what}"), Some(token), &json!({"item": item}))
    };
    set(&ivan, "set/status/active", "*.google.example").refused(403, "1001");
    set(&carl, "set/status/active", "nothing.example").refused(400, "6019");
    assert_eq!(set(&carl, "set/status/active", "*.google.example").status, 200);
    assert_eq!(set(&carl, "set/status/active", "9.8.7.0/24").status, 200);
    assert_eq!((bed.stage(item(0, 0)), bed.stage(item(0, 1))), ("ended", "ended"));
    // What holds is not removed as a proposal is.
    set(&carl, "remove", "9.8.7.0/24").refused(400, "6018");
    let all = bed.get("/whitelist/item/get/global", Some(&carl)).data();
    let shown: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["genre"].clone(), one["is_active"].clone()))
        .collect();
    assert_eq!(shown, [(json!("fqdn"), json!(true)), (json!("cidr_ipv4"), json!(true))]);
    assert_eq!(all[1]["metadata"]["created_by_name"], "The league");
    let of = bed
        .post("/whitelist/item/get/all/by_account", Some(&carl), &json!({"account_id": "fibre"}))
        .data();
    assert_eq!(of, own_active(&own));
    // What it covers is no item any more, and the ticket's lists say why.
    bed.post(
        "/ticket/create",
        Some(bed.key("league-1")),
        &ticket("1/26/DDA", &["drive.google.example"], &[], &[]),
    )
    .refused(400, "4001");
    let id = bed.ticket(&["drive.google.example", "a.example"], &[], &[]);
    let lines =
        bed.post("/ticket/get/fqdn", Some(bed.key("league-1")), &json!({"ticket_id": id})).data();
    assert_eq!(
        (&lines[0]["is_whitelisted"], &lines[1]["is_whitelisted"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(bed.stage(item(1, 0)), "submitted");
    // A proposal is taken back by who made it; what holds ends by a reviewer's act, and what it covered is reported
    // again.
    let registrar = json!({"registrar": "Example Ltd."});
    assert_eq!(create(&ivan, "fqdn", "own.example", registrar).status, 200);
    set(&rita, "remove", "own.example").refused(403, "1001");
    assert_eq!(set(&carl, "set/status/non_active", "own.example").status, 200);
    assert_eq!(set(&ivan, "remove", "own.example").status, 200);
    set(&ivan, "remove", "own.example").refused(400, "6018");
    set(&ivan, "set/status/non_active", "*.google.example").refused(403, "1001");
    assert_eq!(set(&carl, "set/status/non_active", "*.google.example").status, 200);
    set(&carl, "set/status/non_active", "*.google.example").refused(400, "6019");
    bed.ticket(&["drive.google.example"], &[], &[]);
    assert_eq!(bed.stage(item(2, 0)), "submitted");
}

fn own_active(own: &Value) -> Value {
    let mut own = own.clone();
    own[0]["is_active"] = json!(true);
    own
}

#[test]
fn accounts_are_those_of_the_register() {
    let bed = Bed::new();
    let (vera, _) = bed.login("vera", PASSWORD);
    let count = |sort: &str| {
        bed.get(&format!("/account/{sort}get/all"), Some(&vera)).data().as_array().unwrap().len()
    };
    assert_eq!(
        (count("reporter/"), count("provider/"), count("internal/"), count("guest/")),
        (2, 2, 2, 1)
    );
    assert_eq!(count(""), 7);
    let providers = bed.get("/account/provider/get/all", Some(&vera)).data();
    let (id, role) = (providers[0]["account_id"].clone(), providers[0]["role"].clone());
    assert_eq!(role, json!(400));
    let get = |sort: &str| {
        bed.post(&format!("/account/{sort}get"), Some(&vera), &json!({"account_id": id}))
    };
    assert_eq!(
        (get("provider/").data(), get("").data()),
        (providers[0].clone(), providers[0].clone())
    );
    get("reporter/").refused(400, "3011");
    for path in ["provider/remove", "internal/set/status/active", "reporter/set/status/non_active"]
    {
        bed.post(&format!("/account/{path}"), Some(&vera), &json!({"account_id": id}))
            .refused(400, "3001");
    }
    let body = json!({"name": "x", "email": "x@y.example", "password": "x", "confirm_password": "x", "flags": {}});
    bed.post("/account/guest/create", Some(&vera), &body).refused(400, "3001");
}
