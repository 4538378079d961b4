//! A panel's dump: every table of its real schema, with rows where the story has some.
//!
//! What a row implies is told to the truth where the row is written. A second, older dump of the
//! same panel is written without a truth: it says nothing new.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::IpAddr;

use crate::Error;
use crate::lines::Line;
use crate::rng::Rng;
use crate::row::V;
use crate::schema::{Family, Table};
use crate::sql::{Dump, Tool};
use crate::truth::Truth;
use crate::world::{Panel, World};

/// A dump being written.
pub(crate) struct Writer<'a> {
    pub(crate) world: &'a World,
    pub(crate) panel: &'a Panel,
    pub(crate) sql: Dump<'a>,
    /// `None` for an older copy.
    pub(crate) truth: Option<&'a mut Truth>,
    /// Lines that it holds.
    pub(crate) lines: u64,
    pub(crate) rng: Rng,
    pub(crate) latin1: bool,
    pub(crate) buffer: Vec<u8>,
    pub(crate) tally: Tally,
}

/// What one dump came to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) active: u64,
    pub(crate) devices: u64,
    pub(crate) activity: u64,
}

/// Where an older copy is cut, in the middle of a row.
fn cut_in(family: Family) -> &'static str {
    match family {
        Family::XcVm => "streams_servers",
        Family::XtreamUi | Family::StreamCreed => "users",
    }
}

/// Writes the dump of a panel.
pub(crate) fn write(
    out: &mut dyn Write,
    world: &World,
    panel: &Panel,
    truth: &mut Truth,
) -> Result<Tally, Error> {
    let plan = panel.plan;
    let sql = Dump::new(out, plan.tool, &panel.db, plan.charset, plan.prefix, panel.dumped_at);
    let mut writer =
        Writer::new(world, panel, sql, Some(truth), panel.lines, plan.charset == "latin1");
    writer.panel_facts();
    writer.all(None)?;
    Ok(writer.tally)
}

/// Writes an older copy of it, of fewer lines, cut in the middle of a statement.
pub(crate) fn write_older(out: &mut dyn Write, world: &World, panel: &Panel) -> Result<(), Error> {
    let plan = panel.plan;
    let date = panel.dumped_at - 20 * 86_400;
    let sql = Dump::new(out, Tool::MySqlDump, &panel.db, plan.charset, plan.prefix, date);
    let lines = panel.lines * 9 / 10;
    let mut writer = Writer::new(world, panel, sql, None, lines, plan.charset == "latin1");
    writer.all(Some(cut_in(plan.family)))
}

impl<'a> Writer<'a> {
    fn new(
        world: &'a World,
        panel: &'a Panel,
        sql: Dump<'a>,
        truth: Option<&'a mut Truth>,
        lines: u64,
        latin1: bool,
    ) -> Self {
        let rng = Rng::named(world.seed, &format!("dump {}", panel.index));
        let (buffer, tally) = (Vec::new(), Tally::default());
        Self { world, panel, sql, truth, lines, rng, latin1, buffer, tally }
    }

    fn panel_facts(&mut self) {
        let panel = self.panel;
        for operator in panel.operators.iter().filter(|o| o.admin) {
            let key = panel.operator_key(operator.id);
            if let Some(truth) = &mut self.truth {
                truth.administrator(&key);
            }
        }
        if let Some(truth) = &mut self.truth {
            truth.entity(&panel.key());
        }
    }

    fn all(&mut self, cut: Option<&str>) -> Result<(), Error> {
        self.sql.header()?;
        for table in self.panel.plan.family.tables() {
            if self.panel.plan.no_groups && table.name == "member_groups" {
                continue;
            }
            let next = self.rows_expected(&table.name);
            self.sql.table(&table, next + 1)?;
            let torn = cut == Some(table.name.as_str());
            self.rng = Rng::named(self.world.seed, &format!("{} {}", self.panel.index, table.name));
            self.sql.holding = torn;
            self.rows(&table)?;
            if torn {
                // The last row stops in the middle, and nothing follows.
                return self.sql.torn();
            }
            self.sql.end_table()?;
        }
        self.sql.footer()
    }

    /// A number past the rows of a table: for AUTO_INCREMENT.
    fn rows_expected(&self, table: &str) -> u64 {
        match table {
            "lines" => self.lines,
            "users" if self.panel.plan.family != Family::XcVm => self.lines,
            "lines_activity" | "user_activity" => self.lines * 3 / 10,
            "mag_devices" => self.lines / 10 + 1000,
            "streams" => self.panel.streams.len() as u64 + 200,
            _ => 100_000,
        }
    }

    /// A random stream of its own for table `name`'s item.
    pub(crate) fn tell(&mut self, say: impl FnOnce(&mut Truth)) {
        if let Some(truth) = &mut self.truth {
            say(truth);
        }
    }

