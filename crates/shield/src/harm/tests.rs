use proptest::prelude::*;

use super::*;
use crate::sets::{Class, text};

const SETS: &[(&str, &str, &str, &str)] = &[
    ("top", "popular", "registrable", "google.com\nbbc.co.uk\ngithub.io\nbucher.com\n"),
    ("banks", "bank", "registrable", "bank.example.com\n"),
    ("cdns", "cdn", "exact", "188.114.96.0/20\n"),
    ("resolvers", "resolver", "exact", "9.9.9.9\n"),
    ("types", "as_type", "exact", "AS64500 cloud\n"),
    ("seen", "seen", "exact", "93.184.216.34 shop.com\n93.184.216.34 club.org\n"),
    ("alias", "alias", "exact", "www.shop.com stream.com\nwww.stream.com stream.com\n"),
    ("own", "exception", "subtree", "kept.org\n5.6.0.0/16\nAS64501\n"),
];

fn sets() -> Sets {
    let suffixes = Suffixes::default();
    Sets::new(SETS.iter().map(|(name, class, matches, members)| {
        let text = format!(
            "vigie-set 1\nname: {name}\nclass: {class}\nsource: a test\ndate: 2026-09-01\nmatch: \
             {matches}\n\n{members}"
        );
        text::read(&text, &suffixes).expect("a set")
    }))
}

/// No more than that something popular is known.
fn one_popular() -> Sets {
    let set = "vigie-set 1\nname: top\nclass: popular\nsource: a test\ndate: 2026-09-01\nmatch: exact\n\n";
    Sets::new([text::read(set, &Suffixes::default()).expect("a set")])
}

#[test]
fn without_a_list_of_popular_names_nothing_is_allowed() {
    let (bare, suffixes, some) = (Sets::default(), Suffixes::default(), one_popular());
    let check = Check { sets: &bare, suffixes: &suffixes, places: None, practice: false };
    told(&check, "tv.org", TwoPersons, &["not_loaded"]);
    told(&Check { sets: &some, ..check }, "tv.org", Allow, &[]);
}

