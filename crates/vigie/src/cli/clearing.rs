//! The words of the clearing house, as part of `vigie shield`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::Reference;

mod notice;
mod stop_file;

pub(crate) use notice::NoticeWords;
pub(crate) use stop_file::{Signing, StopFiles};

/// Which clearing house, and who acts.
#[derive(Debug, Args)]
pub(crate) struct Acting {
    #[command(flatten)]
    pub(crate) of: ShieldDir,
    /// Who acts: the short name in the register of parties.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: String,
    /// In which office [default: the one that the person has].
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// One JSON document on stdout: what was decided.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which clearing house.
#[derive(Debug, Args)]
pub(crate) struct ShieldDir {
    /// The clearing house's folder [default: VIGIE_SHIELD, else `shield`].
    #[arg(
        long = "shield",
        value_name = "DIR",
        default_value_os_t = usual_shield(),
        hide_default_value = true
    )]
    pub(crate) shield: PathBuf,
}

/// The clearing house of who names none.
fn usual_shield() -> PathBuf {
    let named = std::env::var_os("VIGIE_SHIELD").filter(|dir| !dir.is_empty());
    named.map_or_else(|| "shield".into(), PathBuf::from)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Clearing {
    /// Make the folder of the authority's clearing house, with a log of its own.
    #[command(after_help = "Example:
  vigie shield init shield

An authority has one. `vigie serve --shield shield` then runs it.")]
    Init {
        /// The folder.
        #[arg(value_name = "DIR", default_value = "shield")]
        dir: PathBuf,
    },
    /// Register a legal basis: under it one reporter has works protected.
    #[command(after_help = "Example:
  vigie shield order 7/26 --reporter league --right serie-a --until 2027-06-30T00:00Z \\
        --as vera")]
    Order {
        /// The order's number.
        order: String,
        /// The reporter's organisation.
        #[arg(long, value_name = "ORGANISATION")]
        reporter: String,
        /// A work, or a right to it; once for each.
        #[arg(long = "right", required = true, value_name = "RIGHT")]
        rights: Vec<String>,
        /// From when on, ISO 8601 with its zone [default: now].
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until when.
        #[arg(long, value_name = "TIME")]
        until: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// End an order before its time: what rests on it is lifted, and nothing more is reported.
    #[command(after_help = "Example:
  vigie shield order-end 7/26 --grounds 'set aside by the court' --as vera")]
    OrderEnd {
        /// The order's number.
        order: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Announce an event with its window: nothing is blocked before or after it.
    #[command(after_help = "Example:
  vigie shield event final --order 7/26 --from 2026-11-29T19:30Z --until 2026-11-29T22:30Z \\
        --work serie-a --channel 'Sport 1' --channel 'Sport 2 HD' --as lea")]
    Event {
        /// Its name.
        event: String,
        /// Under which order.
        #[arg(long, value_name = "ORDER")]
        order: String,
        /// The window's begin, ISO 8601 with its zone [default: now].
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// The window's end.
        #[arg(long, value_name = "TIME")]
        until: String,
        /// Which of the order's rights it is of; once for each [default: all].
        #[arg(long = "work", value_name = "RIGHT")]
        works: Vec<String>,
        /// A channel on which it is shown; once for each.
        #[arg(long = "channel", value_name = "NAME")]
        channels: Vec<String>,
        #[command(flatten)]
        acting: Acting,
    },
    /// End an event before its time: what rests on it is lifted, and nothing more is reported.
    #[command(after_help = "Example:
  vigie shield event-end final --grounds 'called off' --as lea")]
    EventEnd {
        /// The event.
        event: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Extend an event's window: overtime.
    #[command(after_help = "Example:
  vigie shield extend final --until 2026-11-29T23:15Z --as lea")]
    Extend {
        /// The event.
        event: String,
        /// Its new end.
        #[arg(long, value_name = "TIME")]
        until: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Report what is to be blocked: names, addresses, addresses with a port, URLs.
    #[command(after_help = "Examples:
  vigie shield report --order 7/26 --event final --work serie-a --as lea \\
        https://tv.stream.example/live.m3u8
  vigie shield report --order 7/26 --event final --work serie-a --as lea - < items.txt

Of a URL the name is blocked, and the URL is what the probe captures. A line that is no item
is named and left out; the others go on.")]
    Report {
        /// Items; `-` reads them from stdin, one a line.
        #[arg(required = true, value_name = "ITEM")]
        items: Vec<String>,
        /// The legal basis.
        #[arg(long, value_name = "ORDER")]
        order: String,
        /// The event; without one the order blocks sites, whatever is on.
        #[arg(long, value_name = "EVENT")]
        event: Option<String>,
        /// Which works; once for each.
        #[arg(long = "work", required = true, value_name = "RIGHT")]
        works: Vec<String>,
        /// An ISP that is to block it; once for each [default: all].
        #[arg(long = "isp", value_name = "ORGANISATION")]
        isps: Vec<String>,
        /// Without an event: until when [default: 90 days].
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// The record of a case that led to it, as `vigie log reference` prints it.
        #[arg(long, value_name = "REFERENCE")]
        case: Option<Reference>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Agree to a held item, as a second person of another organisation.
    #[command(after_help = "Examples:
  vigie shield approve 12/0 --capture 5f2a91c07b --as vera
  vigie shield approve 12/1 --capture 5f2a91c07b --grounds 'one customer' --as vera

`vigie shield ticket 12` shows what was captured. For an address, grounds mean that it does not
wait for its host.")]
    Approve {
        /// The item: its ticket and its place there.
        item: String,
        /// The capture that was looked at: its hash, or how that begins.
        #[arg(long, value_name = "HASH")]
        capture: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: Option<String>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Refuse an item that is not in force, or take back one's own.
    #[command(after_help = "Example:
  vigie shield refuse 12/0 --grounds 'a fan page' --as vera")]
    Refuse {
        /// The item.
        item: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Lift an item that is in force: as fast as it was blocked.
    #[command(after_help = "Examples:
  vigie shield lift 12/0 --grounds 'the stream is gone' --as lea
  vigie shield lift 12/0 --collateral --grounds 'a shop on the same name' --as vera")]
    Lift {
        /// The item.
        item: String,
        /// It hits others: all on the value end, and it is the reporter's error.
        #[arg(long)]
        collateral: bool,
        /// Who was hit is popular, protected or a CDN.
        #[arg(long, requires = "collateral")]
        grave: bool,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Put a suspended item back into force.
    #[command(after_help = "Example:
  vigie shield reinstate 12/0 --grounds 'looked at again' --as vera")]
    Reinstate {
        /// The item.
        item: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Object to a block: once it is proven that one controls it, check and probe run again at
    /// once, and a reviewer's clock runs.
    #[command(after_help = "Examples:
  vigie shield object shop.example --statement why.txt --as olga
  vigie shield object shop.example --statement why.txt --token TOKEN --as olga

The first gives a token, and says where to put it: TXT at `_vigie-challenge.` and the name (of
an address, its reverse name), or a file at the name. The second looks whether it stands there;
then the objection counts. A reviewer and the authority object without one, for somebody who
proved it to them. Without proof there is `vigie shield harm`.")]
    Object {
        /// The exact name or address.
        value: String,
        /// What you say, as text of at most 4,000 bytes: it is sealed, and a reviewer reads it.
        #[arg(long, value_name = "FILE")]
        statement: PathBuf,
        /// The token that was given, once it stands where it has to.
        #[arg(long, value_name = "TOKEN")]
        token: Option<String>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Decide an objection.
    #[command(after_help = "Examples:
  vigie shield decide 12/0 --proof 9d5ed678fe --upheld no --grounds 'still streaming' --as vera
  vigie shield decide 12/0 --proof 9d5ed678fe --upheld collateral --grounds 'a shop' --as vera")]
    Decide {
        /// The item.
        item: String,
        /// The objection's proof: its hash, or how that begins.
        #[arg(long, value_name = "HASH")]
        proof: String,
        /// `no`; `item`: this item ends; `collateral`: all on the value end.
        #[arg(long, value_name = "WORD", value_parser = ["no", "item", "collateral"])]
        upheld: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Report that a block hits what it should not: no proof is asked for, and no clock begins.
    #[command(after_help = "Example:
  vigie shield harm shop.example --network 64496 --as olga

Reports count by network. Three networks within an hour on one value have check and probe run
again at once. Who controls what is blocked can object instead: `vigie shield object`.")]
    Harm {
        /// The exact name or address.
        value: String,
        /// From which network it does not open, as its autonomous system's number; 0 where that is
        /// not known: all of these count as one.
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        network: u32,
        #[command(flatten)]
        acting: Acting,
    },
    /// Propose what is never to be blocked, approve what another proposed, or revoke it.
    #[command(after_help = "Examples:
  vigie shield except '*.broadcaster.example' --grounds 'their own service' --as ivo
  vigie shield except '*.broadcaster.example' --approve --as vera
  vigie shield except '*.broadcaster.example' --revoke --grounds 'sold' --as vera")]
    Except {
        /// A name, `*.` and a name for it with all below it, a network, or an autonomous system (AS64500).
        cover: String,
        /// Approve it: what it covers is lifted at once.
        #[arg(long, conflicts_with_all = ["grounds", "until"])]
        approve: bool,
        /// Revoke it, or take back what nobody approved: it holds no longer.
        #[arg(long, conflicts_with_all = ["approve", "until"])]
        revoke: bool,
        /// Why.
        #[arg(long, value_name = "TEXT", required_unless_present = "approve")]
        grounds: Option<String>,
        /// Until when [default: for good].
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[command(flatten)]
        acting: Acting,
    },
    /// Stop everything, a reporter, an event, a ticket, or what one ISP gets: one act.
    #[command(after_help = "Examples:
  vigie shield stop all --lift --grounds 'a hospital is blocked' --as vera
  vigie shield stop reporter:league --grounds 'three errors tonight' --as vera

What stops is not released any more; with --lift what is in force leaves the feed as well. Two
persons of two organisations resume.")]
    Stop {
        /// `all`, `reporter:NAME`, `event:NAME`, `ticket:N` or `isp:NAME`.
        scope: String,
        /// Lift what is in force as well.
        #[arg(long)]
        lift: bool,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Say that what was stopped may go on; the second person's word resumes.
    #[command(after_help = "Example:
  vigie shield resume all --grounds 'the list is mended' --as vera")]
    Resume {
        /// As it was stopped.
        scope: String,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Set a figure of the policy: it holds for what is decided from then on.
    #[command(after_help = "Example:
  vigie shield figure objection_event_ms 1800000 --grounds 'half an hour' --as vera

`vigie shield policy` shows each with its unit.")]
    Figure {
        /// Which.
        figure: String,
        /// What it is then, in its own unit.
        value: u64,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Notices to hosts and CDNs: what waits, what was sent by hand, who answered.
    #[command(subcommand)]
    Notice(NoticeWords),
    /// Replace the feed's key by a new one: ISPs take it over by themselves (docs/keys.md).
    #[command(after_help = "Example:
  vigie shield rotate-key --grounds 'the machine was broken into' --as vera

It is on record, and a `vigie serve` that runs signs by the new key with its next heartbeat.
Stops that lie in a safe are void: make new ones.")]
    RotateKey {
        /// Why.
        #[arg(long, value_name = "TEXT")]
        grounds: String,
        #[command(flatten)]
        acting: Acting,
    },
    /// Sign a stop for a safe, which ISPs obey though nobody answers here; or the word that ends it.
    #[command(subcommand)]
    StopFile(StopFiles),
    /// List the tickets, the newest last.
    #[command(after_help = "Examples:
  vigie shield tickets
  vigie shield tickets --json | jq -r 'select(.stage == \"held\").ticket'")]
    Tickets {
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON line a ticket on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Show a ticket: each item that lives, what holds it, and the capture it rests on.
    #[command(after_help = "Example:
  vigie shield ticket 12")]
    Ticket {
        /// Its number.
        ticket: u64,
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Check what is told of a ticket once its event is over; exit 1 where it does not hold.
    #[command(after_help = "Examples:
  vigie shield opened --trust trust.txt ticket-12.opened.json
  curl -H \"Authorization: Bearer $KEY\" https://clearing.authority.example/tickets/12/opened \\
        | vigie shield opened --trust trust.txt -

The file is what the clearing house gives at that address a day after the event (409 before).
A trust file is that of `vigie log check`; without one the verdict says that nobody confirmed
the signer. No clearing house has to be there: the file is held against its own proofs.")]
    Opened {
        /// The file; `-` reads it from stdin.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Whose signatures you trust.
        #[arg(long, value_name = "FILE")]
        trust: Option<PathBuf>,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Ask whether exact names or addresses are blocked, since when and until when.
    #[command(after_help = "Examples:
  vigie shield look shop.example
  vigie shield look --json 198.51.100.7")]
    Look {
        /// Names, addresses, addresses with a port.
        #[arg(required = true, value_name = "ITEM")]
        values: Vec<String>,
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON line a value on stdout.
        #[arg(long)]
        json: bool,
    },
    /// The second machine that has each act before it is acknowledged (docs/standby.md).
    #[command(subcommand)]
    Standby(super::standby::Standby),
    /// Show what ISPs are measured to do: how soon each blocks and unblocks, and who does not.
    #[command(after_help = "Examples:
  vigie shield measured
  vigie shield measured fibre
  vigie shield measured tv.stream.example --json

Of the log: what was found within the last second may still be missing. An ISP that no probe
measured is not measured, which is not zero.")]
    Measured {
        /// An ISP, or a name that is blocked or was lifted [default: every ISP].
        #[arg(value_name = "ISP|ITEM")]
        of_what: Option<String>,
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON line an ISP on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Show the figures of the policy.
    #[command(after_help = "Example:
  vigie shield policy")]
    Policy {
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
    /// Show what waits for witnesses, and how far each has cosigned.
    #[command(after_help = "\
The figure `witnesses` says how many are waited for; `vigie witness add` names them.

Example:
  vigie shield witnesses")]
    Witnesses {
        #[command(flatten)]
        of: ShieldDir,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
}
