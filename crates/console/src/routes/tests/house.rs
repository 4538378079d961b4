//! The clearing house by its pages: who reports, who is a second person, what anybody may know.

use std::sync::Mutex;

use axum::http::{Method, StatusCode};
use desk::clearing::Ask;
use http_body_util::BodyExt;
use model::ExhibitId;
use shield::harm::Verdict;
use shield::order::command::{Event, Order};
use shield::order::turn::Outcome;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Person, Right};
use shield::order::{
    Actor, Capture, Command, Halt, ItemId, Moment, Role, Scope, Seen, Stage, TicketId,
};

use super::{Bench, HERE};

const HOUR: u64 = 3_600_000;

pub(super) fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let organisation = Organisation::new(organisation).unwrap();
    Actor { person: Person::new(person).unwrap(), organisation, role }
}

pub(super) async fn does(bench: &Bench, actor: Actor, command: Command) {
    let clearing = bench.app.clearing().unwrap().keeper.clone();
    let done = tokio::task::spawn_blocking(move || clearing.act(Ask { actor, command }));
    done.await.unwrap().unwrap().unwrap();
}

pub(super) async fn stage(bench: &Bench, item: ItemId) -> Stage {
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let look = move || {
        keeper.look(move |house| {
            house.state().item(item).map_or(Stage::Ended, |live| live.machine.stage())
        })
    };
    tokio::task::spawn_blocking(look).await.unwrap().unwrap()
}

/// A page as somebody sees it.
pub(super) async fn get(bench: &mut Bench, who: Option<&str>, path: &str) -> (StatusCode, String) {
    let header = who.and_then(|token| bench.cookie(token));
    let answer = bench.ask(Method::GET, path, header.as_ref(), None, "").await;
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

pub(super) async fn post(
    bench: &mut Bench,
    who: Option<&str>,
    path: &str,
    form: &[(&str, &str)],
) -> (StatusCode, String) {
    let header = who.and_then(|token| bench.cookie(token));
    let body = crate::query::url("", form.iter().copied());
    let body = body.trim_start_matches('?');
    let answer = bench.ask(Method::POST, path, header.as_ref(), Some(HERE), body).await;
    let status = answer.status();
    let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, to.unwrap_or_else(|| String::from_utf8_lossy(&body).into_owned()))
}

/// An order and an event of the reporter's organisation.
pub(super) async fn ordered(bench: &Bench) {
    let authority = || actor("op", "o-operator", Role::Authority);
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let now = tokio::task::spawn_blocking(move || keeper.look(|house| house.now()));
    let now: Moment = now.await.unwrap().unwrap();
    let (order, event) = (OrderId::new("7/26").unwrap(), EventId::new("final").unwrap());
    let given = Order {
        id: order.clone(),
        reporter: Organisation::new("o-reporter").unwrap(),
        rights: [Right::new("serie-a").unwrap()].into(),
        from: now.minus(HOUR),
        until: now.plus(30 * HOUR),
    };
    does(bench, authority(), Command::GiveOrder(given)).await;
    let event = Event::new(event, order, now, now.plus(2 * HOUR));
    does(bench, authority(), Command::Announce(event)).await;
}

/// The same, and a ticket.
pub(super) async fn reported(bench: &mut Bench) {
    ordered(bench).await;
    let lea = bench.session("reporter");
    let form = [("under", "event:final"), ("items", "one.example.test\nb.stream.test")];
    let (status, to) = post(bench, Some(&lea), "/report", &form).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/tickets/0?taken=1"));
}

pub(super) async fn captured(bench: &Bench, item: ItemId, verdict: Verdict) -> ExhibitId {
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let look = move || {
        keeper.look(move |house| {
            (
                (*house.state().item(item).unwrap().value).clone(),
                house.now(),
                house.itself().clone(),
            )
        })
    };
    let (value, taken, itself) = tokio::task::spawn_blocking(look).await.unwrap().unwrap();
    let exhibit = ExhibitId([item.place() as u8 + 1; 32]);
    let capture = Capture { value, exhibit, taken, seen: Seen::Works };
    let probe = actor("probe-1", "authority", Role::Probe);
    does(bench, probe, Command::Capture { item, capture }).await;
    let outcome = Outcome { verdict, code: None, grave: false, system: None };
    does(bench, itself, Command::Check { item, outcome }).await;
    exhibit
}

