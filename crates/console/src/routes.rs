//! Every address the console answers, in one table. The router is made from it, and so are the
//! tests that nothing stands open and that every page keeps the rules.

use axum::Router;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use crate::app::{App, PageFn, run};
use crate::params::Param;
use crate::{assets, export, guard, live, pages, params};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody on this machine: what is needed to sign in, and nothing of the case.
    Open,
    /// Whoever is signed in.
    SignedIn,
}

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
    /// Who may ask.
    pub(crate) access: Access,
    /// What it gives.
    pub(crate) gives: Gives,
}

fn page(path: &'static str, page: PageFn, known: &'static [Param]) -> Route {
    Route { path, access: Access::SignedIn, gives: Gives::Page(page, known) }
}
fn other(path: &'static str, access: Access, method: MethodRouter<App>) -> Route {
    Route { path, access, gives: Gives::Other(method) }
}

/// The table.
pub(crate) fn routes() -> Vec<Route> {
    use Access::{Open, SignedIn};
    vec![
        page("/", pages::overview::page, params::NONE),
        other("/live", SignedIn, get(live::stream)),
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
        other("/tables/{id}/csv", SignedIn, get(export::csv)),
        other("/tables/{id}/xlsx", SignedIn, get(export::xlsx)),
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
        other("/language", Open, post(pages::sign_in::language)),
        other("/sign-in", Open, get(pages::sign_in::explain)),
        other("/sign-in/{token}", Open, get(pages::sign_in::spend)),
        other("/sign-out", SignedIn, post(pages::sign_in::sign_out)),
        other("/assets/{digest}/{name}", Open, get(assets::serve)),
    ]
}

/// The router. An address that is not in the table is, for whoever is not signed in, like any other.
pub(crate) fn router(app: App) -> Router {
    let mut open = Router::new();
    let mut held = Router::new();
    for route in routes() {
        let method = match route.gives {
            Gives::Other(method) => method,
            Gives::Page(page, known) => {
                get(move |state: State<App>, params: RawPathParams, request: Request| {
                    run(state, params, request, page, known)
                })
            }
        };
        match route.access {
            Access::Open => open = open.route(route.path, method),
            Access::SignedIn => held = held.route(route.path, method),
        }
    }
    let held = held.fallback(pages::missing).layer(from_fn_with_state(app.clone(), guard::session));
    open.merge(held)
        .layer(from_fn_with_state(app.clone(), guard::origin))
        .layer(from_fn(guard::headers))
        .with_state(app)
}
