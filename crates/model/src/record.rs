//! Records: what is decided, as it stands in the log for ever. `docs/record-format.md` specifies
//! the bytes; this format is frozen at version [`VERSION`].
//!
//! `{"authority", "committed": {field: commitment}, "kind", "public": {field: value}, "time", "v"}`
//! in canonical JSON. Openings ([`Opening`]) stand outside the log.

mod kinds;
mod places;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::canonical::{Canon, CanonError};
use crate::commitment::{Commitment, FieldOpening, Salt};
use crate::id::{ExhibitId, Sha256Hex};
use crate::time::{Precision, Stamp};

pub use kinds::*;
pub use places::{FieldPlaces, Places};

/// The version of records written now.
pub const VERSION: u32 = 1;

/// Why bytes are not a record, or a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not canonical JSON.
    #[error(transparent)]
    Canon(#[from] CanonError),
    /// Canonical JSON, but no record.
    #[error("no record: {0}")]
    Shape(&'static str),
    /// A version this program does not know.
    #[error("record version {0} is not known here: a newer vigie wrote it")]
    Version(i64),
    /// A kind this program does not know.
    #[error("records of kind {0:?} are not known here")]
    Kind(String),
    /// A field that the kind does not have, or one that is public where it must be committed.
    #[error("a record of kind {kind} has no {side} field {field:?}")]
    UnknownField {
        /// The kind.
        kind: String,
        /// `public` or `committed`.
        side: &'static str,
        /// The field.
        field: String,
    },
    /// A field that every record of the kind has is not in it.
    #[error("the field {0:?} is missing")]
    Missing(&'static str),
    /// A committed field whose opening is not at hand: withheld, or erased.
    #[error("the field {0:?} is withheld or erased")]
    Withheld(&'static str),
    /// A value of another type.
    #[error("the field {0:?} holds a value of another type")]
    Type(&'static str),
    /// An opening that does not open its commitment.
    #[error("the opening of the field {0:?} does not match the commitment in the log")]
    Mismatch(String),
    /// An opening of another record.
    #[error("the opening belongs to another record")]
    OtherRecord,
}

/// A record as read from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Version.
    pub v: u32,
    /// Kind, such as `exhibit.sealed`.
    pub kind: String,
    /// When it was written: UTC, to the millisecond, `2026-11-22T17:14:11.000Z`.
    pub time: String,
    /// Under which authority.
    pub authority: String,
    /// Fields in the clear.
    pub public: BTreeMap<String, Canon>,
    /// Fields by commitment.
    pub committed: BTreeMap<String, Commitment>,
}

/// What opens a record's commitments. A field that is missing here is withheld or erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The leaf hash of the record: SHA-256(0x00 ‖ its bytes).
    pub record: Sha256Hex,
    /// The openings by field.
    pub fields: BTreeMap<String, FieldOpening>,
    /// Leaf secrets of the exhibit that the record seals, as `ggm` nodes `depth/index/hex`; empty
    /// for other records and after all of it was erased.
    pub leaf_secrets: Vec<String>,
    /// Of an exhibit of which parts were erased: the hashes of the greatest subtrees that are gone,
    /// from the left, as `first/end/hex` (leaves, the end not meant).
    pub erased: Vec<String>,
}

/// Who writes, when, under which authority: what every record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Milliseconds since 1970 in UTC, between the years 0 and 9999.
    pub time_ms: i64,
    /// Under which authority.
    pub authority: String,
    /// Who acts: a person or, for what a program does by itself, that program. Committed.
    pub actor: String,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In the clear.
    Public,
    /// By commitment.
    Committed,
}

/// A field of a kind.
#[derive(Debug, Clone, Copy)]
pub struct FieldDef {
    /// Its name.
    pub name: &'static str,
    /// Where it stands.
    pub side: Side,
    /// True where a record may lack it.
    pub optional: bool,
    /// True where it holds a text, which an order of erasure may name by itself.
    pub text: bool,
    /// What it says.
    pub about: &'static str,
}

/// A kind of record.
#[derive(Debug, Clone, Copy)]
pub struct RecordDef {
    /// Its name.
    pub kind: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Its fields, without `actor`.
    pub fields: &'static [FieldDef],
}

/// The definition of a kind.
pub fn def(kind: &str) -> Option<&'static RecordDef> {
    RECORD_KINDS.iter().find(|def| def.kind == kind)
}

