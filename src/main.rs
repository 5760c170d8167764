//! The command `interstella`: reads arguments and environment, and hands over to one file per verb.

mod apps;
mod block;
mod cli;
mod failure;
mod headquarters;
mod http;
#[cfg(feature = "local")]
mod image;
mod load;
#[cfg(feature = "local")]
mod machine;
mod manifests;
mod moment;
mod output;
mod profile;
mod progress;
mod running;
mod screen;
mod session;
mod shutdown;
mod simulate;
mod telemetry;
mod verb;
mod watching;

use std::process::ExitCode;

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment, to pass it on")]
fn main() -> ExitCode {
    let cli = cli::Cli::read(std::env::args_os()).unwrap_or_else(|error| error.exit());
    let environment: Vec<(String, String)> = std::env::vars().collect();
    verb::run(cli, &environment)
}
