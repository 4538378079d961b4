use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::suffixes::Suffixes;

fn text(class: &str, matches: &str, members: &str) -> String {
    format!(
        "vigie-set 1\nname: s\nclass: {class}\nsource: a test\ndate: 2026-09-01\nmatch: {matches}\n\n{members}"
    )
}

fn set(class: &str, matches: &str, members: &str) -> Set {
    text::read(&text(class, matches, members), &Suffixes::default()).expect("a set")
}

fn holds(set: &Set, name: &str) -> bool {
    let suffixes = Suffixes::default();
    set.holds_name(&Candidates::new(name, &suffixes)).is_some()
}

#[test]
fn names_reach_as_far_as_the_set_says() {
    let members = "bank.co.uk # a bank\n.tv.example.com\nddns.net\n";
    let (exact, subtree, domain) = (
        set("bank", "exact", members),
        set("bank", "subtree", members),
        set("bank", "registrable", members),
    );
    for (name, in_exact, in_subtree, in_domain) in [
        ("bank.co.uk", true, true, true),
        ("www.bank.co.uk", false, true, true),
        ("xbank.co.uk", false, false, false),
        ("co.uk", false, false, false),
        ("tv.example.com", true, true, true),
        ("a.tv.example.com", false, true, true),
        ("example.com", false, false, true),
        ("ddns.net", true, true, true),
        // Another's name under a suffix that strangers register under.
        ("x.ddns.net", false, false, false),
    ] {
        assert_eq!(holds(&exact, name), in_exact, "exact {name}");
        assert_eq!(holds(&subtree, name), in_subtree, "subtree {name}");
        assert_eq!(holds(&domain, name), in_domain, "registrable {name}");
    }
    assert!(holds(&set("resolver", "exact", "1.dsl.as18190\n"), "1.dsl.as18190"));
    assert_eq!(exact.entries, 3);
    assert_eq!(exact.cited(), "s (a test, 2026-09-01)");
}

#[test]
fn addresses_systems_and_pairs() {
    let cdn = set("cdn", "exact", "188.114.96.0/20\n188.114.112.1\n2a06:98c0::/29\nAS13335\n");
    let in_cdn = |ip: &str| cdn.holds_address(ip.parse().expect("an address"));
    assert!(in_cdn("188.114.96.0").is_some() && in_cdn("188.114.111.255").is_some());
    assert!(in_cdn("188.114.112.0").is_none() && in_cdn("188.114.112.1").is_some());
    assert!(in_cdn("2a06:98c7:ffff::1").is_some() && in_cdn("2a06:98c8::").is_none());
    assert_eq!((cdn.system(13335), cdn.system(13336)), (Some(Class::Cdn), None));
    let types = set("as_type", "exact", "AS64500 hosting\nAS64501 cloud\n");
    assert_eq!(types.system(64501), Some(Class::Cloud));
    let twice = set("as_type", "exact", "AS64500 shared\nAS64500 health\nAS64500 shared\n");
    assert_eq!(twice.system(64500), Some(Class::Health));
    let seen = set(
        "seen",
        "exact",
        "8.8.4.4 B.example\n8.8.4.4 a.example\n8.8.4.4 a.example\n8.8.4.5 c.example\n",
    );
    let on = |ip: &str| seen.seen_on(ip.parse().expect("an address")).len();
    assert_eq!((on("8.8.4.4"), on("8.8.4.5"), on("8.8.4.6")), (2, 1, 0));
    let alias = set("alias", "exact", "www.shop.example cdn.stream.example\n");
    assert_eq!(&*alias.aliases_of("cdn.stream.example")[0].1, "www.shop.example");
}

#[test]
fn a_bad_set_is_refused_with_its_line() {
    let suffixes = Suffixes::default();
    let error = |text: &str| text::read(text, &suffixes).expect_err("refused").to_string();
    assert!(error("hello\n").starts_with("line 1: expected `vigie-set 1`"));
    assert!(error("vigie-set 1\nname: a b\n").starts_with("line 2: expected `name"));
    assert!(
        error(&text("bonk", "exact", ""))
            .starts_with("line 3: expected `class: …`, one of popular")
    );
    assert!(
        error(&text("bank", "exact", "").replace("2026-09-01", "yesterday")).starts_with("line 5")
    );
    assert!(error(&text("bank", "all", "")).starts_with("line 6"));
    assert!(error(&text("bank", "exact", "").replace("\n\n", "\nx\n\n")).starts_with("line 7"));
    for (class, member) in [
        ("bank", "Bank.example"),
        ("bank", "a..b"),
        ("bank", "1.2.3"),
        ("bank", "1.2.3.4/33"),
        ("bank", "1.2.3.4/x"),
        ("bank", "ASx"),
        ("bank", "a b"),
        ("seen", "8.8.4.4"),
        ("seen", "8.8.4.x a.example"),
        ("seen", "8.8.4.4 *.example"),
        ("alias", "a.example"),
        ("as_type", "AS1 bank"),
        ("as_type", "1 cdn"),
    ] {
        let said = error(&text(class, "exact", &format!("# comment\n\n{member}\n")));
        assert!(said.starts_with("line 10: ") && said.contains(member), "{said}");
    }
}

