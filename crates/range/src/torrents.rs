//! Torrents of releases: version 1, 2 and hybrid; and lists of releases before they are public.

use model::id::{Sha256Hex, hex};
use serde_json::json;
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::Error;
use crate::calendar;
use crate::out::Out;
use crate::plan::Scenario;
use crate::rng::{Rng, mix};
use crate::truth::Truth;
use crate::words::{self, Work};
use crate::world::World;

/// Release groups. The first two are kin: the same people.
pub(crate) const GROUPS: &[&str] = &["NOVAX", "NVXTRA", "TESSERA", "KORVIN", "BRYND", "MALVEX"];

const PIECE: u64 = 1 << 22;

/// A bencoded value being written.
enum B {
    Int(u64),
    Bytes(Vec<u8>),
    List(Vec<B>),
    /// Keys in order.
    Dict(Vec<(Vec<u8>, B)>),
}

impl B {
    fn text(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }

    fn dict(members: Vec<(&str, B)>) -> Self {
        let mut members: Vec<_> =
            members.into_iter().map(|(k, v)| (k.as_bytes().to_vec(), v)).collect();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        Self::Dict(members)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(n) => out.extend_from_slice(format!("i{n}e").as_bytes()),
            Self::Bytes(bytes) => {
                out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
                out.extend_from_slice(bytes);
            }
            Self::List(items) => {
                out.push(b'l');
                items.iter().for_each(|i| i.write(out));
                out.push(b'e');
            }
            Self::Dict(members) => {
                out.push(b'd');
                for (key, value) in members {
                    out.extend_from_slice(format!("{}:", key.len()).as_bytes());
                    out.extend_from_slice(key);
                    value.write(out);
                }
                out.push(b'e');
            }
        }
    }
}

/// The root over hashes of pieces: a binary tree padded by the hash of an empty piece.
fn merkle(layer: &[[u8; 32]]) -> [u8; 32] {
    let pair = |a: &[u8; 32], b: &[u8; 32]| -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(a);
        hash.update(b);
        hash.finalize().into()
    };
    // A piece of PIECE bytes has PIECE / 16 KiB leaves, all zero where it is padding.
    let mut pad = [0u8; 32];
    for _ in 0..(PIECE >> 14).trailing_zeros() {
        pad = pair(&pad, &pad);
    }
    let mut layer = layer.to_vec();
    layer.resize(layer.len().next_power_of_two(), pad);
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|c| pair(&c[0], &c[1])).collect();
    }
    layer[0]
}

/// A release: its name and what it implies.
pub(crate) struct Release {
    pub(crate) name: String,
    pub(crate) group: &'static str,
    work: Work,
}

/// Release `i` of the seizure.
pub(crate) fn release(world: &World, i: u64) -> Release {
    let mut rng = Rng::named(world.seed, "releases").item(i);
    let episode = i % 5 == 3 && world.plan.series > 0;
    let work = if episode {
        // One of its kind: a season for each time round the series.
        let (series, round) = (i / 5 % world.plan.series, i / 5 / world.plan.series);
        words::episode(series, 1 + round as u32, 1 + rng.below(2) as u32)
    } else {
        let mut number = (i * 13 + 5) % words::TITLES;
        // A film whose year nobody states makes no release name.
        while words::film(number).year.is_none() {
            number += 1;
        }
        words::film(number)
    };
    let group = match world.plan.scenario {
        Scenario::Sparks => GROUPS[(mix(i) % 10).min(5) as usize % 4],
        _ => GROUPS[(mix(i) % GROUPS.len() as u64) as usize],
    };
    let marks = *rng.pick(&[
        "1080p.WEB-DL.DDP5.1.H.264",
        "720p.WEB.H264",
        "1080p.BluRay.x264",
        "2160p.WEB.H265",
        "1080p.WEB.H264",
        "720p.HDTV.x264",
    ]);
    let title = work.title.replace(' ', ".");
    let name = match (work.episode, work.year) {
        (Some((s, e)), _) => format!("{title}.S{s:02}E{e:02}.{marks}-{group}"),
        (None, Some(year)) => format!("{title}.{year}.{marks}-{group}"),
        (None, None) => format!("{title}.{marks}-{group}"),
    };
    Release { name, group, work }
}

/// Tells what a release's name implies. Returns its key.
fn tell(truth: &mut Truth, release: &Release) -> String {
    let key = format!("release:{}", release.name.to_lowercase());
    truth.link("released_by", &key, &format!("organization:{}", release.group.to_lowercase()));
    truth.link("release_of", &key, &release.work.key);
    key
}

