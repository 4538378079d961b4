//! The audit of the probes' door: every route as it stands in its source, by each method, asked by whom nobody knows, by
//! who says who they are otherwise, and by a key of each role. Who is refused is told nothing, and is counted.

use std::net::SocketAddr;
use std::sync::Arc;

use desk::access::Access;
use desk::clearing::{House, Keeper};
use desk::parties::{Act, PartyRole, act};
use desk::{Place, Wait};
use shield_feed::{Bounds, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The one that is asked of, as refusals are counted under it.
const ROUTE: &str = "/measure";
/// A report that says nothing, as a probe's first is.
const REPORT: &str = "{}";

/// The door of a clearing house whose settings name no probe, and a key of each role that has any.
struct Bed {
    dir: tempfile::TempDir,
    address: SocketAddr,
    access: Arc<Access>,
    keys: Vec<(PartyRole, String)>,
}

/// What came of a request: its status, its head and its body.
struct Answer(u16, String, String);

/// An organisation for each role, with a key where there can be one.
fn register(home: &std::path::Path) -> Vec<(PartyRole, String)> {
    let run = |what: Act| act(home, "op", "test", &what);
    let mut keys = Vec::new();
    for role in PartyRole::ALL {
        let of = format!("o-{}", role.word());
        let sector = role.needs().unwrap_or(desk::parties::Sector::Other);
        run(Act::Organisation { organisation: of.clone(), name: of.clone(), sector }).unwrap();
        if *role == PartyRole::Operator {
            let (person, organisation) = ("op".to_owned(), of.clone());
            run(Act::Person { person: person.clone(), name: "Op".into(), organisation }).unwrap();
            run(Act::Give { person, role: *role, from: None, until: None }).unwrap();
        }
        let key = format!("k-{}", role.word());
        // None is issued for operators.
        if let Ok(done) = run(Act::Issue { key, organisation: of, role: *role, until: None }) {
            keys.push((*role, done.secret.unwrap()));
        }
    }
    keys
}

impl Bed {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let place = Place {
            case: dir.path().join("shield"),
            home: home.clone(),
            actor: "test".into(),
            holder: "test".into(),
            wait: Wait::Fail,
        };
        House::create(&place).unwrap();
        let keys = register(&home);
        let house = House::open(&place).unwrap();
        let (keeper, _) = Keeper::start(house, Box::new(|_: &House| ())).unwrap();
        let access = Arc::new(Access::open(&home).unwrap());
        let router = probe::door::router(keeper, Arc::clone(&access), Arc::new(|_: &str| ()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, None, router, Bounds::default(), std::future::pending()));
        Self { dir, address, access, keys }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: door\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        let all = String::from_utf8(all).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer(status, head.to_lowercase(), body.to_owned())
    }

    /// Refusals counted so far of a party, at the door.
    fn counted(&self, party: &str) -> u64 {
        let rows = self.access.refused();
        let of = rows.iter().filter(|row| row.party == party && row.route == ROUTE);
        of.map(|row| row.times.all()).sum()
    }
}

/// Every route of the source, with the methods that it takes.
fn routes() -> Vec<(&'static str, &'static str)> {
    let source = include_str!("../src/door.rs");
    let named = format!("const ROUTE: &str = \"{ROUTE}\";");
    assert!(source.contains(&named), "the door's route is another: audit it here");
    let routes = source.split(".route(").skip(1).map(|rest| {
        let (path, rest) = rest.split_once(',').unwrap();
        assert_eq!(path, "ROUTE", "a route that is not audited here");
        let method = rest.trim_start().split_once('(').unwrap().0;
        assert_eq!(method, "post", "a method that is not audited here");
        // What follows it is no second method of the route.
        assert!(rest.trim_start().starts_with("post(take))"), "{rest}");
        (ROUTE, "POST")
    });
    let routes: Vec<_> = routes.collect();
    let others = ["route_service(", ".nest(", ".merge(", ".fallback("];
    assert!(others.iter().all(|other| !source.contains(other)), "routes that are not read here");
    assert!(!routes.is_empty());
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_route_is_without_an_authorisation() {
    let bed = Bed::new().await;
    assert!(bed.keys.len() >= 7, "a key of each role but the operator's");
    for (route, method) in routes() {
        let nobody = "Authorization: Bearer vsk_0";
        for headers in [
            &[][..],
            &[nobody],
            &["Authorization: Basic b3A6cGFzcw=="],
            &["Authorization: "],
            &["Cookie: vigie=0", "X-Forwarded-For: 127.0.0.1"],
        ] {
            let before = bed.counted("public");
            let Answer(status, _, body) = bed.ask(method, route, headers, REPORT).await;
            assert_eq!(status, 401, "{route} {headers:?}: {body}");
            assert_eq!(bed.counted("public") - before, 1, "{route} {headers:?}: not counted");
        }
        for (role, key) in &bed.keys {
            let header = format!("Authorization: Bearer {key}");
            let party = format!("o-{}", role.word());
            let before = bed.counted(&party);
            let Answer(status, _, body) = bed.ask(method, route, &[&header], REPORT).await;
            let refused = bed.counted(&party) - before;
            if *role == PartyRole::Probe {
                // Let in: and then its report is looked at, or the settings name no such probe.
                assert!([400, 404].contains(&status) && refused == 0, "{status}: {body}");
                continue;
            }
            assert_eq!((status, refused), (403, 1), "{route} as {role:?}: {body}");
            assert!(!body.contains(&party) && !body.contains("k-"), "{body}");
        }
        // No other method is served, nor told more than that.
        let (_, key) = bed.keys.iter().find(|(role, _)| *role == PartyRole::Probe).unwrap();
        let header = format!("Authorization: Bearer {key}");
        for other in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            for headers in [&[][..], &[header.as_str()]] {
                let Answer(status, _, body) = bed.ask(other, route, headers, "").await;
                assert_eq!((status, body.as_str()), (405, ""), "{other} {route}");
            }
        }
    }
    for path in ["/", "/measure/", "/MEASURE", "//measure", "/measure/x", "/feed/all/manifest"] {
        assert_eq!(bed.ask("POST", path, &[], REPORT).await.0, 404, "{path}");
    }
}

/// Where a header says that somebody is counts for nothing: what asks too often is told so, and counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_10_a_header_says_nothing_of_where_a_probe_is() {
    let bed = Bed::new().await;
    let mut last = Answer(0, String::new(), String::new());
    for n in 0..80 {
        let forwarded = format!("X-Forwarded-For: 198.51.100.{n}");
        last = bed.ask("POST", ROUTE, &[&forwarded], REPORT).await;
    }
    assert_eq!(last.0, 429, "{}", last.2);
    assert!(last.1.contains("retry-after: "), "{}", last.1);
    assert_eq!(bed.counted("public"), 80);
}

/// A key that is struck off opens nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_revoked_is_nobodys() {
    let bed = Bed::new().await;
    let (_, key) = bed.keys.iter().find(|(role, _)| *role == PartyRole::Probe).unwrap();
    let header = format!("Authorization: Bearer {key}");
    assert_ne!(bed.ask("POST", ROUTE, &[&header], REPORT).await.0, 401);
    let (home, key) = (bed.dir.path().join("home"), "k-probe".to_owned());
    act(&home, "op", "test", &Act::Revoke { key, reason: "lost".into() }).unwrap();
    bed.access.refresh().unwrap();
    assert_eq!(bed.ask("POST", ROUTE, &[&header], REPORT).await.0, 401);
}
