//! Material in the forms that panels, packagers and dumps give, made up here.

use std::fmt::Write as _;

/// A draw that differs from one number to the next and is the same in every run.
fn draw(n: u64) -> u64 {
    (n ^ n >> 31)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(29)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

const TITLES: [&str; 12] = [
    "The Long Harbour",
    "Cold Water",
    "La Maison d'hiver",
    "Nachtfahrt",
    "Il Ponte",
    "Storm 7",
    "Les Enfants de la nuit",
    "A Field in Spring",
    "Dvě města",
    "Signal",
    "El último tren",
    "Kingmaker",
];
const GROUPS: [&str; 8] = [
    "FR | General",
    "UK | Sports",
    "IT - Cinema",
    "DE | Doku",
    "VOD | Action",
    "VOD: Kids",
    "SERIES | Drama",
    "4K",
];

/// A panel's whole list (`type=m3u_plus`): live channels, films and series in the shares panels have.
pub fn m3u_panel(size: usize) -> String {
    let mut out = String::with_capacity(size + 512);
    out.push_str("#EXTM3U url-tvg=\"http://line.stream.example:8080/xmltv.php?username=subscriber77&password=kX93jdKs\"\n");
    let mut i = 0u64;
    while out.len() < size {
        i += 1;
        let n = draw(i);
        let title = TITLES[(n % 12) as usize];
        let group = GROUPS[(n >> 8 & 7) as usize];
        let year = 1970 + (n >> 16) % 56;
        let name = match n % 10 {
            0..3 => format!("FR: {title} {} HD", n >> 24 & 255),
            3..7 => format!("{title} {} ({year})", n >> 24 & 0xfff),
            _ => format!("{title} {} S{:02} E{:02}", n >> 24 & 0xff, n >> 40 & 15, n >> 44 & 31),
        };
        let (kind, ext, id) = match n % 10 {
            0..3 => ("live", "ts", format!("ch{}.fr", n >> 24 & 0xfff)),
            3..7 => ("movie", "mkv", String::new()),
            _ => ("series", "mp4", String::new()),
        };
        let _ = writeln!(
            out,
            "#EXTINF:-1 tvg-id=\"{id}\" tvg-name=\"{name}\" tvg-logo=\"https://image.logos.example/t/p/w600_and_h900_bestv2/{:016x}.jpg\" group-title=\"{group}\",{name}\nhttp://line.stream.example:8080/{kind}/subscriber77/kX93jdKs/{i}.{ext}",
            n
        );
    }
    out
}

/// A panel's live channels alone.
pub fn m3u_live(size: usize) -> String {
    let mut out = "#EXTM3U\n".to_owned();
    let mut i = 0;
    while out.len() < size {
        i += 1;
        let _ = writeln!(
            out,
            "#EXTINF:-1 tvg-id=\"channel{i}.fr\" tvg-name=\"FR: Channel {i} HD\" tvg-logo=\"http://logo.example/images/{i}.png\" group-title=\"FR | General\",FR: Channel {i} HD\nhttp://line.stream.example:8080/live/subscriber77/kX93jdKs/{i}.ts"
        );
    }
    out
}

/// A list gathered from many places: hosts, paths and options of all sorts.
pub fn m3u_mixed(size: usize) -> String {
    let mut out = "#EXTM3U x-tvg-url=\"https://guide.example/epg.xml.gz\"\n".to_owned();
    let mut i = 0u64;
    while out.len() < size {
        i += 1;
        let n = draw(i);
        let host = n >> 5 & 1023;
        let _ = writeln!(
            out,
            "#EXTINF:-1 tvg-id=\"Chan{}.uk\" tvg-logo=\"https://i.pics.example/{:07x}.png\" group-title=\"{}\",Channel {} (720p) [Geo-blocked]",
            n & 4095,
            n >> 36,
            GROUPS[(n >> 8 & 7) as usize],
            n & 4095
        );
        if n % 5 == 0 {
            let _ = writeln!(out, "#EXTVLCOPT:http-user-agent=Mozilla/5.0 (Linux; Android 10)");
        }
        let _ = match n % 3 {
            0 => writeln!(out, "https://edge{host}.cdn.example/hls/{:x}/index.m3u8", n >> 40),
            1 => writeln!(
                out,
                "http://198.18.{}.{}:8080/play/a{:04x}/index.m3u8",
                host >> 8,
                host & 255,
                n >> 48
            ),
            _ => writeln!(
                out,
                "https://live{host}.stream.example/out/v1/{:016x}/playlist.m3u8?token={:x}",
                n,
                n >> 32
            ),
        };
    }
    out
}

/// An HLS media playlist; `uri` gives the n-th segment's.
pub fn hls(size: usize, duration: &str, uri: impl Fn(u64) -> String) -> String {
    let mut out =
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n".to_owned();
    let mut i = 0;
    while out.len() < size {
        i += 1;
        let _ = writeln!(out, "#EXTINF:{duration},\n{}", uri(i));
    }
    out.push_str("#EXT-X-ENDLIST\n");
    out
}

/// A live channel's playlist as packagers write it: times, byte ranges, keys that change.
pub fn hls_rich(size: usize) -> String {
    let mut out =
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:4711\n"
            .to_owned();
    let mut i = 0u64;
    while out.len() < size {
        i += 1;
        if i % 20 == 1 {
            let _ = writeln!(
                out,
                "#EXT-X-KEY:METHOD=AES-128,URI=\"https://keys.cdn.example/k/{i}.key\",IV=0x{:032x}",
                draw(i)
            );
        }
        if i % 4 == 0 {
            let _ = writeln!(
                out,
                "#EXT-X-PROGRAM-DATE-TIME:2026-03-01T{:02}:{:02}:{:02}.000Z",
                i / 600 % 24,
                i / 10 % 60,
                i * 6 % 60
            );
        }
        let _ = writeln!(
            out,
            "#EXTINF:6.006,\nhttps://edge{}.cdn.example/live/channel7/1080p/seg_{i:09}.ts?sid={:08x}",
            i / 500 % 4,
            draw(i) >> 32
        );
    }
    out
}

const LINES: &str = "`id` int(11) NOT NULL,`member_id` int(11),`username` varchar(255),`password` varchar(255),\
`last_ip` varchar(255),`exp_date` int(11),`admin_enabled` int(11),`enabled` int(11),`admin_notes` text,\
`reseller_notes` text,`bouquet` mediumtext,`allowed_outputs` mediumtext,`max_connections` int(11),\
`is_restreamer` tinyint(4),`is_trial` tinyint(4),`is_mag` tinyint(4),`is_e2` tinyint(4),`is_stalker` tinyint(4),\
`is_isplock` tinyint(4),`allowed_ips` mediumtext,`allowed_ua` mediumtext,`created_at` int(11),`pair_id` int(11),\
`force_server_id` int(11),`as_number` varchar(30),`isp_desc` mediumtext,`forced_country` varchar(3),\
`bypass_ua` tinyint(4),`play_token` mediumtext,`last_expiration_video` int(11),`package_id` int(11),\
`access_token` varchar(32),`contact` text,`last_activity` int(11),`last_activity_array` mediumtext,`updated` timestamp";
const ACTIVITY: &str = "`activity_id` int(11) NOT NULL,`user_id` int(11),`stream_id` int(11),`server_id` int(11),\
`proxy_id` int(11),`user_agent` varchar(255),`user_ip` varchar(39),`container` varchar(50),`date_start` int(11),\
`date_end` int(11),`geoip_country_code` varchar(22),`isp` varchar(255),`external_device` varchar(255),\
`divergence` float,`hmac_id` tinyint(4),`hmac_identifier` varchar(255)";

/// A panel's dump in XC_VM's columns: lines, and three tenths as many rows of activity.
pub fn dump(lines: u64) -> String {
    let mut out = String::from("-- MySQL dump 10.13\n/*!40101 SET NAMES utf8 */;\n");
    let mut table = |name: &str, columns: &str, rows: u64, row: &dyn Fn(&mut String, u64)| {
        let _ = writeln!(out, "CREATE TABLE `{name}` ({columns});");
        let mut length = usize::MAX;
        for id in 1..=rows {
            if length > 1 << 20 {
                if id > 1 {
                    out.push_str(";\n");
                }
                let _ = write!(out, "INSERT INTO `{name}` VALUES ");
                length = 0;
            } else {
                out.push(',');
            }
            let before = out.len();
            row(&mut out, id);
            length += out.len() - before;
        }
        out.push_str(";\n");
    };
    table("lines", LINES, lines, &|out, id| {
        let n = draw(id);
        let _ = write!(
            out,
            "({id},{},'user{:07x}','fake{:09x}','198.18.{}.{}',{},1,1,'','{}','[1,2,3]','[1,2,3]',{},0,0,1,0,0,0,'[]','[]',\
             {},NULL,0,'64500','Practice Telecom','',0,'',NULL,{},'{:032x}','mail{id}@mail.example',{},\
             '{{\\\"stream_id\\\":{},\\\"server_id\\\":3}}','2026-03-01 02:00:00')",
            n % 560,
            n >> 40,
            n >> 28,
            n >> 8 & 255,
            n >> 16 & 255,
            1_700_000_000 + n % 50_000_000,
            if id % 37 == 0 { "pays l\\'hiver" } else { "" },
            n % 3 + 1,
            1_600_000_000 + n % 90_000_000,
            n % 9,
            n,
            1_770_000_000 + n % 1_000_000,
            n % 2500
        );
    });
    table("lines_activity", ACTIVITY, lines * 3 / 10, &|out, id| {
        let n = draw(id);
        let _ = write!(
            out,
            "({id},{},{},{},NULL,'VLC/3.0.18 LibVLC/3.0.18','198.18.{}.{}','ts',{},{},'RO','Practice Telecom','',0,NULL,NULL)",
            n % lines,
            n % 2500,
            n % 40,
            n >> 8 & 255,
            n >> 16 & 255,
            1_770_000_000 + n % 1_000_000,
            1_771_000_000 + n % 1_000_000
        );
    });
    out.push_str("-- Dump completed on 2026-03-01  2:00:00\n");
    out
}

/// PayPal's activity export (English).
pub fn paypal(size: usize) -> String {
    let mut out = "\"Date\",\"Time\",\"TimeZone\",\"Name\",\"Type\",\"Status\",\"Currency\",\"Gross\",\"Fee\",\"Net\",\"From Email Address\",\"To Email Address\",\"Transaction ID\",\"Reference Txn ID\",\"Balance\"\r\n".to_owned();
    let mut i = 0u64;
    while out.len() < size {
        i += 1;
        let n = draw(i);
        let cents = n % 9000 + 100;
        let _ = write!(
            out,
            "\"{:02}/{:02}/2025\",\"{:02}:{:02}:{:02}\",\"GMT\",\"Payer {}\",\"{}\",\"{}\",\"EUR\",\"{}.{:02}\",\"-0.{:02}\",\"{}.{:02}\",\"payer{}@mail.example\",\"shop@seller.example\",\"{:017X}\",\"\",\"{}.{:02}\"\r\n",
            n >> 4 & 15 | 1,
            n >> 9 & 7 | 1,
            n >> 12 & 15,
            n >> 16 & 31,
            n >> 20 & 31,
            n >> 24 & 0xffff,
            ["Website Payment", "General Payment", "Mobile Payment"][(n % 3) as usize],
            ["Completed", "Pending"][usize::from(n % 50 == 0)],
            cents / 100,
            cents % 100,
            n >> 30 & 63,
            cents / 100,
            cents % 100,
            n >> 24 & 0xffff,
            n,
            i % 9999,
            cents % 100
        );
    }
    out
}

/// Bytes of several sorts for the scan for indicators.
pub fn scans(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let junk: Vec<u8> = (0..size as u64 / 8).flat_map(|n| draw(n + 1).to_le_bytes()).collect();
    let words = [
        "the ",
        "panel ",
        "stream, ",
        "credits. ",
        "2024-11-26 10:00:00 ",
        "id=",
        "17;\n",
        "user_name ",
    ];
    let prose: String = (0..size as u64 / 8).map(|n| words[(draw(n) >> 40) as usize % 8]).collect();
    let log: String = (0..size as u64 / 80)
        .map(|n| {
            let n = draw(n + 1);
            format!(
                "198.18.{}.{} - - [26/Nov/2024] \"GET http://s{}.example/live/u/p/{}.ts\" 200\n",
                n & 255,
                n >> 8 & 255,
                n >> 16 & 63,
                n >> 32 & 0xffff
            )
        })
        .collect();
    let wide = prose.bytes().take(size / 2).flat_map(|b| [b, 0]).collect();
    vec![
        ("random bytes", junk),
        ("zeros", vec![0; size]),
        ("prose", prose.into_bytes()),
        ("a web server's log", log.into_bytes()),
        ("prose in UTF-16", wide),
    ]
}

/// What a scan could be made to look at again and again; a million of each.
pub const HOSTILE: &[&str] = &[
    ".",
    "@",
    ":",
    "a.",
    "a@",
    "1.",
    "://",
    "http://",
    "a:",
    "+1",
    "A1",
    ")",
    "http://a.b/)))))))))",
    "00:",
    "\0a",
    "a.com/",
    "t.me/a",
    "urn:btih:",
    "é",
    "%3A",
];
