//! What the one writer promises.

use std::fs;

use ledger::Error;
use ledger::disk::{
    Append, Batch, Overwrite, Pending, TEMP_PREFIX, create_dir, remove, sweep, write,
};

#[test]
fn files_are_whole_or_absent() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a/b/file");
    create_dir(path.parent().unwrap()).unwrap();
    write(&path, b"one").unwrap();
    write(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    let mut pending = Pending::new(path.parent().unwrap()).unwrap();
    pending.append(b"three").unwrap();
    let refused = pending.persist(&path, Overwrite::Never).unwrap_err();
    assert!(matches!(&refused, Error::Exists(p) if *p == path), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), b"two");
    // What was refused or dropped leaves nothing.
    drop(Pending::new(path.parent().unwrap()).unwrap());
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    remove(&path).unwrap();
    remove(&path).unwrap();
}

#[test]
fn a_batch_of_many_makes_its_folders() {
    let dir = tempfile::tempdir().unwrap();
    for count in [3, 40] {
        let mut batch = Batch::new();
        for i in 0..count {
            let mut file = Pending::with_mode(dir.path(), 0o444).unwrap();
            file.append(format!("{i}").as_bytes()).unwrap();
            let path = dir.path().join(format!("{:02}/{count}-{i}", i % 20));
            batch.add(file, path, Overwrite::Never).unwrap();
        }
        // One that is there already is left as it is.
        let mut again = Pending::new(dir.path()).unwrap();
        again.append(b"other").unwrap();
        batch.add(again, dir.path().join(format!("00/{count}-0")), Overwrite::Never).unwrap();
        batch.commit().unwrap();
        for i in 0..count {
            let path = dir.path().join(format!("{:02}/{count}-{i}", i % 20));
            assert_eq!(fs::read_to_string(&path).unwrap(), i.to_string());
            assert!(fs::metadata(&path).unwrap().permissions().readonly());
        }
    }
    assert_eq!(sweep(dir.path()).unwrap(), 0);
    fs::write(dir.path().join(format!("{TEMP_PREFIX}1-1")), b"x").unwrap();
    assert_eq!(sweep(dir.path()).unwrap(), 1);
}

#[test]
fn a_growing_file_grows_and_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut file = Append::open(&path).unwrap();
    file.append(b"one").unwrap();
    file.sync().unwrap();
    let mut file = Append::open(&path).unwrap();
    assert_eq!(file.len(), 3);
    file.append(b"two").unwrap();
    file.cut(4).unwrap();
    file.append(b"!").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"onet!");
}

#[test]
fn a_refusal_says_the_path_and_what_to_do() {
    let error = write("/proc/none/file".as_ref(), b"x").unwrap_err();
    assert!(error.to_string().contains("/proc/none"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
    // A disk that is full says what is safe.
    let (path, source) = ("a/file".into(), std::io::ErrorKind::StorageFull.into());
    let error = Error::Disk { action: "write", path, source };
    assert!(error.is_full() && error.to_string().contains("is safe"), "{error}");
}

/// Whoever lays down a link, a second name or a pipe chooses nothing that is cut.
#[test]
fn nothing_is_written_in_place_through_what_leads_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (target, place) = (dir.path().join("key"), dir.path().join("lock"));
    fs::write(&target, "secret").unwrap();
    let ways: [&dyn Fn(); 3] = [
        &|| std::os::unix::fs::symlink(&target, &place).unwrap(),
        &|| fs::hard_link(&target, &place).unwrap(),
        &|| assert!(std::process::Command::new("mkfifo").arg(&place).status().unwrap().success()),
    ];
    for way in ways {
        way();
        let error = Append::open(&place).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("nothing is written through it"), "{error}");
        match ledger::Lock::acquire(&place, "a test", ledger::Wait::Fail) {
            // A second name locks all the same, and is not written to.
            Ok(_) => assert!(fs::read(&place).unwrap() == b"secret" && !place.is_symlink()),
            Err(e) => assert!(e.to_string().contains("nothing is written through it"), "{e}"),
        }
        fs::remove_file(&place).unwrap();
    }
    assert_eq!(fs::read(&target).unwrap(), b"secret");
}
