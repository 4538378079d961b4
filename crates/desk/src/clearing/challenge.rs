//! Proof of control before an objection counts (docs/clearing-house.md): the house gives out a text, who objects
//! puts it where only a holder of the name or address can, the house looks, seals what it saw, and then the
//! objection is decided on with its clock. Without it there is the harm report.
//!
//! What is given out is kept nowhere: a token carries its own end and a MAC over it, the item and the hash of what
//! was said, under a secret of this folder. So floods of them cost no memory, a restart voids none, and no address
//! of who asked is there to be kept. What was not met leaves no record either.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use collect::challenge::{Challenge, Looked, bounds};
use collect::host::{Host, HostRule};
use collect::pacing::Pacing;
use collect::probe::{Probe, Roots, now_ms};
use data_encoding::{BASE32_NOPAD, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use ledger::disk::{self, Overwrite};
use model::Sha256Hex;
use model::record::{ChallengeMet, Name, time_text};
use sha2::Sha256;
use shield::Item;
use shield::order::{Actor, Command, Moment, Refusal};
use vault::Origin;

pub use collect::challenge::{At, Found, Way};

use super::follow;
pub use super::hand::Hand;
use super::house::{Ask, Done, House};
use super::statement;
use crate::Result;
use crate::capture::Book;

/// For how long a token can be met, in minutes: three days.
pub const LIFE_MIN: u32 = 3 * 24 * 60;
/// The most looks at once: each takes three connections, one after another, and 45 seconds at the most.
pub const AT_ONCE: usize = 8;
/// The file of the secret, in the folder of the door.
const SECRET: &str = "challenge.key";
/// What the MAC begins with.
const DOMAIN: &[u8] = b"vigie/challenge/v1\0";

/// Who gives out challenges, and looks whether they were met.
#[derive(Debug)]
pub struct Challenges {
    secret: [u8; 32],
    vantage: Option<(SocketAddr, Probe)>,
    pacing: Pacing,
    at: At,
    at_once: AtomicUsize,
    book: Mutex<Book>,
}

/// A challenge that was given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The text that has to stand there.
    pub token: String,
    /// Until when.
    pub until: Moment,
    /// Each way, and where: any one is enough.
    pub places: Vec<(Way, String)>,
}

/// Why an objection does not count yet. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet {
    /// The token is past its end: ask for a new one.
    Expired,
    /// This house gave out no such token for this item and these words.
    NotOurs,
    /// As many looks are under way as there may be: again in a moment.
    Busy,
    /// This process looks at nothing (`--no-captures`, or no resolver is known).
    NoVantage,
    /// It was looked for: what was found each way.
    Not(Vec<(Way, Found)>),
}

impl Unmet {
    /// Its word, for JSON and catalogues.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotOurs => "not_ours",
            Self::Busy => "busy",
            Self::NoVantage => "no_vantage",
            Self::Not(_) => "not_met",
        }
    }
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired => f.write_str("the token is past its end: object without one for a new one"),
            Self::NotOurs => f.write_str(
                "this clearing house gave out no such token for this item and these very words: object without \
                 one for a new one",
            ),
            Self::Busy => f.write_str("as many are looked for as may be at once: ask again in a minute"),
            Self::NoVantage => f.write_str(
                "nothing is looked for by this process: ask where `vigie serve --shield` runs with captures",
            ),
            Self::Not(not) => {
                f.write_str("the token was not found, so that this is no objection yet")?;
                for (way, found) in not {
                    write!(f, "; {}: {}", way.word(), about(*found))?;
                }
                Ok(())
            }
        }
    }
}

/// What came of an objection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// No token was shown: here is one.
    Issued(Issued),
    /// The token does not stand there.
    Unmet(Unmet),
    /// Proven, and taken.
    Done(Done),
    /// Refused, proven or not.
    Refused(Refusal),
}

/// Somebody objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Who.
    pub actor: Actor,
    /// To the block of what.
    pub value: Item,
    /// What they say: their words' hash is the objection's proof.
    pub statement: String,
    /// What they were given to show.
    pub token: Option<String>,
}

impl Challenges {
    /// Those of a clearing house's folder, looked for through a resolver that blocks nothing; its secret is made
    /// where there is none.
    ///
    /// # Errors
    /// The disk.
    pub fn open(dir: &Path, resolver: Option<SocketAddr>, at: At) -> Result<Self> {
        let folder = dir.join("run");
        disk::create_dir(&folder)?;
        disk::set_mode(&folder, 0o700)?;
        let path = folder.join(SECRET);
        let found = std::fs::read(&path).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let secret = match found {
            Some(secret) => secret,
            // One that is damaged voids what was given out, and no more.
            None => {
                let secret = vault::random()?;
                disk::write_with(&path, &secret, Overwrite::Replace, 0o600)?;
                secret
            }
        };
        let vantage = resolver
            .map(|resolver| (resolver, Probe::new(resolver, bounds(), Roots::of_machine())));
        Ok(Self {
            secret,
            vantage,
            pacing: Pacing::in_memory(),
            at,
            at_once: AtomicUsize::new(0),
            book: Mutex::default(),
        })
    }

