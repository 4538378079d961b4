//! What somebody says who objects: sealed in the house's vault, so that a reviewer reads the very words
//! whose hash stands in the decision.

use model::Sha256Hex;
use model::record::Name;
use vault::Origin;

use super::house::House;
use super::keeper::Keeper;
use crate::{Error, Result};

/// The longest statement, in bytes.
pub const MAX_STATEMENT: usize = 4_000;

/// The proof of an objection: SHA-256 of what is said, as it is sealed.
///
/// # Errors
/// [`Error::Asked`]: it is empty, or longer than [`MAX_STATEMENT`].
pub fn proof(text: &str) -> Result<Sha256Hex> {
    Ok(Sha256Hex::of(told(text)?.as_bytes()))
}

/// As it is sealed: forms and editors end lines as they like.
fn told(text: &str) -> Result<String> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() || text.len() > MAX_STATEMENT {
        let why = format!("a statement has 1 to {MAX_STATEMENT} bytes, this one {}", text.len());
        return Err(Error::Asked(why));
    }
    Ok(text)
}

/// Seals a statement; gives its SHA-256, which is the objection's proof. The same words again are the same
/// statement, and no second record. Nothing of who wrote them is kept but what they say themselves.
///
/// # Errors
/// As [`proof`]; the disk.
pub(super) fn sealed_in(house: &mut House, text: &str) -> Result<Sha256Hex> {
    let text = told(text)?;
    let staged = house.case().stager().reader(&mut text.as_bytes())?;
    let id = staged.id();
    if house.case().exhibit(&id)?.is_some() {
        return Ok(Sha256Hex(id.0));
    }
    house.record(|case, stamp| {
        let source = Some(Name(b"objection.txt".to_vec()));
        let mut batch = case.batch();
        batch.seal(staged, &Origin { source, ..Origin::default() })?;
        Ok(batch.commit(stamp).map(drop)?)
    })?;
    Ok(Sha256Hex(id.0))
}

/// The same, of a house that a thread has.
///
/// # Errors
/// As [`proof`]; the disk; a house that is closed.
pub fn sealed(keeper: &Keeper, text: &str) -> Result<Sha256Hex> {
    let text = text.to_owned();
    keeper.look(move |house| sealed_in(house, &text))?
}
