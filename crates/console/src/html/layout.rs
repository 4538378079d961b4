//! The frame around every page: rail, title line, what the case is, the print footer.

use desk::read::{Snapshot, Standing};
use maud::{DOCTYPE, Markup, html};

use super::hostile::{plain, text};
use super::icon::icon;
use crate::app::{Ctx, Site};
use crate::assets;
use crate::i18n::Lang;

/// A place of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/`
    Overview,
    /// `/entities`
    Entities,
    /// `/network`
    Network,
    /// `/map`
    Map,
    /// `/tables`
    Tables,
    /// `/exhibits`
    Exhibits,
    /// `/custody`
    Custody,
    /// `/package`
    Package,
    /// `/problems`
    Problems,
    /// `/log`
    Log,
    /// `/search`
    Search,
    /// `/keys`: not in the rail's list.
    Keys,
    /// `/live`, of the clearing house, as those that follow.
    Live,
    /// `/tickets`
    Tickets,
    /// `/check`
    Check,
    /// `/objections`
    Objections,
    /// `/orders`
    Orders,
    /// `/exceptions`
    Exceptions,
    /// `/stops`
    Stops,
    /// `/statistics`
    Statistics,
}

/// The rail: place, path, name in catalogues, the letter behind `g`.
pub(crate) const PLACES: &[(Place, &str, &str, &str)] = &[
    (Place::Overview, "/", "overview", "o"),
    (Place::Entities, "/entities", "entities", "e"),
    (Place::Network, "/network", "network", "n"),
    (Place::Map, "/map", "map", "m"),
    (Place::Tables, "/tables", "tables", "t"),
    (Place::Exhibits, "/exhibits", "exhibits", "x"),
    (Place::Custody, "/custody", "custody", "c"),
    (Place::Problems, "/problems", "problems", "p"),
    (Place::Package, "/package", "package", "b"),
    (Place::Log, "/log", "log", "l"),
];

/// The rail of the clearing house.
pub(crate) const HOUSE_PLACES: &[(Place, &str, &str, &str)] = &[
    (Place::Live, "/live", "live", "l"),
    (Place::Tickets, "/tickets", "tickets", "t"),
    (Place::Orders, "/orders", "orders", "r"),
    (Place::Exceptions, "/exceptions", "exceptions", "x"),
    (Place::Stops, "/stops", "stops", "p"),
    (Place::Check, "/check", "check", "c"),
    (Place::Objections, "/objections", "objections", "o"),
    (Place::Statistics, "/statistics", "statistics", "s"),
];

/// A place, its path, its name in catalogues, the letter behind `g`.
type Row = (Place, &'static str, &'static str, &'static str);

/// The places of a console.
fn places(site: Site) -> &'static [Row] {
    match site {
        Site::Case => PLACES,
        Site::House => HOUSE_PLACES,
    }
}

/// The places that who asks may open.
pub(crate) fn open_places(ctx: &Ctx) -> impl Iterator<Item = &'static Row> {
    places(ctx.site).iter().filter(|(_, path, ..)| ctx.opens(path))
}

/// Where what is looked for is found.
fn finder(site: Site) -> &'static str {
    match site {
        Site::Case => "/search",
        Site::House => "/tickets",
    }
}

/// A table as a file: a page that everybody may read leads there for some alone.
pub(crate) const TABLE_FILE: &str = "/tables/{id}/csv";

/// True of the addresses that the frame leads to, and of [`TABLE_FILE`]: what a request is told of who may open them.
pub(crate) fn leads_to(site: Site, path: &str) -> bool {
    ["/", "/keys", "/sessions", TABLE_FILE, finder(site)].contains(&path)
        || places(site).iter().any(|place| place.1 == path)
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it belongs.
    pub(crate) place: Place,
    /// What it is about, small above the title.
    pub(crate) eyebrow: Markup,
    /// The answer, as text: the window's title. May hold seized text: it is made plain here.
    pub(crate) title: String,
    /// The answer as shown, where it holds more than text.
    pub(crate) heading: Option<Markup>,
    /// The page's one or two actions.
    pub(crate) actions: Markup,
    /// The content.
    pub(crate) body: Markup,
    /// What of the address was left out.
    pub(crate) notes: Vec<String>,
    /// A script the page's picture needs.
    pub(crate) script: Option<&'static str>,
    /// The data that script asks for: the browser asks at once, while it reads the page.
    pub(crate) data: Option<String>,
    /// The content takes the whole width and height (a picture).
    pub(crate) full: bool,
}

