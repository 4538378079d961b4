//! What the log says of standbys: one is named, comes and goes, is dismissed or promoted.

use model::Sha256Hex;
use model::record::ShieldStandby;
use serde::{Deserialize, Serialize};

use super::GENERATION;

/// The standby that the log names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// What it is called.
    pub name: String,
    /// SHA-256 of the secret by which it is known.
    pub key: Sha256Hex,
    /// True where the log says that it is there.
    pub here: bool,
}

/// What the log says of standbys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standbys {
    /// The one that is named now.
    pub named: Option<Named>,
    /// True where another machine was promoted, and has begun no epoch yet.
    pub promoted: bool,
}

impl Standbys {
    /// Follows a record.
    pub(in crate::clearing) fn take(
        &mut self,
        body: &ShieldStandby,
    ) -> std::result::Result<(), String> {
        let odd = || Err(format!("a standby is {} that cannot be", body.turn));
        let here = |named: &Named| named.name == body.name;
        match (body.turn.as_str(), &mut self.named) {
            ("named", None) => {
                let Some(key) = body.key else { return odd() };
                self.named = Some(Named { name: body.name.clone(), key, here: false });
            }
            ("gone", Some(named)) if here(named) && named.here => named.here = false,
            ("back", Some(named)) if here(named) && !named.here => named.here = true,
            ("dismissed", Some(named)) if here(named) => self.named = None,
            ("promoted", Some(named)) if here(named) => {
                *self = Self { named: None, promoted: true };
            }
            _ => return odd(),
        }
        Ok(())
    }

    /// The epoch that begins after `last`.
    ///
    /// # Errors
    /// This machine has begun all epochs that are its own.
    pub(in crate::clearing) fn next_epoch(&self, last: u64) -> std::result::Result<u64, String> {
        if self.promoted {
            return Ok((last / GENERATION).saturating_add(1).saturating_mul(GENERATION));
        }
        match last.saturating_add(1) {
            next if next.is_multiple_of(GENERATION) => {
                Err(format!("{last} was the last epoch of this machine: promote a standby"))
            }
            next => Ok(next),
        }
    }
}
