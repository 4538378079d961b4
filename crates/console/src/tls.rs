//! TLS by one's own certificate. The two files are looked at with each handshake, and read again where
//! they changed: whoever renews a certificate restarts nothing.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// The most bytes of each file.
const MAX_FILE: u64 = 1 << 20;

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0} cannot be read")]
    Read(PathBuf, #[source] io::Error),
    /// Others can read the key.
    #[error("{0} can be read by others, and whoever has it can be this server: chmod 600 {0}")]
    Exposed(PathBuf),
    /// A file holds no certificate, or no key.
    #[error("{path}: {why}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// They do not belong together, or TLS knows no such key.
    #[error("{cert} and {key}: {why}")]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        why: String,
    },
}

/// Told what happened, a line each: for the operator's terminal.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

type Mark = (u64, u64, i64, i64);

struct Current {
    mark: Option<(Mark, Mark)>,
    key: Arc<CertifiedKey>,
}

/// The certificate, as it is now.
struct Files {
    cert: PathBuf,
    key: PathBuf,
    now: Mutex<Current>,
    told: Told,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("cert", &self.cert).finish_non_exhaustive()
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let found = path.metadata().ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

/// A small file, whole.
fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |e| TlsError::Read(path.to_owned(), e);
    let found = path.metadata().map_err(failed)?;
    if found.len() > MAX_FILE || !found.is_file() {
        return Err(TlsError::Pem {
            path: path.to_owned(),
            why: format!("it is no file of at most {MAX_FILE} bytes"),
        });
    }
    std::fs::read(path).map_err(failed)
}

/// The chain and the key in two PEM files.
fn load(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let wrong = |path: &Path, why: String| TlsError::Pem { path: path.to_owned(), why };
    let chain = CertificateDer::pem_slice_iter(&read(cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| wrong(cert, format!("it is no chain of certificates in PEM: {e}")))?;
    if chain.is_empty() {
        return Err(wrong(cert, "it holds no certificate in PEM".to_owned()));
    }
    let mode = key.metadata().map_err(|e| TlsError::Read(key.to_owned(), e))?.mode();
    if mode & 0o077 != 0 {
        return Err(TlsError::Exposed(key.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|e| wrong(key, format!("it holds no private key in PEM: {e}")))?;
    // It fails as well where certificate and key do not belong together.
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|e| TlsError::Pair {
        cert: cert.to_owned(),
        key: key.to_owned(),
        why: e.to_string(),
    })
}

impl Files {
    /// The present one; where what changed does not hold, the former goes on, and that is told.
    fn present(&self) -> Arc<CertifiedKey> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let found = mark(&self.cert).zip(mark(&self.key));
        if found.is_some() && found != now.mark {
            // Whatever comes of it, these files are not read again until they change.
            now.mark = found;
            match load(&self.cert, &self.key) {
                Ok(key) => {
                    now.key = Arc::new(key);
                    (self.told)("the certificate was read anew");
                }
                Err(e) => (self.told)(&format!("the former certificate goes on: {e}")),
            }
        }
        Arc::clone(&now.key)
    }
}

impl ResolvesServerCert for Files {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.present())
    }
}

/// How connections are begun: TLS 1.2 and 1.3, HTTP/1.1, with the certificate in these files.
///
/// # Errors
/// Files that cannot be read, or hold nothing of the kind, or do not belong together.
pub(crate) fn config(cert: &Path, key: &Path, told: Told) -> Result<Arc<ServerConfig>, TlsError> {
    let mark = mark(cert).zip(mark(key));
    let first = Current { mark, key: Arc::new(load(cert, key)?) };
    let files = Files { cert: cert.to_owned(), key: key.to_owned(), now: Mutex::new(first), told };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| TlsError::Pair {
            cert: cert.to_owned(),
            key: key.to_owned(),
            why: e.to_string(),
        })?;
    let mut config = config.with_no_client_auth().with_cert_resolver(Arc::new(files));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
