//! Archives on their way in: pieces of a form each, on the disk until all are there. Nothing of one stands whole in
//! memory, and the fields of a form may come in any order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request};
use ledger::disk::{self, Pending};
use shield::order::TicketId;
use shield::order::words::Organisation;
use tokio::sync::mpsc;
use vault::Stager;

use crate::answer::{Answer, Outcome};
use crate::api::{Api, work};
use crate::body::Body;
use crate::call::{Call, Known, failed};
use crate::codes::{Code, FORENSIC_GENERIC, Fault, GENERIC, MISSING_FILE, TICKET_NOT_FOUND};
use crate::forensic::{check_name, seal, wanted};

/// The most bytes of an archive.
pub(crate) const MAX_ARCHIVE: u64 = 10 << 30;
/// The most pieces of one.
pub(crate) const MAX_PIECES: u32 = 10_000;
/// Archives that come in at once, and of one reporter.
pub(crate) const MAX_COMING: usize = 16;
/// Of one reporter.
pub(crate) const MAX_OF_REPORTER: usize = 4;
/// Forms that are read at once, and of one reporter: who is slow holds up no other.
const MAX_FORMS: usize = 16;
/// Of one reporter.
const MAX_FORMS_OF_REPORTER: usize = 4;
/// One of which nothing came for so long makes room.
const IDLE: Duration = Duration::from_secs(3_600);
/// The longest between two pieces of a form.
const PATIENCE: Duration = Duration::from_secs(60);
/// What archives leave free on the disk of the clearing house, in bytes. Its log stands there too: a disk that a
/// reporter filled would end every decision, lifts among them.
pub(crate) const LEFT_FREE: u64 = 4 << 30;
/// The room is looked at again each time so many bytes were written.
const LOOK: u64 = 16 << 20;
/// The most bytes of a field that is no file.
const MAX_FIELD: usize = 2_048;

#[derive(Debug)]
struct Coming {
    reporter: Organisation,
    name: String,
    total: u32,
    pieces: BTreeMap<u32, Pending>,
    heard: Instant,
}

/// Every archive that comes in.
#[derive(Debug)]
pub(crate) struct Uploads {
    stager: Arc<Stager>,
    /// See [`LEFT_FREE`].
    pub(crate) left_free: u64,
    coming: Mutex<BTreeMap<TicketId, Coming>>,
    forms: Mutex<BTreeMap<Organisation, usize>>,
}

/// A form that is being read; another may be once it is dropped.
struct Reading<'a> {
    uploads: &'a Uploads,
    reporter: Organisation,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut forms = self.uploads.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = forms.get_mut(&self.reporter) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                forms.remove(&self.reporter);
            }
        }
    }
}

/// One form, read to its end.
struct Form {
    piece: Pending,
    index: u32,
    total: u32,
    name: String,
}

impl Uploads {
    pub(crate) fn new(stager: Arc<Stager>) -> Self {
        let left_free = LEFT_FREE;
        Self { stager, left_free, coming: Mutex::default(), forms: Mutex::default() }
    }

    /// Whether so many bytes more may be written.
    pub(crate) fn room(&self, bytes: u64) -> Result<(), Fault> {
        room(self.stager.folder(), bytes, self.left_free)
    }

