//! How fast material is read on one core, and what is read of HLS beside m3u8-rs.
//!
//! Reading is from memory into a sink that counts facts and drops them: each fact is made, with its
//! key, value and span. Seconds are those that the thread had a core, the best of some runs.
#![allow(clippy::print_stdout)]

mod made;

use std::path::Path;
use std::time::Instant;

use intake::{Chunks, Input, Job, Parser, Sink};
use model::{Batch, ExhibitId, Fact, Problem, TableSchema};

#[derive(Default)]
struct Count {
    tables: u32,
    facts: u64,
    segments: u64,
    streams: u64,
    rows: u64,
    problems: u64,
    lost: bool,
    run: bool,
}

impl Sink for Count {
    fn fact(&mut self, fact: Fact) {
        std::hint::black_box(&fact);
        self.facts += 1;
        self.segments += u64::from(fact.property == "segment");
        self.streams += u64::from(fact.property == "url");
    }
    fn table(&mut self, _: TableSchema) -> u32 {
        self.tables += 1;
        self.tables - 1
    }
    fn rows(&mut self, batch: Batch) {
        std::hint::black_box(&batch);
        self.rows += batch.len() as u64;
    }
    fn problem(&mut self, problem: Problem) {
        self.problems += 1;
        self.lost |= problem.lost;
    }
    fn defer(&mut self, job: Job) {
        if self.run {
            job(self);
        }
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

fn parse(parser: &Parser, name: &str, bytes: &[u8]) -> Count {
    let mut out = Count { run: true, ..Count::default() };
    let mut source = bytes;
    let input = Input { exhibit: ExhibitId([7; 32]), name, mapping: None };
    let coverage = (parser.parse)(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!(coverage.total(), bytes.len() as u64, "{name}: bytes are not accounted for");
    out
}

/// The best of `runs`, in MB/s, and what the last gave.
fn best<T>(bytes: usize, runs: u32, mut run: impl FnMut() -> T) -> (f64, T) {
    let mut found: Option<(f64, T)> = None;
    for _ in 0..runs {
        let start = Instant::now();
        let before = seconds(start);
        let out = run();
        let spent = (seconds(start) - before).max(1e-9);
        let least = found.as_ref().map_or(spent, |(s, _)| s.min(spent));
        found = Some((least, out));
    }
    let (spent, out) = found.expect("at least one run");
    (bytes as f64 / 1e6 / spent, out)
}

fn measure(what: &str, parser: &Parser, bytes: &[u8]) -> f64 {
    let (speed, out) = best(bytes.len(), 5, || parse(parser, what, bytes));
    let found = format!("{} facts, {} rows, {} problems", out.facts, out.rows, out.problems);
    println!(
        "{:10} {what:26} {speed:8.0} MB/s {:7.1} MB   {found}",
        parser.name,
        bytes.len() as f64 / 1e6
    );
    speed
}

fn repeated(bytes: &[u8], size: usize) -> Vec<u8> {
    bytes.repeat(size / bytes.len().max(1) + 1)
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut out: Vec<(String, Vec<u8>)> = entries
        .flatten()
        .filter(|e| e.path().is_file())
        .filter_map(|e| {
            Some((e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).ok()?))
        })
        .collect();
    out.sort();
    out
}

/// What m3u8-rs reads: entries, or `None` where it refuses the file.
fn peer(bytes: &[u8]) -> Option<u64> {
    match m3u8_rs::parse_playlist_res(bytes).ok()? {
        m3u8_rs::Playlist::MasterPlaylist(p) => {
            let renditions = p.alternatives.iter().filter(|a| a.uri.is_some()).count();
            Some((p.variants.len() + renditions) as u64)
        }
        m3u8_rs::Playlist::MediaPlaylist(p) => Some(p.segments.len() as u64),
    }
}

/// Both readers over real playlists, file by file; the ratio of their speeds over all of them.
fn beside(folder: &Path) -> Option<f64> {
    let files = files(folder);
    if files.is_empty() {
        println!("hls        m3u8-rs                    SKIPPED: {} is absent", folder.display());
        return None;
    }
    let (mut taken, mut theirs, mut entries, mut their_entries, mut fewer) = (0, 0, 0, 0, 0);
    for (name, bytes) in &files {
        let ours = parse(&intake::hls::PARSER, name, bytes);
        let count = ours.segments + ours.streams;
        taken += u32::from(count > 0 || !ours.lost);
        entries += count;
        if let Some(n) = peer(bytes) {
            theirs += 1;
            their_entries += n;
            if count < n {
                fewer += 1;
                println!("           {name}: {count} entries, m3u8-rs {n}");
            }
        }
    }
    println!(
        "hls        files accepted             {taken} of {n}, m3u8-rs {theirs} of {n}",
        n = files.len()
    );
    println!(
        "hls        entries                    {entries}, m3u8-rs {their_entries}; fewer in {fewer} files"
    );
    // Only what both read, each file as often as makes 4 MB, so that no file counts for more.
    let both: Vec<(usize, &(String, Vec<u8>))> = files
        .iter()
        .filter(|(_, bytes)| peer(bytes).is_some() && !bytes.is_empty())
        .map(|f| ((4 << 20) / f.1.len().max(1) + 1, f))
        .collect();
    let bytes = both.iter().map(|(n, (_, bytes))| n * bytes.len()).sum();
    let (ours, _) = best(bytes, 3, || {
        for (n, (name, bytes)) in &both {
            for _ in 0..*n {
                std::hint::black_box(parse(&intake::hls::PARSER, name, bytes));
            }
        }
    });
    let (theirs, _) = best(bytes, 3, || {
        for (n, (_, bytes)) in &both {
            for _ in 0..*n {
                let _ = std::hint::black_box(m3u8_rs::parse_playlist_res(bytes));
            }
        }
    });
    println!(
        "hls        the files both read        {ours:5.0} MB/s, m3u8-rs {theirs:.0} MB/s (one short file after the other)"
    );
    Some(ours / theirs)
}

/// Long playlists, the same bytes for both.
fn beside_long(what: &str, text: &str) -> f64 {
    let (ours, out) = best(text.len(), 3, || parse(&intake::hls::PARSER, what, text.as_bytes()));
    let (theirs, n) = best(text.len(), 3, || peer(text.as_bytes()));
    println!(
        "hls        {what:26} {ours:8.0} MB/s, m3u8-rs {theirs:.0} MB/s; segments {}, m3u8-rs {}",
        out.segments,
        n.map_or("refuses".to_owned(), |n| n.to_string())
    );
    ours / theirs
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().min_by(f64::total_cmp).unwrap_or(0.0)
}

fn main() {
    let only = std::env::args().nth(1);
    if let Some(path) = only.as_deref().filter(|p| Path::new(p).is_file()) {
        let bytes = std::fs::read(path).unwrap_or_default();
        if let Some(parser) = intake::choose(&bytes[..bytes.len().min(1 << 16)], path) {
            measure(path, parser, &bytes);
        }
        return;
    }
    let part = |name: &str| only.as_deref().is_none_or(|o| o == name);
    let shared = std::env::var_os("VIGIE_SHARED").map(std::path::PathBuf::from).unwrap_or_default();
    let iptv = shared.join("data/iptv");
    const SIZE: usize = 32 << 20;
    let (mut m3u, mut hls, mut ratios, mut dump) = (Vec::new(), Vec::new(), Vec::new(), 0.0);
    if part("m3u") {
        m3u.push(measure(
            "a panel's whole list",
            &intake::m3u::PARSER,
            made::m3u_panel(SIZE).as_bytes(),
        ));
        m3u.push(measure("live channels", &intake::m3u::PARSER, made::m3u_live(SIZE).as_bytes()));
        m3u.push(measure(
            "gathered from many places",
            &intake::m3u::PARSER,
            made::m3u_mixed(SIZE).as_bytes(),
        ));
        let real = files(&iptv.join("playlists"));
        if real.is_empty() {
            println!("m3u        SKIPPED: {} is absent", iptv.display());
        }
        for (name, bytes) in real {
            m3u.push(measure(&name, &intake::m3u::PARSER, &repeated(&bytes, SIZE)));
        }
    }
    if part("hls") {
        let far = |i| format!("https://edge3.cdn.example/live/channel7/1080p/segment_{i:09}.ts");
        let long = made::hls(SIZE, "9.976", far);
        let short = made::hls(SIZE, "4.00008", |i| format!("fileSequence{i}.mp4"));
        let rich = made::hls_rich(SIZE);
        for (what, text) in
            [("long URIs", &long), ("short URIs", &short), ("keys, times, tokens", &rich)]
        {
            hls.push(measure(what, &intake::hls::PARSER, text.as_bytes()));
            ratios.push(beside_long(what, text));
        }
        ratios.extend(beside(&iptv.join("hls/videojs")));
    }
    if part("dump") {
        dump = measure("lines and activity", &intake::dump::PARSER, made::dump(100_000).as_bytes());
    }
    if part("paypal") {
        measure("activity", &intake::paypal::PARSER, made::paypal(SIZE / 2).as_bytes());
    }
    if part("scan") {
        for (what, bytes) in made::scans(SIZE) {
            measure(what, &intake::scan::PARSER, &bytes);
        }
        let worst = made::HOSTILE
            .iter()
            .map(|text| {
                let bytes = text.repeat((1 << 20) / text.len());
                let (speed, _) =
                    best(bytes.len(), 2, || parse(&intake::scan::PARSER, text, bytes.as_bytes()));
                (speed, *text)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((speed, text)) = worst {
            println!(
                "scan       the worst of hostile text  {speed:8.0} MB/s ({text:?} again and again)"
            );
        }
    }
    println!(
        "scan ratio={:.1} m3u_mb_s={:.0} hls_mb_s={:.0} dump_mb_s={dump:.0}",
        least(&ratios),
        least(&m3u),
        least(&hls)
    );
}
