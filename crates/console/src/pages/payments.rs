//! Payments, each once, filtered in the URL: what the overview's sums are made of.

use desk::read::{PaymentFilter, PaymentRow, Snapshot};
use maud::{Markup, html};
use model::EntityId;

use super::{paging_of, source_json};
use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, text};
use crate::html::parts::{Col, choice, empty, filters, pager, table};
use crate::html::{Page, Place, value};
use crate::i18n::Lang;
use crate::query::url;

/// Payments on a page: each has eight cells and two parties.
const PAGE: usize = 50;

/// Where completed payments in a currency are listed.
pub(crate) fn completed(currency: &str) -> String {
    url("/payments", [("class", "completed"), ("currency", currency)])
}

/// Where the payments are listed that a link stands for.
pub(crate) fn between(from: &EntityId, to: &EntityId) -> String {
    let (from, to) = (from.to_string(), to.to_string());
    url("/payments", [("class", "completed"), ("from", from.as_str()), ("to", to.as_str())])
}

/// `GET /payments`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let filter = PaymentFilter {
        class: ctx.query.get("class").map(str::to_owned),
        currency: ctx.query.get("currency").map(str::to_owned),
        from: ctx.query.read::<EntityId>("from"),
        to: ctx.query.read::<EntityId>("to"),
    };
    let found = snapshot.payments(&filter, &paging_of(ctx, PAGE))?;
    if ctx.json() {
        let items: Vec<_> = found.page.items.iter().map(data).collect();
        return Ok(Answer::Json(serde_json::json!({
            "items": items, "next": found.page.next, "total": found.page.total,
            "sum_minor": found.sum_minor.map(|n| n.to_string()),
        })));
    }
    let key = filter.class.as_ref().map(|class| format!("payments_n.{class}"));
    let key = key.filter(|key| lang.find(key).is_some());
    let key = key.as_deref().unwrap_or("count.payments");
    let mut title = lang.n(key, found.page.total.unwrap_or(0), &[]);
    let currency = filter.currency.as_deref().or_else(|| {
        // Where the sum is given, all are of one currency.
        found.page.items.first().and_then(|row| row.currency.as_deref())
    });
    if let (Some(minor), Some(currency)) = (found.sum_minor, currency) {
        let sum = fmt::amount(lang, minor, currency);
        title =
            lang.f("payments.title", &[("count", &title), ("sum", &sum), ("currency", currency)]);
    }
    let body = html! {
        (form(ctx, snapshot, &filter)?)
        div #results {
            @if found.page.items.is_empty() { (none(ctx, &filter)) }
            @else {
                (list(ctx, snapshot, &found.page.items)?)
                (pager(ctx, found.page.next.as_deref()))
            }
            p.quiet { (lang.t("payments.rule")) }
        }
    };
    let mut page = Page::new(ctx, Place::Tables, title, body);
    let head =
        |id: Option<EntityId>| id.map(|id| snapshot.entity_head(&id.to_string())).transpose();
    let (from, to) = (head(filter.from)?.flatten(), head(filter.to)?.flatten());
    page.eyebrow = html! {
        (lang.t("overview.payments"))
        @if let Some(e) = &from { " · " (lang.t("payments.from")) " " (value::entity(lang, e)) }
        @if let Some(e) = &to { " · " (lang.t("payments.to")) " " (value::entity(lang, e)) }
    };
    Ok(Answer::Page(Box::new(page)))
}

fn class_name(lang: Lang, class: &str) -> &str {
    lang.find(&format!("payment_class.{class}")).unwrap_or(class)
}

fn form(ctx: &Ctx, snapshot: &Snapshot, filter: &PaymentFilter) -> Result<Markup, PageError> {
    let lang = ctx.lang;
    let (classes, currencies) = snapshot.payment_words()?;
    let classes = classes.iter().map(|c| (c.as_str(), class_name(lang, c).to_owned()));
    let currencies = currencies.iter().map(|c| (c.as_str(), c.clone()));
    Ok(filters(
        ctx,
        html! {
            @if let Some(id) = filter.from { input type="hidden" name="from" value=(id); }
            @if let Some(id) = filter.to { input type="hidden" name="to" value=(id); }
            (choice(lang.t("payments.class"), "class", filter.class.as_deref(), lang.t("payments.all_classes"), classes))
            (choice(lang.t("overview.currency"), "currency", filter.currency.as_deref(), lang.t("payments.all_currencies"), currencies))
        },
    ))
}

fn none(ctx: &Ctx, filter: &PaymentFilter) -> Markup {
    let unfiltered = *filter == PaymentFilter::default();
    let why = if unfiltered { "overview.no_payments" } else { "part.none_filter" };
    empty(ctx.lang.t("part.none"), ctx.lang.t(why))
}

fn list(ctx: &Ctx, snapshot: &Snapshot, items: &[PaymentRow]) -> Result<Markup, PageError> {
    let lang = ctx.lang;
    let mut cols = vec![
        Col::text(lang.t("payments.time")),
        Col::number(lang.t("payments.amount")),
        Col::text(lang.t("payments.from")),
        Col::text(lang.t("payments.to")),
        Col::text(lang.t("payments.txid")),
        Col::text(lang.t("payments.read_from")),
    ];
    // Where one state was asked for, the title says it.
    let states = ctx.query.get("class").is_none();
    if states {
        cols.insert(4, Col::text(lang.t("payments.class")));
    }
    let mut rows = Vec::new();
    for p in items {
        let mut row = vec![
            html! { @if let Some(at) = p.time_utc { time.n { (fmt::moment(at)) } } @else { span.quiet { (lang.t("payments.unstated")) } } },
            html! {
                @match p.gross_minor {
                    Some(minor) => {
                        span.num { (fmt::amount(lang, minor.into(), p.currency.as_deref().unwrap_or(""))) }
                        @if let Some(currency) = &p.currency { " " (text(currency)) }
                    },
                    None => span.quiet { (lang.t("payments.unstated")) },
                }
            },
            party(lang, snapshot, p.from.as_deref())?,
            party(lang, snapshot, p.to.as_deref())?,
            html! { span.cut { (mono(&p.txid)) } },
            html! {
                (text(&p.processor))
                @if let Some(source) = &p.source { " " (value::source(lang, source)) }
            },
        ];
        if states {
            row.insert(4, html! { (class_name(lang, &p.class)) });
        }
        rows.push(row);
    }
    Ok(table(lang.t("overview.payments"), &cols, rows))
}

/// Who paid or was paid: the entity, where the case has it; else what the row says, to be searched.
fn party(lang: Lang, snapshot: &Snapshot, key: Option<&str>) -> Result<Markup, PageError> {
    let Some(key) = key else {
        return Ok(html! { span.quiet { (lang.t("payments.unstated")) } });
    };
    Ok(match snapshot.entity_head(key)? {
        Some(head) => value::entity(lang, &head),
        None => {
            let name = key.rsplit_once(':').map_or(key, |(_, name)| name);
            html! { a href=(url("/search", [("q", name)])) { (mono(name)) } }
        }
    })
}

fn data(p: &PaymentRow) -> serde_json::Value {
    serde_json::json!({
        "processor": p.processor, "account": p.account, "txid": p.txid, "class": p.class,
        "currency": p.currency, "gross_minor": p.gross_minor, "time_utc": p.time_utc,
        "from": p.from, "to": p.to, "table": p.row.0, "row": p.row.1,
        "source": p.source.as_ref().map(source_json),
    })
}
