//! Who is let in where: every route, asked by nobody and by each sort of party.

use desk::access::{Refusal, Row as Refused};
use piracy_shield::{Caller, Method, ROUTES, Route};
use serde_json::{Map, Value, json};

use crate::bed::{Answer, Bed, PASSWORD};
use crate::table::{rows, word};

fn body(route: &Route) -> Value {
    let fields = route.required.iter().map(|field| ((*field).to_owned(), json!("x")));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn ask(bed: &Bed, route: &Route, token: Option<&str>) -> Answer {
    let path = route.path.replace("{ticket_id}", "x");
    match route.method {
        Method::Get => bed.get(&path, token),
        Method::Post | Method::Both => bed.post(&path, token, &body(route)),
    }
}

fn counted(bed: &Bed, party: &str, route: &Route, why: Refusal) -> u64 {
    let name = format!("{}{}", piracy_shield::BASE, route.path);
    let of = |row: &Refused| row.party == party && row.route == name;
    let count = |row: &Refused| match why {
        Refusal::SignIn => row.times.sign_in,
        Refusal::Forbidden => row.times.forbidden,
        Refusal::TooMany => row.times.too_many,
    };
    bed.access.refused().iter().filter(|row| of(row)).map(count).sum()
}

/// Without a token, with one that is none, with one of another make: refused on every route that wants one, and
/// counted.
#[test]
fn nobody_is_let_in_without_a_token() {
    let bed = Bed::new();
    let unknown = format!("ps_{}", "0".repeat(64));
    for route in ROUTES {
        let answers =
            [ask(&bed, route, None), ask(&bed, route, Some(&unknown)), ask(&bed, route, Some("x"))];
        if !route.signed {
            assert!(
                answers
                    .iter()
                    .all(|answer| answer.status != 403 && !answer.code().starts_with("100")
                        || answer.code() == "1007"),
                "{}: {answers:?}",
                route.path
            );
            continue;
        }
        let codes = answers.each_ref().map(Answer::code);
        // Nobody's quota is 60 a minute for a network: beyond it that is what is answered.
        for (code, known) in codes.iter().zip(["1006", "2002", "1008"]) {
            assert!([known, "1005"].contains(&code.as_str()), "{}: {answers:?}", route.path);
        }
        assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status)), "{answers:?}");
        let why = [Refusal::SignIn, Refusal::TooMany];
        let counted: u64 = why.into_iter().map(|why| counted(&bed, "public", route, why)).sum();
        assert_eq!(counted, 3, "{}", route.path);
    }
}

/// Each sort of party is let in where the table says so, and is refused elsewhere, as the table says.
#[test]
fn who_is_let_in_is_what_the_table_says() {
    let bed = Bed::new();
    let people = [
        (Caller::Internal, "vera", "agency"),
        (Caller::Reporter, "rita", "league"),
        (Caller::Provider, "ivan", "fibre"),
        (Caller::Guest, "gus", "public"),
    ];
    for (caller, person, party) in people {
        let (token, _) = bed.login(person, PASSWORD);
        for (row, route) in rows().iter().zip(ROUTES) {
            // Whoever signs out is out: by another sign-in.
            let token = if route.path.ends_with("logout") {
                &bed.login(person, PASSWORD).0
            } else {
                &token
            };
            let answer = ask(&bed, route, Some(token));
            let code = answer.code();
            let denied = answer.status == 403 || code.starts_with("11") || answer.status == 401;
            let let_in = row.who == "anybody" || row.who.split(", ").any(|who| who == word(caller));
            if route.path == "/authentication/refresh" {
                assert_eq!(code, "1007");
                continue;
            }
            assert_eq!(denied, !let_in, "{caller:?} at {}: {answer:?}", route.path);
            if denied {
                let said = format!("{} {code}", answer.status);
                assert!(
                    row.refused.split(", ").any(|refused| refused == said),
                    "{}: {said}",
                    route.path
                );
                assert_eq!(
                    counted(&bed, party, route, Refusal::Forbidden),
                    1,
                    "{caller:?} at {}",
                    route.path
                );
            } else {
                assert_eq!(
                    counted(&bed, party, route, Refusal::Forbidden),
                    0,
                    "{caller:?} at {}",
                    route.path
                );
            }
        }
    }
}

/// What decides needs a person: a key of a reviewer approves, lifts and orders nothing.
#[test]
fn a_key_decides_nothing() {
    let bed = Bed::new();
    for path in [
        "/ticket/item/set/active",
        "/ticket/item/set/non_active",
        "/whitelist/item/set/status/active",
        "/dda/create",
    ] {
        let route = ROUTES.iter().find(|route| route.path == path).unwrap();
        let answer = ask(&bed, route, Some(bed.key("court-1")));
        assert_eq!(answer.status, 403, "{path}: {answer:?}");
        assert_eq!(counted(&bed, "court", route, Refusal::Forbidden), 1);
    }
    assert_eq!(bed.get("/account/session/get/all", Some(bed.key("court-1"))).status, 403);
}

