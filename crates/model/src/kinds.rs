//! The registry of kinds: each entity and link kind with its key, its properties and its counting
//! rule. Docs, exports, API and pages are made from these tables and from nothing else.
//!
//! Kinds are named as FollowTheMoney 4 names them where it has them (`ftm`), and as the field names
//! them where it lacks them.

/// A property of an entity kind.
#[derive(Debug, Clone, Copy)]
pub struct PropertyDef {
    /// Its name in facts, views and exports.
    pub name: &'static str,
    /// True where the value never enters a view.
    pub secret: bool,
    /// The FollowTheMoney property it is exported as, where there is one.
    pub ftm: Option<&'static str>,
}

/// An entity kind.
#[derive(Debug, Clone, Copy)]
pub struct KindDef {
    /// The kind.
    pub kind: EntityKind,
    /// Its name in views, summaries and exports.
    pub name: &'static str,
    /// The FollowTheMoney schema it is exported as; `Thing`-derived extensions carry our name.
    pub ftm: Option<&'static str>,
    /// The schemes of its keys.
    pub schemes: &'static [&'static str],
    /// What is counted, once.
    pub counting_rule: &'static str,
    /// Its properties.
    pub properties: &'static [PropertyDef],
}

/// A link kind.
#[derive(Debug, Clone, Copy)]
pub struct LinkDef {
    /// The kind.
    pub kind: LinkKind,
    /// Its name: the property of the fact that states it.
    pub name: &'static str,
    /// Kinds it may start from.
    pub from: &'static [EntityKind],
    /// Kinds it may lead to.
    pub to: &'static [EntityKind],
    /// What is counted, once.
    pub counting_rule: &'static str,
}

const fn p(name: &'static str) -> PropertyDef {
    PropertyDef { name, secret: false, ftm: None }
}
const fn pf(name: &'static str, ftm: &'static str) -> PropertyDef {
    PropertyDef { name, secret: false, ftm: Some(ftm) }
}
const fn secret(name: &'static str) -> PropertyDef {
    PropertyDef { name, secret: true, ftm: None }
}

macro_rules! entity_kinds {
    ($( $kind:ident, $name:literal, $ftm:expr, [$($scheme:literal),*], $rule:literal, [$($prop:expr),* $(,)?]; )*) => {
        /// The kinds of entity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EntityKind { $( #[doc = $rule] $kind, )* }

        /// Every entity kind, in the order pages list them.
        pub const ENTITY_KINDS: &[KindDef] = &[ $( KindDef {
            kind: EntityKind::$kind, name: $name, ftm: $ftm, schemes: &[$($scheme),*],
            counting_rule: $rule, properties: &[$($prop),*],
        }, )* ];
    };
}

macro_rules! link_kinds {
    ($( $kind:ident, $name:literal, [$($from:ident),*] => [$($to:ident),*], $rule:literal; )*) => {
        /// The kinds of link.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum LinkKind { $( #[doc = $rule] $kind, )* }

        /// Every link kind.
        pub const LINK_KINDS: &[LinkDef] = &[ $( LinkDef {
            kind: LinkKind::$kind, name: $name, from: &[$(EntityKind::$from),*],
            to: &[$(EntityKind::$to),*], counting_rule: $rule,
        }, )* ];
    };
}

