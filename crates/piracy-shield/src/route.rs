//! Every route: how it is asked, who may, what it does. `docs/piracy-shield.md` shows the same as a table, which
//! a test holds against this one.

use desk::access::{Action, Principal};
use desk::parties::PartyRole;
use shield::item::Kind;

use crate::answer::Outcome;
use crate::call::Call;
use crate::codes::{self as code, Code};
use crate::{account, dda, error, forensic, item, log, session, status, ticket, whitelist};

/// The methods that a route is asked by. What reads by a body takes GET too: clients send that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// Both.
    Both,
}

impl Method {
    /// As the table shows it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Both => "POST, GET",
        }
    }
}

/// As what the API knows somebody: the first of these that they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Caller {
    /// The authority's people, reviewers, auditors.
    Internal,
    /// A rights holder's.
    Reporter,
    /// An ISP's.
    Provider,
    /// Anybody else.
    Guest,
}

impl Caller {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Internal, Self::Reporter, Self::Provider, Self::Guest];

    /// What somebody is.
    pub fn of(who: &Principal) -> Self {
        let roles = match who {
            Principal::Nobody | Principal::Holder => &[][..],
            Principal::Person { roles, .. } => roles,
            Principal::Key { role, .. } => std::slice::from_ref(role),
        };
        let all = roles.iter().map(|role| match role {
            PartyRole::Operator
            | PartyRole::Regulator
            | PartyRole::Reviewer
            | PartyRole::Auditor => Self::Internal,
            PartyRole::Reporter => Self::Reporter,
            PartyRole::Isp => Self::Provider,
            PartyRole::Probe | PartyRole::Public => Self::Guest,
        });
        all.min().unwrap_or(Self::Guest)
    }

    /// The role's number on the wire.
    pub fn number(self) -> u64 {
        match self {
            Self::Guest => 100,
            Self::Internal => 200,
            Self::Reporter => 300,
            Self::Provider => 400,
        }
    }
}

/// Who may: the action that is asked of `desk::access`, by who asks. Where the API serves somebody nothing, it is
/// one that the policies let him not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door {
    /// Of the authority's people, and of guests.
    pub internal: Action,
    /// Of reporters.
    pub reporter: Action,
    /// Of ISPs.
    pub provider: Action,
}

const fn one(action: Action) -> Door {
    Door { internal: action, reporter: action, provider: action }
}

const TICKETS: Door = Door {
    internal: Action::TicketsRead,
    reporter: Action::OwnTicketsRead,
    provider: Action::FeedRead,
};
const VALUES: Door = Door { reporter: Action::TicketsRead, ..TICKETS };
const EVIDENCE: Door = Door { provider: Action::TicketsRead, ..TICKETS };
const WITHDRAW: Door =
    Door { internal: Action::ItemLift, reporter: Action::OwnItemLift, provider: Action::ItemLift };
const EXCEPTIONS: Door = Door { internal: Action::TicketsRead, ..one(Action::ExceptionPropose) };

/// What an office lacks on the wire that is refused there: by its own number, where the API has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    code: Code,
    held_by: &'static [Caller],
}

use Caller::{Guest, Internal, Provider, Reporter};

macro_rules! permissions {
    ($( $name:ident $code:ident $($who:ident)* ;)*) => {
        $( const $name: Option<Permission> =
            Some(Permission { code: code::$code, held_by: &[$($who),*] }); )*
    };
}

permissions! {
    ACCOUNT_CREATE ACCOUNT_CREATE_DENIED Internal;
    ACCOUNT_VIEW ACCOUNT_VIEW_DENIED Internal Reporter;
    ACCOUNT_EDIT ACCOUNT_EDIT_DENIED Internal;
    ACCOUNT_DELETE ACCOUNT_DELETE_DENIED Internal;
    TICKET_CREATE TICKET_CREATE_DENIED Internal Reporter;
    TICKET_VIEW TICKET_VIEW_DENIED Internal Reporter Provider Guest;
    TICKET_EDIT TICKET_EDIT_DENIED Internal Provider;
    TICKET_DELETE TICKET_DELETE_DENIED Internal Reporter;
    TICKET_UPLOAD TICKET_UPLOAD_DENIED Internal Reporter;
    LIST_CREATE WHITELIST_CREATE_DENIED Internal Reporter Provider;
    LIST_VIEW WHITELIST_VIEW_DENIED Internal Reporter Provider;
    LIST_EDIT WHITELIST_EDIT_DENIED Internal Reporter Provider;
    LIST_DELETE WHITELIST_DELETE_DENIED Internal Reporter Provider;
    DDA_CREATE DDA_CREATE_DENIED Internal;
    DDA_VIEW DDA_VIEW_DENIED Internal Reporter;
    DDA_EDIT DDA_EDIT_DENIED Internal;
    DDA_DELETE DDA_DELETE_DENIED Internal;
}

