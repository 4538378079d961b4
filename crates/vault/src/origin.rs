//! Who acts, and where material came from.

use model::record::{ExhibitReceived, ExhibitSealed, Name};
use model::{Canon, ExhibitId, Sha256Hex};

/// Who acts and when: goes into each record of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Who: a person or, for what a program does by itself, that program.
    pub actor: String,
    /// Milliseconds since 1970 in UTC.
    pub now_ms: i64,
}

/// How and from where bytes came in, as the user stated it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The path that was read; of a member, the outermost file's.
    pub source: Option<Name>,
    /// The item of the seizure's list.
    pub item: Option<String>,
    /// The authorisation it was taken under.
    pub authorisation: Option<String>,
    /// Who seized it.
    pub seized_by: Option<String>,
    /// When it was seized, ISO 8601.
    pub at: Option<String>,
    /// Of a member: where it stood.
    pub member: Option<MemberOf>,
}

/// Where a member of an archive stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOf {
    /// The exhibit it was in.
    pub container: ExhibitId,
    /// Its name there; a text, never a path.
    pub name: Name,
    /// How it came out: `zip`, `tar`, `gz`, …
    pub codec: String,
    /// Where it begins in the container, where that has a meaning.
    pub offset: Option<u64>,
}

impl Origin {
    /// One digest a source: the same bytes from the same source are recorded once.
    pub(crate) fn key(&self, id: &ExhibitId) -> [u8; 32] {
        let text = |t: &Option<String>| Canon::List(t.iter().map(Canon::text).collect());
        let member = self.member.iter().flat_map(|m| {
            [
                Canon::text(m.container.to_string()),
                Canon::bytes(&m.name.0),
                Canon::text(m.codec.as_str()),
                Canon::List(m.offset.iter().map(|o| Canon::int(*o)).collect()),
            ]
        });
        let parts = Canon::List(vec![
            Canon::text(id.to_string()),
            Canon::List(self.source.iter().map(|s| Canon::bytes(&s.0)).collect()),
            text(&self.item),
            text(&self.authorisation),
            text(&self.seized_by),
            text(&self.at),
            Canon::List(member.collect()),
        ]);
        Sha256Hex::of(parts.to_string().as_bytes()).0
    }

    /// The origin in a record.
    pub fn of_sealed(body: &ExhibitSealed) -> Self {
        let member = member_of(&body.container, &body.member, &body.codec, body.offset);
        Self {
            source: body.source.clone(),
            item: body.item.clone(),
            authorisation: body.authorisation.clone(),
            seized_by: body.seized_by.clone(),
            at: body.at.clone(),
            member,
        }
    }

    /// The origin in a receipt.
    pub fn of_received(body: &ExhibitReceived) -> Self {
        let member = member_of(&body.container, &body.member, &body.codec, body.offset);
        Self {
            source: body.source.clone(),
            item: body.item.clone(),
            authorisation: body.authorisation.clone(),
            seized_by: body.seized_by.clone(),
            at: body.at.clone(),
            member,
        }
    }
}

fn member_of(
    container: &Option<ExhibitId>,
    name: &Option<Name>,
    codec: &Option<String>,
    offset: Option<u64>,
) -> Option<MemberOf> {
    Some(MemberOf {
        container: (*container)?,
        name: name.clone()?,
        codec: codec.clone().unwrap_or_default(),
        offset,
    })
}
