//! The words of the command, held against one another.

use clap::CommandFactory;

use super::Cli;

/// A word that is no command's any more would hide that another took its place.
#[test]
fn commands_without_a_home_are_commands() {
    for words in desk::shell::WITHOUT_HOME {
        let mut command = Cli::command();
        for word in words.split(' ') {
            let below = command.find_subcommand(word);
            command = below.unwrap_or_else(|| panic!("{words} is no command")).clone();
        }
    }
}
