use super::*;
use proptest::prelude::*;

fn salts() -> impl FnMut() -> [u8; 32] {
    let mut n = 0u8;
    move || {
        n += 1;
        [n; 32]
    }
}

fn envelope() -> Envelope {
    Envelope {
        time_ms: 1_764_000_000_123,
        authority: "practice.invalid".into(),
        actor: "Ana".into(),
    }
}

fn run() -> ParseRun {
    ParseRun {
        exhibit: ExhibitId([7; 32]),
        parser: "m3u".into(),
        version: 3,
        facts: 10,
        rows: u64::MAX,
        values: 0,
        problems: 1,
        digest: Sha256Hex([9; 32]),
    }
}

#[test]
fn a_record_reads_back_and_shows_nothing_that_is_committed() {
    let (bytes, opening) = write(&run().into(), &envelope(), &mut salts()).unwrap();
    let record = Record::parse(&bytes).unwrap();
    record.check_fields().unwrap();
    record.check_opening(&opening).unwrap();
    assert_eq!(opening.record, leaf_hash(&bytes));
    assert_eq!(record.time, "2025-11-24T16:00:00.123Z");
    assert_eq!(record.actor(&opening).as_deref(), Some("Ana"));
    assert_eq!(Body::read(&record, &opening), Ok(run().into()));
    let text = String::from_utf8(bytes).unwrap();
    for hidden in ["Ana", "m3u", &"07".repeat(32), "18446744073709551615"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    let line = opening.to_line().unwrap();
    assert_eq!(Opening::parse_line(&line), Ok(opening));
}

#[test]
fn an_erased_field_leaves_the_rest_provable() {
    let (bytes, mut opening) = write(&run().into(), &envelope(), &mut salts()).unwrap();
    let record = Record::parse(&bytes).unwrap();
    opening.fields.remove("exhibit");
    record.check_opening(&opening).unwrap();
    assert_eq!(Body::read(&record, &opening), Err(RecordError::Withheld("exhibit")));
    assert_eq!(Body::read_left(&record, &opening), Err(RecordError::Withheld("exhibit")));
}

#[test]
fn an_erased_text_reads_as_empty_where_one_asks_for_what_is_left() {
    let body = PrivilegeMarked { exhibit: ExhibitId([1; 32]), reason: "counsel's".into() };
    let (bytes, mut opening) = write(&body.clone().into(), &envelope(), &mut salts()).unwrap();
    let record = Record::parse(&bytes).unwrap();
    opening.fields.remove("reason");
    assert_eq!(Body::read(&record, &opening), Err(RecordError::Withheld("reason")));
    let left = PrivilegeMarked { reason: String::new(), ..body };
    assert_eq!(Body::read_left(&record, &opening), Ok(left.into()));
}

#[test]
fn an_opening_keeps_what_is_left_of_a_tree() {
    let (_, mut opening) = write(&run().into(), &envelope(), &mut salts()).unwrap();
    opening.erased = vec!["0/4/aa".into()];
    opening.leaf_secrets = vec!["40/5/bb".into()];
    let line = opening.to_line().unwrap();
    assert_eq!(Opening::parse_line(&line), Ok(opening));
}

#[test]
fn what_the_kind_does_not_have_is_refused() {
    let (bytes, opening) = write(&run().into(), &envelope(), &mut salts()).unwrap();
    let mut record = Record::parse(&bytes).unwrap();
    let commitment = record.committed["parser"];
    record.committed.insert("nonsense".into(), commitment);
    assert!(matches!(record.check_fields(), Err(RecordError::UnknownField { .. })));
    record.committed.remove("nonsense");
    record.public.insert("parser".into(), Canon::text("m3u"));
    assert!(matches!(record.check_fields(), Err(RecordError::UnknownField { .. })));
    record.public.clear();
    record.committed.remove("parser");
    assert_eq!(record.check_fields(), Err(RecordError::Missing("parser")));
    assert_eq!(record.check_opening(&opening), Err(RecordError::Mismatch("parser".into())));
    record.kind = "parse.walk".into();
    assert!(matches!(record.check_fields(), Err(RecordError::Kind(_))));
}

#[test]
fn only_version_kind_time_authority_and_roots_are_public() {
    for def in RECORD_KINDS {
        for field in def.fields.iter().filter(|f| f.side == Side::Public) {
            // What a log's first entry repeats of its checkpoint and of the authority's log.
            let birth = ["case.opened", "case.born"].contains(&def.kind)
                && ["origin", "key", "checkpoint"].contains(&field.name);
            // What whoever has the log alone must have, to know by when it was there.
            let stamp =
                def.kind == "checkpoint.stamped" && ["checkpoint", "token"].contains(&field.name);
            // Whoever reads the authority's log must know whom it asks.
            let witness = def.kind.starts_with("witness.")
                && ["witness", "url", "quorum"].contains(&field.name);
            // The digest of a manifest of digests and salts: nobody can guess at what is behind it.
            let package = def.kind == "package.made" && field.name == "manifest";
            // Whoever has the log alone must know whose signatures count in it, and in the feed.
            let keys = ["key.rotated", "shield.feed_key"].contains(&def.kind)
                && ["old", "new", "statement"].contains(&field.name);
            // Whoever has the log alone must know what of it cannot be opened any more, and by what
            // right; numbers of records and leaves tell nothing of what they held.
            let erasure = def.kind == "erasure.ordered"
                && ["basis", "exhibits", "parts", "leaves", "rest", "fields"].contains(&field.name);
            // Whoever has the log alone must see that every capture was made under an authorisation, within
            // its time, by the probe it names, and how often one was refused and why: numbers of records,
            // times, a key, words of a short list. Whom it is about stays committed.
            let probe = match def.kind {
                "authorisation.granted" => ["from", "until", "probe"].contains(&field.name),
                "authorisation.ended" => field.name == "granted",
                "capture.made" => ["granted", "started", "ended"].contains(&field.name),
                "capture.refused" => {
                    ["granted", "hour", "refusal", "refused"].contains(&field.name)
                }
                _ => false,
            };
            // Whoever has the log alone must see who had the feed, that each decision is whole, and under
            // which root its blocks are, and what may be told later; what is blocked, and who asked, stays
            // committed.
            let shield = match def.kind {
                "shield.began" => {
                    ["epoch", "session", "blocks", "blocks_under"].contains(&field.name)
                }
                "shield.decided" => {
                    ["epoch", "part", "parts", "blocks", "blocks_under", "told", "told_under"]
                        .contains(&field.name)
                }
                "shield.figured" => ["figure", "value"].contains(&field.name),
                "shield.standby" => field.name == "turn",
                _ => false,
            };
            // How often in which hour, so that whoever has the log alone sees an attack; of whom and at
            // what stays committed.
            let refusals =
                def.kind == "access.refused" && ["hour", "refused"].contains(&field.name);
            let public = birth
                || shield
                || stamp
                || witness
                || package
                || keys
                || erasure
                || probe
                || refusals
                || field.name == "root";
            assert!(public, "{}.{} is public", def.kind, field.name);
        }
        assert!(def.kind.contains('.') && def.fields.iter().all(|f| f.name != "actor"));
    }
}

#[test]
fn an_identifier_is_a_uuid_of_version_7() {
    let id = uuid_v7(1_764_000_000_123, [0xff; 10]);
    assert_eq!(id, "019ab697-e87b-7fff-bfff-ffffffffffff");
}

#[test]
fn a_body_too_large_for_the_log_is_refused() {
    let body = PrivilegeMarked { exhibit: ExhibitId([0; 32]), reason: "x".repeat(70_000) };
    let result = write(&body.into(), &envelope(), &mut salts());
    assert!(matches!(result, Err(RecordError::Canon(CanonError::TooLong(_)))));
}

proptest! {
    /// Every flipped bit of an opening or of a record breaks the proof, or the reading.
    #[test]
    fn flips_are_found(at in any::<prop::sample::Index>(), bit in 0u8..8, in_opening: bool) {
        let (bytes, opening) = write(&run().into(), &envelope(), &mut salts()).unwrap();
        let mut entry = bytes.clone();
        let mut line = opening.to_line().unwrap();
        let target = if in_opening { &mut line } else { &mut entry };
        let at = at.index(target.len());
        target[at] ^= 1 << bit;
        let sound = || -> Result<(), RecordError> {
            let record = Record::parse(&entry)?;
            record.check_fields()?;
            let opening = Opening::parse_line(&line)?;
            if opening.record != leaf_hash(&entry) {
                return Err(RecordError::OtherRecord);
            }
            record.check_opening(&opening)
        };
        prop_assert!(sound().is_err());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::parse(&bytes);
        let _ = Opening::parse_line(&bytes);
    }

    #[test]
    fn names_of_any_bytes_read_back(name in prop::collection::vec(any::<u8>(), 0..60)) {
        let name = Name(name);
        prop_assert_eq!(Name::from_canon(&name.to_canon().unwrap()), Some(name));
    }
}
