//! Events by forms on Live: one is announced under an order, carried on into overtime, or ended before its time.

use axum::extract::{Extension, Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use desk::clearing::read;
use maud::{Markup, html};
use serde::Deserialize;
use shield::order::command::Event;
use shield::order::words::{Channel, EventId, OrderId, Right};
use shield::order::{Command, Order};

use super::acts::{self, No, act};
use super::rows::May;
use super::{look, parts, reports_for};
use crate::app::{App, PageError};
use crate::gate::Who;
use crate::i18n::Lang;

/// Where these forms stand.
const BACK: &str = "/live";

/// What the forms offer, for who may announce; `None`: nobody else sees them.
#[derive(Debug)]
pub(crate) struct Forms {
    orders: Vec<Order>,
}

impl Forms {
    /// For who asks: the orders that hold or are to come, all of them or the reporter's own.
    ///
    /// # Errors
    /// The house does not answer.
    pub(crate) async fn of(app: &App, who: &Who, may: &May) -> Result<Option<Self>, PageError> {
        let own = reports_for(app, who);
        if own.is_none() && !may.order {
            return Ok(None);
        }
        // Who gives orders announces under all of them.
        let whose = own.filter(|_| !may.order);
        let orders = look(app, move |house| read::open_orders(house, &whose)).await?;
        Ok(Some(Self { orders }))
    }

    /// The forms; `events` are those that run or come.
    pub(crate) fn shown<'a>(&self, lang: Lang, events: impl Iterator<Item = &'a Event>) -> Markup {
        if self.orders.is_empty() {
            return html! {};
        }
        let names: Vec<&EventId> = events.map(|event| &event.id).collect();
        html! {
            section aria-label=(lang.t("event.acts")) {
                div.actions { (self.announce(lang)) (extend(lang)) (end(lang)) }
                datalist #events { @for name in &names { option value=(name.as_str()) {} } }
            }
        }
    }

    fn announce(&self, lang: Lang) -> Markup {
        parts::fold(
            None,
            lang.t("event.announce"),
            html! {
                form.stack method="post" action="/events/announce" {
                    div.row {
                        label.field { span { (lang.t("event.name")) }
                            input type="text" name="event" required maxlength="200" autocomplete="off" spellcheck="false";
                        }
                        label.field { span { (lang.t("orders.order")) }
                            select name="order" required {
                                @for order in &self.orders { option value=(order.id.as_str()) { (order.id) " · " (order.reporter) } }
                            }
                        }
                    }
                    (parts::window(lang, "orders.from", "orders.until"))
                    label.field { span { (lang.t("event.works_field")) }
                        textarea name="works" rows="2" spellcheck="false" autocapitalize="none" {}
                    }
                    label.field { span { (lang.t("event.channels_field")) }
                        textarea name="channels" rows="2" spellcheck="false" {}
                    }
                    button type="submit" { (lang.t("event.announce")) }
                }
            },
        )
    }
}

fn which(lang: Lang) -> Markup {
    html! {
        label.field { span { (lang.t("event.name")) }
            input type="text" name="event" required list="events" maxlength="200" autocomplete="off" spellcheck="false";
        }
    }
}

fn extend(lang: Lang) -> Markup {
    parts::fold(
        None,
        lang.t("event.extend"),
        html! {
            form.stack method="post" action="/events/extend" {
                (which(lang))
                label.field { span { (lang.t("event.new_until")) } input type="datetime-local" name="until" required; }
                button type="submit" { (lang.t("event.extend")) }
            }
        },
    )
}

fn end(lang: Lang) -> Markup {
    parts::fold(
        None,
        lang.t("event.end"),
        html! {
            form.stack method="post" action="/events/end" {
                (which(lang))
                p.quiet { (lang.t("event.end_how")) }
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t("event.end")) }
            }
        },
    )
}

/// A form on an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct OnEvent {
    event: String,
    order: String,
    from: String,
    until: String,
    works: String,
    channels: String,
    grounds: String,
}

impl OnEvent {
    fn id(&self) -> Result<EventId, No> {
        EventId::new(&self.event).ok_or(No::Form("act.no_name"))
    }

    /// What was written, in a line: shown again where it was not done.
    fn written(&self) -> String {
        let all = [
            &self.event,
            &self.order,
            &self.from,
            &self.until,
            &self.works,
            &self.channels,
            &self.grounds,
        ];
        let all = all.map(|part| parts::lines(part).collect::<Vec<_>>().join(", "));
        all.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

/// `POST /events/announce`.
pub(crate) async fn announced(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnEvent>,
) -> Response {
    let run = async {
        // A name that cannot be one is not left out: the event would be of other works.
        let works: Option<Box<[Right]>> = parts::lines(&form.works).map(Right::new).collect();
        let channels: Option<Box<[Channel]>> =
            parts::lines(&form.channels).map(Channel::new).collect();
        let event = Event {
            works: works.ok_or(No::Form("act.no_name"))?,
            channels: channels.ok_or(No::Form("act.no_name"))?,
            ..Event::new(
                form.id()?,
                OrderId::new(&form.order).ok_or(No::Form("act.no_name"))?,
                acts::moment_or_now(&app, &form.from).await?,
                acts::moment(&form.until)?,
            )
        };
        act(&app, &who, Command::Announce(event)).await
    };
    acts::done(&app, &headers, (BACK, &form.written()), run).await
}

/// `POST /events/extend`.
pub(crate) async fn extended(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnEvent>,
) -> Response {
    let run = async {
        let (event, until) = (form.id()?, acts::moment(&form.until)?);
        act(&app, &who, Command::Extend { event, until }).await
    };
    acts::done(&app, &headers, (BACK, &form.written()), run).await
}

/// `POST /events/end`.
pub(crate) async fn ended(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<OnEvent>,
) -> Response {
    let run = async {
        let (event, grounds) = (form.id()?, acts::grounds(&form.grounds)?);
        act(&app, &who, Command::EndEvent { event, grounds }).await
    };
    acts::done(&app, &headers, (BACK, &form.written()), run).await
}
