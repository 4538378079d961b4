//! The words of the command: help, exit codes, errors that say what to do.

use crate::bench::Bench;

#[test]
fn help_stands_behind_every_command_and_carries_examples() {
    let bench = Bench::new();
    let help = bench.ok(&["--help"]);
    for command in [
        "open",
        "serve",
        "authority",
        "verify",
        "log",
        "facts",
        "show",
        "search",
        "sql",
        "parse",
        "export",
        "views",
        "privilege",
        "backup",
        "restore",
        "actor",
        "custody",
        "party",
        "package",
        "shield",
        "edge",
        "probe",
        "data",
        "range",
        "stamp",
        "witness",
        "erase",
        "authorise",
        "capture",
        "ticket",
    ] {
        assert!(help.contains(command), "--help does not name {command}");
        let own = bench.ok(&[command, "--help"]);
        let leaf = ![
            "witness",
            "authority",
            "log",
            "views",
            "privilege",
            "actor",
            "custody",
            "party",
            "package",
            "shield",
            "edge",
            "probe",
            "data",
            "range",
            "ticket",
        ]
        .contains(&command);
        assert!(!leaf || own.contains("Example"), "{command} --help has no examples");
        tidy(&own, command);
        // The words below a command follow "Commands:".
        let words = own.split("\nCommands:\n").nth(1).unwrap_or_default().lines();
        let words = words.take_while(|line| line.starts_with("  "));
        for word in words.filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()) {
            if word != "help" && own.contains(&format!("\n  {word} ")) {
                tidy(&bench.ok(&[command, word, "--help"]), &format!("{command} {word}"));
            }
        }
    }
}

/// What was written for a wider page breaks after a word or two.
#[track_caller]
fn tidy(help: &str, command: &str) {
    let lines: Vec<&str> = help.lines().collect();
    for three in lines.windows(3) {
        let broken = three[0].len() > 80
            && (1..25).contains(&three[1].len())
            && !three[1].starts_with(' ')
            && !three[2].is_empty();
        assert!(!broken, "{command} --help breaks after {:?}", three[1]);
    }
}

