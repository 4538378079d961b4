//! The audit: every address of the table, asked as nobody, with a session that is none, by the link, as
//! each role and by each role's key. What is refused is refused with its status, and counted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use desk::access::{Action, Principal};
use desk::parties::{Act, PartyRole, Sector, act};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{NO_ROUTE, router, routes};
use crate::app::{App, Place, Site};
use crate::gate::Peer;

mod api;
mod house;
mod rules;
mod ways;

const HOST: &str = "vigie.example";
const PASSWORD: &str = "four plain words chosen";
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What only signing in needs: this list grows by a decision, and not by a route.
const OPEN: &[&str] = &[
    "/language",
    "/sign-in",
    "/sign-in/passkey",
    "/sign-in/passkey/options",
    "/sign-in/{token}",
    "/invite/{token}",
    "/assets/{digest}/{name}",
];
/// Of the clearing house: what anybody may ask and write, without an account.
const OPEN_HOUSE: &[&str] =
    &["/blocked", "/objection", "/harm", "/transparency", "/transparency.csv"];
/// Of these the handler itself says no to a link that does not work.
const LINKS: &[&str] = &["/sign-in/{token}", "/invite/{token}"];

fn served_at(secure: bool) -> Place {
    let address = SocketAddr::from(([127, 0, 0, 1], 443));
    Place { address, hosts: vec![HOST.to_owned()], secure }
}

struct Bench {
    _dir: tempfile::TempDir,
    home: std::path::PathBuf,
    app: App,
    router: axum::Router,
    next: u32,
}

/// Somebody who asks: as the policies know them, and the header that says so.
struct Asker {
    name: String,
    principal: Principal,
    header: Option<(&'static str, String)>,
    source: Option<IpAddr>,
}

fn sector(role: PartyRole) -> Sector {
    role.needs().unwrap_or(Sector::Other)
}

impl Bench {
    #[allow(clippy::disallowed_methods)] // material for a case
    fn new(secure: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (home, case) = (dir.path().join("home"), dir.path().join("case"));
        let material = dir.path().join("domains.txt");
        std::fs::write(&material, "one.example\ntwo.example\n").unwrap();
        let place = desk::Place {
            case: case.clone(),
            home: home.clone(),
            actor: "test".into(),
            holder: "test".into(),
            wait: desk::Wait::Wait,
        };
        let request = desk::open::Request {
            paths: vec![material],
            item: None,
            authorisation: None,
            seized_by: None,
            at: None,
            address_table: None,
            mapping: None,
            in_place: false,
        };
        let work = desk::open::Work { threads: 1, ..desk::open::Work::default() };
        desk::open::open(&place, &request, &work).unwrap();
        register(&home);
        let reader = desk::read::Reader::open(&case).unwrap();
        let app = App::new(reader, &home, &served_at(secure)).unwrap();
        let router = router(app.clone());
        Self { _dir: dir, home, app, router, next: 0 }
    }

    /// The console of a clearing house.
    fn house() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let place = desk::Place {
            case: dir.path().join("shield"),
            home: home.clone(),
            actor: "test".into(),
            holder: "test".into(),
            wait: desk::Wait::Wait,
        };
        desk::clearing::House::create(&place).unwrap();
        register(&home);
        let house = desk::clearing::House::open(&place).unwrap();
        // Its thread ends with the last who could ask it.
        let out = Box::new(|_: &desk::clearing::House| {});
        let (keeper, _) = desk::clearing::Keeper::start(house, out).unwrap();
        let known = desk::clearing::known::Knowledge::read(&home, true).unwrap();
        // Whoever serves the texts of a test is found there.
        let at = desk::clearing::challenge::At { http: 9, https: 9 };
        let folder = dir.path().join("shield");
        let texts = house::texts();
        let challenges = desk::clearing::challenge::Challenges::open(&folder, Some(texts), at);
        let challenges = std::sync::Arc::new(challenges.unwrap());
        let house = crate::ClearingHouse { keeper, known, challenges };
        let app = App::house(house, &home, &served_at(true)).unwrap();
        let router = router(app.clone());
        Self { _dir: dir, home, app, router, next: 0 }
    }

