//! What the columns of a table mean, and which hold secrets.

use model::{ColumnType, Meaning, TableRole, TableSchema};

use super::shape::Shape;

/// Sets role, meanings and secrets of a table.
pub(crate) fn dress(schema: &mut TableSchema, shape: Option<Shape>) {
    schema.role = shape.map_or(TableRole::Plain, role);
    let meanings = shape.map_or(&[][..], meanings);
    let mut used: Vec<Meaning> = Vec::new();
    for column in &mut schema.columns {
        let name = column.name.to_ascii_lowercase();
        column.secret = is_secret(shape, &name, column.ty);
        let known = meanings.iter().find(|(n, _)| *n == name).map(|(_, m)| *m);
        let meaning = known.or_else(|| if shape.is_none() { by_name(&name) } else { None });
        if let Some(m) = meaning.filter(|m| fits(*m, column.ty))
            && !column.secret
            && (m == Meaning::Note || !used.contains(&m))
        {
            used.push(m);
            column.meaning = Some(m);
        }
    }
    if schema.columns.len() == 2 {
        // Settings by name and value: some of the values are keys of services.
        let first = schema.columns[0].name.to_ascii_lowercase();
        if matches!(first.as_str(), "type" | "name" | "key" | "setting")
            && schema.columns[1].name.eq_ignore_ascii_case("value")
        {
            schema.columns[1].secret = true;
        }
    }
}

fn role(shape: Shape) -> TableRole {
    match shape {
        Shape::Lines => TableRole::Lines,
        Shape::Mag | Shape::Enigma => TableRole::Devices,
        Shape::Activity | Shape::Live => TableRole::Activity,
        Shape::Logins => TableRole::Logins,
        Shape::OperatorLog | Shape::PanelLog => TableRole::OperatorLog,
        Shape::ServerStats => TableRole::ServerStats,
        Shape::Credits => TableRole::Credits,
        Shape::Guide => TableRole::Programmes,
        _ => TableRole::Plain,
    }
}

fn meanings(shape: Shape) -> &'static [(&'static str, Meaning)] {
    use Meaning::*;
    match shape {
        Shape::Lines => &[
            ("id", Id),
            ("member_id", OperatorId),
            ("username", UserName),
            ("last_ip", Address),
            ("exp_date", Expiry),
            ("admin_enabled", AdminEnabled),
            ("enabled", Enabled),
            ("admin_notes", Note),
            ("reseller_notes", Note),
            ("max_connections", MaxConnections),
            ("is_trial", Trial),
            ("created_at", Created),
            ("isp_desc", Isp),
            ("contact", Email),
        ],
        Shape::Operators => &[
            ("id", Id),
            ("username", UserName),
            ("email", Email),
            ("ip", Address),
            ("date_registered", Created),
            ("notes", Note),
            ("status", Enabled),
        ],
        Shape::Groups => &[("group_id", Id)],
        Shape::Servers => &[("id", Id), ("server_ip", Address)],
        Shape::Streams => &[("id", Id), ("notes", Note), ("added", Created)],
        Shape::StreamServers => &[
            ("server_stream_id", Id),
            ("stream_id", StreamId),
            ("server_id", ServerId),
            ("stream_started", Time),
        ],
        Shape::Live | Shape::Activity => &[
            ("activity_id", Id),
            ("user_id", LineId),
            ("stream_id", StreamId),
            ("server_id", ServerId),
            ("user_agent", UserAgent),
            ("user_ip", Address),
            ("date_start", Time),
            ("date_end", TimeEnd),
            ("geoip_country_code", Country),
            ("isp", Isp),
        ],
        Shape::Mag => &[
            ("mag_id", Id),
            ("user_id", LineId),
            ("mac", Mac),
            ("ip", Address),
            ("country", Country),
            ("created", Created),
        ],
        Shape::Enigma => {
            &[("device_id", Id), ("mac", Mac), ("user_id", LineId), ("public_ip", Address)]
        }
        Shape::Credits => {
            &[("id", Id), ("target_id", OperatorId), ("date", Time), ("reason", Note)]
        }
        Shape::ClientLog => &[
            ("id", Id),
            ("stream_id", StreamId),
            ("user_id", LineId),
            ("user_agent", UserAgent),
            ("ip", Address),
            ("date", Time),
        ],
        Shape::Tickets => &[("id", Id), ("member_id", OperatorId), ("title", Note)],
        Shape::Replies => &[("id", Id), ("message", Note), ("date", Time)],
        Shape::Providers => &[("id", Id), ("username", UserName)],
        Shape::Episodes => &[("id", Id), ("stream_id", StreamId)],
        Shape::Logins => {
            &[("id", Id), ("user_id", OperatorId), ("login_ip", Address), ("date", Time)]
        }
        Shape::OperatorLog => {
            &[("id", Id), ("owner", OperatorId), ("username", UserName), ("date", Time)]
        }
        Shape::PanelLog => {
            &[("id", Id), ("log_message", Note), ("date", Time), ("server_id", ServerId)]
        }
        Shape::ServerStats => &[("id", Id), ("server_id", ServerId), ("time", Time)],
        Shape::Settings => &[],
        Shape::Guide => &[("id", Id), ("start", Time), ("end", TimeEnd)],
        Shape::Categories | Shape::Series | Shape::Bouquets => &[("id", Id)],
    }
}

