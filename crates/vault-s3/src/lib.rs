//! A backup of a case on S3, or on what speaks like it with conditional puts: `vault::backup::Store`
//! over a prefix of a bucket.
//!
//! Requests go one after another, each with a time limit; an object of more than 32 MiB goes in parts of
//! that size and is read in such pieces, so that memory does not grow with it. The lock is an object that
//! is put where there is none. A deleted object is gone as far as the bucket's rules let it: where the
//! bucket keeps versions, [`Bucket`] says so.

use std::cell::Cell;
use std::time::Duration;

use futures_util::TryStreamExt;
use ledger_s3::Place;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use vault::backup::{Error, Held, Item, MAX_ITEMS, Result, Store, Upload};

/// The most bytes of one request's body: a part of a greater object. S3 takes 10,000 parts, so an object
/// has at most 312 GiB.
pub const PART: usize = 32 << 20;
/// How long one try of a request may take (32 MiB at 300 kB/s), and how long all of them.
const TRY: Duration = Duration::from_secs(120);
const TRIES: Duration = Duration::from_secs(300);
const LOCK: &str = "lock";

/// A prefix of a bucket that is one backup's alone.
pub struct Bucket {
    store: AmazonS3,
    bucket: String,
    prefix: String,
    runtime: tokio::runtime::Runtime,
    /// True once an answer has shown that the bucket keeps, or kept, versions.
    versions: Cell<bool>,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Bucket {
    /// The place `s3://BUCKET/PREFIX`, with credentials, region and endpoint from the standard variables:
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION`,
    /// `AWS_ENDPOINT_URL` (and those of roles); `AWS_ALLOW_HTTP=true` where an endpoint has no TLS.
    ///
    /// # Errors
    /// What is no such place; variables that contradict one another.
    pub fn from_env(place: &str) -> std::result::Result<Self, Source> {
        Self::of(AmazonS3Builder::from_env(), place)
    }

    /// The same, with settings by their names in lower case (`aws_endpoint`, …).
    ///
    /// # Errors
    /// As [`Bucket::from_env`]; a name that is none.
    pub fn with(place: &str, settings: &[(&str, &str)]) -> std::result::Result<Self, Source> {
        Self::of(ledger_s3::builder(settings)?, place)
    }

    fn of(builder: AmazonS3Builder, place: &str) -> std::result::Result<Self, Source> {
        let wanted = "a place on S3 is written s3://BUCKET/PREFIX, of letters, digits, -, _ and .";
        let Place { bucket, prefix } = Place::parse(place).ok_or(wanted)?;
        let store = ledger_s3::client(builder, &bucket, TRY, TRIES)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { store, bucket, prefix, runtime, versions: Cell::new(false) })
    }

    fn path(&self, name: &str) -> Path {
        let parts = [self.prefix.as_str(), name];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Path::from(parts.join("/"))
    }

    fn failed(&self, action: &'static str, name: &str, source: impl Into<Source>) -> Error {
        let (destination, name) = (self.shown(), name.to_owned());
        Error::Store { destination, action, name, source: source.into() }
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    fn put_as(&self, name: &str, bytes: Vec<u8>, mode: PutMode) -> object_store::Result<()> {
        let options = PutOptions { mode, ..PutOptions::default() };
        let path = self.path(name);
        let put = self.wait(self.store.put_opts(&path, bytes.into(), options))?;
        // Every run puts its lock, so every run learns it. `null`: they are kept no more, and older
        // ones may be there.
        if put.version.is_some() {
            self.versions.set(true);
        }
        Ok(())
    }
}

struct Lock<'a>(&'a Bucket);

impl Held for Lock<'_> {}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // One that stays is named to the next writer.
        let _ = self.0.destroy(LOCK);
    }
}

impl Store for Bucket {
    fn shown(&self) -> String {
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        format!("s3://{}{slash}{}", self.bucket, self.prefix)
    }

    fn lock(&self, holder: &str) -> Result<Box<dyn Held + '_>> {
        let text = format!("process {}, {holder}\n", std::process::id());
        match self.put_as(LOCK, text.into_bytes(), PutMode::Create) {
            Ok(()) => Ok(Box::new(Lock(self))),
            Err(object_store::Error::AlreadyExists { .. }) => {
                let mut found = Vec::new();
                self.read(LOCK, &mut |piece| {
                    let room = 1000usize.saturating_sub(found.len()).min(piece.len());
                    found.extend_from_slice(&piece[..room]);
                    Ok(())
                })?;
                let found = String::from_utf8_lossy(&found);
                let found: String = found.chars().filter(|c| !c.is_control()).collect();
                let holder = format!(
                    "{found} (if that is not alive any more, delete the object {}/{LOCK})",
                    self.shown()
                );
                Err(Error::Held { destination: self.shown(), holder })
            }
            Err(error) => Err(self.failed("write", LOCK, error)),
        }
    }

    fn list(&self, below: &str) -> Result<Vec<Item>> {
        let prefix = self.path(below);
        let own = self.prefix.len() + usize::from(!self.prefix.is_empty());
        let mut listed = self.store.list(Some(&prefix));
        self.wait(async {
            let mut out = Vec::new();
            while let Some(object) =
                listed.try_next().await.map_err(|e| self.failed("list", below, e))?
            {
                let name = object.location.as_ref().get(own..).unwrap_or_default();
                if name == LOCK || name.is_empty() {
                    continue;
                }
                if out.len() == MAX_ITEMS {
                    let what = format!("and others: there are more than {MAX_ITEMS} objects");
                    let (destination, name) = (self.shown(), name.to_owned());
                    return Err(Error::Damaged { destination, name, what });
                }
                out.push(Item { name: name.to_owned(), size: object.size });
            }
            Ok(out)
        })
    }

    fn read(&self, name: &str, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let path = self.path(name);
        let (mut at, mut tag) = (0u64, None);
        loop {
            let range = GetRange::Bounded(at..at + PART as u64);
            let options =
                GetOptions { range: Some(range), if_match: tag.clone(), ..GetOptions::default() };
            let got = self.wait(async {
                let found = self.store.get_opts(&path, options).await?;
                Ok::<_, object_store::Error>((found.meta.clone(), found.bytes().await?))
            });
            let (meta, bytes) = match got {
                Ok(got) => got,
                Err(object_store::Error::NotFound { .. }) if at == 0 => return Ok(false),
                // Of an empty object no range can be had.
                Err(error) if at == 0 && self.is_empty(&path) => {
                    let _ = error;
                    return Ok(true);
                }
                Err(error) => return Err(self.failed("read", name, error)),
            };
            take(&bytes)?;
            at += bytes.len() as u64;
            if at >= meta.size {
                return Ok(true);
            }
            if bytes.is_empty() {
                return Err(self.failed("read", name, "it ends before its end"));
            }
            tag = meta.e_tag;
        }
    }

    fn begin(&self, name: &str) -> Result<Box<dyn Upload + '_>> {
        let name = name.to_owned();
        Ok(Box::new(Writing { bucket: self, name, bytes: Vec::new(), parts: None }))
    }

    fn flush(&self) -> Result<()> {
        Ok(()) // an object is durable when its put is answered
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        if bytes.len() > PART {
            let mut upload = self.begin(name)?;
            upload.append(bytes)?;
            return upload.finish();
        }
        let put = self.put_as(name, bytes.to_vec(), PutMode::Overwrite);
        put.map_err(|e| self.failed("write", name, e))
    }

    fn destroy(&self, name: &str) -> Result<()> {
        match self.wait(self.store.delete(&self.path(name))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("delete", name, error)),
        }
    }

    fn remains(&self) -> Option<String> {
        self.versions.get().then(|| {
            format!(
                "the bucket {} keeps versions of what is deleted: what was erased is in them until a rule \
                 of the bucket removes them (NoncurrentVersionExpiration), or somebody who may",
                self.bucket
            )
        })
    }
}

impl Bucket {
    fn is_empty(&self, path: &Path) -> bool {
        self.wait(self.store.head(path)).is_ok_and(|meta| meta.size == 0)
    }
}

/// An object on its way: up to one part in memory.
struct Writing<'a> {
    bucket: &'a Bucket,
    name: String,
    bytes: Vec<u8>,
    parts: Option<Box<dyn MultipartUpload>>,
}

impl Writing<'_> {
    fn send(&mut self) -> object_store::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        let bucket = self.bucket;
        let upload = match &mut self.parts {
            Some(upload) => upload,
            none => {
                let path = bucket.path(&self.name);
                none.insert(bucket.wait(bucket.store.put_multipart(&path))?)
            }
        };
        bucket.wait(upload.put_part(bytes.into()))
    }
}

impl Upload for Writing<'_> {
    fn append(&mut self, mut bytes: &[u8]) -> Result<()> {
        while self.bytes.len() + bytes.len() > PART {
            let (now, later) = bytes.split_at(PART - self.bytes.len());
            self.bytes.extend_from_slice(now);
            bytes = later;
            self.send().map_err(|e| self.bucket.failed("write", &self.name, e))?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let (bucket, name) = (self.bucket, self.name.clone());
        if self.parts.is_none() {
            let bytes = std::mem::take(&mut self.bytes);
            return bucket.put(&name, &bytes);
        }
        let told = |e| bucket.failed("write", &name, e);
        if !self.bytes.is_empty() {
            self.send().map_err(told)?;
        }
        if let Some(mut upload) = self.parts.take() {
            bucket.wait(upload.complete()).map_err(told)?;
        }
        Ok(())
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        if let Some(mut upload) = self.parts.take() {
            // What stays of it a rule of the bucket removes (AbortIncompleteMultipartUpload).
            let _ = self.bucket.wait(upload.abort());
        }
    }
}
