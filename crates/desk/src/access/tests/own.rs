//! An authority's own policies.

use proptest::prelude::*;

use super::super::own::first_permit;
use super::super::policies::Policies;
use super::super::{Access, Action, Decision, Principal};
use super::{asked, home};

fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, crate::Result<Access>) {
    let (dir, _) = home();
    ledger::disk::create_dir(&dir.path().join("policies")).unwrap();
    for (name, text) in files {
        ledger::disk::write(&dir.path().join("policies").join(name), text.as_bytes()).unwrap();
    }
    let access = Access::open(dir.path());
    (dir, access)
}

#[track_caller]
fn refused(text: &str) -> String {
    let (_dir, access) = with(&[("own.cedar", text)]);
    let mut error = &access.unwrap_err() as &dyn std::error::Error;
    let said = error.to_string();
    while let Some(source) = error.source() {
        error = source;
    }
    assert!(said.contains("own.cedar"), "{said}");
    said
}

#[test]
fn a_file_forbids_what_was_allowed() {
    let text =
        "// Nobody exports here.\nforbid (principal, action == Action::\"case_export\", resource);";
    let (_dir, access) = with(&[("a.cedar", text), ("notes.txt", "permit everything")]);
    let access = access.unwrap();
    assert_eq!(access.own_files(), 1);
    let operator = access.person("ana").unwrap();
    let may = |action| access.may(&operator, &asked(action, None), "/");
    assert_eq!(may(Action::CaseExport), Decision::Forbidden);
    assert_eq!(may(Action::CaseRead), Decision::Allowed);
}

#[test]
fn a_file_that_permits_is_refused_with_its_line() {
    let why = refused(
        "forbid (principal, action, resource);\n\n// permit (principal, action, resource);\n\
         @note(\"permit\")\npermit\n(principal, action, resource);",
    );
    assert!(why.contains("line 5"), "{why}");
    assert_eq!(first_permit("forbid (principal, action, resource) when { permit };"), None);
    assert_eq!(first_permit("@a(\"permit(\\\"\")\nforbid(principal, action, resource);"), None);
    assert_eq!(first_permit("\u{2028}permit(principal,action,resource);"), Some(1));
}

#[test]
fn a_file_that_would_do_nothing_is_refused() {
    for (text, what) in [
        ("forbid (principal, action == Action::\"case_reed\", resource);", "case_reed"),
        ("forbid (principal, action", "expected"),
        ("forbid (principal is Robot, action, resource);", "Robot"),
        ("forbid (principal == ?principal, action, resource);", "template"),
        ("forbid (principal, action, resource) when { false };", ""),
        ("forbid (principal, action, resource) when { principal.age > 3 };", "age"),
    ] {
        let why = refused(text);
        assert!(why.contains(what), "{text}: {why}");
    }
    assert!(refused(&" ".repeat(64 * 1024 + 1)).contains("longer"));
}

#[test]
fn as_many_files_as_there_may_be_and_no_more() {
    let names: Vec<String> = (0..65).map(|n| format!("{n:02}.cedar")).collect();
    let one = |name: &String| (name.clone(), "forbid (principal is Key, action, resource);");
    let files: Vec<_> = names.iter().map(one).collect();
    let borrowed: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    assert_eq!(with(&borrowed[..64]).1.unwrap().own_files(), 64);
    let error = with(&borrowed).1.unwrap_err().to_string();
    assert!(error.contains("more than 64"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever forbids, what it leaves was allowed before; and any text is survived.
    #[test]
    fn more_rules_never_allow_more(
        picks in prop::collection::vec((0..Action::ALL.len(), 0usize..4), 0..4),
        text in "[a-z(){};\"/\\\\ \n]{0,60}",
    ) {
        let plain = Policies::built_in().unwrap();
        let mut own = Policies::built_in().unwrap();
        let sorts = ["Nobody", "Holder", "Person", "Key"];
        for (n, (action, sort)) in picks.iter().enumerate() {
            let action = Action::ALL[*action].word();
            let rule = format!(
                "forbid (principal is {}, action == Action::\"{action}\", resource);", sorts[*sort]
            );
            own.forbid(&format!("{n}"), &rule).unwrap();
        }
        let _ = own.forbid("any", &text);
        for who in [
            Principal::Nobody,
            Principal::Holder,
            Principal::Person {
                person: "p".into(),
                organisation: "own".into(),
                roles: crate::parties::PartyRole::ALL.to_vec(),
            },
        ] {
            for action in Action::ALL {
                let before = plain.allow(&who, *action, Some("own"), true);
                prop_assert!(before || !own.allow(&who, *action, Some("own"), true));
            }
        }
    }
}
