//! An ISP: its resolver, with the very settings of `docs/edge`, and the settings of its `vigie edge`.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::disk;
use range::night::{HOUSE_NAME, Isp, NAMES, Night, Resolver};

use crate::claim::{self, Claim};
use crate::{Error, lay, names, tool};

const UNBOUND: &str = include_str!("../../../docs/edge/unbound.conf.example");
const BIND: &str = include_str!("../../../docs/edge/named.conf.example");
const KEEP: &str = include_str!("../../../docs/edge/keep.toml.example");
const FOLLOW: &str = include_str!("../../../docs/edge/follow.toml.example");

/// The port of the clearing house's feed.
pub(crate) const FEED_PORT: u16 = 8485;
/// The longest until a resolver answers.
const ANSWERS: Duration = Duration::from_secs(30);
/// So much of the end of what it said is kept, in octets.
const TOLD: usize = 600;

/// A resolver at work.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) isp: Isp,
    said: Arc<Mutex<VecDeque<u8>>>,
    child: Child,
}

impl Running {
    /// The end of what it said, in one line.
    pub(crate) fn said(&self) -> String {
        let said: Vec<u8> =
            self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        String::from_utf8_lossy(&said).trim().replace('\n', " | ")
    }

    /// True once it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a resolver's file is called.
fn file(resolver: Resolver) -> &'static str {
    match resolver {
        Resolver::Unbound => "unbound.conf",
        Resolver::Bind => "named.conf",
    }
}

/// The resolver's settings: where it listens and asks, and the profile as ISPs are given it.
fn settings(isp: &Isp, folder: &Path, control: &Path) -> String {
    let (inside, folder) = (isp.inside, folder.display());
    match isp.resolver {
        Resolver::Unbound => {
            let profile = UNBOUND.replace("/run/unbound.ctl", &control.display().to_string());
            format!(
                "# The resolver of {} on the practice range; what docs/edge gives stands below.\nserver:\n    \
                 do-daemonize: no\n    use-syslog: no\n    directory: \"{folder}\"\n    chroot: \"\"\n    \
                 username: \"\"\n    pidfile: \"\"\n    interface: 127.0.0.1\n    interface: {inside}\n    \
                 access-control: 127.0.0.0/8 allow\n    access-control: {inside}/24 allow\nforward-zone:\n    \
                 name: .\n    forward-addr: {NAMES}\n\n{profile}",
                isp.name
            )
        }
        Resolver::Bind => {
            let own = format!(
                "options {{\n  directory \"{folder}\";\n  listen-on {{ 127.0.0.1; {inside}; }};\n  \
                 listen-on-v6 {{ none; }};\n  forwarders {{ {NAMES}; }};\n  forward only;\n  \
                 // No name of the range is signed.\n  dnssec-validation no;\n  recursion yes;\n  \
                 allow-query {{ any; }};\n  pid-file none;\n  session-keyfile none;"
            );
            format!("{}controls {{ }};\n", BIND.replacen("options {", &own, 1))
        }
    }
}

/// The settings of keep, which blocks, and of follow, which lacks the keys that the clearing house prints.
fn edge(isp: &Isp) -> (String, String) {
    let keep = KEEP
        .replace("run = \"/run/vigie-keep\"            ", "run = \"run\"                      ")
        .replace("mode = \"observe\"  ", "mode = \"enforce\"  ")
        .replace("*.isp.example", &format!("*.{}.example", isp.name));
    let head = FOLLOW.split("# [[mirror]]").next().unwrap_or_default();
    let follow = head
        .replace("keep = \"/run/vigie-keep\"           ", "keep = \"run\"                     ")
        .replace("state = \"/var/lib/vigie-follow\"    ", "state = \"state\"                  ")
        .replace("# ca_file = \"authority-ca.pem\" ", "ca_file = \"../house/tls.pem\"   ");
    let last = "# What `vigie edge trust` prints at the clearing house goes here.\n";
    (keep, follow + last)
}

/// Writes the settings of an ISP into its folder. What is there of an earlier night is written over.
pub(crate) fn write(isp: &Isp, out: &Path, claim: &Claim) -> Result<(), Error> {
    let folder = out.join(&isp.name);
    disk::create_dir(&folder)?;
    let control = claim.folder().join(format!("{}.ctl", isp.name));
    disk::write(&folder.join(file(isp.resolver)), settings(isp, &folder, &control).as_bytes())?;
    let (keep, follow) = edge(isp);
    disk::write(&folder.join("keep.toml"), keep.as_bytes())?;
    Ok(disk::write(&folder.join("follow.toml"), follow.as_bytes())?)
}

