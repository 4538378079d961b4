//! Three machines: `client` — `router` — `server`.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use shield_nft::Nft;

/// A network namespace, held by a process that sleeps in it.
struct Space(Child);

impl Space {
    fn new() -> Self {
        let child = Command::new("unshare")
            .args(["--net", "sleep", "300"])
            .stdin(Stdio::null())
            .spawn()
            .expect("unshare (util-linux), as root");
        let space = Self(child);
        let own = std::fs::read_link("/proc/self/ns/net").unwrap();
        let of = format!("/proc/{}/ns/net", space.0.id());
        let begun = Instant::now();
        while std::fs::read_link(&of).is_ok_and(|link| link == own) {
            assert!(begun.elapsed() < Duration::from_secs(5), "a namespace needs root");
            std::thread::sleep(Duration::from_millis(5));
        }
        space
    }

    fn enter(&self, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.0.id().to_string(), "--net"]).args(args);
        command
    }

    fn ip(&self, line: &str) {
        let args: Vec<&str> = std::iter::once("ip").chain(line.split(' ')).collect();
        let out = self.enter(&args).output().unwrap();
        assert!(out.status.success(), "ip {line}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) struct World {
    client: Space,
    router: Space,
    _server: Space,
}

impl World {
    pub(crate) fn new() -> Self {
        let (client, router, server) = (Space::new(), Space::new(), Space::new());
        for space in [&client, &router, &server] {
            space.ip("link set lo up");
        }
        for (name, far) in [("c", &client), ("s", &server)] {
            let pid = far.0.id();
            router.ip(&format!("link add {name} type veth peer name eth netns {pid}"));
            router.ip(&format!("link set {name} up"));
            far.ip("link set eth up");
        }
        for (space, address, to) in [
            (&client, "198.18.0.2/30", "eth"),
            (&router, "198.18.0.1/30", "c"),
            (&router, "198.18.1.1/30", "s"),
            (&server, "198.18.1.2/30", "eth"),
            (&server, "198.51.100.7/32", "eth"),
            (&server, "198.51.100.8/32", "eth"),
            (&client, "2001:db8:a::2/64", "eth"),
            (&router, "2001:db8:a::1/64", "c"),
            (&router, "2001:db8:b::1/64", "s"),
            (&server, "2001:db8:b::7/64", "eth"),
            (&server, "2001:db8:b::8/64", "eth"),
        ] {
            let nodad = if address.contains(':') { " nodad" } else { "" };
            space.ip(&format!("addr add {address} dev {to}{nodad}"));
        }
        client.ip("route add default via 198.18.0.1");
        server.ip("route add default via 198.18.1.1");
        router.ip("route add 198.51.100.0/24 via 198.18.1.2");
        client.ip("-6 route add default via 2001:db8:a::1");
        server.ip("-6 route add default via 2001:db8:b::1");
        let world = Self { client, router, _server: server };
        for key in ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"] {
            assert!(world.router.enter(&["sysctl", "-q", "-w", key]).status().unwrap().success());
        }
        world
    }

    /// `nft` on the router.
    pub(crate) fn nft(&self) -> Nft {
        let pid = self.router.0.id().to_string();
        let command = ["nsenter", "--target", &pid, "--net", "nft"].map(Into::into).to_vec();
        Nft { command, ..Nft::default() }
    }

    /// The router's operator at work.
    pub(crate) fn operator(&self, line: &str) -> String {
        let out = self.router.enter(&["nft", line]).output().expect("nft (apt install nftables)");
        assert!(out.status.success(), "{line}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    /// Whether the client's connection reaches the server. Nobody listens there: what reaches it is refused
    /// by the server's own reset, what does not by the router.
    pub(crate) fn open(&self, address: &str, port: u16) -> bool {
        let try_it = format!("exec 3<>/dev/tcp/{address}/{port}");
        let mut bash = self.client.enter(&["timeout", "3", "bash", "-c", &try_it]);
        let out = bash.env("LC_ALL", "C").output().unwrap();
        String::from_utf8_lossy(&out.stderr).contains("Connection refused")
    }
}
