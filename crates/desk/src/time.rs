//! Trusted time: asking an authority for a stamp, and keeping it in the log.
//!
//! Nothing is recorded that was not verified. Chain and lists of revoked certificates are fetched
//! and kept at once, so that the stamp proves offline when its authority is gone.

use std::path::Path;

use ledger::Trust;
use model::ExhibitId;
use model::record::{Blob, Body, CheckpointStamped, ExhibitStamped};
use vault::Case;
pub use vault::stamp::certificates_in;
use vault::stamp::{
    Certificate, Crl, MAX_CERTIFICATE, MAX_CERTIFICATES, MAX_CRL, MAX_RESPONSE, Pool, Request,
    Token, Verified, response,
};
pub use vault::times::{Bound, Bounds};
use vault::times::{Kept, OfLog, Roots, Stamps, anchors};

use crate::decide::Command;
use crate::desk::{Desk, Place, now_ms};
use crate::{Error, Result, outside};

/// How long before a chain expires its stamps are carried on, in milliseconds: 60 days.
pub const AHEAD_MS: i64 = 60 * 86_400_000;
/// A clock further than this from the authority's is told, in milliseconds.
const CLOCK_MS: i64 = 60_000;
/// Most addresses that certificates may lead to.
const MAX_FETCHES: usize = 12;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The authority's address.
    pub url: &'a str,
    /// An exhibit instead of the log's checkpoint.
    pub exhibit: Option<ExhibitId>,
    /// Only where there is something new, or an older stamp is to be carried on.
    pub only_new: bool,
    /// Whose authority is taken; whoever's where nobody is named.
    pub trust: Option<&'a Trust>,
    /// Certificates of the authority's chain, where it does not hand them out.
    pub chain: &'a [Certificate],
}

/// A stamp that was made and recorded.
#[derive(Debug, Clone)]
pub struct Stamped {
    /// The record that keeps it.
    pub record: u64,
    /// Records that it covers; `None` where it is an exhibit's.
    pub size: Option<u64>,
    /// What verifying it found.
    pub verified: Verified,
    /// What is worth knowing, such as a list that could not be had.
    pub notes: Vec<String>,
}

/// What the case holds, before an authority is asked: no lock is held while it answers.
struct Before {
    note: String,
    size: u64,
    kept: Vec<Kept>,
}

impl Before {
    fn read(case: &Case, exhibit: Option<ExhibitId>) -> Result<Self> {
        if let Some(id) = exhibit
            && case.exhibit(&id)?.is_none()
        {
            return Err(Error::NotFound { what: format!("the exhibit {id}") });
        }
        let mut kept = Vec::new();
        for item in case.records(0) {
            let (index, record, opening) = item?;
            // What was withheld or erased since says nothing.
            let body = Body::read_left(&record, &opening).ok();
            kept.extend(body.and_then(|body| Kept::of(index, body)));
        }
        let note = case.checkpoint().ok_or_else(|| Error::NoCase(case.dir().to_owned()))?;
        Ok(Self { note: note.to_owned(), size: case.len(), kept })
    }

    /// True where a record is not covered yet, but for stamps themselves.
    fn is_new(&self) -> bool {
        let covered = self.kept.iter().filter_map(|kept| kept.covered()).max().unwrap_or(0);
        let later = self.kept.iter().filter(|kept| kept.record >= covered).count() as u64;
        self.size - covered > later
    }
}

