//! The kinds of record, each with its fields: from this table come the typed bodies, the checks of
//! a verifier and the table in `docs/record-format.md`.

use super::{
    Blob, FieldDef, FieldPlaces, FieldType, Name, Opening, Places, Record, RecordDef, RecordError,
    Side,
};
use crate::canonical::Canon;
use crate::id::{ExhibitId, Sha256Hex};
use crate::reference::Reference;

macro_rules! records {
    ($( $(#[doc = $about:literal])+ $kind:literal $name:ident {
        $( #[doc = $fabout:literal] $side:ident $field:ident : $type:ty, )*
    } )*) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $name { $( #[doc = $fabout] pub $field: $type, )* }

            impl From<$name> for Body {
                fn from(body: $name) -> Self {
                    Self::$name(body)
                }
            }
        )*

        /// What a record says, typed.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Body { $( $(#[doc = $about])+ $name($name), )* }

        impl Body {
            /// The kind's name.
            pub fn kind(&self) -> &'static str {
                match self { $( Self::$name(_) => $kind, )* }
            }

            pub(super) fn fields(&self) -> Vec<(&'static str, Side, Canon)> {
                let mut out = Vec::new();
                match self { $( Self::$name(body) => { $(
                    if let Some(value) = body.$field.to_canon() {
                        out.push((stringify!($field), Side::$side, value));
                    }
                )* } )* }
                out
            }

            /// Reads what a record says. The opening must be the record's own and checked.
            ///
            /// # Errors
            /// A kind that is not known, a field that is missing, withheld or of another type.
            pub fn read(record: &Record, opening: &Opening) -> Result<Self, RecordError> {
                Self::read_with(record, opening, false)
            }

            /// Reads what a record says of which fields may have been erased: a text that is gone
            /// reads as empty, and what a record may lack as lacking.
            ///
            /// # Errors
            /// As [`Body::read`], for what a record says nothing without.
            pub fn read_left(record: &Record, opening: &Opening) -> Result<Self, RecordError> {
                Self::read_with(record, opening, true)
            }

            fn read_with(
                record: &Record,
                opening: &Opening,
                left: bool,
            ) -> Result<Self, RecordError> {
                match record.kind.as_str() {
                    $( $kind => Ok(Self::$name($name { $(
                        $field: field(record, opening, stringify!($field), Side::$side, left)?,
                    )* })), )*
                    other => Err(RecordError::Kind(other.to_owned())),
                }
            }
        }

        /// Every kind.
        pub const RECORD_KINDS: &[RecordDef] = &[ $( RecordDef {
            kind: $kind,
            about: concat!($($about),+),
            fields: &[ $( FieldDef {
                name: stringify!($field),
                side: Side::$side,
                optional: <$type as FieldType>::OPTIONAL,
                text: <$type as FieldType>::TEXT,
                about: $fabout,
            }, )* ],
        }, )* ];
    };
}

fn field<T: FieldType>(
    record: &Record,
    opening: &Opening,
    name: &'static str,
    side: Side,
    left: bool,
) -> Result<T, RecordError> {
    let value = match side {
        Side::Public => record.public.get(name),
        Side::Committed => match opening.fields.get(name) {
            None if record.committed.contains_key(name) => {
                let erased = if left { T::erased() } else { None };
                return erased.ok_or(RecordError::Withheld(name));
            }
            found => found.map(|f| &f.value),
        },
    };
    match value {
        None => T::absent().ok_or(RecordError::Missing(name)),
        Some(value) => T::from_canon(value).ok_or(RecordError::Type(name)),
    }
}