entity_kinds! {
    Panel, "Panel", None, ["panel"],
        "distinct by schema family and main server's address; a database without a main server counts by itself",
        [p("family"), p("version"), pf("name", "name"), p("database"), p("dumped_at"), p("url"), p("timezone"), p("setting"), secret("secret")];
    Server, "Server", None, ["server"],
        "distinct by global address, else host name; a server without either counts by its panel and number",
        [pf("name", "name"), p("address"), p("host_name"), p("port"), p("main"), p("role"), p("status"), p("enabled"), p("max_clients"), p("isp"), p("country"), p("os"), p("version"), p("note"), p("last_seen"), secret("password"), secret("key")];
    Provider, "Provider", None, ["provider"],
        "distinct by host, port and user name of the upstream account",
        [pf("name", "name"), p("host"), p("port"), p("user_name"), p("url"), p("enabled"), p("max_connections"), p("expires_at"), p("status"), p("note"), secret("password")];
    Administrator, "Administrator", Some("UserAccount"), [],
        "operator accounts of a panel whose group administers it, distinct by panel and number",
        [];
    Reseller, "Reseller", Some("UserAccount"), ["operator"],
        "operator accounts of a panel whose group does not administer it, distinct by panel and number",
        [pf("user_name", "username"), pf("email", "email"), pf("name", "name"), p("contact"), p("credits"), p("role"), p("group"), p("created_at"), p("last_login"), p("enabled"), p("note"), p("address"), p("ticket"), p("verified"), p("host_name"), secret("password"), secret("key")];
    Line, "Line", Some("UserAccount"), ["line"],
        "distinct by panel and user name; an account that only a playlist or an answer names counts at the panel whose server it names, else at its host",
        [pf("user_name", "username"), p("expires_at"), p("created_at"), p("enabled"), p("trial"), p("max_connections"), p("active_connections"), p("status"), p("note"), secret("password")];
    Device, "Device", None, ["mac"],
        "distinct by MAC address",
        [p("as_written"), p("model"), p("firmware"), p("serial"), p("locked"), p("note"), secret("token")];
    Stream, "Stream", None, ["stream"],
        "distinct by panel and number; a stream that only a playlist names counts by panel or host and number, else by its URL",
        [pf("name", "name"), p("type"), p("category"), p("epg_id"), p("url"), p("icon"), p("group"), p("number"), p("container"), p("added_at"), p("enabled"), p("user_agent"), p("referer"), p("attribute"), p("duration"), p("segment"), p("catchup"), p("bandwidth"), p("resolution"), p("codecs"), p("key_url"), p("note"), p("year"), p("rating"), p("external_id"), secret("password"), secret("key")];
    Channel, "Channel", None, ["channel"],
        "distinct by EPG id; without one, by normalised name (case, quality and country marks and punctuation dropped)",
        [pf("name", "name"), p("epg_id"), p("icon"), p("country"), p("language")];
    Work, "Work", None, ["work"],
        "distinct by normalised title, and year, season and episode where known",
        [pf("name", "name"), p("year"), p("season"), p("episode"), p("type"), p("external_id")];
    Release, "Release", None, ["release"],
        "distinct by release name, case aside",
        [pf("name", "name"), p("title"), p("year"), p("season"), p("episode"), p("source"), p("resolution"), p("video_codec"), p("audio_codec"), p("language"), p("group"), p("edition"), p("container"), p("size"), p("streaming_service")];
    Organization, "Organization", Some("Organization"), ["organization"],
        "release groups and named organisations, distinct by name, case aside",
        [pf("name", "name"), p("type")];
    Swarm, "Swarm", None, ["swarm"],
        "distinct by info-hash; a hybrid torrent's two hashes are one swarm",
        [p("as_written"), pf("name", "name"), p("info_hash_v1"), p("info_hash_v2"), p("size"), p("piece_length"), p("file"), p("file_count"), p("created_at"), p("created_by"), p("comment"), p("private"), p("source"), p("tracker"), p("web_seed"), p("node"), secret("password")];
    Domain, "Domain", None, ["domain"],
        "distinct by host name in ASCII form",
        [p("as_written"), p("registrable"), p("url"), p("note"), secret("password")];
    IpAddress, "IpAddress", None, ["ip"],
        "distinct by address; private, loopback and carrier addresses by exhibit; addresses in address columns of bulk tables count",
        [p("as_written"), p("url"), p("note"), p("network"), secret("password")];
    EmailAddress, "EmailAddress", None, ["email"],
        "distinct by address, lower case; addresses in e-mail columns of bulk tables count",
        [p("as_written"), p("note")];
    PhoneNumber, "PhoneNumber", None, ["phone"],
        "distinct by number in international form",
        [p("as_written"), p("note")];
    MessagingAccount, "MessagingAccount", Some("UserAccount"), ["messaging"],
        "distinct by service and number or handle",
        [p("as_written"), pf("name", "name"), pf("user_name", "username"), p("handle"), p("phone"), p("note")];
    MessagingGroup, "MessagingGroup", None, ["group"],
        "distinct by service and number, else name",
        [p("as_written"), pf("name", "name"), p("type"), p("message_count"), p("first_message"), p("last_message")];
    UserAccount, "UserAccount", Some("UserAccount"), ["account"],
        "distinct by service and account name",
        [p("as_written"), pf("name", "name"), pf("email", "email"), pf("user_name", "username"), p("service"), p("currency"), p("balance"), p("country"), p("note")];
    BankAccount, "BankAccount", Some("BankAccount"), ["iban"],
        "distinct by IBAN",
        [p("as_written"), pf("name", "name"), pf("holder", "name"), p("bic"), p("currency"), p("balance"), p("country")];
    CryptoWallet, "CryptoWallet", Some("CryptoWallet"), ["wallet"],
        "distinct by chain and address whose checksum holds",
        [p("as_written"), p("chain"), p("note")];
    Person, "Person", Some("Person"), ["person"],
        "as judged: an export's name alone makes no person",
        [pf("name", "name"), p("note")];
    Company, "Company", Some("Company"), ["company"],
        "as judged: an export's name alone makes no company",
        [pf("name", "name"), p("note")];
}

