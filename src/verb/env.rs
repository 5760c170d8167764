//! `env`: the line that points other terminals to the local cloud.

use std::process::ExitCode;

use clap::Args;

use crate::failure::Failure;
use crate::output;

/// Flags of `env`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Port of the local cloud
    #[arg(long, default_value_t = 4566)]
    cloud_port: u16,
}

/// Prints the line.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    output::line(export_line(&format!("http://127.0.0.1:{}", arguments.cloud_port)))?;
    Ok(ExitCode::SUCCESS)
}

/// The line for a local cloud at `endpoint`. It also switches profiles off, which would win over these credentials.
pub fn export_line(endpoint: &str) -> String {
    format!(
        "unset AWS_PROFILE; export AWS_ENDPOINT_URL={endpoint} AWS_REGION=us-west-2 AWS_DEFAULT_REGION=us-west-2 \
         AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
    )
}