/// RFC 6962: SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Sha256Hex {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(entry);
    Sha256Hex(hash.finalize().into())
}

/// A moment as records write it.
pub fn time_text(time_ms: i64) -> String {
    Stamp { local_ms: time_ms, offset_min: Some(0), precision: Precision::Millisecond }.to_string()
}

/// An identifier for what people decide (a case): UUID version 7 (RFC 9562).
pub fn uuid_v7(time_ms: i64, random: [u8; 10]) -> String {
    let mut b = [0u8; 16];
    b[..6].copy_from_slice(&time_ms.to_be_bytes()[2..]);
    b[6..].copy_from_slice(&random);
    b[6] = 0x70 | b[6] & 0x0f;
    b[8] = 0x80 | b[8] & 0x3f;
    let h = crate::id::hex(&b);
    format!("{}-{}-{}-{}-{}", &h[..8], &h[8..12], &h[12..16], &h[16..20], &h[20..])
}

/// Writes a record: its bytes for the log, and its opening. `salt` gives 32 fresh random bytes a
/// call.
///
/// # Errors
/// A body too large for the log.
pub fn write(
    body: &Body,
    envelope: &Envelope,
    salt: &mut dyn FnMut() -> [u8; 32],
) -> Result<(Vec<u8>, Opening), RecordError> {
    let kind = body.kind();
    let mut public = BTreeMap::new();
    let mut openings = BTreeMap::new();
    let mut committed = BTreeMap::new();
    let actor = (!envelope.actor.is_empty()).then(|| Canon::text(envelope.actor.as_str()));
    let fields = body.fields();
    let sided = actor.map(|actor| ("actor", Side::Committed, actor)).into_iter().chain(fields);
    for (name, side, value) in sided {
        match side {
            Side::Public => {
                public.insert(name.to_owned(), value);
            }
            Side::Committed => {
                let opening = FieldOpening { salt: Salt(salt()), value };
                let commitment = opening.commitment(VERSION, kind, name)?;
                committed.insert(name.to_owned(), Canon::text(crate::id::hex(&commitment.0)));
                openings.insert(name.to_owned(), opening);
            }
        }
    }
    let bytes = Canon::Map(BTreeMap::from([
        ("authority".to_owned(), Canon::text(envelope.authority.as_str())),
        ("committed".to_owned(), Canon::Map(committed)),
        ("kind".to_owned(), Canon::text(kind)),
        ("public".to_owned(), Canon::Map(public)),
        ("time".to_owned(), Canon::text(time_text(envelope.time_ms))),
        ("v".to_owned(), Canon::int(VERSION)),
    ]))
    .to_bytes()?;
    let opening = Opening {
        record: leaf_hash(&bytes),
        fields: openings,
        leaf_secrets: Vec::new(),
        erased: Vec::new(),
    };
    Ok((bytes, opening))
}

