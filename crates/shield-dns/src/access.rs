//! Who may take which zone.

use std::net::{IpAddr, SocketAddr};

use domain::base::ToName;
use ipnet::IpNet;

use crate::tsig::{Key, KeyError, Keys, insert};
use crate::zone::WireName;

/// The clients and keys at most.
pub const MAX_CLIENTS: usize = 4_096;

/// One client: an ISP. All that is set must hold at once.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// What it is called in lines for the operator.
    pub name: String,
    /// Its TSIG keys: any of them. While a key is changed both stand here. Empty: it does not sign.
    pub keys: Vec<Key>,
    /// Where it asks from: any of them. Empty: from anywhere.
    pub addresses: Vec<IpNet>,
    /// Whether it must take zones over TLS. The serial alone, which tells nothing of what is blocked,
    /// may still be asked for over UDP: Unbound does so before each transfer.
    pub tls_only: bool,
    /// Which zones, by origin. `None`: all.
    pub zones: Option<Vec<WireName>>,
    /// Where it is told of changes; signed with the first of its keys.
    pub notify: Vec<SocketAddr>,
    /// Under which name it has zones of its own, of the same origins as everybody's: it gets everybody's while there
    /// are none under that name. `None`: everybody's.
    pub own: Option<String>,
}

impl Client {
    /// True where somebody could ask from an address of both.
    fn is_near(&self, other: &Self) -> bool {
        let meets = |a: &IpNet, b: &IpNet| a.contains(b) || b.contains(a);
        self.addresses.is_empty()
            || other.addresses.is_empty()
            || self.addresses.iter().any(|a| other.addresses.iter().any(|b| meets(a, b)))
    }

    fn shares_a_key(&self, other: &Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
    }

    /// True where this one, standing before another, is taken for it whoever asks.
    fn hides(&self, later: &Self) -> bool {
        let within = |net: &IpNet| self.addresses.iter().any(|of| of.contains(net));
        let all = self.addresses.is_empty()
            || (!later.addresses.is_empty() && later.addresses.iter().all(within));
        let keys = later.keys.iter().all(|key| self.keys.contains(key));
        all && (self.keys.is_empty() || (!later.keys.is_empty() && keys))
    }

    /// True where one who asked as this client could, by other settings, ask as that one.
    pub fn could_be(&self, other: &Self) -> bool {
        let unsigned = self.keys.is_empty() || other.keys.is_empty();
        self.is_near(other) && (unsigned || self.shares_a_key(other))
    }
}

/// Why a list of clients is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The lists would be open to everybody.
    #[error("client {0} has neither a key nor an address: give it one")]
    Open(String),
    /// Two secrets under one name.
    #[error("two secrets stand under the key name {0}: give each key its own name")]
    Twice(String),
    /// A key that cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// One that gets other zones stands behind one that takes all its requests.
    #[error(
        "the client {1} is another ISP than {0}, or one of them is none, and {0} stands before it and is taken for it \
         whoever asks: put {1} first, or give each keys or addresses of its own"
    )]
    Hidden(String, String),
    /// More clients than are served.
    #[error("{0} clients, and {MAX_CLIENTS} are the most: serve the rest from another server")]
    Many(usize),
}

/// All clients. To change keys or clients, make it anew and hand it to the server.
#[derive(Debug, Default)]
pub struct Access {
    keys: Keys,
    clients: Vec<Client>,
}

/// Who asks, as far as it is known.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Its address.
    pub peer: IpAddr,
    /// Whether over TLS.
    pub tls: bool,
    /// The key that verifiably signed.
    pub key: Option<Key>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// The SOA.
    Serial,
    /// The zone, or a step of it.
    Zone,
}

impl Access {
    /// Takes a list of clients.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn new(clients: Vec<Client>) -> Result<Self, AccessError> {
        if clients.len() > MAX_CLIENTS {
            return Err(AccessError::Many(clients.len()));
        }
        let mut keys = Keys::new();
        for client in &clients {
            if client.keys.is_empty() && client.addresses.is_empty() {
                return Err(AccessError::Open(client.name.clone()));
            }
            for key in &client.keys {
                if !insert(&mut keys, key) {
                    return Err(AccessError::Twice(key.name().to_string()));
                }
            }
        }
        for (at, first) in clients.iter().enumerate() {
            // The first of which all holds takes it: who asks as the later one would get nothing of its own.
            let hidden = |later: &&Client| first.own != later.own && first.hides(later);
            if let Some(later) = clients.iter().skip(at + 1).find(hidden) {
                return Err(AccessError::Hidden(first.name.clone(), later.name.clone()));
            }
        }
        Ok(Self { keys, clients })
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The clients.
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The client as which an asker may have what it wants of a zone: the first of which all holds.
    pub fn client(&self, asker: &Asker, zone: &impl ToName, want: Want) -> Option<&Client> {
        // An IPv4 client that comes in on an IPv6 socket is still one of IPv4.
        let peer = asker.peer.to_canonical();
        self.clients.iter().find(|client| {
            let signed = || asker.key.as_ref().is_some_and(|key| client.keys.contains(key));
            (client.keys.is_empty() || signed())
                && (client.addresses.is_empty()
                    || client.addresses.iter().any(|net| net.contains(&peer)))
                && (asker.tls || !client.tls_only || want == Want::Serial)
                && client.zones.as_ref().is_none_or(|zones| zones.iter().any(|z| z.name_eq(zone)))
        })
    }
}
