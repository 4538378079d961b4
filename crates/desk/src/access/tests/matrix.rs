//! Every role and every action, held against `matrix.txt`; and `docs/access.md` shows the same.

use std::path::Path;

use super::super::policies::Policies;
use super::super::{Action, Principal, Sort};
use crate::parties::PartyRole;

const TABLE: &str = include_str!("../matrix.txt");

/// The rows of the table: the action, and what stands under each column.
fn rows() -> (Vec<&'static str>, Vec<(&'static str, Vec<&'static str>)>) {
    let mut lines = TABLE.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    let columns = lines.next().unwrap().split_whitespace().collect();
    let rows = lines.map(|line| {
        let mut words = line.split_whitespace();
        (words.next().unwrap(), words.collect())
    });
    (columns, rows.collect())
}

fn person(roles: &[PartyRole]) -> Principal {
    Principal::Person { person: "p".into(), organisation: "own".into(), roles: roles.to_vec() }
}

fn key(role: PartyRole) -> Principal {
    Principal::Key { key: "k".into(), organisation: "own".into(), role }
}

/// What the policies say of a column, in the table's words.
fn said(policies: &Policies, column: &str, action: Action) -> String {
    let may = |who: &Principal, of| policies.allow(who, action, of, true);
    let of = |who: &Principal| {
        if action.sort() != Sort::Organisation {
            return if may(who, None) { "yes" } else { "-" };
        }
        match (may(who, Some("own")), may(who, Some("other"))) {
            (true, true) => "yes",
            (true, false) => "own",
            (false, false) => "-",
            (false, true) => "the other's",
        }
    };
    let (person, key) = match column {
        "nobody" => return of(&Principal::Nobody).to_owned(),
        "holder" => return of(&Principal::Holder).to_owned(),
        role => {
            let role = PartyRole::of_word(role).unwrap();
            (of(&person(&[role])), of(&key(role)))
        }
    };
    match (person, key) {
        (a, b) if a == b => a.to_owned(),
        ("yes", "-") => "person".to_owned(),
        ("-", "yes") => "key".to_owned(),
        ("own", "-") => "own-person".to_owned(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_policies_are_what_was_decided() {
    let policies = Policies::built_in().unwrap();
    let (columns, rows) = rows();
    assert_eq!(columns.len(), PartyRole::ALL.len() + 2, "a role without a column");
    let actions: Vec<_> = rows.iter().map(|(action, _)| *action).collect();
    assert_eq!(actions, Action::ALL.iter().map(|a| a.word()).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for (action, (_, cells)) in Action::ALL.iter().zip(&rows) {
        assert_eq!(cells.len(), columns.len(), "{}", action.word());
        for (column, cell) in columns.iter().zip(cells) {
            let said = said(&policies, column, *action);
            if said != *cell {
                wrong.push(format!("{} by {column}: {said}, decided is {cell}", action.word()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Several roles are what each of them is, and nothing that none of them is.
#[test]
fn roles_together_are_the_union_of_each() {
    let policies = Policies::built_in().unwrap();
    let alone = |role: PartyRole, action, of| policies.allow(&person(&[role]), action, of, false);
    for action in Action::ALL {
        let whose: &[Option<&str>] =
            if action.sort() == Sort::Organisation { &[Some("own"), Some("x")] } else { &[None] };
        for of in whose {
            let each: Vec<bool> =
                PartyRole::ALL.iter().map(|role| alone(*role, *action, *of)).collect();
            for set in 1u32..1 << PartyRole::ALL.len() {
                let in_set = |n: &usize| set & 1 << n != 0;
                let roles: Vec<PartyRole> =
                    (0..each.len()).filter(in_set).map(|n| PartyRole::ALL[n]).collect();
                let together = policies.allow(&person(&roles), *action, *of, false);
                let any = (0..each.len()).filter(in_set).any(|n| each[n]);
                assert_eq!(together, any, "{roles:?} {action:?} of {of:?}");
            }
        }
    }
}

/// Somebody without a role may what the public may.
#[test]
fn no_role_is_the_public() {
    let policies = Policies::built_in().unwrap();
    for action in Action::ALL {
        for of in [None, Some("own"), Some("x")] {
            let none = policies.allow(&person(&[]), *action, of, true);
            let public = policies.allow(&person(&[PartyRole::Public]), *action, of, true);
            assert_eq!(none, public, "{action:?} of {of:?}");
        }
    }
}

/// The table of `docs/access.md`; `VIGIE_WRITE_ACCESS=1` writes it.
#[test]
#[allow(clippy::disallowed_methods)] // the document, on request
fn the_document_shows_the_table() {
    let (columns, rows) = rows();
    let mut table =
        format!("\n\n| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for (action, cells) in rows {
        let cells = cells.join(" | ").replace('-', "–").replace("own–person", "own-person");
        table.push_str(&format!("| `{action}` | {cells} |\n"));
    }
    table.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/access.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = ("<!-- matrix: made by the test suite -->", "<!-- end of matrix -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (now, after) = rest.split_once(end).unwrap();
    if std::env::var_os("VIGIE_WRITE_ACCESS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    } else {
        assert_eq!(now, table, "VIGIE_WRITE_ACCESS=1 writes it");
    }
}
