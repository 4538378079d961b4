//! Whose certificates count.

use std::sync::Arc;

use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// The most certificates of a file.
pub const MAX_ROOTS: usize = 1_000;

/// No certificate to hold another's own against.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no certificate to hold its own against: {0}")]
pub struct TrustError(String);

/// TLS 1.3 to whose certificate leads to one of these roots, and to nobody else.
#[derive(Debug, Clone)]
pub struct Trust(pub(crate) Arc<ClientConfig>);

impl Trust {
    /// To the certificates of a file (PEM), at most [`MAX_ROOTS`]. One that is none is told, not passed over:
    /// whoever wrote the file relies on each.
    ///
    /// # Errors
    /// None in it; one that is none.
    pub fn of(pem: &str) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|e| TrustError(e.to_string()))?;
            roots.add(certificate).map_err(|e| TrustError(e.to_string()))?;
            if roots.len() > MAX_ROOTS {
                return Err(TrustError(format!("there are more than {MAX_ROOTS} in its file")));
            }
        }
        if roots.is_empty() {
            return Err(TrustError("its file (PEM) holds none".to_owned()));
        }
        Self::to(roots)
    }

    /// To those that this machine trusts.
    ///
    /// # Errors
    /// It trusts none.
    pub fn machine() -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        // Those that are none are left out; where all are, it is told below.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TrustError("this machine trusts none: name a file of them".to_owned()));
        }
        Self::to(roots)
    }

    fn to(roots: RootCertStore) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|e| TrustError(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}