#[test]
fn people_and_services_sign_in_refresh_and_sign_out() {
    let bed = Bed::new();
    for (name, password) in
        [("rita@league.example", PASSWORD), ("RITA", PASSWORD), ("fibre-1@x", bed.key("fibre-1"))]
    {
        let (access, refresh) = bed.login(name, password);
        let other =
            bed.post("/authentication/refresh", None, &json!({"refresh_token": refresh})).data();
        let other = other["access_token"].as_str().unwrap();
        for token in [access.as_str(), other] {
            bed.get("/ticket/get/all", Some(token)).data();
        }
        bed.get("/authentication/logout", Some(&access)).data();
        for token in [access.as_str(), other] {
            bed.get("/ticket/get/all", Some(token)).refused(401, "2002");
        }
        bed.post("/authentication/refresh", None, &json!({"refresh_token": refresh}))
            .refused(400, "2002");
    }
    // One is not the other's: neither a name for another's key, nor a refresh token for an access token.
    let login = |name: &str, password: &str| {
        bed.post("/authentication/login", None, &json!({"email": name, "password": password}))
    };
    login("cable-1", bed.key("fibre-1")).refused(400, "2001");
    login("rita", bed.key("fibre-1")).refused(400, "2001");
    login("nobody@fake.example", "very_fake").refused(400, "2001");
    let (_, refresh) = bed.login("fibre-1", bed.key("fibre-1"));
    bed.get("/fqdn/get/all", Some(&refresh)).refused(401, "2002");
    for bad in ["x", "ps_", "vsk_x"] {
        bed.post("/authentication/refresh", None, &json!({"refresh_token": bad}))
            .refused(400, "2002");
    }
    // Failures grow slow.
    for _ in 0..4 {
        assert_eq!(login("carl", "wrong, and long enough").status, 400);
    }
    let slow = login("carl", PASSWORD);
    slow.refused(400, "2003");
    assert!(slow.head.to_lowercase().contains("retry-after: "), "{slow:?}");
    // One's own sessions and password.
    let (token, _) = bed.login("rita", PASSWORD);
    assert!(
        !bed.get("/account/session/get/all", Some(&token)).data().as_array().unwrap().is_empty()
    );
    let change = |present: &str, new: &str, again: &str| {
        let body =
            json!({"current_password": present, "new_password": new, "confirm_password": again});
        bed.post("/account/reporter/change_password", Some(&token), &body)
    };
    change(PASSWORD, PASSWORD, PASSWORD).refused(400, "3014");
    change(PASSWORD, "another one for tests", "and another").refused(400, "3013");
    change("wrong, and long enough", "another one for tests", "another one for tests")
        .refused(400, "3013");
    change(PASSWORD, "short", "short").refused(400, "3012");
    change(PASSWORD, "another one for tests", "another one for tests");
    bed.login("rita", "another one for tests");
}

/// Whoever is suspended, or whose key is revoked, is nobody with the next request.
#[test]
fn a_token_is_worth_what_its_holder_is() {
    use desk::parties::{Act, act};
    let bed = Bed::new();
    let home = bed.dir.path().join("home");
    let ((key, refresh), (person, _)) =
        (bed.login("fibre-1", bed.key("fibre-1")), bed.login("ivan", PASSWORD));
    act(&home, "vera", "test", &Act::Revoke { key: "fibre-1".into(), reason: "lost".into() })
        .unwrap();
    bed.access.refresh().unwrap();
    bed.get("/fqdn/get/all", Some(&key)).refused(401, "2002");
    bed.post("/authentication/refresh", None, &json!({"refresh_token": refresh}))
        .refused(400, "2002");
    bed.get("/fqdn/get/all", Some(bed.key("fibre-1"))).refused(401, "1008");
    bed.get("/fqdn/get/all", Some(&person)).data();
    let suspend = Act::Suspend { party: "organisation:fibre".into(), reason: "unpaid".into() };
    act(&home, "vera", "test", &suspend).unwrap();
    bed.access.refresh().unwrap();
    bed.get("/fqdn/get/all", Some(&person)).refused(401, "2002");
}

#[test]
fn what_is_no_request_is_told_as_the_wire_tells_it() {
    let bed = Bed::new();
    let token = Some(bed.key("league-1"));
    bed.get("/ping", None).data();
    bed.get("/fake/route", None).refused(404, "1003");
    bed.get("/nothing", token).refused(404, "1003");
    bed.get("/account/guest/create", None).refused(405, "1004");
    bed.ask("DELETE", "/ticket/create", token, &[], b"").refused(405, "1004");
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    bed.ask("POST", "/account/guest/create", None, &form, b"name=test").refused(401, "1006");
    bed.ask("POST", "/authentication/login", None, &form, b"email=test%40fake.com")
        .refused(400, "1010");
    bed.ask("POST", "/authentication/refresh", None, &form, b"refresh_token=x")
        .refused(400, "1010");
    bed.post("/authentication/refresh", None, &json!({})).refused(401, "1007");
    bed.post("/authentication/login", None, &json!({"email": "x"})).refused(400, "1011");
    bed.post("/authentication/login", None, &json!({"email": "x", "password": "y", "z": 1}))
        .refused(400, "1012");
    bed.ask("GET", "/ticket/get/all", None, &["Authorization: Basic eDp5"], b"")
        .refused(401, "1008");
    // Who has not signed in has us hold no more than a name and a password need.
    let long = [&br#"{"email": "x", "password": "y"}"#[..], &[b' '; 9 << 10]].concat();
    bed.ask("POST", "/authentication/login", None, &[], &long).refused(400, "1010");
    let long = vec![b' '; 2 << 20];
    let answer = bed.ask("POST", "/ticket/create", token, &[], &long);
    answer.refused(400, "1010");
}

/// Where a header says that somebody is counts for nothing; the connection's own address is what is held to a quota.
#[test]
fn fault_10_a_header_says_nothing_of_where_somebody_is() {
    let bed = Bed::new();
    let ping = |n: u32| {
        let forwarded = format!("X-Forwarded-For: 198.51.100.{n}, 203.0.113.{n}");
        bed.ask("GET", "/ping", None, &[&forwarded], b"")
    };
    let last = (0..80).map(ping).last().unwrap();
    last.refused(429, "1005");
    assert!(last.head.to_lowercase().contains("retry-after: "), "{last:?}");
    // Whoever is signed in has the quota of the organisation.
    bed.get("/ticket/get/all", Some(bed.key("fibre-1"))).data();
}
