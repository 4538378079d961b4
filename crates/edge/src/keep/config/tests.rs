//! What settings are taken, and what is said of others.

use super::*;

fn read(text: &str) -> Result<Config, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keep.toml");
    ledger::disk::write(&path, text.as_bytes()).unwrap();
    Config::read(&path).map_err(|e| e.to_string())
}

const FINE: &str = "run = \"run\"\nlisten = \"127.0.0.1:5353\"\nresolvers = [\"127.0.0.1:53\"]\n";

#[test]
fn what_is_not_said_is_safe() {
    let config = read(FINE).unwrap();
    assert_eq!(config.mode, Mode::Observe);
    assert!(config.run.is_absolute() && config.protected().unwrap().is_empty());
    assert_eq!(config.limits().silence_ms, 900_000);
}

#[test]
fn what_cannot_be_is_refused_and_says_where() {
    for (more, says) in [
        ("silense_s = 3\n", "line 4"),
        ("mode = \"block\"\n", "enforce"),
        ("suffix = \"a123456789.b123456789.c123456789.d123456789.e123456789.f\"\n", "55"),
        ("silence_s = 0\n", "silence_s"),
        ("silence_s = 86401\n", "86400"),
        ("values = 2000001\n", "2000000"),
    ] {
        let error = read(&format!("{FINE}{more}")).unwrap_err();
        assert!(error.contains(says) && error.contains("keep.toml"), "{error}");
    }
    for (from, to, says) in [
        ("127.0.0.1:5353", "0.0.0.0:5353", "loopback"),
        ("127.0.0.1:5353", "192.0.2.1:5353", "loopback"),
        ("127.0.0.1:53\"]", "198.51.100.1:53\"]", "loopback"),
        ("127.0.0.1:53\"]", "[::1]:53\"]", "one family"),
        ("\"127.0.0.1:53\"", "", "between one and"),
    ] {
        let error = read(&FINE.replace(from, to)).unwrap_err();
        assert!(error.contains(says), "{to}: {error}");
    }
    let bad = read(&format!("{FINE}protected = [\"a.example\", \"198.51.100.7/24\"]\n"));
    let bad = bad.unwrap().protected().unwrap_err().to_string();
    assert!(bad.contains("its network is 198.51.100.0/24") && bad.contains("keep.toml"), "{bad}");
}

#[test]
fn a_driver_only_observes_until_it_is_told_otherwise_and_says_what_is_wrong() {
    let folders = "[bird]\nfile = 'blocks.conf'\n[knot]\nfolder = 'knot'\n";
    let bare = FINE.replace("[\"127.0.0.1:53\"]", "[]");
    let config = read(&format!("{bare}mode = 'enforce'\n[nft]\n{folders}")).unwrap();
    let (nft, bird, knot) = (config.nft.unwrap(), config.bird.unwrap(), config.knot.unwrap());
    assert_eq!([nft.mode, bird.mode, knot.mode], [Mode::Observe; 3]);
    assert!(bird.file.is_absolute() && knot.folder.is_absolute() && !bird.flowspec);
    for (more, addresses) in [
        ("", Addresses::No),
        ("practice = true\n", Addresses::No),
        ("[nft]\n", Addresses::Public),
        ("[bird]\nfile = 'a'\n", Addresses::Public),
        ("practice = true\n[nft]\n", Addresses::Practice),
        ("[knot]\nfolder = 'a'\n", Addresses::No),
    ] {
        assert_eq!(read(&format!("{FINE}{more}")).unwrap().limits().addresses, addresses, "{more}");
    }
    for (more, says) in [
        ("[nft]\ntable = 'a; flush ruleset'\n", "nft.table"),
        ("[nft]\nlease_s = 5\n", "nft.lease_s"),
        ("[nft]\nlease_s = 601\n", "600"),
        ("[nft]\nleese_s = 60\n", "line 5"),
        ("[bird]\n", "file"),
        ("[knot]\n", "folder"),
    ] {
        let error = read(&format!("{FINE}{more}")).unwrap_err();
        assert!(error.contains(says), "{more}: {error}");
    }
}

#[test]
fn the_examples_of_the_documents_are_settings_that_only_observe() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/edge");
    let text = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
    let all = ["keep", "keep-nft", "keep-bird", "keep-knot"];
    let all: String = all.map(|name| text(&format!("{name}.toml.example"))).concat();
    let config = read(&all).unwrap();
    assert!(config.mode == Mode::Observe && config.nft.is_some_and(|nft| nft.lease_s == 30));
    assert!(config.bird.is_some() && config.knot.is_some());
}

#[test]
fn a_file_protects_too() {
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("names.txt");
    let path = dir.path().join("keep.toml");
    let more = "protected = ['a.example']\nprotected_file = 'names.txt'\n";
    ledger::disk::write(&path, format!("{FINE}{more}").as_bytes()).unwrap();
    let config = Config::read(&path).unwrap();
    assert!(config.protected().unwrap_err().to_string().contains("names.txt cannot be read"));
    ledger::disk::write(&list, b"# ours\n*.bank.example  # the bank\n\n").unwrap();
    assert_eq!(config.protected().unwrap().len(), 2);
    // No remark keeps keep from starting.
    let long = format!("shop.example\t# why\ta {}\n", "long ".repeat(50));
    ledger::disk::write(&list, long.as_bytes()).unwrap();
    assert_eq!(config.protected().unwrap().explained(), 1);
    ledger::disk::write(&list, b"bank\n").unwrap();
    let error = config.protected().unwrap_err().to_string();
    assert!(error.contains("names.txt") && error.contains("\"bank\""), "{error}");
}
