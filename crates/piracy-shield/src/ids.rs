//! Identifiers on the wire: 32 hexadecimal digits, as clients check. They are made of what they name, so that
//! nothing has to be kept, and none of another clearing house is taken for one of this.

use sha2::{Digest, Sha256};

/// What an identifier is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A ticket, by its number.
    Ticket,
    /// An item, by its number.
    Item,
    /// An error ticket, by its ticket's number and its place there.
    Error,
    /// An order, by its name.
    Order,
    /// An organisation, by its short name.
    Organisation,
    /// A person, by the short name.
    Person,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Item => "item",
            Self::Error => "error",
            Self::Order => "order",
            Self::Organisation => "organisation",
            Self::Person => "person",
        }
    }
}

/// The identifiers of one clearing house.
#[derive(Debug, Clone)]
pub struct Ids {
    origin: String,
}

impl Ids {
    /// Of the clearing house whose log has that origin.
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned() }
    }

    fn digest(&self, sort: Sort, of: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in
            [b"vigie/piracy-shield/id/v1", sort.word().as_bytes(), self.origin.as_bytes(), of]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let hash = hash.finalize();
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The identifier of what has a name.
    pub fn of_name(&self, sort: Sort, name: &str) -> String {
        self.digest(sort, name.as_bytes())
    }

    /// The identifier of what has a number: half a digest, half the number.
    pub fn of_number(&self, sort: Sort, number: u64) -> String {
        let digest = self.digest(sort, &number.to_be_bytes());
        format!("{}{number:016x}", digest.get(..16).unwrap_or_default())
    }

    /// The number of an identifier; `None` where this clearing house never gave it.
    pub fn number(&self, sort: Sort, text: &str) -> Option<u64> {
        let number = u64::from_str_radix(text.get(16..32)?, 16).ok()?;
        (self.of_number(sort, number) == text).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_of_one_thing_of_one_house() {
        let (ours, theirs) = (Ids::new("a.example/shield"), Ids::new("b.example/shield"));
        for number in [0, 1, 4_711, u64::MAX] {
            let id = ours.of_number(Sort::Ticket, number);
            assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
            assert_eq!(ours.number(Sort::Ticket, &id), Some(number));
            assert_eq!(ours.number(Sort::Item, &id), None);
            assert_eq!(theirs.number(Sort::Ticket, &id), None);
            assert_eq!(
                ours.number(Sort::Ticket, &id.to_uppercase()).is_some(),
                id == id.to_uppercase()
            );
        }
        for bad in ["", "x", "é".repeat(16).as_str(), &"0".repeat(33), &"+".repeat(32)] {
            assert_eq!(ours.number(Sort::Ticket, bad), None);
        }
        assert_ne!(ours.of_name(Sort::Person, "a"), ours.of_name(Sort::Organisation, "a"));
    }
}