    /// Begins to read a form.
    fn read(&self, reporter: &Organisation) -> Result<Reading<'_>, Fault> {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (forms.values().sum::<usize>(), forms.get(reporter).copied().unwrap_or(0));
        if all >= MAX_FORMS || own >= MAX_FORMS_OF_REPORTER {
            let busy =
                Fault::of(FORENSIC_GENERIC, "as many pieces come in as may at once: come again");
            return Err(Fault { retry_s: Some(5), ..busy });
        }
        *forms.entry(reporter.clone()).or_default() += 1;
        Ok(Reading { uploads: self, reporter: reporter.clone() })
    }

    /// Takes a piece; all of them where it was the last.
    fn put(
        &self,
        ticket: TicketId,
        reporter: &Organisation,
        form: Form,
    ) -> Result<Option<(String, Vec<Pending>)>, Fault> {
        let mut all = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, coming| coming.heard.elapsed() < IDLE);
        let starts = |coming: &Coming| coming.name != form.name || coming.total != form.total;
        // Another archive in its place begins anew.
        if all.get(&ticket).is_some_and(starts) {
            all.remove(&ticket);
        }
        if !all.contains_key(&ticket) {
            let own = all.values().filter(|coming| coming.reporter == *reporter).count();
            if all.len() >= MAX_COMING || own >= MAX_OF_REPORTER {
                let text =
                    "as many archives come in as may at once: finish one, or come again in an hour";
                return Err(Fault { retry_s: Some(60), ..Fault::of(FORENSIC_GENERIC, text) });
            }
        }
        let Form { mut piece, index, total, name } = form;
        piece.close();
        let coming = all.entry(ticket).or_insert_with(|| Coming {
            reporter: reporter.clone(),
            name,
            total,
            pieces: BTreeMap::new(),
            heard: Instant::now(),
        });
        coming.heard = Instant::now();
        coming.pieces.insert(index, piece);
        let bytes: u64 = coming.pieces.values().map(Pending::len).sum();
        if bytes > MAX_ARCHIVE {
            all.remove(&ticket);
            return Err(too_long());
        }
        if coming.pieces.len() < usize::try_from(total).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let whole = all.remove(&ticket);
        Ok(whole.map(|coming| (coming.name, coming.pieces.into_values().collect())))
    }
}

/// Whether so many bytes more leave enough free on the disk of a folder.
fn room(folder: &Path, bytes: u64, left_free: u64) -> Result<(), Fault> {
    let free = disk::nameless::free(folder).map_err(|e| failed(e.into()))?;
    if free >= left_free.saturating_add(bytes) {
        return Ok(());
    }
    let text = "the clearing house has no room for archives now: its operators have to make some";
    let code = Code { status: 503, ..FORENSIC_GENERIC };
    Err(Fault { retry_s: Some(3_600), ..Fault::of(code, text) })
}

fn too_long() -> Fault {
    Fault::of(
        FORENSIC_GENERIC,
        format!("an archive has at most {MAX_ARCHIVE} bytes, and {MAX_PIECES} pieces"),
    )
}

/// Takes a form with a piece of an archive.
pub(crate) async fn take(api: &Arc<Api>, known: Known, request: Request) -> Outcome {
    let path = request.uri().path();
    let text = path.rsplit_once('/').map(|(_, id)| id.to_owned()).ok_or(TICKET_NOT_FOUND)?;
    let known = Arc::new(known);
    // Whether it is wanted is asked before a byte of it is read.
    let asking = Arc::clone(&known);
    let ticket = work(api, move |api| -> Result<TicketId, Fault> {
        let call = call(api, &asking, &text)?;
        let ticket = call.ticket()?;
        if ticket.ticket.reporter != call.own()? {
            return Err(TICKET_NOT_FOUND.into());
        }
        wanted(&call, ticket.id).map(|_| ticket.id)
    });
    let ticket = ticket.await??;
    let reporter = known.who.organisation().and_then(Organisation::new).ok_or(GENERIC)?;
    let reading = api.uploads.read(&reporter)?;
    let form = form(api, request).await?;
    drop(reading);
    work(api, move |api| -> Outcome {
        let Some((name, pieces)) = api.uploads.put(ticket, &reporter, form)? else {
            return Ok(Answer::Done);
        };
        // Until it is sealed it stands there twice.
        api.uploads.room(pieces.iter().map(Pending::len).sum())?;
        let paths: Vec<PathBuf> = pieces.iter().map(|piece| piece.temp_path().to_owned()).collect();
        let call = Call::bare(api, &known, Body::default());
        seal(&call, ticket, &name, paths)?;
        drop(pieces);
        call.answered(Ok(Answer::Done))
    })
    .await?
}

