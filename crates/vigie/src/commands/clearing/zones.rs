//! What is in force as DNS zones: each new serial of the feed becomes a step of the zones it touches.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use desk::clearing::House;
use desk::clearing::rounds::Told as Line;
use ipnet::IpNet;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use shield::feed::Row;
use shield::order::State;
use shield_dns::{
    Access, Algorithm, Client, Fqdn, Key, Layout, MAX_HOT, Place, Publisher, Timers, Zones,
};

use crate::commands::read_text;
use crate::error::Told;

/// The longest file of settings.
const MAX_CONFIG: usize = 4 << 20;

/// The file that says how zones are served, and to whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// Where: UDP and TCP.
    pub(super) listen: SocketAddr,
    /// Under which name all zones lie.
    pub(super) suffix: String,
    /// The contact in the SOA, as a name.
    #[serde(default = "contact")]
    pub(super) contact: String,
    /// Whether a catalog zone lists them.
    #[serde(default)]
    pub(super) catalog: bool,
    /// Over TLS too.
    pub(super) tls: Option<Tls>,
    /// Who may.
    #[serde(default, rename = "client")]
    pub(super) clients: Vec<ClientConfig>,
}

fn contact() -> String {
    "hostmaster.invalid".to_owned()
}

/// TLS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    /// Where.
    pub(super) listen: SocketAddr,
    /// The certificate with those above it, PEM.
    pub(super) certificate: PathBuf,
    /// Its key, PEM.
    pub(super) key: PathBuf,
}

/// A client: an ISP.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientConfig {
    name: String,
    #[serde(default)]
    addresses: Vec<IpNet>,
    #[serde(default)]
    notify: Vec<SocketAddr>,
    #[serde(default)]
    tls_only: bool,
    #[serde(default, rename = "key")]
    keys: Vec<KeyConfig>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyConfig {
    name: String,
    #[serde(default)]
    algorithm: AlgorithmWord,
    /// A file with the secret, in Base64, as `tsig-keygen` prints it.
    secret: PathBuf,
}

#[derive(Debug, Default, Deserialize)]
enum AlgorithmWord {
    #[default]
    #[serde(rename = "hmac-sha256")]
    Sha256,
    #[serde(rename = "hmac-sha512")]
    Sha512,
}

impl Config {
    /// Reads the file. Paths in it are beside it.
    pub(super) fn read(path: &Path) -> Result<Self, Told> {
        let text = read_text(path, MAX_CONFIG)?;
        let mut config: Self = toml::from_str(&text).map_err(|e| {
            Told::Misuse(format!("{}: {}", path.display(), e.to_string().trim_end()))
        })?;
        let beside = path.parent().unwrap_or_else(|| Path::new("."));
        if let Some(tls) = &mut config.tls {
            tls.certificate = beside.join(&tls.certificate);
            tls.key = beside.join(&tls.key);
        }
        for key in config.clients.iter_mut().flat_map(|client| &mut client.keys) {
            key.secret = beside.join(&key.secret);
        }
        Ok(config)
    }

    /// Who may take what.
    pub(super) fn access(&self) -> Result<Access, Told> {
        let clients: Result<Vec<_>, _> = self.clients.iter().map(ClientConfig::client).collect();
        Access::new(clients?).map_err(|e| Told::Misuse(e.to_string()))
    }

    /// The zones, empty, for a house whose log has so many records.
    pub(super) fn zones(&self, records: u64) -> Result<Zones, Told> {
        let layout = Layout {
            suffix: self.suffix.clone(),
            contact: self.contact.clone(),
            timers: Timers::default(),
            catalog: self.catalog,
        };
        Zones::new(&layout, serial(records)).map_err(|e| Told::Misuse(e.to_string()))
    }
}

impl Tls {
    /// The server's side of TLS.
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, Told> {
        let (chain, key) = pem(&self.certificate, &self.key)?;
        shield_dns::tls_config(chain, key)
            .map_err(|e| Told::Misuse(format!("{}: {e}", self.certificate.display())))
    }
}

/// Reads at each SIGHUP anew who may take the zones, and with which keys; for as long as it is awaited.
///
/// A key that got into wrong hands is struck off so: the others' connections, and the session, go on.
pub(super) async fn reloads(path: &Path, followed: &Mutex<Option<Followed>>, said: &Line) {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangups) = signal else {
        said("SIGHUP cannot be heard: who may take the zones changes with a restart alone");
        return std::future::pending().await;
    };
    while hangups.recv().await.is_some() {
        let read =
            Config::read(path).and_then(|config| Ok((config.access()?, config.clients.len())));
        match read {
            Ok((access, clients)) => {
                let followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(zones) = followed.as_ref() {
                    zones.access(access);
                }
                let clients = crate::commands::counted(clients as u64, "client");
                said(&format!(
                    "{}: {clients} may take the zones from now on; what else the file says takes a restart",
                    path.display()
                ));
            }
            Err(error) => said(&format!("the zones' clients stay what they were: {error}")),
        }
    }
}

