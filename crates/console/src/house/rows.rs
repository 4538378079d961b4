//! Rows of items: on Live and on a ticket's page.

use desk::access::{Action, Principal};
use desk::clearing::read::ItemView;
use desk::clearing::said::Count;
use maud::{Markup, html};
use shield::harm::Finding;
use shield::order::words::{Organisation, Person};
use shield::order::{ItemId, Moment, Scope, Stage};

use super::parts;
use crate::app::App;
use crate::fmt;
use crate::gate::Who;
use crate::html::hostile::text;
use crate::i18n::Lang;

/// What somebody who reads rows may do there. Asked once a page; each act is decided again when it is done.
#[derive(Debug, Clone, Default)]
pub(crate) struct May {
    /// Who they are and for whom.
    person: Option<(String, String)>,
    approve: bool,
    lift: bool,
    lift_own: bool,
    /// Object decisions, stops.
    pub(crate) decide: bool,
    /// Stop everything.
    pub(crate) stop: bool,
    /// Stop what is their own organisation's.
    pub(crate) stop_own: bool,
    /// Say that it may go on.
    resume: bool,
    /// Register an order, and end one.
    pub(crate) order: bool,
    /// Propose an exception.
    pub(crate) propose: bool,
    /// Approve an exception, and revoke one that holds.
    pub(crate) except: bool,
}

impl May {
    /// Of who asks.
    pub(crate) fn of(app: &App, who: &Who) -> Self {
        let Principal::Person { person, organisation, .. } = &who.principal else {
            return Self::default();
        };
        let would = |action| app.access.would(&who.principal, action, who.source);
        Self {
            person: Some((person.clone(), organisation.clone())),
            approve: would(Action::ItemApprove),
            lift: would(Action::ItemLift),
            lift_own: would(Action::OwnItemLift),
            decide: would(Action::ObjectionDecide),
            stop: would(Action::Stop),
            stop_own: would(Action::OwnStop),
            resume: would(Action::Resume),
            order: would(Action::OrderGive),
            propose: would(Action::ExceptionPropose),
            except: would(Action::ExceptionApprove),
        }
    }

    /// Who asks and for whom, of a person.
    pub(crate) fn person(&self) -> Option<(&str, &str)> {
        self.person.as_ref().map(|(person, of)| (person.as_str(), of.as_str()))
    }

    /// True where their word to resume would count: the first, or a second person's. Of what one ISP gets that ISP's
    /// counts too.
    pub(crate) fn resumes(&self, scope: &Scope, first: Option<&(Person, Organisation)>) -> bool {
        let Some((person, of)) = self.person() else { return false };
        let own = matches!(scope, Scope::Isp(isp) if isp.as_str() == of) && self.stop_own;
        let second =
            first.is_none_or(|(first, theirs)| first.as_str() != person && theirs.as_str() != of);
        (self.resume || own) && second
    }

    /// True where they may end an item, as a reviewer or as its reporter.
    fn ends(&self, item: &ItemView) -> bool {
        self.lift || self.reported(item)
    }

    /// True where it is their own organisation's, and they may take it back.
    fn reported(&self, item: &ItemView) -> bool {
        self.lift_own && self.person().is_some_and(|(_, of)| of == item.reporter.as_str())
    }

    /// True where they would be a second person to its reporter.
    fn seconds(&self, item: &ItemView) -> bool {
        self.approve
            && self.person().is_some_and(|(person, of)| !item.needs_another_than(person, of))
    }
}

/// Where an item stands: since when, until when, and what holds it.
fn state(lang: Lang, item: &ItemView, now: Moment) -> Markup {
    let key = if item.stage == Stage::Held { "items.waits" } else { "items.for" };
    html! {
        (parts::stage(lang, item.stage))
        @if let Some(since) = item.since {
            br; span.quiet { (lang.f(key, &[("time", &parts::span(since, now))])) }
        }
        @if item.stage == Stage::Held {
            @for hold in &item.holds { br; span.quiet { (lang.t(&format!("hold.{hold}"))) } }
        }
        @if let Some(until) = item.until {
            br; span.quiet { (lang.t("items.until")) " " (parts::moment(until)) }
        }
        @if item.stage == Stage::InForce { (measured(lang, item)) (said(lang, item)) }
    }
}

