//! Which names a probe asks for in its next round.
//!
//! What changed within two minutes is asked for each second; then ever more sparsely. Where that is more
//! than a round holds, each band takes turns within its share, the newest first to be served: no resolver is
//! asked for more than its bound.

use super::said::Side;
use super::target::Targets;
use crate::order::Moment;

/// A band: names that changed within so many milliseconds are asked for each so many rounds.
const BANDS: [(u64, u64); 4] = [(120_000, 1), (600_000, 5), (3_600_000, 60), (u64::MAX, 600)];
/// What was lifted, and is open where it is measured, is asked for no more after this.
const LIFTED_MS: u64 = 3_600_000;

/// The numbers of the targets that are asked for in a round, at most `most`. `is_done` says whether there is
/// nothing to find out any more of what was lifted long ago.
pub(super) fn choose(
    targets: &Targets,
    now: Moment,
    round: u64,
    most: usize,
    is_done: impl Fn(u64) -> bool,
) -> Vec<u64> {
    let mut out = Vec::with_capacity(most);
    let mut newer = now;
    for (age_ms, each) in BANDS {
        let older = now.minus(age_ms);
        // Whatever the clock says of what is newest: it is hot.
        let to = if newer == now { Moment(i64::MAX) } else { newer };
        let span = targets.between(older, to);
        newer = older;
        let left = (most - out.len()) as u64;
        if left == 0 {
            break;
        }
        let many = span.end - span.start;
        // The newer bands leave a quarter to the older ones.
        let share = if age_ms == u64::MAX { left } else { (left * 3).div_ceil(4) };
        let turns = each.max(many.div_ceil(share.max(1)));
        let mine = span.rev().filter(|number| number % turns == round % turns);
        for number in mine.take(usize::try_from(share).unwrap_or(most)) {
            let Some(target) = targets.get(number).filter(|target| !target.over) else { continue };
            let past = target.wanted == Side::Open && now.since(target.since) > LIFTED_MS;
            if !(past && is_done(number)) {
                out.push(number);
            }
        }
    }
    out
}
