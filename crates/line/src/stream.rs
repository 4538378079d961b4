//! A stream of bytes to `HOST:PORT`, blocking: for two of our own that speak frames, not HTTP.

use std::io::{Error, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConnection, StreamOwned};

use crate::trust::Trust;

/// The most addresses of a name that are tried.
pub const MAX_ADDRESSES: usize = 4;

/// What is read from and written to.
pub trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// How long a stream waits. The look-up of a name waits as long as the machine's resolver does.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For a connection to each address.
    pub connect: Duration,
    /// For the other to say something.
    pub read: Duration,
    /// For the other to take what is said.
    pub write: Duration,
}

/// Connects: by TLS with whom is trusted, and without it to this machine's loopback alone.
///
/// # Errors
/// No such address; none of [`MAX_ADDRESSES`] answers; a name that no certificate can be for. A certificate
/// that is not trusted is the first read's or write's error.
pub fn connect(to: &str, trust: Option<&Trust>, waits: Waits) -> std::io::Result<Box<dyn Stream>> {
    let odd = |what: String| Error::other(what);
    let mut addresses = to.to_socket_addrs()?.take(MAX_ADDRESSES).peekable();
    if addresses.peek().is_none() {
        return Err(odd(format!("{to} has no address")));
    }
    let mut failed = None;
    for address in addresses {
        if trust.is_none() && !address.ip().is_loopback() {
            return Err(odd(format!(
                "{to} is not on this machine, and without --ca there is no TLS: give it"
            )));
        }
        match dial(&address, waits) {
            Ok(stream) => return secured(to, stream, trust),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| odd(format!("{to} has no address"))))
}

fn dial(address: &SocketAddr, waits: Waits) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, waits.connect)?;
    stream.set_read_timeout(Some(waits.read))?;
    stream.set_write_timeout(Some(waits.write))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn secured(to: &str, stream: TcpStream, trust: Option<&Trust>) -> std::io::Result<Box<dyn Stream>> {
    let Some(Trust(config)) = trust else { return Ok(Box::new(stream)) };
    let host = to.rsplit_once(':').map_or(to, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host).map_err(|e| Error::other(format!("{to}: {e}")))?;
    let connection = ClientConnection::new(config.clone(), name).map_err(Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}
