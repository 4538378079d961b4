//! 7z, by another's reader, which keeps a bound on memory; what it cannot read is a problem.

use std::io::{self, ErrorKind};

use model::ProblemKind;
use sevenz_rust2::{ArchiveReader, EntryDecision, Error, Password};

use super::stream::MAX_WINDOW;
use super::{Context, Given, Next, Source, guard, shown};

pub(super) fn unpack<E>(source: &mut dyn Source, cx: &mut Context<'_, E>) -> Result<(), E> {
    let limit_kb = (MAX_WINDOW >> 10) as usize;
    let opened = guard(|| {
        let source = source;
        source.seek(io::SeekFrom::Start(0))?;
        match ArchiveReader::new_with_memory_limit(source, Password::empty(), limit_kb) {
            Ok(mut reader) => {
                reader.set_thread_count(1);
                Ok(Ok(reader))
            }
            Err(e) => Ok(Err(e)),
        }
    });
    let mut reader = match opened {
        Ok(Ok(reader)) => reader,
        Ok(Err(e)) => {
            report(cx, &e);
            return Ok(());
        }
        Err(e) => {
            cx.problem(0, cx.size, ProblemKind::Integrity, true, format!("its directory: {e}"));
            return Ok(());
        }
    };
    let mut stopped: Option<E> = None;
    let size = cx.size;
    let result = guard(|| {
        Ok(reader.for_each_entries_with_decision(|entry, content| {
            if entry.is_directory() || entry.is_anti_item() {
                return Ok(EntryDecision::Continue);
            }
            if entry.has_windows_attributes && entry.windows_attributes() >> 28 == 0xa {
                let name = shown(entry.name().as_bytes());
                let message = format!("{name} is a symbolic link: its bytes are the link's text");
                cx.problem(0, size, ProblemKind::Unsupported, false, message);
            }
            let given = Given {
                name: entry.name().as_bytes().to_vec(),
                offset: None,
                stated_size: Some(entry.size()),
                span: (0, size),
            };
            let before = cx.problems.len();
            match cx.give(given, content) {
                Ok((Next::Member, _)) if cx.problems.len() == before => Ok(EntryDecision::Continue),
                // What follows in the same stream cannot be reached, other streams can.
                Ok((Next::Member, _)) => Ok(EntryDecision::SkipBlock),
                Ok((Next::Stop, _)) => Ok(EntryDecision::Stop),
                Err(e) => {
                    stopped = Some(e);
                    Ok(EntryDecision::Stop)
                }
            }
        }))
    });
    if let Some(e) = stopped {
        return Err(e);
    }
    match result {
        Ok(Ok(())) => {}
        Ok(Err(e)) => report(cx, &e),
        Err(e) => {
            cx.problem(0, cx.size, ProblemKind::Integrity, true, format!("it is damaged: {e}"))
        }
    }
    Ok(())
}

fn report<E>(cx: &mut Context<'_, E>, e: &Error) {
    let (kind, message) = match e {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => {
            (ProblemKind::Unsupported, "it is encrypted: not opened".to_owned())
        }
        Error::UnsupportedCompressionMethod(method) => {
            (ProblemKind::Unsupported, format!("it is packed by {method}, which is not read here"))
        }
        Error::UnsupportedVersion { .. } | Error::ExternalUnsupported | Error::Unsupported(_) => {
            (ProblemKind::Unsupported, "it is a 7z of a form that is not read here".to_owned())
        }
        Error::MaxMemLimited { .. } => {
            (ProblemKind::Bound, format!("it wants more than {MAX_WINDOW} bytes of memory"))
        }
        Error::Io(e, _) if e.kind() == ErrorKind::UnexpectedEof => {
            (ProblemKind::Truncated, "it is cut: what follows cannot be unpacked".to_owned())
        }
        other => (ProblemKind::Integrity, format!("it is damaged: {other}")),
    };
    cx.problem(0, cx.size, kind, true, message);
}