fn with(practice: bool, ask: impl FnOnce(&Check<'_>)) {
    let (sets, suffixes) = (sets(), Suffixes::default());
    let mut builder = model::asn::Builder::default();
    let rows = "198.18.0.0,198.18.0.255,64500,CLOUD\n5.7.0.0,5.7.0.255,64501,KEPT\n\
                93.184.0.0,93.184.255.255,64502,EDGE\n";
    builder.csv(model::asn::Rows::Asn, rows).expect("rows");
    let table = builder.finish().expect("a table");
    let base = Some(model::asn::Table::read(&table).expect("a table"));
    let places = Tables { overlay: None, base };
    ask(&Check { sets: &sets, suffixes: &suffixes, places: Some(&places), practice });
}

/// Of an item the verdict and the codes of its reasons, the gravest first.
fn check(text: &str, verdict: Verdict, codes: &[&str]) {
    with(false, |check| told(check, text, verdict, codes));
}

fn told(check: &Check<'_>, text: &str, verdict: Verdict, codes: &[&str]) {
    let (_, finding) = check.text(text);
    let found: Vec<_> = finding.reasons.iter().map(|reason| reason.code.word()).collect();
    assert_eq!((finding.verdict, found.as_slice()), (verdict, codes), "{text}");
}

use Verdict::{Allow, Refuse, TwoPersons};

#[test]
fn a_name_under_no_reason_is_allowed_however_it_is_worded() {
    for name in ["stream.com", "iptv.bank-holiday.com", "xk7q2.xyz", "netflix.best-iptv.shop"] {
        with(false, |check| {
            let (_, finding) = check.text(name);
            let codes: Vec<_> = finding.reasons.iter().map(|r| r.code.word()).collect();
            let aliases = if name == "stream.com" { vec!["alias_target"] } else { vec![] };
            assert_eq!(codes, aliases, "{name}");
            assert_eq!(finding.innocents.at_most, None, "{name}");
        });
    }
    check("x.github.io", Allow, &[]);
    check("a.ddns.net", Allow, &[]);
}

#[test]
fn names_that_are_somebody_elses_are_held_or_refused() {
    check("drive.usercontent.google.com", TwoPersons, &["popular"]);
    check("www.bbc.co.uk", TwoPersons, &["popular"]);
    check("online.bank.example.com", Refuse, &["bank"]);
    check("co.uk", Refuse, &["public_suffix"]);
    check("github.io", Refuse, &["private_suffix", "popular"]);
    check("www.nhs.uk", Refuse, &["government_suffix"]);
    check("a.kept.org", Refuse, &["exception"]);
    check("stream.nosuchtld", TwoPersons, &["unknown_suffix"]);
    check("stream.test", Refuse, &["reserved_name"]);
    check("stream.onion", Refuse, &["reserved_name"]);
    check("stream.com", TwoPersons, &["alias_target"]);
    check("*.stream.com", Refuse, &["wildcard"]);
}

#[test]
fn look_alikes_are_held_and_international_names_are_not() {
    check("gооgle.com", TwoPersons, &["look_alike", "mixed_scripts"]);
    check("bücher.com", TwoPersons, &["look_alike"]);
    check("müller-tv.com", Allow, &[]);
    check("сайт.рф", Allow, &[]);
    check("xn--80aswg.xn--p1ai", Allow, &[]);
    check("a.xn--80aswg.com", Allow, &[]);
    check("xn--a.com", TwoPersons, &["undecodable"]);
}

#[test]
fn an_address_is_never_allowed() {
    check("93.184.216.34", TwoPersons, &["address", "names_seen"]);
    check("93.184.216.35:8080", TwoPersons, &["address", "innocents_unknown"]);
    check("[2606:2800::1]:443", TwoPersons, &["address", "innocents_unknown"]);
    check("188.114.97.7", Refuse, &["cdn", "address", "innocents_unknown"]);
    check("9.9.9.9:53", Refuse, &["resolver", "address", "innocents_unknown"]);
    check("5.6.7.8", Refuse, &["exception", "address", "innocents_unknown"]);
    check("5.7.0.8", Refuse, &["exception", "address", "innocents_unknown"]);
    check("::ffff:188.114.97.7", Refuse, &["mapped", "address", "innocents_unknown"]);
    check("192.168.1.1", Refuse, &["private", "address", "innocents_unknown"]);
    check("64:ff9b::102:304", Refuse, &["nat64", "address", "innocents_unknown"]);
    check("2002:102:304::1", Refuse, &["six_to_four", "address", "innocents_unknown"]);
    check("203.0.113.9", Refuse, &["documentation", "address", "innocents_unknown"]);
    check("[2001:db8::1]:443", Refuse, &["documentation", "address", "innocents_unknown"]);
    check("0.0.0.0:80", Refuse, &["unspecified", "address", "innocents_unknown"]);
    check("188.114.96.0/20", Refuse, &["cidr"]);
}

#[test]
fn practice_opens_its_own_ranges_and_nothing_else() {
    with(true, |check| {
        told(check, "stream.test", Allow, &[]);
        told(check, "stream.example", Allow, &[]);
        told(check, "stream.local", Refuse, &["reserved_name"]);
        told(check, "198.18.0.7", Refuse, &["cloud", "address", "innocents_unknown"]);
        told(check, "192.0.2.7", TwoPersons, &["address", "innocents_unknown"]);
        told(check, "127.0.0.1", Refuse, &["loopback", "address", "innocents_unknown"]);
        told(check, "www.google.com", TwoPersons, &["popular"]);
    });
}

#[test]
fn what_is_known_of_one_item_counts() {
    with(false, |check| {
        let of = |text: &str, known: Known<'_>| {
            let item = Item::parse(text).expect("an item");
            let finding = check.item(&item, known);
            let codes: Vec<_> = finding.reasons.iter().map(|r| r.code.word()).collect();
            (finding.verdict, codes, finding.innocents)
        };
        let name = |text: &str| Name::parse(text).expect("a name");
        let others = [name("a.org"), name("b.org")];
        let (verdict, codes, innocents) =
            of("8.8.4.1", Known { names: Some(&others), ..Known::default() });
        assert_eq!((verdict, codes), (TwoPersons, vec!["address", "names_seen"]));
        assert_eq!((innocents.at_least, innocents.method), (2, Method::NamesSeen));
        // Who looked and saw nobody has not shown that nobody is there.
        let (verdict, codes, innocents) =
            of("8.8.4.1", Known { names: Some(&[]), ..Known::default() });
        assert_eq!((verdict, codes), (TwoPersons, vec!["address", "innocents_unknown"]));
        assert_eq!((innocents.at_most, innocents.method), (None, Method::NamesSeen));
        let (verdict, codes, innocents) = of(
            "tv.org",
            Known { aliases: &[name("shop.net"), name("www.tv.org")], ..Known::default() },
        );
        assert_eq!((verdict, codes, innocents.at_least), (TwoPersons, vec!["alias_target"], 1));
        let many: Vec<Name> = (0..13).map(|n| name(&format!("n{n}.shop{n}.net"))).collect();
        let (_, codes, innocents) = of("tv.org", Known { aliases: &many, ..Known::default() });
        assert_eq!(
            (codes.len(), codes.last(), innocents.at_least),
            (11, Some(&"more_aliases"), 13)
        );
        let (verdict, codes, _) = of("tv.org", Known { faults: 1, ..Known::default() });
        assert_eq!((verdict, codes), (TwoPersons, vec!["lifted"]));
    });
}

