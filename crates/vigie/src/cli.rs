//! The words of the command line. Each command carries its own examples; `--help` shows them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use authority::{Authority, Protect, Rotate};
pub(crate) use backup::{Backup, Restore};
pub(crate) use capture::{Authorise, Capture, Grant, OfAuthorisation};
pub(crate) use erase::Erase;
pub(crate) use people::{Actor, Custody, Offer, Register};
pub(crate) use stamp::Stamp;

mod authority;
mod backup;
mod capture;
pub(crate) mod clearing;
pub(crate) mod edge;
mod erase;
pub(crate) mod package;
pub(crate) mod party;
mod people;
pub(crate) mod probe;
pub(crate) mod shield;
mod stamp;
pub(crate) mod standby;
pub(crate) mod ticket;
pub(crate) mod witness;

/// Vigie: from a pile of seized material to the network behind it.
#[derive(Debug, Parser)]
#[command(name = "vigie", version, about, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Folder of the authority's key and log [default: VIGIE_HOME, else ~/.config/vigie].
    // Read from the environment in `home_dir`: clap would put it into every usage line.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done; 1 a check found something; 2 the call's words are off; 3 failure.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Seal and read everything under PATH, and update the case's views.
    Open(Open),
    /// Serve the console, on loopback, or beyond it by TLS; or run the clearing house (--shield).
    Serve(Box<Serve>),
    /// The authority that signs.
    #[command(subcommand)]
    Authority(Authority),
    /// Prove the whole case: log, exhibits, views.
    Verify(Verify),
    /// Trusted time: have an authority stamp the log, or an exhibit, and keep the stamp.
    Stamp(Stamp),
    /// Witnesses: others who cosign this authority's logs, and this one who cosigns theirs.
    #[command(subcommand)]
    Witness(witness::Witness),
    /// Proofs that stand alone: that a record is in a log, that a log only grew.
    #[command(subcommand)]
    Log(Log),
    /// One JSON line a fact, with the bytes it was read from.
    Facts(Facts),
    /// Everything known of one entity.
    Show(Show),
    /// Find entities, rows and facts.
    Search(Search),
    /// A read-only SQL query over the views and the bulk tables.
    Sql(Sql),
    /// Run one parser on one file, without a case.
    Parse(Parse),
    /// Entities and links for other tools.
    Export(Export),
    /// The views.
    #[command(subcommand)]
    Views(Views),
    /// Privileged exhibits (a lawyer's, a doctor's): hidden until released.
    #[command(subcommand)]
    Privilege(Privilege),
    /// Authorisations: whom the probe may ask, for what, how fast, until when.
    Authorise(Box<Authorise>),
    /// Capture items as they are shown now, under an authorisation: the evidence of a block.
    Capture(Capture),
    /// Erase by law: the log goes on proving, and says what went, when, by whom and why.
    Erase(Erase),
    /// Copy what is new to a second disk or to S3, proven as it goes.
    Backup(Backup),
    /// Prove a backup, and put it in the case's place; or try it (--drill).
    Restore(Restore),
    /// The people who take part, and their keys.
    #[command(subcommand)]
    Actor(Actor),
    /// Who holds what: items, hand-overs, seals, labels.
    #[command(subcommand)]
    Custody(Custody),
    /// Who deals with the authority: organisations, people, their roles, the keys of their services.
    #[command(subcommand)]
    Party(party::Party),
    /// Packages: exhibits and records for somebody, with the proof of each.
    #[command(subcommand)]
    Package(package::Package),
    /// The shield: what may be blocked without harm to others, what is, and who asked for it.
    #[command(subcommand)]
    Shield(shield::Shield),
    /// Tickets that what a case holds led to at a clearing house.
    #[command(subcommand)]
    Ticket(ticket::Ticket),
    /// The ISP's side: keep what a resolver blocks, and open it in time.
    #[command(subcommand)]
    Edge(edge::Edge),
    /// Measure an ISP: ask its resolver as a subscriber would, and report what it says.
    #[command(subcommand)]
    Probe(probe::Probe),
    /// Reference data: tables of addresses, and what the shield's check knows.
    #[command(subcommand)]
    Data(Data),
    /// The practice range.
    #[command(subcommand)]
    Range(Range),
}

