//! Saved answers of the panels' Xtream API, types as unstable as they are; and a guide.

use model::Sha256Hex;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::calendar;
use crate::lines::Line;
use crate::out::Out;
use crate::rng::{Rng, mix};
use crate::truth::Truth;
use crate::words;
use crate::world::{Kind, Panel, Stream, World};

fn user_info(line: &Line, panel: &Panel, loose: bool) -> Value {
    let number = |n: i64| if loose { Value::from(n.to_string()) } else { Value::from(n) };
    json!({
        "username": line.user, "password": line.password, "message": "Welcome!",
        "auth": 1, "status": if line.active(panel.dumped_at) { "Active" } else { "Expired" },
        "exp_date": line.expires.map_or(Value::Null, number),
        "is_trial": if loose { json!("0") } else { json!(0) },
        "active_cons": if loose { json!("1") } else { json!(0) },
        "created_at": number(line.created), "max_connections": number(i64::from(line.connections)),
        "allowed_output_formats": ["m3u8", "ts", "rtmp"],
    })
}

fn server_info(host: &str, panel: &Panel) -> Value {
    json!({
        "url": host, "port": panel.port().to_string(), "https_port": "8443",
        "server_protocol": "http", "rtmp_port": "8880", "timezone": "Europe/London",
        "timestamp_now": panel.dumped_at, "time_now": calendar::sql(panel.dumped_at),
    })
}

fn channel(stream: &Stream, number: usize) -> Value {
    let loose = mix(u64::from(stream.id)) % 3;
    let id = u64::from(stream.id);
    let mut value = json!({
        "num": if loose == 0 { json!(number.to_string()) } else { json!(number) },
        "name": stream.name,
        "stream_type": if stream.kind == Kind::Movie { "movie" } else { "live" },
        "stream_id": if loose == 1 { json!(id.to_string()) } else { json!(id) },
        "stream_icon": "",
        "added": if loose == 2 { json!(1_700_000_000 + id) } else { json!((1_700_000_000 + id).to_string()) },
        "category_id": if loose == 0 { json!(stream.category) } else { json!(stream.category.to_string()) },
        "custom_sid": null, "direct_source": "",
    });
    if let Some(members) = value.as_object_mut() {
        if stream.kind == Kind::Movie {
            members.insert("container_extension".to_owned(), "mkv".into());
        } else {
            members.insert(
                "epg_channel_id".to_owned(),
                stream.epg.clone().map_or(Value::Null, Value::from),
            );
            members.insert("tv_archive".to_owned(), 0.into());
        }
    }
    value
}

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = serde_json::to_vec(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Writes them.
pub(crate) fn write(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut rng = Rng::named(world.seed, "answers");
    let folder = "material/clients/captures";
    for panel in world.panels.iter().filter(|p| p.hosts().next().is_some()).take(3) {
        let host = panel.hosts().next().unwrap_or_default();
        let line = Line::of(world.seed, panel, 1 + rng.below(panel.lines));
        let answer = json!({
            "user_info": user_info(&line, panel, panel.index % 2 == 0),
            "server_info": server_info(host, panel),
        });
        out.write(&format!("{folder}/{}/player_api.json", panel.brand), &bytes(&answer))?;
        // The whole in one, its channels an object by number.
        let line = Line::of(world.seed, panel, 1 + rng.below(panel.lines));
        let mut channels = Map::new();
        let step = (panel.streams.len() / 40).max(1);
        let listed = panel.streams.iter().step_by(step);
        for (i, stream) in listed.filter(|s| matches!(s.kind, Kind::Live | Kind::Movie)).enumerate()
        {
            truth.link("shows", &panel.stream_key(stream.id), &stream.shows);
            channels.insert(stream.id.to_string(), channel(stream, i + 1));
        }
        let answer = json!({
            "user_info": user_info(&line, panel, panel.index % 2 == 1),
            "server_info": server_info(host, panel),
            "categories": {"live": [{"category_id": "1", "category_name": "IT", "parent_id": 0}], "movie": [], "series": []},
            "available_channels": channels,
        });
        out.write(&format!("{folder}/{}/panel_api.json", panel.brand), &bytes(&answer))?;
    }
    // A list that does not say whose it is: its streams are of this exhibit alone.
    let panel = &world.panels[world.panels.len() - 1];
    let listed: Vec<&Stream> =
        panel.streams.iter().filter(|s| s.kind == Kind::Live).take(30).collect();
    let answer: Value = listed.iter().enumerate().map(|(i, s)| channel(s, i + 1)).collect();
    let answer = bytes(&answer);
    let exhibit = Sha256Hex::of(&answer).to_string();
    for stream in listed {
        let key = format!("stream:x{}//{}", &exhibit[..32], stream.id);
        truth.link("shows", &key, &stream.shows);
    }
    out.write(&format!("{folder}/unknown/get_live_streams.json"), &answer)?;
    guide(world, truth, out)
}

/// An XMLTV guide of the channels that have an id.
fn guide(world: &World, truth: &mut Truth, out: &mut Out<'_>) -> Result<(), Error> {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE tv SYSTEM \"xmltv.dtd\">\n<tv generator-info-name=\"practice\">\n",
    );
    let guided: Vec<_> = world.channels.iter().filter(|c| c.epg.is_some()).take(200).collect();
    for channel in &guided {
        let epg = channel.epg.as_deref().unwrap_or_default();
        truth.entity(&channel.key);
        text.push_str(&format!(
            "  <channel id=\"{epg}\">\n    <display-name>{}</display-name>\n    <icon src=\"http://{}/{epg}.png\"/>\n  </channel>\n",
            channel.name, world.logos
        ));
    }
    let start = calendar::at(2026, 3, 21);
    let stamp = |time: i64| {
        let digits: String = calendar::sql(time).chars().filter(char::is_ascii_digit).collect();
        format!("{digits} +0000")
    };
    for (i, channel) in guided.iter().enumerate() {
        for k in 0..3 {
            let from = start + k * 7200;
            text.push_str(&format!(
                "  <programme start=\"{}\" stop=\"{}\" channel=\"{}\">\n    <title lang=\"en\">{}</title>\n  </programme>\n",
                stamp(from),
                stamp(from + 7200),
                channel.epg.as_deref().unwrap_or_default(),
                words::title(i as u64 * 3 + k as u64),
            ));
        }
    }
    text.push_str("</tv>\n");
    out.write("material/clients/captures/guide.xml", text.as_bytes())
}
