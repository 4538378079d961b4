//! A clearing house with parties, its API on a socket, and a client of the tests' own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use desk::access::Access;
use desk::account::{Accounts, invite};
use desk::clearing::{Ask, House, Keeper};
use desk::parties::{Act, PartyRole, Sector, act};
use desk::{Place, Wait};
use model::ExhibitId;
use piracy_shield::{Api, Times, router};
use serde_json::{Value, json};
use shield::harm::Verdict;
use shield::order::command::{Event, Order};
use shield::order::turn::Outcome;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Person, Right};
use shield::order::{Actor, Capture, Command, ItemId, Machine, Role, Seen, TicketId};
use shield_feed::{Bounds, serve};

pub(crate) const PASSWORD: &str = "a long one for tests";
const HOUR: u64 = 3_600_000;

/// Everything a test needs.
pub(crate) struct Bed {
    pub(crate) api: Arc<Api>,
    pub(crate) address: SocketAddr,
    pub(crate) keeper: Keeper,
    pub(crate) access: Arc<Access>,
    pub(crate) dir: tempfile::TempDir,
    keys: std::collections::BTreeMap<&'static str, String>,
    runtime: tokio::runtime::Runtime,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    pub(crate) fn data(&self) -> Value {
        assert_eq!((self.status, &self.json()["status"]), (200, &json!("success")), "{self:?}");
        self.json()["data"].clone()
    }

    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
        assert_eq!(self.json()["status"], "error");
        assert!(self.json()["message"].as_str().unwrap().len() > 10, "{self:?}");
    }
}

