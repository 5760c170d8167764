//! `worker`, `hq` and `reaper`: the parts that the local cloud starts, each exactly its own program.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::output;

/// What is passed on to the part's own program.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Arguments of the part's own program; `--help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// The worker's program.
pub fn worker(arguments: &Arguments, environment: &[(String, String)]) -> ExitCode {
    interstella_worker::main_with(arguments.arguments.iter().cloned(), environment.iter().cloned())
}

/// Headquarters' program.
pub fn hq(arguments: &Arguments, environment: &[(String, String)]) -> ExitCode {
    let arguments = std::iter::once("interstella hq").chain(arguments.arguments.iter().map(String::as_str));
    interstella_hq::main_with(
        arguments.map(Into::into),
        environment.iter().map(|(name, value)| (name.into(), value.into())),
    )
}

/// The program that ends the local cloud's processes when the cloud is gone.
pub fn reaper() -> ExitCode {
    match interstella_localcloud::runtime::reaper::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(Failure::because("the reaper cannot begin", &error));
            ExitCode::FAILURE
        }
    }
}
