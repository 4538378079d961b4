//! The namespaces of a night, and the wires between them.
//!
//! `world` holds a bridge with the addresses of all sites and of the night's names. The clearing house (`house`) and
//! each ISP hang on it by a wire; a subscriber (`home-N`) reaches it through its ISP alone, which forwards. None has
//! a route out of these networks.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::path::Path;

use range::night::{HOUSE, HOUSE6, NAMES, Night, PREFIX, PREFIX6};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::claim::{self, Claim};
use crate::{Error, tool};

/// The place of sites and names.
pub(crate) const WORLD: &str = "world";
/// The place of the clearing house.
pub(crate) const HOUSE_PLACE: &str = "house";
/// The bridge's own address.
const BRIDGE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const BRIDGE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x18, 0, 0, 0, 0, 1);

/// True where this machine speaks IPv6.
pub(crate) fn has_ipv6() -> bool {
    Path::new("/proc/net/if_inet6").exists()
}

/// The places of a night.
pub(crate) fn places(night: &Night) -> Vec<&str> {
    let isps = night.isps.iter().flat_map(|isp| [isp.name.as_str(), isp.home.as_str()]);
    [WORLD, HOUSE_PLACE].into_iter().chain(isps).collect()
}

/// Makes the namespaces that are claimed.
pub(crate) fn make(claim: &Claim, night: &Night) -> Result<(), Error> {
    let space = |place: &str| claim::space(claim.id(), place);
    let lines_in =
        |place: &str, lines: &Lines| tool::ip(&["-netns", &space(place)], &lines.text).map(drop);
    for name in claim.spaces() {
        tool::ip(&["netns", "add", name], "")?;
    }
    let begin = || Lines { text: "link set lo up\n".to_owned(), six: night.has_ipv6() };
    let mut world = begin();
    world.line("link add br0 type bridge");
    world.address("br0", (BRIDGE, PREFIX), (BRIDGE6, PREFIX6));
    world.line(&format!("addr add {NAMES}/32 dev br0"));
    for address in night.addresses() {
        let how = if address.is_ipv4() { "/32 dev br0" } else { "/128 dev br0 nodad" };
        world.line(&format!("addr add {address}{how}"));
    }
    world.line("link set br0 up");
    for place in [HOUSE_PLACE].into_iter().chain(night.isps.iter().map(|isp| isp.name.as_str())) {
        world.line(&format!("link add {place} type veth peer name eth0 netns {}", space(place)));
        world.line(&format!("link set {place} master br0 up"));
    }
    for isp in &night.isps {
        world.route(&format!("{}/32", isp.subscriber), isp.address.into());
        world.route(&format!("{}/128", isp.subscriber6), isp.address6.into());
    }
    lines_in(WORLD, &world)?;
    let mut house = begin();
    house.address("eth0", (HOUSE, PREFIX), (HOUSE6, PREFIX6));
    lines_in(HOUSE_PLACE, &house)?;
    resolver(&space(HOUSE_PLACE), &NAMES.to_string())?;
    for isp in &night.isps {
        let (mut lines, home) = (begin(), space(&isp.home));
        lines.address("eth0", (isp.address, PREFIX), (isp.address6, PREFIX6));
        lines.line(&format!("link add inside type veth peer name eth0 netns {home}"));
        lines.address("inside", (isp.inside, 24), (isp.inside6, 64));
        lines_in(&isp.name, &lines)?;
        forward(&space(&isp.name), night.has_ipv6())?;
        resolver(&space(&isp.name), "127.0.0.1")?;
        let mut lines = begin();
        lines.address("eth0", (isp.subscriber, 24), (isp.subscriber6, 64));
        lines.route("0.0.0.0/0", isp.inside.into());
        lines.route("::/0", isp.inside6.into());
        lines_in(&isp.home, &lines)?;
        resolver(&home, &isp.inside.to_string())?;
    }
    Ok(())
}

/// What `ip` is told in one namespace.
struct Lines {
    text: String,
    six: bool,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A link's addresses, and the link up. Nobody else can have them: they are not looked for.
    fn address(&mut self, link: &str, four: (Ipv4Addr, u8), six: (Ipv6Addr, u8)) {
        self.line(&format!("addr add {}/{} dev {link}", four.0, four.1));
        if self.six {
            self.line(&format!("addr add {}/{} dev {link} nodad", six.0, six.1));
        }
        self.line(&format!("link set {link} up"));
    }

    fn route(&mut self, to: &str, via: IpAddr) {
        if via.is_ipv4() || self.six {
            self.line(&format!("route add {to} via {via}"));
        }
    }
}

/// Lets a namespace hand packets on.
fn forward(space: &str, six: bool) -> Result<(), Error> {
    let mut files = vec!["/proc/sys/net/ipv4/ip_forward"];
    if six {
        files.push("/proc/sys/net/ipv6/conf/all/forwarding");
    }
    for file in files {
        let mut command = tool::command("ip");
        command.args(["netns", "exec", space, "sh", "-c", &format!("echo 1 > {file}")]);
        tool::run(command, "")?;
    }
    Ok(())
}

/// Whom programs that `ip netns exec` runs there ask for names.
fn resolver(space: &str, address: &str) -> Result<(), Error> {
    let folder = claim::settings(space);
    ledger::disk::create_dir(&folder)?;
    let text = format!("{}\nnameserver {address}\n", claim::mark(space));
    Ok(ledger::disk::write(&folder.join("resolv.conf"), text.as_bytes())?)
}

/// Does something in a namespace, as opening a socket: what was opened there stays there.
pub(crate) fn within<T: Send>(
    space: &str,
    act: impl FnOnce() -> std::io::Result<T> + Send,
) -> std::io::Result<T> {
    let enter = || {
        let file = File::open(Path::new("/run/netns").join(space))?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
        act()
    };
    // A thread of its own, since only that is moved; it ends with what was done.
    std::thread::scope(|scope| scope.spawn(enter).join())
        .unwrap_or_else(|_| Err(std::io::Error::other("it broke off")))
}
