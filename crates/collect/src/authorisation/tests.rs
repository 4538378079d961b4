use proptest::prelude::*;

use super::*;

fn allowing(hosts: &[&str]) -> Authorisation {
    Authorisation {
        hosts: hosts.iter().map(|h| h.parse().unwrap()).collect(),
        methods: BTreeSet::from([Method::Page]),
        rate: 30,
        from_ms: 1000,
        until_ms: 2000,
        most_bytes: 1 << 20,
    }
}

fn ask(of: &Authorisation, host: &str, port: u16, address: Option<&str>) -> Result<(), Refusal> {
    let host = Host::parse(host).unwrap();
    let address = address.map(|a| a.parse().unwrap());
    of.permits(&Request { methods: &[Method::Page], host: &host, port, address }, 1500)
}

#[test]
fn time_method_host_and_port_are_held() {
    let of = allowing(&["tv.example", "*.cdn.example:8080"]);
    assert_eq!(ask(&of, "tv.example", 443, Some("1.1.1.1")), Ok(()));
    assert_eq!(ask(&of, "tv.example", 8080, None), Err(Refusal::Port));
    assert_eq!(ask(&of, "a.cdn.example", 8080, None), Ok(()));
    assert_eq!(ask(&of, "cdn.example", 8080, None), Err(Refusal::Host));
    assert_eq!(ask(&of, "1.1.1.1", 80, None), Err(Refusal::Host));
    let host = Host::parse("tv.example").unwrap();
    let at =
        |methods, now| of.permits(&Request { methods, host: &host, port: 80, address: None }, now);
    assert_eq!(at(&[Method::Page], 999), Err(Refusal::NotYet));
    assert_eq!(at(&[Method::Page], 1000), Ok(()));
    assert_eq!(at(&[Method::Page], 1999), Ok(()));
    assert_eq!(at(&[Method::Page], 2000), Err(Refusal::Expired));
    assert_eq!(at(&[Method::Address], 1500), Err(Refusal::Method));
    assert_eq!(at(&[Method::Playlist, Method::Page], 1500), Ok(()));
    assert_eq!(at(&[], 1500), Err(Refusal::Method));
}

#[test]
fn a_name_that_points_inside_is_refused_whatever_it_is_called() {
    let of = allowing(&["tv.example"]);
    for inside in
        ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:192.168.0.1", "fe80::1"]
    {
        assert_eq!(ask(&of, "tv.example", 80, Some(inside)), Err(Refusal::Address), "{inside}");
    }
    let wide = allowing(&["tv.example", "96.0.0.0/8", "[2000::/16]:*"]);
    assert_eq!(ask(&wide, "tv.example", 80, Some("127.0.0.1")), Err(Refusal::Address));
    let named = allowing(&["tv.example", "127.0.0.0/8"]);
    assert_eq!(ask(&named, "tv.example", 80, Some("127.0.0.1")), Ok(()));
    assert_eq!(ask(&named, "tv.example", 80, Some("10.0.0.1")), Err(Refusal::Address));
    // The range is named for its own ports alone.
    let ports = allowing(&["tv.example:*", "127.0.0.0/8:8080"]);
    assert_eq!(ask(&ports, "tv.example", 8080, Some("127.0.0.1")), Ok(()));
    assert_eq!(ask(&ports, "tv.example", 22, Some("127.0.0.1")), Err(Refusal::Address));
}

#[test]
fn words_lead_back() {
    for refusal in Refusal::ALL {
        assert_eq!(Refusal::of(refusal.word()), Some(refusal));
    }
    for method in Method::ALL {
        assert_eq!(method.word().parse(), Ok(method));
    }
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(IpAddr::from),
        any::<[u8; 16]>().prop_map(IpAddr::from),
        any::<[u8; 4]>().prop_map(|a| IpAddr::V6(std::net::Ipv4Addr::from(a).to_ipv6_mapped())),
        Just("127.0.0.1".parse().unwrap()),
    ]
}

fn rules() -> impl Strategy<Value = Vec<HostRule>> {
    let rule = prop_oneof![
        "[ab]{1,2}(\\.[ab]){0,2}\\.example(:[1-9]|:\\*)?",
        "\\*\\.[ab]{1,2}\\.example(:[1-9])?",
        (any::<[u8; 4]>(), 8u8..=32).prop_map(|(a, n)| {
            format!("{}:*", ipnet::Ipv4Net::new(a.into(), n).unwrap().trunc())
        }),
        Just("127.0.0.0/8:*".to_owned()),
    ];
    prop::collection::vec(rule.prop_filter_map("a rule", |t| t.parse().ok()), 0..6)
}

proptest! {
    /// What is permitted was said: its time, one of its methods, its host and port by a rule, and a
    /// special address by a rule that is about that special range and nothing wider.
    #[test]
    fn nothing_is_permitted_that_was_not_said(
        hosts in rules(),
        host in prop_oneof![
            "[ab]{1,2}(\\.[ab]){0,2}\\.example".prop_map(Host::Name),
            address().prop_map(|a| Host::Address(a.to_canonical())),
        ],
        address in prop::option::of(address()),
        port in 1u16..10,
        (now, from, until) in (0i64..30, 0i64..30, 0i64..30),
        method in prop::sample::select(&Method::ALL[..]),
        allowed in prop::collection::btree_set(prop::sample::select(&Method::ALL[..]), 0..3),
    ) {
        let of = Authorisation {
            hosts, methods: allowed, rate: 1, from_ms: from, until_ms: until, most_bytes: 1,
        };
        let request = Request { methods: &[method], host: &host, port, address };
        let permitted = of.permits(&request, now).is_ok();
        let said = of.hosts.iter().any(|r| r.names(&host) && r.ports.contain(port));
        let own = match host { Host::Address(a) => Some(a), Host::Name(_) => None };
        let inside = address.into_iter().chain(own).all(|a| {
            special(a).is_none() || of.hosts.iter().any(|r| r.names_special(a, port))
        });
        let due = (from..until).contains(&now) && of.methods.contains(&method);
        prop_assert_eq!(permitted, due && said && inside);
        // Fewer rules never permit more.
        if permitted {
            for left_out in 0..of.hosts.len() {
                let mut fewer = of.clone();
                fewer.hosts.remove(left_out);
                if fewer.permits(&request, now).is_ok() {
                    prop_assert!(of.permits(&request, now).is_ok());
                }
            }
            let none = Authorisation { hosts: Vec::new(), ..of.clone() };
            prop_assert_eq!(none.permits(&request, now), Err(Refusal::Host));
        }
    }
}
