//! How fast the harm check is on one core, with all sets loaded: `shield_speed HOME ITEMS…`.
//!
//! Prints a line a figure: seconds to load, bytes of memory, items a second over the files' lines.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::path::PathBuf;
use std::time::Instant;

use shield::Verdict;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from);
    let home = words.next().ok_or("name the authority's folder")?;
    let start = Instant::now();
    let loaded = desk::shield::load(&home)?;
    println!("load_s {:.3}", start.elapsed().as_secs_f64());
    println!("resident_mb {}", resident_kb().unwrap_or(0) / 1000);
    println!("sets {}", loaded.sets.iter().count());
    println!("members {}", loaded.sets.iter().map(|set| set.entries).sum::<usize>());
    for path in words {
        let text = std::fs::read_to_string(&path)?;
        let items: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        let (mut best, mut verdicts) = (f64::MAX, [0_usize; 3]);
        // The best of three: what else the machine does is no part of the figure.
        for _ in 0..3 {
            verdicts = [0; 3];
            let start = seconds();
            loaded.check(false, |check| {
                for item in &items {
                    let (_, finding) = check.text(item);
                    let at = Verdict::ALL.iter().position(|v| *v == finding.verdict).unwrap_or(0);
                    verdicts[at] += 1;
                    std::hint::black_box(finding);
                }
            })?;
            best = best.min(seconds() - start);
        }
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or("items");
        let rate = items.len() as f64 / best;
        println!(
            "{name} {} items {rate:.0} a second, {verdicts:?} allowed, held, refused",
            items.len()
        );
    }
    println!("peak_mb {}", peak_kb().unwrap_or(0) / 1000);
    Ok(())
}

/// Seconds that this thread had a core.
fn seconds() -> f64 {
    let ns = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    ns.unwrap_or(0.0) / 1e9
}

fn resident_kb() -> Option<u64> {
    status("VmRSS:")
}

fn peak_kb() -> Option<u64> {
    status("VmHWM:")
}

fn status(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}
