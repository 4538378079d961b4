//! What parties hand in: sealed as it came, before anything is made of it. It is their word and no evidence:
//! only a capture by a probe of ours is.

use model::ExhibitId;
use model::record::Name;
use shield::order::Actor;
use vault::{Origin, Staged, Stamp};

use super::house::House;
use crate::Result;
use crate::desk::now_ms;

/// Bytes that a party handed in, copied into the vault's folder and hashed.
#[derive(Debug)]
pub struct HandedIn {
    /// The bytes.
    pub staged: Staged,
    /// What they are called: a text for people, never a path.
    pub name: String,
    /// What they are of, such as `ticket 12`.
    pub of: String,
}

impl House {
    /// Seals what a party handed in, and records who did; the exhibit's id, once that is durable. The same
    /// bytes under the same name are sealed once.
    ///
    /// # Errors
    /// As [`House::act`].
    pub fn receive(&mut self, by: &Actor, handed_in: HandedIn) -> Result<ExhibitId> {
        let HandedIn { staged, name, of } = handed_in;
        let person = by.person.as_str().to_owned();
        let organisation = by.organisation.as_str().to_owned();
        self.record(move |case, _| {
            let id = staged.id();
            let origin = Origin {
                source: Some(Name(name.into_bytes())),
                item: Some(of),
                seized_by: Some(organisation),
                ..Origin::default()
            };
            let stamp = Stamp { actor: person, now_ms: now_ms() };
            let mut batch = case.batch();
            batch.seal(staged, &origin)?;
            batch.commit(&stamp)?;
            Ok(id)
        })
    }
}
