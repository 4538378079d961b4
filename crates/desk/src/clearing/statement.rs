//! What somebody says who objects: sealed in the house's vault, so that a reviewer reads the very words
//! whose hash stands in the decision.

use model::Sha256Hex;
use model::record::Name;
use vault::Origin;

use super::keeper::Keeper;
use crate::{Error, Result};

/// The longest statement, in bytes.
pub const MAX_STATEMENT: usize = 4_000;

/// Seals a statement; gives its SHA-256, which is the objection's proof. The same words again are the same
/// statement, and no second record. Nothing of who wrote them is kept but what they say themselves.
///
/// # Errors
/// [`Error::Asked`]: it is empty, or longer than [`MAX_STATEMENT`]. The disk; a house that is closed.
pub fn sealed(keeper: &Keeper, text: &str) -> Result<Sha256Hex> {
    let text = text.trim().replace("\r\n", "\n");
    if text.is_empty() || text.len() > MAX_STATEMENT {
        let why = format!("a statement has 1 to {MAX_STATEMENT} bytes, this one {}", text.len());
        return Err(Error::Asked(why));
    }
    // Copied and hashed beside the house's thread; only the record is made in it.
    let stager = keeper.look(|house| house.case().stager())?;
    let staged = stager.reader(&mut text.as_bytes())?;
    let id = staged.id();
    let seal = move |house: &mut super::House| {
        if house.case().exhibit(&id).is_some() {
            return Ok(());
        }
        house.record(|case, stamp| {
            let source = Some(Name(b"objection.txt".to_vec()));
            let mut batch = case.batch();
            batch.seal(staged, &Origin { source, ..Origin::default() })?;
            Ok(batch.commit(stamp).map(drop)?)
        })
    };
    keeper.look(seal)??;
    Ok(Sha256Hex(id.0))
}
