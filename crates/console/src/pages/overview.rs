//! The case in numbers, live while it opens.

use desk::progress::Snapshot as Progress;
use desk::read::{
    Backups, EntityFilter, EntityHead, Figure, LinkFilter, Overview, PanelFigures, Snapshot,
};
use maud::{Markup, html};
use model::EntityKind;
use serde_json::{Value, json};

use super::{head_json, places};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::parts::{self, bars, count};
use crate::html::value::{self, entities_url, input_url, links_url, shape};
use crate::html::{Page, Place, hostile, ways};
use crate::i18n::Lang;
use crate::query::url;

/// `GET /`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let overview = snapshot.overview()?;
    if ctx.json() {
        return Ok(Answer::Json(data(&overview, &snapshot.backups()?)));
    }
    let lang = ctx.lang;
    let body = html! {
        div #live hx-sse:connect=(url("/live", [("seen", mark(lang, &overview).as_str())])) hx-target="#figures" hx-swap="innerHTML" {
            p.stale role="status" { (lang.t("overview.not_live")) }
        }
        // What is swapped stands inside: the stream holds on to its target, which must not go.
        div #figures .overview { (figures(lang, &overview)) }
        (super::tickets::of_case(lang, snapshot)?)
        @if overview.exhibits > 0 { (super::provable::glance(lang, &snapshot.provable()?, &snapshot.backups()?)) }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Overview, title(lang, &overview), body))))
}

/// What tells one state of the page from another: the stream sends what differs from it.
pub(crate) fn mark(lang: Lang, o: &Overview) -> String {
    let shown = title(lang, o) + &figures(lang, o).into_string();
    model::Sha256Hex::of(shown.as_bytes()).to_string().chars().take(16).collect()
}

/// The answer in one line.
pub(crate) fn title(lang: Lang, o: &Overview) -> String {
    let of = |kind| o.entities.iter().find(|c| c.kind == kind).map_or(0, |c| c.count);
    let (panels, servers) = (of(EntityKind::Panel), of(EntityKind::Server));
    let countries = o.countries.iter().filter(|c| c.0 != "ZZ").count() as u64;
    let unknown = o.countries.iter().find(|c| c.0 == "ZZ").map_or(0, |c| c.1);
    if o.exhibits == 0 {
        return lang.t("overview.title_empty").to_owned();
    }
    if servers == 0 {
        return lang.f(
            "overview.title_plain",
            &[
                ("exhibits", &lang.n("count.exhibits", o.exhibits, &[])),
                ("facts", &lang.n("count.facts", o.facts, &[])),
            ],
        );
    }
    let mut title = lang.f(
        "overview.title",
        &[
            ("panels", &lang.n("count.Panel", panels, &[])),
            ("servers", &lang.n("count.Server", servers, &[])),
            ("countries", &lang.n("count.countries", countries, &[])),
        ],
    );
    if unknown > 0 {
        title.push_str(&lang.n("overview.title_unknown", unknown, &[]));
    }
    title
}

/// The part that is swapped while the case opens.
pub(crate) fn figures(lang: Lang, o: &Overview) -> Markup {
    html! {
        @if let Some(progress) = &o.progress { (progress_part(lang, progress)) }
        @if o.exhibits == 0 && o.progress.is_none() {
            (parts::empty(lang.t("overview.empty"), lang.t("overview.empty_why")))
        } @else {
            (attention(lang, o))
            (kinds(lang, o))
            div.columns {
                (countries(lang, o))
                (money(lang, o))
                (links(lang, o))
                (material(lang, o))
            }
            (panels(lang, o))
            (other_figures(lang, &o.figures))
        }
    }
}

