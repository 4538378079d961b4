//! `/transparency`: what the authority publishes, for anybody: figures of months that are over. No name stands in
//! them, no value, and nothing of what is in force. `POST /statistics/publish` says up to which month.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::clearing::months::{Month, MonthId, Months, month_of};
use desk::clearing::{House, HouseAct, Keeper};
use maud::{Markup, html};
use serde::Deserialize;

use super::acts::{self, No};
use super::parts;
use super::statistics::took;
use super::{asked, look, with};
use crate::app::{App, PageError, fail};
use crate::fmt;
use crate::gate::Who;
use crate::html::parts::empty;
use crate::html::{open, send};
use crate::i18n::Lang;

/// The policy's figure that says up to which month.
const FIGURE: &str = "published_month";
/// So long what is published is not worked out anew.
const KEPT: Duration = Duration::from_secs(10);

/// A month as people write it.
pub(super) fn name(month: MonthId) -> String {
    format!("{:04}-{:02}", month / 100, month % 100)
}

/// Months that are over, the newest first.
fn over(months: &Months, now: MonthId) -> impl Iterator<Item = (MonthId, &Month)> {
    months.iter().rev().filter(move |(month, _)| *month < now)
}

/// A month's figures as they are published.
#[derive(Debug)]
struct Figures {
    month: MonthId,
    counts: [(&'static str, u64); 11],
    /// From an objection to its lift: half of them, and 99 of a hundred.
    to_lift: [Option<u64>; 2],
}

/// What is published. Anybody may ask for it, as often as they like: the house is asked once in [`KEPT`], for a copy
/// that costs it nothing, and each month is worked out once.
#[derive(Debug)]
pub(super) struct Published {
    authority: String,
    months: Vec<Figures>,
}

/// The pages that anybody gets until they are made anew.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Last>);

#[derive(Debug, Default)]
struct Last {
    made: Option<(Instant, Arc<Published>)>,
    #[cfg(test)]
    asked: u64,
}

impl Kept {
    fn of(&self, keeper: &Keeper) -> desk::Result<Arc<Published>> {
        // Who comes meanwhile waits for the one who asks.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, published)) = &kept.made
            && at.elapsed() < KEPT
        {
            return Ok(Arc::clone(published));
        }
        let (months, until, now, authority) = keeper.look(|house| {
            let (until, now) = (house.policy().published_month, month_of(house.now()));
            (house.tally().months.clone(), until, now, house.case().authority().to_owned())
        })?;
        let published = Arc::new(Published { authority, months: shown(&months, until, now) });
        kept.made = Some((Instant::now(), Arc::clone(&published)));
        #[cfg(test)]
        {
            kept.asked += 1;
        }
        Ok(published)
    }

    /// Another month is published: the next who asks is shown that.
    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).made = None;
    }

    #[cfg(test)]
    pub(super) fn asked(&self) -> u64 {
        self.0.lock().unwrap().asked
    }
}

async fn published(app: &App) -> Result<Arc<Published>, PageError> {
    with(app, |clearing| Ok(clearing.published.of(&clearing.keeper)?)).await
}

/// Those that are over and published, the newest first: at most as many as are kept.
fn shown(months: &Months, until: MonthId, now: MonthId) -> Vec<Figures> {
    let open = over(months, now).filter(|(month, _)| *month <= until);
    let figures = |(month, of): (MonthId, &Month)| Figures {
        month,
        counts: counts(of),
        to_lift: [50, 99].map(|percent| of.to_lift.percentile(percent)),
    };
    open.map(figures).collect()
}

fn counts(of: &Month) -> [(&'static str, u64); 11] {
    [
        ("tickets", of.tickets),
        ("reported", of.reported),
        ("released", of.released),
        ("held", of.held),
        ("refused", of.refused),
        ("lifted", of.lifted),
        ("collateral", of.collateral),
        ("expired", of.expired),
        ("objections", of.objections),
        ("upheld", of.upheld),
        ("stops", of.stops),
    ]
}

/// `GET /transparency`.
pub(crate) async fn page(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, _) = asked(&request, &[]);
    let lang = ctx.lang;
    let published = match published(&app).await {
        Ok(published) => published,
        Err(error) => return fail(&ctx, &error),
    };
    let Published { authority, months } = &*published;
    let body = html! {
        p { (lang.f("transparency.what", &[("authority", authority)])) }
        @if months.is_empty() { (empty(lang.t("transparency.none"), lang.t("transparency.none_why"))) }
        @for (n, of) in months.iter().enumerate() { (one(lang, of, n == 0)) }
        @if !months.is_empty() { p { a.button href="/transparency.csv" download="transparency.csv" { "CSV" } } }
    };
    send(StatusCode::OK, open(&ctx, lang.t("transparency.title"), body))
}

fn one(lang: Lang, of: &Figures, first: bool) -> Markup {
    let [half, most] = of.to_lift;
    html! {
        details open[first] {
            summary { strong { (name(of.month)) } }
            dl.facts {
                @for (figure, n) in of.counts { dt { (lang.t(&format!("transparency.{figure}"))) } dd.num { (fmt::number(n)) } }
                dt { (lang.t("transparency.to_lift")) } dd.num { (took(lang, half)) " / " (took(lang, most)) }
            }
        }
    }
}

