//! Which logical table of a panel a table is, by its columns alone: names and prefixes change, the
//! columns stay.
//!
//! Source: the schemas of XC_VM, Xtream UI R22, StreamCreed and Xtream Codes v2, whose tables hold
//! the same columns under other names (`users` are subscribers in three of them and operators in
//! the fourth).

/// A logical table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shape {
    Lines,
    Operators,
    Groups,
    Servers,
    Streams,
    StreamServers,
    Live,
    Activity,
    Mag,
    Enigma,
    Categories,
    Credits,
    ClientLog,
    Tickets,
    Replies,
    Providers,
    Series,
    Episodes,
    Logins,
    OperatorLog,
    PanelLog,
    ServerStats,
    Settings,
    Guide,
    Bouquets,
}

/// All of the first list, at least so many of the second, none of the third.
type Rule =
    (Shape, &'static [&'static str], &'static [&'static str], usize, &'static [&'static str]);

/// The rules; the first that holds decides.
const RULES: &[Rule] = &[
    (
        Shape::Lines,
        &["username", "password", "exp_date"],
        &[
            "admin_enabled",
            "enabled",
            "bouquet",
            "max_connections",
            "is_restreamer",
            "is_trial",
            "is_mag",
            "is_e2",
            "pair_id",
            "member_id",
            "created_at",
        ],
        6,
        &[],
    ),
    (
        Shape::Operators,
        &["username", "password", "member_group_id"],
        &[
            "email",
            "credits",
            "owner_id",
            "reseller_dns",
            "override_packages",
            "date_registered",
            "last_login",
            "notes",
        ],
        4,
        &["exp_date"],
    ),
    (
        Shape::Groups,
        &["group_id", "group_name", "is_admin"],
        &[
            "is_reseller",
            "total_allowed_gen_trials",
            "create_sub_resellers",
            "delete_users",
            "allowed_pages",
        ],
        2,
        &[],
    ),
    (
        Shape::Servers,
        &["server_name", "server_ip"],
        &[
            "http_broadcast_port",
            "https_broadcast_port",
            "rtmp_port",
            "network_interface",
            "watchdog_data",
            "total_clients",
            "last_check_ago",
            "geoip_type",
            "network_guaranteed_speed",
        ],
        4,
        &[],
    ),
    (
        Shape::Streams,
        &["stream_display_name", "stream_source"],
        &[
            "stream_icon",
            "direct_source",
            "target_container",
            "tv_archive_duration",
            "custom_sid",
            "type",
            "epg_id",
            "channel_id",
            "read_native",
        ],
        5,
        &[],
    ),
    (
        Shape::StreamServers,
        &["stream_id", "server_id"],
        &[
            "server_stream_id",
            "parent_id",
            "stream_status",
            "stream_started",
            "current_source",
            "on_demand",
            "monitor_pid",
            "bitrate",
        ],
        4,
        &["user_id"],
    ),
    (
        Shape::Live,
        &["user_id", "stream_id", "user_ip", "pid", "date_start"],
        &["activity_id", "server_id", "user_agent", "container", "geoip_country_code", "isp"],
        3,
        &[],
    ),
    (
        Shape::Activity,
        &["user_id", "stream_id", "user_ip", "date_start"],
        &[
            "activity_id",
            "server_id",
            "user_agent",
            "container",
            "date_end",
            "geoip_country_code",
            "isp",
        ],
        4,
        &[],
    ),
    (
        Shape::Mag,
        &["user_id", "mac"],
        &[
            "mag_id",
            "stb_type",
            "sn",
            "device_id",
            "device_id2",
            "hw_version",
            "last_watchdog",
            "image_version",
        ],
        4,
        &[],
    ),
    (
        Shape::Enigma,
        &["user_id", "mac"],
        &[
            "modem_mac",
            "key_auth",
            "enigma_version",
            "telnet_enable",
            "original_mac",
            "public_ip",
            "lversion",
        ],
        4,
        &[],
    ),
    (
        Shape::Categories,
        &["id", "category_type", "category_name"],
        &["parent_id", "cat_order"],
        1,
        &[],
    ),
    (Shape::Credits, &["target_id", "admin_id", "amount"], &["date", "reason"], 1, &[]),
    (Shape::ClientLog, &["client_status", "query_string", "user_agent"], &[], 0, &[]),
    (Shape::Tickets, &["id", "member_id", "title"], &["status", "admin_read", "user_read"], 2, &[]),
    (Shape::Replies, &["ticket_id", "admin_reply", "message"], &[], 0, &[]),
    (
        Shape::Providers,
        &["ip", "port", "username", "password"],
        &["legacy", "hls", "ssl", "last_changed", "data", "name"],
        3,
        &["exp_date"],
    ),
    (
        Shape::Series,
        &["id", "title", "category_id"],
        &["cover_big", "seasons", "episode_run_time", "backdrop_path", "cover", "plot"],
        3,
        &[],
    ),
    (Shape::Episodes, &["series_id", "stream_id", "season_num"], &[], 0, &[]),
    (Shape::Logins, &["user_id", "login_ip", "date"], &[], 0, &[]),
    (
        Shape::OperatorLog,
        &["owner", "type", "date"],
        &["action", "log_id", "username", "password"],
        2,
        &[],
    ),
    (Shape::PanelLog, &["log_message", "date"], &[], 0, &[]),
    (
        Shape::ServerStats,
        &["server_id", "connections", "time"],
        &["cpu", "total_mem", "bytes_sent", "total_running_streams"],
        2,
        &[],
    ),
    (
        Shape::Settings,
        &["server_name", "live_streaming_pass"],
        &["default_timezone", "api_pass", "split_clients", "allowed_stb_types"],
        2,
        &[],
    ),
    (Shape::Guide, &["epg_id", "title", "start", "end", "channel_id"], &[], 0, &[]),
    (Shape::Bouquets, &["bouquet_name", "bouquet_channels", "bouquet_series"], &[], 0, &[]),
];

/// What a table with these columns is, if it is one of a panel's.
pub(crate) fn recognise(columns: &[&str]) -> Option<Shape> {
    let has = |name: &&str| columns.iter().any(|c| c.eq_ignore_ascii_case(name));
    RULES
        .iter()
        .find(|(_, all, some, least, none)| {
            all.iter().all(has)
                && some.iter().filter(|n| has(n)).count() >= *least
                && !none.iter().any(has)
        })
        .map(|rule| rule.0)
}

impl Shape {
    /// True for tables that only a panel has: one of them makes a database a panel's.
    pub(crate) fn telling(self) -> bool {
        matches!(
            self,
            Self::Lines
                | Self::Operators
                | Self::Servers
                | Self::Streams
                | Self::StreamServers
                | Self::Groups
                | Self::Mag
        )
    }
}