/// Asks the authority for a stamp, verifies and records it; `None` where nothing is new.
///
/// # Errors
/// The authority does not answer, refuses, or its answer does not hold: then nothing is recorded.
pub fn stamp(place: &Place, ask: &Ask<'_>) -> Result<Option<Stamped>> {
    outside::check(ask.url)?;
    let now_ms = now_ms();
    let anchors = anchors(ask.trust).map_err(|e| Error::Asked(format!("the trust file: {e}")))?;
    let before = {
        let case = Case::read(&place.case)?;
        let before = Before::read(&case, ask.exhibit)?;
        let carry = || -> Result<bool> {
            let reader = ledger::Reader::open(&place.case.join("ledger"))?;
            let log = OfLog { roots: Roots::Log(&reader), key: None };
            let stamps = Stamps::new(before.kept.clone(), log, None, now_ms);
            Ok(!stamps.expiring(AHEAD_MS).is_empty())
        };
        if ask.only_new && !before.is_new() && !carry()? {
            return Ok(None);
        }
        before
    };
    let digest = match ask.exhibit {
        Some(id) => id.0,
        None => model::Sha256Hex::of(before.note.as_bytes()).0,
    };
    let random = vault::random()?;
    let request = Request::new(digest, std::array::from_fn(|i| random[i]));
    let media = ("application/timestamp-query", "application/timestamp-reply");
    let answer = outside::post(ask.url, media.0, media.1, &request.to_der(), MAX_RESPONSE)?;
    let off = |e: vault::stamp::StampError| Error::Outside {
        url: ask.url.to_owned(),
        why: format!("{e}. Nothing was recorded"),
    };
    let der = response(&answer).map_err(off)?;
    let token = Token::parse(&der).map_err(off)?;

    let mut pool = Stamps::pool_of(&before.kept);
    let earlier = pool.clone();
    ask.chain.iter().for_each(|certificate| pool.add_certificate(certificate.clone()));
    let mut fetching = Fetching { left: MAX_FETCHES, notes: Vec::new() };
    fetching.issuers(&token, &mut pool);
    let given = anchors.as_deref().unwrap_or_default();
    let nonce = Some(&request.nonce()[..]);
    let found = token.verify(&digest, nonce, &pool, given).map_err(off)?;
    if anchors.is_some() && found.confirmed.is_none() {
        let why = format!("{} is no time authority that the trust file names", found.signer);
        return Err(Error::Asked(format!("{why}. Nothing was recorded")));
    }
    let crls = fetching.crls(&found.chain, &mut pool);
    // Once more: a list may say that the chain was revoked.
    let verified = token.verify(&digest, nonce, &pool, given).map_err(off)?;
    let mut notes = fetching.notes;
    let clock = verified.info.time_ms - now_ms;
    if clock.abs() > CLOCK_MS {
        let (seconds, way) = (clock.abs() / 1000, if clock > 0 { "behind" } else { "ahead of" });
        notes.push(format!("this machine's clock is {seconds} s {way} the authority's"));
    }
    let is_new =
        |c: &&Certificate| !token.certificates().contains(c) && !earlier.has_certificate(c.der());
    let certificates =
        verified.chain.iter().filter(is_new).map(|c| Blob(c.der().to_vec())).collect();
    let crls = crls.iter().filter(|c| !earlier.has_crl(c.der()));
    let crls = crls.map(|c| Blob(c.der().to_vec())).collect();
    let (token, asked) = (Blob(der), ask.url.to_owned());
    let body: Body = match ask.exhibit {
        Some(exhibit) => ExhibitStamped { exhibit, token, certificates, crls, asked }.into(),
        None => {
            let checkpoint = before.note;
            CheckpointStamped { checkpoint, token, certificates, crls, asked }.into()
        }
    };
    let mut desk = Desk::open(place)?;
    let record = desk.keep_stamp(body);
    let closed = desk.close();
    let record = record?;
    closed?;
    let size = ask.exhibit.is_none().then_some(before.size);
    Ok(Some(Stamped { record, size, verified, notes }))
}

/// Files of the material that are stamped one by one at an opening.
pub const MAX_FILES: usize = 100;

/// Stamps of what an opening sealed.
#[derive(Debug, Clone)]
pub struct AtSealing {
    /// Of each file of the material, and last of the log, which covers whatever is inside these.
    pub stamps: Vec<(Option<ExhibitId>, Stamped)>,
    /// Files that have no stamp of their own: there were more than [`MAX_FILES`].
    pub more: u64,
}

/// Records that a case has by now; none where there is no case.
pub fn records(case: &Path) -> u64 {
    vault::Records::open(case).map_or(0, |records| records.len())
}