impl Page {
    /// A page of a place, with its answer.
    pub(crate) fn new(ctx: &Ctx, place: Place, title: impl Into<String>, body: Markup) -> Self {
        let name = places(ctx.site).iter().find(|p| p.0 == place).map_or("search", |p| p.2);
        let eyebrow = ctx.lang.t(&format!("place.{name}")).to_owned();
        Self {
            place,
            eyebrow: html! { (eyebrow) },
            title: title.into(),
            heading: None,
            actions: html! {},
            body,
            notes: Vec::new(),
            script: None,
            data: None,
            full: false,
        }
    }

    /// The page in its frame.
    pub(crate) fn render(&self, ctx: &Ctx, snapshot: &Snapshot) -> Markup {
        let case = CaseLine::of(snapshot);
        document(ctx, self, case.as_ref())
    }
}

impl Page {
    /// A page of the clearing house in its frame.
    pub(crate) fn render_house(&self, ctx: &Ctx, line: &CaseLine) -> Markup {
        document(ctx, self, Some(line))
    }
}

/// What the frame says of the case, or of the clearing house.
#[derive(Debug, Clone)]
pub(crate) struct CaseLine {
    /// The name of its log.
    pub(crate) name: String,
    /// Practice or real.
    pub(crate) standing: Standing,
    /// How many records its log has.
    pub(crate) records: u64,
}

impl CaseLine {
    fn of(snapshot: &Snapshot) -> Option<Self> {
        let (name, standing) = snapshot.standing().ok()?;
        Some(Self { name, standing, records: snapshot.records().ok()? })
    }
}

fn document(ctx: &Ctx, page: &Page, case: Option<&CaseLine>) -> Markup {
    let lang = ctx.lang;
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            (head(&page.title, page.script, page.data.as_deref(), None))
            body data-copied=(lang.t("frame.copied")) data-not-copied=(lang.t("frame.not_copied")) data-failed=(lang.t("frame.failed")) {
                a.skip href="#main" { (lang.t("frame.skip")) }
                div.frame {
                    (rail(ctx, page.place, case))
                    main #main tabindex="-1" class=(if page.full { "full" } else { "flow" }) {
                        @if let Some(case) = case { (standing(lang, ctx.site, case)) }
                        header #title .title {
                            div {
                                p.eyebrow { (page.eyebrow) }
                                h1 #answer {
                                    @if let Some(heading) = &page.heading { (heading) }
                                    @else { (text(&page.title)) }
                                }
                            }
                            div.actions { (page.actions) }
                        }
                        // Swapped with the results, so that it is true of them.
                        div #notes { @for note in &page.notes { (super::parts::notice(note)) } }
                        (page.body)
                        (print_line(ctx, case))
                        i #main-end hidden {}
                    }
                }
                (palette(ctx))
                div #heard .sr role="status" aria-live="polite" {}
            }
        }
    }
}

fn head(title: &str, script: Option<&str>, data: Option<&str>, refresh: Option<&str>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="robots" content="noindex";
            meta name="htmx-config" content=r#"{"includeIndicatorCSS":false,"history":"reload","extensions":"sse"}"#;
            // Painted once it is all there: a table whose columns widen as rows come in would shift.
            link rel="expect" href="#main-end" blocking="render";
            @if let Some(to) = refresh { meta http-equiv="refresh" content={ "0;url=" (to) }; }
            title { (plain(title)) " · Vigie" }
            link rel="icon" href=(assets::url("mark.svg"));
            link rel="stylesheet" href=(assets::url("app.css"));
            script src=(assets::url("app.js")) defer {}
            @if let Some(data) = data { link rel="preload" as="fetch" crossorigin href=(data); }
            @if let Some(script) = script { script src=(assets::url(script)) defer {} }
        }
    }
}

