//! The keys, and what the console's marks mean.

use desk::read::Snapshot;
use maud::html;

use crate::app::{Answer, Ctx, PageError};
use crate::html::icon::icon;
use crate::html::value::masked;
use crate::html::{Page, Place, hostile};

/// `GET /keys`.
pub(crate) fn page(ctx: &Ctx, _: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let keys: &[(&[&str], &str)] = &[
        (&["/"], "keys.search"),
        (&["Ctrl", "K"], "keys.search"),
        (&["?"], "keys.help"),
        (&["j"], "keys.down"),
        (&["k"], "keys.up"),
        (&["Enter"], "keys.open"),
        (&["Esc"], "keys.close"),
    ];
    let body = html! {
        div.columns {
            section aria-labelledby="h-keys" {
                h2 #h-keys { (lang.t("keys.moving")) }
                dl.keys {
                    @for (combination, meaning) in keys {
                        dt { @for key in *combination { kbd { (key) } " " } } dd { (lang.t(meaning)) }
                    }
                }
            }
            section aria-labelledby="h-go" {
                h2 #h-go { (lang.t("keys.going")) }
                dl.keys {
                    @for (_, path, name, letter) in crate::html::open_places(ctx) {
                        dt { kbd { "g" } " " kbd { (letter) } } dd { a href=(path) { (lang.t(&format!("place.{name}"))) } }
                    }
                }
            }
            section aria-labelledby="h-marks" {
                h2 #h-marks { (lang.t("keys.marks")) }
                dl.keys {
                    dt { span.source {} } dd { (lang.t("keys.mark_source")) }
                    dt { span.copy { (icon("copy")) } } dd { (lang.t("keys.mark_copy")) }
                    dt { (hostile::text("a\u{202e}b")) } dd { (lang.t("keys.mark_control")) }
                    dt { (masked(lang)) } dd { (lang.t("keys.mark_masked")) }
                }
            }
        }
    };
    let mut page = Page::new(ctx, Place::Keys, lang.t("keys.title"), body);
    page.eyebrow = html! { "Vigie" };
    Ok(Answer::Page(Box::new(page)))
}
