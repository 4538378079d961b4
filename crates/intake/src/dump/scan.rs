//! Where statements and tuples end: a machine that runs over bytes as they come, in any portions.
//!
//! It knows quotes, escapes, back-ticks, comments, conditional comments (their content is code)
//! and the delimiter; it keeps one byte of state at a portion's edge, so that the portions' sizes
//! never change what it finds.

use memchr::{memchr, memchr2};

/// Where in the language the machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Code,
    /// Just behind a closing quote, in an INSERT: what may follow is checked.
    Closed,
    /// Inside the quotes of this byte.
    Quoted(u8),
    /// Behind a backslash inside the quotes of this byte.
    Escaped(u8),
    /// Behind one `-`.
    Dash,
    /// Behind `--`.
    DashDash,
    Line,
    Slash,
    SlashStar,
    /// Behind `/*M`.
    SlashStarM,
    /// Behind `/*!` and some digits of a version.
    Version(u32),
    Block,
    BlockStar,
}

/// Why a run stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The portion is used up.
    More,
    /// Behind the delimiter that ends the statement.
    End,
    /// Behind a `)` that closes a tuple, at or beyond the limit asked for.
    Close,
    /// Before a byte that no INSERT has there.
    Damage,
    /// Before a bracket that opens no tuple, behind the last one: `… UPDATE a = VALUES(a)`.
    Tail,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Scanner {
    state: State,
    depth: u32,
    delimiter: Vec<u8>,
    /// The last bytes of code, as many as a delimiter of several bytes needs.
    tail: Vec<u8>,
    /// The last byte of the portion before that is no white space.
    last: u8,
    /// Backslashes escape.
    backslash: bool,
    /// The statement is an INSERT: tuples are checked.
    insert: bool,
    /// Only tuples are to come: the statement's head is behind.
    pub(crate) body: bool,
    /// Where in the last portion the last tuple closed, one past its `)`.
    pub(crate) closed: Option<usize>,
}

const BORING: u8 = 0;
const QUOTE: u8 = 1;
const OPEN: u8 = 2;
const SHUT: u8 = 3;
const SEMI: u8 = 4;
const DASH: u8 = 5;
const HASH: u8 = 6;
const SLASH: u8 = 7;

const CLASS: [u8; 256] = {
    let mut t = [BORING; 256];
    t[b'\'' as usize] = QUOTE;
    t[b'"' as usize] = QUOTE;
    t[b'`' as usize] = QUOTE;
    t[b'(' as usize] = OPEN;
    t[b')' as usize] = SHUT;
    t[b';' as usize] = SEMI;
    t[b'-' as usize] = DASH;
    t[b'#' as usize] = HASH;
    t[b'/' as usize] = SLASH;
    t
};

/// The versions that no server has: the comment's content is never run. MariaDB's dumps begin
/// with one, to enter the client's sandbox mode.
const NEVER: u32 = 999_999;

/// The first of `a` and `b` from `i` on. Short runs are the rule: they are looked at bytewise.
#[inline]
pub(crate) fn find2(bytes: &[u8], i: usize, a: u8, b: u8) -> Option<usize> {
    let near = bytes.len().min(i + 16);
    let mut k = i;
    while k < near {
        if bytes[k] == a || bytes[k] == b {
            return Some(k);
        }
        k += 1;
    }
    memchr2(a, b, &bytes[k..]).map(|n| k + n)
}