impl Record {
    /// Reads the bytes of an entry. Checks the version and the shape; whether the fields are those
    /// of the kind is [`Record::check_fields`]'s.
    ///
    /// # Errors
    /// Whatever is not exactly a record.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let Canon::Map(mut map) = Canon::parse(bytes)? else {
            return Err(RecordError::Shape("not a map"));
        };
        let mut text = |name| match map.remove(name) {
            Some(Canon::Text(text)) => Ok(text),
            _ => Err(RecordError::Shape("authority, kind and time are texts")),
        };
        let (authority, kind, time) = (text("authority")?, text("kind")?, text("time")?);
        let v = match map.remove("v") {
            Some(Canon::Int(v)) if v == i64::from(VERSION) => VERSION,
            Some(Canon::Int(v)) => return Err(RecordError::Version(v)),
            _ => return Err(RecordError::Shape("v is an integer")),
        };
        if Stamp::parse_iso(&time).is_none_or(|t| time_text(t.local_ms) != time) {
            return Err(RecordError::Shape("time is UTC to the millisecond"));
        }
        let Some(Canon::Map(public)) = map.remove("public") else {
            return Err(RecordError::Shape("public is a map"));
        };
        let Some(Canon::Map(raw)) = map.remove("committed") else {
            return Err(RecordError::Shape("committed is a map"));
        };
        if !map.is_empty() {
            return Err(RecordError::Shape("a member that records do not have"));
        }
        let committed = raw
            .into_iter()
            .map(|(name, value)| {
                let hash = value.as_text().and_then(|t| t.parse::<Sha256Hex>().ok());
                hash.map(|h| (name, Commitment(h.0)))
                    .ok_or(RecordError::Shape("a commitment is 64 hexadecimal digits"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { v, kind, time, authority, public, committed })
    }

    /// Checks that the record has the fields of its kind, each on its side, and no others.
    ///
    /// # Errors
    /// The first field that is too many, or missing, or a kind that is not known.
    pub fn check_fields(&self) -> Result<(), RecordError> {
        let def = def(&self.kind).ok_or_else(|| RecordError::Kind(self.kind.clone()))?;
        let known = |name: &str, side| {
            (name == "actor" && side == Side::Committed)
                || def.fields.iter().any(|f| f.name == name && f.side == side)
        };
        let unknown = |side, field: &String| RecordError::UnknownField {
            kind: self.kind.clone(),
            side: if side == Side::Public { "public" } else { "committed" },
            field: field.clone(),
        };
        if let Some(field) = self.public.keys().find(|k| !known(k, Side::Public)) {
            return Err(unknown(Side::Public, field));
        }
        if let Some(field) = self.committed.keys().find(|k| !known(k, Side::Committed)) {
            return Err(unknown(Side::Committed, field));
        }
        for field in def.fields.iter().filter(|f| !f.optional) {
            let there = match field.side {
                Side::Public => self.public.contains_key(field.name),
                Side::Committed => self.committed.contains_key(field.name),
            };
            if !there {
                return Err(RecordError::Missing(field.name));
            }
        }
        Ok(())
    }

    /// Checks every opened field against its commitment.
    ///
    /// # Errors
    /// The first field that does not match, or that the record does not have.
    pub fn check_opening(&self, opening: &Opening) -> Result<(), RecordError> {
        for (name, field) in &opening.fields {
            let commitment = field.commitment(self.v, &self.kind, name)?;
            if self.committed.get(name) != Some(&commitment) {
                return Err(RecordError::Mismatch(name.clone()));
            }
        }
        Ok(())
    }

    /// Who acted, where the opening says so.
    pub fn actor(&self, opening: &Opening) -> Option<String> {
        opening.fields.get("actor")?.value.as_text().map(str::to_owned)
    }
}

impl Opening {
    /// One canonical line, without the line end.
    ///
    /// # Errors
    /// A value without a canonical writing.
    pub fn to_line(&self) -> Result<Vec<u8>, CanonError> {
        let fields = self.fields.iter().map(|(name, opening)| {
            let pair = BTreeMap::from([
                ("salt".to_owned(), Canon::text(crate::id::hex(&opening.salt.0))),
                ("value".to_owned(), opening.value.clone()),
            ]);
            (name.clone(), Canon::Map(pair))
        });
        let mut map = BTreeMap::from([
            ("fields".to_owned(), Canon::Map(fields.collect())),
            ("record".to_owned(), Canon::text(self.record.to_string())),
        ]);
        for (name, list) in [("leaf_secrets", &self.leaf_secrets), ("erased", &self.erased)] {
            if !list.is_empty() {
                let texts = list.iter().map(|text| Canon::text(text.as_str())).collect();
                map.insert(name.to_owned(), Canon::List(texts));
            }
        }
        Canon::Map(map).to_bytes_unbounded()
    }

    /// Reads one line.
    ///
    /// # Errors
    /// Whatever is not exactly an opening.
    pub fn parse_line(line: &[u8]) -> Result<Self, RecordError> {
        let shape = RecordError::Shape("not an opening");
        let Canon::Map(mut map) = Canon::parse_unbounded(line)? else { return Err(shape) };
        let record = match map.remove("record") {
            Some(Canon::Text(text)) => text.parse().map_err(|_| shape.clone())?,
            _ => return Err(shape),
        };
        let Some(Canon::Map(raw)) = map.remove("fields") else { return Err(shape) };
        let mut fields = BTreeMap::new();
        for (name, pair) in raw {
            let Canon::Map(mut pair) = pair else { return Err(shape) };
            let (Some(Canon::Text(salt)), Some(value), true) =
                (pair.remove("salt"), pair.remove("value"), pair.is_empty())
            else {
                return Err(shape);
            };
            let salt: Sha256Hex = salt.parse().map_err(|_| shape.clone())?;
            fields.insert(name, FieldOpening { salt: Salt(salt.0), value });
        }
        let mut texts = |name: &str| match map.remove(name) {
            None => Ok(Vec::new()),
            Some(Canon::List(list)) if !list.is_empty() => list
                .into_iter()
                .map(|item| match item {
                    Canon::Text(text) => Ok(text),
                    _ => Err(shape.clone()),
                })
                .collect::<Result<Vec<String>, _>>(),
            Some(_) => Err(shape.clone()),
        };
        let (leaf_secrets, erased) = (texts("leaf_secrets")?, texts("erased")?);
        if !map.is_empty() {
            return Err(shape);
        }
        Ok(Self { record, fields, leaf_secrets, erased })
    }
}

/// A type that a field may have.
pub trait FieldType: Sized {
    /// True where a record may lack the field.
    const OPTIONAL: bool = false;
    /// True for texts: they may be erased by themselves, and then read as empty.
    const TEXT: bool = false;
    /// The value; `None` where the field is left out.
    fn to_canon(&self) -> Option<Canon>;
    /// The value read back; `None` where it has another type.
    fn from_canon(value: &Canon) -> Option<Self>;
    /// What a field that is left out means, where it may be.
    fn absent() -> Option<Self> {
        None
    }
    /// What a field whose opening was erased reads as, where the record still says something.
    fn erased() -> Option<Self> {
        Self::absent()
    }
}

impl FieldType for String {
    const TEXT: bool = true;
    fn erased() -> Option<Self> {
        Some(Self::new())
    }
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::text(self.as_str()))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_text().map(str::to_owned)
    }
}