records! {
    /// The first entry of a case's log.
    "case.opened" CaseOpened {
        /// The log's origin, `<authority>/case/<id>`.
        Public origin: String,
        /// The log's verifier key, as signed notes write it.
        Public key: String,
        /// What people call the case.
        Committed name: String,
    }

    /// In the authority's own log: a case began.
    "case.born" CaseBorn {
        /// The origin of the case's log.
        Public origin: String,
        /// The verifier key of the case's log.
        Public key: String,
        /// The first checkpoint of the case's log, whole.
        Public checkpoint: String,
    }

    /// In the authority's own log: from now on a witness is asked to cosign.
    "witness.named" WitnessNamed {
        /// The witness's key, as signed notes write it.
        Public witness: String,
        /// Where it is asked (C2SP tlog-witness: both prefixes).
        Public url: String,
    }

    /// In the authority's own log: a witness is asked no more.
    "witness.dropped" WitnessDropped {
        /// The witness's key, as it was named.
        Public witness: String,
    }

    /// In the authority's own log: how many of the witnesses that are named have to cosign a checkpoint
    /// before the authority calls what it covers witnessed.
    "witness.required" WitnessRequired {
        /// How many; 0 takes the policy back.
        Public quorum: u64,
    }

    /// The authority's key was replaced: every checkpoint of more entries than stand before this record
    /// is signed by the new one. First in the authority's own log, then in each of its others.
    "key.rotated" KeyRotated {
        /// The key that was replaced, under the log's origin, as signed notes write it.
        Public old: String,
        /// The key that signs from here on, under the log's origin.
        Public new: String,
        /// What both keys signed under the authority's name: a signed note (docs/keys.md).
        Public statement: String,
        /// Why.
        Committed reason: Option<String>,
    }

    /// An exhibit is in the vault. An exhibit has one such record.
    "exhibit.sealed" ExhibitSealed {
        /// Root of the salted tree over its 4 KiB leaves.
        Public root: Sha256Hex,
        /// SHA-256 of its bytes.
        Committed exhibit: ExhibitId,
        /// Its size in bytes.
        Committed size: u64,
        /// The path it was read from; of a member, the outermost file's.
        Committed source: Option<Name>,
        /// The item of the seizure's list that it is or was in.
        Committed item: Option<String>,
        /// The authorisation it was taken under.
        Committed authorisation: Option<String>,
        /// Who seized it.
        Committed seized_by: Option<String>,
        /// When it was seized, ISO 8601, as precisely as it is known.
        Committed at: Option<String>,
        /// Of a member: the exhibit it was in.
        Committed container: Option<ExhibitId>,
        /// Of a member: its name there; a text, never a path.
        Committed member: Option<Name>,
        /// Of a member: how it came out (`zip`, `tar`, `gz`, …).
        Committed codec: Option<String>,
        /// Of a member: where its data or its header begins in the container.
        Committed offset: Option<u64>,
        /// Sealed by reference: the absolute path where the bytes stay.
        Committed in_place: Option<Name>,
        /// What was odd at sealing, such as a file that changed while it was read.
        Committed note: Option<String>,
    }

    /// The bytes of a sealed exhibit came in again from another source.
    "exhibit.received" ExhibitReceived {
        /// The exhibit.
        Committed exhibit: ExhibitId,
        /// The path it was read from; of a member, the outermost file's.
        Committed source: Option<Name>,
        /// The item of the seizure's list that it is or was in.
        Committed item: Option<String>,
        /// The authorisation it was taken under.
        Committed authorisation: Option<String>,
        /// Who seized it.
        Committed seized_by: Option<String>,
        /// When it was seized.
        Committed at: Option<String>,
        /// Of a member: the exhibit it was in.
        Committed container: Option<ExhibitId>,
        /// Of a member: its name there.
        Committed member: Option<Name>,
        /// Of a member: how it came out.
        Committed codec: Option<String>,
        /// Of a member: where it begins in the container.
        Committed offset: Option<u64>,
        /// What was odd.
        Committed note: Option<String>,
    }

    /// A sum found beside the material was compared with the sealed bytes.
    "sums.compared" SumsCompared {
        /// The exhibit that the sum is of; absent where nothing of that name was found.
        Committed exhibit: Option<ExhibitId>,
        /// `sha256`, `sha1` or `md5`.
        Committed algorithm: String,
        /// The digest that was found beside the material, lower-case hexadecimal.
        Committed claimed: String,
        /// The digest of the sealed bytes; absent where nothing of that name was found.
        Committed found: Option<String>,
        /// Whether they agree.
        Committed agrees: bool,
        /// The name that the sums file gives.
        Committed name: Name,
        /// The exhibit where the sum stands.
        Committed sums_exhibit: ExhibitId,
        /// First byte of the digest there.
        Committed start: u64,
        /// One past its last byte.
        Committed end: u64,
    }

    /// A parser read an exhibit.
    "parse.run" ParseRun {
        /// The exhibit.
        Committed exhibit: ExhibitId,
        /// The parser's name.
        Committed parser: String,
        /// The parser's version.
        Committed version: u64,
        /// Facts it gave.
        Committed facts: u64,
        /// Bulk rows it gave.
        Committed rows: u64,
        /// Values in those rows.
        Committed values: u64,
        /// Problems it met.
        Committed problems: u64,
        /// Digest of all of these, in the parser's order.
        Committed digest: Sha256Hex,
    }

    /// An address table was laid over the built-in one.
    "table.laid" TableLaid {
        /// The table, as an exhibit.
        Committed exhibit: ExhibitId,
        /// Its name.
        Committed name: Name,
        /// Ranges in it.
        Committed ranges: u64,
    }

    /// A refreshed address table took the built-in one's place: what is not laid over it holds.
    "addresses.taken" AddressesTaken {
        /// The table, as an exhibit.
        Committed exhibit: ExhibitId,
        /// Its name.
        Committed name: Name,
        /// Ranges in it.
        Committed ranges: u64,
    }

    /// A mapping for tables of unknown columns was laid down: parsers are told it from here on.
    "mapping.laid" MappingLaid {
        /// The mapping, as an exhibit.
        Committed exhibit: ExhibitId,
        /// Its name.
        Committed name: Name,
    }

    /// Material that was named could not be read at all.
    "material.unread" MaterialUnread {
        /// Where it is.
        Committed path: Name,
        /// Why it could not be read.
        Committed message: String,
    }

    /// Masked values were shown to somebody.
    "secret.revealed" SecretRevealed {
        /// Why.
        Committed reason: String,
        /// What was asked for, in the words of the command or the page.
        Committed query: String,
        /// The exhibit, where one value was shown.
        Committed exhibit: Option<ExhibitId>,
        /// First byte of the value.
        Committed start: Option<u64>,
        /// One past its last byte.
        Committed end: Option<u64>,
    }

    /// An exhibit is privileged (lawyer, doctor): hidden until released.
    "privilege.marked" PrivilegeMarked {
        /// The exhibit.
        Committed exhibit: ExhibitId,
        /// Why.
        Committed reason: String,
    }

    /// A privileged exhibit was released.
    "privilege.released" PrivilegeReleased {
        /// The exhibit.
        Committed exhibit: ExhibitId,
        /// Why.
        Committed reason: String,
    }

    /// A time-stamping authority stamped a checkpoint of this log: what the checkpoint covers was in
    /// the log by then, what follows this record came after.
    "checkpoint.stamped" CheckpointStamped {
        /// The checkpoint, whole: the token is over the SHA-256 of its bytes.
        Public checkpoint: String,
        /// The RFC 3161 token (DER).
        Public token: Blob,
        /// Certificates of the authority's chain that were not kept before (DER).
        Committed certificates: Vec<Blob>,
        /// Lists of revoked certificates of the chain as they then were (DER).
        Committed crls: Vec<Blob>,
        /// Where the authority was asked.
        Committed asked: String,
    }

    /// A time-stamping authority stamped an exhibit: its bytes were there by then.
    "exhibit.stamped" ExhibitStamped {
        /// The exhibit: the token is over its id.
        Committed exhibit: ExhibitId,
        /// The RFC 3161 token (DER).
        Committed token: Blob,
        /// Certificates of the authority's chain that were not kept before (DER).
        Committed certificates: Vec<Blob>,
        /// Lists of revoked certificates of the chain as they then were (DER).
        Committed crls: Vec<Blob>,
        /// Where the authority was asked.
        Committed asked: String,
    }

    /// Every view was thrown away and built again.
    "views.rebuilt" ViewsRebuilt {
        /// Exhibits read again.
        Committed exhibits: u64,
        /// Of these, how many gave another digest than the log held.
        Committed differing: u64,
        /// What differs, in words; cut where long.
        Committed difference: String,
    }

    /// A named person takes part in the case from here on.
    "actor.enrolled" ActorEnrolled {
        /// What records call the person by: the name of the person's key.
        Committed person: String,
        /// The person's name.
        Committed name: String,
        /// What the person does there.
        Committed role: Option<String>,
        /// For whom.
        Committed organisation: Option<String>,
        /// The key that verifies the person's signatures, as signed notes write it, if there is one.
        Committed key: Option<String>,
    }

    /// An item is in custody: a thing that was seized, or a digital exhibit.
    "custody.registered" CustodyRegistered {
        /// What it is called, once for ever in the case.
        Committed item: String,
        /// What it is.
        Committed description: String,
        /// Of a digital exhibit: the exhibit.
        Committed exhibit: Option<ExhibitId>,
        /// The digital exhibits that were imaged from it so far.
        Committed exhibits: Vec<ExhibitId>,
        /// The number of the seal on it.
        Committed seal: Option<String>,
        /// Where it is.
        Committed place: String,
        /// Who holds it: a person that is enrolled.
        Committed holder: String,
        /// Since when, ISO 8601 with its zone.
        Committed happened: String,
    }

    /// Digital exhibits were imaged from an item.
    "custody.imaged" CustodyImaged {
        /// The item.
        Committed item: String,
        /// The exhibits.
        Committed exhibits: Vec<ExhibitId>,
    }

    /// An item went from one person to another. Both signed the same text, which follows from these
    /// fields and the log's origin (docs/custody.md).
    "custody.handed_over" CustodyHandedOver {
        /// The item.
        Committed item: String,
        /// What it is, as both read it.
        Committed description: Option<String>,
        /// Who gave it.
        Committed from: String,
        /// Who took it; the same person where only place or seal changed.
        Committed to: String,
        /// Where it is from here on.
        Committed place: String,
        /// When, ISO 8601 with its zone.
        Committed happened: String,
        /// The number of the seal on it when it was given.
        Committed seal_before: Option<String>,
        /// The number of the seal on it from here on.
        Committed seal_after: Option<String>,
        /// Why the seal changed.
        Committed reason: Option<String>,
        /// 16 random bytes in hexadecimal, so that no signed text is used twice.
        Committed nonce: String,
        /// The signature line of who gave it.
        Committed from_signature: Option<String>,
        /// The signature line of who took it.
        Committed to_signature: Option<String>,
        /// The side that had no device and acknowledges instead: `from` or `to`.
        Committed without_device: Option<String>,
    }

    /// A side without a device read back the words of a hand-over's record. No signature.
    "custody.acknowledged" CustodyAcknowledged {
        /// The hand-over's record.
        Committed record: u64,
        /// The side: `from` or `to`.
        Committed side: String,
        /// The words: the first 40 bits of the record's leaf hash.
        Committed words: String,
    }

    /// A record on a person or on custody was wrong: it no longer counts, and stays in the log.
    "custody.corrected" CustodyCorrected {
        /// The record.
        Committed record: u64,
        /// Why.
        Committed reason: String,
    }

    /// A package of exhibits and records left the case.
    "package.made" PackageMade {
        /// SHA-256 of the package's tag manifest, from which every byte of it follows.
        Public manifest: Sha256Hex,
        /// For whom it was made.
        Committed recipient: String,
        /// Its handling code, `H0` to `H3` (docs/packages.md).
        Committed handling: String,
        /// What restricts its use, in words.
        Committed restriction: Option<String>,
        /// The records that are in it.
        Committed records: Places,
        /// Of these, the sealing records whose exhibits' bytes are in it, whole or in part.
        Committed exhibits: Places,
        /// What was selected and what was redacted, in the words of the command.
        Committed selection: String,
    }

    /// A package of another case was checked and taken in, as an exhibit.
    "package.imported" PackageImported {
        /// The package's file, as an exhibit.
        Committed exhibit: ExhibitId,
        /// The log that it comes from.
        Committed origin: String,
        /// SHA-256 of its tag manifest.
        Committed manifest: Sha256Hex,
        /// For whom it was made.
        Committed recipient: String,
        /// Its handling code.
        Committed handling: String,
        /// What restricts its use, in words.
        Committed restriction: Option<String>,
        /// True where a trust file named the key that signed it.
        Committed confirmed: bool,
    }

    /// A backup was brought up to the case, or all of it was read again (docs/backup.md).
    "backup.made" BackupMade {
        /// Where it is, without any credential.
        Committed destination: String,
        /// The records that it held then: from the first on, so many.
        Committed held: u64,
        /// Their root.
        Committed root: Sha256Hex,
        /// Exhibits whose bytes are in it.
        Committed held_exhibits: u64,
        /// Their bytes.
        Committed held_bytes: u64,
        /// Exhibits, and files of openings, that an order of erasure reached there in this run.
        Committed erased: u64,
        /// Objects that were damaged there and were put right.
        Committed repaired: u64,
        /// Exhibits that could not be copied, their bytes not being those that were sealed.
        Committed findings: u64,
        /// True where everything in it was read again.
        Committed checked: bool,
        /// True where it completed a run that was cut off: of what that one erased nothing is counted.
        Committed completed: Option<bool>,
    }

    /// A backup was restored on trial, beside the case, and proven.
    "backup.drilled" BackupDrilled {
        /// Where it is, without any credential.
        Committed destination: String,
        /// The records that it held: from the first on, so many.
        Committed held: u64,
        /// Their root.
        Committed root: Sha256Hex,
        /// Records of the case that it did not hold.
        Committed behind: u64,
        /// What was wrong with it.
        Committed findings: u64,
        /// How long it took, in milliseconds.
        Committed elapsed_ms: u64,
    }

    /// Openings, leaf salts and bytes are destroyed by law. What is named here is gone, or goes when
    /// the case is next opened for writing; the commitments in the log, and the hashes of what is
    /// gone, stay (docs/erasure.md).
    "erasure.ordered" ErasureOrdered {
        /// The legal basis.
        Public basis: String,
        /// The records that sealed exhibits of which nothing is left, but for media outside the case.
        Public exhibits: Places,
        /// The records that sealed an exhibit of which `leaves` are erased, the newest last.
        Public parts: Places,
        /// Of a part: the leaves that are erased.
        Public leaves: Places,
        /// Of a part: the record that sealed what is left, the erased leaves being zeros.
        Public rest: Option<u64>,
        /// The openings that are destroyed, as `record/field`.
        Public fields: FieldPlaces,
        /// Leaves that are erased, of all exhibits.
        Committed count: u64,
        /// Why.
        Committed reason: String,
        /// Media outside the case that hold bytes still: they were sealed where they are.
        Committed media: Vec<Name>,
        /// The records that sealed exhibits in which a digest of what is erased stands.
        Committed digests: Places,
    }

    /// The probe may ask these hosts for these things until then, and no others (docs/capture.md). The
    /// number of this record is what the authorisation is called.
    "authorisation.granted" AuthorisationGranted {
        /// From when on, in UTC.
        Public from: String,
        /// Until when, that moment not meant.
        Public until: String,
        /// The key of the probe whose signatures count under it, as signed notes write it.
        Public probe: String,
        /// The legal basis.
        Committed basis: String,
        /// The hosts: names, names below another, addresses, ranges; each with its ports.
        Committed hosts: Vec<String>,
        /// What may be done there.
        Committed methods: Vec<String>,
        /// Requests a minute to one host.
        Committed rate: u64,
        /// Most bytes of one capture.
        Committed most_bytes: u64,
        /// Who signed it.
        Committed signer: String,
    }

    /// An authorisation holds no longer.
    "authorisation.ended" AuthorisationEnded {
        /// The record that granted it.
        Public granted: u64,
        /// Why.
        Committed reason: String,
    }

    /// The probe captured an item. It signed a text that follows from these fields and the log's origin
    /// (docs/capture.md). What was shown is not said here: that is read from the exhibit.
    "capture.made" CaptureMade {
        /// The record that granted the authorisation.
        Public granted: u64,
        /// When it began, in UTC.
        Public started: String,
        /// When it ended.
        Public ended: String,
        /// The item: a URL, a name or an address.
        Committed item: String,
        /// What came back, whole, as an exhibit (WARC).
        Committed exhibit: ExhibitId,
        /// The most that was reached, such as `media`, `answered 404` or `no-name`.
        Committed outcome: String,
        /// The addresses that names stood for, and those that were asked.
        Committed addresses: Vec<String>,
        /// The digests of the certificate chains that were shown.
        Committed chains: Vec<Sha256Hex>,
        /// Requests that left.
        Committed requests: u64,
        /// Bytes of media that came.
        Committed media_bytes: u64,
        /// What captures that saw the same have in common.
        Committed content: Sha256Hex,
        /// The probe's signature line.
        Committed signature: String,
    }

    /// The probe was asked for what is outside an authorisation, and refused: so often within an hour, for
    /// one reason.
    "capture.refused" CaptureRefused {
        /// The record that granted the authorisation.
        Public granted: u64,
        /// When the hour began, in UTC.
        Public hour: String,
        /// The reason, in one word.
        Public refusal: String,
        /// How often.
        Public refused: u64,
    }

    /// What the case holds led to a ticket at a clearing house, whose own record of it is named
    /// (docs/clearing-house.md).
    "ticket.reported" TicketReported {
        /// The record of the clearing house's log that took the ticket.
        Committed house: Reference,
        /// The ticket's number there.
        Committed ticket: u64,
        /// What of the ticket it led to: a name, an address, a URL.
        Committed item: Option<String>,
        /// The exhibit that led to it.
        Committed exhibit: Option<ExhibitId>,
        /// The record of this case that the ticket names, where it does.
        Committed named: Option<u64>,
        /// What there is to say of it.
        Committed note: Option<String>,
    }

    /// A clearing house's feed begins: what follows is of this epoch. One writer has it, and whoever follows
    /// the feed takes nothing of an earlier one.
    "shield.began" ShieldBegan {
        /// Which one: greater than every one before it in this log.
        Public epoch: u64,
        /// The feed's session: 16 hexadecimal digits.
        Public session: String,
        /// Where anything is in force: the root over all of it, so that who joins is shown one record.
        Public blocks: Option<Sha256Hex>,
        /// How many blocks are under it.
        Public blocks_under: Option<u64>,
        /// What the salts of the blocks follow from.
        Committed seed: Option<Sha256Hex>,
    }

    /// A clearing house decided: the steps of one command, as docs/shield-machine.md says how they are
    /// written. What has no room in one record is several, of one commit and in their order.
    "shield.decided" ShieldDecided {
        /// Of which epoch.
        Public epoch: u64,
        /// Which part of the decision, from 0.
        Public part: u64,
        /// Of how many.
        Public parts: u64,
        /// In the last part, where anything was put into force or carried on: the root over these blocks.
        Public blocks: Option<Sha256Hex>,
        /// How many blocks are under it.
        Public blocks_under: Option<u64>,
        /// In the last part, where it speaks of tickets: the root over what may be told of it after their events.
        Public told: Option<Sha256Hex>,
        /// How many statements are under it.
        Public told_under: Option<u64>,
        /// This part of the decision's text.
        Committed decision: String,
        /// What the salts of the blocks, and of what may be told, follow from.
        Committed seed: Option<Sha256Hex>,
    }

    /// A figure of the clearing house's policy is another from here on.
    "shield.figured" ShieldFigured {
        /// Which.
        Public figure: String,
        /// What it is now.
        Public value: u64,
        /// Why.
        Committed reason: String,
    }

    /// Of the second machine on which a clearing house's log has to be durable too before an act is
    /// acknowledged (docs/standby.md).
    "shield.standby" ShieldStandby {
        /// What became of it: `named`, `gone`, `back`, `dismissed` or `promoted`.
        Public turn: String,
        /// What it is called.
        Committed name: String,
        /// Where it was named: SHA-256 of the secret by which it is known.
        Committed key: Option<Sha256Hex>,
        /// Why, where a person did it.
        Committed reason: Option<String>,
    }

    /// A notice to a host or a CDN did not go out: of each letter the first try that failed, and that it was
    /// given up (docs/clearing-house.md).
    "shield.notice" ShieldNotice {
        /// What became of it: `failed`, to be tried again, or `given_up`, to be sent by hand.
        Committed turn: String,
        /// The item, as ticket and place.
        Committed item: String,
        /// To whom it was to go.
        Committed to: String,
        /// How often it was tried by then.
        Committed tries: u64,
        /// What the relay said.
        Committed reason: String,
    }

    /// Who objects to a block showed that they control what is blocked: the text that the clearing house gave
    /// them stood where only its holder can put it.
    "challenge.met" ChallengeMet {
        /// The name or address.
        Committed value: String,
        /// SHA-256 of what they say, which is the objection's proof.
        Committed statement: Sha256Hex,
        /// Where it stood: `dns`, `file` or `reverse`.
        Committed way: String,
        /// The very name or URL.
        Committed place: String,
        /// Who was asked for names.
        Committed resolver: String,
        /// When it was looked for, in UTC.
        Committed started: String,
        /// The WARC of what was seen.
        Committed exhibit: ExhibitId,
    }

    /// A stop was signed beforehand, for when the clearing house cannot be reached, or the word that ends it
    /// (docs/feed.md).
    "shield.stop_signed" ShieldStopSigned {
        /// `stop` or `resume`.
        Committed act: String,
        /// Whom it is for: `all`, or the view of one ISP.
        Committed view: String,
        /// Of a stop: `releases` or `lifts`.
        Committed halt: Option<String>,
        /// Of which epoch.
        Committed epoch: u64,
        /// When it was made, in UTC.
        Committed made: String,
        /// Of a stop: until when it may be brought out, in UTC.
        Committed until: Option<String>,
        /// Of a resumption: the second person.
        Committed second: Option<String>,
        /// Why.
        Committed reason: String,
        /// SHA-256 of the file.
        Committed digest: Sha256Hex,
    }

    /// What probes measured of ISPs: who blocks, or blocks no longer, since when, and who does not
    /// (docs/measurement.md).
    "shield.measured" ShieldMeasured {
        /// The findings, as JSON.
        Committed measured: String,
    }

    /// The feed's key was replaced: manifests and stops by the one before count no more (docs/keys.md).
    "shield.feed_key" ShieldFeedKey {
        /// The key that was replaced, as signed notes write it.
        Public old: String,
        /// The key that signs from here on.
        Public new: String,
        /// What both keys signed: a signed note.
        Public statement: String,
        /// Why.
        Committed reason: Option<String>,
    }

    /// What ISPs say of what they block, each about itself: many words in one record (docs/piracy-shield.md).
    "shield.isps_said" ShieldIspsSaid {
        /// Who says what of which value, as JSON.
        Committed said: String,
    }

    /// In the authority's own log: an organisation that deals with the authority. Who they all are, and
    /// what each may do, holds for every case and for the clearing house (docs/access.md).
    "party.organisation" PartyOrganisation {
        /// What records call it, once for ever: a short name.
        Committed organisation: String,
        /// Its full name.
        Committed name: String,
        /// What it is: `authority`, `rights_holder`, `isp`, `reviewer` or `other`.
        Committed sector: String,
    }

    /// In the authority's own log: a person of an organisation.
    "party.person" PartyPerson {
        /// What records call the person, once for ever: a short name.
        Committed person: String,
        /// The person's name.
        Committed name: String,
        /// The organisation's short name.
        Committed organisation: String,
    }

    /// In the authority's own log: a person acts in an office from here on.
    "party.role_given" PartyRoleGiven {
        /// The person's short name.
        Committed person: String,
        /// The office.
        Committed role: String,
        /// From when on, in UTC.
        Committed from: String,
        /// Until when, that moment not meant.
        Committed until: Option<String>,
    }

    /// In the authority's own log: a person acts in an office no longer.
    "party.role_taken" PartyRoleTaken {
        /// The person's short name.
        Committed person: String,
        /// The office.
        Committed role: String,
        /// Why.
        Committed reason: String,
    }

    /// In the authority's own log: a service of an organisation signs in by a key from here on.
    "party.key_issued" PartyKeyIssued {
        /// What records call the key, once for ever: a short name.
        Committed key: String,
        /// The organisation's short name.
        Committed organisation: String,
        /// In what office it acts.
        Committed role: String,
        /// SHA-256 of the secret, which stands nowhere.
        Committed digest: Sha256Hex,
        /// Until when, in UTC, that moment not meant.
        Committed until: Option<String>,
    }

    /// In the authority's own log: a service key counts no longer.
    "party.key_revoked" PartyKeyRevoked {
        /// The key's short name.
        Committed key: String,
        /// Why.
        Committed reason: String,
    }

    /// In the authority's own log: a person, or an organisation with its people and keys, may do nothing
    /// until it is reinstated.
    "party.suspended" PartySuspended {
        /// `person:NAME` or `organisation:NAME`.
        Committed party: String,
        /// Why.
        Committed reason: String,
    }

    /// In the authority's own log: what was suspended is so no longer.
    "party.reinstated" PartyReinstated {
        /// `person:NAME` or `organisation:NAME`.
        Committed party: String,
        /// Why.
        Committed reason: String,
    }

    /// In the authority's own log: how many requests a minute an organisation may make.
    "party.quota" PartyQuota {
        /// The organisation's short name.
        Committed organisation: String,
        /// Requests a minute of all its people and keys together; absent where the usual ones count again.
        Committed per_minute: Option<u64>,
    }

    /// In the authority's own log: a person's way to sign in was added, or is gone.
    "party.credential" PartyCredential {
        /// The person's short name.
        Committed person: String,
        /// `invitation`, `password`, `passkey`; `passkey_copied`: one that counted backwards, and opens nothing more.
        Committed means: String,
        /// True where it was added, false where it is gone.
        Committed added: bool,
    }

    /// In the authority's own log: a person's sessions were ended by somebody else.
    "party.sessions_ended" PartySessionsEnded {
        /// The person's short name.
        Committed person: String,
        /// How many.
        Committed sessions: u64,
        /// Why.
        Committed reason: String,
    }

    /// In the authority's own log: what was refused to one party at one route, within one hour.
    "access.refused" AccessRefused {
        /// When the hour began, in UTC.
        Public hour: String,
        /// How often, whatever the reason.
        Public refused: u64,
        /// An organisation's short name; `public` of who was not signed in, `holder`, `others`.
        Committed party: String,
        /// The route's pattern.
        Committed route: String,
        /// How often because nobody was signed in.
        Committed sign_in: u64,
        /// How often because the policies say no.
        Committed forbidden: u64,
        /// How often because the quota was spent.
        Committed too_many: u64,
    }
}