/// `GET /transparency.csv`: a month a row. An empty value is unknown.
pub(crate) async fn csv(
    State(app): State<App>,
    Extension(_): Extension<Who>,
    request: Request,
) -> Response {
    let (ctx, _) = asked(&request, &[]);
    let published = match published(&app).await {
        Ok(published) => published,
        Err(error) => return fail(&ctx, &error),
    };
    let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    (StatusCode::OK, kind, rows(&published.months)).into_response()
}

/// The file.
fn rows(months: &[Figures]) -> String {
    let mut out = String::from("month");
    for (figure, _) in counts(&Month::default()) {
        out.push_str(&format!(",{figure}"));
    }
    out.push_str(",to_lift_p50_ms,to_lift_p99_ms\r\n");
    for of in months {
        out.push_str(&name(of.month));
        for (_, n) in of.counts {
            out.push_str(&format!(",{n}"));
        }
        for ms in of.to_lift {
            let ms = ms.map(|ms| ms.to_string());
            out.push_str(&format!(",{}", ms.unwrap_or_default()));
        }
        out.push_str("\r\n");
    }
    out
}

/// What the page of statistics says of publishing: up to which month it is, and which months could be.
#[derive(Debug)]
pub(super) struct Publishing {
    until: MonthId,
    months: Vec<MonthId>,
}

impl Publishing {
    pub(super) fn of(house: &House) -> Self {
        let now = month_of(house.now());
        let months = over(&house.tally().months, now).map(|(month, _)| month).collect();
        Self { until: house.policy().published_month, months }
    }

    /// The form, for who may.
    pub(super) fn form(&self, lang: Lang) -> Markup {
        let until = match self.until {
            0 => lang.t_owned("transparency.nothing"),
            month => lang.f("transparency.until", &[("month", &name(month))]),
        };
        parts::fold(
            None,
            lang.t("transparency.publish"),
            html! {
                form.stack method="post" action="/statistics/publish" {
                    p.quiet { (until) " " (lang.t("transparency.publish_how")) }
                    label.field { span { (lang.t("transparency.month")) }
                        select name="month" required {
                            @for month in &self.months { option value=(month) selected[*month == self.until] { (name(*month)) } }
                            option value="0" { (lang.t("transparency.nothing")) }
                        }
                    }
                    (parts::grounds(lang, true))
                    button type="submit" { (lang.t("transparency.publish")) }
                }
            },
        )
    }
}

/// Up to which month figures are public.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Publish {
    month: String,
    grounds: String,
}

/// `POST /statistics/publish`.
pub(crate) async fn publish(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    headers: HeaderMap,
    Form(form): Form<Publish>,
) -> Response {
    let run = async {
        let month: MonthId = form.month.parse().map_err(|_| acts::unread())?;
        let now = look(&app, |house| month_of(house.now())).await?;
        // A month that runs has no figures yet that could stand.
        if month >= now {
            return Err(No::Form("transparency.not_over"));
        }
        let grounds = acts::grounds(&form.grounds)?;
        let act = HouseAct::Figure { figure: FIGURE.to_owned(), value: month, grounds };
        let done = acts::act_on_house(&app, &who, act).await;
        if let Some(clearing) = app.clearing() {
            clearing.published.forget();
        }
        done
    };
    acts::done(&app, &headers, ("/statistics", &form.grounds), run).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months() -> Months {
        let month = |tickets: u64, times: &str| {
            format!(
                "{{\"tickets\":{tickets},\"reported\":0,\"released\":0,\"held\":0,\"refused\":0,\
                 \"lifted\":0,\"collateral\":0,\"expired\":0,\"objections\":0,\"upheld\":0,\
                 \"stops\":9,\"to_lift\":{{\"newest\":{times},\"all\":2}}}}"
            )
        };
        let text = format!(
            "{{\"202609\":{},\"202610\":{},\"202611\":{}}}",
            month(1, "[]"),
            month(2, "[1000,3000]"),
            month(3, "[]")
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_month_is_shown_once_it_is_over_and_published() {
        let shows = |until, now| -> Vec<MonthId> {
            shown(&months(), until, now).into_iter().map(|of| of.month).collect()
        };
        assert_eq!(shows(0, 202_611), [0; 0]);
        assert_eq!(shows(202_609, 202_611), [202_609]);
        assert_eq!(shows(202_610, 202_611), [202_610, 202_609]);
        // The one that runs is not, whatever was said.
        assert_eq!(shows(999_912, 202_611), [202_610, 202_609]);
        assert_eq!(shows(999_912, 202_612), [202_611, 202_610, 202_609]);
    }

    #[test]
    fn what_was_not_measured_is_empty_in_the_file() {
        let file = rows(&shown(&months(), 202_610, 202_611));
        let lines: Vec<&str> = file.split("\r\n").collect();
        assert!(lines[0].starts_with("month,tickets,") && lines[0].ends_with(",to_lift_p99_ms"));
        assert_eq!(lines[1], "2026-10,2,0,0,0,0,0,0,0,0,0,9,1000,3000");
        assert_eq!(lines[2], "2026-09,1,0,0,0,0,0,0,0,0,0,9,,");
    }
}