/// What goes on, with an honest estimate.
fn progress_part(lang: Lang, p: &Progress) -> Markup {
    let (done, total) = if p.stage == "parse" { p.parsed } else { p.sealed };
    let share = fmt::percent(done, total);
    let left = (done > 0 && total > done && p.elapsed_ms > 3000)
        .then(|| u128::from(p.elapsed_ms) * u128::from(total - done) / u128::from(done) / 1000)
        .and_then(|s| u64::try_from(s).ok());
    html! {
        section.progress aria-label=(lang.t("overview.opening")) {
            div.row {
                strong { (lang.find(&format!("stage.{}", p.stage)).unwrap_or(&p.stage)) }
                span.quiet { (hostile::short(ways::file(&p.at), 60)) }
                span.end {
                    (lang.f("overview.of", &[("done", &fmt::bytes(lang, done)), ("total", &fmt::bytes(lang, total))]))
                    @if let Some(left) = left { " · " (lang.f("overview.left", &[("time", &fmt::duration(left))])) }
                }
            }
            progress max="100" value=(share) aria-label=(lang.t("overview.opening")) { (fmt::share(lang, done, total)) }
            p.quiet { (lang.t("overview.opening_why")) }
        }
    }
}

/// What needs a look, first. What is fine is quiet.
fn attention(lang: Lang, o: &Overview) -> Markup {
    let problems: u64 = o.problems.iter().map(|p| p.count).sum();
    let lost: u64 = o.problems.iter().map(|p| p.lost_bytes).sum();
    html! {
        section.attention aria-labelledby="h-unread" {
            h2 #h-unread { (lang.t("overview.unread")) }
            @if problems == 0 && o.waiting == 0 && o.privileged == 0 {
                p.fine { (lang.t("overview.all_read")) }
            } @else {
                ul.cards {
                    @for p in &o.problems {
                        li {
                            a href={ "/problems?kind=" (p.kind.as_str()) } {
                                span.big { (fmt::number(p.count)) }
                                span { (lang.find(&format!("problem.{}", p.kind)).unwrap_or(p.kind.as_str())) }
                                @if p.lost_bytes > 0 { span.quiet { (lang.f("overview.lost", &[("size", &fmt::bytes(lang, p.lost_bytes))])) } }
                            }
                        }
                    }
                    @if o.waiting > 0 { li { a href="/exhibits?state=waiting" { span.big { (fmt::number(o.waiting)) } span { (lang.t("overview.waiting")) } } } }
                    @if o.privileged > 0 { li { a href="/exhibits?state=privileged" { span.big { (fmt::number(o.privileged)) } span { (lang.t("overview.privileged")) } } } }
                }
                @if lost > 0 {
                    p.quiet { (lang.f("overview.lost_share", &[("size", &fmt::bytes(lang, lost)), ("total", &fmt::bytes(lang, o.bytes))])) }
                }
            }
        }
    }
}

fn kinds(lang: Lang, o: &Overview) -> Markup {
    html! {
        section aria-labelledby="h-kinds" {
            h2 #h-kinds { (lang.t("overview.network")) }
            @if o.entities.is_empty() { p.fine { (none_known(lang, o, "overview.no_entities")) } }
            @else { ul.figures {
                @for c in &o.entities {
                    li {
                        a href=(entities_url(&EntityFilter { kind: Some(c.kind), ..EntityFilter::default() })) {
                            span.big { (fmt::number(c.count)) }
                            span.name { (shape(c.kind)) (lang.n(&format!("noun.{}", c.kind.name()), c.count, &[])) }
                        }
                        (rule(lang, &format!("rule.{}", c.kind.name()), c.rule))
                    }
                }
            } }
        }
    }
}

/// Why a list is empty: while the case opens, nothing was counted yet.
fn none_known<'a>(lang: Lang, o: &Overview, key: &'a str) -> &'a str {
    lang.t(if o.progress.is_some() { "overview.not_yet" } else { key })
}

/// A counting rule behind a figure, opened on demand.
fn rule(lang: Lang, key: &str, fallback: &str) -> Markup {
    html! {
        details.rule {
            summary aria-label=(lang.t("part.rule")) title=(lang.t("part.rule")) { "?" }
            p { (lang.find(key).unwrap_or(fallback)) }
        }
    }
}

