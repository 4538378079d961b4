//! The words of a request: who asks, what for, of what.

use std::net::IpAddr;

use crate::parties::PartyRole;

/// A fixed set of actions, each of one sort of resource.
macro_rules! actions {
    ($( $(#[doc = $about:literal])+ $variant:ident $word:literal of $sort:ident, )*) => {
        /// What somebody wants to do. Every address of a server names one.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action { $( $(#[doc = $about])+ $variant, )* }

        impl Action {
            /// Every one.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// As it stands in policies and tables.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// What it is done to.
            pub fn sort(self) -> Sort {
                match self { $( Self::$variant => Sort::$sort, )* }
            }
        }
    };
}

/// What an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// What anybody needs to sign in.
    Door,
    /// The case that is served.
    Case,
    /// The authority's own affairs.
    Authority,
    /// The clearing house as a whole.
    House,
    /// What is of one organisation.
    Organisation,
}

actions! {
    /// Sign in; the choice of language.
    Enter "enter" of Door,
    /// Take a file that pages are drawn with. It is no secret, costs no more than its bytes, and is paid
    /// from no quota: a page without its style is worse than none.
    PageFile "page_file" of Door,
    /// One's own sessions, password and passkeys; sign out.
    OwnAccount "own_account" of Door,
    /// Read the case.
    CaseRead "case_read" of Case,
    /// Take a table of the case away as a file.
    CaseExport "case_export" of Case,
    /// See who is registered.
    PartiesRead "parties_read" of Authority,
    /// Register, give roles, issue keys, suspend.
    PartiesChange "parties_change" of Authority,
    /// See everybody's sessions.
    SessionsRead "sessions_read" of Authority,
    /// End anybody's session.
    SessionsEnd "sessions_end" of Authority,
    /// See what was refused, to whom.
    RefusalsRead "refusals_read" of Authority,
    /// Ask whether a value is blocked, and why.
    ItemLookUp "item_look_up" of House,
    /// Object to a block.
    ObjectionMake "objection_make" of House,
    /// Say that a block hits what it should not.
    HarmReport "harm_report" of House,
    /// See the figures that were published.
    TransparencyRead "transparency_read" of House,
    /// See all tickets and their items.
    TicketsRead "tickets_read" of House,
    /// Be the second person of an item.
    ItemApprove "item_approve" of House,
    /// Refuse what waits, lift what is blocked.
    ItemLift "item_lift" of House,
    /// Decide an objection.
    ObjectionDecide "objection_decide" of House,
    /// Propose what is never to be blocked.
    ExceptionPropose "exception_propose" of House,
    /// Approve an exception.
    ExceptionApprove "exception_approve" of House,
    /// Give an order, announce an event.
    OrderGive "order_give" of House,
    /// Stop releases, or lift.
    Stop "stop" of House,
    /// Resume after a stop.
    Resume "resume" of House,
    /// Name a standby, or let it go.
    StandbyChange "standby_change" of House,
    /// Report what resolvers say, and be told what to ask next.
    MeasureReport "measure_report" of House,
    /// Follow an ISP's view of the feed.
    FeedRead "feed_read" of Organisation,
    /// See what an ISP reported of itself.
    StateRead "state_read" of Organisation,
    /// Report an ISP's state.
    StateReport "state_report" of Organisation,
    /// Report items under an organisation's orders.
    ItemReport "item_report" of Organisation,
    /// See an organisation's tickets.
    OwnTicketsRead "own_tickets_read" of Organisation,
    /// Take what is told of tickets once their events are over: of those that are addressed to an organisation,
    /// or are its own.
    OpenedRead "opened_read" of Organisation,
    /// Withdraw an organisation's item.
    OwnItemLift "own_item_lift" of Organisation,
    /// Stop what is an organisation's own, and ask to resume it.
    OwnStop "own_stop" of Organisation,
}

/// Who asks. That they are who they say was found by who made this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Nobody is signed in.
    Nobody,
    /// Whoever holds the authority's folder, by the link on the terminal.
    Holder,
    /// A person.
    Person {
        /// The short name.
        person: String,
        /// The organisation's.
        organisation: String,
        /// The offices held now.
        roles: Vec<PartyRole>,
    },
    /// A service, by its key.
    Key {
        /// The key's short name.
        key: String,
        /// The organisation's.
        organisation: String,
        /// In what office it acts.
        role: PartyRole,
    },
}

impl Principal {
    /// For whom: `None` of who is of no organisation.
    pub fn organisation(&self) -> Option<&str> {
        match self {
            Self::Nobody | Self::Holder => None,
            Self::Person { organisation, .. } | Self::Key { organisation, .. } => {
                Some(organisation)
            }
        }
    }

    /// As refusals are counted: an organisation's, `holder`, or `public` of who is not signed in. Where
    /// somebody asked from is never kept.
    pub fn party(&self) -> &str {
        match self {
            Self::Nobody => "public",
            Self::Holder => "holder",
            Self::Person { organisation, .. } | Self::Key { organisation, .. } => organisation,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// What for.
    pub action: Action,
    /// Of an action on what is of one organisation: whose. Of any other it does not count.
    pub organisation: Option<&'a str>,
    /// From where: the address of the connection itself, never one that a header names.
    pub source: IpAddr,
}

/// What the one place says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// Sign in first (HTTP 401).
    SignIn,
    /// Not by this one (HTTP 403).
    Forbidden,
    /// Not now: too many requests (HTTP 429).
    TooMany {
        /// After so many whole seconds, at least 1.
        retry_s: u64,
    },
}