/// How many ISPs say that they block it: their word, beside what is measured.
fn said(lang: Lang, item: &ItemView) -> Markup {
    let Count { processed, unprocessed } = item.said;
    html! {
        @if processed > 0 { span.quiet { (lang.n("measured.says", processed, &[])) } }
        @if processed > 0 && unprocessed > 0 { br; }
        @if unprocessed > 0 { span.quiet { (lang.n("measured.says_not", unprocessed, &[])) } }
    }
}

/// At how many ISPs it is measured to be blocked. It takes the same room whatever was measured, so that
/// nothing moves while the bar fills.
fn measured(lang: Lang, item: &ItemView) -> Markup {
    let bar = item.bar.filter(|bar| bar.of() > 0);
    html! {
        div.measured {
            @match bar {
                Some(bar) => {
                    progress max=(bar.of()) value=(bar.done) aria-label=(lang.t("measured.bar")) {}
                    span.quiet {
                        (lang.n("measured.blocking", bar.of(), &[("done", &fmt::number(bar.done))]))
                        @if bar.unknown > 0 { ", " (lang.n("measured.unknown", bar.unknown, &[])) }
                    }
                }
                None => { progress max="1" value="0" aria-hidden="true" {} span.quiet { (lang.t("measured.not")) } },
            }
        }
    }
}

fn what(lang: Lang, item: &ItemView, link: bool) -> Markup {
    html! {
        (parts::value(lang, item, link))
        br; span.quiet { (text(item.reporter.as_str())) " · " (parts::moment(item.at)) }
    }
}

fn ticket_and_place(id: ItemId, back: &str) -> Markup {
    html! {
        input type="hidden" name="item" value=(id.to_string());
        input type="hidden" name="back" value=(back);
    }
}

/// What may be done with an item, each act in its own fold, which opens without script.
fn acts(lang: Lang, item: &ItemView, may: &May, back: &str) -> Markup {
    let blocked = matches!(item.stage, Stage::InForce | Stage::Suspended);
    let ready = item.stage == Stage::Held && item.outcome.is_some();
    html! {
        @if let Some(capture) = item.capture.filter(|_| ready && may.seconds(item)) {
            (parts::fold(Some("a"), lang.t("act.approve"), html! {
                form.stack method="post" action="/items/approve" {
                    (ticket_and_place(item.id, back))
                    input type="hidden" name="capture" value=(capture.to_string());
                    p.quiet { (lang.t("act.approve_how")) " " (parts::capture(&capture, item.id.ticket())) }
                    @if item.is_address() { p.quiet { (lang.t("act.waives")) } }
                    (parts::grounds(lang, item.answered))
                    button type="submit" { (lang.t("act.approve")) }
                }
            }))
        }
        @if blocked && may.ends(item) {
            (parts::fold(Some("l"), lang.t("act.lift"), html! {
                form.stack method="post" action="/items/lift" {
                    (ticket_and_place(item.id, back))
                    // With two keys, on a match night: who reported it owes nobody a reason for taking it back.
                    (parts::grounds(lang, !may.reported(item)))
                    label.field {
                        span { (lang.t("act.collateral")) }
                        select name="collateral" {
                            option value="" { (lang.t("act.collateral_no")) }
                            option value="some" { (lang.t("act.collateral_some")) }
                            option value="grave" { (lang.t("act.collateral_grave")) }
                        }
                    }
                    button type="submit" { (lang.t("act.lift")) }
                }
            }))
        }
        @if !blocked && may.ends(item) {
            (parts::fold(Some("r"), lang.t("act.refuse"), html! {
                form.stack method="post" action="/items/refuse" {
                    (ticket_and_place(item.id, back))
                    (parts::grounds(lang, true))
                    button type="submit" { (lang.t("act.refuse")) }
                }
            }))
        }
    }
}

/// The table of items that live, with what the check says of each now. On a narrow screen each row stands
/// as a card, so that what may be done is in view.
pub(crate) fn items(
    lang: Lang,
    label: &str,
    rows: &[(ItemView, Finding)],
    may: &May,
    (now, back, link): (Moment, &str, bool),
) -> Markup {
    let heads = ["items.state", "items.item", "items.check", "items.acts"];
    html! {
        div.scroll role="group" aria-label=(label) tabindex="0" {
            table.list.items {
                thead { tr { @for head in heads { th scope="col" { (lang.t(head)) } } } }
                tbody {
                    @for (item, finding) in rows {
                        tr {
                            td { (state(lang, item, now)) }
                            td { (what(lang, item, link)) }
                            td { (parts::verdict(lang, finding, item.outcome.as_ref())) }
                            td { (acts(lang, item, may, back)) }
                        }
                    }
                }
            }
        }
    }
}
