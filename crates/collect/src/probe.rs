//! The shell: looks up, connects and reads what a [`Plan`] says, within its bounds, and nothing else.

mod lookup;
mod recorder;

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::bounds::Bounds;
use crate::capture::{Capture, Step};
use crate::http::{Progress, Reading};
use crate::pacing::Pacing;
use crate::plan::{Fetch, Fetched, Next, Plan, Stop};
use crate::tls::Shown;

pub use lookup::resolver_of;
pub use recorder::Roots;

/// Bytes taken off a connection at once.
const STEP: usize = 16 << 10;

/// Why the probe could not work at all.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The system said no.
    #[error("the probe could not be set up")]
    System(#[from] io::Error),
    /// What keeps the pace said no: nothing leaves that is not counted.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

/// Milliseconds since 1970 in UTC.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A probe: who it asks for addresses, and what it holds certificates against.
#[derive(Debug)]
pub struct Probe {
    resolver: SocketAddr,
    bounds: Bounds,
    roots: Roots,
}

impl Probe {
    /// A probe that asks this resolver.
    pub fn new(resolver: SocketAddr, bounds: Bounds, roots: Roots) -> Self {
        Self { resolver, bounds, roots }
    }

    /// Its bounds.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Follows a plan to its end, at the pace that is shared with whatever else runs; `told` is given each
    /// step.
    ///
    /// # Errors
    /// The system, or the disk that keeps the pace; what the outside world does is no error.
    pub fn run(
        &self,
        mut plan: Plan,
        pacing: &Pacing,
        told: &mut dyn FnMut(&Step),
    ) -> Result<Capture, ProbeError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let mut seen = 0;
        runtime.block_on(async {
            loop {
                let now = now_ms();
                let left = u64::try_from(plan.deadline_ms() - now).unwrap_or(0);
                let deadline = Instant::now() + Duration::from_millis(left);
                let next = pacing.next(&mut plan, now)?;
                match next {
                    Next::Done => break,
                    Next::Wait(until_ms) => {
                        let wait = u64::try_from(until_ms - now).unwrap_or(0);
                        tokio::time::sleep(Duration::from_millis(wait)).await;
                    }
                    Next::Look(lookup) => {
                        let looked =
                            lookup::look(self.resolver, &lookup, &self.bounds, deadline).await;
                        plan.resolved(looked);
                    }
                    Next::Fetch(fetch) => {
                        plan.fetched(self.fetch(&fetch, deadline).await);
                    }
                }
                plan.steps()[seen..].iter().for_each(&mut *told);
                seen = plan.steps().len();
            }
            Ok::<_, ProbeError>(())
        })?;
        plan.steps()[seen..].iter().for_each(&mut *told);
        Ok(plan.finish(now_ms()))
    }

    async fn fetch(&self, fetch: &Fetch, deadline: Instant) -> Fetched {
        let started_ms = now_ms();
        let (tls, reading, stop) = self.exchange(fetch, deadline).await;
        Fetched { started_ms, ended_ms: now_ms(), tls: tls.map(Box::new), reading, stop }
    }

    async fn exchange(
        &self,
        fetch: &Fetch,
        deadline: Instant,
    ) -> (Option<Shown>, Option<Reading>, Option<Stop>) {
        let until = |step: Duration| deadline.min(Instant::now() + step);
        let connected = timeout_at(until(self.bounds.connect), TcpStream::connect(fetch.address));
        let mut stream = match connected.await {
            Err(_) => return (None, None, Some(Stop::TimedOut)),
            Ok(Err(error)) => {
                return (None, None, Some(Stop::NoConnection(error.kind().to_string())));
            }
            Ok(Ok(stream)) => stream,
        };
        let mut reading = Reading::new(fetch.most);
        let Some(name) = &fetch.tls else {
            let until = until(self.bounds.answer);
            let stop = ask(&mut stream, &fetch.request, &mut reading, until).await;
            return (None, Some(reading), stop);
        };
        let until_shaken = until(self.bounds.handshake);
        let shaken = recorder::handshake(stream, fetch.address.ip(), name.as_deref(), &self.roots);
        let (mut stream, shown) = match timeout_at(until_shaken, shaken).await {
            Err(_) => return (None, None, Some(Stop::NoTls("no end in time".to_owned()))),
            Ok(Err((shown, why))) => return (shown, None, Some(Stop::NoTls(why))),
            Ok(Ok(shaken)) => shaken,
        };
        let until = until(self.bounds.answer);
        let stop = ask(&mut stream, &fetch.request, &mut reading, until).await;
        (Some(shown), Some(reading), stop)
    }
}

/// Sends a request and reads what comes, to its end, its bound or its time.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    reading: &mut Reading,
    until: Instant,
) -> Option<Stop> {
    let sent = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    // What was answered before the other side went away is read all the same.
    if timeout_at(until, sent).await.is_err() {
        return Some(Stop::TimedOut);
    }
    let mut buffer = vec![0; STEP];
    loop {
        let progress = match timeout_at(until, stream.read(&mut buffer)).await {
            Err(_) => return Some(Stop::TimedOut),
            Ok(Ok(0)) => reading.close(true),
            // Without TLS's own end nobody knows whether somebody cut it.
            Ok(Err(_)) => reading.close(false),
            Ok(Ok(n)) => match reading.push(&buffer[..n]) {
                Progress::More => continue,
                ended => ended,
            },
        };
        return (progress == Progress::More).then_some(Stop::Gone);
    }
}
