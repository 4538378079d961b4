//! The paste box: a list of URLs, names and addresses becomes a ticket; each line is told what became of it.

use axum::extract::{Extension, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use desk::clearing::House;
use maud::{Markup, html};
use model::Reference;
use serde::Deserialize;
use shield::harm::Finding;
use shield::order::words::{EventId, MAX_ITEMS, OrderId, Organisation, Right};
use shield::order::{Audience, Command, Deed, Order, Refusal, Submission};

use super::acts::{self, No, act};
use super::live::{of_ticket, shown};
use super::{check, look, reports_for, with};
use crate::app::{App, Ctx, PageError, fail};
use crate::gate::Who;
use crate::html::hostile::text;
use crate::html::parts::command;
use crate::i18n::Lang;

/// What somebody is writing: kept in the page where it was not taken.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Draft {
    under: String,
    works: String,
    case: String,
    items: String,
    #[serde(skip)]
    said: Option<String>,
    #[serde(skip)]
    lines: Vec<(String, Finding)>,
}

impl Draft {
    /// The box; nothing to report under is said instead.
    pub(crate) fn form(&self, lang: Lang, under: &[(Order, Vec<EventId>)]) -> Markup {
        let options = under.iter().flat_map(|(order, events)| {
            let of_event = events
                .iter()
                .map(|event| (format!("event:{event}"), format!("{event} · {}", order.id)));
            of_event.chain([(
                format!("order:{}", order.id),
                format!("{} · {}", order.id, lang.t("report.no_event")),
            )])
        });
        html! {
            section.report aria-labelledby="h-report" {
                h2 #h-report { (lang.t("report.title")) }
                @if let Some(said) = &self.said { div.notice.is-error role="alert" { p { (text(said)) } p { (lang.t("report.kept")) } } }
                @if !self.lines.is_empty() { (check::lines(lang, &self.lines)) }
                @if under.is_empty() {
                    p { (lang.t("report.no_order")) }
                    (command(lang, "vigie shield order 7/26 --reporter ORGANISATION --right RIGHT --as PERSON"))
                } @else {
                    form.stack method="post" action="/report" {
                        div.row {
                            label.field { span { (lang.t("report.under")) }
                                select name="under" {
                                    @for (value, words) in options { option value=(value) selected[value == self.under] { (words) } }
                                }
                            }
                            label.field { span { (lang.t("report.works")) }
                                input type="text" name="works" value=(self.works) autocomplete="off" spellcheck="false";
                            }
                        }
                        details open[!self.case.is_empty()] {
                            summary { (lang.t("report.case")) }
                            label.field { span { (lang.t("report.case_how")) }
                                input.mono type="text" name="case" value=(self.case) autocomplete="off" spellcheck="false";
                            }
                        }
                        label.field { span { (lang.t("report.items")) }
                            textarea name="items" rows="4" required spellcheck="false" autocapitalize="none" { (self.items) }
                        }
                        div.row {
                            button type="submit" { (lang.t("report.send")) }
                            span.quiet { (lang.n("report.how", MAX_ITEMS as u64, &[])) }
                        }
                    }
                }
            }
        }
    }

    fn refused(mut self, said: String, lines: Vec<(String, Finding)>) -> Self {
        (self.said, self.lines) = (Some(said), lines);
        self
    }
}

/// The lines of what was pasted, without empty ones.
pub(crate) fn lines_of(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}

/// `POST /report`.
pub(crate) async fn report(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(draft): Form<Draft>,
) -> Response {
    let ctx = Ctx::of(&headers, "/live", "", Vec::new());
    let lang = ctx.lang;
    let asked = match submission(&app, &who, &draft).await {
        Ok(Ok(asked)) => asked,
        Ok(Err(why)) => {
            let draft = draft.refused(lang.t(why).to_owned(), Vec::new());
            return shown(&app, &who, &ctx, (StatusCode::UNPROCESSABLE_ENTITY, Vec::new()), draft)
                .await;
        }
        Err(error) => return fail(&ctx, &error),
    };
    let lines = asked.items.clone();
    match act(&app, &who, Command::Submit(asked)).await {
        Ok(done) => {
            let taken = done.steps.iter().find_map(|step| match &step.deed {
                Deed::Submitted(ticket) => Some(ticket.id),
                _ => None,
            });
            let to = taken.map_or_else(|| "/live".to_owned(), of_ticket);
            acts::went(&app, &ctx, &done, &to).await
        }
        Err(No::Failed(error)) => fail(&ctx, &error),
        Err(no) => {
            // Each line's own reason, where there is no ticket that could show it.
            let found = match no {
                No::Refused(Refusal::NoItems) => {
                    with(&app, move |clearing| check::findings_of(&clearing.known, &lines)).await
                }
                _ => Ok(Vec::new()),
            };
            let said = match &no {
                No::Refused(why) => acts::refusal(lang, why),
                No::Form(key) => lang.t(key).to_owned(),
                No::Asked(why) => format!("{} {why}", lang.t("act.asked")),
                No::Failed(_) => String::new(),
            };
            let draft = draft.refused(said, found.unwrap_or_default());
            shown(&app, &who, &ctx, (StatusCode::CONFLICT, Vec::new()), draft).await
        }
    }
}

/// What is asked for; or why nothing can be asked of the house: a text of the catalogues.
async fn submission(
    app: &App,
    who: &Who,
    draft: &Draft,
) -> Result<Result<Submission, &'static str>, PageError> {
    const CHOOSE: &str = "report.choose";
    let (kind, name) = draft.under.split_once(':').unwrap_or_default();
    let (order, event) = match kind {
        "order" => (OrderId::new(name), None),
        "event" => (None, EventId::new(name)),
        _ => (None, None),
    };
    let items = lines_of(&draft.items);
    if order.is_none() && event.is_none() || items.is_empty() {
        return Ok(Err(CHOOSE));
    }
    // A work that cannot be one is not left out: without it the report would be for others, or for all.
    let works = draft.works.split([',', '\n']).map(str::trim).filter(|work| !work.is_empty());
    let works: Option<Vec<Right>> = works.map(Right::new).collect();
    let Some(named) = works else { return Ok(Err("refusal.not_in_order")) };
    let case = match draft.case.trim() {
        "" => None,
        text => match text.parse::<Reference>() {
            Ok(case) => Some(Box::new(case)),
            Err(_) => return Ok(Err("report.no_case")),
        },
    };
    let own = reports_for(app, who);
    let found = look(app, move |house| under(house, (order, event), own.as_ref()));
    let Some((order, event, rights)) = found.await? else { return Ok(Err(CHOOSE)) };
    let works = if named.is_empty() { rights } else { named };
    Ok(Ok(Submission { order, event, works, items, audience: Audience::All, until: None, case }))
}

/// What a report is under, where it names an order or one of its events; with the works that it is for where it names
/// none. Of another's order nothing is told: the machine says whose it is not.
pub(super) fn under(
    house: &House,
    (order, event): (Option<OrderId>, Option<EventId>),
    own: Option<&Organisation>,
) -> Option<(OrderId, Option<EventId>, Vec<Right>)> {
    let state = house.state();
    let of_event = event.as_ref().and_then(|event| state.event(event));
    let id = order.or_else(|| of_event.map(|event| event.order.clone()))?;
    // An event that names its works is of these.
    let works = of_event.map(|event| event.works.to_vec()).filter(|works| !works.is_empty());
    let order = state.order(&id).filter(|order| own == Some(&order.reporter));
    let rights = order.map(|order| works.unwrap_or_else(|| order.rights.to_vec()));
    Some((id, event, rights.unwrap_or_default()))
}
