//! Addresses in this machine's firewall. The kernel's own clocks end what keep does not renew.

use std::collections::BTreeSet;
use std::time::Duration;

use shield_nft::{Driver as Nft, Element, Table};

use super::super::{KeepError, Mode, Told};
use super::{Driver, Made, NftSettings, Out};
use crate::keeping::Value;

struct Firewall {
    table: Table,
    lease: Duration,
    /// None until it was made by this process.
    driver: Option<Nft>,
}

/// By its settings.
///
/// # Errors
/// A table's name that cannot be.
pub(in super::super) fn made(
    settings: &NftSettings,
    mode: Mode,
    practice: bool,
    told: Told,
) -> Result<Made, KeepError> {
    let table = settings.table(practice)?;
    let lease = Duration::from_secs(settings.lease_s);
    let takes = |value: &Value| value.address().is_some();
    let firewall = Firewall { table, lease, driver: None };
    Ok(Made::new("nft", mode, takes, lease / 3, firewall, told))
}

impl Firewall {
    fn elements(&self, out: &[Out]) -> Vec<Element> {
        let element = |(value, left): &Out| {
            Some(Element { item: value.item()?, life: (*left).min(self.lease) })
        };
        out.iter().filter_map(element).collect()
    }

    /// After a fault the table is made anew, whatever became of it.
    fn or_anew(&mut self, done: Result<(), String>) -> Result<(), String> {
        if done.is_err() {
            self.driver = None;
        }
        done
    }

    fn driver(&self) -> Result<&Nft, String> {
        self.driver.as_ref().ok_or_else(|| "the table is not made yet".to_owned())
    }
}

impl Driver for Firewall {
    fn all(&mut self, out: &[Out]) -> Result<(), String> {
        let hold = self.elements(out);
        if self.driver.is_some() {
            self.look()?;
            let replaced = self.driver()?.replace(&hold).map_err(|e| e.to_string());
            return self.or_anew(replaced);
        }
        // What an earlier keep held is held no more: who begins anew begins empty.
        let opened = Nft::open(NftSettings::nft(), self.table.clone());
        let mut driver = opened.map_err(|e| e.to_string())?;
        driver.rebuild(&hold).map_err(|e| e.to_string())?;
        self.driver = Some(driver);
        Ok(())
    }

    fn change(&mut self, hold: &[Out], lift: &[Value], _: &BTreeSet<Value>) -> Result<(), String> {
        let lift: Vec<_> = lift.iter().filter_map(Value::item).collect();
        let hold = self.elements(hold);
        let changed = self.driver()?.change(&hold, &lift).map_err(|e| e.to_string());
        self.or_anew(changed)
    }

    fn look(&mut self) -> Result<(), String> {
        let found = match self.driver()?.stands() {
            Ok(true) => Ok(()),
            Ok(false) => {
                let name = self.table.name();
                Err(format!("somebody changed the table inet {name}: it is made anew"))
            }
            Err(error) => Err(error.to_string()),
        };
        self.or_anew(found)
    }

    fn clear(&mut self) -> Result<(), String> {
        match self.driver.take() {
            Some(driver) => driver.remove().map_err(|e| e.to_string()),
            None => Ok(()),
        }
    }
}