/// Torrent `i`: its file's name, its bytes.
fn torrent(world: &World, i: u64, truth: &mut Truth) -> (String, Vec<u8>) {
    let mut rng = Rng::named(world.seed, "torrents").item(i);
    let release = release(world, i);
    let release_key = tell(truth, &release);
    let pieces = if world.plan.scenario == Scenario::Small {
        3 + rng.below(20)
    } else {
        40 + rng.below(200)
    };
    let size = (pieces - 1) * PIECE + 1 + rng.below(PIECE - 1);
    let video = format!("{}.mkv", release.name);
    let (v1, v2) = match i % 4 {
        2 => (false, true),
        3 => (true, true),
        _ => (true, false),
    };
    let mut info = vec![("name", B::text(&release.name)), ("piece length", B::Int(PIECE))];
    let mut layers = Vec::new();
    if v1 {
        info.push(("pieces", B::Bytes(rng.bytes(pieces as usize * 20))));
        if v2 {
            // One file in a folder in both descriptions.
            info.push((
                "files",
                B::List(vec![B::dict(vec![
                    ("length", B::Int(size)),
                    ("path", B::List(vec![B::text(&video)])),
                ])]),
            ));
        } else if i % 4 == 1 {
            let nfo = 1000 + rng.below(3000).min(size - 1);
            let file = |name: &str, length| {
                B::dict(vec![("length", B::Int(length)), ("path", B::List(vec![B::text(name)]))])
            };
            info.push((
                "files",
                B::List(vec![
                    file(&video, size - nfo),
                    file(&format!("{}.nfo", release.name), nfo),
                ]),
            ));
        } else {
            info.push(("length", B::Int(size)));
        }
    }
    if v2 {
        let hashes: Vec<[u8; 32]> =
            (0..pieces).map(|_| Sha256Hex::of(&rng.next().to_le_bytes()).0).collect();
        let root = merkle(&hashes);
        info.push(("meta version", B::Int(2)));
        let leaf =
            B::dict(vec![("length", B::Int(size)), ("pieces root", B::Bytes(root.to_vec()))]);
        let file = B::Dict(vec![(Vec::new(), leaf)]);
        info.push(("file tree", B::dict(vec![(video.as_str(), file)])));
        layers.push((root.to_vec(), B::Bytes(hashes.concat())));
    }
    let info = B::dict(info);
    let mut bytes = Vec::new();
    info.write(&mut bytes);
    let hash = if v1 { hex(&Sha1::digest(&bytes)) } else { hex(&Sha256::digest(&bytes)) };
    let swarm = format!("swarm:{hash}");
    truth.link("distributes", &swarm, &release_key);
    let brand = words::BRANDS[(i % 3) as usize + 4];
    let trackers = [
        (
            format!("http://tracker.{brand}.example:6969/announce"),
            format!("tracker.{brand}.example"),
        ),
        (format!("udp://open.{brand}.test:1337/announce"), format!("open.{brand}.test")),
    ];
    for (_, host) in &trackers {
        truth.link("tracked_by", &swarm, &format!("domain:{host}"));
    }
    let tiers = trackers.iter().map(|(url, _)| B::List(vec![B::text(url)])).collect();
    let mut root = vec![
        ("announce", B::text(&trackers[0].0)),
        ("announce-list", B::List(tiers)),
        ("created by", B::text("mktorrent 1.1")),
        ("creation date", B::Int((calendar::at(2025, 6, 1) + i as i64 * 7200) as u64)),
        ("info", info),
    ];
    if v2 {
        root.push(("piece layers", B::Dict(layers)));
    }
    if i.is_multiple_of(6) {
        let host = format!("seed.{brand}.example");
        truth.link("tracked_by", &swarm, &format!("domain:{host}"));
        root.push(("url-list", B::text(&format!("http://{host}/pub/"))));
    }
    let mut bytes = Vec::new();
    B::dict(root).write(&mut bytes);
    (format!("{}.torrent", release.name), bytes)
}

/// Writes torrents and lists.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    for i in 0..world.plan.torrents {
        let (name, bytes) = torrent(world, i, truth);
        out.write(&format!("material/seedbox/torrents/{name}"), &bytes)?;
    }
    let sparks = world.plan.scenario == Scenario::Sparks;
    let count = if sparks { (world.plan.torrents / 2).max(12) } else { 8 };
    let mut text = String::new();
    let mut early = Vec::new();
    for i in 0..count {
        // Some of them are in the torrents, others never came out.
        let release = release(world, if i % 2 == 0 { i } else { world.plan.torrents + i });
        tell(truth, &release);
        let seen = calendar::at(2025, 5, 28) + i as i64 * 7200;
        text.push_str(&format!("{} {}\n", calendar::sql(seen), release.name));
        if i < 20 {
            early.push(json!({"release": release.name, "listed_at": calendar::iso(seen)}));
        }
    }
    truth.more.insert("listed_before_release".to_owned(), early.into());
    out.write("material/seedbox/pre.txt", text.as_bytes())
}
