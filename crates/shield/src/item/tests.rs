use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

fn good(text: &str, kind: Kind, normal: &str) {
    let item = Item::parse(text).unwrap_or_else(|bad| panic!("{text:?}: {bad}"));
    assert_eq!((item.kind(), item.to_string().as_str()), (kind, normal), "{text:?}");
    assert_eq!(Item::parse(normal), Ok(item), "{text:?}: its normal form is itself");
}

fn bad(text: &str, want: Bad) {
    assert_eq!(Item::parse(text), Err(want), "{text:?}");
}

#[test]
fn what_people_paste_is_read() {
    good("Stream.Example.", Kind::Fqdn, "stream.example");
    good("  stream.example\n", Kind::Fqdn, "stream.example");
    good("https://u:p@Stream.example:8080/live/1.m3u8?x=1#y", Kind::Fqdn, "stream.example");
    good("rtmp://stream.example/app", Kind::Fqdn, "stream.example");
    good("http://stream.example:", Kind::Fqdn, "stream.example");
    good("hxxps://stream[.]example/x", Kind::Fqdn, "stream.example");
    good("http[:]//stream[.]example", Kind::Fqdn, "stream.example");
    good("//stream.example/x", Kind::Fqdn, "stream.example");
    good("stream.example/?x=http://other.example", Kind::Fqdn, "stream.example");
    good("http://stream.example/r?u=https://other.example", Kind::Fqdn, "stream.example");
    good("stream.example:80/r#http://other.example", Kind::Fqdn, "stream.example");
    good("stream.example。", Kind::Fqdn, "stream.example");
    good("stream.example:8080", Kind::Fqdn, "stream.example");
    good("stream.example/live", Kind::Fqdn, "stream.example");
    good("bücher.example", Kind::Fqdn, "xn--bcher-kva.example");
    good("сайт.рф", Kind::Fqdn, "xn--80aswg.xn--p1ai");
    good("例え。テスト", Kind::Fqdn, "xn--r8jz45g.xn--zckzah");
    good("188.114.97.7", Kind::Ipv4, "188.114.97.7");
    good("2A00:1450:4009::200E", Kind::Ipv6, "2a00:1450:4009::200e");
    good("[2a00:1450:4009::200e]", Kind::Ipv6, "2a00:1450:4009::200e");
    good("188.114.97.7:8080", Kind::IpPort, "188.114.97.7:8080");
    good("[2a00:1450:4009::200e]:443", Kind::IpPort, "[2a00:1450:4009::200e]:443");
    // What has no Unicode form still exists.
    good("xn--a.example", Kind::Fqdn, "xn--a.example");
}

#[test]
fn what_is_no_item_has_a_name() {
    bad(" ", Bad::Empty);
    bad(".", Bad::Empty);
    bad("http://", Bad::Empty);
    bad(&"a".repeat(MAX_TEXT + 1), Bad::TextTooLong);
    bad("a b.example", Bad::Character(' '));
    bad("a\u{0}b.example", Bad::Character('\0'));
    bad("a,b.example", Bad::Character(','));
    bad("a..example", Bad::EmptyLabel);
    bad("a.example..", Bad::EmptyLabel);
    bad("a.example。.", Bad::EmptyLabel);
    bad("fe80::1%eth0", Bad::Character('%'));
    bad("?://a.example", Bad::Empty);
    bad(".a.example", Bad::EmptyLabel);
    bad(&format!("{}.example", "a".repeat(64)), Bad::LabelTooLong);
    bad("-a.example", Bad::Hyphen);
    bad("localhost", Bad::SingleLabel);
    bad("_dmarc.stream.example", Bad::Underscore);
    bad("*.stream.example", Bad::Wildcard);
    bad("https://*.stream.example/", Bad::Wildcard);
    bad("1.2.3", Bad::AddressAsName);
    bad("010.0.0.1", Bad::AddressAsName);
    bad("0x7f.1", Bad::AddressAsName);
    bad("stream.0x1f", Bad::AddressAsName);
    bad("2130706433", Bad::AddressAsName);
    bad("http://0x7f000001/", Bad::AddressAsName);
    bad("198.18.0.0/15", Bad::Cidr);
    bad("2001:db8::/32", Bad::Cidr);
    bad("188.114.97.7/32", Bad::Cidr);
    bad("188.114.97.7/live", Bad::AddressInUrl);
    bad("http://188.114.97.7/live", Bad::AddressInUrl);
    bad("http://[2a00::1]:80/live", Bad::AddressInUrl);
    bad("188.114.97.7:0", Bad::Port);
    bad("188.114.97.7:99999", Bad::Port);
    bad("188.114.97.7:80/live", Bad::AddressInUrl);
    bad("[2a00::1]:", Bad::Port);
    bad("[nonsense]", Bad::Character('['));
    bad("stream.example:99999", Bad::Port);
    bad("http://stream.example:x/", Bad::Port);
    bad("\u{fdfa}\u{2260}.example", Bad::NoAscii);
}