impl FieldType for u64 {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::int(*self))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_int()?.try_into().ok()
    }
}

impl FieldType for bool {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::Bool(*self))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_bool()
    }
}

impl FieldType for ExhibitId {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::text(self.to_string()))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_text()?.parse().ok()
    }
}

impl FieldType for Sha256Hex {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::text(self.to_string()))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_text()?.parse().ok()
    }
}

/// Any number; none is the field left out.
impl FieldType for Vec<ExhibitId> {
    const OPTIONAL: bool = true;
    fn to_canon(&self) -> Option<Canon> {
        let list = self.iter().map(|id| Canon::text(id.to_string())).collect();
        (!self.is_empty()).then_some(Canon::List(list))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        let Canon::List(list) = value else { return None };
        let ids: Option<Self> = list.iter().map(ExhibitId::from_canon).collect();
        ids.filter(|ids| !ids.is_empty())
    }
    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// Bytes that name something, mostly UTF-8: a path, a member's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub Vec<u8>);

impl Name {
    /// The name with what is not UTF-8 replaced: to be shown, never to be used.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl FieldType for Name {
    const TEXT: bool = true;
    fn erased() -> Option<Self> {
        Some(Self(Vec::new()))
    }
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::bytes(&self.0))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_bytes().map(Self)
    }
}

/// Bytes of another format, such as a token or a certificate: never a text.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl FieldType for Blob {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::bytes(&self.0))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_bytes().map(Self)
    }
}

/// Lists of which none is the field left out.
macro_rules! lists {
    ($($of:ty),*) => { $(
        impl FieldType for Vec<$of> {
            const OPTIONAL: bool = true;
            fn to_canon(&self) -> Option<Canon> {
                let items: Vec<Canon> = self.iter().filter_map(FieldType::to_canon).collect();
                (!items.is_empty()).then_some(Canon::List(items))
            }
            fn from_canon(value: &Canon) -> Option<Self> {
                match value {
                    Canon::List(items) if !items.is_empty() => {
                        items.iter().map(<$of>::from_canon).collect()
                    }
                    _ => None,
                }
            }
            fn absent() -> Option<Self> {
                Some(Self::new())
            }
        }
    )* };
}

lists!(Blob, Name, String, Sha256Hex);

impl<T: FieldType> FieldType for Option<T> {
    const OPTIONAL: bool = true;
    const TEXT: bool = T::TEXT;
    fn to_canon(&self) -> Option<Canon> {
        self.as_ref().and_then(T::to_canon)
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        T::from_canon(value).map(Some)
    }
    fn absent() -> Option<Self> {
        Some(None)
    }
}

#[cfg(test)]
mod tests;
