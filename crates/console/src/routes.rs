//! Every address the console answers, in one table. The router is made from it, and so are the
//! tests that nothing stands open and that every page keeps the rules.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use desk::access::Action;

use crate::app::{App, PageFn, Site, run};
use crate::gate::{self, Gated, Way};
use crate::params::Param;
use crate::{assets, export, guard, house, live, pages, params};

/// What an address gives. There are two dozen, made once: their size does not matter.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Gives {
    /// A page (or its part, or its data), and the parameters it answers.
    Page(PageFn, &'static [Param]),
    /// Something else: a stream, a file, a change.
    Other(MethodRouter<App>),
}

/// An address.
pub(crate) struct Route {
    /// Its pattern.
    pub(crate) path: &'static str,
    /// What is done there: `desk::access` decides who may.
    pub(crate) action: Action,
    /// What may be done there instead, where one address serves both.
    pub(crate) or: Option<Action>,
    /// What it gives.
    pub(crate) gives: Gives,
}

fn page(path: &'static str, page: PageFn, known: &'static [Param]) -> Route {
    Route { path, action: Action::CaseRead, or: None, gives: Gives::Page(page, known) }
}
fn other(path: &'static str, action: Action, method: MethodRouter<App>) -> Route {
    Route { path, action, or: None, gives: Gives::Other(method) }
}
/// One that either of two actions opens.
fn either(path: &'static str, [action, or]: [Action; 2], method: MethodRouter<App>) -> Route {
    Route { path, action, or: Some(or), gives: Gives::Other(method) }
}

/// The table of a console.
pub(crate) fn routes(site: Site) -> Vec<Route> {
    let mut all = match site {
        Site::Case => of_case(),
        Site::House => of_house(),
    };
    all.extend(of_both());
    all
}

/// Of the clearing house.
fn of_house() -> Vec<Route> {
    use Action::{
        ExceptionApprove, ExceptionPropose, HarmReport, ItemApprove, ItemLift, ItemLookUp,
        ItemReport, ObjectionDecide, ObjectionMake, OpenedRead, OrderGive, OwnItemLift, OwnStop,
        OwnTicketsRead, Resume, Stop, TicketsRead, TransparencyRead,
    };
    const SEE: [Action; 2] = [TicketsRead, OwnTicketsRead];
    const EVENT: [Action; 2] = [OrderGive, ItemReport];
    const LIFT: [Action; 2] = [ItemLift, OwnItemLift];
    // A list of a thousand URLs, as a form writes it.
    let long = || DefaultBodyLimit::max(MAX_LIST);
    vec![
        either("/", SEE, get(house::home)),
        either("/live", SEE, get(house::live::page)),
        either("/live/stream", SEE, get(house::stream::stream)),
        other("/report", ItemReport, post(house::report::report).layer(long())),
        other("/api/report", ItemReport, post(house::api::report).layer(long())),
        either("/api/lift", LIFT, post(house::api::lift)),
        either("/api/tickets/{id}", SEE, get(house::api::ticket)),
        either("/events/announce", EVENT, post(house::events::announced)),
        either("/events/extend", EVENT, post(house::events::extended)),
        either("/events/end", EVENT, post(house::events::ended)),
        either("/tickets", SEE, get(house::tickets::page)),
        either("/tickets/{id}", SEE, get(house::ticket::page)),
        either("/tickets/{id}/opened", [TicketsRead, OpenedRead], get(house::opened::file)),
        either("/evidence/{hash}", SEE, get(house::record::evidence)),
        other("/items/approve", ItemApprove, post(house::acts::approve)),
        either("/items/refuse", LIFT, post(house::acts::refuse)),
        either("/items/lift", LIFT, post(house::acts::lift)),
        either("/stops", [TicketsRead, OwnStop], get(house::stops::page)),
        either("/stop", [Stop, OwnStop], post(house::acts::stop)),
        either("/resume", [Resume, OwnStop], post(house::acts::resume)),
        either("/orders", SEE, get(house::orders::page)),
        other("/orders/give", OrderGive, post(house::orders::give)),
        other("/orders/end", OrderGive, post(house::orders::end)),
        either("/exceptions", [TicketsRead, ExceptionPropose], get(house::exceptions::page)),
        other("/exceptions/propose", ExceptionPropose, post(house::exceptions::propose)),
        other("/exceptions/approve", ExceptionApprove, post(house::exceptions::approve)),
        either(
            "/exceptions/revoke",
            [ExceptionApprove, ExceptionPropose],
            post(house::exceptions::revoke),
        ),
        either("/check", SEE, get(house::check::page).post(house::check::check).layer(long())),
        other("/objections", TicketsRead, get(house::objections::page)),
        other("/objections/decide", ObjectionDecide, post(house::acts::decide)),
        other("/statistics", TicketsRead, get(house::statistics::page)),
        other("/statistics.csv", TicketsRead, get(house::statistics::csv)),
        other("/statistics/publish", OrderGive, post(house::transparency::publish)),
        other("/log/{index}", TicketsRead, get(house::record::page)),
        either("/keys", SEE, get(house::keys)),
        other("/blocked", ItemLookUp, get(house::open::blocked)),
        other("/objection", ObjectionMake, get(house::open::objection).post(house::open::object)),
        other("/harm", HarmReport, get(house::open::harm).post(house::open::report_harm)),
        other("/transparency", TransparencyRead, get(house::transparency::page)),
        other("/transparency.csv", TransparencyRead, get(house::transparency::csv)),
    ]
}

