//! The door on this machine: a socket in the folder, for who can open that folder. A line of JSON asks, a
//! line answers. Who acts is looked up in the register, each time anew: a person who was suspended a moment
//! ago does nothing more.
//!
//! Where no server has the house, the same is done by whoever asks, with the house in their own hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use collect::challenge::{At, Way};
use model::Sha256Hex;
use serde::{Deserialize, Serialize};
use shield::order::step::Deed;
use shield::order::words::{Grounds, Person};
use shield::order::{Actor, Audience, Command, Moment, Refusal, Role, Scope};

use super::challenge::{Came, Challenges, Hand, Issued, Objection, Unmet};
use super::house::{Ask, Done, House};
use super::house_act::HouseAct;
use super::keeper::Keeper;
use super::statement;
use crate::access::{Access, Action, Asked, Decision, Principal};
use crate::desk;
use crate::parties::PartyRole;
use crate::{Error, Result};

/// The longest line: the greatest ticket has 4 MB.
pub const MAX_LINE: u64 = 8 << 20;
/// The most that are served at once.
pub const MAX_CALLERS: usize = 32;
/// Under which name the policies' refusals at the door are counted.
const ROUTE: &str = "the clearing house's door";
/// The longest that a caller may take over a line.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest that an answer takes which somebody outside is asked for.
const LOOKS: Duration = Duration::from_secs(90);

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who, by the short name in the register.
    pub person: String,
    /// In which office.
    pub role: String,
    /// What.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// Or what is done to the house itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub house: Option<HouseAct>,
    /// Of an objection: what is said, whose hash is the command's proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Of an objection: the token that was given out, once it stands where it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Request {
    /// A command of somebody, in an office.
    pub fn new(person: impl Into<String>, role: impl Into<String>, command: Command) -> Self {
        let (person, role, command) = (person.into(), role.into(), Some(command));
        Self { person, role, command, house: None, statement: None, token: None }
    }

    /// What somebody does to the house itself, in an office.
    pub fn of_house(person: impl Into<String>, role: impl Into<String>, act: HouseAct) -> Self {
        let (person, role, house) = (person.into(), role.into(), Some(act));
        Self { person, role, command: None, house, statement: None, token: None }
    }
}

/// A place where a token has to stand, or was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// `dns`, `file` or `reverse`.
    pub way: String,
    /// The very name or URL; of what was looked for, what was found, by its word.
    pub at: String,
}

/// What an operator asks of the standby.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfStandby {
    /// Who, by the short name in the register.
    pub person: String,
    /// The name, and SHA-256 of the secret, of who is to be the standby; none: the one that is named goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<(String, Sha256Hex)>,
    /// Why.
    pub grounds: String,
}

/// A line at the door.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Command(Box<Request>),
    OfStandby { standby: OfStandby },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer", deny_unknown_fields)]
pub enum Reply {
    /// It was done, and is durable.
    Done {
        /// When.
        at: Moment,
        /// The record; none where nothing had to be done.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        record: Option<u64>,
        /// What was decided.
        deeds: Vec<Deed>,
        /// True where the standby does not have it: it is durable on one machine alone.
        #[serde(default, skip_serializing_if = "is_false")]
        alone: bool,
    },
    /// It was recorded, and is durable: an act on the house itself.
    Recorded,
    /// It was refused, and changed nothing.
    Refused {
        /// The refusal's name.
        word: String,
        /// What to do instead.
        message: String,
    },
    /// An objection without proof of control: this text is to be put in any one of these places, and the objection
    /// made again with it.
    Challenge {
        /// The text.
        token: String,
        /// Until when.
        until: Moment,
        /// Where.
        places: Vec<Place>,
    },
    /// The text does not stand there: nothing was decided, and nothing kept.
    Unmet {
        /// Why, by its word.
        word: String,
        /// What to do instead.
        message: String,
        /// What was found, where it was looked for.
        found: Vec<Place>,
    },
    /// It could not be asked so.
    Misuse {
        /// Why.
        message: String,
    },
    /// It could not be done; whether it was, the log says.
    Failed {
        /// Why.
        message: String,
    },
}

// The shape that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(what: &bool) -> bool {
    !what
}