#[test]
fn misuse_is_two_and_failure_three() {
    let bench = Bench::new();
    let code = |words: &[&str]| bench.run(words).status.code();
    assert_eq!(code(&["open"]), Some(2));
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["range", "make", "--scenario", "nowhere", "out"]), Some(2));
    assert_eq!(code(&["serve", "--case", "nothing"]), Some(3));
    let out = bench.run(&["facts", "--case", "nothing"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("vigie open"), "no word on what to do");
    let out = bench.run(&["privilege", "mark", "letter.pdf", "--reason", "why"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("`vigie search NAME`"));
    let out = bench.run(&["open", "absent-file"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("absent-file"));
}

#[test]
fn the_console_stays_on_loopback() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    bench.open("case", &seizure);
    let out = bench.run(&["serve", "--case", "case", "--listen", "0.0.0.0:0"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("loopback"));
}

/// What `--help` shows is typed word for word: it must do something on a practice case.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn every_example_of_a_reading_command_works_on_the_practice_case() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 7);
    bench.open("case", &seizure);
    // The key that a reader trusts, as the authority hands it out.
    let opened = bench.ok(&["log", "prove", "--case", "case", "0"]);
    std::fs::write(bench.path("opened"), opened).expect("a file");
    let opened = bench.json(&["log", "check", "--json", "opened"]);
    let key = opened["record"]["public"]["key"].as_str().expect("a key");
    std::fs::write(bench.path("trust.txt"), format!("log {key}\n")).expect("a file");
    let vigie = std::path::Path::new(env!("CARGO_BIN_EXE_vigie"));
    let path = format!(
        "{}:{}",
        vigie.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    for command in ["facts", "show", "search", "sql", "export", "parse", "verify"] {
        let help = bench.ok(&[command, "--help"]);
        let examples: Vec<&str> =
            help.lines().map(str::trim).filter(|line| line.starts_with("vigie ")).collect();
        assert!(!examples.is_empty(), "{command} --help has no example");
        for example in examples {
            let out = std::process::Command::new("sh")
                .args(["-c", example])
                .current_dir(bench.path("."))
                .env("PATH", &path)
                .env("VIGIE_HOME", bench.path("home"))
                .env_remove("VIGIE_CASE")
                .output()
                .expect("a shell");
            let said = String::from_utf8_lossy(&out.stdout);
            let failed = String::from_utf8_lossy(&out.stderr);
            assert!(out.status.success() && failed.is_empty(), "{example}: {failed}");
            let to_file = example.contains('>') || example.contains("--output");
            assert!(to_file || !said.is_empty(), "{example} prints nothing");
            assert!(!said.contains("nothing in this case"), "{example}: {said}");
        }
    }
    assert!(bench.path("network.graphml").is_file() && bench.path("statements.csv").is_file());
}

/// What the environment says is no part of what must be typed.
#[test]
fn usage_lines_hold_what_the_command_needs() {
    let bench = Bench::new();
    let usage = |words: &[&str]| {
        let out = bench.command(words).env("VIGIE_CASE", "somewhere").output().expect("it runs");
        let text = String::from_utf8(if out.stdout.is_empty() { out.stderr } else { out.stdout });
        let text = text.expect("UTF-8");
        let line = text.lines().find(|line| line.starts_with("Usage: ")).expect("a usage line");
        line.to_owned()
    };
    assert_eq!(usage(&["verify", "--help"]), "Usage: vigie verify [OPTIONS] [DIR]");
    assert_eq!(usage(&["show"]), "Usage: vigie show <ENTITY>");
    assert_eq!(usage(&["show", "--help"]), "Usage: vigie show [OPTIONS] <ENTITY>");
    // It is heeded all the same.
    let out = bench.command(&["facts"]).env("VIGIE_CASE", "somewhere").output().expect("it runs");
    assert!(String::from_utf8_lossy(&out.stderr).contains("somewhere holds no case"));
    let out = bench.command(&["facts"]).env("VIGIE_CASE", "").output().expect("it runs");
    assert!(String::from_utf8_lossy(&out.stderr).contains("case holds no case"));
}

/// Who named the authority's folder in the call would act for another authority by a command without
/// it; whoever has it in the environment has it there for the next command as well.
#[test]
fn commands_that_are_shown_name_the_home_that_was_named() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    let material = seizure.join("material/office/domains.txt");
    let home = bench.path("the home");
    let named = format!("vigie --home '{}'", home.display());
    let (home, material) = (home.to_str().expect("UTF-8"), material.to_str().expect("UTF-8"));
    let said = |words: &[&str]| {
        let out = bench.run(words);
        String::from_utf8([out.stdout, out.stderr].concat()).expect("UTF-8")
    };
    let opened = said(&["--home", home, "open", "--case", "x", material]);
    assert!(
        opened.contains(&format!("Next: {named} serve --case x; {named} verify x")),
        "{opened}"
    );
    let listed = said(&["witness", "list", "--home", "the home"]);
    assert!(listed.contains(&format!("`{named} witness add`")), "{listed}");
    let verified = said(&["--home", home, "verify", "x"]);
    assert!(verified.contains(&format!("`{named} stamp`")), "{verified}");
    let refused = said(&["--home", home, "facts", "--case", "nothing"]);
    assert!(refused.contains(&format!("`{named} open --case nothing PATH`")), "{refused}");
    // A command that never looks there, a document, and what the environment names.
    let misused = said(&["--home", home, "privilege", "mark", "letter.pdf", "--reason", "why"]);
    assert!(misused.contains("`vigie search NAME`"), "{misused}");
    assert!(!said(&["--home", home, "verify", "--json", "x"]).contains(&named));
    let refused = said(&["facts", "--case", "nothing"]);
    assert!(refused.contains("`vigie open --case nothing PATH`"), "{refused}");
}

/// Lines with a command in them are written by `say!`, which names the home.
#[test]
fn lines_that_show_a_command_are_said() {
    fn files(dir: &std::path::Path, out: &mut Vec<std::path::PathBuf>) {
        for item in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = item.path();
            if path.is_dir() { files(&path, out) } else { out.push(path) }
        }
    }
    let (mut all, mut said) = (Vec::new(), 0);
    files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for path in all {
        let source = std::fs::read_to_string(&path).expect("source");
        said += source.matches("say!(").count();
        for call in ["write!(", "writeln!(", "println!(", "eprintln!("] {
            for words in source.split(call).skip(1) {
                // To the end of the call, or to a later one that is said.
                let line = words.split(";\n").next().unwrap_or_default();
                let line = line.split("say!(").next().unwrap_or_default();
                assert!(!line.contains("`vigie "), "{}: {call}{line}", path.display());
            }
        }
    }
    assert!(said > 20, "{said}");
}
