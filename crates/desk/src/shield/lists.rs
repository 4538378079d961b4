//! Which of MISP's warning lists say something of harm, and what.
//!
//! The lists are CC0 (github.com/MISP/misp-warninglists), as PyPI's `pymispwarninglists` carries them.
//! A list that is not here (hashes, scanners, phone numbers) says nothing of who would be hit; nor do the
//! names of open resolvers, most of which are subscribers' lines.

use shield::sets::{Class, Match};

/// A list: the folder it lies in, what its members are, how far their names reach.
pub(super) struct List {
    pub(super) folder: &'static str,
    pub(super) class: Class,
    pub(super) matches: Match,
}

const fn list(folder: &'static str, class: Class, matches: Match) -> List {
    List { folder, class, matches }
}

use Match::{Exact, Registrable, Subtree};

/// Every list that is taken.
pub(super) const LISTS: &[List] = &[
    list("alexa", Class::Popular, Registrable),
    list("cisco_top20k", Class::Popular, Registrable),
    list("cloudflare-top100k", Class::Popular, Registrable),
    list("dax30", Class::Popular, Registrable),
    list("google-chrome-crux-1million", Class::Popular, Registrable),
    list("majestic_million", Class::Popular, Registrable),
    list("moz-top500", Class::Popular, Registrable),
    list("tranco", Class::Popular, Registrable),
    list("tranco10k", Class::Popular, Registrable),
    list("akamai", Class::Cdn, Exact),
    list("cloudflare", Class::Cdn, Exact),
    list("fastly", Class::Cdn, Exact),
    list("stackpath", Class::Cdn, Exact),
    list("amazon-aws", Class::Cloud, Exact),
    list("github", Class::Cloud, Exact),
    list("google-gcp", Class::Cloud, Exact),
    list("microsoft-azure", Class::Cloud, Exact),
    list("microsoft-azure-china", Class::Cloud, Exact),
    list("microsoft-azure-germany", Class::Cloud, Exact),
    list("microsoft-azure-us-gov", Class::Cloud, Exact),
    list("zscaler", Class::Waf, Exact),
    list("public-dns-v4", Class::Resolver, Exact),
    list("public-dns-v6", Class::Resolver, Exact),
    list("ovh-cluster", Class::Hosting, Exact),
    list("parking-domain", Class::Shared, Exact),
    list("sinkholes", Class::Shared, Exact),
    list("vpn-ipv4", Class::Shared, Exact),
    list("vpn-ipv6", Class::Shared, Exact),
    list("apple", Class::Platform, Exact),
    list("link-in-bio", Class::Platform, Exact),
    list("lots-project", Class::Platform, Exact),
    list("microsoft-office365-ip", Class::Platform, Exact),
    list("microsoft-office365-cn", Class::Platform, Exact),
    list("public-ipfs-gateways", Class::Platform, Exact),
    list("url-shortener", Class::Platform, Exact),
    list("wikimedia", Class::Platform, Exact),
    // Their owners hold all that is under these domains.
    list("google", Class::Platform, Subtree),
    list("microsoft", Class::Platform, Subtree),
    list("microsoft-office365", Class::Platform, Subtree),
    list("dynamic-dns", Class::DynamicDns, Exact),
    list("bank-website", Class::Bank, Registrable),
    list("university_domains", Class::University, Registrable),
    list("parking-domain-ns", Class::Dns, Exact),
    list("crl-hostname", Class::Ca, Registrable),
    list("crl-ip", Class::Ca, Exact),
    list("captive-portals", Class::Updates, Exact),
    list("microsoft-win10-connection-endpoints", Class::Updates, Subtree),
    list("google-gmail-sending-ips", Class::Mail, Exact),
    list("smtp-receiving-ips", Class::Mail, Exact),
    list("smtp-sending-ips", Class::Mail, Exact),
    list("umbrella-blockpage-hostname", Class::Blockers, Exact),
    list("umbrella-blockpage-v4", Class::Blockers, Exact),
    list("umbrella-blockpage-v6", Class::Blockers, Exact),
];
