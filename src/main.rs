//! The command `interstella`: reads arguments and environment, and hands over to one file per verb.

mod apps;
mod cli;
mod failure;
mod http;
mod load;
#[cfg(feature = "local")]
mod machine;
mod manifests;
mod output;
mod profile;
mod progress;
mod running;
mod session;
mod shutdown;
mod simulate;
mod telemetry;
mod verb;
mod watching;

use std::process::ExitCode;

use clap::Parser;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment, to pass it on")]
fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let environment: Vec<(String, String)> = std::env::vars().collect();
    verb::run(cli, &environment)
}
