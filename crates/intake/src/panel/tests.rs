//! A small XC_VM panel, and others by their columns.

use model::{ExhibitId, TableRole, Value};

use crate::{Chunks, Collect, Input};

const PANEL: &[u8] = include_bytes!("../../tests/laws/samples/panel.sql");
const AT: &str = "x07070707070707070707070707070707/xc_vm";

fn parse(mut bytes: &[u8]) -> Collect {
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([7; 32]), name: "dump.sql", mapping: None };
    (crate::dump::PARSER.parse)(&input, &mut Chunks::new(&mut bytes), &mut out);
    out
}

/// The facts of a subject's property: the value, and the bytes it stands on.
fn facts(out: &Collect, subject: &str, property: &str) -> Vec<(String, String)> {
    out.facts
        .iter()
        .filter(|f| f.subject.as_str() == subject && f.property == property)
        .map(|f| {
            let (a, b) = (usize::try_from(f.start).unwrap(), usize::try_from(f.end).unwrap());
            let shown =
                if f.value == Value::Secret { "•••".to_owned() } else { f.value.text() };
            (shown, String::from_utf8_lossy(&PANEL[a..b]).into_owned())
        })
        .collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_panel_yields_its_network() {
    let out = parse(PANEL);
    let at = |scheme: &str, id: &str| format!("{scheme}:{AT}/{id}");
    let check = |subject: &str, property: &str, want: &[(&str, &str)]| {
        assert_eq!(facts(&out, subject, property), pairs(want), "{subject} {property}");
    };
    let panel = format!("panel:{AT}");
    check(&panel, "family", &[("xc_vm", "last_ip")]);
    check(&panel, "database", &[("xc_vm", "xc_vm")]);
    check(&panel, "dumped_at", &[("2026-03-01T02:00:00", "2026-03-01  2:00:00")]);
    check(&panel, "same_as", &[("panel:xc_vm~198.18.0.1", "198.18.0.1")]);
    check(&panel, "fed_by", &[("provider:up.example:8080/upuser", "Up.Example")]);

    let main = at("server", "1");
    check(&main, "name", &[("Main Server", "Main Server")]);
    check(&main, "part_of", &[(panel.as_str(), "1")]);
    check(&main, "has_address", &[("ip:198.18.0.1", "198.18.0.1")]);
    check(
        &main,
        "has_name",
        &[("domain:tv.example", "tv.example"), ("domain:cdn.tv.example", "cdn.tv.example")],
    );
    check(&main, "same_as", &[("server:198.18.0.1", "198.18.0.1")]);
    check(&main, "main", &[("true", "1")]);
    check(&main, "carries", &[(at("stream", "10").as_str(), "10")]);
    check(&at("server", "2"), "relays_from", &[(main.as_str(), "1")]);

    let bob = at("operator", "2");
    check(&bob, "user_name", &[("bob", "bob")]);
    check(&bob, "contact", &[("email:bob@mail.example", "Bob@Mail.example")]);
    check(&bob, "credits", &[("12.5", "12.5")]);
    check(&bob, "password", &[("•••", "$6$rounds=20000$xc_vm$fake2")]);
    check(&bob, "key", &[("•••", "fakekey")]);
    check(&bob, "role", &[("reseller", "0")]);
    check(&bob, "group", &[("Resellers", "Resellers")]);
    check(&bob, "sub_reseller_of", &[(at("operator", "1").as_str(), "1")]);
    check(
        &bob,
        "signed_in_from",
        &[("ip:198.18.3.2", "198.18.3.2"), ("ip:198.18.2.3", "198.18.2.3")],
    );
    check(
        &bob,
        "mentions",
        &[
            ("email:pay.bob@mail.example", "pay.bob@mail.example"),
            ("email:pay@mail.example", "pay@mail.example"),
            ("domain:shop.example", "shop.example"),
        ],
    );
    check(
        &bob,
        "ticket",
        &[
            ("Payment sent", "Payment sent"),
            (
                "It's sent,\r\nwrite to pay@mail.example or see https://shop.example/x",
                r"It\'s sent,\r\nwrite to pay@mail.example or see https://shop.example/x",
            ),
            ("ok, ask boss@mail.example", "ok, ask boss@mail.example"),
        ],
    );
    check(&at("operator", "1"), "role", &[("administrator", "1")]);
    check(&at("operator", "3"), "role", &[("administrator", "1")]);
    check(&at("operator", "3"), "contact", &[]);

    let stream = at("stream", "10");
    check(&stream, "type", &[("live", "1")]);
    check(&stream, "shows", &[("channel:epg:news.uk", "News.uk")]);
    check(&stream, "category", &[("UK | News", "UK | News")]);
    check(
        &stream,
        "url",
        &[
            (
                "http://up.example:8080/live/upuser/•••/55.ts",
                r"http:\\/\\/up.example:8080\\/live\\/upuser\\/fakeup\\/55.ts",
            ),
            ("http://198.18.9.9/feed/1.m3u8", r"http:\\/\\/198.18.9.9\\/feed\\/1.m3u8"),
        ],
    );
    check(
        &stream,
        "taken_from",
        &[
            ("provider:up.example:8080/upuser", r"up.example:8080\\/live\\/upuser"),
            ("ip:198.18.9.9", "198.18.9.9"),
        ],
    );
    check(&at("stream", "11"), "shows", &[("work:a-film/2019", "A Film")]);
    check(&at("stream", "11"), "container", &[("mkv", "mkv")]);
    check(&at("stream", "11"), "taken_from", &[]);
    check(&at("stream", "12"), "shows", &[("work:a-show/s01e02", "A Show S01E02")]);
    let up = "provider:up.example:8080/upuser";
    assert_eq!(facts(&out, up, "password"), pairs(&[("•••", "fakeup"), ("•••", "fakeup")]));
    let other = "provider:other.example:80/u2";
    check(other, "has_name", &[("domain:other.example", "other.example")]);
    check(other, "password", &[("•••", "fakep2")]);
    check(other, "host", &[("other.example", "other.example")]);
}

#[test]
fn bulk_tables_keep_meanings_and_withhold_secrets() {
    let out = parse(PANEL);
    let number = |name: &str| {
        u32::try_from(out.tables.iter().position(|t| t.name == name).unwrap()).unwrap()
    };
    let lines = &out.tables[number("lines") as usize];
    assert_eq!((lines.role, lines.panel.as_deref()), (TableRole::Lines, Some(AT)));
    assert!(lines.columns.iter().any(|c| c.name == "password" && c.secret));
    let rows = out.table_rows(number("lines"));
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][2..5], [Some("line1".to_owned()), None, Some("198.18.1.1".to_owned())]);
    let macs: Vec<_> =
        out.table_rows(number("mag_devices")).into_iter().map(|r| r[2].clone().unwrap()).collect();
    assert_eq!(macs, ["00:1A:79:00:00:01", "00:1A:79:00:00:02"]);
    let mut everything = format!("{:?}", out.batches);
    for fact in &out.facts {
        everything.push_str(&fact.value.text());
    }
    assert!(!everything.contains("fake"), "a secret came out");
    for batch in &out.batches {
        for column in &batch.columns {
            for i in 0..batch.len() {
                if let model::Cell::Text(text) = column.get(i) {
                    assert!(!text.contains("fake"), "{text}");
                }
            }
        }
    }
}

