//! Packages: what leaves a case for somebody, and what comes in from another's.

mod brief;
mod case_uco;
mod choose;
mod foresee;
mod handling;
mod import;
mod preview;
pub(crate) mod within;
mod words;

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::path::Path;

use ledger::disk::{Overwrite, Pending};
use ledger::note::{Checkpoint, Signature};
use model::ExhibitId;
use model::record::{PackageMade, Places};
use vault::digests::Digests;
use vault::package::{Choice, Draft, Info, PackageNote, Sealed, Shown, VERIFY_PY, name};

pub use foresee::{Foreseen, MOST_LISTED};
pub use handling::{Demand, Handling, is_party, may_leave};
pub use import::{Imported, import};
pub use preview::{Behind, ExhibitSeen, Preview, RecordSeen};
pub use vault::package::{Checked, Opened, SourceError, Timed};
pub use words::{HiddenField, MAX_WORDS, Selection};

use crate::desk::{Desk, Place, now_ms};
use crate::{Error, Result};
use brief::Briefs;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// For whom.
    pub recipient: &'a str,
    /// Its handling code.
    pub handling: Handling,
    /// What restricts its use, in words.
    pub restriction: Option<&'a str>,
    /// What goes in.
    pub selection: &'a Selection,
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Make<'a> {
    /// What, and for whom.
    pub ask: Ask<'a>,
    /// The same in the words of whoever asked: recorded.
    pub words: &'a str,
    /// The file, which must not be there.
    pub out: &'a Path,
    /// Recipients (`age1…`) to whom it is encrypted; nobody: it is not.
    pub encrypt_to: &'a [String],
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The record of it.
    pub record: u64,
    /// The digest of its tag manifest.
    pub manifest: String,
    /// Records in it.
    pub records: u64,
    /// Exhibits in it, whole.
    pub whole: u64,
    /// Exhibits in it, in part.
    pub parts: u64,
    /// Bytes of its payload.
    pub bytes: u64,
    /// What whoever asked should know.
    pub notes: Vec<String>,
}

/// Makes the page that a reader opens first.
pub type Page<'a> = &'a dyn Fn(&Preview) -> String;

/// Makes a package, records it, and writes its file. `progress` is told the bytes of exhibits that
/// are read and written.
///
/// # Errors
/// What may not leave; what is asked for and is not there; an exhibit that changed; the disk. A file
/// is there only where all went well; a record without a file is of a package that never left.
pub fn make(
    place: &Place,
    make: &Make<'_>,
    page: Page<'_>,
    progress: &dyn Fn(u64),
) -> Result<Made> {
    let recipients = recipients(make.encrypt_to)?;
    if make.out.symlink_metadata().is_ok() {
        return Err(Error::Asked(format!(
            "{} is there already: a package is never written over a file",
            make.out.display()
        )));
    }
    let folder = folder_of(make.out);
    if !folder.is_dir() {
        return Err(Error::Asked(format!(
            "{} is no folder: make it first, or name another with `--out`. Nothing was made",
            folder.display()
        )));
    }
    if make.words.len() > MAX_RECORDED {
        return Err(Error::Asked(format!(
            "what is selected and redacted takes {} bytes of words, of which a record keeps \
             {MAX_RECORDED}: select whole exhibits and runs of records, redact by KIND.FIELD, or \
             make several packages. Nothing was made",
            make.words.len()
        )));
    }
    let mut desk = Desk::open(place)?;
    let made = made(&mut desk, make, &recipients, page, progress);
    let closed = desk.close();
    let made = made?;
    closed?;
    Ok(made)
}

/// The longest words of a selection that a record keeps, in bytes: a value holds 65,535.
const MAX_RECORDED: usize = 60_000;

/// The folder that a file is, or will be, in.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whom a file is encrypted to.
type Recipients = Vec<age::x25519::Recipient>;

fn recipients(texts: &[String]) -> Result<Recipients> {
    let one = |text: &String| {
        let bad = |e| Error::Asked(format!("{text:?} is no age recipient (age1…): {e}"));
        text.parse().map_err(bad)
    };
    texts.iter().map(one).collect()
}

