use proptest::prelude::*;

use super::*;
use crate::laws;

const GUIDE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE tv SYSTEM \"xmltv.dtd\">\n\
<tv generator-info-name=\"x\" source-info-url=\"http://epg.example/get.php?username=u&amp;password=geheim\">\n\
  <!-- a <channel> in a comment -->\n\
  <channel id=\"TF1.fr\"><display-name lang=\"fr\">TF1 &amp; Co</display-name><display-name>TF 1</display-name><icon src=\"http://l.example/1.png\"/></channel>\n\
  <programme start=\"20240101183000 +0100\" stop=\"20240101190000 +0100\" channel=\"TF1.fr\">\n\
    <title lang=\"fr\">Le <![CDATA[<Journal>]]></title><sub-title>s</sub-title><desc>A &lt; B</desc>\n\
    <category>News</category><category>Live</category><episode-num system=\"onscreen\">S01E02</episode-num>\n\
    <credits><actor>X</actor></credits></programme>\n\
</tv>\n";

#[test]
fn a_guide_gives_channels_and_rows() {
    assert!((PARSER.sniff)(GUIDE.as_bytes(), "x") > Confidence(90));
    let out = laws::hold(&PARSER, GUIDE.as_bytes());
    assert!(out.problems.is_empty(), "{:?}", out.problems);
    laws::never_shows(&out, "geheim");
    let channel = "channel:epg:tf1.fr";
    assert_eq!(out.values(channel, "name"), ["TF1 & Co", "TF 1"]);
    assert_eq!(out.values(channel, "epg_id"), ["TF1.fr"]);
    assert_eq!(out.values(channel, "icon"), ["http://l.example/1.png"]);
    assert_eq!(out.values(channel, "language"), ["fr"]);
    let row: Vec<String> =
        out.table_rows(0)[0].iter().map(|v| v.clone().unwrap_or_default()).collect();
    assert_eq!(
        row,
        [
            "TF1.fr",
            "20240101183000 +0100",
            "1704130200",
            "20240101190000 +0100",
            "1704132000",
            "Le <Journal>",
            "s",
            "A < B",
            "News; Live",
            "",
            "S01E02",
            ""
        ]
    );
    let (start, end) = (out.batches[0].starts[0] as usize, out.batches[0].ends[0] as usize);
    assert!(
        GUIDE[start..end].starts_with("<programme") && GUIDE[start..end].ends_with("</programme>")
    );
}

#[test]
fn entities_are_never_expanded() {
    let text = "<?xml version=\"1.0\"?><!DOCTYPE tv [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]>\
        <tv><programme start=\"2024\" channel=\"c\"><title>&b;&x;</title></programme></tv>";
    let out = laws::hold(&PARSER, text.as_bytes());
    assert_eq!(out.table_rows(0)[0][5].as_deref(), Some("&b;&x;"));
    assert_eq!(out.problems[0].kind, ProblemKind::Unsupported);
}

#[test]
fn broken_elements_cost_only_themselves() {
    let text = "<tv><channel id=\"a\"><display-name>A</channel><programme start=\"20240101\" channel=\"a\"><title>1\
        <programme start=\"20240102\" channel=\"a\"><title>2</title></programme>junk<foo>x</foo>\
        <programme start=\"20240103\" channel=\"a\"><title>3</title>";
    let out = laws::hold(&PARSER, text.as_bytes());
    let titles: Vec<Option<String>> = out.table_rows(0).into_iter().map(|r| r[5].clone()).collect();
    assert_eq!(titles, [Some("2".to_owned())]);
    let messages: Vec<&str> = out.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "an element that does not end",
            "text that no element of a guide holds",
            "the guide ends inside an element"
        ]
    );
    assert_eq!(out.values("channel:epg:a", "name"), ["A"]);
}

#[test]
fn other_encodings_and_sizes() {
    let latin = b"<tv><channel id=\"a\"><display-name>Caf\xe9</display-name></channel></tv>";
    let out = laws::hold(&PARSER, latin);
    assert_eq!(out.values("channel:epg:a", "name"), ["Café"]);
    assert_eq!(out.problems.len(), 1);
    let wide: Vec<u8> =
        format!("\u{feff}{GUIDE}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let out = laws::hold(&PARSER, &wide);
    assert_eq!(out.values("channel:epg:tf1.fr", "name").len(), 2);
    assert_eq!(out.batches[0].len(), 1);

    let long = format!(
        "<tv><programme channel=\"a\" start=\"20240101\"><title>{}</title></programme>\
         <programme channel=\"b\" start=\"20240101\"><title>t</title></programme></tv>",
        "x".repeat(1 << 20)
    );
    for step in [100_000, long.len()] {
        let (out, coverage) = laws::run(&PARSER, long.as_bytes(), step);
        assert_eq!(coverage.total(), long.len() as u64);
        assert_eq!(out.table_rows(0).len(), 1);
        assert_eq!(out.problems.len(), 1, "{:?}", out.problems);
        assert_eq!(out.problems[0].kind, ProblemKind::Bound);
    }
}

#[test]
fn many_rows_come_in_batches() {
    let mut text = "<tv>".to_owned();
    for i in 0..40_000 {
        text.push_str(&format!("<programme start=\"20240101{:02}0000\" channel=\"c{i}\"><title>t</title></programme>\n", i % 24));
    }
    let (out, coverage) = laws::run(&PARSER, text.as_bytes(), 64 << 10);
    assert_eq!(out.batches.iter().map(model::Batch::len).sum::<usize>(), 40_000);
    assert!(out.batches.len() > 1);
    assert_eq!(coverage.lost, 0);
}

#[test]
fn damage_costs_only_what_it_touches() {
    for seed in 0..300 {
        laws::hold(&PARSER, &laws::damaged(GUIDE.as_bytes(), seed));
    }
}

fn guide() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<tv>".to_owned()),
        Just("</tv>".to_owned()),
        "<channel id=\"[a-z]{0,3}\"><display-name>[A-Zé&; ]{0,5}</display-name></channel>",
        "<programme start=\"2024010[1-9]\" channel=\"[a-z]{1,2}\"><title>[a-z<>&]{0,6}</title></programme>",
        "<programme start=\"[0-9]{0,4}\"><title>",
        "<!--[a-z<]{0,4}-->",
        "<(/|!|\\?)?[a-z]{0,4}>?",
        "[a-z ]{0,4}",
        Just("<![CDATA[ <x> ]]>".to_owned()),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|v| v.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn laws_hold(text in guide()) {
        laws::hold(&PARSER, text.as_bytes());
    }

    #[test]
    fn a_prefix_never_invents(text in guide(), cut in 0usize..500) {
        let cut = cut.min(text.len());
        laws::prefix(&PARSER, text.as_bytes(), cut, 0);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        laws::hold(&PARSER, &bytes);
    }
}