fn countries(lang: Lang, o: &Overview) -> Markup {
    const SHOWN: usize = 8;
    let rows: Vec<_> = o
        .countries
        .iter()
        .take(SHOWN)
        .map(|(iso, n)| {
            let label = html! { (places::name(lang, iso)) };
            let filter = EntityFilter {
                kind: Some(EntityKind::Server),
                country: Some(iso.clone()),
                ..EntityFilter::default()
            };
            (label, *n, entities_url(&filter))
        })
        .collect();
    html! {
        section aria-labelledby="h-countries" {
            h2 #h-countries { (lang.t("overview.servers_where")) }
            @if rows.is_empty() { p.fine { (none_known(lang, o, "overview.no_servers")) } }
            (bars(&rows))
            @if o.countries.len() > SHOWN { p { a href="/map" { (lang.n("overview.more_countries", (o.countries.len() - SHOWN) as u64, &[])) } } }
            @else if !rows.is_empty() { p { a href="/map" { (lang.t("overview.on_map")) } } }
            @if let Some((name, exhibit)) = &o.addresses {
                p.quiet { (lang.t("overview.addresses")) " " a href={ "/exhibit/" (exhibit) } { (ways::alone(name)) } }
            }
            @if let Some((name, exhibit)) = &o.address_table {
                p.quiet { (lang.t("overview.address_table")) " " a href={ "/exhibit/" (exhibit) } { (ways::alone(name)) } }
            }
        }
    }
}

fn money(lang: Lang, o: &Overview) -> Markup {
    html! {
        section aria-labelledby="h-money" {
            h2 #h-money { (lang.t("overview.payments")) }
            @if o.payments.is_empty() { p.fine { (none_known(lang, o, "overview.no_payments")) } }
            @else {
                table.plain {
                    thead { tr { th scope="col" { (lang.t("overview.currency")) } th.num scope="col" { (lang.t("overview.payments_n")) } th.num scope="col" { (lang.t("overview.sum")) } } }
                    tbody {
                        @for p in &o.payments {
                            @let href = super::payments::completed(&p.currency);
                            tr {
                                th scope="row" { (super::payments::currency_name(lang, &p.currency)) }
                                td.num { (count(p.count, &href)) }
                                td.num { a.n href=(href) { (fmt::amount(lang, p.sum_minor, &p.currency)) } }
                            }
                        }
                    }
                }
                p.quiet { (lang.t("overview.payments_rule")) }
            }
        }
    }
}

fn links(lang: Lang, o: &Overview) -> Markup {
    let rows: Vec<_> = o
        .links
        .iter()
        .map(|c| {
            let href = links_url(&LinkFilter { kind: Some(c.kind), ..LinkFilter::default() });
            (
                html! { (lang.find(&format!("link.{}", c.kind.name())).unwrap_or(c.kind.name())) },
                c.count,
                href,
            )
        })
        .collect();
    html! {
        section aria-labelledby="h-links" {
            h2 #h-links { (lang.t("overview.links")) }
            @if rows.is_empty() { p.fine { (none_known(lang, o, "overview.no_links")) } }
            (bars(&rows))
        }
    }
}

fn material(lang: Lang, o: &Overview) -> Markup {
    html! {
        section aria-labelledby="h-material" {
            h2 #h-material { (lang.t("overview.material")) }
            dl.facts {
                dt { (lang.t("overview.exhibits")) } dd.num { (count(o.exhibits, "/exhibits")) }
                dt { (lang.t("overview.bytes")) } dd.num { a.n href="/exhibits" { (fmt::bytes(lang, o.bytes)) } }
                dt { (lang.t("overview.facts")) } dd.num { (count(o.facts, "/facts")) }
                dt { (lang.t("overview.tables")) } dd.num { (count(o.tables, "/tables")) }
                dt { (lang.t("overview.rows")) } dd.num { (count(o.rows, "/tables")) }
                dt { (lang.t("overview.values")) } dd.num { (count(o.bulk_values, "/tables")) }
            }
        }
    }
}

