use proptest::prelude::*;

use super::*;
use crate::laws;

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

/// What the parser finds: key, property, span.
fn scanned(bytes: &[u8]) -> Vec<(String, &'static str, u64, u64)> {
    let (out, _) = laws::run(&PARSER, bytes, 64 << 10);
    out.facts.iter().map(|f| (f.subject.to_string(), f.property, f.start, f.end)).collect()
}

fn utf16(text: &str, little: bool) -> Vec<u8> {
    let unit = |u: u16| if little { u.to_le_bytes() } else { u.to_be_bytes() };
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn the_same_in_every_coding() {
    let text =
        "reach caf\u{e9} http://stream.example/ or admin@mail.example, box 00:1A:79:AB:CD:EF.";
    let latin1: Vec<u8> = text.chars().map(|c| c as u8).collect();
    let keys = [
        "domain:stream.example",
        "domain:stream.example",
        "email:admin@mail.example",
        "mac:00:1a:79:ab:cd:ef",
    ];
    for (pad, tail) in [(0, 0), (1, 0), (0, 3), (2, 2), (3, 1), (64, 64)] {
        for (bytes, width) in [
            (text.as_bytes().to_vec(), 1),
            (latin1.clone(), 1),
            (utf16(text, true), 2),
            (utf16(text, false), 2),
        ] {
            let mut all = vec![0u8; pad];
            all.extend(&bytes);
            all.extend(vec![0u8; tail]);
            let found = scanned(&all);
            assert_eq!(
                found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(),
                keys,
                "{pad} {tail} {width}"
            );
            let (_, _, start, end) = found[2];
            assert_eq!(end - start, 18 * width);
            let raw: Vec<u8> =
                all[start as usize..end as usize].iter().copied().filter(|b| *b != 0).collect();
            assert_eq!(raw, b"admin@mail.example", "{pad} {tail} {width}");
        }
    }
}

/// Where a window ends changes nothing: the same text behind blanks of any length gives the same.
#[test]
fn windows_end_anywhere() {
    let line = "see http://user:pw@s.example/live/u/p/1.ts a@m.example +33 6 12 34 56 78 GB82 WEST 1234 5698 7654 32 2001:678:abc::1 00-1A-79-AB-CD-EF 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567&dn=n host x.example:80\n";
    let text = line.repeat(90);
    for bytes in [text.clone().into_bytes(), utf16(&text, true)] {
        let whole = scanned(&bytes);
        assert!(whole.len() >= 90 * 11, "{}", whole.len());
        for pad in [2usize, 122, 8190, 8192 + 46] {
            let mut moved = vec![b'\n'; pad];
            if bytes[1] == 0 {
                moved = b"\n\0".repeat(pad / 2);
            }
            moved.extend(&bytes);
            let shifted: Vec<_> = scanned(&moved)
                .into_iter()
                .map(|(k, p, a, b)| (k, p, a - pad as u64, b - pad as u64))
                .collect();
            assert!(shifted == whole, "a pad of {pad} changes what is found");
        }
    }
}

#[test]
fn a_password_in_a_url_never_shows() {
    let bytes = br#"{"a":"http:\/\/s.example:8080\/live\/user7\/hunter2\/12.ts","b":"http://u:hunter2@t.example/"}"#;
    let out = laws::hold(&PARSER, bytes);
    laws::never_shows(&out, "hunter2");
    let secrets: Vec<_> = out.facts.iter().filter(|f| f.value == model::Value::Secret).collect();
    assert_eq!(secrets.len(), 2);
    assert!(secrets.iter().all(|f| laws::raw(bytes, f) == b"hunter2"));
    assert_eq!(
        out.values("domain:s.example", "url"),
        ["http://s.example:8080/live/user7/•••/12.ts"]
    );
}

#[test]
fn private_addresses_belong_to_their_exhibit() {
    let found = scanned(b"listen on 10.1.2.3:8080 and 127.0.0.1:80 and fe80::1 there");
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|f| f.0.starts_with("ip:xabab")));
}

#[test]
fn code_is_full_of_dotted_words() {
    let code = b"if self.name.is() { state.at = obj.stream; os.path.join(a.zip) } // see doc.store 1.3.6.1 2.5.4.3";
    let mut source = &code[..];
    let mut out = crate::Collect::default();
    let input = crate::Input { exhibit: ExhibitId([1; 32]), name: "src/main.rs", mapping: None };
    (PARSER.parse)(&input, &mut crate::Chunks::new(&mut source), &mut out);
    assert_eq!(out.facts, []);
    let text = b"upstream: panel.stream; http://a.live/ and b.live:8080 and iptv.pl and c.com";
    let keys: Vec<_> =
        scanned(text).into_iter().filter(|f| f.1 == "as_written").map(|f| f.0).collect();
    assert_eq!(
        keys,
        ["domain:panel.stream", "domain:a.live", "domain:b.live", "domain:iptv.pl", "domain:c.com"]
    );
}

/// Pieces that indicators are made of, and what stands between them.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "http://",
        "s.example",
        "a@m.example",
        "198.18.4.7",
        ":",
        ".",
        "@",
        "/",
        "-",
        "+33612345678",
        " ",
        "\n",
        "00:1A:79:AB:CD:EF",
        "%3A",
        "GB82WEST12345698765432",
        "GB82 WEST 1234 5698 7654 32",
        "@handle_x",
        "t.me/",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "2001:678:abc::1",
        "\u{e9}",
        "\u{4e2d}",
        "\0",
        "\\n",
        "x",
        "7",
        "urn:btih:0123456789abcdef0123456789abcdef01234567",
        "magnet:?xt=",
        "&dn=a.b",
        "user:pass@",
        "[",
        "]",
        "(",
        ")",
        "..",
        "www.",
    ]);
    prop::collection::vec((pieces, 0u8..8, any::<u8>()), 0..60).prop_map(|parts| {
        let mut out = Vec::new();
        for (piece, how, byte) in parts {
            match how {
                0 => out.extend(utf16(piece, true)),
                1 => out.extend(utf16(piece, false)),
                2 => out.push(byte),
                _ => out.extend(piece.as_bytes()),
            }
        }
        out
    })
}

proptest! {
    #[test]
    fn the_laws_hold_on_soup(bytes in soup(), seed: u64) {
        laws::hold(&PARSER, &bytes);
        laws::hold(&PARSER, &laws::damaged(&bytes, seed));
    }

    /// What sort of file it is shows in its head and decides how many signs a name needs: both
    /// heads here say so in their first bytes.
    #[test]
    fn a_prefix_never_invents(bytes in soup(), text: bool, cut: prop::sample::Index) {
        let mut all = if text { b"WARC/1.0 ".to_vec() } else { b"\x7fELF\0\0".to_vec() };
        let head = all.len();
        all.extend(bytes);
        laws::prefix(&PARSER, &all, head + cut.index(all.len() + 1 - head), 96);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        laws::hold(&PARSER, &bytes);
    }

    /// Mentions come in order, apart, and say what stands at their span.
    #[test]
    fn mentions_are_apart(bytes in soup()) {
        let mut last = 1000;
        mentions(&bytes, 1000, &mut |_, range, written| {
            assert!(range.start >= last && range.end > range.start);
            last = range.end;
            let raw = &bytes[range.start as usize - 1000..range.end as usize - 1000];
            assert_eq!(written, &*text::decode(raw, Coding::Narrow));
        });
        prop_assert!(last <= 1000 + bytes.len() as u64);
    }
}