/// Has what was sealed from the record `since` on stamped: each file of the material, where these are
/// not too many, and the log.
///
/// # Errors
/// As [`stamp`]; what was stamped before stays.
pub fn stamp_sealed(place: &Place, since: u64, url: &str) -> Result<AtSealing> {
    let mut files = Vec::new();
    for item in Case::read(&place.case)?.records(since) {
        let (_, record, opening) = item?;
        if let Ok(Body::ExhibitSealed(body)) = Body::read_left(&record, &opening)
            && body.container.is_none()
        {
            files.push(body.exhibit);
        }
    }
    let few = files.len() <= MAX_FILES;
    let more = if few { 0 } else { files.len() as u64 };
    let each = files.into_iter().filter(|_| few).map(Some).chain([None]);
    let mut stamps = Vec::new();
    for exhibit in each {
        let ask = Ask { url, exhibit, only_new: exhibit.is_none(), trust: None, chain: &[] };
        stamps.extend(stamp(place, &ask)?.map(|stamped| (exhibit, stamped)));
    }
    Ok(AtSealing { stamps, more })
}

impl Desk {
    /// Records a stamp that was verified.
    fn keep_stamp(&mut self, body: Body) -> Result<u64> {
        let command = Command::KeepStamp { stamp: Box::new(body) };
        let records = crate::decide::decide(self, &command, &self.place.actor.clone())?;
        Ok(self.commit(records)?.start)
    }
}

/// Fetches what a stamp needs to prove alone, from where its certificates say.
struct Fetching {
    left: usize,
    notes: Vec<String>,
}

impl Fetching {
    fn get(&mut self, url: &str, most: usize) -> std::result::Result<Vec<u8>, String> {
        if self.left == 0 {
            return Err(format!("{url}: more than {MAX_FETCHES} addresses are named"));
        }
        self.left -= 1;
        outside::get(url, most).map_err(|e| e.to_string())
    }

    /// Adds the issuers that are missing.
    fn issuers(&mut self, token: &Token, pool: &mut Pool) {
        let mut next: Vec<Certificate> = token.certificates().to_vec();
        next.extend_from_slice(pool.certificates());
        let mut known = next.clone();
        while let Some(certificate) = next.pop() {
            if certificate.is_root() || known.iter().any(|c| certificate.is_issued_by(c)) {
                continue;
            }
            for url in certificate.issuer_urls().iter().take(2) {
                let most = MAX_CERTIFICATE * MAX_CERTIFICATES;
                let found = self.get(url, most);
                let found = found
                    .and_then(|bytes| certificates_in(&bytes).map_err(|e| format!("{url}: {e}")));
                match found {
                    Ok(found) => {
                        for certificate in found {
                            pool.add_certificate(certificate.clone());
                            known.push(certificate.clone());
                            next.push(certificate);
                        }
                        break;
                    }
                    Err(why) => self.notes.push(format!("a certificate of the chain: {why}")),
                }
            }
        }
    }

    /// The lists of revoked certificates that the chain names, added to the pool.
    fn crls(&mut self, chain: &[Certificate], pool: &mut Pool) -> Vec<Crl> {
        let mut crls = Vec::new();
        for certificate in chain.iter().take(chain.len().saturating_sub(1)) {
            let urls = certificate.crl_urls();
            let mut why = "it names no list of revoked certificates".to_owned();
            let mut got = None;
            for url in urls.iter().take(2) {
                let crl = self.get(url, MAX_CRL);
                match crl.and_then(|bytes| Crl::parse(&bytes).map_err(|e| format!("{url}: {e}"))) {
                    Ok(crl) => {
                        got = Some(crl);
                        break;
                    }
                    Err(e) => why = e,
                }
            }
            match got {
                Some(crl) => {
                    pool.add_crl(crl.clone());
                    crls.push(crl);
                }
                None => self.notes.push(format!(
                    "whether the certificate of {} was revoked is not kept: {why}",
                    certificate.subject()
                )),
            }
        }
        crls
    }
}
