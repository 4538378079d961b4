//! The course of a capture, without I/O: it is asked what is next, and told what came back.
//!
//! ```text
//!            ┌───────── resolved ─────────┐
//!            ▼                            │
//!  next ─► Visit ─ name not known ─► Look ┘
//!            │ address known
//!            ├─ outside the authorisation ─► Step::Refused, next visit
//!            ├─ rate used up ─► Wait, or Step::Refused
//!            └─► Fetch ─ fetched ─┬─ no connection ─► next address of the name
//!                                 ├─ redirect ─► Visit
//!                                 └─ playlist ─► Visits of what it names
//! ```
//!
//! One request is under way at a time: a probe is gentle, and its records have one order.

mod turn;
mod visit;
mod write;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};

use url::Url;

use crate::authorisation::{Authorisation, Refusal, Request};
use crate::bounds::Bounds;
use crate::capture::{Capture, End, Form, Role, Step};
use crate::dns::{Answer, Ask};
use crate::host::Host;
use crate::http::Reading;
use crate::item::Item;
use crate::pace::Pace;
use crate::playlist::{self, Playlist};

pub use turn::{Fetch, Fetched, Looked, Lookup, Next, Stop};
use visit::Visit;
use write::Archive;

/// The name that stands for "some name or other" where an address is asked what it shows: RFC 6761 keeps
/// `.invalid`, so nobody's.
pub const CONTROL: &str = "vigie-control.invalid";
/// What the probe calls itself.
pub const USER_AGENT: &str = concat!("vigie/", env!("CARGO_PKG_VERSION"));

/// A capture under way.
#[derive(Debug)]
pub struct Plan {
    item: Item,
    authorisation: Authorisation,
    bounds: Bounds,
    started_ms: i64,
    todo: VecDeque<Visit>,
    /// What names stand for: each is looked up once a capture.
    known: BTreeMap<String, Vec<IpAddr>>,
    /// Questions that are still to be asked of a name.
    asks: Option<(String, Vec<Ask>, Vec<IpAddr>)>,
    /// The one host that may be asked, whatever the authorisation names.
    only: Option<Host>,
    /// Names whose texts are still to be asked for.
    texts: VecDeque<String>,
    under_way: Option<(SocketAddr, Vec<u8>)>,
    requests: u64,
    bytes: u64,
    /// How long it waited for the rate, in milliseconds; and that this is why it stopped.
    waits_ms: i64,
    waited: bool,
    steps: Vec<Step>,
    refused: BTreeMap<Refusal, u64>,
    archive: Archive,
}

impl Plan {
    /// Begins the capture of an item. `seed` is random, and makes the ids of the WARC's records.
    pub fn new(
        item: Item,
        authorisation: Authorisation,
        bounds: Bounds,
        seed: [u8; 32],
        now_ms: i64,
    ) -> Self {
        let mut plan = Self {
            archive: Archive::new(seed, now_ms),
            authorisation,
            bounds,
            started_ms: now_ms,
            todo: VecDeque::new(),
            known: BTreeMap::new(),
            asks: None,
            only: None,
            texts: VecDeque::new(),
            under_way: None,
            requests: 0,
            bytes: 0,
            waits_ms: 0,
            waited: false,
            steps: Vec::new(),
            refused: BTreeMap::new(),
            item,
        };
        plan.todo = visit::begin(&plan.item, |host, port| {
            plan.authorisation.hosts.iter().any(|r| r.names(host) && r.ports.contain(port))
        });
        plan
    }

    /// Holds it to one host: an authorisation that names an address so that the host may be there lets nobody
    /// be led to that address in its own name.
    #[cfg_attr(not(feature = "probe"), allow(dead_code))] // The probe alone asks for it.
    pub(crate) fn of_one(self, host: Host) -> Self {
        Self { only: Some(host), ..self }
    }

    /// Begins to ask for the texts (TXT) of names, and for nothing else: no host is connected to. What is
    /// asked of a resolver alone needs no authorisation to name it.
    #[cfg_attr(not(feature = "probe"), allow(dead_code))] // The probe alone asks for it.
    pub(crate) fn of_texts(
        item: Item,
        names: impl IntoIterator<Item = String>,
        bounds: Bounds,
        seed: [u8; 32],
        now_ms: i64,
    ) -> Self {
        let nothing = Authorisation {
            hosts: Vec::new(),
            methods: Default::default(),
            rate: 0,
            from_ms: now_ms,
            until_ms: now_ms,
            most_bytes: 0,
        };
        let mut plan = Self::new(item, nothing, bounds, seed, now_ms);
        plan.todo.clear();
        plan.texts = names.into_iter().collect();
        plan
    }

    /// The authorisation was ended: nothing leaves, and that is written down.
    pub fn end(&mut self, now_ms: i64) {
        while !self.todo.is_empty() {
            self.refuse(now_ms, None, Refusal::Ended);
        }
    }

