//! How large a scenario is, and what it is made of.
//!
//! Rows (lines, devices, activity, payments, messages) grow with the scale; structure (operators,
//! servers, channels, works, accounts) with its square root, and never below a floor, so that a
//! small seizure still has something of everything.

use std::str::FromStr;

use crate::Error;
use crate::schema::Family;
use crate::sql::Tool;

/// A practice seizure's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// 22 M lines, 2,500 channels, 560 resellers in a tree over several panels.
    TakenDown,
    /// 5,500 servers, 334 PayPal accounts, resellers in 11 countries.
    PerfectStorm,
    /// 11 servers, 82,000 titles, 8 bank accounts.
    Kbox,
    /// A release group and its kin: 60 servers in 16 countries, torrents.
    Sparks,
    /// A bit of everything in at most 2 MB, whatever the scale.
    Small,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::TakenDown, Self::PerfectStorm, Self::Kbox, Self::Sparks, Self::Small];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::TakenDown => "taken-down",
            Self::PerfectStorm => "perfect-storm",
            Self::Kbox => "kbox",
            Self::Sparks => "sparks",
            Self::Small => "small",
        }
    }
}

impl FromStr for Scenario {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|s| s.name() == text);
        found.ok_or_else(|| Error::Scenario(text.to_owned()))
    }
}

/// How a dump is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pack {
    /// `NAME.sql`.
    Plain,
    /// `NAME.sql.gz`.
    Gzip,
    /// `NAME.zip` with `NAME.sql`.
    Zip,
    /// `NAME.zip` with `backup.tar.gz` with `NAME.sql`.
    Nested,
}

/// A panel of the plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PanelPlan {
    pub(crate) family: Family,
    pub(crate) tool: Tool,
    pub(crate) pack: Pack,
    /// Before each table's name.
    pub(crate) prefix: &'static str,
    /// `SET NAMES`.
    pub(crate) charset: &'static str,
    /// Without its table of groups.
    pub(crate) no_groups: bool,
    /// An older backup of it, cut in the middle of a statement, lies beside.
    pub(crate) older: bool,
    /// Its share of lines and operators, of 1,000.
    pub(crate) share: u64,
}

const fn panel(family: Family, tool: Tool, pack: Pack, share: u64) -> PanelPlan {
    PanelPlan {
        family,
        tool,
        pack,
        prefix: "",
        charset: "utf8",
        no_groups: false,
        older: false,
        share,
    }
}

/// What is made.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) panels: Vec<PanelPlan>,
    pub(crate) lines: u64,
    pub(crate) operators: u64,
    pub(crate) servers: u64,
    /// Networks that servers stand in: the first so many of [`crate::net::HOSTING`].
    pub(crate) networks: usize,
    pub(crate) channels: u64,
    pub(crate) films: u64,
    pub(crate) series: u64,
    pub(crate) providers: u64,
    pub(crate) paypal: u64,
    pub(crate) banks: u64,
    /// Rows over all statements.
    pub(crate) payments: u64,
    pub(crate) groups: u64,
    pub(crate) messages: u64,
    pub(crate) playlists: u64,
    pub(crate) torrents: u64,
    /// Countries that people live in: the first so many of [`crate::net::HOMES`].
    pub(crate) countries: usize,
}