fn call<'a>(api: &'a Api, known: &'a Known, ticket: &str) -> Result<Call<'a>, Fault> {
    let body = serde_json::json!({"ticket_id": ticket}).to_string();
    let body = Body::parse(body.as_bytes(), &["ticket_id"], false)?;
    Ok(Call::bare(api, known, body))
}

async fn form(api: &Arc<Api>, request: Request) -> Result<Form, Fault> {
    let bad = |_| Fault::from(MISSING_FILE);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| MISSING_FILE)?;
    let (mut piece, mut index, mut total, mut name) = (None, None, None, None);
    for _ in 0..16 {
        let next = tokio::time::timeout(PATIENCE, form.next_field()).await;
        let Some(field) = next.map_err(|_| MISSING_FILE)?.map_err(bad)? else { break };
        match field.name() {
            Some("archive") => piece = Some(stored(api, field).await?),
            Some("chunkIndex") => index = Some(number(&short(field).await?)?),
            Some("totalChunks") => total = Some(number(&short(field).await?)?),
            Some("originalFileName") => name = Some(short(field).await?),
            _ => drop(short(field).await?),
        }
    }
    let (Some(piece), Some(index), Some(total), Some(name)) = (piece, index, total, name) else {
        return Err(MISSING_FILE.into());
    };
    check_name(&name)?;
    if total == 0 || total > MAX_PIECES || index >= total {
        return Err(Fault::of(
            FORENSIC_GENERIC,
            "chunkIndex counts from 0 to below totalChunks, of which there are at most 10,000",
        ));
    }
    Ok(Form { piece, index, total, name })
}

fn number(text: &str) -> Result<u32, Fault> {
    text.trim().parse().map_err(|_| MISSING_FILE.into())
}

/// A field of the form that is a short text.
async fn short(mut field: Field<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(more) = next(&mut field).await? {
        if bytes.len() + more.len() > MAX_FIELD {
            return Err(MISSING_FILE.into());
        }
        bytes.extend_from_slice(&more);
    }
    String::from_utf8(bytes).map_err(|_| MISSING_FILE.into())
}

async fn next(field: &mut Field<'_>) -> Result<Option<axum::body::Bytes>, Fault> {
    let next = tokio::time::timeout(PATIENCE, field.chunk()).await;
    next.map_err(|_| MISSING_FILE)?.map_err(|_| MISSING_FILE.into())
}

/// A field of the form as a file beside the vault's, which is gone unless it becomes part of an archive.
async fn stored(api: &Arc<Api>, mut field: Field<'_>) -> Result<Pending, Fault> {
    let folder = api.uploads.stager.folder().to_owned();
    let (to, mut from) = mpsc::channel::<axum::body::Bytes>(4);
    let left_free = api.uploads.left_free;
    let writing = tokio::task::spawn_blocking(move || -> Result<Pending, Fault> {
        room(&folder, 0, left_free)?;
        let disk = |e: ledger::Error| failed(e.into());
        let mut file = Pending::with_mode(&folder, 0o600).map_err(disk)?;
        let mut looked = 0;
        while let Some(bytes) = from.blocking_recv() {
            file.append(&bytes).map_err(disk)?;
            if file.len() - looked >= LOOK {
                looked = file.len();
                room(&folder, 0, left_free)?;
            }
        }
        Ok(file)
    });
    let mut length = 0_u64;
    while let Some(bytes) = next(&mut field).await? {
        length += bytes.len() as u64;
        if length > MAX_ARCHIVE {
            return Err(too_long());
        }
        if to.send(bytes).await.is_err() {
            break; // the writer failed, and says why
        }
    }
    drop(to);
    writing.await.map_err(|_| GENERIC)?
}
