//! The feed's copy on S3: begun, and what becomes of it said and noted in the house.

use std::path::Path;
#[cfg(feature = "s3")]
use std::sync::Arc;
#[cfg(feature = "s3")]
use std::time::Instant;

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
    use shield_s3::{Bucket, Course, Fault, Outcome, Shelf};
    let bucket = || {
        let bucket = Bucket::from_env(to);
        bucket.map_err(|error| Told::Misuse(format!("{}: {error}", plain(to))))
    };
    let buckets = [bucket()?, bucket()?];
    let place = buckets[0].shown();
    noted.begins(&place, Instant::now());
    let (mut left, mut untidy) = (false, String::new());
    let (line, at, stops) = (Arc::clone(&said), place.clone(), noted.clone());
    let told = move |course: &Course<Bucket>, outcome: Outcome<'_>| {
        if course.leaves_some() && !std::mem::replace(&mut left, true) {
            line(&format!(
                "the feed on {at}: more than {} files lay there. Those beyond are left where they are: take away by \
                 hand what no manifest names",
                shield_s3::MAX_LISTED
            ));
        }
        let kind = course.untidy().map(Fault::kind).unwrap_or_default();
        if let Some(fault) = course.untidy().filter(|_| kind != untidy) {
            line(&format!("the feed on {at}: what no manifest names any more stays: {fault}"));
        }
        untidy = kind;
        match outcome {
            Ok(_) => {
                if let Some(behind) = noted.is_there(Instant::now()) {
                    let failed = crate::commands::counted(behind.failed, "failure");
                    line(&format!("the feed on {at} is there again, after {failed} in all."));
                }
            }
            Err(fault) => {
                let why = fault.to_string();
                if noted.failed(&at, &fault.kind(), why, Instant::now()) {
                    line(&format!(
                        "ALARM: the feed on {at} is behind: {fault}. It is tried again, every {} s at the longest; \
                         nothing else waits for it",
                        shield_s3::LONGEST.as_secs()
                    ));
                }
            }
        }
    };
    let of_stop = move |outcome: std::result::Result<bool, &Fault>| match outcome {
        Ok(put) => {
            stops.stop_is_there();
            if put {
                said(&format!("the stop that lies beside the manifest stands on {place}."));
            }
        }
        Err(fault) => {
            let why = format!("the stop that lies beside the manifest is not there: {fault}");
            if stops.stop_failed(&place, &fault.kind(), why, Instant::now()) {
                said(&format!(
                    "ALARM: the stop that lies beside the manifest is not on {place}: {fault}"
                ));
            }
        }
    };
    Ok(shield_s3::begin(buckets, folder, told, of_stop)?)
}

/// Says once that it is slow.
pub(super) fn look(noted: &Elsewhere, said: &Line) {
    if let Some(behind) = noted.slow(std::time::Instant::now()) {
        said(&format!("ALARM: the feed on {} is behind: {}", behind.place, behind.why));
    }
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