link_kinds! {
    PartOf, "part_of", [Server, Reseller, Administrator] => [Panel],
        "distinct pairs of a server or an operator and its panel";
    HasAddress, "has_address", [Server, Domain, Provider] => [IpAddress],
        "distinct pairs of a thing and its address";
    HasName, "has_name", [Server, Provider] => [Domain],
        "distinct pairs of a server or provider and its host name";
    RelaysFrom, "relays_from", [Server] => [Server],
        "distinct pairs of a server and the server it takes streams from, over all streams";
    Carries, "carries", [Server] => [Stream],
        "distinct pairs of a server and a stream it carries";
    FedBy, "fed_by", [Panel] => [Provider],
        "distinct pairs of a panel and an upstream account it uses";
    TakenFrom, "taken_from", [Stream] => [Provider, Domain, IpAddress],
        "distinct pairs of a stream and what its source's URL names";
    HostedAt, "hosted_at", [Stream] => [Domain, IpAddress],
        "distinct pairs of a stream and the host of its URL";
    Shows, "shows", [Stream] => [Channel, Work],
        "distinct pairs of a stream and the channel or work it shows";
    SubResellerOf, "sub_reseller_of", [Reseller, Administrator] => [Reseller, Administrator],
        "distinct pairs of an operator and the operator above";
    OwnedBy, "owned_by", [Line] => [Reseller, Administrator],
        "distinct pairs of a line and the operator it belongs to; rows of lines tables count";
    UsesDevice, "uses_device", [Line] => [Device],
        "distinct pairs of a line and a device bound to it; rows of devices tables count";
    SignedInFrom, "signed_in_from", [Reseller, Administrator] => [IpAddress],
        "distinct pairs of an operator and an address signed in from";
    Contact, "contact", [Reseller, Administrator, UserAccount, MessagingAccount, BankAccount, Provider, Server, Line] => [EmailAddress, PhoneNumber, MessagingAccount, UserAccount],
        "distinct pairs of an account and a way to reach its holder, as a field of the source states it";
    Mentions, "mentions", [Reseller, Administrator, Provider, Server, Panel, Line, MessagingAccount, MessagingGroup, UserAccount, BankAccount, Swarm, Stream] => [Domain, IpAddress, EmailAddress, PhoneNumber, MessagingAccount, UserAccount, BankAccount, CryptoWallet, Device, Swarm, MessagingGroup],
        "distinct pairs of the writer of a free text and what is named in it";
    MemberOf, "member_of", [MessagingAccount] => [MessagingGroup],
        "distinct pairs of a messaging account and a group it wrote in or was in";
    Paid, "paid", [UserAccount, BankAccount, CryptoWallet, EmailAddress] => [UserAccount, BankAccount, CryptoWallet, EmailAddress],
        "distinct pairs of payer and payee over completed payments";
    AccountOf, "account_of", [UserAccount] => [EmailAddress],
        "accounts named by an e-mail address that also stands elsewhere, as a fact or in an e-mail column";
    ReleasedBy, "released_by", [Release] => [Organization],
        "distinct pairs of a release and its group";
    ReleaseOf, "release_of", [Release] => [Work],
        "distinct pairs of a release and the work it holds";
    Distributes, "distributes", [Swarm] => [Release, Work],
        "distinct pairs of a swarm and the release its name states";
    TrackedBy, "tracked_by", [Swarm] => [Domain, IpAddress],
        "distinct pairs of a swarm and the host of a tracker or web seed";
    Lists, "lists", [Line] => [Stream],
        "distinct pairs of a line and a stream its playlist lists";
}

