//! `env`: the line that points other terminals to the local cloud.

use std::process::ExitCode;

use clap::Args;

use crate::cli::Common;
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
pub fn run(common: &Common, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let endpoint = format!("http://127.0.0.1:{}", arguments.cloud_port);
    output::line(export_line(&endpoint, common.local_region()))?;
    Ok(ExitCode::SUCCESS)
}

/// The line for a region of the local cloud at `endpoint`. It also switches profiles off, which would win over these
/// credentials.
pub fn export_line(endpoint: &str, region: &str) -> String {
    format!(
        "unset AWS_PROFILE; export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region} \
         AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
    )
}
