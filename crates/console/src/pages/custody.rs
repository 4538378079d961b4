//! Custody: who holds which item, from hand to hand, and who had it at a moment.

use desk::custody::{Custody, Held, fault_word, proof_word};
use desk::read::Snapshot;
use maud::{Markup, html};
use model::custody::{Asked, Fault, Proof, Side, Step, Stint};

use crate::app::{Answer, Ctx, PageError};
use crate::fmt;
use crate::html::hostile::{mono, plain, text};
use crate::html::parts::{Col, choice, empty, field, notice, table};
use crate::html::{Page, Place};
use crate::i18n::Lang;
use crate::query::{segment, url};

/// `GET /custody`.
pub(crate) fn list(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let custody = snapshot.custody()?;
    let all = custody.all();
    let asked_for = ctx.query.get("item");
    let known = asked_for.is_none_or(|name| all.iter().any(|held| held.name == name));
    if ctx.json() {
        if !known {
            return Err(PageError::NotFound);
        }
        let wanted = all.iter().filter(|held| asked_for.is_none_or(|name| name == held.name));
        let items: Vec<_> = wanted.map(Held::to_json).collect();
        return Ok(Answer::Json(serde_json::json!({ "items": items })));
    }
    let uncovered = snapshot.uncovered(&custody)?;
    let faults: usize = all.iter().map(|held| held.chain.faults.len()).sum();
    let items = lang.n("custody.items", all.len() as u64, &[]);
    let title = match faults as u64 {
        0 => items,
        n => lang.n("custody.title_wrong", n, &[("items", &items)]),
    };
    let body = html! {
        (question(ctx, &all))
        @if let Some(name) = asked_for.filter(|_| !known) {
            (notice(&lang.f("custody.no_such", &[("item", &plain(name))])))
        } @else if let Some(asked) = ctx.query.get("at").and_then(Asked::read) {
            (answer(ctx, &custody, &all, &asked))
        }
        @if uncovered > 0 { (notice(&lang.n("custody.uncovered", uncovered, &[]))) }
        @if all.is_empty() { (empty(lang.t("custody.none"), lang.t("custody.none_why"))) }
        @else { (held_now(lang, &custody, &all)) }
        (people(lang, &custody))
    };
    let mut page = Page::new(ctx, Place::Custody, title, body);
    if !all.is_empty() {
        page.actions = html! { a.button href="/labels" { (lang.t("custody.labels")) } };
    }
    Ok(Answer::Page(Box::new(page)))
}

