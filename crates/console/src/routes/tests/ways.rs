//! No page shows a way to somebody who may not go it.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use desk::access::Principal;
use http_body_util::BodyExt;

use super::{Bench, askers, house};
use crate::app::Site;

/// Addresses that one asker is led to at most.
const MAX_PAGES: usize = 120;

/// The addresses of this console that a text leads to.
fn hrefs(text: &str) -> BTreeSet<String> {
    let after = text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let own = after.filter(|href| href.starts_with('/') && !href.starts_with("/assets/"));
    own.map(|href| href.split('#').next().unwrap().replace("&amp;", "&")).collect()
}

/// What the rail of a page leads to.
fn rail(page: &str) -> Option<BTreeSet<String>> {
    let rest = page.split_once("<header class=\"rail\">")?.1;
    Some(hrefs(rest.split_once("</header>").unwrap().0))
}

/// Follows every way of every page as everybody, from the two pages that one signs in to; gives the rail of each.
async fn led(mut bench: Bench) -> Vec<(String, BTreeSet<String>)> {
    let mut rails = Vec::new();
    for asker in askers(&bench) {
        if asker.principal == Principal::Nobody {
            continue;
        }
        let mut seen: BTreeSet<String> = ["/", "/sessions"].map(str::to_owned).into();
        // These two are asked for unled: they may say no.
        let mut next: Vec<(String, bool)> = seen.iter().map(|path| (path.clone(), false)).collect();
        let mut own = BTreeSet::new();
        while let Some((path, shown)) = next.pop() {
            let source = asker.source.unwrap_or_else(|| bench.fresh());
            let answer =
                bench.ask(Method::GET, &path, asker.header.as_ref(), Some(source), "").await;
            let status = answer.status();
            let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let what = format!("{path} as {}: {status}", asker.name);
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status);
            assert!(!shown || !refused, "{what}");
            let body = answer.into_body().collect();
            // What is live does not end.
            let Ok(body) = tokio::time::timeout(std::time::Duration::from_secs(20), body).await
            else {
                panic!("{what}: no end")
            };
            let text = String::from_utf8_lossy(&body.unwrap().to_bytes()).into_owned();
            let ways = rail(&text).unwrap_or_default();
            own.extend(ways.iter().cloned());
            let mut found = if status == StatusCode::OK { hrefs(&text) } else { BTreeSet::new() };
            // A page of a failure has a rail too.
            found.extend(ways);
            found.extend(to);
            for path in found {
                if seen.len() < MAX_PAGES && seen.insert(path.clone()) {
                    next.insert(0, (path, true));
                }
            }
        }
        for path in &own {
            let source = asker.source.unwrap_or_else(|| bench.fresh());
            let answer =
                bench.ask(Method::GET, path, asker.header.as_ref(), Some(source), "").await;
            let status = answer.status();
            let opens = status.is_success() || status.is_redirection();
            assert!(opens, "{path} in the rail of {}: {status}", asker.name);
        }
        rails.push((asker.name, own));
    }
    rails
}

fn of(rails: &[(String, BTreeSet<String>)], name: &str) -> Vec<String> {
    rails.iter().find(|(of, _)| of == name).unwrap().1.iter().cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_the_clearing_house_leads_to_a_refusal() {
    let mut bench = Bench::house();
    house::reported(&mut bench).await;
    let rails = led(bench).await;
    let all = ["/", "/check", "/exceptions", "/keys", "/live", "/objections", "/orders"];
    let all: Vec<&str> =
        all.into_iter().chain(["/sessions", "/statistics", "/stops", "/tickets"]).collect();
    for role in ["reviewer", "regulator", "operator", "auditor"] {
        assert_eq!(of(&rails, &format!("person {role}")), all, "{role}");
    }
    let reporter = [
        "/",
        "/check",
        "/exceptions",
        "/keys",
        "/live",
        "/orders",
        "/sessions",
        "/stops",
        "/tickets",
    ];
    assert_eq!(of(&rails, "person reporter"), reporter);
    assert_eq!(of(&rails, "person isp"), ["/exceptions", "/sessions", "/stops"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_a_case_leads_to_a_refusal() {
    let bench = Bench::new(true);
    assert_eq!(bench.app.site(), Site::Case);
    let rails = led(bench).await;
    for role in ["regulator", "operator", "auditor"] {
        let shown = of(&rails, &format!("person {role}"));
        for place in crate::html::PLACES {
            assert!(shown.iter().any(|path| path == place.1), "{} to {role}", place.1);
        }
    }
    for role in ["reporter", "isp", "reviewer"] {
        assert_eq!(of(&rails, &format!("person {role}")), ["/sessions"], "{role}");
    }
}