impl From<std::result::Result<Done, Refusal>> for Reply {
    fn from(answer: std::result::Result<Done, Refusal>) -> Self {
        match answer {
            Ok(Done { at, steps, record, alone }) => {
                let deeds = steps.into_iter().map(|step| step.deed).collect();
                Self::Done { at, record, deeds, alone }
            }
            Err(refusal) => {
                Self::Refused { word: refusal.word().to_owned(), message: refusal.to_string() }
            }
        }
    }
}

impl From<Came> for Reply {
    fn from(came: Came) -> Self {
        let place =
            |(way, at): &(Way, String)| Place { way: way.word().to_owned(), at: at.clone() };
        match came {
            Came::Issued(Issued { token, until, places }) => {
                Self::Challenge { token, until, places: places.iter().map(place).collect() }
            }
            Came::Unmet(unmet) => {
                let found = match &unmet {
                    Unmet::Not(not) => not.as_slice(),
                    _ => &[],
                };
                let found = found.iter().map(|(way, found)| (*way, found.word().to_owned()));
                let found = found.map(|found| place(&found)).collect();
                let (word, message) = (unmet.word().to_owned(), unmet.to_string());
                Self::Unmet { word, message, found }
            }
            Came::Done(done) => Self::from(Ok(done)),
            Came::Refused(refusal) => Self::from(Err(refusal)),
        }
    }
}

impl From<Error> for Reply {
    fn from(error: Error) -> Self {
        match error {
            Error::Asked(message) => Self::Misuse { message },
            other => Self::Failed { message: other.to_string() },
        }
    }
}

impl Request {
    /// The command of who is registered, and may do that. What only the clearing house and its probes may
    /// say, nobody says here: a capture is believed since our own probe took it, and for no other reason.
    ///
    /// # Errors
    /// [`Error::Asked`]: who may not act so; a refusal by the policies is counted.
    pub fn ask(self, access: &Access) -> Result<Wanted> {
        let role = PartyRole::of_word(&self.role).ok_or_else(|| {
            let all: Vec<_> = PartyRole::ALL.iter().map(|role| role.word()).collect();
            Error::Asked(format!("{:?} is no office: {}", self.role, all.join(", ")))
        })?;
        access.refresh()?;
        let actor = access.register(|register| register.actor(&self.person, role))?;
        let named = self.command.as_ref().map(organisations).unwrap_or_default();
        for organisation in named {
            let known = access.register(|register| register.organisation(organisation).is_some());
            if !known {
                return Err(Error::Asked(format!(
                    "no organisation is registered as {organisation:?}: `vigie party list` shows them"
                )));
            }
        }
        let action = match (&self.command, &self.house) {
            (Some(command), None) => action_of(command, actor.role),
            (None, Some(act)) => Some(act.action()),
            _ => return Err(Error::Asked("one command, or one act on the house".to_owned())),
        };
        let Some(action) = action else {
            return Err(Error::Asked("only the clearing house itself says that".to_owned()));
        };
        let who = access.person(&self.person).unwrap_or(Principal::Nobody);
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let asked = Asked { action, organisation: Some(actor.organisation.as_str()), source };
        match access.may(&who, &asked, ROUTE) {
            Decision::Allowed => {}
            Decision::TooMany { retry_s } => {
                return Err(Error::Asked(format!(
                    "{} asks more than its quota: again in {retry_s} s",
                    actor.organisation
                )));
            }
            Decision::SignIn | Decision::Forbidden => {
                return Err(Error::Asked(format!(
                    "{} may not do that as {}: docs/access.md shows who may ({})",
                    self.person,
                    role.word(),
                    action.word()
                )));
            }
        }
        let (statement, token) = (self.statement, self.token);
        Ok(match (self.command, self.house) {
            (Some(command), _) => Wanted::Command(Ask { actor, command }, statement, token),
            (None, Some(act)) => Wanted::House(actor, act),
            (None, None) => return Err(Error::Asked("nothing is asked".to_owned())),
        })
    }
}

/// What somebody who may wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A command; of an objection, what is said, and the token that shows control.
    Command(Ask, Option<String>, Option<String>),
    /// An act on the house itself.
    House(Actor, HouseAct),
}