#[test]
fn every_code_has_one_word() {
    let words = Code::words();
    let once: std::collections::BTreeSet<_> = words.iter().collect();
    assert_eq!(once.len(), words.len());
}

#[test]
fn what_is_not_loaded_is_told() {
    with(false, |check| {
        let missing = check.sets.missing();
        assert!(missing.contains(&Class::Health) && missing.contains(&Class::Emergency));
        assert!(!missing.contains(&Class::Bank) && !missing.contains(&Class::Seen));
    });
    // Nor is it silent of names on addresses and of aliases, where nobody gave any.
    let missing = Sets::default().missing();
    assert!(missing.contains(&Class::Seen) && missing.contains(&Class::Alias), "{missing:?}");
}

proptest! {
    /// Random letters in the registrable label and below change no verdict.
    #[test]
    fn wording_does_not_count(below in "[a-z0-9]{1,12}(\\.[a-z0-9]{1,12}){0,2}", label in "[a-z]{4,20}q9") {
        with(false, |check| {
            let (_, finding) = check.text(&format!("{below}.{label}.com"));
            assert_eq!(finding.verdict, Allow);
            let (_, finding) = check.text(&format!("{below}.google.com"));
            assert_eq!(finding.verdict, TwoPersons);
        });
    }

    /// More knowledge never makes a verdict milder.
    #[test]
    fn knowledge_only_adds(text in "(([a-z]{1,5}\\.){1,3}(com|co\\.uk|test|github\\.io))|[0-9]{1,3}\\.[0-9]{1,3}\\.7\\.7") {
        with(false, |check| {
            let bare = one_popular();
            let less = Check { sets: &bare, ..*check };
            assert!(less.text(&text).1.verdict <= check.text(&text).1.verdict);
        });
    }

    #[test]
    fn no_address_is_ever_allowed(v4: [u8; 4], v6: [u8; 16], port in 1..=u16::MAX, practice: bool) {
        with(practice, |check| {
            for ip in [IpAddr::from(v4), IpAddr::from(v6)] {
                for item in [Item::Address(ip), Item::Endpoint((ip, port).into())] {
                    let finding = check.item(&item, Known::default());
                    assert!(finding.verdict > Allow && finding.innocents.at_most.is_none());
                }
            }
        });
    }
}
