//! What the page of parties says of reporters: which are suspended, why, and the forms that suspend one or let it
//! report again.

use std::collections::BTreeMap;

use maud::{Markup, html};
use shield::order::state::Stop;
use shield::order::words::Organisation;
use shield::order::{Halt, Scope};

use super::parts::{self, moment};
use super::rows::May;
use super::{live, look};
use crate::app::{App, PageError};
use crate::gate::Who;
use crate::i18n::Lang;

/// Where a form of these leads back to.
const BACK: &str = "/parties";

/// Which reporters are suspended, and what who asks may do about it.
pub(crate) struct Reports {
    stops: BTreeMap<String, Stop>,
    may: May,
}

impl Reports {
    /// As it is now; as many stops as may stand are looked through.
    ///
    /// # Errors
    /// The house does not answer.
    pub(crate) async fn of(app: &App, who: &Who) -> Result<Self, PageError> {
        let stops = look(app, |house| {
            let of = |(scope, stop): (&Scope, &Stop)| match scope {
                Scope::Reporter(name) => Some((name.as_str().to_owned(), stop.clone())),
                _ => None,
            };
            house.state().stops().filter_map(of).collect()
        });
        Ok(Self { stops: stops.await?, may: May::of(app, who) })
    }

    /// What a reporter's row says and offers.
    pub(crate) fn cell(&self, lang: Lang, reporter: &str) -> Markup {
        let Some(name) = Organisation::new(reporter) else { return html! {} };
        let scope = Scope::Reporter(name);
        let Some(stop) = self.stops.get(reporter) else {
            return html! { (lang.t("parties.reports_on")) @if self.may.stop { (suspend(lang, &scope)) } };
        };
        html! {
            span.state.is-wrong { (lang.t("parties.suspended")) }
            br; span.quiet {
                (moment(stop.since)) " · " (live::why(lang, &stop.why)) " · "
                (lang.t(match stop.halt { Halt::Lifts => "parties.blocks_lifted", Halt::Releases => "parties.blocks_stay" }))
            }
            @if let Some((person, of)) = &stop.resume {
                p.quiet { (lang.f("stop.asked", &[("person", person.as_str()), ("organisation", of.as_str())])) }
            } @else { p.quiet { (lang.t("stop.two")) } }
            @if self.may.resumes(&scope, stop.resume.as_ref()) { (reinstate(lang, &scope)) }
        }
    }
}

fn suspend(lang: Lang, scope: &Scope) -> Markup {
    parts::fold(
        None,
        lang.t("parties.suspend"),
        html! {
            form.stack method="post" action="/stop" {
                input type="hidden" name="scope" value=(scope);
                input type="hidden" name="back" value=(BACK);
                p.quiet { (lang.t("parties.suspend_how")) }
                (parts::halt(lang))
                (parts::grounds(lang, true))
                button.danger type="submit" { (lang.t("parties.suspend")) }
            }
        },
    )
}

fn reinstate(lang: Lang, scope: &Scope) -> Markup {
    parts::fold(
        None,
        lang.t("act.resume"),
        html! {
            form.stack method="post" action="/resume" {
                input type="hidden" name="scope" value=(scope);
                input type="hidden" name="back" value=(BACK);
                (parts::grounds(lang, true))
                button type="submit" { (lang.t("act.resume")) }
            }
        },
    )
}
