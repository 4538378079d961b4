//! Orders, which the wire calls DDA: the legal basis of a reporter's tickets.

use desk::clearing::House;
use serde_json::{Value, json};
use shield::order::words::{Grounds, OrderId, Organisation, Right};
use shield::order::{Command, Moment, Order};

use crate::account::organisation_of;
use crate::answer::{Answer, Outcome};
use crate::call::{AUTHORITY, Call, time};
use crate::codes::{
    DDA_ACCOUNT_NON_VALID, DDA_ACCOUNT_ROLE, DDA_CANNOT_REMOVE, DDA_CANNOT_SET,
    DDA_DESCRIPTION_NON_VALID, DDA_EXISTS, DDA_INSTANCE_NON_VALID, DDA_UNKNOWN, DDA_USED, Fault,
    GENERIC,
};
use crate::ids::Sort;
use crate::route::Caller;
use desk::parties::Sector;

/// The wire's orders have no end. Here one that it gives ends after so long; `vigie shield order` gives others.
pub(crate) const TERM_MS: u64 = 365 * 86_400_000;

/// Gives an order: bound to one reporter, for the right that its description names.
pub(crate) fn create(call: &Call<'_>) -> Outcome {
    let description = call.body.text("description").ok_or(DDA_DESCRIPTION_NON_VALID)?;
    let right = Right::new(description).filter(|right| right.as_str().chars().count() >= 3);
    let right = right.ok_or(DDA_DESCRIPTION_NON_VALID)?;
    let instance = call
        .body
        .text("instance")
        .filter(|text| is_instance(text))
        .ok_or(DDA_INSTANCE_NON_VALID)?;
    let id = OrderId::new(instance).ok_or(DDA_INSTANCE_NON_VALID)?;
    let account = call.body.text("account_id").ok_or(DDA_ACCOUNT_NON_VALID)?;
    let reporter = organisation_of(call, account).map_err(|_| DDA_ACCOUNT_NON_VALID)?;
    let sector = call
        .api
        .access
        .register(|register| register.organisation(reporter.as_str()).map(|of| of.sector));
    if sector != Some(Sector::RightsHolder) {
        return Err(DDA_ACCOUNT_ROLE.into());
    }
    let actor = call.actor(AUTHORITY)?;
    let (from, known) = call.api.look({
        let id = id.clone();
        move |house| (house.now(), house.state().order(&id).is_some())
    })?;
    if known {
        return Err(DDA_EXISTS.into());
    }
    let order = Order { id, reporter, rights: [right].into(), from, until: from.plus(TERM_MS) };
    call.act_one(&actor, Command::GiveOrder(order), DDA_EXISTS)?;
    Ok(Answer::Done)
}

/// 1 to 4 digits, the year in 2, `/DDA`.
fn is_instance(text: &str) -> bool {
    let digits = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    let mut parts = text.split('/');
    matches!((parts.next(), parts.next(), parts.next(), parts.next()), (Some(number), Some(year), Some("DDA"), None)
        if digits(number, 4) && year.len() == 2 && digits(year, 2))
}

/// One order, by its identifier or its number.
pub(crate) fn get(call: &Call<'_>) -> Outcome {
    let (order, now) = found(call)?;
    Ok(Answer::Data(shown(call, &order, now, false)))
}

fn found(call: &Call<'_>) -> Result<(Order, Moment), Fault> {
    let text = call.body.text("dda_id").ok_or(DDA_UNKNOWN)?;
    let (all, now) = orders(call, |_| true)?;
    let is = |order: &Order| {
        order.id.as_str() == text || call.api.ids.of_name(Sort::Order, order.id.as_str()) == text
    };
    let own = call.known.who.organisation();
    let may = |order: &Order| {
        call.known.caller == Caller::Internal || Some(order.reporter.as_str()) == own
    };
    let found = all.into_iter().find(|order| is(order) && may(order));
    found.map(|order| (order, now)).ok_or_else(|| DDA_UNKNOWN.into())
}