#[test]
fn a_name_leaves_room_for_the_zone_it_stands_in() {
    let longest = 255 - LONGEST_ORIGIN - 1;
    let tail = ".example";
    let name = |length: usize| {
        let mut name = String::new();
        while name.len() + 64 + tail.len() <= length {
            name.push_str(&"a".repeat(63));
            name.push('.');
        }
        let rest = length - tail.len() - name.len();
        name.push_str(&"b".repeat(rest));
        name + tail
    };
    assert_eq!(name(longest).len(), longest);
    assert!(Item::parse(&name(longest)).is_ok());
    bad(&name(longest + 1), Bad::TooLong);
}

#[test]
fn special_addresses_are_told_apart() {
    for (text, want) in [
        ("0.0.0.0", Some(Special::Unspecified)),
        ("127.0.0.1", Some(Special::Loopback)),
        ("10.1.2.3", Some(Special::Private)),
        ("172.31.0.1", Some(Special::Private)),
        ("172.32.0.1", None),
        ("192.168.1.1", Some(Special::Private)),
        ("100.64.0.1", Some(Special::CarrierNat)),
        ("100.128.0.1", None),
        ("169.254.1.1", Some(Special::LinkLocal)),
        ("192.0.2.1", Some(Special::Documentation)),
        ("198.51.100.1", Some(Special::Documentation)),
        ("203.0.113.1", Some(Special::Documentation)),
        ("198.19.255.255", Some(Special::Benchmark)),
        ("198.20.0.0", None),
        ("192.88.99.1", Some(Special::SixToFour)),
        ("224.0.0.1", Some(Special::Multicast)),
        ("255.255.255.255", Some(Special::Reserved)),
        ("188.114.97.7", None),
        ("::", Some(Special::Unspecified)),
        ("::1", Some(Special::Loopback)),
        ("::ffff:188.114.97.7", Some(Special::Mapped)),
        ("::188.114.97.7", Some(Special::Reserved)),
        ("64:ff9b::1.2.3.4", Some(Special::Nat64)),
        ("64:ff9b:1:2::1", Some(Special::Nat64)),
        ("2002:102:304::1", Some(Special::SixToFour)),
        ("2001:db8::1", Some(Special::Documentation)),
        ("3fff:fff::1", Some(Special::Documentation)),
        ("2001:2::1", Some(Special::Benchmark)),
        ("2001::1", Some(Special::Teredo)),
        ("2001:20::1", Some(Special::Reserved)),
        ("2001:200::1", None),
        ("fd00::1", Some(Special::Private)),
        ("fe80::1", Some(Special::LinkLocal)),
        ("ff02::1", Some(Special::Multicast)),
        ("4000::1", Some(Special::Reserved)),
        ("2a00:1450::1", None),
    ] {
        let ip: IpAddr = text.parse().expect("an address");
        assert_eq!(special(ip), want, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_what_is_read_reads_again(text in "\\PC{0,80}") {
        if let Ok(item) = Item::parse(&text) {
            prop_assert_eq!(Item::parse(&item.to_string()), Ok(item));
        }
    }

    #[test]
    fn texts_like_items_read_again(text in "(hxxps?://)?[a-zA-Z0-9_*.:/@\\[\\]-]{0,60}(\\.example)?") {
        if let Ok(item) = Item::parse(&text) {
            prop_assert_eq!(Item::parse(&item.to_string()), Ok(item));
        }
    }

    #[test]
    fn addresses_read_as_they_are_written(v4: [u8; 4], v6: [u16; 8], port in 1..=u16::MAX) {
        for ip in [IpAddr::from(v4), IpAddr::from(v6)] {
            prop_assert_eq!(Item::parse(&ip.to_string()), Ok(Item::Address(ip)));
            let endpoint = SocketAddr::new(ip, port);
            prop_assert_eq!(Item::parse(&endpoint.to_string()), Ok(Item::Endpoint(endpoint)));
        }
    }
}
