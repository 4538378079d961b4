use super::*;
use std::collections::BTreeSet;
use std::path::Path;

fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn forms(message: &Message) -> Vec<&str> {
    match message {
        Message::Text(text) => vec![text],
        Message::Count { one, other } => vec![one, other],
    }
}

#[test]
fn every_language_says_the_same_things() {
    let english = Lang::En.catalogue();
    assert!(english.len() > 600, "{}", english.len());
    for lang in [Lang::Fr, Lang::It] {
        let other = lang.catalogue();
        let keys = |c: &Catalogue| c.keys().cloned().collect::<BTreeSet<_>>();
        let (a, b) = (keys(english), keys(other));
        assert_eq!(
            a.symmetric_difference(&b).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{lang:?}"
        );
        for (key, message) in english {
            let theirs = &other[key];
            assert_eq!(
                std::mem::discriminant(message),
                std::mem::discriminant(theirs),
                "{key}: a count in one language only"
            );
            let want = placeholders(forms(message).last().unwrap());
            for form in forms(theirs).iter().chain(&forms(message)) {
                assert_eq!(placeholders(form), want, "{key} in {lang:?}");
                assert!(!form.trim().is_empty(), "{key} in {lang:?}");
            }
        }
    }
}

/// The keys that pages make from data, by section: whatever the data can name, and no more.
fn made() -> BTreeMap<&'static str, BTreeSet<String>> {
    fn set(names: impl IntoIterator<Item = impl ToString>) -> BTreeSet<String> {
        names.into_iter().map(|name| name.to_string()).collect()
    }
    let kinds = || model::kinds::ENTITY_KINDS.iter();
    let links = set(model::kinds::LINK_KINDS.iter().map(|k| k.name));
    let records = || model::record::RECORD_KINDS.iter();
    let errors = [
        "host",
        "origin",
        "access",
        "forbidden",
        "too_many",
        "not_found",
        "no_such",
        "house",
        "form",
        "privileged",
        "asked",
        "span",
        "column",
        "bound",
        "xlsx",
        "no_case",
        "no_views",
        "views",
    ];
    let deeds = shield::order::Deed::WORDS.iter().chain(shield::order::Turn::WORDS);
    let ended = || shield::order::turn::End::ALL.iter().map(|end| end.word());
    BTreeMap::from([
        ("actor_role", set(shield::order::Role::ALL.iter().map(|role| role.word()))),
        ("deed", set(deeds)),
        ("denial", set(shield::order::turn::Denial::ALL.iter().map(|why| why.word()))),
        ("hold", set(["check", "upload", "budget", "address", "page"])),
        ("item_end", set(ended())),
        ("item_kind", set(shield::item::Kind::ALL.iter().map(|kind| kind.word()))),
        ("set_class", set(shield::sets::Class::ALL.iter().map(|class| class.word()))),
        ("item_stage", set(shield::order::Stage::ALL.iter().map(|stage| stage.word()))),
        ("lift_cause", set(shield::order::turn::Cause::ALL.iter().map(|cause| cause.word()))),
        ("live_count", set(["in_force", "held", "captured", "submitted", "suspended", "refused"])),
        ("open_end", set(ended().filter(|end| *end != "refused"))),
        ("refusal", set(shield::order::Refusal::WORDS)),
        ("scope", set(["all", "reporter", "event", "ticket", "isp"])),
        ("standing", set(shield::order::budget::Standing::ALL.iter().map(|one| one.word()))),
        ("stop_cause", set(["person", "measured", "budget"])),
        ("stop_name", set(["reporter", "event", "ticket", "isp"])),
        ("stop_new", set(["all", "reporter", "event", "ticket", "isp"])),
        ("ticket_stage", set(["in_force", "suspended", "held", "pending", "closed"])),
        (
            "transparency",
            set([
                "tickets",
                "reported",
                "released",
                "held",
                "refused",
                "lifted",
                "collateral",
                "expired",
                "objections",
                "upheld",
                "stops",
            ]),
        ),
        ("policy", set(shield::order::policy::Policy::default().list().iter().map(|of| of.0))),
        ("took", set(desk::clearing::tally::Part::ALL.map(|part| part.word()))),
        ("worry", set(shield::order::turn::Worry::ALL.iter().map(|worry| worry.word()))),
        (
            "tally",
            set([
                "reported",
                "released",
                "refused",
                "lifted",
                "collateral",
                "expired",
                "errors",
                "objections_taken",
                "objections_upheld",
                "objections_dismissed",
                "objections_overdue",
                "objections_open",
                "harm_reports",
            ]),
        ),
        ("count", set(kinds().map(|k| k.name))),
        ("error", set(errors.iter().flat_map(|e| [(*e).to_owned(), format!("{e}_title")]))),
        ("exhibit", set(["path", "item", "authorisation", "seized_by", "seized_at", "actor"])),
        ("family", set(crate::html::value::FAMILIES)),
        ("field", set(records().flat_map(|r| r.fields).map(|f| f.name).chain(["actor"]))),
        ("fault", set(desk::custody::FAULTS)),
        ("figure", set(desk::read::FIGURES)),
        ("harm", set(shield::harm::Code::words())),
        ("harm_verdict", set(shield::Verdict::ALL.map(|verdict| verdict.word()))),
        ("innocents", set(shield::harm::Method::ALL.map(|method| method.word()))),
        ("kind", set(kinds().map(|k| k.name))),
        ("kinds", set(kinds().map(|k| k.name))),
        ("link", links.clone()),
        ("link_in", links.clone()),
        ("link_out", links),
        ("meaning", set(desk::read::MEANINGS.iter().map(|m| m.as_str()))),
        ("noun", set(kinds().map(|k| k.name))),
        ("means", set(desk::account::By::ALL.map(desk::account::By::word))),
        ("op", set(desk::read::Op::all())),
        ("party_role", set(desk::parties::PartyRole::ALL.iter().map(|role| role.word()))),
        ("sector", set(desk::parties::Sector::ALL.iter().map(|sector| sector.word()))),
        ("payment_class", set(model::bulk::PAYMENT_CLASSES)),
        ("payments_n", set(model::bulk::PAYMENT_CLASSES)),
        (
            "place",
            set(crate::html::PLACES
                .iter()
                .chain(crate::html::HOUSE_PLACES)
                .map(|p| p.2)
                .chain(["search", "keys", "account"])),
        ),
        ("problem", set(model::ProblemKind::ALL)),
        ("problem_do", set(model::ProblemKind::ALL)),
        ("problem_why", set(model::ProblemKind::ALL)),
        (
            "property",
            // Sameness may be stated of any kind.
            set(kinds().flat_map(|k| k.properties).map(|p| p.name).chain(["same_as"])),
        ),
        ("proof", set(desk::custody::PROOFS)),
        ("proof_by", set(["dns", "file", "reverse"])),
        (
            "proof_found",
            set(desk::clearing::challenge::Found::ALL.iter().map(|found| found.word())),
        ),
        ("proof_unmet", set(["expired", "not_ours", "busy", "no_vantage", "not_met"])),
        ("proof_way", set(["dns", "file", "reverse"])),
        ("live_left_out", set(["name", "many", "stops"])),
        // Letters are the desk's: it writes them out of these catalogues.
        (
            "notice",
            set([
                "subject",
                "greeting",
                "blocked",
                "to_be_blocked",
                "facts",
                "ask",
                "answer",
                "object_at",
                "object",
                "who",
                "end",
            ]),
        ),
        ("record", set(records().map(|r| r.kind.replace('.', "_")))),
        ("role", set(model::TableRole::ALL.iter().map(|r| r.as_str()))),
        ("rule", set(kinds().map(|k| k.name).chain(desk::read::FIGURES))),
        ("stage", set(desk::progress::STAGES)),
        ("state", set(crate::pages::exhibits::STATES.iter().map(|s| s.1))),
    ])
}

