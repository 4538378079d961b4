//! What the harm check found, in a reader's language.

use shield::Verdict;
use shield::harm::{Code, Innocents, Method, Reason};

use crate::Lang;

/// A reason as a sentence.
pub fn harm_reason(lang: Lang, reason: &Reason) -> String {
    let key = format!("harm.{}", reason.code.word());
    match reason.code {
        Code::NamesSeen | Code::Lifted | Code::MoreAliases => {
            lang.n(&key, reason.about.parse().unwrap_or(0), &[])
        }
        _ => lang.f(&key, &[("about", &reason.about)]),
    }
}

/// A verdict in words.
pub fn harm_verdict(lang: Lang, verdict: Verdict) -> &'static str {
    lang.find(&format!("harm_verdict.{}", verdict.word())).unwrap_or(verdict.word())
}

/// Who else would be hit, as a sentence: what is not known is said, and is never zero.
pub fn harm_innocents(lang: Lang, innocents: &Innocents) -> String {
    let key = format!("innocents.{}", innocents.method.word());
    match innocents.method {
        Method::NotCounted => lang.f(&key, &[]),
        Method::ExactName | Method::NamesSeen => lang.n(&key, innocents.at_least, &[]),
    }
}
