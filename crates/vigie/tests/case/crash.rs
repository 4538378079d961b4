//! `kill -9` at any moment: the case stays verifiable, and running the command again completes it.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{Bench, lasting, seed};

#[test]
fn killed_at_fifty_moments_a_case_is_completed_by_the_same_command() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 8);
    let begun = Instant::now();
    let whole = lasting(&bench.open("whole", &seizure));
    let length = begun.elapsed();
    let mut random = seed("killed_at_fifty_moments");
    let material = seizure.join("material");
    let net = seizure.join("practice-net.csv");
    let mut cut_short = 0;
    // Ten cases, each killed five times on its way.
    for case in 0..10 {
        let name = format!("case{case}");
        for _ in 0..5 {
            // Steele, Lea, Flood, "Fast splittable pseudorandom number generators": SplitMix64.
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = random;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let part = ((z ^ (z >> 31)) % 1000) as f64 / 1000.0;
            let mut child = bench
                .command(&[
                    "open",
                    "--json",
                    "--case",
                    &name,
                    "--address-table",
                    net.to_str().unwrap(),
                    material.to_str().unwrap(),
                ])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_secs_f64(length.as_secs_f64() * part * 0.7));
            // SIGKILL on Unix.
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                cut_short += 1;
            }
            child.wait().unwrap();
            if bench.path(&name).join("ledger/checkpoint").exists() {
                let out = bench.run(&["verify", &name]);
                let told = String::from_utf8_lossy(&out.stderr);
                match out.status.code() {
                    Some(0 | 1) => {}
                    Some(3) if told.contains("holds no case yet") => {}
                    _ => panic!("verify of a killed case: {told}"),
                }
            }
        }
        assert_eq!(same(&bench.open(&name, &seizure)), same(&whole), "{name} was not completed");
        bench.ok(&["verify", &name]);
    }
    assert!(cut_short >= 10, "only {cut_short} of 50 runs were killed before their end");
}

/// A summary without the case's own id.
fn same(summary: &serde_json::Value) -> serde_json::Value {
    let mut summary = lasting(summary);
    if let Some(map) = summary.as_object_mut() {
        map.remove("case");
    }
    summary
}