#[test]
fn renamed_tables_are_recognised() {
    let text = String::from_utf8_lossy(PANEL)
        .replace("`users`", "`12_staff`")
        .replace("`lines`", "`zz`")
        .replace("`servers`", "`boxes`")
        .replace("`streams`", "`s`");
    let out = parse(text.as_bytes());
    assert_eq!(out.values(&format!("operator:{AT}/2"), "user_name"), ["bob"]);
    assert_eq!(out.values(&format!("panel:{AT}"), "same_as"), ["panel:xc_vm~198.18.0.1"]);
}

#[test]
fn macs_come_out_of_base64() {
    use super::mac_text;
    assert_eq!(mac_text(b"MDA6MUE6Nzk6MDA6MDA6MDE=").as_deref(), Some("00:1A:79:00:00:01"));
    assert_eq!(mac_text(b"00:1A:79:00:00:01"), None);
    assert_eq!(mac_text(b"QUFBQUFBQUFBQUFBQUFBQUE="), None);
}

/// A dump of Xtream's tables with columns of one family.
fn old_panel(operators: &str, servers: &str, bouquets: &str) -> String {
    format!(
        "-- Host: localhost    Database: xtream_iptvpro\n\
         CREATE TABLE `bouquets` (`id` int, `bouquet_name` text, `bouquet_channels` text, `bouquet_series` text{bouquets});\n\
         CREATE TABLE `reg_users` (`id` int, `username` text, `password` text, `email` text, `ip` text, `date_registered` int, \
         `last_login` int, `member_group_id` int, `credits` float, `notes` text, `owner_id` int{operators});\n\
         INSERT INTO `reg_users` (`id`,`username`,`member_group_id`,`owner_id`) VALUES (1,'root',1,0),(2,'sub',4,1);\n\
         CREATE TABLE `streaming_servers` (`id` int, `server_name` text, `server_ip` text, `http_broadcast_port` int, `total_clients` int, \
         `network_interface` text, `last_check_ago` int, `rtmp_port` int, `ssh_password` text{servers});\n\
         INSERT INTO `streaming_servers` (`id`,`server_name`,`server_ip`) VALUES (2,'b','198.18.5.2'),(1,'a','198.18.5.1');\n\
         CREATE TABLE `users` (`id` int, `member_id` int, `username` text, `password` text, `exp_date` int, `admin_enabled` int, \
         `enabled` int, `bouquet` text, `max_connections` int, `is_trial` int, `created_by` int);\n"
    )
}

