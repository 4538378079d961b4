//! Times the indicator scan on bytes of several sorts: `scan_speed [FILE…]`.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use intake::{Chunks, Input, Job, Sink};
use model::{Batch, ExhibitId, Fact, Problem, TableSchema};

/// Counts facts and keeps nothing.
#[derive(Default)]
struct Count(u64);

impl Sink for Count {
    fn fact(&mut self, _: Fact) {
        self.0 += 1;
    }
    fn table(&mut self, _: TableSchema) -> u32 {
        0
    }
    fn rows(&mut self, _: Batch) {}
    fn problem(&mut self, _: Problem) {}
    fn defer(&mut self, job: Job) {
        job(self);
    }
}

fn time(name: &str, bytes: &[u8]) {
    let input = Input { exhibit: ExhibitId([7; 32]), name: "bytes", mapping: None };
    let mut best = f64::MAX;
    let mut facts = 0;
    for _ in 0..3 {
        let mut out = Count::default();
        let mut source = bytes;
        let start = Instant::now();
        (intake::scan::PARSER.parse)(&input, &mut Chunks::new(&mut source), &mut out);
        best = best.min(start.elapsed().as_secs_f64());
        facts = out.0;
    }
    let speed = bytes.len() as f64 / best / 1e6;
    println!("{name:>24}: {speed:8.0} MB/s, {facts} facts in {} bytes", bytes.len());
}

fn main() -> std::io::Result<()> {
    const SIZE: usize = 64 << 20;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let junk: Vec<u8> = (0..SIZE / 8).flat_map(|_| next().to_le_bytes()).collect();
    time("random bytes", &junk);
    time("zeros", &vec![0u8; SIZE]);
    let words = [
        "the ",
        "panel ",
        "stream, ",
        "credits. ",
        "2024-11-26 10:00:00 ",
        "id=",
        "17;\n",
        "user_name ",
    ];
    let prose: String =
        std::iter::repeat_with(|| words[(next() % 8) as usize]).take(SIZE / 8).collect();
    time("prose", prose.as_bytes());
    let log: String = std::iter::repeat_with(|| {
        let n = next();
        format!(
            "198.18.{}.{} - - [26/Nov/2024] \"GET http://s{}.example/live/u/p/{}.ts\" 200\n",
            n & 255,
            n >> 8 & 255,
            n >> 16 & 63,
            n >> 32 & 0xffff
        )
    })
    .take(SIZE / 80)
    .collect();
    time("a web server's log", log.as_bytes());
    let wide: Vec<u8> = prose.bytes().take(SIZE / 2).flat_map(|b| [b, 0]).collect();
    time("prose in UTF-16", &wide);
    for hostile in [
        ".",
        "@",
        ":",
        "a.",
        "a@",
        "1.",
        "://",
        "http://",
        "a:",
        "+1",
        "A1",
        ")",
        "http://a.b/)))))))))",
        "00:",
        "\0a",
        "a.com/",
        "t.me/a",
        "urn:btih:",
        "é",
        "%3A",
    ] {
        let bytes = hostile.repeat((8 << 20) / hostile.len());
        time(&format!("{hostile:?} again and again"), bytes.as_bytes());
    }
    for path in std::env::args().skip(1) {
        time(&path, &std::fs::read(&path)?);
    }
    Ok(())
}
