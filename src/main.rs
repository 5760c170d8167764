//! The command `interstella`: reads arguments and environment, and hands over to one file per verb.

mod cli;
mod failure;
mod machine;
mod output;
mod progress;
mod shutdown;
mod telemetry;
mod verb;

use std::process::ExitCode;

use clap::Parser;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment, to pass it on")]
fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let environment: Vec<(String, String)> = std::env::vars().collect();
    verb::run(cli, &environment)
}