const NO_CODE: Option<Permission> = None;

/// What a route does.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// Answers out of the request alone.
    Do(fn(&Call<'_>) -> Outcome),
    /// All values of a kind.
    List(Kind, Form),
    /// A ticket's values of a kind.
    OfTicket(Kind, Form),
    /// Takes an archive as it comes.
    Upload,
}

/// In which form a list is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// JSON, in the envelope.
    Json,
    /// One value a line.
    Text,
    /// The SHA-256 of that text.
    Checksum,
}

/// A route.
#[derive(Clone, Copy)]
pub struct Route {
    /// Below [`BASE`].
    pub path: &'static str,
    /// How it is asked.
    pub method: Method,
    /// The fields that its body has to hold.
    pub required: &'static [&'static str],
    /// The fields that it may hold beside them.
    pub optional: &'static [&'static str],
    /// True where whoever asks is signed in first.
    pub signed: bool,
    /// What is asked of `desk::access`.
    pub door: Door,
    pub(crate) permission: Option<Permission>,
    pub(crate) run: Run,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Route")
            .field("path", &self.path)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Route {
    /// What somebody asks for here.
    pub fn action(&self, caller: Caller) -> Action {
        match caller {
            Internal | Guest => self.door.internal,
            Reporter => self.door.reporter,
            Provider => self.door.provider,
        }
    }

    /// As the wire refuses it to somebody whom the policies refuse it.
    pub fn denied(&self, caller: Caller) -> Code {
        let lacks = self.permission.filter(|permission| !permission.held_by.contains(&caller));
        lacks.map_or(code::PERMISSION_DENIED, |permission| permission.code)
    }
}

/// Where the routes are.
pub const BASE: &str = "/api/v1";

const fn route(
    method: Method,
    path: &'static str,
    door: Door,
    permission: Option<Permission>,
    run: Run,
) -> Route {
    Route { path, method, required: &[], optional: &[], signed: true, door, permission, run }
}

const fn get(path: &'static str, door: Door, permission: Option<Permission>, run: Run) -> Route {
    route(Method::Get, path, door, permission, run)
}

const fn post(
    path: &'static str,
    required: &'static [&'static str],
    door: Door,
    permission: Option<Permission>,
    run: Run,
) -> Route {
    Route { required, ..route(Method::Post, path, door, permission, run) }
}

const fn read(
    path: &'static str,
    required: &'static [&'static str],
    door: Door,
    permission: Option<Permission>,
    run: Run,
) -> Route {
    Route { required, ..route(Method::Both, path, door, permission, run) }
}

const fn with(optional: &'static [&'static str], route: Route) -> Route {
    Route { optional, ..route }
}

const fn open(route: Route) -> Route {
    Route { signed: false, ..route }
}

const ID: &[&str] = &["account_id"];
const TICKET: &[&str] = &["ticket_id"];
const VALUE: &[&str] = &["value"];
const ITEM: &[&str] = &["item"];
const DDA: &[&str] = &["dda_id"];
const NEW_ACCOUNT: &[&str] = &["name", "email", "password", "confirm_password", "flags"];
const PASSWORDS: &[&str] = &["current_password", "new_password", "confirm_password"];
const REPORT: &[&str] = &["timestamp", "note"];
const KINDS: &[&str] = &["fqdn", "ipv4", "ipv6"];

use Action as A;
use Form::{Checksum, Json, Text};
use Kind::{Fqdn, Ipv4, Ipv6};
use Run::{Do, List, OfTicket};

