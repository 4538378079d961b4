//! Salted commitments: a field of a record can be withheld, or erased by law, while the log still
//! proves what was there.
//!
//! `commitment = SHA-256("vigie/field/v" V 0x00 KIND 0x00 FIELD 0x00 ‖ salt (32 bytes) ‖ canonical
//! value)`, with V the record's version in decimal. The tag binds version, kind and field, so that an
//! opening of one field is never one of another.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::canonical::{Canon, CanonError};

/// A commitment to one field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::id::hex(&self.0))
    }
}

/// 32 random bytes; without them a commitment to a guessable value could be guessed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("•••")
    }
}

/// What opens one commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOpening {
    /// The salt.
    pub salt: Salt,
    /// The value.
    pub value: Canon,
}

impl FieldOpening {
    /// The commitment that this opens, as field `field` of a record of version `v` and kind `kind`.
    ///
    /// # Errors
    /// A value without a canonical writing of at most 65,535 bytes.
    pub fn commitment(&self, v: u32, kind: &str, field: &str) -> Result<Commitment, CanonError> {
        let value = self.value.to_bytes()?;
        let mut hash = Sha256::new();
        hash.update(format!("vigie/field/v{v}\0{kind}\0{field}\0").as_bytes());
        hash.update(self.salt.0);
        hash.update(&value);
        Ok(Commitment(hash.finalize().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_binds_version_kind_and_field() {
        let opening = FieldOpening { salt: Salt([7; 32]), value: Canon::text("x") };
        let of = |v, kind, field| opening.commitment(v, kind, field).unwrap();
        let base = of(1, "a.b", "c");
        assert_eq!(base, of(1, "a.b", "c"));
        assert_ne!(base, of(2, "a.b", "c"));
        assert_ne!(base, of(1, "a.c", "c"));
        assert_ne!(base, of(1, "a.b", "d"));
        let other = FieldOpening { salt: Salt([8; 32]), ..opening.clone() };
        assert_ne!(base, other.commitment(1, "a.b", "c").unwrap());
    }
}
