//! What users, hosts and controls tell of harm.

use super::Ask;
use crate::item::Item;
use crate::order::machine::Machine;
use crate::order::refusal::Refusal;
use crate::order::state::{MAX_CONTROLS, MAX_NETWORKS, Watch};
use crate::order::step::Deed;
use crate::order::turn::Cause;
use crate::order::words::{Organisation, Probe, Role};

impl Ask<'_> {
    /// True where an item on the value is in force. One that is suspended hits nobody.
    fn is_in_force(&self, value: &Item) -> bool {
        let live = self.state.wanting(value).iter();
        let mut items = live.filter_map(|id| self.state.item(*id));
        items.any(|live| matches!(live.machine, Machine::InForce(_)))
    }

    /// Harm reports come from anybody, and count by network: one network is one voice, heard so many
    /// times an hour.
    pub(super) fn report_harm(&mut self, value: &Item, network: u32) -> Result<(), Refusal> {
        self.needs(&[Role::Party, Role::Isp, Role::Reporter, Role::Reviewer, Role::Authority])?;
        if !self.is_in_force(value) {
            return Err(Refusal::NotInForce);
        }
        let group = self.state.harm.get(value);
        let group = group.filter(|harm| self.now.since(harm.since) < self.policy.harm_window_ms);
        if group.is_some_and(|harm| harm.networks.contains(&network)) {
            return Ok(());
        }
        let heard = self.state.networks.of(network, self.now);
        let full = heard == 0 && self.state.networks.count(self.now) >= MAX_NETWORKS;
        if full || heard >= self.policy.harm_per_hour {
            return Err(Refusal::TooManyReports);
        }
        let value = value.clone();
        let before = group.map_or(0, |harm| harm.networks.len() as u64);
        let first = group.is_none();
        self.push(Deed::HarmReported { value: value.clone(), network, first });
        if before + 1 >= self.policy.harm_networks {
            self.push(Deed::HarmGrouped { value });
        }
        Ok(())
    }

    /// A control fails once two probes say so, of two organisations or in two networks. What explains it is lifted, and
    /// nothing else.
    pub(super) fn control_failed(
        &mut self,
        control: &Item,
        explained_by: Option<&Item>,
        network: Option<&Organisation>,
    ) -> Result<(), Refusal> {
        self.needs(&[Role::Probe])?;
        let probe = Probe::new(self.actor.person.as_str()).ok_or(Refusal::NotYourOffice)?;
        let watch = Watch {
            at: self.now,
            probe,
            organisation: self.actor.organisation.clone(),
            network: network.cloned(),
        };
        let seen = self.state.controls.get(control);
        let seen = seen.filter(|seen| self.now.since(seen.at) <= self.policy.control_window_ms);
        let control = control.clone();
        match seen {
            Some(first) if !first.is_another(&watch) => {}
            Some(_) => {
                let explained_by = explained_by.filter(|value| self.is_in_force(value)).cloned();
                let explains = explained_by.clone();
                self.push(Deed::ControlLost { control, explained_by });
                if let Some(value) = explains {
                    let items = self.state.wanting(&value).len();
                    if self.measurement_may_lift(items as u64) {
                        self.lift_value(&value, Cause::Control, false, None, None)?;
                    }
                }
            }
            None if self.state.controls.len() >= MAX_CONTROLS => {
                // Thousands of controls at once: no news that a lift answers. A person is told.
                self.push(Deed::ControlLost { control, explained_by: None });
            }
            None => {
                let Watch { probe, network, .. } = watch;
                self.push(Deed::ControlSeen { control, probe, network });
            }
        }
        Ok(())
    }
}
