//! What is in force as DNS zones: where, for whom, and who may take them.

mod followed;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use desk::clearing::Keeper;
use desk::clearing::rounds::Told as Line;
use ipnet::IpNet;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use shield::order::words::Organisation;
use shield_dns::{Access, Algorithm, Client, Key, Layout, MAX_CLIENTS, Timers, Zones};

use crate::commands::{plain, read_text};
use crate::error::Told;

pub(in crate::commands::clearing) use followed::Followed;

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
    /// Which ISP it is, by its short name in the register: then its zones say what its own view of the feed does.
    #[serde(default)]
    isp: Option<String>,
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

    /// Which ISPs clients are.
    pub(super) fn isps(&self) -> Result<BTreeSet<Organisation>, Told> {
        self.clients.iter().filter_map(|client| client.isp().transpose()).collect()
    }

    /// Who is served at a start.
    pub(super) fn served(&self) -> Result<Vec<Client>, Told> {
        self.clients.iter().map(ClientConfig::client).collect()
    }

    /// Adds those of this list to who was served so far.
    fn serve(&self, before: &mut Vec<Client>) -> Result<(), Told> {
        for client in &self.clients {
            let client = client.client()?;
            let known = |of: &Client| (&of.name, &of.own) == (&client.name, &client.own);
            match before.iter_mut().find(|of| known(of)) {
                // Its keys and addresses of before are still those of somebody who was served; none are any.
                Some(of) => {
                    if of.addresses.is_empty() || client.addresses.is_empty() {
                        of.addresses.clear();
                    }
                    let anywhere = of.addresses.is_empty();
                    let any_key = of.keys.is_empty() || client.keys.is_empty();
                    if any_key {
                        of.keys.clear();
                    }
                    for key in client.keys.into_iter().filter(|_| !any_key) {
                        if !of.keys.contains(&key) {
                            of.keys.push(key);
                        }
                    }
                    for net in client.addresses.into_iter().filter(|_| !anywhere) {
                        if !of.addresses.contains(&net) {
                            of.addresses.push(net);
                        }
                    }
                }
                None => before.push(client),
            }
        }
        if before.len() > MAX_CLIENTS * 4 {
            let why = format!("more than {} clients were served since the start", MAX_CLIENTS * 4);
            return Err(Told::Misuse(format!("{why}: another takes a restart")));
        }
        Ok(())
    }

    /// Refuses to have somebody who was served be another ISP, or none, under whatever name: the zones that they took
    /// have serials and steps of their own, and those of others lead on from none of them.
    fn stays(&self, before: &[Client]) -> Result<(), Told> {
        for client in &self.clients {
            let client = client.client()?;
            // Who was served so, by no other key and from nowhere else, was so beside the others.
            let same = |of: &Client| {
                (&of.name, &of.own) == (&client.name, &client.own)
                    && (of.keys.is_empty() || !client.keys.is_empty())
                    && client.keys.iter().all(|key| of.keys.is_empty() || of.keys.contains(key))
                    && (of.addresses.is_empty() || !client.addresses.is_empty())
                    && client.addresses.iter().all(|net| {
                        of.addresses.is_empty() || of.addresses.iter().any(|of| of.contains(net))
                    })
            };
            if before.iter().any(same) {
                continue;
            }
            let was = |of: &&Client| {
                of.own != client.own && (of.name == client.name || of.could_be(&client))
            };
            if let Some(was) = before.iter().find(was) {
                let (name, was) = (plain(&client.name), plain(&was.name));
                return Err(Told::Misuse(if name == was {
                    format!("which ISP the client {name} is takes a restart")
                } else {
                    format!(
                        "the client {name} could be the one that was served as {was}, which is another ISP or none: \
                         that takes a restart"
                    )
                }));
            }
        }
        Ok(())
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
pub(super) async fn reloads(
    path: &Path,
    followed: &Arc<Mutex<Option<Followed>>>,
    keeper: &Keeper,
    mut known: Vec<Client>,
    said: &Line,
) {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangups) = signal else {
        said("SIGHUP cannot be heard: who may take the zones changes with a restart alone");
        return std::future::pending().await;
    };
    while hangups.recv().await.is_some() {
        let read = Config::read(path).and_then(|config| {
            config.stays(&known)?;
            let (access, isps) = (config.access()?, config.isps()?);
            config.serve(&mut known)?;
            Ok((access, isps, config.clients.len()))
        });
        match read {
            Ok((access, isps, clients)) => {
                {
                    let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(zones) = followed.as_mut() {
                        zones.access(access, isps);
                    }
                }
                // Who is an ISP that was none before gets its own by this.
                let (keeper, followed) = (keeper.clone(), Arc::clone(followed));
                let again = move || {
                    keeper.look_in_turn(move |house| {
                        let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                        followed.as_mut().map(|zones| zones.follow(house))
                    })
                };
                let lines = tokio::task::spawn_blocking(again).await;
                let lines = lines.ok().and_then(Result::ok).flatten().unwrap_or_default();
                lines.iter().for_each(|line| said(line));
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
    fn isp(&self) -> Result<Option<Organisation>, Told> {
        let isp = self.isp.as_ref().map(|isp| {
            Organisation::new(isp).ok_or_else(|| {
                Told::Misuse(format!(
                    "{isp:?} is no organisation: `vigie party list` shows their short names"
                ))
            })
        });
        isp.transpose()
    }

    fn client(&self) -> Result<Client, Told> {
        let keys: Result<Vec<_>, _> = self.keys.iter().map(KeyConfig::key).collect();
        Ok(Client {
            name: self.name.clone(),
            keys: keys?,
            addresses: self.addresses.clone(),
            tls_only: self.tls_only,
            zones: None,
            notify: self.notify.clone(),
            own: self.isp()?.map(|isp| isp.as_str().to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that took an ISP's own zones is given no others while the server runs, nor the other way round.
    #[test]
    fn which_isp_a_client_is_stays_until_a_restart() {
        let config = |isps: &[(&str, Option<&str>, u8)]| -> Config {
            let client = |(name, isp, at): &(&str, Option<&str>, u8)| {
                let isp = isp.map(|isp| format!("isp = \"{isp}\"\n")).unwrap_or_default();
                format!("[[client]]\nname = \"{name}\"\naddresses = [\"192.0.2.{at}/32\"]\n{isp}")
            };
            let clients: String = isps.iter().map(client).collect();
            toml::from_str(&format!(
                "listen = \"127.0.0.1:0\"\nsuffix = \"rpz.example\"\n{clients}"
            ))
            .unwrap()
        };
        let before = config(&[("one", Some("fibre"), 1), ("two", None, 2)]);
        assert_eq!(before.isps().unwrap(), [Organisation::new("fibre").unwrap()].into());
        let known = before.served().unwrap();
        let three = ("three", Some("cable"), 3);
        for same in [&[("one", Some("fibre"), 1)][..], &[("two", None, 2), three]] {
            assert!(config(same).stays(&known).is_ok());
        }
        for other in [
            ("one", Some("cable"), 1),
            ("one", None, 1),
            ("two", Some("fibre"), 2),
            // Under another name, from the same address.
            ("one-b", None, 1),
            ("one-b", Some("cable"), 1),
            ("two-b", Some("fibre"), 2),
            // Under its own name, from where the other was served.
            ("one", Some("fibre"), 2),
        ] {
            assert!(config(&[other]).stays(&known).is_err(), "{other:?}");
        }
        // Who came in between is known as well, and stays so once struck off.
        let mut known = known;
        config(&[three]).serve(&mut known).unwrap();
        assert!(config(&[("three-b", None, 3)]).stays(&known).is_err());
        assert!(config(&[("three-b", None, 4)]).stays(&known).is_ok());
        assert!(config(&[("one", Some(""), 1)]).isps().is_err());
        // Blanks around it are none of its name.
        assert_eq!(
            config(&[("one", Some(" fibre"), 1)]).served().unwrap()[0].own.as_deref(),
            Some("fibre")
        );
    }
}