fn panels(lang: Lang, o: &Overview) -> Markup {
    html! {
        @if !o.panels.is_empty() {
            section aria-labelledby="h-panels" {
                h2 #h-panels { (lang.t("overview.panels")) }
                div.panels { @for panel in &o.panels { (panel_card(lang, panel)) } }
            }
        }
    }
}

fn panel_card(lang: Lang, p: &PanelFigures) -> Markup {
    html! {
        article.panel {
            h3 { (value::entity(lang, &p.panel)) }
            p.quiet {
                (hostile::text(&p.family))
                @for (i, at) in p.dumped_at.iter().enumerate() {
                    @if i == 0 { " · " (lang.t("overview.dumped")) " " } @else { ", " }
                    time { (at) }
                }
            }
            (figure_list(lang, Some(&p.panel), &p.figures))
        }
    }
}

/// Figures with their rules, each with the way to what it counts: of an entity, a page that names
/// the tables, since a name in two of them counts once.
pub(crate) fn figure_list(lang: Lang, of: Option<&EntityHead>, figures: &[Figure]) -> Markup {
    html! {
        dl.facts {
            @for figure in figures {
                dt { (figure_name(lang, &figure.name)) (rule(lang, &format!("rule.{}", figure.name), &figure.rule)) }
                dd.num {
                    @match (of, figure.inputs.first()) {
                        (Some(head), Some(_)) => a.n href=(super::figure::address(head, figure)) { (fmt::signed(figure.value)) },
                        (None, Some(input)) => a.n href=(input_url(input)) { (fmt::signed(figure.value)) },
                        (_, None) => (fmt::signed(figure.value)),
                    }
                }
            }
        }
    }
}

pub(crate) fn figure_name(lang: Lang, name: &str) -> String {
    lang.find(&format!("figure.{name}")).map_or_else(|| name.replace('_', " "), str::to_owned)
}

fn other_figures(lang: Lang, figures: &[Figure]) -> Markup {
    html! {
        @if !figures.is_empty() {
            section aria-labelledby="h-figures" {
                h2 #h-figures { (lang.t("overview.figures")) }
                (figure_list(lang, None, figures))
            }
        }
    }
}

fn data(o: &Overview, backups: &Backups) -> Value {
    let (backup, drill) = backups.to_json();
    let entities: serde_json::Map<String, Value> =
        o.entities.iter().map(|c| (c.kind.name().into(), json!(c.count))).collect();
    let links: serde_json::Map<String, Value> =
        o.links.iter().map(|c| (c.kind.name().into(), json!(c.count))).collect();
    let payments: serde_json::Map<String, Value> = o
        .payments
        .iter()
        .map(|p| {
            (p.currency.clone(), json!({ "count": p.count, "sum_minor": p.sum_minor.to_string() }))
        })
        .collect();
    let countries: serde_json::Map<String, Value> =
        o.countries.iter().map(|(c, n)| (c.clone(), json!(n))).collect();
    let problems: serde_json::Map<String, Value> = o
        .problems
        .iter()
        .map(|p| (p.kind.as_str().into(), json!({ "count": p.count, "lost_bytes": p.lost_bytes })))
        .collect();
    json!({
        "case": o.case, "practice": o.standing == desk::read::Standing::Practice,
        "exhibits": o.exhibits, "bytes": o.bytes, "facts": o.facts, "bulk_values": o.bulk_values,
        "rows": o.rows, "tables": o.tables, "entities": entities, "links": links,
        "payments": payments, "countries": countries, "problems": problems,
        "waiting": o.waiting, "privileged": o.privileged, "backup": backup, "drill": drill,
        "panels": o.panels.iter().map(|p| json!({ "panel": head_json(&p.panel), "family": p.family, "dumped_at": p.dumped_at })).collect::<Vec<_>>(),
    })
}