    /// When the capture must have ended.
    pub fn deadline_ms(&self) -> i64 {
        self.started_ms + i64::try_from(self.bounds.total.as_millis()).unwrap_or(i64::MAX / 2)
    }

    /// The steps so far.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What is to be done next. A request that leaves is taken off the pace.
    pub fn next(&mut self, now_ms: i64, pace: &mut Pace) -> Next {
        if let Some(name) = self.texts.front().cloned() {
            if now_ms >= self.deadline_ms() {
                self.texts.clear();
                return self.stop(now_ms, "time");
            }
            return Next::Look(Lookup { name, ask: Ask::Txt });
        }
        loop {
            let Some(visit) = self.todo.front() else { return Next::Done };
            if now_ms >= self.deadline_ms() {
                // A host that is slow beside a short wait is slow all the same.
                self.waited = self.waits_ms * 2 >= self.deadline_ms() - self.started_ms;
                return self.stop(now_ms, "time");
            }
            if self.requests >= self.bounds.requests {
                return self.stop(now_ms, "requests");
            }
            if let Err(refusal) = self.allowed(visit, None, now_ms) {
                self.asks = None;
                self.refuse(now_ms, None, refusal);
                continue;
            }
            // Each question is held against the authorisation like each request.
            if let Some((name, asks, _)) = &self.asks
                && let Some(ask) = asks.first()
            {
                return Next::Look(Lookup { name: name.clone(), ask: *ask });
            }
            let addresses = match &visit.host {
                Host::Address(address) => std::slice::from_ref(address),
                Host::Name(name) => match self.known.get(name) {
                    Some(addresses) => addresses.as_slice(),
                    None => {
                        self.asks = Some((name.clone(), vec![Ask::A, Ask::Aaaa], Vec::new()));
                        continue;
                    }
                },
            };
            let Some(address) =
                addresses.get(visit.tried).filter(|_| visit.tried < self.bounds.addresses)
            else {
                self.todo.pop_front();
                continue;
            };
            let address = SocketAddr::new(*address, visit.port);
            if let Err(refusal) = self.allowed(visit, Some(address.ip()), now_ms) {
                self.refuse(now_ms, Some(address), refusal);
                continue;
            }
            let hosts = [visit.host.to_string(), address.ip().to_string()];
            let hosts = if hosts[0] == hosts[1] { &hosts[..1] } else { &hosts[..] };
            let due = pace.due(hosts, self.authorisation.rate, now_ms);
            if due > now_ms {
                if due < self.deadline_ms() {
                    self.waits_ms += due - now_ms;
                    return Next::Wait(due);
                }
                self.refuse(now_ms, Some(address), Refusal::Rate);
                continue;
            }
            pace.take(hosts, now_ms);
            self.requests += 1;
            let left = self.authorisation.most_bytes.saturating_sub(self.bytes);
            let most = match visit.role {
                Role::Segment => self.bounds.segment,
                _ => self.bounds.document,
            };
            let most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
            let request = visit.request();
            self.under_way = Some((address, request.clone()));
            return Next::Fetch(Fetch { address, tls: visit.tls(), request, most });
        }
    }

    fn stop(&mut self, at_ms: i64, bound: &'static str) -> Next {
        self.todo.clear();
        self.steps.push(Step::Stopped { at_ms, bound });
        Next::Done
    }

    /// Whether a visit is within the authorisation: once before its host is looked up, and once with the
    /// address that would be connected to.
    fn allowed(&self, visit: &Visit, address: Option<IpAddr>, now_ms: i64) -> Result<(), Refusal> {
        if !["http", "https"].contains(&visit.url.scheme()) {
            return Err(Refusal::Scheme);
        }
        if !visit.url.username().is_empty() || visit.url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        if self.only.as_ref().is_some_and(|only| *only != visit.host) {
            return Err(Refusal::Host);
        }
        let request =
            Request { methods: visit.methods(), host: &visit.host, port: visit.port, address };
        self.authorisation.permits(&request, now_ms)?;
        if self.bytes >= self.authorisation.most_bytes { Err(Refusal::Bytes) } else { Ok(()) }
    }

    /// Writes down that the visit at hand is refused. Where it is one address that is, the name's next
    /// one is tried.
    fn refuse(&mut self, at_ms: i64, address: Option<SocketAddr>, refusal: Refusal) {
        *self.refused.entry(refusal).or_default() += 1;
        let Some(visit) = self.todo.front_mut() else { return };
        let uri = visit.shown();
        self.steps.push(Step::Refused { at_ms, uri, address, refusal });
        visit.tried += 1;
        let others = refusal == Refusal::Address && address.is_some();
        if !others {
            self.todo.pop_front();
        }
    }

