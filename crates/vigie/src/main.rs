//! The command `vigie`: words in, one call of the desk, words out.
//!
//! Exit codes: 0 done; 1 a check found something; 2 the call's words are off; 3 failure.

/// Writes a line for people. Commands in it name the authority's folder where this call did; documents
/// and data go out as they are.
macro_rules! say {
    ($out:expr, $($words:tt)*) => {
        writeln!($out, "{}", desk::shell::here(&format!($($words)*)))
    };
}

mod cli;
mod commands;
mod error;
mod passphrase;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, Data, Range, Views};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors: clap prints them to stdout and says so.
            let code = if error.use_stderr() { 2 } else { 0 };
            // A closed pipe is the reader's business.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    passphrase::begin();
    let home = cli.home.as_deref();
    if let Some(home) = home {
        desk::shell::name_home(home);
    }
    let done = match &cli.command {
        Command::Open(args) => commands::open::run(home, args),
        Command::Serve(args) => commands::serve::run(home, args),
        Command::Authority(args) => commands::authority::run(home, args),
        Command::Verify(args) => commands::verify::run(home, args),
        Command::Stamp(args) => commands::stamp::run(home, args),
        Command::Witness(args) => commands::witness::run(home, args),
        Command::Log(args) => commands::log::run(home, args),
        Command::Facts(args) => commands::facts::run(home, args),
        Command::Show(args) => commands::show::run(args),
        Command::Search(args) => commands::search::run(args),
        Command::Sql(args) => commands::sql::run(args),
        Command::Parse(args) => commands::parse::run(args),
        Command::Export(args) => commands::export::run(args),
        Command::Views(Views::Rebuild { case, json }) => {
            commands::views::rebuild(home, &case.case, *json)
        }
        Command::Privilege(change) => commands::privilege::run(home, change),
        Command::Authorise(args) => commands::capture::authorise(home, args),
        Command::Capture(args) => commands::capture::capture(home, args),
        Command::Erase(args) => commands::erase::run(home, args),
        Command::Backup(args) => commands::backup::run(home, args),
        Command::Restore(args) => commands::backup::restore(home, args),
        Command::Actor(args) => commands::actor::run(home, args),
        Command::Custody(args) => commands::custody::run(home, args),
        Command::Party(args) => commands::party::run(home, args),
        Command::Package(args) => commands::package::run(home, args),
        Command::Shield(words) => commands::shield::run(home, words),
        Command::Ticket(words) => commands::ticket::run(home, words),
        Command::Edge(words) => commands::edge::run(home, words),
        Command::Probe(words) => commands::probe::run(words),
        Command::Data(Data::Update { what, from, json }) => {
            commands::data::update(home, *what, from.as_deref(), *json)
        }
        Command::Range(Range::Make { scenario, scale, seed, out }) => {
            commands::range::make(scenario, *scale, *seed, out)
        }
        Command::Range(Range::Serve { isps, seed, out, json, .. }) => {
            commands::range::serve(*isps, *seed, out, *json)
        }
        Command::Range(Range::Run { range, place, command }) => {
            commands::range::run(*range, place, command)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(told) => told.tell(),
    }
}
