//! Who watches keep (systemd's service manager, sd_notify(3)): told that it runs, and each second by the
//! clock that it does not stand still. Where the clock hangs, the watcher ends keep and opens the resolver.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Nobody, or a socket.
#[derive(Debug, Default)]
pub(super) struct Watcher(Option<UnixDatagram>);

impl Watcher {
    /// The one that the environment names (`NOTIFY_SOCKET`): a path, or `@` and an abstract name.
    ///
    /// # Errors
    /// It is not there: whoever set it would wait for ever.
    pub(super) fn of(socket: Option<&OsStr>) -> std::io::Result<Self> {
        let Some(socket) = socket else { return Ok(Self(None)) };
        let at = match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            _ => SocketAddr::from_pathname(socket)?,
        };
        let to = UnixDatagram::unbound()?;
        to.connect_addr(&at)?;
        // A watcher that takes nothing must not stop the clock.
        to.set_nonblocking(true)?;
        Ok(Self(Some(to)))
    }

    /// keep runs.
    pub(super) fn ready(&self) {
        self.say(b"READY=1");
    }

    /// The clock goes.
    pub(super) fn alive(&self) {
        self.say(b"WATCHDOG=1");
    }

    fn say(&self, what: &[u8]) {
        if let Some(to) = &self.0 {
            // What it does not hear it takes for silence.
            let _ = to.send(what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_hears_and_a_full_or_absent_one_stops_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        assert!(Watcher::of(Some(path.as_os_str())).is_err());
        let name = format!("vigie-keep-test-{}", std::process::id());
        let abstracted = SocketAddr::from_abstract_name(&name).unwrap();
        for (heard, named) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&abstracted).unwrap(), format!("@{name}").into()),
        ] {
            let watcher = Watcher::of(Some(&named)).unwrap();
            watcher.ready();
            watcher.alive();
            let mut buffer = [0; 64];
            for what in ["READY=1", "WATCHDOG=1"] {
                let length = heard.recv(&mut buffer).unwrap();
                assert_eq!(&buffer[..length], what.as_bytes());
            }
            (0..10_000).for_each(|_| watcher.alive());
        }
        Watcher::of(None).unwrap().alive();
    }
}