pub(super) fn item(place: u16) -> ItemId {
    ItemId::new(TicketId(0), place)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_pasted_is_lost_and_each_line_is_told_why() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let lea = bench.session("reporter");
    let form = [("under", "event:final"), ("items", "*.wild.test\na_b.test\nnot a name")];
    let (status, page) = post(&mut bench, Some(&lea), "/report", &form).await;
    assert_eq!(status, StatusCode::CONFLICT);
    for shown in ["*.wild.test\na_b.test\nnot a name", "A wildcard would block names"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // A work that is none is told, and not left out: the report would be for all of the order's.
    let long = "w".repeat(300);
    let form = [("under", "event:final"), ("items", "a.stream.test"), ("works", long.as_str())];
    let (status, page) = post(&mut bench, Some(&lea), "/report", &form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["a.stream.test", &long, "does not name one of these works"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    // Some lines that hold, some that do not.
    let form = [("under", "event:final"), ("items", "a.stream.test\nA.stream.test\n*.wild.test")];
    let (status, to) = post(&mut bench, Some(&lea), "/report", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let (_, page) = get(&mut bench, Some(&lea), &to).await;
    assert!(page.contains("The same value stands in line 1."), "{page}");
    assert!(page.contains("A wildcard would block names"), "{page}");
    // Another's order is not reported under, and nothing of it is told.
    let isp = bench.session("isp");
    let (status, _) = post(&mut bench, Some(&isp), "/report", &form).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_person_is_of_another_organisation_and_nobody_else_is_offered_it() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    let exhibit = captured(&bench, item(0), Verdict::TwoPersons).await.to_string();
    assert_eq!(stage(&bench, item(0)).await, Stage::Held);
    let (lea, ray) = (bench.session("reporter"), bench.session("reviewer"));
    let form = [("item", "0/0"), ("capture", exhibit.as_str()), ("back", "/tickets/0")];
    let offers = |page: &str| page.contains("action=\"/items/approve\"");
    let (_, page) = get(&mut bench, Some(&lea), "/tickets/0").await;
    assert!(!offers(&page), "offered to its reporter");
    assert_eq!(
        post(&mut bench, Some(&lea), "/items/approve", &form).await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(stage(&bench, item(0)).await, Stage::Held);
    // A reviewer of the reporter's own organisation: not offered, and refused all the same.
    let act = |what| desk::parties::act(&bench.home, "op", "test", &what).unwrap();
    act(desk::parties::Act::Person {
        person: "leo".into(),
        name: "Leo".into(),
        organisation: "o-reporter".into(),
    });
    act(desk::parties::Act::Give {
        person: "leo".into(),
        role: desk::parties::PartyRole::Reviewer,
        from: None,
        until: None,
    });
    bench.app.access.refresh().unwrap();
    let leo = bench.session("leo");
    let (_, page) = get(&mut bench, Some(&leo), "/live").await;
    assert!(page.contains("one.example.test") && !offers(&page));
    let (status, page) = post(&mut bench, Some(&leo), "/items/approve", &form).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("A second person has to agree"), "{page}");
    assert_eq!(stage(&bench, item(0)).await, Stage::Held);
    // One of another organisation.
    let (_, page) = get(&mut bench, Some(&ray), "/tickets/0").await;
    assert!(offers(&page));
    let (status, to) = post(&mut bench, Some(&ray), "/items/approve", &form).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/tickets/0"));
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    // What was decided stands on the ticket's page with its record, and the record with who decided.
    let (_, page) = get(&mut bench, Some(&ray), "/tickets/0").await;
    assert!(page.contains("Approved") && page.contains("href=\"/log/"), "{page}");
    let index = page.split("href=\"/log/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (status, page) = get(&mut bench, Some(&ray), &format!("/log/{index}")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("reviewer · <bdi>o-reviewer") || page.contains("o-reviewer"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lift_needs_a_reason_and_is_on_every_page_at_once() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let lea = bench.session("reporter");
    let (_, page) = get(&mut bench, Some(&lea), "/live").await;
    for shown in ["1 item in force", "data-key=\"l\"", "Others hit: unknown"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let (status, page) = get(&mut bench, None, "/blocked?q=one.example.test").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("one.example.test is blocked") && page.contains("7/26"), "{page}");
    assert!(!page.contains("o-reporter"), "the public is told who reported");
    let (_, other) = get(&mut bench, None, "/blocked?q=b.stream.test").await;
    assert!(other.contains("b.stream.test is not blocked"), "what waits is not told of");
    let ray = bench.session("reviewer");
    let form = [("item", "0/0"), ("grounds", " "), ("back", "/live")];
    let (status, _) = post(&mut bench, Some(&ray), "/items/lift", &form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    // So does its reporter where it hit others.
    let grave = [("item", "0/0"), ("grounds", " "), ("collateral", "grave"), ("back", "/live")];
    let (status, _) = post(&mut bench, Some(&lea), "/items/lift", &grave).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stage(&bench, item(0)).await, Stage::InForce);
    let form = [("item", "0/0"), ("grounds", "the stream is gone"), ("back", "/live")];
    let (status, to) = post(&mut bench, Some(&lea), "/items/lift", &form).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/live"));
    let (_, page) = get(&mut bench, None, "/blocked?q=one.example.test").await;
    assert!(page.contains("one.example.test is not blocked"), "{page}");
    let (_, page) = get(&mut bench, Some(&lea), "/tickets/0").await;
    assert!(page.contains("the stream is gone") && page.contains("one.example.test"), "{page}");
    // The log is not a reporter's to read: no way leads there.
    assert!(!page.contains("href=\"/log/"), "{page}");
    // A reporter sees no other's figures.
    let (status, _) = get(&mut bench, Some(&lea), "/statistics").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let auditor = bench.session("auditor");
    let (_, csv) = get(&mut bench, Some(&auditor), "/statistics.csv").await;
    for line in
        ["all,\"\",released,1", "lifted,\"withdrawn\",items,1", "time,\"objection\",p50_ms,\r\n"]
    {
        assert!(csv.contains(line), "{line}: {csv}");
    }
}

/// The texts that the resolver of these tests shows, each at any name that begins as it says.
static TEXTS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// A resolver that shows [`TEXTS`], and knows no address.
pub(super) fn texts() -> std::net::SocketAddr {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut query = [0; 1024];
        while let Ok((_, from)) = socket.recv_from(&mut query) {
            let (mut end, mut name) = (12, String::new());
            while query[end] != 0 {
                let next = end + 1 + usize::from(query[end]);
                name.push_str(std::str::from_utf8(&query[end + 1..next]).unwrap());
                name.push('.');
                end = next;
            }
            let texts = TEXTS.lock().unwrap();
            let of =
                texts.iter().filter(|(at, _)| name == format!("{at}.") && query[end + 2] == 16);
            let shown: Vec<&str> = of.map(|(_, text)| text.as_str()).collect();
            let mut reply = query[..end + 5].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80]);
            reply[4..12].copy_from_slice(&[0, 1, 0, shown.len() as u8, 0, 0, 0, 0]);
            for text in shown {
                let length = text.len() as u8;
                reply.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0, 0, length + 1, length]);
                reply.extend(text.bytes());
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    at
}

/// What was given to show, as the page says it.
fn token(page: &str) -> String {
    let field = page.split("name=\"token\" value=\"").nth(1).unwrap();
    field.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anybody_objects_so_often_an_hour_and_a_reviewer_decides() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    // Nothing is kept of an objection to what is not blocked.
    let form = [("q", "b.stream.test"), ("statement", "It is ours.")];
    let (status, page) = post(&mut bench, None, "/objection", &form).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("It is ours."), "what was written is lost");
    // Control comes first. Words alone are nothing that is kept, and nothing that a reviewer sees.
    let mut tokens = Vec::new();
    for n in 0..5 {
        let words = format!("It is ours, {n} times. <b>write to owner@example</b>");
        let form = [("q", "one.example.test"), ("statement", words.as_str())];
        let (status, page) = post(&mut bench, None, "/objection", &form).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let whole = page.replace("<wbr>", "");
        assert!(whole.contains("_vigie-challenge.one.example.test"), "{page}");
        assert!(page.contains("/harm?q=one.example.test"), "{page}");
        tokens.push((words, token(&page)));
    }
    let ray = bench.session("reviewer");
    let (_, page) = get(&mut bench, Some(&ray), "/objections").await;
    assert!(page.contains("No objection waits"), "{page}");
    let (words, given) = tokens[0].clone();
    let form = [("q", "one.example.test"), ("statement", &*words), ("token", &*given)];
    let (status, page) = post(&mut bench, None, "/objection", &form).await;
    assert_eq!(status, StatusCode::CONFLICT);
    // It says what was found, keeps what was written, and the same text serves again.
    assert!(page.contains("nothing stands there yet"), "{page}");
    assert_eq!(token(&page), given);
    let form = [("q", "one.example.test"), ("statement", "other words"), ("token", &*given)];
    let (status, page) = post(&mut bench, None, "/objection", &form).await;
    assert_eq!((status, token(&page).as_str()), (StatusCode::CONFLICT, ""));
    let place = "_vigie-challenge.one.example.test".to_owned();
    let shown = tokens.iter().map(|(_, token)| (place.clone(), token.clone()));
    TEXTS.lock().unwrap().extend(shown);
    for (n, (words, given)) in (2..).zip(tokens.iter().cycle().take(9)) {
        let form = [("q", "one.example.test"), ("statement", &**words), ("token", &**given)];
        let (status, page) = post(&mut bench, None, "/objection", &form).await;
        let wanted = match n {
            2..7 => StatusCode::OK,
            // The same proof again opens no second clock.
            7..10 => StatusCode::CONFLICT,
            _ => StatusCode::TOO_MANY_REQUESTS,
        };
        assert_eq!(status, wanted, "{n}: {page}");
    }
    let (_, page) = get(&mut bench, Some(&ray), "/objections").await;
    assert!(page.contains("5 objections wait"), "{page}");
    let proof =
        page.split("name=\"proof\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let (_, words) = get(&mut bench, Some(&ray), &format!("/evidence/{proof}")).await;
    assert!(words.contains("It is ours") && !words.contains("<b>"), "{words}");
    let form = [
        ("item", "0/0"),
        ("proof", proof.as_str()),
        ("upheld", "item"),
        ("grounds", "it is theirs"),
        ("back", "/objections"),
    ];
    let (status, _) = post(&mut bench, Some(&ray), "/objections/decide", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    // Of what is not in force there is nothing to report.
    let (status, page) = post(&mut bench, None, "/harm", &[("q", "b.stream.test")]).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
}

/// Every file below a folder.
fn files(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reported_it_takes_it_back_without_a_reason() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let lea = bench.session("reporter");
    let form = [("item", "0/0"), ("back", "/live")];
    let (status, to) = post(&mut bench, Some(&lea), "/items/lift", &form).await;
    assert_eq!((status, to.as_str()), (StatusCode::SEE_OTHER, "/live"));
    assert_eq!(stage(&bench, item(0)).await, Stage::Ended);
    let (_, page) = get(&mut bench, Some(&lea), "/tickets/0").await;
    assert!(page.contains("taken back by its reporter"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harm_is_reported_without_an_account_and_nobodys_address_is_kept() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(1), Verdict::Allow).await;
    assert_eq!(stage(&bench, item(1)).await, Stage::InForce);
    let marker: std::net::IpAddr = [203, 0, 113, 77].into();
    let body = crate::query::url("", [("q", "b.stream.test")]).trim_start_matches('?').to_owned();
    let answer = bench.ask(Method::POST, "/harm", None, Some(marker), &body).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let look = move || {
        keeper.look(|house| (house.tally().harm_reports, house.case().dir().to_owned())).unwrap()
    };
    let (reports, dir) = tokio::task::spawn_blocking(look).await.unwrap();
    assert_eq!(reports, 1);
    let all = [files(&dir), files(&bench.home)].concat();
    let holds = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
    let mut told = false;
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        told |= holds(&bytes, b"harm_reported");
        for written in [&b"203.0.113."[..], &[203, 0, 113, 77]] {
            assert!(!holds(&bytes, written), "{} holds it", path.display());
        }
    }
    assert!(told, "the report itself is on record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_stops_at_once_and_two_persons_resume() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let (reg, ray) = (bench.session("regulator"), bench.session("reviewer"));
    let form = [
        ("scope", "all"),
        ("halt", "lifts"),
        ("grounds", "a hospital is blocked"),
        ("back", "/live"),
    ];
    let (status, _) = post(&mut bench, Some(&reg), "/stop", &form).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let stopped = |bench: &Bench| {
        let keeper = bench.app.clearing().unwrap().keeper.clone();
        move || keeper.look(|house| house.state().stop(&Scope::All).map(|stop| stop.halt)).unwrap()
    };
    assert_eq!(tokio::task::spawn_blocking(stopped(&bench)).await.unwrap(), Some(Halt::Lifts));
    let (_, page) = get(&mut bench, None, "/blocked?q=one.example.test").await;
    assert!(page.contains("under a block that is stopped"), "{page}");
    let form = [("scope", "all"), ("grounds", "mended"), ("back", "/live")];
    post(&mut bench, Some(&reg), "/resume", &form).await;
    let (_, page) = get(&mut bench, Some(&reg), "/live").await;
    assert!(!page.contains("action=\"/resume\""), "the first is offered to be the second");
    assert_eq!(tokio::task::spawn_blocking(stopped(&bench)).await.unwrap(), Some(Halt::Lifts));
    let (_, page) = get(&mut bench, Some(&ray), "/live").await;
    assert!(
        page.contains("action=\"/resume\"") && page.contains("a hospital is blocked"),
        "{page}"
    );
    post(&mut bench, Some(&ray), "/resume", &form).await;
    assert_eq!(tokio::task::spawn_blocking(stopped(&bench)).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_says_what_is_old_and_writes_nothing() {
    let mut bench = Bench::house();
    let ray = bench.session("reviewer");
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let len = move || keeper.look(|house| house.case().len()).unwrap();
    let before = tokio::task::spawn_blocking(len.clone()).await.unwrap();
    let form = [("q", "co.uk\n192.0.2.1\na.stream.test")];
    let (status, page) = post(&mut bench, Some(&ray), "/check", &form).await;
    assert_eq!(status, StatusCode::OK);
    for shown in ["co.uk is a public suffix", "Who else is at", "Not loaded", "3 lines:"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(tokio::task::spawn_blocking(len).await.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_says_that_the_standby_is_gone() {
    let mut bench = Bench::house();
    let token = bench.session("regulator");
    let (_, page) = get(&mut bench, Some(&token), "/live").await;
    assert!(!page.contains("standby"), "{page}");
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let name = |house: &mut desk::clearing::House| {
        let grounds = shield::order::words::Grounds::new("two are safer").unwrap();
        let key = model::Sha256Hex([1; 32]);
        house.name_standby(&Person::new("vera").unwrap(), "second", key, &grounds)
    };
    tokio::task::spawn_blocking(move || keeper.look(name)).await.unwrap().unwrap().unwrap();
    let (status, page) = get(&mut bench, Some(&token), "/live").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("The standby second is gone"), "{page}");
    // Witnesses are not asked meanwhile, where there are any.
    assert!(!page.contains("asked meanwhile"), "{page}");
    let key = "w.example+41aab8ed+BIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    desk::witness::name(&bench.home, key, "http://127.0.0.1:1").unwrap();
    let (keeper, home) = (bench.app.clearing().unwrap().keeper.clone(), bench.home.clone());
    let known = move |house: &mut desk::clearing::House| {
        house.witnessed(desk::clearing::Cosigned::read(&home, house.case()).unwrap());
    };
    tokio::task::spawn_blocking(move || keeper.look(known)).await.unwrap().unwrap();
    let (_, page) = get(&mut bench, Some(&token), "/live").await;
    assert!(page.contains("The 1 witness that is named is not asked meanwhile"), "{page}");
    // What opens is done, and said to be durable here alone; what is not done says so as ever.
    let form = [
        ("scope", "all"),
        ("halt", "lifts"),
        ("grounds", "a hospital is blocked"),
        ("back", "/live"),
    ];
    let (status, page) = post(&mut bench, Some(&token), "/stop", &form).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    assert!(
        page.contains("durable on this machine alone") && page.contains("href=\"/live\""),
        "{page}"
    );
    let form = [("scope", "all"), ("grounds", "mended"), ("back", "/live")];
    assert_eq!(post(&mut bench, Some(&token), "/resume", &form).await.0, StatusCode::CONFLICT);
    // Back to where it was, the answer is the page again.
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let dismiss = |house: &mut desk::clearing::House| {
        let grounds = shield::order::words::Grounds::new("its disk failed").unwrap();
        house.dismiss_standby(&Person::new("vera").unwrap(), &grounds)
    };
    tokio::task::spawn_blocking(move || keeper.look(dismiss)).await.unwrap().unwrap().unwrap();
    assert_eq!(
        post(&mut bench, Some(&token), "/resume", &form).await,
        (StatusCode::SEE_OTHER, "/live".to_owned())
    );
}

/// Who reports for one organisation is shown nothing of another's by whatever it knows of it: a hash, an address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hash_opens_nothing_that_is_anothers() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    captured(&bench, item(0), Verdict::Allow).await;
    let form = [("q", "one.example.test"), ("statement", "It is ours.")];
    let (_, page) = post(&mut bench, None, "/objection", &form).await;
    let given = token(&page);
    TEXTS.lock().unwrap().push(("_vigie-challenge.one.example.test".to_owned(), given.clone()));
    let form = [("q", "one.example.test"), ("statement", "It is ours."), ("token", &*given)];
    assert_eq!(post(&mut bench, None, "/objection", &form).await.0, StatusCode::OK);
    let ray = bench.session("reviewer");
    let (_, page) = get(&mut bench, Some(&ray), "/objections").await;
    let link = page.split("href=\"/evidence/").nth(1).unwrap().split('"').next().unwrap();
    let link = format!("/evidence/{link}");
    let (status, words) = get(&mut bench, Some(&ray), &link).await;
    assert!(status == StatusCode::OK && words.contains("It is ours."), "{words}");
    let lea = bench.session("reporter");
    for path in [link.as_str(), link.split('?').next().unwrap()] {
        let (status, page) = get(&mut bench, Some(&lea), path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        // The page speaks of what this house has.
        assert!(page.contains("Nothing is shown here") && !page.contains("this case"), "{page}");
    }
    // Nor is it told that another organisation was stopped, and why.
    for of in ["o-isp", "o-auditor"] {
        let scope = Scope::Reporter(Organisation::new(of).unwrap());
        let grounds = Grounds::new("a secret of theirs").unwrap();
        let stop = Command::Stop { scope, halt: Halt::Releases, grounds };
        does(&bench, actor("op", "o-operator", Role::Authority), stop).await;
    }
    let (_, page) = get(&mut bench, Some(&ray), "/live").await;
    assert!(page.contains("a secret of theirs"), "{page}");
    // What proves a record is run as it stands there.
    let (_, page) = get(&mut bench, Some(&ray), "/log/3").await;
    assert!(page.contains("vigie log prove --case ") && page.contains("/shield 3"), "{page}");
    let (status, page) = get(&mut bench, Some(&lea), "/live").await;
    assert!(status == StatusCode::OK && !page.contains("a secret of theirs"), "{page}");
}

/// Thousands share one address of a carrier: who tries passwords there keeps none of them from an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_pages_are_paid_from_a_bucket_of_their_own() {
    let mut bench = Bench::house();
    let source = Some(std::net::IpAddr::from([203, 0, 113, 7]));
    let mut spent = false;
    for _ in 0..200 {
        let answer = bench.ask(Method::GET, "/sign-in", None, source, "").await;
        spent |= answer.status() == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(spent);
    for path in ["/blocked?q=one.example.test", "/objection", "/harm"].repeat(30) {
        let answer = bench.ask(Method::GET, path, None, source, "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}

/// A form that nobody read is told so by a page, in the reader's language.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_too_long_is_told_so_by_a_page() {
    let mut bench = Bench::house();
    ordered(&bench).await;
    let lea = bench.session("reporter");
    let items = "https://stream.example/live\n".repeat(50_000);
    let form = [("under", "event:final"), ("items", items.as_str())];
    let (status, page) = post(&mut bench, Some(&lea), "/report", &form).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(page.contains("The form was not read") && page.contains("<html"), "{page}");
}

/// The bar says what was measured, in the room that stood there before; what was not measured is never zero.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_and_statistics_show_what_isps_are_measured_to_do() {
    use shield::item::Name;
    use shield::measure::Setting;
    use shield::measure::said::Said;
    use shield::measure::wire::{Answer, Report};
    use shield::order::words::Probe;
    let mut bench = Bench::house();
    reported(&mut bench).await;
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let of = |probe: &str, isp: &str| Setting {
        probe: Probe::new(probe).unwrap(),
        isp: Organisation::new(isp),
        rate: 9,
    };
    let probes = [of("p-fibre", "fibre"), of("p-tower", "tower")];
    let controls = [Name::parse("news.example").unwrap()];
    let set = move || keeper.look(move |house| house.settle(&probes, &controls));
    tokio::task::spawn_blocking(set).await.unwrap().unwrap();
    captured(&bench, item(0), Verdict::Allow).await;
    let lea = bench.session("reporter");
    let (_, page) = get(&mut bench, Some(&lea), "/live").await;
    assert!(page.contains("0 of 2 ISPs measured to block, 2 not measured"), "{page}");
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let says = move || {
        let answer =
            |name: &str, said| Answer { name: name.into(), said, age_ms: 0, address: None };
        let answers =
            vec![answer("one.example.test", Said::NoSuchName), answer("news.example", Said::Open)];
        let probe = actor("p-fibre", "lab", Role::Probe);
        for _ in 0..3 {
            let report = Report { answers: answers.clone(), ..Report::default() };
            desk::clearing::measured::report(&keeper, &probe, report).unwrap().unwrap();
        }
    };
    tokio::task::spawn_blocking(says).await.unwrap();
    let (_, page) = get(&mut bench, Some(&lea), "/live").await;
    assert!(page.contains("1 of 2 ISPs measured to block, 1 not measured"), "{page}");
    assert!(page.contains("<progress max=\"2\" value=\"1\""), "{page}");
    let auditor = bench.session("auditor");
    let (_, page) = get(&mut bench, Some(&auditor), "/statistics").await;
    assert!(page.contains("<bdi>fibre") && page.contains("not measured"), "{page}");
    let (_, csv) = get(&mut bench, Some(&auditor), "/statistics.csv").await;
    for line in [
        "isp,\"fibre\",blocked_measured,1",
        "isp,\"fibre\",blocks,1",
        "isp,\"tower\",blocked_measured,0",
        "isp,\"tower\",blocked_p50_ms,\r\n",
    ] {
        assert!(csv.contains(line), "{line}: {csv}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_afterwards_is_told_to_whom_it_is_for_and_not_before() {
    let mut bench = Bench::house();
    reported(&mut bench).await;
    let (lea, isp, ray) =
        (bench.session("reporter"), bench.session("isp"), bench.session("reviewer"));
    let opened = "/tickets/0/opened";
    for who in [&lea, &isp, &ray] {
        let (status, text) = get(&mut bench, Some(who), opened).await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert!(text.starts_with("Nothing of this ticket is told yet. From 2"), "{text}");
    }
    let (_, page) = get(&mut bench, Some(&lea), "/tickets/0").await;
    assert!(
        page.contains("Nothing of this ticket is told yet") && !page.contains(opened),
        "{page}"
    );
    captured(&bench, item(0), Verdict::Allow).await;
    let event = EventId::new("final").unwrap();
    let grounds = || Grounds::new("called off").unwrap();
    let end = Command::EndEvent { event, grounds: grounds() };
    does(&bench, actor("op", "o-operator", Role::Authority), end).await;
    let keeper = bench.app.clearing().unwrap().keeper.clone();
    let figure = move || {
        keeper.look(move |house| {
            let person = Person::new("op").unwrap();
            house.figure(&person, "opened_after_ms", 0, &grounds())?;
            house.show()
        })
    };
    tokio::task::spawn_blocking(figure).await.unwrap().unwrap().unwrap();
    for (who, both) in [(&lea, true), (&ray, true), (&isp, false)] {
        let (status, text) = get(&mut bench, Some(who), opened).await;
        assert_eq!(status, StatusCode::OK, "{text}");
        let read = shield::wire::opened::Opened::read(text.as_bytes()).unwrap();
        let checked = read.check(None).unwrap();
        assert!(checked.said.iter().any(|said| said.fields.contains_key("reporter")), "{text}");
        // What never was in force is nothing of an ISP's.
        assert!(text.contains("one.example.test"), "{text}");
        assert_eq!(text.contains("b.stream.test"), both, "{text}");
    }
    let (_, page) = get(&mut bench, Some(&lea), "/tickets/0").await;
    assert!(page.contains(opened), "{page}");
    // Who is signed in and none of these; who is not.
    let public = bench.session("public");
    assert_eq!(get(&mut bench, Some(&public), opened).await.0, StatusCode::FORBIDDEN);
    assert_eq!(get(&mut bench, None, opened).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(get(&mut bench, Some(&ray), "/tickets/9/opened").await.0, StatusCode::NOT_FOUND);
}