fn made(
    desk: &mut Desk,
    make: &Make<'_>,
    recipients: &Recipients,
    page: Page<'_>,
    progress: &dyn Fn(u64),
) -> Result<Made> {
    desk.case.publish()?;
    // Who gets the package has none of what is kept beside the log.
    if let Some(size) = crate::witness::contradicted(desk.case.dir())? {
        return Err(Error::Contradicted { size, case: desk.case.dir().to_owned() });
    }
    let briefs = Briefs::of(&desk.case)?;
    let hidden = hidden(&desk.views()?.db)?;
    let mut digests = Digests::default();
    let mut tells = |secret: &HashSet<ExhibitId>, among: &BTreeSet<ExhibitId>| {
        digests.learn(&desk.case, secret.iter().copied(), progress);
        digests.search(&desk.case, among.iter().copied(), progress).0
    };
    let chosen = choose::choose(&briefs, make.ask.selection, &hidden, &mut tells)?;
    let demands = demands(&briefs, &chosen, desk.case.authority());
    crate::permit::may_leave(&desk.place.actor, &make.ask, &demands)?;

    let named = Some(desk.case.authority());
    let witnesses = crate::witness::list(&desk.place.home, named)?;
    let policy = crate::witness::policy(&desk.place.home, named)?;
    let of_log = desk.case.keys()?.clone();
    let mut keys = String::new();
    for former in of_log.former() {
        keys.push_str(&format!("log {} until {}\n", former.key.text(), former.until));
    }
    keys.push_str(&format!("log {}\n", of_log.now().text()));
    for witness in &witnesses {
        keys.push_str(&format!("witness {}\n", witness.key.text()));
    }
    // Whoever checks refuses keys that count twice.
    ledger::Trust::parse(&keys)
        .map_err(|e| Error::Asked(format!("the witnesses that are named: {}", e.what)))?;
    let known = |signature: &Signature| {
        signature.id == of_log.now().id()
            || of_log.former().iter().any(|former| former.key.id() == signature.id)
            || witnesses
                .iter()
                .any(|w| w.key.id() == signature.id && w.key.name() == signature.name)
    };
    let info = Info {
        recipient: make.ask.recipient.to_owned(),
        handling: make.ask.handling.text().to_owned(),
        restriction: make.ask.restriction.map(str::to_owned),
        made_ms: now_ms(),
        keys,
    };
    let mut draft = Draft::new(&desk.case, &chosen.choices, info, &known, progress)?;
    let log_size = Checkpoint::of_text(&draft.checkpoint().text).map_or(0, |c| c.size);
    let behind = Behind::of(&draft, &policy, &of_log, now_ms());
    let (cosigners, required) = (behind.witnesses.len() as u64, behind.required);
    let short = (cosigners < required).then(|| {
        format!(
            "its checkpoint has {cosigners} of the {required} cosignatures that the authority requires: \
             `vigie witness ask`, and make it again"
        )
    });
    let preview = Preview::of(&draft, make.ask.handling, log_size, behind);
    draft.add(name::PAGE, page(&preview).into_bytes());
    draft.add(name::CASE, case_uco::document(&preview));
    draft.add(name::SCRIPT, VERIFY_PY.as_bytes().to_vec());
    let sealed = draft.seal()?;

    let count = |what: fn(&Shown) -> bool| {
        chosen.choices.iter().filter(|choice| what(&choice.shown)).count() as u64
    };
    let mut made = Made {
        record: 0,
        manifest: sealed.manifest.to_string(),
        records: chosen.choices.len() as u64,
        whole: count(|shown| *shown == Shown::Whole),
        parts: count(|shown| matches!(shown, Shown::Parts(_))),
        bytes: sealed.bytes,
        notes: chosen.notes.into_iter().chain(short).collect(),
    };
    let body = PackageMade {
        manifest: sealed.manifest,
        recipient: make.ask.recipient.to_owned(),
        handling: make.ask.handling.text().to_owned(),
        restriction: make.ask.restriction.map(str::to_owned),
        records: places(&chosen.choices, |_| true),
        exhibits: places(&chosen.choices, |shown| *shown != Shown::Record),
        selection: make.words.to_owned(),
    };
    made.record = desk.commit(vec![body.into()])?.start;
    desk.case.publish()?;
    write(desk, make, recipients, sealed, &known, made.record, progress)?;
    Ok(made)
}

