//! From a signer's certificate to one that the reader named, or that names itself.

use super::StampError;
use super::certificate::Certificate;
use super::crl::Crl;

/// The longest chain.
const MAX_LENGTH: usize = 8;
/// Signatures tried before a search is given up: names may be made to lead everywhere.
const MAX_TRIES: usize = 64;

/// A certificate that the reader takes for a time authority's, by his name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// His name for it.
    pub name: String,
    /// An authority's own certificate, or one above it.
    pub certificate: Certificate,
}

/// Certificates and lists that were kept. Whose they are is no matter: each proves itself.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    certificates: Vec<Certificate>,
    crls: Vec<Crl>,
}

impl Pool {
    /// Adds a certificate, once.
    pub fn add_certificate(&mut self, certificate: Certificate) {
        if !self.has_certificate(certificate.der()) {
            self.certificates.push(certificate);
        }
    }

    /// Adds a list, once.
    pub fn add_crl(&mut self, crl: Crl) {
        if !self.has_crl(crl.der()) {
            self.crls.push(crl);
        }
    }

    /// True where the certificate of these bytes is among them.
    pub fn has_certificate(&self, der: &[u8]) -> bool {
        self.certificates.iter().any(|c| c.der() == der)
    }

    /// True where the list of these bytes is among them.
    pub fn has_crl(&self, der: &[u8]) -> bool {
        self.crls.iter().any(|c| c.der() == der)
    }

    /// The certificates.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The lists.
    pub fn crls(&self) -> &[Crl] {
        &self.crls
    }
}

/// A chain that holds, from the signer up.
#[derive(Debug, Clone)]
pub(crate) struct Path<'a> {
    pub(crate) certificates: Vec<&'a Certificate>,
    /// The reader's name for its end.
    pub(crate) anchor: Option<&'a str>,
}

struct Search<'a> {
    given: Vec<&'a Certificate>,
    anchors: &'a [Anchor],
    at_ms: i64,
    tries: usize,
    /// What kept the last try from holding.
    why: Option<String>,
    /// A chain to a certificate that names itself, where none to the reader's was met yet.
    own: Option<Vec<&'a Certificate>>,
}

/// Finds a chain that holds at a moment: to an anchor where there is one, else to a certificate
/// that names itself.
pub(crate) fn find<'a>(
    signer: &'a Certificate,
    given: Vec<&'a Certificate>,
    anchors: &'a [Anchor],
    at_ms: i64,
) -> Result<Path<'a>, StampError> {
    signer.check(at_ms)?;
    signer.check_signer()?;
    let mut search = Search { given, anchors, at_ms, tries: 0, why: None, own: None };
    let mut path = vec![signer];
    if let Some(anchor) = search.climb(&mut path) {
        return Ok(Path { certificates: path, anchor: Some(anchor) });
    }
    match search.own {
        Some(certificates) => Ok(Path { certificates, anchor: None }),
        None => {
            let why = search.why.unwrap_or_else(|| {
                format!(
                    "the certificate of its issuer, {}, is not at hand",
                    signer.read.tbs_certificate().issuer()
                )
            });
            Err(StampError::Chain { signer: signer.subject().to_owned(), why })
        }
    }
}

impl<'a> Search<'a> {
    /// Goes on from the end of the path; the anchor's name where one is met.
    fn climb(&mut self, path: &mut Vec<&'a Certificate>) -> Option<&'a str> {
        let last = *path.last()?;
        let anchors = self.anchors;
        if let Some(anchor) = anchors.iter().find(|a| a.certificate.der() == last.der()) {
            return Some(&anchor.name);
        }
        if path.len() >= MAX_LENGTH {
            self.why = Some(format!("it is longer than {MAX_LENGTH}"));
            return None;
        }
        for anchor in anchors {
            if self.steps_to(path, &anchor.certificate) {
                path.push(&anchor.certificate);
                return Some(&anchor.name);
            }
        }
        if last.is_root() {
            // A root's signature over itself says nothing that its key does not.
            self.own.get_or_insert_with(|| path.clone());
            return None;
        }
        for at in 0..self.given.len() {
            let issuer = self.given[at];
            if path.iter().any(|c| c.der() == issuer.der()) || !self.steps_to(path, issuer) {
                continue;
            }
            path.push(issuer);
            let found = self.climb(path);
            if found.is_some() {
                return found;
            }
            path.pop();
        }
        if self.why.is_none() {
            let issuer = last.read.tbs_certificate().issuer();
            self.why = Some(format!("the certificate of the issuer {issuer} is not at hand"));
        }
        None
    }

    /// True where `issuer` signed the last of the path, and may have.
    fn steps_to(&mut self, path: &[&'a Certificate], issuer: &Certificate) -> bool {
        let Some(last) = path.last() else { return false };
        if !last.names_as_issuer(issuer) {
            return false;
        }
        self.tries += 1;
        if self.tries > MAX_TRIES {
            self.why = Some(format!("after {MAX_TRIES} tries none was found"));
            return false;
        }
        // Issuers between it and the signer; those that name themselves do not count.
        let below = path.iter().skip(1).filter(|c| !c.is_root()).count();
        let held = issuer
            .check(self.at_ms)
            .and_then(|()| issuer.check_issuer(below))
            .and_then(|()| last.check_signed_by(issuer));
        held.map_err(|e| self.why = Some(e.to_string())).is_ok()
    }
}

/// Holds a chain against the lists at hand: the time of the oldest of those that speak of it, where
/// they speak of all of it but its end.
pub(crate) fn revocation(
    path: &[&Certificate],
    crls: &[Crl],
    at_ms: i64,
) -> Result<Option<i64>, StampError> {
    let mut oldest = None;
    for (at, pair) in path.windows(2).enumerate() {
        let [of, issuer] = pair else { continue };
        let mut newest = None;
        for crl in crls.iter().filter(|crl| crl.speaks_of(of, at > 0, issuer)) {
            crl.check(of, at_ms)?;
            newest = newest.max(Some(crl.made_ms()));
        }
        match (newest, oldest) {
            (None, _) => return Ok(None),
            (Some(new), None) => oldest = Some(new),
            (Some(new), Some(old)) => oldest = Some(new.min(old)),
        }
    }
    Ok(oldest)
}
