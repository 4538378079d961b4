//! From record to record: headers, what stands between records, and where to go on after a fault.

use std::io::Read;

use model::ProblemKind;

use super::block::{Extent, Open};
use super::digest::Stated;
use super::fields::{Field, get, header_len, line, parse, text};
use super::input::Input;
use super::record::{check, target};
use super::{Fault, Flaw, Format, Kind, Limits, MAX_FAULTS, Mode, Record, arc};

/// How many beginnings of gzip members are looked at ahead.
const MAX_EDGES: usize = 16;

/// Reads a web archive, record by record.
pub struct Reader<R> {
    pub(super) input: Input<R>,
    mode: Mode,
    pub(super) limits: Limits,
    pub(super) format: Option<Format>,
    arc: arc::Version,
    faults: Vec<Fault>,
    /// Whether it was said that records share a gzip member.
    shared: bool,
    pub(super) open: Option<Open>,
    /// The error that a payload's reader gave.
    pub(super) failed: Option<Fault>,
    pub(super) stopped: bool,
}

impl<R: Read> Reader<R> {
    /// A reader from a file's first byte on.
    pub fn new(source: R, mode: Mode, limits: Limits) -> Self {
        Self {
            input: Input::new(source, limits.unpacked),
            mode,
            limits,
            format: None,
            arc: arc::Version::One,
            faults: Vec::new(),
            shared: false,
            open: None,
            failed: None,
            stopped: false,
        }
    }

    /// The next record; what is left of the one before is passed over. `None` at the end.
    ///
    /// # Errors
    /// In strict mode: the first fault. Nothing is read after it.
    pub fn next_record(&mut self) -> Result<Option<Record>, Fault> {
        let record = if self.stopped { Ok(None) } else { self.step() };
        self.stopped |= record.is_err();
        record
    }

    /// The faults found since they were last taken, in lenient mode.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// How many bytes came out of gzip so far.
    pub fn unpacked(&self) -> u64 {
        self.input.unpacked
    }

    fn step(&mut self) -> Result<Option<Record>, Fault> {
        self.finish()?;
        loop {
            if self.input.fill(arc::MAX_LINE).is_empty() {
                if self.pass()? {
                    continue;
                }
                return Ok(None);
            }
            self.input.settle();
            if !self.record_at(0) {
                self.resync()?;
                continue;
            }
            let alone = !self.input.gzip || self.input.at_edge();
            if !alone && !std::mem::replace(&mut self.shared, true) {
                let at = self.input.pos;
                let message = "a gzip member holds several records: no record can be read alone";
                self.flaw(Flaw::new(at, at, ProblemKind::Syntax, message))?;
            }
            // The first record says which format all are of.
            let format = self.format.or_else(|| Format::of_plain(self.input.window()));
            self.format = format;
            let record = match format {
                Some(Format::Arc) => self.arc_header(alone)?,
                _ => self.warc_header(alone)?,
            };
            if record.is_some() {
                return Ok(record);
            }
        }
    }

    /// True if a record begins at that byte of the window.
    pub(super) fn record_at(&self, at: usize) -> bool {
        let bytes = self.input.window().get(at..).unwrap_or_default();
        match self.format {
            None => Format::of_plain(bytes).is_some(),
            Some(Format::Warc) => Format::of_plain(bytes) == Some(Format::Warc),
            Some(Format::Arc) => arc::begins(bytes),
        }
    }

    /// Where in the window a record begins: at a line's or a gzip member's beginning.
    pub(super) fn find_record(&self) -> Option<usize> {
        let window = self.input.window();
        let first = self.input.at_edge() || matches!(self.input.previous, None | Some(b'\n'));
        let lines = (1..window.len()).filter(|i| window[i - 1] == b'\n');
        let by_line = first.then_some(0).into_iter().chain(lines).find(|at| self.record_at(*at));
        let by_edge = self.input.edges_ahead().take(MAX_EDGES).find(|at| self.record_at(*at));
        by_line.into_iter().chain(by_edge).min()
    }

    /// How many of the window's first `n` bytes come before a gzip member that begins with a record.
    pub(super) fn until_edge(&self, n: usize) -> usize {
        for (i, at) in self.input.edges_ahead().enumerate() {
            if at > n {
                break;
            }
            if i == MAX_EDGES || self.record_at(at) {
                return at;
            }
        }
        n
    }

    /// Passes over what is no record.
    fn resync(&mut self) -> Result<(), Fault> {
        let (start, place) = (self.input.pos, self.input.place(self.input.pos));
        loop {
            let have = self.input.fill(2 * arc::MAX_LINE).len();
            if let Some(at) = self.find_record() {
                self.input.consume(at);
                break;
            }
            if have < 2 * arc::MAX_LINE {
                self.input.consume(have);
                break;
            }
            self.input.consume(have - arc::MAX_LINE);
        }
        let message = "no record begins here: passed over to the next that does".to_owned();
        let end = self.input.end_place().max(place);
        let unpacked = self.input.gzip.then_some(start);
        let kind = ProblemKind::Syntax;
        self.fault(Fault { start: place, end, unpacked, field: None, kind, message, lost: true })
    }