/// Orders, and the moment at which they were looked at.
fn orders(
    call: &Call<'_>,
    which: impl Fn(&Order) -> bool + Send + 'static,
) -> Result<(Vec<Order>, Moment), Fault> {
    call.api.look(move |house: &mut House| {
        let all = house.state().orders().filter(|order| which(order));
        (all.cloned().collect(), house.now())
    })
}

fn of(call: &Call<'_>, reporter: Organisation) -> Outcome {
    let (all, now) = orders(call, move |order| order.reporter == reporter)?;
    Ok(Answer::Data(all.iter().map(|order| shown(call, order, now, false)).collect()))
}

/// One's own.
pub(crate) fn own(call: &Call<'_>) -> Outcome {
    of(call, call.own()?)
}

/// A reporter's.
pub(crate) fn of_account(call: &Call<'_>) -> Outcome {
    let account = call.body.text("account_id").unwrap_or_default();
    of(call, organisation_of(call, account)?)
}

/// Every one.
pub(crate) fn global(call: &Call<'_>) -> Outcome {
    let (all, now) = orders(call, |_| true)?;
    Ok(Answer::Data(all.iter().map(|order| shown(call, order, now, true)).collect()))
}

fn is_active(order: &Order, now: Moment) -> bool {
    order.from <= now && now < order.until
}

fn shown(call: &Call<'_>, order: &Order, now: Moment, whose: bool) -> Value {
    let rights: Vec<&str> = order.rights.iter().map(Right::as_str).collect();
    let mut document = json!({
        "dda_id": call.api.ids.of_name(Sort::Order, order.id.as_str()),
        "description": rights.join(", "), "instance": order.id.as_str(),
        "is_active": is_active(order, now),
        "metadata": {"created_at": time(order.from), "ends_at": time(order.until)},
    });
    if whose && let Some(fields) = document.as_object_mut() {
        let of = order.reporter.as_str();
        let name = call
            .api
            .access
            .register(|register| register.organisation(of).map(|of| of.name.clone()));
        fields.insert("account_id".to_owned(), call.api.ids.of_name(Sort::Organisation, of).into());
        fields.insert("account_name".to_owned(), name.into());
    }
    document
}

/// An order that holds now is active; one that ended is given anew.
pub(crate) fn set_active(call: &Call<'_>) -> Outcome {
    let (order, now) = found(call)?;
    if is_active(&order, now) { Ok(Answer::Done) } else { Err(DDA_CANNOT_SET.into()) }
}

/// Ends an order before its end: what rests on it is lifted, what waits is refused, and nobody erred. One that
/// ended stays so, and whatever was left of it goes.
pub(crate) fn set_non_active(call: &Call<'_>) -> Outcome {
    let (order, _) = found(call)?;
    let actor = call.actor(AUTHORITY)?;
    let grounds = Grounds::new("dda: set non-active").ok_or(GENERIC)?;
    // What more than a thousand leave the clearing house lifts by itself.
    call.act_one(&actor, Command::EndOrder { order: order.id.clone(), grounds }, DDA_CANNOT_SET)?;
    Ok(Answer::Done)
}

/// Nothing goes out of the log.
pub(crate) fn remove(call: &Call<'_>) -> Outcome {
    let (order, _) = found(call)?;
    let used = call.api.look(move |house: &mut House| {
        let state = house.state();
        let all = state.tickets_of(&order.reporter).iter();
        all.filter_map(|id| state.ticket(*id)).any(|ticket| ticket.order == order.id)
    })?;
    Err(if used { DDA_USED.into() } else { DDA_CANNOT_REMOVE.into() })
}

#[cfg(test)]
mod tests {
    use super::is_instance;

    #[test]
    fn an_instance_has_its_form() {
        assert!(is_instance("1/26/DDA") && is_instance("9999/00/DDA"));
        for bad in [
            "",
            "1/26",
            "12345/26/DDA",
            "1/2026/DDA",
            "1/2/DDA",
            "a/26/DDA",
            "1/26/dda",
            "1/26/DDA/",
            "/26/DDA",
        ] {
            assert!(!is_instance(bad), "{bad}");
        }
    }
}