#[derive(Debug, Args)]
pub(crate) struct CaseDir {
    /// The case folder [default: VIGIE_CASE, else `case`].
    #[arg(
        long = "case",
        value_name = "DIR",
        default_value_os_t = usual_case(),
        hide_default_value = true
    )]
    pub(crate) case: PathBuf,
}

/// The case of who names none. Read here: clap would put what the environment says into every
/// usage line.
fn usual_case() -> PathBuf {
    let named = std::env::var_os("VIGIE_CASE").filter(|case| !case.is_empty());
    named.map_or_else(|| "case".into(), PathBuf::from)
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie open seizure/material
  vigie open --case nl-04 --source 'laptop 3' --authorisation 'order 2024/117' \\
        --seized-by 'Sgt. Example' --at 2024-11-26T06:00:00+01:00 /media/evidence
  vigie open --json --problems problems.jsonl seizure/material | jq .entities")]
pub(crate) struct Open {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The item the material came from, as the seizure's list names it.
    #[arg(long, value_name = "ITEM")]
    pub(crate) source: Option<String>,
    /// The authorisation under which it was acquired.
    #[arg(long, value_name = "REF")]
    pub(crate) authorisation: Option<String>,
    /// Who seized it.
    #[arg(long, value_name = "WHO")]
    pub(crate) seized_by: Option<String>,
    /// When: ISO 8601, with its zone.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// A table of addresses to lay over the built-in one: CSV `first,last,asn,name,country`.
    #[arg(long, value_name = "FILE")]
    pub(crate) address_table: Option<PathBuf>,
    /// A mapping for CSV and XLSX tables of unknown columns (docs/mapping.md).
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// Seal by reference, without copying: for read-only media.
    #[arg(long)]
    pub(crate) in_place: bool,
    /// Write each problem as a JSON line.
    #[arg(long, value_name = "FILE")]
    pub(crate) problems: Option<PathBuf>,
    /// End with one JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// A time-stamping authority (RFC 3161, http://) to stamp what is sealed: each file, where they
    /// are at most 100, and the log.
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: Option<String>,
    /// Files and folders.
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie serve
  vigie serve --case nl-04 --listen 127.0.0.1:8484
  vigie serve --tsa http://tsa.example/tsr --witnesses
  vigie serve --shield shield --listen 127.0.0.1:8485     # the clearing house with its pages
  vigie serve --shield shield --dns dns.toml              # the same without, with its zones
  vigie serve --shield shield --piracy-shield-listen 127.0.0.1:8486
  vigie serve --listen 0.0.0.0:443 --host vigie.example \\
        --tls-cert chain.pem --tls-key key.pem

Beyond loopback people sign in by name and password: `vigie party` registers them, gives them
roles and invites them. A certificate that is renewed in its file counts at once.")]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// Where to listen [default: 127.0.0.1:8484; with --shield no pages are served unless given]; beyond
    /// loopback only by TLS. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// What people call this server, as its certificate does; may be given more than once.
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// The certificate's chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Its private key (PEM), which nobody else may read.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// A time-stamping authority to ask for a stamp each hour, where the log has grown.
    #[arg(long, value_name = "URL")]
    pub(crate) tsa: Option<String>,
    /// Ask the witnesses that `vigie witness list` names to cosign the case and its authority's log,
    /// each hour.
    #[arg(long)]
    pub(crate) witnesses: bool,
    /// Run the authority's clearing house in this folder (docs/clearing-house.md).
    #[arg(long, value_name = "DIR", conflicts_with_all = ["case", "tsa", "witnesses"])]
    pub(crate) shield: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) clearing: ServeShield,
}

