//! The feed's copy on S3: begun, and what becomes of it said and noted in the house.

use std::path::Path;

use desk::clearing::publish::Elsewhere;
use desk::clearing::rounds::Told as Line;

use crate::commands::plain;
use crate::error::Told;

#[cfg(feature = "s3")]
pub(super) use shield_s3::Copying;

/// Begins it; nothing of the house waits for it.
#[cfg(feature = "s3")]
pub(super) fn begin(
    to: &str,
    folder: &Path,
    noted: Elsewhere,
    said: Line,
) -> Result<Copying, Told> {
    use shield_s3::{Bucket, Course, Outcome, Shelf};
    let bucket = Bucket::from_env(to);
    let bucket = bucket.map_err(|error| Told::Misuse(format!("{}: {error}", plain(to))))?;
    let mut left = false;
    let told = move |course: &Course<Bucket>, outcome: Outcome<'_>| {
        let place = course.shelf().shown();
        if course.leaves_some() && !std::mem::replace(&mut left, true) {
            said(&format!(
                "the feed on {place}: more than {} files lay there. Those beyond are left where they are; a rule of \
                 the bucket removes them (docs/feed-http.md)",
                shield_s3::MAX_LISTED
            ));
        }
        match outcome {
            Ok(_) => {
                if let Some(behind) = noted.is_there() {
                    let failed = crate::commands::counted(behind.failed, "failure");
                    said(&format!("the feed on {place} is there again, after {failed} in all."));
                }
            }
            Err(fault) => {
                if noted.failed(&place, fault.to_string(), std::time::Instant::now()) {
                    said(&format!(
                        "ALARM: the feed on {place} is behind: {fault}. It is tried again, every {} s at the longest; \
                         nothing else waits for it",
                        shield_s3::LONGEST.as_secs()
                    ));
                }
            }
        }
    };
    Ok(shield_s3::begin(bucket, folder, told)?)
}

/// Nothing that could be had.
#[cfg(not(feature = "s3"))]
#[derive(Clone)]
pub(super) enum Copying {}

#[cfg(not(feature = "s3"))]
impl Copying {
    pub(super) fn wake(&self) {
        match *self {}
    }
}

/// Says how it is to be had.
#[cfg(not(feature = "s3"))]
pub(super) fn begin(to: &str, _: &Path, _: Elsewhere, _: Line) -> Result<Copying, Told> {
    Err(Told::Misuse(format!(
        "{}: this vigie was built without S3. Build it with it: `cargo build --release -p vigie --features s3`; or \
         copy the folder of --feed yourself, files first and the manifest last",
        plain(to)
    )))
}