/// Every one.
#[rustfmt::skip]
pub const ROUTES: &[Route] = &[
    open(get("/ping", one(A::Enter), NO_CODE, Do(session::ping))),
    open(post("/authentication/login", &["email", "password"], one(A::Enter), NO_CODE, Do(session::login))),
    open(with(&["refresh_token"], post("/authentication/refresh", &[], one(A::Enter), NO_CODE, Do(session::refresh)))),
    get("/authentication/logout", one(A::Enter), NO_CODE, Do(session::logout)),

    read("/account/get", ID, one(A::PartiesRead), ACCOUNT_VIEW, Do(account::get)),
    get("/account/get/all", one(A::PartiesRead), ACCOUNT_VIEW, Do(account::all)),
    post("/account/guest/create", NEW_ACCOUNT, one(A::PartiesChange), ACCOUNT_CREATE, Do(account::not_here)),
    read("/account/guest/get", ID, one(A::PartiesRead), ACCOUNT_VIEW, Do(account::get_guest)),
    get("/account/guest/get/all", one(A::PartiesRead), ACCOUNT_VIEW, Do(account::guests)),
    post("/account/guest/remove", ID, one(A::PartiesChange), ACCOUNT_DELETE, Do(account::not_here)),
    post("/account/internal/create", NEW_ACCOUNT, one(A::PartiesChange), ACCOUNT_CREATE, Do(account::not_here)),
    read("/account/internal/get", ID, one(A::PartiesRead), ACCOUNT_VIEW, Do(account::get_internal)),
    get("/account/internal/get/all", one(A::PartiesRead), ACCOUNT_VIEW, Do(account::internals)),
    post("/account/internal/set/status/active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/internal/set/status/non_active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/internal/change_password", PASSWORDS, one(A::OwnAccount), NO_CODE, Do(session::change_password)),
    post("/account/internal/remove", ID, one(A::PartiesChange), ACCOUNT_DELETE, Do(account::not_here)),
    post("/account/reporter/create", NEW_ACCOUNT, one(A::PartiesChange), ACCOUNT_CREATE, Do(account::not_here)),
    read("/account/reporter/get", ID, one(A::PartiesRead), ACCOUNT_VIEW, Do(account::get_reporter)),
    get("/account/reporter/get/all", one(A::PartiesRead), ACCOUNT_VIEW, Do(account::reporters)),
    post("/account/reporter/set/status/active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/reporter/set/status/non_active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/reporter/change_password", PASSWORDS, one(A::OwnAccount), NO_CODE, Do(session::change_password)),
    post("/account/reporter/remove", ID, one(A::PartiesChange), ACCOUNT_DELETE, Do(account::not_here)),
    post("/account/provider/create", NEW_ACCOUNT, one(A::PartiesChange), ACCOUNT_CREATE, Do(account::not_here)),
    read("/account/provider/get", ID, one(A::PartiesRead), ACCOUNT_VIEW, Do(account::get_provider)),
    get("/account/provider/get/all", one(A::PartiesRead), ACCOUNT_VIEW, Do(account::providers)),
    post("/account/provider/set/status/active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/provider/set/status/non_active", ID, one(A::PartiesChange), ACCOUNT_EDIT, Do(account::not_here)),
    post("/account/provider/change_password", PASSWORDS, one(A::OwnAccount), NO_CODE, Do(session::change_password)),
    post("/account/provider/remove", ID, one(A::PartiesChange), ACCOUNT_DELETE, Do(account::not_here)),
    get("/account/session/get/all", one(A::OwnAccount), NO_CODE, Do(session::all)),

    with(&["dda_id", "description", "fqdn", "ipv4", "ipv6", "assigned_to"],
        post("/ticket/create", crate::asked::REQUIRED, one(A::ItemReport), TICKET_CREATE, Do(ticket::create))),
    read("/ticket/get", TICKET, TICKETS, TICKET_VIEW, Do(ticket::get)),
    get("/ticket/get/all", TICKETS, TICKET_VIEW, Do(ticket::all)),
    post("/ticket/remove", TICKET, WITHDRAW, TICKET_DELETE, Do(ticket::remove)),
    read("/ticket/item/get/all", TICKET, VALUES, TICKET_VIEW, Do(item::all)),
    read("/ticket/item/get/available/by_ticket", TICKET, one(A::OwnTicketsRead), TICKET_VIEW, Do(item::available)),
    with(KINDS, post("/ticket/error/create", TICKET, one(A::OwnItemLift), TICKET_CREATE, Do(error::create))),
    read("/ticket/error/get/by_ticket", TICKET, EVIDENCE, TICKET_VIEW, Do(error::of_ticket)),
    read("/ticket/error/get", &["ticket_error_id"], EVIDENCE, TICKET_VIEW, Do(error::get)),
    get("/ticket/get/total", EVIDENCE, NO_CODE, Do(ticket::total)),
    read("/ticket/item/status/get/all", TICKET, one(A::TicketsRead), NO_CODE, Do(item::statuses)),
    read("/ticket/item/get/details", &["ticket_id", "ticket_item_id"], one(A::TicketsRead), NO_CODE, Do(item::details)),
    read("/ticket/get/fqdn", TICKET, TICKETS, TICKET_VIEW, OfTicket(Fqdn, Json)),
    read("/ticket/get/fqdn/txt", TICKET, VALUES, TICKET_VIEW, OfTicket(Fqdn, Text)),
    read("/ticket/get/fqdn/txt/checksum", TICKET, VALUES, TICKET_VIEW, OfTicket(Fqdn, Checksum)),
    read("/ticket/get/ipv4", TICKET, TICKETS, TICKET_VIEW, OfTicket(Ipv4, Json)),
    read("/ticket/get/ipv4/txt", TICKET, VALUES, TICKET_VIEW, OfTicket(Ipv4, Text)),
    read("/ticket/get/ipv4/txt/checksum", TICKET, VALUES, TICKET_VIEW, OfTicket(Ipv4, Checksum)),
    read("/ticket/get/ipv6", TICKET, TICKETS, TICKET_VIEW, OfTicket(Ipv6, Json)),
    read("/ticket/get/ipv6/txt", TICKET, VALUES, TICKET_VIEW, OfTicket(Ipv6, Text)),
    read("/ticket/get/ipv6/txt/checksum", TICKET, VALUES, TICKET_VIEW, OfTicket(Ipv6, Checksum)),
    with(REPORT, post("/ticket/item/set/processed", VALUE, one(A::StateReport), TICKET_EDIT, Do(status::processed))),
    with(REPORT, post("/ticket/item/set/unprocessed", &["value", "reason"], one(A::StateReport), TICKET_EDIT,
        Do(status::unprocessed))),
    post("/ticket/item/set/active", VALUE, one(A::ItemApprove), TICKET_EDIT, Do(item::set_active)),
    post("/ticket/item/set/non_active", VALUE, one(A::ItemLift), TICKET_EDIT, Do(item::set_non_active)),

    get("/fqdn/get/all", VALUES, TICKET_VIEW, List(Fqdn, Json)),
    get("/fqdn/get/all/txt", VALUES, TICKET_VIEW, List(Fqdn, Text)),
    get("/fqdn/get/all/txt/checksum", VALUES, TICKET_VIEW, List(Fqdn, Checksum)),
    get("/ipv4/get/all", VALUES, TICKET_VIEW, List(Ipv4, Json)),
    get("/ipv4/get/all/txt", VALUES, TICKET_VIEW, List(Ipv4, Text)),
    get("/ipv4/get/all/txt/checksum", VALUES, TICKET_VIEW, List(Ipv4, Checksum)),
    get("/ipv6/get/all", VALUES, TICKET_VIEW, List(Ipv6, Json)),
    get("/ipv6/get/all/txt", VALUES, TICKET_VIEW, List(Ipv6, Text)),
    get("/ipv6/get/all/txt/checksum", VALUES, TICKET_VIEW, List(Ipv6, Checksum)),

    route(Method::Post, "/forensic/upload/{ticket_id}", one(A::ItemReport), TICKET_UPLOAD, Run::Upload),
    read("/forensic/get/by_ticket", TICKET, EVIDENCE, TICKET_UPLOAD, Do(forensic::of_ticket)),
    get("/forensic/get/supported_formats", EVIDENCE, TICKET_UPLOAD, Do(forensic::formats)),
    get("/forensic/get/supported_hashes", EVIDENCE, TICKET_UPLOAD, Do(forensic::hashes)),

    with(&["registrar", "as_code"],
        post("/whitelist/item/create", &["genre", "item"], one(A::ExceptionPropose), LIST_CREATE, Do(whitelist::create))),
    get("/whitelist/item/get/all", EXCEPTIONS, LIST_VIEW, Do(whitelist::own)),
    read("/whitelist/item/get/all/by_account", ID, one(A::TicketsRead), LIST_VIEW, Do(whitelist::of_account)),
    get("/whitelist/item/get/global", one(A::TicketsRead), LIST_VIEW, Do(whitelist::global)),
    post("/whitelist/item/set/status/active", ITEM, one(A::ExceptionApprove), LIST_EDIT, Do(whitelist::approve)),
    post("/whitelist/item/set/status/non_active", ITEM, one(A::ExceptionApprove), LIST_EDIT, Do(whitelist::revoke)),
    post("/whitelist/item/remove", ITEM, one(A::ExceptionPropose), LIST_DELETE, Do(whitelist::remove)),

    post("/dda/create", &["description", "instance", "account_id"], one(A::OrderGive), DDA_CREATE, Do(dda::create)),
    read("/dda/get", DDA, EVIDENCE, NO_CODE, Do(dda::get)),
    get("/dda/get/all", EVIDENCE, DDA_VIEW, Do(dda::own)),
    read("/dda/get/all/by_account", ID, one(A::TicketsRead), DDA_VIEW, Do(dda::of_account)),
    get("/dda/get/global", one(A::TicketsRead), DDA_VIEW, Do(dda::global)),
    post("/dda/set/status/active", DDA, one(A::OrderGive), DDA_EDIT, Do(dda::set_active)),
    post("/dda/set/status/non_active", DDA, one(A::OrderGive), DDA_EDIT, Do(dda::set_non_active)),
    post("/dda/remove", DDA, one(A::OrderGive), DDA_DELETE, Do(dda::remove)),

    read("/log/ticket/get/all", TICKET, one(A::TicketsRead), NO_CODE, Do(log::of_ticket)),
];
