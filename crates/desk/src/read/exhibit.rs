//! Exhibits: where they come from, what was read of them, and their bytes.

use model::{ExhibitId, ProblemKind};

use super::TableHead;

/// How far an exhibit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExhibitState {
    /// Sealed, not read yet.
    Waiting,
    /// Read by a parser.
    Read,
    /// An archive: its members are exhibits.
    Unpacked,
    /// No parser reads it.
    Unread,
    /// Withheld as privileged until released.
    Privileged,
}

/// An exhibit as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExhibitHead {
    /// SHA-256 of its bytes.
    pub id: ExhibitId,
    /// Its name where it was first found: path under the opened folder, or path inside its
    /// container. Hostile text.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// How far it has come.
    pub state: ExhibitState,
    /// The parser that read it, `m3u/3`.
    pub parser: Option<String>,
    /// Facts read from it.
    pub facts: u64,
    /// Rows of bulk tables read from it.
    pub rows: u64,
    /// Problems in it.
    pub problems: u64,
    /// The container it is a member of, if any.
    pub container: Option<ExhibitId>,
    /// Record of its sealing.
    pub record: u64,
}

/// One receipt: the same bytes came in from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acquisition {
    /// The record that says so.
    pub record: u64,
    /// The path it was found at.
    pub path: String,
    /// The item of the seizure, as `--source` names it.
    pub item: Option<String>,
    /// The authorisation it was seized under.
    pub authorisation: Option<String>,
    /// Who seized it.
    pub seized_by: Option<String>,
    /// When it was seized, as stated.
    pub seized_at: Option<String>,
    /// When it was sealed here (RFC 3339).
    pub sealed_at: String,
    /// Who sealed it.
    pub actor: Option<String>,
    /// What was odd at sealing.
    pub note: Option<String>,
    /// Sums found beside the material.
    pub sums: Vec<SumCheck>,
}

/// A sum found beside the material, compared at sealing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumCheck {
    /// `sha256`, `sha1`, `md5`.
    pub algorithm: String,
    /// The sum as found.
    pub stated: String,
    /// The file that states it.
    pub file: String,
    /// Whether it agrees with the bytes.
    pub agrees: bool,
}

/// How an exhibit was got out of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The container.
    pub container: ExhibitId,
    /// The container's name.
    pub container_name: String,
    /// The member's name as the container writes it; text, never a path.
    pub member: String,
    /// Codec or archive format (`zip`, `gz`, …).
    pub codec: String,
    /// The record that says so.
    pub record: u64,
}

/// A parser's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParserRun {
    /// The record.
    pub record: u64,
    /// Parser and version.
    pub parser: String,
    /// When (RFC 3339).
    pub time: String,
    /// Facts.
    pub facts: u64,
    /// Rows.
    pub rows: u64,
    /// Problems.
    pub problems: u64,
    /// Digest of its facts, rows and problems, hexadecimal.
    pub digest: String,
    /// Bytes read, known to be filler, and lost: they sum to the exhibit's size.
    pub coverage: (u64, u64, u64),
    /// True for the run the views show.
    pub current: bool,
}

/// An exhibit's page.
#[derive(Debug, Clone, PartialEq)]
pub struct ExhibitPage {
    /// The exhibit.
    pub head: ExhibitHead,
    /// Containers from the innermost to the outermost.
    pub chain: Vec<Derivation>,
    /// Where the bytes came in from (for a member: where its outermost container did).
    pub receipts: Vec<Acquisition>,
    /// What parsers read of it, newest last.
    pub runs: Vec<ParserRun>,
    /// Its bulk tables.
    pub tables: Vec<TableHead>,
    /// Its members, the first [`ExhibitPage::SHOWN`].
    pub members: Vec<ExhibitHead>,
    /// How many members.
    pub member_count: u64,
}

impl ExhibitPage {
    /// Most members the page itself carries.
    pub const SHOWN: usize = 100;
}

/// Which exhibits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExhibitFilter {
    /// Whose name holds this text.
    pub text: Option<String>,
    /// Read by this parser (its name without version).
    pub parser: Option<String>,
    /// In this state; `None` for all but privileged ones.
    pub state: Option<ExhibitState>,
    /// Members of this container.
    pub container: Option<ExhibitId>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemRow {
    /// The exhibit; `None` where a file could not be sealed at all.
    pub exhibit: Option<ExhibitId>,
    /// Its name or path.
    pub path: String,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// What sort.
    pub kind: ProblemKind,
    /// What happened.
    pub message: String,
    /// True if the bytes yielded nothing.
    pub lost: bool,
}

/// Which problems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemFilter {
    /// Of this kind.
    pub kind: Option<ProblemKind>,
    /// In this exhibit.
    pub exhibit: Option<ExhibitId>,
}

/// A masked stretch of [`MaskedBytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaskedSpan {
    /// First masked byte, in the exhibit.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

impl MaskedSpan {
    /// A stretch whose places are counted from this one's start.
    pub(crate) fn within(self, (start, end): (u64, u64)) -> Self {
        Self { start: self.start + start, end: self.start + end }
    }
}

/// Bytes of an exhibit, secrets masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedBytes {
    /// The exhibit's offset of the first byte.
    pub start: u64,
    /// The bytes; masked ones are `*`.
    pub bytes: Vec<u8>,
    /// Which were masked.
    pub masked: Vec<MaskedSpan>,
    /// The exhibit's size.
    pub size: u64,
}

/// Most bytes that [`Snapshot::bytes`] gives at once.
pub const MAX_BYTES: usize = 1 << 20;
