//! Icons: 16 × 16 strokes in the text's colour, drawn here. Decoration only: words stand beside.

use maud::{Markup, PreEscaped};

/// An icon by name; nothing for a name that has none.
pub(crate) fn icon(name: &str) -> Markup {
    let path = match name {
        "overview" => "M2.5 8.5h3v5h-3zM6.5 2.5h3v11h-3zM10.5 5.5h3v8h-3z",
        "entities" => "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM3 13.5c0-2.5 2-4 5-4s5 1.5 5 4",
        "network" => {
            "M4 5.5a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5ZM12 7.5A1.75 1.75 0 1 0 12 4a1.75 1.75 0 0 0 0 3.5ZM6 14a1.75 1.75 0 1 0 0-3.5A1.75 1.75 0 0 0 6 14ZM5.7 4.2l4.6 1.1M4.4 5.5l1.2 5M7.2 11l3.6-3.9"
        }
        "map" => {
            "M8 14s4.5-4.2 4.5-7.5a4.5 4.5 0 0 0-9 0C3.5 9.8 8 14 8 14ZM8 8.25a1.75 1.75 0 1 0 0-3.5 1.75 1.75 0 0 0 0 3.5Z"
        }
        "tables" => "M2.5 3.5h11v9h-11zM2.5 6.5h11M6.5 6.5v6M2.5 9.5h11",
        "exhibits" => "M3.5 1.5h6l3 3v10h-9zM9.5 1.5v3h3M5.5 8h5M5.5 11h5",
        "custody" => "M8 1.5 13 3.5v4c0 3-2 5.5-5 7-3-1.5-5-4-5-7v-4zM5.8 7.8l1.6 1.7 2.9-3.2",
        "package" => "M2.5 5.5 8 2.5l5.5 3v6L8 14.5l-5.5-3zM2.5 5.5 8 8.5l5.5-3M8 8.5v6",
        "problems" => "M8 2.5 14 13.5H2zM8 6.5v3.5M8 11.6v.4",
        "log" => "M4.5 3.5h9M4.5 8h9M4.5 12.5h9M2 3.5h.01M2 8h.01M2 12.5h.01",
        "live" => "M1.5 8.5h3l2-5.5 3 10 2-4.5h3",
        "tickets" => "M2.5 4.5h11V7a1 1 0 0 0 0 2v2.5h-11V9a1 1 0 0 0 0-2zM9.5 5v6",
        "check" => "M8 1.5 13 3.5v4c0 3-2 5.5-5 7-3-1.5-5-4-5-7v-4zM5.8 7.8l1.6 1.7 2.9-3.2",
        "objections" => "M2.5 3.5h11v7h-6l-3 3v-3h-2z",
        "orders" => "M3.5 2.5h9v11h-9zM6 6h4M6 8.5h4M6 11h2",
        "exceptions" => "M8 14a6 6 0 1 0 0-12 6 6 0 0 0 0 12ZM5 8.2l2 2 4-4",
        "stops" => "M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM5.5 8h5",
        "statistics" => "M2.5 8.5h3v5h-3zM6.5 2.5h3v11h-3zM10.5 5.5h3v8h-3z",
        "search" => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.7 3.7",
        "copy" => "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
        "arrow-out" => "M3 8h10M9 4l4 4-4 4",
        "arrow-in" => "M13 8H3M7 4 3 8l4 4",
        "next" => "M6 3l5 5-5 5",
        "close" => "M3.5 3.5l9 9M12.5 3.5l-9 9",
        "lock" => "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
        "download" => "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10",
        _ => return PreEscaped(String::new()),
    };
    PreEscaped(format!(
        "<svg class=\"i\" viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\" focusable=\"false\"><path d=\"{path}\"/></svg>"
    ))
}
