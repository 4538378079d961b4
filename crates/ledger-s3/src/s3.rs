//! S3, and what speaks like it.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutResult, RetryConfig,
    UpdateVersion,
};

use crate::objects::{Fault, Object, Objects, Version};

/// How long one try of a request may take, and how long all of them: both below
/// [`crate::REQUEST`], so that the client's own word comes first.
const TRY: Duration = Duration::from_secs(20);
const TRIES: Duration = Duration::from_secs(40);

/// Where a log stands: a bucket, and a prefix in it that is the log's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// Parts with `/` between them, or empty.
    pub prefix: String,
}

impl Place {
    /// Reads `s3://bucket/prefix`; `None` where it is not that. Parts are of letters, digits, `-`, `_`
    /// and `.`.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("s3://")?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let fits = |part: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(plain)
        };
        (fits(bucket) && (prefix.is_empty() || prefix.split('/').all(fits)))
            .then(|| Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

/// Settings of a client by their names in lower case (`aws_endpoint_url`, …).
///
/// # Errors
/// A name that is none.
pub fn builder(settings: &[(&str, &str)]) -> object_store::Result<AmazonS3Builder> {
    let mut builder = AmazonS3Builder::new();
    for (name, value) in settings {
        builder = builder.with_config(name.parse()?, *value);
    }
    Ok(builder)
}

/// A client of a bucket: conditional puts, bodies with their checksum, one time limit for a try of a
/// request and another for all of them.
///
/// # Errors
/// Settings that contradict one another.
pub fn client(
    builder: AmazonS3Builder,
    bucket: &str,
    each: Duration,
    all: Duration,
) -> object_store::Result<AmazonS3> {
    // Another part of the process may have installed one: any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig { max_retries: 4, retry_timeout: all, ..RetryConfig::default() };
    let mut client = ClientOptions::new().with_timeout(each);
    if let Some(http) = builder.get_config_value(&ALLOW_HTTP) {
        client = client.with_allow_http(http == "true");
    }
    builder
        .with_bucket_name(bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // A body that was cut on the way is refused by the store.
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(retry)
        .with_client_options(client)
        .build()
}

/// A prefix of a bucket.
#[derive(Debug)]
pub struct S3 {
    store: AmazonS3,
    prefix: String,
}

fn failed(source: object_store::Error) -> Fault {
    match source {
        object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. } => {
            Fault::Changed
        }
        other => Fault::Failed(Box::new(other)),
    }
}

fn version(e_tag: Option<String>) -> Result<Version, Fault> {
    e_tag.map(Version).ok_or_else(|| Fault::Failed("the store gives no ETag".into()))
}

impl S3 {
    /// The store at a place, with credentials, region and endpoint from the standard variables:
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL` (and those of roles); `AWS_ALLOW_HTTP=true` where an endpoint has no TLS.
    ///
    /// # Errors
    /// Variables that contradict one another.
    pub fn from_env(place: &Place) -> Result<Self, Fault> {
        Self::of(AmazonS3Builder::from_env(), place)
    }

    /// The same, with settings by their names in lower case (`aws_endpoint_url`, …).
    ///
    /// # Errors
    /// A name that is none, or settings that contradict one another.
    pub fn with(place: &Place, settings: &[(&str, &str)]) -> Result<Self, Fault> {
        Self::of(builder(settings).map_err(failed)?, place)
    }

    fn of(builder: AmazonS3Builder, place: &Place) -> Result<Self, Fault> {
        let store = client(builder, &place.bucket, TRY, TRIES).map_err(failed)?;
        Ok(Self { store, prefix: place.prefix.clone() })
    }

    fn path(&self, name: &str) -> Result<Path, Fault> {
        let whole = match (self.prefix.as_str(), name) {
            ("", name) => name.to_owned(),
            (prefix, "") => prefix.to_owned(),
            (prefix, name) => format!("{prefix}/{name}"),
        };
        Path::parse(whole).map_err(|e| Fault::Failed(Box::new(e)))
    }

    async fn put_as(&self, name: &str, bytes: Vec<u8>, mode: PutMode) -> Result<PutResult, Fault> {
        let options = PutOptions { mode, ..PutOptions::default() };
        self.store.put_opts(&self.path(name)?, bytes.into(), options).await.map_err(failed)
    }
}

const ALLOW_HTTP: object_store::aws::AmazonS3ConfigKey =
    object_store::aws::AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp);

impl Objects for S3 {
    async fn get(&self, name: &str, most: u64) -> Result<Option<Object>, Fault> {
        let found = match self.store.get(&self.path(name)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let version = version(found.meta.e_tag.clone())?;
        // By what the store says, and by what comes: it may say one thing and send another.
        if found.meta.size > most {
            return Err(Fault::TooLong(most));
        }
        let mut bytes = Vec::new();
        let mut body = found.into_stream();
        while let Some(chunk) = body.try_next().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > most {
                return Err(Fault::TooLong(most));
            }
        }
        Ok(Some(Object { bytes, version }))
    }

    async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), Fault> {
        self.put_as(name, bytes, PutMode::Overwrite).await.map(|_| ())
    }

    async fn put_if_absent(&self, name: &str, bytes: Vec<u8>) -> Result<Version, Fault> {
        version(self.put_as(name, bytes, PutMode::Create).await?.e_tag)
    }

    async fn put_if_match(
        &self,
        name: &str,
        bytes: Vec<u8>,
        held: &Version,
    ) -> Result<Version, Fault> {
        let held = UpdateVersion { e_tag: Some(held.0.clone()), version: None };
        version(self.put_as(name, bytes, PutMode::Update(held)).await?.e_tag)
    }

    async fn delete(&self, name: &str) -> Result<(), Fault> {
        match self.store.delete(&self.path(name)?).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            other => other.map_err(failed),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<String>, Fault> {
        let prefix = self.path(prefix)?;
        let all = match after {
            Some(after) => self.store.list_with_offset(Some(&prefix), &self.path(after)?),
            None => self.store.list(Some(&prefix)),
        };
        let listed: Vec<_> = all.take(most).try_collect().await.map_err(failed)?;
        let own = self.prefix.len() + usize::from(!self.prefix.is_empty());
        Ok(listed
            .iter()
            .filter_map(|o| o.location.as_ref().get(own..).map(str::to_owned))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_in_their_writing() {
        let place = |bucket: &str, prefix: &str| {
            Some(Place { bucket: bucket.into(), prefix: prefix.into() })
        };
        assert_eq!(Place::parse("s3://logs/case/1"), place("logs", "case/1"));
        assert_eq!(Place::parse("s3://logs/case/"), place("logs", "case"));
        assert_eq!(Place::parse("s3://logs"), place("logs", ""));
        for bad in
            ["logs/case", "s3://", "s3:///case", "s3://logs//a", "s3://logs/../a", "s3://l/a b"]
        {
            assert_eq!(Place::parse(bad), None, "{bad}");
        }
    }
}
