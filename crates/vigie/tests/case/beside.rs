//! `vigie verify` while another process writes to the same case.

use std::path::Path;

use crate::bench::Bench;

#[allow(clippy::disallowed_methods)] // Material for the test.
fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// Verifies again and again until the writer is done: what was found wrong, and how often it looked.
fn verified_while(bench: &Bench, write: impl FnOnce() + Send) -> (usize, Vec<String>) {
    std::thread::scope(|scope| {
        let writer = scope.spawn(write);
        let (mut runs, mut wrong) = (0, Vec::new());
        while !writer.is_finished() {
            let out = bench.run(&["verify", "case"]);
            runs += 1;
            if out.status.code() != Some(0) {
                let said = [out.stdout, out.stderr].concat();
                wrong.push(String::from_utf8_lossy(&said).into_owned());
            }
        }
        writer.join().expect("the writer's commands succeed");
        (runs, wrong)
    })
}

#[track_caller]
fn holds((runs, wrong): (usize, Vec<String>)) {
    assert!(
        wrong.is_empty(),
        "{} of {runs} runs found what is not so:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(runs >= 3, "it was verified {runs} times only");
}

#[test]
fn a_case_holds_while_commands_write_to_it_one_after_another() {
    let bench = Bench::new();
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    bench.ok(&["open", "--case", "case", "m"]);
    holds(verified_while(&bench, || {
        for n in 0..25 {
            let person = format!("p{n}");
            bench.ok(&["actor", "add", "--case", "case", &person, "--name", "Some One"]);
            let line = format!("http://198.18.0.{n}:8080/live/bob/secret/1.ts\n");
            put(&bench.path(&format!("m{n}/list.m3u")), &line);
            bench.ok(&["open", "--case", "case", &format!("m{n}")]);
        }
    }));
}

#[test]
fn a_case_holds_while_one_long_run_writes_to_it() {
    let bench = Bench::new();
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    bench.ok(&["open", "--case", "case", "m"]);
    for n in 0..1500 {
        let line = format!("http://198.18.{}.{}:8080/live/bob/secret/1.ts\n", n / 250, n % 250);
        put(&bench.path(&format!("pile/{n}.m3u")), &line);
    }
    holds(verified_while(&bench, || drop(bench.ok(&["open", "--case", "case", "pile"]))));
}

/// Tables go before the views say so: what is wrong with views while they are written is no finding.
#[test]
fn views_hold_while_one_exhibit_after_another_is_erased() {
    const DUMPS: usize = 12;
    let bench = Bench::new();
    for n in 0..DUMPS {
        let mut dump =
            "CREATE TABLE `users` (`id` int, `username` varchar(50), `password` varchar(50), \
                        `exp_date` int);\n"
                .to_owned();
        for row in 0..300 {
            let line =
                format!("INSERT INTO `users` VALUES ({row},'u{n}x{row}','p{row}',1700000000);\n");
            dump.push_str(&line);
        }
        put(&bench.path(&format!("m/dump-{n}.sql")), &dump);
    }
    bench.ok(&["open", "--case", "case", "m"]);
    let id = |n: usize| {
        let query = format!("SELECT id FROM exhibit WHERE name LIKE '%dump-{n}.sql'");
        let found = bench.json(&["sql", "--case", "case", "--json", &query]);
        found["id"].as_str().expect("an id").to_owned()
    };
    let ids: Vec<String> = (0..DUMPS).map(id).collect();
    let (runs, mut wrong) = verified_while(&bench, || {
        for id in &ids {
            crate::erase::erase(&bench, &["--exhibit", id]);
        }
    });
    // What an order names and is not gone yet is told for what it is.
    wrong.retain(|said| {
        ["WRONG tables", "views.sqlite", "views are damaged", "views rebuild"]
            .iter()
            .any(|of| said.contains(of))
            || !said.contains("a command writes to the case now")
    });
    holds((runs, wrong));
    bench.ok(&["verify", "case"]);
}
