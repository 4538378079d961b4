//! The words of people and custody.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{CaseDir, Protect};

#[derive(Debug, Subcommand)]
pub(crate) enum Actor {
    /// Make a person's own key, on that person's machine: nobody else sees it.
    #[command(after_help = "Example:
  vigie actor key ana.example --out ana.key     # prints what `vigie actor add` wants

`vigie actor passphrase ana.key` puts it under a passphrase.")]
    Key {
        /// The person's short name: small letters, digits and . - _ @.
        #[arg(value_name = "PERSON")]
        person: String,
        /// A new file; only its owner may read it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Put a person's key under a passphrase, change it, or take it away.
    #[command(after_help = "Examples:
  vigie actor passphrase ana.key                   # asks on the terminal
  vigie actor passphrase ana.key --new /run/secrets/ana
  VIGIE_PASSPHRASE_FILE=/run/secrets/ana vigie actor passphrase ana.key --remove

`vigie custody sign` then needs it: typed, or from the file that VIGIE_PASSPHRASE_FILE names.")]
    Passphrase {
        /// The file of the key.
        key: PathBuf,
        #[command(flatten)]
        protect: Protect,
    },
    /// Enrol a named person, with the public key that verifies what the person signs.
    #[command(after_help = "Examples:
  vigie actor add ana.example --name 'Ana Example' --role 'exhibits officer' \\
        --organisation 'Cybercrime unit' --key ana.example+6644b55a+AYqI…
  vigie actor add guard --name 'The guard'      # no device: acknowledges, never signs")]
    Add {
        #[command(flatten)]
        case: CaseDir,
        /// The person's short name, which is the key's.
        #[arg(value_name = "PERSON")]
        person: String,
        /// The name.
        #[arg(long)]
        name: String,
        /// What the person does.
        #[arg(long)]
        role: Option<String>,
        /// For whom.
        #[arg(long)]
        organisation: Option<String>,
        /// The public key, as `vigie actor key` printed it.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// List who is enrolled.
    #[command(after_help = "Example:\n  vigie actor list --json")]
    List {
        #[command(flatten)]
        case: CaseDir,
        /// One JSON line a person.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Custody {
    /// Take an item into custody.
    #[command(after_help = "Examples:
  vigie custody register disk-3 --description '2 TB disk, serial X12' --seal S-1041 \\
        --place 'Evidence room 2' --holder ana.example --at 2026-11-11T18:30+01:00
  vigie custody register image-3 --is HASH --description 'image of disk-3' \\
        --place 'NAS 1' --holder ana.example --at 2026-11-12T09:00+01:00")]
    Register(Box<Register>),
    /// Say which exhibits were imaged from an item.
    #[command(after_help = "Example:\n  vigie custody imaged disk-3 HASH")]
    Imaged {
        #[command(flatten)]
        case: CaseDir,
        /// The item.
        item: String,
        /// The exhibits' ids.
        #[arg(required = true, value_name = "HASH")]
        exhibits: Vec<String>,
    },
    /// Write the text of a hand-over, for both sides to sign.
    #[command(after_help = "Examples:
  vigie custody offer disk-3 --to bob.lab --place 'Lab, bench 4' --out offer.txt
  vigie custody offer disk-3 --seal S-1042 --reason 'opened for imaging' --out offer.txt")]
    Offer(Box<Offer>),
    /// Sign an offer with one's own key; needs no case.
    #[command(after_help = "Example:\n  vigie custody sign --key ana.key offer.txt")]
    Sign {
        /// The key's file.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The offer; the signature is written into it.
        offer: PathBuf,
    },
    /// Record a hand-over that both sides signed.
    #[command(after_help = "Examples:
  vigie custody handover offer.txt
  vigie custody handover offer-ana.txt offer-bob.txt   # each signed a copy
  vigie custody handover --without-device to offer.txt # prints words to be read aloud")]
    Handover {
        #[command(flatten)]
        case: CaseDir,
        /// The side that has no device, and acknowledges by words: from or to.
        #[arg(long, value_name = "SIDE", value_parser = ["from", "to"])]
        without_device: Option<String>,
        /// The offer; several where each side signed a copy.
        #[arg(required = true)]
        offer: Vec<PathBuf>,
    },
    /// Record that a side without device read the words of a hand-over back. It is no signature.
    #[command(after_help = "Example:\n  vigie custody ack 41 pelican tuxedo orchid waffle")]
    Ack {
        #[command(flatten)]
        case: CaseDir,
        /// The hand-over's record.
        record: u64,
        /// The four words that were read back.
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// Set a record on a person or on custody aside that was wrong; it stays in the log.
    #[command(after_help = "Example:
  vigie custody correct 41 --reason 'the seal number was mistyped'")]
    Correct {
        #[command(flatten)]
        case: CaseDir,
        /// The record.
        record: u64,
        /// Why; it is recorded in the log.
        #[arg(long)]
        reason: String,
    },
    /// Who holds what, from hand to hand, and what is wrong with it; exit 1 where something is.
    #[command(after_help = "Examples:
  vigie custody show
  vigie custody show disk-3
  vigie custody show disk-3 --at 2026-11-12T10:00")]
    Show {
        #[command(flatten)]
        case: CaseDir,
        /// One item; all of them where none is named.
        item: Option<String>,
        /// Who had it then? Without a zone, by the clock that each hand-over was written by.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// One JSON line an item.
        #[arg(long)]
        json: bool,
    },
    /// Labels to print: plain text, or a sheet with QR codes.
    #[command(after_help = "Examples:
  vigie custody label disk-3
  vigie custody label --html labels.html disk-3 disk-4")]
    Label {
        #[command(flatten)]
        case: CaseDir,
        /// A sheet with QR codes, as a new HTML file to be printed.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// The items.
        #[arg(required = true)]
        items: Vec<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// What the item is called, once for ever in the case.
    pub(crate) item: String,
    /// What it is.
    #[arg(long)]
    pub(crate) description: String,
    /// The number of the seal on it.
    #[arg(long)]
    pub(crate) seal: Option<String>,
    /// Where it is.
    #[arg(long)]
    pub(crate) place: String,
    /// Who holds it: a person that is enrolled.
    #[arg(long, value_name = "PERSON")]
    pub(crate) holder: String,
    /// Since when: ISO 8601, with its zone.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: String,
    /// The item is this digital exhibit.
    #[arg(long, value_name = "HASH")]
    pub(crate) is: Option<String>,
    /// An exhibit that was imaged from it; may be given more than once.
    #[arg(long, value_name = "HASH")]
    pub(crate) imaged: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Offer {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The item.
    pub(crate) item: String,
    /// Who takes it [default: who gives it: only place or seal change].
    #[arg(long, value_name = "PERSON")]
    pub(crate) to: Option<String>,
    /// Who gives it [default: who has it].
    #[arg(long, value_name = "PERSON")]
    pub(crate) from: Option<String>,
    /// Where it is from then on [default: where it is].
    #[arg(long)]
    pub(crate) place: Option<String>,
    /// When: ISO 8601, with its zone [default: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The seal found on it, where it is not the one that is known.
    #[arg(long, value_name = "SEAL")]
    pub(crate) seal_found: Option<String>,
    /// The new seal; '' where none is on it any more.
    #[arg(long)]
    pub(crate) seal: Option<String>,
    /// Why the seal changes.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// A new file for the text.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}