/// In which of their offices somebody has that done: the first that may. Where none may it is the first
/// they hold, in which [`Request::ask`] refuses and counts; the public's where they hold none.
pub fn office(access: &Access, who: &Principal, command: &Command) -> PartyRole {
    let Principal::Person { person, organisation, roles } = who else { return PartyRole::Public };
    let may = |role: &PartyRole| {
        let Some(action) = role.acts_as().and_then(|acts| action_of(command, acts)) else {
            return false;
        };
        let alone = Principal::Person {
            person: person.clone(),
            organisation: organisation.clone(),
            roles: vec![*role],
        };
        access.would(&alone, action, IpAddr::V4(Ipv4Addr::LOCALHOST))
    };
    let held = || roles.iter().chain([&PartyRole::Public]);
    held().find(|role| may(role)).or(roles.first()).copied().unwrap_or(PartyRole::Public)
}

impl OfStandby {
    /// Who asks, where they may.
    fn by(&self, access: &Access) -> Result<Person> {
        access.refresh()?;
        let who = access.person(&self.person).unwrap_or(Principal::Nobody);
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let asked = Asked { action: Action::StandbyChange, organisation: None, source };
        let person = Person::new(&self.person);
        match (access.may(&who, &asked, ROUTE), person) {
            (Decision::Allowed, Some(person)) => Ok(person),
            _ => Err(Error::Asked(format!(
                "{} may not do that: an operator may (standby_change, docs/access.md)",
                self.person
            ))),
        }
    }

    fn done(&self, house: &mut House, by: &Person) -> Result<Reply> {
        let why = Grounds::new(&self.grounds).ok_or_else(|| {
            Error::Asked("grounds are given in one line of at most 4,000 bytes".to_owned())
        })?;
        match &self.named {
            Some((name, key)) => house.name_standby(by, name, *key, &why)?,
            None => house.dismiss_standby(by, &why)?,
        }
        let record = house.case().len().checked_sub(1);
        Ok(Reply::Done { at: house.now(), record, deeds: Vec::new(), alone: house.is_alone() })
    }
}