fn rail(ctx: &Ctx, here: Place, case: Option<&CaseLine>) -> Markup {
    let lang = ctx.lang;
    html! {
        header.rail {
            // Without an address it leads nowhere: a service's key has no page of its own.
            a.brand href=[["/", "/sessions"].into_iter().find(|path| ctx.opens(path))] {
                svg.i viewBox="0 0 16 16" width="20" height="20" aria-hidden="true" {
                    path d="M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8Z" {}
                    circle cx="8" cy="8" r="2" {}
                }
                span { "Vigie" }
            }
            @if ctx.opens(finder(ctx.site)) {
                a.find href=(finder(ctx.site)) data-palette="" {
                    (icon("search")) span { (lang.t("place.search")) } kbd { "/" }
                }
            }
            nav aria-label=(lang.t("frame.places")) {
                ul {
                    @for (place, path, name, letter) in open_places(ctx) {
                        li {
                            a href=(path) data-key=(letter) aria-current=[(*place == here).then_some("page")] {
                                (icon(name)) span { (lang.t(&format!("place.{name}"))) }
                            }
                        }
                    }
                }
            }
            div.foot {
                @if let Some(case) = case { p.case { (lang.t(if ctx.site == Site::Case { "frame.case" } else { "frame.house" })) " " (text(&case.name)) } }
                (languages(ctx))
                div.row {
                    @if ctx.opens("/keys") { a href="/keys" data-key="?" { (lang.t("place.keys")) } }
                    @if ctx.opens("/sessions") {
                        a href="/sessions" { (lang.t("place.account")) }
                        form method="post" action="/sign-out" {
                            button.plain type="submit" { (lang.t("frame.sign_out")) }
                        }
                    }
                }
            }
        }
    }
}

fn languages(ctx: &Ctx) -> Markup {
    html! {
        form.languages method="post" action="/language" aria-label=(ctx.lang.t("frame.language")) {
            input type="hidden" name="back" value=(ctx.here());
            @for lang in Lang::ALL {
                button.plain type="submit" name="lang" value=(lang.tag()) lang=(lang.tag())
                    aria-pressed=(if lang == ctx.lang { "true" } else { "false" }) title=(lang.own_name()) {
                    (lang.tag())
                }
            }
        }
    }
}

/// Practice or real: said on every page.
fn standing(lang: Lang, site: Site, case: &CaseLine) -> Markup {
    html! {
        @match &case.standing {
            Standing::Practice => p.standing.practice {
                strong { (lang.t("frame.practice")) } " "
                (lang.t(if site == Site::Case { "frame.practice_text" } else { "frame.practice_house" }))
            },
            Standing::Real { authority } => p.standing.real {
                strong { (lang.t(if site == Site::Case { "frame.real" } else { "frame.house" })) } " " (text(authority))
            },
        }
    }
}

/// What a printed page says of itself: of which case and how much of its log, when, from which address.
fn print_line(ctx: &Ctx, case: Option<&CaseLine>) -> Markup {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0));
    html! {
        footer.printed {
            p {
                "Vigie · "
                @if let Some(case) = case {
                    (text(&case.name)) " · " (ctx.lang.n("frame.as_of", case.records, &[])) " · "
                }
                (crate::fmt::moment(now)) " · " span.mono { (ctx.here()) }
            }
        }
    }
}