impl Scanner {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Code,
            depth: 0,
            delimiter: b";".to_vec(),
            tail: Vec::new(),
            last: 0,
            backslash: true,
            insert: false,
            body: false,
            closed: None,
        }
    }

    /// Makes ready for a statement.
    pub(crate) fn begin(&mut self, insert: bool, backslash: bool) {
        self.state = State::Code;
        self.depth = 0;
        self.tail.clear();
        self.last = 0;
        self.insert = insert;
        self.body = false;
        self.backslash = backslash;
        self.closed = None;
    }

    /// Between two tuples again, after damage.
    pub(crate) fn resume(&mut self) {
        let (insert, backslash, body) = (self.insert, self.backslash, self.body);
        self.begin(insert, backslash);
        self.body = body;
    }

    /// What ends statements from now on.
    pub(crate) fn set_delimiter(&mut self, delimiter: &[u8]) {
        self.delimiter = delimiter.to_vec();
    }

    /// True while statements end with one semicolon.
    pub(crate) fn plain_delimiter(&self) -> bool {
        self.delimiter == b";"
    }

    /// Length of what ends statements.
    pub(crate) fn delimiter_len(&self) -> usize {
        self.delimiter.len()
    }

    /// Runs over `w`; stops behind the first tuple that closes at or beyond `limit`.
    pub(crate) fn run(&mut self, w: &[u8], limit: usize) -> (usize, Stop) {
        self.closed = None;
        let (n, stop) = if self.plain_delimiter() {
            self.machine::<false>(w, limit)
        } else {
            self.machine::<true>(w, limit)
        };
        if let Some(b) = w[..n].iter().rev().find(|b| !b.is_ascii_whitespace()) {
            self.last = *b;
        }
        (n, stop)
    }

    fn machine<const CUSTOM: bool>(&mut self, w: &[u8], limit: usize) -> (usize, Stop) {
        let n = w.len();
        let mut i = 0;
        while i < n {
            let b = w[i];
            match self.state {
                State::Code => {
                    if !CUSTOM {
                        i = self.stride(w, i);
                        if i == n {
                            break;
                        }
                        if self.state != State::Code {
                            continue;
                        }
                    }
                    let b = w[i];
                    if CUSTOM {
                        self.tail.push(b);
                        if self.tail.len() > 32 {
                            self.tail.drain(..16);
                        }
                        if self.tail.ends_with(&self.delimiter) {
                            return (i + 1, Stop::End);
                        }
                    }
                    match CLASS[b as usize] {
                        BORING => {}
                        QUOTE => {
                            if self.stray(w, i) {
                                return (i, Stop::Damage);
                            }
                            self.enter(State::Quoted(b));
                        }
                        OPEN => {
                            if self.insert && self.depth > 0 && self.before(w, i) == b',' {
                                return (i, Stop::Damage);
                            }
                            if self.body
                                && self.depth == 0
                                && self.before(w, i).is_ascii_alphanumeric()
                            {
                                return (i, Stop::Tail);
                            }
                            self.depth += 1;
                        }
                        SHUT => {
                            if self.depth == 0 {
                                if self.insert {
                                    return (i, Stop::Damage);
                                }
                            } else {
                                self.depth -= 1;
                                if self.depth == 0 {
                                    self.closed = Some(i + 1);
                                    if i + 1 >= limit {
                                        return (i + 1, Stop::Close);
                                    }
                                }
                            }
                        }
                        SEMI if !CUSTOM && self.insert && self.depth > 0 => {
                            return (i, Stop::Damage);
                        }
                        SEMI if !CUSTOM => return (i + 1, Stop::End),
                        DASH => self.state = State::Dash,
                        HASH => self.enter(State::Line),
                        SLASH => self.state = State::Slash,
                        _ => {}
                    }
                    i += 1;
                }
                State::Closed => {
                    self.state = State::Code;
                    let odd = b.is_ascii_alphanumeric()
                        || b >= 0x80
                        || b"_@:.$%\\&?=<>[]{}~".contains(&b);
                    if odd {
                        return (i, Stop::Damage);
                    }
                }
                State::Quoted(q) => {
                    let found = if self.backslash && q != b'`' {
                        find2(w, i, q, b'\\')
                    } else {
                        memchr(q, &w[i..]).map(|k| i + k)
                    };
                    match found {
                        None => i = n,
                        Some(k) => {
                            i = k + 1;
                            self.state = if w[k] != q {
                                State::Escaped(q)
                            } else if self.insert && q == b'\'' {
                                State::Closed
                            } else {
                                State::Code
                            };
                        }
                    }
                }
                State::Escaped(q) => {
                    self.state = State::Quoted(q);
                    i += 1;
                }
                State::Dash => {
                    if b == b'-' {
                        self.state = State::DashDash;
                        i += 1;
                    } else {
                        self.state = State::Code;
                    }
                }
                State::DashDash => match b {
                    b'\n' => {
                        self.state = State::Code;
                        i += 1;
                    }
                    b'-' => i += 1,
                    0..=b' ' => {
                        self.enter(State::Line);
                        i += 1;
                    }
                    _ => self.state = State::Code,
                },
                State::Line => match memchr(b'\n', &w[i..]) {
                    None => i = n,
                    Some(k) => {
                        i += k + 1;
                        self.state = State::Code;
                    }
                },
                State::Slash => {
                    if b == b'*' {
                        self.enter(State::SlashStar);
                        i += 1;
                    } else {
                        self.state = State::Code;
                    }
                }
                State::SlashStar => match b {
                    b'!' => {
                        self.state = State::Version(0);
                        i += 1;
                    }
                    b'M' => {
                        self.state = State::SlashStarM;
                        i += 1;
                    }
                    _ => self.state = State::Block,
                },
                State::SlashStarM => {
                    if b == b'!' {
                        self.state = State::Version(0);
                        i += 1;
                    } else {
                        self.state = State::Block;
                    }
                }
                State::Version(v) => {
                    if b.is_ascii_digit() && v < 1_000_000 {
                        self.state = State::Version(v * 10 + u32::from(b - b'0'));
                        i += 1;
                    } else {
                        self.state = if v == NEVER { State::Block } else { State::Code };
                    }
                }
                State::Block => match memchr(b'*', &w[i..]) {
                    None => i = n,
                    Some(k) => {
                        i += k + 1;
                        self.state = State::BlockStar;
                    }
                },
                State::BlockStar => {
                    if b == b'/' {
                        self.state = State::Code;
                    } else if b != b'*' {
                        self.state = State::Block;
                    }
                    i += 1;
                }
            }
        }
        (n, Stop::More)
    }

    /// Passes over what changes nothing: bytes of code, and whole texts in quotes that end within
    /// the portion and are followed by what may follow. Gives the first byte to look at.
    #[inline]
    fn stride(&self, w: &[u8], mut i: usize) -> usize {
        let escape = if self.backslash { b'\\' } else { b'\'' };
        while i < w.len() {
            let b = w[i];
            if CLASS[b as usize] == BORING {
                i += 1;
            } else if b == b'-' && w.get(i + 1).is_some_and(|c| *c != b'-') {
                i += 2 - usize::from(CLASS[w[i + 1] as usize] != BORING);
            } else if b == b'\'' && !self.stray(w, i) {
                let mut k = i + 1;
                let end = loop {
                    match find2(w, k, b'\'', escape) {
                        Some(at) if w[at] == b'\'' => break at,
                        Some(at) if at + 2 <= w.len() => k = at + 2,
                        _ => return i,
                    }
                };
                match w.get(end + 1) {
                    Some(b',' | b')' | b'\'') => i = end + 1,
                    _ => return i,
                }
            } else {
                return i;
            }
        }
        i
    }

    /// True for a text outside of tuples, where only `… UPDATE a = 'text'` has one.
    #[inline]
    fn stray(&self, w: &[u8], i: usize) -> bool {
        self.insert && self.depth == 0 && w[i] == b'\'' && self.before(w, i) != b'='
    }

    fn enter(&mut self, state: State) {
        self.tail.clear();
        self.state = state;
    }

    /// The last byte before `i` that is no white space.
    fn before(&self, w: &[u8], i: usize) -> u8 {
        w[..i].iter().rev().copied().find(|b| !b.is_ascii_whitespace()).unwrap_or(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends of statements and of tuples, reading `step` bytes at a time.
    fn run(text: &[u8], step: usize, insert: bool) -> (Vec<usize>, Vec<usize>) {
        let mut scanner = Scanner::new();
        scanner.begin(insert, true);
        let (mut ends, mut closes) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < text.len() {
            let w = &text[at..text.len().min(at + step)];
            let (n, stop) = scanner.run(w, 0);
            at += n;
            match stop {
                Stop::End => {
                    ends.push(at);
                    scanner.begin(insert, true);
                }
                Stop::Close => closes.push(at),
                Stop::Damage | Stop::Tail => panic!("{stop:?} at {at}"),
                Stop::More => {}
            }
        }
        (ends, closes)
    }

    #[test]
    fn ends_stand_outside_quotes_and_comments_whatever_the_portions() {
        let text =
            br#"INSERT INTO t VALUES (1,';)(\'"'),(2,'a''b)',";)") /* ; ) ' */ , (3,-4) -- it's;
;/*!40101 SET x=';' */;/*M!999999\- it's; */ a;SELECT 1--2;"#;
        let whole = run(text, text.len(), false);
        assert_eq!(whole.0.len(), 4);
        assert_eq!(whole.1.len(), 3);
        for step in 1..20 {
            assert_eq!(run(text, step, false), whole, "step {step}");
        }
    }

    #[test]
    fn a_lost_quote_is_found_where_it_shows() {
        let mut scanner = Scanner::new();
        scanner.begin(true, true);
        let text = b"INSERT INTO t VALUES (1,'abcX,'def',3),(2,'x','y',3);";
        let (n, stop) = scanner.run(text, usize::MAX);
        assert_eq!((stop, text[n]), (Stop::Damage, b'd'));
    }

    #[test]
    fn delimiters_may_be_longer() {
        let mut scanner = Scanner::new();
        scanner.set_delimiter(b";;");
        scanner.begin(false, true);
        let text = b"CREATE TRIGGER a BEGIN x; y; END ;; more";
        let (n, stop) = scanner.run(text, usize::MAX);
        assert_eq!((&text[..n], stop), (&b"CREATE TRIGGER a BEGIN x; y; END ;;"[..], Stop::End));
    }
}