impl Plan {
    /// The plan of a scenario at a scale from 0.0001 to 1.
    pub(crate) fn new(scenario: Scenario, scale: f64) -> Result<Self, Error> {
        if !(0.0001..=1.0).contains(&scale) {
            return Err(Error::Scale(scale));
        }
        let rows = |n: u64| ((n as f64 * scale).round() as u64).max(60);
        let some =
            |n: u64, floor: u64| ((n as f64 * scale.sqrt()).round() as u64).max(floor.min(n));
        use Family::{StreamCreed, XcVm, XtreamUi};
        use Pack::{Gzip, Nested, Plain, Zip};
        use Tool::{Adminer, HeidiSql, MariaDbDump, MySqlDump, PhpMyAdmin};
        let plan = match scenario {
            Scenario::TakenDown => Self {
                scenario,
                panels: vec![
                    panel(XcVm, MariaDbDump(false), Plain, 970),
                    PanelPlan { older: true, ..panel(XtreamUi, MySqlDump, Plain, 8) },
                    panel(StreamCreed, PhpMyAdmin, Zip, 5),
                    panel(XcVm, HeidiSql, Plain, 5),
                    PanelPlan { no_groups: true, ..panel(XtreamUi, Adminer, Nested, 4) },
                    PanelPlan { charset: "latin1", ..panel(XtreamUi, MySqlDump, Gzip, 4) },
                    PanelPlan { prefix: "vg_", ..panel(XcVm, MariaDbDump(true), Plain, 4) },
                ],
                lines: rows(22_000_000),
                // 560 resellers; two of each panel's operators administer it. One server is shared.
                operators: some(560, 30) + 14,
                servers: some(240, 28) + 1,
                networks: 10,
                channels: some(2500, 40),
                films: some(20_000, 60),
                series: some(600, 6),
                providers: some(40, 5),
                paypal: some(60, 5),
                banks: some(20, 3),
                payments: rows(600_000),
                groups: some(24, 4),
                messages: rows(400_000),
                playlists: some(60, 8),
                torrents: some(30, 3),
                countries: 9,
            },
            Scenario::PerfectStorm => Self {
                scenario,
                panels: (0..12)
                    .map(|i| match i {
                        0 => panel(XcVm, MariaDbDump(true), Plain, 400),
                        1 => PanelPlan { older: true, ..panel(XtreamUi, MySqlDump, Plain, 90) },
                        2 => panel(StreamCreed, PhpMyAdmin, Gzip, 51),
                        3 | 7 => panel(XcVm, HeidiSql, Zip, 51),
                        4 | 8 => panel(XtreamUi, Adminer, Plain, 51),
                        5 => PanelPlan {
                            charset: "latin1",
                            ..panel(XtreamUi, MySqlDump, Nested, 51)
                        },
                        6 => {
                            PanelPlan { prefix: "pnl_", ..panel(StreamCreed, MySqlDump, Plain, 51) }
                        }
                        _ => panel(XcVm, MariaDbDump(false), Gzip, 51),
                    })
                    .collect(),
                lines: rows(2_000_000),
                operators: some(900, 44),
                servers: some(5500, 60) + 1,
                networks: 16,
                channels: some(1200, 40),
                films: some(6000, 40),
                series: some(200, 4),
                providers: some(120, 8),
                paypal: some(334, 11),
                banks: some(40, 4),
                payments: rows(1_200_000),
                groups: some(40, 4),
                messages: rows(200_000),
                playlists: some(80, 8),
                torrents: some(20, 2),
                countries: 11,
            },
            Scenario::Kbox => Self {
                scenario,
                panels: vec![
                    panel(XtreamUi, MySqlDump, Gzip, 800),
                    PanelPlan { older: true, ..panel(XcVm, MariaDbDump(true), Plain, 200) },
                ],
                lines: rows(120_000),
                operators: some(48, 12),
                servers: 12,
                networks: 4,
                channels: some(400, 20),
                // 82,000 titles.
                films: some(80_500, 80),
                series: some(1500, 8),
                providers: some(6, 2),
                paypal: some(12, 2),
                banks: 8,
                payments: rows(90_000),
                groups: some(6, 2),
                messages: rows(30_000),
                playlists: some(20, 4),
                torrents: some(10, 2),
                countries: 5,
            },
            Scenario::Sparks => Self {
                scenario,
                panels: vec![panel(XcVm, MariaDbDump(false), Plain, 1000)],
                lines: rows(20_000),
                operators: some(40, 12),
                servers: some(60, 20),
                networks: 16,
                channels: some(120, 20),
                films: some(4000, 60),
                series: some(120, 6),
                providers: some(4, 2),
                paypal: some(6, 2),
                banks: some(4, 2),
                payments: rows(20_000),
                groups: some(10, 4),
                messages: rows(60_000),
                playlists: some(6, 3),
                torrents: some(3000, 24),
                countries: 8,
            },
            Scenario::Small => Self {
                scenario,
                panels: vec![
                    panel(XcVm, MariaDbDump(false), Plain, 600),
                    PanelPlan { older: true, ..panel(XtreamUi, PhpMyAdmin, Gzip, 250) },
                    panel(StreamCreed, Adminer, Zip, 150),
                ],
                lines: 400,
                operators: 18,
                servers: 12,
                networks: 5,
                channels: 16,
                films: 12,
                series: 2,
                providers: 3,
                paypal: 5,
                banks: 2,
                payments: 150,
                groups: 3,
                messages: 120,
                playlists: 4,
                torrents: 6,
                countries: 4,
            },
        };
        Ok(plan)
    }
}
