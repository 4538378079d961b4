//! Opens an image and writes what comes out, for `tests/images.py`: a line a member (`+`, name, offset,
//! size, SHA-256) and a line a problem (`!`, first byte, one past the last, kind, `lost` or `read`, words).

use std::fs::File;
use std::io::{Read, Write};

use model::Sha256Hex;
use model::record::Name;
use vault::unpack::{Bounds, Budget, Codec, HowImage, ImageFile, Source, Tools, unpack_image};

fn main() -> std::io::Result<()> {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    let mut out = std::io::stdout().lock();
    let mut files = paths.iter().map(File::open).collect::<Result<Vec<_>, _>>()?;
    let mut head = Vec::new();
    if let Some(first) = files.first_mut() {
        Read::by_ref(first).take(vault::unpack::HEAD as u64).read_to_end(&mut head)?;
    }
    let Some(codec) = Codec::sniff(&head) else {
        return writeln!(out, "!\t0\t0\tsyntax\tlost\tno image");
    };
    writeln!(out, "={}", codec.name())?;
    let mut total = 0;
    for file in &files {
        total += file.metadata()?.len();
    }
    let files = paths.iter().zip(&mut files).map(|(path, file)| ImageFile {
        name: Name(path.as_encoded_bytes().to_vec()),
        source: file as &mut dyn Source,
        path: std::fs::canonicalize(path).ok(),
    });
    let tools = Tools::find();
    let how = HowImage { tools: tools.as_ref(), scratch: None, go_on: &|| true };
    let mut budget = Budget::new(Bounds::default(), total);
    let problems = unpack_image(codec, files.collect(), 0, &mut budget, how, &mut |member| {
        let mut bytes = Vec::new();
        let _ = member.reader.read_to_end(&mut bytes);
        let offset = member.offset.map(|o| o.to_string()).unwrap_or_default();
        let (size, sum) = (bytes.len(), Sha256Hex::of(&bytes));
        writeln!(out, "+\t{}\t{offset}\t{size}\t{sum}", member.name.shown().replace('\n', "\\n"))
    })?;
    for p in problems {
        let lost = if p.lost { "lost" } else { "read" };
        writeln!(out, "!\t{}\t{}\t{}\t{lost}\t{}", p.start, p.end, p.kind, p.message)?;
    }
    Ok(())
}
