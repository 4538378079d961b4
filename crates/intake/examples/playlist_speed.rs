//! How fast playlists are read: MB/s on one core, for IPTV and HLS playlists.
//!
//! `cargo run --release -p intake --example playlist_speed [FILE…]`
//!
//! Without files: an IPTV list and an HLS list made here, 64 MB each, and the shared lists where
//! `VIGIE_SHARED` names their folder. Reading is from memory; facts are made, counted and dropped.
#![allow(clippy::print_stdout)]

use std::fmt::Write as _;
use std::time::Instant;

use intake::{Chunks, Input, Job, Parser, Sink};
use model::{Batch, ExhibitId, Fact, Problem, TableSchema};

#[derive(Default)]
struct Count {
    facts: u64,
    problems: u64,
}

impl Sink for Count {
    fn fact(&mut self, fact: Fact) {
        std::hint::black_box(&fact);
        self.facts += 1;
    }
    fn table(&mut self, _: TableSchema) -> u32 {
        0
    }
    fn rows(&mut self, _: Batch) {}
    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
    fn defer(&mut self, job: Job) {
        job(self);
    }
}

/// Seconds this thread has had a core (Linux); seconds passed, elsewhere. On a machine that does
/// other things too, only the first says how fast the code is.
fn seconds(start: Instant) -> f64 {
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok())
        .map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

fn measure(what: &str, parser: &Parser, bytes: &[u8]) {
    let mut best = f64::MAX;
    let mut out = Count::default();
    for _ in 0..5 {
        out = Count::default();
        let mut source = bytes;
        let input = Input { exhibit: ExhibitId([7; 32]), name: "list", mapping: None };
        let start = Instant::now();
        let before = seconds(start);
        (parser.parse)(&input, &mut Chunks::new(&mut source), &mut out);
        best = best.min(seconds(start) - before);
    }
    let mb = bytes.len() as f64 / 1e6;
    println!(
        "{what:24} {:8.1} MB/s  {mb:6.1} MB  {:9} facts  {:5.1} ns a fact  {} problems",
        mb / best,
        out.facts,
        best * 1e9 / out.facts.max(1) as f64,
        out.problems
    );
}

fn repeated(bytes: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(size + bytes.len());
    while out.len() < size {
        out.extend_from_slice(bytes);
    }
    out
}

fn main() {
    let size = 64 << 20;
    let files: Vec<String> = std::env::args().skip(1).collect();
    for file in &files {
        let bytes = std::fs::read(file).unwrap_or_default();
        if let Some(parser) = intake::choose(&bytes[..bytes.len().min(65536)], file) {
            measure(file, parser, &bytes);
        }
    }
    if !files.is_empty() {
        return;
    }
    let mut xtream = "#EXTM3U\n".to_owned();
    let mut i = 0;
    while xtream.len() < size {
        i += 1;
        let _ = writeln!(
            xtream,
            "#EXTINF:-1 tvg-id=\"channel{i}.fr\" tvg-name=\"FR: Channel {i} HD\" tvg-logo=\"http://logo.example/images/{i}.png\" group-title=\"FR | General\",FR: Channel {i} HD\nhttp://line.stream.example:8080/live/subscriber77/kX93jdKs/{i}.ts"
        );
    }
    measure("m3u, xtream", &intake::m3u::PARSER, xtream.as_bytes());
    let mut hls = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n".to_owned();
    let mut i = 0;
    while hls.len() < size {
        i += 1;
        let _ = writeln!(
            hls,
            "#EXTINF:9.976,\nhttps://edge3.cdn.example/live/channel7/1080p/segment_{i:09}.ts"
        );
    }
    measure("hls, long URIs", &intake::hls::PARSER, hls.as_bytes());
    let mut hls = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n".to_owned();
    while hls.len() < size {
        i += 1;
        let _ = writeln!(hls, "#EXTINF:4.00008,\nfileSequence{i}.mp4");
    }
    measure("hls, short URIs", &intake::hls::PARSER, hls.as_bytes());
    if let Some(shared) = std::env::var_os("VIGIE_SHARED") {
        let folder = std::path::Path::new(&shared).join("data/iptv");
        for (name, parser) in [
            ("playlists/free-tv.m3u8", &intake::m3u::PARSER),
            ("playlists/playlist_italy.m3u8", &intake::m3u::PARSER),
            ("hls/videojs/playlist.m3u8", &intake::hls::PARSER),
            ("hls/videojs/master-fmp4.m3u8", &intake::hls::PARSER),
            ("hls/videojs/llhls.m3u8", &intake::hls::PARSER),
        ] {
            if let Ok(bytes) = std::fs::read(folder.join(name)) {
                measure(name, parser, &repeated(&bytes, size));
            }
        }
    }
}
