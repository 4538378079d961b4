//! The line to the clearing house: reports go out, questions come back.

use std::time::Duration;

use line::{AddressError, Bytes, OpenError, StatusCode};
use shield::measure::wire::{MAX_REPORT, Questions, Report};
use tokio::time::timeout;

/// The longest that a report may take, connecting included.
pub const MAX_TIME: Duration = Duration::from_secs(5);

/// Why the clearing house cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// No such address.
    #[error(
        "{0}: write https://HOST[:PORT], without path, user or `?` (http:// goes to this machine's loopback alone)"
    )]
    Address(String),
    /// No certificates to hold its own against.
    #[error("{0}: {1}")]
    Roots(String, line::TrustError),
    /// A key that cannot stand in a request.
    #[error("the key's file holds no key: one line, as `vigie party key` printed it")]
    Key,
}

/// Why a report did not go through.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not in time.
    #[error("no answer within {} s", MAX_TIME.as_secs())]
    Slow,
    /// No connection, or one that broke.
    #[error("{0}")]
    Broke(String),
    /// It was refused, and why.
    #[error("status {0}: {1}")]
    Refused(u16, String),
}

/// The way to the clearing house.
pub struct Line {
    line: line::Line,
}

impl From<OpenError> for LineError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Address(AddressError::Unread(url) | AddressError::Clear(url)) => {
                Self::Address(url)
            }
            OpenError::Trust(url, why) => Self::Roots(url, why),
            OpenError::Key(_) => Self::Key,
        }
    }
}

impl Line {
    /// To an address, with a key's secret; `ca` is PEM.
    ///
    /// # Errors
    /// See [`LineError`].
    pub fn new(url: &str, key: &str, ca: Option<&str>) -> Result<Self, LineError> {
        let line = line::Line::new(url, ca)?;
        if !line.address().path().is_empty() {
            return Err(LineError::Address(url.chars().take(200).collect()));
        }
        if key.trim().is_empty() {
            return Err(LineError::Key);
        }
        Ok(Self { line: line.with_key(key.trim())? })
    }

    /// Sends a report, and gives the next questions.
    ///
    /// # Errors
    /// See [`SendError`].
    pub async fn send(&mut self, report: &Report) -> Result<Questions, SendError> {
        timeout(MAX_TIME, self.sent(report)).await.map_err(|_| SendError::Slow)?
    }

    async fn sent(&mut self, report: &Report) -> Result<Questions, SendError> {
        let broke = |e: &dyn std::fmt::Display| SendError::Broke(e.to_string());
        let report = serde_json::to_vec(report).map_err(|e| broke(&e))?;
        let answer = self.line.post("measure", Bytes::from(report), MAX_TIME).await;
        let answer = answer.map_err(|e| broke(&e))?;
        let status = answer.status;
        let bytes = answer.whole(MAX_REPORT, MAX_TIME).await.map_err(|e| broke(&e))?;
        if status != StatusCode::OK {
            let why = String::from_utf8_lossy(&bytes);
            let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(SendError::Refused(status.as_u16(), why));
        }
        // One that is too long was cut one byte behind the most, and is refused for it.
        Questions::read(&bytes).map_err(|e| broke(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        let to = |url: &str| Line::new(url, "vsk_1", None).map(drop);
        assert!(to("http://127.0.0.1:8486").is_ok());
        for url in [
            "http://192.0.2.1:1",
            "ftp://127.0.0.1",
            "http://a@127.0.0.1",
            "http://127.0.0.1/x",
            "x",
        ] {
            assert!(matches!(to(url), Err(LineError::Address(_))), "{url}");
        }
        assert!(matches!(Line::new("http://127.0.0.1", "a\nb", None), Err(LineError::Key)));
        assert!(matches!(Line::new("http://127.0.0.1", " ", None), Err(LineError::Key)));
    }
}
