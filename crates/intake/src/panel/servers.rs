//! Servers, and what the settings say of the panel itself.

use std::net::IpAddr;

use model::{Key, Value};

use super::cell::{Span, Text, each};
use super::family::Family;
use super::{State, moment, say, say_text};
use crate::Sink;
use crate::dump::Piece;

/// What is kept of servers.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The main server so far: how sure, its number, its address or name, where that stands.
    main: Option<(u8, i64, String, Span)>,
}

/// Rows of the table of servers.
pub(super) fn rows(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    let mut mains = Vec::new();
    each(piece, |row| {
        let Some((id, id_span)) = row.int("id") else { return };
        let key = state.key("server", id);
        say(out, &key, "part_of", Value::Key(state.panel.clone()), id_span);
        if let Some(name) = row.text("server_name") {
            say_text(out, &key, "name", &name);
        }
        let mut host: Option<(String, Span)> = None;
        if let Some(ip) = row.text("server_ip") {
            say_text(out, &key, "address", &ip);
            host = address(state, &key, &ip, out).or(host);
        }
        for column in ["private_ip", "vpn_ip"] {
            if let Some(ip) = row.text(column) {
                say_text(out, &key, "address", &ip);
            }
        }
        for column in ["domain_name", "broadcast", "broadcast_internal"] {
            if let Some(list) = row.text(column) {
                let found = names(&key, &list, out);
                host = host.or(found);
            }
        }
        if let Some((host, span)) = &host
            && let Some(same) = Key::server(host)
        {
            say(out, &key, model::fact::SAME_AS, Value::Key(same), *span);
        }
        for (column, property) in [
            ("http_broadcast_port", "port"),
            ("status", "status"),
            ("total_clients", "max_clients"),
        ] {
            if let Some((n, span)) = row.int(column) {
                say(out, &key, property, Value::Int(n), span);
            }
        }
        for (column, property) in [
            ("server_isp", "isp"),
            ("system_os", "os"),
            ("xc_vm_version", "version"),
            ("xui_version", "version"),
        ] {
            if let Some(text) = row.text(column) {
                say_text(out, &key, property, &text);
            }
        }
        if let Some((n, span)) = row.int("enabled") {
            say(out, &key, "enabled", Value::Bool(n != 0), span);
        }
        if let Some((seconds, span)) = row.int("last_check_ago")
            && let Some(at) = moment(seconds)
        {
            say(out, &key, "last_seen", at, span);
        }
        if let Some(span) = row.there("ssh_password") {
            say(out, &key, "password", Value::Secret, span);
        }
        // Which is the main one: a column says it; else the least number is.
        let main = match (row.int("is_main"), row.int("can_delete")) {
            (Some((n, span)), _) => {
                say(out, &key, "main", Value::Bool(n != 0), span);
                (n != 0).then_some(0)
            }
            (None, Some((n, span))) => {
                say(out, &key, "main", Value::Bool(n == 0), span);
                (n == 0).then_some(0)
            }
            (None, None) => Some(1),
        };
        if let (Some(sure), Some((host, span))) = (main, host) {
            mains.push((sure, id, host, span));
        }
    });
    for main in mains {
        let better = state.servers.main.as_ref().is_none_or(|m| (main.0, main.1) < (m.0, m.1));
        if better {
            state.servers.main = Some(main);
        }
    }
}

/// An address or a name in the column for addresses. Gives what names the server in the world.
fn address(state: &State, key: &Key, text: &Text, out: &mut dyn Sink) -> Option<(String, Span)> {
    let written = text.text.trim();
    match written.parse::<IpAddr>() {
        Ok(ip) => {
            say(out, key, "has_address", Value::Key(Key::ip(ip, state.exhibit)), text.span);
            model::key::is_global(ip).then(|| (ip.to_canonical().to_string(), text.span))
        }
        Err(_) => names(key, text, out),
    }
}

/// Host names in a list with commas; the first.
fn names(key: &Key, list: &Text, out: &mut dyn Sink) -> Option<(String, Span)> {
    let mut first = None;
    let mut at = 0;
    for part in list.text.split([',', ';', ' ', '\n']) {
        let name = part.trim();
        let start = at + (part.len() - part.trim_start().len());
        at += part.len() + 1;
        if name.is_empty() {
            continue;
        }
        let span = list.part(start..start + name.len());
        if let Some(domain) = Key::domain(name) {
            say(out, key, "host_name", Value::Text(name.to_owned()), span);
            first.get_or_insert((domain.rest().to_owned(), span));
            say(out, key, "has_name", Value::Key(domain), span);
        }
    }
    first
}

/// The row of settings.
pub(super) fn settings(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    let panel = state.panel.clone();
    each(piece, |row| {
        for (column, property) in [("server_name", "name"), ("default_timezone", "timezone")] {
            if let Some(text) = row.text(column) {
                state.keep(
                    &panel,
                    property,
                    Value::Text(super::cut(&text.text).to_owned()),
                    text.span,
                    out,
                );
            }
        }
        for column in [
            "live_streaming_pass",
            "api_pass",
            "smtp_password",
            "redis_password",
            "autobackup_pass",
            "tmdb_api_key",
            "dropbox_token",
            "license",
            "platform_api_key",
            "maxmind_license_key",
        ] {
            if let Some(span) = row.there(column) {
                state.keep(&panel, "secret", Value::Secret, span, out);
            }
        }
    });
}

/// The panel is its family and its main server.
pub(super) fn finish(state: &State, family: Family, out: &mut dyn Sink) {
    if let Some((_, _, host, span)) = &state.servers.main {
        let same = Key::panel(family.word(), host);
        say(out, &state.panel, model::fact::SAME_AS, Value::Key(same), *span);
    }
}
