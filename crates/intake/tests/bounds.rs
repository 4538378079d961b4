//! Gigabytes that no file holds: memory stays bounded, what is lost is located, and every byte is
//! accounted for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use intake::{Chunks, Coverage, Input, Job, PARSERS, Parser, Sink};
use model::{Batch, ExhibitId, Fact, Problem, ProblemKind, TableSchema};

/// Counts what is allocated, and the most that ever was.
struct Meter;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)] // an allocator can be watched in no other way
// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static METER: Meter = Meter;

/// `head`, then `byte` again and again, then `tail`: `size` bytes between the two.
struct Long<'a> {
    head: &'a [u8],
    byte: u8,
    size: u64,
    tail: &'a [u8],
}

impl Read for Long<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !self.head.is_empty() {
            return self.head.read(buffer);
        }
        if self.size > 0 {
            let n = buffer.len().min(usize::try_from(self.size).unwrap_or(usize::MAX));
            buffer[..n].fill(self.byte);
            self.size -= n as u64;
            return Ok(n);
        }
        self.tail.read(buffer)
    }
}

#[derive(Default)]
struct Count {
    tables: u32,
    facts: u64,
    rows: usize,
    problems: Vec<Problem>,
}

impl Sink for Count {
    fn fact(&mut self, _: Fact) {
        self.facts += 1;
    }
    fn table(&mut self, _: TableSchema) -> u32 {
        self.tables += 1;
        self.tables - 1
    }
    fn rows(&mut self, batch: Batch) {
        self.rows += batch.len();
    }
    fn problem(&mut self, problem: Problem) {
        assert!(self.problems.len() < 10_000, "problems are not bounded");
        self.problems.push(problem);
    }
    fn defer(&mut self, job: Job) {
        job(self);
    }
}

/// What a parser may hold at once: its window of 64 MiB, which doubles when it grows, and what it
/// makes of a bounded record.
const MEMORY: usize = 448 << 20;

fn read(parser: &Parser, head: &[u8], byte: u8, size: u64, tail: &[u8]) -> (Count, Coverage) {
    let total = head.len() as u64 + size + tail.len() as u64;
    let before = NOW.load(Ordering::Relaxed);
    MOST.store(before, Ordering::Relaxed);
    let mut source = Long { head, byte, size, tail };
    let mut chunks = Chunks::new(&mut source);
    let mut out = Count::default();
    let input = Input { exhibit: ExhibitId([1; 32]), name: "long", mapping: None };
    let coverage = (parser.parse)(&input, &mut chunks, &mut out);
    drop(chunks);
    let most = MOST.load(Ordering::Relaxed).saturating_sub(before);
    assert!(most <= MEMORY, "{}: {} MiB were held at once", parser.name, most >> 20);
    assert_eq!(coverage.total(), total, "{}: {coverage:?}", parser.name);
    for problem in &out.problems {
        assert!(problem.start <= problem.end && problem.end <= total, "{problem:?}");
    }
    (out, coverage)
}

fn parser(name: &str) -> &'static Parser {
    PARSERS.iter().find(|p| p.name == name).unwrap()
}

// One test: the meter is one for the process.
#[test]
fn memory_is_bounded_and_what_is_lost_is_located() {
    const GB: u64 = 1 << 30;
    // One line of a gigabyte in the middle, and what stands around it is read all the same.
    let entry = b"#EXTM3U\n#EXTINF:-1,One\nhttp://a.example/1.ts\n".as_slice();
    let behind = b"\n#EXTINF:-1,Two\nhttp://b.example/2.ts\n".as_slice();
    let (out, coverage) = read(parser("m3u"), entry, b'x', GB, behind);
    assert_eq!((out.problems.len(), out.problems[0].kind), (1, ProblemKind::Bound));
    assert_eq!((out.problems[0].start, out.problems[0].end), (45, 45 + GB));
    assert_eq!(coverage.lost, GB + 1);
    let short = read(parser("m3u"), entry, b'x', 0, behind).0.facts;
    assert_eq!(out.facts, short);

    let head = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.ts\n";
    let (out, _) = read(parser("hls"), head, b'x', GB, b"\n#EXTINF:9,\nb.ts\n");
    assert!(out.problems.iter().any(|p| p.kind == ProblemKind::Bound && p.end - p.start == GB));

    // A dump whose one tuple is a gigabyte, with whole ones around it.
    let head = b"CREATE TABLE t (a text);\nINSERT INTO t VALUES ('x'),('";
    let (out, coverage) = read(parser("mysql-dump"), head, b'x', GB, b"'),('y');\n");
    assert_eq!(out.rows, 2);
    assert!(out.problems.iter().any(|p| p.kind == ProblemKind::Bound && p.end - p.start > GB));
    assert!(coverage.lost > GB);
    // Cut in the middle of a statement: what stands before is read, the place of the cut is told.
    let (out, _) = read(parser("mysql-dump"), b"INSERT INTO t VALUES (1),(2),('", b'x', 99, b"");
    assert_eq!(out.rows, 2);
    let cut = out.problems.iter().find(|p| p.kind == ProblemKind::Truncated).unwrap();
    assert_eq!((cut.start, cut.end), (28, 31 + 99));

    // A page of a gigabyte where a playlist should be.
    let page = b"<!DOCTYPE html><html><body>";
    let (out, coverage) = read(parser("m3u"), page, b'x', GB, b"</body></html>\n");
    assert_eq!((out.problems.len(), coverage.read), (1, coverage.total()));
    assert_eq!(out.problems[0].end, coverage.total());

    // Zeros, as a wiped disk gives them: each parser ends, within its memory.
    for parser in PARSERS {
        let (out, coverage) = read(parser, b"", 0, GB / 4, b"");
        assert_eq!((out.facts, out.rows), (0, 0), "{} reads zeros", parser.name);
        assert!(coverage.lost == 0 || !out.problems.is_empty(), "{}", parser.name);
    }
    read(parser("scan"), b"", 0, 4 * GB, b"");
}

#[test]
fn text_in_any_encoding_is_located() {
    // In latin1, utf8mb4, and bytes that are neither, one after the other.
    let head = b"/*!40101 SET NAMES utf8mb4 */;\nCREATE TABLE t (a text, b text);\n";
    let rows = b"INSERT INTO t VALUES ('caf\xe9','\xf0\x9f\x93\xba'),('\xff\xfe','ok');\n";
    let bytes = [head.as_slice(), rows].concat();
    let mut source = bytes.as_slice();
    let mut out = Count::default();
    let input = Input { exhibit: ExhibitId([1; 32]), name: "t.sql", mapping: None };
    let coverage = (parser("mysql-dump").parse)(&input, &mut Chunks::new(&mut source), &mut out);
    assert_eq!((out.rows, coverage.lost), (2, 0));
    let places: Vec<&[u8]> = out
        .problems
        .iter()
        .filter(|p| p.kind == ProblemKind::Encoding)
        .map(|p| &bytes[p.start as usize..p.end as usize])
        .collect();
    assert_eq!(places, [b"caf\xe9".as_slice(), b"\xff\xfe"]);
}
