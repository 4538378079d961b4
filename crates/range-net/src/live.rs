//! A night from its beginning to its end.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::disk::{self, Overwrite};
use range::night::{HOUSE, HOUSE_NAME, HOUSE6, NAMES, Night};
use serde_json::Value;
use shield_feed::{Bounds, Tls};

use crate::claim::{self, Claim};
use crate::isp::{self, Running};
use crate::{Error, lay, names, show, tool, web};

/// How often resolvers are looked at.
const LOOKED: Duration = Duration::from_secs(1);
/// What marks a folder as a night's.
const MARK: &str = "night.json";

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Options {
    /// What names are made of.
    pub seed: u64,
    /// So many ISPs; see [`Night::new`].
    pub isps: u8,
    /// The folder of settings: new, empty, or an earlier night's.
    pub out: PathBuf,
}

/// A night that runs. Dropped, all of it ends.
#[derive(Debug)]
pub struct Live {
    night: Arc<Night>,
    out: PathBuf,
    cleared: usize,
    sockets: Vec<Socket>,
    // In the order in which they end: resolvers, then namespaces.
    isps: Vec<Running>,
    claim: Claim,
    _mine: File,
}

/// A socket of the night's internet, opened where it belongs.
#[derive(Debug)]
enum Socket {
    Names(UdpSocket, TcpListener),
    Site(IpAddr, TcpListener, Option<Tls>),
}

impl Live {
    /// Makes it. Where `stop` is set meanwhile it is given up, and all that was made is removed.
    ///
    /// # Errors
    /// See [`Error`]; nothing of it is left then.
    pub fn begin(options: &Options, stop: &AtomicBool) -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let mut night = Night::new(options.seed, options.isps);
        if !lay::has_ipv6() {
            night = night.without_ipv6();
        }
        tool::need("ip", "iproute2")?;
        for isp in &night.isps {
            match isp.resolver {
                range::night::Resolver::Unbound => tool::need("unbound", "unbound")?,
                range::night::Resolver::Bind => tool::need("named", "bind9")?,
            }
        }
        let (out, mine) = folder(&options.out)?;
        let (claim, cleared) = Claim::take(&lay::places(&night))?;
        let mut live = Self {
            night: Arc::new(night),
            out,
            cleared,
            sockets: Vec::new(),
            isps: Vec::new(),
            claim,
            _mine: mine,
        };
        lay::make(&live.claim, &live.night)?;
        live.open()?;
        live.write()?;
        // Names have to be answered for before a resolver is asked; served for good is in `serve`.
        let Some(Socket::Names(udp, _)) = live.sockets.first() else { return Ok(live) };
        let (udp, done) =
            (udp.try_clone().map_err(Error::socket("the names' socket"))?, AtomicBool::new(false));
        udp.set_read_timeout(Some(Duration::from_millis(100)))
            .map_err(Error::socket("the names' socket"))?;
        let (night, zone) = (Arc::clone(&live.night), live.zone());
        let begun = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut buffer = [0; 1_500];
                while !done.load(Ordering::Relaxed) {
                    let Ok((length, from)) = udp.recv_from(&mut buffer) else { continue };
                    let answer = buffer.get(..length).and_then(|bytes| names::answer(&zone, bytes));
                    answer.map(|answer| udp.send_to(&answer, from));
                }
            });
            let begin = |isp| isp::begin(isp, &night, &live.out, &live.claim, stop);
            let begun: Result<Vec<_>, Error> = night.isps.iter().map(begin).collect();
            done.store(true, Ordering::Relaxed);
            begun
        });
        live.isps = begun?;
        Ok(live)
    }

    /// What the names' server knows: the night's names, and texts that their holders put into the folder.
    fn zone(&self) -> names::Zone {
        names::Zone { night: Arc::clone(&self.night), texts: self.out.join("txt") }
    }

    /// Opens the sockets.
    fn open(&mut self) -> Result<(), Error> {
        let world = claim::space(self.claim.id(), lay::WORLD);
        let bind = |address: IpAddr, port: u16| {
            let what = format!("{} on the practice range", SocketAddr::new(address, port));
            lay::within(&world, || TcpListener::bind((address, port))).map_err(Error::socket(what))
        };
        let udp = lay::within(&world, || UdpSocket::bind((NAMES, 53)))
            .map_err(Error::socket(format!("{NAMES}:53 on the practice range")))?;
        self.sockets.push(Socket::Names(udp, bind(NAMES.into(), 53)?));
        for address in self.night.addresses() {
            self.sockets.push(Socket::Site(address, bind(address, 80)?, None));
            let tls = web::tls(&self.night, address)?;
            self.sockets.push(Socket::Site(address, bind(address, 443)?, Some(tls)));
        }
        Ok(())
    }

    /// Writes what those who play find in the folder.
    fn write(&self) -> Result<(), Error> {
        let house = self.out.join("house");
        disk::create_dir(&house)?;
        let (chain, key) =
            web::certificate(vec![HOUSE_NAME.to_owned(), HOUSE.to_string(), HOUSE6.to_string()])?;
        disk::write(&house.join("tls.pem"), chain.as_bytes())?;
        disk::write_with(&house.join("tls.key"), key.as_bytes(), Overwrite::Replace, 0o600)?;
        let popular = self
            .night
            .sites
            .iter()
            .filter(|site| site.popular)
            .map(|site| format!("{}\n", site.name));
        disk::write(&self.out.join("popular.txt"), popular.collect::<String>().as_bytes())?;
        self.night.isps.iter().try_for_each(|isp| isp::write(isp, &self.out, &self.claim))?;
        let text =
            self.documents().iter().map(|document| format!("{document}\n")).collect::<String>();
        Ok(disk::write(&self.out.join(MARK), text.as_bytes())?)
    }

    /// Where everything is, in words.
    pub fn text(&self) -> String {
        show::text(&self.night, self.claim.id(), &self.out, self.cleared)
    }

    /// Where everything is: the range, each site, each ISP, the clearing house's place.
    pub fn documents(&self) -> Vec<Value> {
        show::documents(&self.night, self.claim.id(), &self.out, self.cleared)
    }

    /// Runs it until `stop` is done. What is to be told meanwhile goes to `told`.
    ///
    /// # Errors
    /// A socket that is no socket any more.
    pub async fn serve(
        mut self,
        told: impl Fn(&str),
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let mut at_work = tokio::task::JoinSet::new();
        let zone = self.zone();
        for socket in std::mem::take(&mut self.sockets) {
            let night = Arc::clone(&self.night);
            match socket {
                Socket::Names(udp, tcp) => {
                    udp.set_nonblocking(true).map_err(Error::socket("the names' socket"))?;
                    let udp = tokio::net::UdpSocket::from_std(udp)
                        .map_err(Error::socket("the names' socket"))?;
                    at_work.spawn(names::datagrams(udp, zone.clone()));
                    at_work.spawn(names::streams(listening(tcp)?, zone.clone()));
                }
                Socket::Site(address, tcp, tls) => {
                    let (tcp, router) = (listening(tcp)?, web::router(night, address));
                    at_work.spawn(async move {
                        let ever = std::future::pending();
                        let _ = shield_feed::serve(tcp, tls, router, Bounds::default(), ever).await;
                    });
                }
            }
        }
        let mut stop = std::pin::pin!(stop);
        let mut ended = vec![false; self.isps.len()];
        loop {
            tokio::select! {
                () = &mut stop => return Ok(()),
                () = tokio::time::sleep(LOOKED) => {}
            }
            for (isp, told_of) in self.isps.iter_mut().zip(&mut ended) {
                if !*told_of && isp.has_ended() {
                    *told_of = true;
                    let (name, of, said) = (isp.isp.resolver.name(), &isp.isp.name, isp.said());
                    told(&format!("{name} of {of} has ended; the last it said: {said}"));
                }
            }
        }
    }
}