/// Of a case.
fn of_case() -> Vec<Route> {
    use Action::{CaseExport, CaseRead};
    vec![
        page("/", pages::overview::page, params::NONE),
        other("/live", CaseRead, get(live::stream)),
        page("/entities", pages::entities::page, params::ENTITIES),
        page("/entity/{id}", pages::entity::page, params::NONE),
        page("/figure/{id}/{name}", pages::figure::page, params::NONE),
        page("/links", pages::links::page, params::LINKS),
        page("/facts", pages::facts::page, params::FACTS),
        page("/network", pages::network::page, params::NETWORK),
        page("/network/path", pages::path::page, params::PATH),
        page("/map", pages::map::page, params::MAP),
        page("/payments", pages::payments::page, params::PAYMENTS),
        page("/tables", pages::table_list::page, params::TABLES),
        page("/tables/{id}", pages::tables::rows, params::ROWS),
        other("/tables/{id}/csv", CaseExport, get(export::csv)),
        other("/tables/{id}/xlsx", CaseExport, get(export::xlsx)),
        page("/exhibits", pages::exhibits::list, params::EXHIBITS),
        page("/exhibit/{hash}", pages::exhibit::page, params::EXHIBIT),
        page("/custody", pages::custody::list, params::CUSTODY),
        page("/custody/{item}", pages::custody::item, params::NONE),
        page("/labels", pages::labels::page, params::LABELS),
        page("/package", pages::package::page, params::PACKAGE),
        page("/problems", pages::problems::page, params::PROBLEMS),
        page("/log", pages::log::list, params::LOG),
        page("/log/{index}", pages::log::entry, params::NONE),
        page("/search", pages::search::page, params::SEARCH),
        page("/keys", pages::keys::page, params::NONE),
    ]
}

/// Of both: signing in, one's account, who deals with the authority, the files of pages.
fn of_both() -> Vec<Route> {
    use Action::{
        Enter, OwnAccount, PageFile, PartiesRead, RefusalsRead, SessionsEnd, SessionsRead,
    };
    vec![
        other("/parties", PartiesRead, get(pages::parties::page)),
        other("/refusals", RefusalsRead, get(pages::parties::refusals)),
        other("/sessions", OwnAccount, get(pages::account::page)),
        other("/sessions/end", OwnAccount, post(pages::account::end)),
        other("/sessions/password", OwnAccount, post(pages::account::password)),
        other("/sessions/passkeys", OwnAccount, post(pages::passkey::add)),
        other("/sessions/passkeys/options", OwnAccount, post(pages::passkey::offer)),
        other("/sessions/passkeys/remove", OwnAccount, post(pages::passkey::remove)),
        other("/sessions/all", SessionsRead, get(pages::account::all)),
        other("/sessions/all/end", SessionsEnd, post(pages::account::end_all)),
        other("/language", Enter, post(pages::sign_in::language)),
        other("/sign-in", Enter, get(pages::sign_in::explain).post(pages::sign_in::sign_in)),
        other("/sign-in/passkey", Enter, post(pages::passkey::sign_in)),
        other("/sign-in/passkey/options", Enter, post(pages::passkey::ask)),
        other("/sign-in/{token}", Enter, get(pages::sign_in::spend)),
        other("/invite/{token}", Enter, get(pages::invite::show).post(pages::invite::accept)),
        other("/sign-out", OwnAccount, post(pages::sign_in::sign_out)),
        other("/assets/{digest}/{name}", PageFile, get(assets::serve)),
    ]
}

/// What refusals at an address that is none are counted under.
pub(crate) const NO_ROUTE: &str = "no route";
/// The most bytes of a request's body: forms are small.
const MAX_BODY: usize = 64 << 10;
/// The most bytes of a list that is pasted.
const MAX_LIST: usize = 1 << 20;

/// The router. Each address has its own gate; one that is not in the table is, for whoever may not read
/// the case, like any other.
pub(crate) fn router(app: App) -> Router {
    let mut all = Router::new();
    let ways: Arc<[Way]> = routes(app.site())
        .iter()
        .filter(|route| crate::html::leads_to(app.site(), route.path))
        .map(|route| Way { path: route.path, action: route.action, or: route.or })
        .collect();
    let gated = |path, action, or| {
        let ways = Arc::clone(&ways);
        from_fn_with_state(Gated { app: app.clone(), path, action, or, ways }, gate::gate)
    };
    // Who may not read what is served learns of no address that it has not.
    let read = match app.site() {
        Site::Case => Action::CaseRead,
        Site::House => Action::TicketsRead,
    };
    for route in routes(app.site()) {
        let method = match route.gives {
            Gives::Other(method) => method,
            Gives::Page(page, known) => {
                get(move |state: State<App>, params: RawPathParams, request: Request| {
                    run(state, params, request, page, known)
                })
            }
        };
        // Over the whole of it: a method that the address does not have passes the gate too.
        all = all.route(route.path, method.layer(gated(route.path, route.action, route.or)));
    }
    let missing = any(pages::missing);
    all.fallback_service(missing.layer(gated(NO_ROUTE, read, None)).with_state(app.clone()))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(app.clone(), guard::origin))
        .layer(from_fn_with_state(app.clone(), guard::headers))
        .with_state(app)
}

#[cfg(test)]
mod tests;
