//! Which columns of which tables name things of a kind: counting asks it, and so does whoever wants
//! to see the rows behind a count.

use model::kinds::entity;
use model::{EntityKind, LinkKind, Meaning, TableRole};

/// The columns whose values are keys of `scheme`: what stands before each value, as it is indexed,
/// is left out of the key. `None` where such a column names none.
pub(crate) fn prefix_of(scheme: &str, role: TableRole, meaning: Meaning) -> Option<&'static str> {
    let prefix = match scheme {
        "mac" => "mac:",
        "email" => "email:",
        "ip" => "ip:",
        "account" => "account:",
        "iban" => "iban:",
        "wallet" => "wallet:",
        "messaging" => "messaging:",
        "group" => "group:",
        "phone" => "phone:",
        _ => return None,
    };
    match (meaning, scheme) {
        (Meaning::Mac, "mac") if role == TableRole::Devices => Some(""),
        (Meaning::Email, "email") | (Meaning::Address, "ip") => Some(""),
        (Meaning::From | Meaning::To, _)
            if matches!(role, TableRole::Payments | TableRole::Messages) =>
        {
            Some(prefix)
        }
        _ => None,
    }
}

/// The same for a kind: with what a value begins where the column names things of several kinds.
pub(crate) fn names(kind: EntityKind, role: TableRole, meaning: Meaning) -> Option<&'static str> {
    if kind == EntityKind::Line {
        return (role == TableRole::Lines && meaning == Meaning::UserName).then_some("");
    }
    entity(kind).schemes.iter().find_map(|scheme| prefix_of(scheme, role, meaning))
}

/// The tables whose rows state links of a kind, each by a pair of its columns.
pub(crate) fn stated_by(kind: LinkKind) -> Option<TableRole> {
    match kind {
        LinkKind::OwnedBy => Some(TableRole::Lines),
        LinkKind::UsesDevice => Some(TableRole::Devices),
        LinkKind::Paid => Some(TableRole::Payments),
        LinkKind::MemberOf => Some(TableRole::Messages),
        _ => None,
    }
}