/// What the sources say: the keys they name, and the sections whose keys they make on the spot.
fn said() -> (BTreeSet<String>, BTreeSet<String>) {
    let english = Lang::En.catalogue();
    let sections: BTreeSet<&str> = english.keys().filter_map(|k| k.split('.').next()).collect();
    let (mut named, mut composed) = (BTreeSet::new(), BTreeSet::new());
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |source| {
        for text in source.split('"') {
            let Some((section, key)) = text.split_once('.') else { continue };
            let word =
                |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if key.starts_with('{') && word(section) {
                composed.insert(section.to_owned());
            }
            let file = ["csv", "js", "css", "svg", "rs", "zip"].contains(&key);
            if sections.contains(section) && word(key) && !file {
                named.insert(text.to_owned());
            }
        }
    });
    (named, composed)
}

/// A key that is made when a page runs is in no source: each section that has such keys is held
/// against what its data can name. A section that nobody listed above fails too.
#[test]
fn every_key_made_from_data_has_its_words() {
    let english = Lang::En.catalogue();
    let (_, composed) = said();
    let made = made();
    let unlisted: Vec<_> = composed.iter().filter(|s| !made.contains_key(s.as_str())).collect();
    assert!(unlisted.is_empty(), "keys are made in {unlisted:?}, but nothing says which");
    let missing: Vec<_> = made
        .iter()
        .flat_map(|(section, names)| names.iter().map(move |name| format!("{section}.{name}")))
        .filter(|key| !english.contains_key(key))
        .collect();
    assert!(missing.is_empty(), "no words for {missing:?}");
}

