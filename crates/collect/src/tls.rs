//! What a TLS handshake showed: recorded whatever it is. A bad certificate is a fact, not a reason to
//! stop; that nobody else answered instead is told by the record, to whoever reads it.

use std::fmt::Write as _;

use model::Sha256Hex;

/// What this machine would have said of a chain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validity {
    /// It leads to a root that this machine trusts, for the name asked for, at this time.
    Valid,
    /// It does not; why, in a word of ours (`expired`, `wrong-name`, `unknown-issuer`, …).
    Invalid(&'static str),
    /// This machine trusts no root at all, so nothing can be said.
    Unchecked,
}

impl Validity {
    /// Its word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid(why) => why,
            Self::Unchecked => "unchecked",
        }
    }
}

/// A handshake that came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The version, such as `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub suite: String,
    /// The protocol agreed on, where one was.
    pub alpn: Option<String>,
    /// The name that was asked for, where one was.
    pub sni: Option<String>,
    /// The certificates as they were presented (DER), the server's own first.
    pub chain: Vec<Vec<u8>>,
    /// What this machine says of them.
    pub validity: Validity,
    /// Whether the server proved to hold the key of its certificate.
    pub proven: bool,
}

impl Shown {
    /// One digest of the chain: of the concatenation of its certificates' digests.
    pub fn digest(&self) -> Sha256Hex {
        let each: Vec<u8> = self.chain.iter().flat_map(|der| Sha256Hex::of(der).0).collect();
        Sha256Hex::of(&each)
    }

    /// The chain as PEM (RFC 8555, `application/pem-certificate-chain`).
    pub fn pem(&self) -> String {
        let mut out = String::new();
        for der in &self.chain {
            out.push_str("-----BEGIN CERTIFICATE-----\n");
            for line in data_encoding::BASE64.encode(der).as_bytes().chunks(64) {
                let _ = writeln!(out, "{}", String::from_utf8_lossy(line));
            }
            out.push_str("-----END CERTIFICATE-----\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_written_as_pem() {
        let shown = Shown {
            version: "TLSv1.3".into(),
            suite: String::new(),
            alpn: None,
            sni: None,
            chain: vec![vec![0; 100], vec![1]],
            validity: Validity::Invalid("expired"),
            proven: true,
        };
        let pem = shown.pem();
        assert_eq!(pem.matches("BEGIN").count(), 2);
        assert!(pem.lines().all(|l| l.len() <= 64) && pem.contains("\nAQ==\n"));
        assert_ne!(shown.digest(), Shown { chain: Vec::new(), ..shown }.digest());
    }
}
