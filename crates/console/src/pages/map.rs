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
/// Where most of the trade's servers stand.
const EUROPE: View = View { x: 455.0, y: 85.0, w: 170.0, h: 85.0 };

/// Labels by the width of the screen: their class, and their size as a share of the picture's.
const LABELS: [(&str, f32); 3] = [("large", 0.0135), ("middle", 0.02), ("small", 0.031)];

/// A part of the world's picture.
#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

/// A circle, and where its label has room.
struct Dot<'a> {
    at: (f32, f32),
    radius: f32,
    country: &'a CountryServers,
    label: Option<(f32, f32)>,
}

/// A box that a label or a circle takes: left, top, right, bottom.
type Taken = (f32, f32, f32, f32);

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
    let mut title = lang.f(
        "map.title",
        &[
            ("servers", &lang.n("count.Server", servers, &[])),
            ("countries", &lang.n("count.countries", known.len() as u64, &[])),
        ],
    );
    if unknown > 0 {
        title.push_str(&lang.n("overview.title_unknown", unknown, &[]));
    }
    let view = ctx.query.get("view").filter(|v| ["europe", "world"].contains(v));
    let body = html! {
        @if servers == 0 { (empty(lang.t("overview.no_servers"), lang.t("map.empty_why"))) }
        @else {
            nav.tabs aria-label=(lang.t("map.view")) {
                a href=(ctx.url(&["view"], &[])) aria-current=[view.is_none().then_some("page")] { (lang.t("map.near")) }
                @for (name, words) in [("europe", lang.t("map.europe")), ("world", lang.t("map.world"))] {
                    a href=(ctx.url(&["view"], &[("view", name)])) aria-current=[(view == Some(name)).then_some("page")] { (words) }
                }
            }
            (picture(lang, &countries, view))
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

/// Circles, most servers first (drawn beneath smaller ones), each labelled on the first side where
/// nothing stands yet and the picture does not end.
fn dots(countries: &[CountryServers], view: View, size: f32) -> Vec<Dot<'_>> {
    let most = countries.iter().map(|c| c.servers).max().unwrap_or(1).max(1);
    let mut out: Vec<Dot<'_>> = countries
        .iter()
        .filter_map(|country| {
            let at = places::country(&country.country)?.at;
            #[allow(clippy::cast_precision_loss, reason = "a circle's size")]
            let share = (country.servers as f32 / most as f32).sqrt();
            Some(Dot { at, radius: view.w * (0.004 + 0.02 * share), country, label: None })
        })
        .collect();
    let mut taken: Vec<Taken> = out
        .iter()
        .map(|d| (d.at.0 - d.radius, d.at.1 - d.radius, d.at.0 + d.radius, d.at.1 + d.radius))
        .collect();
    for (i, dot) in out.iter_mut().enumerate() {
        let letters = 3 + fmt::number(dot.country.servers).chars().count();
        #[allow(clippy::cast_precision_loss, reason = "a label's width")]
        let half = letters as f32 * size * 0.34;
        let ((x, y), r) = (dot.at, dot.radius);
        let side = r + half + size * 0.3;
        let middles =
            [(x, y - r - size * 0.8), (x + side, y), (x - side, y), (x, y + r + size * 0.8)];
        dot.label = middles.into_iter().find(|(x, y)| {
            let label = (x - half, y - size * 0.55, x + half, y + size * 0.55);
            let whole = label.0 >= view.x
                && label.1 >= view.y
                && label.2 <= view.x + view.w
                && label.3 <= view.y + view.h;
            whole && taken.iter().enumerate().all(|(k, t)| k == i || apart(label, *t))
        });
        if let Some((x, y)) = dot.label {
            taken.push((x - half, y - size * 0.55, x + half, y + size * 0.55));
        }
    }
    out
}

fn apart(a: Taken, b: Taken) -> bool {
    a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1
}

fn picture(lang: Lang, countries: &[CountryServers], view: Option<&str>) -> Markup {
    let points: Vec<_> =
        countries.iter().filter_map(|c| places::country(&c.country)).map(|c| c.at).collect();
    let view = match view {
        Some("europe") => EUROPE,
        Some(_) => WORLD,
        None => fit(&points),
    };
    // Labels for wide, middling and narrow screens: the style sheet shows the fitting ones.
    let layers = LABELS.map(|(class, share)| {
        let size = view.w * share;
        (class, size, dots(countries, view, size))
    });
    html! {
        svg.map viewBox={ (view.x) " " (view.y) " " (view.w) " " (view.h) } role="group" aria-label=(lang.t("map.picture")) {
            mask #land maskUnits="userSpaceOnUse" x="0" y="0" width="1000" height="500" {
                image href=(assets::url("world.svg")) x="0" y="0" width="1000" height="500" {}
            }
            rect.land x="0" y="0" width="1000" height="500" mask="url(#land)" {}
            @for (i, dot) in layers[0].2.iter().enumerate() {
                @let label = format!("{} {}: {}", dot.country.country, fmt::number(dot.country.servers), places::name(lang, &dot.country.country));
                a href=(in_country(&dot.country.country)) aria-label=(label) {
                    title { (label) }
                    circle cx=(dot.at.0) cy=(dot.at.1) r=(format!("{:.2}", dot.radius)) {}
                    @for (class, size, dots) in &layers { @if let Some((x, y)) = dots.get(i).and_then(|d| d.label) {
                        text class=(class) x=(format!("{x:.2}")) y=(format!("{:.2}", y + size * 0.36)) font-size=(format!("{size:.2}")) stroke-width=(format!("{:.2}", size * 0.25)) {
                            (dot.country.country) " " (fmt::number(dot.country.servers))
                        }
                    } }
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
        Col::text(lang.t("map.country")),
        Col::number(lang.t("map.servers")),
        Col::number(lang.t("map.share")).aside(),
        Col::with(html! { span.sr { (lang.t("map.share")) } }, false).aside(),
        Col::text(lang.t("map.networks")),
    ];
    table(lang.t("map.table"), &cols, countries.iter().map(|c| vec![
        html! { (places::name(lang, &c.country)) " " span.place { (c.country) } },
        count(c.servers, &in_country(&c.country)),
        html! { (fmt::share(lang, c.servers, servers)) },
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
        for points in [
            vec![],
            vec![(513.0, 114.0)],
            vec![(0.0, 0.0), (1000.0, 500.0)],
            vec![(990.0, 490.0), (995.0, 480.0)],
        ] {
            let v = fit(&points);
            assert!(v.x >= 0.0 && v.y >= 0.0 && v.x + v.w <= 1000.1 && v.y + v.h <= 500.1, "{v:?}");
            for (x, y) in points {
                assert!(x >= v.x && x <= v.x + v.w && y >= v.y && y <= v.y + v.h, "{v:?}");
            }
        }
    }
}