fn listening(listener: TcpListener) -> Result<tokio::net::TcpListener, Error> {
    listener.set_nonblocking(true).map_err(Error::socket("a site's socket"))?;
    tokio::net::TcpListener::from_std(listener).map_err(Error::socket("a site's socket"))
}

/// The folder, whole, and the hold on it: two nights cannot have the same.
fn folder(out: &Path) -> Result<(PathBuf, File), Error> {
    let holds =
        |folder: &Path| std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if out.exists() && (!out.is_dir() || holds(out) && !out.join(MARK).is_file()) {
        return Err(Error::Folder(out.to_owned(), "holds something else than a practice night"));
    }
    disk::create_dir(out)?;
    let out =
        out.canonicalize().map_err(Error::socket(format!("{} cannot be found", out.display())))?;
    // It stands in the settings of resolvers, between quotes.
    if !out
        .to_str()
        .is_some_and(|text| text.chars().all(|c| !c.is_control() && !"\"\\'".contains(c)))
    {
        return Err(Error::Folder(out, "has a name that resolvers cannot read"));
    }
    if !out.join(MARK).is_file() {
        disk::write(&out.join(MARK), b"")?;
    }
    let mine =
        File::open(&out).map_err(Error::socket(format!("{} cannot be opened", out.display())))?;
    match mine.try_lock() {
        Ok(()) => Ok((out, mine)),
        Err(_) => Err(Error::Folder(out, "is that of a practice night which runs")),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_nights_and_nothing_elses() {
        let work = tempfile::tempdir().unwrap();
        let out = work.path().join("night");
        let (whole, held) = folder(&out).unwrap();
        assert!(whole.is_absolute());
        assert!(folder(&out).unwrap_err().to_string().contains("which runs"));
        drop(held);
        folder(&out).unwrap();
        std::fs::write(work.path().join("letter"), "dear").unwrap();
        for other in [work.path().to_owned(), work.path().join("letter")] {
            assert!(folder(&other).unwrap_err().to_string().contains("something else"));
        }
        let quoted = folder(&work.path().join("ni\"ght")).unwrap_err().to_string();
        assert!(quoted.contains("cannot read"), "{quoted}");
    }
}
