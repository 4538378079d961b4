//! The relay that letters go out by: SMTP (RFC 5321), by `lettre`. Nothing here runs unless an operator configured
//! one, and nobody but it is called.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport};
use serde::Deserialize;

use crate::{Error, Result};

/// The longest that the relay may take over one step.
const PATIENCE: Duration = Duration::from_secs(10);

/// How TLS is spoken to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelayTls {
    /// From the first byte (RFC 8314).
    Tls,
    /// After STARTTLS, and never without.
    Starttls,
    /// Never: to an address of loopback alone.
    None,
}

/// The relay.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// Where.
    pub host: String,
    /// By which port.
    pub port: u16,
    /// How.
    pub tls: RelayTls,
    /// As whom, where it asks.
    #[serde(default)]
    pub user: Option<String>,
    /// The file of the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

impl RelaySettings {
    pub(super) fn beside(&mut self, folder: &Path) {
        self.password_file = self.password_file.take().map(|file| folder.join(file));
    }
}

/// One that letters can be sent by.
#[derive(Debug)]
pub struct Relay(SmtpTransport);

impl Relay {
    /// Opens it; nothing is called yet.
    ///
    /// # Errors
    /// [`Error::Asked`]: in the clear beyond loopback, a user without password; what cannot be read.
    pub fn open(of: &RelaySettings) -> Result<Self> {
        let odd = |why: String| Error::Asked(format!("the relay {}: {why}", of.host));
        let loopback = of.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let secure = || TlsParameters::new(of.host.clone()).map_err(|e| odd(e.to_string()));
        let tls = match of.tls {
            RelayTls::Tls => Tls::Wrapper(secure()?),
            RelayTls::Starttls => Tls::Required(secure()?),
            RelayTls::None if loopback => Tls::None,
            RelayTls::None => {
                return Err(odd("in the clear it may stand on loopback alone".to_owned()));
            }
        };
        let transport = SmtpTransport::builder_dangerous(&of.host)
            .port(of.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        let transport = match (&of.user, &of.password_file) {
            (None, None) => transport,
            (Some(user), Some(file)) => {
                let failed = |source| Error::Read { path: file.clone(), source };
                let password = std::fs::read_to_string(file).map_err(failed)?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                transport.credentials(Credentials::new(user.clone(), password))
            }
            _ => return Err(odd("a user has a password_file, and the other way round".to_owned())),
        };
        Ok(Self(transport.build()))
    }

    /// Sends a message as it is.
    ///
    /// # Errors
    /// What the relay said, in words.
    pub fn send(&self, from: &str, to: &str, message: &[u8]) -> std::result::Result<(), String> {
        let address =
            |text: &str| text.parse().map_err(|_| format!("{text:?} is no e-mail address"));
        let envelope = Envelope::new(Some(address(from)?), vec![address(to)?]);
        let envelope = envelope.map_err(|e| e.to_string())?;
        self.0.send_raw(&envelope, message).map(drop).map_err(|e| e.to_string())
    }
}
