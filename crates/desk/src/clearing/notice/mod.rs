//! Notices to hosts and CDNs: an item that the machine asks a notice of is written about, in the outbox, and sent by
//! a relay that the operator configures, or by the operator's own hand. What was sent is sealed, and then the machine
//! is told, so that silence counts from there.
//!
//! - [`contacts`]: whom to write to, by an operator's file. Who is not known is said aloud, and nobody is guessed.
//! - [`letter`]: what is written, in their language.
//! - [`outbox`]: what waits, in files.
//! - [`post`]: the relay. Nothing calls outside unless one is configured.
//! - `sending`: what is sent, what is put on record of it, and what is taken back.

pub mod contacts;
pub mod letter;
pub mod outbox;
pub mod post;
mod sending;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use shield::item::Kind;
use shield::order::{ItemId, Machine, Moment};

use self::contacts::Contacts;
use self::letter::Letter;
use self::outbox::{MAX_LETTERS, Waiting};
use self::post::Relay;
pub(super) use self::sending::{seal, sent_one, tell};
use super::A_LOOK;
use super::house::House;
use super::keeper::Keeper;
use super::known::Knowledge;
use super::rounds::Told;
use crate::capture::Book;
use crate::{Error, Result};

/// The most notices that are written in one round.
const A_ROUND: usize = 64;

/// How notices are sent: TOML.
///
/// ```toml
/// from = "desk@authority.example"
/// contacts = "contacts.toml"                       # beside this file
/// pages = "https://clearing.authority.example"     # where anybody objects; left out where there are none
///
/// [relay]                                          # left out: letters wait to be sent by hand
/// host = "mail.authority.example"
/// port = 587
/// tls = "starttls"                                 # or "tls"; "none" to loopback alone
/// user = "desk"
/// password_file = "relay.password"
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// As whom.
    pub from: String,
    /// Whom to write to.
    pub contacts: PathBuf,
    /// Where anybody objects.
    #[serde(default)]
    pub pages: Option<String>,
    /// By what.
    #[serde(default)]
    pub relay: Option<post::RelaySettings>,
}

impl Settings {
    /// Reads them; paths are beside the file.
    ///
    /// # Errors
    /// [`Error::Asked`]: what they say that cannot be.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let shown = crate::shell::quoted_path(path);
        let mut read: Self =
            toml::from_str(&text).map_err(|e| Error::Asked(format!("{shown}: {e}")))?;
        if read.from.parse::<lettre::Address>().is_err() {
            return Err(Error::Asked(format!("{shown}: {:?} is no e-mail address", read.from)));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        read.contacts = folder.join(&read.contacts);
        if let Some(relay) = &mut read.relay {
            relay.beside(folder);
        }
        Ok(read)
    }
}

/// Who writes and sends.
#[derive(Debug)]
pub struct Notices {
    dir: PathBuf,
    settings: Settings,
    contacts: Contacts,
    relay: Option<Relay>,
    known: Knowledge,
    book: Arc<Mutex<Book>>,
}

/// An item that a notice is asked of.
#[derive(Debug, Clone)]
struct Asked {
    item: ItemId,
    value: shield::Item,
    order: String,
    blocked: bool,
    exhibit: Option<model::ExhibitId>,
    silence_ms: u64,
}

impl Notices {
    /// Those of a clearing house's folder.
    ///
    /// # Errors
    /// What the settings or the contacts say that cannot be.
    pub fn open(dir: &Path, settings: Settings, known: Knowledge) -> Result<Self> {
        let contacts = Contacts::read(&settings.contacts)?;
        let relay = settings.relay.as_ref().map(Relay::open).transpose()?;
        let (dir, book) = (dir.to_owned(), Arc::default());
        Ok(Self { dir, settings, contacts, relay, known, book })
    }

    /// How many contacts are known.
    pub fn contacts(&self) -> usize {
        self.contacts.len()
    }

    /// True where a relay sends; else letters wait for a hand.
    pub fn sends(&self) -> bool {
        self.relay.is_some()
    }

    /// Takes back what is over, writes what is asked for, and sends what is due; true where anything was done.
    ///
    /// # Errors
    /// The disk; the house is closed. What a relay says is no error.
    pub fn round(&mut self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let took_back = self.take_back(keeper, told)?;
        let wrote = self.write(keeper, told)?;
        let sent = self.send(keeper, told)?;
        Ok(took_back || wrote || sent)
    }

