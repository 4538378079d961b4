//! What problems cost in all.

use model::ProblemKind;

use super::exhibit::ProblemFilter;
use super::{Snapshot, exhibits};
use crate::Result;

/// What the problems that a filter selects cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemCost {
    /// By kind, most first.
    pub kinds: Vec<(ProblemKind, u64)>,
    /// Those whose bytes yielded nothing.
    pub costly: u64,
    /// The exhibits these stand in.
    pub exhibits: u64,
    /// The bytes they take.
    pub bytes: u64,
    /// Files that could not be sealed at all: among the problems, in no exhibit.
    pub files: u64,
}

impl ProblemCost {
    /// All problems.
    pub fn total(&self) -> u64 {
        self.kinds.iter().map(|k| k.1).sum()
    }
}

impl Snapshot {
    /// What the problems cost that a filter selects.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn problem_cost(&self, filter: &ProblemFilter) -> Result<ProblemCost> {
        let db = self.db()?;
        let kind = filter.kind.map(ProblemKind::as_str);
        let (low, high) = match &filter.exhibit {
            Some(id) => {
                let ord = crate::views::ord_of(db, id)?.unwrap_or(-1);
                (ord << 32, (ord + 1) << 32)
            }
            None => (0, i64::MAX),
        };
        let mut cost = ProblemCost::default();
        let mut query = db.prepare_cached(
            "SELECT kind, COUNT(*) FROM problem
             WHERE (?1 IS NULL OR kind = ?1) AND id >= ?2 AND id < ?3 GROUP BY kind",
        )?;
        let mut found = query.query((kind, low, high))?;
        while let Some(row) = found.next()? {
            let word: String = row.get(0)?;
            cost.kinds.push((exhibits::problem_kind(&word), row.get::<_, i64>(1)? as u64));
        }
        let sums: (i64, i64, i64) = db.query_row(
            "SELECT COUNT(*), COUNT(DISTINCT id >> 32), coalesce(SUM(end - start), 0) FROM problem
             WHERE lost AND (?1 IS NULL OR kind = ?1) AND id >= ?2 AND id < ?3",
            (kind, low, high),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )?;
        (cost.costly, cost.exhibits, cost.bytes) = (sums.0 as u64, sums.1 as u64, sums.2 as u64);
        if filter.exhibit.is_none() && filter.kind.is_none_or(|k| k == ProblemKind::Medium) {
            let files: i64 = db.query_row("SELECT COUNT(*) FROM unread", [], |row| row.get(0))?;
            cost.files = files as u64;
            cost.costly += cost.files;
            match cost.kinds.iter_mut().find(|k| k.0 == ProblemKind::Medium) {
                Some(medium) => medium.1 += cost.files,
                None if cost.files > 0 => cost.kinds.push((ProblemKind::Medium, cost.files)),
                None => {}
            }
        }
        cost.kinds.sort_by_key(|(kind, n)| (std::cmp::Reverse(*n), *kind));
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::tests::Bench;
    use crate::read::{Paging, Reader};

    #[test]
    fn the_cost_is_that_of_the_listed_problems() {
        let bench = Bench::new();
        bench.file("a.lines", "line x 1 00:1a:79:00:00:01\nbad\nbad\n");
        bench.file("b.lines", "bad\nline y 1 00:1a:79:00:00:02\n");
        bench.file("c.lines", "line z 1 00:1a:79:00:00:03\n");
        bench.open("case", 2);
        let snapshot = Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
        let held = |filter: &ProblemFilter| {
            let listed = snapshot.problems(filter, &Paging::default()).unwrap().items;
            let cost = snapshot.problem_cost(filter).unwrap();
            let lost: Vec<_> = listed.iter().filter(|p| p.lost).collect();
            assert_eq!(cost.total(), listed.len() as u64);
            assert_eq!(cost.costly, lost.len() as u64);
            assert_eq!(cost.bytes, lost.iter().map(|p| p.end - p.start).sum::<u64>());
            let exhibits: std::collections::BTreeSet<_> = lost.iter().map(|p| p.exhibit).collect();
            assert_eq!(cost.exhibits, exhibits.len() as u64);
            cost
        };
        let all = held(&ProblemFilter::default());
        assert_eq!((all.total(), all.exhibits, all.files), (3, 2, 0));
        for (kind, n) in all.kinds {
            assert_eq!(held(&ProblemFilter { kind: Some(kind), exhibit: None }).total(), n);
        }
        let none = ProblemFilter { kind: Some(ProblemKind::Conflict), exhibit: None };
        assert_eq!(held(&none), ProblemCost::default());
        let first = snapshot.problems(&ProblemFilter::default(), &Paging::default()).unwrap();
        let one = held(&ProblemFilter { kind: None, exhibit: first.items[0].exhibit });
        assert!([1, 2].contains(&one.total()));
        // What every page says of its case.
        let log = snapshot.log(&Default::default(), &Paging::default()).unwrap();
        assert_eq!(Some(snapshot.records().unwrap()), log.total);
        assert!(snapshot.containers(first.items[0].exhibit.unwrap()).unwrap().is_empty());
    }
}
