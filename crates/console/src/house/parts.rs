//! What pages of the house share: states, verdicts with their reasons, moments, refusals.

use desk::clearing::known::Knowledge;
use desk::clearing::read::ItemView;
use maud::{Markup, html};
use shield::Item;
use shield::harm::Finding;
use shield::order::budget::{Count, Standing};
use shield::order::{Moment, Scope, Stage, TicketId};

use crate::app::PageError;
use crate::fmt;
use crate::harm::{harm_innocents, harm_reason, harm_verdict};
use crate::html::hostile::{mono, text};
use crate::i18n::Lang;

/// A moment in UTC.
pub(crate) fn moment(at: Moment) -> Markup {
    html! { time { (fmt::moment_ms(at.0)) } }
}

/// How long ago, or how long still.
pub(crate) fn span(from: Moment, to: Moment) -> String {
    fmt::duration(to.since(from) / 1_000)
}

/// A stage by shape and word.
pub(crate) fn stage(lang: Lang, stage: Stage) -> Markup {
    let class = match stage {
        Stage::InForce => "state is-blocked",
        Stage::Held => "state is-held",
        Stage::Suspended => "state is-wrong",
        Stage::Ended => "state is-unread",
        Stage::Submitted | Stage::Captured | Stage::Checked => "state is-waiting",
    };
    html! { span class=(class) { (lang.t(&format!("item_stage.{}", stage.word()))) } }
}

/// The kind of a value.
pub(crate) fn kind(lang: Lang, value: &Item) -> Markup {
    let word = value.kind().word();
    html! { span.quiet { (lang.t(&format!("item_kind.{word}"))) } }
}

/// What the check says now of items, each with its history.
///
/// # Errors
/// The table of addresses is damaged.
pub(crate) fn findings<'a>(
    known: &Knowledge,
    items: impl IntoIterator<Item = (&'a Item, u32)>,
) -> Result<Vec<Finding>, PageError> {
    Ok(known.find(items)?)
}

/// A verdict, its reasons, and who else would be hit. `recorded` is what the log says the check found, where
/// it ran: it is shown where it differs.
pub(crate) fn verdict(
    lang: Lang,
    finding: &Finding,
    recorded: Option<&shield::order::Outcome>,
) -> Markup {
    const SHOWN: usize = 3;
    let more = finding.reasons.len().saturating_sub(SHOWN);
    html! {
        div.verdict {
            strong { (harm_verdict(lang, finding.verdict)) }
            @if let Some(was) = recorded.filter(|was| was.verdict != finding.verdict) {
                " " span.quiet { (lang.f("verdict.recorded", &[("verdict", harm_verdict(lang, was.verdict))])) }
            }
            @if !finding.reasons.is_empty() {
                ul { @for reason in finding.reasons.iter().take(SHOWN) { li { (text(&harm_reason(lang, reason))) } } }
            }
            @if more > 0 { p.quiet { (lang.n("verdict.more", more as u64, &[])) } }
            p.quiet { (harm_innocents(lang, &finding.innocents)) }
        }
    }
}

/// A value with what was written, as a link to its ticket.
pub(crate) fn value(lang: Lang, item: &ItemView, link: bool) -> Markup {
    let id = format!("i-{}-{}", item.id.ticket(), item.id.place());
    html! {
        @if link { a #(id) href={ "/tickets/" (item.id.ticket()) "#" (id) } { (mono(&item.value.to_string())) } }
        @else { span #(id) { (mono(&item.value.to_string())) } }
        " " (kind(lang, &item.value))
        @if let Some(written) = &item.written { br; span.quiet { (lang.t("items.written")) " " (mono(written)) } }
        @if item.objected { br; span.state.is-wrong { (lang.t("items.objected")) } }
    }
}

/// A reason field and the button beside it: one act, in its own fold.
pub(crate) fn fold(key: Option<&str>, title: &str, form: Markup) -> Markup {
    html! { details.act data-key=[key] { summary { (title) } (form) } }
}

/// A field for grounds.
pub(crate) fn grounds(lang: Lang, required: bool) -> Markup {
    html! {
        label.field {
            span { (lang.t("act.grounds")) }
            input type="text" name="grounds" required[required] maxlength="4000" autocomplete="off";
        }
    }
}

/// What a stop stops.
pub(crate) fn halt(lang: Lang) -> Markup {
    html! {
        label.field {
            span { (lang.t("act.halt")) }
            select name="halt" {
                option value="lifts" { (lang.t("act.halt_lifts")) }
                option value="releases" { (lang.t("act.halt_releases")) }
            }
        }
    }
}

/// Two fields for a span of time, in UTC as all moments here; without a begin it begins at once.
pub(crate) fn window(lang: Lang, from: &'static str, until: &'static str) -> Markup {
    html! {
        div.row {
            label.field { span { (lang.t(from)) } input type="datetime-local" name="from"; }
            label.field { span { (lang.t(until)) } input type="datetime-local" name="until" required; }
        }
    }
}

/// What a field for several holds, one a line.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// How a reporter stands by its errors.
pub(crate) fn budget(lang: Lang, count: &Count, standing: Standing) -> Markup {
    let class = match standing {
        Standing::Within => "state is-read",
        Standing::Above => "state is-held",
        Standing::FarAbove => "state is-wrong",
    };
    html! {
        span class=(class) { (lang.t(&format!("standing.{}", standing.word()))) }
        " " span.quiet {
            (lang.n("budget.errors", count.errors, &[])) ", "
            (lang.n("budget.grave", count.grave, &[])) ", "
            (lang.n("budget.released", count.released, &[]))
        }
    }
}

/// A scope in words.
pub(crate) fn scope(lang: Lang, of: &Scope) -> Markup {
    let word = lang.t(&format!("scope.{}", of.word())).to_owned();
    html! {
        (word)
        @match of {
            Scope::All => {},
            Scope::Reporter(name) | Scope::Isp(name) => { " " (text(name.as_str())) },
            Scope::Event(name) => { " " (text(name.as_str())) },
            Scope::Ticket(id) => { " " a href={ "/tickets/" (id) } { (id) } },
        }
    }
}

/// A hash, cut, as a link to what it is of, in a ticket.
pub(crate) fn capture(id: &model::ExhibitId, ticket: TicketId) -> Markup {
    let whole = id.to_string();
    let short = whole.get(..12).unwrap_or(&whole).to_owned();
    html! { a.mono href={ "/evidence/" (whole) "?ticket=" (ticket) } { (short) "…" } }
}