/// Starts the resolver, and waits until a subscriber has an answer from it.
pub(crate) fn begin(
    isp: &Isp,
    night: &Night,
    out: &Path,
    claim: &Claim,
    stop: &AtomicBool,
) -> Result<Running, Error> {
    let folder = out.join(&isp.name);
    let mut command = tool::command("ip");
    command.args(["netns", "exec", &claim::space(claim.id(), &isp.name)]);
    match isp.resolver {
        Resolver::Unbound => command.args(["unbound", "-d", "-c"]),
        Resolver::Bind => command.args(["named", "-g", "-c"]),
    };
    command.arg(folder.join(file(isp.resolver))).current_dir(&folder);
    // A Ctrl-C at the terminal is for the range, which ends its resolvers itself.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| Error::Program {
        program: isp.resolver.name().to_owned(),
        said: e.to_string(),
    })?;
    let said = Arc::default();
    listen(child.stderr.take(), Arc::clone(&said))?;
    let mut running = Running { isp: isp.clone(), said, child };
    let home = claim::space(claim.id(), &isp.home);
    let name = night.sites.last().map(|site| site.name.clone()).unwrap_or_default();
    let until = Instant::now() + ANSWERS;
    while !lay::within(&home, || answers(isp.inside, &name)).unwrap_or(false) {
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Ended);
        }
        if running.has_ended() || Instant::now() > until {
            // What it said last may be on its way still.
            std::thread::sleep(Duration::from_millis(100));
            let (isp, said) = (isp.name.clone(), running.said());
            return Err(Error::Silent { resolver: running.isp.resolver.name(), isp, said });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(running)
}

/// Whether a resolver answers one question without an error.
fn answers(resolver: Ipv4Addr, name: &str) -> std::io::Result<bool> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    let Some(question) = names::question(name) else { return Ok(false) };
    socket.send_to(&question, SocketAddr::from((resolver, 53)))?;
    let mut answer = [0; 1_500];
    let length = socket.recv(&mut answer)?;
    Ok(answer.get(..length).is_some_and(|bytes| bytes.get(3).is_some_and(|code| code & 15 == 0)))
}

/// Keeps the end of what a resolver says, for as long as it says anything.
fn listen(
    from: Option<impl Read + Send + 'static>,
    said: Arc<Mutex<VecDeque<u8>>>,
) -> Result<(), Error> {
    let run = move || {
        let Some(mut from) = from else { return };
        let mut buffer = [0; 4_096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend(buffer.get(..length).unwrap_or_default());
            let beyond = said.len().saturating_sub(TOLD);
            said.drain(..beyond);
        }
    };
    let thread = std::thread::Builder::new().name("resolver's words".to_owned()).spawn(run);
    thread.map(drop).map_err(Error::socket("a thread for what a resolver says"))
}

/// The URL of the clearing house's feed, as the settings of follow have it.
pub(crate) fn feed_url() -> String {
    format!("https://{HOUSE_NAME}:{FEED_PORT}/feed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_are_those_of_docs_edge_with_the_places_of_the_range() {
        let night = Night::new(1, 2);
        let (one, two) = (&night.isps[0], &night.isps[1]);
        let unbound = settings(one, Path::new("/out/isp-1"), Path::new("/run/x.ctl"));
        assert!(
            unbound.contains("control-interface: /run/x.ctl")
                && unbound.contains("interface: 198.19.1.1\n")
        );
        assert!(unbound.ends_with(UNBOUND.split("rpz:").last().unwrap()));
        let bind = settings(two, Path::new("/out/isp-2"), Path::new("/run/x.ctl"));
        assert!(
            bind.contains("listen-on { 127.0.0.1; 198.19.2.1; };")
                && bind.contains("break-dnssec yes")
        );
        assert_eq!(bind.matches("options {").count(), 1);
    }

    #[test]
    fn keep_enforces_and_follow_lacks_the_keys_alone() {
        let (keep, follow) = edge(&Night::new(1, 1).isps[0]);
        for line in [
            "run = \"run\"",
            "mode = \"enforce\"",
            "listen = \"127.0.0.1:5354\"",
            "[\"127.0.0.1:53\"]",
        ] {
            assert!(keep.contains(line), "{line}\n{keep}");
        }
        assert!(
            !follow.contains("[trust]") && !follow.contains("/var/") && !follow.contains("/run/"),
            "{follow}"
        );
        for line in
            ["keep = \"run\"", "state = \"state\"", "\nca_file = \"../house/tls.pem\"", &feed_url()]
        {
            assert!(follow.contains(line), "{line}\n{follow}");
        }
    }
}