/// Who had it at …?
fn question(ctx: &Ctx, all: &[Held<'_>]) -> Markup {
    let lang = ctx.lang;
    let items = all.iter().map(|held| (held.name, plain(held.name)));
    html! {
        form.filters method="get" action="/custody" aria-label=(lang.t("custody.who_had")) {
            (choice(lang.t("custody.item"), "item", ctx.query.get("item"), lang.t("custody.all_items"), items))
            (field(lang.t("custody.when"), "at", ctx.query.get("at").unwrap_or(""), "datetime-local"))
            button type="submit" { (lang.t("custody.who_had")) }
        }
    }
}

fn answer(ctx: &Ctx, custody: &Custody, all: &[Held<'_>], asked: &Asked) -> Markup {
    let lang = ctx.lang;
    let item = ctx.query.get("item");
    let wanted = all.iter().filter(|held| item.is_none_or(|item| item == held.name));
    let cols = [
        Col::text(lang.t("custody.item")),
        Col::text(lang.t("custody.holder")),
        Col::text(lang.t("custody.place")),
        Col::text(lang.t("custody.seal")),
        Col::text(lang.t("custody.since")),
        Col::text(lang.t("custody.until")),
        Col::number(lang.t("log.record")),
    ];
    let rows = wanted.flat_map(|held| {
        let had = held.chain.at(asked);
        let torn = had.len() > 1;
        let nobody = html! { span.quiet { (lang.t("custody.nobody")) } };
        let none = had.is_empty().then(|| {
            let blank = || html! {};
            vec![link(held.name), nobody, blank(), blank(), blank(), blank(), blank()]
        });
        let rows = had.into_iter().map(move |stint| {
            vec![
                link(held.name),
                html! {
                    (person(custody, &stint.holder))
                    @if torn { " " span.state.is-wrong { (lang.t("custody.contradicted")) } }
                    @if stint.lost { " " span.state.is-wrong { (lang.t("custody.in_doubt")) } }
                },
                text(&stint.place),
                seal(lang, stint.seal.as_deref()),
                html! { time { (stint.since) } },
                html! { @match &stint.until { Some(until) => time { (until) }, None => (lang.t("custody.now")) } },
                record(stint.record),
            ]
        });
        none.into_iter().chain(rows).collect::<Vec<_>>()
    });
    html! {
        section aria-labelledby="h-answer" {
            h2 #h-answer { (lang.f("custody.had_at", &[("time", &asked.0.to_string())])) }
            (table(lang.t("custody.who_had"), &cols, rows))
            @if asked.0.offset_min.is_none() { p.quiet { (lang.t("custody.by_its_clock")) } }
        }
    }
}

fn held_now(lang: Lang, custody: &Custody, all: &[Held<'_>]) -> Markup {
    let cols = [
        Col::text(lang.t("custody.item")),
        Col::text(lang.t("custody.holder")),
        Col::text(lang.t("custody.place")),
        Col::text(lang.t("custody.seal")),
        Col::text(lang.t("custody.since")),
        Col::text(lang.t("custody.chain")).wide(),
    ];
    let each = |stints: &[&Stint], show: &dyn Fn(&Stint) -> Markup| {
        html! { @for (n, stint) in stints.iter().enumerate() { @if n > 0 { br; } (show(stint)) } }
    };
    let rows = all.iter().map(|held| {
        let now = held.chain.now();
        vec![
            html! {
                (link(held.name))
                @if let Some(what) = held.description() { br; span.quiet { (text(what)) } }
            },
            each(&now, &|s| person(custody, &s.holder)),
            each(&now, &|s| text(&s.place)),
            each(&now, &|s| seal(lang, s.seal.as_deref())),
            each(&now, &|s| html! { time { (s.since) } }),
            html! {
                @if held.chain.faults.is_empty() {
                    span.state.is-read { (lang.t("custody.whole")) }
                } @else {
                    @for (_, fault) in &held.chain.faults { (fault_name(lang, fault)) " " }
                }
            },
        ]
    });
    html! {
        section aria-labelledby="h-items" {
            h2 #h-items { (lang.t("custody.now_held")) }
            (table(lang.t("custody.now_held"), &cols, rows))
        }
    }
}

fn people(lang: Lang, custody: &Custody) -> Markup {
    let cols = [
        Col::text(lang.t("field.person")),
        Col::text(lang.t("field.name")),
        Col::text(lang.t("field.role")),
        Col::text(lang.t("field.organisation")),
        Col::text(lang.t("field.key")).wide(),
        Col::number(lang.t("log.record")),
    ];
    let rows = custody.book.enrolled().into_iter().map(|(short, p)| {
        let of = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
        vec![
            mono(short),
            text(&p.body.name),
            of(&p.body.role),
            of(&p.body.organisation),
            match custody.book.key(short, u64::MAX) {
                Some(key) => mono(key),
                None => html! { span.quiet { (lang.t("custody.no_key")) } },
            },
            record(p.taken.record),
        ]
    });
    html! {
        section aria-labelledby="h-people" {
            h2 #h-people { (lang.t("custody.people")) }
            @if custody.book.enrolled().is_empty() { p.fine { (lang.t("custody.no_people")) } }
            @else { (table(lang.t("custody.people"), &cols, rows)) }
        }
    }
}

/// `GET /custody/{item}`.
pub(crate) fn item(ctx: &Ctx, snapshot: &Snapshot) -> Result<Answer, PageError> {
    let lang = ctx.lang;
    let custody = snapshot.custody()?;
    let held = custody.held(ctx.param(0)).ok_or(PageError::NotFound)?;
    if ctx.json() {
        return Ok(Answer::Json(held.to_json()));
    }
    let holders: Vec<String> =
        held.chain.now().iter().map(|stint| name_of(&custody, &stint.holder)).collect();
    let by = holders.join(" / ");
    let title = match holders.len() {
        0 => held.name.to_owned(),
        _ => lang.f("custody.held_by", &[("item", held.name), ("holder", &by)]),
    };
    let body = html! {
        @if !held.chain.faults.is_empty() { (faults(lang, &held)) }
        (steps(lang, &custody, &held))
        (imaged(lang, &custody, &held))
        (set_aside(lang, &custody, held.name))
    };
    let mut page = Page::new(ctx, Place::Custody, title, body);
    page.eyebrow = html! {
        a href="/custody" { (lang.t("place.custody")) }
        @if let Some(what) = held.description() { " · " (text(what)) }
    };
    page.actions = html! { a.button href=(url("/labels", [("item", held.name)])) { (lang.t("custody.label")) } };
    Ok(Answer::Page(Box::new(page)))
}

fn faults(lang: Lang, held: &Held<'_>) -> Markup {
    html! {
        section aria-labelledby="h-faults" {
            h2 #h-faults { (lang.n("custody.faults", held.chain.faults.len() as u64, &[])) }
            ul.rows {
                @for (at, fault) in &held.chain.faults {
                    li { (fault_name(lang, fault)) " " (told(lang, fault)) " " (record(*at)) }
                }
            }
        }
    }
}

/// A fault: a shape and a word.
fn fault_name(lang: Lang, fault: &Fault) -> Markup {
    html! { span.state.is-wrong { (lang.t(&format!("fault.{}", fault_word(fault)))) } }
}

/// What exactly is wrong.
fn told(lang: Lang, fault: &Fault) -> Markup {
    let or = |seal: &Option<String>| {
        seal.as_deref().map_or_else(|| lang.t("custody.no_seal").to_owned(), plain)
    };
    let who = |held_by: &[String]| match held_by {
        [] => lang.t("custody.nobody").to_owned(),
        some => some.iter().map(|who| plain(who)).collect::<Vec<_>>().join(", "),
    };
    let said = match fault {
        Fault::Gap { held_by, from } => {
            lang.f("custody.why_gap", &[("held", &who(held_by)), ("from", &plain(from))])
        }
        Fault::Overlap { held_by, from } => {
            lang.f("custody.why_overlap", &[("held", &who(held_by)), ("from", &plain(from))])
        }
        Fault::Early { received } => {
            lang.f("custody.why_early", &[("time", &received.to_string())])
        }
        Fault::Undated => lang.t("custody.why_undated").to_owned(),
        Fault::Seal { was, is } => {
            lang.f("custody.why_seal", &[("was", &or(was)), ("is", &or(is))])
        }
        Fault::Unproved { side, .. } => lang
            .t(match side {
                Side::From => "custody.by_giver",
                Side::To => "custody.by_taker",
            })
            .to_owned(),
    };
    html! { span { (said) } }
}

fn steps(lang: Lang, custody: &Custody, held: &Held<'_>) -> Markup {
    html! {
        section aria-labelledby="h-steps" {
            h2 #h-steps { (lang.t("custody.chain")) }
            ol.steps { @for step in &held.chain.steps { (one(lang, custody, held, step)) } }
        }
    }
}

fn one(lang: Lang, custody: &Custody, held: &Held<'_>, step: &Step) -> Markup {
    let at = step.at.unwrap_or(step.recorded);
    html! {
        li {
            p.via {
                time { (at) } " · "
                @match &step.from {
                    None => (lang.t("custody.registered")),
                    Some(from) if *from == step.to => (lang.t("custody.moved")),
                    Some(from) => { (lang.t("custody.came_from")) " " (person(custody, from)) },
                }
                " · " (record(step.record))
            }
            p { strong { (person(custody, &step.to)) } ", " (text(&step.place)) }
            p.quiet {
                (lang.t("custody.seal")) " " (seal(lang, step.seal_after.as_deref()))
                @if step.seal_before != step.seal_after {
                    " (" (lang.t("custody.before")) " " (seal(lang, step.seal_before.as_deref())) ")"
                }
                @if let Some(reason) = &step.reason { " · " (text(reason)) }
            }
            @if let Some(proofs) = step.proofs {
                p {
                    @for (key, proof) in ["custody.giver", "custody.taker"].into_iter().zip(proofs) {
                        span.pair { span.quiet { (lang.t(key)) } " " (proof_name(lang, proof)) } " "
                    }
                }
            }
            @for fault in held.chain.of(step.record) { p { (fault_name(lang, fault)) " " (told(lang, fault)) } }
        }
    }
}

fn proof_name(lang: Lang, proof: Proof) -> Markup {
    let class = match proof {
        Proof::Signed | Proof::Acknowledged => "state is-read",
        Proof::Waiting | Proof::Withheld => "state is-waiting",
        Proof::Missing | Proof::Broken => "state is-wrong",
    };
    html! { span class=(class) { (lang.t(&format!("proof.{}", proof_word(proof)))) } }
}

fn imaged(lang: Lang, custody: &Custody, held: &Held<'_>) -> Markup {
    let own = held.item.and_then(|item| item.body.exhibit).map(|id| (id, None));
    let images = held.item.into_iter().flat_map(|item| &item.imaged);
    let all: Vec<_> = own.into_iter().chain(images.map(|(id, at)| (*id, Some(*at)))).collect();
    html! {
        @if !all.is_empty() {
            section aria-labelledby="h-imaged" {
                h2 #h-imaged { (lang.t("custody.exhibits")) }
                ul.rows { @for (id, at) in all { li {
                    // What is withheld is not opened from here.
                    @if custody.hidden.contains(&id) { span.mono.break { (id) } }
                    @else { a.mono.break href={ "/exhibit/" (id) } { (id) } }
                    " " @match at { Some(at) => (record(at)), None => span.quiet { (lang.t("custody.is_it")) } }
                } } }
            }
        }
    }
}

/// The records on an item that no longer count: they stay in the log, and so here.
fn set_aside(lang: Lang, custody: &Custody, name: &str) -> Markup {
    let items = custody.book.items.iter().filter(|i| i.body.item == name).map(|i| i.taken.record);
    let handed = custody.book.hand_overs.iter().filter(|h| h.body.item == name);
    let records = items.chain(handed.map(|h| h.taken.record));
    let aside: Vec<_> =
        records.filter_map(|at| custody.book.corrected.get(&at).map(|by| (at, by))).collect();
    html! {
        @if !aside.is_empty() {
            section aria-labelledby="h-aside" {
                h2 #h-aside { (lang.t("custody.set_aside")) }
                ul.rows { @for (at, (by, why)) in aside { li {
                    del { (record(at)) } " " (text(why)) " " (record(*by))
                } } }
            }
        }
    }
}

/// The items that an exhibit belongs to, for the exhibit's own page.
pub(crate) fn of_exhibit(lang: Lang, custody: &Custody, items: &[String]) -> Markup {
    html! {
        @if items.is_empty() { p { (lang.t("place.custody")) (lang.colon()) " " span.quiet { (lang.t("custody.no_item")) } } }
        @for held in items.iter().filter_map(|name| custody.held(name)) {
            p { (lang.t("place.custody")) (lang.colon()) " " (link(held.name)) " " (line(lang, custody, &held)) }
        }
    }
}

/// From hand to hand, in one line: who had it since when, and whether something is wrong.
fn line(lang: Lang, custody: &Custody, held: &Held<'_>) -> Markup {
    html! {
        ol.hands {
            @for stint in &held.chain.stints {
                li { (person(custody, &stint.holder)) " " time.quiet { (stint.since) } }
            }
        }
        @for (_, fault) in &held.chain.faults { " " (fault_name(lang, fault)) }
    }
}

fn link(name: &str) -> Markup {
    html! { a href={ "/custody/" (segment(name)) } { (text(name)) } }
}

pub(super) fn record(at: u64) -> Markup {
    html! { a.n href={ "/log/" (at) } { (fmt::number(at)) } }
}

fn seal(lang: Lang, seal: Option<&str>) -> Markup {
    match seal {
        Some(seal) => mono(seal),
        None => html! { span.quiet { (lang.t("custody.no_seal")) } },
    }
}

/// A person's name, else what records call the person.
fn name_of(custody: &Custody, short: &str) -> String {
    let enrolled = custody.book.enrolled();
    let name = enrolled.get(short).map(|p| p.body.name.clone()).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| short.to_owned())
}

fn person(custody: &Custody, short: &str) -> Markup {
    let name = name_of(custody, short);
    html! { (text(&name)) @if name != short { " " span.quiet { (mono(short)) } } }
}
