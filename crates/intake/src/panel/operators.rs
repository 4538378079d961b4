//! Those who run and resell: accounts, groups, sign-ins, tickets.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use model::{Key, Value};

use super::cell::{Span, each};
use super::{State, mentions, moment, say, say_text};
use crate::Sink;
use crate::dump::Piece;

/// What is kept of operators until the end.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// A table of operators was seen.
    table: bool,
    /// Number, group, and where the group's number stands.
    operators: Vec<(i64, Option<(i64, Span)>)>,
    known: HashSet<i64>,
    /// A table of groups was seen.
    grouped: bool,
    groups: HashMap<i64, Group>,
    /// Operator and address of successful sign-ins, each pair once, where the first stands.
    logins: Vec<(i64, IpAddr, Span)>,
    logged: HashSet<(i64, IpAddr)>,
    /// Tickets and whose they are.
    tickets: HashMap<i64, i64>,
    /// What replies say: the ticket, and the fact without its subject.
    replies: Vec<(i64, &'static str, Value, Span)>,
}

/// A group of operators.
#[derive(Debug)]
struct Group {
    admin: bool,
    admin_span: Span,
    name: Option<(String, Span)>,
}

/// The group that administers where no table of groups says otherwise.
const ADMINISTRATORS: i64 = 1;

/// Rows of the table of operators.
pub(super) fn operators(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    state.operators.table = true;
    each(piece, |row| {
        let Some((id, id_span)) = row.int("id") else { return };
        let key = state.key("operator", id);
        say(out, &key, "part_of", Value::Key(state.panel.clone()), id_span);
        for (column, property) in [("username", "user_name"), ("email", "email"), ("notes", "note")]
        {
            if let Some(text) = row.text(column) {
                say_text(out, &key, property, &text);
            }
        }
        if let Some(text) = row.text("credits") {
            let value =
                text.text.parse().map_or_else(|_| Value::Text(text.text.clone()), Value::Int);
            say(out, &key, "credits", value, text.span);
        }
        for (column, property) in [("date_registered", "created_at"), ("last_login", "last_login")]
        {
            if let Some((seconds, span)) = row.int(column)
                && let Some(at) = moment(seconds)
            {
                say(out, &key, property, at, span);
            }
        }
        for (column, property) in [("status", "enabled"), ("verified", "verified")] {
            if let Some((n, span)) = row.int(column) {
                say(out, &key, property, Value::Bool(n != 0), span);
            }
        }
        if let Some(span) = row.there("password") {
            say(out, &key, "password", Value::Secret, span);
        }
        for column in ["verify_key", "google_2fa_sec", "otp", "cookie_value", "api_key"] {
            if let Some(span) = row.there(column) {
                say(out, &key, "key", Value::Secret, span);
            }
        }
        if let Some(mail) = row.text("email")
            && let Some(to) = Key::email(mail.text.trim())
        {
            say(out, &key, "contact", Value::Key(to), mail.span);
        }
        if let Some(ip) = row.text("ip")
            && let Ok(address) = ip.text.trim().parse()
        {
            say(out, &key, "signed_in_from", Value::Key(Key::ip(address, state.exhibit)), ip.span);
        }
        if let Some((owner, span)) = row.int("owner_id")
            && owner != 0
            && owner != id
        {
            say(out, &key, "sub_reseller_of", Value::Key(state.key("operator", owner)), span);
        }
        if let Some(text) = row.text("reseller_dns") {
            say_text(out, &key, "host_name", &text);
        }
        for column in ["notes", "contact", "reseller_dns"] {
            if let Some(text) = row.text(column) {
                mentions(&text, &mut |to, span| say(out, &key, "mentions", Value::Key(to), span));
            }
        }
        if state.room(0, id_span, out) {
            state.operators.operators.push((id, row.int("member_group_id")));
            state.operators.known.insert(id);
        }
    });
}

