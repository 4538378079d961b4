//! What pages of the console say.

use crate::bench::Bench;
use crate::console::Console;

/// The commands that pages show act for the authority for which the console was started.
#[test]
fn commands_on_pages_name_the_home_that_was_named() {
    let bench = Bench::new();
    let material = bench.seizure("seizure", "small", 1.0, 2).join("material/office");
    let material = material.to_str().expect("UTF-8");
    for (home, named) in [(None, false), (Some("other home"), true)] {
        let of: Vec<&str> = home.into_iter().flat_map(|home| ["--home", home]).collect();
        let case = if named { "named" } else { "plain" };
        bench.ok(&[&["open", "--case", case, material], &of[..]].concat());
        let served = Console::start(&bench, &[&["--case", case], &of[..]].concat());
        let (_, page) = served.get("/package?for=Court&handling=H0");
        let shown = format!("vigie --home '{}' package make", bench.path("other home").display());
        // As it stands in a page's text.
        let shown = shown.replace('\'', "&#39;");
        let page = page.replace("&apos;", "&#39;").replace('\'', "&#39;");
        assert_eq!(page.contains(&shown), named, "{page}");
        assert_eq!(page.contains("vigie package make"), !named, "{page}");
    }
}
