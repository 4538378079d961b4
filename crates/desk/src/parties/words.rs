//! The small words of parties: offices, what organisations are, short names.

/// The longest short name, in bytes.
pub const MAX_SHORT: usize = 40;
/// The longest full name, in bytes.
pub const MAX_NAME: usize = 200;
/// The most organisations, the most people, and the most service keys.
pub const MAX_PARTIES: usize = 10_000;
/// The fewest requests a minute that an organisation can be allowed.
pub const LEAST_QUOTA: u64 = 1;
/// The most requests a minute that an organisation can be allowed.
pub const MAX_QUOTA: u64 = 600_000;

/// A fixed set of words: an enum whose variants have one stable name each, for records and JSON.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[doc = $about:literal])+ $variant:ident $word:literal, )* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $about])+ $variant, )* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// As it stands in records, JSON and catalogues.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// What a word stands for.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// In what office somebody acts. What each may do stands in `docs/access.md`.
    PartyRole {
        /// Runs the system: parties, keys, sessions. Of the clearing house it may do what the authority may.
        Operator "operator",
        /// Gives orders, and decides what reviewers decide.
        Regulator "regulator",
        /// Looks at what reporters ask for, and decides objections.
        Reviewer "reviewer",
        /// Reports what is to be blocked, for a rights holder.
        Reporter "reporter",
        /// Blocks, and reports its own state.
        Isp "isp",
        /// Asks resolvers as a subscriber would, and reports what they say. It decides nothing.
        Probe "probe",
        /// Reads everything and changes nothing.
        Auditor "auditor",
        /// Anybody: looks a value up, objects.
        Public "public",
    }
}

impl PartyRole {
    /// Requests a minute that an organisation has where it was given no number of its own: the greatest
    /// of the roles that its people and keys hold.
    pub fn usual_quota(self) -> u64 {
        match self {
            Self::Public => 60,
            Self::Reporter | Self::Reviewer | Self::Regulator | Self::Auditor => 600,
            Self::Operator => 1_200,
            // Its machines follow the feed.
            Self::Isp => 3_000,
            // Each of its probes reports once a second.
            Self::Probe => 6_000,
        }
    }

    /// As what the clearing house knows it; `None` for who only reads.
    pub fn acts_as(self) -> Option<shield::order::Role> {
        use shield::order::Role;
        Some(match self {
            Self::Operator | Self::Regulator => Role::Authority,
            Self::Reviewer => Role::Reviewer,
            Self::Reporter => Role::Reporter,
            Self::Isp => Role::Isp,
            Self::Probe => Role::Probe,
            Self::Public => Role::Party,
            Self::Auditor => return None,
        })
    }

    /// What an organisation has to be for its people to hold the office; `None` where it does not matter.
    pub fn needs(self) -> Option<Sector> {
        match self {
            Self::Operator | Self::Regulator => Some(Sector::Authority),
            Self::Reporter => Some(Sector::RightsHolder),
            Self::Isp => Some(Sector::Isp),
            Self::Reviewer | Self::Probe | Self::Auditor | Self::Public => None,
        }
    }
}

words! {
    /// What an organisation is.
    Sector {
        /// An authority or a court, or whoever runs the system for it.
        Authority "authority",
        /// Who holds the rights to works, or acts for who does.
        RightsHolder "rights_holder",
        /// Who gives access to the internet, or resolves names.
        Isp "isp",
        /// Who reviews for others.
        Reviewer "reviewer",
        /// Anybody else.
        Other "other",
    }
}

/// True for what can be a short name: small letters, digits and `. - _`, a letter or a digit first, at most
/// [`MAX_SHORT`] bytes.
pub fn is_short(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= MAX_SHORT
        && text.bytes().next().is_some_and(plain)
        && text.bytes().all(|b| plain(b) || b".-_".contains(&b))
}

/// True for what can be a full name: one line that is not empty, of at most [`MAX_NAME`] bytes.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control)
}