#[test]
fn a_long_list_of_popular_names_means_nothing_and_is_shown() {
    let mut members = String::new();
    (0..=POPULAR_MAX).for_each(|n| members.push_str(&format!("n{n}.com\n")));
    let long = set("popular", "registrable", &members);
    assert_eq!((long.entries, long.effect()), (POPULAR_MAX + 1, Effect::Show));
    let short = set("popular", "registrable", &members.replacen("n0.com\n", "", 1));
    assert_eq!((short.entries, short.effect()), (POPULAR_MAX, Effect::TwoPersons));
}

#[test]
fn no_set_takes_the_place_of_another() {
    let sets =
        Sets::new([set("bank", "exact", "a.example\n"), set("bank", "exact", "b.example\n")]);
    let held = |name: &str| sets.iter().any(|set| holds(set, name));
    assert!(held("a.example") && held("b.example"));
    assert!(sets.has(Class::Bank) && !sets.has(Class::Health));
}

#[test]
fn comments_are_no_members() {
    let mut members = "www.bbc.co.uk\n".to_owned();
    (1..POPULAR_MAX).for_each(|n| members.push_str(&format!("n{n}.com\n")));
    members.push_str("# a comment\n\n");
    let set = set("popular", "registrable", &members);
    assert_eq!((set.entries, set.effect()), (POPULAR_MAX, Effect::TwoPersons));
    assert!(holds(&set, "news.bbc.co.uk"));
}

#[test]
fn a_head_reads_back() {
    let head = Head {
        name: "x-1".to_owned(),
        class: Class::Health,
        source: "the ministry's register".to_owned(),
        date: jiff::civil::date(2026, 9, 1),
        matches: Match::Subtree,
    };
    let read = text::read(&text::head(&head), &Suffixes::default()).expect("a set");
    assert_eq!((read.head, read.entries), (head, 0));
}

proptest! {
    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else(
        inside in prop::collection::btree_set("[a-d]{1,3}\\.[a-d]{1,2}", 0..60),
        asked in prop::collection::vec("[a-d]{1,3}\\.[a-d]{1,2}", 0..60),
    ) {
        let set = set("bank", "exact", &inside.iter().map(|n| format!("{n}\n")).collect::<String>());
        for name in inside.iter().chain(&asked) {
            prop_assert_eq!(holds(&set, name), inside.contains(name), "{}", name);
        }
    }

    #[test]
    fn ranges_hold_what_their_networks_hold(
        networks in prop::collection::vec((any::<u8>(), any::<u8>(), 8_u32..=32), 0..20),
        asked in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 0..60),
    ) {
        let members: String =
            networks.iter().map(|(a, b, prefix)| format!("10.{a}.{b}.0/{prefix}\n")).collect();
        let set = set("cdn", "exact", &members);
        for (a, b, c) in asked {
            let ip = u32::from_be_bytes([10, a, b, c]);
            let inside = networks.iter().any(|(x, y, prefix)| {
                let mask = u32::MAX << (32 - prefix);
                ip & mask == u32::from_be_bytes([10, *x, *y, 0]) & mask
            });
            let found = set.holds_address(std::net::Ipv4Addr::from(ip).into());
            prop_assert_eq!(found.is_some(), inside);
        }
    }

    #[test]
    fn no_text_panics(text in "(vigie-set 1\nname: s\nclass: (bank|seen|alias|as_type)\nsource: x\ndate: 2026-09-01\nmatch: (exact|subtree|registrable)\n\n)?[ -~\n]{0,200}") {
        let _ = text::read(&text, &Suffixes::default());
    }
}

#[test]
fn names_that_grow_stay() {
    let mut names = Names::default();
    let all: BTreeSet<String> = (0..1000).map(|n| format!("n{n}.example")).collect();
    all.iter().for_each(|name| names.insert(name));
    all.iter().for_each(|name| names.insert(name));
    assert!(all.iter().all(|name| names.contains(&Hashed::new(name))));
    assert!(
        !names.contains(&Hashed::new("n1000.example"))
            && !names.contains(&Hashed::new("1.example"))
    );
}