/// A certificate with those above it, and its key, of files in PEM.
pub(super) fn pem(
    certificate: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Told> {
    let odd = |path: &Path, why: &dyn std::fmt::Display| {
        Told::Misuse(format!("{}: {why}", path.display()))
    };
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).map_err(|e| odd(certificate, &e))?.collect();
    let chain = chain.map_err(|e| odd(certificate, &e))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| odd(key, &e))?;
    Ok((chain, key))
}

impl ClientConfig {
    fn client(&self) -> Result<Client, Told> {
        let keys: Result<Vec<_>, _> = self.keys.iter().map(KeyConfig::key).collect();
        Ok(Client {
            name: self.name.clone(),
            keys: keys?,
            addresses: self.addresses.clone(),
            tls_only: self.tls_only,
            zones: None,
            notify: self.notify.clone(),
        })
    }
}

impl KeyConfig {
    fn key(&self) -> Result<Key, Told> {
        let text = read_text(&self.secret, 4096)?;
        let secret = data_encoding::BASE64
            .decode(text.trim().as_bytes())
            .map_err(|e| Told::Misuse(format!("{}: no Base64 ({e})", self.secret.display())))?;
        let algorithm = match self.algorithm {
            AlgorithmWord::Sha256 => Algorithm::Sha256,
            AlgorithmWord::Sha512 => Algorithm::Sha512,
        };
        Key::new(&self.name, algorithm, &secret)
            .map_err(|e| Told::Misuse(format!("{}: {e}", self.secret.display())))
    }
}

/// What the serials of zones follow: the clock, and the log. Each change of a zone has a record of its own,
/// so that no serial ever runs ahead of this, and whoever begins anew after many changes a second is not
/// behind what secondaries have.
fn serial(records: u64) -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs().saturating_add(records)
}

/// The zones with what stands in them, and where.
pub(super) struct Followed {
    zones: Zones,
    placed: HashMap<Fqdn, Place>,
    /// How many of them are hot.
    hot: usize,
    /// The serial that they are at; `None` before the first.
    at: Option<u64>,
    /// True where a stop had them emptied.
    shut: bool,
    publisher: Option<Publisher>,
    /// Names for some ISPs alone, which stand in no zone.
    apart: BTreeSet<String>,
}

impl Followed {
    pub(super) fn new(zones: Zones) -> Self {
        Self {
            zones,
            placed: HashMap::new(),
            hot: 0,
            at: None,
            shut: false,
            publisher: None,
            apart: BTreeSet::new(),
        }
    }

    /// Who serves them from now on.
    pub(super) fn serve(&mut self, publisher: Publisher) {
        publisher.zones(self.zones.view());
        self.publisher = Some(publisher);
    }

    /// Who may take them from now on: a transfer to one who is struck off ends.
    pub(super) fn access(&self, access: Access) {
        if let Some(publisher) = &self.publisher {
            publisher.access(access);
        }
    }

    /// The zones as they are.
    pub(super) fn view(&self) -> Arc<shield_dns::View> {
        self.zones.view()
    }

    /// How many names stand in them.
    pub(super) fn len(&self) -> usize {
        self.placed.len()
    }

