//! The feed over HTTP: who has an ISP's key reads it, and hears at once when there is more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::access::{Access, Action, Asked, Decision, Principal, Refusal};
use desk::clearing::Keeper;
use desk::clearing::publish::Put;
use desk::clearing::rounds::Told as Line;
use shield::feed::{ALL, Place, Whose};
use shield::order::words::Organisation;
use shield_feed::{Barred, Bounds, Grace, Opens, Store, ViewName, Who};
use tokio::net::TcpListener;

use crate::commands::told;
use crate::error::Told;

/// Lists are written anew at most this often; where that takes long (of a million values seconds), less often, so that
/// it takes at most a tenth of the time, but never less often than [`SLOWEST`].
const LISTS: Duration = Duration::from_secs(5);
/// See [`LISTS`].
const SLOWEST: Duration = Duration::from_secs(60);
/// Under which name refusals are counted.
const ROUTE: &str = "/feed";

/// The folder of the feed as it is served.
#[derive(Clone)]
pub(super) struct Web {
    store: Arc<Store>,
    /// Everybody's view.
    all: ViewName,
    told: Line,
}

impl Web {
    /// Of a folder, with the publisher's beneath it.
    pub(super) fn new(folder: &Path, told: Line) -> Result<Self, Told> {
        let odd = |e: shield_feed::StoreError| Told::failure(&e, None);
        let all: ViewName = ALL.parse().map_err(odd)?;
        let store = Store::open(folder, Grace::default(), Instant::now()).map_err(odd)?;
        if let Some(aside) = store.aside() {
            told(&format!("the feed over HTTP, in {}: {aside}", folder.display()));
        }
        Ok(Self { store: Arc::new(store), all, told })
    }

    /// The publisher put another manifest there, or ended a view.
    pub(super) fn take_up(&self, put: Put<'_>) {
        let now = Instant::now();
        let done = match put {
            Put::Stands(view) => {
                view.parse().and_then(|view| self.store.take_up(&view, now)).map(drop)
            }
            Put::Ended(view) => view.parse().and_then(|view| self.store.end(&view, now)),
            Put::LeftOut(..) | Put::LetIn(_) => return,
        };
        if let Err(error) = done {
            (self.told)(&format!("the feed over HTTP: {error}"));
        }
    }

    /// Keeps the lists, in a thread of its own, for as long as the house is open.
    pub(super) fn lists(&self, keeper: Keeper) -> Result<(), Told> {
        let web = self.clone();
        let run = move || {
            let mut last: BTreeMap<ViewName, Place> = BTreeMap::new();
            loop {
                // It shares its rows with the house: that thread waits for none of this.
                let look = |house: &mut desk::clearing::House| {
                    let history = house.feed()?.history();
                    Some((history.place(), history.current().clone()))
                };
                let Ok(found) = keeper.look_in_turn(look) else { return };
                let begun = Instant::now();
                if let Err(error) = web.store.tidy(begun) {
                    (web.told)(&format!("the feed over HTTP: {error}"));
                }
                let views = web.store.standing();
                last.retain(|view, _| views.contains(view));
                for (view, (place, snapshot)) in
                    views.iter().zip(std::iter::repeat(&found).flatten())
                {
                    if last.get(view) == Some(place) {
                        continue;
                    }
                    let whose = if *view == web.all {
                        Some(Whose::All)
                    } else {
                        Organisation::new(&view.to_string()).map(Whose::Isp)
                    };
                    let Some(whose) = whose else { continue };
                    let view_of = snapshot.view_of(&whose);
                    match shield_feed::write_lists(&web.store, view, *place, &view_of) {
                        Ok(_) => drop(last.insert(view.clone(), *place)),
                        Err(error) => (web.told)(&format!("the feed's lists: {error}")),
                    }
                }
                std::thread::sleep((begun.elapsed() * 9).clamp(LISTS, SLOWEST));
            }
        };
        std::thread::Builder::new().name("lists".to_owned()).spawn(run)?;
        Ok(())
    }

    /// Serves it until `stop` is done. Beyond loopback only by TLS.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        tls: Option<shield_feed::Tls>,
        log: PathBuf,
        access: Arc<Access>,
        stop: impl Future<Output = ()>,
    ) -> std::io::Result<()> {
        let bounds = Bounds::default();
        let who = who(access, self.all.clone());
        let router = shield_feed::router(self.store, Some(log), who, bounds);
        shield_feed::serve(listener, tls, router, bounds, stop).await
    }
}

