//! Which files lead from where who follows stands to where the feed is.

use super::*;

fn delta(from: u64, to: u64) -> FileName {
    name(Some(from), to, format!("{from} {to}").as_bytes())
}

fn ways(path: Option<Vec<&FileName>>) -> Option<Vec<(u64, u64)>> {
    path.map(|path| path.into_iter().map(|file| (file.from.unwrap(), file.to)).collect())
}

#[test]
fn who_follows_takes_the_few_files_that_lead_furthest() {
    let log = Log::new(&[&[1]]);
    let bytes = log.file(place(1, 10), None, &[(0, &[0])], &[]);
    let steps = (46..=50).map(|at| delta(at, at + 1));
    let mut files = vec![name(None, 10, &bytes), delta(10, 49)];
    files.extend(steps);
    let said = manifest(place(1, 51), 3, files);
    assert_eq!(Manifest::read(&said.text()), Ok(said.clone()));
    assert_eq!(ways(said.path_from(51)), Some(vec![]));
    assert_eq!(ways(said.path_from(47)), Some(vec![(47, 48), (48, 49), (49, 50), (50, 51)]));
    assert_eq!(ways(said.path_from(10)), Some(vec![(10, 49), (49, 50), (50, 51)]));
    for nowhere in [9, 11, 45, 52, u64::MAX] {
        assert_eq!(ways(said.path_from(nowhere)), None, "{nowhere}");
    }
    // One that begins takes the snapshot and one delta over many steps; one that stands elsewhere the same.
    let wanted = |files: &Want| match files {
        Want::Files(files) => files.iter().map(|file| (file.from, file.to)).collect(),
        Want::Nothing => Vec::new(),
    };
    let begins = [(None, 10), (Some(10), 49), (Some(49), 50), (Some(50), 51)];
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    assert_eq!(wanted(&follower.hear(&said, WALL, 0).unwrap().0), begins);
    take(&mut follower, &name(None, 10, &bytes), &bytes, 0).unwrap();
    assert_eq!(wanted(&follower.hear(&said, WALL, 0).unwrap().0), begins[1..]);
    // Of two that begin at one serial, the last leads furthest; one order, and each once.
    let odd = |files: Vec<FileName>| {
        let bad = manifest(place(1, 51), 3, files);
        assert_eq!(Manifest::read(&bad.text()), Err(ManifestError::Gap), "{}", bad.text());
    };
    odd(vec![delta(49, 50), delta(10, 49), delta(50, 51)]);
    odd(vec![delta(10, 51), delta(10, 51)]);
    odd(vec![delta(10, 49), delta(48, 51)]);
    odd(vec![delta(10, 52)]);
    odd(vec![delta(10, 51), name(None, 10, &bytes)]);
}

proptest! {
    /// What is read leads from wherever a file begins or ends to the serial, and nothing else is read.
    #[test]
    fn every_way_that_is_read_leads_to_the_serial(
        files in prop::collection::btree_set((0..9_u64, 0..9_u64), 0..12),
        snapshot in prop::option::of(0..9_u64),
        serial in 0..9_u64,
        mended in any::<bool>(),
    ) {
        // Most that comes by chance leads nowhere: in half of them each is led to where another begins.
        let files = if mended {
            let next = |at: u64| files.iter().map(|(from, _)| *from).filter(|from| *from >= at && *from < serial).min();
            let leads = files.iter().map(|(from, to)| (*from, next((*to).max(from + 1)).unwrap_or(serial)));
            leads.filter(|(from, to)| from < to).collect()
        } else {
            files
        };
        let deltas = files.iter().map(|(from, to)| delta(*from, *to));
        let all = snapshot.map(|to| name(None, to, b"")).into_iter().chain(deltas).collect();
        let said = manifest(place(1, serial), 3, all);
        let leads = |mut at: u64| {
            while at != serial {
                let next = files.iter().filter(|(from, to)| *from == at && to > from).map(|(_, to)| *to);
                let next = next.max()?;
                at = next;
            }
            Some(())
        };
        let fits = files.iter().all(|(from, to)| from < to && leads(*from).is_some() && leads(*to).is_some());
        let fits = fits && snapshot.is_none_or(|to| leads(to).is_some());
        prop_assert_eq!(Manifest::read(&said.text()).is_ok(), fits, "{}", said.text());
        for at in 0..10 {
            let path = ways(said.path_from(at));
            if !fits {
                continue;
            }
            let begins = files.iter().any(|(from, _)| *from == at);
            prop_assert_eq!(path.is_some(), begins || at == serial);
            let mut here = at;
            for (from, to) in path.unwrap_or_default() {
                prop_assert_eq!(from, here);
                prop_assert!(files.iter().all(|(other, end)| *other != from || *end <= to));
                here = to;
            }
            prop_assert!(!begins || here == serial);
        }
    }
}