    /// Passes a place where the file cannot be read. False where there is none.
    fn pass(&mut self) -> Result<bool, Fault> {
        let Some((broken, start, end)) = self.input.pass() else { return Ok(false) };
        let (kind, message) = (broken.kind, broken.message);
        let unpacked = Some(self.input.pos).filter(|_| self.input.gzip);
        self.fault(Fault { start, end, unpacked, field: None, kind, message, lost: true })?;
        Ok(true)
    }

    /// What stands between a record and the next: two line ends in WARC, one in ARC. Said only where
    /// the record states a length of its own.
    pub(super) fn gap(&mut self, open: &Open) -> Result<(), Fault> {
        let (at, mut run) = (self.input.pos, Vec::new());
        loop {
            let window = self.input.fill(1);
            let n = window.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            run.extend_from_slice(&window[..n.min(8 - run.len())]);
            self.input.consume(n);
            if n == 0 {
                break;
            }
        }
        let ended = self.input.window().is_empty();
        let (right, wanted) = match self.format {
            // Whether the first record's length counts the empty line behind it was never settled.
            Some(Format::Arc) if open.describes => (run.len() <= 4, "line ends"),
            Some(Format::Arc) => {
                let right = matches!(run.as_slice(), b"\n" | b"\r\n") || (ended && run.is_empty());
                (right, "one line end")
            }
            _ => (run == b"\r\n\r\n", "CR LF twice"),
        };
        if right || open.stated.is_none() {
            return Ok(());
        }
        let kind = if ended { ProblemKind::Truncated } else { ProblemKind::Syntax };
        let message = format!("what stands behind the record is not {wanted}");
        let (start, unpacked) = if self.input.gzip { (open.place, Some(at)) } else { (at, None) };
        let end = self.input.end_place().max(start);
        self.fault(Fault { start, end, unpacked, field: None, kind, message, lost: false })
    }

    fn warc_header(&mut self, alone: bool) -> Result<Option<Record>, Fault> {
        let (start, offset) = (self.input.pos, self.input.place(self.input.pos));
        let crossed = self.input.crossed;
        let (mut want, mut checked) = (4096, 0);
        let len = loop {
            want = want.min(self.limits.header);
            let have = self.input.fill(want + arc::MAX_LINE).len().min(want);
            let n = self.until_edge(have);
            if let Some(len) = header_len(&self.input.window()[..n], checked) {
                break len;
            }
            if n < want {
                let message = "the record's header is cut";
                return self.no_header(n, ProblemKind::Truncated, message.to_owned());
            }
            if want == self.limits.header {
                let message = format!("a header of more than {want} bytes");
                return self.no_header(n, ProblemKind::Bound, message);
            }
            (checked, want) = (n, want * 4);
        };
        let mut flaws = Vec::new();
        let header = &self.input.window()[..len];
        let (first, ending) = line(header);
        let version = text(first[5..].trim_ascii()).0;
        let first_end = start + first.len() as u64;
        if !matches!(version.as_str(), "1.0" | "1.1") {
            let message = "a version of WARC that is neither 1.0 nor 1.1";
            flaws.push(Flaw::new(start + 5, first_end, ProblemKind::Unsupported, message));
        } else if ending != b"\r\n" || first.len() != 8 {
            let message = "the first line does not end with CR LF behind its version";
            flaws.push(Flaw::new(start, first_end, ProblemKind::Syntax, message));
        }
        let behind = first.len() + ending.len();
        let fields = parse(&header[behind..], start + behind as u64, &self.limits, &mut flaws);
        check(&version, start, &fields, &mut flaws);
        for name in ["WARC-Block-Digest", "WARC-Payload-Digest"] {
            if let Some(field) = get(&fields, name)
                && matches!(Stated::parse(&field.value), Stated::Malformed)
            {
                let message = "no algorithm and digest with a colon between";
                flaws.push(Flaw::of(field, ProblemKind::Syntax, message));
            }
        }
        let length = self.length(get(&fields, "Content-Length"), &mut flaws);
        let value = |name: &str| get(&fields, name).map(|f| f.value.clone());
        let mut record = Record {
            format: Format::Warc,
            version,
            offset,
            alone,
            start,
            block: start + len as u64,
            kind: Kind::of(&value("WARC-Type").unwrap_or_default()),
            uri: value("WARC-Target-URI").map(|u| target(&u)),
            date: value("WARC-Date"),
            id: value("WARC-Record-ID"),
            content_type: value("Content-Type"),
            length,
            payload_digest: value("WARC-Payload-Digest"),
            block_digest: value("WARC-Block-Digest"),
            fields,
            http: None,
        };
        self.input.consume(len);
        self.flaws(flaws)?;
        self.begin(&mut record, length.map_or(Extent::ToNext, Extent::Known), crossed)?;
        Ok(Some(record))
    }

