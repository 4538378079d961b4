//! What a log asks of a store of objects, and how a store says no.

use std::error::Error as StdError;
use std::future::Future;

/// Which state of an object this is, as its store tells (its ETag).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// An object read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What a conditional put compares with.
    pub version: Version,
}

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A conditional put's condition did not hold: nothing was put by this request.
    #[error("the object is not as it was when it was read")]
    Changed,
    /// The object is longer than it can be.
    #[error("it is longer than the {0} bytes that it can have")]
    TooLong(u64),
    /// No answer came in time. Whether it was done, or will be, is not known.
    #[error("no answer within {} s", .0.as_secs_f32())]
    Slow(std::time::Duration),
    /// The store, or the way to it, failed. A put may have been done all the same.
    #[error("the store failed")]
    Failed(#[source] Box<dyn StdError + Send + Sync>),
}

/// A store of objects with conditional put, as S3 is. Names have `/` between their parts and none at
/// the start. A put is whole or absent, and durable when it is answered; a get sees the last put.
pub trait Objects: Send + Sync {
    /// The object, where there is one.
    ///
    /// # Errors
    /// One longer than `most` bytes; the store.
    fn get(
        &self,
        name: &str,
        most: u64,
    ) -> impl Future<Output = Result<Option<Object>, Fault>> + Send;

    /// Puts an object, whatever was there.
    ///
    /// # Errors
    /// The store.
    fn put(&self, name: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Puts an object where there is none.
    ///
    /// # Errors
    /// [`Fault::Changed`] where there is one; the store.
    fn put_if_absent(
        &self,
        name: &str,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<Version, Fault>> + Send;

    /// Puts an object where it is still in the state `held`.
    ///
    /// # Errors
    /// [`Fault::Changed`] where it is not; the store.
    fn put_if_match(
        &self,
        name: &str,
        bytes: Vec<u8>,
        held: &Version,
    ) -> impl Future<Output = Result<Version, Fault>> + Send;

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// The store.
    fn delete(&self, name: &str) -> impl Future<Output = Result<(), Fault>> + Send;

    /// At most `most` names that begin with `prefix` (of whole parts; empty for all), in order,
    /// those after `after` where it is given.
    ///
    /// # Errors
    /// The store.
    fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<String>, Fault>> + Send;
}