    pub(crate) fn text<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, [u8]> {
        if self.latin1 && !text.is_ascii() {
            text.chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
                .collect::<Vec<u8>>()
                .into()
        } else {
            text.as_bytes().into()
        }
    }

    /// A row of which some columns are given; those that the table lacks are passed over.
    pub(crate) fn cold(&mut self, table: &Table, values: &[(&str, V<'_>)]) -> Result<(), Error> {
        let separator = self.sql.tool().separator();
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        for (i, column) in table.columns.iter().enumerate() {
            if i > 0 {
                buffer.extend_from_slice(separator.as_bytes());
            }
            match values.iter().find(|(name, _)| *name == column.name) {
                Some((_, V::Text(text))) => {
                    crate::row::quote(&mut buffer, &self.text(text));
                }
                // A column that takes no NULL has '' or 0.
                Some((_, V::Null)) if column.not_null => {
                    buffer.extend_from_slice(column.untouched().as_bytes());
                }
                Some((_, value)) => value.write(&mut buffer),
                None => buffer.extend_from_slice(column.untouched().as_bytes()),
            }
        }
        let result = self.sql.row(table, &buffer);
        self.buffer = buffer;
        result
    }

    fn rows(&mut self, table: &Table) -> Result<(), Error> {
        let xc = self.panel.plan.family == Family::XcVm;
        match table.name.as_str() {
            "lines" => self.lines_rows(table),
            "users" if xc => self.operator_rows(table),
            "users" => self.lines_rows(table),
            "reg_users" => self.operator_rows(table),
            "users_groups" | "member_groups" => self.group_rows(table),
            "servers" | "streaming_servers" => self.server_rows(table),
            "servers_stats" | "server_network" => self.stats_rows(table),
            "streams" => self.stream_rows(table),
            "streams_servers" | "streams_sys" => self.carrier_rows(table),
            "streams_types" => self.type_rows(table),
            "streams_categories" | "stream_categories" => self.category_rows(table),
            "streams_series" | "series" => self.series_rows(table),
            "streams_episodes" | "series_episodes" => self.episode_rows(table),
            "bouquets" => self.bouquet_rows(table),
            "users_packages" | "packages" => self.package_rows(table),
            "output_formats" | "access_output" => self.output_rows(table),
            "mag_devices" => self.mag_rows(table),
            "enigma2_devices" => self.enigma_rows(table),
            "lines_activity" | "user_activity" => self.activity_rows(table, false),
            "lines_live" | "user_activity_now" => self.activity_rows(table, true),
            "lines_logs" | "client_logs" => self.client_log_rows(table),
            "login_logs" => self.login_rows(table),
            "tickets" => self.ticket_rows(table),
            "tickets_replies" => self.reply_rows(table),
            "providers" => self.provider_rows(table),
            "users_credits_logs" | "credits_log" => self.credit_rows(table),
            "users_logs" | "reg_userlog" => self.operator_log_rows(table),
            "panel_logs" => self.panel_log_rows(table),
            "blocked_ips" => self.blocked_rows(table),
            "blocked_asns" => self.asn_rows(table),
            "settings" | "admin_settings" => self.setting_rows(table),
            "access_codes" => self.access_rows(table),
            "epg" => self.epg_rows(table),
            _ => Ok(()),
        }
    }

    pub(crate) fn line(&self, id: u64) -> Line {
        Line::of(self.world.seed, self.panel, id)
    }

    /// An operator's key, and its person.
    pub(crate) fn operator(&self, place: usize) -> (String, &'a crate::people::Person) {
        let operator = &self.panel.operators[place];
        (self.panel.operator_key(operator.id), &self.world.people[operator.person])
    }

    fn blocked_rows(&mut self, table: &Table) -> Result<(), Error> {
        // Addresses of subscribers, each once: the column is unique.
        let mut seen = BTreeSet::new();
        for id in 1..=12.min(self.lines) {
            let home = self.line(id).home;
            if !seen.insert(home.ip) {
                continue;
            }
            self.tell(|t| t.home(&home));
            let ip = home.ip.to_string();
            let date = self.panel.dumped_at - id as i64 * 70_000;
            self.cold(
                table,
                &[
                    ("id", (seen.len() as i64).into()),
                    ("ip", (&ip).into()),
                    ("notes", "FLOOD ATTACK".into()),
                    ("date", date.into()),
                ],
            )?;
        }
        Ok(())
    }

    /// An address that no other exhibit shares, in a column where it does not count.
    pub(crate) fn private(n: u64) -> IpAddr {
        IpAddr::from([192, 168, (n >> 8) as u8, n as u8])
    }
}