    /// Through which resolver it is looked for.
    pub fn resolver(&self) -> Option<SocketAddr> {
        self.vantage.as_ref().map(|(resolver, _)| *resolver)
    }

    /// Takes an objection: gives a challenge where no token is shown, looks where one is, and has the house decide
    /// once it is met. It may take 45 seconds; the house's thread waits for none of them.
    ///
    /// # Errors
    /// [`Error::Asked`](crate::Error::Asked): a statement of no length, or too long. The disk; the house is closed.
    pub fn object(&self, hand: &mut Hand<'_>, objection: Objection) -> Result<Came> {
        let Objection { actor, value, statement, token } = objection;
        let proof = statement::proof(&statement)?;
        let ask = Ask { actor, command: Command::Object { value: value.clone(), proof } };
        let would = ask.clone();
        let (would, now) = hand.look(move |house| (house.would(&would), house.now()))?;
        if let Err(refusal) = would {
            return Ok(Came::Refused(refusal));
        }
        let Some(token) = token else {
            return Ok(Came::Issued(self.issue(&value, proof, now)?));
        };
        let Some(until) = self.read(&value, proof, &token) else {
            return Ok(Came::Unmet(Unmet::NotOurs));
        };
        if until <= now {
            return Ok(Came::Unmet(Unmet::Expired));
        }
        // Before anything that costs the house's thread time.
        let (_one, probe) = match self.begin() {
            Ok(begun) => begun,
            Err(unmet) => return Ok(Came::Unmet(unmet)),
        };
        let challenge = Challenge { special: self.special(hand)?, ..self.challenge(&value, token) };
        let (way, capture) = match self.looked(probe, &challenge)? {
            Ok(met) => met,
            Err(unmet) => return Ok(Came::Unmet(unmet)),
        };
        let resolver = self.resolver().map(|at| at.to_string()).unwrap_or_default();
        let (place, started) = (challenge.place(way), time_text(capture.started_ms));
        hand.look(move |house| {
            statement::sealed_in(house, &statement)?;
            house.record(|case, stamp| {
                let staged = case.stager().reader(&mut capture.warc.as_slice())?;
                let exhibit = staged.id();
                let name = format!("challenge-{}.warc.gz", started.replace([':', '.'], "-"));
                let origin = Origin {
                    source: Some(Name(name.into_bytes())),
                    item: Some(value.to_string()),
                    seized_by: Some(stamp.actor.clone()),
                    at: Some(started.clone()),
                    ..Origin::default()
                };
                let body = ChallengeMet {
                    value: value.to_string(),
                    statement: proof,
                    way: way.word().to_owned(),
                    place,
                    resolver,
                    started,
                    exhibit,
                };
                let mut batch = case.batch();
                batch.seal(staged, &origin)?;
                batch.record(body);
                Ok(batch.commit(stamp).map(drop)?)
            })
        })??;
        Ok(match hand.act(ask)? {
            Ok(done) => Came::Done(done),
            Err(refusal) => Came::Refused(refusal),
        })
    }

