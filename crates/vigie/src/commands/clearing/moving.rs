//! A TLS connection on which one read ends in time. A socket's own bound is of one packet: who sends the bytes of a
//! handshake, or of a record, one by one, would hold a place at the standby's door for hours, and with all places
//! taken the standby itself could not come back.

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A socket that is read until a moment.
struct Socket {
    stream: TcpStream,
    until: Rc<Cell<Option<Instant>>>,
}

impl Read for Socket {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.until.get().is_some_and(|until| Instant::now() >= until) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.read(into)
    }
}

impl Write for Socket {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.stream.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// The house's end of a TLS connection. Within one read or write nothing takes longer than `still` and the
/// socket's own bound together.
pub(super) struct Moving {
    tls: StreamOwned<ServerConnection, Socket>,
    until: Rc<Cell<Option<Instant>>>,
    still: Duration,
}

impl Moving {
    pub(super) fn new(
        config: Arc<ServerConfig>,
        stream: TcpStream,
        still: Duration,
    ) -> Result<Self, rustls::Error> {
        let until = Rc::new(Cell::new(None));
        let socket = Socket { stream, until: Rc::clone(&until) };
        Ok(Self { tls: StreamOwned::new(ServerConnection::new(config)?, socket), until, still })
    }

    fn begin(&self) {
        self.until.set(Some(Instant::now() + self.still));
    }
}

impl Read for Moving {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.begin();
        self.tls.read(into)
    }
}

impl Write for Moving {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.begin();
        self.tls.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tls.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;

    use super::*;

    #[derive(Debug)]
    struct Nobody;

    impl ResolvesServerCert for Nobody {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            None
        }
    }

    #[test]
    fn who_sends_a_handshake_byte_by_byte_is_let_go() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut drips = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        // A record of 16 KiB, of which a byte comes each 50 ms: the socket itself never stands still.
        let dripping = std::thread::spawn(move || {
            let head = [0x16, 3, 1, 0x40, 0];
            let sent = head.into_iter().chain([0; 200]).try_for_each(|byte| {
                std::thread::sleep(Duration::from_millis(50));
                drips.write_all(&[byte])
            });
            sent.is_err()
        });
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Nobody));
        let still = Duration::from_millis(500);
        let began = Instant::now();
        let mut moving = Moving::new(Arc::new(config), stream, still).unwrap();
        let read = moving.read(&mut [0; 4]).map_err(|e| e.kind());
        assert_eq!(read, Err(io::ErrorKind::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        drop(moving);
        assert!(dripping.join().unwrap(), "it is let go");
    }
}
