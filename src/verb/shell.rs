//! `completions` and `man`: what the shell and `man` want to know of the command line.

use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;

use crate::cli;
use crate::failure::Failure;
use crate::output;

/// Flags of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Flags of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The verb that the page is about [default: the program]
    verb: Option<String>,
}

/// Prints what the shell reads to complete verbs and flags.
pub fn completions(arguments: &Completions) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    let mut command = cli::command_for_completions();
    let name = command.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a page in troff, as man(7) has it.
pub fn man(arguments: &Man) -> Result<ExitCode, Failure> {
    let mut command = cli::command();
    command.build();
    let command = match &arguments.verb {
        None => command,
        Some(name) => {
            let verb = command.find_subcommand(name).filter(|verb| !verb.is_hide_set()).cloned();
            let unknown = || Failure::new(format!("there is no verb {name}")).remedy("see `interstella --help`");
            verb.ok_or_else(unknown)?
        }
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::because("cannot write the page", &error))?;
    output::line(String::from_utf8_lossy(&page).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
