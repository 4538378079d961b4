//! Host lists, notes and sums that lay on desks and disks.

use serde_json::json;

use crate::Error;
use crate::checks;
use crate::lines::mac;
use crate::net;
use crate::out::Out;
use crate::rng::Rng;
use crate::truth::Truth;
use crate::words;
use crate::world::World;

/// Writes lists and notes.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    domains(world, truth, out)?;
    addresses(world, truth, out)?;
    servers(world, out)?;
    notes(world, truth, out)
}

/// Domains and URLs, one a line.
fn domains(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut text = String::from("# domains of the network\n");
    let mut put = |host: &str, url: bool| {
        truth.entity(&format!("domain:{host}"));
        text.push_str(&if url { format!("https://{host}/login\n") } else { format!("{host}\n") });
    };
    put(&world.logos, false);
    for panel in &world.panels {
        put(&panel.domain, false);
        put(&format!("my.{}", panel.domain), true);
        put(&format!("pay.{}", panel.domain), false);
        for name in panel.hosts().take(3) {
            put(name, false);
        }
    }
    out.write("material/office/domains.txt", text.as_bytes())
}

/// Addresses with a range, its first address by itself too.
fn addresses(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut text = String::new();
    for i in 0..world.plan.networks.min(6) {
        let network = &net::HOSTING[i];
        let n = network.v4_count();
        for k in 0..3u32 {
            let ip = network.v4(n - 700 + k * 31);
            truth.address(ip.into());
            text.push_str(&format!("{ip}\r\n"));
        }
        let first = network.v4(0).octets();
        let base = net_base(first);
        truth.address(base.into());
        text.push_str(&format!("{base}\r\n{base}/24\r\n"));
    }
    out.write("material/office/addresses.txt", text.as_bytes())
}

fn net_base([a, b, c, _]: [u8; 4]) -> std::net::Ipv4Addr {
    std::net::Ipv4Addr::new(a, b, c, 0)
}

/// Servers that the dumps hold too, as CSV and as JSON.
fn servers(world: &World, out: &mut Out<'_>) -> Result<(), Error> {
    let mut csv = String::from("host,address,role\n");
    let mut list = Vec::new();
    for panel in &world.panels {
        for server in panel.servers.iter().filter(|s| s.ip.is_ipv4()).take(10) {
            let Some(name) = server.names.first() else { continue };
            let role = if server.main { "main" } else { "balancer" };
            csv.push_str(&format!("{name},{},{role}\n", server.ip));
            list.push(json!({"host": name, "address": server.ip.to_string()}));
        }
    }
    out.write("material/office/servers.csv", csv.as_bytes())?;
    let mut bytes = serde_json::to_vec_pretty(&json!(list)).unwrap_or_default();
    bytes.push(b'\n');
    out.write("material/office/servers.json", &bytes)
}

/// What people noted: in UTF-8, in UTF-16, in latin1.
fn notes(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut rng = Rng::named(world.seed, "notes");
    let mut text = String::from("Things to do\n\n");
    for person in world.people.iter().take(6) {
        let face = &person.faces[0];
        truth.entity(&format!("phone:+{}", face.phone));
        truth.entity(&format!("email:{}", face.mail));
        text.push_str(&format!(
            "{}: {}\n  mail {}\n",
            face.name,
            words::phone_written(&face.phone),
            face.mail
        ));
        if let Some(wallet) = person.wallets.first() {
            truth.entity(&format!("wallet:{}:{}", wallet.chain, wallet.address));
            text.push_str(&format!("  wallet {}\n", wallet.address));
        }
    }
    // A box that the first panel's table of devices holds too, where it has two.
    let test_box = mac(false, 1);
    truth.moved_device(&format!("mac:{}", test_box.to_lowercase()), 1);
    text.push_str(&format!("test box {test_box}\n"));
    out.write("material/office/notes.txt", text.as_bytes())?;

    let mut text = String::from("Comptes à vérifier\r\n");
    for country in ["FR", "IT", "RO"] {
        let iban = checks::iban(&mut rng, country);
        truth.entity(&format!("iban:{iban}"));
        text.push_str(&format!("- {}\r\n", checks::grouped(&iban)));
    }
    for _ in 0..3 {
        let wallet = checks::wallet(&mut rng);
        truth.entity(&format!("wallet:{}:{}", wallet.chain, wallet.address));
        text.push_str(&format!("- {}\r\n", wallet.address));
    }
    let utf16: Vec<u8> =
        std::iter::once(0xfeffu16).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    out.write("material/office/comptes.txt", &utf16)?;

    let host = "reserve.offsite.example";
    truth.entity(&format!("domain:{host}"));
    let text = format!("Sauvegarde déplacée, voir http://{host}/ après l'été\n");
    let latin1: Vec<u8> =
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    out.write("material/office/rappel.txt", &latin1)
}

/// Sums of a folder's files as `sha256sum` writes them; the last is that of another file.
pub(crate) fn sums(
    folder: &str,
    files: &[(String, String)],
    truth: &mut Truth,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let mut text = String::new();
    for (i, (name, sum)) in files.iter().enumerate() {
        let wrong = i + 1 == files.len();
        let sum =
            if wrong { model::Sha256Hex::of(name.as_bytes()).to_string() } else { sum.clone() };
        text.push_str(&format!("{sum}  {name}\n"));
    }
    truth.more.insert(
        "sums".to_owned(),
        json!({"agree": files.len() - 1, "mismatch": files.last().map(|f| &f.0)}),
    );
    out.write(&format!("{folder}/SHA256SUMS"), text.as_bytes())
}