    fn arc_header(&mut self, alone: bool) -> Result<Option<Record>, Fault> {
        let (start, offset) = (self.input.pos, self.input.place(self.input.pos));
        let crossed = self.input.crossed;
        let (content, ending) = line(self.input.window());
        let (len, mut flaws) = (content.len() + ending.len(), Vec::new());
        let Some((version, fields)) = arc::parse(content, start, self.arc, &mut flaws) else {
            let message = "a line that is no ARC record's".to_owned();
            return self.no_header(len, ProblemKind::Syntax, message);
        };
        let length = self.length(get(&fields, "length"), &mut flaws);
        let value = |name: &str| get(&fields, name).map(|f| f.value.clone());
        let uri = value("uri");
        let describes = uri.as_deref().is_some_and(|u| u.as_bytes().starts_with(arc::FILE));
        let mut record = Record {
            format: Format::Arc,
            version: version.text().to_owned(),
            offset,
            alone,
            start,
            block: start + len as u64,
            kind: if describes { Kind::ArcHeader } else { Kind::Response },
            uri,
            date: value("archive-date"),
            id: None,
            content_type: value("content-type"),
            length,
            payload_digest: None,
            block_digest: None,
            fields,
            http: None,
        };
        self.input.consume(len);
        if describes {
            self.arc = arc::Version::of_block(self.input.fill(4)).unwrap_or(version);
            record.version = self.arc.text().to_owned();
        }
        self.flaws(flaws)?;
        self.begin(&mut record, length.map_or(Extent::ToNext, Extent::Known), crossed)?;
        Ok(Some(record))
    }

    /// A block's length as stated; `None` where it cannot be used.
    fn length(&self, field: Option<&Field>, flaws: &mut Vec<Flaw>) -> Option<u64> {
        let field = field?;
        let digits = !field.value.is_empty() && field.value.bytes().all(|b| b.is_ascii_digit());
        let most = self.limits.record;
        match field.value.parse::<u64>() {
            Ok(length) if digits && length <= most => return Some(length),
            _ if digits => {
                let message = format!("a record of more than {most} bytes");
                flaws.push(Flaw::of(field, ProblemKind::Bound, message));
            }
            _ => flaws.push(Flaw::of(field, ProblemKind::Type, "not a number of bytes")),
        }
        None
    }

    /// Passes over what should have been a header.
    fn no_header(
        &mut self,
        n: usize,
        kind: ProblemKind,
        message: String,
    ) -> Result<Option<Record>, Fault> {
        let start = self.input.pos;
        let flaw = Flaw::new(start, start + n as u64, kind, message);
        let mut fault = self.locate(flaw);
        self.input.consume(n);
        fault.end = self.input.end_place().max(fault.start);
        fault.lost = true;
        self.fault(fault)?;
        Ok(None)
    }

    fn flaws(&mut self, mut flaws: Vec<Flaw>) -> Result<(), Fault> {
        flaws.sort_by_key(|f| f.start);
        flaws.into_iter().try_for_each(|flaw| self.flaw(flaw))
    }

    pub(super) fn flaw(&mut self, flaw: Flaw) -> Result<(), Fault> {
        let fault = self.locate(flaw);
        self.fault(fault)
    }

    /// Where in the file a flaw stands.
    pub(super) fn locate(&self, flaw: Flaw) -> Fault {
        let Flaw { start, end, field, kind, message } = flaw;
        let (from, to, unpacked) = if self.input.gzip {
            let record = self.open.as_ref().map(|o| o.place);
            let from = record.unwrap_or_else(|| self.input.place(start));
            (from, self.input.end_place().max(from), Some(start))
        } else {
            (start, end.max(start), None)
        };
        Fault { start: from, end: to, unpacked, field, kind, message, lost: false }
    }

    /// Strict: an error. Lenient: kept.
    pub(super) fn fault(&mut self, fault: Fault) -> Result<(), Fault> {
        if self.mode == Mode::Strict {
            return Err(fault);
        }
        if self.faults.len() == MAX_FAULTS {
            let message = "more faults follow that are not listed".to_owned();
            self.faults.push(Fault { field: None, message, lost: false, ..fault });
        } else if self.faults.len() < MAX_FAULTS {
            self.faults.push(fault);
        }
        Ok(())
    }
}