/// Whom a command names: a slip of the pen in a stop must not look like a stop.
fn organisations(command: &Command) -> Vec<&str> {
    match command {
        Command::GiveOrder(order) => vec![order.reporter.as_str()],
        Command::Stop { scope, .. } | Command::Resume { scope, .. } => match scope {
            Scope::Reporter(of) | Scope::Isp(of) => vec![of.as_str()],
            Scope::All | Scope::Event(_) | Scope::Ticket(_) => Vec::new(),
        },
        Command::Submit(asked) => match &asked.audience {
            Audience::Only(isps) => isps.iter().map(|isp| isp.as_str()).collect(),
            Audience::All => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a command is, to the one place that decides who may; `None`: nobody may, but the house itself. What it
/// is done to, and whether they are a second person, the machine knows.
fn action_of(command: &Command, role: Role) -> Option<Action> {
    let own = matches!(role, Role::Reporter | Role::Isp);
    Some(match command {
        Command::Announce(_) | Command::Extend { .. } if role == Role::Reporter => {
            Action::ItemReport
        }
        Command::GiveOrder(_)
        | Command::EndOrder { .. }
        | Command::Announce(_)
        | Command::Extend { .. } => Action::OrderGive,
        Command::Submit(_) | Command::Renew { .. } | Command::Upload { .. } => Action::ItemReport,
        Command::Approve { .. } | Command::Reinstate { .. } | Command::HostAnswered { .. } => {
            Action::ItemApprove
        }
        Command::Refuse { .. } | Command::Lift { .. } if role == Role::Reporter => {
            Action::OwnItemLift
        }
        Command::Refuse { .. } | Command::Lift { .. } => Action::ItemLift,
        Command::Object { .. } => Action::ObjectionMake,
        Command::Decide { .. } => Action::ObjectionDecide,
        Command::ReportHarm { .. } => Action::HarmReport,
        Command::ProposeException { .. } => Action::ExceptionPropose,
        // Taking back is whose proposing is; whether it holds already, the machine knows.
        Command::RevokeException { .. } if role != Role::Reviewer && role != Role::Authority => {
            Action::ExceptionPropose
        }
        Command::ApproveException { .. } | Command::RevokeException { .. } => {
            Action::ExceptionApprove
        }
        Command::Stop { .. } | Command::Resume { .. } if own => Action::OwnStop,
        Command::Stop { .. } => Action::Stop,
        Command::Resume { .. } => Action::Resume,
        Command::Capture { .. }
        | Command::Check { .. }
        | Command::NoticeSent { .. }
        | Command::ControlFailed { .. }
        | Command::Tick => return None,
    })
}

/// The socket of a folder. Reached through the folder's descriptor: a socket's path has 108 bytes.
struct Socket {
    _dir: std::fs::File,
    path: PathBuf,
}

impl Socket {
    const FOLDER: &str = "run";

    fn of(dir: &Path) -> std::io::Result<Self> {
        use std::os::fd::AsRawFd;
        let dir = std::fs::File::open(dir.join(Self::FOLDER))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/house", dir.as_raw_fd()));
        Ok(Self { _dir: dir, path })
    }
}

/// Serves the door of a folder, in threads of its own, for as long as the process lives.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(
    dir: &Path,
    access: Arc<Access>,
    keeper: &Keeper,
    challenges: Arc<Challenges>,
) -> Result<()> {
    let folder = dir.join(Socket::FOLDER);
    let failed = |source| Error::Read { path: folder.clone(), source };
    ledger::disk::create_dir(&folder)?;
    // Whoever cannot open the folder cannot reach the socket in it.
    ledger::disk::set_mode(&folder, 0o700)?;
    // The lock of the log is ours: a socket that stands here is one of a process that is gone.
    ledger::disk::remove(&folder.join("house"))?;
    let socket = Socket::of(dir).map_err(failed)?;
    let listener = UnixListener::bind(&socket.path).map_err(failed)?;
    let keeper = keeper.clone();
    count(Arc::clone(&access))?;
    let callers = Arc::new(AtomicUsize::new(0));
    let run = move || {
        let _socket = socket;
        for stream in listener.incoming().flatten() {
            if callers.fetch_add(1, Ordering::Relaxed) >= MAX_CALLERS {
                callers.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (keeper, access) = (keeper.clone(), Arc::clone(&access));
            let challenges = Arc::clone(&challenges);
            let left = Arc::clone(&callers);
            let serve = move || {
                let _ = answer(&stream, &keeper, &access, &challenges);
                left.fetch_sub(1, Ordering::Relaxed);
            };
            let _ = std::thread::Builder::new().name("door".to_owned()).spawn(serve);
        }
    };
    let thread = std::thread::Builder::new().name("door".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

/// Keeps what was refused: in a file each second, in the authority's log once its hour is over.
fn count(access: Arc<Access>) -> Result<()> {
    let run = move || {
        for second in 1_u64.. {
            std::thread::sleep(Duration::from_secs(1));
            // A disk that fails now is asked again a second later: nothing that was counted is lost. Until the
            // register can be read again the one that was read goes on.
            let _ = access.refresh();
            let _ = access.write_refused(false);
            if second.is_multiple_of(60) {
                let _ = access.record_refused();
            }
        }
    };
    let thread = std::thread::Builder::new().name("refusals".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

fn answer(
    stream: &UnixStream,
    keeper: &Keeper,
    access: &Access,
    challenges: &Challenges,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream);
    loop {
        let Some(line) = line(&mut lines)? else { return Ok(()) };
        let line = serde_json::from_slice::<Line>(&line);
        let reply = match line.map_err(|e| Error::Asked(format!("no request: {e}"))) {
            Ok(Line::Command(request)) => request
                .ask(access)
                .and_then(|wanted| done(&mut Hand::Keeper(keeper), challenges, wanted)),
            Ok(Line::OfStandby { standby }) => standby.by(access).and_then(|by| {
                keeper.look(move |house| standby.done(house, &by)).and_then(|done| done)
            }),
            Err(error) => Err(error),
        };
        let reply = reply.unwrap_or_else(Reply::from);
        write(stream, &reply)?;
    }
}

/// Has it done. An objection is taken with the words that it rests on, and from whoever is not of the authority, or
/// of who reviews, once they showed that they control what is blocked.
fn done(hand: &mut Hand<'_>, challenges: &Challenges, wanted: Wanted) -> Result<Reply> {
    let (ask, statement, token) = match wanted {
        Wanted::Command(ask, statement, token) => (ask, statement, token),
        Wanted::House(actor, act) => {
            hand.look(move |house| house.do_act(&actor.person, &act))??;
            return Ok(Reply::Recorded);
        }
    };
    let Command::Object { value, proof } = &ask.command else {
        return Ok(hand.act(ask)?.into());
    };
    let statement = statement.ok_or_else(|| {
        Error::Asked("an objection says why: give it with --statement FILE".to_owned())
    })?;
    if statement::proof(&statement)? != *proof {
        return Err(Error::Asked("the proof is not the hash of the statement".to_owned()));
    }
    if matches!(ask.actor.role, Role::Reviewer | Role::Authority) {
        return Ok(hand.object(ask, statement)?.into());
    }
    let (actor, value) = (ask.actor, value.clone());
    let objection = Objection { actor, value, statement, token };
    Ok(challenges.object(hand, objection)?.into())
}

/// A line without its end; `None` where there is no more.
fn line(from: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.take(MAX_LINE + 1).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => {
            Err(std::io::Error::other("a line without an end, or a longer one than is read"))
        }
    }
}

fn write(mut to: &UnixStream, what: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Names the standby of a folder's clearing house, or lets it go: by the server that has it, else in one's own
/// hand.
///
/// # Errors
/// As [`ask`].
pub fn ask_of_standby(place: &desk::Place, request: &OfStandby) -> Result<Reply> {
    if let Some(reply) = at_server(place, &Line::OfStandby { standby: request.clone() })? {
        return Ok(reply);
    }
    let access = Access::open(&place.home)?;
    let by = request.by(&access);
    access.record_refused()?;
    let by = match by {
        Ok(by) => by,
        Err(error @ Error::Asked(_)) => return Ok(error.into()),
        Err(error) => return Err(error),
    };
    let mut house = House::open(place)?;
    let done = request.done(&mut house, &by);
    house.close()?;
    Ok(done.unwrap_or_else(Reply::from))
}

/// Has something done in the clearing house of a folder: by the server that has it, else in one's own hand.
///
/// # Errors
/// No clearing house; a server that does not answer; the disk.
pub fn ask(place: &desk::Place, request: &Request) -> Result<Reply> {
    if let Some(reply) = at_server(place, &Line::Command(Box::new(request.clone())))? {
        return Ok(reply);
    }
    let access = Access::open(&place.home)?;
    let asked = request.clone().ask(&access);
    access.record_refused()?;
    let ask = match asked {
        Ok(ask) => ask,
        Err(error @ Error::Asked(_)) => return Ok(error.into()),
        Err(error) => return Err(error),
    };
    let mut house = House::open(place)?;
    while house.tick()? {}
    let resolver = crate::capture::resolver().ok();
    let challenges = Challenges::open(&place.case, resolver, At::default())?;
    let reply = done(&mut Hand::House(&mut house), &challenges, ask);
    house.close()?;
    match reply {
        Err(error @ Error::Asked(_)) => Ok(error.into()),
        reply => reply,
    }
}

/// Asks the server that has the house; `None`: none has it.
fn at_server(place: &desk::Place, request: &Line) -> Result<Option<Reply>> {
    let stream = Socket::of(&place.case).and_then(|socket| UnixStream::connect(&socket.path));
    if let Ok(stream) = stream {
        let failed = |e: std::io::Error| {
            Error::Beside(format!(
                "the server of {} did not answer ({e}): whether it was done, `vigie shield tickets` shows",
                crate::shell::quoted_path(&place.case)
            ))
        };
        let asked = || -> std::io::Result<Option<Vec<u8>>> {
            // Who has a proof looked for waits for the look.
            let looks = matches!(request, Line::Command(request) if request.token.is_some());
            stream.set_read_timeout(Some(if looks { LOOKS } else { PATIENCE }))?;
            write(&stream, request)?;
            line(&mut BufReader::new(&stream))
        };
        let line = asked().map_err(failed)?;
        let line = line.ok_or_else(|| failed(std::io::ErrorKind::UnexpectedEof.into()))?;
        let reply = serde_json::from_slice(&line).map_err(|e| failed(std::io::Error::other(e)));
        return reply.map(Some);
    }
    Ok(None)
}