/// Rows of the table of groups.
pub(super) fn groups(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    state.operators.grouped = true;
    each(piece, |row| {
        let (Some((id, span)), Some((admin, admin_span))) =
            (row.int("group_id"), row.int("is_admin"))
        else {
            return;
        };
        let name = row.text("group_name").map(|t| (super::cut(&t.text).to_owned(), t.span));
        if !state.room(name.as_ref().map_or(0, |(n, _)| n.len()), span, out) {
            return;
        }
        state.operators.groups.insert(id, Group { admin: admin != 0, admin_span, name });
    });
}

/// Rows of the table of sign-ins. Where there is a status, only success counts.
pub(super) fn logins(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let Some((id, _)) = row.int("user_id") else { return };
        if row.text("status").is_some_and(|s| !s.text.eq_ignore_ascii_case("success")) {
            return;
        }
        let Some(ip) = row.text("login_ip") else { return };
        let Ok(address) = ip.text.trim().parse::<IpAddr>() else { return };
        if !state.operators.logged.contains(&(id, address)) && state.room(0, ip.span, out) {
            state.operators.logged.insert((id, address));
            state.operators.logins.push((id, address, ip.span));
        }
    });
}

/// Rows of the table of tickets.
pub(super) fn tickets(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let (Some((id, span)), Some((member, _))) = (row.int("id"), row.int("member_id")) else {
            return;
        };
        if !state.room(0, span, out) {
            return;
        }
        state.operators.tickets.insert(id, member);
        if let Some(title) = row.text("title") {
            reply(state, id, &title, true, out);
        }
    });
}

/// Rows of the table of replies. What an administrator answers is part of the ticket; what it names
/// is not the member's word.
pub(super) fn replies(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let (Some((ticket, _)), Some(message)) = (row.int("ticket_id"), row.text("message")) else {
            return;
        };
        let member = row.int("admin_reply").is_none_or(|(n, _)| n == 0);
        reply(state, ticket, &message, member, out);
    });
}

fn reply(state: &mut State, ticket: i64, text: &super::Text, member: bool, out: &mut dyn Sink) {
    let said = super::cut(&text.text).to_owned();
    if !state.room(said.len(), text.span, out) {
        return;
    }
    state.operators.replies.push((ticket, "ticket", Value::Text(said), text.span));
    if member {
        mentions(text, &mut |to, span| {
            if state.room(to.as_str().len(), span, out) {
                state.operators.replies.push((ticket, "mentions", Value::Key(to), span));
            }
        });
    }
}

/// Roles, groups, sign-ins and tickets, once all tables are known.
pub(super) fn finish(state: &mut State, whole: bool, out: &mut dyn Sink) {
    let kept = std::mem::take(&mut state.operators);
    for (id, group) in &kept.operators {
        let key = state.key("operator", *id);
        let Some((number, span)) = group else { continue };
        let (admin, role_span) = match kept.groups.get(number) {
            Some(group) => {
                if let Some((name, span)) = &group.name {
                    say(out, &key, "group", Value::Text(name.clone()), *span);
                }
                (group.admin, group.admin_span)
            }
            // Without a table of groups the first administers. A dump that was cut may have had one.
            None if !kept.grouped && (whole || *number == ADMINISTRATORS) => {
                (*number == ADMINISTRATORS, *span)
            }
            None if kept.grouped => (false, *span),
            None => continue,
        };
        let role = if admin { "administrator" } else { "reseller" };
        say(out, &key, "role", Value::Text(role.to_owned()), role_span);
    }
    for (id, address, span) in &kept.logins {
        if kept.known.contains(id) {
            let to = Key::ip(*address, state.exhibit);
            say(out, &state.key("operator", *id), "signed_in_from", Value::Key(to), *span);
        }
    }
    for (ticket, property, value, span) in kept.replies {
        let Some(member) = kept.tickets.get(&ticket) else { continue };
        if kept.known.contains(member) || !kept.table {
            say(out, &state.key("operator", *member), property, value, span);
        }
    }
}
