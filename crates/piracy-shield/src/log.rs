//! What became of a ticket, out of the clearing house's log.

use model::record::Body;
use serde_json::{Value, json};
use shield::order::{Decision, Deed, Step};
use vault::Records;

use crate::answer::{Answer, Outcome};
use crate::call::{Call, failed, time};
use crate::ids::Sort;

/// The most records that are read for one answer, the newest: what is older `vigie verify` and the console show.
pub(crate) const MAX_READ: u64 = 20_000;

/// A line for each thing that was decided of a ticket, the oldest first.
pub(crate) fn of_ticket(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    let id = call.api.ids.of_number(Sort::Ticket, ticket.id.0);
    let mut lines = Vec::new();
    // The log is read beside the house, which goes on.
    let records = Records::open(&call.api.dir).map_err(|e| failed(e.into()))?;
    let mut text = String::new();
    for index in records.len().saturating_sub(MAX_READ)..records.len() {
        let (record, opening) = records.get(index).map_err(|e| failed(e.into()))?;
        if record.kind != "shield.decided" {
            continue;
        }
        let Ok(Body::ShieldDecided(body)) = Body::read(&record, &opening) else { continue };
        if body.part == 0 {
            text.clear();
        }
        text.push_str(&body.decision);
        if body.part + 1 < body.parts {
            continue;
        }
        let Ok(decision) = Decision::read(&text) else { continue };
        for step in decision.steps().filter(|step| step.deed.ticket() == Some(ticket.id)) {
            lines.push(line(&id, &step, index));
        }
    }
    Ok(Answer::Data(lines.into()))
}

fn line(ticket: &str, step: &Step, record: u64) -> Value {
    let item = match &step.deed {
        Deed::Turned { item, .. } | Deed::Objected { item, .. } => {
            format!(" of item {}", item.place())
        }
        _ => String::new(),
    };
    let message = format!(
        "{}{item} by {}, record {record}",
        step.deed.word().replace('_', " "),
        step.by.organisation
    );
    json!({"ticket_id": ticket, "message": message, "metadata": {"created_at": time(step.at)}})
}
