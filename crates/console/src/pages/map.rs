//! Where the servers are: circles on a map, and the same as a table.

use desk::read::{CountryServers, EntityFilter, MapFilter, Snapshot};
use maud::{Markup, html};
use model::{EntityId, EntityKind};

use super::places;
use crate::app::{Answer, Ctx, PageError};
use crate::assets;
use crate::fmt;
use crate::html::hostile::text;
use crate::html::parts::{Col, bar, count, empty, table};
use crate::html::value::entities_url;
use crate::html::{Page, Place};
use crate::i18n::Lang;

/// The picture's box.
const WORLD: View = View { x: 0.0, y: 0.0, w: 1000.0, h: 500.0 };

/// A part of the world's picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

/// A circle.
struct Dot<'a> {
    at: (f32, f32),
    radius: f32,
    country: &'a CountryServers,
    label: bool,
}

/// `GET /map`.
pub(crate) fn page(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let panel = ctx.query.read::<EntityId>("panel");
    let countries = snapshot.map(&MapFilter { panel })?;
    if ctx.json() {
        return Ok(Answer::Json(data(&countries)));
    }
    let known: Vec<_> = countries.iter().filter(|c| c.country != "ZZ").collect();
    let servers: u64 = countries.iter().map(|c| c.servers).sum();
    let unknown: u64 = countries.iter().filter(|c| c.country == "ZZ").map(|c| c.servers).sum();
    let mut title = lang.f("map.title", &[
        ("servers", &lang.n("count.Server", servers, &[])),
        ("countries", &lang.n("count.countries", known.len() as u64, &[])),
    ]);
    if unknown > 0 {
        title.push_str(&lang.n("overview.title_unknown", unknown, &[]));
    }
    let whole = ctx.query.get("view") == Some("world");
    let body = html! {
        @if servers == 0 { (empty(lang.t("overview.no_servers"), lang.t("map.empty_why"))) }
        @else {
            nav.tabs aria-label=(lang.t("map.view")) {
                a href=(ctx.url(&["view"], &[])) aria-current=[(!whole).then_some("page")] { (lang.t("map.near")) }
                a href=(ctx.url(&["view"], &[("view", "world")])) aria-current=[whole.then_some("page")] { (lang.t("map.world")) }
            }
            (picture(lang, &countries, whole))
            (rows(lang, &countries, servers))
            p.quiet { (lang.t("map.rule")) }
        }
    };
    Ok(Answer::Page(Box::new(Page::new(ctx, Place::Map, title, body))))
}

/// The part of the world that holds every circle with some room, as wide as twice its height, and
/// never less than a continent.
fn fit(points: &[(f32, f32)]) -> View {
    let Some(first) = points.first() else { return WORLD };
    let (mut x0, mut y0, mut x1, mut y1) = (first.0, first.1, first.0, first.1);
    for (x, y) in points {
        (x0, y0, x1, y1) = (x0.min(*x), y0.min(*y), x1.max(*x), y1.max(*y));
    }
    let w = (x1 - x0 + 60.0).max((y1 - y0 + 60.0) * 2.0).clamp(170.0, WORLD.w);
    let h = w / 2.0;
    let x = ((x0 + x1 - w) / 2.0).clamp(0.0, WORLD.w - w);
    let y = ((y0 + y1 - h) / 2.0).clamp(0.0, WORLD.h - h);
    View { x, y, w, h }
}

fn dots(countries: &[CountryServers], view: View) -> Vec<Dot<'_>> {
    let most = countries.iter().map(|c| c.servers).max().unwrap_or(1).max(1);
    let mut placed: Vec<(f32, f32, f32)> = Vec::new();
    let mut out = Vec::new();
    for country in countries {
        let Some(place) = places::country(&country.country) else { continue };
        #[allow(clippy::cast_precision_loss, reason = "a circle's size")]
        let share = (country.servers as f32 / most as f32).sqrt();
        let radius = view.w * (0.006 + 0.022 * share);
        // A label has room where no earlier (larger) one is near.
        let room = placed.iter().all(|(x, y, r)| {
            (x - place.at.0).abs() > view.w * 0.035 || (y - place.at.1).abs() > r + view.w * 0.02
        });
        if room {
            placed.push((place.at.0, place.at.1, radius));
        }
        out.push(Dot { at: place.at, radius, country, label: room });
    }
    out
}

