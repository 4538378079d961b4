//! Playlists that subscribers had, Xtream API answers and guides.

use std::fmt::Write as _;

use crate::Error;
use crate::lines::Line;
use crate::out::Out;
use crate::plan::Scenario;
use crate::rng::Rng;
use crate::truth::Truth;
use crate::words;
use crate::world::{Kind, Panel, Stream, World};

/// Writes them all.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let base = Rng::named(world.seed, "playlists");
    for i in 0..world.plan.playlists {
        let mut rng = base.item(i);
        let text = match i % 8 {
            3 => foreign(world, &mut rng, i, truth),
            1 => plain(world, &mut rng, i, truth),
            _ => own(world, &mut rng, i, truth),
        };
        out.write(
            &format!("material/clients/box-{:02}/playlist-{i}.m3u", i / 3 + 1),
            text.as_bytes(),
        )?;
    }
    Ok(())
}

/// A host of the panel that no other panel has: a server's name, else its address.
fn host(panel: &Panel, rng: &mut Rng) -> String {
    // The last server may be shared with another panel.
    let mine = &panel.servers[..panel.servers.len() - 1];
    let server = if rng.per_mille(500) { &mine[0] } else { rng.pick(mine) };
    match (server.names.first(), server.ip.is_ipv4()) {
        (Some(name), _) => name.clone(),
        (None, true) => server.ip.to_string(),
        (None, false) => format!("[{}]", server.ip),
    }
}

/// The key of the host without brackets or port.
fn host_key(host: &str) -> String {
    crate::world::host_link(host.trim_matches(['[', ']'])).1
}

fn attributes(world: &World, stream: &Stream, rng: &mut Rng) -> String {
    let mut text = String::new();
    let epg = stream.epg.as_deref().unwrap_or_default();
    let _ = write!(text, " tvg-id=\"{epg}\" tvg-name=\"{}\"", stream.name);
    if rng.per_mille(400) {
        let _ = write!(text, " tvg-logo=\"http://{}/{}.png\"", world.logos, stream.id);
    }
    let group = match stream.kind {
        Kind::Movie => "VOD".to_owned(),
        Kind::Episode => "Series".to_owned(),
        Kind::Radio => "Radio".to_owned(),
        _ => words::MARKETS[stream.category as usize - 1].1.to_owned() + " TV",
    };
    let _ = write!(text, " group-title=\"{group}\"");
    text
}

fn path(stream: &Stream) -> String {
    match stream.kind {
        Kind::Movie | Kind::Episode => format!("{}.mkv", stream.id),
        _ => format!("{}.ts", stream.id),
    }
}

/// The list of a line of one of the panels; every third line is in no dump.
fn own(world: &World, rng: &mut Rng, i: u64, truth: &mut Truth) -> String {
    let panel = &world.panels[i as usize % world.panels.len()];
    let host = host(panel, rng);
    let host_key = host_key(&host);
    let (user, password) = if i % 3 == 2 {
        (format!("lost{}", rng.chars(crate::rng::BASE36, 7)), words::password(rng))
    } else {
        let line = Line::of(world.seed, panel, 1 + rng.below(panel.lines));
        (line.user, line.password)
    };
    let line_key = panel.line_key(&user);
    if i % 3 == 2 {
        truth.entity(&line_key);
    }
    let end = if i % 4 == 1 { "\r\n" } else { "\n" };
    let mut text = String::new();
    if i % 7 == 6 {
        // Junk before the header, as a portal's notice.
        text.push('\u{feff}');
    }
    let _ = write!(text, "#EXTM3U x-tvg-url=\"http://{}/guide.xml\"{end}", world.logos);
    let count = if world.plan.scenario == Scenario::Small { 25 } else { 400 };
    let step = (panel.streams.len() / count).max(1);
    for stream in panel.streams.iter().step_by(step) {
        let key = panel.stream_key(stream.id);
        truth.pair("lists", &line_key, &key);
        truth.link("hosted_at", &key, &host_key);
        truth.link("shows", &key, &stream.shows);
        let folder = match stream.kind {
            // Old clients' form, for some.
            Kind::Live if i % 5 == 2 => String::new(),
            kind => format!("{}/", kind.folder()),
        };
        let _ = write!(
            text,
            "#EXTINF:-1{},{}{end}http://{host}:{}/{folder}{user}/{password}/{}{end}",
            attributes(world, stream, rng),
            stream.name,
            panel.port(),
            path(stream),
        );
    }
    text
}

/// The list of a service that was not seized: its host is nobody's here.
fn foreign(world: &World, rng: &mut Rng, i: u64, truth: &mut Truth) -> String {
    let brand = words::BRANDS[(i as usize * 5 + 3) % words::BRANDS.len()];
    let host = format!("get.{brand}-elsewhere{i}.example");
    let user = format!("guest{}", rng.chars(crate::rng::BASE36, 6));
    let password = words::password(rng);
    let line_key = format!("line:@{host}/{user}");
    truth.entity(&line_key);
    let mut text = "#EXTM3U\n".to_owned();
    let panel = &world.panels[0];
    for (n, stream) in panel.streams.iter().take(20).enumerate() {
        let number = 7000 + n;
        let key = format!("stream:@{host}/{number}");
        truth.link("lists", &line_key, &key);
        truth.link("hosted_at", &key, &format!("domain:{host}"));
        truth.link("shows", &key, &stream.shows);
        let _ = write!(
            text,
            "#EXTINF:-1{},{}\nhttp://{host}:8080/live/{user}/{password}/{number}.ts\n",
            attributes(world, stream, rng),
            stream.name,
        );
    }
    text
}

/// A list of open URLs: no account in them.
fn plain(world: &World, rng: &mut Rng, i: u64, truth: &mut Truth) -> String {
    let mut text = "#EXTM3U\r\n".to_owned();
    let count = world.channels.len().min(30);
    for (n, channel) in world.channels.iter().take(count).enumerate() {
        let host = format!("edge-{}.open-relay{i}.test", n % 3 + 1);
        let url =
            format!("http://{host}/hls/{}/{}/index.m3u8", words::MARKETS[channel.market].0, n);
        let key = format!("stream:url:{url}");
        truth.link("hosted_at", &key, &format!("domain:{host}"));
        truth.link("shows", &key, &channel.key);
        let name = channel.shown(n as u64);
        let epg = channel.epg.as_deref().unwrap_or_default();
        let agent =
            if rng.per_mille(200) { "#EXTVLCOPT:http-user-agent=VLC/3.0.18\r\n" } else { "" };
        let _ = write!(
            text,
            "#EXTINF:-1 tvg-id=\"{epg}\" group-title=\"Open\",{name}\r\n{agent}{url}\r\n"
        );
    }
    text
}
