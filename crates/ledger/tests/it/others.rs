//! transparency-dev's vectors of inclusion proofs, and a log that another program wrote.

use std::io::Write;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use ledger::Reader;
use ledger::tree::{Hash, is_consistent, is_included, leaf, root};
use serde_json::Value;

fn shared(below: &str) -> Option<PathBuf> {
    let base = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = base.join("data").join(below);
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not here", path.display());
        return None;
    }
    Some(path)
}

fn json_files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in dir.read_dir().unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            json_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "json") {
            out.push(path);
        }
    }
}

fn hash(value: &Value) -> Option<Hash> {
    BASE64.decode(value.as_str()?.as_bytes()).ok()?.try_into().ok()
}

#[test]
fn inclusion_proofs_get_the_verdict_of_the_vectors() {
    let Some(dir) = shared("ledger/merkle/inclusion") else { return };
    let mut files = Vec::new();
    json_files(&dir, &mut files);
    assert!(files.len() > 50, "{} vectors", files.len());
    for path in files {
        let v: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let proof: Option<Vec<Hash>> = match &v["proof"] {
            Value::Null => Some(Vec::new()),
            list => list.as_array().unwrap().iter().map(hash).collect(),
        };
        let verdict = (|| {
            let (index, size) = (v["leafIdx"].as_u64()?, v["treeSize"].as_u64()?);
            Some(is_included(&hash(&v["leafHash"])?, index, size, &proof?, &hash(&v["root"])?))
        })();
        let expected = !v["wantErr"].as_bool().unwrap();
        assert_eq!(verdict.unwrap_or(false), expected, "{}", path.display());
    }
}

#[test]
fn consistency_proofs_get_the_verdict_of_the_vectors() {
    let Some(dir) = shared("ledger/merkle/consistency") else { return };
    let mut files = Vec::new();
    json_files(&dir, &mut files);
    assert!(files.len() > 50, "{} vectors", files.len());
    for path in files {
        let v: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let proof: Option<Vec<Hash>> = match &v["proof"] {
            Value::Null => Some(Vec::new()),
            list => list.as_array().unwrap().iter().map(hash).collect(),
        };
        let verdict = (|| {
            let (old, new) = (v["size1"].as_u64()?, v["size2"].as_u64()?);
            // Some roots are "don't care": whatever they are, the same ones stay the same.
            let root = |v: &Value| {
                let text = v.as_str()?.as_bytes();
                Some(hash(v).unwrap_or_else(|| leaf(text)))
            };
            Some(is_consistent(old, new, &proof?, &root(&v["root1"])?, &root(&v["root2"])?))
        })();
        let expected = !v["wantErr"].as_bool().unwrap();
        assert_eq!(verdict.unwrap_or(false), expected, "{}", path.display());
    }
}

#[test]
fn a_log_of_another_program_is_read() {
    let Some(dir) = shared("ledger/tessera-log") else { return };
    let note = std::fs::read_to_string(dir.join("checkpoint")).unwrap();
    let key = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
    ledger::VerifierKey::parse(key).unwrap().open(&note).unwrap();
    let mut lines = note.lines().skip(1);
    let size: u64 = lines.next().unwrap().parse().unwrap();
    let top: Hash = BASE64.decode(lines.next().unwrap().as_bytes()).unwrap().try_into().unwrap();
    let Ok(reader) = Reader::open(&dir) else {
        panic!("a log of tlog-tiles cannot be read");
    };
    assert_eq!(reader.size(), size);
    let hashes: Vec<Hash> = reader.entries(0).map(|e| leaf(&e.unwrap())).collect();
    assert_eq!(root(&hashes), top);
    for old in 0..=size {
        let (new, proof) = reader.consistency_proof(old).unwrap();
        let before = reader.root_at(old).unwrap();
        assert_eq!(before, root(&hashes[..old as usize]));
        assert!(old == 0 || is_consistent(old, new, &proof, &before, &top));
        // Who begins there, and reads the rest, comes to the same tree.
        let mut edge = reader.edge_at(old).unwrap();
        assert_eq!((edge.size(), edge.root()), (old, before));
        hashes[old as usize..].iter().for_each(|hash| edge.push(*hash, &mut |_, _, _| {}));
        assert_eq!((edge.size(), edge.root()), (size, top));
    }
    assert!(reader.consistency_proof(size + 1).is_err() && reader.root_at(size + 1).is_err());
    assert!(reader.edge_at(size + 1).is_err());
    let trust = format!("log {key}");
    let trust = ledger::Trust::parse(&trust).unwrap();
    for index in 0..size {
        // As it goes out, and is read by somebody who trusts that log.
        let proof = reader.prove(index).unwrap().to_string();
        let proof = ledger::Proof::parse(&proof).unwrap();
        let policy = trust.policy_of(&proof.checkpoint).unwrap();
        let entry = leaf(proof.extra.as_ref().unwrap());
        assert_eq!(proof.check(&entry, &policy).unwrap().checkpoint.size, size);
        let since = reader.prove_since(index).unwrap();
        let origin = "example.com/log/testdata".to_owned();
        let root = reader.root_at(index).unwrap();
        let before = ledger::Checkpoint { origin, size: index, root };
        assert_eq!(since.check(&before).unwrap().size, size);
        let (of, proof) = reader.inclusion_proof(index).unwrap();
        assert!(is_included(&hashes[index as usize], index, of, &proof, &top));
    }
}
