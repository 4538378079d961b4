//! Each figure of the overview opens to the things it counts, all of them.

use std::collections::BTreeSet;

use desk::read::{
    EntityFilter, FigureInput, KindTotal, LinkFilter, Paging, PaymentFilter, PaymentRow, Reader,
    Snapshot, TableQuery,
};
use model::LinkKind;

use crate::bench::{Bench, seed};

/// All pages of a list.
fn all<T>(page: impl Fn(&Paging) -> desk::read::Page<T>) -> Vec<T> {
    let mut items = Vec::new();
    let mut paging = Paging { after: None, limit: 7 };
    loop {
        let found = page(&paging);
        items.extend(found.items);
        match found.next {
            Some(next) => paging.after = Some(next),
            None => return items,
        }
    }
}

/// What is listed and what stands in the tables named come to the figure, and the tables hold rows.
fn opens(snapshot: &Snapshot, figure: u64, total: &KindTotal, listed: usize, what: &str) {
    assert_eq!(total.count, figure, "{what}");
    assert_eq!(total.stored, listed as u64, "{what}");
    assert_eq!(total.rest() > 0, !total.holders.is_empty(), "{what}: {total:?}");
    assert!(!total.more, "{what}");
    let mut rows = 0;
    for holder in &total.holders {
        let found = snapshot.count_rows(&holder.rows, u64::MAX).unwrap().unwrap();
        assert!(found > 0, "{what}: {holder:?}");
        // A row may name one in each of its columns.
        rows += found * holder.columns.len() as u64;
    }
    assert!(rows >= total.rest(), "{what}: {rows} rows for {}", total.rest());
}

#[test]
fn every_figure_opens_to_what_it_counts() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, seed("figures"));
    bench.open("case", &seizure);
    let snapshot = Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let overview = snapshot.overview().unwrap();
    let mut in_rows = 0;
    for figure in &overview.entities {
        let filter = EntityFilter { kind: Some(figure.kind), ..EntityFilter::default() };
        let listed = all(|paging| snapshot.entities(&filter, paging).unwrap()).len();
        let total = snapshot.entity_total(figure.kind).unwrap();
        opens(&snapshot, figure.count, &total, listed, figure.kind.name());
        in_rows += total.rest();
    }
    for figure in &overview.links {
        let filter = LinkFilter { kind: Some(figure.kind), ..LinkFilter::default() };
        let listed = all(|paging| snapshot.links(&filter, paging).unwrap()).len();
        let total = snapshot.link_total(figure.kind).unwrap();
        opens(&snapshot, figure.count, &total, listed, figure.kind.name());
        in_rows += total.rest();
    }
    assert!(in_rows > 0, "a seizure with rows that nothing else names");
    let rows = |query: &TableQuery| snapshot.count_rows(query, u64::MAX).unwrap().unwrap();
    let mut of_one_table = 0;
    for figure in overview.panels.iter().flat_map(|p| &p.figures) {
        let counted: u64 = figure
            .inputs
            .iter()
            .map(|input| match input {
                FigureInput::Rows(query) => rows(query),
                other => panic!("{other:?}"),
            })
            .sum();
        // A name in two dumps counts once; a line in force is a row of the latest.
        assert!(counted >= figure.value as u64, "{figure:?}");
        if figure.name == "active_lines" || figure.inputs.len() == 1 {
            of_one_table += 1;
            assert_eq!(counted, figure.value as u64, "{figure:?}");
        }
    }
    assert!(of_one_table > 0);
    let links = all(|paging| snapshot.links(&LinkFilter::default(), paging).unwrap());
    let (mut by_rows, mut paid) = (0, 0);
    for link in links.iter().filter(|link| link.rows.is_some()) {
        if link.kind == LinkKind::Paid {
            paid += 1;
            let filter = PaymentFilter {
                class: Some("completed".to_owned()),
                from: Some(link.from.id),
                to: Some(link.to.id),
                ..PaymentFilter::default()
            };
            let found = snapshot.payments(&filter, &Paging::default()).unwrap();
            assert_eq!(found.page.total, Some(link.count), "{link:?}");
            continue;
        }
        by_rows += 1;
        let holders = snapshot.link_holders(link).unwrap();
        let stating: u64 = holders.iter().map(|(_, n)| n).sum();
        assert!(
            stating <= link.count && (link.source.is_some() || stating == link.count),
            "{link:?}"
        );
        for (holder, n) in &holders {
            assert_eq!(rows(&holder.rows), *n, "{holder:?}");
        }
        if link.whole {
            assert_eq!(rows(link.rows.as_ref().unwrap()), link.count, "{link:?}");
        }
    }
    assert!(by_rows > 0 && paid > 0, "{by_rows} {paid}");

    let mut completed = 0;
    for figure in &overview.payments {
        let filter = PaymentFilter {
            class: Some("completed".to_owned()),
            currency: Some(figure.currency.clone()),
            ..PaymentFilter::default()
        };
        let found = snapshot.payments(&filter, &Paging::default()).unwrap();
        assert_eq!(found.page.total, Some(figure.count), "{figure:?}");
        assert_eq!(found.sum_minor, Some(figure.sum_minor), "{figure:?}");
        let listed = all(|paging| snapshot.payments(&filter, paging).unwrap().page);
        assert_eq!(listed.len() as u64, figure.count, "{figure:?}");
        let sum: i128 = listed.iter().filter_map(|p| p.gross_minor).map(i128::from).sum();
        assert_eq!(sum, figure.sum_minor, "{figure:?}");
        completed += listed.len();
    }
    let every = all(|p| snapshot.payments(&PaymentFilter::default(), p).unwrap().page);
    assert!(every.len() > completed && completed > 0, "some are held, converted or denied");
    let key = |p: &PaymentRow| {
        let sign = p.gross_minor.unwrap_or(0).signum();
        (p.processor.clone(), p.account.clone(), p.txid.clone(), p.class.clone(), sign)
    };
    assert_eq!(every.iter().map(key).collect::<BTreeSet<_>>().len(), every.len(), "each once");
    for p in &every {
        let source = p.source.as_ref().unwrap();
        let len = usize::try_from(source.end - source.start).unwrap();
        let bytes = snapshot.bytes(source.exhibit, source.start, len).unwrap().bytes;
        assert_eq!((bytes.len(), len > 0), (len, true), "{p:?}");
    }
}
