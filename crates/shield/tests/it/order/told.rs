//! What may be told of a decision: one writing, frozen, and nothing that stays closed.

use shield::order::{Actor, Decision, Deed, Role, TicketId, Turn};
use shield::proof::{is_under, path};
use shield::told::{MAX_STATEMENT, leaves, root, salt, statements};

use super::written::{AT, deeds};
use crate::world::reviewer;

fn all() -> Decision {
    Decision { at: AT, by: reviewer(), deeds: deeds() }
}

#[test]
fn statements_are_written_as_they_were_frozen() {
    // Whose a probe is, is told of nothing that it did.
    let probe = Actor { role: Role::Probe, ..reviewer() };
    let captured = |deed: &Deed| matches!(deed, Deed::Turned { turn: Turn::Captured(_), .. });
    let deeds = deeds().into_iter().filter(captured).collect();
    let by_probe = statements(&Decision { at: AT, by: probe, deeds });
    assert!(by_probe.iter().all(|one| !one.text.contains("organisation")) && !by_probe.is_empty());
    let told = statements(&all()).into_iter().chain(by_probe);
    let text: String = told.map(|one| one.text + "\n").collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/order/told.jsonl");
    if std::env::var_os("VIGIE_WRITE_FORMAT").is_some() {
        ledger::disk::write(file.as_ref(), text.as_bytes()).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(file).unwrap());
    for word in Turn::WORDS.iter().chain(&["submitted", "work", "asked", "renewal_asked"]) {
        assert!(text.contains(&format!("\"deed\":\"{word}\"")), "nothing tells of {word}");
    }
}

#[test]
fn nobodys_name_words_or_url_is_in_a_statement() {
    let whole = all().write().unwrap();
    let told: String = statements(&all()).into_iter().map(|one| one.text).collect();
    // The reviewer, her grounds, the URL as it was written, a probe, the ISPs, an objection's proof, an exception.
    let proof = "01".repeat(32);
    for closed in
        ["vera", "seen by two", "https://", "probe-1", "isp-1", &proof, "AS64500", "64496"]
    {
        assert!(whole.contains(closed), "the test asks for {closed:?}, which is nowhere");
        assert!(!told.contains(closed), "{closed:?} is told in {told}");
    }
}

#[test]
fn each_statement_stands_under_the_root_alone() {
    let (decision, seed) = (all(), [7; 32]);
    let statements = statements(&decision);
    let (found, under) = root(&decision, &seed).unwrap();
    let leaves = leaves(&statements, &seed);
    assert_eq!(under, leaves.len() as u64);
    for (n, statement) in (0..).zip(&statements) {
        assert!(statement.ticket == TicketId(2) && statement.text.len() <= MAX_STATEMENT);
        let path = path(&leaves, n).unwrap();
        let of = u32::try_from(leaves.len()).unwrap();
        assert!(is_under(&statement.leaf(&salt(&seed, n)), n, of, &path, &found.0));
        assert!(!is_under(&statement.leaf(&salt(&seed, n + 1)), n, of, &path, &found.0));
    }
    // A salt of a block is none of a statement, though both follow from one seed.
    assert_ne!(salt(&seed, 0), shield::proof::salt(&seed, 0));
    let other = deeds().into_iter().filter(|deed| deed.ticket().is_none()).collect();
    assert_eq!(root(&Decision { deeds: other, ..decision }, &seed), None);
}
