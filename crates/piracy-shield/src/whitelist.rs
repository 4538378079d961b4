//! The whitelist: exceptions of the clearing house. Whoever may proposes one; it counts once a second person, of
//! another organisation, approved it, and then also for what is blocked already.

use desk::clearing::House;
use desk::parties::PartyRole;
use serde_json::{Value, json};
use shield::item::Kind;
use shield::order::exceptions::{Cover, Exception};
use shield::order::words::{Grounds, Organisation};
use shield::order::{Command, Refusal};

use crate::account::organisation_of;
use crate::answer::{Answer, Outcome};
use crate::asked::exact;
use crate::call::{Call, REVIEWERS, refused};
use crate::codes::{
    AS_CODE_MISSING, AS_CODE_NON_VALID, CIDR_IPV4_NON_VALID, CIDR_IPV6_NON_VALID, Code, Fault,
    GENERIC, GENRE_NON_VALID, REGISTRAR_MISSING, REGISTRAR_NON_VALID, WHITELIST_CANNOT_REMOVE,
    WHITELIST_CANNOT_SET, WHITELIST_EXISTS, WHITELIST_FQDN_NON_VALID, WHITELIST_IPV4_NON_VALID,
    WHITELIST_IPV6_NON_VALID,
};
use crate::ids::Sort;

/// The most exceptions that one answer lists.
pub(crate) const MAX_LISTED: usize = 10_000;
/// Who may propose.
const PROPOSERS: &[PartyRole] = &[
    PartyRole::Reviewer,
    PartyRole::Regulator,
    PartyRole::Operator,
    PartyRole::Reporter,
    PartyRole::Isp,
];

/// Proposes an exception. A name is one name: what is below it is proposed as `*.NAME`, which the wire's own
/// whitelist could not say.
pub(crate) fn create(call: &Call<'_>) -> Outcome {
    let genre = call.body.text("genre").ok_or(GENRE_NON_VALID)?;
    let text = call.body.text("item").unwrap_or_default();
    let (cover, reason) = match genre {
        "fqdn" => (name(text)?, format!("registrar {}", registrar(call)?)),
        "ipv4" => (address(text, Kind::Ipv4, WHITELIST_IPV4_NON_VALID)?, autonomous(call)?),
        "ipv6" => (address(text, Kind::Ipv6, WHITELIST_IPV6_NON_VALID)?, autonomous(call)?),
        "cidr_ipv4" => (network(text, false, CIDR_IPV4_NON_VALID)?, autonomous(call)?),
        "cidr_ipv6" => (network(text, true, CIDR_IPV6_NON_VALID)?, autonomous(call)?),
        _ => return Err(GENRE_NON_VALID.into()),
    };
    let actor = call.actor(PROPOSERS)?;
    let grounds = Grounds::new(&format!("whitelist: {reason}")).ok_or(GENERIC)?;
    let command = Command::ProposeException { cover, until: None, grounds };
    done(call, &actor, command, WHITELIST_EXISTS)
}

fn done(call: &Call<'_>, actor: &shield::order::Actor, command: Command, code: Code) -> Outcome {
    match call.act(actor, vec![command])?.pop() {
        Some(Ok(_)) => Ok(Answer::Done),
        Some(Err(refusal @ Refusal::TooWide)) => Err(refused(&refusal, WHITELIST_CANNOT_SET)),
        Some(Err(refusal)) => Err(refused(&refusal, code)),
        None => Err(GENERIC.into()),
    }
}

fn name(text: &str) -> Result<Cover, Fault> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    match (exact(bare), text.parse::<Cover>()) {
        (Ok(item), Ok(cover)) if item.kind() == Kind::Fqdn => Ok(cover),
        _ => Err(WHITELIST_FQDN_NON_VALID.into()),
    }
}

fn address(text: &str, kind: Kind, bad: Code) -> Result<Cover, Fault> {
    let item = exact(text).ok().filter(|item| item.kind() == kind).ok_or(bad)?;
    item.to_string().parse::<Cover>().map_err(|_| bad.into())
}

fn network(text: &str, v6: bool, bad: Code) -> Result<Cover, Fault> {
    if !text.contains('/') || text.contains(':') != v6 {
        return Err(bad.into());
    }
    text.parse::<Cover>().map_err(|_| bad.into())
}

fn registrar<'a>(call: &'a Call<'_>) -> Result<&'a str, Fault> {
    let text = call.body.text("registrar").ok_or(REGISTRAR_MISSING)?;
    let plain = |c: char| c.is_alphanumeric() || " .,-_".contains(c);
    let fits = (3..=255).contains(&text.chars().count()) && text.chars().all(plain);
    if fits { Ok(text) } else { Err(REGISTRAR_NON_VALID.into()) }
}

fn autonomous(call: &Call<'_>) -> Result<String, Fault> {
    let value = call.body.get("as_code").ok_or(AS_CODE_MISSING)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let text = text.trim().to_ascii_uppercase();
    let digits = text.strip_prefix("AS").unwrap_or(&text);
    let fits = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(format!("AS{digits}")) } else { Err(AS_CODE_NON_VALID.into()) }
}