fn picture(lang: Lang, countries: &[CountryServers], whole: bool) -> Markup {
    let points: Vec<_> = countries.iter().filter_map(|c| places::country(&c.country)).map(|c| c.at).collect();
    let view = if whole { WORLD } else { fit(&points) };
    let size = view.w * 0.0135;
    html! {
        svg.map viewBox={ (view.x) " " (view.y) " " (view.w) " " (view.h) } role="group" aria-label=(lang.t("map.picture")) {
            mask #land maskUnits="userSpaceOnUse" x="0" y="0" width="1000" height="500" {
                image href=(assets::url("world.svg")) x="0" y="0" width="1000" height="500" {}
            }
            rect.land x="0" y="0" width="1000" height="500" mask="url(#land)" {}
            @for dot in dots(countries, view) {
                @let label = format!("{}: {}", places::name(lang, &dot.country.country), lang.n("count.Server", dot.country.servers, &[]));
                a href=(in_country(&dot.country.country)) aria-label=(label) {
                    title { (label) }
                    circle cx=(dot.at.0) cy=(dot.at.1) r=(format!("{:.2}", dot.radius)) {}
                    @if dot.label {
                        text x=(dot.at.0) y=(format!("{:.2}", dot.at.1 - dot.radius - size * 0.35)) font-size=(format!("{size:.2}")) stroke-width=(format!("{:.2}", size * 0.25)) {
                            (dot.country.country) " " (fmt::number(dot.country.servers))
                        }
                    }
                }
            }
        }
    }
}

fn in_country(iso: &str) -> String {
    entities_url(&EntityFilter {
        kind: Some(EntityKind::Server),
        country: Some(iso.to_owned()),
        ..EntityFilter::default()
    })
}

fn rows(lang: Lang, countries: &[CountryServers], servers: u64) -> Markup {
    const NETWORKS: usize = 6;
    let most = countries.iter().map(|c| c.servers).max().unwrap_or(0);
    let cols = [
        Col::text(lang.t("entities.country")),
        Col::number(lang.t("map.servers")),
        Col::number(lang.t("map.share")),
        Col::text(""),
        Col::text(lang.t("map.networks")),
    ];
    table(lang.t("map.table"), &cols, countries.iter().map(|c| vec![
        html! { (places::name(lang, &c.country)) " " span.place { (c.country) } },
        count(c.servers, &in_country(&c.country)),
        html! { (fmt::percent(c.servers, servers)) "\u{202f}%" },
        html! { div.barcell { (bar(c.servers, most)) } },
        html! {
            @for n in c.networks.iter().take(NETWORKS) {
                span.pair {
                    @match n.asn {
                        Some(asn) => {
                            @let href = entities_url(&EntityFilter { kind: Some(EntityKind::Server), country: Some(c.country.clone()), asn: Some(asn), text: None });
                            a href=(href) { "AS" (asn) } " "
                            @if let Some(name) = &n.name { (text(name)) " " }
                            (count(n.servers, &href))
                        }
                        None => { (lang.t("map.no_as")) " " (fmt::number(n.servers)) }
                    }
                }
            }
            @if c.networks.len() > NETWORKS { span.quiet { (lang.n("map.more_networks", (c.networks.len() - NETWORKS) as u64, &[])) } }
        },
    ]))
}

fn data(countries: &[CountryServers]) -> serde_json::Value {
    countries
        .iter()
        .map(|c| serde_json::json!({
            "country": c.country, "servers": c.servers,
            "networks": c.networks.iter().map(|n| serde_json::json!({ "asn": n.asn, "name": n.name, "servers": n.servers })).collect::<Vec<_>>(),
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_holds_every_point_and_stays_in_the_world() {
        for points in [vec![], vec![(513.0, 114.0)], vec![(0.0, 0.0), (1000.0, 500.0)], vec![(990.0, 490.0), (995.0, 480.0)]] {
            let v = fit(&points);
            assert!(v.x >= 0.0 && v.y >= 0.0 && v.x + v.w <= 1000.1 && v.y + v.h <= 500.1, "{v:?}");
            for (x, y) in points {
                assert!(x >= v.x && x <= v.x + v.w && y >= v.y && y <= v.y + v.h, "{v:?}");
            }
        }
    }
}