/// The definition of an entity kind.
pub fn entity(kind: EntityKind) -> &'static KindDef {
    &ENTITY_KINDS[kind as usize]
}

/// The definition of a link kind.
pub fn link(kind: LinkKind) -> &'static LinkDef {
    &LINK_KINDS[kind as usize]
}

/// The entity kind of a key's scheme. `operator` is [`EntityKind::Reseller`] until a fact
/// `role = administrator` makes it [`EntityKind::Administrator`].
pub fn kind_of_scheme(scheme: &str) -> Option<EntityKind> {
    ENTITY_KINDS.iter().find(|def| def.schemes.contains(&scheme)).map(|def| def.kind)
}

/// The entity kind of a name (`Server`), as in summaries and URLs.
pub fn kind_of_name(name: &str) -> Option<EntityKind> {
    ENTITY_KINDS.iter().find(|def| def.name == name).map(|def| def.kind)
}

/// The link kind of a fact's property, if the property states a link.
pub fn link_of_name(name: &str) -> Option<LinkKind> {
    LINK_KINDS.iter().find(|def| def.name == name).map(|def| def.kind)
}

/// The property's definition for a kind. `Administrator` has those of `Reseller`.
pub fn property(kind: EntityKind, name: &str) -> Option<&'static PropertyDef> {
    let kind = if kind == EntityKind::Administrator { EntityKind::Reseller } else { kind };
    entity(kind).properties.iter().find(|p| p.name == name)
}

impl EntityKind {
    /// Its name in views, summaries and exports.
    pub fn name(self) -> &'static str {
        entity(self).name
    }
}

impl LinkKind {
    /// Its name: the property of the facts that state it.
    pub fn name(self) -> &'static str {
        link(self).name
    }
}

/// Whether a parser may state this property of this subject: a property or link of its kind, or
/// `same_as`. Sinks check it in debug builds, so that no parser invents words.
pub fn allowed(fact: &crate::Fact) -> bool {
    let Some(kind) = kind_of_scheme(fact.subject.scheme()) else { return false };
    if let Some(def) = link_of_name(fact.property).map(link) {
        // An e-mail's or an account's `contact` fact may be text until it names a key.
        if let crate::Value::Key(to) = &fact.value {
            return def.from.contains(&kind)
                && kind_of_scheme(to.scheme()).is_some_and(|k| def.to.contains(&k));
        }
    }
    if fact.property == crate::fact::SAME_AS {
        return matches!(&fact.value, crate::Value::Key(to) if kind_of_scheme(to.scheme()) == Some(kind));
    }
    property(kind, fact.property)
        .is_some_and(|def| def.secret == (fact.value == crate::Value::Secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_are_whole() {
        let mut schemes = BTreeSet::new();
        for (i, def) in ENTITY_KINDS.iter().enumerate() {
            assert_eq!(def.kind as usize, i);
            for scheme in def.schemes {
                assert!(schemes.insert(scheme), "scheme {scheme} has two kinds");
            }
            let names: BTreeSet<_> = def.properties.iter().map(|p| p.name).collect();
            assert_eq!(names.len(), def.properties.len(), "{} names a property twice", def.name);
        }
        for (i, def) in LINK_KINDS.iter().enumerate() {
            assert_eq!(def.kind as usize, i);
        }
    }
}