    /// Gives out a token for an item and what is said of it.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub fn issue(&self, value: &Item, proof: Sha256Hex, now: Moment) -> Result<Issued> {
        let random = vault::random()?;
        let nonce: [u8; 5] = std::array::from_fn(|n| random[n]);
        let until = u32::try_from(now.0 / 60_000).unwrap_or(0).saturating_add(LIFE_MIN);
        let head = [&nonce[..], &until.to_be_bytes()].concat();
        let mac = self.mac(&head, value, proof);
        let token = alphabet().encode(&[head.as_slice(), &mac].concat());
        let challenge = self.challenge(value, token.clone());
        let places = challenge.ways().iter().map(|way| (*way, challenge.place(*way))).collect();
        Ok(Issued { token, until: Moment(i64::from(until) * 60_000), places })
    }

    /// Where a token has to stand; `None`: this house gave it out for nothing of the kind.
    pub fn again(&self, value: &Item, proof: Sha256Hex, token: &str) -> Option<Issued> {
        let until = self.read(value, proof, token)?;
        let challenge = self.challenge(value, token.to_owned());
        let places = challenge.ways().iter().map(|way| (*way, challenge.place(*way))).collect();
        Some(Issued { token: token.to_owned(), until, places })
    }

    /// Until when a token of this item and these words can be met.
    fn read(&self, value: &Item, proof: Sha256Hex, token: &str) -> Option<Moment> {
        let bytes: [u8; 25] = alphabet().decode(token.as_bytes()).ok()?.try_into().ok()?;
        let (head, mac) = bytes.split_at(9);
        let mut of = Self::keyed(&self.secret)?;
        feed(&mut of, head, value, proof);
        of.verify_truncated_left(mac).ok()?;
        let until = u32::from_be_bytes(head.get(5..)?.try_into().ok()?);
        Some(Moment(i64::from(until) * 60_000))
    }

    fn keyed(secret: &[u8; 32]) -> Option<Hmac<Sha256>> {
        Hmac::<Sha256>::new_from_slice(secret).ok()
    }

    fn mac(&self, head: &[u8], value: &Item, proof: Sha256Hex) -> [u8; 16] {
        // Keys of HMAC are of any length: there is always one.
        let Some(mut of) = Self::keyed(&self.secret) else { return [0; 16] };
        feed(&mut of, head, value, proof);
        let mac = of.finalize().into_bytes();
        std::array::from_fn(|n| mac[n])
    }

    fn challenge(&self, value: &Item, token: String) -> Challenge {
        let host = match value.address() {
            Some(address) => Host::Address(address),
            None => Host::Name(value.to_string()),
        };
        Challenge { host, token, at: self.at, special: Vec::new() }
    }

    /// The ranges of special addresses that an authorisation in force names: nothing else leads a probe there.
    fn special(&self, hand: &mut Hand<'_>) -> Result<Vec<HostRule>> {
        // Held meanwhile: of two who ask at once the second reads on where the first ended, and not the whole log.
        let mut kept = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut book = std::mem::take(&mut *kept);
        loop {
            let look = move |house: &mut House| follow(&mut book, house).map(|more| (book, more));
            let (read, more) = hand.look(look)??;
            book = read;
            if !more {
                break;
            }
        }
        let now = now_ms();
        let in_force = book.granted.values().filter(|granted| granted.state(now) == "in force");
        let rules: Vec<HostRule> = in_force
            .filter_map(|granted| granted.authorisation().ok())
            .flat_map(|authorisation| authorisation.hosts)
            .filter(HostRule::is_special)
            .collect();
        *kept = book;
        Ok(rules)
    }

    /// One of the looks that may be at once, and who looks.
    fn begin(&self) -> std::result::Result<(One<'_>, &Probe), Unmet> {
        let (_, probe) = self.vantage.as_ref().ok_or(Unmet::NoVantage)?;
        Ok((One::of(&self.at_once).ok_or(Unmet::Busy)?, probe))
    }

    fn looked(
        &self,
        probe: &Probe,
        challenge: &Challenge,
    ) -> Result<std::result::Result<(Way, Box<collect::Capture>), Unmet>> {
        Ok(match challenge.look(probe, &self.pacing, vault::random()?)? {
            Looked::Met(way, capture) => Ok((way, capture)),
            Looked::Not(not) => Err(Unmet::Not(not)),
        })
    }
}

/// One of the looks that are under way; gone with it, however it ends.
struct One<'a>(&'a AtomicUsize);

impl<'a> One<'a> {
    fn of(all: &'a AtomicUsize) -> Option<Self> {
        let one = Self(all);
        (all.fetch_add(1, Ordering::Relaxed) < AT_ONCE).then_some(one)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn feed(mac: &mut Hmac<Sha256>, head: &[u8], value: &Item, proof: Sha256Hex) {
    mac.update(DOMAIN);
    mac.update(head);
    mac.update(&proof.0);
    mac.update(value.to_string().as_bytes());
}

/// Base32 in small letters: what any label of DNS and any file may be called.
fn alphabet() -> Encoding {
    let mut of = BASE32_NOPAD.specification();
    of.symbols = of.symbols.to_ascii_lowercase();
    of.encoding().unwrap_or(BASE32_NOPAD)
}

/// What an answer means, and what to do: English, for terminals.
pub fn about(found: Found) -> &'static str {
    match found {
        Found::Token => "the token stands there",
        Found::Other => "something else stands there: put the token alone, as it was given",
        Found::Nothing => "nothing stands there yet: DNS may take a while",
        Found::NoAnswer => "nobody answered, or in words that cannot be read",
        Found::Wildcard => "a wildcard shows it for any name: write the record for this name alone",
        Found::Alias => "an alias leads to another's name: write the text at the name itself",
        Found::Elsewhere => "it leads on to another host: answer at the host itself",
        Found::TooMuch => "more stands there than is read: put the token alone",
        Found::Inside => "the host is at an address that is none of the public Internet's",
    }
}

#[cfg(test)]
mod tests;
