//! Every address the console answers, in one table. The router is made from it, and so are the
//! tests that nothing stands open and that every page keeps the rules.

use axum::Router;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};

use desk::access::Action;

use crate::app::{App, PageFn, run};
use crate::gate::{self, Gated};
use crate::params::Param;
use crate::{assets, export, guard, live, pages, params};

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
    /// What it gives.
    pub(crate) gives: Gives,
}

fn page(path: &'static str, page: PageFn, known: &'static [Param]) -> Route {
    Route { path, action: Action::CaseRead, gives: Gives::Page(page, known) }
}
fn other(path: &'static str, action: Action, method: MethodRouter<App>) -> Route {
    Route { path, action, gives: Gives::Other(method) }
}

/// The table.
pub(crate) fn routes() -> Vec<Route> {
    use Action::{
        CaseExport, CaseRead, Enter, OwnAccount, PartiesRead, RefusalsRead, SessionsEnd,
        SessionsRead,
    };
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
        other("/parties", PartiesRead, get(pages::parties::page)),
        other("/refusals", RefusalsRead, get(pages::parties::refusals)),
        other("/sessions", OwnAccount, get(pages::account::page)),
        other("/sessions/end", OwnAccount, post(pages::account::end)),
        other("/sessions/password", OwnAccount, post(pages::account::password)),
        other("/sessions/all", SessionsRead, get(pages::account::all)),
        other("/sessions/all/end", SessionsEnd, post(pages::account::end_all)),
        other("/language", Enter, post(pages::sign_in::language)),
        other("/sign-in", Enter, get(pages::sign_in::explain).post(pages::sign_in::sign_in)),
        other("/sign-in/{token}", Enter, get(pages::sign_in::spend)),
        other("/invite/{token}", Enter, get(pages::invite::show).post(pages::invite::accept)),
        other("/sign-out", OwnAccount, post(pages::sign_in::sign_out)),
        other("/assets/{digest}/{name}", Enter, get(assets::serve)),
    ]
}

/// What refusals at an address that is none are counted under.
pub(crate) const NO_ROUTE: &str = "no route";
/// The most bytes of a request's body: forms are small.
const MAX_BODY: usize = 64 << 10;

/// The router. Each address has its own gate; one that is not in the table is, for whoever may not read
/// the case, like any other.
pub(crate) fn router(app: App) -> Router {
    let mut all = Router::new();
    let gated =
        |path, action| from_fn_with_state(Gated { app: app.clone(), path, action }, gate::gate);
    for route in routes() {
        let method = match route.gives {
            Gives::Other(method) => method,
            Gives::Page(page, known) => {
                get(move |state: State<App>, params: RawPathParams, request: Request| {
                    run(state, params, request, page, known)
                })
            }
        };
        // Over the whole of it: a method that the address does not have passes the gate too.
        all = all.route(route.path, method.layer(gated(route.path, route.action)));
    }
    let missing = any(pages::missing);
    all.fallback_service(missing.layer(gated(NO_ROUTE, Action::CaseRead)).with_state(app.clone()))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(app.clone(), guard::origin))
        .layer(from_fn_with_state(app.clone(), guard::headers))
        .with_state(app)
}

#[cfg(test)]
mod tests;