/// What is demanded of a package with these choices in it, by others than the case's own authority.
fn demands(briefs: &Briefs, chosen: &choose::Chosen, authority: &str) -> Vec<Demand> {
    // Records that tell of an exhibit are under its code as the exhibit is.
    let told: HashSet<ExhibitId> = (chosen.choices.iter())
        .filter_map(|choice| briefs.records.get(usize::try_from(choice.index).ok()?))
        .flat_map(|brief| brief.ids.iter().map(|(_, id)| *id))
        .chain(chosen.exhibits.iter().copied())
        .collect();
    let is_told =
        |of: &HashSet<ExhibitId>| told.iter().any(|e| of.contains(e) || briefs.is_within(*e, of));
    // Out of which package an orphan came is erased: it is under the codes of all of these.
    let orphans = told.iter().any(|e| briefs.orphans.contains(e));
    (briefs.demands.iter())
        .filter(|(of, _)| is_told(of))
        .map(|(_, demand)| demand)
        .chain(briefs.lost.iter().filter(|_| orphans))
        // What is one's own is restricted by oneself alone.
        .filter(|demand| !is_party(&demand.provider, authority))
        .cloned()
        .collect()
}

/// The records of choices.
fn places(choices: &[Choice], of: impl Fn(&Shown) -> bool) -> Places {
    Places::of(choices.iter().filter(|choice| of(&choice.shown)).map(|choice| choice.index))
}

/// Exhibits that are withheld as privileged.
fn hidden(db: &rusqlite::Connection) -> Result<HashSet<ExhibitId>> {
    let mut query = db.prepare("SELECT id FROM exhibit WHERE ord IN (SELECT ord FROM hidden)")?;
    let rows = query.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
    Ok(rows.map(|row| row.map(ExhibitId)).collect::<std::result::Result<_, _>>()?)
}

fn write(
    desk: &Desk,
    make: &Make<'_>,
    recipients: &Recipients,
    sealed: Sealed,
    known: &dyn Fn(&Signature) -> bool,
    record: u64,
    progress: &dyn Fn(u64),
) -> Result<()> {
    let (case, out) = (&desk.case, make.out);
    let note = PackageNote { origin: case.origin().to_owned(), record, manifest: sealed.manifest };
    let note = note.sign(&case.signer()?);
    let mut proof = case.log().prove(record)?;
    let mut consistency = case.log().prove_since(sealed.log_size)?;
    proof.checkpoint.signatures.retain(known);
    consistency.checkpoint.signatures.retain(known);
    let mut file = Pending::with_mode(folder_of(out), 0o600)?;
    if recipients.is_empty() {
        sealed.write(&note, &proof, &consistency, file.writer(), out, progress)?;
    } else {
        let failed = |source| Error::Output(source);
        let to = recipients.iter().map(|r| r as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(to)
            .map_err(|e| Error::Asked(format!("the recipients cannot be encrypted to: {e}")))?;
        let stream = encryptor.wrap_output(file.writer()).map_err(failed)?;
        let stream = sealed.write(&note, &proof, &consistency, stream, out, progress)?;
        stream.finish().and_then(|mut out| out.flush()).map_err(failed)?;
    }
    Ok(file.persist(out, Overwrite::Never)?)
}

/// Checks a package: a folder, or the zip file that it came in.
///
/// # Errors
/// It cannot be read, or its zip file is not as packages are written: then the package does not hold
/// either.
pub fn check(
    path: &Path,
    trust: Option<&ledger::Trust>,
    progress: &dyn Fn(u64),
) -> Result<std::result::Result<Checked, SourceError>> {
    let opened = match Opened::open(path, progress) {
        Ok(opened) => opened,
        Err(e) => return Ok(Err(e)),
    };
    let read = |source| Error::Read { path: path.to_owned(), source };
    Ok(Ok(vault::package::check(&opened, trust, now_ms(), progress).map_err(read)?))
}
