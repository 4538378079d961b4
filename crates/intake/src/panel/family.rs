//! Which family a panel's schema belongs to: the columns that only one family has decide.
//!
//! Hybrids exist (StreamCreed's columns in Xtream UI's tables; stages between Xtream Codes and
//! XC_VM): the family with the most columns of its own wins. Xtream Codes v2 is what Xtream UI was
//! made from; without operators, bouquets and groups the two cannot be told apart, and the later,
//! commoner one is named.

use super::shape::Shape;

/// The families.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    XcVm,
    XtreamUi,
    XtreamCodes,
    StreamCreed,
}

impl Family {
    /// The word in keys and facts.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::XcVm => "xc_vm",
            Self::XtreamUi => "xtream_ui",
            Self::XtreamCodes => "xtream_codes",
            Self::StreamCreed => "streamcreed",
        }
    }
}

/// Columns that, in this logical table, only this family has.
const OWN: &[(Family, Shape, &[&str])] = &[
    (
        Family::XcVm,
        Shape::Lines,
        &["last_ip", "allowed_outputs", "package_id", "last_activity_array", "contact"],
    ),
    (Family::XcVm, Shape::Operators, &["hue", "theme", "timezone", "api_key"]),
    (
        Family::XcVm,
        Shape::Servers,
        &["is_main", "server_type", "private_ip", "xc_vm_version", "xui_version"],
    ),
    (
        Family::XcVm,
        Shape::Streams,
        &["movie_properties", "uuid", "llod", "plex_uuid", "fps_threshold"],
    ),
    (
        Family::XcVm,
        Shape::StreamServers,
        &["cc_info", "aes_pid", "compatible", "audio_codec", "ondemand_check"],
    ),
    (Family::XcVm, Shape::Activity, &["proxy_id", "hmac_id", "hmac_identifier"]),
    (Family::XcVm, Shape::Live, &["uuid", "active_pid", "fingerprinting"]),
    (Family::XcVm, Shape::Groups, &["subresellers", "notice_html", "allow_change_bouquets"]),
    (Family::XcVm, Shape::Mag, &["theme_type", "mac_filter"]),
    (Family::XcVm, Shape::Bouquets, &["bouquet_movies", "bouquet_radios"]),
    (Family::XcVm, Shape::Logins, &["access_code", "status"]),
    (Family::XcVm, Shape::OperatorLog, &["log_id", "credits_after", "deleted_info"]),
    (Family::StreamCreed, Shape::Operators, &["otp", "cookie_value"]),
    (
        Family::StreamCreed,
        Shape::Servers,
        &["server_isp", "broadcast", "broadcast_internal", "nginx_config", "redis_port"],
    ),
    (Family::StreamCreed, Shape::Streams, &["is_adult", "is_website"]),
    (Family::StreamCreed, Shape::Activity, &["city"]),
    (Family::StreamCreed, Shape::Live, &["token", "city"]),
    (Family::StreamCreed, Shape::Groups, &["full_admin", "allow_custom_dns", "lock_device"]),
    (Family::StreamCreed, Shape::Mag, &["hw_version_2"]),
    (Family::XtreamUi, Shape::Operators, &["dark_mode", "sidebar", "expanded_sidebar"]),
];

/// What the tables of one database said so far.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// For each family its own columns found, and where the first stands.
    found: [(u32, Option<(u64, u64)>); 4],
    /// Tables that have, and that lack, what Xtream UI added to them.
    added: (u32, u32),
    /// Where the first column of a telling table stands.
    any: Option<(u64, u64)>,
}

impl Evidence {
    /// Takes a table's columns and where their names stand (or, without a definition, one span for
    /// all of them).
    pub(crate) fn table(&mut self, shape: Shape, columns: &[&str], spans: &[(u64, u64)]) {
        let find = |name: &str| {
            let at = columns.iter().position(|c| c.eq_ignore_ascii_case(name))?;
            Some(spans.get(at).or(spans.first()).copied())
        };
        for (family, _, own) in OWN.iter().filter(|(_, s, _)| *s == shape) {
            let slot = &mut self.found[*family as usize];
            for span in own.iter().filter_map(|name| find(name)) {
                slot.0 += 1;
                slot.1 = slot.1.or(span);
            }
        }
        // What Xtream UI added to tables of Xtream Codes (and XC_VM kept).
        let added = match shape {
            Shape::Operators => Some("dark_mode"),
            Shape::Groups => Some("minimum_trial_credits"),
            Shape::Bouquets => Some("bouquet_order"),
            _ => None,
        };
        if let Some(name) = added {
            match find(name) {
                Some(span) => {
                    self.added.0 += 1;
                    let slot = &mut self.found[Family::XtreamUi as usize];
                    slot.1 = slot.1.or(span);
                }
                None => self.added.1 += 1,
            }
        }
        if shape.telling() {
            self.any = self.any.or(spans.first().copied());
        }
    }

    /// The family, and where what decided stands.
    pub(crate) fn family(&self) -> (Family, Option<(u64, u64)>) {
        let points = |f: Family| self.found[f as usize].0;
        let own = [Family::XcVm, Family::StreamCreed, Family::XtreamUi];
        let best = own.into_iter().max_by_key(|f| (points(*f), std::cmp::Reverse(*f)));
        let family = match best {
            Some(f) if points(f) > 0 => f,
            _ if self.added.1 > self.added.0 => Family::XtreamCodes,
            _ => Family::XtreamUi,
        };
        (family, self.found[family as usize].1.or(self.any))
    }
}
