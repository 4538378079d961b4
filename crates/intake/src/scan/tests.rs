use super::*;

fn found(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    mentions(text.as_bytes(), 0, &mut |key, range, written| {
        assert_eq!(&text[range.start as usize..range.end as usize], written);
        out.push(format!("{key} <{written}>"));
    });
    out
}

fn keys(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    mentions(text.as_bytes(), 0, &mut |key, _, _| out.push(key.to_string()));
    out
}

#[test]
fn each_kind_in_a_sentence() {
    for (text, expected) in [
        ("see http://stream.example:8080/live/u/p/1.ts now", "domain:stream.example"),
        ("see https://[3fff::1]/x", "ip:3fff::1"),
        ("at stream.example, and", "domain:stream.example"),
        ("at 198.18.4.7:8080.", "ip:198.18.4.7"),
        ("range 198.18.0.0/15", "ip:198.18.0.0"),
        ("mail A.B@Mail.Example.", "email:a.b@mail.example"),
        ("call +33 6 12 34 56 78 today", "phone:+33612345678"),
        ("call +33612345678 198", "phone:+33612345678"),
        ("box 00:1A:79:ab:cd:ef", "mac:00:1a:79:ab:cd:ef"),
        ("box 00-1A-79-AB-CD-EF.", "mac:00:1a:79:ab:cd:ef"),
        ("mac=00%3A1A%3A79%3AAB%3ACD%3AEF;", "mac:00:1a:79:ab:cd:ef"),
        ("001a.79ab.cdef", "mac:00:1a:79:ab:cd:ef"),
        ("pay GB82 WEST 1234 5698 7654 32 now", "iban:GB82WEST12345698765432"),
        ("pay GB82WEST12345698765432", "iban:GB82WEST12345698765432"),
        ("btc 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet:btc:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed.",
            "wallet:eth:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        ),
        ("write @the_seller", "messaging:telegram:@the_seller"),
        ("insta: @the_seller", "messaging:instagram:@the_seller"),
        ("t.me/The_Seller", "messaging:telegram:@the_seller"),
        ("https://t.me/+AbCdEfGhIjKlMnOp", "group:telegram:+AbCdEfGhIjKlMnOp"),
        ("wa.me/33612345678", "messaging:whatsapp:+33612345678"),
        (
            "magnet:?xt=urn:btih:0123456789abcdef0123456789ABCDEF01234567&dn=x",
            "swarm:0123456789abcdef0123456789abcdef01234567",
        ),
        ("ip 2001:678:abc::1", "ip:2001:678:abc::1"),
        ("{\"u\":\"http:\\/\\/stream.example\\/c\\/\"}", "domain:stream.example"),
    ] {
        assert_eq!(keys(text), [expected], "{text}");
    }
}

#[test]
fn what_only_looks_like_one() {
    for text in [
        "config.php README.md libfoo.so main.rs archive.zip",
        "version 1.2.3.4",
        "v1.2.3.4",
        "Chrome/120.0.6099.71",
        "1.2.3.4.5",
        "10.0.0.0.1",
        "4.0.0.0",
        "256.1.1.1",
        "01.2.3.4",
        "10:00:00",
        "std::string a::b dead::beef",
        "this.name object.id os.path.join",
        "a@b",
        "foo@2x.png",
        "1+1=2",
        "+1234",
        "2024-01-01T00:00:00+0100",
        "00:00:00:00:00:00",
        "ab:cd:ef:01:23:45:67:89",
        "GB82WEST12345698765433",
        "@media @import",
        "done.It was",
        "/usr/share/doc/site.com",
        "127.0.0.1 and 10.1.2.3",
    ] {
        assert_eq!(keys(text), [] as [String; 0], "{text}");
    }
}

#[test]
fn one_place_is_one_mention() {
    assert_eq!(keys("a@mail.example"), ["email:a@mail.example"]);
    assert_eq!(
        found("http://user:pass@a.example/x.test/?m=b@c.example&u=http://d.example/"),
        [
            "domain:a.example <a.example>",
            "email:b@c.example <b@c.example>",
            "domain:d.example <d.example>"
        ]
    );
    assert_eq!(keys("john.smith@mail.example"), ["email:john.smith@mail.example"]);
}