    /// Follows the feed to where it is; gives what could not be told by DNS.
    pub(super) fn follow(&mut self, house: &House) -> Vec<String> {
        let Some(feed) = house.feed() else { return Vec::new() };
        let history = feed.history();
        let (at, state) = (history.place().serial, house.state());
        // No step leads across a stop that empties all or is over: what else came with it is not all that changed.
        let shut = history.current().gates().is_shut();
        let crosses = std::mem::replace(&mut self.shut, shut) || shut;
        let step = history
            .last()
            .filter(|delta| Some(delta.from()) == self.at && delta.to() == at && !crosses);
        let wanted = |row: &Row| wanted(state, row);
        let mut moves = Moves::default();
        match step {
            Some(delta) if !delta.changes().is_empty() => {
                for change in delta.changes() {
                    let Some(name) = change.value.name() else { continue };
                    if is_apart(change.after.as_ref()) {
                        moves.apart.insert(name.to_string());
                    } else {
                        self.apart.remove(name.as_str());
                    }
                    moves.one(self, name.as_str(), change.after.as_ref().and_then(wanted));
                }
            }
            _ => {
                let open = !shut;
                let rows = history.current().rows().filter(|row| is_apart(Some(row)));
                let apart = rows.filter_map(|row| Some(row.value().name()?.to_string()));
                moves.apart = apart.collect();
                self.apart.retain(|name| moves.apart.contains(name));
                let rows = history.current().rows().filter(|_| open);
                let all: HashMap<String, Place> = rows
                    .filter_map(|row| Some((row.value().name()?.as_str().to_owned(), wanted(row)?)))
                    .collect();
                let gone: Vec<Fqdn> = self
                    .placed
                    .keys()
                    .filter(|name| !all.contains_key(&name.to_string()))
                    .cloned()
                    .collect();
                for name in gone {
                    moves.one(self, &name.to_string(), None);
                }
                for (name, place) in all {
                    moves.one(self, &name, Some(place));
                }
            }
        }
        self.at = Some(at);
        self.make(moves, serial(house.case().len()))
    }

    /// Notes where a name stands now.
    fn put(&mut self, name: Fqdn, place: Option<Place>) {
        let before = match place {
            Some(place) => self.placed.insert(name, place),
            None => self.placed.remove(&name),
        };
        self.hot -= usize::from(before == Some(Place::Hot));
        self.hot += usize::from(place == Some(Place::Hot));
    }

    fn make(&mut self, moves: Moves, now: u64) -> Vec<String> {
        let mut told = moves.odd;
        let new = moves.apart.into_iter().filter(|name| self.apart.insert(name.clone()));
        let new: Vec<String> = new.collect();
        if let Some(first) = new.first() {
            let more =
                if new.len() > 1 { format!(" and {} more", new.len() - 1) } else { String::new() };
            told.push(format!(
                "{first}{more}: in force for some ISPs alone, and in no zone, since zones are for all; these ISPs have to \
                 follow the feed by a view of their own (docs/feed.md)"
            ));
        }
        for (place, add, remove) in
            [(Place::Hot, moves.hot, moves.hot_gone), (Place::Cold, moves.cold, moves.cold_gone)]
        {
            if add.is_empty() && remove.is_empty() {
                continue;
            }
            if let Err(error) = self.zones.change(place, &add, &remove, now) {
                told.push(format!("the zones: {error}"));
                // What is lifted is opened whatever else has no room.
                let _ = self.zones.change(place, &[], &remove, now);
                add.iter().for_each(|name| self.put(name.clone(), None));
            }
        }
        if let Some(publisher) = &self.publisher {
            publisher.zones(self.zones.view());
        }
        told
    }
}

/// What goes where.
#[derive(Default)]
struct Moves {
    hot: Vec<Fqdn>,
    hot_gone: Vec<Fqdn>,
    cold: Vec<Fqdn>,
    cold_gone: Vec<Fqdn>,
    odd: Vec<String>,
    /// In force for some ISPs alone.
    apart: BTreeSet<String>,
}

impl Moves {
    fn one(&mut self, zones: &mut Followed, name: &str, place: Option<Place>) {
        let name = match Fqdn::parse(name) {
            Ok(name) => name,
            Err(error) => return self.odd.push(format!("{name} stands in no zone: {error}")),
        };
        let before = zones.placed.get(&name).copied();
        // A hot zone that is full is small no more: what has no room there is blocked all the same.
        let full = before != Some(Place::Hot) && zones.hot >= MAX_HOT;
        let place = match place {
            Some(Place::Hot) if full => Some(Place::Cold),
            other => other,
        };
        if before == place {
            return;
        }
        match before {
            Some(Place::Hot) => self.hot_gone.push(name.clone()),
            Some(Place::Cold) => self.cold_gone.push(name.clone()),
            None => {}
        }
        match place {
            Some(Place::Hot) => self.hot.push(name.clone()),
            Some(Place::Cold) => self.cold.push(name.clone()),
            None => {}
        }
        zones.put(name, place);
    }
}

/// True where what is out is out for some ISPs alone.
fn is_apart(row: Option<&Row>) -> bool {
    row.is_some_and(|row| row.for_all().is_none())
}

/// In which zone a row's name stands: an event's in the hot one. What is addressed to some ISPs alone
/// stands in none, since the zones are for all.
fn wanted(state: &State, row: &Row) -> Option<Place> {
    let entry = row.for_all()?;
    let event = state.ticket(entry.ticket()).is_some_and(|ticket| ticket.event.is_some());
    Some(if event { Place::Hot } else { Place::Cold })
}