/// How the clearing house runs.
#[derive(Debug, Args)]
pub(crate) struct ServeShield {
    /// Serve what is blocked as DNS zones, as this file says (docs/clearing-house.md).
    #[arg(long, value_name = "FILE", requires = "shield")]
    pub(crate) dns: Option<PathBuf>,
    /// Publish the feed as signed files into this folder, for any web server (docs/feed.md).
    #[arg(long, value_name = "DIR", requires = "shield")]
    pub(crate) feed: Option<PathBuf>,
    /// Keep a copy of its view of all at s3://BUCKET/PREFIX, for any CDN (docs/feed-http.md).
    #[arg(long, value_name = "PLACE", requires = "feed")]
    pub(crate) feed_s3: Option<String>,
    /// Serve that folder by HTTP to whom an ISP's key was issued; beyond loopback with --tls-cert.
    #[arg(long, value_name = "ADDR", requires = "feed")]
    pub(crate) feed_listen: Option<SocketAddr>,
    /// Serve Piracy Shield's API, version 1, to who speaks it; beyond loopback with --tls-cert.
    #[arg(long, value_name = "ADDR", requires = "shield")]
    pub(crate) piracy_shield_listen: Option<SocketAddr>,
    #[command(flatten)]
    pub(crate) standby: standby::ListenForStandby,
    /// Write to hosts and CDNs of what is blocked, as this file says (docs/clearing-house.md).
    #[arg(long, value_name = "FILE", requires = "shield")]
    pub(crate) notices: Option<PathBuf>,
    /// Have probes measure what ISPs block, as this file says (docs/measurement.md).
    #[arg(long, value_name = "FILE", requires = "shield")]
    pub(crate) measure: Option<PathBuf>,
    /// The resolver that the probe asks [default: this machine's].
    #[arg(long, value_name = "ADDR", requires = "shield")]
    pub(crate) resolver: Option<SocketAddr>,
    /// Capture nothing in this process.
    #[arg(long, requires = "shield")]
    pub(crate) no_captures: bool,
    /// On the practice range: names under .example and .test stand for the internet's.
    #[arg(long, requires = "shield")]
    pub(crate) practice: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie verify case
  vigie verify --trust trust.txt

In the trust file (as of `vigie log check`) `time NAME CERTIFICATE` names a time authority.")]
pub(crate) struct Verify {
    /// Whose keys and time authorities you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The case folder, as with --case.
    #[arg(value_name = "DIR", conflicts_with = "case")]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Print the proof that a record stands in the log (C2SP tlog-proof), or that the log only grew.
    #[command(after_help = "Examples:
  vigie log prove 3 > record-3.tlog-proof
  vigie log prove --authority 0 > birth.tlog-proof
  cp case/ledger/checkpoint older; vigie log prove --since older > grown.proof")]
    Prove(Prove),
    /// Check a proof against the keys that you trust; exit 1 where it does not hold.
    #[command(after_help = "Examples:
  vigie log check record-3.tlog-proof
  vigie log check --trust trust.txt record-3.tlog-proof
  vigie log check --since older grown.proof
  vigie log check --trust trust.txt split.txt      # two histories that one log signed

A trust file has a key a line: `authority KEY` (its own log and those named below it), `log KEY`
(`log KEY until N` where it was replaced there; the newest last), `witness KEY`; `quorum N`; and
`time NAME CERTIFICATE`. Without one the verdict says that nobody confirmed the signer.")]
    Check(Check),
    /// Print what names a record in other logs: its log, its place, its leaf hash.
    #[command(after_help = "Examples:
  vigie log reference 41
  vigie log reference --exhibit HASH      # the record that sealed it

`vigie shield report --case REFERENCE` has a ticket name it.")]
    Reference(OfRecord),
}

#[derive(Debug, Args)]
pub(crate) struct OfRecord {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The record, from 0 on.
    #[arg(value_name = "RECORD", required_unless_present = "exhibit")]
    pub(crate) index: Option<u64>,
    /// The record that sealed this exhibit.
    #[arg(long, value_name = "HASH", conflicts_with = "index")]
    pub(crate) exhibit: Option<String>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The authority's own log instead of a case's.
    #[arg(long)]
    pub(crate) authority: bool,
    /// That the log goes on from this older checkpoint of it.
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "index")]
    pub(crate) since: Option<PathBuf>,
    /// The record, from 0 on.
    #[arg(value_name = "RECORD", required_unless_present = "since")]
    pub(crate) index: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Whose signatures you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The entry's bytes, where they are not those that the proof carries.
    #[arg(long, value_name = "FILE")]
    pub(crate) entry: Option<PathBuf>,
    /// The older checkpoint that a proof of growth goes on from.
    #[arg(long, value_name = "CHECKPOINT", conflicts_with = "entry")]
    pub(crate) since: Option<PathBuf>,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// The proof.
    #[arg(value_name = "PROOF")]
    pub(crate) proof: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie facts --json | head
  vigie facts --entity ip:198.18.0.1
  vigie facts --entity ip:198.18.0.1 --reveal 'requested by the prosecutor, note 12'")]