    fn write(&mut self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let (asked, now) = keeper.look(|house| (asked(house), house.now()))?;
        if asked.is_empty() {
            return Ok(false);
        }
        let (waiting, _) = outbox::all(&self.dir)?;
        let fresh: Vec<Asked> = asked
            .into_iter()
            .filter(|of| !waiting.iter().any(|letter| letter.item == of.item))
            .take(A_ROUND.min(MAX_LETTERS.saturating_sub(waiting.len())))
            .collect();
        if fresh.is_empty() {
            return Ok(false);
        }
        self.follow(keeper)?;
        let authority = keeper.look(|house| house.case().authority().to_owned())?;
        for asked in fresh {
            self.one(&asked, &authority, now, told)?;
        }
        Ok(true)
    }

    /// Writes the letters of one item.
    fn one(&self, asked: &Asked, authority: &str, now: Moment, told: &Told) -> Result<()> {
        let places = self.places(asked)?;
        let name = asked.value.name().map(|name| name.as_str());
        let to = self.contacts.of(name, &places);
        let letter = Letter {
            item: asked.item.to_string(),
            value: asked.value.to_string(),
            order: asked.order.clone(),
            authority: authority.to_owned(),
            addresses: places.iter().map(|(address, _)| address.to_string()).collect(),
            blocked: asked.blocked,
            silence_ms: asked.silence_ms,
            at: now,
            pages: self.settings.pages.clone(),
        };
        let waiting = |number: u16, to: Option<&str>| Waiting {
            item: asked.item,
            number,
            value: asked.value.to_string(),
            to: to.map(str::to_owned),
            written: now,
            tries: 0,
            next: now,
            failed: None,
            sent: None,
        };
        if to.is_empty() {
            told(&format!(
                "notice of {} ({}): nobody is known who answers for it: {} names none. Tell them yourself, then \
                 `vigie shield notice sent`",
                asked.value,
                asked.item,
                self.settings.contacts.display()
            ));
            return waiting(0, None).put(&self.dir, None);
        }
        for (number, contact) in (0..).zip(&to) {
            let message = letter.message(&self.settings.from, contact);
            let message = message.map_err(|e| Error::Asked(e.to_string()))?;
            waiting(number, Some(&contact.email)).put(&self.dir, Some(&message.formatted()))?;
            told(&format!(
                "notice of {} ({}) written to {}",
                asked.value, asked.item, contact.email
            ));
        }
        Ok(())
    }

    /// What the log says of captures by now: a few records in one look, since acts wait meanwhile.
    fn follow(&self, keeper: &Keeper) -> Result<()> {
        loop {
            let book = Arc::clone(&self.book);
            let read = move |house: &mut House| {
                let mut book = book.lock().unwrap_or_else(PoisonError::into_inner);
                book.follow_some(house.case(), A_LOOK)
            };
            if !keeper.look(read)?? {
                return Ok(());
            }
        }
    }

    /// Where the item was seen: an address itself, a name where its capture found it.
    fn places(&self, asked: &Asked) -> Result<Vec<(IpAddr, Option<u32>)>> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let captured = book.captured.iter().rev();
        let mut captured = captured.filter(|(_, made)| Some(made.exhibit) == asked.exhibit);
        let addresses: Vec<IpAddr> = match asked.value.address() {
            Some(address) => vec![address],
            None => captured
                .next()
                .into_iter()
                .flat_map(|(_, made)| &made.addresses)
                .filter_map(|a| a.parse().ok())
                .collect(),
        };
        self.known.check(|check| {
            let asn = |address: &IpAddr| {
                let places = check.places.and_then(|places| places.look_up(address.to_canonical()));
                places.and_then(|place| place.asn)
            };
            addresses.iter().map(|address| (*address, asn(address))).collect()
        })
    }
}

/// What the machine asks a notice of by now.
fn asked(house: &mut House) -> Vec<Asked> {
    let items = house.notices_asked();
    let house = &*house;
    let one = |item: ItemId| {
        let live = house.state().item(item)?;
        let ticket = house.state().ticket(item.ticket())?;
        let evidence = live.machine.evidence();
        let since = live.machine.in_force().map(|in_force| &in_force.evidence);
        let policy = house.policy();
        let silence_ms = match ticket.event {
            Some(_) => policy.silence_event_ms,
            None => policy.silence_site_ms,
        };
        Some(Asked {
            item,
            value: (*live.value).clone(),
            order: ticket.order.as_str().to_owned(),
            blocked: matches!(live.machine, Machine::InForce(_)) && live.value.kind() == Kind::Fqdn,
            exhibit: evidence.or(since).map(|evidence| evidence.exhibit),
            silence_ms,
        })
    };
    items.into_iter().filter_map(one).collect()
}
