//! What is of another type than an answer can mean: said, at its place, and costing only itself.
//!
//! Panels write numbers as strings, nothing as `null`, `""`, `[]` or `{}`, and a list as an object:
//! none of that is a problem. A list or an object where a single value belongs is; so is a single
//! value where an object or a list belongs.

use model::{Problem, ProblemKind};

use super::Reader;
use crate::json::{Node, NodeKind};

/// Members that are single values wherever they stand in an answer. Others may be anything.
const SINGLE: &[&str] = &[
    "active_cons",
    "added",
    "auth",
    "category_id",
    "category_name",
    "channel_id",
    "container_extension",
    "cover",
    "created_at",
    "description",
    "direct_source",
    "duration_secs",
    "end",
    "epg_channel_id",
    "epg_id",
    "episode_num",
    "exp_date",
    "https_port",
    "id",
    "imdb_id",
    "is_trial",
    "kinopoisk_url",
    "lang",
    "max_connections",
    "message",
    "movie_image",
    "name",
    "num",
    "parent_id",
    "password",
    "plot",
    "port",
    "rating",
    "rtmp_port",
    "season",
    "series_id",
    "server_protocol",
    "start",
    "start_timestamp",
    "status",
    "stop",
    "stop_timestamp",
    "stream_icon",
    "stream_id",
    "stream_type",
    "time_now",
    "timestamp_now",
    "timezone",
    "title",
    "tmdb",
    "tmdb_id",
    "tv_archive",
    "url",
    "username",
    "version",
    "year",
];

/// Members of an answer that hold an object or a list.
pub(super) const WHOLE: &[&str] = &[
    "available_channels",
    "categories",
    "epg_listings",
    "episodes",
    "movie_data",
    "server_info",
    "user_info",
];

impl Reader<'_, '_> {
    /// Says of each member of an object that it is no single value where it must be one; of what is
    /// no object at all, that.
    pub(super) fn check(&mut self, node: &Node, what: &str) {
        if !matches!(node.kind, NodeKind::Object(_)) {
            if !node.is_empty() {
                self.wrong(node, what, "an object");
            }
            return;
        }
        for (name, member) in node.members() {
            let nested = matches!(member.kind, NodeKind::Array(_) | NodeKind::Object(_));
            if nested && !member.is_empty() && SINGLE.contains(&&**name) {
                self.wrong(member, name, "a single value");
            }
        }
    }

    /// Says that a value is of a type that cannot be meant.
    pub(super) fn wrong(&mut self, node: &Node, name: &str, expected: &str) {
        let found = match &node.kind {
            NodeKind::Null => "null",
            NodeKind::Bool(_) => "yes or no",
            NodeKind::Number(_) => "a number",
            NodeKind::String(..) => "a text",
            NodeKind::Array(_) => "a list",
            NodeKind::Object(_) => "an object",
        };
        let name: String = name.chars().take(60).collect();
        self.out.problem(Problem {
            start: node.start,
            end: node.end,
            kind: ProblemKind::Type,
            message: format!("{name} is {found} where {expected} is expected"),
            lost: false,
        });
    }
}