fn palette(ctx: &Ctx) -> Markup {
    let lang = ctx.lang;
    if !ctx.opens(finder(ctx.site)) {
        return html! {};
    }
    if ctx.site == Site::House {
        return palette_of_house(ctx);
    }
    html! {
        dialog #palette aria-label=(lang.t("place.search")) {
            form role="search" action="/search" method="get" {
                (icon("search"))
                input #palette-q type="search" name="q" autocomplete="off" spellcheck="false"
                    placeholder=(lang.t("search.placeholder")) aria-label=(lang.t("search.placeholder"))
                    hx-get="/search" hx-trigger="input changed delay:120ms" hx-target="#palette-hits"
                    hx-sync="this:replace";
                kbd { "Esc" }
            }
            div #palette-hits {
                ul.hits {
                    @for (_, path, name, letter) in open_places(ctx) {
                        li { a href=(path) { (icon(name)) span { (lang.t(&format!("place.{name}"))) } span.keys { kbd { "g" } kbd { (letter) } } } }
                    }
                }
            }
        }
    }
}

/// In the clearing house what is looked for is a value: the tickets that want it.
fn palette_of_house(ctx: &Ctx) -> Markup {
    let lang = ctx.lang;
    html! {
        dialog #palette aria-label=(lang.t("place.search")) {
            form role="search" action="/tickets" method="get" {
                (icon("search"))
                input #palette-q type="search" name="q" autocomplete="off" spellcheck="false"
                    placeholder=(lang.t("tickets.value")) aria-label=(lang.t("tickets.value"));
                kbd { "Esc" }
            }
            div #palette-hits {
                ul.hits {
                    @for (_, path, name, letter) in open_places(ctx) {
                        li { a href=(path) { (icon(name)) span { (lang.t(&format!("place.{name}"))) } span.keys { kbd { "g" } kbd { (letter) } } } }
                    }
                }
            }
        }
    }
}

/// A page for anybody, who may never have been here: no rail, the ways on, the choice of language.
pub(crate) fn open(ctx: &Ctx, title: &str, body: Markup) -> Markup {
    let lang = ctx.lang;
    let ways = [
        ("/blocked", "open.look_up"),
        ("/objection", "open.objection"),
        ("/harm", "open.harm"),
        ("/transparency", "transparency.title"),
    ];
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            (head(title, None, None, None))
            body.bare.open data-copied=(lang.t("frame.copied")) data-not-copied=(lang.t("frame.not_copied")) data-failed=(lang.t("frame.failed")) {
                a.skip href="#main" { (lang.t("frame.skip")) }
                main #main tabindex="-1" {
                    p.eyebrow { (lang.t("open.eyebrow")) }
                    h1 #answer { (text(title)) }
                    (body)
                    i #main-end hidden {}
                }
                footer.foot {
                    nav aria-label=(lang.t("frame.places")) {
                        ul.row {
                            @for (path, key) in ways {
                                li { a href=(path) aria-current=[(ctx.path == path).then_some("page")] { (lang.t(key)) } }
                            }
                            li { a href="/live" { (lang.t("sign_in.title")) } }
                        }
                    }
                    (languages(ctx))
                }
            }
        }
    }
}

/// A page without rail and case: signing in, and refusals.
pub(crate) fn bare(lang: Lang, title: &str, refresh: Option<&str>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            (head(title, None, None, refresh))
            body.bare {
                main #main {
                    p.brand {
                        svg.i viewBox="0 0 16 16" width="24" height="24" aria-hidden="true" {
                            path d="M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8Z" {}
                            circle cx="8" cy="8" r="2" {}
                        }
                        span { "Vigie" }
                    }
                    h1 { (title) }
                    (body)
                    i #main-end hidden {}
                }
            }
        }
    }
}

/// The frame around a failure, where the case may not be readable.
pub(crate) fn without_case(ctx: &Ctx, title: &str, body: Markup) -> Markup {
    apart(ctx, "error.eyebrow", title, html! { div.prose { (body) } })
}

/// The frame around what is not of the case, and says nothing of it. `eyebrow` is a message's key.
pub(crate) fn apart(ctx: &Ctx, eyebrow: &str, title: &str, body: Markup) -> Markup {
    let page = Page {
        place: Place::Keys,
        eyebrow: html! { (ctx.lang.t(eyebrow)) },
        title: title.to_owned(),
        heading: None,
        actions: html! {},
        body,
        notes: Vec::new(),
        script: None,
        data: None,
        full: false,
    };
    document(ctx, &page, None)
}
