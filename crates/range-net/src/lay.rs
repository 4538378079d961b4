//! The namespaces of a night, and the wires between them.
//!
//! `world` holds a bridge with the addresses of all sites and of the night's names. The clearing house (`house`) and
//! each ISP hang on it by a wire; a subscriber (`home-N`) reaches it through its ISP alone, which forwards. None has
//! a route out of these networks.

use std::fmt::Write as _;
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use range::night::{HOUSE, NAMES, Night, PREFIX};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::claim::{self, Claim};
use crate::{Error, tool};

/// The place of sites and names.
pub(crate) const WORLD: &str = "world";
/// The place of the clearing house.
pub(crate) const HOUSE_PLACE: &str = "house";
/// The bridge's own address.
const BRIDGE: &str = "198.18.0.1";

/// The places of a night.
pub(crate) fn places(night: &Night) -> Vec<&str> {
    let isps = night.isps.iter().flat_map(|isp| [isp.name.as_str(), isp.home.as_str()]);
    [WORLD, HOUSE_PLACE].into_iter().chain(isps).collect()
}

/// Makes the namespaces that are claimed.
pub(crate) fn make(claim: &Claim, night: &Night) -> Result<(), Error> {
    let space = |place: &str| claim::space(claim.id(), place);
    for name in claim.spaces() {
        tool::ip(&["netns", "add", name], "")?;
    }
    let mut world = String::from("link set lo up\nlink add br0 type bridge\n");
    let _ = writeln!(world, "addr add {BRIDGE}/{PREFIX} dev br0\naddr add {NAMES}/32 dev br0");
    for address in night.addresses() {
        let _ = writeln!(world, "addr add {address}/32 dev br0");
    }
    world.push_str("link set br0 up\n");
    let mut wire = |name: &str, place: &str| {
        let _ = writeln!(world, "link add {name} type veth peer name eth0 netns {}", space(place));
        let _ = writeln!(world, "link set {name} master br0 up");
    };
    wire(HOUSE_PLACE, HOUSE_PLACE);
    night.isps.iter().for_each(|isp| wire(&isp.name, &isp.name));
    for isp in &night.isps {
        let _ = writeln!(world, "route add {}/32 via {}", isp.subscriber, isp.address);
    }
    let lines_in = |place: &str, lines: &str| tool::ip(&["-netns", &space(place)], lines).map(drop);
    // The routes need the bridge up, and the wires need nothing of the other side.
    lines_in(WORLD, &world)?;
    let own = |address: std::net::Ipv4Addr| {
        format!("link set lo up\naddr add {address}/{PREFIX} dev eth0\nlink set eth0 up\n")
    };
    lines_in(HOUSE_PLACE, &own(HOUSE))?;
    for isp in &night.isps {
        let home = space(&isp.home);
        let towards = format!(
            "link add inside type veth peer name eth0 netns {home}\naddr add {}/24 dev inside\nlink set inside up\n",
            isp.inside
        );
        lines_in(&isp.name, &(own(isp.address) + &towards))?;
        forward(&space(&isp.name))?;
        let lines = format!(
            "link set lo up\naddr add {}/24 dev eth0\nlink set eth0 up\nroute add default via {}\n",
            isp.subscriber, isp.inside
        );
        lines_in(&isp.home, &lines)?;
        resolver(&home, &isp.inside.to_string())?;
        resolver(&space(&isp.name), "127.0.0.1")?;
    }
    resolver(&space(HOUSE_PLACE), &NAMES.to_string())
}

/// Lets a namespace hand packets on.
fn forward(space: &str) -> Result<(), Error> {
    let mut command = tool::command("ip");
    command.args(["netns", "exec", space, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    tool::run(command, "").map(drop)
}

/// Whom programs that `ip netns exec` runs there ask for names.
fn resolver(space: &str, address: &str) -> Result<(), Error> {
    let folder = claim::settings(space);
    ledger::disk::create_dir(&folder)?;
    let text = format!("# Of the practice range {space}; it goes with it.\nnameserver {address}\n");
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