/// What one's own organisation proposed.
pub(crate) fn own(call: &Call<'_>) -> Outcome {
    listed(call, Some(call.own()?), false)
}

/// What an organisation proposed.
pub(crate) fn of_account(call: &Call<'_>) -> Outcome {
    let account = call.body.text("account_id").unwrap_or_default();
    listed(call, Some(organisation_of(call, account)?), false)
}

/// What everybody proposed.
pub(crate) fn global(call: &Call<'_>) -> Outcome {
    listed(call, None, true)
}

fn listed(call: &Call<'_>, of: Option<Organisation>, whose: bool) -> Outcome {
    let all = call.api.look(move |house: &mut House| {
        let all = house.state().exceptions().iter();
        let own =
            all.filter(|(_, exception)| of.as_ref().is_none_or(|of| exception.organisation == *of));
        own.take(MAX_LISTED)
            .map(|(cover, exception)| (cover.clone(), exception.clone()))
            .collect::<Vec<_>>()
    })?;
    let shown = |(cover, exception): &(Cover, Exception)| {
        let mut document = json!({
            "genre": genre(cover), "value": value(cover), "is_active": exception.approved,
            // When it was proposed stands in the log.
            "metadata": {"created_at": Value::Null},
        });
        if whose && let Some(fields) = document.as_object_mut() {
            let of = exception.organisation.as_str();
            let name = call
                .api
                .access
                .register(|register| register.organisation(of).map(|of| of.name.clone()));
            let by = call.api.ids.of_name(Sort::Organisation, of);
            let metadata =
                json!({"created_at": Value::Null, "created_by": by, "created_by_name": name});
            fields.insert("metadata".to_owned(), metadata);
        }
        document
    };
    Ok(Answer::Data(all.iter().map(shown).collect()))
}

/// A cover as the wire calls it. It has no genre for an autonomous system, which is none of an item's: ours.
fn genre(cover: &Cover) -> &'static str {
    let text = cover.to_string();
    match cover {
        Cover::Name(_) | Cover::Below(_) => "fqdn",
        Cover::Network(_) if text.ends_with("/32") && !text.contains(':') => "ipv4",
        Cover::Network(_) if text.ends_with("/128") => "ipv6",
        Cover::Network(_) if text.contains(':') => "cidr_ipv6",
        Cover::Network(_) => "cidr_ipv4",
        Cover::System(_) => "as",
    }
}

fn value(cover: &Cover) -> String {
    let text = cover.to_string();
    match genre(cover) {
        "ipv4" | "ipv6" => text.split_once('/').map_or(text.clone(), |(ip, _)| ip.to_owned()),
        _ => text,
    }
}

/// Approves what somebody of another organisation proposed: what it covers is lifted, and not blocked again.
pub(crate) fn approve(call: &Call<'_>) -> Outcome {
    let text = call.body.text("item").unwrap_or_default();
    let cover = text.parse::<Cover>().map_err(|_| WHITELIST_CANNOT_SET)?;
    let actor = call.actor(REVIEWERS)?;
    done(call, &actor, Command::ApproveException { cover }, WHITELIST_CANNOT_SET)
}

/// Ends an exception that holds: what it covered is reported and checked again like anything else. Of one that
/// nobody approved there is nothing to end.
pub(crate) fn revoke(call: &Call<'_>) -> Outcome {
    let (cover, approved) = known(call)?.ok_or(WHITELIST_CANNOT_SET)?;
    if !approved {
        return Ok(Answer::Done);
    }
    let actor = call.actor(REVIEWERS)?;
    let grounds = Grounds::new("whitelist: set non-active").ok_or(GENERIC)?;
    done(call, &actor, Command::RevokeException { cover, grounds }, WHITELIST_CANNOT_SET)
}

/// Takes back what was proposed, and nobody approved: one's own, or a reviewer anybody's. That it was proposed
/// stays in the log.
pub(crate) fn remove(call: &Call<'_>) -> Outcome {
    let (cover, approved) = known(call)?.ok_or(WHITELIST_CANNOT_REMOVE)?;
    if approved {
        return Err(Fault::of(
            WHITELIST_CANNOT_REMOVE,
            "that exception holds: a reviewer ends it by /whitelist/item/set/status/non_active",
        ));
    }
    let actor = call.actor(PROPOSERS)?;
    let grounds = Grounds::new("whitelist: removed").ok_or(GENERIC)?;
    done(call, &actor, Command::RevokeException { cover, grounds }, WHITELIST_CANNOT_REMOVE)
}

/// The exception of exactly this item, and whether it was approved.
fn known(call: &Call<'_>) -> Result<Option<(Cover, bool)>, Fault> {
    let text = call.body.text("item").unwrap_or_default();
    let Ok(cover) = text.parse::<Cover>() else { return Ok(None) };
    call.api.look(move |house: &mut House| {
        let approved = house.state().exceptions().get(&cover).map(|exception| exception.approved);
        approved.map(|approved| (cover, approved))
    })
}
