//! A name that may stand in a block list.

use std::fmt;
use std::sync::Arc;

/// The longest name as text (RFC 1035, 2.3.4: 255 octets with length bytes and root).
pub const MAX_NAME: usize = 253;
/// The longest label (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;

/// A fully qualified domain name: lower-case ASCII, at least two labels of letters, digits, `-` and
/// `_`, without the dot at its end.
///
/// Held with its labels turned round (`com.example.www`): so names under one domain sort beside one
/// another, which is what packs them small, on disk and on the wire. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fqdn(Arc<str>);

/// Why a text is no name for a block list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FqdnError {
    /// Empty, or a label of it is.
    #[error("a label is empty: write the name without dots at its ends, and one between labels")]
    Empty,
    /// More octets than DNS holds.
    #[error("longer than DNS holds: {MAX_NAME} octets a name, {MAX_LABEL} a label")]
    Long,
    /// Something beside lower-case letters, digits, `-` and `_`; wildcards too.
    #[error("a character that is not a-z, 0-9, - or _: write international names as xn--…")]
    Character,
    /// A whole top-level domain.
    #[error("one label only: a top-level domain is not blocked")]
    TopLevel,
    /// In an RPZ such a name is not a name, but another kind of trigger, on addresses or servers.
    #[error(
        "ends in a label of RPZ's own (rpz-…): it would not block this name, but something else"
    )]
    Trigger,
}

impl Fqdn {
    /// Takes a name as text.
    ///
    /// # Errors
    /// The text is no name that may be blocked; see [`FqdnError`].
    pub fn parse(text: &str) -> Result<Self, FqdnError> {
        if text.len() > MAX_NAME {
            return Err(FqdnError::Long);
        }
        let mut turned = String::with_capacity(text.len());
        for label in text.rsplit('.') {
            let fine =
                |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
            match label.len() {
                0 => return Err(FqdnError::Empty),
                1..=MAX_LABEL => {}
                _ => return Err(FqdnError::Long),
            }
            if !label.bytes().all(fine) {
                return Err(FqdnError::Character);
            }
            if turned.is_empty() {
                // draft-vixie-dnsop-dns-rpz-00, 4: rpz-ip, rpz-client-ip, rpz-nsip, rpz-nsdname.
                if label.starts_with("rpz-") {
                    return Err(FqdnError::Trigger);
                }
            } else {
                turned.push('.');
            }
            turned.push_str(label);
        }
        if !turned.contains('.') {
            return Err(FqdnError::TopLevel);
        }
        Ok(Self(turned.into()))
    }

    /// One that stands in the store.
    pub(crate) fn of_turned(turned: &[u8]) -> Option<Self> {
        Some(Self(std::str::from_utf8(turned).ok()?.into()))
    }

    /// The labels turned round, dots between: the order of the store.
    pub(crate) fn turned(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The octets that the labels take on the wire, without the root.
    pub(crate) fn wire_len(&self) -> usize {
        self.0.len() + 1
    }
}

impl fmt::Display for Fqdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, label) in self.0.rsplit('.').enumerate() {
            if n > 0 {
                f.write_str(".")?;
            }
            f.write_str(label)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fqdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Fqdn {
    type Err = FqdnError;
    fn from_str(text: &str) -> Result<Self, FqdnError> {
        Self::parse(text)
    }
}
