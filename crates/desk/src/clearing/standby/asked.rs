//! What an operator asks of the standby: to name one, or to let it go.

use std::net::{IpAddr, Ipv4Addr};

use model::Sha256Hex;
use serde::{Deserialize, Serialize};
use shield::order::words::{Grounds, Person};

use crate::access::{Access, Action, Asked, Decision, Principal};
use crate::clearing::door::{ROUTE, Reply};
use crate::clearing::house::House;
use crate::{Error, Result};

/// What an operator asks of the standby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfStandby {
    /// Who, by the short name in the register.
    pub person: String,
    /// The name, and SHA-256 of the secret, of who is to be the standby; none: the one that is named goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<(String, Sha256Hex)>,
    /// Why.
    pub grounds: String,
}

impl OfStandby {
    /// Who asks, where they may.
    ///
    /// # Errors
    /// [`Error::Asked`]: who may not; the register cannot be read.
    pub(in crate::clearing) fn by(&self, access: &Access) -> Result<Person> {
        access.refresh()?;
        let who = access.person(&self.person).unwrap_or(Principal::Nobody);
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let asked = Asked { action: Action::StandbyChange, organisation: None, source };
        let person = Person::new(&self.person);
        match (access.may(&who, &asked, ROUTE), person) {
            (Decision::Allowed, Some(person)) => Ok(person),
            _ => Err(Error::Asked(format!(
                "{} may not do that: an operator may (standby_change, docs/access.md)",
                self.person
            ))),
        }
    }

    /// Has it done.
    ///
    /// # Errors
    /// [`Error::Asked`]: what cannot be. The disk.
    pub(in crate::clearing) fn done(&self, house: &mut House, by: &Person) -> Result<Reply> {
        let why = Grounds::new(&self.grounds).ok_or_else(|| {
            Error::Asked("grounds are given in one line of at most 4,000 bytes".to_owned())
        })?;
        match &self.named {
            Some((name, key)) => house.name_standby(by, name, *key, &why)?,
            None => house.dismiss_standby(by, &why)?,
        }
        let record = house.case().len().checked_sub(1);
        let (at, deeds, alone) = (house.now(), Vec::new(), house.is_alone());
        Ok(Reply::Done { at, record, deeds, alone, left: 0 })
    }
}