    /// Takes what the resolver gave for the question that was next.
    pub fn resolved(&mut self, looked: Looked) {
        if let Some(name) = self.texts.pop_front() {
            self.archive.looked(&name, Ask::Txt, &looked);
            let (answer, problem) = match looked.answer {
                Ok(answer) => (answer, None),
                Err(problem) => (Answer::default(), Some(problem)),
            };
            self.steps.push(Step::Looked {
                at_ms: looked.at_ms,
                name,
                ask: Ask::Txt,
                resolver: looked.resolver,
                code: Some(answer.code).filter(|code| !code.is_empty()),
                aliases: answer.aliases,
                addresses: Vec::new(),
                texts: answer.texts,
                too_much: answer.too_much,
                problem,
            });
            return;
        }
        let Some((name, mut asks, mut addresses)) = self.asks.take() else { return };
        if asks.is_empty() {
            return;
        }
        let ask = asks.remove(0);
        self.archive.looked(&name, ask, &looked);
        let (answer, problem) = match looked.answer {
            Ok(answer) => (answer, None),
            Err(problem) => (Answer::default(), Some(problem)),
        };
        addresses.extend(answer.addresses.iter().map(IpAddr::to_canonical));
        // Where there is no such name there are no addresses of the other sort either.
        if answer.no_such_name {
            asks.clear();
        }
        self.steps.push(Step::Looked {
            at_ms: looked.at_ms,
            name: name.clone(),
            ask,
            resolver: looked.resolver,
            code: Some(answer.code).filter(|code| !code.is_empty()),
            aliases: answer.aliases,
            addresses: answer.addresses,
            texts: Vec::new(),
            too_much: false,
            problem,
        });
        if asks.is_empty() {
            self.known.insert(name, addresses);
        } else {
            self.asks = Some((name, asks, addresses));
        }
    }

    /// Takes what came of the request that was next.
    pub fn fetched(&mut self, fetched: Fetched) {
        let (Some((address, request)), Some(visit)) =
            (self.under_way.take(), self.todo.pop_front())
        else {
            return;
        };
        let end = fetched.end();
        let reading = fetched.reading.as_ref();
        let head = reading.and_then(Reading::head);
        let body = reading.filter(|r| r.head().is_some()).map_or(&[][..], Reading::body);
        let bytes = reading.map_or(0, |r| r.wire().len() as u64);
        self.bytes += bytes;
        self.archive.fetched(&visit, address, &request, &fetched, &end);
        let location = head.and_then(|h| h.field("Location")).map(str::to_owned);
        let status = head.map(|h| h.status);
        let follow = self.follow(&visit, address, status, location.as_deref(), body, &end);
        self.steps.push(Step::Asked {
            at_ms: fetched.started_ms,
            took_ms: fetched.ended_ms - fetched.started_ms,
            role: visit.role,
            uri: visit.shown(),
            address,
            host: visit.named(),
            status,
            location,
            bytes,
            body: head.map(|_| model::Sha256Hex::of(body)),
            form: Form::of(body),
            end,
            tls: fetched.tls,
        });
        for visit in follow.into_iter().rev() {
            self.todo.push_front(visit);
        }
    }

    /// What an answer leads to.
    fn follow(
        &self,
        visit: &Visit,
        address: SocketAddr,
        status: Option<u16>,
        location: Option<&str>,
        body: &[u8],
        end: &End,
    ) -> Vec<Visit> {
        if matches!(end, End::NoConnection(_) | End::TimedOut)
            && matches!(visit.host, Host::Name(_))
        {
            return vec![Visit { tried: visit.tried + 1, ..visit.clone() }];
        }
        if visit.role == Role::Address {
            return visit.after(address, matches!(end, End::NoTls(_)));
        }
        let to = |uri: &str| visit.url.join(uri).ok();
        match status {
            Some(301 | 302 | 303 | 307 | 308) => {
                let to: Option<Url> = location.and_then(to);
                let again = visit.redirects < self.bounds.redirects;
                to.filter(|_| again).and_then(|url| visit.redirected(url)).into_iter().collect()
            }
            Some(200) => match (visit.role, playlist::read(body, self.bounds.segments)) {
                (Role::Document, Some(Playlist::Master(uris))) => {
                    let first = uris.first().and_then(|uri| to(uri));
                    first.and_then(|url| Visit::of_url(url, Role::Variant)).into_iter().collect()
                }
                (Role::Document | Role::Variant, Some(Playlist::Media(uris))) => {
                    let urls = uris.iter().filter_map(|uri| to(uri));
                    urls.filter_map(|url| Visit::of_url(url, Role::Segment)).collect()
                }
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// The capture, ended.
    pub fn finish(self, now_ms: i64) -> Capture {
        let item = self.item.to_string();
        let warc = self.archive.finish(&item, self.started_ms, now_ms, &self.steps);
        Capture {
            item,
            started_ms: self.started_ms,
            ended_ms: now_ms,
            steps: self.steps,
            refused: self.refused,
            waited: self.waited,
            warc,
        }
    }
}
