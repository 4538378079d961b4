//! FFmpeg, which knows nothing of us, plays the test pictures without a complaint.

#![allow(clippy::disallowed_methods, clippy::print_stderr)]

use std::process::Command;

use range::night;

#[test]
fn ffmpeg_plays_segments_on_from_one_another() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        eprintln!("SKIPPED: ffmpeg is not installed, so that test pictures play was not seen");
        return;
    }
    let now = 1_790_000_000;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.ts");
    let names: Vec<_> =
        night::playlist(now).lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect();
    let two = names.iter().take(2).flat_map(|name| night::segment(7, name, now).unwrap());
    std::fs::write(&file, two.collect::<Vec<u8>>()).unwrap();
    let run = |program: &str, args: &[&str]| {
        let done = Command::new(program).args(["-v", "warning"]).args(args).output().unwrap();
        (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
    };
    let path = file.to_str().unwrap();
    let (_, complaints) = run("ffmpeg", &["-i", path, "-f", "null", "-"]);
    assert_eq!(complaints, "");
    let shown = [
        "-count_frames",
        "-show_entries",
        "stream=codec_name,width,height,nb_read_frames",
        "-of",
        "csv=p=0",
        path,
    ];
    assert_eq!(
        run("ffprobe", &shown).0.lines().next().map(|l| l.trim_end_matches(',')),
        Some("mpeg2video,352,288,200")
    );
    // The seven bars are there in their colours: the middles of the first and the last, and the black below.
    let first = folder.path().join("first.gray");
    let first = first.to_str().unwrap();
    run(
        "ffmpeg",
        &["-i", path, "-frames:v", "1", "-vf", "extractplanes=y", "-f", "rawvideo", first],
    );
    let luma = std::fs::read(first).unwrap();
    let at = |x: usize, y: usize| luma[y * 352 + x];
    assert_eq!((luma.len(), at(8, 8), at(344, 8), at(8, 180)), (352 * 288, 180, 35, 16));
}
