//! One mirror: a line to it, and what is shown there.

use std::time::Duration;

use line::{Address, AddressError, Answer, CallError, Line, OpenError};

/// Where the feed is to be had.
pub(super) struct Mirror {
    /// Its address, as it is told of.
    pub(super) url: String,
    /// The view that is asked for.
    pub(super) view: String,
    line: Line,
}

impl Mirror {
    /// Looks whether an address can be one of a mirror.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub(super) fn check(url: &str) -> Result<(), AddressError> {
        Address::read(url).map(drop)
    }

    /// One that is asked for a view; `ca` is PEM.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(super) fn new(
        url: &str,
        view: &str,
        key: Option<&str>,
        ca: Option<&str>,
    ) -> Result<Self, OpenError> {
        let line = Line::new(url, ca)?;
        let line = match key {
            Some(key) => line.with_key(key)?,
            None => line,
        };
        Ok(Self { url: url.to_owned(), view: view.to_owned(), line })
    }

    /// Asks for what stands at a path below the view, from one of its bytes on; the answer's head has to
    /// be there `within` so long.
    ///
    /// # Errors
    /// See [`CallError`].
    pub(super) async fn get(
        &mut self,
        path: &str,
        from: u64,
        within: Duration,
    ) -> Result<Answer, CallError> {
        self.line.get(&format!("{}/{path}", self.view), from, within).await
    }
}
