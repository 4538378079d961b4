//! `user_info` and `server_info` become the facts of a line and of its panel.

use model::{Key, Stamp, Value};

use super::Reader;
use crate::json::{Node, NodeKind};
use crate::xtream_url;

/// The host that a `server_info` names: its `url`, which is a host or, in some panels, a URL. A
/// number is none: panels that were wrongly set up give their port or their own number there.
pub(super) fn host(info: &Node) -> Option<String> {
    let text = info.get("url")?.text()?.trim();
    let host = match xtream_url::split(text) {
        Some(url) => url.locator_host(),
        None => {
            let whole = format!("//{text}");
            xtream_url::split(&whole)?.locator_host()
        }
    };
    host.filter(|host| !is_number(host))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Seconds since the epoch, as a number or a string of one, or a date.
pub(super) fn time(node: &Node) -> Option<Value> {
    let text = node.text()?.trim();
    match text.parse::<i64>() {
        Ok(0) => None,
        Ok(seconds) => Some(Value::Time(Stamp::unix_seconds(seconds))),
        Err(_) => Stamp::parse_iso(text).map(Value::Time),
    }
}

impl Reader<'_, '_> {
    pub(super) fn account_facts(&mut self) {
        if let Some(info) = self.server_info.take() {
            let url = info.get("url").filter(|u| u.text().is_some_and(|t| is_number(t.trim())));
            if let Some(url) = url {
                self.wrong(url, "url", "a host");
            }
            self.panel(&info);
        }
        if let Some(info) = self.user_info.take() {
            self.line(&info);
        }
    }

    fn panel(&mut self, info: &Node) {
        let panel = Key::panel_source(&self.locator);
        for (name, node) in info.members() {
            let Some(text) = shown(node) else { continue };
            match &**name {
                "url" => self.give(&panel, "url", Value::Text(text), node),
                "version" => self.give(&panel, "version", Value::Text(text), node),
                "timezone" => self.give(&panel, "timezone", Value::Text(text), node),
                "timestamp_now" => match time(node) {
                    Some(value) => self.give(&panel, "dumped_at", value, node),
                    None => {
                        self.give(&panel, "setting", Value::Text(format!("{name}={text}")), node)
                    }
                },
                _ if secret(name) => self.give(&panel, "secret", Value::Secret, node),
                _ => self.give(&panel, "setting", Value::Text(format!("{name}={text}")), node),
            }
        }
    }

    fn line(&mut self, info: &Node) {
        // `{"auth": 0}` names nobody.
        let Some(user) = info.get("username").and_then(Node::text).filter(|u| !u.is_empty()) else {
            return;
        };
        let line = Key::scoped("line", &self.locator, user);
        for (name, node) in info.members() {
            if node.is_empty() {
                continue;
            }
            let Some(text) = shown(node) else { continue };
            let (property, value) = match &**name {
                "username" => ("user_name", Value::Text(text)),
                "status" => ("status", Value::Text(text)),
                "message" => ("note", Value::Text(text)),
                "auth" => ("enabled", node.bool().map_or(Value::Text(text), Value::Bool)),
                "is_trial" => ("trial", node.bool().map_or(Value::Text(text), Value::Bool)),
                "max_connections" => {
                    ("max_connections", node.int().map_or(Value::Text(text), Value::Int))
                }
                "active_cons" => {
                    ("active_connections", node.int().map_or(Value::Text(text), Value::Int))
                }
                "exp_date" | "created_at" => {
                    let property = if &**name == "exp_date" { "expires_at" } else { "created_at" };
                    match time(node) {
                        Some(value) => (property, value),
                        // Zero is never.
                        None if node.int() == Some(0) => continue,
                        None => (property, Value::Text(text)),
                    }
                }
                _ if secret(name) => ("password", Value::Secret),
                _ => continue,
            };
            self.give(&line, property, value, node);
        }
    }
}

/// A scalar's text; words for yes and no.
pub(super) fn shown(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Bool(b) => Some(b.to_string()),
        _ => node.text().filter(|t| !t.is_empty()).map(str::to_owned),
    }
}

/// Members that hold passwords or keys.
pub(super) fn secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "api_key", "token"].iter().any(|word| name.contains(word))
}