#[test]
fn families_are_told_apart_by_their_own_columns() {
    let at = "x07070707070707070707070707070707/xtream_iptvpro";
    for (operators, servers, bouquets, family) in [
        (
            ", `verify_key` text, `dark_mode` int, `sidebar` int",
            ", `vpn_ip` text",
            ", `bouquet_order` int",
            "xtream_ui",
        ),
        (", `verify_key` text", ", `vpn_ip` text", "", "xtream_codes"),
        (
            ", `otp` text, `cookie_value` text",
            ", `server_isp` text, `broadcast` text, `redis_port` int",
            "",
            "streamcreed",
        ),
        // Hybrids: the most columns of its own win.
        (
            ", `otp` text, `dark_mode` int",
            ", `server_isp` text, `broadcast` text",
            "",
            "streamcreed",
        ),
        (", `hue` text, `api_key` text, `dark_mode` int", "", "", "xc_vm"),
    ] {
        let out = parse(old_panel(operators, servers, bouquets).as_bytes());
        assert_eq!(out.values(&format!("panel:{at}"), "family"), [family]);
        // Without a column that says which is the main server, the least number is.
        let main = format!("panel:{family}~198.18.5.1");
        assert_eq!(out.values(&format!("panel:{at}"), "same_as"), [main]);
        // Without a table of groups, group 1 administers.
        assert_eq!(out.values(&format!("operator:{at}/1"), "role"), ["administrator"]);
        assert_eq!(out.values(&format!("operator:{at}/2"), "role"), ["reseller"]);
        let users = out.tables.iter().find(|t| t.name == "users").unwrap();
        assert_eq!(users.role, TableRole::Lines);
    }
    // A shop's dump is no panel.
    let out = parse(
        b"CREATE TABLE users (id int, username text, password text, email text);\nINSERT INTO users VALUES (1,'a','b','c@mail.example');\n\
          CREATE TABLE login_logs (id int, user_id int, login_ip text, date int);\nINSERT INTO login_logs VALUES (1,1,'198.18.0.9',5);\n",
    );
    assert!(out.facts.is_empty());
    assert!(out.tables[0].columns[2].secret);
    assert_eq!(out.tables[0].columns[3].meaning, Some(model::Meaning::Email));
}
