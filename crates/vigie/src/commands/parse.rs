//! `vigie parse FILE`: one parser on one file, to stdout, without a case.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use desk::shell::{here, quoted_path};
use intake::{Chunks, Input, Job, MappingFit, PARSERS, Parser, Sink};
use model::{Batch, Cell, ExhibitId, Fact, Problem, Sha256Hex, TableSchema, Value};
use serde_json::{Map, json};
use sha2::{Digest, Sha256};

use super::open::unfit;
use super::{counted, plain};
use crate::cli::Parse;
use crate::error::Told;

/// Most bytes taken from a pipe: they are read three times, so they are kept.
const MAX_PIPED: u64 = 256 << 20;

/// What is parsed. It is read three times: its head, its hash, its facts.
enum Material<'a> {
    File(&'a Path),
    Piped(Vec<u8>),
}

impl<'a> Material<'a> {
    fn of(path: &'a Path) -> Result<Self, Told> {
        if path != Path::new("-") {
            // A pipe or a device may never end, and cannot be read again.
            let metadata = path.metadata().map_err(|e| Self::refused(path, &e))?;
            if metadata.is_dir() {
                return Err(Told::Misuse(format!(
                    "{} is a folder: name one file, or `vigie open {}` for all of it",
                    path.display(),
                    quoted_path(path)
                )));
            }
            if !metadata.is_file() {
                return Err(Told::Misuse(format!(
                    "{} is no plain file: name a file, or - for what is piped in",
                    path.display()
                )));
            }
            return Ok(Self::File(path));
        }
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(MAX_PIPED + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_PIPED {
            return Err(Told::Failure {
                what: format!("more than {} MiB were piped in", MAX_PIPED >> 20),
                next: Some("write them to a file, and name it".to_owned()),
            });
        }
        Ok(Self::Piped(bytes))
    }

    fn refused(path: &Path, error: &std::io::Error) -> Told {
        Told::Failure {
            what: format!("cannot open {}: {error}", path.display()),
            next: Some("name a file that you may read".to_owned()),
        }
    }

    fn read(&self) -> Result<Box<dyn Read + '_>, Told> {
        match self {
            Self::File(path) => match File::open(path) {
                Ok(file) => Ok(Box::new(file)),
                Err(error) => Err(Self::refused(path, &error)),
            },
            Self::Piped(bytes) => Ok(Box::new(bytes.as_slice())),
        }
    }
}

/// Runs the command.
#[allow(clippy::print_stderr)]
pub(crate) fn run(args: &Parse) -> Result<(), Told> {
    let mapping = match &args.mapping {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|e| {
            Told::Misuse(format!("cannot read the mapping {}: {e}", path.display()))
        })?),
    };
    let material = Material::of(&args.file)?;
    let name = match &material {
        Material::File(path) => path.file_name().map(|n| n.to_string_lossy().into_owned()),
        Material::Piped(_) => None,
    };
    let name = name.unwrap_or_default();
    let mut head = Vec::new();
    material.read()?.take(64 * 1024).read_to_end(&mut head)?;
    let exhibit = digest(&mut *material.read()?)?;
    let parser = match &args.parser {
        Some(wanted) => PARSERS.iter().find(|p| p.name == wanted).ok_or_else(|| {
            let names: Vec<_> = PARSERS.iter().map(|p| p.name).collect();
            Told::Misuse(format!("no parser is called {wanted}; there are: {}", names.join(", ")))
        })?,
        None => intake::choose(&head, &name).ok_or_else(|| Told::Failure {
            what: format!("no parser reads {}", args.file.display()),
            next: Some("name one with --parser".to_owned()),
        })?,
    };
    let mut source = material.read()?;
    let mut chunks = Chunks::new(&mut *source);
    let mut out = Lines {
        json: args.json,
        exhibit,
        parser,
        tables: Vec::new(),
        counts: Counts::default(),
        out: BufWriter::new(std::io::stdout().lock()),
        failed: None,
        mapped: None,
    };
    let input = Input { exhibit, name: &name, mapping: mapping.as_deref() };
    let mut coverage = (parser.parse)(&input, &mut chunks, &mut out);
    coverage.lose(out.counts.lost_later);
    if let Some(error) = out.failed.take() {
        return Err(error.into());
    }
    let summary = json!({
        "parser": format!("{}/{}", parser.name, parser.version), "exhibit": exhibit.to_string(),
        "facts": out.counts.facts, "rows": out.counts.rows, "problems": out.counts.problems,
        "bytes": {"read": coverage.read, "filler": coverage.filler, "lost": coverage.lost},
    });
    if args.json {
        writeln!(out.out, "{summary}")?;
    } else {
        writeln!(
            out.out,
            "{}/{}: {}, {}, {}; {} read, {} filler, {} lost",
            parser.name,
            parser.version,
            counted(out.counts.facts, "fact"),
            counted(out.counts.rows, "row"),
            counted(out.counts.problems, "problem"),
            counted(coverage.read, "byte"),
            coverage.filler,
            coverage.lost
        )?;
    }
    out.out.flush()?;
    if let Some(path) = &args.mapping
        && let Some(unfit) = unfit(path, out.mapped.as_ref())
    {
        eprintln!("vigie: {}", here(&plain(&unfit)));
    }
    if args.parser.is_none()
        && let Some(format) = desk::open::archive(&head, &name)
    {
        let (file, quoted) = (args.file.display(), quoted_path(&args.file));
        let what = format!(
            "{file} is a {format} archive, and only its own bytes were read: `vigie open {quoted}` \
             unpacks it"
        );
        eprintln!("vigie: {}", here(&what));
    }
    if let Some(error) = chunks.take_error() {
        return Err(Told::Failure {
            what: format!("{} could not be read to its end: {error}", args.file.display()),
            next: Some("what was read before stands above".to_owned()),
        });
    }
    Ok(())
}

