//! The words of `vigie party`.

use clap::{Args, Subcommand, ValueEnum};
use desk::parties::{PartyRole, Sector};

#[derive(Debug, Subcommand)]
pub(crate) enum Party {
    /// Register an organisation.
    #[command(after_help = "Examples:
  vigie party add agency --name 'Communications agency' --sector authority
  vigie party add fibre --name 'Fibre Example' --sector isp --by ana")]
    Add {
        /// What records call it, for ever: small letters, digits and . - _
        #[arg(value_name = "ORGANISATION")]
        organisation: String,
        /// Its full name.
        #[arg(long)]
        name: String,
        /// What it is.
        #[arg(long, value_enum)]
        sector: SectorWord,
        #[command(flatten)]
        by: By,
    },
    /// Register a person of an organisation.
    #[command(after_help = "Example:
  vigie party person ana --name 'Ana Example' --organisation agency

The first operator is made by whoever holds the authority's folder; from then on operators act,
and --by says which.")]
    Person {
        /// What records call the person, for ever: small letters, digits and . - _
        #[arg(value_name = "PERSON")]
        person: String,
        /// The name.
        #[arg(long)]
        name: String,
        /// The organisation's short name.
        #[arg(long)]
        organisation: String,
        #[command(flatten)]
        by: By,
    },
    /// Give a person a role, for a time where one is said; or take it (--take).
    #[command(after_help = "Examples:
  vigie party role ana operator
  vigie party role rita reporter --until 2027-06-30T00:00Z --by ana
  vigie party role rita reporter --take --reason 'left the league' --by ana")]
    Role {
        /// The person's short name.
        #[arg(value_name = "PERSON")]
        person: String,
        /// The role: docs/access.md says what each may do.
        #[arg(value_enum)]
        role: RoleWord,
        /// From when on: ISO 8601, with its zone [default: now].
        #[arg(long, value_name = "TIME", conflicts_with = "take")]
        from: Option<String>,
        /// Until when, that moment not meant.
        #[arg(long, value_name = "TIME", conflicts_with = "take")]
        until: Option<String>,
        /// Take it instead.
        #[arg(long, requires = "reason")]
        take: bool,
        /// Why it is taken; it is recorded.
        #[arg(long, requires = "take")]
        reason: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Issue a service key. Its secret is printed once, alone on stdout, and kept nowhere.
    #[command(after_help = "Example:
  vigie party key fibre-1 --organisation fibre --role isp --by ana > fibre-1.secret

Hand it over by a way that others cannot read: whoever has it acts for the organisation.")]
    Key {
        /// What records call the key, for ever.
        #[arg(value_name = "KEY")]
        key: String,
        /// The organisation's short name.
        #[arg(long)]
        organisation: String,
        /// In what role it acts.
        #[arg(long, value_enum)]
        role: RoleWord,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Revoke a service key: it counts no longer.
    #[command(after_help = "Example:\n  vigie party revoke fibre-1 --reason 'leaked' --by ana")]
    Revoke {
        /// The key's short name.
        #[arg(value_name = "KEY")]
        key: String,
        /// Why; it is recorded.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// Suspend a person, or an organisation with its people and keys.
    #[command(after_help = "Examples:
  vigie party suspend person:rita --reason 'inquiry 12' --by ana
  vigie party suspend organisation:league --reason 'error budget spent' --by ana")]
    Suspend(Suspension),
    /// Reinstate who was suspended.
    #[command(after_help = "Example:
  vigie party reinstate person:rita --reason 'inquiry 12 closed' --by ana")]
    Reinstate(Suspension),
    /// Say how many requests a minute an organisation may make; without a number the usual ones.
    #[command(after_help = "Examples:
  vigie party quota fibre 9000 --by ana
  vigie party quota fibre --by ana")]
    Quota {
        /// The organisation's short name.
        #[arg(value_name = "ORGANISATION")]
        organisation: String,
        /// Requests a minute, of all its people and keys together.
        #[arg(value_name = "A MINUTE")]
        per_minute: Option<u64>,
        #[command(flatten)]
        by: By,
    },
    /// Invite a person to set a password: prints a link that works once, within three days.
    #[command(after_help = "Examples:
  vigie party invite ana
  vigie party invite rita --by ana --at https://vigie.example

Looking at the link does not spend it; setting the password does, and what the person signed in
with before counts no longer. So whoever holds this folder helps an operator who is locked out.")]
    Invite {
        /// The person's short name.
        #[arg(value_name = "PERSON")]
        person: String,
        /// Where the console is found.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8484")]
        at: String,
        #[command(flatten)]
        by: By,
    },
    /// List who is signed in, or end a person's sessions (--end).
    #[command(after_help = "Examples:
  vigie party sessions
  vigie party sessions --end ana --reason 'a lost laptop' --by ben")]
    Sessions {
        /// End all sessions of this person.
        #[arg(long, value_name = "PERSON", requires = "reason")]
        end: Option<String>,
        /// Why; it is recorded.
        #[arg(long, requires = "end")]
        reason: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// List organisations, people, roles and keys.
    #[command(after_help = "Example:\n  vigie party list --json")]
    List {
        /// One JSON line an organisation, a person, a key.
        #[arg(long)]
        json: bool,
    },
}

/// Who does it.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who does it, by the person's short name; it is recorded [default: the name of this account].
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Suspension {
    /// person:NAME or organisation:NAME.
    #[arg(value_name = "PARTY")]
    pub(crate) party: String,
    /// Why; it is recorded.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) by: By,
}

/// Has clap take the words that the desk has.
macro_rules! words {
    ($name:ident of $of:ty) => {
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct $name(pub(crate) $of);

        impl ValueEnum for $name {
            fn value_variants<'a>() -> &'a [Self] {
                static ALL: std::sync::OnceLock<Vec<$name>> = std::sync::OnceLock::new();
                ALL.get_or_init(|| <$of>::ALL.iter().copied().map(Self).collect())
            }
            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                Some(self.0.word().into())
            }
        }
    };
}
words!(RoleWord of PartyRole);
words!(SectorWord of Sector);