/// What a column of a table of no panel means, where its name says so.
fn by_name(name: &str) -> Option<Meaning> {
    Some(match name {
        "id" => Meaning::Id,
        "email" | "e_mail" | "email_address" | "mail" | "user_email" => Meaning::Email,
        "ip" | "ip_address" | "ipaddress" | "ip_addr" | "user_ip" | "login_ip" | "last_ip"
        | "remote_addr" => Meaning::Address,
        "mac" | "mac_address" => Meaning::Mac,
        "user_agent" | "useragent" => Meaning::UserAgent,
        "username" | "user_name" | "login" => Meaning::UserName,
        "stream_id" => Meaning::StreamId,
        "server_id" => Meaning::ServerId,
        "notes" | "note" | "comment" | "comments" => Meaning::Note,
        _ => return None,
    })
}

/// True if a column of this type can hold values of this meaning.
fn fits(meaning: Meaning, ty: ColumnType) -> bool {
    use Meaning::*;
    match meaning {
        Id | LineId | OperatorId | StreamId | ServerId | Enabled | AdminEnabled | Trial
        | MaxConnections => {
            matches!(ty, ColumnType::Int | ColumnType::Text)
        }
        Time | TimeEnd | Expiry | Created => matches!(ty, ColumnType::Int | ColumnType::Text),
        _ => ty == ColumnType::Text,
    }
}

/// True for columns whose values are passwords, keys, tokens, or texts that hold them.
fn is_secret(shape: Option<Shape>, name: &str, ty: ColumnType) -> bool {
    let of_shape = match shape {
        Some(Shape::Lines) => name == "play_token",
        Some(Shape::StreamServers) => matches!(name, "current_source" | "cchannel_rsources"),
        Some(Shape::ClientLog) => matches!(name, "query_string" | "extra_data"),
        Some(Shape::Providers) => name == "data",
        Some(Shape::Enigma) => name == "key_auth",
        Some(Shape::OperatorLog) => name == "deleted_info",
        Some(Shape::Operators) => {
            matches!(name, "verify_key" | "google_2fa_sec" | "cookie_value" | "otp")
        }
        _ => false,
    };
    // URLs of sources hold accounts, wherever they stand.
    const URLS: [&str; 7] = [
        "stream_source",
        "source_url",
        "current_source",
        "epg_file",
        "query_string",
        "external_push",
        "adaptive_link",
    ];
    if of_shape || URLS.contains(&name) {
        return true;
    }
    // Flags and lengths about passwords are numbers.
    if ty == ColumnType::Int || ty == ColumnType::Real {
        return name == "otp" || name == "pin";
    }
    const WORDS: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
        "ssh_key",
        "2fa",
        "licence_key",
        "license_key",
    ];
    const WHOLE: [&str; 7] = ["pass", "pwd", "salt", "license", "licence", "hash", "pin"];
    WORDS.iter().any(|w| name.contains(w))
        || WHOLE.contains(&name)
        || ["_pass", "_pwd", "_salt"].iter().any(|w| name.ends_with(w))
}
