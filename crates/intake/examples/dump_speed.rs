//! How fast a panel's dump is read on one core: `cargo run --release --example dump_speed -p intake
//! [FILE]`. Without a file, a dump of lines, devices and activity in XC_VM's columns is made up.

#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::time::Instant;

use intake::{Chunks, Input, Job, Sink};
use model::{Batch, ExhibitId, Fact, Problem, TableSchema};

#[derive(Default)]
struct Count {
    tables: u32,
    facts: usize,
    rows: usize,
    problems: usize,
    run: bool,
}

impl Sink for Count {
    fn fact(&mut self, _: Fact) {
        self.facts += 1;
    }
    fn table(&mut self, _: TableSchema) -> u32 {
        self.tables += 1;
        self.tables - 1
    }
    fn rows(&mut self, batch: Batch) {
        self.rows += batch.len();
    }
    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
    fn defer(&mut self, job: Job) {
        if self.run {
            job(self);
        }
    }
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

fn made_up(lines: u64) -> String {
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
        let n = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
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
        let n = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
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

/// Seconds of CPU this process has used (`/proc/self/stat`, 100 ticks a second), where the system
/// says so: a busy machine's clock tells nothing of one core.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |i: usize| fields.get(i).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let bytes = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path).unwrap_or_default(),
        None => made_up(1_200_000).into_bytes(),
    };
    let input = Input { exhibit: ExhibitId([1; 32]), name: "dump.sql", mapping: None };
    for (what, run) in
        [("statements and tuples found", false), ("all of it", true), ("all of it", true)]
    {
        let mut source = bytes.as_slice();
        let mut out = Count { run, ..Count::default() };
        let (start, used) = (Instant::now(), cpu());
        let coverage =
            (intake::dump::PARSER.parse)(&input, &mut Chunks::new(&mut source), &mut out);
        let (seconds, used) = (start.elapsed().as_secs_f64(), cpu() - used);
        assert_eq!(coverage.total(), bytes.len() as u64);
        println!(
            "{what}: {:.0} MB/s of a core ({:.1} MB, {} rows, {} facts, {} problems, {used:.2} s of CPU, {seconds:.2} s)",
            bytes.len() as f64 / 1e6 / used.max(0.01),
            bytes.len() as f64 / 1e6,
            out.rows,
            out.facts,
            out.problems
        );
    }
}
