//! A store in memory, and clients of it (each a process) on whose n-th request a fault falls.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger_s3::{Fault, Object, Objects, Version};

/// Longer than any limit.
const LONG: Duration = Duration::from_secs(3600);

/// What becomes of the request that the fault falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is not done, and said to have failed.
    Failed,
    /// It is done, and said to have failed.
    FailedDone,
    /// The process dies before it.
    Killed,
    /// The process dies after it.
    KilledDone,
    /// The process dies amid it: a put leaves its first half. Not of the lock: clients send a checksum
    /// with each body, and stores refuse what does not fit it.
    Torn,
    /// From here on nothing more can be put.
    Full,
    /// It is not done, and never answered.
    Slow,
    /// It is done, and answered too late.
    SlowDone,
    /// It is done long after the process gave it up: when the test says so.
    Late,
    /// It takes long, and is done and answered in time.
    Sluggish,
}

pub(crate) const KINDS: [Kind; 10] = [
    Kind::Failed,
    Kind::FailedDone,
    Kind::Killed,
    Kind::KilledDone,
    Kind::Torn,
    Kind::Full,
    Kind::Slow,
    Kind::SlowDone,
    Kind::Late,
    Kind::Sluggish,
];

#[derive(Debug, Clone)]
enum Request {
    Put(String, Vec<u8>, Condition),
    Delete(String),
}

#[derive(Debug, Clone)]
enum Condition {
    None,
    Absent,
    Match(Version),
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<String, Object>,
    puts: u64,
    late: Vec<Request>,
    /// Each state that the lock and the checkpoint ever had.
    history: Vec<(String, Vec<u8>)>,
    /// Puts of these are answered and not kept.
    forgets: Option<String>,
}

impl State {
    fn run(&mut self, request: Request) -> Result<Version, Fault> {
        match request {
            Request::Delete(name) => {
                self.objects.remove(&name);
                Ok(Version(String::new()))
            }
            Request::Put(name, bytes, condition) => {
                let now = self.objects.get(&name).map(|object| &object.version);
                let holds = match &condition {
                    Condition::None => true,
                    Condition::Absent => now.is_none(),
                    Condition::Match(held) => now == Some(held),
                };
                if !holds {
                    return Err(Fault::Changed);
                }
                self.puts += 1;
                let version = Version(format!("v{}", self.puts));
                if self.forgets.as_ref() == Some(&name) {
                    return Ok(version);
                }
                if name == "lock" || name == "checkpoint" {
                    self.history.push((name.clone(), bytes.clone()));
                }
                self.objects.insert(name, Object { bytes, version: version.clone() });
                Ok(version)
            }
        }
    }
}

/// What is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store(Arc<Mutex<State>>);

impl Store {
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().objects.get(name).map(|object| object.bytes.clone())
    }

    /// Puts behind everybody's back.
    pub(crate) fn set(&self, name: &str, bytes: Vec<u8>) {
        let request = Request::Put(name.to_owned(), bytes, Condition::None);
        self.0.lock().unwrap().run(request).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        self.0.lock().unwrap().objects.remove(name).unwrap();
    }

    pub(crate) fn forget(&self, name: &str) {
        self.0.lock().unwrap().forgets = Some(name.to_owned());
    }

    /// A copy that goes its own way.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::default();
        copy.0.lock().unwrap().objects = self.0.lock().unwrap().objects.clone();
        copy
    }

    /// What was late arrives.
    pub(crate) fn land(&self) -> usize {
        let mut state = self.0.lock().unwrap();
        let late = std::mem::take(&mut state.late);
        late.into_iter().map(|request| state.run(request)).filter(Result::is_ok).count()
    }

    pub(crate) fn history(&self, name: &str) -> Vec<Vec<u8>> {
        let state = self.0.lock().unwrap();
        state.history.iter().filter(|(n, _)| n == name).map(|(_, bytes)| bytes.clone()).collect()
    }

    /// A process without faults.
    pub(crate) fn client(&self) -> Client {
        Client { store: self.clone(), process: Arc::default() }
    }

    /// A process on whose request after `steps` more the fault falls.
    pub(crate) fn faulty(&self, steps: u64, kind: Kind) -> Client {
        let client = self.client();
        client.process.lock().unwrap().fault = Some((steps, kind));
        client
    }
}

type Hook = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Process {
    fault: Option<(u64, Kind)>,
    came: bool,
    dead: bool,
    full: bool,
    hook: Option<(u64, Hook)>,
    dice: Option<u64>,
}

/// A process's way to the store.
#[derive(Clone)]
pub(crate) struct Client {
    store: Store,
    process: Arc<Mutex<Process>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// True if the fault has come.
    pub(crate) fn came(&self) -> bool {
        self.process.lock().unwrap().came
    }