pub(crate) struct Facts {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// Only facts of this entity: its id, or one of its keys.
    #[arg(long, value_name = "ID")]
    pub(crate) entity: Option<String>,
    /// Only facts of this exhibit.
    #[arg(long, value_name = "HASH")]
    pub(crate) exhibit: Option<String>,
    /// Show secrets; the reason is recorded in the log.
    #[arg(long, value_name = "REASON")]
    pub(crate) reveal: Option<String>,
    /// JSON lines (also where stdout is no terminal).
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vigie show ip:198.18.0.1\n  vigie show --json ip:198.18.0.1")]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// Whose time stamps you trust.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// An entity's id, or one of its keys; an exhibit's id; or record:N for an exhibit that was erased.
    pub(crate) entity: String,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  vigie search 00:1a:79\n  vigie search --limit 5 198.18")]
pub(crate) struct Search {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// Words, a prefix, or a whole value: user name, MAC, e-mail, address.
    #[arg(required = true)]
    pub(crate) words: Vec<String>,
    /// At most so many of each sort.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    /// One JSON line a hit.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie sql \"SELECT kind, count FROM tally WHERE sort = 'entity'\"
  vigie sql --format csv 'SELECT * FROM bulk_table'   # docs/sql.md: what there is to ask")]
pub(crate) struct Sql {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// How rows are written.
    #[arg(long, value_enum, default_value_t = SqlFormat::Table)]
    pub(crate) format: SqlFormat,
    /// Same as `--format json`.
    #[arg(long)]
    pub(crate) json: bool,
    /// At most so many rows.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) limit: u64,
    /// At most so many seconds of work.
    #[arg(long, default_value_t = 60, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) time: u64,
    /// The query.
    pub(crate) query: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SqlFormat {
    Table,
    Csv,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie parse seizure/material/office/domains.txt
  vigie parse --json - < seizure/material/office/notes.txt | head")]
pub(crate) struct Parse {
    /// JSON lines: facts, tables, rows, problems, and the account of bytes last.
    #[arg(long)]
    pub(crate) json: bool,
    /// Use this parser whatever the file looks like.
    #[arg(long, value_name = "NAME")]
    pub(crate) parser: Option<String>,
    /// A mapping for CSV and XLSX tables of unknown columns (docs/mapping.md).
    #[arg(long, value_name = "FILE")]
    pub(crate) mapping: Option<PathBuf>,
    /// The file; - for what is piped in.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vigie export --format ftm > statements.csv
  vigie export --format graphml --output network.graphml")]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// csv: entities and links; jsonl: the same, a JSON line each; ftm: FollowTheMoney statements;
    /// graphml: a graph for Gephi.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// A file instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    Csv,
    Jsonl,
    Ftm,
    Graphml,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Views {
    /// Throw every view away and build it again from log and exhibits.
    Rebuild {
        #[command(flatten)]
        case: CaseDir,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Privilege {
    /// Hide an exhibit, and what is inside it, from every view, search and count.
    #[command(after_help = "Example:
  vigie privilege mark HASH --reason 'letters to counsel, note 14'")]
    Mark(Privileged),
    /// Release an exhibit that was marked.
    #[command(after_help = "Example:
  vigie privilege release HASH --reason 'order of the judge of 3 March'")]
    Release(Privileged),
    /// List what is hidden: exhibits that were marked, and what is inside them.
    #[command(after_help = "Example:\n  vigie privilege list --json")]
    List {
        #[command(flatten)]
        case: CaseDir,
        /// One JSON line an exhibit.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Privileged {
    #[command(flatten)]
    pub(crate) case: CaseDir,
    /// The exhibit's id: `vigie search NAME` finds it, or `vigie privilege list` where it is hidden.
    #[arg(value_name = "HASH")]
    pub(crate) exhibit: String,
    /// Why; it is recorded in the log.
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: String,
    /// One JSON document on stdout.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Data {
    /// Fetch newer reference data into the authority's folder: the table of addresses (autonomous
    /// system, country), which the next `vigie open` seals into its case, and with `shield` also
    /// what the shield's check knows.
    #[command(after_help = "Examples:
  vigie data update                    # npm fetches the rows of addresses
  vigie data update shield             # the same, and pip and apt the shield's sets
  vigie data update --from rows/       # offline: rows/asn-ipv4.csv, rows/asn-country-ipv4.csv, …
  vigie data update shield --from lists/      # offline: the unpacked pymispwarninglists

Rows: @ip-location-db/asn (RouteViews, DB-IP; CC-BY-4.0) and @ip-location-db/asn-country (CC0).
Sets: MISP's warning lists (PyPI pymispwarninglists; CC0), Debian's publicsuffix (MPL-2.0).")]
    Update {
        /// What to fetch.
        #[arg(value_enum, default_value = "addresses")]
        what: Which,
        /// A folder with what would be fetched, where the tool or the network is missing.
        #[arg(long, value_name = "DIR")]
        from: Option<PathBuf>,
        /// One JSON document on stdout.
        #[arg(long)]
        json: bool,
    },
}

/// What `vigie data update` fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Which {
    /// The table of addresses.
    Addresses,
    /// What the shield's check knows, and the table of addresses.
    Shield,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Range {
    /// Make a synthetic seizure: OUT/material/…, OUT/truth.json, OUT/practice-net.csv.
    #[command(after_help = "Examples:
  vigie range make --scenario small --seed 7 seizure
  vigie range make --scenario taken-down --scale 0.1 seizure")]
    Make {
        /// taken-down, perfect-storm, kbox, sparks or small.
        #[arg(long, default_value = "small")]
        scenario: String,
        /// From 0.0001 to 1.
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// The same seed gives the same bytes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// A new folder.
        out: PathBuf,
    },
    /// Play a match night until interrupted: streams of test pictures, innocents beside them, ISPs with real
    /// resolvers and their subscribers, in network namespaces of this machine. As root.
    #[command(after_help = "Examples:
  vigie range serve --scenario match-night
  vigie range serve --scenario match-night --isps 4 --seed 7 --out night --json

The first ISP runs Unbound, the second BIND, and so on in turn, with the settings of docs/edge;
what `vigie edge` needs of each stands in OUT. Nothing leaves this machine, and its own network is
not touched. What a killed range left is cleared by the next one. The tour: docs/shield.md.")]
    Serve {
        /// match-night.
        #[arg(long, default_value = "match-night", value_parser = ["match-night"])]
        scenario: String,
        /// How many ISPs, from 1 to 8.
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
        isps: u8,
        /// The same seed gives the same names and addresses.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The folder of settings: new, or an earlier night's, which is written over.
        #[arg(long, value_name = "DIR", default_value = "night")]
        out: PathBuf,
        /// Where everything is as JSON, a document a line.
        #[arg(long)]
        json: bool,
    },
    /// Run a command at a place of the night that is played: `house`, `isp-1`, `home-1`, …
    #[command(after_help = "Examples:
  vigie range run home-1 dig +short news.example
  vigie range run home-2 curl -s http://news.example/
  vigie range run isp-1 vigie edge status --config night/isp-1/keep.toml

home-N is a subscriber of isp-N, house the clearing house's place. It is what `ip netns exec` does
with the place's full name. As root; the command's exit code is this one's.")]
    Run {
        /// Which range, where several run: the process that serves it.
        #[arg(long, value_name = "PROCESS")]
        range: Option<u32>,
        /// The place.
        place: String,
        /// The command and its words.
        #[arg(
            required = true,
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "COMMAND"
        )]
        command: Vec<std::ffi::OsString>,
    },
}

#[cfg(test)]
mod tests;