fn digest(file: &mut dyn Read) -> Result<ExhibitId, Told> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok(ExhibitId(Sha256Hex(hash.finalize().into()).0));
        }
        hash.update(&buffer[..n]);
    }
}

#[derive(Default)]
struct Counts {
    facts: u64,
    rows: u64,
    problems: u64,
    /// Bytes of lost problems, and those of them that deferred jobs told.
    lost: u64,
    lost_later: u64,
}

/// Prints what a parser finds, as it finds it: memory stays bounded.
struct Lines<W: Write> {
    json: bool,
    exhibit: ExhibitId,
    parser: &'static Parser,
    tables: Vec<TableSchema>,
    counts: Counts,
    out: W,
    failed: Option<std::io::Error>,
    mapped: Option<MappingFit>,
}

impl<W: Write> Lines<W> {
    fn line(&mut self, text: &str) {
        if self.failed.is_none() {
            self.failed = writeln!(self.out, "{text}").err();
        }
    }
}

impl<W: Write> Sink for Lines<W> {
    fn fact(&mut self, fact: Fact) {
        self.counts.facts += 1;
        let masked = fact.value == Value::Secret;
        let text = if self.json {
            let mut line = json!({
                "subject": fact.subject.as_str(), "property": fact.property,
                "exhibit": self.exhibit.to_string(), "start": fact.start, "end": fact.end,
                "parser": format!("{}/{}", self.parser.name, self.parser.version),
            });
            if masked {
                line["masked"] = true.into();
            } else {
                line["value"] = fact.value.text().into();
            }
            line.to_string()
        } else {
            let value = if masked { "•••".to_owned() } else { plain(&fact.value.text()) };
            format!(
                "{}..{} {} {} {value}",
                fact.start,
                fact.end,
                plain(fact.subject.as_str()),
                fact.property
            )
        };
        self.line(&text);
    }

    fn table(&mut self, schema: TableSchema) -> u32 {
        let number = u32::try_from(self.tables.len()).unwrap_or(u32::MAX);
        let columns: Vec<_> = schema
            .columns
            .iter()
            .map(|c| match c.meaning {
                Some(meaning) => {
                    json!({"name": c.name, "meaning": meaning.as_str(), "secret": c.secret})
                }
                None => json!({"name": c.name, "secret": c.secret}),
            })
            .collect();
        let text = if self.json {
            json!({"table": number, "name": schema.name, "role": schema.role.as_str(), "columns": columns})
                .to_string()
        } else {
            let names: Vec<_> = schema.columns.iter().map(|c| plain(&c.name)).collect();
            format!(
                "table {} ({}): {}",
                plain(&schema.name),
                schema.role.as_str(),
                names.join(", ")
            )
        };
        self.tables.push(schema);
        self.line(&text);
        number
    }

    fn rows(&mut self, batch: Batch) {
        self.counts.rows += batch.len() as u64;
        if !self.json {
            return;
        }
        let names: Vec<String> = match self.tables.get(batch.table as usize) {
            Some(schema) => schema.columns.iter().map(|c| c.name.clone()).collect(),
            None => return,
        };
        for i in 0..batch.len() {
            let mut row = Map::new();
            for (name, column) in names.iter().zip(&batch.columns) {
                let value = match column.get(i) {
                    Cell::Null => continue,
                    Cell::Int(n) => n.into(),
                    Cell::Real(n) => n.into(),
                    Cell::Text(t) => t.into(),
                    Cell::Bytes(b) => json!({"hex": model::id::hex(b)}),
                };
                row.insert(name.clone(), value);
            }
            let text = json!({"table": batch.table, "start": batch.starts[i], "end": batch.ends[i], "row": row});
            self.line(&text.to_string());
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.counts.problems += 1;
        self.counts.lost += if problem.lost { problem.end - problem.start } else { 0 };
        let text = if self.json {
            json!({
                "exhibit": self.exhibit.to_string(), "start": problem.start, "end": problem.end,
                "kind": problem.kind.as_str(), "message": problem.message, "lost": problem.lost,
            })
            .to_string()
        } else {
            format!(
                "{}..{} problem ({}): {}",
                problem.start,
                problem.end,
                problem.kind,
                plain(&problem.message)
            )
        };
        self.line(&text);
    }

    fn mapped(&mut self, fit: MappingFit) {
        if self.mapped.as_ref().is_none_or(|best| fit.missing.len() < best.missing.len()) {
            self.mapped = Some(fit);
        }
    }

    fn defer(&mut self, job: Job) {
        let (before, later) = (self.counts.lost, self.counts.lost_later);
        job(self);
        self.counts.lost_later = later + self.counts.lost - before;
    }
}