    /// An address nobody asked from before.
    fn fresh(&mut self) -> IpAddr {
        self.next += 1;
        IpAddr::V4(Ipv4Addr::from(0xc612_0000 + self.next))
    }

    fn session(&self, person: &str) -> String {
        let (accounts, access) = (&self.app.accounts, &self.app.access);
        let link = desk::account::invite(&self.home, "op", person).unwrap();
        accounts.accept(access, &link, PASSWORD, "test").unwrap().unwrap()
    }

    fn cookie(&self, token: &str) -> Option<(&'static str, String)> {
        Some(("cookie", format!("{}={token}", self.app.cookie)))
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        header: Option<&(&'static str, String)>,
        source: Option<IpAddr>,
        body: &str,
    ) -> Response {
        let source = source.unwrap_or_else(|| self.fresh());
        let scheme = if self.app.secure { "https" } else { "http" };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST.to_owned() + if self.app.secure { "" } else { ":443" })
            .header(
                "origin",
                format!("{scheme}://{HOST}{}", if self.app.secure { "" } else { ":443" }),
            )
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some((name, value)) = header {
            request = request.header(*name, value);
        }
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        request.extensions_mut().insert(Peer(source));
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Refusals counted so far of a party at a route.
    fn counted(&self, party: &str, route: &str) -> u64 {
        let rows = self.app.access.refused();
        let of = rows.iter().filter(|row| row.party == party && row.route == route);
        of.map(|row| row.times.all()).sum()
    }
}

/// An organisation, a person and (where there can be one) a key of each role.
fn register(home: &Path) {
    let run = |what: Act| act(home, "op", "test", &what).unwrap();
    for role in PartyRole::ALL {
        let of = format!("o-{}", role.word());
        let person =
            if *role == PartyRole::Operator { "op".to_owned() } else { role.word().to_owned() };
        run(Act::Organisation {
            organisation: of.clone(),
            name: of.clone(),
            sector: sector(*role),
        });
        run(Act::Person { person: person.clone(), name: person.clone(), organisation: of.clone() });
        run(Act::Give { person, role: *role, from: None, until: None });
        run(Act::Quota { organisation: of, per_minute: Some(600_000) });
    }
}

fn askers(bench: &Bench) -> Vec<Asker> {
    let now = Instant::now();
    let link = bench.app.links.link(now).unwrap();
    let holder = bench.app.links.spend(&link, now).unwrap();
    let nobody = |name: &str, header| Asker {
        name: name.to_owned(),
        principal: Principal::Nobody,
        header,
        source: None,
    };
    let mut all = vec![
        nobody("nobody", None),
        nobody("a session that is none", bench.cookie(&"0".repeat(64))),
        nobody("a spent link", bench.cookie(&link)),
        nobody("a key that is none", Some(("authorization", "Bearer vsk_0".to_owned()))),
        nobody("another scheme", Some(("authorization", "Basic b3A6cGFzcw==".to_owned()))),
    ];
    for source in [Some(HERE), None] {
        let name = format!("holder from {source:?}");
        let header = bench.cookie(&holder);
        all.push(Asker { name, principal: Principal::Holder, header, source });
    }
    for role in PartyRole::ALL {
        let person = if *role == PartyRole::Operator { "op" } else { role.word() };
        all.push(Asker {
            name: format!("person {}", role.word()),
            principal: bench.app.access.person(person).unwrap(),
            header: bench.cookie(&bench.session(person)),
            source: None,
        });
        let organisation = format!("o-{}", role.word());
        let issue = Act::Issue {
            key: format!("k-{}", role.word()),
            organisation,
            role: *role,
            until: None,
        };
        // None is issued for operators.
        let Ok(done) = act(&bench.home, "op", "test", &issue) else { continue };
        bench.app.access.refresh().unwrap();
        let secret = done.secret.unwrap();
        all.push(Asker {
            name: format!("key {}", role.word()),
            principal: bench.app.access.key(&secret).unwrap(),
            header: Some(("authorization", format!("Bearer {secret}"))),
            source: None,
        });
    }
    all
}

#[test]
fn what_is_open_to_nobody_is_what_signing_in_needs() {
    let anybody = [
        Action::Enter,
        Action::PageFile,
        Action::ItemLookUp,
        Action::ObjectionMake,
        Action::HarmReport,
        Action::TransparencyRead,
    ];
    let both = [OPEN_HOUSE, OPEN].concat();
    for (site, wanted) in [(Site::Case, OPEN), (Site::House, &both[..])] {
        let all = routes(site);
        let is_open = |route: &&super::Route| {
            anybody.contains(&route.action) || route.or.is_some_and(|or| anybody.contains(&or))
        };
        let open: Vec<_> = all.iter().filter(is_open).map(|r| r.path).collect();
        assert_eq!(open, wanted);
        let mut paths: Vec<_> = all.iter().map(|route| route.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), all.len(), "an address stands twice");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_refuses_who_may_not_and_counts_it() {
    assert!(audit(Bench::new(true)).await > 3_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_of_the_clearing_house_does_too() {
    let mut bench = Bench::house();
    house::reported(&mut bench).await;
    assert!(audit(bench).await > 2_000);
}

/// Every address as everybody, by each method; gives how often was asked.
async fn audit(mut bench: Bench) -> u32 {
    let askers = askers(&bench);
    let mut asked = 0;
    let all: Vec<_> = routes(bench.app.site()).iter().map(|r| (r.path, r.action, r.or)).collect();
    for (route, action, or) in all {
        // A number, so that it is understood wherever it stands.
        let path: String = route
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part })
            .collect::<Vec<_>>()
            .join("/");
        for asker in &askers {
            // One's own session is not signed out: it is asked with on.
            if route == "/sign-out" && asker.principal != Principal::Nobody {
                continue;
            }
            for method in [Method::GET, Method::POST, Method::HEAD, Method::OPTIONS, Method::PUT] {
                let what = format!("{method} {route} as {}", asker.name);
                let source = asker.source.unwrap_or_else(|| bench.fresh());
                let would = |action| bench.app.access.would(&asker.principal, action, source);
                let may = would(action) || or.is_some_and(would);
                let party = asker.principal.party().to_owned();
                let before = bench.counted(&party, route);
                let header = asker.header.as_ref();
                let answer = bench.ask(method.clone(), &path, header, Some(source), "").await;
                let status = answer.status();
                let after = bench.counted(&party, route);
                asked += 1;
                if may {
                    let own = LINKS.contains(&route);
                    let no = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
                    assert!(own || !no.contains(&status), "{what}: {status}");
                    assert!(own || before == after, "{what}: counted");
                    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
                } else {
                    let nobody = asker.principal == Principal::Nobody;
                    let wanted =
                        if nobody { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
                    assert_eq!(status, wanted, "{what}");
                    assert_eq!(after, before + 1, "{what}: not counted");
                    let body = answer.into_body().collect().await.unwrap().to_bytes();
                    let text = String::from_utf8_lossy(&body);
                    assert!(!text.contains("one.example") && !text.contains("o-isp"), "{what}");
                }
            }
        }
    }
    asked
}

/// Ways around the table: for who may nothing each is like any other address.
#[tokio::test]
async fn no_writing_of_an_address_goes_around_its_gate() {
    let mut bench = Bench::new(true);
    for path in [
        "//entities",
        "/entities/",
        "/ENTITIES",
        "/entities;a=b",
        "/%65ntities",
        "/entities%2f",
        "/assets/../entities",
        "/assets/%2e%2e/entities",
        "/./entities",
        "/sign-in/../entities",
        "/sign-in/%2e%2e",
        "/nowhere",
        "/sessions/all/",
    ] {
        let before = bench.counted("public", NO_ROUTE);
        let status = bench.ask(Method::GET, path, None, None, "").await.status();
        let fine = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN];
        assert!(fine.contains(&status), "{path}: {status}");
        if status == StatusCode::UNAUTHORIZED && path == "/nowhere" {
            assert_eq!(bench.counted("public", NO_ROUTE), before + 1);
        }
    }
    let auditor = bench.cookie(&bench.session("auditor"));
    let status = bench.ask(Method::GET, "/nowhere", auditor.as_ref(), None, "").await.status();
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_person_signs_in_and_the_session_is_a_new_one() {
    let mut bench = Bench::new(true);
    bench.session("auditor");
    let planted = bench.cookie(&"a".repeat(64));
    let form = format!("name=auditor&password={}", PASSWORD.replace(' ', "+"));
    let answer = bench.ask(Method::POST, "/sign-in", planted.as_ref(), None, &form).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["__Host-vigie=", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().contains("max-age"));
    let token = set.split(['=', ';']).nth(1).unwrap().to_owned();
    assert_ne!(token, "a".repeat(64), "the browser's own session was taken up");
    let mine = bench.cookie(&token);
    let ask = |bench: &mut Bench| {
        let mut bench = Bench {
            _dir: tempfile::tempdir().unwrap(),
            home: bench.home.clone(),
            app: bench.app.clone(),
            router: bench.router.clone(),
            next: bench.next + 500,
        };
        let mine = mine.clone();
        async move { bench.ask(Method::GET, "/entities", mine.as_ref(), None, "").await.status() }
    };
    assert_eq!(ask(&mut bench).await, StatusCode::OK);
    assert_eq!(
        bench.ask(Method::GET, "/entities", planted.as_ref(), None, "").await.status(),
        StatusCode::UNAUTHORIZED
    );
    // Out, and the token opens nothing any more.
    let out = bench.ask(Method::POST, "/sign-out", mine.as_ref(), None, "").await;
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(ask(&mut bench).await, StatusCode::UNAUTHORIZED);
    // A wrong password is counted, and says no more of a name that nobody has.
    let mut said = Vec::new();
    for name in ["auditor", "nobody-here"] {
        let form = format!("name={name}&password=a+wrong+password");
        let answer = bench.ask(Method::POST, "/sign-in", None, None, &form).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        said.push(answer.into_body().collect().await.unwrap().to_bytes());
    }
    assert_eq!(said[0], said[1]);
    assert_eq!(bench.counted("public", "/sign-in"), 2);
}

#[tokio::test]
async fn an_invitation_is_spent_by_its_form_and_not_by_looking() {
    let mut bench = Bench::new(true);
    let link = desk::account::invite(&bench.home, "op", "isp").unwrap();
    let path = format!("/invite/{link}");
    for _ in 0..3 {
        let answer = bench.ask(Method::GET, &path, None, None, "").await;
        assert_eq!(answer.status(), StatusCode::OK);
        let page = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&page).contains(&link), "the page repeats the token");
    }
    let post = |password: &str, again: &str| {
        format!("password={}&again={}", password.replace(' ', "+"), again.replace(' ', "+"))
    };
    let wanted = StatusCode::UNPROCESSABLE_ENTITY;
    for form in [post("short", "short"), post(PASSWORD, "another of them")] {
        assert_eq!(bench.ask(Method::POST, &path, None, None, &form).await.status(), wanted);
    }
    let done = bench.ask(Method::POST, &path, None, None, &post(PASSWORD, PASSWORD)).await;
    assert_eq!(
        (done.status(), &done.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/sessions".parse().unwrap())
    );
    for method in [Method::GET, Method::POST] {
        let form = post(PASSWORD, PASSWORD);
        let status = bench.ask(method, &path, None, None, &form).await.status();
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn what_comes_from_another_site_is_refused_and_counted() {
    let mut bench = Bench::new(true);
    let token = bench.session("op");
    for origin in ["https://evil.example", "http://vigie.example", "null"] {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/sign-out")
            .header("host", HOST)
            .header("origin", origin)
            .header("cookie", format!("{}={token}", bench.app.cookie))
            .body(Body::empty())
            .unwrap();
        request.extensions_mut().insert(Peer(HERE));
        let answer = bench.router.clone().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(bench.counted("public", "another site"), 3);
    let mine = bench.cookie(&token);
    let status = bench.ask(Method::GET, "/sessions", mine.as_ref(), None, "").await.status();
    assert_eq!(status, StatusCode::OK, "the session was ended by another site");
}

#[tokio::test]
async fn fault_10_who_asks_too_much_is_told_so_whatever_address_a_header_names() {
    let mut bench = Bench::new(true);
    let source = Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)));
    // A header that names another address changes nothing.
    let forwarded = ("x-forwarded-for", "127.0.0.1".to_owned());
    let mut answer = bench.ask(Method::GET, "/sign-in", Some(&forwarded), source, "").await;
    for _ in 0..60 {
        answer = bench.ask(Method::GET, "/sign-in", Some(&forwarded), source, "").await;
    }
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.headers()["retry-after"], "1");
    assert_eq!(bench.counted("public", "/sign-in"), 1);
    // The refusal itself is a page, and is drawn: its files are paid from no quota.
    let style = crate::assets::url("app.css");
    for _ in 0..100 {
        let style = bench.ask(Method::GET, &style, None, source, "").await;
        assert_eq!(style.status(), StatusCode::OK);
    }
    let other = bench.ask(Method::GET, "/sign-in", None, None, "").await;
    assert_eq!(other.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_has_a_bound_and_a_session_ends_with_its_role() {
    let mut bench = Bench::new(true);
    let long = "name=a&password=".to_owned() + &"x".repeat(70_000);
    let status = bench.ask(Method::POST, "/sign-in", None, None, &long).await.status();
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let mine = bench.cookie(&bench.session("auditor"));
    let live = |bench: &Bench| {
        let token = mine.as_ref().unwrap().1.split_once('=').unwrap().1.to_owned();
        bench.app.goes_on(Some(&token))
    };
    let status = bench.ask(Method::GET, "/parties", mine.as_ref(), None, "").await.status();
    assert_eq!(status, StatusCode::OK);
    assert!(live(&bench));
    let take =
        Act::Take { person: "auditor".into(), role: PartyRole::Auditor, reason: "over".into() };
    act(&bench.home, "op", "test", &take).unwrap();
    bench.app.access.refresh().unwrap();
    assert!(!live(&bench), "an open page would go on");
    let status = bench.ask(Method::GET, "/parties", mine.as_ref(), None, "").await.status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

/// On this machine, in the clear, all is as it was: the link on the terminal opens the case.
#[tokio::test]
async fn the_practice_flow_is_as_it_was() {
    let mut bench = Bench::new(false);
    let link = bench.app.links.link(Instant::now()).unwrap();
    let path = format!("/sign-in/{link}");
    let look = bench.ask(Method::HEAD, &path, None, Some(HERE), "").await;
    assert_eq!(look.status(), StatusCode::OK);
    let answer = bench.ask(Method::GET, &path, None, Some(HERE), "").await;
    let set = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.starts_with("vigie_443=") && !set.contains("Secure"), "{set}");
    assert!(!answer.headers().contains_key("strict-transport-security"));
    let token = set.split(['=', ';']).nth(1).unwrap().to_owned();
    let mine = bench.cookie(&token);
    for path in ["/", "/entities", "/sessions", "/parties", "/refusals", "/sessions/all"] {
        let answer = bench.ask(Method::GET, path, mine.as_ref(), Some(HERE), "").await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    let spent = bench.ask(Method::GET, &path, None, Some(HERE), "").await;
    assert_eq!(spent.status(), StatusCode::FORBIDDEN);
}
