//! Accounts: reporters and providers are organisations of the register, the authority's are people. All of them
//! are registered, changed and ended by `vigie party`, on the authority's own machine.

use desk::parties::{PartyRole, Register, Sector};
use serde_json::{Value, json};
use shield::order::words::Organisation;

use crate::answer::{Answer, Outcome};
use crate::api::now_ms;
use crate::call::Call;
use crate::codes::{ACCOUNT_GENERIC, ACCOUNT_NOT_FOUND, Fault};
use crate::ids::{Ids, Sort};
use crate::route::Caller;

/// Every account there is, each with what it is.
fn accounts(ids: &Ids, register: &Register) -> Vec<(Caller, Value)> {
    let now = now_ms();
    let shown = |id: String, name: &str, email: String, active: bool, caller: Caller| {
        let document = json!({
            "account_id": id, "name": name, "email": email, "role": caller.number(), "is_active": active,
        });
        (caller, document)
    };
    let organisations = register.organisations().filter_map(|(short, of)| {
        let caller = match of.sector {
            Sector::RightsHolder => Caller::Reporter,
            Sector::Isp => Caller::Provider,
            Sector::Authority | Sector::Reviewer | Sector::Other => return None,
        };
        // What a login begins with; who signs in is one of the organisation's people, or a key of its.
        Some(shown(
            ids.of_name(Sort::Organisation, short),
            &of.name,
            short.to_owned(),
            !of.suspended,
            caller,
        ))
    });
    let people = register.people().filter_map(|(short, person)| {
        let mut held: Vec<PartyRole> = person.roles.iter().map(|held| held.role).collect();
        held.retain(|role| !matches!(role, PartyRole::Reporter | PartyRole::Isp));
        let internal = held.iter().any(|role| *role != PartyRole::Public);
        let caller = if internal { Caller::Internal } else { Caller::Guest };
        let is_guest = !held.is_empty() || person.roles.is_empty();
        let active = !register.roles_at(short, now).is_empty();
        let email = format!("{short}@{}", person.organisation);
        is_guest
            .then(|| shown(ids.of_name(Sort::Person, short), &person.name, email, active, caller))
    });
    organisations.chain(people).collect()
}

fn listed(call: &Call<'_>, which: impl Fn(Caller) -> bool) -> Outcome {
    let all = call.api.access.register(|register| accounts(&call.api.ids, register));
    Ok(Answer::Data(
        all.into_iter().filter(|(caller, _)| which(*caller)).map(|(_, account)| account).collect(),
    ))
}

fn one(call: &Call<'_>, which: impl Fn(Caller) -> bool) -> Outcome {
    let id = call.body.text("account_id").ok_or(ACCOUNT_NOT_FOUND)?;
    let all = call.api.access.register(|register| accounts(&call.api.ids, register));
    let found = all.into_iter().find(|(caller, account)| {
        which(*caller) && account.get("account_id").is_some_and(|of| of == id)
    });
    found.map(|(_, account)| Answer::Data(account)).ok_or_else(|| ACCOUNT_NOT_FOUND.into())
}

/// One account.
pub(crate) fn get(call: &Call<'_>) -> Outcome {
    one(call, |_| true)
}

/// Every account.
pub(crate) fn all(call: &Call<'_>) -> Outcome {
    listed(call, |_| true)
}

macro_rules! sorts {
    ($( $get:ident $all:ident $caller:ident )*) => { $(
        /// One account of the sort.
        pub(crate) fn $get(call: &Call<'_>) -> Outcome {
            one(call, |caller| caller == Caller::$caller)
        }

        /// Every account of the sort.
        pub(crate) fn $all(call: &Call<'_>) -> Outcome {
            listed(call, |caller| caller == Caller::$caller)
        }
    )* };
}

sorts! {
    get_guest guests Guest
    get_internal internals Internal
    get_reporter reporters Reporter
    get_provider providers Provider
}

/// What is done by `vigie party` alone.
pub(crate) fn not_here(_: &Call<'_>) -> Outcome {
    Err(ACCOUNT_GENERIC.into())
}

/// The organisation of an account: by its identifier, or its short name.
///
/// # Errors
/// None is called so.
pub(crate) fn organisation_of(call: &Call<'_>, account: &str) -> Result<Organisation, Fault> {
    let ids = &call.api.ids;
    let found = call.api.access.register(|register| {
        let mut all = register.organisations().map(|(short, _)| short);
        all.find(|short| *short == account || ids.of_name(Sort::Organisation, short) == account)
            .map(str::to_owned)
    });
    found.and_then(|short| Organisation::new(&short)).ok_or_else(|| ACCOUNT_NOT_FOUND.into())
}
