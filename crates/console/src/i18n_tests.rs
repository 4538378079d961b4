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

#[test]
fn every_kind_has_its_words() {
    let english = Lang::En.catalogue();
    let mut missing = Vec::new();
    let mut need = |key: String| {
        if !english.contains_key(&key) {
            missing.push(key);
        }
    };
    for kind in model::kinds::ENTITY_KINDS {
        for section in ["kind", "kinds", "noun", "count", "rule"] {
            need(format!("{section}.{}", kind.name));
        }
        for property in kind.properties {
            need(format!("property.{}", property.name));
        }
    }
    for link in model::kinds::LINK_KINDS {
        for section in ["link", "link_out", "link_in"] {
            need(format!("{section}.{}", link.name));
        }
    }
    for record in model::record::RECORD_KINDS {
        need(format!("record.{}", record.kind.replace('.', "_")));
        for field in record.fields {
            need(format!("field.{}", field.name));
        }
    }
    for class in ["completed", "pending", "denied", "hold", "conversion", "other"] {
        need(format!("payment_class.{class}"));
        need(format!("payments_n.{class}"));
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every `section.key` that the sources name stands in the catalogues, and every section's fixed
/// keys are named somewhere.
#[test]
fn what_pages_say_is_in_the_catalogues_and_nothing_else_is() {
    let english = Lang::En.catalogue();
    let sections: BTreeSet<&str> = english.keys().filter_map(|k| k.split('.').next()).collect();
    let mut named = BTreeSet::new();
    read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |source| {
        for text in source.split('"') {
            let Some((section, key)) = text.split_once('.') else { continue };
            let word =
                |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if sections.contains(section) && word(key) && !["js", "css", "svg", "rs"].contains(&key)
            {
                named.insert(text.to_owned());
            }
        }
    });
    let missing: Vec<_> = named.iter().filter(|k| !english.contains_key(*k)).collect();
    assert!(missing.is_empty(), "no words for {missing:?}");

    // Sections whose keys are made from data.
    const MADE: &[&str] = &[
        "count",
        "error",
        "family",
        "field",
        "figure",
        "kind",
        "kinds",
        "link",
        "link_in",
        "link_out",
        "meaning",
        "noun",
        "op",
        "payment_class",
        "payments_n",
        "place",
        "problem",
        "problem_why",
        "property",
        "record",
        "role",
        "rule",
        "stage",
        "state",
    ];
    const MADE_KEYS: &[&str] = &[
        "exhibit.path",
        "exhibit.item",
        "exhibit.authorisation",
        "exhibit.seized_by",
        "exhibit.seized_at",
        "exhibit.actor",
    ];
    let idle: Vec<_> = english
        .keys()
        .filter(|k| !named.contains(*k) && !MADE_KEYS.contains(&k.as_str()))
        .filter(|k| !k.split('.').next().is_some_and(|s| MADE.contains(&s)))
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