/// Every `section.key` that the sources name stands in the catalogues; and what stands there is
/// named in a source, or can be made from data.
#[test]
fn what_pages_say_is_in_the_catalogues_and_nothing_else_is() {
    let english = Lang::En.catalogue();
    let (named, _) = said();
    let missing: Vec<_> = named.iter().filter(|k| !english.contains_key(*k)).collect();
    assert!(missing.is_empty(), "no words for {missing:?}");

    let made = made();
    let idle: Vec<_> = english
        .keys()
        .filter(|k| !named.contains(*k))
        .filter(|k| {
            let (section, key) = k.split_once('.').unwrap();
            !made.get(section).is_some_and(|names| names.contains(key))
        })
        .collect();
    assert!(idle.is_empty(), "said nowhere: {idle:?}");
}

fn read_all(dir: &Path, each: &mut dyn FnMut(&str)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, each);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("i18n_tests.rs") {
            each(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn french_breaks_no_line_before_its_marks_nor_do_pages_write_a_colon_of_their_own() {
    for (key, message) in Lang::Fr.catalogue() {
        for form in forms(message) {
            // Quotes are French ones, and stand off by a space that does not break.
            let wrong = [" :", " ;", " ?", " !", "« ", " »", "“", "”", "\"", "'"];
            let found = wrong.iter().find(|mark| form.contains(**mark));
            assert_eq!(found, None, "{key}: {form}");
        }
    }
    assert_eq!(Lang::Fr.t("open.look_up"), "Est-ce bloqué\u{a0}?");
    assert_eq!((Lang::Fr.colon(), Lang::It.colon()), ("\u{a0}:", ":"));
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |text| {
        assert!(!text.contains(")) \": \""), "a page writes a colon: Lang::colon knows how");
    });
}

#[test]
fn counts_take_each_languages_form() {
    assert_eq!(Lang::En.n("count.Server", 0, &[]), "0 servers");
    assert_eq!(Lang::En.n("count.Server", 1, &[]), "1 server");
    assert_eq!(Lang::Fr.n("count.Server", 0, &[]), "0 serveur");
    assert_eq!(Lang::Fr.n("count.Server", 1204, &[]), "1\u{202f}204 serveurs");
    assert_eq!(Lang::It.n("count.Reseller", 1, &[]), "1 rivenditore");
    assert_eq!(Lang::En.t("no.such"), "no.such");
    assert_eq!(fill("{a} {b} {", &[("a", "x")]), "x {b} {");
}

#[test]
fn languages_are_chosen_by_quality() {
    assert_eq!(Lang::of_header("de-DE,de;q=0.9,it;q=0.3,fr;q=0.7"), Lang::Fr);
    assert_eq!(Lang::of_header("en;q=0,it"), Lang::It);
    assert_eq!(Lang::of_header("\u{0}\u{1},,;;q=x"), Lang::En);
}