    /// Something else runs whole before the request after `steps` more.
    pub(crate) fn meanwhile(&self, steps: u64, hook: impl Future<Output = ()> + Send + 'static) {
        self.process.lock().unwrap().hook = Some((steps, Box::pin(hook)));
    }

    pub(crate) fn hook_is_left(&self) -> bool {
        self.process.lock().unwrap().hook.is_some()
    }

    /// Lets others run between requests, as the dice fall.
    pub(crate) fn shuffled(self, seed: u64) -> Self {
        self.process.lock().unwrap().dice = Some(seed);
        self
    }

    fn fault(&self) -> Result<Option<Kind>, Fault> {
        let mut process = self.process.lock().unwrap();
        if process.dead {
            return Err(failed());
        }
        match process.fault.take() {
            Some((0, kind)) => {
                process.came = true;
                process.dead = matches!(kind, Kind::Killed | Kind::KilledDone | Kind::Torn);
                process.full |= kind == Kind::Full;
                Ok(Some(kind))
            }
            Some((n, kind)) => {
                process.fault = Some((n - 1, kind));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    async fn pause(&self) {
        let (hook, turns) = {
            let mut process = self.process.lock().unwrap();
            let hook = match process.hook.take() {
                Some((0, hook)) => Some(hook),
                other => {
                    process.hook = other.map(|(n, hook)| (n - 1, hook));
                    None
                }
            };
            let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            process.dice = process.dice.map(next);
            (hook, process.dice.map_or(0, |dice| dice >> 61))
        };
        if let Some(hook) = hook {
            hook.await;
        }
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    async fn write(&self, request: Request) -> Result<Version, Fault> {
        self.pause().await;
        let kind = self.fault()?;
        let run = |request| self.store.0.lock().unwrap().run(request);
        let full = self.process.lock().unwrap().full;
        if full && matches!(request, Request::Put(..)) {
            return Err(Fault::Failed("507: the store is full".into()));
        }
        match kind {
            None | Some(Kind::Full) => run(request),
            Some(Kind::Failed | Kind::Killed) => Err(failed()),
            Some(Kind::FailedDone | Kind::KilledDone) => {
                let _ = run(request);
                Err(failed())
            }
            Some(Kind::Torn) => {
                if let Request::Put(name, mut bytes, condition) = request {
                    bytes.truncate(bytes.len() / 2);
                    if name != "lock" {
                        let _ = run(Request::Put(name, bytes, condition));
                    }
                }
                Err(failed())
            }
            Some(Kind::Slow) => answer_late().await,
            Some(Kind::SlowDone) => {
                let _ = run(request);
                answer_late().await
            }
            Some(Kind::Late) => {
                self.store.0.lock().unwrap().late.push(request);
                answer_late().await
            }
            Some(Kind::Sluggish) => {
                tokio::time::sleep(Duration::from_secs(50)).await;
                run(request)
            }
        }
    }

    async fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T, Fault> {
        self.pause().await;
        match self.fault()? {
            None | Some(Kind::Full) => {}
            Some(Kind::Sluggish) => tokio::time::sleep(Duration::from_secs(50)).await,
            Some(Kind::Slow | Kind::SlowDone | Kind::Late) => answer_late().await?,
            Some(_) => return Err(failed()),
        }
        Ok(read(&self.store.0.lock().unwrap()))
    }
}

fn failed() -> Fault {
    Fault::Failed("the store was stopped by the test".into())
}

async fn answer_late<T>() -> Result<T, Fault> {
    tokio::time::sleep(LONG).await;
    Err(failed())
}

impl Objects for Client {
    async fn get(&self, name: &str, most: u64) -> Result<Option<Object>, Fault> {
        let object = self.read(|state| state.objects.get(name).cloned()).await?;
        match object {
            Some(object) if object.bytes.len() as u64 > most => Err(Fault::TooLong(most)),
            other => Ok(other),
        }
    }

    async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Fault> {
        self.write(Request::Put(name.to_owned(), bytes, Condition::None)).await.map(|_| ())
    }

    async fn put_if_absent(&self, name: &str, bytes: Vec<u8>) -> Result<Version, Fault> {
        self.write(Request::Put(name.to_owned(), bytes, Condition::Absent)).await
    }

    async fn put_if_match(
        &self,
        name: &str,
        bytes: Vec<u8>,
        held: &Version,
    ) -> Result<Version, Fault> {
        self.write(Request::Put(name.to_owned(), bytes, Condition::Match(held.clone()))).await
    }

    async fn delete(&self, name: &str) -> Result<(), Fault> {
        self.write(Request::Delete(name.to_owned())).await.map(|_| ())
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, Fault> {
        let below = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let names = |state: &State| {
            let names = state.objects.keys().filter(|name| name.starts_with(&below));
            names
                .filter(|name| after.is_none_or(|a| name.as_str() > a))
                .take(most)
                .cloned()
                .collect()
        };
        self.read(names).await
    }
}