/// An ISP's key opens everybody's view and its own; nothing else opens any.
fn who(access: Arc<Access>, all: ViewName) -> Who {
    Arc::new(move |key, view| {
        let who = key.and_then(|key| access.key(key)).unwrap_or(Principal::Nobody);
        let Principal::Key { organisation, .. } = &who else {
            // Counted, and asked of no quota: all whom nobody knows would pay from one.
            access.refuse(who.party(), ROUTE, Refusal::SignIn);
            return Err(Barred::Nobody);
        };
        let asked = Asked {
            action: Action::FeedRead,
            organisation: Some(organisation),
            source: std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        };
        match access.may(&who, &asked, ROUTE) {
            Decision::Allowed => {}
            Decision::TooMany { retry_s } => return Err(Barred::Later(retry_s)),
            Decision::SignIn | Decision::Forbidden => return Err(Barred::Nobody),
        }
        // Its own, whether there is one now or not: what an ISP may ask for tells it nothing of others.
        let own = Organisation::new(organisation).map(Whose::Isp);
        let own = own.as_ref().and_then(|own| own.name()?.parse().ok());
        let opens = Opens { everybody: Some(all.clone()), own };
        if opens.has(view).is_none() {
            access.refuse(who.party(), ROUTE, Refusal::Forbidden);
        }
        Ok(opens)
    })
}

/// The settings of TLS, of a certificate and its key.
pub(super) fn tls(cert: &Path, key: &Path) -> Result<shield_feed::Tls, Told> {
    let (chain, key) = super::zones::pem(cert, key)?;
    shield_feed::tls_config(chain, key)
        .map_err(|e| Told::Misuse(format!("{}: {e}", cert.display())))
}

/// Where something is served.
pub(super) async fn listen(
    what: &str,
    address: std::net::SocketAddr,
    tls: bool,
) -> Result<TcpListener, Told> {
    if !address.ip().is_loopback() && !tls {
        return Err(Told::Misuse(format!(
            "{what} listens on {address} by TLS alone: give --tls-cert and --tls-key, or a loopback address"
        )));
    }
    let bound = TcpListener::bind(address).await;
    bound.map_err(|e| Told::failure(&e, Some(&format!("{what} cannot listen on {address}"))))
}

/// Who may, of the authority's folder: the door and the feed ask one and the same.
pub(super) fn access(home: &Path) -> Result<Arc<Access>, Told> {
    Access::open(home).map(Arc::new).map_err(told(home))
}

#[cfg(test)]
mod tests {
    use desk::parties::{Act, PartyRole, Sector, act};

    use super::*;

    /// A home with an organisation of each of these offices, and a key of each.
    fn keys(home: &Path, roles: &[PartyRole]) -> Vec<String> {
        let run = |what: Act| act(home, "op", "test", &what).unwrap();
        let organisation = |of: &str, sector| Act::Organisation {
            organisation: of.into(),
            name: of.into(),
            sector,
        };
        run(organisation("authority", Sector::Authority));
        run(Act::Person {
            person: "op".into(),
            name: "op".into(),
            organisation: "authority".into(),
        });
        run(Act::Give { person: "op".into(), role: PartyRole::Operator, from: None, until: None });
        let issue = |role: &PartyRole| {
            let of = format!("o-{}", role.word());
            run(organisation(&of, role.needs().unwrap_or(Sector::Other)));
            let key = format!("k-{}", role.word());
            run(Act::Issue { key, organisation: of, role: *role, until: None }).secret.unwrap()
        };
        roles.iter().map(issue).collect()
    }

    #[test]
    fn an_isps_key_opens_the_feed_and_each_refusal_is_counted() {
        let home = tempfile::tempdir().unwrap();
        let given = keys(home.path(), &[PartyRole::Isp, PartyRole::Probe, PartyRole::Reporter]);
        let access = Arc::new(Access::open(home.path()).unwrap());
        let who = who(Arc::clone(&access), ALL.parse().unwrap());
        let counted = |party: &str| -> u64 {
            let rows = access.refused();
            let of = rows.iter().filter(|row| row.party == party && row.route == ROUTE);
            of.map(|row| row.times.all()).sum()
        };
        let isp = Some(given[0].as_str());
        for view in ["o-isp", ALL] {
            let own = who(isp, view).unwrap().own.unwrap();
            assert_eq!(own.to_string(), "o-isp");
        }
        assert!(access.refused().is_empty());
        // Another's view, whether there is one or not.
        for (n, view) in ["o-other", "-", "../o-isp"].into_iter().enumerate() {
            assert!(who(isp, view).unwrap().has(view).is_none(), "{view}");
            assert_eq!(counted("o-isp"), n as u64 + 1, "{view}");
        }
        for (n, key) in [None, Some(""), Some("vsk_0")].into_iter().enumerate() {
            assert_eq!(who(key, ALL), Err(Barred::Nobody), "{key:?}");
            assert_eq!(counted("public"), n as u64 + 1, "{key:?}");
        }
        for (key, party) in given[1..].iter().zip(["o-probe", "o-reporter"]) {
            assert_eq!(who(Some(key.as_str()), ALL), Err(Barred::Nobody), "{party}");
            assert_eq!(counted(party), 1);
        }
    }
}
