//! The practice range: synthetic seizures of any size, their truth known.
//!
//! [`make`] writes `OUT/material/…` in the formats, schemas and proportions of real seizures, dirt
//! included; `OUT/truth.json`, what the generator knows it wrote, counted by itself and by no
//! parser; and `OUT/practice-net.csv`, the AS and country of every address used. The same scenario,
//! scale and seed give the same bytes on any machine: no clock, no thread, no hash order.
//!
//! [`night`] is a match night as it is played live: streams of test pictures, innocents, ISPs. It opens no
//! socket either; `range-net` does.
//!
//! Nobody real is in it: addresses are from 198.18.0.0/15 and 3fff::/20, AS numbers those for
//! documentation, names end in `.example` or `.test`, telephone numbers are those kept for fiction,
//! bank codes are invented, credentials begin with `fake`.

mod accounts;
mod answers;
mod archive;
mod calendar;
mod camt;
mod chats;
mod checks;
mod dump;
mod dump_lines;
mod dump_people;
mod dump_tv;
mod identities;
mod lines;
mod lists;
mod material;
mod net;
pub mod night;
mod out;
mod paypal;
mod people;
mod plan;
mod playlist;
mod rng;
mod row;
mod schema;
mod sql;
mod torrents;
mod truth;
mod words;
mod world;
mod xlsx;

use std::path::Path;

pub use out::Progress;
pub use plan::Scenario;
pub use truth::Truth;

/// Why a seizure could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not one of the five scenarios.
    #[error("{0:?} is no scenario: taken-down, perfect-storm, kbox, sparks or small")]
    Scenario(String),
    /// Not from 0.0001 to 1.
    #[error("the scale is {0}: it goes from 0.0001 to 1")]
    Scale(f64),
    /// A finished seizure is there: two would be mixed, and the truth be that of one.
    #[error("{0} holds a practice seizure already: name a new folder")]
    Taken(std::path::PathBuf),
    /// The disk refused.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
    /// A stream on its way to the disk refused.
    #[error("cannot write the material")]
    Write(#[source] std::io::Error),
}

impl Error {
    /// What came back through a `Write`: the disk's own error, if it was that.
    pub(crate) fn from_io(error: std::io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(other) => Self::Write(other),
        }
    }
}

/// Makes a seizure in `out`, over what an interrupted run left there. `progress`
/// is told the bytes written so far. Scale is from 0.0001 to 1; `small` has one size.
pub fn make(
    scenario: Scenario,
    scale: f64,
    seed: u64,
    out: &Path,
    progress: Progress<'_>,
) -> Result<Truth, Error> {
    let plan = plan::Plan::new(scenario, scale)?;
    if out.join("truth.json").exists() {
        return Err(Error::Taken(out.to_owned()));
    }
    let world = world::World::new(plan, seed);
    let mut truth = Truth::new();
    let mut folder = out::Out::new(out, progress)?;
    material::write(&world, &mut truth, &mut folder)?;
    folder.commit()?;
    truth.bytes = folder.written();
    folder.write("practice-net.csv", net::table().as_bytes())?;
    let document = truth.document(scenario.name(), scale, seed);
    let mut text = serde_json::to_vec_pretty(&document).map_err(|e| Error::Write(e.into()))?;
    text.push(b'\n');
    folder.write("truth.json", &text)?;
    folder.commit()?;
    Ok(truth)
}