fn register(home: &Path) -> std::collections::BTreeMap<&'static str, String> {
    let ok = |what: Act| act(home, "vera", "test", &what).unwrap();
    let organisations = [
        ("agency", Sector::Authority),
        ("court", Sector::Reviewer),
        ("league", Sector::RightsHolder),
        ("cinema", Sector::RightsHolder),
        ("fibre", Sector::Isp),
        ("cable", Sector::Isp),
        ("public", Sector::Other),
    ];
    for (organisation, sector) in organisations {
        ok(Act::Organisation {
            organisation: organisation.into(),
            name: format!("The {organisation}"),
            sector,
        });
        // The first operator is given by whoever holds the folder; from then on operators act.
        if organisation == "agency" {
            ok(Act::Person {
                person: "vera".into(),
                name: "Vera Example".into(),
                organisation: "agency".into(),
            });
            ok(Act::Give {
                person: "vera".into(),
                role: PartyRole::Operator,
                from: None,
                until: None,
            });
        }
    }
    let people = [
        ("carl", "court", PartyRole::Reviewer),
        ("rita", "league", PartyRole::Reporter),
        ("ivan", "fibre", PartyRole::Isp),
        ("gus", "public", PartyRole::Public),
    ];
    for (person, organisation, role) in people {
        ok(Act::Person {
            person: person.into(),
            name: format!("{person} Example"),
            organisation: organisation.into(),
        });
        ok(Act::Give { person: person.into(), role, from: None, until: None });
    }
    let accounts = Accounts::open(home).unwrap();
    let access = Access::open(home).unwrap();
    for person in ["vera", "carl", "rita", "ivan", "gus"] {
        let token = invite(home, "vera", person).unwrap();
        accounts.accept(&access, &token, PASSWORD, "").unwrap().unwrap();
    }
    let keys = [
        ("league-1", "league", PartyRole::Reporter),
        ("cinema-1", "cinema", PartyRole::Reporter),
        ("fibre-1", "fibre", PartyRole::Isp),
        ("cable-1", "cable", PartyRole::Isp),
        ("court-1", "court", PartyRole::Reviewer),
    ];
    let issue = |(key, organisation, role): (&'static str, &str, PartyRole)| {
        let done = ok(Act::Issue {
            key: key.into(),
            organisation: organisation.into(),
            role,
            until: None,
        });
        (key, done.secret.unwrap())
    };
    // Tests ask more than people do.
    let all = keys.map(issue).into();
    for (organisation, _) in organisations {
        ok(Act::Quota { organisation: organisation.into(), per_minute: Some(600_000) });
    }
    all
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with(Times { revoke_ms: 0, ..Times::default() })
    }

    /// With times of its own: nobody waits 75 seconds here.
    pub(crate) fn with(times: Times) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let place = Place {
            case: dir.path().join("shield"),
            home: home.clone(),
            actor: "Vera".into(),
            holder: "test".into(),
            wait: Wait::Fail,
        };
        House::create(&place).unwrap();
        let keys = register(&home);
        let (keeper, _) =
            Keeper::start(House::open(&place).unwrap(), Box::new(|_: &House| ())).unwrap();
        let access = Arc::new(Access::open(&home).unwrap());
        let api = Api::open(&place.case, keeper.clone(), Arc::clone(&access), times).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let api = Arc::new(api);
        let routes = router(Arc::clone(&api));
        runtime.spawn(serve(listener, None, routes, Bounds::default(), std::future::pending()));
        let bed = Self { api, address, keeper, access, dir, keys, runtime };
        bed.order("1/26/DDA", "league", Some("final"));
        bed.order("2/26/DDA", "cinema", None);
        bed
    }

    /// Another process over the same house: of the tokens of the first it knows nothing.
    pub(crate) fn again(&mut self) {
        self.again_as(|api| api);
    }

    /// The same, changed.
    pub(crate) fn again_as(&mut self, change: impl FnOnce(Api) -> Api) {
        let case = self.dir.path().join("shield");
        let times = Times { revoke_ms: 0, ..Times::default() };
        let access = Arc::clone(&self.access);
        self.api.settle();
        let api = change(Api::open(&case, self.keeper.clone(), access, times).unwrap());
        let listener = self.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        self.address = listener.local_addr().unwrap();
        let stop = std::future::pending();
        self.api = Arc::new(api);
        let routes = router(Arc::clone(&self.api));
        self.runtime.spawn(serve(listener, None, routes, Bounds::default(), stop));
    }

    fn order(&self, order: &str, reporter: &str, event: Option<&str>) {
        let now = self.keeper.look(|house| house.now()).unwrap();
        let (id, right) = (OrderId::new(order).unwrap(), Right::new("football").unwrap());
        let until = now.plus(24 * HOUR);
        let reporter = Organisation::new(reporter).unwrap();
        let given = Order {
            id: id.clone(),
            reporter,
            rights: [right].into(),
            from: now.minus(HOUR),
            until,
        };
        self.act(&self.authority(), Command::GiveOrder(given));
        if let Some(event) = event {
            let event = Event::new(EventId::new(event).unwrap(), id, now, now.plus(2 * HOUR));
            self.act(&self.authority(), Command::Announce(event));
        }
    }

    pub(crate) fn authority(&self) -> Actor {
        actor("vera", "agency", Role::Authority)
    }

    #[track_caller]
    pub(crate) fn act(&self, actor: &Actor, command: Command) {
        self.keeper.act(Ask { actor: actor.clone(), command }).unwrap().unwrap();
    }

    /// A capture, a check that finds nothing, and the word of a reviewer of another organisation. A name is
    /// released upon the first two, an address by the third.
    pub(crate) fn release(&self, value: &str) {
        let value = shield::Item::parse(value).unwrap();
        let of = value.clone();
        let live = self.keeper.look(move |house| house.state().wanting(&of).to_vec());
        let item: ItemId = *live.unwrap().last().unwrap();
        let (house, now) = self.keeper.look(|house| (house.itself().clone(), house.now())).unwrap();
        let exhibit = ExhibitId([7; 32]);
        let capture = Capture { value, exhibit, taken: now, seen: Seen::Works };
        self.act(&actor("probe-1", "agency", Role::Probe), Command::Capture { item, capture });
        let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
        self.act(&house, Command::Check { item, outcome });
        let held = self.keeper.look(move |house| {
            matches!(house.state().item(item).unwrap().machine, Machine::Held(_))
        });
        if held.unwrap() {
            let grounds = Grounds::new("the stream alone is there");
            self.act(
                &actor("carl", "court", Role::Reviewer),
                Command::Approve { item, exhibit, grounds },
            );
        }
        assert_eq!(self.stage(item), "in_force");
    }

    pub(crate) fn stage(&self, item: ItemId) -> &'static str {
        let look = move |house: &mut House| {
            house.state().item(item).map_or("ended", |live| live.machine.stage().word())
        };
        self.keeper.look(look).unwrap()
    }

    /// A service key's secret.
    pub(crate) fn key(&self, name: &str) -> &str {
        &self.keys[name]
    }

    /// Signs in.
    pub(crate) fn login(&self, name: &str, password: &str) -> (String, String) {
        let answer =
            self.post("/authentication/login", None, &json!({"email": name, "password": password}));
        let data = answer.data();
        let text = |field: &str| data[field].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    pub(crate) fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask("GET", path, token, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.ask(
            "POST",
            path,
            token,
            &["Content-Type: application/json"],
            body.to_string().as_bytes(),
        )
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[&str],
        body: &[u8],
    ) -> Answer {
        let base = if path.starts_with("/fake") { "" } else { piracy_shield::BASE };
        let mut head = format!(
            "{method} {base}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n",
            body.len()
        );
        token.iter().for_each(|token| head.push_str(&format!("Authorization: Bearer {token}\r\n")));
        headers.iter().for_each(|line| head.push_str(&format!("{line}\r\n")));
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"\r\n").unwrap();
        // A body that is not wanted is not read: what was answered before counts.
        let _ = stream.write_all(body);
        let mut text = Vec::new();
        let _ = stream.read_to_end(&mut text);
        let text = String::from_utf8(text).unwrap();
        let (head, body) =
            text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{method} {path}: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// A ticket of the league's.
    pub(crate) fn ticket(&self, fqdn: &[&str], ipv4: &[&str], ipv6: &[&str]) -> String {
        let body = ticket("1/26/DDA", fqdn, ipv4, ipv6);
        let data = self.post("/ticket/create", Some(self.key("league-1")), &body).data();
        data["ticket_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn state<T: Send + 'static>(
        &self,
        look: impl FnOnce(&mut House) -> T + Send + 'static,
    ) -> T {
        self.keeper.look(look).unwrap()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.keeper.close();
    }
}

pub(crate) fn ticket(order: &str, fqdn: &[&str], ipv4: &[&str], ipv6: &[&str]) -> Value {
    json!({
        "dda_id": order, "description": "__MOCK__", "forensic_evidence": {"hash": {"sha256": "ab".repeat(32)}},
        "fqdn": fqdn, "ipv4": ipv4, "ipv6": ipv6,
    })
}

pub(crate) fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let person = Person::new(person).unwrap();
    Actor { person, organisation: Organisation::new(organisation).unwrap(), role }
}

pub(crate) fn item(ticket: u64, place: u16) -> ItemId {
    ItemId::new(TicketId(ticket), place)
}
