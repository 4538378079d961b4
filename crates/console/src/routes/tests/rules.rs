//! Orders, exceptions and stops by their pages: who may, who is offered it, and what follows.

use axum::http::StatusCode;
use desk::parties::{Act, PartyRole, act};
use shield::harm::Verdict;
use shield::order::words::{EventId, Organisation};
use shield::order::{Halt, Moment, Scope, Stage};

use super::Bench;
use super::house::{captured, get, item, ordered, post, reported, stage};

/// A person of an organisation in a role, signed in.
fn hired(bench: &Bench, person: &str, organisation: &str, role: PartyRole) -> String {
    let run = |what| act(&bench.home, "op", "test", &what).unwrap();
    let (person, organisation) = (person.to_owned(), organisation.to_owned());
    run(Act::Person { person: person.clone(), name: person.clone(), organisation });
    run(Act::Give { person: person.clone(), role, from: None, until: None });
    bench.app.access.refresh().unwrap();
    bench.session(&person)
}

async fn stopped(bench: &Bench, scope: Scope) -> Option<Halt> {
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let look =
        move || keeper.look(move |house| house.state().stop(&scope).map(|stop| stop.halt)).unwrap();
    tokio::task::spawn_blocking(look).await.unwrap()
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_regulator_registers_and_ends_orders_and_a_reporter_sees_its_own() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let (reg, lea) = (bench.session("regulator"), bench.session("reporter"));
    let other = Act::Organisation {
        organisation: "o-other".into(),
        name: "Other".into(),
        sector: desk::parties::Sector::RightsHolder,
    };
    act(&bench.home, "op", "test", &other).unwrap();
    bench.app.access.refresh().unwrap();
    let form = |until| {
        [
            ("order", "9/26"),
            ("reporter", "o-other"),
            ("rights", "coppa\n\n serie-b \n"),
            ("from", ""),
            ("until", until),
        ]
    };
    // What cannot be read is said, and what was written is not lost.
    let (status, page) = post(&mut bench, Some(&reg), "/orders/give", &form("next year")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("in UTC") && page.contains("o-other · coppa"), "{page}");
    let (status, to) =
        post(&mut bench, Some(&reg), "/orders/give", &form("2999-01-02T03:04")).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/orders"));
    let (_, page) = get(&mut bench, Some(&reg), "/orders").await;
    for shown in ["2 orders hold", "9/26", "coppa", "serie-b", "2999-01-02", "03:04", "o-reporter"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // A reporter sees the order that is bound to it, and no form; nor may it.
    let (status, page) = get(&mut bench, Some(&lea), "/orders").await;
    assert!(status == StatusCode::OK && page.contains("7/26"), "{page}");
    assert!(!page.contains("9/26") && !page.contains("action=\"/orders/"), "{page}");
    for path in ["/orders/give", "/orders/end"] {
        let (status, _) = post(&mut bench, Some(&lea), path, &form("2999-01-02T03:04")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
    let isp = bench.session("isp");
    assert_eq!(get(&mut bench, Some(&isp), "/orders").await.0, StatusCode::FORBIDDEN);
    // Its end needs a reason, and lifts what rests on it: the one in force and the one that waits.
    let end = |grounds| [("order", "7/26"), ("grounds", grounds)];
    let (status, _) = post(&mut bench, Some(&reg), "/orders/end", &end(" ")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    let (status, _) = post(&mut bench, Some(&reg), "/orders/end", &end("set aside")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    assert_eq!(stage(&bench, item(1)).await, Stage::Ended);
    let (_, page) = get(&mut bench, Some(&reg), "/orders").await;
    assert!(page.contains("1 order holds") && page.contains("is-unread"), "{page}");
}

/// An order whose items are more than are lifted at a time ends by one form: the house carries it on by itself, and
/// pages say how many are left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_with_many_items_ends_whole() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let (reg, lea) = (bench.session("regulator"), bench.session("reporter"));
    for ticket in 0..3 {
        let items: Vec<String> = (0..700).map(|n| format!("n{n}.t{ticket}.test")).collect();
        let items = items.join("\n");
        let form = [("under", "event:final"), ("items", items.as_str())];
        let (status, _) = post(&mut bench, Some(&lea), "/report", &form).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
    }
    let form = [("order", "7/26"), ("grounds", "set aside")];
    let (status, page) = post(&mut bench, Some(&reg), "/orders/end", &form).await;
    assert!(
        status == StatusCode::OK && page.contains("1\u{202f}100 items live under it"),
        "{page}"
    );
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let live = move || {
        let left = || keeper.look(|house| house.state().items().count()).unwrap();
        (0..6_000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(10));
            left() == 0
        })
    };
    assert!(tokio::task::spawn_blocking(live).await.unwrap(), "some are left");
    let (_, page) = get(&mut bench, Some(&reg), "/orders").await;
    assert!(!page.contains("left to lift") && !page.contains("action=\"/orders/end\""), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_is_proposed_approved_by_another_and_says_what_it_lifted() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let (isp, ray) = (bench.session("isp"), bench.session("reviewer"));
    let form = |cover| {
        [("cover", cover), ("until", "2999-01-01T00:00"), ("grounds", "our own <b>service</b>")]
    };
    for bad in ["*", "http://x.test", "203.0.113.0/99"] {
        let (status, page) = post(&mut bench, Some(&isp), "/exceptions/propose", &form(bad)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        assert!(page.contains("no name and no network"), "{bad}: {page}");
    }
    // As wide as half the internet: the machine's own refusal.
    let wide = post(&mut bench, Some(&isp), "/exceptions/propose", &form("0.0.0.0/1")).await;
    assert_eq!(wide.0, StatusCode::CONFLICT);
    let (status, to) =
        post(&mut bench, Some(&isp), "/exceptions/propose", &form("*.example.test")).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/exceptions"));
    // It does nothing yet, and nobody of its own organisation is offered to approve it.
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    let offers = |page: &str| page.contains("action=\"/exceptions/approve\"");
    let (status, page) = get(&mut bench, Some(&isp), "/exceptions").await;
    assert!(
        status == StatusCode::OK && page.contains("*.example.test") && !offers(&page),
        "{page}"
    );
    assert!(!page.contains("href=\"/log/"), "the log is not an ISP's to read: {page}");
    let leo = hired(&bench, "leo", "o-isp", PartyRole::Reviewer);
    let (_, page) = get(&mut bench, Some(&leo), "/exceptions").await;
    assert!(page.contains("*.example.test") && !offers(&page), "{page}");
    let approve = [("cover", "*.example.test")];
    let (status, page) = post(&mut bench, Some(&leo), "/exceptions/approve", &approve).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("A second person has to agree"), "{page}");
    let (status, _) = post(&mut bench, Some(&isp), "/exceptions/approve", &approve).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Who reports sees nothing of another's proposal.
    let lea = bench.session("reporter");
    let (_, page) = get(&mut bench, Some(&lea), "/exceptions").await;
    assert!(!page.contains("*.example.test"), "{page}");
    let (_, page) = get(&mut bench, Some(&ray), "/exceptions").await;
    assert!(offers(&page) && page.contains("1 exception waits"), "{page}");
    let (status, _) = post(&mut bench, Some(&ray), "/exceptions/approve", &approve).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    assert_ne!(stage(&bench, item(1)).await, Stage::Ended);
    let (_, page) = get(&mut bench, Some(&ray), "/exceptions").await;
    for shown in
        ["0 exceptions wait", "o-isp", "our own &lt;b&gt;", "o-reviewer", "1 item<", "0/0", "/log/"]
    {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let index = page.split("href=\"/log/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (_, page) = get(&mut bench, Some(&ray), &format!("/log/{index}")).await;
    assert!(page.contains("*.example.test") && !page.contains("Below("), "{page}");
    // One that holds is ended by a reviewer, with a reason, and stands among those that were.
    let revoke = |grounds| [("cover", "*.example.test"), ("grounds", grounds)];
    let (status, _) = post(&mut bench, Some(&ray), "/exceptions/revoke", &revoke("")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = post(&mut bench, Some(&isp), "/exceptions/revoke", &revoke("sold")).await;
    assert_eq!(status, StatusCode::CONFLICT, "who proposed it ends none that holds");
    let (status, _) = post(&mut bench, Some(&ray), "/exceptions/revoke", &revoke("sold")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = get(&mut bench, Some(&ray), "/exceptions").await;
    assert!(page.contains("No exception is proposed") && page.contains("sold"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_scope_is_stopped_by_its_form_and_two_persons_resume() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let (reg, ray) = (bench.session("regulator"), bench.session("reviewer"));
    let (_, page) = get(&mut bench, Some(&reg), "/stops").await;
    for of in ["all", "reporter", "event", "ticket", "isp"] {
        assert!(page.contains(&format!("name=\"of\" value=\"{of}\"")), "{of}: {page}");
    }
    for offered in ["o-reporter", "o-isp", "final"] {
        assert!(page.contains(&format!("<option value=\"{offered}\"")), "{offered}: {page}");
    }
    let form = |of, name, grounds| {
        [("of", of), ("name", name), ("halt", "lifts"), ("grounds", grounds), ("back", "/stops")]
    };
    let many = [
        ("ticket", "0"),
        ("event", "final"),
        ("reporter", "o-reporter"),
        ("isp", "o-isp"),
        ("all", ""),
    ];
    for (of, name) in many {
        let text = if of == "all" { "all".to_owned() } else { format!("{of}:{name}") };
        let (status, _) = post(&mut bench, Some(&reg), "/stop", &form(of, name, "")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{of}: without a reason");
        assert_eq!(stopped(&bench, scope(&text)).await, None);
        let (status, to) =
            post(&mut bench, Some(&reg), "/stop", &form(of, name, "a hospital")).await;
        assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/stops"), "{of}");
        assert_eq!(stopped(&bench, scope(&text)).await, Some(Halt::Lifts), "{of}");
        let back = [("scope", text.as_str()), ("grounds", "mended"), ("back", "/stops")];
        let (status, _) = post(&mut bench, Some(&reg), "/resume", &back).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{of}");
        assert_eq!(stopped(&bench, scope(&text)).await, Some(Halt::Lifts), "{of}: by one alone");
        let (_, page) = get(&mut bench, Some(&reg), "/stops").await;
        assert!(
            !page.contains("action=\"/resume\""),
            "{of}: the first is offered to be the second"
        );
        let (_, page) = get(&mut bench, Some(&ray), "/stops").await;
        assert!(page.contains("action=\"/resume\"") && page.contains("a hospital"), "{of}: {page}");
        let (status, _) = post(&mut bench, Some(&ray), "/resume", &back).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{of}");
        assert_eq!(stopped(&bench, scope(&text)).await, None, "{of}");
    }
    // A slip of the pen is no stop.
    for (of, name) in [("ticket", "x"), ("ticket", "99"), ("event", "finale"), ("isp", "o-isq")] {
        let (status, page) = post(&mut bench, Some(&reg), "/stop", &form(of, name, "a slip")).await;
        assert!(status.is_client_error() && page.contains("a slip"), "{of} {name}: {status}");
    }
    let (_, page) = get(&mut bench, Some(&reg), "/stops").await;
    assert!(page.contains("Nothing is stopped"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_stopped_stops_its_own_and_hears_of_no_others() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    let (lea, isp) = (bench.session("reporter"), bench.session("isp"));
    let form = |of, name| {
        [
            ("of", of),
            ("name", name),
            ("halt", "lifts"),
            ("grounds", "our own slip"),
            ("back", "/stops"),
        ]
    };
    let (_, page) = get(&mut bench, Some(&lea), "/stops").await;
    assert!(page.contains("value=\"o-reporter\"") && !page.contains("value=\"isp\""), "{page}");
    assert!(!page.contains("value=\"all\""), "{page}");
    let (status, _) = post(&mut bench, Some(&lea), "/stop", &form("event", "final")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (status, _) = post(&mut bench, Some(&lea), "/stop", &form("isp", "o-isp")).await;
    assert_eq!(status, StatusCode::CONFLICT, "another's");
    let (_, page) = get(&mut bench, Some(&lea), "/stops").await;
    assert!(page.contains("our own slip") && !page.contains("action=\"/resume\""), "{page}");
    // The ISP hears nothing of it, lifts what it gets itself, and is one of the two who resume that.
    let (_, page) = get(&mut bench, Some(&isp), "/stops").await;
    assert!(page.contains("Nothing is stopped") && page.contains("value=\"o-isp\""), "{page}");
    assert!(!page.contains("value=\"reporter\"") && !page.contains("our own slip"), "{page}");
    let (status, _) = post(&mut bench, Some(&isp), "/stop", &form("isp", "o-isp")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = get(&mut bench, Some(&isp), "/stops").await;
    assert!(page.contains("action=\"/resume\""), "{page}");
    let form = [("scope", "isp:o-isp"), ("grounds", "mended"), ("back", "/stops")];
    assert_eq!(post(&mut bench, Some(&isp), "/resume", &form).await.0, StatusCode::SEE_OTHER);
    let isp_scope = Scope::Isp(Organisation::new("o-isp").unwrap());
    assert!(stopped(&bench, isp_scope.clone()).await.is_some());
    let ray = bench.session("reviewer");
    assert_eq!(post(&mut bench, Some(&ray), "/resume", &form).await.0, StatusCode::SEE_OTHER);
    assert_eq!(stopped(&bench, isp_scope).await, None);
    let event = Scope::Event(EventId::new("final").unwrap());
    assert!(stopped(&bench, event).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_regulator_suspends_a_reporter_among_the_parties_and_two_reinstate_it() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let (reg, lea) = (bench.session("regulator"), bench.session("reporter"));
    let of = Scope::Reporter(Organisation::new("o-reporter").unwrap());
    let (_, page) = get(&mut bench, Some(&reg), "/parties").await;
    assert!(
        page.contains("value=\"reporter:o-reporter\"") && page.contains("may report"),
        "{page}"
    );
    // No other organisation reports: there is nothing to suspend.
    assert!(!page.contains("reporter:o-isp"), "{page}");
    let auditor = bench.session("auditor");
    let (_, page) = get(&mut bench, Some(&auditor), "/parties").await;
    assert!(page.contains("may report") && !page.contains("action=\"/stop\""), "{page}");
    let form = [
        ("scope", "reporter:o-reporter"),
        ("halt", "releases"),
        ("grounds", "errs far too often"),
        ("back", "/parties"),
    ];
    let (status, to) = post(&mut bench, Some(&reg), "/stop", &form).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/parties"));
    let (_, page) = get(&mut bench, Some(&reg), "/parties").await;
    for shown in ["errs far too often", "its blocks stay", "action=\"/resume\""] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let report = [("under", "event:final"), ("items", "a.stream.test")];
    let (status, page) = post(&mut bench, Some(&lea), "/report", &report).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("suspended"), "{page}");
    let form = [("scope", "reporter:o-reporter"), ("grounds", "trained"), ("back", "/parties")];
    post(&mut bench, Some(&reg), "/resume", &form).await;
    assert_eq!(stopped(&bench, of.clone()).await, Some(Halt::Releases));
    let op = bench.session("op");
    let (_, page) = get(&mut bench, Some(&op), "/parties").await;
    assert!(page.contains("action=\"/resume\"") && page.contains("regulator of"), "{page}");
    post(&mut bench, Some(&op), "/resume", &form).await;
    assert_eq!(stopped(&bench, of).await, None);
    let (status, _) = post(&mut bench, Some(&lea), "/report", &report).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reporter_announces_an_event_carries_it_on_and_ends_it() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let (lea, reg) = (bench.session("reporter"), bench.session("regulator"));
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let look = move || keeper.look(|house| house.now()).unwrap();
    let now = tokio::task::spawn_blocking(look).await.unwrap();
    let field = |after: u64| {
        crate::fmt::moment_ms(now.plus(after).0).replace(' ', "T").get(..16).unwrap().to_owned()
    };
    let (until, later) = (field(2 * 3_600_000), field(3 * 3_600_000));
    let form = |works, until| {
        [
            ("event", "semi <b>final</b>"),
            ("order", "7/26"),
            ("from", ""),
            ("until", until),
            ("works", works),
            ("channels", "Sport 2\nSport 1\nSport 2"),
        ]
    };
    let (status, page) = get(&mut bench, Some(&lea), "/live").await;
    assert!(status == StatusCode::OK && page.contains("action=\"/events/announce\""), "{page}");
    // Works are the order's; what was written is not lost.
    let (status, page) =
        post(&mut bench, Some(&lea), "/events/announce", &form("coppa", &until)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("Sport 2, Sport 1") && page.contains("semi &lt;b&gt;"), "{page}");
    let (status, to) =
        post(&mut bench, Some(&lea), "/events/announce", &form("serie-a", &until)).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/live"));
    let (_, page) = get(&mut bench, Some(&lea), "/live").await;
    for shown in ["semi &lt;b&gt;", "Sport 1", "Sport 2", "serie-a"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let name = "semi <b>final</b>";
    let report =
        [("under", "event:semi <b>final</b>"), ("items", "one.example.test\nb.stream.test")];
    assert_eq!(post(&mut bench, Some(&lea), "/report", &report).await.0, StatusCode::SEE_OTHER);
    captured(&bench, item(0), Verdict::Allow).await;
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    // Overtime; an end before the one that stands is none.
    let carry = |until| [("event", name), ("until", until)];
    let earlier = field(60_000);
    let (status, _) = post(&mut bench, Some(&lea), "/events/extend", &carry(&earlier)).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = post(&mut bench, Some(&lea), "/events/extend", &carry(&later)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = get(&mut bench, Some(&reg), "/live").await;
    assert!(page.contains(&later.replace('T', " ")) || page.contains(&later), "{later}: {page}");
    // Another organisation that reports neither sees it nor ends it; nor does who only reads.
    let other = Act::Organisation {
        organisation: "o-other".into(),
        name: "Other".into(),
        sector: desk::parties::Sector::RightsHolder,
    };
    act(&bench.home, "op", "test", &other).unwrap();
    let eve = hired(&bench, "eve", "o-other", PartyRole::Reporter);
    let (_, page) = get(&mut bench, Some(&eve), "/live").await;
    assert!(!page.contains("Sport 1") && !page.contains("action=\"/events/end\""), "{page}");
    let end = |grounds| [("event", name), ("grounds", grounds)];
    let (status, _) = post(&mut bench, Some(&eve), "/events/end", &end("not ours")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let auditor = bench.session("auditor");
    let (status, _) = post(&mut bench, Some(&auditor), "/events/end", &end("no")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Its end needs a reason, and lifts what rests on it.
    let (status, _) = post(&mut bench, Some(&lea), "/events/end", &end("")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    let (status, _) = post(&mut bench, Some(&lea), "/events/end", &end("called off")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    assert_eq!(stage(&bench, item(1)).await, Stage::Ended);
    let (status, _) = post(&mut bench, Some(&lea), "/report", &report).await;
    assert_eq!(status, StatusCode::CONFLICT);
    // Who gives orders announces under any.
    let (_, page) = get(&mut bench, Some(&reg), "/live").await;
    assert!(page.contains("action=\"/events/announce\"") && !page.contains("Sport 1"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_orders_publishes_months_that_are_over_and_nobody_else_does() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    let (reg, ray) = (bench.session("regulator"), bench.session("reviewer"));
    let (status, page) = get(&mut bench, None, "/transparency").await;
    assert!(status == StatusCode::OK && page.contains("Nothing is published yet"), "{page}");
    let (_, page) = get(&mut bench, None, "/blocked").await;
    assert!(page.contains("href=\"/transparency\""), "{page}");
    let (_, page) = get(&mut bench, Some(&ray), "/statistics").await;
    assert!(!page.contains("action=\"/statistics/publish\""), "{page}");
    let form = |month, grounds| [("month", month), ("grounds", grounds)];
    let publish = "/statistics/publish";
    let (status, _) = post(&mut bench, Some(&ray), publish, &form("202401", "as each")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    // Nor is a month that runs, or none at all, or one without a reason.
    for (month, grounds) in [("299901", "as each"), ("x", "as each"), ("202401", " ")] {
        let (status, _) = post(&mut bench, Some(&reg), publish, &form(month, grounds)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{month}");
    }
    let (status, page) = post(&mut bench, Some(&reg), publish, &form("202413", "a slip")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("202413"), "{page}");
    let (status, to) = post(&mut bench, Some(&reg), publish, &form("202401", "as each")).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/statistics"));
    let (_, page) = get(&mut bench, Some(&reg), "/statistics").await;
    assert!(page.contains("Published up to 2024-01"), "{page}");
    // Nothing of the month that runs is there, nor whose it is.
    for path in ["/transparency", "/transparency.csv"] {
        let (status, page) = get(&mut bench, None, path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!page.contains("o-reporter") && !page.contains("example.test"), "{page}");
    }
    let (_, csv) = get(&mut bench, None, "/transparency.csv").await;
    assert_eq!(csv.lines().count(), 1, "{csv}");
}

/// Anybody may ask for what is published, as often as they like: the house is asked once for all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_at_what_is_published_asks_the_house_once() {
    let mut bench = Bench::house();
    let before = bench.app.clearing().unwrap().asked_for_published();
    for path in ["/transparency", "/transparency.csv"].repeat(50) {
        let (status, _) = get(&mut bench, None, path).await;
        assert_eq!(status, StatusCode::OK);
    }
    assert_eq!((before, bench.app.clearing().unwrap().asked_for_published()), (0, 1));
    // What is published anew is shown at once.
    let reg = bench.session("regulator");
    let form = [("month", "202401"), ("grounds", "as each")];
    post(&mut bench, Some(&reg), "/statistics/publish", &form).await;
    get(&mut bench, None, "/transparency").await;
    assert_eq!(bench.app.clearing().unwrap().asked_for_published(), 2);
}

/// What was done is never said not to have been, though there is more of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_is_said_with_what_was_done() {
    use axum::body::to_bytes;
    use axum::http::HeaderMap;
    use desk::clearing::Done;

    use crate::app::Ctx;
    use crate::house::acts::went;

    let bench = Bench::house();
    let ctx = Ctx::of(&HeaderMap::new(), "/orders", "", Vec::new());
    let page = async |left, alone| {
        let done = Done { at: Moment(1), steps: Vec::new(), record: None, alone, left };
        let answer = went(&bench.app, &ctx, &done, "/orders").await;
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    };
    let (status, left) = page(3_000, false).await;
    assert_eq!(status, StatusCode::OK);
    assert!(left.contains("3\u{202f}000 items live under it yet"), "{left}");
    assert!(!left.contains("one machine"), "{left}");
    assert_eq!(page(0, false).await.0, StatusCode::SEE_OTHER);
}
