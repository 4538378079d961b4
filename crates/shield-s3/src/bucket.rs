//! The shelf on S3.

use std::io::{Cursor, Read};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use ledger_s3::Place;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode,
    PutMultipartOptions, PutOptions, UpdateVersion,
};

use crate::course::{Fault, Kind, Shelf, Stored, Tag};

/// The most bytes of one request's body: a part of a greater file. Memory does not grow beyond it.
const PART: u64 = 16 << 20;
/// How long one try of a request may take, and how long all of them: what is small goes with each heartbeat.
const SMALL: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(20));
/// The same, of a file: 16 MiB at 140 kB/s.
const LARGE: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(300));

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A prefix of a bucket that is one feed's alone.
pub struct Bucket {
    small: AmazonS3,
    large: AmazonS3,
    bucket: String,
    prefix: String,
    runtime: tokio::runtime::Runtime,
}

impl Bucket {
    /// The place `s3://BUCKET/PREFIX`, with credentials, region and endpoint from the standard variables, as
    /// `vault_s3::Bucket::from_env` takes them.
    ///
    /// # Errors
    /// What is no such place; variables that contradict one another.
    pub fn from_env(place: &str) -> Result<Self, Source> {
        Self::of(AmazonS3Builder::from_env, place)
    }

    /// The same, with settings by their names in lower case (`aws_endpoint`, …).
    ///
    /// # Errors
    /// As [`Bucket::from_env`]; a name that is none.
    pub fn with(place: &str, settings: &[(&str, &str)]) -> Result<Self, Source> {
        let builder = ledger_s3::builder(settings)?;
        Self::of(|| builder.clone(), place)
    }

    fn of(builder: impl Fn() -> AmazonS3Builder, place: &str) -> Result<Self, Source> {
        let wanted = "a place on S3 is written s3://BUCKET/PREFIX, of letters, digits, -, _ and .";
        let Place { bucket, prefix } = Place::parse(place).ok_or(wanted)?;
        let client = |(each, all)| ledger_s3::client(builder(), &bucket, each, all);
        let (small, large) = (client(SMALL)?, client(LARGE)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { small, large, bucket, prefix, runtime })
    }

    fn path(&self, name: &str) -> Path {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        Path::from(format!("{}{slash}{name}", self.prefix))
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// A file of more than one part: it is there once all of them are.
    async fn parts(&self, path: &Path, first: Vec<u8>, bytes: &mut dyn Read) -> Result<(), Source> {
        let options = PutMultipartOptions { attributes: told(Kind::File), ..Default::default() };
        let mut upload = self.large.put_multipart_opts(path, options).await?;
        let done = async {
            let mut part = first;
            while !part.is_empty() {
                upload.put_part(part.into()).await?;
                part = piece(bytes)?;
            }
            upload.complete().await?;
            Ok(())
        }
        .await;
        if done.is_err() {
            // What stays of it a rule of the bucket removes (AbortIncompleteMultipartUpload).
            let _ = upload.abort().await;
        }
        done
    }
}

/// What caches are told, as `shield-feed` tells them.
fn told(kind: Kind) -> Attributes {
    let (media, cache) = match kind {
        Kind::Manifest => ("text/plain; charset=utf-8", "public, no-cache"),
        Kind::File => ("application/octet-stream", "public, max-age=31536000, immutable"),
        Kind::Stop => ("text/plain; charset=utf-8", "no-store"),
    };
    let all = [(Attribute::ContentType, media), (Attribute::CacheControl, cache)];
    Attributes::from_iter(all)
}

/// The next part, or what is left.
fn piece(bytes: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    bytes.take(PART).read_to_end(&mut part)?;
    Ok(part)
}

fn failed(action: &'static str, name: &str) -> impl FnOnce(Source) -> Fault {
    let name = name.to_owned();
    move |source| Fault::Store { action, name, source }
}

impl Shelf for Bucket {
    fn shown(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.bucket, self.prefix)
    }

    fn list(&self, below: &str, most: usize) -> Result<Vec<(String, u64)>, Fault> {
        let own = self.prefix.len() + usize::from(!self.prefix.is_empty());
        let below_path = self.path(below);
        let listed = self.small.list(Some(&below_path)).take(most).try_collect::<Vec<_>>();
        let listed = self.wait(listed).map_err(|e| failed("list", below)(e.into()))?;
        let named = listed.into_iter().filter_map(|object| {
            Some((object.location.as_ref().get(own..)?.to_owned(), object.size))
        });
        Ok(named.collect())
    }

    fn read(&self, name: &str, most: u64) -> Result<Option<(Vec<u8>, Tag)>, Fault> {
        let path = self.path(name);
        let read = async {
            let found = match self.small.get(&path).await {
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                other => other?,
            };
            let tag = found.meta.e_tag.clone().ok_or("the store gives no ETag")?;
            let (mut bytes, mut body) = (Vec::new(), found.into_stream());
            while let Some(piece) = body.try_next().await? {
                bytes.extend_from_slice(&piece);
                if bytes.len() as u64 > most {
                    break;
                }
            }
            Ok(Some((bytes, Tag(tag))))
        };
        self.wait(read).map_err(failed("read", name))
    }

    fn put_if(
        &self,
        name: &str,
        kind: Kind,
        bytes: Vec<u8>,
        tag: Option<&Tag>,
    ) -> Result<Stored, Fault> {
        let mode = match tag {
            None => PutMode::Create,
            Some(Tag(tag)) => {
                PutMode::Update(UpdateVersion { e_tag: Some(tag.clone()), version: None })
            }
        };
        let options = PutOptions { mode, attributes: told(kind), ..PutOptions::default() };
        let path = self.path(name);
        use object_store::Error::{AlreadyExists, NotFound, Precondition};
        match self.wait(self.small.put_opts(&path, bytes.into(), options)) {
            Ok(put) => {
                let tag = put.e_tag.ok_or_else(|| "the store gives no ETag".into());
                Ok(Stored::There(Tag(tag.map_err(failed("write", name))?)))
            }
            // What stood is gone: that is a change, too.
            Err(AlreadyExists { .. } | Precondition { .. } | NotFound { .. }) => {
                Ok(Stored::Changed)
            }
            Err(error) => Err(failed("write", name)(error.into())),
        }
    }

    fn put_file(&self, name: &str, bytes: &mut dyn Read) -> Result<(), Fault> {
        let path = self.path(name);
        let put = async {
            let first = piece(bytes)?;
            // The end is read before anything stands: a file that is not what it says is found there.
            if (first.len() as u64) < PART {
                let mut end = [0];
                if bytes.read(&mut end)? == 0 {
                    let attributes = told(Kind::File);
                    let options = PutOptions { attributes, ..PutOptions::default() };
                    self.large.put_opts(&path, first.into(), options).await?;
                    return Ok(());
                }
                return self.parts(&path, first, &mut Cursor::new(end).chain(bytes)).await;
            }
            self.parts(&path, first, bytes).await
        };
        self.wait(put).map_err(failed("write", name))
    }

    fn remove(&self, name: &str) -> Result<(), Fault> {
        match self.wait(self.small.delete(&self.path(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed("remove", name)(error.into())),
        }
    }
}
