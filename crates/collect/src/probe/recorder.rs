//! TLS by a verifier that writes down what it is shown, and refuses nothing: what a server presents is
//! what is captured. No session is taken up again, since it would hide the chain.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::CertificateDer;
use crate::tls::{Shown, Validity};

/// The roots that chains are held against.
#[derive(Debug, Clone)]
pub struct Roots(Option<Arc<WebPkiServerVerifier>>);

impl Roots {
    /// Those that this machine trusts.
    pub fn of_machine() -> Self {
        Self::of(rustls_native_certs::load_native_certs().certs)
    }

    /// These; none where none of them can be used.
    pub fn of(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates);
        let provider = Arc::new(provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        Self(verifier.build().ok())
    }
}

fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// What was shown so far.
#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    validity: Option<Validity>,
    proven: bool,
}

#[derive(Debug)]
struct Recorder {
    provider: CryptoProvider,
    roots: Roots,
    seen: Mutex<Seen>,
}

impl Recorder {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn proven(
        &self,
        found: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.seen().proven = found.is_ok();
        Ok(HandshakeSignatureValid::assertion())
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let validity = match &self.roots.0 {
            None => Validity::Unchecked,
            Some(roots) => {
                let found = roots.verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    now,
                );
                found.map_or_else(|e| Validity::Invalid(word(&e)), |_| Validity::Valid)
            }
        };
        let mut seen = self.seen();
        seen.validity = Some(validity);
        seen.chain = std::iter::once(end_entity).chain(intermediates).map(|c| c.to_vec()).collect();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proven(verify_tls12_signature(message, cert, dss, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.proven(verify_tls13_signature(message, cert, dss, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn word(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "not-yet-valid"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "wrong-name"
            }
            CertificateError::UnknownIssuer => "unknown-issuer",
            CertificateError::Revoked => "revoked",
            CertificateError::BadEncoding => "bad-encoding",
            CertificateError::BadSignature => "bad-signature",
            _ => "invalid",
        },
        _ => "invalid",
    }
}

/// A handshake: what it showed, or as much of that as it came to and why it came no further. Without a
/// name none is told: an address never is (RFC 6066, 3).
pub(super) async fn handshake(
    stream: TcpStream,
    address: IpAddr,
    name: Option<&str>,
    roots: &Roots,
) -> Result<(TlsStream<TcpStream>, Shown), (Option<Shown>, String)> {
    let server: ServerName<'static> = match name {
        Some(name) => ServerName::try_from(name.to_owned())
            .map_err(|_| (None, "TLS cannot carry the name".to_owned()))?,
        None => ServerName::IpAddress(address.into()),
    };
    let recorder =
        Arc::new(Recorder { provider: provider(), roots: roots.clone(), seen: Mutex::default() });
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| (None, e.to_string()))?;
    let mut config = config
        .dangerous()
        .with_custom_certificate_verifier(Arc::<Recorder>::clone(&recorder))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_sni = name.is_some();
    let shaken = TlsConnector::from(Arc::new(config)).connect(server, stream).await;
    let connection = shaken.as_ref().ok().map(|stream| stream.get_ref().1);
    let seen = std::mem::take(&mut *recorder.seen());
    let version = connection.and_then(|c| c.protocol_version());
    let suite = connection.and_then(|c| c.negotiated_cipher_suite());
    let alpn = connection.and_then(|c| c.alpn_protocol());
    let text = |of: Option<String>| of.unwrap_or_else(|| "none".to_owned());
    let shown = Shown {
        version: text(version.map(|v| format!("{v:?}").replace('_', "."))),
        suite: text(suite.map(|s| format!("{:?}", s.suite()))),
        alpn: alpn.map(|a| String::from_utf8_lossy(a).into_owned()),
        sni: name.map(str::to_owned),
        chain: seen.chain,
        validity: seen.validity.unwrap_or(Validity::Unchecked),
        proven: seen.proven,
    };
    match shaken {
        Ok(stream) => Ok((stream, shown)),
        Err(error) => Err((Some(shown).filter(|s| !s.chain.is_empty()), error.to_string())),
    }
}
