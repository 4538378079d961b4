//! A disk that is full, wherever the work has got to: one diagnosis, one remedy, and it works.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, lasting};

/// A small file system in memory, unmounted at the end.
struct Disk(PathBuf);

impl Disk {
    /// `None` where mounting is not permitted.
    fn new(at: &Path, kilobytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={kilobytes}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at);
        let mounted = mount.output().is_ok_and(|out| out.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    fn grow(&self, megabytes: u32) {
        let size = format!("remount,size={megabytes}m");
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", &size]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
#[allow(clippy::print_stderr)]
fn a_full_disk_is_said_with_its_remedy_wherever_it_strikes() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "taken-down", 0.001, 5);
    let (material, net) = (seizure.join("material"), seizure.join("practice-net.csv"));
    let mut whole = lasting(&bench.open("whole", &seizure));
    whole.as_object_mut().unwrap().remove("case");
    let need = kilobytes(&bench.path("whole"));
    let mut struck = 0;
    // From the first receipt to the last figure of the views.
    for part in [2, 10, 25, 40, 50, 60, 70, 80, 90, 97] {
        let name = format!("disk{part}");
        let Some(disk) = Disk::new(&bench.path(&name), need * part / 100) else {
            eprintln!("SKIPPED: no file system may be mounted here, so no full disk is tried");
            return;
        };
        let case = format!("{name}/case");
        let words = [
            "open",
            "--json",
            "--case",
            &case,
            "--address-table",
            net.to_str().unwrap(),
            material.to_str().unwrap(),
        ];
        let out = bench.run(&words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        if !out.status.success() {
            struck += 1;
            assert!(
                said.starts_with("vigie: the disk is full")
                    && said.contains("what is recorded is safe; free some space")
                    && said.contains("run the same command again to complete it")
                    && !said.contains("rebuild"),
                "at {part} %: {said}"
            );
            assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        }
        disk.grow(512);
        let mut found = lasting(&bench.json(&words));
        found.as_object_mut().unwrap().remove("case");
        assert_eq!(found, whole, "at {part} %, after {said}");
        bench.ok(&["verify", &case]);
    }
    assert!(struck >= 6, "only {struck} of 10 disks were full");
}

fn kilobytes(folder: &Path) -> u32 {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.metadata().unwrap();
        sum += if kind.is_dir() {
            kilobytes(&entry.path())
        } else {
            u32::try_from(kind.len().div_ceil(4096) * 4).unwrap()
        };
    }
    sum
}
